//! From verdicts to criteria: what the rules together say of each Trust Services Criterion.
//!
//! A criterion is never called compliant. Key rules decide it, supporting rules inform, hygiene rules never turn it. A
//! failure outranks what is unknown, and what is unknown outranks a pass; a rule without anything to judge is no pass.
//! `docs/criteria.md` explains the states to their readers; the two must say the same.

use super::coverage::Coverage;
use super::criteria::{Automation, Criterion};
use crate::rules::{Counts, Relevance, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be said of a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A key rule failed.
    Gaps,
    /// No key rule failed, and something keeps it from being supported.
    NotConcluded,
    /// Every key rule that had something to judge passed, at least one had, and the manual items are supplied.
    Supported,
    /// A scan is no evidence for it.
    NoAutomatedEvidence,
    /// Its category is not part of the engagement.
    OutOfScope,
}

impl State {
    /// All, what needs attention first.
    pub const ALL: [State; 5] =
        [State::Gaps, State::NotConcluded, State::Supported, State::NoAutomatedEvidence, State::OutOfScope];

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            State::Gaps => "gaps",
            State::NotConcluded => "not concluded",
            State::Supported => "supported",
            State::NoAutomatedEvidence => "no automated evidence",
            State::OutOfScope => "out of scope",
        }
    }
}

/// What keeps a criterion from being supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// Its category is not part of the engagement.
    CategoryOutOfScope,
    /// Only a person can show it, and no key rule is mapped to it.
    ManualOnly,
    /// No key or supporting rule is mapped to it.
    NoRule,
    /// A key rule failed.
    KeyRulesFailed,
    /// A key rule has an unknown verdict, or a hole in its population.
    KeyRulesUnknown,
    /// A key rule says that a person must look.
    KeyRulesManual,
    /// A key rule was not selected for this run.
    KeyRulesNotSelected,
    /// Only supporting rules are mapped to it; they inform and do not decide.
    NoKeyRule,
    /// No key rule had a resource to pass or fail.
    NothingTested,
    /// Regions were left out at the user's wish.
    RegionsLeftOut,
    /// What a person must supply was not supplied.
    ManualEvidenceNotSupplied,
}

impl Hindrance {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Hindrance::CategoryOutOfScope => "its category is not in scope",
            Hindrance::ManualOnly => "only a person can show it",
            Hindrance::NoRule => "no rule covers it",
            Hindrance::KeyRulesFailed => "key rules failed",
            Hindrance::KeyRulesUnknown => "key rules unknown",
            Hindrance::KeyRulesManual => "key rules need a person",
            Hindrance::KeyRulesNotSelected => "key rules not selected",
            Hindrance::NoKeyRule => "no key rule covers it",
            Hindrance::NothingTested => "nothing for key rules to test",
            Hindrance::RegionsLeftOut => "regions left out",
            Hindrance::ManualEvidenceNotSupplied => "manual evidence not supplied",
        }
    }
}

/// What one rule says over all accounts: the worst of its verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A resource failed.
    Failed,
    /// Nothing failed; a verdict is unknown, or not every resource is known.
    Unknown,
    /// Neither; a person must look.
    Manual,
    /// None of these; at least one resource passed.
    Passed,
    /// Resources are there; the rule fits none of them.
    NotApplicable,
    /// Proven: there is no such resource.
    NoPopulation,
}

impl Standing {
    fn of(counts: Counts, hole: bool) -> Self {
        match counts {
            Counts { fail: 1.., .. } => Standing::Failed,
            Counts { unknown: 1.., .. } => Standing::Unknown,
            _ if hole => Standing::Unknown,
            Counts { manual: 1.., .. } => Standing::Manual,
            Counts { pass: 1.., .. } => Standing::Passed,
            Counts { not_applicable: 1.., .. } => Standing::NotApplicable,
            _ => Standing::NoPopulation,
        }
    }
}

