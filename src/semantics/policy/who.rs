//! Whom a resource's policy lets in. Allow statements give grants; conditions bind them; Deny statements take away
//! exactly what they certainly take away, and leave a doubt where that turns on something not understood. It must
//! never call a grant bound because a condition stands there: only conditions that name somebody bind.

use super::Context;
use super::condition::{Binding, Bound, Callers, Owner, admitted, provider_claims, spared};
use super::document::{Condition, Document, Effect, Principal, Selection, SetQualifier, Statement, Test, Who};
use super::matching::{Pattern, is_fixed};
use crate::semantics::Answer;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Who gets a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody, with or without an AWS account.
    Public,
    /// Everybody with an AWS account (or with an account of a public identity provider).
    AnyAccount,
    /// Everybody in an organization.
    Organization,
    /// Other accounts, or principals of other accounts.
    Accounts,
    /// The account that owns the resource, or principals of it.
    SameAccount,
    /// An AWS service.
    Service,
    /// An identity provider's users.
    Federated,
    /// An S3 canonical user.
    CanonicalUser,
    /// A unique id: a principal that was deleted, or one that a condition names by its id.
    UniqueId,
    /// A CloudFront origin access identity.
    OriginAccessIdentity,
    /// Everybody who comes from a given network (VPC, endpoint, narrow address range).
    Network,
    /// Whoever acts for given resources or accounts, or holds a given secret or delivery address.
    Source,
    /// A principal that is not understood.
    NotUnderstood,
}

/// Something that a policy's Allow statement grants, less what Deny statements take away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The statement: its Sid in quotation marks, or `number N`, counted from 1.
    pub statement: String,
    /// Who gets it.
    pub audience: Audience,
    /// Whether that is everybody, or everybody with some kind of account.
    pub public: bool,
    /// The principals as the statement names them.
    pub principals: Vec<String>,
    /// The account ids that the principals or the binding conditions name.
    pub accounts: Vec<String>,
    /// Those of them that are not the resource's own account.
    pub foreign_accounts: Vec<String>,
    /// The organization ids that the binding conditions name.
    pub organizations: Vec<String>,
    /// For services and identity providers: whether a condition pins for whom they act. For others: whether
    /// a condition binds the grant.
    pub bound: bool,
    /// The conditions that bind it, as operator and key; never the values, which can be secret.
    pub bound_by: Vec<String>,
    /// The actions, as patterns.
    pub actions: Vec<String>,
    /// Where the statement has `NotAction`: the actions that it leaves out.
    pub except_actions: Vec<String>,
    /// The resources, as patterns.
    pub resources: Vec<String>,
    /// Where the statement has `NotResource`: the resources that it leaves out.
    pub except_resources: Vec<String>,
    /// What makes it uncertain that the grant is as wide as `audience` says; absent where it is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// All that a resource's policy grants, and to whom. Unknown where the document is not understood.
pub fn who(policy: &Value, context: &Context) -> Answer<Vec<Grant>> {
    Document::read(policy).and_then(|document| grants(&document, &["*"], context))
}

/// What the policy grants of `actions` (patterns such as `s3:Get*`), and to whom.
pub fn grants_of(policy: &Value, actions: &[&str], context: &Context) -> Answer<Vec<Grant>> {
    Document::read(policy).and_then(|document| grants(&document, actions, context))
}

/// What the policy grants of `actions` (patterns such as `s3:Get*`) to everybody. Unknown where a doubt stands
/// between a grant and certainty and no other grant is certain.
pub fn public_grants(policy: &Value, actions: &[&str], context: &Context) -> Answer<Vec<Grant>> {
    Document::read(policy).and_then(|document| grants(&document, actions, context)).and_then(certain_public)
}

/// What the policy of a VPC endpoint lets everybody do with anybody's resources: its grants that neither a principal
/// or condition confines to somebody, nor a resource or `aws:ResourceAccount`, `aws:ResourceOrgID` or
/// `aws:ResourceOrgPaths` to somebody's resources. The default policy of an endpoint is such a grant.
pub fn open_endpoint_grants(policy: &Value, context: &Context) -> Answer<Vec<Grant>> {
    Document::read(policy).and_then(|document| {
        let open = document.statements.iter().filter(|s| s.effect == Effect::Deny || reaches_anybodys(s)).cloned();
        let open = open.map(without_comparisons).collect();
        grants(&Document { statements: open }, &["*"], context).and_then(certain_public)
    })
}

