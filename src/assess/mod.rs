//! What the verdicts mean: findings, criteria, coverage.
pub mod criteria;
pub mod fingerprint;
