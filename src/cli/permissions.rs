//! `permissions`: the least-privilege IAM policy for the selected rules.

use super::arguments::{Global, Permissions};
use super::console::Console;
use super::data::Sources;
use super::exit::End;
use super::failure::Failure;
use super::output::check_replaceable;
use super::{interrupt, listing, policy};
use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What every scan asks before anything else: which regions are enabled, and what the account is called.
/// (`sts:GetCallerIdentity` needs no permission.)
const ALWAYS: [&str; 2] = ["ec2:DescribeRegions", "iam:ListAccountAliases"];

/// Runs `permissions`.
pub(super) fn run(arguments: &Permissions, global: &Global, console: &Console) -> Result<End, Failure> {
    let sources = Sources::new(&arguments.data, global)?;
    let chosen = sources.choose(&arguments.selection, console)?;
    let mut actions = chosen.collectors.permissions(&chosen.needs());
    actions.extend(ALWAYS.map(str::to_owned));
    let policies = policy::allowing(&actions);
    match &arguments.output {
        Some(path) => write(path, &policies)?,
        None => print(&policies, console)?,
    }
    if policies.len() > 1 {
        console.note(&format!("{} policies, since one may hold 6144 characters: attach them all", policies.len()));
    }
    Ok(End::printed())
}

fn print(policies: &[Value], console: &Console) -> Result<(), Failure> {
    match policies {
        [only] => listing::print_json(console, only),
        several => listing::print_json(console, &Value::Array(several.to_vec())),
    }
}

fn write(path: &Path, policies: &[Value]) -> Result<(), Failure> {
    let files: Vec<(PathBuf, &Value)> = policies.iter().enumerate().map(|(n, p)| (numbered(path, n), p)).collect();
    Failure::any(files.iter().filter_map(|(path, _)| check_replaceable(path).err()))?;
    let _whole = interrupt::put_off();
    for (path, policy) in &files {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = tempfile::Builder::new().prefix(".soc2scan-").tempfile_in(folder).and_then(|mut file| {
            writeln!(file, "{policy:#}")?;
            file.persist(path).map(drop).map_err(|e| e.error)
        });
        written.map_err(|e| Failure::io(path, &e))?;
    }
    Ok(())
}

/// `policy.json`, `policy-2.json`, …
fn numbered(path: &Path, n: usize) -> PathBuf {
    if n == 0 {
        return path.to_path_buf();
    }
    let mut name = OsString::from(path.file_stem().unwrap_or_default());
    name.push(format!("-{}", n + 1));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_files_are_numbered_before_their_extension() {
        let name = |path, n| numbered(Path::new(path), n).to_str().expect("text").to_owned();
        assert_eq!(name("a/policy.json", 0), "a/policy.json");
        assert_eq!(name("a/policy.json", 1), "a/policy-2.json");
        assert_eq!(name("policy", 2), "policy-3");
    }
}