/// Whether a statement is for resources of whoever owns them.
fn reaches_anybodys(statement: &Statement) -> bool {
    const OWNER: [&str; 4] = ["aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "s3:resourceaccount"];
    // Of a path of an organization, the organization is enough.
    let names_owner = |value: &String| is_fixed(value) || value.split_once('/').is_some_and(|(o, _)| is_fixed(o));
    let of_somebody = |c: &Condition| {
        OWNER.contains(&c.key_name().as_str())
            && c.doubt.is_none()
            && !c.operator.if_exists
            && c.operator.set != Some(SetQualifier::ForAllValues)
            && matches!(
                c.operator.test,
                Some(Test::StringEquals { negated: false } | Test::StringLike { negated: false })
            )
            && c.values.iter().all(names_owner)
    };
    let anybodys = |r: &Pattern| {
        let mut parts = r.text().splitn(6, ':').skip(4);
        let (account, resource) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
        account.contains(['*', '?']) || (account.is_empty() && resource.starts_with(['*', '?']))
    };
    !statement.conditions.iter().any(of_somebody)
        && (statement.resources.inverted || statement.resources.patterns.iter().any(anybodys))
}

/// The statement without conditions that compare the caller with the resource: in the policy of an endpoint, unlike
/// that of a resource, both can be a stranger's.
fn without_comparisons(mut statement: Statement) -> Statement {
    if statement.effect == Effect::Allow {
        statement.conditions.retain(|c| !(c.variables && c.values.iter().any(|v| v.contains("${aws:"))));
    }
    statement
}

/// The public ones of some grants; unknown where all of those are doubtful.
pub(crate) fn certain_public(grants: Vec<Grant>) -> Answer<Vec<Grant>> {
    certain(grants.into_iter().filter(|g| g.public).collect())
}

/// The certain ones of some grants; unknown where all are doubtful.
fn certain(grants: Vec<Grant>) -> Answer<Vec<Grant>> {
    let (doubtful, certain): (Vec<Grant>, Vec<Grant>) = grants.into_iter().partition(|g| g.doubt.is_some());
    match doubtful.into_iter().find_map(|g| g.doubt) {
        Some(why) if certain.is_empty() => Answer::Unknown(why),
        _ => Answer::Known(certain),
    }
}

/// What a document grants of the actions that the patterns name.
pub(crate) fn grants(document: &Document, actions: &[&str], context: &Context) -> Answer<Vec<Grant>> {
    let asked: Vec<Pattern> = actions.iter().map(|a| Pattern::action(a)).collect();
    let denies: Vec<&Statement> = document.statements.iter().filter(|s| s.effect == Effect::Deny).collect();
    let mut found: Vec<Grant> = Vec::new();
    for statement in document.statements.iter().filter(|s| s.effect == Effect::Allow) {
        let everyone = [Who::Everyone];
        let named = match &statement.principal {
            Principal::None => return Answer::Unknown(format!("statement {} has no principal", statement.name())),
            Principal::Is(named) => named.as_slice(),
            Principal::Not(_) => everyone.as_slice(),
        };
        let pieces = pieces(&statement.actions, &asked);
        for one in named {
            for grant in granted(statement, one, &pieces, &denies, context) {
                merge(&mut found, grant);
            }
        }
    }
    found.iter_mut().for_each(|grant| grant.why = reason(grant, context));
    Answer::Known(found)
}

/// The parts of what was asked that a statement's actions select.
fn pieces(actions: &Selection, asked: &[Pattern]) -> Vec<Pattern> {
    let mut pieces: Vec<Pattern> = Vec::new();
    let mut add = |piece: &Pattern| {
        if !pieces.contains(piece) {
            pieces.push(piece.clone());
        }
    };
    for question in asked {
        if actions.inverted {
            if actions.overlaps(question) {
                add(question);
            }
            continue;
        }
        for pattern in &actions.patterns {
            if pattern.covers(question) {
                add(question);
            } else if pattern.overlaps(question) {
                add(pattern);
            }
        }
    }
    pieces
}

/// What Deny statements do to a grant.
#[derive(Clone, Debug, PartialEq)]
enum Denied {
    Wholly,
    Except(Option<Binding>, Option<String>),
}

/// The grants that one principal of a statement has: one, or several where Deny statements treat the actions
/// differently.
fn granted(
    statement: &Statement,
    one: &Who,
    pieces: &[Pattern],
    denies: &[&Statement],
    context: &Context,
) -> Vec<Grant> {
    let admitted = admitted(&statement.conditions, context);
    let mut kinds: Vec<(Option<Binding>, Option<String>, Vec<String>)> = Vec::new();
    for piece in pieces {
        let Denied::Except(left, doubt) = denied(statement, one, piece, denies, context) else { continue };
        match kinds.iter_mut().find(|(l, d, _)| *l == left && *d == doubt) {
            Some((_, _, actions)) => actions.push(piece.text().to_string()),
            None => kinds.push((left, doubt, vec![piece.text().to_string()])),
        }
    }
    kinds
        .into_iter()
        .filter_map(|(left, doubt, actions)| shape(statement, one, &admitted, left, doubt, actions, context))
        .collect()
}

fn denied(statement: &Statement, one: &Who, piece: &Pattern, denies: &[&Statement], context: &Context) -> Denied {
    let mut left: Option<Binding> = None;
    let mut doubt = None;
    let callers = callers(one, context);
    for deny in denies {
        if !covers_action(&deny.actions, piece, context) || !covers_resources(deny, statement, context) {
            continue;
        }
        let rest = match spared_principals(deny, one) {
            Bound::Loose => continue,
            Bound::Unknown(why) => Bound::Unknown(why),
            principals => either(principals, spared(&deny.conditions, context, callers)),
        };
        match rest {
            Bound::Nobody => return Denied::Wholly,
            Bound::Loose => {}
            Bound::Unknown(why) => {
                doubt =
                    doubt.or(Some(format!("what the Deny statement {} takes away is not certain: {why}", deny.name())));
            }
            Bound::To(binding) => left = Some(left.map_or(binding.clone(), |l| l.and(binding))),
        }
    }
    // Callers that a certain Deny leaves are bound, whatever an uncertain one would take of them.
    let doubt = doubt.filter(|_| left.is_none());
    Denied::Except(left, doubt)
}

/// What kind of requests come from a principal.
fn callers(one: &Who, context: &Context) -> Callers {
    match one {
        Who::Service(_) => Callers::Services,
        Who::Everyone | Who::NotUnderstood(_) if everybody(context) == Audience::Public => Callers::Anybody,
        _ => Callers::Signed,
    }
}

/// The callers in one of two sets.
fn either(a: Bound, b: Bound) -> Bound {
    match (a, b) {
        (Bound::Loose, _) | (_, Bound::Loose) => Bound::Loose,
        (Bound::Unknown(why), _) | (_, Bound::Unknown(why)) => Bound::Unknown(why),
        (Bound::Nobody, other) | (other, Bound::Nobody) => other,
        (Bound::To(x), Bound::To(y)) => Bound::To(x.or(y)),
    }
}

/// Which of the callers that `one` stands for a Deny statement does not name.
pub(super) fn spared_principals(deny: &Statement, one: &Who) -> Bound {
    match &deny.principal {
        Principal::None => Bound::Unknown("it has no principal".to_string()),
        Principal::Is(named) if named.contains(&Who::Everyone) || named.iter().any(|n| includes(n, one)) => {
            Bound::Nobody
        }
        Principal::Is(_) => Bound::Loose,
        Principal::Not(named) if named.contains(&Who::Everyone) => Bound::Loose,
        Principal::Not(named) if *one == Who::Everyone => spared_names(named),
        Principal::Not(named) => {
            let spared = named.iter().any(|n| n == one || same_account(n, one)) || could_be_anybodys(one);
            match named.iter().find(|n| matches!(n, Who::NotUnderstood(_))) {
                _ if spared => Bound::Loose,
                Some(other) => Bound::Unknown(format!("its principal {} is not understood", principal_text(other))),
                None => Bound::Nobody,
            }
        }
    }
}

/// Whether the account of a principal cannot be told from its name.
fn could_be_anybodys(one: &Who) -> bool {
    matches!(one, Who::UniqueId(_) | Who::CanonicalUser(_) | Who::NotUnderstood(_))
}

/// Whether naming `wide` names everybody that `narrow` stands for.
fn includes(wide: &Who, narrow: &Who) -> bool {
    match (wide, narrow) {
        (Who::Aws { account: a, whole_account: true, .. }, Who::Aws { account: b, .. }) => a == b,
        _ => wide == narrow && !matches!(wide, Who::NotUnderstood(_)),
    }
}

fn same_account(a: &Who, b: &Who) -> bool {
    matches!((a, b), (Who::Aws { account: x, .. }, Who::Aws { account: y, .. }) if x == y)
}

/// The callers that a Deny with `NotPrincipal` leaves, of everybody.
fn spared_names(named: &[Who]) -> Bound {
    let mut binding = Binding {
        owner: Owner::Principal,
        accounts: BTreeSet::new(),
        organizations: BTreeSet::new(),
        names: BTreeSet::new(),
        labels: BTreeSet::from(["Deny NotPrincipal".to_string()]),
        complete: true,
    };
    for who in named {
        match who {
            Who::Aws { account, text, .. } => {
                binding.accounts.insert(account.clone());
                binding.names.insert(text.clone());
            }
            Who::NotUnderstood(text) => return Bound::Unknown(format!("its principal {text} is not understood")),
            Who::Service(name) => {
                binding.owner = binding.owner.max(Owner::Service);
                binding.complete = false;
                binding.names.insert(name.clone());
            }
            other => {
                binding.complete = false;
                binding.names.insert(principal_text(other));
            }
        }
    }
    Bound::To(binding)
}

fn covers_action(actions: &Selection, piece: &Pattern, context: &Context) -> bool {
    if actions.covers(piece) {
        return true;
    }
    // In the policy of an S3 bucket, `*` can only mean `s3:*`.
    piece.is_everything()
        && service_of(context).is_some_and(|service| actions.covers(&Pattern::action(&format!("{service}:*"))))
}

/// The service in the ARN of the resource.
fn service_of<'a>(context: &Context<'a>) -> Option<&'a str> {
    context.resource.and_then(|arn| arn.split(':').nth(2)).filter(|service| !service.is_empty())
}

