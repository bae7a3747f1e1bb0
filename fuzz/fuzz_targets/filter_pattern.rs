//! Any bytes as a filter pattern of CloudWatch Logs, and as an event pattern of EventBridge: each is read or refused, and
//! what is read is compared with every kind of event, without a crash or a hang. Spaces change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soc2scan_fuzz::semantics::alarm::classes::{self, Class, Owner};
use soc2scan_fuzz::semantics::alarm::formula::{Cover, Formula};
use soc2scan_fuzz::semantics::alarm::{event, pattern};
use std::sync::LazyLock;

static KINDS: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let owner = Owner { account: "111122223333", partition: "aws" };
    classes::NAMES.iter().filter_map(|name| classes::class(name, owner)).collect()
});

fn covers(read: &Result<Formula, String>) -> Option<Vec<Cover>> {
    let formula = read.as_ref().ok()?;
    // The records of a kind differ in names only.
    Some(KINDS.iter().filter_map(|kind| kind.records.first()).map(|record| formula.covers(record)).collect())
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = covers(&event::parse(&text));
    for pattern in [text.to_string(), format!("{{{text}}}")] {
        let read = covers(&pattern::parse(&pattern));
        assert_eq!(read, covers(&pattern::parse(&format!("  {pattern}\n"))), "{pattern:?}");
    }
});
