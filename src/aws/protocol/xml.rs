//! XML: the answers of awsQuery and ec2Query, and the bodies of restXml.
//!
//! Bodies are foreign bytes: no entities but the five of XML itself, no document type, bounded depth. Namespaces do
//! not matter; names are compared without prefixes.

use super::error::{ParseError, Path, SerializeError};
use super::json::check_union;
use super::{Codec, flattened_name, is_flattened, is_in_answer_body, scalar};
use crate::model::{Kind, Operation, Protocol, Shape, ShapeRef, TimestampFormat, XmlNamespace};
use percent_encoding::percent_decode_str;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// How deep elements may lie in one another; AWS's answers stay below 20. As deep as `serde_json` reads, about.
const MAX_DEPTH: usize = 100;

/// An element as read.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name without prefix.
    pub(super) name: String,
    /// Attributes by their names with prefix.
    attributes: Vec<(String, String)>,
    /// The elements in it.
    pub(super) children: Vec<Element>,
    /// All text directly in it.
    pub(super) text: String,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name; empty where there is none.
    pub(super) fn text_of(&self, name: &str) -> String {
        self.child(name).map(|child| child.text.trim().to_owned()).unwrap_or_default()
    }

    /// The attribute of that name. Prefixes are for the sender to choose, so the local name decides.
    fn attribute(&self, name: &str) -> Option<&str> {
        let local = |name: &'_ str| name.rsplit(':').next().map(str::to_owned);
        let wanted = local(name);
        self.attributes.iter().find(|(name, _)| local(name) == wanted).map(|(_, value)| value.as_str())
    }
}

/// The root element of a document.
pub(super) fn read_document(body: &[u8]) -> Result<Element, ParseError> {
    let text = std::str::from_utf8(body).map_err(|_| ParseError::xml("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|error| ParseError::xml(error.to_string()))? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(ParseError::xml(format!("elements lie deeper than {MAX_DEPTH} in one another")));
                }
                open.push(begin(&start)?);
            }
            Event::Empty(start) => close(begin(&start)?, &mut open, &mut root)?,
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| ParseError::xml("an element ends that did not begin"))?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(text) => push_text(&text.xml10_content(), &mut open)?,
            Event::CData(text) => push_text(&text.xml10_content(), &mut open)?,
            Event::GeneralRef(reference) => push_text(&resolved(&reference)?, &mut open)?,
            Event::DocType(_) => return Err(ParseError::xml("it declares a document type")),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        Some(_) | None => Err(ParseError::xml("it is cut off, or empty")),
    }
}

/// An element with its attributes, still empty.
fn begin(start: &BytesStart<'_>) -> Result<Element, ParseError> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| ParseError::xml(error.to_string()))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| ParseError::xml(error.to_string()))?;
        element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// Puts a finished element into the one around it, or makes it the root.
fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), ParseError> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_some() => return Err(ParseError::xml("it has several root elements")),
        None => *root = Some(element),
    }
    Ok(())
}

fn push_text(text: &str, open: &mut [Element]) -> Result<(), ParseError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(ParseError::xml("it has text outside of the root element")),
    }
    Ok(())
}

/// The text of a character reference, or of one of the five entities.
fn resolved(reference: &BytesRef<'_>) -> Result<String, ParseError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => match resolve_predefined_entity(reference) {
            Some(text) => Ok(text.to_owned()),
            None => Err(ParseError::xml("it refers to an entity that XML does not have")),
        },
        Err(error) => Err(ParseError::xml(error.to_string())),
    }
}

