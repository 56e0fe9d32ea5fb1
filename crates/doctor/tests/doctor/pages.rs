//! The pages of the checks in `docs/checks` are those of the code. `UPDATE_PAGES=1` writes them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use spotdrain_doctor::check::Problem;
use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::page::page;
use spotdrain_doctor::{CHECKS, Diagnosis, examine};

use crate::examination::careless;
use crate::faults::{EXAMPLE, FAULTS, diagnosis};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks");

/// A problem of each check, from the faults of the other tests.
fn example(id: &str) -> Problem {
    let of_fault = || FAULTS.iter().filter(|(known, _)| *known == id).find_map(|(_, fault)| diagnosis(EXAMPLE, fault));
    let diagnosis = match id {
        "SD033" => examine(&careless()),
        "SD036" => unused_targets(),
        "SD057" => diagnosis(EXAMPLE, &[]).unwrap(),
        _ => of_fault().unwrap(),
    };
    let finding = diagnosis.findings.into_iter().find(|one| one.check.id == id).unwrap();
    finding.problem
}

/// Targets that no listener reaches, which only what is deployed has.
fn unused_targets() -> Diagnosis {
    let mut deployment: Deployment = careless();
    for service in &mut deployment.services {
        if let Setting::Set(balancers) = &mut service.balancers {
            for balancer in balancers {
                if let Setting::Set(group) = &mut balancer.group {
                    (group.unused, group.listeners) = (Setting::Set(2), Setting::Set(Vec::new()));
                }
            }
        }
    }
    examine(&deployment)
}

#[test]
fn every_check_has_its_page() {
    let is_update = std::env::var_os("UPDATE_PAGES").is_some();
    if is_update {
        std::fs::create_dir_all(FOLDER).unwrap();
    }
    for check in CHECKS {
        let file = PathBuf::from(FOLDER).join(format!("{}.md", check.id));
        let expected = page(check, &example(check.id));
        if is_update {
            std::fs::write(&file, &expected).unwrap();
        }
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(text, expected, "{}: run UPDATE_PAGES=1 cargo test -p spotdrain-doctor pages", check.id);
    }
}

#[test]
fn every_page_is_that_of_a_check() {
    let files = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), CHECKS.iter().map(|check| format!("{}.md", check.id)).collect());
}

#[test]
fn every_fix_of_a_template_has_its_form_in_terraform() {
    for check in CHECKS {
        let fix = example(check.id).fix;
        assert_eq!(fix.template.is_empty() && check.id != "SD033", fix.terraform.is_empty(), "{}: {fix:?}", check.id);
    }
}
