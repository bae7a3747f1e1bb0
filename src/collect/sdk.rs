//! The real AWS behind [`Api`]: the model-driven client, and the typed clients of IAM and S3 where there is a flow to
//! follow: the credential report, the authorization details, which buckets there are and in which region each one is.
//!
//! The documents of typed calls too are decoded by our own models, so that every resource has AWS's own names.

use super::api::{Api, ApiCall, ApiError};
use crate::aws::{Aws, Call, CallError, ErrorClass};
use crate::inventory::LedgerEntry;
use aws_sdk_iam::types::EntityType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde_json::Value;
use std::error::Error;
use std::sync::Mutex;

impl Api for Aws {
    fn account(&self) -> &str {
        Aws::account(self)
    }

    fn partition(&self) -> &str {
        Aws::partition(self)
    }

    fn principal(&self) -> &str {
        Aws::principal(self)
    }

    fn home_region(&self) -> &str {
        self.region()
    }

    async fn call(&self, call: ApiCall<'_>) -> Result<Value, ApiError> {
        let absent_on: Vec<&str> = call.absent_on.iter().map(String::as_str).collect();
        match (call.service, call.operation) {
            ("iam", "GenerateCredentialReport") => {
                let send = self.iam().generate_credential_report().send();
                typed(self, one(&call, &absent_on), send).await
            }
            ("iam", "GetCredentialReport") => {
                let send = self.iam().get_credential_report().send();
                typed(self, one(&call, &absent_on), send).await
            }
            ("s3", "HeadBucket") => {
                let send = self.s3(call.region).head_bucket().set_bucket(text(&call.params, "Bucket")).send();
                typed(self, one(&call, &absent_on), send).await
            }
            ("s3", "GetBucketLocation") => {
                let send = self.s3(call.region).get_bucket_location().set_bucket(text(&call.params, "Bucket")).send();
                typed(self, one(&call, &absent_on), send).await
            }
            _ => Aws::call(self, one(&call, &absent_on)).await.map(|answer| answer.body).map_err(error),
        }
    }

    async fn pages(&self, call: ApiCall<'_>, page: &mut (dyn FnMut(Value) + Send)) -> Result<(), ApiError> {
        let absent_on: Vec<&str> = call.absent_on.iter().map(String::as_str).collect();
        match (call.service, call.operation) {
            ("iam", "GetAccountAuthorizationDetails") => authorization_details(self, &call, &absent_on, page).await,
            ("s3", "ListBuckets") => buckets(self, &call, &absent_on, page).await,
            _ => Aws::pages(self, one(&call, &absent_on), page).await.map(drop).map_err(error),
        }
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        Aws::ledger(self).entries()
    }
}

fn one<'c>(call: &'c ApiCall<'_>, absent_on: &'c [&'c str]) -> Call<'c> {
    let params = call.params.clone();
    Call::new(call.service, call.operation, call.region).params(params).subject(call.subject).absent_on(absent_on)
}

fn error(e: CallError) -> ApiError {
    let reason = e.cause("").reason;
    ApiError {
        reason,
        unsupported: e.class == ErrorClass::Unsupported,
        absent: e.absent,
        code: e.code,
        message: e.message,
        request_id: e.request_id,
        elsewhere: None,
    }
}

/// Makes a typed call; where S3 says which region it should have gone to, the error says so.
async fn typed<T, E>(
    aws: &Aws,
    call: Call<'_>,
    send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<Value, ApiError>
where
    E: Error + 'static,
{
    let elsewhere = Mutex::new(None);
    let watched = async {
        let result = send.await;
        if let Some(response) = result.as_ref().err().and_then(SdkError::raw_response) {
            let region = response.headers().get("x-amz-bucket-region").map(str::to_owned);
            *elsewhere.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = region;
        }
        result
    };
    let answer = aws.capture(call, watched).await;
    let elsewhere = elsewhere.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    answer.map(|(_, document)| document).map_err(|e| ApiError { elsewhere, ..error(e) })
}

fn text(params: &Value, name: &str) -> Option<String> {
    params.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn number(params: &Value, name: &str) -> Option<i32> {
    params.get(name).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}

/// All pages of the authorization details, by the marker that IAM gives.
async fn authorization_details(
    aws: &Aws,
    call: &ApiCall<'_>,
    absent_on: &[&str],
    page: &mut (dyn FnMut(Value) + Send),
) -> Result<(), ApiError> {
    let filter = call.params.get("Filter").and_then(Value::as_array);
    let filter: Vec<EntityType> =
        filter.into_iter().flatten().filter_map(Value::as_str).map(EntityType::from).collect();
    let size = number(&call.params, "MaxItems");
    let mut marker: Option<String> = None;
    for number in 1.. {
        let request = aws.iam().get_account_authorization_details().set_filter(Some(filter.clone()));
        let request = request.set_max_items(size).set_marker(marker.clone());
        let answer = typed(aws, Call { page: number, ..one(call, absent_on) }, request.send()).await?;
        let truncated = answer.get("IsTruncated") == Some(&Value::Bool(true));
        let next = text(&answer, "Marker").filter(|_| truncated);
        page(answer);
        match next {
            Some(next) if marker.as_ref() == Some(&next) => return Err(repeated()),
            Some(next) => marker = Some(next),
            None if truncated => return Err(ApiError::malformed("there is more, and no marker to ask for it")),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// All pages of the buckets.
async fn buckets(
    aws: &Aws,
    call: &ApiCall<'_>,
    absent_on: &[&str],
    page: &mut (dyn FnMut(Value) + Send),
) -> Result<(), ApiError> {
    let size = number(&call.params, "MaxBuckets");
    let mut token: Option<String> = None;
    for number in 1.. {
        let request = aws.s3(call.region).list_buckets().set_max_buckets(size).set_continuation_token(token.clone());
        let answer = typed(aws, Call { page: number, ..one(call, absent_on) }, request.send()).await?;
        let next = text(&answer, "ContinuationToken").filter(|t| !t.is_empty());
        page(answer);
        match next {
            Some(next) if token.as_ref() == Some(&next) => return Err(repeated()),
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
    Ok(())
}

fn repeated() -> ApiError {
    ApiError::malformed("the token of the next page came a second time")
}
