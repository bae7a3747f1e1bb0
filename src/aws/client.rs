//! The model-driven client: any operation of any service that has a model, as documents in the API's own names.
//!
//! It runs on the SDK's own orchestrator, so retries, timeouts, clock skew, credentials and signing are the SDK's.
//! Typed clients (IAM, S3, STS) share its configuration, connections, limits and ledger. A call that fails is an error
//! with its class; nothing here ever turns a failure into an empty answer.

use super::endpoint::{self, Endpoint, EndpointParams};
use super::error::{CallError, ErrorClass, chain};
use super::limiter::Permit;
use super::protocol::{self, ParseError, ServiceError};
use super::record::{Ledger, Progress, Scope, body, headers, holds_nothing};
use super::session::{self, ConnectError, Session, Settings};
use crate::inventory::resource::GLOBAL;
use crate::model::{Operation, Pagination, ServiceModel, embedded};
use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation as Invocation;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// One call: what to ask, where, and about what.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The service, by the name of its directory in botocore (`ec2`, `elbv2`, `sso-admin`).
    pub service: &'a str,
    /// The operation (`DescribeVolumes`).
    pub operation: &'a str,
    /// The region code, or `global` for the partition's one endpoint of a global service.
    pub region: &'a str,
    /// The input, an object by the API's member names, or null.
    pub params: Value,
    /// What it is asked about, where it is one resource; empty otherwise. For the ledger.
    pub subject: &'a str,
    /// The page of a listing, from 1. For the ledger.
    pub page: u32,
    /// Error codes that mean "not configured", which the ledger then calls empty and [`CallError::absent`] tells. An
    /// entry is a code, or `Code: part of the message`; only the latter form makes a refusal mean absence.
    pub absent_on: &'a [&'a str],
}

impl<'a> Call<'a> {
    /// A call without parameters.
    pub fn new(service: &'a str, operation: &'a str, region: &'a str) -> Self {
        Call { service, operation, region, params: Value::Null, subject: "", page: 1, absent_on: &[] }
    }

    /// The same with `params`.
    pub fn params(self, params: Value) -> Self {
        Call { params, ..self }
    }

    /// The same about `subject`.
    pub fn subject(self, subject: &'a str) -> Self {
        Call { subject, ..self }
    }

    /// The same with codes that mean "not configured".
    pub fn absent_on(self, absent_on: &'a [&'a str]) -> Self {
        Call { absent_on, ..self }
    }
}

/// What a service answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The output, an object by the API's member names.
    pub body: Value,
    /// AWS's request id.
    pub request_id: String,
}

/// AWS, as one account sees it. Clones share everything.
#[derive(Clone, Debug)]
pub struct Aws {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    session: Session,
    /// One resolver for all calls: the identity cache keeps credentials by resolver.
    identity: Option<SharedIdentityResolver>,
    /// One for all calls: it remembers how far the clock is off.
    clock_skew: SharedInterceptor,
}

impl Aws {
    /// Finds credentials and asks whose they are.
    ///
    /// # Errors
    /// See [`Session::connect`].
    pub async fn connect(settings: &Settings) -> Result<Aws, ConnectError> {
        Ok(Aws::new(Session::connect(settings).await?))
    }

    /// The clients of a session.
    pub fn new(session: Session) -> Aws {
        let identity = session.config.credentials_provider().map(SharedIdentityResolver::new);
        let clock_skew = SharedInterceptor::new(ServiceClockSkewInterceptor::new());
        Aws { inner: Arc::new(Inner { session, identity, clock_skew }) }
    }

    /// The 12-digit account id.
    pub fn account(&self) -> &str {
        self.session().account()
    }

    /// The ARN of who is asking.
    pub fn principal(&self) -> &str {
        self.session().principal()
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        self.session().partition()
    }

    /// The region that the session started in.
    pub fn region(&self) -> &str {
        self.session().region()
    }

