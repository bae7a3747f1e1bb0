//! Values with references in them: request parameters, ids and ARNs as collector files write them.
//!
//! `$.Member`, `$parent.Member` and `$each.Member` stand for a value of the resource, of its parent and of the
//! current element; `${account}`, `${region}`, `${partition}` and `${Member.Path}` stand for text inside text.

use super::path::Path;
use serde_json::{Map, Value};

/// What references are resolved against.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) document: Option<&'a Map<String, Value>>,
    pub(super) parent: Option<&'a Map<String, Value>>,
    pub(super) each: Option<&'a Value>,
}

/// A reference to a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reference {
    Own(Path),
    Parent(Path),
    Each(Path),
}

/// A value with references in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    Literal(Value),
    Reference(Reference),
    Text(Vec<Piece>),
    List(Vec<Template>),
    Object(Vec<(String, Template)>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Plain(String),
    Partition,
    Account,
    Region,
    Member(Path),
}

impl Template {
    /// Reads a template out of a JSON value. `Err` names the text that is malformed.
    pub(super) fn of(value: &Value) -> Result<Template, String> {
        Ok(match value {
            Value::String(text) => Template::of_text(text)?,
            Value::Array(items) => Template::List(items.iter().map(Template::of).collect::<Result<_, _>>()?),
            Value::Object(members) => Template::Object(
                members.iter().map(|(k, v)| Ok((k.clone(), Template::of(v)?))).collect::<Result<_, String>>()?,
            ),
            other => Template::Literal(other.clone()),
        })
    }

    fn of_text(text: &str) -> Result<Template, String> {
        let referenced = |rest: &str| Path::parse(rest).ok_or_else(|| text.to_owned());
        if let Some(rest) = text.strip_prefix("$.") {
            return Ok(Template::Reference(Reference::Own(referenced(rest)?)));
        }
        if let Some(rest) = text.strip_prefix("$parent.") {
            return Ok(Template::Reference(Reference::Parent(referenced(rest)?)));
        }
        if text == "$each" {
            return Ok(Template::Reference(Reference::Each(Path::default())));
        }
        if let Some(rest) = text.strip_prefix("$each.") {
            return Ok(Template::Reference(Reference::Each(referenced(rest)?)));
        }
        if !text.contains("${") {
            return Ok(Template::Literal(text.into()));
        }
        pieces(text).map(Template::Text).ok_or_else(|| text.to_owned())
    }

    /// The value with its references resolved; `Err` names the first reference that is absent.
    pub(super) fn resolve(&self, ground: &Ground<'_>) -> Result<Value, String> {
        Ok(match self {
            Template::Literal(value) => value.clone(),
            Template::Reference(reference) => {
                reference.value(ground).cloned().ok_or_else(|| reference.path().to_string())?
            }
            Template::Text(pieces) => Value::String(text_of(pieces, ground)?),
            Template::List(items) => items.iter().map(|t| t.resolve(ground)).collect::<Result<Vec<_>, _>>()?.into(),
            Template::Object(members) => {
                let resolved = members.iter().map(|(k, t)| Ok((k.clone(), t.resolve(ground)?)));
                Value::Object(resolved.collect::<Result<Map<_, _>, String>>()?)
            }
        })
    }

    /// The same, with members left out whose references are absent.
    pub(super) fn resolve_present(&self, ground: &Ground<'_>) -> Map<String, Value> {
        match self {
            Template::Object(members) => {
                members.iter().filter_map(|(k, t)| Some((k.clone(), t.resolve(ground).ok()?))).collect()
            }
            _ => Map::new(),
        }
    }

    /// The value as text; `None` where a reference is absent or the value is no text or number.
    pub(super) fn text(&self, ground: &Ground<'_>) -> Option<String> {
        match self.resolve(ground).ok()? {
            Value::String(s) if !s.is_empty() => Some(s),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// Every reference in it.
    pub(super) fn references(&self) -> Vec<Reference> {
        match self {
            Template::Literal(_) => Vec::new(),
            Template::Reference(r) => vec![r.clone()],
            Template::Text(pieces) => {
                let members = pieces.iter().filter_map(|p| match p {
                    Piece::Member(path) => Some(Reference::Own(path.clone())),
                    _ => None,
                });
                members.collect()
            }
            Template::List(items) => items.iter().flat_map(Template::references).collect(),
            Template::Object(members) => members.iter().flat_map(|(_, t)| t.references()).collect(),
        }
    }
}

impl Reference {
    fn value<'a>(&self, ground: &Ground<'a>) -> Option<&'a Value> {
        match self {
            Reference::Own(path) => path.in_document(ground.document?),
            Reference::Parent(path) => path.in_document(ground.parent?),
            Reference::Each(path) => path.get(ground.each?),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Reference::Own(path) | Reference::Parent(path) | Reference::Each(path) => path,
        }
    }
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Plain(before.to_owned()));
        }
        let (name, next) = after.split_once('}')?;
        pieces.push(match name {
            "partition" => Piece::Partition,
            "account" => Piece::Account,
            "region" => Piece::Region,
            path => Piece::Member(Path::parse(path)?),
        });
        rest = next;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest.to_owned()));
    }
    Some(pieces)
}

fn text_of(pieces: &[Piece], ground: &Ground<'_>) -> Result<String, String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Partition => text.push_str(ground.partition),
            Piece::Account => text.push_str(ground.account),
            Piece::Region => text.push_str(ground.region),
            Piece::Member(path) => match ground.document.and_then(|d| path.in_document(d)) {
                Some(Value::String(s)) if !s.is_empty() => text.push_str(s),
                Some(Value::Number(n)) => text.push_str(&n.to_string()),
                _ => return Err(path.to_string()),
            },
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolve(template: Value, document: Value) -> Result<Value, String> {
        let document = document.as_object().cloned().expect("an object");
        let ground = Ground {
            partition: "aws",
            account: "111122223333",
            region: "eu-west-1",
            document: Some(&document),
            parent: None,
            each: None,
        };
        Template::of(&template).expect("a template").resolve(&ground)
    }

    #[test]
    fn references_keep_their_type_and_text_is_filled_in() {
        let got = resolve(
            json!({"N": "$.A.N", "L": ["$.S"], "T": "arn:${partition}:x:${region}:${account}:${S}", "V": ["$Default"]}),
            json!({"A": {"N": 3}, "S": "s"}),
        );
        assert_eq!(got, Ok(json!({"N": 3, "L": ["s"], "T": "arn:aws:x:eu-west-1:111122223333:s", "V": ["$Default"]})));
    }

    #[test]
    fn an_absent_reference_is_named() {
        assert_eq!(resolve(json!("${A.B}"), json!({})), Err("A.B".into()));
        assert_eq!(resolve(json!(["$.C"]), json!({"C": null})), Err("C".into()));
    }

    #[test]
    fn a_malformed_template_is_refused() {
        assert!(Template::of(&json!("${open")).is_err());
        assert!(Template::of(&json!("$.a..b")).is_err());
    }
}
