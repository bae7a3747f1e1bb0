//! Evaluates checked expressions in three values.
//!
//! A member that could not be read is an unknown, and an unknown is absorbed only where the outcome does not
//! depend on it: `true || unknown` is true, `false && unknown` is false, an element that decides a quantifier
//! decides it whatever else could not be read. A fault of the rule itself is an unknown too.

use super::organization::Membership;
use super::reach::Surroundings;
use super::value::{Place, Val, equal, index_place, member_place, order};
use super::{Arithmetic, Comparison, Comprehension, Expr, Node, Step, Ty};
use crate::inventory::{Cause, Resource};
use crate::rules::{Evidence, Register};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

/// How many members are kept as evidence of one verdict.
const EVIDENCE_LIMIT: usize = 32;
/// How long a member's value may be, as JSON text in bytes, before evidence only names its size.
const EVIDENCE_VALUE_LIMIT: usize = 4096;

/// Finds the resources of a join.
pub(crate) trait Finder<'v> {
    /// The resources of the rule's join `n`, as seen from the resource that `env` judges.
    fn find(&'v self, env: &Env<'v>, n: usize) -> Val<'v>;
    /// The network around the resource that `env` judges.
    fn surroundings(&'v self, env: &Env<'v>) -> Arc<Surroundings<'v>>;
    /// What is known of the organization of the account that the resource belongs to.
    fn membership(&'v self, env: &Env<'v>) -> Arc<Membership<'v>>;
    /// Whom the entity knows.
    fn register(&'v self) -> &'v Register;
}

/// What an expression is evaluated against.
pub(crate) struct Env<'v> {
    /// The time that ages are judged by.
    pub(crate) now: Timestamp,
    /// The resource that is judged.
    pub(crate) resource: &'v Resource,
    /// Finds the resources of a join, by its place in the rule.
    pub(crate) finder: &'v dyn Finder<'v>,
    /// What was found, once it was asked for.
    pub(crate) joins: Vec<OnceCell<Val<'v>>>,
    /// The named expressions of the rule, with their values, once they were asked for.
    lets: Vec<(&'v Expr, OnceCell<Val<'v>>)>,
    /// The variables of the comprehensions around the present expression.
    locals: RefCell<Vec<Val<'v>>>,
    /// The members read so far, where evidence is gathered.
    trace: Option<RefCell<Vec<Evidence>>>,
    /// What a filter does with elements that could not be decided.
    undecided: Undecided,
}

/// What becomes of the elements of a list that a filter could not decide. A condition goes by nothing but the first; the
/// others are for putting a message into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecided {
    /// They make the list unknown.
    Unknown,
    /// They are left out: a failure names what is proven.
    LeftOut,
    /// They are kept: a person is asked about whatever may be.
    Kept,
}

impl<'v> Env<'v> {
    pub(crate) fn new(
        now: Timestamp,
        resource: &'v Resource,
        joins: usize,
        lets: &'v [Expr],
        finder: &'v dyn Finder<'v>,
        traced: bool,
    ) -> Self {
        Env {
            now,
            resource,
            finder,
            joins: (0..joins).map(|_| OnceCell::new()).collect(),
            lets: lets.iter().map(|expr| (expr, OnceCell::new())).collect(),
            locals: RefCell::new(Vec::new()),
            trace: traced.then(RefCell::default),
            undecided: Undecided::Unknown,
        }
    }

    /// The same for putting a message into words.
    pub(crate) fn telling(self, undecided: Undecided) -> Self {
        Env { undecided, ..self }
    }

    /// Whether evidence is gathered.
    pub(super) fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// The evidence gathered so far.
    pub(crate) fn evidence(self) -> Vec<Evidence> {
        self.trace.map(RefCell::into_inner).unwrap_or_default()
    }

    /// The place of the root called `name` (empty for the judged resource), where evidence is gathered.
    pub(crate) fn root(&self, name: &str) -> Place {
        self.trace.is_some().then(|| name.into())
    }

