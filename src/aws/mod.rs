//! Talking to AWS: credentials and session, endpoints, the model-driven client, the limiter, and the recorder
//! that writes the ledger. Nothing here judges, and no failure is ever turned into an empty answer.

pub mod endpoint;
pub mod protocol;
