//! Whether a resource's policy refuses requests that do not come over TLS, or over an old version of it. Only a
//! Deny that covers everybody, the actions and the resources asked for, with no further condition, counts.

use super::document::{Condition, Document, Effect, Order, Principal, Statement, Test, Who};
use super::matching::Pattern;
use crate::semantics::Answer;
use serde_json::Value;

/// The Deny statements that together refuse plain HTTP for `actions` on all `resources` (a bucket: its ARN and
/// `ARN/*`): their names, empty where the policy does not refuse it. A Deny of TLS versions below 1.2 or higher
/// counts as well for Amazon S3, where it refuses plain HTTP too (AWS re:Post, "s3-enforce-modern-tls"). Unknown where the document is not understood, or a statement that would decide it is not.
///
/// `actions`: as patterns; a Deny counts for an action when it covers the whole pattern.
pub fn denies_insecure_transport(policy: &Value, actions: &[&str], resources: &[&str]) -> Answer<Vec<String>> {
    let of_s3 = actions.iter().all(|a| a.starts_with("s3:"));
    denies(policy, actions, resources, &|conditions| {
        refuses_plain_http(conditions) || (of_s3 && refuses_tls_below(conditions, 1.2))
    })
}

/// The Deny statements that together refuse TLS below `version` (1.2, 1.3) for `actions` on all `resources`: their
/// names, empty where the policy does not refuse it. Reads `s3:TlsVersion`, so it is for S3 only.
pub fn denies_tls_below(policy: &Value, version: f64, actions: &[&str], resources: &[&str]) -> Answer<Vec<String>> {
    denies(policy, actions, resources, &|conditions| refuses_tls_below(conditions, version))
}

fn denies(
    policy: &Value,
    actions: &[&str],
    resources: &[&str],
    refuses: &dyn Fn(&[Condition]) -> bool,
) -> Answer<Vec<String>> {
    Document::read(policy).and_then(|document| {
        let denies: Vec<&Statement> =
            document.statements.iter().filter(|s| s.effect == Effect::Deny && names_everybody(&s.principal)).collect();
        let certain: Vec<&Statement> = denies.iter().copied().filter(|s| refuses(&s.conditions)).collect();
        if let Some(names) = cover(&certain, actions, resources) {
            return Answer::Known(names);
        }
        let possible: Vec<&Statement> =
            denies.iter().copied().filter(|s| refuses(&s.conditions) || has_doubt(s)).collect();
        match cover(&possible, actions, resources) {
            Some(_) => Answer::Unknown("a Deny statement has a condition that is not understood".to_string()),
            None => Answer::Known(Vec::new()),
        }
    })
}

fn has_doubt(statement: &Statement) -> bool {
    statement.conditions.iter().any(|c| c.doubt.is_some())
}

fn names_everybody(principal: &Principal) -> bool {
    matches!(principal, Principal::Is(named) if named.contains(&Who::Everyone))
}

/// The statements that cover every action on every resource, where they do.
fn cover(denies: &[&Statement], actions: &[&str], resources: &[&str]) -> Option<Vec<String>> {
    let mut used: Vec<&Statement> = Vec::new();
    for action in actions.iter().map(|a| Pattern::action(a)) {
        for resource in resources.iter().map(|r| Pattern::plain(r)) {
            let deny = denies.iter().find(|s| s.actions.covers(&action) && s.resources.covers(&resource))?;
            if !used.iter().any(|s| s.index == deny.index) {
                used.push(deny);
            }
        }
    }
    Some(used.into_iter().map(Statement::name).collect())
}

/// `aws:SecureTransport` is in every request, so `IfExists` and the set qualifiers change nothing.
fn refuses_plain_http(conditions: &[Condition]) -> bool {
    let [condition] = conditions else { return false };
    let says = |text: &str| condition.values.iter().any(|v| v.eq_ignore_ascii_case(text));
    condition.doubt.is_none()
        && condition.key.eq_ignore_ascii_case("aws:SecureTransport")
        && match condition.operator.test {
            Some(Test::Bool | Test::StringEquals { negated: false } | Test::StringLike { negated: false }) => {
                says("false")
            }
            Some(Test::StringEquals { negated: true } | Test::StringLike { negated: true }) => {
                says("true") && !says("false")
            }
            _ => false,
        }
}

