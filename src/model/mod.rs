//! The shapes of AWS's APIs: operations, members, wire names and types, read from `models/*.json`.
//!
//! The files are generated from the service descriptions of `botocore` by `tools/generate_models.py`: the
//! operations that collectors use, without documentation. This module reads them; it must never make a call.

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub mod embedded;
pub mod schema;

/// One service: how it speaks, and the operations and shapes that are used of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ServiceModel {
    /// How the service is addressed and which protocol it speaks.
    pub metadata: Metadata,
    /// Operations by name.
    #[serde(default)]
    pub operations: BTreeMap<String, Operation>,
    /// Shapes by name.
    #[serde(default)]
    pub shapes: BTreeMap<String, Shape>,
}

impl ServiceModel {
    /// The shape that `reference` points to; `None` where the model lacks it, which no generated model does.
    pub fn shape(&self, reference: &ShapeRef) -> Option<&Shape> {
        self.shapes.get(&reference.shape)
    }

    /// The name that requests to the service are signed for.
    pub fn signing_name(&self) -> &str {
        self.metadata.signing_name.as_deref().unwrap_or(&self.metadata.endpoint_prefix)
    }

    /// The service's prefix in IAM actions: the `s3` of `s3:GetBucketAcl`.
    pub fn iam_prefix(&self) -> &str {
        self.metadata.iam_prefix.as_deref().unwrap_or_else(|| self.signing_name())
    }
}

/// How a service's requests and answers are written.
///
/// Source: the AWS protocols of the Smithy specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Protocol {
    /// awsJson 1.0 and 1.1: everything in a JSON body, the operation in `X-Amz-Target`.
    #[default]
    #[serde(rename = "json")]
    Json,
    /// restJson1: method, path, query and headers mean something, the rest is a JSON body.
    #[serde(rename = "rest-json")]
    RestJson,
    /// restXml: the same with an XML body.
    #[serde(rename = "rest-xml")]
    RestXml,
    /// awsQuery: a form goes out, XML comes back.
    #[serde(rename = "query")]
    Query,
    /// ec2Query: the same with other rules for names and lists.
    #[serde(rename = "ec2")]
    Ec2,
}

/// What holds for all operations of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The one of the service's protocols that is used.
    pub protocol: Protocol,
    /// `1.0` or `1.1`, for protocol `json`.
    #[serde(default)]
    pub json_version: Option<String>,
    /// The prefix of `X-Amz-Target`, for protocol `json`.
    #[serde(default)]
    pub target_prefix: Option<String>,
    /// The API version (`2014-10-31`), sent by `query` and `ec2`.
    #[serde(default)]
    pub api_version: String,
    /// The host label of the service (`monitoring` for CloudWatch).
    #[serde(default)]
    pub endpoint_prefix: String,
    /// The name that requests are signed for; the endpoint prefix where absent.
    #[serde(default)]
    pub signing_name: Option<String>,
    /// The service's id in the SDKs (`CloudWatch Logs`); gives `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`.
    #[serde(default)]
    pub service_id: String,
    /// The XML namespace, for `rest-xml` and `query`.
    #[serde(default)]
    pub xml_namespace: Option<XmlNamespace>,
    /// The service spoke `query` before: it is asked to give the error codes of then, and gives them in
    /// `x-amzn-query-error`.
    #[serde(default, deserialize_with = "presence")]
    pub aws_query_compatible: bool,
    /// The service's prefix in IAM actions (`s3`, `ec2`), where it differs from the signing name.
    #[serde(default)]
    pub iam_prefix: Option<String>,
}

/// An XML namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlNamespace {
    /// Its URI.
    pub uri: String,
    /// Its prefix; the default namespace where absent.
    pub prefix: Option<String>,
}

impl<'de> Deserialize<'de> for XmlNamespace {
    /// The descriptions write it as `{"uri": …, "prefix": …}` or as the URI alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Uri(String),
            Full { uri: String, prefix: Option<String> },
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Uri(uri) => XmlNamespace { uri, prefix: None },
            Form::Full { uri, prefix } => XmlNamespace { uri, prefix },
        })
    }
}

/// `true` for whatever stands there, but for `false` itself.
fn presence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Flag(bool),
        Anything(IgnoredAny),
    }
    Ok(!matches!(Form::deserialize(deserializer)?, Form::Flag(false)))
}

