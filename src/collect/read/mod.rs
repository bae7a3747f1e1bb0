//! Reads collector files into declarations, and checks every name in them against the API models.
//!
//! Strict: an unknown key, an operation that the model lacks, a member path that the shape does not have, a
//! parameter that is missing: each is an error at its place in the file. What is loaded can be run.

mod keys;
mod resource;
mod service;
mod sources;

use super::declaration::Collectors;
use super::yaml::{File, Key, Node, Place};
use crate::mistake::Mistake;
use crate::model::ServiceModel;
use keys::{Keys, operation_of};
use std::collections::BTreeMap;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<Mistake>>;
type Models<'a> = &'a dyn Fn(&str) -> Option<Arc<ServiceModel>>;

/// A collector file, its resources not yet read.
struct ServiceFile {
    file: File,
    service: String,
    model: Arc<ServiceModel>,
    typed: bool,
    global: bool,
    actions: BTreeMap<String, Vec<String>>,
    asked_in: BTreeMap<String, BTreeMap<String, String>>,
    resources: Vec<(Key, Node)>,
}

/// What the keys of a resource say, in the file that defines it and in those that add to it.
struct Draft<'a> {
    name: &'a str,
    definition: (&'a ServiceFile, Place, &'a Node),
    additions: Vec<(&'a ServiceFile, &'a Node)>,
}

const FILE_KEYS: &[&str] = &["service", "typed", "global", "actions", "asked_in", "resources"];
const RESOURCE_KEYS: &[&str] = &[
    "scope",
    "singleton",
    "list",
    "params",
    "items",
    "as",
    "fallback",
    "for_each",
    "inside",
    "where",
    "region",
    "locate",
    "id",
    "arn",
    "name",
    "tags",
    "gone_on",
    "get",
    "batch_get",
    "enrich",
    "json",
    "digest",
    "keys",
    "tail",
    "drop",
    "absent_on",
];
const DEFINING_KEYS: &[&str] = &["singleton", "list", "inside"];
const ENRICHMENT_KEYS: &[&str] = &[
    "call",
    "params",
    "take",
    "absent_on",
    "when",
    "keep",
    "members",
    "json",
    "digest",
    "keys",
    "tail",
    "drop",
    "each",
    "lookup",
    "typed",
    "calls",
    "may_call",
];

/// Reads and joins the files; of two for the same service the later one counts.
pub(super) fn collectors(files: Vec<(String, String)>, models: Models<'_>) -> Result<Collectors> {
    let mut services: BTreeMap<String, ServiceFile> = BTreeMap::new();
    for (name, text) in files {
        let file = File::new(&name, &text);
        let read = service_file(file, models)?;
        services.insert(read.service.clone(), read);
    }
    let drafts = drafts(&services)?;
    let mut types = BTreeMap::new();
    let mut pending: Vec<&Draft<'_>> = drafts.values().collect();
    // Parents first: a child is checked against its parent's members.
    while !pending.is_empty() {
        let before = pending.len();
        let mut waiting = Vec::new();
        for draft in pending {
            if draft.parents()?.iter().all(|(_, p)| types.contains_key(p)) {
                types.insert(draft.name.to_owned(), draft.read(&types)?);
            } else {
                waiting.push(draft);
            }
        }
        if waiting.len() == before {
            return Err(orphan(waiting[0], &drafts)?);
        }
        pending = waiting;
    }
    Ok(Collectors { types })
}

