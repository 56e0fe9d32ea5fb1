//! The role allows the code's calls and nothing else, on named resources where AWS supports them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::source::{calls, calls_by_name, calls_of_clients};
use crate::template::{Template, text_of};
use crate::{TEMPLATE, deployed};

/// What Lambda needs to receive and delete the queue's messages. The function itself also receives and returns messages.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions>
const OF_THE_QUEUE: [&str; 4] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];

/// What Lambda needs to write the log.
const OF_THE_LOG: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// What Lambda needs to keep a failed direct event.
const OF_DIRECT_EVENTS: [&str; 1] = ["sqs:SendMessage"];

/// What the function calls only if load balancers are configured.
const OF_LOAD_BALANCERS: [&str; 1] = ["elasticloadbalancing:DescribeTargetGroups"];

/// The template with a load balancer, which needs one more call.
pub fn with_load_balancer() -> Template {
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/demo/50dc";
    deployed().with("LoadBalancers", arn)
}

pub fn statements(template: &Template) -> Vec<Value> {
    let policies = template.properties("Role").unwrap()["Policies"].clone();
    let statements = policies
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone());
    statements.collect()
}

pub fn items(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(|| vec![text_of(value)], |items| items.iter().map(text_of).collect())
}

pub fn actions(template: &Template) -> BTreeSet<String> {
    statements(template).iter().flat_map(|statement| items(&statement["Action"])).collect()
}

fn set(lists: &[&[&str]]) -> BTreeSet<String> {
    lists.concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn the_codes_calls_are_found_in_two_ways() {
    let both = &calls_of_clients() & &calls_by_name();
    assert!(both.len() >= 4, "{:?} and {:?}", calls_of_clients(), calls_by_name());
}

#[test]
fn with_a_queue_the_role_may_do_what_the_code_calls_and_lambda_needs() {
    let expected = &calls() | &set(&[&OF_THE_QUEUE, &OF_THE_LOG]);
    assert_eq!(actions(&with_load_balancer()), expected);
    assert_eq!(actions(&deployed()), &expected - &set(&[&OF_LOAD_BALANCERS]));
}

/// Without this permission a last healthy target is kept more often, but no notice is lost.
const OF_THE_LAST_HEALTHY: [&str; 1] = ["ecs:ListTasks"];

/// The log affects no connection.
#[test]
fn the_doctor_asks_for_every_right_of_the_role_without_which_a_notice_is_lost() {
    let checks = include_str!("../../../doctor/src/checks/role.rs");
    for action in &actions(&deployed()) - &set(&[&OF_THE_LOG, &OF_THE_LAST_HEALTHY]) {
        assert!(checks.contains(&format!("\"{action}\"")), "no check of the doctor asks for {action}");
    }
}

#[test]
fn without_a_queue_the_role_may_not_touch_one_but_leave_dead_letters() {
    let calls: BTreeSet<_> = calls().into_iter().filter(|call| !call.starts_with("sqs:")).collect();
    let expected = &calls | &set(&[&OF_DIRECT_EVENTS, &OF_THE_LOG]);
    assert_eq!(actions(&with_load_balancer().with("Delivery", "direct")), expected);
}

#[test]
fn without_discovery_the_role_may_not_describe_services_nor_touch_another_group() {
    let group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo/6d0e";
    let template = deployed().with("Discover", "false").with("TargetGroups", group);
    assert!(!actions(&template).contains("ecs:DescribeServices"));
    assert!(!actions(&template).contains("ecs:DescribeServiceRevisions"));
    let deregister = |statement: &&Value| statement["Action"] == "elasticloadbalancing:DeregisterTargets";
    let statements = statements(&template);
    let resources: Vec<_> = statements.iter().filter(deregister).flat_map(|one| items(&one["Resource"])).collect();
    assert_eq!(resources, [group]);
}

#[test]
fn the_groups_of_a_load_balancer_can_be_deregistered_from_without_discovery() {
    let template = with_load_balancer().with("Discover", "false");
    assert!(!actions(&template).contains("ecs:DescribeServices"));
    let statements = statements(&template);
    let deregister = statements.iter().find(|one| one["Action"] == "elasticloadbalancing:DeregisterTargets").unwrap();
    assert_eq!(deregister["Resource"], "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/*/*");
}

/// AWS has no resources for these actions; `ecs:ListTasks` has container instances, and is restricted by the cluster instead.
/// Sources: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>,
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>
const WITHOUT_RESOURCES: [&str; 3] =
    ["elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetGroups", "ecs:ListTasks"];

#[test]
fn only_the_actions_that_have_no_resources_are_allowed_on_all() {
    for delivery in ["queue", "direct"] {
        for statement in statements(&with_load_balancer().with("Delivery", delivery)) {
            let is_on_all = items(&statement["Resource"]).iter().any(|resource| resource == "*");
            let has_no_resources = statement["Action"].as_str().is_some_and(|one| WITHOUT_RESOURCES.contains(&one));
            assert_eq!(is_on_all, has_no_resources, "{statement}");
            assert!(items(&statement["Action"]).iter().all(|action| !action.contains('*')), "{statement}");
            assert_eq!(statement["Effect"], "Allow");
        }
    }
}

#[test]
fn services_and_tasks_are_those_of_the_named_clusters() {
    let clusters = "arn:aws:ecs:eu-central-1:123456789012:cluster/a,arn:aws:ecs:eu-central-1:123456789012:cluster/b";
    let template = deployed().with("Clusters", clusters);
    for statement in statements(&template) {
        if items(&statement["Action"]).iter().any(|action| action.starts_with("ecs:")) {
            assert_eq!(items(&statement["Condition"]["ArnEquals"]["ecs:cluster"]).join(","), clusters);
        }
    }
}

#[test]
fn with_a_message_topic_the_role_may_publish_to_it_and_to_no_other() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:chat";
    let with = deployed().with("MessageTopic", topic);
    assert_eq!(&actions(&with) - &actions(&deployed()), set(&[&["sns:Publish"]]));
    let publish = statements(&with).into_iter().find(|one| one["Action"] == "sns:Publish").unwrap();
    assert_eq!(publish["Resource"], topic);
}

