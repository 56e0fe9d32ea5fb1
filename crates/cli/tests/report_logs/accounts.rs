//! `spotdrain report --accounts`: profiles whose endpoints are different servers.

use std::process::Command;

use serde_json::{Value, json};
use spotdrain_localaws::{LocalAws, Scene};

use super::{Answer, line, serve};
use crate::common::command::{ROOT, json, run, spotdrain};
use crate::validator::problems;

fn event(line: &str) -> Value {
    json!({"message": line, "timestamp": 1_795_000_000_000_i64})
}

fn two_tasks(_: &Value) -> (u16, Value) {
    (200, json!({"events": [event(&line("one", "web")), event(&line("two", "web"))]}))
}

/// One task of its own, and one that the other account's log also has.
fn another_account(_: &Value) -> (u16, Value) {
    let own = line("three", "api").replace("123456789012", "999988887777").replace("eu-central-1", "eu-west-1");
    (200, json!({"events": [event(&own), event(&line("two", "web"))]}))
}

fn denied(_: &Value) -> (u16, Value) {
    (400, json!({"__type": "AccessDeniedException", "message": "User x is not authorized"}))
}

const KEYS: &str = "aws_access_key_id = a\naws_secret_access_key = b";

/// The report with the profiles of this configuration file, and no other credentials.
fn configured(file: &str, text: &str, arguments: &[&str]) -> Command {
    let mut command = spotdrain(&[&["report"][..], arguments].concat());
    command.env("AWS_CONFIG_FILE", crate::file(file, text)).env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// The report over these accounts, with a profile `prod` in eu-central-1 and a profile `staging` without a Region.
fn report(file: &str, answers: [Answer; 2], arguments: &[&str]) -> Command {
    let [prod, staging] = answers.map(|answer| serve(answer).0);
    let text = format!(
        "[profile prod]\nregion = eu-central-1\nendpoint_url = {prod}\n{KEYS}\n\
         [profile staging]\nendpoint_url = {staging}\n{KEYS}\n"
    );
    configured(file, &text, &[&["--logs", "/aws/lambda/spotdrain"][..], arguments].concat())
}

const BOTH: [&str; 2] = ["--accounts", "prod,staging@eu-west-1"];

fn assert_matches_the_schema(report: &Value) {
    let schema = std::fs::read_to_string(format!("{ROOT}/docs/schema/report-1.json")).unwrap();
    assert_eq!(problems(&serde_json::from_str(&schema).unwrap(), report), [""; 0]);
}

#[test]
fn several_accounts_make_one_report() {
    let answers: [Answer; 2] = [two_tasks, another_account];
    let (code, all) = json(report("accounts.ini", answers, &[&BOTH[..], &["--json"]].concat()));
    assert_eq!((code, &all["interruptions"]), (0, &json!(3)), "a task in two logs counts once: {all}");
    assert_matches_the_schema(&all);
    let [prod, staging] = all["accounts"].as_array().unwrap().as_slice() else { panic!("{all}") };
    let of = |account: &Value| ["profile", "region", "account_ids", "interruptions"].map(|name| account[name].clone());
    let one = json!(["123456789012"]);
    assert_eq!(of(prod), [json!("prod"), json!("eu-central-1"), one, json!(2)]);
    let both = json!(["123456789012", "999988887777"]);
    assert_eq!(of(staging), [json!("staging"), json!("eu-west-1"), both, json!(2)]);
    assert_eq!(
        (&staging["first"]["ecs"], &staging["lines"], &staging["problem"]),
        (&json!(2), &json!(2), &Value::Null)
    );
    assert_eq!(all["lines"]["read"], 4);
}

/// A local AWS with one function, of this name.
fn account(function: &str) -> LocalAws {
    let mut scene = Scene::demo();
    scene.world.add_function(json!({
        "FunctionName": function, "FunctionArn": format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}"),
        "Environment": {"Variables": {"SPOTDRAIN_MODE": "enforce"}},
    }));
    LocalAws::spawn_thread(scene.world).unwrap()
}

