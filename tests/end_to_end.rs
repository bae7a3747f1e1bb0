//! The whole program against two emulated accounts: one with something wrong of every kind, on which exactly the
//! expected verdicts are given, and one with nothing wrong, on which no rule fails.

mod support;

use serde_json::Value;
use soc2scan::inventory::{Outcome, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use support::emulator::{Emulator, root};
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::{Run, Scanner};
use support::verdicts::{Key, Verdicts, verdicts};

/// What stands in the accounts as a secret, and must never leave them.
const SECRET: &str = "hunter2-must-never-appear";

/// A scan of an account, with all that it wrote.
struct Scanned {
    emulator: Emulator,
    aws: FakeAws,
    scanner: Scanner,
    run: Run,
}

const FILES: [&str; 3] = ["r.json", "r.sarif", "r.txt"];

fn scan(account: &str, more: &[&str]) -> Option<Scanned> {
    let emulator = Emulator::start(account)?;
    let aws = FakeAws::before(&emulator);
    let scanner = Scanner::at(&aws.url());
    let fixed =
        ["scan", "--regions", "us-east-1,eu-west-1", "--all-verdicts", "--max-rps", "10000", "--snapshot", "a.soc2"];
    let files: Vec<&str> = FILES.iter().flat_map(|f| ["-o", f]).collect();
    let run = scanner.run(&[&fixed[..], &files, more].concat());
    Some(Scanned { emulator, aws, scanner, run })
}

#[test]
fn the_vulnerable_account_gets_exactly_the_expected_verdicts() {
    let Some(scanned) = scan("vulnerable", &[]) else { return };
    assert_eq!(scanned.run.code, 1, "there are findings:\n{}", scanned.run.stderr);
    let got = named(&verdicts(&scanned.scanner.json("r.json")), &scanned.emulator.facts);
    compare("vulnerable", &got);
    leaks_nothing(&scanned);
    ledger_is_complete(&scanned);
    judged_again_is_the_same(&scanned);
    permissions_suffice(&scanned);
}

#[test]
fn nothing_fails_on_the_clean_account() {
    let Some(scanned) = scan("clean", &["--fail-on", "informational"]) else { return };
    let verdicts = verdicts(&scanned.scanner.json("r.json"));
    let bad: Vec<String> = verdicts
        .iter()
        .filter(|(_, v)| matches!(v.verdict.as_str(), "fail" | "unknown"))
        .map(|(key, v)| format!("{} {key}: {}", v.verdict, v.reason))
        .collect();
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
    assert_eq!(scanned.run.code, 0, "{}", scanned.run.stderr);
    let passed: BTreeSet<&str> =
        verdicts.iter().filter(|(_, v)| v.verdict == "pass").map(|(key, _)| key.rule.as_str()).collect();
    assert!(passed.len() > 60, "only {} rules have a pass", passed.len());
    let sarif = scanned.scanner.json("r.sarif");
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(0), "one empty run");
}

