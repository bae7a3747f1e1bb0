//! Who on the internet can list, read or write a bucket: the block settings of account and bucket, object
//! ownership, bucket policy and ACL taken together, as Amazon S3 does ("Blocking public access to your Amazon S3
//! storage"). It must never call a bucket closed because a setting stands there that only stops new grants.

use super::policy::who::{certain_public, grants};
use super::policy::{Context, Document};
use super::{Answer, Input};
use serde::Serialize;
use serde_json::Value;

/// What was observed of a bucket and its account.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// The bucket's name.
    pub name: &'a str,
    /// The account's `PublicAccessBlockConfiguration`, with or without that wrapper.
    pub account_block: Input<'a>,
    /// The bucket's `PublicAccessBlockConfiguration`, with or without that wrapper.
    pub bucket_block: Input<'a>,
    /// The answer of `GetBucketOwnershipControls`, with or without the `OwnershipControls` wrapper, or the
    /// ownership itself (`BucketOwnerEnforced`).
    pub ownership: Input<'a>,
    /// The bucket policy: a document or text.
    pub policy: Input<'a>,
    /// The answer of `GetBucketAcl`, or its list of grants.
    pub acl: Input<'a>,
    /// Account, partition and organization of the owner. `resource` is set from the name.
    pub context: Context<'a>,
}

/// A kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reading objects, their versions, ACLs and tags.
    Read,
    /// Listing the bucket.
    List,
    /// Writing, deleting or restoring objects, or changing the bucket's settings.
    Write,
}

/// The actions that count for each access, as patterns: new actions of these families count too.
fn actions(access: Access) -> &'static [&'static str] {
    match access {
        Access::Read => &["s3:GetObject*"],
        Access::List => &["s3:List*"],
        Access::Write => &[
            "s3:Put*",
            "s3:Delete*",
            "s3:Replicate*",
            "s3:Restore*",
            "s3:Abort*",
            "s3:Create*",
            "s3:Update*",
            "s3:Bypass*",
            "s3:ObjectOwnerOverrideToBucketOwner",
        ],
    }
}

/// The ACL permissions that count for each access (Amazon S3 User Guide, "ACL permissions"): on a bucket, READ is
/// listing, and whoever can write the ACL can give itself everything.
fn permissions(access: Access) -> &'static [&'static str] {
    match access {
        Access::Read => &["READ_ACP", "FULL_CONTROL"],
        Access::List => &["READ", "FULL_CONTROL"],
        Access::Write => &["WRITE", "WRITE_ACP", "FULL_CONTROL"],
    }
}

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/// A way in that is open to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `policy` or `acl`.
    pub by: Way,
    /// The statement, or the ACL's grantee group.
    pub source: String,
    /// The actions, or the ACL permission.
    pub grants: Vec<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// What opens a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The bucket policy.
    Policy,
    /// The bucket's ACL.
    Acl,
}

/// What one setting contributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contribution {
    /// The setting.
    pub setting: &'static str,
    /// `on`, `off` or `unknown`.
    pub state: &'static str,
    /// What it does or does not do here, in a sentence.
    pub effect: String,
}

/// The ways in that everybody has for `access`; empty where there is none. Unknown only where the answer turns on
/// what was not read or not understood.
pub fn public_routes(bucket: &Bucket, access: Access) -> Answer<Vec<Route>> {
    let by_policy = policy_routes(bucket, access);
    let by_acl = acl_routes(bucket, access);
    match (by_policy, by_acl) {
        (Answer::Known(mut routes), Answer::Known(more)) => {
            routes.extend(more);
            Answer::Known(routes)
        }
        (Answer::Known(routes), Answer::Unknown(why)) | (Answer::Unknown(why), Answer::Known(routes)) => {
            if routes.is_empty() { Answer::Unknown(why) } else { Answer::Known(routes) }
        }
        (Answer::Unknown(why), Answer::Unknown(_)) => Answer::Unknown(why),
    }
}

