//! A fake AWS: a real HTTP server on loopback that recognises every operation, answers it from the emulator behind
//! it or as it is told, and makes any of them fail the way the real service fails.

use super::emulator::Emulator;
use super::recognise::{Asked, recognise};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use soc2scan::model::Protocol;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use tokio::net::{TcpListener, TcpStream};

/// How a request goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Not allowed, in the words of the service's protocol.
    Denied,
    /// Throttled so many times, then answered.
    Throttled(u32),
    /// The credentials have ended.
    Expired,
    /// Never answered.
    Silent,
    /// Half of the answer, then the connection is closed.
    CutOff,
    /// The service fails (500).
    Broken,
    /// This body instead, with status and content type.
    Instead(u16, &'static str, String),
    /// The same for the first request only.
    Once(u16, &'static str, String),
    /// The answer with every `from` in it replaced.
    Altered {
        /// What stands in the answer.
        from: &'static str,
        /// What is to stand there.
        to: String,
    },
}

/// Which requests a fault befalls. An empty name stands for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct On {
    /// The service, by its model's name.
    pub(crate) service: String,
    /// The operation.
    pub(crate) operation: String,
    /// The region.
    pub(crate) region: String,
    /// How many requests, of those that it would befall, are let through first.
    pub(crate) after: u32,
}

impl On {
    /// One operation everywhere.
    pub(crate) fn operation(service: &str, operation: &str) -> On {
        On { service: service.into(), operation: operation.into(), ..On::default() }
    }

    /// Everything in a region.
    pub(crate) fn region(region: &str) -> On {
        On { region: region.into(), ..On::default() }
    }

    fn fits(&self, asked: &Asked) -> bool {
        let same = |want: &str, is: &str| want.is_empty() || want == is;
        same(&self.service, &asked.service)
            && same(&self.operation, &asked.operation)
            && same(&self.region, &asked.region)
    }
}

/// What makes an answer the same again: method, URI, body, target and whom it is signed for.
type Key = (String, String, Bytes, String, String);

#[derive(Default)]
struct State {
    upstream: Option<String>,
    faults: Mutex<Vec<(On, Fault)>>,
    seen: Mutex<Vec<Asked>>,
    strangers: Mutex<BTreeSet<String>>,
    kept: Mutex<HashMap<Key, Answer>>,
}

/// The running server; ends when dropped.
pub(crate) struct FakeAws {
    address: String,
    state: Arc<State>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl FakeAws {
    /// In front of `emulator`.
    pub(crate) fn before(emulator: &Emulator) -> FakeAws {
        FakeAws::start(Some(emulator.address.clone()))
    }

    /// With nothing behind it: it answers what its faults say, and 501 to everything else.
    pub(crate) fn alone() -> FakeAws {
        FakeAws::start(None)
    }

    fn start(upstream: Option<String>) -> FakeAws {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("tokio");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port on loopback");
        let address = listener.local_addr().expect("bound").to_string();
        let state = Arc::new(State { upstream, ..State::default() });
        runtime.spawn(listen(listener, state.clone()));
        FakeAws { address, state, _runtime: runtime }
    }

    /// What `AWS_ENDPOINT_URL` is to be.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the faults, replacing all earlier ones, and forgets what was seen.
    pub(crate) fn set(&self, faults: impl IntoIterator<Item = (On, Fault)>) {
        *lock(&self.state.faults) = faults.into_iter().collect();
        lock(&self.state.seen).clear();
    }

    /// Every request since the faults were last set, in the order of arrival.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        lock(&self.state.seen).clone()
    }

    /// The distinct operations of [`FakeAws::seen`], as (service, operation).
    pub(crate) fn operations(&self) -> BTreeSet<(String, String)> {
        self.seen().into_iter().map(|a| (a.service, a.operation)).collect()
    }

    /// Requests that no model knows. Should be none: then nothing slips past a fault.
    pub(crate) fn strangers(&self) -> BTreeSet<String> {
        lock(&self.state.strangers).clone()
    }
}

