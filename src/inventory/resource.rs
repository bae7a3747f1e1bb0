//! A resource as its API describes it, with the parts that could not be read named as such.
//!
//! Three states, never mixed: a member of [`Resource::document`] was read and has that value; a member that
//! is neither in the document nor named by [`Resource::unknown`] was read and is absent; a member named by
//! [`Resource::unknown`] could not be read, and the [`Cause`] says why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The region written for resources of global services (IAM, CloudFront, the account itself).
pub const GLOBAL: &str = "global";

/// Why something could not be observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The caller lacks the permission, by its own policies, a boundary, an SCP or a resource policy.
    Denied,
    /// Throttled until the retries were used up.
    Throttled,
    /// The credentials ended before the call could be made.
    ExpiredCredentials,
    /// No answer from the endpoint within the deadline.
    Unreachable,
    /// The answer came, and is not what the API model says.
    Malformed,
    /// Any other error that the service answered with.
    Failed,
    /// Not asked for: the scan that made the snapshot did not select it.
    NotCollected,
    /// Read, but it says something that this program does not understand well enough to judge.
    NotUnderstood,
    /// The rule itself failed on what was read: a defect of the rule, not of the account.
    RuleFault,
    /// Not said by the entity, who alone can say it: a list that `soc2scan.yaml` does not have. A verdict that turns on
    /// nothing else is for a person.
    NotSupplied,
}

/// One thing that could not be observed: which action, where, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The class of the failure.
    pub reason: Reason,
    /// The IAM action that the failed operation needs, as IAM writes it (`s3:GetBucketPolicy`); empty where
    /// no call was made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// The account that was asked; empty where that does not apply.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// The region that was asked, or [`GLOBAL`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The error code of the service (`AccessDenied`), where it answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// One sentence for a person. Comes from AWS or from us; hostile until escaped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The request id that AWS support can look up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

impl Cause {
    /// A cause that needs no call: `NotCollected` or `NotUnderstood`, with its sentence.
    pub fn of(reason: Reason, message: impl Into<String>) -> Self {
        Cause {
            reason,
            action: String::new(),
            account: String::new(),
            region: String::new(),
            code: String::new(),
            message: message.into(),
            request_id: String::new(),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Denied => write!(f, "{} was denied", self.action)?,
            Reason::Throttled => write!(f, "{} was throttled until the retries ended", self.action)?,
            Reason::ExpiredCredentials => write!(f, "the credentials expired before {} was answered", self.action)?,
            Reason::Unreachable => write!(f, "{} got no answer", self.action)?,
            Reason::Malformed => write!(f, "the answer of {} could not be read", self.action)?,
            Reason::Failed => write!(f, "{} failed", self.action)?,
            Reason::NotCollected => return write!(f, "not collected: {}", self.message),
            Reason::NotUnderstood => return write!(f, "not understood: {}", self.message),
            Reason::RuleFault => return write!(f, "the rule failed: {}", self.message),
            Reason::NotSupplied => return write!(f, "not supplied: {}", self.message),
        }
        if !self.region.is_empty() {
            write!(f, " in {}", self.region)?;
        }
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        Ok(())
    }
}

/// A member of a resource's document that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownField {
    /// The member, as a path of member names joined by dots, from the document's root (`Policy`,
    /// `Attributes.Restore`). Everything below it is unknown too.
    pub path: String,
    /// Why.
    pub cause: Cause,
}

/// One resource of one account and region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The CloudFormation type name (`AWS::S3::Bucket`); for what CloudFormation has no type for, a name
    /// of the same form (`AWS::::Account`, as AWS Config calls it; `AWS::::Region`).
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The identifier that the service itself uses, unique within type, account and region.
    pub id: String,
    /// The full ARN. Where the service gives none, the form of the Service Authorization Reference.
    pub arn: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region code, or [`GLOBAL`].
    pub region: String,
    /// A name for people: the `Name` tag or the service's own name member; else the id.
    pub name: String,
    /// Tags, where the collector reads them. Unread tags are an [`UnknownField`] with path `Tags`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The members as the API names them; timestamps as RFC 3339 strings in UTC, blobs as base64.
    pub document: Map<String, Value>,
    /// What could not be read of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownField>,
}

impl Resource {
    /// The cause why the member at `path` could not be read, if it could not: its own, or an ancestor's.
    pub fn unknown_at(&self, path: &str) -> Option<&Cause> {
        self.unknown
            .iter()
            .find(|u| path == u.path || path.strip_prefix(u.path.as_str()).is_some_and(|rest| rest.starts_with('.')))
            .map(|u| &u.cause)
    }
}

/// Whether all resources of a type in one account and region are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PopulationState {
    /// Listed to the last page.
    Complete,
    /// The service is not offered in that region: there can be none.
    Unsupported,
    /// Not listed to the end; what is there is what was read before the failure.
    Incomplete {
        /// Why, at least one.
        causes: Vec<Cause>,
    },
}

/// All resources of one type in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The resource type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The 12-digit account id.
    pub account: String,
    /// The region code, or [`GLOBAL`].
    pub region: String,
    /// Whether it is complete.
    #[serde(flatten)]
    pub state: PopulationState,
}
