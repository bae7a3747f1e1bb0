//! The partitions of AWS, and which one a region belongs to. A region that no list names yet is placed by its
//! pattern, so a new region works without a new release.

use super::data;
use super::functions::is_host_label;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One partition of AWS: a set of regions with accounts, credentials and names of its own.
#[derive(Debug)]
pub struct Partition {
    id: String,
    outputs: Map<String, Value>,
    pattern: Option<Regex>,
    regions: BTreeMap<String, Map<String, Value>>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    outputs: Map<String, Value>,
    #[serde(rename = "regionRegex")]
    region_regex: String,
    regions: BTreeMap<String, Map<String, Value>>,
}

impl Partition {
    /// Its id, as ARNs write it: `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The regions that are known by name, without pseudo regions such as `aws-global`.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.keys().map(String::as_str).filter(|r| !r.ends_with("-global"))
    }

    /// The region that global services are addressed through where nothing says otherwise.
    pub fn implicit_global_region(&self) -> &str {
        self.outputs.get("implicitGlobalRegion").and_then(Value::as_str).unwrap_or("us-east-1")
    }

    /// What the rules function `aws.partition` gives.
    pub(super) fn outputs(&self) -> Value {
        let mut outputs = self.outputs.clone();
        outputs.insert("name".into(), self.id.clone().into());
        Value::Object(outputs)
    }

    fn lists(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    fn fits(&self, region: &str) -> bool {
        self.pattern.as_ref().is_some_and(|p| p.is_match(region))
    }
}

/// All partitions.
pub fn all() -> &'static [Partition] {
    static ALL: OnceLock<Vec<Partition>> = OnceLock::new();
    ALL.get_or_init(|| {
        let raw: Vec<Raw> = data::parse("partitions").unwrap_or_default();
        raw.into_iter()
            .map(|p| Partition {
                // The lists are ASCII; `\w` in these patterns means ASCII too.
                pattern: Regex::new(&p.region_regex.replace(r"\w", "[a-zA-Z0-9_]")).ok(),
                id: p.id,
                outputs: p.outputs,
                regions: p.regions,
            })
            .collect()
    })
}

/// The partition of `region` if a list names it or a pattern fits it.
pub fn find(region: &str) -> Option<&'static Partition> {
    all().iter().find(|p| p.lists(region)).or_else(|| all().iter().find(|p| p.fits(region)))
}

/// The partition of `region`; `aws` for one that fits nowhere, as the specification of `aws.partition` has it.
pub(super) fn of(region: &str) -> Option<&'static Partition> {
    find(region).or_else(|| all().first())
}

/// The partition with this id.
pub fn by_id(id: &str) -> Option<&'static Partition> {
    all().iter().find(|p| p.id == id)
}

/// Whether `region` is known by name (not only by pattern).
pub fn is_known_region(region: &str) -> bool {
    all().iter().any(|p| p.lists(region))
}

/// Whether `region` could stand in a host name.
pub fn is_well_formed_region(region: &str) -> bool {
    is_host_label(region, false)
}

/// The known region whose name is nearest to `region`, if one is near enough to be what was meant.
pub fn nearest_region(region: &str) -> Option<&'static str> {
    let wanted = region.trim().to_ascii_lowercase().replace('_', "-");
    all()
        .iter()
        .flat_map(Partition::regions)
        .map(|known| (strsim::osa_distance(&wanted, known), known))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_no_list_names_is_placed_by_its_pattern() {
        assert_eq!(find("eu-west-1").map(Partition::id), Some("aws"));
        assert_eq!(find("ap-north-7").map(Partition::id), Some("aws"));
        assert_eq!(find("cn-south-9").map(Partition::id), Some("aws-cn"));
        assert_eq!(find("us-gov-central-3").map(Partition::id), Some("aws-us-gov"));
        assert_eq!(find("us-iso-north-1").map(Partition::id), Some("aws-iso"));
        assert_eq!(find("us-isob-north-1").map(Partition::id), Some("aws-iso-b"));
        assert_eq!(find("eusc-de-west-4").map(Partition::id), Some("aws-eusc"));
        assert!(find("mars-north-1").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn the_nearest_name_is_offered_for_a_misspelt_region() {
        assert_eq!(nearest_region("us-esat-1"), Some("us-east-1"));
        assert_eq!(nearest_region("EU_WEST_1"), Some("eu-west-1"));
        assert_eq!(nearest_region("virginia"), None);
    }

    #[test]
    fn every_partition_has_the_region_of_its_global_services() {
        assert!(all().len() >= 8);
        for p in all() {
            assert!(p.lists(p.implicit_global_region()), "{}", p.id());
        }
    }
}
