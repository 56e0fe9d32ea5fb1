//! Loads a [`World`] from a world file.
//!
//! A world file is a JSON object with these optional fields:
//!
//! | field | value |
//! |---|---|
//! | `region`, `account`, `partition` | the location; by default `eu-central-1`, `123456789012`, `aws` |
//! | `clusters` | the names of all clusters; others do not exist |
//! | `services` | `CLUSTER/NAME` to an object as in `DescribeServices` |
//! | `tasks` | id to an object as in `DescribeTasks` |
//! | `revisions` | ARN to an object as in `DescribeServiceRevisions` |
//! | `groups` | ARN to a target group: `port`, and optionally `vpc` (`10.0.0.0/16`), `family` (`ipv4`, `ipv6`), `type` (`ip`, `instance`), `load_balancers` (ARNs), `deregistration_delay` (seconds) and `targets`, each with `id`, `state`, and optionally `port` and `az` |
//! | `foreign`, `foreign_message` | error code and message of ECS for an ARN of another Region or account |
//! | `throttle` | whether AWS's published throttles apply; by default true |
//! | `need_all` | whether `DeregisterTargets` requires the zone `all` for a target outside the VPC; by default false |
//!
//! ECS objects are returned unchanged.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::call::throttle::Throttles;
use crate::location::Location;
use crate::model::ecs::foreign::ForeignError;
use crate::model::elb::group::{Group, IpAddressType, TargetType};
use crate::model::elb::health::State;
use crate::model::elb::network::Network;
use crate::model::elb::target::Target;
use crate::model::world::World;
use crate::model::world_file_value::{WorldField, WorldFileError, WorldFileResult, WorldRecord};

const FIELDS: [&str; 12] = [
    "region",
    "account",
    "partition",
    "clusters",
    "services",
    "tasks",
    "revisions",
    "groups",
    "foreign",
    "foreign_message",
    "throttle",
    "need_all",
];

const GROUP_FIELDS: [&str; 7] = ["port", "vpc", "family", "type", "load_balancers", "deregistration_delay", "targets"];

const TARGET_FIELDS: [&str; 4] = ["id", "port", "state", "az"];

impl World {
    /// Loads a world file. The error gives the place in the file and the expected value.
    pub fn from_json(text: &str) -> Result<Self, WorldFileError> {
        let value: Value = serde_json::from_str(text).map_err(|error| WorldFileError::Syntax(error.to_string()))?;
        let file = WorldField::root(&value).record(&FIELDS)?;
        let mut world = Self::at(location(&file)?);
        add_ecs(&mut world, &file)?;
        for (arn, group) in entries(&file, "groups")? {
            add_group(&mut world, arn, &group)?;
        }
        world.foreign.error = file.get("foreign").map(|code| foreign_error(&code)).transpose()?;
        world.foreign.message = text_of(&file, "foreign_message")?;
        if !flag(&file, "throttle", true)? {
            world.set_throttles(Throttles::Off);
        }
        world.set_zone_required(flag(&file, "need_all", false)?);
        Ok(world)
    }
}

fn location(file: &WorldRecord<'_>) -> WorldFileResult<Location> {
    let default = Location::default();
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let account = file.get("account").map(|account| {
        account.text().ok().filter(|text| is_account(text)).ok_or_else(|| account.expected("twelve digits as text"))
    });
    Ok(Location {
        partition: text_of(file, "partition")?.unwrap_or(default.partition),
        region: text_of(file, "region")?.unwrap_or(default.region),
        account: account.transpose()?.map_or(default.account, str::to_owned),
    })
}

fn add_ecs(world: &mut World, file: &WorldRecord<'_>) -> WorldFileResult<()> {
    for (key, service) in entries(file, "services")? {
        let (cluster, name) = key.split_once('/').ok_or_else(|| service.wrong("expected a key CLUSTER/NAME".into()))?;
        world.add_described_service(cluster, name, service.any_object()?);
    }
    for (id, task) in entries(file, "tasks")? {
        world.add_described_task(&cluster_of(id, &task)?, id, task.any_object()?);
    }
    for (arn, revision) in entries(file, "revisions")? {
        world.add_described_revision(arn, revision.any_object()?);
    }
    let names = file.get("clusters").map_or_else(|| Ok(Vec::new()), |list| list.list())?;
    // Last, because adding services and tasks also added their clusters.
    world.clusters =
        names.iter().map(|name| name.text().map(str::to_owned)).collect::<WorldFileResult<BTreeSet<_>>>()?;
    Ok(())
}

