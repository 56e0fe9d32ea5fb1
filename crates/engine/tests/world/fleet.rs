//! Clusters, services, target groups and tasks: the truth, whatever the function knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use spotdrain_core::model::arn::{ClusterArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::observed::{
    DescribedTask, RegisteredTarget, Service as Described, ServiceGroup, ServiceKey, ServiceTag, TargetId, TargetState,
};
use spotdrain_core::model::task_status::TaskStatus;

use super::bounds::READ_LAG;
use super::tally::Counter;
use super::time::{Ms, timestamp};

pub type TaskId = usize;
pub type GroupId = usize;

/// A group as a service names it, with its `containerPort`.
pub type Named = (GroupId, Option<u16>);

/// One registration, and the task that owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub address: IpAddr,
    pub port: u16,
    pub state: TargetState,
    pub owner: TaskId,
    pub since: Ms,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub arn: TargetGroupArn,
    /// The ports under which tasks are registered. The first is the group's own, too.
    pub ports: Vec<u16>,
    /// The port of the health check, if it is another than that of the traffic.
    pub check_port: Option<u16>,
    pub entries: Vec<Entry>,
    /// Earlier registrations, each with the moment until which they stood.
    past: Vec<(Ms, Vec<Entry>)>,
    /// The tasks that ECS deregistered.
    pub by_ecs: BTreeSet<TaskId>,
    /// The tasks that an environment deregistered without an up-to-date read, with the count for it.
    pub by_excused: BTreeMap<TaskId, Counter>,
    pub gone_at: Option<Ms>,
}

impl Group {
    pub fn new(arn: TargetGroupArn, ports: Vec<u16>, check_port: Option<u16>) -> Self {
        let (by_ecs, by_excused) = (BTreeSet::new(), BTreeMap::new());
        Self { arn, ports, check_port, entries: Vec::new(), past: Vec::new(), by_ecs, by_excused, gone_at: None }
    }

    /// Changes the registrations, and keeps the earlier ones for reads that lag behind.
    pub fn change(&mut self, now: Ms, change: impl FnOnce(&mut Vec<Entry>)) {
        let mut entries = self.entries.clone();
        change(&mut entries);
        self.past.retain(|(until, _)| until + 20 * READ_LAG >= now);
        self.past.push((now, std::mem::replace(&mut self.entries, entries)));
    }

    /// Returns the registrations as they were at a moment: those that the first later change replaced.
    pub fn as_at(&self, moment: Ms) -> &[Entry] {
        self.past.iter().find(|(until, _)| *until > moment).map_or(&self.entries, |(_, entries)| entries)
    }

    pub fn described(&self, moment: Ms) -> Vec<RegisteredTarget> {
        let target = |entry: &Entry| RegisteredTarget {
            as_read: TargetId { id: entry.address.to_string(), zone: None },
            address: entry.address,
            port: entry.port,
            check_port: self.check_port.or(Some(entry.port)),
            state: entry.state.clone(),
        };
        self.as_at(moment).iter().map(target).collect()
    }

    pub fn healthy(&self) -> usize {
        self.entries.iter().filter(|entry| entry.state == TargetState::Healthy).count()
    }
}

#[derive(Debug, Clone)]
pub struct Service {
    pub key: ServiceKey,
    /// The groups of its load balancers, with the `containerPort` that it names.
    pub groups: Vec<Named>,
    /// Groups that an update adds, with the moment.
    pub added: Option<(Ms, Vec<Named>)>,
    pub tag: Option<&'static str>,
}

impl Service {
    pub fn new(cluster: &ClusterArn, name: &str) -> Self {
        let key = ServiceKey { cluster: cluster.clone(), service: ServiceName::new(name).unwrap() };
        Self { key, groups: Vec::new(), added: None, tag: None }
    }

    pub fn groups_at(&self, moment: Ms) -> impl Iterator<Item = (GroupId, Option<u16>)> {
        let added = self.added.as_ref().filter(|(from, _)| *from <= moment).map(|(_, groups)| groups.as_slice());
        self.groups.iter().chain(added.unwrap_or_default()).copied()
    }

