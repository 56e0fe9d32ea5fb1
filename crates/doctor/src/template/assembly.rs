//! Cloud assemblies of the CDK: the folder that `cdk synth` writes, with a manifest of its stacks and of nested assemblies.
//! Source: <https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema-readme.html>

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::template::evaluate::location::Location;
use crate::template::nested::{Load, tidy};
use crate::template::read::TemplateError;

const MANIFEST: &str = "manifest.json";

/// How deep assemblies may be nested: each stage of an app has one.
const MAX_DEPTH: usize = 10;

/// Returns the template of every stack of an assembly, with the account and the Region that it is for; `None` for a folder
/// without a manifest, or with one that is not the CDK's.
pub fn stacks(folder: &Path, load: Load<'_>) -> Result<Option<BTreeMap<PathBuf, Location>>, TemplateError> {
    let text = match load(&folder.join(MANIFEST)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(folder, &format!("cannot be read: {error}"))),
    };
    let manifest: Json =
        serde_json::from_str(&text).map_err(|error| wrong(folder, &format!("is not JSON: {error}")))?;
    if manifest.get("artifacts").is_none() {
        return Ok(None);
    }
    let mut stacks = BTreeMap::new();
    add(folder, &manifest, load, 0, &mut stacks)?;
    Ok(Some(stacks))
}

fn add(
    folder: &Path,
    manifest: &Json,
    load: Load<'_>,
    depth: usize,
    stacks: &mut BTreeMap<PathBuf, Location>,
) -> Result<(), TemplateError> {
    for artifact in manifest.get("artifacts").and_then(Json::as_object).into_iter().flat_map(|all| all.values()) {
        let property = |name: &str| artifact.pointer(&format!("/properties/{name}")).and_then(Json::as_str);
        match (artifact.get("type").and_then(Json::as_str), property("templateFile"), property("directoryName")) {
            (Some("aws:cloudformation:stack"), Some(file), _) => {
                stacks.insert(tidy(&folder.join(file)), location(artifact));
            }
            (Some("cdk:cloud-assembly"), _, Some(inner)) if depth < MAX_DEPTH => {
                let inner = tidy(&folder.join(inner));
                let nested = nested(&inner, load)?;
                add(&inner, &nested, load, depth + 1, stacks)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn nested(folder: &Path, load: Load<'_>) -> Result<Json, TemplateError> {
    let text = load(&folder.join(MANIFEST)).map_err(|error| wrong(folder, &format!("cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| wrong(folder, &format!("is not JSON: {error}")))
}

/// Of `aws://123456789012/eu-central-1`; an app may leave either to the deployment.
fn location(artifact: &Json) -> Location {
    let environment = artifact.get("environment").and_then(Json::as_str).unwrap_or_default();
    let (account, region) =
        environment.strip_prefix("aws://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let known = |text: &str| (!text.is_empty() && !text.starts_with("unknown-")).then(|| text.to_owned());
    Location { account: known(account), region: known(region) }
}

/// Returns the file of an asset that a stack refers to by its URL: the list of assets beside the stack's template has it.
pub(crate) fn asset(template: &Path, url: &str, load: Load<'_>) -> Option<PathBuf> {
    let folder = template.parent().unwrap_or(Path::new(""));
    let name = template.file_name()?.to_str()?.split('.').next()?;
    let text = load(&folder.join(format!("{name}.assets.json"))).ok()?;
    let assets: Json = serde_json::from_str(&text).ok()?;
    let key = url.rsplit('/').next()?;
    let is_it = |asset: &&Json| {
        let destinations = asset.get("destinations").and_then(Json::as_object);
        let mut keys =
            destinations.into_iter().flat_map(|all| all.values()).filter_map(|one| one.get("objectKey")?.as_str());
        keys.any(|one| one.rsplit('/').next() == Some(key))
    };
    let file = assets.get("files")?.as_object()?.values().find(is_it)?.pointer("/source/path")?.as_str()?;
    Some(tidy(&folder.join(file)))
}

fn wrong(folder: &Path, problem: &str) -> TemplateError {
    TemplateError {
        file: folder.join(MANIFEST).display().to_string(),
        problem: format!("{problem}: run cdk synth, then spotdrain doctor --template {}", folder.display()),
    }
}
