//! The reader of policy documents: JSON, in any of the forms in which AWS hands it out, into statements. It says
//! what a document states and judges nothing; what it does not understand makes the document unknown, and a
//! condition that it does not understand is kept as such. It must never guess.

use super::matching::Pattern;
use crate::semantics::Answer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Longer documents are not read. The largest that AWS accepts are key policies with 32 kB; percent-encoding can
/// treble that.
const MAX_BYTES: usize = 256 * 1024;

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its statements, in their order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its `Sid`, where it has one of its own.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Whom it names.
    pub principal: Principal,
    /// The actions.
    pub actions: Selection,
    /// The resources; everything where the statement has none, as in trust policies.
    pub resources: Selection,
    /// The conditions, all of which must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// Whom a statement names.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// It has no principal: a policy of an identity.
    None,
    /// `Principal`.
    Is(Vec<Who>),
    /// `NotPrincipal`: everybody else.
    Not(Vec<Who>),
}

/// One principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// `"*"`, or `{"AWS": "*"}`, which means the same in a resource policy.
    Everyone,
    /// An AWS principal of an account.
    Aws {
        /// The 12-digit account id.
        account: String,
        /// As it is written.
        text: String,
        /// Whether it is the account itself (its id or its `root` ARN): everybody in it.
        whole_account: bool,
    },
    /// A unique id (`AIDA…`, `AROA…`): what AWS shows for a principal that was deleted.
    UniqueId(String),
    /// A CloudFront origin access identity.
    OriginAccessIdentity(String),
    /// A service principal.
    Service(String),
    /// An identity provider: an ARN, or the name of a web identity provider that AWS knows.
    Federated(String),
    /// An S3 canonical user id.
    CanonicalUser(String),
    /// Something else.
    NotUnderstood(String),
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Whether it is the `Not…` form: everything but the patterns.
    pub inverted: bool,
    /// The patterns.
    pub patterns: Vec<Pattern>,
}

impl Selection {
    fn everything() -> Self {
        Selection { inverted: false, patterns: vec![Pattern::plain("*")] }
    }

    /// The patterns as they are written.
    pub fn texts(&self) -> Vec<String> {
        self.patterns.iter().map(|p| p.text().to_string()).collect()
    }

    /// Whether it selects, for certain, everything that `piece` matches.
    pub(crate) fn covers(&self, piece: &Pattern) -> bool {
        if self.inverted {
            !self.patterns.iter().any(|p| p.overlaps(piece))
        } else {
            self.patterns.iter().any(|p| p.covers(piece))
        }
    }

    /// Whether it selects anything that `piece` matches.
    pub(crate) fn overlaps(&self, piece: &Pattern) -> bool {
        if self.inverted {
            !self.patterns.iter().any(|p| p.covers(piece))
        } else {
            self.patterns.iter().any(|p| p.overlaps(piece))
        }
    }
}

/// One key of a `Condition` block under one operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The key as it is written.
    pub key: String,
    /// The values, any of which may match; booleans and numbers as text.
    pub values: Vec<String>,
    /// Why its meaning is not known, where it is not.
    pub doubt: Option<String>,
    /// Whether `${…}` is a policy variable in the values (from version 2012-10-17 on).
    pub variables: bool,
}

impl Condition {
    /// As it is shown in reasons: operator and key.
    pub fn label(&self) -> String {
        format!("{} {}", self.operator.text, self.key)
    }

    /// The key in lower case, as keys are compared; what follows the first `/` (a tag's key) keeps its case.
    pub(crate) fn key_name(&self) -> String {
        match self.key.split_once('/') {
            Some((name, rest)) => format!("{}/{rest}", name.to_ascii_lowercase()),
            None => self.key.to_ascii_lowercase(),
        }
    }
}

/// A condition operator with its qualifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As it is written.
    pub text: String,
    /// What it compares; `None` where it is not an operator that is known.
    pub test: Option<Test>,
    /// `ForAllValues:` or `ForAnyValue:`.
    pub set: Option<SetQualifier>,
    /// `…IfExists`.
    pub if_exists: bool,
}

