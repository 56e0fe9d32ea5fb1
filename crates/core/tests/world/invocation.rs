//! One invocation, as `crates/drain` makes it (`drainer.rs`, `observe.rs`, `services.rs`, `tasks.rs`, `call.rs`): what is
//! decided is the core's, and what waits and retries is modelled here one to one.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;

use jiff::SignedDuration;
use spotdrain_core::arn::{ClusterArn, TargetGroupArn, TaskArn};
use spotdrain_core::batch::take_apart;
use spotdrain_core::candidates::{candidates, is_missed, service_key};
use spotdrain_core::finding::{Findings, GroupFinding, ServiceFinding, ServiceKey, ServiceTag, TaskFinding};
use spotdrain_core::notice::Notice;
use spotdrain_core::plan::plan;
use spotdrain_core::reading::read;
use spotdrain_core::report::report;
use spotdrain_core::settings::Settings;

use super::api::Refusal;
use super::bounds::FUNCTION_TIMEOUT;
use super::call::call;
use super::events;
use super::execution::execute;
use super::queue::Message;
use super::sandbox::{Answer, Basis, Sandbox, Sim};
use super::time::{Ms, SECOND, join_all, timestamp};

const MARGIN: Ms = 500;
const FOR_ACTING: Ms = 3 * SECOND;
const FOR_ASKING: Ms = 4 * SECOND;
const FOR_READING: Ms = 2500;
const BELIEVED: Ms = 60 * SECOND;

/// `Drainer::handle`.
pub async fn handle(sim: &Sim, sandbox: &Sandbox, messages: &[Message]) -> Answer {
    let started_at = sim.clock.now();
    let deadline = started_at + FUNCTION_TIMEOUT - MARGIN;
    let settings = Rc::clone(&sim.world.borrow().settings);
    let payload = events::batch(messages.iter().map(|message| (message.id, message.receives, &*message.body)));
    let batch = take_apart(payload.as_bytes(), &settings.event_sources).unwrap();
    let reading = {
        let mut memory = sandbox.memory.borrow_mut();
        memory.note(&batch, timestamp(started_at));
        read(batch, &settings, &memory)
    };
    let mut basis = Basis { seen_down: see_down(sim, sandbox, messages), ..Basis::default() };
    let notices: Vec<Notice> = reading.notices.iter().map(|incoming| incoming.notice.clone()).collect();
    basis.tasks = notices.iter().map(|notice| notice.task().clone()).collect();
    let findings = observe(sim, sandbox, &notices, &settings, deadline, &mut basis).await;
    let now = timestamp(sim.clock.now());
    let plan = plan(reading, &findings, sandbox.memory.borrow().going(), &settings, now);
    let basis = Rc::new(basis);
    let execution = execute(sim, sandbox, &plan, deadline, &basis).await;
    let report = report(plan, &execution);
    for notice in report.handled() {
        sandbox.memory.borrow_mut().remember(&notice.task, notice.version);
    }
    Answer { report, basis, started_at }
}

fn see_down(sim: &Sim, sandbox: &Sandbox, messages: &[Message]) -> BTreeSet<TaskArn> {
    let mut world = sim.world.borrow_mut();
    let truths: Vec<_> = messages.iter().filter_map(|message| message.truth).collect();
    let arn = |truth: &super::queue::Truth| world.fleet.tasks[truth.task].arn.clone();
    sandbox.seen_down.borrow_mut().extend(truths.iter().filter(|truth| truth.is_down).map(arn));
    let seen = sandbox.seen_down.borrow().clone();
    let late = truths.iter().filter(|truth| truth.is_notice && seen.contains(&arn(truth))).count();
    world.tally.down_before += late as u64;
    seen
}

/// `observe::observe`.
async fn observe(
    sim: &Sim,
    sandbox: &Sandbox,
    notices: &[Notice],
    settings: &Settings,
    deadline: Ms,
    basis: &mut Basis,
) -> Findings {
    let left = deadline.saturating_sub(sim.clock.now());
    let deadline = deadline - FOR_ACTING.min(left / 2);
    let asking = deadline.min(sim.clock.now() + FOR_ASKING);
    let keys: BTreeSet<_> = notices.iter().filter_map(|notice| service_key(notice, settings)).collect();
    let (cached, wanted) = from_cache(sim, sandbox, keys);
    let to_ask = tasks_to_ask(notices, settings, sim.clock.now());
    let asked_at = Some(super::time::timestamp(sim.clock.now()));
    let (services, tasks) = both(ask_services(sim, sandbox, wanted, asking), find_tasks(sim, to_ask, asking)).await;
    let from_cache: Vec<_> = cached.keys().cloned().collect();
    let mut findings = Findings { tasks, asked_at, ..Findings::default() };
    findings.services.extend(cached.into_iter().chain(services));
    read_groups(sim, notices, settings, &mut findings, deadline, basis).await;
    let missed: BTreeSet<_> =
        from_cache.into_iter().filter(|key| is_missed(key, notices, settings, &findings)).collect();
    if !missed.is_empty() {
        sim.world.borrow_mut().tally.missed_cache += 1;
        let asking = deadline.min(sim.clock.now() + FOR_ASKING);
        findings.services.extend(ask_services(sim, sandbox, missed, asking).await);
        read_groups(sim, notices, settings, &mut findings, deadline, basis).await;
    }
    findings
}

