//! `ELBv2` and ECS through the unmodified Rust SDK: every kind of answer and error, throttles and faults.

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

#[tokio::test]
async fn describes_target_groups_by_arn_by_name_by_load_balancer_and_all() {
    let local = demo().await;
    let Scene { group, load_balancer, .. } = &local.scene;
    let call = || local.elb.describe_target_groups();
    let calls = [
        call(),
        call().target_group_arns(group),
        call().names("demo-5044"),
        call().load_balancer_arn(load_balancer).page_size(400),
    ];
    for call in calls {
        let answer = call.send().await.unwrap();
        let [found] = answer.target_groups() else { panic!("{answer:?}") };
        assert_eq!(found.target_group_arn(), Some(group.as_str()));
        assert_eq!((found.target_group_name(), found.port()), (Some("demo-5044"), Some(5044)));
        assert_eq!(found.load_balancer_arns(), std::slice::from_ref(load_balancer));
        assert_eq!(found.target_type().unwrap().as_str(), "ip");
    }
}

#[tokio::test]
async fn a_missing_group_or_load_balancer_is_a_modelled_error() {
    let local = demo().await;
    let call = || local.elb.describe_target_groups();
    for call in [call().target_group_arns(NOBODY), call().names("nobody"), call().names("demo-5044").names("nobody")] {
        assert!(call.send().await.unwrap_err().into_service_error().is_target_group_not_found_exception());
    }
    let nobody = call().load_balancer_arn("arn:aws:nobody").send().await.unwrap_err().into_service_error();
    assert!(nobody.is_load_balancer_not_found_exception());
    let health = local.elb.describe_target_health().target_group_arn(NOBODY).send().await.unwrap_err();
    assert_eq!(health.raw_response().unwrap().status().as_u16(), 400);
    assert!(health.into_service_error().is_target_group_not_found_exception());
    let one = target(SPOT_ADDRESS, None);
    let call = local.elb.deregister_targets().target_group_arn(NOBODY).targets(one.clone());
    let error = call.send().await.unwrap_err().into_service_error();
    assert!(error.is_target_group_not_found_exception());
    assert_eq!(error.message(), Some("One or more target groups not found"));
    let register = local.elb.register_targets().target_group_arn(NOBODY).targets(one).send().await.unwrap_err();
    assert!(register.into_service_error().is_target_group_not_found_exception());
}

#[tokio::test]
async fn a_malformed_request_gets_an_error() {
    let local = demo().await;
    let group = &local.scene.group;
    let call = || local.elb.deregister_targets().target_group_arn(group);
    let calls = [
        (call().targets(target("10.0.0.1", Some(0))), "Targets.member.1.Port"),
        (call().targets(target("10.0.0.1", Some(70_000))), "70000"),
        (call().set_targets(Some(Vec::new())), "at least one target"),
        (call().target_group_arn("demo").targets(target("10.0.0.1", None)), "'demo' is not a valid target group ARN"),
    ];
    for (call, text) in calls {
        let error = call.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("ValidationError"));
        assert!(error.message().unwrap().contains(text), "{error:?}");
    }
    let services = local.ecs.describe_services().cluster("demo").set_services(Some(vec!["a".to_owned(); 11]));
    let error = services.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception());
    assert!(error.message().unwrap().contains("1 to 10"));
}

#[tokio::test]
async fn a_deregistered_target_drains_then_is_unused() {
    let local = demo().await;
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
    let draining =
        local.health().await.into_iter().find(|one| one.target().unwrap().id() == Some(SPOT_ADDRESS)).unwrap();
    let health = draining.target_health().unwrap();
    assert_eq!(health.state(), Some(&TargetHealthStateEnum::Draining));
    assert_eq!(health.reason(), Some(&TargetHealthReasonEnum::DeregistrationInProgress));
    assert_eq!(health.description(), Some("Target deregistration is in progress"));

    local.aws.advance(Duration::from_secs(30));
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
    local.aws.advance(Duration::from_secs(30));
    assert_eq!(local.health_of(SPOT_ADDRESS).await, None, "deregistering again does not restart the delay");
    assert_eq!(local.health().await.len(), 3);

    let call = local.elb.describe_target_health().target_group_arn(&local.scene.group);
    let answer =
        call.targets(target(SPOT_ADDRESS, Some(5044))).targets(target("10.0.1.11", None)).send().await.unwrap();
    let [gone, there] = answer.target_health_descriptions() else { panic!("{answer:?}") };
    assert_eq!(gone.target_health().unwrap().state(), Some(&TargetHealthStateEnum::Unused));
    assert_eq!(gone.target_health().unwrap().reason(), Some(&TargetHealthReasonEnum::NotRegistered));
    assert_eq!(there.target_health().unwrap().state(), Some(&TargetHealthStateEnum::Healthy));
    assert_eq!((there.target().unwrap().port(), there.target_health().unwrap().reason()), (Some(5044), None));
}

