//! Which regions of an account are read, and what the account is called.
//!
//! The enabled ones, narrowed by the user. Where the regions cannot be enumerated, those that the user named (or
//! else the session's own) are read, and every regional population gets a hole: what lives elsewhere is unknown.

use super::api::{Api, ApiCall, ApiError};
use crate::inventory::{AccountScope, Cause};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The regions to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The regions to read, sorted.
    pub regions: Vec<String>,
    /// Enabled regions that are left out at the user's wish, sorted.
    pub left_out: Vec<String>,
    /// Why the account's regions could not be enumerated, where they could not.
    pub unlisted: Option<Cause>,
    /// The account's alias, where it has one that could be read.
    pub name: Option<String>,
}

/// Why there is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A region that the user named does not exist.
    #[error("there is no region `{name}` in this partition{}", near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownRegion {
        /// The region as it was written.
        name: String,
        /// The nearest name of a region.
        near: Option<String>,
    },
    /// A region that the user named is not enabled in the account.
    #[error("region `{name}` is not enabled in account {account}: enable it, or leave it out of --regions")]
    NotEnabled {
        /// The region.
        name: String,
        /// The account.
        account: String,
    },
}

impl Scope {
    /// The region that stands for all regions that could not be enumerated, in populations.
    pub const UNLISTED: &'static str = "*";

    /// Enumerates the regions and narrows them to `wanted` (all enabled ones where it is empty).
    ///
    /// # Errors
    /// Where `wanted` names a region that does not exist or is not enabled.
    pub async fn of(api: &impl Api, wanted: &[String]) -> Result<Scope, ScopeError> {
        let name = alias(api).await;
        match states(api).await {
            Ok(states) => narrowed(&states, wanted, api.account()).map(|scope| Scope { name, ..scope }),
            Err(error) => {
                let home = api.home_region().to_owned();
                let mut regions = if wanted.is_empty() { vec![home.clone()] } else { wanted.to_vec() };
                regions.sort();
                regions.dedup();
                let cause = error.cause("ec2:DescribeRegions", api.account(), &home);
                Ok(Scope { regions, left_out: Vec::new(), unlisted: Some(cause), name })
            }
        }
    }

    /// The same for the header of a snapshot.
    pub(super) fn account(&self, api: &impl Api) -> AccountScope {
        AccountScope {
            account: api.account().to_owned(),
            name: self.name.clone(),
            partition: api.partition().to_owned(),
            regions: self.regions.clone(),
            regions_left_out: self.left_out.clone(),
        }
    }
}

/// Whether each region of the partition is enabled.
async fn states(api: &impl Api) -> Result<BTreeMap<String, bool>, ApiError> {
    let answer = api.call(call("ec2", "DescribeRegions", api.home_region(), json!({"AllRegions": true}))).await?;
    let regions = answer.get("Regions").and_then(Value::as_array);
    let states: BTreeMap<String, bool> = regions.into_iter().flatten().filter_map(state).collect();
    match states.values().any(|enabled| *enabled) {
        true => Ok(states),
        false => Err(ApiError::malformed("the answer names no enabled region")),
    }
}

fn state(region: &Value) -> Option<(String, bool)> {
    let name = region.get("RegionName")?.as_str()?;
    // Emulators leave the status out; AWS always gives it.
    let status = region.get("OptInStatus").and_then(Value::as_str).unwrap_or("opt-in-not-required");
    Some((name.to_owned(), status != "not-opted-in"))
}

fn narrowed(states: &BTreeMap<String, bool>, wanted: &[String], account: &str) -> Result<Scope, ScopeError> {
    for name in wanted {
        match states.get(name) {
            Some(true) => {}
            Some(false) => return Err(ScopeError::NotEnabled { name: name.clone(), account: account.to_owned() }),
            None => return Err(ScopeError::UnknownRegion { name: name.clone(), near: nearest(states, name) }),
        }
    }
    let enabled = states.iter().filter(|(_, enabled)| **enabled).map(|(name, _)| name.clone());
    let (regions, left_out) = enabled.partition(|name| wanted.is_empty() || wanted.contains(name));
    Ok(Scope { regions, left_out, unlisted: None, name: None })
}

fn nearest(states: &BTreeMap<String, bool>, name: &str) -> Option<String> {
    let scored = states.keys().map(|known| (strsim::jaro_winkler(known, name), known));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(near, _)| *near > 0.7).map(|(_, known)| known.clone())
}

/// Only for people: where it cannot be read the account has no name, and nothing depends on it.
async fn alias(api: &impl Api) -> Option<String> {
    let region = crate::inventory::resource::GLOBAL;
    let answer = api.call(call("iam", "ListAccountAliases", region, json!({}))).await.ok()?;
    answer.get("AccountAliases")?.get(0)?.as_str().map(str::to_owned)
}

fn call<'c>(service: &'c str, operation: &'c str, region: &'c str, params: Value) -> ApiCall<'c> {
    ApiCall { service, operation, region, params, subject: "", absent_on: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> BTreeMap<String, bool> {
        [("eu-west-1", true), ("me-south-1", false), ("us-east-1", true)].map(|(n, e)| (n.to_owned(), e)).into()
    }

    #[test]
    fn only_enabled_regions_are_read() {
        let scope = narrowed(&states(), &[], "1").expect("a scope");
        assert_eq!(scope.regions, ["eu-west-1", "us-east-1"]);
        assert!(scope.left_out.is_empty());
    }

    #[test]
    fn what_the_user_leaves_out_is_written_down() {
        let scope = narrowed(&states(), &["us-east-1".into()], "1").expect("a scope");
        assert_eq!(scope.regions, ["us-east-1"]);
        assert_eq!(scope.left_out, ["eu-west-1"]);
    }

    #[test]
    fn a_region_that_does_not_exist_is_an_error_with_the_nearest_name() {
        let error = narrowed(&states(), &["eu-west1".into()], "1").expect_err("no such region");
        assert_eq!(error, ScopeError::UnknownRegion { name: "eu-west1".into(), near: Some("eu-west-1".into()) });
    }

    #[test]
    fn a_region_that_is_not_enabled_is_an_error() {
        let error = narrowed(&states(), &["me-south-1".into()], "1").expect_err("not enabled");
        assert_eq!(error, ScopeError::NotEnabled { name: "me-south-1".into(), account: "1".into() });
    }
}
