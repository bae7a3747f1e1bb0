//! Filter patterns of CloudWatch Logs, as the conditions that they put on a CloudTrail record. Source: Amazon
//! CloudWatch Logs User Guide, "Filter pattern syntax". What that guide does not document becomes an unclear part of
//! the condition and must never be guessed; no text, however hostile, makes the parser panic, hang or recurse deeply.

use super::formula::{Formula, Glob, Order, Test};

/// The longest pattern that is read; CloudWatch Logs allows 1024 characters.
const LONGEST: usize = 8192;
/// How deeply parentheses may nest.
const DEEPEST: usize = 64;

/// The condition that a filter pattern stands for; an error is one sentence, without a full stop, that says where it is
/// not understood.
pub fn parse(text: &str) -> Result<Formula, String> {
    if text.len() > LONGEST {
        return Err(format!("a filter pattern of {} bytes is longer than any that AWS takes", text.len()));
    }
    let trimmed = text.trim();
    if let Some(inner) = trimmed.strip_prefix('{') {
        let Some(inner) = inner.strip_suffix('}') else { return Err("a JSON filter pattern does not end in }".into()) };
        return Json { rest: inner }.whole();
    }
    if trimmed.starts_with('[') {
        return Ok(Formula::Unclear("a pattern of space-delimited fields does not describe JSON records".into()));
    }
    if trimmed.starts_with('%') {
        return Ok(Formula::Unclear("what a regular expression matches is not worked out".into()));
    }
    words(trimmed)
}

/// A pattern of words: all must stand in the event, or one of those with `?`; none of those with `-`.
fn words(text: &str) -> Result<Formula, String> {
    let (mut required, mut optional, mut excluding) = (Vec::new(), Vec::new(), false);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (sign, body) = match rest.chars().next() {
            Some('?') => ('?', &rest[1..]),
            Some('-') => ('-', &rest[1..]),
            _ => ('+', rest),
        };
        let (word, after) = match body.strip_prefix('"') {
            Some(quoted) => {
                let Some((word, after)) = quoted.split_once('"') else { return Err("a quote is not closed".into()) };
                (word, after)
            }
            None => body.split_at(body.find(char::is_whitespace).unwrap_or(body.len())),
        };
        match sign {
            '?' => optional.push(word_of(word)),
            '-' => excluding = true,
            _ if word.trim().is_empty() => {}
            _ => required.push(word_of(word)),
        }
        rest = after.trim_start();
    }
    if excluding {
        return Ok(Formula::Unclear("which records have an excluded word in them is not worked out".into()));
    }
    // Beside other terms, those with a question mark are ignored.
    match (required.is_empty(), optional.is_empty()) {
        (true, false) => Ok(Formula::Any(optional)),
        _ => Ok(Formula::All(required)),
    }
}

fn word_of(word: &str) -> Formula {
    match !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric()) {
        true => Formula::Word(word.to_owned()),
        false => Formula::Unclear(format!("whether {word:?} stands in the record")),
    }
}

/// What is left to read of a JSON pattern.
struct Json<'t> {
    rest: &'t str,
}