    pub fn described(&self, moment: Ms, groups: &[Group]) -> Described {
        let of_service =
            self.groups_at(moment).map(|(group, port)| ServiceGroup { arn: groups[group].arn.clone(), port });
        Described {
            groups: of_service.collect(),
            tag: self.tag.map(ServiceTag::from_value),
            has_balancer: true,
            ..Described::default()
        }
    }

    /// Whether its tag lets spotdrain act on it.
    pub fn is_drained(&self) -> bool {
        matches!(self.tag, None | Some("on" | "hold"))
    }

    /// Whether the group's health check asks the hold of this service's tasks.
    pub fn is_held_in(&self, group: &Group) -> bool {
        self.tag == Some("hold") && group.check_port.is_some()
    }
}

/// The stop of a task, and the form of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub at: Ms,
    pub is_spot: bool,
    /// The stop code in its events.
    pub code: Option<&'static str>,
    /// Whether its events say when the stop began.
    pub is_dated: bool,
}

#[derive(Debug, Clone)]
pub struct Task {
    pub arn: TaskArn,
    pub service: usize,
    pub address: IpAddr,
    /// Each status with the moment at which it began.
    pub life: Vec<(Ms, TaskStatus)>,
    pub stop: Option<Stop>,
    pub version: u64,
    pub interface_deleted_at: Option<Ms>,
}

impl Task {
    pub fn status_at(&self, moment: Ms) -> Option<&TaskStatus> {
        self.life.iter().rev().find(|(from, _)| *from <= moment).map(|(_, status)| status)
    }

    /// When a status began.
    fn began(&self, status: &TaskStatus) -> Option<Ms> {
        self.life.iter().find(|(_, of_life)| of_life == status).map(|(from, _)| *from)
    }

    pub fn described(&self, moment: Ms) -> DescribedTask {
        let is_stopping = self.stop.is_some_and(|stop| stop.at <= moment);
        DescribedTask {
            last_status: self.status_at(moment).cloned().unwrap_or(TaskStatus::Provisioning),
            desired_status: if is_stopping { TaskStatus::Stopped } else { TaskStatus::Running },
            addresses: vec![self.address],
            stopping_at: self.stop.filter(|stop| stop.at <= moment).map(|stop| timestamp(stop.at)),
            stopped_at: self.began(&TaskStatus::Stopped).filter(|at| *at <= moment).map(timestamp),
        }
    }

    pub fn is_down_at(&self, moment: Ms) -> bool {
        self.status_at(moment).is_none_or(TaskStatus::is_down)
    }

    pub fn is_interrupted(&self, now: Ms) -> bool {
        self.stop.is_some_and(|stop| stop.is_spot && stop.at <= now)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Fleet {
    pub groups: Vec<Group>,
    pub services: Vec<Service>,
    pub tasks: Vec<Task>,
    /// Free addresses; the one that was freed last comes last.
    pub free: Vec<IpAddr>,
}

impl Fleet {
    /// The task that had an address at a moment.
    pub fn holder(&self, address: IpAddr, moment: Ms) -> Option<TaskId> {
        let began = |task: &Task| task.life.first().is_some_and(|(from, _)| *from <= moment);
        self.tasks.iter().rposition(|task| task.address == address && began(task))
    }

    pub fn group(&self, arn: &TargetGroupArn) -> Option<GroupId> {
        self.groups.iter().position(|group| group.arn == *arn)
    }

    pub fn task(&self, arn: &TaskArn) -> Option<TaskId> {
        self.tasks.iter().position(|task| task.arn == *arn)
    }

    /// Returns every registration that takes traffic. The laws compare these.
    pub fn in_service(&self) -> Vec<(GroupId, IpAddr, u16)> {
        let of = |(group, of_group): (GroupId, &Group)| -> Vec<_> {
            let serving = of_group.entries.iter().filter(|entry| entry.state != TargetState::Draining);
            serving.map(|entry| (group, entry.address, entry.port)).collect()
        };
        let mut all: Vec<_> = self.groups.iter().enumerate().flat_map(of).collect();
        all.sort_unstable();
        all
    }
}

pub fn address(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 2, u8::try_from(10 + number).unwrap()))
}

pub fn cluster(name: &str) -> ClusterArn {
    ClusterArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:cluster/{name}")).unwrap()
}

pub fn target_group(number: usize) -> TargetGroupArn {
    let text = format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/group-{number}/6d0ecf83");
    TargetGroupArn::parse(&text).unwrap()
}
