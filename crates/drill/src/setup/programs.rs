//! The programs that a drill starts, and where they are.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::DrillError;
use crate::setup::scenario::Scenario;

/// Debian installs `haproxy` here, outside a user's `PATH`.
const BESIDE_THE_PATH: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

#[derive(Debug, Clone)]
pub struct Programs {
    pub haproxy: PathBuf,
    pub hold: PathBuf,
    /// The tasks' application, and its leading arguments.
    pub server: (PathBuf, Vec<String>),
}

impl Programs {
    /// Finds the programs, and checks that those needed by these scenarios exist.
    pub fn find(
        haproxy: Option<PathBuf>,
        hold: Option<PathBuf>,
        server: (PathBuf, Vec<String>),
        scenarios: &[Scenario],
    ) -> Result<Self, DrillError> {
        let haproxy = haproxy.or_else(|| on_path("haproxy")).unwrap_or_else(|| PathBuf::from("haproxy"));
        let hold = hold.unwrap_or_else(|| server.0.with_file_name("spotdrain-hold"));
        if !is_program(&haproxy) {
            return Err(DrillError::NoHaproxy(haproxy));
        }
        if scenarios.iter().any(|scenario| scenario.has_hold()) && !is_program(&hold) {
            return Err(DrillError::NoHold(hold));
        }
        Ok(Self { haproxy, hold, server })
    }
}

/// Finds a program by name.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(BESIDE_THE_PATH.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_load_balancer_is_reported_with_its_package() {
        let server = (PathBuf::from("/nowhere/spotdrain"), Vec::new());
        let error = Programs::find(Some("/nowhere/haproxy".into()), None, server, &[Scenario::Nothing])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("/nowhere/haproxy not found") && error.contains("apt-get install haproxy"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_hold_is_reported_only_where_it_is_needed() {
        let server = (PathBuf::from("/nowhere/spotdrain"), Vec::new());
        let haproxy = Some(env::current_exe().unwrap());
        let error = Programs::find(haproxy.clone(), None, server.clone(), &[Scenario::Both]).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/spotdrain-hold not found"), "{error}");
        assert!(Programs::find(haproxy, None, server, &[Scenario::Nothing]).is_ok());
    }
}
