//! Judges an inventory: every rule on every resource of its type, in parallel, in one fixed order.

use super::expression::evaluate::{Env, Finder, Undecided, eval};
use super::expression::organization::{Membership, Memberships};
use super::expression::reach::{Networks, Surroundings};
use super::expression::value::Val;
use super::template::Template;
use super::{Compiled, Counts, Evaluation, Join, Judgement, Register, Rule, RulePack, Subject, Verdict};
use crate::inventory::resource::GLOBAL;
use crate::inventory::{Cause, Inventory, Reason, Resource};
use jiff::Timestamp;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// How many resources one task judges: enough to outweigh the task, few enough to spread.
const CHUNK: usize = 512;

/// How to judge.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// The time that ages are judged by; the snapshot's own where absent.
    pub as_of: Option<Timestamp>,
    /// Keep passes and not-applicables too.
    pub all_verdicts: bool,
}

/// Judges `inventory` by the rules of `pack`. The inventory must be indexed by [`RulePack::keys`].
pub fn evaluate<'a>(pack: &'a RulePack, inventory: &Inventory<'a>, options: &EvaluateOptions) -> Evaluation<'a> {
    let now = options.as_of.unwrap_or(inventory.snapshot().header.finished);
    let mut tasks: Vec<(usize, &[u32])> = Vec::new();
    for (n, rule) in pack.rules.iter().enumerate() {
        tasks.extend(inventory.rows(&rule.resource_type).chunks(CHUNK).map(|rows| (n, rows)));
    }
    let networks = Networks::new();
    let memberships = Memberships::new();
    let parts: Vec<(usize, Part<'a>)> = tasks
        .into_par_iter()
        .map(|(n, rows)| {
            let judge = Judge {
                n,
                rule: &pack.rules[n],
                compiled: &pack.compiled[n],
                inventory,
                networks: &networks,
                memberships: &memberships,
                register: &pack.register,
                now,
            };
            let mut part = Part::default();
            for row in rows {
                judge.resource(inventory.resource(*row), options.all_verdicts, &mut part);
            }
            (n, part)
        })
        .collect();

    let accounts = || inventory.snapshot().header.accounts.iter().map(|a| (a.account.clone(), Counts::default()));
    let mut evaluation =
        Evaluation { judgements: Vec::new(), counts: pack.rules.iter().map(|_| accounts().collect()).collect() };
    for (n, part) in parts {
        evaluation.judgements.extend(part.judgements);
        for (account, counts) in part.counts {
            evaluation.counts[n].entry(account).or_default().merge(counts);
        }
    }
    for (n, rule) in pack.rules.iter().enumerate() {
        for judgement in holes(n, rule, pack.compiled[n].global, inventory) {
            evaluation.counts[n].entry(judgement.subject.account().to_owned()).or_default().add(Verdict::Unknown);
            evaluation.judgements.push(judgement);
        }
    }
    evaluation.judgements.sort_by(|a, b| order(a).cmp(&order(b)));
    evaluation
}

/// Rules are in the order of their ids, so their place in the pack stands for it.
fn order<'j>(j: &'j Judgement<'_>) -> (usize, &'j str, &'j str, &'j str, &'j str) {
    let (arn, id) = match &j.subject {
        Subject::Resource(r) => (r.arn.as_str(), r.id.as_str()),
        Subject::Population { .. } => ("", ""),
    };
    (j.rule, j.subject.account(), j.subject.region(), arn, id)
}

/// An unknown for each account and region in which not all resources of the rule's type are known.
fn holes<'a>(n: usize, rule: &'a Rule, global: bool, inventory: &Inventory<'a>) -> Vec<Judgement<'a>> {
    let mut judgements = Vec::new();
    for scope in &inventory.snapshot().header.accounts {
        let mut regions: BTreeSet<&'a str> = match global {
            true => BTreeSet::from([GLOBAL]),
            false => scope.regions.iter().map(String::as_str).collect(),
        };
        for p in inventory.populations(&rule.resource_type).filter(|p| p.account == scope.account) {
            regions.insert(&p.region);
        }
        for region in regions {
            let causes = inventory.holes(&rule.resource_type, &scope.account, region);
            if causes.is_empty() {
                continue;
            }
            judgements.push(Judgement {
                rule: n,
                subject: Subject::Population { resource_type: &rule.resource_type, account: &scope.account, region },
                verdict: Verdict::Unknown,
                reason: format!(
                    "Not all resources of type {} in account '{}', region '{region}' are known: {}.",
                    rule.resource_type,
                    scope.account,
                    sentence(&causes)
                ),
                evidence: Vec::new(),
                causes,
            });
        }
    }
    judgements
}

/// The causes in one clause.
fn sentence(causes: &[Cause]) -> String {
    let mut clauses: Vec<String> = causes.iter().map(ToString::to_string).collect();
    clauses.dedup();
    let more = clauses.len().saturating_sub(3);
    clauses.truncate(3);
    let mut text = clauses.join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

#[derive(Default)]
struct Part<'a> {
    judgements: Vec<Judgement<'a>>,
    counts: BTreeMap<String, Counts>,
}

