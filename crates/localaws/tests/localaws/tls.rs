//! HTTPS, for callers that trust only the local certificate authority.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_elasticloadbalancingv2 as elb;
use aws_sdk_sqs as sqs;
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use elb::error::SdkError;
use elb::operation::describe_target_health::DescribeTargetHealthError;
use spotdrain_localaws::{Fault, LocalAws, Queue, Scene, Throttles, Traffic};

/// The demo scene over HTTPS.
struct Local {
    aws: LocalAws,
    group: String,
}

async fn local() -> Local {
    let mut scene = Scene::demo();
    scene.world.add_queue(Queue::new("notices"));
    Local { aws: LocalAws::start_tls(scene.world).await.unwrap(), group: scene.group }
}

fn elb_client(aws: &LocalAws, authority: &str) -> elb::Client {
    let trusted = TrustStore::empty().with_pem_certificate(authority);
    let context = TlsContext::builder().with_trust_store(trusted).build().unwrap();
    let http = HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https();
    let config = elb::config::Builder::new()
        .behavior_version(elb::config::BehaviorVersion::latest())
        .region(elb::config::Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::from_keys("local", "local", None))
        .endpoint_url(aws.endpoint())
        .http_client(http)
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build())
        .retry_config(RetryConfig::disabled());
    elb::Client::from_conf(config.build())
}

fn sqs_client(aws: &LocalAws) -> sqs::Client {
    let trusted = TrustStore::empty().with_pem_certificate(aws.certificate_authority().unwrap());
    let context = TlsContext::builder().with_trust_store(trusted).build().unwrap();
    let http = HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https();
    let config = sqs::config::Builder::new()
        .behavior_version(sqs::config::BehaviorVersion::latest())
        .region(sqs::config::Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::from_keys("local", "local", None))
        .endpoint_url(aws.endpoint())
        .http_client(http);
    sqs::Client::from_conf(config.build())
}

impl Local {
    fn client(&self) -> elb::Client {
        elb_client(&self.aws, self.aws.certificate_authority().unwrap())
    }

    async fn health(&self, client: &elb::Client) -> Result<usize, SdkError<DescribeTargetHealthError>> {
        let answer = client.describe_target_health().target_group_arn(&self.group).send().await?;
        Ok(answer.target_health_descriptions().len())
    }
}

#[tokio::test]
async fn calls_are_answered_over_one_connection_and_one_handshake() {
    let local = local().await;
    assert!(local.aws.endpoint().starts_with("https://127.0.0.1:"));
    let client = local.client();
    for _ in 0..3 {
        assert_eq!(local.health(&client).await.unwrap(), 4);
    }
    assert_eq!(local.aws.traffic(), Traffic { connections: 1, handshakes: 1, resumed: 0 });
    assert_eq!(local.health(&local.client()).await.unwrap(), 4);
    assert_eq!(local.aws.traffic(), Traffic { connections: 2, handshakes: 2, resumed: 0 });
}

#[tokio::test]
async fn a_caller_who_does_not_trust_the_authority_makes_no_handshake() {
    let (local, other) = (local().await, local().await);
    let client = elb_client(&local.aws, other.aws.certificate_authority().unwrap());
    assert!(matches!(local.health(&client).await, Err(SdkError::DispatchFailure(_))));
    assert_eq!(local.aws.traffic().handshakes, 0);
    assert!(local.aws.calls().is_empty());
}

#[tokio::test]
async fn after_a_reset_the_next_call_makes_a_new_handshake() {
    let local = local().await;
    let client = local.client();
    for fault in [Fault::Reset, Fault::ResetAfterWork] {
        local.aws.world().add_fault(fault.times(1));
        let error = local.health(&client).await.unwrap_err();
        let SdkError::DispatchFailure(failure) = error else { panic!("{error:?}") };
        assert!(failure.is_io(), "{failure:?}");
        assert!(format!("{failure:?}").contains("ConnectionReset"), "{failure:?}");
    }
    assert_eq!(local.health(&client).await.unwrap(), 4);
    let traffic = local.aws.traffic();
    assert_eq!((traffic.connections, traffic.handshakes), (3, 3));
    assert!(traffic.resumed > 0, "the client comes back with what it knows: {traffic:?}");
}

#[tokio::test]
async fn faults_throttles_and_latency_work_over_https() {
    let local = local().await;
    let client = local.client();
    local.aws.world().add_fault(Fault::Unavailable.times(1));
    local.aws.world().set_latency(Duration::from_millis(1));
    let error = local.health(&client).await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 503);
    local.aws.world().set_throttles(Throttles::Published);
    let mut passed = 0;
    while local.health(&client).await.is_ok() {
        passed += 1;
    }
    assert!(passed >= 40, "{passed}");
}

#[tokio::test]
async fn a_queue_url_has_https() {
    let local = local().await;
    let client = sqs_client(&local.aws);
    let url = client.get_queue_url().queue_name("notices").send().await.unwrap().queue_url.unwrap();
    assert_eq!(url, local.aws.queue_url("notices"));
    assert!(url.starts_with("https://"));
    local.aws.world().send("notices", "news", local.aws.now()).unwrap();
    let received = client.receive_message().queue_url(&url).wait_time_seconds(20).send().await.unwrap();
    assert_eq!(received.messages().len(), 1);
}

#[test]
fn serves_from_a_thread_too() {
    let aws = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let client = elb_client(&aws, aws.certificate_authority().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(client.describe_target_groups().send()).unwrap().target_groups().len(), 1);
}
