//! Questions about IAM identities, as functions of conditions: what their policies allow together, under their
//! boundary and the service control policies of their account, and who can take a role. The answers are in [`crate::semantics::policy`]. A policy that is attached and
//! whose document is not there makes the answer unknown; it must never be passed over.

use super::Ty;
use super::evaluate::{Env, elements};
use super::functions::{Function, Run, list_of};
use super::organization::Membership;
use super::questions::{Kind, answer, borrowed, context, json, object, texts};
use super::value::Val;
use crate::inventory::{Cause, Reason, Resource};
use crate::semantics::policy::Identity;
use crate::semantics::policy::grants::Permissions;
use crate::semantics::policy::trust;
use crate::semantics::{Answer, Input};
use serde::Serialize;
use serde_json::{Value, json};
use std::rc::Rc;

/// The functions that ask about identities.
pub(super) fn all() -> Vec<Function> {
    use Ty::{Any, Str};
    let resource = || Ty::Resource("".into());
    // A policy alone, or an identity, the policies that act on it, and the managed ones that these refer to.
    let (policy, identity) = (|| vec![Any], || vec![resource(), Any, list_of(resource())]);
    let with = |mut parameters: Vec<Ty>, more: &[Ty]| {
        parameters.extend_from_slice(more);
        parameters
    };
    let asking = |name, parameters: Vec<Ty>, members, summary, run: Run| Function {
        name,
        takes_unknown: true,
        // Of the identity and of the managed policies.
        reads: if parameters.len() > 2 { &["GroupList", "PermissionsBoundary", "PolicyDocument"] } else { &[] },
        parameters,
        returns: list_of(object(members)),
        summary,
        run,
    };
    vec![
        asking(
            "administrator",
            policy(),
            ADMINISTRATOR,
            "Why a policy makes an administrator in effect; empty if it does not.",
            |_, a, _| on_policy(a, |p| p.administrator().map(Vec::from_iter)),
        ),
        asking(
            "administrator",
            identity(),
            ADMINISTRATOR,
            "Why an identity's policies together, under its boundary and the service control policies of its account, \
             make an administrator; empty if they do not.",
            |env, a, _| on_identity(env, a, |p| p.administrator().map(Vec::from_iter)),
        ),
        asking(
            "escalations",
            policy(),
            ESCALATION,
            "The published ways to more permissions that a policy opens.",
            |_, a, _| on_policy(a, Permissions::escalations),
        ),
        asking(
            "escalations",
            identity(),
            ESCALATION,
            "The published ways to more permissions that an identity's policies open together, narrowed alike.",
            |env, a, _| on_identity(env, a, Permissions::escalations),
        ),
        asking(
            "allowedEverywhere",
            with(policy(), &[list_of(Str)]),
            ALLOWANCE,
            "Which of some actions a policy allows on all resources of their kind, with nothing that bounds them.",
            |_, a, _| with_texts(&a[1], |actions| on_policy(a, |p| p.allowed_everywhere(actions))),
        ),
        asking(
            "allowedEverywhere",
            with(identity(), &[list_of(Str)]),
            ALLOWANCE,
            "Which of some actions an identity's policies allow on all resources of their kind, narrowed alike.",
            |env, a, _| with_texts(&a[3], |actions| on_identity(env, a, |p| p.allowed_everywhere(actions))),
        ),
        asking(
            "administratorWithoutMfa",
            identity(),
            ADMINISTRATOR,
            "As `administrator`, of what the policies allow whoever cannot sign with MFA.",
            |env, a, _| on_identity(env, a, |p| p.clone().without_mfa().administrator().map(Vec::from_iter)),
        ),
        asking(
            "escalationsWithoutMfa",
            identity(),
            ESCALATION,
            "As `escalations`, of what the policies allow whoever cannot sign with MFA.",
            |env, a, _| on_identity(env, a, |p| p.clone().without_mfa().escalations()),
        ),
        asking(
            "allowedAnywhere",
            with(identity(), &[list_of(Str), Str]),
            CONDITIONED,
            "Which of some actions an identity's policies allow on any resource, and whether only with given values \
             of a condition key.",
            |env, a, _| {
                let Val::Str(key) = &a[4] else { return Val::fault("a condition key was expected") };
                with_texts(&a[3], |actions| on_identity(env, a, |p| p.allowed_anywhere(actions, key)))
            },
        ),
        asking(
            "allowedBeyond",
            with(identity(), &[list_of(Str)]),
            BEYOND,
            "What an identity's policies allow, on anything at all, of writing and reading data beyond some accepted \
             actions (patterns).",
            |env, a, _| with_texts(&a[3], |accepted| on_identity(env, a, |p| p.allowed_beyond(accepted))),
        ),
        asking(
            "serviceWildcards",
            policy(),
            ALLOWANCE,
            "The services of which a policy allows every action on all resources by a wildcard (`s3:*`; `*` for all).",
            |_, a, _| on_policy(a, Permissions::service_wildcards),
        ),
        asking(
            "invertedAllows",
            policy(),
            INVERTED,
            "The Allow statements that use NotAction or NotResource and are not confined to named resources.",
            |_, a, _| on_policy(a, |p| Answer::Known(p.inverted_allows())),
        ),
        Function {
            name: "trust",
            parameters: vec![Any],
            returns: object(TRUST),
            takes_unknown: false,
            reads: &[],
            summary: "Who can take a role, by its trust policy: everybody, accounts, services, identity providers.",
            run: |env, a, _| trusted(env, a),
        },
    ]
}