/// Services whose policies are for one resource, with nothing below it.
const WITHOUT_PARTS: [&str; 4] = ["sqs", "sns", "kms", "secretsmanager"];

fn covers_resources(deny: &Statement, allow: &Statement, context: &Context) -> bool {
    let own: Vec<Pattern> = match context.resource {
        Some(arn) if service_of(context).is_some_and(|s| WITHOUT_PARTS.contains(&s)) => vec![Pattern::plain(arn)],
        Some(arn) => vec![Pattern::plain(arn), Pattern::plain(&format!("{arn}/*"))],
        None => vec![Pattern::plain("*")],
    };
    if own.iter().all(|r| deny.resources.covers(r)) {
        return true;
    }
    !allow.resources.inverted
        && allow.resources.patterns.iter().all(|r| {
            deny.resources.covers(r)
                || (context.resource.is_some()
                    && own.iter().any(|o| o.overlaps(r))
                    && own.iter().filter(|o| o.overlaps(r)).all(|o| deny.resources.covers(o)))
        })
}

/// Services that answer no unsigned request: everybody there means everybody with an AWS account.
const SIGNED_ONLY: [&str; 8] = ["kms", "iam", "secretsmanager", "ecr", "events", "backup", "logs", "dynamodb"];

fn shape(
    statement: &Statement,
    one: &Who,
    admitted: &Bound,
    left: Option<Binding>,
    doubt: Option<String>,
    actions: Vec<String>,
    context: &Context,
) -> Option<Grant> {
    let binding = match (admitted, left.clone()) {
        (Bound::To(a), Some(b)) => Some(a.clone().and(b)),
        (Bound::To(a), None) => Some(a.clone()),
        (_, b) => b,
    };
    let open_doubt = match admitted {
        Bound::Unknown(why) if binding.is_none() => Some(why.clone()),
        _ => None,
    };
    let doubt = open_doubt.or(doubt);
    let mut accounts: BTreeSet<String> = binding.iter().flat_map(|b| b.accounts.clone()).collect();
    let mut bound = binding.is_some();
    let mut doubtful = false;
    let audience = match one {
        Who::Everyone => {
            doubtful = true;
            bound = binding.as_ref().is_some_and(|b| b.owner != Owner::Service);
            binding.as_ref().map_or_else(|| everybody(context), |b| audience_of(b, context))
        }
        Who::Aws { account, .. } => {
            if left.as_ref().is_some_and(|b| b.complete && !b.accounts.contains(account)) {
                return None;
            }
            accounts = BTreeSet::from([account.clone()]);
            if account == context.account { Audience::SameAccount } else { Audience::Accounts }
        }
        Who::Service(_) => {
            doubtful = true;
            bound = binding.as_ref().is_some_and(|b| b.owner <= Owner::Organization);
            Audience::Service
        }
        Who::Federated(provider) => {
            doubtful = true;
            bound = binding.is_some() || provider_binds(provider, &statement.conditions);
            accounts.extend(provider.split(':').nth(4).map(str::to_string));
            if !bound && !provider.starts_with("arn:") { Audience::AnyAccount } else { Audience::Federated }
        }
        Who::CanonicalUser(_) => Audience::CanonicalUser,
        Who::UniqueId(_) => Audience::UniqueId,
        Who::OriginAccessIdentity(_) => Audience::OriginAccessIdentity,
        Who::NotUnderstood(_) => Audience::NotUnderstood,
    };
    let doubt = match one {
        Who::NotUnderstood(text) => Some(format!("the principal {text} is not understood")),
        _ => doubt.filter(|_| doubtful && !bound),
    };
    // A principal that is not understood could be everybody.
    let public = matches!(audience, Audience::Public | Audience::AnyAccount | Audience::NotUnderstood);
    Some(Grant {
        statement: statement.name(),
        audience,
        public,
        principals: match &binding {
            // Everybody by way of a service is that service.
            Some(b) if audience == Audience::Service && *one == Who::Everyone => b.names.iter().cloned().collect(),
            _ => vec![principal_name(statement, one)],
        },
        foreign_accounts: accounts.iter().filter(|a| *a != context.account).cloned().collect(),
        accounts: accounts.into_iter().collect(),
        organizations: binding.iter().flat_map(|b| b.organizations.clone()).collect(),
        bound,
        bound_by: binding.into_iter().flat_map(|b| b.labels).collect(),
        actions,
        except_actions: if statement.actions.inverted { statement.actions.texts() } else { Vec::new() },
        resources: if statement.resources.inverted { vec!["*".to_string()] } else { statement.resources.texts() },
        except_resources: if statement.resources.inverted { statement.resources.texts() } else { Vec::new() },
        doubt,
        why: String::new(),
    })
}

