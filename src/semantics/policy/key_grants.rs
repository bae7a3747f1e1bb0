//! What the grants of a KMS key give, and to whom, in the shape in which policies are answered: a rule asks both the
//! same way. It must never take a principal that it does not understand for one of the own account.

use super::Context;
use super::document::{Who, read_aws};
use super::who::{Audience, Grant};
use crate::semantics::Answer;
use serde_json::Value;
use std::collections::BTreeSet;

/// What the grants of a key (`ListGrants`) allow. Sources: AWS KMS Developer Guide, "Grants in AWS KMS"; AWS KMS API
/// Reference, `GrantListEntry`. A grant's members mean here:
///
/// - `GranteePrincipal` gets the operations; for an AWS service it is a service principal.
/// - `RetiringPrincipal` may end the grant: its account is among `accounts`, too.
/// - `Constraints` bind the use to an encryption context; they never say who uses it.
/// - `IssuingAccount` is where the grant was made; shown in `why` where it is another account.
pub fn key_grants(grants: &Value, context: &Context) -> Answer<Vec<Grant>> {
    let Value::Array(grants) = grants else {
        return Answer::Unknown("the grants of the key are no list".to_string());
    };
    Answer::Known(grants.iter().map(|grant| key_grant(grant, context)).collect())
}

pub(super) fn key_grant(grant: &Value, context: &Context) -> Grant {
    let text = |member: &str| grant.get(member).and_then(Value::as_str).unwrap_or_default();
    let grantee = who(text("GranteePrincipal"));
    let retiring = Some(text("RetiringPrincipal")).filter(|p| !p.is_empty()).map(who);
    let accounts: BTreeSet<String> =
        [Some(&grantee), retiring.as_ref()].into_iter().flatten().filter_map(account_of).collect();
    let bound_by = constraints(grant);
    let audience = audience(&grantee, context);
    let mut found = Grant {
        statement: statement(text("Name"), text("GrantId")),
        audience,
        public: false,
        principals: vec![text("GranteePrincipal").to_string()],
        foreign_accounts: accounts.iter().filter(|a| *a != context.account).cloned().collect(),
        accounts: accounts.into_iter().collect(),
        organizations: Vec::new(),
        bound: !bound_by.is_empty(),
        bound_by,
        actions: operations(grant),
        except_actions: Vec::new(),
        resources: vec![text("KeyId").to_string()],
        except_resources: Vec::new(),
        doubt: (audience == Audience::NotUnderstood)
            .then(|| format!("the grantee '{}' is not understood", text("GranteePrincipal"))),
        why: String::new(),
    };
    found.why = reason(&found, retiring.as_ref(), text("RetiringPrincipal"), text("IssuingAccount"), context);
    found
}

fn statement(name: &str, id: &str) -> String {
    match (name, id) {
        ("", id) => format!("'{id}'"),
        (name, id) => format!("'{name}' ({id})"),
    }
}

/// A principal as grants name it: an ARN, a unique id, or the name of a service.
pub(super) fn who(text: &str) -> Who {
    match read_aws(text) {
        Who::NotUnderstood(name) if is_service(&name) => Who::Service(name),
        Who::Everyone => Who::NotUnderstood(text.to_string()),
        other => other,
    }
}