    /// Notes what a function read without being given it.
    pub(super) fn note(&self, path: &str, value: &Val<'v>) {
        if self.trace.is_some() {
            self.record(&Some(path.into()), value);
        }
    }

    /// Notes a member of a resource that a function was given.
    pub(super) fn note_member(&self, place: &Place, member: &str, value: &Val<'v>) {
        self.record(&member_place(place, member), value);
    }

    fn record(&self, place: &Place, value: &Val<'v>) {
        let (Some(trace), Some(place)) = (&self.trace, place) else { return };
        let mut trace = trace.borrow_mut();
        if trace.len() >= EVIDENCE_LIMIT || trace.iter().any(|e| *e.path == **place) {
            return;
        }
        let mut json = value.to_json();
        hide_external_ids(&mut json);
        let size = json.to_string().len();
        if size > EVIDENCE_VALUE_LIMIT {
            json = Value::String(format!("({size} bytes of JSON, not repeated here)"));
        }
        trace.push(Evidence { path: place.to_string(), value: json });
    }
}

/// Takes the values of external ids out of trust policies: they are between the entity and its vendor, and no report
/// needs them.
fn hide_external_ids(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_external_ids),
        Value::Object(members) => {
            for (name, member) in members {
                match name.eq_ignore_ascii_case("sts:ExternalId") {
                    true => *member = Value::String("(not shown)".into()),
                    false => hide_external_ids(member),
                }
            }
        }
        Value::String(text) if text.to_ascii_lowercase().contains("sts:externalid") => {
            *text = "(not shown, for it holds an external id)".into();
        }
        _ => {}
    }
}

/// The value of `expr`.
pub(crate) fn eval<'v>(expr: &'v Expr, env: &Env<'v>) -> Val<'v> {
    match &expr.node {
        Node::Const(value) => Val::of_json(value, None),
        Node::Now => Val::Timestamp(env.now),
        Node::Resource => Val::Resource(env.resource, env.root("")),
        Node::Join(n) => match env.joins.get(*n) {
            Some(cell) => cell.get_or_init(|| apart(env, || env.finder.find(env, *n))).clone(),
            None => Val::fault("a join that the rule does not have"),
        },
        Node::Let(n) => match env.lets.get(*n) {
            Some((named, cell)) => cell.get_or_init(|| apart(env, || eval(named, env))).clone(),
            None => Val::fault("a name that the rule does not have"),
        },
        Node::Local(slot) => match env.locals.borrow().get(*slot) {
            Some(value) => value.clone(),
            None => Val::fault("a variable outside its comprehension"),
        },
        Node::Path { base, steps } => {
            let (value, place) = walk(base, steps, env);
            env.record(&place, &value);
            value
        }
        Node::Has { base, steps } => has(base, steps, env),
        Node::Index { base, key } => index(eval(base, env), eval(key, env), &expr.ty),
        Node::List(items) => Val::List(Rc::new(items.iter().map(|i| eval(i, env)).collect())),
        Node::Map(entries) => Val::Map(Rc::new(entries.iter().map(|(k, v)| (k.clone(), eval(v, env))).collect())),
        Node::Not(inner) => match eval(inner, env) {
            Val::Bool(b) => Val::Bool(!b),
            other => unknown_or_fault(other, "a boolean"),
        },
        Node::And(left, right) => junction(left, right, env, false),
        Node::Or(left, right) => junction(left, right, env, true),
        Node::If { condition, then, otherwise } => match eval(condition, env) {
            Val::Bool(true) => eval(then, env),
            Val::Bool(false) => eval(otherwise, env),
            other => match (eval(then, env), eval(otherwise, env)) {
                (a, b) if !matches!(a, Val::Unknown(_)) && equal(&a, &b) => a,
                _ => unknown_or_fault(other, "a boolean"),
            },
        },
        Node::Compare { op, left, right } => compare(*op, &eval(left, env), &eval(right, env)),
        Node::In { item, list } => contains(&eval(item, env), &eval(list, env)),
        Node::Arithmetic { op, left, right } => arithmetic(*op, eval(left, env), eval(right, env)),
        Node::Negate(inner) => match eval(inner, env) {
            Val::Int(i) => i.checked_neg().map_or_else(|| Val::fault("integer overflow"), Val::Int),
            Val::Double(d) => Val::Double(-d),
            other => unknown_or_fault(other, "a number"),
        },
        Node::Comprehension { kind, range, slot, filter, body } => {
            comprehend(*kind, range, *slot, filter.as_deref(), body, env)
        }
        Node::Call { function, arguments, regex } => {
            let values: Vec<Val<'v>> = arguments.iter().map(|a| eval(a, env)).collect();
            if !function.takes_unknown
                && let Some(unknown) = first_unknowns(&values)
            {
                return unknown;
            }
            (function.run)(env, &values, regex.as_deref())
        }
    }
}

