//! soc2scan reads a cloud estate (AWS first) and judges it against the AICPA Trust Services Criteria.
//!
//! ```text
//! credentials ─▶ aws ─▶ collect ─▶ inventory ─▶ rules ─▶ assess ─▶ report
//!              API calls  resources   snapshot    verdicts  findings   SARIF, JSON, …
//!                             + ledger                      criteria
//! ```
//!
//! The left wing acts on the world ([`aws`], above it [`collect`]); the right wing only thinks ([`semantics`],
//! [`rules`], [`assess`]). They never import each other: they meet in [`model`] (what AWS's APIs look like) and
//! [`inventory`] (what was seen). [`report`] and [`cli`] are the roof.
//!
//! The promise that every module keeps: **no green without proof.** What could not be read is unknown, from one
//! API call up to the criterion.

pub mod assess;
pub mod aws;
pub mod cli;
pub mod collect;
pub mod config;
pub mod embedded;
pub mod inventory;
pub mod mistake;
pub mod model;
pub mod report;
pub mod rules;
pub mod semantics;
