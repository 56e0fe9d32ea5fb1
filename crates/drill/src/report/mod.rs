//! What a run leaves behind: its figures, the marks of the interruption, and its timeline.

pub(crate) mod chart;
pub(crate) mod figures;
pub mod html;
pub(crate) mod page;
pub(crate) mod task_series;

use serde::Serialize;

use crate::report::figures::{Figures, Marks};
use crate::report::task_series::TaskSeries;
use crate::setup::scenario::Scenario;

/// The result of one run.
#[derive(Debug, Clone, Serialize)]
pub struct RunRecord {
    #[serde(rename = "way")]
    pub scenario: Scenario,
    #[serde(flatten)]
    pub figures: Figures,
    /// What happened to each interrupted task.
    pub interrupted: Vec<Marks>,
    /// The timeline, for the HTML page.
    #[serde(skip)]
    pub series: Vec<TaskSeries>,
    /// When the run ended.
    #[serde(skip)]
    pub end: f64,
}