/// One selected rule over all accounts.
#[derive(Clone, Copy, Debug)]
pub struct RuleResult<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The worst of its verdicts.
    pub standing: Standing,
    /// All of its verdicts.
    pub counts: Counts,
}

impl<'a> RuleResult<'a> {
    pub(super) fn of(rule: &'a Rule, counts: Counts, coverage: &Coverage<'_>) -> Self {
        RuleResult { rule, standing: Standing::of(counts, coverage.has_hole(&rule.resource_type)), counts }
    }
}

/// The rules of one relevance that are mapped to a criterion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rules that are mapped to it, selected or not: the denominator of the others.
    pub rules: u64,
    /// Rules that were not selected for this run.
    pub not_selected: u64,
    /// Rules that stand as [`Standing::Failed`].
    pub failed: u64,
    /// Rules that stand as [`Standing::Unknown`].
    pub unknown: u64,
    /// Rules that stand as [`Standing::Manual`].
    pub manual: u64,
    /// Rules that stand as [`Standing::Passed`].
    pub passed: u64,
    /// Rules that stand as [`Standing::NotApplicable`].
    pub not_applicable: u64,
    /// Rules that stand as [`Standing::NoPopulation`].
    pub no_population: u64,
    /// The verdicts of all of them.
    pub verdicts: Counts,
}

impl Tally {
    fn add(&mut self, result: &RuleResult<'_>) {
        self.rules += 1;
        self.verdicts.merge(result.counts);
        match result.standing {
            Standing::Failed => self.failed += 1,
            Standing::Unknown => self.unknown += 1,
            Standing::Manual => self.manual += 1,
            Standing::Passed => self.passed += 1,
            Standing::NotApplicable => self.not_applicable += 1,
            Standing::NoPopulation => self.no_population += 1,
        }
    }

    /// Rules that had a resource to judge, or could not know whether they had.
    fn tested(&self) -> u64 {
        self.failed + self.unknown + self.manual + self.passed
    }

    fn add_not_selected(&mut self) {
        self.rules += 1;
        self.not_selected += 1;
    }
}

/// What the rules say of one criterion.
#[derive(Clone, Debug)]
pub struct CriterionResult<'a> {
    /// The criterion.
    pub criterion: &'a Criterion,
    /// What can be said of it.
    pub state: State,
    /// Everything that keeps it from being supported, in the order of [`Hindrance`].
    pub hindrances: Vec<Hindrance>,
    /// Key rules: they decide.
    pub key: Tally,
    /// Supporting rules: they inform.
    pub supporting: Tally,
    /// Hygiene rules: they never turn it.
    pub hygiene: Tally,
}

