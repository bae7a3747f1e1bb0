//! Conditions on CloudTrail records, and whether they hold for every record of a kind. A record is symbolic: some
//! members have a known value, some are known to be absent, the others can be anything. "Covers" must never be said
//! of a condition that one such record escapes, nor of one that is not understood.

use crate::semantics::policy::matching::Pattern;
use std::collections::BTreeMap;

/// A condition on a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// All of these hold.
    All(Vec<Formula>),
    /// One of these holds; none does where there are none.
    Any(Vec<Formula>),
    /// A member, by its path (`userIdentity.type`), passes the test.
    Member(String, Test),
    /// A word stands somewhere in the record.
    Word(String),
    /// Not understood, and why.
    Unclear(String),
}

/// What is asked of a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is a text that matches.
    Like(Glob),
    /// It is not a text that matches.
    Unlike(Glob),
    /// It is a number that stands so to this one.
    Number(Order, f64),
    /// It is the boolean.
    Is(bool),
    /// It is `null`.
    Null,
    /// It is there.
    Present,
    /// It is not there.
    Missing,
    /// Not understood, and why.
    Unclear(String),
}

/// How two numbers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A text in which some places stand for any text.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob {
    pattern: Pattern,
    /// Whether case does not matter.
    fold: bool,
    /// Without its wildcards, a text that it matches.
    sample: String,
    /// With something of ours for each wildcard, another.
    filled: String,
    /// Whether it has wildcards.
    wild: bool,
}

impl Glob {
    /// A text as it stands.
    pub fn literal(text: &str) -> Self {
        Self::of(text.chars().map(Some), false)
    }

    /// A text in which every `*` is any text.
    pub fn stars(text: &str) -> Self {
        Self::of(text.chars().map(|c| (c != '*').then_some(c)), false)
    }

    /// Of characters and, as `None`, places for any text.
    pub fn of(parts: impl Iterator<Item = Option<char>>, fold: bool) -> Self {
        let parts: Vec<Option<char>> = match fold {
            true => parts.map(|c| c.map(|c| c.to_ascii_lowercase())).collect(),
            false => parts.collect(),
        };
        let sample = parts.iter().flatten().collect();
        let filled = parts.iter().map(|c| c.map_or_else(|| "soc2scan".to_owned(), String::from)).collect();
        let wild = parts.contains(&None);
        Glob { pattern: Pattern::of_parts(parts.into_iter()), fold, sample, filled, wild }
    }

    fn matches(&self, text: &str) -> bool {
        let folded = if self.fold { text.to_ascii_lowercase() } else { text.to_owned() };
        self.pattern.covers(&Glob::literal(&folded).pattern)
    }
}

/// What is known of a member of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// This text.
    Is(String),
    /// This boolean.
    Flag(bool),
    /// It is not there.
    Absent,
    /// There, a text of this form, but none of those.
    Text(Glob, Vec<&'static str>),
    /// A number, no less than this one.
    AtLeast(f64),
    /// This number.
    Number(f64),
    /// Anything; it may also be absent.
    Open,
}

/// A kind of record that must be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it is called in sentences.
    pub label: String,
    /// What is known of its members, by path.
    pub members: BTreeMap<String, Domain>,
}

/// Whether a condition holds for every record of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// For every one.
    Yes,
    /// At least one escapes.
    No,
    /// It cannot be said, and why.
    Unclear(String),
}

/// What a condition says of all records of a kind.
enum Truth {
    Always,
    Never,
    /// There is a record for which it does not hold.
    NotAlways,
    Unclear(String),
}

/// Chooses a value for a member that can be anything, by the texts that it is compared with; none leaves it out.
type Choice = fn(&[&Glob]) -> Option<String>;

impl Formula {
    /// Whether every record of the kind passes.
    pub fn covers(&self, record: &Record) -> Cover {
        match self.truth(record) {
            Truth::Always => Cover::Yes,
            Truth::Never | Truth::NotAlways => Cover::No,
            Truth::Unclear(why) => match self.escapes(record) {
                true => Cover::No,
                false => Cover::Unclear(why),
            },
        }
    }

