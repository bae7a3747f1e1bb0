//! What collecting asks of AWS, as a trait: the real client implements it, and tests do in memory.

use crate::inventory::{Cause, LedgerEntry, Reason};
use serde_json::Value;
use std::future::Future;

/// One request to make.
#[derive(Clone, Debug)]
pub struct ApiCall<'a> {
    /// The service, as its model is named (`rds`).
    pub service: &'a str,
    /// The operation (`DescribeDBInstances`).
    pub operation: &'a str,
    /// The region code, or [`crate::inventory::resource::GLOBAL`] for the endpoint of the partition.
    pub region: &'a str,
    /// The parameters, in the API's own names.
    pub params: Value,
    /// What it is about, where that is one resource: its id. Written into the ledger.
    pub subject: &'a str,
    /// Error codes that mean "there is none"; a code, or `Code: part of the message`.
    pub absent_on: &'a [String],
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The class of the failure.
    pub reason: Reason,
    /// The service or operation is not offered in that region.
    pub unsupported: bool,
    /// The error is one of those that the call named as "there is none": an answer, not a failure.
    pub absent: bool,
    /// The service's error code; empty where no answer came.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// The request id; empty where no answer came.
    pub request_id: String,
    /// The region that the service says it should have been asked in.
    pub elsewhere: Option<String>,
}

impl ApiError {
    /// The cause to write down, for a request that needs `action`.
    pub fn cause(&self, action: &str, account: &str, region: &str) -> Cause {
        Cause {
            reason: self.reason,
            action: action.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            code: self.code.clone(),
            message: self.message.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// An answer that came and is not what the API model says.
    pub(super) fn malformed(message: impl Into<String>) -> ApiError {
        ApiError {
            reason: Reason::Malformed,
            unsupported: false,
            absent: false,
            code: String::new(),
            message: message.into(),
            request_id: String::new(),
            elsewhere: None,
        }
    }
}

/// Where requests go.
pub trait Api: Send + Sync {
    /// The 12-digit account id that the credentials are of.
    fn account(&self) -> &str;

    /// The partition of that account (`aws`).
    fn partition(&self) -> &str;

    /// The ARN of the caller.
    fn principal(&self) -> &str;

    /// The region that the session is in; account-wide questions to regional services are asked there.
    fn home_region(&self) -> &str;

    /// Makes one request.
    fn call(&self, call: ApiCall<'_>) -> impl Future<Output = Result<Value, ApiError>> + Send;

    /// Makes a request and all that follow by its pagination; each page is given to `page` as it comes. An error
    /// after some pages ends it; the pages before it were given.
    fn pages(
        &self,
        call: ApiCall<'_>,
        page: &mut (dyn FnMut(Value) + Send),
    ) -> impl Future<Output = Result<(), ApiError>> + Send;

    /// What was written into the ledger so far.
    fn ledger(&self) -> Vec<LedgerEntry>;
}
