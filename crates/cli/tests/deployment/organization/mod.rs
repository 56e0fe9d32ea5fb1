//! The parameters for the rules of an organization: names, a permissions boundary, a KMS key and a VPC.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use crate::deployed;
use crate::role::{items, statements};
use crate::template::{Template, refusal};

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SUBNETS: &str = "subnet-0123456789abcdef0,subnet-0123456789abcdef1";
const SECURITY_GROUP: &str = "sg-0123456789abcdef0";
const DEPLOY: &str = include_str!("../../../../../docs/deploy.md");

/// The network permissions of the managed policy `AWSLambdaVPCAccessExecutionRole`.
/// Source: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html>
const OF_THE_VPC: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

pub fn with_key(template: Template) -> Template {
    template.with("KmsKey", KEY)
}

pub fn in_vpc(template: Template) -> Template {
    template.with("VpcSubnets", SUBNETS).with("VpcSecurityGroups", SECURITY_GROUP)
}

fn statement(template: &Template, sid: &str) -> Option<Value> {
    statements(template).into_iter().find(|one| one["Sid"] == sid)
}

fn of_terraform() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/terraform");
    let files = ["alarms.tf", "capacity.tf", "dashboard.tf", "function.tf", "notices.tf", "role.tf"];
    files.map(|file| fs::read_to_string(folder.join(file)).unwrap()).concat()
}

#[test]
fn without_them_names_and_keys_are_awss_and_the_function_is_in_no_vpc() {
    let template = deployed().with("CapacityWatch", "true");
    assert!(template.properties("Function").unwrap()["VpcConfig"].is_null());
    assert!(template.properties("Role").unwrap()["PermissionsBoundary"].is_null());
    for group in ["LogGroup", "CapacityLogGroup"] {
        assert!(template.properties(group).unwrap()["KmsKeyId"].is_null());
    }
    for sid in ["OwnKey", "OwnNetworkInterfaces", "NotByTheCode"] {
        assert!(statement(&template, sid).is_none(), "{sid}");
    }
    let names = names(&template).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names, ["/aws/events/stack-capacity", "stack-capacity", "stack-eu-central-1"]);
}

/// The names that a template sets itself, by the property's name.
fn names(template: &Template) -> Vec<(String, String)> {
    let properties =
        ["AlarmName", "DashboardName", "FunctionName", "LogGroupName", "Name", "PolicyName", "QueueName", "RoleName"];
    let resources = template.root["Resources"].as_object().unwrap().iter();
    let of_other_resources =
        ["AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"];
    let mut names: Vec<_> = resources
        .filter(|(_, resource)| !of_other_resources.contains(&resource["Type"].as_str().unwrap()))
        .filter(|(_, resource)| resource["Type"] != "AWS::Logs::MetricFilter")
        .filter_map(|(id, _)| template.properties(id))
        .flat_map(|found| properties.map(|name| (name.to_owned(), found[name].clone())))
        .filter_map(|(property, name)| Some((property, name.as_str()?.to_owned())))
        .collect();
    names.sort_by(|one, other| one.1.cmp(&other.1));
    names
}

#[test]
fn with_a_prefix_every_resource_has_the_name_that_terraform_gives_it() {
    let template = deployed().with("CapacityWatch", "true").with("NamePrefix", "edge");
    let (names, text) = (names(&template), of_terraform());
    let alarms = template.of_type("AWS::CloudWatch::Alarm").len();
    let others = ["the function", "2 log groups", "2 queues", "2 rules", "the log's policy", "the dashboard"];
    assert_eq!(names.len(), alarms + others.len() + 3, "{names:?}");
    for (property, name) in names {
        assert!(name.contains("edge"), "{property}: {name}");
        let suffix = name.strip_prefix("edge-");
        let of_an_alarm = suffix.is_some_and(|suffix| {
            property == "AlarmName"
                && (text.contains(&format!("      {suffix} = {{")) || text.contains(&format!("\"{suffix}\" =>")))
        });
        let spelled = name.replace("edge", "${var.name}").replace("eu-central-1", "${local.region}");
        let is_there = text.contains(&format!("\"{spelled}\"")) || name == "edge" && text.contains("= var.name\n");
        assert!(is_there || of_an_alarm, "{property}: {name}");
    }
}

/// A name in the template would need `CAPABILITY_NAMED_IAM`, and in two Regions two names.
#[test]
fn the_role_is_named_by_cloudformation() {
    let role = deployed().with("NamePrefix", "edge").properties("Role").unwrap();
    assert!(role["RoleName"].is_null());
}

/// An ARN has an account, and the same parameters are used in every account of an organization.
#[test]
fn the_permissions_boundary_is_a_name_in_the_account() {
    let declared = &deployed().root["Parameters"]["PermissionsBoundary"];
    for name in ["team", "boundaries/team"] {
        assert_eq!(refusal(declared, name), None);
        let role = deployed().with("PermissionsBoundary", name).properties("Role").unwrap();
        assert_eq!(role["PermissionsBoundary"], format!("arn:aws:iam::123456789012:policy/{name}"));
    }
    for other in ["", "/team", "arn:aws:iam::123456789012:policy/team"] {
        assert!(refusal(declared, other).is_some(), "{other}");
    }
    assert!(of_terraform().contains(":policy/${var.permissions_boundary}\""));
}

