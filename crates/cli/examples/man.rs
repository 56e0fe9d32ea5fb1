//! Writes the man pages of `spotdrain`, of its commands and of `spotdrain-hold` into a folder, for the release archives.
//!
//! `cargo run -p spotdrain --example man -- FOLDER`

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    let folder: PathBuf = env::args_os().nth(1).context("expected a folder for the pages")?.into();
    fs::create_dir_all(&folder)?;
    let command = spotdrain::cli::command();
    clap_mangen::generate_to(command, &folder).context("the pages of spotdrain")?;
    fs::write(folder.join("spotdrain-hold.1"), hold())?;
    Ok(())
}

/// The page of the hold, whose arguments clap does not read: its help text, as it is.
fn hold() -> String {
    let help = spotdrain_hold::settings::arguments::help();
    let summary = "keeps a container's application serving after the stop signal, until its connections are gone";
    format!(
        ".TH spotdrain-hold 1 \"\" \"spotdrain-hold {version}\"\n.SH NAME\nspotdrain\\-hold \\- {summary}\n\
         .SH DESCRIPTION\n.nf\n{help}.fi\n.SH SEE ALSO\nspotdrain(1)\n",
        version = env!("CARGO_PKG_VERSION"),
        help = escaped(&help),
    )
}

/// Text as roff prints it: a backslash and a hyphen are characters, and no line is a request.
fn escaped(text: &str) -> String {
    let lines = text.lines().map(|line| format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-")));
    lines.collect()
}
