//! What can be checked against a service's API model: requests, parameters, filters, and what shaping leaves over.

use super::keys::{Keys, operation_of, path, path_text, paths, template};
use super::{Result, ServiceFile};
use crate::collect::declaration::{Condition, Filter, Pages, Request, Shaping, Test};
use crate::collect::path::{Path, Step, members_of};
use crate::collect::template::{Reference, Template};
use crate::collect::yaml::{Key, Node, Place, Value};
use crate::model::schema::Type;
use crate::model::{Kind, OneOrMany, Operation, Pagination};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a template or path may refer to.
pub(super) struct Scopes<'a> {
    pub(super) own: Option<&'a Type>,
    pub(super) parent: Option<&'a Type>,
    pub(super) each: Option<&'a Type>,
}

impl ServiceFile {
    /// The type of the answer of `operation`.
    pub(super) fn answer(&self, operation: &Operation) -> Type {
        let ty = operation.output.as_ref().and_then(|o| Type::of_shape(&self.model, &o.shape));
        ty.unwrap_or_else(|| Type::Object(Arc::default()))
    }

    pub(super) fn resolve(&self, place: Place, path: &Path, ty: &Type) -> Result<Type> {
        path.resolve(ty).map_err(|astray| {
            let message = format!("`{path}`: {} has no member", astray.within);
            self.file.unknown(place, &message, &astray.step, &astray.known)
        })
    }

    /// Reads `params` and checks them: names, references, and that nothing required is missing.
    pub(super) fn params(
        &self,
        operation: &Operation,
        node: Option<&Node>,
        place: Place,
        scopes: &Scopes<'_>,
    ) -> Result<Template> {
        let params = self.some_params(operation, node, scopes)?;
        let given: BTreeSet<&str> = match &params {
            Template::Object(members) => members.iter().map(|(k, _)| k.as_str()).collect(),
            _ => BTreeSet::new(),
        };
        let input = operation.input.as_ref().and_then(|i| self.model.shape(i));
        match input.and_then(|s| s.required.iter().find(|r| !given.contains(r.as_str()))) {
            Some(missing) => {
                let message = format!("{} needs the parameter `{missing}`", operation.name);
                Err(self.file.error(node.map_or(place, |n| n.place), message, None))
            }
            None => Ok(params),
        }
    }

    /// The same where something required may still be added.
    pub(super) fn some_params(
        &self,
        operation: &Operation,
        node: Option<&Node>,
        scopes: &Scopes<'_>,
    ) -> Result<Template> {
        let Some(node) = node else { return Ok(Template::Object(Vec::new())) };
        let params = template(&self.file, node)?;
        for leaf in node.leaves() {
            self.references(leaf.place, &template(&self.file, leaf)?, scopes)?;
        }
        match &operation.input {
            Some(input) => self.input(node, &input.shape)?,
            None if node.map(&self.file)?.is_empty() => {}
            None => return Err(self.file.error(node.place, format!("{} takes no parameters", operation.name), None)),
        }
        Ok(params)
    }

    pub(super) fn input(&self, node: &Node, shape: &str) -> Result<()> {
        let Some(s) = self.model.shapes.get(shape) else { return Ok(()) };
        match (&node.value, s.kind) {
            (Value::Map(entries), Kind::Structure) => {
                for (key, value) in entries {
                    let Some(member) = s.members.get(&key.name) else {
                        let known: Vec<String> = s.members.keys().map(str::to_owned).collect();
                        return Err(self.file.unknown(key.place, &format!("{shape} has no member"), &key.name, &known));
                    };
                    self.input(value, &member.shape)?;
                }
                Ok(())
            }
            (Value::Map(entries), Kind::Map) => {
                let value = s.value.as_ref().map_or("", |v| v.shape.as_str());
                entries.iter().try_for_each(|(_, n)| self.input(n, value))
            }
            (Value::List(items), Kind::List) => {
                let element = s.member.as_ref().map_or("", |m| m.shape.as_str());
                items.iter().try_for_each(|n| self.input(n, element))
            }
            (Value::String(text), _) if text.starts_with('$') => Ok(()),
            (Value::String(_), Kind::String | Kind::Timestamp | Kind::Blob) => Ok(()),
            (Value::Bool(_), Kind::Boolean) => Ok(()),
            (Value::Integer(_), Kind::Integer | Kind::Double) | (Value::Number(_), Kind::Double) => Ok(()),
            _ => Err(self.file.error(node.place, format!("{shape} is another type"), None)),
        }
    }

