//! Is `spotdrain-hold` a container's first process, and how is it configured?
//!
//! It is recognised by the words of the task definition or by its environment. If only the image has it as its entry point, it
//! is not recognised, unless the environment configures it.

use crate::model::service::Container;
use crate::model::setting::Unknown;
use spotdrain_core::model::limits::DEFAULT_STOP_TIMEOUT_SECONDS;

/// The program.
const PROGRAM: &str = "spotdrain-hold";

/// How its variables begin.
const VARIABLES: &str = "SPOTDRAIN_HOLD_";

/// The hold of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldConfig {
    /// The port of its health endpoint, which fails from SIGTERM on.
    pub(crate) health_port: Option<u16>,
    /// When it expects SIGKILL, in seconds: 30 unless it is set.
    pub(crate) stop_timeout: u32,
    /// The ports that it watches; empty if the image sets them.
    pub(crate) watched: Vec<u16>,
}

/// Returns the hold of a container, if it has one.
pub(crate) fn hold(container: &Container) -> Result<Option<HoldConfig>, Unknown> {
    let words = container.words.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let is_program = |word: &String| word.rsplit('/').next() == Some(PROGRAM) || word.starts_with("spotdrain-hold ");
    let variables = container.environment.known_or_err()?;
    let is_set = variables.is_some_and(|all| all.keys().any(|name| name.starts_with(VARIABLES)));
    if !is_set && !words.iter().any(is_program) {
        return Ok(None);
    }
    let health = setting(container, words, "health")?;
    let health_port = health.and_then(|address| address.rsplit(':').next()?.parse().ok());
    let stop_timeout = setting(container, words, "stop-timeout")?.and_then(|text| text.parse().ok());
    let stop_timeout = stop_timeout.unwrap_or(DEFAULT_STOP_TIMEOUT_SECONDS);
    Ok(Some(HoldConfig { health_port, stop_timeout, watched: watched(container, words)? }))
}

/// The ports of the setting `port`, or else the check's.
fn watched(container: &Container, words: &[String]) -> Result<Vec<u16>, Unknown> {
    if let Some(ports) = setting(container, words, "port")? {
        return Ok(ports.split(',').filter_map(|port| port.trim().parse().ok()).collect());
    }
    let check = setting(container, words, "check")?.unwrap_or_default();
    let address = check.split("://").nth(1).and_then(|rest| rest.split('/').next());
    Ok(address.and_then(|address| address.rsplit(':').next()?.parse().ok()).into_iter().collect())
}

/// A setting: its flag, as `--flag VALUE` or `--flag=VALUE`, or else its variable.
fn setting(container: &Container, words: &[String], name: &str) -> Result<Option<String>, Unknown> {
    let flag = format!("--{name}");
    let own = words.iter().take_while(|word| *word != "--");
    let mut following = own.clone().skip_while(|word| **word != flag).skip(1);
    let equals = own.clone().find_map(|word| word.strip_prefix(&flag)?.strip_prefix('='));
    if let Some(value) = equals.or_else(|| following.next().map(String::as_str)) {
        return Ok(Some(value.to_owned()));
    }
    let variable = format!("{VARIABLES}{}", name.to_uppercase().replace('-', "_"));
    let variables = container.environment.known_or_err()?;
    let value = variables.and_then(|all| all.get(&variable));
    Ok(value.map_or(Ok(None), crate::model::setting::Setting::known_or_err)?.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::setting::Setting;

    fn container(words: &str, variables: &[(&str, &str)]) -> Container {
        let fact = |text: &str| Setting::Set(text.to_owned());
        Container {
            words: Setting::Set(words.split_whitespace().map(str::to_owned).collect()),
            environment: Setting::Set(
                variables.iter().map(|(name, value)| ((*name).to_owned(), fact(value))).collect(),
            ),
            ..Container::default()
        }
    }

    #[test]
    fn the_hold_is_seen_by_words_or_environment() {
        let some = |health_port, stop_timeout, watched: &[u16]| {
            Some(HoldConfig { health_port, stop_timeout, watched: watched.to_vec() })
        };
        let table = [
            ("app", vec![], None),
            ("/hold/spotdrain-hold --port 80 -- app", vec![], some(None, 30, &[80])),
            ("spotdrain-hold --port=53,80 --check tcp://[::1]:81 -- app", vec![], some(None, 30, &[53, 80])),
            ("spotdrain-hold --check http://127.0.0.1:81/a:7 -- app", vec![], some(None, 30, &[81])),
            ("spotdrain-hold --health 0.0.0.0:8081 --stop-timeout=120 -- app", vec![], some(Some(8081), 120, &[])),
            ("spotdrain-hold -- app --stop-timeout 7", vec![], some(None, 30, &[])),
            (
                "",
                vec![("SPOTDRAIN_HOLD_HEALTH", "[::]:81"), ("SPOTDRAIN_HOLD_STOP_TIMEOUT", "90")],
                some(Some(81), 90, &[]),
            ),
        ];
        for (words, variables, expected) in table {
            assert_eq!(hold(&container(words, &variables)).unwrap(), expected, "{words} {variables:?}");
        }
    }

    #[test]
    fn an_entry_point_that_is_not_known_is_no_answer() {
        let container = Container { words: Setting::Unknown("a parameter".to_owned()), ..Container::default() };
        assert!(hold(&container).is_err());
    }
}
