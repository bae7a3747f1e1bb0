//! Turns parsed CEL into a checked expression: names, members, types, arguments.
//!
//! Everything that can be known to be wrong without an account is found here, with the place in the source.

use super::functions::{self, Function, list_of};
use super::{Arithmetic, Comparison, Comprehension, Expr, Node, Step, Ty};
use crate::model::schema::{Member, ResourceSchema};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::parser::Parser;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is wrong with an expression, and where in its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// First and one-past-last character, from the start of the expression's source.
    pub(crate) at: (usize, usize),
}

/// What the names in an expression stand for.
pub(crate) struct Scope<'s> {
    /// The type of the judged resource.
    pub(crate) resource: &'s ResourceSchema,
    /// Joined resources, in the order of the rule: name, schema, whether it is a single one.
    pub(crate) joins: Vec<(&'s str, &'s ResourceSchema, bool)>,
    /// Named expressions, in the order of the rule, with their types.
    pub(crate) lets: Vec<(&'s str, Ty)>,
    /// Parameters with the values in force.
    pub(crate) params: &'s BTreeMap<String, Value>,
}

/// A checked expression and what it reads.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) expr: Expr,
    /// The members that it reads, by resource type.
    pub(crate) reads: BTreeSet<(String, String)>,
    /// The functions that it asks the register by.
    pub(crate) asks: BTreeSet<&'static str>,
}

/// Parses and checks `source`; it must give a value of type `wanted`, where one is named.
pub(crate) fn check(source: &str, scope: &Scope<'_>, wanted: Option<&Ty>) -> Result<Checked, Vec<Fault>> {
    let (parsed, info) = Parser::new()
        .parse_with_source_info(source)
        .map_err(|errors| errors.errors.iter().map(|e| parse_fault(source, e.pos, &e.msg)).collect::<Vec<_>>())?;
    let mut checker = Checker {
        scope,
        info,
        locals: Vec::new(),
        reads: BTreeSet::new(),
        asks: BTreeSet::new(),
        length: source.len(),
    };
    let expr = checker.expr(&parsed).map_err(|f| vec![f])?;
    if let Some(wanted) = wanted
        && !expr.ty.fits(wanted)
    {
        let message = format!("this gives {}; {wanted} is expected here", article(&expr.ty));
        return Err(vec![Fault { message, help: None, at: (0, source.len()) }]);
    }
    Ok(Checked { expr, reads: checker.reads, asks: checker.asks })
}

fn article(ty: &Ty) -> String {
    match ty {
        Ty::Any => "a value of any type".into(),
        Ty::Int => "an integer".into(),
        other => format!("a {other}"),
    }
}

/// `pos` is line and column of the parser; its message names ANTLR's tokens, of which only the first line helps.
fn parse_fault(source: &str, pos: (isize, isize), message: &str) -> Fault {
    let line = usize::try_from(pos.0).unwrap_or(1).max(1) - 1;
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let at = (start + usize::try_from(pos.1).unwrap_or(0)).min(source.len());
    let first = message.lines().next().unwrap_or("").trim();
    Fault { message: format!("not a CEL expression: {first}"), help: None, at: (at, (at + 1).min(source.len().max(1))) }
}

struct Checker<'s> {
    scope: &'s Scope<'s>,
    info: SourceInfo,
    locals: Vec<(String, Ty)>,
    reads: BTreeSet<(String, String)>,
    asks: BTreeSet<&'static str>,
    length: usize,
}

type Result1 = Result<Expr, Fault>;

