//! Properties of the protocols: foreign bytes never make a panic, and what is written is read back.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use http::{HeaderMap, HeaderValue};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use soc2scan::aws::protocol;
use soc2scan::model::{ServiceModel, embedded};

/// One operation of each protocol, and an answer to it.
const ANSWERS: &[(&str, &str, &str)] = &[
    (
        "kms",
        "DescribeKey",
        r#"{"KeyMetadata":{"KeyId":"k","CreationDate":1.5,"Enabled":true,"EncryptionAlgorithms":["a"]}}"#,
    ),
    (
        "lambda",
        "ListFunctions",
        r#"{"Functions":[{"FunctionName":"f","CodeSize":1,"Environment":{"Variables":{"a":"b"}}}]}"#,
    ),
    (
        "s3",
        "GetBucketAcl",
        r#"<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="x" xsi:type="Group"><URI>u</URI></Grantee></Grant></AccessControlList></AccessControlPolicy>"#,
    ),
    (
        "iam",
        "GetRole",
        "<GetRoleResponse><GetRoleResult><Role><MaxSessionDuration>1</MaxSessionDuration><CreateDate>2026-03-01T10:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>",
    ),
    (
        "ec2",
        "DescribeVpcs",
        "<DescribeVpcsResponse><vpcSet><item><isDefault>true</isDefault><tagSet><item><key>a&amp;</key></item></tagSet></item></vpcSet></DescribeVpcsResponse>",
    ),
];

/// Reads `body` as an answer and as an error of every operation in [`ANSWERS`].
fn read_everywhere(status: u16, header: &[u8], body: &[u8]) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert("x-amzn-errortype", value.clone());
        headers.insert("x-amzn-query-error", value.clone());
        headers.insert("x-amzn-requestid", value);
    }
    for (service, operation, _) in ANSWERS {
        let model = embedded::service(service).unwrap();
        let operation = &model.operations[*operation];
        let _ = protocol::parse(&model, operation, status, &headers, body);
        let error = protocol::parse_error(&model, operation, status, &headers, body);
        assert!(!error.code.is_empty());
    }
}

/// Text that is likely to be nearly XML or JSON.
fn markup() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("<"),
        Just(">"),
        Just("/"),
        Just("</"),
        Just("/>"),
        Just("&"),
        Just(";"),
        Just("&amp;"),
        Just("&#x"),
        Just("\""),
        Just("<!"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("<?"),
        Just("?>"),
        Just("="),
        Just(" a='b'"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("null"),
        Just("1e9"),
        Just("-"),
        Just("DescribeVpcsResponse"),
        Just("item"),
        Just("Error"),
        Just("Code"),
        Just("\u{0}"),
        Just("\u{fc}"),
    ];
    vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// A model whose one operation answers what it is sent, and a structure with members of every kind.
fn echo(protocol: &str) -> ServiceModel {
    let thing = json!({ "shape": "Thing", "locationName": "ThingRequest" });
    serde_json::from_value(json!({
        "metadata": { "protocol": protocol, "jsonVersion": "1.1", "targetPrefix": "Echo", "apiVersion": "1" },
        "operations": { "Echo": {
            "name": "Echo", "http": { "method": "POST", "requestUri": "/" }, "input": thing, "output": thing,
        } },
        "shapes": {
            "Thing": { "type": "structure", "members": {
                "Text": { "shape": "Text" }, "Whole": { "shape": "Whole" }, "Number": { "shape": "Number" },
                "Flag": { "shape": "Flag", "locationName": "flag" }, "Bytes": { "shape": "Bytes" },
                "Time": { "shape": "Time" }, "HttpTime": { "shape": "HttpTime" },
                "Things": { "shape": "Things" }, "Texts": { "shape": "Texts", "flattened": true },
                "Map": { "shape": "Map" },
            } },
            "Things": { "type": "list", "member": { "shape": "Thing", "locationName": "item" } },
            "Texts": { "type": "list", "member": { "shape": "Text" } },
            "Map": { "type": "map", "key": { "shape": "Text" }, "value": { "shape": "Thing", "locationName": "v" } },
            "Text": { "type": "string" }, "Whole": { "type": "long" }, "Number": { "type": "double" },
            "Flag": { "type": "boolean" }, "Bytes": { "type": "blob" }, "Time": { "type": "timestamp" },
            "HttpTime": { "type": "timestamp", "timestampFormat": "rfc822" },
        },
    }))
    .unwrap()
}

/// A document of the structure in [`echo`].
fn thing() -> impl Strategy<Value = Value> {
    // XML cannot hold other control characters.
    let text = || "[ -~\t\n\r\u{80}-\u{d7ff}\u{10000}-\u{10ffff}]{0,12}";
    let scalars = (
        option::of(text()),
        option::of(any::<i64>()),
        option::of(any::<i32>().prop_map(|n| f64::from(n) / 8.0)),
        option::of(any::<bool>()),
        option::of(vec(any::<u8>(), 0..9)),
        option::of(0..4_000_000_000_i64),
    );
    let leaf = scalars.prop_map(|(text, whole, number, flag, bytes, time)| {
        use base64::Engine as _;
        let time = time.map(|seconds| jiff::Timestamp::from_second(seconds).unwrap().to_string());
        let bytes = bytes.map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes));
        json!({
            "Text": text, "Whole": whole, "Number": number, "Flag": flag, "Bytes": bytes, "Time": time, "HttpTime": time,
        })
    });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let key = "[a-zA-Z0-9 <&\"\u{e4}]{1,6}";
        let parts = (inner.clone(), option::of(vec(inner.clone(), 0..3)), option::of(vec(text(), 1..3)));
        (parts, option::of(btree_map(key, inner, 0..3))).prop_map(|((mut thing, things, texts), map)| {
            thing["Things"] = json!(things);
            thing["Texts"] = json!(texts);
            thing["Map"] = json!(map);
            thing
        })
    })
}

