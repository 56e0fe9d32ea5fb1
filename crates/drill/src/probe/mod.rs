//! The probe: clients of any service, the marks and target states that are recorded meanwhile, and the delays that follow from
//! them.

pub mod estimate;
pub mod measured;
pub mod page;
pub mod record;
pub mod run;