    pub(super) fn references(&self, place: Place, template: &Template, scopes: &Scopes<'_>) -> Result<()> {
        for reference in template.references() {
            let (path, ty, meaning) = match &reference {
                Reference::Own(path) => (path, scopes.own, "a resource of its own"),
                Reference::Parent(path) => (path, scopes.parent, "`for_each`"),
                Reference::Each(path) => (path, scopes.each, "`each`"),
            };
            match ty {
                Some(ty) => self.resolve(place, path, ty)?,
                None => {
                    return Err(self.file.error(place, format!("`{path}` refers to nothing without {meaning}"), None));
                }
            };
        }
        Ok(())
    }

    pub(super) fn request(&self, name: &Node, keys: &Keys<'_>, scopes: &Scopes<'_>) -> Result<(Request, Type)> {
        let operation_name = name.string(&self.file)?;
        let operation = operation_of(&self.file, &self.service, &self.model, name.place, operation_name)?;
        let params = self.params(operation, keys.get("params"), name.place, scopes)?;
        let mut request = self.bare_request(operation_name, operation, params);
        request.absent_on = keys.strings("absent_on")?;
        Ok((request, self.answer(operation)))
    }

    /// `name` is the operation's in the API; `operation.name` can carry a version (CloudFront).
    pub(super) fn bare_request(&self, name: &str, operation: &Operation, params: Template) -> Request {
        let own = || vec![format!("{}:{name}", self.model.iam_prefix())];
        Request {
            service: self.service.clone(),
            operation: name.to_owned(),
            params,
            actions: self.actions.get(name).cloned().unwrap_or_else(own),
            absent_on: Vec::new(),
            pages: operation.pagination.as_ref().map(pages),
            global: self.global,
            asked_in: self.asked_in.get(name).cloned().unwrap_or_default(),
        }
    }

    /// The list at `items` of the answer, and the type of its elements.
    pub(super) fn items(&self, keys: &Keys<'_>, place: Place, answer: &Type) -> Result<(Path, Type)> {
        let node = keys.required("items", place)?;
        let path = path(&self.file, node)?;
        match self.resolve(node.place, &path, answer)? {
            Type::List(element) => Ok((path, (*element).clone())),
            other => Err(self.file.error(node.place, format!("`{path}` is no list but: {other}"), None)),
        }
    }

    pub(super) fn filter(&self, node: Option<&Node>, ty: &Type) -> Result<Filter> {
        let Some(node) = node else { return Ok(Filter::default()) };
        let mut filter = Filter::default();
        for (key, value) in node.map(&self.file)? {
            if key.name == "any" {
                for alternative in value.list(&self.file)? {
                    filter.any.push(self.conditions(alternative.map(&self.file)?, ty)?);
                }
            } else {
                filter.all.push(self.condition(key, value, ty)?);
            }
        }
        Ok(filter)
    }

    pub(super) fn conditions(&self, entries: &[(Key, Node)], ty: &Type) -> Result<Vec<Condition>> {
        entries.iter().map(|(k, v)| self.condition(k, v, ty)).collect()
    }

    pub(super) fn condition(&self, key: &Key, node: &Node, ty: &Type) -> Result<Condition> {
        let path = path_text(&self.file, key.place, &key.name)?;
        self.resolve(key.place, &path, ty)?;
        let test = match &node.value {
            Value::String(s) if s == "present" => Test::Present,
            Value::String(s) if s == "absent" => Test::Absent,
            _ => self.test(node)?,
        };
        Ok(Condition { path, test })
    }

    pub(super) fn test(&self, node: &Node) -> Result<Test> {
        let known = ["in", "not_in", "prefix", "not_prefix"];
        let keys = Keys::of(&self.file, node, &known)?;
        let [(key, value)] = keys.entries else {
            let help = format!("one of: present, absent, {}", known.map(|k| format!("{{ {k}: … }}")).join(", "));
            return Err(self.file.error(node.place, "expected one condition", Some(help)));
        };
        let all = || value.list(&self.file)?.iter().map(|n| template(&self.file, n)).collect::<Result<Vec<_>>>();
        Ok(match key.name.as_str() {
            "in" => Test::In(all()?),
            "not_in" => Test::NotIn(all()?),
            "prefix" => Test::Prefix(template(&self.file, value)?),
            _ => Test::NotPrefix(template(&self.file, value)?),
        })
    }

