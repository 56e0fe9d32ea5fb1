//! The values of a template after evaluation, and how settings are read from them.

use crate::model::setting::Setting;
use serde_json::Number;

/// A value after its intrinsic functions, and the line where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) line: usize,
    pub(crate) data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    /// Null, or `AWS::NoValue`.
    Nothing,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// Not known before the deployment.
    Unknown(UnknownReason),
}

/// Why a value is unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UnknownReason {
    /// The reason, and what to do about it.
    pub(crate) why: String,
    /// The parameter, if the value is that of one parameter. Two values of the same parameter are equal.
    pub(crate) parameter: Option<String>,
    /// A text whose unknown parts are replaced by `*`.
    pub(crate) pattern: Option<String>,
}

impl Data {
    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(UnknownReason { why: why.into(), parameter: None, pattern: None })
    }

    pub(crate) fn parameter(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unknown(UnknownReason { why: why.into(), parameter: Some(name.into()), pattern: None })
    }
}

impl Value {
    pub(crate) fn text_of(line: usize, text: impl Into<String>) -> Self {
        Self { line, data: Data::Text(text.into()) }
    }

    pub(crate) fn unknown(line: usize, why: impl Into<String>) -> Self {
        Self { line, data: Data::unknown(why) }
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Setting<&Self> {
        match &self.data {
            Data::Map(entries) => match entries.iter().find(|(name, _)| name == key).map(|(_, value)| value) {
                None if entries.iter().any(|(name, _)| name.starts_with("Fn::")) => {
                    Setting::Unknown(format!("{key}: a macro or a loop beside it may set it"))
                }
                None | Some(Self { data: Data::Nothing, .. }) => Setting::Default,
                // The reason in a plan names the attribute itself.
                Some(Self { data: Data::Unknown(reason), line: 0 }) => Setting::Unknown(reason.why.clone()),
                Some(Self { data: Data::Unknown(reason), .. }) => Setting::Unknown(format!("{key}: {}", reason.why)),
                Some(value) => Setting::Set(value),
            },
            Data::Unknown(reason) => Setting::Unknown(reason.why.clone()),
            _ => Setting::Default,
        }
    }

    /// The value at the end of a path of keys.
    pub(crate) fn path(&self, path: &[&str]) -> Setting<&Self> {
        path.iter().fold(Setting::Set(self), |value, key| value.and_then(|value| value.get(key)))
    }

    /// The text under a key. A number and a truth value are texts too.
    pub(crate) fn text(&self, key: &str) -> Setting<String> {
        self.get(key).and_then(Self::as_text)
    }

    pub(crate) fn as_text(&self) -> Setting<String> {
        match &self.data {
            Data::Text(text) => Setting::Set(text.clone()),
            Data::Number(number) => Setting::Set(number.to_string()),
            Data::Bool(value) => Setting::Set(value.to_string()),
            Data::Nothing => Setting::Default,
            Data::Unknown(reason) => Setting::Unknown(reason.why.clone()),
            Data::List(_) | Data::Map(_) => {
                Setting::Unknown(format!("line {}: expected a text, found a list or a map", self.line))
            }
        }
    }

    /// The text under a key that only names something. An unknown parameter becomes `${Parameter}`.
    pub(crate) fn name(&self, key: &str) -> Setting<String> {
        let Data::Map(entries) = &self.data else { return self.text(key) };
        match entries.iter().find(|(name, _)| name == key).map(|(_, value)| &value.data) {
            Some(Data::Unknown(UnknownReason { parameter: Some(parameter), .. })) => {
                Setting::Set(format!("${{{parameter}}}"))
            }
            _ => self.text(key),
        }
    }

    /// The text under a key, with its unknown parts replaced by `*`.
    pub(crate) fn pattern(&self, key: &str) -> Option<String> {
        let Data::Map(entries) = &self.data else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_pattern())
    }

    pub(crate) fn as_pattern(&self) -> String {
        match &self.data {
            Data::Unknown(reason) => reason.pattern.clone().unwrap_or_else(|| "*".to_owned()),
            _ => self.as_text().known().cloned().unwrap_or_default(),
        }
    }

