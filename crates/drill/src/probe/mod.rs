//! The probe: clients against any service, what else was seen meanwhile, and what follows from it.

pub mod estimate;
pub mod measured;
pub mod page;
pub mod record;
pub mod run;
