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
        let haproxy = haproxy.filter(|path| path.is_file()).or_else(|| on_path("haproxy"));
        let beside = server.0.with_file_name("spotdrain-hold");
        let hold = hold.or_else(|| Some(beside.clone()).filter(|path| path.is_file())).unwrap_or(beside);
        if ways.iter().any(|way| way.has_hold()) && !hold.is_file() {
            return Err(DrillError::NoHold(hold));
        }
        Ok(Self { haproxy: haproxy.ok_or(DrillError::NoHaproxy)?, hold, server })
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
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
    fn a_hold_that_is_not_there_is_named_where_it_is_needed() {
        let server = (PathBuf::from("/nowhere/spotdrain"), Vec::new());
        let haproxy = Some(env::current_exe().unwrap());
        let error = Tools::find(haproxy.clone(), None, server.clone(), &[Way::Both]).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/spotdrain-hold is not there"), "{error}");
        assert!(Tools::find(haproxy, None, server, &[Way::Nothing]).is_ok());
    }
}
