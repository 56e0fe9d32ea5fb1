//! The two AWS clients, made once for a process.
//!
//! The SDK's own retries are off: it tries three times with about a second between, whatever the time that is left, and
//! knows nothing of our pace. [`crate::call`] does it instead.

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use http::Uri;

use crate::hosts::hosts;
use crate::http::Http;
use crate::trust::{self, TrustError};

/// The clients of the two services that are called.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    http: Http,
    hosts: Vec<Uri>,
    pub(crate) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) ecs: aws_sdk_ecs::Client,
}

impl Aws {
    /// Clients as the environment configures them: region, endpoints and credentials by the SDK's own variables.
    /// `region` is used where nothing configures one. The error names what is wrong with `AWS_CA_BUNDLE`.
    pub async fn from_environment(region: Option<String>) -> Result<Self, TrustError> {
        let http = Http::new(trust::of_the_environment()?);
        let mut config = aws_config::defaults(BehaviorVersion::v2026_01_12());
        // The default chains ask these variables first, too, but make all their other members before: a tenth of what a cold
        // start takes of the processor.
        config = if is_set("AWS_REGION") {
            config.region(EnvironmentVariableRegionProvider::new())
        } else {
            config.region(RegionProviderChain::default_provider().or_else(region.map(Region::new)))
        };
        if is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
            config = config.credentials_provider(EnvironmentVariableCredentialsProvider::new());
        }
        let config = config.retry_config(RetryConfig::disabled());
        Ok(Self::with(config.http_client(http.clone()).load().await, http))
    }

    /// Clients of a local AWS, whatever the environment says.
    pub fn local(endpoint: &str, region: &str) -> Result<Self, TrustError> {
        let http = Http::new(trust::of_the_system()?);
        let credentials = aws_credential_types::Credentials::from_keys("local", "local", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled());
        Ok(Self::with(config.http_client(http.clone()).build(), http))
    }

    /// The same clients without the connections that these have kept: the pool is the HTTP client's.
    pub(crate) fn reconnected(&self) -> Self {
        let http = self.http.anew();
        let config = self.config.to_builder().http_client(http.clone()).build();
        Self { hosts: self.hosts.clone(), ..Self::with(config, http) }
    }

    /// A client of SQS: made when it is needed, which is seldom.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Lambda, for the doctor.
    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// A client of IAM, for the doctor.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    /// A client of EventBridge, for the doctor.
    pub(crate) fn events(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// The Region, if one is configured.
    pub(crate) fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }

    /// Opens the connections that the first calls will need, side by side, before they are needed.
    pub(crate) fn dial(&self) {
        self.http.dial(&self.hosts);
    }

    /// The hosts to dial: those of the services that are called.
    pub(crate) fn dials(mut self, discover: bool) -> Self {
        self.hosts = hosts(&self.config, discover);
        self
    }

    fn with(config: SdkConfig, http: Http) -> Self {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
        let ecs = aws_sdk_ecs::Client::new(&config);
        Self { config, http, hosts: Vec::new(), elb, ecs }
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
