//! Parses and runs the requests of `ELBv2`.
//!
//! `DescribeTargetGroups` returns pages of up to 400; the marker is the index of the next group. The other calls ignore
//! `PageSize` and `Marker`, and return one page. Checks run in this order: the request, the target group, all targets. A call
//! that fails a check changes nothing.

use std::time::Duration;

use crate::api::elb::attributes;
use crate::api::elb::balancers;
use crate::api::elb::listeners;
use crate::api::elb::shapes::{GroupShape, GroupsResult, HealthResult, HealthShape, Nothing};
use crate::api::elb::tags;
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::elb::group::Group;
use crate::model::elb::target::Target;
use crate::model::world::World;
use crate::protocol::form::Form;
use crate::protocol::query;

/// The largest page (`ELBv2` API, `DescribeTargetGroups`, `PageSize`), and the default.
const MAX_PAGE_SIZE: usize = 400;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum ElbRequest {
    Attributes(Action, String),
    Balancers(Vec<String>),
    Groups { filter: Filter, page: GroupPage },
    Listeners(String),
    Tags(Vec<String>),
    Health { group: String, targets: Vec<Target> },
    Register { group: String, targets: Vec<Target> },
    Deregister { group: String, targets: Vec<Target> },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupPage {
    from: usize,
    size: usize,
}

/// The selection of target groups.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    All,
    Arns(Vec<String>),
    Names(Vec<String>),
    LoadBalancer(String),
}

impl ElbRequest {
    /// Parses a request; `None` for an action of another API.
    pub(crate) fn parse(action: Action, form: &Form) -> Option<Result<Self, ApiError>> {
        Some(match action {
            Action::DescribeLoadBalancers => Ok(Self::Balancers(form.list("LoadBalancerArns"))),
            Action::DescribeTargetGroupAttributes => attributes_of(action, form, "TargetGroupArn"),
            Action::DescribeLoadBalancerAttributes => attributes_of(action, form, "LoadBalancerArn"),
            Action::DescribeTargetGroups => {
                filter(form).and_then(|filter| Ok(Self::Groups { filter, page: page(form)? }))
            }
            Action::DescribeListeners => form.required("LoadBalancerArn").map(|arn| Self::Listeners(arn.to_owned())),
            Action::DescribeTags => Ok(Self::Tags(form.list("ResourceArns"))),
            Action::DescribeTargetHealth => {
                group_and_targets(form).map(|(group, targets)| Self::Health { group, targets })
            }
            Action::RegisterTargets => some_targets(form).map(|(group, targets)| Self::Register { group, targets }),
            Action::DeregisterTargets => some_targets(form).map(|(group, targets)| Self::Deregister { group, targets }),
            _ => return None,
        })
    }

    /// Runs the request, and returns the `…Result` element.
    pub(crate) fn run(self, world: &mut World, now: Duration) -> Result<String, ApiError> {
        match self {
            Self::Attributes(action, arn) => attributes::describe(world, action, &arn),
            Self::Balancers(arns) => balancers::describe(world, &arns),
            Self::Listeners(balancer) => listeners::describe(world, &balancer),
            Self::Tags(arns) => tags::describe(world, &arns),
            Self::Groups { filter, page } => describe_groups(world, &filter, page),
            Self::Health { group, targets } => describe_health(world, &group, &targets, now),
            Self::Register { group, targets } => {
                let group = checked(world, &group, &targets)?;
                for target in &targets {
                    group.register(target, now);
                }
                query::result(Action::RegisterTargets, &Nothing {})
            }
            Self::Deregister { group, targets } => {
                let zone_required = world.zone_required;
                let group = checked(world, &group, &targets)?;
                if zone_required {
                    group.check_zones(&targets)?;
                }
                for target in &targets {
                    group.deregister(target, now);
                }
                query::result(Action::DeregisterTargets, &Nothing {})
            }
        }
    }
}

/// The resource and targets of a request, as far as they can be parsed.
pub(crate) fn subject(form: &Form) -> Subject {
    let named =
        [form.list("TargetGroupArns"), form.list("Names"), form.list("LoadBalancerArns"), form.list("ResourceArns")]
            .concat();
    let targets = form.targets().unwrap_or_default().iter().map(ToString::to_string).collect();
    let one = form.get("TargetGroupArn").or_else(|| form.get("LoadBalancerArn"));
    let resource = one.or_else(|| named.first().map(String::as_str)).map(str::to_owned);
    Subject { resource, targets, with_tags: false }
}

fn attributes_of(action: Action, form: &Form, field: &str) -> Result<ElbRequest, ApiError> {
    form.required(field).map(|arn| ElbRequest::Attributes(action, arn.to_owned()))
}

fn filter(form: &Form) -> Result<Filter, ApiError> {
    let arns = form.list("TargetGroupArns");
    let names = form.list("Names");
    let load_balancer = form.get("LoadBalancerArn");
    match (arns.is_empty(), names.is_empty(), load_balancer) {
        (true, true, None) => Ok(Filter::All),
        (true, true, Some(arn)) => Ok(Filter::LoadBalancer(arn.to_owned())),
        (true, false, None) => Ok(Filter::Names(names)),
        (false, true, None) => arns.iter().try_for_each(|arn| check_arn(arn)).map(|()| Filter::Arns(arns)),
        _ => Err(invalid("Only one of 'TargetGroupArns', 'Names' and 'LoadBalancerArn' can be given")),
    }
}

