//! The number and the rate of the doctor's calls.

use std::time::Duration;

use serde_json::json;
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, LocalAws, Service, State, Target, World};

use crate::command::{against, json};
use crate::deployed::deployed;

/// The times of the ELB calls, and whether they succeeded.
fn elb_calls(local: &LocalAws) -> Vec<(Duration, bool)> {
    let calls = local
        .calls()
        .into_iter()
        .filter(|call| ["DescribeTarget", "DescribeLoad"].iter().any(|api| call.action.starts_with(api)));
    calls.map(|call| (call.at, call.answer == spotdrain_localaws::CallResult::Ok)).collect()
}

#[test]
fn elb_calls_are_limited_to_three_a_second_and_pause_after_a_failure() {
    let mut scene = deployed();
    scene.world.add_fault(Fault::Refuse.on(Action::DescribeTargetHealth).times(1));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (code, _) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let calls = elb_calls(&local);
    assert_eq!((code, calls.len(), calls.iter().filter(|(_, ok)| !ok).count()), (0, 5, 1));
    for pair in calls.windows(2) {
        let gap = pair[1].0.checked_sub(pair[0].0).unwrap();
        let least = if pair[0].1 { Duration::from_millis(300) } else { Duration::from_secs(3) };
        assert!(gap >= least, "{gap:?} after {pair:?}");
    }
}

#[test]
fn a_load_balancer_is_read_once_and_only_if_a_group_inherits_its_setting() {
    let mut world = World::new();
    let balancer = |name: &str| format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/{name}");
    let (network, application) = (balancer("net/n/0123456789abcdef"), balancer("app/a/0123456789abcdef"));
    let table = [("n1", "TCP", &network), ("n2", "TCP", &network), ("a1", "HTTP", &application)];
    for (name, protocol, balancer) in table {
        let group = world.add_group(Group::new(name, 80).protocol(protocol).load_balancer(balancer));
        let service = Service::new("demo", name).load_balancer(LoadBalancer::new(&group, name, 80)).desired_count(2);
        world.add_service(service.capacity_provider("FARGATE_SPOT", 1, 0));
    }
    let local = LocalAws::spawn_thread(world).unwrap();
    json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let asked = |action: &str| local.calls().iter().filter(|call| call.action == action).count();
    let counts = ["DescribeTargetGroups", "DescribeLoadBalancerAttributes", "DescribeTargetGroupAttributes"].map(asked);
    assert_eq!((counts, elb_calls(&local).len()), ([1, 1, 3], 8));
}

#[test]
fn many_services_are_read_in_pages_and_share_a_task_definition() {
    let mut world = World::new();
    world.set_task_definition("app", json!({"containerDefinitions": []}));
    for number in 0..25 {
        let name = format!("s{number:02}");
        let arn =
            world.add_service(Service::new("many", &name).capacity_provider("FARGATE_SPOT", 1, 0).desired_count(2));
        world.set_service(&arn, json!({"taskDefinition": "app"}));
    }
    let local = LocalAws::spawn_thread(world).unwrap();
    let (_, record) = json(against(&local, &["doctor", "--json"]));
    assert_eq!(record["services"], 25);
    let count = |action: &str| local.calls().iter().filter(|call| call.action == action).count();
    assert_eq!((count("ListServices"), count("DescribeServices"), count("DescribeTaskDefinition")), (1, 3, 1));
}

/// Adds a service with its own target group. 50 groups share a load balancer, which is its quota of listeners.
fn add_service(world: &mut World, number: usize) {
    let name = format!("s{number:04}");
    let balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net";
    let target = |zone: &str, address: String| Target { zone: Some(zone.to_owned()), ..(address.as_str(), 80).into() };
    let (high, low) = (number / 250, number % 250);
    let group = Group::new(&name, 80)
        .load_balancer(&format!("{balancer}/n{0:02}/{0:016x}", number / 50))
        .target(target("eu-central-1a", format!("10.1.{high}.{low}")), State::Healthy)
        .target(target("eu-central-1b", format!("10.2.{high}.{low}")), State::Healthy);
    let group = world.add_group(group);
    let service = Service::new("many", &name).load_balancer(LoadBalancer::new(&group, "app", 80)).desired_count(2);
    world.add_service(service.capacity_provider("FARGATE_SPOT", 1, 0));
    world.set_task_definition(
        &name,
        json!({"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 80}]}]}),
    );
}

/// Prints the duration for a thousand services, for docs/doctor.md: `cargo test -p spotdrain --test doctor -- --ignored --nocapture thousand`
#[test]
#[ignore = "takes twelve minutes, because the doctor makes three ELB calls a second"]
fn a_thousand_services_take_two_calls_each_and_few_others() {
    let mut world = deployed().world;
    (0..1000).for_each(|number| add_service(&mut world, number));
    world.set_latency(Duration::from_millis(30));
    let local = LocalAws::spawn_thread(world).unwrap();
    let start = std::time::Instant::now();
    let (_, record) = json(against(&local, &["doctor", "--json", "--cluster", "many"]));
    let (took, calls) = (start.elapsed(), elb_calls(&local));
    let refused = calls.iter().filter(|(_, ok)| !ok).count();
    println!(
        "{} services, {} calls of ELB, {refused} refused, {} calls in all, {:.0} s",
        record["services"],
        calls.len(),
        local.calls().len(),
        took.as_secs_f64()
    );
    assert_eq!((record["services"].as_u64(), calls.len(), refused), (Some(1000), 2070, 0));
}
