//! The article's function, for comparison: one event in an invocation, a new client for every event, four calls in a row, one
//! target in a call, and the SDK's three attempts. It replaces the article's function in Go, which does the same.

use std::error::Error;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_elasticloadbalancingv2::config::retry::RetryPartition;
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use aws_sdk_elasticloadbalancingv2::{Client, Config};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use crate::Result;
use crate::stage::{BALANCER, Stage};

/// The argument that starts this program as the article's function.
pub const AS_FUNCTION: &str = "--article-function";

type Failed = Box<dyn Error + Send + Sync>;

/// Serves invocations, as a process started by Lambda.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handler = service_fn(|event: LambdaEvent<Value>| async move {
        let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        handle(&config, &event.payload).await.map(|()| "done")
    });
    runtime.block_on(lambda_runtime::run(handler))
}

/// The configuration of an invocation in this process.
pub fn configuration(endpoint: &str) -> SdkConfig {
    let credentials = aws_credential_types::Credentials::from_keys("k", "s", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::new("eu-central-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
        .retry_config(aws_config::retry::RetryConfig::standard())
        .build()
}

/// Handles one event.
pub async fn handle(config: &SdkConfig, event: &Value) -> std::result::Result<(), Failed> {
    if event["detail"]["stopCode"] != "SpotInterruption" {
        return Ok(());
    }
    let address = event["detail"]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"].as_str();
    let address = address.ok_or("no address")?;
    let service = event["detail"]["group"].as_str().and_then(|group| group.rsplit('-').next()?.parse().ok());
    let group = Stage::group(service.ok_or("no service")?);
    // A process that handles one event has the SDK's budget of retries to itself.
    let alone = RetryPartition::new(event["detail"]["taskArn"].as_str().unwrap_or_default().to_owned());
    let client = Client::from_conf(Config::from(config).to_builder().retry_partition(alone).build());
    let balancers = client.describe_load_balancers().send().await?;
    let is_there = balancers.load_balancers().iter().any(|balancer| balancer.load_balancer_arn() == Some(BALANCER));
    let groups = client.describe_target_groups().load_balancer_arn(BALANCER).send().await?;
    let has_group = groups.target_groups().iter().any(|found| found.target_group_arn() == Some(&group));
    if !is_there || !has_group {
        return Err("the load balancer or the target group does not exist".into());
    }
    let health = client.describe_target_health().target_group_arn(&group).send().await?;
    let targets = health.target_health_descriptions().iter().filter_map(|description| description.target());
    if targets.into_iter().any(|target| target.id() == Some(address)) {
        let target = TargetDescription::builder().id(address).port(80).build();
        client.deregister_targets().target_group_arn(&group).targets(target).send().await?;
    }
    Ok(())
}