fn is_service(name: &str) -> bool {
    let host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    name.chars().all(host) && (name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn"))
}

fn account_of(who: &Who) -> Option<String> {
    match who {
        Who::Aws { account, .. } => Some(account.clone()),
        _ => None,
    }
}

fn audience(grantee: &Who, context: &Context) -> Audience {
    match grantee {
        Who::Aws { account, .. } if account == context.account => Audience::SameAccount,
        Who::Aws { .. } => Audience::Accounts,
        Who::Service(_) => Audience::Service,
        Who::UniqueId(_) => Audience::UniqueId,
        _ => Audience::NotUnderstood,
    }
}

fn operations(grant: &Value) -> Vec<String> {
    let operations = grant.get("Operations").and_then(Value::as_array);
    operations.into_iter().flatten().filter_map(Value::as_str).map(|o| format!("kms:{o}")).collect()
}

/// The constraints by name; never the encryption context itself, which can say what a key is for.
fn constraints(grant: &Value) -> Vec<String> {
    let of = |name: &&str| {
        let context = grant.get("Constraints").and_then(|c| c.get(*name)).and_then(Value::as_object);
        context.is_some_and(|c| !c.is_empty())
    };
    ["EncryptionContextEquals", "EncryptionContextSubset"].into_iter().filter(of).map(str::to_string).collect()
}

fn reason(grant: &Grant, retiring: Option<&Who>, retires: &str, issuer: &str, context: &Context) -> String {
    let principal = &grant.principals[0];
    let mut text = format!("grant {} allows {} to {principal}", grant.statement, grant.actions.join(", "));
    if !grant.bound_by.is_empty() {
        text.push_str(&format!(", bound by {}", grant.bound_by.join(" and ")));
    }
    if retiring.and_then(account_of).is_some_and(|a| a != context.account) {
        text.push_str(&format!(", and lets {retires} end it"));
    }
    let issued_by = issuer.split(':').nth(4).unwrap_or(issuer);
    if !issued_by.is_empty() && issued_by != context.account {
        text.push_str(&format!("; account {issued_by} made it"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

    fn of(grant: Value) -> Grant {
        let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
        key_grants(&json!([grant]), &context).known().unwrap().remove(0)
    }

    fn to(principal: &str) -> Grant {
        of(json!({"KeyId": KEY, "GrantId": "g", "GranteePrincipal": principal, "Operations": ["Decrypt"]}))
    }

    #[test]
    fn the_grantee_says_who_gets_it() {
        for (principal, audience) in [
            ("arn:aws:iam::111122223333:role/r", Audience::SameAccount),
            ("arn:aws:sts::111122223333:assumed-role/aws:ec2-infrastructure/i-1", Audience::SameAccount),
            ("arn:aws:iam::444455556666:root", Audience::Accounts),
            ("rds.us-east-1.amazonaws.com", Audience::Service),
            ("dynamodb.cn-north-1.amazonaws.com.cn", Audience::Service),
            ("AROAEXAMPLEID", Audience::UniqueId),
            ("*", Audience::NotUnderstood),
            ("", Audience::NotUnderstood),
            ("arn:aws:iam::*:role/r.amazonaws.com", Audience::NotUnderstood),
        ] {
            let grant = to(principal);
            assert_eq!(grant.audience, audience, "{principal}");
            assert_eq!(grant.doubt.is_some(), audience == Audience::NotUnderstood, "{principal}");
        }
        assert_eq!(to("arn:aws:iam::444455556666:root").foreign_accounts, ["444455556666"]);
    }

    #[test]
    fn who_may_end_it_counts_and_who_made_it_is_told() {
        let grant = of(
            json!({"KeyId": KEY, "GrantId": "g", "Name": "backup", "Operations": ["Decrypt", "CreateGrant"],
            "GranteePrincipal": "arn:aws:iam::111122223333:role/r", "RetiringPrincipal": "arn:aws:iam::777788889999:role/q",
            "IssuingAccount": "arn:aws:iam::444455556666:root"}),
        );
        assert_eq!(grant.foreign_accounts, ["777788889999"]);
        assert_eq!(grant.actions, ["kms:Decrypt", "kms:CreateGrant"]);
        assert_eq!(
            grant.why,
            "grant 'backup' (g) allows kms:Decrypt, kms:CreateGrant to arn:aws:iam::111122223333:role/r, and lets \
             arn:aws:iam::777788889999:role/q end it; account 444455556666 made it"
        );
    }

    #[test]
    fn constraints_bind_and_their_values_are_not_shown() {
        let grant = of(json!({"KeyId": KEY, "GrantId": "g", "GranteePrincipal": "arn:aws:iam::444455556666:role/r",
            "Operations": ["Decrypt"], "Constraints": {"EncryptionContextSubset": {"patient": "4711"}, "EncryptionContextEquals": {}}}));
        assert_eq!(grant.bound_by, ["EncryptionContextSubset"]);
        assert!(grant.bound);
        assert!(!serde_json::to_string(&grant).unwrap().contains("4711"));
    }

    #[test]
    fn what_is_no_list_is_unknown() {
        assert!(key_grants(&json!({"Grants": []}), &Context::default()).doubt().is_some());
    }

    proptest! {
        #[test]
        fn no_grantee_makes_it_panic(text in "\\PC{0,60}") {
            let grant = to(&text);
            prop_assert!(!grant.public);
        }
    }
}
