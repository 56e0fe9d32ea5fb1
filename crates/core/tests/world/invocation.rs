//! One invocation, as `crates/drain` makes it (`drainer.rs`, `observe.rs`, `services.rs`, `tasks.rs`, `call.rs`): what is
//! decided is the core's, and what waits and retries is modelled here one to one.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use jiff::SignedDuration;
use spotdrain_core::arn::{ClusterArn, TargetGroupArn, TaskArn};
use spotdrain_core::batch::take_apart;
use spotdrain_core::candidates::{candidates, is_missed, service_key};
use spotdrain_core::finding::{Findings, GroupFinding, ServiceFinding, ServiceKey, ServiceTag, TaskFinding};
use spotdrain_core::notice::Notice;
use spotdrain_core::pace::Kind;
use spotdrain_core::plan::{Plan, plan, postpone};
use spotdrain_core::reading::{Incoming, Reading, read};
use spotdrain_core::report::{Execution, Report, report};
use spotdrain_core::schedule::{Allowance, Schedule, schedule};
use spotdrain_core::settings::Settings;

use super::api::Refusal;
use super::bounds::FUNCTION_TIMEOUT;
use super::call::{Turns, call};
use super::events;
use super::execution::execute;
use super::queue::Message;
use super::sandbox::{self, Answer, Basis, Sandbox, Sim};
use super::time::{Ms, SECOND, join_all, timestamp};

const MARGIN: Ms = 500;
const FOR_ACTING: Ms = 3 * SECOND;
const FOR_ASKING: Ms = 4 * SECOND;
const FOR_LOOKING: Ms = 2500;
const FOR_A_WAVE: Ms = SECOND;
const BELIEVED: Ms = 60 * SECOND;

/// `Drainer::handle`, whose messages are in part the function's own.
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
    basis.tasks = reading.notices.iter().map(|incoming| incoming.notice.task().clone()).collect();
    let work = Work { sim, sandbox, settings: &settings, deadline, messages, started_at };
    work.all(reading, basis).await
}

/// `Drainer::work`.
struct Work<'a> {
    sim: &'a Sim,
    sandbox: &'a Sandbox,
    settings: &'a Settings,
    deadline: Ms,
    messages: &'a [Message],
    started_at: Ms,
}

impl Work<'_> {
    async fn all(&self, reading: Reading, mut basis: Basis) -> Answer {
        let Reading { notices, ignored, malformed } = reading;
        let mut found = self.discover(&notices).await;
        let Schedule { waves, postponed } = schedule(notices, &found.findings, self.settings, self.allowance());
        self.sim.world.borrow_mut().tally.postponed += postponed.len() as u64;
        let rest = Plan { ignored, malformed, ..self.postpone(postponed) };
        let mut reports = vec![self.settled(report(rest, &Execution::DryRun), &basis)];
        for wave in waves {
            let left = self.deadline.saturating_sub(self.sim.clock.now());
            let report = if reports.len() > 1 && left < FOR_A_WAVE {
                self.sim.world.borrow_mut().tally.postponed += wave.len() as u64;
                report(self.postpone(wave), &Execution::DryRun)
            } else {
                self.sim.world.borrow_mut().tally.waves += u64::from(reports.len() > 1);
                self.wave(wave, &mut found, &mut basis).await
            };
            reports.push(self.settled(report, &basis));
        }
        Answer { report: Report::join(reports), basis: Rc::new(basis), started_at: self.started_at }
    }

    fn settled(&self, report: Report, basis: &Basis) -> Report {
        let part = Answer { report, basis: Rc::new(basis.clone()), started_at: self.started_at };
        sandbox::settled(&mut self.sim.world.borrow_mut(), self.sim.clock.now(), self.messages, &part);
        part.report
    }

    fn allowance(&self) -> Allowance {
        let left = self.deadline.saturating_sub(self.sim.clock.now());
        let keeping = left - FOR_A_WAVE.min(left / 2);
        let now = Duration::from_millis(self.sim.clock.now());
        let allowance = Allowance::of(&self.sandbox.budget.borrow(), now, Duration::from_millis(keeping));
        // The world has few services: where the pace is slow, each is a wave of its own.
        if self.settings.call_burst == 1 { Allowance { first: 1, least: 1, ..allowance } } else { allowance }
    }

    fn postpone(&self, notices: Vec<Incoming>) -> Plan {
        postpone(notices, self.settings, timestamp(self.sim.clock.now()))
    }

    async fn wave(&self, notices: Vec<Incoming>, found: &mut Found, basis: &mut Basis) -> Report {
        let findings = self.look(&notices, found, basis).await;
        let now = timestamp(self.sim.clock.now());
        let wave = Reading { notices, ..Reading::default() };
        let plan = plan(wave, &findings, self.sandbox.memory.borrow().going(), self.settings, now);
        let basis = Rc::new(basis.clone());
        let execution = execute(self.sim, self.sandbox, &plan, self.deadline, &basis).await;
        let report = report(plan, &execution);
        for notice in report.handled() {
            self.sandbox.memory.borrow_mut().remember(&notice.task, notice.version);
        }
        report
    }

    /// `observe::discover`.
    async fn discover(&self, notices: &[Incoming]) -> Found {
        let now = self.sim.clock.now();
        let keys: BTreeSet<_> =
            notices.iter().filter_map(|incoming| service_key(&incoming.notice, self.settings)).collect();
        let (cached, wanted) = from_cache(self.sim, self.sandbox, keys);
        let asking = self.keeping().min(now + FOR_ASKING);
        let asked = ask_services(self.sim, self.sandbox, wanted, asking).await;
        let from_cache = cached.keys().cloned().collect();
        Found { findings: cached.into_iter().chain(asked).collect(), cached: from_cache }
    }

    /// `Deadline::keeping(FOR_ACTING)`.
    fn keeping(&self) -> Ms {
        let left = self.deadline.saturating_sub(self.sim.clock.now());
        self.deadline - FOR_ACTING.min(left / 2)
    }

    /// `observe::look`.
    async fn look(&self, wave: &[Incoming], found: &mut Found, basis: &mut Basis) -> Findings {
        let (sim, now) = (self.sim, self.sim.clock.now());
        let deadline = self.keeping();
        let looking = deadline.min(now + FOR_LOOKING);
        let notices: Vec<&Notice> = wave.iter().map(|incoming| &incoming.notice).collect();
        let mut findings = Findings { services: found.findings.clone(), ..Findings::default() };
        findings.asked_at = Some(timestamp(now));
        let to_ask = tasks_to_ask(&notices, self.settings, now);
        let groups = groups_to_read(&notices, self.settings, &findings);
        (findings.groups, findings.tasks) =
            both(self.read(groups, looking, basis), find_tasks(sim, self.sandbox, to_ask, looking)).await;
        let is_missed = |key: &&ServiceKey| is_missed(key, notices.iter().copied(), self.settings, &findings);
        let missed: BTreeSet<_> = found.cached.iter().filter(is_missed).cloned().collect();
        if !missed.is_empty() {
            sim.world.borrow_mut().tally.missed_cache += 1;
            let asking = deadline.min(sim.clock.now() + FOR_ASKING);
            let asked = ask_services(sim, self.sandbox, missed, asking).await;
            found.cached.retain(|key| !asked.contains_key(key));
            found.findings.extend(asked.clone());
            findings.services.extend(asked);
            let groups = groups_to_read(&notices, self.settings, &findings);
            let looking = deadline.min(sim.clock.now() + FOR_LOOKING);
            findings.groups.extend(self.read(groups, looking, basis).await);
        }
        findings
    }

    /// `groups::find`.
    async fn read(
        &self,
        groups: BTreeSet<TargetGroupArn>,
        deadline: Ms,
        basis: &mut Basis,
    ) -> BTreeMap<TargetGroupArn, GroupFinding> {
        let now = self.sim.clock.now();
        let turns = Turns { sim: self.sim, sandbox: self.sandbox, kind: Kind::Read, deadline };
        let reads = groups.into_iter().map(|group| async move { (group.clone(), read_group(turns, &group).await) });
        let found: BTreeMap<_, _> = join_all(reads).await.into_iter().collect();
        for (group, finding) in &found {
            if let GroupFinding::Read(targets) = finding {
                basis.read.insert(group.clone(), (now, targets.clone()));
            }
        }
        found
    }
}

