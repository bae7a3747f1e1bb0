//! Errors that services answer with: their code, message and request id, in every form that is seen.
//!
//! This must never fail: whatever the bytes are, there is a code, if only the HTTP status.

use super::error::ParseError;
use super::error::Path;
use super::xml::{Element, read_document};
use super::{Codec, json};
use crate::model::{Operation, Protocol, ServiceModel, Shape};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

/// An error that a service answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// The code that AWS documents (`AccessDenied`); the HTTP status in digits where the answer has none.
    pub code: String,
    /// What the service says about it; may be empty.
    pub message: String,
    /// The id to ask AWS support about; may be empty.
    pub request_id: String,
    /// The HTTP status.
    pub status: u16,
    /// What else the error carries: by the model where it knows the error, as on the wire otherwise. An object.
    pub fields: Value,
}

/// The error in an answer whose status is not of success.
pub fn parse_error(
    model: &ServiceModel,
    operation: &Operation,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> ServiceError {
    let codec = Codec { model };
    let found = match model.metadata.protocol {
        Protocol::Json | Protocol::RestJson => codec.json_error(operation, status, headers, body),
        Protocol::RestXml | Protocol::Query | Protocol::Ec2 => codec.xml_error(operation, status, headers, body),
    };
    let Found { code, message, fields } = found;
    let (code, message) = if code.is_empty() {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        (status.to_string(), if message.is_empty() { reason.unwrap_or_default().to_owned() } else { message })
    } else {
        (code, message)
    };
    ServiceError { code, message, request_id: request_id(headers, body), status, fields: Value::Object(fields) }
}

/// The request id in an answer: from its headers, or else from an XML body; empty where it has none.
pub fn request_id(headers: &HeaderMap, body: &[u8]) -> String {
    let names = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];
    let mut in_headers = names.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    if let Some(id) = in_headers.find(|id| !id.is_empty()) {
        return id.to_owned();
    }
    if !body.trim_ascii_start().starts_with(b"<") {
        return String::new();
    }
    let Ok(root) = read_document(body) else { return String::new() };
    let metadata = root.child("ResponseMetadata");
    let places = [Some(&root), metadata, error_element(&root)];
    let names = ["RequestId", "requestId", "RequestID"];
    let mut ids = places.into_iter().flatten().flat_map(|place| names.map(|name| place.text_of(name)));
    ids.find(|id| !id.is_empty()).unwrap_or_default()
}

/// The error in an answer whose status is of success.
pub(super) fn disguised_error(
    model: &ServiceModel,
    operation: &Operation,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> ParseError {
    ParseError::Disguised(Box::new(parse_error(model, operation, status, headers, body)))
}

/// What was found out about an error; empty what was not.
#[derive(Default)]
struct Found {
    code: String,
    message: String,
    fields: Map<String, Value>,
}

impl Codec<'_> {
    fn json_error(&self, operation: &Operation, status: u16, headers: &HeaderMap, body: &[u8]) -> Found {
        let on_wire = match json::json_body(body) {
            Ok(Some(Value::Object(members))) => members,
            _ => Map::new(),
        };
        let text = |name: &str| on_wire.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let places = [header("x-amzn-errortype"), text("__type"), text("code"), text("Code")];
        let code = bare_code(places.into_iter().flatten().next().unwrap_or_default());
        let messages = [text("message"), text("Message"), text("errorMessage"), header("x-amzn-error-message")];
        let message = messages.into_iter().flatten().next().unwrap_or_default().to_owned();
        let body = Value::Object(on_wire.clone());
        let modeled = self.error_shape(operation, &code).and_then(|shape| {
            let inside = self.read_json_structure(shape, &body, &Path::Root).ok()?;
            self.with_headers(shape, inside, status, headers)
        });
        let older = header("x-amzn-query-error").and_then(|both| both.split(';').next());
        Found {
            code: older.filter(|code| !code.is_empty()).map_or(code, str::to_owned),
            message,
            fields: modeled.unwrap_or(on_wire),
        }
    }

    fn xml_error(&self, operation: &Operation, status: u16, headers: &HeaderMap, body: &[u8]) -> Found {
        let Ok(root) = read_document(body) else { return Found::default() };
        let Some(error) = error_element(&root) else { return Found::default() };
        let code = bare_code(&error.text_of("Code"));
        let modeled = self.error_shape(operation, &code).and_then(|shape| {
            let inside = self.read_xml_structure(shape, error, &Path::Root).ok()?;
            self.with_headers(shape, inside, status, headers)
        });
        let message = [error.text_of("Message"), error.text_of("message")].into_iter().find(|text| !text.is_empty());
        Found { code, message: message.unwrap_or_default(), fields: modeled.unwrap_or_else(|| texts(error)) }
    }

    /// The shape of the error of that code: one that the operation declares, or else any of the service.
    fn error_shape(&self, operation: &Operation, code: &str) -> Option<&Shape> {
        let has_code = |name: &str, shape: &Shape| {
            shape.exception && shape.error.as_ref().and_then(|e| e.code.as_deref()).unwrap_or(name) == code
        };
        let declared = operation.errors.iter().filter_map(|error| Some((error.shape.as_str(), self.shape(error)?)));
        let any = self.model.shapes.iter().map(|(name, shape)| (name.as_str(), shape));
        let by_code = declared.chain(any).find(|(name, shape)| has_code(name, shape));
        by_code.map(|(_, shape)| shape).or_else(|| self.model.shapes.get(code).filter(|shape| shape.exception))
    }

    /// The members of an error's body and those in headers.
    fn with_headers(
        &self,
        shape: &Shape,
        inside: Value,
        status: u16,
        headers: &HeaderMap,
    ) -> Option<Map<String, Value>> {
        let Value::Object(inside) = inside else { return None };
        let mut members = self.read_outside(shape, status, headers).ok()?;
        members.extend(inside);
        Some(members)
    }
}

/// The code without the namespace before it and the address after it:
/// `aws.protocoltests#FooError:http://…` is `FooError`.
fn bare_code(code: &str) -> String {
    let without_address = code.split(':').next().unwrap_or_default();
    without_address.rsplit('#').next().unwrap_or_default().trim().to_owned()
}

/// The element that describes the error: `Error` itself (S3), or in `ErrorResponse` (awsQuery, restXml), or in
/// `Response` and `Errors` (ec2Query).
fn error_element(root: &Element) -> Option<&Element> {
    if root.name == "Error" {
        return Some(root);
    }
    root.child("Error").or_else(|| root.child("Errors")?.child("Error"))
}

/// The texts directly in an element, by name.
fn texts(element: &Element) -> Map<String, Value> {
    let texts = element.children.iter().filter(|child| child.children.is_empty());
    texts.map(|child| (child.name.clone(), Value::String(child.text.clone()))).collect()
}
