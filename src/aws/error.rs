//! What went wrong with a call, and which kind of failure it was.
//!
//! The kinds decide what a scan may conclude, so the rule is strict: a refusal is never read as anything else, and
//! only a definite answer of the service makes something absent or unsupported.

use crate::inventory::{Cause, Outcome, Reason};
use aws_credential_types::provider::error::CredentialsError;
use std::error::Error;
use std::fmt;

/// The kind of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Not allowed: by the caller's policies, a boundary, an organization's policy, or a resource's policy.
    Denied,
    /// Throttled until the retries were used up.
    Throttled,
    /// The service knows no such thing.
    NotFound,
    /// The service or operation is not offered there, or the account is not subscribed to it.
    Unsupported,
    /// The credentials ended.
    ExpiredCredentials,
    /// No connection, or no answer in time.
    Unreachable,
    /// An answer came, and is not what the API model says, or was cut off.
    Malformed,
    /// Any other failure.
    Other,
}

/// A call that gave no answer to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The service, by botocore's name (`ec2`).
    pub service: String,
    /// The operation (`DescribeVolumes`).
    pub operation: String,
    /// The account whose credentials made the call; empty before it is known.
    pub account: String,
    /// The region code, or `global`.
    pub region: String,
    /// The kind of failure.
    pub class: ErrorClass,
    /// The service's error code; a word of ours (`Timeout`, `ConnectFailed`, …) where no answer came.
    pub code: String,
    /// One line for a person, from AWS or from us; hostile until escaped.
    pub message: String,
    /// AWS's request id; empty where no answer came.
    pub request_id: String,
    /// The HTTP status; 0 where no answer came.
    pub status: u16,
    /// The code is one of those that the call named as "not configured": a definite answer, not a failure.
    pub absent: bool,
}

