//! `spotdrain doctor`: which settings will drop connections, in templates or in what is deployed.

mod args;
mod explain;
mod offline;
mod parameters;
mod plans;
mod show;

use spotdrain_doctor::ignore_file::Accepted;
use spotdrain_doctor::json::record;
use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::{Diagnosis, Severity, examine};

pub(crate) use args::DoctorArgs;

use super::connect::{Connection, Needs, connect};
use super::exit::{Exit, Problem};
use super::show::json;
use crate::look::{FunctionSelector, Wanted, look};

pub(crate) async fn run(args: &DoctorArgs) -> Result<Exit, Problem> {
    if let Some(id) = &args.explain {
        return explain::run(id);
    }
    let accepted = accepted(args)?;
    let deployment = deployment(args).await?;
    let mut diagnosis = examine(&deployment);
    let unused: Vec<_> = diagnosis.accept(&accepted).into_iter().map(str::to_owned).collect();
    report(args, &diagnosis, &unused)?;
    exit(args, &diagnosis)
}

async fn deployment(args: &DoctorArgs) -> Result<Deployment, Problem> {
    if !args.plans.is_empty() {
        return plans::read(args);
    }
    if !args.templates.is_empty() {
        return offline::read(args);
    }
    let Connection { aws, caller } = Box::pin(connect(&args.aws, None, Needs::Ecs)).await?;
    let (cluster, services) = (args.cluster.clone(), args.services.clone());
    let wanted = Wanted { cluster, services, function: selector(args) };
    let deployment = Box::pin(look(&aws, &wanted)).await;
    deployment.map_err(|problem| Problem::Failed(format!("{problem} ({caller})")))
}

fn selector(args: &DoctorArgs) -> FunctionSelector {
    match (&args.function, &args.stack, &args.tag) {
        (Some(name), ..) => FunctionSelector::Named(name.clone()),
        (_, Some(stack), _) => FunctionSelector::OfStack(stack.clone()),
        (.., Some((key, value))) => FunctionSelector::Tagged(key.clone(), value.clone()),
        (None, None, None) => FunctionSelector::ByVariables,
    }
}

fn accepted(args: &DoctorArgs) -> Result<Accepted, Problem> {
    let Some(file) = &args.accept else { return Ok(Accepted::default()) };
    let name = file.display();
    let wrong = |error: &dyn std::fmt::Display| Problem::Configuration(format!("--accept {name}: {error}"));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    Accepted::read(&text).map_err(|error| wrong(&error))
}

fn report(args: &DoctorArgs, diagnosis: &Diagnosis, unused: &[String]) -> Result<(), Problem> {
    if args.json {
        json(&record(diagnosis))
    } else if args.sarif {
        json(&sarif(diagnosis, env!("CARGO_PKG_VERSION")))
    } else {
        show::diagnosis(diagnosis, unused)
    }
}

/// The exit code; an error where the flags ask for more than findings say.
fn exit(args: &DoctorArgs, diagnosis: &Diagnosis) -> Result<Exit, Problem> {
    let failed = |text: String| Err(Problem::Failed(text));
    let (refused, unchecked) = (diagnosis.refused_seconds, diagnosis.not_checked.len());
    match (diagnosis.worst(), args.fail_on_refused) {
        _ if diagnosis.is_empty() => {
            failed(format!("nothing to examine: no ECS service and no spotdrain function {}", place(args)))
        }
        (Some(Severity::Error), _) => Ok(Exit::Failed),
        _ if args.require_checked && unchecked > 0 => failed(format!("not checked: {unchecked} (--require-checked)")),
        (_, Some(most)) if refused >= most => {
            failed(format!("new connections are forecast to be refused for {refused} s (--fail-on-refused {most})"))
        }
        (Some(Severity::Warning), _) if args.strict => Ok(Exit::Warned),
        _ => Ok(Exit::Done),
    }
}

fn place(args: &DoctorArgs) -> String {
    let files = if args.plans.is_empty() { &args.templates } else { &args.plans };
    match (&args.cluster, files.as_slice()) {
        (Some(cluster), _) => format!("in cluster {cluster}"),
        (None, []) => "in this account and Region".to_owned(),
        (None, files) => {
            let names: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
            format!("in {}", names.join(", "))
        }
    }
}
