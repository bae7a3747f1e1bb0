//! Coverage: what was read of what was to be read, and which verdicts that leaves open.
//!
//! An account is complete only when nothing that a rule asked of it stayed open. In doubt it is incomplete: this
//! module must never call complete what it has no proof for.

use crate::inventory::{
    AccountScope, Cause, LedgerSummary, Outcome, Population, PopulationState, Reason, Snapshot, resource::GLOBAL,
};
use crate::rules::{Evaluation, RulePack, Verdict};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was read, and what was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage<'a> {
    /// Every account that was to be read, or that anything was found in, sorted by id.
    pub accounts: Vec<AccountCoverage<'a>>,
    /// Resource types, with how many resources were found and how many populations could be listed.
    pub types: BTreeMap<&'a str, TypeCoverage>,
    /// The ledger summed up.
    pub calls: LedgerSummary,
    /// Populations that were not listed to the end.
    pub incomplete: Vec<&'a Population>,
    /// Populations that rules need and that the snapshot does not speak of.
    pub not_collected: Vec<NotCollected<'a>>,
    /// What could not be read, by reason and IAM action; what blocks most verdicts first.
    pub not_read: Vec<NotRead>,
}

/// One account's part of the coverage.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountCoverage<'a> {
    /// The 12-digit account id.
    pub account: &'a str,
    /// What was to be read of it; `None` where the snapshot's header does not name the account.
    pub scope: Option<&'a AccountScope>,
    /// Populations that the snapshot speaks of.
    pub populations: u64,
    /// Those that were not listed to the end.
    pub incomplete_populations: u64,
    /// Resource types that rules need and that were not read everywhere in the account.
    pub types_not_collected: u64,
    /// Resources found.
    pub resources: u64,
    /// Verdicts that stayed `unknown`, for whatever cause.
    pub unknown_verdicts: u64,
    /// Requests by outcome.
    pub calls: BTreeMap<Outcome, u64>,
}

impl AccountCoverage<'_> {
    /// Whether everything that was asked of the account was answered: the header names it, something was listed, every
    /// population was listed to the end, every type that a rule needs was read in every region in scope, and no
    /// verdict stayed unknown. Regions that the user left out do not count here; they show in the criteria.
    pub fn complete(&self) -> bool {
        self.scope.is_some()
            && self.populations > 0
            && self.incomplete_populations == 0
            && self.types_not_collected == 0
            && self.unknown_verdicts == 0
    }
}

/// How much of a resource type was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeCoverage {
    /// Resources found.
    pub resources: u64,
    /// Populations listed to the end.
    pub complete: u64,
    /// Populations of regions that do not offer the service.
    pub unsupported: u64,
    /// Populations not listed to the end.
    pub incomplete: u64,
}

/// A resource type that a rule needs and that was not read everywhere in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCollected<'a> {
    /// The 12-digit account id.
    pub account: &'a str,
    /// The resource type.
    pub resource_type: &'a str,
    /// The regions that miss; empty where the type was read nowhere in the account.
    pub regions: Vec<&'a str>,
}

/// Something that could not be read, over all places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRead {
    /// The class of the failure.
    pub reason: Reason,
    /// The IAM action; empty where no call was made.
    pub action: String,
    /// The accounts that it was met in.
    pub accounts: BTreeSet<String>,
    /// The regions that it was met in.
    pub regions: BTreeSet<String>,
    /// The service's error codes.
    pub codes: BTreeSet<String>,
    /// The first cause's sentence, as an example. Hostile until escaped.
    pub example: String,
    /// How many verdicts stayed unknown because of it, at least among others.
    pub verdicts_blocked: u64,
    /// How many populations are incomplete because of it, at least among others.
    pub populations: u64,
    /// How many members of resources could not be read because of it.
    pub fields: u64,
}

impl NotRead {
    /// Whether a permission is what is missing.
    pub fn is_permission(&self) -> bool {
        self.reason == Reason::Denied
    }
}

impl<'a> Coverage<'a> {
    pub(super) fn of(pack: &'a RulePack, evaluation: &'a Evaluation<'a>, snapshot: &'a Snapshot) -> Self {
        let names = account_names(evaluation, snapshot);
        let not_collected = not_collected(pack, snapshot, &names);
        let mut accounts: BTreeMap<&str, AccountCoverage<'a>> =
            names.iter().map(|account| (*account, blank(account, snapshot))).collect();
        let mut types: BTreeMap<&str, TypeCoverage> = BTreeMap::new();
        for p in &snapshot.populations {
            let t = types.entry(&p.resource_type).or_default();
            let account = accounts.get_mut(p.account.as_str());
            let incomplete = matches!(p.state, PopulationState::Incomplete { .. });
            match p.state {
                PopulationState::Complete => t.complete += 1,
                PopulationState::Unsupported => t.unsupported += 1,
                PopulationState::Incomplete { .. } => t.incomplete += 1,
            }
            if let Some(a) = account {
                a.populations += 1;
                a.incomplete_populations += u64::from(incomplete);
            }
        }
        for r in &snapshot.resources {
            types.entry(&r.resource_type).or_default().resources += 1;
            if let Some(a) = accounts.get_mut(r.account.as_str()) {
                a.resources += 1;
            }
        }
        for e in &snapshot.ledger {
            if let Some(a) = accounts.get_mut(e.account.as_str()) {
                *a.calls.entry(e.outcome).or_default() += 1;
            }
        }
        for (account, counts) in evaluation.counts.iter().flatten() {
            if let Some(a) = accounts.get_mut(account.as_str()) {
                a.unknown_verdicts += counts.unknown;
            }
        }
        for n in &not_collected {
            if let Some(a) = accounts.get_mut(n.account) {
                a.types_not_collected += 1;
            }
        }
        Coverage {
            accounts: accounts.into_values().collect(),
            types,
            calls: LedgerSummary::of(&snapshot.ledger),
            incomplete: snapshot
                .populations
                .iter()
                .filter(|p| matches!(p.state, PopulationState::Incomplete { .. }))
                .collect(),
            not_collected,
            not_read: not_read(evaluation, snapshot),
        }
    }

