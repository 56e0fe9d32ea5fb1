//! Which listeners has a load balancer? One for each target group that names it, which forwards to that group.
//!
//! The shape is that of the API's `Listener` (botocore, `elbv2`, 2015-12-01), without the fields that nothing here needs.

use serde::Serialize;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::model::elb::group::Group;
use crate::model::world::World;
use crate::protocol::query::{self, Members};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListenersResult<'a> {
    listeners: Members<ListenerShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListenerShape<'a> {
    listener_arn: String,
    load_balancer_arn: &'a str,
    port: u16,
    protocol: &'a str,
    default_actions: Members<ActionShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ActionShape<'a> {
    r#type: &'static str,
    target_group_arn: &'a str,
}

/// The listeners of the load balancer of this ARN.
pub(crate) fn describe(world: &World, balancer: &str) -> Result<String, ApiError> {
    let groups = world.groups.iter().filter(|(_, group)| group.load_balancers.iter().any(|arn| arn == balancer));
    let listeners: Vec<_> = groups.map(|(arn, group)| shape(balancer, arn, group)).collect();
    if listeners.is_empty() {
        return Err(ApiError::bad("LoadBalancerNotFound", "One or more load balancers not found"));
    }
    query::result(Action::DescribeListeners, &ListenersResult { listeners: listeners.into_iter().collect() })
}

fn shape<'a>(balancer: &'a str, arn: &'a str, group: &'a Group) -> ListenerShape<'a> {
    let action = ActionShape { r#type: "forward", target_group_arn: arn };
    ListenerShape {
        listener_arn: format!("{}/{}", balancer.replacen(":loadbalancer/", ":listener/", 1), group.id),
        load_balancer_arn: balancer,
        port: group.port,
        protocol: &group.protocol,
        default_actions: [action].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scene::Scene;

    #[test]
    fn a_listener_forwards_to_each_group_that_names_the_load_balancer() {
        let scene = Scene::demo();
        let answer = describe(&scene.world, &scene.load_balancer).unwrap();
        for part in ["<Protocol>TCP</Protocol>", "<Port>5044</Port>", &scene.group, ":listener/net/demo/"] {
            assert!(answer.contains(part), "{part}: {answer}");
        }
        assert_eq!(describe(&scene.world, "other").unwrap_err().code, "LoadBalancerNotFound");
    }
}
