//! The data that is built into the program: rules and collectors, as `build.rs` packed them.

/// The files of an embedded folder: path inside it, text; sorted by path.
pub fn folder(name: &str) -> Vec<(String, String)> {
    let packed: &[u8] = match name {
        "rules" => include_bytes!(concat!(env!("OUT_DIR"), "/rules.zst")),
        "collectors" => include_bytes!(concat!(env!("OUT_DIR"), "/collectors.zst")),
        _ => return Vec::new(),
    };
    let text = zstd::decode_all(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut files = Vec::new();
    let mut rest = text.as_deref().unwrap_or_default();
    while let Some((path, after)) = rest.split_once('\0') {
        let Some((length, after)) = after.split_once('\0') else { break };
        let Some((content, after)) = length.parse().ok().and_then(|n| after.split_at_checked(n)) else { break };
        files.push((path.to_owned(), content.to_owned()));
        rest = after;
    }
    files
}
