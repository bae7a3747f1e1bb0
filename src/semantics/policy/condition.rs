//! What a condition says about who the caller is. A condition binds when it holds only for callers that somebody
//! in particular owns: an account, an organization, a network, a resource. Which keys can bind is a table with
//! the source of each row; a key or an operator that is not understood gives unknown, never "bound".

use super::Context;
use super::document::{Condition, SetQualifier, Test, is_account};
use super::matching::is_fixed;
use crate::semantics::address::{AddressSet, is_wider, parse_block};
use std::collections::{BTreeMap, BTreeSet};

/// What a condition on a key tells of the caller, and how its values must look for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The caller's account; the value is an account id.
    Account,
    /// The caller's organization; the value is an organization id.
    Organization,
    /// The caller's organization; the value is a path that begins with the organization id.
    OrganizationPath,
    /// The caller's ARN.
    PrincipalArn,
    /// The ARN of the resource for which a service calls.
    SourceArn,
    /// The account or organization of the resource for which a service calls.
    SourceAccount,
    SourceOrganization,
    SourceOrganizationPath,
    /// The network that the call comes from, by its id.
    Network,
    /// The network that the call comes from, by the account that owns it.
    NetworkAccount,
    NetworkOrganization,
    NetworkOrganizationPath,
    /// The network that the call comes from, by its addresses.
    Address,
    /// The caller's unique id.
    UniqueId,
    /// An AWS service: any customer can make it call.
    Service,
    /// The address that a subscription delivers to.
    Endpoint,
    /// A value that only its owner can give.
    Fixed,
    /// Whether the call comes through a mount target, and so from its network; the value is a boolean.
    MountTarget,
    /// Nothing of who the caller is: whoever wants to can meet it.
    Nothing,
}

/// The keys that are known, in lower case; one that ends with `/` stands for all keys that begin so. Sources:
/// GLOBAL = IAM User Guide, "AWS global condition context keys"; S3 = Amazon S3 User Guide, "Blocking public
/// access to your Amazon S3 storage", "The meaning of public"; SAR = Service Authorization Reference of the
/// service that the key is named after.
const KEYS: &[(&str, Class, &str)] = &[
    ("aws:principalaccount", Class::Account, "GLOBAL"),
    ("aws:principalorgid", Class::Organization, "GLOBAL; S3"),
    ("aws:principalorgpaths", Class::OrganizationPath, "GLOBAL"),
    ("aws:principalarn", Class::PrincipalArn, "GLOBAL"),
    ("aws:userid", Class::UniqueId, "GLOBAL; S3"),
    ("aws:sourcearn", Class::SourceArn, "GLOBAL; S3"),
    ("aws:sourceaccount", Class::SourceAccount, "GLOBAL; S3"),
    ("aws:sourceowner", Class::SourceAccount, "S3; Amazon SNS Developer Guide, cases of access control"),
    ("aws:sourceorgid", Class::SourceOrganization, "GLOBAL"),
    ("aws:sourceorgpaths", Class::SourceOrganizationPath, "GLOBAL"),
    ("aws:sourcevpc", Class::Network, "GLOBAL; S3"),
    ("aws:sourcevpce", Class::Network, "GLOBAL; S3"),
    ("aws:sourcevpcarn", Class::NetworkAccount, "GLOBAL"),
    ("aws:vpceaccount", Class::NetworkAccount, "GLOBAL"),
    ("aws:vpceorgid", Class::NetworkOrganization, "GLOBAL"),
    ("aws:vpceorgpaths", Class::NetworkOrganizationPath, "GLOBAL"),
    ("aws:sourceip", Class::Address, "GLOBAL; S3"),
    ("aws:principalservicename", Class::Service, "GLOBAL"),
    ("aws:principalservicenameslist", Class::Service, "GLOBAL"),
    ("kms:calleraccount", Class::Account, "SAR; AWS KMS Developer Guide, condition keys for AWS KMS"),
    ("s3:dataaccesspointaccount", Class::Account, "SAR; S3"),
    ("s3:dataaccesspointarn", Class::SourceArn, "SAR; S3"),
    ("s3:x-amz-server-side-encryption-aws-kms-key-id", Class::SourceArn, "SAR; S3"),
    ("sns:endpoint", Class::Endpoint, "SAR"),
    ("lambda:eventsourcetoken", Class::Fixed, "SAR"),
    ("elasticfilesystem:accessedviamounttarget", Class::MountTarget, "Amazon EFS User Guide, the meaning of public"),
    ("aws:assumedroot", Class::Nothing, "GLOBAL"),
    ("aws:calledvia", Class::Nothing, "GLOBAL"),
    ("aws:calledviafirst", Class::Nothing, "GLOBAL"),
    ("aws:calledviaawsmcp", Class::Nothing, "GLOBAL"),
    ("aws:calledvialast", Class::Nothing, "GLOBAL"),
    ("aws:currenttime", Class::Nothing, "GLOBAL"),
    ("aws:ec2instancesourceprivateipv4", Class::Nothing, "GLOBAL"),
    ("aws:ec2instancesourcevpc", Class::Nothing, "GLOBAL"),
    ("aws:epochtime", Class::Nothing, "GLOBAL"),
    ("aws:federatedprovider", Class::Nothing, "GLOBAL"),
    ("aws:ismcpserviceaction", Class::Nothing, "GLOBAL"),
    ("aws:multifactorauthage", Class::Nothing, "GLOBAL"),
    ("aws:multifactorauthpresent", Class::Nothing, "GLOBAL"),
    ("aws:principalisawsservice", Class::Nothing, "GLOBAL"),
    ("aws:principaltag/", Class::Nothing, "GLOBAL: every account tags its own principals"),
    ("aws:principaltype", Class::Nothing, "GLOBAL"),
    ("aws:referer", Class::Nothing, "GLOBAL: the caller sends what it likes"),
    ("aws:requestedregion", Class::Nothing, "GLOBAL"),
    ("aws:requesttag/", Class::Nothing, "GLOBAL"),
    ("aws:resourceaccount", Class::Nothing, "GLOBAL: of the resource, not of the caller"),
    ("aws:resourceorgid", Class::Nothing, "GLOBAL: of the resource, not of the caller"),
    ("aws:resourceorgpaths", Class::Nothing, "GLOBAL: of the resource, not of the caller"),
    ("aws:resourcetag/", Class::Nothing, "GLOBAL: of the resource, not of the caller"),
    ("aws:securetransport", Class::Nothing, "GLOBAL"),
    ("aws:sourceidentity", Class::Nothing, "GLOBAL"),
    ("aws:tagkeys", Class::Nothing, "GLOBAL"),
    ("aws:tokenissuetime", Class::Nothing, "GLOBAL"),
    ("aws:useragent", Class::Nothing, "GLOBAL: the caller sends what it likes"),
    ("aws:username", Class::Nothing, "GLOBAL: every account names its own users"),
    ("aws:viaawsmcpservice", Class::Nothing, "GLOBAL"),
    ("aws:viaawsservice", Class::Nothing, "GLOBAL"),
    ("aws:vpcsourceip", Class::Nothing, "GLOBAL: any VPC can have the address"),
];

