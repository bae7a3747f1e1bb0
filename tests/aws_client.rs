//! The clients against a small HTTP server on loopback: what is sent, what comes back, what the ledger says of it.

// A test that cannot be set up must fail.
#![allow(clippy::unwrap_used)]

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::region::Region;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use soc2scan::aws::{Aws, Call, CallError, ConnectError, ErrorClass, Session, Settings};
use soc2scan::inventory::{LedgerEntry, Outcome, Reason};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;

#[path = "support/loopback.rs"]
mod loopback;
use loopback::{ACCOUNT, Reply, Server, error, ok, who_am_i};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "SESSIONTOKENTHATNOBODYMAYSEE";
const EXPIRED: &str = r#"{"__type":"ExpiredTokenException","message":"The security token is expired"}"#;
const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

fn config(url: &str) -> SdkConfig {
    let credentials = Credentials::new(KEY, SECRET, Some(TOKEN.to_owned()), None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::from_static("eu-west-1"))
        .endpoint_url(url)
        .build()
}

fn settings() -> Settings {
    Settings {
        backoff: Some(Duration::from_millis(1)),
        max_attempts: Some(3),
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(5),
        deadline: Duration::from_secs(20),
        max_rps: 1000.0,
        ..Settings::default()
    }
}

async fn connected_with(settings: Settings) -> (Server, Aws) {
    let server = Server::start().await;
    let session = Session::over(config(&server.url), &settings).await.unwrap();
    (server, Aws::new(session))
}

async fn connected() -> (Server, Aws) {
    connected_with(settings()).await
}

fn last_entry(aws: &Aws) -> LedgerEntry {
    aws.ledger().entries().pop().unwrap()
}

fn kms_aliases(region: &str) -> Call<'_> {
    Call::new("kms", "ListAliases", region)
}

