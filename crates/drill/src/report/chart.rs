//! A timeline as SVG: rows of bars, the marks above them, and events across all rows. Pure.

use crate::report::html::escape;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 22.0;
const AXIS: f64 = 24.0;
/// The height of a row's bars, and of the marks above them if the row has any.
const BARS: f64 = 26.0;
const MARKS: f64 = 18.0;
const GAP: f64 = 5.0;
const BADGE: f64 = 14.0;
/// The possible distances between grid lines, in seconds. A chart uses the smallest one that gives at most [`GRID_LINES`] lines.
const GRID_STEPS: [f64; 7] = [5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 600.0];
const GRID_LINES: f64 = 10.0;

/// A timeline. Times are seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// The length of a bar.
    pub(crate) bin: f64,
    /// The rate that fills a row.
    pub(crate) max: f64,
    /// Events that concern all rows, with their times.
    pub(crate) events: Vec<(f64, String)>,
    pub(crate) rows: Vec<ChartRow>,
}

/// The connections of one task, target or service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChartRow {
    pub(crate) name: String,
    /// Whether the row shows an interrupted task or target.
    pub(crate) is_affected: bool,
    /// Served connections per second, for each bar.
    pub(crate) served: Vec<f64>,
    /// Lost connections per second, for each bar.
    pub(crate) lost: Vec<f64>,
    /// The marks, sorted by time.
    pub(crate) marks: Vec<Mark>,
}

/// A mark: a letter above a row, with a line at its time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) letter: char,
    pub(crate) at: f64,
    pub(crate) text: String,
}

impl Chart {
    pub(crate) fn draw(&self) -> String {
        let (mut y, mut rows) = (TOP, String::new());
        for row in &self.rows {
            y += if row.marks.is_empty() { 0.0 } else { MARKS };
            rows += &self.row(row, y);
            rows += &self.marks(row, y);
            y += BARS + GAP;
        }
        let (height, axis, title) = (y + AXIS, self.axis(y), escape(&self.title));
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n{axis}{rows}</svg>\n")
    }

    fn x(&self, time: f64) -> f64 {
        LEFT + (time - self.start) / (self.end - self.start) * (WIDTH - LEFT - 8.0)
    }

    fn axis(&self, bottom: f64) -> String {
        let is_wide_enough = |step: &f64| (self.end - self.start) / step <= GRID_LINES;
        let step = GRID_STEPS.into_iter().find(is_wide_enough).unwrap_or(3600.0);
        let (mut text, mut time) = (String::new(), 0.0);
        while time <= self.end {
            let (at, label) = (self.x(time), bottom + 14.0);
            text += &format!("<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
            text += &format!("<text class=\"axis\" x=\"{at:.1}\" y=\"{label}\">{time} s</text>\n");
            time += step;
        }
        for (time, label) in &self.events {
            let (at, label) = (self.x(*time), escape(label));
            text += &format!("<line class=\"event\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
            text += &format!("<text class=\"axis\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>\n", TOP - 8.0);
        }
        text
    }

    fn row(&self, row: &ChartRow, y: f64) -> String {
        let base = y + BARS;
        let (kind, name) = (if row.is_affected { "taken" } else { "other" }, escape(&row.name));
        let mut text =
            format!("<text class=\"name {kind}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>", LEFT - 8.0, base - 9.0);
        text +=
            &format!("<line class=\"base\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{base}\" y2=\"{base}\"/>\n", WIDTH - 8.0);
        let mut from = self.start;
        for (served, lost) in row.served.iter().zip(&row.lost) {
            let heights = [*served, *lost].map(|rate| (rate / self.max * BARS).min(BARS));
            text += &bars(self.x(from), self.x(from + self.bin), base, kind, heights);
            from += self.bin;
        }
        text + "\n"
    }

    /// A badge moves right if it would cover the previous one; its line stays at the exact time.
    fn marks(&self, row: &ChartRow, y: f64) -> String {
        let (mut text, mut free) = (String::new(), f64::MIN);
        for Mark { letter, at: time, text: what } in &row.marks {
            let at = self.x(*time);
            let badge = at.max(free).min(WIDTH - BADGE / 2.0);
            free = badge + BADGE + 1.0;
            let (middle, bottom, base) = (y - 10.0, y - 3.0, y + BARS);
            text += &format!(
                "<g class=\"mark {letter}\"><title>{}: {} at {time:.1} s</title>\
                 <polyline points=\"{badge:.1},{bottom:.1} {at:.1},{y:.1} {at:.1},{base:.1}\"/>\
                 <circle cx=\"{badge:.1}\" cy=\"{middle:.1}\" r=\"{:.1}\"/><text x=\"{badge:.1}\" y=\"{:.1}\">{letter}</text></g>\n",
                escape(&row.name),
                escape(what),
                BADGE / 2.0,
                middle + 3.5
            );
        }
        text
    }
}

/// Draws the lost connections on top of the served ones.
fn bars(left: f64, right: f64, base: f64, kind: &str, [served, lost]: [f64; 2]) -> String {
    let width = right - left - 1.0;
    let bar = |class: &str, top: f64, height: f64| {
        if height <= 0.0 {
            return String::new();
        }
        format!("<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>")
    };
    let lost = if lost > 0.0 { lost.max(3.0) } else { 0.0 };
    bar(kind, base - served, served) + &bar("lost", (base - served - lost).max(base - BARS), lost.min(BARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_loss_is_visible() {
        let drawn = bars(0.0, 10.0, 100.0, "taken", [26.0, 0.1]);
        assert!(drawn.contains("class=\"lost\" x=\"0.0\" y=\"74.0\" width=\"9.0\" height=\"3.0\""), "{drawn}");
        assert_eq!(bars(0.0, 10.0, 100.0, "taken", [0.0, 0.0]), "");
    }

    #[test]
    fn names_cannot_leave_their_place() {
        let mark = Mark { letter: 'L', at: 1.0, text: "<i>".to_owned() };
        let row = ChartRow {
            name: "<b>".to_owned(),
            is_affected: true,
            served: vec![1.0],
            lost: vec![0.0],
            marks: vec![mark],
        };
        let events = vec![(0.0, "<u>".to_owned())];
        let chart = Chart { title: "\"".to_owned(), start: 0.0, end: 2.0, bin: 1.0, max: 1.0, events, rows: vec![row] };
        let drawn = chart.draw();
        for tag in ["<b>", "<i>", "<u>", "\"\"\""] {
            assert!(!drawn.contains(tag), "{drawn}");
        }
    }
}
