//! Talking to AWS: credentials and session, endpoints, the model-driven client, the limiter, and the recorder
//! that writes the ledger. Nothing here judges, and no failure is ever turned into an empty answer.

mod breaker;
pub mod client;
pub mod endpoint;
pub mod error;
pub mod limiter;
pub mod protocol;
pub mod record;
pub mod session;

pub use client::{Answer, Aws, Call};
pub use error::{CallError, ErrorClass};
pub use record::Ledger;
pub use session::{ConnectError, Session, Settings};
