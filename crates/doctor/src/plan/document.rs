//! The JSON document of a plan or of a state, and the other formats that a file may have.

use serde_json::{Map, Value as Json};
use thiserror::Error;

/// A file that is not the JSON of a plan or of a state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct PlanError {
    /// The file.
    pub file: String,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

/// How to make a file that the doctor reads.
const MAKE: &str = "run terraform plan -out tfplan, then terraform show -json tfplan > plan.json";

/// The document of one file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: String,
    json: Json,
}

impl Document {
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, PlanError> {
        let wrong = |problem: String| PlanError { file: file.to_owned(), problem };
        let text = text_of(bytes).map_err(wrong)?;
        let json: Json = serde_json::from_str(&text).map_err(|error| wrong(not_json(&text, &error)))?;
        match other_format(&json) {
            Some(problem) => Err(wrong(problem)),
            None => Ok(Self { file: file.to_owned(), json }),
        }
    }

    /// The root module with the planned values, or with those of a state.
    pub(crate) fn root_module(&self) -> Option<&Json> {
        ["/planned_values/root_module", "/values/root_module"].iter().find_map(|path| self.json.pointer(path))
    }

    /// The root module of the state before the plan. It has the data sources that were read.
    pub(crate) fn prior_module(&self) -> Option<&Json> {
        self.json.pointer("/prior_state/values/root_module")
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = &Json> {
        items(self.json.get("resource_changes"))
    }

    /// The configuration of the root module; a state has none.
    pub(crate) fn configuration(&self) -> Option<&Json> {
        self.json.pointer("/configuration/root_module")
    }

    /// The Region of the provider, if it is a constant or a variable.
    pub(crate) fn provider_region(&self) -> Option<&str> {
        let providers = self.json.pointer("/configuration/provider_config")?.as_object()?;
        let aws = providers.values().find(|one| one.get("name").and_then(Json::as_str) == Some("aws"))?;
        let region = aws.pointer("/expressions/region")?;
        let variable = || {
            let name = region.pointer("/references/0")?.as_str()?.strip_prefix("var.")?;
            self.json.get("variables")?.get(name)?.get("value")?.as_str()
        };
        region.get("constant_value").and_then(Json::as_str).or_else(variable)
    }

    /// Whether it is the plan of changes, not a state.
    pub(crate) fn is_plan(&self) -> bool {
        self.json.get("planned_values").is_some()
    }

    /// What is missing in the plan, as the plan itself says.
    pub(crate) fn gaps(&self) -> Vec<&'static str> {
        let is = |key: &str, value: bool| self.json.get(key).and_then(Json::as_bool) == Some(value);
        let all = [
            (is("errored", true), "planning ended with an error, so resources may be missing: fix it and plan again"),
            (is("complete", false), "the plan defers changes, so resources may be missing: apply it and plan again"),
            (
                self.is_plan() && self.configuration().is_none(),
                "it has no configuration, so links to resources that are not yet created are unknown: \
                 use the output of terraform show -json unchanged",
            ),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| why).collect()
    }
}

/// The items of a list; any other value has no items.
pub(crate) fn items(json: Option<&Json>) -> impl Iterator<Item = &Json> {
    json.and_then(Json::as_array).into_iter().flatten()
}

/// The entries of an object; any other value has no entries.
pub(crate) fn entries(json: Option<&Json>) -> impl Iterator<Item = (&String, &Json)> {
    json.and_then(Json::as_object).into_iter().flat_map(Map::iter)
}

/// The text of a file. Windows `PowerShell` redirects output as UTF-16 or with a byte order mark.
fn text_of(bytes: &[u8]) -> Result<String, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(format!("is a binary plan: {}", MAKE.trim_start_matches("run terraform plan -out tfplan, then ")));
    }
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = rest.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
        String::from_utf16(&units).map_err(|_| format!("is not valid UTF-16: {MAKE}"))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => {
            String::from_utf8(rest.to_vec()).map_err(|_| format!("is not text: {MAKE}"))
        }
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> String {
    if text.trim().is_empty() {
        format!("is empty: {MAKE}")
    } else if text.trim_start().starts_with("{\"@level\"") {
        format!("is the log of terraform plan -json: {MAKE}")
    } else if text.lines().any(|line| line.starts_with("resource \"") || line.starts_with("terraform {")) {
        format!("is Terraform's configuration, not a plan: {MAKE}")
    } else if text.contains("Terraform will perform") || text.contains("OpenTofu will perform") {
        format!("is a plan as text: {MAKE}")
    } else {
        format!("is not JSON ({error}): {MAKE}")
    }
}

/// Recognises JSON of another format.
fn other_format(json: &Json) -> Option<String> {
    let has = |key: &str| json.get(key).is_some();
    if has("planned_values") || has("values") {
        return None;
    }
    Some(if has("@level") {
        format!("is the log of terraform plan -json: {MAKE}")
    } else if has("serial") && has("lineage") {
        "is a state file of Terraform: run terraform show -json > state.json in its folder".to_owned()
    } else if has("Resources") {
        "is a template of CloudFormation or SAM: give it with --template".to_owned()
    } else if json.get("format_version").is_some() {
        "has no values: the state is empty, or it is the output of another command than terraform show -json".to_owned()
    } else {
        format!("is not the JSON of a plan or of a state: {MAKE}")
    })
}
