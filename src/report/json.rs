//! The JSON report: versioned, with a published schema that is generated from the types here.
//!
//! It carries what every other report tells: who read what and when, what could not be read, all 61 criteria with their
//! counts, and one object per verdict. It is written as a stream: verdicts are never gathered in memory. Members are
//! only ever added within a version; a member that changes or goes makes a new one. Strings are what AWS said, escaped
//! as JSON demands and no further: whoever shows them must escape them.

use crate::assess::{
    Assessment, Automation, Category, CriterionResult, Finding, Hindrance, NotRead, RuleResult, Standing, State, Tally,
    criteria::Related,
};
use crate::inventory::{AccountScope, Cause, Outcome, PopulationState, Reason, TOOL_VERSION};
use crate::rules::register::Vendor;
use crate::rules::{Counts, Evidence, Register, Relevance, Severity, Subject, Verdict};
use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// The version of the document. The first number changes when a reader of the former could go wrong.
pub const SCHEMA_VERSION: &str = "1.0";
/// Where the schema is published.
pub const SCHEMA_ID: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/docs/schema/soc2scan-report-1.0.schema.json");

/// Writes the assessment as one JSON document that ends with a newline. Passes and not-applicables are results only
/// if `all_verdicts`, and only those that the evaluation kept; they are counted always.
///
/// # Errors
/// Whatever `out` fails with.
pub fn json(assessment: &Assessment<'_>, all_verdicts: bool, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &Report::of(assessment, all_verdicts))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The JSON Schema (draft 2020-12) of the report, as it is published under `docs/schema/`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<Report<'static>>().to_value();
    // What a reader of the file looks for first stands first.
    let mut ordered = Map::new();
    ordered.insert("$schema".to_owned(), schema["$schema"].clone());
    ordered.insert("$id".to_owned(), SCHEMA_ID.into());
    ordered.extend(schema.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    ordered.into()
}

/// A report of soc2scan on AWS accounts, against the Trust Services Criteria. It is not an audit opinion.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Soc2scanReport")]
struct Report<'a> {
    /// The address of this schema.
    #[serde(rename = "$schema")]
    schema: &'static str,
    /// The version of the document: major and minor.
    #[schemars(regex(pattern = "^1\\."))]
    schema_version: &'static str,
    scan: Scan<'a>,
    summary: Summary,
    coverage: CoverageReport<'a>,
    /// All 61 criteria, in the order of the standard.
    #[schemars(length(equal = 61))]
    criteria: Vec<CriterionReport<'a>>,
    /// The selected rules, in the order of their ids.
    rules: Vec<RuleReport<'a>>,
    results: Results<'a>,
}

/// Who read what, when, and by which rules it was judged.
#[derive(Serialize, JsonSchema)]
struct Scan<'a> {
    tool: ToolReport<'a>,
    rule_pack: RulePackReport<'a>,
    register: RegisterReport<'a>,
    /// The ARN that read the accounts.
    principal: &'a str,
    window: Window,
    /// The time that rules judged by, UTC.
    as_of: Timestamp,
    /// The categories of the engagement.
    categories: &'a BTreeSet<Category>,
    /// The accounts that were to be read, and where.
    accounts: &'a [AccountScope],
}

/// The program.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
struct ToolReport<'a> {
    /// Always `soc2scan`.
    name: &'static str,
    /// The version that judged and wrote this report.
    version: &'static str,
    /// The version that read the accounts.
    collected_by: &'a str,
}

/// The rules that judged.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RulePack")]
struct RulePackReport<'a> {
    /// The version of the pack.
    version: &'a str,
    /// Lower-case hexadecimal SHA-256 over all selected rules and their parameters.
    digest: &'a str,
    /// Rules that judged.
    rules: usize,
    /// Rules of the whole pack that were not selected.
    rules_not_selected: usize,
}

/// Whom the entity said that it knows, when the rules judged.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Register")]
struct RegisterReport<'a> {
    /// Lower-case hexadecimal SHA-256 over all that it says: another register, another digest.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    digest: String,
    own: OwnReport<'a>,
    /// Its vendors; null where it did not say who they are, empty where it said that there are none.
    vendors: Option<Vec<VendorReport<'a>>>,
}