/// The key of a join and a named expression stand for themselves: they must not touch the variables of the comprehension
/// in which they are first asked for.
fn apart<'v>(env: &Env<'v>, value: impl FnOnce() -> Val<'v>) -> Val<'v> {
    let outer = env.locals.take();
    let value = value();
    env.locals.replace(outer);
    value
}

/// All unknowns among `values` as one.
fn first_unknowns<'v>(values: &[Val<'v>]) -> Option<Val<'v>> {
    let mut found: Option<Val<'v>> = None;
    for value in values {
        if let Val::Unknown(causes) = value {
            found = Some(match found {
                Some(Val::Unknown(others)) => Val::both(&others, causes),
                _ => Val::Unknown(causes.clone()),
            });
        }
    }
    found
}

/// An unknown stays what it is; any other value in its place is a fault of the rule.
fn unknown_or_fault<'v>(value: Val<'v>, wanted: &str) -> Val<'v> {
    match value {
        Val::Unknown(_) => value,
        other => Val::fault(format!("{} where {wanted} was expected", other.kind())),
    }
}

/// Walks `steps` down from `base`; gives the value and, where evidence is gathered, its place.
fn walk<'v>(base: &'v Expr, steps: &'v [Step], env: &Env<'v>) -> (Val<'v>, Place) {
    let mut value = eval(base, env);
    if matches!(value, Val::Unknown(_)) {
        return (value, None);
    }
    let mut place = place_of(&value);
    let mut path = String::new();
    let guard = Guard::of(&value);
    for step in steps {
        guard.enter(&step.name, &mut path);
        if let Some(cause) = guard.cause(&path) {
            return (Val::unknown(cause.clone()), None);
        }
        place = member_place(&place, &step.name);
        value = member(value, step, &place);
        if matches!(value, Val::Unknown(_)) {
            return (value, place);
        }
    }
    if let Some(cause) = guard.cause_below(&path) {
        return (Val::unknown(cause.clone()), None);
    }
    (value, place)
}

fn place_of(value: &Val<'_>) -> Place {
    match value {
        Val::Resource(_, place) | Val::Json(_, place) | Val::Resources { place, .. } => place.clone(),
        _ => None,
    }
}

/// Watches a walk for members that could not be read. Free of cost for resources that were read whole.
struct Guard<'v>(Option<&'v Resource>);

impl<'v> Guard<'v> {
    fn of(value: &Val<'v>) -> Self {
        match value {
            Val::Resource(r, _) if !r.unknown.is_empty() => Guard(Some(r)),
            _ => Guard(None),
        }
    }

    fn enter(&self, name: &str, path: &mut String) {
        if self.0.is_some() {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
    }

    fn cause(&self, path: &str) -> Option<&'v Cause> {
        self.0.and_then(|r| r.unknown_at(path))
    }

