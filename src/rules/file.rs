//! The rule file: its YAML form, and mistakes in it shown at file, line and column.

use super::expression::check::Fault;
use super::{Register, Relevance, Severity, Verdict};
use crate::mistake::{Mistake, Text};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A rule as it is written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) id: Spanned<String>,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) title: String,
    pub(super) resource: Spanned<String>,
    pub(super) severity: Severity,
    pub(super) relevance: Relevance,
    pub(super) criteria: Spanned<Vec<String>>,
    pub(super) rationale: String,
    #[serde(default)]
    pub(super) join: Ordered<Spanned<JoinFile>>,
    /// Expressions with names, for what a rule asks more than once.
    #[serde(default, rename = "let")]
    pub(super) lets: Ordered<Spanned<String>>,
    #[serde(default)]
    pub(super) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) not_applicable: Option<Spanned<String>>,
    #[serde(rename = "assert")]
    pub(super) assertion: Spanned<String>,
    pub(super) message: Spanned<String>,
    #[serde(default)]
    pub(super) pass: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) manual: Option<ManualFile>,
    #[serde(default)]
    pub(super) params: Option<Spanned<BTreeMap<String, Value>>>,
    pub(super) remediation: RemediationFile,
    #[serde(default)]
    pub(super) references: Vec<String>,
    #[serde(default)]
    pub(super) equivalents: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) tests: Vec<Spanned<TestFile>>,
}

impl RuleFile {
    /// The parameters with their defaults.
    pub(super) fn defaults(&self) -> BTreeMap<String, Value> {
        self.params.as_ref().map(|p| p.value.clone()).unwrap_or_default()
    }
}

/// When a person must look.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManualFile {
    /// What must be true for a failure to be a question to a person instead. A rule that asks for registered vendors
    /// can do without: where none were supplied, it asks a person wherever that decides.
    #[serde(default)]
    pub(super) when: Option<Spanned<String>>,
    /// What the person is asked.
    pub(super) message: Spanned<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemediationFile {
    pub(super) text: String,
    #[serde(default)]
    pub(super) cli: Option<String>,
    #[serde(default)]
    pub(super) terraform: Option<String>,
}

/// A lookup in another resource type.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinFile {
    pub(super) resource: Spanned<String>,
    #[serde(default)]
    pub(super) scope: JoinScope,
    #[serde(default)]
    pub(super) one: bool,
    #[serde(default)]
    pub(super) on: Option<Spanned<OnFile>>,
}

/// Which resources a join looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JoinScope {
    /// Those in the same account and region.
    #[default]
    Region,
    /// Those in the same account, in any region.
    Account,
}

/// Which member of the other type must have which value.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnFile {
    pub(super) member: Spanned<String>,
    pub(super) equals: Spanned<String>,
}

/// A test of the rule.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) resource: Option<Value>,
    /// Members that could not be read: the member and the action that was denied.
    #[serde(default)]
    pub(super) unknown: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) arn: Option<String>,
    #[serde(default)]
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) region: Option<String>,
    #[serde(default)]
    pub(super) others: Vec<OtherFile>,
    /// Resource types whose listing was denied.
    #[serde(default)]
    pub(super) unlisted: Vec<String>,
    /// Resource types that AWS does not offer there.
    #[serde(default)]
    pub(super) unsupported: Vec<String>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, Value>,
    /// Whom the entity knows.
    #[serde(default)]
    pub(super) register: Register,
    #[serde(default)]
    pub(super) as_of: Option<String>,
    pub(super) expect: Verdict,
    /// What the reason must have in it.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Another resource that a test puts beside the judged one.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherFile {
    #[serde(rename = "type")]
    pub(super) resource_type: String,
    #[serde(default)]
    pub(super) resource: Value,
    #[serde(default)]
    pub(super) unknown: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) arn: Option<String>,
    #[serde(default)]
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) region: Option<String>,
}

/// A map that keeps the order in which it was written.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Reads a rule.
pub(super) fn read(source: &Text) -> Result<RuleFile, Mistake> {
    // Without this, `Name: n` would read as the boolean of YAML 1.1.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(source.text(), options).map_err(|e| {
        let message = e.without_snippet().to_string();
        source.mistake(e.location().unwrap_or(Location::UNKNOWN), strip_place(&message))
    })
}

/// The mistake at a place inside an expression: the place in the decoded text is found again in the file,
/// whatever quoting or folding stands between.
pub(super) fn mistake_in(source: &Text, value: &Spanned<String>, fault: Fault, from: usize) -> Mistake {
    let bytes = source.bytes(value.referenced);
    let raw = source.text().get(bytes.start..bytes.end.min(source.text().len())).unwrap_or("");
    let start = align(raw, &value.value, from + fault.at.0);
    let stop = align(raw, &value.value, from + fault.at.1.saturating_sub(1)) + 1;
    let bytes = bytes.start + start..bytes.start + stop.max(start + 1);
    source.mistake_at(bytes, fault.message).with_help(fault.help)
}

/// The YAML reader's message without the place that is shown anyway.
fn strip_place(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let line = match line.split_once(": ") {
        Some((head, rest)) if head.starts_with("line ") => rest,
        _ => line,
    };
    match line.rfind(" at line ") {
        Some(n) => line[..n].to_owned(),
        None => line.to_owned(),
    }
}

/// The byte in `raw` (the scalar as it stands in the file) that the byte `target` of its decoded text came from.
fn align(raw: &str, text: &str, target: usize) -> usize {
    let header = if raw.starts_with(['|', '>']) { raw.find('\n').map_or(0, |n| n + 1) } else { 0 };
    let mut left = raw[header..].char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut at = header;
    for (offset, wanted) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        match left.find(|(_, c)| *c == wanted) {
            Some((n, _)) => at = header + n,
            None => return at,
        }
        if offset >= target {
            return at;
        }
    }
    at
}