fn class_of(key: &str) -> Result<Class, String> {
    let lower = key.to_ascii_lowercase();
    for (name, class, _) in KEYS {
        if lower == *name || (name.ends_with('/') && lower.starts_with(name)) {
            return Ok(*class);
        }
    }
    if lower.starts_with("aws:") || !lower.contains(':') {
        return Err(format!("what the condition key {key} says of the caller is not known"));
    }
    // A key of one service describes the request or the resource, not who calls: those few that do are above.
    Ok(Class::Nothing)
}

/// Whom the bound callers belong to, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// Named accounts, principals or unique ids.
    Principal,
    /// Named resources or the accounts that own them, for which a service calls.
    Source,
    /// A secret or an address that only its owner can give.
    Fixed,
    /// An organization.
    Organization,
    /// A network.
    Network,
    /// An AWS service, by name: it acts for any customer.
    Service,
}

/// What is known of the callers for which a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) owner: Owner,
    pub(crate) accounts: BTreeSet<String>,
    pub(crate) organizations: BTreeSet<String>,
    pub(crate) names: BTreeSet<String>,
    pub(crate) labels: BTreeSet<String>,
    /// Whether every caller belongs to one of `accounts`.
    pub(crate) complete: bool,
}

/// What a condition does to the set of callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Nobody.
    Nobody,
    /// Only those.
    To(Binding),
    /// Does not narrow it to anybody in particular.
    Loose,
    /// Not understood.
    Unknown(String),
}

/// Keys that a `Null` condition of the same statement demands to be present.
fn demanded(conditions: &[Condition]) -> BTreeSet<String> {
    conditions
        .iter()
        .filter(|c| c.doubt.is_none() && c.operator.test == Some(Test::Null))
        .filter(|c| c.values.iter().all(|v| v.eq_ignore_ascii_case("false")))
        .map(Condition::key_name)
        .collect()
}

/// The callers for whom all conditions of an Allow statement hold.
pub(crate) fn admitted(conditions: &[Condition], context: &Context) -> Bound {
    let demanded = demanded(conditions);
    let by_mail = only_mail(conditions);
    let mut doubt = None;
    let mut binding: Option<Binding> = None;
    for condition in conditions {
        match admitted_by(condition, &demanded, context, by_mail) {
            Bound::Nobody | Bound::Loose => {}
            Bound::Unknown(why) => doubt = doubt.or(Some(why)),
            Bound::To(more) => binding = Some(binding.map_or(more.clone(), |b| b.and(more))),
        }
    }
    match (binding, doubt) {
        (Some(binding), _) => Bound::To(binding),
        (None, Some(why)) => Bound::Unknown(why),
        (None, None) => Bound::Loose,
    }
}

/// Whether a request that does not have the key meets the condition.
fn absent_passes(condition: &Condition) -> bool {
    condition.operator.if_exists || condition.operator.set == Some(SetQualifier::ForAllValues)
}

