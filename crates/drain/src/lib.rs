//! The shell around the pure core: AWS calls, their pace and deadlines, logs and metrics, the function and the CLI.
//!
//! [`Drainer::drain`] tells the whole story; Lambda, `spotdrain drain` and the demo run the same one.

mod aws;
mod call;
mod caller;
pub mod cli;
mod clock;
mod coalesce;
mod confirm;
mod connections;
mod dialler;
mod drainer;
mod execute;
mod groups;
mod hosts;
mod http;
pub mod lambda;
pub mod log;
mod look;
mod observe;
mod queue;
mod services;
mod tasks;
mod tell;
mod trust;
mod turn;
mod write;

pub use aws::Aws;
pub use clock::Deadline;
pub use drainer::{Drainer, Handled};
pub use trust::TrustError;

/// The variables of the environment. What is no Unicode is kept in a readable form, so that a setting of it is refused
/// with its name.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}
