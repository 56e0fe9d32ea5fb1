//! Calls that the doctor has no permission for, and failures that leave nothing to examine.

use spotdrain_localaws::{Action, Fault, LocalAws};

use crate::command::{against, run, spotdrain};
use crate::deployed::{deployed, examined, ids, not_checked};

#[test]
fn a_missing_permission_is_reported_with_its_action_and_resource() {
    let table = [
        (
            Action::DescribeTargetGroupAttributes,
            "SD012",
            "elasticloadbalancing:DescribeTargetGroupAttributes because no",
        ),
        (Action::DescribeTargetHealth, "SD008", "elasticloadbalancing:DescribeTargetHealth because no"),
        (Action::DescribeTaskDefinition, "SD009", "ecs:DescribeTaskDefinition on resource: arn:aws"),
        (Action::ListFunctions, "SD024", "lambda:ListFunctions on resource: *"),
        (Action::DescribeRule, "SD021", "events:DescribeRule on resource: drill"),
        (Action::DescribeTargetGroups, "SD012", "elasticloadbalancing:DescribeTargetGroups because no"),
    ];
    for (action, id, right) in table {
        let mut scene = deployed();
        scene.world.add_fault(Fault::AccessDenied.on(action));
        let (code, record) = examined(scene.world, &["--cluster", "demo"]);
        let output = not_checked(&record);
        assert!(code == 0 && ids(&record).is_empty(), "{record}");
        assert!(output.contains(right) && output.contains(id), "{action}: {output}");
    }
}

#[test]
fn a_failure_that_leaves_nothing_to_examine_says_what_to_do() {
    let local = LocalAws::spawn_thread(deployed().world).unwrap();
    let table = [
        (vec!["--cluster", "nobody"], "there is no cluster nobody in eu-central-1: aws ecs list-clusters"),
        (vec!["--cluster", "demo", "--service", "nobody"], "there is no service nobody in cluster demo"),
        (vec!["--function", "nobody"], "there is no function nobody"),
    ];
    for (arguments, expected) in table {
        let (code, _, error) = run(against(&local, &[&["doctor"], &arguments[..]].concat()));
        assert!(code == 1 && error.contains(expected), "{code}: {error}");
    }
    local.world().add_fault(Fault::AccessDenied.on(Action::ListClusters));
    let (code, _, error) = run(against(&local, &["doctor"]));
    assert!(code == 1 && error.contains("ecs:ListClusters on resource: *"), "{error}");
    let mut command = spotdrain(&["doctor"]);
    command.env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    let (code, _, error) = run(command);
    assert!(code == 64 && error.contains("no AWS credentials: set AWS_PROFILE"), "{error}");
    let (code, _, error) = run(spotdrain(&["doctor"]));
    assert!(code == 64 && error.contains("no Region is set: set AWS_REGION"), "{error}");
}

#[test]
fn a_file_whose_kind_is_not_named_is_an_error_with_both_flags() {
    let (code, _, error) = run(spotdrain(&["doctor", "web.yaml"]));
    assert!(code == 64 && error.contains("--template web.yaml") && error.contains("--plan web.yaml"), "{error}");
}
