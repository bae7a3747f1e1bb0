//! Reports.
pub mod escape;
mod location;
pub mod sarif;
