//! Loads rules: the embedded ones and a folder of the user's, checked whole before anything is judged.

use super::expression::check::{self, Scope, nearest};
use super::expression::{Expr, Ty, check::Checked, register};
use super::file::{self, JoinScope, RuleFile};
use super::template::Template;
use super::testing::Test;
use super::{Compiled, Join, Manual, Register, Remediation, Rule, RulePack, RuleSettings};
use crate::mistake::{Mistake, Text};
use crate::model::schema::{ResourceSchema, ResourceSchemas, Scope as Place};
use miette::Diagnostic;
use rayon::prelude::*;
use serde_json::Value;
use serde_saphyr::Spanned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All mistakes that were found in rules; at least one.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{} in the rules", count(errors.len()))]
pub struct LoadErrors {
    /// The mistakes, in the order of the files.
    #[related]
    pub errors: Vec<Mistake>,
}

fn count(n: usize) -> String {
    if n == 1 { "a mistake".into() } else { format!("{n} mistakes") }
}

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LoadError {
    /// Mistakes in rule files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] LoadErrors),
    /// The folder could not be read.
    #[error("{path}: {source}", path = path.display())]
    #[diagnostic(code(soc2scan::rules), help("--rules-dir takes a folder of rule files (*.yaml)"))]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A setting names a rule or parameter that is not there.
    #[error("{message}")]
    #[diagnostic(code(soc2scan::rules))]
    Setting {
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
}

static EMBEDDED: crate::embedded::Pack = include!(concat!(env!("OUT_DIR"), "/RULES.rs"));

/// The embedded rule files: one in each service's folder below `rules/`.
fn embedded() -> Vec<Text> {
    let rules = EMBEDDED.names().filter(|name| name.contains('/'));
    let read = |name: &str| Some(Text::new(format!("rules/{name}.yaml"), EMBEDDED.read(name)?));
    rules.filter_map(read).collect()
}

impl RulePack {
    /// Loads the embedded rules and those in `folder`, which replace embedded ones of the same id, with
    /// the user's `settings` by rule id. Rules are checked against `schemas`.
    ///
    /// # Errors
    /// All mistakes in all files at once; a folder that cannot be read; a setting for what does not exist.
    pub fn load(
        folder: Option<&Path>,
        schemas: &ResourceSchemas,
        settings: &BTreeMap<String, RuleSettings>,
    ) -> Result<RulePack, LoadError> {
        let mut sources = embedded();
        if let Some(folder) = folder {
            sources.extend(read_folder(folder)?);
        }
        RulePack::from_sources(sources, schemas, settings)
    }

    /// Loads rules from texts: each with the name that errors call it by.
    ///
    /// # Errors
    /// As [`RulePack::load`].
    pub fn from_texts(
        texts: impl IntoIterator<Item = (String, String)>,
        schemas: &ResourceSchemas,
    ) -> Result<RulePack, LoadError> {
        let sources = texts.into_iter().map(|(name, text)| Text::new(name, text)).collect();
        RulePack::from_sources(sources, schemas, &BTreeMap::new())
    }

    /// One rule from its text, with settings.
    pub(super) fn from_one(
        (name, text): (String, String),
        schemas: &ResourceSchemas,
        settings: &BTreeMap<String, RuleSettings>,
    ) -> Result<RulePack, LoadError> {
        RulePack::from_sources(vec![Text::new(name, text)], schemas, settings)
    }

    fn from_sources(
        sources: Vec<Text>,
        schemas: &ResourceSchemas,
        settings: &BTreeMap<String, RuleSettings>,
    ) -> Result<RulePack, LoadError> {
        let mut errors = Vec::new();
        let mut found: BTreeMap<String, (Rule, Compiled)> = BTreeMap::new();
        let loaded: Vec<_> = sources.par_iter().map(|source| load_rule(source, schemas, settings)).collect();
        for rule in loaded {
            match rule {
                Ok((rule, compiled)) => {
                    found.insert(rule.id.clone(), (rule, compiled));
                }
                Err(mistakes) => errors.extend(mistakes),
            }
        }
        if !errors.is_empty() {
            return Err(LoadErrors { errors }.into());
        }
        let ids: Vec<String> = found.keys().cloned().collect();
        if let Some(id) = settings.keys().find(|id| !found.contains_key(*id)) {
            return Err(LoadError::Setting {
                message: format!("there is no rule `{id}` to set parameters of"),
                help: nearest(id, &ids).map(|n| format!("did you mean `{n}`?")),
            });
        }
        let (rules, compiled): (Vec<Rule>, Vec<Compiled>) = found.into_values().unzip();
        let digest = digest(&rules, &compiled);
        let register = Register::default();
        Ok(RulePack { version: super::PACK_VERSION.to_owned(), digest, rules, register, compiled })
    }
}

/// The digest of what is judged: the text of every rule, and the parameters in force.
pub(super) fn digest(rules: &[Rule], compiled: &[Compiled]) -> String {
    let mut sha = Sha256::new();
    for (rule, compiled) in rules.iter().zip(compiled) {
        for part in [&rule.id, &compiled.text, &Value::from_iter(rule.params.clone()).to_string(), rule.severity.name()]
        {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
    }
    hex::encode(sha.finalize())
}

/// All `*.yaml` and `*.yml` under `folder`, sorted by path.
fn read_folder(folder: &Path) -> Result<Vec<Text>, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| LoadError::Folder { path, source }
    };
    let mut sources = Vec::new();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect())
        .map_err(failed(folder))?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources.extend(read_folder(&path)?);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            sources.push(Text::new(path.display().to_string(), text));
        }
    }
    Ok(sources)
}