#[test]
fn without_a_name_the_log_of_each_accounts_function_is_read() {
    let (logs, requests) = serve(two_tasks);
    let locals = [account("spotdrain-one"), account("spotdrain-two")];
    let profile = |(name, local): (&str, &LocalAws)| {
        let endpoint = local.endpoint();
        format!(
            "[profile {name}]\nregion = eu-central-1\nendpoint_url = {logs}\nservices = {name}\n{KEYS}\n\
             [services {name}]\nlambda =\n  endpoint_url = {endpoint}\n"
        )
    };
    let text: String = ["one", "two"].into_iter().zip(&locals).map(profile).collect();
    let (code, all) = json(configured("functions.ini", &text, &["--accounts", "one,two", "--json"]));
    assert_eq!((code, &all["interruptions"]), (0, &json!(2)), "{all}");
    let groups: Vec<_> = requests.try_iter().map(|request| request["logGroupName"].clone()).collect();
    assert_eq!(groups, ["/aws/lambda/spotdrain-one", "/aws/lambda/spotdrain-two"]);
}

#[test]
fn the_text_and_the_page_have_a_table_by_account() {
    let (code, text, _) = run(report("accounts-text.ini", [two_tasks, another_account], &BOTH));
    assert!(code == 0 && text.contains(", 2 accounts\n") && text.contains("By account and Region"), "{text}");
    assert!(text.contains("  prod     eu-central-1  123456789012  "), "{text}");
    let page = crate::file("accounts.html", "");
    let arguments = [&BOTH[..], &["--html", &page]].concat();
    assert_eq!(run(report("accounts-page.ini", [two_tasks, another_account], &arguments)).0, 0);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<h2>By account and Region</h2>") && page.contains("staging"));
}

#[test]
fn an_account_that_cannot_be_read_is_a_warning_and_the_others_are_reported() {
    let (code, out, error) = run(report("denied.ini", [two_tasks, denied], &[&BOTH[..], &["--json"]].concat()));
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("warning: the report does not include account staging in eu-west-1: "), "{error}");
    assert!(error.contains("allow logs:FilterLogEvents") && error.contains("profile staging (--accounts)"), "{error}");
    let all: Value = serde_json::from_str(&out).unwrap();
    assert_matches_the_schema(&all);
    assert_eq!((&all["interruptions"], &all["accounts"][0]["problem"]), (&json!(2), &Value::Null));
    assert!(all["accounts"][1]["problem"].as_str().unwrap().contains("is not authorized"), "{all}");
    let first = &all["sentences"][0];
    assert_eq!(first["tone"], "careful");
    assert!(first["text"].as_str().unwrap().starts_with("1 of 2 accounts could not be read"), "{first}");
    let (_, text, _) = run(report("denied-text.ini", [two_tasks, denied], &BOTH));
    assert!(text.contains("staging  eu-west-1     -             not read"), "{text}");
}

#[test]
fn if_no_account_can_be_read_the_error_names_them_all() {
    let (code, out, error) = run(report("none.ini", [denied, denied], &BOTH));
    assert!(code == 1 && out.is_empty(), "{out}{error}");
    assert!(error.contains("account prod: ") && error.contains("account staging in eu-west-1: "), "{error}");
    let (code, _, error) = run(report("nobody.ini", [denied, denied], &["--accounts", "nobody@eu-west-1"]));
    assert!(code == 64 && error.contains("account nobody in eu-west-1: "), "{code} {error}");
    assert!(error.contains("was not defined") && error.contains("profile nobody (--accounts)"), "{error}");
    let (code, _, error) = run(report("no-region.ini", [denied, denied], &["--accounts", "staging"]));
    assert!(code == 64 && error.contains("account staging: no Region is set"), "{code} {error}");
}

#[test]
fn accounts_that_are_named_wrongly_are_rejected() {
    let answers: [Answer; 2] = [two_tasks, two_tasks];
    for (arguments, expected) in [
        (&["--accounts", "prod,prod"][..], "--accounts names prod twice"),
        (&["--accounts", "prod", "--hold-logs", "arn:aws:logs:eu-west-1:1:log-group:x"], "--hold-logs arn:aws:logs"),
        (&["--accounts", "prod", "--profile", "staging"], "cannot be used with"),
        (&["--accounts", "@eu-west-1"], "expected PROFILE or PROFILE@REGION"),
    ] {
        let (code, _, error) = run(report("wrong.ini", answers, arguments));
        assert!(code == 64 && error.contains(expected), "{arguments:?}: {code} {error}");
    }
}