    /// The ledger of all calls, typed ones included.
    pub fn ledger(&self) -> &Ledger {
        &self.session().ledger
    }

    /// The shared configuration of all clients. Clients made from it directly are not recorded; use [`Aws::iam`],
    /// [`Aws::s3`] and [`Aws::sts`].
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.session().config
    }

    /// The custom endpoint of a service, if one is set: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the
    /// profile's `services` section or its `endpoint_url`.
    pub fn custom_endpoint(&self, service: &str) -> Option<String> {
        let config = self.sdk_config();
        if config.get_origin("endpoint_url").is_client_config() {
            return config.endpoint_url().map(str::to_owned);
        }
        let own = session::own_endpoint(config, service);
        own.or_else(|| config.endpoint_url().map(str::to_owned))
    }

    /// Makes one call.
    ///
    /// # Errors
    /// [`CallError`], with its class; the ledger has its entry.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let endpoint_region = self.endpoint_region(&call);
        let scope = |decode| self.scope(&call, &endpoint_region, decode);
        let draft = scope(false);
        let prepared = self.prepare(&call, &endpoint_region).map_err(|message| {
            let recorder = &self.session().recorder;
            recorder.record_unless_recorded(&draft, || {
                recorder.failure_of_ours(&draft, ErrorClass::Other, "NotSent", &message)
            });
            recorder.failure_of_ours(&draft, ErrorClass::Other, "NotSent", &message)
        })?;
        let permit = self.admitted(&draft).await?;
        let scope = scope(false);
        let invocation = self.invocation(&prepared, &scope);
        let (body, scope) = self.recorded(scope, invocation.invoke(prepared.request)).await?;
        drop(permit);
        let request_id = scope.progress().request_id.clone();
        Ok(Answer { body, request_id })
    }

    /// Makes a call page by page, as the model says, and gives each page to `page`. The number of pages.
    ///
    /// # Errors
    /// [`CallError`] of the page that failed; the pages before it were given. Also where a token comes a second time,
    /// which would go on for ever.
    pub async fn pages(&self, call: Call<'_>, mut page: impl FnMut(Value) + Send) -> Result<u32, CallError> {
        let model = embedded::service(call.service);
        let operation = model.as_ref().and_then(|m| m.operations.get(call.operation));
        let pagination = operation.and_then(|o| o.pagination.clone());
        let mut params = call.params.clone();
        let mut seen = HashSet::new();
        for number in 1.. {
            let answer = self.call(Call { params: params.clone(), page: number, ..call.clone() }).await?;
            let next = pagination.as_ref().and_then(|p| next_tokens(p, &answer.body));
            page(answer.body);
            let Some(next) = next else { return Ok(number) };
            if !seen.insert(next.iter().map(|(_, token)| token.to_string()).collect::<Vec<_>>()) {
                return Err(self.repeated_token(&call));
            }
            set_tokens(&mut params, next);
        }
        Err(self.repeated_token(&call))
    }

    /// Makes a typed call inside the ledger, the limits and the breaker: `call` says what it is, `send` is the SDK's
    /// future. The typed output, and the answer as a document by our own model.
    ///
    /// # Errors
    /// [`CallError`], also where the answer does not fit the model.
    pub async fn capture<T, E>(
        &self,
        call: Call<'_>,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<(T, Value), CallError>
    where
        E: std::error::Error + 'static,
    {
        let endpoint_region = self.endpoint_region(&call);
        let _permit = self.admitted(&self.scope(&call, &endpoint_region, true)).await?;
        let scope = self.scope(&call, &endpoint_region, true);
        let (output, scope) = self.recorded(scope, send).await?;
        let document = scope.progress().decoded.take().unwrap_or_default();
        Ok((output, document))
    }

    /// The typed client of IAM.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        let region = endpoint::global_region("iam", self.partition());
        let config = aws_sdk_iam::config::Builder::from(self.sdk_config())
            .region(Region::new(region))
            .interceptor(self.session().recorder.clone())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// The typed client of S3 in a region. With a custom endpoint, buckets are in the path.
    pub fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let region = if region == GLOBAL { endpoint::global_region("s3", self.partition()) } else { region.to_owned() };
        let config = aws_sdk_s3::config::Builder::from(self.sdk_config())
            .region(aws_sdk_s3::config::Region::new(region))
            .force_path_style(self.custom_endpoint("s3").is_some())
            .interceptor(self.session().recorder.clone())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// The typed client of STS in the session's region.
    pub fn sts(&self) -> aws_sdk_sts::Client {
        let config =
            aws_sdk_sts::config::Builder::from(self.sdk_config()).interceptor(self.session().recorder.clone()).build();
        aws_sdk_sts::Client::from_conf(config)
    }

    fn session(&self) -> &Session {
        &self.inner.session
    }

    /// The region that is really addressed.
    fn endpoint_region(&self, call: &Call<'_>) -> String {
        if call.region == GLOBAL {
            endpoint::global_region(call.service, self.partition())
        } else {
            call.region.to_owned()
        }
    }

    fn scope(&self, call: &Call<'_>, endpoint_region: &str, decode: bool) -> Arc<Scope> {
        Arc::new(Scope {
            service: call.service.to_owned(),
            operation: call.operation.to_owned(),
            region: call.region.to_owned(),
            endpoint_region: endpoint_region.to_owned(),
            subject: call.subject.to_owned(),
            page: call.page,
            absent_on: call.absent_on.iter().map(|&code| code.to_owned()).collect(),
            decode,
            started: Instant::now(),
            progress: Mutex::<Progress>::default(),
        })
    }

    /// Waits for leave to call; refuses at once where the endpoint is known not to answer.
    async fn admitted(&self, scope: &Scope) -> Result<Permit, CallError> {
        let Session { limiter, .. } = self.session();
        self.check_silent(scope)?;
        let permit = limiter.acquire(&scope.key(self.account())).await;
        self.check_silent(scope)?;
        Ok(permit)
    }

    fn check_silent(&self, scope: &Scope) -> Result<(), CallError> {
        let Session { breaker, recorder, .. } = self.session();
        let Some(reason) = breaker.silent(&scope.endpoint_region, &scope.service) else { return Ok(()) };
        let message = format!("not asked: an earlier call there got no answer ({reason})");
        let failure = || recorder.failure_of_ours(scope, ErrorClass::Unreachable, "NoAnswerBefore", &message);
        recorder.record_unless_recorded(scope, failure);
        Err(failure())
    }

    /// Awaits a call and says why it failed, if it did.
    async fn recorded<T, E>(
        &self,
        scope: Arc<Scope>,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<(T, Arc<Scope>), CallError>
    where
        E: std::error::Error + 'static,
    {
        let recorder = &self.session().recorder;
        let result = recorder.within(scope.clone(), send).await;
        let failure = scope.progress().failure.take();
        match (result, failure) {
            (Ok(output), None) => Ok((output, scope)),
            (_, Some(failure)) => Err(failure),
            (Err(error), None) => {
                let failure = || recorder.failure_of_ours(&scope, ErrorClass::Other, "NotSent", &chain(&error));
                recorder.record_unless_recorded(&scope, failure);
                Err(failure())
            }
        }
    }

    fn repeated_token(&self, call: &Call<'_>) -> CallError {
        let scope = self.scope(call, call.region, false);
        let message = "the token of the next page came a second time";
        self.session().recorder.failure_of_ours(&scope, ErrorClass::Malformed, "RepeatedPageToken", message)
    }

    /// The request for a call, and how to send it.
    fn prepare(&self, call: &Call<'_>, region: &str) -> Result<Prepared, String> {
        let model = embedded::service(call.service).ok_or_else(|| format!("there is no model of {}", call.service))?;
        let operation = model
            .operations
            .get(call.operation)
            .ok_or_else(|| format!("the model of {} has no {}", call.service, call.operation))?;
        let params = own_names(call.service, &call.params);
        let request = protocol::serialize(&model, operation, &params).map_err(|e| e.to_string())?;
        let endpoint = self.endpoint(call.service, region, &model, operation, &params)?;
        let url = with_host_prefix(&endpoint, request.host_prefix.as_deref());
        let unsigned = operation.authtype.as_deref() == Some("none");
        let signing = (!unsigned).then(|| signing(call.service, region, &endpoint, &model));
        let request = http_request(call.service, &model, &endpoint, request).map_err(|e| e.to_string())?;
        Ok(Prepared { model, operation: call.operation.to_owned(), url, signing, request })
    }

    fn endpoint(
        &self,
        service: &str,
        region: &str,
        model: &ServiceModel,
        operation: &Operation,
        params: &Value,
    ) -> Result<Endpoint, String> {
        let config = self.sdk_config();
        let params = EndpointParams {
            region: region.to_owned(),
            fips: config.use_fips().unwrap_or(false),
            dualstack: config.use_dual_stack().unwrap_or(false),
            endpoint: self.custom_endpoint(service),
            extra: context_params(service, model, operation, params),
        };
        endpoint::resolve(service, &params).map_err(|e| e.to_string())
    }

    fn invocation(&self, prepared: &Prepared, scope: &Arc<Scope>) -> Invocation<HttpRequest, Value, ApiError> {
        let config = self.sdk_config();
        let mut builder = Invocation::builder()
            .service_name(scope.service.clone())
            .operation_name(scope.operation.clone())
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&prepared.url)
            .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
            .timeout_config(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ApiError>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ApiError>::new())
            .retry_classifier(ServiceClockSkewClassifier::<ApiError>::new())
            .with_connection_poisoning()
            .interceptor(self.inner.clock_skew.clone())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(self.session().recorder.clone());
        if let Some(http) = config.http_client() {
            builder = builder.http_client(http);
        }
        if let Some(sleep) = config.sleep_impl() {
            builder = builder.sleep_impl(sleep);
        }
        builder = match &prepared.signing {
            Some(signing) => builder.runtime_plugin(self.signer(signing.clone(), scope)),
            None => builder.no_auth(),
        };
        let (model, operation, scope) = (prepared.model.clone(), prepared.operation.clone(), scope.clone());
        builder
            .serializer(|request: HttpRequest| Ok(request))
            .deserializer(move |response: &HttpResponse| read_answer(&model, &operation, &scope, response))
            .build()
    }

    /// Signing with the session's credentials; retries are counted by service and region.
    fn signer(&self, signing: SigV4OperationSigningConfig, scope: &Scope) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(signing);
        layer.store_put(RetryPartition::new(format!("{}-{}", scope.service, scope.endpoint_region)));
        let mut components = RuntimeComponentsBuilder::new("signing");
        components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])));
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        if let Some(identity) = &self.inner.identity {
            components.set_identity_resolver(SCHEME_ID, identity.clone());
        }
        if let Some(cache) = self.sdk_config().identity_cache() {
            components.set_identity_cache(Some(cache));
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

/// A call that is ready to be sent.
struct Prepared {
    model: Arc<ServiceModel>,
    operation: String,
    url: String,
    signing: Option<SigV4OperationSigningConfig>,
    request: HttpRequest,
}

/// An error that a service answered, as the SDK's retry classifiers want it.
#[derive(Debug)]
struct ApiError {
    metadata: ErrorMetadata,
}

impl ApiError {
    fn of(error: &ServiceError) -> Self {
        ApiError { metadata: ErrorMetadata::builder().code(&error.code).message(&error.message).build() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, message) = (self.metadata.code().unwrap_or_default(), self.metadata.message().unwrap_or_default());
        write!(f, "{code}: {message}")
    }
}

impl std::error::Error for ApiError {}

impl ProvideErrorMetadata for ApiError {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

fn read_answer(
    model: &ServiceModel,
    operation: &str,
    scope: &Scope,
    response: &HttpResponse,
) -> Result<Value, OrchestratorError<ApiError>> {
    let unknown = Operation::default();
    let operation = model.operations.get(operation).unwrap_or(&unknown);
    let (status, headers, body) = (response.status().as_u16(), headers(response), body(response));
    if !response.status().is_success() {
        let error = protocol::parse_error(model, operation, status, &headers, body);
        return Err(OrchestratorError::operation(ApiError::of(&error)));
    }
    match protocol::parse(model, operation, status, &headers, body) {
        Ok(document) => {
            scope.progress().empty = holds_nothing(operation, &document);
            Ok(document)
        }
        Err(ParseError::Disguised(error)) => Err(OrchestratorError::operation(ApiError::of(&error))),
        Err(error) => Err(OrchestratorError::other(error)),
    }
}

/// How requests to a service are signed.
fn signing(service: &str, region: &str, endpoint: &Endpoint, model: &ServiceModel) -> SigV4OperationSigningConfig {
    let name = endpoint.signing_name.clone().unwrap_or_else(|| model.signing_name().to_owned());
    let region = endpoint.signing_region.clone().unwrap_or_else(|| region.to_owned());
    let mut options = SigningOptions::default();
    // S3 signs paths as they are, and wants the body's digest in a header.
    let is_s3 = matches!(service, "s3" | "s3express" | "s3control" | "s3outposts");
    options.double_uri_encode = !is_s3;
    options.normalize_uri_path = !is_s3;
    options.content_sha256_header = is_s3 || service == "glacier";
    SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(region))),
        region_set: None,
        name: Some(SigningName::from(name)),
        signing_options: options,
    }
}

