//! SARIF 2.1.0, for code-scanning dashboards.
//!
//! One run per account, because a dashboard closes every alert that a new run of the same category does not repeat: an
//! account that was not read completely is therefore left out of the `github` profile, and must never be uploaded in
//! part. What GitHub demands, ignores and limits was found out by trying and reading its consumers; each such fact is
//! named where it is kept. The types are those of `serde-sarif`.

use super::escape::visible;
use super::location;
use crate::assess::{AccountCoverage, Assessment, Finding};
use crate::inventory::TOOL_VERSION;
use crate::rules::{Relevance, Rule, Severity, Subject, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, PropertyBag, Region, ReportingConfiguration, ReportingDescriptor, ReportingDescriptorReference,
    ReportingDescriptorRelationship, Result as SarifResult, ResultKind, ResultLevel, Run, RunAutomationDetails, Sarif,
    Tool, ToolComponent, ToolComponentReference,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Where SARIF's own schema is published; consumers know this address.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = env!("CARGO_PKG_REPOSITORY");
/// GitHub refuses a file with more runs.
const RUNS_PER_FILE: usize = 20;
/// GitHub refuses a run with more results. Kept for a whole file, which bounds its size too (10 MB compressed).
const RESULTS_PER_FILE: usize = 25_000;
/// GitHub shows ten tags of a rule, and refuses more than twenty.
const TAGS: usize = 10;
/// GitHub's limit for descriptions, in characters.
const DESCRIPTION: usize = 1024;
/// Longer messages are cut: dashboards show one line.
const MESSAGE: usize = 1000;
/// The base that all locations are relative to. It has no address: they are no files.
const BASE: &str = "AWS";

const TSC: Taxonomy = Taxonomy {
    index: 0,
    name: "AICPA-TSC",
    guid: "5f1d0d6e-1c39-4b8c-9f9e-3a1f0a7c2d11",
    organization: "AICPA",
    version: "2017 (points of focus 2022)",
    description: "Criteria of SOC 2 examinations: their ids, with titles in soc2scan's own words.",
    uri: "https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022",
};
const CWE: Taxonomy = Taxonomy {
    index: 1,
    name: "CWE",
    guid: "f2a0c9be-7d3e-4a4d-8a0e-0c7f6b0f4c21",
    organization: "MITRE",
    version: "4.18",
    description: "Common Weakness Enumeration.",
    uri: "https://cwe.mitre.org/",
};
const NOT_READ: &str = "soc2scan-not-observed";

/// What a SARIF file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// GitHub code scanning: only failures, only accounts that were read completely.
    #[default]
    Github,
    /// Everything: passes and other verdicts, evidence, criteria as a taxonomy, what could not be observed as
    /// notifications, and incomplete accounts.
    Full,
}

/// The files of a SARIF report, and what is not in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SarifFiles {
    /// At least one. More where the accounts or results are too many for one.
    pub files: Vec<SarifFile>,
    /// Accounts that the profile leaves out because they were not read completely.
    pub withheld: Vec<String>,
}

/// One file of a SARIF report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SarifFile {
    /// What to put behind the name of the file: nothing for the first, then `-2`, `-3`, …
    pub suffix: String,
    /// The document.
    pub bytes: Vec<u8>,
}

/// Writes the assessment as SARIF. An account without failures is a run without results, which closes what was open;
/// a report of which every account is withheld has no run at all, which closes nothing.
///
/// # Errors
/// Only what `serde_json` fails with, which for these types it does not.
pub fn sarif(assessment: &Assessment<'_>, profile: Profile) -> Result<SarifFiles, serde_json::Error> {
    let (told, withheld): (Vec<_>, Vec<_>) =
        assessment.coverage.accounts.iter().partition(|a| profile == Profile::Full || a.complete());
    let writer = Writer::new(assessment, profile);
    let plan = plan(told.into_iter().map(|a| (a, writer.results_of(a.account))));
    let files = plan.into_iter().enumerate().map(|(n, parts)| {
        let runs: Vec<Run> = parts.iter().map(|p| writer.run(p)).collect();
        let document = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(runs).build();
        let mut bytes = serde_json::to_vec_pretty(&document)?;
        bytes.push(b'\n');
        let suffix = if n == 0 { String::new() } else { format!("-{}", n + 1) };
        Ok(SarifFile { suffix, bytes })
    });
    Ok(SarifFiles {
        files: files.collect::<Result<_, serde_json::Error>>()?,
        withheld: withheld.into_iter().map(|a| a.account.to_owned()).collect(),
    })
}

