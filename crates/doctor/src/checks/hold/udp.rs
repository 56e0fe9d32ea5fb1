//! What happens to the datagrams of a UDP group? UDP has no connections: nobody is refused, and nobody can be waited for.

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::hold_config::HoldConfig;
use crate::model::setting::Unknown;
use crate::model::subject::GroupSubject;

const IDLE: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#connection-idle-timeout";
const DELAY: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#deregistration-delay";
const COUNTERS: &str = "https://docs.kernel.org/networking/snmp_counter.html";

pub(in crate::checks) const UNHELD: Check = Check {
    id: "SD060",
    severity: Severity::Warning,
    title: "a UDP group without the hold",
    explanation: "A Network Load Balancer keeps a UDP flow on its target until the flow has been idle for 120 s, or until the \
                  deregistration delay of the target ends. Datagrams that arrive after the application has ended are lost, and no \
                  client notices: UDP neither refuses nor retransmits. The function deregisters the target, which keeps \
                  new flows away and does not move the open ones; only the hold keeps the application receiving.",
    sources: &[IDLE, DELAY],
    run: CheckScope::Group(unheld),
};

fn unheld(subject: &GroupSubject<'_>) -> CheckResult {
    if !subject.group.carries_udp()? || is_held(subject)? {
        return Ok(None);
    }
    let port = subject.balancer.port.known_or_err()?.map_or("PORT".to_owned(), u16::to_string);
    let words = format!("spotdrain-hold --port {port} -- before the container's command (docs/hold.md)");
    let description = "datagrams of open flows are lost once the application has ended, and no client notices";
    let fix = Fix::new("", words.clone()).in_terraform(words);
    Ok(Some(Problem::new(subject.group.place.clone(), description, Impact::of(Connections::Open), fix)))
}

pub(in crate::checks) const HELD: Check = Check {
    id: "SD061",
    severity: Severity::Note,
    title: "a UDP port that the hold keeps open",
    explanation: "The hold cannot distinguish UDP clients. It counts the datagrams that the task receives with the kernel's \
                  single counter for all UDP ports, so DNS answers and a sidecar's metrics count too. While any arrive, it keeps \
                  the application running, at most until max-hold. A client that pauses for longer than the quiet time (10 s \
                  unless it is set) does not count, and loses its later datagrams. If the hold watches only other ports, it \
                  counts no datagrams and ends when those ports are quiet; this is then a warning.",
    sources: &[COUNTERS, IDLE],
    run: CheckScope::Group(held),
};

fn held(subject: &GroupSubject<'_>) -> CheckResult {
    if !subject.group.carries_udp()? || !is_held(subject)? {
        return Ok(None);
    }
    let port = subject.balancer.port.known_or_err()?.copied();
    let watched = subject.hold()?.map_or(Vec::new(), |hold: HoldConfig| hold.watched);
    Ok(Some(match port.filter(|port| !watched.is_empty() && !watched.contains(port)) {
        Some(port) => not_watched(subject, port, &watched),
        None => watched_as_a_whole(subject, port),
    }))
}

fn not_watched(subject: &GroupSubject<'_>, port: u16, watched: &[u16]) -> Problem {
    let names: Vec<_> = watched.iter().chain([&port]).map(u16::to_string).collect();
    let (others, all) = (names.split_last().map_or(String::new(), |(_, others)| others.join(", ")), names.join(","));
    let description =
        format!("the hold watches port {others} and not UDP port {port}: it does not wait for its datagrams");
    let fix = Fix::new("", format!("{{ Name: SPOTDRAIN_HOLD_PORT, Value: \"{all}\" }}"))
        .in_terraform(format!("{{ name = \"SPOTDRAIN_HOLD_PORT\", value = \"{all}\" }} in the environment"));
    let impact = Impact::of(Connections::Open);
    Problem::new(subject.group.place.clone(), description, impact, fix).with_severity(Severity::Warning)
}

fn watched_as_a_whole(subject: &GroupSubject<'_>, port: Option<u16>) -> Problem {
    let port = port.map_or("its UDP port".to_owned(), |port| format!("UDP port {port}"));
    let description =
        format!("the hold counts datagrams and not clients: {port} is held until max-hold while any arrive");
    let longest = "the longest pause of a client, in seconds, if that is more than 10";
    let fix = Fix::new("", format!("{{ Name: SPOTDRAIN_HOLD_QUIET, Value: \"30\" }}: {longest}"))
        .in_terraform(format!("{{ name = \"SPOTDRAIN_HOLD_QUIET\", value = \"30\" }} in the environment: {longest}"));
    Problem::new(subject.group.place.clone(), description, Impact::NONE, fix)
}

fn is_held(subject: &GroupSubject<'_>) -> Result<bool, Unknown> {
    Ok(subject.hold()?.is_some() || subject.hold_fails_check()?)
}
