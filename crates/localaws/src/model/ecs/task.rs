//! What is an ECS task, and how does a Spot interruption move it on?
//!
//! The interruption is as the ECS developer guide shows it (fargate-capacity-providers): still RUNNING, wanted STOPPED, with
//! stop code and reason. Every change that makes an event adds one to the version.

use std::time::Duration;

use serde::Serialize;

use crate::model::ecs::service::Tag;

/// Where in its life a task is (ECS developer guide, task-lifecycle-explanation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    /// Its network interface is being made.
    Provisioning,
    /// It waits for its containers.
    Pending,
    /// Its targets are being registered.
    Activating,
    /// It runs.
    Running,
    /// Its targets are being deregistered.
    Deactivating,
    /// Its containers are being stopped.
    Stopping,
    /// Its network interface is being deleted.
    Deprovisioning,
    /// It is stopped.
    Stopped,
    /// It is being deleted.
    Deleted,
}

/// A task's network interface. It is shown as an attachment, and again at every container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// The interface's id.
    pub id: String,
    /// The attachment's id.
    pub attachment_id: String,
    /// The attachment's status: `ATTACHED` while the task runs.
    pub status: String,
    /// The subnet.
    pub subnet: String,
    /// The MAC address.
    pub mac: String,
    /// The IPv4 address, unless the subnet has only IPv6.
    pub ipv4: Option<String>,
    /// The IPv6 address.
    pub ipv6: Option<String>,
}

/// Why and when a task stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The stop code, which real interruptions have lacked at times.
    pub code: Option<String>,
    /// The reason in words.
    pub reason: String,
    /// When it began, since the world's start.
    pub stopping_at: Duration,
    /// When it was over, since the world's start.
    pub stopped_at: Option<Duration>,
}

/// A task. Its ARN follows from the world's account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The cluster's name.
    pub cluster: String,
    /// The id: 32 hex digits.
    pub id: String,
    /// What it is.
    pub last_status: TaskStatus,
    /// What it shall be.
    pub desired_status: TaskStatus,
    /// `service:NAME` or `family:NAME`.
    pub group: String,
    /// `ecs-svc/ID` for a service's task.
    pub started_by: Option<String>,
    /// Adds one at every change that makes an event.
    pub version: u64,
    /// For example `FARGATE_SPOT`; none for a task that was started with a launch type.
    pub capacity_provider: Option<String>,
    /// The names of its containers.
    pub containers: Vec<String>,
    /// Its network interface.
    pub interface: Option<NetworkInterface>,
    /// Its Availability Zone.
    pub zone: String,
    /// Its stop, once it has begun.
    pub stop: Option<Stop>,
    /// How long before the world's start it was started.
    pub started_before: Duration,
    /// Its tags, shown only to a call that asks for them.
    pub tags: Vec<Tag>,
}

impl Task {
    /// A running task of no service, with one container `app` and no address.
    #[must_use]
    pub fn new(cluster: &str, id: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            id: id.to_owned(),
            last_status: TaskStatus::Running,
            desired_status: TaskStatus::Running,
            group: "family:app".to_owned(),
            started_by: None,
            version: 3,
            capacity_provider: None,
            containers: vec!["app".to_owned()],
            interface: None,
            zone: "eu-central-1a".to_owned(),
            stop: None,
            started_before: Duration::from_hours(1),
            tags: Vec::new(),
        }
    }

    /// As a task of a service, whose name its one container has too.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        self.group = format!("service:{name}");
        self.started_by = Some("ecs-svc/1234567890123456789".to_owned());
        self.containers = vec![name.to_owned()];
        self
    }

    /// With one more container.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.containers.push(name.to_owned());
        self
    }

    /// With an IPv4 address.
    #[must_use]
    pub fn address(mut self, ipv4: &str) -> Self {
        self.interface_mut().ipv4 = Some(ipv4.to_owned());
        self
    }

    /// With an IPv6 address.
    #[must_use]
    pub fn ipv6(mut self, ipv6: &str) -> Self {
        self.interface_mut().ipv6 = Some(ipv6.to_owned());
        self
    }

    /// On a capacity provider.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str) -> Self {
        self.capacity_provider = Some(name.to_owned());
        self
    }

    /// In an Availability Zone.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// What ECS shows when Spot takes the capacity back.
    pub(crate) fn interrupt(&mut self, now: Duration) {
        self.desired_status = TaskStatus::Stopped;
        self.stop = Some(Stop {
            code: Some("SpotInterruption".to_owned()),
            reason: "Your Spot Task was interrupted.".to_owned(),
            stopping_at: now,
            stopped_at: None,
        });
        self.version += 1;
    }

    /// Moves the task on; its network interface goes with it.
    pub(crate) fn set_last_status(&mut self, status: TaskStatus, now: Duration) {
        self.last_status = status;
        self.version += 1;
        if let Some(interface) = &mut self.interface {
            attachment_status(status).clone_into(&mut interface.status);
        }
        if status >= TaskStatus::Stopped
            && let Some(stop) = &mut self.stop
        {
            stop.stopped_at.get_or_insert(now);
        }
    }

    /// The ids follow from the task's, so that they are the same at every start.
    fn interface_mut(&mut self) -> &mut NetworkInterface {
        let tail: String = self.id.chars().take(17).collect();
        let pairs = |from: usize| self.id.chars().skip(from).take(2).collect::<String>();
        let mac = format!("02:{}:{}:{}:{}:{}", pairs(0), pairs(2), pairs(4), pairs(6), pairs(8));
        self.interface.get_or_insert_with(|| NetworkInterface {
            id: format!("eni-{tail}"),
            attachment_id: format!("attachment-{tail}"),
            status: "ATTACHED".to_owned(),
            subnet: "subnet-0a1b2c3d4e5f60718".to_owned(),
            mac,
            ipv4: None,
            ipv6: None,
        })
    }
}

fn attachment_status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Provisioning => "PRECREATED",
        TaskStatus::Pending => "ATTACHING",
        TaskStatus::Activating | TaskStatus::Running | TaskStatus::Deactivating | TaskStatus::Stopping => "ATTACHED",
        TaskStatus::Deprovisioning => "DETACHING",
        TaskStatus::Stopped | TaskStatus::Deleted => "DELETED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_task_still_runs_and_is_wanted_stopped() {
        let mut task = Task::new("demo", "c13b4cb40f1f4fe4a2971f76ae5a47ad").address("10.0.2.21");
        task.interrupt(Duration::from_secs(5));
        assert_eq!((task.last_status, task.desired_status), (TaskStatus::Running, TaskStatus::Stopped));
        assert_eq!(task.version, 4);
        assert_eq!(task.stop.unwrap().stopping_at, Duration::from_secs(5));
    }

    #[test]
    fn the_interface_goes_with_the_task() {
        let mut task = Task::new("demo", "c13b4cb40f1f4fe4a2971f76ae5a47ad").address("10.0.2.21");
        task.interrupt(Duration::ZERO);
        for (status, attachment) in [(TaskStatus::Deactivating, "ATTACHED"), (TaskStatus::Stopped, "DELETED")] {
            task.set_last_status(status, Duration::from_secs(9));
            assert_eq!(task.interface.as_ref().unwrap().status, attachment);
        }
        assert_eq!(task.stop.unwrap().stopped_at, Some(Duration::from_secs(9)));
    }
}
