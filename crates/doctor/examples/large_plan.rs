//! Makes a plan of at least as many lines as the argument says (40,000 by default) out of copies of a small one, reads and
//! examines it five times, and prints the fastest time.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example has a clock and a terminal")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use spotdrain_doctor::plan::{PlanError, Plans, read};
use spotdrain_doctor::{Diagnosis, examine};

/// Two services in a module with `for_each`, with their target groups and listeners.
const SMALL: &str = include_str!("../tests/doctor/plans/services-in-for-each.json");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let least = std::env::args().nth(1).map_or(Ok(40_000), |text| text.parse())?;
    let small: Value = serde_json::from_str(SMALL)?;
    let copies = least / SMALL.lines().count() + 2;
    let text = serde_json::to_string_pretty(&plan(&small, copies))?;
    let mut fastest = Duration::MAX;
    let mut diagnosis = Diagnosis::default();
    for _ in 0..5 {
        let begin = Instant::now();
        diagnosis = examined(&text)?;
        fastest = fastest.min(begin.elapsed());
    }
    let (lines, services, findings) = (text.lines().count(), diagnosis.services, diagnosis.findings.len());
    println!("{lines} lines, {services} services, {findings} findings: {} ms", fastest.as_millis());
    Ok(())
}

fn examined(text: &str) -> Result<Diagnosis, PlanError> {
    let plans = Plans { files: vec![PathBuf::from("plan.json")], ..Plans::default() };
    Ok(examine(&read(&plans, &|_| Ok(text.as_bytes().to_vec()))?))
}

/// Each copy is a module of its own.
fn plan(small: &Value, copies: usize) -> Value {
    let (mut modules, mut changes, mut calls) = (Vec::new(), Vec::new(), Map::new());
    for number in 0..copies {
        let name = format!("copy{number}");
        let mut module = small.pointer("/planned_values/root_module").cloned().unwrap_or_default();
        prefix(&mut module, &name);
        if let Some(fields) = module.as_object_mut() {
            fields.insert("address".to_owned(), format!("module.{name}").into());
        }
        modules.push(module);
        let mut own = small.get("resource_changes").cloned().unwrap_or_default();
        prefix(&mut own, &name);
        changes.extend(own.as_array().cloned().unwrap_or_default());
        let configuration = small.pointer("/configuration/root_module").cloned().unwrap_or_default();
        calls.insert(name, json!({"module": configuration}));
    }
    json!({
        "format_version": "1.2",
        "planned_values": {"root_module": {"child_modules": modules}},
        "resource_changes": changes,
        "configuration": {"root_module": {"module_calls": calls}},
    })
}

/// Puts a module before every address of resources and modules.
fn prefix(value: &mut Value, module: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prefix(item, module)),
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner {
                    Value::String(text) if key == "address" || key == "module_address" => {
                        *text = format!("module.{module}.{text}");
                    }
                    inner => prefix(inner, module),
                }
            }
        }
        _ => {}
    }
}
