//! Which data events a trail records: classic and advanced event selectors by their meaning. A selector with anything in
//! it that leaves out events, or that is not known, must never count. Sources: AWS CloudTrail User Guide, "Logging data
//! events"; AWS CloudTrail API Reference, "DataResource", "AdvancedFieldSelector".

use serde_json::Value;

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read-only calls.
    Read,
    /// All others.
    Write,
}

/// Operators of a field selector; a field that has another one is not understood.
const OPERATORS: [&str; 6] = ["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"];

/// Whether the selectors record all events of a kind (`AWS::S3::Object`) and access on everything whose ARN begins with
/// `below`: `arn:aws:s3:::bucket/` for the objects of a bucket, `arn:aws:s3:::` for all. Where `whole`, it is the ARN of
/// one function or table, and not the beginning of others.
pub fn records_data(selectors: &Value, kind: &str, access: Access, below: &str, whole: bool) -> bool {
    list(selectors, "EventSelectors").iter().any(|s| classic(s, kind, access, below, whole))
        || list(selectors, "AdvancedEventSelectors").iter().any(|s| advanced(s, kind, access, below, whole))
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn texts<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v str> {
    list(value, member).iter().filter_map(Value::as_str)
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// In a classic selector the value is a prefix for objects in buckets, an ARN for functions and tables, and the
/// beginning of all ARNs of the service for all of them.
fn classic(selector: &Value, kind: &str, access: Access, below: &str, whole: bool) -> bool {
    let which = text(selector, "ReadWriteType");
    let fits = match access {
        Access::Read => ["", "All", "ReadOnly"].contains(&which),
        Access::Write => ["", "All", "WriteOnly"].contains(&which),
    };
    let service = below.split(':').take(3).collect::<Vec<_>>().join(":");
    let covers = |value: &str| {
        let all = value == service || value.strip_prefix(&service).is_some_and(|rest| rest == ":::");
        let bucket = kind == "AWS::S3::Object" && value.contains('/') && below.starts_with(value);
        all || bucket || whole && value == below
    };
    let resources = list(selector, "DataResources").iter();
    fits && resources.filter(|r| text(r, "Type") == kind).any(|r| texts(r, "Values").any(covers))
}

fn advanced(selector: &Value, kind: &str, access: Access, below: &str, whole: bool) -> bool {
    let fields = list(selector, "FieldSelectors");
    let read_only = if access == Access::Read { "true" } else { "false" };
    let asks = |name: &str| fields.iter().any(|f| text(f, "Field") == name);
    let passes = |field: &Value| {
        let has = |operator: &str| !list(field, operator).is_empty();
        let only_equals = OPERATORS.iter().all(|o| *o == "Equals" || !has(o));
        let equals = |wanted: &str| only_equals && texts(field, "Equals").any(|v| v == wanted);
        match text(field, "Field") {
            "eventCategory" => equals("Data"),
            "resources.type" => equals(kind),
            "readOnly" => equals(read_only),
            "resources.ARN" => of_arn(field, below, whole),
            _ => false,
        }
    };
    asks("eventCategory") && asks("resources.type") && fields.iter().all(passes)
}

/// Whether a condition on the ARN holds for everything that begins with `below`. Several operators must all hold, of one
/// operator's values one is enough; of a negated operator none may match.
fn of_arn(field: &Value, below: &str, whole: bool) -> bool {
    let members = field.as_object().into_iter().flatten();
    let known = members.filter(|(name, _)| *name != "Field").all(|(name, _)| OPERATORS.contains(&name.as_str()));
    let meets = |operator: &str, holds: &dyn Fn(&str) -> bool| {
        list(field, operator).is_empty() || texts(field, operator).any(holds)
    };
    let apart = |a: &str, b: &str| !a.starts_with(b) && !b.starts_with(a);
    known
        && meets("Equals", &|v| whole && v == below)
        && meets("StartsWith", &|v| below.starts_with(v))
        && meets("EndsWith", &|v| whole && below.ends_with(v))
        && texts(field, "NotEquals").all(|v| if whole { v != below } else { !v.starts_with(below) })
        && texts(field, "NotStartsWith").all(|v| if whole { !below.starts_with(v) } else { apart(v, below) })
        && texts(field, "NotEndsWith").all(|v| whole && !below.ends_with(v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: &str = "arn:aws:s3:::payments/";
    const EVERYTHING: &str = "arn:aws:s3:::";

    /// Whether reads and writes are recorded, of the bucket and of everything: `rw` and `RW`, `-` where not.
    fn objects(selectors: &Value) -> String {
        let asks = [
            ('r', Access::Read, BUCKET),
            ('w', Access::Write, BUCKET),
            ('R', Access::Read, EVERYTHING),
            ('W', Access::Write, EVERYTHING),
        ];
        let kind = "AWS::S3::Object";
        asks.iter()
            .map(|(c, access, below)| if records_data(selectors, kind, *access, below, false) { *c } else { '-' })
            .collect()
    }

    #[test]
    fn classic_selectors_name_prefixes() {
        let of = |which: &str, values: Value| json!({"EventSelectors": [{"ReadWriteType": which, "DataResources": [{"Type": "AWS::S3::Object", "Values": values}]}]});
        for (which, values, expected) in [
            ("All", json!(["arn:aws:s3"]), "rwRW"),
            ("All", json!(["arn:aws:s3:::"]), "rwRW"),
            ("WriteOnly", json!(["arn:aws:s3"]), "-w-W"),
            ("ReadOnly", json!(["arn:aws:s3"]), "r-R-"),
            ("All", json!(["arn:aws:s3:::payments/"]), "rw--"),
            ("All", json!(["arn:aws:s3:::payments/images/"]), "----"),
            ("All", json!(["arn:aws:s3:::pay/"]), "----"),
            ("All", json!(["arn:aws:s3:::pay"]), "----"),
            ("All", json!(["arn:aws:s3:::other/", "arn:aws:s3:::payments/"]), "rw--"),
            ("All", json!(["arn:aws:lambda"]), "----"),
            ("All", json!([]), "----"),
        ] {
            assert_eq!(objects(&of(which, values.clone())), expected, "{which} {values}");
        }
        assert_eq!(
            objects(&json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]})),
            "----"
        );
        assert_eq!(objects(&json!({})), "----");
        let other = json!({"EventSelectors": [{"ReadWriteType": "All", "DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:s3"]}]}]});
        assert_eq!(objects(&other), "----");
    }

    #[test]
    fn advanced_selectors_count_only_where_nothing_in_them_leaves_out() {
        let data = json!({"Field": "eventCategory", "Equals": ["Data"]});
        let kind = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
        let with =
            |field: Value| objects(&json!({"AdvancedEventSelectors": [{"FieldSelectors": [data, kind, field]}]}));
        let arn = |operators: Value| {
            let mut field = operators;
            field["Field"] = json!("resources.ARN");
            with(field)
        };
        assert_eq!(objects(&json!({"AdvancedEventSelectors": [{"FieldSelectors": [data, kind]}]})), "rwRW");
        assert_eq!(objects(&json!({"AdvancedEventSelectors": [{"FieldSelectors": [kind]}]})), "----");
        assert_eq!(objects(&json!({"AdvancedEventSelectors": [{"FieldSelectors": [data]}]})), "----");
        let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
        assert_eq!(objects(&json!({"AdvancedEventSelectors": [{"FieldSelectors": [management, kind]}]})), "----");
        assert_eq!(with(json!({"Field": "readOnly", "Equals": ["false"]})), "-w-W");
        assert_eq!(with(json!({"Field": "readOnly", "Equals": ["true"]})), "r-R-");
        assert_eq!(with(json!({"Field": "eventName", "NotEquals": ["GetObject"]})), "----");
        assert_eq!(with(json!({"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts::"]})), "----");
        assert_eq!(with(json!({"Field": "something.new", "Equals": ["x"]})), "----");
        for (operators, expected) in [
            (json!({"StartsWith": ["arn:aws:s3:::payments/"]}), "rw--"),
            (json!({"StartsWith": ["arn:aws:s3:::"]}), "rwRW"),
            (json!({"StartsWith": ["arn:aws:s3:::pay"]}), "rw--"),
            (json!({"StartsWith": ["arn:aws:s3:::payments/in/"]}), "----"),
            (
                json!({"StartsWith": ["arn:aws:s3:::payments/"], "NotStartsWith": ["arn:aws:s3:::payments/tmp/"]}),
                "----",
            ),
            (json!({"NotStartsWith": ["arn:aws:s3:::logs/"]}), "rw--"),
            (json!({"NotStartsWith": ["arn:aws:s3:::payments/"]}), "----"),
            (json!({"NotStartsWith": ["arn:aws:s3:::"]}), "----"),
            (json!({"NotEquals": ["arn:aws:s3:::payments/x"]}), "----"),
            (json!({"NotEquals": ["arn:aws:s3:::logs/x"]}), "rw--"),
            (json!({"NotEndsWith": [".tmp"]}), "----"),
            (json!({"Equals": ["arn:aws:s3:::payments/"]}), "----"),
            (json!({"EndsWith": ["/"]}), "----"),
            (json!({"Like": ["*"]}), "----"),
        ] {
            assert_eq!(arn(operators.clone()), expected, "{operators}");
        }
    }

    #[test]
    fn a_function_or_table_is_named_whole() {
        let function = "arn:aws:lambda:us-east-1:111122223333:function:f";
        let ask = |selectors: Value, below: &str, whole: bool| {
            records_data(&selectors, "AWS::Lambda::Function", Access::Write, below, whole)
        };
        let classic = |value: &str| json!({"EventSelectors": [{"ReadWriteType": "All", "DataResources": [{"Type": "AWS::Lambda::Function", "Values": [value]}]}]});
        assert!(ask(classic("arn:aws:lambda"), function, true));
        assert!(ask(classic("arn:aws:lambda"), "arn:aws:lambda:", false));
        assert!(ask(classic(function), function, true));
        assert!(!ask(classic(function), &format!("{function}2"), true));
        assert!(!ask(classic(function), "arn:aws:lambda:", false));
        let advanced = |field: Value| {
            let kind = json!({"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]});
            let data = json!({"Field": "eventCategory", "Equals": ["Data"]});
            json!({"AdvancedEventSelectors": [{"FieldSelectors": [data, kind, field]}]})
        };
        let arn = |operator: &str, value: &str| advanced(json!({"Field": "resources.ARN", operator: [value]}));
        assert!(ask(arn("Equals", function), function, true));
        assert!(ask(arn("NotEquals", "arn:aws:lambda:us-east-1:111122223333:function:g"), function, true));
        assert!(!ask(arn("NotEquals", function), function, true));
        assert!(!ask(arn("NotEndsWith", ":f"), function, true));
        assert!(ask(arn("NotEndsWith", ":g"), function, true));
        assert!(!ask(arn("NotEquals", function), "arn:aws:lambda:", false));
    }
}
