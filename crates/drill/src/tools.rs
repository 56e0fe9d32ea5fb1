//! The programs that a drill starts, and where they are.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::DrillError;
use crate::way::Way;

/// Where Debian has `haproxy`, which is not on a user's path.
const BESIDE_THE_PATH: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The programs.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The load balancer.
    pub haproxy: PathBuf,
    /// The hold.
    pub hold: PathBuf,
    /// The application of the tasks, and the words before its options.
    pub server: (PathBuf, Vec<String>),
}

impl Tools {
    /// Finds them, and checks that those are there which these ways need.
    pub fn find(
        haproxy: Option<PathBuf>,
        hold: Option<PathBuf>,
        server: (PathBuf, Vec<String>),
        ways: &[Way],
    ) -> Result<Self, DrillError> {
        let haproxy = haproxy.or_else(|| on_path("haproxy")).unwrap_or_else(|| PathBuf::from("haproxy"));
        let hold = hold.unwrap_or_else(|| server.0.with_file_name("spotdrain-hold"));
        if !is_program(&haproxy) {
            return Err(DrillError::NoHaproxy(haproxy));
        }
        if ways.iter().any(|way| way.has_hold()) && !is_program(&hold) {
            return Err(DrillError::NoHold(hold));
        }
        Ok(Self { haproxy, hold, server })
    }
}

/// A program by its name.
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
    fn a_load_balancer_that_is_not_there_is_named_with_its_package() {
        let server = (PathBuf::from("/nowhere/spotdrain"), Vec::new());
        let error =
            Tools::find(Some("/nowhere/haproxy".into()), None, server, &[Way::Nothing]).unwrap_err().to_string();
        assert!(
            error.starts_with("/nowhere/haproxy is not there") && error.contains("apt-get install haproxy"),
            "{error}"
        );
    }

    #[test]
    fn a_hold_that_is_not_there_is_named_where_it_is_needed() {
        let server = (PathBuf::from("/nowhere/spotdrain"), Vec::new());
        let haproxy = Some(env::current_exe().unwrap());
        let error = Tools::find(haproxy.clone(), None, server.clone(), &[Way::Both]).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/spotdrain-hold is not there"), "{error}");
        assert!(Tools::find(haproxy, None, server, &[Way::Nothing]).is_ok());
    }
}
