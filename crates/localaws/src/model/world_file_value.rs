//! How is a value of a world file read, so that an error says where it is and what was expected?

use serde_json::{Map, Value};

/// Why a world file cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldFileError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A value is not what the file format expects.
    #[error("{path}: {problem}")]
    Value {
        /// Where the value is, as `groups["arn:..."].targets[0].port`; `the file` for the whole of it.
        path: String,
        /// What was expected, and what is there.
        problem: String,
    },
}

type Read<T> = Result<T, WorldFileError>;

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    path: String,
    value: &'a Value,
}

/// An object that may have only these fields.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Field<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { path: String::new(), value }
    }

    /// The error that something else was expected here.
    pub(crate) fn expected(&self, what: &str) -> WorldFileError {
        self.wrong(format!("expected {what}, found {}", shown(self.value)))
    }

    pub(crate) fn wrong(&self, problem: String) -> WorldFileError {
        wrong(&self.path, problem)
    }

    pub(crate) fn text(&self) -> Read<&'a str> {
        self.value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| self.expected("text"))
    }

    /// A value in text form, or the error that its parser returns.
    pub(crate) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Read<T> {
        parse(self.text()?).map_err(|problem| self.wrong(problem))
    }

    pub(crate) fn flag(&self) -> Read<bool> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    pub(crate) fn port(&self) -> Read<u16> {
        let port = self.value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        port.ok_or_else(|| self.expected("a port from 1 to 65535"))
    }

    pub(crate) fn seconds(&self) -> Read<u64> {
        self.value.as_u64().ok_or_else(|| self.expected("a number of seconds"))
    }

    pub(crate) fn list(&self) -> Read<Vec<Self>> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let item = |(index, value)| Self { path: format!("{}[{index}]", self.path), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The entries of an object whose keys are names.
    pub(crate) fn entries(&self) -> Read<Vec<(&'a str, Self)>> {
        let fields = self.object()?;
        let entry = |(key, value): (&'a String, _)| (key.as_str(), Self { path: below(&self.path, key), value });
        Ok(fields.iter().map(entry).collect())
    }

    /// An object of ECS, whose fields are not checked.
    pub(crate) fn any_object(&self) -> Read<Value> {
        self.object().map(|_| self.value.clone())
    }

    /// An object with no other fields than these.
    pub(crate) fn record(&self, known: &[&str]) -> Read<Record<'a>> {
        let fields = self.object()?;
        if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(self.wrong(format!("unknown field `{unknown}`; known fields: {}", known.join(", "))));
        }
        Ok(Record { path: self.path.clone(), fields })
    }

    /// A field of an object whose other fields are not checked.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        self.value.get(name).map(|value| Self { path: below(&self.path, name), value })
    }

    fn object(&self) -> Read<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }
}

impl<'a> Record<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.fields.get(name).map(|value| Field { path: below(&self.path, name), value })
    }

    pub(crate) fn required(&self, name: &str) -> Read<Field<'a>> {
        self.get(name).ok_or_else(|| wrong(&self.path, format!("the field `{name}` is missing")))
    }
}

fn wrong(path: &str, problem: String) -> WorldFileError {
    let path = if path.is_empty() { "the file" } else { path };
    WorldFileError::Value { path: path.to_owned(), problem }
}

/// A key that is a plain word follows a dot; any other is in brackets.
fn below(path: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (plain, path) {
        (true, "") => key.to_owned(),
        (true, path) => format!("{path}.{key}"),
        (false, path) => format!("{path}[\"{key}\"]"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => format!("`{other}`"),
    }
}