/// What belongs to the entity, beside the accounts of its AWS organization.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Own")]
struct OwnReport<'a> {
    /// Its account ids; null where it did not list them.
    accounts: Option<&'a [String]>,
    /// The ids of its AWS organizations; null where it did not list them.
    organizations: Option<&'a [String]>,
    /// Its canonical user ids.
    canonical_users: &'a [String],
}

/// A party outside that the entity has approved.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Vendor")]
struct VendorReport<'a> {
    /// What it is called.
    name: &'a str,
    /// What it has access for.
    purpose: Option<&'a str>,
    /// Its account ids.
    accounts: &'a [String],
    /// The ids of its AWS organizations.
    organizations: &'a [String],
    /// Its canonical user ids.
    canonical_users: &'a [String],
}

/// When the accounts were read.
#[derive(Serialize, JsonSchema)]
struct Window {
    /// The first call, UTC.
    started: Timestamp,
    /// The last answer, UTC.
    finished: Timestamp,
}

/// The whole in numbers.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// Whether everything was read and every verdict could be given.
    complete: bool,
    /// All verdicts.
    verdicts: CountsReport,
    /// All verdicts, by the severity of their rules; all five are there.
    by_severity: BTreeMap<Severity, CountsReport>,
    /// How many of the 61 criteria are in each state; all five are there.
    criteria: BTreeMap<State, u64>,
}

/// How often each verdict was given, those left out of `results` included.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
struct CountsReport {
    /// Read, and it holds.
    pass: u64,
    /// Read, and it does not hold.
    fail: u64,
    /// Could not be observed.
    unknown: u64,
    /// A person must look.
    manual: u64,
    /// The resource is there, the rule does not fit it.
    not_applicable: u64,
    /// Failures under an exception that is in force; they are not counted as `fail`.
    accepted: u64,
    /// All together: the denominator.
    total: u64,
}

/// What was read of what was to be read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Coverage")]
struct CoverageReport<'a> {
    /// Every account that was to be read, or that anything was found in.
    accounts: Vec<AccountReport<'a>>,
    /// Resource types with the number of resources found and of populations.
    resource_types: Vec<TypeReport<'a>>,
    /// Populations that were not listed to the end.
    incomplete_populations: Vec<PopulationReport<'a>>,
    /// Resource types that rules need and that were not read everywhere.
    not_collected: Vec<NotCollectedReport<'a>>,
    /// IAM actions that were denied, what blocks most verdicts first.
    missing_permissions: Vec<NotReadReport<'a>>,
    /// What else could not be read, what blocks most verdicts first.
    other_failures: Vec<NotReadReport<'a>>,
    /// The ledger summed up: requests by account, region, service, operation and outcome.
    calls: Vec<CallReport<'a>>,
}

/// One account's coverage.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountReport<'a> {
    /// The 12-digit account id.
    account: &'a str,
    /// Whether everything that was asked of it was answered.
    complete: bool,
    /// The regions that were read.
    regions: &'a [String],
    /// Enabled regions that were left out at the user's wish.
    regions_left_out: &'a [String],
    /// Resources found.
    resources: u64,
    /// Populations (all resources of a type in one region) that were to be listed.
    populations: u64,
    /// Those that were not listed to the end.
    incomplete_populations: u64,
    /// Resource types that rules need and that were not read everywhere in the account.
    types_not_collected: u64,
    /// Verdicts that could not be given, for whatever cause.
    unknown_verdicts: u64,
    /// Requests by outcome.
    calls: &'a BTreeMap<Outcome, u64>,
}

/// One resource type's coverage.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Type")]
struct TypeReport<'a> {
    /// The CloudFormation type name.
    #[serde(rename = "type")]
    resource_type: &'a str,
    /// Resources found.
    resources: u64,
    /// Populations listed to the end.
    complete_populations: u64,
    /// Populations of regions that do not offer the service.
    unsupported_populations: u64,
    /// Populations not listed to the end.
    incomplete_populations: u64,
}

