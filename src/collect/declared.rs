//! Runs a plan: lists the resources of each type in each region, and reads the wanted members of each.
//!
//! The promise is kept here. A listing that fails makes its population incomplete, with what was read before the
//! failure; a failed parent makes its children's population incomplete; a failed request for one resource makes
//! the members that it would have given unknown. Only a code that a declaration names means "there is none".

use super::api::{Api, ApiError};
use super::declaration::{
    Collectors, Detail, Enrichment, Function, How, Listing, Request, ResourceType, Source, Typed,
};
use super::document::{Draft, Here, parent_member};
use super::fetch::Fetcher;
use super::path::Path;
use super::plan::TypePlan;
use super::{Event, Progress, Scope};
use super::{iam, organizations, s3};
use crate::inventory::resource::GLOBAL;
use crate::inventory::{Cause, PopulationState, Reason, Resource};
use crate::model::schema;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// How many resources of one type and region are being read at once.
const RESOURCES_AT_ONCE: usize = 32;
/// How many parents' children are being listed at once.
const PARENTS_AT_ONCE: usize = 16;

/// All resources of a type, and the state of its population in each region.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) resources: Vec<Resource>,
    pub(super) populations: BTreeMap<String, PopulationState>,
}

/// A run over one account.
pub(super) struct Run<'a, A> {
    pub(super) fetcher: Fetcher<'a, A>,
    pub(super) reports: iam::Reports,
    pub(super) collectors: &'a Collectors,
    pub(super) scope: &'a Scope,
    pub(super) progress: &'a dyn Progress,
}

/// What a listing gave in one region.
#[derive(Default)]
struct Listed {
    region: String,
    drafts: Vec<Draft>,
    holes: Vec<Cause>,
    unsupported: bool,
}

/// What became of a question about one resource.
pub(super) enum Outcome {
    Value(Value),
    Absent,
    /// The resource is no longer there.
    Gone,
    Unknown(Cause),
}

