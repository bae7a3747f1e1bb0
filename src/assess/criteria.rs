//! The 61 Trust Services Criteria in our own words, read from `rules/criteria.yaml`.
//!
//! The file says for each criterion whether a scan can be evidence at all, what it can prove, and what a person must
//! supply beside it. Loading is strict: a criterion that is missing, doubled or unknown is an error, so that no
//! report can leave one out. This module must never carry the AICPA's own text.

use crate::rules::criteria_ids;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use std::collections::BTreeSet;
use std::fmt;

/// The file inside the binary, as error messages call it.
const EMBEDDED_FILE: &str = "rules/criteria.yaml";
const EMBEDDED: &str = include_str!("../../rules/criteria.yaml");

/// A category of the Trust Services Criteria. Security (the common criteria) is part of every engagement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Category {
    /// The common criteria, CC1 to CC9.
    Security,
    /// A1.
    Availability,
    /// C1.
    Confidentiality,
    /// PI1.
    ProcessingIntegrity,
    /// P1 to P8.
    Privacy,
}

impl Category {
    /// All, in the order of the criteria.
    pub const ALL: [Category; 5] = [
        Category::Security,
        Category::Availability,
        Category::Confidentiality,
        Category::ProcessingIntegrity,
        Category::Privacy,
    ];

    /// As a heading for people.
    pub fn label(self) -> &'static str {
        match self {
            Category::Security => "Security (common criteria)",
            Category::Availability => "Availability",
            Category::Confidentiality => "Confidentiality",
            Category::ProcessingIntegrity => "Processing integrity",
            Category::Privacy => "Privacy",
        }
    }
}

/// Whether a scan can be evidence for a criterion. None can be concluded by a scan alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Automation {
    /// Only a person can show it.
    ManualOnly,
    /// A scan shows a part; a person supplies the rest.
    Partial,
}

/// Controls elsewhere that cover the same ground: hints, not equivalence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// Controls of NIST SP 800-53 revision 5.
    #[serde(rename = "nist-800-53-r5")]
    pub nist_800_53_r5: Vec<String>,
    /// Clauses and Annex A controls of ISO/IEC 27001:2022.
    #[serde(rename = "iso-27001-2022")]
    pub iso_27001_2022: Vec<String>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// `CC6.1`.
    pub id: String,
    /// The category that it belongs to.
    pub category: Category,
    /// What it asks for, in one line of our own.
    pub title: String,
    /// Whether a scan can be evidence.
    pub automation: Automation,
    /// What a scan of AWS can prove.
    pub scan_can_prove: String,
    /// What a person must supply beside it.
    pub person_must_supply: String,
    /// Related controls.
    pub related: Related,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    category: Category,
    title: String,
    automation: Automation,
    scan_can_prove: String,
    person_must_supply: String,
    related: Related,
}

/// A mistake in a criteria file, with the place of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {detail}")]
pub struct CriteriaError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong, in one line.
    pub detail: String,
}

/// All 61 criteria, in the order of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria(Vec<Criterion>);

impl Criteria {
    /// The criteria that are inside the program.
    ///
    /// # Errors
    /// [`CriteriaError`] where the embedded file has a mistake; a test keeps that from being released.
    pub fn embedded() -> Result<Self, CriteriaError> {
        Self::load(EMBEDDED, EMBEDDED_FILE)
    }

    /// Reads criteria from YAML; `file` is what error messages call it.
    ///
    /// # Errors
    /// [`CriteriaError`] for anything that is not exactly the 61 criteria with all their members, each once, in order.
    pub fn load(yaml: &str, file: &str) -> Result<Self, CriteriaError> {
        let entries: Vec<Entry> = serde_saphyr::from_str(yaml).map_err(|e| {
            let (line, column) = e.location().map_or((1, 1), |l| (l.line(), l.column()));
            CriteriaError { file: file.to_owned(), line, column, detail: first_line(&e) }
        })?;
        let mut expected = expected();
        let mut criteria = Vec::with_capacity(entries.len());
        let mut end = (1, 1);
        for entry in entries {
            end = (entry.id.referenced.line(), entry.id.referenced.column());
            let fault = |detail| Err(CriteriaError { file: file.to_owned(), line: end.0, column: end.1, detail });
            let id = &entry.id.value;
            match expected.next() {
                Some((want, category)) if *id == want && entry.category == category => {}
                Some((want, category)) if *id == want => {
                    return fault(format!("'{id}' belongs to the category '{}'", snake(category)));
                }
                Some((want, _)) => return fault(format!("'{id}' stands where '{want}' is expected")),
                None => return fault(format!("'{id}' is one too many: there are {} criteria", criteria.len())),
            }
            for (member, text) in [
                ("title", &entry.title),
                ("scan_can_prove", &entry.scan_can_prove),
                ("person_must_supply", &entry.person_must_supply),
            ] {
                if text.trim().is_empty() {
                    return fault(format!("'{id}' has an empty '{member}'"));
                }
            }
            criteria.push(entry.into());
        }
        match expected.next() {
            Some((missing, _)) => {
                let detail = format!("'{missing}' is missing after this");
                Err(CriteriaError { file: file.to_owned(), line: end.0, column: end.1, detail })
            }
            None => Ok(Criteria(criteria)),
        }
    }

