use super::*;
use crate::rules::{Relevance, Remediation, Rule};
use serde_json::json;
use std::path::PathBuf;

const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/soc2scan-config-1.0.schema.json");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("soc2scan.yaml"), text.to_owned())
}

/// Every mistake as `line:column: message / help`.
fn mistakes(result: Result<impl std::fmt::Debug, ConfigError>) -> Vec<String> {
    let Err(ConfigError::Mistakes(all)) = result else { panic!("expected mistakes, got {result:?}") };
    all.iter().map(|m| format!("{m} / {}", m.help.as_deref().unwrap_or_default())).collect()
}

fn rule(id: &str, params: Value) -> Rule {
    Rule {
        id: id.into(),
        aliases: vec![format!("old-{id}")],
        title: String::new(),
        service: "iam".into(),
        resource_type: "AWS::IAM::User".into(),
        severity: Severity::High,
        relevance: Relevance::Key,
        criteria: vec!["CC6.1".into()],
        rationale: String::new(),
        remediation: Remediation::default(),
        references: vec![],
        equivalents: BTreeMap::new(),
        params: serde_json::from_value(params).expect("a mapping"),
        file: PathBuf::new(),
    }
}

fn check(text: &str) -> Result<(), ConfigError> {
    let rules = [
        rule("iam-access-key-max-age", json!({"max_days": 90, "exempt": []})),
        rule("iam-root-mfa-enabled", json!({})),
        rule("s3-log-buckets", json!({"names": ["a"], "ratio": 0.5})),
    ];
    parse(text)?.check(&rules)
}

#[test]
fn a_full_file_is_read() {
    let config = parse(
        "scope:\n  categories: [security, processing_integrity]\n  regions: [eu-central-1, us-gov-west-1]\n\
         rules:\n  iam-access-key-max-age:\n    params: { max_days: 60, exempt: [ci] }\n    severity: critical\n  \
         iam-root-mfa-enabled:\n    exclude: Root credentials are removed centrally.\n",
    )
    .expect("well formed");
    assert_eq!(config.settings().scope.categories, Some(vec![Category::Security, Category::ProcessingIntegrity]));
    assert_eq!(config.settings().scope.regions.as_deref().expect("given").len(), 2);
    let set = config.rule_settings();
    assert_eq!(set.len(), 1, "a rule that is only left out has no settings");
    assert_eq!(set["iam-access-key-max-age"].params["max_days"], 60);
    assert_eq!(set["iam-access-key-max-age"].severity, Some(Severity::Critical));
    assert_eq!(config.exclusions()["iam-root-mfa-enabled"], "Root credentials are removed centrally.");
}

#[test]
fn an_empty_file_sets_nothing() {
    for text in ["", "# nothing yet\n", "---\n"] {
        assert_eq!(parse(text).expect("well formed").settings(), &Settings::default(), "{text:?}");
    }
}

#[test]
fn every_mistake_is_listed_at_its_place_with_what_to_do() {
    let found = mistakes(parse(
        "scop: {}\nscope:\n  categories: [securty, 3]\n  regions: [frankfurt]\n\
         rules:\n  a:\n    severity: hi\n    parms: {}\n    exclude: \"\"\n  b: [1]\n",
    ));
    insta::assert_snapshot!("all_mistakes", found.join("\n"));
}

#[test]
fn text_that_is_no_yaml_is_shown_at_its_place() {
    insta::assert_snapshot!("syntax", mistakes(parse("scope:\n  regions: [eu-central-1\nrules: {}\n")).join("\n"));
}

#[test]
fn a_key_given_twice_is_a_mistake() {
    let found = mistakes(parse("rules:\n  a: {}\n  a: {}\n"));
    assert!(found[0].starts_with("soc2scan.yaml:3:3: "), "{found:?}");
}

#[test]
fn a_list_that_is_empty_is_a_mistake_since_it_would_mean_nothing_at_all() {
    insta::assert_snapshot!("empty_list", mistakes(parse("scope: { regions: [] }\n")).join("\n"));
}

#[test]
fn an_engagement_without_security_is_a_mistake() {
    insta::assert_snapshot!("no_security", mistakes(parse("scope: { categories: [privacy] }\n")).join("\n"));
}

#[test]
fn what_the_rule_pack_does_not_have_is_a_mistake_with_the_nearest_name() {
    let found = mistakes(check(
        "rules:\n  s3-log-buckets: { params: { names: [1], ratio: 1 } }\n  \
         iam-acces-key-max-age: {}\n  iam-access-key-max-age: { params: { max_day: 3, exempt: x, max_days: 1.5 } }\n  \
         old-iam-root-mfa-enabled: {}\n  iam-root-mfa-enabled: { params: { x: 1 } }\n",
    ));
    insta::assert_snapshot!("rule_pack", found.join("\n"));
}

#[test]
fn what_the_rule_pack_has_is_no_mistake() {
    check(
        "rules:\n  iam-access-key-max-age: { params: { max_days: 60, exempt: [a, b] }, severity: low }\n  \
         s3-log-buckets: { params: { names: [], ratio: 2 } }\n",
    )
    .expect("no mistakes");
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let expected = serde_json::to_string_pretty(&schema()).expect("serialized") + "\n";
    if std::env::var_os("SOC2SCAN_UPDATE_SCHEMA").is_some() {
        std::fs::write(SCHEMA_FILE, &expected).expect("written");
    }
    let published = std::fs::read_to_string(SCHEMA_FILE).expect("docs/schema holds it");
    assert_eq!(published, expected, "run this test with SOC2SCAN_UPDATE_SCHEMA=1 to publish the new one");
}

