//! The official protocol vectors: every input and output case of the six protocols.
//!
//! They are looked for in `$SOC2SCAN_VECTORS/protocols`, else in `../shared/vectors/protocols`; where they are not,
//! the tests say so on stderr and pass. Bodies are compared by what they mean: JSON as JSON, forms as sets of
//! parameters, XML as elements.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]
#![expect(clippy::print_stderr, reason = "what is skipped must be said")]

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use soc2scan::aws::protocol::{self, Request};
use soc2scan::model::{Kind, Operation, ServiceModel, ShapeRef};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Cases that do not apply to a program that only reads configurations: id, and why.
const NOT_APPLICABLE: &[(&str, &str)] = &[
    ("RestJsonHttpChecksumRequired", "checksums over the body are for writes; no operation that reads asks for one"),
    ("SDKAppliedContentEncoding_awsJson1_0", GZIP),
    ("SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0", GZIP),
    ("SDKAppliedContentEncoding_awsJson1_1", GZIP),
    ("SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1", GZIP),
    ("SDKAppliedContentEncoding_awsQuery", GZIP),
    ("SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery", GZIP),
    ("SDKAppliedContentEncoding_ec2Query", GZIP),
    ("SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query", GZIP),
    ("SDKAppliedContentEncoding_restJson1", GZIP),
    ("SDKAppendedGzipAfterProvidedEncoding_restJson1", GZIP),
    ("SDKAppliedContentEncoding_restXml", GZIP),
    ("SDKAppendedGzipAfterProvidedEncoding_restXml", GZIP),
];
const GZIP: &str = "large bodies that are sent compressed (PutMetricData) are writes";

/// The idempotency token that the vectors expect where the caller gives none.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    description: String,
    metadata: Value,
    shapes: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    id: String,
    given: Value,
    #[serde(default)]
    params: Value,
    serialized: Option<Serialized>,
    response: Option<Response>,
    #[serde(default)]
    result: Value,
    error: Option<Value>,
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
    #[serde(rename = "errorMessage")]
    error_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Serialized {
    method: Option<String>,
    uri: Option<String>,
    host: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    require_headers: Option<Vec<String>>,
    forbid_headers: Option<Vec<String>>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
}

#[test]
fn requests_are_written_as_the_official_vectors_say() {
    run("input", check_input);
}

#[test]
fn answers_are_read_as_the_official_vectors_say() {
    run("output", check_output);
}

/// Runs `check` on every case of `direction`, and fails with all that do not hold.
fn run(direction: &str, check: fn(&ServiceModel, &Operation, &Case) -> Result<(), String>) {
    let Some(folder) = vectors() else { return };
    let (mut passed, mut left_out, mut failures) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(folder.join(direction)).unwrap() {
        let path = entry.unwrap().path();
        let suites: Vec<Suite> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for suite in suites {
            for case in &suite.cases {
                if NOT_APPLICABLE.iter().any(|(id, _)| *id == case.id) {
                    left_out += 1;
                    continue;
                }
                let name = case.given["name"].as_str().unwrap();
                let model = json!({
                    "metadata": suite.metadata, "shapes": suite.shapes, "operations": { name: case.given },
                });
                let model: ServiceModel = serde_json::from_value(model).unwrap();
                match check(&model, &model.operations[name], case) {
                    Ok(()) => passed += 1,
                    Err(why) => {
                        let file = path.file_name().unwrap().display();
                        failures.push(format!("{file}: {} ({}): {why}", case.id, suite.description));
                    }
                }
            }
        }
    }
    eprintln!("{direction}: {passed} cases pass, {left_out} do not apply");
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
    assert!(passed > 0, "there is no case in {}", folder.display());
}

/// The folder of the protocol vectors, where it is there.
fn vectors() -> Option<PathBuf> {
    let root = std::env::var_os("SOC2SCAN_VECTORS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let folder = root.join("protocols");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no protocol vectors at {}; set SOC2SCAN_VECTORS to where they are", folder.display());
    None
}