    /// All of them, in the order of the standard.
    pub fn iter(&self) -> std::slice::Iter<'_, Criterion> {
        self.0.iter()
    }

    /// The criterion with that id.
    pub fn get(&self, id: &str) -> Option<&Criterion> {
        self.0.iter().find(|c| c.id == id)
    }

    /// The id that is most like `id`, for a message about one that does not exist.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        let likeness = |c: &&Criterion| (strsim::jaro_winkler(&c.id, id) * 1000.0) as u64;
        self.0.iter().max_by_key(likeness).filter(|c| likeness(c) > 0).map(|c| c.id.as_str())
    }

    /// The categories that `ids` belong to.
    pub fn categories<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> BTreeSet<Category> {
        ids.into_iter().filter_map(|id| self.get(id)).map(|c| c.category).collect()
    }
}

impl From<Entry> for Criterion {
    fn from(e: Entry) -> Self {
        Criterion {
            id: e.id.value,
            category: e.category,
            title: e.title,
            automation: e.automation,
            scan_can_prove: e.scan_can_prove,
            person_must_supply: e.person_must_supply,
            related: e.related,
        }
    }
}

/// The ids of all criteria, in order, with their categories.
fn expected() -> impl Iterator<Item = (String, Category)> {
    criteria_ids().into_iter().map(|id| {
        let category = match id.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "A" => Category::Availability,
            "C" => Category::Confidentiality,
            "PI" => Category::ProcessingIntegrity,
            "P" => Category::Privacy,
            _ => Category::Security,
        };
        (id, category)
    })
}

fn snake(category: Category) -> &'static str {
    match category {
        Category::Security => "security",
        Category::Availability => "availability",
        Category::Confidentiality => "confidentiality",
        Category::ProcessingIntegrity => "processing_integrity",
        Category::Privacy => "privacy",
    }
}

/// The first line of an error's text: the parser adds a picture of the source, which belongs on a screen of its own.
fn first_line(e: &dyn fmt::Display) -> String {
    let text = e.to_string();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_has_all_61_criteria_of_which_30_are_manual_only() {
        let criteria = Criteria::embedded().expect("loads");
        assert_eq!(criteria.iter().count(), 61);
        assert_eq!(criteria.iter().filter(|c| c.automation == Automation::ManualOnly).count(), 30);
        assert_eq!(criteria.iter().filter(|c| c.category == Category::Security).count(), 33);
    }

    #[test]
    fn ids_are_found_and_misspelt_ones_get_the_nearest_name() {
        let criteria = Criteria::embedded().expect("loads");
        assert_eq!(criteria.get("CC6.1").map(|c| c.category), Some(Category::Security));
        assert!(criteria.get("CC6.9").is_none());
        assert_eq!(criteria.nearest("CC61"), Some("CC6.1"));
        assert_eq!(criteria.categories(["CC6.1", "A1.2"]).len(), 2);
    }

    fn fault(yaml: &str) -> String {
        Criteria::load(yaml, "c.yaml").expect_err("a mistake").to_string()
    }

    #[test]
    fn a_missing_criterion_is_named_with_the_line_before_it() {
        let cut = EMBEDDED.rfind("- id: P8.1").expect("the last");
        let line = EMBEDDED[..EMBEDDED.rfind("- id: P7.1").expect("there")].lines().count() + 1;
        assert_eq!(fault(&EMBEDDED[..cut]), format!("c.yaml:{line}:7: 'P8.1' is missing after this"));
    }

    #[test]
    fn a_doubled_criterion_is_named_with_its_line() {
        let yaml = EMBEDDED.replacen("- id: CC1.2", "- id: CC1.1", 1);
        let line = EMBEDDED[..EMBEDDED.find("- id: CC1.2").expect("there")].lines().count() + 1;
        assert_eq!(fault(&yaml), format!("c.yaml:{line}:7: 'CC1.1' stands where 'CC1.2' is expected"));
    }

    #[test]
    fn an_unknown_member_or_value_is_an_error_at_its_line() {
        let unknown = fault(&EMBEDDED.replacen("  title:", "  titel:", 1));
        assert!(unknown.starts_with("c.yaml:9:") && unknown.contains("titel"), "{unknown}");
        let value = fault(&EMBEDDED.replacen("automation: manual_only", "automation: mostly", 1));
        assert!(value.starts_with("c.yaml:10:") && value.contains("mostly"), "{value}");
    }

    #[test]
    fn a_wrong_category_and_an_empty_text_are_errors() {
        let category = fault(&EMBEDDED.replacen("category: security", "category: privacy", 1));
        assert!(category.ends_with("'CC1.1' belongs to the category 'security'"), "{category}");
        let title = EMBEDDED.replacen("title: \"Leadership lives by integrity and ethical conduct\"", "title: \"\"", 1);
        assert!(fault(&title).ends_with("'CC1.1' has an empty 'title'"));
    }

    #[test]
    fn one_criterion_too_many_is_an_error() {
        let last = &EMBEDDED[EMBEDDED.rfind("- id: P8.1").expect("there")..];
        assert!(fault(&format!("{EMBEDDED}\n{last}")).ends_with("'P8.1' is one too many: there are 61 criteria"));
    }
}
