//! Who administers a KMS key and who uses it, by its key policy. The account itself (its root) is left out: to
//! delegate to IAM is the normal first statement of a key policy. Grants of the key are not looked at.

use super::Context;
use super::document::{Document, Effect, Statement, Test, is_account};
use super::who::{Audience, Grant, grants};
use crate::semantics::Answer;
use serde::Serialize;
use serde_json::Value;

/// Actions with which somebody can take over or destroy a key.
const ADMINISTRATION: [&str; 4] = ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant"];

/// Actions that use the key (AWS KMS Developer Guide, "Cryptographic operations"); `GenerateRandom` uses none.
const USE: [&str; 13] = [
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateMac",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:Sign",
    "kms:Verify",
    "kms:VerifyMac",
    "kms:DeriveSharedSecret",
];

/// A principal that both administers and uses a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mixed {
    /// The principal as the policy names it.
    pub principal: String,
    /// The statements that let it administer.
    pub administers_by: Vec<String>,
    /// The statements that let it use.
    pub uses_by: Vec<String>,
}

/// The principals, other than the account itself, to whom a key policy gives both administration and use.
pub fn administrators_who_use(policy: &Value, context: &Context) -> Answer<Vec<Mixed>> {
    Document::read(policy).and_then(|document| {
        let administration = grants(&without_service_grants(&document), &ADMINISTRATION, context);
        let usage = grants(&document, &USE, context);
        administration.and_then(|administration| usage.map(|usage| mixed(&administration, &usage)))
    })
}

/// The document without the statements that let a principal make grants only for AWS services
/// (`kms:GrantIsForAWSResource`): that is use through a service, not administration. The key is absent from requests that
/// change the policy or the key, so that a condition that lets absent keys pass bounds none of these.
fn without_service_grants(document: &Document) -> Document {
    let for_services = |s: &Statement| {
        s.effect == Effect::Allow
            && s.conditions.iter().any(|c| {
                c.key.eq_ignore_ascii_case("kms:GrantIsForAWSResource")
                    && c.operator.test == Some(Test::Bool)
                    && c.operator.set.is_none()
                    && !c.operator.if_exists
                    && c.doubt.is_none()
                    && !c.values.is_empty()
                    && c.values.iter().all(|v| v.eq_ignore_ascii_case("true"))
            })
    };
    Document { statements: document.statements.iter().filter(|s| !for_services(s)).cloned().collect() }
}

fn mixed(administration: &[Grant], usage: &[Grant]) -> Vec<Mixed> {
    let mut principals: Vec<&String> =
        administration.iter().filter(|g| g.audience != Audience::Service).flat_map(|g| &g.principals).collect();
    principals.sort();
    principals.dedup();
    let by = |grants: &[Grant], principal: &String| -> Vec<String> {
        grants.iter().filter(|g| g.principals.contains(principal)).map(|g| g.statement.clone()).collect()
    };
    principals
        .into_iter()
        .filter(|p| !p.ends_with(":root") && !is_account(p))
        .map(|p| Mixed { principal: p.clone(), administers_by: by(administration, p), uses_by: by(usage, p) })
        .filter(|m| !m.uses_by.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROLE: &str = "arn:aws:iam::111122223333:role/r";

    fn found(statements: Value) -> Vec<String> {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
        administrators_who_use(&policy, &context).known().unwrap().into_iter().map(|m| m.principal).collect()
    }

    fn allow(principal: &str, actions: &[&str]) -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"})
    }

    #[test]
    fn both_in_one_or_in_two_statements_are_mixed() {
        assert_eq!(found(json!([allow(ROLE, &["kms:*"])])), [ROLE]);
        assert_eq!(found(json!([allow(ROLE, &["kms:Put*"]), allow(ROLE, &["kms:Decrypt"])])), [ROLE]);
    }

    #[test]
    fn one_of_the_two_the_account_itself_and_grants_for_services_are_not() {
        let apart = json!([allow(ROLE, &["kms:Put*"]), allow("arn:aws:iam::111122223333:role/s", &["kms:Decrypt"])]);
        assert!(found(apart).is_empty());
        assert!(found(json!([allow("arn:aws:iam::111122223333:root", &["kms:*"])])).is_empty());
        let mut service = allow(ROLE, &["kms:CreateGrant"]);
        service["Condition"] = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
        assert!(found(json!([allow(ROLE, &["kms:Decrypt"]), service])).is_empty());
        assert_eq!(found(json!([allow(ROLE, &["kms:Decrypt", "kms:CreateGrant"])])), [ROLE]);
        for operator in ["BoolIfExists", "ForAllValues:Bool"] {
            let mut loose = allow(ROLE, &["kms:Decrypt", "kms:CreateGrant", "kms:PutKeyPolicy"]);
            loose["Condition"] = json!({operator: {"kms:GrantIsForAWSResource": "true"}});
            assert_eq!(found(json!([loose])), [ROLE], "{operator}");
        }
        assert_eq!(found(json!([allow(ROLE, &["kms:PutKeyPolicy", "kms:Verify"])])), [ROLE]);
    }
}
