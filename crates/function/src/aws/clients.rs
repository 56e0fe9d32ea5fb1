//! The AWS clients, created once in an execution environment.
//!
//! The SDK's own retries are off: they make three attempts about a second apart, regardless of the time left and of our rate
//! limits. The engine retries instead (docs/adr/0002).

use std::sync::{Arc, OnceLock};

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::connection::{Http, TlsError, endpoints, from_environment, from_system};

/// The clients of the services that the function calls, on one HTTP client.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    http: Http,
    /// Elastic Load Balancing.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// ECS.
    pub ecs: aws_sdk_ecs::Client,
    /// Created when needed: most invocations do not call SQS.
    sqs: Arc<OnceLock<aws_sdk_sqs::Client>>,
    /// Created if a topic is set.
    sns: Arc<OnceLock<aws_sdk_sns::Client>>,
}

impl Aws {
    /// Creates clients from the SDK's own environment variables for Region, endpoints and credentials. `region` is used if none
    /// is configured. It is an error if `AWS_CA_BUNDLE` cannot be used.
    pub async fn from_environment(region: Option<String>) -> Result<Self, TlsError> {
        Self::from_profile(None, region).await
    }

    /// Creates clients with the credentials of a profile, and with its Region unless the environment sets one.
    pub async fn from_profile(profile: Option<&str>, region: Option<String>) -> Result<Self, TlsError> {
        let http = Http::new(from_environment()?);
        let mut config = aws_config::defaults(BehaviorVersion::v2026_01_12());
        // The default chains read the same variables first, but they construct all their other providers before that: a tenth
        // of the CPU time of a cold start.
        if let Some(profile) = profile {
            let of_profile = ProfileFileRegionProvider::builder().profile_name(profile).build();
            let regions = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(of_profile);
            let credentials = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
            config = config.profile_name(profile).region(regions.or_else(region.map(Region::new)));
            config = config.credentials_provider(credentials);
        } else if is_set("AWS_REGION") {
            config = config.region(EnvironmentVariableRegionProvider::new());
        } else {
            config = config.region(RegionProviderChain::default_provider().or_else(region.map(Region::new)));
        }
        if profile.is_none() && is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY") {
            config = config.credentials_provider(EnvironmentVariableCredentialsProvider::new());
        }
        let config = config.retry_config(RetryConfig::disabled());
        Ok(Self::with(config.http_client(http.clone()).load().await, http))
    }

    /// Creates clients for a local AWS, independent of the environment.
    pub fn local(endpoint: &str, region: &str) -> Result<Self, TlsError> {
        let http = Http::new(from_system()?);
        let credentials = aws_credential_types::Credentials::from_keys("local", "local", None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled());
        Ok(Self::with(config.http_client(http.clone()).build(), http))
    }

    /// The SDK configuration of the clients.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The Region, if one is configured.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }

    /// Returns the same clients for another Region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self::with(config, self.http.clone())
    }

    /// Opens connections to Elastic Load Balancing and, if services are looked up, to ECS.
    pub(crate) fn preconnect(&self, discover: bool) {
        self.http.preconnect(&endpoints(&self.config, discover));
    }

    /// Returns the same clients with a new HTTP client, and so without open connections.
    pub(crate) fn reconnected(&self) -> Self {
        let http = self.http.without_connections();
        let config = self.config.to_builder().http_client(http.clone()).build();
        Self::with(config, http)
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config))
    }

    pub(crate) fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| aws_sdk_sns::Client::new(&self.config))
    }

    fn with(config: SdkConfig, http: Http) -> Self {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
        let ecs = aws_sdk_ecs::Client::new(&config);
        Self { config, http, elb, ecs, sqs: Arc::default(), sns: Arc::default() }
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
