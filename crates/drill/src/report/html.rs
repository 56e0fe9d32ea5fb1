//! What all pages of spotdrain share: the frame, the palette and the escaping of values. A page has no scripts and no external
//! resources.

const BASE: &str = include_str!("base.css");

/// Renders a page. `style` is what only this page has; `title` is escaped.
#[must_use]
pub fn document(title: &str, style: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>\n{BASE}{style}</style></head>\n\
         <body><main>\n{main}</main></body>\n</html>\n"
    )
}

/// Escapes a text for an element or a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_leave_its_place() {
        assert_eq!(escape(r#"<b title="x" id='y'>&"#), "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
        assert!(document("<script>", "", "").contains("<title>&lt;script&gt;</title>"));
    }
}
