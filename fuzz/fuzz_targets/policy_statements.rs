//! Statements put together from the parts that policies are made of: every question is answered, a reformatted twin
//! has the same answer, and a Deny never makes a policy more public.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use soc2scan_fuzz::semantics::policy::who;
use soc2scan_fuzz::{CONTEXT, ask, public};

const ACTIONS: [&str; 10] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:getobject",
    "iam:PassRole",
    "iam:Create?olicy",
    "sts:AssumeRole",
    "kms:Decrypt",
    "lambda:InvokeFunction",
    "*:List*",
];
const RESOURCES: [&str; 8] = [
    "*",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/*",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:*",
    "arn:*:*:*:*:*",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:sns:eu-west-1:111122223333:topic",
];
const PRINCIPALS: [&str; 9] = [
    "*",
    "111122223333",
    "arn:aws:iam::444455556666:root",
    "arn:aws:iam::444455556666:role/r",
    "AIDACKCEVSQ6C2EXAMPLE",
    "ec2.amazonaws.com",
    "cognito-identity.amazonaws.com",
    "arn:aws:iam::*:root",
    "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
];
const KINDS: [&str; 5] = ["AWS", "Service", "Federated", "CanonicalUser", "Unknown"];
const OPERATORS: [&str; 16] = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringEquals",
    "ArnLike",
    "ArnNotEqualsIfExists",
    "IpAddress",
    "NotIpAddress",
    "Bool",
    "BoolIfExists",
    "Null",
    "NumericLessThan",
    "Unheard",
];
const KEYS: [&str; 14] = [
    "aws:PrincipalOrgID",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceIp",
    "aws:SourceVpce",
    "aws:SecureTransport",
    "aws:PrincipalAccount",
    "AWS:principalarn",
    "kms:CallerAccount",
    "sts:ExternalId",
    "s3:TlsVersion",
    "aws:Unheard",
    "token.actions.githubusercontent.com:sub",
    "aws:MultiFactorAuthPresent",
];
const VALUES: [&str; 14] = [
    "o-a1b2c3d4e5",
    "111122223333",
    "444455556666",
    "*",
    "true",
    "false",
    "0.0.0.0/0",
    "203.0.113.0/24",
    "::/0",
    "10.0.0.0/8",
    "arn:aws:sns:*:111122223333:*",
    "${aws:PrincipalAccount}",
    "repo:org/*",
    "1.2",
];

/// A text out of a table, or any other.
#[derive(Arbitrary, Debug)]
enum Text {
    Known(u8),
    Other(String),
}

impl Text {
    fn of(&self, table: &[&str]) -> String {
        match self {
            Text::Known(n) => table[usize::from(*n) % table.len()].to_owned(),
            Text::Other(text) => text.clone(),
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Statement {
    deny: bool,
    principals: Vec<(u8, Text)>,
    anybody: bool,
    not_principal: bool,
    actions: Vec<Text>,
    not_action: bool,
    resources: Vec<Text>,
    not_resource: bool,
    conditions: Vec<(Text, Text, Vec<Text>)>,
}

impl Statement {
    fn value(&self, deny: bool) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".into(), if deny { "Deny" } else { "Allow" }.into());
        let list = |texts: &[Text], table: &[&str]| Value::from(texts.iter().map(|t| t.of(table)).collect::<Vec<_>>());
        let name = |not: bool, name: &str| if not { format!("Not{name}") } else { name.to_owned() };
        if self.anybody {
            statement.insert(name(self.not_principal, "Principal"), "*".into());
        } else if !self.principals.is_empty() {
            let mut kinds = Map::new();
            for (kind, principal) in &self.principals {
                let kind = KINDS[usize::from(*kind) % KINDS.len()];
                let of_kind = kinds.entry(kind).or_insert_with(|| json!([]));
                if let Some(list) = of_kind.as_array_mut() {
                    list.push(principal.of(&PRINCIPALS).into());
                }
            }
            statement.insert(name(self.not_principal, "Principal"), kinds.into());
        }
        statement.insert(name(self.not_action, "Action"), list(&self.actions, &ACTIONS));
        statement.insert(name(self.not_resource, "Resource"), list(&self.resources, &RESOURCES));
        let mut conditions = Map::new();
        for (operator, key, values) in &self.conditions {
            let of_operator = conditions.entry(operator.of(&OPERATORS)).or_insert_with(|| json!({}));
            of_operator[key.of(&KEYS)] = list(values, &VALUES);
        }
        if !conditions.is_empty() {
            statement.insert("Condition".into(), conditions.into());
        }
        statement.into()
    }
}

fuzz_target!(|input: (Vec<Statement>, Statement)| {
    let (statements, deny) = input;
    let mut statements: Vec<Value> = statements.iter().map(|s| s.value(s.deny)).collect();
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    ask(&document);
    let text = Value::String(serde_json::to_string_pretty(&document).unwrap_or_default());
    assert_eq!(who(&document, &CONTEXT), who(&text, &CONTEXT), "{document}");

    let before = public(&statements);
    statements.push(deny.value(true));
    if let (Some(before), Some(after)) = (before, public(&statements)) {
        assert!(before > 0 || after == 0, "a Deny made it public: {}", Value::from(statements));
    }
});
