//! What was seen: resources, what could not be read of them, and the ledger of the calls that were made.
//!
//! The two wings of the house meet here. `collect` writes an inventory, `rules` and `assess` read it.
//! This module must never talk to AWS and never judge.

pub mod index;
pub mod ledger;
pub mod resource;
pub mod snapshot;

pub use index::Inventory;
pub use ledger::{LedgerEntry, LedgerSummary, Outcome};
pub use resource::{Cause, Population, PopulationState, Reason, Resource, UnknownField};
pub use snapshot::{AccountScope, Header, Snapshot, SnapshotError, TOOL_VERSION};
