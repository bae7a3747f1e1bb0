//! The kinds of events that must raise an alarm, each as the CloudTrail records that have to be seen. The lists are
//! those of the CIS AWS Foundations Benchmark (v7.0.0, 5.1 to 5.15; but for `ModifySecurityGroupRules` the same events as
//! Security Hub's CloudWatch.1 to CloudWatch.14), the members those of the AWS CloudTrail User Guide ("CloudTrail record contents", "userIdentity
//! element", "Console sign-in events"). A record must never be described narrower than the events of its kind are.

use super::formula::{Domain, Glob, Record};
use std::collections::BTreeMap;

/// A kind of events.
#[derive(Clone, Debug)]
pub struct Class {
    /// What happens, for sentences.
    pub what: &'static str,
    /// The records that must be seen.
    pub records: Vec<Record>,
    /// Whether a single event must raise the alarm. Where one is noise (a failed sign-in), a threshold is a choice.
    pub single: bool,
    /// Whether read-only calls are among the events.
    pub reads: bool,
    /// The event source, where all events have the same.
    pub source: Option<&'static str>,
    /// Whether the events are recorded in the partition's home region only.
    pub global: bool,
}

/// Whose records they are.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The account id.
    pub account: &'a str,
    /// The partition.
    pub partition: &'a str,
}

/// The names of all kinds.
pub const NAMES: [&str; 15] = [
    "root-usage",
    "unauthorized-api-calls",
    "console-sign-in-without-mfa",
    "iam-policy-changes",
    "cloudtrail-changes",
    "console-authentication-failures",
    "kms-key-disable-or-delete",
    "s3-bucket-policy-changes",
    "config-changes",
    "security-group-changes",
    "network-acl-changes",
    "network-gateway-changes",
    "route-table-changes",
    "vpc-changes",
    "organizations-changes",
];

/// The kind of that name.
pub fn class(name: &str, owner: Owner<'_>) -> Option<Class> {
    Some(match name {
        "root-usage" => root_usage(owner),
        "unauthorized-api-calls" => refused(owner),
        "console-sign-in-without-mfa" => {
            let mut record = sign_in(owner, "a sign-in without MFA");
            set(&mut record, "userIdentity.type", is("IAMUser"));
            set(&mut record, "additionalEventData.MFAUsed", is("No"));
            set(&mut record, "responseElements.ConsoleLogin", is("Success"));
            set(&mut record, "errorCode", Domain::Absent);
            set(&mut record, "errorMessage", Domain::Absent);
            of_sign_ins("console sign-ins of IAM users without MFA", record, true)
        }
        "console-authentication-failures" => {
            let mut record = sign_in(owner, "a failed sign-in");
            set(&mut record, "errorMessage", is("Failed authentication"));
            set(&mut record, "responseElements.ConsoleLogin", is("Failure"));
            of_sign_ins("failed console sign-ins", record, false)
        }
        "iam-policy-changes" => Class { global: true, ..changes(owner, "changes of IAM policies", "iam", IAM) },
        "cloudtrail-changes" => changes(owner, "changes of trails", "cloudtrail", CLOUDTRAIL),
        "kms-key-disable-or-delete" => {
            let keys = ["DisableKey", "ScheduleKeyDeletion"];
            changes(owner, "keys being disabled or scheduled for deletion", "kms", &keys)
        }
        "s3-bucket-policy-changes" => changes(owner, "changes of who gets at buckets", "s3", S3),
        "config-changes" => changes(owner, "changes of AWS Config's recording", "config", CONFIG),
        "security-group-changes" => changes(owner, "changes of security groups", "ec2", SECURITY_GROUPS),
        "network-acl-changes" => changes(owner, "changes of network ACLs", "ec2", NETWORK_ACLS),
        "network-gateway-changes" => changes(owner, "changes of network gateways", "ec2", GATEWAYS),
        "route-table-changes" => changes(owner, "changes of route tables", "ec2", ROUTES),
        "vpc-changes" => changes(owner, "changes of VPCs", "ec2", VPCS),
        "organizations-changes" => {
            Class { global: true, ..changes(owner, "changes of the organization", "organizations", ORGANIZATIONS) }
        }
        _ => return None,
    })
}

