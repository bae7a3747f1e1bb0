//! Paths into answers and documents, as collector files write them: `Reservations[].Instances`,
//! `ResourceTagList[0].TagsList`, `[].Email`.
//!
//! A path is checked against the API model when the file is loaded and followed in values when the scan runs.
//! What a path does not find is absent: it is never an error, and the caller decides what absence means.

use crate::model::schema::Type;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Member(String),
    /// Every element of a list.
    Each,
    /// The element at this place.
    At(usize),
}

/// A path; empty means the whole value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

/// Where a path leaves its type.
pub(super) struct Astray {
    /// The step that does not exist.
    pub(super) step: String,
    /// What there is instead.
    pub(super) known: Vec<String>,
    /// The type that it was looked for in.
    pub(super) within: String,
}

impl Path {
    /// Reads a path. `None` where the text is none.
    pub(super) fn parse(text: &str) -> Option<Path> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':'));
            if !plain || (name.is_empty() && (rest.is_empty() || !steps.is_empty())) {
                return None;
            }
            if !name.is_empty() {
                steps.push(Step::Member(name.to_owned()));
            }
            while !rest.is_empty() {
                let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(if inside.is_empty() { Step::Each } else { Step::At(inside.parse().ok()?) });
                rest = after;
            }
        }
        Some(Path(steps))
    }

    /// The first member's name.
    pub(super) fn root(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// The value at the path in `value`; the first one where it branches.
    pub(super) fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let mut found = None;
        visit(value, &self.0, &mut |v| {
            found.get_or_insert(v);
        });
        found.filter(|v| !v.is_null())
    }

    /// The value at the path in an object.
    pub(super) fn in_document<'v>(&self, document: &'v Map<String, Value>) -> Option<&'v Value> {
        match self.0.split_first() {
            Some((Step::Member(name), rest)) => {
                let mut found = None;
                visit(document.get(name)?, rest, &mut |v| {
                    found.get_or_insert(v);
                });
                found.filter(|v| !v.is_null())
            }
            _ => None,
        }
    }

    /// All items of the list at the path; where the path branches, of all the lists.
    pub(super) fn items(&self, value: &Value) -> Items {
        let mut items = Items::default();
        visit(value, &self.0, &mut |v| match v {
            Value::Array(list) => items.found.extend(list.iter().cloned()),
            Value::Null => {}
            _ => items.not_a_list = true,
        });
        items
    }

    /// Takes the value at the path out of `value`, without a copy where the path is plain.
    pub(super) fn take(&self, mut value: Value) -> Option<Value> {
        if self.0.contains(&Step::Each) {
            return self.get(&value).cloned();
        }
        for step in &self.0 {
            value = match (step, value) {
                (Step::Member(name), Value::Object(mut members)) => members.remove(name)?,
                (Step::At(n), Value::Array(mut list)) if *n < list.len() => list.swap_remove(*n),
                _ => return None,
            };
        }
        (!value.is_null()).then_some(value)
    }

    /// Applies `change` to every value at the path.
    pub(super) fn change(&self, value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
        change_at(value, &self.0, change);
    }

    /// Removes what is at the path; gives the removed values.
    pub(super) fn remove(&self, value: &mut Value) -> Vec<Value> {
        let mut removed = Vec::new();
        if let Some((Step::Member(last), before)) = self.0.split_last() {
            change_at(value, before, &mut |v| {
                if let Some(old) = v.as_object_mut().and_then(|o| o.shift_remove(last)) {
                    removed.push(old);
                }
            });
        }
        removed
    }

    /// The type at the path.
    pub(super) fn resolve(&self, ty: &Type) -> Result<Type, Astray> {
        let mut ty = ty.clone();
        for step in &self.0 {
            ty = match (step, &ty) {
                (Step::Each | Step::At(_), Type::List(element)) => (**element).clone(),
                (Step::Each | Step::At(_), Type::Any) => Type::Any,
                (Step::Member(name), t) => match t.member(name) {
                    Some(member) => member,
                    None => return Err(Astray::of(name, t)),
                },
                (Step::Each | Step::At(_), t) => return Err(Astray::of("[]", t)),
            };
        }
        Ok(ty)
    }

    /// `ty` with what is at the path replaced by `change`'s answer; `None` takes the member away.
    pub(super) fn retype(&self, ty: &Type, change: &dyn Fn(&Type) -> Option<Type>) -> Result<Type, Astray> {
        self.resolve(ty)?;
        Ok(retype(ty, &self.0, change).unwrap_or(Type::Any))
    }
}

