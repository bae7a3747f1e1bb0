//! Event patterns of EventBridge, as the conditions that they put on a CloudTrail record and its envelope. Source:
//! Amazon EventBridge User Guide, "Comparison operators for use in event patterns". An operator that is not known
//! becomes an unclear part; it must never be passed over.

use super::formula::{Formula, Glob, Order, Test};
use serde_json::{Map, Value};

/// The longest pattern that is read; EventBridge allows 4096 characters.
const LONGEST: usize = 65_536;

/// The condition that an event pattern stands for. Members of the record are named as in the record, those of the
/// envelope with a `@` in front (`@source`); an error is one sentence without a full stop.
pub fn parse(text: &str) -> Result<Formula, String> {
    if text.len() > LONGEST {
        return Err("an event pattern longer than any that AWS takes".into());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => object(&members, ""),
        Ok(_) => Err("an event pattern that is no JSON object".into()),
        Err(_) => Err("an event pattern that is no JSON".into()),
    }
}

/// `below` is where the members stand: empty for the envelope.
fn object(members: &Map<String, Value>, below: &str) -> Result<Formula, String> {
    let mut parts = Vec::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("$or", Value::Array(alternatives)) => {
                let each = alternatives.iter().map(|a| match a {
                    Value::Object(members) => object(members, below),
                    _ => Err("an alternative that is no JSON object".into()),
                });
                parts.push(Formula::Any(each.collect::<Result<_, String>>()?));
            }
            (_, Value::Object(inner)) => parts.push(object(inner, &format!("{below}{name}."))?),
            (_, Value::Array(alternatives)) => {
                let path = place(&format!("{below}{name}"));
                let each = alternatives.iter().map(|a| alternative(&path, a));
                parts.push(Formula::Any(each.collect::<Result<_, String>>()?));
            }
            _ => return Err(format!("the member '{name}' of an event pattern is neither a list nor an object")),
        }
    }
    Ok(Formula::All(parts))
}

fn place(path: &str) -> String {
    path.strip_prefix("detail.").map_or_else(|| format!("@{path}"), str::to_owned)
}

fn alternative(path: &str, value: &Value) -> Result<Formula, String> {
    let member = |test| Formula::Member(path.to_owned(), test);
    Ok(match value {
        Value::String(text) => member(Test::Like(Glob::literal(text))),
        Value::Number(n) => member(equal(n)),
        Value::Bool(flag) => member(Test::Is(*flag)),
        Value::Null => member(Test::Null),
        Value::Object(operator) if operator.len() == 1 => {
            let parts = operator.iter().map(|(name, operand)| operation(path, name, operand));
            Formula::All(parts.collect::<Result<_, String>>()?)
        }
        _ => return Err("a list or several operators in one place of an event pattern".into()),
    })
}

fn equal(n: &serde_json::Number) -> Test {
    n.as_f64().map_or_else(|| Test::Unclear("a number".into()), |n| Test::Number(Order::Equal, n))
}

fn operation(path: &str, name: &str, operand: &Value) -> Result<Formula, String> {
    let member = |test| Formula::Member(path.to_owned(), test);
    if let Some(glob) = text_operation(name, operand) {
        return Ok(member(Test::Like(glob)));
    }
    Ok(match (name, operand) {
        ("exists", Value::Bool(true)) => member(Test::Present),
        ("exists", Value::Bool(false)) => member(Test::Missing),
        ("numeric", Value::Array(parts)) => {
            let each = parts.chunks(2).map(|pair| match pair {
                [Value::String(sign), Value::Number(n)] => ordered(sign).zip(n.as_f64()),
                _ => None,
            });
            match each.collect::<Option<Vec<_>>>() {
                Some(tests) => Formula::All(tests.into_iter().map(|(o, n)| member(Test::Number(o, n))).collect()),
                None => return Err("a numeric comparison that is not understood".into()),
            }
        }
        ("anything-but", operand) => {
            let mut parts = vec![member(Test::Present)];
            for refused in refused(operand)? {
                parts.push(member(refused));
            }
            Formula::All(parts)
        }
        (name, _) => member(Test::Unclear(format!("the operator '{name}' of an event pattern"))),
    })
}

/// What `anything-but` refuses, as the tests that each must hold.
fn refused(operand: &Value) -> Result<Vec<Test>, String> {
    Ok(match operand {
        Value::String(text) => vec![Test::Unlike(Glob::literal(text))],
        Value::Number(n) => match n.as_f64() {
            Some(n) => vec![Test::Number(Order::NotEqual, n)],
            None => vec![Test::Unclear("a number".into())],
        },
        Value::Array(items) => {
            let each = items.iter().map(refused).collect::<Result<Vec<_>, _>>()?;
            each.into_iter().flatten().collect()
        }
        Value::Object(operator) => {
            let mut tests = Vec::new();
            for (name, operand) in operator {
                let operands = match operand {
                    Value::Array(items) => items.iter().collect(),
                    one => vec![one],
                };
                for operand in operands {
                    tests.push(match text_operation(name, operand) {
                        Some(glob) => Test::Unlike(glob),
                        None => Test::Unclear(format!("the operator '{name}' inside anything-but")),
                    });
                }
            }
            tests
        }
        _ => return Err("an anything-but that is not understood".into()),
    })
}

