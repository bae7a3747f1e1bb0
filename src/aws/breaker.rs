//! Which endpoints do not answer: after the first call that got no answer at all from a service in a region,
//! further ones there fail at once instead of each waiting for its timeouts.
//!
//! After a pause one call is let through to see whether the endpoint is back; the pause doubles each time it is
//! not, so a region that is cut off costs a scan little, and a network that stumbled is found again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The first pause before an endpoint is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// What is known of each endpoint, by region and service.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    endpoints: Arc<Mutex<HashMap<(String, String), Endpoint>>>,
}

#[derive(Debug, Default)]
struct Endpoint {
    last_answer: Option<Instant>,
    silent: Option<Silent>,
}

#[derive(Debug)]
struct Silent {
    /// Why, as the call that found out was told.
    reason: String,
    since: Instant,
    try_again: Instant,
    pause: Duration,
}

impl Breaker {
    /// `None` if a call may be made; otherwise why not. A call that is let through after a pause tries for the
    /// others, which go on failing until it has its answer.
    pub(super) fn silent(&self, region: &str, service: &str) -> Option<String> {
        let mut endpoints = self.endpoints();
        let silent = endpoints.get_mut(&key(region, service))?.silent.as_mut()?;
        let now = Instant::now();
        if now >= silent.try_again {
            silent.try_again = now + silent.pause;
            return None;
        }
        Some(silent.reason.clone())
    }

    /// A call that was `started` then got no answer. It says nothing if others were answered meanwhile, or if the
    /// endpoint was found silent while it was under way.
    pub(super) fn no_answer(&self, region: &str, service: &str, started: Instant, reason: &str) {
        let mut endpoints = self.endpoints();
        let endpoint = endpoints.entry(key(region, service)).or_default();
        let known_since = endpoint.silent.as_ref().map(|s| s.since);
        if endpoint.last_answer.max(known_since).is_some_and(|at| at > started) {
            return;
        }
        let now = Instant::now();
        let pause = endpoint.silent.as_ref().map_or(FIRST_PAUSE, |s| (s.pause * 2).min(LONGEST_PAUSE));
        endpoint.silent = Some(Silent { reason: reason.to_owned(), since: now, try_again: now + pause, pause });
    }

    /// An answer came, whatever it said.
    pub(super) fn answered(&self, region: &str, service: &str) {
        let mut endpoints = self.endpoints();
        *endpoints.entry(key(region, service)).or_default() =
            Endpoint { last_answer: Some(Instant::now()), silent: None };
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<(String, String), Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(region: &str, service: &str) -> (String, String) {
    (region.to_owned(), service.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_endpoint_that_is_silent_is_closed() {
        let breaker = Breaker::default();
        breaker.no_answer("eu-west-1", "rds", Instant::now(), "connect timeout");
        assert_eq!(breaker.silent("eu-west-1", "rds").as_deref(), Some("connect timeout"));
        assert_eq!(breaker.silent("eu-west-1", "ec2"), None);
        assert_eq!(breaker.silent("eu-west-2", "rds"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_beside_answered_ones_closes_nothing() {
        let breaker = Breaker::default();
        let started = Instant::now();
        pass(1).await;
        breaker.answered("eu-west-1", "rds");
        pass(60).await;
        breaker.no_answer("eu-west-1", "rds", started, "deadline");
        assert_eq!(breaker.silent("eu-west-1", "rds"), None);
        breaker.no_answer("eu-west-1", "rds", Instant::now(), "deadline");
        assert!(breaker.silent("eu-west-1", "rds").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_tries_again_after_a_pause_that_doubles() {
        let breaker = Breaker::default();
        breaker.no_answer("eu-west-1", "rds", Instant::now(), "down");
        pass(14).await;
        assert!(breaker.silent("eu-west-1", "rds").is_some());
        pass(1).await;
        assert_eq!(breaker.silent("eu-west-1", "rds"), None, "one is let through");
        assert!(breaker.silent("eu-west-1", "rds").is_some(), "the others are not");
        breaker.no_answer("eu-west-1", "rds", Instant::now(), "still down");
        pass(29).await;
        assert!(breaker.silent("eu-west-1", "rds").is_some());
        pass(1).await;
        assert_eq!(breaker.silent("eu-west-1", "rds"), None);
        breaker.answered("eu-west-1", "rds");
        assert_eq!(breaker.silent("eu-west-1", "rds"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_under_way_do_not_lengthen_the_pause() {
        let breaker = Breaker::default();
        let started = Instant::now();
        pass(3).await;
        for _ in 0..50 {
            breaker.no_answer("eu-west-1", "rds", started, "down");
        }
        pass(15).await;
        assert_eq!(breaker.silent("eu-west-1", "rds"), None);
    }
}
