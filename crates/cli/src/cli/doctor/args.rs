//! The arguments of `spotdrain doctor`, as typed.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::cli::args::AwsArgs;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("offline").args(["templates", "plans"]).multiple(true))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct DoctorArgs {
    /// A template of CloudFormation or SAM, a folder of templates, or - for standard input; again for more that are deployed
    /// together. Nothing is asked of AWS
    #[arg(long = "template", value_name = "FILE", conflicts_with_all = ["cluster", "services", "function", "stack", "tag"])]
    pub(crate) templates: Vec<PathBuf>,
    /// A plan or a state of Terraform or OpenTofu as JSON, from terraform show -json, or - for standard input; again for more
    /// that are deployed together. Nothing is asked of AWS
    #[arg(long = "plan", value_name = "FILE", conflicts_with_all = ["templates", "cluster", "services", "function", "stack", "tag"])]
    pub(crate) plans: Vec<PathBuf>,
    /// A value for a parameter of the templates; again for more
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "templates", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// A JSON file with values for parameters: {"Parameters": {"Name": "Value"}}, or CloudFormation's list of ParameterKey and
    /// ParameterValue; --parameter wins
    #[arg(long, value_name = "FILE", requires = "templates")]
    pub(crate) parameter_file: Vec<PathBuf>,
    /// The account that the templates are for, which decides conditions on AWS::AccountId
    #[arg(long, value_name = "ID", requires = "offline", value_parser = account)]
    pub(crate) account: Option<String>,
    /// The Region that the templates are for, which decides conditions and mappings on AWS::Region
    #[arg(long, value_name = "REGION", requires = "offline")]
    pub(crate) region: Option<String>,
    /// A cluster, by name or ARN; without it every cluster of the Region
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// A service of the cluster; again for more; without it all of them
    #[arg(long = "service", value_name = "NAME", requires = "cluster")]
    pub(crate) services: Vec<String>,
    /// spotdrain's function; without it the one that has SPOTDRAIN_ variables
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// The stack that spotdrain's function was deployed with, where there is more than one
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    pub(crate) stack: Option<String>,
    /// A tag that spotdrain's function has, where there is more than one
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["function", "stack"], value_parser = tag)]
    pub(crate) tag: Option<(String, String)>,
    /// Print JSON, for programs
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Print SARIF, for code review
    #[arg(long)]
    pub(crate) sarif: bool,
    /// Exit with 2 if there is a warning
    #[arg(long)]
    pub(crate) strict: bool,
    /// Exit with 1 if something could not be checked
    #[arg(long)]
    pub(crate) require_checked: bool,
    /// Exit with 1 if new connections are forecast to be refused for this long or longer
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) fail_on_refused: Option<u32>,
    /// A file of findings that are accepted, each a line: SD013 target group demo-5044 # why
    #[arg(long, value_name = "FILE")]
    pub(crate) accept: Option<PathBuf>,
    /// Explain a check by its number, or list all
    #[arg(long, value_name = "CHECK", num_args = 0..=1, default_missing_value = "all")]
    pub(crate) explain: Option<String>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or("expected KEY=VALUE, such as team=ingest")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("expected the twelve digits of an account".to_owned()) }
}
