//! Which tags have target groups? A call names 20 at most (`ELBv2` API, `DescribeTags`).

use serde::Serialize;

use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::model::ecs::service::Tag;
use crate::model::world::World;
use crate::protocol::query::{self, Members};

const MOST_A_CALL: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsResult<'a> {
    tag_descriptions: Members<DescriptionShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescriptionShape<'a> {
    resource_arn: &'a str,
    tags: Members<TagShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagShape<'a> {
    key: &'a str,
    value: &'a str,
}

/// The tags of the groups of these ARNs.
pub(crate) fn describe(world: &World, arns: &[String]) -> Result<String, ApiError> {
    if arns.is_empty() || arns.len() > MOST_A_CALL {
        let message = format!("'ResourceArns' must name 1 to {MOST_A_CALL} resources, not {}", arns.len());
        return Err(ApiError::invalid(Api::Elb, message));
    }
    if arns.iter().any(|arn| !world.groups.contains_key(arn)) {
        return Err(ApiError::group_not_found());
    }
    let tag_descriptions = arns.iter().map(|arn| DescriptionShape { resource_arn: arn, tags: of(world, arn) });
    query::result(Action::DescribeTags, &TagsResult { tag_descriptions: tag_descriptions.collect() })
}

fn of<'a>(world: &'a World, arn: &str) -> Members<TagShape<'a>> {
    let tags = world.canned.tags.get(arn).into_iter().flatten();
    tags.map(|Tag { key, value }| TagShape { key, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scene::Scene;

    #[test]
    fn tags_are_shown_as_they_were_set_and_a_call_has_its_limit() {
        let mut scene = Scene::demo();
        scene.world.set_tags(&scene.group, &[("spotdrain", "on")]);
        let shown = describe(&scene.world, &[scene.group.clone()]).unwrap();
        assert!(shown.contains("<member><Key>spotdrain</Key><Value>on</Value></member>"), "{shown}");
        let table = [
            (vec![], "ValidationError"),
            (vec![scene.group; 21], "ValidationError"),
            (vec!["x".to_owned()], "TargetGroupNotFound"),
        ];
        for (arns, code) in table {
            assert_eq!(describe(&scene.world, &arns).unwrap_err().code, code);
        }
    }
}
