//! A small AWS on loopback that answers what a test tells it to, one reply after another, and `GetCallerIdentity` by
//! itself. For tests of the clients; the whole fake account is in `fake_aws`.

// A test that cannot be set up must fail.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;

/// The account that the credentials belong to.
pub(crate) const ACCOUNT: &str = "123456789012";

/// What the server answers to one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    With(u16, String),
    /// Half of it, then the connection is closed.
    CutOff(String),
    /// Nothing, ever.
    Silence,
}

/// An answer of success.
pub(crate) fn ok(text: &str) -> Reply {
    Reply::With(200, text.to_owned())
}

/// An answer that is an error.
pub(crate) fn error(status: u16, text: &str) -> Reply {
    Reply::With(status, text.to_owned())
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) connection: u32,
}

/// A body that may break off.
struct Text {
    rest: Option<Bytes>,
    length: u64,
    /// Breaks off when this has passed, so that what goes before is sent first.
    breaks: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Text {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(bytes) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.breaks {
            Some(pause) => pause.as_mut().poll(context).map(|()| Some(Err(std::io::Error::other("cut off")))),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[derive(Clone, Default)]
pub(crate) struct Server {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) url: String,
}

impl Server {
    /// On a free port.
    pub(crate) async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server { url, ..Server::default() };
        let running = server.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let server = running.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| server.clone().answer(request, connection));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        server
    }

    async fn answer(self, request: Request<Incoming>, connection: u32) -> Result<Response<Text>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
        let text = |v: &hyper::header::HeaderValue| v.to_str().unwrap_or("?").to_owned();
        let headers = parts.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
        let identity = String::from_utf8_lossy(&body).contains("Action=GetCallerIdentity");
        let (method, uri) = (parts.method.to_string(), parts.uri.to_string());
        self.seen.lock().unwrap().push(Seen { method, uri, headers, body, connection });
        let reply = match self.replies.lock().unwrap().pop_front() {
            Some(reply) => reply,
            None if identity => ok(&who_am_i()),
            None => error(400, "no reply was set"),
        };
        let (status, rest, length, breaks) = match reply {
            Reply::With(status, text) => (status, text.clone(), text.len(), false),
            Reply::CutOff(text) => (200, text[..text.len() / 2].to_owned(), text.len(), true),
            Reply::Silence => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                (500, String::new(), 0, false)
            }
        };
        let breaks = breaks.then(|| Box::pin(tokio::time::sleep(Duration::from_millis(50))));
        let text = Text { rest: Some(Bytes::from(rest)), length: length as u64, breaks };
        Ok(Response::builder().status(status).header("x-amzn-requestid", "request-1").body(text).unwrap())
    }

    /// What to answer next.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// Forgets the replies that are left.
    pub(crate) fn forget_replies(&self) {
        self.replies.lock().unwrap().clear();
    }

    /// The latest request.
    pub(crate) fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().cloned().unwrap()
    }

    /// All requests.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// What STS answers to `GetCallerIdentity`.
pub(crate) fn who_am_i() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/auditor</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}