impl<A: Api> Run<'_, A> {
    /// Collects one type. `parents` are the types that it hangs under, by name.
    pub(super) async fn collect(&self, plan: &TypePlan, parents: &BTreeMap<&str, Arc<Collected>>) -> Collected {
        let Some(t) = self.collectors.types.get(&plan.name) else { return Collected::default() };
        let places = match t.scope {
            schema::Scope::Global => vec![GLOBAL.to_owned()],
            schema::Scope::Regional => self.scope.regions.clone(),
        };
        let mut collected = if t.home.is_some() && places.len() > 1 {
            self.collect_joined(t, plan, &places, parents).await
        } else {
            self.collect_apart(t, plan, &places, parents).await
        };
        if let (schema::Scope::Regional, Some(cause)) = (t.scope, &self.scope.unlisted) {
            let hole = PopulationState::Incomplete { causes: vec![cause.clone()] };
            collected.populations.insert(Scope::UNLISTED.to_owned(), hole);
        }
        collected
    }

    /// Each region on its own: no region waits for a slower one.
    async fn collect_apart(
        &self,
        t: &ResourceType,
        plan: &TypePlan,
        places: &[String],
        parents: &BTreeMap<&str, Arc<Collected>>,
    ) -> Collected {
        let region = async |place: &String| {
            let mut listed = self.list(t, place, parents).await;
            let resources = self.complete(t, plan, &mut listed).await;
            (listed, resources)
        };
        let mut collected = Collected::default();
        for (listed, resources) in join_all(places.iter().map(region)).await {
            collected.resources.extend(resources);
            collected.populations.insert(listed.region.clone(), listed.state());
        }
        collected
    }

    /// All regions first, because a resource can be seen in several of them and is one.
    async fn collect_joined(
        &self,
        t: &ResourceType,
        plan: &TypePlan,
        places: &[String],
        parents: &BTreeMap<&str, Arc<Collected>>,
    ) -> Collected {
        let mut all = join_all(places.iter().map(|place| self.list(t, place, parents))).await;
        let mut seen = HashSet::new();
        let mut drafts = Vec::new();
        for listed in &mut all {
            drafts.extend(std::mem::take(&mut listed.drafts).into_iter().filter(|d| seen.insert(d.id.clone())));
        }
        let mut joined = Listed { drafts, ..Listed::default() };
        let resources = self.complete(t, plan, &mut joined).await;
        for listed in &mut all {
            listed.holes.extend(joined.holes.clone());
        }
        Collected { resources, populations: all.into_iter().map(|l| (l.region.clone(), l.state())).collect() }
    }

    async fn list(&self, t: &ResourceType, place: &str, parents: &BTreeMap<&str, Arc<Collected>>) -> Listed {
        let mut listed = Listed { region: place.to_owned(), ..Listed::default() };
        match &t.source {
            Source::Singleton => self.draft(t, Map::new(), &mut listed),
            Source::List(listing) => self.list_all(t, listing, &mut listed).await,
            Source::ForEach { parent, listing } => {
                if let Some(parent) = parents.get(parent.as_str()) {
                    listed.inherit(parent);
                    self.list_under(t, listing, parent, &mut listed).await;
                }
            }
            Source::Inside(sources) => {
                for (parent, member) in sources {
                    if let Some(parent) = parents.get(parent.as_str()) {
                        listed.inherit(parent);
                        self.list_inside(t, member, parent, &mut listed);
                    }
                }
            }
        }
        self.progress.event(Event::Listed { resource_type: &t.name, region: place, resources: listed.drafts.len() });
        listed
    }

    fn here<'h>(&'h self, region: &'h str) -> Here<'h> {
        let api = self.fetcher.api();
        Here { partition: api.partition(), account: api.account(), region }
    }

    /// Makes a draft of a listed item, unless the filter leaves it out.
    fn draft(&self, t: &ResourceType, item: Map<String, Value>, listed: &mut Listed) {
        let region = listed.region.clone();
        let here = self.here(&region);
        if !t.filter.holds(&item, &here.ground(Some(&item))) {
            return;
        }
        match Draft::new(t, item, here) {
            Some(draft) if self.scope.left_out.contains(&draft.region) => {}
            Some(draft) => listed.drafts.push(draft),
            None => {
                let request = t.listing().map(|l| &l.call);
                let error = ApiError::malformed(format!("an item of {} has no id", t.name));
                listed.holes.push(self.cause(request, &error, &region));
            }
        }
    }

    fn cause(&self, request: Option<&Request>, error: &ApiError, region: &str) -> Cause {
        match request {
            Some(request) => self.fetcher.cause(request, error, region),
            None => error.cause("", self.fetcher.api().account(), region),
        }
    }

    async fn list_all(&self, t: &ResourceType, listing: &Listing, listed: &mut Listed) {
        let region = listed.region.clone();
        let params = match listing.call.params.resolve(&self.here(&region).ground(None)) {
            Ok(params) => params,
            Err(missing) => return listed.holes.push(self.missing(&listing.call, &missing, &region)),
        };
        let (items, failure) = self.items(&listing.call, &listing.items, params, &region, "").await;
        self.drafts_of(t, listing, items, None, listed);
        let Some(error) = failure else { return };
        if error.unsupported {
            listed.unsupported = true;
            return;
        }
        let cause = self.fetcher.cause(&listing.call, &error, &region);
        if !self.list_instead(t, listing, &cause, listed).await {
            listed.holes.push(cause);
        }
    }

    /// The fallback listing, where there is one: whether it was complete.
    async fn list_instead(&self, t: &ResourceType, listing: &Listing, cause: &Cause, listed: &mut Listed) -> bool {
        let Some(fallback) = &listing.fallback else { return false };
        let region = listed.region.clone();
        let Ok(params) = fallback.call.params.resolve(&self.here(&region).ground(None)) else { return false };
        let (items, failure) = self.items(&fallback.call, &fallback.items, params, &region, "").await;
        let known: HashSet<String> = listed.drafts.iter().map(|d| d.id.clone()).collect();
        let mut spare = Listed { region: region.clone(), ..Listed::default() };
        self.drafts_of(t, listing, items, None, &mut spare);
        for mut draft in spare.drafts.into_iter().filter(|d| !known.contains(&d.id)) {
            for member in &fallback.missing {
                draft.document.shift_remove(member);
                draft.unknown(member, cause);
            }
            listed.drafts.push(draft);
        }
        listed.holes.extend(spare.holes);
        listed.holes.extend(failure.as_ref().map(|e| self.fetcher.cause(&fallback.call, e, &region)));
        failure.is_none()
    }

    /// The items of a listing: those before a failure, and the failure.
    async fn items(
        &self,
        request: &Request,
        path: &Path,
        params: Value,
        region: &str,
        subject: &str,
    ) -> (Vec<Value>, Option<ApiError>) {
        let mut items = Vec::new();
        let mut malformed = false;
        let outcome = self
            .fetcher
            .list(request, params, region, subject, &mut |page| {
                let found = path.items(&page);
                malformed |= found.not_a_list;
                items.extend(found.found);
            })
            .await;
        let failure = match outcome {
            Ok(()) if malformed => Some(ApiError::malformed(format!("`{path}` is no list"))),
            Ok(()) => None,
            Err(error) if error.absent => None,
            Err(error) => Some(error),
        };
        (items, failure)
    }

    fn drafts_of(
        &self,
        t: &ResourceType,
        listing: &Listing,
        items: Vec<Value>,
        parent: Option<&Resource>,
        listed: &mut Listed,
    ) {
        for item in items {
            let document = match (&listing.wrap, item) {
                (Some(member), item) => Some(Map::from_iter([(member.clone(), item)])),
                (None, Value::Object(document)) => Some(document),
                (None, _) => None,
            };
            match document {
                Some(document) => self.draft(t, under(document, parent), listed),
                None => {
                    let error = ApiError::malformed(format!("an item of {} is no structure", t.name));
                    let cause = self.fetcher.cause(&listing.call, &error, &listed.region);
                    listed.holes.push(cause);
                }
            }
        }
    }

    async fn list_under(&self, t: &ResourceType, listing: &Listing, parents: &Collected, listed: &mut Listed) {
        let region = listed.region.clone();
        let here: Vec<&Resource> = parents.in_place(t.scope, &region).collect();
        let children: Vec<_> = here.into_iter().map(|parent| self.list_of(t, listing, parent, &region)).collect();
        for of_one in stream::iter(children).buffered(PARENTS_AT_ONCE).collect::<Vec<_>>().await {
            listed.drafts.extend(of_one.drafts);
            listed.holes.extend(of_one.holes);
            listed.unsupported |= of_one.unsupported;
        }
    }

    async fn list_of(&self, t: &ResourceType, listing: &Listing, parent: &Resource, region: &str) -> Listed {
        let mut listed = Listed { region: region.to_owned(), ..Listed::default() };
        let mut ground = self.here(region).ground(None);
        ground.parent = Some(&parent.document);
        let params = match listing.call.params.resolve(&ground) {
            Ok(params) => params,
            Err(path) => {
                let unknown = parent.unknown_at(&path).cloned();
                listed.holes.push(unknown.unwrap_or_else(|| self.missing(&listing.call, &path, region)));
                return listed;
            }
        };
        let (items, failure) = self.items(&listing.call, &listing.items, params, region, &parent.id).await;
        self.drafts_of(t, listing, items, Some(parent), &mut listed);
        match failure {
            Some(error) if self.says_gone(parent, &error) => listed.drafts.clear(),
            Some(error) => listed.holes.push(self.fetcher.cause(&listing.call, &error, region)),
            None => {}
        }
        listed
    }

    /// Whether the error says that `parent` was deleted since it was listed.
    fn says_gone(&self, parent: &Resource, error: &ApiError) -> bool {
        self.collectors.types.get(&parent.resource_type).is_some_and(|p| p.gone_on.contains(&error.code))
    }

    fn list_inside(&self, t: &ResourceType, member: &Path, parents: &Collected, listed: &mut Listed) {
        let region = listed.region.clone();
        for parent in parents.in_place(t.scope, &region) {
            if let Some(cause) = parent.unknown_at(&member.to_string()) {
                listed.holes.push(cause.clone());
                continue;
            }
            let items = member.in_document(&parent.document).and_then(Value::as_array);
            for item in items.into_iter().flatten().filter_map(Value::as_object) {
                self.draft(t, under(item.clone(), Some(parent)), listed);
            }
        }
    }

    fn missing(&self, request: &Request, path: &str, region: &str) -> Cause {
        let message = format!("{} needs `{path}`, which the resource does not have", request.operation);
        self.fetcher.cause(request, &ApiError::malformed(message), region)
    }

    /// Reads what is wanted of each resource. Those that cannot be finished become holes in the population.
    async fn complete(&self, t: &ResourceType, plan: &TypePlan, listed: &mut Listed) -> Vec<Resource> {
        let mut drafts = std::mem::take(&mut listed.drafts);
        self.locate(t, &mut drafts).await;
        drafts.retain(|d| !self.scope.left_out.contains(&d.region));
        let mut drafts = self.batches(t, plan, drafts).await;
        let finished = stream::iter(drafts.drain(..)).map(|draft| self.complete_one(t, plan, draft));
        let finished: Vec<_> = finished.buffer_unordered(RESOURCES_AT_ONCE).collect().await;
        let mut resources = Vec::new();
        for resource in finished {
            match resource {
                Ok(Some(resource)) => resources.push(resource),
                Ok(None) => {}
                Err(cause) => listed.holes.push(*cause),
            }
        }
        self.progress.event(Event::Read { resource_type: &t.name, region: &listed.region, resources: resources.len() });
        resources
    }

    /// Finds the region of those that the listing gave none.
    async fn locate(&self, t: &ResourceType, drafts: &mut [Draft]) {
        let (Some(typed), Some(home)) = (&t.locate, t.home.as_ref().and_then(Path::root)) else { return };
        let lost: Vec<&mut Draft> = drafts.iter_mut().filter(|d| d.region == GLOBAL).collect();
        let found: Vec<_> = lost.into_iter().map(|draft| self.locate_one(typed, home, draft)).collect();
        stream::iter(found).buffer_unordered(RESOURCES_AT_ONCE).collect::<()>().await;
    }

    async fn locate_one(&self, typed: &Typed, home: &str, draft: &mut Draft) {
        let params = typed.params.resolve_present(&self.here(GLOBAL).ground(Some(&draft.document)));
        match s3::bucket_region(&self.fetcher, typed, params, &draft.id).await {
            Ok(region) => {
                draft.region.clone_from(&region);
                draft.document.insert(home.to_owned(), region.into());
            }
            Err(cause) => draft.unknown(home, &cause),
        }
    }

    /// Details that are fetched for several resources at once.
    async fn batches(&self, t: &ResourceType, plan: &TypePlan, mut drafts: Vec<Draft>) -> Vec<Draft> {
        for detail in plan.details.iter().map(|n| &t.details[*n]) {
            let Some(batch) = &detail.batch else { continue };
            let mut regions: BTreeMap<String, Vec<&mut Draft>> = BTreeMap::new();
            for draft in &mut drafts {
                regions.entry(draft.region.clone()).or_default().push(draft);
            }
            for (region, mut drafts) in regions {
                let chunks = drafts.chunks_mut(batch.size);
                let calls: Vec<_> = chunks.map(|chunk| self.batch(t, detail, chunk, &region)).collect();
                stream::iter(calls).buffer_unordered(PARENTS_AT_ONCE).collect::<()>().await;
            }
        }
        drafts
    }

    async fn batch(&self, t: &ResourceType, detail: &Detail, drafts: &mut [&mut Draft], region: &str) {
        let Some(batch) = &detail.batch else { return };
        let id = |d: &Draft| batch.of.in_document(&d.document).cloned();
        let ids: Vec<Value> = drafts.iter().filter_map(|d| id(d)).collect();
        let mut params = detail.call.params.resolve_present(&self.here(region).ground(None));
        params.insert(batch.param.clone(), ids.into());
        let answered = self.fetcher.answer(&detail.call, params.into(), region, "").await;
        let items = answered.map(|answer| detail.take.items(&answer).found);
        for draft in drafts {
            let own = id(draft);
            let cause = match &items {
                Ok(items) => match items.iter().find(|i| own.is_some() && batch.key.get(i) == own.as_ref()) {
                    Some(Value::Object(members)) => {
                        draft.merge(&t.shaping, members.clone());
                        continue;
                    }
                    // Asked for and not answered: neither there nor absent.
                    _ => self.missing(&detail.call, &batch.of.to_string(), region),
                },
                Err(error) => self.fetcher.cause(&detail.call, error, region),
            };
            detail.members.iter().for_each(|m| draft.unknown(m, &cause));
        }
    }

    async fn complete_one(
        &self,
        t: &ResourceType,
        plan: &TypePlan,
        draft: Draft,
    ) -> Result<Option<Resource>, Box<Cause>> {
        let mut draft = draft;
        for detail in plan.details.iter().map(|n| &t.details[*n]).filter(|d| d.batch.is_none()) {
            match self.detail(t, detail, &draft).await {
                Outcome::Value(Value::Object(members)) => draft.merge(&t.shaping, members),
                Outcome::Value(_) => {
                    let error = ApiError::malformed(format!("`{}` is no structure", detail.take));
                    let cause = self.fetcher.cause(&detail.call, &error, &draft.region);
                    detail.members.iter().for_each(|m| draft.unknown(m, &cause));
                }
                Outcome::Absent => {}
                Outcome::Gone => return Ok(None),
                Outcome::Unknown(cause) => detail.members.iter().for_each(|m| draft.unknown(m, &cause)),
            }
        }
        if !self.enrich(t, plan, &mut draft).await {
            return Ok(None);
        }
        draft.not_collected(t, &plan.details, &plan.enrichments);
        let region = draft.region.clone();
        draft.finish(t, self.here(&region)).map(Some)
    }

    async fn detail(&self, t: &ResourceType, detail: &Detail, draft: &Draft) -> Outcome {
        let outcome = self.ask(t, &detail.call, draft, None).await;
        match outcome {
            Outcome::Value(answer) => detail.take.take(answer).map_or(Outcome::Absent, Outcome::Value),
            other => other,
        }
    }

    /// Reads the wanted enrichments, those first that others refer to. `false` where the resource is gone.
    async fn enrich(&self, t: &ResourceType, plan: &TypePlan, draft: &mut Draft) -> bool {
        let mut waiting: Vec<&Enrichment> = plan.enrichments.iter().map(|n| &t.enrichments[*n]).collect();
        while !waiting.is_empty() {
            let names: BTreeSet<&str> = waiting.iter().map(|e| e.name.as_str()).collect();
            let (later, now): (Vec<&Enrichment>, Vec<&Enrichment>) =
                waiting.iter().partition(|e| e.needs.iter().any(|n| names.contains(n.as_str())));
            if now.is_empty() {
                break; // Loading lets an enrichment refer to earlier ones only.
            }
            let outcomes = join_all(now.iter().map(|e| self.enrichment(t, e, draft))).await;
            for (e, outcome) in now.iter().zip(outcomes) {
                match outcome {
                    Outcome::Value(value) => draft.set(&e.name, &e.shaping, value),
                    Outcome::Absent => {}
                    Outcome::Unknown(cause) => draft.unknown(&e.name, &cause),
                    Outcome::Gone => return false,
                }
            }
            waiting = later;
        }
        true
    }

    async fn enrichment(&self, t: &ResourceType, e: &Enrichment, draft: &Draft) -> Outcome {
        if let How::Typed(typed) = &e.how {
            return match typed.function {
                Function::ServiceControlPolicies => organizations::service_control_policies(&self.fetcher, typed).await,
                _ => iam::typed(self, typed, draft).await,
            };
        }
        if let Some(cause) = draft.unknown_among(&e.needs) {
            return Outcome::Unknown(cause.clone());
        }
        let ground = self.here(&draft.region).ground(Some(&draft.document));
        if !e.when.holds(&draft.document, &ground) {
            return Outcome::Absent;
        }
        match &e.how {
            How::Call(call) => match self.ask(t, call, draft, None).await {
                Outcome::Value(answer) => self.taken(e, answer, draft),
                other => other,
            },
            How::Each { call, over } => self.each(t, e, call, over, draft).await,
            How::Lookup { call, key, of, many, member } => {
                let found = self.lookup(e, call, key, of, *many, draft).await;
                match (found, member) {
                    (Outcome::Value(item), Some(member)) if !*many => {
                        member.take(item).map_or(Outcome::Absent, Outcome::Value)
                    }
                    (found, _) => found,
                }
            }
            How::Typed(_) => Outcome::Absent,
        }
    }

    fn taken(&self, e: &Enrichment, answer: Value, draft: &Draft) -> Outcome {
        let Some(mut value) = e.take.take(answer) else { return Outcome::Absent };
        if let Value::Array(items) = &mut value {
            let ground = self.here(&draft.region).ground(Some(&draft.document));
            items.retain(|i| i.as_object().is_none_or(|item| e.keep.holds(item, &ground)));
        }
        Outcome::Value(value)
    }

    /// Makes one request about a resource. Where its parameters are the same for all resources of the region, it
    /// is made once.
    async fn ask(&self, t: &ResourceType, request: &Request, draft: &Draft, each: Option<&Value>) -> Outcome {
        let mut ground = self.here(&draft.region).ground(Some(&draft.document));
        ground.each = each;
        let params = match request.params.resolve(&ground) {
            Ok(params) => params,
            Err(path) => return Outcome::Unknown(self.missing(request, &path, &draft.region)),
        };
        let answer = if request.params.references().is_empty() {
            let shared = self.fetcher.shared_answer(request, params, &draft.region).await;
            (*shared).clone()
        } else {
            self.fetcher.answer(request, params, &draft.region, &draft.id).await
        };
        match answer {
            Ok(answer) => Outcome::Value(answer),
            Err(error) if error.absent => Outcome::Absent,
            Err(error) if t.gone_on.contains(&error.code) => Outcome::Gone,
            Err(error) => Outcome::Unknown(self.fetcher.cause(request, &error, &draft.region)),
        }
    }

    /// One request for each element of a list; one that is unknown makes all unknown.
    async fn each(&self, t: &ResourceType, e: &Enrichment, call: &Request, over: &Path, draft: &Draft) -> Outcome {
        let elements = match over.in_document(&draft.document) {
            Some(Value::Array(elements)) => elements,
            Some(_) | None => return Outcome::Absent,
        };
        let asked: Vec<_> = elements.iter().map(|element| self.ask(t, call, draft, Some(element))).collect();
        let mut values = Vec::new();
        for outcome in stream::iter(asked).buffered(PARENTS_AT_ONCE).collect::<Vec<_>>().await {
            match outcome {
                Outcome::Value(answer) => values.extend(e.take.take(answer)),
                Outcome::Absent => {}
                other => return other,
            }
        }
        Outcome::Value(values.into())
    }

    async fn lookup(
        &self,
        e: &Enrichment,
        call: &Request,
        key: &Path,
        of: &Path,
        many: bool,
        draft: &Draft,
    ) -> Outcome {
        let ground = self.here(&draft.region).ground(None);
        let params = match call.params.resolve(&ground) {
            Ok(params) => params,
            Err(path) => return Outcome::Unknown(self.missing(call, &path, &draft.region)),
        };
        let lookup = self.fetcher.lookup(call, params, &draft.region, &e.take, key).await;
        let own = of.in_document(&draft.document).and_then(Value::as_str);
        let found = own.and_then(|own| lookup.items.get(own));
        let unknown = lookup.failure.as_ref().map(|f| Outcome::Unknown(self.fetcher.cause(call, f, &draft.region)));
        match (found, many, unknown) {
            // A list is whole only where the listing was; a single item is what it is.
            (_, true, Some(unknown)) | (None, false, Some(unknown)) => unknown,
            (Some(items), true, None) => Outcome::Value(items.clone().into()),
            (None, true, None) => Outcome::Value(Value::Array(Vec::new())),
            (Some(items), false, _) => items.first().cloned().map_or(Outcome::Absent, Outcome::Value),
            (None, false, None) => Outcome::Absent,
        }
    }
}

