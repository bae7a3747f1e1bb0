//! Scalars: between documents, JSON on the wire, and text on the wire (XML, headers, query strings, forms).
//!
//! Whole numbers never pass through floating point. Nothing is guessed: text that is not a number is no number.

use super::error::{ParseError, Path, SerializeError};
use crate::model::{Kind, Shape, ShapeRef, TimestampFormat};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

/// Base64 with padding or without, for both are seen.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The numbers that JSON lacks, as documents and all protocols write them.
const SPECIAL_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// What a value of that kind is called in messages.
pub(super) fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure => "a structure",
        Kind::List => "a list",
        Kind::Map => "a map",
        Kind::String => "text",
        Kind::Integer => "a whole number",
        Kind::Double => "a number",
        Kind::Boolean => "true or false",
        Kind::Blob => "base64 text",
        Kind::Timestamp => "a time",
    }
}

/// How a timestamp is written: as its use says, or its shape, or else `default`.
pub(super) fn timestamp_format(reference: &ShapeRef, shape: &Shape, default: TimestampFormat) -> TimestampFormat {
    reference.timestamp_format.or(shape.timestamp_format).unwrap_or(default)
}

/// A scalar parameter as text on the wire.
pub(super) fn write_text(
    kind: Kind,
    format: TimestampFormat,
    value: &Value,
    path: &Path<'_>,
) -> Result<String, SerializeError> {
    let wrong = || SerializeError::wrong_type(path, expected(kind), value);
    match kind {
        Kind::Timestamp => Ok(write_timestamp(timestamp_param(value, path)?, format)),
        Kind::Blob => blob_param(value, path).map(|bytes| BASE64.encode(bytes)),
        Kind::String => value.as_str().map(str::to_owned).ok_or_else(wrong),
        Kind::Boolean => value.as_bool().map(|b| b.to_string()).ok_or_else(wrong),
        Kind::Integer => value.as_number().filter(|n| !n.is_f64()).map(Number::to_string).ok_or_else(wrong),
        Kind::Double => match value {
            Value::Number(number) => Ok(number.to_string()),
            Value::String(text) if SPECIAL_NUMBERS.contains(&text.as_str()) => Ok(text.clone()),
            _ => Err(wrong()),
        },
        Kind::Structure | Kind::List | Kind::Map => Err(wrong()),
    }
}

/// A scalar parameter as JSON on the wire.
pub(super) fn write_json(
    kind: Kind,
    format: TimestampFormat,
    value: &Value,
    path: &Path<'_>,
) -> Result<Value, SerializeError> {
    match (kind, format) {
        (Kind::Timestamp, TimestampFormat::EpochSeconds) => Ok(epoch_seconds(timestamp_param(value, path)?)),
        (Kind::Timestamp | Kind::Blob, _) => write_text(kind, format, value, path).map(Value::String),
        // Checked by writing it as text; as JSON it is what it was.
        _ => write_text(kind, format, value, path).map(|_| value.clone()),
    }
}

/// A scalar from text on the wire, as it stands in documents.
pub(super) fn read_text(kind: Kind, text: &str, path: &Path<'_>) -> Result<Value, ParseError> {
    let found = if text.trim().is_empty() { "empty" } else { "other text" };
    let wrong = || ParseError::found(path, expected(kind), found);
    let trimmed = text.trim();
    match kind {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        Kind::Integer => trimmed.parse::<i64>().map(Value::from).map_err(|_| wrong()),
        Kind::Double if SPECIAL_NUMBERS.contains(&trimmed) => Ok(Value::String(trimmed.to_owned())),
        Kind::Double => read_double(trimmed).ok_or_else(wrong),
        Kind::Timestamp => read_timestamp(trimmed).map(document_timestamp).ok_or_else(wrong),
        Kind::Blob => read_blob(text).ok_or_else(wrong),
        Kind::Boolean | Kind::Structure | Kind::List | Kind::Map => Err(wrong()),
    }
}

