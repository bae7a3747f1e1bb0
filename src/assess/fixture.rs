//! A small estate with its verdicts, for the tests of `assess` and `report`: one account that was read completely,
//! one that was not, and names that an attacker chose.

use super::{Assessment, Criteria, Scope};
use crate::inventory::{
    AccountScope, Cause, Header, LedgerEntry, Outcome, Population, PopulationState, Reason, Resource, Snapshot,
    UnknownField, resource::GLOBAL,
};
use crate::rules::{
    Counts, Evaluation, Evidence, Judgement, Relevance, Remediation, Rule, RulePack, Severity, Subject, Verdict,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const READ: &str = "111122223333";
pub(crate) const DENIED: &str = "444455556666";
/// A name that tries to be a link, a colour, another direction of writing, a placeholder and markup.
pub(crate) const HOSTILE: &str = "web\u{1b}[31m\u{202e}[ok](https://evil.example) {0} <b>`x`</b>";

/// An inventory, the rules, and what they say of it.
pub(crate) struct World {
    pub(crate) pack: RulePack,
    pub(crate) snapshot: Snapshot,
    verdicts: Vec<Said>,
}

struct Said {
    rule: String,
    on: On,
    verdict: Verdict,
    reason: String,
    evidence: Vec<Evidence>,
    causes: Vec<Cause>,
}

enum On {
    Arn(String),
    Population { resource_type: String, account: String, region: String },
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn rule(id: &str, severity: Severity, relevance: Relevance, criteria: &[&str], resource_type: &str) -> Rule {
    let service = resource_type.split("::").nth(1).unwrap_or_default().to_lowercase();
    Rule {
        id: id.into(),
        aliases: vec![],
        title: format!("What {id} asks for"),
        resource_type: resource_type.into(),
        severity,
        relevance,
        criteria: criteria.iter().map(|c| c.to_string()).collect(),
        rationale: format!("Why {id} is evidence for its criteria."),
        remediation: Remediation {
            text: format!("Mend what {id} found."),
            cli: Some(format!("aws {service} put-something --name NAME")),
            terraform: Some("resource \"aws_thing\" \"it\" {\n  enabled = true\n}".into()),
        },
        references: vec![format!("https://docs.aws.amazon.com/{service}/latest/{id}.html")],
        equivalents: BTreeMap::from([
            ("cwe".to_owned(), vec!["CWE-284".to_owned()]),
            ("prowler".to_owned(), vec![id.replace('-', "_")]),
        ]),
        params: BTreeMap::from([("days".to_owned(), json!(90))]),
        file: format!("rules/{service}/{id}.yaml").into(),
        service,
    }
}

pub(crate) fn resource(resource_type: &str, account: &str, region: &str, arn: &str, id: &str, name: &str) -> Resource {
    Resource {
        resource_type: resource_type.into(),
        id: id.into(),
        arn: arn.into(),
        account: account.into(),
        region: region.into(),
        name: name.into(),
        tags: BTreeMap::new(),
        document: Default::default(),
        unknown: vec![],
    }
}

pub(crate) fn denied(action: &str, region: &str) -> Cause {
    Cause {
        reason: Reason::Denied,
        action: action.into(),
        account: DENIED.into(),
        region: region.into(),
        code: "AccessDenied".into(),
        message: format!("not authorized to perform {action}"),
        request_id: "req-1".into(),
    }
}

fn population(resource_type: &str, account: &str, region: &str) -> Population {
    Population {
        resource_type: resource_type.into(),
        account: account.into(),
        region: region.into(),
        state: PopulationState::Complete,
    }
}

fn call(account: &str, region: &str, service: &str, operation: &str, outcome: Outcome) -> LedgerEntry {
    LedgerEntry {
        account: account.into(),
        region: region.into(),
        service: service.into(),
        operation: operation.into(),
        subject: String::new(),
        request_id: "req-1".into(),
        time: time("2026-03-01T10:00:01Z"),
        outcome,
        code: String::new(),
        page: 1,
        attempts: 1,
        sha256: String::new(),
    }
}

fn evidence(path: &str, value: Value) -> Vec<Evidence> {
    vec![Evidence { path: path.into(), value }]
}

impl World {
    /// An account without resources or rules: the smallest thing that was read completely.
    pub(crate) fn empty() -> Self {
        World {
            pack: RulePack::of_rules("2026.3.0", &"ab".repeat(32), vec![]),
            snapshot: Snapshot {
                header: Header {
                    tool_version: "0.1.0".into(),
                    started: time("2026-03-01T10:00:00Z"),
                    finished: time("2026-03-01T10:03:11.5Z"),
                    principal: format!("arn:aws:sts::{READ}:assumed-role/soc2scan/audit"),
                    accounts: vec![AccountScope {
                        account: READ.into(),
                        name: Some("acme-prod".into()),
                        partition: "aws".into(),
                        regions: vec!["eu-west-1".into(), "us-east-1".into()],
                        regions_left_out: vec![],
                    }],
                },
                populations: vec![population("AWS::::Account", READ, GLOBAL)],
                resources: vec![],
                ledger: vec![call(READ, GLOBAL, "iam", "GetAccountSummary", Outcome::Ok)],
            },
            verdicts: vec![],
        }
    }

    /// Adds a rule; its population is complete and empty in every account of the header.
    pub(crate) fn rule(mut self, rule: Rule) -> Self {
        for scope in &self.snapshot.header.accounts {
            if !self
                .snapshot
                .populations
                .iter()
                .any(|p| p.resource_type == rule.resource_type && p.account == scope.account)
            {
                self.snapshot.populations.push(population(&rule.resource_type, &scope.account, GLOBAL));
            }
        }
        self.pack.rules.push(rule);
        self.pack.rules.sort_by(|a, b| a.id.cmp(&b.id));
        self
    }

    /// Adds a verdict of `rule` on a new resource of its type in the account that was read.
    pub(crate) fn verdict(mut self, rule: &str, name: &str, verdict: Verdict) -> Self {
        let of = self.pack.rules.iter().find(|r| r.id == rule).expect("a rule of the pack");
        let arn = format!("arn:aws:{}:us-east-1:{READ}:thing/{name}", of.service);
        if !self.snapshot.resources.iter().any(|r| r.arn == arn) {
            self.snapshot.resources.push(resource(&of.resource_type, READ, "us-east-1", &arn, name, name));
        }
        let causes = match verdict {
            Verdict::Unknown => vec![denied("s3:GetBucketPolicy", "us-east-1")],
            _ => vec![],
        };
        self.say(rule, &arn, verdict, &format!("'{name}' is {}.", verdict.name()), vec![], causes);
        self
    }

    fn say(
        &mut self,
        rule: &str,
        arn: &str,
        verdict: Verdict,
        reason: &str,
        evidence: Vec<Evidence>,
        causes: Vec<Cause>,
    ) {
        let (rule, reason) = (rule.to_owned(), reason.to_owned());
        self.verdicts.push(Said { rule, on: On::Arn(arn.into()), verdict, reason, evidence, causes });
    }

    /// Gives every rule another id and title.
    pub(crate) fn rename(&mut self, id: impl Fn(&str) -> String, title: &str) {
        for rule in &mut self.pack.rules {
            rule.id = id(&rule.id);
            rule.title = title.to_owned();
        }
        for said in &mut self.verdicts {
            said.rule = id(&said.rule);
        }
    }

    /// Both accounts, every verdict and state.
    pub(crate) fn sample() -> Self {
        use Relevance::{Hygiene, Key, Supporting};
        use Severity::{Critical, High, Informational, Low, Medium};
        let mut world = World::empty();
        world.snapshot.header.accounts.push(AccountScope {
            account: DENIED.into(),
            name: None,
            partition: "aws".into(),
            regions: vec!["eu-west-1".into(), "us-east-1".into()],
            regions_left_out: vec!["ap-south-1".into()],
        });
        world.snapshot.populations.push(population("AWS::::Account", DENIED, GLOBAL));
        for r in [
            rule("iam-root-mfa-enabled", Critical, Key, &["CC6.1", "CC6.6"], "AWS::::Account"),
            rule("s3-bucket-kms-encryption", Medium, Key, &["CC6.1", "C1.1"], "AWS::S3::Bucket"),
            rule("s3-bucket-versioning", Low, Supporting, &["A1.2"], "AWS::S3::Bucket"),
            rule("ec2-sg-open-to-world", High, Key, &["CC6.6"], "AWS::EC2::SecurityGroup"),
            rule("ec2-sg-unused", Informational, Hygiene, &["CC6.6"], "AWS::EC2::SecurityGroup"),
            rule("kms-key-rotation", Medium, Key, &["CC6.1"], "AWS::KMS::Key"),
            rule("iam-vendor-trusts", High, Key, &["CC9.2"], "AWS::IAM::Role"),
            rule("guardduty-enabled", High, Key, &["CC7.2"], "AWS::GuardDuty::Detector"),
            rule("rds-backup-retention", High, Key, &["A1.2"], "AWS::RDS::DBInstance"),
        ] {
            world = world.rule(r);
        }
        let s = &mut world.snapshot;
        let arn = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:{READ}:{rest}");
        let root = |account: &str| format!("arn:aws:iam::{account}:root");
        for account in [READ, DENIED] {
            s.resources.push(resource("AWS::::Account", account, GLOBAL, &root(account), account, account));
        }
        let bucket =
            |name: &str| resource("AWS::S3::Bucket", READ, "us-east-1", &format!("arn:aws:s3:::{name}"), name, name);
        s.resources.extend([bucket("acme-logs"), bucket("acme-www")]);
        let mut locked = resource("AWS::S3::Bucket", DENIED, "us-east-1", "arn:aws:s3:::locked", "locked", "locked");
        locked.unknown.push(UnknownField {
            path: "Encryption".into(),
            cause: denied("s3:GetEncryptionConfiguration", "us-east-1"),
        });
        s.resources.push(locked);
        s.resources.push(resource(
            "AWS::EC2::SecurityGroup",
            READ,
            "us-east-1",
            &arn("ec2", "security-group/sg-1"),
            "sg-1",
            HOSTILE,
        ));
        s.resources.push(resource(
            "AWS::EC2::SecurityGroup",
            READ,
            "us-east-1",
            &arn("ec2", "security-group/sg-2"),
            "sg-2",
            "db",
        ));
        s.resources.push(resource(
            "AWS::IAM::Role",
            READ,
            GLOBAL,
            &format!("arn:aws:iam::{READ}:role/ops/vendor"),
            "AROA1",
            "vendor",
        ));
        s.resources.push(resource(
            "AWS::GuardDuty::Detector",
            READ,
            "us-east-1",
            &arn("guardduty", "detector/d1"),
            "d1",
            "d1",
        ));
        for p in s.populations.iter_mut().filter(|p| p.account == DENIED && p.resource_type == "AWS::KMS::Key") {
            p.region = "us-east-1".into();
            p.state = PopulationState::Incomplete { causes: vec![denied("kms:ListKeys", "us-east-1")] };
        }
        s.populations.push(Population {
            state: PopulationState::Unsupported,
            ..population("AWS::KMS::Key", DENIED, "eu-west-1")
        });
        s.ledger.extend([
            call(READ, "us-east-1", "ec2", "DescribeSecurityGroups", Outcome::Ok),
            call(READ, "us-east-1", "ec2", "DescribeSecurityGroups", Outcome::Ok),
            call(DENIED, "us-east-1", "kms", "ListKeys", Outcome::Denied),
            call(DENIED, "eu-west-1", "kms", "ListKeys", Outcome::Unsupported),
            call(DENIED, GLOBAL, "s3", "GetBucketEncryption", Outcome::Denied),
        ]);
        s.sort();

        let mfa = |on: u8| evidence("Summary.AccountMFAEnabled", json!(on));
        world.say(
            "iam-root-mfa-enabled",
            &root(READ),
            Verdict::Pass,
            "The root user signs in with a second factor.",
            mfa(1),
            vec![],
        );
        world.say(
            "iam-root-mfa-enabled",
            &root(DENIED),
            Verdict::Fail,
            "The root user signs in without a second factor.",
            mfa(0),
            vec![],
        );
        let sse = "Encryption.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm";
        world.say(
            "s3-bucket-kms-encryption",
            "arn:aws:s3:::acme-logs",
            Verdict::Pass,
            "Bucket 'acme-logs' encrypts with KMS.",
            evidence(sse, json!("aws:kms")),
            vec![],
        );
        world.say(
            "s3-bucket-kms-encryption",
            "arn:aws:s3:::acme-www",
            Verdict::Fail,
            "Bucket 'acme-www' encrypts with AES256, not with KMS.",
            evidence(sse, json!("AES256")),
            vec![],
        );
        world.say(
            "s3-bucket-kms-encryption",
            "arn:aws:s3:::locked",
            Verdict::Unknown,
            "The encryption could not be read: s3:GetEncryptionConfiguration was denied in us-east-1.",
            vec![],
            vec![denied("s3:GetEncryptionConfiguration", "us-east-1")],
        );
        for bucket in ["acme-logs", "acme-www", "locked"] {
            world.say(
                "s3-bucket-versioning",
                &format!("arn:aws:s3:::{bucket}"),
                Verdict::Pass,
                "Versioning is on.",
                vec![],
                vec![],
            );
        }
        world.say(
            "ec2-sg-open-to-world",
            &arn("ec2", "security-group/sg-1"),
            Verdict::Fail,
            &format!("Security group '{HOSTILE}' admits 0.0.0.0/0 on port 22."),
            evidence("IpPermissions[0].IpRanges[0].CidrIp", json!("0.0.0.0/0")),
            vec![],
        );
        world.say(
            "ec2-sg-open-to-world",
            &arn("ec2", "security-group/sg-2"),
            Verdict::NotApplicable,
            "Security group 'db' has no rules.",
            vec![],
            vec![],
        );
        world.say(
            "ec2-sg-unused",
            &arn("ec2", "security-group/sg-2"),
            Verdict::Fail,
            "Security group 'db' is attached to nothing.",
            vec![],
            vec![],
        );
        world.say(
            "iam-vendor-trusts",
            &format!("arn:aws:iam::{READ}:role/ops/vendor"),
            Verdict::Manual,
            "Role 'vendor' trusts account 999988887777; the list of vendors was not supplied.",
            evidence("AssumeRolePolicyDocument.Statement[0].Principal.AWS", json!("999988887777")),
            vec![],
        );
        world.say(
            "guardduty-enabled",
            &arn("guardduty", "detector/d1"),
            Verdict::Pass,
            "GuardDuty is on.",
            evidence("Status", json!("ENABLED")),
            vec![],
        );
        world.verdicts.push(Said {
            rule: "kms-key-rotation".into(),
            on: On::Population {
                resource_type: "AWS::KMS::Key".into(),
                account: DENIED.into(),
                region: "us-east-1".into(),
            },
            verdict: Verdict::Unknown,
            reason: "Not every AWS::KMS::Key could be listed: kms:ListKeys was denied in us-east-1 (AccessDenied)."
                .into(),
            evidence: vec![],
            causes: vec![denied("kms:ListKeys", "us-east-1")],
        });
        world
    }

    /// The verdicts as the rules give them; passes and not-applicables only if `all`.
    pub(crate) fn evaluation(&self, all: bool) -> Evaluation<'_> {
        let mut counts: Vec<BTreeMap<String, Counts>> = vec![BTreeMap::new(); self.pack.rules.len()];
        let mut judgements = Vec::new();
        for said in &self.verdicts {
            let rule = self.pack.rules.iter().position(|r| r.id == said.rule).expect("a rule of the pack");
            let subject = match &said.on {
                On::Arn(arn) => {
                    Subject::Resource(self.snapshot.resources.iter().find(|r| r.arn == *arn).expect("a resource"))
                }
                On::Population { resource_type, account, region } => {
                    Subject::Population { resource_type, account, region }
                }
            };
            counts[rule].entry(subject.account().to_owned()).or_default().add(said.verdict);
            if all || !matches!(said.verdict, Verdict::Pass | Verdict::NotApplicable) {
                judgements.push(Judgement {
                    rule,
                    subject,
                    verdict: said.verdict,
                    reason: said.reason.clone(),
                    evidence: said.evidence.clone(),
                    causes: said.causes.clone(),
                });
            }
        }
        judgements.sort_by_key(|j| {
            let arn = match j.subject {
                Subject::Resource(r) => r.arn.as_str(),
                Subject::Population { .. } => "",
            };
            (j.rule, j.subject.account().to_owned(), j.subject.region().to_owned(), arn.to_owned())
        });
        Evaluation { judgements, counts }
    }

    /// Hands the assessment of everything to `look`; all verdicts are kept if `all`.
    pub(crate) fn assess<T>(&self, all: bool, look: impl FnOnce(&Assessment<'_>) -> T) -> T {
        self.assess_within(all, Scope::everything(time("2026-03-01T10:03:11.5Z")), look)
    }

    /// As [`World::assess`], within `scope`.
    pub(crate) fn assess_within<T>(&self, all: bool, scope: Scope<'_>, look: impl FnOnce(&Assessment<'_>) -> T) -> T {
        let criteria = Criteria::embedded().expect("criteria");
        let evaluation = self.evaluation(all);
        look(&Assessment::new(&criteria, &self.pack, &evaluation, &self.snapshot, scope).expect("an assessment"))
    }
}
