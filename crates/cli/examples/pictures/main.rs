//! Draws the pictures of the README from the output of the commands: the timelines from the drill's figures, the doctor's picture
//! from its text, and the drill's page with Chromium.
//!
//! `cargo build -p spotdrain -p spotdrain-hold && cargo run -p spotdrain --example pictures`
//!
//! Needs `haproxy`; without `chromium` the screenshot is left as it is. With `doctor`, `page`, `nlb` or `alb` behind `--` only that is drawn.

mod timeline;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anstyle::RgbColor;
use anstyle_svg::Term;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use timeline::{Row, Timeline};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// A template without findings, and the faults that are put into it for the picture.
const TEMPLATE: &str = include_str!("../../../doctor/tests/doctor/fixtures/example.yaml");
const FAULTS: [(&str, &str); 3] = [
    ("          StopTimeout: 120\n", ""),
    (
        "Key: deregistration_delay.timeout_seconds, Value: \"90\"",
        "Key: deregistration_delay.timeout_seconds, Value: \"300\"",
    ),
    ("          clusterArn: [!GetAtt Cluster.Arn]\n", "          clusterArn: [\"*\"]\n"),
];
/// Each repetition starts at another time between two health checks. The scenarios are those of the README's table.
const REPEAT: [&str; 4] = ["--repeat", "3", "--only", "nothing,function,hold,both"];
/// The width of a terminal, and the column where the texts of a finding begin.
const COLUMNS: usize = 112;
const INDENT: usize = 16;
const NLB_MODEL: &str = "spotdrain drill --repeat 3: 2 of 6 tasks interrupted, 200 connections a second. NLB model: last new connection 120 s after a \
                         deregistration, 40 s after a failed health check (users, 2022-23)";
const ALB_MODEL: &str = "spotdrain drill --repeat 3 --scale 4 --load-balancer alb: 2 of 6 tasks interrupted, 200 connections a second. ALB model: last new \
                         connection 1 s after a deregistration or a failed health check";

fn main() -> Result<()> {
    let only = env::args().nth(1);
    let draws = |what: &str| only.as_deref().is_none_or(|only| only == what);
    ensure!(["doctor", "page", "nlb", "alb"].into_iter().any(draws), "expected doctor, page, nlb or alb");
    if draws("doctor") {
        doctor()?;
    }
    if draws("page") {
        page()?;
    }
    if draws("nlb") {
        nlb()?;
    }
    if draws("alb") {
        alb()?;
    }
    Ok(())
}

fn nlb() -> Result<()> {
    let mut all = rows(&drill(&REPEAT)?)?;
    let ignored = rows(&drill(&[&REPEAT[..2], &["--only", "function", "--draining-unhealthy", "not"]].concat())?)?;
    let ignored = ignored.into_iter().map(|row| row.noted("if an NLB ignores a draining target's health"));
    all.splice(2..2, ignored);
    draw("timeline-nlb.svg", &Timeline { title: "Behind a Network Load Balancer", rows: &all, model: NLB_MODEL })
}

/// Slower than the NLB's: the function's own time is not scaled, and it is a part of an ALB's three seconds.
fn alb() -> Result<()> {
    let rows = rows(&drill(&[&REPEAT[..], &["--scale", "4", "--load-balancer", "alb"]].concat())?)?;
    draw("timeline-alb.svg", &Timeline { title: "Behind an Application Load Balancer", rows: &rows, model: ALB_MODEL })
}

/// `spotdrain` with colours, as on a terminal.
fn spotdrain(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let program = env::current_exe()?.parent().and_then(Path::parent).map(|folder| folder.join("spotdrain"));
    let program =
        program.filter(|file| file.exists()).context("not built: cargo build -p spotdrain -p spotdrain-hold")?;
    let mut command = Command::new(program);
    let output = command.args(arguments).env("CLICOLOR_FORCE", "1").stderr(std::process::Stdio::inherit()).output()?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

fn doctor() -> Result<()> {
    let mut template = TEMPLATE.to_owned();
    for (right, wrong) in FAULTS {
        ensure!(template.contains(right), "the template no longer has {right:?}");
        template = template.replace(right, wrong);
    }
    let folder = env::temp_dir().join(format!("spotdrain-doctor-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let file = folder.join("template.yaml");
    fs::write(&file, template)?;
    let name = file.to_str().context("the temporary directory is not Unicode")?;
    let (code, text) = spotdrain(&["doctor", "--template", name])?;
    fs::remove_dir_all(&folder)?;
    ensure!(code == Some(1), "the doctor should find errors: {text}");
    let text = format!("$ spotdrain doctor --template template.yaml\n\n{}", text.replace(name, "template.yaml"));
    let term = Term::new().fg_color(RgbColor(0x1a, 0x23, 0x30).into()).bg_color(RgbColor(0xf6, 0xf8, 0xfa).into());
    write("doctor.svg", term.render_svg(&wrapped(text.trim_end())).as_bytes())
}

/// Breaks lines that are wider than a terminal, after a space or a comma and below the third column of a finding. Escape sequences have no width.
fn wrapped(text: &str) -> String {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut parts = vec![String::new()];
        let mut width = 0;
        for word in line.split_inclusive([' ', ',']) {
            let visible = anstream::adapter::strip_str(word).to_string().chars().count();
            if width + visible > COLUMNS && width > INDENT {
                parts.push(" ".repeat(INDENT));
                width = INDENT;
            }
            width += visible;
            if let Some(part) = parts.last_mut() {
                part.push_str(word);
            }
        }
        all.extend(parts);
    }
    all.join("\n")
}

fn drill(arguments: &[&str]) -> Result<Value> {
    let (code, text) = spotdrain(&[&["drill", "--json"], arguments].concat())?;
    ensure!(code == Some(0), "the drill failed");
    Ok(serde_json::from_str(&text)?)
}

/// A row for each scenario, with all its repetitions.
fn rows(drill: &Value) -> Result<Vec<Row>> {
    let runs = drill["runs"].as_array().context("the drill has no runs")?;
    let mut rows: Vec<Row> = Vec::new();
    for run in runs {
        let row = Row::read(run).context("a run without its figures")?;
        match rows.iter_mut().find(|other| other.is_of_the_same_way(&row)) {
            Some(other) => other.add(&row),
            None => rows.push(row),
        }
    }
    Ok(rows)
}

fn draw(name: &str, timeline: &Timeline<'_>) -> Result<()> {
    write(name, timeline.svg().as_bytes())
}

fn write(name: &str, bytes: &[u8]) -> Result<()> {
    let file = PathBuf::from(ROOT).join("docs").join(name);
    fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    writeln!(std::io::stdout(), "docs/{name}")?;
    Ok(())
}

/// Draws the drill's page, at the size of a browser window.
fn page() -> Result<()> {
    let page = env::temp_dir().join(format!("spotdrain-drill-{}.html", std::process::id()));
    drill(&["--report", page.to_str().context("the temporary directory is not Unicode")?])?;
    let file = PathBuf::from(ROOT).join("docs/drill.png");
    let shown = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--window-size=1040,1420"])
        .arg(format!("--screenshot={}", file.display()))
        .arg(format!("file://{}", page.display()))
        .output();
    fs::remove_file(&page)?;
    match shown {
        Ok(output) if output.status.success() => writeln!(std::io::stdout(), "docs/drill.png")?,
        Ok(output) => {
            writeln!(std::io::stdout(), "docs/drill.png is as it was: {}", String::from_utf8_lossy(&output.stderr))?;
        }
        Err(error) => writeln!(std::io::stdout(), "docs/drill.png is as it was: chromium: {error}")?,
    }
    Ok(())
}