/// A scalar from JSON on the wire, as it stands in documents.
pub(super) fn read_json(kind: Kind, value: &Value, path: &Path<'_>) -> Result<Value, ParseError> {
    let wrong = || ParseError::wrong_type(path, expected(kind), value);
    match (kind, value) {
        (Kind::String, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(value.clone()),
        (Kind::Integer, Value::Number(number)) => whole(number).map(Value::from).ok_or_else(wrong),
        (Kind::Double, Value::Number(number)) => number.as_f64().map(Value::from).ok_or_else(wrong),
        (Kind::Double, Value::String(text)) if SPECIAL_NUMBERS.contains(&text.as_str()) => Ok(value.clone()),
        (Kind::Timestamp, Value::Number(number)) => {
            timestamp_from_number(number).map(document_timestamp).ok_or_else(wrong)
        }
        (Kind::Timestamp, Value::String(text)) => read_timestamp(text).map(document_timestamp).ok_or_else(wrong),
        (Kind::Blob, Value::String(text)) => read_blob(text).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// A timestamp parameter: RFC 3339 text, or seconds since 1970.
fn timestamp_param(value: &Value, path: &Path<'_>) -> Result<Timestamp, SerializeError> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => timestamp_from_number(number),
        _ => None,
    }
    .ok_or_else(|| SerializeError::wrong_type(path, "a time as in RFC 3339", value))
}

/// The bytes of a blob parameter, which is base64.
pub(super) fn blob_param(value: &Value, path: &Path<'_>) -> Result<Vec<u8>, SerializeError> {
    let bytes = value.as_str().and_then(|text| LENIENT.decode(text).ok());
    bytes.ok_or_else(|| SerializeError::wrong_type(path, expected(Kind::Blob), value))
}

/// Bytes as they stand in documents.
pub(super) fn document_blob(bytes: &[u8]) -> Value {
    Value::String(BASE64.encode(bytes))
}

/// A blob from base64 on the wire, which may be broken into lines.
fn read_blob(text: &str) -> Option<Value> {
    let unbroken: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    LENIENT.decode(unbroken).ok().map(|bytes| document_blob(&bytes))
}

/// The text in base64.
pub(super) fn encode_base64(text: &str) -> String {
    BASE64.encode(text)
}

/// The text that is in base64; `None` where it is not base64, or what is in it is not UTF-8.
pub(super) fn decode_base64(text: &str) -> Option<String> {
    String::from_utf8(LENIENT.decode(text.trim()).ok()?).ok()
}

/// A whole number that may be written with an empty fraction (`3.0`), as some services do.
fn whole(number: &Number) -> Option<i64> {
    // Above 2^53 a floating-point number no longer says which whole number was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|f| number.is_f64() && f.fract() == 0.0 && f.abs() <= EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        Some(float as i64)
    })
}

/// A floating-point number; not one that is too large to be held.
fn read_double(text: &str) -> Option<Value> {
    // Rust reads `inf` and `nan` in any case; on the wire only the special numbers are right.
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let number = text.parse::<f64>().ok().filter(|n| is_number && n.is_finite())?;
    Number::from_f64(number).map(Value::Number)
}

/// A point in time from any of the three formats, whichever the model says, as botocore does: services mix them up.
fn read_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Timestamp::from_second(number).ok();
    }
    if let Some(Value::Number(number)) = read_double(text) {
        return timestamp_from_number(&number);
    }
    let read = text.parse::<Timestamp>().ok();
    read.or_else(|| without_offset(text)).or_else(|| http_date(text)).and_then(to_microseconds)
}

/// ISO 8601 without an offset, which is UTC.
fn without_offset(text: &str) -> Option<Timestamp> {
    text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The date of HTTP headers, with a fraction of a second where there is one (`Sun, 02 Jan 2000 20:34:56.456 GMT`).
fn http_date(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = match text.split_once('.') {
        Some((before, after)) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            (format!("{before}{}", &after[digits..]), &after[..digits])
        }
        None => (text.to_owned(), ""),
    };
    let seconds = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(&whole).ok()?;
    let nanoseconds: i32 = format!("{:0<9.9}", fraction).parse().ok()?;
    Timestamp::new(seconds.as_second(), nanoseconds).ok()
}

/// Cut to microseconds, which is what boto3 keeps.
fn to_microseconds(timestamp: Timestamp) -> Option<Timestamp> {
    Timestamp::from_microsecond(timestamp.as_microsecond()).ok()
}

