//! The inventory as rules ask it: resources by type, joins by key, and whether a population is complete.

use super::{Cause, Population, PopulationState, Reason, Resource, Snapshot};
use serde_json::Value;
use std::collections::HashMap;

/// Where a resource stands in [`Snapshot::resources`].
pub type Row = u32;

/// An index over a snapshot. Building it is linear in the snapshot; every question is then a look-up.
pub struct Inventory<'a> {
    snapshot: &'a Snapshot,
    by_type: HashMap<&'a str, Vec<Row>>,
    by_place: ByPlace<'a, Vec<Row>>,
    populations: ByPlace<'a, &'a Population>,
    keys: HashMap<String, HashMap<String, KeyIndex<'a>>>,
}

/// By resource type, account and region; nested so that a look-up borrows its keys.
type ByPlace<'a, T> = HashMap<&'a str, HashMap<&'a str, HashMap<&'a str, T>>>;
/// By account.
type KeyIndex<'a> = HashMap<&'a str, AccountKeys>;

/// The resources of one type and account by the value of one member.
#[derive(Default)]
struct AccountKeys {
    rows: HashMap<String, Vec<Row>>,
    /// Why the member could not be read of some of them, which may therefore be missing from `rows`.
    unread: Vec<Cause>,
}

impl<'a> Inventory<'a> {
    /// Indexes `snapshot` by type and place, and by each of `keys`: pairs of a resource type and the
    /// member of it (a path joined by dots; a list member counts for each of its elements) that joins look up.
    pub fn new(snapshot: &'a Snapshot, keys: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut by_type: HashMap<&str, Vec<Row>> = HashMap::new();
        let mut by_place: ByPlace<'_, Vec<Row>> = HashMap::new();
        for (row, r) in (0..).zip(&snapshot.resources) {
            by_type.entry(&r.resource_type).or_default().push(row);
            let place = by_place.entry(&r.resource_type).or_default().entry(&r.account).or_default();
            place.entry(&r.region).or_default().push(row);
        }
        let mut populations: ByPlace<'_, &Population> = HashMap::new();
        for p in &snapshot.populations {
            populations.entry(&p.resource_type).or_default().entry(&p.account).or_default().insert(&p.region, p);
        }
        let mut inventory = Inventory { snapshot, by_type, by_place, populations, keys: HashMap::new() };
        for (resource_type, path) in keys {
            let index = inventory.index_key(&resource_type, &path);
            inventory.keys.entry(resource_type).or_default().insert(path, index);
        }
        inventory
    }

    fn index_key(&self, resource_type: &str, path: &str) -> KeyIndex<'a> {
        let mut index = KeyIndex::new();
        for row in self.rows(resource_type) {
            let resource = self.resource(*row);
            let keys = index.entry(&resource.account).or_default();
            if let Some(cause) = resource.unknown_at(path) {
                keys.unread.push(cause.clone());
            }
            for key in key_values(resource, path) {
                keys.rows.entry(key).or_default().push(*row);
            }
        }
        index
    }

    /// The snapshot behind the index.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The resource at `row`.
    ///
    /// # Panics
    /// Where `row` is not one that this inventory gave.
    pub fn resource(&self, row: Row) -> &'a Resource {
        &self.snapshot.resources[row as usize]
    }

    /// All resources of a type, in the snapshot's order.
    pub fn rows(&self, resource_type: &str) -> &[Row] {
        self.by_type.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// The resources of a type in one account and region.
    pub fn rows_in(&self, resource_type: &str, account: &str, region: &str) -> &[Row] {
        at(&self.by_place, resource_type, account, region).map_or(&[], Vec::as_slice)
    }

    /// The resources of a type in one account, in any region, in the snapshot's order.
    pub fn rows_of(&self, resource_type: &str, account: &str) -> Vec<Row> {
        let regions = self.by_place.get(resource_type).and_then(|accounts| accounts.get(account));
        let mut rows: Vec<Row> = regions.into_iter().flat_map(|r| r.values().flatten().copied()).collect();
        rows.sort_unstable();
        rows
    }

    /// The resources of a type in one account whose member at `path` is `key`, in any region. Only for
    /// pairs of type and path that [`Inventory::new`] was given; others find nothing.
    pub fn rows_by_key(&self, resource_type: &str, path: &str, account: &str, key: &str) -> &[Row] {
        let index = self.keys.get(resource_type).and_then(|paths| paths.get(path));
        index.and_then(|i| i.get(account)?.rows.get(key)).map_or(&[], Vec::as_slice)
    }

    /// Why [`Inventory::rows_by_key`] may miss some: of resources whose member at `path` could not be read.
    pub fn unread_keys(&self, resource_type: &str, path: &str, account: &str) -> &[Cause] {
        let index = self.keys.get(resource_type).and_then(|paths| paths.get(path));
        index.and_then(|i| i.get(account)).map_or(&[], |keys| keys.unread.as_slice())
    }

    /// Why not all resources of the type in that account and region are known; empty where all are.
    pub fn holes(&self, resource_type: &str, account: &str, region: &str) -> Vec<Cause> {
        match at(&self.populations, resource_type, account, region).map(|p| &p.state) {
            Some(PopulationState::Complete | PopulationState::Unsupported) => Vec::new(),
            Some(PopulationState::Incomplete { causes }) => causes.clone(),
            None => vec![Cause {
                account: account.to_owned(),
                region: region.to_owned(),
                ..Cause::of(Reason::NotCollected, format!("{resource_type} was not part of this snapshot"))
            }],
        }
    }

    /// Whether the type can exist in that region at all; true where that is not known.
    pub fn offered(&self, resource_type: &str, account: &str, region: &str) -> bool {
        let state = at(&self.populations, resource_type, account, region).map(|p| &p.state);
        !matches!(state, Some(PopulationState::Unsupported))
    }

    /// The populations of a type, in the snapshot's order.
    pub fn populations(&self, resource_type: &str) -> impl Iterator<Item = &'a Population> {
        self.snapshot.populations.iter().filter(move |p| p.resource_type == resource_type)
    }
}

fn at<'m, T>(map: &'m ByPlace<'_, T>, resource_type: &str, account: &str, region: &str) -> Option<&'m T> {
    map.get(resource_type)?.get(account)?.get(region)
}

/// The strings at `path` of a resource: one, or one for each element where a list is on the way.
fn key_values(resource: &Resource, path: &str) -> Vec<String> {
    match path {
        "id" => return vec![resource.id.clone()],
        "arn" => return vec![resource.arn.clone()],
        _ => {}
    }
    let mut found = Vec::new();
    let mut parts = path.split('.');
    let Some(first) = parts.next().and_then(|p| resource.document.get(p)) else { return found };
    gather(first, parts.collect::<Vec<_>>().as_slice(), &mut found);
    found.sort();
    found.dedup();
    found
}

fn gather(value: &Value, path: &[&str], found: &mut Vec<String>) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|i| gather(i, path, found)),
        (Value::Object(members), [first, rest @ ..]) => {
            if let Some(v) = members.get(*first) {
                gather(v, rest, found);
            }
        }
        (Value::String(s), []) => found.push(s.clone()),
        (Value::Number(n), []) => found.push(n.to_string()),
        _ => {}
    }
}