/// All resources of one type in one account and region, not all of which are known.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Population")]
struct PopulationReport<'a> {
    /// The CloudFormation type name.
    #[serde(rename = "type")]
    resource_type: &'a str,
    /// The 12-digit account id.
    account: &'a str,
    /// The region code, or `global`.
    region: &'a str,
    /// Why, at least one.
    causes: &'a [Cause],
}

/// A resource type that was not read everywhere in an account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotCollected")]
struct NotCollectedReport<'a> {
    /// The CloudFormation type name.
    #[serde(rename = "type")]
    resource_type: &'a str,
    /// The 12-digit account id.
    account: &'a str,
    /// The regions that miss; empty where the type was read nowhere in the account.
    regions: &'a [&'a str],
}

/// Something that could not be read, over all places.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotRead")]
struct NotReadReport<'a> {
    reason: Reason,
    /// The IAM action; empty where no call was made.
    action: &'a str,
    /// The accounts that it was met in.
    accounts: &'a BTreeSet<String>,
    /// The regions that it was met in.
    regions: &'a BTreeSet<String>,
    /// The service's error codes.
    codes: &'a BTreeSet<String>,
    /// One cause's sentence, as an example.
    example: &'a str,
    /// Verdicts that stayed unknown because of it, at least among others.
    verdicts_blocked: u64,
    /// Populations that are incomplete because of it, at least among others.
    populations: u64,
    /// Members of resources that could not be read because of it.
    fields: u64,
}

/// Requests of one kind.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Call")]
struct CallReport<'a> {
    /// The account whose credentials made the calls.
    account: &'a str,
    /// The region of the endpoint, or `global`.
    region: &'a str,
    /// The service's IAM prefix.
    service: &'a str,
    /// The API operation.
    operation: &'a str,
    outcome: Outcome,
    /// How many.
    requests: u64,
}

/// One criterion. It is never called compliant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Criterion")]
struct CriterionReport<'a> {
    /// `CC6.1`.
    id: &'a str,
    category: Category,
    /// What it asks for, in our own words.
    title: &'a str,
    automation: Automation,
    state: State,
    /// Everything that keeps it from being supported.
    hindrances: &'a [Hindrance],
    /// The verdicts of all rules that are mapped to it.
    counts: CountsReport,
    /// Its rules by relevance. Key rules decide, supporting rules inform, hygiene rules never turn it.
    rules: TalliesReport,
    /// What a scan of AWS can prove.
    scan_can_prove: &'a str,
    /// What a person must supply beside it.
    person_must_supply: &'a str,
    /// Controls elsewhere that cover the same ground: hints, not equivalence.
    related: &'a Related,
}

/// The rules that are mapped to a criterion.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tallies")]
struct TalliesReport {
    key: TallyReport,
    supporting: TallyReport,
    hygiene: TallyReport,
}

/// Rules of one relevance, by what they say over all accounts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tally")]
struct TallyReport {
    /// Rules of the pack: the denominator.
    total: u64,
    /// Left out of this run by a selection.
    not_selected: u64,
    /// A resource failed.
    failed: u64,
    /// None failed; a verdict is unknown, or not every resource is known.
    unknown: u64,
    /// None of these; a person must look.
    manual: u64,
    /// None of these; a resource passed.
    passed: u64,
    /// Resources are there, the rule fits none of them.
    not_applicable: u64,
    /// Proven: there is no such resource. This is no pass.
    no_population: u64,
    /// Their verdicts.
    verdicts: CountsReport,
}

/// One rule over all accounts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rule")]
struct RuleReport<'a> {
    /// The stable id.
    id: &'a str,
    /// What must hold.
    title: &'a str,
    severity: Severity,
    relevance: Relevance,
    /// The criteria that it is evidence for, first the main one.
    criteria: &'a [String],
    /// The resource type that it judges.
    resource_type: &'a str,
    /// Its parameters with the values in force.
    params: &'a BTreeMap<String, Value>,
    standing: Standing,
    counts: CountsReport,
}

