//! `models/` is what `tools/generate_models.py` writes: nobody edits it, and nothing is missing from it.
//!
//! The script needs the `botocore` that `tests/requirements.txt` pins. Where no Python has it, the test says so on
//! stderr and passes; `make test` sets one up.

#![expect(clippy::print_stderr, reason = "what is skipped must be said")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The exit code by which the script says that botocore is missing, or of another version.
const NO_BOTOCORE: i32 = 3;

#[test]
fn generating_the_models_again_changes_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python(root);
    let run = Command::new(&python).arg(root.join("tools/generate_models.py")).arg("--check").output();
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
