//! The two AWS clients, made once for a process.
//!
//! The SDK's own retries are off: it tries three times with about a second between, whatever the time that is left, and
//! knows nothing of our pace. [`crate::call`] does it instead.

use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::http::{CaBundleError, Trust};

/// How long opening a connection may take. A Region's endpoint answers in a few milliseconds from within it.
const CONNECT: Duration = Duration::from_secs(1);

/// The clients of the two services that are called.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    trust: Trust,
    pub(crate) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) ecs: aws_sdk_ecs::Client,
}

impl Aws {
    /// Clients as the environment configures them: region, endpoints and credentials by the SDK's own variables.
    /// `region` is used where nothing configures one. The error names what is wrong with `AWS_CA_BUNDLE`.
    pub async fn from_environment(region: Option<String>) -> Result<Self, CaBundleError> {
        let trust = Trust::from_environment()?;
        let configured = RegionProviderChain::default_provider().or_else(region.map(Region::new));
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(configured);
        let config = config.retry_config(RetryConfig::disabled()).timeout_config(timeouts());
        Ok(Self::with(config.http_client(trust.client()).load().await, trust))
    }

    /// Clients of a local AWS, whatever the environment says.
    #[must_use]
    pub fn local(endpoint: &str, region: &str) -> Self {
        let trust = Trust::default();
        let credentials = aws_credential_types::Credentials::from_keys("local", "local", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts());
        Self::with(config.http_client(trust.client()).build(), trust)
    }

    /// The same clients without the connections that these have kept: the pool is the HTTP client's.
    pub(crate) fn reconnected(&self) -> Self {
        let config = self.config.to_builder().http_client(self.trust.client()).build();
        Self::with(config, self.trust.clone())
    }

    /// A client of SQS: made when it is needed, which is seldom.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Lambda, for the doctor.
    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// A client of EventBridge, for the doctor.
    pub(crate) fn events(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// The Region, if one is configured.
    pub(crate) fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }

    fn with(config: SdkConfig, trust: Trust) -> Self {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
        let ecs = aws_sdk_ecs::Client::new(&config);
        Self { config, trust, elb, ecs }
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).build()
}
