//! The work on one invocation, async but without a runtime. It sees AWS, the clock and the log through [`Cloud`] alone, so the
//! laws that the simulated world tests (`tests/world`) hold for the code that ships.
//!
//! [`Engine::handle`] is the story. `receive_more` receives more messages than Lambda delivered; `locate` finds the services of
//! the notices; `drain` observes, plans and deregisters wave after wave; `acknowledge` writes the records, then deletes or returns
//! the messages; `retry` makes one call with its attempts, pace and deadline. What is decided on the way is decided in
//! `spotdrain-core`.

mod acknowledge;
mod cloud;
mod deadline;
mod drain;
mod engine;
mod invocation;
mod locate;
mod receive_more;
mod retry;
pub mod shares;

pub use cloud::{Answer, CallError, CallErrorKind, Cloud, ReceivedMessage, Services, Tasks};
pub use deadline::Deadline;
pub use engine::{Engine, Handled};
pub use locate::BELIEVED;
