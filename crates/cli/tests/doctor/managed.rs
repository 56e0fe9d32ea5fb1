//! Ingress that ECS manages: its target groups are only in the service's revisions.

use serde_json::{Value, json};
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, LocalAws, Revision, Role, Scene, Service};

use crate::command::{against, json};
use crate::deployed::{deployed, examined, ids, not_checked, policy, rights};

const REVISION: &str = "arn:aws:ecs:eu-central-1:123456789012:service-revision/demo/logstash/1";

/// The demo, whose service has this revision in place of its target group. Its container has port 80, as in Express Mode.
fn revised(change: impl FnOnce(Revision, &str) -> Revision) -> Scene {
    let mut scene = deployed();
    let revision = change(Revision::new(REVISION), &scene.group);
    add_service(&mut scene, service().revision(revision));
    let container = json!({"name": "Main", "stopTimeout": 120, "portMappings": [{"containerPort": 80}]});
    scene.world.set_task_definition("logstash", json!({"containerDefinitions": [container]}));
    let read_revisions = json!({"Effect": "Allow", "Action": "ecs:DescribeServiceRevisions", "Resource": "*"});
    let all = [&rights()[..], &[read_revisions]].concat();
    scene.world.add_role(Role::new("spotdrain").policy("spotdrain", policy(&all)));
    scene
}

fn service() -> Service {
    let service = Service::new("demo", "logstash").desired_count(4);
    service.capacity_provider("FARGATE", 1, 2).capacity_provider("FARGATE_SPOT", 1, 0)
}

fn add_service(scene: &mut Scene, service: Service) {
    scene.service = scene.world.add_service(service);
}

/// The service's problem by this check.
fn problem<'a>(record: &'a Value, check: &str) -> &'a str {
    let findings = record["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check).unwrap()["problem"].as_str().unwrap()
}

#[test]
fn the_target_group_of_an_express_service_is_examined() {
    let mut scene = revised(Revision::ingress_path);
    scene.world.set_service(&scene.service, json!({"resourceManagementType": "ECS"}));
    scene.world.set_attribute(&scene.group, "deregistration_delay.timeout_seconds", "600");
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    assert_eq!((code, not_checked(&record).as_str()), (1, "[]"), "{record}");
    assert_eq!(ids(&record), ["SD012", "SD018", "SD050"], "{record}");
    assert!(problem(&record, "SD050").contains("target group demo-5044 is examined, but in no template"), "{record}");
    assert_eq!(record["forecasts"].as_array().unwrap().len(), 1);
}

#[test]
fn both_target_groups_of_a_gateway_are_examined() {
    let mut world = deployed().world;
    let alternate = world.add_group(Group::new("alternate", 5044));
    let mut scene = revised(|revision, group| revision.gateway_connection(group, Some(&alternate)));
    scene.world.add_group(Group::new("alternate", 5044));
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    let problem = problem(&record, "SD050");
    assert!(problem.contains("target group demo-5044 and target group alternate are examined"), "{record}");
    assert_eq!(code, 1, "{record}");
}

#[test]
fn a_target_group_that_the_service_names_too_is_examined_once() {
    let mut scene = revised(Revision::ingress_path);
    let revision = Revision::new(REVISION).ingress_path(&scene.group);
    let named = service().revision(revision).load_balancer(LoadBalancer::new(&scene.group, "Main", 80));
    add_service(&mut scene, named);
    let (_, record) = examined(scene.world, &["--cluster", "demo"]);
    let forecasts = record["forecasts"].as_array().unwrap().len();
    assert_eq!((ids(&record), forecasts), (vec!["SD018", "SD050"], 1), "{record}");
}

#[test]
fn a_container_that_the_revision_does_not_name_is_not_guessed() {
    let mut scene = revised(|revision, group| revision.gateway_connection(group, None));
    let container = |name: &str, port: u16| json!({"name": name, "portMappings": [{"containerPort": port}]});
    let containers = [container("web", 80), container("admin", 81)];
    scene.world.set_task_definition("logstash", json!({"containerDefinitions": containers}));
    let (_, record) = examined(scene.world, &["--cluster", "demo"]);
    let unknown = not_checked(&record);
    assert!(unknown.contains("SD009") && unknown.contains("does not name the container"), "{unknown}");
}

#[test]
fn the_function_needs_the_permission_to_read_revisions() {
    let mut scene = revised(Revision::ingress_path);
    scene.world.add_role(Role::new("spotdrain").policy("spotdrain", policy(&rights())));
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    assert_eq!(code, 1);
    assert!(problem(&record, "SD027").contains("ecs:DescribeServiceRevisions"), "{record}");
}

#[test]
fn unread_revisions_are_reported_as_not_checked() {
    for fault in [Fault::AccessDenied, Fault::Missing] {
        let mut scene = revised(Revision::ingress_path);
        scene.world.add_fault(fault.on(Action::DescribeServiceRevisions));
        let (_, record) = examined(scene.world, &["--cluster", "demo"]);
        let unknown = not_checked(&record);
        assert!(["SD009", "SD046", "SD050"].iter().all(|id| unknown.contains(id)), "{unknown}");
        assert!(unknown.contains("DescribeServiceRevisions"), "{unknown}");
    }
}

#[test]
fn the_revisions_of_services_on_demand_are_not_read() {
    let mut scene = revised(Revision::ingress_path);
    let on_demand = Service::new("demo", "logstash").desired_count(4).capacity_provider("FARGATE", 1, 0);
    let revision = Revision::new(REVISION).ingress_path(&scene.group);
    add_service(&mut scene, on_demand.revision(revision));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    assert!(local.calls().iter().all(|call| call.action != "DescribeServiceRevisions"));
}
