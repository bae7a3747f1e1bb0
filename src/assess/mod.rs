//! What the verdicts mean: findings with their fingerprints, the roll-up to the 61 criteria, and coverage.
//!
//! Reports are written from an [`Assessment`] and from nothing else, so that all of them say the same. This module is
//! pure: it must never read a clock, the environment or the network, and never turn what is unknown into a pass.

pub mod coverage;
pub mod criteria;
pub mod fingerprint;
#[cfg(test)]
pub(crate) mod fixture;
pub mod roll_up;

pub use coverage::{AccountCoverage, Coverage, NotRead};
pub use criteria::{Automation, Category, Criteria, CriteriaError, Criterion};
pub use fingerprint::Fingerprint;
pub use roll_up::{CriterionResult, Hindrance, RuleResult, Standing, State, Tally};

use crate::inventory::Snapshot;
use crate::rules::{Counts, Evaluation, Judgement, Rule, RulePack, Severity};
use jiff::Timestamp;
use roll_up::Circumstances;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the assessment is about, beside what was read and judged.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// The categories of the engagement.
    pub categories: BTreeSet<Category>,
    /// Rules of the whole pack that were not selected for this run: they keep their criteria from being supported.
    pub not_selected: Vec<&'a Rule>,
    /// Criteria whose manual items are all supplied.
    pub evidence_supplied: BTreeSet<String>,
    /// The time that rules judged by.
    pub as_of: Timestamp,
}

impl Scope<'_> {
    /// All categories, every rule selected, no manual evidence.
    pub fn everything(as_of: Timestamp) -> Self {
        Scope {
            categories: Category::ALL.into_iter().collect(),
            not_selected: Vec::new(),
            evidence_supplied: BTreeSet::new(),
            as_of,
        }
    }
}

/// Why an assessment could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssessError {
    /// A rule names a criterion that does not exist: its verdicts would count nowhere.
    #[error(
        "{file}: rule '{rule}' names the criterion '{criterion}', which does not exist{hint}",
        file = file.display(),
        hint = nearest.as_ref().map(|n| format!("; did you mean '{n}'?")).unwrap_or_default()
    )]
    UnknownCriterion {
        /// The rule's file.
        file: PathBuf,
        /// The rule.
        rule: String,
        /// What it names.
        criterion: String,
        /// The criterion most like it.
        nearest: Option<String>,
    },
    /// The evaluation is of another rule pack.
    #[error("the evaluation counts {counted} rules, the rule pack has {rules}: evaluate again with this pack")]
    ForeignEvaluation {
        /// Rules that the evaluation counts.
        counted: usize,
        /// Rules of the pack.
        rules: usize,
    },
}

/// Everything that reports tell.
#[derive(Clone, Debug)]
pub struct Assessment<'a> {
    /// The rules that judged.
    pub pack: &'a RulePack,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// What it is about.
    pub scope: Scope<'a>,
    /// The rules with their verdicts over all accounts, in the order of the pack.
    pub rules: Vec<RuleResult<'a>>,
    /// All 61 criteria, in the order of the standard.
    pub criteria: Vec<CriterionResult<'a>>,
    /// What was read of what was to be read.
    pub coverage: Coverage<'a>,
    evaluation: &'a Evaluation<'a>,
}

/// One verdict with its identity.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    /// The rule that judged.
    pub rule: &'a Rule,
    /// What it says.
    pub judgement: &'a Judgement<'a>,
    /// What makes it the same finding from one scan to the next.
    pub fingerprint: Fingerprint,
}

/// How a run ends, and with which exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Everything was read, and no failure is as bad as asked for.
    Clean,
    /// So many failures at or above the asked severity.
    Findings(u64),
    /// No such failure among what was read; not everything was.
    Incomplete,
}

impl Conclusion {
    /// 0 clean, 1 findings, 3 incomplete. (2, could not run, comes before there is an assessment.)
    pub fn exit_code(self) -> u8 {
        match self {
            Conclusion::Clean => 0,
            Conclusion::Findings(_) => 1,
            Conclusion::Incomplete => 3,
        }
    }
}

