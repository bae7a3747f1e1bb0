//! Makes the requests of a scan: bounded in number, put together from their pages, asked again in the region that
//! a service points to, and made only once where several resources share the answer.
//!
//! Never turns a failure into an answer.

use super::api::{Api, ApiCall, ApiError};
use super::declaration::{Pages, Request};
use super::path::{Path, Step};
use crate::inventory::resource::GLOBAL;
use crate::inventory::{Cause, Reason};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// How many requests may be in flight at once, over all services and regions. The client's limiter decides how
/// fast they go; this bounds the memory that waiting answers take.
const IN_FLIGHT: usize = 192;

/// A place for each answer that is shared, filled by the first who asks.
type Shared<T> = Mutex<HashMap<String, Arc<OnceCell<Arc<T>>>>>;

/// Makes requests.
pub(super) struct Fetcher<'a, A> {
    api: &'a A,
    permits: Semaphore,
    answers: Shared<Result<Value, ApiError>>,
    lookups: Shared<Lookup>,
}

/// A listing by key, and why it ended early, if it did.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    pub(super) items: HashMap<String, Vec<Value>>,
    pub(super) failure: Option<ApiError>,
}

impl<'a, A: Api> Fetcher<'a, A> {
    pub(super) fn new(api: &'a A) -> Self {
        Fetcher { api, permits: Semaphore::new(IN_FLIGHT), answers: Mutex::default(), lookups: Mutex::default() }
    }

    pub(super) fn api(&self) -> &'a A {
        self.api
    }

    /// The region to ask for a resource of `region`.
    pub(super) fn endpoint<'r>(&'r self, request: &'r Request, region: &'r str) -> &'r str {
        if let Some(only) = request.asked_in.get(self.api.partition()) {
            return only;
        }
        match (request.global, region) {
            (true, _) => GLOBAL,
            (false, GLOBAL) => self.api.home_region(),
            (false, region) => region,
        }
    }

    /// An error where the request is one that only some partitions offer, and this one does not.
    fn offered(&self, request: &Request) -> Result<(), ApiError> {
        let partition = self.api.partition();
        if request.asked_in.is_empty() || request.asked_in.contains_key(partition) {
            return Ok(());
        }
        let message = format!("{} is not offered in the partition {partition}", request.operation);
        Err(ApiError { reason: Reason::Failed, unsupported: true, ..ApiError::malformed(message) })
    }

    /// The cause to write down where `request` failed.
    pub(super) fn cause(&self, request: &Request, error: &ApiError, region: &str) -> Cause {
        error.cause(request.action(), self.api.account(), self.endpoint(request, region))
    }

    /// The whole answer, its pages joined.
    pub(super) async fn answer(
        &self,
        request: &Request,
        params: Value,
        region: &str,
        subject: &str,
    ) -> Result<Value, ApiError> {
        self.offered(request)?;
        let asked = self.endpoint(request, region);
        match self.answer_in(request, params.clone(), asked, subject).await {
            Err(ApiError { elsewhere: Some(there), .. }) if there != asked => {
                self.answer_in(request, params, &there, subject).await
            }
            outcome => outcome,
        }
    }

    async fn answer_in(
        &self,
        request: &Request,
        params: Value,
        region: &str,
        subject: &str,
    ) -> Result<Value, ApiError> {
        let call = call(request, params, region, subject);
        let Some(pages) = &request.pages else {
            let _permit = self.permits.acquire().await;
            return self.api.call(call).await;
        };
        let mut whole: Option<Value> = None;
        let _permit = self.permits.acquire().await;
        self.api.pages(call, &mut |page| join(&mut whole, page, pages)).await?;
        let mut whole = whole.unwrap_or_default();
        pages.tokens.iter().for_each(|token| drop(token.remove(&mut whole)));
        Ok(whole)
    }

    /// Gives each page of a listing to `page`.
    pub(super) async fn list(
        &self,
        request: &Request,
        params: Value,
        region: &str,
        subject: &str,
        page: &mut (dyn FnMut(Value) + Send),
    ) -> Result<(), ApiError> {
        self.offered(request)?;
        let call = call(request, params, self.endpoint(request, region), subject);
        let _permit = self.permits.acquire().await;
        match request.pages {
            Some(_) => self.api.pages(call, page).await,
            None => self.api.call(call).await.map(page),
        }
    }

    /// The answer to a request that several resources make alike.
    pub(super) async fn shared_answer(
        &self,
        request: &Request,
        params: Value,
        region: &str,
    ) -> Arc<Result<Value, ApiError>> {
        let cell = place(&self.answers, key(request, &params, self.endpoint(request, region), ""));
        let answer = async { Arc::new(self.answer(request, params, region, "").await) };
        cell.get_or_init(|| answer).await.clone()
    }

    /// A listing of the region, its items by the text at `by`.
    pub(super) async fn lookup(
        &self,
        request: &Request,
        params: Value,
        region: &str,
        items: &Path,
        by: &Path,
    ) -> Arc<Lookup> {
        let cell =
            place(&self.lookups, key(request, &params, self.endpoint(request, region), &format!("{items} {by}")));
        let lookup = async {
            let mut lookup = Lookup::default();
            let mut malformed = false;
            let outcome = self
                .list(request, params, region, "", &mut |page| {
                    let found = items.items(&page);
                    malformed |= found.not_a_list;
                    for item in found.found {
                        if let Some(key) = by.get(&item).and_then(Value::as_str) {
                            lookup.items.entry(key.to_owned()).or_default().push(item);
                        }
                    }
                })
                .await;
            lookup.failure = match outcome {
                Ok(()) if malformed => Some(ApiError::malformed(format!("`{items}` is no list"))),
                outcome => outcome.err().filter(|e| !e.absent),
            };
            Arc::new(lookup)
        };
        cell.get_or_init(|| lookup).await.clone()
    }
}

