//! What a run leaves behind: its figures, marks, and the lanes of its timeline.

use serde::Serialize;

use crate::figures::{Figures, Marks};
use crate::lanes::Lane;
use crate::way::Way;

/// A run that is over.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Which way.
    pub way: Way,
    /// What was lost.
    #[serde(flatten)]
    pub figures: Figures,
    /// What happened to the tasks that were interrupted.
    pub interrupted: Vec<Marks>,
    /// The timeline, for the report.
    #[serde(skip)]
    pub lanes: Vec<Lane>,
    /// When it ended.
    #[serde(skip)]
    pub end: f64,
}
