//! The questions of who somebody outside is: the entity's own, a vendor on the register, or a stranger. The answers are in
//! [`crate::rules::register`]; the organization that they turn on is taken from the inventory once for each account and
//! not joined by each rule; [`reads`] says what that is, so that it is collected.
//!
//! Where the register says nothing of vendors, whether a stranger is one is an unknown of its own kind
//! ([`Reason::NotSupplied`]): it decides a verdict only where nothing else does, and then leaves it to a person.

use super::Ty;
use super::evaluate::{Env, elements};
use super::functions::{Function, Run, list_of};
use super::organization::Membership;
use super::questions::{GRANT, object};
use super::value::Val;
use crate::inventory::{Cause, Reason};
use crate::rules::register::{Organization, Party, Read, Register};
use crate::semantics::policy::aws_accounts;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

const ACCOUNT: &str = "AWS::::Account";

/// The functions that ask whether somebody is known: without a register of vendors that is for a person to say.
const KNOWN: [&str; 4] = ["knownAccount", "knownCanonicalUser", "knownGrant", "knownOrganization"];

/// The other functions that ask the register.
const OTHERS: [&str; 5] = ["ownAccount", "ownAccountsListed", "ownOrganization", "parties", "vendorOf"];

/// The function's name, where it asks the register.
pub(super) fn asks(function: &str) -> Option<&'static str> {
    KNOWN.into_iter().chain(OTHERS).find(|name| *name == function)
}

/// Whether a function that asks the register asks for vendors, so that a person must answer where none were supplied.
pub(crate) fn needs_vendors(function: &str) -> bool {
    KNOWN.contains(&function)
}

/// The members, by resource type, that a function reads without being given them.
pub(super) fn reads(function: &str) -> Vec<(String, String)> {
    let members: &[&str] = match function {
        "ownAccount" | "knownAccount" | "ownAccountsListed" => &["Organization", "OrganizationAccounts", ""],
        "ownOrganization" | "knownOrganization" => &["Organization", ""],
        "knownGrant" | "parties" => &["Organization", "OrganizationAccounts", ""],
        _ => &[],
    };
    members.iter().map(|member| (ACCOUNT.to_owned(), (*member).to_owned())).collect()
}

/// The functions.
pub(super) fn all() -> Vec<Function> {
    use Ty::{Bool, Str};
    let asking = |name, parameters: Vec<Ty>, returns, summary, run: Run| Function {
        name,
        parameters,
        returns,
        takes_unknown: false,
        reads: &[],
        summary,
        run,
    };
    let of_one = |name, summary, run: Run| asking(name, vec![Str], Bool, summary, run);
    vec![
        of_one(
            "ownAccount",
            "Whether an account is the entity's: the resource's own, on `register.own`, or of its organization.",
            |env, a, _| on(env, a, Kind::Account, |party, _| is_own(&party)),
        ),
        of_one(
            "ownOrganization",
            "Whether an organization is the entity's: by its id, the path of a unit, or an ARN.",
            |env, a, _| on(env, a, Kind::Organization, |party, _| is_own(&party)),
        ),
        of_one("knownAccount", "Whether an account is the entity's or a registered vendor's.", |env, a, _| {
            on(env, a, Kind::Account, is_known)
        }),
        of_one(
            "knownOrganization",
            "Whether an organization is the entity's or a registered vendor's: by its id, the path of a unit, or an ARN.",
            |env, a, _| on(env, a, Kind::Organization, is_known),
        ),
        of_one("knownCanonicalUser", "Whether the canonical user of an account is on the register.", |env, a, _| {
            on(env, a, Kind::CanonicalUser, is_known)
        }),
        asking(
            "knownGrant",
            vec![object(GRANT)],
            Bool,
            "Whether every other account, organization and canonical user that a grant names is known; of everybody it says nothing.",
            |env, a, _| known_grant(env, &a[0]),
        ),
        asking(
            "vendorOf",
            vec![Str],
            Str,
            "The name of the vendor that has an account, organization or canonical user; empty if none has.",
            |env, a, _| with_text(&a[0], |id| Val::Str(vendor_name(env, id).unwrap_or_default())),
        ),
        asking(
            "parties",
            vec![list_of(Str)],
            list_of(Str),
            "Accounts, organizations and canonical users in words for a message, each once, vendors with their names.",
            |env, a, _| parties(env, &a[0]),
        ),
        asking(
            "ownAccountsListed",
            vec![],
            Bool,
            "Whether anything says which accounts are the entity's: `register.own.accounts`, or its organization.",
            |env, _, _| own_accounts_listed(env),
        ),
        of_one(
            "awsDeliversLogsFrom",
            "Whether AWS documents an account or canonical user as one from which it delivers logs.",
            |_, a, _| with_text(&a[0], |id| Val::Bool(aws_accounts::delivers_logs(id))),
        ),
    ]
}