impl<'t> Json<'t> {
    fn whole(mut self) -> Result<Formula, String> {
        let formula = self.alternatives(0)?;
        self.skip();
        match self.rest.is_empty() {
            true => Ok(formula),
            false => Err(self.unexpected("the end")),
        }
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A word that ends where something else begins.
    fn takes_word(&mut self, word: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(word) {
            Some(rest) if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        match found.is_empty() {
            true => format!("the filter pattern ends where {wanted} was expected"),
            false => format!("{found:?} in the filter pattern where {wanted} was expected"),
        }
    }

    fn alternatives(&mut self, depth: usize) -> Result<Formula, String> {
        let mut parts = vec![self.conditions(depth)?];
        while self.takes("||") {
            parts.push(self.conditions(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Formula::Any(parts) })
    }

    fn conditions(&mut self, depth: usize) -> Result<Formula, String> {
        let mut parts = vec![self.condition(depth)?];
        while self.takes("&&") {
            parts.push(self.condition(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Formula::All(parts) })
    }

    fn condition(&mut self, depth: usize) -> Result<Formula, String> {
        if depth > DEEPEST {
            return Err("the filter pattern nests too deeply".into());
        }
        if self.takes("(") {
            let inner = self.alternatives(depth + 1)?;
            return match self.takes(")") {
                true => Ok(inner),
                false => Err(self.unexpected("a closing parenthesis")),
            };
        }
        let path = self.selector()?;
        let test = self.test()?;
        Ok(match path {
            Some(path) => Formula::Member(path, test),
            None => Formula::Unclear("a wildcard in a property selector".into()),
        })
    }

    /// The path of a member, by its names joined with dots; none where it has a wildcard.
    fn selector(&mut self) -> Result<Option<String>, String> {
        if !self.takes("$") {
            return Err(self.unexpected("a property selector"));
        }
        let (mut path, mut wild) = (String::new(), false);
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                if self.rest.starts_with('[') {
                    continue;
                }
                let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "_-*".contains(c)));
                let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                if name.is_empty() {
                    return Err(self.unexpected("the name of a member"));
                }
                self.rest = rest;
                wild |= name.contains('*');
                push(&mut path, name);
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                self.skip();
                match self.rest.chars().next() {
                    Some(quote @ ('\'' | '"')) => {
                        let Some((name, rest)) = self.rest[1..].split_once(quote) else {
                            return Err("a quote is not closed".into());
                        };
                        self.rest = rest;
                        // No member of a record has a dot in its name.
                        push(&mut path, &name.replace(['.', '['], "\u{0}"));
                    }
                    _ => {
                        let end = self.rest.find(']').unwrap_or(self.rest.len());
                        let (index, rest) = self.rest.split_at(end);
                        self.rest = rest;
                        match index.trim() {
                            "*" => wild = true,
                            index if !index.is_empty() && index.chars().all(|c| c.is_ascii_digit()) => {
                                path.push_str(&format!("[{index}]"));
                            }
                            _ => return Err("an index that is no number".into()),
                        }
                    }
                }
                if !self.takes("]") {
                    return Err(self.unexpected("a closing bracket"));
                }
            } else {
                break;
            }
        }
        match path.is_empty() && !wild {
            true => Err(self.unexpected("the name of a member")),
            false => Ok((!wild).then_some(path)),
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        if self.takes_word("NOT") {
            return match self.takes_word("EXISTS") {
                true => Ok(Test::Missing),
                false => Err(self.unexpected("EXISTS")),
            };
        }
        if self.takes_word("EXISTS") {
            return Ok(Test::Unclear("AWS says that EXISTS is not supported".into()));
        }
        if self.takes_word("IS") {
            return match () {
                () if self.takes_word("NULL") => Ok(Test::Null),
                () if self.takes_word("TRUE") => Ok(Test::Is(true)),
                () if self.takes_word("FALSE") => Ok(Test::Is(false)),
                () if self.takes_word("NOT") => Err("AWS says that IS NOT is not supported".into()),
                () => Err(self.unexpected("NULL, TRUE or FALSE")),
            };
        }
        let orders = [
            ("!=", Order::NotEqual),
            ("<=", Order::LessOrEqual),
            (">=", Order::GreaterOrEqual),
            ("=", Order::Equal),
            ("<", Order::Less),
            (">", Order::Greater),
        ];
        for (sign, order) in orders {
            if self.takes(sign) {
                return self.value(order);
            }
        }
        Err(self.unexpected("a comparison"))
    }

    fn value(&mut self, order: Order) -> Result<Test, String> {
        self.skip();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted, order);
        }
        if let Some(regex) = self.rest.strip_prefix('%') {
            let Some((_, rest)) = regex.split_once('%') else {
                return Err("a regular expression is not closed".into());
            };
            self.rest = rest;
            return Ok(Test::Unclear("what a regular expression matches is not worked out".into()));
        }
        let ends = |(at, c): (usize, char)| {
            let two = self.rest.get(at..at + 2);
            (c.is_whitespace() || "()}".contains(c) || two == Some("&&") || two == Some("||")).then_some(at)
        };
        let end = self.rest.char_indices().find_map(ends).unwrap_or(self.rest.len());
        let (bare, rest) = self.rest.split_at(end);
        if bare.is_empty() {
            return Err(self.unexpected("a value"));
        }
        self.rest = rest;
        Ok(match bare {
            _ if bare.contains(['"', '\'', '%', '\\', '`']) => Test::Unclear(format!("the value {bare:?}")),
            _ if number(bare).is_some() => Test::Number(order, number(bare).unwrap_or_default()),
            _ => like(bare, order),
        })
    }

    /// A quoted text, from behind its first quote.
    fn quoted(&mut self, text: &'t str, order: Order) -> Result<Test, String> {
        let (mut value, mut escaped, mut odd) = (String::new(), false, false);
        for (at, c) in text.char_indices() {
            match (escaped, c) {
                (true, '"' | '\\') => {
                    value.push(c);
                    escaped = false;
                }
                (true, _) => {
                    odd = true;
                    escaped = false;
                }
                (false, '\\') => escaped = true,
                (false, '"') => {
                    self.rest = &text[at + 1..];
                    return Ok(match odd {
                        true => Test::Unclear("an escape that AWS does not document".into()),
                        false => like(&value, order),
                    });
                }
                (false, _) => value.push(c),
            }
        }
        Err("a quote is not closed".into())
    }
}

/// A number as AWS writes it: digits, a sign, an exponent; not the words that Rust reads as numbers too.
fn number(text: &str) -> Option<f64> {
    let shaped =
        text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c)) && text.contains(|c: char| c.is_ascii_digit());
    text.parse().ok().filter(|_| shaped)
}

