//! Clients of the unmodified SDK that do not retry.

use aws_credential_types::Credentials;
use aws_sdk_ecs::config as ecs;
use aws_sdk_elasticloadbalancingv2::config as elb;
use aws_smithy_types::retry::RetryConfig;
use spotdrain_localaws::LocalAws;

pub(crate) fn clients(aws: &LocalAws) -> (aws_sdk_elasticloadbalancingv2::Client, aws_sdk_ecs::Client) {
    let credentials = Credentials::from_keys("local", "local", None);
    let elb = elb::Builder::new()
        .behavior_version(elb::BehaviorVersion::latest())
        .region(elb::Region::from_static("eu-central-1"))
        .credentials_provider(credentials.clone())
        .endpoint_url(aws.endpoint())
        .retry_config(RetryConfig::disabled());
    let ecs = ecs::Builder::new()
        .behavior_version(ecs::BehaviorVersion::latest())
        .region(ecs::Region::from_static("eu-central-1"))
        .credentials_provider(credentials)
        .endpoint_url(aws.endpoint())
        .retry_config(RetryConfig::disabled());
    (aws_sdk_elasticloadbalancingv2::Client::from_conf(elb.build()), aws_sdk_ecs::Client::from_conf(ecs.build()))
}
