//! Bad input is told plainly, ends with exit code 2, and leaves nothing half-written behind.

mod support;

#[path = "../benches/support/synthetic.rs"]
mod synthetic;

use support::emulator::Emulator;
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::{Run, Scanner};

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/scanner</Arn><UserId>AIDAEXAMPLE</UserId>\
    <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// An AWS that knows who asks, and nothing else.
fn aws() -> FakeAws {
    let aws = FakeAws::alone();
    aws.set([(On::operation("sts", "GetCallerIdentity"), Fault::Instead(200, "text/xml", IDENTITY.into()))]);
    aws
}

/// It could not run, says why in `words`, and wrote no file but those of `left`.
#[track_caller]
fn refused(scanner: &Scanner, run: &Run, words: &[&str], left: &[&str]) {
    assert_eq!(run.code, 2, "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "stderr does not say `{word}`:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert!(!run.stderr.contains("wJalrXUtnFEMI"), "the secret key is in the message");
    assert_eq!(scanner.files(), left, "files in the folder");
}

#[test]
fn no_credentials() {
    let scanner = Scanner::bare().with("AWS_REGION", "us-east-1");
    let run = scanner.run(&["scan", "-o", "r.json"]);
    refused(&scanner, &run, &["no AWS credentials were found", "AWS_ACCESS_KEY_ID"], &[]);
}

#[test]
fn expired_credentials() {
    let aws = FakeAws::alone();
    aws.set([(On::default(), Fault::Expired)]);
    let scanner = Scanner::at(&aws.url());
    let run = scanner.run(&["scan", "-o", "r.json"]);
    refused(&scanner, &run, &["expired"], &[]);
}

#[test]
fn an_unknown_profile_with_the_nearest_name() {
    let scanner = Scanner::bare().with("AWS_REGION", "us-east-1");
    std::fs::create_dir(scanner.file(".aws")).expect("a folder");
    std::fs::write(scanner.file(".aws/config"), "[profile production]\nregion = eu-west-1\n").expect("a file");
    let run = scanner.run(&["scan", "--profile", "prodution", "-o", "r.json"]);
    refused(&scanner, &run, &["prodution", "production"], &[".aws"]);
}

#[test]
fn an_unknown_region_with_the_nearest_name() {
    // A region that AWS might have one day is only known to be none when its endpoint does not exist; behind an
    // endpoint of one's own it is taken as it is.
    let scanner = Scanner::at("").without("AWS_ENDPOINT_URL");
    let run = scanner.run(&["scan", "--region", "us-esat-1", "-o", "r.json"]);
    refused(&scanner, &run, &["us-esat-1", "us-east-1"], &[]);
}

#[test]
fn a_region_to_read_that_the_account_does_not_have() {
    let Some(emulator) = Emulator::start("clean") else { return };
    let aws = FakeAws::before(&emulator);
    let scanner = Scanner::at(&aws.url());
    let run = scanner.run(&["scan", "--regions", "us-east-1,eu-wset-1", "-o", "r.json"]);
    refused(&scanner, &run, &["eu-wset-1", "eu-west-1"], &[]);
}

#[test]
fn an_unknown_rule_with_the_nearest_name() {
    let scanner = Scanner::bare();
    let run = scanner.run(&["rules", "list", "--rules", "ec2-security-group-no-public-shh"]);
    refused(&scanner, &run, &["ec2-security-group-no-public-shh", "ec2-security-group-no-public-ssh"], &[]);
}

#[test]
fn an_unknown_criterion() {
    let scanner = Scanner::bare();
    let run = scanner.run(&["rules", "list", "--criteria", "CC66.1"]);
    refused(&scanner, &run, &["CC66.1"], &[]);
}

#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_aws_is_asked() {
    let aws = aws();
    let scanner = Scanner::at(&aws.url());
    let run = scanner.run(&["scan", "-o", "nowhere/r.json"]);
    refused(&scanner, &run, &["nowhere"], &[]);
    assert_eq!(aws.seen(), Vec::new(), "AWS was asked for a report that cannot be written");
}

#[test]
fn a_report_format_that_does_not_exist() {
    let scanner = Scanner::bare();
    let run = scanner.run(&["demo", "-o", "report.docx"]);
    refused(&scanner, &run, &["report.docx", ".sarif"], &[]);
}

#[test]
fn a_time_that_is_none() {
    let scanner = Scanner::bare();
    let run = scanner.run(&["demo", "--as-of", "yesterday", "-o", "r.json"]);
    refused(&scanner, &run, &["yesterday"], &[]);
}

