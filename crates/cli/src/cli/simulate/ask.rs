//! The question before a target is really taken out.

use std::io::{IsTerminal as _, Write as _};

use aws_sdk_ecs::types::Task;

use super::Way;
use crate::cli::exit::Problem;
use crate::cli::present::CAREFUL;
use crate::cli::show::broken;

/// Whether the person says yes. Without a person before it, it is refused.
pub(crate) fn is_sure(task: &Task, way: Way<'_>) -> Result<bool, Problem> {
    if !std::io::stdin().is_terminal() {
        let hint = "not a terminal: pass --yes to confirm";
        return Err(Problem::Configuration(hint.to_owned()));
    }
    let id = task.task_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
    let group = task.group().unwrap_or("no service");
    let question = format!(
        "{CAREFUL}This will {}{CAREFUL:#}: task {id} of {group} is taken out of its target groups, and goes on running. \
         Type yes to go on: ",
        way.described()
    );
    write!(anstream::stderr(), "{question}").map_err(|error| broken(&error))?;
    anstream::stderr().flush().map_err(|error| broken(&error))?;
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer).map_err(|error| broken(&error))? == 0 {
        // The input has ended, and with it the line of the question is still open.
        writeln!(anstream::stderr()).map_err(|error| broken(&error))?;
    }
    Ok(answer.trim() == "yes")
}