/// What becomes one run: an account, or a part of one that has too many results.
struct Part<'w, 'a, T> {
    account: &'w AccountCoverage<'a>,
    /// From 1.
    number: usize,
    results: &'w [T],
}

/// Which runs go into which file, so that none has more runs or results than GitHub takes. There is one file at least.
fn plan<'w, 'a: 'w, T>(
    accounts: impl Iterator<Item = (&'w AccountCoverage<'a>, &'w [T])>,
) -> Vec<Vec<Part<'w, 'a, T>>> {
    let mut files = Vec::new();
    let mut file = Vec::new();
    let mut results_in_file = 0;
    for (account, all) in accounts {
        let parts = if all.is_empty() { vec![all] } else { all.chunks(RESULTS_PER_FILE).collect() };
        for (n, results) in parts.into_iter().enumerate() {
            if file.len() == RUNS_PER_FILE || results_in_file + results.len() > RESULTS_PER_FILE {
                files.push(std::mem::take(&mut file));
                results_in_file = 0;
            }
            results_in_file += results.len();
            file.push(Part { account, number: n + 1, results });
        }
    }
    files.push(file);
    files
}

struct Taxonomy {
    /// Its place in the run's list.
    index: i64,
    name: &'static str,
    guid: &'static str,
    organization: &'static str,
    version: &'static str,
    description: &'static str,
    uri: &'static str,
}

impl Taxonomy {
    fn component(&self, taxa: Vec<ReportingDescriptor>) -> ToolComponent {
        ToolComponent::builder()
            .name(self.name)
            .guid(self.guid)
            .organization(self.organization)
            .version(self.version)
            .information_uri(self.uri)
            .short_description(plain(self.description))
            .is_comprehensive(false)
            .taxa(taxa)
            .build()
    }

    fn reference(&self) -> ToolComponentReference {
        ToolComponentReference::builder().name(self.name).index(self.index).guid(self.guid).build()
    }

    fn taxon(&self, id: &str, index: usize) -> ReportingDescriptorReference {
        ReportingDescriptorReference::builder().id(id).index(index as i64).tool_component(self.reference()).build()
    }
}

struct Writer<'a> {
    assessment: &'a Assessment<'a>,
    profile: Profile,
    /// The place of a rule in the list of the driver.
    rules: BTreeMap<&'a str, usize>,
    /// Criteria that rules are mapped to, in order.
    criteria: Vec<String>,
    /// Weaknesses that rules are mapped to, in order.
    weaknesses: Vec<String>,
    /// Verdicts that are results, by account, the worst first: so these stay in the first part of an account that
    /// needs several.
    results: BTreeMap<&'a str, Vec<Finding<'a>>>,
    /// Verdicts that could not be given, by account.
    unknown: BTreeMap<&'a str, Vec<Finding<'a>>>,
}

impl<'a> Writer<'a> {
    fn new(assessment: &'a Assessment<'a>, profile: Profile) -> Self {
        let rules = &assessment.pack.rules;
        let used: BTreeSet<&str> = rules.iter().flat_map(|r| &r.criteria).map(String::as_str).collect();
        let in_order = assessment.criteria.iter().map(|c| c.criterion.id.as_str());
        let weaknesses: BTreeSet<String> = rules.iter().flat_map(weaknesses_of).collect();
        let mut writer = Writer {
            assessment,
            profile,
            rules: rules.iter().enumerate().map(|(n, r)| (r.id.as_str(), n)).collect(),
            criteria: in_order.filter(|id| used.contains(id)).map(str::to_owned).collect(),
            weaknesses: weaknesses.into_iter().collect(),
            results: BTreeMap::new(),
            unknown: BTreeMap::new(),
        };
        for finding in assessment.findings() {
            let list = match finding.judgement.verdict {
                Verdict::Fail => &mut writer.results,
                Verdict::Unknown => &mut writer.unknown,
                // GitHub turns every result into an alert, whatever its kind.
                Verdict::Manual | Verdict::Pass | Verdict::NotApplicable if profile == Profile::Full => {
                    &mut writer.results
                }
                Verdict::Manual | Verdict::Pass | Verdict::NotApplicable => continue,
            };
            list.entry(finding.judgement.subject.account()).or_default().push(finding);
        }
        writer.results.values_mut().for_each(|list| list.sort_by_key(|f| f.rule.severity));
        writer
    }