/// One verdict.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Result")]
struct ResultReport<'a> {
    /// The rule that judged.
    rule_id: &'a str,
    /// What the rule asks for.
    title: &'a str,
    verdict: Verdict,
    severity: Severity,
    relevance: Relevance,
    /// The criteria that the rule is evidence for, first the main one.
    criteria: &'a [String],
    resource: ResourceReport<'a>,
    /// Why, in one sentence.
    reason: &'a str,
    /// The members that decided it, with the values that were read.
    evidence: &'a [Evidence],
    /// What could not be observed; empty unless the verdict is `unknown`.
    causes: &'a [Cause],
    /// What makes it the same finding from one scan to the next: lower-case hexadecimal SHA-256.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    fingerprint: String,
    /// Ids of the same control elsewhere, by framework or tool.
    equivalents: &'a BTreeMap<String, Vec<String>>,
}

/// What a verdict is about: a resource, or, without id, ARN and name, all resources of the type in that place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Resource")]
struct ResourceReport<'a> {
    /// The CloudFormation type name.
    #[serde(rename = "type")]
    resource_type: &'a str,
    /// The identifier that the service itself uses.
    id: Option<&'a str>,
    /// The full ARN.
    arn: Option<&'a str>,
    /// The 12-digit account id.
    account: &'a str,
    /// The region code, or `global`.
    region: &'a str,
    /// A name for people; the id where there is no other.
    name: Option<&'a str>,
}

/// One object per verdict, in the order of rule id, account, region, ARN; produced while it is written.
struct Results<'a> {
    assessment: &'a Assessment<'a>,
    all: bool,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let asked =
            |f: &Finding<'_>| self.all || !matches!(f.judgement.verdict, Verdict::Pass | Verdict::NotApplicable);
        serializer.collect_seq(self.assessment.findings().filter(asked).map(|f| ResultReport::of(&f)))
    }
}

impl JsonSchema for Results<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Results".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<ResultReport<'static>>::json_schema(generator);
        let description = "One object per verdict, in the order of rule id, account, region, ARN. Passes and \
                           not-applicables are there only where they were asked for.";
        schema.insert("description".to_owned(), description.into());
        schema
    }
}

impl<'a> Report<'a> {
    fn of(a: &'a Assessment<'a>, all_verdicts: bool) -> Self {
        Report {
            schema: SCHEMA_ID,
            schema_version: SCHEMA_VERSION,
            scan: Scan::of(a),
            summary: Summary::of(a),
            coverage: CoverageReport::of(a),
            criteria: a.criteria.iter().map(CriterionReport::of).collect(),
            rules: a.rules.iter().map(RuleReport::of).collect(),
            results: Results { assessment: a, all: all_verdicts },
        }
    }
}

impl<'a> Scan<'a> {
    fn of(a: &'a Assessment<'a>) -> Self {
        let header = &a.snapshot.header;
        Scan {
            tool: ToolReport { name: "soc2scan", version: TOOL_VERSION, collected_by: &header.tool_version },
            rule_pack: RulePackReport {
                version: &a.pack.version,
                digest: &a.pack.digest,
                rules: a.pack.rules.len(),
                rules_not_selected: a.scope.not_selected.len(),
            },
            register: RegisterReport::of(&a.pack.register),
            principal: &header.principal,
            window: Window { started: header.started, finished: header.finished },
            as_of: a.scope.as_of,
            categories: &a.scope.categories,
            accounts: &header.accounts,
        }
    }
}

impl<'a> RegisterReport<'a> {
    fn of(register: &'a Register) -> Self {
        let own = &register.own;
        RegisterReport {
            digest: register.digest(),
            own: OwnReport {
                accounts: own.accounts.as_deref(),
                organizations: own.organizations.as_deref(),
                canonical_users: &own.canonical_users,
            },
            vendors: register.vendors.as_ref().map(|vendors| vendors.iter().map(VendorReport::of).collect()),
        }
    }
}

