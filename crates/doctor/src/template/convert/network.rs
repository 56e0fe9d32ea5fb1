//! Whether a service's tasks have an IPv6 address: whether its subnets have IPv6.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html>

use crate::model::setting::Setting;

use crate::template::evaluate::value::{Value, all};
use crate::template::resources::{Resource, Resources};

const SUBNET: &[&str] = &["AWS::EC2::Subnet"];

/// Whether every subnet of the service has IPv6.
pub(crate) fn has_ipv6(resources: &Resources, service: &Value) -> Setting<bool> {
    let subnets =
        service.path(&["NetworkConfiguration", "AwsvpcConfiguration"]).and_then(|network| network.texts("Subnets"));
    let of = |id: String| {
        let elsewhere = || Setting::Unknown(resources.not_here("subnet", &id));
        resources.named(SUBNET, &id).map_or_else(elsewhere, |subnet| Setting::Set(subnet_has_ipv6(subnet)))
    };
    subnets.and_then(|ids| all(ids.into_iter().map(of))).map(|all| !all.is_empty() && all.into_iter().all(|has| has))
}

fn subnet_has_ipv6(subnet: &Resource) -> bool {
    let keys = ["Ipv6CidrBlock", "Ipv6IpamPoolId", "Ipv6Native", "AssignIpv6AddressOnCreation"];
    keys.iter().any(|key| {
        !matches!(subnet.properties.text(key), Setting::Default)
            && subnet.properties.text(key) != Setting::Set("false".to_owned())
    })
}
