//! The functions that conditions may call: CEL's own, those on resources and times, and the hard questions
//! that [`crate::semantics`] answers.

use super::Ty;
use super::evaluate::{Env, elements};
use super::value::Val;
use crate::inventory::{Cause, Reason};
use jiff::SignedDuration;
use regex::Regex;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

/// A function.
pub(crate) struct Function {
    /// Its name; several functions may share one and differ in their parameters.
    pub(crate) name: &'static str,
    /// The types of its arguments, the receiver first where it is called as a method.
    pub(crate) parameters: Vec<Ty>,
    /// What it gives.
    pub(crate) returns: Ty,
    /// Whether it decides for itself what an unknown argument means.
    pub(crate) takes_unknown: bool,
    /// The members that it reads of the resources it is given.
    pub(crate) reads: &'static [&'static str],
    /// What it does, in one line, for the documentation.
    pub(crate) summary: &'static str,
    /// The function. The regular expression is there where its last argument is a constant pattern.
    pub(crate) run: Run,
}

/// The code of a function.
pub(crate) type Run = for<'v> fn(&Env<'v>, &[Val<'v>], Option<&Regex>) -> Val<'v>;

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.signature())
    }
}

impl Function {
    /// As it is written in documentation and in messages.
    pub(crate) fn signature(&self) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(ToString::to_string).collect();
        format!("{}({}) -> {}", self.name, parameters.join(", "), self.returns)
    }
}

/// All functions, by name and then by parameters.
pub(crate) fn all() -> &'static [Function] {
    static ALL: LazyLock<Vec<Function>> = LazyLock::new(|| {
        let mut functions = standard();
        functions.extend(resources());
        functions.extend(times());
        functions.extend(crate::rules::expression::questions::all());
        functions
    });
    &ALL
}

pub(crate) fn list_of(ty: Ty) -> Ty {
    Ty::List(Arc::new(ty))
}

fn function(name: &'static str, parameters: &[Ty], returns: Ty, summary: &'static str, run: Run) -> Function {
    Function { name, parameters: parameters.to_vec(), returns, takes_unknown: false, reads: &[], summary, run }
}

fn standard() -> Vec<Function> {
    use Ty::{Any, Bool, Double, Int, Str};
    let any_map = || Ty::Map(Arc::new(Any));
    vec![
        function("size", &[Str], Int, "The number of characters.", |_, a, _| size(&a[0])),
        function("size", &[list_of(Any)], Int, "The number of elements.", |_, a, _| size(&a[0])),
        function("size", &[any_map()], Int, "The number of entries.", |_, a, _| size(&a[0])),
        function("startsWith", &[Str, Str], Bool, "Whether the text begins with the other.", |_, a, _| {
            texts(a, |t, p| Val::Bool(t.starts_with(p)))
        }),
        function("endsWith", &[Str, Str], Bool, "Whether the text ends with the other.", |_, a, _| {
            texts(a, |t, p| Val::Bool(t.ends_with(p)))
        }),
        function("contains", &[Str, Str], Bool, "Whether the text has the other in it.", |_, a, _| {
            texts(a, |t, p| Val::Bool(t.contains(p)))
        }),
        function("matches", &[Str, Str], Bool, "Whether the regular expression is found in the text.", matches),
        function("lowerAscii", &[Str], Str, "The text in lower case.", |_, a, _| {
            text(&a[0], |t| Val::Str(Cow::Owned(t.to_ascii_lowercase())))
        }),
        function("upperAscii", &[Str], Str, "The text in upper case.", |_, a, _| {
            text(&a[0], |t| Val::Str(Cow::Owned(t.to_ascii_uppercase())))
        }),
        function("split", &[Str, Str], list_of(Str), "The parts of the text between the separators.", |_, a, _| {
            texts(a, |t, p| Val::List(Rc::new(t.split(p).map(|s| Val::Str(Cow::Owned(s.to_owned()))).collect())))
        }),
        function("join", &[list_of(Any), Str], Str, "The elements as one text, with the separator between.", join),
        function("flatten", &[list_of(Any)], list_of(Any), "The elements of a list's lists as one list.", |_, a, _| {
            flatten(&a[0])
        }),
        function("int", &[Str], Int, "The whole number that the text spells.", |_, a, _| {
            text(&a[0], |t| match t.trim().parse() {
                Ok(n) => Val::Int(n),
                Err(_) => Val::fault(format!("int() of the text {t:?}")),
            })
        }),
        function("double", &[Int], Double, "The number.", |_, a, _| match a[0] {
            Val::Int(n) => Val::Double(n as f64),
            ref other => Val::fault(format!("double() of {}", other.kind())),
        }),
        function("string", &[Any], Str, "The value as text.", |_, a, _| Val::Str(Cow::Owned(a[0].to_text()))),
        function(
            "undecided",
            &[Str],
            Bool,
            "Neither true nor false, for the reason that the text gives.",
            |_, a, _| text(&a[0], |t| Val::unknown(Cause::of(Reason::NotUnderstood, t))),
        ),
        function("isText", &[Any], Bool, "Whether the value is a text.", |_, a, _| {
            Val::Bool(matches!(a[0], Val::Str(_)))
        }),
    ]
}