    /// A part of what stands at `path` that could not be read: the whole is then not known either.
    fn cause_below(&self, path: &str) -> Option<&'v Cause> {
        let below =
            |u: &&crate::inventory::UnknownField| u.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.0.and_then(|r| r.unknown.iter().find(below)).map(|u| &u.cause)
    }
}

/// The member that `step` names: read, or its type's zero value.
fn member<'v>(value: Val<'v>, step: &Step, place: &Place) -> Val<'v> {
    let read = match &value {
        Val::Resource(r, _) => r.document.get(&step.name),
        Val::Json(Value::Object(members), _) => members.get(&step.name),
        Val::Null => None,
        Val::Map(entries) => {
            return match entries.iter().find(|(k, _)| *k == step.name) {
                Some((_, v)) => v.clone(),
                None => zero(&step.ty, place, &step.name),
            };
        }
        other => return Val::fault(format!("{} has no member {}", other.kind(), step.name)),
    };
    match read {
        None | Some(Value::Null) => zero(&step.ty, place, &step.name),
        Some(json) => typed(json, &step.ty, place, &step.name),
    }
}

/// A value of a document as the schema types it.
fn typed<'v>(json: &'v Value, ty: &Ty, place: &Place, name: &str) -> Val<'v> {
    match (ty, json) {
        (Ty::Timestamp, Value::String(text)) => match text.parse() {
            Ok(time) => Val::Timestamp(time),
            Err(_) => Val::fault(format!("{name} is not an RFC 3339 time: {text:?}")),
        },
        _ => Val::of_json(json, place.clone()),
    }
}

/// What an absent member reads as. A time has no zero value that a rule could mean.
fn zero<'v>(ty: &Ty, place: &Place, name: &str) -> Val<'v> {
    match ty {
        Ty::Bool => Val::Bool(false),
        Ty::Int => Val::Int(0),
        Ty::Double => Val::Double(0.0),
        Ty::Str => Val::Str(Cow::Borrowed("")),
        Ty::List(_) => Val::empty_list(place.clone()),
        Ty::Map(_) | Ty::Struct(_) => Val::empty_object(place.clone()),
        Ty::Any | Ty::Null => Val::Null,
        Ty::Timestamp | Ty::Duration | Ty::Resource(_) => {
            Val::fault(format!("{name} is absent and has no zero value; the rule must ask has() first"))
        }
    }
}

fn has<'v>(base: &'v Expr, steps: &'v [Step], env: &Env<'v>) -> Val<'v> {
    let Some((last, before)) = steps.split_last() else { return Val::fault("has() of nothing") };
    let value = eval(base, env);
    if matches!(value, Val::Unknown(_)) {
        return value;
    }
    let guard = Guard::of(&value);
    let mut path = String::new();
    let mut place = place_of(&value);
    let mut holder = value;
    for step in before {
        guard.enter(&step.name, &mut path);
        if let Some(cause) = guard.cause(&path) {
            return Val::unknown(cause.clone());
        }
        place = member_place(&place, &step.name);
        holder = member(holder, step, &place);
    }
    guard.enter(&last.name, &mut path);
    if let Some(cause) = guard.cause(&path) {
        return Val::unknown(cause.clone());
    }
    place = member_place(&place, &last.name);
    let read = match &holder {
        Val::Unknown(_) => return holder,
        Val::Resource(r, _) => r.document.get(&last.name),
        Val::Json(Value::Object(members), _) => members.get(&last.name),
        Val::Map(entries) => return Val::Bool(entries.iter().any(|(k, _)| *k == last.name)),
        Val::Null => None,
        other => return Val::fault(format!("{} has no members", other.kind())),
    };
    let there = read.is_some_and(|v| !v.is_null());
    if !there {
        env.record(&place, &Val::Null);
    } else if let Some(json) = read {
        env.record(&place, &Val::of_json(json, None));
    }
    Val::Bool(there)
}

