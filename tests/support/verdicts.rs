//! The verdicts of a run, by rule and resource, from its JSON report.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Verdicts by what they are about.
pub(crate) type Verdicts = BTreeMap<Key, Verdict>;

/// What a verdict is about: there is only one for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The rule.
    pub(crate) rule: String,
    /// The account.
    pub(crate) account: String,
    /// The region, or `global`.
    pub(crate) region: String,
    /// The resource's id; `all <type>` for a population.
    pub(crate) id: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} in {}", self.rule, self.id, self.region)
    }
}

/// One verdict and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// `pass`, `fail`, …
    pub(crate) verdict: String,
    /// Why.
    pub(crate) reason: String,
    /// The IAM actions of its causes, where it is `unknown`.
    pub(crate) actions: BTreeSet<String>,
}

/// All verdicts of a report made with `--all-verdicts`.
///
/// # Panics
/// Where two verdicts are about the same rule and resource: there can be only one.
pub(crate) fn verdicts(report: &Value) -> Verdicts {
    let mut all = Verdicts::new();
    for result in report["results"].as_array().expect("results") {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let resource = &result["resource"];
        let id = match text(&resource["id"]) {
            id if id.is_empty() => format!("all {}", text(&resource["type"])),
            id => id,
        };
        let rule = text(&result["rule_id"]);
        let key = Key { rule, account: text(&resource["account"]), region: text(&resource["region"]), id };
        let causes = result["causes"].as_array().into_iter().flatten();
        let verdict = Verdict {
            verdict: text(&result["verdict"]),
            reason: text(&result["reason"]),
            actions: causes.map(|c| text(&c["action"])).filter(|a| !a.is_empty()).collect(),
        };
        let earlier = all.insert(key.clone(), verdict);
        assert!(earlier.is_none(), "two verdicts of {key:?}");
    }
    all
}
