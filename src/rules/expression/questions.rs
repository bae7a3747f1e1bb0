//! The hard questions, as functions of conditions. The answers are in [`crate::semantics`]; here they are only
//! asked. What an argument leaves unknown is unknown in the answer only where the answer turns on it.

use super::Ty;
use super::evaluate::{Env, elements};
use super::functions::{Function, Run, list_of};
use super::value::Val;
use crate::inventory::{Cause, Reason, Resource};
use crate::model::schema::Type;
use crate::semantics::network::rules::PrefixLists;
use crate::semantics::network::{PortRange, acl, rules};
use crate::semantics::policy::{self, Context};
use crate::semantics::s3::{Access, AccessPoint, AccessPoints, Bucket, contributions, public_routes_of};
use crate::semantics::{Answer, Input, address, trail};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// The functions that ask [`crate::semantics`].
pub(crate) fn all() -> Vec<Function> {
    use Ty::{Any, Double, Str};
    let mut functions = vec![
        Function {
            name: "grants",
            parameters: vec![Any],
            returns: list_of(object(GRANT)),
            takes_unknown: false,
            reads: &[],
            summary: "What a resource policy allows, and to whom, less what its Deny statements take away.",
            run: |env, a, _| doubted(on_policy(a, |policy| policy::who(policy, &context(env)))),
        },
        Function {
            name: "grants",
            parameters: vec![Any, list_of(Str)],
            returns: list_of(object(GRANT)),
            takes_unknown: false,
            reads: &[],
            summary: "What a resource policy allows of some actions (patterns), and to whom.",
            run: |env, a, _| {
                let actions = texts(&a[1]);
                doubted(on_policy(a, |policy| policy::grants_of(policy, &borrowed(&actions), &context(env))))
            },
        },
        Function {
            name: "publicGrants",
            parameters: vec![Any, list_of(Str)],
            returns: list_of(object(GRANT)),
            takes_unknown: false,
            reads: &[],
            summary: "What a resource policy allows everybody of some actions (patterns).",
            run: |env, a, _| {
                let actions = texts(&a[1]);
                let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
                on_policy(a, |policy| policy::public_grants(policy, &actions, &context(env)))
            },
        },
        Function {
            name: "openEndpointGrants",
            parameters: vec![Any],
            returns: list_of(object(GRANT)),
            takes_unknown: false,
            reads: &[],
            summary: "What a VPC endpoint's policy lets everybody do with anybody's resources.",
            run: |env, a, _| on_policy(a, |policy| policy::open_endpoint_grants(policy, &context(env))),
        },
        Function {
            name: "administratorsWhoUse",
            parameters: vec![Any],
            returns: list_of(object(MIXED)),
            takes_unknown: false,
            reads: &[],
            summary: "The principals, other than the account itself, that a key policy lets both administer and use the key.",
            run: |env, a, _| on_policy(a, |policy| policy::keys::administrators_who_use(policy, &context(env))),
        },
        Function {
            name: "deniesPlainHttp",
            parameters: vec![Any, list_of(Str), list_of(Str)],
            returns: list_of(Str),
            takes_unknown: false,
            reads: &[],
            summary: "The Deny statements that refuse plain HTTP for some actions on some resources; empty if none do.",
            run: |_, a, _| {
                let (actions, resources) = (texts(&a[1]), texts(&a[2]));
                on_policy(a, |policy| {
                    policy::denies_insecure_transport(policy, &borrowed(&actions), &borrowed(&resources))
                })
            },
        },
        Function {
            name: "recordsData",
            parameters: vec![Any, Str, Str, Str],
            returns: Ty::Bool,
            takes_unknown: false,
            reads: &[],
            summary: "Whether the event selectors of a trail record all data events of a kind (`AWS::S3::Object`) and access \
                      (`read`, `write`) on a resource, or on all below a prefix that ends in `/` or `:`.",
            run: |_, a, _| {
                let [Val::Str(kind), Val::Str(access), Val::Str(arn)] = &a[1..] else {
                    return Val::fault("a kind, an access and an ARN were expected");
                };
                let access = match access.as_ref() {
                    "read" => trail::Access::Read,
                    "write" => trail::Access::Write,
                    other => return Val::fault(format!("no access is called {other:?}; there are read and write")),
                };
                let whole = !arn.ends_with(['/', ':']);
                Val::Bool(trail::records_data(&json(&a[0]), kind, access, arn, whole))
            },
        },
        Function {
            name: "deniesTlsBelow",
            parameters: vec![Any, Double, list_of(Str), list_of(Str)],
            returns: list_of(Str),
            takes_unknown: false,
            reads: &[],
            summary: "The Deny statements that refuse TLS below a version for some actions on some resources.",
            run: |_, a, _| {
                let version = match a[1] {
                    Val::Double(v) => v,
                    Val::Int(v) => v as f64,
                    ref other => return Val::fault(format!("{} where a TLS version was expected", other.kind())),
                };
                let (actions, resources) = (texts(&a[2]), texts(&a[3]));
                on_policy(a, |policy| {
                    policy::denies_tls_below(policy, version, &borrowed(&actions), &borrowed(&resources))
                })
            },
        },
    ];
    functions.extend(key_grants());
    functions.extend(enclave());
    functions.push(Function {
        name: "cidrWithin",
        parameters: vec![Str, list_of(Str)],
        returns: Ty::Bool,
        takes_unknown: false,
        reads: &[],
        summary: "Whether all addresses of a CIDR block lie in one or several blocks of a list.",
        run: cidr_within,
    });
    functions.push(Function {
        name: "bucketPublicRoutes",
        parameters: vec![list_of(Str), Any, Any, Any, Any, Any, resources(), resources()],
        returns: list_of(object(ROUTE)),
        takes_unknown: true,
        reads: &["NetworkOrigin", "PublicAccessBlockConfiguration", "PublicAccessBlock", "Policy"],
        summary: "The ways in that everybody has to the judged bucket for some of `read`, `list`, `write`, by account \
                  block, bucket block, ownership controls, policy, ACL, and its access points and Multi-Region Access \
                  Points taken together, and what closes each.",
        run: |env, a, _| public_routes_to(env.resource, a),
    });
    functions.push(Function {
        name: "bucketPublicRoutes",
        parameters: vec![Ty::Resource("".into()), list_of(Str), Any, Any, Any, Any, Any, resources(), resources()],
        returns: list_of(object(ROUTE)),
        takes_unknown: true,
        reads: &["NetworkOrigin", "PublicAccessBlockConfiguration", "PublicAccessBlock", "Policy"],
        summary: "The same of a bucket that is not the judged resource, which stands in front.",
        run: |_, a, _| match &a[0] {
            Val::Resource(bucket, _) => public_routes_to(bucket, &a[1..]),
            Val::Unknown(_) => a[0].clone(),
            other => Val::fault(format!("bucketPublicRoutes() of {}", other.kind())),
        },
    });
    functions.push(Function {
        name: "bucketSettings",
        parameters: vec![Any, Any, Any, Any, Any, resources(), resources()],
        returns: list_of(object(CONTRIBUTION)),
        takes_unknown: true,
        reads: &["NetworkOrigin", "PublicAccessBlockConfiguration", "PublicAccessBlock"],
        summary: "What each setting contributes that decides what everybody can do with the judged bucket: those of \
                  account and bucket taken together, and those of its access points.",
        run: |env, a, _| on_bucket(env.resource, a, |bucket| answer(a, Answer::Known(contributions(bucket)))),
    });
    functions.extend(network());
    functions.extend(super::reach::all());
    functions.extend(super::identity::all());
    functions.extend(super::alarm::all());
    functions.extend(super::register::all());
    functions
}

