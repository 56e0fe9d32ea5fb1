//! The page of a check in `docs/checks`: what it finds, an example with its fix in every form, and the sources.

use std::fmt::Write as _;

use crate::check::{Check, Problem, Run};

/// The folder of the pages, where they can be read.
const FOLDER: &str = "https://github.com/spotdrain/spotdrain/blob/main/docs/checks";

/// Returns the address of a check's page.
#[must_use]
pub fn address(check: &Check) -> String {
    format!("{FOLDER}/{}.md", check.id)
}

/// Returns the page of a check, with a problem that it found as the example.
#[must_use]
pub fn page(check: &Check, example: &Problem) -> String {
    let mut page = format!("# {}: {}\n\n", check.id, check.title);
    let severity = check.severity.as_str();
    _ = writeln!(page, "Severity: **{severity}**. Examined: {}.\n\n{}\n", subject(check.run), check.explanation);
    _ = writeln!(page, "## Example\n\n- Problem: {}", example.description);
    _ = writeln!(page, "- Impact: an interruption {}\n\n## Fix\n", example.impact);
    let fix = &example.fix;
    for (form, text) in
        [("CloudFormation, SAM, CDK", &fix.template), ("Terraform", &fix.terraform), ("AWS CLI", &fix.command)]
    {
        if !text.is_empty() {
            _ = writeln!(page, "{form}:\n\n```text\n{text}\n```\n");
        }
    }
    page += &accept(check);
    page += "## Sources\n\n";
    for source in check.sources {
        _ = writeln!(page, "- <{source}>");
    }
    page
}

fn subject(run: Run) -> &'static str {
    match run {
        Run::EveryService(_) => "every service",
        Run::SpotService(_) => "every service on Fargate Spot",
        Run::Group(_) | Run::Forecast(_) => "every target group of a service on Fargate Spot",
        Run::Delivery(_) => "spotdrain's function, with its rule and its queue",
    }
}

/// How to accept a finding of a check. A function that is absent is no resource of a template.
fn accept(check: &Check) -> String {
    let id = check.id;
    let metadata = format!(
        "In a template, in the resource that the finding names:\n\n```yaml\nMetadata:\n  spotdrain: {{ ignore: [{id}], reason: \
         why this is acceptable }}\n```\n\nFor plans and what is deployed, in the file of `--accept`:"
    );
    let where_to = if id == "SD033" { "In the file of `--accept`:".to_owned() } else { metadata };
    format!("## Accept it\n\n{where_to}\n\n```text\n{id} SUBJECT  # why this is acceptable\n```\n\n")
}
