//! What to call: from the resource types and members that are wanted, the listings, details and enrichments.
//!
//! Only what is needed is in a plan. What a wanted thing depends on (the parents that it hangs under, the members
//! that a request refers to) is added; nothing else is.

use super::declaration::{By, Collectors, Request, ResourceType, Selection};
use std::collections::{BTreeMap, BTreeSet};

/// The types to collect, each with the calls that are wanted for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Parents before what hangs under them.
    pub(super) types: Vec<TypePlan>,
}

/// What is wanted of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TypePlan {
    pub(super) name: String,
    /// Details, by their place in the declaration.
    pub(super) details: BTreeSet<usize>,
    /// Enrichments, by their place in the declaration, which is the order of their dependencies.
    pub(super) enrichments: BTreeSet<usize>,
}

impl Plan {
    /// The plan for `selection`. A type that no collector gives is left out: the snapshot then says that it was
    /// not collected.
    pub fn new(collectors: &Collectors, selection: &Selection) -> Plan {
        let mut wanted: BTreeMap<&str, TypePlan> = BTreeMap::new();
        for (name, members) in &selection.types {
            if let Some(t) = collectors.types.get(name) {
                let all = || t.members.keys().cloned().collect();
                want(collectors, &mut wanted, t, members.clone().unwrap_or_else(all));
            }
        }
        let mut types = Vec::new();
        while !wanted.is_empty() {
            let ready: Vec<&str> = wanted.keys().copied().filter(|name| settled(collectors, &wanted, name)).collect();
            if ready.is_empty() {
                break; // Loading refuses types that hang under themselves.
            }
            types.extend(ready.into_iter().filter_map(|name| wanted.remove(name)));
        }
        Plan { types }
    }

    /// The names of the types that it collects, parents first.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|t| t.name.as_str())
    }

    /// All requests of the plan, fallbacks left out.
    pub(super) fn requests<'c>(&'c self, collectors: &'c Collectors) -> impl Iterator<Item = &'c Request> {
        self.types.iter().filter_map(|p| collectors.types.get(&p.name).map(|t| (p, t))).flat_map(|(p, t)| {
            let mut requests: Vec<&Request> = t.listing().map(|l| &l.call).into_iter().collect();
            requests.extend(t.locate.iter().flat_map(|l| &l.calls));
            requests.extend(p.details.iter().map(|n| &t.details[*n].call));
            requests.extend(p.enrichments.iter().flat_map(|n| t.enrichments[*n].how.requests()));
            requests
        })
    }
}

/// Whether no parent of `name` is still to be placed.
fn settled(collectors: &Collectors, wanted: &BTreeMap<&str, TypePlan>, name: &str) -> bool {
    let parents = collectors.types.get(name).map(ResourceType::parents).unwrap_or_default();
    parents.iter().all(|p| !wanted.contains_key(p))
}

fn want<'c>(
    collectors: &'c Collectors,
    wanted: &mut BTreeMap<&'c str, TypePlan>,
    t: &'c ResourceType,
    members: BTreeSet<String>,
) {
    let plan = wanted.entry(&t.name).or_insert_with(|| TypePlan { name: t.name.clone(), ..TypePlan::default() });
    for member in &members {
        want_member(plan, t, member);
    }
    for parent in t.parents() {
        if let Some(p) = collectors.types.get(parent) {
            want(collectors, wanted, p, t.needed_of(parent));
        }
    }
}

fn want_member(plan: &mut TypePlan, t: &ResourceType, member: &str) {
    // Rules may ask for the tags by that name, whatever the service calls them.
    let tags = || matches!(member, "Tags" | "tags").then(|| t.tags.as_ref()?.root()).flatten();
    let origin = t.members.get(member).or_else(|| t.members.get(tags()?));
    let (added, needs) = match origin.map(|o| o.by) {
        Some(By::Detail(n)) => (plan.details.insert(n), &t.details[n].needs),
        Some(By::Enrichment(n)) => (plan.enrichments.insert(n), &t.enrichments[n].needs),
        Some(By::Listing) | None => return,
    };
    if added {
        needs.iter().for_each(|need| want_member(plan, t, need));
    }
}
