//! The built program as a user meets it: help, exit codes, lists and completions. Nothing here needs AWS.

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The program in an empty folder, with nothing of the environment that could change what it says.
fn soc2scan(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_soc2scan"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn stdout(arguments: &[&str]) -> String {
    let output = soc2scan(folder().path()).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(arguments)).expect("JSON")
}

/// Asserts that the run ends with 2, says `message`, and ends stderr with the line that says so.
fn refused(folder: &Path, arguments: &[&str], message: &str) {
    let assert = soc2scan(folder).args(arguments).assert().code(2).stderr(predicate::str::contains(message));
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("soc2scan: exit 2: "), "{arguments:?}: {stderr}");
}

#[test]
fn the_help_of_every_command_is_as_published() {
    let commands: [&[&str]; 15] = [
        &[],
        &["scan"],
        &["collect"],
        &["evaluate"],
        &["demo"],
        &["rules"],
        &["rules", "list"],
        &["rules", "show"],
        &["rules", "test"],
        &["criteria"],
        &["resources"],
        &["resources", "list"],
        &["resources", "show"],
        &["permissions"],
        &["completions"],
    ];
    for command in commands {
        let name = [&["soc2scan"], command].concat().join("-");
        insta::assert_snapshot!(name, stdout(&[command, &["--help"]].concat()));
    }
}

