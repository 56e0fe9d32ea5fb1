//! Parameter files, in the formats of AWS's tools.
//! Sources: <https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/>,
//! <https://docs.aws.amazon.com/cli/latest/reference/cloudformation/create-stack.html>

use serde_json::Value;

/// Reads a parameter file: `{"Parameters": {…}}`, a plain object, CloudFormation's list, or a list of `Name=Value`.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let parameters = match &json {
        Value::Object(fields) => fields.get("Parameters").unwrap_or(&json),
        _ => &json,
    };
    match parameters {
        Value::Object(fields) => fields.iter().map(|(name, value)| Ok((name.clone(), text_of(name, value)?))).collect(),
        Value::Array(items) => items.iter().map(item).collect(),
        _ => Err(expected("the file")),
    }
}

fn item(item: &Value) -> Result<(String, String), String> {
    if let Some((name, value)) = item.as_str().and_then(|text| text.split_once('=')) {
        return Ok((name.to_owned(), value.to_owned()));
    }
    let name = item.get("ParameterKey").and_then(Value::as_str).ok_or_else(|| expected(&item.to_string()))?;
    if item.get("UsePreviousValue") == Some(&Value::Bool(true)) {
        return Err(format!("{name} uses its previous value, which only the stack knows: pass it with --parameter"));
    }
    Ok((name.to_owned(), text_of(name, item.get("ParameterValue").unwrap_or(&Value::Null))?))
}

fn text_of(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(format!("{name}: expected a text, found {other}")),
    }
}

fn expected(found: &str) -> String {
    format!(
        "expected {{\"Parameters\": {{\"Name\": \"Value\"}}}} or [{{\"ParameterKey\": \"Name\", \"ParameterValue\": \"Value\"}}], \
         found {found}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_of_a_parameter_file_is_read() {
        let expected = Ok(vec![("Count".to_owned(), "2".to_owned()), ("Mode".to_owned(), "observe".to_owned())]);
        for text in [
            r#"{"Parameters": {"Count": 2, "Mode": "observe"}, "Tags": {"team": "a"}}"#,
            r#"{"Count": 2, "Mode": "observe"}"#,
            r#"[{"ParameterKey": "Count", "ParameterValue": "2"}, {"ParameterKey": "Mode", "ParameterValue": "observe"}]"#,
            r#"["Count=2", "Mode=observe"]"#,
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn an_invalid_parameter_file_is_rejected_with_the_expected_format() {
        let table = [
            ("Mode: observe", "is not JSON"),
            ("7", "expected {\"Parameters\""),
            ("[7]", "found 7"),
            (r#"{"A": [1]}"#, "A: expected a text, found [1]"),
            (r#"[{"ParameterKey": "A", "UsePreviousValue": true}]"#, "A uses its previous value"),
        ];
        for (text, expected) in table {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
