//! The static binary, as it is in an image: small, and it starts where there is nothing else. The image is made as its
//! Dockerfile says, without a container engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::HOLD;

/// Builds it as `docs/hold.md` says; `None` if the target is not installed.
fn static_binary() -> Option<PathBuf> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", &target]).output().ok()?;
    if !Path::new(String::from_utf8_lossy(&libraries.stdout).trim()).exists() {
        return None;
    }
    let folder = Path::new(HOLD).ancestors().nth(2).unwrap();
    let build = ["build", "--release", "--locked", "--package", "spotdrain-hold", "--target", &target];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(build).env("CARGO_TARGET_DIR", folder).current_dir(env!("CARGO_MANIFEST_DIR"));
    let Output { status, stderr, .. } = cargo.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    Some(folder.join(target).join("release/spotdrain-hold"))
}

#[test]
fn the_static_binary_is_small_and_starts_in_an_empty_root() {
    let Some(binary) = static_binary() else {
        println!("skipped: the musl target is not installed (rustup target add x86_64-unknown-linux-musl)");
        return;
    };
    let size = fs::metadata(&binary).unwrap().len();
    assert!(size < 1_800_000, "{size} bytes");
    starts_in_an_empty_root(&binary);
}

/// The Dockerfile of the hold's image. The test follows its three instructions.
const DOCKERFILE: &str = include_str!("../../../../deploy/images/hold/Dockerfile");

/// The arguments of an instruction in the Dockerfile, which has it once.
fn instruction(name: &str) -> &'static str {
    let mut lines = DOCKERFILE.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let found = lines.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(lines.next(), None, "{name} once");
    found
}

fn starts_in_an_empty_root(binary: &Path) {
    assert_eq!(instruction("FROM"), "scratch");
    let [mode, source, place] = instruction("COPY").split(' ').collect::<Vec<_>>()[..] else { panic!("{DOCKERFILE}") };
    assert_eq!((mode, source), ("--chmod=755", "spotdrain-hold"));
    let entrypoint = instruction("ENTRYPOINT").trim_matches(['[', ']', '"']);
    assert_eq!(entrypoint, place, "docs/hold.md and the Dockerfile's comment copy it from there");
    let root = std::env::temp_dir().join(format!("hold-{}-root", std::process::id()));
    fs::create_dir(&root).unwrap();
    fs::copy(binary, root.join(place.trim_start_matches('/'))).unwrap();
    let version = format!("{entrypoint} --version");
    for (command, code, printed) in [(version.as_str(), 0, "spotdrain-hold "), ("/nothing", 127, ""), ("/", 126, "")] {
        let Some(mut chroot) = crate::common::namespace("--mount", "true") else {
            println!("skipped: mount namespaces are unavailable");
            break;
        };
        let words = format!("{entrypoint} --port 5044 -- {command}");
        let output = chroot.arg("chroot").arg(&root).args(words.split(' ')).output().unwrap();
        let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.code() == Some(code) && out.starts_with(printed), "{command}: {output:?}");
        assert!(log.lines().all(|line| line.starts_with(r#"{"program":"spotdrain-hold""#)), "{log}");
    }
    fs::remove_dir_all(root).unwrap();
}