fn everybody(context: &Context) -> Audience {
    match service_of(context) {
        Some(service) if SIGNED_ONLY.contains(&service) => Audience::AnyAccount,
        _ => Audience::Public,
    }
}

fn audience_of(binding: &Binding, context: &Context) -> Audience {
    match binding.owner {
        Owner::Principal if binding.accounts.is_empty() => Audience::UniqueId,
        Owner::Principal if binding.complete && binding.accounts.iter().all(|a| a == context.account) => {
            Audience::SameAccount
        }
        Owner::Principal => Audience::Accounts,
        Owner::Source | Owner::Fixed => Audience::Source,
        Owner::Organization => Audience::Organization,
        Owner::Network => Audience::Network,
        Owner::Service => Audience::Service,
    }
}

/// Whether a condition on a claim of the identity provider narrows its users: any claim with values that are not
/// just a wildcard. `amr` of Amazon Cognito says whether somebody signed in, to whosever pool it was.
fn provider_binds(provider: &str, conditions: &[Condition]) -> bool {
    let saml = provider.contains(":saml-provider/");
    let host = provider.split_once(":oidc-provider/").map_or(provider, |(_, host)| host).to_ascii_lowercase();
    let prefix = if saml { "saml" } else { host.as_str() };
    provider_claims(conditions, prefix)
        .iter()
        .filter(|(claim, _)| *claim != "amr")
        .flat_map(|(_, conditions)| conditions)
        .any(|c| c.doubt.is_none() && c.values.iter().all(|v| !v.starts_with(['*', '?', '$'])))
}

