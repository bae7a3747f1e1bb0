//! `completions`: the script that teaches a shell the commands and options.

use super::arguments::{Arguments, Completions};
use super::console::Console;
use super::exit::End;
use super::failure::Failure;
use clap::CommandFactory;

/// Prints the script.
pub(super) fn run(arguments: &Completions, console: &Console) -> Result<End, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "soc2scan", &mut script);
    console.print(|out| out.write_all(&script))?;
    Ok(End::printed())
}