impl CallError {
    /// Why something could not be observed, for the IAM action `action` that the operation needs.
    pub fn cause(&self, action: &str) -> Cause {
        Cause {
            reason: self.class.reason(),
            action: action.to_owned(),
            account: self.account.clone(),
            region: self.region.clone(),
            code: self.code.clone(),
            message: self.message.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// Which kind of policy refused, where AWS's message names it (`service control policy`).
    pub fn denied_by(&self) -> Option<&'static str> {
        const POLICIES: &[&str] = &[
            "service control policy",
            "resource control policy",
            "permissions boundary",
            "session policy",
            "VPC endpoint policy",
            "resource-based policy",
            "identity-based policy",
        ];
        if self.class != ErrorClass::Denied {
            return None;
        }
        let message = self.message.to_ascii_lowercase();
        POLICIES.iter().find(|p| message.contains(&p.to_ascii_lowercase())).copied()
    }

    /// What the ledger says became of the call.
    pub(super) fn outcome(&self) -> Outcome {
        if self.absent {
            return Outcome::Empty;
        }
        match self.class {
            ErrorClass::Denied => Outcome::Denied,
            ErrorClass::Throttled => Outcome::Throttled,
            ErrorClass::Unsupported => Outcome::Unsupported,
            ErrorClass::Unreachable => Outcome::Unreachable,
            ErrorClass::NotFound | ErrorClass::ExpiredCredentials | ErrorClass::Malformed | ErrorClass::Other => {
                Outcome::Failed
            }
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} in {} failed", self.service, self.operation, self.region)?;
        if !self.code.is_empty() {
            write!(f, ": {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl Error for CallError {}

impl ErrorClass {
    fn reason(self) -> Reason {
        match self {
            ErrorClass::Denied => Reason::Denied,
            ErrorClass::Throttled => Reason::Throttled,
            ErrorClass::ExpiredCredentials => Reason::ExpiredCredentials,
            ErrorClass::Unreachable => Reason::Unreachable,
            ErrorClass::Malformed => Reason::Malformed,
            ErrorClass::NotFound | ErrorClass::Unsupported | ErrorClass::Other => Reason::Failed,
        }
    }
}

/// Codes of all services that mean: these credentials have ended.
const EXPIRED: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "ExpiredCredentials"];

/// Codes of all services that mean: not allowed. Codes with status 401 or 403 need not be listed; the query
/// services answer some of these with 400.
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedExceptionException",
    "AccessDeniedFault",
    "AccessForbidden",
    "AllAccessDisabled",
    "AuthFailure",
    "AuthorizationError",
    "AuthorizationErrorException",
    "AuthorizationFailure",
    "Blocked",
    "Forbidden",
    "ForbiddenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InsufficientPrivilegesException",
    "InvalidAccessException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "KMSAccessDeniedException",
    "KMSAccessDeniedFault",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "NotAuthorizedException",
    "OperationNotPermitted",
    "OperationNotPermittedException",
    "SignatureDoesNotMatch",
    "Unauthorized",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnauthorizedOperationException",
    "UnrecognizedClientException",
];

/// Codes that mean: too many requests. Those that the SDK retries as throttling, and their like.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes that mean: the service or operation is not to be had there. `UnsupportedOperation` and `NotImplemented`
/// are not among them: they say something about one resource, or about an emulator.
const UNSUPPORTED: &[&str] = &[
    "InvalidAction",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnknownOperation",
    "UnknownOperationException",
];

/// The kind of a failure that a service answered with.
pub fn classify(code: &str, status: u16, message: &str) -> ErrorClass {
    let code = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    let is = |codes: &[&str]| codes.contains(&code);
    if is(EXPIRED) || message.contains("security token included in the request is expired") {
        ErrorClass::ExpiredCredentials
    } else if is(DENIED) {
        ErrorClass::Denied
    } else if is(THROTTLED) || status == 429 {
        ErrorClass::Throttled
    } else if is(UNSUPPORTED) {
        ErrorClass::Unsupported
    } else if code == "RequestTimeTooSkewed" {
        ErrorClass::Other
    } else if matches!(status, 401 | 403) || code.contains("AccessDenied") || code.contains("NotAuthorized") {
        ErrorClass::Denied
    } else if status == 404 || is_not_found(code) {
        ErrorClass::NotFound
    } else {
        ErrorClass::Other
    }
}

fn is_not_found(code: &str) -> bool {
    let name = code.trim_end_matches("Exception").trim_end_matches("Fault").trim_end_matches("Error");
    name.ends_with("NotFound") || name.starts_with("NoSuch")
}

/// Whether an answered error is one of `absent_on`, the codes that a call names as "not configured".
///
/// An entry is a code, or a code and a part of the message (`InvalidAccessException: not subscribed`). A refusal,
/// throttling and the like are never absence, unless an entry names the message too.
pub(super) fn is_absent<S: AsRef<str>>(absent_on: &[S], class: ErrorClass, code: &str, message: &str) -> bool {
    let definite = matches!(class, ErrorClass::NotFound | ErrorClass::Other | ErrorClass::Unsupported);
    absent_on.iter().any(|entry| match entry.as_ref().split_once(':') {
        Some((wanted, part)) => wanted == code && message.contains(part.trim()),
        None => definite && entry.as_ref() == code,
    })
}

/// A message as one line that is fit to be kept: AWS appends the whole signed request, session token included, to
/// some signature errors, on lines of its own.
pub(super) fn one_line(message: &str) -> String {
    const MAX: usize = 600;
    let line = message.trim().lines().next().unwrap_or_default().trim_end();
    match line.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// An error and its sources, each once, as one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = Some(error);
    while let Some(error) = at {
        let text = one_line(&error.to_string());
        if !text.is_empty() && !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
        at = error.source();
    }
    one_line(&parts.join(": "))
}

/// The failure to get credentials in an error's sources, if that is what it was.
pub(super) fn credentials_failure<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<CredentialsError>() {
            return Some(found);
        }
        at = error.source();
    }
    None
}

/// Whether the text of an error says that a host name does not exist (and not that it could not be asked for).
pub(super) fn is_unknown_host(text: &str) -> bool {
    let lookup = text.contains("dns error") || text.contains("failed to lookup address");
    lookup && !text.contains("Temporary failure") && !text.contains("try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: ErrorClass, message: &str) -> CallError {
        CallError {
            service: "ec2".into(),
            operation: "DescribeVolumes".into(),
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            class,
            code: "UnauthorizedOperation".into(),
            message: message.into(),
            request_id: "r-1".into(),
            status: 403,
            absent: false,
        }
    }

    #[test]
    fn a_refusal_is_denied_whatever_its_status_and_spelling() {
        for (code, status) in [
            ("AccessDenied", 403),
            ("AccessDeniedException", 400),
            ("UnauthorizedOperation", 403),
            ("Client.UnauthorizedOperation", 403),
            ("AuthorizationError", 403),
            ("AuthFailure", 401),
            ("UnrecognizedClientException", 400),
            ("InvalidClientTokenId", 403),
            ("SomethingNewNotFound", 403),
            ("", 403),
            ("", 401),
            ("FooAccessDeniedBar", 400),
        ] {
            assert_eq!(classify(code, status, ""), ErrorClass::Denied, "{code} {status}");
        }
    }

    #[test]
    fn the_other_kinds_are_told_by_code_and_status() {
        for (code, status, class) in [
            ("ExpiredToken", 403, ErrorClass::ExpiredCredentials),
            ("ExpiredTokenException", 400, ErrorClass::ExpiredCredentials),
            ("RequestExpired", 400, ErrorClass::ExpiredCredentials),
            ("Throttling", 400, ErrorClass::Throttled),
            ("ThrottlingException", 403, ErrorClass::Throttled),
            ("RequestLimitExceeded", 503, ErrorClass::Throttled),
            ("SlowDown", 503, ErrorClass::Throttled),
            ("", 429, ErrorClass::Throttled),
            ("NoSuchBucketPolicy", 404, ErrorClass::NotFound),
            ("NoSuchEntity", 404, ErrorClass::NotFound),
            ("InvalidSnapshot.NotFound", 400, ErrorClass::NotFound),
            ("DBInstanceNotFoundFault", 400, ErrorClass::NotFound),
            ("ServerSideEncryptionConfigurationNotFoundError", 400, ErrorClass::NotFound),
            ("ResourceNotFoundException", 400, ErrorClass::NotFound),
            ("OptInRequired", 403, ErrorClass::Unsupported),
            ("SubscriptionRequiredException", 400, ErrorClass::Unsupported),
            ("UnknownOperationException", 404, ErrorClass::Unsupported),
            ("RequestTimeTooSkewed", 403, ErrorClass::Other),
            ("ValidationException", 400, ErrorClass::Other),
            ("NotImplemented", 501, ErrorClass::Other),
            ("InternalFailure", 500, ErrorClass::Other),
            ("ServiceUnavailable", 503, ErrorClass::Other),
        ] {
            assert_eq!(classify(code, status, ""), class, "{code} {status}");
        }
        let message = "The security token included in the request is expired";
        assert_eq!(classify("UnrecognizedClientException", 400, message), ErrorClass::ExpiredCredentials);
    }

    #[test]
    fn a_refusal_is_never_absence_unless_its_message_is_named_too() {
        assert!(is_absent(&["NoSuchBucketPolicy"], ErrorClass::NotFound, "NoSuchBucketPolicy", ""));
        assert!(!is_absent(&["NoSuchBucketPolicy"], ErrorClass::NotFound, "NoSuchBucket", ""));
        assert!(!is_absent(&["AccessDenied"], ErrorClass::Denied, "AccessDenied", ""));
        assert!(!is_absent(&["Throttling"], ErrorClass::Throttled, "Throttling", ""));
        let entry = ["InvalidAccessException: not subscribed"];
        let message = "Account 1 is not subscribed to AWS Security Hub";
        assert!(is_absent(&entry, ErrorClass::Denied, "InvalidAccessException", message));
        assert!(!is_absent(&entry, ErrorClass::Denied, "InvalidAccessException", "you may not"));
    }

    #[test]
    fn a_cause_names_the_action_the_place_and_the_answer() {
        let cause = error(ErrorClass::Denied, "no").cause("ec2:DescribeVolumes");
        assert_eq!(cause.to_string(), "ec2:DescribeVolumes was denied in eu-west-1 (UnauthorizedOperation)");
        assert_eq!((cause.account.as_str(), cause.request_id.as_str()), ("123456789012", "r-1"));
    }

    #[test]
    fn the_policy_that_refused_is_named_where_aws_names_it() {
        let scp = "User: x is not authorized to perform: y with an explicit deny in a service control policy";
        assert_eq!(error(ErrorClass::Denied, scp).denied_by(), Some("service control policy"));
        assert_eq!(error(ErrorClass::Denied, "no").denied_by(), None);
        assert_eq!(error(ErrorClass::Other, scp).denied_by(), None);
    }

    #[test]
    fn the_signed_request_that_aws_echoes_is_dropped() {
        let message = "The request signature does not match.\n\nThe Canonical String was\nx-amz-security-token:SECRET";
        assert_eq!(one_line(message), "The request signature does not match.");
        assert!(one_line(&"é".repeat(5000)).chars().count() <= 601);
    }

    #[test]
    fn only_a_name_that_does_not_exist_is_an_unknown_host() {
        assert!(is_unknown_host("dns error: failed to lookup address information: Name or service not known"));
        assert!(!is_unknown_host(
            "dns error: failed to lookup address information: Temporary failure in name resolution"
        ));
        assert!(!is_unknown_host("tcp connect error: Connection refused"));
    }
}