/// The HTTP request, with the headers that some services want beside what the model says.
fn http_request(
    service: &str,
    model: &ServiceModel,
    endpoint: &Endpoint,
    request: protocol::Request,
) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
    let length = request.body.len();
    let mut http = HttpRequest::new(SdkBody::from(request.body));
    http.set_method(&request.method)?;
    http.set_uri(request.uri.as_str())?;
    for (name, value) in request.headers.into_iter().chain(endpoint.headers.iter().cloned()) {
        http.headers_mut().try_insert(name, value)?;
    }
    if length > 0 {
        http.headers_mut().try_insert("content-length", length.to_string())?;
    }
    match service {
        // Without it API Gateway answers HAL, another format than the model's.
        "apigateway" => drop(http.headers_mut().try_insert("accept", "application/json")?),
        // Glacier refuses requests without its API version.
        "glacier" => {
            drop(http.headers_mut().try_insert("x-amz-glacier-version", model.metadata.api_version.clone())?);
        }
        _ => {}
    }
    Ok(http)
}

/// Route 53 gives ids with their path (`/hostedzone/Z1`) and takes them without.
fn own_names(service: &str, params: &Value) -> Value {
    match params {
        Value::Object(members) if service == "route53" => {
            let bare = |value: &Value| match value.as_str() {
                Some(id) if ["/hostedzone/", "/delegationset/", "/change/"].iter().any(|p| id.starts_with(p)) => {
                    id.rsplit('/').next().map_or(Value::Null, Value::from)
                }
                _ => value.clone(),
            };
            Value::Object(members.iter().map(|(name, value)| (name.clone(), bare(value))).collect())
        }
        other => other.clone(),
    }
}

