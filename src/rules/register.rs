//! The register: whom the entity knows. Its own accounts beside those of its AWS organization, and its vendors, as
//! `soc2scan.yaml` names them for all rules.
//!
//! That no vendors were named is not the same as that there are none: the first leaves the question to a person, the
//! second is an answer. This module must never take an account for known because it could not be found out whose it is.

use crate::inventory::Cause;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Whom the entity knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Register {
    /// What belongs to the entity itself.
    pub own: Own,
    /// Its vendors. Where absent, rules leave it to a person whether an outside party is approved; an empty list says
    /// that there are none, so that every outside party fails.
    pub vendors: Option<Vec<Vendor>>,
}

/// What belongs to the entity, beside the accounts of its AWS organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    /// Its accounts: 12 digits in quotes. Those of the organization need no entry where they can be read; where they
    /// cannot, the list is taken as whole.
    #[schemars(inner(pattern(r"^[0-9]{12}$")))]
    pub accounts: Option<Vec<String>>,
    /// Its AWS organizations, beside the one that the account is in; where that one cannot be read, the list is taken
    /// as whole.
    #[schemars(inner(pattern(r"^o-[a-z0-9]{10,32}$")))]
    pub organizations: Option<Vec<String>>,
    /// Its canonical user ids, by which ACLs of Amazon S3 name accounts.
    #[schemars(inner(pattern(r"^[0-9a-f]{64}$")))]
    pub canonical_users: Vec<String>,
}

/// A party outside that the entity has approved. At least one of the three lists has an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// What it is called in reports.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What it has access for.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub purpose: Option<String>,
    /// Its accounts: 12 digits in quotes.
    #[serde(default)]
    #[schemars(inner(pattern(r"^[0-9]{12}$")))]
    pub accounts: Vec<String>,
    /// Its AWS organizations: every account of them is known.
    #[serde(default)]
    #[schemars(inner(pattern(r"^o-[a-z0-9]{10,32}$")))]
    pub organizations: Vec<String>,
    /// Its canonical user ids, by which ACLs of Amazon S3 name accounts.
    #[serde(default)]
    #[schemars(inner(pattern(r"^[0-9a-f]{64}$")))]
    pub canonical_users: Vec<String>,
}

impl Vendor {
    fn ids(&self) -> [(&'static str, &[String]); 3] {
        [
            ("accounts", &self.accounts),
            ("organizations", &self.organizations),
            ("canonical_users", &self.canonical_users),
        ]
    }
}

/// A part of the account's surroundings as it was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read<T> {
    /// Read, and there.
    Known(T),
    /// Read, and not there.
    Absent,
    /// Could not be read, and why.
    Unread(Vec<Cause>),
}

/// What is known of the AWS organization of the judged account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Organization<'a> {
    /// Its id.
    pub(crate) id: Read<&'a str>,
    /// The account that manages it, where it is known which.
    pub(crate) management: Option<&'a str>,
    /// Its accounts.
    pub(crate) accounts: Read<BTreeSet<&'a str>>,
}

/// Who somebody is to the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party<'r> {
    /// The judged account itself.
    Itself,
    /// On the register, as the entity's own.
    Own,
    /// Of the organization that the judged account is in.
    Organization,
    /// On the register, as a vendor.
    Vendor(&'r Vendor),
    /// An account, organization or canonical user that is none of these.
    Stranger,
    /// No such thing, but everybody, a group or a name that is not understood: on no register, whatever it says.
    Nobody,
    /// On no register; whether the organization has it could not be read.
    Unread(&'r [Cause]),
}

impl Party<'_> {
    /// Whether it is the entity itself; not known where the organization would decide.
    pub(crate) fn is_own(&self) -> Option<bool> {
        match self {
            Party::Itself | Party::Own | Party::Organization => Some(true),
            Party::Vendor(_) | Party::Stranger | Party::Nobody => Some(false),
            Party::Unread(_) => None,
        }
    }
}

