//! Reads collector files into declarations, and checks every name in them against the API models.
//!
//! Strict: an unknown key, an operation that the model lacks, a member path that the shape does not have, a
//! parameter that is missing: each is an error at its place in the file. What is loaded can be run.

use super::declaration::*;
use super::path::{Path, members_of};
use super::template::{Reference, Template};
use super::yaml::{DeclarationError, File, Key, Node, Place, Value};
use crate::model::schema::{Scope, Type};
use crate::model::{Kind, OneOrMany, Operation, Pagination, ServiceModel};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<DeclarationError>>;
type Models<'a> = &'a dyn Fn(&str) -> Option<Arc<ServiceModel>>;

/// A collector file, its resources not yet read.
struct ServiceFile {
    file: File,
    service: String,
    model: Arc<ServiceModel>,
    typed: bool,
    global: bool,
    actions: BTreeMap<String, Vec<String>>,
    resources: Vec<(Key, Node)>,
}

/// What the keys of a resource say, in the file that defines it and in those that add to it.
struct Draft<'a> {
    name: &'a str,
    definition: (&'a ServiceFile, Place, &'a Node),
    additions: Vec<(&'a ServiceFile, &'a Node)>,
}

const FILE_KEYS: &[&str] = &["service", "typed", "global", "actions", "resources"];
const RESOURCE_KEYS: &[&str] = &[
    "scope",
    "singleton",
    "list",
    "params",
    "items",
    "as",
    "fallback",
    "for_each",
    "inside",
    "where",
    "region",
    "locate",
    "id",
    "arn",
    "name",
    "tags",
    "gone_on",
    "get",
    "batch_get",
    "enrich",
    "json",
    "digest",
    "keys",
    "drop",
    "absent_on",
];
const DEFINING_KEYS: &[&str] = &["singleton", "list", "inside"];
const ENRICHMENT_KEYS: &[&str] = &[
    "call",
    "params",
    "take",
    "absent_on",
    "when",
    "keep",
    "members",
    "json",
    "digest",
    "keys",
    "drop",
    "each",
    "lookup",
    "typed",
    "calls",
    "may_call",
];

/// Reads and joins the files; of two for the same service the later one counts.
pub(super) fn collectors(files: Vec<(String, String)>, models: Models<'_>) -> Result<Collectors> {
    let mut services: BTreeMap<String, ServiceFile> = BTreeMap::new();
    for (name, text) in files {
        let file = File { name: name.into(), text: text.into() };
        let read = service_file(file, models)?;
        services.insert(read.service.clone(), read);
    }
    let drafts = drafts(&services)?;
    let mut types = BTreeMap::new();
    let mut pending: Vec<&Draft<'_>> = drafts.values().collect();
    // Parents first: a child is checked against its parent's members.
    while !pending.is_empty() {
        let before = pending.len();
        let mut waiting = Vec::new();
        for draft in pending {
            if draft.parents()?.iter().all(|(_, p)| types.contains_key(p)) {
                types.insert(draft.name.to_owned(), draft.read(&types)?);
            } else {
                waiting.push(draft);
            }
        }
        if waiting.len() == before {
            return Err(orphan(waiting[0], &drafts)?);
        }
        pending = waiting;
    }
    Ok(Collectors { types })
}

fn service_file(file: File, models: Models<'_>) -> Result<ServiceFile> {
    let root = file.read()?;
    let keys = Keys::of(&file, &root, FILE_KEYS)?;
    let service_node = keys.required("service", root.place)?;
    let service = service_node.string(&file)?.to_owned();
    let Some(model) = models(&service) else {
        let known: Vec<String> = crate::model::embedded::services().map(str::to_owned).collect();
        return Err(file.unknown(service_node.place, "no API model for service", &service, &known));
    };
    let mut actions = BTreeMap::new();
    if let Some(node) = keys.get("actions") {
        for (operation, action) in node.map(&file)? {
            operation_of(&file, &service, &model, operation.place, &operation.name)?;
            actions.insert(operation.name.clone(), action_names(&file, action)?);
        }
    }
    let typed = keys.flag("typed")?;
    let global = keys.flag("global")?;
    let resources = keys.required("resources", root.place)?.map(&file)?.to_vec();
    Ok(ServiceFile { service, model, typed, global, actions, resources, file })
}

fn action_names(file: &File, node: &Node) -> Result<Vec<String>> {
    let names = node.strings(file)?;
    match names.iter().find(|n| n.split_once(':').is_none_or(|(p, a)| p.is_empty() || a.is_empty())) {
        Some(bad) => {
            let help = Some("an IAM action is written `prefix:Action`".to_owned());
            Err(file.error(node.place, format!("`{bad}` is no IAM action"), help))
        }
        None => Ok(names),
    }
}