/// The document of a child, with what it says of its parent.
fn under(mut document: Map<String, Value>, parent: Option<&Resource>) -> Map<String, Value> {
    if let Some(parent) = parent {
        document.insert("Parent".to_owned(), parent_member(parent));
    }
    document
}

impl Collected {
    fn in_place<'c>(&'c self, scope: schema::Scope, place: &'c str) -> impl Iterator<Item = &'c Resource> {
        self.resources.iter().filter(move |r| scope == schema::Scope::Global || r.region == place)
    }
}

impl Listed {
    /// A child's population has the holes of its parent's.
    fn inherit(&mut self, parent: &Collected) {
        match parent.populations.get(&self.region) {
            Some(PopulationState::Complete) => {}
            Some(PopulationState::Unsupported) => self.unsupported = true,
            Some(PopulationState::Incomplete { causes }) => self.holes.extend(causes.clone()),
            None => self.holes.push(Cause::of(Reason::NotCollected, "what it hangs under was not collected")),
        }
    }

    fn state(mut self) -> PopulationState {
        if !self.holes.is_empty() {
            self.holes.sort();
            // The same failure for a thousand parents is one cause.
            self.holes.dedup_by(|a, b| {
                (a.reason, &a.action, &a.region, &a.code) == (b.reason, &b.action, &b.region, &b.code)
            });
            return PopulationState::Incomplete { causes: self.holes };
        }
        if self.unsupported { PopulationState::Unsupported } else { PopulationState::Complete }
    }
}