/// How the values of a multivalued key are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetQualifier {
    /// Every value in the request matches; also true where there is none.
    ForAllValues,
    /// Some value in the request matches.
    ForAnyValue,
}

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// `StringEquals`, `StringNotEquals`, and their `IgnoreCase` forms.
    StringEquals {
        /// The `Not` form.
        negated: bool,
    },
    /// `StringLike`, `StringNotLike`.
    StringLike {
        /// The `Not` form.
        negated: bool,
    },
    /// `ArnEquals`, `ArnLike` and their `Not` forms; AWS treats equals and like alike.
    Arn {
        /// The `Not` form.
        negated: bool,
    },
    /// `IpAddress`, `NotIpAddress`.
    IpAddress {
        /// The `Not` form.
        negated: bool,
    },
    /// `Bool`.
    Bool,
    /// `Null`.
    Null,
    /// `Numeric…`.
    Numeric(Order),
    /// `Date…`.
    Date(Order),
    /// `BinaryEquals`.
    BinaryEquals,
}

/// The comparison of a numeric or date operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `Equals`.
    Equals,
    /// `NotEquals`.
    NotEquals,
    /// `LessThan`.
    LessThan,
    /// `LessThanEquals`.
    LessThanEquals,
    /// `GreaterThan`.
    GreaterThan,
    /// `GreaterThanEquals`.
    GreaterThanEquals,
}

impl Operator {
    /// Reads an operator's name. Names are compared without case.
    pub(crate) fn parse(text: &str) -> Operator {
        let lower = text.to_ascii_lowercase();
        let (set, base) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Some(SetQualifier::ForAllValues), rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Some(SetQualifier::ForAnyValue), rest)
        } else {
            (None, lower.as_str())
        };
        let (if_exists, base) = match base.strip_suffix("ifexists") {
            Some(rest) => (true, rest),
            None => (false, base),
        };
        let test = test_of(base).filter(|t| *t != Test::Null || (set.is_none() && !if_exists));
        Operator { text: text.to_string(), test, set, if_exists }
    }
}

fn test_of(base: &str) -> Option<Test> {
    if let Some(rest) = base.strip_prefix("numeric") {
        return order_of(rest).map(Test::Numeric);
    }
    if let Some(rest) = base.strip_prefix("date") {
        return order_of(rest).map(Test::Date);
    }
    Some(match base {
        "stringequals" | "stringequalsignorecase" => Test::StringEquals { negated: false },
        "stringnotequals" | "stringnotequalsignorecase" => Test::StringEquals { negated: true },
        "stringlike" => Test::StringLike { negated: false },
        "stringnotlike" => Test::StringLike { negated: true },
        "arnequals" | "arnlike" => Test::Arn { negated: false },
        "arnnotequals" | "arnnotlike" => Test::Arn { negated: true },
        "ipaddress" => Test::IpAddress { negated: false },
        "notipaddress" => Test::IpAddress { negated: true },
        "bool" => Test::Bool,
        "null" => Test::Null,
        "binaryequals" => Test::BinaryEquals,
        _ => return None,
    })
}

fn order_of(text: &str) -> Option<Order> {
    Some(match text {
        "equals" => Order::Equals,
        "notequals" => Order::NotEquals,
        "lessthan" => Order::LessThan,
        "lessthanequals" => Order::LessThanEquals,
        "greaterthan" => Order::GreaterThan,
        "greaterthanequals" => Order::GreaterThanEquals,
        _ => return None,
    })
}

impl Document {
    /// Reads a document: an object, a string of JSON, or a string of percent-encoded JSON (as IAM hands it out).
    pub fn read(value: &Value) -> Answer<Document> {
        let read = match value {
            Value::Object(object) => read_document(object),
            Value::String(text) => parse_text(text).and_then(|value| match &value {
                Value::Object(object) => read_document(object),
                _ => Err("the policy is not a JSON object".to_string()),
            }),
            _ => Err("the policy is neither an object nor text".to_string()),
        };
        match read {
            Ok(document) => Answer::Known(document),
            Err(why) => Answer::Unknown(why),
        }
    }
}

impl Statement {
    /// How it is named in reasons: its Sid, or its number counted from 1.
    pub fn name(&self) -> String {
        match &self.sid {
            Some(sid) => format!("'{sid}'"),
            None => format!("number {}", self.index + 1),
        }
    }
}

fn parse_text(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("the policy is longer than {} kB", MAX_BYTES / 1024));
    }
    let first = text.trim_start();
    if first.starts_with('%') {
        let decoded = percent_encoding::percent_decode_str(first)
            .decode_utf8()
            .map_err(|_| "the policy is not percent-encoded UTF-8".to_string())?;
        return parse_json(&decoded);
    }
    parse_json(text)
}

fn parse_json(text: &str) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = NoDuplicates.deserialize(&mut reader).map_err(|e| format!("the policy is not valid JSON ({e})"))?;
    reader.end().map_err(|e| format!("the policy is not valid JSON ({e})"))?;
    Ok(value)
}