fn drafts(services: &BTreeMap<String, ServiceFile>) -> Result<BTreeMap<&str, Draft<'_>>> {
    let mut drafts: BTreeMap<&str, Draft<'_>> = BTreeMap::new();
    let mut additions = Vec::new();
    for service in services.values() {
        for (key, node) in &service.resources {
            let keys = Keys::of(&service.file, node, RESOURCE_KEYS)?;
            if !DEFINING_KEYS.iter().any(|k| keys.get(k).is_some()) {
                additions.push((service, key, node));
                continue;
            }
            let draft = Draft { name: &key.name, definition: (service, key.place, node), additions: Vec::new() };
            if let Some(other) = drafts.insert(&key.name, draft) {
                let message = format!("{} is already defined in {}", key.name, other.definition.0.file.name);
                return Err(service.file.error(key.place, message, None));
            }
        }
    }
    for (service, key, node) in additions {
        let keys = Keys::of(&service.file, node, &["enrich"])?;
        keys.required("enrich", key.place)?;
        match drafts.get_mut(key.name.as_str()) {
            Some(draft) => draft.additions.push((service, node)),
            None => {
                let help = format!("one file must define it, with one of: {}", DEFINING_KEYS.join(", "));
                return Err(service.file.error(key.place, format!("nothing defines {}", key.name), Some(help)));
            }
        }
    }
    Ok(drafts)
}

/// The error for types whose parent does not exist, or is their own descendant.
fn orphan(draft: &Draft<'_>, drafts: &BTreeMap<&str, Draft<'_>>) -> Result<Box<DeclarationError>> {
    let file = &draft.definition.0.file;
    let known: Vec<String> = drafts.keys().map(|k| k.to_string()).collect();
    for (place, parent) in draft.parents()? {
        if !known.contains(&parent) {
            return Ok(file.unknown(place, "no such resource type:", &parent, &known));
        }
    }
    Ok(file.error(draft.definition.1, format!("{} hangs under itself", draft.name), None))
}

/// The keys of a map, each known.
struct Keys<'a> {
    file: &'a File,
    entries: &'a [(Key, Node)],
}

impl<'a> Keys<'a> {
    fn of(file: &'a File, node: &'a Node, known: &[&str]) -> Result<Keys<'a>> {
        let entries = node.map(file)?;
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                let known: Vec<String> = known.iter().map(|k| k.to_string()).collect();
                return Err(file.unknown(key.place, "unknown key", &key.name, &known));
            }
        }
        Ok(Keys { file, entries })
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, n)| n)
    }

    fn key(&self, key: &str) -> Option<&'a Key> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(k, _)| k)
    }

    fn required(&self, key: &str, place: Place) -> Result<&'a Node> {
        self.get(key).ok_or_else(|| self.file.error(place, format!("`{key}` is missing"), None))
    }

    fn flag(&self, key: &str) -> Result<bool> {
        self.get(key).map_or(Ok(false), |n| n.boolean(self.file))
    }

    fn strings(&self, key: &str) -> Result<Vec<String>> {
        self.get(key).map_or(Ok(Vec::new()), |n| n.strings(self.file))
    }

    fn path(&self, key: &str) -> Result<Option<Path>> {
        self.get(key).map(|n| path(self.file, n)).transpose()
    }

    /// `first` is only allowed together with one of `others`.
    fn only_with(&self, first: &str, others: &[&str]) -> Result<()> {
        match self.key(first) {
            Some(key) if !others.iter().any(|o| self.get(o).is_some()) => {
                let message = format!("`{first}` means nothing without `{}`", others.join("` or `"));
                Err(self.file.error(key.place, message, None))
            }
            _ => Ok(()),
        }
    }
}

fn path(file: &File, node: &Node) -> Result<Path> {
    path_text(file, node.place, node.string(file)?)
}

fn path_text(file: &File, place: Place, text: &str) -> Result<Path> {
    let help = || Some("write Member.Member, Member[].Member or Member[0]".to_owned());
    Path::parse(text).ok_or_else(|| file.error(place, format!("`{text}` is no path"), help()))
}

fn paths(file: &File, node: Option<&Node>) -> Result<Vec<(Place, Path)>> {
    let Some(node) = node else { return Ok(Vec::new()) };
    match &node.value {
        Value::List(items) => items.iter().map(|n| Ok((n.place, path(file, n)?))).collect(),
        _ => Ok(vec![(node.place, path(file, node)?)]),
    }
}

fn operation_of<'m>(
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

fn template(file: &File, node: &Node) -> Result<Template> {
    let help = || Some("references are written $.Member, $parent.Member, $each.Member or ${Member}".to_owned());
    Template::of(&node.json()).map_err(|bad| file.error(node.place, format!("`{bad}` is no reference"), help()))
}

fn templates(file: &File, node: &Node) -> Result<Vec<Template>> {
    match &node.value {
        Value::List(items) => items.iter().map(|n| member_template(file, n)).collect(),
        _ => Ok(vec![member_template(file, node)?]),
    }
}

/// A text with references in it; where it has none and is a path, the member at that path.
fn member_template(file: &File, node: &Node) -> Result<Template> {
    let text = node.string(file)?;
    match Path::parse(text) {
        Some(path) if text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(['-', ':']) => {
            Ok(Template::Reference(Reference::Own(path)))
        }
        _ => template(file, node),
    }
}