impl Part<'_> {
    fn count(&mut self, account: &str, verdict: Verdict) {
        match self.counts.get_mut(account) {
            Some(counts) => counts.add(verdict),
            None => self.counts.entry(account.to_owned()).or_default().add(verdict),
        }
    }
}

/// One rule, ready to judge.
struct Judge<'j, 'a> {
    n: usize,
    rule: &'j Rule,
    compiled: &'j Compiled,
    inventory: &'j Inventory<'a>,
    networks: &'j Networks<'a>,
    memberships: &'j Memberships<'a>,
    register: &'j Register,
    now: Timestamp,
}

/// What the conditions said, before it is put into words.
enum Said {
    Pass,
    Fail,
    NotApplicable,
    Manual,
    Unknown(Vec<Cause>),
}

impl Said {
    fn verdict(&self) -> Verdict {
        match self {
            Said::Pass => Verdict::Pass,
            Said::Fail => Verdict::Fail,
            Said::NotApplicable => Verdict::NotApplicable,
            Said::Manual => Verdict::Manual,
            Said::Unknown(_) => Verdict::Unknown,
        }
    }

    /// What its message says of what could not be decided.
    fn undecided(&self) -> Undecided {
        match self {
            Said::Fail => Undecided::LeftOut,
            Said::Manual => Undecided::Kept,
            Said::Pass | Said::NotApplicable | Said::Unknown(_) => Undecided::Unknown,
        }
    }
}

impl<'a> Judge<'_, 'a> {
    /// Judges twice where the verdict is kept: first to know it, then again to gather its evidence, so that
    /// the many that are only counted cost nothing more.
    fn resource(&self, resource: &'a Resource, all: bool, part: &mut Part<'a>) {
        let said = self.say(&self.env(resource, false));
        let verdict = said.verdict();
        part.count(&resource.account, verdict);
        if !all && matches!(verdict, Verdict::Pass | Verdict::NotApplicable) {
            return;
        }
        let env = self.env(resource, true);
        self.say(&env);
        let reason = self.reason(&said, resource, &self.env(resource, false).telling(said.undecided()));
        let causes = if let Said::Unknown(causes) = said { causes } else { Vec::new() };
        part.judgements.push(Judgement {
            rule: self.n,
            subject: Subject::Resource(resource),
            verdict,
            reason,
            evidence: env.evidence(),
            causes,
        });
    }

    fn env<'v>(&'v self, resource: &'v Resource, traced: bool) -> Env<'v> {
        Env::new(self.now, resource, self.compiled.joins.len(), &self.compiled.lets, self, traced)
    }

    fn say<'v>(&'v self, env: &Env<'v>) -> Said {
        match self.compiled.when.as_ref().map(|when| eval(when, env)) {
            None | Some(Val::Bool(true)) => {}
            Some(Val::Bool(false)) => return Said::NotApplicable,
            Some(other) => return unknown(other),
        }
        match eval(&self.compiled.assertion, env) {
            Val::Bool(true) => Said::Pass,
            Val::Bool(false) => {
                let question = self.compiled.manual.as_ref().and_then(|manual| manual.when.as_ref());
                match question.map(|when| eval(when, env)) {
                    None | Some(Val::Bool(false)) => Said::Fail,
                    Some(Val::Bool(true)) => Said::Manual,
                    Some(other) => unknown(other),
                }
            }
            other => unknown(other),
        }
    }

    fn reason<'v>(&'v self, said: &Said, resource: &Resource, env: &Env<'v>) -> String {
        let render = |template: &'v Template| ended(template.render(env));
        match said {
            Said::Fail => render(&self.compiled.message),
            Said::Pass => match &self.compiled.pass {
                Some(template) => render(template),
                None => format!("'{}' meets the rule: {}.", resource.name, self.rule.title),
            },
            Said::NotApplicable => match &self.compiled.not_applicable {
                Some(template) => render(template),
                None => format!("The rule does not fit '{}'.", resource.name),
            },
            Said::Manual => match &self.compiled.manual {
                Some(manual) => render(&manual.message),
                None => format!("A person must look at '{}'.", resource.name),
            },
            Said::Unknown(causes) => format!("'{}' could not be judged: {}.", resource.name, sentence(causes)),
        }
    }

    /// Every resource of the join's type in the account, or in the account and region.
    fn all_of(&self, join: &Join, from: &Resource) -> (Vec<&'a Resource>, Vec<Cause>) {
        // Global populations may hold resources that live in a region, as buckets do.
        let rows = if join.global || join.whole_account {
            self.inventory.rows_of(&join.resource_type, &from.account)
        } else {
            self.inventory.rows_in(&join.resource_type, &from.account, &from.region).to_vec()
        };
        let mut holes = Vec::new();
        for region in self.regions(join, from) {
            holes.extend(self.inventory.holes(&join.resource_type, &from.account, region));
        }
        holes.dedup();
        (rows.into_iter().map(|row| self.inventory.resource(row)).collect(), holes)
    }

    /// The regions that the join looks at.
    fn regions<'r>(&'r self, join: &Join, from: &'r Resource) -> Vec<&'r str> {
        if join.global {
            return vec![GLOBAL];
        }
        if !join.whole_account {
            return vec![&from.region];
        }
        let scopes = self.inventory.snapshot().header.accounts.iter();
        scopes.filter(|s| s.account == from.account).flat_map(|s| s.regions.iter().map(String::as_str)).collect()
    }

    fn by_key<'v>(
        &self,
        join: &Join,
        member: &str,
        key: Val<'v>,
        from: &Resource,
    ) -> Result<(Vec<&'a Resource>, Vec<Cause>), Val<'v>> {
        let keys: Vec<String> = match &key {
            Val::Unknown(_) => return Err(key),
            Val::Str(text) => vec![text.to_string()],
            other => {
                let (items, more) = super::expression::evaluate::elements(other)?;
                if !more.is_empty() {
                    return Err(Val::Unknown(more));
                }
                let mut keys = Vec::with_capacity(items.len());
                for item in &items {
                    match item {
                        Val::Str(text) => keys.push(text.to_string()),
                        Val::Null => {}
                        Val::Unknown(_) => return Err(item.clone()),
                        other => return Err(Val::fault(format!("{} as the key of a join", other.kind()))),
                    }
                }
                keys
            }
        };
        let mut rows = Vec::new();
        let mut missed = false;
        for key in keys.iter().filter(|k| !k.is_empty()) {
            let found = self.inventory.rows_by_key(&join.resource_type, member, &from.account, key);
            let near = found.iter().map(|row| self.inventory.resource(*row));
            let before = rows.len();
            rows.extend(near.filter(|r| join.whole_account || join.global || r.region == from.region));
            missed |= rows.len() == before;
        }
        // What is found by an identifier is all there is; by any other member there may be more.
        let mut holes = Vec::new();
        if missed || !(join.one || matches!(member, "id" | "arn")) {
            for region in self.regions(join, from) {
                holes.extend(self.inventory.holes(&join.resource_type, &from.account, region));
            }
            holes.extend_from_slice(self.inventory.unread_keys(&join.resource_type, member, &from.account));
            holes.dedup();
        }
        Ok((rows, holes))
    }
}

