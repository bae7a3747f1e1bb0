//! Runs the tests inside rule files: the pack's own, and the user's.

use super::evaluate::{EvaluateOptions, evaluate};
use super::expression::check::nearest;
use super::file::{OtherFile, TestFile};
use super::{Register, RulePack, Verdict};
use crate::inventory::resource::GLOBAL;
use crate::inventory::{
    AccountScope, Cause, Header, Inventory, Population, PopulationState, Reason, Resource, Snapshot, TOOL_VERSION,
    UnknownField,
};
use crate::model::schema::{ResourceSchema, ResourceSchemas, Scope, Type};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
/// The time of a test that names none.
const AS_OF: &str = "2026-03-01T12:00:00Z";

/// A test, checked.
#[derive(Debug)]
pub(crate) struct Test {
    name: String,
    pub(super) line: usize,
    resource: Option<Resource>,
    others: Vec<Resource>,
    unlisted: Vec<String>,
    unsupported: Vec<String>,
    /// The types that are global.
    global: BTreeSet<String>,
    params: BTreeMap<String, Value>,
    register: Register,
    as_of: Timestamp,
    expect: Verdict,
    reason: Option<String>,
}

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TestOutcome {
    /// The rule's id.
    pub rule: String,
    /// The rule's file.
    pub file: String,
    /// The line that the test begins at; 0 for what is missing from the file.
    pub line: usize,
    /// The test's name, or what should be tested and is not.
    pub name: String,
    /// Why it failed; absent where it passed.
    pub failure: Option<String>,
}

/// What is wrong with a test, and what to do.
type Wrong = (String, Option<String>);

impl Test {
    /// Checks that a test's documents have the members that the schemas have.
    pub(super) fn new(
        file: &TestFile,
        schema: &ResourceSchema,
        schemas: &ResourceSchemas,
        defaults: &BTreeMap<String, Value>,
    ) -> Result<Test, Wrong> {
        let mut judged = file.resource.as_ref().map(|document| OtherFile {
            resource_type: schema.name.clone(),
            resource: document.clone(),
            unknown: file.unknown.clone(),
            tags: file.tags.clone(),
            id: file.id.clone(),
            arn: file.arn.clone(),
            account: file.account.clone(),
            region: file.region.clone(),
        });
        let resource = judged.take().map(|j| build(&j, schema, 0)).transpose()?;
        let mut others = Vec::new();
        for (n, other) in file.others.iter().enumerate() {
            others.push(build(other, find(schemas, &other.resource_type)?, n + 1)?);
        }
        for name in file.unlisted.iter().chain(&file.unsupported) {
            find(schemas, name)?;
        }
        if let Some(name) = file.params.keys().find(|p| !defaults.contains_key(*p)) {
            return Err((format!("the rule has no parameter `{name}`"), None));
        }
        if let Some(fault) = file.register.faults().into_iter().next() {
            return Err((fault.message, Some(fault.help)));
        }
        let global = schemas.types.values().filter(|t| t.scope == Scope::Global).map(|t| t.name.clone()).collect();
        let as_of = file.as_of.as_deref().unwrap_or(AS_OF);
        let as_of = as_of.parse().map_err(|_| (format!("`as_of` is not an RFC 3339 time: {as_of}"), None))?;
        Ok(Test {
            name: file.name.clone(),
            line: 0,
            resource,
            others,
            unlisted: file.unlisted.clone(),
            unsupported: file.unsupported.clone(),
            global,
            params: file.params.clone(),
            register: file.register.clone(),
            as_of,
            expect: file.expect,
            reason: file.reason.clone(),
        })
    }

    fn snapshot(&self, types: &BTreeSet<String>) -> Snapshot {
        let resources: Vec<Resource> = self.resource.iter().chain(&self.others).cloned().collect();
        let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        places.entry(ACCOUNT.into()).or_default().insert(REGION.into());
        for r in &resources {
            let regions = places.entry(r.account.clone()).or_default();
            if r.region != GLOBAL {
                regions.insert(r.region.clone());
            }
        }
        let mut populations = Vec::new();
        for resource_type in types {
            for (account, regions) in &places {
                let regions: Vec<&str> = match self.global.contains(resource_type) {
                    true => vec![GLOBAL],
                    false => regions.iter().map(String::as_str).collect(),
                };
                for region in regions {
                    populations.push(Population {
                        resource_type: resource_type.clone(),
                        account: account.clone(),
                        region: region.to_owned(),
                        state: self.state(resource_type),
                    });
                }
            }
        }
        let accounts = places
            .into_iter()
            .map(|(account, regions)| AccountScope {
                account,
                name: None,
                partition: "aws".into(),
                regions: regions.into_iter().collect(),
                regions_left_out: Vec::new(),
            })
            .collect();
        let header = Header {
            tool_version: TOOL_VERSION.into(),
            started: self.as_of,
            finished: self.as_of,
            principal: format!("arn:aws:iam::{ACCOUNT}:role/test"),
            accounts,
        };
        let mut snapshot = Snapshot { header, populations, resources, ledger: Vec::new() };
        snapshot.sort();
        snapshot
    }

