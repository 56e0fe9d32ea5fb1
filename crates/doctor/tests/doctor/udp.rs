//! Groups with UDP: what the hold does for them, and what is lost without it.

use spotdrain_doctor::check::Severity;

use crate::faults::{EXAMPLE, diagnosis};

const GROUP: &str = "      Protocol: TCP\n      Port: 5044\n      Health";
const CONTAINER: &str = "        - Name: logstash\n";

/// The findings of the example with this protocol and these words of the hold: check, severity and problem.
fn found(protocol: &str, hold: &str) -> Vec<(&'static str, Severity, String)> {
    let group = GROUP.replace("Protocol: TCP\n", &format!("Protocol: {protocol}\n"));
    let with_words = format!("{CONTAINER}          EntryPoint: [{hold}]\n");
    let diagnosis =
        diagnosis(EXAMPLE, &[(GROUP, &group), (CONTAINER, if hold.is_empty() { CONTAINER } else { &with_words })]);
    let findings = diagnosis.unwrap().findings.into_iter();
    let udp = findings.filter(|finding| ["SD013", "SD060", "SD061"].contains(&finding.check.id));
    udp.map(|finding| (finding.check.id, finding.severity(), finding.problem.description)).collect()
}

fn ids(protocol: &str, hold: &str) -> Vec<&'static str> {
    found(protocol, hold).into_iter().map(|(id, ..)| id).collect()
}

#[test]
fn only_groups_with_udp_are_examined() {
    for protocol in ["TCP", "TLS", "HTTP"] {
        assert!(ids(protocol, "").is_empty() && ids(protocol, "spotdrain-hold").is_empty(), "{protocol}");
    }
}

#[test]
fn without_the_hold_datagrams_are_lost() {
    assert_eq!(ids("UDP", ""), ["SD060"]);
}

/// AWS sets `deregistration_delay.connection_termination.enabled` in new groups with UDP: the example does not name it.
#[test]
fn a_new_group_with_tcp_and_udp_also_cuts_connections_after_the_delay() {
    assert_eq!(ids("TCP_UDP", ""), ["SD013", "SD060"]);
}

#[test]
fn the_hold_that_watches_the_port_is_a_note() {
    let words = ["", ", --port, \"53,5044\"", ", --port=5044", ", --check, \"tcp://127.0.0.1:5044\""];
    for words in words.map(|words| format!("spotdrain-hold{words}")) {
        let problem =
            "the hold counts datagrams and not clients: UDP port 5044 is held until max-hold while any arrive";
        assert_eq!(found("UDP", &words), [("SD061", Severity::Note, problem.to_owned())], "{words}");
    }
}

#[test]
fn a_hold_that_does_not_watch_the_port_is_a_warning() {
    let problem = "the hold watches port 80, 81 and not UDP port 5044: it does not wait for its datagrams";
    let found = found("UDP", "spotdrain-hold, --port, \"80,81\"");
    assert_eq!(found, [("SD061", Severity::Warning, problem.to_owned())]);
}
