//! Patterns of policies: `*` for any text, `?` for one character, `${…}` for a policy variable. Answers whether a
//! pattern matches a text, whether it covers another pattern, and whether two have a text in common, each in time
//! bounded by the product of the lengths: a hostile pattern must never hang the scan.

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// Any one character.
    One,
    /// Any text, also none.
    Many,
    /// Whatever the policy variable holds at the time of the request: one text, not known here.
    Variable(String),
}

/// A pattern, with the text that it was written as.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.tokens == other.tokens
    }
}

impl Pattern {
    /// A pattern in which case matters and `${…}` is a variable (resources, from policy version 2012-10-17 on).
    pub(crate) fn with_variables(text: &str) -> Self {
        Pattern { text: text.to_string(), tokens: tokenize(text, true) }
    }

    /// A pattern in which case matters and `${` has no meaning (resources of older policies).
    pub(crate) fn plain(text: &str) -> Self {
        Pattern { text: text.to_string(), tokens: tokenize(text, false) }
    }

    /// The pattern of an action: case does not matter, and there are no variables. No action is without a name, so
    /// `s3:?*` is `s3:*`.
    pub(crate) fn action(text: &str) -> Self {
        let mut tokens = tokenize(&text.to_ascii_lowercase(), false);
        if tokens.ends_with(&[Token::Char(':'), Token::One, Token::Many]) {
            tokens.remove(tokens.len() - 2);
        }
        Pattern { text: text.to_string(), tokens }
    }

    /// A pattern of characters and, as `None`, places for any text.
    pub(crate) fn of_parts(parts: impl Iterator<Item = Option<char>>) -> Self {
        let tokens: Vec<Token> = parts.map(|c| c.map_or(Token::Many, Token::Char)).collect();
        let text = tokens.iter().map(|t| if let Token::Char(c) = t { *c } else { '*' }).collect();
        Pattern { text, tokens }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// Whether it matches every text that `other` matches. May miss a cover between two patterns with wildcards in
    /// different places; never claims one that is not.
    pub(crate) fn covers(&self, other: &Pattern) -> bool {
        let (pattern, text) = (&self.tokens, &other.tokens);
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(Token::Many) => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(token) if stands_for(token, &text[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((at, from)) => {
                        star = Some((at, from + 1));
                        p = at + 1;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|token| *token == Token::Many)
    }

    /// Whether some text is matched by both. Errs on the side of yes where variables are involved.
    pub(crate) fn overlaps(&self, other: &Pattern) -> bool {
        let (a, b) = (&self.tokens, &other.tokens);
        // reach[j]: the part of `a` read so far and b[..j] have a text in common.
        let mut reach = vec![false; b.len() + 1];
        reach[0] = true;
        for j in 0..b.len() {
            reach[j + 1] = reach[j] && is_flexible(&b[j]);
        }
        for token in a {
            let mut next = vec![false; b.len() + 1];
            next[0] = reach[0] && is_flexible(token);
            for j in 0..b.len() {
                next[j + 1] = if is_flexible(token) || is_flexible(&b[j]) {
                    reach[j + 1] || next[j]
                } else {
                    reach[j] && meets(token, &b[j])
                };
            }
            reach = next;
        }
        reach[b.len()]
    }
}

/// Whether `token` of a covering pattern accepts one piece of the covered pattern.
fn stands_for(token: &Token, piece: &Token) -> bool {
    match (token, piece) {
        (Token::Char(a), Token::Char(b)) => a == b,
        (Token::One, Token::Char(_) | Token::One) => true,
        (Token::Variable(a), Token::Variable(b)) => a == b,
        _ => false,
    }
}

/// Whether two single-character pieces have a character in common.
fn meets(a: &Token, b: &Token) -> bool {
    match (a, b) {
        (Token::Char(x), Token::Char(y)) => x == y,
        _ => true,
    }
}

/// Whether the piece stands for text of any length.
fn is_flexible(token: &Token) -> bool {
    matches!(token, Token::Many | Token::Variable(_))
}

fn tokenize(text: &str, variables: bool) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables
            && let Some(body) = rest.strip_prefix("${")
            && let Some((name, after)) = body.split_once('}')
        {
            tokens.push(match name {
                "*" => Token::Char('*'),
                "?" => Token::Char('?'),
                "$" => Token::Char('$'),
                _ => Token::Variable(name.to_string()),
            });
            rest = after;
            continue;
        }
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            _ => Token::Char(c),
        });
        rest = &rest[c.len_utf8()..];
    }
    canonical(tokens)
}

