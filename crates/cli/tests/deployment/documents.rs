//! docs/deploy.md lists every parameter, alarm and output of the template, and the README shows how to deploy.

use crate::deployed;
use crate::template::text_of;

const DEPLOY: &str = include_str!("../../../../docs/deploy.md");
const README: &str = include_str!("../../../../README.md");

/// The first two cells of the table rows whose first cell is code.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let section = DEPLOY.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once("` |").unwrap();
        (name, rest.split('|').next().unwrap().trim())
    })
    .collect()
}

#[test]
fn every_parameter_is_documented_with_its_default() {
    let template = deployed();
    let output: Vec<_> =
        rows("Parameters").into_iter().map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect();
    let groups = template.root["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let names = groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap()).map(text_of);
    let expected = names.map(|name| {
        let default = text_of(&template.root["Parameters"][&name]["Default"]);
        (name, format!("`{default}`"))
    });
    assert_eq!(output, expected.collect::<Vec<_>>());
}

#[test]
fn every_alarm_is_documented() {
    let output: Vec<_> = rows("Alarms").into_iter().map(|(name, _)| name.to_owned()).collect();
    let template = deployed().with("CapacityWatch", "true");
    let mut expected: Vec<_> = template.of_type("AWS::CloudWatch::Alarm").into_iter().map(|(name, _)| name).collect();
    expected.sort();
    let mut sorted = output.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn every_output_is_documented() {
    let mut output: Vec<_> = rows("Outputs").into_iter().map(|(name, _)| name.to_owned()).collect();
    let template = deployed();
    let mut expected: Vec<_> = template.root["Outputs"].as_object().unwrap().keys().cloned().collect();
    output.sort();
    expected.sort();
    assert_eq!(output, expected);
}

#[test]
fn the_readme_observes_first_and_enforces_with_one_more_command() {
    let section = README.split("\n## ").find(|section| section.starts_with("Deploy\n")).unwrap();
    let blocks: Vec<_> = section.split("```").skip(1).step_by(2).collect();
    let [sam, switch, terraform] = blocks.as_slice() else { panic!("SAM, the switch, Terraform: {blocks:?}") };
    for block in [sam, switch, terraform] {
        let commands = block.lines().skip(1).filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        assert!(commands.count() <= 3, "{block}");
    }
    let observing = "--parameter-overrides Architecture=x86_64 Mode=observe";
    assert!(sam.contains(observing) && terraform.contains("-var mode=observe"));
    assert!(switch.contains("Mode=enforce") && switch.lines().count() == 2);
    assert!(section.contains("docs/deploy.md"));
}
