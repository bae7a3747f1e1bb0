//! `resources`: what is read, type by type and member by member, with the IAM actions behind each.

use super::arguments::{Global, ListFormat, Resources};
use super::console::Console;
use super::data::{Sources, unknown};
use super::exit::End;
use super::failure::Failure;
use super::listing;
use crate::model::schema::{Member, ResourceSchema, Scope, Type};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Runs `resources list` or `resources show`.
pub(super) fn run(command: &Resources, global: &Global, console: &Console) -> Result<End, Failure> {
    match command {
        Resources::List { listing, data } => {
            let schemas = Sources::new(data, global)?.collectors()?.schemas();
            let all: Vec<&ResourceSchema> = schemas.types.values().collect();
            list(&all, listing.format, console)?;
        }
        Resources::Show { name, listing, data } => {
            let schemas = Sources::new(data, global)?.collectors()?.schemas();
            let schema = schemas.types.get(name).ok_or_else(|| {
                unknown("resource type", name, schemas.types.keys().map(String::as_str), "soc2scan resources list")
            })?;
            listing::print(listing.format, console, || document(schema), |out| show(out, schema))?;
        }
    }
    Ok(End::printed())
}

fn list(all: &[&ResourceSchema], format: ListFormat, console: &Console) -> Result<(), Failure> {
    let value = || {
        let one = |s: &&ResourceSchema| {
            json!({"type": s.name, "scope": scope(s.scope), "actions": s.actions,
                   "members": s.members.keys().collect::<Vec<_>>()})
        };
        all.iter().map(one).collect()
    };
    let rows: Vec<[String; 3]> = all
        .iter()
        .map(|s| [s.name.clone(), scope(s.scope).to_owned(), format!("{} members", s.members.len())])
        .collect();
    listing::print(format, console, value, |out| listing::columns(out, &rows))
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Regional => "regional",
        Scope::Global => "global",
    }
}

fn document(schema: &ResourceSchema) -> Value {
    let members: Map<String, Value> = schema
        .members
        .iter()
        .map(|(name, member)| {
            let mut value = described(&member.ty).document();
            value.insert("actions".into(), json!(member.actions));
            (name.clone(), Value::Object(value))
        })
        .collect();
    json!({"type": schema.name, "scope": scope(schema.scope), "actions": schema.actions, "members": members})
}

fn show(out: &mut dyn Write, schema: &ResourceSchema) -> io::Result<()> {
    writeln!(out, "{} ({})", schema.name, scope(schema.scope))?;
    writeln!(out, "listed with {}", actions(&schema.actions))?;
    for (name, Member { ty, actions: needed }) in &schema.members {
        let behind = if needed.is_empty() { String::new() } else { format!("  [{}]", needed.join(", ")) };
        writeln!(out, "\n  {name}: {ty}{behind}")?;
        described(ty).write(out, "    ")?;
    }
    Ok(())
}

fn actions(actions: &[String]) -> String {
    if actions.is_empty() { "no action of its own".into() } else { actions.join(", ") }
}

/// A type with the members of its members.
struct Described {
    ty: String,
    members: Vec<(String, Described)>,
}

fn described(ty: &Type) -> Described {
    describe(ty, &mut Vec::new())
}

/// `within` holds the structures around it: one that contains itself is not opened again.
fn describe(ty: &Type, within: &mut Vec<String>) -> Described {
    let name = ty.to_string();
    let opened = match innermost(ty) {
        Type::Structure(_, shape) if within.iter().any(|w| **w == **shape) => None,
        Type::Structure(_, shape) => Some(shape.to_string()),
        _ => Some(String::new()),
    };
    let Some(opened) = opened else { return Described { ty: name, members: Vec::new() } };
    within.push(opened);
    let inner = innermost(ty);
    let members = inner.member_names().into_iter().filter_map(|n| Some((inner.member(&n)?, n)));
    let members = members.map(|(t, n)| (n, describe(&t, within))).collect();
    within.pop();
    Described { ty: name, members }
}

/// What is in the list or map, and in the lists and maps in it.
fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::List(inner) | Type::Map(inner) => innermost(inner),
        other => other,
    }
}

impl Described {
    fn document(&self) -> Map<String, Value> {
        let mut value = Map::new();
        value.insert("type".into(), self.ty.clone().into());
        if !self.members.is_empty() {
            let members = self.members.iter().map(|(name, m)| (name.clone(), Value::Object(m.document())));
            value.insert("members".into(), members.collect::<Map<_, _>>().into());
        }
        value
    }

    fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        for (name, member) in &self.members {
            writeln!(out, "{indent}{name}: {}", member.ty)?;
            member.write(out, &format!("{indent}  "))?;
        }
        Ok(())
    }
}
