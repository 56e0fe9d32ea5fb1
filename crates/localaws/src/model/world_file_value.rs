//! Typed access to the values of a world file, with errors that give the place and the expected value.

use serde_json::{Map, Value};

/// The error of loading a world file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldFileError {
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A value does not have the expected type or form.
    #[error("{path}: {problem}")]
    Value {
        /// The place, for example `groups["arn:..."].targets[0].port`; `the file` for the top level.
        path: String,
        /// What was expected and found.
        problem: String,
    },
}

pub(crate) type WorldFileResult<T> = Result<T, WorldFileError>;

/// A value with its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct WorldField<'a> {
    path: String,
    value: &'a Value,
}

/// An object whose field names have been checked.
#[derive(Debug, Clone)]
pub(crate) struct WorldRecord<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

impl<'a> WorldField<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { path: String::new(), value }
    }

    /// Returns the error that `what` was expected here.
    pub(crate) fn expected(&self, what: &str) -> WorldFileError {
        self.wrong(format!("expected {what}, found {}", shown(self.value)))
    }

    pub(crate) fn wrong(&self, problem: String) -> WorldFileError {
        wrong(&self.path, problem)
    }

    pub(crate) fn text(&self) -> WorldFileResult<&'a str> {
        self.value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| self.expected("text"))
    }

    /// Parses a string, and adds the place to the parser's error.
    pub(crate) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> WorldFileResult<T> {
        parse(self.text()?).map_err(|problem| self.wrong(problem))
    }

    pub(crate) fn flag(&self) -> WorldFileResult<bool> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    pub(crate) fn port(&self) -> WorldFileResult<u16> {
        let port = self.value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        port.ok_or_else(|| self.expected("a port from 1 to 65535"))
    }

    pub(crate) fn seconds(&self) -> WorldFileResult<u64> {
        self.value.as_u64().ok_or_else(|| self.expected("a number of seconds"))
    }

    pub(crate) fn list(&self) -> WorldFileResult<Vec<Self>> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let item = |(index, value)| Self { path: format!("{}[{index}]", self.path), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The entries of an object with arbitrary keys.
    pub(crate) fn entries(&self) -> WorldFileResult<Vec<(&'a str, Self)>> {
        let fields = self.object()?;
        let entry = |(key, value): (&'a String, _)| (key.as_str(), Self { path: below(&self.path, key), value });
        Ok(fields.iter().map(entry).collect())
    }

    /// An object whose fields are not checked.
    pub(crate) fn any_object(&self) -> WorldFileResult<Value> {
        self.object().map(|_| self.value.clone())
    }

    /// An object that has only known fields.
    pub(crate) fn record(&self, known: &[&str]) -> WorldFileResult<WorldRecord<'a>> {
        let fields = self.object()?;
        if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(self.wrong(format!("unknown field `{unknown}`; known fields: {}", known.join(", "))));
        }
        Ok(WorldRecord { path: self.path.clone(), fields })
    }

    /// A field of an unchecked object.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        self.value.get(name).map(|value| Self { path: below(&self.path, name), value })
    }

    fn object(&self) -> WorldFileResult<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }
}

impl<'a> WorldRecord<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<WorldField<'a>> {
        self.fields.get(name).map(|value| WorldField { path: below(&self.path, name), value })
    }

    pub(crate) fn required(&self, name: &str) -> WorldFileResult<WorldField<'a>> {
        self.get(name).ok_or_else(|| wrong(&self.path, format!("the field `{name}` is missing")))
    }
}

fn wrong(path: &str, problem: String) -> WorldFileError {
    let path = if path.is_empty() { "the file" } else { path };
    WorldFileError::Value { path: path.to_owned(), problem }
}

/// A plain word follows a dot; any other key is in brackets.
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
