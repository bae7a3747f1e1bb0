//! What is enumerated: the declarations of `collectors/*.yaml`, read, checked and joined.
//!
//! From the same declarations come what a scan calls, the IAM actions that it needs, and the schema of each
//! resource type that rules are checked against. Nothing here makes a call.

use super::path::Path;
use super::read;
use super::template::{Ground, Template};
use crate::embedded::Pack;
use crate::mistake::Mistake;
use crate::model::embedded;
use crate::model::schema::{Member, ResourceSchema, ResourceSchemas, Scope, Type};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

static COLLECTORS: Pack = include!(concat!(env!("OUT_DIR"), "/COLLECTORS.rs"));

/// All collectors: the embedded ones, with the user's added to or in place of them.
#[derive(Debug, Default)]
pub struct Collectors {
    pub(super) types: BTreeMap<String, ResourceType>,
}

/// Why collectors could not be loaded.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    /// A folder or file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file has a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Declaration(#[from] Box<Mistake>),
}

/// One operation that collectors use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationName {
    /// The service, as its model is named (`rds`).
    pub service: String,
    /// The operation (`DescribeDBInstances`).
    pub operation: String,
}

/// The types and members that are wanted: for each type all of its members, or those named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// By resource type. `None`: all members.
    pub types: BTreeMap<String, Option<BTreeSet<String>>>,
}

/// A resource type as it is declared.
#[derive(Debug)]
pub(super) struct ResourceType {
    pub(super) name: String,
    pub(super) scope: Scope,
    pub(super) source: Source,
    /// The member that holds the region which the resource belongs to, where that is not the asked one.
    pub(super) home: Option<Path>,
    /// How that region is found where the listing does not say it.
    pub(super) locate: Option<Typed>,
    /// The first that resolves is the id; the ARN where there is none.
    pub(super) id: Vec<Template>,
    /// The first that resolves to an ARN is the ARN.
    pub(super) arn: Vec<Template>,
    pub(super) display_name: Option<Template>,
    pub(super) tags: Option<Path>,
    pub(super) filter: Filter,
    pub(super) shaping: Shaping,
    /// Codes that say that this resource is no longer there.
    pub(super) gone_on: Vec<String>,
    pub(super) details: Vec<Detail>,
    pub(super) enrichments: Vec<Enrichment>,
    /// The members of its documents.
    pub(super) members: BTreeMap<String, Origin>,
}

/// A member's type, and which call gives it.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) ty: Type,
    pub(super) by: By,
}

/// Which call gives a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The listing, or the collector itself.
    Listing,
    /// The detail at this place.
    Detail(usize),
    /// The enrichment at this place.
    Enrichment(usize),
}

/// How the resources of a type come to be known.
#[derive(Debug)]
pub(super) enum Source {
    /// Exactly one.
    Singleton,
    /// A listing.
    List(Listing),
    /// A listing for each resource of another type.
    ForEach { parent: String, listing: Listing },
    /// Items of a list inside of resources of other types.
    Inside(Vec<(String, Path)>),
}

/// A listing.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) call: Request,
    pub(super) items: Path,
    /// The member that an item becomes which is no structure.
    pub(super) wrap: Option<String>,
    pub(super) fallback: Option<Fallback>,
}

/// Another listing of the same resources, for when the first one fails.
#[derive(Debug)]
pub(super) struct Fallback {
    pub(super) call: Request,
    pub(super) items: Path,
    /// Members that the first listing gives and this one does not.
    pub(super) missing: Vec<String>,
}

/// A request that is made for a listing, a detail or an enrichment.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) params: Template,
    /// The IAM actions that it needs; at least one.
    pub(super) actions: Vec<String>,
    /// Codes that say "there is none"; a code, or `Code: part of the message`.
    pub(super) absent_on: Vec<String>,
    /// Where the answer's lists and tokens are, where it comes in pages.
    pub(super) pages: Option<Pages>,
    /// The service has one endpoint for all regions.
    pub(super) global: bool,
    /// Where one region answers for all: that region, by partition. A partition that is missing does not offer it.
    pub(super) asked_in: BTreeMap<String, String>,
}

