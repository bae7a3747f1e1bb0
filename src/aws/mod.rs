//! Talking to AWS.
pub mod protocol;
