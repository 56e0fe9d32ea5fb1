//! Does a role allow an action on a resource?
//!
//! As much of IAM's logic as the function's rights need: an explicit deny wins, else one allow is enough. A condition or a
//! resource that cannot be judged makes the answer unknown, never a yes.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::fact::{Fact, Unknown};
use crate::glob::glob;

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// `Allow`, not `Deny`.
    pub allows: bool,
    /// The actions, with wildcards.
    pub actions: Fact<Vec<String>>,
    /// The resources, with wildcards.
    pub resources: Vec<Fact<String>>,
    /// The conditions: operator, key, values.
    pub conditions: Vec<Condition>,
}

/// A condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Such as `StringEquals`.
    pub operator: String,
    /// Such as `aws:ResourceTag/spotdrain`.
    pub key: String,
    /// The values, one of which must fit.
    pub values: Fact<Vec<String>>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Such as `ecs:DescribeServices`.
    pub action: &'a str,
    /// The ARN, or `*` for an action that has no resources.
    pub resource: &'a str,
    /// What the conditions' keys are at this request.
    pub keys: &'a [(String, Fact<String>)],
}

/// Whether the statements allow a request.
pub fn allows(statements: &[Statement], request: Request<'_>) -> Result<bool, Unknown> {
    let (mut allowed, mut unknown) = (false, None);
    for statement in statements {
        match applies(statement, request) {
            Ok(true) if !statement.allows => return Ok(false),
            Ok(applies) => allowed |= applies,
            // A deny that may hold leaves no allow sure.
            Err(why) if !statement.allows => return Err(why),
            Err(why) => unknown = Some(why),
        }
    }
    unknown.filter(|_| !allowed).map_or(Ok(allowed), Err)
}

fn applies(statement: &Statement, request: Request<'_>) -> Result<bool, Unknown> {
    let named = |pattern: &String| glob(&pattern.to_lowercase(), &request.action.to_lowercase());
    if !statement.actions.need()?.is_some_and(|actions| actions.iter().any(named)) {
        return Ok(false);
    }
    if !any(&statement.resources, |pattern| glob(pattern, request.resource) || pattern == "*")? {
        return Ok(false);
    }
    for condition in &statement.conditions {
        if !holds(condition, request.keys)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one of the values fits; unknown only where none does and one is not known.
fn any(values: &[Fact<String>], fits: impl Fn(&str) -> bool) -> Result<bool, Unknown> {
    if values.iter().filter_map(Fact::known).any(|value| fits(value)) {
        return Ok(true);
    }
    values.iter().try_for_each(|value| value.need().map(drop)).map(|()| false)
}

fn holds(condition: &Condition, keys: &[(String, Fact<String>)]) -> Result<bool, Unknown> {
    let Condition { operator, key, values } = condition;
    let values = values.need()?.into_iter().flatten();
    let compare: fn(&str, &str) -> bool = match operator.as_str() {
        "StringEquals" => |pattern, text| pattern == text,
        "StringLike" | "ArnEquals" | "ArnLike" => glob,
        _ => return Err(Unknown(format!("the condition {operator} of the role's policy is not judged here"))),
    };
    let Some((_, value)) = keys.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) else {
        return Err(Unknown(format!("the condition on {key} of the role's policy is not judged here")));
    };
    Ok(value.need()?.is_some_and(|text| values.into_iter().any(|pattern| compare(pattern, text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(allows: bool, action: &str, resource: &str) -> Statement {
        let resources = vec![Fact::Known(resource.to_owned())];
        Statement { allows, actions: Fact::Known(vec![action.to_owned()]), resources, conditions: Vec::new() }
    }

    fn tagged(value: Fact<Vec<String>>) -> Statement {
        let condition = Condition {
            operator: "StringEquals".to_owned(),
            key: "aws:ResourceTag/spotdrain".to_owned(),
            values: value,
        };
        Statement { conditions: vec![condition], ..statement(true, "ecs:*", "*") }
    }

    #[test]
    fn an_allow_is_needed_and_a_deny_wins() {
        let on = || Fact::Known(vec!["on".to_owned()]);
        let table = [
            (vec![], Some(false)),
            (vec![statement(true, "ecs:DescribeServices", "*")], Some(true)),
            (vec![statement(true, "ECS:describe*", "arn:*:service/demo/*")], Some(true)),
            (vec![statement(true, "ecs:*", "arn:*:service/other/*")], Some(false)),
            (vec![statement(true, "*", "*"), statement(false, "ecs:*", "*")], Some(false)),
            (vec![tagged(on())], Some(true)),
            (vec![tagged(Fact::Known(vec!["off".to_owned()]))], Some(false)),
            (vec![tagged(Fact::NotKnown("a parameter".to_owned()))], None),
            (vec![tagged(Fact::NotKnown("a parameter".to_owned())), statement(true, "ecs:*", "*")], Some(true)),
        ];
        let keys = [("aws:ResourceTag/spotdrain".to_owned(), Fact::Known("on".to_owned()))];
        let request =
            Request { action: "ecs:DescribeServices", resource: "arn:aws:ecs:service/demo/logstash", keys: &keys };
        for (statements, expected) in table {
            assert_eq!(allows(&statements, request).ok(), expected, "{statements:?}");
        }
    }
}
