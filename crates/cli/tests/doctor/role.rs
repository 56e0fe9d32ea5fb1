//! The permissions of the function's role.

use serde_json::{Value, json};
use spotdrain_localaws::{Action, Fault, LocalAws, Role, Service};

use crate::command::{against, json};
use crate::deployed::{deployed, examined, ids, not_checked, policy, rights};

/// Examines a changed role: the findings, what was not checked, and the number of `DescribeTags` calls.
fn examine_role(change: impl FnOnce(Role, [Value; 5]) -> Role, tag: Option<&str>) -> (Vec<String>, String, usize) {
    let mut scene = deployed();
    scene.world.add_role(change(Role::new("spotdrain"), rights()));
    if let Some(value) = tag {
        scene.world.set_tags(&scene.group, &[("team", "ingest"), ("spotdrain", value)]);
    }
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (_, record) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let asked = local.calls().iter().filter(|call| call.action == "DescribeTags").count();
    (ids(&record).into_iter().map(str::to_owned).collect(), not_checked(&record), asked)
}

const OWN: &str = "arn:aws:iam::123456789012:policy/spotdrain-rights";

#[test]
fn the_inline_and_attached_policies_of_the_role_are_evaluated() {
    type Change = fn(Role, [Value; 5]) -> Role;
    let table: [(&[&str], Change); 7] = [
        (&[], |role, all| role.attached(OWN, policy(&all))),
        (&[], |role, all| role.policy("some", policy(&all[..2])).attached(OWN, policy(&all[2..]))),
        (&["SD027", "SD028", "SD035"], |role, _| role),
        (&["SD027"], |role, all| role.policy("some", policy(&[&all[..3], &all[4..]].concat()))),
        (&["SD028"], |role, mut all| {
            all[1]["Resource"] = json!("arn:aws:elasticloadbalancing:*:*:targetgroup/other/*");
            role.policy("some", policy(&all))
        }),
        (&["SD035"], |role, mut all| {
            all[4]["Action"] = json!(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]);
            role.policy("some", policy(&all))
        }),
        (&["SD028"], |role, all| {
            let deny = json!({"Effect": "Deny", "Action": "elasticloadbalancing:Dereg*", "Resource": "*"});
            role.policy("some", policy(&all)).attached(OWN, json!({"Statement": deny}))
        }),
    ];
    for (expected, change) in table {
        let (found, output, asked_for_tags) = examine_role(change, None);
        assert_eq!((found, output.as_str(), asked_for_tags), (expected.iter().map(|&id| id.into()).collect(), "[]", 0));
    }
}

#[test]
fn a_policy_that_cannot_be_evaluated_is_not_checked_and_says_why() {
    type Change = fn(Role, [Value; 5]) -> Role;
    let table: [(&str, &[&str], Change); 5] = [
        ("SD027", &["policy/limit", "boundary"], |role, all| {
            role.policy("all", policy(&all)).boundary("arn:aws:iam::123456789012:policy/limit")
        }),
        ("SD028", &["NotAction"], |role, mut all| {
            all[1] = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
            role.policy("all", policy(&all))
        }),
        ("SD035", &["NotResource"], |role, mut all| {
            all[4].as_object_mut().unwrap().remove("Resource");
            all[4]["NotResource"] = json!("*");
            role.policy("all", policy(&all))
        }),
        ("SD027", &["aws:SourceVpc"], |role, mut all| {
            all[3]["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}});
            role.policy("all", policy(&all))
        }),
        ("SD028", &["Bool"], |role, mut all| {
            all[1]["Condition"] = json!({"Bool": {"aws:ViaAWSService": "false"}});
            role.policy("all", policy(&all))
        }),
    ];
    for (id, reasons, change) in table {
        let (found, output, _) = examine_role(change, None);
        assert!(found.is_empty() && output.contains(id), "{found:?} {output}");
        assert!(reasons.iter().all(|reason| output.contains(reason)), "{output}");
    }
}

#[test]
fn a_missing_permission_is_found_even_if_other_statements_are_unknown() {
    let (found, ..) = examine_role(
        |role, all| {
            let some = policy(&[&all[..3], &all[4..]].concat());
            role.policy("some", some).boundary("arn:aws:iam::123456789012:policy/limit")
        },
        None,
    );
    assert_eq!(found, ["SD027"]);
}

/// The first finding's problem and fix.
fn output_for_role(role: Role) -> (String, String) {
    let mut scene = deployed();
    scene.world.add_role(role);
    let (_, record) = examined(scene.world, &["--cluster", "demo"]);
    let first = &record["findings"][0];
    let fix = format!("{}{}", first["fix"]["command"].as_str().unwrap(), first["fix"]["template"].as_str().unwrap());
    (first["problem"].as_str().unwrap().to_owned(), fix)
}

#[test]
fn all_missing_permissions_are_reported_at_once_and_the_fix_fits_the_cause() {
    let role = || Role::new("spotdrain");
    let (found, fix) = output_for_role(role().policy("some", policy(&[rights()[1].clone(), rights()[4].clone()])));
    for action in ["elasticloadbalancing:DescribeTargetHealth", "ecs:DescribeServices", "ecs:DescribeTasks"] {
        assert_eq!(found.matches(action).count(), 1, "{found}");
    }
    assert!(fix.contains("Effect: Allow"), "{fix}");
    let deny = json!({"Effect": "Deny", "Action": "ecs:DescribeT*", "Resource": "*"});
    let (_, fix) = output_for_role(role().policy("all", policy(&[&rights()[..], &[deny]].concat())));
    assert!(fix.contains("no Effect: Deny") && fix.contains("ecs:DescribeTasks"), "{fix}");
    let mut all = rights();
    all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
    let (_, fix) = output_for_role(role().policy("all", policy(&all)));
    assert!(fix.starts_with("aws elbv2 add-tags") && fix.contains("Key=spotdrain,Value=on"), "{fix}");
}

#[test]
fn a_deleted_role_has_no_permissions() {
    let mut scene = deployed();
    scene.world.remove_role("spotdrain");
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (1, vec!["SD027", "SD028", "SD035"]), "{record}");
}