fn load_rule(
    source: &Text,
    schemas: &ResourceSchemas,
    settings: &BTreeMap<String, RuleSettings>,
) -> Result<(Rule, Compiled), Vec<Mistake>> {
    let file = file::read(source).map_err(|e| vec![e])?;
    let mut loader = Loader { source, schemas, asks: BTreeSet::new(), errors: Vec::new() };
    let loaded = loader.rule(file, settings);
    match (loaded, loader.errors) {
        (Some(loaded), errors) if errors.is_empty() => Ok(loaded),
        (_, errors) => Err(errors),
    }
}

/// Gathers all mistakes of one file.
struct Loader<'l> {
    source: &'l Text,
    schemas: &'l ResourceSchemas,
    /// The functions that its conditions ask the register by.
    asks: BTreeSet<&'static str>,
    errors: Vec<Mistake>,
}

impl<'l> Loader<'l> {
    fn rule(&mut self, file: RuleFile, settings: &BTreeMap<String, RuleSettings>) -> Option<(Rule, Compiled)> {
        self.check_head(&file);
        let set = settings.get(&file.id.value);
        let params = self.params(&file, set);
        let resource = self.schema(&file.resource)?;
        let mut reads = BTreeSet::new();
        let mut joins = Vec::new();
        let mut names: Vec<(&str, &'l ResourceSchema, bool)> = Vec::new();
        for (name, join) in &file.join.0 {
            let other = self.schema(&join.value.resource)?;
            self.check_name(name, &join.value.resource, &names);
            let scope = Scope { resource, joins: names.clone(), lets: Vec::new(), params: &params };
            let on = match &join.value.on {
                None => None,
                Some(on) => {
                    self.check_key(other, &on.value.member);
                    reads.insert((other.name.clone(), on.value.member.value.clone()));
                    let equals = self.expression(&on.value.equals, &scope, None, &mut reads)?;
                    Some((on.value.member.value.clone(), equals))
                }
            };
            reads.insert((other.name.clone(), String::new()));
            let whole_account = join.value.scope == JoinScope::Account || resource.scope == Place::Global;
            joins.push(Join {
                name: name.clone(),
                resource_type: other.name.clone(),
                global: other.scope == Place::Global,
                whole_account,
                one: join.value.one,
                on,
            });
            names.push((name, other, join.value.one));
        }
        let mut scope = Scope { resource, joins: names, lets: Vec::new(), params: &params };
        let mut lets = Vec::new();
        for (name, text) in &file.lets.0 {
            self.check_name(name, text, &scope.joins);
            let named = self.expression(text, &scope, None, &mut reads)?;
            scope.lets.push((name, named.ty.clone()));
            lets.push(named);
        }
        let when = match &file.when {
            Some(when) => Some(self.expression(when, &scope, Some(&Ty::Bool), &mut reads)?),
            None => None,
        };
        let assertion = self.expression(&file.assertion, &scope, Some(&Ty::Bool), &mut reads);
        let message = self.template(&file.message, &scope, &mut reads);
        let pass = file.pass.as_ref().map(|t| self.template(t, &scope, &mut reads));
        let not_applicable = file.not_applicable.as_ref().map(|t| self.template(t, &scope, &mut reads));
        let manual = match &file.manual {
            Some(m) => Some(Manual {
                when: match &m.when {
                    Some(when) => Some(self.expression(when, &scope, Some(&Ty::Bool), &mut reads)?),
                    None => None,
                },
                message: self.template(&m.message, &scope, &mut reads)?,
            }),
            None => None,
        };
        self.check_question(&file);
        let tests = self.tests(&file, resource);
        let rule = Rule {
            service: service_of(&file.id.value),
            id: file.id.value,
            aliases: file.aliases,
            title: file.title,
            resource_type: file.resource.value,
            severity: set.and_then(|s| s.severity).unwrap_or(file.severity),
            relevance: file.relevance,
            criteria: file.criteria.value,
            rationale: file.rationale.trim().to_owned(),
            remediation: Remediation {
                text: file.remediation.text.trim().to_owned(),
                cli: file.remediation.cli,
                terraform: file.remediation.terraform,
            },
            references: file.references,
            equivalents: file.equivalents,
            params,
            file: PathBuf::from(self.source.name()),
        };
        let compiled = Compiled {
            text: self.source.text().to_owned(),
            global: resource.scope == Place::Global,
            joins,
            lets,
            when,
            not_applicable: not_applicable.flatten(),
            assertion: assertion?,
            message: message?,
            pass: pass.flatten(),
            manual,
            reads,
            asks: std::mem::take(&mut self.asks),
            tests,
        };
        Some((rule, compiled))
    }

    /// Notes a mistake in `value`.
    fn wrong<T>(&mut self, value: &Spanned<T>, message: impl Into<String>, help: Option<String>) {
        self.errors.push(self.source.mistake(value.referenced, message).with_help(help));
    }

    fn check_head(&mut self, file: &RuleFile) {
        let id = &file.id.value;
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            let help = Some("lower-case letters, digits and hyphens, as in `s3-bucket-versioning`".into());
            self.wrong(&file.id, "not a rule id", help);
        }
        if file.criteria.value.is_empty() || file.criteria.value.len() > 4 {
            let help = Some("name the one to four criteria that it is evidence for, the main one first".into());
            self.wrong(&file.criteria, "too few or too many criteria", help);
        }
        let known: Vec<String> = crate::rules::criteria_ids();
        for criterion in &file.criteria.value {
            if !known.contains(criterion) {
                let help = nearest(criterion, &known).map(|n| format!("did you mean `{n}`?"));
                self.wrong(&file.criteria, format!("there is no criterion `{criterion}`"), help);
            }
        }
        if let (Some(when), None) = (&file.when, &file.not_applicable) {
            let help = Some("add `not_applicable:` with the reason that a reader gets".into());
            self.wrong(when, "`when` without `not_applicable`", help);
        }
    }