#[tokio::test]
async fn a_target_is_deregistered_by_its_exact_port() {
    let local = with(|scene| {
        scene.world.register(&scene.group, ("10.0.9.9", 6000), State::Healthy, Duration::ZERO).unwrap();
    })
    .await;
    local.deregister(target("10.0.9.9", None)).await.unwrap();
    local.deregister(target("10.0.9.9", Some(7000))).await.unwrap();
    assert_eq!(local.health_of("10.0.9.9").await, Some(TargetHealthStateEnum::Healthy));
    local.deregister(target("10.0.9.9", Some(6000))).await.unwrap();
    assert_eq!(local.health_of("10.0.9.9").await, Some(TargetHealthStateEnum::Draining));
}

#[tokio::test]
async fn without_a_port_the_groups_port_applies() {
    let local = demo().await;
    local.deregister(target(SPOT_ADDRESS, None)).await.unwrap();
    assert_eq!(local.state(), Some(State::Draining));
    let call = local.elb.register_targets().target_group_arn(&local.scene.group).targets(target(SPOT_ADDRESS, None));
    call.send().await.unwrap();
    assert_eq!(local.state(), Some(State::Initial), "registered again, it is active again");
}

#[tokio::test]
async fn deregistering_an_unknown_target_succeeds() {
    let local = demo().await;
    local.deregister(target("10.0.77.77", Some(5044))).await.unwrap();
    assert_eq!(local.health().await.len(), 4);
}

#[tokio::test]
async fn one_invalid_target_fails_the_whole_call() {
    let local = with(|scene| scene.world.reject_target(&scene.group, "10.0.2.22").unwrap()).await;
    for bad in ["10.0.2.22", "fd00::1", "i-0123456789abcdef0"] {
        let call = local.elb.deregister_targets().target_group_arn(&local.scene.group);
        let call = call.targets(target(SPOT_ADDRESS, Some(5044))).targets(target(bad, Some(5044)));
        let error = call.send().await.unwrap_err().into_service_error();
        assert!(error.is_invalid_target_exception(), "{bad}: {error:?}");
        assert!(error.message().unwrap().contains(bad));
    }
    assert_eq!(local.state(), Some(State::Healthy));
}

#[tokio::test]
async fn ipv6_targets_register_and_drain() {
    let mut scene = Scene::demo();
    let group =
        scene.world.add_group(Group::new("six", 443).ip_address_type(IpAddressType::Ipv6).warm_up(Duration::ZERO));
    scene.group.clone_from(&group);
    let aws = LocalAws::start(scene.world.clone()).await.unwrap();
    let (elb, ecs) = clients(&aws);
    let local = Local { aws, elb, ecs, scene };
    local.elb.register_targets().target_group_arn(&group).targets(target("fd00::1", None)).send().await.unwrap();
    assert_eq!(local.health_of("fd00::1").await, Some(TargetHealthStateEnum::Healthy));
    local.deregister(target("fd00::1", Some(443))).await.unwrap();
    assert_eq!(local.health_of("fd00::1").await, Some(TargetHealthStateEnum::Draining));
    assert_eq!(local.aws.calls().last().unwrap().action, "DescribeTargetHealth");
}

#[tokio::test]
async fn twenty_deregistrations_pass_at_once_and_then_four_a_second() {
    let local = demo().await;
    // The clock runs on by itself here, so a token more may come in: no call beyond the twenty-first is counted on.
    let mut refused = None;
    for number in 1..=100 {
        if let Err(error) = local.deregister(target("10.0.77.77", Some(5044))).await {
            assert!(number > 20, "call {number}");
            refused = Some(error);
            break;
        }
    }
    let error = refused.expect("a call is refused");
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert_eq!((error.code(), error.message()), (Some("Throttling"), Some("Rate exceeded")));
    local.aws.advance(Duration::from_millis(250));
    local.deregister(target("10.0.77.77", Some(5044))).await.unwrap();
}

#[tokio::test]
async fn throttles_can_be_off() {
    let local = with(|scene| scene.world.set_throttles(Throttles::Off)).await;
    for _ in 0..100 {
        local.deregister(target("10.0.77.77", Some(5044))).await.unwrap();
    }
}

