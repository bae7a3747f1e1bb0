//! What is judged: rule files, the conditions in them, and the three-valued evaluation.
//!
//! A rule is data ([`load`]); its conditions are CEL, checked against the API models when the rule is loaded
//! and evaluated so that what was not read can never become a pass ([`mod@evaluate`]).
//! This module must never read a clock, the environment or the network: everything comes from the inventory.

#[cfg(test)]
mod engine_tests;
pub mod evaluate;
mod expression;
mod file;
pub mod load;
pub mod register;
pub mod select;
mod template;
pub mod testing;
pub mod verdict;

use expression::Expr;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use template::Template;

pub use evaluate::{EvaluateOptions, evaluate};
pub use load::{LoadError, LoadErrors};
pub use register::Register;
pub use select::{Selection, SelectionError};
pub use testing::TestOutcome;
pub use verdict::{Evidence, Judgement, Relevance, Severity, Subject, Verdict};

/// What a rule says about itself. Its conditions are in [`RulePack`].
#[derive(Clone, Debug)]
pub struct Rule {
    /// The stable id (`s3-bucket-kms-encryption`).
    pub id: String,
    /// Earlier ids of the same rule.
    pub aliases: Vec<String>,
    /// What must hold, in one line.
    pub title: String,
    /// The service (`s3`): the folder that the rule file is in.
    pub service: String,
    /// The resource type that it judges.
    pub resource_type: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How much it weighs.
    pub relevance: Relevance,
    /// The criteria that it is evidence for (`CC6.1`), at most three, first the main one.
    pub criteria: Vec<String>,
    /// Why an auditor accepts it as evidence.
    pub rationale: String,
    /// How to mend it.
    pub remediation: Remediation,
    /// Pages to read, AWS's own first.
    pub references: Vec<String>,
    /// Ids of the same control elsewhere, by framework or tool (`prowler`, `securityhub`, `cis-aws`, …).
    pub equivalents: BTreeMap<String, Vec<String>>,
    /// Its parameters with the values in force.
    pub params: BTreeMap<String, Value>,
    /// The file that it was read from; for embedded rules the path inside `rules/`.
    pub file: PathBuf,
}

/// How to mend a failure.
#[derive(Clone, Debug, Default)]
pub struct Remediation {
    /// For a person, a paragraph.
    pub text: String,
    /// AWS CLI commands.
    pub cli: Option<String>,
    /// A Terraform fragment.
    pub terraform: Option<String>,
}

/// The rules that were chosen, in the order of their ids.
#[derive(Debug)]
pub struct RulePack {
    /// The version of the pack (`pack.yaml`).
    pub version: String,
    /// Lower-case hexadecimal SHA-256 over all chosen rules and their parameters.
    pub digest: String,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Whom the entity knows.
    pub register: Register,
    /// Their conditions, in the same order.
    compiled: Vec<Compiled>,
}

/// The version of the embedded pack: it moves with the rules, not with the program.
const PACK_VERSION: &str = "0.1.0";

/// What the user set for one rule.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings {
    /// Parameters to override, by name.
    pub params: BTreeMap<String, Value>,
    /// Another severity.
    pub severity: Option<Severity>,
}

/// A rule's conditions, checked and ready to run.
#[derive(Debug)]
struct Compiled {
    /// The file's text.
    text: String,
    /// Whether the judged resources are global.
    global: bool,
    joins: Vec<Join>,
    lets: Vec<Expr>,
    when: Option<Expr>,
    not_applicable: Option<Template>,
    assertion: Expr,
    message: Template,
    pass: Option<Template>,
    manual: Option<Manual>,
    /// The members that it reads, by resource type; an empty member stands for the listing alone.
    reads: BTreeSet<(String, String)>,
    /// The functions that its conditions ask the register by.
    asks: BTreeSet<&'static str>,
    tests: Vec<testing::Test>,
}

/// A lookup in another resource type.
#[derive(Debug)]
struct Join {
    name: String,
    resource_type: String,
    /// Whether that type is global.
    global: bool,
    /// All regions of the account; only the resource's own where false.
    whole_account: bool,
    /// A single resource, not a list.
    one: bool,
    /// The member that must have the value.
    on: Option<(String, Expr)>,
}

