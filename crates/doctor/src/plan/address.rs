//! Addresses and references: `module.web["a.b"].aws_lb_target_group.this[0].arn`.
//! Source: <https://developer.hashicorp.com/terraform/cli/state/resource-addressing>

/// One step of an address: a name, and the key of `count` or `for_each` after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressStep {
    pub(crate) name: String,
    pub(crate) key: Option<String>,
}

/// Splits an address or a reference into its steps. A second key after a name is left out.
pub(crate) fn steps(text: &str) -> Vec<AddressStep> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (key, behind) = keys(behind);
        if !name.is_empty() {
            steps.push(AddressStep { name: name.to_owned(), key });
        }
        rest = behind.strip_prefix('.').unwrap_or(behind);
    }
    steps
}

/// Returns the first of the keys at the beginning of a text, and the text after all of them.
fn keys(text: &str) -> (Option<String>, &str) {
    let mut first = None;
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let (key, behind) = key(inner);
        first = first.or(Some(key));
        rest = behind;
    }
    (first, rest)
}

/// Returns a key without its quotes, and the text after its bracket.
fn key(inner: &str) -> (String, &str) {
    let Some(quoted) = inner.strip_prefix('"') else {
        let (key, behind) = inner.split_once(']').unwrap_or((inner, ""));
        return (key.to_owned(), behind);
    };
    let mut key = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let behind = quoted.get(at + 1..).unwrap_or_default();
                return (key, behind.strip_prefix(']').unwrap_or(behind));
            }
            '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
            other => key.push(other),
        }
    }
    (key, "")
}

/// A module's address without the keys of its steps: where its configuration is.
pub(crate) fn without_keys(address: &str) -> String {
    let names: Vec<_> = steps(address).into_iter().map(|step| step.name).collect();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_names_and_keys() {
        let table = [
            ("aws_lb.a", vec![("aws_lb", None), ("a", None)]),
            ("aws_lb.a[0].arn", vec![("aws_lb", None), ("a", Some("0")), ("arn", None)]),
            (r#"module.m["x.y]"].out"#, vec![("module", None), ("m", Some("x.y]")), ("out", None)]),
            (r#"module.m["a\"b"]"#, vec![("module", None), ("m", Some("a\"b"))]),
            ("a[0][1].b", vec![("a", Some("0")), ("b", None)]),
            ("a[", vec![("a", Some(""))]),
            ("a[\"", vec![("a", Some(""))]),
            ("..", vec![]),
            ("", vec![]),
        ];
        for (text, expected) in table {
            let steps = steps(text);
            let pairs: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.key.as_deref())).collect();
            assert_eq!(pairs, expected, "{text}");
        }
    }

    #[test]
    fn the_configuration_of_a_module_is_the_same_for_all_its_instances() {
        assert_eq!(without_keys(r#"module.a["x"].module.b[1]"#), "module.a.module.b");
    }
}