/// `services::Found`.
struct Found {
    findings: Services,
    cached: BTreeSet<ServiceKey>,
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
        let turns = Turns { sim, sandbox, kind: Kind::Services, deadline };
        let answer = call(turns, || sim.describe_services(&keys)).await;
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

fn tasks_to_ask(notices: &[&Notice], settings: &Settings, now: Ms) -> BTreeMap<ClusterArn, Vec<TaskArn>> {
    let longest = SignedDuration::from_millis(i64::try_from(FOR_LOOKING).unwrap());
    let (now, planned) = (timestamp(now), timestamp(now) + longest);
    let may_need = |notice: &&&Notice| [now, planned].iter().any(|at| notice.needs_ownership(*at, settings.fresh));
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(may_need) {
        tasks.entry(notice.cluster().clone()).or_default().insert(notice.task().clone());
    }
    tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect())).collect()
}

/// `tasks::find`.
pub async fn find_tasks(
    sim: &Sim,
    sandbox: &Sandbox,
    wanted: BTreeMap<ClusterArn, Vec<TaskArn>>,
    deadline: Ms,
) -> BTreeMap<TaskArn, TaskFinding> {
    let asked = join_all(wanted.into_values().map(|tasks| async move {
        let turns = Turns { sim, sandbox, kind: Kind::Tasks, deadline };
        let answer = call(turns, || sim.describe_tasks(&tasks)).await;
        let finding = |task: &TaskArn| match &answer {
            Ok(found) => found[task].clone(),
            Err(error) => TaskFinding::Unknown(error.failure.clone()),
        };
        tasks.iter().map(|task| (task.clone(), finding(task))).collect::<Vec<_>>()
    }));
    asked.await.into_iter().flatten().collect()
}

fn groups_to_read(notices: &[&Notice], settings: &Settings, findings: &Findings) -> BTreeSet<TargetGroupArn> {
    let all = notices.iter().map(|notice| candidates(notice, settings, &findings.services));
    let in_scope = all.filter(|candidates| candidates.tag != Some(ServiceTag::Off));
    let is_new = |group: &TargetGroupArn| !findings.groups.contains_key(group);
    in_scope.flat_map(|candidates| candidates.groups.into_keys()).filter(is_new).collect()
}

/// `groups::read`.
pub async fn read_group(turns: Turns<'_>, group: &TargetGroupArn) -> GroupFinding {
    match call(turns, || turns.sim.describe_target_health(group)).await {
        Ok(targets) => GroupFinding::Read(targets),
        Err(error) if error.refusal == Refusal::GroupNotFound => GroupFinding::Missing,
        Err(error) => GroupFinding::Unknown(error.failure),
    }
}
