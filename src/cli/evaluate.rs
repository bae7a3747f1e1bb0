//! `evaluate`: judges a snapshot. No network, no clock.

use super::arguments::{Evaluate, Global};
use super::console::Console;
use super::data::Sources;
use super::exit::End;
use super::failure::Failure;
use super::interrupt;
use super::judge::Judge;
use super::output::Outputs;
use crate::inventory::Snapshot;

/// Runs `evaluate`.
pub(super) fn run(arguments: &Evaluate, global: &Global, console: &Console) -> Result<End, Failure> {
    let outputs = Outputs::decide(&arguments.output, console.quiet, &[])?;
    outputs.check()?;
    let sources = Sources::new(&arguments.data, global)?;
    let chosen = sources.choose(&arguments.selection, console)?;
    interrupt::watch();
    let snapshot = Snapshot::read(&arguments.snapshot)?;
    let judge = Judge {
        chosen: &chosen,
        categories: sources.categories(),
        judging: &arguments.judging,
        outputs: &outputs,
        console,
    };
    judge.run(&snapshot)
}