    fn state(&self, resource_type: &String) -> PopulationState {
        if self.unsupported.contains(resource_type) {
            return PopulationState::Unsupported;
        }
        if !self.unlisted.contains(resource_type) {
            return PopulationState::Complete;
        }
        PopulationState::Incomplete { causes: vec![denied(&format!("the listing of {resource_type}"))] }
    }

    /// Runs the test on the rule at `n`; an error says what was expected and what came.
    fn run(&self, pack: &RulePack, n: usize) -> Result<(), String> {
        let rule = &pack.rules[n];
        let mut types: BTreeSet<String> = pack.compiled[n].reads.iter().map(|(t, _)| t.clone()).collect();
        types.insert(rule.resource_type.clone());
        let snapshot = self.snapshot(&types);
        let inventory = Inventory::new(&snapshot, pack.keys());
        let evaluation = evaluate(pack, &inventory, &EvaluateOptions { as_of: Some(self.as_of), all_verdicts: true });
        let wanted_id = self.resource.as_ref().map(|r| r.id.as_str());
        let found = evaluation.judgements.iter().find(|j| match (&j.subject, wanted_id) {
            (super::Subject::Resource(r), Some(id)) => r.id == id,
            (super::Subject::Population { .. }, None) => true,
            _ => false,
        });
        let Some(judgement) = found else { return Err("no verdict at all".into()) };
        if judgement.verdict != self.expect {
            return Err(format!(
                "expected {}, got {}: {}",
                self.expect.name(),
                judgement.verdict.name(),
                judgement.reason
            ));
        }
        if let Some(fault) = judgement.causes.iter().find(|c| c.reason == Reason::RuleFault) {
            return Err(format!("the rule itself failed: {}", fault.message));
        }
        match &self.reason {
            Some(part) if !judgement.reason.contains(part.as_str()) => {
                Err(format!("the reason has no {part:?} in it: {}", judgement.reason))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
impl Test {
    /// The evidence of the verdict that the first rule of the pack gives.
    pub(super) fn evidence(&self, pack: &RulePack) -> Vec<super::Evidence> {
        let types: BTreeSet<String> = pack.compiled[0].reads.iter().map(|(t, _)| t.clone()).collect();
        let snapshot = self.snapshot(&types);
        let inventory = Inventory::new(&snapshot, pack.keys());
        let options = EvaluateOptions { as_of: Some(self.as_of), all_verdicts: true };
        evaluate(pack, &inventory, &options).judgements.into_iter().flat_map(|j| j.evidence).collect()
    }
}

fn denied(action: &str) -> Cause {
    Cause {
        action: action.to_owned(),
        account: ACCOUNT.into(),
        code: "AccessDenied".into(),
        ..Cause::of(Reason::Denied, "")
    }
}

fn find<'s>(schemas: &'s ResourceSchemas, name: &str) -> Result<&'s ResourceSchema, Wrong> {
    schemas.types.get(name).ok_or_else(|| {
        let names: Vec<String> = schemas.types.keys().cloned().collect();
        (
            format!("no collector gives resources of type `{name}`"),
            nearest(name, &names).map(|n| format!("did you mean `{n}`?")),
        )
    })
}

fn build(file: &OtherFile, schema: &ResourceSchema, n: usize) -> Result<Resource, Wrong> {
    let document = match &file.resource {
        Value::Object(members) => members.clone(),
        Value::Null => Map::new(),
        _ => return Err(("a resource is a map of members".into(), None)),
    };
    for (member, value) in &document {
        let ty = &member_of(schema, member)?.ty;
        check_value(ty, value, member)?;
    }
    let mut unknown = Vec::new();
    for (path, action) in &file.unknown {
        if path != "Tags" {
            member_of(schema, path.split('.').next().unwrap_or_default())?;
        }
        unknown.push(UnknownField { path: path.clone(), cause: denied(action) });
    }
    let id = file.id.clone().unwrap_or_else(|| format!("resource-{n}"));
    let region = match (&file.region, schema.scope) {
        (Some(region), _) => region.clone(),
        (None, Scope::Global) => GLOBAL.to_owned(),
        (None, Scope::Regional) => REGION.to_owned(),
    };
    let name = ["Name", "UserName", "RoleName", "GroupName", "BucketName", "FunctionName"];
    let name = name.iter().find_map(|m| document.get(*m).and_then(Value::as_str)).unwrap_or(&id).to_owned();
    Ok(Resource {
        resource_type: schema.name.clone(),
        arn: file.arn.clone().unwrap_or_else(|| format!("arn:aws:test:::{id}")),
        account: file.account.clone().unwrap_or_else(|| ACCOUNT.into()),
        region,
        name,
        id,
        tags: file.tags.clone(),
        document,
        unknown,
    })
}

fn member_of<'s>(schema: &'s ResourceSchema, member: &str) -> Result<&'s crate::model::schema::Member, Wrong> {
    schema.members.get(member).ok_or_else(|| {
        let names: Vec<String> = schema.members.keys().cloned().collect();
        (
            format!("{} has no member `{member}`", schema.name),
            nearest(member, &names).map(|n| format!("did you mean `{n}`?")),
        )
    })
}

