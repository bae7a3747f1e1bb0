//! Who on the internet can list, read or write a bucket: the block settings of account and bucket, object
//! ownership, bucket policy, ACL and access points taken together, as Amazon S3 does ("Blocking public access to
//! your Amazon S3 storage"), and which one change would close a way in. It must never call a bucket closed because a
//! setting stands there that only stops new grants.

mod access_point;
mod change;
#[cfg(test)]
mod tests;

pub use access_point::{AccessPoint, AccessPoints};

use super::address::{is_wider, parse_block};
use super::policy::document::{Effect, Statement, Test};
use super::policy::who::{certain_public, grants};
use super::policy::{Context, Document, Grant};
use super::{Answer, Input};
use access_point::Request;
use serde::Serialize;
use serde_json::{Value, json};

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
    /// The access points of the own account through which the bucket is reached.
    pub access_points: AccessPoints<'a>,
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
/// Amazon S3's own writer of access logs; nobody else is in it.
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// A way in that is open to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `policy`, `acl` or `access_point`.
    pub by: Way,
    /// The access point that it leads through, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// The statement (of the access point's policy, where it leads through one), or the ACL's grantee group.
    pub source: String,
    /// The actions, or the ACL permission.
    pub grants: Vec<String>,
    /// The changes of which any one closes it, each tried by asking again.
    pub closed_by: Vec<String>,
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
    /// The policy of an access point, and the bucket policy that admits what comes through it.
    AccessPoint,
}

/// What one setting contributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contribution {
    /// The setting.
    pub setting: String,
    /// `on`, `off` or `unknown`.
    pub state: &'static str,
    /// What it does or does not do here, in a sentence.
    pub effect: String,
}

/// The ways in that everybody has for `access`; empty where there is none. Unknown only where the answer turns on
/// what was not read or not understood.
pub fn public_routes(bucket: &Bucket, access: Access) -> Answer<Vec<Route>> {
    public_routes_of(bucket, &[access])
}

/// The ways in that everybody has for any of several kinds of access, each once.
pub fn public_routes_of(bucket: &Bucket, accesses: &[Access]) -> Answer<Vec<Route>> {
    let facts = Facts::of(bucket);
    facts.routes(accesses).map(|routes| change::with_what_closes(&facts, accesses, routes))
}

/// A bucket as the answer needs it: documents read, settings of account and bucket joined. Changes are tried on it.
#[derive(Clone, Debug)]
struct Facts<'a> {
    name: &'a str,
    context: Context<'a>,
    /// `RestrictPublicBuckets`, of the account or the bucket.
    restricted: Answer<bool>,
    /// `IgnorePublicAcls`, of the account or the bucket.
    acls_ignored: Answer<bool>,
    /// Whether ACLs are switched off.
    acls_off: Answer<bool>,
    policy: Answer<Document>,
    acl: Answer<Vec<AclGrant>>,
    /// Why the ACL may grant everybody more.
    acl_doubt: Option<&'static str>,
    points: Vec<access_point::Facts<'a>>,
    /// Whether there may be access points that were not read.
    more_points: bool,
}

impl<'a> Facts<'a> {
    fn of(bucket: &Bucket<'a>) -> Self {
        Facts {
            name: bucket.name,
            context: bucket.context,
            restricted: effective(bucket, "RestrictPublicBuckets"),
            acls_ignored: effective(bucket, "IgnorePublicAcls"),
            acls_off: owner_enforced(bucket.ownership),
            policy: document(bucket.policy, || "the bucket policy could not be read".to_string()),
            acl: acl_list(bucket.acl).map(|list| list.iter().filter_map(|g| read_grant(g).ok().flatten()).collect()),
            acl_doubt: acl_list(bucket.acl).known().and_then(|list| list.iter().find_map(|g| read_grant(g).err())),
            points: bucket.access_points.read.iter().map(access_point::Facts::of).collect(),
            more_points: bucket.access_points.more,
        }
    }

    fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.context.partition, self.name)
    }

    fn routes(&self, accesses: &[Access]) -> Answer<Vec<Route>> {
        let mut all: Vec<Route> = Vec::new();
        let mut doubt = None;
        for access in accesses {
            for part in [self.by_policy(*access), self.by_acl(*access), self.by_access_points(*access)] {
                match part {
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
        }
        match doubt {
            Some(why) if all.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(all),
        }
    }

    fn by_policy(&self, access: Access) -> Answer<Vec<Route>> {
        if self.restricted == Answer::Known(true) {
            return self.unrestricted(access).map_or(Answer::Known(Vec::new()), Answer::Unknown);
        }
        let arn = self.arn();
        let context = Context { resource: Some(&arn), ..self.context };
        let public = self
            .policy
            .clone()
            .and_then(|document| grants(&Request::Direct.read(&document), actions(access), &context))
            .and_then(certain_public);
        match (public, &self.restricted) {
            (Answer::Known(grants), _) if grants.is_empty() => Answer::Known(Vec::new()),
            (Answer::Unknown(why), _) => Answer::Unknown(why),
            (_, Answer::Unknown(why)) => Answer::Unknown(why.clone()),
            (Answer::Known(grants), Answer::Known(_)) => Answer::Known(
                grants.into_iter().map(|g| Route::new(Way::Policy, g.statement, g.actions, g.why)).collect(),
            ),
        }
    }

    /// Why `RestrictPublicBuckets` may have no effect: everybody is let in only by blocks of addresses none of which is
    /// broad enough for Amazon S3 to call the policy public.
    fn unrestricted(&self, access: Access) -> Option<String> {
        let direct = Request::Direct.read(self.policy.as_known()?);
        let narrow: Vec<String> =
            direct.statements.iter().filter(|s| names_narrow_blocks(s)).map(Statement::name).collect();
        if narrow.is_empty() {
            return None;
        }
        let arn = self.arn();
        let context = Context { resource: Some(&arn), ..self.context };
        let public = |actions: &[&str]| -> Vec<Grant> {
            let all = grants(&direct, actions, &context).known().unwrap_or_default();
            all.into_iter().filter(|g| g.public && g.doubt.is_none()).collect()
        };
        if public(&["s3:*"]).iter().any(|grant| !narrow.contains(&grant.statement)) {
            return None;
        }
        let grant = public(actions(access)).into_iter().next()?;
        Some(format!(
            "{}, by blocks that together are the internet: whether RestrictPublicBuckets stops that is not known",
            grant.why
        ))
    }

    fn by_acl(&self, access: Access) -> Answer<Vec<Route>> {
        let dead = self.acls_ignored.clone().or(self.acls_off.clone());
        if dead == Answer::Known(true) {
            return Answer::Known(Vec::new());
        }
        let open = self.acl.clone().and_then(|grants| self.not_denied(grants, access)).map(|g| acl_routes(&g, access));
        let open = match self.acl_doubt {
            Some(why) if open.as_known().is_some_and(Vec::is_empty) => Answer::Unknown(why.to_string()),
            _ => open,
        };
        match (open, dead) {
            (Answer::Known(routes), _) if routes.is_empty() => Answer::Known(routes),
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
            (routes, Answer::Known(_)) => routes,
        }
    }

    /// The grants of the ACL that count for an access and that the bucket policy's Deny statements leave. A policy that
    /// was not read is not taken to deny anything.
    fn not_denied(&self, grants: Vec<AclGrant>, access: Access) -> Answer<Vec<AclGrant>> {
        let Answer::Known(policy) = &self.policy else { return Answer::Known(grants) };
        let counting = grants.into_iter().filter(|g| permissions(access).contains(&g.permission.as_str()));
        let (mut left, mut doubt) = (Vec::new(), None);
        for grant in counting {
            match self.survives(&grant, policy, access) {
                Answer::Known(true) => left.push(grant),
                Answer::Known(false) => {}
                Answer::Unknown(why) => doubt = Some(why),
            }
        }
        match doubt {
            Some(why) if left.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(left),
        }
    }

    /// Whether everybody can still do what a grant of the ACL gives: it is asked as an Allow statement beside the Deny
    /// statements of the policy.
    fn survives(&self, grant: &AclGrant, policy: &Document, access: Access) -> Answer<bool> {
        let direct = Request::Direct.read(policy);
        let denies: Vec<_> = direct.statements.into_iter().filter(|s| s.effect == Effect::Deny).collect();
        if denies.is_empty() {
            return Answer::Known(true);
        }
        let arn = self.arn();
        let (given, on_objects) = given_by(&grant.permission, access);
        let resource = if on_objects { format!("{arn}/*") } else { arn.clone() };
        let allow = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": given, "Resource": resource}});
        Document::read(&allow).and_then(|mut document| {
            document.statements.extend(denies);
            let context = Context { resource: Some(&arn), ..self.context };
            grants(&document, given, &context).and_then(certain_public).map(|left| !left.is_empty())
        })
    }
}

/// Whether a statement admits by `aws:SourceIp` only blocks that Amazon S3 does not call broad ("The meaning of 'public'").
fn names_narrow_blocks(statement: &Statement) -> bool {
    let narrow = |value: &String| parse_block(value).is_some_and(|net| !is_wider(&net, 8, 32));
    statement.effect == Effect::Allow
        && statement.conditions.iter().any(|c| {
            c.key.eq_ignore_ascii_case("aws:SourceIp")
                && c.operator.test == Some(Test::IpAddress { negated: false })
                && c.values.iter().all(narrow)
        })
}

/// What a permission in the ACL of a bucket gives for an access, and whether on the objects (Amazon S3 User Guide,
/// "Mapping of ACL permissions and access policy permissions").
fn given_by(permission: &str, access: Access) -> (&'static [&'static str], bool) {
    match (access, permission) {
        (Access::Read, _) => (&["s3:GetBucketAcl"], false),
        (Access::List, _) => (&["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], false),
        (Access::Write, "WRITE_ACP") => (&["s3:PutBucketAcl"], false),
        (Access::Write, _) => (&["s3:PutObject"], true),
    }
}

impl Route {
    fn new(by: Way, source: String, grants: Vec<String>, why: String) -> Self {
        Route { by, through: None, source, grants, closed_by: Vec::new(), why }
    }
}

/// Reads a policy; one that is absent states nothing.
fn document(policy: Input, unread: impl FnOnce() -> String) -> Answer<Document> {
    match policy {
        Input::Absent => Answer::Known(Document { statements: Vec::new() }),
        Input::Unknown => Answer::Unknown(unread()),
        Input::Known(policy) => Document::read(policy),
    }
}

/// A grant of the ACL to everybody, or to everybody with an AWS account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AclGrant {
    group: &'static str,
    permission: String,
}

fn acl_list(acl: Input<'_>) -> Answer<&[Value]> {
    let acl = match acl {
        Input::Known(acl) => acl,
        // Every bucket has an ACL; an answer without one is not an answer.
        Input::Absent | Input::Unknown => return Answer::Unknown("the bucket's ACL could not be read".to_string()),
    };
    let grants = acl.as_object().map_or(Some(acl), |object| object.get("Grants"));
    match grants {
        Some(Value::Array(grants)) => Answer::Known(grants),
        None | Some(Value::Null) => Answer::Known(&[]),
        Some(_) => Answer::Unknown("the bucket's ACL is not understood".to_string()),
    }
}

/// A grant of an ACL, if it is one to everybody. Why not, where that is not understood.
fn read_grant(grant: &Value) -> Result<Option<AclGrant>, &'static str> {
    let grantee = grant.get("Grantee").and_then(Value::as_object).ok_or("a grant of the bucket's ACL names nobody")?;
    let text = |member: &str| grantee.get(member).and_then(Value::as_str);
    let group = match text("URI") {
        Some(ALL_USERS) => "AllUsers",
        Some(AUTHENTICATED_USERS) => "AuthenticatedUsers",
        Some(LOG_DELIVERY) => return Ok(None),
        None if text("Type") != Some("Group") => return Ok(None),
        _ => return Err("a group in the bucket's ACL is not understood"),
    };
    match grant.get("Permission").and_then(Value::as_str) {
        Some(permission @ ("READ" | "WRITE" | "READ_ACP" | "WRITE_ACP" | "FULL_CONTROL")) => {
            Ok(Some(AclGrant { group, permission: permission.to_string() }))
        }
        _ => Err("what the bucket's ACL grants to everybody is not understood"),
    }
}

fn acl_routes(grants: &[AclGrant], access: Access) -> Vec<Route> {
    let counts = |g: &&AclGrant| permissions(access).contains(&g.permission.as_str());
    let route = |g: &AclGrant| {
        let why = format!("the bucket's ACL grants {} to the group {}", g.permission, g.group);
        Route::new(Way::Acl, g.group.to_string(), vec![g.permission.clone()], why)
    };
    grants.iter().filter(counts).map(route).collect()
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

/// What each setting of account, bucket and access points does for this bucket.
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
    .into_iter()
    .chain(bucket.access_points.read.iter().flat_map(access_point::contributions))
    .collect()
}

fn contribution(setting: impl Into<String>, state: Answer<bool>, on: &str, off: &str) -> Contribution {
    let (state, effect) = match state {
        Answer::Known(true) => ("on", on.to_string()),
        Answer::Known(false) => ("off", off.to_string()),
        Answer::Unknown(why) => ("unknown", why),
    };
    Contribution { setting: setting.into(), state, effect }
}
