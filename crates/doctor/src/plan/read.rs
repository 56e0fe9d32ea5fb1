//! Reads plans and states: one, or several that are deployed together.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::root::{Deployment, Origin, Place, Unread};
use crate::plan::attach;
use crate::plan::choose::Links;
use crate::plan::document::{Document, PlanError};
use crate::plan::graph::{Graph, Instance};
use crate::plan::kinds::{self, ResourceKind};
use crate::plan::names;
use crate::template::Location;
use crate::template::convert::deployment;
use crate::template::evaluate::value::{Data, Value};
use crate::template::resources::{Resource, Resources, word};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Plans {
    /// The files, as they are named in findings.
    pub files: Vec<PathBuf>,
    /// The account and the Region, where the plan does not say them.
    pub location: Location,
}

/// Reads plans and states. `load` returns the bytes of a file.
pub fn read(plans: &Plans, load: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Deployment, PlanError> {
    let mut documents = Vec::new();
    for file in &plans.files {
        let name = file.display().to_string();
        let bytes = load(file)
            .map_err(|error| PlanError { file: name.clone(), problem: format!("cannot be read: {error}") })?;
        documents.push(Document::parse(&name, &bytes)?);
    }
    let mut all = Resources::new(plans.location.clone(), Origin::Plan);
    let mut unread = Vec::new();
    for document in &documents {
        let graph = Graph::of(document);
        check_provider(document, &graph)?;
        let location = location(plans, document, &graph);
        unread.extend(add(document, &graph, &location, &mut all));
    }
    Ok(deployment(all, unread))
}

/// Adds the resources of a document, and returns what could not be read of it.
fn add(document: &Document, graph: &Graph<'_>, location: &Location, all: &mut Resources) -> Vec<Unread> {
    let links = Links { graph, location, assumptions: RefCell::new(BTreeSet::new()) };
    let managed = || graph.instances.iter().filter(|one| !one.is_data);
    let mut unread: Vec<_> = document.gaps().into_iter().map(|why| not_read(&document.file, why)).collect();
    let mut resources: Vec<_> =
        managed().filter_map(|one| Some(resource(&links, document, one, kinds::of(one.kind)?))).collect();
    resources.extend(managed().filter_map(|one| attach::beside(&links, one)));
    for instance in managed() {
        let why =
            attach::attach(&links, instance, &mut resources).or_else(|| other_form(instance.kind).map(str::to_owned));
        unread.extend(why.map(|why| not_read(instance.address, &why)));
    }
    for one in resources {
        all.push(one);
    }
    let assumptions = links.assumptions.into_inner();
    unread.extend(assumptions.iter().map(|(address, what)| not_read(address, what)));
    unread
}

fn not_read(subject: &str, why: &str) -> Unread {
    Unread { subject: subject.to_owned(), why: why.to_owned() }
}

fn resource(links: &Links<'_, '_>, document: &Document, instance: &Instance<'_>, kind: &ResourceKind) -> Resource {
    let properties = (kind.properties)(&links.attributes(instance));
    let name = format!("{} {}", word(kind.cloudformation), instance.address);
    Resource {
        kind: kind.cloudformation.to_owned(),
        place: Place { name, file: Some(document.file.clone()), ..Place::default() },
        name: names::name(instance),
        reference: links.id(instance),
        arn: links.arn(instance).unwrap_or_default(),
        properties: Value { line: 0, data: Data::Map(properties) },
    }
}

/// Services that are described in a form that is not read.
fn other_form(kind: &str) -> Option<&'static str> {
    match kind {
        "aws_ecs_express_gateway_service" => {
            Some("Express Mode services are not read from a plan: deploy it, then spotdrain doctor --cluster NAME")
        }
        "awscc_ecs_service" => {
            Some("resources of the awscc provider are not read: deploy it, then spotdrain doctor --cluster NAME")
        }
        "aws_cloudformation_stack" => {
            Some("the resources of its template are not read: give the template with --template")
        }
        _ => None,
    }
}

/// A plan without any resource of AWS is of another provider, unless it is empty.
fn check_provider(document: &Document, graph: &Graph<'_>) -> Result<(), PlanError> {
    let providers: BTreeSet<_> = graph.instances.iter().map(|one| one.provider).filter(|one| !one.is_empty()).collect();
    let is_aws = |provider: &&str| provider.ends_with("/aws") || provider.ends_with("/awscc");
    if providers.is_empty() || providers.iter().any(is_aws) {
        return Ok(());
    }
    let names: Vec<_> = providers.into_iter().collect();
    let problem =
        format!("has no resources of AWS, only of {}: give the plan that has the ECS services", names.join(", "));
    Err(PlanError { file: document.file.clone(), problem })
}

/// The account and the Region: as given, or as the plan's provider and data sources have them.
fn location(plans: &Plans, document: &Document, graph: &Graph<'_>) -> Location {
    let data = |kind: &str, keys: &[&str]| {
        let source = graph.instances.iter().find(|one| one.is_data && one.kind == kind)?;
        keys.iter().find_map(|key| source.values.get(*key)?.as_str()).map(str::to_owned)
    };
    let region =
        || document.provider_region().map(str::to_owned).or_else(|| data("aws_region", &["region", "name", "id"]));
    Location {
        account: plans.location.account.clone().or_else(|| data("aws_caller_identity", &["account_id"])),
        region: plans.location.region.clone().or_else(region),
    }
}
