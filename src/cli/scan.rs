//! `scan`: reads an account, judges it and reports.

use super::arguments::{Global, Scan};
use super::console::Console;
use super::data::Sources;
use super::exit::End;
use super::failure::Failure;
use super::judge::Judge;
use super::output::{Outputs, check_replaceable};
use super::read;

/// Runs `scan`. Everything that can be wrong without AWS is found before AWS is asked anything.
pub(super) fn run(arguments: &Scan, global: &Global, console: &Console) -> Result<End, Failure> {
    let outputs = Outputs::decide(&arguments.output, console.quiet, &[])?;
    let kept = arguments.snapshot.as_deref();
    Failure::any([outputs.check().err(), kept.and_then(|path| check_replaceable(path).err())].into_iter().flatten())?;
    let sources = Sources::new(&arguments.data, global)?;
    let chosen = sources.choose(&arguments.selection, console)?;
    let snapshot = read::read(&arguments.connection, sources.regions(), &chosen, console)?;
    if let Some(path) = kept {
        read::keep(&snapshot, path)?;
    }
    let judge = Judge {
        chosen: &chosen,
        categories: sources.categories(),
        judging: &arguments.judging,
        outputs: &outputs,
        console,
    };
    judge.run(&snapshot)
}
