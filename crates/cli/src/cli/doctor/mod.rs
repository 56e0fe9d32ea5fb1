//! `spotdrain doctor`: what will lose connections, of a template or of what is deployed.

mod explain;
mod offline;
mod show;

use spotdrain_doctor::ignore_file::Accepted;
use spotdrain_doctor::json::record;
use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::{Diagnosis, Severity, examine};

use super::args::DoctorArgs;
use super::exit::{Exit, Problem};
use super::show::json;
use crate::look::{Wanted, Which, look};
use spotdrain_function::Aws;

pub(crate) async fn run(args: &DoctorArgs) -> Result<Exit, Problem> {
    if let Some(id) = &args.explain {
        return explain::run(id);
    }
    let accepted = accepted(args)?;
    let deployment = deployment(args).await?;
    let mut diagnosis = examine(&deployment);
    let unused: Vec<_> = diagnosis.accept(&accepted).into_iter().map(str::to_owned).collect();
    tell(args, &diagnosis, &unused)?;
    Ok(exit(&diagnosis, args.strict))
}

async fn deployment(args: &DoctorArgs) -> Result<Deployment, Problem> {
    if let Some(file) = &args.template {
        return offline::read(file, &args.parameters);
    }
    let aws = Aws::from_environment(None).await.map_err(|error| Problem::Configuration(error.to_string()))?;
    if aws.region().is_none() {
        return Err(Problem::Configuration("no Region is set: set AWS_REGION, or a profile that has one".to_owned()));
    }
    let (cluster, services) = (args.cluster.clone(), args.services.clone());
    let wanted = Wanted { cluster, services, function: which(args) };
    Box::pin(look(&aws, &wanted)).await.map_err(Problem::Failed)
}

fn which(args: &DoctorArgs) -> Which {
    match (&args.function, &args.stack, &args.tag) {
        (Some(name), ..) => Which::Named(name.clone()),
        (_, Some(stack), _) => Which::OfStack(stack.clone()),
        (.., Some((key, value))) => Which::Tagged(key.clone(), value.clone()),
        (None, None, None) => Which::ByVariables,
    }
}

fn accepted(args: &DoctorArgs) -> Result<Accepted, Problem> {
    let Some(file) = &args.accept else { return Ok(Accepted::default()) };
    let name = file.display();
    let wrong = |error: &dyn std::fmt::Display| Problem::Configuration(format!("--accept {name}: {error}"));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    Accepted::read(&text).map_err(|error| wrong(&error))
}

fn tell(args: &DoctorArgs, diagnosis: &Diagnosis, unused: &[String]) -> Result<(), Problem> {
    if args.json {
        json(&record(diagnosis))
    } else if args.sarif {
        json(&sarif(diagnosis, env!("CARGO_PKG_VERSION")))
    } else {
        show::diagnosis(diagnosis, unused, args.template.is_some())
    }
}

fn exit(diagnosis: &Diagnosis, strict: bool) -> Exit {
    match diagnosis.worst() {
        Some(Severity::Error) => Exit::Failed,
        Some(Severity::Warning) if strict => Exit::Warned,
        _ => Exit::Done,
    }
}