fn service_file(file: File, models: Models<'_>) -> Result<ServiceFile> {
    let root = file.read()?;
    let keys = Keys::of(&file, &root, FILE_KEYS)?;
    let service_node = keys.required("service", root.place)?;
    let service = service_node.string(&file)?.to_owned();
    let Some(model) = models(&service) else {
        let known: Vec<String> = crate::model::embedded::services().map(str::to_owned).collect();
        return Err(file.unknown(service_node.place, "no API model for service", &service, &known));
    };
    let mut actions = BTreeMap::new();
    if let Some(node) = keys.get("actions") {
        for (operation, action) in node.map(&file)? {
            operation_of(&file, &service, &model, operation.place, &operation.name)?;
            actions.insert(operation.name.clone(), action_names(&file, action)?);
        }
    }
    let mut asked_in = BTreeMap::new();
    if let Some(node) = keys.get("asked_in") {
        for (operation, regions) in node.map(&file)? {
            operation_of(&file, &service, &model, operation.place, &operation.name)?;
            let regions = regions.map(&file)?.iter();
            let regions = regions.map(|(partition, region)| {
                Ok((partition.name.clone(), region_of(&file, partition, region)?.to_owned()))
            });
            asked_in.insert(operation.name.clone(), regions.collect::<Result<_>>()?);
        }
    }
    let typed = keys.flag("typed")?;
    let global = keys.flag("global")?;
    let resources = keys.required("resources", root.place)?.map(&file)?.to_vec();
    Ok(ServiceFile { service, model, typed, global, actions, asked_in, resources, file })
}

/// The region that is written for a partition, which must be one of it.
fn region_of<'n>(file: &File, partition: &Key, region: &'n Node) -> Result<&'n str> {
    let name = region.string(file)?;
    match crate::aws::endpoint::partition_of(name) {
        Some(found) if found.id() == partition.name => Ok(name),
        _ => Err(file.error(region.place, format!("`{name}` is no region of the partition {}", partition.name), None)),
    }
}

fn action_names(file: &File, node: &Node) -> Result<Vec<String>> {
    let names = node.strings(file)?;
    match names.iter().find(|n| n.split_once(':').is_none_or(|(p, a)| p.is_empty() || a.is_empty())) {
        Some(bad) => {
            let help = Some("an IAM action is written `prefix:Action`".to_owned());
            Err(file.error(node.place, format!("`{bad}` is no IAM action"), help))
        }
        None => Ok(names),
    }
}

fn drafts(services: &BTreeMap<String, ServiceFile>) -> Result<BTreeMap<&str, Draft<'_>>> {
    let mut drafts: BTreeMap<&str, Draft<'_>> = BTreeMap::new();
    let mut additions = Vec::new();
    for service in services.values() {
        for (key, node) in &service.resources {
            let keys = Keys::of(&service.file, node, RESOURCE_KEYS)?;
            if !DEFINING_KEYS.iter().any(|k| keys.get(k).is_some()) {
                additions.push((service, key, node));
                continue;
            }
            let draft = Draft { name: &key.name, definition: (service, key.place, node), additions: Vec::new() };
            if let Some(other) = drafts.insert(&key.name, draft) {
                let message = format!("{} is already defined in {}", key.name, other.definition.0.file.name());
                return Err(service.file.error(key.place, message, None));
            }
        }
    }
    for (service, key, node) in additions {
        let keys = Keys::of(&service.file, node, &["enrich"])?;
        keys.required("enrich", key.place)?;
        match drafts.get_mut(key.name.as_str()) {
            Some(draft) => draft.additions.push((service, node)),
            None => {
                let help = format!("one file must define it, with one of: {}", DEFINING_KEYS.join(", "));
                return Err(service.file.error(key.place, format!("nothing defines {}", key.name), Some(help)));
            }
        }
    }
    Ok(drafts)
}

/// The error for types whose parent does not exist, or is their own descendant.
fn orphan(draft: &Draft<'_>, drafts: &BTreeMap<&str, Draft<'_>>) -> Result<Box<Mistake>> {
    let file = &draft.definition.0.file;
    let known: Vec<String> = drafts.keys().map(|k| k.to_string()).collect();
    for (place, parent) in draft.parents()? {
        if !known.contains(&parent) {
            return Ok(file.unknown(place, "no such resource type:", &parent, &known));
        }
    }
    Ok(file.error(draft.definition.1, format!("{} hangs under itself", draft.name), None))
}