/// The texts that an operator on texts matches; none where it is no such operator.
fn text_operation(name: &str, operand: &Value) -> Option<Glob> {
    let (text, fold) = match operand {
        Value::String(text) => (text.as_str(), name == "equals-ignore-case"),
        Value::Object(inner) if inner.len() == 1 && (name == "prefix" || name == "suffix") => {
            (inner.get("equals-ignore-case")?.as_str()?, true)
        }
        _ => return None,
    };
    let literal = text.chars().map(Some);
    Some(match name {
        "equals-ignore-case" => Glob::of(literal, fold),
        "prefix" => Glob::of(literal.chain([None]), fold),
        "suffix" => Glob::of(std::iter::once(None).chain(literal), fold),
        "wildcard" => Glob::of(wildcard(text)?.into_iter(), fold),
        _ => return None,
    })
}

/// `*` is any text; `\*` and `\\` are the characters.
fn wildcard(text: &str) -> Option<Vec<Option<char>>> {
    let (mut parts, mut chars) = (Vec::new(), text.chars());
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => None,
            '\\' => Some(chars.next().filter(|c| "*\\".contains(*c))?),
            c => Some(c),
        });
    }
    Some(parts)
}

fn ordered(sign: &str) -> Option<Order> {
    Some(match sign {
        "=" => Order::Equal,
        "<" => Order::Less,
        "<=" => Order::LessOrEqual,
        ">" => Order::Greater,
        ">=" => Order::GreaterOrEqual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::formula::{Cover, Domain, Record};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn answer(pattern: &Value) -> &'static str {
        let members = [
            ("@source", Domain::Is("aws.iam".into())),
            ("@detail-type", Domain::Is("AWS API Call via CloudTrail".into())),
            ("eventName", Domain::Is("CreatePolicy".into())),
            ("errorCode", Domain::Absent),
            ("readOnly", Domain::Flag(false)),
            ("awsRegion", Domain::Text(Glob::stars("*"), vec![])),
        ];
        let record =
            Record { label: "r".into(), members: members.into_iter().map(|(p, d)| (p.to_owned(), d)).collect() };
        match parse(&pattern.to_string()).map(|f| f.covers(&record)) {
            Ok(Cover::Yes) => "covers",
            Ok(Cover::No) => "escapes",
            Ok(Cover::Unclear(_)) => "unclear",
            Err(_) => "error",
        }
    }

    #[test]
    fn patterns_are_read_as_aws_documents_them() {
        let name = |alternatives: Value| json!({"detail": {"eventName": alternatives}});
        for (pattern, expected) in [
            (json!({}), "covers"),
            (json!({"source": ["aws.iam"], "detail-type": ["AWS API Call via CloudTrail"]}), "covers"),
            (json!({"source": ["aws.ec2"]}), "escapes"),
            (json!({"detail-type": ["AWS Console Sign In via CloudTrail"]}), "escapes"),
            (name(json!(["CreatePolicy", "DeletePolicy"])), "covers"),
            (name(json!(["DeletePolicy"])), "escapes"),
            (name(json!([{"prefix": "Create"}])), "covers"),
            (name(json!([{"prefix": {"equals-ignore-case": "create"}}])), "covers"),
            (name(json!([{"suffix": "Policy"}])), "covers"),
            (name(json!([{"suffix": "Role"}])), "escapes"),
            (name(json!([{"wildcard": "Create*icy"}])), "covers"),
            (name(json!([{"wildcard": "Create\\*"}])), "escapes"),
            (name(json!([{"wildcard": "Create\\x"}])), "unclear"),
            (name(json!([{"equals-ignore-case": "createpolicy"}])), "covers"),
            (name(json!([{"anything-but": "DeletePolicy"}])), "covers"),
            (name(json!([{"anything-but": ["DeletePolicy", "CreatePolicy"]}])), "escapes"),
            (name(json!([{"anything-but": {"prefix": "Create"}}])), "escapes"),
            (name(json!([{"anything-but": {"prefix": ["Delete", "Put"]}}])), "covers"),
            (name(json!([{"anything-but": {"wildcard": "*Role"}}])), "covers"),
            (name(json!([{"exists": true}])), "covers"),
            (name(json!([{"exists": false}])), "escapes"),
            (name(json!([{"numeric": [">", 0, "<", 5]}])), "unclear"),
            (name(json!([{"numeric": ["=", 5]}])), "escapes"),
            (name(json!([{"cidr": "10.0.0.0/8"}])), "unclear"),
            (name(json!([{"cidr": "10.0.0.0/8"}, "CreatePolicy"])), "covers"),
            (name(json!([])), "escapes"),
            (name(json!("CreatePolicy")), "error"),
            (name(json!([{"prefix": "a", "suffix": "b"}])), "error"),
            (json!({"detail": {"errorCode": [{"exists": false}]}}), "covers"),
            (json!({"detail": {"errorCode": [{"anything-but": "x"}]}}), "escapes"),
            (json!({"detail": {"readOnly": [false]}}), "covers"),
            (json!({"detail": {"readOnly": [true]}}), "escapes"),
            (json!({"detail": {"awsRegion": ["us-east-1"]}}), "escapes"),
            (json!({"detail": {"$or": [{"eventName": ["X"]}, {"errorCode": [{"exists": false}]}]}}), "covers"),
            (json!({"$or": [{"source": ["aws.ec2"]}, {"source": ["aws.iam"]}]}), "covers"),
            (json!({"$or": [{"source": ["aws.ec2"]}, {"source": ["aws.rds"]}]}), "escapes"),
            (json!([]), "error"),
        ] {
            assert_eq!(answer(&pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!(r#"{{"detail":{{"eventName":[{{"wildcard":{text:?}}}]}}}}"#));
        }
    }
}
