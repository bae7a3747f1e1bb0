//! What a KMS key demands of an enclave before it decrypts: a signed attestation document, and in it measurements that
//! are known. Deny statements count as Allow statements do, for requests that they refuse leave what is demanded of the
//! rest. It must never take a condition for a demand that a request without an attestation document meets.

use super::Context;
use super::condition::{Bound, Callers, Owner, admitted, spared};
use super::document::{Condition, Document, Effect, Principal, SetQualifier, Statement, Test, Who};
use super::key_grants;
use super::matching::{Pattern, is_fixed};
use super::principal::{arn_holds, text_holds};
use super::who::{principal_name, spared_principals};
use crate::semantics::Answer;
use serde::Serialize;
use serde_json::Value;

/// What the names of the condition keys begin with, in lower case.
const PREFIX: &str = "kms:recipientattestation";

/// The registers that tie an enclave to where it runs or who signed it: the parent's role, the parent instance, the
/// signing certificate (AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements").
const DEPLOYMENT: [&str; 3] = ["PCR3", "PCR4", "PCR8"];

/// The condition keys that name the caller's account, principal or organization.
const CALLER: [&str; 5] =
    ["aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "kms:calleraccount"];

/// Whether something is demanded of every request that comes a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It is.
    Demanded,
    /// It is not.
    Open,
    /// That turns on something that is not understood.
    Unknown,
}

/// A way to use a key: what a statement or a grant allows, less what Deny statements take away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The statement as it is named in reasons, or the grant.
    pub statement: String,
    /// Who can go it.
    pub principals: Vec<String>,
    /// The actions, of those that were asked for.
    pub actions: Vec<String>,
    /// Whether each request needs an attestation document.
    pub document: Demand,
    /// Whether each request needs an attestation document with one of given measurements.
    pub measurement: Demand,
    /// Why the one or the other is not known; absent where both are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// What binds it to a deployment: registers, and conditions on the caller's account or organization.
    pub bound_to: Vec<String>,
    /// What makes it uncertain that nothing more binds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_doubt: Option<String>,
    /// All of it, in a sentence.
    pub why: String,
}

/// A measurement that a key policy trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measurement {
    /// The register: `PCR0`, which `ImageSha384` is as well, …, or `NitroTPMPCR4`, ….
    pub register: String,
    /// Its value in lower case.
    pub value: String,
    /// The statement that trusts it.
    pub statement: String,
    /// Why it is not known what is trusted; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// All of it, with the beginning of the value.
    pub why: String,
}

/// Whether a key policy speaks of attestation at all.
pub fn mentions_attestation(policy: &Value) -> Answer<bool> {
    Document::read(policy).map(|d| d.statements.iter().flat_map(|s| &s.conditions).any(is_attesting))
}

/// The ways that a key policy opens to some actions, each named in full (`kms:Decrypt`), and what it demands there.
pub fn attestation(policy: &Value, actions: &[&str], context: &Context) -> Answer<Vec<Way>> {
    Document::read(policy).and_then(|document| {
        let mut found = Vec::new();
        for allow in document.statements.iter().filter(|s| s.effect == Effect::Allow) {
            let named = match &allow.principal {
                Principal::None => return Answer::Unknown(format!("statement {} has no principal", allow.name())),
                Principal::Is(named) => named.clone(),
                Principal::Not(_) => vec![Who::Everyone],
            };
            for one in &named {
                let allowed = actions.iter().filter(|a| allow.actions.covers(&Pattern::action(a)));
                add(&mut found, ways(&admitted_by(allow, one, context), one, allowed, &document, context));
            }
        }
        Answer::Known(found)
    })
}

/// The same for the grants of the key (`ListGrants`), beside its policy: a grant cannot demand attestation, but the
/// policy's Deny statements are for requests by grants, too (AWS KMS Developer Guide, "KMS key access and
/// permissions").
pub fn grant_attestation(policy: &Value, grants: &Value, actions: &[&str], context: &Context) -> Answer<Vec<Way>> {
    let Value::Array(grants) = grants else {
        return Answer::Unknown("the grants of the key are no list".to_string());
    };
    Document::read(policy).map(|document| {
        let mut found = Vec::new();
        for grant in grants {
            let given = key_grants::key_grant(grant, context);
            let grantee = key_grants::who(given.principals.first().map_or("", String::as_str));
            let start = Start::open(format!("grant {}", given.statement), given.principals);
            let allowed = actions.iter().filter(|a| given.actions.iter().any(|g| g.eq_ignore_ascii_case(a)));
            add(&mut found, ways(&start, &grantee, allowed, &document, context));
        }
        found
    })
}

/// The measurements that a key policy trusts: those that Allow statements ask for and Deny statements spare.
pub fn trusted_measurements(policy: &Value) -> Answer<Vec<Measurement>> {
    Document::read(policy).map(|document| {
        let trusted = |s: &Statement| -> Vec<Measurement> {
            s.conditions.iter().filter(|c| is_attesting(c)).flat_map(|c| trusted_by(s, c)).collect()
        };
        document.statements.iter().flat_map(trusted).collect()
    })
}