impl Checker<'_> {
    fn fault(&self, id: u64, message: impl Into<String>) -> Fault {
        let (start, stop) = self.info.offset_for(id).unwrap_or((0, self.length as u32));
        let start = (start as usize).min(self.length);
        let stop = (stop as usize + 1).clamp(start + 1, self.length.max(start + 1));
        Fault { message: message.into(), help: None, at: (start, stop) }
    }

    fn nearest(&self, id: u64, message: String, wrong: &str, names: &[String], what: &str) -> Fault {
        let mut fault = self.fault(id, message);
        fault.help = Some(match nearest(wrong, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None if names.is_empty() => format!("there are no {what} here"),
            None => format!("{what}: {}", names.join(", ")),
        });
        fault
    }

    fn expr(&mut self, e: &IdedExpr) -> Result1 {
        match &e.expr {
            Cel::Literal(literal) => {
                literal_value(literal).ok_or_else(|| self.fault(e.id, "this kind of literal has no use in a rule"))
            }
            Cel::Ident(name) => self.ident(e.id, name),
            Cel::Select(select) => self.select(e, &select.operand, &select.field, select.test),
            Cel::List(list) => self.list(&list.elements),
            Cel::Map(map) => self.map(e.id, map),
            Cel::Comprehension(c) => self.comprehension(e.id, c),
            Cel::Call(call) => self.call(e.id, call),
            Cel::Struct(_) => Err(self.fault(e.id, "messages cannot be constructed in a rule")),
            Cel::Unspecified => Err(self.fault(e.id, "an empty expression")),
        }
    }

    fn ident(&mut self, id: u64, name: &str) -> Result1 {
        if let Some(slot) = self.locals.iter().rposition(|(n, _)| n == name) {
            return Ok(Expr { node: Node::Local(slot), ty: self.locals[slot].1.clone() });
        }
        if let Some(n) = self.scope.lets.iter().position(|(l, _)| *l == name) {
            return Ok(Expr { node: Node::Let(n), ty: self.scope.lets[n].1.clone() });
        }
        match name {
            "resource" => Ok(Expr { node: Node::Resource, ty: Ty::Resource("resource".into()) }),
            "now" => Ok(Expr { node: Node::Now, ty: Ty::Timestamp }),
            "params" => Ok(Expr {
                node: Node::Const(Value::Object(self.scope.params.clone().into_iter().collect())),
                ty: Ty::Map(Arc::new(Ty::Any)),
            }),
            "name" | "id" | "arn" | "account" | "region" if !self.scope.joins.iter().any(|j| j.0 == name) => {
                let resource = Expr { node: Node::Resource, ty: Ty::Resource("resource".into()) };
                self.resolve(id, name, vec![resource])
            }
            _ => match self.scope.joins.iter().position(|j| j.0 == name) {
                Some(n) if self.scope.joins[n].2 => Ok(Expr { node: Node::Join(n), ty: Ty::Resource(name.into()) }),
                Some(n) => Ok(Expr { node: Node::Join(n), ty: list_of(Ty::Resource(name.into())) }),
                None => {
                    let mut names: Vec<String> =
                        ["resource", "params", "now", "name", "id", "arn", "account", "region"].map(Into::into).into();
                    names.extend(self.scope.joins.iter().map(|j| j.0.to_owned()));
                    names.extend(self.scope.lets.iter().map(|l| l.0.to_owned()));
                    names.extend(self.locals.iter().map(|l| l.0.clone()));
                    Err(self.nearest(id, format!("nothing is called `{name}` here"), name, &names, "names"))
                }
            },
        }
    }

    /// The schema of the resource that is called `name` in the rule.
    fn schema(&self, name: &str) -> &ResourceSchema {
        self.scope.joins.iter().find(|j| j.0 == name).map_or(self.scope.resource, |j| j.1)
    }

    fn select(&mut self, e: &IdedExpr, operand: &IdedExpr, field: &str, test: bool) -> Result1 {
        if let Cel::Ident(root) = &operand.expr
            && root == "params"
            && !self.locals.iter().any(|l| l.0 == "params")
        {
            return self.param(e.id, field, test);
        }
        let base = self.expr(operand)?;
        // The parser places a selection at its dot; the member's name is what is wrong.
        let ty = self.member(e.id, &base.ty, field).map_err(|mut fault| {
            fault.at = (fault.at.0 + 1, fault.at.0 + 1 + field.len());
            fault
        })?;
        let step = Step { name: field.to_owned(), ty: ty.clone() };
        let (base, mut steps) = match base.node {
            Node::Path { base, steps } => (base, steps),
            node => (Box::new(Expr { node, ty: base.ty }), Vec::new()),
        };
        steps.push(step);
        Ok(if test {
            Expr { node: Node::Has { base, steps }, ty: Ty::Bool }
        } else {
            Expr { node: Node::Path { base, steps }, ty }
        })
    }

    fn param(&mut self, id: u64, field: &str, test: bool) -> Result1 {
        let params = self.scope.params;
        match params.get(field) {
            Some(value) if test => Ok(Expr { node: Node::Const(Value::Bool(!value.is_null())), ty: Ty::Bool }),
            Some(value) => Ok(Expr { node: Node::Const(value.clone()), ty: json_ty(value) }),
            None => {
                let names: Vec<String> = params.keys().cloned().collect();
                Err(self.nearest(id, format!("the rule has no parameter `{field}`"), field, &names, "parameters"))
            }
        }
    }

    fn member(&mut self, id: u64, ty: &Ty, field: &str) -> Result<Ty, Fault> {
        match ty {
            Ty::Any | Ty::Null => Ok(Ty::Any),
            Ty::Map(value) => Ok((**value).clone()),
            Ty::Struct(schema) => match schema.member(field) {
                Some(member) => Ok(Ty::from(&member)),
                None => {
                    let names = schema.member_names();
                    Err(self.nearest(id, format!("{schema} has no member `{field}`"), field, &names, "members"))
                }
            },
            Ty::Resource(root) => {
                let schema = self.schema(root);
                let found = schema.members.get(field).map(|Member { ty, .. }| Ty::from(ty));
                let type_name = schema.name.clone();
                match found {
                    Some(member) => {
                        self.reads.insert((type_name, field.to_owned()));
                        Ok(member)
                    }
                    None => {
                        let names: Vec<String> = schema.members.keys().cloned().collect();
                        let message = format!("{type_name} has no member `{field}`");
                        Err(self.nearest(id, message, field, &names, "members"))
                    }
                }
            }
            other => {
                let mut fault = self.fault(id, format!("{} has no members", article(other)));
                if matches!(other, Ty::List(_)) {
                    fault.help = Some("look at its elements: `.exists(x, …)`, `.all(x, …)`, `[0]`".into());
                }
                Err(fault)
            }
        }
    }

    fn list(&mut self, elements: &[IdedExpr]) -> Result1 {
        let items = elements.iter().map(|e| self.expr(e)).collect::<Result<Vec<_>, _>>()?;
        let ty = common_ty(items.iter().map(|i| &i.ty));
        if let Some(constants) = items.iter().map(constant).collect::<Option<Vec<_>>>() {
            return Ok(Expr { node: Node::Const(Value::Array(constants)), ty: list_of(ty) });
        }
        Ok(Expr { node: Node::List(items), ty: list_of(ty) })
    }

    fn map(&mut self, id: u64, map: &cel::common::ast::MapExpr) -> Result1 {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.fault(id, "not a map entry"));
            };
            let Cel::Literal(LiteralValue::String(key)) = &entry.key.expr else {
                return Err(self.fault(entry.key.id, "the keys of a map must be literal strings"));
            };
            entries.push((key.inner().to_owned(), self.expr(&entry.value)?));
        }
        let ty = common_ty(entries.iter().map(|(_, v)| &v.ty));
        Ok(Expr { node: Node::Map(entries), ty: Ty::Map(Arc::new(ty)) })
    }

    fn comprehension(&mut self, id: u64, c: &ComprehensionExpr) -> Result1 {
        let range = self.expr(&c.iter_range)?;
        let element = match &range.ty {
            Ty::List(element) => (**element).clone(),
            Ty::Map(_) | Ty::Struct(_) => Ty::Str,
            Ty::Any => Ty::Any,
            other => return Err(self.fault(c.iter_range.id, format!("{} is no list", article(other)))),
        };
        let Some((kind, filter, body)) = recognise(c) else {
            return Err(self.fault(id, "only all, exists, exists_one, map and filter are known"));
        };
        let slot = self.locals.len();
        self.locals.push((c.iter_var.clone(), element.clone()));
        let parts = (|| {
            let filter = filter.map(|f| self.boolean(f)).transpose()?;
            let body = match kind {
                Comprehension::Map => self.expr(body)?,
                _ => self.boolean(body)?,
            };
            Ok((filter, body))
        })();
        self.locals.truncate(slot);
        let (filter, body) = parts?;
        let ty = match kind {
            Comprehension::Map => list_of(body.ty.clone()),
            Comprehension::Filter => list_of(element),
            _ => Ty::Bool,
        };
        let node = Node::Comprehension {
            kind,
            range: Box::new(range),
            slot,
            filter: filter.map(Box::new),
            body: Box::new(body),
        };
        Ok(Expr { node, ty })
    }

    fn boolean(&mut self, e: &IdedExpr) -> Result1 {
        let expr = self.expr(e)?;
        if expr.ty.fits(&Ty::Bool) {
            return Ok(expr);
        }
        Err(self.fault(e.id, format!("{} where a boolean is expected", article(&expr.ty))))
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Result1 {
        let args = &call.args;
        let boxed = |e: Expr| Box::new(e);
        match (call.func_name.as_str(), args.as_slice()) {
            (operators::LOGICAL_NOT, [a]) => Ok(Expr { node: Node::Not(boxed(self.boolean(a)?)), ty: Ty::Bool }),
            (operators::LOGICAL_AND, [a, b]) => {
                let node = Node::And(boxed(self.boolean(a)?), boxed(self.boolean(b)?));
                Ok(Expr { node, ty: Ty::Bool })
            }
            (operators::LOGICAL_OR, [a, b]) => {
                let node = Node::Or(boxed(self.boolean(a)?), boxed(self.boolean(b)?));
                Ok(Expr { node, ty: Ty::Bool })
            }
            (operators::CONDITIONAL, [c, a, b]) => {
                let (condition, then, otherwise) = (self.boolean(c)?, self.expr(a)?, self.expr(b)?);
                let ty = common_ty([&then.ty, &otherwise.ty].into_iter());
                let (condition, then, otherwise) = (boxed(condition), boxed(then), boxed(otherwise));
                Ok(Expr { node: Node::If { condition, then, otherwise }, ty })
            }
            (operators::NEGATE, [a]) => {
                let inner = self.expr(a)?;
                match (constant(&inner), &inner.ty) {
                    (Some(Value::Number(n)), _) if n.as_i64().is_some() => {
                        let negated = n.as_i64().and_then(i64::checked_neg).unwrap_or(i64::MIN);
                        Ok(Expr { node: Node::Const(Value::from(negated)), ty: Ty::Int })
                    }
                    (_, Ty::Int | Ty::Double | Ty::Any) => {
                        let ty = inner.ty.clone();
                        Ok(Expr { node: Node::Negate(boxed(inner)), ty })
                    }
                    (_, other) => Err(self.fault(id, format!("{} cannot be negated", article(other)))),
                }
            }
            (operators::IN, [a, b]) => {
                let (item, list) = (self.expr(a)?, self.expr(b)?);
                self.check_in(id, &item.ty, &list.ty)?;
                Ok(Expr { node: Node::In { item: boxed(item), list: boxed(list) }, ty: Ty::Bool })
            }
            (operators::INDEX, [a, b]) => self.index(id, a, b),
            (name, [a, b]) if comparison(name).is_some() => {
                let (left, right) = (self.expr(a)?, self.expr(b)?);
                self.compare(id, name, left, right)
            }
            (name, [a, b]) if arithmetic(name).is_some() => {
                let (left, right) = (self.expr(a)?, self.expr(b)?);
                self.arithmetic(id, name, left, right)
            }
            (name, _) => {
                let mut arguments = Vec::with_capacity(args.len() + 1);
                for a in call.target.as_deref().into_iter().chain(args) {
                    arguments.push(self.expr(a)?);
                }
                self.resolve(id, name, arguments)
            }
        }
    }

    fn check_in(&self, id: u64, item: &Ty, list: &Ty) -> Result<(), Fault> {
        let element = match list {
            Ty::List(element) => (**element).clone(),
            Ty::Map(_) | Ty::Struct(_) => Ty::Str,
            Ty::Any => Ty::Any,
            other => return Err(self.fault(id, format!("`in` needs a list or a map, not {}", article(other)))),
        };
        if item.comparable(&element) {
            return Ok(());
        }
        Err(self.fault(id, format!("{} is never in a {list}", article(item))))
    }

    fn index(&mut self, id: u64, a: &IdedExpr, b: &IdedExpr) -> Result1 {
        let (base, key) = (self.expr(a)?, self.expr(b)?);
        let ty = match (&base.ty, &key.ty) {
            (Ty::List(element), Ty::Int | Ty::Any) => (**element).clone(),
            (Ty::Map(value), Ty::Str | Ty::Any) => (**value).clone(),
            (Ty::Any, _) => Ty::Any,
            (base, key) => {
                return Err(self.fault(id, format!("{} cannot be indexed by {}", article(base), article(key))));
            }
        };
        Ok(Expr { node: Node::Index { base: Box::new(base), key: Box::new(key) }, ty })
    }

    fn compare(&self, id: u64, name: &str, left: Expr, right: Expr) -> Result1 {
        let op = comparison(name).unwrap_or(Comparison::Equal);
        let resources = |ty: &Ty| matches!(ty, Ty::List(element) if matches!(**element, Ty::Resource(_)));
        if resources(&left.ty) || resources(&right.ty) {
            let mut fault = self.fault(id, "joined resources cannot be compared as a list");
            fault.help = Some("ask `.exists(x, true)` or `size(…) == 0`, which know that there may be more".into());
            return Err(fault);
        }
        let fine = match op {
            Comparison::Equal | Comparison::NotEqual => left.ty.comparable(&right.ty),
            _ => left.ty.ordered(&right.ty),
        };
        if !fine {
            let mut fault =
                self.fault(id, format!("{} cannot be compared with {}", article(&left.ty), article(&right.ty)));
            if matches!((&left.ty, &right.ty), (Ty::Str, Ty::Int) | (Ty::Int, Ty::Str)) {
                fault.help = Some("`int(…)` makes a number of a text".into());
            }
            return Err(fault);
        }
        Ok(Expr { node: Node::Compare { op, left: Box::new(left), right: Box::new(right) }, ty: Ty::Bool })
    }

    fn arithmetic(&self, id: u64, name: &str, left: Expr, right: Expr) -> Result1 {
        let op = arithmetic(name).unwrap_or(Arithmetic::Add);
        let ty = match (op, &left.ty, &right.ty) {
            (_, Ty::Int, Ty::Int) => Ty::Int,
            (_, Ty::Int | Ty::Double, Ty::Int | Ty::Double) => Ty::Double,
            (Arithmetic::Add, Ty::Str, Ty::Str) => Ty::Str,
            (Arithmetic::Add, Ty::List(a), Ty::List(b)) => list_of(common_ty([&**a, &**b].into_iter())),
            (Arithmetic::Subtract, Ty::Timestamp, Ty::Timestamp) => Ty::Duration,
            (Arithmetic::Add | Arithmetic::Subtract, Ty::Timestamp, Ty::Duration) => Ty::Timestamp,
            (Arithmetic::Add, Ty::Duration, Ty::Timestamp) => Ty::Timestamp,
            (Arithmetic::Add | Arithmetic::Subtract, Ty::Duration, Ty::Duration) => Ty::Duration,
            (_, Ty::Any, _) | (_, _, Ty::Any) => Ty::Any,
            (_, a, b) => {
                return Err(self.fault(id, format!("no such arithmetic on {} and {}", article(a), article(b))));
            }
        };
        Ok(Expr { node: Node::Arithmetic { op, left: Box::new(left), right: Box::new(right) }, ty })
    }

    /// The function called `name` that takes these arguments.
    fn resolve(&mut self, id: u64, name: &str, arguments: Vec<Expr>) -> Result1 {
        let named: Vec<&'static Function> = functions::all().iter().filter(|f| f.name == name).collect();
        if named.is_empty() {
            let mut names: Vec<String> = functions::all().iter().map(|f| f.name.to_owned()).collect();
            names.dedup();
            return Err(self.nearest(id, format!("there is no function `{name}`"), name, &names, "functions"));
        }
        let fits = |f: &&&'static Function| {
            f.parameters.len() == arguments.len() && f.parameters.iter().zip(&arguments).all(|(p, a)| takes(p, &a.ty))
        };
        let Some(function) = named.iter().find(fits) else {
            let given: Vec<String> = arguments.iter().map(|a| a.ty.to_string()).collect();
            let mut fault = self.fault(id, format!("`{name}` does not take ({})", given.join(", ")));
            let known: Vec<String> = named.iter().map(|f| format!("{}: {}", f.signature(), f.summary)).collect();
            fault.help = Some(format!("it is {}", known.join(" or ")));
            return Err(fault);
        };
        for argument in &arguments {
            let root = match &argument.ty {
                Ty::Resource(root) => Some(root),
                Ty::List(element) => {
                    if let Ty::Resource(root) = &**element {
                        Some(root)
                    } else {
                        None
                    }
                }
                _ => None,
            };
            let type_name = root.map(|r| self.schema(r).name.clone());
            let members = function.reads.iter().map(|m| (*m).to_owned());
            self.reads.extend(type_name.into_iter().flat_map(|t| members.clone().map(move |m| (t.clone(), m))));
        }
        self.reads.extend(super::reach::reads(name));
        self.reads.extend(super::organization::reads(function));
        self.reads.extend(super::register::reads(name));
        self.asks.extend(super::register::asks(name));
        let regex = match (name, arguments.last().and_then(constant)) {
            ("matches", Some(Value::String(pattern))) => Some(Box::new(
                regex::Regex::new(&pattern).map_err(|e| self.fault(id, format!("not a regular expression: {e}")))?,
            )),
            _ => None,
        };
        Ok(Expr { node: Node::Call { function, arguments, regex }, ty: function.returns.clone() })
    }
}

