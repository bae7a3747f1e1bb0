//! What AWS configuration means: who a policy lets in, which addresses and ports a rule opens, whether a bucket
//! is public. Pure functions over `serde_json::Value`s in the form that boto3 shows; they know no rule, and must
//! never read a clock, the environment or the network.
//!
//! Every answer is three-valued: [`Answer::Known`], or [`Answer::Unknown`] with one sentence that says what was
//! not read or not understood. An answer that does not depend on the unknown part is known. The rules of each
//! answer, with their sources, are in `docs/semantics.md`.

pub mod address;
pub mod alarm;
pub mod network;
pub mod policy;
pub mod s3;
pub mod trail;

use serde_json::Value;

/// An answer that may not be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It follows from what was read.
    Known(T),
    /// It does not; one sentence, without a full stop, says what is not read or not understood.
    Unknown(String),
}

impl<T> Answer<T> {
    /// The answer, where it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Answer::Known(value) => Some(value),
            Answer::Unknown(_) => None,
        }
    }

    /// The answer, where it is known, without taking it.
    pub(crate) fn as_known(&self) -> Option<&T> {
        match self {
            Answer::Known(value) => Some(value),
            Answer::Unknown(_) => None,
        }
    }

    /// The sentence, where it is not known.
    pub fn doubt(&self) -> Option<&str> {
        match self {
            Answer::Known(_) => None,
            Answer::Unknown(why) => Some(why),
        }
    }

    /// Applies `f` to a known answer.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Answer::Known(value) => Answer::Known(f(value)),
            Answer::Unknown(why) => Answer::Unknown(why),
        }
    }

    /// Goes on with `f` from a known answer.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Answer::Known(value) => f(value),
            Answer::Unknown(why) => Answer::Unknown(why),
        }
    }
}

impl Answer<bool> {
    /// Kleene's or: true as soon as one side is true.
    pub fn or(self, other: Answer<bool>) -> Answer<bool> {
        match (self, other) {
            (Answer::Known(true), _) | (_, Answer::Known(true)) => Answer::Known(true),
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
            _ => Answer::Known(false),
        }
    }

    /// Kleene's and: false as soon as one side is false.
    pub fn and(self, other: Answer<bool>) -> Answer<bool> {
        match (self, other) {
            (Answer::Known(false), _) | (_, Answer::Known(false)) => Answer::Known(false),
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
            _ => Answer::Known(true),
        }
    }
}

/// A part of a resource as it was observed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input<'a> {
    /// Read, and it has this value.
    Known(&'a Value),
    /// Read, and it is not there.
    Absent,
    /// Could not be read.
    Unknown,
}

impl<'a> Input<'a> {
    /// A value that was read. `null` and the empty string mean absent: a service that keeps a policy in a string
    /// attribute (SQS, SNS) shows "no policy" so.
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Input::Absent,
            Value::String(text) if text.trim().is_empty() => Input::Absent,
            _ => Input::Known(value),
        }
    }

    /// The member `name` of a known object; absent where it is missing.
    pub(crate) fn member(self, name: &str) -> Input<'a> {
        match self {
            Input::Known(value) => value.get(name).map_or(Input::Absent, Input::of),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_decides_nothing_that_the_other_side_decides() {
        let doubt = || Answer::Unknown("x".to_string());
        assert_eq!(doubt().or(Answer::Known(true)), Answer::Known(true));
        assert_eq!(doubt().and(Answer::Known(false)), Answer::Known(false));
        assert_eq!(doubt().or(Answer::Known(false)), doubt());
        assert_eq!(doubt().and(Answer::Known(true)), doubt());
    }

    #[test]
    fn an_empty_policy_attribute_is_absent() {
        assert_eq!(Input::of(&Value::Null), Input::Absent);
        assert_eq!(Input::of(&Value::String(" ".into())), Input::Absent);
    }
}