#[test]
fn the_key_encrypts_both_queues_and_both_logs() {
    let template = with_key(deployed().with("CapacityWatch", "true"));
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!((&queue["KmsMasterKeyId"], &queue["SqsManagedSseEnabled"]), (&json!(KEY), &json!(false)), "{name}");
    }
    for (name, group) in template.of_type("AWS::Logs::LogGroup") {
        assert_eq!(group["KmsKeyId"], KEY, "{name}");
    }
    let text = of_terraform();
    assert_eq!(text.matches("kms_master_key_id").count(), 2);
    assert_eq!(Regex::new(r"kms_key_id +=").unwrap().find_iter(&text).count(), 2);
}

/// An alias would not do: the role's permission is on a key, and the log group wants an ARN.
#[test]
fn the_key_is_an_arn_of_a_key() {
    let declared = &deployed().root["Parameters"]["KmsKey"];
    assert_eq!(refusal(declared, KEY), None);
    for other in
        ["alias/aws/sqs", "arn:aws:kms:eu-central-1:123456789012:alias/team", "1234abcd-12ab-34cd-56ef-1234567890ab"]
    {
        assert!(refusal(declared, other).is_some(), "{other}");
    }
}

#[test]
fn the_role_uses_the_key_only_through_sqs_and_encrypts_only_without_a_queue() {
    let template = with_key(deployed());
    let own = statement(&template, "OwnKey").unwrap();
    assert_eq!((items(&own["Action"]), &own["Resource"]), (vec!["kms:Decrypt".to_owned()], &json!(KEY)));
    assert_eq!(own["Condition"]["StringLike"]["kms:ViaService"], "sqs.eu-central-1.*");
    let direct = statement(&template.with("Delivery", "direct"), "OwnKey").unwrap();
    assert_eq!(items(&direct["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"]);
    let text = of_terraform();
    assert!(text.contains(r#""kms:ViaService" = "sqs.${data.aws_region.current.id}.*""#));
    assert!(text.contains(r#"local.by_queue ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]"#));
}

#[test]
fn in_a_vpc_lambda_may_manage_network_interfaces_and_the_code_may_not() {
    let template = in_vpc(deployed());
    let function = template.properties("Function").unwrap();
    let expected = json!({ "SubnetIds": SUBNETS.split(',').collect::<Vec<_>>(), "SecurityGroupIds": [SECURITY_GROUP] });
    assert_eq!(function["VpcConfig"], expected);
    let (allow, deny) =
        (statement(&template, "OwnNetworkInterfaces").unwrap(), statement(&template, "NotByTheCode").unwrap());
    assert_eq!((&allow["Effect"], &deny["Effect"]), (&json!("Allow"), &json!("Deny")));
    assert_eq!(items(&allow["Action"]), OF_THE_VPC);
    assert_eq!(allow["Action"], deny["Action"]);
    let functions = "arn:aws:lambda:eu-central-1:123456789012:function:*";
    assert_eq!(deny["Condition"]["ArnLike"]["lambda:SourceFunctionArn"], functions);
    let others: BTreeSet<_> =
        statements(&template).iter().filter(|one| one["Effect"] == "Deny").map(|one| one["Sid"].to_string()).collect();
    assert_eq!(others.len(), 1, "the only Deny");
}

#[test]
fn subnets_and_security_groups_are_ids() {
    let parameters = &deployed().root["Parameters"];
    for (name, accepted, refused) in [
        ("VpcSubnets", SUBNETS, vec!["", "subnet-x", SECURITY_GROUP]),
        ("VpcSecurityGroups", SECURITY_GROUP, vec!["", "default", "subnet-0123456789abcdef0"]),
    ] {
        assert_eq!(refusal(&parameters[name], accepted), None);
        for value in refused {
            assert!(refusal(&parameters[name], value).is_some(), "{name}={value}");
        }
    }
}

/// The statements that a key's policy needs, as docs/deploy.md has them.
fn key_policy() -> Vec<Value> {
    let section = DEPLOY.split("\n### ").find(|section| section.starts_with("A KMS key of your own")).unwrap();
    let block = section.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    serde_json::from_str(block).unwrap()
}

#[test]
fn the_documented_key_policy_lets_eventbridge_send_and_the_log_be_written() {
    let policy = key_policy();
    let of = |service: &str| policy.iter().find(|one| one["Principal"]["Service"] == service).unwrap();
    let events = of("events.amazonaws.com");
    assert_eq!(items(&events["Action"]), ["kms:Decrypt", "kms:GenerateDataKey"]);
    assert_eq!(events["Condition"]["StringEquals"]["aws:SourceAccount"], "123456789012");
    let logs = of("logs.eu-central-1.amazonaws.com");
    let needed = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];
    assert_eq!(items(&logs["Action"]), needed);
    let arns = items(&logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]);
    assert_eq!(arns, ["arn:aws:logs:eu-central-1:123456789012:log-group:*spotdrain*"]);
}
