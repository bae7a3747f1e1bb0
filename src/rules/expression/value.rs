//! Values while an expression is evaluated: what was read, borrowed from the inventory, or unknown.

use crate::inventory::{Cause, Reason, Resource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::rc::Rc;

/// A value. Cloning is cheap: what is large is borrowed or shared.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(Cow<'a, str>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
    /// A list, map or structure of a document, and where it stands.
    Json(&'a Value, Place),
    /// A list made by the expression.
    List(Rc<Vec<Val<'a>>>),
    /// A map made by the expression.
    Map(Rc<Vec<(String, Val<'a>)>>),
    /// Resources of a join. Where `holes` is not empty there may be more, and that is why.
    /// `offered` is false where the service does not exist in any of the regions that were looked at.
    Resources {
        rows: Rc<Vec<&'a Resource>>,
        holes: Rc<[Cause]>,
        offered: bool,
        place: Place,
    },
    Resource(&'a Resource, Place),
    Unknown(Rc<[Cause]>),
}

/// Where a value stands, as a path for evidence; kept only while evidence is gathered.
pub(crate) type Place = Option<Rc<str>>;

/// The place of the member `name` of what stands at `place`.
pub(crate) fn member_place(place: &Place, name: &str) -> Place {
    place.as_ref().map(|p| if p.is_empty() { name.into() } else { format!("{p}.{name}").into() })
}

/// The place of an element or entry of what stands at `place`.
pub(crate) fn index_place(place: &Place, index: impl std::fmt::Display) -> Place {
    place.as_ref().map(|p| format!("{p}[{index}]").into())
}

static EMPTY_OBJECT: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Value::Object(Map::new()));
static EMPTY_LIST: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Value::Array(Vec::new()));

impl<'a> Val<'a> {
    /// An unknown because the rule itself went wrong.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Val::unknown(Cause::of(Reason::RuleFault, message))
    }

    /// An unknown for one cause.
    pub(crate) fn unknown(cause: Cause) -> Self {
        Val::Unknown(Rc::new([cause]))
    }

    pub(crate) fn empty_object(place: Place) -> Self {
        Val::Json(&EMPTY_OBJECT, place)
    }

    pub(crate) fn empty_list(place: Place) -> Self {
        Val::Json(&EMPTY_LIST, place)
    }

    /// A value of a document. Text stays text: only the schema knows that it is a time.
    pub(crate) fn of_json(value: &'a Value, place: Place) -> Self {
        match value {
            Value::Null => Val::Null,
            Value::Bool(b) => Val::Bool(*b),
            Value::Number(n) => match n.as_i64() {
                Some(i) => Val::Int(i),
                None => Val::Double(n.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(s) => Val::Str(Cow::Borrowed(s)),
            Value::Array(_) | Value::Object(_) => Val::Json(value, place),
        }
    }

    /// Two unknowns together: every cause once.
    pub(crate) fn both(a: &Rc<[Cause]>, b: &Rc<[Cause]>) -> Self {
        let mut causes = a.to_vec();
        for cause in b.iter() {
            if !causes.contains(cause) {
                causes.push(cause.clone());
            }
        }
        Val::Unknown(causes.into())
    }

    /// What the value is called in messages about faults.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "a boolean",
            Val::Int(_) => "an integer",
            Val::Double(_) => "a number",
            Val::Str(_) => "a string",
            Val::Timestamp(_) => "a timestamp",
            Val::Duration(_) => "a duration",
            Val::Json(Value::Array(_), _) | Val::List(_) => "a list",
            Val::Json(..) | Val::Map(_) => "a map",
            Val::Resources { .. } => "a list of resources",
            Val::Resource(..) => "a resource",
            Val::Unknown(_) => "unknown",
        }
    }

    /// The value as JSON, for evidence and messages; an unknown is `null`.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Val::Null | Val::Unknown(_) => Value::Null,
            Val::Bool(b) => Value::Bool(*b),
            Val::Int(i) => Value::from(*i),
            Val::Double(d) => Value::from(*d),
            Val::Str(s) => Value::String(s.to_string()),
            Val::Timestamp(t) => Value::String(t.to_string()),
            Val::Duration(d) => Value::String(format!("{}s", d.as_secs())),
            Val::Json(v, _) => (*v).clone(),
            Val::List(items) => Value::Array(items.iter().map(Val::to_json).collect()),
            Val::Map(entries) => entries.iter().map(|(k, v)| (k.clone(), v.to_json())).collect(),
            Val::Resources { rows, .. } => rows.iter().map(|r| Value::String(r.arn.clone())).collect(),
            Val::Resource(r, _) => Value::String(r.arn.clone()),
        }
    }

    /// The value as a person reads it in a message.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Val::Str(s) => s.to_string(),
            Val::Null => "nothing".into(),
            Val::Unknown(_) => "unknown".into(),
            Val::Duration(d) => format!("{} days", d.as_hours() / 24),
            other => text_of(&other.to_json()),
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => {
            let mut text = String::new();
            for (n, item) in items.iter().enumerate() {
                let _ = write!(text, "{}{}", if n > 0 { ", " } else { "" }, text_of(item));
            }
            text
        }
        other => other.to_string(),
    }
}

/// Whether two known values are equal; `None` where one of them holds an unknown that decides it.
pub(crate) fn equal(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::Str(a), Val::Str(b)) => a == b,
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Resource(a, _), Val::Resource(b, _)) => a.arn == b.arn && a.id == b.id,
        (Val::Int(_) | Val::Double(_), Val::Int(_) | Val::Double(_)) => order(a, b) == Some(Ordering::Equal),
        (Val::Json(a, _), Val::Json(b, _)) => a == b,
        (Val::Json(..) | Val::List(_) | Val::Map(_), Val::Json(..) | Val::List(_) | Val::Map(_)) => {
            a.to_json() == b.to_json()
        }
        _ => false,
    }
}

/// The order of two known values, where they have one.
pub(crate) fn order(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Int(a), Val::Double(b)) => (*a as f64).partial_cmp(b),
        (Val::Double(a), Val::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        (Val::Str(a), Val::Str(b)) => Some(a.cmp(b)),
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::Timestamp(a), Val::Timestamp(b)) => Some(a.cmp(b)),
        (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
