//! A resource while it is put together: its document, what is unknown of it, and how it gets its id, ARN, name
//! and tags.
//!
//! Secrets end here: what a declaration drops is removed before a document leaves this module. Makes no calls.

use super::declaration::{By, ResourceType, Shaping};
use super::path::{Path, Step};
use super::template::{Ground, Template};
use crate::inventory::{Cause, Reason, Resource, UnknownField};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Where a resource is read: what does not depend on the resource.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
}

impl<'a> Here<'a> {
    pub(super) fn ground(self, document: Option<&'a Map<String, Value>>) -> Ground<'a> {
        let Here { partition, account, region } = self;
        Ground { partition, account, region, document, parent: None, each: None }
    }
}

/// A resource that is not finished.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) region: String,
    pub(super) document: Map<String, Value>,
    pub(super) unknown: Vec<UnknownField>,
}

impl Draft {
    /// A draft of a listed item; `None` where it lacks what the id is made of.
    pub(super) fn new(t: &ResourceType, document: Map<String, Value>, here: Here<'_>) -> Option<Draft> {
        let mut unknown = Vec::new();
        let document = shape_document(&t.shaping, document, &mut unknown);
        let home = t.home.as_ref().and_then(|h| h.in_document(&document)).and_then(Value::as_str);
        let region = home.unwrap_or(here.region).to_owned();
        let mut draft = Draft { id: String::new(), region, document, unknown };
        draft.id = match t.id[..] {
            [] => draft.arn(t, here)?,
            _ => t.id.iter().find_map(|template| template.text(&here.ground(Some(&draft.document))))?,
        };
        Some(draft)
    }

    /// Why one of `members` is unknown, where one is.
    pub(super) fn unknown_among(&self, members: &BTreeSet<String>) -> Option<&Cause> {
        let root = |u: &UnknownField| u.path.split('.').next().is_some_and(|r| members.contains(r));
        self.unknown.iter().find(|u| root(u)).map(|u| &u.cause)
    }

    /// Writes down that `path` could not be read.
    pub(super) fn unknown(&mut self, path: &str, cause: &Cause) {
        if !self.unknown.iter().any(|u| u.path == path) {
            self.unknown.push(UnknownField { path: path.to_owned(), cause: cause.clone() });
        }
    }

    /// Merges the members of a detail into the document.
    pub(super) fn merge(&mut self, shaping: &Shaping, members: Map<String, Value>) {
        let members = shape_document(shaping, members, &mut self.unknown);
        self.document.extend(members.into_iter().filter(|(_, v)| !v.is_null()));
    }

    /// Sets a member to a value that was read for it.
    pub(super) fn set(&mut self, name: &str, shaping: &Shaping, mut value: Value) {
        for (path, cause) in shape(shaping, &mut value) {
            let full = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
            self.unknown(&full, &cause);
        }
        if !value.is_null() {
            self.document.insert(name.to_owned(), value);
        }
    }

    /// Writes down the members that were not asked for.
    pub(super) fn not_collected(&mut self, t: &ResourceType, details: &BTreeSet<usize>, enrichments: &BTreeSet<usize>) {
        let cause = |name: &str| Cause::of(Reason::NotCollected, format!("{name} was not asked for"));
        for (name, origin) in &t.members {
            let asked = match origin.by {
                By::Listing => true,
                By::Detail(n) => details.contains(&n) || self.document.contains_key(name),
                By::Enrichment(n) => enrichments.contains(&n),
            };
            if !asked {
                self.unknown(name, &cause(name));
            }
        }
    }