impl<'a> VendorReport<'a> {
    fn of(vendor: &'a Vendor) -> Self {
        VendorReport {
            name: &vendor.name,
            purpose: vendor.purpose.as_deref(),
            accounts: &vendor.accounts,
            organizations: &vendor.organizations,
            canonical_users: &vendor.canonical_users,
        }
    }
}

impl Summary {
    fn of(a: &Assessment<'_>) -> Self {
        let in_state = |state: State| a.criteria.iter().filter(|c| c.state == state).count() as u64;
        Summary {
            complete: a.complete(),
            verdicts: a.totals().into(),
            by_severity: Severity::ALL.into_iter().map(|s| (s, a.totals_of(s).into())).collect(),
            criteria: State::ALL.into_iter().map(|s| (s, in_state(s))).collect(),
        }
    }
}

impl From<Counts> for CountsReport {
    fn from(c: Counts) -> Self {
        CountsReport {
            pass: c.pass,
            fail: c.fail,
            unknown: c.unknown,
            manual: c.manual,
            not_applicable: c.not_applicable,
            accepted: 0,
            total: c.total(),
        }
    }
}

impl<'a> CoverageReport<'a> {
    fn of(a: &'a Assessment<'a>) -> Self {
        let c = &a.coverage;
        let (denied, other): (Vec<_>, Vec<_>) = c.not_read.iter().partition(|n| n.is_permission());
        CoverageReport {
            accounts: c
                .accounts
                .iter()
                .map(|a| AccountReport {
                    account: a.account,
                    complete: a.complete(),
                    regions: a.scope.map_or(&[], |s| &s.regions),
                    regions_left_out: a.scope.map_or(&[], |s| &s.regions_left_out),
                    resources: a.resources,
                    populations: a.populations,
                    incomplete_populations: a.incomplete_populations,
                    types_not_collected: a.types_not_collected,
                    unknown_verdicts: a.unknown_verdicts,
                    calls: &a.calls,
                })
                .collect(),
            resource_types: c
                .types
                .iter()
                .map(|(resource_type, t)| TypeReport {
                    resource_type,
                    resources: t.resources,
                    complete_populations: t.complete,
                    unsupported_populations: t.unsupported,
                    incomplete_populations: t.incomplete,
                })
                .collect(),
            incomplete_populations: c
                .incomplete
                .iter()
                .filter_map(|p| match &p.state {
                    PopulationState::Incomplete { causes } => Some(PopulationReport {
                        resource_type: &p.resource_type,
                        account: &p.account,
                        region: &p.region,
                        causes,
                    }),
                    PopulationState::Complete | PopulationState::Unsupported => None,
                })
                .collect(),
            not_collected: c
                .not_collected
                .iter()
                .map(|n| NotCollectedReport { resource_type: n.resource_type, account: n.account, regions: &n.regions })
                .collect(),
            missing_permissions: denied.into_iter().map(NotReadReport::of).collect(),
            other_failures: other.into_iter().map(NotReadReport::of).collect(),
            calls: c
                .calls
                .counts
                .iter()
                .map(|((account, region, service, operation, outcome), requests)| CallReport {
                    account,
                    region,
                    service,
                    operation,
                    outcome: *outcome,
                    requests: *requests,
                })
                .collect(),
        }
    }
}

impl<'a> NotReadReport<'a> {
    fn of(n: &'a NotRead) -> Self {
        NotReadReport {
            reason: n.reason,
            action: &n.action,
            accounts: &n.accounts,
            regions: &n.regions,
            codes: &n.codes,
            example: &n.example,
            verdicts_blocked: n.verdicts_blocked,
            populations: n.populations,
            fields: n.fields,
        }
    }
}

impl<'a> CriterionReport<'a> {
    fn of(c: &'a CriterionResult<'a>) -> Self {
        CriterionReport {
            id: &c.criterion.id,
            category: c.criterion.category,
            title: &c.criterion.title,
            automation: c.criterion.automation,
            state: c.state,
            hindrances: &c.hindrances,
            counts: c.verdicts().into(),
            rules: TalliesReport { key: c.key.into(), supporting: c.supporting.into(), hygiene: c.hygiene.into() },
            scan_can_prove: &c.criterion.scan_can_prove,
            person_must_supply: &c.criterion.person_must_supply,
            related: &c.criterion.related,
        }
    }
}

