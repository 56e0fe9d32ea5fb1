//! What a template's values come to, and how the doctor's facts are read from them.

use crate::model::setting::Fact;
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
    /// Nothing: null, or `AWS::NoValue`.
    Nothing,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// It is known only after a deployment, and why.
    Unknown(String),
}

impl Value {
    pub(crate) fn text_of(line: usize, text: impl Into<String>) -> Self {
        Self { line, data: Data::Text(text.into()) }
    }

    pub(crate) fn unknown(line: usize, why: impl Into<String>) -> Self {
        Self { line, data: Data::Unknown(why.into()) }
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Fact<&Self> {
        match &self.data {
            Data::Map(entries) => match entries.iter().find(|(name, _)| name == key).map(|(_, value)| value) {
                None | Some(Self { data: Data::Nothing, .. }) => Fact::Absent,
                Some(Self { data: Data::Unknown(why), .. }) => Fact::NotKnown(format!("{key}: {why}")),
                Some(value) => Fact::Known(value),
            },
            Data::Unknown(why) => Fact::NotKnown(why.clone()),
            _ => Fact::Absent,
        }
    }

    /// The value at the end of a path of keys.
    pub(crate) fn path(&self, path: &[&str]) -> Fact<&Self> {
        path.iter().fold(Fact::Known(self), |value, key| value.and_then(|value| value.get(key)))
    }

    /// The text under a key. A number and a truth value are texts too.
    pub(crate) fn text(&self, key: &str) -> Fact<String> {
        self.get(key).and_then(Self::as_text)
    }

    pub(crate) fn as_text(&self) -> Fact<String> {
        match &self.data {
            Data::Text(text) => Fact::Known(text.clone()),
            Data::Number(number) => Fact::Known(number.to_string()),
            Data::Bool(value) => Fact::Known(value.to_string()),
            Data::Nothing => Fact::Absent,
            Data::Unknown(why) => Fact::NotKnown(why.clone()),
            Data::List(_) | Data::Map(_) => Fact::NotKnown(format!("line {}: expected a text", self.line)),
        }
    }

    /// The number under a key, written as a number or as a text.
    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Fact<T> {
        let line = self.line;
        self.text(key).and_then(|text| {
            let wrong = || Fact::NotKnown(format!("{key} near line {line}: {text:?} is no number that fits"));
            text.parse().map_or_else(|_| wrong(), Fact::Known)
        })
    }

    /// The items under a key. One value that is no list stands for a list of one, as in policies.
    pub(crate) fn items(&self, key: &str) -> Fact<Vec<&Self>> {
        self.get(key).map(Self::as_items)
    }

    pub(crate) fn as_items(&self) -> Vec<&Self> {
        match &self.data {
            Data::List(items) => items.iter().filter(|item| item.data != Data::Nothing).collect(),
            Data::Nothing => Vec::new(),
            _ => vec![self],
        }
    }

    /// The texts under a key; not known where one of them is not.
    pub(crate) fn texts(&self, key: &str) -> Fact<Vec<String>> {
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

    /// The value of a JSON that is in no file.
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
    pub(crate) fn json(&self) -> Fact<serde_json::Value> {
        match &self.data {
            Data::Nothing => Fact::Known(serde_json::Value::Null),
            Data::Bool(value) => Fact::Known((*value).into()),
            Data::Number(number) => Fact::Known(number.clone().into()),
            Data::Text(text) => Fact::Known(text.as_str().into()),
            Data::List(items) => all(items.iter().map(Self::json)).map(Into::into),
            Data::Map(entries) => {
                let entry = |(key, value): &(String, Self)| value.json().map(|value| (key.clone(), value));
                all(entries.iter().map(entry)).map(|entries| serde_json::Value::Object(entries.into_iter().collect()))
            }
            Data::Unknown(why) => Fact::NotKnown(why.clone()),
        }
    }
}

/// All of them, or the first that is not known; what is absent is left out.
pub(crate) fn all<T>(facts: impl Iterator<Item = Fact<T>>) -> Fact<Vec<T>> {
    let mut values = Vec::new();
    for fact in facts {
        match fact {
            Fact::Known(value) => values.push(value),
            Fact::Absent => {}
            Fact::NotKnown(why) => return Fact::NotKnown(why),
        }
    }
    Fact::Known(values)
}
