//! Chooses the instance that a single-valued attribute refers to, if its expression has several references.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::plan::graph::{Graph, Instance};
use crate::plan::search::{Found, Search, references};
use crate::template::Location;

/// The data that this module and those above it share.
#[derive(Debug)]
pub(crate) struct Links<'g, 'a> {
    pub(crate) graph: &'g Graph<'a>,
    pub(crate) location: &'g Location,
    /// Assumptions, as the address of a resource and what was assumed.
    pub(crate) assumptions: RefCell<BTreeSet<(String, String)>>,
}

/// The result of a search for one instance.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    One(usize),
    Several(Vec<usize>),
    /// No instance is among the references. Has the references that could not be followed.
    Nothing(Vec<String>),
}

impl<'a> Links<'_, 'a> {
    /// Returns the instance that an expression refers to.
    pub(crate) fn choose(&self, instance: &Instance<'_>, expression: &Json, wanted: &[&str]) -> Choice {
        let Found { instances, open } = Search::new(self.graph, wanted).of_expression(instance, expression);
        let all: Vec<_> = instances.into_iter().collect();
        match all.as_slice() {
            [] => Choice::Nothing(open.into_iter().collect()),
            [one] => Choice::One(*one),
            _ => match self.with_same_condition(expression, &all).as_slice() {
                [one] => Choice::One(*one),
                _ => Choice::Several(all),
            },
        }
    }

    /// Of `local.x ? a[0].arn : b.arn`, the one that only exists by the same condition: `count = local.x ? 1 : 0`.
    fn with_same_condition(&self, expression: &Json, all: &[usize]) -> Vec<usize> {
        let conditions: Vec<_> = references(expression).into_iter().filter(|one| is_condition(one)).collect();
        let depends = |at: &&usize| {
            let configuration = self.graph.instance(**at).and_then(|one| one.configuration);
            let count = configuration.and_then(|own| own.get("count_expression"));
            count.is_some_and(|count| references(count).iter().any(|one| conditions.contains(one)))
        };
        all.iter().filter(depends).copied().collect()
    }

    /// Returns the only possible instance, if the plan does not describe the reference: an instance of the module itself or of
    /// the arguments that its caller passes. A block with a container port also fits by the target group's port.
    pub(crate) fn only_one_around(&self, module: &str, wanted: &[&str], block: &Json) -> Option<usize> {
        let around: Vec<_> = Search::new(self.graph, wanted).around(module).instances.into_iter().collect();
        let port = block.get("container_port").and_then(Json::as_u64);
        let has_port = |at: &&usize| {
            port.is_some()
                && self.graph.instance(**at).is_some_and(|one| one.values.get("port").and_then(Json::as_u64) == port)
        };
        match around.as_slice() {
            [one] => Some(*one),
            _ => match around.iter().filter(has_port).collect::<Vec<_>>().as_slice() {
                [one] => Some(**one),
                _ => None,
            },
        }
    }

    pub(crate) fn addresses(&self, indices: &[usize]) -> Vec<&'a str> {
        indices.iter().filter_map(|&at| self.graph.instance(at)).map(|one| one.address).collect()
    }

    pub(crate) fn assume(&self, address: &str, what: String) {
        self.assumptions.borrow_mut().insert((address.to_owned(), what));
    }
}

fn is_condition(reference: &str) -> bool {
    ["local.", "var.", "each.", "count."].iter().any(|prefix| reference.starts_with(prefix))
}
