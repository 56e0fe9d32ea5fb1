//! Passes the commit to `spotdrain --version`: `unknown` for a source tree without Git.

#![allow(clippy::print_stdout, reason = "Cargo reads a build script's standard output")]

use std::path::Path;
use std::process::Command;

fn main() {
    // HEAD names the branch, and the branch's own file changes with each commit. Git knows where they are.
    let head = git(&["rev-parse", "--git-path", "HEAD"]);
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|name| git(&["rev-parse", "--git-path", &name]));
    let packed = git(&["rev-parse", "--git-path", "packed-refs"]);
    // Cargo treats a missing file as changed.
    for file in [head, branch, packed].into_iter().flatten().filter(|file| Path::new(file).exists()) {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=SPOTDRAIN_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}
