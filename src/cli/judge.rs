//! From a snapshot to reports and the way the run ends: what `scan`, `evaluate` and `demo` share.

use super::arguments::{FailOn, Judging};
use super::console::Console;
use super::data::{self, Chosen};
use super::exit::{End, Exit};
use super::failure::Failure;
use super::output::Outputs;
use crate::assess::{Assessment, Category, Conclusion, Scope};
use crate::inventory::{Inventory, Reason, Snapshot};
use crate::rules::{EvaluateOptions, Severity, evaluate};
use std::collections::BTreeSet;

/// The severity from which failures count where none is asked for: everything but what is merely good to know.
const FAIL_ON: FailOn = FailOn::Low;

/// How to judge, decided.
pub(super) struct Judge<'a> {
    pub(super) chosen: &'a Chosen,
    pub(super) categories: BTreeSet<Category>,
    pub(super) judging: &'a Judging,
    pub(super) outputs: &'a Outputs,
    pub(super) console: &'a Console,
}

impl Judge<'_> {
    /// Judges `snapshot`, writes every report, and says how the run ends.
    pub(super) fn run(self, snapshot: &Snapshot) -> Result<End, Failure> {
        let Chosen { pack, not_selected, .. } = self.chosen;
        let inventory = Inventory::new(snapshot, pack.keys());
        let as_of = self.judging.as_of.unwrap_or(snapshot.header.finished);
        let all_verdicts = self.judging.all_verdicts || self.outputs.tells_passes();
        let options = EvaluateOptions { as_of: Some(as_of), all_verdicts };
        let evaluation = evaluate(pack, &inventory, &options);
        let criteria = data::criteria()?;
        let scope = Scope {
            categories: self.categories,
            not_selected: not_selected.iter().collect(),
            evidence_supplied: BTreeSet::new(),
            as_of,
        };
        let assessment = Assessment::new(&criteria, pack, &evaluation, snapshot, scope).map_err(Failure::new)?;
        self.outputs.write(&assessment, self.judging.all_verdicts, self.console)?;
        Ok(end(&assessment, self.judging.fail_on.unwrap_or(FAIL_ON)))
    }
}

fn end(assessment: &Assessment<'_>, fail_on: FailOn) -> End {
    let limit = severity(fail_on);
    let asked = match limit {
        Some(limit) => format!(" at or above {}", limit.name()),
        None => String::new(),
    };
    match assessment.conclusion(limit) {
        Conclusion::Clean => {
            End::new(Exit::Clean, format!("everything was read, nothing failed{asked}{}", below(assessment, limit)))
        }
        Conclusion::Findings(n) => {
            End::new(Exit::Findings, format!("{n} failed{asked}: {}", by_severity(assessment, limit)))
        }
        Conclusion::Incomplete => {
            End::new(Exit::Incomplete, format!("incomplete: {}{}", missing(assessment), below(assessment, limit)))
        }
    }
}

fn severity(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Critical => Some(Severity::Critical),
        FailOn::High => Some(Severity::High),
        FailOn::Medium => Some(Severity::Medium),
        FailOn::Low => Some(Severity::Low),
        FailOn::Informational => Some(Severity::Informational),
        FailOn::Never => None,
    }
}

/// `2 critical, 5 high`, down to `limit`.
fn by_severity(assessment: &Assessment<'_>, limit: Option<Severity>) -> String {
    let counted = Severity::ALL.into_iter().filter(|s| limit.is_some_and(|limit| *s <= limit));
    let parts = counted.filter_map(|s| match assessment.totals_of(s).fail {
        0 => None,
        n => Some(format!("{n} {}", s.name())),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The failures that did not count.
fn below(assessment: &Assessment<'_>, limit: Option<Severity>) -> String {
    let uncounted = Severity::ALL.into_iter().filter(|s| limit.is_none_or(|limit| *s > limit));
    match uncounted.map(|s| assessment.totals_of(s).fail).sum::<u64>() {
        0 => String::new(),
        n => format!("; {n} failed that --fail-on does not count"),
    }
}

/// What could not be read, in short.
fn missing(assessment: &Assessment<'_>) -> String {
    let unknown = assessment.totals().unknown;
    let mut text = format!("{unknown} verdict{} unknown", if unknown == 1 { "" } else { "s" });
    let causes: Vec<&str> =
        assessment.coverage.not_read.iter().map(|n| n.action.as_str()).filter(|a| !a.is_empty()).collect();
    match causes.as_slice() {
        [] => {}
        [only] => text.push_str(&format!(" for want of {only}")),
        [first, rest @ ..] => text.push_str(&format!(" for want of {first} and {} more", rest.len())),
    }
    if assessment.coverage.not_read.iter().any(|n| n.reason == Reason::ExpiredCredentials) {
        text.push_str("; the credentials expired on the way");
    }
    text
}