impl From<Tally> for TallyReport {
    fn from(t: Tally) -> Self {
        TallyReport {
            total: t.rules,
            not_selected: t.not_selected,
            failed: t.failed,
            unknown: t.unknown,
            manual: t.manual,
            passed: t.passed,
            not_applicable: t.not_applicable,
            no_population: t.no_population,
            verdicts: t.verdicts.into(),
        }
    }
}

impl<'a> RuleReport<'a> {
    fn of(r: &RuleResult<'a>) -> Self {
        RuleReport {
            id: &r.rule.id,
            title: &r.rule.title,
            severity: r.rule.severity,
            relevance: r.rule.relevance,
            criteria: &r.rule.criteria,
            resource_type: &r.rule.resource_type,
            params: &r.rule.params,
            standing: r.standing,
            counts: r.counts.into(),
        }
    }
}

impl<'a> ResultReport<'a> {
    fn of(f: &Finding<'a>) -> Self {
        ResultReport {
            rule_id: &f.rule.id,
            title: &f.rule.title,
            verdict: f.judgement.verdict,
            severity: f.rule.severity,
            relevance: f.rule.relevance,
            criteria: &f.rule.criteria,
            resource: ResourceReport::of(&f.judgement.subject),
            reason: &f.judgement.reason,
            evidence: &f.judgement.evidence,
            causes: &f.judgement.causes,
            fingerprint: f.fingerprint.to_string(),
            equivalents: &f.rule.equivalents,
        }
    }
}