/// Findings of GuardDuty in a region, from a severity up; and the same as Security Hub hands them on, where it gets them.
/// Source: Amazon GuardDuty User Guide, "Processing GuardDuty findings with Amazon EventBridge".
pub fn findings(owner: Owner<'_>, region: &str, severity: f64) -> (Class, Record) {
    let envelope = |source: &str, kind: &str| {
        let members = [
            ("@source", is(source)),
            ("@detail-type", is(kind)),
            ("@account", is(owner.account)),
            ("@region", is(region)),
            ("@version", is("0")),
            ("@id", Domain::Text(Glob::stars("*"), Vec::new())),
            ("@time", Domain::Text(Glob::stars("*"), Vec::new())),
        ];
        let members = members.into_iter().map(|(path, domain)| (path.to_owned(), domain)).collect();
        Record { label: "findings".to_owned(), members }
    };
    let mut finding = envelope("aws.guardduty", "GuardDuty Finding");
    set(&mut finding, "severity", Domain::AtLeast(severity));
    set(&mut finding, "accountId", is(owner.account));
    set(&mut finding, "region", is(region));
    set(&mut finding, "type", Domain::Text(Glob::stars("*"), Vec::new()));
    set(&mut finding, "service.serviceName", is("guardduty"));
    set(&mut finding, "service.archived", Domain::Flag(false));
    let class = Class {
        what: "findings of GuardDuty",
        records: vec![finding],
        single: true,
        reads: false,
        source: None,
        global: false,
    };
    (class, envelope("aws.securityhub", "Security Hub Findings - Imported"))
}

const IAM: &[&str] = &[
    "DeleteGroupPolicy",
    "DeleteRolePolicy",
    "DeleteUserPolicy",
    "PutGroupPolicy",
    "PutRolePolicy",
    "PutUserPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "CreatePolicyVersion",
    "DeletePolicyVersion",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "AttachUserPolicy",
    "DetachUserPolicy",
    "AttachGroupPolicy",
    "DetachGroupPolicy",
];

const CLOUDTRAIL: &[&str] = &["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"];

const S3: &[&str] = &[
    "PutBucketAcl",
    "PutBucketPolicy",
    "PutBucketCors",
    "PutBucketLifecycle",
    "PutBucketReplication",
    "DeleteBucketPolicy",
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
];

const CONFIG: &[&str] =
    &["StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder"];

const SECURITY_GROUPS: &[&str] = &[
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    "CreateSecurityGroup",
    "DeleteSecurityGroup",
    "ModifySecurityGroupRules",
];

const NETWORK_ACLS: &[&str] = &[
    "CreateNetworkAcl",
    "CreateNetworkAclEntry",
    "DeleteNetworkAcl",
    "DeleteNetworkAclEntry",
    "ReplaceNetworkAclEntry",
    "ReplaceNetworkAclAssociation",
];

const GATEWAYS: &[&str] = &[
    "CreateCustomerGateway",
    "DeleteCustomerGateway",
    "AttachInternetGateway",
    "CreateInternetGateway",
    "DeleteInternetGateway",
    "DetachInternetGateway",
];

const ROUTES: &[&str] = &[
    "CreateRoute",
    "CreateRouteTable",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "DeleteRouteTable",
    "DeleteRoute",
    "DisassociateRouteTable",
];

const VPCS: &[&str] = &[
    "CreateVpc",
    "DeleteVpc",
    "ModifyVpcAttribute",
    "AcceptVpcPeeringConnection",
    "CreateVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "RejectVpcPeeringConnection",
    "AttachClassicLinkVpc",
    "DetachClassicLinkVpc",
    "DisableVpcClassicLink",
    "EnableVpcClassicLink",
];

const ORGANIZATIONS: &[&str] = &[
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdateOrganizationalUnit",
    "UpdatePolicy",
];

fn is(text: &str) -> Domain {
    Domain::Is(text.to_owned())
}

fn set(record: &mut Record, path: &str, domain: Domain) {
    record.members.insert(path.to_owned(), domain);
}

