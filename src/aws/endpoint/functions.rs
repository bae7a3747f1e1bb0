//! The functions that endpoint rules may call, after the Smithy specification's "Rules engine standard library".
//!
//! Everything here is total: a wrong argument gives no value, never a panic, because rule sets are data.

use super::partitions;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

/// What `uriEncode` leaves as it is: letters, digits and `-._~` (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The names of the functions known here, as rule sets write them.
#[cfg(test)]
pub(super) const NAMES: &[&str] = &[
    "aws.isVirtualHostableS3Bucket",
    "aws.parseArn",
    "aws.partition",
    "booleanEquals",
    "coalesce",
    "getAttr",
    "isSet",
    "isValidHostLabel",
    "ite",
    "not",
    "parseURL",
    "split",
    "stringEquals",
    "substring",
    "uriEncode",
];

/// Calls the function `name`; [`Value::Null`] stands for "no value".
pub(super) fn call(name: &str, args: &[Value]) -> Value {
    let at = |i: usize| args.get(i).unwrap_or(&Value::Null);
    match name {
        "isSet" => Value::Bool(!at(0).is_null()),
        "not" => Value::Bool(!truthy(at(0))),
        "getAttr" => at(1).as_str().map_or(Value::Null, |path| get_attr(at(0), path)),
        "stringEquals" => Value::Bool(at(0).is_string() && at(0) == at(1)),
        "booleanEquals" => Value::Bool(at(0).is_boolean() && at(0) == at(1)),
        "substring" => substring(at(0), at(1), at(2), at(3)),
        "uriEncode" => at(0).as_str().map_or(Value::Null, |s| utf8_percent_encode(s, RESERVED).to_string().into()),
        "parseURL" => at(0).as_str().map_or(Value::Null, parse_url),
        "isValidHostLabel" => Value::Bool(at(0).as_str().is_some_and(|s| is_host_label(s, truthy(at(1))))),
        "split" => split(at(0), at(1), at(2)),
        "ite" => if truthy(at(0)) { at(1) } else { at(2) }.clone(),
        "coalesce" => args.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null),
        "aws.partition" => at(0).as_str().and_then(partitions::of).map_or(Value::Null, partitions::Partition::outputs),
        "aws.parseArn" => at(0).as_str().and_then(parse_arn).unwrap_or(Value::Null),
        "aws.isVirtualHostableS3Bucket" => {
            Value::Bool(at(0).as_str().is_some_and(|s| is_virtual_hostable_bucket(s, truthy(at(1)))))
        }
        _ => Value::Null,
    }
}

/// A condition holds when its value is there and is not `false`.
pub(super) fn truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// A value inside `value`, by a path such as `resourceId[0]`, `a.b` or `[1]`.
pub(super) fn get_attr(value: &Value, path: &str) -> Value {
    let mut at = value;
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            None => (part, None),
            Some((name, rest)) => match rest.strip_suffix(']').and_then(|n| n.parse::<usize>().ok()) {
                Some(index) => (name, Some(index)),
                None => return Value::Null,
            },
        };
        if !name.is_empty() {
            match at.get(name) {
                Some(next) => at = next,
                None => return Value::Null,
            }
        }
        if let Some(index) = index {
            match at.get(index) {
                Some(next) => at = next,
                None => return Value::Null,
            }
        }
    }
    at.clone()
}

fn substring(value: &Value, start: &Value, stop: &Value, reverse: &Value) -> Value {
    let (Some(s), Some(start), Some(stop)) = (value.as_str(), start.as_u64(), stop.as_u64()) else {
        return Value::Null;
    };
    let (Ok(start), Ok(stop)) = (usize::try_from(start), usize::try_from(stop)) else { return Value::Null };
    if start >= stop || s.len() < stop || !s.is_ascii() {
        return Value::Null;
    }
    let range = if truthy(reverse) { s.len() - stop..s.len() - start } else { start..stop };
    s.get(range).map_or(Value::Null, Value::from)
}

/// Splits at `delimiter` into at most `limit` parts; 0 means all, as the specification has it.
fn split(value: &Value, delimiter: &Value, limit: &Value) -> Value {
    let (Some(s), Some(delimiter)) = (value.as_str(), delimiter.as_str()) else { return Value::Null };
    if delimiter.is_empty() {
        return Value::Null;
    }
    let limit = limit.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let parts: Vec<Value> = match limit {
        0 => s.split(delimiter).map(Value::from).collect(),
        n => s.splitn(n, delimiter).map(Value::from).collect(),
    };
    Value::Array(parts)
}