/// Whether conditions let through only subscriptions that are delivered by mail.
fn only_mail(conditions: &[Condition]) -> bool {
    conditions.iter().any(|c| {
        c.key.eq_ignore_ascii_case("sns:Protocol")
            && c.doubt.is_none()
            && !absent_passes(c)
            && comparison(c) == Comparison::Is
            && c.values.iter().all(|v| ["email", "email-json"].contains(&v.as_str()))
    })
}

/// The callers for whom one condition of an Allow statement holds.
fn admitted_by(condition: &Condition, demanded: &BTreeSet<String>, context: &Context, by_mail: bool) -> Bound {
    if let Some(why) = &condition.doubt {
        return Bound::Unknown(why.clone());
    }
    let class = match class_of(&condition.key) {
        Ok(class) => class,
        Err(why) => return Bound::Unknown(why),
    };
    if absent_passes(condition) && !demanded.contains(&condition.key_name()) {
        return Bound::Loose;
    }
    match comparison(condition) {
        Comparison::Is => values_bind(condition, class, context, by_mail),
        Comparison::IsNot | Comparison::Presence => Bound::Loose,
        Comparison::Other if class == Class::Nothing => Bound::Loose,
        Comparison::Other if class == Class::MountTarget && condition.operator.test == Some(Test::Bool) => {
            mount_target_binds(condition)
        }
        Comparison::Other => {
            Bound::Unknown(format!("{} with {} is not understood", condition.key, condition.operator.text))
        }
    }
}

/// Which callers a Deny statement is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever sends a request, signed or not.
    Anybody,
    /// Principals, whose requests are signed.
    Signed,
    /// AWS services.
    Services,
}

/// The callers whom a Deny statement with these conditions leaves alone: those for whom some condition does not
/// hold.
pub(crate) fn spared(conditions: &[Condition], context: &Context, callers: Callers) -> Bound {
    let mut left: Option<Binding> = None;
    let mut doubt = None;
    for condition in conditions {
        match spared_by(condition, context, callers) {
            Bound::Nobody => {}
            Bound::Loose => return Bound::Loose,
            Bound::Unknown(why) => doubt = doubt.or(Some(why)),
            Bound::To(more) => left = Some(left.map_or(more.clone(), |b| b.or(more))),
        }
    }
    match (left, doubt) {
        (_, Some(why)) => Bound::Unknown(why),
        (Some(binding), None) => Bound::To(binding),
        (None, None) => Bound::Nobody,
    }
}

fn spared_by(condition: &Condition, context: &Context, callers: Callers) -> Bound {
    if let Some(why) = &condition.doubt {
        return Bound::Unknown(why.clone());
    }
    if condition.key.eq_ignore_ascii_case("aws:PrincipalIsAWSService") {
        return spared_by_kind(condition, callers);
    }
    // A key that is absent makes a negated operator true, unless ForAnyValue asks for some value: then callers
    // without the key escape.
    if comparison(condition) != Comparison::IsNot || condition.operator.set == Some(SetQualifier::ForAnyValue) {
        return Bound::Loose;
    }
    if let Some(variable) = value_of_callers(condition) {
        return Bound::Unknown(format!("{variable} has no value where the caller belongs to no organization"));
    }
    match class_of(&condition.key) {
        Ok(class) => values_bind(condition, class, context, false),
        Err(why) => Bound::Unknown(why),
    }
}

/// Where a condition compares with an organization of the caller's: that variable. AWS does not document what a Deny
/// does whose variable has no value.
fn value_of_callers(condition: &Condition) -> Option<&str> {
    let of_caller = |value: &&String| {
        let lower = value.to_ascii_lowercase();
        condition.variables && OWN.iter().any(|(caller, _, _)| caller.contains("org") && lower.contains(caller))
    };
    condition.values.iter().find(of_caller).map(String::as_str)
}

/// Unsigned requests do not have the key (IAM User Guide, "AWS global condition context keys").
fn spared_by_kind(condition: &Condition, callers: Callers) -> Bound {
    if condition.operator.test != Some(Test::Bool) || (callers == Callers::Anybody && !absent_passes(condition)) {
        return Bound::Loose;
    }
    let wanted = if callers == Callers::Services { "true" } else { "false" };
    if condition.values.iter().any(|v| v.eq_ignore_ascii_case(wanted)) { Bound::Nobody } else { Bound::Loose }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Is,
    IsNot,
    Presence,
    Other,
}

fn comparison(condition: &Condition) -> Comparison {
    match condition.operator.test {
        Some(
            Test::StringEquals { negated }
            | Test::StringLike { negated }
            | Test::Arn { negated }
            | Test::IpAddress { negated },
        ) => {
            if negated {
                Comparison::IsNot
            } else {
                Comparison::Is
            }
        }
        Some(Test::Null) => Comparison::Presence,
        _ => Comparison::Other,
    }
}