impl<'a> ResourceReport<'a> {
    fn of(subject: &'a Subject<'a>) -> Self {
        match subject {
            Subject::Resource(r) => ResourceReport {
                resource_type: &r.resource_type,
                id: Some(&r.id),
                arn: Some(&r.arn),
                account: &r.account,
                region: &r.region,
                name: Some(&r.name),
            },
            Subject::Population { resource_type, account, region } => {
                ResourceReport { resource_type, id: None, arn: None, account, region, name: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::fixture::{HOSTILE, World};

    fn written(world: &World, all: bool) -> String {
        let mut bytes = Vec::new();
        world.assess(true, |a| json(a, all, &mut bytes).expect("written"));
        String::from_utf8(bytes).expect("text")
    }

    fn document(world: &World, all: bool) -> Value {
        serde_json::from_str(&written(world, all)).expect("JSON")
    }

    #[test]
    fn the_report_of_the_sample() {
        let mut document = document(&World::sample(), false);
        document["scan"]["tool"]["version"] = "[version]".into();
        // Three criteria stand for all 61 of them.
        let some = ["CC1.1", "CC6.1", "A1.2"].map(Value::from);
        document["criteria"].as_array_mut().expect("criteria").retain(|c| some.contains(&c["id"]));
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("written"));
    }

    /// To accept a change of the types: `SOC2SCAN_UPDATE_SCHEMA=1 cargo test schema`.
    #[test]
    fn the_committed_schema_is_the_one_of_the_types() {
        let mut generated = serde_json::to_string_pretty(&schema()).expect("written");
        generated.push('\n');
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/soc2scan-report-1.0.schema.json");
        if std::env::var_os("SOC2SCAN_UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &generated).expect("written");
        }
        let committed = std::fs::read_to_string(path).expect("read");
        assert!(generated == committed, "docs/schema is stale: run SOC2SCAN_UPDATE_SCHEMA=1 cargo test schema");
    }

    #[test]
    fn reports_are_valid_by_the_schema_and_broken_ones_are_not() {
        let validator = jsonschema::validator_for(&schema()).expect("a schema");
        for world in [World::sample(), World::empty()] {
            for all in [false, true] {
                let document = document(&world, all);
                let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{errors:?}");
            }
        }
        let mut broken = document(&World::sample(), false);
        broken["results"][0]["verdict"] = "compliant".into();
        assert!(!validator.is_valid(&broken));
        let mut broken = document(&World::sample(), false);
        broken["criteria"][0].as_object_mut().expect("an object").remove("state");
        assert!(!validator.is_valid(&broken));
    }

    #[test]
    fn all_criteria_are_there_and_every_count_has_its_denominator() {
        let document = document(&World::sample(), false);
        let criteria = document["criteria"].as_array().expect("criteria");
        assert_eq!(criteria.len(), 61);
        for c in criteria {
            let counts = c["counts"].as_object().expect("counts");
            let sum: u64 = counts.iter().filter(|(k, _)| *k != "total").filter_map(|(_, n)| n.as_u64()).sum();
            assert_eq!(counts["total"], sum);
            assert_eq!(counts["accepted"], 0);
        }
        let states = document["summary"]["criteria"].as_object().expect("states");
        assert_eq!(states.values().filter_map(Value::as_u64).sum::<u64>(), 61);
    }

    #[test]
    fn passes_and_not_applicables_are_left_out_unless_asked_for_and_counted_always() {
        let (few, all) = (document(&World::sample(), false), document(&World::sample(), true));
        assert_eq!(few["summary"], all["summary"]);
        let verdicts = |d: &Value| -> BTreeSet<String> {
            let results = d["results"].as_array().expect("results");
            results.iter().map(|r| r["verdict"].as_str().expect("a verdict").to_owned()).collect()
        };
        assert_eq!(verdicts(&few), ["fail", "manual", "unknown"].map(str::to_owned).into());
        assert_eq!(verdicts(&all).len(), 5);
        assert_eq!(
            all["results"].as_array().map(Vec::len),
            all["summary"]["verdicts"]["total"].as_u64().map(|n| n as usize)
        );
    }

    #[test]
    fn an_unknown_names_the_action_and_a_population_has_no_arn() {
        let document = document(&World::sample(), false);
        let results = document["results"].as_array().expect("results");
        let unknown = results.iter().find(|r| r["rule_id"] == "kms-key-rotation").expect("there");
        assert_eq!(unknown["causes"][0]["action"], "kms:ListKeys");
        assert_eq!(unknown["resource"]["arn"], Value::Null);
        assert_eq!(unknown["resource"]["type"], "AWS::KMS::Key");
        let permissions = document["coverage"]["missing_permissions"].as_array().expect("a list");
        assert_eq!(permissions[0]["action"], "kms:ListKeys");
        assert_eq!(permissions[0]["verdicts_blocked"], 1);
    }

    #[test]
    fn two_registers_make_two_reports_of_one_snapshot() {
        let with = |register: &str| {
            let mut world = World::sample();
            world.pack.register = serde_json::from_str(register).expect("a register");
            let document = document(&world, false);
            assert!(jsonschema::validator_for(&schema()).expect("a schema").is_valid(&document), "{register}");
            document["scan"]["register"].clone()
        };
        let (unsaid, none) = (with("{}"), with(r#"{"vendors": []}"#));
        let some = with(r#"{"vendors": [{"name": "Datadog", "accounts": ["464622532012"]}]}"#);
        assert_eq!((&unsaid["vendors"], &none["vendors"]), (&Value::Null, &Value::from(Vec::<Value>::new())));
        assert_eq!(some["vendors"][0]["name"], "Datadog");
        let digests: BTreeSet<String> = [unsaid, none, some].iter().map(|r| r["digest"].to_string()).collect();
        assert_eq!(digests.len(), 3);
    }

    #[test]
    fn what_aws_said_comes_through_unchanged() {
        let document = document(&World::sample(), false);
        let names: Vec<&Value> =
            document["results"].as_array().expect("results").iter().map(|r| &r["resource"]["name"]).collect();
        assert!(names.contains(&&Value::from(HOSTILE)));
    }

    #[test]
    fn the_same_assessment_gives_the_same_bytes() {
        assert_eq!(written(&World::sample(), true), written(&World::sample(), true));
    }
}
