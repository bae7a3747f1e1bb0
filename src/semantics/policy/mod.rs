//! IAM policy documents: what they state ([`document`]), whom a resource's policy lets in ([`mod@who`]), what an
//! identity's policies allow ([`grants`]) and its organization leaves of that ([`service_control`]), what the grants of a
//! key give ([`key_grants()`]), whether a key demands attestation ([`enclave`]), what a service of AWS may do for a resource
//! of its own ([`service`]), who can take a role ([`mod@trust`]), and which requests a policy refuses ([`transport`]).
//! Knows no rule; anything that is not understood is unknown, never fine.

pub mod aws_accounts;
pub mod beyond;
mod condition;
pub mod document;
pub mod enclave;
pub mod escalation;
pub mod grants;
mod key_grants;
pub mod keys;
pub(crate) mod matching;
pub mod principal;
pub mod service;
pub mod service_control;
pub mod transport;
pub mod trust;
pub mod who;

pub use document::Document;
pub use key_grants::key_grants;
pub use matching::Pattern;
pub use principal::Identity;
pub use service_control::ServiceControl;
pub use transport::{denies_insecure_transport, denies_tls_below};
pub use who::{Audience, Grant, grants_of, open_endpoint_grants, public_grants, who};

/// What is known of the resource that a policy belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The account that owns the resource.
    pub account: &'a str,
    /// Its partition (`aws`, `aws-cn`, …).
    pub partition: &'a str,
    /// The account's organization id, where it is known.
    pub organization: Option<&'a str>,
    /// The resource's ARN, where it has one.
    pub resource: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::grants::Permissions;
    use super::*;
    use crate::semantics::Input;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn examples(text: &str) -> Vec<Value> {
        serde_json::from_str(text).unwrap()
    }

    fn texts(value: &Value) -> Vec<&str> {
        value.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    #[test]
    fn published_resource_policies_are_read_as_published() {
        for example in examples(include_str!("../../../testdata/policies/resource.json")) {
            let name = &example["name"];
            let context = Context {
                account: example["account"].as_str().unwrap(),
                partition: "aws",
                organization: None,
                resource: example["resource"].as_str(),
            };
            let public = public_grants(&example["policy"], &["*"], &context).known().map(|grants| !grants.is_empty());
            assert_eq!(public, example["public"].as_bool(), "{name}");
            let Some(grants) = who(&example["policy"], &context).known() else {
                assert_eq!(public, None, "{name}");
                continue;
            };
            let foreign: BTreeSet<&str> = grants.iter().flat_map(|g| &g.foreign_accounts).map(String::as_str).collect();
            assert_eq!(foreign, texts(&example["foreign"]).into_iter().collect(), "{name}");
            if let Some(bound) = example["bound"].as_bool() {
                assert!(grants.iter().all(|g| g.bound == bound), "{name}");
            }
        }
    }

    #[test]
    fn published_identity_policies_are_read_as_published() {
        for example in examples(include_str!("../../../testdata/policies/identity.json")) {
            let name = &example["name"];
            let permissions = Permissions::read(Input::Known(&example["policy"])).known().unwrap();
            let administrator = permissions.administrator().known().unwrap().is_some();
            assert_eq!(Some(administrator), example["administrator"].as_bool(), "{name}");
            let found = permissions.escalations().known().unwrap();
            let paths: Vec<&str> = found.iter().map(|e| e.path).collect();
            if example["escalations"] == "all" {
                assert_eq!(paths.len(), escalation::PATHS.len(), "{name}");
            } else if example["includes"].is_array() {
                let missing: Vec<_> = texts(&example["includes"]).into_iter().filter(|p| !paths.contains(p)).collect();
                assert!(missing.is_empty(), "{name}: {missing:?}");
            } else {
                assert_eq!(paths, texts(&example["escalations"]), "{name}");
            }
        }
    }

    /// Whether all that is expected is so; lists have the same length.
    fn holds(expected: &Value, found: &Value) -> bool {
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => {
                expected.iter().all(|(name, value)| found.get(name).is_some_and(|f| holds(value, f)))
            }
            (Value::Array(expected), Value::Array(found)) => {
                expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| holds(e, f))
            }
            _ => expected == found,
        }
    }

    #[test]
    fn published_trust_policies_are_read_as_published() {
        for example in examples(include_str!("../../../testdata/policies/trust.json")) {
            let context =
                Context { account: example["account"].as_str().unwrap(), partition: "aws", ..Context::default() };
            let found = trust::trust(&example["policy"], &context).known().unwrap();
            let found = serde_json::to_value(&found).unwrap();
            assert!(holds(&example["expected"], &found), "{}: {found}", example["name"]);
        }
    }
}
