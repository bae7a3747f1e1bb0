//! The fake AWS that the other tests trust: it recognises every operation that our models know, and its faults
//! look like the real service's.

mod support;

use serde_json::{Map, Value, json};
use soc2scan::aws::protocol;
use soc2scan::model::{Kind, Operation, ServiceModel, Shape, embedded};
use std::io::{Read, Write};
use std::net::TcpStream;
use support::fake_aws::{FakeAws, Fault, On};
use support::recognise::recognise;

#[test]
fn every_operation_of_every_model_is_recognised_from_its_request() {
    let mut known = 0;
    for name in embedded::services() {
        let model = embedded::service(name).expect("a model");
        for (called, operation) in &model.operations {
            let request = protocol::serialize(&model, operation, &required(&model, operation))
                .unwrap_or_else(|e| panic!("{name}:{}: {e}", called));
            let scope = format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20260301/eu-west-1/{}/aws4_request, SignedHeaders=host",
                model.signing_name()
            );
            let header = |wanted: &str| {
                let given = request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(wanted));
                if wanted == "authorization" { scope.clone() } else { given.map_or(String::new(), |(_, v)| v.clone()) }
            };
            let asked = recognise(&request.method, &request.uri, &header, &request.body)
                .unwrap_or_else(|| panic!("{name}:{} is not recognised: {}", called, request.uri));
            assert_eq!((asked.service.as_str(), asked.operation.as_str()), (name, called.as_str()));
            assert_eq!(asked.region, "eu-west-1");
            known += 1;
        }
    }
    assert!(known > 100, "only {known} operations");
}

/// A value for every member that the operation requires.
fn required(model: &ServiceModel, operation: &Operation) -> Value {
    let Some(input) = operation.input.as_ref().and_then(|i| model.shape(i)) else { return json!({}) };
    let mut params = Map::new();
    for (name, member) in input.members.iter() {
        if input.required.iter().any(|r| r == name) {
            let shape = model.shape(member).expect("a shape of the model");
            params.insert(name.to_owned(), sample(shape));
        }
    }
    Value::Object(params)
}

fn sample(shape: &Shape) -> Value {
    match shape.kind {
        Kind::Structure | Kind::Map => json!({}),
        Kind::List => json!(["sample"]),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!("2026-03-01T10:00:00Z"),
        Kind::Blob => json!("c2FtcGxl"),
        Kind::String => json!("sample"),
        _ => json!(1),
    }
}

/// One operation of each protocol, and the code that a denial has there.
const ONE_EACH: [(&str, &str, &str); 5] = [
    ("ec2", "DescribeVolumes", "UnauthorizedOperation"),
    ("kms", "ListKeys", "AccessDeniedException"),
    ("guardduty", "ListDetectors", "AccessDeniedException"),
    ("sns", "ListTopics", "AuthorizationError"),
    ("s3", "ListBuckets", "AccessDenied"),
];

#[test]
fn a_denial_reads_as_the_service_writes_it() {
    let aws = FakeAws::alone();
    aws.set([(On::default(), Fault::Denied)]);
    for (service, operation, code) in ONE_EACH {
        let (model, answer) = ask(&aws, service, operation);
        let error =
            protocol::parse_error(&model, &model.operations[operation], answer.status, &answer.headers, &answer.body);
        assert_eq!(error.code, code, "{service}:{operation}");
        assert!(error.message.contains("not authorized"), "{service}:{operation}: {}", error.message);
        assert!(error.status >= 400);
    }
}

#[test]
fn a_throttled_operation_answers_after_its_turn_and_others_at_once() {
    let aws = FakeAws::alone();
    aws.set([
        (On::operation("kms", "ListKeys"), Fault::Throttled(2)),
        (On::default(), Fault::Instead(200, "application/x-amz-json-1.1", "{}".into())),
    ]);
    let status = |operation| ask(&aws, "kms", operation).1.status;
    assert_eq!(
        [status("ListKeys"), status("ListAliases"), status("ListKeys"), status("ListKeys")],
        [400, 200, 400, 200]
    );
}

#[test]
fn credentials_expire_after_as_many_calls_as_one_says() {
    let aws = FakeAws::alone();
    aws.set([
        (On { after: 2, ..On::default() }, Fault::Expired),
        (On::default(), Fault::Instead(200, "application/x-amz-json-1.1", "{}".into())),
    ]);
    let status = || ask(&aws, "kms", "ListKeys").1.status;
    assert_eq!([status(), status(), status(), status()], [200, 200, 400, 400]);
}

#[test]
fn a_cut_off_answer_ends_before_its_length() {
    let aws = FakeAws::alone();
    let body = json!({ "Keys": [{ "KeyId": "one" }] }).to_string();
    let length = body.len();
    let content_type = "application/x-amz-json-1.1";
    aws.set([(On::default(), Fault::CutOff), (On::default(), Fault::Instead(200, content_type, body))]);
    let (_, answer) = ask(&aws, "kms", "ListKeys");
    assert!(answer.body.len() < length, "all of it came");
    assert_eq!(answer.headers["content-length"].to_str().ok(), Some(length.to_string().as_str()));
}

#[test]
fn what_was_asked_is_remembered_and_strangers_are_told() {
    let aws = FakeAws::alone();
    ask(&aws, "kms", "ListKeys");
    ask(&aws, "s3", "ListBuckets");
    let names: Vec<String> = aws.seen().into_iter().map(|a| format!("{}:{}", a.service, a.operation)).collect();
    assert_eq!(names, ["kms:ListKeys", "s3:ListBuckets"]);
    assert!(aws.strangers().is_empty());
    exchange(&aws, "GET", "/nowhere", &[], b"");
    assert_eq!(aws.strangers().len(), 1);
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

/// Makes the smallest request for an operation, signed for show.
fn ask(aws: &FakeAws, service: &str, operation: &str) -> (std::sync::Arc<ServiceModel>, Answer) {
    let model = embedded::service(service).expect("a model");
    let request = protocol::serialize(&model, &model.operations[operation], &json!({})).expect("a request");
    let scope = format!("AWS4-HMAC-SHA256 Credential=AKID/20260301/eu-west-1/{}/aws4_request", model.signing_name());
    let mut headers = request.headers;
    headers.push(("Authorization".into(), scope));
    let answer = exchange(aws, &request.method, &request.uri, &headers, &request.body);
    (model, answer)
}

/// One exchange over a connection of its own, read until the server closes it.
fn exchange(aws: &FakeAws, method: &str, uri: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
    let address = aws.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let mut head = format!("{method} {uri} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("content-length")) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("read");
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok()).expect("a status");
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|l| l.split_once(": ")) {
        headers.insert(http::HeaderName::from_bytes(name.as_bytes()).expect("a name"), value.parse().expect("a value"));
    }
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}