/// Whether all values of a condition name somebody in particular. `by_mail` says whether other conditions let through
/// only subscriptions by mail.
fn values_bind(condition: &Condition, class: Class, context: &Context, by_mail: bool) -> Bound {
    if class == Class::Nothing {
        return own_by_variable(condition, context).map_or(Bound::Loose, Bound::To);
    }
    if let Some(binding) = own_by_variable(condition, context) {
        return Bound::To(binding);
    }
    let is_address = matches!(condition.operator.test, Some(Test::IpAddress { .. }));
    if is_address != (class == Class::Address) {
        return Bound::Unknown(format!("{} with {} is not understood", condition.key, condition.operator.text));
    }
    if class == Class::Address {
        return addresses_bind(condition);
    }
    let mut binding = Binding::new(owner_of(class), condition);
    let mut doubt = None;
    for value in &condition.values {
        match value_binds(value, class, condition, by_mail, &mut binding) {
            Binds::Yes => {}
            Binds::No => return Bound::Loose,
            Binds::Unknown(why) => doubt = Some(why),
        }
    }
    doubt.map_or(Bound::To(binding), |why| Bound::Unknown(format!("{} of {}", why, condition.key)))
}

/// Whether a value names somebody in particular.
enum Binds {
    Yes,
    No,
    Unknown(&'static str),
}

impl From<bool> for Binds {
    fn from(binds: bool) -> Self {
        if binds { Binds::Yes } else { Binds::No }
    }
}

fn owner_of(class: Class) -> Owner {
    match class {
        Class::Account | Class::PrincipalArn | Class::UniqueId => Owner::Principal,
        Class::SourceArn | Class::SourceAccount => Owner::Source,
        Class::Organization | Class::OrganizationPath | Class::SourceOrganization | Class::SourceOrganizationPath => {
            Owner::Organization
        }
        Class::Network
        | Class::NetworkAccount
        | Class::NetworkOrganization
        | Class::NetworkOrganizationPath
        | Class::MountTarget
        | Class::Address => Owner::Network,
        Class::Service => Owner::Service,
        Class::Endpoint | Class::Fixed | Class::Nothing => Owner::Fixed,
    }
}

fn value_binds(value: &str, class: Class, condition: &Condition, by_mail: bool, binding: &mut Binding) -> Binds {
    let variable = condition.variables && value.contains("${");
    if variable {
        return Binds::No;
    }
    binding.names.insert(value.to_string());
    match class {
        Class::Account | Class::SourceAccount => account_binds(value, binding).into(),
        Class::NetworkAccount => {
            let binds = match value.starts_with("arn:") {
                true => arn_binds(value, condition, binding),
                false => account_binds(value, binding).into(),
            };
            // Callers of other accounts can come through a network, too.
            binding.complete = false;
            binds
        }
        Class::PrincipalArn => match arn_binds(value, condition, binding) {
            Binds::Yes => binding.complete.into(),
            other => other,
        },
        Class::SourceArn => arn_binds(value, condition, binding),
        Class::Organization | Class::SourceOrganization | Class::NetworkOrganization => {
            organization_binds(value, binding).into()
        }
        Class::OrganizationPath | Class::SourceOrganizationPath | Class::NetworkOrganizationPath => {
            binding.complete = false;
            organization_binds(value.split('/').next().unwrap_or_default(), binding).into()
        }
        Class::UniqueId => unique_id_binds(value, binding).into(),
        Class::Endpoint => endpoint_binds(value, condition, by_mail, binding),
        Class::Network | Class::Service | Class::Fixed => {
            binding.complete = false;
            is_fixed(value).into()
        }
        Class::Address | Class::MountTarget | Class::Nothing => Binds::No,
    }
}

/// A mount target has an address in one VPC: who calls through it is in that network.
fn mount_target_binds(condition: &Condition) -> Bound {
    if condition.values.iter().all(|v| v.eq_ignore_ascii_case("true")) {
        Bound::To(Binding { complete: false, ..Binding::new(Owner::Network, condition) })
    } else {
        Bound::Loose
    }
}

fn account_binds(value: &str, binding: &mut Binding) -> bool {
    let fixed = is_account(value);
    if fixed {
        binding.accounts.insert(value.to_string());
    }
    fixed
}

fn organization_binds(value: &str, binding: &mut Binding) -> bool {
    binding.complete = false;
    let fixed = is_fixed(value);
    if fixed {
        binding.organizations.insert(value.to_string());
    }
    fixed
}

/// Services in whose ARNs, when they are sources, no name is followed by a colon: a `*` for the region cannot run
/// on over the account.
const COLON_FREE: [&str; 9] = ["sns", "sqs", "s3", "events", "ses", "cloudtrail", "execute-api", "ec2", "bedrock"];
/// Services in whose ARNs a name that the owner chooses can be followed by a colon, or hold one: function and alias,
/// log group and `:*`, state machine and execution, alarm names, paths of IAM.
const COLONS: [&str; 6] = ["lambda", "logs", "states", "cloudwatch", "iam", "sts"];

/// An ARN binds by the account in it. Where it has none it binds when the resource is fixed; of S3 buckets, whose
/// names are nobody else's, the name is enough: what is behind a `/` may be open, and the account too.
fn arn_binds(value: &str, condition: &Condition, binding: &mut Binding) -> Binds {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return Binds::No;
    };
    // The ARN operators compare part by part. StringLike lets a `*` run over colons: from the partition, the service
    // or the region it could reach past the account.
    let by_part = matches!(condition.operator.test, Some(Test::Arn { .. }));
    let stays = by_part || (is_fixed(partition) && is_fixed(service));
    let region_stays = by_part || region.is_empty() || is_fixed(region);
    if is_account(account) {
        binding.accounts.insert(account.to_string());
        return match stays {
            false => Binds::No,
            true if region_stays || COLON_FREE.contains(service) => Binds::Yes,
            true if COLONS.contains(service) => Binds::No,
            true => Binds::Unknown("how far the wildcard for the region reaches is not known in a value"),
        };
    }
    binding.complete = false;
    let named = match (*service, *account) {
        ("s3", "") => is_fixed(resource.split('/').next().unwrap_or_default()),
        ("s3", "*") => by_part && is_fixed(resource) && !resource.contains('/'),
        (_, "") => is_fixed(service) && is_fixed(resource),
        _ => false,
    };
    (named && stays && region_stays).into()
}

