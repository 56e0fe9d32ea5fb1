//! The work on one invocation, async but without a runtime. It sees AWS, the clock and the log through [`Cloud`] alone, so the
//! laws that the simulated world tests (`tests/world`) hold for the code that ships.
//!
//! [`Engine::handle`] is the story, and `run` its loop: one activity after another ends, and what can be started then is started.
//! `receive` receives more messages than Lambda delivered; `locate` finds the services of the notices; `work` holds the notices
//! and the groups that they wait for, and says which group gets the next turn; `look` reads a group and asks ECS about tasks;
//! `acknowledge` writes the records, then deletes or returns the messages; `retry` makes one call
//! with its attempts, rate limit and deadline. The decisions are made in `spotdrain-core`.

mod acknowledge;
mod cloud;
mod deadline;
mod engine;
mod invocation;
mod locate;
mod look;
mod receive;
mod retry;
mod run;
pub mod shares;
mod work;

pub use cloud::{Answer, CallError, CallErrorKind, Cloud, ListedTasks, ReceivedMessage, Services, Tasks};
pub use deadline::Deadline;
pub use engine::{Engine, Handled};
pub use locate::BELIEVED;