/// The functions on the grants of KMS keys: on the list that a key has, and on one grant that is a resource.
fn key_grants() -> Vec<Function> {
    let function = |parameter, reads, run| Function {
        name: "keyGrants",
        parameters: vec![parameter],
        returns: list_of(object(GRANT)),
        takes_unknown: false,
        reads,
        summary: "What grants of a KMS key allow, and to whom, in the shape of `grants`.",
        run,
    };
    let of_key: Run = |env, a, _| {
        let grants = json(&a[0]);
        doubted(answer(a, policy::key_grants(&grants, &context(env))))
    };
    let single: Run = |env, a, _| match &a[0] {
        Val::Resource(grant, _) if grant.unknown.is_empty() => {
            let grants = Value::Array(vec![Value::Object(grant.document.clone())]);
            doubted(answer(a, policy::key_grants(&grants, &context(env))))
        }
        Val::Resource(grant, _) => Val::Unknown(grant.unknown.iter().map(|u| u.cause.clone()).collect()),
        other => Val::fault(format!("keyGrants() of {}", other.kind())),
    };
    vec![function(Ty::Resource("".into()), GRANT_MEMBERS, single), function(list_of(Ty::Any), &[], of_key)]
}

/// The functions on what a KMS key demands of enclaves.
fn enclave() -> Vec<Function> {
    use Ty::{Any, Str};
    let asking = |name, parameters, returns, summary, run| Function {
        name,
        parameters,
        returns,
        takes_unknown: false,
        reads: &[],
        summary,
        run,
    };
    vec![
        asking(
            "mentionsAttestation",
            vec![Any],
            Ty::Bool,
            "Whether a key policy has a condition on the attestation of an enclave (`kms:RecipientAttestation:…`).",
            |_, a, _| match Input::of(&json(&a[0])) {
                Input::Known(policy) => answer(a, policy::enclave::mentions_attestation(policy)),
                _ => Val::Bool(false),
            },
        ),
        asking(
            "attestation",
            vec![Any, list_of(Str)],
            list_of(object(WAY)),
            "The ways that a key policy opens to some actions, and what each demands of an enclave.",
            |env, a, _| {
                let actions = texts(&a[1]);
                on_policy(a, |policy| policy::enclave::attestation(policy, &borrowed(&actions), &context(env)))
            },
        ),
        asking(
            "grantAttestation",
            vec![Any, list_of(Any), list_of(Str)],
            list_of(object(WAY)),
            "The same of the grants of a key, beside its policy.",
            |env, a, _| {
                let (grants, actions) = (json(&a[1]), texts(&a[2]));
                let ask = policy::enclave::grant_attestation;
                on_policy(a, |policy| ask(policy, &grants, &borrowed(&actions), &context(env)))
            },
        ),
        asking(
            "trustedMeasurements",
            vec![Any],
            list_of(object(MEASUREMENT)),
            "The measurements of enclaves that a key policy trusts.",
            |_, a, _| on_policy(a, policy::enclave::trusted_measurements),
        ),
    ]
}

