//! Which function is spotdrain's, and how it is set.

use std::collections::BTreeMap;

use crate::model::delivery::Function;
use crate::model::setting::Setting;

use crate::template::evaluate::value::Value;
use crate::template::resources::{Resource, Resources};

const FUNCTION: &[&str] = &["AWS::Serverless::Function", "AWS::Lambda::Function"];

/// The function that has `SPOTDRAIN_` variables, or whose code is spotdrain's package.
pub(crate) fn find(resources: &Resources) -> Option<&Resource> {
    let by_variables = resources.of(FUNCTION).find(|function| {
        let variables = variables(&function.properties);
        variables.known().is_some_and(|all| all.entries().iter().any(|(name, _)| name.starts_with("SPOTDRAIN_")))
    });
    by_variables.or_else(|| resources.of(FUNCTION).find(|function| is_our_package(&function.properties)))
}

fn is_our_package(properties: &Value) -> bool {
    let places = [properties.text("CodeUri"), properties.get("Code").and_then(|code| code.text("S3Key"))];
    places.iter().filter_map(Setting::known).any(|place| place.contains("spotdrain-lambda"))
}

fn variables(properties: &Value) -> Setting<&Value> {
    properties.path(&["Environment", "Variables"])
}

/// What is set of it.
pub(crate) fn function(resource: &Resource) -> Function {
    let variable = |(name, _): &(String, Value), all: &Value| (name.clone(), all.text(name));
    let environment: Setting<BTreeMap<_, _>> =
        variables(&resource.properties).map(|all| all.entries().iter().map(|entry| variable(entry, all)).collect());
    Function {
        place: resource.place.clone(),
        name: resource.name.clone(),
        timeout: resource.properties.number("Timeout"),
        reserved_concurrency: resource.properties.number("ReservedConcurrentExecutions"),
        environment,
    }
}
