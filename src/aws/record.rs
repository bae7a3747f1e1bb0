//! The recorder: one interceptor that writes the ledger, for the model-driven client and the typed ones alike.
//!
//! It makes one [`LedgerEntry`] for every invocation of an operation, which is one page of a listing, whatever became
//! of it: retries are counted in the entry, a call that never got an answer has one, a call that was dropped half-way
//! has one. It also bounds the size of an answer, tells the limiter and the breaker what it saw, and keeps the decoded
//! document of a typed call. It never changes a request but for the user agent, and never an answer.
//!
//! What a call is about (subject, page, codes that mean "not configured") reaches it through a task-local scope:
//! the SDK runs interceptors in the task that awaits the call. Outside a scope a call is recorded by what the SDK
//! knows of it.

use super::breaker::Breaker;
use super::endpoint;
use super::error::{CallError, ErrorClass, chain, classify, credentials_failure, is_absent, is_unknown_host, one_line};
use super::limiter::{Key, Limiter};
use super::protocol;
use crate::inventory::{LedgerEntry, Outcome, TOOL_VERSION};
use crate::model::{Operation, ServiceModel, embedded};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef, Error as ErasedError, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::region::Region;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The operations whose answer is a stream of any size: objects, which are no documents.
const STREAMED: &[&str] = &["GetObject"];

/// All calls that were made, in the order of their answers. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    inner: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    account: String,
    entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// All entries up to now.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.book().entries.clone()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.book().entries.len()
    }

    /// Whether no call was made yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names the account whose credentials make the calls, also in the entries made before it was known.
    pub(super) fn set_account(&self, account: &str) {
        let mut book = self.book();
        book.account = account.to_owned();
        for entry in book.entries.iter_mut().filter(|e| e.account.is_empty()) {
            entry.account = account.to_owned();
        }
    }

    pub(super) fn account(&self) -> String {
        self.book().account.clone()
    }

    pub(super) fn push(&self, entry: LedgerEntry) {
        let LedgerEntry { region, service, operation, outcome, page, attempts, .. } = &entry;
        tracing::debug!(region, service, operation, ?outcome, page, attempts, "asked AWS");
        self.book().entries.push(entry);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

tokio::task_local! {
    /// The call that the current task is making.
    static SCOPE: Arc<Scope>;
}

/// What a call is about, and what became of it.
#[derive(Debug)]
pub(super) struct Scope {
    /// The service by botocore's name.
    pub(super) service: String,
    pub(super) operation: String,
    /// The region code, or `global`.
    pub(super) region: String,
    /// The region that is really addressed.
    pub(super) endpoint_region: String,
    pub(super) subject: String,
    pub(super) page: u32,
    /// See [`is_absent`].
    pub(super) absent_on: Vec<String>,
    /// Decode the answer by the model: set for typed calls.
    pub(super) decode: bool,
    pub(super) started: Instant,
    pub(super) progress: Mutex<Progress>,
}

/// What the recorder found out.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The ledger has its entry.
    pub(super) recorded: bool,
    pub(super) attempts: u32,
    /// The answer holds no items.
    pub(super) empty: bool,
    pub(super) request_id: String,
    /// Why the call failed.
    pub(super) failure: Option<CallError>,
    /// The answer of a typed call, by the model.
    pub(super) decoded: Option<Value>,
}

impl Scope {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn key(&self, account: &str) -> Key {
        Key { account: account.to_owned(), region: self.endpoint_region.clone(), service: self.service.clone() }
    }
}

/// The interceptor.
#[derive(Clone, Debug)]
pub struct Recorder {
    ledger: Ledger,
    limiter: Limiter,
    breaker: Breaker,
    /// The largest answer that is read, in bytes.
    max_answer: usize,
}

/// Writes an entry for a call that ended without the SDK saying how: its future was dropped.
struct Unfinished<'a> {
    recorder: &'a Recorder,
    scope: &'a Scope,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.recorder.record_unless_recorded(self.scope, || {
            self.recorder.failure_of_ours(self.scope, ErrorClass::Other, "Cancelled", "the call was given up half-way")
        });
    }
}

impl Recorder {
    pub(super) fn new(ledger: Ledger, limiter: Limiter, breaker: Breaker, max_answer: usize) -> Self {
        Recorder { ledger, limiter, breaker, max_answer }
    }

    /// Makes a call inside `scope`, so that its entry says what it was about.
    pub(super) async fn within<F: Future>(&self, scope: Arc<Scope>, call: F) -> F::Output {
        let mut unfinished = Unfinished { recorder: self, scope: &scope, finished: false };
        let output = SCOPE.scope(scope.clone(), call).await;
        unfinished.finished = true;
        output
    }

