//! The results of the probe, as the drill and the doctor use them.

use crate::command::{json, run, spotdrain};
use crate::drill::{TRAFFIC, has_all};

#[test]
fn results_of_the_probe_replace_the_drills_delays() {
    let file = std::env::temp_dir().join(format!("spotdrain-test-measured-{}.json", std::process::id()));
    let path = file.to_string_lossy().into_owned();
    std::fs::write(&file, "{}").unwrap();
    let (code, _, err) = run(spotdrain(&["drill", "--measured", &path]));
    assert_eq!(code, 64);
    assert!(err.contains(&path) && err.contains("not a result of spotdrain probe --json"), "{err}");
    let measured = r#"{"schema": "spotdrain-probe-1", "measured": {"load_balancer": "nlb",
        "after_unhealthy": {"at_least": 11.0, "at_most": 12.5}}}"#;
    std::fs::write(&file, measured).unwrap();
    if has_all("results_of_the_probe_replace_the_drills_delays", false) {
        let _alone = TRAFFIC.blocking_lock();
        let arguments = ["drill", "--scale", "20", "--rate", "50", "--only", "nothing", "--measured", &path, "--json"];
        let mut command = spotdrain(&arguments);
        command.env("PATH", std::env::var("PATH").unwrap());
        let (code, drill) = json(command);
        assert_eq!(code, 0);
        assert_eq!(drill["plan"]["balancer"]["after_unhealthy"], 12.5);
        assert_eq!(drill["plan"]["balancer"]["after_deregistration"], 120.0);
        assert_eq!(drill["plan"]["is_measured"], true);
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn results_of_the_probe_replace_the_doctors_delays() {
    let file = std::env::temp_dir().join(format!("spotdrain-test-measured-doctor-{}.json", std::process::id()));
    let measured = r#"{"schema": "spotdrain-probe-1", "measured": {"load_balancer": "nlb",
        "after_deregistration": {"at_least": 60.0, "at_most": 61.2}, "after_unhealthy": {"at_least": 5.0, "at_most": 6.0}}}"#;
    std::fs::write(&file, measured).unwrap();
    let template = ["doctor", "--template", "deploy/example/template.yaml", "--severity", "error"];
    let with: Vec<_> = template.into_iter().chain(["--measured", file.to_str().unwrap()]).collect();
    let (_, text, _) = run(spotdrain(&with));
    assert!(text.contains("with your measurement of an NLB: left 62 s after the deregistration, 6 s after"), "{text}");
    let last_new = |arguments: &[&str]| {
        let (_, diagnosis) = json(spotdrain(&[arguments, &["--json"]].concat()));
        diagnosis["forecasts"][0]["last_new_connection_seconds"].as_u64().unwrap()
    };
    assert!(last_new(&with) < last_new(&template));
    std::fs::remove_file(&file).unwrap();
}
