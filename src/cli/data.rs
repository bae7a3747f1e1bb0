//! The data that a command works with: collectors, rules and criteria, the embedded ones with the user's own, and
//! `soc2scan.yaml` applied to them.

use super::arguments::{Data, Global, Selection};
use super::console::Console;
use super::failure::Failure;
use crate::assess::criteria::{Category, Criteria};
use crate::collect::{self, Collectors};
use crate::config::{Config, nearest};
use crate::model::schema::ResourceSchemas;
use crate::rules::{self, Rule, RulePack};
use globset::{Glob, GlobMatcher};
use std::collections::{BTreeMap, BTreeSet};

/// Where data comes from.
pub(super) struct Sources<'a> {
    data: &'a Data,
    config: Option<Config>,
}

/// The rules of a run, and what they need.
pub(super) struct Chosen {
    /// What can be read.
    pub(super) collectors: Collectors,
    /// The selected rules.
    pub(super) pack: RulePack,
    /// The other rules of the pack.
    pub(super) not_selected: Vec<Rule>,
}

impl Chosen {
    /// The resource types and members that the selected rules read.
    pub(super) fn needs(&self) -> collect::Selection {
        collect::Selection { types: self.pack.needs().into_iter().map(|(t, members)| (t, Some(members))).collect() }
    }
}

impl<'a> Sources<'a> {
    /// The embedded data with that in the folders of `data`, and the configuration.
    pub(super) fn new(data: &'a Data, global: &Global) -> Result<Self, Failure> {
        Ok(Sources { data, config: Config::find(global.config.as_deref())? })
    }

    /// The categories of the engagement.
    pub(super) fn categories(&self) -> BTreeSet<Category> {
        let given = self.config.as_ref().and_then(|c| c.settings().scope.categories.clone());
        given.unwrap_or_else(|| Category::ALL.to_vec()).into_iter().collect()
    }

    /// The regions that the configuration narrows to; none where it does not.
    pub(super) fn regions(&self) -> Vec<String> {
        self.config.as_ref().and_then(|c| c.settings().scope.regions.clone()).unwrap_or_default()
    }

    /// All collectors.
    pub(super) fn collectors(&self) -> Result<Collectors, Failure> {
        let loaded = match &self.data.collectors_dir {
            Some(folder) => Collectors::load(folder),
            None => Collectors::load_embedded(),
        };
        loaded.map_err(Failure::of)
    }

    /// All rules, as the configuration sets them.
    pub(super) fn rules(&self, schemas: &ResourceSchemas) -> Result<RulePack, Failure> {
        let load = |settings| RulePack::load(self.data.rules_dir.as_deref(), schemas, settings).map_err(Failure::from);
        let as_written = BTreeMap::new();
        let pack = load(&as_written)?;
        let Some(config) = &self.config else { return Ok(pack) };
        config.check(&pack.rules)?;
        let settings = config.rule_settings();
        let pack = if settings.is_empty() { pack } else { load(&settings)? };
        Ok(pack.with_register(config.settings().register.clone()))
    }

    /// The rules that `selection` names and the configuration does not leave out.
    ///
    /// # Errors
    /// Also where that is none: a run that judges nothing would look clean.
    pub(super) fn choose(&self, selection: &Selection, console: &Console) -> Result<Chosen, Failure> {
        let collectors = self.collectors()?;
        let all = self.rules(&collectors.schemas())?;
        let excluded = self.config.as_ref().map(Config::exclusions).unwrap_or_default();
        for (id, reason) in &excluded {
            console.note(&format!("rule {id} is left out by the configuration: {reason}"));
        }
        let mut not_selected = all.rules.clone();
        let decided = decide(selection, &all, excluded.into_keys().collect())?;
        let pack = all.select(&decided).map_err(|e| hint(e, selection))?;
        not_selected.retain(|rule| !pack.rules.iter().any(|r| r.id == rule.id));
        if pack.rules.is_empty() {
            return Err(Failure::with_help(
                "the selection leaves no rule: there would be nothing to judge",
                "`soc2scan rules list` with the same options shows what they select; criteria that are manual only \
                 have no rules (`soc2scan criteria`)",
            ));
        }
        Ok(Chosen { collectors, pack, not_selected })
    }
}

/// The selection as the rule engine takes it: globs of criteria and services as the names they stand for.
fn decide(selection: &Selection, pack: &RulePack, exclude: Vec<String>) -> Result<rules::Selection, Failure> {
    let services: BTreeSet<String> = pack.rules.iter().map(|r| r.service.clone()).collect();
    Ok(rules::Selection {
        rules: selection.rules.clone(),
        criteria: expand(&selection.criteria, &rules::criteria_ids())?,
        severities: selection.severity.clone(),
        services: expand(&selection.services, services.iter())?,
        exclude,
    })
}

/// Each pattern as the `names` that it matches; one that matches none stays, to be refused with the nearest name.
fn expand<'n>(
    patterns: &[String],
    names: impl IntoIterator<Item = &'n String> + Clone,
) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for pattern in patterns {
        let glob = glob(pattern)?;
        let before = all.len();
        all.extend(names.clone().into_iter().filter(|n| glob.is_match(n)).cloned());
        if all.len() == before {
            all.push(pattern.clone());
        }
    }
    Ok(all)
}

/// The matcher of a glob.
pub(super) fn glob(pattern: &str) -> Result<GlobMatcher, Failure> {
    match Glob::new(pattern) {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(e) => Err(Failure::new(format_args!("`{pattern}` is no glob: {}", e.kind()))),
    }
}

/// A folder given to `--rules` is a likely slip: the option selects.
fn hint(error: rules::SelectionError, selection: &Selection) -> Failure {
    match selection.rules.iter().find(|r| **r == error.name && r.contains(['/', '\\'])) {
        Some(path) => Failure::with_help(&error, format_args!("--rules selects; for a folder: --rules-dir {path}")),
        None => Failure::of(error),
    }
}

/// The criteria.
pub(super) fn criteria() -> Result<Criteria, Failure> {
    Criteria::embedded().map_err(Failure::new)
}

/// `name` is not among `names`: the failure with the nearest one, or where to look.
pub(super) fn unknown<'n>(what: &str, name: &str, names: impl Iterator<Item = &'n str>, list: &str) -> Failure {
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`{list}` shows them all"),
    };
    Failure::with_help(format_args!("there is no {what} `{name}`"), help)
}
