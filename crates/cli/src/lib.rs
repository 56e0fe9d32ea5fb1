//! The command line, `spotdrain`: the function's work by hand, the doctor with its reader of what is deployed, the drill, and a
//! local AWS.

pub mod cli;
mod look;