pub(super) fn principal_name(statement: &Statement, one: &Who) -> String {
    match &statement.principal {
        Principal::Not(named) => {
            format!("everybody but {}", named.iter().map(principal_text).collect::<Vec<_>>().join(", "))
        }
        _ => principal_text(one),
    }
}

fn principal_text(one: &Who) -> String {
    match one {
        Who::Everyone => "*".to_string(),
        Who::Aws { text, .. } => text.clone(),
        Who::UniqueId(text)
        | Who::OriginAccessIdentity(text)
        | Who::Service(text)
        | Who::Federated(text)
        | Who::CanonicalUser(text)
        | Who::NotUnderstood(text) => text.clone(),
    }
}

/// Adds a grant, to an equal one for other principals where there is one. Services and identity providers stay
/// apart: each has its own finding.
fn merge(found: &mut Vec<Grant>, grant: Grant) {
    let alike = |g: &Grant| {
        g.statement == grant.statement
            && g.audience == grant.audience
            && !matches!(grant.audience, Audience::Service | Audience::Federated)
            && g.actions == grant.actions
            && g.bound_by == grant.bound_by
            && g.doubt == grant.doubt
    };
    let Some(other) = found.iter_mut().find(|g| alike(g)) else {
        found.push(grant);
        return;
    };
    extend(&mut other.principals, grant.principals);
    extend(&mut other.accounts, grant.accounts);
    extend(&mut other.foreign_accounts, grant.foreign_accounts);
}

fn extend(list: &mut Vec<String>, more: Vec<String>) {
    let all: BTreeSet<String> = list.drain(..).chain(more).collect();
    list.extend(all);
}