    fn full(&self) -> bool {
        self.profile == Profile::Full
    }

    fn results_of(&self, account: &str) -> &[Finding<'a>] {
        self.results.get(account).map_or(&[], Vec::as_slice)
    }

    fn run(&self, part: &Part<'_, '_, Finding<'a>>) -> Run {
        let account = part.account;
        let header = &self.assessment.snapshot.header;
        // GitHub refuses two runs of one category, which is the id up to its last slash.
        let number = if part.number == 1 { String::new() } else { format!("-part{}", part.number) };
        let id = format!("soc2scan/aws/{}{number}/{}", account.account, header.finished);
        let base = ArtifactLocation::builder()
            .description(text("Paths that stand for AWS resources; they are no files."))
            .build();
        let mut run = Run::builder()
            .tool(Tool::builder().driver(self.driver()).build())
            .automation_details(RunAutomationDetails::builder().id(id).build())
            .invocations(vec![self.invocation(account)])
            .results(part.results.iter().map(|f| self.result(f)).collect::<Vec<_>>())
            .original_uri_base_ids(BTreeMap::from([(BASE.to_owned(), base)]))
            .column_kind(json!("utf16CodeUnits"))
            .properties(bag([
                ("soc2scan/complete", json!(account.complete())),
                ("soc2scan/rulePackVersion", json!(self.assessment.pack.version)),
                ("soc2scan/rulePackDigest", json!(self.assessment.pack.digest)),
                ("soc2scan/registerDigest", json!(self.assessment.pack.register.digest())),
            ]))
            .build();
        run.taxonomies = self.full().then(|| self.taxonomies());
        run
    }

    fn driver(&self) -> ToolComponent {
        let rules: Vec<ReportingDescriptor> = self.assessment.pack.rules.iter().map(|r| self.descriptor(r)).collect();
        let mut driver = ToolComponent::builder()
            .name("soc2scan")
            .full_name("soc2scan, SOC 2 configuration scanner for AWS")
            .organization("soc2scan")
            .version(TOOL_VERSION)
            .semantic_version(TOOL_VERSION)
            .information_uri(HOME)
            .rules(rules)
            .build();
        if self.full() {
            driver.notifications = Some(vec![not_observed()]);
            let supported = if self.weaknesses.is_empty() { vec![&TSC] } else { vec![&TSC, &CWE] };
            driver.supported_taxonomies = Some(supported.into_iter().map(Taxonomy::reference).collect());
        }
        driver
    }

    fn descriptor(&self, rule: &Rule) -> ReportingDescriptor {
        let level = ReportingConfiguration::builder().level(json!(level(rule.severity))).build();
        let mut descriptor = ReportingDescriptor::builder()
            .id(&rule.id)
            .name(rule_name(&rule.id))
            .short_description(plain(&rule.title))
            .full_description(plain(or(&rule.rationale, &rule.title)))
            .default_configuration(level)
            .help(help(rule))
            .help_uri(help_uri(rule))
            .properties(self.rule_properties(rule))
            .build();
        if self.full() {
            descriptor.relationships = Some(self.relationships(rule));
        }
        descriptor
    }

    fn rule_properties(&self, rule: &Rule) -> PropertyBag {
        // GitHub shows a security severity only where the tag `security` stands beside it, on the rule.
        let mut tags = vec!["security".to_owned(), "soc2".to_owned()];
        tags.extend(rule.criteria.iter().map(|c| format!("soc2/{c}")));
        tags.push(format!("aws/{}", rule.service));
        tags.extend(weaknesses_of(rule).map(|w| format!("external/cwe/{}", w.to_lowercase())));
        tags.truncate(TAGS);
        let mut properties = bag([
            ("precision", json!("very-high")),
            ("security-severity", json!(security_severity(rule.severity))),
            ("soc2/relevance", json!(rule.relevance.name())),
            ("soc2/severity", json!(rule.severity.name())),
        ]);
        properties.tags = Some(tags);
        properties
    }