/// The members of [`crate::semantics::policy::grants::Administrator`].
const ADMINISTRATOR: &[(&str, Kind)] = &[("statements", Kind::Texts), ("why", Kind::Text)];

/// The members of [`crate::semantics::policy::escalation::Escalation`].
const ESCALATION: &[(&str, Kind)] =
    &[("path", Kind::Text), ("actions", Kind::Texts), ("statements", Kind::Texts), ("source", Kind::Text)];

/// The members of [`crate::semantics::policy::grants::Allowance`].
const ALLOWANCE: &[(&str, Kind)] = &[("action", Kind::Text), ("statement", Kind::Text)];

/// The members of [`crate::semantics::policy::beyond::Beyond`].
const BEYOND: &[(&str, Kind)] = &[("statement", Kind::Text), ("actions", Kind::Texts), ("why", Kind::Text)];

/// The members of [`crate::semantics::policy::grants::Conditioned`].
const CONDITIONED: &[(&str, Kind)] = &[("action", Kind::Text), ("statement", Kind::Text), ("demanded", Kind::Flag)];

/// The members of [`crate::semantics::policy::grants::InvertedAllow`].
const INVERTED: &[(&str, Kind)] = &[("statement", Kind::Text), ("elements", Kind::Texts)];

/// The members of [`crate::semantics::policy::trust::Trust`].
const TRUST: &[(&str, Kind)] = &[
    ("public", Kind::Objects(super::questions::GRANT)),
    (
        "accounts",
        Kind::Objects(&[
            ("account", Kind::Text),
            ("principal", Kind::Text),
            ("whole_account", Kind::Flag),
            ("external_id", Kind::Flag),
            ("mfa", Kind::Flag),
            ("bound", Kind::Flag),
            ("statement", Kind::Text),
        ]),
    ),
    ("organizations", Kind::Texts),
    (
        "services",
        Kind::Objects(&[
            ("service", Kind::Text),
            ("compute", Kind::Flag),
            ("source_bound", Kind::Flag),
            ("statement", Kind::Text),
        ]),
    ),
    (
        "oidc",
        Kind::Objects(&[
            ("provider", Kind::Text),
            ("audience_checked", Kind::Flag),
            ("subject", Kind::Text),
            ("why", Kind::Text),
            ("statement", Kind::Text),
        ]),
    ),
    ("saml", Kind::Objects(&[("provider", Kind::Text), ("audience_checked", Kind::Flag), ("statement", Kind::Text)])),
    ("deleted", Kind::Texts),
];

/// Asks about the policy in the first argument.
fn on_policy<'v, T: Serialize>(a: &[Val<'v>], ask: impl FnOnce(&Permissions) -> Answer<T>) -> Val<'v> {
    match documents(&a[0], &Val::List(Rc::new(Vec::new()))) {
        Ok(policies) => {
            let policies = Value::Array(policies);
            answer(&[], Permissions::read(Input::Known(&policies)).and_then(|p| ask(&p)))
        }
        Err(unknown) => unknown,
    }
}