/// A lock whose holder cannot have left it in a bad state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let state = state.clone();
                async move { Ok::<_, Infallible>(serve(&state, request).await) }
            });
            // A client that goes away in the middle is not this server's fault.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(state: &State, request: Request<Incoming>) -> Response<Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let uri = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let Some(asked) = recognise(head.method.as_str(), uri, &header, &body) else {
        let stranger = format!("{} {uri} {}", head.method, String::from_utf8_lossy(&body));
        lock(&state.strangers).insert(stranger);
        return answered(forward(state, &head, uri, body).await);
    };
    lock(&state.seen).push(asked.clone());
    let mishap = befall(state, &asked);
    let mut answer = match mishap.fault {
        Some(Fault::Denied) => denied(&asked, &head.method),
        Some(Fault::Throttled(_)) => throttled(&asked),
        Some(Fault::Expired) => expired(&asked, &head.method),
        Some(Fault::Broken) => error(&asked, 500, "InternalFailure", "An internal error has occurred."),
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Instead(status, content_type, body) | Fault::Once(status, content_type, body)) => Answer {
            status,
            headers: vec![("content-type".into(), content_type.into()), request_id()],
            body: body.into(),
        },
        Some(Fault::CutOff | Fault::Altered { .. }) | None => answer(state, &asked, &head, uri, body).await,
    };
    for (from, to) in mishap.alterations {
        answer.body = String::from_utf8_lossy(&answer.body).replace(from, &to).into();
    }
    if mishap.cut_off { cut_off(answer) } else { answered(answer) }
}

