//! ECS: services, tasks and errors.

use super::*;

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