/// Asks about the identity in the first argument: the policies that act on it are in the second, the managed ones that
/// they refer to in the third. What narrows them is found here: the boundary of the identity, and the service control
/// policies of its account.
fn on_identity<'v, T: Serialize>(env: &Env<'v>, a: &[Val<'v>], ask: impl FnOnce(&Permissions) -> Answer<T>) -> Val<'v> {
    let Val::Resource(identity, place) = &a[0] else { return unknown_or_fault(&a[0]) };
    let managed = &a[2];
    let policies = match documents(&a[1], managed) {
        Ok(policies) => Value::Array(policies),
        Err(unknown) => return unknown,
    };
    let own = match identity.unknown_at(BOUNDARY) {
        Some(cause) => Val::unknown(cause.clone()),
        None => identity.document.get(BOUNDARY).map_or(Val::Null, |v| Val::of_json(v, None)),
    };
    env.note_member(place, BOUNDARY, &own);
    let (boundary, unread) = match own {
        Val::Null => (None, None),
        own => match documents(&own, managed) {
            Ok(found) if found.is_empty() => (None, None),
            Ok(found) => (Some(Value::Array(found)), None),
            Err(unknown) => (None, Some(unknown)),
        },
    };
    let boundary = match (&boundary, &unread) {
        (Some(document), _) => Input::Known(document),
        (None, Some(_)) => Input::Unknown,
        (None, None) => Input::Absent,
    };
    let membership = env.finder.membership(env);
    note_service_control(env, &membership);
    let groups = identity.document.get("GroupList").and_then(Value::as_array);
    let groups: Vec<&str> = groups.into_iter().flatten().filter_map(Value::as_str).collect();
    let asked = Identity { arn: &identity.arn, organization: membership.organization, groups: &groups };
    let found = Permissions::read(Input::Known(&policies)).and_then(|permissions| {
        let under_boundary = permissions.with_boundary(boundary);
        let narrowed = match &membership.service_control {
            Some(control) => under_boundary.with_service_control(control, &asked),
            None => under_boundary,
        };
        ask(&narrowed.of(&asked))
    });
    match (found, unread) {
        (Answer::Unknown(_), Some(unread)) => unread,
        (found, _) => answer(&[], found),
    }
}

/// The member of an identity that names its permissions boundary.
const BOUNDARY: &str = "PermissionsBoundary";

/// Says in the evidence which service control policies narrowed, or that they could not be read.
fn note_service_control<'v>(env: &Env<'v>, membership: &Membership<'v>) {
    let said = match &membership.service_control {
        Some(Answer::Known(control)) if control.is_empty() => return,
        Some(Answer::Known(control)) => control.names().into_iter().map(|n| Val::Str(n.to_owned().into())).collect(),
        Some(Answer::Unknown(why)) => vec![Val::Str(format!("(not understood: {why})").into())],
        None => vec![Val::Str("(could not be read, and narrow nothing)".into())],
    };
    env.note("ServiceControlPolicies", &Val::List(Rc::new(said)));
}

/// Goes on with the texts of an argument.
fn with_texts<'v>(texts_of: &Val<'v>, ask: impl FnOnce(&[&str]) -> Val<'v>) -> Val<'v> {
    if let Val::Unknown(_) = texts_of {
        return texts_of.clone();
    }
    ask(&borrowed(&texts(texts_of)))
}

fn unknown_or_fault<'v>(value: &Val<'v>) -> Val<'v> {
    match value {
        Val::Unknown(_) => value.clone(),
        other => Val::fault(format!("{} where an identity was expected", other.kind())),
    }
}

