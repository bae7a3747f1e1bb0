//! Whether the policy of a resource lets a service of AWS do something there for one of its own resources: an alarm
//! publish to a topic, a rule invoke a function. It must never say yes where a condition is not understood.

use super::document::{Condition, Document, Effect, Principal, Statement, Test, Who};
use super::matching::Pattern;
use super::principal::text_holds;
use crate::semantics::Answer;
use serde_json::Value;

/// A service that asks, and what its requests say of for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender<'a> {
    /// Its principal (`cloudwatch.amazonaws.com`).
    pub service: &'a str,
    /// The account for which it acts.
    pub account: &'a str,
    /// The ARN of the resource for which it acts.
    pub source: &'a str,
    /// Whether its requests hold `aws:SourceArn` and `aws:SourceAccount`; nothing where that is not known.
    pub says_source: Option<bool>,
    /// Whether its requests hold `aws:SourceOwner`, an old key of Amazon SNS; nothing where that is not known.
    pub says_owner: Option<bool>,
}

/// Whether the policy lets the sender do all of the actions on the resource.
pub fn admits(policy: &Value, actions: &[&str], resource: &str, sender: &Sender<'_>) -> Answer<bool> {
    Document::read(policy).and_then(|document| {
        let each = actions.iter().map(|action| admits_one(&document, action, resource, sender));
        each.fold(Answer::Known(true), Answer::and)
    })
}

fn admits_one(document: &Document, action: &str, resource: &str, sender: &Sender<'_>) -> Answer<bool> {
    let (action, resource) = (Pattern::action(action), Pattern::plain(resource));
    let counts = |effect: Effect| {
        let about = |s: &&Statement| {
            s.effect == effect
                && s.actions.covers(&action)
                && s.resources.covers(&resource)
                && sender.is_in(&s.principal)
        };
        let each = document.statements.iter().filter(about).map(|s| sender.meets(s));
        each.fold(Answer::Known(false), Answer::or)
    };
    let refused = match counts(Effect::Deny) {
        Answer::Known(refused) => Answer::Known(!refused),
        doubt @ Answer::Unknown(_) => doubt,
    };
    counts(Effect::Allow).and(refused)
}

impl Sender<'_> {
    fn is_in(&self, principal: &Principal) -> bool {
        let is = |who: &Who| match who {
            Who::Everyone => true,
            Who::Service(name) => name.eq_ignore_ascii_case(self.service),
            _ => false,
        };
        match principal {
            Principal::None => false,
            Principal::Is(all) => all.iter().any(is),
            Principal::Not(all) => !all.iter().any(is),
        }
    }

    /// Whether all conditions of a statement hold.
    fn meets(&self, statement: &Statement) -> Answer<bool> {
        let each = statement.conditions.iter().map(|c| match self.holds(c) {
            Some(holds) => Answer::Known(holds),
            None => Answer::Unknown(format!("whether {} holds, in statement {}", c.label(), statement.name())),
        });
        each.fold(Answer::Known(true), Answer::and)
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition.key_name().as_str() {
            "aws:sourcearn" if self.says_source? => arn_holds(condition, self.source),
            "aws:sourceaccount" if self.says_source? => text_holds(condition, self.account),
            "aws:sourceowner" if self.says_owner? => text_holds(condition, self.account),
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceowner" => without_key(condition),
            "aws:principalisawsservice" | "aws:securetransport" => text_holds(condition, "true"),
            "aws:principalservicename" => text_holds(condition, self.service),
            _ => None,
        }
    }
}

/// Whether a condition holds where its key is not in the request (IAM User Guide, "Condition operators").
fn without_key(condition: &Condition) -> Option<bool> {
    let operator = &condition.operator;
    if condition.doubt.is_some() || operator.set.is_some() {
        return None;
    }
    Some(match operator.test? {
        Test::Null => return text_holds(condition, "").map(|present| !present),
        Test::StringEquals { negated } | Test::StringLike { negated } | Test::Arn { negated } => {
            negated || operator.if_exists
        }
        _ => return None,
    })
}

