//! `collect`: reads an account into a snapshot file.

use super::arguments::{Collect, Global};
use super::console::Console;
use super::data::Sources;
use super::exit::{End, Exit};
use super::failure::Failure;
use super::output::check_replaceable;
use super::read;
use crate::inventory::{PopulationState, Reason, Snapshot};

/// Runs `collect`. Everything that can be wrong without AWS is found before AWS is asked anything.
pub(super) fn run(arguments: &Collect, global: &Global, console: &Console) -> Result<End, Failure> {
    check_replaceable(&arguments.output)?;
    let sources = Sources::new(&arguments.data, global)?;
    let chosen = sources.choose(&arguments.selection, console)?;
    let snapshot = read::read(&arguments.connection, sources.regions(), &chosen, console)?;
    read::keep(&snapshot, &arguments.output)?;
    Ok(end(&snapshot))
}

/// Clean only where everything was read.
fn end(snapshot: &Snapshot) -> End {
    let incomplete =
        snapshot.populations.iter().filter(|p| matches!(p.state, PopulationState::Incomplete { .. })).count();
    // What no selected rule needs is named in the snapshot as not collected; nothing is missing then.
    let unread =
        snapshot.resources.iter().flat_map(|r| &r.unknown).filter(|u| u.cause.reason != Reason::NotCollected).count();
    let read = format!("{} resources, {} calls", snapshot.resources.len(), snapshot.ledger.len());
    match (incomplete, unread) {
        (0, 0) => End::new(Exit::Clean, format!("everything was read: {read}")),
        _ => End::new(
            Exit::Incomplete,
            format!("incomplete: {incomplete} listings broke off, {unread} members could not be read; {read}"),
        ),
    }
}
