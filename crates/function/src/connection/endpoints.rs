//! The endpoints to open connections to, as the SDK resolves them.
//!
//! No connections are opened if an endpoint cannot be resolved, or if a variable configures the endpoint of a single service.

use aws_config::SdkConfig;
use aws_sdk_ecs::config::endpoint as ecs;
use aws_sdk_elasticloadbalancingv2::config::endpoint as elb;
use futures_util::FutureExt;
use http::Uri;

/// Returns the endpoints of Elastic Load Balancing and, if services are looked up, of ECS.
pub(crate) fn endpoints(config: &SdkConfig, discover: bool) -> Vec<Uri> {
    if std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("AWS_ENDPOINT_URL_")) {
        return Vec::new();
    }
    let urls = match config.endpoint_url() {
        Some(url) => vec![Some(url.to_owned())],
        None if discover => vec![ecs_url(config), elb_url(config)],
        None => vec![elb_url(config)],
    };
    urls.into_iter().flatten().filter_map(|url| url.parse().ok()).collect()
}

/// The URL of a service's endpoint. A macro, because each service has its own parameter and resolver types.
macro_rules! url {
    ($service:ident, $config:ident) => {{
        let parameters = $service::Params::builder().set_region($config.region().map(ToString::to_string));
        let parameters = parameters.set_use_fips($config.use_fips()).set_use_dual_stack($config.use_dual_stack());
        let (resolver, parameters) = ($service::DefaultResolver::new(), parameters.build().ok()?);
        let answer = $service::ResolveEndpoint::resolve_endpoint(&resolver, &parameters).now_or_never()?;
        Some(answer.ok()?.url().to_owned())
    }};
}

fn ecs_url(config: &SdkConfig) -> Option<String> {
    url!(ecs, config)
}

fn elb_url(config: &SdkConfig) -> Option<String> {
    url!(elb, config)
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};

    use super::*;

    fn config() -> aws_config::SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .build()
    }

    fn hosts(config: &SdkConfig, discover: bool) -> Vec<String> {
        endpoints(config, discover).iter().filter_map(|uri| uri.host().map(str::to_owned)).collect()
    }

    #[test]
    fn the_endpoints_are_the_regions() {
        let both = ["ecs.eu-central-1.amazonaws.com", "elasticloadbalancing.eu-central-1.amazonaws.com"];
        assert_eq!(hosts(&config(), true), both);
        assert_eq!(hosts(&config(), false), both[1..]);
        let private = config().to_builder().use_fips(true).use_dual_stack(true).build();
        assert_eq!(hosts(&private, false), ["elasticloadbalancing-fips.eu-central-1.api.aws"]);
    }

    #[test]
    fn a_configured_endpoint_replaces_all_others() {
        let local = config().to_builder().endpoint_url("http://127.0.0.1:4566").build();
        assert_eq!(hosts(&local, true), ["127.0.0.1"]);
    }
}