/// The members of a way to use a key ([`crate::semantics::policy::enclave::Way`]).
const WAY: &[(&str, Kind)] = &[
    ("statement", Kind::Text),
    ("principals", Kind::Texts),
    ("actions", Kind::Texts),
    ("document", Kind::Text),
    ("measurement", Kind::Text),
    ("doubt", Kind::Text),
    ("bound_to", Kind::Texts),
    ("bound_doubt", Kind::Text),
    ("why", Kind::Text),
];

/// The members of a measurement ([`crate::semantics::policy::enclave::Measurement`]).
const MEASUREMENT: &[(&str, Kind)] = &[
    ("register", Kind::Text),
    ("value", Kind::Text),
    ("statement", Kind::Text),
    ("doubt", Kind::Text),
    ("why", Kind::Text),
];

/// The members of a grant of a KMS key that say who gets what.
const GRANT_MEMBERS: &[&str] = &[
    "KeyId",
    "GrantId",
    "Name",
    "GranteePrincipal",
    "RetiringPrincipal",
    "IssuingAccount",
    "Operations",
    "Constraints",
];

/// Whether a block lies within others. One of these that is unknown decides it only where the rest does not hold it.
fn cidr_within<'v>(_: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let Val::Str(block) = &a[0] else { return Val::fault("a CIDR block was expected") };
    let (items, holes) = match elements(&a[1]) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    let unread = items.iter().find(|i| matches!(i, Val::Unknown(_)));
    let blocks = texts(&a[1]);
    match (address::within(block, &borrowed(&blocks)), unread) {
        (Answer::Known(true), _) => Val::Bool(true),
        (_, Some(unknown)) => unknown.clone(),
        (_, None) if !holes.is_empty() => Val::Unknown(holes),
        (found, None) => answer(a, found),
    }
}

