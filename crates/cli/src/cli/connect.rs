//! AWS clients for a command, checked before its work begins: Region, credentials and endpoint.
//!
//! A missing Region or an unreachable endpoint is reported here within three seconds, not after half a minute of retries.

use std::env;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_cloudwatchlogs::config::endpoint as logs;
use aws_sdk_ecs::config::endpoint as ecs;
use aws_sdk_elasticloadbalancingv2::config::endpoint as elb;
use aws_types::service_config::ServiceConfigKey;
use spotdrain_function::{Aws, chain};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exit::CliError;

/// The timeout for the Region, for credentials without a profile, and for a connection to the endpoint.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The timeout for a profile's credentials: the profile may ask for a code or sign in.
const PROFILE_TIMEOUT: Duration = Duration::from_mins(1);

/// The AWS credentials.
#[derive(Debug, clap::Args)]
#[allow(clippy::doc_markdown, reason = "these comments are the help texts")]
pub(crate) struct AwsArgs {
    /// The profile that provides credentials and Region, instead of AWS_PROFILE
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The Region, instead of that of the environment or of the profile
    #[arg(skip)]
    pub(crate) region: Option<String>,
    /// The flag that named the profile, for error messages
    #[arg(skip = "--profile")]
    pub(crate) profile_flag: &'static str,
}

/// The service whose endpoint a command needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    Ecs,
    Elb,
    Logs,
}

/// Checked clients, and a description of the credentials for error messages.
pub(crate) struct AwsConnection {
    pub(crate) aws: Aws,
    pub(crate) caller: Caller,
}

/// Region, credentials and endpoint, for error messages: `Region eu-central-1, profile staging (AWS_PROFILE)`.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    region: Option<String>,
    credentials: Credentials,
    endpoint: Option<String>,
}

/// Where the credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Credentials {
    /// A profile, and the flag or variable that selected it.
    Profile(String, &'static str),
    /// An access key in environment variables.
    Variables,
    /// The default profile, or the role of a container or an instance.
    Default,
}

/// Connects to AWS. `region` is the event's, used if the configuration sets none.
pub(crate) async fn connect(args: &AwsArgs, region: Option<String>, needs: Needs) -> Result<AwsConnection, CliError> {
    let flag = args.profile.as_deref().map(|profile| (profile, args.profile_flag));
    let credentials = Credentials::select(flag, |name| env::var(name).ok());
    let mut caller = Caller { region: None, credentials, endpoint: None };
    let aws = timeout(TIMEOUT, Aws::from_profile(caller.profile(), region)).await;
    let mut aws = aws.map_err(|_| no_region(&caller))?.map_err(|error| CliError::Configuration(error.to_string()))?;
    if let Some(region) = &args.region {
        aws = aws.in_region(region);
    }
    caller.region = aws.region();
    if caller.region.is_none() {
        // A profile that does not exist has no Region either: report the profile.
        if caller.profile().is_some() {
            check_credentials(&aws, &caller).await?;
        }
        return Err(no_region(&caller));
    }
    let url = endpoint(&aws, needs);
    caller.endpoint = url.as_ref().filter(|(_, is_configured)| *is_configured).map(|(url, _)| url.clone());
    check_credentials(&aws, &caller).await?;
    if let Some((url, _)) = url {
        reach(&url, &caller, needs).await?;
    }
    Ok(AwsConnection { aws, caller })
}

fn no_region(caller: &Caller) -> CliError {
    let credentials = &caller.credentials;
    CliError::Configuration(format!(
        "no Region is set: set AWS_REGION, or select a profile that has one with --profile ({credentials})"
    ))
}

async fn check_credentials(aws: &Aws, caller: &Caller) -> Result<(), CliError> {
    let Some(provider) = aws.config().credentials_provider() else { return Ok(()) };
    let limit = if caller.profile().is_some() { PROFILE_TIMEOUT } else { TIMEOUT };
    let problem = match timeout(limit, provider.provide_credentials()).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) if caller.profile().is_some() => causes(&error),
        Ok(Err(error)) => chain(&error),
        Err(_) => format!("no AWS credentials within {} s: set AWS_PROFILE", limit.as_secs()),
    };
    let hint = if caller.profile().is_some() {
        "\n       aws configure list-profiles lists the profiles; aws sso login renews those of IAM Identity Center"
    } else {
        "\n       log in (aws sso login, or aws configure), and select the profile with --profile"
    };
    Err(CliError::Configuration(format!("{problem} ({caller}){hint}")))
}

