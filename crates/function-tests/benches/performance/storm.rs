//! A storm: many tasks interrupted within seconds, under AWS's published limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use spotdrain_localaws::{Action, Fault, Invocation, LocalAws, Poller, Throttles};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::measure::{NOTICE, Plan, Receives, Storm};
use crate::sandbox::{Kind, Sandbox, Surroundings};
use crate::stage::{QUEUE, Stage, arn};
use crate::{Result, article, progress};

/// The function's timeout, as the template sets it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a poller that gets nothing looks whether the storm is over.
const LOOK: Duration = Duration::from_millis(500);

/// `MaximumConcurrency` of the event source mapping: AWS allows no less.
const SANDBOXES: usize = 2;

/// Lambda's default concurrency of an account and Region.
const ARTICLES_AT_ONCE: usize = 1000;

/// When Lambda tries a failed asynchronous event again.
const RETRIES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// The shortest and the longest receive of an uneven queue, beside the 10 ms of every answer.
const UNEVEN: (Duration, Duration) = (Duration::from_millis(0), Duration::from_millis(90));

type Noticed = BTreeMap<String, Duration>;

/// spotdrain: two sandboxes that are fed by the queue.
pub async fn ours(plan: Plan) -> Result<Storm> {
    let stage = Stage::of(plan);
    let mut world = stage.world(Throttles::Published)?;
    match plan.receives {
        Receives::Uneven => world.set_uneven_receives(UNEVEN.0, UNEVEN.1),
        Receives::Every(time) => world.add_fault(Fault::Slow(time).on(Action::ReceiveMessage)),
    }
    let local = Arc::new(LocalAws::spawn_thread(world)?);
    let is_over = Arc::new(AtomicBool::new(false));
    let began = local.now();
    let mut pollers = JoinSet::new();
    for _ in 0..SANDBOXES {
        pollers.spawn(poll(Arc::clone(&local), Arc::clone(&is_over), Vec::new()));
    }
    let noticed = send(&local, plan).await?;
    watch(&local, plan, began).await;
    is_over.store(true, Ordering::Relaxed);
    if let Ok(path) = std::env::var("DEBUG_CALLS") {
        let text = local.calls().iter().fold(String::new(), |text, call| text + &format!("{call:?}\n"));
        std::fs::write(path, text)?;
    }
    let mut peak: f64 = 0.0;
    while let Some(sandbox) = pollers.join_next().await {
        peak = peak.max(sandbox??);
    }
    Ok(Storm { peak_megabytes: peak, ..Storm::of(plan, &local.calls(), &noticed, began) })
}

/// Interrupts the tasks one after the other; when the notice of each came.
async fn send(local: &LocalAws, plan: Plan) -> Result<Noticed> {
    let stage = Stage::of(plan);
    let mut noticed = Noticed::new();
    let start = Instant::now();
    for number in 0..stage.tasks {
        sleep_until(start + plan.within.mul_f64(f64::from(number) / f64::from(stage.tasks))).await;
        let (now, notice) = (local.now(), stage.notice(number)?);
        let mut world = local.world();
        world.interrupt(&arn(number), now)?;
        world.send(QUEUE, &notice, now)?;
        noticed.insert(Stage::address(number), now);
    }
    Ok(noticed)
}