impl<'a> Assessment<'a> {
    /// Makes the assessment of `evaluation`, which rules of `pack` made of `snapshot`.
    ///
    /// # Errors
    /// [`AssessError`] where a rule names a criterion that does not exist, or the evaluation is not of this pack.
    pub fn new(
        criteria: &'a Criteria,
        pack: &'a RulePack,
        evaluation: &'a Evaluation<'a>,
        snapshot: &'a Snapshot,
        scope: Scope<'a>,
    ) -> Result<Self, AssessError> {
        if evaluation.counts.len() != pack.rules.len() {
            return Err(AssessError::ForeignEvaluation { counted: evaluation.counts.len(), rules: pack.rules.len() });
        }
        if let Some(j) = evaluation.judgements.iter().find(|j| j.rule >= pack.rules.len()) {
            return Err(AssessError::ForeignEvaluation { counted: j.rule + 1, rules: pack.rules.len() });
        }
        for rule in pack.rules.iter().chain(scope.not_selected.iter().copied()) {
            check_criteria(rule, criteria)?;
        }
        let coverage = Coverage::of(pack, evaluation, snapshot);
        let rules: Vec<RuleResult<'a>> = pack
            .rules
            .iter()
            .zip(&evaluation.counts)
            .map(|(rule, by_account)| RuleResult::of(rule, sum(by_account.values()), &coverage))
            .collect();
        let regions_left_out = coverage.regions_left_out();
        let criteria = criteria
            .iter()
            .map(|criterion| {
                let circumstances = Circumstances {
                    in_scope: scope.categories.contains(&criterion.category),
                    regions_left_out,
                    evidence_supplied: scope.evidence_supplied.contains(&criterion.id),
                };
                CriterionResult::of(criterion, &rules, &scope.not_selected, circumstances)
            })
            .collect();
        Ok(Assessment { pack, snapshot, scope, rules, criteria, coverage, evaluation })
    }

    /// The verdicts, in the order of rule id, account, region, ARN. Passes and not-applicables only where the
    /// evaluation kept them.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'a>> + use<'a> {
        let pack = self.pack;
        // `new` has refused judgements of rules that the pack does not have, so that none is lost here.
        self.evaluation.judgements.iter().filter_map(move |judgement| {
            let rule = pack.rules.get(judgement.rule)?;
            Some(Finding { rule, judgement, fingerprint: Fingerprint::of(&rule.id, &judgement.subject) })
        })
    }

    /// All verdicts, those that the evaluation did not keep included.
    pub fn totals(&self) -> Counts {
        sum(self.rules.iter().map(|r| &r.counts))
    }

    /// The verdicts of rules of one severity.
    pub fn totals_of(&self, severity: Severity) -> Counts {
        sum(self.rules.iter().filter(|r| r.rule.severity == severity).map(|r| &r.counts))
    }

    /// Whether everything was read and every verdict could be given. A run without rules or accounts is not.
    pub fn complete(&self) -> bool {
        !self.rules.is_empty() && self.coverage.complete() && self.rules.iter().all(|r| r.standing != Standing::Unknown)
    }

    /// How the run ends: failures of rules at or above `fail_on` outrank what is missing. `None` never counts failures.
    pub fn conclusion(&self, fail_on: Option<Severity>) -> Conclusion {
        let asked = |severity: &Severity| fail_on.is_some_and(|limit| *severity <= limit);
        match Severity::ALL.into_iter().filter(asked).map(|s| self.totals_of(s).fail).sum() {
            0 if self.complete() => Conclusion::Clean,
            0 => Conclusion::Incomplete,
            failures => Conclusion::Findings(failures),
        }
    }
}

fn check_criteria(rule: &Rule, criteria: &Criteria) -> Result<(), AssessError> {
    match rule.criteria.iter().find(|id| criteria.get(id).is_none()) {
        None => Ok(()),
        Some(unknown) => Err(AssessError::UnknownCriterion {
            file: rule.file.clone(),
            rule: rule.id.clone(),
            criterion: unknown.clone(),
            nearest: criteria.nearest(unknown).map(str::to_owned),
        }),
    }
}

