//! Plans of Terraform, each with its right outcome.

use std::path::Path;

use spotdrain_doctor::plan::{Plans, read};
use spotdrain_doctor::{Diagnosis, examine};

const PLANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/plans");

fn diagnosis(file: &str) -> Diagnosis {
    let plans = Plans { files: vec![Path::new(PLANS).join(file)], ..Plans::default() };
    examine(&read(&plans, &|path| std::fs::read(path)).unwrap())
}

#[test]
fn dump() {
    let Ok(file) = std::env::var("DUMP") else { return };
    let diagnosis = diagnosis(&file);
    for one in &diagnosis.findings {
        println!("{} {}: {} [{:?}]", one.check.id, one.problem.place.name, one.problem.description, one.if_on_spot);
    }
    for one in &diagnosis.not_checked {
        println!("not checked {} {}: {}", one.checks.join(","), one.subject, one.why);
    }
    for one in &diagnosis.not_applicable {
        println!("not applicable {}: {}", one.subject, one.why);
    }
}