#[tokio::test]
async fn a_fault_prevents_the_call() {
    let local = demo().await;
    let table = [
        (Fault::Refuse, 400, "Throttling"),
        (Fault::AccessDenied, 403, "AccessDenied"),
        (Fault::ServerError, 500, "InternalFailure"),
        (Fault::Unavailable, 503, "ServiceUnavailable"),
    ];
    for (fault, status, code) in table {
        local.aws.world().add_fault(fault.on(Action::DeregisterTargets).times(1));
        let error = local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        let error = error.into_service_error();
        assert_eq!(error.code(), Some(code));
        if fault == Fault::AccessDenied {
            let text = format!("perform: elasticloadbalancing:DeregisterTargets on resource: {}", local.scene.group);
            assert!(error.message().unwrap().contains(&text), "{error:?}");
        }
        assert_eq!(local.state(), Some(State::Healthy));
    }
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn ecs_has_its_own_throttling_error() {
    let local = demo().await;
    let call = || local.ecs.describe_services().cluster("demo").services("logstash").send();
    local.aws.world().add_fault(Fault::Refuse.times(1));
    let error = call().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    assert_eq!(error.into_service_error().code(), Some("ThrottlingException"));
    local.aws.world().add_fault(Fault::AccessDenied.times(1));
    assert!(call().await.unwrap_err().into_service_error().is_access_denied_exception());
    local.aws.world().add_fault(Fault::ServerError.times(1));
    assert!(call().await.unwrap_err().into_service_error().is_server_exception());
    call().await.unwrap();
}

#[tokio::test]
async fn a_reset_ends_the_connection_before_or_after_the_work() {
    let local = demo().await;
    for (fault, state) in [(Fault::Reset, State::Healthy), (Fault::ResetAfterWork, State::Draining)] {
        local.aws.world().add_fault(fault.times(1));
        let error = local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap_err();
        let SdkError::DispatchFailure(failure) = error else { panic!("{error:?}") };
        assert!(failure.is_io(), "{failure:?}");
        assert_eq!(local.state(), Some(state));
    }
    assert_eq!(local.answers(), [CallResult::NoAnswer, CallResult::NoAnswer]);
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn a_hang_lasts_until_the_caller_times_out() {
    let local = demo().await;
    for (fault, state) in [(Fault::Hang, State::Healthy), (Fault::HangAfterWork, State::Draining)] {
        local.aws.world().add_fault(fault.times(1));
        let error = local.deregister_impatiently().await.unwrap_err();
        assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(local.state(), Some(state));
    }
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_work() {
    let local = demo().await;
    local.aws.world().add_fault(FaultRule::from(Fault::Slow(Duration::from_mins(1))).times(1));
    let error = local.deregister_impatiently().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(local.state(), Some(State::Draining));
    assert_eq!(local.answers(), [CallResult::Ok]);
    local.aws.world().add_fault(Fault::Slow(Duration::from_millis(1)).times(1).delay(Duration::from_millis(1)));
    local.aws.world().set_latency(Duration::from_millis(1));
    local.deregister(target(SPOT_ADDRESS, Some(5044))).await.unwrap();
}

#[tokio::test]
async fn describes_services_with_tags_only_if_requested() {
    let local = with(|scene| {
        let blue = LoadBalancer::new("blue", "web", 80).alternate("green");
        let set = TaskSet {
            id: "ecs-svc/1".to_owned(),
            task_set_arn: "arn:set".to_owned(),
            status: "PRIMARY".to_owned(),
            load_balancers: vec![LoadBalancer::new("of-the-set", "web", 80)],
        };
        let web = Service::new("demo", "web").load_balancer(blue).tag("spotdrain", "off");
        scene.world.add_service(web.task_set(set).deployed_by(DeploymentController::CodeDeploy));
    })
    .await;
    let call = || {
        let Scene { cluster, service, .. } = &local.scene;
        local.ecs.describe_services().cluster(cluster).services(service).services("web").services("nobody")
    };
    let answer = call().send().await.unwrap();
    let [logstash, web] = answer.services() else { panic!("{answer:?}") };
    assert_eq!(logstash.load_balancers()[0].target_group_arn(), Some(local.scene.group.as_str()));
    assert_eq!(logstash.load_balancers()[0].container_port(), Some(5044));
    assert_eq!((logstash.desired_count(), logstash.running_count(), logstash.status()), (4, 4, Some("ACTIVE")));
    assert_eq!(logstash.capacity_provider_strategy().len(), 2);
    let other = web.load_balancers()[0].advanced_configuration().unwrap();
    assert_eq!(other.alternate_target_group_arn(), Some("green"));
    assert_eq!(web.task_sets()[0].load_balancers()[0].target_group_arn(), Some("of-the-set"));
    assert_eq!(web.deployment_controller().unwrap().r#type().as_str(), "CODE_DEPLOY");
    assert!(web.tags().is_empty());
    let [missing] = answer.failures() else { panic!("{answer:?}") };
    assert_eq!(missing.reason(), Some("MISSING"));
    assert_eq!(missing.arn(), Some("arn:aws:ecs:eu-central-1:123456789012:service/demo/nobody"));

    let answer = call().include(ServiceField::Tags).send().await.unwrap();
    assert_eq!(answer.services()[1].tags()[0].value(), Some("off"));
    let elsewhere = local.ecs.describe_services().cluster("nobody").services("web").send().await.unwrap_err();
    assert!(elsewhere.into_service_error().is_cluster_not_found_exception());
}

#[tokio::test]
async fn describes_a_task_and_its_interruption() {
    let local = with(|scene| scene.world.set_epoch(Duration::from_secs(1_700_000_000))).await;
    let spot = &local.scene.spot[0];
    let describe = || async {
        let call = local.ecs.describe_tasks().cluster("demo").tasks(spot).include(TaskField::Tags);
        call.send().await.unwrap().tasks()[0].clone()
    };
    let task = describe().await;
    assert_eq!((task.last_status(), task.desired_status()), (Some("RUNNING"), Some("RUNNING")));
    assert_eq!((task.group(), task.capacity_provider_name()), (Some("service:logstash"), Some("FARGATE_SPOT")));
    let detail = |name| task.attachments()[0].details().iter().find(|one| one.name() == Some(name)).unwrap().value();
    assert_eq!(detail("privateIPv4Address"), Some(SPOT_ADDRESS));
    assert!(detail("networkInterfaceId").unwrap().starts_with("eni-"));
    assert_eq!(task.containers()[0].network_interfaces()[0].private_ipv4_address(), Some(SPOT_ADDRESS));
    assert_eq!(task.started_at().unwrap().secs(), 1_700_000_000 - 3600);

    local.aws.world().interrupt(spot, Duration::from_millis(5_250)).unwrap();
    let interrupted = describe().await;
    assert_eq!((interrupted.last_status(), interrupted.desired_status()), (Some("RUNNING"), Some("STOPPED")));
    assert_eq!(interrupted.stop_code(), Some(&TaskStopCode::SpotInterruption));
    assert_eq!(interrupted.stopped_reason(), Some("Your Spot Task was interrupted."));
    assert_eq!(interrupted.stopping_at().unwrap().to_millis().unwrap(), 1_700_000_005_250);
    assert_eq!(interrupted.version(), task.version() + 1);

    local.aws.world().set_last_status(spot, TaskStatus::Stopped, Duration::from_mins(1)).unwrap();
    let stopped = describe().await;
    assert_eq!((stopped.last_status(), stopped.attachments()[0].status()), (Some("STOPPED"), Some("DELETED")));
    local.aws.world().remove_task(spot).unwrap();
    let answer = local.ecs.describe_tasks().cluster("demo").tasks(spot).send().await.unwrap();
    assert_eq!(answer.failures()[0].arn(), Some(spot.as_str()));
}

#[tokio::test]
async fn a_task_can_have_an_ipv6_address_only() {
    let id = "0123456789abcdef0123456789abcdef";
    let mut world = World::new();
    world.add_task(Task::new("six", id).ipv6("fd00::1").container("sidecar"));
    let aws = LocalAws::start(world).await.unwrap();
    let (_, ecs) = clients(&aws);
    let answer = ecs.describe_tasks().cluster("six").tasks(id).send().await.unwrap();
    let containers = answer.tasks()[0].containers();
    assert_eq!(containers.len(), 2);
    assert!(containers.iter().all(|one| one.network_interfaces()[0].ipv6_address() == Some("fd00::1")));
}

#[tokio::test]
async fn an_unsupported_action_is_refused() {
    let local = demo().await;
    let elb = local.elb.describe_account_limits().send().await.unwrap_err().into_service_error();
    assert_eq!(elb.code(), Some("InvalidAction"));
    let ecs = local.ecs.list_account_settings().send().await.unwrap_err().into_service_error();
    assert_eq!(ecs.code(), Some("UnknownOperationException"));
}

#[test]
fn serves_from_a_thread_and_stops_when_dropped() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let address = aws.endpoint().strip_prefix("http://").unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (elb, _) = clients(&aws);
    let groups = runtime.block_on(elb.describe_target_groups().send()).unwrap();
    assert_eq!(groups.target_groups().len(), 1);
    drop(aws);
    assert!(std::net::TcpStream::connect(address).is_err());
}
