//! Buckets: in which region each one lives.
//!
//! The listing says it where AWS is recent. Where it does not, three more sources know: the answer or the refusal
//! of `HeadBucket` (S3 names the region even to who may not enter), and `GetBucketLocation`. A bucket whose region
//! none of them gives stays where it is, with its region unknown.

use super::api::{Api, ApiError};
use super::declaration::{Request, Typed};
use super::fetch::Fetcher;
use crate::inventory::Cause;
use crate::inventory::resource::GLOBAL;
use serde_json::{Map, Value};

/// The region of a bucket; else why it is not known.
pub(super) async fn bucket_region<A: Api>(
    fetcher: &Fetcher<'_, A>,
    typed: &Typed,
    params: Map<String, Value>,
    bucket: &str,
) -> Result<String, Cause> {
    let mut failure = None;
    for request in &typed.may_call {
        match fetcher.answer(request, params.clone().into(), GLOBAL, bucket).await {
            Ok(answer) => match region_in(request, &answer) {
                Some(region) => return Ok(region),
                None => failure = Some((request, ApiError::malformed("the answer does not say the region"))),
            },
            Err(ApiError { elsewhere: Some(region), .. }) => return Ok(region),
            Err(error) => failure = Some((request, error)),
        }
    }
    Err(match failure {
        Some((request, error)) => fetcher.cause(request, &error, GLOBAL),
        None => ApiError::malformed("the listing does not say the region").cause("", fetcher.api().account(), GLOBAL),
    })
}

/// `GetBucketLocation` writes the two oldest regions in ways of its own: nothing for the first, `EU` for the
/// second (S3 API reference, `LocationConstraint`).
fn region_in(request: &Request, answer: &Value) -> Option<String> {
    if request.operation == "GetBucketLocation" {
        return Some(match answer.get("LocationConstraint").and_then(Value::as_str) {
            None | Some("") => "us-east-1".to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        });
    }
    answer.get("BucketRegion").and_then(Value::as_str).map(str::to_owned)
}
