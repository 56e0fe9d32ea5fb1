//! Plans of Terraform: those of common modules, and plans that are changed at random.

mod mutants;
mod shapes;
