//! Does a role allow an action on a resource?
//!
//! This is the part of IAM's logic that the function's permissions need: an explicit deny wins, otherwise one allow is enough.
//! If a condition or a resource cannot be evaluated, the answer is unknown and never a yes.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use crate::glob::glob;
use crate::model::setting::{Setting, Unknown};

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// `Allow`, not `Deny`.
    pub allows: bool,
    /// The actions, with wildcards.
    pub actions: Setting<Vec<String>>,
    /// The resources, with wildcards.
    pub resources: Vec<Setting<String>>,
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
    pub values: Setting<Vec<String>>,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Such as `ecs:DescribeServices`.
    pub action: &'a str,
    /// The ARN, or `*` for an action that has no resources.
    pub resource: &'a str,
    /// The values of condition keys in this request.
    pub keys: &'a [(String, Setting<String>)],
}

impl Condition {
    /// Returns the resource tag that it asks for. Names of keys are not case-sensitive.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition.html>
    #[must_use]
    pub fn resource_tag(&self) -> Option<&str> {
        let (prefix, tag) = self.key.split_once('/')?;
        let prefixes = ["aws:ResourceTag", "elasticloadbalancing:ResourceTag"];
        prefixes.iter().any(|known| prefix.eq_ignore_ascii_case(known)).then_some(tag)
    }
}

/// Statements that could allow anything and deny anything: those of a policy that cannot be read.
#[must_use]
pub fn anything(why: &str) -> [Statement; 2] {
    [true, false].map(|allows| Statement { allows, actions: Setting::Unknown(why.to_owned()), ..Statement::default() })
}

/// The statement of a permissions boundary: it allows nothing by itself, and may restrict what the policies allow.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
#[must_use]
pub fn boundary(policy: &str) -> Statement {
    let why = format!("the role has the permissions boundary {policy}, which is not evaluated");
    Statement { allows: false, actions: Setting::Unknown(why), ..Statement::default() }
}

/// Returns whether the statements allow a request. An unknown deny matters only if a statement may allow the request.
pub fn allows(statements: &[Statement], request: AuthorizationRequest<'_>) -> Result<bool, Unknown> {
    let (mut allowed, mut may_allow, mut may_deny) = (false, None, None);
    for statement in statements {
        match (applies(statement, request), statement.allows) {
            (Ok(true), false) => return Ok(false),
            (Ok(false), false) => {}
            (Ok(applies), true) => allowed |= applies,
            (Err(why), true) => may_allow = may_allow.or(Some(why)),
            (Err(why), false) => may_deny = may_deny.or(Some(why)),
        }
    }
    let may_allow = may_allow.filter(|_| !allowed);
    if !allowed && may_allow.is_none() {
        return Ok(false);
    }
    may_deny.or(may_allow).map_or(Ok(true), Err)
}

/// Returns whether a statement denies a request outright.
pub(crate) fn is_denied(statements: &[Statement], request: AuthorizationRequest<'_>) -> bool {
    statements.iter().any(|statement| !statement.allows && applies(statement, request) == Ok(true))
}

/// Returns the one missing tag that would make an otherwise matching statement allow the request.
pub(crate) fn lacking_tag<'a>(
    statements: &'a [Statement],
    request: AuthorizationRequest<'_>,
) -> Option<(&'a str, &'a str)> {
    statements.iter().filter(|statement| statement.allows).find_map(|statement| {
        let [condition] = statement.conditions.as_slice() else { return None };
        let free = Statement { conditions: Vec::new(), ..statement.clone() };
        let value = condition.values.known()?.first()?;
        (applies(&free, request) == Ok(true)).then_some((condition.resource_tag()?, value.as_str()))
    })
}

