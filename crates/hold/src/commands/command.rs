//! A command in the settings: words, or a JSON array as in a Dockerfile. There is no shell: an image may have none.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The characters that only a shell understands.
const SHELL_SYNTAX: &str = "|&;<>()$`\\\"'*?[]#~{}!";

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub program: String,
    pub arguments: Vec<String>,
}

impl Command {
    /// Parses `program argument …` or `["program", "argument", …]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = if text.starts_with('[') { array(text)? } else { plain_words(text)? };
        let mut words = words.into_iter();
        match words.next().filter(|program| !program.is_empty()) {
            Some(program) => Ok(Self { program, arguments: words.collect() }),
            None => Err(format!("expected a command, found {text:?}")),
        }
    }

    /// Checks that the program exists and is executable, in these folders if its name has no slash.
    pub fn check(&self, path: &OsStr) -> Result<(), String> {
        let is_found = if self.program.contains('/') {
            is_executable(Path::new(&self.program))
        } else {
            std::env::split_paths(path).any(|folder| is_executable(&folder.join(&self.program)))
        };
        if is_found { Ok(()) } else { Err(format!("{}: no executable file with this name", self.program)) }
    }
}

/// Only the program: arguments may contain secrets.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)
    }
}

fn array(text: &str) -> Result<Vec<String>, String> {
    let words: Result<Vec<String>, _> = serde_json::from_str(text);
    let words = words.map_err(|error| format!("expected a JSON array of strings, found {text:?}: {error}"))?;
    if words.iter().any(|word| word.contains('\0')) {
        return Err(format!("expected words without NUL, found {text:?}"));
    }
    Ok(words)
}

fn plain_words(text: &str) -> Result<Vec<String>, String> {
    if text.contains(|character| SHELL_SYNTAX.contains(character)) {
        return Err(format!(
            "commands run without a shell: write [\"sh\", \"-c\", \"…\"] for shell syntax or quotes, found {text:?}"
        ));
    }
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_arrays_are_parsed() {
        let expected =
            Command { program: "curl".to_owned(), arguments: vec!["-s".to_owned(), "http://[::1]/".to_owned()] };
        assert_eq!(Command::parse(r#"["curl", "-s", "http://[::1]/"]"#), Ok(expected));
        assert_eq!(Command::parse(" drain  --now ").unwrap().arguments, ["--now"]);
    }

    #[test]
    fn invalid_commands_are_rejected() {
        for text in ["", " ", "[]", r#"[""]"#, "[1]", "[\"a\"", r#"["a\u0000"]"#] {
            assert!(Command::parse(text).unwrap_err().starts_with("expected"), "{text}");
        }
        for text in ["kill -USR1 $PID", "a && b", "echo 'x'", "a > b"] {
            assert!(Command::parse(text).unwrap_err().starts_with("commands run without a shell"), "{text}");
        }
    }

    #[test]
    fn a_program_must_exist_and_be_executable() {
        let path = OsStr::new("/nowhere:/usr/bin:/bin");
        for (text, is_found) in [
            ("sh", true),
            ("/bin/sh", true),
            ("no-such-program", false),
            ("/no/such/program", false),
            ("/etc/passwd", false),
            ("/bin", false),
        ] {
            assert_eq!(Command::parse(text).unwrap().check(path).is_ok(), is_found, "{text}");
        }
    }
}