impl<'a> CriterionResult<'a> {
    pub(super) fn of(
        criterion: &'a Criterion,
        results: &[RuleResult<'_>],
        not_selected: &[&Rule],
        circumstances: Circumstances,
    ) -> Self {
        let mut result = CriterionResult {
            criterion,
            state: State::NotConcluded,
            hindrances: Vec::new(),
            key: Tally::default(),
            supporting: Tally::default(),
            hygiene: Tally::default(),
        };
        for r in results.iter().filter(|r| r.rule.criteria.contains(&criterion.id)) {
            result.tally(r.rule.relevance).add(r);
        }
        for rule in not_selected.iter().filter(|r| r.criteria.contains(&criterion.id)) {
            result.tally(rule.relevance).add_not_selected();
        }
        (result.state, result.hindrances) = result.conclude(circumstances);
        result
    }

    fn tally(&mut self, relevance: Relevance) -> &mut Tally {
        match relevance {
            Relevance::Key => &mut self.key,
            Relevance::Supporting => &mut self.supporting,
            Relevance::Hygiene => &mut self.hygiene,
        }
    }

    fn conclude(&self, circumstances: Circumstances) -> (State, Vec<Hindrance>) {
        if !circumstances.in_scope {
            return (State::OutOfScope, vec![Hindrance::CategoryOutOfScope]);
        }
        let key = &self.key;
        if key.rules == 0 && self.criterion.automation == Automation::ManualOnly {
            return (State::NoAutomatedEvidence, vec![Hindrance::ManualOnly]);
        }
        if key.rules == 0 && self.supporting.rules == 0 {
            return (State::NoAutomatedEvidence, vec![Hindrance::NoRule]);
        }
        let hindrances: Vec<Hindrance> = [
            (Hindrance::KeyRulesFailed, key.failed > 0),
            (Hindrance::KeyRulesUnknown, key.unknown > 0),
            (Hindrance::KeyRulesManual, key.manual > 0),
            (Hindrance::KeyRulesNotSelected, key.not_selected > 0),
            (Hindrance::NoKeyRule, key.rules == 0),
            (Hindrance::NothingTested, key.rules > key.not_selected && key.tested() == 0),
            (Hindrance::RegionsLeftOut, circumstances.regions_left_out),
            (Hindrance::ManualEvidenceNotSupplied, !circumstances.evidence_supplied),
        ]
        .into_iter()
        .filter_map(|(hindrance, there)| there.then_some(hindrance))
        .collect();
        let state = match hindrances.as_slice() {
            [] => State::Supported,
            [Hindrance::KeyRulesFailed, ..] => State::Gaps,
            _ => State::NotConcluded,
        };
        (state, hindrances)
    }

    /// Whether the key rules pass and nothing but the manual evidence keeps it from being supported.
    pub fn only_manual_evidence_missing(&self) -> bool {
        self.hindrances == [Hindrance::ManualEvidenceNotSupplied]
    }

    /// The verdicts of all rules that are mapped to it.
    pub fn verdicts(&self) -> Counts {
        let mut all = self.key.verdicts;
        all.merge(self.supporting.verdicts);
        all.merge(self.hygiene.verdicts);
        all
    }

    /// How many rules are mapped to it, and how many of them were selected.
    pub fn rules(&self) -> (u64, u64) {
        let tallies = [&self.key, &self.supporting, &self.hygiene];
        let all = tallies.iter().map(|t| t.rules).sum();
        (all, all - tallies.iter().map(|t| t.not_selected).sum::<u64>())
    }
}

/// What else bears on a criterion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Its category is part of the engagement.
    pub(super) in_scope: bool,
    /// Regions were left out at the user's wish.
    pub(super) regions_left_out: bool,
    /// All that a person must supply is there.
    pub(super) evidence_supplied: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::fixture::{World, rule, time};
    use crate::assess::{Assessment, Category, Scope};
    use crate::inventory::{Cause, PopulationState, Reason};
    use crate::rules::{Severity, Verdict};
    use proptest::prelude::*;

    const CRITERION: &str = "A1.2";

    fn key(id: &str) -> Rule {
        rule(id, Severity::High, Relevance::Key, &[CRITERION], &format!("AWS::Test::{id}"))
    }

    fn of(relevance: Relevance) -> Rule {
        rule("r", Severity::High, relevance, &[CRITERION], "AWS::Test::Thing")
    }

