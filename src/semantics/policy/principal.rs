//! What is always so of one principal: which conditions on who asks hold for it, and which never do. Anything that
//! a session can change, such as tags, is left open.

use super::document::{Condition, Statement, Test};
use super::matching::Pattern;

/// A role or user of an account, or a group that stands for its users, and what every request of it says of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Its ARN, as IAM shows it: with the path.
    pub arn: &'a str,
    /// The id of the organization that its account belongs to, where that is known.
    pub organization: Option<&'a str>,
    /// The names of the groups that it is in, where it is a user.
    pub groups: &'a [&'a str],
}

impl Identity<'_> {
    /// The ARNs of what permissions of its own are given to: itself and its groups, these without their paths.
    pub(super) fn own_arns(&self) -> Vec<String> {
        let account = self.arn.split_inclusive(':').take(5).collect::<String>();
        let groups = self.groups.iter().map(|name| format!("{account}group/{name}"));
        std::iter::once(self.arn.to_string()).chain(groups).collect()
    }

    /// What is left of a statement in requests of this identity: without the conditions that always hold. Nothing is
    /// left where one of them never does.
    pub(super) fn left_of(&self, statement: &Statement) -> Option<Statement> {
        let decided: Vec<Option<bool>> = statement.conditions.iter().map(|c| self.decides(c)).collect();
        if decided.contains(&Some(false)) {
            return None;
        }
        let mut left = statement.clone();
        let mut decided = decided.into_iter();
        left.conditions.retain(|_| decided.next() == Some(None));
        Some(left)
    }

    /// Whether a condition holds in every request of this identity (`true`) or in none (`false`). The keys are in
    /// every request that a role or user signs (IAM User Guide, "AWS global condition context keys").
    fn decides(&self, condition: &Condition) -> Option<bool> {
        let key = condition.key_name();
        let mut parts = self.arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let (kind, name) = resource.split_once('/')?;
        match (key.as_str(), kind) {
            ("aws:principalarn", "role" | "user") => arn_holds(condition, self.arn),
            ("aws:principalaccount", _) => text_holds(condition, account),
            ("aws:principalorgid", _) => text_holds(condition, self.organization?),
            ("aws:principaltype", "user") => text_holds(condition, "User"),
            ("aws:principaltype", "role") => text_holds(condition, "AssumedRole"),
            ("aws:username", "user") => text_holds(condition, name.rsplit('/').next()?),
            ("aws:principalisawsservice", _) => text_holds(condition, "false"),
            _ => None,
        }
    }
}

/// Whether a condition on `aws:PrincipalArn` holds for the ARN of a role or user. In a session of a role the key holds
/// the role. Nothing where that is not known.
pub(super) fn arn_holds(condition: &Condition, arn: &str) -> Option<bool> {
    match condition.operator.test? {
        // `*` stays within a part of an ARN for these operators: with as many colons as an ARN has, the parts meet.
        Test::Arn { negated }
            if is_plain(condition) && condition.values.iter().all(|v| v.matches(':').count() == 5) =>
        {
            Some(condition.values.iter().any(|v| is_like(v, arn)) != negated)
        }
        Test::Arn { .. } => None,
        _ => text_holds(condition, arn),
    }
}

/// Whether a condition holds where the key has this one value. Nothing where that is not known.
pub(super) fn text_holds(condition: &Condition, value: &str) -> Option<bool> {
    if !is_plain(condition) {
        return None;
    }
    let values = &condition.values;
    match condition.operator.test? {
        Test::StringEquals { negated } => {
            let without_case = condition.operator.text.to_ascii_lowercase().contains("ignorecase");
            let is = |v: &String| if without_case { v.eq_ignore_ascii_case(value) } else { v == value };
            Some(values.iter().any(is) != negated)
        }
        Test::StringLike { negated } => Some(values.iter().any(|v| is_like(v, value)) != negated),
        Test::Bool => Some(values.iter().any(|v| v.eq_ignore_ascii_case(value))),
        Test::Null => match values.as_slice() {
            [absent] => Some(absent.eq_ignore_ascii_case("false")),
            _ => None,
        },
        _ => None,
    }
}

/// Whether all of it is understood, and means what it says.
fn is_plain(condition: &Condition) -> bool {
    condition.doubt.is_none() && !condition.values.is_empty() && !condition.values.iter().any(|v| v.contains("${"))
}

fn is_like(pattern: &str, text: &str) -> bool {
    Pattern::plain(pattern).covers(&Pattern::plain(text))
}

#[cfg(test)]
mod tests {
    use super::super::document::Document;
    use super::*;
    use serde_json::{Value, json};