fn resources() -> Ty {
    list_of(Ty::Resource("".into()))
}

/// The functions on security groups and network ACLs. Prefix lists are given as resources, so that one that could
/// not be read is a doubt only where a rule refers to it.
fn network() -> Vec<Function> {
    use Ty::{Any, Int, Str};
    let lists = resources;
    let asking = |name, parameters, returns, summary, run| Function {
        name,
        parameters,
        returns,
        takes_unknown: false,
        reads: &["PrefixListId", "PrefixListName", "OwnerId", "Entries"],
        summary,
        run,
    };
    vec![
        asking(
            "openings",
            vec![list_of(Any), Str, list_of(Any), lists()],
            list_of(object(OPENING)),
            "The rules through which the internet reaches any of some ports over a protocol (`tcp`, `udp`, `any`).",
            |_, a, _| {
                let Some(ports) = PortRange::read_list(&json(&a[2])) else { return Val::fault("not a list of ports") };
                let Val::Str(protocol) = &a[1] else { return Val::fault("a protocol was expected") };
                on_rules(a, 3, |rules, lists| rules::opens(rules, protocol, &ports, lists))
            },
        ),
        asking(
            "openingsBeyond",
            vec![list_of(Any), list_of(Any), lists()],
            list_of(object(OPENING)),
            "The rules through which the internet reaches TCP or UDP ports other than those allowed.",
            |_, a, _| {
                let Some(ports) = PortRange::read_list(&json(&a[1])) else { return Val::fault("not a list of ports") };
                on_rules(a, 2, |rules, lists| rules::opens_beyond(rules, &ports, lists))
            },
        ),
        asking(
            "everyPortOpen",
            vec![list_of(Any), lists()],
            list_of(object(OPENING)),
            "The rules through which the internet reaches every TCP or every UDP port; empty if some stays closed.",
            |_, a, _| on_rules(a, 1, rules::every_port_open),
        ),
        asking(
            "publicSources",
            vec![list_of(Any), lists()],
            list_of(object(SOURCE)),
            "The sources of rules that hold public addresses; one that could not be resolved is an unknown among them.",
            public_sources,
        ),
        asking(
            "wideSources",
            vec![list_of(Any), Int, Int, lists()],
            list_of(object(SOURCE)),
            "The sources that hold public addresses and are wider than a prefix length (IPv4, IPv6), not the whole internet.",
            |_, a, _| {
                let (Some(v4), Some(v6)) = (prefix_length(&a[1]), prefix_length(&a[2])) else {
                    return Val::fault("a prefix length was expected");
                };
                on_rules(a, 3, |rules, lists| rules::wide_sources(rules, v4, v6, lists))
            },
        ),
        asking(
            "aclOpens",
            vec![list_of(Any), Str, list_of(Int)],
            list_of(object(ACL_OPENING)),
            "The ports, of some, that the entries of a network ACL open to the internet for incoming traffic.",
            |_, a, _| {
                let Val::Str(protocol) = &a[1] else { return Val::fault("a protocol was expected") };
                let (items, _) = elements(&a[2]).unwrap_or_default();
                let port = |v: &Val<'_>| if let Val::Int(n) = v { u16::try_from(*n).ok() } else { None };
                let ports: Vec<u16> = items.iter().filter_map(port).collect();
                let entries = json(&a[0]);
                let open = acl::opens_ports(Input::Known(&entries), protocol, &ports);
                let open = open.map(|found| {
                    found
                        .iter()
                        .map(|(protocol, port)| serde_json::json!({"protocol": protocol, "port": port}))
                        .collect::<Vec<_>>()
                });
                answer(a, open)
            },
        ),
    ]
}

fn prefix_length(value: &Val<'_>) -> Option<u8> {
    match value {
        Val::Int(n) => u8::try_from(*n).ok(),
        _ => None,
    }
}