/// Whether a parameter takes an argument of that type.
fn takes(parameter: &Ty, argument: &Ty) -> bool {
    match (parameter, argument) {
        (Ty::List(element), Ty::List(_)) if matches!(**element, Ty::Any) => true,
        (Ty::Any, Ty::Resource(_)) => false,
        _ => argument.fits(parameter),
    }
}

/// The macro that the parser made this comprehension of: its kind, its filter, its body.
fn recognise(c: &ComprehensionExpr) -> Option<(Comprehension, Option<&IdedExpr>, &IdedExpr)> {
    let Cel::Call(step) = &c.loop_step.expr else { return None };
    match (step.func_name.as_str(), step.args.as_slice()) {
        (operators::LOGICAL_OR, [_, body]) => Some((Comprehension::Exists, None, body)),
        (operators::LOGICAL_AND, [_, body]) => Some((Comprehension::All, None, body)),
        (operators::ADD, [_, element]) => Some((Comprehension::Map, None, only_element(element)?)),
        (operators::CONDITIONAL, [test, then, _]) => {
            let Cel::Call(add) = &then.expr else { return None };
            match (&c.accu_init.expr, add.args.as_slice()) {
                (Cel::Literal(LiteralValue::Int(_)), _) => Some((Comprehension::ExistsOne, None, test)),
                (Cel::List(_), [_, element]) => {
                    let body = only_element(element)?;
                    match &body.expr {
                        Cel::Ident(name) if *name == c.iter_var => Some((Comprehension::Filter, None, test)),
                        _ => Some((Comprehension::Map, Some(test), body)),
                    }
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn only_element(list: &IdedExpr) -> Option<&IdedExpr> {
    match &list.expr {
        Cel::List(l) if l.elements.len() == 1 => l.elements.first(),
        _ => None,
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}

fn literal_value(literal: &LiteralValue) -> Option<Expr> {
    let (value, ty) = match literal {
        LiteralValue::Boolean(b) => (Value::Bool(*b.inner()), Ty::Bool),
        LiteralValue::Int(i) => (Value::from(*i.inner()), Ty::Int),
        LiteralValue::UInt(u) => (Value::from(*u.inner()), Ty::Int),
        LiteralValue::Double(d) => (Value::from(*d.inner()), Ty::Double),
        LiteralValue::String(s) => (Value::String(s.inner().to_owned()), Ty::Str),
        LiteralValue::Null => (Value::Null, Ty::Null),
        LiteralValue::Bytes(_) => return None,
    };
    Some(Expr { node: Node::Const(value), ty })
}

fn constant(expr: &Expr) -> Option<Value> {
    match &expr.node {
        Node::Const(value) => Some(value.clone()),
        _ => None,
    }
}

/// The one type of all, or any.
fn common_ty<'t>(mut types: impl Iterator<Item = &'t Ty>) -> Ty {
    let Some(first) = types.next() else { return Ty::Any };
    let alike = |other: &Ty| std::mem::discriminant(first) == std::mem::discriminant(other);
    if types.all(alike) { first.clone() } else { Ty::Any }
}

/// The type of a JSON value, as far as it has one.
pub(crate) fn json_ty(value: &Value) -> Ty {
    match value {
        Value::Null => Ty::Any,
        Value::Bool(_) => Ty::Bool,
        Value::Number(n) if n.is_i64() || n.is_u64() => Ty::Int,
        Value::Number(_) => Ty::Double,
        Value::String(_) => Ty::Str,
        Value::Array(items) => {
            let types: Vec<Ty> = items.iter().map(json_ty).collect();
            list_of(common_ty(types.iter()))
        }
        Value::Object(_) => Ty::Map(Arc::new(Ty::Any)),
    }
}

/// The name that `wrong` was most likely meant to be.
pub(crate) fn nearest<'n>(wrong: &str, names: &'n [String]) -> Option<&'n String> {
    names
        .iter()
        .map(|n| (strsim::jaro_winkler(&wrong.to_lowercase(), &n.to_lowercase()), n))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n)
}
