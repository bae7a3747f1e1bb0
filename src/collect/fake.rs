//! An AWS in memory, for the tests of this module: it answers by the API models, or as a test says.

use super::api::{Api, ApiCall, ApiError};
use crate::inventory::{LedgerEntry, Reason};
use crate::model::{Kind, ServiceModel, embedded};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Pages, and the error that ends them, if one does.
pub(super) type Script = (Vec<Value>, Option<ApiError>);
type Handler = Box<dyn Fn(&ApiCall<'_>) -> Script + Send + Sync>;

#[derive(Default)]
pub(super) struct Fake {
    handlers: BTreeMap<String, Handler>,
    /// Whether operations that no handler is for are answered by the model; else they are denied.
    by_model: bool,
    /// The partition; `aws` where it is empty.
    partition: &'static str,
    pub(super) calls: Mutex<Vec<String>>,
}

pub(super) fn error(reason: Reason, code: &str) -> ApiError {
    ApiError {
        reason,
        unsupported: false,
        absent: false,
        code: code.into(),
        message: format!("{code}!"),
        request_id: "r".into(),
        elsewhere: None,
    }
}

pub(super) fn denied() -> ApiError {
    error(Reason::Denied, "AccessDenied")
}

impl Fake {
    /// Denies everything that no handler is for.
    pub(super) fn strict() -> Fake {
        Fake::default()
    }

    pub(super) fn in_partition(self, partition: &'static str) -> Fake {
        Fake { partition, ..self }
    }

    /// Answers everything with one of each. The way up an organization ends at once, and what complies are patches.
    pub(super) fn generous() -> Fake {
        let root = json!({"Parents": [{"Id": "r-ab12", "Type": "ROOT"}]});
        let patches = json!({"ResourceComplianceSummaryItems": [{"ResourceId": "i-1", "ComplianceType": "Patch"}]});
        Fake { by_model: true, ..Fake::default() }
            .answers("organizations:ListParents", root)
            .answers("ssm:ListResourceComplianceSummaries", patches)
    }

    pub(super) fn on(
        mut self,
        operation: &str,
        handler: impl Fn(&ApiCall<'_>) -> Script + Send + Sync + 'static,
    ) -> Fake {
        self.handlers.insert(operation.to_owned(), Box::new(handler));
        self
    }

    pub(super) fn answers(self, operation: &str, answer: Value) -> Fake {
        self.on(operation, move |_| (vec![answer.clone()], None))
    }

    pub(super) fn fails(self, operation: &str, failure: ApiError) -> Fake {
        self.on(operation, move |_| (Vec::new(), Some(failure.clone())))
    }

    pub(super) fn called(&self, operation: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|c| c.split(' ').next() == Some(operation)).count()
    }

    fn script(&self, call: &ApiCall<'_>) -> Script {
        let name = format!("{}:{}", call.service, call.operation);
        self.calls.lock().unwrap().push(format!("{name} {} {}", call.region, call.subject));
        match self.handlers.get(&name) {
            Some(handler) => {
                let (pages, failure) = handler(call);
                (pages, failure.map(|f| ApiError { absent: call.absent_on.contains(&f.code), ..f }))
            }
            None if self.by_model => (vec![by_model(call)], None),
            None => (Vec::new(), Some(denied())),
        }
    }
}

impl Api for Fake {
    fn account(&self) -> &str {
        "111122223333"
    }

    fn partition(&self) -> &str {
        if self.partition.is_empty() { "aws" } else { self.partition }
    }

    fn principal(&self) -> &str {
        "arn:aws:iam::111122223333:role/scan"
    }

    fn home_region(&self) -> &str {
        "us-east-1"
    }

    async fn call(&self, call: ApiCall<'_>) -> Result<Value, ApiError> {
        tokio::task::yield_now().await;
        let (mut pages, failure) = self.script(&call);
        match failure {
            Some(failure) => Err(failure),
            None => Ok(pages.swap_remove(0)),
        }
    }

    async fn pages(&self, call: ApiCall<'_>, page: &mut (dyn FnMut(Value) + Send)) -> Result<(), ApiError> {
        tokio::task::yield_now().await;
        let (pages, failure) = self.script(&call);
        pages.into_iter().for_each(page);
        failure.map_or(Ok(()), Err)
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        Vec::new()
    }
}

/// An answer that has every member of the model, with one element in every list.
fn by_model(call: &ApiCall<'_>) -> Value {
    if call.operation == "GetCredentialReport" {
        let csv =
            format!("user,password_enabled,mfa_active\n{},true,true\n<root_account>,true,true\n", text("UserName"));
        return json!({"Content": STANDARD.encode(csv), "GeneratedTime": "2026-03-01T10:00:00Z"});
    }
    let model = embedded::service(call.service).expect("a model");
    let output = model.operations[call.operation].output.as_ref().map(|o| o.shape.clone());
    output.map_or(json!({}), |shape| value(&model, &shape, "", 0))
}

fn text(member: &str) -> String {
    // Policies are JSON in strings; ARNs must look like one.
    if member.contains("olic") && !member.ends_with("Arn") {
        return "{}".into();
    }
    format!("arn:aws:fake:::{member}")
}

fn value(model: &ServiceModel, shape: &str, member: &str, depth: usize) -> Value {
    let s = &model.shapes[shape];
    if s.percent_encoded_json {
        return json!({"Version": "2012-10-17"});
    }
    match s.kind {
        Kind::Structure if depth > 6 => json!({}),
        Kind::Structure => {
            let members = s.members.iter().map(|(n, m)| (n.to_owned(), value(model, &m.shape, n, depth + 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Kind::List => {
            let element = s.member.as_ref().map(|m| value(model, &m.shape, member, depth + 1));
            Value::Array(element.into_iter().collect())
        }
        Kind::Map => json!({ "key": value(model, &s.value.as_ref().expect("a value").shape, member, depth + 1) }),
        Kind::Boolean => true.into(),
        Kind::Integer | Kind::Double => 1.into(),
        Kind::Timestamp => "2026-01-01T00:00:00Z".into(),
        Kind::Blob => "QQ==".into(),
        Kind::String => text(member).into(),
    }
}
