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

mod api;
mod call;
mod event_source;
mod location;
mod model;
mod protocol;
mod server;

pub use call::action::Action;
pub use call::error::WorldError;
pub use call::fault::{Fault, FaultRule};
pub use call::log::{Call, CallAnswer};
pub use call::throttle::Throttles;
pub use event_source::batch_answer::BatchError;
pub use event_source::poller::{Batch, Invocation, Poller, Settled};
pub use location::Location;
pub use model::canned::Role;
pub use model::ecs::foreign::ForeignError;
pub use model::ecs::revision::{GatewayConnection, ResolvedLoadBalancer, Revision};
pub use model::ecs::service::{
    AdvancedConfiguration, CapacityProviderStrategyItem, DeploymentController, LoadBalancer, Service, ServiceStatus,
    Tag, TaskSet,
};
pub use model::ecs::task::{NetworkInterface, Stop, Task, TaskStatus};
pub use model::elb::group::{Group, IpAddressType, TargetType};
pub use model::elb::health::{Health, State};
pub use model::elb::network::Network;
pub use model::elb::target::{Registered, Target};
pub use model::scene::Scene;
pub use model::sqs::message::{Message, MessageCounts, MessageState};
pub use model::sqs::queue::{Queue, Redrive};
pub use model::sqs::queues::Received;
pub use model::world::World;
pub use model::world_file_value::WorldFileError;
pub use server::local::LocalAws;
pub use server::shared::Traffic;
