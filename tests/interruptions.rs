//! A scan that is interrupted on its way, by ended credentials, throttling, silence or a broken answer, ends in
//! time, says what it did not see, and never calls the rest the whole.

mod support;

use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::emulator::Emulator;
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::{Run, Scanner};
use support::verdicts::{Verdicts, verdicts};

static EMULATOR: OnceLock<Option<Emulator>> = OnceLock::new();

/// The account that all tests here share.
fn aws() -> Option<FakeAws> {
    EMULATOR.get_or_init(|| Emulator::start("clean")).as_ref().map(FakeAws::before)
}

const SCAN: [&str; 11] = [
    "scan",
    "--all-verdicts",
    "--regions",
    "us-east-1,eu-west-1",
    "--fail-on",
    "never",
    "--max-rps",
    "10000",
    "-o",
    "r.json",
    "-q",
];

fn scan(aws: &FakeAws) -> (Run, Verdicts) {
    let scanner = Scanner::at(&aws.url()).with("AWS_MAX_ATTEMPTS", "2");
    let run = scanner.run(&SCAN);
    assert!(matches!(run.code, 0 | 3), "exit code {}:\n{}", run.code, run.stderr);
    let report = scanner.json("r.json");
    (run, verdicts(&report))
}

/// The rules that have an unknown verdict in a region.
fn unknown<'v>(verdicts: &'v Verdicts, region: &'v str) -> impl Iterator<Item = &'v str> {
    let there = verdicts.iter().filter(move |(key, v)| key.region == region && v.verdict == "unknown");
    there.map(|(key, _)| key.rule.as_str())
}

#[test]
fn credentials_that_expire_on_the_way_leave_unknowns_and_no_failures() {
    let Some(aws) = aws() else { return };
    aws.set([(On { after: 40, ..On::default() }, Fault::Expired)]);
    let (run, verdicts) = scan(&aws);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("expired"), "stderr does not say why:\n{}", run.stderr);
    assert!(verdicts.values().any(|v| v.verdict == "unknown" && v.reason.contains("expired")));
    assert!(!verdicts.values().any(|v| v.verdict == "fail"), "a clean account has no failure, expired or not");
}

#[test]
fn a_region_that_throttles_for_a_while_is_read_in_the_end() {
    let Some(aws) = aws() else { return };
    aws.set([]);
    let (_, whole) = scan(&aws);
    aws.set([(On { service: "ec2".into(), region: "eu-west-1".into(), ..On::default() }, Fault::Throttled(1))]);
    assert_eq!(scan(&aws).1, whole);
}

#[test]
fn a_service_that_throttles_for_ever_in_one_region_is_unknown_there_and_known_elsewhere() {
    let Some(aws) = aws() else { return };
    aws.set([]);
    let (_, whole) = scan(&aws);
    let everything = On { service: "ec2".into(), region: "eu-west-1".into(), ..On::default() };
    aws.set([(everything, Fault::Throttled(u32::MAX))]);
    let (run, verdicts) = scan(&aws);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(unknown(&verdicts, "eu-west-1").any(|rule| rule.starts_with("ec2-")));
    for (key, was) in whole.iter().filter(|(key, _)| key.region == "us-east-1") {
        assert_eq!(verdicts.get(key).map(|v| &v.verdict), Some(&was.verdict), "{key}");
    }
}

#[test]
fn a_region_that_never_answers_is_bounded_and_reported() {
    let Some(aws) = aws() else { return };
    aws.set([(On::region("eu-west-1"), Fault::Silent)]);
    let started = Instant::now();
    let (run, verdicts) = scan(&aws);
    assert!(started.elapsed() < Duration::from_secs(150), "it took {:?}", started.elapsed());
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(unknown(&verdicts, "eu-west-1").count() > 0);
    let here = verdicts.iter().filter(|(key, v)| key.region == "us-east-1" && v.verdict == "pass").count();
    assert!(here > 20, "only {here} passes in the region that answered");
}