/// The cluster in a task's ARN, or in its `clusterArn` if the ARN has the old format.
fn cluster_of(id: &str, task: &WorldField<'_>) -> WorldFileResult<String> {
    task.any_object()?;
    let arn = task.get("taskArn").ok_or_else(|| task.wrong("the field `taskArn` is missing".into()))?;
    let resource = arn.text()?.split_once(":task/").map(|(_, resource)| resource);
    let cluster = match resource.and_then(|resource| resource.strip_suffix(id)) {
        Some("") => {
            let missing = || task.wrong("expected a `taskArn` or a `clusterArn` that names the cluster".into());
            let cluster = task.get("clusterArn").ok_or_else(missing)?;
            cluster.text()?.rsplit('/').next().map(str::to_owned)
        }
        Some(cluster) => cluster.strip_suffix('/').map(str::to_owned),
        None => None,
    };
    cluster.ok_or_else(|| arn.expected(&format!("the ARN of a task that ends with {id}")))
}

fn add_group(world: &mut World, arn: &str, field: &WorldField<'_>) -> WorldFileResult<()> {
    let file = field.record(&GROUP_FIELDS)?;
    let parts = arn.rsplit_once(":targetgroup/").and_then(|(_, resource)| resource.split_once('/'));
    let (name, id) = parts.ok_or_else(|| field.wrong("expected a key arn:...:targetgroup/NAME/ID".into()))?;
    let group = settings(Group::new(name, file.required("port")?.port()?).id(id), &file)?;
    world.groups.insert(arn.to_owned(), group);
    for target in list(&file, "targets")? {
        add_target(world, arn, &target)?;
    }
    Ok(())
}

fn settings(mut group: Group, file: &WorldRecord<'_>) -> WorldFileResult<Group> {
    if let Some(vpc) = file.get("vpc") {
        group = group.vpc(vpc.parsed(str::parse::<Network>)?);
    }
    if let Some(family) = file.get("family") {
        group = group.ip_address_type(match family.text()? {
            "ipv4" => IpAddressType::Ipv4,
            "ipv6" => IpAddressType::Ipv6,
            _ => return Err(family.expected("`ipv4` or `ipv6`")),
        });
    }
    if let Some(kind) = file.get("type") {
        group = group.target_type(match kind.text()? {
            "ip" => TargetType::Ip,
            "instance" => TargetType::Instance,
            _ => return Err(kind.expected("`ip` or `instance`")),
        });
    }
    if let Some(delay) = file.get("deregistration_delay") {
        group = group.deregistration_delay(Duration::from_secs(delay.seconds()?));
    }
    for balancer in list(file, "load_balancers")? {
        group = group.load_balancer(balancer.text()?);
    }
    Ok(group)
}

fn add_target(world: &mut World, group: &str, field: &WorldField<'_>) -> WorldFileResult<()> {
    let file = field.record(&TARGET_FIELDS)?;
    let id = file.required("id")?;
    let port = file.get("port").map(|port| port.port()).transpose()?;
    let state = file.required("state")?.parsed(|name| State::try_from(name.to_owned()))?;
    let target = Target { id: id.text()?.to_owned(), port, zone: text_of(&file, "az")? };
    let check = world.groups.get(group).map(|group| group.check(std::slice::from_ref(&target)));
    if check.is_some_and(|check| check.is_err()) {
        return Err(id.expected("an id that the group's `type` and `family` allow"));
    }
    world.register(group, target, state, Duration::ZERO).map_err(|error| field.wrong(error.to_string()))
}

fn foreign_error(code: &WorldField<'_>) -> WorldFileResult<ForeignError> {
    let text = code.text()?;
    let codes = || ForeignError::ALL.iter().map(|error| error.code()).collect::<Vec<_>>().join(", ");
    let found = ForeignError::ALL.iter().copied().find(|error| error.code() == text);
    found.ok_or_else(|| code.expected(&format!("one of {}", codes())))
}

fn entries<'a>(file: &WorldRecord<'a>, name: &str) -> WorldFileResult<Vec<(&'a str, WorldField<'a>)>> {
    file.get(name).map_or_else(|| Ok(Vec::new()), |field| field.entries())
}

fn list<'a>(file: &WorldRecord<'a>, name: &str) -> WorldFileResult<Vec<WorldField<'a>>> {
    file.get(name).map_or_else(|| Ok(Vec::new()), |field| field.list())
}

fn text_of(file: &WorldRecord<'_>, name: &str) -> WorldFileResult<Option<String>> {
    file.get(name).map(|field| field.text().map(str::to_owned)).transpose()
}

