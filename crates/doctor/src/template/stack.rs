//! One template with the values of its parameters: what its intrinsic functions refer to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::template::node::{Kind, Node};
use crate::template::value::{Data, Value};

/// A template with the values of its parameters.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The file, as it was named.
    pub(crate) file: PathBuf,
    /// What comes before the names of its resources: nothing, or `Nested/`.
    pub(crate) prefix: String,
    /// The whole template.
    pub(crate) template: Node,
    given: BTreeMap<String, Value>,
}

impl Stack {
    /// A template, and the parameters that it is given.
    pub(crate) fn new(file: &Path, prefix: String, template: Node, given: BTreeMap<String, Value>) -> Self {
        Self { file: file.to_owned(), prefix, template, given }
    }

    /// The logical ids and bodies of the resources.
    pub(crate) fn resources(&self) -> &[(String, Node)] {
        self.template.get("Resources").map_or(&[], Node::entries)
    }

    /// A resource's body.
    pub(crate) fn resource(&self, id: &str) -> Option<&Node> {
        self.template.get("Resources")?.get(id)
    }

    /// The body of a condition.
    pub(crate) fn condition(&self, name: &str) -> Option<&Node> {
        self.template.get("Conditions")?.get(name)
    }

    /// A value of a mapping.
    pub(crate) fn mapping(&self, map: &str, top: &str, second: &str) -> Option<&Node> {
        self.template.get("Mappings")?.get(map)?.get(top)?.get(second)
    }

    /// The value of a parameter, if there is one of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<Value> {
        let declared = self.template.get("Parameters")?.get(name)?;
        let value = self.given.get(name).cloned().unwrap_or_else(|| default_of(name, declared));
        let of_type = declared.get("Type").and_then(Node::text).unwrap_or("String");
        Some(if is_list(of_type) { split(value) } else { value })
    }
}

fn is_list(of_type: &str) -> bool {
    of_type == "CommaDelimitedList" || of_type.starts_with("List<")
}

fn default_of(name: &str, declared: &Node) -> Value {
    let line = declared.line;
    let data = match declared.get("Default").map(|default| &default.kind) {
        Some(Kind::Text(text)) => Data::Text(text.clone()),
        Some(Kind::Number(number)) => Data::Text(number.to_string()),
        Some(Kind::Bool(value)) => Data::Text(value.to_string()),
        _ => Data::Unknown(format!("parameter {name} has no default: give it with --parameter {name}=VALUE")),
    };
    let of_type = declared.get("Type").and_then(Node::text).unwrap_or_default();
    if of_type.starts_with("AWS::SSM::Parameter::Value") {
        return Value::unknown(line, format!("parameter {name} is read from SSM at the deployment"));
    }
    Value { line, data }
}

fn split(value: Value) -> Value {
    let Data::Text(text) = &value.data else { return value };
    let items = text.split(',').map(|item| Value::text_of(value.line, item.trim())).collect();
    Value { line: value.line, data: Data::List(items) }
}