    fn truth(&self, record: &Record) -> Truth {
        match self {
            Formula::All(parts) => {
                let (mut not_always, mut unclear) = (false, None);
                for part in parts {
                    match part.truth(record) {
                        Truth::Always => {}
                        Truth::Never => return Truth::Never,
                        Truth::NotAlways => not_always = true,
                        Truth::Unclear(why) => unclear = unclear.or(Some(why)),
                    }
                }
                match (not_always, unclear) {
                    (true, _) => Truth::NotAlways,
                    (false, Some(why)) => Truth::Unclear(why),
                    (false, None) => Truth::Always,
                }
            }
            Formula::Any(parts) => {
                let (mut not_always, mut unclear) = (0, None);
                for part in parts {
                    match part.truth(record) {
                        Truth::Always => return Truth::Always,
                        Truth::Never => {}
                        Truth::NotAlways => not_always += 1,
                        Truth::Unclear(why) => unclear = unclear.or(Some(why)),
                    }
                }
                // Two alternatives, each with its own exceptions, may leave no exception together.
                match (not_always, unclear) {
                    (0, None) => Truth::Never,
                    (1, None) => Truth::NotAlways,
                    (_, Some(why)) => Truth::Unclear(why),
                    (_, None) => Truth::Unclear("alternatives that each leave something out".into()),
                }
            }
            Formula::Member(path, test) => test.truth(&record.domain(path)),
            Formula::Word(word) => match record.members.values().any(|d| matches!(d, Domain::Is(text) if text == word))
            {
                true => Truth::Always,
                false => Truth::Unclear(format!("whether the word '{word}' stands in the record")),
            },
            Formula::Unclear(why) => Truth::Unclear(why.clone()),
        }
    }

    /// Whether one of a few records of the kind certainly does not pass.
    fn escapes(&self, record: &Record) -> bool {
        let mut asked = Vec::new();
        self.tests(&mut asked);
        let pick: [Choice; 4] = [
            |_| Some("soc2scan".into()),
            |_| None,
            |globs| globs.first().map(|g| g.sample.clone()),
            |globs| globs.last().map(|g| g.sample.clone()),
        ];
        pick.iter().any(|pick| {
            let mut witness = record.clone();
            for (path, _) in &asked {
                let globs: Vec<&Glob> =
                    asked.iter().filter(|(p, _)| p == path).filter_map(|(_, test)| test.glob()).collect();
                let value = match record.domain(path) {
                    Domain::AtLeast(least) => Domain::Number(least + 0.05),
                    Domain::Open => pick(&globs).map_or(Domain::Absent, Domain::Is),
                    Domain::Text(form, except) => {
                        let fits = |t: &String| form.matches(t) && !except.contains(&t.as_str());
                        let filled = || Some(form.filled.clone());
                        Domain::Is(pick(&globs).filter(fits).or_else(|| filled().filter(fits)).unwrap_or_default())
                    }
                    _ => continue,
                };
                if matches!(&value, Domain::Is(text) if text.is_empty()) {
                    continue;
                }
                witness.members.insert((*path).to_owned(), value);
            }
            matches!(self.truth(&witness), Truth::Never)
        })
    }

    fn tests<'f>(&'f self, into: &mut Vec<(&'f str, &'f Test)>) {
        match self {
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| part.tests(into)),
            Formula::Member(path, test) => into.push((path, test)),
            Formula::Word(_) | Formula::Unclear(_) => {}
        }
    }
}