#[test]
fn a_truncated_snapshot() {
    let scanner = Scanner::bare();
    let whole = synthetic::snapshot(200).write_to(Vec::new()).expect("memory takes it");
    std::fs::write(scanner.file("cut.soc2"), &whole[..whole.len() - 40]).expect("a file");
    let run = scanner.run(&["evaluate", "cut.soc2", "-o", "r.json"]);
    refused(&scanner, &run, &["cut.soc2", "truncated", "collect again"], &["cut.soc2"]);
}

#[test]
fn an_altered_snapshot() {
    let scanner = Scanner::bare();
    let mut text =
        zstd::decode_all(&synthetic::snapshot(200).write_to(Vec::new()).expect("memory takes it")[..]).expect("text");
    let at =
        text.windows(14).position(|w| w == b"\"Encrypted\":tru").or_else(|| text.windows(4).position(|w| w == b"true"));
    let at = at.expect("something to alter");
    text[at] = text[at].to_ascii_uppercase();
    text.swap(at + 1, at + 2);
    std::fs::write(scanner.file("altered.soc2"), zstd::encode_all(&text[..], 3).expect("packed")).expect("a file");
    let run = scanner.run(&["evaluate", "altered.soc2", "-o", "r.json"]);
    refused(&scanner, &run, &["altered.soc2"], &["altered.soc2"]);
}

#[test]
fn a_snapshot_that_is_none() {
    let scanner = Scanner::bare();
    std::fs::write(scanner.file("report.json"), "{}").expect("a file");
    let run = scanner.run(&["evaluate", "report.json"]);
    refused(&scanner, &run, &["report.json", "not a soc2scan snapshot"], &["report.json"]);
}

#[test]
fn a_rule_file_with_a_mistake_is_shown_at_its_place() {
    let scanner = Scanner::bare();
    std::fs::create_dir_all(scanner.file("mine/ec2")).expect("a folder");
    let rule = "id: my-rule\ntitle: Volumes are encrypted\nresource: AWS::EC2::Volume\nseverity: high\nrelevance: key\n\
        criteria: [CC6.1]\nrationale: Because.\nassert: resource.Encryptd\nmessage: \"'{name}' is plain\"\n\
        remediation: { text: Encrypt it. }\n";
    std::fs::write(scanner.file("mine/ec2/my-rule.yaml"), rule).expect("a file");
    let run = scanner.run(&["rules", "list", "--rules-dir", "mine"]);
    refused(&scanner, &run, &["my-rule.yaml:8:", "Encryptd", "Encrypted"], &["mine"]);
}

#[test]
fn an_account_in_the_register_without_quotes() {
    let scanner = Scanner::bare();
    let text = "register:\n  vendors:\n    - name: Datadog\n      accounts: [012345678901]\n";
    std::fs::write(scanner.file("soc2scan.yaml"), text).expect("a file");
    let run = scanner.run(&["demo", "-o", "r.json"]);
    let said = ["soc2scan.yaml:4:18", "takes text", "\"012345678901\"", "leading zeros"];
    refused(&scanner, &run, &said, &["soc2scan.yaml"]);
}

#[test]
fn an_account_in_the_register_of_two_vendors() {
    let scanner = Scanner::bare();
    let text = "register:\n  vendors:\n    - { name: A, accounts: [\"464622532012\"] }\n    \
                - { name: B, accounts: [\"464622532012\"] }\n";
    std::fs::write(scanner.file("soc2scan.yaml"), text).expect("a file");
    let run = scanner.run(&["demo", "-o", "r.json"]);
    refused(&scanner, &run, &["soc2scan.yaml:4:29", "464622532012", "vendor `A`"], &["soc2scan.yaml"]);
}

#[test]
fn a_vendor_in_the_register_that_is_nobody() {
    let scanner = Scanner::bare();
    std::fs::write(scanner.file("soc2scan.yaml"), "register:\n  vendors:\n    - name: Datadog\n").expect("a file");
    let run = scanner.run(&["demo", "-o", "r.json"]);
    refused(&scanner, &run, &["soc2scan.yaml:3:13", "Datadog", "canonical_users"], &["soc2scan.yaml"]);
}

#[test]
fn a_configuration_with_a_mistake_is_shown_at_its_place() {
    let scanner = Scanner::bare();
    std::fs::write(scanner.file("soc2scan.yaml"), "scope:\n  regoins: [us-east-1]\n").expect("a file");
    let run = scanner.run(&["demo", "-o", "r.json"]);
    refused(&scanner, &run, &["soc2scan.yaml:2:", "regoins", "regions"], &["soc2scan.yaml"]);
}
