//! A plot of deregistered targets over time for each storm: ours, the article's, and the end of the notices.

use std::fmt::Write as _;

use crate::measure::Storm;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 46.0;
const GAP_X: f64 = 84.0;
const GAP_Y: f64 = 84.0;
const SECONDS: f64 = 125.0;

/// A panel for each storm, two side by side.
pub fn plot(storms: &[Storm], articles: &[Storm]) -> String {
    let rows = storms.len().div_ceil(2) as f64;
    let (width, height) = (LEFT + 2.0 * (WIDTH + GAP_X) - 40.0, TOP + rows * (HEIGHT + GAP_Y) + 4.0);
    let mut text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='system-ui, sans-serif' font-size='12'>\n\
         <title>Targets deregistered over time in storms of interruptions</title>\n\
         <style>text{{fill:#24292f}} .axis{{stroke:#8c959f}} .grid{{stroke:#d0d7de}} .note{{fill:#57606a}}\
         .ours{{stroke:#0969da;fill:none;stroke-width:2.5}} .article{{stroke:#bc4c00;fill:none;stroke-width:2.5;stroke-dasharray:5 3}}\
         .end{{stroke:#cf222e;stroke-dasharray:2 3}} .bg{{fill:#ffffff}}</style>\n\
         <rect class='bg' width='100%' height='100%'/>\n"
    );
    for (index, storm) in storms.iter().enumerate() {
        let (x, y) = (LEFT + (index % 2) as f64 * (WIDTH + GAP_X), TOP + (index / 2) as f64 * (HEIGHT + GAP_Y));
        panel(&mut text, x, y, storm, articles.iter().find(|article| article.plan == storm.plan));
    }
    text.push_str("</svg>\n");
    text
}

fn panel(text: &mut String, x: f64, y: f64, ours: &Storm, article: Option<&Storm>) {
    let most = f64::from(ours.plan.tasks);
    let (at, up) = (|seconds: f64| x + seconds / SECONDS * WIDTH, |count: f64| y + HEIGHT - count / most * HEIGHT);
    _ = writeln!(
        text,
        "<text x='{x}' y='{}' font-weight='600'>{} tasks in {} target groups</text>",
        y - 14.0,
        ours.plan.tasks,
        ours.plan.groups
    );
    for quarter in 0..=4 {
        let (count, line) = (most * f64::from(quarter) / 4.0, up(most * f64::from(quarter) / 4.0));
        _ = writeln!(text, "<line class='grid' x1='{x}' x2='{}' y1='{line:.1}' y2='{line:.1}'/>", x + WIDTH);
        _ = writeln!(
            text,
            "<text class='note' x='{}' y='{:.1}' text-anchor='end'>{count:.0}</text>",
            x - 6.0,
            line + 4.0
        );
    }
    for seconds in (0..=120).step_by(20) {
        let line = at(f64::from(seconds));
        _ = writeln!(
            text,
            "<text class='note' x='{line:.1}' y='{}' text-anchor='middle'>{seconds} s</text>",
            y + HEIGHT + 18.0
        );
    }
    let end = at(120.0);
    _ = writeln!(text, "<line class='end' x1='{end:.1}' x2='{end:.1}' y1='{y}' y2='{}'/>", y + HEIGHT);
    _ = writeln!(
        text,
        "<text class='note' x='{:.1}' y='{}' text-anchor='end'>the notices end</text>",
        end - 5.0,
        y - 4.0
    );
    _ = writeln!(text, "<line class='axis' x1='{x}' x2='{}' y1='{1}' y2='{1}'/>", x + WIDTH, y + HEIGHT);
    let name = |text: &mut String, storm: &Storm, what: &str, line: f64| {
        let count = storm.in_time();
        _ = writeln!(text, "<text x='{:.1}' y='{line:.1}' text-anchor='end'>{what}: {count}</text>", end - 5.0);
    };
    if let Some(article) = article {
        curve(text, "article", article, at, up);
        name(text, article, "the article's", up(article.in_time() as f64) - 8.0);
    }
    curve(text, "ours", ours, at, up);
    name(text, ours, "spotdrain", y + HEIGHT * 0.34);
}

/// Draws the number of deregistered targets over time.
fn curve(text: &mut String, class: &str, storm: &Storm, at: impl Fn(f64) -> f64, up: impl Fn(f64) -> f64) {
    let mut moments: Vec<f64> =
        storm.left.iter().map(|(_, since)| since.as_secs_f64()).filter(|s| *s <= SECONDS).collect();
    moments.sort_by(f64::total_cmp);
    let mut path = format!("M{:.1} {:.1}", at(0.0), up(0.0));
    let mut last = -1.0;
    for (count, moment) in moments.iter().enumerate() {
        let is_same = (at(*moment) - last).abs() < 0.3 && count + 1 < moments.len();
        if !is_same {
            _ = write!(path, "H{:.1}V{:.1}", at(*moment), up(count as f64 + 1.0));
            last = at(*moment);
        }
    }
    _ = write!(path, "H{:.1}", at(SECONDS));
    _ = writeln!(text, "<path class='{class}' d='{path}'/>");
}