/// Waits until all targets have left or their notices are over.
async fn watch(local: &LocalAws, plan: Plan, began: Duration) {
    loop {
        let calls = local.calls();
        let left: usize =
            calls.iter().filter(|call| call.action == "DeregisterTargets").map(|call| call.targets.len()).sum();
        let time = local.now().saturating_sub(began);
        let counts = local.world().message_counts(QUEUE, local.now());
        let in_flight = counts.visible + counts.in_flight;
        progress(&format!(
            "{}: {:>5.1} s, {left} of {} deregistered, {in_flight} messages",
            plan.name(),
            time.as_secs_f64(),
            plan.tasks
        ));
        if time > NOTICE + plan.within || (time > plan.within && in_flight == 0) {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Lambda's event source mapping and one sandbox: its peak of memory in megabytes.
async fn poll(local: Arc<LocalAws>, is_over: Arc<AtomicBool>, settings: Vec<(&'static str, String)>) -> Result<f64> {
    let surroundings = Surroundings { endpoint: local.endpoint(), settings, ..Surroundings::default() };
    let mut sandbox = Sandbox::new(Kind::Ours, surroundings).await?;
    let (mut is_started, poller) = (false, Poller::new(QUEUE));
    while !is_over.load(Ordering::Relaxed) {
        let Ok(batch) = tokio::time::timeout(LOOK, local.next_batch(&poller)).await else { continue };
        let batch = batch?;
        let id = sandbox.enqueue(serde_json::from_str(&batch.event()?)?, TIMEOUT).await?;
        if !is_started {
            sandbox.start()?;
            is_started = true;
        }
        let answer = sandbox.answer(&id, TIMEOUT).await.map(|answer| answer.to_string());
        let invocation = answer.as_ref().map_or(Invocation::Failed, |text| Invocation::Answered(text.as_bytes()));
        if let Some(failure) = batch.settle(&mut local.world(), invocation).failure {
            return Err(failure.into());
        }
    }
    if is_started { sandbox.peak_megabytes() } else { Ok(0.0) }
}

/// The article's way, of all these storms side by side: each has an AWS of its own.
pub async fn articles(storms: Vec<Plan>) -> Result<Vec<Storm>> {
    let mut running = JoinSet::new();
    for plan in storms {
        running.spawn(article(plan));
    }
    let mut done = Vec::new();
    let start = Instant::now();
    while !running.is_empty() {
        progress(&format!("the article's way, retries after 60 and 120 s: {:.0} s", start.elapsed().as_secs_f64()));
        if let Ok(Some(storm)) = tokio::time::timeout(Duration::from_secs(1), running.join_next()).await {
            done.push(storm??);
        }
    }
    done.sort_by_key(|storm| storm.plan.tasks);
    Ok(done)
}

async fn article(plan: Plan) -> Result<Storm> {
    let stage = Stage::of(plan);
    let local = LocalAws::spawn_thread(stage.world(Throttles::Published)?)?;
    let (config, at_once) = (article::configuration(&local.endpoint()), Arc::new(Semaphore::new(ARTICLES_AT_ONCE)));
    let (mut noticed, mut events) = (Noticed::new(), JoinSet::new());
    let (start, began) = (Instant::now(), local.now());
    for number in 0..stage.tasks {
        sleep_until(start + plan.within.mul_f64(f64::from(number) / f64::from(stage.tasks))).await;
        let event: Value = serde_json::from_str(&stage.notice(number)?)?;
        noticed.insert(Stage::address(number), local.now());
        events.spawn(tried(config.clone(), event, Arc::clone(&at_once)));
    }
    events.join_all().await;
    Ok(Storm::of(plan, &local.calls(), &noticed, began))
}

/// One asynchronous event, with Lambda's retries.
async fn tried(config: aws_config::SdkConfig, event: Value, at_once: Arc<Semaphore>) {
    for rest in [Duration::ZERO].into_iter().chain(RETRIES) {
        sleep(rest).await;
        let Ok(_permit) = at_once.acquire().await else { return };
        if article::handle(&config, &event).await.is_ok() {
            return;
        }
    }
}

/// One notice to a function with this many configured target groups, in the last of which its task is.
pub async fn searched(groups: u32) -> Result<Storm> {
    let plan = Plan::new(1, groups, 0);
    let stage = Stage::of(plan);
    let local = Arc::new(LocalAws::spawn_thread(stage.world(Throttles::Published)?)?);
    let named: Vec<_> = (0..groups).rev().map(Stage::group).collect();
    let settings = vec![("SPOTDRAIN_TARGET_GROUPS", named.join(",")), ("SPOTDRAIN_DISCOVER", "false".to_owned())];
    let is_over = Arc::new(AtomicBool::new(false));
    let began = local.now();
    let poller = tokio::spawn(poll(Arc::clone(&local), Arc::clone(&is_over), settings));
    let noticed = send(&local, plan).await?;
    watch(&local, plan, began).await;
    is_over.store(true, Ordering::Relaxed);
    let peak_megabytes = poller.await??;
    Ok(Storm { peak_megabytes, ..Storm::of(plan, &local.calls(), &noticed, began) })
}