/// A test that feeds a rule what the API cannot answer proves nothing.
fn check_value(ty: &Type, value: &Value, path: &str) -> Result<(), Wrong> {
    let fits = match (ty, value) {
        (Type::Any, _) => true,
        (Type::Boolean, Value::Bool(_))
        | (Type::String | Type::Blob, Value::String(_))
        | (Type::Double, Value::Number(_)) => true,
        (Type::Integer, Value::Number(n)) => n.is_i64(),
        (Type::Timestamp, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Type::List(element), Value::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                check_value(element, item, &format!("{path}[{n}]"))?;
            }
            true
        }
        (Type::Map(element), Value::Object(entries)) => {
            for (key, entry) in entries {
                check_value(element, entry, &format!("{path}.{key}"))?;
            }
            true
        }
        (Type::Structure(..) | Type::Object(_), Value::Object(members)) => {
            for (name, member) in members {
                let Some(inner) = ty.member(name) else {
                    let names = ty.member_names();
                    return Err((
                        format!("`{path}` has no member `{name}`"),
                        nearest(name, &names).map(|n| format!("did you mean `{n}`?")),
                    ));
                };
                check_value(&inner, member, &format!("{path}.{name}"))?;
            }
            true
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err((format!("`{path}` is not a {ty}: {value}"), None)) }
}

impl RulePack {
    /// Runs every test of every rule of the pack as it was written, and names what a rule should test and does
    /// not: a pass, a fail, an unknown where it reads something that can be denied, a not-applicable where it has
    /// a `when`.
    pub fn test(self, schemas: &ResourceSchemas) -> Vec<TestOutcome> {
        let mut outcomes = Vec::new();
        let rules = self.rules.into_iter().zip(self.compiled);
        for (rule, compiled) in rules {
            let file = rule.file.display().to_string();
            let outcome = |line, name: String, failure| TestOutcome {
                rule: rule.id.clone(),
                file: file.clone(),
                line,
                name,
                failure,
            };
            for missing in untested(&compiled, schemas) {
                outcomes.push(outcome(
                    0,
                    format!("has a test that expects {}", missing.name()),
                    Some("there is none".into()),
                ));
            }
            let text = (file.clone(), compiled.text.clone());
            for (n, test) in compiled.tests.iter().enumerate() {
                let failure = with_params(&text, schemas, &rule.id, &test.params)
                    .map(|pack| pack.with_register(test.register.clone()))
                    .and_then(|pack| match pack.compiled.first().and_then(|c| c.tests.get(n)) {
                        Some(again) => again.run(&pack, 0),
                        None => Err("the test could not be set up".into()),
                    })
                    .err();
                outcomes.push(outcome(test.line, test.name.clone(), failure));
            }
        }
        outcomes
    }
}

/// The rule alone, with a test's parameters.
fn with_params(
    text: &(String, String),
    schemas: &ResourceSchemas,
    id: &str,
    params: &BTreeMap<String, Value>,
) -> Result<RulePack, String> {
    let settings = super::RuleSettings { params: params.clone(), severity: None };
    let settings = BTreeMap::from([(id.to_owned(), settings)]);
    RulePack::from_one(text.clone(), schemas, &settings).map_err(|e| match e {
        super::LoadError::Mistakes(m) => m.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    })
}

/// The verdicts that a rule can give and no test expects.
fn untested(compiled: &super::Compiled, schemas: &ResourceSchemas) -> Vec<Verdict> {
    let deniable = !compiled.joins.is_empty()
        || compiled.reads.iter().any(|(resource_type, member)| {
            let members = schemas.types.get(resource_type).map(|t| &t.members);
            members.and_then(|m| m.get(member)).is_some_and(|m| !m.actions.is_empty())
        });
    let mut wanted = vec![Verdict::Pass, Verdict::Fail];
    if deniable {
        wanted.push(Verdict::Unknown);
    }
    if compiled.when.is_some() {
        wanted.push(Verdict::NotApplicable);
    }
    if compiled.manual.is_some() {
        wanted.push(Verdict::Manual);
    }
    wanted.retain(|v| !compiled.tests.iter().any(|t| t.expect == *v));
    wanted
}
