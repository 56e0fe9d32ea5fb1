//! What the doctor writes: a diagnosis for programs and for code review, and the page of a check.

pub mod json;
pub mod page;
pub mod sarif;
