//! IAM policy documents: what they state ([`document`]), whom a resource's policy lets in ([`who`]), what an
//! identity's policies allow ([`grants`]), who can take a role ([`trust`]), and which requests a policy refuses
//! ([`transport`]). Knows no rule; anything that is not understood is unknown, never fine.

mod condition;
pub mod document;
pub mod escalation;
pub mod grants;
mod matching;
pub mod transport;
pub mod trust;
pub mod who;

pub use document::Document;
pub use matching::Pattern;
pub use transport::{denies_insecure_transport, denies_tls_below};
pub use who::{Audience, Grant, public_grants, who};

/// What is known of the resource that a policy belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The account that owns the resource.
    pub account: &'a str,
    /// Its partition (`aws`, `aws-cn`, …).
    pub partition: &'a str,
    /// The account's organization id, where it is known.
    pub organization: Option<&'a str>,
    /// The resource's ARN, where it has one.
    pub resource: Option<&'a str>,
}
