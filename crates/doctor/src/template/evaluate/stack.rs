//! One template with the values of its parameters, to which its intrinsic functions refer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::setting::Setting;
use crate::template::evaluate::location::Location;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::value::{Data, Value};
use crate::template::syntax::loops;
use crate::template::syntax::node::{Node, NodeKind};

/// The most intrinsic functions that are evaluated for one stack. It stops references that multiply.
const MAX_CALLS: u32 = 1_000_000;

/// A parameter's value, and why it depends on a placeholder, if it does.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) placeholder: Option<String>,
}

/// A template with the values of its parameters.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The file, as it was named.
    pub(crate) file: PathBuf,
    /// The prefix of its resources' names: empty, or `Nested/`.
    pub(crate) prefix: String,
    /// The whole template, with its loops expanded.
    pub(crate) template: Node,
    /// Where it is deployed.
    pub(crate) location: Location,
    /// The stacks nested in it, by logical id.
    pub(crate) children: BTreeMap<String, Stack>,
    /// The values that other templates export.
    pub(crate) imports: BTreeMap<String, Value>,
    /// Loops that could not be expanded: their keys, and why.
    pub(crate) open_loops: Vec<(String, String)>,
    given: BTreeMap<String, Given>,
    index: BTreeMap<String, usize>,
    calls_left: Cell<u32>,
    assumptions: RefCell<Vec<String>>,
}

impl Stack {
    /// A template, and the values of the parameters that it is given.
    pub(crate) fn new(
        file: &Path,
        prefix: String,
        template: Node,
        location: Location,
        given: BTreeMap<String, Given>,
    ) -> Self {
        let mut stack = Self {
            file: file.to_owned(),
            prefix,
            template,
            location,
            children: BTreeMap::new(),
            imports: BTreeMap::new(),
            open_loops: Vec::new(),
            given,
            index: BTreeMap::new(),
            calls_left: Cell::new(MAX_CALLS),
            assumptions: RefCell::default(),
        };
        if loops::has_loops(&stack.template) {
            let mut problems = Vec::new();
            let template = loops::expand(stack.template.clone(), &|node| collection(&stack, node), &mut problems);
            stack.template = template;
            stack.open_loops = problems;
        }
        let ids = stack.resources().iter().enumerate();
        stack.index = ids.map(|(index, (id, _))| (id.clone(), index)).collect();
        stack
    }

    /// Returns the logical ids and bodies of the resources.
    pub(crate) fn resources(&self) -> &[(String, Node)] {
        self.template.get("Resources").map_or(&[], Node::entries)
    }

    /// Returns a resource's body.
    pub(crate) fn resource(&self, id: &str) -> Option<&Node> {
        self.resources().get(*self.index.get(id)?).map(|(_, body)| body)
    }

    /// Returns the body of a condition.
    pub(crate) fn condition(&self, name: &str) -> Option<&Node> {
        self.template.get("Conditions")?.get(name)
    }

    /// Returns a mapping's rows.
    pub(crate) fn mapping(&self, map: &str) -> Option<&Node> {
        self.template.get("Mappings")?.get(map)
    }

    /// Returns an output that applies.
    pub(crate) fn output(&self, name: &str) -> Option<&Node> {
        self.template.get("Outputs")?.get(name)
    }

    /// Returns the value of a parameter, if there is one of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<Value> {
        let declared = self.template.get("Parameters")?.get(name)?;
        let value = self.given.get(name).map(|given| given.value.clone());
        let value = value.unwrap_or_else(|| self.default_of(name, declared));
        let of_type = declared.get("Type").and_then(Node::text).unwrap_or("String");
        Some(if is_list(of_type) { split(value) } else { value })
    }

    /// Returns why a parameter's or pseudo parameter's value is a placeholder, if it is one.
    pub(crate) fn placeholder(&self, name: &str) -> Option<String> {
        let given = self.given.get(name).and_then(|given| given.placeholder.clone());
        given.or_else(|| self.location.placeholder(name))
    }

    fn default_of(&self, name: &str, declared: &Node) -> Value {
        let line = declared.line;
        let of_type = declared.get("Type").and_then(Node::text).unwrap_or_default();
        let symbol = format!("{}{name}", self.prefix);
        if of_type.starts_with("AWS::SSM::Parameter::Value") {
            let why = format!("parameter {symbol} is read from SSM at the deployment: give it with --parameter");
            return Value { line, data: Data::parameter(symbol, why) };
        }
        let data = match declared.get("Default").map(|default| &default.kind) {
            Some(NodeKind::Text(text)) => Data::Text(text.clone()),
            Some(NodeKind::Number(number)) => Data::Text(number.to_string()),
            Some(NodeKind::Bool(value)) => Data::Text(value.to_string()),
            _ if self.prefix.is_empty() || self.prefix.ends_with(':') => {
                let why = format!("parameter {name} has no default: give it with --parameter {name}=VALUE");
                Data::parameter(symbol, why)
            }
            _ => Data::parameter(symbol.clone(), format!("parameter {symbol} of a nested stack has no value")),
        };
        Value { line, data }
    }

    /// Counts one evaluation; false when there were too many.
    pub(crate) fn count_call(&self) -> bool {
        let left = self.calls_left.get();
        self.calls_left.set(left.saturating_sub(1));
        left > 0
    }

    /// Notes a value that holds only under an assumption.
    pub(crate) fn assume(&self, what: String) {
        let mut assumptions = self.assumptions.borrow_mut();
        if !assumptions.contains(&what) {
            assumptions.push(what);
        }
    }

    /// Returns what was assumed so far.
    pub(crate) fn take_assumptions(&self) -> Vec<String> {
        self.assumptions.take()
    }
}

fn collection(stack: &Stack, node: &Node) -> Result<Vec<String>, String> {
    let value = Resolver::new(stack).value(node);
    if let Data::Unknown(reason) = &value.data {
        return Err(reason.why.clone());
    }
    let texts = value.as_items().into_iter().map(|item| match item.as_text() {
        Setting::Set(text) => Ok(text),
        Setting::Default => Ok(String::new()),
        Setting::Unknown(why) => Err(why),
    });
    texts.collect()
}

fn is_list(of_type: &str) -> bool {
    of_type == "CommaDelimitedList" || of_type.contains("List<")
}

fn split(value: Value) -> Value {
    let Data::Text(text) = &value.data else { return value };
    let items = text.split(',').map(|item| Value::text_of(value.line, item.trim())).collect();
    Value { line: value.line, data: Data::List(items) }
}
