//! The schema of resource types: which members a resource of a type has, and of which type each is.
//!
//! Collectors say which answers a resource is made of, and the API models say what is in those answers;
//! together they give the schema that rules are checked against when they are loaded.

use super::{Kind, ServiceModel};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The type of a member.
#[derive(Clone)]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// A whole number (`integer`, `long`).
    Integer,
    /// A number (`float`, `double`).
    Double,
    /// Text.
    String,
    /// An RFC 3339 time.
    Timestamp,
    /// Bytes, base64 in documents.
    Blob,
    /// Any JSON, not checked: documents inside documents, such as policies.
    Any,
    /// A list.
    List(Arc<Type>),
    /// A map with text keys.
    Map(Arc<Type>),
    /// A structure of an API model.
    Structure(Arc<ServiceModel>, Arc<str>),
    /// A structure that is put together by a collector.
    Object(Arc<BTreeMap<String, Type>>),
}

impl Type {
    /// The type of `shape` in `model`; `None` where the model has no such shape.
    pub fn of_shape(model: &Arc<ServiceModel>, shape: &str) -> Option<Type> {
        let s = model.shapes.get(shape)?;
        if s.document || s.percent_encoded_json {
            return Some(Type::Any);
        }
        Some(match s.kind {
            Kind::Structure => Type::Structure(model.clone(), shape.into()),
            Kind::List => Type::List(Arc::new(Type::of_shape(model, &s.member.as_ref()?.shape)?)),
            Kind::Map => Type::Map(Arc::new(Type::of_shape(model, &s.value.as_ref()?.shape)?)),
            Kind::Boolean => Type::Boolean,
            Kind::Integer => Type::Integer,
            Kind::Double => Type::Double,
            Kind::Timestamp => Type::Timestamp,
            Kind::Blob => Type::Blob,
            Kind::String => Type::String,
        })
    }

    /// The type of member `name`: `None` where it is no structure, or has no such member. Any member of
    /// [`Type::Any`] is again [`Type::Any`], and of a map its value.
    pub fn member(&self, name: &str) -> Option<Type> {
        match self {
            Type::Any => Some(Type::Any),
            Type::Map(value) => Some((**value).clone()),
            Type::Object(members) => members.get(name).cloned(),
            Type::Structure(model, shape) => {
                let member = model.shapes.get(&**shape)?.members.get(name)?;
                if member.jsonvalue { Some(Type::Any) } else { Type::of_shape(model, &member.shape) }
            }
            _ => None,
        }
    }

    /// The names of the members, sorted; empty where it is no structure.
    pub fn member_names(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Type::Object(members) => members.keys().cloned().collect(),
            Type::Structure(model, shape) => {
                model.shapes.get(&**shape).map(|s| s.members.keys().map(str::to_owned).collect()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        names.sort();
        names
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Boolean => f.write_str("boolean"),
            Type::Integer => f.write_str("integer"),
            Type::Double => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Blob => f.write_str("blob"),
            Type::Any => f.write_str("any"),
            Type::List(element) => write!(f, "list of {element}"),
            Type::Map(value) => write!(f, "map to {value}"),
            Type::Structure(_, shape) => f.write_str(shape),
            Type::Object(_) => f.write_str("object"),
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Where the resources of a type live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In each region: one population for each account and region.
    Regional,
    /// In the account: one population for each account, region `global`.
    Global,
}

/// A member of a resource document.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its type.
    pub ty: Type,
    /// The IAM actions that must be allowed for it to be known, beyond those of the listing.
    pub actions: Vec<String>,
}

/// A resource type.
#[derive(Clone, Debug)]
pub struct ResourceSchema {
    /// The CloudFormation type name.
    pub name: String,
    /// Regional or global.
    pub scope: Scope,
    /// The IAM actions that must be allowed for the population to be known.
    pub actions: Vec<String>,
    /// The members of its documents.
    pub members: BTreeMap<String, Member>,
}

/// All resource types that the collectors give.
#[derive(Clone, Debug, Default)]
pub struct ResourceSchemas {
    /// By type name.
    pub types: BTreeMap<String, ResourceSchema>,
}
