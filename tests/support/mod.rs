//! What the integration tests stand on: an emulated AWS with a seeded account ([`emulator`]), a server in front
//! of it that recognises every operation and can make any of them fail ([`fake_aws`]), and the program itself,
//! run as a user runs it ([`scanner`]). Must never reach beyond this machine.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub(crate) mod emulator;
pub(crate) mod fake_aws;
pub(crate) mod recognise;
pub(crate) mod scanner;
pub(crate) mod verdicts;

use std::io::Write;

/// Says on stderr, past the test harness's capture, that a test did not run.
pub(crate) fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}