/// The endpoint parameters that the operation fixes or takes from its input, as far as the rules know them.
fn context_params(
    service: &str,
    model: &ServiceModel,
    operation: &Operation,
    params: &Value,
) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> =
        operation.static_context_params.iter().map(|(name, param)| (name.clone(), param.value.clone())).collect();
    let members = operation.input.as_ref().and_then(|input| model.shape(input)).map(|shape| shape.members.iter());
    for (name, member) in members.into_iter().flatten() {
        let (Some(context), Some(value)) = (&member.context_param, params.get(name)) else { continue };
        found.insert(context.name.clone(), value.clone());
    }
    if service == "s3" {
        // The codec writes the bucket into the path; the rules would put it into the host as well, or, told of the
        // operation but not of the bucket, go to S3 Express.
        found.clear();
    }
    if service == "s3express" {
        // Likewise; but here the operation decides, for all of them are for the endpoint of directory buckets.
        found.remove("Bucket");
    }
    found.retain(|name, _| endpoint::takes_parameter(service, name));
    found
}

/// The URL with the operation's host prefix; not for custom endpoints, nor where the rules have put it there.
fn with_host_prefix(endpoint: &Endpoint, prefix: Option<&str>) -> String {
    let (Some(prefix), false) = (prefix, endpoint.custom) else { return endpoint.url.clone() };
    match endpoint.url.split_once("://") {
        Some((scheme, host)) if !host.starts_with(prefix) => format!("{scheme}://{prefix}{host}"),
        _ => endpoint.url.clone(),
    }
}

