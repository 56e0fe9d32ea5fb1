//! The text of a template as a tree of nodes with their lines.

pub(crate) mod loops;
pub(crate) mod node;
mod yaml;

pub(crate) use yaml::parse;