    fn scope() -> Scope<'static> {
        Scope::everything(time("2026-03-01T10:00:00Z"))
    }

    fn with_evidence() -> Scope<'static> {
        Scope { evidence_supplied: [CRITERION.to_owned()].into(), ..scope() }
    }

    fn look_up(a: &Assessment<'_>, id: &str) -> (State, Vec<Hindrance>) {
        let c = a.criteria.iter().find(|c| c.criterion.id == id).expect("a criterion");
        (c.state, c.hindrances.clone())
    }

    /// What is said of the criterion, all manual evidence supplied.
    fn state(world: &World) -> (State, Vec<Hindrance>) {
        world.assess_within(false, with_evidence(), |a| look_up(a, CRITERION))
    }

    fn not_concluded(why: Hindrance) -> (State, Vec<Hindrance>) {
        (State::NotConcluded, vec![why])
    }

    #[test]
    fn key_rules_that_pass_with_manual_evidence_support_a_criterion() {
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        assert_eq!(state(&world), (State::Supported, vec![]));
    }

    #[test]
    fn without_manual_evidence_passing_key_rules_conclude_nothing_and_that_is_told_apart() {
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        world.assess(false, |a| {
            let c = a.criteria.iter().find(|c| c.criterion.id == CRITERION).expect("there");
            assert_eq!(look_up(a, CRITERION), not_concluded(Hindrance::ManualEvidenceNotSupplied));
            assert!(c.only_manual_evidence_missing());
        });
    }

    #[test]
    fn a_failure_outranks_the_unknown_and_the_unknown_outranks_passes() {
        let world = World::empty().rule(key("a")).rule(key("b")).verdict("a", "x", Verdict::Pass);
        let world = world.verdict("a", "y", Verdict::Unknown);
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesUnknown));
        let world = world.verdict("b", "z", Verdict::Fail);
        assert_eq!(state(&world), (State::Gaps, vec![Hindrance::KeyRulesFailed, Hindrance::KeyRulesUnknown]));
    }

    #[test]
    fn a_key_rule_that_needs_a_person_concludes_nothing() {
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Manual).verdict("a", "y", Verdict::Pass);
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesManual));
    }

    #[test]
    fn no_population_and_not_applicable_are_no_pass() {
        let world = World::empty().rule(key("a")).rule(key("b"));
        assert_eq!(state(&world), not_concluded(Hindrance::NothingTested));
        let world = world.verdict("b", "x", Verdict::NotApplicable);
        assert_eq!(state(&world), not_concluded(Hindrance::NothingTested));
    }

    #[test]
    fn a_proven_absence_does_not_stand_in_the_way_of_other_passes() {
        let world = World::empty().rule(key("a")).rule(key("b")).verdict("a", "x", Verdict::Pass);
        assert_eq!(state(&world), (State::Supported, vec![]));
    }

    #[test]
    fn an_incomplete_population_is_unknown_even_if_every_verdict_is_a_pass() {
        let mut world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        let population = world.snapshot.populations.last_mut().expect("there");
        population.state = PopulationState::Incomplete { causes: vec![Cause::of(Reason::Throttled, "")] };
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesUnknown));
    }

    #[test]
    fn a_population_that_the_snapshot_does_not_speak_of_is_unknown() {
        let mut world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        world.snapshot.populations.retain(|p| p.resource_type != "AWS::Test::a");
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesUnknown));
    }

    #[test]
    fn a_regional_population_must_be_there_for_every_region_in_scope() {
        let mut world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        let population = world.snapshot.populations.last_mut().expect("there");
        population.region = "us-east-1".into();
        let mut other = population.clone();
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesUnknown));
        other.region = "eu-west-1".into();
        other.state = PopulationState::Unsupported;
        world.snapshot.populations.push(other);
        assert_eq!(state(&world), (State::Supported, vec![]));
    }

    #[test]
    fn an_account_that_was_not_read_at_all_leaves_every_key_rule_unknown() {
        let mut world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        let mut other = world.snapshot.header.accounts[0].clone();
        other.account = "999999999999".into();
        world.snapshot.header.accounts.push(other);
        assert_eq!(state(&world), not_concluded(Hindrance::KeyRulesUnknown));
    }

    #[test]
    fn regions_left_out_keep_a_criterion_open() {
        let mut world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        world.snapshot.header.accounts[0].regions_left_out = vec!["ap-south-1".into()];
        assert_eq!(state(&world), not_concluded(Hindrance::RegionsLeftOut));
    }

    #[test]
    fn key_rules_that_were_not_selected_keep_a_criterion_open() {
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        let left_out = key("b");
        let scope = Scope { not_selected: vec![&left_out], ..with_evidence() };
        world.assess_within(false, scope, |a| {
            assert_eq!(look_up(a, CRITERION), not_concluded(Hindrance::KeyRulesNotSelected));
            let c = a.criteria.iter().find(|c| c.criterion.id == CRITERION).expect("there");
            assert_eq!(c.rules(), (2, 1));
        });
    }

    #[test]
    fn supporting_rules_inform_and_do_not_decide() {
        let world = World::empty().rule(of(Relevance::Supporting)).verdict("r", "x", Verdict::Pass);
        assert_eq!(state(&world), not_concluded(Hindrance::NoKeyRule));
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass);
        let world = world.rule(of(Relevance::Supporting)).verdict("r", "y", Verdict::Fail);
        assert_eq!(state(&world), (State::Supported, vec![]));
    }

    #[test]
    fn hygiene_rules_never_turn_a_criterion() {
        for verdict in Verdict::ALL {
            let world = World::empty().rule(of(Relevance::Hygiene)).verdict("r", "x", verdict);
            assert_eq!(state(&world), (State::NoAutomatedEvidence, vec![Hindrance::NoRule]));
        }
    }

    #[test]
    fn manual_only_criteria_have_no_automated_evidence_whatever_else_is_supplied() {
        let scope = Scope { evidence_supplied: ["CC1.1".to_owned()].into(), ..scope() };
        World::empty().rule(key("a")).verdict("a", "x", Verdict::Pass).assess_within(false, scope, |a| {
            assert_eq!(look_up(a, "CC1.1"), (State::NoAutomatedEvidence, vec![Hindrance::ManualOnly]));
            assert_eq!(look_up(a, "CC6.1"), (State::NoAutomatedEvidence, vec![Hindrance::NoRule]));
        });
    }

    #[test]
    fn a_category_out_of_scope_is_shown_as_such_even_with_failures() {
        let world = World::empty().rule(key("a")).verdict("a", "x", Verdict::Fail);
        let scope = Scope { categories: [Category::Security].into(), ..scope() };
        world.assess_within(false, scope, |a| {
            assert_eq!(look_up(a, CRITERION), (State::OutOfScope, vec![Hindrance::CategoryOutOfScope]));
            assert_eq!(a.criteria.len(), 61);
        });
    }

    #[test]
    fn the_sample_gives_every_count_beside_its_denominator() {
        World::sample().assess(false, |a| {
            let c = a.criteria.iter().find(|c| c.criterion.id == "CC6.1").expect("there");
            assert_eq!(c.state, State::Gaps);
            assert_eq!(c.verdicts(), Counts { pass: 2, fail: 2, unknown: 2, manual: 0, not_applicable: 0 });
            let expected = Tally { rules: 3, failed: 2, unknown: 1, verdicts: c.verdicts(), ..Tally::default() };
            assert_eq!(c.key, expected);
            assert_eq!(look_up(a, "CC9.2").1[0], Hindrance::KeyRulesManual);
            assert_eq!(look_up(a, "A1.2").0, State::NotConcluded);
        });
    }

    proptest! {
        /// Whatever the verdicts: a criterion is supported only if no key rule has a fail, unknown or manual and one
        /// has a pass; and it has gaps exactly if a key rule has a fail.
        #[test]
        fn there_is_no_green_without_proof(verdicts in proptest::collection::vec((0..3usize, 0..5usize), 0..8)) {
            let ids = ["a", "b", "c"];
            let mut world = World::empty().rule(key("a")).rule(key("b")).rule(key("c"));
            for (n, (rule, verdict)) in verdicts.iter().enumerate() {
                world = world.verdict(ids[*rule], &format!("x{n}"), Verdict::ALL[*verdict]);
            }
            let any = |v: Verdict| verdicts.iter().any(|(_, n)| Verdict::ALL[*n] == v);
            let open = any(Verdict::Fail) || any(Verdict::Unknown) || any(Verdict::Manual);
            let (found, _) = state(&world);
            prop_assert_eq!(found == State::Supported, any(Verdict::Pass) && !open);
            prop_assert_eq!(found == State::Gaps, any(Verdict::Fail));
        }
    }
}
