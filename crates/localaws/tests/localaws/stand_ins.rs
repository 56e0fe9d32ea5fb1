//! This crate agrees with moto wherever moto agrees with AWS.
//!
//! moto 5.2.5 differs from AWS in the points that this crate exists for: it identifies targets by id only, fails to deregister what is not
//! registered, and never drains. So the test compares only registering, the healthy state, the health check port, a group's
//! common fields and one error.
//! Needs the aws command, and `LOCALAWS_MOTO`: the path of `moto_server`.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::common::cli::Cli;
use crate::common::http;
use serde_json::{Value, json};
use spotdrain_localaws::{Group, LocalAws, World};

/// A moto server that stops when it is dropped.
struct Moto {
    server: Child,
    endpoint: String,
}

impl Moto {
    /// Starts on a free port, which the server prints on its standard error.
    fn start(program: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("moto_server starts");
        let mut lines = BufReader::new(server.stderr.take().expect("is piped")).lines().map_while(Result::ok);
        let running = lines.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        let endpoint = running.expect("moto_server prints its address");
        // What it writes afterwards must go somewhere.
        thread::spawn(move || lines.for_each(drop));
        Self { server, endpoint }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// The compared answers of one of the two.
#[derive(Debug, PartialEq)]
struct Seen {
    group: Value,
    health: Value,
    error: (u16, String),
}

fn look(cli: &Cli, endpoint: &str, group: &str) -> Seen {
    let register = ["elbv2", "register-targets", "--target-group-arn", group, "--targets", "Id=10.0.0.7,Port=6000"];
    assert_eq!(cli.run(endpoint, &register).error, "");
    let health = cli.run(endpoint, &["elbv2", "describe-target-health", "--target-group-arn", group]).json;
    let groups = cli.run(endpoint, &["elbv2", "describe-target-groups", "--target-group-arns", group]).json;
    let one = &health["TargetHealthDescriptions"][0];
    Seen {
        group: common_fields(&groups["TargetGroups"][0]),
        health: json!([
            one["Target"]["Id"],
            one["Target"]["Port"],
            one["HealthCheckPort"],
            one["TargetHealth"]["State"]
        ]),
        error: not_found(endpoint, group),
    }
}

fn common_fields(group: &Value) -> Value {
    let fields = ["TargetGroupName", "Protocol", "Port", "TargetType", "IpAddressType", "HealthCheckPort"];
    fields.into_iter().map(|field| (field.to_owned(), group[field].clone())).collect()
}

/// HTTP status and error code for a missing group. moto needs a signature only to identify the service.
fn not_found(endpoint: &str, group: &str) -> (u16, String) {
    let headers = "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: AWS4-HMAC-SHA256 Credential=local/\
                   20260101/eu-central-1/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0\r\n";
    let nobody = group.replace("demo", "nobody");
    let form = format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={nobody}");
    let (status, body) = http::request(endpoint, "POST", "/", headers, &form);
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    (status, code.map(|(code, _)| code.to_owned()).unwrap_or(body))
}

fn group_in_moto(cli: &Cli, endpoint: &str) -> String {
    let vpc = cli.run(endpoint, &["ec2", "create-vpc", "--cidr-block", "10.0.0.0/16"]).json;
    let vpc = vpc["Vpc"]["VpcId"].as_str().expect("a VPC").to_owned();
    let kind = ["elbv2", "create-target-group", "--name", "demo", "--protocol", "TCP", "--port", "5044"];
    let group = cli
        .run(endpoint, &[&kind[..], &["--target-type", "ip", "--vpc-id", &vpc, "--health-check-port", "8081"]].concat())
        .json;
    group["TargetGroups"][0]["TargetGroupArn"].as_str().expect("a target group").to_owned()
}

#[test]
fn moto_agrees_where_it_agrees_with_aws() {
    let Some(cli) = Cli::find() else { return };
    let Ok(program) = env::var("LOCALAWS_MOTO") else {
        println!("skipped: LOCALAWS_MOTO does not name a moto_server (pip install 'moto[server,elbv2,ec2]')");
        return;
    };
    let moto = Moto::start(&program);
    let theirs = look(&cli, &moto.endpoint, &group_in_moto(&cli, &moto.endpoint));

    let mut world = World::new();
    let group = world.add_group(Group::new("demo", 5044).health_check_port(8081).warm_up(Duration::ZERO));
    let aws = LocalAws::spawn_thread(world).unwrap();
    let ours = look(&cli, &aws.endpoint(), &group);
    assert_eq!(ours, theirs);
    assert_eq!(ours.error, (400, "TargetGroupNotFound".to_owned()));
    assert_eq!(ours.health, json!(["10.0.0.7", 6000, "8081", "healthy"]));
}