/// What a template or path may refer to.
struct Scopes<'a> {
    own: Option<&'a Type>,
    parent: Option<&'a Type>,
    each: Option<&'a Type>,
}

impl ServiceFile {
    /// The type of the answer of `operation`.
    fn answer(&self, operation: &Operation) -> Type {
        let ty = operation.output.as_ref().and_then(|o| Type::of_shape(&self.model, &o.shape));
        ty.unwrap_or_else(|| Type::Object(Arc::default()))
    }

    fn resolve(&self, place: Place, path: &Path, ty: &Type) -> Result<Type> {
        path.resolve(ty).map_err(|astray| {
            let message = format!("`{path}`: {} has no member", astray.within);
            self.file.unknown(place, &message, &astray.step, &astray.known)
        })
    }

    /// Reads `params` and checks them: names, references, and that nothing required is missing.
    fn params(
        &self,
        operation: &Operation,
        node: Option<&Node>,
        place: Place,
        scopes: &Scopes<'_>,
    ) -> Result<Template> {
        let empty = Template::Object(Vec::new());
        let params = node.map_or(Ok(empty), |n| template(&self.file, n))?;
        let input = operation.input.as_ref().map(|i| i.shape.as_str());
        if let Some(node) = node {
            self.references(node.place, &params, scopes)?;
            match input {
                Some(shape) => self.input(node, shape)?,
                None if node.map(&self.file)?.is_empty() => {}
                None => {
                    return Err(self.file.error(node.place, format!("{} takes no parameters", operation.name), None));
                }
            }
        }
        let given: BTreeSet<&str> = match &params {
            Template::Object(members) => members.iter().map(|(k, _)| k.as_str()).collect(),
            _ => BTreeSet::new(),
        };
        let required = input.and_then(|s| self.model.shapes.get(s)).map_or(&[][..], |s| &s.required);
        match required.iter().find(|r| !given.contains(r.as_str())) {
            Some(missing) => {
                let message = format!("{} needs the parameter `{missing}`", operation.name);
                Err(self.file.error(node.map_or(place, |n| n.place), message, None))
            }
            None => Ok(params),
        }
    }

