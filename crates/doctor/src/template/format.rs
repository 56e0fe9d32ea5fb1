//! Recognises files of other formats, and says how to get something that the doctor reads.

use std::path::Path;

use crate::template::syntax::node::Node;

const TERRAFORM: &str = "is Terraform, not a template of CloudFormation or SAM: run terraform plan -out tfplan and \
                         terraform show -json tfplan > plan.json, then spotdrain doctor --plan plan.json";

const LIVE: &str = "deploy it, then spotdrain doctor --cluster NAME reads what is deployed";

/// Recognises a file by its name or its text, where it is not YAML or JSON.
pub(crate) fn of_text(file: &Path, text: &str) -> Option<String> {
    let is_terraform = ["tf", "tofu"].iter().any(|known| file.extension().is_some_and(|own| own == *known))
        || text.lines().any(|line| line.starts_with("resource \"aws_") || line.starts_with("terraform {"));
    if is_terraform {
        return Some(TERRAFORM.to_owned());
    }
    if text.contains("Supply a stack id") {
        let advice = "is the message of cdk synth for an app with several stacks: spotdrain doctor --template cdk.out";
        return Some(advice.to_owned());
    }
    let is_cdk = ["ts", "py", "java", "go", "cs"].iter().any(|known| file.extension().is_some_and(|own| own == *known));
    let advice = "is the source of a CDK app: run cdk synth, then spotdrain doctor --template cdk.out";
    (is_cdk && text.contains("cdk")).then(|| advice.to_owned())
}

/// Recognises a document of another format by its keys.
pub(crate) fn of_node(file: &Path, node: &Node) -> Option<String> {
    let has = |key: &str| node.get(key).is_some();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let problem = if has("terraform_version") || has("planned_values") || has("lineage") || name.ends_with(".tf.json") {
        TERRAFORM.to_owned()
    } else if has("provider") && has("service") {
        let file = ".serverless/cloudformation-template-update-stack.json";
        format!("is a Serverless Framework file: run serverless package, then spotdrain doctor --template {file}")
    } else if is_ecs_answer(node) {
        "is an answer or a request of the ECS API: spotdrain doctor --cluster NAME --service NAME reads the service itself"
            .to_owned()
    } else if has("services") {
        format!("is a Compose file: run ecs-compose-x render, or {LIVE}")
    } else if has("artifacts") && has("version") {
        "is the manifest of a CDK cloud assembly: give its folder, spotdrain doctor --template cdk.out".to_owned()
    } else if has("app") && has("context") || name == "cdk.json" {
        "is a CDK project: run cdk synth, then spotdrain doctor --template cdk.out".to_owned()
    } else if has("type") && has("name") && (has("image") || has("http") || has("nlb")) {
        "is a Copilot manifest: run copilot svc package --output-dir out, then spotdrain doctor --template out"
            .to_owned()
    } else if has("runtime") && has("name") {
        format!("is a Pulumi project: {LIVE}")
    } else if has("apiVersion") && has("kind") {
        "is a Kubernetes manifest: the doctor examines services of ECS".to_owned()
    } else {
        return None;
    };
    Some(problem)
}

/// `describe-services`, `describe-task-definition`, and the input of `create-service` and `register-task-definition`.
fn is_ecs_answer(node: &Node) -> bool {
    let keys = ["taskDefinition", "containerDefinitions", "serviceName", "desiredCount", "taskDefinitionArn"];
    let has_arn = |node: &Node| node.get("serviceArn").is_some() || node.get("clusterArn").is_some();
    let services = node.get("services").map_or(&[][..], Node::items);
    keys.iter().any(|key| node.get(key).is_some()) || services.iter().any(has_arn) || has_arn(node)
}