/// The input members and their tokens for the next page; `None` after the last. A token that is missing while others
/// are there is to be left out.
fn next_tokens(pagination: &Pagination, body: &Value) -> Option<Vec<(String, Value)>> {
    let more = pagination.more_results.as_deref().map(|path| at_path(body, path));
    if more.is_some_and(|more| more != Value::Bool(true)) {
        return None;
    }
    let pairs = pagination.input_token.iter().zip(pagination.output_token.iter());
    let tokens: Vec<(String, Value)> = pairs.map(|(input, path)| (input.to_owned(), at_path(body, path))).collect();
    let is_there = |token: &Value| !matches!(token, Value::Null | Value::Bool(false)) && token.as_str() != Some("");
    if !tokens.iter().any(|(_, token)| is_there(token)) {
        return None;
    }
    Some(tokens.into_iter().map(|(name, t)| if is_there(&t) { (name, t) } else { (name, Value::Null) }).collect())
}

fn set_tokens(params: &mut Value, tokens: Vec<(String, Value)>) {
    if !params.is_object() {
        *params = Value::Object(Map::new());
    }
    let Some(members) = params.as_object_mut() else { return };
    for (name, token) in tokens {
        if token.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, token);
        }
    }
}

/// The value at a token's path: members joined by dots, `[-1]` for the last element of a list, `a || b` for the first
/// that is there. (The part of JMESPath that botocore's paginators use.)
fn at_path(body: &Value, path: &str) -> Value {
    path.split("||").map(|one| at_single_path(body, one.trim())).find(|v| !v.is_null()).unwrap_or_default()
}