/// Asks about the rules in the first argument, with the prefix lists in argument `n`.
fn on_rules<'v, T: Serialize>(
    a: &[Val<'v>],
    n: usize,
    ask: impl FnOnce(Input<'_>, &PrefixLists<'_>) -> Answer<T>,
) -> Val<'v> {
    let rules = json(&a[0]);
    let lists = match &a[n] {
        Val::Resources { rows, .. } => documents(rows),
        _ => return Val::fault("prefix lists were expected"),
    };
    answer(a, ask(Input::Known(&rules), &PrefixLists(Input::Known(&lists))))
}

/// All sources with public addresses. Those that are known prove nothing of those that are not: each of these stands
/// in the list as an unknown, which decides an `all` or an `exists` only where no other element does.
fn public_sources<'v>(_: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let found = on_rules(a, 1, rules::public_sources);
    let doubts = on_rules(a, 1, rules::unresolved_sources);
    let (Val::List(sources), Val::List(doubts)) = (&found, &doubts) else { return found };
    let mut all = sources.to_vec();
    for why in doubts.iter().map(Val::to_text) {
        all.push(answer::<()>(a, Answer::Unknown(why)));
    }
    Val::List(Rc::new(all))
}

/// The documents of resources, as one list.
fn documents(rows: &[&Resource]) -> Value {
    Value::Array(rows.iter().map(|r| Value::Object(r.document.clone())).collect())
}

/// The members of an opening ([`crate::semantics::network::Opening`]).
const OPENING: &[(&str, Kind)] = &[
    ("rule", Kind::Text),
    ("protocol", Kind::Text),
    ("ports", Kind::Range),
    ("source", Kind::Text),
    ("families", Kind::Texts),
    ("together", Kind::Flag),
    ("why", Kind::Text),
];

/// The members of a source ([`crate::semantics::network::rules::Source`]).
const SOURCE: &[(&str, Kind)] = &[
    ("rule", Kind::Text),
    ("block", Kind::Text),
    ("length", Kind::Number),
    ("prefix_list", Kind::Text),
    ("description", Kind::Text),
];

/// The members of a port that an ACL opens.
const ACL_OPENING: &[(&str, Kind)] = &[("protocol", Kind::Number), ("port", Kind::Number)];

/// The members of a grant ([`crate::semantics::policy::Grant`]).
pub(super) const GRANT: &[(&str, Kind)] = &[
    ("statement", Kind::Text),
    ("audience", Kind::Text),
    ("public", Kind::Flag),
    ("principals", Kind::Texts),
    ("accounts", Kind::Texts),
    ("foreign_accounts", Kind::Texts),
    ("organizations", Kind::Texts),
    ("bound", Kind::Flag),
    ("bound_by", Kind::Texts),
    ("actions", Kind::Texts),
    ("except_actions", Kind::Texts),
    ("resources", Kind::Texts),
    ("except_resources", Kind::Texts),
    ("doubt", Kind::Text),
    ("why", Kind::Text),
];

/// The members of a principal that administers and uses a key ([`crate::semantics::policy::keys::Mixed`]).
const MIXED: &[(&str, Kind)] = &[("principal", Kind::Text), ("administers_by", Kind::Texts), ("uses_by", Kind::Texts)];

/// The members of a way into a bucket ([`crate::semantics::s3::Route`]).
const ROUTE: &[(&str, Kind)] = &[
    ("by", Kind::Text),
    ("through", Kind::Text),
    ("source", Kind::Text),
    ("grants", Kind::Texts),
    ("closed_by", Kind::Texts),
    ("why", Kind::Text),
];

/// The members of what a setting contributes ([`crate::semantics::s3::Contribution`]).
const CONTRIBUTION: &[(&str, Kind)] = &[("setting", Kind::Text), ("state", Kind::Text), ("effect", Kind::Text)];

/// The type of a member of an answer.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Texts,
    Flag,
    Number,
    /// Ports from one to another.
    Range,
    /// A list of structures.
    Objects(&'static [(&'static str, Kind)]),
}

/// The type of a structure in an answer.
pub(super) fn object(members: &[(&str, Kind)]) -> Ty {
    Ty::Struct(structure(members))
}