fn page(form: &Form) -> Result<GroupPage, ApiError> {
    let number = |name: &str, default: usize| form.get(name).map_or(Ok(default), str::parse::<usize>);
    let size = number("PageSize", MAX_PAGE_SIZE).ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size));
    let size = size.ok_or_else(|| invalid(&format!("'PageSize' must be a number from 1 to {MAX_PAGE_SIZE}")))?;
    let from = number("Marker", 0).map_err(|_| invalid("'Marker' is not from an earlier answer"))?;
    Ok(GroupPage { from, size })
}

fn group_and_targets(form: &Form) -> Result<(String, Vec<Target>), ApiError> {
    let group = form.required("TargetGroupArn")?;
    check_arn(group)?;
    Ok((group.to_owned(), form.targets()?))
}

fn some_targets(form: &Form) -> Result<(String, Vec<Target>), ApiError> {
    let (group, targets) = group_and_targets(form)?;
    if targets.is_empty() { Err(invalid("'Targets' must name at least one target")) } else { Ok((group, targets)) }
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`
fn check_arn(arn: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let resource = match parts.as_slice() {
        ["arn", _, "elasticloadbalancing", _, _, resource] => resource.split('/').collect(),
        _ => Vec::new(),
    };
    let whole = matches!(resource.as_slice(), ["targetgroup", name, id] if !name.is_empty() && !id.is_empty());
    if whole { Ok(()) } else { Err(invalid(&format!("'{arn}' is not a valid target group ARN"))) }
}

fn checked<'a>(world: &'a mut World, group: &str, targets: &[Target]) -> Result<&'a mut Group, ApiError> {
    let group = world.groups.get_mut(group).ok_or_else(ApiError::group_not_found)?;
    group.check(targets)?;
    Ok(group)
}

fn describe_health(world: &World, group: &str, targets: &[Target], now: Duration) -> Result<String, ApiError> {
    let group = world.groups.get(group).ok_or_else(ApiError::group_not_found)?;
    group.check(targets)?;
    let found = if targets.is_empty() {
        group.list(now)
    } else {
        targets.iter().map(|target| group.look_up(target, now)).collect()
    };
    let port = group.check_port;
    let target_health_descriptions = found.into_iter().map(|target| HealthShape::of(target, port)).collect();
    query::result(Action::DescribeTargetHealth, &HealthResult { target_health_descriptions })
}

fn describe_groups(world: &World, filter: &Filter, page: GroupPage) -> Result<String, ApiError> {
    let groups = select(world, filter)?;
    let next = page.from.saturating_add(page.size);
    let next_marker = (next < groups.len()).then(|| next.to_string());
    let shown = groups.into_iter().skip(page.from).take(page.size);
    let target_groups = shown.map(|(arn, group)| GroupShape::of(arn, group)).collect();
    query::result(Action::DescribeTargetGroups, &GroupsResult { target_groups, next_marker })
}

fn select<'a>(world: &'a World, filter: &Filter) -> Result<Vec<(&'a String, &'a Group)>, ApiError> {
    let all = || world.groups.iter();
    let wanted = |count: usize, found: Vec<_>| {
        if found.len() < count { Err(ApiError::group_not_found()) } else { Ok(found) }
    };
    match filter {
        Filter::All => Ok(all().collect()),
        Filter::Arns(arns) => wanted(unique(arns), all().filter(|(arn, _)| arns.contains(arn)).collect()),
        Filter::Names(names) => wanted(unique(names), all().filter(|(_, group)| names.contains(&group.name)).collect()),
        Filter::LoadBalancer(arn) => {
            let found: Vec<_> = all().filter(|(_, group)| group.load_balancers.contains(arn)).collect();
            let missing = || ApiError::bad("LoadBalancerNotFound", "One or more load balancers not found");
            if found.is_empty() { Err(missing()) } else { Ok(found) }
        }
    }
}

fn unique(names: &[String]) -> usize {
    names.iter().collect::<std::collections::BTreeSet<_>>().len()
}

fn invalid(message: &str) -> ApiError {
    ApiError::invalid(Api::Elb, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_target_group_arns_are_accepted() {
        let table = [
            ("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/0123456789abcdef", true),
            ("arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:targetgroup/a/0123456789abcdef", true),
            ("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a", false),
            ("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup//", false),
            ("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/a/b", false),
            ("arn:aws:ecs:eu-central-1:123456789012:targetgroup/a/b", false),
            ("demo", false),
            ("", false),
        ];
        for (arn, valid) in table {
            assert_eq!(check_arn(arn).is_ok(), valid, "{arn}");
        }
        assert_eq!(check_arn("demo").unwrap_err().message, "'demo' is not a valid target group ARN");
    }

    #[test]
    fn page_parameters_are_checked() {
        for (body, text) in
            [("PageSize=0", "from 1 to 400"), ("PageSize=401", "from 1 to 400"), ("Marker=x", "'Marker'")]
        {
            let error = page(&Form::parse(body.as_bytes())).unwrap_err();
            assert!(error.code == "ValidationError" && error.message.contains(text), "{error:?}");
        }
    }

    #[test]
    fn a_bad_target_leaves_the_others_unchanged() {
        let mut world = World::new();
        let group = world.add_group(Group::new("demo", 80).target("10.0.0.1", crate::State::Healthy));
        let targets = vec!["10.0.0.1".into(), "fd00::1".into()];
        let error =
            ElbRequest::Deregister { group: group.clone(), targets }.run(&mut world, Duration::ZERO).unwrap_err();
        assert_eq!(error.code, "InvalidTarget");
        assert_eq!(world.state(&group, "10.0.0.1", Duration::ZERO), Some(crate::State::Healthy));
    }
}
