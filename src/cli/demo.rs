//! `demo`: judges the recorded account that is part of the program.

use super::arguments::{Demo, Global};
use super::console::Console;
use super::data::Sources;
use super::exit::{End, Exit};
use super::failure::Failure;
use super::interrupt;
use super::judge::Judge;
use super::output::Outputs;
use crate::inventory::Snapshot;
use std::path::Path;

/// The account, as `collect` wrote it.
const ACCOUNT: &[u8] = include_bytes!("../../testdata/demo/account.soc2");
/// What is written where nothing else is asked for.
const REPORTS: [&str; 2] = ["soc2scan-demo.sarif", "soc2scan-demo.json"];

/// Runs `demo`. It shows failures on purpose, so it ends with 0 unless `--fail-on` is given.
pub(super) fn run(arguments: &Demo, global: &Global, console: &Console) -> Result<End, Failure> {
    let outputs = Outputs::decide(&arguments.output, console.quiet, &REPORTS)?;
    outputs.check()?;
    let sources = Sources::new(&arguments.data, global)?;
    let chosen = sources.choose(&arguments.selection, console)?;
    interrupt::watch();
    let snapshot = Snapshot::read_from(ACCOUNT, Path::new("the demo account"))?;
    let judge = Judge {
        chosen: &chosen,
        categories: sources.categories(),
        judging: &arguments.judging,
        outputs: &outputs,
        console,
    };
    let end = judge.run(&snapshot)?;
    match arguments.judging.fail_on {
        Some(_) => Ok(end),
        None => Ok(End::new(Exit::Clean, format!("the demo ran; as a scan it would have been {end}"))),
    }
}
