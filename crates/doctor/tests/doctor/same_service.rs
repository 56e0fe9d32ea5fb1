//! The same service, written for CloudFormation, the CDK and Terraform, gets the same findings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::plan::{self, Plans};
use spotdrain_doctor::template::{self, Location, Templates};
use spotdrain_doctor::{Diagnosis, examine};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/same-service");

fn of_template(templates: &Templates) -> Deployment {
    template::read(templates, &|path| std::fs::read_to_string(path)).unwrap()
}

fn of_plan(file: PathBuf) -> Deployment {
    plan::read(&Plans { files: vec![file], ..Plans::default() }, &|path| std::fs::read(path)).unwrap()
}

/// The stacks of a folder that `cdk synth` wrote.
fn assembly(folder: &Path) -> BTreeMap<PathBuf, Location> {
    template::stacks(folder, &|path| std::fs::read_to_string(path)).unwrap().unwrap()
}

fn of_assembly(folder: &Path) -> Deployment {
    let locations = assembly(folder);
    of_template(&Templates { candidates: locations.keys().cloned().collect(), locations, ..Templates::default() })
}

/// Check, severity, problem and impact, without the names of resources.
fn findings(diagnosis: &Diagnosis) -> Vec<String> {
    let line = |one: &spotdrain_doctor::diagnosis::Finding| {
        let problem = &one.problem;
        let description =
            problem.description.split_once("new connections").map_or(problem.description.as_str(), |(_, end)| end);
        // A plan has the provider's defaults as values.
        let description = description.replace(" by default", "");
        format!("{} {}: {description}; {}", one.check.id, one.severity().as_str(), problem.impact)
    };
    let mut lines: Vec<_> = diagnosis.findings.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn the_same_service_gets_the_same_findings_in_every_form() {
    let folder = Path::new(FOLDER);
    let template = examine(&of_template(&Templates::of(&folder.join("template.yaml"), BTreeMap::new())));
    let cdk = examine(&of_assembly(&folder.join("cdk.out")));
    let terraform = examine(&of_plan(folder.join("plan.json")));
    let ids: Vec<_> = template.findings.iter().map(|one| one.check.id).collect();
    assert_eq!(ids, ["SD006", "SD009", "SD012", "SD003", "SD057"]);
    assert_eq!(findings(&template), findings(&cdk));
    assert_eq!(findings(&template), findings(&terraform));
    let checks = |diagnosis: &Diagnosis| diagnosis.not_checked.iter().map(|one| one.checks.clone()).collect::<Vec<_>>();
    assert_eq!(checks(&template), checks(&terraform));
}

#[test]
fn an_assembly_has_the_stacks_of_its_stages_with_their_accounts_and_regions() {
    let stacks = assembly(&Path::new(FOLDER).join("cdk.out"));
    let names: Vec<_> = stacks.keys().map(|file| file.file_name().unwrap().to_string_lossy()).collect();
    assert_eq!(names, ["Empty.template.json", "ProdWebF45B1510.template.json"]);
    assert!(
        stacks
            .values()
            .all(|one| one.account.as_deref() == Some("123456789012") && one.region.as_deref() == Some("eu-central-1"))
    );
    assert!(template::stacks(Path::new(FOLDER), &|path| std::fs::read_to_string(path)).unwrap().is_none());
}

#[test]
fn a_broken_assembly_is_refused_with_the_file_and_what_to_do() {
    let load = |path: &Path| match path.to_str().unwrap() {
        "cdk.out/manifest.json" => {
            Ok(r#"{"artifacts": {"a": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "a"}}}}"#
                .to_owned())
        }
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let error = template::stacks(Path::new("cdk.out"), &load).unwrap_err().to_string();
    assert!(error.starts_with("cdk.out/a/manifest.json: cannot be read") && error.contains("run cdk synth"), "{error}");
    let error = template::stacks(Path::new("cdk.out"), &|_| Ok("{".to_owned())).unwrap_err().to_string();
    assert!(error.contains("is not JSON"), "{error}");
}