    fn relationships(&self, rule: &Rule) -> Vec<ReportingDescriptorRelationship> {
        self.taxa(rule)
            .map(|target| {
                ReportingDescriptorRelationship::builder().target(target).kinds(vec!["relevant".to_owned()]).build()
            })
            .collect()
    }

    /// The criteria and weaknesses that a rule is mapped to.
    fn taxa(&self, rule: &Rule) -> impl Iterator<Item = ReportingDescriptorReference> {
        let criteria = rule.criteria.iter().filter_map(|id| Some(TSC.taxon(id, place(&self.criteria, id)?)));
        criteria.chain(weaknesses_of(rule).filter_map(|id| Some(CWE.taxon(&id, place(&self.weaknesses, &id)?))))
    }

    fn result(&self, finding: &Finding<'_>) -> SarifResult {
        let (rule, judgement) = (finding.rule, finding.judgement);
        let (kind, level) = match judgement.verdict {
            Verdict::Fail => (ResultKind::Fail, level(rule.severity)),
            Verdict::Pass => (ResultKind::Pass, ResultLevel::None),
            Verdict::NotApplicable => (ResultKind::NotApplicable, ResultLevel::None),
            Verdict::Manual => (ResultKind::Review, ResultLevel::None),
            Verdict::Unknown => (ResultKind::Open, ResultLevel::None),
        };
        let mut result = SarifResult::builder()
            .rule_id(&rule.id)
            .kind(kind)
            .level(level)
            .message(text(&message(&judgement.reason, &judgement.subject)))
            .locations(vec![location_of(&judgement.subject)])
            .partial_fingerprints(BTreeMap::from([(
                "primaryLocationLineHash".to_owned(),
                finding.fingerprint.line_hash(),
            )]))
            // DefectDojo crashes on a key with a slash and no version behind it.
            .fingerprints(BTreeMap::from([("soc2scanFinding/v1".to_owned(), finding.fingerprint.to_string())]))
            .properties(self.result_properties(finding))
            .build();
        result.rule_index = self.rules.get(rule.id.as_str()).map(|n| *n as i64);
        if self.full() {
            result.taxa = Some(
                self.taxa(rule)
                    .filter(|t| t.tool_component.as_ref().is_some_and(|c| c.index == Some(TSC.index)))
                    .collect(),
            );
        }
        result
    }

    fn result_properties(&self, finding: &Finding<'_>) -> PropertyBag {
        let subject = &finding.judgement.subject;
        let (arn, resource_type) = match subject {
            Subject::Resource(r) => (r.arn.as_str(), r.resource_type.as_str()),
            Subject::Population { resource_type, .. } => ("", *resource_type),
        };
        let mut properties = bag([
            ("aws/accountId", json!(subject.account())),
            ("aws/arn", json!(arn)),
            ("aws/region", json!(subject.region())),
            ("aws/resourceType", json!(resource_type)),
            ("soc2/criteria", json!(finding.rule.criteria)),
            ("soc2/status", json!(finding.judgement.verdict.name())),
        ]);
        if self.full() {
            properties.additional_properties.insert("soc2/evidence".into(), json!(finding.judgement.evidence));
        }
        properties
    }

    fn invocation(&self, account: &AccountCoverage<'_>) -> Invocation {
        let header = &self.assessment.snapshot.header;
        let mut invocation = Invocation::builder()
            .execution_successful(account.complete())
            .start_time_utc(header.started.to_string())
            .end_time_utc(header.finished.to_string())
            .build();
        if self.full() {
            invocation.tool_execution_notifications = Some(self.notifications(account.account));
        }
        invocation
    }

