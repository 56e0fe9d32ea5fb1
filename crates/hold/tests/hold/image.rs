//! The static binary, as it stands in an image: small, and it starts where there is nothing else.
#![cfg(target_env = "gnu")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::HOLD;

/// Builds it as `docs/hold.md` says; `None`: this machine has no static C library.
fn static_binary() -> Option<PathBuf> {
    let library = Command::new("cc").arg("-print-file-name=libc.a").output().ok()?.stdout;
    if !library.starts_with(b"/") {
        return None;
    }
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = Path::new(HOLD).ancestors().nth(2).unwrap();
    let build = ["build", "--release", "--locked", "--package", "spotdrain-hold", "--target", &target];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(build).env("RUSTFLAGS", "-C target-feature=+crt-static").env("CARGO_TARGET_DIR", folder);
    let Output { status, stderr, .. } = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    Some(folder.join(target).join("release/spotdrain-hold"))
}

#[test]
fn the_static_binary_is_small_and_starts_in_an_empty_root() {
    let Some(binary) = static_binary() else {
        println!("skipped: no static C library (libc6-dev has it)");
        return;
    };
    let size = fs::metadata(&binary).unwrap().len();
    assert!(size < 2_000_000, "{size} bytes");
    starts_in_an_empty_root(&binary);
}

fn starts_in_an_empty_root(binary: &Path) {
    let root = std::env::temp_dir().join(format!("hold-{}-root", std::process::id()));
    fs::create_dir(&root).unwrap();
    fs::copy(binary, root.join("hold")).unwrap();
    for (command, code, printed) in [("/hold --version", 0, "spotdrain-hold "), ("/nothing", 127, ""), ("/", 126, "")] {
        let Some(mut chroot) = crate::common::namespace("--mount", "true") else {
            println!("skipped: no rights to change the root");
            break;
        };
        let words = format!("/hold --port 5044 -- {command}");
        let output = chroot.arg("chroot").arg(&root).args(words.split(' ')).output().unwrap();
        let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.code() == Some(code) && out.starts_with(printed), "{command}: {output:?}");
        assert!(log.lines().all(|line| line.starts_with(r#"{"program":"spotdrain-hold""#)), "{log}");
    }
    fs::remove_dir_all(root).unwrap();
}
