//! Evaluates the deployment's template as CloudFormation would: short tags, parameters, conditions, `Ref`, `Fn::If`,
//! `Fn::Join`, `Fn::Select`, `Fn::Sub`. A value that only AWS knows is `<Name>`.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

/// A parsed template, with the values of its parameters.
pub struct Template {
    pub root: Value,
    pub parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Parses a template, with every parameter at its default.
    pub fn read(text: &str) -> Self {
        let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap();
        let root = plain(yaml);
        let defaults = root["Parameters"].as_object().unwrap();
        let parameters =
            defaults.iter().map(|(name, declared)| (name.clone(), value_of(declared, &declared["Default"])));
        let parameters = parameters.collect();
        Self { root, parameters }
    }

    /// Sets a parameter, with the value as on a command line.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let declared = &self.root["Parameters"][name];
        assert!(declared.is_object(), "the template has no parameter {name}");
        self.parameters.insert(name.to_owned(), value_of(declared, &json!(value)));
        self
    }

    /// Returns a resource's properties; `None` if its condition is false.
    pub fn properties(&self, resource: &str) -> Option<Value> {
        let resource = &self.root["Resources"][resource];
        assert!(resource.is_object(), "the template has no such resource");
        let is_there = resource["Condition"].as_str().is_none_or(|name| self.holds(name));
        if is_there { self.resolve(&resource["Properties"]) } else { None }
    }

    /// Returns all resources of a type whose conditions are true, by name.
    pub fn of_type(&self, kind: &str) -> Vec<(String, Value)> {
        let resources = self.root["Resources"].as_object().unwrap().iter();
        let of_type = resources.filter(|(_, resource)| resource["Type"] == kind);
        of_type.filter_map(|(name, _)| Some((name.clone(), self.properties(name)?))).collect()
    }

    fn holds(&self, condition: &str) -> bool {
        self.is_true(&self.root["Conditions"][condition])
    }

    fn is_true(&self, expression: &Value) -> bool {
        let (function, arguments) = expression.as_object().unwrap().iter().next().unwrap();
        match function.as_str() {
            "Condition" => self.holds(arguments.as_str().unwrap()),
            "Fn::Not" => !self.is_true(&arguments[0]),
            "Fn::Or" => arguments.as_array().unwrap().iter().any(|one| self.is_true(one)),
            "Fn::Equals" => self.resolve(&arguments[0]) == self.resolve(&arguments[1]),
            other => panic!("{other} is not known here"),
        }
    }

    /// Returns the value with all functions evaluated; `None` for `AWS::NoValue`.
    fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) => Some(items.iter().filter_map(|item| self.resolve(item)).collect()),
            Value::Object(members) => match members.iter().next() {
                Some((function, arguments)) if members.len() == 1 && is_function(function) => {
                    self.call(function, arguments)
                }
                _ => {
                    let members = members.iter().filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?)));
                    Some(Value::Object(members.collect()))
                }
            },
            other => Some(other.clone()),
        }
    }

    fn call(&self, function: &str, arguments: &Value) -> Option<Value> {
        match function {
            "Ref" => self.reference(arguments.as_str().unwrap()),
            "Fn::GetAtt" => Some(json!(format!("<{}>", arguments.as_str().unwrap()))),
            "Fn::If" => self.resolve(&arguments[if self.holds(arguments[0].as_str().unwrap()) { 1 } else { 2 }]),
            "Fn::Join" => {
                let items = self.resolve(&arguments[1]).unwrap();
                let texts: Vec<_> = items.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
                Some(json!(texts.join(arguments[0].as_str().unwrap())))
            }
            "Fn::Select" => {
                let index = usize::try_from(arguments[0].as_u64().unwrap()).unwrap();
                Some(self.resolve(&arguments[1]).unwrap()[index].clone())
            }
            "Fn::Sub" => {
                let variable = Regex::new(r"\$\{([^}]+)\}").unwrap();
                let put_in = |found: &Captures<'_>| text_of(&self.reference(&found[1]).unwrap());
                Some(json!(variable.replace_all(arguments.as_str().unwrap(), put_in)))
            }
            other => panic!("{other} is not known here"),
        }
    }

    fn reference(&self, name: &str) -> Option<Value> {
        match name {
            "AWS::NoValue" => None,
            "AWS::Region" => Some(json!("eu-central-1")),
            "AWS::AccountId" => Some(json!("123456789012")),
            "AWS::Partition" => Some(json!("aws")),
            "AWS::StackName" => Some(json!("stack")),
            name => Some(self.parameters.get(name).cloned().unwrap_or_else(|| json!(format!("<{name}>")))),
        }
    }
}

/// Returns why CloudFormation would reject a parameter's value; `None` if it accepts it. Every item of a list is checked.
pub fn refusal(declared: &Value, value: &str) -> Option<String> {
    let items = value_of(declared, &json!(value));
    let items = items.as_array().cloned().unwrap_or_else(|| vec![items]);
    items.iter().map(text_of).find_map(|item| refusal_of_one(declared, &item))
}

fn refusal_of_one(declared: &Value, item: &str) -> Option<String> {
    if let Some(allowed) = declared["AllowedValues"].as_array()
        && !allowed.iter().any(|value| text_of(value) == item)
    {
        return Some(format!("{item} is not allowed"));
    }
    if let Some(pattern) = declared["AllowedPattern"].as_str()
        && !Regex::new(pattern).unwrap().is_match(item)
    {
        return Some(format!("{item} does not match {pattern}"));
    }
    let number: Option<f64> = item.parse().ok();
    let is_number = declared["Type"] == "Number";
    let is_within = number.is_some_and(|number| {
        let (least, most) = (declared["MinValue"].as_f64(), declared["MaxValue"].as_f64());
        least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
    });
    (is_number && !is_within).then(|| format!("{item} is not a number within the bounds"))
}

fn value_of(declared: &Value, value: &Value) -> Value {
    if declared["Type"] == "CommaDelimitedList" {
        text_of(value).split(',').map(str::trim).collect()
    } else {
        json!(text_of(value))
    }
}

/// Returns a value as text, as CloudFormation passes it on.
pub fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

/// Converts YAML to JSON. A short tag becomes the long form of its function.
fn plain(yaml: serde_yaml_ng::Value) -> Value {
    use serde_yaml_ng::Value as Yaml;
    match yaml {
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        Yaml::Mapping(members) => {
            let members = members.into_iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), plain(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let name = if matches!(tag, "Ref" | "Condition") { tag.to_owned() } else { format!("Fn::{tag}") };
            json!({ name: plain(tagged.value) })
        }
        other => serde_json::to_value(other).unwrap(),
    }
}
