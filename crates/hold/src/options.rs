//! The command line and the environment, as typed: flags win, and every problem is named at once.

use std::ffi::{OsStr, OsString};

use lexopt::Arg;

use crate::settings::{Draft, OPTIONS, PREFIX, Settings};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Run the command.
    Run(Box<Settings>),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Reads the arguments (without the program's name) and the environment.
pub fn read(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Request, Vec<String>> {
    let mut draft = Draft::default();
    let mut problems = environment(&mut draft, variables);
    match command_line(&mut draft, arguments) {
        Ok(Asked::Run(command)) => finish(draft, command, problems),
        Ok(Asked::Other(request)) => Ok(request),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

fn finish(draft: Draft, command: Vec<OsString>, mut problems: Vec<String>) -> Result<Request, Vec<String>> {
    match draft.finish(command) {
        Ok(settings) if problems.is_empty() => Ok(Request::Run(Box::new(settings))),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

/// A name that begins as ours do and is none is a mistake that would otherwise be found in the next interruption.
fn environment(draft: &mut Draft, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let ours = variables.into_iter().filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    let mut problems: Vec<_> = ours.filter_map(|(name, value)| variable(draft, &name, &value).err()).collect();
    problems.sort();
    problems
}

fn variable(draft: &mut Draft, name: &OsStr, value: &OsStr) -> Result<(), String> {
    let name = name.to_string_lossy();
    let known = || OPTIONS.iter().find(|option| option.variable() == name).map_or("", |option| option.flag);
    let value = value.to_str().ok_or_else(|| format!("{name}: expected text"))?;
    draft.set(known(), value.trim()).map_err(|problem| format!("{name}: {problem}"))
}

enum Asked {
    Run(Vec<OsString>),
    Other(Request),
}

fn command_line(draft: &mut Draft, arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, Vec<String>> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut problems, mut ports) = (Vec::new(), Vec::new());
    let command = loop {
        match parser.next().map_err(|error| told(&error))? {
            Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Asked::Other(Request::Help)),
            Some(Arg::Short('V') | Arg::Long("version")) => return Ok(Asked::Other(Request::Version)),
            Some(Arg::Long(flag)) => {
                let flag = flag.to_owned();
                let value = value(&mut parser, &flag)?;
                let value = if flag == "port" { all_ports(&mut ports, value) } else { value };
                problems.extend(draft.set(&flag, &value).err().map(|problem| format!("--{flag}: {problem}")));
            }
            Some(Arg::Short(short)) => return Err(vec![format!("-{short}: is no flag")]),
            Some(Arg::Value(first)) => {
                break std::iter::once(first).chain(parser.raw_args().map_err(|error| told(&error))?).collect();
            }
            None => break Vec::new(),
        }
    };
    if problems.is_empty() { Ok(Asked::Run(command)) } else { Err(problems) }
}

fn told(error: &lexopt::Error) -> Vec<String> {
    vec![error.to_string()]
}

fn value(parser: &mut lexopt::Parser, flag: &str) -> Result<String, Vec<String>> {
    let value = match flag {
        "ignore-loopback" => parser.optional_value().unwrap_or_else(|| "true".into()),
        _ => parser.value().map_err(|error| told(&error))?,
    };
    value.into_string().map_err(|_| vec![format!("--{flag}: expected text")])
}

/// A port that is told again is one more.
fn all_ports(ports: &mut Vec<String>, value: String) -> String {
    ports.push(value);
    ports.join(",")
}

/// The help text.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "Runs a command as a container's first process, and keeps it serving after the stop signal until its connections are\n\
         gone or the time is.\n\n\
         Usage: spotdrain-hold [options] -- command arguments\n\n",
    );
    for option in OPTIONS {
        let (flag, default) = (option.flag, option.default);
        text.push_str(&format!("  --{flag:<16} {} [default: {default}]\n", option.help));
    }
    text.push_str(
        "\n  -h, --help         Print this\n  -V, --version      Print the version\n\n\
         Each is also an environment variable: --min-hold is SPOTDRAIN_HOLD_MIN_HOLD. Flags win.\n\n\
         Exit codes: the command's own, 128 and the signal that ended it, 64 for wrong settings, 126 for a command that\n\
         cannot be run, 127 for one that is not there.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(arguments: &str, variables: &[(&str, &str)]) -> Result<Request, Vec<String>> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        read(arguments.split_whitespace().map(OsString::from), variables)
    }

    fn settings(arguments: &str, variables: &[(&str, &str)]) -> Settings {
        match read_words(arguments, variables).unwrap() {
            Request::Run(settings) => *settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_behind_the_dashes_is_the_commands() {
        assert_eq!(settings("--port 1 -- app --port 2 -- -h", &[]).command, ["app", "--port", "2", "--", "-h"]);
        assert_eq!(settings("--port 1 app --quiet", &[]).command, ["app", "--quiet"]);
    }

    #[test]
    fn an_entrypoint_of_dashes_alone_is_configured_by_the_environment() {
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
    fn an_unknown_name_of_ours_refuses_to_start() {
        let problems = read_words("--port 1 app", &[("SPOTDRAIN_HOLD_QUITE", "1")]).unwrap_err();
        assert!(
            problems[0].starts_with("SPOTDRAIN_HOLD_QUITE: is no setting; the settings are port, "),
            "{problems:?}"
        );
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let problems = read_words("--quiet x --grace y", &[("SPOTDRAIN_HOLD_PORT", "z")]).unwrap_err();
        let begins: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(begins, ["SPOTDRAIN_HOLD_PORT", "--quiet", "--grace"]);
    }

    #[test]
    fn an_unknown_flag_and_a_flag_without_its_value_are_named() {
        for (arguments, expected) in
            [("--quite 1 app", "--quite: is no setting"), ("-x", "-x: is no flag"), ("--quiet", "missing argument")]
        {
            assert!(read_words(arguments, &[]).unwrap_err()[0].starts_with(expected), "{arguments}");
        }
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        assert_eq!(read_words("--help", &[("SPOTDRAIN_HOLD_PORT", "z")]), Ok(Request::Help));
        assert_eq!(read_words("-V", &[]), Ok(Request::Version));
        assert_eq!(read_words("--port 1 app --help", &[]).map(|request| request == Request::Help), Ok(false));
    }

    #[test]
    fn the_help_names_every_option() {
        assert!(OPTIONS.iter().all(|option| help().contains(&format!("--{}", option.flag))));
    }
}
