//! The settings: the environment variables `SPOTDRAIN_*`. They are read once, and all problems are reported together.
//!
//! [`NAMES`] lists them; tests compare the CLI's flags, the README's table and the deployment with it.

use std::fmt;

use jiff::SignedDuration;
use thiserror::Error;

use crate::model::arn::{ClusterArn, LoadBalancerArn, TargetGroupArn, is_ecs_name};

/// The name of every setting and its default, as in the README.
pub const NAMES: [(&str, &str); 12] = [
    ("SPOTDRAIN_MODE", "enforce"),
    ("SPOTDRAIN_CLUSTERS", "all"),
    ("SPOTDRAIN_TARGET_GROUPS", "none"),
    ("SPOTDRAIN_LOAD_BALANCERS", "none"),
    ("SPOTDRAIN_DISCOVER", "true"),
    ("SPOTDRAIN_KEEP_LAST", "true"),
    ("SPOTDRAIN_FRESH_SECONDS", "10"),
    ("SPOTDRAIN_CALLS_PER_SECOND", "2"),
    ("SPOTDRAIN_CALL_BURST", "10"),
    ("SPOTDRAIN_EVENT_SOURCES", "aws.ecs"),
    ("SPOTDRAIN_QUEUE_URL", "none"),
    (MESSAGE_TOPIC, "none"),
];

/// Only the function uses this setting. The commands show the report of an event instead.
pub const MESSAGE_TOPIC: &str = "SPOTDRAIN_MESSAGE_TOPIC";

/// Whether targets are deregistered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    Enforce,
    /// The records say what would be done, and nothing is changed.
    Observe,
}

/// A configured target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredGroup {
    pub arn: TargetGroupArn,
    /// The port to use if the group cannot be read.
    pub port: Option<u16>,
}

/// The settings of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SPOTDRAIN_MODE`
    pub mode: Mode,
    /// `SPOTDRAIN_CLUSTERS`: names or ARNs; `None` for all.
    pub clusters: Option<Vec<String>>,
    /// `SPOTDRAIN_TARGET_GROUPS`
    pub target_groups: Vec<ConfiguredGroup>,
    /// `SPOTDRAIN_LOAD_BALANCERS`: their target groups are searched too, and a configured group must belong to one of them.
    pub load_balancers: Vec<LoadBalancerArn>,
    /// `SPOTDRAIN_DISCOVER`: describe the task's service to find its target groups.
    pub discover: bool,
    /// `SPOTDRAIN_KEEP_LAST`: keep a group's last healthy target.
    pub keep_last: bool,
    /// `SPOTDRAIN_FRESH_SECONDS`: for notices up to this age, ECS is not asked whether the task still has its address.
    pub fresh: SignedDuration,
    /// `SPOTDRAIN_CALLS_PER_SECOND`: DeregisterTargets calls per second of one execution environment.
    pub calls_per_second: f64,
    /// `SPOTDRAIN_CALL_BURST`: DeregisterTargets calls at once.
    pub call_burst: u32,
    /// `SPOTDRAIN_EVENT_SOURCES`: the sources whose events may be notices.
    pub event_sources: Vec<String>,
    /// `SPOTDRAIN_QUEUE_URL`: the URL of the queue; by default it is derived from the queue's ARN.
    pub queue_url: Option<String>,
    /// `SPOTDRAIN_MESSAGE_TOPIC`: the ARN of the SNS topic that gets a message about the interruptions of an invocation.
    pub message_topic: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            clusters: None,
            target_groups: Vec::new(),
            load_balancers: Vec::new(),
            discover: true,
            keep_last: true,
            fresh: SignedDuration::from_secs(10),
            calls_per_second: 2.0,
            call_burst: 10,
            event_sources: vec!["aws.ecs".to_owned()],
            queue_url: None,
            message_topic: None,
        }
    }
}

/// All problems of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct SettingsError {
    /// One line for each, beginning with the setting's name.
    pub problems: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problems.join("; "))
    }
}