fn reason(grant: &Grant, context: &Context) -> String {
    let actions = if grant.except_actions.is_empty() {
        grant.actions.join(", ")
    } else {
        format!("everything but {}", grant.except_actions.join(", "))
    };
    let whom = match grant.audience {
        Audience::Public => "everybody".to_string(),
        Audience::AnyAccount => "everybody with an account".to_string(),
        Audience::Organization if grant.organizations.is_empty() => "the own organization".to_string(),
        Audience::Organization => format!("organization {}", grant.organizations.join(", ")),
        Audience::Accounts => format!("account {}", grant.foreign_accounts.join(", ")),
        Audience::SameAccount => format!("the own account {}", context.account),
        Audience::Service => format!("the service {}", grant.principals.join(", ")),
        Audience::Federated => format!("users of {}", grant.principals.join(", ")),
        Audience::CanonicalUser => format!("canonical user {}", grant.principals.join(", ")),
        Audience::UniqueId => format!("the principal with the unique id {}", grant.principals.join(", ")),
        Audience::OriginAccessIdentity => format!("origin access identity {}", grant.principals.join(", ")),
        Audience::Network => "everybody in the networks of its conditions".to_string(),
        Audience::Source => "callers on behalf of the resources or accounts of its conditions".to_string(),
        Audience::NotUnderstood => format!("a principal that is not understood ({})", grant.principals.join(", ")),
    };
    let how = match (grant.bound_by.is_empty(), grant.public || grant.audience == Audience::Service) {
        (false, _) => format!(", bound by {}", grant.bound_by.join(" and ")),
        (true, true) if !grant.bound => ", and no condition binds it".to_string(),
        (true, _) => String::new(),
    };
    format!("statement {} allows {actions} to {whom}{how}", grant.statement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const OWN: &str = "111122223333";

    fn context() -> Context<'static> {
        Context { account: OWN, partition: "aws", organization: Some("o-own1234567"), resource: Some("arn:aws:s3:::b") }
    }

    fn allow(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": condition})
    }

    fn policy(statements: &[Value]) -> Value {
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn grants_of(statements: &[Value]) -> Vec<Grant> {
        who(&policy(statements), &context()).known().unwrap()
    }

    /// The audiences of all grants, a doubtful one with `None`.
    fn audiences(statements: &[Value]) -> Vec<Option<Audience>> {
        grants_of(statements).iter().map(|g| g.doubt.is_none().then_some(g.audience)).collect()
    }

    fn one(principal: Value, condition: Value) -> Option<Audience> {
        audiences(&[allow(principal, condition)])[0]
    }

    #[test]
    fn principals_make_audiences() {
        let none = json!({});
        for (principal, expected) in [
            (json!("*"), Audience::Public),
            (json!({"AWS": "*"}), Audience::Public),
            (json!({"AWS": OWN}), Audience::SameAccount),
            (json!({"AWS": "arn:aws:iam::444455556666:user/u"}), Audience::Accounts),
            (json!({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), Audience::UniqueId),
            (json!({"Service": "cloudtrail.amazonaws.com"}), Audience::Service),
            (json!({"Federated": "graph.facebook.com"}), Audience::AnyAccount),
            (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/p"}), Audience::Federated),
            (json!({"CanonicalUser": "79a5"}), Audience::CanonicalUser),
        ] {
            assert_eq!(one(principal.clone(), none.clone()), Some(expected), "{principal}");
        }
        assert_eq!(one(json!({"AWS": "arn:aws:iam::*:root"}), none), None);
    }

    #[test]
    fn not_principal_in_an_allow_is_public() {
        let statement =
            json!({"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "s3:*", "Resource": "*"});
        let grants = grants_of(&[statement]);
        assert!(grants[0].public);
        assert_eq!(grants[0].principals, ["everybody but 444455556666"]);
    }

    #[test]
    fn conditions_turn_everybody_into_somebody() {
        for (condition, expected) in [
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}), Some(Audience::Organization)),
            (json!({"StringEquals": {"aws:PrincipalAccount": OWN}}), Some(Audience::SameAccount)),
            (json!({"StringEquals": {"aws:PrincipalAccount": "444455556666"}}), Some(Audience::Accounts)),
            (json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:444455556666:*"}}), Some(Audience::Source)),
            (json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}), Some(Audience::Network)),
            (json!({"Bool": {"aws:SecureTransport": "true"}}), Some(Audience::Public)),
            (json!({"StringEquals": {"aws:NewKey": "x"}}), None),
            (json!({"StringResembles": {"aws:SourceVpce": "vpce-1"}}), None),
        ] {
            assert_eq!(one(json!("*"), condition.clone()), expected, "{condition}");
        }
    }

    #[test]
    fn a_service_is_bound_by_its_source() {
        let service = json!({"Service": "cloudtrail.amazonaws.com"});
        let bound = |condition| grants_of(&[allow(service.clone(), condition)])[0].bound;
        assert!(!bound(json!({})));
        assert!(bound(json!({"StringEquals": {"aws:SourceAccount": OWN}})));
        assert!(bound(json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/*"}})));
        assert!(bound(json!({"StringEquals": {"aws:SourceOrgID": "o-own1234567"}})));
        assert!(!bound(json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}})));
        assert!(!bound(json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}})));
    }

    #[test]
    fn everybody_by_way_of_a_service_is_the_service() {
        let by = |more: Value| {
            let mut condition = json!({"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}});
            condition["StringLike"] = more;
            grants_of(&[allow(json!("*"), condition)]).remove(0)
        };
        let unbound = by(json!({"aws:Referer": "x"}));
        assert_eq!((unbound.audience, unbound.bound), (Audience::Service, false));
        assert_eq!(unbound.principals, ["s3.amazonaws.com"]);
        assert_eq!(by(json!({"aws:SourceAccount": OWN})).audience, Audience::Source);
    }

    #[test]
    fn the_accounts_of_a_grant_are_named() {
        let grants =
            grants_of(&[allow(json!({"AWS": [OWN, "444455556666", "arn:aws:iam::777788889999:role/r"]}), json!({}))]);
        let foreign: Vec<_> = grants.iter().filter(|g| g.audience == Audience::Accounts).collect();
        assert_eq!(foreign.len(), 1);
        assert_eq!(foreign[0].foreign_accounts, ["444455556666", "777788889999"]);
    }

    fn deny(principal: Value, action: &str, condition: Value) -> Value {
        json!({"Sid": "D", "Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*", "Condition": condition})
    }

    fn with_deny(deny: Value) -> Vec<Option<Audience>> {
        audiences(&[allow(json!("*"), json!({})), deny])
    }

    #[test]
    fn a_deny_takes_away_what_it_certainly_takes_away() {
        let everyone = json!("*");
        for (statement, expected) in [
            (deny(everyone.clone(), "s3:*", json!({})), vec![]),
            (deny(json!({"AWS": "*"}), "*", json!({})), vec![]),
            (deny(everyone.clone(), "s3:Get*", json!({})), vec![]),
            (deny(everyone.clone(), "s3:PutObject", json!({})), vec![Some(Audience::Public)]),
            (deny(json!({"AWS": "444455556666"}), "s3:*", json!({})), vec![Some(Audience::Public)]),
            (
                deny(everyone.clone(), "s3:*", json!({"Bool": {"aws:SecureTransport": "false"}})),
                vec![Some(Audience::Public)],
            ),
            (
                deny(everyone.clone(), "s3:*", json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abc1234567"}})),
                vec![Some(Audience::Organization)],
            ),
            (
                deny(everyone.clone(), "s3:*", json!({"StringNotEquals": {"aws:PrincipalAccount": OWN}})),
                vec![Some(Audience::SameAccount)],
            ),
            (deny(everyone.clone(), "s3:*", json!({"StringNotEquals": {"aws:NewKey": "x"}})), vec![None]),
            (deny(everyone, "s3:*", json!({"StringResembles": {"aws:PrincipalOrgID": "x"}})), vec![None]),
        ] {
            assert_eq!(with_deny(statement.clone()), expected, "{statement}");
        }
    }

    #[test]
    fn a_deny_with_not_principal_leaves_the_named() {
        let mut statement = deny(json!("*"), "s3:*", json!({}));
        statement.as_object_mut().unwrap().remove("Principal");
        statement["NotPrincipal"] = json!({"AWS": ["arn:aws:iam::111122223333:root"]});
        assert_eq!(with_deny(statement.clone()), [Some(Audience::SameAccount)]);
        let foreign = audiences(&[allow(json!({"AWS": "444455556666"}), json!({})), statement]);
        assert!(foreign.is_empty());
    }

    #[test]
    fn a_deny_for_foreign_networks_leaves_other_accounts() {
        let vendor = allow(json!({"AWS": "444455556666"}), json!({}));
        for condition in [
            json!({"StringNotEquals": {"aws:VpceAccount": OWN}}),
            json!({"StringNotEquals": {"aws:VpceAccount": "${aws:ResourceAccount}"}}),
            json!({"ArnNotLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:111122223333:vpc/*"}}),
        ] {
            let left = audiences(&[vendor.clone(), deny(json!("*"), "s3:*", condition.clone())]);
            assert_eq!(left, [Some(Audience::Accounts)], "{condition}");
        }
    }

    #[test]
    fn a_deny_for_all_but_the_named_leaves_whom_they_may_include() {
        let all_but = |named: Value| json!({"Sid": "D", "Effect": "Deny", "NotPrincipal": named, "Action": "s3:*", "Resource": "*"});
        let left = |principal: Value, named: Value| audiences(&[allow(principal, json!({})), all_but(named)]);
        let own = json!({"AWS": OWN});
        assert_eq!(left(json!({"CanonicalUser": "79a5"}), own.clone()), [Some(Audience::CanonicalUser)]);
        assert_eq!(left(json!({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), own.clone()), [Some(Audience::UniqueId)]);
        assert_eq!(left(json!({"AWS": "arn:aws:iam::*:root"}), own.clone()), [None]);
        assert_eq!(left(json!({"Service": "sns.amazonaws.com"}), own), []);
        let vendor = grants_of(&[
            allow(json!({"AWS": "444455556666"}), json!({})),
            all_but(json!({"AWS": "arn:aws:iam::*:role/r"})),
        ]);
        assert_eq!(vendor.len(), 1);
    }

    #[test]
    fn two_statements_with_one_sid_are_told_apart() {
        let mut one = allow(json!({"AWS": "444455556666"}), json!({}));
        let mut other = allow(json!({"AWS": "777788889999"}), json!({}));
        one["Sid"] = json!("Same");
        other["Sid"] = json!("Same");
        let statements: Vec<String> = grants_of(&[one, other]).into_iter().map(|g| g.statement).collect();
        assert_eq!(statements, ["number 1", "number 2"]);
    }

    #[test]
    fn a_deny_on_the_queue_itself_takes_what_is_allowed_on_everything() {
        let queue = Context { resource: Some("arn:aws:sqs:us-east-1:111122223333:q"), ..context() };
        let statements = json!([
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-1:111122223333:q"},
        ]);
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        assert_eq!(public_grants(&policy, &["sqs:*"], &queue), Answer::Known(vec![]));
    }

    #[test]
    fn the_kind_of_a_cognito_identity_binds_nobody() {
        let cognito = |condition| one(json!({"Federated": "cognito-identity.amazonaws.com"}), condition);
        let authenticated = json!({"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}});
        assert_eq!(cognito(authenticated), Some(Audience::AnyAccount));
        let pool = json!({"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678"}});
        assert_eq!(cognito(pool), Some(Audience::Federated));
    }

    #[test]
    fn a_deny_on_other_resources_takes_nothing() {
        let mut statement = deny(json!("*"), "s3:*", json!({}));
        statement["Resource"] = json!("arn:aws:s3:::b/private/*");
        assert_eq!(with_deny(statement.clone()), [Some(Audience::Public)]);
        statement["Resource"] = json!("arn:aws:s3:::b/*");
        assert_eq!(with_deny(statement), []);
    }

    #[test]
    fn not_action_grants_all_but_the_list() {
        let statement = json!({"Effect": "Allow", "Principal": "*", "NotAction": ["s3:Delete*"], "Resource": "*"});
        let of = |actions: &[&str]| {
            public_grants(&policy(std::slice::from_ref(&statement)), actions, &context()).known().unwrap().len()
        };
        assert_eq!(of(&["s3:GetObject"]), 1);
        assert_eq!(of(&["s3:DeleteObject"]), 0);
        assert_eq!(of(&["s3:*"]), 1);
    }

    #[test]
    fn a_certain_grant_decides_over_a_doubtful_one() {
        let doubtful = allow(json!("*"), json!({"StringResembles": {"aws:SourceVpc": "x"}}));
        let certain = allow(json!("*"), json!({}));
        let ask = |statements: &[Value]| public_grants(&policy(statements), &["s3:GetObject"], &context());
        assert!(ask(std::slice::from_ref(&doubtful)).doubt().is_some());
        assert_eq!(ask(&[doubtful, certain]).known().unwrap().len(), 1);
    }

    #[test]
    fn an_endpoint_policy_is_open_until_principal_or_resource_is_somebodys() {
        let open = |resource: &str, condition: Value| {
            let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": resource});
            statement["Condition"] = condition;
            open_endpoint_grants(&policy(&[statement]), &Context::default()).known().unwrap().len()
        };
        assert_eq!(open("*", json!({})), 1);
        assert_eq!(open("arn:aws:s3:::*", json!({})), 1);
        assert_eq!(open("arn:aws:sqs:*:*:*", json!({})), 1);
        assert_eq!(open("arn:aws:s3:::mine/*", json!({})), 0);
        assert_eq!(open("arn:aws:sqs:*:111122223333:*", json!({})), 0);
        assert_eq!(open("*", json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}})), 0);
        assert_eq!(open("*", json!({"StringEquals": {"aws:ResourceOrgID": "o-abc1234567"}})), 0);
        assert_eq!(open("*", json!({"StringEqualsIfExists": {"aws:ResourceOrgID": "o-abc1234567"}})), 1);
        assert_eq!(open("*", json!({"StringLike": {"aws:ResourceAccount": "*"}})), 1);
        assert_eq!(open("*", json!({"StringLike": {"aws:ResourceAccount": "1*"}})), 1);
        assert_eq!(open("*", json!({"StringLike": {"aws:ResourceOrgPaths": "o-abc1234567/*"}})), 0);
        // Whoever brings credentials and a bucket of an account of his own meets these.
        assert_eq!(open("*", json!({"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}})), 1);
        assert_eq!(open("*", json!({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}})), 1);
        assert_eq!(open("arn:aws:sqs:*:????????????:*", json!({})), 1);
    }

    #[test]
    fn a_policy_without_principals_is_not_a_resource_policy() {
        let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        assert!(who(&policy(&[statement]), &context()).doubt().unwrap().contains("no principal"));
    }

    #[test]
    fn a_policy_of_20_kb_full_of_wildcards_is_read() {
        let actions: Vec<String> = (0..400).map(|n| format!("s3:{}*{n}", "*a".repeat(6))).collect();
        let statements = ["Allow", "Deny"]
            .map(|effect| json!({"Effect": effect, "Principal": "*", "Action": actions, "Resource": "*"}));
        assert_eq!(who(&policy(&statements), &context()), Answer::Known(Vec::new()));
    }

    fn principal() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!("*")),
            Just(json!({"AWS": "*"})),
            Just(json!({"AWS": OWN})),
            Just(json!({"AWS": "444455556666"})),
            Just(json!({"Service": "sns.amazonaws.com"})),
        ]
    }

    fn condition() -> impl Strategy<Value = Value> {
        let operator = prop_oneof![
            Just("StringEquals"),
            Just("StringNotEquals"),
            Just("StringLike"),
            Just("StringEqualsIfExists"),
            Just("ForAllValues:StringEquals"),
            Just("ForAnyValue:StringNotEquals"),
            Just("Null"),
            Just("Odd"),
        ];
        let key = prop_oneof![
            Just("aws:PrincipalOrgID"),
            Just("aws:SourceAccount"),
            Just("aws:SourceVpc"),
            Just("aws:Referer"),
            Just("aws:Odd"),
            Just("aws:PrincipalIsAWSService"),
        ];
        let value = prop_oneof![Just("o-abc1234567"), Just(OWN), Just("vpc-1"), Just("*"), Just("false")];
        prop_oneof![Just(json!({})), (operator, key, value).prop_map(|(o, k, v)| json!({o: {k: v}})),]
    }

    fn statement() -> impl Strategy<Value = Value> {
        let effect = prop_oneof![Just("Allow"), Just("Deny")];
        let action = prop_oneof![Just("s3:*"), Just("s3:Get*"), Just("s3:GetObject"), Just("s3:PutObject"), Just("*")];
        let resource = prop_oneof![Just("*"), Just("arn:aws:s3:::b/*"), Just("arn:aws:s3:::b")];
        (effect, any::<bool>(), principal(), action, any::<bool>(), resource, condition()).prop_map(
            |(effect, not_principal, principal, action, not_action, resource, condition)| {
                json!({
                    "Effect": effect,
                    (if not_principal { "NotPrincipal" } else { "Principal" }): principal,
                    (if not_action { "NotAction" } else { "Action" }): action,
                    "Resource": resource,
                    "Condition": condition,
                })
            },
        )
    }

    /// 2 for certainly public, 1 for unknown, 0 for not.
    fn exposure(statements: &[Value], action: &str) -> u8 {
        match public_grants(&policy(statements), &[action], &context()) {
            Answer::Known(grants) if grants.is_empty() => 0,
            Answer::Known(_) => 2,
            Answer::Unknown(_) => 1,
        }
    }

    proptest! {
        #[test]
        fn adding_a_deny_never_adds_a_grant(statements in prop::collection::vec(statement(), 1..4), mut deny in statement()) {
            deny["Effect"] = json!("Deny");
            let mut more = statements.clone();
            more.push(deny);
            for action in ["s3:GetObject", "s3:PutObject", "s3:DeleteBucket"] {
                prop_assert!(exposure(&more, action) <= exposure(&statements, action), "{action}");
            }
        }

        #[test]
        fn a_reformatted_twin_gives_the_same_answer(statements in prop::collection::vec(statement(), 1..4)) {
            let object = policy(&statements);
            let text = Value::String(serde_json::to_string_pretty(&object).unwrap());
            let lists: Vec<Value> = statements
                .iter()
                .map(|s| {
                    let mut s = s.clone();
                    for name in ["Action", "NotAction", "Resource"] {
                        if let Some(value) = s.get(name).cloned() {
                            s[name] = json!([value]);
                        }
                    }
                    s
                })
                .collect();
            let answer = who(&object, &context());
            prop_assert_eq!(&answer, &who(&text, &context()));
            prop_assert_eq!(&answer, &who(&policy(&lists), &context()));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = who(&Value::String(text), &context());
        }
    }
}