fn resources() -> Vec<Function> {
    use Ty::Str;
    let resource = || Ty::Resource("".into());
    vec![
        function("id", &[resource()], Str, "The identifier that the service uses.", |_, a, _| of(&a[0], |r| &r.id)),
        function("arn", &[resource()], Str, "The ARN.", |_, a, _| of(&a[0], |r| &r.arn)),
        function("name", &[resource()], Str, "The name for people.", |_, a, _| of(&a[0], |r| &r.name)),
        function("account", &[resource()], Str, "The account id.", |_, a, _| of(&a[0], |r| &r.account)),
        function("region", &[resource()], Str, "The region, or `global`.", |_, a, _| of(&a[0], |r| &r.region)),
        function(
            "offered",
            &[list_of(resource())],
            Ty::Bool,
            "Whether AWS offers the joined type there.",
            |_, a, _| match &a[0] {
                Val::Resources { offered, .. } => Val::Bool(*offered),
                other => Val::fault(format!("offered() of {}", other.kind())),
            },
        ),
        Function {
            // Collectors know them by this member, wherever the API has them.
            reads: &["Tags"],
            ..function("tags", &[resource()], Ty::Map(Arc::new(Str)), "The tags.", |_, a, _| match &a[0] {
                Val::Resource(r, _) => match r.unknown_at("Tags") {
                    Some(cause) => Val::unknown(cause.clone()),
                    None => Val::Map(Rc::new(
                        r.tags.iter().map(|(k, v)| (k.clone(), Val::Str(Cow::Borrowed(v.as_str())))).collect(),
                    )),
                },
                other => Val::fault(format!("tags() of {}", other.kind())),
            })
        },
    ]
}

fn times() -> Vec<Function> {
    use Ty::{Duration, Int, Str, Timestamp};
    vec![
        function("days", &[Int], Duration, "So many days of 24 hours.", |_, a, _| match a[0] {
            Val::Int(n) => match n.checked_mul(86_400) {
                Some(seconds) => Val::Duration(SignedDuration::from_secs(seconds)),
                None => Val::fault("days() out of range"),
            },
            ref other => Val::fault(format!("days() of {}", other.kind())),
        }),
        function("age", &[Timestamp], Duration, "How long ago, by the time of the snapshot.", |env, a, _| match a[0] {
            Val::Timestamp(t) => Val::Duration(env.now.duration_since(t)),
            ref other => Val::fault(format!("age() of {}", other.kind())),
        }),
        function("daysSince", &[Timestamp], Int, "How many whole days ago.", |env, a, _| match a[0] {
            Val::Timestamp(t) => Val::Int(env.now.duration_since(t).as_hours() / 24),
            ref other => Val::fault(format!("daysSince() of {}", other.kind())),
        }),
        function("timestamp", &[Str], Timestamp, "The RFC 3339 time that the text spells.", |_, a, _| {
            text(&a[0], |t| match t.parse() {
                Ok(time) => Val::Timestamp(time),
                Err(_) => Val::fault(format!("timestamp() of the text {t:?}")),
            })
        }),
        function("duration", &[Str], Duration, "The duration that the text spells (`36h`).", |_, a, _| {
            text(&a[0], |t| match t.parse() {
                Ok(d) => Val::Duration(d),
                Err(_) => Val::fault(format!("duration() of the text {t:?}")),
            })
        }),
    ]
}

fn size<'v>(value: &Val<'v>) -> Val<'v> {
    if let Val::Str(text) = value {
        return Val::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
    }
    match elements(value) {
        Ok((_, holes)) if !holes.is_empty() => Val::Unknown(holes),
        Ok((items, _)) => Val::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
        Err(unknown) => unknown,
    }
}

fn text<'v>(value: &Val<'v>, f: impl FnOnce(&str) -> Val<'v>) -> Val<'v> {
    match value {
        Val::Str(t) => f(t),
        other => Val::fault(format!("{} where a string was expected", other.kind())),
    }
}

fn texts<'v>(values: &[Val<'v>], f: impl FnOnce(&str, &str) -> Val<'v>) -> Val<'v> {
    match values {
        [Val::Str(a), Val::Str(b)] => f(a, b),
        _ => Val::fault("a string was expected"),
    }
}

fn matches<'v>(_: &Env<'v>, values: &[Val<'v>], pattern: Option<&Regex>) -> Val<'v> {
    texts(values, |t, p| match pattern {
        Some(regex) => Val::Bool(regex.is_match(t)),
        None => match Regex::new(p) {
            Ok(regex) => Val::Bool(regex.is_match(t)),
            Err(_) => Val::fault(format!("not a regular expression: {p:?}")),
        },
    })
}

fn join<'v>(_: &Env<'v>, values: &[Val<'v>], _: Option<&Regex>) -> Val<'v> {
    let Val::Str(separator) = &values[1] else { return Val::fault("join() without a separator") };
    match elements(&values[0]) {
        Ok((items, _)) => {
            let parts: Vec<String> = items.iter().map(Val::to_text).collect();
            Val::Str(Cow::Owned(parts.join(separator)))
        }
        Err(unknown) => unknown,
    }
}

/// One list of the elements of several; unknown as soon as one of them is, for it may have more.
fn flatten<'v>(value: &Val<'v>) -> Val<'v> {
    let mut all = Vec::new();
    let (lists, holes) = match elements(value) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    if !holes.is_empty() {
        return Val::Unknown(holes);
    }
    for list in &lists {
        match elements(list) {
            Ok((_, holes)) if !holes.is_empty() => return Val::Unknown(holes),
            Ok((items, _)) => all.extend(items),
            Err(unknown) => return unknown,
        }
    }
    Val::List(Rc::new(all))
}

fn of<'v>(value: &Val<'v>, field: impl FnOnce(&'v crate::inventory::Resource) -> &'v String) -> Val<'v> {
    match value {
        Val::Resource(r, _) => Val::Str(Cow::Borrowed(field(r))),
        other => Val::fault(format!("{} where a resource was expected", other.kind())),
    }
}