/// One operation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Operation {
    /// Its name in the API.
    pub name: String,
    /// Method and URI template.
    #[serde(default)]
    pub http: Http,
    /// The structure that is sent; absent where nothing is.
    #[serde(default)]
    pub input: Option<ShapeRef>,
    /// The structure that is answered; absent where nothing is.
    #[serde(default)]
    pub output: Option<ShapeRef>,
    /// The errors that the service declares for it.
    #[serde(default)]
    pub errors: Vec<ShapeRef>,
    /// How it is paginated; absent where it is not.
    #[serde(default)]
    pub pagination: Option<Pagination>,
    /// A host prefix such as `{AccountId}.`, and the like.
    #[serde(default)]
    pub endpoint: Option<EndpointTrait>,
    /// Values that the endpoint rules take for this operation always.
    #[serde(default, rename = "staticContextParams")]
    pub static_context_params: BTreeMap<String, StaticContextParam>,
    /// Set where the request is not to be signed (`v4-unsigned-body`, `none`).
    #[serde(default)]
    pub authtype: Option<String>,
    /// What is sent for input members that the caller does not give (S3's `EncodingType`).
    #[serde(default)]
    pub defaults: BTreeMap<String, serde_json::Value>,
}

/// A fixed endpoint parameter.
#[derive(Clone, Debug, Deserialize)]
pub struct StaticContextParam {
    /// Its value.
    pub value: serde_json::Value,
}

/// A host prefix.
#[derive(Clone, Debug, Deserialize)]
pub struct EndpointTrait {
    /// The prefix, with input members in braces.
    #[serde(rename = "hostPrefix")]
    pub host_prefix: String,
}

/// Method and URI.
#[derive(Clone, Debug, Deserialize)]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path and query template.
    #[serde(rename = "requestUri")]
    pub request_uri: String,
}

impl Default for Http {
    fn default() -> Self {
        Http { method: "POST".into(), request_uri: "/".into() }
    }
}

/// Pagination, as botocore's paginators describe it; where they leave out an operation that has pages, as its
/// members show it.
#[derive(Clone, Debug, Deserialize)]
pub struct Pagination {
    /// Input members that take the tokens.
    pub input_token: OneOrMany,
    /// Output paths that give the tokens, in the same order. A path is members with dots between (`A.B`); S3's
    /// oldest listings need JMESPath (`NextMarker || Contents[-1].Key`).
    pub output_token: OneOrMany,
    /// Output paths that hold the items.
    #[serde(default)]
    pub result_key: Option<OneOrMany>,
    /// A member that says whether there is more.
    #[serde(default)]
    pub more_results: Option<String>,
    /// The input member that limits a page.
    #[serde(default)]
    pub limit_key: Option<String>,
}

/// A string, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            OneOrMany::One(s) => std::slice::from_ref(s).iter().map(String::as_str),
            OneOrMany::Many(v) => v.as_slice().iter().map(String::as_str),
        }
    }
}

/// A use of a shape, with what holds for that use only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShapeRef {
    /// The shape's name.
    pub shape: String,
    /// The wire name.
    #[serde(default)]
    pub location_name: Option<String>,
    /// Where it is on the wire; in the body where absent.
    #[serde(default)]
    pub location: Option<Location>,
    /// The wire name in requests of protocol `ec2`, where it differs.
    #[serde(default)]
    pub query_name: Option<String>,
    /// Elements of the list follow each other without a wrapper.
    #[serde(default)]
    pub flattened: bool,
    /// An XML attribute of the enclosing element.
    #[serde(default)]
    pub xml_attribute: bool,
    /// The XML namespace of the element.
    #[serde(default)]
    pub xml_namespace: Option<XmlNamespace>,
    /// The element that the whole answer is wrapped in (`query`).
    #[serde(default)]
    pub result_wrapper: Option<String>,
    /// A JSON document in a string.
    #[serde(default)]
    pub jsonvalue: bool,
    /// How it is written on the wire, for this use.
    #[serde(default)]
    pub timestamp_format: Option<TimestampFormat>,
    /// To be filled with a fresh UUID where the caller gives none.
    #[serde(default)]
    pub idempotency_token: bool,
    /// Part of the host name.
    #[serde(default)]
    pub host_label: bool,
    /// Set by this name in the endpoint rules.
    #[serde(default)]
    pub context_param: Option<ContextParam>,
    /// The text of the answer's root element (S3's `GetBucketLocation`).
    #[serde(default)]
    pub root_text: bool,
    /// Comes percent-encoded where the answer's `EncodingType` is `url` (S3's listings); decoded when read, as
    /// boto3 does.
    #[serde(default)]
    pub url_encoded: bool,
}