/// Policies of the organization take away what an account's own policies give, but only where they were read: what could
/// not be read is never to an identity's credit.
#[test]
fn service_control_policies_count_only_where_they_were_read() {
    let Some(emulator) = Emulator::start("gallery") else { return };
    let aws = FakeAws::before(&emulator);
    let vendors = |faults: Vec<(On, Fault)>| -> BTreeMap<String, (String, String)> {
        aws.set(faults);
        let scanner = Scanner::at(&aws.url());
        let rule = ["--rules", "iam-role-cross-account-no-admin", "--all-verdicts", "--regions", "us-east-1"];
        let run = scanner.run(&[&["scan", "-o", "r.json"][..], &rule].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        let report = scanner.json("r.json");
        let evidence = |r: &Value| r["evidence"].as_array().cloned().unwrap_or_default();
        let of_policies = |r: &Value| evidence(r).iter().find(|e| e["path"] == "ServiceControlPolicies").cloned();
        let results = report["results"].as_array().expect("results").iter();
        let told = results.map(|r| {
            let verdict = r["verdict"].as_str().unwrap_or_default().to_owned();
            let policies = of_policies(r).map(|e| e["value"].to_string()).unwrap_or_default();
            (r["resource"]["name"].as_str().unwrap_or_default().to_owned(), (verdict, policies))
        });
        told.collect()
    };
    let read = vendors(Vec::new());
    let guarded = r#"["FullAWSAccess","guard"]"#.to_owned();
    assert_eq!(read["vendor"], ("pass".to_owned(), guarded.clone()), "the organization leaves it little");
    assert_eq!(read["break-glass"], ("fail".to_owned(), guarded), "the organization spares it");
    for operation in ["ListPoliciesForTarget", "ListParents", "DescribePolicy"] {
        let denied = vendors(vec![(On::operation("organizations", operation), Fault::Denied)]);
        let unread = r#"["(could not be read, and narrow nothing)"]"#.to_owned();
        assert_eq!(denied["vendor"], ("fail".to_owned(), unread), "{operation}");
    }
}

/// Verdicts by rule, verdict and the names of the resources, which are the same in every run.
type Named = BTreeMap<(String, String), BTreeSet<String>>;

/// Ids that AWS chose give way to the names that the seeding script has for them.
fn named(verdicts: &Verdicts, facts: &Value) -> Named {
    let names: BTreeMap<&str, &str> =
        facts.as_object().expect("facts").iter().filter_map(|(name, id)| Some((id.as_str()?, name.as_str()))).collect();
    let mut all = Named::new();
    for (Key { rule, region, id, .. }, verdict) in verdicts {
        let mut name = names.get(id.as_str()).map_or_else(|| id.clone(), |n| (*n).to_owned());
        // The name of an automated snapshot ends with the minute in which it was made.
        if let Some((database, _)) = name.strip_prefix("rds:").and_then(|n| n.rsplit_once("-20")) {
            name = format!("automated-of-{database}");
        }
        if id.starts_with("all ") || id == "default" {
            name = format!("{id}@{region}");
        }
        let name = name.replace(' ', "_");
        assert!(
            all.entry((rule.clone(), verdict.verdict.clone())).or_default().insert(name.clone()),
            "two resources are called {name}"
        );
    }
    all
}

/// Compares with `tests/expected/<account>.tsv`: rule, verdict, and the names of the resources that get it.
fn compare(account: &str, got: &Named) {
    if std::env::var_os("SOC2SCAN_SHOW_VERDICTS").is_some() {
        let rows = got.iter().map(|((rule, verdict), names)| {
            format!("{rule}\t{verdict}\t{}\n", names.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
        });
        std::fs::write(root().join(format!("target/{account}.tsv")), rows.collect::<String>())
            .expect("target is there");
    }
    let path = root().join(format!("tests/expected/{account}.tsv"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut expected = Named::new();
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let mut cells = line.split('\t').map(str::to_owned);
        let (Some(rule), Some(verdict), Some(names)) = (cells.next(), cells.next(), cells.next()) else {
            panic!("{account}.tsv: `{line}` has not three cells");
        };
        let names = names.split(' ').map(str::to_owned).collect();
        assert!(expected.insert((rule, verdict), names).is_none(), "{account}.tsv has `{line}` twice");
    }
    let mut differences = Vec::new();
    let keys: BTreeSet<_> = expected.keys().chain(got.keys()).collect();
    let none = BTreeSet::new();
    for key in keys {
        let (want, have) = (expected.get(key).unwrap_or(&none), got.get(key).unwrap_or(&none));
        differences.extend(want.difference(have).map(|n| format!("{} should be {} on {n}", key.0, key.1)));
        differences.extend(have.difference(want).map(|n| format!("{} should not be {} on {n}", key.0, key.1)));
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// No secret of the account is in anything that was written or printed.
fn leaks_nothing(scanned: &Scanned) {
    let mut texts =
        vec![("stdout".to_owned(), scanned.run.stdout.clone()), ("stderr".to_owned(), scanned.run.stderr.clone())];
    for file in FILES {
        texts.push((file.to_owned(), std::fs::read_to_string(scanned.scanner.file(file)).expect(file)));
    }
    let packed = std::fs::read(scanned.scanner.file("a.soc2")).expect("the snapshot");
    let snapshot = String::from_utf8(zstd::decode_all(&packed[..]).expect("zstd")).expect("UTF-8");
    assert!(snapshot.contains("API_TOKEN"), "the names of environment variables are kept");
    texts.push(("the snapshot".to_owned(), snapshot));
    for (name, text) in texts {
        for secret in [SECRET, "aHVudGVyMi1tdXN0LW5ldmVyLWFwcGVhcg", "wJalrXUtnFEMI"] {
            assert!(!text.contains(secret), "{name} has a secret in it");
        }
    }
}

/// Every request that reached AWS is in the ledger.
fn ledger_is_complete(scanned: &Scanned) {
    let snapshot = Snapshot::read(&scanned.scanner.file("a.soc2")).expect("a whole snapshot");
    let attempts: u32 = snapshot.ledger.iter().map(|e| e.attempts).sum();
    assert_eq!(attempts as usize, scanned.aws.seen().len(), "attempts in the ledger, and requests seen");
    let known: BTreeSet<&str> = snapshot.ledger.iter().map(|e| e.operation.as_str()).collect();
    let seen = scanned.aws.seen();
    let asked: BTreeSet<&str> = seen.iter().map(|a| a.operation.as_str()).collect();
    assert_eq!(known, asked);
    assert!(snapshot.ledger.iter().all(|e| !e.sha256.is_empty() && e.attempts > 0), "every answer has its digest");
    assert!(snapshot.ledger.iter().all(|e| e.outcome != Outcome::Denied), "nothing was denied");
    assert_eq!(scanned.aws.strangers(), BTreeSet::new(), "requests that no model knows");
}

/// The kept snapshot gives the same bytes, as often as one likes.
fn judged_again_is_the_same(scanned: &Scanned) {
    let files: Vec<String> = FILES.iter().map(|f| format!("again-{f}")).collect();
    let outputs: Vec<&str> = files.iter().flat_map(|f| ["-o", f]).collect();
    let run = scanned.scanner.run(&[&["evaluate", "a.soc2", "--all-verdicts"][..], &outputs].concat());
    assert_eq!(run.code, scanned.run.code, "{}", run.stderr);
    for (first, again) in FILES.iter().zip(&files) {
        let read = |name: &str| std::fs::read(scanned.scanner.file(name)).expect("a report");
        assert!(read(first) == read(again), "{first} is not the same when judged again");
    }
}

/// The policy that `permissions` prints allows every call that was made.
fn permissions_suffice(scanned: &Scanned) {
    let run = scanned.scanner.run(&["permissions"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let snapshot = Snapshot::read(&scanned.scanner.file("a.soc2")).expect("a whole snapshot");
    let mut services: BTreeSet<&str> = snapshot.ledger.iter().map(|e| e.service.as_str()).collect();
    // Everybody may ask who they are.
    services.remove("sts");
    for service in services {
        assert!(run.stdout.contains(&format!("\"{service}:")), "no action of {service} in the policy:\n{}", run.stdout);
    }
}
