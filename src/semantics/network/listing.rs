//! What was listed of one type of resource, as the network is put together from it: documents as boto3 shows them, with
//! the members that could not be read. It must never let an unread member pass for an absent one.

use crate::semantics::Input;
use serde_json::{Map, Value};

/// One listed resource.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its members.
    pub document: &'a Map<String, Value>,
    /// The members that could not be read, as paths.
    pub unread: Vec<&'a str>,
}

impl<'a> Item<'a> {
    /// A member: unknown where it, or a part of it, could not be read.
    pub(crate) fn member(&self, name: &str) -> Input<'a> {
        let is_unread = |path: &&str| path.split(['.', '[']).next() == Some(name);
        match self.document.get(name) {
            _ if self.unread.iter().any(is_unread) => Input::Unknown,
            Some(value) => Input::of(value),
            None => Input::Absent,
        }
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.document.get(name).and_then(Value::as_str)
    }

    /// The elements of a member that is a list.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.document.get(name).and_then(Value::as_array).into_iter().flatten()
    }
}

/// The resources of one type in one account and region.
#[derive(Clone, Debug, Default)]
pub struct Listing<'a> {
    /// Those that were read.
    pub items: Vec<Item<'a>>,
    /// Whether these are all.
    pub complete: bool,
}

impl<'a> Listing<'a> {
    /// A listing from a list of documents, all of them read; one that was not read where the list is unknown.
    pub fn of(list: Input<'a>) -> Self {
        let documents = match list {
            Input::Known(Value::Array(documents)) => documents,
            Input::Absent => return Listing { items: Vec::new(), complete: true },
            _ => return Listing::default(),
        };
        let items: Vec<Item<'a>> = documents
            .iter()
            .filter_map(Value::as_object)
            .map(|document| Item { document, unread: Vec::new() })
            .collect();
        Listing { complete: items.len() == documents.len(), items }
    }
}