impl Record {
    /// What is known of a member. Below a text or an absent member there is nothing; what has members itself is no
    /// text.
    fn domain(&self, path: &str) -> Domain {
        if let Some(domain) = self.members.get(path) {
            return domain.clone();
        }
        let ends = path.char_indices().filter(|(_, c)| *c == '.' || *c == '[').map(|(at, _)| &path[..at]);
        let above = ends.filter_map(|p| self.members.get(p)).next();
        match above {
            Some(Domain::Open) | None => Domain::Open,
            Some(_) => Domain::Absent,
        }
    }
}

impl Test {
    fn glob(&self) -> Option<&Glob> {
        match self {
            Test::Like(glob) | Test::Unlike(glob) => Some(glob),
            _ => None,
        }
    }

    fn truth(&self, domain: &Domain) -> Truth {
        let known = |holds| if holds { Truth::Always } else { Truth::Never };
        let unclear = |why: &str| Truth::Unclear(why.to_owned());
        match (self, domain) {
            (Test::Unclear(why), _) => Truth::Unclear(why.clone()),
            (Test::Present, Domain::Absent) => Truth::Never,
            (Test::Missing, Domain::Absent) => Truth::Always,
            (_, Domain::Open) => Truth::NotAlways,
            (Test::Present, _) => Truth::Always,
            (Test::Missing, _) => Truth::Never,
            (Test::Number(order, n), Domain::Number(value)) => known(order.holds(*value, *n)),
            (Test::Number(order, n), Domain::AtLeast(least)) => order.of_all_from(*least, *n),
            (Test::Like(_) | Test::Is(_) | Test::Null, Domain::Number(_) | Domain::AtLeast(_)) => Truth::Never,
            (Test::Unlike(_), Domain::Number(_) | Domain::AtLeast(_)) => unclear("a number where a text is asked for"),
            (Test::Like(glob), Domain::Is(text)) => known(glob.matches(text)),
            (Test::Unlike(glob), Domain::Is(text)) => known(!glob.matches(text)),
            (Test::Like(glob), Domain::Text(form, except)) => match of_form(glob, form, except) {
                Share::All => Truth::Always,
                Share::None => Truth::Never,
                Share::Part => Truth::NotAlways,
                Share::Unclear => unclear("two forms of text with wildcards"),
            },
            (Test::Unlike(glob), Domain::Text(form, except)) => match of_form(glob, form, except) {
                Share::All => Truth::Never,
                Share::None => Truth::Always,
                Share::Part => Truth::NotAlways,
                Share::Unclear => unclear("two forms of text with wildcards"),
            },
            (Test::Unlike(_) | Test::Number(Order::NotEqual, _), Domain::Absent) => {
                unclear("AWS does not document what `!=` says of a member that is absent")
            }
            (Test::Like(_) | Test::Number(..) | Test::Is(_), Domain::Absent) => Truth::Never,
            (Test::Null, Domain::Absent) => {
                unclear("AWS does not document what IS NULL says of a member that is absent")
            }
            (Test::Null, _) => Truth::Never,
            (Test::Is(wanted), Domain::Flag(flag)) => known(wanted == flag),
            (Test::Is(_), Domain::Is(text)) if !["true", "false"].contains(&text.as_str()) => Truth::Never,
            (Test::Is(_), _) => unclear("a text where a boolean is asked for"),
            (Test::Like(glob), Domain::Flag(_)) if !glob.matches("true") && !glob.matches("false") => Truth::Never,
            (Test::Like(_) | Test::Unlike(_), Domain::Flag(_)) => unclear("a boolean where a text is asked for"),
            (Test::Number(Order::Equal, _), Domain::Is(text)) if text.parse::<f64>().is_err() => Truth::Never,
            (Test::Number(..), _) => unclear("a text where a number is asked for"),
        }
    }
}

impl Order {
    fn holds(self, value: f64, n: f64) -> bool {
        match self {
            Order::Equal => value == n,
            Order::NotEqual => value != n,
            Order::Less => value < n,
            Order::LessOrEqual => value <= n,
            Order::Greater => value > n,
            Order::GreaterOrEqual => value >= n,
        }
    }

