//! The shapes of AWS's APIs: operations, members, wire names and types, read from `models/*.json`.
//!
//! The files are generated from the service descriptions of `botocore` by `tools/generate_models.py`: the
//! operations that collectors use, without documentation. This module reads them; it must never make a call.

use serde::Deserialize;
use std::collections::BTreeMap;

pub mod embedded;
pub mod schema;

/// One service: how it speaks, and the operations and shapes that are used of it.
#[derive(Clone, Debug, Deserialize)]
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

/// What holds for all operations of a service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// One of `json`, `rest-json`, `rest-xml`, `query`, `ec2`: the one of the service's protocols that is used.
    pub protocol: String,
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
    /// The XML namespace, a string or absent, for `rest-xml` and `query`.
    #[serde(default)]
    pub xml_namespace: Option<serde_json::Value>,
    /// Set where errors carry the code of an earlier query protocol in `x-amzn-query-error`.
    #[serde(default)]
    pub aws_query_compatible: Option<serde_json::Value>,
    /// The service's prefix in IAM actions (`s3`, `ec2`), where it differs from the signing name.
    #[serde(default)]
    pub iam_prefix: Option<String>,
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

/// Pagination, as botocore's paginators describe it.
#[derive(Clone, Debug, Deserialize)]
pub struct Pagination {
    /// Input members that take the tokens.
    pub input_token: OneOrMany,
    /// Output paths that give the tokens, in the same order.
    pub output_token: OneOrMany,
    /// Output members that hold the items.
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
    /// `header`, `headers`, `uri`, `querystring`, `statusCode`; the body where absent.
    #[serde(default)]
    pub location: Option<String>,
    /// The wire name in requests of protocol `ec2`, where it differs.
    #[serde(default)]
    pub query_name: Option<String>,
    /// Elements of the list follow each other without a wrapper.
    #[serde(default)]
    pub flattened: bool,
    /// An XML attribute of the enclosing element.
    #[serde(default)]
    pub xml_attribute: bool,
    /// The XML namespace of the element: `{"uri": …, "prefix": …}`.
    #[serde(default)]
    pub xml_namespace: Option<serde_json::Value>,
    /// The element that the whole answer is wrapped in (`query`).
    #[serde(default)]
    pub result_wrapper: Option<String>,
    /// A JSON document in a string.
    #[serde(default)]
    pub jsonvalue: bool,
    /// `iso8601`, `rfc822` or `unixTimestamp`, for this use.
    #[serde(default)]
    pub timestamp_format: Option<String>,
    /// To be filled with a fresh UUID where the caller gives none.
    #[serde(default)]
    pub idempotency_token: bool,
    /// Part of the host name.
    #[serde(default)]
    pub host_label: bool,
    /// Set by this name in the endpoint rules.
    #[serde(default)]
    pub context_param: Option<ContextParam>,
}

/// The endpoint parameter that a member gives.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ContextParam {
    /// Its name.
    pub name: String,
}

/// A shape: its kind, and what that kind has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// Its kind: `structure`, `list`, `map`, `string`, `integer`, `long`, `float`, `double`, `boolean`,
    /// `blob`, `timestamp`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Members of a structure, by name.
    #[serde(default)]
    pub members: BTreeMap<String, ShapeRef>,
    /// Members in the order of the model, which is the order on the wire.
    #[serde(default)]
    pub member_order: Vec<String>,
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
    pub xml_namespace: Option<serde_json::Value>,
    /// `iso8601`, `rfc822` or `unixTimestamp`.
    #[serde(default)]
    pub timestamp_format: Option<String>,
    /// At most one member is set.
    #[serde(default)]
    pub union: bool,
    /// Any JSON.
    #[serde(default)]
    pub document: bool,
    /// It is an error.
    #[serde(default)]
    pub exception: bool,
    /// How an error appears on the wire: `{"code": …, "httpStatusCode": …}`.
    #[serde(default)]
    pub error: Option<serde_json::Value>,
    /// The values of an enumeration.
    #[serde(default, rename = "enum")]
    pub values: Vec<String>,
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
