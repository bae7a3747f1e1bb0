//! Reads an account: enumerates resources as `collectors/*.yaml` declare it, and writes down what was seen, what
//! was not, and why.
//!
//! Denied is never empty here. What could not be listed makes its population incomplete, what could not be read
//! of a resource is an unknown member, and both carry their cause. This module must never judge what it reads.

mod declaration;
mod path;
mod plan;
mod read;
mod template;
mod yaml;

pub use declaration::{Collectors, LoadError, OperationName, Selection};
pub use plan::Plan;
pub use yaml::DeclarationError;
