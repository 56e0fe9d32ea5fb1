//! The settings as flags: the same names as the environment's, which they override.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use clap::Args;
use spotdrain_core::settings::Settings;

use super::exit::Problem;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings (each overrides the environment's SPOTDRAIN_ variable of its name)")]
pub(crate) struct SettingFlags {
    /// enforce, or observe to change nothing [SPOTDRAIN_MODE, default enforce]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Names or ARNs of the clusters in scope, or all [SPOTDRAIN_CLUSTERS, default all]
    #[arg(long, value_name = "LIST")]
    clusters: Option<String>,
    /// Target groups beside those of the task's service, ARN or ARN=port [SPOTDRAIN_TARGET_GROUPS, default none]
    #[arg(long, value_name = "LIST")]
    target_groups: Option<String>,
    /// Load balancers whose target groups are searched [SPOTDRAIN_LOAD_BALANCERS, default none]
    #[arg(long, value_name = "LIST")]
    load_balancers: Option<String>,
    /// Look the service's target groups up [SPOTDRAIN_DISCOVER, default true]
    #[arg(long, value_name = "BOOL")]
    discover: Option<String>,
    /// Leave a group's last healthy target [SPOTDRAIN_KEEP_LAST, default true]
    #[arg(long, value_name = "BOOL")]
    keep_last: Option<String>,
    /// Up to this age a notice is acted on without asking ECS [SPOTDRAIN_FRESH_SECONDS, default 10]
    #[arg(long, value_name = "SECONDS")]
    fresh_seconds: Option<String>,
    /// The pace of DeregisterTargets [SPOTDRAIN_CALLS_PER_SECOND, default 2]
    #[arg(long, value_name = "NUMBER")]
    calls_per_second: Option<String>,
    /// How many of them at once [SPOTDRAIN_CALL_BURST, default 10]
    #[arg(long, value_name = "NUMBER")]
    call_burst: Option<String>,
    /// Whose events are read [SPOTDRAIN_EVENT_SOURCES, default aws.ecs]
    #[arg(long, value_name = "LIST")]
    event_sources: Option<String>,
    /// The URL of the notices' queue [SPOTDRAIN_QUEUE_URL, default none]
    #[arg(long, value_name = "URL")]
    queue_url: Option<String>,
}

impl SettingFlags {
    /// The environment's settings, overridden by the flags, checked as a whole.
    pub(crate) fn read(&self, environment: impl Iterator<Item = (String, String)>) -> Result<Settings, Problem> {
        let flags = self.flags();
        let is_overridden = |name: &str| flags.iter().any(|(flag, value)| *flag == name && value.is_some());
        let kept = environment.filter(|(name, _)| !is_overridden(name));
        let given = flags.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.as_ref()?.clone())));
        Settings::read(kept.chain(given)).map_err(|error| {
            let problems: Vec<_> = error.problems.iter().map(|problem| format!("\n  {problem}")).collect();
            Problem::Configuration(format!("the settings are wrong:{}", problems.concat()))
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
    use spotdrain_core::settings::{Mode, NAMES};

    use super::*;

    #[test]
    fn every_setting_has_its_flag() {
        let flags = SettingFlags::default();
        assert_eq!(flags.flags().map(|(name, _)| name), NAMES.map(|(name, _)| name));
    }

    #[test]
    fn a_flag_overrides_the_environment_even_a_wrong_one() {
        let flags = SettingFlags { mode: Some("observe".to_owned()), ..SettingFlags::default() };
        let environment = [("SPOTDRAIN_MODE".to_owned(), "nonsense".to_owned())];
        assert_eq!(flags.read(environment.into_iter()).unwrap().mode, Mode::Observe);
    }
}
