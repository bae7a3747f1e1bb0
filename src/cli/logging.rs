//! Log lines on stderr, for whoever wants to know what happens: `-v`, `-vv`, or `SOC2SCAN_LOG`.
//!
//! Only this program's own lines are let through, whatever is asked for. The libraries underneath log requests with
//! their signatures, and answers of credential providers whole: a log must never hold a secret.

use super::failure::Failure;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// The variable with filter directives, such as `soc2scan::collect=debug`.
pub(super) const VARIABLE: &str = "SOC2SCAN_LOG";

/// Starts logging. [`VARIABLE`] wins over `verbose`, the number of `-v`.
///
/// # Errors
/// Where the variable holds no filter.
pub(super) fn start(verbose: u8, colour: bool) -> Result<(), Failure> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text)
            .map_err(|e| Failure::with_help(format_args!("{VARIABLE}={text}: {e}"), "example: SOC2SCAN_LOG=debug"))?,
        Err(_) => EnvFilter::new(match verbose {
            0 => "warn",
            1 => "info",
            2 => "debug",
            _ => "trace",
        }),
    };
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_filter(filter);
    let own = filter_fn(|event| event.target().split("::").next() == Some("soc2scan"));
    // A second start (in tests) keeps the first.
    let _already_started = tracing_subscriber::registry().with(lines.with_filter(own)).try_init();
    Ok(())
}
