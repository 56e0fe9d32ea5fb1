//! Which certificate authorities are trusted: a local AWS over TLS, whose authority is nobody's but its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use spotdrain_localaws::{LocalAws, Scene};

/// The command over TLS with this variable set: its exit code and all that it wrote.
fn plan_with(local: &LocalAws, trust: Option<(&str, &str)>) -> (i32, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotdrain"));
    command.current_dir(root).env_clear().env("AWS_ENDPOINT_URL", local.endpoint()).env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local").envs(trust);
    command.args(["plan", "--restamp", "--timeout", "5", "--event", "events/spot-interruption.json"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A file of its own for each test, below the target folder.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn the_bundle_of_the_environment_is_trusted() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let authority = file("bundle.pem", local.certificate_authority().unwrap());
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let (code, output) = plan_with(&local, Some((name, &authority)));
        assert!(code == 0 && output.contains("WouldDeregister"), "{name}: {code} {output}");
    }
}

#[test]
fn an_authority_that_nobody_named_is_not_trusted() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let (code, output) = plan_with(&local, None);
    assert!(code != 0 && output.contains("UnknownIssuer"), "{code} {output}");
    assert!(local.calls().is_empty());
}

#[test]
fn a_bundle_that_is_none_is_refused_before_any_call() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let (code, output) = plan_with(&local, Some(("AWS_CA_BUNDLE", "/does/not/exist.pem")));
    assert!(code == 64 && output.contains("AWS_CA_BUNDLE: /does/not/exist.pem: "), "{code} {output}");
    let (code, output) = plan_with(&local, Some(("AWS_CA_BUNDLE", &file("none.pem", "hello"))));
    assert!(code == 64 && output.contains("no certificate in it"), "{code} {output}");
    assert_eq!(local.traffic().connections, 0);
}
