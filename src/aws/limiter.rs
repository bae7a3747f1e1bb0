//! How fast AWS is asked: a token bucket for each account, region and service, and a bound on requests in flight.
//!
//! AWS throttles per account, region and service, and what a scan uses up is missing in production. So a bucket
//! never goes above the ceiling, halves when AWS says "slow down", and recovers by one request per second each
//! second. A bucket that waits never holds up another: the slot in flight is taken after the token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The lowest rate that throttling brings a bucket to, in requests per second.
const FLOOR: f64 = 0.5;

/// Throttling that comes within this time of the last slow-down belongs to the same burst.
const BURST_WINDOW: Duration = Duration::from_secs(1);

/// What a bucket is for: account, region, service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The 12-digit account id; empty before it is known.
    pub account: String,
    /// The region code, or `global`.
    pub region: String,
    /// The service, by botocore's name.
    pub service: String,
}

/// All buckets, and the requests in flight.
#[derive(Clone, Debug)]
pub struct Limiter {
    ceiling: f64,
    in_flight: Arc<Semaphore>,
    buckets: Arc<Mutex<HashMap<Key, Arc<Bucket>>>>,
}

/// Leave to make one request; the slot in flight is free again when it is dropped.
#[derive(Debug)]
pub struct Permit {
    _slot: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Bucket {
    /// Waiters queue here, first come, first served.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests per second.
    rate: f64,
    /// What may be sent at once; below zero after retries, which are not held up but paid back.
    tokens: f64,
    refilled: Instant,
    slowed: Option<Instant>,
}

impl Limiter {
    /// A limiter with at most `max_rps` requests per second for each account, region and service, and at most
    /// `in_flight` requests at a time in all. Both are at least what lets a scan go on.
    pub fn new(max_rps: f64, in_flight: usize) -> Self {
        let ceiling = if max_rps.is_finite() { max_rps.max(FLOOR) } else { f64::from(u16::MAX) };
        let in_flight = Arc::new(Semaphore::new(in_flight.clamp(1, Semaphore::MAX_PERMITS)));
        Limiter { ceiling, in_flight, buckets: Arc::default() }
    }

    /// Waits until a request may be made.
    pub async fn acquire(&self, key: &Key) -> Permit {
        let bucket = self.bucket(key);
        let turn = bucket.turn.lock().await;
        loop {
            let wait = bucket.state().take(self.ceiling);
            match wait {
                None => break,
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
        drop(turn);
        Permit { _slot: self.in_flight.clone().acquire_owned().await.ok() }
    }

    /// Accounts for a request that was not waited for: a retry, which has its own pause.
    pub fn charge(&self, key: &Key) {
        let bucket = self.bucket(key);
        let mut state = bucket.state();
        state.refill(self.ceiling);
        state.tokens -= 1.0;
    }

    /// AWS said "slow down": halves the rate, once for each burst.
    pub fn throttled(&self, key: &Key) {
        let bucket = self.bucket(key);
        let mut state = bucket.state();
        let now = Instant::now();
        if state.slowed.is_some_and(|at| now.duration_since(at) < BURST_WINDOW) {
            return;
        }
        state.refill(self.ceiling);
        state.slowed = Some(now);
        state.rate = (state.rate / 2.0).max(FLOOR);
        state.tokens = state.tokens.min(0.0);
    }

    /// AWS answered without complaint: the rate recovers, by one request per second for each second of answers.
    pub fn answered(&self, key: &Key) {
        let bucket = self.bucket(key);
        let mut state = bucket.state();
        state.rate = (state.rate + 1.0 / state.rate.max(1.0)).min(self.ceiling);
    }

    /// The rate of a bucket now, in requests per second.
    pub fn rate(&self, key: &Key) -> f64 {
        self.bucket(key).state().rate
    }

    fn bucket(&self, key: &Key) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(key) {
            return bucket.clone();
        }
        let state = State { rate: self.ceiling, tokens: burst(self.ceiling), refilled: Instant::now(), slowed: None };
        let bucket = Arc::new(Bucket { turn: tokio::sync::Mutex::default(), state: Mutex::new(state) });
        buckets.insert(key.clone(), bucket.clone());
        bucket
    }
}

impl Bucket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a token, or says how long until there is one.
    fn take(&mut self, ceiling: f64) -> Option<Duration> {
        self.refill(ceiling);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        // At least a millisecond, the timer's resolution, so that rounding never makes a busy loop.
        Some(Duration::from_secs_f64((1.0 - self.tokens) / self.rate).max(Duration::from_millis(1)))
    }