fn sum<'c>(counts: impl IntoIterator<Item = &'c Counts>) -> Counts {
    let mut all = Counts::default();
    for c in counts {
        all.merge(*c);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::fixture::{World, rule, time};
    use super::*;
    use crate::rules::{Relevance, Verdict};

    fn world(verdicts: &[(&str, Verdict)]) -> World {
        let mut world = World::empty()
            .rule(rule("high", Severity::High, Relevance::Key, &["CC6.1"], "AWS::Test::High"))
            .rule(rule("low", Severity::Low, Relevance::Key, &["CC6.1"], "AWS::Test::Low"));
        for (n, (rule, verdict)) in verdicts.iter().enumerate() {
            world = world.verdict(rule, &format!("x{n}"), *verdict);
        }
        world
    }

    fn conclude(verdicts: &[(&str, Verdict)], fail_on: Option<Severity>) -> Conclusion {
        world(verdicts).assess(false, |a| a.conclusion(fail_on))
    }

    #[test]
    fn everything_read_and_nothing_bad_enough_is_clean() {
        let verdicts = [("high", Verdict::Pass), ("low", Verdict::Fail), ("low", Verdict::Manual)];
        assert_eq!(conclude(&verdicts, Some(Severity::Medium)), Conclusion::Clean);
        assert_eq!(conclude(&verdicts, None), Conclusion::Clean);
    }

    #[test]
    fn failures_at_the_limit_count_and_outrank_what_is_missing() {
        let verdicts = [("low", Verdict::Fail), ("high", Verdict::Fail), ("high", Verdict::Unknown)];
        assert_eq!(conclude(&verdicts, Some(Severity::High)), Conclusion::Findings(1));
        assert_eq!(conclude(&verdicts, Some(Severity::Low)), Conclusion::Findings(2));
        assert_eq!(conclude(&verdicts, Some(Severity::Critical)), Conclusion::Incomplete);
    }

    #[test]
    fn exit_codes_are_0_1_and_3() {
        let codes = [Conclusion::Clean, Conclusion::Findings(7), Conclusion::Incomplete].map(Conclusion::exit_code);
        assert_eq!(codes, [0, 1, 3]);
    }

    #[test]
    fn an_unknown_criterion_is_refused_with_the_nearest_one() {
        let world = World::empty().rule(rule("r", Severity::Low, Relevance::Key, &["CC6.11"], "AWS::Test::Thing"));
        let (criteria, evaluation) = (Criteria::embedded().expect("loads"), world.evaluation(false));
        let scope = Scope::everything(time("2026-03-01T10:00:00Z"));
        let error = Assessment::new(&criteria, &world.pack, &evaluation, &world.snapshot, scope).expect_err("refused");
        let text =
            "rules/test/r.yaml: rule 'r' names the criterion 'CC6.11', which does not exist; did you mean 'CC6.1'?";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn an_evaluation_of_another_pack_is_refused() {
        let (one, other) = (World::sample(), World::empty());
        let (criteria, evaluation) = (Criteria::embedded().expect("loads"), one.evaluation(false));
        let scope = Scope::everything(time("2026-03-01T10:00:00Z"));
        let error = Assessment::new(&criteria, &other.pack, &evaluation, &one.snapshot, scope).expect_err("refused");
        assert_eq!(error, AssessError::ForeignEvaluation { counted: 9, rules: 0 });
    }

    #[test]
    fn findings_come_in_order_with_fingerprints_of_their_own() {
        World::sample().assess(true, |a| {
            let all: Vec<_> = a.findings().collect();
            assert_eq!(all.len() as u64, a.totals().total());
            assert!(all.is_sorted_by_key(|f| &f.rule.id));
            let distinct: BTreeSet<_> = all.iter().map(|f| f.fingerprint).collect();
            assert_eq!(distinct.len(), all.len());
        });
    }
}
