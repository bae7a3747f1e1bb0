//! The wire formats of AWS's APIs: awsJson 1.0 and 1.1, restJson1, restXml, awsQuery, ec2Query.
//!
//! Turns documents (JSON in the API's own member names) into HTTP requests, and answers into documents, as the
//! model says. Pure: no network, no clock, no credentials. It must never turn bytes that it cannot read into an
//! empty document: what is not what the model says is a [`ParseError`] that names the member.
//!
//! In documents a timestamp is an RFC 3339 string in UTC with at most microseconds, a blob is a base64 string, and a
//! floating-point number that JSON lacks is `"NaN"`, `"Infinity"` or `"-Infinity"`. Members that the model does not
//! know are left out. Source of the rules: the AWS protocols of the Smithy specification; where real services differ
//! from it, what botocore does.

mod error;
mod failure;
mod json;
mod query;
mod rest;
mod scalar;
#[cfg(test)]
mod tests;
mod xml;

pub use error::{ParseError, SerializeError};
pub use failure::{ServiceError, parse_error, request_id};

use crate::model::{Kind, Location, Operation, Protocol, ServiceModel, Shape, ShapeRef};
use error::Path;
use http::HeaderMap;
use serde_json::{Map, Value};
use std::hash::{BuildHasher, RandomState};

/// A request, all but the host and the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Path and query, percent-encoded; begins with `/`.
    pub uri: String,
    /// Headers in the order of the model, without `Content-Length` and what signing adds.
    pub headers: Vec<(String, String)>,
    /// The body; empty where the operation sends none.
    pub body: Vec<u8>,
    /// What goes in front of the endpoint's host name, its dot included (`123456789012.`). Not for endpoints that
    /// the user gave, nor where the endpoint rules have put it there already.
    pub host_prefix: Option<String>,
}

/// The request for `operation` with `params`, an object (or null) by the names of input members.
///
/// Members that are null are left out. Members that the caller does not give are filled from the operation's defaults;
/// an idempotency token with a fresh UUID.
///
/// # Errors
/// Where a parameter is unknown, is not of its type, or is missing though the path or the host needs it.
pub fn serialize(model: &ServiceModel, operation: &Operation, params: &Value) -> Result<Request, SerializeError> {
    let codec = Codec { model };
    let params = codec.complete(operation, params)?;
    let mut request = match model.metadata.protocol {
        Protocol::Json => codec.json_request(operation, &params)?,
        Protocol::RestJson | Protocol::RestXml => codec.rest_request(operation, &params)?,
        Protocol::Query | Protocol::Ec2 => codec.query_request(operation, &params)?,
    };
    request.host_prefix = codec.host_prefix(operation, &params)?;
    Ok(request)
}

/// The document in a successful answer to `operation`; an empty object where the operation answers nothing.
///
/// # Errors
/// Where the body is not JSON or XML, is an error in disguise (S3 sends some with status 200), or a member in it is not
/// of its type.
pub fn parse(
    model: &ServiceModel,
    operation: &Operation,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, ParseError> {
    let codec = Codec { model };
    let Some(output) = &operation.output else { return Ok(Value::Object(Map::new())) };
    match model.metadata.protocol {
        Protocol::Json => codec.json_answer(output, body),
        Protocol::RestJson | Protocol::RestXml => codec.rest_answer(operation, output, status, headers, body),
        Protocol::Query | Protocol::Ec2 => codec.xml_answer(operation, output, body),
    }
}

/// A model, and everything that reads and writes by it.
#[derive(Clone, Copy)]
struct Codec<'m> {
    model: &'m ServiceModel,
}

