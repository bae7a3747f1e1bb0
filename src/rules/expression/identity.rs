//! Questions about IAM identities, as functions of conditions: what their policies allow together, under their
//! boundary, and who can take a role. The answers are in [`crate::semantics::policy`]. A policy that is attached and
//! whose document is not there makes the answer unknown; it must never be passed over.

use super::Ty;
use super::evaluate::{Env, elements};
use super::functions::{Function, Run, list_of};
use super::questions::{Kind, answer, borrowed, context, json, object, texts};
use super::value::Val;
use crate::inventory::{Cause, Reason, Resource};
use crate::semantics::policy::grants::Permissions;
use crate::semantics::policy::trust;
use crate::semantics::{Answer, Input};
use serde::Serialize;
use serde_json::{Value, json};
use std::rc::Rc;

/// The functions that ask about identities.
pub(super) fn all() -> Vec<Function> {
    use Ty::{Any, Str};
    let managed = || list_of(Ty::Resource("".into()));
    let asking = |name, parameters: Vec<Ty>, members, summary, run: Run| Function {
        name,
        takes_unknown: true,
        // The join that follows the policies is of managed policies.
        reads: if parameters.len() > 2 { &["PolicyDocument"] } else { &[] },
        parameters,
        returns: list_of(object(members)),
        summary,
        run,
    };
    vec![
        asking(
            "administrator",
            vec![Any],
            ADMINISTRATOR,
            "Why a policy makes an administrator in effect; empty if it does not.",
            |_, a, _| on_policies(a, |p| p.administrator().map(Vec::from_iter)),
        ),
        asking(
            "administrator",
            vec![Any, managed(), Any],
            ADMINISTRATOR,
            "Why an identity's policies together, under its boundary, make an administrator; empty if they do not.",
            |_, a, _| on_policies(a, |p| p.administrator().map(Vec::from_iter)),
        ),
        asking(
            "escalations",
            vec![Any],
            ESCALATION,
            "The published ways to more permissions that a policy opens.",
            |_, a, _| on_policies(a, Permissions::escalations),
        ),
        asking(
            "escalations",
            vec![Any, managed(), Any],
            ESCALATION,
            "The published ways to more permissions that an identity's policies open together, under its boundary.",
            |_, a, _| on_policies(a, Permissions::escalations),
        ),
        asking(
            "allowedEverywhere",
            vec![Any, list_of(Str)],
            ALLOWANCE,
            "Which of some actions a policy allows on all resources of their kind, with nothing that bounds them.",
            |_, a, _| on_actions(a, 1),
        ),
        asking(
            "allowedEverywhere",
            vec![Any, managed(), Any, list_of(Str)],
            ALLOWANCE,
            "Which of some actions an identity's policies allow on all resources of their kind, under its boundary.",
            |_, a, _| on_actions(a, 3),
        ),
        asking(
            "administratorWithoutMfa",
            vec![Any, managed(), Any],
            ADMINISTRATOR,
            "As `administrator`, of what the policies allow whoever cannot sign with MFA.",
            |_, a, _| on_policies(a, |p| p.clone().without_mfa().administrator().map(Vec::from_iter)),
        ),
        asking(
            "escalationsWithoutMfa",
            vec![Any, managed(), Any],
            ESCALATION,
            "As `escalations`, of what the policies allow whoever cannot sign with MFA.",
            |_, a, _| on_policies(a, |p| p.clone().without_mfa().escalations()),
        ),
        asking(
            "allowedAnywhere",
            vec![Any, managed(), Any, list_of(Str), Str],
            CONDITIONED,
            "Which of some actions an identity's policies allow on any resource, and whether only with given values \
             of a condition key.",
            |_, a, _| allowed_anywhere(a),
        ),
        asking(
            "allowedBeyond",
            vec![Any, managed(), Any, list_of(Str)],
            BEYOND,
            "What an identity's policies allow, on anything at all, of writing and reading data beyond some accepted \
             actions (patterns).",
            |_, a, _| allowed_beyond(a),
        ),
        asking(
            "serviceWildcards",
            vec![Any],
            ALLOWANCE,
            "The services of which a policy allows every action on all resources by a wildcard (`s3:*`; `*` for all).",
            |_, a, _| on_policies(a, Permissions::service_wildcards),
        ),
        asking(
            "invertedAllows",
            vec![Any],
            INVERTED,
            "The Allow statements that use NotAction or NotResource and are not confined to named resources.",
            |_, a, _| on_policies(a, |p| Answer::Known(p.inverted_allows())),
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

/// Asks about the policies in the first argument, with the managed policies that they refer to in the second and
/// the boundary in the third, where there are these.
fn on_policies<'v, T: Serialize>(a: &[Val<'v>], ask: impl FnOnce(&Permissions) -> Answer<T>) -> Val<'v> {
    let none = Val::List(Rc::new(Vec::new()));
    let managed = a.get(1).unwrap_or(&none);
    let policies = match documents(&a[0], managed) {
        Ok(policies) => Value::Array(policies),
        Err(unknown) => return unknown,
    };
    let (boundary, unread) = match a.get(2).map(|b| documents(b, managed)) {
        None => (None, None),
        Some(Ok(found)) if found.is_empty() => (None, None),
        Some(Ok(found)) => (Some(Value::Array(found)), None),
        Some(Err(unknown)) => (None, Some(unknown)),
    };
    let boundary = match (&boundary, &unread) {
        (Some(document), _) => Input::Known(document),
        (None, Some(_)) => Input::Unknown,
        (None, None) => Input::Absent,
    };
    let found = Permissions::read(Input::Known(&policies)).and_then(|p| ask(&p.with_boundary(boundary)));
    match (found, unread) {
        (Answer::Unknown(_), Some(unread)) => unread,
        (found, _) => answer(&[], found),
    }
}

/// Asks which of the actions in argument `n` are allowed everywhere.
fn on_actions<'v>(a: &[Val<'v>], n: usize) -> Val<'v> {
    if let Val::Unknown(_) = a[n] {
        return a[n].clone();
    }
    let actions = texts(&a[n]);
    on_policies(&a[..n], |p| p.allowed_everywhere(&borrowed(&actions)))
}

fn allowed_anywhere<'v>(a: &[Val<'v>]) -> Val<'v> {
    let Val::Str(key) = &a[4] else { return Val::fault("a condition key was expected") };
    let actions = texts(&a[3]);
    on_policies(&a[..3], |p| p.allowed_anywhere(&borrowed(&actions), key))
}

fn allowed_beyond<'v>(a: &[Val<'v>]) -> Val<'v> {
    if let Val::Unknown(_) = a[3] {
        return a[3].clone();
    }
    let accepted = texts(&a[3]);
    on_policies(&a[..3], |p| p.allowed_beyond(&borrowed(&accepted)))
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
