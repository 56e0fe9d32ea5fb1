//! `ELBv2` and ECS through the unmodified Rust SDK: every kind of answer and error, throttles and faults.

mod ecs;
mod limits_and_faults;
mod load_balancing;

use std::time::Duration;

use crate::common::sdk::clients;
use aws_sdk_ecs::types::{ServiceField, TaskField, TaskStopCode};
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use aws_sdk_elasticloadbalancingv2::config as elb;
use aws_sdk_elasticloadbalancingv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_elasticloadbalancingv2::operation::deregister_targets::DeregisterTargetsError;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum,
};
use aws_smithy_types::timeout::TimeoutConfig;
use spotdrain_localaws::{
    Action, CallResult, DeploymentController, Fault, FaultRule, Group, IpAddressType, LoadBalancer, LocalAws, Scene,
    Service, State, Task, TaskSet, TaskStatus, Throttles, World,
};

type Ecs = aws_sdk_ecs::Client;

const NOBODY: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/nobody/0123456789abcdef";
const SPOT_ADDRESS: &str = "10.0.2.21";

/// The demo scene, and clients that do not retry.
struct Local {
    aws: LocalAws,
    elb: Elb,
    ecs: Ecs,
    scene: Scene,
}

async fn demo() -> Local {
    with(|_| ()).await
}

async fn with(arrange: impl FnOnce(&mut Scene)) -> Local {
    let mut scene = Scene::demo();
    arrange(&mut scene);
    let aws = LocalAws::start(scene.world.clone()).await.unwrap();
    let (elb, ecs) = clients(&aws);
    Local { aws, elb, ecs, scene }
}

fn target(id: &str, port: Option<i32>) -> TargetDescription {
    TargetDescription::builder().id(id).set_port(port).build()
}

impl Local {
    async fn deregister(&self, target: TargetDescription) -> Result<(), SdkError<DeregisterTargetsError>> {
        let call = self.elb.deregister_targets().target_group_arn(&self.scene.group).targets(target);
        call.send().await.map(drop)
    }

    /// The caller gives up after a time that is far more than an answer takes.
    async fn deregister_impatiently(&self) -> Result<(), SdkError<DeregisterTargetsError>> {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(1)).build();
        let call = self.elb.deregister_targets().target_group_arn(&self.scene.group);
        let call = call.targets(target(SPOT_ADDRESS, Some(5044))).customize();
        call.config_override(elb::Builder::new().timeout_config(timeouts)).send().await.map(drop)
    }

    async fn health(&self) -> Vec<TargetHealthDescription> {
        let answer = self.elb.describe_target_health().target_group_arn(&self.scene.group).send().await.unwrap();
        answer.target_health_descriptions().to_vec()
    }

    async fn health_of(&self, id: &str) -> Option<TargetHealthStateEnum> {
        let all = self.health().await;
        let of = |one: &&TargetHealthDescription| one.target().and_then(|target| target.id()) == Some(id);
        all.iter().find(of).and_then(|one| one.target_health()?.state().cloned())
    }

    fn state(&self) -> Option<State> {
        self.aws.world().state(&self.scene.group, SPOT_ADDRESS, self.aws.now())
    }

    fn answers(&self) -> Vec<CallResult> {
        self.aws.calls().into_iter().map(|call| call.answer).collect()
    }
}