fn index<'v>(base: Val<'v>, key: Val<'v>, ty: &Ty) -> Val<'v> {
    match (&base, &key) {
        (Val::Unknown(_), _) => base,
        (_, Val::Unknown(_)) => key,
        (Val::Json(Value::Array(items), place), Val::Int(n)) => {
            match usize::try_from(*n).ok().and_then(|n| items.get(n)) {
                Some(item) => typed(item, ty, &index_place(place, n), "the element"),
                None => Val::fault(format!("no element {n} in a list of {}", items.len())),
            }
        }
        (Val::List(items), Val::Int(n)) => match usize::try_from(*n).ok().and_then(|n| items.get(n)) {
            Some(item) => item.clone(),
            None => Val::fault(format!("no element {n} in a list of {}", items.len())),
        },
        (Val::Resources { rows, holes, place, .. }, Val::Int(n)) => {
            match usize::try_from(*n).ok().and_then(|n| rows.get(n)) {
                Some(r) if holes.is_empty() => Val::Resource(r, index_place(place, &r.id)),
                _ if !holes.is_empty() => Val::Unknown(holes.clone()),
                _ => Val::fault(format!("no resource {n} in a list of {}", rows.len())),
            }
        }
        (Val::Json(Value::Object(members), place), Val::Str(name)) => {
            let place = index_place(place, name);
            match members.get(&**name) {
                None | Some(Value::Null) => zero(ty, &place, name),
                Some(json) => typed(json, ty, &place, name),
            }
        }
        (Val::Map(entries), Val::Str(name)) => match entries.iter().find(|(k, _)| k == name) {
            Some((_, v)) => v.clone(),
            None => zero(ty, &None, name),
        },
        (Val::Null, _) => Val::Null,
        (b, k) => Val::fault(format!("{} cannot be indexed by {}", b.kind(), k.kind())),
    }
}

/// `&&` where `decisive` is false, `||` where it is true.
fn junction<'v>(left: &'v Expr, right: &'v Expr, env: &Env<'v>, decisive: bool) -> Val<'v> {
    match eval(left, env) {
        Val::Bool(b) if b == decisive => Val::Bool(decisive),
        Val::Bool(_) => match eval(right, env) {
            Val::Bool(b) => Val::Bool(b),
            other => unknown_or_fault(other, "a boolean"),
        },
        other => {
            let a = unknown_or_fault(other, "a boolean");
            match (eval(right, env), a) {
                (Val::Bool(b), _) if b == decisive => Val::Bool(decisive),
                (Val::Unknown(b), Val::Unknown(a)) => Val::both(&a, &b),
                (_, a) => a,
            }
        }
    }
}

fn compare<'v>(op: Comparison, left: &Val<'v>, right: &Val<'v>) -> Val<'v> {
    match (left, right) {
        (Val::Unknown(a), Val::Unknown(b)) => return Val::both(a, b),
        (Val::Unknown(a), _) | (_, Val::Unknown(a)) => return Val::Unknown(a.clone()),
        _ => {}
    }
    if let (Some(a), _) | (_, Some(a)) = (inner_unknown(left), inner_unknown(right)) {
        return a;
    }
    let ordering = match op {
        Comparison::Equal => return Val::Bool(equal(left, right)),
        Comparison::NotEqual => return Val::Bool(!equal(left, right)),
        _ => order(left, right),
    };
    match ordering {
        None => Val::fault(format!("{} and {} have no order", left.kind(), right.kind())),
        Some(o) => Val::Bool(match op {
            Comparison::Less => o == Ordering::Less,
            Comparison::LessOrEqual => o != Ordering::Greater,
            Comparison::Greater => o == Ordering::Greater,
            _ => o != Ordering::Less,
        }),
    }
}

/// The unknown that a list or map made by an expression holds, if any.
fn inner_unknown<'v>(value: &Val<'v>) -> Option<Val<'v>> {
    match value {
        Val::List(items) => first_unknowns(items),
        Val::Map(entries) => entries.iter().find(|(_, v)| matches!(v, Val::Unknown(_))).map(|(_, v)| v.clone()),
        Val::Resources { holes, .. } if !holes.is_empty() => Some(Val::Unknown(holes.clone())),
        _ => None,
    }
}

