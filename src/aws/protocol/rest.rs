//! restJson1 and restXml: path, query string, headers and body, each with some of the members.

use super::error::{ParseError, Path, SerializeError};
use super::failure::disguised_error;
use super::json::json_body;
use super::query::RESERVED;
use super::xml::read_document;
use super::{Codec, Request, absent, scalar};
use crate::model::{Kind, Location, Operation, Protocol, Shape, ShapeRef, TimestampFormat};
use http::HeaderMap;
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

/// The same as [`RESERVED`], but that a path may go on.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The body of a request, and what it is.
#[derive(Default)]
struct Payload {
    body: Vec<u8>,
    content_type: Option<&'static str>,
}

impl Codec<'_> {
    fn is_json(&self) -> bool {
        self.model.metadata.protocol == Protocol::RestJson
    }

    /// A request in restJson1 or restXml.
    pub(super) fn rest_request(
        &self,
        operation: &Operation,
        params: &Map<String, Value>,
    ) -> Result<Request, SerializeError> {
        let mut request = Request { method: operation.http.method.clone(), ..Request::default() };
        let Some(input) = &operation.input else {
            request.uri.clone_from(&operation.http.request_uri);
            return Ok(request);
        };
        let shape = self.shape_to_write(input, &Path::Root)?;
        request.uri = self.uri(&operation.http.request_uri, shape, params)?;
        request.headers = self.headers(shape, params)?;
        let payload = self.payload(input, shape, params)?;
        request.body = payload.body;
        let given = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some(content_type) = payload.content_type.filter(|_| !given) {
            request.headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        Ok(request)
    }

    /// Path and query: the template with its labels filled in, and the members that go into the query string.
    fn uri(&self, template: &str, shape: &Shape, params: &Map<String, Value>) -> Result<String, SerializeError> {
        let (path, literal) = template.split_once('?').map_or((template, None), |(path, query)| (path, Some(query)));
        let mut uri = self.path(path, shape, params)?;
        let mut query: Vec<String> = literal.into_iter().filter(|q| !q.is_empty()).map(str::to_owned).collect();
        for (key, value) in self.query_parameters(shape, params)? {
            let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
            query.push(format!("{}={}", encode(&key), encode(&value)));
        }
        if !query.is_empty() {
            uri.push('?');
            uri += &query.join("&");
        }
        Ok(uri)
    }

    /// The path of the template with its labels filled in. The label `{name+}` may go over several segments.
    fn path(&self, template: &str, shape: &Shape, params: &Map<String, Value>) -> Result<String, SerializeError> {
        let mut path = String::new();
        let mut rest = template;
        while let Some((before, label, after)) = next_label(rest) {
            path += before;
            let (name, reserved) = label.strip_suffix('+').map_or((label, RESERVED), |name| (name, RESERVED_IN_PATH));
            let text = self.label(name, shape, params)?;
            path.extend(utf8_percent_encode(&text, reserved));
            rest = after;
        }
        path += rest;
        Ok(path)
    }

    /// The text of the member that fills the label of that wire name. It must not be empty: the path would be another
    /// operation's.
    fn label(&self, label: &str, shape: &Shape, params: &Map<String, Value>) -> Result<String, SerializeError> {
        let mut members = shape.members.iter().filter(|(_, member)| member.location == Some(Location::Uri));
        let of_label = members.find(|(name, member)| member.location_name.as_deref().unwrap_or(name) == label);
        let (name, member) = of_label.ok_or_else(|| SerializeError::missing(label))?;
        let value = params.get(name).filter(|value| !value.is_null()).ok_or_else(|| SerializeError::missing(name))?;
        let path = Path::Member(&Path::Root, name);
        let of = self.shape_to_write(member, &path)?;
        let format = scalar::timestamp_format(member, of, TimestampFormat::DateTime);
        let text = scalar::write_text(of.kind, format, value, &path)?;
        if text.is_empty() { Err(SerializeError::missing(name)) } else { Ok(text) }
    }

    /// Keys and values of the query string, in the order of the model. A map's entries come last, and do not override
    /// what a member of its own gives.
    fn query_parameters(
        &self,
        shape: &Shape,
        params: &Map<String, Value>,
    ) -> Result<Vec<(String, String)>, SerializeError> {
        let (mut named, mut from_maps) = (Vec::new(), Vec::new());
        let in_query = |member: &ShapeRef| member.location == Some(Location::QueryString);
        for (name, member) in shape.members.iter().filter(|(name, member)| in_query(member) && !absent(params, name)) {
            let path = Path::Member(&Path::Root, name);
            let of = self.shape_to_write(member, &path)?;
            match (of.kind, &of.value, &params[name]) {
                (Kind::Map, Some(of_value), Value::Object(entries)) => {
                    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                        self.query_values(key, of_value, value, &Path::Member(&path, key), &mut from_maps)?;
                    }
                }
                (_, _, value) => {
                    let key = member.location_name.as_deref().unwrap_or(name);
                    self.query_values(key, member, value, &path, &mut named)?;
                }
            }
        }
        from_maps.retain(|(key, _)| !named.iter().any(|(taken, _)| taken == key));
        named.extend(from_maps);
        Ok(named)
    }

    /// One parameter for a scalar, one for each element of a list.
    fn query_values(
        &self,
        key: &str,
        reference: &ShapeRef,
        value: &Value,
        path: &Path<'_>,
        parameters: &mut Vec<(String, String)>,
    ) -> Result<(), SerializeError> {
        let shape = self.shape_to_write(reference, path)?;
        match (&shape.member, value) {
            (Some(member), Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate().filter(|(_, element)| !element.is_null()) {
                    self.query_values(key, member, element, &Path::Element(path, index), parameters)?;
                }
            }
            (_, value) => {
                let format = scalar::timestamp_format(reference, shape, TimestampFormat::DateTime);
                parameters.push((key.to_owned(), scalar::write_text(shape.kind, format, value, path)?));
            }
        }
        Ok(())
    }

    /// The members that go into headers, in the order of the model.
    fn headers(&self, shape: &Shape, params: &Map<String, Value>) -> Result<Vec<(String, String)>, SerializeError> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, member) in shape.members.iter().filter(|(name, _)| !absent(params, name)) {
            let path = Path::Member(&Path::Root, name);
            let wire_name = member.location_name.as_deref();
            match (member.location, &params[name]) {
                (Some(Location::Header), value) => {
                    let text = self.header_text(member, value, &path)?;
                    headers.push((wire_name.unwrap_or(name).to_owned(), text));
                }
                (Some(Location::Headers), Value::Object(entries)) => {
                    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                        let path = Path::Member(&path, key);
                        let text = scalar::write_text(Kind::String, TimestampFormat::HttpDate, value, &path)?;
                        let key = format!("{}{key}", wire_name.unwrap_or_default());
                        if !key.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
                            return Err(SerializeError::not_a_header(&path));
                        }
                        if !headers.iter().any(|(taken, _)| taken.eq_ignore_ascii_case(&key)) {
                            headers.push((key, text));
                        }
                    }
                }
                (Some(Location::Headers), other) => {
                    return Err(SerializeError::wrong_type(&path, scalar::expected(Kind::Map), other));
                }
                _ => {}
            }
        }
        match headers.iter().find(|(_, value)| value.bytes().any(|b| b.is_ascii_control() && b != b'\t')) {
            Some((name, _)) => Err(SerializeError::not_a_header(&Path::Member(&Path::Root, name))),
            None => Ok(headers),
        }
    }

    /// A parameter as the text of a header.
    fn header_text(&self, reference: &ShapeRef, value: &Value, path: &Path<'_>) -> Result<String, SerializeError> {
        let shape = self.shape_to_write(reference, path)?;
        if reference.jsonvalue {
            // Text is taken to be JSON already.
            let json = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return Ok(scalar::encode_base64(&json));
        }
        let format = scalar::timestamp_format(reference, shape, TimestampFormat::HttpDate);
        let (Some(member), Value::Array(elements)) = (&shape.member, value) else {
            return scalar::write_text(shape.kind, format, value, path);
        };
        let mut texts = Vec::new();
        for (index, element) in elements.iter().enumerate().filter(|(_, element)| !element.is_null()) {
            let text = self.header_text(member, element, &Path::Element(path, index))?;
            let is_text = self.shape(member).is_some_and(|shape| shape.kind == Kind::String);
            texts.push(if is_text { quoted(text) } else { text });
        }
        Ok(texts.join(", "))
    }

    /// The body, from the member that is the whole of it or from all that go nowhere else.
    fn payload(&self, input: &ShapeRef, shape: &Shape, params: &Map<String, Value>) -> Result<Payload, SerializeError> {
        let Some(name) = &shape.payload else { return self.members_payload(input, shape, params) };
        let path = Path::Member(&Path::Root, name);
        let Some(member) = shape.members.get(name) else { return Err(SerializeError::no_shape(&path, name)) };
        let of = self.shape_to_write(member, &path)?;
        let value = params.get(name).filter(|value| !value.is_null());
        match (of.kind, value) {
            (Kind::Blob, Some(value)) => {
                let body = scalar::blob_param(value, &path)?;
                Ok(Payload { body, content_type: Some("application/octet-stream") })
            }
            (Kind::String, Some(value)) => {
                let body = scalar::write_text(of.kind, TimestampFormat::DateTime, value, &path)?.into_bytes();
                Ok(Payload { body, content_type: Some("text/plain") })
            }
            (_, Some(value)) if self.is_json() => Ok(json_payload(&self.write_json(member, value, &path)?)),
            (_, Some(value)) => {
                let mut body = String::new();
                self.write_xml(&mut body, payload_element(name, member, of), member, value, &path)?;
                Ok(xml_payload(body))
            }
            // restJson says "nothing in it" by an empty object; a union cannot be empty.
            (Kind::Structure, None) if self.is_json() && !of.union && !of.document => {
                Ok(json_payload(&Value::Object(Map::new())))
            }
            (_, None) => Ok(Payload::default()),
        }
    }

    /// The body made of the members that go nowhere else.
    fn members_payload(
        &self,
        input: &ShapeRef,
        shape: &Shape,
        params: &Map<String, Value>,
    ) -> Result<Payload, SerializeError> {
        let mut in_body = shape.members.iter().filter(|(_, member)| member.location.is_none()).peekable();
        if in_body.peek().is_none() {
            return Ok(Payload::default());
        }
        if self.is_json() {
            let members = self.json_members(shape, params, &Path::Root)?;
            return Ok(json_payload(&Value::Object(members)));
        }
        if in_body.all(|(name, _)| absent(params, name)) {
            return Ok(Payload::default());
        }
        let name = shape.location_name.as_ref().or(input.location_name.as_ref()).unwrap_or(&input.shape);
        let namespaces = [&input.xml_namespace, &shape.xml_namespace, &self.model.metadata.xml_namespace];
        let namespace = namespaces.into_iter().flatten().next();
        let mut body = String::new();
        self.write_xml_structure(&mut body, name, namespace, shape, params, &Path::Root)?;
        Ok(xml_payload(body))
    }

    /// The document in a restJson1 or restXml answer.
    pub(super) fn rest_answer(
        &self,
        operation: &Operation,
        output: &ShapeRef,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(output, &Path::Root)?;
        let mut members = self.read_body(operation, shape, status, headers, body)?;
        members.extend(self.read_outside(shape, status, headers)?);
        let mut document = Map::new();
        // In the order of the model, wherever a member came from.
        for name in shape.members.keys() {
            if let Some((name, value)) = members.remove_entry(name) {
                document.insert(name, value);
            }
        }
        // What is no member of the model, as the name of an unknown one of a union.
        document.extend(members);
        let mut document = Value::Object(document);
        if document["EncodingType"] == "url" {
            self.decode_urls(output, &mut document);
        }
        Ok(document)
    }

    /// The members that are in headers and the status.
    pub(super) fn read_outside(
        &self,
        shape: &Shape,
        status: u16,
        headers: &HeaderMap,
    ) -> Result<Map<String, Value>, ParseError> {
        let mut members = Map::new();
        for (name, member) in shape.members.iter() {
            let path = Path::Member(&Path::Root, name);
            let wire_name = member.location_name.as_deref();
            let value = match member.location {
                Some(Location::StatusCode) => Some(Value::from(status)),
                Some(Location::Header) => match headers.get(wire_name.unwrap_or(name)) {
                    Some(header) => Some(self.read_header(member, &text_of_header(header, &path)?, &path)?),
                    None => None,
                },
                Some(Location::Headers) => {
                    Some(Value::Object(read_header_map(wire_name.unwrap_or_default(), headers, &path)?))
                }
                _ => None,
            };
            members.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(members)
    }

    /// A value from the text of a header.
    fn read_header(&self, reference: &ShapeRef, text: &str, path: &Path<'_>) -> Result<Value, ParseError> {
        let shape = self.shape_to_read(reference, path)?;
        if reference.jsonvalue {
            let json = scalar::decode_base64(text).and_then(|json| serde_json::from_str(&json).ok());
            return json.ok_or_else(|| ParseError::found(path, "JSON in base64", "other text"));
        }
        let Some(member) = &shape.member else { return scalar::read_text(shape.kind, text, path) };
        let of = self.shape_to_read(member, path)?;
        let format = scalar::timestamp_format(member, of, TimestampFormat::HttpDate);
        // A date in a header has a comma of its own.
        let is_dates = of.kind == Kind::Timestamp && format == TimestampFormat::HttpDate;
        let elements = if is_dates { split_dates(text) } else { split_list(text) };
        let read = elements.iter().enumerate().map(|(index, element)| {
            let path = Path::Element(path, index);
            scalar::read_text(of.kind, element, &path)
        });
        read.collect::<Result<_, _>>().map(Value::Array)
    }

    /// The members that are in the body.
    fn read_body(
        &self,
        operation: &Operation,
        shape: &Shape,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Map<String, Value>, ParseError> {
        let Some(name) = &shape.payload else {
            let read = if self.is_json() {
                json_body(body)?.map(|value| self.read_json_structure(shape, &value, &Path::Root)).transpose()?
            } else {
                let root = self.xml_root(operation, status, headers, body)?;
                root.map(|root| self.read_xml_structure(shape, &root, &Path::Root)).transpose()?
            };
            return Ok(match read {
                Some(Value::Object(members)) => members,
                _ => Map::new(),
            });
        };
        let path = Path::Member(&Path::Root, name);
        let Some(member) = shape.members.get(name) else { return Err(ParseError::no_shape(&path, name)) };
        let of = self.shape_to_read(member, &path)?;
        let value = match of.kind {
            _ if of.eventstream => return Err(ParseError::found(&path, "a document", "a stream of events")),
            _ if body.is_empty() => None,
            Kind::Blob => Some(scalar::document_blob(body)),
            Kind::String => {
                let text = std::str::from_utf8(body);
                Some(text.map_err(|_| ParseError::found(&path, "text", "other bytes"))?.into())
            }
            _ if self.is_json() => json_body(body)?.map(|value| self.read_json(member, &value, &path)).transpose()?,
            _ => {
                let root = self.xml_root(operation, status, headers, body)?;
                root.map(|root| self.read_xml(member, &root, &path)).transpose()?
            }
        };
        Ok(value.map(|value| (name.clone(), value)).into_iter().collect())
    }

    /// The root element of a restXml answer; `None` where the body is empty.
    fn xml_root(
        &self,
        operation: &Operation,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<super::xml::Element>, ParseError> {
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        let root = read_document(body)?;
        match root.name.as_str() {
            "Error" | "ErrorResponse" => Err(disguised_error(self.model, operation, status, headers, body)),
            // A proxy's page; read as an answer it would look like "nothing there".
            name if name.eq_ignore_ascii_case("html") => {
                Err(ParseError::found(&Path::Root, "the answer to the operation", "a web page"))
            }
            _ => Ok(Some(root)),
        }
    }

    /// Decodes the members that S3 percent-encodes on demand.
    fn decode_urls(&self, reference: &ShapeRef, value: &mut Value) {
        let Some(shape) = self.shape(reference) else { return };
        match value {
            Value::Array(elements) => {
                for (element, member) in elements.iter_mut().zip(std::iter::repeat(&shape.member)) {
                    member.iter().for_each(|member| self.decode_urls(member, element));
                }
            }
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    match (shape.members.get(name), &value) {
                        (Some(member), Value::String(text)) if member.url_encoded => {
                            // A plus sign is itself here: this is no form.
                            *value = percent_decode_str(text).decode_utf8_lossy().into_owned().into();
                        }
                        (Some(member), _) => self.decode_urls(member, value),
                        (None, _) => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// What stands before the next label of a template, the label, and what stands after it.
fn next_label(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (label, after) = rest.split_once('}')?;
    Some((before, label, after))
}

fn json_payload(value: &Value) -> Payload {
    Payload { body: value.to_string().into_bytes(), content_type: Some("application/json") }
}

fn xml_payload(body: String) -> Payload {
    Payload { body: body.into_bytes(), content_type: Some("application/xml") }
}

/// The name of the element that is a whole body. The descriptions give every such member a wire name; where that only
/// repeats the member's name, and has no namespace beside it, it is not meant, and the structure's name holds.
fn payload_element<'a>(name: &'a str, member: &'a ShapeRef, shape: &'a Shape) -> &'a str {
    let meant = |wire_name: &&str| *wire_name != name || member.xml_namespace.is_some();
    let declared = member.location_name.as_deref().filter(meant);
    declared.or(shape.location_name.as_deref()).unwrap_or(&member.shape)
}

/// An element of a list in a header, in quotes where a comma or a quote would end it.
fn quoted(text: String) -> String {
    if !text.contains([',', '"']) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The elements of a list in a header, without quotes and what stands around them.
fn split_list(text: &str) -> Vec<String> {
    let (mut elements, mut element) = (Vec::new(), String::new());
    let (mut in_quotes, mut was_quoted) = (false, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_quotes => element.extend(characters.next()),
            '"' if in_quotes => in_quotes = false,
            '"' if element.trim().is_empty() => {
                element.clear();
                (in_quotes, was_quoted) = (true, true);
            }
            ',' if !in_quotes => {
                elements.push(finished(std::mem::take(&mut element), was_quoted));
                was_quoted = false;
            }
            // Between a closing quote and the comma.
            ' ' | '\t' if was_quoted && !in_quotes => {}
            other => element.push(other),
        }
    }
    elements.push(finished(element, was_quoted));
    if text.trim().is_empty() { Vec::new() } else { elements }
}

fn finished(element: String, was_quoted: bool) -> String {
    if was_quoted { element } else { element.trim().to_owned() }
}

/// The dates in a header: each has one comma in it.
fn split_dates(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split(',').collect();
    if text.trim().is_empty() {
        return Vec::new();
    }
    parts.chunks(2).map(|date| date.join(",").trim().to_owned()).collect()
}

/// A header as text.
fn text_of_header(header: &http::HeaderValue, path: &Path<'_>) -> Result<String, ParseError> {
    let text = std::str::from_utf8(header.as_bytes());
    text.map(str::to_owned).map_err(|_| ParseError::found(path, "text", "other bytes"))
}

/// All headers whose names begin with `prefix`, by the rest of their names.
fn read_header_map(prefix: &str, headers: &HeaderMap, path: &Path<'_>) -> Result<Map<String, Value>, ParseError> {
    let prefix = prefix.to_ascii_lowercase();
    let mut map = Map::new();
    for (name, header) in headers {
        if let Some(key) = name.as_str().strip_prefix(&prefix) {
            map.insert(key.to_owned(), Value::String(text_of_header(header, &Path::Member(path, key))?));
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_header_is_split_at_commas_outside_of_quotes() {
        assert_eq!(split_list("a, b,c"), ["a", "b", "c"]);
        assert_eq!(split_list(r#""b,c", "\"def\"" , a"#), ["b,c", "\"def\"", "a"]);
        assert_eq!(split_list("a,,b"), ["a", "", "b"]);
        assert_eq!(split_list(r#""unfinished, "#), ["unfinished, "]);
        assert!(split_list("  ").is_empty());
    }

    #[test]
    fn dates_in_a_header_are_split_at_every_second_comma() {
        let one = "Mon, 16 Dec 2019 23:48:18 GMT";
        assert_eq!(split_dates(&format!("{one}, {one}")), [one, one]);
    }

    #[test]
    fn what_is_quoted_is_split_back() {
        for text in ["a", "a,b", "a\"b", "a\\\"b,", ""] {
            let list = format!("{}, {}", quoted(text.to_owned()), quoted("z".to_owned()));
            assert_eq!(split_list(&list), [text, "z"], "{list}");
        }
    }
}
