//! The small parts of a file: keys, paths, templates and names of operations.

use super::Result;
use crate::collect::path::Path;
use crate::collect::template::{Reference, Template};
use crate::collect::yaml::{File, Key, Node, Place, Value};
use crate::model::{Operation, ServiceModel};

/// The keys of a map, each known.
pub(super) struct Keys<'a> {
    pub(super) file: &'a File,
    pub(super) entries: &'a [(Key, Node)],
}

impl<'a> Keys<'a> {
    pub(super) fn of(file: &'a File, node: &'a Node, known: &[&str]) -> Result<Keys<'a>> {
        let entries = node.map(file)?;
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                let known: Vec<String> = known.iter().map(|k| k.to_string()).collect();
                return Err(file.unknown(key.place, "unknown key", &key.name, &known));
            }
        }
        Ok(Keys { file, entries })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, n)| n)
    }

    pub(super) fn key(&self, key: &str) -> Option<&'a Key> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(k, _)| k)
    }

    pub(super) fn required(&self, key: &str, place: Place) -> Result<&'a Node> {
        self.get(key).ok_or_else(|| self.file.error(place, format!("`{key}` is missing"), None))
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool> {
        self.get(key).map_or(Ok(false), |n| n.boolean(self.file))
    }

    pub(super) fn strings(&self, key: &str) -> Result<Vec<String>> {
        self.get(key).map_or(Ok(Vec::new()), |n| n.strings(self.file))
    }

    pub(super) fn path(&self, key: &str) -> Result<Option<Path>> {
        self.get(key).map(|n| path(self.file, n)).transpose()
    }

    /// `first` excludes `others`.
    pub(super) fn not_with(&self, first: &str, others: &[&str]) -> Result<()> {
        match others.iter().find_map(|o| self.key(o)).filter(|_| self.get(first).is_some()) {
            Some(key) => {
                let message = format!("`{}` means nothing with `{first}`", key.name);
                Err(self.file.error(key.place, message, None))
            }
            None => Ok(()),
        }
    }

    /// `first` is only allowed together with one of `others`.
    pub(super) fn only_with(&self, first: &str, others: &[&str]) -> Result<()> {
        match self.key(first) {
            Some(key) if !others.iter().any(|o| self.get(o).is_some()) => {
                let message = format!("`{first}` means nothing without `{}`", others.join("` or `"));
                Err(self.file.error(key.place, message, None))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn path(file: &File, node: &Node) -> Result<Path> {
    path_text(file, node.place, node.string(file)?)
}

pub(super) fn path_text(file: &File, place: Place, text: &str) -> Result<Path> {
    let help = || Some("write Member.Member, Member[].Member or Member[0]".to_owned());
    Path::parse(text).ok_or_else(|| file.error(place, format!("`{text}` is no path"), help()))
}

pub(super) fn paths(file: &File, node: Option<&Node>) -> Result<Vec<(Place, Path)>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    match &node.value {
        Value::List(items) => items.iter().map(|n| Ok((n.place, path(file, n)?))).collect(),
        _ => Ok(vec![(node.place, path(file, node)?)]),
    }
}

pub(super) fn operation_of<'m>(
    file: &File,
    service: &str,
    model: &'m ServiceModel,
    place: Place,
    name: &str,
) -> Result<&'m Operation> {
    model.operations.get(name).ok_or_else(|| {
        let known: Vec<String> = model.operations.keys().cloned().collect();
        file.unknown(place, &format!("the API model of {service} has no operation"), name, &known)
    })
}

pub(super) fn template(file: &File, node: &Node) -> Result<Template> {
    let help = || Some("references are written $.Member, $parent.Member, $each.Member or ${Member}".to_owned());
    Template::of(&node.json()).map_err(|bad| file.error(node.place, format!("`{bad}` is no reference"), help()))
}

pub(super) fn templates(file: &File, node: &Node) -> Result<Vec<Template>> {
    match &node.value {
        Value::List(items) => items.iter().map(|n| member_template(file, n)).collect(),
        _ => Ok(vec![member_template(file, node)?]),
    }
}

/// A text with references in it; where it has none and is a path, the member at that path.
pub(super) fn member_template(file: &File, node: &Node) -> Result<Template> {
    let text = node.string(file)?;
    match Path::parse(text) {
        Some(path) if text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(['-', ':']) => {
            Ok(Template::Reference(Reference::Own(path)))
        }
        _ => template(file, node),
    }
}
