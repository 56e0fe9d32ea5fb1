//! Application Auto Scaling of a service.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html>

use crate::model::service::Scaling;
use crate::model::setting::Setting;
use crate::template::resources::{Resource, Resources};

const SCALABLE: &str = "AWS::ApplicationAutoScaling::ScalableTarget";

/// Returns the scalable target of a service. A resource id is `service/CLUSTER/SERVICE`: the service's name decides, and where
/// the cluster is known, too, both.
pub(crate) fn scaling(resources: &Resources, service: &Resource) -> Setting<Scaling> {
    let is_its = |target: &&Resource| {
        let cluster = segment(target, 1);
        cluster.contains('*') || service.arn.contains(&format!("/{cluster}/"))
    };
    if let Some(target) = resources.scalable_by_name(&service.name, SCALABLE, service_name).find(is_its) {
        let scaling = Scaling { place: target.place.clone(), min: target.properties.number("MinCapacity") };
        return Setting::Set(scaling);
    }
    let open = resources.scalable_by_name("*", SCALABLE, service_name).next();
    open.map_or(Setting::Default, |target| {
        Setting::Unknown(format!("{} may be its scalable target: its ResourceId is unknown", target.place.name))
    })
}

/// The name of the service; `*` where it is unknown.
fn service_name(target: &Resource) -> String {
    let name = segment(target, 0);
    if name.contains('*') { "*".to_owned() } else { name }
}

/// A segment of the resource id, from its end.
fn segment(target: &Resource, from_end: usize) -> String {
    let id = target.properties.pattern("ResourceId").unwrap_or_default();
    id.rsplit('/').nth(from_end).unwrap_or_default().to_owned()
}
