//! The function's settings as flags, which override the environment's variables.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use clap::Args;
use spotdrain_core::settings::Settings;

use super::exit::CliError;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings (each overrides its SPOTDRAIN_ variable)")]
pub(crate) struct SettingFlags {
    /// enforce, or observe to change nothing [SPOTDRAIN_MODE, default enforce]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Names or ARNs of the clusters in scope, or all [SPOTDRAIN_CLUSTERS, default all]
    #[arg(long, value_name = "LIST")]
    clusters: Option<String>,
    /// Target groups in addition to the service's, ARN or ARN=port [SPOTDRAIN_TARGET_GROUPS, default none]
    #[arg(long, value_name = "LIST")]
    target_groups: Option<String>,
    /// Load balancers whose target groups are searched [SPOTDRAIN_LOAD_BALANCERS, default none]
    #[arg(long, value_name = "LIST")]
    load_balancers: Option<String>,
    /// Look up the service's target groups [SPOTDRAIN_DISCOVER, default true]
    #[arg(long, value_name = "BOOL")]
    discover: Option<String>,
    /// Keep a group's last healthy target [SPOTDRAIN_KEEP_LAST, default true]
    #[arg(long, value_name = "BOOL")]
    keep_last: Option<String>,
    /// Up to this age, a notice is handled without asking ECS [SPOTDRAIN_FRESH_SECONDS, default 10]
    #[arg(long, value_name = "SECONDS")]
    fresh_seconds: Option<String>,
    /// The rate limit of DeregisterTargets [SPOTDRAIN_CALLS_PER_SECOND, default 2]
    #[arg(long, value_name = "NUMBER")]
    calls_per_second: Option<String>,
    /// The burst of that rate limit [SPOTDRAIN_CALL_BURST, default 10]
    #[arg(long, value_name = "NUMBER")]
    call_burst: Option<String>,
    /// Event sources that are accepted [SPOTDRAIN_EVENT_SOURCES, default aws.ecs]
    #[arg(long, value_name = "LIST")]
    event_sources: Option<String>,
    /// The URL of the notice queue [SPOTDRAIN_QUEUE_URL, default none]
    #[arg(long, value_name = "URL")]
    queue_url: Option<String>,
}

impl SettingFlags {
    /// Reads the settings from the flags and the environment, and checks them.
    pub(crate) fn read(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Settings, CliError> {
        let flags = self.flags();
        let is_overridden = |name: &str| flags.iter().any(|(flag, value)| *flag == name && value.is_some());
        let kept = environment.filter(|(name, _)| !is_overridden(name));
        let given = flags.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.as_ref()?.clone())));
        Settings::read(kept.chain(given)).map_err(|error| {
            let problems: Vec<_> = error.problems.iter().map(|problem| format!("\n  {problem}")).collect();
            CliError::Configuration(format!("invalid settings:{}", problems.concat()))
        })
    }

    fn flags(&self) -> [(&'static str, &Option<String>); 11] {
        [
            ("SPOTDRAIN_MODE", &self.mode),
            ("SPOTDRAIN_CLUSTERS", &self.clusters),
            ("SPOTDRAIN_TARGET_GROUPS", &self.target_groups),
            ("SPOTDRAIN_LOAD_BALANCERS", &self.load_balancers),
            ("SPOTDRAIN_DISCOVER", &self.discover),
            ("SPOTDRAIN_KEEP_LAST", &self.keep_last),
            ("SPOTDRAIN_FRESH_SECONDS", &self.fresh_seconds),
            ("SPOTDRAIN_CALLS_PER_SECOND", &self.calls_per_second),
            ("SPOTDRAIN_CALL_BURST", &self.call_burst),
            ("SPOTDRAIN_EVENT_SOURCES", &self.event_sources),
            ("SPOTDRAIN_QUEUE_URL", &self.queue_url),
        ]
    }
}

#[cfg(test)]
mod tests {
    use spotdrain_core::settings::{MESSAGE_TOPIC, Mode, NAMES};

    use super::*;

    #[test]
    fn every_setting_has_a_flag() {
        let flags = SettingFlags::default();
        let of_commands = NAMES.into_iter().map(|(name, _)| name).filter(|name| *name != MESSAGE_TOPIC);
        assert_eq!(flags.flags().map(|(name, _)| name).to_vec(), of_commands.collect::<Vec<_>>());
    }

    #[test]
    fn a_flag_overrides_even_an_invalid_variable() {
        let flags = SettingFlags { mode: Some("observe".to_owned()), ..SettingFlags::default() };
        let environment = [("SPOTDRAIN_MODE".to_owned(), "nonsense".to_owned())];
        assert_eq!(flags.read(environment.into_iter()).unwrap().mode, Mode::Observe);
    }
}