impl Codec<'_> {
    /// The document in an awsQuery or ec2Query answer.
    pub(super) fn xml_answer(
        &self,
        operation: &Operation,
        output: &ShapeRef,
        body: &[u8],
    ) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(output, &Path::Root)?;
        if body.trim_ascii().is_empty() && shape.members.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        let root = read_document(body)?;
        // A proxy's page or an error is XML as well; read as an answer it would look like "nothing there".
        if !root.name.ends_with("Response") || root.name == "ErrorResponse" || root.name == "Response" {
            return Err(ParseError::found(&Path::Root, "the answer to the operation", "another XML document"));
        }
        if self.model.metadata.protocol == Protocol::Ec2 {
            return self.read_xml_structure(shape, &root, &Path::Root);
        }
        let wrapper = output.result_wrapper.clone().unwrap_or_else(|| format!("{}Result", operation.name));
        match root.child(&wrapper) {
            Some(result) => self.read_xml_structure(shape, result, &Path::Root),
            None if shape.members.is_empty() => Ok(Value::Object(Map::new())),
            None => Err(ParseError::found(&Path::Root, "an answer with a result", "one without")),
        }
    }

    /// A structure from the element that holds its members, without those that are elsewhere in the answer.
    pub(super) fn read_xml_structure(
        &self,
        shape: &Shape,
        element: &Element,
        path: &Path<'_>,
    ) -> Result<Value, ParseError> {
        let mut members = Map::new();
        for (name, member) in shape.members.iter().filter(|(_, member)| is_in_answer_body(member)) {
            let path = Path::Member(path, name);
            if let Some(value) = self.read_xml_member(name, member, element, &path)? {
                members.insert(name.to_owned(), value);
            }
        }
        if shape.union {
            let set = element.children.iter().map(|child| child.name.as_str());
            return check_union(members, set, path).map(Value::Object);
        }
        Ok(Value::Object(members))
    }

    /// A member from the element around it; `None` where it is not there.
    fn read_xml_member(
        &self,
        name: &str,
        member: &ShapeRef,
        element: &Element,
        path: &Path<'_>,
    ) -> Result<Option<Value>, ParseError> {
        let shape = self.shape_to_read(member, path)?;
        if member.root_text {
            let text = element.text.trim();
            return if text.is_empty() { Ok(None) } else { scalar::read_text(shape.kind, text, path).map(Some) };
        }
        if member.xml_attribute {
            let value = element.attribute(member.location_name.as_deref().unwrap_or(name));
            return value.map(|text| scalar::read_text(shape.kind, text, path)).transpose();
        }
        if is_flattened(member, shape) {
            let wire_name = flattened_name(name, member, shape);
            let elements: Vec<&Element> = element.children.iter().filter(|child| child.name == wire_name).collect();
            return match (elements.is_empty(), shape.kind) {
                (true, _) => Ok(None),
                (false, Kind::List) => self.read_xml_list(shape, &elements, path).map(Some),
                (false, _) => self.read_xml_map(shape, &elements, path).map(Some),
            };
        }
        let wire_name = member.location_name.as_deref().unwrap_or(name);
        let mut elements = element.children.iter().filter(|child| child.name == wire_name);
        match (elements.next(), elements.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => self.read_xml(member, only, path).map(Some),
            (Some(_), Some(_)) => Err(ParseError::found(path, "one element", "several")),
        }
    }

    /// A value from its element.
    pub(super) fn read_xml(
        &self,
        reference: &ShapeRef,
        element: &Element,
        path: &Path<'_>,
    ) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(reference, path)?;
        let children = || element.children.iter().collect::<Vec<_>>();
        match shape.kind {
            Kind::Structure => self.read_xml_structure(shape, element, path),
            Kind::List => self.read_xml_list(shape, &children(), path),
            Kind::Map => self.read_xml_map(shape, &children(), path),
            _ if !element.children.is_empty() => {
                Err(ParseError::found(path, scalar::expected(shape.kind), "an element with elements in it"))
            }
            Kind::String if shape.percent_encoded_json => Ok(decode_policy(&element.text)),
            kind => scalar::read_text(kind, &element.text, path),
        }
    }

    /// A list from its elements, whatever their name.
    fn read_xml_list(&self, shape: &Shape, elements: &[&Element], path: &Path<'_>) -> Result<Value, ParseError> {
        let Some(member) = &shape.member else { return Err(ParseError::no_shape(path, "")) };
        let read = elements.iter().enumerate().map(|(index, element)| {
            let path = Path::Element(path, index);
            self.read_xml(member, element, &path)
        });
        read.collect::<Result<_, _>>().map(Value::Array)
    }

    /// A map from its entries.
    fn read_xml_map(&self, shape: &Shape, entries: &[&Element], path: &Path<'_>) -> Result<Value, ParseError> {
        let (Some(of_key), Some(of_value)) = (&shape.key, &shape.value) else {
            return Err(ParseError::no_shape(path, ""));
        };
        let key_name = of_key.location_name.as_deref().unwrap_or("key");
        let value_name = of_value.location_name.as_deref().unwrap_or("value");
        let mut map = Map::new();
        for entry in entries {
            let (Some(key), Some(value)) = (entry.child(key_name), entry.child(value_name)) else {
                return Err(ParseError::found(path, "entries of a key and a value", "another element"));
            };
            let path = Path::Member(path, &key.text);
            map.insert(key.text.clone(), self.read_xml(of_value, value, &path)?);
        }
        Ok(Value::Object(map))
    }

    /// An element for `value`, written to `out`.
    pub(super) fn write_xml(
        &self,
        out: &mut String,
        name: &str,
        reference: &ShapeRef,
        value: &Value,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let shape = self.shape_to_write(reference, path)?;
        let namespace = reference.xml_namespace.as_ref().or(shape.xml_namespace.as_ref());
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(given)) => {
                self.write_xml_structure(out, name, namespace, shape, given, path)
            }
            (Kind::List, Value::Array(elements)) => {
                if is_flattened(reference, shape) {
                    return self.write_xml_elements(out, name, shape, elements, path);
                }
                let Some(member) = &shape.member else { return Err(SerializeError::no_shape(path, "")) };
                open_tag(out, name, namespace, "");
                let of_element = member.location_name.as_deref().unwrap_or("member");
                self.write_xml_elements(out, of_element, shape, elements, path)?;
                close_tag(out, name);
                Ok(())
            }
            (Kind::Map, Value::Object(entries)) => {
                if is_flattened(reference, shape) {
                    return self.write_xml_entries(out, name, namespace, shape, entries, path);
                }
                open_tag(out, name, namespace, "");
                self.write_xml_entries(out, "entry", None, shape, entries, path)?;
                close_tag(out, name);
                Ok(())
            }
            (kind, value) => {
                let format = scalar::timestamp_format(reference, shape, TimestampFormat::DateTime);
                let text = scalar::write_text(kind, format, value, path)?;
                open_tag(out, name, namespace, "");
                out.push_str(&escaped(&text));
                close_tag(out, name);
                Ok(())
            }
        }
    }

    /// An element with the members of a structure, but those that go elsewhere into the request.
    pub(super) fn write_xml_structure(
        &self,
        out: &mut String,
        name: &str,
        namespace: Option<&XmlNamespace>,
        shape: &Shape,
        given: &Map<String, Value>,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        self.check_known(shape, given, path)?;
        let (mut attributes, mut content) = (String::new(), String::new());
        for (member_name, member) in shape.members.iter().filter(|(_, member)| member.location.is_none()) {
            let Some(value) = given.get(member_name).filter(|value| !value.is_null()) else { continue };
            let path = Path::Member(path, member_name);
            let of = self.shape_to_write(member, &path)?;
            let wire_name = member.location_name.as_deref().unwrap_or(member_name);
            if member.xml_attribute {
                let format = scalar::timestamp_format(member, of, TimestampFormat::DateTime);
                let text = scalar::write_text(of.kind, format, value, &path)?;
                attributes += &format!(" {wire_name}=\"{}\"", escaped(&text));
            } else if is_flattened(member, of) {
                self.write_xml(&mut content, flattened_name(member_name, member, of), member, value, &path)?;
            } else {
                self.write_xml(&mut content, wire_name, member, value, &path)?;
            }
        }
        open_tag(out, name, namespace, &attributes);
        out.push_str(&content);
        close_tag(out, name);
        Ok(())
    }

    /// One element for each element of a list.
    fn write_xml_elements(
        &self,
        out: &mut String,
        name: &str,
        shape: &Shape,
        elements: &[Value],
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let Some(member) = &shape.member else { return Err(SerializeError::no_shape(path, "")) };
        for (index, element) in elements.iter().enumerate() {
            self.write_xml(out, name, member, element, &Path::Element(path, index))?;
        }
        Ok(())
    }

    /// One element for each entry of a map.
    fn write_xml_entries(
        &self,
        out: &mut String,
        name: &str,
        namespace: Option<&XmlNamespace>,
        shape: &Shape,
        entries: &Map<String, Value>,
        path: &Path<'_>,
    ) -> Result<(), SerializeError> {
        let (Some(of_key), Some(of_value)) = (&shape.key, &shape.value) else {
            return Err(SerializeError::no_shape(path, ""));
        };
        for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
            let path = Path::Member(path, key);
            open_tag(out, name, namespace, "");
            let key = Value::String(key.clone());
            self.write_xml(out, of_key.location_name.as_deref().unwrap_or("key"), of_key, &key, &path)?;
            self.write_xml(out, of_value.location_name.as_deref().unwrap_or("value"), of_value, value, &path)?;
            close_tag(out, name);
        }
        Ok(())
    }
}