    fn input(&self, node: &Node, shape: &str) -> Result<()> {
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

    fn references(&self, place: Place, template: &Template, scopes: &Scopes<'_>) -> Result<()> {
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

    fn request(&self, name: &Node, keys: &Keys<'_>, scopes: &Scopes<'_>) -> Result<(Request, Type)> {
        let operation_name = name.string(&self.file)?;
        let operation = operation_of(&self.file, &self.service, &self.model, name.place, operation_name)?;
        let params = self.params(operation, keys.get("params"), name.place, scopes)?;
        let mut request = self.bare_request(operation_name, operation, params);
        request.absent_on = keys.strings("absent_on")?;
        Ok((request, self.answer(operation)))
    }

    /// `name` is the operation's in the API; `operation.name` can carry a version (CloudFront).
    fn bare_request(&self, name: &str, operation: &Operation, params: Template) -> Request {
        let own = || vec![format!("{}:{name}", self.model.iam_prefix())];
        Request {
            service: self.service.clone(),
            operation: name.to_owned(),
            params,
            actions: self.actions.get(name).cloned().unwrap_or_else(own),
            absent_on: Vec::new(),
            pages: operation.pagination.as_ref().map(pages),
            global: self.global,
        }
    }

    /// The list at `items` of the answer, and the type of its elements.
    fn items(&self, keys: &Keys<'_>, place: Place, answer: &Type) -> Result<(Path, Type)> {
        let node = keys.required("items", place)?;
        let path = path(&self.file, node)?;
        match self.resolve(node.place, &path, answer)? {
            Type::List(element) => Ok((path, (*element).clone())),
            other => Err(self.file.error(node.place, format!("`{path}` is no list but: {other}"), None)),
        }
    }

    fn filter(&self, node: Option<&Node>, ty: &Type) -> Result<Filter> {
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

    fn conditions(&self, entries: &[(Key, Node)], ty: &Type) -> Result<Vec<Condition>> {
        entries.iter().map(|(k, v)| self.condition(k, v, ty)).collect()
    }

    fn condition(&self, key: &Key, node: &Node, ty: &Type) -> Result<Condition> {
        let path = path_text(&self.file, key.place, &key.name)?;
        self.resolve(key.place, &path, ty)?;
        let test = match &node.value {
            Value::String(s) if s == "present" => Test::Present,
            Value::String(s) if s == "absent" => Test::Absent,
            _ => self.test(node)?,
        };
        Ok(Condition { path, test })
    }

    fn test(&self, node: &Node) -> Result<Test> {
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

    /// Reads `json`, `digest`, `keys` and `drop`, and gives the type of what is left.
    fn shaping(&self, keys: &Keys<'_>, ty: Type) -> Result<(Shaping, Type)> {
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
        for (place, path) in paths(&self.file, keys.get("drop"))? {
            ty = self.retype(place, &path, &ty, &|_| None)?;
            shaping.drop.push(path);
        }
        Ok((shaping, ty))
    }

    fn retype(&self, place: Place, path: &Path, ty: &Type, change: &dyn Fn(&Type) -> Option<Type>) -> Result<Type> {
        path.retype(ty, change).map_err(|astray| {
            let message = format!("`{path}`: {} has no member", astray.within);
            self.file.unknown(place, &message, &astray.step, &astray.known)
        })
    }

    /// Replaces members by others beside them: `from.path: NewName`.
    fn renamed(
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

/// The last member of `path` renamed.
fn rename(ty: &Type, path: &Path, name: &str) -> Type {
    let Some((super::path::Step::Member(last), before)) = path.0.split_last() else { return ty.clone() };
    let renamed = Path(before.to_vec()).retype(ty, &|parent| {
        let mut members = members_of(parent);
        if let Some(member) = members.remove(last) {
            members.insert(name.to_owned(), member);
        }
        Some(Type::Object(Arc::new(members)))
    });
    renamed.unwrap_or_else(|_| ty.clone())
}

impl<'a> Draft<'a> {
    fn keys(&self) -> Result<Keys<'a>> {
        Keys::of(&self.definition.0.file, self.definition.2, RESOURCE_KEYS)
    }

    fn parents(&self) -> Result<Vec<(Place, String)>> {
        let file = &self.definition.0.file;
        let keys = self.keys()?;
        if let Some(parent) = keys.get("for_each") {
            return Ok(vec![(parent.place, parent.string(file)?.to_owned())]);
        }
        match keys.get("inside") {
            Some(node) => Ok(node.map(file)?.iter().map(|(k, _)| (k.place, k.name.clone())).collect()),
            None => Ok(Vec::new()),
        }
    }

    fn read(&self, types: &BTreeMap<String, ResourceType>) -> Result<ResourceType> {
        let (service, place, _) = self.definition;
        let keys = self.keys()?;
        self.consistent(&keys)?;
        let scope = scope(&service.file, keys.get("scope"))?;
        self.beside_parents(scope, types)?;
        let (source, listed) = self.source(&keys, place, types)?;
        let mut shape = Building::new(members_of(&listed));
        shape.fixed = self.has_parent(&source).then(parent_type);
        let details = self.details(&keys, &mut shape)?;
        let filter = service.filter(keys.get("where"), &shape.listed_type())?;
        let shaping = shape.reshape(service, &keys)?;
        let mut enrichments = Vec::new();
        let files = std::iter::once((service, self.definition.2)).chain(self.additions.iter().copied());
        for (service, node) in files {
            if let Some(enrich) = Keys::of(&service.file, node, RESOURCE_KEYS)?.get("enrich") {
                for (key, node) in enrich.map(&service.file)? {
                    let enrichment = enrichment(service, key, node, &shape)?;
                    shape.add(service, key, enrichment.1, By::Enrichment(enrichments.len()))?;
                    enrichments.push(enrichment.0);
                }
            }
        }
        let named = self.names(&keys, &shape)?;
        Ok(ResourceType {
            name: self.name.to_owned(),
            scope,
            source,
            home: named.home,
            locate: named.locate,
            id: named.id,
            arn: named.arn,
            display_name: named.display_name,
            tags: named.tags,
            filter,
            shaping,
            gone_on: keys.strings("gone_on")?,
            details,
            enrichments,
            members: shape.finish(),
        })
    }

    /// A child is listed where its parent is: the same scope, and no parent that lives elsewhere than it was
    /// listed.
    fn beside_parents(&self, scope: Scope, types: &BTreeMap<String, ResourceType>) -> Result<()> {
        let file = &self.definition.0.file;
        for (place, name) in self.parents()? {
            let Some(parent) = types.get(&name) else { continue };
            if parent.scope != scope {
                return Err(file.error(place, format!("{name} has another scope"), None));
            }
            if parent.home.is_some() && scope == Scope::Regional {
                let message = format!("{name} has a `region` of its own: nothing regional can hang under it");
                return Err(file.error(place, message, None));
            }
        }
        Ok(())
    }

    fn has_parent(&self, source: &Source) -> bool {
        matches!(source, Source::ForEach { .. } | Source::Inside(_))
    }

    fn consistent(&self, keys: &Keys<'_>) -> Result<()> {
        for key in ["params", "items", "as", "fallback", "for_each", "absent_on"] {
            keys.only_with(key, &["list"])?;
        }
        keys.only_with("locate", &["region"])?;
        let defining: Vec<&Key> = DEFINING_KEYS.iter().filter_map(|k| keys.key(k)).collect();
        match defining[..] {
            [first, second, ..] => {
                let message = format!("`{}` and `{}` exclude each other", first.name, second.name);
                Err(keys.file.error(second.place, message, None))
            }
            _ => Ok(()),
        }
    }

    fn source(&self, keys: &Keys<'_>, place: Place, types: &BTreeMap<String, ResourceType>) -> Result<(Source, Type)> {
        let service = self.definition.0;
        if let Some(list) = keys.get("list") {
            let parent = self.parents()?.pop().and_then(|(_, p)| types.get(&p));
            let parent_type = parent.map(document_type);
            let (listing, item) = listing(service, keys, list, place, parent_type.as_ref())?;
            return Ok(match parent {
                Some(p) => (Source::ForEach { parent: p.name.clone(), listing }, item),
                None => (Source::List(listing), item),
            });
        }
        if let Some(inside) = keys.get("inside") {
            return inside_of(service, inside, types);
        }
        match keys.flag("singleton")? {
            true => Ok((Source::Singleton, Type::Object(Arc::default()))),
            false => Err(service.file.error(place, "`singleton` is true or left out", None)),
        }
    }

    fn details(&self, keys: &Keys<'_>, shape: &mut Building) -> Result<Vec<Detail>> {
        let service = self.definition.0;
        let mut details = Vec::new();
        if let Some(node) = keys.get("get") {
            let own = Keys::of(&service.file, node, &["call", "params", "take", "absent_on", "members"])?;
            let document = shape.document();
            let scopes = Scopes { own: Some(&document), parent: None, each: None };
            let (call, answer) = service.request(own.required("call", node.place)?, &own, &scopes)?;
            let take = own.path("take")?.unwrap_or_default();
            let taken = service.resolve(own.get("take").map_or(node.place, |n| n.place), &take, &answer)?;
            let taken = declared_members(service, &own, taken)?;
            let members = shape.merge(taken, By::Detail(details.len()));
            details.push(Detail { needs: needs_of(&call.params), call, take, batch: None, members });
        }
        if let Some(node) = keys.get("batch_get") {
            let detail = batch(service, node, shape, details.len())?;
            details.push(detail);
        }
        Ok(details)
    }

    fn names(&self, keys: &Keys<'_>, shape: &Building) -> Result<Named> {
        let (service, place, _) = self.definition;
        let file = &service.file;
        let document = shape.document();
        let scopes = Scopes { own: Some(&document), parent: None, each: None };
        let checked = |node: &Node| {
            let all = templates(file, node)?;
            all.iter().try_for_each(|t| service.references(node.place, t, &scopes))?;
            Ok::<_, Box<DeclarationError>>(all)
        };
        let arn = checked(keys.required("arn", place)?)?;
        let id = keys.get("id").map_or(Ok(Vec::new()), checked)?;
        let display_name = keys.get("name").map(checked).transpose()?.and_then(|mut t| t.pop());
        let member = |key: &str| -> Result<Option<Path>> {
            let Some(node) = keys.get(key) else { return Ok(None) };
            let path = path(file, node)?;
            service.resolve(node.place, &path, &document)?;
            Ok(Some(path))
        };
        let locate = match keys.get("locate") {
            Some(node) => {
                let own = Keys::of(file, node, &["typed", "calls", "may_call", "params"])?;
                Some(typed(service, &own, node.place, Some(&document))?)
            }
            None => None,
        };
        Ok(Named { id, arn, display_name, tags: member("tags")?, home: member("region")?, locate })
    }
}

struct Named {
    id: Vec<Template>,
    arn: Vec<Template>,
    display_name: Option<Template>,
    tags: Option<Path>,
    home: Option<Path>,
    locate: Option<Typed>,
}

/// The members of a resource type while it is put together.
struct Building {
    members: BTreeMap<String, Origin>,
    /// The type of `Parent`, for children.
    fixed: Option<Type>,
}

impl Building {
    fn new(listed: BTreeMap<String, Type>) -> Building {
        let origin = |ty| Origin { ty, by: By::Listing };
        Building { members: listed.into_iter().map(|(n, ty)| (n, origin(ty))).collect(), fixed: None }
    }

    fn object<'b>(&'b self, chosen: impl Iterator<Item = (&'b String, &'b Origin)>) -> Type {
        let mut members: BTreeMap<String, Type> = chosen.map(|(n, o)| (n.clone(), o.ty.clone())).collect();
        if let Some(parent) = &self.fixed {
            members.insert("Parent".into(), parent.clone());
        }
        Type::Object(Arc::new(members))
    }

    fn document(&self) -> Type {
        self.object(self.members.iter())
    }

    fn listed_type(&self) -> Type {
        self.object(self.members.iter().filter(|(_, o)| o.by == By::Listing))
    }

    /// Adds the members of `ty` that are not there yet; gives their names.
    fn merge(&mut self, ty: Type, by: By) -> Vec<String> {
        let mut added = Vec::new();
        for (name, ty) in members_of(&ty) {
            if let Entry::Vacant(place) = self.members.entry(name) {
                added.push(place.key().clone());
                place.insert(Origin { ty, by });
            }
        }
        added
    }

    fn add(&mut self, service: &ServiceFile, key: &Key, ty: Type, by: By) -> Result<()> {
        if self.members.contains_key(&key.name) {
            let message = format!("the resource already has a member `{}`", key.name);
            return Err(service.file.error(key.place, message, None));
        }
        self.members.insert(key.name.clone(), Origin { ty, by });
        Ok(())
    }

    /// Applies the shaping of the resource to its members so far.
    fn reshape(&mut self, service: &ServiceFile, keys: &Keys<'_>) -> Result<Shaping> {
        let (shaping, ty) = service.shaping(keys, self.object(self.members.iter()))?;
        let mut reshaped = members_of(&ty);
        reshaped.remove("Parent");
        let by = |name: &str| {
            let renamed = shaping.digest.iter().chain(&shaping.keys).find(|(_, to)| to == name);
            let from = renamed.and_then(|(path, _)| path.root()).unwrap_or(name);
            self.members.get(name).or_else(|| self.members.get(from)).map_or(By::Listing, |o| o.by)
        };
        self.members = reshaped.into_iter().map(|(n, ty)| (n.clone(), Origin { ty, by: by(&n) })).collect();
        Ok(shaping)
    }

    fn finish(self) -> BTreeMap<String, Origin> {
        let mut members = self.members;
        if let Some(ty) = self.fixed {
            members.insert("Parent".into(), Origin { ty, by: By::Listing });
        }
        members
    }
}

/// What a child says of its parent.
fn parent_type() -> Type {
    let names = ["Type", "Id", "Arn", "Name"];
    Type::Object(Arc::new(names.into_iter().map(|n| (n.to_owned(), Type::String)).collect()))
}

fn document_type(resource: &ResourceType) -> Type {
    Type::Object(Arc::new(resource.members.iter().map(|(n, o)| (n.clone(), o.ty.clone())).collect()))
}

fn scope(file: &File, node: Option<&Node>) -> Result<Scope> {
    let Some(node) = node else { return Ok(Scope::Regional) };
    match node.string(file)? {
        "regional" => Ok(Scope::Regional),
        "global" | "account" => Ok(Scope::Global),
        other => Err(file.unknown(
            node.place,
            "no such scope:",
            other,
            &["regional".into(), "global".into(), "account".into()],
        )),
    }
}

fn needs_of(params: &Template) -> BTreeSet<String> {
    let own = params.references().into_iter().filter_map(|r| match r {
        Reference::Own(path) => path.root().map(str::to_owned),
        _ => None,
    });
    own.collect()
}

fn listing(
    service: &ServiceFile,
    keys: &Keys<'_>,
    name: &Node,
    place: Place,
    parent: Option<&Type>,
) -> Result<(Listing, Type)> {
    let scopes = Scopes { own: None, parent, each: None };
    let (call, answer) = service.request(name, keys, &scopes)?;
    let (items, element) = service.items(keys, place, &answer)?;
    let wrap = keys.get("as").map(|n| n.string(&service.file).map(str::to_owned)).transpose()?;
    let item = match (&wrap, &element) {
        (Some(name), _) => Type::Object(Arc::new(BTreeMap::from([(name.clone(), element)]))),
        (None, Type::Structure(..)) => element,
        (None, other) => {
            let help = Some("`as: Member` names the member that each becomes".to_owned());
            return Err(service.file.error(name.place, format!("the items are no structures but: {other}"), help));
        }
    };
    let fallback = keys.get("fallback").map(|n| fallback(service, n, &item, parent)).transpose()?;
    Ok((Listing { call, items, wrap, fallback }, item))
}

fn fallback(service: &ServiceFile, node: &Node, item: &Type, parent: Option<&Type>) -> Result<Fallback> {
    let keys = Keys::of(&service.file, node, &["list", "params", "items", "omits", "absent_on"])?;
    let scopes = Scopes { own: None, parent, each: None };
    let (call, answer) = service.request(keys.required("list", node.place)?, &keys, &scopes)?;
    let (items, element) = service.items(&keys, node.place, &answer)?;
    let omitted = keys.strings("omits")?;
    for name in &omitted {
        if element.member(name).is_none() {
            let place = keys.get("omits").map_or(node.place, |n| n.place);
            return Err(service.file.unknown(place, "the fallback has no member", name, &element.member_names()));
        }
    }
    let given = |n: &String| element.member(n).is_some() && !omitted.contains(n);
    let missing = item.member_names().into_iter().filter(|n| !given(n)).collect();
    Ok(Fallback { call, items, missing })
}

fn inside_of(service: &ServiceFile, node: &Node, types: &BTreeMap<String, ResourceType>) -> Result<(Source, Type)> {
    let mut sources = Vec::new();
    let mut item: Option<Type> = None;
    for (key, member) in node.map(&service.file)? {
        let Some(parent) = types.get(&key.name) else { continue };
        let path = path(&service.file, member)?;
        match service.resolve(member.place, &path, &document_type(parent))? {
            Type::List(element) => item.get_or_insert((*element).clone()),
            other => return Err(service.file.error(member.place, format!("`{path}` is no list but: {other}"), None)),
        };
        sources.push((key.name.clone(), path));
    }
    let item = item.ok_or_else(|| service.file.error(node.place, "`inside` names no resource type", None))?;
    Ok((Source::Inside(sources), item))
}

fn batch(service: &ServiceFile, node: &Node, shape: &mut Building, place: usize) -> Result<Detail> {
    let file = &service.file;
    let keys = Keys::of(file, node, &["call", "params", "ids", "size", "items", "key", "absent_on"])?;
    let ids = keys.required("ids", node.place)?;
    let [(param, of)] = ids.map(file)? else {
        return Err(file.error(ids.place, "expected one parameter: `ids: { Parameter: Member }`", None));
    };
    let name = keys.required("call", node.place)?;
    let operation = operation_of(file, &service.service, &service.model, name.place, name.string(file)?)?;
    let input = operation.input.as_ref().and_then(|i| service.model.shapes.get(&i.shape));
    match input.and_then(|s| s.members.get(&param.name)).and_then(|m| service.model.shape(m)) {
        Some(list) if list.kind == Kind::List => {}
        Some(_) => return Err(file.error(param.place, format!("`{}` takes no list", param.name), None)),
        None => {
            let known: Vec<String> = input.map_or(Vec::new(), |s| s.members.keys().map(str::to_owned).collect());
            return Err(file.unknown(
                param.place,
                &format!("{} has no parameter", operation.name),
                &param.name,
                &known,
            ));
        }
    }
    let params = keys.get("params").map_or(Ok(Template::Object(Vec::new())), |n| template(file, n))?;
    let mut call = service.bare_request(name.string(file)?, operation, params);
    call.absent_on = keys.strings("absent_on")?;
    let (items, element) = service.items(&keys, node.place, &service.answer(operation))?;
    let of_path = path(file, of)?;
    service.resolve(of.place, &of_path, &shape.document())?;
    let key_node = keys.required("key", node.place)?;
    let key = path(file, key_node)?;
    service.resolve(key_node.place, &key, &element)?;
    let size_node = keys.required("size", node.place)?;
    let size = usize::try_from(size_node.integer(file)?).ok().filter(|n| *n > 0);
    let size = size.ok_or_else(|| file.error(size_node.place, "`size` is at least 1", None))?;
    let needs = of_path.root().map(str::to_owned).into_iter().collect();
    let members = shape.merge(element, By::Detail(place));
    Ok(Detail {
        call,
        take: items,
        batch: Some(Batch { param: param.name.clone(), of: of_path, size, key }),
        members,
        needs,
    })
}

fn enrichment(service: &ServiceFile, key: &Key, node: &Node, shape: &Building) -> Result<(Enrichment, Type)> {
    let file = &service.file;
    let keys = Keys::of(file, node, ENRICHMENT_KEYS)?;
    let document = shape.document();
    let (how, answer, over) = how(service, key, &keys, &document)?;
    let take = keys.path("take")?.unwrap_or_default();
    let place = keys.get("take").map_or(key.place, |n| n.place);
    let mut ty = service.resolve(place, &take, &answer)?;
    ty = declared_members(service, &keys, ty)?;
    let mut keep_type = ty.clone();
    if let How::Lookup { key, of, many, member, .. } = &how {
        let Type::List(element) = &ty else {
            return Err(file.error(place, format!("a lookup needs a list; `{take}` is: {ty}"), None));
        };
        let lookup = keys.get("lookup").map_or(key_place(&keys, "lookup", node), |n| n.place);
        service.resolve(lookup, key, element)?;
        service.resolve(lookup, of, &document)?;
        let found = member.as_ref().map_or(Ok((**element).clone()), |m| service.resolve(lookup, m, element))?;
        keep_type = (**element).clone();
        ty = if *many { Type::List(Arc::new(found)) } else { found };
    } else if let Type::List(element) = &ty {
        keep_type = (**element).clone();
    }
    let keep = service.filter(keys.get("keep"), &keep_type)?;
    let when = service.filter(keys.get("when"), &document)?;
    let (shaping, ty) = service.shaping(&keys, ty)?;
    let ty = if over.is_some() { Type::List(Arc::new(ty)) } else { ty };
    let mut needs = when.needs();
    needs.extend(over);
    match &how {
        How::Call(call) | How::Each { call, .. } => needs.extend(needs_of(&call.params)),
        How::Lookup { of, .. } => needs.extend(of.root().map(str::to_owned)),
        How::Typed(typed) => needs.extend(needs_of(&typed.params)),
    }
    Ok((Enrichment { name: key.name.clone(), how, take, when, keep, shaping, needs }, ty))
}

fn key_place(keys: &Keys<'_>, key: &str, node: &Node) -> Place {
    keys.key(key).map_or(node.place, |k| k.place)
}

/// How it is read, the type of the answer, and the list member that it goes over.
fn how(service: &ServiceFile, key: &Key, keys: &Keys<'_>, document: &Type) -> Result<(How, Type, Option<String>)> {
    let file = &service.file;
    if keys.get("typed").is_some() {
        let typed = typed(service, keys, key.place, Some(document))?;
        let ty = type_of(file, keys.required("members", key.place)?)?;
        return Ok((How::Typed(typed), ty, None));
    }
    keys.only_with("calls", &["typed"])?;
    keys.only_with("may_call", &["typed"])?;
    let name = keys.required("call", key.place)?;
    if let Some(over) = keys.get("each") {
        let path = path(file, over)?;
        let Type::List(element) = service.resolve(over.place, &path, document)? else {
            return Err(file.error(over.place, format!("`{path}` is no list"), None));
        };
        let scopes = Scopes { own: Some(document), parent: None, each: Some(&element) };
        let (call, answer) = service.request(name, keys, &scopes)?;
        let root = path.root().map(str::to_owned);
        return Ok((How::Each { call, over: path }, answer, root));
    }
    if let Some(lookup) = keys.get("lookup") {
        let own = Keys::of(file, lookup, &["key", "of", "many", "member"])?;
        let scopes = Scopes { own: None, parent: None, each: None };
        let (call, answer) = service.request(name, keys, &scopes)?;
        let at = |k: &str| path(file, own.required(k, lookup.place)?);
        let how =
            How::Lookup { call, key: at("key")?, of: at("of")?, many: own.flag("many")?, member: own.path("member")? };
        return Ok((how, answer, None));
    }
    let scopes = Scopes { own: Some(document), parent: None, each: None };
    let (call, answer) = service.request(name, keys, &scopes)?;

    Ok((How::Call(call), answer, None))
}

/// Output paths that are no plain paths (JMESPath of S3's oldest listings) are left out.
fn pages(pagination: &Pagination) -> Pages {
    let paths = |names: &OneOrMany| names.iter().filter_map(Path::parse).collect::<Vec<_>>();
    let mut tokens = paths(&pagination.output_token);
    tokens.extend(pagination.more_results.as_deref().and_then(Path::parse));
    Pages { lists: pagination.result_key.as_ref().map(paths).unwrap_or_default(), tokens }
}

fn typed(service: &ServiceFile, keys: &Keys<'_>, place: Place, document: Option<&Type>) -> Result<Typed> {
    let file = &service.file;
    let node = keys.required("typed", place)?;
    if !service.typed {
        let help = Some("set `typed: true` at the top of the file of a service that has its own code".to_owned());
        return Err(file.error(node.place, format!("{} has no typed sources", service.service), help));
    }
    let name = node.string(file)?;
    let Some((_, function)) = Function::ALL.into_iter().find(|(n, _)| *n == name) else {
        let known: Vec<String> = Function::ALL.map(|(n, _)| n.to_owned()).into();
        return Err(file.unknown(node.place, "no such typed source:", name, &known));
    };
    let params = keys.get("params").map_or(Ok(Template::Object(Vec::new())), |n| template(file, n))?;
    let scopes = Scopes { own: document, parent: None, each: None };
    service.references(keys.get("params").map_or(place, |n| n.place), &params, &scopes)?;
    let request = |n: &Node| {
        let operation = operation_of(file, &service.service, &service.model, n.place, n.string(file)?)?;
        Ok(service.bare_request(n.string(file)?, operation, Template::Object(Vec::new())))
    };
    let requests = |key: &str| match keys.get(key) {
        Some(node) => node.list(file)?.iter().map(request).collect::<Result<Vec<_>>>(),
        None => Ok(Vec::new()),
    };
    Ok(Typed { function, params, calls: requests("calls")?, may_call: requests("may_call")? })
}

/// The members of a map that are named in the declaration: each of the map's value type.
fn declared_members(service: &ServiceFile, keys: &Keys<'_>, ty: Type) -> Result<Type> {
    let (Some(node), Type::Map(value)) = (keys.get("members"), &ty) else { return Ok(ty) };
    let names = node.strings(&service.file)?;
    Ok(Type::Object(Arc::new(names.into_iter().map(|n| (n, (**value).clone())).collect())))
}

/// A type as it is written for typed sources: `string`, `list of string`, or members with types.
fn type_of(file: &File, node: &Node) -> Result<Type> {
    if let Value::Map(entries) = &node.value {
        let members = entries.iter().map(|(k, n)| Ok((k.name.clone(), type_of(file, n)?)));
        return Ok(Type::Object(Arc::new(members.collect::<Result<_>>()?)));
    }
    let text = node.string(file)?;
    let (element, list) = text.strip_prefix("list of ").map_or((text, false), |e| (e, true));
    let ty = match element {
        "string" => Type::String,
        "integer" => Type::Integer,
        "number" => Type::Double,
        "boolean" => Type::Boolean,
        "timestamp" => Type::Timestamp,
        "any" => Type::Any,
        other => {
            let known = ["string", "integer", "number", "boolean", "timestamp", "any"].map(str::to_owned);
            return Err(file.unknown(node.place, "no such type:", other, &known));
        }
    };
    Ok(if list { Type::List(Arc::new(ty)) } else { ty })
}
