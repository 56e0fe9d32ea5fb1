//! `ELBv2`: target groups, target health, draining and errors.

use super::*;

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