#[test]
fn discovered_groups_can_be_narrowed_to_tagged_ones() {
    let tagged = statements(&deployed().with("OnlyTaggedTargetGroups", "true"));
    let tagged = tagged.iter().find(|one| one["Sid"] == "DeregisterFromDiscoveredGroups").unwrap();
    assert_eq!(tagged["Condition"]["StringEquals"]["aws:ResourceTag/spotdrain"], "on");
    let all = statements(&deployed());
    let all = all.iter().find(|one| one["Sid"] == "DeregisterFromDiscoveredGroups").unwrap();
    assert_eq!(all["Condition"], Value::Null);
}

/// The line before a statement, or before the condition that it stands under, is a comment.
pub fn assert_every_statement_has_a_comment(text: &str) {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let mut found = 0;
    for (number, line) in lines.iter().enumerate() {
        let begins = line.starts_with("- Sid:") || line.starts_with("- Effect:");
        if !begins {
            continue;
        }
        found += 1;
        let before = lines[..number].iter().rev().find(|line| {
            let is_condition = **line == "- !If"
                || line.strip_prefix("- ").is_some_and(|name| name.chars().all(char::is_alphanumeric));
            !is_condition
        });
        assert!(before.is_some_and(|line| line.starts_with('#')), "line {} has no comment: {line}", number + 1);
    }
    assert!(found > 0, "statements were found");
}

#[test]
fn every_statement_has_a_comment() {
    assert_every_statement_has_a_comment(TEMPLATE);
    assert_every_statement_has_a_comment(crate::example::EXAMPLE);
}
