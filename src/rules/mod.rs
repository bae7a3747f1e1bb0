//! What is judged: rule files, the conditions in them, and the three-valued evaluation.
//!
//! A rule is data ([`load`]); its conditions are CEL, checked against the API models when the rule is loaded
//! ([`schema`], [`compile`]) and evaluated so that what was not read can never become a pass ([`evaluate`]).
//! This module must never read a clock, the environment or the network: everything comes from the inventory.

pub mod verdict;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
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
