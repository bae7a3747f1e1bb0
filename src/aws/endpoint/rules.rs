//! An interpreter of endpoint rule sets: the Smithy specification's "Endpoint rules engine".
//!
//! Rules are tried from the top. A rule whose conditions all hold decides: it gives an endpoint, or an error, or
//! is a tree whose own rules are tried. A value that a condition assigns is seen by what comes after it within
//! that rule only.

use super::functions::{self, truthy};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A service's rules and the parameters they take.
#[derive(Debug, Deserialize)]
pub(super) struct RuleSet {
    parameters: BTreeMap<String, Parameter>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    #[serde(default)]
    required: bool,
    #[serde(default)]
    default: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(default)]
    conditions: Vec<Call>,
    #[serde(default)]
    endpoint: Option<EndpointTemplate>,
    #[serde(default)]
    error: Option<Expression>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct EndpointTemplate {
    url: Expression,
    #[serde(default)]
    properties: Value,
    #[serde(default)]
    headers: BTreeMap<String, Vec<Expression>>,
}

#[derive(Debug, Deserialize)]
struct Call {
    #[serde(rename = "fn")]
    function: String,
    argv: Vec<Expression>,
    #[serde(default)]
    assign: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expression {
    Call(Call),
    Reference {
        #[serde(rename = "ref")]
        name: String,
    },
    Literal(Value),
}

/// What a rule set decided.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// An endpoint.
    Endpoint { url: String, properties: Value, headers: Vec<(String, String)> },
    /// The rule set's own error sentence.
    Error(String),
}

/// Why a rule set decided nothing.
#[derive(Debug, PartialEq)]
pub(super) enum Undecided {
    /// A parameter that it requires is not there.
    Missing(String),
    /// No rule fits.
    NoRule,
    /// An endpoint or error rule names something that is not there.
    Broken,
}

/// Parameters and assigned values, the latest last; a rule's own are dropped when it is left.
struct Scope {
    values: Vec<(String, Value)>,
}

impl RuleSet {
    /// Runs the rules on `given`; parameters that the rule set does not know are left out.
    pub(super) fn decide(&self, given: &BTreeMap<String, Value>) -> Result<Decision, Undecided> {
        let mut scope = Scope { values: Vec::new() };
        for (name, parameter) in &self.parameters {
            let value = given.get(name).filter(|v| !v.is_null()).or(parameter.default.as_ref());
            match value {
                Some(value) => scope.values.push((name.clone(), value.clone())),
                None if parameter.required => return Err(Undecided::Missing(name.clone())),
                None => {}
            }
        }
        scope.first(&self.rules)?.ok_or(Undecided::NoRule)
    }

    /// Whether the rules take a parameter of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
    }

    /// The functions that the rules call which are not known here.
    #[cfg(test)]
    pub(super) fn unknown_functions(&self) -> Vec<String> {
        fn in_expression(e: &Expression, out: &mut Vec<String>) {
            if let Expression::Call(call) = e {
                in_call(call, out);
            }
        }
        fn in_call(call: &Call, out: &mut Vec<String>) {
            if !functions::NAMES.contains(&call.function.as_str()) {
                out.push(call.function.clone());
            }
            call.argv.iter().for_each(|e| in_expression(e, out));
        }
        fn in_rules(rules: &[Rule], out: &mut Vec<String>) {
            for rule in rules {
                rule.conditions.iter().for_each(|c| in_call(c, out));
                in_rules(&rule.rules, out);
            }
        }
        let mut out = Vec::new();
        in_rules(&self.rules, &mut out);
        out
    }
}

impl Scope {
    fn first(&mut self, rules: &[Rule]) -> Result<Option<Decision>, Undecided> {
        for rule in rules {
            let outside = self.values.len();
            let decision = self.rule(rule);
            self.values.truncate(outside);
            if let Some(decision) = decision? {
                return Ok(Some(decision));
            }
        }
        Ok(None)
    }

    fn rule(&mut self, rule: &Rule) -> Result<Option<Decision>, Undecided> {
        for condition in &rule.conditions {
            let value = self.call(condition);
            if !truthy(&value) {
                return Ok(None);
            }
            if let Some(name) = &condition.assign {
                self.values.push((name.clone(), value));
            }
        }
        if let Some(endpoint) = &rule.endpoint {
            return self.endpoint(endpoint).map(Some);
        }
        if let Some(error) = &rule.error {
            return self.string(error).map(|e| Some(Decision::Error(e)));
        }
        // A tree whose conditions hold decides for good: what follows it is not tried.
        self.first(&rule.rules)?.map(Some).ok_or(Undecided::NoRule)
    }

    fn endpoint(&self, template: &EndpointTemplate) -> Result<Decision, Undecided> {
        let mut headers = Vec::new();
        for (name, values) in &template.headers {
            for value in values {
                headers.push((name.clone(), self.string(value)?));
            }
        }
        let properties = self.filled(&template.properties).ok_or(Undecided::Broken)?;
        Ok(Decision::Endpoint { url: self.string(&template.url)?, properties, headers })
    }