    /// Whether it holds for the numbers from `least` up, of which there may be any.
    fn of_all_from(self, least: f64, n: f64) -> Truth {
        match self {
            Order::Equal | Order::LessOrEqual if n < least => Truth::Never,
            Order::Less if n <= least => Truth::Never,
            Order::NotEqual | Order::Greater if n < least => Truth::Always,
            Order::GreaterOrEqual if n <= least => Truth::Always,
            _ => Truth::NotAlways,
        }
    }
}

/// How many of the texts of a form a glob matches.
enum Share {
    All,
    None,
    Part,
    Unclear,
}

fn of_form(glob: &Glob, form: &Glob, except: &[&str]) -> Share {
    let literal_exception = !glob.wild && except.iter().any(|e| glob.matches(e));
    if glob.fold {
        // The form is written with case; only a glob without letters outside its wildcards is sure to cover it.
        return match glob.sample.is_empty() && glob.wild {
            true => Share::All,
            false => Share::Unclear,
        };
    }
    match () {
        () if glob.pattern.covers(&form.pattern) => Share::All,
        () if literal_exception || !glob.pattern.overlaps(&form.pattern) => Share::None,
        () if !glob.wild => Share::Part,
        () => Share::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(members: &[(&str, Domain)]) -> Record {
        Record {
            label: "r".into(),
            members: members.iter().map(|(path, domain)| ((*path).to_owned(), domain.clone())).collect(),
        }
    }

    fn member(test: Test) -> Formula {
        Formula::Member("a".into(), test)
    }

    /// Rows: a comparison. Columns: all numbers from 7, 7, 8.
    #[test]
    fn the_truth_table_of_comparisons_and_numbers() {
        let columns = [Domain::AtLeast(7.0), Domain::Number(7.0), Domain::Number(8.0)];
        let rows = [
            (Test::Number(Order::Equal, 7.0), "-+-"),
            (Test::Number(Order::Equal, 4.0), "---"),
            (Test::Number(Order::NotEqual, 4.0), "+++"),
            (Test::Number(Order::Less, 9.0), "-++"),
            (Test::Number(Order::LessOrEqual, 7.0), "-+-"),
            (Test::Number(Order::Greater, 7.0), "--+"),
            (Test::Number(Order::Greater, 6.9), "+++"),
            (Test::Number(Order::GreaterOrEqual, 7.0), "+++"),
            (Test::Number(Order::GreaterOrEqual, 8.0), "--+"),
            (Test::Like(Glob::literal("7")), "---"),
            (Test::Is(true), "---"),
            (Test::Present, "+++"),
            (Test::Missing, "---"),
        ];
        for (test, expected) in rows {
            let answers: String = columns
                .iter()
                .map(|domain| match member(test.clone()).covers(&record(&[("a", domain.clone())])) {
                    Cover::Yes => '+',
                    Cover::No => '-',
                    Cover::Unclear(_) => '?',
                })
                .collect();
            assert_eq!(answers, expected, "{test:?}");
        }
        // A list of severities, as they were in tenths once, misses what lies between.
        let tenths = (70..90).map(|n| member(Test::Number(Order::Equal, f64::from(n) / 10.0)));
        assert_eq!(Formula::Any(tenths.collect()).covers(&record(&[("a", Domain::AtLeast(7.0))])), Cover::No);
    }

    /// Rows: a test. Columns: text "x", text "true", boolean true, absent, a text `x*`, anything.
    #[test]
    fn the_truth_table_of_tests_and_members() {
        let columns = [
            Domain::Is("x".into()),
            Domain::Is("true".into()),
            Domain::Flag(true),
            Domain::Absent,
            Domain::Text(Glob::stars("x*"), vec!["xx"]),
            Domain::Open,
        ];
        let rows: Vec<(Test, &str)> = vec![
            (Test::Like(Glob::stars("x")), "+-----"),
            (Test::Like(Glob::stars("x*")), "+---+-"),
            (Test::Like(Glob::stars("*")), "++?-+-"),
            (Test::Like(Glob::literal("*")), "------"),
            (Test::Like(Glob::stars("y*")), "------"),
            (Test::Like(Glob::stars("xx")), "------"),
            (Test::Like(Glob::stars("true")), "-+?---"),
            (Test::Unlike(Glob::stars("x")), "-+??--"),
            (Test::Unlike(Glob::stars("y")), "++??+-"),
            (Test::Unlike(Glob::stars("xx")), "++??+-"),
            (Test::Unlike(Glob::stars("x*")), "-+??--"),
            (Test::Is(true), "-?+---"),
            (Test::Is(false), "-?----"),
            (Test::Null, "---?--"),
            (Test::Present, "+++-+-"),
            (Test::Missing, "---+--"),
            (Test::Number(Order::Equal, 1.0), "--?---"),
            (Test::Number(Order::NotEqual, 1.0), "?????-"),
            (Test::Number(Order::Less, 1.0), "???-?-"),
            (Test::Unclear("regex".into()), "??????"),
        ];
        for (test, expected) in rows {
            let answers: String = columns
                .iter()
                .map(|domain| match member(test.clone()).covers(&record(&[("a", domain.clone())])) {
                    Cover::Yes => '+',
                    Cover::No => '-',
                    Cover::Unclear(_) => '?',
                })
                .collect();
            assert_eq!(answers, expected, "{test:?}");
        }
    }

    #[test]
    fn a_doubt_decides_nothing_that_the_other_side_decides() {
        let doubt = || Formula::Unclear("a regular expression".into());
        let (yes, no) = (member(Test::Like(Glob::stars("x"))), member(Test::Like(Glob::stars("y"))));
        let x = record(&[("a", Domain::Is("x".into()))]);
        assert_eq!(Formula::Any(vec![doubt(), yes.clone()]).covers(&x), Cover::Yes);
        assert_eq!(Formula::All(vec![doubt(), no.clone()]).covers(&x), Cover::No);
        assert!(matches!(Formula::Any(vec![doubt(), no]).covers(&x), Cover::Unclear(_)));
        assert!(matches!(Formula::All(vec![doubt(), yes]).covers(&x), Cover::Unclear(_)));
    }

    #[test]
    fn alternatives_that_leave_something_out_together_are_seen_by_an_example() {
        let region = |glob| Formula::Member("awsRegion".into(), Test::Like(Glob::stars(glob)));
        let anywhere = record(&[("awsRegion", Domain::Text(Glob::stars("*"), vec![]))]);
        assert_eq!(Formula::Any(vec![region("us-east-1"), region("us-west-2")]).covers(&anywhere), Cover::No);
        let not = Formula::Member("awsRegion".into(), Test::Unlike(Glob::stars("us-east-1")));
        assert!(matches!(Formula::Any(vec![region("us-east-1"), not]).covers(&anywhere), Cover::Unclear(_)));
    }

    #[test]
    fn nothing_is_below_an_absent_member() {
        let r = record(&[("userIdentity.sessionContext", Domain::Absent)]);
        let below = |test| Formula::Member("userIdentity.sessionContext.attributes.mfaAuthenticated".into(), test);
        assert_eq!(below(Test::Missing).covers(&r), Cover::Yes);
        assert_eq!(below(Test::Like(Glob::stars("true"))).covers(&r), Cover::No);
        assert!(matches!(below(Test::Unlike(Glob::stars("true"))).covers(&r), Cover::Unclear(_)));
    }

    #[test]
    fn case_matters_unless_it_is_folded() {
        let x = record(&[("a", Domain::Is("Root".into()))]);
        assert_eq!(member(Test::Like(Glob::literal("root"))).covers(&x), Cover::No);
        assert_eq!(member(Test::Like(Glob::of("ROOT".chars().map(Some), true))).covers(&x), Cover::Yes);
    }
}
