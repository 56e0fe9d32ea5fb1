//! The answers of the query protocol, in XML.

use quick_xml::se;
use serde::Serialize;

use crate::call::action::{Action, Api};
use crate::call::error::ApiError;

/// The APIs with this protocol, their version, and the XML namespace of their answers.
const APIS: [(Api, &str, &str); 4] = [
    (Api::Elb, "2015-12-01", "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"),
    (Api::Iam, "2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/"),
    (Api::Sns, "2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/"),
    (Api::Sts, "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/"),
];

/// The API with this version; each API has another one.
pub(crate) fn api(version: &str) -> Option<Api> {
    APIS.into_iter().find(|(_, known, _)| *known == version).map(|(api, ..)| api)
}

fn namespace(api: Api) -> &'static str {
    APIS.into_iter().find(|(known, ..)| *known == api).map_or("", |(.., namespace)| namespace)
}

/// A list: each value is a `member` element.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Members<T> {
    pub(crate) member: Vec<T>,
}

impl<T> FromIterator<T> for Members<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self { member: values.into_iter().collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorShape<'a> {
    r#type: &'a str,
    code: &'a str,
    message: String,
}

/// The `…Result` element of an answer.
pub(crate) fn result(action: Action, value: &impl Serialize) -> Result<String, ApiError> {
    se::to_string_with_root(&format!("{action}Result"), value).map_err(|_| ApiError::internal(action.api()))
}

/// The answer around a [`result`].
pub(crate) fn success(action: Action, result: &str, request_id: &str) -> String {
    let metadata = format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
    let namespace = namespace(action.api());
    format!(r#"<{action}Response xmlns="{namespace}">{result}{metadata}</{action}Response>"#)
}

pub(crate) fn error(api: Api, error: &ApiError, request_id: &str) -> String {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let shape = ErrorShape { r#type: fault, code: error.code, message: printable(&error.message) };
    let inner = se::to_string_with_root("Error", &shape).unwrap_or_default();
    let namespace = namespace(api);
    format!(r#"<ErrorResponse xmlns="{namespace}">{inner}<RequestId>{request_id}</RequestId></ErrorResponse>"#)
}

/// Replaces characters that XML 1.0 cannot represent: a message may repeat the caller's input.
fn printable(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_escapes_the_callers_input() {
        let xml = error(Api::Elb, &ApiError::bad("ValidationError", "'<a>&\u{0}' is bad"), "7");
        assert_eq!(
            xml,
            "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><Error><Type>Sender</Type>\
             <Code>ValidationError</Code><Message>'&lt;a&gt;&amp;\u{fffd}' is bad</Message></Error>\
             <RequestId>7</RequestId></ErrorResponse>"
        );
    }
}
