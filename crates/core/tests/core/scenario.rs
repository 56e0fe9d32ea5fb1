//! A scenario in a few lines: the real sample of a notice, changed where the test wants it, and what AWS is to have said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::model::arn::{TargetGroupArn, TaskArn};
use spotdrain_core::model::notice::Notice;
use spotdrain_core::model::observed::{
    DescribedTask, GroupObservation, RegisteredTarget, Service, ServiceGroup, ServiceObservation, ServiceTag, TargetId,
    TargetState, TaskObservation,
};
use spotdrain_core::model::outcome::{Failure, Outcome};
use spotdrain_core::model::task_status::{RecognisedBy, TaskStatus};
use spotdrain_core::plan::last_healthy::StoppingTasks;
use spotdrain_core::plan::progress::{GroupProgress, Planned, SettledRegistrations};
use spotdrain_core::plan::target_groups::{Configured, LocatedNotice, service_key as key_of};
use spotdrain_core::plan::{GroupPlan, Look, NoticePlan, OwnedTarget, PlanInput, plan};
use spotdrain_core::read::batch::{Message, parse_payload};
use spotdrain_core::read::classify::{IgnoredEvent, Malformed, ReceivedNotice};
use spotdrain_core::read::event::Event;
use spotdrain_core::read::memory::Memory;
use spotdrain_core::report::{NoticeRecord, RegistrationRecord, Report};
use spotdrain_core::settings::{Mode, Settings};

pub(crate) fn arn(name: &str) -> TargetGroupArn {
    let text = format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{name}/6d0ecf831eec9f09");
    TargetGroupArn::parse(&text).unwrap()
}

/// A stopping task that has this address.
pub(crate) fn up(address: &str) -> TaskObservation {
    sighting("DEACTIVATING", "STOPPED", &[address])
}

/// A task whose network interface is gone.
pub(crate) fn down() -> TaskObservation {
    sighting("DEPROVISIONING", "STOPPED", &[])
}