fn at_single_path(body: &Value, path: &str) -> Value {
    let mut at = body;
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.strip_suffix(']')),
            None => (part, None),
        };
        let Some(next) = at.get(name) else { return Value::Null };
        at = match index {
            None => next,
            Some("-1") => match next.as_array().and_then(|items| items.last()) {
                Some(last) => last,
                None => return Value::Null,
            },
            Some(index) => match index.parse::<usize>().ok().and_then(|i| next.get(i)) {
                Some(item) => item,
                None => return Value::Null,
            },
        };
    }
    at.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pagination(value: Value) -> Pagination {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_last_page_is_known_by_its_flag_or_by_its_missing_token() {
        let flagged = pagination(json!({"input_token": "Marker", "output_token": "Next", "more_results": "More"}));
        assert_eq!(next_tokens(&flagged, &json!({"Next": "m", "More": false})), None);
        assert_eq!(next_tokens(&flagged, &json!({"Next": "m"})), None);
        let next = next_tokens(&flagged, &json!({"Next": "m", "More": true}));
        assert_eq!(next, Some(vec![("Marker".to_owned(), json!("m"))]));
        let plain = pagination(json!({"input_token": "Token", "output_token": "Token"}));
        for last in [json!({}), json!({"Token": null}), json!({"Token": ""})] {
            assert_eq!(next_tokens(&plain, &last), None);
        }
    }

    #[test]
    fn of_several_tokens_a_missing_one_is_left_out_of_the_next_request() {
        let both = pagination(json!({"input_token": ["A", "B"], "output_token": ["NextA", "NextB"]}));
        let next = next_tokens(&both, &json!({"NextA": "1"})).unwrap();
        let mut params = json!({"A": "0", "B": "0", "Limit": 5});
        set_tokens(&mut params, next);
        assert_eq!(params, json!({"A": "1", "Limit": 5}));
        let mut none = Value::Null;
        set_tokens(&mut none, vec![("A".to_owned(), json!("1"))]);
        assert_eq!(none, json!({"A": "1"}));
    }

    #[test]
    fn token_paths_reach_into_members_and_last_elements() {
        let body = json!({"List": {"Next": "n"}, "Contents": [{"Key": "a"}, {"Key": "b"}]});
        assert_eq!(at_path(&body, "List.Next"), json!("n"));
        assert_eq!(at_path(&body, "NextMarker || Contents[-1].Key"), json!("b"));
        assert_eq!(at_path(&json!({"NextMarker": "m"}), "NextMarker || Contents[-1].Key"), json!("m"));
        assert_eq!(at_path(&json!({"Contents": []}), "Contents[-1].Key"), Value::Null);
        assert_eq!(at_path(&json!([]), "x.y[9]"), Value::Null);
    }

    #[test]
    fn a_host_prefix_goes_before_aws_hosts_once_and_never_before_custom_ones() {
        let endpoint = |url: &str, custom| Endpoint {
            url: url.into(),
            signing_region: None,
            signing_name: None,
            headers: Vec::new(),
            custom,
        };
        let aws = endpoint("https://s3-control.eu-west-1.amazonaws.com", false);
        assert_eq!(with_host_prefix(&aws, Some("1.")), "https://1.s3-control.eu-west-1.amazonaws.com");
        let done = endpoint("https://1.s3-control.eu-west-1.amazonaws.com", false);
        assert_eq!(with_host_prefix(&done, Some("1.")), done.url);
        let custom = endpoint("http://127.0.0.1:5000", true);
        assert_eq!(with_host_prefix(&custom, Some("1.")), "http://127.0.0.1:5000");
    }

    #[test]
    fn route_53_ids_lose_their_path_and_other_services_strings_do_not() {
        let params = json!({"HostedZoneId": "/hostedzone/Z1", "Name": "/other/x", "N": 1});
        let bare = json!({"HostedZoneId": "Z1", "Name": "/other/x", "N": 1});
        assert_eq!(own_names("route53", &params), bare);
        assert_eq!(own_names("iam", &params), params);
    }

    #[test]
    fn endpoint_parameters_come_from_the_operation_and_its_input() {
        let model = embedded::service("s3control").unwrap();
        let operation = &model.operations["GetPublicAccessBlock"];
        let found = context_params("s3control", &model, operation, &json!({"AccountId": "123456789012"}));
        assert_eq!(found["AccountId"], json!("123456789012"));
        assert_eq!(found["RequiresAccountId"], json!(true));
        let model = embedded::service("s3").unwrap();
        let operation = &model.operations["GetBucketPolicy"];
        assert!(context_params("s3", &model, operation, &json!({"Bucket": "b"})).is_empty());
        let model = embedded::service("s3express").unwrap();
        let operation = &model.operations["GetBucketLifecycleConfiguration"];
        let found = context_params("s3express", &model, operation, &json!({"Bucket": "b--use1-az4--x-s3"}));
        assert_eq!(found, [("UseS3ExpressControlEndpoint".to_owned(), json!(true))].into());
    }
}