/// Two questions of different kinds, side by side.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (None, None);
    join_all::<std::pin::Pin<Box<dyn Future<Output = ()> + '_>>>([
        Box::pin(async { first = Some(one.await) }) as _,
        Box::pin(async { second = Some(other.await) }) as _,
    ])
    .await;
    (first.unwrap(), second.unwrap())
}

type Services = BTreeMap<ServiceKey, ServiceFinding>;

fn from_cache(sim: &Sim, sandbox: &Sandbox, keys: BTreeSet<ServiceKey>) -> (Services, BTreeSet<ServiceKey>) {
    let now = sim.clock.now();
    let services = sandbox.services.borrow();
    let believed =
        |key: &ServiceKey| services.get(key).filter(|(at, _)| now.checked_sub(*at).is_some_and(|age| age < BELIEVED));
    let (known, wanted): (BTreeSet<_>, _) = keys.into_iter().partition(|key| believed(key).is_some());
    let found = |key| believed(&key).map(|(_, service)| (key.clone(), ServiceFinding::Found(service.clone())));
    (known.into_iter().filter_map(found).collect(), wanted)
}

async fn ask_services(sim: &Sim, sandbox: &Sandbox, keys: BTreeSet<ServiceKey>, deadline: Ms) -> Services {
    let mut of_cluster: BTreeMap<ClusterArn, Vec<ServiceKey>> = BTreeMap::new();
    for key in keys {
        of_cluster.entry(key.cluster.clone()).or_default().push(key);
    }
    let asked = join_all(of_cluster.into_values().map(|keys| async move {
        let answer = call(sim, "DescribeServices", deadline, || Some(0), || sim.describe_services(&keys)).await;
        let finding = |key: &ServiceKey| match &answer {
            Ok(found) => found.get(key).cloned().map_or(ServiceFinding::Missing, ServiceFinding::Found),
            Err(error) => ServiceFinding::Unknown(error.failure.clone()),
        };
        keys.iter().map(|key| (key.clone(), finding(key))).collect::<Vec<_>>()
    }));
    let found: Services = asked.await.into_iter().flatten().collect();
    let now = sim.clock.now();
    let mut cache = sandbox.services.borrow_mut();
    for (key, finding) in &found {
        if let ServiceFinding::Found(service) = finding {
            cache.insert(key.clone(), (now, service.clone()));
        }
    }
    found
}

fn tasks_to_ask(notices: &[Notice], settings: &Settings, now: Ms) -> BTreeMap<ClusterArn, Vec<TaskArn>> {
    let longest = SignedDuration::from_millis(i64::try_from(FOR_ASKING + FOR_READING).unwrap());
    let (now, planned) = (timestamp(now), timestamp(now) + longest);
    let may_need = |notice: &&Notice| [now, planned].iter().any(|at| notice.needs_ownership(*at, settings.fresh));
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(may_need) {
        tasks.entry(notice.cluster().clone()).or_default().insert(notice.task().clone());
    }
    tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect())).collect()
}

/// `tasks::find`.
pub async fn find_tasks(
    sim: &Sim,
    wanted: BTreeMap<ClusterArn, Vec<TaskArn>>,
    deadline: Ms,
) -> BTreeMap<TaskArn, TaskFinding> {
    let asked = join_all(wanted.into_values().map(|tasks| async move {
        let answer = call(sim, "DescribeTasks", deadline, || Some(0), || sim.describe_tasks(&tasks)).await;
        let finding = |task: &TaskArn| match &answer {
            Ok(found) => found[task].clone(),
            Err(error) => TaskFinding::Unknown(error.failure.clone()),
        };
        tasks.iter().map(|task| (task.clone(), finding(task))).collect::<Vec<_>>()
    }));
    asked.await.into_iter().flatten().collect()
}

async fn read_groups(
    sim: &Sim,
    notices: &[Notice],
    settings: &Settings,
    findings: &mut Findings,
    deadline: Ms,
    basis: &mut Basis,
) {
    let all = notices.iter().map(|notice| candidates(notice, settings, &findings.services));
    let in_scope = all.filter(|candidates| candidates.tag != Some(ServiceTag::Off));
    let mut groups: BTreeSet<_> = in_scope.flat_map(|candidates| candidates.groups.into_keys()).collect();
    groups.retain(|group| !findings.groups.contains_key(group));
    let now = sim.clock.now();
    let deadline = deadline.min(now + FOR_READING);
    let reads = groups.into_iter().map(|group| async move {
        let finding = read_group(sim, &group, deadline).await;
        (group, finding)
    });
    for (group, finding) in join_all(reads).await {
        if let GroupFinding::Read(targets) = &finding {
            basis.read.insert(group.clone(), (now, targets.clone()));
        }
        findings.groups.insert(group, finding);
    }
}

/// `groups::read`.
pub async fn read_group(sim: &Sim, group: &TargetGroupArn, deadline: Ms) -> GroupFinding {
    match call(sim, "DescribeTargetHealth", deadline, || Some(0), || sim.describe_target_health(group)).await {
        Ok(targets) => GroupFinding::Read(targets),
        Err(error) if error.refusal == Refusal::GroupNotFound => GroupFinding::Missing,
        Err(error) => GroupFinding::Unknown(error.failure),
    }
}
