//! Recognises an experiment's target by the name that a server gives in its answers.

use spotdrain_core::model::arn::last_segment;

use super::target::ProbeTarget;

/// Whether a server's name contains the target's address, also as in `ip-10-0-2-21`, or the task's id.
pub(super) fn is_name_of(name: &str, target: &ProbeTarget) -> bool {
    let address = target.target.id().unwrap_or_default();
    let id = last_segment(&target.task);
    is_named(name, address, id)
}

fn is_named(name: &str, address: &str, id: &str) -> bool {
    let host = format!("ip-{}", address.replace('.', "-"));
    // An address contains dots or colons, so that only the other two are looked for in the parts between them.
    let words = name.split([' ', ',', ';', '/', '=']);
    words.flat_map(|word| [Some(word), word.rsplit_once(':').map(|(before_port, _)| before_port)]).flatten().any(
        |word| {
            word == address && !word.is_empty()
                || word.split(['.', ':']).any(|part| part == host || part == id && !id.is_empty())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_recognised_by_its_address_its_host_name_or_its_task() {
        let id = "0123456789abcdef0123456789abcdef";
        let is = |name: &str| is_named(name, "10.0.2.21", id);
        for name in [
            "10.0.2.21",
            "10.0.2.21:80",
            "web 10.0.2.21",
            "ip-10-0-2-21.eu-central-1.compute.internal",
            id,
            "demo/0123456789abcdef0123456789abcdef",
        ] {
            assert!(is(name), "{name}");
        }
        for name in ["", "10.0.2.2", "10.0.2.211", "110.0.2.21", "ip-10-0-2-211", "web"] {
            assert!(!is(name), "{name}");
        }
        assert!(!is_named("", "", ""));
    }
}
