//! From a change of a task to an invocation of the function: the event bus, the queue and Lambda.

pub mod event_bus;
pub mod events;
pub mod lambda;
pub mod queue;