/// All that befalls one request.
#[derive(Default)]
struct Mishap {
    /// What is answered instead.
    fault: Option<Fault>,
    /// What is replaced in the answer.
    alterations: Vec<(&'static str, String)>,
    /// Whether the answer breaks off.
    cut_off: bool,
}

/// The first fault that befalls a request, counted down where it is counted, and what happens to its answer.
fn befall(state: &State, asked: &Asked) -> Mishap {
    let mut mishap = Mishap::default();
    for (on, fault) in lock(&state.faults).iter_mut() {
        if !on.fits(asked) {
            continue;
        }
        if on.after > 0 {
            on.after -= 1;
            continue;
        }
        match fault {
            Fault::Throttled(0) => {}
            Fault::Altered { from, to } => mishap.alterations.push((*from, to.clone())),
            Fault::CutOff => mishap.cut_off = true,
            _ => {
                mishap.fault = Some(fault.clone());
                match fault {
                    Fault::Throttled(left) => *left -= 1,
                    Fault::Once(..) => on.after = u32::MAX,
                    _ => {}
                }
                break;
            }
        }
    }
    mishap
}

/// The true answer: kept, else the emulator's.
async fn answer(state: &State, asked: &Asked, head: &http::request::Parts, uri: &str, body: Bytes) -> Answer {
    let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let signed_for = format!("{} {} {}", asked.service, asked.region, access_key(&text("authorization")));
    let key = (head.method.to_string(), uri.to_owned(), body.clone(), text("x-amz-target"), signed_for);
    if let Some(kept) = lock(&state.kept).get(&key) {
        return kept.clone();
    }
    let answer = forward(state, head, uri, body).await;
    // The account does not change while it is scanned; only the credential report comes into being.
    if answer.status < 500 && !asked.operation.ends_with("CredentialReport") {
        lock(&state.kept).insert(key, answer.clone());
    }
    answer
}

fn access_key(authorization: &str) -> &str {
    authorization.split("Credential=").nth(1).and_then(|c| c.split('/').next()).unwrap_or_default()
}

/// Asks the emulator.
async fn forward(state: &State, head: &http::request::Parts, uri: &str, body: Bytes) -> Answer {
    let Some(upstream) = &state.upstream else {
        let body = format!("nobody answers {} {uri}", head.method);
        return Answer { status: 501, headers: Vec::new(), body: body.into() };
    };
    match ask(upstream, head, uri, body).await {
        Ok(answer) => answer,
        Err(e) => Answer { status: 502, headers: Vec::new(), body: format!("the emulator: {e}").into() },
    }
}

async fn ask(
    upstream: &str,
    head: &http::request::Parts,
    uri: &str,
    body: Bytes,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(head.method.clone()).uri(uri);
    for (name, value) in &head.headers {
        if name != http::header::CONNECTION {
            request = request.header(name, value);
        }
    }
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let (head, body) = response.into_parts();
    let headers = head
        .headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    Ok(Answer { status: head.status.as_u16(), headers, body: body.collect().await?.to_bytes() })
}

/// Headers that are about one connection, and the length, which is set anew.
const HOP_BY_HOP: [&str; 4] = ["connection", "transfer-encoding", "content-length", "keep-alive"];

const REQUEST_ID: &str = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE";

fn request_id() -> (String, String) {
    ("x-amzn-requestid".into(), REQUEST_ID.into())
}

fn denied(asked: &Asked, method: &http::Method) -> Answer {
    let message = format!(
        "User: arn:aws:iam::123456789012:user/scanner is not authorized to perform: {}:{} because no \
         identity-based policy allows the action",
        asked.service, asked.operation
    );
    let (status, code) = match asked.protocol {
        Protocol::Ec2 => (403, "UnauthorizedOperation"),
        Protocol::Json => (400, "AccessDeniedException"),
        Protocol::RestJson => (403, "AccessDeniedException"),
        Protocol::Query if asked.service == "sns" => (403, "AuthorizationError"),
        Protocol::Query | Protocol::RestXml => (403, "AccessDenied"),
    };
    headless(error(asked, status, code, &message), method)
}

fn throttled(asked: &Asked) -> Answer {
    let (status, code) = match asked.protocol {
        Protocol::Ec2 => (503, "RequestLimitExceeded"),
        Protocol::Json => (400, "ThrottlingException"),
        Protocol::RestJson => (429, "TooManyRequestsException"),
        Protocol::RestXml if is_s3(&asked.service) => (503, "SlowDown"),
        Protocol::Query | Protocol::RestXml => (400, "Throttling"),
    };
    error(asked, status, code, "Rate exceeded")
}

fn expired(asked: &Asked, method: &http::Method) -> Answer {
    let (status, code) = match asked.protocol {
        Protocol::Ec2 => (400, "RequestExpired"),
        Protocol::Json => (400, "ExpiredTokenException"),
        Protocol::RestJson => (403, "ExpiredTokenException"),
        Protocol::RestXml if is_s3(&asked.service) => (400, "ExpiredToken"),
        Protocol::Query | Protocol::RestXml => (403, "ExpiredToken"),
    };
    headless(error(asked, status, code, "The security token included in the request is expired"), method)
}

/// An answer to HEAD has no body, and so no code.
fn headless(mut answer: Answer, method: &http::Method) -> Answer {
    if method == http::Method::HEAD {
        answer.body = Bytes::new();
    }
    answer
}

/// An error in the form that the asked service gives its errors.
fn error(asked: &Asked, status: u16, code: &str, message: &str) -> Answer {
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    let mut headers = vec![request_id()];
    let (content_type, body) = match asked.protocol {
        Protocol::Json => {
            let version = format!("com.amazon.coral.service#{code}");
            ("application/x-amz-json-1.1", serde_json::json!({ "__type": version, "message": message }).to_string())
        }
        Protocol::RestJson => {
            headers.push(("x-amzn-errortype".into(), format!("{code}:http://internal.amazon.com/coral/")));
            ("application/json", serde_json::json!({ "Message": message }).to_string())
        }
        Protocol::Ec2 => (
            "text/xml;charset=UTF-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>\
                 {message}</Message></Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
            ),
        ),
        Protocol::RestXml if is_s3(&asked.service) => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                 <RequestId>{REQUEST_ID}</RequestId><HostId>host</HostId></Error>"
            ),
        ),
        Protocol::Query | Protocol::RestXml => (
            "text/xml",
            format!(
                "<ErrorResponse xmlns=\"https://aws.amazon.com/\"><Error><Type>{kind}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
            ),
        ),
    };
    headers.push(("content-type".into(), content_type.into()));
    Answer { status, headers, body: body.into() }
}

fn answered(answer: Answer) -> Response<Cut> {
    let length = answer.body.len() as u64;
    respond(answer.status, &answer.headers, Cut { length, rest: Some(answer.body), broken: false, flushed: false })
}

/// Promises the whole answer, gives half of it and breaks the connection.
fn cut_off(answer: Answer) -> Response<Cut> {
    let length = answer.body.len() as u64;
    let half = answer.body.slice(..answer.body.len() / 2);
    respond(answer.status, &answer.headers, Cut { length, rest: Some(half), broken: true, flushed: false })
}

fn respond(status: u16, headers: &[(String, String)], body: Cut) -> Response<Cut> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).expect("headers that came in or that we wrote")
}

/// A body that may end before the length that it has promised.
struct Cut {
    length: u64,
    rest: Option<Bytes>,
    broken: bool,
    flushed: bool,
}

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.rest.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            // What was given so far goes out while the server waits for more.
            _ if self.broken && !self.flushed => {
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ if self.broken => Poll::Ready(Some(Err(std::io::Error::other("cut off on purpose")))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.broken && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// S3, and the part of it that has an endpoint of its own: their errors have a form of their own.
fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3express")
}
