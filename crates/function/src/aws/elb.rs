//! DescribeTargetHealth, DescribeTargetGroups, and DeregisterTargets: the only call that changes a load balancer.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthDescription, TargetHealthStateEnum};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use spotdrain_core::model::arn::{LoadBalancerArn, TargetGroupArn};
use spotdrain_core::model::observed::{RegisteredTarget, Target, TargetId, TargetState};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_engine::{Answer, CallError, CallErrorKind};

use super::error::call_error;

pub(super) async fn describe(client: &Client, group: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>> {
    let request = client.describe_target_health().target_group_arn(group.as_str());
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    Ok(answer.target_health_descriptions().iter().filter_map(read_target).collect())
}

/// Reads a target. Targets that are not IP addresses (instances, load balancers) never belong to a Fargate task.
fn read_target(description: &TargetHealthDescription) -> Option<RegisteredTarget> {
    let target = description.target()?;
    let as_read = TargetId { id: target.id()?.to_owned(), zone: target.availability_zone().map(str::to_owned) };
    let address = as_read.id.parse().ok()?;
    let port = u16::try_from(target.port()?).ok()?;
    let state = description.target_health().and_then(|health| health.state()).map(TargetHealthStateEnum::as_str);
    let check_port = description.health_check_port().and_then(|port| port.parse().ok());
    Some(RegisteredTarget {
        as_read,
        address,
        port,
        check_port,
        state: TargetState::from_text(state.unwrap_or("(none)")),
    })
}

/// Returns the target groups of a load balancer. One page of 400 is enough for AWS's quota.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>
pub(super) async fn describe_target_groups(client: &Client, balancer: &LoadBalancerArn) -> Answer<Vec<TargetGroupArn>> {
    let request = client.describe_target_groups().load_balancer_arn(balancer.as_str()).page_size(400);
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let arns = answer.target_groups().iter().filter_map(|group| group.target_group_arn());
    let read = arns.map(TargetGroupArn::parse).collect::<Result<_, _>>();
    read.map_err(|error| CallError { kind: CallErrorKind::Other, problem: error.to_string() })
}

pub(super) async fn deregister(client: &Client, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Answer<()> {
    let request = client.deregister_targets().target_group_arn(group.as_str());
    let request = request.set_targets(Some(targets.iter().map(name_target).collect()));
    request.customize().interceptor(ExpectAnswer).send().await.map(|_| ()).map_err(|error| call_error(&error))
}

/// Rejects a status 200 whose body is not a DeregisterTargets response, such as a proxy's page. The SDK ignores this body and
/// would treat any as success.
#[derive(Debug)]
struct ExpectAnswer;

const EXPECTED: &[u8] = b"<DeregisterTargetsResponse";

impl Intercept for ExpectAnswer {
    fn name(&self) -> &'static str {
        "ExpectAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (response, body) = (context.response(), context.response().body().bytes().unwrap_or_default());
        let is_expected = body.windows(EXPECTED.len()).any(|window| window == EXPECTED);
        if !response.status().is_success() || is_expected {
            return Ok(());
        }
        let start: String = String::from_utf8_lossy(body).chars().take(80).collect();
        Err(format!("status {} with a body that is not AWS's answer: {start:?}", response.status().as_u16()).into())
    }
}

/// Names a target by the id and zone that were read, or by its address if the group was not read.
fn name_target(owned: &OwnedTarget) -> TargetDescription {
    let Target { address, port } = owned.target;
    let (id, zone) = match &owned.as_read {
        Some(as_read) => (as_read.id.clone(), as_read.zone.clone()),
        None => (address.to_string(), None),
    };
    TargetDescription::builder().id(id).set_port(port.map(i32::from)).set_availability_zone(zone).build()
}
