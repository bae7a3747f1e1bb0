//! The program, run as a user runs it: the built binary, an environment of its own, a folder of its own.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long a run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(180);

/// A folder to run in and the environment to run with.
pub(crate) struct Scanner {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; -1 where a signal ended it.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said on the side.
    pub(crate) stderr: String,
}

impl Scanner {
    /// With credentials for the AWS at `url`.
    pub(crate) fn at(url: &str) -> Scanner {
        Scanner::bare()
            .with("AWS_ENDPOINT_URL", url)
            .with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .with("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .with("AWS_REGION", "us-east-1")
    }

    /// With nothing: no credentials, no region, an empty home.
    pub(crate) fn bare() -> Scanner {
        let folder = TempDir::new().expect("a temporary folder");
        let home = folder.path().to_string_lossy().into_owned();
        let scanner = Scanner { folder, environment: BTreeMap::new() };
        scanner.with("HOME", &home).with("AWS_EC2_METADATA_DISABLED", "true").with("NO_COLOR", "1")
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Scanner {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable.
    pub(crate) fn without(mut self, name: &str) -> Scanner {
        self.environment.remove(name);
        self
    }

    /// The folder that it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in that folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// Where it hangs, or prints what is no UTF-8.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_soc2scan"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .timeout(PATIENCE)
            .output()
            .unwrap_or_else(|e| panic!("soc2scan {}: {e}", arguments.join(" ")));
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        }
    }

    /// Begins a run, to be ended from outside.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_soc2scan"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("soc2scan {}: {e}", arguments.join(" ")))
    }

    /// The JSON file `name` that a run has written.
    pub(crate) fn json(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The names of the files in its folder, hidden ones too, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .expect("its folder")
            .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}