/// Reads JSON and refuses an object that has the same member twice: which of the two AWS obeys is not known.
struct NoDuplicates;

impl<'de> DeserializeSeed<'de> for NoDuplicates {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(NoDuplicates)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(NoDuplicates)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("member '{key}' stands twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// An object's members by their names in lower case: a document that a service stored in another case can only
/// mean the same element. A member that is not an element of the grammar is an error.
fn elements<'a>(
    object: &'a Map<String, Value>,
    grammar: &[&str],
    what: &str,
) -> Result<BTreeMap<String, &'a Value>, String> {
    let mut found = BTreeMap::new();
    for (name, value) in object {
        let lower = name.to_ascii_lowercase();
        if !grammar.contains(&lower.as_str()) {
            return Err(format!("{what} has an element '{name}' that is not understood"));
        }
        if found.insert(lower, value).is_some() {
            return Err(format!("{what} has '{name}' twice"));
        }
    }
    Ok(found)
}

fn read_document(object: &Map<String, Value>) -> Result<Document, String> {
    let elements = elements(object, &["version", "id", "statement"], "the policy")?;
    let variables = match elements.get("version") {
        None => false,
        Some(Value::String(v)) if v == "2008-10-17" => false,
        Some(Value::String(v)) if v == "2012-10-17" => true,
        Some(_) => return Err("the policy has a version that is not understood".to_string()),
    };
    let statements = match elements.get("statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one @ Value::Object(_)) => vec![*one],
        Some(_) => return Err("the policy's Statement is neither a statement nor a list".to_string()),
        None => return Err("the policy has no Statement".to_string()),
    };
    let statements = statements.into_iter().enumerate().map(|(i, s)| read_statement(i, s, variables));
    let mut statements: Vec<Statement> = statements.collect::<Result<_, _>>()?;
    forget_shared_sids(&mut statements);
    Ok(Document { statements })
}

/// A `Sid` that stands twice tells nothing apart: such statements go by their numbers.
fn forget_shared_sids(statements: &mut [Statement]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sid in statements.iter().filter_map(|s| s.sid.clone()) {
        *times.entry(sid).or_default() += 1;
    }
    for statement in statements {
        statement.sid = statement.sid.take().filter(|sid| times[sid] == 1);
    }
}

const STATEMENT_ELEMENTS: [&str; 9] =
    ["sid", "effect", "principal", "notprincipal", "action", "notaction", "resource", "notresource", "condition"];

fn read_statement(index: usize, value: &Value, variables: bool) -> Result<Statement, String> {
    let what = format!("statement number {}", index + 1);
    let object = value.as_object().ok_or_else(|| format!("{what} is not an object"))?;
    let elements = elements(object, &STATEMENT_ELEMENTS, &what)?;
    let sid = match elements.get("sid") {
        None | Some(Value::Null) => None,
        Some(Value::String(sid)) if sid.is_empty() => None,
        Some(Value::String(sid)) => Some(sid.clone()),
        Some(Value::Number(sid)) => Some(sid.to_string()),
        Some(_) => return Err(format!("{what} has a Sid that is not text")),
    };
    let effect = match elements.get("effect").and_then(|v| v.as_str()) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(format!("{what} has an Effect that is neither Allow nor Deny")),
    };
    let action = |text: &str| Pattern::action(text);
    let resource = |text: &str| if variables { Pattern::with_variables(text) } else { Pattern::plain(text) };
    let actions = read_selection(&elements, "action", "notaction", &what, action)?
        .ok_or_else(|| format!("{what} has no Action"))?;
    let resources = read_selection(&elements, "resource", "notresource", &what, resource)?;
    Ok(Statement {
        index,
        sid,
        effect,
        principal: read_principal(&elements, &what)?,
        actions,
        resources: resources.unwrap_or_else(Selection::everything),
        conditions: read_conditions(elements.get("condition").copied(), variables, &what)?,
    })
}

fn read_selection(
    elements: &BTreeMap<String, &Value>,
    is: &str,
    not: &str,
    what: &str,
    pattern: impl Fn(&str) -> Pattern,
) -> Result<Option<Selection>, String> {
    let (value, inverted) = match (elements.get(is), elements.get(not)) {
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("{what} has both {is} and {not}")),
    };
    let texts = texts(value).ok_or_else(|| format!("{what} has a member in {is} or {not} that is not text"))?;
    Ok(Some(Selection { inverted, patterns: texts.into_iter().map(pattern).collect() }))
}