    /// Whether every account is complete; `false` where there is none.
    pub fn complete(&self) -> bool {
        !self.accounts.is_empty() && self.accounts.iter().all(AccountCoverage::complete)
    }

    /// The account with that id.
    pub fn account(&self, account: &str) -> Option<&AccountCoverage<'a>> {
        self.accounts.iter().find(|a| a.account == account)
    }

    /// Whether regions were left out at the user's wish in any account.
    pub fn regions_left_out(&self) -> bool {
        self.accounts.iter().filter_map(|a| a.scope).any(|s| !s.regions_left_out.is_empty())
    }

    /// Whether not every resource of the type is known, in any account.
    pub(super) fn has_hole(&self, resource_type: &str) -> bool {
        self.accounts.is_empty()
            || self.incomplete.iter().any(|p| p.resource_type == resource_type)
            || self.not_collected.iter().any(|n| n.resource_type == resource_type)
    }

    /// Denied IAM actions, what blocks most verdicts first.
    pub fn missing_permissions(&self) -> impl Iterator<Item = &NotRead> {
        self.not_read.iter().filter(|n| n.is_permission())
    }
}

fn blank<'a>(account: &'a str, snapshot: &'a Snapshot) -> AccountCoverage<'a> {
    AccountCoverage {
        account,
        scope: snapshot.header.accounts.iter().find(|s| s.account == account),
        populations: 0,
        incomplete_populations: 0,
        types_not_collected: 0,
        resources: 0,
        unknown_verdicts: 0,
        calls: BTreeMap::new(),
    }
}

/// Every account that anything speaks of: one that the header forgot must not be lost.
fn account_names<'a>(evaluation: &'a Evaluation<'a>, snapshot: &'a Snapshot) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<&str> = snapshot.header.accounts.iter().map(|s| s.account.as_str()).collect();
    names.extend(snapshot.populations.iter().map(|p| p.account.as_str()));
    names.extend(snapshot.resources.iter().map(|r| r.account.as_str()));
    names.extend(evaluation.counts.iter().flatten().filter(|(_, c)| c.total() > 0).map(|(a, _)| a.as_str()));
    names.extend(evaluation.judgements.iter().map(|j| j.subject.account()));
    names
}

/// What rules need and the snapshot does not speak of. A type is either read once for the account (`global`) or in
/// every region in scope.
fn not_collected<'a>(
    pack: &'a RulePack,
    snapshot: &'a Snapshot,
    accounts: &BTreeSet<&'a str>,
) -> Vec<NotCollected<'a>> {
    let mut read: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
    for p in &snapshot.populations {
        read.entry((&p.account, &p.resource_type)).or_default().insert(&p.region);
    }
    let needed: BTreeSet<&str> = pack.rules.iter().map(|r| r.resource_type.as_str()).collect();
    let mut missing = Vec::new();
    for &account in accounts {
        let scope = snapshot.header.accounts.iter().find(|s| s.account == account);
        for &resource_type in &needed {
            let regions = match read.get(&(account, resource_type)) {
                None => Vec::new(),
                Some(read) if read.contains(GLOBAL) => continue,
                Some(read) => {
                    let wanted = scope.map(|s| s.regions.as_slice()).unwrap_or_default();
                    let gaps: Vec<&str> = wanted.iter().map(String::as_str).filter(|r| !read.contains(r)).collect();
                    if gaps.is_empty() {
                        continue;
                    }
                    gaps
                }
            };
            missing.push(NotCollected { account, resource_type, regions });
        }
    }
    missing
}

