//! The Terraform module's text matches the template. The end-to-end test deploys both and compares the resources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;
use spotdrain_core::report::metrics::NAMESPACE;

use crate::organization::{in_vpc, with_key};
use crate::parameters::{FILLED_IN, parameter_of, settings};
use crate::role::{actions, with_load_balancer};
use crate::source::metric_words;
use crate::template::text_of;
use crate::{TEMPLATE, deployed};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/terraform")
}

fn file(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// `FreshSeconds` is `fresh_seconds`.
fn snake(pascal: &str) -> String {
    let lower = pascal.chars().flat_map(|letter| {
        let bar = letter.is_uppercase().then_some('_');
        bar.into_iter().chain(letter.to_lowercase())
    });
    lower.collect::<String>().trim_start_matches('_').to_owned()
}

/// The blocks of a kind, by label, with the text of their top-level arguments.
fn blocks(text: &str, kind: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let block = Regex::new(&format!(r#"(?ms)^{kind} "([a-z_]+)" \{{\n(.*?)^\}}"#)).unwrap();
    let argument = Regex::new(r"(?m)^  ([a-z_]+) += (.*)$").unwrap();
    let arguments =
        |body: &str| argument.captures_iter(body).map(|one| (one[1].to_owned(), one[2].to_owned())).collect();
    block.captures_iter(text).map(|one| (one[1].to_owned(), arguments(&one[2]))).collect()
}

fn variables() -> BTreeMap<String, BTreeMap<String, String>> {
    blocks(&file("variables.tf"), "variable")
}

/// The variables that only Terraform needs: a stack has a name and tags of its own, and `sam deploy` uploads the zip.
const OWN: [&str; 3] = ["name", "package", "tags"];

/// The parameter that `name` replaces. Its default is the stack's name.
const NAME: &str = "NamePrefix";

#[test]
fn its_variables_match_the_templates_parameters() {
    let template = deployed();
    let (variables, parameters) = (variables(), template.root["Parameters"].as_object().unwrap());
    let mut expected: BTreeSet<_> = parameters.keys().filter(|name| *name != NAME).map(|name| snake(name)).collect();
    expected.extend(OWN.map(str::to_owned));
    assert_eq!(variables.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for (name, declared) in parameters.iter().filter(|(name, _)| *name != NAME) {
        let variable = &variables[&snake(name)];
        let default: String = variable["default"].chars().filter(|letter| !r#"[]""#.contains(*letter)).collect();
        assert_eq!(default, text_of(&declared["Default"]), "{name}");
        let output = variable["description"].trim_matches('"');
        let expected = declared["Description"]
            .as_str()
            .unwrap()
            .replace("TargetGroups and LoadBalancers name", "target_groups and load_balancers name");
        assert_eq!(output, expected, "{name}");
    }
}

#[test]
fn its_variables_validate_with_the_same_patterns() {
    let text = file("variables.tf");
    for (name, declared) in deployed().root["Parameters"].as_object().unwrap() {
        if let Some(pattern) = declared["AllowedPattern"].as_str() {
            // Terraform checks a number's bounds, and a list's keyword separately.
            let core = pattern.replace("(all|", "").replace("(none|", "").replace(")$", "$").replace("})$", "}$");
            let is_there = text.contains(pattern) || text.contains(&core);
            assert!(is_there || pattern.starts_with("^(1"), "{name}: {pattern}");
        }
        for allowed in declared["AllowedValues"].as_array().into_iter().flatten().map(text_of) {
            let is_there = text.contains(&format!("\"{allowed}\"")) || text.contains(&allowed);
            assert!(is_there, "{name}: {allowed}");
        }
    }
}

#[test]
fn its_outputs_match_the_templates() {
    let outputs = blocks(&file("outputs.tf"), "output");
    let template = deployed();
    let expected = template.root["Outputs"].as_object().unwrap();
    assert_eq!(outputs.keys().cloned().collect::<BTreeSet<_>>(), expected.keys().map(|name| snake(name)).collect());
    for (name, output) in expected {
        assert!(
            outputs[&snake(name)]["description"].trim_matches('"').starts_with(output["Description"].as_str().unwrap())
        );
    }
}

#[test]
fn its_role_has_the_same_actions() {
    // A condition's key, such as kms:ViaService, is followed by an equals sign.
    let action = Regex::new(r#""((?:ec2|elasticloadbalancing|ecs|kms|sns|sqs|logs):[A-Z][A-Za-z]+)"[,\]\n]"#).unwrap();
    let found: BTreeSet<_> = action.captures_iter(&file("role.tf")).map(|one| one[1].to_owned()).collect();
    let direct = in_vpc(with_key(deployed())).with("Delivery", "direct").with("MessageTopic", "arn");
    assert_eq!(found, &actions(&with_load_balancer()) | &actions(&direct));
}

#[test]
fn its_metrics_exist_in_the_code() {
    let (alarms, dashboard, words) = (file("alarms.tf"), file("dashboard.tf"), metric_words());
    let own =
        Regex::new(&format!(r#"(?:namespace   = "{NAMESPACE}", metric = |\["{NAMESPACE}", )"([A-Za-z]+)""#)).unwrap();
    let counted = Regex::new(r#"(?m)^    [a-z]+ +(?:= )"([A-Z][A-Za-z]+)"$"#).unwrap();
    let mut found: BTreeSet<_> = own.captures_iter(&alarms).map(|one| one[1].to_owned()).collect();
    found.extend(own.captures_iter(&dashboard).map(|one| one[1].to_owned()));
    found.extend(counted.captures_iter(&alarms).map(|one| one[1].to_owned()));
    assert!(found.len() > 10, "{found:?}");
    for name in &found {
        assert!(words.contains(name), "{name} is no metric of the code");
        assert!(TEMPLATE.contains(name.as_str()), "{name} is not in the template");
    }
}

#[test]
fn its_function_has_every_setting() {
    let text = file("function.tf");
    let line_of = |setting: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{setting} ")));
        line.unwrap_or_else(|| panic!("{setting} is not set"))
    };
    for (setting, _) in settings() {
        let (variable, line) = (snake(&parameter_of(setting)), line_of(setting));
        assert!(line.contains(&format!("var.{variable}")), "{line}");
    }
    assert!(FILLED_IN.map(line_of)[0].contains("aws_sqs_queue.notices[0].url"));
}

#[test]
fn it_has_every_alarm_of_the_template() {
    let text = ["alarms.tf", "capacity.tf"].map(file).concat();
    for (name, _) in deployed().with("CapacityWatch", "true").of_type("AWS::CloudWatch::Alarm") {
        let snake = snake(name.trim_end_matches("Alarm"));
        let kebab = snake.replace('_', "-");
        let forms = [format!("      {kebab} = {{"), format!("\"{kebab}\" =>"), format!("_alarm\" \"{snake}\"")];
        assert!(forms.iter().any(|form| text.contains(form)), "{name}");
    }
}

#[test]
fn its_numbers_match_the_templates() {
    let text = ["notices.tf", "function.tf"].map(file).concat();
    let template = deployed();
    let of = |resource: &str| template.properties(resource).unwrap();
    let expected: [(&str, Value); 8] = [
        ("timeout", of("Function")["Timeout"].clone()),
        ("memory_size", of("Function")["MemorySize"].clone()),
        ("visibility_timeout_seconds", of("NoticeQueue")["VisibilityTimeout"].clone()),
        ("maxReceiveCount", of("NoticeQueue")["RedrivePolicy"]["maxReceiveCount"].clone()),
        ("message_retention_seconds", of("DeadLetterQueue")["MessageRetentionPeriod"].clone()),
        ("batch_size", of("FromQueue")["BatchSize"].clone()),
        ("maximum_concurrency", of("FromQueue")["ScalingConfig"]["MaximumConcurrency"].clone()),
        ("maximum_retry_attempts", of("NoticeRule")["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"].clone()),
    ];
    for (name, value) in expected {
        let line = Regex::new(&format!(r"(?m)^ +{name} += {value}\b")).unwrap();
        assert!(line.is_match(&text), "{name} = {value}");
    }
}

#[test]
fn its_statements_have_comments() {
    for name in ["role.tf", "notices.tf"] {
        let text = file(name);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let begins =
                line.starts_with("Sid ") || (line.starts_with("Effect ") && !lines[number - 1].starts_with("Sid "));
            let comment = if lines[number.saturating_sub(2)].starts_with('#') { Some(()) } else { None };
            assert!(!begins || comment.is_some(), "{name}, line {}: {line}", number + 1);
        }
    }
}

#[test]
fn its_readme_lists_every_variable_and_output() {
    let readme = file("README.md");
    for (name, variable) in variables() {
        let default = variable["default"].replace('|', "\\|");
        let row = format!("| `{name}` | `{default}` | {} |", variable["description"].trim_matches('"'));
        assert!(readme.contains(&row), "{row}");
    }
    for (name, output) in blocks(&file("outputs.tf"), "output") {
        let row = format!("| `{name}` | {} |", output["description"].trim_matches('"'));
        assert!(readme.contains(&row), "{row}");
    }
}