#[test]
fn no_permission_is_required_for_services_that_are_out_of_scope() {
    let mut scene = deployed();
    let mut all = rights();
    for statement in &mut all[2..4] {
        let cluster = "arn:aws:ecs:eu-central-1:123456789012:cluster/demo";
        statement["Condition"] = json!({"ArnEquals": {"ecs:cluster": cluster}});
    }
    scene.world.add_role(Role::new("spotdrain").policy("all", policy(&all)));
    scene.world.add_cluster("prod");
    scene.world.set_cluster("prod", json!({"capacityProviders": ["FARGATE", "FARGATE_SPOT"]}));
    scene.world.add_service(Service::new("prod", "web").capacity_provider("FARGATE", 1, 0).desired_count(2));
    let (code, record) = examined(scene.world, &[]);
    assert_eq!((code, ids(&record)), (0, vec![]), "{record}");
}

#[test]
fn tags_of_target_groups_are_read_if_a_permission_depends_on_them() {
    let tagged = |role: Role, mut all: [Value; 5]| {
        all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
        role.policy("tagged", policy(&all))
    };
    for (tag, expected) in [(Some("on"), vec![]), (Some("off"), vec!["SD028"]), (None, vec!["SD028"])] {
        let (found, output, asked) = examine_role(tagged, tag);
        assert_eq!(
            (found, output.as_str(), asked),
            (expected.iter().map(|&id| id.into()).collect(), "[]", 1),
            "{tag:?}"
        );
    }
}

#[test]
fn all_pages_of_a_roles_policies_are_read() {
    let (found, output, _) = examine_role(
        |role, all| {
            let other = json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}});
            let many = (0..120).fold(role, |role, number| role.policy(&format!("p{number:03}"), other.clone()));
            many.policy("the-last", policy(&all))
        },
        None,
    );
    assert_eq!((found, output.as_str()), (vec![], "[]"));
}

#[test]
fn an_unreadable_role_is_reported_as_not_checked_and_not_as_a_finding() {
    let table = [
        (Action::GetRole, "iam:GetRole on resource: role spotdrain"),
        (Action::ListRolePolicies, "iam:ListRolePolicies on resource: role spotdrain"),
        (Action::GetRolePolicy, "iam:GetRolePolicy on resource: role spotdrain"),
        (Action::ListAttachedRolePolicies, "iam:ListAttachedRolePolicies on resource: role spotdrain"),
        (Action::GetPolicy, "iam:GetPolicy on resource: policy arn:aws:iam::123456789012:policy/spotdrain-rights"),
        (Action::GetPolicyVersion, "iam:GetPolicyVersion on resource: policy arn:aws:iam"),
        (Action::DescribeTags, "elasticloadbalancing:DescribeTags because no"),
    ];
    for (action, right) in table {
        let mut scene = deployed();
        let mut all = rights();
        all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
        scene.world.add_role(Role::new("spotdrain").policy("a", policy(&all[..2])).attached(OWN, policy(&all[2..])));
        scene.world.set_tags(&scene.group, &[("spotdrain", "on")]);
        scene.world.add_fault(Fault::AccessDenied.on(action));
        let (code, record) = examined(scene.world, &["--cluster", "demo"]);
        let output = not_checked(&record);
        assert!(code == 0 && ids(&record).is_empty(), "{action}: {record}");
        assert!(output.contains(right) && output.contains("SD028"), "{action}: {output}");
    }
}

#[test]
fn if_iam_is_unreachable_the_role_is_not_checked_and_not_read_again() {
    let mut scene = deployed();
    scene.world.add_fault(Fault::Reset.on(Action::GetRole));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (code, record) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let output = not_checked(&record);
    assert!(code == 0 && output.contains("SD027") && output.contains("GetRole: "), "{output}");
    assert!(local.calls().iter().all(|call| call.action != "ListRolePolicies"));
}
