//! How many policies are read and judged in a second: published ones, and one as large as IAM lets a policy be.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use soc2scan::semantics::policy::grants::Permissions;
use soc2scan::semantics::policy::{Context, trust, who};
use soc2scan::semantics::{Answer, Input};
use std::hint::black_box;

/// The most characters of a bucket policy, the longest that AWS takes (Amazon S3 User Guide, "Bucket policies").
const LONGEST: usize = 20 * 1024;

const CONTEXT: Context<'static> =
    Context { account: "111122223333", partition: "aws", organization: None, resource: Some("arn:aws:s3:::bucket") };

/// The policies of a file of `testdata/policies`, as the API hands them out: text.
fn published(text: &str) -> Vec<Value> {
    let examples: Vec<Value> = serde_json::from_str(text).expect("the examples are JSON");
    examples.iter().map(|example| Value::String(example["policy"].to_string())).collect()
}

/// A policy of that many characters, of statements that differ, with Allow and Deny.
fn longest() -> Value {
    let mut statements = Vec::new();
    let mut length = 0;
    while length < LONGEST {
        let n = statements.len();
        let effect = if n % 7 == 0 { "Deny" } else { "Allow" };
        let statement = json!({
            "Sid": format!("s{n}"), "Effect": effect,
            "Principal": { "AWS": [format!("arn:aws:iam::{:012}:role/r", n), format!("{:012}", n + 1)] },
            "Action": ["s3:Get*", "s3:ListBucket"], "Resource": format!("arn:aws:s3:::bucket/{n}/*"),
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } },
        });
        length += statement.to_string().len();
        statements.push(statement);
    }
    Value::String(json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

fn each(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, policies: &[Value], ask: impl Fn(&Value)) {
    group.throughput(Throughput::Elements(policies.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| policies.iter().for_each(&ask)));
}

fn read(criterion: &mut Criterion) {
    let resource = published(include_str!("../testdata/policies/resource.json"));
    let identity = published(include_str!("../testdata/policies/identity.json"));
    let mut group = criterion.benchmark_group("policies");
    each(&mut group, "whom a resource's policy lets in", &resource, |policy| {
        black_box(who(policy, &CONTEXT));
    });
    each(&mut group, "who can take a role", &resource, |policy| {
        black_box(trust::trust(policy, &CONTEXT));
    });
    each(&mut group, "administrator and escalation paths", &identity, |policy| {
        black_box(Permissions::read(Input::Known(policy)).map(|p| (p.administrator(), p.escalations())));
    });
    each(&mut group, "the longest bucket policy", &[longest()], |policy| {
        assert!(matches!(black_box(who(policy, &CONTEXT)), Answer::Known(_)));
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
