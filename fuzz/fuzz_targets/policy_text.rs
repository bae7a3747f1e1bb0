//! Any bytes as the text of a policy: every question is answered, without a crash or a hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(document) = serde_json::from_str::<Value>(&text) {
        soc2scan_fuzz::ask(&document);
    }
    soc2scan_fuzz::ask(&Value::String(text));
});