fn structure(members: &[(&str, Kind)]) -> Type {
    let range = || [("from".to_owned(), Type::Integer), ("to".to_owned(), Type::Integer)].into_iter().collect();
    let ty = |kind| match kind {
        Kind::Range => Type::Object(Arc::new(range())),
        Kind::Text => Type::String,
        Kind::Texts => Type::List(Arc::new(Type::String)),
        Kind::Flag => Type::Boolean,
        Kind::Number => Type::Integer,
        Kind::Objects(members) => Type::List(Arc::new(structure(members))),
    };
    Type::Object(Arc::new(members.iter().map(|(name, kind)| ((*name).to_owned(), ty(*kind))).collect()))
}

/// Access points, and whether there may be more.
struct Points<'v> {
    read: Vec<AccessPoint<'v>>,
    more: bool,
}

fn access_points<'v>(value: &Val<'v>) -> Option<Points<'v>> {
    let Val::Resources { rows, holes, .. } = value else { return None };
    let read = rows.iter().map(|r| {
        let member = |name: &str| match (r.unknown_at(name), r.document.get(name)) {
            (Some(_), _) => Input::Unknown,
            (None, Some(value)) => Input::of(value),
            (None, None) => Input::Absent,
        };
        // A Multi-Region Access Point has its block under another name, and no network origin: it faces the internet.
        let multi_region = r.resource_type == "AWS::S3::MultiRegionAccessPoint";
        let (origin, block) = match multi_region {
            true => (Input::Absent, member("PublicAccessBlock")),
            false => (member("NetworkOrigin"), member("PublicAccessBlockConfiguration")),
        };
        AccessPoint { name: &r.name, arn: &r.arn, account: &r.account, origin, block, policy: member("Policy") }
    });
    Some(Points { read: read.collect(), more: !holes.is_empty() })
}

/// The ways in to a bucket; what is read of it stands in the arguments.
fn public_routes_to<'v>(resource: &Resource, a: &[Val<'v>]) -> Val<'v> {
    let accesses: Vec<Access> = texts(&a[0])
        .iter()
        .filter_map(|text| match text.as_str() {
            "read" => Some(Access::Read),
            "list" => Some(Access::List),
            "write" => Some(Access::Write),
            _ => None,
        })
        .collect();
    if accesses.is_empty() {
        return Val::fault("no access of `read`, `list`, `write` was named");
    }
    on_bucket(resource, &a[1..], |bucket| answer(a, public_routes_of(bucket, &accesses)))
}

/// Asks about a bucket: account block, bucket block, ownership, policy, ACL, access points, Multi-Region Access Points.
fn on_bucket<'v>(resource: &Resource, a: &[Val<'v>], ask: impl FnOnce(&Bucket) -> Val<'v>) -> Val<'v> {
    let parts: Vec<Cow<'_, Value>> = a[..5].iter().map(json).collect();
    let input = |n: usize| input(&a[n], &parts[n]);
    let (Some(mut points), Some(multi_region)) = (access_points(&a[5]), access_points(&a[6])) else {
        return Val::fault("access points were expected");
    };
    points.read.extend(multi_region.read);
    let bucket = Bucket {
        name: &resource.id,
        account_block: input(0),
        bucket_block: input(1),
        ownership: input(2),
        policy: input(3),
        acl: input(4),
        access_points: AccessPoints { read: &points.read, more: points.more || multi_region.more },
        context: owned_by(resource),
    };
    ask(&bucket)
}

/// Grants with what is not known of them as unknowns, so that no rule can take it for settled.
fn doubted(grants: Val<'_>) -> Val<'_> {
    match &grants {
        Val::List(each) => Val::List(Rc::new(each.iter().map(doubted_grant).collect())),
        _ => grants,
    }
}

/// Whether a grant that may not reach everybody is public is not known, nor which accounts a principal that is not
/// understood stands for.
fn doubted_grant<'v>(grant: &Val<'v>) -> Val<'v> {
    let Val::Map(members) = grant else { return grant.clone() };
    let text = |name: &str| {
        members.iter().find_map(|(n, v)| if let (true, Val::Str(t)) = (n == name, v) { Some(t.as_ref()) } else { None })
    };
    let Some(why) = text("doubt").filter(|why| !why.is_empty()) else { return grant.clone() };
    let anybody = text("audience") == Some("not_understood");
    let known = |name: &str, value: &Val<'v>| match name {
        "public" => !anybody && matches!(value, Val::Bool(false)),
        "accounts" | "foreign_accounts" => !anybody,
        _ => true,
    };
    let members = members.iter().map(|(name, value)| match known(name, value) {
        true => (name.clone(), value.clone()),
        false => (name.clone(), Val::unknown(Cause::of(Reason::NotUnderstood, why))),
    });
    Val::Map(Rc::new(members.collect()))
}

