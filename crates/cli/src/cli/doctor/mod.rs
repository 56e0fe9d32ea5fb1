//! `spotdrain doctor`: finds the settings that will drop connections, in templates or in an account.

mod accepted;
mod args;
mod delays;
mod explain;
mod parameters;
mod plans;
mod show;
mod templates;

use spotdrain_doctor::filter::CheckFilter;
use spotdrain_doctor::json::record;
use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::{Diagnosis, Severity, examine};

pub(crate) use args::DoctorArgs;

use super::connect::{AwsConnection, Needs, connect};
use super::exit::{CliError, Exit};
use super::output::json;
use super::probe::measured;
use crate::read_account::{FunctionSelector, Selection, read_account};

pub(crate) async fn run(args: &DoctorArgs) -> Result<Exit, CliError> {
    if let Some(id) = &args.explain {
        return explain::run(id, args.json);
    }
    if let Some(file) = &args.file {
        let file = file.display();
        return Err(CliError::Configuration(format!(
            "{file}: say what it is: --template {file} for CloudFormation, SAM or the CDK, --plan {file} for the JSON of terraform show"
        )));
    }
    let accepted = accepted::read(args)?;
    let measured = measured::read(&args.measured)?;
    let mut deployment = deployment(args).await?;
    if let Some(measured) = &measured {
        deployment.delays = delays::measured(measured)?;
    }
    let mut diagnosis = examine(&deployment);
    let unused: Vec<_> = diagnosis.accept(&accepted).into_iter().map(str::to_owned).collect();
    diagnosis.retain(&CheckFilter { only: &args.only, ignore: &args.ignore, least: args.severity });
    if let (Some(file), Some(reason)) = (&args.accept, &args.write_accepted) {
        accepted::write(file, reason, &mut diagnosis)?;
    }
    report(args, &diagnosis, &unused)?;
    exit(args, &diagnosis)
}

async fn deployment(args: &DoctorArgs) -> Result<Deployment, CliError> {
    if !args.templates.is_empty() {
        return templates::read(args);
    }
    if !args.plans.is_empty() {
        return plans::read(args);
    }
    let AwsConnection { aws, caller } = Box::pin(connect(&args.aws, None, Needs::Ecs)).await?;
    let (cluster, services) = (args.cluster.clone(), args.services.clone());
    let selection = Selection { cluster, services, function: selector(args) };
    let deployment = Box::pin(read_account(&aws, &selection)).await;
    deployment.map_err(|problem| CliError::Failed(format!("{problem} ({caller})")))
}

fn selector(args: &DoctorArgs) -> FunctionSelector {
    match (&args.function, &args.stack, &args.tag) {
        (Some(name), ..) => FunctionSelector::Named(name.clone()),
        (_, Some(stack), _) => FunctionSelector::OfStack(stack.clone()),
        (.., Some((key, value))) => FunctionSelector::Tagged(key.clone(), value.clone()),
        (None, None, None) => FunctionSelector::ByVariables,
    }
}

fn report(args: &DoctorArgs, diagnosis: &Diagnosis, unused: &[String]) -> Result<(), CliError> {
    if args.json {
        json(&record(diagnosis))
    } else if args.sarif {
        json(&sarif(diagnosis, env!("CARGO_PKG_VERSION")))
    } else {
        show::diagnosis(diagnosis, unused)
    }
}

/// Returns the exit code. A broken condition of a flag is an error with its reason.
fn exit(args: &DoctorArgs, diagnosis: &Diagnosis) -> Result<Exit, CliError> {
    let failed = |text: String| Err(CliError::Failed(text));
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
