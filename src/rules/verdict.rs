//! Verdicts: what a rule says of one resource, and the proof.

use crate::inventory::{Cause, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a rule says of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Read, and it does not hold.
    Fail,
    /// Could not be observed.
    Unknown,
    /// A person must look.
    Manual,
    /// Read, and it holds.
    Pass,
    /// The resource is there; the rule does not fit it.
    NotApplicable,
}

impl Verdict {
    /// All, worst first.
    pub const ALL: [Verdict; 5] =
        [Verdict::Fail, Verdict::Unknown, Verdict::Manual, Verdict::Pass, Verdict::NotApplicable];

    /// As it is written in JSON and in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Manual => "manual",
            Verdict::Pass => "pass",
            Verdict::NotApplicable => "not_applicable",
        }
    }
}

/// How bad a failure is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Act now.
    Critical,
    /// Act within days.
    High,
    /// Act within the quarter.
    Medium,
    /// Improve.
    Low,
    /// Good to know.
    Informational,
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Informational];

    /// As it is written in JSON and in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Informational => "informational",
        }
    }
}

/// How much a rule weighs on its criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relevance {
    /// Decides a criterion.
    Key,
    /// Informs it.
    Supporting,
    /// Never turns it.
    Hygiene,
}

impl Relevance {
    /// As it is written in JSON and in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Relevance::Key => "key",
            Relevance::Supporting => "supporting",
            Relevance::Hygiene => "hygiene",
        }
    }
}

/// A member that decided a verdict, with the value that was read.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Where it stands, from the resource's root (`Encryption.Rules[0].BucketKeyEnabled`), or, in a joined
    /// resource, behind the join's name (`trails[arn:…].IsLogging`).
    pub path: String,
    /// What was read; `null` where the member is absent.
    pub value: Value,
}

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject<'a> {
    /// A resource that was found.
    Resource(&'a Resource),
    /// All resources of a type in one account and region, where not all of them could be listed.
    Population {
        /// The resource type.
        resource_type: &'a str,
        /// The 12-digit account id.
        account: &'a str,
        /// The region code, or `global`.
        region: &'a str,
    },
}

impl Subject<'_> {
    /// The account that the subject is in.
    pub fn account(&self) -> &str {
        match self {
            Subject::Resource(r) => &r.account,
            Subject::Population { account, .. } => account,
        }
    }

    /// The region that the subject is in, or `global`.
    pub fn region(&self) -> &str {
        match self {
            Subject::Resource(r) => &r.region,
            Subject::Population { region, .. } => region,
        }
    }
}

/// One rule's verdict on one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement<'a> {
    /// The rule, by its place in the pack ([`crate::rules::RulePack::rules`]).
    pub rule: usize,
    /// On what.
    pub subject: Subject<'a>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence that ends with a period. Carries names that an attacker can choose: escape it.
    pub reason: String,
    /// The members that decided it, in the order in which they were read.
    pub evidence: Vec<Evidence>,
    /// For `unknown`: what could not be observed; never empty then, empty otherwise.
    pub causes: Vec<Cause>,
}
