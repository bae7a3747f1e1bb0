//! The command line: one file for each command; it wires the parts together and holds no logic of its own.

pub mod arguments;
mod collect;
mod completions;
mod console;
mod criteria;
mod data;
mod demo;
mod evaluate;
mod exit;
mod failure;
mod interrupt;
mod judge;
mod listing;
mod logging;
mod output;
mod permissions;
mod policy;
mod progress;
mod read;
mod resources;
mod rules;
mod scan;

pub use arguments::Arguments;
pub use exit::{End, Exit};
pub use failure::Failure;

use arguments::{Command, Global};
use console::Console;
use std::process::ExitCode;

/// Runs the command, tells how it ended, and gives the exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    let Arguments { command, global } = arguments;
    let console = Console::new(global);
    let end = logging::start(global.verbose, console.stderr_colour).and_then(|()| dispatch(command, global, &console));
    let end = end.unwrap_or_else(|failure| {
        console.show(&failure);
        End::new(Exit::CouldNotRun, failure.why())
    });
    console.say(&end);
    ExitCode::from(&end)
}

/// Shows what was wrong with the command line, or the help that was asked for.
pub fn refuse(error: &clap::Error) -> ExitCode {
    let _nobody_listens = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let why = text.lines().find_map(|l| l.strip_prefix("error: ")).unwrap_or("no command was given");
    let end = End::new(Exit::CouldNotRun, why);
    console::tell(&format!("soc2scan: {end}\n"));
    ExitCode::from(&end)
}

fn dispatch(command: &Command, global: &Global, console: &Console) -> Result<End, Failure> {
    match command {
        Command::Scan(a) => scan::run(a, global, console),
        Command::Collect(a) => collect::run(a, global, console),
        Command::Evaluate(a) => evaluate::run(a, global, console),
        Command::Demo(a) => demo::run(a, global, console),
        Command::Rules { command } => rules::run(command, global, console),
        Command::Criteria(a) => criteria::run(a, global, console),
        Command::Resources { command } => resources::run(command, global, console),
        Command::Permissions(a) => permissions::run(a, global, console),
        Command::Completions(a) => completions::run(a, console),
    }
}
