//! What is known of an account's organization, for the questions that it narrows: which service control policies bind
//! the identities of the account. It is taken from the inventory once for each account and not joined by each rule;
//! [`reads`] says what that is, so that it is collected.
//!
//! Most accounts may not read the policies of their organization. Then nothing is narrowed, and the evidence says so:
//! what their own policies allow stands.

use super::functions::Function;
use crate::inventory::resource::GLOBAL;
use crate::inventory::{Cause, Inventory, Reason, Resource};
use crate::rules::register::{Organization, Read};
use crate::semantics::policy::ServiceControl;
use crate::semantics::{Answer, Input};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const ACCOUNT: &str = "AWS::::Account";
const ORGANIZATION: &str = "Organization";
const ACCOUNTS: &str = "OrganizationAccounts";
const POLICIES: &str = "ServiceControlPolicies";

/// The functions on what identities may do; those of them that are given the identity are narrowed.
pub(super) const NARROWED: [&str; 7] = [
    "administrator",
    "administratorWithoutMfa",
    "allowedAnywhere",
    "allowedBeyond",
    "allowedEverywhere",
    "escalations",
    "escalationsWithoutMfa",
];

/// The members, by resource type, that a function reads without being given them.
pub(super) fn reads(function: &Function) -> Vec<(String, String)> {
    let of_identity = NARROWED.contains(&function.name) && matches!(function.parameters[0], super::Ty::Resource(_));
    let members = [ORGANIZATION, POLICIES, ""].into_iter().filter(|_| of_identity);
    members.map(|member| (ACCOUNT.to_owned(), member.to_owned())).collect()
}

/// What is known of the organization of one account.
pub(crate) struct Membership<'a> {
    /// The organization's id.
    pub(crate) organization: Option<&'a str>,
    /// The service control policies; `None` where they could not be read.
    pub(crate) service_control: Option<Answer<ServiceControl>>,
    /// Which accounts it has, for the register.
    pub(crate) accounts: Organization<'a>,
}

impl<'a> Membership<'a> {
    fn read(inventory: &Inventory<'a>, account: &str) -> Self {
        let found = inventory.rows_in(ACCOUNT, account, GLOBAL).first().map(|row| inventory.resource(*row));
        let member = |name: &str| found.map_or(Input::Unknown, |home| part(home, name));
        let organization = member(ORGANIZATION);
        let id = match organization {
            Input::Known(known) => known.get("Id").and_then(Value::as_str),
            Input::Absent | Input::Unknown => None,
        };
        let service_control = ServiceControl::read(account, organization, member(POLICIES));
        Membership { organization: id, service_control, accounts: accounts(inventory, account, found) }
    }
}

/// The organization's id and accounts. Where there is an organization whose accounts are not there, they were not read.
fn accounts<'a>(inventory: &Inventory<'a>, account: &str, found: Option<&'a Resource>) -> Organization<'a> {
    let Some(home) = found else {
        let mut causes = inventory.holes(ACCOUNT, account, GLOBAL);
        if causes.is_empty() {
            causes.push(not_collected("the organization of the account"));
        }
        return Organization { id: Read::Unread(causes.clone()), management: None, accounts: Read::Unread(causes) };
    };
    let read = |name: &str| match (home.unknown_at(name), home.document.get(name)) {
        (Some(cause), _) => Read::Unread(vec![cause.clone()]),
        (None, None | Some(Value::Null)) => Read::Absent,
        (None, Some(value)) => Read::Known(value),
    };
    let (organization, listed) = (read(ORGANIZATION), read(ACCOUNTS));
    // An organization has at least the account itself.
    let listed = if listed == Read::Known(&Value::Array(Vec::new())) { Read::Absent } else { listed };
    let text = |value: &'a Value, name: &str| value.get(name).and_then(Value::as_str);
    let management = match &organization {
        Read::Known(value) => text(value, "MasterAccountId"),
        Read::Absent | Read::Unread(_) => None,
    };
    let accounts = match listed {
        Read::Known(list) => {
            Read::Known(list.as_array().into_iter().flatten().filter_map(|account| text(account, "Id")).collect())
        }
        Read::Absent if matches!(organization, Read::Known(_)) => {
            Read::Unread(vec![not_collected("the accounts of the organization")])
        }
        Read::Absent => Read::Absent,
        Read::Unread(causes) => Read::Unread(causes),
    };
    let id = match organization {
        Read::Known(value) => text(value, "Id").map_or(Read::Absent, Read::Known),
        Read::Absent => Read::Absent,
        Read::Unread(causes) => Read::Unread(causes),
    };
    Organization { id, management, accounts }
}

fn not_collected(what: &str) -> Cause {
    Cause::of(Reason::NotCollected, format!("{what} is not in the account's inventory"))
}

/// A member of a resource as it was observed.
fn part<'a>(resource: &'a Resource, name: &str) -> Input<'a> {
    if resource.unknown_at(name).is_some() {
        return Input::Unknown;
    }
    resource.document.get(name).map_or(Input::Absent, Input::of)
}

/// What was asked for so far, each account read once.
pub(crate) struct Memberships<'a>(Mutex<BTreeMap<String, Arc<Membership<'a>>>>);

impl<'a> Memberships<'a> {
    /// None so far.
    pub(crate) fn new() -> Self {
        Memberships(Mutex::default())
    }

    /// That of an account.
    pub(crate) fn of(&self, inventory: &Inventory<'a>, account: &str) -> Arc<Membership<'a>> {
        // A thread that panicked while it held the lock has left the map as it was.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(membership) = known.get(account) {
            return membership.clone();
        }
        let membership = Arc::new(Membership::read(inventory, account));
        known.insert(account.to_owned(), membership.clone());
        membership
    }
}