/// What every record of the account has.
fn record(owner: Owner<'_>, label: &str) -> Record {
    let mut record = Record { label: label.to_owned(), members: BTreeMap::new() };
    for always in [
        "eventVersion",
        "eventTime",
        "eventID",
        "eventName",
        "eventSource",
        "awsRegion",
        "sourceIPAddress",
        "userIdentity.type",
        "@id",
        "@time",
        "@region",
        "@source",
    ] {
        set(&mut record, always, Domain::Text(Glob::stars("*"), Vec::new()));
    }
    set(&mut record, "eventType", is("AwsApiCall"));
    set(&mut record, "eventCategory", is("Management"));
    set(&mut record, "managementEvent", Domain::Flag(true));
    set(&mut record, "recipientAccountId", is(owner.account));
    set(&mut record, "@account", is(owner.account));
    set(&mut record, "@version", is("0"));
    set(&mut record, "@detail-type", is("AWS API Call via CloudTrail"));
    record
}

/// Calls that changed something. A call that failed changed nothing: a filter may leave it out.
fn changes(owner: Owner<'_>, what: &'static str, service: &'static str, names: &[&str]) -> Class {
    let source = match service {
        "iam" => "iam.amazonaws.com",
        "cloudtrail" => "cloudtrail.amazonaws.com",
        "kms" => "kms.amazonaws.com",
        "s3" => "s3.amazonaws.com",
        "config" => "config.amazonaws.com",
        "organizations" => "organizations.amazonaws.com",
        _ => "ec2.amazonaws.com",
    };
    let each = names.iter().map(|name| {
        let mut record = record(owner, name);
        set(&mut record, "eventName", is(name));
        set(&mut record, "eventSource", is(source));
        set(&mut record, "readOnly", Domain::Flag(false));
        set(&mut record, "errorCode", Domain::Absent);
        set(&mut record, "errorMessage", Domain::Absent);
        set(&mut record, "@source", Domain::Is(format!("aws.{service}")));
        record
    });
    Class { what, records: each.collect(), single: true, reads: false, source: Some(source), global: false }
}

fn root_usage(owner: Owner<'_>) -> Class {
    let as_root = |record: &mut Record| {
        set(record, "userIdentity.type", is("Root"));
        set(record, "userIdentity.accountId", is(owner.account));
        set(record, "userIdentity.arn", Domain::Is(format!("arn:{}:iam::{}:root", owner.partition, owner.account)));
        set(record, "userIdentity.invokedBy", Domain::Absent);
    };
    let mut call = record(owner, "an API call of the root user");
    let mut signed_in = sign_in(owner, "a sign-in of the root user");
    as_root(&mut call);
    as_root(&mut signed_in);
    Class {
        what: "what the root user does",
        records: vec![call, signed_in],
        single: true,
        reads: true,
        source: None,
        global: false,
    }
}

/// The benchmark leaves out what AWS's log delivery and probes for buckets cause.
fn refused(owner: Owner<'_>) -> Class {
    let each = ["AccessDenied*", "*UnauthorizedOperation"].map(|code| {
        let mut record = record(owner, &format!("errors {code}"));
        set(&mut record, "errorCode", Domain::Text(Glob::stars(code), Vec::new()));
        set(&mut record, "eventName", Domain::Text(Glob::stars("*"), vec!["HeadBucket"]));
        set(&mut record, "sourceIPAddress", Domain::Text(Glob::stars("*"), vec!["delivery.logs.amazonaws.com"]));
        record
    });
    Class {
        what: "API calls that are refused",
        records: each.into(),
        single: false,
        reads: true,
        source: None,
        global: false,
    }
}

fn sign_in(owner: Owner<'_>, label: &str) -> Record {
    let mut record = record(owner, label);
    set(&mut record, "eventName", is("ConsoleLogin"));
    set(&mut record, "eventSource", is("signin.amazonaws.com"));
    set(&mut record, "eventType", is("AwsConsoleSignIn"));
    set(&mut record, "readOnly", Domain::Flag(false));
    set(&mut record, "userIdentity.sessionContext", Domain::Absent);
    set(&mut record, "@source", is("aws.signin"));
    set(&mut record, "@detail-type", is("AWS Console Sign In via CloudTrail"));
    record
}

fn of_sign_ins(what: &'static str, record: Record, single: bool) -> Class {
    let source = Some("signin.amazonaws.com");
    Class { what, records: vec![record], single, reads: false, source, global: false }
}