async fn failed(aws: &Aws, call: Call<'_>) -> CallError {
    aws.call(call).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_knows_whose_it_is_and_its_first_call_is_in_the_ledger() {
    let (_, aws) = connected().await;
    assert_eq!(aws.account(), ACCOUNT);
    assert_eq!(aws.principal(), "arn:aws:iam::123456789012:user/auditor");
    assert_eq!((aws.partition(), aws.region()), ("aws", "eu-west-1"));
    let entries = aws.ledger().entries();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((entry.service.as_str(), entry.operation.as_str()), ("sts", "GetCallerIdentity"));
    assert_eq!((entry.account.as_str(), entry.region.as_str()), (ACCOUNT, "eu-west-1"));
    assert_eq!((entry.outcome, entry.attempts, entry.request_id.as_str()), (Outcome::Ok, 1, "request-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_asks_and_reads() {
    let (server, aws) = connected().await;
    let aliases = r#"{"Aliases":[{"AliasName":"alias/a","CreationDate":1772359200.5}],"Truncated":false}"#;
    server.reply([ok(aliases)]);
    let answer = aws.call(kms_aliases("eu-west-1").params(json!({"Limit": 5}))).await.unwrap();
    assert_eq!(answer.body["Aliases"][0]["CreationDate"], json!("2026-03-01T10:00:00.5Z"));
    assert_eq!(answer.request_id, "request-1");
    let seen = server.last();
    assert_eq!(seen.headers["x-amz-target"], "TrentService.ListAliases");
    assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap(), json!({"Limit": 5}));
    assert_eq!(seen.headers["user-agent"], format!("soc2scan/{}", env!("CARGO_PKG_VERSION")));

    let volumes = "<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><encrypted>true</encrypted>\
                   </item></volumeSet></DescribeVolumesResponse>";
    server.reply([ok(volumes)]);
    let answer = aws.call(Call::new("ec2", "DescribeVolumes", "eu-west-1")).await.unwrap();
    assert_eq!(answer.body["Volumes"], json!([{"VolumeId": "vol-1", "Encrypted": true}]));
    assert!(String::from_utf8_lossy(&server.last().body).contains("Action=DescribeVolumes"));

    server.reply([ok(r#"{"Functions":[{"FunctionName":"f"}]}"#)]);
    let answer = aws.call(Call::new("lambda", "ListFunctions", "eu-west-1")).await.unwrap();
    assert_eq!(answer.body["Functions"][0]["FunctionName"], json!("f"));
    assert_eq!((server.last().method.as_str(), server.last().uri.as_str()), ("GET", "/2015-03-31/functions"));

    let snapshots = "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances/>\
                     </DescribeDBInstancesResult></DescribeDBInstancesResponse>";
    server.reply([ok(snapshots)]);
    let answer = aws.call(Call::new("rds", "DescribeDBInstances", "eu-west-1")).await.unwrap();
    assert_eq!(answer.body, json!({"DBInstances": []}));

    let outcomes: Vec<Outcome> = aws.ledger().entries().iter().map(|e| e.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Ok, Outcome::Ok, Outcome::Ok, Outcome::Empty]);
    let entry = &aws.ledger().entries()[1];
    assert_eq!(entry.sha256, hex::encode(Sha256::digest(aliases)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_service_is_recorded_as_global_and_signed_for_its_own_region() {
    let (server, aws) = connected().await;
    server.reply([ok("<ListDistributionsResult/>")]);
    let _ = aws.call(Call::new("cloudfront", "ListDistributions", "global")).await;
    assert!(server.last().headers["authorization"].contains("/us-east-1/cloudfront/aws4_request"));
    let entry = last_entry(&aws);
    assert_eq!((entry.region.as_str(), entry.service.as_str()), ("global", "cloudfront"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_denied_and_is_not_asked_again() {
    let (server, aws) = connected().await;
    let message = "User: x is not authorized with an explicit deny in a service control policy";
    server.reply([error(400, &format!(r#"{{"__type":"AccessDeniedException","Message":"{message}"}}"#))]);
    let failure = failed(&aws, kms_aliases("eu-west-1").subject("arn:aws:kms:::key/1")).await;
    assert_eq!((failure.class, failure.status), (ErrorClass::Denied, 400));
    assert_eq!(failure.denied_by(), Some("service control policy"));
    let cause = failure.cause("kms:ListAliases");
    assert_eq!((cause.reason, cause.account.as_str()), (Reason::Denied, ACCOUNT));
    assert_eq!(cause.request_id, "request-1");
    let entry = last_entry(&aws);
    assert_eq!((entry.outcome, entry.attempts), (Outcome::Denied, 1));
    assert_eq!((entry.code.as_str(), entry.subject.as_str()), ("AccessDeniedException", "arn:aws:kms:::key/1"));
    assert!(!entry.sha256.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_call_is_asked_again_and_the_attempts_are_counted() {
    let (server, aws) = connected().await;
    server.reply([error(400, THROTTLED), error(400, THROTTLED), ok(r#"{"Aliases":[]}"#)]);
    aws.call(kms_aliases("eu-west-1")).await.unwrap();
    let entry = last_entry(&aws);
    assert_eq!((entry.outcome, entry.attempts, entry.page), (Outcome::Empty, 3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_throttled_to_the_end_is_throttled() {
    let (server, aws) = connected().await;
    server.reply(vec![error(400, THROTTLED); 3]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!(failure.class, ErrorClass::Throttled);
    assert_eq!((last_entry(&aws).outcome, last_entry(&aws).attempts), (Outcome::Throttled, 3));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_credentials_are_told_from_a_refusal() {
    let (server, aws) = connected().await;
    server.reply([error(403, EXPIRED)]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!(failure.class, ErrorClass::ExpiredCredentials);
    assert_eq!(failure.cause("kms:ListAliases").reason, Reason::ExpiredCredentials);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_means_not_configured_is_empty_in_the_ledger() {
    let (server, aws) = connected().await;
    let body = r#"{"Type":"User","Message":"The resource you requested does not exist."}"#;
    server.reply([error(404, &body.replace("{\"Type", "{\"code\":\"ResourceNotFoundException\",\"Type"))]);
    let call = Call::new("lambda", "GetPolicy", "eu-west-1").params(json!({"FunctionName": "f"}));
    let failure = failed(&aws, call.absent_on(&["ResourceNotFoundException"])).await;
    assert!(failure.absent);
    assert_eq!(
        (last_entry(&aws).outcome, last_entry(&aws).code.as_str()),
        (Outcome::Empty, "ResourceNotFoundException")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_answer_is_malformed_and_never_a_short_list() {
    let (server, aws) = connected().await;
    server.reply(vec![Reply::CutOff(r#"{"Aliases":[{"AliasName":"alias/a"}]}"#.to_owned()); 3]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!(failure.class, ErrorClass::Malformed, "{failure}");
    assert_eq!((last_entry(&aws).outcome, last_entry(&aws).attempts), (Outcome::Failed, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_the_models_is_malformed() {
    let (server, aws) = connected().await;
    for text in ["<html>sign in to the hotel network</html>", r#"{"Aliases": 7}"#, ""] {
        server.reply(vec![ok(text); 3]);
        let result = aws.call(kms_aliases("eu-west-1")).await;
        match (text, result) {
            // An empty body is what awsJson allows for an empty structure.
            ("", Ok(answer)) => assert_eq!(answer.body, json!({})),
            (_, Err(failure)) => assert_eq!(failure.class, ErrorClass::Malformed, "{text}: {failure}"),
            (_, Ok(answer)) => panic!("{text} was read as {}", answer.body),
        }
        server.forget_replies();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_the_limit_is_an_error_and_not_a_shorter_one() {
    let (server, aws) = connected_with(Settings { max_answer: 1000, ..settings() }).await;
    server.reply([ok(&format!(r#"{{"Aliases":[],"NextMarker":"{}"}}"#, "x".repeat(2000)))]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!(failure.class, ErrorClass::Malformed);
    assert!(failure.message.contains("larger than 1000 bytes"), "{failure}");
    assert_eq!((last_entry(&aws).outcome, last_entry(&aws).attempts), (Outcome::Failed, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_does_not_answer_costs_one_deadline_and_others_nothing() {
    let quick = Settings { deadline: Duration::from_millis(300), ..settings() };
    let (server, aws) = connected_with(quick).await;
    server.reply(vec![Reply::Silence; 3]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Unreachable, "Timeout"));
    server.forget_replies();

    let requests = server.seen().len();
    let start = Instant::now();
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert!(start.elapsed() < Duration::from_millis(200));
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Unreachable, "NoAnswerBefore"));
    assert!(failure.message.contains("Timeout"), "{failure}");
    assert_eq!(server.seen().len(), requests, "nothing was sent");
    let entry = last_entry(&aws);
    assert_eq!((entry.outcome, entry.attempts), (Outcome::Unreachable, 0));

    server.reply([ok(r#"{"Aliases":[]}"#), ok(r#"{"Functions":[]}"#)]);
    aws.call(kms_aliases("eu-central-1")).await.unwrap();
    aws.call(Call::new("lambda", "ListFunctions", "eu-west-1")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_unreachable_and_in_the_ledger() {
    let (server, aws) = connected().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = config(&format!("http://{free}"));
    match Session::over(gone, &settings()).await {
        Err(ConnectError::Unreachable { region, message }) => {
            assert_eq!(region, "eu-west-1");
            assert!(message.to_lowercase().contains("connect"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    drop(server);
    drop(aws);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_is_in_the_ledger() {
    let (server, aws) = connected().await;
    server.reply([Reply::Silence]);
    let given_up = tokio::time::timeout(Duration::from_millis(200), aws.call(kms_aliases("eu-west-1"))).await;
    assert!(given_up.is_err());
    let entry = last_entry(&aws);
    assert_eq!((entry.operation.as_str(), entry.outcome), ("ListAliases", Outcome::Failed));
    assert_eq!((entry.code.as_str(), entry.attempts), ("Cancelled", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_made_is_an_error_and_in_the_ledger() {
    let (server, aws) = connected().await;
    let requests = server.seen().len();
    for call in [
        Call::new("nonsense", "ListThings", "eu-west-1"),
        Call::new("kms", "NoSuchOperation", "eu-west-1"),
        kms_aliases("eu-west-1").params(json!({"NoSuchMember": 1})),
    ] {
        let operation = call.operation.to_owned();
        let failure = failed(&aws, call).await;
        assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Other, "NotSent"), "{failure}");
        let entry = last_entry(&aws);
        assert_eq!((entry.operation, entry.outcome, entry.attempts), (operation, Outcome::Failed, 0));
    }
    assert_eq!(server.seen().len(), requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_to_the_last_one() {
    let (server, aws) = connected().await;
    server.reply([
        ok(r#"{"Aliases":[{"AliasName":"a"}],"Truncated":true,"NextMarker":"m1"}"#),
        ok(r#"{"Aliases":[{"AliasName":"b"}],"Truncated":true,"NextMarker":"m2"}"#),
        ok(r#"{"Aliases":[{"AliasName":"c"}],"Truncated":false,"NextMarker":"m3"}"#),
    ]);
    let mut names = Vec::new();
    let pages = aws
        .pages(kms_aliases("eu-west-1").params(json!({"Limit": 1})), |page| {
            names.push(page["Aliases"][0]["AliasName"].as_str().unwrap_or_default().to_owned());
        })
        .await
        .unwrap();
    assert_eq!((pages, names.join("")), (3, "abc".to_owned()));
    let bodies: Vec<Value> = server.seen().iter().skip(1).map(|s| serde_json::from_slice(&s.body).unwrap()).collect();
    assert_eq!(bodies, [json!({"Limit": 1}), json!({"Limit": 1, "Marker": "m1"}), json!({"Limit": 1, "Marker": "m2"})]);
    let numbers: Vec<u32> = aws.ledger().entries().iter().skip(1).map(|e| e.page).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_comes_again_is_an_error_and_not_an_endless_loop() {
    let (server, aws) = connected().await;
    for token in ["a", "b", "a", "b", "a"] {
        server.reply([ok(&format!(r#"{{"Aliases":[],"Truncated":true,"NextMarker":"{token}"}}"#))]);
    }
    let mut given = 0;
    let failure = aws.pages(kms_aliases("eu-west-1"), |_| given += 1).await.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Malformed, "RepeatedPageToken"));
    assert_eq!(given, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_a_later_page_comes_after_the_pages_before_it() {
    let (server, aws) = connected().await;
    server.reply([
        ok(r#"{"Aliases":[{"AliasName":"a"}],"Truncated":true,"NextMarker":"m1"}"#),
        error(400, r#"{"__type":"AccessDeniedException"}"#),
    ]);
    let mut given = 0;
    let failure = aws.pages(kms_aliases("eu-west-1"), |_| given += 1).await.unwrap_err();
    assert_eq!((failure.class, given), (ErrorClass::Denied, 1));
    assert_eq!(last_entry(&aws).page, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again_by_typed_and_model_driven_calls_alike() {
    let (server, aws) = connected().await;
    for _ in 0..5 {
        server.reply([ok(r#"{"Aliases":[]}"#)]);
        aws.call(kms_aliases("eu-west-1")).await.unwrap();
    }
    let used: BTreeSet<u32> = server.seen().iter().map(|s| s.connection).collect();
    assert_eq!(used.len(), 1, "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_call_gives_its_output_and_our_document_and_is_recorded() {
    let (server, aws) = connected().await;
    let users = "<ListUsersResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListUsersResult><Users><member>\
                 <UserName>ada</UserName><Path>/</Path><UserId>AIDA1</UserId><Arn>arn:aws:iam::1:user/ada</Arn>\
                 <CreateDate>2026-03-01T10:00:00Z</CreateDate></member></Users><IsTruncated>false</IsTruncated>\
                 </ListUsersResult></ListUsersResponse>";
    server.reply([ok(users)]);
    let iam = aws.iam();
    let call = Call::new("iam", "ListUsers", "global");
    let (typed, document) = aws.capture(call, iam.list_users().send()).await.unwrap();
    assert_eq!(typed.users()[0].user_name(), "ada");
    assert_eq!(document["Users"][0]["CreateDate"], json!("2026-03-01T10:00:00Z"));
    assert!(server.last().headers["authorization"].contains("/us-east-1/iam/"));
    let entry = last_entry(&aws);
    assert_eq!((entry.service.as_str(), entry.region.as_str()), ("iam", "global"));
    assert_eq!((entry.outcome, entry.sha256.clone()), (Outcome::Ok, hex::encode(Sha256::digest(users))));

    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>\
                  </ErrorResponse>";
    server.reply([error(403, denied)]);
    let call = Call::new("iam", "ListUsers", "global");
    let failure = aws.capture(call, iam.list_users().send()).await.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Denied, "AccessDenied"));
    assert_eq!(last_entry(&aws).outcome, Outcome::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_s3_finds_its_bucket_in_the_path_and_its_absences_are_empty() {
    let (server, aws) = connected().await;
    server.reply([error(404, "<Error><Code>NoSuchBucketPolicy</Code><Message>none</Message></Error>")]);
    let call = Call::new("s3", "GetBucketPolicy", "eu-central-1").subject("b").absent_on(&["NoSuchBucketPolicy"]);
    let send = aws.s3("eu-central-1").get_bucket_policy().bucket("b").send();
    let failure = aws.capture(call, send).await.unwrap_err();
    assert!(failure.absent, "{failure:?}");
    assert!(server.last().uri.starts_with("/b/?policy"), "{}", server.last().uri);
    let entry = last_entry(&aws);
    assert_eq!((entry.outcome, entry.subject.as_str(), entry.region.as_str()), (Outcome::Empty, "b", "eu-central-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_call_outside_any_scope_is_recorded_too() {
    let (server, aws) = connected().await;
    server.reply([ok(&who_am_i())]);
    aws.sts().get_caller_identity().send().await.unwrap();
    let entry = last_entry(&aws);
    assert_eq!((entry.service.as_str(), entry.operation.as_str()), ("sts", "GetCallerIdentity"));
    assert_eq!((entry.region.as_str(), entry.page, entry.attempts), ("eu-west-1", 1, 1));
    assert_eq!(aws.ledger().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_is_the_one_that_aws_computes() {
    let (server, aws) = connected().await;
    server.reply([ok(r#"{"Aliases":[]}"#), ok(r#"{"Functions":[]}"#)]);
    aws.call(kms_aliases("eu-west-1").params(json!({"Limit": 3}))).await.unwrap();
    assert_signed(&server, "kms");
    aws.call(Call::new("lambda", "ListFunctions", "eu-west-1").params(json!({"Marker": "a b/c+d=="}))).await.unwrap();
    assert_signed(&server, "lambda");
}

/// Signs the last request again, with nothing but what arrived, and compares.
fn assert_signed(server: &Server, service: &str) {
    let seen = server.last();
    let authorization = &seen.headers["authorization"];
    let part = |name: &str| {
        let rest = authorization.split_once(&format!("{name}=")).unwrap().1;
        rest.split(',').next().unwrap().trim().to_owned()
    };
    let date = &seen.headers["x-amz-date"];
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    let time = SystemTime::from(time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp());
    let scope = format!("{KEY}/{}/eu-west-1/{service}/aws4_request", &date[..8]);
    assert_eq!(part("Credential"), scope);
    let signed: Vec<String> = part("SignedHeaders").split(';').map(str::to_owned).collect();
    assert!(signed.contains(&"host".to_owned()) && signed.contains(&"x-amz-security-token".to_owned()));
    // The signer adds date and token itself.
    let own = ["x-amz-date", "x-amz-security-token", "host"];
    let headers: Vec<(&str, &str)> = signed
        .iter()
        .filter(|name| !own.contains(&name.as_str()))
        .map(|name| (name.as_str(), seen.headers[name].as_str()))
        .collect();
    let uri = format!("{}{}", server.url, seen.uri);
    let request =
        SignableRequest::new(&seen.method, &uri, headers.into_iter(), SignableBody::Bytes(&seen.body)).unwrap();
    let identity = Credentials::new(KEY, SECRET, Some(TOKEN.to_owned()), None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let (_, signature) = sign(request, &params.into()).unwrap().into_parts();
    assert_eq!(part("Signature"), signature);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_error_or_entry() {
    let (server, aws) = connected().await;
    let echo = format!(
        "{{\"__type\":\"InvalidSignatureException\",\"message\":\"The signature does not match.\\n\\nThe Canonical \
         String was\\nx-amz-security-token:{TOKEN}\"}}"
    );
    server.reply(vec![error(403, &echo); 3]);
    let failure = failed(&aws, kms_aliases("eu-west-1")).await;
    assert_eq!(failure.class, ErrorClass::Denied);
    let text = format!("{failure} {failure:?} {:?} {:?} {aws:?}", failure.cause("kms:ListAliases"), aws.ledger());
    assert!(!text.contains(TOKEN) && !text.contains(SECRET), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_aws_does_not_know_are_rejected_and_ended_ones_expired() {
    let fault = |code: &str| {
        error(403, &format!("<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"))
    };
    let server = Server::start().await;
    server.reply([fault("InvalidClientTokenId")]);
    let unknown = Session::over(config(&server.url), &settings()).await.unwrap_err();
    assert!(matches!(&unknown, ConnectError::Rejected { code, .. } if code == "InvalidClientTokenId"), "{unknown:?}");
    server.reply([fault("ExpiredToken")]);
    let ended = Session::over(config(&server.url), &settings()).await.unwrap_err();
    assert!(matches!(&ended, ConnectError::Expired { .. }), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_run_at_once_and_each_has_its_own_entry() {
    let (server, aws) = connected().await;
    server.reply(vec![ok(r#"{"Aliases":[]}"#); 100]);
    let calls = (0..100).map(|i| {
        let aws = aws.clone();
        tokio::spawn(async move {
            let subject = format!("key-{i}");
            aws.call(kms_aliases("eu-west-1").subject(&subject)).await.map(|_| ())
        })
    });
    for call in futures::future::join_all(calls).await {
        call.unwrap().unwrap();
    }
    let subjects: BTreeSet<String> = aws.ledger().entries().into_iter().map(|e| e.subject).collect();
    assert_eq!(subjects.len(), 101);
}