impl Settings {
    /// Reads the settings from names and values. Names that do not begin with `SPOTDRAIN_` are skipped. An empty value is an
    /// error: a template whose parameter is empty must not mean "all clusters".
    pub fn read<N: AsRef<str>, V: AsRef<str>>(values: impl IntoIterator<Item = (N, V)>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        for (name, value) in values {
            let (name, value) = (name.as_ref(), value.as_ref());
            if name.starts_with("SPOTDRAIN_")
                && let Err(problem) = settings.set(name, value.trim())
            {
                problems.push(format!("{name}: {problem}"));
            }
        }
        let is_configured = !settings.target_groups.is_empty() || !settings.load_balancers.is_empty();
        if !settings.discover && !is_configured && problems.is_empty() {
            let problem = "SPOTDRAIN_DISCOVER: false needs SPOTDRAIN_TARGET_GROUPS or SPOTDRAIN_LOAD_BALANCERS: without them there is no target group";
            problems.push(problem.to_owned());
        }
        problems.sort();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "SPOTDRAIN_MODE" => {
                self.mode = value.parse().map_err(|_| format!("expected enforce or observe, found {value:?}"))?;
            }
            "SPOTDRAIN_CLUSTERS" => self.clusters = clusters(value)?,
            "SPOTDRAIN_TARGET_GROUPS" => self.target_groups = groups(value)?,
            "SPOTDRAIN_LOAD_BALANCERS" => self.load_balancers = load_balancers(value)?,
            "SPOTDRAIN_DISCOVER" => self.discover = boolean(value)?,
            "SPOTDRAIN_KEEP_LAST" => self.keep_last = boolean(value)?,
            "SPOTDRAIN_FRESH_SECONDS" => self.fresh = SignedDuration::from_secs(whole(value, 0, 120)?.into()),
            "SPOTDRAIN_CALLS_PER_SECOND" => self.calls_per_second = rate(value)?,
            "SPOTDRAIN_CALL_BURST" => self.call_burst = whole(value, 1, 1000)?,
            "SPOTDRAIN_EVENT_SOURCES" => self.event_sources = sources(value)?,
            "SPOTDRAIN_QUEUE_URL" => self.queue_url = queue_url(value)?,
            MESSAGE_TOPIC => self.message_topic = topic(value)?,
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Returns whether a cluster is in scope, by its name or its ARN.
    #[must_use]
    pub fn in_scope(&self, cluster: &ClusterArn) -> bool {
        let is_this = |wanted: &String| wanted == cluster.name() || wanted == cluster.as_str();
        self.clusters.as_ref().is_none_or(|clusters| clusters.iter().any(is_this))
    }
}

fn unknown() -> String {
    let known: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    format!("unknown setting; known settings: {}", known.join(", "))
}

fn boolean(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("expected true or false, found {value:?}"))
}

fn whole(value: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {least} to {most}, found {value:?}"))
}

fn rate(value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|number| (0.1..=1000.0).contains(number));
    number.ok_or_else(|| format!("expected a number from 0.1 to 1000, found {value:?}"))
}

fn list(value: &str) -> Result<Vec<&str>, String> {
    let items: Vec<_> = value.split(',').map(str::trim).collect();
    if items.iter().any(|item| item.is_empty()) {
        return Err(format!("expected a comma-separated list without empty items, found {value:?}"));
    }
    Ok(items)
}

fn clusters(value: &str) -> Result<Option<Vec<String>>, String> {
    if value == "all" {
        return Ok(None);
    }
    let items = list(value)?;
    let is_one = |item: &&str| ClusterArn::parse(item).is_ok() || is_ecs_name(item);
    if let Some(wrong) = items.iter().find(|item| !is_one(item)) {
        return Err(format!("expected all, or names or ARNs of clusters, found {wrong:?}"));
    }
    Ok(Some(items.into_iter().map(str::to_owned).collect()))
}

fn groups(value: &str) -> Result<Vec<ConfiguredGroup>, String> {
    if value == "none" { Ok(Vec::new()) } else { list(value)?.into_iter().map(group).collect() }
}

fn group(item: &str) -> Result<ConfiguredGroup, String> {
    let (arn, port) = item.split_once('=').map_or((item, None), |(arn, port)| (arn, Some(port)));
    let port = port.map(|port| whole(port, 1, 65535).map_err(|problem| format!("the port of {arn}: {problem}")));
    let port = port.transpose()?.and_then(|port| u16::try_from(port).ok());
    Ok(ConfiguredGroup { arn: TargetGroupArn::parse(arn).map_err(|error| error.to_string())?, port })
}