fn call<'c>(request: &'c Request, params: Value, region: &'c str, subject: &'c str) -> ApiCall<'c> {
    ApiCall {
        service: &request.service,
        operation: &request.operation,
        region,
        params,
        subject,
        absent_on: &request.absent_on,
    }
}

fn key(request: &Request, params: &Value, region: &str, rest: &str) -> String {
    format!("{} {} {region} {params} {rest}", request.service, request.operation)
}

fn place<T>(shared: &Shared<T>, key: String) -> Arc<OnceCell<Arc<T>>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
}

/// Adds a page: its lists go on those of the pages before it, everything else is the first page's.
fn join(whole: &mut Option<Value>, page: Value, pages: &Pages) {
    let Some(whole) = whole else {
        *whole = Some(page);
        return;
    };
    for path in &pages.lists {
        let items = path.items(&page).found;
        if !items.is_empty() {
            append(whole, &path.0, items);
        }
    }
}

/// Puts `items` at the end of the list at `steps`, which is made where it is missing.
fn append(value: &mut Value, steps: &[Step], items: Vec<Value>) {
    match (steps.split_first(), value) {
        (None, Value::Array(list)) => list.extend(items),
        (None, value @ Value::Null) => *value = Value::Array(items),
        (Some((Step::Member(name), rest)), Value::Object(members)) => {
            append(members.entry(name.as_str()).or_insert(Value::Null), rest, items);
        }
        (Some((Step::Member(name), rest)), value @ Value::Null) => {
            *value = Value::Object(serde_json::Map::from_iter([(name.clone(), Value::Null)]));
            append(&mut value[name.as_str()], rest, items);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_lists_of_all_pages_become_one_and_the_rest_is_the_first_pages() {
        let pages = Pages { lists: vec![Path::parse("L.Items").expect("a path")], tokens: Vec::new() };
        let mut whole = None;
        join(&mut whole, json!({"L": {"Quantity": 1}, "X": 1}), &pages);
        join(&mut whole, json!({"L": {"Items": [1, 2]}, "X": 2}), &pages);
        join(&mut whole, json!({"L": {"Items": [3]}}), &pages);
        assert_eq!(whole, Some(json!({"L": {"Quantity": 1, "Items": [1, 2, 3]}, "X": 1})));
    }
}
