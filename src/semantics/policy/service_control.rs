//! Service control policies: what an organization leaves of what the identities of an account are allowed. They never
//! allow anything themselves. Who is bound by them, and at which levels, is decided here; how a policy narrows is
//! decided with all others, in [`super::grants`].

use super::grants::{Named, read_set};
use super::principal::Identity;
use crate::semantics::{Answer, Input};
use serde_json::Value;

/// The service control policies that bind an account: one set for each level from the root to the account.
#[derive(Clone, Debug, Default)]
pub struct ServiceControl {
    levels: Vec<Vec<Named>>,
}

impl ServiceControl {
    /// Reads the policies that bind `account`, a 12-digit account id. `organization` is the answer of
    /// `DescribeOrganization`; `levels` are `{TargetId, Policies: [{PolicyName, PolicyDocument}]}`, one for each level.
    ///
    /// None bind an account that is in no organization, the management account, and an organization with consolidated
    /// billing only (AWS Organizations User Guide, "Service control policies (SCPs)"). A level without any policy is
    /// one where the policy type is not enabled: while it is, the last policy of a level cannot be detached.
    ///
    /// `None` where they could not be read: they are then not known to narrow anything. Unknown where one of them is
    /// not understood.
    pub fn read(account: &str, organization: Input, levels: Input) -> Option<Answer<ServiceControl>> {
        let says = |member: &str, value: &str| match organization.member(member) {
            Input::Known(Value::String(text)) => text == value,
            _ => false,
        };
        let none = || Some(Answer::Known(ServiceControl::default()));
        if organization == Input::Absent
            || says("MasterAccountId", account)
            || says("FeatureSet", "CONSOLIDATED_BILLING")
        {
            return none();
        }
        let levels = match levels {
            Input::Known(Value::Array(levels)) => levels,
            Input::Known(_) => return Some(Answer::Unknown("the service control policies are no list".to_string())),
            Input::Absent => return none(),
            Input::Unknown => return None,
        };
        let mut read = Vec::new();
        for policies in levels.iter().filter_map(|level| level.get("Policies")) {
            match read_set(Input::Known(policies), "") {
                Answer::Known(set) if set.is_empty() => {}
                Answer::Known(set) => read.push(set),
                Answer::Unknown(why) => return Some(Answer::Unknown(format!("a service control policy: {why}"))),
            }
        }
        Some(Answer::Known(ServiceControl { levels: read }))
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The names of the policies, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.levels.iter().flatten().filter_map(Named::name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The sets each of which must allow what `identity` does. Service-linked roles are not bound.
    pub(super) fn levels_for(&self, identity: &Identity) -> &[Vec<Named>] {
        match identity.arn.contains(":role/aws-service-role/") {
            true => &[],
            false => &self.levels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::grants::Permissions;
    use super::*;
    use serde_json::json;

    const ACCOUNT: &str = "111122223333";
    const ROLE: &str = "arn:aws:iam::111122223333:role/app";

    fn allow(action: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": "*"})
    }

    fn deny(action: Value, condition: Value) -> Value {
        json!({"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition})
    }

    fn level(statements: &[&[Value]]) -> Value {
        let policy = |(n, statements): (usize, &&[Value])| {
            json!({
                "PolicyId": format!("p-{n}"), "PolicyName": format!("policy-{n}"),
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}
            })
        };
        json!({"TargetId": "t", "TargetType": "ACCOUNT", "Policies": statements.iter().enumerate().map(policy).collect::<Vec<_>>()})
    }

    fn full() -> Value {
        level(&[&[allow(json!("*"))]])
    }

    fn read(levels: &Value) -> Answer<ServiceControl> {
        let organization = json!({"Id": "o-abc1234567", "MasterAccountId": "444455556666", "FeatureSet": "ALL"});
        ServiceControl::read(ACCOUNT, Input::Known(&organization), Input::Known(levels)).unwrap()
    }

    /// Whether `arn`, allowed everything by its own policies, is an administrator under these levels.
    fn admin(arn: &str, levels: &[Value]) -> Option<bool> {
        let policy = json!({"Version": "2012-10-17", "Statement": allow(json!("*"))});
        let permissions = Permissions::read(Input::Known(&policy)).known().unwrap();
        let control = read(&json!(levels));
        let identity = Identity { arn, organization: Some("o-abc1234567"), groups: &[] };
        let narrowed = permissions.with_service_control(&control, &identity).of(&identity);
        narrowed.administrator().known().map(|found| found.is_some())
    }

    #[test]
    fn every_level_must_allow_and_one_policy_of_a_level_is_enough() {
        let s3 = || level(&[&[allow(json!("s3:*"))]]);
        assert_eq!(admin(ROLE, &[full(), full(), full()]), Some(true));
        assert_eq!(admin(ROLE, &[full(), s3(), full()]), Some(false));
        assert_eq!(admin(ROLE, &[full(), level(&[&[allow(json!("s3:*"))], &[allow(json!("*"))]])]), Some(true));
        assert_eq!(admin(ROLE, &[]), Some(true));
    }

    #[test]
    fn a_deny_at_any_level_counts() {
        let denied = || level(&[&[allow(json!("*"))], &[deny(json!("iam:*"), json!({}))]]);
        assert_eq!(admin(ROLE, &[denied(), full()]), Some(false));
        assert_eq!(admin(ROLE, &[full(), denied()]), Some(false));
    }

    #[test]
    fn a_level_without_policies_narrows_nothing() {
        assert_eq!(admin(ROLE, &[level(&[]), level(&[])]), Some(true));
    }

    #[test]
    fn exempt_principals_are_told_apart_by_their_arn() {
        let guarded = || {
            level(&[
                &[allow(json!("*"))],
                &[deny(json!("iam:*"), json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass"}}))],
            ])
        };
        assert_eq!(admin(ROLE, &[guarded()]), Some(false));
        assert_eq!(admin("arn:aws:iam::111122223333:role/break-glass", &[guarded()]), Some(true));
        let open = level(&[
            &[allow(json!("*"))],
            &[deny(json!("iam:*"), json!({"StringNotEquals": {"aws:PrincipalTag/team": "admin"}}))],
        ]);
        assert_eq!(admin(ROLE, &[open]), Some(true), "who has the tag passes");
    }

    #[test]
    fn denies_that_are_usual_leave_an_administrator() {
        for statement in [
            deny(json!(["organizations:LeaveOrganization", "account:CloseAccount"]), json!({})),
            deny(json!(["iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile"]), json!({})),
            deny(json!(["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "guardduty:Delete*"]), json!({})),
            json!({"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "organizations:*"], "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}),
            deny(json!("*"), json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})),
        ] {
            assert_eq!(
                admin(ROLE, &[level(&[&[allow(json!("*"))], std::slice::from_ref(&statement)])]),
                Some(true),
                "{statement}"
            );
        }
    }

    #[test]
    fn service_linked_roles_and_the_management_account_are_not_bound() {
        let nothing = || level(&[&[allow(json!("s3:*"))]]);
        assert_eq!(
            admin("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", &[nothing()]),
            Some(true)
        );
        let levels = json!([nothing()]);
        for organization in [
            json!({"Id": "o-abc1234567", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"}),
            json!({"Id": "o-abc1234567", "MasterAccountId": "444455556666", "FeatureSet": "CONSOLIDATED_BILLING"}),
        ] {
            let read = ServiceControl::read(ACCOUNT, Input::Known(&organization), Input::Known(&levels));
            assert!(read.unwrap().known().unwrap().is_empty(), "{organization}");
        }
        let alone = ServiceControl::read(ACCOUNT, Input::Absent, Input::Unknown);
        assert!(alone.unwrap().known().unwrap().is_empty());
    }

    #[test]
    fn what_could_not_be_read_is_told_from_what_is_not_understood() {
        let organization = json!({"Id": "o-abc1234567", "MasterAccountId": "444455556666", "FeatureSet": "ALL"});
        assert!(ServiceControl::read(ACCOUNT, Input::Known(&organization), Input::Unknown).is_none());
        assert!(ServiceControl::read(ACCOUNT, Input::Unknown, Input::Unknown).is_none());
        let broken = json!([{"TargetId": "t", "Policies": [{"PolicyName": "p", "PolicyDocument": "{"}]}]);
        assert!(read(&broken).doubt().is_some());
        assert_eq!(admin(ROLE, &[json!({"Policies": [{"PolicyName": "p", "PolicyDocument": "{"}]})]), None);
        let odd = level(&[&[allow(json!("*"))], &[deny(json!("*"), json!({"Odd": {"aws:PrincipalArn": "x"}}))]]);
        assert_eq!(admin(ROLE, &[odd]), None);
    }
}