/// Where a member of a `rest-json` or `rest-xml` request or answer is, when not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Location {
    /// In the path.
    #[serde(rename = "uri")]
    Uri,
    /// In the query string; a map gives one parameter for each of its keys.
    #[serde(rename = "querystring")]
    QueryString,
    /// In one header.
    #[serde(rename = "header")]
    Header,
    /// A map of all headers whose names begin so.
    #[serde(rename = "headers")]
    Headers,
    /// The HTTP status of the answer.
    #[serde(rename = "statusCode")]
    StatusCode,
}

/// How a timestamp is written on the wire. In documents it is RFC 3339 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum TimestampFormat {
    /// RFC 3339, in UTC.
    #[serde(rename = "iso8601")]
    DateTime,
    /// The date of HTTP headers: `Tue, 29 Apr 2014 18:30:38 GMT`.
    #[serde(rename = "rfc822")]
    HttpDate,
    /// Seconds since 1970, with a fraction where there is one.
    #[serde(rename = "unixTimestamp")]
    EpochSeconds,
}

/// The endpoint parameter that a member gives.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ContextParam {
    /// Its name.
    pub name: String,
}

/// What a shape is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Named members.
    #[default]
    Structure,
    /// Elements in order.
    List,
    /// Values by text keys.
    Map,
    /// Text; enumerations too.
    #[serde(alias = "character")]
    String,
    /// A whole number, at most 64 bits.
    #[serde(alias = "byte", alias = "short", alias = "long")]
    Integer,
    /// A floating-point number.
    #[serde(alias = "float")]
    Double,
    /// `true` or `false`.
    Boolean,
    /// Bytes.
    Blob,
    /// A point in time.
    Timestamp,
}

/// The members of a structure in the order of the model, which is the order in documents.
///
/// Found by name in linear time: structures are small, and the codecs walk all members anyway.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<(String, ShapeRef)>);

impl Members {
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&ShapeRef> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, member)| member)
    }

    /// Names and members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ShapeRef)> {
        self.0.iter().map(|(name, member)| (name.as_str(), member))
    }

    /// Names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, ShapeRef)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, ShapeRef)>>(members: I) -> Self {
        Members(members.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("members by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// How an error appears on the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorTrait {
    /// Its code, where it is not the shape's name.
    #[serde(default)]
    pub code: Option<String>,
    /// The HTTP status that it comes with.
    #[serde(default)]
    pub http_status_code: Option<u16>,
}

/// A shape: its kind, and what that kind has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Members of a structure.
    #[serde(default)]
    pub members: Members,
    /// The element of a list.
    #[serde(default)]
    pub member: Option<Box<ShapeRef>>,
    /// The key of a map.
    #[serde(default)]
    pub key: Option<Box<ShapeRef>>,
    /// The value of a map.
    #[serde(default)]
    pub value: Option<Box<ShapeRef>>,
    /// The member that is the whole body.
    #[serde(default)]
    pub payload: Option<String>,
    /// Required members.
    #[serde(default)]
    pub required: Vec<String>,
    /// Elements of the list, or entries of the map, follow each other without a wrapper.
    #[serde(default)]
    pub flattened: bool,
    /// The wire name, for shapes that set one.
    #[serde(default)]
    pub location_name: Option<String>,
    /// The XML namespace of the element.
    #[serde(default)]
    pub xml_namespace: Option<XmlNamespace>,
    /// How a timestamp is written on the wire; as the protocol does where absent.
    #[serde(default)]
    pub timestamp_format: Option<TimestampFormat>,
    /// At most one member is set.
    #[serde(default)]
    pub union: bool,
    /// Any JSON.
    #[serde(default)]
    pub document: bool,
    /// It is an error.
    #[serde(default)]
    pub exception: bool,
    /// How it appears on the wire, where it is an error.
    #[serde(default)]
    pub error: Option<ErrorTrait>,
    /// The values of an enumeration.
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
    /// Elements, or values, may be null.
    #[serde(default)]
    pub sparse: bool,
    /// A stream of events.
    #[serde(default)]
    pub eventstream: bool,
    /// A body that is not read at once.
    #[serde(default)]
    pub streaming: bool,
    /// A string that holds a percent-encoded JSON document (IAM's policies); decoded when read, as boto3 does.
    #[serde(default)]
    pub percent_encoded_json: bool,
}