#[cfg(test)]
mod tests {
    use super::super::formula::{Cover, Formula};
    use super::super::{event, pattern};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const OWNER: Owner<'static> = Owner { account: "111122223333", partition: "aws" };

    fn published() -> Value {
        serde_json::from_str(include_str!("../../../testdata/alarm/published-patterns.json")).expect("JSON")
    }

    fn covered(formula: &Formula, class: &Class) -> Vec<bool> {
        class.records.iter().map(|r| formula.covers(r) == Cover::Yes).collect()
    }

    /// As the file says beside each: all events of the kind, all but some, or not known.
    #[test]
    fn published_patterns_see_what_is_said_of_them() {
        let published = published();
        for name in NAMES {
            let class = class(name, OWNER).expect("a class");
            let patterns = published["patterns"][name].as_array().expect("patterns");
            assert!(!patterns.is_empty(), "{name}");
            for row in patterns {
                let formula = pattern::parse(row["pattern"].as_str().expect("text")).expect("parses");
                let escapes: Vec<&str> =
                    row["escapes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                for record in &class.records {
                    let cover = formula.covers(record);
                    let as_said = match cover {
                        Cover::Yes => !escapes.contains(&record.label.as_str()) && row["unclear"] != true,
                        Cover::No => escapes.contains(&record.label.as_str()),
                        Cover::Unclear(_) => row["unclear"] == true,
                    };
                    assert!(as_said, "{name}, {}: {}: {cover:?}", record.label, row["source"]);
                }
                let differs = !escapes.is_empty() || row["unclear"] == true;
                assert_eq!(differs, row["because"].is_string(), "{name}: {}", row["source"]);
            }
        }
    }