#[test]
fn the_check_obeys_every_keyword_of_the_schema() {
    fn keywords(schema: &Value, found: &mut Vec<String>) {
        for (key, value) in schema.as_object().into_iter().flatten() {
            found.push(key.clone());
            match key.as_str() {
                "properties" | "$defs" => value.as_object().into_iter().flatten().for_each(|(_, v)| keywords(v, found)),
                "oneOf" | "anyOf" => value.as_array().into_iter().flatten().for_each(|v| keywords(v, found)),
                "items" | "additionalProperties" => keywords(value, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    keywords(&schema(), &mut found);
    let unknown: Vec<_> = found.iter().filter(|k| *k != "type" && !shape::KEYWORDS.contains(&k.as_str())).collect();
    assert!(unknown.is_empty(), "the check does not know {unknown:?}");
}

#[test]
fn the_check_and_the_published_schema_agree() {
    let validator = jsonschema::validator_for(&schema()).expect("a JSON Schema");
    for (text, valid) in [
        ("{}", true),
        ("rules: { a: { params: { b: [1, {c: null}] }, severity: low, exclude: x } }", true),
        ("scope: { regions: [eu-west-1] }", true),
        ("scope: { regions: [EU] }", false),
        ("scope: { regions: eu-west-1 }", false),
        ("scope: { categories: [] }", false),
        ("scope: { categories: [Security] }", false),
        ("rules: { a: { exclude: '' } }", false),
        ("rules: { a: { severity: 1 } }", false),
        ("rules: { a: { x: 1 } }", false),
        ("rules: [a]", false),
        ("rules:", false),
        ("rules: { a: { severity: } }", false),
        ("x: 1", false),
        (
            "register: { own: { accounts: ['012345678901'] }, vendors: [{ name: A, organizations: [o-abc1234567] }] }",
            true,
        ),
        ("register: { vendors: [] }", true),
        ("register: { vendors: }", false),
        ("register: { own: { accounts: [444455556666] } }", false),
        ("register: { own: { accounts: ['44445555666'] } }", false),
        ("register: { own: { organizations: [o-ABC1234567] } }", false),
        ("register: { own: { canonical_users: [abc] } }", false),
        ("register: { vendors: [{ accounts: ['012345678901'] }] }", false),
        ("register: { vendors: [{ name: '', accounts: ['012345678901'] }] }", false),
        ("register: { vendors: [{ name: A, account: ['012345678901'] }] }", false),
    ] {
        let value = Node::parse(text).expect("YAML").to_value();
        assert_eq!(validator.is_valid(&value), valid, "JSON Schema: {text}");
        assert_eq!(parse(text).is_ok(), valid, "check: {text}");
    }
}

#[test]
fn the_register_tells_no_vendors_from_none_supplied() {
    let register = |text: &str| parse(text).expect("well formed").settings().register.clone();
    assert_eq!(register("register: {}").vendors, None);
    assert_eq!(register("register: { own: { accounts: ['012345678901'] } }").vendors, None);
    assert_eq!(register("register: { vendors: [] }").vendors, Some(vec![]));
    let full = register(
        "register:\n  own:\n    accounts: [\"444455556666\"]\n    organizations: [o-abc1234567]\n    canonical_users: []\n  \
         vendors:\n    - name: Datadog\n      purpose: metrics and logs\n      accounts: [\"464622532012\"]\n",
    );
    let vendor = &full.vendors.as_deref().expect("given")[0];
    assert_eq!((vendor.name.as_str(), vendor.purpose.as_deref()), ("Datadog", Some("metrics and logs")));
    assert_eq!(full.own.organizations.as_deref(), Some(&["o-abc1234567".to_owned()][..]));
}

#[test]
fn a_register_of_the_wrong_shape_is_a_mistake_at_its_place() {
    let found = mistakes(parse(
        "register:\n  own:\n    accounts: [444455556666, 012345678901, 12345, \"1234\"]\n    organizations: [O-ABC]\n  \
         vendors:\n    - purpose: x\n      accounts: [464622532012]\n    - name: \"\"\n      canonical_user: []\n    - Datadog\n",
    ));
    insta::assert_snapshot!("register_shape", found.join("\n"));
}

#[test]
fn a_register_that_cannot_be_meant_is_a_mistake_at_its_place() {
    let found = mistakes(parse(
        "register:\n  vendors:\n    - name: A\n      accounts: [\"464622532012\"]\n    - name: a\n      \
         accounts: [\"444455556666\"]\n    - { name: B, purpose: nothing }\n    - { name: C, accounts: [\"464622532012\"] }\n  \
         own:\n    accounts: [\"444455556666\"]\n",
    ));
    insta::assert_snapshot!("register_meaning", found.join("\n"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let missing = Path::new("no/such/folder/soc2scan.yaml");
    assert!(matches!(Config::find(Some(missing)), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn hostile_nesting_is_a_mistake_and_no_crash() {
    for text in
        ["[".repeat(100_000), "rules: {a: {params: {b: ".to_owned() + &"[".repeat(50_000), "{a: ".repeat(20_000)]
    {
        assert!(!mistakes(parse(&text)).is_empty());
    }
}
