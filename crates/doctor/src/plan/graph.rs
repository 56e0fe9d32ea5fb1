//! The resource instances of all modules with their configuration, and which module calls which.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::plan::address::{AddressStep, steps, without_keys};
use crate::plan::document::{Document, entries, items};

/// A resource instance, or a data source that was read or will be read.
#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) address: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) is_data: bool,
    /// The address of its module; empty for the root module.
    pub(crate) module: &'a str,
    /// Its key of `count` or `for_each`.
    pub(crate) key: Option<String>,
    pub(crate) values: &'a Json,
    /// Which values are known only after the apply.
    pub(crate) unknown: Option<&'a Json>,
    /// Its configuration, if the document has it.
    pub(crate) configuration: Option<&'a Json>,
    pub(crate) provider: &'a str,
}

/// An instance of a called module: its key, and its address.
pub(crate) type CalledModule<'a> = (Option<String>, &'a str);

/// All instances of a document.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    pub(crate) instances: Vec<Instance<'a>>,
    /// The instances of a resource, by module and by `type.name` or `data.type.name`.
    by_resource: BTreeMap<(String, String), Vec<usize>>,
    /// The configurations of modules, by their addresses without keys.
    configurations: BTreeMap<String, &'a Json>,
    /// The instances of a called module, by the caller's address and the call's name: key and address.
    called: BTreeMap<(String, String), Vec<CalledModule<'a>>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        let mut graph = Self {
            instances: Vec::new(),
            by_resource: BTreeMap::new(),
            configurations: BTreeMap::new(),
            called: BTreeMap::new(),
        };
        if let Some(root) = document.configuration() {
            graph.add_configuration(String::new(), root);
        }
        let changes = document.changes().filter_map(|change| Some((change.get("address")?.as_str()?, change)));
        let changes: BTreeMap<_, _> = changes.collect();
        let configured = graph.configured();
        for module in [document.root_module(), document.prior_module()].into_iter().flatten() {
            graph.add_module("", module, &changes, &configured);
        }
        graph.add_data_changes(&changes, &configured);
        graph
    }

    /// Returns the instances of a resource in a module.
    pub(crate) fn resource(&self, module: &str, name: &str) -> &[usize] {
        self.by_resource.get(&(module.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn instance(&self, index: usize) -> Option<&Instance<'a>> {
        self.instances.get(index)
    }

    /// Returns the configuration of a module.
    pub(crate) fn configuration(&self, module: &str) -> Option<&'a Json> {
        self.configurations.get(&without_keys(module)).copied()
    }

    /// Returns the instances of the module that a module calls by this name.
    pub(crate) fn called(&self, module: &str, name: &str) -> &[CalledModule<'a>] {
        self.called.get(&(module.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn add_configuration(&mut self, path: String, module: &'a Json) {
        for (name, call) in entries(module.get("module_calls")) {
            if let Some(inner) = call.get("module") {
                let inner_path =
                    if path.is_empty() { format!("module.{name}") } else { format!("{path}.module.{name}") };
                self.add_configuration(inner_path, inner);
            }
        }
        self.configurations.insert(path, module);
    }

    /// The configuration of every resource, by its module's path and its address there.
    fn configured(&self) -> BTreeMap<(String, &'a str), &'a Json> {
        let of = |(path, module): (&String, &&'a Json)| {
            let resources = items(module.get("resources"));
            let entry = |one: &'a Json| Some(((path.clone(), one.get("address")?.as_str()?), one));
            resources.filter_map(entry).collect::<Vec<_>>()
        };
        self.configurations.iter().flat_map(of).collect()
    }

    fn add_module(
        &mut self,
        address: &'a str,
        module: &'a Json,
        changes: &BTreeMap<&str, &'a Json>,
        configured: &BTreeMap<(String, &'a str), &'a Json>,
    ) {
        let path = without_keys(address);
        for resource in items(module.get("resources")) {
            self.add_resource((address, &path), resource, resource.get("values"), changes, configured);
        }
        for child in items(module.get("child_modules")) {
            if let Some(inner) = child.get("address").and_then(Json::as_str) {
                self.add_call(address, inner);
                self.add_module(inner, child, changes, configured);
            }
        }
    }

    fn add_call(&mut self, caller: &str, address: &'a str) {
        let Some(AddressStep { name, key }) = steps(address).pop() else { return };
        let known = self.called.entry((caller.to_owned(), name)).or_default();
        if !known.iter().any(|(_, other)| *other == address) {
            known.push((key, address));
        }
    }

    /// Adds an instance unless it is already known: the planned values are added before the prior state, and take precedence.
    fn add_resource(
        &mut self,
        (module, path): (&'a str, &str),
        resource: &'a Json,
        values: Option<&'a Json>,
        changes: &BTreeMap<&str, &'a Json>,
        configured: &BTreeMap<(String, &'a str), &'a Json>,
    ) {
        let text = |key: &str| resource.get(key).and_then(Json::as_str);
        let (Some(address), Some(kind), Some(name)) = (text("address"), text("type"), text("name")) else { return };
        let is_data = text("mode") == Some("data");
        let own = if is_data { format!("data.{kind}.{name}") } else { format!("{kind}.{name}") };
        let instances = self.by_resource.entry((module.to_owned(), own.clone())).or_default();
        if instances.iter().any(|&at| self.instances.get(at).is_some_and(|one| one.address == address)) {
            return;
        }
        instances.push(self.instances.len());
        self.instances.push(Instance {
            address,
            kind,
            is_data,
            module,
            key: steps(address).pop().and_then(|step| step.key),
            values: values.unwrap_or(&Json::Null),
            unknown: changes.get(address).and_then(|change| change.pointer("/change/after_unknown")),
            configuration: configured.get(&(path.to_owned(), own.as_str())).copied(),
            provider: text("provider_name").unwrap_or_default(),
        });
    }

    /// Adds the data sources that are read during the apply, which are only in the list of changes.
    fn add_data_changes(
        &mut self,
        changes: &BTreeMap<&str, &'a Json>,
        configured: &BTreeMap<(String, &'a str), &'a Json>,
    ) {
        for change in changes.values().filter(|change| change.get("mode").and_then(Json::as_str) == Some("data")) {
            let module = change.get("module_address").and_then(Json::as_str).unwrap_or_default();
            let path = without_keys(module);
            self.add_resource((module, &path), change, change.pointer("/change/after"), changes, configured);
        }
    }
}
