//! The doctor: what will lose connections, before it does.
//!
//! [`estate`] is what is looked at, in which every value is known, absent or not known ([`fact`]). [`checks`] judge it, one
//! family a file; [`examine`] makes them all and keeps apart what was found and what could not be checked; [`forecast`]
//! says until when each service gets new connections, and what would change that; [`accepted`] are the findings that
//! somebody has decided to live with. [`record`] and [`sarif`] tell it to programs.

pub mod accepted;
pub mod check;
pub mod checks;
pub mod delivery;
pub mod diagnosis;
pub mod estate;
mod examine;
pub mod fact;
pub mod forecast;
pub mod group;
mod hold;
pub mod record;
pub mod rights;
pub mod sarif;
pub mod service;
pub mod site;
mod spread;

pub use check::{Check, Severity};
pub use checks::{CHECKS, check};
pub use diagnosis::Diagnosis;
pub use examine::examine;