    /// The finished resource. Where no ARN can be made, a cause instead.
    pub(super) fn finish(mut self, t: &ResourceType, here: Here<'_>) -> Result<Resource, Box<Cause>> {
        let Some(arn) = self.arn(t, here) else {
            let message = format!("{} {} lacks what its ARN is made of", t.name, self.id);
            return Err(Box::new(Cause {
                account: here.account.to_owned(),
                region: here.region.to_owned(),
                ..Cause::of(Reason::Malformed, message)
            }));
        };
        let tags = t.tags.as_ref().and_then(|p| p.in_document(&self.document)).map(tags_of).unwrap_or_default();
        let tag_member = t.tags.as_ref().and_then(Path::root).map(|root| BTreeSet::from([root.to_owned()]));
        if let Some(cause) = tag_member.and_then(|m| self.unknown_among(&m).cloned()) {
            self.unknown("Tags", &cause);
        }
        let ground = here.ground(Some(&self.document));
        let name = t.display_name.as_ref().and_then(|n| n.text(&ground));
        let name =
            name.or_else(|| tags.get("Name").filter(|n| !n.is_empty()).cloned()).unwrap_or_else(|| self.id.clone());
        self.unknown.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Resource {
            resource_type: t.name.clone(),
            id: self.id,
            arn,
            account: here.account.to_owned(),
            region: self.region,
            name,
            tags,
            document: self.document,
            unknown: self.unknown,
        })
    }

    fn arn(&self, t: &ResourceType, here: Here<'_>) -> Option<String> {
        let here = Here { region: &self.region, ..here };
        let ground = here.ground(Some(&self.document));
        let candidates = t.arn.iter().filter_map(|template: &Template| template.text(&ground));
        candidates.into_iter().find(|arn| arn.starts_with("arn:"))
    }
}

/// What a child says of its parent.
pub(super) fn parent_member(parent: &Resource) -> Value {
    json!({"Type": parent.resource_type, "Id": parent.id, "Arn": parent.arn, "Name": parent.name})
}

fn shape_document(
    shaping: &Shaping,
    document: Map<String, Value>,
    unknown: &mut Vec<UnknownField>,
) -> Map<String, Value> {
    let mut value = Value::Object(document);
    unknown.extend(shape(shaping, &mut value).into_iter().map(|(path, cause)| UnknownField { path, cause }));
    match value {
        Value::Object(document) => document,
        _ => Map::new(),
    }
}

/// Applies a shaping; gives the members that could not be decoded.
fn shape(shaping: &Shaping, value: &mut Value) -> Vec<(String, Cause)> {
    let mut failed = Vec::new();
    for path in &shaping.json {
        decode(path, value, &mut failed);
    }
    for (path, to) in &shaping.digest {
        replace(path, to, value, &|v| match v {
            Value::String(s) => hex::encode(Sha256::digest(s.as_bytes())).into(),
            other => hex::encode(Sha256::digest(other.to_string().as_bytes())).into(),
        });
    }
    for (path, to) in &shaping.keys {
        replace(path, to, value, &|v| match v {
            Value::Object(members) => members.keys().cloned().collect::<Vec<_>>().into(),
            _ => Value::Array(Vec::new()),
        });
    }
    for (path, to) in &shaping.tail {
        add_tail(path, to, value);
    }
    for path in &shaping.drop {
        path.remove(value);
    }
    failed
}

/// Decodes the JSON in strings at `path`. An empty string holds no document: the member is absent.
fn decode(path: &Path, value: &mut Value, failed: &mut Vec<(String, Cause)>) {
    path.change(value, &mut |v| {
        let Value::String(text) = v else { return };
        *v = match text.trim() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|e| {
                let message = format!("it is not the JSON that it should be: {e}");
                failed.push((path.to_string(), Cause::of(Reason::NotUnderstood, message)));
                Value::Null
            }),
        };
    });
    let Some((Step::Member(last), before)) = path.0.split_last() else { return };
    Path(before.to_vec()).change(value, &mut |parent| {
        if let Some(members) = parent.as_object_mut().filter(|m| m.get(last).is_some_and(Value::is_null)) {
            members.shift_remove(last);
        }
    });
}

/// Replaces the member at `path` by one named `to` beside it.
fn replace(path: &Path, to: &str, value: &mut Value, new: &dyn Fn(Value) -> Value) {
    let Some((Step::Member(last), before)) = path.0.split_last() else { return };
    Path(before.to_vec()).change(value, &mut |parent| {
        let Some(members) = parent.as_object_mut() else { return };
        if let Some(old) = members.shift_remove(last) {
            members.insert(to.to_owned(), new(old));
        }
    });
}