#[test]
fn help_fits_into_a_terminal_of_a_hundred_columns() {
    for line in stdout(&["scan", "--help"]).lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(stdout(&["--version"]), concat!("soc2scan ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn no_command_at_all_is_a_mistake_that_shows_the_help() {
    refused(folder().path(), &[], "Usage: soc2scan");
}

#[test]
fn a_wrong_command_line_is_refused() {
    let folder = folder();
    for (arguments, message) in [
        (vec!["scna"], "scan"),
        (vec!["scan", "--regoins", "x"], "--regions"),
        (vec!["evaluate"], "SNAPSHOT"),
        (vec!["demo", "--as-of", "yesterday"], "RFC 3339"),
        (vec!["demo", "--as-of", "2026-03-31"], "RFC 3339"),
        (vec!["demo", "--fail-on", "hihg"], "high"),
        (vec!["demo", "--severity", "bad"], "bad"),
        (vec!["demo", "-f", "pdf"], "pdf"),
        (vec!["demo", "-q", "-v"], "cannot be used with"),
        (vec!["scan", "--max-rps", "0"], "--max-rps"),
    ] {
        refused(folder.path(), &arguments, message);
    }
}

#[test]
fn what_does_not_exist_is_refused_with_the_nearest_name() {
    let folder = folder();
    for (arguments, message) in [
        (vec!["rules", "show", "s3-bucket-versionin"], "did you mean `s3-bucket-versioning`"),
        (vec!["rules", "list", "--rules", "s3-bucket-versionin"], "did you mean `s3-bucket-versioning`"),
        (vec!["demo", "--rules", "nothing-like-it-*"], "there is no rule `nothing-like-it-*`"),
        (vec!["demo", "--rules", "./my/rules"], "--rules-dir ./my/rules"),
        (vec!["demo", "--rules", "s3-["], "no rule `s3-[`"),
        (vec!["demo", "--criteria", "CC6.9"], "did you mean `CC6."),
        (vec!["demo", "--services", "s33"], "did you mean `s3`"),
        (vec!["criteria", "CC66"], "there is no criterion `CC66`"),
        (vec!["resources", "show", "AWS::S3::Bukcet"], "did you mean `AWS::S3::Bucket`"),
        (vec!["demo", "--rules-dir", "no/such"], "no/such"),
        (vec!["demo", "--collectors-dir", "no/such"], "no/such"),
        (vec!["demo", "-c", "no-such.yaml"], "no-such.yaml"),
        (vec!["evaluate", "no-such.soc2"], "no-such.soc2"),
    ] {
        refused(folder.path(), &arguments, message);
    }
}

#[test]
fn a_selection_that_leaves_no_rule_is_refused_since_it_would_look_clean() {
    refused(folder().path(), &["demo", "--criteria", "CC1.1"], "the selection leaves no rule");
    refused(folder().path(), &["demo", "--services", "s3", "--rules", "ec2-*"], "the selection leaves no rule");
}

#[test]
fn a_mistake_in_the_configuration_is_shown_with_its_line() {
    let folder = folder();
    fs::write(
        folder.path().join("soc2scan.yaml"),
        "scope:\n  region: [eu-west-1]\nrules:\n  s3-bucket-versioning: { severity: hgih }\n",
    )
    .expect("written");
    refused(folder.path(), &["demo"], "soc2scan.yaml:2:3: there is no setting `region` here");
    refused(folder.path(), &["demo"], "did you mean `high`?");
    refused(folder.path(), &["demo"], "(and 1 more)");
    fs::write(folder.path().join("other.yaml"), "rules:\n  s3-bucket-versionin: {}\n").expect("written");
    refused(folder.path(), &["rules", "list", "-c", "other.yaml"], "other.yaml:2:3: there is no rule");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2, "nothing else was written");
}

#[test]
fn a_rule_that_the_configuration_leaves_out_is_named_with_its_reason() {
    let folder = folder();
    let text = "rules:\n  s3-bucket-versioning:\n    exclude: Kept elsewhere.\n";
    fs::write(folder.path().join("soc2scan.yaml"), text).expect("written");
    let listed = soc2scan(folder.path()).args(["rules", "list", "--services", "s3"]).assert().success();
    listed
        .stdout(predicate::str::contains("s3-bucket-versioning").not())
        .stderr(predicate::str::contains("s3-bucket-versioning is left out by the configuration: Kept elsewhere."));
}

#[test]
fn the_configuration_sets_parameters_and_severities() {
    let folder = folder();
    let rules = json(&["rules", "list", "-f", "json"]);
    let rules = rules.as_array().expect("a list");
    let with_number = |r: &&Value| r["params"].as_object().is_some_and(|p| p.values().any(Value::is_u64));
    let rule = rules.iter().find(with_number).expect("a rule with a numeric parameter");
    let (id, params) = (rule["id"].as_str().expect("text"), rule["params"].as_object().expect("a mapping"));
    let name = params.iter().find(|(_, v)| v.is_u64()).map(|(n, _)| n).expect("a number");
    let text = format!("rules:\n  {id}:\n    params: {{ {name}: 12345 }}\n    severity: informational\n");
    fs::write(folder.path().join("soc2scan.yaml"), text).expect("written");
    let shown = soc2scan(folder.path()).args(["rules", "show", id, "-f", "json"]).output().expect("it runs").stdout;
    let shown: Value = serde_json::from_slice(&shown).expect("JSON");
    assert_eq!((&shown["params"][name], &shown["severity"]), (&12345.into(), &"informational".into()));
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_work() {
    let folder = folder();
    fs::create_dir(folder.path().join("taken.json")).expect("a folder");
    for (arguments, message) in [
        (vec!["demo", "-o", "no/such/out.sarif"], "there is no folder no/such"),
        (vec!["demo", "-o", "taken.json"], "it is a folder"),
        (vec!["demo", "-o", "out.pdf"], "names no format"),
        (vec!["demo", "-o", "a.json", "-o", "a.json"], "given twice"),
        (vec!["collect", "-o", "no/such/account.soc2"], "there is no folder no/such"),
        (vec!["scan", "--snapshot", "no/such/account.soc2"], "there is no folder no/such"),
        (vec!["permissions", "-o", "no/such/policy.json"], "there is no folder no/such"),
    ] {
        refused(folder.path(), &arguments, message);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing was written");
}

#[test]
fn rules_are_listed_as_text_and_as_json() {
    let all = json(&["rules", "list", "-f", "json"]);
    let all = all.as_array().expect("a list");
    assert!(all.len() >= 60, "{} rules", all.len());
    let ids: Vec<&str> = all.iter().map(|r| r["id"].as_str().expect("text")).collect();
    assert!(ids.is_sorted());
    let text = stdout(&["rules", "list"]);
    let first: Vec<&str> = text.lines().map(|l| l.split_whitespace().next().unwrap_or_default()).collect();
    assert_eq!(first, ids);
    for rule in all {
        assert!(!rule["criteria"].as_array().expect("a list").is_empty(), "{}", rule["id"]);
    }
}

#[test]
fn selections_narrow_each_other_and_take_globs() {
    let ids = |arguments: &[&str]| -> Vec<Value> {
        let rules = json(&[&["rules", "list", "-f", "json"], arguments].concat());
        rules.as_array().expect("a list").clone()
    };
    let ec2 = ids(&["--rules", "ec2-*"]);
    assert!(!ec2.is_empty() && ec2.iter().all(|r| r["service"] == "ec2"));
    let both = ids(&["--services", "ec2,s3", "--severity", "critical", "--severity", "high"]);
    assert!(!both.is_empty());
    assert!(both.iter().all(|r| ["ec2", "s3"].iter().any(|s| r["service"] == *s)));
    assert!(both.iter().all(|r| ["critical", "high"].iter().any(|s| r["severity"] == *s)));
    let series = ids(&["--criteria", "CC7.*"]);
    let of_cc7 = |r: &Value| {
        r["criteria"].as_array().is_some_and(|c| c.iter().any(|c| c.as_str().is_some_and(|c| c.starts_with("CC7."))))
    };
    assert!(!series.is_empty() && series.iter().all(of_cc7));
    assert_eq!(ids(&["--criteria", "CC7"]), series);
}

#[test]
fn a_rule_is_shown_whole() {
    let text = stdout(&["rules", "show", "s3-bucket-versioning"]);
    for part in ["s3-bucket-versioning", "severity", "medium", "A1.2", "Why", "How to mend it"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(json(&["rules", "show", "s3-bucket-versioning", "-f", "json"])["id"], "s3-bucket-versioning");
}

#[test]
fn the_tests_in_the_rule_files_pass() {
    soc2scan(folder().path()).args(["rules", "test"]).assert().success().stdout("").stderr(
        predicate::str::is_match(r"^soc2scan: exit 0: \d{2,} tests of \d{2,} rules passed\n$").expect("a pattern"),
    );
}

#[test]
fn a_rule_of_the_users_own_is_judged_like_the_others_and_its_failing_test_is_shown() {
    let folder = folder();
    fs::create_dir(folder.path().join("mine")).expect("a folder");
    let rule = "\
id: s3-bucket-name-prefix
title: Bucket names begin with acme
resource: AWS::S3::Bucket
severity: low
relevance: hygiene
criteria: [CC6.1]
rationale: Names tell whose data it is.
assert: resource.Name.startsWith(\"acme-\")
message: \"Bucket '{name}' does not begin with acme-\"
remediation: { text: Create the bucket again under another name. }
tests:
  - { name: named as agreed, resource: { Name: acme-logs }, expect: pass }
  - { name: named otherwise, resource: { Name: logs }, expect: pass }
";
    fs::write(folder.path().join("mine/s3-bucket-name-prefix.yaml"), rule).expect("written");
    let arguments = ["rules", "test", "--rules-dir", "mine", "--rules", "s3-bucket-name-prefix"];
    soc2scan(folder.path())
        .args(arguments)
        .assert()
        .code(1)
        .stdout(
            predicate::str::contains("s3-bucket-name-prefix.yaml:13: ")
                .and(predicate::str::contains("named otherwise")),
        )
        .stderr(predicate::str::contains("soc2scan: exit 1: "));
}

#[test]
fn all_61_criteria_are_listed() {
    assert_eq!(stdout(&["criteria"]).lines().count(), 61);
    assert_eq!(json(&["criteria", "-f", "json"]).as_array().map(Vec::len), Some(61));
    let shown = stdout(&["criteria", "CC6.1"]);
    assert!(shown.contains("A person must supply:") && shown.contains("Rules, key:"), "{shown}");
    assert_eq!(json(&["criteria", "CC7.*", "-f", "json"]).as_array().map(Vec::len), Some(5));
}

#[test]
fn resource_types_are_listed_and_shown_with_their_actions() {
    let types = json(&["resources", "list", "-f", "json"]);
    let names: Vec<&str> = types.as_array().expect("a list").iter().filter_map(|t| t["type"].as_str()).collect();
    assert!(names.contains(&"AWS::S3::Bucket") && names.contains(&"AWS::IAM::User"), "{names:?}");
    let bucket = json(&["resources", "show", "AWS::S3::Bucket", "-f", "json"]);
    assert_eq!(bucket["members"]["Policy"]["actions"][0], "s3:GetBucketPolicy");
    for name in names.iter().filter(|n| n.starts_with("AWS::RDS::DB")) {
        assert!(stdout(&["resources", "show", name]).starts_with(*name), "{name}");
    }
}

#[test]
fn permissions_are_a_valid_iam_policy() {
    let policy = json(&["permissions"]);
    let policies: Vec<&Value> = policy.as_array().map_or_else(|| vec![&policy], |all| all.iter().collect());
    let action = regex::Regex::new("^[a-z0-9-]+:(Get|List|Describe|Lookup|Generate|Search|Batch|Select)[A-Za-z0-9]+$");
    let action = action.expect("a pattern");
    for policy in policies {
        assert_eq!(policy["Version"], "2012-10-17");
        assert!(policy.to_string().len() <= 6144, "a managed policy holds 6144 characters");
        for statement in policy["Statement"].as_array().expect("a list") {
            assert_eq!((&statement["Effect"], &statement["Resource"]), (&"Allow".into(), &"*".into()));
            let sid = statement["Sid"].as_str().expect("text");
            assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()), "{sid}");
            let actions: Vec<&str> =
                statement["Action"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            assert!(!actions.is_empty() && actions.is_sorted());
            for given in actions {
                assert!(action.is_match(given), "{given} is not an action that reads");
            }
        }
    }
}

#[test]
fn permissions_are_only_those_of_the_selected_rules() {
    let text = stdout(&["permissions", "--services", "s3"]);
    assert!(text.contains("s3:GetEncryptionConfiguration") && !text.contains("rds:"), "{text}");
}

#[test]
fn permissions_go_into_a_file() {
    let folder = folder();
    soc2scan(folder.path()).args(["permissions", "--services", "s3", "-o", "p.json"]).assert().success().stdout("");
    let written = fs::read_to_string(folder.path().join("p.json")).expect("written");
    assert_eq!(written, stdout(&["permissions", "--services", "s3"]));
}

#[test]
fn there_is_a_completion_script_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        assert!(script.contains("fail-on") && script.contains("permissions"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_soc2scan"))
        .args(["resources", "show", "AWS::RDS::DBInstance", "-f", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().expect("piped")).read_line(&mut first).expect("read");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_log_filter_that_is_none_is_refused() {
    let folder = folder();
    let mut command = soc2scan(folder.path());
    command.env("SOC2SCAN_LOG", "soc2scan=loud").args(["criteria"]);
    command.assert().code(2).stderr(predicate::str::contains("SOC2SCAN_LOG=soc2scan=loud"));
}

#[test]
fn the_demo_writes_its_reports_and_ends_with_0_unless_asked_to_fail() {
    let folder = folder();
    let demo = soc2scan(folder.path()).arg("demo").assert().success();
    let said = predicate::str::contains("soc2scan: exit 0: the demo ran; as a scan it would have been exit 1: ");
    demo.stdout(predicate::str::starts_with("soc2scan ")).stderr(said);
    let report = fs::read(folder.path().join("soc2scan-demo.json")).expect("written");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["criteria"].as_array().map(Vec::len), Some(61));
    let sarif = fs::read(folder.path().join("soc2scan-demo.sarif")).expect("written");
    assert_eq!(serde_json::from_slice::<Value>(&sarif).expect("JSON")["version"], "2.1.0");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2, "nothing else is left");

    for (fail_on, code) in [("informational", 1), ("never", 3)] {
        soc2scan(folder.path()).args(["demo", "-q", "-f", "json", "--fail-on", fail_on]).assert().code(code);
    }
}

#[test]
fn a_format_on_stdout_is_alone_there() {
    let report = json(&["demo", "-f", "json"]);
    assert!(report["results"].as_array().is_some_and(|r| r.iter().all(|r| r["verdict"] != "pass")));
    let all = json(&["demo", "-f", "json", "--all-verdicts"]);
    assert!(all["results"].as_array().is_some_and(|r| r.iter().any(|r| r["verdict"] == "pass")));
    assert_eq!(json(&["demo", "-f", "sarif", "--sarif-profile", "full"])["version"], "2.1.0");
    assert_eq!(stdout(&["demo", "-q", "-o", "a.json"]), "");
    let summary = stdout(&["demo", "-o", "-", "-f", "text"]);
    assert!(summary.lines().all(|l| l.chars().count() <= 80), "{summary}");
    assert!(!summary.contains('\u{1b}'), "no colour where nobody sees it");
}

#[test]
fn colour_is_there_when_it_is_asked_for() {
    let folder = folder();
    let coloured = predicate::str::contains("\u{1b}[");
    let demo = |more: &[&str]| {
        let mut command = soc2scan(folder.path());
        command.args(["demo", "-f", "text"]).args(more);
        command
    };
    demo(&["--color", "always"]).assert().success().stdout(coloured.clone());
    demo(&[]).env("CLICOLOR_FORCE", "1").assert().success().stdout(coloured.clone());
    demo(&["--color", "never"]).env("CLICOLOR_FORCE", "1").assert().success().stdout(coloured.not());
}

#[test]
fn the_same_account_gives_the_same_bytes() {
    let twice = [(); 2].map(|()| stdout(&["demo", "-f", "json", "--all-verdicts"]));
    assert!(twice[0] == twice[1]);
}

#[test]
fn the_time_to_judge_by_can_be_set() {
    let report = json(&["demo", "-f", "json", "--as-of", "2031-01-01T00:00:00+01:00"]);
    assert!(report.to_string().contains("2030-12-31T23:00:00Z"), "the report names it");
}

#[test]
fn a_narrow_run_makes_no_criterion_look_better() {
    let state = |report: &Value, id: &str| {
        let criteria = report["criteria"].as_array().expect("a list").clone();
        criteria.into_iter().find(|c| c["id"] == id).expect("there")["state"].clone()
    };
    let narrow = json(&["demo", "-f", "json", "--rules", "s3-bucket-versioning"]);
    assert_ne!(state(&narrow, "CC6.1"), "supported");
    let folder = folder();
    fs::write(folder.path().join("soc2scan.yaml"), "scope: { categories: [security] }\n").expect("written");
    let output = soc2scan(folder.path()).args(["demo", "-f", "json"]).output().expect("it runs").stdout;
    let scoped: Value = serde_json::from_slice(&output).expect("JSON");
    assert_eq!(state(&scoped, "A1.2"), "out_of_scope");
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_is_full_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_soc2scan"))
        .arg("criteria")
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status();
    assert_eq!(status.expect("it runs").code(), Some(2));
}

#[test]
fn the_configuration_in_the_documentation_works_as_printed() {
    let usage = include_str!("../docs/usage.md");
    let (_, rest) = usage.split_once("```yaml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let folder = folder();
    fs::write(folder.path().join("soc2scan.yaml"), example).expect("written");
    soc2scan(folder.path()).args(["rules", "list"]).assert().success().stderr(predicate::str::contains("is left out"));
}

#[test]
fn the_rules_in_the_examples_of_the_help_exist() {
    for rule in ["iam-root-mfa-enabled", "s3-bucket-kms-encryption"] {
        stdout(&["rules", "show", rule]);
    }
}

/// The verdicts of one rule on the demo's account, by the resource's id, and the report.
fn vendors_of_the_demo(register: &str) -> (Vec<(String, String, String)>, Value) {
    let folder = folder();
    fs::write(folder.path().join("soc2scan.yaml"), register).expect("a file");
    let arguments = ["demo", "--rules", "iam-role-cross-account-known", "--all-verdicts", "-f", "json"];
    let output = soc2scan(folder.path()).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let results = report["results"].as_array().expect("results").iter();
    let told = results.map(|r| (text(&r["resource"]["id"]), text(&r["verdict"]), text(&r["reason"])));
    (told.collect(), report)
}

#[test]
fn a_vendor_on_the_register_turns_a_question_into_a_pass() {
    let of = |register: &str| {
        let (told, report) = vendors_of_the_demo(register);
        let vendor = told.into_iter().find(|(id, ..)| id == "monitoring-vendor").expect("the role is there");
        (vendor.1, vendor.2, report["scan"]["register"].clone(), report["scan"]["rule_pack"]["digest"].clone())
    };
    let unsaid = of("");
    assert_eq!(unsaid.0, "manual", "{}", unsaid.1);
    assert!(unsaid.1.contains("555566667777"), "{}", unsaid.1);
    let none = of("register: { vendors: [] }");
    assert_eq!(none.0, "fail", "{}", none.1);
    let vendor = of("register: { vendors: [{ name: Datadog, purpose: metrics, accounts: ['555566667777'] }] }");
    assert_eq!(vendor.0, "pass", "{}", vendor.1);
    assert!(vendor.1.contains("Datadog (555566667777)"), "{}", vendor.1);
    assert_eq!(vendor.2["vendors"][0]["purpose"], "metrics");
    assert!(unsaid.2["digest"] != none.2["digest"] && none.2["digest"] != vendor.2["digest"]);
    assert_eq!(unsaid.3, vendor.3, "the rules are the same");
}

#[test]
fn a_vendor_with_a_hostile_name_stays_on_its_line() {
    let folder = folder();
    let register = "register: { vendors: [{ name: \"Data\\e[31m\\u202edog\\nPASS\", accounts: ['888899990000'] }] }";
    fs::write(folder.path().join("soc2scan.yaml"), register).expect("a file");
    let arguments = ["demo", "--rules", "iam-role-cross-account-external-id"];
    let output = soc2scan(folder.path()).args(arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("<U+001B>[31m<U+202E>"), "{text}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.lines().any(|l| l.starts_with("PASS")),
        "{text}"
    );
}

#[test]
fn a_rule_that_asks_the_register_says_so() {
    let shown = stdout(&["rules", "show", "kms-key-cross-account-known"]);
    assert!(shown.contains("Register (soc2scan.yaml: register)") && !shown.contains("Parameters"), "{shown}");
    assert!(!stdout(&["rules", "show", "iam-root-mfa-enabled"]).contains("soc2scan.yaml: register"));
    assert_eq!(json(&["rules", "show", "kms-key-cross-account-known", "-f", "json"])["asks_register"], true);
}