fn parse_url(text: &str) -> Value {
    let Some((scheme, rest)) = text.split_once("://") else { return Value::Null };
    if !matches!(scheme, "http" | "https") || rest.contains(['?', '#']) {
        return Value::Null;
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let valid = authority.parse::<http::uri::Authority>();
    let Ok(parsed) = valid else { return Value::Null };
    let host = parsed.host();
    let is_ip = host.parse::<Ipv4Addr>().is_ok() || host.starts_with('[');
    let trimmed = path.trim_end_matches('/');
    let mut out = Map::new();
    out.insert("scheme".into(), scheme.into());
    out.insert("authority".into(), authority.into());
    out.insert("path".into(), path.into());
    out.insert("normalizedPath".into(), format!("{trimmed}/").into());
    out.insert("isIp".into(), is_ip.into());
    Value::Object(out)
}

/// Whether `text` is a host label of RFC 1123, or several joined by dots where subdomains are allowed.
pub(super) fn is_host_label(text: &str, allow_subdomains: bool) -> bool {
    if allow_subdomains {
        return text.split('.').all(|label| is_host_label(label, false));
    }
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_virtual_hostable_bucket(name: &str, allow_subdomains: bool) -> bool {
    let labels_fit = if allow_subdomains {
        name.split('.').all(|label| is_host_label(label, false))
    } else {
        is_host_label(name, false)
    };
    labels_fit
        && (3..=63).contains(&name.len())
        && !name.bytes().any(|b| b.is_ascii_uppercase())
        && name.parse::<Ipv4Addr>().is_err()
}

fn parse_arn(arn: &str) -> Option<Value> {
    let mut parts = arn.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let (partition, service) = (parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if partition.is_empty() || service.is_empty() || resource.is_empty() {
        return None;
    }
    let resource_id: Vec<&str> = resource.split([':', '/']).collect();
    Some(json!({
        "partition": partition, "service": service, "region": region, "accountId": account, "resourceId": resource_id,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, args: Value) -> Value {
        call(name, args.as_array().map_or(&[][..], Vec::as_slice))
    }

    #[test]
    fn substring_counts_from_either_end_and_refuses_what_is_outside() {
        assert_eq!(run("substring", json!(["abcdef", 0, 2, false])), json!("ab"));
        assert_eq!(run("substring", json!(["abcdef", 0, 2, true])), json!("ef"));
        assert_eq!(run("substring", json!(["abcdef", 1, 3, true])), json!("de"));
        assert_eq!(run("substring", json!(["abc", 0, 4, false])), Value::Null);
        assert_eq!(run("substring", json!(["abc", 2, 2, false])), Value::Null);
        assert_eq!(run("substring", json!(["aé", 0, 1, false])), Value::Null);
    }

    #[test]
    fn get_attr_follows_names_and_indexes() {
        let value = json!({"a": {"b": ["x", "y"]}});
        assert_eq!(get_attr(&value, "a.b[1]"), json!("y"));
        assert_eq!(get_attr(&value, "a.b[2]"), Value::Null);
        assert_eq!(get_attr(&value, "a.c"), Value::Null);
        assert_eq!(get_attr(&json!(["p", "q"]), "[1]"), json!("q"));
        assert_eq!(get_attr(&value, "a.b[x]"), Value::Null);
    }

    #[test]
    fn host_labels_are_those_of_rfc_1123() {
        assert!(is_host_label("us-east-1", false));
        assert!(is_host_label(&"a".repeat(63), false));
        assert!(!is_host_label(&"a".repeat(64), false));
        for bad in ["", "-a", "a-", "a.b", "a_b", "a b", "é"] {
            assert!(!is_host_label(bad, false), "{bad}");
        }
        assert!(is_host_label("a.b-c.d", true));
        assert!(!is_host_label("a..b", true));
    }

    #[test]
    fn bucket_names_that_cannot_be_a_host_name_are_refused() {
        assert!(is_virtual_hostable_bucket("my-bucket", false));
        assert!(!is_virtual_hostable_bucket("my.bucket", false));
        assert!(is_virtual_hostable_bucket("my.bucket", true));
        assert!(!is_virtual_hostable_bucket("My-bucket", false));
        assert!(!is_virtual_hostable_bucket("192.168.5.4", true));
        assert!(!is_virtual_hostable_bucket("ab", false));
    }

    #[test]
    fn arns_are_taken_apart_and_malformed_ones_have_no_value() {
        let arn = run("aws.parseArn", json!(["arn:aws:s3:us-east-1:123456789012:accesspoint/my:ap"]));
        assert_eq!(arn["resourceId"], json!(["accesspoint", "my", "ap"]));
        assert_eq!(arn["accountId"], json!("123456789012"));
        for bad in ["", "arn:aws:s3", "arn::s3:::b", "arn:aws:s3:::", "urn:aws:s3:::b"] {
            assert_eq!(run("aws.parseArn", json!([bad])), Value::Null, "{bad}");
        }
    }

    #[test]
    fn urls_are_taken_apart_and_those_with_a_query_have_no_value() {
        let url = run("parseURL", json!(["http://127.0.0.1:5000/some/path"]));
        assert_eq!(url["authority"], json!("127.0.0.1:5000"));
        assert_eq!(url["normalizedPath"], json!("/some/path/"));
        assert_eq!(url["isIp"], json!(true));
        assert_eq!(run("parseURL", json!(["https://example.com"]))["normalizedPath"], json!("/"));
        assert_eq!(run("parseURL", json!(["https://[::1]:80"]))["isIp"], json!(true));
        for bad in ["ftp://x", "https://x?y=z", "nonsense", "https://a b"] {
            assert_eq!(run("parseURL", json!([bad])), Value::Null, "{bad}");
        }
    }

    #[test]
    fn the_choosing_functions_choose() {
        assert_eq!(run("ite", json!([true, "a", "b"])), json!("a"));
        assert_eq!(run("ite", json!([false, "a", "b"])), json!("b"));
        assert_eq!(run("coalesce", json!([null, "b", "c"])), json!("b"));
        assert_eq!(run("split", json!(["a--b--c", "--", 2])), json!(["a", "b--c"]));
        assert_eq!(run("split", json!(["a--b--c", "--", 0])), json!(["a", "b", "c"]));
        assert_eq!(run("uriEncode", json!(["a/b c~"])), json!("a%2Fb%20c~"));
    }
}