/// How a paginated answer is put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    /// The lists that go on from page to page.
    pub(super) lists: Vec<Path>,
    /// Members that only serve the pagination.
    pub(super) tokens: Vec<Path>,
}

/// A source that has its own code.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) function: Function,
    pub(super) params: Template,
    /// The requests that it makes always.
    pub(super) calls: Vec<Request>,
    /// The requests that it makes where something else failed.
    pub(super) may_call: Vec<Request>,
}

/// The sources that have their own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// The row of a user in the credential report.
    CredentialReport,
    /// The names of the users with a console password, by the credential report.
    ConsoleUsers,
    /// The document of a managed policy's default version.
    DefaultVersion,
    /// The region of a bucket.
    BucketRegion,
    /// The service control policies that bind the account, level by level.
    ServiceControlPolicies,
}

impl Function {
    pub(super) const ALL: [(&'static str, Function); 5] = [
        ("credential_report", Function::CredentialReport),
        ("console_users", Function::ConsoleUsers),
        ("default_version", Function::DefaultVersion),
        ("bucket_region", Function::BucketRegion),
        ("service_control_policies", Function::ServiceControlPolicies),
    ];
}

/// A call whose answer becomes members of the document itself.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) call: Request,
    pub(super) take: Path,
    pub(super) batch: Option<Batch>,
    /// The members that it gives and the listing does not.
    pub(super) members: Vec<String>,
    /// Members that its parameters refer to.
    pub(super) needs: BTreeSet<String>,
}

/// Several resources in one call.
#[derive(Debug)]
pub(super) struct Batch {
    /// The parameter that takes the list.
    pub(super) param: String,
    /// What of each resource goes into it.
    pub(super) of: Path,
    /// How many at most.
    pub(super) size: usize,
    /// The member of an answered item that equals `of`.
    pub(super) key: Path,
}

/// A member that is read by a call of its own.
#[derive(Debug)]
pub(super) struct Enrichment {
    pub(super) name: String,
    pub(super) how: How,
    pub(super) take: Path,
    pub(super) when: Filter,
    pub(super) keep: Filter,
    pub(super) shaping: Shaping,
    /// Members that it refers to.
    pub(super) needs: BTreeSet<String>,
}

/// How an enrichment is read.
#[derive(Debug)]
pub(super) enum How {
    /// One call for the resource.
    Call(Request),
    /// One call for each element of a list in the document.
    Each { call: Request, over: Path },
    /// One listing for all resources of the region, and in it what belongs to this one.
    Lookup { call: Request, key: Path, of: Path, many: bool, member: Option<Path> },
    /// Its own code.
    Typed(Typed),
}

/// A condition on items.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) all: Vec<Condition>,
    pub(super) any: Vec<Vec<Condition>>,
}

/// A condition on one member.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) path: Path,
    pub(super) test: Test,
}

/// What must hold for the member.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Present,
    Absent,
    In(Vec<Template>),
    NotIn(Vec<Template>),
    Prefix(Template),
    NotPrefix(Template),
}

/// What is done to a value before it is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Shaping {
    /// Strings that hold JSON, to be decoded.
    pub(super) json: Vec<Path>,
    /// Members to be replaced by their SHA-256 under another name.
    pub(super) digest: Vec<(Path, String)>,
    /// Maps to be replaced by the list of their keys under another name.
    pub(super) keys: Vec<(Path, String)>,
    /// Members whose part behind the last `/` becomes a member of another name beside them.
    pub(super) tail: Vec<(Path, String)>,
    /// Members to be removed: secrets, and what is of no use and large.
    pub(super) drop: Vec<Path>,
}

impl Collectors {
    /// The collectors that are built into the program.
    ///
    /// # Errors
    /// [`LoadError::Declaration`] where one has a mistake: a defect of the program, which its tests exclude.
    pub fn load_embedded() -> Result<Collectors, LoadError> {
        Collectors::from_files(embedded_files())
    }

