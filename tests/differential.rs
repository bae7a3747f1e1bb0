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

/// Types of which neither seeded account has a resource: their listings are compared, and are empty. Every other type
/// must have one.
const NOT_SEEDED: [&str; 26] = [
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudTrail::EventDataStore",
    "AWS::Config::ConfigRule",
    "AWS::Config::ConfigurationAggregator",
    "AWS::EC2::ClientVpnEndpoint",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NatGateway",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCEndpointService",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNConnection",
    "AWS::GuardDuty::Filter",
    "AWS::IAM::ServerCertificate",
    "AWS::IAM::ServiceSpecificCredential",
    "AWS::KMS::Grant",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Layer",
    "AWS::Lambda::LayerVersion",
    "AWS::RDS::DBProxy",
    "AWS::RDS::EventSubscription",
    "AWS::S3::AccessPoint",
    "AWS::SSO::Instance",
];

#[test]
fn every_collector_reads_what_boto3_reads() {
    let mut compared = std::collections::BTreeMap::new();
    for account in ["vulnerable", "clean"] {
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
    let unexpected: Vec<_> = empty.iter().filter(|name| !NOT_SEEDED.contains(name)).collect();
    assert!(unexpected.is_empty(), "types that were compared without a resource: {unexpected:?}");
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
