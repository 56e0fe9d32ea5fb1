//! The drill: what does a Spot interruption cost a service, with live traffic?
//!
//! Real parts: a load balancer (`HAProxy`), tasks that are processes with sockets, clients, the function's own code, the
//! hold's own binary. Modelled is only what AWS alone has: *when* its load balancer stops sending to a target
//! ([`balancer`], pure), and when Fargate notifies and kills ([`Run`]). What became of a connection is decided in [`fate`], the
//! figures in [`figures`]; both are pure too.
//!
//! Times are seconds since the notice, in the time that is played: [`clock`] scales them to the real one.

mod attempt;
pub mod balancer;
mod chart;
mod client;
mod clock;
mod config;
mod control;
mod director;
mod error;
pub mod fate;
pub mod figures;
mod haproxy;
mod interruption;
mod lanes;
mod page;
mod place;
mod plan;
mod progress;
mod report;
mod routed;
mod run;
mod server;
mod task;
mod tools;
mod traffic;
mod way;
mod witness;
mod world;

pub use balancer::{Balancer, Kind, WhileDraining};
pub use error::DrillError;
pub use figures::{Figures, Marks};
pub use interruption::Notice;
pub use page::page;
pub use place::Place;
pub use plan::{MIN_HOLD, Plan, QUIET};
pub use progress::Progress;
pub use report::Record;
pub use run::Run;
pub use server::{Server, serve};
pub use tools::Tools;
pub use way::Way;