    /// What could not be judged, one notification for each verdict.
    fn notifications(&self, account: &str) -> Vec<Notification> {
        let unknown = self.unknown.get(account).map_or(&[][..], Vec::as_slice);
        unknown
            .iter()
            .map(|f| {
                let rule = ReportingDescriptorReference::builder().id(&f.rule.id).build();
                let descriptor = ReportingDescriptorReference::builder().id(NOT_READ).index(0).build();
                let mut notification = Notification::builder()
                    .descriptor(descriptor)
                    .associated_rule(rule)
                    .level(json!("warning"))
                    .message(text(&message(&f.judgement.reason, &f.judgement.subject)))
                    .locations(vec![location_of(&f.judgement.subject)])
                    .properties(bag([("soc2scan/causes", json!(f.judgement.causes))]))
                    .build();
                if let Some(rule) = &mut notification.associated_rule {
                    rule.index = self.rules.get(f.rule.id.as_str()).map(|n| *n as i64);
                }
                notification
            })
            .collect()
    }

    fn taxonomies(&self) -> Vec<ToolComponent> {
        let criteria = self.assessment.criteria.iter().map(|c| c.criterion).filter(|c| self.criteria.contains(&c.id));
        let mut taxonomies = vec![TSC.component(criteria.map(|c| taxon(&c.id, &c.title)).collect())];
        if !self.weaknesses.is_empty() {
            taxonomies.push(CWE.component(self.weaknesses.iter().map(|id| taxon(id, id)).collect()));
        }
        taxonomies
    }
}

fn taxon(id: &str, title: &str) -> ReportingDescriptor {
    ReportingDescriptor::builder().id(id).short_description(plain(title)).build()
}

/// The kind of all notifications.
fn not_observed() -> ReportingDescriptor {
    ReportingDescriptor::builder()
        .id(NOT_READ)
        .name("NotObserved")
        .short_description(plain("A verdict could not be given"))
        .full_description(plain("Something that the rule depends on could not be observed. This is no pass."))
        .help(plain("Grant the permission that the message names, or read the account again."))
        .build()
}

/// The CWE ids of a rule, in the form `CWE-284`.
fn weaknesses_of(rule: &Rule) -> impl Iterator<Item = String> + '_ {
    rule.equivalents.get("cwe").into_iter().flatten().map(|id| id.to_uppercase())
}

fn place(list: &[String], id: &str) -> Option<usize> {
    list.iter().position(|x| x == id)
}

fn location_of(subject: &Subject<'_>) -> Location {
    let uri = location::path(subject);
    let (name, full) = match subject {
        Subject::Resource(r) => (shown(&r.name, &r.id), visible(&r.arn)),
        Subject::Population { resource_type, .. } => (visible(resource_type), visible(resource_type)),
    };
    // GitHub wants a region; there is one line, and nothing in it.
    let region = Region::builder().start_line(1).start_column(1).end_line(1).end_column(2).build();
    let artifact = ArtifactLocation::builder().uri(uri).uri_base_id(BASE).build();
    let logical = LogicalLocation::builder().name(name).fully_qualified_name(full).kind("resource").build();
    Location::builder()
        .physical_location(PhysicalLocation::builder().artifact_location(artifact).region(region).build())
        .logical_locations(vec![logical])
        .build()
}

/// The reason, with the place in quotes, as one sentence.
fn message(reason: &str, subject: &Subject<'_>) -> String {
    let (kind, name) = match subject {
        Subject::Resource(r) => ("resource", shown(&r.name, &r.id)),
        Subject::Population { resource_type, .. } => ("all of", visible(resource_type)),
    };
    let reason = visible(reason.trim().trim_end_matches('.'));
    let place = format!("{kind} '{name}', account '{}', region '{}'", subject.account(), subject.region());
    escape(&format!("{} ({place}).", cut(&reason, MESSAGE)))
}

/// Text that SARIF readers and GitHub show as it is: a bracket would begin a link (SARIF §3.11.6), a brace a
/// placeholder (§3.11.5), and a backtick or an angle bracket markup in dashboards that render Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '[' | ']' | '`' | '<' | '>' => escaped.extend(['\\', c]),
            '{' => escaped.push('('),
            '}' => escaped.push(')'),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn shown<'s>(name: &'s str, id: &'s str) -> Cow<'s, str> {
    visible(or(name, id))
}

fn or<'s>(text: &'s str, otherwise: &'s str) -> &'s str {
    if text.trim().is_empty() { otherwise } else { text }
}