/// Something that the register must not say, and where: the keys and numbers of elements that lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Register {
    /// Whether it says who the vendors are, be it that there are none.
    pub fn has_vendors(&self) -> bool {
        self.vendors.is_some()
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        *self == Register::default()
    }

    /// Lower-case hexadecimal SHA-256 over all that it says.
    pub fn digest(&self) -> String {
        // Texts and lists of texts: there is nothing that JSON could not hold.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Who the account `id` is to the entity that owns the account `home`.
    pub(crate) fn account<'r>(&'r self, id: &str, home: &str, around: &'r Organization<'_>) -> Party<'r> {
        if id == home {
            return Party::Itself;
        }
        if !is_account(id) {
            return Party::Nobody;
        }
        if self.own.accounts.iter().flatten().any(|own| own == id) {
            return Party::Own;
        }
        if let Some(vendor) = self.vendor(|v| &v.accounts, id) {
            return Party::Vendor(vendor);
        }
        match &around.accounts {
            _ if around.management == Some(id) => Party::Organization,
            Read::Known(accounts) if accounts.contains(id) => Party::Organization,
            Read::Known(_) | Read::Absent => Party::Stranger,
            Read::Unread(_) if self.own.accounts.is_some() => Party::Stranger,
            Read::Unread(causes) => Party::Unread(causes),
        }
    }

    /// Who an organization is: named by its id, by the path of a unit in it, or by the ARN of one of them.
    pub(crate) fn organization<'r>(&'r self, name: &str, around: &'r Organization<'_>) -> Party<'r> {
        let id = organization_id(name);
        if self.own.organizations.iter().flatten().any(|own| own == id) {
            return Party::Own;
        }
        if let Some(vendor) = self.vendor(|v| &v.organizations, id) {
            return Party::Vendor(vendor);
        }
        match &around.id {
            Read::Known(own) if *own == id && !id.is_empty() => Party::Organization,
            _ if !is_organization(id) => Party::Nobody,
            Read::Known(_) | Read::Absent => Party::Stranger,
            Read::Unread(_) if self.own.organizations.is_some() => Party::Stranger,
            Read::Unread(causes) => Party::Unread(causes),
        }
    }

    /// Who a canonical user is.
    pub(crate) fn canonical_user(&self, id: &str) -> Party<'_> {
        match self.vendor(|v| &v.canonical_users, id) {
            _ if self.own.canonical_users.iter().any(|own| own == id) => Party::Own,
            Some(vendor) => Party::Vendor(vendor),
            None if id.is_empty() => Party::Nobody,
            None => Party::Stranger,
        }
    }

    /// The vendor that has the account, organization or canonical user.
    pub(crate) fn vendor_of(&self, id: &str) -> Option<&Vendor> {
        let organization = organization_id(id);
        self.vendor(|v| &v.accounts, id)
            .or_else(|| self.vendor(|v| &v.organizations, organization))
            .or_else(|| self.vendor(|v| &v.canonical_users, id))
    }

    fn vendor(&self, ids: impl Fn(&Vendor) -> &Vec<String>, id: &str) -> Option<&Vendor> {
        self.vendors.iter().flatten().find(|v| ids(v).iter().any(|known| known == id))
    }

    /// Everything in it that cannot be meant.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (n, vendor) in self.vendors.iter().flatten().enumerate() {
            let path = |key: &str| vec!["vendors".to_owned(), n.to_string(), key.to_owned()];
            if vendor.name.trim().is_empty() {
                let help = "name it as the register of vendors does".to_owned();
                faults.push(Fault { path: path("name"), message: "a vendor needs a name".into(), help });
            } else if let Some(first) = names.insert(vendor.name.trim().to_lowercase(), n) {
                let message = format!("there are two vendors called `{}`", vendor.name.trim());
                let help = format!("put everything of it under one entry, as number {}", first + 1);
                faults.push(Fault { path: path("name"), message, help });
            }
            if vendor.ids().iter().all(|(_, ids)| ids.is_empty()) {
                let message = format!("vendor `{}` has no account, organization or canonical user", vendor.name.trim());
                let help = "give it `accounts`, `organizations` or `canonical_users`".to_owned();
                faults.push(Fault { path: path("name"), message, help });
            }
        }
        let mut owners: BTreeMap<&str, String> = BTreeMap::new();
        for (path, id, owner) in self.entries() {
            let kind = path.iter().rev().nth(1).map_or("", String::as_str);
            if let Some((form, help)) = wrong_form(kind, id) {
                faults.push(Fault { path, message: format!("`{id}` is not {form}"), help: help.into() });
            } else if let Some(before) = owners.insert(id, owner.clone()) {
                let message = format!("`{id}` stands twice in the register: here as {owner}, above as {before}");
                let help = "one party has it: leave it out of the other place".to_owned();
                faults.push(Fault { path, message, help });
            }
        }
        faults
    }

    /// Every id with its place and whose it is.
    fn entries(&self) -> Vec<(Vec<String>, &str, String)> {
        let own: [(&str, &[String]); 3] = [
            ("accounts", self.own.accounts.as_deref().unwrap_or_default()),
            ("organizations", self.own.organizations.as_deref().unwrap_or_default()),
            ("canonical_users", &self.own.canonical_users),
        ];
        let mut entries = Vec::new();
        for (key, ids) in own {
            for (n, id) in ids.iter().enumerate() {
                entries.push((
                    vec!["own".into(), key.into(), n.to_string()],
                    id.as_str(),
                    "the entity's own".to_owned(),
                ));
            }
        }
        for (v, vendor) in self.vendors.iter().flatten().enumerate() {
            for (key, ids) in vendor.ids() {
                for (n, id) in ids.iter().enumerate() {
                    let path = vec!["vendors".into(), v.to_string(), key.into(), n.to_string()];
                    entries.push((path, id.as_str(), format!("vendor `{}`", vendor.name.trim())));
                }
            }
        }
        entries
    }
}