#[test]
fn an_answer_that_breaks_off_is_never_read_as_a_short_one() {
    let Some(aws) = aws() else { return };
    for (service, operation) in
        [("ec2", "DescribeVolumes"), ("s3", "ListBuckets"), ("kms", "ListKeys"), ("sns", "ListTopics")]
    {
        aws.set([(On::operation(service, operation), Fault::CutOff)]);
        let (run, verdicts) = scan(&aws);
        assert_eq!(run.code, 3, "{service}:{operation}: {}", run.stderr);
        let unknown = verdicts
            .values()
            .filter(|v| v.verdict == "unknown" && v.actions.iter().any(|a| a.contains(&operation[4..8])));
        assert!(unknown.count() > 0, "{service}:{operation} was cut off, and nothing is unknown for it");
    }
}

#[test]
fn a_page_token_that_repeats_ends_the_listing_as_incomplete() {
    let Some(aws) = aws() else { return };
    let page = r#"{"Keys":[],"Truncated":true,"NextMarker":"again"}"#;
    aws.set([(On::operation("kms", "ListKeys"), Fault::Instead(200, "application/x-amz-json-1.1", page.into()))]);
    let (run, verdicts) = scan(&aws);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(unknown(&verdicts, "us-east-1").any(|rule| rule.starts_with("kms-")));
    let asked = aws.seen().iter().filter(|a| a.operation == "ListKeys").count();
    assert!(asked < 20, "ListKeys was asked {asked} times");
}

#[test]
fn empty_pages_with_a_token_are_followed_to_the_page_that_has_something() {
    let Some(aws) = aws() else { return };
    aws.set([]);
    let (_, whole) = scan(&aws);
    // Each of the two regions is given one empty page first.
    let page = |region: &str| {
        let on = On { service: "kms".into(), operation: "ListKeys".into(), region: region.into(), after: 0 };
        (on, Fault::Once(200, "application/x-amz-json-1.1", r#"{"Keys":[],"Truncated":true,"NextMarker":"1"}"#.into()))
    };
    aws.set([page("us-east-1"), page("eu-west-1")]);
    assert_eq!(scan(&aws).1, whole);
}

#[test]
fn an_answer_that_is_no_answer_is_unknown() {
    let Some(aws) = aws() else { return };
    for (operation, body) in [("DescribeVolumes", "<html>captive portal</html>"), ("DescribeSnapshots", "")] {
        aws.set([(On::operation("ec2", operation), Fault::Instead(200, "text/html", body.into()))]);
        let (run, verdicts) = scan(&aws);
        assert_eq!(run.code, 3, "{operation}: {}", run.stderr);
        assert!(unknown(&verdicts, "us-east-1").count() > 0, "{operation} answered `{body}`, and all is known");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_scan_at_once_and_leaves_no_file_half_written() {
    let Some(aws) = aws() else { return };
    aws.set([(On::operation("ec2", "DescribeInstances"), Fault::Silent)]);
    let scanner = Scanner::at(&aws.url());
    std::fs::write(scanner.file("r.json"), "an earlier report").expect("written");
    let run = scanner.begin(&[&SCAN[..], &["--snapshot", "account.soc2"]].concat());
    let began = Instant::now();
    while !aws.seen().iter().any(|asked| asked.operation == "DescribeInstances") {
        assert!(began.elapsed() < Duration::from_secs(60), "the scan never got that far");
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let asked = Instant::now();
    let output = run.wait_with_output().expect("its end");
    assert!(asked.elapsed() < Duration::from_secs(10), "it went on for {:?}", asked.elapsed());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted; no file is half written"), "{stderr}");
    assert_eq!(scanner.files(), ["r.json"]);
    assert_eq!(std::fs::read_to_string(scanner.file("r.json")).expect("read"), "an earlier report");
}
