//! The protocols on real operations of the embedded models, and on answers that are not what the model says.

use super::*;
use crate::model::embedded::service;
use http::{HeaderName, HeaderValue};
use serde_json::json;

fn request(service_name: &str, operation: &str, params: Value) -> Result<Request, SerializeError> {
    let model = service(service_name).unwrap();
    serialize(&model, &model.operations[operation], &params)
}

fn answer(service_name: &str, operation: &str, body: &str) -> Result<Value, ParseError> {
    let model = service(service_name).unwrap();
    parse(&model, &model.operations[operation], 200, &HeaderMap::new(), body.as_bytes())
}

fn error(service_name: &str, operation: &str, status: u16, headers: &[(&str, &str)], body: &str) -> ServiceError {
    let model = service(service_name).unwrap();
    let header =
        |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    let headers = headers.iter().map(header).collect();
    parse_error(&model, &model.operations[operation], status, &headers, body.as_bytes())
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[test]
fn an_ec2_request_is_a_form() {
    let params = json!({ "Filters": [{ "Name": "vpc-id", "Values": ["vpc-1", "vpc-2"] }], "MaxResults": 5 });
    let request = request("ec2", "DescribeSecurityGroups", params).unwrap();
    assert_eq!((request.method.as_str(), request.uri.as_str()), ("POST", "/"));
    let expected = "Action=DescribeSecurityGroups&Version=2016-11-15&MaxResults=5\
        &Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2";
    let sorted = |form: &str| {
        let mut parameters: Vec<String> = form.split('&').map(str::to_owned).collect();
        parameters.sort();
        parameters
    };
    assert_eq!(sorted(body(&request)), sorted(expected));
}

#[test]
fn a_rest_request_puts_members_where_the_model_says() {
    let params = json!({ "FunctionName": "arn:aws:lambda:eu-west-1:1:function:f", "Qualifier": "a b" });
    let request = request("lambda", "GetPolicy", params).unwrap();
    let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/policy?Qualifier=a%20b";
    assert_eq!((request.method.as_str(), request.uri.as_str(), request.body.len()), ("GET", path, 0));
}

#[test]
fn an_s3_subresource_stays_in_the_query_string() {
    let request = request("s3", "GetBucketAcl", json!({ "Bucket": "b" })).unwrap();
    assert_eq!(request.uri, "/b?acl");
}

#[test]
fn a_label_must_not_be_empty_for_the_path_would_be_another_operation() {
    let refused = request("lambda", "GetPolicy", json!({ "FunctionName": "" })).unwrap_err();
    assert_eq!(refused.to_string(), "FunctionName must be given");
    assert_eq!(request("lambda", "GetPolicy", json!({})).unwrap_err(), refused);
}

#[test]
fn the_account_goes_in_front_of_the_host_and_into_a_header() {
    let request = request("s3control", "GetPublicAccessBlock", json!({ "AccountId": "123456789012" })).unwrap();
    assert_eq!(request.host_prefix.as_deref(), Some("123456789012."));
    assert!(request.headers.contains(&("x-amz-account-id".to_owned(), "123456789012".to_owned())));
}

#[test]
fn a_host_label_cannot_lead_to_another_host() {
    let refused = request("s3control", "GetPublicAccessBlock", json!({ "AccountId": "evil.example/" }));
    assert!(matches!(refused, Err(SerializeError::Type { .. })), "{refused:?}");
}

#[test]
fn an_unknown_parameter_is_refused_by_name() {
    let top = request("kms", "DescribeKey", json!({ "KeyID": "k" })).unwrap_err();
    assert_eq!(top.to_string(), "KeyID is not a parameter of the operation");
    let inner = request("ec2", "DescribeVpcs", json!({ "Filters": [{ "Nam": "x" }] })).unwrap_err();
    assert_eq!(inner.to_string(), "Filters[0].Nam is not a parameter of the operation");
}

#[test]
fn a_parameter_of_a_wrong_type_is_refused_by_path() {
    let refused = request("ec2", "DescribeVpcs", json!({ "VpcIds": ["vpc-1", 2] })).unwrap_err();
    assert_eq!(refused.to_string(), "VpcIds[1] must be text, not a number");
}

#[test]
fn a_line_break_cannot_go_into_a_header() {
    let refused = request("s3", "GetBucketAcl", json!({ "Bucket": "b", "ExpectedBucketOwner": "1\r\nHost: x" }));
    assert!(refused.is_err());
}

#[test]
fn an_ec2_answer_is_read() {
    let body = r#"<?xml version="1.0"?><DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
        <requestId>r-1</requestId><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault><newThing>1</newThing>
        <tagSet/></item></vpcSet></DescribeVpcsResponse>"#;
    let read = answer("ec2", "DescribeVpcs", body).unwrap();
    assert_eq!(read, json!({ "Vpcs": [{ "IsDefault": true, "Tags": [], "VpcId": "vpc-1" }] }));
    assert_eq!(request_id(&HeaderMap::new(), body.as_bytes()), "r-1");
}

#[test]
fn whole_numbers_are_exact() {
    let read = answer("lambda", "GetFunctionConfiguration", r#"{"CodeSize": 9007199254740993}"#).unwrap();
    assert_eq!(read["CodeSize"].as_i64(), Some(9_007_199_254_740_993));
    let too_large = answer("lambda", "GetFunctionConfiguration", r#"{"CodeSize": 9223372036854775808}"#);
    assert!(matches!(too_large, Err(ParseError::Type { .. })), "{too_large:?}");
}

#[test]
fn times_are_rfc_3339_whatever_is_on_the_wire() {
    let read = answer("kms", "DescribeKey", r#"{"KeyMetadata": {"KeyId": "k", "CreationDate": 1772359200.125}}"#);
    assert_eq!(read.unwrap()["KeyMetadata"]["CreationDate"], "2026-03-01T10:00:00.125Z");
    let read = answer("lambda", "GetFunctionConfiguration", r#"{"LastModified": "2026-03-01T10:00:00.000+0000"}"#);
    // It is text in the model, and stays what it was.
    assert_eq!(read.unwrap()["LastModified"], "2026-03-01T10:00:00.000+0000");
}

#[test]
fn a_member_of_a_wrong_type_is_an_error_that_names_it_and_does_not_show_it() {
    let wrong = answer("kms", "ListKeys", r#"{"Keys": [{"KeyId": "k"}, {"KeyId": 12}]}"#).unwrap_err();
    assert_eq!(wrong.to_string(), "in the answer Keys[1].KeyId should be text, and is a number");
    let wrong = answer("kms", "ListKeys", r#"{"Keys": {"secret": "value"}}"#).unwrap_err();
    assert_eq!(wrong.to_string(), "in the answer Keys should be a list, and is an object");
    let xml =
        "<DescribeVpcsResponse><vpcSet><item><isDefault>perhaps</isDefault></item></vpcSet></DescribeVpcsResponse>";
    let wrong = answer("ec2", "DescribeVpcs", xml).unwrap_err();
    assert_eq!(wrong.to_string(), "in the answer Vpcs[0].IsDefault should be true or false, and is other text");
}

#[test]
fn an_answer_that_is_cut_off_is_an_error() {
    for (name, operation, body) in [
        ("ec2", "DescribeVpcs", "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item>"),
        ("kms", "ListKeys", r#"{"Keys": [{"KeyId": "k"}"#),
        ("iam", "ListUsers", "<ListUsersResponse><ListUsersResult>"),
        ("s3", "ListBuckets", "<ListAllMyBucketsResult><Buckets>"),
    ] {
        let read = answer(name, operation, body);
        assert!(matches!(read, Err(ParseError::Syntax { .. })), "{name}: {read:?}");
    }
}

#[test]
fn a_web_page_is_not_an_empty_answer() {
    let page = "<html><body>Please sign in</body></html>";
    for (name, operation) in [("ec2", "DescribeVpcs"), ("iam", "ListUsers"), ("s3", "ListBuckets"), ("kms", "ListKeys")]
    {
        assert!(answer(name, operation, page).is_err(), "{name}");
    }
}

#[test]
fn an_empty_body_is_not_an_empty_list_where_xml_is_due() {
    assert!(answer("ec2", "DescribeVpcs", "").is_err());
    assert!(answer("iam", "ListUsers", "").is_err());
}

#[test]
fn an_error_with_status_200_is_an_error() {
    let body = "<Error><Code>InternalError</Code><Message>We</Message><RequestId>R</RequestId></Error>";
    match answer("s3", "ListBuckets", body) {
        Err(ParseError::Disguised(error)) => {
            assert_eq!((error.code.as_str(), error.request_id.as_str()), ("InternalError", "R"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn iam_policies_are_decoded_and_stay_text_where_they_are_not_json() {
    let body = |policy: &str| {
        format!(
            "<GetRoleResponse><GetRoleResult><Role><AssumeRolePolicyDocument>{policy}</AssumeRolePolicyDocument></Role>\
             </GetRoleResult></GetRoleResponse>"
        )
    };
    let read = answer("iam", "GetRole", &body("%7B%22Statement%22%3A%5B%5D%7D")).unwrap();
    assert_eq!(read["Role"]["AssumeRolePolicyDocument"], json!({ "Statement": [] }));
    let read = answer("iam", "GetRole", &body("%7Bbroken")).unwrap();
    assert_eq!(read["Role"]["AssumeRolePolicyDocument"], "%7Bbroken");
}

#[test]
fn the_region_of_a_bucket_is_the_text_of_the_answer() {
    let body = |region: &str| format!(r#"<LocationConstraint xmlns="http://s3/">{region}</LocationConstraint>"#);
    assert_eq!(answer("s3", "GetBucketLocation", &body("eu-west-1")).unwrap()["LocationConstraint"], "eu-west-1");
    assert_eq!(answer("s3", "GetBucketLocation", &body("")).unwrap(), json!({}));
}

#[test]
fn object_keys_are_asked_for_percent_encoded_and_decoded() {
    let request = request("s3", "ListObjectsV2", json!({ "Bucket": "b" })).unwrap();
    assert_eq!(request.uri, "/b?list-type=2&encoding-type=url");
    let body = "<ListBucketResult><EncodingType>url</EncodingType><Prefix>a%2F</Prefix>\
        <Contents><Key>a%2Fb+c%20%C3%BC</Key></Contents></ListBucketResult>";
    let read = answer("s3", "ListObjectsV2", body).unwrap();
    assert_eq!((&read["Prefix"], &read["Contents"][0]["Key"]), (&Value::from("a/"), &Value::from("a/b+c \u{fc}")));
    let bare = "<ListBucketResult><Contents><Key>a%2Fb</Key></Contents></ListBucketResult>";
    assert_eq!(answer("s3", "ListObjectsV2", bare).unwrap()["Contents"][0]["Key"], "a%2Fb");
}

#[test]
fn attributes_are_found_under_any_prefix() {
    let body = |prefix: &str| {
        format!(
            r#"<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:{prefix}="http://www.w3.org/2001/XMLSchema-instance"
               {prefix}:type="Group"><URI>u</URI></Grantee></Grant></AccessControlList></AccessControlPolicy>"#
        )
    };
    for prefix in ["xsi", "x"] {
        let read = answer("s3", "GetBucketAcl", &body(prefix)).unwrap();
        assert_eq!(read["Grants"][0]["Grantee"], json!({ "Type": "Group", "URI": "u" }));
    }
}

#[test]
fn errors_of_every_protocol_give_code_message_and_request_id() {
    let ec2 = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors>\
        <RequestID>id</RequestID></Response>";
    let query = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>\
        <RequestId>id</RequestId></ErrorResponse>";
    let s3 = "<Error><Code>AccessDenied</Code><Message>no</Message><RequestId>id</RequestId></Error>";
    let json = r#"{"__type": "com.amazonaws.kms#AccessDeniedException", "Message": "no"}"#;
    let id = [("x-amzn-RequestId", "id")];
    for (error, code) in [
        (error("ec2", "DescribeVpcs", 403, &[], ec2), "UnauthorizedOperation"),
        (error("iam", "ListUsers", 403, &[], query), "AccessDenied"),
        (error("s3", "ListBuckets", 403, &[], s3), "AccessDenied"),
        (error("kms", "ListKeys", 400, &id, json), "AccessDeniedException"),
        (error("lambda", "ListFunctions", 403, &id, json), "AccessDeniedException"),
    ] {
        assert_eq!((error.code.as_str(), error.message.as_str(), error.request_id.as_str()), (code, "no", "id"));
    }
}

#[test]
fn the_code_of_an_earlier_protocol_comes_first() {
    let headers = [("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")];
    let error = error("kms", "ListKeys", 400, &headers, r#"{"__type": "QueueDoesNotExist"}"#);
    assert_eq!(error.code, "AWS.SimpleQueueService.NonExistentQueue");
}

#[test]
fn an_error_without_a_code_has_the_http_status_for_one() {
    for (name, operation) in [("ec2", "DescribeVpcs"), ("iam", "ListUsers"), ("s3", "HeadBucket"), ("kms", "ListKeys")]
    {
        for body in ["", "<html>Service Unavailable</html>", "{", "\u{0}", "[]", "<a"] {
            let error = error(name, operation, 503, &[], body);
            assert_eq!((error.code.as_str(), error.message.as_str()), ("503", "Service Unavailable"), "{name} {body}");
        }
    }
}

#[test]
fn fields_of_an_error_are_read_by_the_model_or_as_they_are() {
    let body = "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint></Error>";
    assert_eq!(error("s3", "GetBucketAcl", 301, &[], body).fields["Endpoint"], "b.s3-eu-west-1.amazonaws.com");
}

#[test]
fn a_fresh_uuid_is_one_and_not_twice_the_same() {
    let (a, b) = (fresh_uuid(), fresh_uuid());
    assert_ne!(a, b);
    assert_eq!((a.len(), &a[14..15]), (36, "4"));
    assert!("89ab".contains(&a[19..20]));
}
