//! What the fuzz targets share: the readers themselves, and every question that a policy can be asked.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "the program uses all of it; a target only its part")]

#[path = "../../src/semantics/mod.rs"]
pub mod semantics;

use semantics::policy::grants::Permissions;
use semantics::policy::{self, Context, Identity, ServiceControl};
use semantics::{Answer, Input, s3};
use serde_json::Value;

/// Whose policy it is taken for.
pub const CONTEXT: Context<'static> = Context {
    account: "111122223333",
    partition: "aws",
    organization: Some("o-a1b2c3d4e5"),
    resource: Some("arn:aws:s3:::bucket"),
};

/// Whose permissions it is taken for.
const IDENTITY: Identity<'static> =
    Identity { arn: "arn:aws:iam::111122223333:role/app", organization: CONTEXT.organization, groups: &[] };

/// It as the service control policy of a level.
fn service_control(document: &Value) -> Answer<ServiceControl> {
    let levels = serde_json::json!([{ "Policies": [{ "PolicyName": "p", "PolicyDocument": document }] }]);
    let organization = serde_json::json!({ "Id": CONTEXT.organization, "MasterAccountId": "444455556666" });
    let read = ServiceControl::read(CONTEXT.account, Input::Known(&organization), Input::Known(&levels));
    read.unwrap_or_else(|| Answer::Known(ServiceControl::default()))
}

/// Asks everything, as a resource's policy, a role's trust policy and an identity's policy.
pub fn ask(document: &Value) {
    let _ = policy::who(document, &CONTEXT);
    let _ = policy::open_endpoint_grants(document, &CONTEXT);
    let _ = policy::denies_insecure_transport(document, &["s3:*"], &["arn:aws:s3:::bucket/*"]);
    let _ = policy::denies_tls_below(document, 1.2, &["s3:*"], &["arn:aws:s3:::bucket/*"]);
    let _ = policy::keys::administrators_who_use(document, &CONTEXT);
    let _ = policy::trust::trust(document, &CONTEXT);
    if let Answer::Known(permissions) = Permissions::read(Input::Known(document)) {
        let _ = (permissions.administrator(), permissions.escalations(), permissions.service_wildcards());
        let _ = permissions.clone().with_boundary(Input::Known(document)).without_mfa().escalations();
        let control = service_control(document);
        let narrowed = permissions.with_service_control(&control, &IDENTITY).of(&IDENTITY);
        let _ = (narrowed.escalations(), narrowed.allowed_beyond(&["ssm:UpdateInstanceInformation"]));
    }
    let _ = policy::key_grants(document, &CONTEXT);
    let _ = policy::enclave::attestation(document, &["kms:Decrypt"], &CONTEXT);
    let _ = policy::enclave::grant_attestation(document, document, &["kms:Decrypt"], &CONTEXT);
    let _ = (policy::enclave::mentions_attestation(document), policy::enclave::trusted_measurements(document));
    for (own, points) in
        [(document, &[][..]), (&Value::Null, &[access_point(document)]), (document, &[access_point(document)])]
    {
        let _ = s3::public_routes_of(&bucket(own, points), &[s3::Access::Read, s3::Access::Write]);
    }
}

fn access_point(policy: &Value) -> s3::AccessPoint<'_> {
    s3::AccessPoint {
        name: "point",
        arn: "arn:aws:s3:eu-west-1:111122223333:accesspoint/point",
        account: CONTEXT.account,
        origin: Input::Absent,
        block: Input::Absent,
        policy: Input::Known(policy),
    }
}

fn bucket<'a>(policy: &'a Value, access_points: &'a [s3::AccessPoint<'a>]) -> s3::Bucket<'a> {
    s3::Bucket {
        name: "bucket",
        account_block: Input::Absent,
        bucket_block: Input::Absent,
        ownership: Input::Absent,
        policy: Input::of(policy),
        acl: Input::Absent,
        access_points: s3::AccessPoints { read: access_points, more: false },
        context: CONTEXT,
    }
}

/// How many grants to everybody the statements certainly make; `None` where that is not known.
pub fn public(statements: &[Value]) -> Option<usize> {
    let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
    policy::public_grants(&document, &["*"], &CONTEXT).known().map(|grants| grants.len())
}