/// What an id of a list should be, and an example, where it is not that.
fn wrong_form(kind: &str, id: &str) -> Option<(&'static str, &'static str)> {
    let canonical = id.len() == 64 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match kind {
        "accounts" if !is_account(id) => Some(("an account id", "12 digits in quotes, as in \"012345678901\"")),
        "organizations" if !is_organization(id) => {
            Some(("the id of an organization", "`o-` and 10 to 32 small letters and digits, as in o-a1b2c3d4e5"))
        }
        "canonical_users" if !canonical => Some(("a canonical user id", "64 hexadecimal digits in small letters")),
        _ => None,
    }
}

/// Whether the text is an account id.
fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text is the id of an organization (AWS Organizations API Reference, "Organization", `Id`).
fn is_organization(id: &str) -> bool {
    let rest = id.strip_prefix("o-").unwrap_or_default();
    (10..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The organization in its id, in a path (`o-…/r-…/ou-…/`), or in the ARN of it or of a unit
/// (`arn:aws:organizations::111122223333:ou/o-…/ou-…`).
fn organization_id(name: &str) -> &str {
    let path = match name.starts_with("arn:") {
        true => name.rsplit(':').next().and_then(|resource| resource.split_once('/')).map_or("", |(_, path)| path),
        false => name,
    };
    path.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Reason;
    use serde_json::json;

    const HOME: &str = "111122223333";
    const CANONICAL: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";

    fn register(value: serde_json::Value) -> Register {
        serde_json::from_value(value).expect("a register")
    }

    fn datadog() -> Register {
        register(json!({"vendors": [{
            "name": "Datadog", "accounts": ["464622532012"], "organizations": ["o-datadog123"], "canonical_users": [CANONICAL],
        }]}))
    }

    fn unread() -> Vec<Cause> {
        vec![Cause::of(Reason::NotCollected, "x")]
    }

    fn in_organization() -> Organization<'static> {
        Organization {
            id: Read::Known("o-own1234567"),
            management: Some("999988887777"),
            accounts: Read::Known(BTreeSet::from([HOME, "777788889999", "999988887777"])),
        }
    }

    fn alone() -> Organization<'static> {
        Organization { id: Read::Absent, management: None, accounts: Read::Absent }
    }

    fn member() -> Organization<'static> {
        Organization { accounts: Read::Unread(unread()), ..in_organization() }
    }

    fn denied() -> Organization<'static> {
        Organization { id: Read::Unread(unread()), management: None, accounts: Read::Unread(unread()) }
    }

    #[test]
    fn the_judged_account_is_its_own_whatever_else_is_known() {
        for around in [in_organization(), alone(), member(), denied()] {
            assert_eq!(datadog().account(HOME, HOME, &around), Party::Itself);
        }
    }

    #[test]
    fn a_vendor_is_known_without_the_organization() {
        let register = datadog();
        for around in [in_organization(), alone(), member(), denied()] {
            assert!(matches!(register.account("464622532012", HOME, &around), Party::Vendor(v) if v.name == "Datadog"));
            assert!(matches!(register.organization("o-datadog123", &around), Party::Vendor(_)));
        }
        assert!(matches!(register.canonical_user(CANONICAL), Party::Vendor(_)));
        assert_eq!(register.vendor_of("464622532012").map(|v| v.name.as_str()), Some("Datadog"));
        assert_eq!(register.vendor_of("o-datadog123/r-a/ou-b").map(|v| v.name.as_str()), Some("Datadog"));
        assert_eq!(register.vendor_of("777788889999"), None);
    }

    #[test]
    fn an_account_is_the_entitys_by_the_register_or_by_the_organization() {
        let own = register(json!({"own": {"accounts": ["444455556666"]}}));
        assert_eq!(own.account("444455556666", HOME, &denied()), Party::Own);
        assert_eq!(own.account("777788889999", HOME, &in_organization()), Party::Organization);
        assert_eq!(own.account("222233334444", HOME, &in_organization()), Party::Stranger);
        assert_eq!(own.account("222233334444", HOME, &alone()), Party::Stranger);
    }

    #[test]
    fn the_account_that_manages_the_organization_is_known_where_its_accounts_are_not() {
        assert_eq!(datadog().account("999988887777", HOME, &member()), Party::Organization);
    }

    #[test]
    fn an_organization_that_could_not_be_read_leaves_open_whose_an_account_is() {
        let causes = unread();
        assert_eq!(datadog().account("777788889999", HOME, &member()), Party::Unread(&causes));
        assert_eq!(datadog().organization("o-own1234567", &denied()), Party::Unread(&causes));
        assert_eq!(Party::Unread(&causes).is_own(), None);
    }

    #[test]
    fn a_list_of_own_accounts_stands_for_the_organization_that_could_not_be_read() {
        for accounts in [json!(["444455556666"]), json!([])] {
            let own = register(json!({"own": {"accounts": accounts}}));
            assert_eq!(own.account("777788889999", HOME, &member()), Party::Stranger);
            assert!(matches!(own.organization("o-other12345", &denied()), Party::Unread(_)), "that is another list");
        }
        let own = register(json!({"own": {"organizations": []}}));
        assert_eq!(own.organization("o-other12345", &denied()), Party::Stranger);
    }

    #[test]
    fn organizations_are_named_by_id_path_and_arn() {
        for name in [
            "o-own1234567",
            "o-own1234567/r-ab12/ou-ab12-11111111/",
            "arn:aws:organizations::999988887777:organization/o-own1234567",
            "arn:aws-us-gov:organizations::999988887777:ou/o-own1234567/ou-ab12-11111111",
        ] {
            assert_eq!(datadog().organization(name, &in_organization()), Party::Organization, "{name}");
            assert_eq!(datadog().organization(name, &alone()), Party::Stranger, "{name}");
        }
    }

    #[test]
    fn what_is_no_account_is_on_no_register() {
        for name in [
            "",
            "all",
            "*",
            "11112222333",
            "1111222233334",
            "arn:aws:iam::111122223333:root",
            "１１１１２２２２３３３３",
        ] {
            assert_eq!(datadog().account(name, HOME, &denied()), Party::Nobody, "{name}");
        }
        for name in ["", "*", "o-", "o-*", "r-ab12", "arn:aws:organizations::999988887777", "o-short"] {
            assert_eq!(datadog().organization(name, &denied()), Party::Nobody, "{name}");
        }
        assert_eq!(datadog().canonical_user(""), Party::Nobody);
    }

    #[test]
    fn no_vendors_supplied_is_not_the_same_as_no_vendors() {
        let (none, empty) = (Register::default(), register(json!({"vendors": []})));
        assert!(!none.has_vendors() && empty.has_vendors());
        assert!(none.is_empty() && !empty.is_empty());
        assert_ne!(none.digest(), empty.digest());
    }

    #[test]
    fn what_cannot_be_meant_is_a_fault_at_its_place() {
        let faulty = register(json!({
            "own": {"accounts": ["444455556666"], "organizations": ["ou-ab12"]},
            "vendors": [
                {"name": "A", "accounts": ["464622532012", "464622532012"]},
                {"name": " a ", "accounts": ["444455556666"]},
                {"name": "B"},
                {"name": " ", "canonical_users": ["ABC"]},
            ],
        }));
        let found: Vec<String> =
            faulty.faults().iter().map(|f| format!("{}: {}", f.path.join("."), f.message)).collect();
        assert_eq!(
            found,
            [
                "vendors.1.name: there are two vendors called `a`",
                "vendors.2.name: vendor `B` has no account, organization or canonical user",
                "vendors.3.name: a vendor needs a name",
                "own.organizations.0: `ou-ab12` is not the id of an organization",
                "vendors.0.accounts.1: `464622532012` stands twice in the register: here as vendor `A`, above as vendor `A`",
                "vendors.1.accounts.0: `444455556666` stands twice in the register: here as vendor `a`, above as the entity's own",
                "vendors.3.canonical_users.0: `ABC` is not a canonical user id",
            ]
        );
        assert_eq!(datadog().faults(), []);
    }
}
