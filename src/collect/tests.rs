//! Plans and runs against an AWS in memory.

use super::fake::{Fake, denied, error};
use super::*;
use crate::inventory::{PopulationState, Reason, Resource};
use serde_json::json;
use std::collections::BTreeSet;

fn embedded() -> Collectors {
    Collectors::load_embedded().expect("the embedded collectors load")
}

fn select(types: &[(&str, Option<&[&str]>)]) -> Selection {
    let members = |m: &[&str]| m.iter().map(|n| n.to_string()).collect::<BTreeSet<_>>();
    Selection { types: types.iter().map(|(t, m)| (t.to_string(), m.map(members))).collect() }
}

fn scope(regions: &[&str]) -> Scope {
    Scope { regions: regions.iter().map(|r| r.to_string()).collect(), ..Scope::default() }
}

async fn run(fake: &Fake, selection: &Selection) -> Snapshot {
    let collectors = embedded();
    let plan = Plan::new(&collectors, selection);
    collect(fake, &collectors, &plan, scope(&["eu-west-1"]), &Silent).await
}

fn state<'s>(snapshot: &'s Snapshot, resource_type: &str) -> &'s PopulationState {
    let found = snapshot.populations.iter().find(|p| p.resource_type == resource_type && p.region != "*");
    &found.expect("a population").state
}

fn of_type<'s>(snapshot: &'s Snapshot, resource_type: &str) -> Vec<&'s Resource> {
    snapshot.resources.iter().filter(|r| r.resource_type == resource_type).collect()
}

