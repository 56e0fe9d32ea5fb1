//! Draws the pictures of the README from what the commands print: the timelines from the figures of the drill, the doctor's from
//! its own text, and the drill's page as Chromium shows it.
//!
//! `cargo build -p spotdrain -p spotdrain-hold && cargo run -p spotdrain --example pictures`
//!
//! Needs HAProxy; without Chromium the screenshot is left as it is. With `doctor` behind `--` only that picture is drawn.

mod timeline;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use anstyle_svg::Term;
use serde_json::Value;
use timeline::{Row, Timeline};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// A template in which the doctor finds nothing, and what is made wrong in it for the picture.
const TEMPLATE: &str = include_str!("../../../doctor/tests/doctor/fixtures/example.yaml");
const FAULTS: [(&str, &str); 3] = [
    ("          StopTimeout: 120\n", ""),
    ("Key: deregistration_delay.timeout_seconds, Value: \"90\"", "Key: deregistration_delay.timeout_seconds, Value: \"300\""),
    ("          clusterArn: [!GetAtt Cluster.Arn]\n", "          clusterArn: [\"*\"]\n"),
];
const NLB_MODEL: &str = "spotdrain drill: 2 of 6 tasks interrupted, 200 connections a second. NLB model: last new connection 120 s after a \
                         deregistration, 40 s after a failed health check (users, 2022-23)";
const ALB_MODEL: &str = "spotdrain drill --load-balancer alb: 2 of 6 tasks interrupted, 200 connections a second. ALB model: last new \
                         connection 1 s after a deregistration or a failed health check";

fn main() -> Result<()> {
    doctor()?;
    if env::args().nth(1).as_deref() == Some("doctor") {
        return Ok(());
    }
    let page = env::temp_dir().join(format!("spotdrain-drill-{}.html", std::process::id()));
    let report = ["--report", page.to_str().context("the temporary directory is not Unicode")?];
    let nlb = rows(&drill(&report)?)?;
    let ignored = rows(&drill(&["--only", "function", "--draining-unhealthy", "not"])?)?;
    let ignored = ignored.into_iter().map(|row| row.noted("if an NLB ignores a draining target's health"));
    let mut all = nlb;
    all.splice(2..2, ignored);
    draw("timeline-nlb.svg", &Timeline { title: "Behind a Network Load Balancer", rows: &all, model: NLB_MODEL })?;
    let alb = rows(&drill(&["--load-balancer", "alb"])?)?;
    draw("timeline-alb.svg", &Timeline { title: "Behind an Application Load Balancer", rows: &alb, model: ALB_MODEL })?;
    screenshot(&page)?;
    fs::remove_file(&page)?;
    Ok(())
}

/// `spotdrain` with colours, as on a terminal.
fn spotdrain(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let program = env::current_exe()?.parent().and_then(Path::parent).map(|folder| folder.join("spotdrain"));
    let program = program.filter(|file| file.exists()).context("not built: cargo build -p spotdrain -p spotdrain-hold")?;
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
    write("doctor.svg", Term::new().render_svg(text.trim_end()).as_bytes())
}

fn drill(arguments: &[&str]) -> Result<Value> {
    let (code, text) = spotdrain(&[&["drill", "--json"], arguments].concat())?;
    ensure!(code == Some(0), "the drill failed");
    Ok(serde_json::from_str(&text)?)
}

fn rows(drill: &Value) -> Result<Vec<Row>> {
    let runs = drill["runs"].as_array().context("the drill has no runs")?;
    runs.iter().map(|run| Row::read(run).context("a run without its figures")).collect()
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

/// The drill's page at the size of its first two timelines.
fn screenshot(page: &Path) -> Result<()> {
    let file = PathBuf::from(ROOT).join("docs/drill.png");
    let shown = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--window-size=1040,1420"])
        .arg(format!("--screenshot={}", file.display()))
        .arg(format!("file://{}", page.display()))
        .output();
    match shown {
        Ok(output) if output.status.success() => writeln!(std::io::stdout(), "docs/drill.png")?,
        Ok(output) => writeln!(std::io::stdout(), "docs/drill.png is as it was: {}", String::from_utf8_lossy(&output.stderr))?,
        Err(error) => writeln!(std::io::stdout(), "docs/drill.png is as it was: chromium: {error}")?,
    }
    Ok(())
}
