//! Conditions: CEL, checked when a rule is loaded and evaluated in three values.
//!
//! The crate `cel` parses. What it has no notion of is done here: members are checked against the API models
//! ([`check`]), absent members read as their type's zero value, and what could not be read is an unknown that
//! decides the outcome only if the outcome depends on it ([`evaluate`]).

mod alarm;
pub(crate) mod check;
pub(crate) mod evaluate;
pub(crate) mod functions;
mod identity;
pub(crate) mod organization;
pub(crate) mod questions;
pub(crate) mod reach;
pub(crate) mod register;
pub(crate) mod value;

use crate::model::schema::Type;
use std::fmt;
use std::sync::Arc;

/// The type of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Ty {
    Bool,
    Int,
    Double,
    Str,
    Timestamp,
    Duration,
    Null,
    Any,
    List(Arc<Ty>),
    Map(Arc<Ty>),
    Struct(Type),
    /// A resource, with the name it has in the rule: its members are reached through [`Node::Path`] only.
    Resource(Arc<str>),
}

impl From<&Type> for Ty {
    fn from(ty: &Type) -> Self {
        match ty {
            Type::Boolean => Ty::Bool,
            Type::Integer => Ty::Int,
            Type::Double => Ty::Double,
            Type::String | Type::Blob => Ty::Str,
            Type::Timestamp => Ty::Timestamp,
            Type::Any => Ty::Any,
            Type::List(element) => Ty::List(Arc::new(Ty::from(&**element))),
            Type::Map(value) => Ty::Map(Arc::new(Ty::from(&**value))),
            Type::Structure(..) | Type::Object(_) => Ty::Struct(ty.clone()),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Bool => f.write_str("boolean"),
            Ty::Int => f.write_str("integer"),
            Ty::Double => f.write_str("number"),
            Ty::Str => f.write_str("string"),
            Ty::Timestamp => f.write_str("timestamp"),
            Ty::Duration => f.write_str("duration"),
            Ty::Null => f.write_str("null"),
            Ty::Any => f.write_str("any"),
            Ty::List(element) => write!(f, "list of {element}"),
            Ty::Map(value) => write!(f, "map to {value}"),
            Ty::Struct(ty) => write!(f, "{ty}"),
            Ty::Resource(name) => write!(f, "resource {name}"),
        }
    }
}

impl Ty {
    /// Whether values of both can be compared for equality.
    fn comparable(&self, other: &Ty) -> bool {
        match (self, other) {
            (Ty::Any | Ty::Null, _) | (_, Ty::Any | Ty::Null) => true,
            (Ty::Int | Ty::Double, Ty::Int | Ty::Double) => true,
            (Ty::List(a), Ty::List(b)) | (Ty::Map(a), Ty::Map(b)) => a.comparable(b),
            (Ty::Struct(_), Ty::Struct(_) | Ty::Map(_)) | (Ty::Map(_), Ty::Struct(_)) => true,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && !matches!(a, Ty::Resource(_)),
        }
    }

    /// Whether values of both have an order.
    fn ordered(&self, other: &Ty) -> bool {
        let has_order = |ty: &Ty| !matches!(ty, Ty::List(_) | Ty::Map(_) | Ty::Struct(_) | Ty::Resource(_) | Ty::Null);
        has_order(self) && has_order(other) && self.comparable(other)
    }

    /// Whether a value of this type can stand where `wanted` is asked for.
    pub(crate) fn fits(&self, wanted: &Ty) -> bool {
        match (self, wanted) {
            (Ty::Any, _) | (_, Ty::Any) => !matches!((self, wanted), (Ty::Resource(_), _)),
            (Ty::Int, Ty::Double) => true,
            (Ty::List(a), Ty::List(b)) => a.fits(b),
            (Ty::Map(a), Ty::Map(b)) => a.fits(b),
            (Ty::Struct(_), Ty::Map(_) | Ty::Struct(_)) => true,
            (Ty::Resource(_), Ty::Resource(_)) => true,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

/// A checked expression.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) node: Node,
    pub(crate) ty: Ty,
}

/// What an expression does.
#[derive(Debug)]
pub(crate) enum Node {
    /// A value known when the rule was loaded: a literal or a parameter.
    Const(serde_json::Value),
    /// The time that ages are judged by.
    Now,
    /// The resource that is judged.
    Resource,
    /// A joined resource, or the list of them, by its place in the rule.
    Join(usize),
    /// The value of a named expression of the rule, by its place.
    Let(usize),
    /// The variable of an enclosing comprehension, by its depth.
    Local(usize),
    /// Members of a resource or of the value of another expression, one below the other.
    Path {
        base: Box<Expr>,
        steps: Vec<Step>,
    },
    /// Whether the last member of the path is there.
    Has {
        base: Box<Expr>,
        steps: Vec<Step>,
    },
    Index {
        base: Box<Expr>,
        key: Box<Expr>,
    },
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Compare {
        op: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    In {
        item: Box<Expr>,
        list: Box<Expr>,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate(Box<Expr>),
    Comprehension {
        kind: Comprehension,
        range: Box<Expr>,
        slot: usize,
        filter: Option<Box<Expr>>,
        body: Box<Expr>,
    },
    Call {
        function: &'static functions::Function,
        arguments: Vec<Expr>,
        regex: Option<Box<regex::Regex>>,
    },
}

/// One member on a path, and the type that it has, for its zero value.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) ty: Ty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comprehension {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}
