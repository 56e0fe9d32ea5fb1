//! What does the form body of a query-protocol request say?
//!
//! Lists come as `Names.member.1`, lists of structures as `Targets.member.1.Id` (the AWS query protocol of Smithy). Keys that
//! nobody asks for are passed over, as AWS does.

use std::collections::BTreeMap;

use crate::call::action::Api;
use crate::call::error::ApiError;
use crate::model::elb::target::Target;

/// The fields of a form; of two of the same name the last counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(body).into_owned().collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| invalid(format!("'{name}' is missing")))
    }

    /// The values of a list, in order of their numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}.member.");
        let member = |(key, value): (&String, &String)| Some((number(key.strip_prefix(&prefix)?)?, value.clone()));
        self.fields.iter().filter_map(member).collect::<BTreeMap<u32, String>>().into_values().collect()
    }

    /// The list of targets, in order of their numbers.
    pub(crate) fn targets(&self) -> Result<Vec<Target>, ApiError> {
        let mut members: BTreeMap<u32, BTreeMap<&str, &str>> = BTreeMap::new();
        for (key, value) in &self.fields {
            let parts = key.strip_prefix("Targets.member.").and_then(|rest| rest.split_once('.'));
            if let Some((index, field)) = parts.and_then(|(index, field)| Some((number(index)?, field))) {
                members.entry(index).or_default().insert(field, value);
            }
        }
        members.into_iter().map(|(index, fields)| target(index, &fields)).collect()
    }
}

fn target(index: u32, fields: &BTreeMap<&str, &str>) -> Result<Target, ApiError> {
    let id = fields.get("Id").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| invalid(format!("'Targets.member.{index}.Id' is missing")))?;
    let port = fields.get("Port").map(|port| port_of(index, port)).transpose()?;
    Ok(Target { id: (*id).to_owned(), port, zone: fields.get("AvailabilityZone").map(|&zone| zone.to_owned()) })
}

fn port_of(index: u32, port: &str) -> Result<u16, ApiError> {
    let wrong = || invalid(format!("'Targets.member.{index}.Port' must be a number from 1 to 65535, not '{port}'"));
    port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn invalid(message: String) -> ApiError {
    ApiError::invalid(Api::Elb, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let form = Form::parse(b"Names.member.10=c&Names.member.2=b&Names.member.1=a&Names.member.x=d&Names=");
        assert_eq!(form.list("Names"), ["a", "b", "c"]);
    }

    #[test]
    fn targets_have_an_id_and_perhaps_a_port() {
        let form =
            Form::parse(b"Targets.member.1.Id=10.0.0.1&Targets.member.2.Id=fd00%3A%3A1&Targets.member.2.Port=80");
        assert_eq!(form.targets().unwrap(), ["10.0.0.1".into(), ("fd00::1", 80).into()]);
    }

    #[test]
    fn the_error_names_what_is_wrong() {
        let table: [(&[u8], &str); 4] = [
            (b"Targets.member.3.Port=80", "'Targets.member.3.Id' is missing"),
            (b"Targets.member.1.Id=", "'Targets.member.1.Id' is missing"),
            (b"Targets.member.1.Id=a&Targets.member.1.Port=0", "from 1 to 65535, not '0'"),
            (b"Targets.member.1.Id=a&Targets.member.1.Port=x", "from 1 to 65535, not 'x'"),
        ];
        for (body, text) in table {
            let error = Form::parse(body).targets().unwrap_err();
            assert_eq!(error.code, "ValidationError");
            assert!(error.message.contains(text), "{}", error.message);
        }
    }
}