/// One text, or a list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn read_principal(elements: &BTreeMap<String, &Value>, what: &str) -> Result<Principal, String> {
    match (elements.get("principal"), elements.get("notprincipal")) {
        (None, None) => Ok(Principal::None),
        (Some(value), None) => Ok(Principal::Is(read_who(value, what)?)),
        (None, Some(value)) => Ok(Principal::Not(read_who(value, what)?)),
        (Some(_), Some(_)) => Err(format!("{what} has both Principal and NotPrincipal")),
    }
}

fn read_who(value: &Value, what: &str) -> Result<Vec<Who>, String> {
    let object = match value {
        Value::String(text) if text == "*" => return Ok(vec![Who::Everyone]),
        Value::String(text) => return Ok(vec![Who::NotUnderstood(text.clone())]),
        Value::Object(object) => object,
        _ => return Err(format!("{what} has a principal that is neither text nor an object")),
    };
    let mut all = Vec::new();
    for (kind, value) in object {
        let names = texts(value).ok_or_else(|| format!("{what} has a principal that is not text"))?;
        all.extend(names.into_iter().map(|name| read_one(&kind.to_ascii_lowercase(), name)));
    }
    if all.is_empty() {
        return Err(format!("{what} has a principal that names nobody"));
    }
    Ok(all)
}

fn read_one(kind: &str, name: &str) -> Who {
    let wild = name.contains(['*', '?']);
    match kind {
        "aws" => read_aws(name),
        "service" if !wild && !name.is_empty() => Who::Service(name.to_ascii_lowercase()),
        "federated" if !wild && !name.is_empty() => Who::Federated(name.to_string()),
        "canonicaluser" if !wild && !name.is_empty() => Who::CanonicalUser(name.to_string()),
        _ => Who::NotUnderstood(format!("{kind} {name}")),
    }
}

/// The prefixes of unique ids (IAM User Guide, "IAM identifiers", "Unique identifiers").
const UNIQUE_ID_PREFIXES: [&str; 4] = ["AIDA", "AROA", "AGPA", "ANPA"];

/// An AWS principal, as `Principal: {"AWS": …}` names it.
pub(crate) fn read_aws(name: &str) -> Who {
    if name == "*" {
        return Who::Everyone;
    }
    if is_account(name) {
        return Who::Aws { account: name.to_string(), text: name.to_string(), whole_account: true };
    }
    if UNIQUE_ID_PREFIXES.iter().any(|p| name.starts_with(p)) && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Who::UniqueId(name.to_string());
    }
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam" | "sts", _, account, rest]
            if is_account(account) && !partition.contains(['*', '?']) && !rest.is_empty() =>
        {
            Who::Aws { account: account.to_string(), text: name.to_string(), whole_account: *rest == "root" }
        }
        ["arn", _, "iam", "", "cloudfront", identity] if identity.starts_with("user/") => {
            Who::OriginAccessIdentity(identity.rsplit(' ').next().unwrap_or(identity).to_string())
        }
        _ => Who::NotUnderstood(name.to_string()),
    }
}

/// Whether a text is an account id: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn read_conditions(value: Option<&Value>, variables: bool, what: &str) -> Result<Vec<Condition>, String> {
    let operators = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(_) => return Err(format!("{what} has a Condition that is not an object")),
    };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let keys = keys.as_object().ok_or_else(|| format!("{what} has a condition operator without keys"))?;
        conditions.extend(keys.iter().map(|(key, values)| read_condition(name, key, values, variables)));
    }
    Ok(conditions)
}