/// The first `most` characters.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text.char_indices().nth(most - 1).map_or(text.len(), |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}

fn text(text: &str) -> Message {
    Message::builder().text(text).build()
}

fn plain(text: &str) -> MultiformatMessageString {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    MultiformatMessageString::builder().text(cut(&visible(&line), DESCRIPTION)).build()
}

fn bag<const N: usize>(members: [(&str, Value); N]) -> PropertyBag {
    let members = members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<BTreeMap<_, _>>();
    PropertyBag::builder().additional_properties(members).build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Critical | Severity::High => ResultLevel::Error,
        Severity::Medium => ResultLevel::Warning,
        Severity::Low | Severity::Informational => ResultLevel::Note,
    }
}

/// GitHub's bands (critical above 9.0, high from 7.0, medium from 4.0), away from their edges; 0.0 is none.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Informational => "0.0",
    }
}

/// `s3-bucket-kms-encryption` as `S3BucketKmsEncryption`. A name must not be the id in other letters (SARIF1001), which
/// an id of one word would give.
fn rule_name(id: &str) -> String {
    let name = pascal(id);
    if name.eq_ignore_ascii_case(id) { format!("{name}Rule") } else { name }
}

fn pascal(id: &str) -> String {
    id.split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// The first reference that is a plain web address; the project's page where there is none.
fn help_uri(rule: &Rule) -> &str {
    let is_address = |u: &&String| {
        u.strip_prefix("https://").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/?#&=%+,:;@!$()*".contains(c))
        })
    };
    rule.references.iter().find(is_address).map_or(HOME, String::as_str)
}

fn help(rule: &Rule) -> MultiformatMessageString {
    let fix = or(&rule.remediation.text, &rule.title);
    let mut markdown = format!("{}\n\n{}\n\n", markup(&rule.title), markup(or(&rule.rationale, &rule.title)));
    let weight = match rule.relevance {
        Relevance::Key => "decides",
        Relevance::Supporting => "informs",
        Relevance::Hygiene => "does not turn",
    };
    markdown += &format!(
        "Trust Services Criteria that it {weight}: {}.\n\n## Fix\n\n{}\n",
        rule.criteria.join(", "),
        markup(fix)
    );
    for (language, code) in [("sh", &rule.remediation.cli), ("terraform", &rule.remediation.terraform)] {
        if let Some(code) = code {
            markdown += &fenced(language, code);
        }
    }
    if !rule.references.is_empty() {
        markdown += "\n## References\n\n";
        for reference in &rule.references {
            markdown += &format!("- {}\n", markup(reference));
        }
    }
    MultiformatMessageString::builder().text(visible(fix.trim())).markdown(markdown).build()
}

/// Code in a fence that is longer than any in it.
fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let code: Vec<Cow<'_, str>> = code.trim_end().lines().map(visible).collect();
    format!("\n{fence}{language}\n{}\n{fence}\n", code.join("\n"))
}