/// What an id stands for.
#[derive(Clone, Copy)]
enum Kind {
    Account,
    Organization,
    CanonicalUser,
}

/// Asks who the party in the first argument is.
fn on<'v>(env: &Env<'v>, a: &[Val<'v>], kind: Kind, ask: fn(Party<'_>, &Register) -> Val<'static>) -> Val<'v> {
    with_text(&a[0], |id| asked(env, id, kind, ask))
}

fn asked<'v>(env: &Env<'v>, id: &str, kind: Kind, ask: fn(Party<'_>, &Register) -> Val<'static>) -> Val<'v> {
    let (register, membership) = (env.finder.register(), env.finder.membership(env));
    let party = who(register, &membership, id, kind, &env.resource.account);
    if env.is_traced() {
        note(env, id, &party, register, &membership.accounts);
    }
    ask(party, register)
}

fn who<'r>(register: &'r Register, around: &'r Arc<Membership<'_>>, id: &str, kind: Kind, home: &str) -> Party<'r> {
    match kind {
        Kind::Account => register.account(id, home, &around.accounts),
        Kind::Organization => register.organization(id, &around.accounts),
        Kind::CanonicalUser => register.canonical_user(id),
    }
}

fn is_own(party: &Party<'_>) -> Val<'static> {
    match party {
        Party::Unread(causes) => Val::Unknown((*causes).into()),
        party => Val::Bool(party.is_own().unwrap_or(false)),
    }
}

fn is_known(party: Party<'_>, register: &Register) -> Val<'static> {
    match party {
        Party::Vendor(_) => Val::Bool(true),
        Party::Stranger if !register.has_vendors() => not_supplied(),
        party => is_own(&party),
    }
}

/// Whether a stranger is a vendor, where nobody said who the vendors are.
fn not_supplied() -> Val<'static> {
    Val::unknown(Cause::of(Reason::NotSupplied, "the register of vendors (`register.vendors` in soc2scan.yaml)"))
}

/// Says in the evidence what decided who a party is.
fn note<'v>(env: &Env<'v>, id: &str, party: &Party<'_>, register: &Register, around: &Organization<'_>) {
    let said = match party {
        Party::Itself | Party::Nobody => return,
        Party::Own => "the entity's own, by register.own".to_owned(),
        Party::Organization => match around.id {
            Read::Known(organization) => format!("of the organization {organization}"),
            _ => "of the organization".to_owned(),
        },
        Party::Vendor(vendor) => {
            let purpose = vendor.purpose.as_deref().map(|p| format!(": {p}")).unwrap_or_default();
            format!("vendor {}{purpose}", vendor.name)
        }
        Party::Stranger => format!("{}, {}", unregistered(register), outside(around)),
        Party::Unread(_) => format!("{}; whether it is of the organization could not be read", unregistered(register)),
    };
    env.note(&format!("register[{id}]"), &Val::Str(said.into()));
}

fn unregistered(register: &Register) -> &'static str {
    if register.has_vendors() { "not on the register" } else { "no register of vendors was supplied" }
}

fn outside(around: &Organization<'_>) -> String {
    match (&around.accounts, &around.id) {
        (Read::Known(accounts), Read::Known(id)) => {
            format!("and not of the organization {id} ({} accounts)", accounts.len())
        }
        (_, Read::Known(id)) => format!("and not of the organization {id}, as far as it could be read"),
        (_, Read::Absent) => "and the account has no organization".to_owned(),
        (_, Read::Unread(_)) => {
            "nor in register.own, which stands for the organization that could not be read".to_owned()
        }
    }
}

