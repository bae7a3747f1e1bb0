//! Tests of the engine on a schema made for them.

use super::{RulePack, Verdict};
use crate::model::schema::{Member, ResourceSchema, ResourceSchemas, Scope, Type};
use std::collections::BTreeMap;
use std::sync::Arc;

fn object(members: &[(&str, Type)]) -> Type {
    Type::Object(Arc::new(members.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect()))
}

fn list(element: Type) -> Type {
    Type::List(Arc::new(element))
}

fn schema(name: &str, scope: Scope, members: &[(&str, Type)]) -> ResourceSchema {
    let members = members.iter().map(|(n, ty)| {
        let actions = vec![format!("x:Get{n}")];
        ((*n).to_owned(), Member { ty: ty.clone(), actions })
    });
    ResourceSchema { name: name.into(), scope, actions: vec!["x:List".into()], members: members.collect() }
}

fn schemas() -> ResourceSchemas {
    let rule = object(&[("Port", Type::Integer), ("Cidr", Type::String), ("Open", Type::Boolean)]);
    let thing = schema(
        "AWS::X::Thing",
        Scope::Regional,
        &[
            ("Name", Type::String),
            ("Size", Type::Integer),
            ("Encrypted", Type::Boolean),
            ("Created", Type::Timestamp),
            ("Rules", list(rule)),
            ("Tail", object(&[("Inner", object(&[("Deep", Type::String)]))])),
            ("Labels", Type::Map(Arc::new(Type::String))),
            ("Policy", Type::Any),
            ("OwnerId", Type::String),
            ("Friends", list(Type::String)),
        ],
    );
    let owner = schema("AWS::X::Owner", Scope::Regional, &[("OwnerId", Type::String), ("Trusted", Type::Boolean)]);
    let organization = object(&[("Id", Type::String), ("MasterAccountId", Type::String)]);
    let account = schema(
        "AWS::::Account",
        Scope::Global,
        &[
            ("Blocked", Type::Boolean),
            ("Organization", organization),
            ("OrganizationAccounts", list(object(&[("Id", Type::String)]))),
        ],
    );
    let types = [thing, owner, account].into_iter().map(|s| (s.name.clone(), s)).collect::<BTreeMap<_, _>>();
    ResourceSchemas { types }
}

/// A rule file with the given conditions and tests.
fn file(body: &str) -> String {
    format!(
        "id: x-rule\ntitle: A rule\nresource: AWS::X::Thing\nseverity: high\nrelevance: key\ncriteria: [CC6.1]\n\
         rationale: Because.\nremediation: {{ text: Mend it. }}\n{body}"
    )
}

