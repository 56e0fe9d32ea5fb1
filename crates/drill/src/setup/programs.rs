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
    pub application: Application,
}

/// The application of the tasks.
#[derive(Debug, Clone)]
pub enum Application {
    /// `spotdrain-drill-app`, at this path.
    Own(PathBuf),
    /// A command for the shell, which listens on this port of every address.
    Command { command: String, port: u16 },
}

impl Application {
    /// Its fixed port.
    pub(crate) fn port(&self) -> Option<u16> {
        match self {
            Self::Own(_) => None,
            Self::Command { port, .. } => Some(*port),
        }
    }
}

impl Programs {
    /// Finds the programs, and checks that those needed by these scenarios exist. `this` is the running program: the hold and the
    /// drill's own application are expected in its folder. `command` is an application in place of the drill's own.
    pub fn find(
        this: &Path,
        haproxy: Option<PathBuf>,
        hold: Option<PathBuf>,
        command: Option<(String, u16)>,
        scenarios: &[Scenario],
    ) -> Result<Self, DrillError> {
        let haproxy = haproxy.or_else(|| on_path("haproxy")).unwrap_or_else(|| PathBuf::from("haproxy"));
        let hold = hold.unwrap_or_else(|| this.with_file_name("spotdrain-hold"));
        let own = this.with_file_name("spotdrain-drill-app");
        if !is_program(&haproxy) {
            return Err(DrillError::NoHaproxy(haproxy));
        }
        if scenarios.iter().any(|scenario| scenario.has_hold()) && !is_program(&hold) {
            return Err(DrillError::NoHold(hold));
        }
        let application = match command {
            Some((command, port)) => Application::Command { command, port },
            None if is_program(&own) => Application::Own(own),
            None => return Err(DrillError::NoApplication(own)),
        };
        Ok(Self { haproxy, hold, application })
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
        let this = Path::new("/nowhere/spotdrain");
        let error = Programs::find(this, Some("/nowhere/haproxy".into()), None, None, &[Scenario::Nothing]);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("/nowhere/haproxy not found") && error.contains("apt-get install haproxy"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_reported_only_where_it_is_needed() {
        let this = Path::new("/nowhere/spotdrain");
        let command = Some(("nginx".to_owned(), 80));
        let find = |command: &Option<_>, scenario| {
            Programs::find(this, Some(env::current_exe().unwrap()), None, command.clone(), &[scenario])
        };
        let error = find(&command, Scenario::Both).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/spotdrain-hold not found"), "{error}");
        let error = find(&None, Scenario::Nothing).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/spotdrain-drill-app not found"), "{error}");
        assert!(find(&command, Scenario::Nothing).is_ok());
    }
}
