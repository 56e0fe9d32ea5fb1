//! An ECS task, and its Spot interruption.
//!
//! The interruption follows the ECS developer guide (fargate-capacity-providers): last status RUNNING, desired status STOPPED,
//! with stop code and reason. Every change that makes an event increments the version.

use std::time::Duration;

use serde::Serialize;

use crate::model::ecs::service::Tag;

/// The lifecycle of a task (ECS developer guide, task-lifecycle-explanation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    /// Its network interface is being created.
    Provisioning,
    /// Its containers are being started.
    Pending,
    /// Its targets are being registered.
    Activating,
    Running,
    /// Its targets are being deregistered.
    Deactivating,
    /// Its containers are being stopped.
    Stopping,
    /// Its network interface is being deleted.
    Deprovisioning,
    Stopped,
    Deleted,
}

/// A task's network interface. It appears as an attachment, and again in every container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    pub id: String,
    pub attachment_id: String,
    /// The status of the attachment: `ATTACHED` while the task runs.
    pub status: String,
    pub subnet: String,
    pub mac: String,
    /// `None` in a subnet with only IPv6.
    pub ipv4: Option<String>,
    pub ipv6: Option<String>,
}

/// The stop of a task. Times are since the world's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Real interruptions sometimes have no stop code.
    pub code: Option<String>,
    pub reason: String,
    pub stopping_at: Duration,
    pub stopped_at: Option<Duration>,
}

/// An ECS task. Its ARN follows from the world's location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub cluster: String,
    /// 32 hex digits.
    pub id: String,
    pub last_status: TaskStatus,
    pub desired_status: TaskStatus,
    /// `service:NAME` or `family:NAME`.
    pub group: String,
    /// `ecs-svc/ID` for a service's task.
    pub started_by: Option<String>,
    /// Incremented at every change that makes an event.
    pub version: u64,
    /// For example `FARGATE_SPOT`; `None` for a task with a launch type.
    pub capacity_provider: Option<String>,
    /// Container names.
    pub containers: Vec<String>,
    pub interface: Option<NetworkInterface>,
    /// The Availability Zone.
    pub zone: String,
    pub stop: Option<Stop>,
    /// The age of the task at the world's start.
    pub started_before: Duration,
    /// Only calls that request tags receive them.
    pub tags: Vec<Tag>,
}

impl Task {
    /// A running task without a service or an address, with one container `app`.
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

    /// Makes it a task of a service, with one container of the service's name.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        self.group = format!("service:{name}");
        self.started_by = Some("ecs-svc/1234567890123456789".to_owned());
        self.containers = vec![name.to_owned()];
        self
    }

    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.containers.push(name.to_owned());
        self
    }

    #[must_use]
    pub fn address(mut self, ipv4: &str) -> Self {
        self.interface_mut().ipv4 = Some(ipv4.to_owned());
        self
    }

    #[must_use]
    pub fn ipv6(mut self, ipv6: &str) -> Self {
        self.interface_mut().ipv6 = Some(ipv6.to_owned());
        self
    }

    #[must_use]
    pub fn capacity_provider(mut self, name: &str) -> Self {
        self.capacity_provider = Some(name.to_owned());
        self
    }

    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// Sets what ECS shows at a Spot interruption.
    pub(crate) fn interrupt(&mut self, now: Duration) {
        self.stop("SpotInterruption", "Your Spot Task was interrupted.", now);
    }

    /// Sets what ECS shows of a task that is to stop.
    pub(crate) fn stop(&mut self, code: &str, reason: &str, now: Duration) {
        self.desired_status = TaskStatus::Stopped;
        self.stop =
            Some(Stop { code: Some(code.to_owned()), reason: reason.to_owned(), stopping_at: now, stopped_at: None });
        self.version += 1;
    }

    /// Sets the status, and the matching status of the network interface.
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

    /// Derives the ids from the task's id, so that they are the same in every run.
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