fn not_read(evaluation: &Evaluation<'_>, snapshot: &Snapshot) -> Vec<NotRead> {
    let mut found: BTreeMap<(Reason, String), NotRead> = BTreeMap::new();
    let mut note = |cause: &Cause, account: &str, region: &str, count: fn(&mut NotRead)| {
        let entry = found.entry((cause.reason, cause.action.clone())).or_insert_with(|| NotRead {
            reason: cause.reason,
            action: cause.action.clone(),
            accounts: BTreeSet::new(),
            regions: BTreeSet::new(),
            codes: BTreeSet::new(),
            example: cause.message.clone(),
            verdicts_blocked: 0,
            populations: 0,
            fields: 0,
        });
        let own = |given: &str, place: &str| if given.is_empty() { place.to_owned() } else { given.to_owned() };
        entry.accounts.insert(own(&cause.account, account));
        entry.regions.insert(own(&cause.region, region));
        if !cause.code.is_empty() {
            entry.codes.insert(cause.code.clone());
        }
        count(entry);
    };
    for j in evaluation.judgements.iter().filter(|j| j.verdict == Verdict::Unknown) {
        let mut seen = BTreeSet::new();
        for cause in &j.causes {
            // One verdict can have one cause in many places; it is blocked once.
            let first = seen.insert((cause.reason, cause.action.as_str()));
            let count = if first { |n: &mut NotRead| n.verdicts_blocked += 1 } else { |_: &mut NotRead| {} };
            note(cause, j.subject.account(), j.subject.region(), count);
        }
    }
    for p in &snapshot.populations {
        if let PopulationState::Incomplete { causes } = &p.state {
            for cause in causes {
                note(cause, &p.account, &p.region, |n| n.populations += 1);
            }
        }
    }
    for r in &snapshot.resources {
        // What no rule asked for is no failure to read.
        for u in r.unknown.iter().filter(|u| u.cause.reason != Reason::NotCollected) {
            note(&u.cause, &r.account, &r.region, |n| n.fields += 1);
        }
    }
    let mut all: Vec<NotRead> = found.into_values().collect();
    all.sort_by_key(|n| std::cmp::Reverse(n.verdicts_blocked));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::fixture::{DENIED, READ, World, rule};
    use crate::rules::{Relevance, Severity};

    fn world() -> World {
        let rule = rule("r", Severity::High, Relevance::Key, &["CC6.1"], "AWS::Test::Thing");
        World::empty().rule(rule).verdict("r", "x", Verdict::Pass)
    }

    fn complete(world: &World) -> bool {
        world.assess(false, |a| {
            assert_eq!(a.coverage.complete(), a.complete());
            a.coverage.complete()
        })
    }

    #[test]
    fn an_account_is_complete_if_everything_that_was_asked_was_answered() {
        assert!(complete(&world()));
    }

    #[test]
    fn an_unknown_verdict_makes_its_account_incomplete() {
        assert!(!complete(&world().verdict("r", "y", Verdict::Unknown)));
    }

    #[test]
    fn an_incomplete_population_makes_its_account_incomplete_even_if_no_rule_asks_for_it() {
        let mut world = world();
        world.snapshot.populations.push(Population {
            resource_type: "AWS::Test::Other".into(),
            account: READ.into(),
            region: "us-east-1".into(),
            state: PopulationState::Incomplete { causes: vec![Cause::of(Reason::Failed, "")] },
        });
        assert!(!complete(&world));
    }

    #[test]
    fn an_account_of_which_nothing_was_listed_is_incomplete() {
        let mut world = World::empty();
        world.snapshot.populations.clear();
        world.assess(false, |a| assert!(!a.coverage.accounts[0].complete()));
    }

    #[test]
    fn a_snapshot_without_accounts_is_incomplete() {
        let mut world = world();
        world.snapshot.header.accounts.clear();
        world.snapshot.populations.clear();
        assert!(!complete(&world));
    }

    #[test]
    fn an_account_that_the_header_forgot_is_there_and_incomplete() {
        let mut world = world();
        let forgotten = Population { account: "999999999999".into(), ..world.snapshot.populations[0].clone() };
        world.snapshot.populations.push(forgotten);
        world.assess(false, |a| {
            let account = a.coverage.account("999999999999").expect("there");
            assert!(account.scope.is_none() && !account.complete());
        });
    }

    #[test]
    fn a_run_without_rules_is_never_complete() {
        World::empty().assess(false, |a| assert!(a.coverage.complete() && !a.complete()));
    }

    #[test]
    fn missing_permissions_are_counted_by_the_verdicts_that_they_block() {
        World::sample().assess(false, |a| {
            let found: Vec<_> = a
                .coverage
                .missing_permissions()
                .map(|n| (n.action.as_str(), n.verdicts_blocked, n.populations, n.fields))
                .collect();
            assert_eq!(found, [("kms:ListKeys", 1, 1, 0), ("s3:GetEncryptionConfiguration", 1, 0, 1)]);
            assert!(a.coverage.account(READ).is_some_and(AccountCoverage::complete));
            assert!(a.coverage.account(DENIED).is_some_and(|c| !c.complete()));
        });
    }

    #[test]
    fn one_verdict_with_one_cause_in_two_places_is_blocked_once() {
        let world = World::sample();
        let mut evaluation = world.evaluation(false);
        for j in evaluation.judgements.iter_mut().filter(|j| j.verdict == Verdict::Unknown) {
            j.causes.extend(j.causes.clone());
        }
        let found = not_read(&evaluation, &world.snapshot);
        assert!(found.iter().all(|n| n.verdicts_blocked == 1), "{found:?}");
    }
}
