//! The service control policies that bind an account: those of each level from the account up to the root of its
//! organization.
//!
//! Who may ask is the management account or a delegated administrator; everywhere else the answer is a denial, and
//! the policies are unknown. The walk is read whole or not at all: a level that was left out could deny what the
//! others allow.

use super::api::{Api, ApiError};
use super::declaration::{Request, Typed};
use super::declared::Outcome;
use super::fetch::Fetcher;
use crate::inventory::Cause;
use crate::inventory::resource::GLOBAL;
use serde_json::{Value, json};

/// More levels than an organization can have: a root and organizational units nested five deep (AWS Organizations
/// User Guide, "Quotas for AWS Organizations"), and the account itself.
const MOST_LEVELS: usize = 12;

/// How `ListParents` names the kind of the root (AWS Organizations API Reference, `Parent`).
const ROOT: &str = "ROOT";

/// The levels, the account's own first, each with the policies that are attached to it. Absent where the account is
/// in no organization.
pub(super) async fn service_control_policies<A: Api>(fetcher: &Fetcher<'_, A>, typed: &Typed) -> Outcome {
    let [parents, attached, describe] = &typed.calls[..] else {
        return Outcome::Unknown(cause_of(fetcher, "the collector names other calls than the walk needs"));
    };
    let mut target = (fetcher.api().account().to_owned(), "ACCOUNT".to_owned());
    let mut levels = Vec::new();
    loop {
        match level(fetcher, attached, describe, &target).await {
            Ok(level) => levels.push(level),
            Err((_, error)) if error.absent => return Outcome::Absent,
            Err((request, error)) => return Outcome::Unknown(fetcher.cause(request, &error, GLOBAL)),
        }
        if target.1 == ROOT {
            return Outcome::Value(levels.into());
        }
        let parent = match shared(fetcher, parents, json!({ "ChildId": target.0 })).await {
            Ok(answer) => named(&answer["Parents"][0], "Type"),
            Err(error) if error.absent => return Outcome::Absent,
            Err(error) => return Outcome::Unknown(fetcher.cause(parents, &error, GLOBAL)),
        };
        target = match parent {
            Some(parent) if levels.len() < MOST_LEVELS => parent,
            _ => {
                let error = ApiError::malformed(format!("no way to the root leads from {}", target.0));
                return Outcome::Unknown(fetcher.cause(parents, &error, GLOBAL));
            }
        };
    }
}

/// One level: what it is, and the documents of the policies that are attached to it.
async fn level<'r, A: Api>(
    fetcher: &Fetcher<'_, A>,
    attached: &'r Request,
    describe: &'r Request,
    (id, kind): &(String, String),
) -> Result<Value, (&'r Request, ApiError)> {
    let params = json!({ "TargetId": id, "Filter": "SERVICE_CONTROL_POLICY" });
    let listed = shared(fetcher, attached, params).await.map_err(|error| (attached, error))?;
    let summaries = listed["Policies"].as_array().cloned().unwrap_or_default();
    let mut policies = Vec::with_capacity(summaries.len());
    for summary in &summaries {
        let unnamed = || (attached, ApiError::malformed(format!("a policy of {id} has no id")));
        let (policy, name) = named(summary, "Name").ok_or_else(unnamed)?;
        let answer = shared(fetcher, describe, json!({ "PolicyId": policy })).await;
        let answer = answer.map_err(|error| (describe, error))?;
        let empty = || (describe, ApiError::malformed(format!("the policy {policy} has no content")));
        let content = answer["Policy"]["Content"].as_str().ok_or_else(empty)?;
        // What is no JSON stays text: whoever judges it says that it is not understood.
        let document: Value = serde_json::from_str(content).unwrap_or_else(|_| content.into());
        policies.push(json!({ "PolicyId": policy, "PolicyName": name, "PolicyDocument": document }));
    }
    Ok(json!({ "TargetId": id, "TargetType": kind, "Policies": policies }))
}

/// The `Id` of an item, and its member `other`.
fn named(item: &Value, other: &str) -> Option<(String, String)> {
    Some((item["Id"].as_str()?.to_owned(), item[other].as_str()?.to_owned()))
}

async fn shared<A: Api>(fetcher: &Fetcher<'_, A>, request: &Request, params: Value) -> Result<Value, ApiError> {
    (*fetcher.shared_answer(request, params, GLOBAL).await).clone()
}

fn cause_of<A: Api>(fetcher: &Fetcher<'_, A>, message: &str) -> Cause {
    ApiError::malformed(message).cause("", fetcher.api().account(), GLOBAL)
}

#[cfg(test)]
mod tests {
    use super::super::declaration::{Collectors, Selection};
    use super::super::fake::{Fake, Script, denied, error};
    use super::super::{Plan, Scope, Silent, collect};
    use super::*;
    use crate::inventory::{Reason, Resource};