    #[test]
    fn without_any_one_of_its_events_a_pattern_does_not_cover() {
        for name in NAMES {
            let class = class(name, OWNER).expect("a class");
            if class.records.len() < 3 {
                continue;
            }
            for left_out in 0..class.records.len() {
                let names: Vec<&str> = class
                    .records
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| *n != left_out)
                    .map(|(_, r)| r.label.as_str())
                    .collect();
                let terms: Vec<String> = names.iter().map(|n| format!("($.eventName = \"{n}\")")).collect();
                let filter = pattern::parse(&format!("{{ {} }}", terms.join(" || "))).expect("parses");
                let rule = event::parse(&json!({"detail": {"eventName": names}}).to_string()).expect("parses");
                let expected: Vec<bool> = (0..class.records.len()).map(|n| n != left_out).collect();
                assert_eq!(covered(&filter, &class), expected, "{name}");
                assert_eq!(covered(&rule, &class), expected, "{name}");
            }
        }
    }

    #[test]
    fn what_leaves_out_some_of_the_events_does_not_cover() {
        for (name, text) in [
            ("root-usage", r#"{ $.userIdentity.type = "Root" && $.awsRegion = "us-east-1" }"#),
            ("root-usage", r#"{ $.userIdentity.type = "Root" && $.eventType = "AwsApiCall" }"#),
            ("root-usage", r#"{ $.userIdentity.type = "Root" && $.eventName != "ConsoleLogin" }"#),
            ("root-usage", r#"{ $.userIdentity.type = "root" }"#),
            ("root-usage", r#"{ $.userIdentity.type = "Root" && $.userIdentity.accountId = "999999999999" }"#),
            ("unauthorized-api-calls", r#"{ $.errorCode = "AccessDenied*" }"#),
            (
                "unauthorized-api-calls",
                r#"{ ($.errorCode = "AccessDenied") || ($.errorCode = "*UnauthorizedOperation") }"#,
            ),
            (
                "unauthorized-api-calls",
                r#"{ ($.errorCode = "AccessDenied*" || $.errorCode = "*UnauthorizedOperation") && $.eventName != "AssumeRole" }"#,
            ),
            (
                "console-sign-in-without-mfa",
                r#"{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed = "Yes" }"#,
            ),
            (
                "console-sign-in-without-mfa",
                r#"{ $.eventName = "ConsoleLogin" && $.userIdentity.userName != "break-glass" && $.additionalEventData.MFAUsed != "Yes" }"#,
            ),
            ("kms-key-disable-or-delete", r#"{ $.eventSource = "kms.amazonaws.com" && $.eventName = "Disable*" }"#),
            (
                "cloudtrail-changes",
                r#"{ $.eventSource = "cloudtrail.amazonaws.com" && $.userIdentity.arn != "arn:aws:iam::1:role/ci" }"#,
            ),
        ] {
            let class = class(name, OWNER).expect("a class");
            let formula = pattern::parse(text).expect("parses");
            let all_no_or_yes = class.records.iter().all(|r| !matches!(formula.covers(r), Cover::Unclear(_)));
            assert!(all_no_or_yes && !covered(&formula, &class).iter().all(|c| *c), "{name}: {text}");
        }
    }

    #[test]
    fn other_words_for_the_same_events_cover() {
        for (name, text) in [
            ("root-usage", r#"{ $.userIdentity.type = "Root" }"#),
            ("root-usage", r#"{ $.userIdentity.arn = "*:root" && $.recipientAccountId = "111122223333" }"#),
            ("unauthorized-api-calls", r#"{ $.errorCode = "*Unauthorized*" || $.errorCode = "Access*" }"#),
            (
                "kms-key-disable-or-delete",
                r#"{ $.eventSource = "kms*" && $.errorCode NOT EXISTS && ($.eventName = "Disable*" || $.eventName = Schedule*) }"#,
            ),
            ("cloudtrail-changes", r#"{ $.eventSource = cloudtrail.amazonaws.com && $.readOnly IS FALSE }"#),
            ("iam-policy-changes", r#"{ $.eventName = "*Policy*" }"#),
            ("iam-policy-changes", r#"{ $.eventName = *Policy || $.eventName = "*PolicyVersion" }"#),
            ("console-sign-in-without-mfa", r#"{ $.eventName = "ConsoleLogin" }"#),
            ("vpc-changes", ""),
        ] {
            let class = class(name, OWNER).expect("a class");
            let formula = pattern::parse(text).expect("parses");
            assert!(covered(&formula, &class).iter().all(|c| *c), "{name}: {text}");
        }
    }

    /// The terms of a pattern, joined with as many brackets and as much space as the seed says.
    fn written(names: &[&str], seed: &[u8]) -> String {
        let space = |n: usize| " ".repeat(usize::from(seed[n % seed.len()] % 4));
        let term = |(n, name): (usize, &&str)| {
            let quote = if seed[n % seed.len()].is_multiple_of(2) { "\"" } else { "" };
            let bare = format!("$.eventName{}={}{quote}{name}{quote}", space(n), space(n + 1));
            (0..seed[n % seed.len()] % 3)
                .fold(bare, |inner, k| format!("({}{inner}{})", space(n + usize::from(k)), space(n)))
        };
        let terms: Vec<String> = names.iter().enumerate().map(term).collect();
        format!("{}{{{} {} {}}}", space(0), space(1), terms.join(&format!("{}||{}", space(2), space(3))), space(4))
    }

    proptest! {
        #[test]
        fn a_pattern_and_its_rewritten_twin_give_the_same_answer(
            at in 0..NAMES.len(),
            order in prop::collection::vec(any::<prop::sample::Index>(), 20),
            dropped in any::<prop::sample::Index>(),
            drops in any::<bool>(),
            seed in prop::collection::vec(any::<u8>(), 1..8),
        ) {
            let class = class(NAMES[at], OWNER).expect("a class");
            prop_assume!(class.records.len() > 2);
            let mut names: Vec<&str> = class.records.iter().map(|r| r.label.as_str()).collect();
            if drops {
                names.remove(dropped.index(names.len()));
            }
            let plain = names.iter().map(|n| format!("($.eventName = {n})")).collect::<Vec<_>>().join("||");
            let plain = pattern::parse(&format!("{{{plain}}}")).expect("parses");
            for (n, index) in order.iter().enumerate() {
                let count = names.len();
                names.swap(n % count, index.index(count));
            }
            let twin = pattern::parse(&written(&names, &seed)).expect("parses");
            prop_assert_eq!(covered(&plain, &class), covered(&twin, &class));
            prop_assert_eq!(covered(&twin, &class).iter().all(|c| *c), !drops);
        }
    }
}
