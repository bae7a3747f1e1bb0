//! A resource type, put together from the keys of the file that defines it and of those that add to it.

use super::keys::{Keys, path, templates};
use super::service::Scopes;
use super::sources::{batch, declared_members, enrichment, inside_of, listing, needs_of, typed};
use super::{DEFINING_KEYS, Draft, RESOURCE_KEYS, Result, ServiceFile};
use crate::collect::declaration::{By, Detail, Origin, ResourceType, Shaping, Source, Typed};
use crate::collect::path::{Path, members_of};
use crate::collect::template::Template;
use crate::collect::yaml::{File, Key, Node, Place};
use crate::model::schema::{Scope, Type};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

impl<'a> Draft<'a> {
    pub(super) fn keys(&self) -> Result<Keys<'a>> {
        Keys::of(&self.definition.0.file, self.definition.2, RESOURCE_KEYS)
    }

    pub(super) fn parents(&self) -> Result<Vec<(Place, String)>> {
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

    pub(super) fn read(&self, types: &BTreeMap<String, ResourceType>) -> Result<ResourceType> {
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
    pub(super) fn beside_parents(&self, scope: Scope, types: &BTreeMap<String, ResourceType>) -> Result<()> {
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

    pub(super) fn has_parent(&self, source: &Source) -> bool {
        matches!(source, Source::ForEach { .. } | Source::Inside(_))
    }

    pub(super) fn consistent(&self, keys: &Keys<'_>) -> Result<()> {
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

    pub(super) fn source(
        &self,
        keys: &Keys<'_>,
        place: Place,
        types: &BTreeMap<String, ResourceType>,
    ) -> Result<(Source, Type)> {
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

    pub(super) fn details(&self, keys: &Keys<'_>, shape: &mut Building) -> Result<Vec<Detail>> {
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

    pub(super) fn names(&self, keys: &Keys<'_>, shape: &Building) -> Result<Named> {
        let (service, place, _) = self.definition;
        let file = &service.file;
        let (document, listed) = (shape.document(), shape.listed_type());
        let checked = |node: &Node, ty: &Type| {
            let all = templates(file, node)?;
            let scopes = Scopes { own: Some(ty), parent: None, each: None };
            all.iter().try_for_each(|t| service.references(node.place, t, &scopes))?;
            Result::Ok(all)
        };
        // The id is made when the resource is listed, and so is an ARN that stands for it.
        let arn_type = if keys.get("id").is_some() { &document } else { &listed };
        let arn = checked(keys.required("arn", place)?, arn_type)?;
        let id = keys.get("id").map_or(Ok(Vec::new()), |n| checked(n, &listed))?;
        let display_name = keys.get("name").map(|n| checked(n, &document)).transpose()?.and_then(|mut t| t.pop());
        let member = |key: &str, ty: &Type| -> Result<Option<Path>> {
            let Some(node) = keys.get(key) else { return Ok(None) };
            let path = path(file, node)?;
            service.resolve(node.place, &path, ty)?;
            Ok(Some(path))
        };
        let locate = match keys.get("locate") {
            Some(node) => {
                let own = Keys::of(file, node, &["typed", "calls", "may_call", "params"])?;
                Some(typed(service, &own, node.place, Some(&listed))?)
            }
            None => None,
        };
        Ok(Named { id, arn, display_name, tags: member("tags", &document)?, home: member("region", &listed)?, locate })
    }
}

pub(super) struct Named {
    id: Vec<Template>,
    arn: Vec<Template>,
    display_name: Option<Template>,
    tags: Option<Path>,
    home: Option<Path>,
    locate: Option<Typed>,
}

/// The members of a resource type while it is put together.
pub(super) struct Building {
    members: BTreeMap<String, Origin>,
    /// The type of `Parent`, for children.
    fixed: Option<Type>,
}

impl Building {
    pub(super) fn new(listed: BTreeMap<String, Type>) -> Building {
        let origin = |ty| Origin { ty, by: By::Listing };
        Building { members: listed.into_iter().map(|(n, ty)| (n, origin(ty))).collect(), fixed: None }
    }

    pub(super) fn object<'b>(&'b self, chosen: impl Iterator<Item = (&'b String, &'b Origin)>) -> Type {
        let mut members: BTreeMap<String, Type> = chosen.map(|(n, o)| (n.clone(), o.ty.clone())).collect();
        if let Some(parent) = &self.fixed {
            members.insert("Parent".into(), parent.clone());
        }
        Type::Object(Arc::new(members))
    }

    pub(super) fn document(&self) -> Type {
        self.object(self.members.iter())
    }

    pub(super) fn listed_type(&self) -> Type {
        self.object(self.members.iter().filter(|(_, o)| o.by == By::Listing))
    }

    /// Adds the members of `ty` that are not there yet; gives their names.
    pub(super) fn merge(&mut self, ty: Type, by: By) -> Vec<String> {
        let mut added = Vec::new();
        for (name, ty) in members_of(&ty) {
            if let Entry::Vacant(place) = self.members.entry(name) {
                added.push(place.key().clone());
                place.insert(Origin { ty, by });
            }
        }
        added
    }

    pub(super) fn add(&mut self, service: &ServiceFile, key: &Key, ty: Type, by: By) -> Result<()> {
        if self.members.contains_key(&key.name) {
            let message = format!("the resource already has a member `{}`", key.name);
            return Err(service.file.error(key.place, message, None));
        }
        self.members.insert(key.name.clone(), Origin { ty, by });
        Ok(())
    }

    /// Applies the shaping of the resource to its members so far.
    pub(super) fn reshape(&mut self, service: &ServiceFile, keys: &Keys<'_>) -> Result<Shaping> {
        let (shaping, ty) = service.shaping(keys, self.object(self.members.iter()))?;
        let mut reshaped = members_of(&ty);
        reshaped.remove("Parent");
        let by = |name: &str| {
            let renamed = shaping.digest.iter().chain(&shaping.keys).chain(&shaping.tail).find(|(_, to)| to == name);
            let from = renamed.and_then(|(path, _)| path.root()).unwrap_or(name);
            self.members.get(name).or_else(|| self.members.get(from)).map_or(By::Listing, |o| o.by)
        };
        self.members = reshaped.into_iter().map(|(n, ty)| (n.clone(), Origin { ty, by: by(&n) })).collect();
        Ok(shaping)
    }

    pub(super) fn finish(self) -> BTreeMap<String, Origin> {
        let mut members = self.members;
        if let Some(ty) = self.fixed {
            members.insert("Parent".into(), Origin { ty, by: By::Listing });
        }
        members
    }
}

/// What a child says of its parent.
pub(super) fn parent_type() -> Type {
    let names = ["Type", "Id", "Arn", "Name"];
    Type::Object(Arc::new(names.into_iter().map(|n| (n.to_owned(), Type::String)).collect()))
}

pub(super) fn document_type(resource: &ResourceType) -> Type {
    Type::Object(Arc::new(resource.members.iter().map(|(n, o)| (n.clone(), o.ty.clone())).collect()))
}

pub(super) fn scope(file: &File, node: Option<&Node>) -> Result<Scope> {
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