    /// An organization of the account, an organizational unit and the root, each with the policies that it names.
    fn organization(policies: fn(&str) -> Vec<&str>) -> Fake {
        let parents = |call: &super::super::api::ApiCall<'_>| -> Script {
            let parent = match call.params["ChildId"].as_str() {
                Some("111122223333") => json!({"Id": "ou-ab12-11111111", "Type": "ORGANIZATIONAL_UNIT"}),
                _ => json!({"Id": "r-ab12", "Type": "ROOT"}),
            };
            (vec![json!({ "Parents": [parent] })], None)
        };
        let summary = |name: &str| json!({"Id": format!("p-{name}"), "Name": name, "Type": "SERVICE_CONTROL_POLICY"});
        Fake::strict()
            .on("organizations:ListParents", parents)
            .on("organizations:ListPoliciesForTarget", move |call| {
                let of_target = policies(call.params["TargetId"].as_str().unwrap_or_default());
                (vec![json!({ "Policies": of_target.into_iter().map(summary).collect::<Vec<_>>() })], None)
            })
            .on("organizations:DescribePolicy", |call| {
                let content =
                    format!(r#"{{"Statement": {{"Sid": "{}"}}}}"#, call.params["PolicyId"].as_str().unwrap_or(""));
                (vec![json!({"Policy": {"PolicySummary": {}, "Content": content}})], None)
            })
    }

    async fn account(fake: &Fake) -> Resource {
        let collectors = Collectors::load_embedded().expect("the embedded collectors load");
        let members = Some(["ServiceControlPolicies".to_owned()].into());
        let wanted = Selection { types: [("AWS::::Account".to_owned(), members)].into() };
        let plan = Plan::new(&collectors, &wanted);
        let mut snapshot = collect(fake, &collectors, &plan, Scope::default(), &Silent).await;
        snapshot.resources.pop().expect("the account")
    }

    #[tokio::test]
    async fn the_policies_of_every_level_are_read_from_the_account_up_to_the_root() {
        let fake = organization(|target| match target {
            "111122223333" => vec!["Full"],
            "ou-ab12-11111111" => vec!["Full", "Guard"],
            _ => vec!["Full"],
        });
        let account = account(&fake).await;
        assert_eq!(account.unknown_at("ServiceControlPolicies"), None);
        let policy = |name: &str| {
            let id = format!("p-{name}");
            json!({"PolicyId": id, "PolicyName": name, "PolicyDocument": {"Statement": {"Sid": id}}})
        };
        assert_eq!(
            account.document["ServiceControlPolicies"],
            json!([
                {"TargetId": "111122223333", "TargetType": "ACCOUNT", "Policies": [policy("Full")]},
                {"TargetId": "ou-ab12-11111111", "TargetType": "ORGANIZATIONAL_UNIT",
                    "Policies": [policy("Full"), policy("Guard")]},
                {"TargetId": "r-ab12", "TargetType": "ROOT", "Policies": [policy("Full")]},
            ])
        );
        assert_eq!(fake.called("organizations:DescribePolicy"), 2, "a policy that is attached twice is read once");
    }

    #[tokio::test]
    async fn an_account_alone_has_none_and_any_other_failure_makes_all_unknown() {
        let alone = || error(Reason::Failed, "AWSOrganizationsNotInUseException");
        let found = account(&Fake::strict().fails("organizations:ListPoliciesForTarget", alone())).await;
        assert_eq!(found.unknown_at("ServiceControlPolicies"), None);
        assert!(!found.document.contains_key("ServiceControlPolicies"));
        for operation in ["ListParents", "ListPoliciesForTarget", "DescribePolicy"] {
            let fake = organization(|_| vec!["Full"]).fails(&format!("organizations:{operation}"), denied());
            let cause = account(&fake).await.unknown_at("ServiceControlPolicies").cloned().expect("unknown");
            assert_eq!((cause.reason, cause.action), (Reason::Denied, format!("organizations:{operation}")));
        }
    }

    #[tokio::test]
    async fn a_way_that_does_not_end_at_the_root_is_no_answer() {
        let circle = |_: &super::super::api::ApiCall<'_>| -> Script {
            (vec![json!({"Parents": [{"Id": "ou-ab12-11111111", "Type": "ORGANIZATIONAL_UNIT"}]})], None)
        };
        for fake in [
            organization(|_| Vec::new()).on("organizations:ListParents", circle),
            organization(|_| Vec::new()).answers("organizations:ListParents", json!({"Parents": []})),
            organization(|_| vec!["Full"]).answers("organizations:DescribePolicy", json!({"Policy": {}})),
            organization(|_| Vec::new()).answers("organizations:ListPoliciesForTarget", json!({"Policies": [{}]})),
        ] {
            let cause = account(&fake).await.unknown_at("ServiceControlPolicies").cloned().expect("unknown");
            assert_eq!(cause.reason, Reason::Malformed);
        }
    }
}
