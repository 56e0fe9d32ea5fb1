//! A signal: its number on Linux, its name, and whether it is passed on.

use std::fmt;

/// A signal number of Linux on x86 and Arm. Source: `signal(7)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(i32);

const NAMES: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// The first real-time signal that the C library does not use itself; container engines count `SIGRTMIN` from here.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;
/// The first one that can be caught: musl keeps 34 for itself.
/// Source: <https://git.musl-libc.org/cgit/musl/tree/src/internal/pthread_impl.h> (`SIGSYNCCALL`)
const FIRST_CAUGHT: i32 = if cfg!(target_env = "musl") { RTMIN + 1 } else { RTMIN };

/// KILL and STOP cannot be caught. ILL, TRAP, BUS, FPE and SEGV report the hold's own faults, PIPE its own writes, CHLD its
/// own children, and TTIN and TTOU its own use of the terminal.
const NOT_PASSED_ON: [&str; 11] = ["ILL", "TRAP", "BUS", "FPE", "KILL", "SEGV", "PIPE", "CHLD", "STOP", "TTIN", "TTOU"];

impl Signal {
    /// `SIGTERM`
    pub const TERM: Self = Self(15);
    /// `SIGCHLD`
    pub const CHLD: Self = Self(17);
    /// `SIGTSTP`
    pub const TSTP: Self = Self(20);

    /// The signal with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        let exists = NAMES.iter().any(|(_, known)| *known == number) || (RTMIN..=RTMAX).contains(&number);
        exists.then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }

    /// Whether it is passed on to the application.
    #[must_use]
    pub fn is_passed_on(self) -> bool {
        let is_reserved = (RTMIN..FIRST_CAUGHT).contains(&self.0);
        !is_reserved && NAMES.iter().all(|(name, number)| *number != self.0 || !NOT_PASSED_ON.contains(name))
    }

    /// All signals that are passed on.
    pub fn all_passed_on() -> impl Iterator<Item = Self> {
        (1..=RTMAX).filter_map(Self::from_number).filter(|signal| signal.is_passed_on())
    }

    /// Parses `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`, the forms that `STOPSIGNAL` accepts.
    /// Source: <https://docs.docker.com/reference/dockerfile/#stopsignal>
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let number = name.parse().ok().or_else(|| named(name)).or_else(|| real_time(name));
        let signal = number.and_then(Self::from_number);
        let signal = signal.ok_or_else(|| format!("expected a signal such as SIGTERM or 15, found {text:?}"))?;
        if signal.is_passed_on() { Ok(signal) } else { Err(format!("{signal} cannot be held back and passed on")) }
    }
}

fn named(name: &str) -> Option<i32> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

fn real_time(name: &str) -> Option<i32> {
    let up = || name.strip_prefix("RTMIN+").and_then(|count| RTMIN.checked_add(count.parse().ok()?));
    let down = || name.strip_prefix("RTMAX-").and_then(|count| RTMAX.checked_sub(count.parse().ok()?));
    let bare = || [("RTMIN", RTMIN), ("RTMAX", RTMAX)].into_iter().find(|(known, _)| *known == name);
    bare().map(|(_, number)| number).or_else(up).or_else(down).filter(|number| (RTMIN..=RTMAX).contains(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
        }
    }
}

impl serde::Serialize for Signal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_stopsignal_is_parsed() {
        for (text, number) in [
            ("SIGTERM", 15),
            ("TERM", 15),
            ("15", 15),
            ("SIGRTMIN+3", 37),
            ("RTMIN+1", 35),
            ("RTMAX-1", 63),
            ("64", 64),
        ] {
            assert_eq!(Signal::parse(text).unwrap().number(), number, "{text}");
        }
    }

    #[test]
    fn invalid_signals_are_rejected() {
        for text in ["", "SIG", "0", "-1", "32", "65", "SIGRTMIN+31", "RTMAX-31", "RTMIN+-1", "term", "SIGSIGTERM"] {
            assert!(Signal::parse(text).unwrap_err().starts_with("expected a signal"), "{text}");
        }
    }

    #[test]
    fn signals_that_cannot_be_held_back_are_rejected() {
        for text in ["KILL", "SIGSTOP", "SEGV", "CHLD", "PIPE"] {
            assert!(Signal::parse(text).unwrap_err().ends_with("cannot be held back and passed on"), "{text}");
        }
    }

    #[test]
    fn every_name_parses_back_to_its_signal() {
        for signal in Signal::all_passed_on() {
            assert_eq!(Signal::parse(&signal.to_string()), Ok(signal));
        }
    }

    #[test]
    fn twenty_plain_signals_and_all_real_time_signals_are_passed_on() {
        let real_time = usize::try_from(RTMAX - FIRST_CAUGHT + 1).unwrap();
        assert_eq!(Signal::all_passed_on().count(), 20 + real_time);
    }
}
