//! Application Auto Scaling of a service.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html>

use crate::model::service::Scaling;
use crate::model::setting::Setting;
use crate::template::resources::{Resource, Resources};

const SCALABLE: &[&str] = &["AWS::ApplicationAutoScaling::ScalableTarget"];

/// Returns the scalable target of a service. A resource id is `service/CLUSTER/SERVICE`: the service's name decides, and where
/// the cluster is known, too, both.
pub(crate) fn scaling(resources: &Resources, service: &Resource) -> Setting<Scaling> {
    let ids =
        resources.of(SCALABLE).map(|target| (target, target.properties.pattern("ResourceId").unwrap_or_default()));
    let mut open = None;
    for (target, id) in ids {
        let mut parts = id.rsplit('/');
        let (name, cluster) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if name.contains('*') {
            open = Some(format!("{} may be its scalable target: its ResourceId is unknown", target.place.name));
        } else if name == service.name && (cluster.contains('*') || service.arn.contains(&format!("/{cluster}/"))) {
            let scaling = Scaling { place: target.place.clone(), min: target.properties.number("MinCapacity") };
            return Setting::Set(scaling);
        }
    }
    open.map_or(Setting::Default, Setting::Unknown)
}
