//! `spotdrain report`: what past interruptions did, from the function's log. `spotdrain_core::history` reads the lines and
//! counts. This module gets the lines ([`files`], [`source`], [`accounts`], [`demo`]) and shows the report ([`sections`], [`text`], [`page`]).

mod accounts;
mod args;
mod balancers;
mod charts;
mod demo;
mod files;
mod logs;
mod page;
mod progress;
mod sections;
mod source;
mod text;

use std::io::Write as _;
use std::path::Path;

use spotdrain_core::history::{History, HistoryQuery, Summary, summarize};

pub(crate) use args::ReportArgs;

use super::exit::{CliError, Exit};
use super::output;
use super::output::style::now;

pub(crate) async fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let mut query = query(args);
    let history = read(args, &mut query).await?;
    let summary = summarize(history, &query);
    if args.json {
        output::json(&summary)?;
    } else if let Some(file) = &args.html {
        write_page(file, &summary)?;
    } else {
        text::print(&summary)?;
    }
    Ok(accounts::warn_of_unread(&summary.accounts))
}

fn query(args: &ReportArgs) -> HistoryQuery {
    HistoryQuery {
        cluster: args.cluster.clone(),
        service: args.service.clone(),
        with_simulated: args.simulated,
        is_synthetic: args.demo,
        ..HistoryQuery::new(now(), args.since)
    }
}

async fn read(args: &ReportArgs, query: &mut HistoryQuery) -> Result<History, CliError> {
    let mut history = History::default();
    if args.demo {
        demo::add(&mut history, query);
    } else if !args.accounts.is_empty() {
        accounts::read(args, query, &mut history).await?;
    } else if args.files.is_empty() {
        source::read(args, &args.aws, query, &mut history).await?;
    } else {
        files::read_all(&args.files, &mut history)?;
    }
    Ok(history)
}

fn write_page(file: &Path, summary: &Summary) -> Result<(), CliError> {
    output::write_file("--html", file, &page::page(summary))?;
    let name = file.display();
    let interruptions = if summary.interruptions == 1 { "interruption" } else { "interruptions" };
    let synthetic = if summary.synthetic { "synthetic " } else { "" };
    let text = format!("wrote {name}: {} {synthetic}{interruptions} in {}\n", summary.interruptions, summary.window);
    write!(anstream::stdout(), "{text}").map_err(|error| output::write_error(&error))
}
