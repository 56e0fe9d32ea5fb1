//! The unknown is never taken for fine: a deployment in which everything is unknown has no finding, and every check reports it.

use std::collections::BTreeSet;

use spotdrain_doctor::check::Severity;
use spotdrain_doctor::ignore_file::Accepted;
use spotdrain_doctor::json::record;
use spotdrain_doctor::model::delivery::{Delivery, Function, Queue, Rule};
use spotdrain_doctor::model::group::{Attributes, Group, HealthCheck};
use spotdrain_doctor::model::root::{Deployment, Origin, Place, Unread};
use spotdrain_doctor::model::service::{Balancer, Capacity, Container, Service, TaskDefinition};
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::{CHECKS, examine};

fn unknown<T>() -> Setting<T> {
    Setting::Unknown("nobody knows".to_owned())
}

fn group() -> Group {
    Group {
        protocol: unknown(),
        port: unknown(),
        ip_address_type: unknown(),
        health_check: HealthCheck { interval: unknown(), threshold: unknown(), port: unknown(), protocol: unknown() },
        attributes: Attributes {
            delay: unknown(),
            cuts_after_delay: unknown(),
            cuts_unhealthy: unknown(),
            draining_interval: unknown(),
            minimum_healthy_count: unknown(),
            minimum_healthy_percentage: unknown(),
            slow_start: unknown(),
        },
        target_type: unknown(),
        cross_zone: unknown(),
        zones: unknown(),
        healthy_in_zones: unknown(),
        unused: unknown(),
        tags: unknown(),
        place: Place::live("target group a".to_owned()),
        ..Group::default()
    }
}

fn service() -> Service {
    let capacity =
        Capacity { launch_type: unknown(), strategy: unknown(), cluster_strategy: unknown(), providers: unknown() };
    let container = Container {
        name: "app".to_owned(),
        stop_timeout: unknown(),
        words: unknown(),
        environment: unknown(),
        ports: unknown(),
        depends_on: unknown(),
        ..Container::default()
    };
    let other = Container { name: "other".to_owned(), ..container.clone() };
    let containers = Setting::Set(vec![container, other]);
    let definition = TaskDefinition {
        compatibilities: unknown(),
        network_mode: unknown(),
        architecture: unknown(),
        system: unknown(),
        containers,
        place: Place::default(),
    };
    let balancer = Balancer {
        group: Setting::Set(group()),
        alternate: Setting::Set(group()),
        container: Setting::Set("app".to_owned()),
        port: Setting::Set(80),
        is_managed: false,
    };
    Service {
        place: Place::live("service a".to_owned()),
        cluster: unknown(),
        capacity,
        desired: unknown(),
        scaling: unknown(),
        minimum_healthy: unknown(),
        maximum: unknown(),
        circuit_breaker: unknown(),
        grace_period: unknown(),
        zone_rebalancing: unknown(),
        uses_ec2_placement: unknown(),
        reached_by: unknown(),
        platform_version: unknown(),
        balancers: Setting::Set(vec![balancer]),
        tag: unknown(),
        has_ipv6: unknown(),
        task_definition: Setting::Set(definition),
        ..Service::default()
    }
}

fn delivery() -> Delivery {
    let rule = Rule {
        pattern: unknown(),
        state: unknown(),
        bus: unknown(),
        input: unknown(),
        has_role: unknown(),
        ..Rule::default()
    };
    let queue = Queue {
        visibility: unknown(),
        responses: unknown(),
        filters: unknown(),
        kms_key: unknown(),
        policy: unknown(),
        ..Queue::default()
    };
    let function =
        Function { timeout: unknown(), environment: unknown(), reserved_concurrency: unknown(), ..Function::default() };
    Delivery { rule: Setting::Set(rule), queue: Setting::Set(queue), function, role: unknown() }
}

#[test]
fn what_is_not_known_is_never_fine() {
    let without_group = || Service { balancers: Setting::Set(Vec::new()), ..service() };
    let services = || vec![service(), without_group()];
    let deployment =
        |delivery| Deployment { services: services(), delivery, unread: Vec::new(), ..Deployment::default() };
    let mut said = BTreeSet::new();
    for delivery in [Setting::Set(delivery()), unknown()] {
        let diagnosis = examine(&deployment(delivery));
        assert!(diagnosis.findings.is_empty() && diagnosis.forecasts.is_empty(), "{:?}", diagnosis.findings);
        said.extend(diagnosis.not_checked.iter().flat_map(|entry| entry.checks.iter().copied()));
    }
    assert_eq!(said.into_iter().collect::<Vec<_>>(), CHECKS.map(|check| check.id));
}

/// A service as AWS makes it where nothing is set, with a strategy of Spot alone.
pub(super) fn careless() -> Deployment {
    let item =
        spotdrain_doctor::model::service::StrategyItem { provider: "FARGATE_SPOT".to_owned(), base: 0, weight: 1 };
    let group = Group {
        place: Place {
            name: "target group a".to_owned(),
            file: Some("t.yaml".to_owned()),
            line: Some(7),
            ..Place::default()
        },
        protocol: Setting::Set("TCP".to_owned()),
        port: Setting::Set(80),
        target_type: Setting::Set("ip".to_owned()),
        ..Group::default()
    };
    let container = Container { name: "app".to_owned(), ports: Setting::Set(vec![80]), ..Container::default() };
    let definition = TaskDefinition { containers: Setting::Set(vec![container]), ..TaskDefinition::default() };
    let service = Service {
        place: Place::live("service a".to_owned()),
        capacity: Capacity { strategy: Setting::Set(vec![item]), ..Capacity::default() },
        desired: Setting::Set(2),
        balancers: Setting::Set(vec![Balancer {
            group: Setting::Set(group),
            container: Setting::Set("app".to_owned()),
            port: Setting::Set(80),
            ..Balancer::default()
        }]),
        task_definition: Setting::Set(definition),
        ..Service::default()
    };
    Deployment {
        services: vec![service],
        delivery: Setting::Default,
        unread: vec![Unread { subject: "service b".to_owned(), why: "a right is missing".to_owned() }],
        origin: Origin::Template,
        ..Deployment::default()
    }
}

#[test]
fn aws_own_defaults_lose_connections() {
    let diagnosis = examine(&careless());
    let ids: Vec<_> = diagnosis.findings.iter().map(|finding| finding.check.id).collect();
    assert_eq!(ids, ["SD009", "SD012", "SD003", "SD033", "SD057"]);
    assert_eq!(diagnosis.worst(), Some(Severity::Error));
}

#[test]
fn accepted_findings_do_not_count_and_unused_entries_are_reported() {
    let mut diagnosis = examine(&careless());
    let text = "SD009 * # known\nSD012 target group * # known\nSD001 service * # gone";
    let accepted = Accepted::read(text).unwrap();
    assert_eq!(diagnosis.accept(&accepted), ["SD001 service * # gone"]);
    assert_eq!(diagnosis.worst(), Some(Severity::Warning));
}

#[test]
fn the_record_and_the_sarif_tell_all_of_it() {
    let mut diagnosis = examine(&careless());
    diagnosis.accept(&Accepted::read("SD012 * # clients reconnect").unwrap());
    insta::assert_json_snapshot!("doctor_record", record(&diagnosis));
    let mut log = sarif(&diagnosis, "0.0.0");
    let rules = log.pointer_mut("/runs/0/tool/driver/rules").unwrap();
    assert_eq!(rules.as_array().unwrap().len(), CHECKS.len());
    *rules = "left out".into();
    insta::assert_json_snapshot!("doctor_sarif", log);
}