    fn string(&self, expression: &Expression) -> Result<String, Undecided> {
        match self.value(expression) {
            Value::String(s) => Ok(s),
            _ => Err(Undecided::Broken),
        }
    }

    fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Call(call) => self.call(call),
            Expression::Reference { name } => self.get(name).cloned().unwrap_or(Value::Null),
            Expression::Literal(value) => self.filled(value).unwrap_or(Value::Null),
        }
    }

    fn call(&self, call: &Call) -> Value {
        let args: Vec<Value> = call.argv.iter().map(|a| self.value(a)).collect();
        functions::call(&call.function, &args)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// `value` with the templates in its strings filled in; `None` if one names what is not there.
    fn filled(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(s) => Value::String(self.template(s)?),
            Value::Array(items) => Value::Array(items.iter().map(|v| self.filled(v)).collect::<Option<_>>()?),
            Value::Object(members) => {
                let mut out = Map::new();
                for (k, v) in members {
                    out.insert(k.clone(), self.filled(v)?);
                }
                Value::Object(out)
            }
            other => other.clone(),
        })
    }

    /// Fills `{Name}` and `{Name#attribute}`; `{{` and `}}` are braces.
    fn template(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, from) = rest.split_at(at);
            out.push_str(literal);
            if from.starts_with("{{") || from.starts_with("}}") {
                out.push_str(from.get(..1)?);
                rest = from.get(2..)?;
                continue;
            }
            let (name, after) = from.strip_prefix('{')?.split_once('}')?;
            let value = match name.split_once('#') {
                Some((name, path)) => functions::get_attr(self.get(name)?, path),
                None => self.get(name)?.clone(),
            };
            out.push_str(value.as_str()?);
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decide(rules: Value, given: Value) -> Result<Decision, Undecided> {
        let set: RuleSet = serde_json::from_value(json!({
            "parameters": {"A": {"type": "string"}, "F": {"type": "boolean", "default": false, "required": true}},
            "rules": rules,
        }))
        .unwrap();
        set.decide(&serde_json::from_value(given).unwrap())
    }

    fn url(decision: Result<Decision, Undecided>) -> String {
        match decision {
            Ok(Decision::Endpoint { url, .. }) => url,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_tree_that_holds_decides_for_good() {
        let rules = json!([
            {"conditions": [{"fn": "isSet", "argv": [{"ref": "A"}]}], "type": "tree", "rules": [
                {"conditions": [{"fn": "stringEquals", "argv": [{"ref": "A"}, "x"]}], "type": "endpoint", "endpoint": {"url": "https://x"}}]},
            {"conditions": [], "type": "endpoint", "endpoint": {"url": "https://last"}},
        ]);
        assert_eq!(url(decide(rules.clone(), json!({"A": "x"}))), "https://x");
        assert_eq!(url(decide(rules.clone(), json!({}))), "https://last");
        assert_eq!(decide(rules, json!({"A": "y"})), Err(Undecided::NoRule));
    }

    #[test]
    fn an_assigned_value_is_not_seen_outside_its_rule() {
        let rules = json!([
            {"conditions": [{"fn": "substring", "argv": [{"ref": "A"}, 0, 1, false], "assign": "first"},
                            {"fn": "stringEquals", "argv": [{"ref": "first"}, "z"]}],
             "type": "endpoint", "endpoint": {"url": "https://z"}},
            {"conditions": [{"fn": "isSet", "argv": [{"ref": "first"}]}], "type": "error", "error": "leaked"},
            {"conditions": [], "type": "endpoint", "endpoint": {"url": "https://{A}"}},
        ]);
        assert_eq!(url(decide(rules, json!({"A": "abc"}))), "https://abc");
    }

    #[test]
    fn templates_reach_into_values_and_keep_doubled_braces() {
        let rules = json!([{"conditions": [{"fn": "parseURL", "argv": [{"ref": "A"}], "assign": "u"}], "type": "endpoint",
            "endpoint": {"url": "{u#scheme}://x.{u#authority}", "headers": {"h": ["{{{A}}}"]}}}]);
        match decide(rules, json!({"A": "http://host"})) {
            Ok(Decision::Endpoint { url, headers, .. }) => {
                assert_eq!(url, "http://x.host");
                assert_eq!(headers, [("h".to_owned(), "{http://host}".to_owned())]);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_template_that_names_nothing_is_an_error_and_not_an_empty_string() {
        let rules = json!([{"conditions": [], "type": "endpoint", "endpoint": {"url": "https://{Nope}"}}]);
        assert_eq!(decide(rules, json!({})), Err(Undecided::Broken));
    }

    #[test]
    fn a_required_parameter_without_default_must_be_given() {
        let set: RuleSet =
            serde_json::from_value(json!({"parameters": {"R": {"required": true}}, "rules": []})).unwrap();
        assert_eq!(set.decide(&BTreeMap::new()), Err(Undecided::Missing("R".into())));
    }
}