fn unique_id_binds(value: &str, binding: &mut Binding) -> bool {
    let id = value.split(':').next().unwrap_or_default();
    if is_account(id) {
        binding.accounts.insert(id.to_string());
        return true;
    }
    binding.complete = false;
    is_fixed(id) && id.len() >= 16 && id.starts_with('A')
}

/// A subscription endpoint binds when it is fixed, or at least the host or the ARN's account. `*@example.com` is the
/// addresses of a mail domain, and web addresses that end so: whether Amazon SNS takes those is not documented.
fn endpoint_binds(value: &str, condition: &Condition, by_mail: bool, binding: &mut Binding) -> Binds {
    if value.starts_with("arn:") {
        return arn_binds(value, condition, binding);
    }
    binding.complete = false;
    if is_fixed(value) {
        return Binds::Yes;
    }
    if let Some((_, domain)) = value.rsplit_once('@') {
        return match is_fixed(domain) {
            true if by_mail => Binds::Yes,
            true => Binds::Unknown("a web address can end like the mail addresses in a value"),
            false => Binds::No,
        };
    }
    let host = value.split_once("://").filter(|(scheme, _)| is_fixed(scheme)).map(|(_, rest)| rest.split_once('/'));
    host.flatten().is_some_and(|(host, _)| is_fixed(host)).into()
}

/// `aws:PrincipalOrgID` equal to `${aws:ResourceOrgID}` and the like: the caller is of the resource's own account
/// or organization.
const OWN: &[(&str, &str, Owner)] = &[
    ("aws:principalorgid", "aws:resourceorgid", Owner::Organization),
    ("aws:principalaccount", "aws:resourceaccount", Owner::Principal),
    ("aws:sourceorgid", "aws:resourceorgid", Owner::Organization),
    ("aws:sourceaccount", "aws:resourceaccount", Owner::Source),
    ("aws:vpceorgid", "aws:resourceorgid", Owner::Network),
    ("aws:vpceaccount", "aws:resourceaccount", Owner::Network),
];

fn own_by_variable(condition: &Condition, context: &Context) -> Option<Binding> {
    let [value] = condition.values.as_slice() else { return None };
    let variable = value.strip_prefix("${")?.strip_suffix('}')?.to_ascii_lowercase();
    if !condition.variables || condition.operator.test.is_none() {
        return None;
    }
    let key = condition.key.to_ascii_lowercase();
    let owner = OWN
        .iter()
        .find(|(caller, resource, _)| {
            (key == *caller && variable == *resource) || (key == *resource && variable == *caller)
        })
        .map(|(_, _, owner)| *owner)?;
    let mut binding = Binding::new(owner, condition);
    if owner == Owner::Organization {
        binding.complete = false;
        binding.organizations.extend(context.organization.map(str::to_string));
    } else {
        binding.accounts.insert(context.account.to_string());
        binding.complete = owner != Owner::Network;
    }
    Some(binding)
}

/// The limits of "very broad" ranges: Amazon S3, "The meaning of public".
const BROAD_IPV4: u8 = 8;
const BROAD_IPV6: u8 = 32;

fn addresses_bind(condition: &Condition) -> Bound {
    let mut set = AddressSet::default();
    for value in &condition.values {
        if condition.variables && value.contains("${") {
            return Bound::Loose;
        }
        // `::ffff:…` are addresses of IPv4: whether they are compared as such is not documented.
        let Some(net) = parse_block(value).filter(|_| !value.trim().to_ascii_lowercase().starts_with("::ffff:")) else {
            return Bound::Unknown(format!("the address range of {} is not understood", condition.key));
        };
        if is_wider(&net, BROAD_IPV4, BROAD_IPV6) {
            return Bound::Loose;
        }
        set.insert(&net);
    }
    if !set.internet().is_empty() {
        return Bound::Loose;
    }
    let mut binding = Binding::new(Owner::Network, condition);
    binding.complete = false;
    binding.names.extend(condition.values.iter().cloned());
    Bound::To(binding)
}

