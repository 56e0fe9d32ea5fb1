//! Follows the references of an expression to resource instances: through variables to the caller's arguments, and through
//! the outputs of called modules. What a plan does not describe (local values, dynamic blocks) ends the search.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::plan::address::{AddressStep, steps};
use crate::plan::document::{entries, items};
use crate::plan::graph::{Graph, Instance};

/// How far references are followed.
const MAX_DEPTH: usize = 32;

/// What an expression refers to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The instances of the wanted kinds.
    pub(crate) instances: BTreeSet<usize>,
    /// References whose target the document does not have, such as `local.name`.
    pub(crate) open: BTreeSet<String>,
}

/// A search for instances of some kinds.
pub(crate) struct Search<'g, 'a> {
    graph: &'g Graph<'a>,
    wanted: &'g [&'g str],
    found: Found,
    seen: BTreeSet<(String, String)>,
}

impl<'g, 'a> Search<'g, 'a> {
    pub(crate) fn new(graph: &'g Graph<'a>, wanted: &'g [&'g str]) -> Self {
        Self { graph, wanted, found: Found::default(), seen: BTreeSet::new() }
    }

    /// Returns what an expression of an instance refers to.
    pub(crate) fn of_expression(mut self, instance: &Instance<'_>, expression: &Json) -> Found {
        let references = references(expression);
        let hints = if uses_key(&references) { instance.key.clone().into_iter().collect() } else { Vec::new() };
        for reference in &references {
            if reference.starts_with("each.") {
                let loops = instance.configuration.and_then(|own| own.get("for_each_expression"));
                self.follow_all(instance.module, loops, &hints, 0);
            } else {
                self.follow(instance.module, reference, &hints, 0);
            }
        }
        self.found
    }

    /// Returns every instance of the wanted kinds that a module has itself, or is given by its caller's arguments.
    pub(crate) fn around(mut self, module: &str) -> Found {
        let own = self.graph.instances.iter().enumerate();
        let is_own = |one: &Instance<'_>| one.module == module && !one.is_data && self.wanted.contains(&one.kind);
        let own: Vec<_> = own.filter(|(_, one)| is_own(one)).map(|(at, _)| at).collect();
        self.found.instances.extend(own);
        if let Some((caller, call, hints)) = self.call_of(module) {
            for (_, argument) in entries(call.get("expressions")) {
                self.follow_all(&caller, Some(argument), &hints, 0);
            }
        }
        self.found
    }

    fn follow_all(&mut self, module: &str, expression: Option<&Json>, hints: &[String], depth: usize) {
        for reference in expression.map(references).unwrap_or_default() {
            self.follow(module, reference, hints, depth);
        }
    }

    fn follow(&mut self, module: &str, reference: &str, hints: &[String], depth: usize) {
        if depth > MAX_DEPTH || !self.seen.insert((module.to_owned(), reference.to_owned())) {
            return;
        }
        let steps = steps(reference);
        match steps.as_slice() {
            [first, name, ..] if first.name == "var" => self.follow_variable(module, &name.name, hints, depth + 1),
            [first, call, rest @ ..] if first.name == "module" => {
                self.follow_output(module, call, rest, hints, depth + 1);
            }
            [first, kind, name, ..] if first.name == "data" => {
                self.add(module, &format!("data.{}.{}", kind.name, name.name), name.key.as_deref(), hints);
            }
            [first, ..] if ["each", "count", "path", "terraform", "self"].contains(&first.name.as_str()) => {}
            [first, ..] if first.name == "local" => _ = self.found.open.insert(reference.to_owned()),
            [kind, name, ..] => self.add(module, &format!("{}.{}", kind.name, name.name), name.key.as_deref(), hints),
            _ => {}
        }
    }

    fn follow_variable(&mut self, module: &str, name: &str, hints: &[String], depth: usize) {
        let Some((caller, call, keys)) = self.call_of(module) else { return };
        let argument = call.get("expressions").and_then(|all| all.get(name));
        let uses_key = argument.is_some_and(|argument| uses_key(&references(argument)));
        let hints = if uses_key { [hints, &keys].concat() } else { hints.to_vec() };
        self.follow_all(&caller, argument, &hints, depth);
    }

    /// The caller of a module, the call's configuration, and the key of this instance of the module.
    fn call_of(&self, module: &str) -> Option<(String, &'a Json, Vec<String>)> {
        let last = steps(module).pop()?;
        let suffix = module.rfind(&format!("module.{}", last.name))?;
        let caller = module.get(..suffix)?.trim_end_matches('.').to_owned();
        let call = self.graph.configuration(&caller)?.get("module_calls")?.get(&last.name)?;
        Some((caller, call, last.key.into_iter().collect()))
    }

    /// A reference to a module as a whole may mean any of its outputs.
    fn follow_output(
        &mut self,
        module: &str,
        call: &AddressStep,
        rest: &[AddressStep],
        hints: &[String],
        depth: usize,
    ) {
        let children = self.graph.called(module, &call.name);
        let key = call
            .key
            .as_ref()
            .or_else(|| hints.iter().find(|hint| children.iter().any(|(key, _)| key.as_ref() == Some(*hint))));
        let is_meant = |own: &Option<String>| key.is_none() || own.as_ref() == key;
        let children: Vec<_> = children.iter().filter(|(own, _)| is_meant(own)).map(|(_, address)| *address).collect();
        let inner: Vec<_> =
            rest.iter().flat_map(|step| [step.key.clone(), Some(step.name.clone())]).flatten().collect();
        let hints = [inner, hints.to_vec()].concat();
        for child in children {
            let outputs = self.graph.configuration(child).and_then(|own| own.get("outputs"));
            match rest.first() {
                Some(output) => {
                    let expression =
                        outputs.and_then(|all| all.get(&output.name)).and_then(|one| one.get("expression"));
                    self.follow_all(child, expression, &hints, depth);
                }
                None => {
                    for (_, one) in entries(outputs) {
                        self.follow_all(child, one.get("expression"), &hints, depth);
                    }
                }
            }
        }
    }

    /// Adds the instances of a resource: the one with the reference's own key, or with a key that a hint names, or all.
    fn add(&mut self, module: &str, resource: &str, key: Option<&str>, hints: &[String]) {
        let indices = self.graph.resource(module, resource);
        let instances: Vec<_> = indices.iter().filter_map(|&at| Some((at, self.graph.instance(at)?))).collect();
        let with_key = |key: &str| instances.iter().find(|(_, one)| one.key.as_deref() == Some(key));
        let chosen = match key {
            Some(key) => with_key(key).into_iter().collect(),
            None => {
                hints.iter().find_map(|hint| with_key(hint)).map_or_else(|| instances.iter().collect(), |one| vec![one])
            }
        };
        let chosen: Vec<_> =
            chosen.into_iter().filter(|(_, one)| self.wanted.contains(&one.kind)).map(|(at, _)| *at).collect();
        self.found.instances.extend(chosen);
    }
}

fn uses_key(references: &[&str]) -> bool {
    references.iter().any(|one| one.starts_with("each.") || one.starts_with("count."))
}

/// The references of an expression and of the blocks in it, without those that only lead to another: `a.b` before `a.b.arn`.
pub(crate) fn references(expression: &Json) -> Vec<&str> {
    let mut all = Vec::new();
    collect(expression, &mut all);
    let leads = |one: &str| {
        all.iter()
            .any(|other| other.strip_prefix(one).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('[')))
    };
    let mut last: Vec<_> = all.iter().copied().filter(|one| !leads(one)).collect();
    last.dedup();
    last
}

fn collect<'j>(json: &'j Json, all: &mut Vec<&'j str>) {
    match json {
        Json::Array(list) => list.iter().for_each(|item| collect(item, all)),
        Json::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "references" => all.extend(items(Some(value)).filter_map(Json::as_str)),
                    "constant_value" => {}
                    _ => collect(value, all),
                }
            }
        }
        _ => {}
    }
}
