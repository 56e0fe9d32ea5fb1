//! The arguments of `spotdrain doctor`, as typed.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use spotdrain_doctor::{Check, Severity, check};

use crate::cli::connect::AwsArgs;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("offline").args(["templates", "plans"]).multiple(true))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct DoctorArgs {
    /// A file whose kind was not named: refused with the flag to use
    #[arg(value_name = "FILE", hide = true)]
    pub(crate) file: Option<PathBuf>,
    /// A CloudFormation or SAM template, a folder of templates, or - for standard input; repeat it for templates that are
    /// deployed together. Makes no AWS calls
    #[arg(long = "template", value_name = "FILE", conflicts_with_all = ["cluster", "services", "function", "stack", "tag"])]
    pub(crate) templates: Vec<PathBuf>,
    /// A Terraform or OpenTofu plan or state, as terraform show -json prints it, or - for standard input; repeat it for plans
    /// that are deployed together. Makes no AWS calls
    #[arg(
        long = "plan",
        value_name = "FILE",
        conflicts_with_all = ["templates", "cluster", "services", "function", "stack", "tag"]
    )]
    pub(crate) plans: Vec<PathBuf>,
    /// A value for a parameter of the templates; can be repeated
    #[arg(
        long = "parameter",
        value_name = "NAME=VALUE",
        requires = "templates",
        conflicts_with = "plans",
        value_parser = parameter
    )]
    pub(crate) parameters: Vec<(String, String)>,
    /// A JSON file with values for parameters: {"Parameters": {"Name": "Value"}}, or CloudFormation's list of ParameterKey and
    /// ParameterValue; --parameter takes precedence
    #[arg(long, value_name = "FILE", requires = "templates", conflicts_with = "plans")]
    pub(crate) parameter_file: Vec<PathBuf>,
    /// The account that the templates are for, used in conditions on AWS::AccountId
    #[arg(long, value_name = "ID", requires = "offline", value_parser = account)]
    pub(crate) account: Option<String>,
    /// The Region that the templates are for, used in conditions and mappings on AWS::Region
    #[arg(long, value_name = "REGION", requires = "offline")]
    pub(crate) region: Option<String>,
    /// A cluster, by name or ARN [default: every cluster of the Region]
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// A service of the cluster; can be repeated [default: all]
    #[arg(long = "service", value_name = "NAME", requires = "cluster")]
    pub(crate) services: Vec<String>,
    /// spotdrain's function [default: the one that has SPOTDRAIN_ variables]
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// The stack of spotdrain's function, if there are several functions
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    pub(crate) stack: Option<String>,
    /// A tag of spotdrain's function, if there are several functions
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
    /// Take the load balancers' delays from a result of `spotdrain probe --json`; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) measured: Vec<PathBuf>,
    /// A file of accepted findings, one a line: SD013 target group demo-5044 # why
    #[arg(long, value_name = "FILE")]
    pub(crate) accept: Option<PathBuf>,
    /// Add every open finding to the file of --accept, with this reason; creates the file
    #[arg(long, value_name = "REASON", requires = "accept", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) write_accepted: Option<String>,
    /// Report only these checks, such as SD009,SD012
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', value_parser = known_check)]
    pub(crate) only: Vec<&'static Check>,
    /// Do not report these checks, such as SD004,SD043
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', value_parser = known_check)]
    pub(crate) ignore: Vec<&'static Check>,
    /// Report only findings of this severity or a worse one: error, warning or note
    #[arg(long, value_name = "SEVERITY", default_value = "note", value_parser = severity)]
    pub(crate) severity: Severity,
    /// Explain a check, or list all checks; with --json as JSON
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

fn known_check(id: &str) -> Result<&'static Check, String> {
    check(id).ok_or_else(|| "unknown check: spotdrain doctor --explain lists them".to_owned())
}

fn severity(name: &str) -> Result<Severity, String> {
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    let found = all.into_iter().find(|severity| severity.as_str() == name);
    found.ok_or_else(|| "expected error, warning or note".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("expected the 12 digits of an account ID".to_owned()) }
}