fn contains<'v>(item: &Val<'v>, list: &Val<'v>) -> Val<'v> {
    if let Val::Unknown(a) = list {
        return Val::Unknown(a.clone());
    }
    if let Val::Unknown(a) = item {
        // Nothing is in an empty list, whatever it is.
        let empty = match list {
            Val::Json(Value::Array(items), _) => items.is_empty(),
            Val::List(items) => items.is_empty(),
            _ => false,
        };
        return if empty { Val::Bool(false) } else { Val::Unknown(a.clone()) };
    }
    match list {
        Val::Json(Value::Array(items), _) => Val::Bool(items.iter().any(|i| equal(&Val::of_json(i, None), item))),
        Val::List(items) => {
            if items.iter().any(|i| !matches!(i, Val::Unknown(_)) && equal(i, item)) {
                return Val::Bool(true);
            }
            first_unknowns(items).unwrap_or(Val::Bool(false))
        }
        Val::Json(Value::Object(members), _) => match item {
            Val::Str(name) => Val::Bool(members.contains_key(&**name)),
            _ => Val::Bool(false),
        },
        Val::Map(entries) => match item {
            Val::Str(name) => Val::Bool(entries.iter().any(|(k, _)| k == name)),
            _ => Val::Bool(false),
        },
        other => Val::fault(format!("`in` {}", other.kind())),
    }
}

fn arithmetic<'v>(op: Arithmetic, left: Val<'v>, right: Val<'v>) -> Val<'v> {
    let overflow = || Val::fault("arithmetic overflow or division by zero");
    match (left, right) {
        (Val::Unknown(a), Val::Unknown(b)) => Val::both(&a, &b),
        (Val::Unknown(a), _) | (_, Val::Unknown(a)) => Val::Unknown(a),
        (Val::Int(a), Val::Int(b)) => match op {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Divide => a.checked_div(b),
            Arithmetic::Remainder => a.checked_rem(b),
        }
        .map_or_else(overflow, Val::Int),
        (Val::Int(a), Val::Double(b)) => doubles(op, a as f64, b),
        (Val::Double(a), Val::Int(b)) => doubles(op, a, b as f64),
        (Val::Double(a), Val::Double(b)) => doubles(op, a, b),
        (Val::Str(a), Val::Str(b)) if op == Arithmetic::Add => Val::Str(Cow::Owned(a.into_owned() + &b)),
        (Val::Timestamp(a), Val::Timestamp(b)) if op == Arithmetic::Subtract => Val::Duration(a.duration_since(b)),
        (Val::Timestamp(t), Val::Duration(d)) => shift(op, t, d),
        (Val::Duration(d), Val::Timestamp(t)) if op == Arithmetic::Add => shift(op, t, d),
        (Val::Duration(a), Val::Duration(b)) => match op {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            _ => None,
        }
        .map_or_else(overflow, Val::Duration),
        (a, b) if op == Arithmetic::Add => concatenate(a, b),
        (a, b) => Val::fault(format!("no such arithmetic on {} and {}", a.kind(), b.kind())),
    }
}

fn doubles<'v>(op: Arithmetic, a: f64, b: f64) -> Val<'v> {
    Val::Double(match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
    })
}

fn shift<'v>(op: Arithmetic, time: Timestamp, by: SignedDuration) -> Val<'v> {
    let moved = match op {
        Arithmetic::Add => time.checked_add(by),
        Arithmetic::Subtract => time.checked_sub(by),
        _ => return Val::fault("no such arithmetic on a timestamp"),
    };
    moved.map_or_else(|_| Val::fault("a time out of range"), Val::Timestamp)
}

