//! The ledger: one entry for every request that was made to AWS, whatever its outcome.
//!
//! It is what an auditor tests completeness and accuracy with, so nothing may ever be left out of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered, with something in it.
    Ok,
    /// Answered: there is nothing. Also an error code that means "not configured".
    Empty,
    /// Not allowed.
    Denied,
    /// Throttled after all retries.
    Throttled,
    /// The service or operation is not offered in that region.
    Unsupported,
    /// No connection, or no answer in time.
    Unreachable,
    /// Any other failure.
    Failed,
}

/// One request: its place, time, outcome, and the digest of what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The account whose credentials made the call.
    pub account: String,
    /// The region of the endpoint, or `global`.
    pub region: String,
    /// The service's IAM prefix (`s3`, `ec2`).
    pub service: String,
    /// The API operation (`GetBucketPolicy`).
    pub operation: String,
    /// What it was asked about, where the call is about one resource (its id or ARN).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// AWS's request id; empty where no answer came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// When the answer (or the failure) arrived, UTC.
    pub time: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// The service's error code, for outcomes that are errors.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The page of a paginated listing, from 1; 1 for everything else.
    pub page: u32,
    /// How many attempts were made, retries included; 0 where nothing was sent (its endpoint had just failed to
    /// answer, or the request could not be built).
    pub attempts: u32,
    /// Lower-case hexadecimal SHA-256 of the response body; empty where no answer came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// The ledger summed up by account, region, service, operation and outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSummary {
    /// Requests by (account, region, service, operation, outcome).
    pub counts: BTreeMap<(String, String, String, String, Outcome), u64>,
}

impl LedgerSummary {
    /// Sums up `entries`.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Self {
        let mut summary = LedgerSummary::default();
        for e in entries {
            let key = (e.account.clone(), e.region.clone(), e.service.clone(), e.operation.clone(), e.outcome);
            *summary.counts.entry(key).or_default() += 1;
        }
        summary
    }

    /// The number of requests with `outcome`.
    pub fn total(&self, outcome: Outcome) -> u64 {
        self.counts.iter().filter(|(k, _)| k.4 == outcome).map(|(_, n)| n).sum()
    }
}
