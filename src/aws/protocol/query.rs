//! awsQuery and ec2Query requests: a form of dotted, numbered keys. Their answers are XML.

use super::error::{Path, SerializeError};
use super::{Codec, Request, absent, flattened_name, is_flattened, scalar};
use crate::model::{Kind, Operation, Protocol, Shape, ShapeRef, TimestampFormat};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// All but the unreserved characters of RFC 3986.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A form being written.
struct Form {
    text: String,
    is_ec2: bool,
}

impl Form {
    fn push(&mut self, key: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.extend(utf8_percent_encode(key, RESERVED));
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, RESERVED));
    }

    /// The name of a member on the wire.
    fn name(&self, name: &str, reference: &ShapeRef) -> String {
        match (self.is_ec2, &reference.query_name) {
            (true, Some(query_name)) => query_name.clone(),
            (true, None) => capitalized(reference.location_name.as_deref().unwrap_or(name)),
            (false, _) => reference.location_name.as_deref().unwrap_or(name).to_owned(),
        }
    }
}

/// ec2Query begins all names with a capital letter.
fn capitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// `prefix.name`, or `name` where there is no prefix.
fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

impl Codec<'_> {
    /// A request in awsQuery or ec2Query.
    pub(super) fn query_request(
        &self,
        operation: &Operation,
        params: &Map<String, Value>,
    ) -> Result<Request, SerializeError> {
        let mut form = Form { text: String::new(), is_ec2: self.model.metadata.protocol == Protocol::Ec2 };
        form.push("Action", &operation.name);
        form.push("Version", &self.model.metadata.api_version);
        if let Some(input) = &operation.input {
            self.form_members(&mut form, self.shape_to_write(input, &Path::Root)?, params, "", &Path::Root)?;
        }
        Ok(Request {
            method: "POST".to_owned(),
            uri: "/".to_owned(),
            headers: vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: form.text.into_bytes(),
            host_prefix: None,
        })
    }

    fn form_members(
        &self,
        form: &mut Form,
        shape: &Shape,
        given: &Map<String, Value>,
        prefix: &str,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        self.check_known(shape, given, path)?;
        for (name, member) in shape.members.iter().filter(|(name, _)| !absent(given, name)) {
            let of = self.shape_to_write(member, path)?;
            let wire_name = match of.kind {
                Kind::List if !form.is_ec2 && is_flattened(member, of) => flattened_name(name, member, of).to_owned(),
                _ => form.name(name, member),
            };
            let path = Path::Member(path, name);
            self.form_value(form, member, &given[name], &joined(prefix, &wire_name), &path)?;
        }
        Ok(())
    }

    fn form_value(
        &self,
        form: &mut Form,
        reference: &ShapeRef,
        value: &Value,
        key: &str,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let shape = self.shape_to_write(reference, path)?;
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(given)) => self.form_members(form, shape, given, key, path),
            (Kind::List, Value::Array(elements)) => self.form_list(form, reference, shape, elements, key, path),
            (Kind::Map, Value::Object(entries)) => self.form_map(form, reference, shape, entries, key, path),
            (kind, value) => {
                let format = scalar::timestamp_format(reference, shape, TimestampFormat::DateTime);
                form.push(key, &scalar::write_text(kind, format, value, path)?);
                Ok(())
            }
        }
    }

    fn form_list(
        &self,
        form: &mut Form,
        reference: &ShapeRef,
        shape: &Shape,
        elements: &[Value],
        key: &str,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let Some(member) = &shape.member else { return Err(SerializeError::no_shape(path, "")) };
        if elements.is_empty() && !form.is_ec2 {
            form.push(key, "");
        }
        let prefix = if form.is_ec2 || is_flattened(reference, shape) {
            key.to_owned()
        } else {
            joined(key, member.location_name.as_deref().unwrap_or("member"))
        };
        for (index, element) in elements.iter().enumerate() {
            let path = Path::Element(path, index);
            self.form_value(form, member, element, &format!("{prefix}.{}", index + 1), &path)?;
        }
        Ok(())
    }

    fn form_map(
        &self,
        form: &mut Form,
        reference: &ShapeRef,
        shape: &Shape,
        entries: &Map<String, Value>,
        key: &str,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let (Some(of_key), Some(of_value)) = (&shape.key, &shape.value) else {
            return Err(SerializeError::no_shape(path, ""));
        };
        let prefix = if is_flattened(reference, shape) { key.to_owned() } else { joined(key, "entry") };
        let entries = entries.iter().filter(|(_, value)| !value.is_null());
        for (index, (name, value)) in entries.enumerate() {
            let prefix = format!("{prefix}.{}", index + 1);
            form.push(&joined(&prefix, &form.name("key", of_key)), name);
            let value_key = joined(&prefix, &form.name("value", of_value));
            self.form_value(form, of_value, value, &value_key, &Path::Member(path, name))?;
        }
        Ok(())
    }
}
