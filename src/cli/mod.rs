//! The command line: one file for each command; it wires the parts together and holds no logic of its own.

pub mod arguments;
mod completions;
mod console;
mod exit;
mod failure;
mod logging;
mod output;
mod policy;

pub use console::Console;
pub use exit::{End, Exit};
pub use failure::Failure;
