//! Any bytes as a filter pattern of CloudWatch Logs, and as an event pattern of EventBridge: each is read or refused, and
//! what is read is compared with every kind of event, without a crash or a hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soc2scan_fuzz::semantics::alarm;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    alarm_patterns(&text);
    alarm_patterns(&format!("{{{text}}}"));
});
