//! A local AWS for demos, tests and benches. It answers the unmodified SDKs and the `aws` command over plain HTTP on a
//! loopback port, or HTTPS with the feature `tls`.
//!
//! It simulates parts of `ELBv2`, ECS, SQS, `EventBridge`, Lambda, IAM, STS and Application Auto Scaling, and follows AWS's published rules where other
//! simulators do not: a target is identified by id *and* port, a deregistered target drains before it is gone, deregistering an
//! unknown target succeeds, the APIs' token buckets throttle calls, and a message that is received too often goes to the
//! dead-letter queue. Faults can be injected. Unsupported calls are refused with the error of their protocol. Signatures are not
//! checked: any credentials work.
//!
//! [`World`] is the pure state, with the time as an argument; [`LocalAws`] is the server around it; a [`Poller`] is Lambda's
//! event source mapping; [`World::from_json`] loads a world from a file.
//!
//! | module | what it holds |
//! |---|---|
//! | [`call`] | what a call is: action, error, log entry; what can stop it: throttles, faults |
//! | [`model`] | the state and its rules: `elb`, `ecs`, `sqs`, canned objects, world files |
//! | [`protocol`] | the wire formats |
//! | [`api`] | for each API: parse a request, run it on the model, write the answer |
//! | [`server`] | HTTP, TLS, dispatch to the APIs, and the controls under `/_local` |
//! | [`event_source`] | batches of a queue's messages, settled by a function's answer |
//!
//! To simulate another action, add it to [`Action`], then to the API's `requests.rs`.
//!
//! Other processes can `POST /_local/fault` and `/_local/target-state`, and `GET /_local/calls`.

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
pub use call::log::{Call, CallResult};
pub use call::throttle::Throttles;
pub use event_source::batch_answer::BatchError;
pub use event_source::poller::{PolledBatch, PolledInvocation, Poller, SettledBatch};
pub use location::Location;
pub use model::canned::{PublishedMessage, Role};
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
pub use model::sqs::queues::ReceivedMessages;
pub use model::world::World;
pub use model::world_file_value::WorldFileError;
pub use server::local::LocalAws;
pub use server::shared::Traffic;