fn trusted_by(statement: &Statement, condition: &Condition) -> Vec<Measurement> {
    let register = register(condition).unwrap_or_default();
    let one = |value: &str, doubt| Measurement {
        register: register.clone(),
        value: value.to_ascii_lowercase(),
        statement: statement.name(),
        doubt,
        why: format!("{register} {} in statement {}", beginning(value), statement.name()),
    };
    match compared(condition) {
        Answer::Unknown(why) => vec![one("", Some(why))],
        Answer::Known(Compared::Values { negated }) if negated == (statement.effect == Effect::Deny) => {
            condition.values.iter().map(|v| one(v, None)).collect()
        }
        Answer::Known(_) => Vec::new(),
    }
}

/// As much of a value as tells it from others.
fn beginning(value: &str) -> String {
    match value.char_indices().nth(16) {
        Some((end, _)) => format!("{}…", value[..end].to_ascii_lowercase()),
        None => value.to_ascii_lowercase(),
    }
}

fn is_attesting(condition: &Condition) -> bool {
    condition.key.to_ascii_lowercase().starts_with(PREFIX)
}

/// The register that a condition is about. Sources: AWS KMS Developer Guide, "Condition keys for Nitro Enclaves" and
/// "Condition keys for NitroTPM".
fn register(condition: &Condition) -> Option<String> {
    let key = condition.key.to_ascii_lowercase();
    let name = key.strip_prefix(PREFIX)?.strip_prefix(':')?;
    if name == "imagesha384" {
        return Some("PCR0".to_string());
    }
    let (kind, number) = match name.strip_prefix("nitrotpmpcr") {
        Some(number) => ("NitroTPMPCR", number),
        None => ("PCR", name.strip_prefix("pcr")?),
    };
    let read: u8 = number.parse().ok()?;
    (read <= 31 && read.to_string() == number).then(|| format!("{kind}{number}"))
}

/// How a condition on attestation compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    /// With its values.
    Values {
        /// Whether it holds for all others.
        negated: bool,
    },
    /// Whether the key is absent.
    Absent(bool),
}

fn compared(condition: &Condition) -> Answer<Compared> {
    let odd = || Answer::Unknown(format!("the condition {} is not understood", condition.label()));
    if let Some(why) = &condition.doubt {
        return Answer::Unknown(why.clone());
    }
    if register(condition).is_none() || condition.values.is_empty() {
        return odd();
    }
    match condition.operator.test {
        Some(Test::StringEquals { negated } | Test::StringLike { negated }) => {
            // What the two together say of an absent key is not documented.
            let both = condition.operator.if_exists && condition.operator.set == Some(SetQualifier::ForAnyValue);
            if both { odd() } else { Answer::Known(Compared::Values { negated }) }
        }
        Some(Test::Null) if condition.values.iter().all(|v| v.eq_ignore_ascii_case("true")) => {
            Answer::Known(Compared::Absent(true))
        }
        Some(Test::Null) if condition.values.iter().all(|v| v.eq_ignore_ascii_case("false")) => {
            Answer::Known(Compared::Absent(false))
        }
        _ => odd(),
    }
}

/// Whether a condition holds for a request without an attestation document, where its key is absent.
fn holds_without_document(condition: &Condition) -> Answer<bool> {
    let (set, if_exists) = (condition.operator.set, condition.operator.if_exists);
    compared(condition).map(|compared| match compared {
        Compared::Absent(wanted) => wanted,
        Compared::Values { .. } if if_exists || set == Some(SetQualifier::ForAllValues) => true,
        Compared::Values { negated } => negated && set != Some(SetQualifier::ForAnyValue),
    })
}

/// Whether all values of a condition are measurements. Zeros are none: an enclave in debug mode has nothing else, and a
/// register that is not used has them (AWS Nitro Enclaves User Guide, "Cryptographic attestation").
fn names_measurements(condition: &Condition) -> bool {
    condition.values.iter().all(|v| is_fixed(v) && v.chars().any(|c| c != '0'))
}

/// Whether a condition of an Allow statement holds only for given measurements, among requests with a document.
fn admits_measurements(condition: &Condition, all: &[Condition]) -> Answer<bool> {
    compared(condition).and_then(|compared| match compared {
        Compared::Values { negated: false } if names_measurements(condition) => {
            let passes_absent = holds_without_document(condition).known().unwrap_or(true);
            if !passes_absent || is_guarded(condition, all) {
                Answer::Known(true)
            } else {
                Answer::Unknown(format!("{} holds where the document has no such register", condition.label()))
            }
        }
        _ => Answer::Known(false),
    })
}