    /// Where no register of vendors is supplied, a person is asked: a rule must say what.
    fn check_question(&mut self, file: &RuleFile) {
        let asked = self.asks.iter().any(|function| register::needs_vendors(function));
        match &file.manual {
            None if asked => {
                let help = "add `manual:` with the `message` that a person gets where no vendors were registered";
                self.wrong(&file.assertion, "this asks the register of vendors, without a question", Some(help.into()));
            }
            Some(manual) if manual.when.is_none() && !asked => {
                let help = "say in `when:` which failures are a question to a person".into();
                self.wrong(&manual.message, "`manual` without `when`", Some(help));
            }
            _ => {}
        }
    }

    /// A name that a join or a named expression gets must be free.
    fn check_name(&mut self, name: &str, at: &Spanned<String>, joins: &[(&str, &ResourceSchema, bool)]) {
        if matches!(name, "resource" | "params" | "now") || joins.iter().any(|(join, ..)| *join == name) {
            let help = Some("every join and every `let` needs a name of its own".into());
            self.wrong(at, format!("`{name}` stands for something else already"), help);
        }
    }

    fn params(&mut self, file: &RuleFile, set: Option<&RuleSettings>) -> BTreeMap<String, Value> {
        let mut params = file.defaults();
        let Some(set) = set else { return params };
        let names: Vec<String> = params.keys().cloned().collect();
        for (name, value) in &set.params {
            let message = match params.get(name) {
                None => format!("rule `{}` has no parameter `{name}`", file.id.value),
                Some(default) if !check::json_ty(value).fits(&check::json_ty(default)) => format!(
                    "parameter `{name}` of rule `{}` is {}, not {}",
                    file.id.value,
                    check::json_ty(default),
                    check::json_ty(value)
                ),
                Some(_) => {
                    params.insert(name.clone(), value.clone());
                    continue;
                }
            };
            let help = nearest(name, &names).filter(|n| *n != name).map(|n| format!("did you mean `{n}`?"));
            self.wrong(&file.id, message, help);
        }
        params
    }