fn flag(file: &WorldRecord<'_>, name: &str, default: bool) -> WorldFileResult<bool> {
    file.get(name).map_or(Ok(default), |field| field.flag())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef";

    fn error(text: &str) -> String {
        World::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_an_empty_world() {
        let world = World::from_json("{}").unwrap();
        assert_eq!(world.location(), &Location::default());
        assert!(world.clusters.is_empty() && world.groups.is_empty() && !world.zone_required);
    }

    #[test]
    fn targets_keep_id_port_state_and_zone() {
        let text = format!(
            r#"{{"groups": {{"{GROUP}": {{"port": 80, "family": "ipv6", "deregistration_delay": 60, "targets": [
                {{"id": "fd00:0::1", "state": "healthy", "az": "all"}},
                {{"id": "fd00::2", "port": 8080, "state": "draining"}}]}}}}}}"#
        );
        let world = World::from_json(&text).unwrap();
        let targets = world.targets(GROUP, Duration::ZERO);
        let seen: Vec<_> =
            targets.iter().map(|one| (one.id.as_str(), one.port, one.state(), one.zone.as_deref())).collect();
        assert_eq!(seen, [("fd00:0::1", 80, State::Healthy, Some("all")), ("fd00::2", 8080, State::Draining, None)]);
        assert_eq!(world.targets(GROUP, Duration::from_mins(1)).len(), 1, "the draining one is gone");
    }

    #[test]
    fn an_error_has_the_place_and_the_expected_value() {
        let group = |body: &str| format!(r#"{{"groups": {{"{GROUP}": {body}}}}}"#);
        let place = |rest: &str| format!("groups[\"{GROUP}\"]{rest}");
        let table = [
            ("{".to_owned(), "not JSON: EOF while parsing an object at line 1 column 1".to_owned()),
            ("[]".to_owned(), "the file: expected an object, found a list".to_owned()),
            (
                r#"{"servces": {}}"#.to_owned(),
                "the file: unknown field `servces`; known fields: region, account".to_owned(),
            ),
            (
                r#"{"account": 111122223333}"#.to_owned(),
                "account: expected twelve digits as text, found `111122223333`".to_owned(),
            ),
            (r#"{"clusters": ["web", 7]}"#.to_owned(), "clusters[1]: expected text, found `7`".to_owned()),
            (r#"{"services": {"web": {}}}"#.to_owned(), "services.web: expected a key CLUSTER/NAME".to_owned()),
            (
                r#"{"services": {"web/api": []}}"#.to_owned(),
                "services[\"web/api\"]: expected an object, found a list".to_owned(),
            ),
            (r#"{"tasks": {"ab": {}}}"#.to_owned(), "tasks.ab: the field `taskArn` is missing".to_owned()),
            (
                r#"{"tasks": {"ab": {"taskArn": "a:task/c/x"}}}"#.to_owned(),
                "tasks.ab.taskArn: expected the ARN of a task that ends with ab, found `\"a:task/c/x\"`".to_owned(),
            ),
            (
                r#"{"tasks": {"ab": {"taskArn": "a:task/ab"}}}"#.to_owned(),
                "tasks.ab: expected a `taskArn` or a `clusterArn` that names the cluster".to_owned(),
            ),
            (
                r#"{"foreign": "Nope"}"#.to_owned(),
                "foreign: expected one of AccessDeniedException, ClusterNotFoundException".to_owned(),
            ),
            (r#"{"throttle": "no"}"#.to_owned(), "throttle: expected true or false, found `\"no\"`".to_owned()),
            (
                r#"{"groups": {"web": {"port": 80}}}"#.to_owned(),
                "groups.web: expected a key arn:...:targetgroup/NAME/ID".to_owned(),
            ),
            (group("{}"), place(": the field `port` is missing")),
            (group(r#"{"port": 0}"#), place(".port: expected a port from 1 to 65535, found `0`")),
            (group(r#"{"port": 80, "vpc": "10.0"}"#), place(".vpc: expected a block of addresses such as 10.0.0.0/16")),
            (group(r#"{"port": 80, "targets": {}}"#), place(".targets: expected a list, found an object")),
            (
                group(r#"{"port": 80, "targets": [{"id": "a", "stat": "healthy"}]}"#),
                place(".targets[0]: unknown field `stat`"),
            ),
            (
                group(r#"{"port": 80, "targets": [{"id": "10.0.0.1", "state": "ill"}]}"#),
                place(".targets[0].state: unknown state `ill`"),
            ),
            (
                group(r#"{"port": 80, "targets": [{"id": "fd00::1", "state": "healthy"}]}"#),
                place(".targets[0].id: expected an id that the group's"),
            ),
        ];
        for (text, expected) in table {
            let error = error(&text);
            assert!(error.starts_with(&expected), "{error}\nexpected {expected}");
        }
    }

    #[test]
    fn a_task_with_an_old_arn_uses_its_cluster_field() {
        let text = r#"{"tasks": {"ab": {"taskArn": "a:task/ab", "clusterArn": "a:cluster/web"}}}"#;
        let world = World::from_json(text).unwrap();
        let arns: Vec<_> = world.described.tasks.keys().cloned().collect();
        assert_eq!(arns, ["arn:aws:ecs:eu-central-1:123456789012:task/web/ab"]);
    }
}
