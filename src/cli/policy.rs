//! An IAM policy that allows a set of actions and nothing else.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The characters that a managed policy may have, white space not counted.
/// Source: IAM User Guide, "IAM and AWS STS quotas".
const LIMIT: usize = 6144;

/// The policies that together allow `actions`: one statement for each service, sorted; several policies where
/// one would be too long.
pub(super) fn allowing(actions: &BTreeSet<String>) -> Vec<Value> {
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in actions {
        let service = action.split_once(':').map_or(action.as_str(), |(service, _)| service);
        services.entry(service).or_default().push(action);
    }
    let statements = services.iter().flat_map(|(service, actions)| statements(service, actions));
    let mut policies = Vec::new();
    let mut current: Vec<Value> = Vec::new();
    for statement in statements {
        current.push(statement);
        if length(&policy(&current)) > LIMIT && current.len() > 1 {
            let next = current.pop();
            policies.push(policy(&current));
            current = next.into_iter().collect();
        }
    }
    if !current.is_empty() {
        policies.push(policy(&current));
    }
    policies
}

/// One statement, or as many as it takes for each to fit into a policy of its own.
fn statements(service: &str, actions: &[&str]) -> Vec<Value> {
    let sid = sid(service);
    let whole = statement(&sid, actions);
    if length(&policy(std::slice::from_ref(&whole))) <= LIMIT || actions.len() < 2 {
        return vec![whole];
    }
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for action in actions {
        if let Some(part) = parts.last_mut() {
            part.push(action);
            if length(&policy(&[statement(&format!("{sid}{}", u16::MAX), part)])) > LIMIT && part.len() > 1 {
                part.pop();
                parts.push(vec![action]);
            }
        }
    }
    parts.iter().enumerate().map(|(n, part)| statement(&format!("{sid}{}", n + 1), part)).collect()
}

fn statement(sid: &str, actions: &[&str]) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn length(policy: &Value) -> usize {
    policy.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// `access-analyzer` as `AccessAnalyzer`: a Sid takes letters and digits only.
fn sid(service: &str) -> String {
    let words = service.split(|c: char| !c.is_ascii_alphanumeric());
    words.flat_map(|w| w.char_indices().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(actions: &[&str]) -> BTreeSet<String> {
        actions.iter().map(ToString::to_string).collect()
    }

    fn allowed(policies: &[Value]) -> Vec<String> {
        let statements = policies.iter().flat_map(|p| p["Statement"].as_array().expect("a list"));
        let actions = statements.flat_map(|s| s["Action"].as_array().expect("a list"));
        actions.map(|a| a.as_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn actions_stand_together_by_service() {
        let policies = allowing(&set(&["s3:ListAllMyBuckets", "access-analyzer:ListAnalyzers", "s3:GetBucketAcl"]));
        assert_eq!(
            policies,
            [json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "AccessAnalyzer", "Effect": "Allow", "Action": ["access-analyzer:ListAnalyzers"], "Resource": "*"},
                {"Sid": "S3", "Effect": "Allow", "Action": ["s3:GetBucketAcl", "s3:ListAllMyBuckets"], "Resource": "*"},
            ]})]
        );
    }

    #[test]
    fn no_action_needs_no_policy() {
        assert!(allowing(&BTreeSet::new()).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_action_is_allowed_once_and_every_policy_fits(
            actions in prop::collection::btree_set("(ec2|s3|iam|rds|service-[a-e]):[A-Z][a-zA-Z]{3,60}", 0..400)
        ) {
            let policies = allowing(&actions);
            for policy in &policies {
                prop_assert!(length(policy) <= LIMIT);
                let sids: Vec<_> = policy["Statement"].as_array().expect("a list").iter().map(|s| &s["Sid"]).collect();
                prop_assert!(sids.iter().all(|s| sids.iter().filter(|t| t == &s).count() == 1));
            }
            prop_assert_eq!(allowed(&policies), actions.into_iter().collect::<Vec<_>>());
        }
    }
}