/// The ways in that everybody has for any of several kinds of access, each once.
pub fn public_routes_of(bucket: &Bucket, accesses: &[Access]) -> Answer<Vec<Route>> {
    let mut all: Vec<Route> = Vec::new();
    let mut doubt = None;
    for access in accesses {
        match public_routes(bucket, *access) {
            Answer::Known(routes) => {
                for route in routes {
                    if !all.contains(&route) {
                        all.push(route);
                    }
                }
            }
            Answer::Unknown(why) => doubt = doubt.or(Some(why)),
        }
    }
    match doubt {
        Some(why) if all.is_empty() => Answer::Unknown(why),
        _ => Answer::Known(all),
    }
}

fn policy_routes(bucket: &Bucket, access: Access) -> Answer<Vec<Route>> {
    let restricted = effective(bucket, "RestrictPublicBuckets");
    if restricted == Answer::Known(true) {
        return Answer::Known(Vec::new());
    }
    let policy = match bucket.policy {
        Input::Absent => return Answer::Known(Vec::new()),
        Input::Unknown => return Answer::Unknown("the bucket policy could not be read".to_string()),
        Input::Known(policy) => policy,
    };
    let arn = format!("arn:{}:s3:::{}", bucket.context.partition, bucket.name);
    let context = Context { resource: Some(&arn), ..bucket.context };
    let public = Document::read(policy)
        .and_then(|document| grants(&document, actions(access), &context))
        .and_then(certain_public);
    match (public, restricted) {
        (Answer::Known(grants), _) if grants.is_empty() => Answer::Known(Vec::new()),
        (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
        (Answer::Known(grants), Answer::Known(_)) => Answer::Known(
            grants
                .into_iter()
                .map(|g| Route { by: Way::Policy, source: g.statement, grants: g.actions, why: g.why })
                .collect(),
        ),
    }
}

fn acl_routes(bucket: &Bucket, access: Access) -> Answer<Vec<Route>> {
    let ignored = effective(bucket, "IgnorePublicAcls");
    let enforced = owner_enforced(bucket.ownership);
    let dead = ignored.or(enforced);
    if dead == Answer::Known(true) {
        return Answer::Known(Vec::new());
    }
    match (acl_grants(bucket.acl, access), dead) {
        (Answer::Known(routes), _) if routes.is_empty() => Answer::Known(routes),
        (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
        (routes, Answer::Known(_)) => routes,
    }
}

fn acl_grants(acl: Input, access: Access) -> Answer<Vec<Route>> {
    let acl = match acl {
        Input::Known(acl) => acl,
        // Every bucket has an ACL; an answer without one is not an answer.
        Input::Absent | Input::Unknown => return Answer::Unknown("the bucket's ACL could not be read".to_string()),
    };
    let grants = match acl {
        Value::Array(grants) => grants.as_slice(),
        Value::Object(object) => match object.get("Grants") {
            Some(Value::Array(grants)) => grants.as_slice(),
            None | Some(Value::Null) => &[],
            Some(_) => return Answer::Unknown("the bucket's ACL is not understood".to_string()),
        },
        _ => return Answer::Unknown("the bucket's ACL is not understood".to_string()),
    };
    let mut routes = Vec::new();
    for grant in grants {
        let uri = grant.get("Grantee").and_then(|g| g.get("URI")).and_then(Value::as_str).unwrap_or_default();
        let permission = grant.get("Permission").and_then(Value::as_str).unwrap_or_default();
        let group = match uri {
            ALL_USERS => "AllUsers",
            AUTHENTICATED_USERS => "AuthenticatedUsers",
            _ => continue,
        };
        if permissions(access).contains(&permission) {
            routes.push(Route {
                by: Way::Acl,
                source: group.to_string(),
                grants: vec![permission.to_string()],
                why: format!("the bucket's ACL grants {permission} to the group {group}"),
            });
        }
    }
    Answer::Known(routes)
}

/// The block settings.
const FLAGS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// Whether a block setting is in force for the bucket: on for the account or on for the bucket. A configuration
/// that is missing is four times off.
pub fn effective(bucket: &Bucket, flag: &str) -> Answer<bool> {
    flag_of(bucket.account_block, flag, "account").or(flag_of(bucket.bucket_block, flag, "bucket"))
}

/// Whether all four settings are in force for the bucket.
pub fn fully_blocked(bucket: &Bucket) -> Answer<bool> {
    FLAGS.iter().fold(Answer::Known(true), |all, flag| all.and(effective(bucket, flag)))
}

fn flag_of(block: Input, flag: &str, level: &str) -> Answer<bool> {
    let block = match block.member("PublicAccessBlockConfiguration") {
        Input::Known(inner) => Input::Known(inner),
        _ => block,
    };
    match block.member(flag) {
        Input::Known(Value::Bool(on)) => Answer::Known(*on),
        Input::Absent => Answer::Known(false),
        Input::Known(_) => Answer::Unknown(format!("{flag} of the {level} is not understood")),
        Input::Unknown => Answer::Unknown(format!("Block Public Access of the {level} could not be read")),
    }
}

/// Whether ACLs are switched off. Without ownership controls a bucket is in mode ObjectWriter: ACLs are alive.
pub fn owner_enforced(ownership: Input) -> Answer<bool> {
    match object_ownership(ownership) {
        Answer::Known(mode) => match mode.as_str() {
            "BucketOwnerEnforced" => Answer::Known(true),
            "BucketOwnerPreferred" | "ObjectWriter" => Answer::Known(false),
            other => Answer::Unknown(format!("the object ownership '{other}' is not understood")),
        },
        Answer::Unknown(why) => Answer::Unknown(why),
    }
}

fn object_ownership(ownership: Input) -> Answer<String> {
    let value = match ownership {
        Input::Absent => return Answer::Known("ObjectWriter".to_string()),
        Input::Unknown => return Answer::Unknown("the bucket's object ownership could not be read".to_string()),
        Input::Known(value) => value,
    };
    if let Value::String(mode) = value {
        return Answer::Known(mode.clone());
    }
    let controls = value.get("OwnershipControls").unwrap_or(value);
    let mode = controls.get("Rules").and_then(|rules| rules.get(0)).and_then(|rule| rule.get("ObjectOwnership"));
    match mode.and_then(Value::as_str) {
        Some(mode) => Answer::Known(mode.to_string()),
        None => Answer::Unknown("the bucket's object ownership is not understood".to_string()),
    }
}

/// What each setting does for this bucket.
pub fn contributions(bucket: &Bucket) -> Vec<Contribution> {
    let flag = |setting: &'static str, on: &str, off: &str| contribution(setting, effective(bucket, setting), on, off);
    vec![
        flag("BlockPublicAcls", "stops new public ACLs, not those that are there", "new public ACLs are accepted"),
        flag("IgnorePublicAcls", "public ACLs have no effect", "public ACLs have effect where ACLs are alive"),
        flag("BlockPublicPolicy", "stops new public policies, not one that is there", "a public policy is accepted"),
        flag(
            "RestrictPublicBuckets",
            "a public policy lets in only the own account and AWS services",
            "a public policy has effect",
        ),
        contribution(
            "BucketOwnerEnforced",
            owner_enforced(bucket.ownership),
            "ACLs are switched off",
            "ACLs are alive",
        ),
    ]
}

fn contribution(setting: &'static str, state: Answer<bool>, on: &str, off: &str) -> Contribution {
    match state {
        Answer::Known(true) => Contribution { setting, state: "on", effect: on.to_string() },
        Answer::Known(false) => Contribution { setting, state: "off", effect: off.to_string() },
        Answer::Unknown(why) => Contribution { setting, state: "unknown", effect: why },
    }
}

/// The one change that closes the given routes, in words.
pub fn closing_change(routes: &[Route]) -> Option<&'static str> {
    let policy = routes.iter().any(|r| r.by == Way::Policy);
    let acl = routes.iter().any(|r| r.by == Way::Acl);
    match (policy, acl) {
        (true, true) => Some("turn on all of Block Public Access for the bucket"),
        (true, false) => Some("turn on RestrictPublicBuckets for the bucket"),
        (false, true) => Some("set object ownership to BucketOwnerEnforced"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn blocks(ignore: bool, restrict: bool) -> Value {
        json!({"BlockPublicAcls": ignore, "IgnorePublicAcls": ignore, "BlockPublicPolicy": restrict, "RestrictPublicBuckets": restrict})
    }

    fn public_policy() -> Value {
        json!({"Version": "2012-10-17", "Statement": {"Sid": "Open", "Effect": "Allow", "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}})
    }

    fn private_policy() -> Value {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
            "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}})
    }

    fn acl(uri: &str, permission: &str) -> Value {
        json!({"Owner": {"ID": "x"}, "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "FULL_CONTROL"},
            {"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}]})
    }

    fn bucket<'a>(
        account: Input<'a>,
        own: Input<'a>,
        ownership: Input<'a>,
        policy: Input<'a>,
        acl: Input<'a>,
    ) -> Bucket<'a> {
        let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
        Bucket { name: "b", account_block: account, bucket_block: own, ownership, policy, acl, context }
    }

    /// `Some(true)` for public, `None` for unknown.
    fn public(b: &Bucket, access: Access) -> Option<bool> {
        public_routes(b, access).known().map(|routes| !routes.is_empty())
    }

    /// What Kleene's logic makes of the rule in words: (policy public and not restricted) or (ACL public, ACLs
    /// alive and not ignored).
    fn expected(
        restrict: Option<bool>,
        policy: Option<bool>,
        ignore: Option<bool>,
        enforced: Option<bool>,
        acl: Option<bool>,
    ) -> Option<bool> {
        let not = |x: Option<bool>| x.map(|v| !v);
        let and = |x: Option<bool>, y: Option<bool>| match (x, y) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        let a = and(policy, not(restrict));
        let b = and(acl, and(not(ignore), not(enforced)));
        not(and(not(a), not(b)))
    }

    #[test]
    fn the_whole_truth_table_of_blocks_ownership_policy_and_acl() {
        let levels = [None, Some((false, false)), Some((false, true)), Some((true, false)), Some((true, true))];
        let values: Vec<Option<Value>> = levels.iter().map(|l| l.map(|(i, r)| blocks(i, r))).collect();
        let state = |v: &'static str| json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": v}]}});
        let (enforced, preferred) = (state("BucketOwnerEnforced"), state("BucketOwnerPreferred"));
        let (open, closed) = (public_policy(), private_policy());
        let (open_acl, closed_acl) = (acl(ALL_USERS, "FULL_CONTROL"), json!({"Grants": []}));
        let mut seen = 0;
        for (account_at, account) in values.iter().enumerate() {
            for (own_at, own) in values.iter().enumerate() {
                let flag = |pick: fn(&(bool, bool)) -> bool| {
                    let (a, b) = (levels[account_at].as_ref().map(pick), levels[own_at].as_ref().map(pick));
                    match (a, b) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    }
                };
                for (ownership, is_enforced) in [
                    (Input::Known(&enforced), Some(true)),
                    (Input::Known(&preferred), Some(false)),
                    (Input::Absent, Some(false)),
                    (Input::Unknown, None),
                ] {
                    for (policy, is_open) in [
                        (Input::Known(&open), Some(true)),
                        (Input::Known(&closed), Some(false)),
                        (Input::Absent, Some(false)),
                        (Input::Unknown, None),
                    ] {
                        for (list, acl_open) in [
                            (Input::Known(&open_acl), Some(true)),
                            (Input::Known(&closed_acl), Some(false)),
                            (Input::Unknown, None),
                        ] {
                            let b = bucket(
                                account.as_ref().map_or(Input::Unknown, Input::Known),
                                own.as_ref().map_or(Input::Unknown, Input::Known),
                                ownership,
                                policy,
                                list,
                            );
                            let want = expected(flag(|l| l.1), is_open, flag(|l| l.0), is_enforced, acl_open);
                            for access in [Access::Read, Access::List, Access::Write] {
                                assert_eq!(public(&b, access), want, "{access:?} of {b:?}");
                                seen += 1;
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(seen, 5 * 5 * 4 * 4 * 3 * 3);
    }

    #[test]
    fn a_block_configuration_that_is_missing_is_off() {
        let policy = public_policy();
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Absent);
        assert_eq!(public(&b, Access::Read), Some(true));
        assert_eq!(fully_blocked(&b), Answer::Known(false));
        let on = json!({"PublicAccessBlockConfiguration": blocks(true, true)});
        let b = bucket(Input::Known(&on), Input::Absent, Input::Absent, Input::Known(&policy), Input::Unknown);
        assert_eq!(public(&b, Access::Read), Some(false));
        assert_eq!(fully_blocked(&b), Answer::Known(true));
    }

    #[test]
    fn settings_that_stop_new_grants_do_not_cure_old_ones() {
        let policy = public_policy();
        let grants = acl(AUTHENTICATED_USERS, "READ");
        let half = json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": false, "RestrictPublicBuckets": false});
        let b = bucket(
            Input::Known(&half),
            Input::Known(&half),
            Input::Absent,
            Input::Known(&policy),
            Input::Known(&grants),
        );
        let routes = public_routes(&b, Access::List).known().unwrap();
        assert_eq!(routes.iter().map(|r| r.by).collect::<Vec<_>>(), [Way::Policy, Way::Acl]);
        assert_eq!(routes[1].source, "AuthenticatedUsers");
        assert_eq!(closing_change(&routes), Some("turn on all of Block Public Access for the bucket"));
    }

    #[test]
    fn acl_permissions_give_what_s3_says_they_give() {
        for (permission, read, list, write) in [
            ("READ", false, true, false),
            ("WRITE", false, false, true),
            ("READ_ACP", true, false, false),
            ("WRITE_ACP", false, false, true),
            ("FULL_CONTROL", true, true, true),
        ] {
            let grants = acl(ALL_USERS, permission);
            let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Absent, Input::Known(&grants));
            for (access, want) in [(Access::Read, read), (Access::List, list), (Access::Write, write)] {
                assert_eq!(public(&b, access), Some(want), "{permission} {access:?}");
            }
        }
        let log = acl("http://acs.amazonaws.com/groups/s3/LogDelivery", "WRITE");
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Absent, Input::Known(&log));
        assert_eq!(public(&b, Access::Write), Some(false));
    }

    #[test]
    fn an_unread_part_counts_only_where_the_answer_turns_on_it() {
        let (open, closed) = (public_policy(), private_policy());
        let on = blocks(true, true);
        let all_unread = bucket(Input::Unknown, Input::Unknown, Input::Unknown, Input::Unknown, Input::Unknown);
        assert_eq!(public(&all_unread, Access::Read), None);
        let blocked = Bucket { account_block: Input::Known(&on), ..all_unread };
        assert_eq!(public(&blocked, Access::Read), Some(false));
        let enforced = json!("BucketOwnerEnforced");
        let harmless = Bucket { policy: Input::Known(&closed), ownership: Input::Known(&enforced), ..all_unread };
        assert_eq!(public(&harmless, Access::Read), Some(false));
        let open = Bucket {
            policy: Input::Known(&open),
            account_block: Input::Absent,
            bucket_block: Input::Absent,
            ..all_unread
        };
        assert_eq!(public(&open, Access::Read), Some(true));
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let odd = json!({"RestrictPublicBuckets": "yes"});
        let policy = public_policy();
        let b = bucket(Input::Known(&odd), Input::Absent, Input::Absent, Input::Known(&policy), Input::Unknown);
        assert_eq!(public(&b, Access::Read), None);
        let broken = json!("{");
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&broken), Input::Unknown);
        assert_eq!(public(&b, Access::Read), None);
        assert!(owner_enforced(Input::Known(&json!("Something"))).doubt().is_some());
    }
}