/// Adds a member named `to` beside the text at `path`: what stands behind its last `/`.
fn add_tail(path: &Path, to: &str, value: &mut Value) {
    let Some((Step::Member(last), before)) = path.0.split_last() else { return };
    Path(before.to_vec()).change(value, &mut |parent| {
        let Some(members) = parent.as_object_mut() else { return };
        let tail = members.get(last).and_then(Value::as_str).and_then(|text| text.rsplit('/').next());
        if let Some(tail) = tail.map(str::to_owned) {
            members.insert(to.to_owned(), tail.into());
        }
    });
}

/// Tags in any of the spellings that AWS uses: a map, or a list of structures with a key and a value.
fn tags_of(value: &Value) -> BTreeMap<String, String> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    match value {
        Value::Object(map) => map.iter().filter_map(|(k, v)| Some((k.clone(), text(v)?))).collect(),
        Value::Array(list) => list.iter().filter_map(tag_of).collect(),
        _ => BTreeMap::new(),
    }
}

/// A tag may have no value: then it is empty.
fn tag_of(tag: &Value) -> Option<(String, String)> {
    let member = |names: [&str; 4]| names.iter().find_map(|n| tag.get(n)?.as_str()).map(str::to_owned);
    let key = member(["Key", "key", "TagKey", "tagKey"])?;
    Some((key, member(["Value", "value", "TagValue", "tagValue"]).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).expect("a path")
    }

    #[test]
    fn the_keys_of_a_map_are_kept_and_its_values_are_not() {
        let shaping = Shaping { keys: vec![(path("E.Variables"), "Names".into())], ..Shaping::default() };
        let mut value = json!({"E": {"Variables": {"TOKEN": "s3cret"}, "Error": 1}});
        assert!(shape(&shaping, &mut value).is_empty());
        assert_eq!(value, json!({"E": {"Error": 1, "Names": ["TOKEN"]}}));
    }

    #[test]
    fn a_digest_stands_for_what_it_was_made_of() {
        let shaping = Shaping { digest: vec![(path("Endpoint"), "Digest".into())], ..Shaping::default() };
        let mut value = json!({"Endpoint": "abc"});
        shape(&shaping, &mut value);
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(value, json!({"Digest": expected}));
    }

    #[test]
    fn the_name_at_the_end_of_an_address_stands_beside_it() {
        let shaping = Shaping { tail: vec![(path("Url"), "Name".into())], ..Shaping::default() };
        let mut value = json!({"Url": "https://sqs.us-east-1.amazonaws.com/111122223333/jobs"});
        shape(&shaping, &mut value);
        assert_eq!(value, json!({"Url": "https://sqs.us-east-1.amazonaws.com/111122223333/jobs", "Name": "jobs"}));
    }

    #[test]
    fn a_document_that_is_no_json_is_unknown_and_not_absent() {
        let shaping = Shaping { json: vec![path("Policy")], ..Shaping::default() };
        let mut value = json!({"Policy": "{\"a\":"});
        let failed = shape(&shaping, &mut value);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].0, "Policy");
        assert_eq!(failed[0].1.reason, Reason::NotUnderstood);
        assert_eq!(value, json!({}));
    }

    #[test]
    fn an_empty_string_holds_no_document() {
        let shaping = Shaping { json: vec![path("A.Policy")], ..Shaping::default() };
        let mut value = json!({"A": {"Policy": "", "B": 1}});
        assert!(shape(&shaping, &mut value).is_empty());
        assert_eq!(value, json!({"A": {"B": 1}}));
    }

    #[test]
    fn tags_are_read_in_every_spelling() {
        let expected = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
        assert_eq!(tags_of(&json!([{"Key": "a", "Value": "1"}, {"Key": "b"}])), expected);
        assert_eq!(tags_of(&json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}])), expected);
        assert_eq!(tags_of(&json!([{"key": "a", "value": "1"}, {"key": "b", "value": ""}])), expected);
        assert_eq!(tags_of(&json!({"a": "1", "b": ""})), expected);
    }
}