impl<'v, 'a: 'v> Finder<'v> for Judge<'_, 'a> {
    fn surroundings(&'v self, env: &Env<'v>) -> Arc<Surroundings<'v>> {
        self.networks.around(self.inventory, env.resource)
    }

    fn membership(&'v self, env: &Env<'v>) -> Arc<Membership<'v>> {
        self.memberships.of(self.inventory, &env.resource.account)
    }

    fn register(&'v self) -> &'v Register {
        self.register
    }

    fn find(&'v self, env: &Env<'v>, n: usize) -> Val<'v> {
        let Some(join) = self.compiled.joins.get(n) else { return Val::fault("a join that the rule does not have") };
        let (rows, holes) = match &join.on {
            None => self.all_of(join, env.resource),
            Some((member, equals)) => match self.by_key(join, member, eval(equals, env), env.resource) {
                Ok(found) => found,
                Err(unknown) => return unknown,
            },
        };
        let place = env.root(&join.name);
        if !join.one {
            let offered = self
                .regions(join, env.resource)
                .into_iter()
                .any(|region| self.inventory.offered(&join.resource_type, &env.resource.account, region));
            return Val::Resources { rows: Rc::new(rows), holes: holes.into(), offered, place };
        }
        match rows.first() {
            Some(resource) => Val::Resource(resource, place),
            None if holes.is_empty() => Val::unknown(Cause {
                account: env.resource.account.clone(),
                region: env.resource.region.clone(),
                ..Cause::of(
                    Reason::NotCollected,
                    format!("the {} that this depends on is not in the account's inventory", join.resource_type),
                )
            }),
            None => Val::Unknown(holes.into()),
        }
    }
}

/// What could not be read makes a verdict unknown. Where nothing but a list of the entity's is missing, it is for a person.
fn unknown(value: Val<'_>) -> Said {
    match value {
        Val::Unknown(causes) => {
            let unread: Vec<Cause> =
                causes.iter().filter(|cause| cause.reason != Reason::NotSupplied).cloned().collect();
            if unread.is_empty() { Said::Manual } else { Said::Unknown(unread) }
        }
        other => Said::Unknown(vec![Cause::of(
            Reason::RuleFault,
            format!("the condition gave {} and not a boolean", other.kind()),
        )]),
    }
}

/// The sentence with its period.
fn ended(mut text: String) -> String {
    let end = text.trim_end().len();
    text.truncate(end);
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}