pub(crate) fn sighting(last_status: &str, desired_status: &str, addresses: &[&str]) -> TaskObservation {
    TaskObservation::Found(DescribedTask {
        last_status: TaskStatus::from_text(last_status),
        desired_status: TaskStatus::from_text(desired_status),
        addresses: addresses.iter().map(|address| ip(address)).collect(),
        stopping_at: None,
        stopped_at: None,
    })
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn throttled(call: &'static str) -> Failure {
    Failure { call, problem: "Throttling: Rate exceeded".to_owned(), retryable: true }
}

pub(crate) fn sample() -> Event {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/spot-interruption.json");
    let batch = parse_payload(&fs::read(path).unwrap(), &Settings::default().event_sources);
    batch.unwrap().messages.remove(0).event.unwrap()
}

/// What is known when the plan is made. Time is seconds after the interruption.
pub(crate) struct Scenario {
    pub notices: Vec<ReceivedNotice>,
    pub ignored: Vec<IgnoredEvent>,
    pub malformed: Vec<Malformed>,
    pub service: Option<ServiceObservation>,
    pub groups: BTreeMap<TargetGroupArn, GroupObservation>,
    pub tasks: BTreeMap<TaskArn, TaskObservation>,
    pub stopping: StoppingTasks,
    pub memory: Memory,
    pub settings: Settings,
    pub seconds: i64,
}

/// The plans of all groups: each notice with its plan in each group, and the call of each group.
pub(crate) struct Plans {
    pub notices: Vec<(LocatedNotice, Vec<NoticePlan>)>,
    pub ignored: Vec<IgnoredEvent>,
    pub malformed: Vec<Malformed>,
    pub calls: Vec<(TargetGroupArn, Vec<OwnedTarget>)>,
    pub asks_ecs: bool,
    pub now: Timestamp,
}

impl Scenario {
    pub(crate) fn new() -> Self {
        Self {
            notices: Vec::new(),
            ignored: Vec::new(),
            malformed: Vec::new(),
            service: None,
            groups: BTreeMap::new(),
            tasks: BTreeMap::new(),
            stopping: StoppingTasks::Known(BTreeMap::new()),
            memory: Memory::new(),
            settings: Settings::default(),
            seconds: 1,
        }
    }

    /// A notice of the task `id` of service `logstash`, with these addresses.
    pub(crate) fn notice(mut self, id: &str, addresses: &[&str]) -> Self {
        let event = sample();
        let mut change = event.change.unwrap();
        change.arn = task(id);
        change.addresses = addresses.iter().map(|address| ip(address)).collect();
        let notice = Notice {
            event_id: format!("event-{id}"),
            task: change,
            recognised_by: RecognisedBy::StopCode,
            source: "aws.ecs".to_owned(),
        };
        self.notices.push(ReceivedNotice { message_id: Some(format!("message-{id}")), notice });
        self
    }

    /// A notice like the one that was added last came in a batch before this one, with these addresses.
    pub(crate) fn another_before(mut self, addresses: &[&str]) -> Self {
        let mut change = self.notices.last().unwrap().notice.task.clone();
        change.addresses = addresses.iter().map(|address| ip(address)).collect();
        change.arn = task("before");
        let now = change.interrupted_at();
        let event = Event { change: Some(change), ..sample() };
        self.memory.note(&[Message { id: None, receipt: None, queue: None, event: Ok(event) }], now);
        self
    }

    /// Changes the notice that was added last.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Notice)) -> Self {
        change(&mut self.notices.last_mut().unwrap().notice);
        self
    }

    pub(crate) fn at_status(self, status: &str) -> Self {
        self.but(|notice| notice.task.last_status = TaskStatus::from_text(status))
    }

    pub(crate) fn standalone(self) -> Self {
        self.but(|notice| notice.task.service = None)
    }

    pub(crate) fn after(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.settings = Settings::read([(name, value)]).unwrap();
        self
    }

    pub(crate) fn service(mut self, groups: &[(&str, Option<u16>)]) -> Self {
        let groups = groups.iter().map(|(name, port)| ServiceGroup { arn: arn(name), port: *port }).collect();
        self.service = Some(ServiceObservation::Found(Service { groups, ..Service::default() }));
        self
    }

    pub(crate) fn service_is(mut self, finding: ServiceObservation) -> Self {
        self.service = Some(finding);
        self
    }

    pub(crate) fn tagged(mut self, value: &str) -> Self {
        if let Some(ServiceObservation::Found(service)) = &mut self.service {
            service.tag = Some(ServiceTag::from_value(value));
        }
        self
    }

    pub(crate) fn group(mut self, name: &str, targets: &[(&str, u16, &str)]) -> Self {
        let target = |&(address, port, state): &(&str, u16, &str)| RegisteredTarget {
            as_read: TargetId { id: address.to_owned(), zone: None },
            address: ip(address),
            port,
            check_port: Some(port),
            state: TargetState::from_text(state),
        };
        let finding = GroupObservation::Found(targets.iter().map(target).collect());
        self.groups.insert(arn(name), finding);
        self
    }

    /// The health check of all targets that are there asks this port.
    pub(crate) fn checked_on(mut self, port: u16) -> Self {
        for finding in self.groups.values_mut() {
            if let GroupObservation::Found(targets) = finding {
                for target in targets {
                    target.check_port = Some(port);
                }
            }
        }
        self
    }

    pub(crate) fn group_is(mut self, name: &str, finding: GroupObservation) -> Self {
        self.groups.insert(arn(name), finding);
        self
    }

    pub(crate) fn task_is(mut self, id: &str, finding: TaskObservation) -> Self {
        self.tasks.insert(task(id), finding);
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        sample().change.unwrap().stopping_at.unwrap() + SignedDuration::from_secs(self.seconds)
    }

    /// ECS was not asked which tasks are stopping.
    pub(crate) fn not_asked(mut self) -> Self {
        self.stopping = StoppingTasks::NotAsked;
        self
    }

    /// ECS says that these tasks are stopping: each with its address, and when it began to stop in seconds after the interruption.
    pub(crate) fn stopping(mut self, tasks: &[(&str, &str, i64)]) -> Self {
        let start = sample().change.unwrap().stopping_at.unwrap();
        let sighting = |(id, address, seconds): &(&str, &str, i64)| {
            let TaskObservation::Found(sighting) = up(address) else { unreachable!() };
            let stopping_at = Some(start + SignedDuration::from_secs(*seconds));
            (task(id), DescribedTask { stopping_at, ..sighting })
        };
        self.stopping = StoppingTasks::Known(tasks.iter().map(sighting).collect());
        self
    }

    /// Plans each group of the notices, one after the other.
    pub(crate) fn plan(self) -> Plans {
        let now = self.now();
        let configured = Configured::new(&self.settings, Ok(&BTreeMap::new()));
        let mut plans = Plans {
            notices: Vec::new(),
            ignored: self.ignored,
            malformed: self.malformed,
            calls: Vec::new(),
            asks_ecs: false,
            now,
        };
        for received in self.notices {
            let service = key_of(&received.notice, &self.settings).and(self.service.as_ref());
            match LocatedNotice::new(received, &self.settings, service, &configured, now) {
                Ok(located) => plans.notices.push((located, Vec::new())),
                Err(ignored) => plans.ignored.push(*ignored),
            }
        }
        let groups: BTreeSet<_> =
            plans.notices.iter().flat_map(|(of, _)| of.candidates.groups.keys().cloned()).collect();
        for group in groups {
            let unread = || GroupObservation::Unknown(Failure::not_asked("DescribeTargetHealth"));
            let finding = self.groups.get(&group).cloned().unwrap_or_else(unread);
            let look = Look { group: finding, tasks: self.tasks.clone(), stopping: self.stopping.clone() };
            let (memory, settings) = (&self.memory, &self.settings);
            plans.add(&group, &PlanInput { group: &group, look: &look, memory, settings, now });
        }
        plans
    }

    /// The plan as lines that read as sentences.
    pub(crate) fn rendered(self) -> String {
        render(&self.plan())
    }
}

