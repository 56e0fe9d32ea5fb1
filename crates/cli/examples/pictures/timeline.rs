//! The two minutes of an interruption as SVG, with a row for each scenario. It has attributes instead of a style sheet, because not
//! every viewer supports style sheets.

#![allow(clippy::cast_precision_loss, reason = "lengths of texts and numbers of rows")]

use serde_json::Value;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 280.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
const ROW: f64 = 58.0;
const BAR: f64 = 22.0;
/// Seconds at the right end of the axis.
const END: f64 = 130.0;
const FONT: &str = "'DejaVu Sans', Verdana, 'Liberation Sans', Arial, sans-serif";
const TEXT: &str = "#1a2330";
const QUIET: &str = "#5b6675";
const LOST: &str = "#d1242f";
const SERVED: &str = "#1a7f37";

/// The runs of one scenario.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    way: &'static str,
    note: Option<&'static str>,
    opened: f64,
    lost: f64,
    /// Seconds from the notice to the last new connection to an interrupted task, in any run.
    last_new: f64,
    /// Seconds from the notice until the application got SIGTERM, in the earliest run.
    passed_on: f64,
}

pub(crate) struct Timeline<'a> {
    pub(crate) title: &'a str,
    pub(crate) rows: &'a [Row],
    /// The assumptions about AWS.
    pub(crate) model: &'a str,
}

impl Row {
    pub(crate) fn read(run: &Value) -> Option<Self> {
        let way = match run["way"].as_str()? {
            "nothing" => "nothing",
            "function" => "function",
            "hold" => "hold",
            "sleep" => "shell that sleeps 110 s",
            _ => "function and hold",
        };
        let number = |name: &str| run[name].as_f64();
        let tasks = run["interrupted"].as_array()?;
        let passed_on = tasks.iter().filter_map(|task| task["told"].as_f64()).fold(f64::MAX, f64::min);
        let lost = number("refused")? + number("reset")? + number("cut")?;
        Some(Self { way, note: None, opened: number("opened")?, lost, last_new: number("last_new")?, passed_on })
    }

    pub(crate) fn is_of_the_same_way(&self, other: &Self) -> bool {
        self.way == other.way
    }

    /// Adds another run.
    pub(crate) fn add(&mut self, other: &Self) {
        self.opened += other.opened;
        self.lost += other.lost;
        self.last_new = self.last_new.max(other.last_new);
        self.passed_on = self.passed_on.min(other.passed_on);
    }

    /// Adds a line of explanation.
    pub(crate) fn noted(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    fn lost_percent(&self) -> String {
        if self.lost == 0.0 { "0 % lost".to_owned() } else { format!("{:.1} % lost", self.lost / self.opened * 100.0) }
    }

    /// The bar from the notice to the last new connection: the application still serves, or has closed its port.
    fn svg(&self, y: f64) -> String {
        let serves = self.passed_on >= self.last_new;
        let (colour, word) = if serves { (SERVED, "served") } else { (LOST, "refused") };
        let (from, to) = (x(0.0), x(self.last_new.min(END)));
        let label = format!("new connections {word} until {:.0} s", self.last_new);
        // At most 6.9 px a character. A label that does not fit into its bar stands behind it, or below where a mark may follow.
        let fits = label.chars().count() as f64 * 6.9 + 16.0 < to - from;
        let (at, middle, fill) = match (fits, serves) {
            (true, _) => (from + 8.0, y + BAR - 6.0, "#ffffff"),
            (false, false) => (to + 8.0, y + BAR - 6.0, colour),
            (false, true) => (from, y + BAR + 14.0, colour),
        };
        let mut text = heading(self.way, y + 10.0, TEXT, true);
        text += &heading(&self.lost_percent(), y + 27.0, if self.lost == 0.0 { SERVED } else { LOST }, false);
        if let Some(note) = self.note {
            text += &heading(note, y + 42.0, QUIET, false).replace("font-size=\"13\"", "font-size=\"10\"");
        }
        text += &format!(
            "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\" fill=\"{colour}\"/>\n",
            to - from
        );
        text += &format!("<text x=\"{at:.1}\" y=\"{middle:.1}\" font-size=\"12\" fill=\"{fill}\">{label}</text>\n");
        if serves && self.passed_on > 0.0 && self.passed_on < END {
            text += &sigterm_mark(self.passed_on, y);
        }
        text
    }
}

/// The time at which the hold passes SIGTERM on.
fn sigterm_mark(passed_on: f64, y: f64) -> String {
    let (at, top, bottom, label, middle) = (x(passed_on), y - 2.0, y + BAR + 2.0, x(passed_on) + 7.0, y + BAR - 6.0);
    format!(
        "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" stroke=\"{TEXT}\" stroke-width=\"2\"/>\n\
         <text x=\"{label:.1}\" y=\"{middle:.1}\" font-size=\"11\" fill=\"{QUIET}\">SIGTERM passed on at {passed_on:.0} s</text>\n"
    )
}

fn heading(text: &str, y: f64, fill: &str, is_bold: bool) -> String {
    let weight = if is_bold { " font-weight=\"bold\"" } else { "" };
    format!("<text x=\"24\" y=\"{y:.1}\" font-size=\"13\" fill=\"{fill}\"{weight}>{text}</text>\n")
}

fn x(seconds: f64) -> f64 {
    LEFT + seconds / END * (WIDTH - LEFT - RIGHT)
}

impl Timeline<'_> {
    pub(crate) fn svg(&self) -> String {
        let bottom = TOP + self.rows.len() as f64 * ROW;
        let (lines, height) = (wrapped(self.model, 125), bottom + 56.0);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"{FONT}\" role=\"img\" aria-label=\"{}: {}\">\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#c5ccd6\"/>\n\
             <text x=\"24\" y=\"32\" font-size=\"16\" font-weight=\"bold\" fill=\"{TEXT}\">{}: the two minutes of an interruption</text>\n",
            self.title,
            self.passed_on(),
            self.title
        );
        text += &axis(bottom);
        for (row, index) in self.rows.iter().zip(0_u8..) {
            text += &row.svg(TOP + f64::from(index) * ROW);
        }
        for (line, index) in lines.iter().zip(0_u8..) {
            let y = bottom + 22.0 + f64::from(index) * 16.0;
            text += &format!("<text x=\"24\" y=\"{y:.1}\" font-size=\"11\" fill=\"{QUIET}\">{line}</text>\n");
        }
        text + "</svg>\n"
    }

    fn passed_on(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("{} {}", row.way, row.lost_percent()));
        rows.collect::<Vec<_>>().join(", ")
    }
}

fn axis(bottom: f64) -> String {
    let mut text = String::new();
    for (seconds, label) in
        [(0.0, "0 s: notice"), (30.0, "30 s"), (60.0, "60 s"), (90.0, "90 s"), (120.0, "120 s: task gone")]
    {
        let at = x(seconds);
        text += &format!("<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"66\" y2=\"{bottom:.1}\" stroke=\"#d8dee4\"/>\n");
        text += &format!(
            "<text x=\"{at:.1}\" y=\"58\" font-size=\"11\" fill=\"{QUIET}\" text-anchor=\"middle\">{label}</text>\n"
        );
    }
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < width => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