fn check_input(model: &ServiceModel, operation: &Operation, case: &Case) -> Result<(), String> {
    let params = match &operation.input {
        Some(input) => document(model, input, &case.params, false),
        None => case.params.clone(),
    };
    let request = protocol::serialize(model, operation, &params).map_err(|error| error.to_string())?;
    let request = if case.params.to_string().contains("-4000-8000-") { request } else { with_known_token(request) };
    let expected = case.serialized.as_ref().unwrap();
    if let Some(method) = &expected.method {
        equal("method", &request.method, method)?;
    }
    check_address(&request, expected)?;
    check_headers(&request, expected)?;
    if let Some(body) = &expected.body {
        check_body(&request, body)?;
    }
    Ok(())
}

/// Host, path and query.
fn check_address(request: &Request, expected: &Serialized) -> Result<(), String> {
    let host = expected.host.as_deref().unwrap_or("example.com");
    // A path in the endpoint is put in front by whoever sends the request.
    let (host, base) = host.split_at(host.find('/').unwrap_or(host.len()));
    if expected.host.is_some() {
        let prefix = request.host_prefix.as_deref().unwrap_or_default();
        equal("host", &format!("{prefix}example.com"), &host.to_owned())?;
    }
    let Some(uri) = &expected.uri else { return Ok(()) };
    let sent = format!("{base}{}", request.uri);
    let split = |uri: &str| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut parameters: Vec<String> = query.split('&').map(str::to_owned).collect();
        parameters.sort();
        (path.to_owned(), parameters)
    };
    equal("uri", &split(&sent), &split(uri))
}

fn check_headers(request: &Request, expected: &Serialized) -> Result<(), String> {
    let sent = |name: &str| request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    for (name, value) in expected.headers.iter().flatten() {
        equal(&format!("header {name}"), &sent(name), &Some(value))?;
    }
    for name in expected.require_headers.iter().flatten() {
        // The HTTP client gives the length of whatever body there is.
        let by_client = name.eq_ignore_ascii_case("content-length") && !request.body.is_empty();
        equal(&format!("has header {name}"), &(by_client || sent(name).is_some()), &true)?;
    }
    for name in expected.forbid_headers.iter().flatten() {
        let by_client = name.eq_ignore_ascii_case("content-length") && !request.body.is_empty();
        equal(&format!("has header {name}"), &(by_client || sent(name).is_some()), &false)?;
    }
    Ok(())
}

fn check_body(request: &Request, expected: &str) -> Result<(), String> {
    let sent = String::from_utf8(request.body.clone()).map_err(|error| error.to_string())?;
    let content_type = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match content_type.map(|(_, value)| value.as_str()) {
        _ if expected.is_empty() => equal("body", sent.as_str(), ""),
        Some("application/xml") => equal("body", &xml(&sent)?, &xml(expected)?),
        Some("application/x-www-form-urlencoded") => equal("body", &form(&sent), &form(expected)),
        Some(json) if json.contains("json") => {
            let read = |text: &str| serde_json::from_str(text).map(numbers).map_err(|error| format!("{error}: {text}"));
            equal::<Value>("body", &read(&sent)?, &read(expected)?)
        }
        _ => equal("body", sent.as_str(), expected),
    }
}

