//! `HAProxy`'s configuration file.
//!
//! Traffic and health checks are separate backends. `tasks` has the traffic and no checks, because the model
//! ([`crate::load_balancer::model`]) decides what a failed check means and the runtime API applies it. `health` has the
//! checks and no traffic. An NLB chooses a target by a hash of the flow, which equals a random choice here. A refused
//! connection is not retried on another task, as with an NLB.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::load_balancer::log_line::FORMAT;

/// The name of the backend with the traffic.
pub(crate) const TASKS: &str = "tasks";
/// The name of the backend with the health checks.
pub(crate) const CHECKS: &str = "health";

/// The addresses of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) traffic: SocketAddr,
    pub(crate) health: SocketAddr,
    /// The target's network namespace, if it has its own.
    pub(crate) namespace: Option<String>,
}

/// Everything in the configuration except the targets.
#[derive(Debug, Clone)]
pub(crate) struct ProxySettings<'a> {
    pub(crate) socket: &'a Path,
    pub(crate) front: SocketAddr,
    pub(crate) log: SocketAddr,
    pub(crate) check_milliseconds: u128,
    pub(crate) check_threshold: u32,
    pub(crate) connections: u32,
    /// The path of the health checks; without one they only connect.
    pub(crate) health_path: Option<&'a str>,
}

pub(crate) fn config(site: &ProxySettings<'_>, backends: &[Backend]) -> String {
    let mut text = general(site);
    text += &format!("backend {TASKS}\n  balance random(1)\n");
    for backend in backends {
        text += &server(backend, backend.traffic);
    }
    let (milliseconds, threshold) = (site.check_milliseconds, site.check_threshold);
    let path = |path| format!("  option httpchk GET {path}\n  http-check expect status 200-399\n");
    let request = site.health_path.map(path).unwrap_or_default();
    text +=
        &format!("backend {CHECKS}\n{request}  default-server check inter {milliseconds}ms fall {threshold} rise 2\n");
    for backend in backends {
        text += &server(backend, backend.health);
    }
    text
}

fn general(site: &ProxySettings<'_>) -> String {
    let ProxySettings { front, log, connections, .. } = site;
    let socket = site.socket.display();
    format!(
        "global\n  maxconn {connections}\n  nbthread 1\n  stats socket {socket} mode 600 level admin\n  \
         log {log} format raw local0\n\
         defaults\n  mode tcp\n  retries 0\n  no option redispatch\n  timeout connect 2s\n  timeout client 15m\n  \
         timeout server 15m\n  timeout check 1s\n\
         frontend drill\n  bind {front}\n  log global\n  log-format \"{FORMAT}\"\n  default_backend {TASKS}\n"
    )
}

fn server(backend: &Backend, address: SocketAddr) -> String {
    let mut line = format!("  server {} {address}", backend.name);
    if let Some(namespace) = &backend.namespace {
        // Writing to a string does not fail.
        write!(line, " namespace {namespace}").ok();
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(name: &str, namespace: Option<&str>) -> Backend {
        Backend {
            name: name.to_owned(),
            traffic: "127.0.1.1:5044".parse().unwrap(),
            health: "127.0.1.1:8081".parse().unwrap(),
            namespace: namespace.map(str::to_owned),
        }
    }

    fn text(backends: &[Backend]) -> String {
        let site = ProxySettings {
            socket: Path::new("/run/drill/admin"),
            front: "127.0.0.1:9000".parse().unwrap(),
            log: "127.0.0.1:9001".parse().unwrap(),
            check_milliseconds: 1000,
            check_threshold: 3,
            connections: 1000,
            health_path: Some("/health"),
        };
        config(&site, backends)
    }

    #[test]
    fn traffic_and_checks_have_separate_backends() {
        let text = text(&[backend("task-1", Some("task-1")), backend("task-2", None)]);
        let (_, backends) = text.split_once("  default_backend tasks\nbackend tasks\n").unwrap();
        assert_eq!(
            backends,
            "  balance random(1)\n  \
             server task-1 127.0.1.1:5044 namespace task-1\n  \
             server task-2 127.0.1.1:5044\n\
             backend health\n  option httpchk GET /health\n  http-check expect status 200-399\n  \
             default-server check inter 1000ms fall 3 rise 2\n  \
             server task-1 127.0.1.1:8081 namespace task-1\n  \
             server task-2 127.0.1.1:8081\n"
        );
    }

    #[test]
    fn a_refused_connection_is_not_retried_elsewhere() {
        let text = text(&[]);
        for line in [
            "  maxconn 1000\n",
            "  retries 0\n",
            "  no option redispatch\n",
            "  bind 127.0.0.1:9000\n",
            "  default_backend tasks\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
