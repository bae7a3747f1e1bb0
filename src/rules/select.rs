//! Chooses rules by id, criterion, severity and service.

use super::expression::check::nearest;
use super::load::digest;
use super::{RulePack, Severity, criteria_ids};
use globset::Glob;
use std::collections::BTreeSet;

/// Which rules to judge. Every list that is not empty narrows; within a list one match is enough.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Rule ids, their aliases, or globs of ids (`s3-*`).
    pub rules: Vec<String>,
    /// Criteria (`CC6.1`), or a series of them (`CC6`).
    pub criteria: Vec<String>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Services (`s3`).
    pub services: Vec<String>,
    /// Rule ids or globs to leave out.
    pub exclude: Vec<String>,
}

/// A name in a selection that selects nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("there is no {what} `{name}`")]
#[diagnostic(code(soc2scan::selection))]
pub struct SelectionError {
    /// `rule`, `criterion` or `service`.
    pub what: &'static str,
    /// The name that was given.
    pub name: String,
    /// The nearest name, or where to look.
    #[help]
    pub help: Option<String>,
}

impl RulePack {
    /// The rules that `selection` names.
    ///
    /// # Errors
    /// A name that stands for no rule, criterion or service, with the nearest one.
    pub fn select(self, selection: &Selection) -> Result<RulePack, SelectionError> {
        let wanted = self.matching(&selection.rules)?;
        let unwanted = self.matching(&selection.exclude)?;
        self.check_criteria(&selection.criteria)?;
        self.check_services(&selection.services)?;
        let in_series = |id: &str, series: &str| {
            id.eq_ignore_ascii_case(series)
                || id.len() > series.len() + 1
                    && id[..series.len()].eq_ignore_ascii_case(series)
                    && id.as_bytes()[series.len()] == b'.'
        };
        let keep: Vec<bool> = self
            .rules
            .iter()
            .map(|r| {
                (selection.rules.is_empty() || wanted.contains(&r.id))
                    && !unwanted.contains(&r.id)
                    && (selection.severities.is_empty() || selection.severities.contains(&r.severity))
                    && (selection.services.is_empty() || selection.services.contains(&r.service))
                    && (selection.criteria.is_empty()
                        || r.criteria.iter().any(|c| selection.criteria.iter().any(|s| in_series(c, s))))
            })
            .collect();
        let mut kept = keep.iter();
        let rules: Vec<_> = self.rules.into_iter().filter(|_| *kept.next().unwrap_or(&false)).collect();
        let mut kept = keep.iter();
        let compiled: Vec<_> = self.compiled.into_iter().filter(|_| *kept.next().unwrap_or(&false)).collect();
        let digest = digest(&rules, &compiled);
        Ok(RulePack { digest, rules, compiled, version: self.version, register: self.register })
    }

    /// The ids that names and globs stand for.
    fn matching(&self, names: &[String]) -> Result<BTreeSet<String>, SelectionError> {
        let mut found = BTreeSet::new();
        for name in names {
            let glob = Glob::new(name).map(|g| g.compile_matcher()).ok();
            let before = found.len();
            let mut any = false;
            for rule in &self.rules {
                if rule.id == *name
                    || rule.aliases.contains(name)
                    || glob.as_ref().is_some_and(|g| g.is_match(&rule.id))
                {
                    any = true;
                    found.insert(rule.id.clone());
                }
            }
            if !any && before == found.len() {
                let ids: Vec<String> = self.rules.iter().map(|r| r.id.clone()).collect();
                return Err(missing("rule", name, &ids, "`soc2scan rules list` shows them all"));
            }
        }
        Ok(found)
    }

    fn check_criteria(&self, names: &[String]) -> Result<(), SelectionError> {
        let mut ids = criteria_ids();
        let series: BTreeSet<String> = ids.iter().filter_map(|id| id.split('.').next().map(str::to_owned)).collect();
        ids.extend(series);
        match names.iter().find(|n| !ids.iter().any(|id| id.eq_ignore_ascii_case(n))) {
            Some(name) => Err(missing("criterion", name, &ids, "`soc2scan criteria` shows them all")),
            None => Ok(()),
        }
    }

    fn check_services(&self, names: &[String]) -> Result<(), SelectionError> {
        let services: BTreeSet<&String> = self.rules.iter().map(|r| &r.service).collect();
        let services: Vec<String> = services.into_iter().cloned().collect();
        match names.iter().find(|n| !services.contains(n)) {
            Some(name) => {
                let all = format!("services with rules: {}", services.join(", "));
                Err(missing("service", name, &services, &all))
            }
            None => Ok(()),
        }
    }
}

fn missing(what: &'static str, name: &str, names: &[String], otherwise: &str) -> SelectionError {
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    };
    SelectionError { what, name: name.to_owned(), help: Some(help) }
}
