//! Plans that are changed at random: whatever they say, they are read or refused, and the doctor does not crash.

use std::path::PathBuf;

use serde_json::Value;
use spotdrain_doctor::examine;
use spotdrain_doctor::plan::{Plans, read};

use crate::mutants::Random;

const PLANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/plans");

/// What takes the place of a value, as JSON.
const VALUES: [&str; 20] = [
    "null",
    "true",
    "-1",
    "0",
    "4294967296",
    "1e300",
    "\"\"",
    "\"*\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "[null]",
    "[true]",
    "{\"references\": [\"module.a[\\\"\", \"var.\", \"each.value\", \"local.x\"]}",
    "{\"references\": [\"module.service\", \"module.alb.target_groups\"]}",
    "{\"constant_value\": []}",
    "\"module.web[\\\"a\\\"].module.web\"",
    "\"aws_ecs_service.this[\"",
    "\"\u{1f680}\\u0000\"",
    "\"arn:aws:ecs\"",
];

fn sources() -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(PLANS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

/// Walks to a random place and changes what is there.
fn mutate(value: &mut Value, other: &Value, random: &mut Random) {
    let (stop, at) = (random.below(12) == 0, random.below(64));
    let inner = match value {
        Value::Array(items) if !items.is_empty() && !stop => {
            let count = items.len();
            items.get_mut(at % count)
        }
        Value::Object(fields) if !fields.is_empty() && !stop => {
            let count = fields.len();
            fields.iter_mut().nth(at % count).map(|(_, inner)| inner)
        }
        _ => None,
    };
    match inner {
        Some(inner) => mutate(inner, other, random),
        None => change(value, other, random),
    }
}

fn change(value: &mut Value, other: &Value, random: &mut Random) {
    match (random.below(5), &mut *value) {
        (0, Value::Object(fields)) => _ = fields.pop_first_field(),
        (1, Value::Array(items)) => items.extend(items.clone()),
        (2, Value::Array(items)) => items.clear(),
        (3, place) => *place = other.clone(),
        (_, place) => *place = serde_json::from_str(VALUES[random.below(VALUES.len())]).unwrap(),
    }
}

trait PopField {
    fn pop_first_field(&mut self) -> Option<Value>;
}

impl PopField for serde_json::Map<String, Value> {
    fn pop_first_field(&mut self) -> Option<Value> {
        let first = self.keys().next().cloned()?;
        self.remove(&first)
    }
}

/// Returns how many mutants were read.
fn try_mutants(count: usize, seed: u64) -> usize {
    let (sources, mut random) = (sources(), Random(seed));
    let plans = Plans { files: vec![PathBuf::from("plan.json")], ..Plans::default() };
    let try_one = |number: usize| {
        let mut plan = sources[number % sources.len()].clone();
        let fragment = plan.pointer("/configuration/root_module").cloned().unwrap_or_default();
        for _ in 0..=random.below(4) {
            mutate(&mut plan, &fragment, &mut random);
        }
        let bytes = plan.to_string().into_bytes();
        read(&plans, &|_| Ok(bytes.clone())).map(|deployment| examine(&deployment)).is_ok()
    };
    (0..count).map(try_one).filter(|was_read| *was_read).count()
}

/// The number of mutants is 500, or what `PLAN_MUTANTS` says.
#[test]
fn mutated_plans_do_not_crash_the_doctor() {
    let count = std::env::var("PLAN_MUTANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(500);
    let read = try_mutants(count, 0x7e44);
    println!("{read} of {count} mutants were read, the others refused");
    assert!((count / 5..count).contains(&read), "{read} of {count} were read: some should be, and some refused");
}
