//! The rule pack proves itself: every rule loads against the collectors' schemas, and passes its own tests.

use soc2scan::collect::Collectors;
use soc2scan::model::schema::ResourceSchemas;
use soc2scan::rules::{LoadError, RulePack};
use std::fs;
use std::path::{Path, PathBuf};

fn schemas() -> ResourceSchemas {
    Collectors::load_embedded().expect("the embedded collectors load").schemas()
}

/// The rule files as they are in the tree: nothing need be built again to test a changed rule. `SOC2SCAN_TEST_RULES`
/// narrows to the ids that begin so.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let only = std::env::var("SOC2SCAN_TEST_RULES").unwrap_or_default();
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&root).expect("rules/ is there") {
        let folder = entry.expect("an entry").path();
        if folder.is_dir() {
            paths.extend(fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()));
        }
    }
    paths.retain(|p| {
        let name = p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.ends_with(".yaml") && name.starts_with(&only)
    });
    paths.sort();
    paths
        .into_iter()
        .map(|p| {
            let name = p.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&p).display().to_string();
            (name, fs::read_to_string(&p).expect("a readable file"))
        })
        .collect()
}

fn help(error: &dyn miette::Diagnostic) -> String {
    error.help().map(|h| format!(" ({h})")).unwrap_or_default()
}

fn pack(schemas: &ResourceSchemas) -> RulePack {
    RulePack::from_texts(texts(), schemas).unwrap_or_else(|e| match e {
        LoadError::Mistakes(m) => {
            let lines: Vec<String> = m.errors.iter().map(|e| format!("{e}{}", help(e))).collect();
            panic!("{}", lines.join("\n"))
        }
        other => panic!("{other}"),
    })
}

#[test]
fn every_rule_passes_the_tests_in_its_file() {
    let schemas = schemas();
    let outcomes = pack(&schemas).test(&schemas);
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|o| o.failure.as_ref().map(|f| format!("{}:{}: {}: {f}", o.file, o.line, o.name)))
        .collect();
    assert!(failures.is_empty(), "{} of {} tests fail:\n{}", failures.len(), outcomes.len(), failures.join("\n"));
}

#[test]
fn every_rule_is_written_down_in_full() {
    let schemas = schemas();
    let pack = pack(&schemas);
    let mut faults = Vec::new();
    for rule in &pack.rules {
        let mut must = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{}: {what}", rule.id));
            }
        };
        let file = rule.file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        must(file == rule.id, "the file is named after the rule");
        let folder = rule.file.parent().and_then(Path::file_name).map(|s| s.to_string_lossy().into_owned());
        must(folder.as_deref() == Some(rule.service.as_str()), "the folder is named after the service");
        must(!rule.title.is_empty() && rule.title.len() <= 80 && !rule.title.ends_with('.'), "a short title");
        must(rule.rationale.len() >= 40, "a rationale that an auditor can accept");
        must(rule.remediation.text.len() >= 30, "a remediation that says what to do");
        must(!rule.references.is_empty(), "a reference");
        must(rule.references.iter().all(|r| r.starts_with("https://")), "references are https links");
        must(rule.criteria.len() <= 4, "at most four criteria");
        let known =
            ["prowler", "turbot", "securityhub", "aws-config", "cis-aws-7.0", "nist-800-53-r5", "iso-27001-2022"];
        must(rule.equivalents.keys().all(|k| known.contains(&k.as_str())), "equivalents under known names");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
