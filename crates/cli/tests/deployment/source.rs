//! The calls and the metrics in the source code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

/// The text of all sources of a crate.
fn sources(of_crate: &str) -> String {
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of_crate).join("src"))
}

fn read_folder(folder: &Path) -> String {
    let read = |path: &Path| if path.is_dir() { read_folder(path) } else { fs::read_to_string(path).unwrap() };
    fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

const VERBS: &str = "describe|deregister|register|receive|delete|change|send|list|modify|create|put";

/// All calls, found in either way.
pub fn calls() -> BTreeSet<String> {
    &calls_of_clients() | &calls_by_name()
}

/// The methods called on the SDK's clients, as IAM actions: `.elb.describe_target_health()` is
/// `elasticloadbalancing:DescribeTargetHealth`. They have no arguments, because the SDK's builders take them afterwards.
pub fn calls_of_clients() -> BTreeSet<String> {
    let method = Regex::new(&format!(r"\.\s*((?:{VERBS})_[a-z_]+)\(\)")).unwrap();
    let pascal = |snake: &str| snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>();
    method.captures_iter(&sources("function")).map(|found| action(&pascal(&found[1]))).collect()
}

/// The calls' names in the engine: `const CALL: &str = "DeregisterTargets"`, or in the request itself.
pub fn calls_by_name() -> BTreeSet<String> {
    let verbs = VERBS.split('|').map(|verb| verb[..1].to_uppercase() + &verb[1..]).collect::<Vec<_>>().join("|");
    let name = Regex::new(&format!(r#"(?:const [A-Z_]+: &str = "|request\(")((?:{verbs})[A-Z][A-Za-z]+)"#)).unwrap();
    name.captures_iter(&sources("engine")).map(|found| action(&found[1])).collect()
}

/// The IAM action that a call needs. A batch call needs that of the single call.
fn action(call: &str) -> String {
    let call = call.trim_end_matches("Batch");
    let service = match call {
        call if call.contains("Target") => "elasticloadbalancing",
        call if call.contains("Message") || call.contains("Queue") => "sqs",
        call if call.contains("Service") || call.contains("Task") => "ecs",
        other => panic!("unknown service of {other}: name it here"),
    };
    format!("{service}:{call}")
}

/// All possible names of metrics and dimensions: the capitalised strings in the metrics' code, and the variants of `Outcome`.
pub fn metric_words() -> BTreeSet<String> {
    let word = Regex::new(r#"(?m)"([A-Z][A-Za-z]+)"|^    ([A-Z][A-Za-z]+)[,(]"#).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let text: String = ["report/metrics.rs", "model/outcome.rs", "report/mod.rs"]
        .map(|file| fs::read_to_string(folder.join(file)).unwrap())
        .concat();
    let words = word.captures_iter(&text).filter_map(|found| found.get(1).or_else(|| found.get(2)));
    words.map(|word| word.as_str().to_owned()).collect()
}
