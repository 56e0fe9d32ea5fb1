//! The size of the function, and its memory for a batch of a thousand.
//!
//! The release build runs as a process under a Runtime API, against the local AWS without throttling. The kernel reports its
//! peak memory. The targets: under 9 MB stripped, under 64 MB of memory.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    clippy::cast_precision_loss,
    reason = "a bench prints, and indexes JSON"
)]

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Duration;

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use serde_json::{Value, json};
use spotdrain_localaws::{Group, LoadBalancer, LocalAws, Service, State, Throttles, World};

const FUNCTION: &str = env!("CARGO_BIN_EXE_function-under-test");
const SAMPLE: &str = include_str!("../../../events/spot-interruption.json");
const TASKS: u32 = 1000;
const GROUPS: u32 = 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn address(number: u32) -> String {
    format!("10.1.{}.{}", number / 250, number % 250 + 1)
}

fn world() -> World {
    let mut world = World::new();
    world.set_throttles(Throttles::Off);
    world.add_cluster("demo");
    for group in 0..GROUPS {
        let name = format!("service-{group}");
        let all = (group..TASKS).step_by(GROUPS as usize).map(address).chain(["10.200.0.1".to_owned()]);
        let targets = all.fold(Group::new(&name, 80), |group, address| group.target(address.as_str(), State::Healthy));
        let arn = world.add_group(targets);
        world.add_service(Service::new("demo", &name).load_balancer(LoadBalancer::new(&arn, "web", 80)));
    }
    world
}

fn event(number: u32) -> Result<String> {
    let now = jiff::Timestamp::now();
    let mut event: Value = serde_json::from_str(SAMPLE)?;
    let detail = &mut event["detail"];
    detail["taskArn"] = format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{number:032x}").into();
    detail["group"] = format!("service:service-{}", number % GROUPS).into();
    detail["attachments"][0]["details"][4]["value"] = address(number).into();
    detail["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] = address(number).into();
    detail["stoppingAt"] = now.to_string().into();
    Ok(event.to_string())
}

fn batch() -> Result<Value> {
    let record =
        |number| Ok(json!({"messageId": format!("m{number}"), "body": event(number)?, "eventSource": "aws:sqs"}));
    Ok(json!({"Records": (0..TASKS).map(record).collect::<Result<Vec<_>>>()?}))
}

fn main() -> Result<()> {
    let megabytes = std::fs::metadata(FUNCTION)?.len() as f64 / 1e6;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (deregistered, peak) = runtime.block_on(measure())?;
    println!("spotdrain-lambda, stripped        {megabytes:>6.1} MB   (aim: under 9)");
    println!(
        "peak memory, batch of {TASKS}       {peak:>6.1} MB   (aim: under 64; {deregistered} targets deregistered)"
    );
    Ok(())
}

/// Returns the number of deregistered targets, and the function's peak resident memory in megabytes.
async fn measure() -> Result<(usize, f64)> {
    let local = LocalAws::spawn_thread(world())?;
    let simulator = Simulator::builder().build().await?;
    let mut child = Command::new(FUNCTION)
        .envs(simulator.lambda_env_vars())
        .env("AWS_ENDPOINT_URL", local.endpoint())
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "k")
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .stdout(Stdio::null())
        .spawn()?;
    let invocation = InvocationBuilder::new().payload(batch()?).timeout_ms(30_000).build()?;
    let id = simulator.enqueue(invocation).await;
    let done = simulator.wait_for_invocation_complete(&id, Duration::from_mins(1)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    child.kill()?;
    child.wait()?;
    let done = done?;
    if done.status != InvocationStatus::Success {
        return Err(format!("the invocation failed: {:?}", done.error).into());
    }
    let calls = local.calls().into_iter().filter(|call| call.action == "DeregisterTargets");
    Ok((calls.map(|call| call.targets.len()).sum(), peak(&status?)?))
}

fn peak(status: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/PID/status")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
