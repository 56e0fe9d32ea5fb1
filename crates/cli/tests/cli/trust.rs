//! Which certificate authorities are trusted, tested with a local AWS that has an authority of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use spotdrain_localaws::{LocalAws, Scene};

/// Runs `plan` over TLS with this variable set, and returns the exit code and all output.
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

/// Writes a file to the target folder.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_bundle_named_in_the_environment_is_trusted() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let authority = file("bundle.pem", local.certificate_authority().unwrap());
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let (code, output) = plan_with(&local, Some((name, &authority)));
        assert!(code == 0 && output.contains("WouldDeregister"), "{name}: {code} {output}");
    }
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let (code, output) = plan_with(&local, None);
    assert!(code != 0 && output.contains("UnknownIssuer"), "{code} {output}");
    assert!(local.calls().is_empty());
}

#[test]
fn an_invalid_bundle_is_an_error_before_any_call() {
    let local = LocalAws::spawn_thread_tls(Scene::demo().world).unwrap();
    let (code, output) = plan_with(&local, Some(("AWS_CA_BUNDLE", "/does/not/exist.pem")));
    assert!(code == 64 && output.contains("AWS_CA_BUNDLE: /does/not/exist.pem: "), "{code} {output}");
    let (code, output) = plan_with(&local, Some(("AWS_CA_BUNDLE", &file("none.pem", "hello"))));
    assert!(code == 64 && output.contains("no certificate in it"), "{code} {output}");
    assert_eq!(local.traffic().connections, 0);
}
