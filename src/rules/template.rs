//! Messages with expressions in braces: `Bucket '{name}' keeps {resource.Days} days`. `{{` and `}}` are braces.

use super::expression::check::{self, Fault, Scope};
use super::expression::evaluate::{Env, eval};
use super::expression::{Expr, Ty};
use std::collections::BTreeSet;

/// How long one value may be in a message, in characters; more is cut off with an ellipsis.
const VALUE_LIMIT: usize = 400;

/// A message, checked.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Expr),
}

/// Faults of one expression in a message, and the byte of the message that it begins at.
type Faults = (usize, Vec<Fault>);
/// The members that a message reads, by resource type.
type Reads = BTreeSet<(String, String)>;

impl Template {
    /// Parses and checks a message.
    pub(crate) fn parse(text: &str, scope: &Scope<'_>) -> Result<(Template, Reads), Faults> {
        let mut parts = Vec::new();
        let mut reads = BTreeSet::new();
        let mut plain = String::new();
        let mut chars = text.char_indices().peekable();
        while let Some((n, c)) = chars.next() {
            match c {
                '{' | '}' if chars.peek().is_some_and(|(_, next)| *next == c) => {
                    chars.next();
                    plain.push(c);
                }
                '{' => {
                    let end = closing(&text[n + 1..])
                        .ok_or_else(|| (n, vec![fault("a brace that is not closed; `{{` writes a brace")]))?;
                    let source = &text[n + 1..n + 1 + end];
                    let checked = check::check(source, scope, None).map_err(|f| (n + 1, f))?;
                    if matches!(checked.expr.ty, Ty::Resource(_)) {
                        return Err((n + 1, vec![fault("a resource cannot be printed; its name(…) or id(…) can")]));
                    }
                    reads.extend(checked.reads);
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Value(checked.expr));
                    while chars.peek().is_some_and(|(at, _)| *at <= n + 1 + end) {
                        chars.next();
                    }
                }
                '}' => return Err((n, vec![fault("a brace that was not opened; `}}` writes a brace")])),
                _ => plain.push(c),
            }
        }
        parts.push(Part::Text(plain));
        Ok((Template { parts }, reads))
    }

    /// The message with the values in `env`.
    pub(crate) fn render<'v>(&'v self, env: &Env<'v>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(expr) => {
                    let value = eval(expr, env).to_text();
                    match value.char_indices().nth(VALUE_LIMIT) {
                        Some((n, _)) => {
                            text.push_str(&value[..n]);
                            text.push('…');
                        }
                        None => text.push_str(&value),
                    }
                }
            }
        }
        text
    }
}

fn fault(message: &str) -> Fault {
    Fault { message: message.into(), help: None, at: (0, 1) }
}

/// Where the brace that is open before `text` closes, braces and quotes inside respected.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (n, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(n),
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    None
}
