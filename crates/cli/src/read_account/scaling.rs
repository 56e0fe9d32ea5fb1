//! The scalable targets of Application Auto Scaling.
//! Source: <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html>

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace};
use spotdrain_core::model::arn::last_segment;
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::service::Scaling;
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{CallBudget, PacedClient};
use super::services::FoundServices;
use super::unknown;

/// The most resource ids in one call.
const MAX_PER_CALL: usize = 50;

/// Adds the scalable target to every service.
pub(crate) async fn fill(client: &PacedClient<'_>, services: &mut FoundServices) {
    let ids: Vec<_> = services.found.iter().map(|found| resource_id(&found.service)).collect();
    let mut known: BTreeMap<String, Setting<Scaling>> = BTreeMap::new();
    for ids in ids.chunks(MAX_PER_CALL) {
        known.extend(describe(client, ids).await);
    }
    for (found, id) in services.found.iter_mut().zip(&ids) {
        found.service.scaling = known.get(id).cloned().unwrap_or_default();
    }
}

fn resource_id(service: &spotdrain_doctor::model::service::Service) -> String {
    let cluster = service.cluster.known().map_or("default", |arn| last_segment(arn));
    format!("service/{cluster}/{}", service.name)
}

async fn describe(client: &PacedClient<'_>, ids: &[String]) -> BTreeMap<String, Setting<Scaling>> {
    let autoscaling = aws_sdk_applicationautoscaling::Client::new(client.aws.config());
    let (mut scaling, mut token) = (BTreeMap::new(), None);
    loop {
        let request = autoscaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids.to_vec()))
            .set_next_token(token);
        match client.call("DescribeScalableTargets", CallBudget::Other, || request.clone().send()).await {
            Ok(answer) => {
                scaling.extend(answer.scalable_targets().iter().map(read));
                token = answer.next_token().map(str::to_owned);
                if token.is_none() {
                    return scaling;
                }
            }
            Err(failure) => return ids.iter().map(|id| (id.clone(), unknown(&failure.message))).collect(),
        }
    }
}

fn read(target: &ScalableTarget) -> (String, Setting<Scaling>) {
    let id = target.resource_id();
    let place = Place::live(format!("scalable target {}", id.trim_start_matches("service/")));
    (
        id.to_owned(),
        Setting::Set(Scaling { place, min: Setting::Set(u32::try_from(target.min_capacity()).unwrap_or(0)) }),
    )
}