fn read_condition(operator: &str, key: &str, values: &Value, variables: bool) -> Condition {
    let operator = Operator::parse(operator);
    let list = match values {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    let texts: Option<Vec<String>> = list
        .into_iter()
        .map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    let doubt = if operator.test.is_none() {
        Some(format!("the condition operator '{}' is not understood", operator.text))
    } else if texts.as_ref().is_none_or(Vec::is_empty) {
        Some(format!("the values of the condition on {key} are not understood"))
    } else {
        None
    };
    Condition { operator, key: key.to_string(), values: texts.unwrap_or_default(), doubt, variables }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Document {
        match Document::read(&value) {
            Answer::Known(document) => document,
            Answer::Unknown(why) => panic!("{why}"),
        }
    }

    fn doubt(value: Value) -> String {
        Document::read(&value).doubt().expect("must not be understood").to_string()
    }

    fn who(principal: Value) -> Principal {
        read(json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": "s3:*"}})).statements[0]
            .principal
            .clone()
    }

    #[test]
    fn an_object_a_text_and_a_percent_encoded_text_read_alike() {
        let object = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*"}]});
        let text = object.to_string();
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(read(object.clone()), read(Value::String(text)));
        assert_eq!(read(object), read(Value::String(encoded)));
    }

    #[test]
    fn every_form_of_principal_is_told_apart() {
        let aws = |account: &str, text: &str, whole_account| Who::Aws {
            account: account.into(),
            text: text.into(),
            whole_account,
        };
        for (form, expected) in [
            (json!("*"), Who::Everyone),
            (json!({"AWS": "*"}), Who::Everyone),
            (json!({"AWS": "111122223333"}), aws("111122223333", "111122223333", true)),
            (
                json!({"AWS": ["arn:aws:iam::111122223333:root"]}),
                aws("111122223333", "arn:aws:iam::111122223333:root", true),
            ),
            (
                json!({"AWS": "arn:aws-cn:sts::111122223333:assumed-role/a/b"}),
                aws("111122223333", "arn:aws-cn:sts::111122223333:assumed-role/a/b", false),
            ),
            (json!({"AWS": "AROADBQP57FF2AEXAMPLE"}), Who::UniqueId("AROADBQP57FF2AEXAMPLE".into())),
            (
                json!({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1AB"}),
                Who::OriginAccessIdentity("E1AB".into()),
            ),
            (json!({"Service": "sns.amazonaws.com"}), Who::Service("sns.amazonaws.com".into())),
            (json!({"Federated": "graph.facebook.com"}), Who::Federated("graph.facebook.com".into())),
            (json!({"CanonicalUser": "79a5"}), Who::CanonicalUser("79a5".into())),
            (json!({"AWS": "arn:aws:iam::*:root"}), Who::NotUnderstood("arn:aws:iam::*:root".into())),
            (json!({"Service": "*"}), Who::NotUnderstood("service *".into())),
            (json!("everyone"), Who::NotUnderstood("everyone".into())),
        ] {
            assert_eq!(who(form.clone()), Principal::Is(vec![expected]), "{form}");
        }
    }

    #[test]
    fn operators_are_taken_apart() {
        let o = Operator::parse("ForAnyValue:StringNotLikeIfExists");
        assert_eq!(o.test, Some(Test::StringLike { negated: true }));
        assert_eq!(o.set, Some(SetQualifier::ForAnyValue));
        assert!(o.if_exists);
        assert_eq!(Operator::parse("numericLESSTHANequals").test, Some(Test::Numeric(Order::LessThanEquals)));
        for unknown in ["StringMatches", "NullIfExists", "ForAllValues:Null", "Numeric", "", "ForSomeValues:Bool"] {
            assert_eq!(Operator::parse(unknown).test, None, "{unknown}");
        }
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let allow = |extra: &str| format!(r#"{{"Statement":{{"Effect":"Allow","Action":"s3:*"{extra}}}}}"#);
        for (text, part) in [
            ("{".to_string(), "not valid JSON"),
            ("[]".to_string(), "not a JSON object"),
            ("{}".to_string(), "no Statement"),
            (r#"{"Version":"2030-01-01","Statement":[]}"#.to_string(), "version"),
            (r#"{"Statement":[],"Statement":[]}"#.to_string(), "twice"),
            (r#"{"Statement":[],"statement":[]}"#.to_string(), "twice"),
            (allow(r#","NotAction":"s3:*""#), "both"),
            (allow(r#","Ressource":"*""#), "Ressource"),
            (allow(r#","Resource":{"a":1}"#), "not text"),
            (allow(r#","Principal":["*"]"#), "principal"),
            (allow(r#","Condition":"x""#), "Condition"),
            (r#"{"Statement":{"Effect":"allow","Action":"*"}}"#.to_string(), "Effect"),
            (r#"{"Statement":{"Effect":"Allow"}}"#.to_string(), "no Action"),
            ("[".repeat(100_000), "not valid JSON"),
            (" ".repeat(300_000), "longer than"),
        ] {
            let why = doubt(Value::String(text.clone()));
            assert!(why.contains(part), "{text:.60}: {why}");
        }
    }

    #[test]
    fn a_condition_that_is_not_understood_is_kept_as_such() {
        let document = read(json!({"Statement": {"Effect": "Allow", "Action": "*", "Condition": {
            "StringMatches": {"aws:SourceVpc": "x"},
            "StringEquals": {"aws:SourceVpce": [], "aws:SourceAccount": {"x": 1}, "aws:SourceOwner": 5},
        }}}));
        let doubts: Vec<bool> = document.statements[0].conditions.iter().map(|c| c.doubt.is_some()).collect();
        assert_eq!(doubts, [true, true, true, false]);
    }
}
