//! The `soc2scan` program: parse, run, say how it ended.

use clap::Parser;
use soc2scan::cli::{self, Arguments};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => cli::run(&arguments),
        Err(error) => cli::refuse(&error),
    }
}
