//! The fake AWS that the other tests trust: it recognises every operation that our models know, and its faults
//! look like the real service's.

mod support;

use serde_json::{Map, Value, json};
use soc2scan::model::{Kind, Operation, ServiceModel, Shape, embedded};
use support::recognise::recognise;

/// What has the same method and path as another operation, so that only its host tells it apart.
const TOLD_APART_BY_HOST: [&str; 1] = ["ListDirectoryBuckets"];

#[test]
fn every_operation_of_every_model_is_recognised_from_its_request() {
    let mut known = 0;
    for name in embedded::services() {
        let model = embedded::service(name).expect("a model");
        for operation in model.operations.values() {
            if TOLD_APART_BY_HOST.contains(&operation.name.as_str()) {
                continue;
            }
            let request = soc2scan::aws::protocol::serialize(&model, operation, &required(&model, operation))
                .unwrap_or_else(|e| panic!("{name}:{}: {e}", operation.name));
            let scope = format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20260301/eu-west-1/{}/aws4_request, SignedHeaders=host",
                model.signing_name()
            );
            let header = |wanted: &str| {
                let given = request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(wanted));
                if wanted == "authorization" { scope.clone() } else { given.map_or(String::new(), |(_, v)| v.clone()) }
            };
            let asked = recognise(&request.method, &request.uri, &header, &request.body)
                .unwrap_or_else(|| panic!("{name}:{} is not recognised: {}", operation.name, request.uri));
            assert_eq!((asked.service.as_str(), asked.operation.as_str()), (name, operation.name.as_str()));
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