fn check_output(model: &ServiceModel, operation: &Operation, case: &Case) -> Result<(), String> {
    let response = case.response.as_ref().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers.iter().flatten() {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    let body = response.body.as_deref().unwrap_or_default().as_bytes();
    if let Some(error) = &case.error {
        let read = protocol::parse_error(model, operation, response.status_code, &headers, body);
        if let Some(code) = &case.error_code {
            equal("code", &read.code, code)?;
        }
        if let Some(message) = &case.error_message {
            equal("message", &read.message, message)?;
        }
        let fields = match operation.errors.first() {
            Some(shape) => document(model, shape, error, true),
            None => error.clone(),
        };
        for (name, value) in fields.as_object().into_iter().flatten() {
            equal(&format!("error field {name}"), &read.fields.get(name), &Some(value))?;
        }
        return Ok(());
    }
    let read = protocol::parse(model, operation, response.status_code, &headers, body);
    let read = read.map_err(|error| error.to_string())?;
    let expected = match &operation.output {
        Some(output) => document(model, output, &case.result, true),
        None => json!({}),
    };
    let expected = if expected.is_null() { json!({}) } else { expected };
    equal("result", &numbers(read), &numbers(expected))
}

/// A value of the vectors as it stands in our documents: they give times as seconds since 1970 and blobs as text.
fn document(model: &ServiceModel, reference: &ShapeRef, value: &Value, is_output: bool) -> Value {
    let shape = model.shape(reference).unwrap();
    if shape.document || value.is_null() {
        return value.clone();
    }
    if is_output && reference.jsonvalue && reference.location.is_some() {
        return serde_json::from_str(value.as_str().unwrap()).unwrap();
    }
    let convert = |reference: &ShapeRef, value: &Value| document(model, reference, value, is_output);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            let converted = members.iter().map(|(name, value)| {
                let member = shape.members.get(name).unwrap_or_else(|| panic!("no member {name}"));
                (name.clone(), convert(member, value))
            });
            Value::Object(converted.collect::<Map<_, _>>())
        }
        (Kind::List, Value::Array(elements)) => {
            let member = shape.member.as_ref().unwrap();
            elements.iter().map(|element| convert(member, element)).collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let member = shape.value.as_ref().unwrap();
            let converted = entries.iter().map(|(key, value)| (key.clone(), convert(member, value)));
            Value::Object(converted.collect::<Map<_, _>>())
        }
        (Kind::Timestamp, Value::Number(seconds)) => {
            let microseconds = (seconds.as_f64().unwrap() * 1e6).round();
            Timestamp::from_microsecond(microseconds as i64).unwrap().to_string().into()
        }
        (Kind::Blob, Value::String(text)) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(text).into()
        }
        _ => value.clone(),
    }
}

/// The value with all numbers as floating-point ones, for `5` and `5.0` are the same.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Number(number), Value::from),
        Value::Array(elements) => elements.into_iter().map(numbers).collect(),
        Value::Object(members) => Value::Object(members.into_iter().map(|(k, v)| (k, numbers(v))).collect()),
        other => other,
    }
}

/// The request with the one idempotency token that the vectors know in the place of a fresh one.
fn with_known_token(mut request: Request) -> Request {
    let uuid = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").unwrap();
    request.uri = uuid.replace_all(&request.uri, TOKEN).into_owned();
    for (_, value) in &mut request.headers {
        *value = uuid.replace_all(value, TOKEN).into_owned();
    }
    if let Ok(body) = String::from_utf8(request.body.clone()) {
        request.body = uuid.replace_all(&body, TOKEN).into_owned().into_bytes();
    }
    request
}

/// The parameters of a form, sorted.
fn form(text: &str) -> Vec<String> {
    let mut parameters: Vec<String> = text.trim().split('&').map(str::to_owned).collect();
    parameters.sort();
    parameters
}

/// An element: name with prefix, attributes, text where it has no elements, and elements; those of different names in
/// any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Element>,
}

fn xml(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text.trim());
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| format!("{error}: {text}"))? {
            Event::Start(start) => open.push(begin(&start)),
            Event::Empty(start) => open.last_mut().unwrap().children.push(begin(&start)),
            Event::End(_) => {
                let mut element = open.pop().unwrap();
                if !element.children.is_empty() {
                    element.text.clear();
                }
                element.children.sort_by(|a, b| a.name.cmp(&b.name));
                open.last_mut().unwrap().children.push(element);
            }
            Event::Text(text) => open.last_mut().unwrap().text += &text.xml10_content(),
            Event::GeneralRef(reference) => open.last_mut().unwrap().text += &format!("&{};", &*reference),
            Event::Eof => return Ok(open.remove(0).children.remove(0)),
            _ => {}
        }
    }
}

fn begin(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(Result::unwrap);
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: attributes.map(|a| (a.key.as_ref().to_owned(), a.value.into_owned())).collect(),
        ..Element::default()
    }
}

fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, got: &T, expected: &T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}: got {got:?}, expected {expected:?}")) }
}