    /// `Some(true)` where the statement always counts, `Some(false)` where it never does, `None` where that is open.
    fn counts(arn: &str, condition: Value) -> Option<bool> {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}});
        let document = Document::read(&policy).known().unwrap();
        let identity = Identity { arn, organization: Some("o-abc1234567"), groups: &[] };
        match identity.left_of(&document.statements[0]) {
            None => Some(false),
            Some(left) if left.conditions.is_empty() => Some(true),
            Some(_) => None,
        }
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/ops/deploy";
    const GROUP: &str = "arn:aws:iam::111122223333:group/admins";
    const USER: &str = "arn:aws:iam::111122223333:user/staff/alice";

    #[test]
    fn a_truth_table_of_keys_operators_and_values() {
        let table = [
            (ROLE, "ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ops/*", Some(true)),
            (ROLE, "ArnEquals", "AWS:principalarn", "arn:*:iam::111122223333:role/ops/deploy", Some(true)),
            (ROLE, "ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ops/*", Some(false)),
            (ROLE, "ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/deploy", Some(true)),
            (ROLE, "ArnNotLikeIfExists", "aws:PrincipalArn", "arn:aws:iam::*:role/admin", Some(true)),
            (ROLE, "ArnLike", "aws:PrincipalArn", "arn:aws:iam::*", None),
            (ROLE, "StringLike", "aws:PrincipalArn", "*:role/ops/*", Some(true)),
            (ROLE, "StringNotLike", "aws:PrincipalArn", "*:role/admin", Some(true)),
            (ROLE, "StringEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/ops/deploy", Some(false)),
            (ROLE, "StringEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/ops/Deploy", Some(false)),
            (
                ROLE,
                "StringEqualsIgnoreCase",
                "aws:PrincipalArn",
                "arn:aws:iam::111122223333:role/ops/DEPLOY",
                Some(true),
            ),
            (ROLE, "StringEquals", "aws:PrincipalArn", "${aws:PrincipalArn}", None),
            (ROLE, "Null", "aws:PrincipalArn", "true", Some(false)),
            (ROLE, "Null", "aws:PrincipalArn", "false", Some(true)),
            (ROLE, "NumericEquals", "aws:PrincipalArn", "1", None),
            (ROLE, "Odd", "aws:PrincipalArn", "x", None),
            (ROLE, "StringEquals", "aws:PrincipalAccount", "111122223333", Some(true)),
            (ROLE, "StringNotEquals", "aws:PrincipalAccount", "111122223333", Some(false)),
            (ROLE, "ForAnyValue:StringEquals", "aws:PrincipalAccount", "444455556666", Some(false)),
            (ROLE, "StringEquals", "aws:PrincipalOrgID", "o-abc1234567", Some(true)),
            (ROLE, "StringNotEquals", "aws:PrincipalOrgID", "o-abc1234567", Some(false)),
            (ROLE, "StringEquals", "aws:PrincipalType", "AssumedRole", Some(true)),
            (USER, "StringEquals", "aws:PrincipalType", "AssumedRole", Some(false)),
            (USER, "StringNotLike", "aws:username", "break-glass-*", Some(true)),
            (USER, "StringEquals", "aws:username", "alice", Some(true)),
            (ROLE, "StringNotEquals", "aws:username", "alice", None),
            (ROLE, "Bool", "aws:PrincipalIsAWSService", "false", Some(true)),
            (ROLE, "BoolIfExists", "aws:PrincipalIsAWSService", "true", Some(false)),
            (ROLE, "StringEquals", "aws:PrincipalTag/team", "a", None),
            (ROLE, "Bool", "aws:MultiFactorAuthPresent", "false", None),
            (GROUP, "ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:group/admins", None),
            (GROUP, "StringEquals", "aws:PrincipalAccount", "444455556666", Some(false)),
        ];
        for (arn, operator, key, value, expected) in table {
            assert_eq!(counts(arn, json!({operator: {key: value}})), expected, "{arn} {operator} {key} {value}");
        }
    }

    #[test]
    fn one_condition_that_never_holds_decides_and_all_others_must_hold() {
        let held = json!({"aws:PrincipalAccount": "111122223333"});
        let other = json!({"aws:PrincipalAccount": "444455556666"});
        let open = json!({"aws:PrincipalTag/team": "a"});
        assert_eq!(counts(ROLE, json!({"StringEquals": held, "StringLike": open})), None);
        assert_eq!(counts(ROLE, json!({"StringEquals": other, "StringLike": open})), Some(false));
    }

    #[test]
    fn several_values_are_alternatives_also_of_a_negated_operator() {
        let arns = json!(["arn:aws:iam::*:role/admin", "arn:aws:iam::*:role/ops/*"]);
        assert_eq!(counts(ROLE, json!({"ArnNotLike": {"aws:PrincipalArn": arns}})), Some(false));
        assert_eq!(counts(USER, json!({"ArnNotLike": {"aws:PrincipalArn": arns}})), Some(true));
    }
}