    fn schema(&mut self, name: &Spanned<String>) -> Option<&'l ResourceSchema> {
        let found = self.schemas.types.get(&name.value);
        if found.is_none() {
            let names: Vec<String> = self.schemas.types.keys().cloned().collect();
            let help = nearest(&name.value, &names).map(|n| format!("did you mean `{n}`?"));
            let message = format!("no collector gives resources of type `{}`", name.value);
            self.wrong(name, message, help);
        }
        found
    }

    fn check_key(&mut self, schema: &ResourceSchema, member: &Spanned<String>) {
        let path = member.value.as_str();
        if matches!(path, "id" | "arn") {
            return;
        }
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let mut ty = schema.members.get(first).map(|m| m.ty.clone());
        for part in parts {
            ty = ty.and_then(|t| elements_of(&t).member(part));
        }
        if ty.is_none() {
            let names: Vec<String> = schema.members.keys().cloned().collect();
            let help = nearest(first, &names).map(|n| format!("did you mean `{n}`?"));
            let message = format!("{} has no member `{path}`", schema.name);
            self.wrong(member, message, help);
        }
    }

    fn expression(
        &mut self,
        text: &Spanned<String>,
        scope: &Scope<'_>,
        wanted: Option<&Ty>,
        reads: &mut BTreeSet<(String, String)>,
    ) -> Option<Expr> {
        match check::check(&text.value, scope, wanted) {
            Ok(Checked { expr, reads: more, asks }) => {
                reads.extend(more);
                self.asks.extend(asks);
                Some(expr)
            }
            Err(faults) => {
                self.errors.extend(faults.into_iter().map(|f| file::mistake_in(self.source, text, f, 0)));
                None
            }
        }
    }

    fn template(
        &mut self,
        text: &Spanned<String>,
        scope: &Scope<'_>,
        reads: &mut BTreeSet<(String, String)>,
    ) -> Option<Template> {
        match Template::parse(&text.value, scope) {
            Ok((template, more)) => {
                reads.extend(more);
                Some(template)
            }
            Err((from, faults)) => {
                self.errors.extend(faults.into_iter().map(|f| file::mistake_in(self.source, text, f, from)));
                None
            }
        }
    }

    fn tests(&mut self, file: &RuleFile, schema: &ResourceSchema) -> Vec<Test> {
        let mut tests = Vec::new();
        for test in &file.tests {
            match Test::new(&test.value, schema, self.schemas, &file.defaults()) {
                Ok(mut t) => {
                    t.line = self.source.mistake(test.referenced, "").line;
                    tests.push(t);
                }
                Err((message, help)) => self.wrong(test, message, help),
            }
        }
        tests
    }
}

fn elements_of(ty: &crate::model::schema::Type) -> crate::model::schema::Type {
    match ty {
        crate::model::schema::Type::List(element) => (**element).clone(),
        other => other.clone(),
    }
}

/// The service that a rule id begins with (`s3-bucket-versioning`: `s3`).
fn service_of(id: &str) -> String {
    id.split('-').next().unwrap_or_default().to_owned()
}