/// A paragraph of a rule file in Markdown: no markup of its own but `code`.
fn markup(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    visible(&line).replace('\\', "\\\\").replace('<', "\\<").replace('[', "\\[").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::fixture::{DENIED, HOSTILE, READ, World, rule};
    use proptest::prelude::*;

    fn files(world: &World, profile: Profile) -> SarifFiles {
        world.assess(true, |a| sarif(a, profile).expect("written"))
    }

    fn documents(files: &SarifFiles) -> Vec<Value> {
        files.files.iter().map(|f| serde_json::from_slice(&f.bytes).expect("JSON")).collect()
    }

    fn document(world: &World, profile: Profile) -> Value {
        documents(&files(world, profile)).remove(0)
    }

    fn runs(document: &Value) -> &[Value] {
        document["runs"].as_array().expect("runs")
    }

    fn results(document: &Value) -> Vec<&Value> {
        runs(document).iter().flat_map(|r| r["results"].as_array().expect("results")).collect()
    }

    /// The document with the program's version taken out, which no release should change a snapshot by.
    fn text_of(world: &World, profile: Profile) -> String {
        let bytes = files(world, profile).files.remove(0).bytes;
        String::from_utf8(bytes).expect("text").replace(&format!("\"{TOOL_VERSION}\""), "\"[version]\"")
    }

    fn nothing_found() -> World {
        let rule = rule("r", Severity::High, Relevance::Key, &["CC6.1"], "AWS::Test::Thing");
        World::empty().rule(rule).verdict("r", "x", Verdict::Pass)
    }

    #[test]
    fn the_github_profile_of_the_sample() {
        insta::assert_snapshot!(text_of(&World::sample(), Profile::Github));
    }

    #[test]
    fn the_full_profile_of_the_sample() {
        insta::assert_snapshot!(text_of(&World::sample(), Profile::Full));
    }

    #[test]
    fn no_findings_are_one_run_without_results_and_with_all_rules() {
        let document = document(&nothing_found(), Profile::Github);
        assert_eq!(runs(&document).len(), 1);
        assert_eq!(document["runs"][0]["results"], json!([]));
        assert_eq!(document["runs"][0]["tool"]["driver"]["rules"][0]["id"], "r");
    }

    #[test]
    fn an_incomplete_account_is_withheld_from_github_and_carried_in_full() {
        let world = World::sample();
        let github = files(&world, Profile::Github);
        assert_eq!(github.withheld, [DENIED]);
        assert!(!github.files.iter().any(|f| String::from_utf8_lossy(&f.bytes).contains(DENIED)));
        let full = files(&world, Profile::Full);
        assert!(full.withheld.is_empty());
        let invocation = &documents(&full)[0]["runs"][1]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], json!(false));
        assert_eq!(invocation["toolExecutionNotifications"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn if_every_account_is_withheld_there_is_no_run_that_could_close_an_alert() {
        let world = nothing_found().verdict("r", "y", Verdict::Unknown);
        let github = files(&world, Profile::Github);
        assert_eq!(github.withheld, [READ]);
        assert_eq!(documents(&github)[0]["runs"], json!([]));
    }

    #[test]
    fn github_gets_failures_only_and_full_everything_but_what_is_unknown() {
        let kinds = |profile| -> BTreeSet<String> {
            let document = document(&World::sample(), profile);
            results(&document).iter().map(|r| r["kind"].as_str().expect("a kind").to_owned()).collect()
        };
        assert_eq!(kinds(Profile::Github), ["fail".to_owned()].into());
        assert_eq!(kinds(Profile::Full), ["fail", "notApplicable", "pass", "review"].map(str::to_owned).into());
    }

    #[test]
    fn what_github_demands_of_every_rule_and_result_is_there() {
        for profile in [Profile::Github, Profile::Full] {
            let document = document(&World::sample(), profile);
            for run in runs(&document) {
                let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
                for rule in rules {
                    for member in ["shortDescription", "fullDescription", "help"] {
                        assert!(!rule[member]["text"].as_str().expect(member).is_empty());
                    }
                    let tags = rule["properties"]["tags"].as_array().expect("tags");
                    assert!(tags.contains(&json!("security")) && tags.len() <= TAGS);
                    assert!(rule["properties"]["security-severity"].is_string());
                }
                for result in run["results"].as_array().expect("results") {
                    let index = result["ruleIndex"].as_u64().expect("an index") as usize;
                    assert_eq!(rules[index]["id"], result["ruleId"]);
                    assert!(result.get("rank").is_none(), "GitLab would take it before the severity");
                    assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
                    let place = &result["locations"][0]["physicalLocation"];
                    assert!(place["artifactLocation"]["uri"].as_str().expect("a path").starts_with("aws/"));
                    let region = json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2});
                    assert_eq!(place["region"], region);
                }
            }
        }
    }

    #[test]
    fn hostile_names_cannot_make_links_placeholders_markup_or_commands() {
        let document = document(&World::sample(), Profile::Github);
        let result = results(&document).into_iter().find(|r| r["ruleId"] == "ec2-sg-open-to-world").expect("there");
        let message = result["message"]["text"].as_str().expect("a text");
        assert!(message.contains(r"\[ok\](https://evil.example) (0) \<b\>\`x\`\</b\>"), "{message}");
        assert!(
            message.contains(r"\<U+001B\>\[31m\<U+202E\>") && message.ends_with("region 'us-east-1')."),
            "{message}"
        );
        assert!(!document.to_string().contains('\u{202e}') && HOSTILE.contains('\u{202e}'));
    }

    #[test]
    fn the_same_assessment_gives_the_same_bytes() {
        for profile in [Profile::Github, Profile::Full] {
            assert_eq!(files(&World::sample(), profile), files(&World::sample(), profile));
        }
    }

    fn planned(accounts: &[usize]) -> Vec<Vec<(usize, usize, usize)>> {
        World::sample().assess(false, |a| {
            let account = &a.coverage.accounts[0];
            let results: Vec<Vec<usize>> = accounts.iter().enumerate().map(|(n, len)| vec![n; *len]).collect();
            let of =
                |p: &Part<'_, '_, usize>| (p.results.first().copied().unwrap_or_default(), p.number, p.results.len());
            plan(results.iter().map(|r| (account, r.as_slice()))).iter().map(|f| f.iter().map(of).collect()).collect()
        })
    }

    #[test]
    fn more_than_20_accounts_need_more_than_one_file() {
        assert_eq!(planned(&[1; 20]).len(), 1);
        let files = planned(&[1; 41]);
        assert_eq!(files.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 1]);
    }

    #[test]
    fn sixty_thousand_results_are_split_into_parts_of_their_own_category() {
        let files = planned(&[10, 60_000, 5]);
        assert_eq!(
            files,
            [vec![(0, 1, 10)], vec![(1, 1, 25_000)], vec![(1, 2, 25_000)], vec![(1, 3, 10_000), (2, 1, 5)],]
        );
    }

    #[test]
    fn files_are_named_by_suffixes_and_parts_by_categories() {
        let mut world = nothing_found();
        for n in 0..3 {
            world = world.verdict("r", &format!("f{n}"), Verdict::Fail);
        }
        world.assess(false, |a| {
            let (writer, account) = (Writer::new(a, Profile::Github), &a.coverage.accounts[0]);
            let run = writer.run(&Part { account, number: 2, results: &writer.results_of(READ)[2..] });
            let id = run.automation_details.and_then(|d| d.id).expect("an id");
            assert_eq!(id, format!("soc2scan/aws/{READ}-part2/2026-03-01T10:03:11.5Z"));
            assert_eq!(run.results.map(|r| r.len()), Some(1));
        });
        let first = files(&world, Profile::Github).files.remove(0);
        assert_eq!(first.suffix, "");
    }

    #[test]
    fn rule_files_can_carry_code_fences_and_odd_references() {
        let mut rule = rule("r", Severity::Low, Relevance::Hygiene, &["CC6.1"], "AWS::Test::Thing");
        rule.remediation.cli = Some("echo '```'\n````".into());
        rule.references = vec!["not an address".into(), "https://aws.example/a b".into()];
        let markdown = help(&rule).markdown.expect("there");
        assert!(markdown.contains("\n`````sh\necho '```'\n````\n`````\n"), "{markdown}");
        assert_eq!(help_uri(&rule), HOME);
        assert_eq!(rule_name("s3-bucket-kms"), "S3BucketKms");
        assert_eq!(rule_name("r"), "RRule");
    }

    /// Needs npm, and the network on first use: `cargo test sarif -- --ignored`.
    #[test]
    #[ignore = "runs Microsoft's validator from npm"]
    fn the_validator_with_githubs_rules_finds_no_error_and_no_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, world) in [("sample", World::sample()), ("nothing", nothing_found())] {
            for profile in [Profile::Github, Profile::Full] {
                let path = folder.path().join(format!("{name}-{profile:?}.sarif"));
                std::fs::write(&path, &files(&world, profile).files[0].bytes).expect("written");
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sarif/validate.sh");
                let output = std::process::Command::new(script).arg(&path).output().expect("run");
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && said.contains("errors 0, warnings 0"), "{name} {profile:?}: {said}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_message_is_one_line_that_ends_with_a_period(reason in any::<String>()) {
            let subject = Subject::Population { resource_type: "AWS::KMS::Key", account: READ, region: "us-east-1" };
            let message = message(&reason, &subject);
            let odd = message.contains(['\n', '{', '}']);
            prop_assert!(message.ends_with(").") && !odd);
        }
    }
}