/// In a run of wildcards, the single characters first and at most one `*` behind: `*?*` and `?*` are the same.
fn canonical(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match (out.last(), &token) {
            (Some(Token::Many), Token::Many) => {}
            (Some(Token::Many), Token::One) => {
                out.pop();
                out.extend([Token::One, Token::Many]);
            }
            _ => out.push(token),
        }
    }
    out
}

/// Whether a text has a wildcard or a policy variable in it: not a fixed value in the sense of Amazon S3's
/// "The meaning of public".
pub(crate) fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn p(text: &str) -> Pattern {
        Pattern::with_variables(text)
    }

    #[test]
    fn patterns_cover_what_they_match() {
        for (wide, narrow) in [
            ("*", "s3:GetObject"),
            ("s3:*", "s3:Get*"),
            ("s3:Get*", "s3:GetObject"),
            ("s3:*Object", "s3:Get*Object"),
            ("a?c", "abc"),
            ("*?", "?*"),
            ("?*", "*?*"),
            ("arn:aws:s3:::b*", "arn:aws:s3:::b/*"),
            ("${aws:username}", "${aws:username}"),
            ("*", "${aws:username}"),
            ("a${*}b", "a${*}b"),
        ] {
            assert!(p(wide).covers(&p(narrow)), "{wide} covers {narrow}");
        }
    }

    #[test]
    fn patterns_do_not_cover_more_than_they_match() {
        for (narrow, wide) in [
            ("s3:Get*", "s3:*"),
            ("a?c", "a*c"),
            ("a", "?"),
            ("", "*"),
            ("abc", "ab"),
            ("ab", "abc"),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b"),
            ("x", "${aws:username}"),
            ("?", "${aws:username}"),
            ("a${*}b", "a*b"),
        ] {
            assert!(!p(narrow).covers(&p(wide)), "{narrow} does not cover {wide}");
        }
    }

    #[test]
    fn overlap_means_a_text_in_common() {
        for (a, b, expected) in [
            ("s3:Get*", "s3:*Object", true),
            ("s3:Get*", "s3:Put*", false),
            ("a*", "*b", true),
            ("a?", "?b", true),
            ("a?", "a", false),
            ("", "*", true),
            ("", "?", false),
            ("${aws:username}x", "bob*", true),
        ] {
            assert_eq!(p(a).overlaps(&p(b)), expected, "{a} / {b}");
            assert_eq!(p(b).overlaps(&p(a)), expected, "{b} / {a}");
        }
    }

    #[test]
    fn actions_ignore_case() {
        assert!(Pattern::action("S3:getobject*").covers(&Pattern::action("s3:GetObjectAcl")));
        assert_eq!(Pattern::action("S3:Get*").text(), "S3:Get*");
        assert!(Pattern::action("s3:?*").covers(&Pattern::action("s3:*")));
        assert!(!Pattern::action("s3:??*").covers(&Pattern::action("s3:*")));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let hostile = p(&"*a".repeat(10_000));
        let text = p(&"a".repeat(9_999));
        assert!(!hostile.covers(&text));
        assert!(p(&"a*".repeat(5_000)).overlaps(&p(&"*a".repeat(5_000))));
    }

    /// The obvious recursive matcher.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.first() {
            None => text.is_empty(),
            Some('*') => (0..=text.len()).any(|n| naive(&pattern[1..], &text[n..])),
            Some('?') => !text.is_empty() && naive(&pattern[1..], &text[1..]),
            Some(c) => text.first() == Some(c) && naive(&pattern[1..], &text[1..]),
        }
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    proptest! {
        #[test]
        fn matching_equals_the_naive_reference(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(p(&pattern).covers(&p(&text)), naive(&chars(&pattern), &chars(&text)));
            prop_assert_eq!(p(&pattern).overlaps(&p(&text)), naive(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn a_cover_matches_all_that_the_covered_matches(a in "[ab*?]{0,6}", b in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            let matched = |x: &str| naive(&chars(x), &chars(&text));
            if p(&a).covers(&p(&b)) && matched(&b) {
                prop_assert!(matched(&a));
            }
            if matched(&a) && matched(&b) {
                prop_assert!(p(&a).overlaps(&p(&b)));
            }
        }
    }
}