impl<'m> Codec<'m> {
    /// The shape that `reference` points to.
    fn shape(&self, reference: &ShapeRef) -> Option<&'m Shape> {
        self.model.shape(reference)
    }

    /// The shape that is written at `path`.
    fn shape_to_write(&self, reference: &ShapeRef, path: &Path<'_>) -> Result<&'m Shape, SerializeError> {
        self.shape(reference).ok_or_else(|| SerializeError::no_shape(path, &reference.shape))
    }

    /// The shape that is read at `path`.
    fn shape_to_read(&self, reference: &ShapeRef, path: &Path<'_>) -> Result<&'m Shape, ParseError> {
        self.shape(reference).ok_or_else(|| ParseError::no_shape(path, &reference.shape))
    }

    /// `params` as an object, checked for unknown members, with defaults and idempotency tokens.
    fn complete(&self, operation: &Operation, params: &Value) -> Result<Map<String, Value>, SerializeError> {
        let given = match params {
            Value::Null => Map::new(),
            Value::Object(given) => given.clone(),
            other => return Err(SerializeError::wrong_type(&Path::Root, "an object", other)),
        };
        let Some(input) = &operation.input else {
            return match given.keys().next() {
                Some(name) => Err(SerializeError::unknown(&Path::Root, name)),
                None => Ok(given),
            };
        };
        let shape = self.shape_to_write(input, &Path::Root)?;
        self.check_known(shape, &given, &Path::Root)?;
        let mut complete = given;
        for (name, value) in &operation.defaults {
            if absent(&complete, name) {
                complete.insert(name.clone(), value.clone());
            }
        }
        for (name, member) in shape.members.iter() {
            if member.idempotency_token && absent(&complete, name) {
                complete.insert(name.to_owned(), Value::String(fresh_uuid()));
            }
        }
        Ok(complete)
    }

    /// Refuses members that `shape` does not have.
    fn check_known(&self, shape: &Shape, given: &Map<String, Value>, path: &Path<'_>) -> Result<(), SerializeError> {
        match given.keys().find(|name| shape.members.get(name).is_none()) {
            Some(name) => Err(SerializeError::unknown(path, name)),
            None => Ok(()),
        }
    }

    /// The operation's host prefix with its labels filled in.
    fn host_prefix(
        &self,
        operation: &Operation,
        params: &Map<String, Value>,
    ) -> Result<Option<String>, SerializeError> {
        let Some(endpoint) = &operation.endpoint else { return Ok(None) };
        let mut prefix = endpoint.host_prefix.clone();
        let shape = operation.input.as_ref().and_then(|input| self.shape(input));
        for (name, _) in shape.iter().flat_map(|shape| shape.members.iter()).filter(|(_, member)| member.host_label) {
            let placeholder = format!("{{{name}}}");
            if !prefix.contains(&placeholder) {
                continue;
            }
            let label = params.get(name).and_then(Value::as_str).unwrap_or_default();
            if label.is_empty() || !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
                return Err(SerializeError::not_a_host_label(name));
            }
            prefix = prefix.replace(&placeholder, label);
        }
        Ok(Some(prefix))
    }
}

/// Whether `name` is not given, or null.
fn absent(params: &Map<String, Value>, name: &str) -> bool {
    params.get(name).is_none_or(Value::is_null)
}

/// Whether a member of an answer is in its body. Structures that are sent as well as answered have members that belong
/// into a path or a query string; in an answer there is neither.
fn is_in_answer_body(member: &ShapeRef) -> bool {
    !matches!(member.location, Some(Location::Header | Location::Headers | Location::StatusCode))
}

/// Whether the elements of `shape` follow each other without a wrapper.
fn is_flattened(reference: &ShapeRef, shape: &Shape) -> bool {
    matches!(shape.kind, Kind::List | Kind::Map) && (reference.flattened || shape.flattened)
}

/// The name of the elements of a flattened list or map that is member `name`.
///
/// The member's own wire name comes first. Without one, a list that is flattened wherever it is used has the name of
/// its elements; one that is flattened only here has the member's name.
fn flattened_name<'a>(name: &'a str, reference: &'a ShapeRef, shape: &'a Shape) -> &'a str {
    let of_elements = shape.member.as_ref().filter(|_| shape.flattened && !reference.flattened);
    let declared = reference.location_name.as_deref();
    declared.or_else(|| of_elements.and_then(|element| element.location_name.as_deref())).unwrap_or(name)
}

/// A version 4 UUID. It need not be unpredictable, only not used before.
fn fresh_uuid() -> String {
    let random = || RandomState::new().hash_one(std::time::Instant::now());
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}