    /// The built-in collectors, and those in `folder`: a file there replaces the built-in one of the same
    /// service.
    ///
    /// # Errors
    /// Where the folder cannot be read, or a file has a mistake.
    pub fn load(folder: &std::path::Path) -> Result<Collectors, LoadError> {
        let mut files = embedded_files();
        let io = |path: &std::path::Path, source| LoadError::Io { path: path.to_path_buf(), source };
        let entries = std::fs::read_dir(folder).and_then(|d| d.collect::<Result<Vec<_>, _>>());
        let mut paths: Vec<PathBuf> = entries.map_err(|e| io(folder, e))?.into_iter().map(|e| e.path()).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"));
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|e| io(&path, e))?;
            files.push((path.display().to_string(), text));
        }
        Collectors::from_files(files)
    }

    fn from_files(files: Vec<(String, String)>) -> Result<Collectors, LoadError> {
        Ok(read::collectors(files, &embedded::service)?)
    }

    /// Reads collectors out of `files` (name and text); of two for the same service the later one counts.
    #[cfg(test)]
    pub(super) fn of_texts(files: &[(&str, &str)]) -> Result<Collectors, Box<Mistake>> {
        let files = files.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect();
        read::collectors(files, &embedded::service)
    }

    /// The schema of every resource type, for rules to be checked against.
    pub fn schemas(&self) -> ResourceSchemas {
        let schema = |t: &ResourceType| ResourceSchema {
            name: t.name.clone(),
            scope: t.scope,
            actions: self.population_actions(t).into_iter().collect(),
            members: t.members.iter().map(|(n, o)| (n.clone(), self.member(t, o))).collect(),
        };
        ResourceSchemas { types: self.types.values().map(|t| (t.name.clone(), schema(t))).collect() }
    }

    fn member(&self, t: &ResourceType, origin: &Origin) -> Member {
        Member { ty: origin.ty.clone(), actions: t.actions_of(origin.by).into_iter().collect() }
    }

    /// The actions without which the population of `t` is unknown.
    pub(super) fn population_actions(&self, t: &ResourceType) -> BTreeSet<String> {
        let mut actions: BTreeSet<String> = t.listing().into_iter().flat_map(|l| l.call.actions.clone()).collect();
        for parent in t.parents() {
            actions.extend(self.types.get(parent).map(|p| self.population_actions(p)).unwrap_or_default());
        }
        actions
    }

    /// The IAM actions that collecting `selection` needs.
    pub fn permissions(&self, selection: &Selection) -> BTreeSet<String> {
        let plan = super::Plan::new(self, selection);
        plan.requests(self).flat_map(|r| r.actions.clone()).collect()
    }

    /// Every operation that any collector uses, those of fallbacks and of typed sources included.
    pub fn operations(&self) -> BTreeSet<OperationName> {
        let names = self
            .types
            .values()
            .flat_map(|t| t.requests().into_iter().chain(t.spare_requests()).map(Request::name).collect::<Vec<_>>());
        names.collect()
    }

    /// Everything that can be collected.
    pub fn everything(&self) -> Selection {
        Selection { types: self.types.keys().map(|t| (t.clone(), None)).collect() }
    }
}

/// The collector files in the program.
fn embedded_files() -> Vec<(String, String)> {
    let text = |name: &str| COLLECTORS.read(name).unwrap_or_default();
    COLLECTORS.names().map(|name| (format!("collectors/{name}.yaml"), text(name))).collect()
}

impl Request {
    fn name(&self) -> OperationName {
        OperationName { service: self.service.clone(), operation: self.operation.clone() }
    }

    /// The action that is named where the request fails.
    pub(super) fn action(&self) -> &str {
        self.actions.first().map_or("", String::as_str)
    }
}

impl ResourceType {
    /// The listing, where there is one.
    pub(super) fn listing(&self) -> Option<&Listing> {
        match &self.source {
            Source::List(listing) | Source::ForEach { listing, .. } => Some(listing),
            Source::Singleton | Source::Inside(_) => None,
        }
    }

    /// The types that its resources hang under.
    pub(super) fn parents(&self) -> Vec<&str> {
        match &self.source {
            Source::ForEach { parent, .. } => vec![parent],
            Source::Inside(parents) => parents.iter().map(|(p, _)| p.as_str()).collect(),
            Source::Singleton | Source::List(_) => Vec::new(),
        }
    }