/// Asks about the policy in the first argument. Where there is none, nothing is granted and nothing denied.
pub(super) fn on_policy<'v, T: Serialize>(a: &[Val<'v>], ask: impl FnOnce(&Value) -> Answer<Vec<T>>) -> Val<'v> {
    let policy = json(&a[0]);
    match Input::of(&policy) {
        Input::Known(policy) => answer(a, ask(policy)),
        _ => owned(Value::Array(Vec::new())),
    }
}

/// Whose policy it is, where it is that of the judged resource.
pub(super) fn context<'v>(env: &Env<'v>) -> Context<'v> {
    owned_by(env.resource)
}

/// Whose the policy of a resource is.
fn owned_by(resource: &Resource) -> Context<'_> {
    Context {
        account: &resource.account,
        partition: resource.arn.split(':').nth(1).filter(|p| !p.is_empty()).unwrap_or("aws"),
        organization: None,
        resource: Some(&resource.arn),
    }
}

/// The value as JSON: borrowed where it stands in a document.
pub(super) fn json<'x>(value: &'x Val<'_>) -> Cow<'x, Value> {
    match value {
        Val::Json(v, _) => Cow::Borrowed(*v),
        other => Cow::Owned(other.to_json()),
    }
}

/// A part of a resource as the semantics ask for it. An absent structure reads as an empty one.
pub(super) fn input<'x>(value: &Val<'_>, json: &'x Value) -> Input<'x> {
    match (value, json) {
        (Val::Unknown(_), _) => Input::Unknown,
        (_, Value::Object(members)) if members.is_empty() => Input::Absent,
        (_, json) => Input::of(json),
    }
}

pub(super) fn texts(value: &Val<'_>) -> Vec<String> {
    let (items, _) = elements(value).unwrap_or_default();
    items.iter().filter_map(|i| if let Val::Str(s) = i { Some(s.to_string()) } else { None }).collect()
}

pub(super) fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// An answer as a value. Where it is not known, what could not be read of the arguments is why; else that
/// something was not understood.
pub(super) fn answer<'v, T: Serialize>(arguments: &[Val<'v>], answer: Answer<T>) -> Val<'v> {
    match answer {
        Answer::Known(known) => match serde_json::to_value(known) {
            Ok(value) => owned(value),
            Err(e) => Val::fault(format!("an answer that is no JSON: {e}")),
        },
        Answer::Unknown(why) => {
            let unread: Vec<Cause> = arguments.iter().flat_map(unread).collect();
            match unread.is_empty() {
                true => Val::unknown(Cause::of(Reason::NotUnderstood, why)),
                false => Val::Unknown(unread.into()),
            }
        }
    }
}

/// Why a part of an argument could not be read.
fn unread(value: &Val<'_>) -> Vec<Cause> {
    match value {
        Val::Unknown(causes) => causes.to_vec(),
        Val::Resources { rows, holes, .. } => {
            let members = rows.iter().flat_map(|r| r.unknown.iter().map(|u| u.cause.clone()));
            holes.iter().cloned().chain(members).collect()
        }
        _ => Vec::new(),
    }
}

/// A JSON value that nobody else holds, as a value.
fn owned<'v>(value: Value) -> Val<'v> {
    match value {
        Value::Null => Val::Null,
        Value::Bool(b) => Val::Bool(b),
        Value::Number(n) => n.as_i64().map_or_else(|| Val::Double(n.as_f64().unwrap_or(f64::NAN)), Val::Int),
        Value::String(s) => Val::Str(Cow::Owned(s)),
        Value::Array(items) => Val::List(Rc::new(items.into_iter().map(owned).collect())),
        Value::Object(members) => Val::Map(Rc::new(members.into_iter().map(|(k, v)| (k, owned(v))).collect())),
    }
}