fn push(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

fn like(text: &str, order: Order) -> Test {
    match order {
        Order::Equal => Test::Like(Glob::stars(text)),
        Order::NotEqual => Test::Unlike(Glob::stars(text)),
        _ => Test::Unclear("an order of texts".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::formula::{Cover, Domain, Record};
    use super::*;
    use proptest::prelude::*;

    fn record() -> Record {
        let members = [
            ("eventName", Domain::Is("DeleteTrail".into())),
            ("eventSource", Domain::Is("cloudtrail.amazonaws.com".into())),
            ("userIdentity.type", Domain::Is("Root".into())),
            ("userIdentity.invokedBy", Domain::Absent),
            ("readOnly", Domain::Flag(false)),
        ];
        Record { label: "r".into(), members: members.into_iter().map(|(p, d)| (p.to_owned(), d)).collect() }
    }

    fn answer(pattern: &str) -> &'static str {
        match parse(pattern).map(|f| f.covers(&record())) {
            Ok(Cover::Yes) => "covers",
            Ok(Cover::No) => "escapes",
            Ok(Cover::Unclear(_)) => "unclear",
            Err(_) => "error",
        }
    }

    #[test]
    fn patterns_are_read_as_aws_documents_them() {
        for (pattern, expected) in [
            ("", "covers"),
            ("\" \"", "covers"),
            ("{ $.eventName = DeleteTrail }", "covers"),
            ("{$.eventName=\"DeleteTrail\"}", "covers"),
            ("  {  $.eventName  =  \"DeleteTrail\"  }  ", "covers"),
            ("{ $.eventName = \"Delete*\" }", "covers"),
            ("{ $.eventName = *Trail }", "covers"),
            ("{ $.eventName = deletetrail }", "escapes"),
            ("{ $.eventName != \"DeleteTrail\" }", "escapes"),
            ("{ $.eventName != \"Create*\" }", "covers"),
            ("{ $.['eventName'] = \"DeleteTrail\" }", "covers"),
            ("{ $[\"eventName\"] = \"DeleteTrail\" }", "covers"),
            ("{ $.userIdentity['type'] = Root }", "covers"),
            ("{ $.['userIdentity.type'] = Root }", "escapes"),
            ("{ $.eventSource = cloudtrail.amazonaws.com && $.eventName = DeleteTrail }", "covers"),
            ("{ $.userIdentity.invokedBy NOT EXISTS }", "covers"),
            ("{ $.eventName NOT EXISTS }", "escapes"),
            ("{ $.eventName EXISTS }", "unclear"),
            ("{ $.readOnly IS FALSE }", "covers"),
            ("{ $.readOnly IS TRUE }", "escapes"),
            ("{ $.eventName IS NULL }", "escapes"),
            ("{ $.userIdentity.invokedBy != \"x\" }", "unclear"),
            ("{ $.eventName = %Trail% }", "unclear"),
            ("{ $.eventName = %Trail% || $.eventName = DeleteTrail }", "covers"),
            ("{ $.eventName = %Trail% && $.eventName = CreateTrail }", "escapes"),
            ("{ $.* = DeleteTrail }", "unclear"),
            ("{ $.resources[*].x = DeleteTrail }", "unclear"),
            ("{ $.resources[0].accountId = 1 }", "escapes"),
            ("{ $.eventName = 400 }", "escapes"),
            ("{ $.eventName > 400 }", "unclear"),
            // && binds closer than ||.
            ("{ $.eventName = DeleteTrail || $.eventName = X && $.eventName = Y }", "covers"),
            ("{ ($.eventName = DeleteTrail || $.eventName = X) && $.eventName = Y }", "escapes"),
            ("{ (($.eventName = X) || (($.eventName = DeleteTrail))) }", "covers"),
            ("DeleteTrail", "covers"),
            ("DeleteTrail Root", "covers"),
            ("?DeleteTrail ?CreateTrail", "covers"),
            ("?CreateTrail DeleteTrail", "covers"),
            ("CreateTrail", "unclear"),
            ("DeleteTrail -Root", "unclear"),
            ("%DeleteTrail%", "unclear"),
            ("[ip, user, eventName = DeleteTrail]", "unclear"),
            ("{ $.eventName = DeleteTrail", "error"),
            ("{ $.eventName }", "error"),
            ("{ $.eventName = }", "error"),
            ("{ eventName = x }", "error"),
            ("{ $.eventName = \"x }", "error"),
            ("{ $.eventName = a b }", "error"),
            ("{ $.eventName IS NOT NULL }", "error"),
            ("{ }", "error"),
        ] {
            assert_eq!(answer(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn a_flood_of_parentheses_is_an_error() {
        assert_eq!(answer(&format!("{{{}", "(".repeat(8000))), "error");
        assert_eq!(answer(&format!("{{{}$.a=b{}}}", "(".repeat(100), ")".repeat(100))), "error");
        assert_eq!(answer(&"x".repeat(LONGEST + 1)), "error");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!("{{{text}}}"));
        }

        #[test]
        fn no_mixture_of_its_own_signs_makes_the_parser_panic(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "(", ")", "$", ".a", "[", "]", "[*]", "['", "'", "\"", "\\", "%", "=", "!=", "<", "&&", "||",
                "NOT", "EXISTS", "IS", "NULL", " ", "é", "*", "1e", "?", "-", ",",
            ]), 0..40)
        ) {
            if let Ok(formula) = parse(&format!("{{ {} }}", parts.concat())) {
                let _ = formula.covers(&record());
            }
            let _ = parse(&parts.concat());
        }
    }
}
