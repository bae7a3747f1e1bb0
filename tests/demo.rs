//! The recorded account inside the program: what `soc2scan demo` shows of it, and how it is recorded.
//!
//! It is two accounts of one company, both emulated: production, which was read completely, and a sandbox where one
//! action was denied, so that its verdicts on that are unknown and code scanning is not told about it.

mod support;

use soc2scan::inventory::Snapshot;
use support::emulator::{Emulator, root};
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::Scanner;
use support::verdicts::verdicts;

const RECORDING: &str = "testdata/demo/account.soc2";
const REGIONS: &str = "us-east-1,us-west-2,eu-west-1";
/// Who reads, in place of the emulator's own user.
const PRINCIPAL: &str = "arn:aws:sts::111122223333:assumed-role/soc2scan-audit/nightly";

#[test]
#[ignore = "writes the recording anew; run it by `make demo-recording` after rules have come to need more"]
fn record() {
    let production = collect("acme", &[]).expect("`make demo-recording` names a Python with moto");
    let denied = (On::operation("s3", "GetBucketPolicy"), Fault::Denied);
    let sandbox = collect("sandbox", &[denied]).expect("it was there a moment ago");
    let mut both = production;
    both.header.finished = both.header.finished.max(sandbox.header.finished);
    both.header.principal = PRINCIPAL.into();
    both.header.accounts.extend(sandbox.header.accounts);
    both.populations.extend(sandbox.populations);
    both.resources.extend(sandbox.resources);
    both.ledger.extend(sandbox.ledger);
    both.sort();
    both.write(&root().join(RECORDING)).expect("the recording can be written");
}

fn collect(account: &str, faults: &[(On, Fault)]) -> Option<Snapshot> {
    let emulator = Emulator::start(account)?;
    let aws = FakeAws::before(&emulator);
    aws.set(faults.to_vec());
    let scanner = Scanner::at(&aws.url());
    let run = scanner.run(&["collect", "--regions", REGIONS, "--max-rps", "10000", "-o", "one.soc2"]);
    assert!(matches!(run.code, 0 | 3), "collect ended with {}:\n{}", run.code, run.stderr);
    Some(Snapshot::read(&scanner.file("one.soc2")).expect("a whole snapshot"))
}

#[test]
fn it_shows_passes_failures_and_what_could_not_be_read() {
    let scanner = Scanner::bare();
    let run = scanner.run(&["demo", "--all-verdicts", "-o", "d.json", "-o", "d.sarif"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let verdicts = verdicts(&scanner.json("d.json"));
    for kind in ["pass", "fail", "unknown", "not_applicable"] {
        let count = verdicts.values().filter(|v| v.verdict == kind).count();
        assert!(count > 1, "{count} verdicts are {kind}");
    }
    let unknown: std::collections::BTreeSet<&str> =
        verdicts.values().flat_map(|v| v.actions.iter().map(String::as_str)).collect();
    assert_eq!(unknown, ["s3:GetBucketPolicy"].into(), "the one action that was denied");
}

#[test]
fn the_account_that_was_not_read_completely_is_not_in_its_sarif_file() {
    let scanner = Scanner::bare();
    scanner.run(&["demo", "-o", "d.sarif"]);
    let text = std::fs::read_to_string(scanner.file("d.sarif")).expect("the file");
    assert!(text.contains("111122223333"));
    assert!(!text.contains("444455556666"));
}

#[test]
fn no_rule_asks_for_what_was_not_recorded() {
    let scanner = Scanner::bare();
    scanner.run(&["demo", "--all-verdicts", "-o", "d.json"]);
    let missing: Vec<String> = verdicts(&scanner.json("d.json"))
        .into_iter()
        .filter(|(_, v)| v.reason.contains("not collected"))
        .map(|(key, v)| format!("{key}: {}", v.reason))
        .collect();
    assert!(missing.is_empty(), "record it anew with `make demo-recording`:\n{}", missing.join("\n"));
}
