//! `spotdrain`, the command line: the doctor, and the function's work by hand.
//!
//! `cli` has a file or folder for each command; `cli/mod.rs` dispatches, `cli/args.rs` has the arguments and help texts,
//! `cli/exit.rs` the exit codes, `cli/output` what people read. `read_account` reads what is deployed into the doctor's model.
//! A new command is a variant of `CliCommand`, a file with its `run`, and a line in `dispatch`.

pub mod cli;
mod read_account;
