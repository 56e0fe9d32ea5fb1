//! Is the first process of a container a shell that keeps SIGTERM to itself?
//!
//! A shell that runs one command usually replaces itself by it. One that runs several waits for each of them, and while it
//! waits it does not pass signals on. A script with `exec` before its last command, or with a trap, is taken to know that.

const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "ksh", "zsh"];

/// Whether the words, entry point and command together, are a shell whose application gets no signal.
pub(crate) fn swallows_signals(words: &[String]) -> bool {
    let [program, flags, script, ..] = words else { return false };
    let is_shell = program.rsplit('/').next().is_some_and(|name| SHELLS.contains(&name));
    let runs_text = flags.starts_with('-') && !flags.starts_with("--") && flags.contains('c');
    is_shell && runs_text && waits(script)
}

fn waits(script: &str) -> bool {
    let script = script.trim();
    let commands: Vec<_> = script.split(['\n', ';', '&', '|']).map(str::trim).filter(|one| !one.is_empty()).collect();
    let has_trap = commands.iter().any(|command| command.starts_with("trap "));
    let last_is_exec = commands.last().is_some_and(|command| command.split_whitespace().next() == Some("exec"));
    commands.len() > 1 && !has_trap && !last_is_exec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_runs_several_commands_without_exec_swallows_signals() {
        let table = [
            (vec!["sh", "-c", "npm run build && npm start"], true),
            (vec!["/bin/bash", "-ec", "migrate; serve"], true),
            (vec!["sh", "-c", "a\nb"], true),
            (vec!["sh", "-c", "a | tee log"], true),
            (vec!["sh", "-c", "npm start"], false),
            (vec!["sh", "-c", "migrate && exec serve"], false),
            (vec!["sh", "-c", "trap 'kill $!' TERM; serve & wait"], false),
            (vec!["/app/serve", "-c", "a && b"], false),
            (vec!["sh", "start.sh"], false),
            (vec!["bash", "--rcfile", "c", "a;b"], false),
            (vec![], false),
        ];
        for (words, expected) in table {
            let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
            assert_eq!(swallows_signals(&words), expected, "{words:?}");
        }
    }
}
