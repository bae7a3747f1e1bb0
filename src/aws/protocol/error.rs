//! What can be wrong with a request's parameters or with an answer, and where.

use super::ServiceError;
use serde_json::Value;
use std::fmt;

/// Where in a document something is, from the inside out: `Reservations[0].Instances[2].State`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'p> {
    /// The document itself.
    Root,
    /// A member of what is at the inner path, or a key of a map.
    Member(&'p Path<'p>, &'p str),
    /// An element of the list at the inner path.
    Element(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(Path::Root, name) => f.write_str(name),
            Path::Member(parent, name) => write!(f, "{parent}.{name}"),
            Path::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    /// The path as text; `the document` for the document itself.
    fn text(&self) -> String {
        match self {
            Path::Root => "the document".into(),
            path => path.to_string(),
        }
    }
}

/// Why a request cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerializeError {
    /// The operation has no such parameter.
    #[error("{path} is not a parameter of the operation")]
    Unknown {
        /// The parameter.
        path: String,
    },
    /// A parameter that is needed to address the request is not given, or is empty.
    #[error("{path} must be given")]
    Missing {
        /// The parameter.
        path: String,
    },
    /// A parameter is of another type, or not written as its type is.
    #[error("{path} must be {expected}, not {found}")]
    Type {
        /// The parameter.
        path: String,
        /// What it must be.
        expected: &'static str,
        /// What was given: a kind of JSON value, never the value itself.
        found: &'static str,
    },
    /// The model refers to a shape that it lacks.
    #[error("the API model has no shape {shape}, which {path} is of")]
    Model {
        /// The parameter.
        path: String,
        /// The shape.
        shape: String,
    },
}

impl SerializeError {
    pub(super) fn unknown(path: &Path<'_>, name: &str) -> Self {
        SerializeError::Unknown { path: Path::Member(path, name).to_string() }
    }

    pub(super) fn missing(name: &str) -> Self {
        SerializeError::Missing { path: name.to_owned() }
    }

    pub(super) fn wrong_type(path: &Path<'_>, expected: &'static str, found: &Value) -> Self {
        SerializeError::Type { path: path.text(), expected, found: kind_of(found) }
    }

    pub(super) fn not_a_host_label(name: &str) -> Self {
        let expected = "letters, digits, hyphens and dots, for it is part of the host name";
        SerializeError::Type { path: name.to_owned(), expected, found: "other text, or none" }
    }

    pub(super) fn not_a_header(path: &Path<'_>) -> Self {
        let expected = "text without control characters, for it is sent in a header";
        SerializeError::Type { path: path.text(), expected, found: "text with some" }
    }

    pub(super) fn no_shape(path: &Path<'_>, shape: &str) -> Self {
        SerializeError::Model { path: path.text(), shape: shape.to_owned() }
    }
}

/// Why an answer cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ParseError {
    /// The body is not in the format of the protocol, or is cut off.
    #[error("the answer is not readable as {format}: {reason}")]
    Syntax {
        /// `JSON` or `XML`.
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// A member is not what the model says.
    #[error("in the answer {path} should be {expected}, and is {found}")]
    Type {
        /// The member.
        path: String,
        /// What it should be.
        expected: &'static str,
        /// What it is: a kind of value, never the value itself.
        found: &'static str,
    },
    /// The answer carries an error though its HTTP status says success.
    #[error("the answer has a status of success and carries the error {}: {}", .0.code, .0.message)]
    Disguised(Box<ServiceError>),
    /// The model refers to a shape that it lacks.
    #[error("the API model has no shape {shape}, which {path} is of")]
    Model {
        /// The member.
        path: String,
        /// The shape.
        shape: String,
    },
}

impl ParseError {
    pub(super) fn json(error: &serde_json::Error) -> Self {
        // The parser's message has line and column, and no content.
        ParseError::Syntax { format: "JSON", reason: error.to_string() }
    }

    pub(super) fn xml(reason: impl Into<String>) -> Self {
        ParseError::Syntax { format: "XML", reason: reason.into() }
    }

    pub(super) fn wrong_type(path: &Path<'_>, expected: &'static str, found: &Value) -> Self {
        ParseError::found(path, expected, kind_of(found))
    }

    pub(super) fn found(path: &Path<'_>, expected: &'static str, found: &'static str) -> Self {
        ParseError::Type { path: path.text(), expected, found }
    }

    pub(super) fn no_shape(path: &Path<'_>, shape: &str) -> Self {
        ParseError::Model { path: path.text(), shape: shape.to_owned() }
    }
}

/// What a value is, in a word; never what it says, for it may be a secret.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "other text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