/// Whether a `Null` condition of the same statement demands the register of a condition.
fn is_guarded(condition: &Condition, all: &[Condition]) -> bool {
    all.iter().any(|c| register(c) == register(condition) && compared(c) == Answer::Known(Compared::Absent(false)))
}

/// Whether a condition of a Deny statement holds for all measurements but given ones.
fn refuses_other_measurements(condition: &Condition) -> Answer<bool> {
    compared(condition).map(|compared| compared == Compared::Values { negated: true } && names_measurements(condition))
}

/// What one statement or grant demands, before Deny statements.
struct Start {
    name: String,
    principals: Vec<String>,
    document: Answer<bool>,
    measured: Answer<bool>,
    bonds: Bonds,
}

impl Start {
    fn open(name: String, principals: Vec<String>) -> Start {
        let no = Answer::Known(false);
        Start { name, principals, document: no.clone(), measured: no, bonds: Bonds::default() }
    }
}

/// What binds a way to a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bonds {
    to: Vec<String>,
    doubt: Option<String>,
}

impl Bonds {
    fn add(&mut self, label: String) {
        if !self.to.contains(&label) {
            self.to.push(label);
        }
    }

    fn register(&mut self, condition: &Condition, pinned: &Answer<bool>) {
        let Some(register) = register(condition).filter(|r| DEPLOYMENT.contains(&r.as_str())) else { return };
        match pinned {
            Answer::Known(true) => self.add(register),
            Answer::Known(false) => {}
            Answer::Unknown(why) => self.doubt = Some(why.clone()),
        }
    }

    fn caller(&mut self, bound: Bound) {
        match bound {
            Bound::To(binding) if matches!(binding.owner, Owner::Principal | Owner::Organization) => {
                binding.labels.into_iter().for_each(|label| self.add(label));
            }
            Bound::Unknown(why) => self.doubt = Some(why),
            _ => {}
        }
    }
}

fn any(facts: impl Iterator<Item = Answer<bool>>) -> Answer<bool> {
    facts.fold(Answer::Known(false), Answer::<bool>::or)
}

fn all(facts: impl Iterator<Item = Answer<bool>>) -> Answer<bool> {
    facts.fold(Answer::Known(true), Answer::<bool>::and)
}

/// The conditions on attestation, and the others.
fn parted(conditions: &[Condition]) -> (Vec<Condition>, Vec<Condition>) {
    conditions.iter().cloned().partition(is_attesting)
}

fn admitted_by(allow: &Statement, one: &Who, context: &Context) -> Start {
    let (attesting, others) = parted(&allow.conditions);
    let mut bonds = Bonds::default();
    for condition in &attesting {
        bonds.register(condition, &admits_measurements(condition, &attesting));
    }
    let callers: Vec<Condition> = others.into_iter().filter(|c| CALLER.contains(&c.key_name().as_str())).collect();
    bonds.caller(admitted(&callers, context));
    Start {
        name: format!("statement {}", allow.name()),
        principals: vec![principal_name(allow, one)],
        document: any(attesting.iter().map(|c| holds_without_document(c).map(|holds| !holds))),
        measured: any(attesting.iter().map(|c| admits_measurements(c, &attesting))),
        bonds,
    }
}

/// The ways that one principal has, one for all actions that are treated alike.
fn ways<'a>(
    start: &Start,
    one: &Who,
    actions: impl Iterator<Item = &'a &'a str>,
    document: &Document,
    context: &Context,
) -> Vec<Way> {
    let mut found: Vec<Way> = Vec::new();
    for way in actions.filter_map(|action| way(start, one, action, document, context)) {
        match found.iter_mut().find(|w| alike(w, &way)) {
            Some(other) => extend(&mut other.actions, &way.actions),
            None => found.push(way),
        }
    }
    found
}

/// What Deny statements leave of a way; nothing where they take all of it.
fn way(start: &Start, one: &Who, action: &str, document: &Document, context: &Context) -> Option<Way> {
    let (mut demanded, mut measured) = (start.document.clone(), start.measured.clone());
    let mut bonds = start.bonds.clone();
    for deny in document.statements.iter().filter(|s| s.effect == Effect::Deny && covers(s, action, context)) {
        let (attesting, others) = parted(&deny.conditions);
        let reaches = names(deny, one).and(all(others.iter().map(|c| certainly_holds(c, one, context))));
        if attesting.is_empty() {
            if reaches == Answer::Known(true) {
                return None;
            }
            if names(deny, one) == Answer::Known(true) {
                bonds.caller(spared(&others, context, callers(one)));
            }
        }
        let others_refused = reaches.clone().and(all(attesting.iter().map(refuses_other_measurements)));
        if attesting.iter().all(|c| register(c).is_some_and(|r| DEPLOYMENT.contains(&r.as_str()))) {
            attesting.iter().for_each(|c| bonds.register(c, &others_refused));
        }
        measured = measured.or(others_refused);
        demanded = demanded.or(reaches.and(all(attesting.iter().map(holds_without_document))));
    }
    let measured = known_way(demanded.clone().and(measured), one);
    let demanded = known_way(demanded, one);
    Some(described(start, action, &demanded, &measured, bonds))
}