/// Seconds since 1970. A fraction is rounded to microseconds, about as exact as a double is in our century.
fn timestamp_from_number(number: &Number) -> Option<Timestamp> {
    if let Some(seconds) = number.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let microseconds = (number.as_f64()? * 1e6).round_ties_even();
    // Beyond this a timestamp is out of range anyway.
    if !(-1e18..=1e18).contains(&microseconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    Timestamp::from_microsecond(microseconds as i64).ok()
}

/// A point in time as it stands in documents.
fn document_timestamp(timestamp: Timestamp) -> Value {
    Value::String(timestamp.to_string())
}

/// A point in time as text on the wire.
fn write_timestamp(timestamp: Timestamp, format: TimestampFormat) -> String {
    match format {
        TimestampFormat::DateTime => timestamp.to_string(),
        TimestampFormat::HttpDate => timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        TimestampFormat::EpochSeconds => epoch_seconds(timestamp).to_string(),
    }
}

/// Seconds since 1970, with a fraction only where there is one.
fn epoch_seconds(timestamp: Timestamp) -> Value {
    if timestamp.subsec_nanosecond() == 0 {
        return Value::from(timestamp.as_second());
    }
    #[expect(clippy::cast_precision_loss, reason = "a double is what the wire has")]
    Value::from(timestamp.as_microsecond() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<String> {
        read_timestamp(text).map(|timestamp| timestamp.to_string())
    }

    #[test]
    fn times_are_read_in_every_format_that_services_write() {
        for (text, expected) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
            ("2026-03-01T10:00:00.000Z", "2026-03-01T10:00:00Z"),
            ("2026-03-01T11:30:00.25+01:30", "2026-03-01T10:00:00.25Z"),
            ("2026-03-01T10:00:00.000+0000", "2026-03-01T10:00:00Z"),
            ("2026-03-01T10:00:00", "2026-03-01T10:00:00Z"),
            ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.123456Z"),
            ("Sun, 01 Mar 2026 10:00:00 GMT", "2026-03-01T10:00:00Z"),
            ("Sun, 01 Mar 2026 10:00:00.456 GMT", "2026-03-01T10:00:00.456Z"),
            ("1772359200", "2026-03-01T10:00:00Z"),
            ("1772359200.5", "2026-03-01T10:00:00.5Z"),
            ("1.7723592E9", "2026-03-01T10:00:00Z"),
            (" 0 ", "1970-01-01T00:00:00Z"),
            ("-1", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read_as_one() {
        for text in ["", "never", "2026-13-01T10:00:00Z", "1e300", "99999999999999999999", "NaN", "Sun, 01", "1.2.3"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_every_format() {
        let timestamp: Timestamp = "2026-03-01T10:00:00.25Z".parse().unwrap();
        assert_eq!(write_timestamp(timestamp, TimestampFormat::DateTime), "2026-03-01T10:00:00.25Z");
        assert_eq!(write_timestamp(timestamp, TimestampFormat::HttpDate), "Sun, 01 Mar 2026 10:00:00 GMT");
        assert_eq!(write_timestamp(timestamp, TimestampFormat::EpochSeconds), "1772359200.25");
    }

    #[test]
    fn numbers_are_not_guessed() {
        let read = |kind, text| read_text(kind, text, &Path::Root).ok();
        assert_eq!(read(Kind::Integer, " 12 "), Some(Value::from(12)));
        assert_eq!(read(Kind::Integer, "9223372036854775808"), None);
        assert_eq!(read(Kind::Integer, "1.0"), None);
        assert_eq!(read(Kind::Integer, ""), None);
        assert_eq!(read(Kind::Double, "-Infinity"), Some(Value::from("-Infinity")));
        assert_eq!(read(Kind::Double, "inf"), None);
        assert_eq!(read(Kind::Double, "1e999"), None);
        assert_eq!(read(Kind::Boolean, "yes"), None);
    }

    #[test]
    fn blobs_may_be_broken_into_lines_and_must_be_base64() {
        assert_eq!(read_blob(" dmFs\ndWU= "), Some(Value::from("dmFsdWU=")));
        assert_eq!(read_blob("dmFsdWU"), Some(Value::from("dmFsdWU=")));
        assert_eq!(read_blob("d*"), None);
    }
}