/// What [`Path::items`] found.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) found: Vec<Value>,
    /// Something other than a list stood where a list belongs.
    pub(super) not_a_list: bool,
}

impl Astray {
    fn of(step: &str, ty: &Type) -> Astray {
        Astray { step: step.to_owned(), known: ty.member_names(), within: ty.to_string() }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if i == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Each => f.write_str("[]")?,
                Step::At(n) => write!(f, "[{n}]")?,
            }
        }
        Ok(())
    }
}

fn visit<'v>(value: &'v Value, steps: &[Step], found: &mut dyn FnMut(&'v Value)) {
    match (steps.split_first(), value) {
        (None, _) => found(value),
        (Some((Step::Member(name), rest)), Value::Object(members)) => {
            if let Some(v) = members.get(name) {
                visit(v, rest, found);
            }
        }
        (Some((Step::Each, rest)), Value::Array(items)) => items.iter().for_each(|v| visit(v, rest, found)),
        (Some((Step::At(n), rest)), Value::Array(items)) => {
            if let Some(v) = items.get(*n) {
                visit(v, rest, found);
            }
        }
        _ => {}
    }
}

fn change_at(value: &mut Value, steps: &[Step], change: &mut dyn FnMut(&mut Value)) {
    match (steps.split_first(), value) {
        (None, value) => change(value),
        (Some((Step::Member(name), rest)), Value::Object(members)) => {
            if let Some(v) = members.get_mut(name) {
                change_at(v, rest, change);
            }
        }
        (Some((Step::Each, rest)), Value::Array(items)) => items.iter_mut().for_each(|v| change_at(v, rest, change)),
        (Some((Step::At(n), rest)), Value::Array(items)) => {
            if let Some(v) = items.get_mut(*n) {
                change_at(v, rest, change);
            }
        }
        _ => {}
    }
}

fn retype(ty: &Type, steps: &[Step], change: &dyn Fn(&Type) -> Option<Type>) -> Option<Type> {
    let Some((step, rest)) = steps.split_first() else { return change(ty) };
    match (step, ty) {
        (Step::Member(name), Type::Structure(..) | Type::Object(_)) => {
            let mut members = members_of(ty);
            match members.remove(name).and_then(|m| retype(&m, rest, change)) {
                Some(member) => members.insert(name.clone(), member),
                None => None,
            };
            Some(Type::Object(Arc::new(members)))
        }
        (Step::Each | Step::At(_), Type::List(element)) => {
            Some(Type::List(Arc::new(retype(element, rest, change).unwrap_or(Type::Any))))
        }
        _ => Some(ty.clone()),
    }
}

/// The members of a structure with their types.
pub(super) fn members_of(ty: &Type) -> BTreeMap<String, Type> {
    let names = ty.member_names().into_iter();
    names.filter_map(|n| ty.member(&n).map(|t| (n, t))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Path {
        Path::parse(text).expect("a path")
    }

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for text in ["A", "A.B", "A[].B", "A[0].B", "[].B", "A[][]"] {
            assert_eq!(path(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "A..B", ".A", "A[", "A[x]", "A b", "A]", "$.A"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn items_of_all_branches_are_joined() {
        let answer = json!({"Reservations": [{"Instances": [1, 2]}, {}, {"Instances": [3]}]});
        assert_eq!(path("Reservations[].Instances").items(&answer).found, vec![json!(1), json!(2), json!(3)]);
    }

    #[test]
    fn something_other_than_a_list_is_noticed() {
        assert!(path("A").items(&json!({"A": "x"})).not_a_list);
        assert!(!path("A").items(&json!({})).not_a_list);
    }

    #[test]
    fn removal_reaches_into_every_element() {
        let mut v = json!({"A": [{"S": 1, "T": 2}, {"S": 3}]});
        assert_eq!(path("A[].S").remove(&mut v), vec![json!(1), json!(3)]);
        assert_eq!(v, json!({"A": [{"T": 2}, {}]}));
    }

    #[test]
    fn a_taken_null_is_absent() {
        assert_eq!(path("A.B").take(json!({"A": {"B": null}})), None);
        assert_eq!(path("A[1]").take(json!({"A": [1, 2, 3]})), Some(json!(2)));
        assert_eq!(path("A[7]").take(json!({"A": [1]})), None);
    }
}