fn concatenate<'v>(a: Val<'v>, b: Val<'v>) -> Val<'v> {
    match (elements(&a), elements(&b)) {
        (Ok((mut left, holes_a)), Ok((right, holes_b))) => {
            if !holes_a.is_empty() || !holes_b.is_empty() {
                return Val::both(&holes_a, &holes_b);
            }
            left.extend(right);
            Val::List(Rc::new(left))
        }
        _ => Val::fault(format!("{} + {}", a.kind(), b.kind())),
    }
}

/// The elements of a list (the keys of a map), and why there may be more.
pub(crate) fn elements<'v>(value: &Val<'v>) -> Result<(Vec<Val<'v>>, Rc<[Cause]>), Val<'v>> {
    let none: Rc<[Cause]> = Rc::new([]);
    match value {
        Val::Json(Value::Array(items), place) => {
            Ok((items.iter().enumerate().map(|(n, i)| Val::of_json(i, index_place(place, n))).collect(), none))
        }
        Val::Json(Value::Object(members), _) => {
            Ok((members.keys().map(|k| Val::Str(Cow::Borrowed(k))).collect(), none))
        }
        Val::List(items) => Ok((items.to_vec(), none)),
        Val::Map(entries) => Ok((entries.iter().map(|(k, _)| Val::Str(Cow::Owned(k.clone()))).collect(), none)),
        Val::Resources { rows, holes, place, .. } => {
            Ok((rows.iter().map(|r| Val::Resource(r, index_place(place, &r.id))).collect(), holes.clone()))
        }
        Val::Unknown(_) => Err(value.clone()),
        other => Err(Val::fault(format!("{} is not a list", other.kind()))),
    }
}

fn comprehend<'v>(
    kind: Comprehension,
    range: &'v Expr,
    slot: usize,
    filter: Option<&'v Expr>,
    body: &'v Expr,
    env: &Env<'v>,
) -> Val<'v> {
    let list = match &range.node {
        // The list itself is evidence only where its elements are not looked into further.
        Node::Path { base, steps } => {
            let (value, place) = walk(base, steps, env);
            let plain = matches!(&value, Val::Json(Value::Array(items), _) if !items.iter().any(Value::is_object));
            if plain {
                env.record(&place, &value);
            }
            value
        }
        _ => eval(range, env),
    };
    let (items, holes) = match elements(&list) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    if env.trace.is_some()
        && items.is_empty()
        && let Val::Resources { place, .. } = &list
    {
        env.record(place, &list);
    }
    let element_ty = match &range.ty {
        Ty::List(element) => Some(&**element),
        _ => None,
    };
    let with = |item: &Val<'v>, body: &'v Expr| {
        let item = match (element_ty, item) {
            (Some(Ty::Timestamp), Val::Str(text)) => match text.parse() {
                Ok(time) => Val::Timestamp(time),
                Err(_) => Val::fault(format!("not an RFC 3339 time: {text:?}")),
            },
            _ => item.clone(),
        };
        {
            let mut locals = env.locals.borrow_mut();
            locals.truncate(slot);
            locals.push(item);
        }
        let value = eval(body, env);
        env.locals.borrow_mut().truncate(slot);
        value
    };
    match kind {
        Comprehension::All => quantify(&items, &holes, false, |i| with(i, body)),
        Comprehension::Exists => quantify(&items, &holes, true, |i| with(i, body)),
        Comprehension::ExistsOne => exists_one(&items, &holes, |i| with(i, body)),
        Comprehension::Filter => keep(&list, &items, &holes, env.undecided, |i| with(i, body)),
        Comprehension::Map => {
            if !holes.is_empty() {
                return Val::Unknown(holes);
            }
            let mut mapped = Vec::with_capacity(items.len());
            for item in &items {
                match filter.map(|f| with(item, f)) {
                    None | Some(Val::Bool(true)) => mapped.push(with(item, body)),
                    Some(Val::Bool(false)) => {}
                    Some(Val::Unknown(_)) if env.undecided == Undecided::LeftOut => {}
                    Some(Val::Unknown(_)) if env.undecided == Undecided::Kept => mapped.push(with(item, body)),
                    Some(other) => return unknown_or_fault(other, "a boolean"),
                }
            }
            Val::List(Rc::new(mapped))
        }
    }
}