    /// The members of the parent that its source refers to.
    pub(super) fn needed_of(&self, parent: &str) -> BTreeSet<String> {
        match &self.source {
            Source::Inside(parents) => {
                parents.iter().filter(|(p, _)| p == parent).filter_map(|(_, m)| m.root().map(str::to_owned)).collect()
            }
            Source::ForEach { parent: p, listing } if p == parent => listing
                .call
                .params
                .references()
                .iter()
                .filter_map(|r| match r {
                    super::template::Reference::Parent(path) => path.root().map(str::to_owned),
                    _ => None,
                })
                .collect(),
            _ => BTreeSet::new(),
        }
    }

    /// All requests, fallbacks left out.
    pub(super) fn requests(&self) -> Vec<&Request> {
        let mut requests: Vec<&Request> = self.listing().map(|l| &l.call).into_iter().collect();
        requests.extend(self.details.iter().map(|d| &d.call));
        requests.extend(self.locate.iter().flat_map(|t| &t.calls));
        requests.extend(self.enrichments.iter().flat_map(|e| e.how.requests()));
        requests
    }

    /// The requests that are made only where others fail.
    fn spare_requests(&self) -> Vec<&Request> {
        let fallback = self.listing().and_then(|l| l.fallback.as_ref()).map(|f| &f.call);
        let typed = self.enrichments.iter().filter_map(|e| match &e.how {
            How::Typed(typed) => Some(typed),
            _ => None,
        });
        fallback.into_iter().chain(self.locate.iter().chain(typed).flat_map(|t| &t.may_call)).collect()
    }

    /// The actions that a member of this origin needs, beyond those of the listing.
    fn actions_of(&self, by: By) -> BTreeSet<String> {
        let (mut actions, needs) = match by {
            By::Listing => return BTreeSet::new(),
            By::Detail(n) => (BTreeSet::from_iter(self.details[n].call.actions.clone()), &self.details[n].needs),
            By::Enrichment(n) => {
                let requests = self.enrichments[n].how.requests();
                let actions = requests.iter().flat_map(|r| r.actions.clone()).collect();
                (actions, &self.enrichments[n].needs)
            }
        };
        for origin in needs.iter().filter_map(|n| self.members.get(n)).filter(|o| o.by != by) {
            actions.extend(self.actions_of(origin.by));
        }
        actions
    }
}

impl How {
    pub(super) fn requests(&self) -> Vec<&Request> {
        match self {
            How::Call(call) | How::Each { call, .. } | How::Lookup { call, .. } => vec![call],
            How::Typed(typed) => typed.calls.iter().collect(),
        }
    }
}

impl Filter {
    /// Whether an item passes.
    pub(super) fn holds(&self, item: &Map<String, Value>, ground: &Ground<'_>) -> bool {
        let each = |conditions: &[Condition]| conditions.iter().all(|c| c.holds(item, ground));
        each(&self.all) && (self.any.is_empty() || self.any.iter().any(|c| each(c)))
    }

    /// The members that it looks at.
    pub(super) fn needs(&self) -> BTreeSet<String> {
        let conditions = self.all.iter().chain(self.any.iter().flatten());
        conditions.filter_map(|c| c.path.root().map(str::to_owned)).collect()
    }
}

impl Condition {
    /// An absent member is in no list and has no prefix; an absent number is zero, as everywhere.
    fn holds(&self, item: &Map<String, Value>, ground: &Ground<'_>) -> bool {
        let value = self.path.in_document(item);
        let among = |values: &[Template]| {
            let zero = Value::from(0);
            let value = value.unwrap_or(&zero);
            values.iter().any(|t| t.resolve(ground).is_ok_and(|expected| expected == *value))
        };
        let begins = |prefix: &Template| {
            let text = value.and_then(Value::as_str).unwrap_or_default();
            prefix.text(ground).is_some_and(|p| text.starts_with(&p))
        };
        match &self.test {
            Test::Present => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => among(values),
            Test::NotIn(values) => !among(values),
            Test::Prefix(prefix) => begins(prefix),
            Test::NotPrefix(prefix) => !begins(prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_collectors_load() {
        let collectors = match Collectors::load_embedded() {
            Ok(c) => c,
            Err(e) => panic!("{:?}", miette::Report::new(e)),
        };
        assert!(collectors.schemas().types.len() > 50);
    }
}
