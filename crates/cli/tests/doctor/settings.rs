//! What is set of services, groups and tasks.

use std::time::Duration;

use serde_json::json;
use spotdrain_localaws::{Action, Fault, Group, IpAddressType, LoadBalancer, Scene, Service, State, Target};

use crate::deployed::{deployed, examined, ids, not_checked, pattern};

#[test]
fn what_is_deployed_as_it_should_be_has_no_finding_and_all_of_it_is_checked() {
    let (code, record) = examined(deployed().world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (0, vec![]), "{record}");
    assert_eq!(record["forecasts"][0]["last_new_connection_seconds"], 122);
    assert_eq!(not_checked(&record), "[]");
    // An NLB without the hold: the forecast is the one finding.
    let finding = &record["findings"][0];
    assert_eq!((&finding["check"], &finding["impact"]["seconds"]), (&json!("SD057"), &json!(100)));
}

#[test]
fn each_fault_of_what_is_deployed_is_found() {
    type Change = fn(&mut Scene);
    let table: [(&str, Change); 18] = [
        ("SD037", |scene| {
            scene.world.add_scalable_target(json!({
                "ServiceNamespace": "ecs", "ResourceId": "service/demo/logstash", "MinCapacity": 1, "MaxCapacity": 9,
                "ScalableDimension": "ecs:service:DesiredCount", "RoleARN": "arn:aws:iam::123456789012:role/scaling",
                "CreationTime": 1_700_000_000,
            }));
        }),
        ("SD038", |scene| {
            let deployment = json!({"minimumHealthyPercent": 100, "maximumPercent": 100});
            let fields = json!({"deploymentConfiguration": deployment});
            scene.world.set_service(&scene.service, fields);
        }),
        ("SD041", |scene| {
            let container = json!({"name": "logstash", "stopTimeout": 121, "portMappings": [{"containerPort": 5044}]});
            scene.world.set_task_definition("logstash", json!({"containerDefinitions": [container]}));
        }),
        ("SD051", |scene| {
            let fields = json!({"EventPattern": pattern("SpotInterruption"), "Targets": [{"InputPath": "$.detail"}]});
            scene.world.remove_rule("notices");
            scene.world.add_rule("notices", &["arn:aws:sqs:eu-central-1:123456789012:notices"], fields);
        }),
        ("SD054", |scene| {
            let queue = "arn:aws:sqs:eu-central-1:123456789012:notices";
            scene.world.set_attribute(queue, "KmsMasterKeyId", "alias/aws/sqs");
        }),
        ("SD055", |scene| {
            let queue = "arn:aws:sqs:eu-central-1:123456789012:notices";
            scene.world.set_attribute(queue, "Policy", "");
        }),
        ("SD056", |scene| scene.world.set_function("spotdrain", "ReservedConcurrentExecutions", &json!(0))),
        ("SD058", |scene| {
            let fields = json!({"availabilityZoneRebalancing": "ENABLED"});
            scene.world.set_service(&scene.service, fields);
        }),
        ("SD009", |scene| {
            scene.world.set_task_definition(
                "logstash",
                json!({"containerDefinitions": [{"name": "logstash", "portMappings": [{"containerPort": 5044}]}]}),
            );
        }),
        ("SD013", |scene| {
            scene.world.set_attribute(&scene.group, "deregistration_delay.connection_termination.enabled", "true");
        }),
        ("SD014", |scene| {
            scene.world.set_attribute(
                &scene.group,
                "target_health_state.unhealthy.connection_termination.enabled",
                "true",
            );
        }),
        ("SD007", |scene| {
            scene.world.set_service(&scene.service, json!({"deploymentConfiguration": {"minimumHealthyPercent": 0}}));
        }),
        ("SD006", |scene| scene.world.service_mut(&scene.service).unwrap().desired_count = 1),
        ("SD005", |scene| {
            scene.world.set_task_definition("logstash", json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, "containerDefinitions": []}));
        }),
        ("SD003", |scene| {
            scene.world.set_service(
                &scene.service,
                json!({
                    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
                }),
            );
        }),
        ("SD001", |scene| {
            scene.world.set_service(&scene.service, json!({"capacityProviderStrategy": [], "launchType": "FARGATE"}));
        }),
        ("SD029", |scene| {
            let service = scene.world.service_mut(&scene.service).unwrap();
            *service = service.clone().tag("spotdrain", "off");
        }),
        ("SD036", |scene| {
            for address in ["10.0.1.11", "10.0.1.12"] {
                scene.world.set_state(&scene.group, (address, 5044), State::Unused, Duration::ZERO).unwrap();
            }
        }),
    ];
    for (id, change) in table {
        let mut scene = deployed();
        change(&mut scene);
        let (code, record) = examined(scene.world, &["--cluster", "demo", "--service", "logstash"]);
        assert_eq!(ids(&record), [id], "{record}");
        let is_error = record["findings"][0]["severity"] == "error";
        assert_eq!(code, i32::from(is_error), "{id}");
    }
}

