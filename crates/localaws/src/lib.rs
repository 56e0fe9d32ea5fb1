//! A local AWS for demos, tests and benches: how do `ELBv2` and ECS answer when targets drain and calls are throttled?
//!
//! It answers the unmodified SDKs and the `aws` command over plain HTTP on a loopback port, keeps state, and follows AWS's
//! published rules where other stand-ins do not: targets are keyed by id *and* port, a deregistered target drains before it
//! is gone, deregistering what is not there succeeds, and the API's token buckets refuse calls. Faults come on demand.
//!
//! The rules are pure ([`World`], with the time as an argument); [`LocalAws`] puts a small HTTP server around them. What it
//! does not do, it refuses in the protocol's own words. Signatures are not checked: any credentials do.
//!
//! From outside the process, `POST /_local/fault`, `POST /_local/target-state` and `GET /_local/calls` are the same controls.

mod action;
mod arns;
mod bucket;
mod calls;
mod control;
mod dispatch;
mod ecs;
mod elb;
mod elb_shapes;
mod error;
mod exchange;
mod fault;
mod form;
mod group;
mod json;
mod local;
mod query;
mod scene;
mod server;
mod service;
mod shapes;
mod state;
mod target;
mod targets;
mod task;
mod throttle;
mod world;

pub use action::Action;
pub use calls::{Call, CallAnswer};
pub use error::WorldError;
pub use fault::{Fault, FaultRule};
pub use group::{Group, IpAddressType, TargetType};
pub use local::LocalAws;
pub use scene::Scene;
pub use service::{
    AdvancedConfiguration, CapacityProviderStrategyItem, DeploymentController, LoadBalancer, Service, ServiceStatus,
    Tag, TaskSet,
};
pub use state::{Health, State};
pub use target::{Registered, Target};
pub use task::{NetworkInterface, Stop, Task, TaskStatus};
pub use throttle::Throttles;
pub use world::World;