    /// A failure that no answer of AWS describes.
    pub(super) fn failure_of_ours(&self, scope: &Scope, class: ErrorClass, code: &str, message: &str) -> CallError {
        CallError {
            service: scope.service.clone(),
            operation: scope.operation.clone(),
            account: self.ledger.account(),
            region: scope.region.clone(),
            class,
            code: code.to_owned(),
            message: one_line(message),
            request_id: String::new(),
            status: 0,
            absent: false,
        }
    }

    /// Writes the entry of a call that the SDK did not report on.
    pub(super) fn record_unless_recorded(&self, scope: &Scope, failure: impl FnOnce() -> CallError) {
        if scope.progress().recorded {
            return;
        }
        let failure = failure();
        let model = embedded::service(&scope.service);
        self.ledger.push(LedgerEntry {
            account: self.ledger.account(),
            region: scope.region.clone(),
            service: iam_prefix(&scope.service, model.as_deref()),
            operation: scope.operation.clone(),
            subject: scope.subject.clone(),
            request_id: String::new(),
            time: Timestamp::now(),
            outcome: failure.outcome(),
            code: failure.code.clone(),
            page: scope.page,
            attempts: scope.progress().attempts,
            sha256: String::new(),
        });
        let mut progress = scope.progress();
        progress.recorded = true;
        progress.failure = Some(failure);
    }

    /// The scope of the current call; for one outside any, what the SDK knows of it.
    fn scope(cfg: &ConfigBag) -> Arc<Scope> {
        SCOPE.try_with(Arc::clone).unwrap_or_else(|_| {
            let (service, operation) = cfg
                .load::<Metadata>()
                .map(|m| (m.service().to_ascii_lowercase().replace(' ', "-"), m.name().to_owned()))
                .unwrap_or_default();
            let region = cfg.load::<Region>().map(ToString::to_string).unwrap_or_default();
            Arc::new(Scope {
                service,
                operation,
                endpoint_region: region.clone(),
                region,
                subject: String::new(),
                page: 1,
                absent_on: Vec::new(),
                decode: false,
                started: Instant::now(),
                progress: Mutex::default(),
            })
        })
    }

    /// Why the call failed, from the answer if there is one.
    fn failure(
        &self,
        scope: &Scope,
        model: Option<&ServiceModel>,
        error: &OrchestratorError<ErasedError>,
        response: Option<&HttpResponse>,
    ) -> CallError {
        match response {
            Some(response) if !response.status().is_success() || error.is_operation_error() => {
                self.answered_failure(scope, model, error, response)
            }
            Some(response) => {
                let code = if error.is_timeout_error() { "Timeout" } else { "BadAnswer" };
                let class = if error.is_timeout_error() { ErrorClass::Unreachable } else { ErrorClass::Malformed };
                let mut failure = self.failure_of_ours(scope, class, code, &chain(error));
                failure.status = response.status().as_u16();
                failure.request_id = protocol::request_id(&headers(response), body(response));
                failure
            }
            None => self.silent_failure(scope, error),
        }
    }

    fn answered_failure(
        &self,
        scope: &Scope,
        model: Option<&ServiceModel>,
        error: &OrchestratorError<ErasedError>,
        response: &HttpResponse,
    ) -> CallError {
        let status = response.status().as_u16();
        let unknown = (ServiceModel::default(), Operation::default());
        let model = model.unwrap_or(&unknown.0);
        let operation = model.operations.get(&scope.operation).unwrap_or(&unknown.1);
        let answer = protocol::parse_error(model, operation, status, &headers(response), body(response));
        let class = classify(&answer.code, status, &answer.message);
        let message = if answer.message.is_empty() { chain(error) } else { one_line(&answer.message) };
        CallError {
            absent: is_absent(&scope.absent_on, class, &answer.code, &answer.message),
            class,
            code: one_line(&answer.code),
            message,
            request_id: one_line(&answer.request_id),
            status,
            ..self.failure_of_ours(scope, class, "", "")
        }
    }