#[test]
fn why_targets_are_unused_the_listeners_tell() {
    let unused = |with_balancer: bool, may_ask: bool| {
        let mut scene = deployed();
        if !may_ask {
            scene.world.add_fault(Fault::AccessDenied.on(Action::DescribeListeners));
        }
        let group = Group::new("web", 80).deregistration_delay(Duration::from_mins(1));
        let group = if with_balancer { group.load_balancer(&scene.load_balancer) } else { group };
        let group = group.target("10.0.1.21", State::Unused).target("10.0.1.22", State::Unused);
        let group = scene.world.add_group(group);
        let balancer = LoadBalancer::new(&group, "web", 80);
        let service = Service::new("demo", "web").load_balancer(balancer).desired_count(4);
        scene.world.add_service(service.capacity_provider("FARGATE", 1, 2).capacity_provider("FARGATE_SPOT", 1, 0));
        let (_, record) = examined(scene.world, &["--cluster", "demo", "--service", "web"]);
        let mut found = record["findings"].as_array().unwrap().clone();
        found.retain(|one| one["check"] == "SD036");
        (found[0]["problem"].as_str().unwrap().to_owned(), found[0]["fix"]["command"].as_str().unwrap().to_owned())
    };
    let (found, fix) = unused(true, true);
    assert_eq!(
        found,
        "2 targets are unused (Target.NotInUse): in a zone that the load balancer is not in, of TCP:80 of load balancer demo"
    );
    assert!(fix.starts_with("aws elbv2 set-subnets"), "{fix}");
    let (found, fix) = unused(false, true);
    assert_eq!(found, "2 targets are unused (Target.NotInUse): no listener forwards to the group");
    assert!(fix.starts_with("aws elbv2 create-listener"), "{fix}");
    let (found, _) = unused(true, false);
    assert!(found.contains("elasticloadbalancing:DescribeListeners because no"), "{found}");
}

#[test]
fn aws_own_defaults_are_found_in_a_group_and_the_thin_zone_too() {
    let mut scene = deployed();
    let group = scene.world.add_group(Group::new("web", 80).health_check(60, 3).ip_address_type(IpAddressType::Ipv6));
    let service = Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 8080)).desired_count(4);
    scene.world.add_service(service.capacity_provider("FARGATE", 1, 1).capacity_provider("FARGATE_SPOT", 1, 0));
    let now = Duration::ZERO;
    for (address, zone) in [("10.0.1.11", "eu-central-1a"), ("10.0.1.12", "eu-central-1a")] {
        let target = Target { zone: Some(zone.to_owned()), ..(address, 5044).into() };
        scene.world.set_state(&scene.group, target, State::Unhealthy, now).unwrap();
    }
    let (_, record) = examined(scene.world, &[]);
    let output: Vec<_> = record["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["check"], one["subject"]))
        .collect();
    for (id, subject) in [("SD012", "web"), ("SD016", "web"), ("SD018", "web")] {
        assert!(output.contains(&format!("\"{id}\" \"target group {subject}\"")), "{output:?}");
    }
    // The service has no task whose addresses could be seen, and no task definition that can be read.
    let unknown = not_checked(&record);
    assert!(unknown.contains("SD019") && unknown.contains("Unable to describe task definition"), "{unknown}");
}

#[test]
fn a_service_that_is_deleted_while_it_is_read_does_not_end_the_run() {
    let mut scene = deployed();
    scene.world.add_service(Service::new("demo", "gone").capacity_provider("FARGATE", 1, 0).desired_count(2));
    scene.world.add_fault(Fault::Missing.on(Action::DescribeServices).naming("gone"));
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    let unknown = not_checked(&record);
    assert!(unknown.contains("service demo/") && unknown.contains("deleted while the cluster was read"), "{unknown}");
    assert_eq!(code, 0, "the function was examined: {record}");
}

#[test]
fn where_auto_scaling_may_not_be_asked_the_count_is_not_checked() {
    let mut scene = deployed();
    scene.world.add_fault(Fault::AccessDenied.on(Action::DescribeScalableTargets));
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    let unknown = not_checked(&record);
    assert!(
        unknown.contains("application-autoscaling:DescribeScalableTargets") && unknown.contains("SD006"),
        "{unknown}"
    );
    assert_eq!(code, 0, "{record}");
}
