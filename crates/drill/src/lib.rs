//! The drill and the probe: what an interruption costs under live traffic, on a simulated load balancer or on a real one.
//!
//! The drill. Real parts: a load balancer (`HAProxy`), tasks that are processes with sockets, clients, the function's own code and the
//! hold's own binary. Only what AWS alone has is modelled: *when* its load balancer stops sending to a target
//! ([`load_balancer::model`], pure), and when Fargate notifies and kills ([`service::interruption`]).
//!
//! Times are seconds since the notice in simulated time; [`clock`] converts them to real time.
//!
//! | module | what it holds |
//! |---|---|
//! | [`setup`] | what to run: the plan, the scenario, the programs, network isolation |
//! | [`service`] | the service: its tasks (processes), its targets on the local AWS, the interruption |
//! | [`load_balancer`] | the model of AWS's load balancer, and the `HAProxy` that follows it |
//! | [`clients`] | the traffic, and the outcome of each connection (pure) |
//! | [`report`] | figures (pure), timelines and the HTML page |
//! | [`rig`] | the service and its load balancer, running |
//! | [`run`] | one run of the drill: lets clients, interruption and load balancer work side by side, and collects the record |
//! | [`probe`] | the same clients against any service, and the delays of its load balancer (pure) |

mod clients;
mod clock;
mod error;
mod load_balancer;
pub mod probe;
mod report;
mod rig;
mod run;
mod service;
mod setup;

pub use clients::frontend::{ClientProtocol, Frontend};
pub use clients::traffic::{Stall, TrafficSettings};
pub use error::DrillError;
pub use load_balancer::model::{LoadBalancerModel, LoadBalancerType, WhileDraining};
pub use report::RunRecord;
pub use report::figures::{Figures, Marks};
pub use report::html;
pub use report::page::{lost_connections, page, percent};
pub use rig::{Rig, RigSettings};
pub use run::{DrillRun, RunProgress};
pub use service::interruption::TaskInterruption;
pub use setup::isolation::Isolation;
pub use setup::plan::{MIN_HOLD, Plan, QUIET};
pub use setup::programs::{Application, Programs};
pub use setup::scenario::Scenario;
