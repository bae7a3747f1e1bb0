//! No green without proof: with each operation denied in turn, no verdict that depends on it stays a pass or becomes a
//! failure. It becomes unknown, names the IAM action, and the account is withheld from code scanning.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use support::emulator::Emulator;
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::{Run, Scanner};
use support::verdicts::{Verdict, Verdicts, verdicts};

/// Operations without which there is no scan at all.
const INDISPENSABLE: [(&str, &str, &str); 1] = [("sts", "GetCallerIdentity", "who is asking is not known: exit 2")];

/// Operations whose denial turns no verdict of this account, each with its reason.
const WITHOUT_EFFECT: [(&str, &str, &str); 0] = [];

const REGIONS: &str = "us-east-1,eu-west-1";

/// By rule, resource and region: what a verdict was, and what it is now.
type Turned<'v> = BTreeMap<&'v (String, String, String), (Option<&'v Verdict>, Option<&'v Verdict>)>;

/// What a scan came to.
struct Scanned {
    run: Run,
    verdicts: Verdicts,
    sarif_runs: usize,
}

fn scan(aws: &FakeAws) -> Scanned {
    let scanner = Scanner::at(&aws.url()).with("AWS_MAX_ATTEMPTS", "1");
    let run = scanner.run(&[
        "scan",
        "--regions",
        REGIONS,
        "--all-verdicts",
        "--fail-on",
        "never",
        "--max-rps",
        "10000",
        "-o",
        "r.json",
        "-o",
        "r.sarif",
    ]);
    let report = scanner.json("r.json");
    let runs = scanner.json("r.sarif")["runs"].as_array().map_or(0, Vec::len);
    Scanned { run, verdicts: verdicts(&report), sarif_runs: runs }
}

#[test]
fn a_denied_operation_never_lets_a_dependent_verdict_pass_or_fail() {
    let mut useless = BTreeSet::new();
    let mut wrong = Vec::new();
    for account in ["vulnerable", "clean"] {
        let Some(emulator) = Emulator::start(account) else { return };
        let aws = FakeAws::before(&emulator);
        aws.set([]);
        let whole = scan(&aws);
        let operations = aws.operations();
        assert!(operations.len() > 60, "only {} operations are used", operations.len());
        for (service, operation) in &operations {
            if INDISPENSABLE.iter().any(|(s, o, _)| (*s, *o) == (service, operation)) {
                continue;
            }
            aws.set([(On::operation(service, operation), Fault::Denied)]);
            let denied = scan(&aws);
            let turned = turned(&whole.verdicts, &denied.verdicts);
            let name = format!("{account}: {service}:{operation} denied");
            wrong.extend(faults(&turned).into_iter().map(|f| format!("{name}: {f}")));
            if turned.is_empty() {
                useless.insert((service.clone(), operation.clone()));
                continue;
            }
            useless.remove(&(service.clone(), operation.clone()));
            wrong.extend(consequences(&denied).into_iter().map(|f| format!("{name}: {f}")));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let reasoned: BTreeSet<_> = WITHOUT_EFFECT.iter().map(|(s, o, _)| ((*s).to_owned(), (*o).to_owned())).collect();
    assert_eq!(useless, reasoned, "operations whose denial turned no verdict");
}

/// The verdicts that are not what they were, with what they are now; `None` for those that are gone.
fn turned<'v>(whole: &'v Verdicts, denied: &'v Verdicts) -> Turned<'v> {
    let keys: BTreeSet<_> = whole.keys().chain(denied.keys()).collect();
    let pairs = keys.into_iter().map(|k| (k, (whole.get(k), denied.get(k))));
    pairs.filter(|(_, (was, is))| was.map(|v| &v.verdict) != is.map(|v| &v.verdict)).collect()
}

/// What must not have happened.
fn faults(turned: &Turned<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    // A resource that could not be listed has no verdict of its own: then its population has one, which is unknown.
    let unlisted: BTreeSet<&str> = turned
        .iter()
        .filter(|((_, id, _), (_, is))| id.starts_with("all ") && is.is_some())
        .map(|((rule, ..), _)| rule.as_str())
        .collect();
    for ((rule, id, region), (was, is)) in turned {
        let was = was.map_or("nothing", |v| v.verdict.as_str());
        match is {
            None if unlisted.contains(rule.as_str()) => {}
            None => faults.push(format!("{rule} on {id} in {region}: the {was} is gone")),
            Some(v) if v.verdict != "unknown" => {
                faults.push(format!("{rule} on {id} in {region}: {was} became {} ({})", v.verdict, v.reason));
            }
            Some(v) if v.actions.is_empty() => {
                faults.push(format!("{rule} on {id} in {region}: unknown names no action: {}", v.reason));
            }
            Some(_) => {}
        }
    }
    faults
}

/// What must follow from a verdict that turned unknown.
fn consequences(denied: &Scanned) -> Vec<String> {
    let mut faults = Vec::new();
    if denied.run.code != 3 {
        faults.push(format!("exit code {}, not 3", denied.run.code));
    }
    if denied.sarif_runs != 0 {
        faults.push("the incomplete account is in the SARIF file for GitHub".to_owned());
    }
    faults
}