    /// Reads `json`, `digest`, `keys`, `tail` and `drop`, and gives the type of what is left.
    pub(super) fn shaping(&self, keys: &Keys<'_>, ty: Type) -> Result<(Shaping, Type)> {
        let mut shaping = Shaping::default();
        let mut ty = ty;
        let json = keys.get("json");
        let json_paths = match json.map(|n| (n.place, &n.value)) {
            Some((place, Value::Bool(true))) => vec![(place, Path::default())],
            _ => paths(&self.file, json)?,
        };
        for (place, path) in json_paths {
            ty = self.retype(place, &path, &ty, &|_| Some(Type::Any))?;
            shaping.json.push(path);
        }
        let text = |_: &Type| Some(Type::String);
        let names = |_: &Type| Some(Type::List(Arc::new(Type::String)));
        ty = self.renamed(keys, "digest", ty, &text, &mut shaping.digest)?;
        ty = self.renamed(keys, "keys", ty, &names, &mut shaping.keys)?;
        for (from, to) in keys.get("tail").map_or(Ok(&[] as &[_]), |n| n.map(&self.file))? {
            let path = path_text(&self.file, from.place, &from.name)?;
            let name = to.string(&self.file)?.to_owned();
            self.resolve(from.place, &path, &ty)?;
            ty = with_tail(&ty, &path, &name);
            shaping.tail.push((path, name));
        }
        for (place, path) in paths(&self.file, keys.get("drop"))? {
            ty = self.retype(place, &path, &ty, &|_| None)?;
            shaping.drop.push(path);
        }
        Ok((shaping, ty))
    }

    pub(super) fn retype(
        &self,
        place: Place,
        path: &Path,
        ty: &Type,
        change: &dyn Fn(&Type) -> Option<Type>,
    ) -> Result<Type> {
        path.retype(ty, change).map_err(|astray| {
            let message = format!("`{path}`: {} has no member", astray.within);
            self.file.unknown(place, &message, &astray.step, &astray.known)
        })
    }

    /// Replaces members by others beside them: `from.path: NewName`.
    pub(super) fn renamed(
        &self,
        keys: &Keys<'_>,
        key: &str,
        ty: Type,
        new: &dyn Fn(&Type) -> Option<Type>,
        into: &mut Vec<(Path, String)>,
    ) -> Result<Type> {
        let mut ty = ty;
        let Some(node) = keys.get(key) else { return Ok(ty) };
        for (from, to) in node.map(&self.file)? {
            let path = path_text(&self.file, from.place, &from.name)?;
            let name = to.string(&self.file)?.to_owned();
            ty = self.retype(from.place, &path, &ty, new)?;
            ty = rename(&ty, &path, &name);
            into.push((path, name));
        }
        Ok(ty)
    }
}

/// A text called `name` beside the last member of `path`.
fn with_tail(ty: &Type, path: &Path, name: &str) -> Type {
    let Some((_, before)) = path.0.split_last() else { return ty.clone() };
    let added = Path(before.to_vec()).retype(ty, &|parent| {
        let mut members = members_of(parent);
        members.insert(name.to_owned(), Type::String);
        Some(Type::Object(Arc::new(members)))
    });
    added.unwrap_or_else(|_| ty.clone())
}

/// The last member of `path` renamed.
pub(super) fn rename(ty: &Type, path: &Path, name: &str) -> Type {
    let Some((Step::Member(last), before)) = path.0.split_last() else { return ty.clone() };
    let renamed = Path(before.to_vec()).retype(ty, &|parent| {
        let mut members = members_of(parent);
        if let Some(member) = members.remove(last) {
            members.insert(name.to_owned(), member);
        }
        Some(Type::Object(Arc::new(members)))
    });
    renamed.unwrap_or_else(|_| ty.clone())
}

/// Output paths that are no plain paths (JMESPath of S3's oldest listings) are left out.
fn pages(pagination: &Pagination) -> Pages {
    let paths = |names: &OneOrMany| names.iter().filter_map(Path::parse).collect::<Vec<_>>();
    let mut tokens = paths(&pagination.output_token);
    tokens.extend(pagination.more_results.as_deref().and_then(Path::parse));
    Pages { lists: pagination.result_key.as_ref().map(paths).unwrap_or_default(), tokens }
}
