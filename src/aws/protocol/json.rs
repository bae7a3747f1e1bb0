//! JSON: the awsJson protocols as a whole, and the bodies of restJson.

use super::error::{ParseError, Path, SerializeError};
use super::{Codec, Request, is_in_answer_body, scalar};
use crate::model::{Kind, Operation, Shape, ShapeRef, TimestampFormat};
use serde_json::{Map, Value};

/// What boto3 puts in the place of a union's member that its model does not know, so that it does not read as unset.
const UNKNOWN_MEMBER: &str = "SDK_UNKNOWN_MEMBER";

impl Codec<'_> {
    /// A request in awsJson.
    pub(super) fn json_request(
        &self,
        operation: &Operation,
        params: &Map<String, Value>,
    ) -> Result<Request, SerializeError> {
        let metadata = &self.model.metadata;
        let body = match &operation.input {
            Some(input) => self.json_members(self.shape_to_write(input, &Path::Root)?, params, &Path::Root)?,
            None => Map::new(),
        };
        let target = format!("{}.{}", metadata.target_prefix.as_deref().unwrap_or_default(), operation.name);
        let version = metadata.json_version.as_deref().unwrap_or("1.1");
        let mut headers = vec![
            ("X-Amz-Target".to_owned(), target),
            ("Content-Type".to_owned(), format!("application/x-amz-json-{version}")),
        ];
        if metadata.aws_query_compatible {
            headers.push(("x-amzn-query-mode".to_owned(), "true".to_owned()));
        }
        Ok(Request {
            method: "POST".to_owned(),
            uri: "/".to_owned(),
            headers,
            body: Value::Object(body).to_string().into_bytes(),
            host_prefix: None,
        })
    }

    /// The document in an awsJson answer.
    pub(super) fn json_answer(&self, output: &ShapeRef, body: &[u8]) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(output, &Path::Root)?;
        match json_body(body)? {
            None => Ok(Value::Object(Map::new())),
            Some(value) => self.read_json_structure(shape, &value, &Path::Root),
        }
    }

    /// The members of a structure that go into the JSON body.
    pub(super) fn json_members(
        &self,
        shape: &Shape,
        given: &Map<String, Value>,
        path: &Path<'_>,
    ) -> Result<Map<String, Value>, SerializeError> {
        self.check_known(shape, given, path)?;
        let mut members = Map::new();
        for (name, member) in shape.members.iter().filter(|(_, member)| member.location.is_none()) {
            let Some(value) = given.get(name).filter(|value| !value.is_null()) else { continue };
            let written = self.write_json(member, value, &Path::Member(path, name))?;
            members.insert(member.location_name.as_deref().unwrap_or(name).to_owned(), written);
        }
        Ok(members)
    }

    /// A parameter as JSON on the wire.
    pub(super) fn write_json(
        &self,
        reference: &ShapeRef,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Value, SerializeError> {
        let shape = self.shape_to_write(reference, path)?;
        if shape.document {
            return Ok(value.clone());
        }
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(given)) => self.json_members(shape, given, path).map(Value::Object),
            (Kind::List, Value::Array(elements)) => {
                let Some(member) = &shape.member else { return Err(SerializeError::no_shape(path, "")) };
                let written = elements.iter().enumerate().map(|(index, element)| match element {
                    Value::Null => Ok(Value::Null),
                    element => self.write_json(member, element, &Path::Element(path, index)),
                });
                written.collect::<Result<_, _>>().map(Value::Array)
            }
            (Kind::Map, Value::Object(entries)) => {
                let Some(member) = &shape.value else { return Err(SerializeError::no_shape(path, "")) };
                let mut written = Map::new();
                for (key, entry) in entries {
                    let entry = match entry {
                        Value::Null => Value::Null,
                        entry => self.write_json(member, entry, &Path::Member(path, key))?,
                    };
                    written.insert(key.clone(), entry);
                }
                Ok(Value::Object(written))
            }
            (kind, value) => {
                let format = scalar::timestamp_format(reference, shape, TimestampFormat::EpochSeconds);
                scalar::write_json(kind, format, value, path)
            }
        }
    }

    /// A value from JSON on the wire, as it stands in documents.
    pub(super) fn read_json(&self, reference: &ShapeRef, value: &Value, path: &Path<'_>) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(reference, path)?;
        if shape.document {
            return Ok(value.clone());
        }
        match (shape.kind, value) {
            (Kind::Structure, value) => self.read_json_structure(shape, value, path),
            (Kind::List, Value::Array(elements)) => {
                let Some(member) = &shape.member else { return Err(ParseError::no_shape(path, "")) };
                let read = elements.iter().enumerate().map(|(index, element)| match element {
                    // Kept, as boto3 does: without it the elements after it would move up.
                    Value::Null => Ok(Value::Null),
                    element => self.read_json(member, element, &Path::Element(path, index)),
                });
                read.collect::<Result<_, _>>().map(Value::Array)
            }
            (Kind::Map, Value::Object(entries)) => {
                let Some(member) = &shape.value else { return Err(ParseError::no_shape(path, "")) };
                let mut read = Map::new();
                for (key, entry) in entries {
                    match entry {
                        Value::Null if shape.sparse => read.insert(key.clone(), Value::Null),
                        Value::Null => continue,
                        entry => read.insert(key.clone(), self.read_json(member, entry, &Path::Member(path, key))?),
                    };
                }
                Ok(Value::Object(read))
            }
            (kind, value) => scalar::read_json(kind, value, path),
        }
    }

    /// A structure from JSON on the wire, without the members that are elsewhere in the answer.
    pub(super) fn read_json_structure(
        &self,
        shape: &Shape,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<Value, ParseError> {
        let Value::Object(on_wire) = value else {
            return Err(ParseError::wrong_type(path, scalar::expected(Kind::Structure), value));
        };
        let mut members = Map::new();
        for (name, member) in shape.members.iter().filter(|(_, member)| is_in_answer_body(member)) {
            let wire_name = member.location_name.as_deref().unwrap_or(name);
            let Some(value) = on_wire.get(wire_name).filter(|value| !value.is_null()) else { continue };
            members.insert(name.to_owned(), self.read_json(member, value, &Path::Member(path, name))?);
        }
        if shape.union {
            let set = on_wire.iter().filter(|(name, value)| *name != "__type" && !value.is_null());
            let set = set.map(|(name, _)| name.as_str());
            return check_union(members, set, path).map(Value::Object);
        }
        Ok(Value::Object(members))
    }
}

/// A union as read, where exactly one member is set on the wire. One that the model does not know is named, for a union
/// with no member would read as one that is not set.
pub(super) fn check_union<'a>(
    mut members: Map<String, Value>,
    mut set: impl Iterator<Item = &'a str>,
    path: &Path<'_>,
) -> Result<Map<String, Value>, ParseError> {
    let expected = "a union with one member";
    let Some(name) = set.next() else { return Err(ParseError::found(path, expected, "one with none")) };
    if set.next().is_some() {
        return Err(ParseError::found(path, expected, "one with several"));
    }
    if members.is_empty() {
        members.insert(UNKNOWN_MEMBER.to_owned(), serde_json::json!({ "name": name }));
    }
    Ok(members)
}

/// The JSON in a body; `None` where the body is empty or null.
pub(super) fn json_body(body: &[u8]) -> Result<Option<Value>, ParseError> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| ParseError::json(&error))?;
    Ok(Some(value).filter(|value| !value.is_null()))
}