/// The documents of policies: of those that stand in `value` themselves, and of those that it refers to by ARN
/// (`AttachedManagedPolicies`, `PermissionsBoundary`), which are looked up in `managed`. Unknown as soon as one is:
/// it may deny what another allows.
fn documents<'v>(value: &Val<'v>, managed: &Val<'v>) -> Result<Vec<Value>, Val<'v>> {
    match value {
        Val::List(_) | Val::Json(Value::Array(_), _) => {
            let (items, holes) = elements(value)?;
            if !holes.is_empty() {
                return Err(Val::Unknown(holes));
            }
            let each = items.iter().map(|item| documents(item, managed)).collect::<Result<Vec<_>, _>>()?;
            Ok(each.into_iter().flatten().collect())
        }
        Val::Unknown(_) => Err(value.clone()),
        Val::Json(..) | Val::Map(_) | Val::Str(_) | Val::Null => {
            let json = json(value);
            match reference(&json) {
                Some(arn) => attached(arn, managed).map(|document| vec![document]),
                None if json.as_object().is_some_and(serde_json::Map::is_empty) => Ok(Vec::new()),
                None => Ok(vec![json.into_owned()]),
            }
        }
        other => Err(Val::fault(format!("{} where policies were expected", other.kind()))),
    }
}

/// The ARN of the managed policy that an entry refers to.
fn reference(entry: &Value) -> Option<&str> {
    ["PolicyArn", "PermissionsBoundaryArn"].iter().find_map(|member| entry.get(member)).and_then(Value::as_str)
}

/// A managed policy's name and document.
fn attached<'v>(arn: &str, managed: &Val<'v>) -> Result<Value, Val<'v>> {
    let (rows, holes): (&[&Resource], &[Cause]) = match managed {
        Val::Resources { rows, holes, .. } => (rows, holes),
        Val::Unknown(causes) => (&[], causes),
        _ => (&[], &[]),
    };
    let Some(policy) = rows.iter().find(|r| r.arn == arn) else {
        return Err(match holes {
            [] => Val::unknown(Cause::of(
                Reason::NotCollected,
                format!("the policy {arn} is attached, and is not in the account's inventory"),
            )),
            holes => Val::Unknown(holes.into()),
        });
    };
    if let Some(cause) = policy.unknown_at("PolicyDocument") {
        return Err(Val::unknown(cause.clone()));
    }
    let document = policy.document.get("PolicyDocument").cloned().unwrap_or(Value::Null);
    Ok(json!({"PolicyName": policy.name, "PolicyDocument": document}))
}

/// Reads a trust policy. Where a condition is not understood, what is not proven of the grant is an unknown and not
/// `false`, so that a rule's condition on it is unknown too.
fn trusted<'v>(env: &Env<'v>, a: &[Val<'v>]) -> Val<'v> {
    let answered = answer(a, trust::trust(&json(&a[0]), &context(env)));
    let Val::Map(members) = answered else { return answered };
    let of_grants = |value: &Val<'v>| match value {
        Val::List(grants) => Val::List(Rc::new(grants.iter().map(with_doubt).collect())),
        other => other.clone(),
    };
    Val::Map(Rc::new(members.iter().map(|(name, value)| (name.clone(), of_grants(value))).collect()))
}

/// What a trust policy's grant is asked to prove.
const PROOFS: [&str; 5] = ["external_id", "mfa", "source_bound", "audience_checked", "subject"];

fn with_doubt<'v>(grant: &Val<'v>) -> Val<'v> {
    let Val::Map(members) = grant else { return grant.clone() };
    let text = |name: &str| {
        members.iter().find_map(|(n, v)| if let (true, Val::Str(t)) = (n == name, v) { Some(t.clone()) } else { None })
    };
    let not_understood = text("subject").filter(|s| s == "not_understood").and_then(|_| text("why"));
    let (doubt, of_subject) = (text("doubt"), not_understood);
    let doubted = members.iter().map(|(name, value)| {
        let unproven = match value {
            Val::Bool(proven) => !proven,
            Val::Str(subject) => subject != "pinned",
            _ => false,
        };
        let why = doubt.as_ref().or(of_subject.as_ref().filter(|_| name == "subject"));
        match why.filter(|_| unproven && PROOFS.contains(&name.as_str())) {
            Some(why) => (name.clone(), Val::unknown(Cause::of(Reason::NotUnderstood, why.as_ref()))),
            None => (name.clone(), value.clone()),
        }
    });
    Val::Map(Rc::new(doubted.collect()))
}
