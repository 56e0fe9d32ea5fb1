//! A scenario in a few lines: the real sample of a notice, changed where the test wants it, and what AWS is to have said.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::batch::take_apart;
use spotdrain_core::candidates::Configured;
use spotdrain_core::event::Event;
use spotdrain_core::finding::{
    AsRead, Findings, GroupFinding, RegisteredTarget, Service, ServiceFinding, ServiceGroup, ServiceKey, ServiceTag,
    TargetState, TaskFinding, TaskSighting,
};
use spotdrain_core::memory::Going;
use spotdrain_core::notice::{Incoming, Notice, Reading};
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::plan::{Plan, plan};
use spotdrain_core::settings::Settings;
use spotdrain_core::stop::{RecognisedBy, TaskStatus};

pub fn arn(name: &str) -> TargetGroupArn {
    let text = format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{name}/6d0ecf831eec9f09");
    TargetGroupArn::parse(&text).unwrap()
}

/// A stopping task that has this address.
pub fn up(address: &str) -> TaskFinding {
    sighting("DEACTIVATING", "STOPPED", &[address])
}

/// A task whose network interface is gone.
pub fn down() -> TaskFinding {
    sighting("DEPROVISIONING", "STOPPED", &[])
}

pub fn sighting(last_status: &str, desired_status: &str, addresses: &[&str]) -> TaskFinding {
    TaskFinding::Found(TaskSighting {
        last_status: TaskStatus::from_text(last_status),
        desired_status: TaskStatus::from_text(desired_status),
        addresses: addresses.iter().map(|address| ip(address)).collect(),
    })
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn throttled(call: &'static str) -> Failure {
    Failure { call, problem: "Throttling: Rate exceeded".to_owned(), retryable: true }
}

pub fn sample() -> Event {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/spot-interruption.json");
    let batch = take_apart(&fs::read(path).unwrap(), &Settings::default().event_sources);
    batch.unwrap().messages.remove(0).event.unwrap()
}

/// What is known when the plan is made. Time is seconds after the interruption.
pub struct Scenario {
    pub reading: Reading,
    pub findings: Findings,
    pub going: Going,
    pub settings: Settings,
    pub seconds: i64,
}

impl Scenario {
    pub fn new() -> Self {
        Self {
            reading: Reading::default(),
            findings: Findings::default(),
            going: Going::default(),
            settings: Settings::default(),
            seconds: 1,
        }
    }

    /// A notice of the task `id` of service `logstash`, with these addresses.
    pub fn notice(mut self, id: &str, addresses: &[&str]) -> Self {
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
        self.reading.notices.push(Incoming { message_id: Some(format!("message-{id}")), notice });
        self
    }

    /// A notice like the one that was added last came in a batch before this one, with these addresses.
    pub fn another_before(mut self, addresses: &[&str]) -> Self {
        let mut change = self.reading.notices.last().unwrap().notice.task.clone();
        change.addresses = addresses.iter().map(|address| ip(address)).collect();
        self.going.note(&change, change.interrupted_at());
        self
    }

    /// Changes the notice that was added last.
    pub fn but(mut self, change: impl FnOnce(&mut Notice)) -> Self {
        change(&mut self.reading.notices.last_mut().unwrap().notice);
        self
    }

    pub fn at_status(self, status: &str) -> Self {
        self.but(|notice| notice.task.last_status = TaskStatus::from_text(status))
    }

    pub fn standalone(self) -> Self {
        self.but(|notice| notice.task.service = None)
    }

    pub fn after(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings = Settings::read([(name, value)]).unwrap();
        self
    }

    pub fn service(mut self, groups: &[(&str, Option<u16>)]) -> Self {
        let groups = groups.iter().map(|(name, port)| ServiceGroup { arn: arn(name), port: *port }).collect();
        self.findings.services.insert(service_key(), ServiceFinding::Found(Service { groups, ..Service::default() }));
        self
    }

    pub fn service_is(mut self, finding: ServiceFinding) -> Self {
        self.findings.services.insert(service_key(), finding);
        self
    }

    pub fn tagged(mut self, value: &str) -> Self {
        if let Some(ServiceFinding::Found(service)) = self.findings.services.get_mut(&service_key()) {
            service.tag = Some(ServiceTag::from_value(value));
        }
        self
    }

    pub fn group(mut self, name: &str, targets: &[(&str, u16, &str)]) -> Self {
        let target = |&(address, port, state): &(&str, u16, &str)| RegisteredTarget {
            as_read: AsRead { id: address.to_owned(), zone: None },
            address: ip(address),
            port,
            check_port: Some(port),
            state: TargetState::from_text(state),
        };
        let finding = GroupFinding::Found(targets.iter().map(target).collect());
        self.findings.groups.insert(arn(name), finding);
        self
    }

    /// The health check of all targets that are there asks this port.
    pub fn checked_on(mut self, port: u16) -> Self {
        for finding in self.findings.groups.values_mut() {
            if let GroupFinding::Found(targets) = finding {
                for target in targets {
                    target.check_port = Some(port);
                }
            }
        }
        self
    }

    pub fn group_is(mut self, name: &str, finding: GroupFinding) -> Self {
        self.findings.groups.insert(arn(name), finding);
        self
    }

    pub fn task_is(mut self, id: &str, finding: TaskFinding) -> Self {
        self.findings.tasks.insert(task(id), finding);
        self
    }

    pub fn now(&self) -> Timestamp {
        sample().change.unwrap().stopping_at.unwrap() + SignedDuration::from_secs(self.seconds)
    }

    pub fn plan(self) -> Plan {
        let now = self.now();
        let configured = Configured::new(&self.settings, Ok(&BTreeMap::new()));
        let findings = Findings { configured, ..self.findings };
        plan(self.reading, &findings, &self.going, &self.settings, now)
    }

    /// The plan as lines that read as sentences.
    pub fn told(self) -> String {
        tell(&self.plan())
    }
}

pub fn task(id: &str) -> TaskArn {
    TaskArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{id}")).unwrap()
}

pub fn service_key() -> ServiceKey {
    ServiceKey { cluster: sample().change.unwrap().cluster, service: ServiceName::new("logstash").unwrap() }
}

pub fn tell(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for notice in &plan.notices {
        let id = notice.incoming.notice.task.arn.id();
        if let Some(failure) = &notice.failure {
            lines.push(format!("{id}: failed, {}", tell_failure(failure)));
        }
        for row in &notice.registrations {
            let state = row.state.as_ref().map_or("not read", |state| state.as_ref());
            let step = match &row.settled {
                None => "deregister".to_owned(),
                Some(Outcome::Failed(failure)) => format!("failed, {}", tell_failure(failure)),
                Some(outcome) => outcome.as_str().to_owned(),
            };
            let group = row.registration.target_group.name();
            lines.push(format!("{id}: {} in {group} ({state}): {step}", row.registration.target));
        }
    }
    lines.extend(plan.ignored.iter().map(|event| format!("{}: ignored, {}", event.event_id, event.reason.as_str())));
    for call in &plan.calls {
        let targets: Vec<_> = call.targets.iter().map(|owned| owned.target.to_string()).collect();
        let confirm = if call.confirm { ", to be confirmed" } else { "" };
        lines.push(format!("call {}: {}{confirm}", call.target_group.name(), targets.join(" ")));
    }
    lines.join("\n")
}

fn tell_failure(failure: &Failure) -> String {
    let again = if failure.retryable { "another try may mend it" } else { "for good" };
    format!("{} {} ({again})", failure.call, failure.problem)
}

pub fn outcomes(pairs: &[(&str, Outcome)]) -> BTreeMap<String, Outcome> {
    pairs.iter().map(|(name, outcome)| ((*name).to_owned(), outcome.clone())).collect()
}