fn open_tag(out: &mut String, name: &str, namespace: Option<&XmlNamespace>, attributes: &str) {
    *out += "<";
    *out += name;
    if let Some(XmlNamespace { uri, prefix }) = namespace {
        let attribute = prefix.as_ref().map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
        *out += &format!(" {attribute}=\"{}\"", escape(uri.as_str()));
    }
    *out += attributes;
    *out += ">";
}

fn close_tag(out: &mut String, name: &str) {
    *out += &format!("</{name}>");
}

/// Text as it may stand in an element or an attribute. Line ends are escaped, for a reader may change bare ones.
fn escaped(text: &str) -> String {
    let escaped = escape(text);
    let line_ends = [("\r", "&#xD;"), ("\n", "&#xA;"), ("\u{85}", "&#x85;"), ("\u{2028}", "&#x2028;")];
    line_ends.iter().fold(escaped.into_owned(), |text, (bare, reference)| text.replace(bare, reference))
}

/// A policy document out of IAM's percent-encoded JSON. Where it is not that, it stays the text that it was, as in
/// boto3: text is no policy, so nothing will read it as an empty one.
fn decode_policy(text: &str) -> Value {
    let decoded = percent_decode_str(text).decode_utf8();
    let document = decoded.ok().and_then(|json| serde_json::from_str(&json).ok());
    document.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_white_space_and_its_escapes_are_resolved() {
        let root = read_document(b"<a> x &lt;&#x41;&amp;\r\n<![CDATA[<y>]]> </a>").unwrap();
        assert_eq!(root.text, " x <A&\n<y> ");
    }

    #[test]
    fn documents_that_could_blow_up_are_refused() {
        let laughs = b"<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert!(read_document(laughs).is_err());
        assert!(read_document(b"<a>&unknown;</a>").is_err());
        let deep = "<a>".repeat(100_000);
        assert!(read_document(deep.as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for body in [
            "",
            " ",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "</a>",
            "<a b=c/>",
            "<a b='' b=''/>",
            "<a>&</a>",
        ] {
            assert!(read_document(body.as_bytes()).is_err(), "{body}");
        }
        assert!(read_document(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn names_lose_their_prefixes() {
        let root = read_document(b"\xef\xbb\xbf<x:a xmlns:x='u'><x:b>1</x:b></x:a>").unwrap();
        assert_eq!((root.name.as_str(), root.text_of("b").as_str()), ("a", "1"));
    }
}
