//! The work of one invocation, async but without a runtime. It reaches AWS, the clock and the log only through [`Cloud`], so the
//! laws that are tested in the simulated world (`tests/world`) hold for the code that ships.
//!
//! Start reading at [`Engine::handle`]. Its loop is in `run`: whenever an activity ends, the loop starts those that have become
//! possible.
//!
//! | module | what it does |
//! |---|---|
//! | `receive` | receives more messages than Lambda delivered |
//! | `locate` | describes the services of the notices, to find their target groups |
//! | `work` | holds the open notices and their groups, and says which group takes the next turn |
//! | `look` | reads a group, and asks ECS about tasks |
//! | `run` | grants turns, plans, writes, and ends notices |
//! | `acknowledge` | writes the records, then deletes or returns the messages |
//! | `retry` | makes one call with its attempts, rate limit and deadline |
//! | `shares` | divides the time of an invocation |
//!
//! The decisions are in `spotdrain-core`.

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
#[cfg(test)]
mod test_cloud;
mod work;

pub use cloud::{Answer, CallError, CallErrorKind, Cloud, ListedTasks, ReceivedMessage, Services, Tasks};
pub use deadline::Deadline;
pub use engine::{Engine, Handled};
pub use locate::CACHE_VALID;