    fn silent_failure(&self, scope: &Scope, error: &OrchestratorError<ErasedError>) -> CallError {
        let text = chain(error);
        let of = |class, code| self.failure_of_ours(scope, class, code, &text);
        if credentials_failure(error).is_some() {
            return of(ErrorClass::ExpiredCredentials, "NoCredentials");
        }
        if error.is_timeout_error() {
            return of(ErrorClass::Unreachable, "Timeout");
        }
        let Some(connector) = error.as_connector_error() else { return of(ErrorClass::Other, "NotSent") };
        if is_unknown_host(&text) {
            let class = match endpoint::offered(&scope.service, &scope.endpoint_region) {
                Some(false) => ErrorClass::Unsupported,
                _ => ErrorClass::Unreachable,
            };
            return of(class, "UnknownHost");
        }
        of(ErrorClass::Unreachable, if connector.is_timeout() { "Timeout" } else { "ConnectFailed" })
    }

    /// Tells the limiter and the breaker what came of an attempt.
    fn learn(&self, scope: &Scope, failure: Option<&CallError>, answered: bool) {
        let key = scope.key(&self.ledger.account());
        match failure {
            Some(failure) if failure.class == ErrorClass::Throttled => self.limiter.throttled(&key),
            _ if answered => self.limiter.answered(&key),
            _ => {}
        }
        if answered {
            self.breaker.answered(&scope.endpoint_region, &scope.service);
        }
    }

    fn record(&self, scope: &Scope, context: &FinalizerInterceptorContextRef<'_>, attempts: u32) {
        let model = embedded::service(&scope.service);
        let response = context.response();
        let failure = match context.output_or_error() {
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(self.failure(scope, model.as_deref(), error, response)),
            None => Some(self.failure_of_ours(scope, ErrorClass::Other, "NotSent", "no request was made")),
        };
        let decoded = match (&failure, response) {
            (None, Some(response)) if scope.decode => Some(decode(scope, model.as_deref(), response)),
            _ => None,
        };
        let failure = match &decoded {
            Some(Err(message)) => Some(self.failure_of_ours(scope, ErrorClass::Malformed, "BadAnswer", message)),
            _ => failure,
        };
        if let Some(failure) = failure.as_ref().filter(|f| f.class == ErrorClass::Unreachable) {
            let reason = format!("{}: {}", failure.code, failure.message);
            self.breaker.no_answer(&scope.endpoint_region, &scope.service, scope.started, &reason);
        }
        let mut progress = scope.progress();
        if let Some(Ok(Decoded { document, empty })) = decoded {
            progress.empty = empty;
            progress.decoded = Some(document);
        }
        progress.request_id = response.map(|r| protocol::request_id(&headers(r), body(r))).unwrap_or_default();
        let outcome = match &failure {
            Some(failure) => failure.outcome(),
            None if progress.empty => Outcome::Empty,
            None => Outcome::Ok,
        };
        self.ledger.push(LedgerEntry {
            account: self.ledger.account(),
            region: scope.region.clone(),
            service: iam_prefix(&scope.service, model.as_deref()),
            operation: scope.operation.clone(),
            subject: scope.subject.clone(),
            request_id: progress.request_id.clone(),
            time: Timestamp::now(),
            outcome,
            code: failure.as_ref().map(|f| f.code.clone()).unwrap_or_default(),
            page: scope.page,
            attempts: attempts.max(1),
            sha256: response.and_then(|r| r.body().bytes()).map(|b| hex::encode(Sha256::digest(b))).unwrap_or_default(),
        });
        progress.recorded = true;
        progress.failure = failure;
    }
}

#[dyn_dispatch_hint]
impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    /// Retries were not waited for in the limiter; they are paid back there.
    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let scope = Self::scope(cfg);
        let attempt = attempts(cfg);
        scope.progress().attempts = attempt;
        if attempt > 1 || SCOPE.try_with(|_| ()).is_err() {
            self.limiter.charge(&scope.key(&self.ledger.account()));
        }
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Not part of the signature.
        context.request_mut().headers_mut().insert("user-agent", format!("soc2scan/{TOOL_VERSION}"));
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if STREAMED.contains(&Self::scope(cfg).operation.as_str()) {
            return Ok(());
        }
        let max = self.max_answer;
        let promised = context.response().headers().get("content-length").and_then(|l| l.parse::<u64>().ok());
        if promised.is_some_and(|length| length > max as u64) {
            // Said before it is read: an error here is not retried.
            return Err(format!("the answer is larger than {max} bytes").into());
        }
        let body = context.response_mut().body_mut();
        let taken = std::mem::replace(body, SdkBody::taken());
        *body =
            taken.map_preserve_contents(move |inner| SdkBody::from_body_1_x(http_body_util::Limited::new(inner, max)));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let scope = Self::scope(cfg);
        let response = context.response();
        let failure = match context.output_or_error() {
            Some(Err(error)) => {
                let model = embedded::service(&scope.service);
                Some(self.failure(&scope, model.as_deref(), error, response))
            }
            _ => None,
        };
        self.learn(&scope, failure.as_ref(), response.is_some());
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let scope = Self::scope(cfg);
        self.record(&scope, context, attempts(cfg));
        Ok(())
    }
}

