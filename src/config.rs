//! `soc2scan.yaml`: what an entity says about its engagement, and where it departs from the rule pack.
//!
//! The file is strict: an unknown key, a value of the wrong type, a rule or parameter that does not exist is an
//! error at file, line and column, and all of them are listed at once. What the file may hold is said once, by
//! the types of this module; the published JSON Schema and the check are both made from them. This module must
//! never let a mistake through as a default: a setting that silently does nothing would change a verdict.

mod shape;
mod tree;

use crate::assess::criteria::Category;
use crate::mistake::{Mistake, Text};
use crate::rules::{self, Register, Rule, Severity};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tree::Node;

/// The file that is read where none is named, in the current folder.
pub const FILE_NAME: &str = "soc2scan.yaml";
/// The id of the published JSON Schema.
pub const SCHEMA_ID: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/docs/schema/soc2scan-config-1.0.schema.json");

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It could be read, and says what it must not.
    #[error("{} in the configuration", count(.0.len()))]
    Mistakes(
        /// All of them, in the order of the file; at least one.
        Vec<Mistake>,
    ),
}

fn count(n: usize) -> String {
    if n == 1 { "a mistake".into() } else { format!("{n} mistakes") }
}

/// Everything that the file may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "soc2scan configuration")]
pub struct Settings {
    /// What the engagement covers.
    pub scope: Scope,
    /// Whom the entity knows: its own accounts, and its vendors.
    pub register: Register,
    /// Departures from the rule pack, by rule id.
    pub rules: BTreeMap<String, RuleSettings>,
}

/// What the engagement covers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// The categories of the Trust Services Criteria in the engagement. Criteria of others are reported as out
    /// of scope. All categories where absent. `security` is part of every SOC 2 engagement.
    #[schemars(length(min = 1))]
    pub categories: Option<Vec<Category>>,
    /// The regions to read. All that are enabled in the account where absent. `--regions` overrides it.
    #[schemars(length(min = 1), inner(pattern(r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$")))]
    pub regions: Option<Vec<String>>,
}

/// How one rule departs from the pack.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// Values of its parameters, by name.
    pub params: BTreeMap<String, Value>,
    /// The severity of its failures.
    pub severity: Option<Severity>,
    /// Leaves the rule out; the value is the reason, which is reported. The criteria that it is key for can
    /// then not be concluded from the scan.
    #[schemars(length(min = 1))]
    pub exclude: Option<String>,
}

/// A file that was read and found to be well formed.
#[derive(Clone, Debug)]
pub struct Config {
    source: Text,
    root: Node,
    settings: Settings,
}