    /// Whether two values are the same, wherever they are written.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.data, &other.data) {
            (Data::List(own), Data::List(others)) => {
                own.len() == others.len() && own.iter().zip(others).all(|(one, other)| one.is_same(other))
            }
            (Data::Map(own), Data::Map(others)) => {
                let same =
                    |((key, one), (name, other)): (&(String, Self), &(String, Self))| key == name && one.is_same(other);
                own.len() == others.len() && own.iter().zip(others).all(same)
            }
            (Data::Unknown(_), _) => false,
            (own, other) => own == other,
        }
    }

    /// The number under a key, written as a number or as a text.
    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Setting<T> {
        self.get(key).and_then(Self::as_number)
    }

    pub(crate) fn as_number<T: std::str::FromStr>(&self) -> Setting<T> {
        let line = self.line;
        self.as_text().and_then(|text| {
            // A whole number may be written as 2.0.
            let whole = text.strip_suffix(".0").unwrap_or(&text);
            let wrong = || Setting::Unknown(format!("line {line}: {text:?} is not a number in range"));
            whole.parse().map_or_else(|_| wrong(), Setting::Set)
        })
    }

    /// Returns the items under a key. A value that is not a list counts as a list of one, as in policies.
    pub(crate) fn items(&self, key: &str) -> Setting<Vec<&Self>> {
        self.get(key).map(Self::as_items)
    }

    pub(crate) fn as_items(&self) -> Vec<&Self> {
        match &self.data {
            Data::List(items) => items.iter().filter(|item| item.data != Data::Nothing).collect(),
            Data::Nothing => Vec::new(),
            _ => vec![self],
        }
    }

    /// The texts under a key; unknown if one of them is unknown.
    pub(crate) fn texts(&self, key: &str) -> Setting<Vec<String>> {
        self.items(key).and_then(|items| all(items.into_iter().map(Self::as_text)))
    }

    /// The texts of a list, if it is one and all of them are known.
    pub(crate) fn texts_of_list(&self) -> Option<Vec<String>> {
        let Data::List(items) = &self.data else { return None };
        items.iter().map(|item| item.as_text().known().cloned()).collect()
    }

    /// The entries of a map.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of JSON that is not in a file.
    pub(crate) fn of_json(json: serde_json::Value) -> Self {
        let data = match json {
            serde_json::Value::Null => Data::Nothing,
            serde_json::Value::Bool(value) => Data::Bool(value),
            serde_json::Value::Number(number) => Data::Number(number),
            serde_json::Value::String(text) => Data::Text(text),
            serde_json::Value::Array(items) => Data::List(items.into_iter().map(Self::of_json).collect()),
            serde_json::Value::Object(entries) => {
                Data::Map(entries.into_iter().map(|(key, value)| (key, Self::of_json(value))).collect())
            }
        };
        Self { line: 0, data }
    }

    /// The value as JSON, as EventBridge would get it.
    pub(crate) fn json(&self) -> Setting<serde_json::Value> {
        match &self.data {
            Data::Nothing => Setting::Set(serde_json::Value::Null),
            Data::Bool(value) => Setting::Set((*value).into()),
            Data::Number(number) => Setting::Set(number.clone().into()),
            Data::Text(text) => Setting::Set(text.as_str().into()),
            Data::List(items) => all(items.iter().map(Self::json)).map(Into::into),
            Data::Map(entries) => {
                let entry = |(key, value): &(String, Self)| value.json().map(|value| (key.clone(), value));
                all(entries.iter().map(entry)).map(|entries| serde_json::Value::Object(entries.into_iter().collect()))
            }
            Data::Unknown(reason) => Setting::Unknown(reason.why.clone()),
        }
    }
}

/// Returns all of them, or the first unknown one. Absent values are left out.
pub(crate) fn all<T>(facts: impl Iterator<Item = Setting<T>>) -> Setting<Vec<T>> {
    let mut values = Vec::new();
    for fact in facts {
        match fact {
            Setting::Set(value) => values.push(value),
            Setting::Default => {}
            Setting::Unknown(why) => return Setting::Unknown(why),
        }
    }
    Setting::Set(values)
}
