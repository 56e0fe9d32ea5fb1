//! One notice: from a cold start, and warm.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use spotdrain_localaws::{LocalAws, Throttles};

use crate::measure::median;
use crate::sandbox::{Kind, Sandbox, Surroundings};
use crate::stage::{LATENCY, Stage};
use crate::{Result, progress};

const RUNS: u32 = 21;
const TIMEOUT: Duration = Duration::from_secs(30);
/// One service of a few tasks, as most are.
const STAGE: Stage = Stage { tasks: 5, groups: 1 };

/// A case beside the article's way of the same, in milliseconds.
#[derive(Debug, Clone)]
pub struct Pair {
    pub case: &'static str,
    pub at_most: f64,
    pub ours: f64,
    pub article: f64,
    pub calls: usize,
}

impl Pair {
    pub fn ratio(&self) -> f64 {
        self.ours / self.article
    }
}

/// A local AWS over TLS, and the file of its certificate.
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

    /// The notice of a further task, as EventBridge or the queue delivers it.
    fn payload(&mut self, kind: Kind) -> Result<Value> {
        let event = STAGE.notice(self.next_task)?;
        STAGE.add_task(&mut self.local.world(), self.next_task, self.local.now())?;
        self.next_task += 1;
        Ok(match kind {
            Kind::Article => serde_json::from_str(&event)?,
            Kind::Ours => json!({"Records": [{"messageId": "m", "body": event, "eventSource": "aws:sqs"}]}),
        })
    }

    /// When the last DeregisterTargets was answered, since the world's start.
    fn deregistered_at(&self) -> Result<Duration> {
        let calls = self.local.calls();
        let last = calls.iter().rev().find(|call| call.action == "DeregisterTargets");
        Ok(last.ok_or("nothing was deregistered")?.at + LATENCY)
    }

    /// From exec to deregistered, in milliseconds, and how many calls it took.
    async fn cold(&mut self, kind: Kind, settings: &[(&'static str, String)]) -> Result<(f64, usize)> {
        let surroundings = Surroundings { settings: settings.to_vec(), ..self.surroundings.clone() };
        let mut sandbox = Sandbox::new(kind, surroundings).await?;
        let id = sandbox.enqueue(self.payload(kind)?, TIMEOUT).await?;
        self.local.world().clear_calls();
        let before = self.local.now();
        sandbox.start()?;
        sandbox.answer(&id, TIMEOUT).await?;
        if std::env::var_os("CALLS").is_some() {
            eprintln!(
                "{kind:?} {:?}",
                self.local.calls().iter().map(|c| (c.action.clone(), milliseconds(c.at - before))).collect::<Vec<_>>()
            );
        }
        Ok((milliseconds(self.deregistered_at()? - before), self.local.calls().len()))
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Cold starts with the group configured and with discovery, each in turn with the article's way.
pub async fn cold() -> Result<Vec<Pair>> {
    let mut aws = Aws::start()?;
    let configured =
        [("SPOTDRAIN_TARGET_GROUPS", format!("{}=80", Stage::group(0))), ("SPOTDRAIN_DISCOVER", "false".to_owned())];
    let (mut with_group, mut discovering, mut article) = (Vec::new(), Vec::new(), Vec::new());
    let mut calls = [0, 0];
    for run in 0..=RUNS {
        progress(&format!("cold starts: {run} of {RUNS}"));
        let (first, first_calls) = aws.cold(Kind::Ours, &configured).await?;
        let (second, second_calls) = aws.cold(Kind::Ours, &[]).await?;
        let (theirs, _) = aws.cold(Kind::Article, &[]).await?;
        // The first of each reads its program from the disk.
        if run > 0 {
            with_group.push(first);
            discovering.push(second);
            article.push(theirs);
            calls = [first_calls, second_calls];
        }
    }
    let article = median(article);
    let pair = |case, at_most, ours, calls| Pair { case, at_most, ours: median(ours), article, calls };
    Ok(vec![
        pair("exec to deregistered, target group configured", 0.55, with_group, calls[0]),
        pair("exec to deregistered, with discovery", 0.72, discovering, calls[1]),
    ])
}

/// Notices to a function that has handled one before.
pub async fn warm() -> Result<Pair> {
    let mut aws = Aws::start()?;
    let mut sandboxes = Vec::new();
    for kind in [Kind::Ours, Kind::Article] {
        // The pace is not the subject here.
        let settings = ["SPOTDRAIN_CALL_BURST", "SPOTDRAIN_CALLS_PER_SECOND"].map(|name| (name, "1000".to_owned()));
        let surroundings = Surroundings { settings: settings.to_vec(), ..aws.surroundings.clone() };
        let mut sandbox = Sandbox::new(kind, surroundings).await?;
        sandbox.start()?;
        sandboxes.push((kind, sandbox, Vec::new()));
    }
    let mut calls = 0;
    for run in 0..=RUNS {
        progress(&format!("warm notices: {run} of {RUNS}"));
        for (kind, sandbox, figures) in &mut sandboxes {
            let payload = aws.payload(*kind)?;
            aws.local.world().clear_calls();
            let before = aws.local.now();
            let id = sandbox.enqueue(payload, TIMEOUT).await?;
            sandbox.answer(&id, TIMEOUT).await?;
            if std::env::var_os("CALLS").is_some() {
                eprintln!(
                    "{kind:?} {:?} end {:?}",
                    aws.local
                        .calls()
                        .iter()
                        .map(|c| (c.action.clone(), milliseconds(c.at - before)))
                        .collect::<Vec<_>>(),
                    milliseconds(aws.local.now() - before)
                );
            }
            if run > 0 {
                figures.push(milliseconds(aws.deregistered_at()? - before));
                calls = if *kind == Kind::Ours { aws.local.calls().len() } else { calls };
            }
        }
    }
    let mut medians = sandboxes.into_iter().map(|(_, _, figures)| median(figures));
    let (ours, article) = (medians.next().unwrap_or(f64::NAN), medians.next().unwrap_or(f64::NAN));
    Ok(Pair { case: "warm notice, discovery cached", at_most: 0.46, ours, article, calls })
}