fn load_balancers(value: &str) -> Result<Vec<LoadBalancerArn>, String> {
    if value == "none" {
        return Ok(Vec::new());
    }
    let parse = |item: &str| LoadBalancerArn::parse(item).map_err(|error| error.to_string());
    list(value)?.into_iter().map(parse).collect()
}

/// A URL without a queue's name is refused.
fn queue_url(value: &str) -> Result<Option<String>, String> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    match rest.map(|rest| rest.split('/').collect::<Vec<_>>()) {
        _ if value == "none" => Ok(None),
        Some(parts) if parts.len() >= 3 && parts.iter().all(|part| !part.is_empty()) => Ok(Some(value.to_owned())),
        _ => Err(format!("expected none or a queue URL (https://HOST/ACCOUNT/NAME), found {value:?}")),
    }
}

/// A FIFO topic is refused: it would need a group id.
fn topic(value: &str) -> Result<Option<String>, String> {
    let is_topic = match value.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sns", region, account, name] => {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            [region, account, name].iter().all(|part| !part.is_empty()) && name.bytes().all(is_of_name)
        }
        _ => false,
    };
    match value {
        "none" => Ok(None),
        arn if is_topic => Ok(Some(arn.to_owned())),
        other => Err(format!(
            "expected none or the ARN of a standard SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME), found {other:?}"
        )),
    }
}

fn sources(value: &str) -> Result<Vec<String>, String> {
    Ok(list(value)?.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo-5044/6d0ecf831eec9f09";

    #[test]
    fn without_variables_the_defaults_apply() {
        assert_eq!(Settings::read([("PATH", "/bin"), ("AWS_REGION", "x")]).unwrap(), Settings::default());
    }

    #[test]
    fn the_defaults_in_the_list_of_names_are_the_defaults() {
        assert_eq!(Settings::read(NAMES).unwrap(), Settings::default());
    }

    #[test]
    fn reads_target_groups_with_and_without_a_port() {
        let value = format!("{GROUP}=5044, {GROUP}");
        let groups = Settings::read([("SPOTDRAIN_TARGET_GROUPS", value)]).unwrap().target_groups;
        assert_eq!(groups.iter().map(|group| group.port).collect::<Vec<_>>(), [Some(5044), None]);
    }

    #[test]
    fn a_cluster_is_in_scope_by_name_or_arn() {
        let demo = ClusterArn::parse("arn:aws:ecs:eu-central-1:123456789012:cluster/demo").unwrap();
        for (value, expected) in [("all", true), ("demo", true), ("x, demo", true), ("x", false), (demo.as_str(), true)]
        {
            assert_eq!(Settings::read([("SPOTDRAIN_CLUSTERS", value)]).unwrap().in_scope(&demo), expected, "{value}");
        }
    }

    #[test]
    fn every_problem_is_named() {
        let error = Settings::read([
            ("SPOTDRAIN_MODE", "on"),
            ("SPOTDRAIN_CLUSTERS", ""),
            ("SPOTDRAIN_TARGET_GROUPS", "arn:aws:ecs:x"),
            ("SPOTDRAIN_DISCOVER", "yes"),
            ("SPOTDRAIN_FRESH_SECONDS", "-1"),
            ("SPOTDRAIN_CALLS_PER_SECOND", "NaN"),
            ("SPOTDRAIN_CALL_BURST", "0"),
            ("SPOTDRAIN_EVENT_SOURCES", "a,,b"),
            ("SPOTDRAIN_CLUSTER", "demo"),
        ]);
        insta::assert_snapshot!(error.unwrap_err().problems.join("\n"));
    }

    #[test]
    fn a_wrong_port_is_named_with_its_group() {
        for port in ["0", "65536", "x", ""] {
            let error = Settings::read([("SPOTDRAIN_TARGET_GROUPS", format!("{GROUP}={port}"))]).unwrap_err();
            assert!(error.problems[0].contains("the port of arn:aws"), "{error}");
        }
    }

    #[test]
    fn settings_without_any_target_group_are_refused() {
        assert!(Settings::read([("SPOTDRAIN_DISCOVER", "false")]).is_err());
    }
}
