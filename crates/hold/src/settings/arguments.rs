//! Reads the command line and the environment. Flags win, and every problem is reported.

use std::ffi::{OsStr, OsString};

use lexopt::Arg;

use super::options::{OPTIONS, PREFIX};
use super::{Settings, SettingsBuilder};
use crate::metadata;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    Run(Box<Settings>),
    Help,
    Version,
}

/// Reads the arguments, without the program's name, and the environment variables.
pub fn read(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<CommandLine, Vec<String>> {
    let mut builder = SettingsBuilder::default();
    let variables: Vec<_> = variables.into_iter().collect();
    if let Some((_, url)) = variables.iter().find(|(name, _)| name == metadata::VARIABLE) {
        builder.set_metadata(url.to_string_lossy().into_owned());
    }
    let mut problems = environment(&mut builder, variables);
    match command_line(&mut builder, arguments) {
        Ok(Parsed::Run(command)) => finish(builder, command, problems),
        Ok(Parsed::Other(request)) => Ok(request),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

fn finish(
    builder: SettingsBuilder,
    command: Vec<OsString>,
    mut problems: Vec<String>,
) -> Result<CommandLine, Vec<String>> {
    match builder.finish(command) {
        Ok(settings) if problems.is_empty() => Ok(CommandLine::Run(Box::new(settings))),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

/// Rejects unknown names with our prefix. Otherwise nobody would notice a misspelt name before the next interruption.
fn environment(
    builder: &mut SettingsBuilder,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<String> {
    let ours = variables.into_iter().filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    let mut problems: Vec<_> = ours.filter_map(|(name, value)| variable(builder, &name, &value).err()).collect();
    problems.sort();
    problems
}

fn variable(builder: &mut SettingsBuilder, name: &OsStr, value: &OsStr) -> Result<(), String> {
    let name = name.to_string_lossy();
    let known = || OPTIONS.iter().find(|option| option.variable() == name).map_or("", |option| option.flag);
    let value = value.to_str().ok_or_else(|| format!("{name}: expected text"))?;
    builder.set(known(), value.trim()).map_err(|problem| format!("{name}: {problem}"))
}

enum Parsed {
    Run(Vec<OsString>),
    Other(CommandLine),
}

fn command_line(
    builder: &mut SettingsBuilder,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Parsed, Vec<String>> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut problems, mut ports, mut given) = (Vec::new(), Vec::new(), Vec::new());
    let command = loop {
        match parser.next().map_err(|error| parse_error(&error))? {
            Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Parsed::Other(CommandLine::Help)),
            Some(Arg::Short('V') | Arg::Long("version")) => return Ok(Parsed::Other(CommandLine::Version)),
            Some(Arg::Long(flag)) => {
                let flag = flag.to_owned();
                let value = value(&mut parser, &flag)?;
                let value = if flag == "port" { all_ports(&mut ports, value) } else { value };
                let is_repeated = flag != "port" && given.contains(&flag);
                let result =
                    if is_repeated { Err("given more than once".to_owned()) } else { builder.set(&flag, &value) };
                problems.extend(result.err().map(|problem| format!("--{flag}: {problem}")));
                given.push(flag);
            }
            Some(Arg::Short(short)) => return Err(vec![format!("-{short}: unknown flag")]),
            Some(Arg::Value(first)) => {
                break std::iter::once(first).chain(parser.raw_args().map_err(|error| parse_error(&error))?).collect();
            }
            None => break Vec::new(),
        }
    };
    if problems.is_empty() { Ok(Parsed::Run(command)) } else { Err(problems) }
}

fn parse_error(error: &lexopt::Error) -> Vec<String> {
    vec![error.to_string()]
}

fn value(parser: &mut lexopt::Parser, flag: &str) -> Result<String, Vec<String>> {
    let value = if is_switch(flag) {
        parser.optional_value().unwrap_or_else(|| "true".into())
    } else {
        parser.value().map_err(|error| parse_error(&error))?
    };
    value.into_string().map_err(|_| vec![format!("--{flag}: expected text")])
}

fn is_switch(flag: &str) -> bool {
    OPTIONS.iter().any(|option| option.flag == flag && option.is_switch())
}

/// A repeated `--port` adds a port.
fn all_ports(ports: &mut Vec<String>, value: String) -> String {
    ports.push(value);
    ports.join(",")
}

/// Returns the help text.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "Runs a command as a container's first process, and keeps it serving after the stop signal until its connections have\n\
         ended or the time is up.\n\n\
         Usage: spotdrain-hold [options] -- command arguments\n\n",
    );
    for option in OPTIONS {
        let (flag, default) = (option.flag, option.default);
        text.push_str(&format!("  --{flag:<21} {} [default: {default}]\n", option.help));
    }
    text.push_str(
        "\n  -h, --help              Print this\n  -V, --version           Print the version\n\n\
         Each option is also an environment variable: --min-hold is SPOTDRAIN_HOLD_MIN_HOLD. Flags win.\n\n\
         Exit codes: the command's own, 128 + N if signal N ended it, 64 for invalid settings, 126 for a command that\n\
         cannot be run, 127 for one that does not exist.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(arguments: &str, variables: &[(&str, &str)]) -> Result<CommandLine, Vec<String>> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        read(arguments.split_whitespace().map(OsString::from), variables)
    }

    fn settings(arguments: &str, variables: &[(&str, &str)]) -> Settings {
        match read_words(arguments, variables).unwrap() {
            CommandLine::Run(settings) => *settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_after_the_dashes_belong_to_the_command() {
        assert_eq!(settings("--port 1 -- app --port 2 -- -h", &[]).command, ["app", "--port", "2", "--", "-h"]);
        assert_eq!(settings("--port 1 app --quiet", &[]).command, ["app", "--quiet"]);
    }

    #[test]
    fn the_environment_alone_can_configure_the_hold() {
        let found = settings("-- app", &[("SPOTDRAIN_HOLD_PORT", "5044"), ("SPOTDRAIN_MODE", "x"), ("PATH", "/bin")]);
        assert_eq!((found.ports, found.command), (vec![5044], vec![OsString::from("app")]));
    }

    #[test]
    fn flags_win_over_the_environment() {
        let variables = [("SPOTDRAIN_HOLD_PORT", "1,2"), ("SPOTDRAIN_HOLD_IGNORE_LOOPBACK", "true")];
        let found = settings("--port 3 --port=4 --ignore-loopback=false app", &variables);
        assert_eq!((found.ports, found.ignore_loopback), (vec![3, 4], false));
        assert!(settings("--port 3 --ignore-loopback app", &[]).ignore_loopback);
    }

    #[test]
    fn every_option_has_a_variable() {
        for option in OPTIONS {
            let problems = read_words("--port 1 app", &[(&option.variable(), "")]).unwrap_err();
            assert!(problems[0].starts_with(&format!("{}: expected", option.variable())), "{problems:?}");
        }
    }

    #[test]
    fn an_unknown_variable_with_our_prefix_is_an_error() {
        let problems = read_words("--port 1 app", &[("SPOTDRAIN_HOLD_QUITE", "1")]).unwrap_err();
        assert!(
            problems[0].starts_with("SPOTDRAIN_HOLD_QUITE: unknown setting; known settings: port, "),
            "{problems:?}"
        );
    }

    #[test]
    fn every_problem_is_reported() {
        let problems = read_words("--quiet x --grace y", &[("SPOTDRAIN_HOLD_PORT", "z")]).unwrap_err();
        let begins: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(begins, ["SPOTDRAIN_HOLD_PORT", "--quiet", "--grace"]);
    }

    #[test]
    fn an_unknown_flag_and_a_flag_without_a_value_are_errors() {
        for (arguments, expected) in
            [("--quite 1 app", "--quite: unknown setting"), ("-x", "-x: unknown flag"), ("--quiet", "missing argument")]
        {
            assert!(read_words(arguments, &[]).unwrap_err()[0].starts_with(expected), "{arguments}");
        }
    }

    #[test]
    fn only_ports_may_be_repeated() {
        let problems = read_words("--port 1 --port 2 --check tcp://127.0.0.1:1 --check tcp://127.0.0.1:2 app", &[]);
        assert_eq!(problems.unwrap_err(), ["--check: given more than once"]);
    }

    #[test]
    fn the_metadata_endpoint_is_taken_from_the_environment() {
        let found = settings("--port 1 app", &[("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1")]);
        assert_eq!(found.metadata.as_deref(), Some("http://169.254.170.2/v4/1"));
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        assert_eq!(read_words("--help", &[("SPOTDRAIN_HOLD_PORT", "z")]), Ok(CommandLine::Help));
        assert_eq!(read_words("-V", &[]), Ok(CommandLine::Version));
        assert_eq!(read_words("--port 1 app --help", &[]).map(|request| request == CommandLine::Help), Ok(false));
    }

    #[test]
    fn the_help_names_every_option() {
        assert!(OPTIONS.iter().all(|option| help().contains(&format!("--{}", option.flag))));
    }
}