/// What is not demanded is no way for certain where nobody knows who the principal is: one that was deleted, or one
/// that is not understood.
fn known_way(fact: Answer<bool>, one: &Who) -> Answer<bool> {
    match (&fact, one) {
        (Answer::Known(false), Who::UniqueId(text) | Who::NotUnderstood(text)) => {
            Answer::Unknown(format!("who {text} is, is not known"))
        }
        _ => fact,
    }
}

fn described(start: &Start, action: &str, document: &Answer<bool>, measured: &Answer<bool>, bonds: Bonds) -> Way {
    Way {
        statement: start.name.clone(),
        principals: start.principals.clone(),
        actions: vec![action.to_string()],
        document: demand(document),
        measurement: demand(measured),
        doubt: document.doubt().or(measured.doubt()).map(str::to_string),
        bound_to: bonds.to,
        bound_doubt: bonds.doubt,
        why: String::new(),
    }
}

fn demand(fact: &Answer<bool>) -> Demand {
    match fact {
        Answer::Known(true) => Demand::Demanded,
        Answer::Known(false) => Demand::Open,
        Answer::Unknown(_) => Demand::Unknown,
    }
}

/// Whether a Deny statement is for an action on the key.
fn covers(deny: &Statement, action: &str, context: &Context) -> bool {
    let key = context.resource.is_some_and(|arn| deny.resources.covers(&Pattern::plain(arn)));
    deny.actions.covers(&Pattern::action(action)) && (key || deny.resources.covers(&Pattern::plain("*")))
}

/// Whether a Deny statement names everybody that `one` stands for.
fn names(deny: &Statement, one: &Who) -> Answer<bool> {
    match spared_principals(deny, one) {
        Bound::Nobody => Answer::Known(true),
        Bound::Loose | Bound::To(_) => Answer::Known(false),
        Bound::Unknown(why) => Answer::Unknown(format!("of the Deny statement {}, {why}", deny.name())),
    }
}

/// AWS KMS answers signed requests only.
fn callers(one: &Who) -> Callers {
    match one {
        Who::Service(_) => Callers::Services,
        _ => Callers::Signed,
    }
}

/// Whether a condition of a Deny statement holds for every request of `one`.
fn certainly_holds(condition: &Condition, one: &Who, context: &Context) -> Answer<bool> {
    if let Some(holds) = holds_for_account(condition, one).or_else(|| holds_for_arn(condition, one)) {
        return Answer::Known(holds);
    }
    match spared(std::slice::from_ref(condition), context, callers(one)) {
        Bound::Nobody => Answer::Known(true),
        Bound::Loose if is_of_principal(condition, one) => {
            Answer::Unknown(format!("whether {} holds for the principal is not known", condition.label()))
        }
        Bound::Loose => Answer::Known(false),
        Bound::Unknown(why) => Answer::Unknown(why),
        Bound::To(binding) => match one {
            Who::Aws { account, .. } => Answer::Known(binding.complete && !binding.accounts.contains(account)),
            _ => Answer::Known(false),
        },
    }
}

/// Whether a condition is on what a single principal is always, or never: its tags, its organization.
fn is_of_principal(condition: &Condition, one: &Who) -> bool {
    let key = condition.key_name();
    let of_principal = key.starts_with("aws:principal") && key != "aws:principalisawsservice";
    of_principal && matches!(one, Who::Aws { whole_account: false, .. })
}

/// Whether a condition on the caller's account holds for an account or a principal of it.
fn holds_for_account(condition: &Condition, one: &Who) -> Option<bool> {
    let Who::Aws { account, .. } = one else { return None };
    let of_account = matches!(condition.key_name().as_str(), "aws:principalaccount" | "kms:calleraccount");
    of_account.then(|| text_holds(condition, account)).flatten()
}

/// Whether a condition on `aws:PrincipalArn` holds for a role or user; nothing for other conditions and principals. In a
/// session of a role the key holds the role, so that a session as a principal says nothing here.
fn holds_for_arn(condition: &Condition, one: &Who) -> Option<bool> {
    let Who::Aws { text, whole_account: false, .. } = one else { return None };
    let of_arn = condition.key_name() == "aws:principalarn" && text.contains(":iam::");
    of_arn.then(|| arn_holds(condition, text)).flatten()
}

/// Adds ways, to equal ones for other principals where there are such.
fn add(found: &mut Vec<Way>, ways: Vec<Way>) {
    for mut way in ways {
        match found.iter_mut().find(|w| w.actions == way.actions && alike(w, &way)) {
            Some(other) => {
                extend(&mut other.principals, &way.principals);
                other.why = reason(other);
            }
            None => {
                way.why = reason(&way);
                found.push(way);
            }
        }
    }
}

