//! A health check's target: `tcp://ADDRESS:PORT` or `http://ADDRESS:PORT/PATH`.
//!
//! Only addresses: a static binary has no reliable resolver, and the application is in the same network namespace.

use std::net::SocketAddr;

/// A check of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplicationCheck {
    /// Succeeds when the application accepts a connection.
    Tcp(SocketAddr),
    /// Sends a GET for this path.
    Http(SocketAddr, String),
}

impl ApplicationCheck {
    /// The address to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Tcp(address) | Self::Http(address, _) => *address,
        }
    }

    /// Parses a check's URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(place) = text.strip_prefix("tcp://") {
            return Ok(Self::Tcp(address(place.strip_suffix('/').unwrap_or(place))?));
        }
        let Some(rest) = text.strip_prefix("http://") else {
            return Err(format!("expected tcp://ADDRESS:PORT or http://ADDRESS:PORT/PATH, found {text:?}"));
        };
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Ok(Self::Http(http_address(place)?, http_path(path)?))
    }
}

fn http_address(place: &str) -> Result<SocketAddr, String> {
    address(place).or_else(|problem| address(&format!("{place}:80")).map_err(|_| problem))
}

fn http_path(path: &str) -> Result<String, String> {
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("expected a path of printable ASCII without spaces, found {path:?}"));
    }
    Ok(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

/// Parses `ADDRESS:PORT`. Names are rejected.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let invalid = || {
        format!("expected ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080 (names are not looked up), found {text:?}")
    };
    let address: SocketAddr = text.parse().map_err(|_| invalid())?;
    if address.port() == 0 { Err(format!("expected a port from 1 to 65535, found {text:?}")) } else { Ok(address) }
}

impl std::fmt::Display for ApplicationCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Http(address, path) => write!(f, "http://{address}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_parses_and_displays_unchanged() {
        for text in
            ["tcp://127.0.0.1:5044", "tcp://[::1]:5044", "http://127.0.0.1:80/", "http://[::1]:8080/health?deep=1"]
        {
            assert_eq!(ApplicationCheck::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_http_check_has_default_port_and_path() {
        assert_eq!(ApplicationCheck::parse("http://127.0.0.1").unwrap().to_string(), "http://127.0.0.1:80/");
    }

    #[test]
    fn names_are_rejected() {
        for text in ["tcp://localhost:5044", "http://app/health", "tcp://:5044", "tcp://127.0.0.1"] {
            assert!(ApplicationCheck::parse(text).unwrap_err().contains("names are not looked up"), "{text}");
        }
    }

    #[test]
    fn invalid_checks_are_rejected() {
        for text in
            ["", "127.0.0.1:5044", "https://127.0.0.1/", "tcp://127.0.0.1:0", "http://127.0.0.1/a b", "TCP://1.1.1.1:1"]
        {
            assert!(ApplicationCheck::parse(text).is_err(), "{text}");
        }
    }
}