fn load(body: &str) -> Result<RulePack, String> {
    RulePack::from_texts([("x.yaml".into(), file(body))], &schemas()).map_err(|e| match e {
        super::LoadError::Mistakes(m) => m
            .errors
            .iter()
            .map(|e| match miette::Diagnostic::help(e) {
                Some(help) => format!("{e} ({help})"),
                None => e.to_string(),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        other => other.to_string(),
    })
}

/// Loads a rule with `assert` and runs one test with the given YAML; gives the failure, if any.
fn judge(assert: &str, test: &str, expect: Verdict) {
    judge_with(&format!("assert: {assert:?}"), test, expect);
}

fn judge_with(conditions: &str, test: &str, expect: Verdict) {
    let body = format!(
        "{conditions}\nmessage: \"'{{name}}' fails\"\ntests:\n  - name: t\n    expect: {}\n    {}\n",
        expect.name(),
        test.replace('\n', "\n    ")
    );
    let pack = load(&body).expect("the rule loads");
    let outcomes = pack.test(&schemas());
    let mine = outcomes.iter().find(|o| o.name == "t").expect("the test ran");
    assert_eq!(mine.failure, None, "{body}");
}

#[test]
fn an_absent_member_reads_as_the_zero_value_of_its_type() {
    judge("!resource.Encrypted && resource.Size == 0 && resource.Name == ''", "resource: {}", Verdict::Pass);
    judge("resource.Rules.all(r, r.Open) && size(resource.Rules) == 0", "resource: {}", Verdict::Pass);
    judge("resource.Tail.Inner.Deep == ''", "resource: {}", Verdict::Pass);
    judge("resource.Labels['x'] == ''", "resource: {}", Verdict::Pass);
}

#[test]
fn has_tells_absence_from_a_zero_value() {
    judge("has(resource.Size)", "resource: {Size: 0}", Verdict::Pass);
    judge("has(resource.Size)", "resource: {}", Verdict::Fail);
    judge("has(resource.Tail.Inner.Deep)", "resource: {Tail: {Inner: {}}}", Verdict::Fail);
}

#[test]
fn an_unread_member_makes_the_verdict_unknown_only_if_it_decides() {
    let unread = "resource: {Size: 5}\nunknown: {Encrypted: 'x:GetEncrypted'}";
    judge("resource.Encrypted", unread, Verdict::Unknown);
    judge("resource.Encrypted || resource.Size > 3", unread, Verdict::Pass);
    judge("resource.Encrypted && resource.Size > 9", unread, Verdict::Fail);
    judge("resource.Size > 9 && resource.Encrypted", unread, Verdict::Fail);
    judge("resource.Encrypted ? true : true", unread, Verdict::Pass);
    judge("!has(resource.Encrypted)", unread, Verdict::Unknown);
    judge("resource.Encrypted in [true, false]", unread, Verdict::Unknown);
}

#[test]
fn a_part_that_could_not_be_read_makes_the_whole_unknown() {
    let unread = "resource: {Tail: {Inner: {}}}\nunknown: {Tail.Inner: 'x:GetTail'}";
    judge("resource.Tail.Inner.Deep == ''", unread, Verdict::Unknown);
    judge("has(resource.Tail.Inner)", unread, Verdict::Unknown);
    judge("has(resource.Tail)", unread, Verdict::Pass);
}

#[test]
fn quantifiers_are_decided_by_one_element_whatever_is_unread() {
    let partly = "resource: {OwnerId: a}\nunlisted: ['AWS::X::Owner']\n\
                  others:\n  - {type: 'AWS::X::Owner', resource: {OwnerId: a, Trusted: true}}";
    let owners = "join:\n  owners: {resource: 'AWS::X::Owner'}\n";
    let with = |assert: &str| format!("{owners}assert: {assert:?}");
    judge_with(&with("owners.exists(o, o.Trusted)"), partly, Verdict::Pass);
    judge_with(&with("owners.all(o, !o.Trusted)"), partly, Verdict::Fail);
    judge_with(&with("owners.all(o, o.Trusted)"), partly, Verdict::Unknown);
    judge_with(&with("owners.exists(o, !o.Trusted)"), partly, Verdict::Unknown);
    judge_with(&with("size(owners) == 1"), partly, Verdict::Unknown);
    judge_with(&with("owners.filter(o, o.Trusted).exists(o, o.OwnerId == 'a')"), partly, Verdict::Pass);
}

#[test]
fn a_named_expression_is_what_it_stands_for() {
    let named = |lets: &str, assert: &str| {
        format!("join:\n  owners: {{resource: 'AWS::X::Owner'}}\nlet:\n{lets}\nassert: {assert:?}")
    };
    let lets = "  big: resource.Size > params_limit\n  both: big && resource.Encrypted".replace("params_limit", "3");
    let thing = "resource: {Size: 5, Encrypted: true}\nothers:\n  - {type: 'AWS::X::Owner', resource: {OwnerId: a}}";
    judge_with(&named(&lets, "both"), thing, Verdict::Pass);
    // Asked for first inside a comprehension, whose variable it does not see.
    judge_with(&named(&lets, "owners.all(o, both && o.OwnerId == 'a') && both"), thing, Verdict::Pass);
    let unread = "resource: {Size: 5}\nunknown: {Encrypted: 'x:GetEncrypted'}";
    judge_with(&named(&lets, "both"), unread, Verdict::Unknown);
    judge_with(&named(&lets, "big || both"), unread, Verdict::Pass);
}

#[test]
fn a_named_expression_needs_a_name_that_is_free() {
    for (lets, mistake) in [
        ("let: {resource: '1'}", "`resource` stands for something else already"),
        (
            "join: {owners: {resource: 'AWS::X::Owner'}}\nlet: {owners: '1'}",
            "`owners` stands for something else already",
        ),
        ("let: {a: b, b: '1'}", "nothing is called `b` here"),
    ] {
        let mistakes = load(&format!("{lets}\nassert: 'true'\nmessage: m")).expect_err(lets);
        assert!(mistakes.contains(mistake), "{mistakes}");
    }
}

#[test]
fn a_listing_that_was_denied_is_unknown_and_never_empty() {
    judge("true", "unlisted: ['AWS::X::Thing']", Verdict::Unknown);
}

#[test]
fn a_join_finds_by_key_in_its_own_account_and_region() {
    let join = "join:\n  owner: {resource: 'AWS::X::Owner', one: true, on: {member: OwnerId, equals: resource.OwnerId}}\n\
                assert: owner.Trusted";
    let other = |extra: &str| {
        format!(
            "resource: {{OwnerId: a}}\nothers:\n  - {{type: 'AWS::X::Owner', resource: {{OwnerId: a, Trusted: true}}{extra}}}"
        )
    };
    judge_with(join, &other(""), Verdict::Pass);
    judge_with(join, &other(", region: eu-west-1"), Verdict::Unknown);
    judge_with(join, &other(", account: '999988887777'"), Verdict::Unknown);
    judge_with(join, &other(", unknown: {Trusted: 'x:GetTrusted'}"), Verdict::Unknown);
}

#[test]
fn what_a_rule_leaves_undecided_is_unknown_only_if_it_decides() {
    judge("resource.Encrypted || undecided('nobody says')", "resource: {}\nreason: nobody says", Verdict::Unknown);
    judge("resource.Encrypted || undecided('nobody says')", "resource: {Encrypted: true}", Verdict::Pass);
    judge("resource.Encrypted && undecided('nobody says')", "resource: {}", Verdict::Fail);
}

#[test]
fn a_join_of_the_whole_account_sees_every_region_and_no_other_account() {
    let join = "join:\n  owners: {resource: 'AWS::X::Owner', scope: account}\nassert: owners.exists(o, o.Trusted)";
    let other = |extra: &str| {
        format!("resource: {{}}\nothers:\n  - {{type: 'AWS::X::Owner', resource: {{Trusted: true}}{extra}}}")
    };
    judge_with(join, &other(", region: eu-west-1"), Verdict::Pass);
    judge_with(join, &other(", account: '999988887777'"), Verdict::Fail);
}

#[test]
fn a_global_resource_is_joined_from_a_regional_one() {
    let join = "join:\n  home: {resource: 'AWS::::Account', one: true}\nassert: home.Blocked";
    let yes = "resource: {}\nothers:\n  - {type: 'AWS::::Account', resource: {Blocked: true}}";
    judge_with(join, yes, Verdict::Pass);
}

#[test]
fn when_decides_whether_the_rule_fits() {
    let rule = "when: resource.Size > 3\nnot_applicable: too small\nassert: resource.Encrypted";
    judge_with(rule, "resource: {Size: 1}", Verdict::NotApplicable);
    judge_with(rule, "resource: {Size: 5}", Verdict::Fail);
    judge_with(rule, "resource: {}\nunknown: {Size: 'x:GetSize'}", Verdict::Unknown);
}

#[test]
fn a_failure_that_needs_a_list_from_the_entity_is_manual_while_there_is_none() {
    let rule = "params: {known: []}\nmanual: {when: 'params.known == []', message: 'look at {name}'}\n\
                assert: resource.OwnerId in params.known";
    judge_with(rule, "resource: {OwnerId: a}", Verdict::Manual);
    judge_with(rule, "resource: {OwnerId: a}\nparams: {known: [a]}", Verdict::Pass);
    judge_with(rule, "resource: {OwnerId: a}\nparams: {known: [b]}", Verdict::Fail);
}

#[test]
fn ages_are_judged_by_the_time_of_the_snapshot() {
    let rule = "params: {days: 90}\nassert: age(resource.Created) <= days(params.days)";
    judge_with(rule, "resource: {Created: '2026-01-01T00:00:00Z'}\nas_of: '2026-02-01T00:00:00Z'", Verdict::Pass);
    judge_with(rule, "resource: {Created: '2025-01-01T00:00:00Z'}\nas_of: '2026-02-01T00:00:00Z'", Verdict::Fail);
}

#[test]
fn a_rule_that_fails_itself_is_unknown_with_the_reason() {
    let body = "assert: age(resource.Created) < days(1)\nmessage: old\n\
                tests:\n  - {name: t, resource: {}, expect: unknown}\n";
    let outcomes = load(body).expect("loads").test(&schemas());
    let failure = outcomes.iter().find(|o| o.name == "t").and_then(|o| o.failure.clone()).expect("a fault");
    assert!(failure.contains("Created is absent"), "{failure}");
}

#[test]
fn a_condition_on_a_member_that_is_not_there_is_shown_at_its_place_with_the_nearest_name() {
    let error = load("assert: resource.Encrypted && resource.Naem == ''\nmessage: m\n").expect_err("refused");
    assert_eq!(error, "x.yaml:9:40: AWS::X::Thing has no member `Naem` (did you mean `Name`?)");
    let error = load("assert: >-\n  resource.Encrypted\n  && resource.Rules.all(r, r.Prot == 1)\nmessage: m\n");
    assert_eq!(error.expect_err("refused"), "x.yaml:11:30: object has no member `Prot` (did you mean `Port`?)");
}

#[test]
fn unlike_types_are_refused_when_the_rule_is_loaded() {
    for (assert, says) in [
        ("resource.Size == 'x'", "an integer cannot be compared with a string"),
        ("resource.Encrypted == 1", "cannot be compared"),
        ("resource.Rules == 'x'", "cannot be compared"),
        ("resource.Created > 5", "cannot be compared"),
        ("resource.Size", "this gives an integer; boolean is expected here"),
        ("resource.Rules.Open", "has no members"),
        ("5 in resource.Friends", "is never in"),
        ("resource.Name.startsWith(5)", "does not take"),
        ("nothing.here", "nothing is called `nothing`"),
        ("resource.Name.matches('(')", "not a regular expression"),
        ("params.x == 1", "no parameter `x`"),
        ("resource.Encrypted &&", "not a CEL expression"),
        ("frobnicate(resource.Name)", "there is no function"),
    ] {
        let error = load(&format!("assert: {assert:?}\nmessage: m\n")).expect_err(assert);
        assert!(error.contains(says), "{assert}: {error}");
    }
}

#[test]
fn joined_resources_are_never_compared_as_a_list() {
    let error = load("join: {owners: {resource: 'AWS::X::Owner'}}\nassert: owners == []\nmessage: m\n");
    assert!(error.expect_err("refused").contains("joined resources cannot be compared"));
}

#[test]
fn unknown_keys_in_a_rule_file_are_shown_at_their_place() {
    let error = load("assert: 'true'\nmessage: m\nremedy: x\n").expect_err("refused");
    assert!(error.starts_with("x.yaml:11:1: unknown field `remedy`"), "{error}");
}

#[test]
fn a_test_with_a_member_that_the_api_lacks_is_refused() {
    let error = load("assert: 'true'\nmessage: m\ntests: [{name: t, resource: {Naem: x}, expect: pass}]\n");
    assert!(error.expect_err("refused").contains("has no member `Naem`"));
    let error = load("assert: 'true'\nmessage: m\ntests: [{name: t, resource: {Size: x}, expect: pass}]\n");
    assert!(error.expect_err("refused").contains("`Size` is not a integer"));
}

#[test]
fn missing_tests_are_named() {
    let outcomes = load("assert: resource.Encrypted\nmessage: m\n").expect("loads").test(&schemas());
    let names: Vec<&str> = outcomes.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(
        names,
        ["has a test that expects pass", "has a test that expects fail", "has a test that expects unknown"]
    );
}

#[test]
fn messages_carry_values_and_braces() {
    let body = "assert: 'false'\nmessage: \"{{x}} '{name}' has {resource.Friends} and {resource.Size}\"\n\
                tests:\n  - {name: t, resource: {Name: n, Friends: [a, b], Size: 3}, expect: fail, \
                reason: \"{x} 'n' has a, b and 3.\"}\n";
    let outcomes = load(body).expect("loads").test(&schemas());
    assert_eq!(outcomes.iter().find(|o| o.name == "t").and_then(|o| o.failure.clone()), None);
}

#[test]
fn lists_of_lists_are_one_list() {
    judge("flatten([[1, 2], [], [3]]) == [1, 2, 3] && flatten([]) == []", "resource: {}", Verdict::Pass);
    judge("size(flatten([resource.Friends, ['c']])) == 3", "resource: {Friends: [a, b]}", Verdict::Pass);
    let unread = "resource: {}\nunknown: {Friends: 'x:GetFriends'}";
    judge("size(flatten([resource.Friends, ['c']])) == 3", unread, Verdict::Unknown);
}

#[test]
fn a_join_that_is_first_asked_for_inside_a_comprehension_leaves_its_variables_alone() {
    let rule = "join:\n  owners: {resource: AWS::X::Owner, on: {member: OwnerId, equals: \"resource.Friends.map(f, f)\"}}\n\
                assert: resource.Friends.all(f, owners.exists(o, o.OwnerId == f))";
    let others =
        "others: [{type: AWS::X::Owner, resource: {OwnerId: a}}, {type: AWS::X::Owner, resource: {OwnerId: b}}]";
    judge_with(rule, &format!("resource: {{Friends: [a, b]}}\n{others}"), Verdict::Pass);
    judge_with(rule, &format!("resource: {{Friends: [a, c]}}\n{others}"), Verdict::Fail);
}

/// A rule that asks who the friends of a thing are.
const KNOWN: &str = "assert: resource.Friends.all(f, knownAccount(f)) && !resource.Encrypted\n\
                     manual: {message: \"who are {resource.Friends.filter(f, !knownAccount(f))}?\"}";
const ALONE: &str = "others: [{type: 'AWS::::Account'}]";
const DENIED: &str =
    "others: [{type: 'AWS::::Account', unknown: {OrganizationAccounts: 'organizations:ListAccounts'}}]";

#[test]
fn without_a_register_of_vendors_a_stranger_is_a_question_to_a_person() {
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{ALONE}"), Verdict::Manual);
    let none = "register: {own: {accounts: []}}";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{none}\n{ALONE}"), Verdict::Manual);
    let empty = "register: {vendors: []}";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{empty}\n{ALONE}"), Verdict::Fail);
}

#[test]
fn what_is_certain_without_a_register_is_no_question() {
    let certain_failure = "resource: {Friends: ['777788889999'], Encrypted: true}";
    judge_with(KNOWN, &format!("{certain_failure}\n{ALONE}"), Verdict::Fail);
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999', all]}}\n{ALONE}"), Verdict::Fail);
    judge_with(KNOWN, &format!("resource: {{Friends: ['111122223333']}}\n{DENIED}"), Verdict::Pass);
    let member = "others: [{type: 'AWS::::Account', resource: {OrganizationAccounts: [{Id: '777788889999'}]}}]";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{member}"), Verdict::Pass);
}

#[test]
fn what_could_not_be_read_comes_before_what_was_not_supplied() {
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{DENIED}"), Verdict::Unknown);
    let unread = "unknown: {Encrypted: 'x:GetEncrypted'}";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{unread}\n{ALONE}"), Verdict::Unknown);
    // An account that is not in the inventory is not an account without an organization.
    judge_with(KNOWN, "resource: {Friends: ['777788889999']}", Verdict::Unknown);
    let unlisted = "unlisted: ['AWS::::Account']";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{unlisted}"), Verdict::Unknown);
    // Nor is one whose organization has no list of accounts.
    let accounts = "others: [{type: 'AWS::::Account', resource: {Organization: {Id: o-own1234567}}}]";
    judge_with(KNOWN, &format!("resource: {{Friends: ['777788889999']}}\n{accounts}"), Verdict::Unknown);
}

#[test]
fn a_register_decides_without_the_organization_where_it_can() {
    let friend = "resource: {Friends: ['777788889999']}";
    let vendor = "register: {vendors: [{name: V, accounts: ['777788889999']}]}";
    judge_with(KNOWN, &format!("{friend}\n{vendor}\n{DENIED}"), Verdict::Pass);
    let own = "register: {own: {accounts: ['777788889999']}}";
    judge_with(KNOWN, &format!("{friend}\n{own}\n{DENIED}"), Verdict::Pass);
    let others = "register: {own: {accounts: ['444455556666']}, vendors: []}";
    judge_with(KNOWN, &format!("{friend}\n{others}\n{DENIED}"), Verdict::Fail);
    let open = "register: {vendors: []}";
    judge_with(KNOWN, &format!("{friend}\n{open}\n{DENIED}"), Verdict::Unknown);
}

#[test]
fn a_question_names_whoever_may_be_a_stranger_and_a_failure_only_who_is() {
    let friends = "resource: {Friends: ['777788889999', '444455556666']}";
    let own = "register: {own: {accounts: ['444455556666']}}";
    judge_with(KNOWN, &format!("{friends}\n{own}\n{ALONE}\nreason: who are 777788889999?"), Verdict::Manual);
    let rule = "assert: resource.Friends.all(f, knownAccount(f))\nmanual: {message: m}\n\
                pass: \"{parties(resource.Friends)}\"";
    let vendor = "register: {vendors: [{name: V, accounts: ['777788889999']}], own: {accounts: ['444455556666']}}";
    let told = "reason: V (777788889999), 444455556666 (own)";
    judge_with(rule, &format!("{friends}\n{vendor}\n{ALONE}\n{told}"), Verdict::Pass);
    let body = "assert: resource.Friends.all(f, knownAccount(f))\nmanual: {message: m}\n\
                message: \"strangers: {resource.Friends.filter(f, !knownAccount(f))}!\"\ntests:\n  - {name: t, \
                resource: {Friends: ['777788889999', all]}, register: {vendors: []}, expect: fail, reason: 'strangers: all!', \
                others: [{type: 'AWS::::Account', unknown: {OrganizationAccounts: 'organizations:ListAccounts'}}]}\n";
    let outcomes = load(body).expect("loads").test(&schemas());
    assert_eq!(outcomes.iter().find(|o| o.name == "t").and_then(|o| o.failure.clone()), None);
}

#[test]
fn own_accounts_are_listed_by_the_register_or_the_organization() {
    judge("ownAccountsListed()", &format!("resource: {{}}\n{ALONE}"), Verdict::Fail);
    judge("ownAccountsListed()", &format!("resource: {{}}\n{DENIED}"), Verdict::Unknown);
    judge(
        "ownAccountsListed()",
        &format!("resource: {{}}\nregister: {{own: {{accounts: []}}}}\n{DENIED}"),
        Verdict::Pass,
    );
    let member = "others: [{type: 'AWS::::Account', resource: {OrganizationAccounts: [{Id: '777788889999'}]}}]";
    judge("ownAccountsListed()", &format!("resource: {{}}\n{member}"), Verdict::Pass);
}

#[test]
fn a_rule_that_asks_for_vendors_must_have_a_question_to_a_person() {
    let error = load("assert: knownAccount(resource.OwnerId)\nmessage: m\n").expect_err("refused");
    assert!(error.contains("without a question (add `manual:`"), "{error}");
    let error = load("assert: resource.Encrypted\nmessage: m\nmanual: {message: q}\n").expect_err("refused");
    assert!(error.contains("`manual` without `when`"), "{error}");
    load("assert: ownAccount(resource.OwnerId)\nmessage: m\n").expect("that asks for no vendors");
}

#[test]
fn a_test_with_a_register_that_cannot_be_meant_is_refused() {
    let with = |register: &str| {
        load(&format!(
            "assert: 'true'\nmessage: m\ntests: [{{name: t, resource: {{}}, register: {register}, expect: pass}}]\n"
        ))
    };
    assert!(
        with("{vendors: [{name: V, accounts: ['123']}]}").expect_err("refused").contains("`123` is not an account id")
    );
    assert!(with("{vendor: []}").expect_err("refused").contains("vendor"));
}

#[test]
fn what_decided_who_somebody_is_stands_in_the_evidence() {
    let rule = "assert: resource.Friends.all(f, knownAccount(f))\nmanual: {message: m}\nmessage: m\ntests:\n  - {name: t, \
                resource: {Friends: ['777788889999', '464622532012', '222233334444']}, expect: fail, \
                others: [{type: 'AWS::::Account', resource: {Organization: {Id: o-own1234567}, \
                OrganizationAccounts: [{Id: '777788889999'}]}}]}\n";
    let register =
        serde_json::json!({"vendors": [{"name": "Datadog", "purpose": "metrics", "accounts": ["464622532012"]}]});
    let pack = load(rule).expect("loads").with_register(serde_json::from_value(register).expect("a register"));
    let evidence = pack.compiled[0].tests[0].evidence(&pack);
    let said: Vec<String> = evidence.iter().map(|e| format!("{} {}", e.path, e.value)).collect();
    for expected in [
        "register[777788889999] \"of the organization o-own1234567\"",
        "register[464622532012] \"vendor Datadog: metrics\"",
        "register[222233334444] \"not on the register, and not of the organization o-own1234567 (1 accounts)\"",
    ] {
        assert!(said.iter().any(|s| s == expected), "{expected} is not in {said:?}");
    }
}

#[test]
fn what_is_no_grant_is_no_known_grant() {
    let rule = "assert: trust(resource.Policy).accounts.all(t, knownGrant(t))\nmanual: {message: m}\nmessage: m\n\
                tests: [{name: t, expect: pass, others: [{type: 'AWS::::Account'}], resource: {Policy: {Version: '2012-10-17', \
                Statement: [{Effect: Allow, Principal: {AWS: '777788889999'}, Action: 'sts:AssumeRole'}]}}}]\n";
    let outcomes = load(rule).expect("loads").test(&schemas());
    let failure = outcomes.iter().find(|o| o.name == "t").and_then(|o| o.failure.clone()).expect("it fails");
    assert!(failure.contains("where a grant was expected"), "{failure}");
}
