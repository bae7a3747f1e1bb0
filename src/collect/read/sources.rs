//! Where resources and their members come from: listings, batches, enrichments, and sources with their own code.

use super::keys::{Keys, operation_of, path, template};
use super::resource::{Building, document_type};
use super::service::Scopes;
use super::{ENRICHMENT_KEYS, Result, ServiceFile};
use crate::collect::declaration::{
    Batch, By, Detail, Enrichment, Fallback, Function, How, Listing, Request, ResourceType, Source, Typed,
};
use crate::collect::template::{Reference, Template};
use crate::collect::yaml::{File, Key, Node, Place, Value};
use crate::model::Kind;
use crate::model::schema::Type;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn needs_of(params: &Template) -> BTreeSet<String> {
    let own = params.references().into_iter().filter_map(|r| match r {
        Reference::Own(path) => path.root().map(str::to_owned),
        _ => None,
    });
    own.collect()
}

pub(super) fn listing(
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

pub(super) fn fallback(service: &ServiceFile, node: &Node, item: &Type, parent: Option<&Type>) -> Result<Fallback> {
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

pub(super) fn inside_of(
    service: &ServiceFile,
    node: &Node,
    types: &BTreeMap<String, ResourceType>,
) -> Result<(Source, Type)> {
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

pub(super) fn batch(service: &ServiceFile, node: &Node, shape: &mut Building, place: usize) -> Result<Detail> {
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
    let nothing = Scopes { own: None, parent: None, each: None };
    let params = service.some_params(operation, keys.get("params"), &nothing)?;
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

pub(super) fn enrichment(
    service: &ServiceFile,
    key: &Key,
    node: &Node,
    shape: &Building,
) -> Result<(Enrichment, Type)> {
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
    // What one call for each element gives is a list, and what shapes it has paths into that list.
    let ty = if over.is_some() { Type::List(Arc::new(ty)) } else { ty };
    let (shaping, ty) = service.shaping(&keys, ty)?;
    let mut needs = when.needs();
    needs.extend(over);
    match &how {
        How::Call(call) | How::Each { call, .. } => needs.extend(needs_of(&call.params)),
        How::Lookup { of, .. } => needs.extend(of.root().map(str::to_owned)),
        How::Typed(typed) => needs.extend(needs_of(&typed.params)),
    }
    Ok((Enrichment { name: key.name.clone(), how, take, when, keep, shaping, needs }, ty))
}

pub(super) fn key_place(keys: &Keys<'_>, key: &str, node: &Node) -> Place {
    keys.key(key).map_or(node.place, |k| k.place)
}

/// How it is read, the type of the answer, and the list member that it goes over.
pub(super) fn how(
    service: &ServiceFile,
    key: &Key,
    keys: &Keys<'_>,
    document: &Type,
) -> Result<(How, Type, Option<String>)> {
    let file = &service.file;
    keys.not_with("typed", &["call", "take", "when", "keep", "each", "lookup"])?;
    keys.not_with("lookup", &["keep", "each"])?;
    keys.not_with("each", &["keep"])?;
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

pub(super) fn typed(service: &ServiceFile, keys: &Keys<'_>, place: Place, document: Option<&Type>) -> Result<Typed> {
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
    let absent_on = keys.strings("absent_on")?;
    let request = |n: &Node| {
        let operation = operation_of(file, &service.service, &service.model, n.place, n.string(file)?)?;
        let bare = service.bare_request(n.string(file)?, operation, Template::Object(Vec::new()));
        Ok(Request { absent_on: absent_on.clone(), ..bare })
    };
    let requests = |key: &str| match keys.get(key) {
        Some(node) => node.list(file)?.iter().map(request).collect::<Result<Vec<_>>>(),
        None => Ok(Vec::new()),
    };
    Ok(Typed { function, params, calls: requests("calls")?, may_call: requests("may_call")? })
}

/// The members of a map that are named in the declaration: each of the map's value type.
pub(super) fn declared_members(service: &ServiceFile, keys: &Keys<'_>, ty: Type) -> Result<Type> {
    let Some(node) = keys.get("members") else { return Ok(ty) };
    let value = match &ty {
        Type::Map(value) => value,
        _ if keys.get("typed").is_some() => return Ok(ty),
        other => {
            let help = Some("only the keys of a map are not in the API model".to_owned());
            return Err(service.file.error(node.place, format!("`members` means nothing for: {other}"), help));
        }
    };
    let names = node.strings(&service.file)?;
    Ok(Type::Object(Arc::new(names.into_iter().map(|n| (n, (**value).clone())).collect())))
}

/// A type as it is written for typed sources: `string`, `list of string`, members with types, or a list of one of these.
pub(super) fn type_of(file: &File, node: &Node) -> Result<Type> {
    if let Value::Map(entries) = &node.value {
        let members = entries.iter().map(|(k, n)| Ok((k.name.clone(), type_of(file, n)?)));
        return Ok(Type::Object(Arc::new(members.collect::<Result<_>>()?)));
    }
    if let Value::List(items) = &node.value {
        let [element] = items.as_slice() else {
            return Err(file.error(node.place, "expected the type of the elements, once", None));
        };
        return Ok(Type::List(Arc::new(type_of(file, element)?)));
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