/// The document without members that are null, which is how absence is read back.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let set = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(set.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_make_a_panic(
        status in 100_u16..600, header in vec(any::<u8>(), 0..20), body in vec(any::<u8>(), 0..200),
    ) {
        read_everywhere(status, &header, &body);
    }

    #[test]
    fn what_is_nearly_a_document_never_makes_a_panic(status in 100_u16..600, body in markup()) {
        read_everywhere(status, b"Code", body.as_bytes());
    }

    #[test]
    fn answers_with_wrong_bytes_in_them_never_make_a_panic(
        which in 0..ANSWERS.len(), edits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(),
    ) {
        let mut body = ANSWERS[which].2.as_bytes().to_vec();
        for (index, byte) in edits {
            let index = index.index(body.len());
            body[index] = byte;
        }
        read_everywhere(200, b"", &body);
        read_everywhere(200, b"", &body[..cut.index(body.len())]);
    }

    #[test]
    fn what_is_written_is_read_back(thing in thing(), protocol in prop_oneof!["json", "rest-json", "rest-xml"]) {
        let model = echo(&protocol);
        let operation = &model.operations["Echo"];
        let sent = protocol::serialize(&model, operation, &thing).unwrap();
        let read = protocol::parse(&model, operation, 200, &HeaderMap::new(), &sent.body).unwrap();
        prop_assert_eq!(read, without_nulls(thing));
    }

    #[test]
    fn a_form_has_one_parameter_for_each_scalar_and_nothing_that_breaks_it(
        thing in thing(), protocol in prop_oneof!["query", "ec2"],
    ) {
        let model = echo(&protocol);
        let sent = protocol::serialize(&model, &model.operations["Echo"], &thing).unwrap();
        let form = String::from_utf8(sent.body).unwrap();
        prop_assert!(form.starts_with("Action=Echo&Version=1"));
        for parameter in form.split('&') {
            prop_assert_eq!(parameter.matches('=').count(), 1, "{}", parameter);
            prop_assert!(parameter.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%=".contains(&b)), "{}", parameter);
        }
    }
}

#[test]
fn the_answers_that_are_damaged_here_are_readable_when_whole() {
    for (service, operation, body) in ANSWERS {
        let model = embedded::service(service).unwrap();
        let read = protocol::parse(&model, &model.operations[*operation], 200, &HeaderMap::new(), body.as_bytes());
        assert!(read.unwrap().as_object().is_some_and(|document| !document.is_empty()), "{service} {operation}");
    }
}