/// What a person is asked, and where a failure is such a question.
#[derive(Debug)]
struct Manual {
    /// Absent where only a register that was not supplied makes it one.
    when: Option<Expr>,
    message: Template,
}

impl RulePack {
    /// What the rules read: members by resource type. A type with no members is listed only.
    pub fn needs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (rule, compiled) in self.rules.iter().zip(&self.compiled) {
            needs.entry(rule.resource_type.clone()).or_default();
            for (resource_type, member) in &compiled.reads {
                let members = needs.entry(resource_type.clone()).or_default();
                if let Some(first) = member.split('.').next().filter(|m| !m.is_empty()) {
                    members.insert(first.to_owned());
                }
            }
        }
        needs
    }

    /// A pack of rules without conditions, for tests of what comes after the verdicts.
    #[cfg(test)]
    pub(crate) fn of_rules(version: &str, digest: &str, rules: Vec<Rule>) -> RulePack {
        RulePack {
            version: version.into(),
            digest: digest.into(),
            rules,
            register: Register::default(),
            compiled: Vec::new(),
        }
    }

    /// The same rules, judging by what `register` says.
    pub fn with_register(self, register: Register) -> RulePack {
        RulePack { register, ..self }
    }

    /// Whether a rule asks the register.
    pub fn asks_register(&self, rule: usize) -> bool {
        self.compiled.get(rule).is_some_and(|c| !c.asks.is_empty())
    }

    /// The text of a rule's file.
    pub fn text(&self, rule: usize) -> Option<&str> {
        self.compiled.get(rule).map(|c| c.text.as_str())
    }

    /// The pairs of resource type and member that joins look up, for [`crate::inventory::Inventory::new`].
    pub fn keys(&self) -> BTreeSet<(String, String)> {
        self.compiled
            .iter()
            .flat_map(|c| &c.joins)
            .filter_map(|j| j.on.as_ref().map(|(member, _)| (j.resource_type.clone(), member.clone())))
            .collect()
    }
}

/// The ids of all 61 criteria of the Trust Services Criteria (TSC 2017), in their order.
pub fn criteria_ids() -> Vec<String> {
    const GROUPS: [(&str, u32); 20] = [
        ("CC1", 5),
        ("CC2", 3),
        ("CC3", 4),
        ("CC4", 2),
        ("CC5", 3),
        ("CC6", 8),
        ("CC7", 5),
        ("CC8", 1),
        ("CC9", 2),
        ("A1", 3),
        ("C1", 2),
        ("PI1", 5),
        ("P1", 1),
        ("P2", 1),
        ("P3", 2),
        ("P4", 3),
        ("P5", 2),
        ("P6", 7),
        ("P7", 1),
        ("P8", 1),
    ];
    GROUPS.iter().flat_map(|(group, n)| (1..=*n).map(move |i| format!("{group}.{i}"))).collect()
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `pass`.
    pub pass: u64,
    /// `fail`.
    pub fail: u64,
    /// `unknown`.
    pub unknown: u64,
    /// `manual`.
    pub manual: u64,
    /// `not_applicable`.
    pub not_applicable: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Unknown => self.unknown += 1,
            Verdict::Manual => self.manual += 1,
            Verdict::NotApplicable => self.not_applicable += 1,
        }
    }

    /// Adds another count to this one.
    pub fn merge(&mut self, other: Counts) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.unknown += other.unknown;
        self.manual += other.manual;
        self.not_applicable += other.not_applicable;
    }

    /// All verdicts together.
    pub fn total(&self) -> u64 {
        self.pass + self.fail + self.unknown + self.manual + self.not_applicable
    }
}

/// What the rules said of an inventory.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// Verdicts in the order of rule id, account, region, ARN. Passes and not-applicables only where they were
    /// asked for; everything else always.
    pub judgements: Vec<Judgement<'a>>,
    /// For each rule of the pack, in its order, and each account: how often each verdict was given, those left
    /// out of `judgements` included. An account with all counts zero has no population for that rule.
    pub counts: Vec<BTreeMap<String, Counts>>,
}
