//! Reads an account: enumerates resources as `collectors/*.yaml` declare it, and writes down what was seen, what
//! was not, and why.
//!
//! Denied is never empty here. What could not be listed makes its population incomplete, what could not be read
//! of a resource is an unknown member, and both carry their cause. This module must never judge what it reads.

mod api;
mod declaration;
mod declared;
mod document;
mod fetch;
mod iam;
mod organizations;
mod path;
mod plan;
mod read;
mod regions;
mod s3;
mod sdk;
mod template;
mod yaml;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use api::{Api, ApiCall, ApiError};
pub use declaration::{Collectors, LoadError, OperationName, Selection};
pub use plan::Plan;
pub use regions::{Scope, ScopeError};

use crate::inventory::{Header, Population, Snapshot, TOOL_VERSION};
use declared::{Collected, Run};
use fetch::Fetcher;
use futures::future::{BoxFuture, FutureExt, Shared, join_all};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that happened while collecting, to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The plan is made: so many pairs of a type and a region will be listed and read.
    Planned {
        /// How many.
        populations: usize,
    },
    /// The resources of a type in a region are listed; their members come next.
    Listed {
        /// The type.
        resource_type: &'a str,
        /// The region, or `global`.
        region: &'a str,
        /// How many were found.
        resources: usize,
    },
    /// The resources of a type in a region are read.
    Read {
        /// The type.
        resource_type: &'a str,
        /// The region, or `global`; empty for types that are read in all regions together.
        region: &'a str,
        /// How many are left.
        resources: usize,
    },
}

/// Shown what happens. Called often, from within the collecting: it must return at once.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event<'_>) {}
}

/// Collects what `plan` says, in the regions of `scope`. Never fails: what could not be read is in the snapshot as
/// unknown, with its cause.
pub async fn collect(
    api: &impl Api,
    collectors: &Collectors,
    plan: &Plan,
    scope: Scope,
    progress: &dyn Progress,
) -> Snapshot {
    let started = Timestamp::now();
    progress.event(Event::Planned { populations: populations(collectors, plan, &scope) });
    let run = Run { fetcher: Fetcher::new(api), reports: iam::Reports::default(), collectors, scope: &scope, progress };
    let collected = run_all(&run, plan).await;
    let mut snapshot = Snapshot {
        header: Header {
            tool_version: TOOL_VERSION.to_owned(),
            started,
            finished: Timestamp::now(),
            principal: api.principal().to_owned(),
            accounts: vec![scope.account(api)],
        },
        populations: Vec::new(),
        resources: Vec::new(),
        ledger: api.ledger(),
    };
    for (name, collected) in collected {
        let population = |(region, state): (&String, &crate::inventory::PopulationState)| Population {
            resource_type: name.to_owned(),
            account: api.account().to_owned(),
            region: region.clone(),
            state: state.clone(),
        };
        snapshot.populations.extend(collected.populations.iter().map(population));
        match Arc::try_unwrap(collected) {
            Ok(collected) => snapshot.resources.extend(collected.resources),
            Err(shared) => snapshot.resources.extend(shared.resources.iter().cloned()),
        }
    }
    snapshot.sort();
    snapshot
}

fn populations(collectors: &Collectors, plan: &Plan, scope: &Scope) -> usize {
    let places = |name: &str| match collectors.types.get(name).map(|t| t.scope) {
        Some(crate::model::schema::Scope::Regional) => scope.regions.len(),
        Some(crate::model::schema::Scope::Global) => 1,
        None => 0,
    };
    plan.types().map(places).sum()
}

/// Runs all types at once; one that hangs under others waits for those only.
async fn run_all<'p, A: Api>(run: &Run<'_, A>, plan: &'p Plan) -> Vec<(&'p str, Arc<Collected>)> {
    type Task<'t> = Shared<BoxFuture<'t, Arc<Collected>>>;
    let mut tasks: Vec<(&str, Task<'_>)> = Vec::new();
    for of_type in &plan.types {
        let parents = run.collectors.types.get(&of_type.name).map(|t| t.parents()).unwrap_or_default();
        let waited: Vec<(&str, Task<'_>)> = tasks.iter().filter(|(n, _)| parents.contains(n)).cloned().collect();
        let task = async move {
            let names: Vec<&str> = waited.iter().map(|(name, _)| *name).collect();
            let done = join_all(waited.into_iter().map(|(_, task)| task)).await;
            let parents: BTreeMap<&str, Arc<Collected>> = names.into_iter().zip(done).collect();
            Arc::new(run.collect(of_type, &parents).await)
        };
        tasks.push((&of_type.name, task.boxed().shared()));
    }
    let names: Vec<&str> = tasks.iter().map(|(name, _)| *name).collect();
    let done = join_all(tasks.into_iter().map(|(_, task)| task)).await;
    names.into_iter().zip(done).collect()
}
