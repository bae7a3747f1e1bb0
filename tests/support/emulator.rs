//! A `moto` server of its own for a test binary, with one seeded account in it.
//!
//! `tests/seed/serve.py` starts it on a free port, seeds it and ends when its standard input closes, so it never
//! outlives the tests, however they end.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

/// A running emulator. Ends when dropped or when the test process does.
pub(crate) struct Emulator {
    /// Its `127.0.0.1:port`.
    pub(crate) address: String,
    /// What the seeding script has to say about the account: ids that AWS chose, by our names.
    pub(crate) facts: Value,
    child: Mutex<Child>,
    _stdin: ChildStdin,
}

impl Emulator {
    /// Starts one with `account` (a module of `tests/seed`). `None`, said on stderr, where Python has no moto;
    /// `make test` names a Python that has.
    ///
    /// # Panics
    /// Where `SOC2SCAN_PYTHON` names a Python that cannot do it, or where seeding fails: a test that should run
    /// must not pass by being skipped.
    pub(crate) fn start(account: &str) -> Option<Emulator> {
        let Some(python) = python() else {
            super::skipped(
                &format!("tests against the emulated account {account}"),
                "no Python with moto[server]; `make test` makes one",
            );
            return None;
        };
        let mut child = Command::new(&python)
            .arg(root().join("tests/seed/serve.py"))
            .arg(account)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", python.display()));
        let stdin = child.stdin.take().expect("piped");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its output");
        if line.is_empty() {
            let mut said = String::new();
            let _ = child.stderr.take().expect("piped").read_to_string(&mut said);
            panic!("tests/seed/serve.py {account} ended before it was ready:\n{said}");
        }
        drain(&mut child);
        let mut ready: Value = serde_json::from_str(&line).expect("one line of JSON");
        Some(Emulator {
            address: ready["address"].as_str().expect("its address").to_owned(),
            facts: ready["facts"].take(),
            child: Mutex::new(child),
            _stdin: stdin,
        })
    }

    /// The id that AWS chose for what the seeding script calls `name`.
    pub(crate) fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("the seeding script names no `{name}`"))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads away what the server logs, so that its pipe never fills.
fn drain(child: &mut Child) {
    if let Some(mut log) = child.stderr.take() {
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    }
}

/// The crate's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Python with moto: `SOC2SCAN_PYTHON`, else `.venv`, else the system's.
pub(crate) fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SOC2SCAN_PYTHON") {
        let named = PathBuf::from(named);
        assert!(has_moto(&named), "SOC2SCAN_PYTHON={}: it cannot import moto.server and boto3", named.display());
        return Some(named);
    }
    let own = root().join(".venv/bin/python");
    [own, PathBuf::from("python3")].into_iter().find(|p| has_moto(p))
}

fn has_moto(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import boto3, flask, moto"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
