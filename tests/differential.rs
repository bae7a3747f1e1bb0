//! Every declared collector reads from the emulator what boto3 reads: the same resources, the same members, the
//! same values of the same types. `tests/differential.py` follows the declarations a second time.

mod support;

use serde_json::{Value, json};
use soc2scan::collect::Collectors;
use soc2scan::inventory::Snapshot;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::emulator::{Emulator, python, root};
use support::fake_aws::FakeAws;
use support::scanner::Scanner;

#[test]
fn every_collector_reads_what_boto3_reads() {
    let mut compared = std::collections::BTreeMap::new();
    for account in ["vulnerable", "clean", "gallery"] {
        let Some(emulator) = Emulator::start(account) else { return };
        let aws = FakeAws::before(&emulator);
        let snapshot = collect_everything(&aws);
        let (differences, counts) = compare(&aws, &snapshot);
        assert_eq!(differences, Vec::<String>::new(), "account {account}: {} differences", differences.len());
        assert_eq!(aws.strangers(), std::collections::BTreeSet::new());
        for (name, count) in counts.as_object().expect("counts by type") {
            *compared.entry(name.clone()).or_insert(0) += count[0].as_u64().expect("a number of resources");
        }
    }
    let empty: Vec<&str> = compared.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
    assert_eq!(empty, Vec::<&str>::new(), "types that were compared without a resource: put one into the gallery");
}

#[test]
fn it_would_see_a_difference() {
    let Some(emulator) = Emulator::start("clean") else { return };
    let aws = FakeAws::before(&emulator);
    let truth = collect_everything(&aws);
    let volume = truth.resources.iter().position(|r| r.resource_type == "AWS::EC2::Volume").expect("a volume");
    type Change = fn(&mut Snapshot, usize);
    let changes: [(&str, Change); 5] = [
        ("a value", |s, n| s.resources[n].document["Encrypted"] = json!(false)),
        ("a type", |s, n| s.resources[n].document["Size"] = json!("8")),
        ("a member less", |s, n| drop(s.resources[n].document.remove("State"))),
        ("a member more", |s, n| drop(s.resources[n].document.insert("Secret".into(), json!(1)))),
        ("a resource less", |s, n| drop(s.resources.remove(n))),
    ];
    for (name, change) in changes {
        let mut altered = truth.clone();
        change(&mut altered, volume);
        let (differences, _) = compare(&aws, &altered);
        assert_eq!(differences.len(), 1, "{name}: {differences:?}");
    }
}

/// A snapshot with every member of every type: by rules that read them all.
fn collect_everything(aws: &FakeAws) -> Snapshot {
    let scanner = Scanner::at(&aws.url());
    let folder = scanner.file("rules");
    for (n, (name, schema)) in Collectors::load_embedded().expect("collectors").schemas().types.iter().enumerate() {
        let members: Vec<String> = schema.members.keys().map(|m| format!("has(resource.{m})")).collect();
        let service = folder.join("everything");
        std::fs::create_dir_all(&service).expect("a folder");
        std::fs::write(service.join(format!("reads-all-{n}.yaml")), rule(n, name, &members)).expect("a rule file");
    }
    let arguments = ["collect", "--rules-dir", "rules", "--rules", "reads-all-*", "--regions", "us-east-1,eu-west-1"];
    let run = scanner.run(&[&arguments[..], &["--max-rps", "10000", "-o", "everything.soc2"]].concat());
    assert!(run.code == 0 || run.code == 3, "collect ended with {}:\n{}", run.code, run.stderr);
    Snapshot::read(&scanner.file("everything.soc2")).expect("a whole snapshot")
}

fn rule(n: usize, resource_type: &str, members: &[String]) -> String {
    let mut text = String::new();
    let condition = if members.is_empty() { "true".to_owned() } else { members.join(" || ") };
    write!(
        text,
        "id: reads-all-{n}\ntitle: It reads every member of {resource_type}\nresource: {resource_type}\n\
         severity: informational\nrelevance: hygiene\ncriteria: [CC7.2]\nrationale: It is for a test.\n\
         assert: {condition}\nmessage: \"'{{name}}' has no member\"\nremediation: {{ text: None is needed. }}\n"
    )
    .expect("a string takes it");
    text
}

/// What differs, and how much was compared.
fn compare(aws: &FakeAws, snapshot: &Snapshot) -> (Vec<String>, Value) {
    let mut child = Command::new(python().expect("it seeded the account"))
        .arg(root().join("tests/differential.py"))
        .arg(aws.url())
        .arg(root().join("collectors"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut input = child.stdin.take().expect("piped");
    let populations = snapshot.populations.iter().map(|p| json!({ "population": p }));
    let resources = snapshot.resources.iter().map(|r| json!({ "resource": r }));
    for line in populations.chain(resources) {
        writeln!(input, "{line}").expect("Python reads it");
    }
    drop(input);
    let output = child.wait_with_output().expect("Python ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let counts = lines.pop().and_then(|last| serde_json::from_str(&last).ok());
    (lines, counts.expect("it ends with what it compared"))
}
