//! Whether an event raises an alarm that reaches somebody: the trail that records it, the metric filter or the
//! EventBridge rule that sees it, the alarm that fires on it, the topic that has a subscriber. A link that could not be
//! read, or that is not understood, must never count as there, nor as missing.

pub mod chain;
#[cfg(test)]
mod chain_tests;
pub mod classes;
mod composite;
mod delivery;
pub mod event;
pub mod formula;
mod metric;
pub mod pattern;