impl Binding {
    fn new(owner: Owner, condition: &Condition) -> Self {
        Binding {
            owner,
            accounts: BTreeSet::new(),
            organizations: BTreeSet::new(),
            names: BTreeSet::new(),
            labels: BTreeSet::from([condition.label()]),
            complete: true,
        }
    }

    /// Both hold: the stronger one names the callers.
    pub(crate) fn and(self, other: Binding) -> Binding {
        let labels = self.labels.union(&other.labels).cloned().collect();
        let stronger = if self.owner <= other.owner { self } else { other };
        Binding { labels, ..stronger }
    }

    /// One of the two holds.
    pub(crate) fn or(self, other: Binding) -> Binding {
        Binding {
            owner: self.owner.max(other.owner),
            accounts: self.accounts.union(&other.accounts).cloned().collect(),
            organizations: self.organizations.union(&other.organizations).cloned().collect(),
            names: self.names.union(&other.names).cloned().collect(),
            labels: self.labels.union(&other.labels).cloned().collect(),
            complete: self.complete && other.complete,
        }
    }
}

/// The values of each positive condition on keys that begin with one of the prefixes, by key; for identity
/// providers, whose keys are named after them. A condition that an absent key passes is left out.
pub(crate) fn provider_claims<'a>(conditions: &'a [Condition], prefix: &str) -> BTreeMap<String, Vec<&'a Condition>> {
    let demanded = demanded(conditions);
    let mut claims: BTreeMap<String, Vec<&Condition>> = BTreeMap::new();
    for condition in conditions {
        let key = condition.key.to_ascii_lowercase();
        let Some(claim) = key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')) else { continue };
        let holds = comparison(condition) == Comparison::Is || condition.doubt.is_some();
        if holds && (!absent_passes(condition) || demanded.contains(&condition.key_name())) {
            claims.entry(claim.to_string()).or_default().push(condition);
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::policy::document::Document;
    use serde_json::{Value, json};

    fn conditions(block: Value) -> Vec<Condition> {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "*", "Condition": block}});
        Document::read(&policy).known().unwrap().statements.remove(0).conditions
    }

    fn context() -> Context<'static> {
        Context { account: "111122223333", partition: "aws", organization: Some("o-own1234567"), resource: None }
    }

    /// One letter per answer: bound, loose, unknown.
    fn letter(bound: &Bound) -> char {
        match bound {
            Bound::To(_) | Bound::Nobody => 'b',
            Bound::Loose => 'l',
            Bound::Unknown(_) => 'u',
        }
    }

    fn admits(operator: &str, key: &str, values: Value) -> char {
        letter(&admitted(&conditions(json!({operator: {key: values}})), &context()))
    }

    #[test]
    fn every_key_is_in_the_table_once_in_lower_case_with_a_source() {
        let mut names = BTreeSet::new();
        for (name, _, source) in KEYS {
            assert!(names.insert(*name), "{name}");
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!source.is_empty());
        }
    }

    #[test]
    fn the_matrix_of_keys_operators_and_values() {
        let arn = "arn:aws:sns:us-east-1:444455556666:t";
        for (key, fixed, wild) in [
            ("aws:PrincipalOrgID", "o-abc1234567", "o-*"),
            ("AWS:PRINCIPALORGID", "o-abc1234567", "*"),
            ("aws:PrincipalAccount", "444455556666", "4444*"),
            ("aws:SourceAccount", "444455556666", "*"),
            ("AWS:SourceOwner", "444455556666", "44445555666?"),
            ("kms:CallerAccount", "444455556666", "*"),
            ("s3:DataAccessPointAccount", "444455556666", "*"),
            ("aws:PrincipalArn", "arn:aws:iam::444455556666:role/r", "arn:aws:iam::*:role/r"),
            ("aws:SourceArn", arn, "arn:aws:sns:us-east-1:*:t"),
            ("aws:SourceArn", "arn:aws:s3:::bucket", "arn:aws:s3:::buck*"),
            ("aws:SourceVpc", "vpc-91237329", "vpc-*"),
            ("aws:SourceVpce", "vpce-1a2b3c4d", "vpce-*"),
            ("aws:VpceAccount", "444455556666", "*"),
            ("aws:SourceOrgID", "o-abc1234567", "o-?"),
            ("aws:PrincipalOrgPaths", "o-abc1234567/r-ab12/ou-ab12-11111111/", "*/ou-ab12-11111111/"),
            ("aws:userid", "AROADBQP57FF2AEXAMPLE:session", "*:session"),
        ] {
            for like in ["StringEquals", "StringLike", "stringequalsignorecase"] {
                assert_eq!(admits(like, key, json!(fixed)), 'b', "{like} {key} {fixed}");
                assert_eq!(admits(like, key, json!([fixed, wild])), 'l', "{like} {key} {wild}");
                assert_eq!(admits(&format!("{like}IfExists"), key, json!(fixed)), 'l', "{like}IfExists {key}");
                assert_eq!(admits(&format!("ForAnyValue:{like}"), key, json!(fixed)), 'b', "any {like} {key}");
                assert_eq!(admits(&format!("ForAllValues:{like}"), key, json!(fixed)), 'l', "all {like} {key}");
            }
            assert_eq!(admits("StringNotEquals", key, json!(fixed)), 'l', "{key}");
            assert_eq!(admits("StringNotLike", key, json!(fixed)), 'l', "{key}");
            assert_eq!(admits("Null", key, json!("false")), 'l', "{key}");
            assert_eq!(admits("StringEquals", key, json!("${aws:username}")), 'l', "{key}");
            assert_eq!(admits("StringMatches", key, json!(fixed)), 'u', "{key}");
            assert_eq!(admits("NumericEquals", key, json!(5)), 'u', "{key}");
        }
    }

    #[test]
    fn what_the_caller_can_choose_does_not_bind() {
        for (operator, key, value) in [
            ("StringEquals", "aws:Referer", json!("https://example.com/")),
            ("StringEquals", "aws:UserAgent", json!("secret")),
            ("Bool", "aws:SecureTransport", json!("true")),
            ("Bool", "aws:MultiFactorAuthPresent", json!(true)),
            ("StringEquals", "aws:PrincipalTag/team", json!("x")),
            ("StringEquals", "lambda:FunctionUrlAuthType", json!("AWS_IAM")),
            ("StringEquals", "kms:ViaService", json!("s3.us-east-1.amazonaws.com")),
            ("StringEquals", "sts:ExternalId", json!("secret")),
            ("StringEquals", "s3:ExistingObjectTag/public", json!("yes")),
            ("IpAddress", "aws:VpcSourceIp", json!("10.0.0.0/16")),
        ] {
            assert_eq!(admits(operator, key, value), 'l', "{key}");
        }
        assert_eq!(admits("StringEquals", "aws:SomethingNew", json!("x")), 'u');
    }

    #[test]
    fn addresses_bind_when_they_are_narrow() {
        for (values, expected) in [
            (json!("203.0.113.0/24"), 'b'),
            (json!("52.0.0.0/8"), 'b'),
            (json!(["10.0.0.0/8", "fc00::/7"]), 'b'),
            (json!("2001:db8::/32"), 'b'),
            (json!("0.0.0.0/0"), 'l'),
            (json!(["203.0.113.0/24", "::/0"]), 'l'),
            (json!(["0.0.0.0/1", "128.0.0.0/1"]), 'l'),
            (json!("2600::/12"), 'l'),
            (json!("2001:db8::/31"), 'l'),
            (json!("52.0.0.0/7"), 'l'),
            (json!("office"), 'u'),
            // Whether addresses of IPv4 are compared in this form is not documented.
            (json!("::ffff:0:0/96"), 'u'),
            (json!("::ffff:10.0.0.0/104"), 'u'),
        ] {
            assert_eq!(admits("IpAddress", "aws:SourceIp", values.clone()), expected, "{values}");
        }
        assert_eq!(admits("IpAddressIfExists", "aws:SourceIp", json!("203.0.113.0/24")), 'l');
        assert_eq!(admits("StringLike", "aws:SourceIp", json!("203.0.113.*")), 'u');
    }

    #[test]
    fn a_null_guard_makes_a_set_operator_bind() {
        let guarded = conditions(json!({
            "ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"},
            "Null": {"aws:principalorgid": "false"}}));
        assert_eq!(letter(&admitted(&guarded, &context())), 'b');
        let wrong = conditions(json!({
            "ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"},
            "Null": {"aws:PrincipalOrgID": "true"}}));
        assert_eq!(letter(&admitted(&wrong, &context())), 'l');
    }

    #[test]
    fn a_variable_that_names_the_own_organization_binds() {
        assert_eq!(admits("StringEquals", "aws:PrincipalOrgID", json!("${aws:ResourceOrgID}")), 'b');
        assert_eq!(admits("StringEquals", "aws:ResourceAccount", json!("${aws:PrincipalAccount}")), 'b');
        assert_eq!(admits("StringNotEquals", "aws:PrincipalOrgID", json!("${aws:ResourceOrgID}")), 'l');
    }

    #[test]
    fn an_arn_binds_by_its_account() {
        for (operator, value, expected) in [
            ("ArnLike", "arn:*:*:*:444455556666:*", 'b'),
            ("StringLike", "arn:*:*:*:444455556666:*", 'l'),
            ("StringLike", "arn:aws:sns:*:444455556666:*", 'b'),
            ("ArnEquals", "arn:aws:s3:::bucket/*", 'b'),
            ("ArnLike", "arn:aws:s3:::*", 'l'),
            ("ArnLike", "*", 'l'),
            ("ArnLike", "*:444455556666:*", 'l'),
            // The name of a bucket is nobody else's, whatever stands in the empty parts of its ARN.
            ("ArnLike", "arn:aws:s3:*:*:bucket", 'b'),
            ("StringLike", "arn:aws:s3:*:*:bucket", 'l'),
            ("ArnLike", "arn:aws:s3:*:*:bucket*", 'l'),
            ("ArnLike", "arn:aws:s3:*:*:accesspoint/name", 'l'),
            ("ArnLike", "arn:*:s3:::bucket", 'b'),
            ("StringLike", "arn:*:s3:::bucket", 'l'),
            // Everybody has hosted zones and APIs.
            ("ArnLike", "arn:aws:route53:::hostedzone/*", 'l'),
            ("ArnLike", "arn:aws:route53:::hostedzone/Z123", 'b'),
            ("ArnLike", "arn:aws:apigateway:us-east-1::/restapis/*", 'l'),
            // `*` for the region runs on to a name that somebody else has chosen.
            ("StringLike", "arn:aws:logs:*:444455556666:*", 'l'),
            ("StringLike", "arn:aws:lambda:*:444455556666:*", 'l'),
            ("StringLike", "arn:aws:states:*:444455556666:*", 'l'),
            ("ArnLike", "arn:aws:logs:*:444455556666:*", 'b'),
            ("StringLike", "arn:aws:bedrock:*:444455556666:agent/*", 'b'),
            ("StringLike", "arn:aws:newservice:*:444455556666:thing/*", 'u'),
        ] {
            assert_eq!(admits(operator, "aws:SourceArn", json!(value)), expected, "{operator} {value}");
        }
        // A path of IAM can hold colons and account ids.
        for (operator, value, expected) in [
            ("ArnLike", "arn:aws:iam:*:444455556666:role/*", 'b'),
            ("StringLike", "arn:aws:iam::444455556666:role/*", 'b'),
            ("StringLike", "arn:aws:iam:*:444455556666:role/*", 'l'),
        ] {
            assert_eq!(admits(operator, "aws:PrincipalArn", json!(value)), expected, "{operator} {value}");
        }
    }

    #[test]
    fn a_subscription_endpoint_binds_by_what_nobody_else_can_write() {
        for (value, expected) in [
            (json!("ops@example.com"), 'b'),
            // A web address can end so as well.
            (json!("*@example.com"), 'u'),
            (json!("https://example.com/*"), 'b'),
            (json!("https://*.example.com/x"), 'l'),
            (json!("*://example.com/x"), 'l'),
            (json!("https://x:*@example.com/"), 'u'),
            (json!("arn:aws:lambda:us-east-1:444455556666:function:*"), 'b'),
            (json!("arn:*:lambda:*:444455556666:function:*"), 'l'),
        ] {
            assert_eq!(admits("StringLike", "sns:Endpoint", value.clone()), expected, "{value}");
        }
        let by_mail = |protocol: Value| {
            letter(&admitted(
                &conditions(
                    json!({"StringLike": {"SNS:Endpoint": "*@example.com"}, "StringEquals": {"SNS:Protocol": protocol}}),
                ),
                &context(),
            ))
        };
        assert_eq!(by_mail(json!(["email", "email-json"])), 'b');
        assert_eq!(by_mail(json!(["email", "https"])), 'u');
    }

    #[test]
    fn one_binding_key_is_enough_and_decides_over_a_doubt() {
        let both = conditions(json!({
            "StringEquals": {"aws:SourceAccount": "444455556666"}, "StringMatches": {"aws:Referer": "x"}}));
        assert_eq!(letter(&admitted(&both, &context())), 'b');
    }

    fn spares(block: Value, callers: Callers) -> char {
        letter(&spared(&conditions(block), &context(), callers))
    }

    #[test]
    fn a_deny_for_all_others_leaves_the_named() {
        for (block, expected) in [
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}), 'b'),
            (json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abc1234567"}}), 'b'),
            (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), 'b'),
            (json!({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-abc1234567/*"}}), 'b'),
            (json!({"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-abc1234567/*"}}), 'l'),
            (json!({"StringNotLike": {"aws:PrincipalOrgID": "*"}}), 'l'),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}), 'l'),
            (json!({"Bool": {"aws:SecureTransport": "false"}}), 'l'),
            (json!({"StringMatches": {"aws:PrincipalOrgID": "o-abc1234567"}}), 'u'),
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
                'b',
            ),
            // Unsigned requests do not have the key, so that the Deny is not for them.
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
                'l',
            ),
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}), 'b'),
            // The variable has no value for whoever belongs to no organization.
            (json!({"StringNotEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}), 'u'),
            (json!({"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}), 'b'),
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}),
                'l',
            ),
        ] {
            assert_eq!(spares(block.clone(), Callers::Anybody), expected, "{block}");
        }
    }

    #[test]
    fn a_deny_for_services_says_nothing_of_others() {
        let block = json!({"StringNotEquals": {"aws:SourceAccount": "111122223333"}, "Bool": {"aws:PrincipalIsAWSService": "true"}});
        assert_eq!(spares(block.clone(), Callers::Services), 'b');
        assert_eq!(spares(block, Callers::Signed), 'l');
    }

    #[test]
    fn a_deny_for_those_that_are_no_services_is_for_whoever_signs() {
        let block =
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}, "Bool": {"aws:PrincipalIsAWSService": "false"}});
        assert_eq!(spares(block.clone(), Callers::Signed), 'b');
        assert_eq!(spares(block.clone(), Callers::Services), 'l');
        assert_eq!(spares(block, Callers::Anybody), 'l');
    }
}