/// `exists` where `decisive` is true, `all` where it is false: one element decides, else all must be known.
fn quantify<'v>(
    items: &[Val<'v>],
    holes: &Rc<[Cause]>,
    decisive: bool,
    mut test: impl FnMut(&Val<'v>) -> Val<'v>,
) -> Val<'v> {
    let mut unknown: Option<Rc<[Cause]>> = (!holes.is_empty()).then(|| holes.clone());
    for item in items {
        match test(item) {
            Val::Bool(b) if b == decisive => return Val::Bool(decisive),
            Val::Bool(_) => {}
            other => {
                if let Val::Unknown(causes) = unknown_or_fault(other, "a boolean") {
                    unknown = Some(match unknown {
                        Some(before) => match Val::both(&before, &causes) {
                            Val::Unknown(all) => all,
                            _ => before,
                        },
                        None => causes,
                    });
                }
            }
        }
    }
    unknown.map_or(Val::Bool(!decisive), Val::Unknown)
}

fn exists_one<'v>(items: &[Val<'v>], holes: &Rc<[Cause]>, mut test: impl FnMut(&Val<'v>) -> Val<'v>) -> Val<'v> {
    let mut found = 0;
    let mut unknown: Option<Val<'v>> = (!holes.is_empty()).then(|| Val::Unknown(holes.clone()));
    for item in items {
        match test(item) {
            Val::Bool(true) => found += 1,
            Val::Bool(false) => {}
            other => unknown = Some(unknown_or_fault(other, "a boolean")),
        }
    }
    if found > 1 {
        return Val::Bool(false);
    }
    unknown.unwrap_or(Val::Bool(found == 1))
}

/// `filter`: resources stay resources, with every one that could not be judged as a hole.
fn keep<'v>(
    list: &Val<'v>,
    items: &[Val<'v>],
    holes: &Rc<[Cause]>,
    undecided: Undecided,
    mut test: impl FnMut(&Val<'v>) -> Val<'v>,
) -> Val<'v> {
    let mut kept = Vec::new();
    let mut causes = holes.to_vec();
    for item in items {
        match test(item) {
            Val::Bool(true) => kept.push(item.clone()),
            Val::Bool(false) => {}
            Val::Unknown(_) if undecided == Undecided::LeftOut => {}
            Val::Unknown(_) if undecided == Undecided::Kept => kept.push(item.clone()),
            other => {
                if let Val::Unknown(more) = unknown_or_fault(other, "a boolean") {
                    causes.extend(more.iter().filter(|c| !holes.contains(c)).cloned());
                }
            }
        }
    }
    if let Val::Resources { place, offered, .. } = list {
        let rows = kept.iter().filter_map(|v| if let Val::Resource(r, _) = v { Some(*r) } else { None }).collect();
        return Val::Resources { rows: Rc::new(rows), holes: causes.into(), offered: *offered, place: place.clone() };
    }
    if causes.is_empty() { Val::List(Rc::new(kept)) } else { Val::Unknown(causes.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn evidence_does_not_repeat_external_ids() {
        let mut policy = json!({"Statement": [{
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {"STS:externalid": ["s3cr3t"], "aws:PrincipalOrgID": "o-1"}}}]});
        hide_external_ids(&mut policy);
        let text = policy.to_string();
        assert!(!text.contains("s3cr3t") && text.contains("o-1") && text.contains("(not shown)"), "{text}");
        let mut unparsed = json!({"Policy": "{\"StringEquals\": {\"sts:ExternalId\": \"s3cr3t\"}}", "Other": "o-1"});
        hide_external_ids(&mut unparsed);
        assert!(!unparsed.to_string().contains("s3cr3t") && unparsed["Other"] == "o-1");
    }
}