/// A typed call's answer by the model.
struct Decoded {
    document: Value,
    empty: bool,
}

fn decode(scope: &Scope, model: Option<&ServiceModel>, response: &HttpResponse) -> Result<Decoded, String> {
    let model = model.ok_or_else(|| format!("there is no model of {}", scope.service))?;
    let operation = model
        .operations
        .get(&scope.operation)
        .ok_or_else(|| format!("the model of {} has no {}", scope.service, scope.operation))?;
    let status = response.status().as_u16();
    let document = protocol::parse(model, operation, status, &headers(response), body(response))
        .map_err(|e| format!("the answer of {} cannot be read: {e}", scope.operation))?;
    Ok(Decoded { empty: holds_nothing(operation, &document), document })
}

/// Whether a listing's answer has no items.
pub(super) fn holds_nothing(operation: &Operation, document: &Value) -> bool {
    let Some(keys) = operation.pagination.as_ref().and_then(|p| p.result_key.as_ref()) else { return false };
    let nothing = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(items)) => items.is_empty(),
        Some(_) => false,
    };
    keys.iter().all(|path| nothing(path.split('.').try_fold(document, |at, name| at.get(name))))
}

fn attempts(cfg: &ConfigBag) -> u32 {
    cfg.load::<RequestAttempts>().map_or(0, |a| a.attempts())
}

/// The answer's body, once it is read; empty before.
pub(super) fn body(response: &HttpResponse) -> &[u8] {
    response.body().bytes().unwrap_or_default()
}

/// The answer's headers as the codec takes them.
pub(super) fn headers(response: &HttpResponse) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in response.headers().iter_bytes() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

/// The service's prefix in IAM actions, which the ledger names it by.
fn iam_prefix(service: &str, model: Option<&ServiceModel>) -> String {
    model.map_or_else(|| service.to_owned(), |m| m.iam_prefix().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    fn failure_of(service: &str, region: &str, text: &str) -> CallError {
        let recorder = Recorder::new(Ledger::default(), Limiter::new(1.0, 1), Breaker::default(), 1);
        let scope = Scope {
            service: service.into(),
            operation: "List".into(),
            region: region.into(),
            endpoint_region: region.into(),
            subject: String::new(),
            page: 1,
            absent_on: Vec::new(),
            decode: false,
            started: Instant::now(),
            progress: Mutex::default(),
        };
        recorder.silent_failure(&scope, &OrchestratorError::connector(ConnectorError::io(text.into())))
    }

    #[test]
    fn a_host_that_does_not_exist_is_unsupported_only_where_the_endpoint_list_has_no_such_service() {
        let unknown = "dns error: failed to lookup address information: Name or service not known";
        let later = "dns error: failed to lookup address information: Temporary failure in name resolution";
        for (service, region, text, class) in [
            ("route53domains", "eu-west-1", unknown, ErrorClass::Unsupported),
            ("route53domains", "eu-west-1", later, ErrorClass::Unreachable),
            ("route53domains", "eu-north-9", unknown, ErrorClass::Unreachable),
            ("ec2", "eu-west-1", unknown, ErrorClass::Unreachable),
            ("ec2", "eu-west-1", "Connection refused", ErrorClass::Unreachable),
        ] {
            assert_eq!(failure_of(service, region, text).class, class, "{service} {region} {text}");
        }
    }

    #[test]
    fn a_listing_is_empty_only_if_none_of_its_keys_holds_anything() {
        let operation: Operation = serde_json::from_value(serde_json::json!({
            "name": "List",
            "pagination": {"input_token": "T", "output_token": "T", "result_key": ["A.Items", "B"]},
        }))
        .unwrap();
        let empty = |document: Value| holds_nothing(&operation, &document);
        assert!(empty(serde_json::json!({})));
        assert!(empty(serde_json::json!({"A": {"Items": []}, "B": {}})));
        assert!(!empty(serde_json::json!({"A": {"Items": []}, "B": ["x"]})));
        assert!(!empty(serde_json::json!({"A": {"Items": [1]}})));
        assert!(!holds_nothing(&Operation::default(), &serde_json::json!({})));
    }
}