/// Whether a condition holds for an ARN. The operators for ARNs compare the six parts, the last of which may hold
/// colons. Nothing where it turns on whether `*` runs over a colon.
fn arn_holds(condition: &Condition, arn: &str) -> Option<bool> {
    let Test::Arn { negated } = condition.operator.test? else { return text_holds(condition, arn) };
    if condition.doubt.is_some() || condition.values.iter().any(|v| v.contains("${")) {
        return None;
    }
    let like = |pattern: &str, text: &str| Pattern::plain(pattern).covers(&Pattern::plain(text));
    let by_parts = |v: &String| {
        let (pattern, parts): (Vec<&str>, Vec<&str>) = (v.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
        pattern.len() == parts.len() && pattern.iter().zip(&parts).all(|(p, t)| like(p, t))
    };
    match condition.values.iter().any(by_parts) {
        true => Some(!negated),
        false if condition.values.iter().any(|v| like(v, arn)) => None,
        false => Some(negated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
    const ALARM: Sender<'static> = Sender {
        service: "cloudwatch.amazonaws.com",
        account: "111122223333",
        source: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:root usage",
        says_source: Some(true),
        says_owner: Some(true),
    };

    fn answer(statements: Value, sender: &Sender<'_>) -> &'static str {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        match admits(&policy, &["sns:Publish"], TOPIC, sender) {
            Answer::Known(true) => "yes",
            Answer::Known(false) => "no",
            Answer::Unknown(_) => "unknown",
        }
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "SNS:Publish", "Resource": TOPIC, "Condition": condition})
    }

    fn deny(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Deny", "Principal": principal, "Action": "*", "Resource": "*", "Condition": condition})
    }

    #[test]
    fn whom_an_allow_statement_lets_in() {
        let service = || json!({"Service": "cloudwatch.amazonaws.com"});
        let everyone = || json!({"AWS": "*"});
        for (principal, condition, expected) in [
            (service(), json!({}), "yes"),
            (everyone(), json!({}), "yes"),
            (json!("*"), json!({"StringEquals": {"AWS:SourceOwner": "111122223333"}}), "yes"),
            (json!("*"), json!({"StringEquals": {"AWS:SourceOwner": "444455556666"}}), "no"),
            (json!({"Service": "events.amazonaws.com"}), json!({}), "no"),
            (json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({}), "no"),
            (service(), json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}), "yes"),
            (service(), json!({"StringEquals": {"aws:SourceAccount": "444455556666"}}), "no"),
            (
                service(),
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}}),
                "yes",
            ),
            (service(), json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:*"}}), "yes"),
            (
                service(),
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"}}),
                "no",
            ),
            (service(), json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*"}}), "unknown"),
            (service(), json!({"StringLike": {"aws:SourceArn": "arn:aws:cloudwatch:*"}}), "yes"),
            (service(), json!({"ArnEquals": {"aws:SourceArn": "${x}"}}), "unknown"),
            (service(), json!({"StringEquals": {"aws:SourceOrgID": "o-1"}}), "unknown"),
            (service(), json!({"Bool": {"aws:SecureTransport": "true"}}), "yes"),
        ] {
            assert_eq!(
                answer(json!([allow(principal.clone(), condition.clone())]), &ALARM),
                expected,
                "{principal} {condition}"
            );
        }
        let other = json!({"Effect": "Allow", "Principal": service(), "Action": "sns:Subscribe", "Resource": TOPIC});
        assert_eq!(answer(json!([other]), &ALARM), "no");
        let elsewhere = json!({"Effect": "Allow", "Principal": service(), "Action": "sns:*", "Resource": "arn:aws:sns:us-east-1:111122223333:x"});
        assert_eq!(answer(json!([elsewhere]), &ALARM), "no");
        assert!(matches!(admits(&json!("{"), &["sns:Publish"], TOPIC, &ALARM), Answer::Unknown(_)));
    }

    #[test]
    fn deny_statements_take_away_what_they_certainly_do() {
        let everyone = || json!("*");
        for (principal, condition, expected) in [
            (everyone(), json!({}), "no"),
            (everyone(), json!({"Bool": {"aws:SecureTransport": "false"}}), "yes"),
            (everyone(), json!({"StringNotEquals": {"aws:SourceAccount": "111122223333"}}), "yes"),
            (everyone(), json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}), "unknown"),
            (
                everyone(),
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
                "yes",
            ),
            (json!({"AWS": "arn:aws:iam::444455556666:root"}), json!({}), "yes"),
            (json!({"Service": "cloudwatch.amazonaws.com"}), json!({}), "no"),
        ] {
            let statements = json!([allow(everyone(), json!({})), deny(principal.clone(), condition.clone())]);
            assert_eq!(answer(statements, &ALARM), expected, "{principal} {condition}");
        }
        let spared = json!({"Effect": "Deny", "NotPrincipal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "*", "Resource": "*"});
        assert_eq!(answer(json!([allow(everyone(), json!({})), spared]), &ALARM), "yes");
    }

    #[test]
    fn what_a_service_does_not_say_cannot_be_asked_for() {
        let silent = Sender { says_source: None, says_owner: Some(false), ..ALARM };
        let owner = |operator: &str| json!([allow(json!("*"), json!({operator: {"AWS:SourceOwner": "111122223333"}}))]);
        assert_eq!(answer(owner("StringEquals"), &silent), "no");
        assert_eq!(answer(owner("StringEqualsIfExists"), &silent), "yes");
        assert_eq!(answer(owner("StringNotEquals"), &silent), "yes");
        let account = json!([allow(json!("*"), json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}))]);
        assert_eq!(answer(account, &silent), "unknown");
        let absent = |value: &str| json!([allow(json!("*"), json!({"Null": {"AWS:SourceOwner": value}}))]);
        assert_eq!((answer(absent("true"), &silent), answer(absent("false"), &silent)), ("yes", "no"));
        assert_eq!((answer(absent("true"), &ALARM), answer(absent("false"), &ALARM)), ("no", "yes"));
    }
}
