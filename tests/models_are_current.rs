//! `models/` is what the scripts in `tools/` write: nobody edits it, and nothing is missing from it.
//!
//! The scripts need the `botocore` that `tests/requirements.txt` pins. Where no Python has it, the tests say so on
//! stderr and pass; `make test` sets one up.

#![expect(clippy::print_stderr, reason = "what is skipped must be said")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The exit code by which the script says that botocore is missing, or of another version.
const NO_BOTOCORE: i32 = 3;

#[test]
fn generating_the_models_again_changes_nothing() {
    check("tools/generate_models.py");
}

#[test]
fn generating_the_endpoints_again_changes_nothing() {
    check("tools/generate_endpoints.py");
}

fn check(script: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python(root);
    let run = Command::new(&python).arg(root.join(script)).arg("--check").output();
    let output = match run {
        Ok(output) => output,
        Err(error) => return eprintln!("SKIPPED: cannot run {}: {error}", python.display()),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NO_BOTOCORE) {
        return eprintln!("SKIPPED: {}: {said}", python.display());
    }
    assert!(output.status.success(), "{said}");
}

/// `$SOC2SCAN_PYTHON`, else the virtual environment that `make test` makes, else whichever is on the path.
fn python(root: &Path) -> PathBuf {
    let named = std::env::var_os("SOC2SCAN_PYTHON").map(PathBuf::from);
    let of_environment = Some(root.join(".venv/bin/python")).filter(|path| path.exists());
    named.or(of_environment).unwrap_or_else(|| "python3".into())
}