/// Whether two ways have all but principals and actions in common.
fn alike(a: &Way, b: &Way) -> bool {
    (&a.statement, a.document, a.measurement, &a.doubt) == (&b.statement, b.document, b.measurement, &b.doubt)
        && (&a.bound_to, &a.bound_doubt) == (&b.bound_to, &b.bound_doubt)
}

fn extend(list: &mut Vec<String>, more: &[String]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

fn reason(way: &Way) -> String {
    let demand = match (way.document, way.measurement) {
        (_, Demand::Demanded) => "for given measurements only",
        (Demand::Demanded, Demand::Open) => "with an attestation document of any image",
        (Demand::Demanded, Demand::Unknown) => "with an attestation document, perhaps of any image",
        (Demand::Open, _) => "without attestation",
        (Demand::Unknown, _) => "perhaps without attestation",
    };
    format!("{} allows {} to {} {demand}", way.statement, way.actions.join(", "), way.principals.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const OWN: &str = "111122223333";
    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const ROLE: &str = "arn:aws:iam::111122223333:role/enclave";
    const IMAGE: &str = "kms:RecipientAttestation:ImageSha384";
    const PCR0: &str = "kms:RecipientAttestation:PCR0";
    const PCR3: &str = "kms:RecipientAttestation:PCR3";
    const PCR8: &str = "kms:RecipientAttestation:PCR8";
    const VALUE: &str =
        "9fedcba8abcdef7abcdef6abcdef5abcdef4abcdef3abcdef2abcdef1abcdef0abcdef1abcdef2abcdef3abcdef4abcdef5a";
    const ZEROS: &str =
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
    const ACTIONS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

    fn context() -> Context<'static> {
        Context {
            account: OWN,
            partition: "aws",
            organization: None,
            resource: Some("arn:aws:kms:us-east-1:111122223333:key/k"),
        }
    }

    fn policy(statements: &[Value]) -> Value {
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn statement(effect: &str, principal: &str, condition: Value) -> Value {
        json!({"Sid": effect, "Effect": effect, "Principal": {"AWS": principal}, "Action": "kms:Decrypt",
            "Resource": "*", "Condition": condition})
    }

    fn ways_of(statements: &[Value]) -> Vec<Way> {
        attestation(&policy(statements), &ACTIONS, &context()).known().unwrap()
    }

    /// `d` for a document, `m` for a measurement, in capitals where it is demanded, `?` where it is not known.
    fn letters(ways: &[Way]) -> String {
        let letter = |demand: Demand, letter: char| match demand {
            Demand::Demanded => letter.to_ascii_uppercase(),
            Demand::Open => letter,
            Demand::Unknown => '?',
        };
        ways.iter().flat_map(|w| [letter(w.document, 'd'), letter(w.measurement, 'm')]).collect()
    }

    fn allowed(condition: Value) -> String {
        letters(&ways_of(&[statement("Allow", ROLE, condition)]))
    }

    fn denied(condition: Value) -> String {
        letters(&ways_of(&[statement("Allow", ROLE, json!({})), statement("Deny", "*", condition)]))
    }

    #[test]
    fn what_an_allow_demands() {
        for (condition, expected) in [
            (json!({}), "dm"),
            (json!({"StringEqualsIgnoreCase": {IMAGE: VALUE}}), "DM"),
            (json!({"StringEquals": {"KMS:recipientattestation:pcr0": [VALUE, "ab"]}}), "DM"),
            (json!({"StringLike": {PCR0: VALUE}}), "DM"),
            (json!({"ForAnyValue:StringEquals": {PCR8: VALUE}}), "DM"),
            (json!({"StringEquals": {"kms:RecipientAttestation:NitroTPMPCR4": VALUE}}), "DM"),
            (json!({"StringEqualsIfExists": {PCR0: VALUE}}), "dm"),
            (json!({"ForAllValues:StringEquals": {PCR0: VALUE}}), "dm"),
            (json!({"ForAllValues:StringEquals": {PCR0: VALUE}, "Null": {PCR0: "false"}}), "DM"),
            (json!({"ForAllValues:StringEquals": {PCR0: VALUE}, "Null": {IMAGE: "false"}}), "DM"),
            (json!({"StringEqualsIfExists": {PCR0: VALUE}, "Null": {PCR0: false}}), "DM"),
            (json!({"ForAllValues:StringEquals": {PCR0: VALUE}, "Null": {PCR0: "true"}}), "dm"),
            (json!({"ForAllValues:StringEquals": {PCR8: VALUE}, "Null": {PCR0: "false"}}), "D?"),
            (json!({"Null": {PCR0: "false"}}), "Dm"),
            (json!({"Null": {PCR0: "true"}}), "dm"),
            (json!({"StringLike": {PCR0: "*"}}), "Dm"),
            (json!({"StringLike": {PCR0: [VALUE, "9f*"]}}), "Dm"),
            (json!({"StringEquals": {PCR0: ZEROS}}), "Dm"),
            (json!({"StringEquals": {PCR0: [VALUE, ZEROS]}}), "Dm"),
            (json!({"StringEquals": {PCR0: "${kms:RecipientAttestation:PCR0}"}}), "Dm"),
            (json!({"StringNotEquals": {PCR0: VALUE}}), "dm"),
            (json!({"ForAnyValue:StringNotEquals": {PCR0: VALUE}}), "Dm"),
            (json!({"StringResembles": {PCR0: VALUE}}), "??"),
            (json!({"Bool": {PCR0: "true"}}), "??"),
            (json!({"Null": {PCR0: []}}), "??"),
            (json!({"Null": {PCR0: ["true", "false"]}}), "??"),
            (json!({"StringEquals": {"kms:RecipientAttestation:PCR32": VALUE}}), "??"),
            (json!({"StringEquals": {"kms:RecipientAttestation:PCR00": VALUE}}), "??"),
            (json!({"StringResembles": {PCR0: VALUE}, "StringEquals": {PCR8: VALUE}}), "DM"),
            (json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}), "dm"),
        ] {
            assert_eq!(allowed(condition.clone()), expected, "{condition}");
        }
    }

    #[test]
    fn what_a_deny_leaves_demanded() {
        for (condition, expected) in [
            (json!({}), ""),
            (json!({"Null": {PCR0: "true"}}), "Dm"),
            (json!({"Null": {PCR0: "false"}}), "dm"),
            (json!({"StringNotEqualsIgnoreCase": {PCR0: VALUE}}), "DM"),
            (json!({"StringNotEqualsIfExists": {PCR0: VALUE}}), "DM"),
            (json!({"StringNotLike": {IMAGE: [VALUE, "ab"]}}), "DM"),
            (json!({"StringNotLike": {IMAGE: "*"}}), "Dm"),
            (json!({"StringNotEquals": {PCR0: ZEROS}}), "Dm"),
            (json!({"ForAnyValue:StringNotEquals": {PCR0: VALUE}}), "dm"),
            (json!({"ForAllValues:StringNotEquals": {PCR0: VALUE}}), "DM"),
            (json!({"StringNotEquals": {PCR0: VALUE, PCR8: VALUE}}), "DM"),
            (json!({"StringNotEquals": {PCR0: VALUE}, "Null": {PCR8: "true"}}), "Dm"),
            (json!({"StringEquals": {PCR0: VALUE}}), "dm"),
            (json!({"StringEqualsIfExists": {PCR0: VALUE}}), "Dm"),
            (json!({"StringResembles": {PCR0: VALUE}}), "??"),
            (json!({"Null": {PCR0: "true"}, "Bool": {"aws:SecureTransport": "false"}}), "dm"),
            (json!({"Null": {PCR0: "true"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}), "Dm"),
            (json!({"Null": {PCR0: "true"}, "StringNotEquals": {"aws:PrincipalAccount": OWN}}), "dm"),
            (json!({"Null": {PCR0: "true"}, "StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}), "Dm"),
            (json!({"Null": {PCR0: "true"}, "StringEquals": {"aws:PrincipalAccount": OWN}}), "Dm"),
            (json!({"Null": {PCR0: "true"}, "StringEquals": {"aws:PrincipalAccount": "444455556666"}}), "dm"),
            (json!({"Null": {PCR0: "true"}, "StringEquals": {"aws:PrincipalTag/team": "x"}}), "?m"),
            (json!({"Null": {PCR0: "true"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}), "Dm"),
            (json!({"Null": {PCR0: "true"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/encl*"}}), "dm"),
            (json!({"Null": {PCR0: "true"}, "ArnEquals": {"aws:PrincipalArn": ROLE}}), "Dm"),
            (json!({"Null": {PCR0: "true"}, "ArnLike": {"aws:PrincipalArn": "arn:*:role/enclave"}}), "?m"),
            (json!({"Null": {PCR0: "true"}, "StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}), "dm"),
            (json!({"Null": {PCR0: "true"}, "StringNotEquals": {"aws:NewKey": "x"}}), "?m"),
        ] {
            assert_eq!(denied(condition.clone()), expected, "{condition}");
        }
    }

    #[test]
    fn a_deny_counts_only_for_whom_what_and_which_key_it_names() {
        let null = json!({"Null": {PCR0: "true"}});
        let root = statement("Allow", ROOT, json!({}));
        let with = |deny: Value| letters(&ways_of(&[root.clone(), deny]));
        assert_eq!(with(statement("Deny", "*", null.clone())), "Dm");
        assert_eq!(with(statement("Deny", ROOT, null.clone())), "Dm");
        assert_eq!(with(statement("Deny", ROLE, null.clone())), "dm");
        assert_eq!(with(statement("Deny", "444455556666", null.clone())), "dm");
        for (member, value, expected) in [
            ("Action", json!("kms:*"), "Dm"),
            ("Action", json!("kms:Encrypt"), "dm"),
            ("Resource", json!("arn:aws:kms:us-east-1:111122223333:key/k"), "Dm"),
            ("Resource", json!("arn:aws:kms:us-east-1:111122223333:key/other"), "dm"),
        ] {
            let mut deny = statement("Deny", "*", null.clone());
            deny[member] = value.clone();
            assert_eq!(with(deny), expected, "{member} {value}");
        }
        let mut spares = statement("Deny", "*", null);
        spares.as_object_mut().unwrap().remove("Principal");
        spares["NotPrincipal"] = json!({"AWS": ROLE});
        assert_eq!(with(spares), "dm");
    }

    #[test]
    fn statements_that_each_refuse_a_part_refuse_all_together() {
        let allow = statement("Allow", ROLE, json!({"ForAnyValue:StringEquals": {PCR8: "*"}}));
        let others = statement("Deny", "*", json!({"ForAnyValue:StringNotEquals": {PCR0: VALUE}}));
        let none = statement("Deny", "*", json!({"Null": {PCR0: "true"}}));
        assert_eq!(letters(&ways_of(&[statement("Allow", ROLE, json!({})), others.clone()])), "dm");
        assert_eq!(letters(&ways_of(&[statement("Allow", ROLE, json!({})), others.clone(), none])), "DM");
        assert_eq!(letters(&ways_of(&[allow, others])), "DM");
    }

    #[test]
    fn only_the_actions_that_are_asked_for_are_ways_and_alike_ones_stand_together() {
        let mut all = statement("Allow", ROOT, json!({}));
        all["Principal"] = json!({"AWS": [ROOT, ROLE]});
        all["Action"] = json!("kms:*");
        let ways = ways_of(&[all.clone()]);
        assert_eq!(ways.len(), 1);
        assert_eq!(
            ways[0].why,
            format!("statement 'Allow' allows kms:Decrypt, kms:GenerateDataKey to {ROOT}, {ROLE} without attestation")
        );
        all["Action"] = json!(["kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext"]);
        assert!(ways_of(&[all.clone()]).is_empty());
        all.as_object_mut().unwrap().remove("Action");
        all["NotAction"] = json!("kms:Decrypt");
        assert_eq!(ways_of(&[all])[0].actions, ["kms:GenerateDataKey"]);
    }

    #[test]
    fn a_principal_that_nobody_knows_is_no_proof_of_a_way() {
        assert_eq!(letters(&ways_of(&[statement("Allow", "AROADBQP57FF2AEXAMPLE", json!({}))])), "??");
        let demanded = json!({"StringEquals": {PCR0: VALUE}});
        assert_eq!(letters(&ways_of(&[statement("Allow", "AROADBQP57FF2AEXAMPLE", demanded)])), "DM");
    }

    fn bound(condition: Value) -> (Vec<String>, bool) {
        let way = ways_of(&[statement("Allow", ROLE, condition)]).remove(0);
        (way.bound_to, way.bound_doubt.is_some())
    }

    #[test]
    fn what_binds_to_a_deployment() {
        for (condition, expected, doubt) in [
            (json!({"StringEquals": {PCR0: VALUE}}), vec![], false),
            (json!({"StringEquals": {PCR0: VALUE, PCR3: VALUE}}), vec!["PCR3"], false),
            (
                json!({"StringEquals": {"kms:RecipientAttestation:PCR4": VALUE, PCR8: VALUE}}),
                vec!["PCR4", "PCR8"],
                false,
            ),
            (json!({"StringEquals": {PCR8: ZEROS}}), vec![], false),
            (json!({"StringResembles": {PCR8: VALUE}}), vec![], true),
            (
                json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}),
                vec!["StringEquals aws:PrincipalOrgID"],
                false,
            ),
            (json!({"StringEquals": {"kms:CallerAccount": OWN}}), vec!["StringEquals kms:CallerAccount"], false),
            (json!({"StringLike": {"aws:PrincipalOrgID": "*"}}), vec![], false),
            (json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}), vec![], false),
            (json!({"StringResembles": {"aws:PrincipalAccount": OWN}}), vec![], true),
        ] {
            let (to, doubtful) = bound(condition.clone());
            assert_eq!((to.iter().map(String::as_str).collect(), doubtful), (expected, doubt), "{condition}");
        }
    }

    #[test]
    fn a_deny_binds_where_it_refuses_all_others() {
        let bound = |condition| {
            let allow = statement("Allow", ROLE, json!({"StringEquals": {PCR0: VALUE}}));
            ways_of(&[allow, statement("Deny", "*", condition)]).remove(0).bound_to
        };
        assert_eq!(bound(json!({"StringNotEquals": {PCR8: VALUE}})), ["PCR8"]);
        assert!(bound(json!({"StringNotEquals": {PCR8: VALUE, PCR0: VALUE}})).is_empty());
        assert_eq!(
            bound(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abc1234567"}})),
            ["StringNotEquals aws:PrincipalOrgID"]
        );
    }

    fn of_grant(principal: &str, operation: &str, statements: &[Value]) -> String {
        let grants = json!([{"KeyId": "k", "GrantId": "g", "GranteePrincipal": principal, "Operations": [operation]}]);
        letters(&grant_attestation(&policy(statements), &grants, &ACTIONS, &context()).known().unwrap())
    }

    #[test]
    fn a_grant_is_a_way_around_unless_the_policy_denies() {
        let null = || statement("Deny", "*", json!({"Null": {PCR0: "true"}}));
        assert_eq!(of_grant(ROLE, "Decrypt", &[]), "dm");
        assert_eq!(of_grant(ROLE, "Decrypt", &[null()]), "Dm");
        assert_eq!(of_grant(ROLE, "Decrypt", &[statement("Deny", "*", json!({}))]), "");
        assert_eq!(of_grant(ROLE, "GenerateDataKey", &[null()]), "dm");
        assert_eq!(of_grant(ROLE, "Encrypt", &[]), "");
        assert_eq!(of_grant("rds.us-east-1.amazonaws.com", "Decrypt", &[]), "dm");
        assert_eq!(of_grant("AROADBQP57FF2AEXAMPLE", "Decrypt", &[]), "??");
        let known =
            |policy: &Value, grants: &Value| grant_attestation(policy, grants, &ACTIONS, &context()).doubt().is_none();
        assert!(known(&policy(&[]), &json!([])));
        assert!(!known(&policy(&[]), &json!({})));
        assert!(!known(&json!("{"), &json!([])));
    }

    #[test]
    fn trusted_are_the_measurements_that_pass() {
        let found = trusted_measurements(&policy(&[
            statement("Allow", ROLE, json!({"StringEqualsIgnoreCase": {IMAGE: ["AB", "cd"]}, "Null": {PCR0: "false"}})),
            statement("Allow", ROLE, json!({"StringNotEquals": {PCR0: "no"}})),
            statement("Deny", "*", json!({"StringNotEquals": {PCR8: "ef"}, "StringEquals": {PCR3: "no"}})),
            statement("Deny", "*", json!({"StringResembles": {PCR3: "x"}})),
        ]))
        .known()
        .unwrap();
        let shown: Vec<String> = found.iter().map(|m| format!("{} {}", m.register, m.value)).collect();
        assert_eq!(shown, ["PCR0 ab", "PCR0 cd", "PCR8 ef", "PCR3 "]);
        assert_eq!(found.iter().map(|m| m.doubt.is_some()).collect::<Vec<_>>(), [false, false, false, true]);
    }

    #[test]
    fn any_condition_on_attestation_is_a_mention() {
        let mentions = |condition| mentions_attestation(&policy(&[statement("Deny", "*", condition)])).known();
        assert_eq!(mentions(json!({"Odd": {"kms:recipientattestation:New": "x"}})), Some(true));
        assert_eq!(mentions(json!({"StringEquals": {"kms:ViaService": "x"}})), Some(false));
        assert!(mentions_attestation(&json!("{")).doubt().is_some());
        assert!(attestation(&json!("{"), &ACTIONS, &context()).doubt().is_some());
    }

    fn block() -> impl Strategy<Value = Value> {
        let operator = prop_oneof![
            Just("StringEquals"),
            Just("StringNotEquals"),
            Just("StringLikeIfExists"),
            Just("ForAllValues:StringEquals"),
            Just("ForAnyValue:StringNotEquals"),
            Just("Null"),
            Just("Odd"),
        ];
        let key = prop_oneof![Just(PCR0), Just(PCR8), Just("aws:PrincipalOrgID"), Just("aws:Odd")];
        let value = prop_oneof![Just(VALUE), Just("*"), Just("true"), Just("false"), Just(ZEROS)];
        prop_oneof![Just(json!({})), (operator, key, value).prop_map(|(o, k, v)| json!({o: {k: v}}))]
    }

    proptest! {
        #[test]
        fn adding_a_deny_never_opens_a_way(allow in block(), first in block(), more in block()) {
            let base = [statement("Allow", ROLE, allow), statement("Deny", "*", first)];
            let rank = |ways: &[Way]| ways.first().map_or((3, 3), |w| {
                let rank = |d: Demand| match d { Demand::Open => 0, Demand::Unknown => 1, Demand::Demanded => 2 };
                (rank(w.document), rank(w.measurement))
            });
            let before = rank(&ways_of(&base));
            let after = rank(&ways_of(&[base[0].clone(), base[1].clone(), statement("Deny", "*", more)]));
            prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{before:?} {after:?}");
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let text = Value::String(text);
            let _ = attestation(&text, &ACTIONS, &context());
            let _ = trusted_measurements(&text);
        }
    }
}
