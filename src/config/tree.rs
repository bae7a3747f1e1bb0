//! YAML as a tree in which every key and value knows its place in the file.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// The text is no YAML.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub(super) position: Location,
    pub(super) message: String,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    at: Location,
    pub(super) content: Content,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Null, a boolean, a number, text.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file; keys are unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Location,
    pub(super) value: Node,
}

impl Node {
    /// Reads `text`; an empty file is an empty mapping.
    pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let parsed: Result<Option<Spanned<Content>>, _> = serde_saphyr::from_str_with_options(text, options);
        match parsed {
            Ok(Some(spanned)) => Ok(Node::of(spanned)),
            Ok(None) => Ok(Node { at: Location::UNKNOWN, content: Content::Map(Vec::new()) }),
            Err(error) => Err(SyntaxError {
                position: error.location().unwrap_or(Location::UNKNOWN),
                message: error.render_with_formatter(&serde_saphyr::UserMessageFormatter),
            }),
        }
    }

    fn of(spanned: Spanned<Content>) -> Node {
        Node { at: spanned.referenced, content: spanned.value }
    }

    pub(super) fn position(&self) -> Location {
        self.at
    }

    /// The value without places.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(v) => v.clone(),
            Content::List(items) => items.iter().map(Node::to_value).collect(),
            Content::Map(entries) => {
                Value::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_value())).collect())
            }
        }
    }

    /// Where the value at `path` stands, elements of lists by their numbers from 0; the nearest ancestor's place where
    /// there is none.
    pub(super) fn value_at(&self, path: &[&str]) -> Location {
        match path {
            [] => self.at,
            [first, rest @ ..] => self.child(first).map_or(self.at, |node| node.value_at(rest)),
        }
    }

    /// Where the last key of `path` stands; the nearest ancestor's place where there is none.
    pub(super) fn key_at(&self, path: &[&str]) -> Location {
        match path {
            [] => self.at,
            [last] => self.entry(last).map_or(self.at, |e| e.key_at),
            [first, rest @ ..] => self.entry(first).map_or(self.at, |e| e.value.key_at(rest)),
        }
    }

    fn child(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => self.entry(key).map(|e| &e.value),
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Content, E> {
        Ok(Content::Scalar(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Content, E> {
        Ok(Content::Scalar(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Content, E> {
        Ok(Content::Scalar(v.into()))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Content, E> {
        let number = Number::from_f64(v).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Content::Scalar(number.into()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Content, E> {
        Ok(Content::Scalar(v.into()))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(item) = items.next_element()? {
            nodes.push(Node::of(item));
        }
        Ok(Content::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = Node::of(map.next_value()?);
            entries.push(Entry { key: key.value, key_at: key.referenced, value });
        }
        Ok(Content::Map(entries))
    }
}