/// A grant is known where all are whom it names. One that is certainly not decides, whatever is not known of the others.
fn known_grant<'v>(env: &Env<'v>, grant: &Val<'v>) -> Val<'v> {
    let named = match whom(grant) {
        Ok(named) => named,
        Err(unknown) => return unknown,
    };
    let mut unknown: Option<Rc<[Cause]>> = None;
    for (kind, id) in &named {
        match asked(env, id, *kind, is_known) {
            Val::Bool(true) => {}
            Val::Unknown(causes) => {
                unknown = Some(match unknown.take().map(|before| Val::both(&before, &causes)) {
                    Some(Val::Unknown(all)) => all,
                    _ => causes,
                });
            }
            stranger => return stranger,
        }
    }
    unknown.map_or(Val::Bool(true), Val::Unknown)
}

/// The other accounts, organizations and canonical users that a grant names. A value that is no grant names nobody, and
/// must not pass for one that does.
fn whom<'v>(grant: &Val<'v>) -> Result<Vec<(Kind, String)>, Val<'v>> {
    let no_grant = || Val::fault(format!("{} where a grant was expected", grant.kind()));
    let Val::Map(members) = grant else { return Err(no_grant()) };
    let member = |name: &str| members.iter().find(|(n, _)| n == name).map(|(_, v)| v).ok_or_else(no_grant);
    let mut named = Vec::new();
    let mut add = |name: &str, kind: Kind| -> Result<(), Val<'v>> {
        for item in elements(member(name)?)?.0 {
            match item {
                Val::Str(id) => named.push((kind, id.into_owned())),
                Val::Unknown(_) => return Err(item),
                _ => return Err(no_grant()),
            }
        }
        Ok(())
    };
    add("foreign_accounts", Kind::Account)?;
    match member("audience")? {
        Val::Str(audience) if audience == "organization" => add("organizations", Kind::Organization)?,
        Val::Str(audience) if audience == "canonical_user" => add("principals", Kind::CanonicalUser)?,
        Val::Str(_) => {}
        _ => return Err(no_grant()),
    }
    Ok(named)
}

fn vendor_name<'v>(env: &Env<'v>, id: &str) -> Option<Cow<'v, str>> {
    env.finder.register().vendor_of(id).map(|vendor| Cow::Borrowed(vendor.name.as_str()))
}

/// Parties as a reader knows them: `Datadog (464622532012)`, `777788889999 (own)`.
fn parties<'v>(env: &Env<'v>, ids: &Val<'v>) -> Val<'v> {
    let (items, holes) = match elements(ids) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    if !holes.is_empty() {
        return Val::Unknown(holes);
    }
    let (register, membership) = (env.finder.register(), env.finder.membership(env));
    let kinds = [Kind::Account, Kind::Organization, Kind::CanonicalUser];
    let named = |id: &str| match vendor_name(env, id) {
        Some(vendor) => format!("{vendor} ({id})"),
        None => {
            let own = |kind| who(register, &membership, id, kind, &env.resource.account).is_own() == Some(true);
            if kinds.into_iter().any(own) { format!("{id} (own)") } else { id.to_owned() }
        }
    };
    let mut texts: Vec<String> = Vec::new();
    for item in &items {
        let text = match item {
            Val::Str(id) => named(id),
            Val::Unknown(_) => return item.clone(),
            other => return Val::fault(format!("{} where a string was expected", other.kind())),
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Val::List(Rc::new(texts.into_iter().map(|text| Val::Str(text.into())).collect()))
}

fn own_accounts_listed<'v>(env: &Env<'v>) -> Val<'v> {
    if env.finder.register().own.accounts.is_some() {
        return Val::Bool(true);
    }
    match &env.finder.membership(env).accounts.accounts {
        Read::Known(_) => Val::Bool(true),
        Read::Absent => Val::Bool(false),
        Read::Unread(causes) => Val::Unknown(causes.as_slice().into()),
    }
}

fn with_text<'v>(value: &Val<'v>, ask: impl FnOnce(&str) -> Val<'v>) -> Val<'v> {
    match value {
        Val::Str(text) => ask(text),
        other => Val::fault(format!("{} where a string was expected", other.kind())),
    }
}
