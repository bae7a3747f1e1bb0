//! The endpoint data that is built into the program: partitions, services and rule sets, from `models/endpoints/`.
//! Each file is compressed by itself, so that a scan unpacks only the rule sets of the services it calls.

use super::rules::RuleSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What `services.json` says about one service.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceEntry {
    /// The file of its rule set, without ending.
    pub(super) rules: String,
    /// What stands for `$HOST` in it.
    pub(super) host: String,
    /// What stands for `$NAME` in it; the name that requests are signed for.
    pub(super) signing_name: String,
    /// By partition: the region through which it is addressed, where it has one endpoint only.
    #[serde(default)]
    pub(super) global_region: BTreeMap<String, String>,
    /// By partition: the regions where it is offered, as far as it is known.
    #[serde(default)]
    pub(super) regions: BTreeMap<String, Vec<String>>,
}

fn text(name: &str) -> Option<String> {
    crate::model::embedded::data(&format!("endpoints/{name}"))
}

/// Reads one of the files.
pub(super) fn parse<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_str(&text(name)?).ok()
}

/// What is known of a service; `None` for one that botocore has not.
pub(super) fn service(name: &str) -> Option<&'static ServiceEntry> {
    static SERVICES: OnceLock<BTreeMap<String, ServiceEntry>> = OnceLock::new();
    SERVICES.get_or_init(|| parse("services").unwrap_or_default()).get(name)
}

/// All services by name.
#[cfg(test)]
pub(super) fn service_names() -> Vec<String> {
    parse::<BTreeMap<String, ServiceEntry>>("services").unwrap_or_default().into_keys().collect()
}

/// The rule set of a service, read when it is first asked for.
pub(super) fn rule_set(name: &str) -> Option<Arc<RuleSet>> {
    static READ: OnceLock<Mutex<HashMap<String, Arc<RuleSet>>>> = OnceLock::new();
    let read = READ.get_or_init(Mutex::default);
    if let Some(found) = read.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(found.clone());
    }
    let entry = service(name)?;
    let text = text(&format!("rules/{}", entry.rules))?;
    let text = text.replace("$HOST", &entry.host).replace("$NAME", &entry.signing_name);
    let rules: Arc<RuleSet> = Arc::new(serde_json::from_str(&text).ok()?);
    read.lock().unwrap_or_else(PoisonError::into_inner).insert(name.into(), rules.clone());
    Some(rules)
}
