//! YAML as a tree that knows where each key and value stands, and the mistakes that are shown there.
//!
//! `serde` alone would lose the place of a value that is well-formed and still wrong: a member path that the
//! API does not have. So a collector file is first read into [`Node`]s and then into declarations. This module
//! knows nothing about AWS.

use crate::mistake::{Mistake, Text};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// A place in a file.
pub(super) type Place = Location;

/// The text of a file and its name, for errors.
#[derive(Clone)]
pub(super) struct File(Text);

impl File {
    pub(super) fn new(name: &str, text: &str) -> Self {
        File(Text::new(name, text))
    }

    /// The file, as it was given.
    pub(super) fn name(&self) -> &str {
        self.0.name()
    }

    /// The error `message` at `place`; `help` says what would be right.
    pub(super) fn error(&self, place: Place, message: impl Into<String>, help: Option<String>) -> Box<Mistake> {
        Box::new(self.0.mistake(place, message).with_help(help))
    }

    /// The error of a key or name that is not among `known`, with the nearest of them.
    pub(super) fn unknown(&self, place: Place, what: &str, name: &str, known: &[String]) -> Box<Mistake> {
        self.error(place, format!("{what} `{name}`"), nearest(name, known))
    }

    /// Reads the text.
    pub(super) fn read(&self) -> Result<Node, Box<Mistake>> {
        serde_saphyr::from_str::<Node>(self.0.text()).map_err(|e| {
            let place = e.location().unwrap_or(Location::UNKNOWN);
            self.error(place, plain(&e.to_string()), None)
        })
    }
}

/// The first line of an error of the YAML reader, without the place that is shown anyway.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    // The reader's advice is for programmers.
    let line = line.split_once(", set ").map_or(line, |(mistake, _)| mistake);
    match line.split_once(": ") {
        Some((head, rest)) if head.starts_with("line ") => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// "did you mean …", where one of `known` is near `name`; else what there is, where that is short.
pub(super) fn nearest(name: &str, known: &[String]) -> Option<String> {
    let best = known.iter().map(|k| (strsim::jaro_winkler(&name.to_lowercase(), &k.to_lowercase()), k));
    match best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((near, k)) if near > 0.75 => Some(format!("did you mean `{k}`?")),
        Some(_) if known.len() <= 24 => Some(format!("there is: {}", known.join(", "))),
        _ => None,
    }
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    String(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl Node {
    fn expected(&self, file: &File, what: &str) -> Box<Mistake> {
        file.error(self.place, format!("expected {what}, found {}", self.value.kind()), None)
    }

    pub(super) fn string(&self, file: &File) -> Result<&str, Box<Mistake>> {
        match &self.value {
            Value::String(s) => Ok(s),
            _ => Err(self.expected(file, "text")),
        }
    }

    pub(super) fn boolean(&self, file: &File) -> Result<bool, Box<Mistake>> {
        match self.value {
            Value::Bool(b) => Ok(b),
            _ => Err(self.expected(file, "true or false")),
        }
    }

    pub(super) fn integer(&self, file: &File) -> Result<i64, Box<Mistake>> {
        match self.value {
            Value::Integer(n) => Ok(n),
            _ => Err(self.expected(file, "a whole number")),
        }
    }

    pub(super) fn list(&self, file: &File) -> Result<&[Node], Box<Mistake>> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.expected(file, "a list")),
        }
    }

    pub(super) fn map(&self, file: &File) -> Result<&[(Key, Node)], Box<Mistake>> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.expected(file, "a map")),
        }
    }

    /// One text, or a list of them.
    pub(super) fn strings(&self, file: &File) -> Result<Vec<String>, Box<Mistake>> {
        match &self.value {
            Value::List(items) => items.iter().map(|n| n.string(file).map(str::to_owned)).collect(),
            _ => Ok(vec![self.string(file)?.to_owned()]),
        }
    }

    /// The values without anything inside them.
    pub(super) fn leaves(&self) -> Vec<&Node> {
        match &self.value {
            Value::List(items) => items.iter().flat_map(Node::leaves).collect(),
            Value::Map(entries) => entries.iter().flat_map(|(_, n)| n.leaves()).collect(),
            _ => vec![self],
        }
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Integer(n) => (*n).into(),
            Value::Number(n) => serde_json::Number::from_f64(*n).map_or(serde_json::Value::Null, Into::into),
            Value::String(s) => s.as_str().into(),
            Value::List(items) => items.iter().map(Node::json).collect::<Vec<_>>().into(),
            Value::Map(entries) => {
                entries.iter().map(|(k, v)| (k.name.clone(), v.json())).collect::<serde_json::Map<_, _>>().into()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { place: spanned.referenced, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Integer(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(i64::try_from(v).map_or(Value::Number(v as f64), Value::Integer))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::Number(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let key = Key { place: key.referenced, name: key.value };
            entries.push((key, map.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}
