//! The timeline of a run as SVG: a row per task, a bar per two seconds, and the marks of the interruption.

use crate::report::RunRecord;
use crate::report::figures::Marks;
use crate::report::task_series::{BIN, TaskSeries};
use crate::setup::plan::{BEFORE, GONE};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 22.0;
const AXIS: f64 = 24.0;
/// The height of a row's bars, and of the marks above them if the row has any.
const BARS: f64 = 26.0;
const MARKS: f64 = 18.0;
const GAP: f64 = 5.0;
const BADGE: f64 = 14.0;

/// Draws a run. `max` is the rate that fills a row.
pub(crate) fn chart(record: &RunRecord, max: f64) -> String {
    let (mut y, mut lanes) = (TOP, String::new());
    for series in &record.series {
        let marks = record.interrupted.iter().find(|marks| marks.task == series.task);
        y += marks.map_or(0.0, |_| MARKS);
        lanes += &of_lane(record, series, y, max);
        lanes += &marks.map(|marks| of_marks(record, marks, y)).unwrap_or_default();
        y += BARS + GAP;
    }
    let (height, axis) = (y + AXIS, axis(record, y));
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n{axis}{lanes}</svg>\n",
        record.scenario.title()
    )
}

fn x(record: &RunRecord, time: f64) -> f64 {
    LEFT + (time + BEFORE) / (record.end + BEFORE) * (WIDTH - LEFT - 8.0)
}

fn axis(record: &RunRecord, bottom: f64) -> String {
    let mut text = String::new();
    let mut time = 0.0;
    while time <= record.end {
        let (at, label) = (x(record, time), bottom + 14.0);
        text += &format!("<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
        text += &format!("<text class=\"axis\" x=\"{at:.1}\" y=\"{label}\">{time} s</text>\n");
        time += 20.0;
    }
    for (time, label) in [(0.0, "notice"), (GONE, "task gone")] {
        let at = x(record, time);
        text += &format!("<line class=\"event\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
        text += &format!("<text class=\"axis\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>\n", TOP - 8.0);
    }
    text
}

fn of_lane(record: &RunRecord, series: &TaskSeries, y: f64, max: f64) -> String {
    let base = y + BARS;
    let kind = if series.is_interrupted { "taken" } else { "other" };
    let mut text =
        format!("<text class=\"name {kind}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", LEFT - 8.0, base - 9.0, series.task);
    text += &format!("<line class=\"base\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{base}\" y2=\"{base}\"/>\n", WIDTH - 8.0);
    let mut from = -BEFORE;
    for (served, lost) in series.served.iter().zip(&series.lost) {
        let heights = [*served, *lost].map(|rate| (rate / max * BARS).min(BARS));
        text += &bars(x(record, from), x(record, from + BIN), base, kind, heights);
        from += BIN;
    }
    text + "\n"
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

/// The marks in order of time: letter, time, description.
pub(crate) fn letters(marks: &Marks) -> Vec<(char, f64, String)> {
    let reason = marks.sigterm_reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    let all = [
        ('T', marks.sigterm, format!("SIGTERM reached the application{reason}")),
        ('D', marks.deregistered, "deregistered".to_owned()),
        ('U', marks.unhealthy, "marked unhealthy".to_owned()),
        ('L', marks.last_new, "last new connection".to_owned()),
        ('K', marks.killed, "SIGKILL".to_owned()),
    ];
    let mut known: Vec<_> = all.into_iter().filter_map(|(letter, at, what)| Some((letter, at?, what))).collect();
    known.sort_by(|one, other| one.1.total_cmp(&other.1));
    known
}

/// A badge moves right if it would cover the previous one; its line stays at the exact time.
fn of_marks(record: &RunRecord, marks: &Marks, y: f64) -> String {
    let (mut text, mut free) = (String::new(), f64::MIN);
    for (letter, time, what) in letters(marks) {
        let at = x(record, time);
        let badge = at.max(free).min(WIDTH - BADGE / 2.0);
        free = badge + BADGE + 1.0;
        let (middle, bottom, base) = (y - 10.0, y - 3.0, y + BARS);
        text += &format!(
            "<g class=\"mark {letter}\"><title>{}: {what} at {time:.1} s</title>\
             <polyline points=\"{badge:.1},{bottom:.1} {at:.1},{y:.1} {at:.1},{base:.1}\"/>\
             <circle cx=\"{badge:.1}\" cy=\"{middle:.1}\" r=\"{:.1}\"/><text x=\"{badge:.1}\" y=\"{:.1}\">{letter}</text></g>\n",
            marks.task,
            BADGE / 2.0,
            middle + 3.5
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_in_order_of_time() {
        let marks = Marks { sigterm: Some(75.0), deregistered: Some(1.5), last_new: Some(60.0), ..Marks::default() };
        let order: String = letters(&marks).into_iter().map(|(letter, ..)| letter).collect();
        assert_eq!(order, "DLT");
    }

    #[test]
    fn the_smallest_loss_is_visible() {
        let drawn = bars(0.0, 10.0, 100.0, "taken", [26.0, 0.1]);
        assert!(drawn.contains("class=\"lost\" x=\"0.0\" y=\"74.0\" width=\"9.0\" height=\"3.0\""), "{drawn}");
        assert_eq!(bars(0.0, 10.0, 100.0, "taken", [0.0, 0.0]), "");
    }
}