/// Returns the causes of a profile's error, without the SDK's wrapper.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let texts: Vec<_> = causes.map(|error| error.to_string().replace('\n', " ")).collect();
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

/// Returns the URL of the service's endpoint, and whether it was configured.
fn endpoint(aws: &Aws, needs: Needs) -> Option<(String, bool)> {
    let config = aws.config();
    let key =
        ServiceConfigKey::builder().service_id(needs.service_id()).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = config.service_config().and_then(|all| all.load_config(key.build().ok()?));
    let configured = own.or_else(|| config.endpoint_url().map(str::to_owned));
    match configured {
        Some(url) => Some((url, true)),
        None => needs.default_url(config).map(|url| (url, false)),
    }
}

async fn reach(url: &str, caller: &Caller, needs: Needs) -> Result<(), CliError> {
    let service = needs.name();
    let refused = |why: &str| CliError::Unreachable(format!("cannot reach {service} at {url}: {why} ({caller})"));
    let uri: http::Uri =
        url.parse().map_err(|_| CliError::Configuration(format!("the endpoint {url} is not a URL")))?;
    let host = uri.host().ok_or_else(|| CliError::Configuration(format!("the endpoint {url} has no host")))?;
    let host = host.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    match timeout(TIMEOUT, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refused(&error.to_string())),
        Err(_) => Err(refused(&format!("no connection within {} s", TIMEOUT.as_secs()))),
    }
}

/// The URL of a service's endpoint as the SDK resolves it. A macro, because each service has its own parameter and resolver types.
macro_rules! url {
    ($service:ident, $config:ident) => {{
        let parameters = $service::Params::builder().set_region($config.region().map(ToString::to_string));
        let parameters = parameters.set_use_fips($config.use_fips()).set_use_dual_stack($config.use_dual_stack());
        let (resolver, parameters) = ($service::DefaultResolver::new(), parameters.build().ok()?);
        let answer = $service::ResolveEndpoint::resolve_endpoint(&resolver, &parameters);
        Some(futures_util::FutureExt::now_or_never(answer)?.ok()?.url().to_owned())
    }};
}

impl Needs {
    fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::Elb => "Elastic Load Balancing",
            Self::Logs => "CloudWatch Logs",
        }
    }

    fn service_id(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::Elb => "Elastic Load Balancing v2",
            Self::Logs => "CloudWatch Logs",
        }
    }

    fn default_url(self, config: &aws_types::SdkConfig) -> Option<String> {
        match self {
            Self::Ecs => url!(ecs, config),
            Self::Elb => url!(elb, config),
            Self::Logs => url!(logs, config),
        }
    }
}

impl Caller {
    fn profile(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Profile(name, _) => Some(name),
            Credentials::Variables | Credentials::Default => None,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_deref().unwrap_or("none");
        write!(f, "Region {region}, {}", self.credentials)?;
        self.endpoint.as_ref().map_or(Ok(()), |endpoint| write!(f, ", endpoint {endpoint}"))
    }
}

impl Credentials {
    /// Selects the credentials in the order of the AWS CLI: the flag, the variables of an access key, `AWS_PROFILE`.
    fn select(flag: Option<(&str, &'static str)>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        if let Some((profile, flag)) = flag {
            Self::Profile(profile.to_owned(), flag)
        } else if given("AWS_ACCESS_KEY_ID").is_some() && given("AWS_SECRET_ACCESS_KEY").is_some() {
            Self::Variables
        } else if let Some(profile) = given("AWS_PROFILE") {
            Self::Profile(profile, "AWS_PROFILE")
        } else {
            Self::Default
        }
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name, source) => write!(f, "profile {name} ({source})"),
            Self::Variables => f.write_str("no profile, the credentials of AWS_ACCESS_KEY_ID"),
            Self::Default => f.write_str("no profile set, the default credentials"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(flag: Option<(&str, &'static str)>, variables: &[(&str, &str)]) -> String {
        let of = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Credentials::select(flag, of).to_string()
    }

    #[test]
    fn the_flag_precedes_the_access_key_and_the_key_precedes_the_profile() {
        let key = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_PROFILE", "a")];
        assert_eq!(selected(Some(("b", "--profile")), &key), "profile b (--profile)");
        assert_eq!(selected(None, &key), "no profile, the credentials of AWS_ACCESS_KEY_ID");
        assert_eq!(selected(None, &key[1..]), "profile a (AWS_PROFILE)");
        assert_eq!(selected(None, &[("AWS_PROFILE", "")]), "no profile set, the default credentials");
    }
}
