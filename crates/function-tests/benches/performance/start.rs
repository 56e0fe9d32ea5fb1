//! The time for one notice, with a cold start and warm.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use spotdrain_localaws::{LocalAws, Throttles};

use crate::environment::{Environment, Kind, Surroundings};
use crate::measure::median;
use crate::stage::{LATENCY, Stage};
use crate::{Result, progress};

const RUNS: u32 = 21;
const TIMEOUT: Duration = Duration::from_secs(30);
/// One service with a few tasks.
const STAGE: Stage = Stage { tasks: 5, groups: 1 };

/// The times for one notice, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Notice {
    /// Until DeregisterTargets was answered.
    deregistered: f64,
    /// Until the first call arrived.
    first_call: f64,
    /// The average time between the arrivals of two calls.
    each_call: f64,
    calls: usize,
}

/// The medians of several notices.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub deregistered: f64,
    pub first_call: f64,
    pub each_call: f64,
    pub calls: usize,
}

impl Figures {
    fn of(notices: &[Notice]) -> Self {
        let of = |figure: fn(&Notice) -> f64| median(notices.iter().map(figure).collect());
        Self {
            deregistered: of(|notice| notice.deregistered),
            first_call: of(|notice| notice.first_call),
            each_call: of(|notice| notice.each_call),
            calls: notices.last().map_or(0, |notice| notice.calls),
        }
    }
}

/// A case, and the same case with the article's function.
#[derive(Debug, Clone)]
pub struct Pair {
    pub case: &'static str,
    pub at_most: f64,
    pub ours: Figures,
    pub article: Figures,
}

impl Pair {
    pub fn ratio(&self) -> f64 {
        self.ours.deregistered / self.article.deregistered
    }
}

/// A local AWS over TLS, and the file with its certificate.
struct Aws {
    local: LocalAws,
    surroundings: Surroundings,
    next_task: u32,
}

impl Aws {
    fn start() -> Result<Self> {
        let local = LocalAws::spawn_thread_tls(STAGE.world(Throttles::Off)?)?;
        let trusted = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("performance-ca.pem");
        std::fs::write(&trusted, local.certificate_authority().ok_or("no certificate")?)?;
        let surroundings = Surroundings { endpoint: local.endpoint(), trusted: Some(trusted), settings: Vec::new() };
        Ok(Self { local, surroundings, next_task: STAGE.tasks })
    }

    /// The notice of another task, as EventBridge or the queue delivers it.
    fn payload(&mut self, kind: Kind) -> Result<Value> {
        let event = STAGE.notice(self.next_task)?;
        STAGE.add_task(&mut self.local.world(), self.next_task, self.local.now())?;
        self.next_task += 1;
        Ok(match kind {
            Kind::Article => serde_json::from_str(&event)?,
            Kind::Ours => json!({"Records": [{"messageId": "m", "body": event, "eventSource": "aws:sqs"}]}),
        })
    }

    /// Computes the times from the calls since `before`.
    fn measured_since(&self, before: Duration) -> Result<Notice> {
        let calls = self.local.calls();
        let at: Vec<_> = calls.iter().map(|call| milliseconds(call.at.saturating_sub(before))).collect();
        let (first, last) = (at.first().ok_or("no call was made")?, at.last().ok_or("no call was made")?);
        if calls.last().is_none_or(|call| call.action != "DeregisterTargets") {
            return Err("nothing was deregistered".into());
        }
        let each_call = (last - first) / (at.len() - 1).max(1) as f64;
        let deregistered = last + milliseconds(LATENCY);
        Ok(Notice { deregistered, first_call: *first, each_call, calls: at.len() })
    }

    /// Measures the time from exec to the deregistration.
    async fn cold(&mut self, kind: Kind, settings: &[(&'static str, String)]) -> Result<Notice> {
        let surroundings = Surroundings { settings: settings.to_vec(), ..self.surroundings.clone() };
        let mut environment = Environment::new(kind, surroundings).await?;
        let id = environment.enqueue(self.payload(kind)?, TIMEOUT).await?;
        self.local.world().clear_calls();
        let before = self.local.now();
        environment.start()?;
        environment.answer(&id, TIMEOUT).await?;
        self.measured_since(before)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Measures cold starts with a configured group and with discovery, alternating with the article's function.
pub async fn cold() -> Result<Vec<Pair>> {
    let mut aws = Aws::start()?;
    let configured =
        [("SPOTDRAIN_TARGET_GROUPS", format!("{}=80", Stage::group(0))), ("SPOTDRAIN_DISCOVER", "false".to_owned())];
    let (mut with_group, mut discovering, mut article) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=RUNS {
        progress(&format!("cold starts: {run} of {RUNS}"));
        let first = aws.cold(Kind::Ours, &configured).await?;
        let second = aws.cold(Kind::Ours, &[]).await?;
        let theirs = aws.cold(Kind::Article, &[]).await?;
        // The first run of each reads its program from disk.
        if run > 0 {
            with_group.push(first);
            discovering.push(second);
            article.push(theirs);
        }
    }
    let article = Figures::of(&article);
    let pair = |case, at_most, ours: &[Notice]| Pair { case, at_most, ours: Figures::of(ours), article };
    Ok(vec![
        pair("exec to deregistered, target group configured", 0.55, &with_group),
        pair("exec to deregistered, with discovery", 0.72, &discovering),
    ])
}

/// Measures notices to a function that has already handled one.
pub async fn warm() -> Result<Pair> {
    let mut aws = Aws::start()?;
    let mut environments = Vec::new();
    for kind in [Kind::Ours, Kind::Article] {
        // Rate limits must not affect the result.
        let settings = ["SPOTDRAIN_CALL_BURST", "SPOTDRAIN_CALLS_PER_SECOND"].map(|name| (name, "1000".to_owned()));
        let surroundings = Surroundings { settings: settings.to_vec(), ..aws.surroundings.clone() };
        let mut environment = Environment::new(kind, surroundings).await?;
        environment.start()?;
        environments.push((kind, environment, Vec::new()));
    }
    for run in 0..=RUNS {
        progress(&format!("warm notices: {run} of {RUNS}"));
        for (kind, environment, notices) in &mut environments {
            let payload = aws.payload(*kind)?;
            aws.local.world().clear_calls();
            let before = aws.local.now();
            let id = environment.enqueue(payload, TIMEOUT).await?;
            environment.answer(&id, TIMEOUT).await?;
            if run > 0 {
                notices.push(aws.measured_since(before)?);
            }
        }
    }
    let mut figures = environments.iter().map(|(_, _, notices)| Figures::of(notices));
    let (ours, article) = (figures.next().ok_or("no figures")?, figures.next().ok_or("no figures")?);
    Ok(Pair { case: "warm notice, discovery cached", at_most: 0.46, ours, article })
}