fn reasons(state: &PopulationState) -> Vec<(Reason, &str)> {
    match state {
        PopulationState::Incomplete { causes } => causes.iter().map(|c| (c.reason, c.action.as_str())).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn everything_that_is_answered_is_known() {
    let fake = Fake::generous();
    let snapshot = run(&fake, &embedded().everything()).await;
    for population in &snapshot.populations {
        assert_eq!(population.state, PopulationState::Complete, "{}", population.resource_type);
    }
    for resource in &snapshot.resources {
        assert_eq!(resource.unknown, [], "{}", resource.resource_type);
    }
    for name in embedded().types.keys() {
        assert!(!of_type(&snapshot, name).is_empty(), "no {name}");
    }
}

/// The heart of the promise: with any one operation denied, whatever the schema says to depend on its action is
/// unknown, and names the action.
#[tokio::test]
async fn a_denied_operation_makes_all_that_depends_on_it_unknown() {
    let collectors = embedded();
    let schemas = collectors.schemas();
    for operation in collectors.operations() {
        let name = format!("{}:{}", operation.service, operation.operation);
        let action = |t: &declaration::ResourceType| {
            let mut requests = t.requests().into_iter();
            let used = requests.find(|r| r.service == operation.service && r.operation == operation.operation);
            used.map(|r| r.action().to_owned())
        };
        let using: Vec<_> = collectors.types.values().filter_map(|t| Some((t, action(t)?))).collect();
        let wanted: Vec<_> = using.iter().map(|(t, _)| (t.name.as_str(), None)).collect();
        let plan = Plan::new(&collectors, &select(&wanted));
        let fake = Fake::generous().fails(&name, denied());
        let snapshot = collect(&fake, &collectors, &plan, scope(&["eu-west-1"]), &Silent).await;
        for (t, action) in &using {
            let schema = &schemas.types[&t.name];
            let lists = |l: &declaration::Listing| l.call.operation == operation.operation;
            let has_fallback = t.listing().is_some_and(|l| l.fallback.is_some());
            if t.listing().is_some_and(lists) && !has_fallback {
                let causes = reasons(state(&snapshot, &t.name));
                assert!(causes.contains(&(Reason::Denied, action.as_str())), "{}: {name} denied: {causes:?}", t.name);
            }
            for (member, m) in schema.members.iter().filter(|(_, m)| m.actions.contains(action)) {
                for resource in of_type(&snapshot, &t.name) {
                    let cause = resource
                        .unknown_at(member)
                        .unwrap_or_else(|| panic!("{}.{member} is known with {name} denied ({:?})", t.name, m.actions));
                    assert_eq!(cause.reason, Reason::Denied, "{}.{member}", t.name);
                    assert!(!resource.document.contains_key(member), "{}.{member} has a value", t.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_listing_that_is_cut_off_keeps_what_was_read_and_is_incomplete() {
    let fake = Fake::strict().on("ec2:DescribeVolumes", |_| {
        let page = json!({"Volumes": [{"VolumeId": "vol-1", "Encrypted": true}]});
        (vec![page], Some(error(Reason::Throttled, "RequestLimitExceeded")))
    });
    let snapshot = run(&fake, &select(&[("AWS::EC2::Volume", None)])).await;
    assert_eq!(of_type(&snapshot, "AWS::EC2::Volume").len(), 1);
    assert_eq!(reasons(state(&snapshot, "AWS::EC2::Volume")), [(Reason::Throttled, "ec2:DescribeVolumes")]);
}

#[tokio::test]
async fn an_empty_listing_is_complete_and_a_denied_one_is_not() {
    let fake = Fake::strict().answers("ec2:DescribeVolumes", json!({}));
    let snapshot = run(&fake, &select(&[("AWS::EC2::Volume", None), ("AWS::EC2::VPC", None)])).await;
    assert_eq!(*state(&snapshot, "AWS::EC2::Volume"), PopulationState::Complete);
    assert_eq!(reasons(state(&snapshot, "AWS::EC2::VPC")), [(Reason::Denied, "ec2:DescribeVpcs")]);
}

#[tokio::test]
async fn an_item_without_an_id_makes_the_population_incomplete() {
    let fake = Fake::strict().answers("ec2:DescribeVolumes", json!({"Volumes": [{"Encrypted": true}, 7]}));
    let snapshot = run(&fake, &select(&[("AWS::EC2::Volume", None)])).await;
    assert_eq!(reasons(state(&snapshot, "AWS::EC2::Volume")), [(Reason::Malformed, "ec2:DescribeVolumes")]);
}

#[tokio::test]
async fn a_service_that_is_not_offered_has_no_population() {
    let unsupported = ApiError { unsupported: true, ..error(Reason::Unreachable, "") };
    let fake = Fake::strict().fails("guardduty:ListDetectors", unsupported);
    let snapshot = run(&fake, &select(&[("AWS::GuardDuty::Filter", None)])).await;
    assert_eq!(*state(&snapshot, "AWS::GuardDuty::Detector"), PopulationState::Unsupported);
    assert_eq!(*state(&snapshot, "AWS::GuardDuty::Filter"), PopulationState::Unsupported);
}

fn buckets() -> Fake {
    Fake::strict().answers("s3:ListBuckets", json!({"Buckets": [{"Name": "b", "BucketRegion": "eu-west-1"}]}))
}

#[tokio::test]
async fn a_code_that_means_none_is_absent_and_any_other_is_unknown() {
    let wanted = select(&[("AWS::S3::Bucket", Some(&["Policy"]))]);
    let none = buckets().fails("s3:GetBucketPolicy", error(Reason::Failed, "NoSuchBucketPolicy"));
    let snapshot = run(&none, &wanted).await;
    let bucket = of_type(&snapshot, "AWS::S3::Bucket")[0];
    assert!(bucket.unknown_at("Policy").is_none() && !bucket.document.contains_key("Policy"));
    let snapshot = run(&buckets(), &wanted).await;
    let bucket = of_type(&snapshot, "AWS::S3::Bucket")[0];
    let cause = bucket.unknown_at("Policy").expect("unknown");
    assert_eq!((cause.reason, cause.action.as_str()), (Reason::Denied, "s3:GetBucketPolicy"));
}

#[tokio::test]
async fn a_bucket_is_of_its_own_region_and_its_population_is_global() {
    let fake = buckets().answers("s3:GetBucketVersioning", json!({}));
    let snapshot = run(&fake, &select(&[("AWS::S3::Bucket", Some(&["Versioning"]))])).await;
    assert_eq!(of_type(&snapshot, "AWS::S3::Bucket")[0].region, "eu-west-1");
    assert_eq!(snapshot.populations[0].region, "global");
    assert_eq!(fake.calls.lock().unwrap()[1], "s3:GetBucketVersioning eu-west-1 b");
}

#[tokio::test]
async fn a_bucket_without_a_region_in_the_listing_is_located_even_by_a_refusal() {
    let refusal = ApiError { elsewhere: Some("ap-south-1".into()), ..denied() };
    let fake = Fake::strict()
        .answers("s3:ListBuckets", json!({"Buckets": [{"Name": "b"}]}))
        .fails("s3:HeadBucket", refusal)
        .answers("s3:GetBucketVersioning", json!({"Status": "Enabled"}));
    let snapshot = run(&fake, &select(&[("AWS::S3::Bucket", Some(&["Versioning"]))])).await;
    let bucket = of_type(&snapshot, "AWS::S3::Bucket")[0];
    assert_eq!((bucket.region.as_str(), &bucket.document["BucketRegion"]), ("ap-south-1", &json!("ap-south-1")));
}

#[tokio::test]
async fn the_oldest_regions_are_understood_in_get_bucket_location() {
    for (constraint, region) in [(json!({}), "us-east-1"), (json!({"LocationConstraint": "EU"}), "eu-west-1")] {
        let fake = Fake::strict()
            .answers("s3:ListBuckets", json!({"Buckets": [{"Name": "b"}]}))
            .answers("s3:GetBucketLocation", constraint);
        let snapshot = run(&fake, &select(&[("AWS::S3::Bucket", Some(&[]))])).await;
        assert_eq!(of_type(&snapshot, "AWS::S3::Bucket")[0].region, region);
    }
}

#[tokio::test]
async fn a_bucket_that_nothing_locates_has_an_unknown_region() {
    let fake = Fake::strict().answers("s3:ListBuckets", json!({"Buckets": [{"Name": "b"}]}));
    let snapshot = run(&fake, &select(&[("AWS::S3::Bucket", Some(&[]))])).await;
    let bucket = of_type(&snapshot, "AWS::S3::Bucket")[0];
    assert_eq!(bucket.unknown_at("BucketRegion").map(|c| c.reason), Some(Reason::Denied));
}

#[tokio::test]
async fn a_request_is_made_again_in_the_region_that_the_service_points_to() {
    let fake = buckets().on("s3:GetBucketPolicyStatus", |call| match call.region {
        "sa-east-1" => (vec![json!({"PolicyStatus": {"IsPublic": true}})], None),
        _ => {
            let failure = error(Reason::Failed, "PermanentRedirect");
            (Vec::new(), Some(ApiError { elsewhere: Some("sa-east-1".into()), ..failure }))
        }
    });
    let snapshot = run(&fake, &select(&[("AWS::S3::Bucket", Some(&["PolicyStatus"]))])).await;
    assert_eq!(of_type(&snapshot, "AWS::S3::Bucket")[0].document["PolicyStatus"], json!({"IsPublic": true}));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_absent() {
    let snapshot = run(&buckets(), &select(&[("AWS::S3::Bucket", Some(&[]))])).await;
    let bucket = of_type(&snapshot, "AWS::S3::Bucket")[0];
    assert_eq!(bucket.unknown_at("Policy").map(|c| c.reason), Some(Reason::NotCollected));
    assert_eq!(bucket.unknown_at("Tags").map(|c| c.reason), Some(Reason::NotCollected));
}

#[tokio::test]
async fn children_name_their_parent_and_share_the_holes_of_its_population() {
    let fake = Fake::strict()
        .on("lambda:ListFunctions", |_| {
            let page = json!({"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:r:a:function:f"}]});
            (vec![page], Some(denied()))
        })
        .answers(
            "lambda:ListFunctionUrlConfigs",
            json!({"FunctionUrlConfigs": [
                {"FunctionUrl": "https://x/", "FunctionArn": "arn:aws:lambda:r:a:function:f", "AuthType": "NONE"}
            ]}),
        );
    let snapshot = run(&fake, &select(&[("AWS::Lambda::Url", None)])).await;
    let url = of_type(&snapshot, "AWS::Lambda::Url")[0];
    assert_eq!(url.document["Parent"]["Id"], "f");
    assert_eq!(reasons(state(&snapshot, "AWS::Lambda::Url")), [(Reason::Denied, "lambda:ListFunctions")]);
}

#[tokio::test]
async fn a_denial_for_one_parent_makes_the_childrens_population_incomplete() {
    let fake = Fake::strict().answers(
        "lambda:ListFunctions",
        json!({"Functions": [{"FunctionName": "f", "FunctionArn": "arn:aws:lambda:r:a:function:f"}]}),
    );
    let snapshot = run(&fake, &select(&[("AWS::Lambda::Url", None)])).await;
    assert_eq!(*state(&snapshot, "AWS::Lambda::Function"), PopulationState::Complete);
    assert_eq!(reasons(state(&snapshot, "AWS::Lambda::Url")), [(Reason::Denied, "lambda:ListFunctionUrlConfigs")]);
}

#[tokio::test]
async fn secrets_do_not_reach_the_snapshot() {
    let secret = "hunter2";
    let fake = Fake::strict()
        .answers(
            "lambda:ListFunctions",
            json!({"Functions": [{
                "FunctionName": "f", "FunctionArn": "arn:aws:lambda:r:a:function:f",
                "Environment": {"Variables": {"PASSWORD": secret}}
            }]}),
        )
        .answers(
            "ec2:DescribeVpnConnections",
            json!({"VpnConnections": [{
                "VpnConnectionId": "vpn-1", "CustomerGatewayConfiguration": secret,
                "Options": {"TunnelOptions": [{"PreSharedKey": secret, "TunnelInsideCidr": "x"}]}
            }]}),
        )
        .answers(
            "sns:ListSubscriptions",
            json!({"Subscriptions": [{
                "SubscriptionArn": "PendingConfirmation", "TopicArn": "arn:aws:sns:r:a:t", "Protocol": "https",
                "Endpoint": format!("https://chat.example/{secret}")
            }]}),
        )
        .answers("sns:ListTopics", json!({"Topics": [{"TopicArn": "arn:aws:sns:r:a:t"}]}))
        .answers(
            "sns:GetSubscriptionAttributes",
            json!({"Attributes": {"SubscriptionArn": "arn:aws:sns:r:a:t:1", "Endpoint": secret, "FilterPolicy": "{}"}}),
        )
        .answers(
            "cloudfront:ListDistributions",
            json!({"DistributionList": {"Items": [{"Id": "D", "ARN": "arn:aws:cloudfront::a:distribution/D"}]}}),
        )
        .answers(
            "cloudfront:GetDistributionConfig",
            json!({"DistributionConfig": {"Origins": {"Items": [
                {"CustomHeaders": {"Items": [{"HeaderName": "X-Auth", "HeaderValue": secret}]}}
            ]}}}),
        )
        .answers("ec2:DescribeLaunchTemplates", json!({"LaunchTemplates": [{"LaunchTemplateId": "lt-1"}]}))
        .answers(
            "ec2:DescribeLaunchTemplateVersions",
            json!({"LaunchTemplateVersions": [{"LaunchTemplateData": {"UserData": secret, "ImageId": "ami-1"}}]}),
        );
    let types = [
        "AWS::Lambda::Function",
        "AWS::EC2::VPNConnection",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::CloudFront::Distribution",
        "AWS::EC2::LaunchTemplate",
    ];
    let snapshot = run(&fake, &select(&types.map(|t| (t, None)))).await;
    let found: Vec<&str> = snapshot.resources.iter().map(|r| r.resource_type.as_str()).collect();
    assert_eq!(found.len(), types.len(), "{found:?}: {:?}", snapshot.populations);
    let text = serde_json::to_string(&snapshot.resources).expect("JSON");
    assert!(!text.contains(secret));
    assert!(text.contains("PASSWORD") && text.contains("X-Auth") && text.contains("ami-1"));
    assert!(text.contains("FilterPolicy"));
}

#[tokio::test]
async fn a_trail_that_several_regions_show_is_one_resource_of_its_home_region() {
    let fake = Fake::strict()
        .answers(
            "cloudtrail:DescribeTrails",
            json!({"trailList": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:a:trail/t", "HomeRegion": "eu-west-1"}]}),
        )
        .answers("cloudtrail:GetTrailStatus", json!({"IsLogging": true}));
    let collectors = embedded();
    let plan = Plan::new(&collectors, &select(&[("AWS::CloudTrail::Trail", Some(&["Status"]))]));
    let snapshot = collect(&fake, &collectors, &plan, scope(&["us-east-1", "us-west-2"]), &Silent).await;
    assert_eq!(snapshot.resources.len(), 1);
    assert_eq!(snapshot.resources[0].region, "eu-west-1");
    assert_eq!(snapshot.populations.len(), 2);
    assert!(fake.calls.lock().unwrap().iter().any(|c| c.starts_with("cloudtrail:GetTrailStatus eu-west-1")));
}

#[tokio::test]
async fn what_one_region_answers_for_all_is_asked_there_and_not_at_home() {
    let fake = Fake::strict()
        .answers("s3control:ListMultiRegionAccessPoints", json!({"AccessPoints": [{"Name": "m", "Alias": "m.mrap"}]}))
        .answers("s3control:GetMultiRegionAccessPointPolicy", json!({"Policy": {"Established": {"Policy": "{}"}}}));
    let snapshot = run(&fake, &select(&[("AWS::S3::MultiRegionAccessPoint", None)])).await;
    assert_eq!(snapshot.resources[0].arn, "arn:aws:s3::111122223333:accesspoint/m.mrap");
    assert_eq!(snapshot.resources[0].document["Policy"], json!({}));
    let calls = fake.calls.lock().unwrap();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|c| c.split(' ').nth(1) == Some("us-west-2")), "{calls:?}");
}

#[tokio::test]
async fn where_a_partition_does_not_offer_an_operation_there_are_none() {
    let fake = Fake::strict().in_partition("aws-cn");
    let snapshot = run(&fake, &select(&[("AWS::S3::MultiRegionAccessPoint", None)])).await;
    assert_eq!(*state(&snapshot, "AWS::S3::MultiRegionAccessPoint"), PopulationState::Unsupported);
    assert_eq!(fake.calls.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_snapshot_that_was_deleted_meanwhile_is_left_out() {
    let fake = Fake::strict()
        .answers("ec2:DescribeSnapshots", json!({"Snapshots": [{"SnapshotId": "snap-1"}]}))
        .fails("ec2:DescribeSnapshotAttribute", error(Reason::Failed, "InvalidSnapshot.NotFound"));
    let snapshot = run(&fake, &select(&[("AWS::EC2::Snapshot", None)])).await;
    assert_eq!(snapshot.resources, []);
    assert_eq!(*state(&snapshot, "AWS::EC2::Snapshot"), PopulationState::Complete);
}

#[tokio::test]
async fn where_the_authorization_details_are_denied_the_listing_still_says_who_there_is() {
    let fake = Fake::strict().answers(
        "iam:ListUsers",
        json!({"Users": [{"UserName": "alice", "Arn": "arn:aws:iam::1:user/alice", "UserId": "U"}]}),
    );
    let snapshot = run(&fake, &select(&[("AWS::IAM::User", Some(&[]))])).await;
    assert_eq!(*state(&snapshot, "AWS::IAM::User"), PopulationState::Complete);
    let user = of_type(&snapshot, "AWS::IAM::User")[0];
    for member in ["UserPolicyList", "AttachedManagedPolicies", "GroupList", "Tags", "PermissionsBoundary"] {
        let cause = user.unknown_at(member).unwrap_or_else(|| panic!("{member} is known"));
        assert_eq!(cause.action, "iam:GetAccountAuthorizationDetails");
    }
    assert_eq!(user.document["UserId"], "U");
}

#[tokio::test]
async fn inline_policies_of_a_user_that_were_not_read_make_their_population_incomplete() {
    let fake = Fake::strict()
        .answers("iam:ListUsers", json!({"Users": [{"UserName": "alice", "Arn": "arn:aws:iam::1:user/alice"}]}))
        .answers("iam:ListGroups", json!({}))
        .answers("iam:ListRoles", json!({}));
    let snapshot = run(&fake, &select(&[("AWS::IAM::Policy", None)])).await;
    assert_eq!(reasons(state(&snapshot, "AWS::IAM::Policy")), [(Reason::Denied, "iam:GetAccountAuthorizationDetails")]);
}

#[tokio::test(start_paused = true)]
async fn the_credential_report_is_waited_for_and_asked_for_once() {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let fake = Fake::generous().on("iam:GetCredentialReport", move |_| {
        match looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => (Vec::new(), Some(error(Reason::Failed, "ReportNotPresent"))),
            1 | 2 => (Vec::new(), Some(error(Reason::Failed, "ReportInProgress"))),
            _ => {
                let csv = "dXNlcixtZmFfYWN0aXZlCjxyb290X2FjY291bnQ+LHRydWUK";
                (vec![json!({"Content": csv, "GeneratedTime": "2026-03-01T10:00:00Z"})], None)
            }
        }
    });
    let wanted =
        [("AWS::IAM::RootUser", Some(&["CredentialReport"][..])), ("AWS::::Account", Some(&["ConsoleUsers"][..]))];
    let snapshot = run(&fake, &select(&wanted)).await;
    let root = of_type(&snapshot, "AWS::IAM::RootUser")[0];
    assert_eq!(root.document["CredentialReport"]["mfa_active"], true);
    assert_eq!((fake.called("iam:GetCredentialReport"), fake.called("iam:GenerateCredentialReport")), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_never_comes_is_unknown() {
    let fake = Fake::generous().fails("iam:GetCredentialReport", error(Reason::Failed, "ReportInProgress"));
    let snapshot = run(&fake, &select(&[("AWS::IAM::RootUser", Some(&["CredentialReport"]))])).await;
    let root = of_type(&snapshot, "AWS::IAM::RootUser")[0];
    assert_eq!(root.unknown_at("CredentialReport").map(|c| c.code.as_str()), Some("ReportInProgress"));
}

#[tokio::test]
async fn a_user_that_the_report_does_not_have_yet_is_unknown_and_not_without_password() {
    let fake = Fake::generous().answers(
        "iam:GetAccountAuthorizationDetails",
        json!({"UserDetailList": [{"UserName": "new", "Arn": "arn:aws:iam::1:user/new"}]}),
    );
    let snapshot = run(&fake, &select(&[("AWS::IAM::User", Some(&["CredentialReport"]))])).await;
    let user = of_type(&snapshot, "AWS::IAM::User")[0];
    let cause = user.unknown_at("CredentialReport").expect("unknown");
    assert!(cause.message.contains("no row for new"), "{}", cause.message);
}

#[tokio::test]
async fn where_regions_cannot_be_enumerated_every_regional_population_has_a_hole() {
    let fake = Fake::strict().answers("ec2:DescribeVolumes", json!({}));
    let scope = Scope::of(&fake, &[]).await.expect("a scope");
    assert_eq!(scope.regions, ["us-east-1"]);
    let collectors = embedded();
    let plan = Plan::new(&collectors, &select(&[("AWS::EC2::Volume", None)]));
    let snapshot = collect(&fake, &collectors, &plan, scope, &Silent).await;
    let hole = snapshot.populations.iter().find(|p| p.region == Scope::UNLISTED).expect("a hole");
    assert_eq!(reasons(&hole.state), [(Reason::Denied, "ec2:DescribeRegions")]);
}

#[tokio::test]
async fn a_question_that_is_the_same_for_all_resources_is_asked_once() {
    let keys = json!({"Keys": [{"KeyId": "k1", "KeyArn": "arn:aws:kms:r:a:key/k1"}, {"KeyId": "k2", "KeyArn": "arn:aws:kms:r:a:key/k2"}]});
    let aliases = json!({"Aliases": [{"AliasName": "alias/a", "TargetKeyId": "k2"}]});
    let fake = Fake::strict().answers("kms:ListKeys", keys).answers("kms:ListAliases", aliases);
    let snapshot = run(&fake, &select(&[("AWS::KMS::Key", Some(&["Aliases"]))])).await;
    let keys = of_type(&snapshot, "AWS::KMS::Key");
    assert_eq!(keys[0].document["Aliases"], json!([]));
    assert_eq!(keys[1].document["Aliases"][0]["AliasName"], "alias/a");
    assert_eq!(fake.called("kms:ListAliases"), 1);
}

#[tokio::test]
async fn details_in_batches_are_matched_by_key_and_one_without_an_answer_is_unknown() {
    let text = "\
service: cloudtrail
resources:
  AWS::CloudTrail::Trail:
    list: ListTrails
    items: Trails
    arn: TrailARN
    batch_get:
      call: DescribeTrails
      ids: { trailNameList: TrailARN }
      size: 2
      items: trailList
      key: TrailARN
";
    let collectors = Collectors::of_texts(&[("trail.yaml", text)]).expect("collectors");
    let arn = |n: usize| format!("arn:aws:cloudtrail:r:a:trail/{n}");
    let trails: Vec<_> = (0..3).map(|n| json!({"TrailARN": arn(n)})).collect();
    let fake = Fake::strict().answers("cloudtrail:ListTrails", json!({"Trails": trails})).on(
        "cloudtrail:DescribeTrails",
        |call| {
            let asked = call.params["trailNameList"].as_array().cloned().unwrap_or_default();
            assert!(asked.len() <= 2);
            let known = asked.into_iter().filter(|a| !a.as_str().unwrap_or_default().ends_with('1'));
            let list: Vec<_> = known.map(|a| json!({"TrailARN": a, "IsMultiRegionTrail": true})).collect();
            (vec![json!({"trailList": list})], None)
        },
    );
    let plan = Plan::new(&collectors, &collectors.everything());
    let snapshot = collect(&fake, &collectors, &plan, scope(&["eu-west-1"]), &Silent).await;
    let known: Vec<bool> = snapshot.resources.iter().map(|r| r.document.contains_key("IsMultiRegionTrail")).collect();
    assert_eq!(known, [true, false, true]);
    assert!(snapshot.resources[1].unknown_at("IsMultiRegionTrail").is_some());
    assert_eq!(fake.called("cloudtrail:DescribeTrails"), 2);
}

#[tokio::test]
async fn each_element_of_a_list_is_asked_about() {
    let text = "\
service: guardduty
resources:
  AWS::GuardDuty::Region:
    singleton: true
    id: ${region}
    arn: arn:${partition}:guardduty:${region}:${account}:region
    enrich:
      DetectorIds: { call: ListDetectors, take: DetectorIds }
      Detectors:
        call: GetDetector
        each: DetectorIds
        params: { DetectorId: $each }
        drop: [\"[].ServiceRole\"]
";
    let collectors = Collectors::of_texts(&[("g.yaml", text)]).expect("collectors");
    let plan = Plan::new(&collectors, &select(&[("AWS::GuardDuty::Region", Some(&["Detectors"]))]));
    let answer = |fake: Fake| async move {
        let collectors = Collectors::of_texts(&[("g.yaml", text)]).expect("collectors");
        let plan = Plan::new(&collectors, &select(&[("AWS::GuardDuty::Region", Some(&["Detectors"]))]));
        collect(&fake, &collectors, &plan, scope(&["eu-west-1"]), &Silent).await.resources.swap_remove(0)
    };
    assert_eq!(plan.types().collect::<Vec<_>>(), ["AWS::GuardDuty::Region"]);
    let ids = || Fake::strict().answers("guardduty:ListDetectors", json!({"DetectorIds": ["a", "b"]}));
    let both = ids()
        .on("guardduty:GetDetector", |c| (vec![json!({"Status": c.params["DetectorId"], "ServiceRole": "r"})], None));
    assert_eq!(answer(both).await.document["Detectors"], json!([{"Status": "a"}, {"Status": "b"}]));
    assert!(answer(ids()).await.unknown_at("Detectors").is_some());
    assert!(answer(Fake::strict()).await.unknown_at("Detectors").is_some());
}

#[test]
fn a_plan_has_only_what_is_needed_and_parents_first() {
    let collectors = embedded();
    let plan = Plan::new(&collectors, &select(&[("AWS::IAM::AccessKey", Some(&["LastUsed"]))]));
    assert_eq!(plan.types().collect::<Vec<_>>(), ["AWS::IAM::User", "AWS::IAM::AccessKey"]);
    let operations: Vec<&str> = plan.requests(&collectors).map(|r| r.operation.as_str()).collect();
    assert_eq!(operations, ["GetAccountAuthorizationDetails", "ListAccessKeys", "GetAccessKeyLastUsed"]);
}

#[test]
fn a_plan_includes_the_enrichments_that_a_wanted_one_refers_to() {
    let collectors = embedded();
    let wanted = select(&[("AWS::Lambda::Function", Some(&["CodeSigningConfig"]))]);
    let actions = collectors.permissions(&wanted);
    let expected = ["lambda:GetCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig", "lambda:ListFunctions"];
    assert_eq!(actions, expected.map(str::to_owned).into());
}

#[test]
fn tags_are_planned_under_whatever_name_the_service_has_for_them() {
    let collectors = embedded();
    let wanted = select(&[("AWS::S3::Bucket", Some(&["tags"]))]);
    assert!(collectors.permissions(&wanted).contains("s3:GetBucketTagging"));
}

#[test]
fn permissions_are_written_as_iam_writes_them() {
    let actions = embedded().permissions(&embedded().everything());
    for expected in ["s3:ListAllMyBuckets", "s3:GetEncryptionConfiguration", "s3:GetAccountPublicAccessBlock"] {
        assert!(actions.contains(expected), "{expected}");
    }
    for wrong in
        ["s3:ListBuckets", "s3:GetBucketEncryption", "s3control:GetPublicAccessBlock", "s3:GetPublicAccessBlock"]
    {
        assert!(!actions.contains(wrong), "{wrong}");
    }
}

/// The error of a file, as a person sees it.
fn mistake(text: &str) -> String {
    let error = Collectors::of_texts(&[("collectors/x.yaml", text)]).expect_err("a mistake");
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none()).with_width(100);
    let mut shown = String::new();
    handler.render_report(&mut shown, &*error).expect("rendered");
    shown
}

#[test]
fn mistakes_are_shown_at_their_line_with_the_nearest_name() {
    let volume = "service: ec2\nresources:\n  AWS::EC2::Volume:\n    list: DescribeVolumes\n    items: Volumes\n";
    let named = format!("{volume}    id: VolumeId\n    arn: arn:x:${{VolumeId}}\n");
    let mistakes = [
        "service: ec22\nresources: {}\n".to_owned(),
        volume.replace("DescribeVolumes", "DescribeVolume"),
        volume.replace("items: Volumes", "items: Volume"),
        volume.replace("items: Volumes", "item: Volumes"),
        format!("{volume}    id: VolumeID\n    arn: arn:x:${{VolumeId}}\n"),
        format!("{volume}    id: VolumeId\n    arn: arn:x:${{Volume Id}}\n"),
        format!("{named}    params: {{ Filter: [] }}\n"),
        format!("{named}    where: {{ State: {{ is: [available] }} }}\n"),
        format!("{named}    drop: [\"Attachments[].Device\", \"Attachments[].Devise\"]\n"),
        format!("{named}    singleton: true\n"),
        format!("{named}    for_each: AWS::EC2::Disk\n"),
        format!("{named}    enrich:\n      Status:\n        call: DescribeSnapshotAttribute\n"),
        format!("{named}    enrich:\n      Encrypted:\n        call: GetEbsEncryptionByDefault\n"),
        format!(
            "{named}    enrich:\n      Snapshot:\n        call: DescribeSnapshots\n        \
             params: {{ SnapshotIds: [$.SnapshotID] }}\n"
        ),
        format!("{named}    enrich:\n      R:\n        typed: credential_report\n        members: any\n"),
        "service: ec2\nresources:\n  AWS::::Region:\n    enrich: {}\n".to_owned(),
        "service: ec2\nresources:\n  AWS::EC2::Volume: [\n".to_owned(),
        "service: ec2\nservice: ec2\n".to_owned(),
        format!("{named}    drop: [Attachments[].Device]\n"),
    ];
    let shown: Vec<String> = mistakes.iter().map(|text| mistake(text)).collect();
    insta::assert_snapshot!(shown.join("\n----\n"));
}

#[test]
fn a_file_of_the_user_replaces_the_embedded_one_of_its_service_and_adds_to_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        "service: sns\nresources:\n  AWS::SNS::Topic:\n    list: ListTopics\n    items: Topics\n    arn: TopicArn\n";
    std::fs::write(folder.path().join("mine.yaml"), text).expect("written");
    let collectors = Collectors::load(folder.path()).expect("collectors");
    assert!(!collectors.types["AWS::SNS::Topic"].members.contains_key("Attributes"));
    assert!(!collectors.types.contains_key("AWS::SNS::Subscription"));
    assert!(collectors.types.contains_key("AWS::S3::Bucket"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let error = Collectors::load(std::path::Path::new("/no/such/folder")).expect_err("an error");
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}
