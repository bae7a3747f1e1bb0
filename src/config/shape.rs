//! Checks a tree against a JSON Schema and says every departure at its place.
//!
//! It knows the part of JSON Schema that `schemars` makes of the types of the configuration, and fails closed:
//! a test makes sure that no other keyword is in the schema.

use super::nearest_help;
use super::tree::{Content, Node};
use crate::mistake::{Mistake, Text};
use serde_json::{Map, Value};

/// The keywords that [`check`] obeys, and those that say nothing about validity.
#[cfg(test)]
pub(super) const KEYWORDS: [&str; 17] = [
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "const",
    "default",
    "description",
    "enum",
    "items",
    "minItems",
    "minLength",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
];

/// All departures of `node` from `schema`, in the order of the file.
pub(super) fn check(node: &Node, schema: &Value, source: &Text) -> Vec<Mistake> {
    let mut check = Check { root: schema, source, mistakes: Vec::new() };
    check.node(node, schema, "the configuration");
    check.mistakes
}

/// What a value is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

struct Check<'a> {
    root: &'a Value,
    source: &'a Text,
    mistakes: Vec<Mistake>,
}

impl<'a> Check<'a> {
    /// `name` is what the value is called in messages.
    fn node(&mut self, node: &Node, schema: &'a Value, name: &str) {
        let Some(schema) = self.resolve(schema).as_object() else { return };
        if let Some(choices) = choices(schema) {
            return self.choice(node, &choices, name);
        }
        if let Some(message) = self.wrong_type(node, schema, name) {
            let mistake = self.source.mistake(node.position(), message).with_help(self.unquoted(node, schema));
            return self.mistakes.push(mistake);
        }
        match &node.content {
            Content::Map(_) => self.map(node, schema, name),
            Content::List(items) => self.list(node, items, schema, name),
            Content::Scalar(value) => self.scalar(node, value, schema, name),
        }
    }

    /// Follows `$ref`.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(pointer) => self.root.pointer(pointer.trim_start_matches('#')).unwrap_or(schema),
            None => schema,
        }
    }

    fn wrong_type(&self, node: &Node, schema: &Map<String, Value>, name: &str) -> Option<String> {
        let wanted = schema.get("type")?.as_str()?;
        let found = node.to_value();
        let (fits, wanted) = match wanted {
            "object" => (found.is_object(), "a mapping"),
            "array" => (found.is_array(), "a list"),
            "string" => (found.is_string(), "text"),
            "boolean" => (found.is_boolean(), "true or false"),
            "integer" => (found.is_i64() || found.is_u64(), "a whole number"),
            "number" => (found.is_number(), "a number"),
            _ => return None,
        };
        (!fits).then(|| format!("{name} takes {wanted}, not {}", kind(&found)))
    }

    /// What to write where text was asked for and a number stands there, as it does where an account id has no quotes.
    fn unquoted(&self, node: &Node, schema: &Map<String, Value>) -> Option<String> {
        if schema.get("type")?.as_str()? != "string" || !node.to_value().is_number() {
            return None;
        }
        let written = self.source.text().get(self.source.bytes(node.position()))?.trim();
        let help = format!("write it in quotes, \"{written}\"");
        Some(match pattern(schema) {
            Some(form) if form.is_match(written) => format!("{help}: as a number it loses its leading zeros"),
            Some(form) => format!("{help}, and in the form `{form}`"),
            None => help,
        })
    }

    fn map(&mut self, node: &Node, schema: &'a Map<String, Value>, name: &str) {
        let Content::Map(entries) = &node.content else { return };
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !entries.iter().any(|e| e.key == key) {
                let message = format!("{name} needs `{key}`");
                self.mistakes.push(self.source.mistake(node.position(), message));
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for entry in entries {
            let name = format!("`{}`", entry.key);
            if let Some(property) = properties.and_then(|p| p.get(&entry.key)) {
                self.node(&entry.value, property, &name);
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    let known = properties.into_iter().flatten().map(|(k, _)| k.as_str());
                    let help = nearest_help(&entry.key, known, "it takes no keys");
                    let message = format!("there is no setting `{}` here", entry.key);
                    self.mistakes.push(self.source.mistake(entry.key_at, message).with_help(help));
                }
                Some(any) => self.node(&entry.value, any, &name),
                None => {}
            }
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'a Map<String, Value>, name: &str) {
        if schema.get("minItems").and_then(Value::as_u64).is_some_and(|least| (items.len() as u64) < least) {
            let help = "leave the key out to have the default".to_owned();
            let message = format!("{name} must not be empty");
            self.mistakes.push(self.source.mistake(node.position(), message).with_help(help));
        }
        if let Some(element) = schema.get("items") {
            for item in items {
                self.node(item, element, &format!("an element of {name}"));
            }
        }
    }

    fn scalar(&mut self, node: &Node, value: &Value, schema: &Map<String, Value>, name: &str) {
        let Some(text) = value.as_str() else { return };
        let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or_default();
        if (text.trim().chars().count() as u64) < least {
            let message = format!("{name} must not be empty");
            self.mistakes.push(self.source.mistake(node.position(), message));
        }
        if let Some(pattern) = pattern(schema).filter(|p| !p.is_match(text)) {
            let message = format!("{name} cannot be `{text}`: it must have the form `{pattern}`");
            self.mistakes.push(self.source.mistake(node.position(), message));
        }
    }

    fn choice(&mut self, node: &Node, choices: &[&str], name: &str) {
        let found = node.to_value();
        let fits = found.as_str().is_some_and(|f| choices.contains(&f));
        if !fits {
            let (message, help) = match found.as_str() {
                Some(f) => (format!("{name} cannot be `{f}`"), nearest_help(f, choices.iter().copied(), "")),
                None => {
                    (format!("{name} takes a name, not {}", kind(&found)), format!("one of `{}`", choices.join("`, `")))
                }
            };
            self.mistakes.push(self.source.mistake(node.position(), message).with_help(help));
        }
    }
}

/// The form that text must have.
fn pattern(schema: &Map<String, Value>) -> Option<regex::Regex> {
    schema.get("pattern").and_then(Value::as_str).and_then(|p| regex::Regex::new(p).ok())
}

/// The names that an enumeration takes: `schemars` writes `enum` for those without docstrings and `oneOf` with
/// `const` for those with.
fn choices(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter_map(Value::as_str).collect());
    }
    let parts = schema.get("oneOf")?.as_array()?;
    Some(parts.iter().filter_map(|p| p["const"].as_str()).collect())
}
