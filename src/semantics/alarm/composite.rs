//! Rules of composite alarms (`ALARM("a") AND NOT ALARM(b)`). Source: Amazon CloudWatch API Reference,
//! "PutCompositeAlarm". A composite follows an alarm only if its rule is certainly true whenever that alarm is in alarm.

use super::chain::{Item, Parts};
use std::collections::BTreeSet;

/// How deeply a rule may nest.
const DEEPEST: usize = 64;

/// The composite alarms that go into alarm whenever `alarm` does, and sentences on those of which that is not known. One
/// that is in alarm while `alarm` is not has no change of state to tell of.
pub(super) fn following<'p, 'a>(alarm: &Item<'a>, parts: &'p Parts<'a>) -> (Vec<&'p Item<'a>>, Vec<String>) {
    let here: Vec<&Item<'a>> = parts.composites.all.iter().filter(|c| c.region == alarm.region).collect();
    let mut on: BTreeSet<&str> = BTreeSet::from([alarm.name, alarm.arn]);
    let mut with: Vec<&Item<'a>> = Vec::new();
    let in_state = |c: &Item<'a>, on: &BTreeSet<&str>, state| truth(c.text("AlarmRule"), on, state);
    let goes_with = |c: &Item<'a>, on: &BTreeSet<&str>| {
        in_state(c, on, State::Alarm) == Some(Three::True)
            && [State::Ok, State::InsufficientData].iter().all(|s| in_state(c, on, *s) != Some(Three::True))
    };
    loop {
        let next = here.iter().find(|c| !with.iter().any(|w| w.arn == c.arn) && goes_with(c, &on));
        let Some(next) = next else { break };
        with.push(next);
        on.extend([next.name, next.arn]);
    }
    let names_it = |c: &&&Item<'_>| c.text("AlarmRule").contains(alarm.name);
    let doubtful = |c: &&&Item<'a>| {
        let ok = in_state(c, &on, State::Ok);
        // An alarm without data may be in either state before an event.
        let by_data = in_state(c, &on, State::Alarm) == Some(Three::True)
            && ok != Some(Three::True)
            && in_state(c, &on, State::InsufficientData) == Some(Three::True);
        ok.is_none() || by_data
    };
    let doubts = here.iter().filter(names_it).filter(doubtful);
    let doubts = doubts.map(|c| format!("the rule of composite alarm '{}'", c.name)).collect();
    (with, doubts)
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alarm,
    Ok,
    InsufficientData,
}

/// What a rule is while some alarms are in a state and nothing is known of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Three {
    True,
    False,
    Either,
}

/// None where the rule is not understood.
fn truth(rule: &str, on: &BTreeSet<&str>, state: State) -> Option<Three> {
    let mut reader = Reader { rest: rule, on, state };
    let value = reader.alternatives(0)?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Reader<'r> {
    rest: &'r str,
    on: &'r BTreeSet<&'r str>,
    state: State,
}

impl<'r> Reader<'r> {
    /// A word without regard to case, followed by something that is no part of a word.
    fn takes(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let rest = &self.rest[word.len()..];
        let ends = !word.ends_with(|c: char| c.is_alphanumeric())
            || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let found = head.eq_ignore_ascii_case(word) && ends;
        if found {
            self.rest = rest;
        }
        found
    }

    fn alternatives(&mut self, depth: usize) -> Option<Three> {
        let mut value = self.conditions(depth)?;
        while self.takes("OR") {
            value = match (value, self.conditions(depth)?) {
                (Three::True, _) | (_, Three::True) => Three::True,
                (Three::False, Three::False) => Three::False,
                _ => Three::Either,
            };
        }
        Some(value)
    }

    fn conditions(&mut self, depth: usize) -> Option<Three> {
        let mut value = self.condition(depth)?;
        while self.takes("AND") {
            value = match (value, self.condition(depth)?) {
                (Three::False, _) | (_, Three::False) => Three::False,
                (Three::True, Three::True) => Three::True,
                _ => Three::Either,
            };
        }
        Some(value)
    }

    fn condition(&mut self, depth: usize) -> Option<Three> {
        if depth > DEEPEST {
            return None;
        }
        if self.takes("NOT") {
            return Some(match self.condition(depth + 1)? {
                Three::True => Three::False,
                Three::False => Three::True,
                Three::Either => Three::Either,
            });
        }
        if self.takes("(") {
            let inner = self.alternatives(depth + 1)?;
            return self.takes(")").then_some(inner);
        }
        let states = [("ALARM", State::Alarm), ("OK", State::Ok), ("INSUFFICIENT_DATA", State::InsufficientData)];
        for (word, state) in states {
            if self.takes(word) {
                let name = self.argument()?;
                return Some(match (self.on.contains(name), state == self.state) {
                    (true, true) => Three::True,
                    (true, false) => Three::False,
                    (false, _) => Three::Either,
                });
            }
        }
        match () {
            () if self.takes("TRUE") => Some(Three::True),
            () if self.takes("FALSE") => Some(Three::False),
            () => None,
        }
    }

    /// The alarm between parentheses, with quotes or without.
    fn argument(&mut self) -> Option<&'r str> {
        self.takes("(").then_some(())?;
        let text = self.rest.trim_start();
        let (name, rest) = match text.strip_prefix('"') {
            Some(quoted) => {
                let (name, rest) = quoted.split_once('"')?;
                (name, rest.trim_start().strip_prefix(')')?)
            }
            None => text.split_once(')')?,
        };
        self.rest = rest;
        Some(name.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rule_follows_an_alarm_only_if_that_alone_makes_it_true() {
        let on = BTreeSet::from(["a", "arn:a"]);
        for (rule, expected) in [
            ("ALARM(a)", Some(Three::True)),
            ("ALARM(\"a\")", Some(Three::True)),
            ("ALARM( \"arn:a\" )", Some(Three::True)),
            ("alarm(a) or alarm(b)", Some(Three::True)),
            ("ALARM(a) AND ALARM(b)", Some(Three::Either)),
            ("ALARM(a) AND NOT ALARM(b)", Some(Three::Either)),
            ("ALARM(b) OR (ALARM(c) AND ALARM(a))", Some(Three::Either)),
            ("ALARM(a) AND TRUE", Some(Three::True)),
            ("NOT ALARM(a)", Some(Three::False)),
            ("NOT OK(a)", Some(Three::True)),
            ("OK(a) OR ALARM(b)", Some(Three::Either)),
            ("INSUFFICIENT_DATA(a)", Some(Three::False)),
            ("AT_LEAST(1, ALARM, (a, b))", None),
            ("ALARM(a", None),
            ("ALARM(a) ALARM(b)", None),
            ("", None),
        ] {
            assert_eq!(truth(rule, &on, State::Alarm), expected, "{rule}");
        }
    }

    #[test]
    fn a_flood_of_parentheses_is_not_understood() {
        assert_eq!(truth(&"(".repeat(20_000), &BTreeSet::new(), State::Alarm), None);
        assert_eq!(truth(&"NOT ".repeat(20_000), &BTreeSet::new(), State::Alarm), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            let _ = truth(&text, &BTreeSet::new(), State::Alarm);
            let _ = truth(&format!("ALARM({text})"), &BTreeSet::new(), State::Alarm);
        }
    }
}