    fn refill(&mut self, ceiling: f64) {
        let now = Instant::now();
        let earned = now.duration_since(self.refilled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + earned).min(burst(self.rate.min(ceiling)));
        self.refilled = now;
    }
}

/// What may be sent at once after a pause: half a second's worth, at least one.
fn burst(rate: f64) -> f64 {
    (rate / 2.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(service: &str) -> Key {
        Key { account: "123456789012".into(), region: "eu-west-1".into(), service: service.into() }
    }

    async fn seconds_for(limiter: &Limiter, key: &Key, requests: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            limiter.acquire(key).await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn the_ceiling_holds() {
        let limiter = Limiter::new(10.0, 100);
        let took = seconds_for(&limiter, &key("ec2"), 105).await;
        assert!((9.9..10.5).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_halves_the_rate_once_for_each_burst_and_never_to_nothing() {
        let limiter = Limiter::new(16.0, 100);
        let ec2 = key("ec2");
        for _ in 0..5 {
            limiter.throttled(&ec2);
        }
        assert_eq!(limiter.rate(&ec2), 8.0);
        for _ in 0..20 {
            tokio::time::advance(Duration::from_secs(2)).await;
            limiter.throttled(&ec2);
        }
        assert_eq!(limiter.rate(&ec2), FLOOR);
        assert_eq!(limiter.rate(&key("rds")), 16.0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_recovers_by_one_per_second_and_stops_at_the_ceiling() {
        let limiter = Limiter::new(8.0, 100);
        let ec2 = key("ec2");
        limiter.throttled(&ec2);
        assert_eq!(limiter.rate(&ec2), 4.0);
        for _ in 0..4 {
            limiter.answered(&ec2);
        }
        assert!((4.9..5.1).contains(&limiter.rate(&ec2)), "{}", limiter.rate(&ec2));
        for _ in 0..1000 {
            limiter.answered(&ec2);
        }
        assert_eq!(limiter.rate(&ec2), 8.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_slows_down_with_its_bucket() {
        let limiter = Limiter::new(10.0, 100);
        let ec2 = key("ec2");
        seconds_for(&limiter, &ec2, 5).await;
        limiter.throttled(&ec2);
        let took = seconds_for(&limiter, &ec2, 10).await;
        assert!((1.9..2.5).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_paid_back() {
        let limiter = Limiter::new(10.0, 100);
        let ec2 = key("ec2");
        seconds_for(&limiter, &ec2, 5).await;
        for _ in 0..10 {
            limiter.charge(&ec2);
        }
        let took = seconds_for(&limiter, &ec2, 1).await;
        assert!((1.0..1.3).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_in_flight_are_bounded_and_a_waiting_bucket_holds_no_slot() {
        let limiter = Limiter::new(1.0, 1);
        let first = limiter.acquire(&key("ec2")).await;
        let other = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire(&key("rds")).await }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!other.is_finished());
        drop(first);
        drop(other.await.unwrap());
        // The bucket of ec2 is empty again: its waiter must not hold the only slot.
        limiter.acquire(&key("ec2")).await;
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire(&key("ec2")).await }
        });
        tokio::task::yield_now().await;
        let start = Instant::now();
        limiter.acquire(&key("iam")).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        waiting.await.unwrap();
    }

    #[test]
    fn a_limiter_that_would_let_nothing_through_cannot_be_made() {
        for rps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async { drop(Limiter::new(rps, 0).acquire(&key("ec2")).await) });
        }
    }
}