impl Plans {
    fn add(&mut self, group: &TargetGroupArn, situation: &PlanInput<'_>) {
        let of_group = |(located, _): &&(LocatedNotice, _)| located.candidates.groups.contains_key(group);
        let notices: Vec<_> = self.notices.iter().filter(of_group).map(|(located, _)| located).collect();
        let GroupPlan { notices: planned, asks_ecs } = plan(&notices, situation);
        let settled = SettledRegistrations::new();
        let of = notices.iter().zip(&planned).map(|(notice, plan)| Planned { notice, plan, settled: &settled });
        let targets = GroupProgress::default().targets(&of.collect::<Vec<_>>());
        if !targets.is_empty() {
            self.calls.push((group.clone(), targets));
        }
        self.asks_ecs |= asks_ecs;
        let waiting = self.notices.iter_mut().filter(|(located, _)| located.candidates.groups.contains_key(group));
        waiting.zip(planned).for_each(|((_, plans), plan)| plans.push(plan));
    }

    /// The report of these plans; what was to be deregistered has an outcome by its target, a moment after the interruption.
    pub(crate) fn report(self, outcome: impl Fn(IpAddr) -> Outcome) -> Report {
        let record = |(located, plans): (LocatedNotice, Vec<NoticePlan>)| {
            let (notice, is_observed) = (located.notice().clone(), located.mode == Mode::Observe);
            let at = notice.interrupted_at() + SignedDuration::from_millis(1042);
            let rows = plans.iter().flat_map(|plan| &plan.registrations).map(|row| {
                let planned =
                    || if is_observed { Outcome::WouldDeregister } else { outcome(row.registration.target.address) };
                RegistrationRecord::new(row, row.settled.clone().unwrap_or_else(planned), at, &notice)
            });
            let (age, rows) = (notice.age(self.now), rows.collect());
            NoticeRecord::new(located, age, rows)
        };
        Report::new(self.notices.into_iter().map(record).collect(), self.ignored, self.malformed)
    }
}

pub(crate) fn task(id: &str) -> TaskArn {
    TaskArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{id}")).unwrap()
}

pub(crate) fn render(plans: &Plans) -> String {
    let mut lines = Vec::new();
    for (located, of_groups) in &plans.notices {
        let id = located.notice().task.arn.id();
        let failures = located.candidates.failure.iter().chain(of_groups.iter().find_map(|plan| plan.failure.as_ref()));
        lines.extend(failures.map(|failure| format!("{id}: failed, {}", render_failure(failure))));
        for row in of_groups.iter().flat_map(|plan| &plan.registrations) {
            let state = row.state.as_ref().map_or("not read", |state| state.as_ref());
            let step = match &row.settled {
                None => "deregister".to_owned(),
                Some(Outcome::Failed(failure)) => format!("failed, {}", render_failure(failure)),
                Some(outcome) => outcome.as_str().to_owned(),
            };
            let group = row.registration.target_group.name();
            lines.push(format!("{id}: {} in {group} ({state}): {step}", row.registration.target));
        }
    }
    lines.extend(plans.ignored.iter().map(|event| format!("{}: ignored, {}", event.event_id, event.reason.as_str())));
    for (group, targets) in &plans.calls {
        let names: Vec<_> = targets.iter().map(|owned| owned.target.to_string()).collect();
        let confirm = if targets.iter().any(|owned| owned.as_read.is_none()) { ", to be confirmed" } else { "" };
        lines.push(format!("call {}: {}{confirm}", group.name(), names.join(" ")));
    }
    lines.extend(plans.asks_ecs.then(|| "ECS is asked which tasks are stopping".to_owned()));
    lines.join("\n")
}

fn render_failure(failure: &Failure) -> String {
    let again = if failure.retryable { "retryable" } else { "permanent" };
    format!("{} {} ({again})", failure.call, failure.problem)
}