impl Config {
    /// Reads the file that `named` names, or else [`FILE_NAME`] in the current folder; `None` where neither is.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] where it cannot be read, [`ConfigError::Mistakes`] where it is not well formed.
    pub fn find(named: Option<&Path>) -> Result<Option<Config>, ConfigError> {
        let path = named.unwrap_or(Path::new(FILE_NAME));
        match fs::read_to_string(path) {
            Ok(text) => Config::parse(path, text).map(Some),
            Err(e) if named.is_none() && e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_path_buf(), source }),
        }
    }

    /// Reads `text`; `path` is what errors call it.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`] with every mistake that can be seen without the rule pack.
    pub fn parse(path: &Path, text: String) -> Result<Config, ConfigError> {
        let source = Text::new(path.display().to_string(), text);
        let root = Node::parse(source.text())
            .map_err(|e| ConfigError::Mistakes(vec![source.mistake(e.position, e.message)]))?;
        let mut mistakes = shape::check(&root, &schema(), &source);
        let settings = if mistakes.is_empty() { read(&root, &source, &mut mistakes) } else { Settings::default() };
        let config = Config { source, root, settings };
        if mistakes.is_empty() {
            config.check_security(&mut mistakes);
            config.check_register(&mut mistakes);
            mistakes.sort_by_key(Mistake::offset);
        }
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigError::Mistakes(mistakes)) }
    }

    /// What the file says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The file.
    pub fn path(&self) -> &Path {
        Path::new(self.source.name())
    }

    /// What it sets of each rule, as the rule engine takes it.
    pub fn rule_settings(&self) -> BTreeMap<String, rules::RuleSettings> {
        let set = self.settings.rules.iter().filter(|(_, r)| !r.params.is_empty() || r.severity.is_some());
        let settings = |r: &RuleSettings| rules::RuleSettings { params: r.params.clone(), severity: r.severity };
        set.map(|(id, r)| (id.clone(), settings(r))).collect()
    }

    /// The rules that it leaves out, each with its reason, by rule id.
    pub fn exclusions(&self) -> BTreeMap<String, String> {
        self.settings.rules.iter().filter_map(|(id, r)| Some((id.clone(), r.exclude.clone()?))).collect()
    }

    /// Checks what it says against all rules of the pack: that each rule and parameter exists, and that each value
    /// has the type of the parameter's own.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`] with every mistake.
    pub fn check(&self, rules: &[Rule]) -> Result<(), ConfigError> {
        let mut mistakes = Vec::new();
        for (id, settings) in &self.settings.rules {
            match rules.iter().find(|r| r.id == *id || r.aliases.contains(id)) {
                Some(rule) if rule.id != *id => mistakes.push(self.renamed(id, &rule.id)),
                Some(rule) => self.check_params(id, settings, &rule.params, &mut mistakes),
                None => mistakes.push(self.unknown_rule(id, rules)),
            }
        }
        mistakes.sort_by_key(|m| m.offset());
        if mistakes.is_empty() { Ok(()) } else { Err(ConfigError::Mistakes(mistakes)) }
    }

    fn check_params(
        &self,
        id: &str,
        settings: &RuleSettings,
        known: &BTreeMap<String, Value>,
        mistakes: &mut Vec<Mistake>,
    ) {
        for (name, value) in &settings.params {
            let path = ["rules", id, "params", name];
            match known.get(name) {
                None => mistakes.push(
                    self.source
                        .mistake(self.root.key_at(&path), format!("rule `{id}` has no parameter `{name}`"))
                        .with_help(nearest_help(name, known.keys().map(String::as_str), "it has no parameters")),
                ),
                Some(default) => {
                    if let Some(expected) = type_mismatch(default, value) {
                        let message = format!("parameter `{name}` takes {expected}, not {}", shape::kind(value));
                        let help = format!("its value in the rule is {default}");
                        mistakes.push(self.source.mistake(self.root.value_at(&path), message).with_help(help));
                    }
                }
            }
        }
    }

    fn renamed(&self, id: &str, now: &str) -> Mistake {
        let at = self.root.key_at(&["rules", id]);
        self.source.mistake(at, format!("rule `{id}` is now called `{now}`")).with_help(format!("write `{now}`"))
    }

    fn unknown_rule(&self, id: &str, rules: &[Rule]) -> Mistake {
        let help = nearest_help(id, rules.iter().map(|r| r.id.as_str()), "the rule pack is empty");
        self.source.mistake(self.root.key_at(&["rules", id]), format!("there is no rule `{id}`")).with_help(help)
    }

    /// What no schema says: that nobody stands in the register twice, and that every vendor is somebody.
    fn check_register(&self, mistakes: &mut Vec<Mistake>) {
        for fault in self.settings.register.faults() {
            let path: Vec<&str> = std::iter::once("register").chain(fault.path.iter().map(String::as_str)).collect();
            let mistake = self.source.mistake(self.root.value_at(&path), fault.message);
            mistakes.push(mistake.with_help(fault.help));
        }
    }

    /// SOC 2 cannot be had without the common criteria.
    fn check_security(&self, mistakes: &mut Vec<Mistake>) {
        let Some(categories) = &self.settings.scope.categories else { return };
        if !categories.contains(&Category::Security) {
            let at = self.root.value_at(&["scope", "categories"]);
            let mistake = self.source.mistake(at, "`security` is part of every SOC 2 engagement");
            mistakes.push(mistake.with_help("add `security` to the list".to_owned()));
        }
    }
}

/// The JSON Schema of the file.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    forbid_null(&mut schema);
    // What a reader of the file looks for first stands first.
    let mut ordered = Map::from_iter([("$schema".into(), schema["$schema"].clone()), ("$id".into(), SCHEMA_ID.into())]);
    ordered.extend(schema.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    ordered.into()
}

/// Takes null out of the schema: a key without a value is a mistake, not a way to say the default.
fn forbid_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(mut parts)) = members.remove("anyOf") {
                parts.retain(|p| p["type"] != "null");
                parts.into_iter().filter_map(|p| Some(p.as_object()?.clone())).for_each(|p| members.extend(p));
            }
            if members.get("default").is_some_and(has_null) {
                members.remove("default");
            }
            members.iter_mut().for_each(|(_, v)| forbid_null(v));
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_null),
        _ => {}
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn read(root: &Node, source: &Text, mistakes: &mut Vec<Mistake>) -> Settings {
    match serde_json::from_value(root.to_value()) {
        Ok(settings) => settings,
        Err(e) => {
            mistakes.push(source.mistake(root.position(), e.to_string()));
            Settings::default()
        }
    }
}

/// What `given` should have been, where it does not have the type of `default`.
fn type_mismatch(default: &Value, given: &Value) -> Option<String> {
    let same = match (default, given) {
        (Value::Null, _) => true,
        (Value::Number(d), Value::Number(g)) => d.is_f64() || !g.is_f64(),
        (Value::Array(d), Value::Array(g)) => {
            let first = d.first()?;
            return g
                .iter()
                .find(|v| type_mismatch(first, v).is_some())
                .map(|_| format!("a list, each element {}", shape::kind(first)));
        }
        _ => std::mem::discriminant(default) == std::mem::discriminant(given),
    };
    (!same).then(|| shape::kind(default).to_owned())
}

/// The nearest of `names` as a question, or the list of them where none is near.
fn nearest_help<'a>(name: &str, names: impl Iterator<Item = &'a str>, none: &str) -> String {
    let names: Vec<&str> = names.collect();
    if let Some(near) = nearest(name, names.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match names.len() {
        0 => none.to_owned(),
        1..=12 => format!("expected one of `{}`", names.join("`, `")),
        _ => "`soc2scan rules list` lists them".to_owned(),
    }
}

/// The one of `names` that is most like `name`, where any is like it at all.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.map(|n| (strsim::jaro_winkler(name, n), n)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1))).map(|(_, n)| n)
}

#[cfg(test)]
mod tests;