fn refuses_tls_below(conditions: &[Condition], version: f64) -> bool {
    let [condition] = conditions else { return false };
    let limits = || condition.values.iter().filter_map(|v| v.trim().parse::<f64>().ok());
    condition.doubt.is_none()
        && condition.key.eq_ignore_ascii_case("s3:TlsVersion")
        && match condition.operator.test {
            Some(Test::Numeric(Order::LessThan)) => limits().any(|limit| limit >= version),
            // Versions come in tenths: at most 1.1 is below 1.2.
            Some(Test::Numeric(Order::LessThanEquals)) => limits().any(|limit| limit >= version - 0.1 - f64::EPSILON),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: [&str; 2] = ["arn:aws:s3:::b", "arn:aws:s3:::b/*"];

    fn statement(edit: impl Fn(&mut Value)) -> Value {
        let mut statement = json!({"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": BUCKET, "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        edit(&mut statement);
        statement
    }

    fn refused(statements: &[Value]) -> Answer<bool> {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        denies_insecure_transport(&policy, &["s3:GetObject", "s3:PutObject"], &BUCKET).map(|names| !names.is_empty())
    }

    fn one(edit: impl Fn(&mut Value)) -> Answer<bool> {
        refused(&[statement(edit)])
    }

    #[test]
    fn the_usual_deny_in_its_variants_counts() {
        let yes = Answer::Known(true);
        assert_eq!(one(|_| {}), yes);
        assert_eq!(one(|s| s["Principal"] = json!({"AWS": "*"})), yes);
        assert_eq!(one(|s| s["Action"] = json!("*")), yes);
        assert_eq!(one(|s| s["Action"] = json!(["s3:GetObject", "s3:PutObject"])), yes);
        assert_eq!(one(|s| s["Resource"] = json!("*")), yes);
        assert_eq!(one(|s| s["Resource"] = json!("arn:aws:s3:::b*")), yes);
        for condition in [
            json!({"BoolIfExists": {"aws:SecureTransport": false}}),
            json!({"StringEquals": {"AWS:securetransport": "false"}}),
            json!({"StringNotEquals": {"aws:SecureTransport": "true"}}),
            json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
            json!({"NumericLessThan": {"s3:TlsVersion": 1.3}}),
            json!({"NumericLessThanEquals": {"s3:TlsVersion": 1.1}}),
        ] {
            assert_eq!(one(|s| s["Condition"] = condition.clone()), yes, "{condition}");
        }
    }

    #[test]
    fn two_statements_can_share_the_work() {
        let bucket = statement(|s| s["Resource"] = json!("arn:aws:s3:::b"));
        let objects = statement(|s| s["Resource"] = json!("arn:aws:s3:::b/*"));
        assert_eq!(refused(&[bucket.clone(), objects]), Answer::Known(true));
        assert_eq!(refused(&[bucket]), Answer::Known(false));
    }

    #[test]
    fn a_deny_that_leaves_somebody_does_not_count() {
        let no = Answer::Known(false);
        assert_eq!(one(|s| s["Effect"] = json!("Allow")), no);
        assert_eq!(one(|s| s["Principal"] = json!({"AWS": "111122223333"})), no);
        assert_eq!(one(|s| s["Action"] = json!("s3:GetObject")), no);
        assert_eq!(one(|s| s["Resource"] = json!("arn:aws:s3:::b/*")), no);
        assert_eq!(one(|s| s["Resource"] = json!("arn:aws:s3:::b/x/*")), no);
        for condition in [
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"Bool": {"aws:SecureTransport": "false", "aws:MultiFactorAuthPresent": "false"}}),
            json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
            json!({"Null": {"aws:SecureTransport": "false"}}),
            json!({"NumericLessThan": {"s3:TlsVersion": "1.1"}}),
            json!({}),
        ] {
            assert_eq!(one(|s| s["Condition"] = condition.clone()), no, "{condition}");
        }
    }

    #[test]
    fn other_services_do_not_know_the_tls_versions_of_s3() {
        let queue = "arn:aws:sqs:us-east-1:111122223333:q";
        let policy = json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue,
            "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}});
        assert_eq!(denies_insecure_transport(&policy, &["sqs:SendMessage"], &[queue]), Answer::Known(vec![]));
    }

    #[test]
    fn a_condition_that_is_not_understood_gives_unknown() {
        assert!(one(|s| s["Condition"] = json!({"Boolean": {"aws:SecureTransport": "false"}})).doubt().is_some());
        assert!(denies_insecure_transport(&json!("{"), &["s3:*"], &BUCKET).doubt().is_some());
    }

    #[test]
    fn tls_versions_are_compared() {
        let policy = |limit: &str| json!({"Statement": statement(|s| s["Condition"] = json!({"NumericLessThan": {"s3:TlsVersion": limit}}))});
        let below =
            |limit: &str, version| denies_tls_below(&policy(limit), version, &["s3:*"], &BUCKET).known().unwrap().len();
        assert_eq!(below("1.2", 1.2), 1);
        assert_eq!(below("1.3", 1.2), 1);
        assert_eq!(below("1.2", 1.3), 0);
    }
}
