//! A local AWS for demos, tests and benches: how do `ELBv2`, ECS and SQS answer when targets drain, calls are throttled and
//! messages come back?
//!
//! It answers the unmodified SDKs and the `aws` command over plain HTTP on a loopback port, keeps state, and follows AWS's
//! published rules where other stand-ins do not: targets are keyed by id *and* port, a deregistered target drains before it
//! is gone, deregistering what is not there succeeds, the API's token buckets refuse calls, and a message that comes back too
//! often goes to the dead-letter queue. Faults come on demand.
//!
//! The rules are pure ([`World`], with the time as an argument); [`LocalAws`] puts a small HTTP server around them. What it
//! does not do, it refuses in the protocol's own words. Signatures are not checked: any credentials do. With the feature `tls`
//! it also speaks HTTPS.
//!
//! A [`Poller`] stands for Lambda's event source mapping: it makes batches of a queue's messages, and settles them by a
//! function's answer.
//!
//! [`World::from_json`] loads a world from a file.
//!
//! From outside the process, `POST /_local/fault`, `POST /_local/target-state` and `GET /_local/calls` are the same controls.

mod action;
mod arns;
mod batch_answer;
mod bell;
mod bucket;
mod calls;
mod control;
mod deployed;
mod described;
mod digest;
mod dispatch;
mod ecs;
mod ecs_lists;
mod ecs_revisions;
mod elb;
mod elb_attributes;
mod elb_balancers;
mod elb_listeners;
mod elb_shapes;
mod elb_tags;
mod error;
mod exchange;
mod fault;
mod field;
mod foreign;
mod form;
mod group;
mod iam;
mod iam_shapes;
mod json;
mod local;
mod location;
mod mail;
mod message;
mod messages;
mod network;
mod poll;
mod poller;
mod query;
mod queue;
mod queues;
mod receipt;
mod revision;
mod role;
mod scene;
mod server;
mod service;
mod setup;
mod shapes;
mod shared;
mod sqs;
mod sqs_attributes;
mod sqs_batch;
mod sqs_error;
mod sqs_message;
mod sqs_shapes;
mod state;
mod sts;
mod target;
mod targets;
mod task;
mod throttle;
#[cfg(feature = "tls")]
mod tls;
mod traffic;
mod world;
mod world_file;

pub use action::Action;
pub use batch_answer::BatchError;
pub use calls::{Call, CallAnswer};
pub use error::WorldError;
pub use fault::{Fault, FaultRule};
pub use field::WorldFileError;
pub use foreign::ForeignError;
pub use group::{Group, IpAddressType, TargetType};
pub use local::LocalAws;
pub use location::Location;
pub use message::{Message, MessageCounts, MessageState};
pub use network::Network;
pub use poller::{Batch, Invocation, Poller, Settled};
pub use queue::{Queue, Redrive};
pub use queues::Received;
pub use revision::{GatewayConnection, ResolvedLoadBalancer, Revision};
pub use role::Role;
pub use scene::Scene;
pub use service::{
    AdvancedConfiguration, CapacityProviderStrategyItem, DeploymentController, LoadBalancer, Service, ServiceStatus,
    Tag, TaskSet,
};
pub use state::{Health, State};
pub use target::{Registered, Target};
pub use task::{NetworkInterface, Stop, Task, TaskStatus};
pub use throttle::Throttles;
pub use traffic::Traffic;
pub use world::World;
