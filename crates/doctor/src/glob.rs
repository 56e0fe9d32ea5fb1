//! Texts with wildcards: those of EventBridge patterns and of IAM policies.

/// Returns whether a text matches a pattern in which `*` matches any characters, also none, and `\` makes the next one a
/// literal.
#[must_use]
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = vec![String::new()];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let literal = if character == '\\' { characters.next() } else { Some(character) };
        match (character, literal, pieces.last_mut()) {
            ('*', ..) => pieces.push(String::new()),
            (_, Some(literal), Some(piece)) => piece.push(literal),
            _ => {}
        }
    }
    fit(&pieces, text)
}

/// Whether the pieces occur in the text in their order, the first at its beginning and the last at its end.
fn fit(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|only| only == text);
    };
    let rest = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
    rest.is_some_and(|rest| middle.iter().try_fold(rest, |rest, piece| after(rest, piece)).is_some())
}

fn after<'a>(text: &'a str, piece: &str) -> Option<&'a str> {
    text.split_once(piece).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_stands_for_anything() {
        let table = [
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "ab", true),
            ("a*b", "ab", true),
            ("a*b", "a", false),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("", "", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