fn applies(statement: &Statement, request: AuthorizationRequest<'_>) -> Result<bool, Unknown> {
    let actions = statement.actions.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let action = request.action.to_lowercase();
    if !any(actions.iter().map(|pattern| fits(&pattern.to_lowercase(), &action)))? {
        return Ok(false);
    }
    let resources = statement.resources.iter().map(|pattern| match pattern.known_or_err()? {
        Some(pattern) => fits(pattern, request.resource),
        None => Ok(false),
    });
    if !any(resources)? {
        return Ok(false);
    }
    for condition in &statement.conditions {
        if !holds(condition, request.keys)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns whether one of them is true. The answer is unknown if none is true and one is unknown.
fn any(answers: impl Iterator<Item = Result<bool, Unknown>>) -> Result<bool, Unknown> {
    let mut unknown = None;
    for answer in answers {
        match answer {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Ok(false), Err)
}

/// Whether a text matches a policy's pattern. `?`, which matches one character, and policy variables are not
/// evaluated: if the text does not match even with `*` in their place, it does not match; otherwise the answer is unknown.
/// Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
fn fits(pattern: &str, text: &str) -> Result<bool, Unknown> {
    let widest = widest(pattern);
    match glob(&widest, text) {
        true if widest != pattern => Err(Unknown(format!("{pattern} in the policy is not evaluated"))),
        fits => Ok(fits),
    }
}

/// Replaces `?` and `${a:Variable}` by `*`.
fn widest(pattern: &str) -> String {
    let mut parts = pattern.split("${");
    let mut wide = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        wide += "*";
        wide += part.split_once('}').map_or("", |(_, rest)| rest);
    }
    wide.replace('?', "*")
}

/// Returns whether a condition is met. If the request lacks the key, a negated operator is met and any other operator is not.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
fn holds(condition: &Condition, keys: &[(String, Setting<String>)]) -> Result<bool, Unknown> {
    let Condition { operator, key, values } = condition;
    let values = values.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let (operator, negated) = match operator.as_str() {
        "ArnNotEquals" | "ArnNotLike" => ("ArnLike", true),
        "StringNotEquals" => ("StringEquals", true),
        "StringNotLike" => ("StringLike", true),
        other => (other, false),
    };
    let compare: fn(&str, &str) -> Result<bool, Unknown> = match operator {
        "StringEquals" if !values.iter().any(|value| value.contains("${")) => |value, text| Ok(value == text),
        "StringLike" => fits,
        "ArnEquals" | "ArnLike" => arn_fits,
        // Only for aws:SecureTransport: the callers use TLS.
        "Bool" if key.eq_ignore_ascii_case("aws:SecureTransport") => |value, text| Ok(value == text),
        _ => return Err(Unknown(format!("the condition {} of the policy is not evaluated", condition.operator))),
    };
    let Some((_, value)) = keys.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) else {
        return Err(Unknown(format!("the condition on {key} of the policy is not evaluated")));
    };
    let Some(text) = value.known_or_err()? else { return Ok(negated) };
    Ok(any(values.iter().map(|pattern| compare(pattern, text)))? != negated)
}

/// Compares each of the six parts of an ARN separately.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
fn arn_fits(pattern: &str, text: &str) -> Result<bool, Unknown> {
    let (patterns, parts): (Vec<_>, Vec<_>) = (pattern.splitn(6, ':').collect(), text.splitn(6, ':').collect());
    if patterns.len() != 6 && widest(pattern).contains('*') {
        return Err(Unknown(format!("{pattern} in the role's policy is no ARN, and not evaluated")));
    }
    if patterns.len() != parts.len() {
        return Ok(false);
    }
    for (pattern, part) in patterns.iter().zip(&parts) {
        if !fits(pattern, part)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(allows: bool, action: &str, resource: &str) -> Statement {
        let resources = vec![Setting::Set(resource.to_owned())];
        Statement { allows, actions: Setting::Set(vec![action.to_owned()]), resources, conditions: Vec::new() }
    }

    fn tagged(value: Setting<Vec<String>>) -> Statement {
        let condition = Condition {
            operator: "StringEquals".to_owned(),
            key: "aws:ResourceTag/spotdrain".to_owned(),
            values: value,
        };
        Statement { conditions: vec![condition], ..statement(true, "ecs:*", "*") }
    }

    #[test]
    fn a_condition_on_a_tag_is_one_in_any_case() {
        let of = |key: &str| Condition { key: key.to_owned(), operator: String::new(), values: Setting::Default };
        let table = [
            ("aws:ResourceTag/spotdrain", Some("spotdrain")),
            ("AWS:resourcetag/Team", Some("Team")),
            ("elasticloadbalancing:ResourceTag/a/b", Some("a/b")),
            ("aws:RequestTag/spotdrain", None),
            ("ecs:cluster", None),
        ];
        for (key, tag) in table {
            assert_eq!(of(key).resource_tag(), tag, "{key}");
        }
    }

    #[test]
    fn an_allow_is_needed_and_a_deny_wins() {
        let on = || Setting::Set(vec!["on".to_owned()]);
        let unread =
            |allows| Statement { allows, actions: Setting::Unknown("unread".to_owned()), ..Statement::default() };
        let all = || statement(true, "*", "*");
        let table = [
            (vec![], Some(false)),
            (vec![statement(true, "ecs:DescribeServices", "*")], Some(true)),
            (vec![statement(true, "ECS:describe*", "arn:*:service/demo/*")], Some(true)),
            (vec![statement(true, "ecs:*", "arn:*:service/other/*")], Some(false)),
            (vec![statement(true, "*", "*"), statement(false, "ecs:*", "*")], Some(false)),
            (vec![tagged(on())], Some(true)),
            (vec![tagged(Setting::Set(vec!["off".to_owned()]))], Some(false)),
            (vec![tagged(Setting::Unknown("a parameter".to_owned()))], None),
            (vec![tagged(Setting::Unknown("a parameter".to_owned())), statement(true, "ecs:*", "*")], Some(true)),
            (vec![unread(true)], None),
            (vec![unread(true), all()], Some(true)),
            (vec![unread(false)], Some(false)),
            (vec![unread(false), all()], None),
            (vec![unread(false), all(), statement(false, "ecs:*", "*")], Some(false)),
            (anything("unread").to_vec(), None),
            (vec![statement(true, "ecs:Describe?ervices", "*")], None),
            (vec![statement(true, "s3:Get?bject", "*")], Some(false)),
            (vec![statement(true, "ecs:*", "arn:aws:ecs:service/${aws:PrincipalTag/cluster}/*")], None),
            (vec![statement(true, "ecs:*", "arn:aws:ecs:task/${aws:PrincipalTag/cluster}/*")], Some(false)),
        ];
        let keys = [("aws:ResourceTag/spotdrain".to_owned(), Setting::Set("on".to_owned()))];
        let request = AuthorizationRequest {
            action: "ecs:DescribeServices",
            resource: "arn:aws:ecs:service/demo/logstash",
            keys: &keys,
        };
        for (statements, expected) in table {
            assert_eq!(allows(&statements, request).ok(), expected, "{statements:?}");
        }
    }

    #[test]
    fn an_arn_is_compared_part_by_part() {
        let cluster = "arn:aws:ecs:eu-central-1:1:cluster/demo";
        let table = [
            (cluster, Some(true)),
            ("arn:aws:ecs:*:*:cluster/demo", Some(true)),
            ("arn:*:ecs:*:1:cluster/*", Some(true)),
            ("arn:aws:ecs:eu-central-1:1:cluster/other", Some(false)),
            ("arn:aws:ecs:*:2:*", Some(false)),
            ("demo", Some(false)),
            ("arn:aws:ecs:*", None),
            ("*", None),
        ];
        for (pattern, expected) in table {
            assert_eq!(arn_fits(pattern, cluster).ok(), expected, "{pattern}");
        }
    }

    #[test]
    fn a_deny_a_missing_tag_and_a_missing_allow_are_distinguished() {
        let keys = [("aws:ResourceTag/spotdrain".to_owned(), Setting::Default)];
        let request = AuthorizationRequest { action: "ecs:DescribeServices", resource: "x", keys: &keys };
        let tagged = [tagged(Setting::Set(vec!["on".to_owned()]))];
        assert_eq!((is_denied(&tagged, request), lacking_tag(&tagged, request)), (false, Some(("spotdrain", "on"))));
        let denied = [statement(true, "*", "*"), statement(false, "ecs:*", "*")];
        assert_eq!((is_denied(&denied, request), lacking_tag(&denied, request)), (true, None));
        assert_eq!((is_denied(&[], request), lacking_tag(&[], request)), (false, None));
    }
}
