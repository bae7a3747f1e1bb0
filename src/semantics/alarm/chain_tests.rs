//! Each link of the chain, taken out, broken and hidden in turn.

use super::chain::{Chain, Doubt, Item, Items, Parts, chain, findings_routed};
use super::classes::{Owner, class};
use serde_json::{Map, Value, json};

const ACCOUNT: &str = "111122223333";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alarms";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:page";

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:events";
const SUBSCRIPTION: &str = "arn:aws:sns:us-east-1:111122223333:alarms:1";

/// A policy that lets services do anything.
fn open_to(services: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": services}, "Action": "*", "Resource": "*",
    }]})
}

/// An account with one whole chain for changes of trails, to be spoiled.
#[derive(Clone)]
struct World {
    /// Kind, ARN, region, document, unread members.
    all: Vec<(&'static str, String, &'static str, Value, Vec<&'static str>)>,
    /// Kinds whose listing has a hole.
    holes: Vec<&'static str>,
    class: &'static str,
}

const KINDS: [&str; 10] =
    ["trail", "filter", "alarm", "composite", "topic", "rule", "region", "function", "queue", "key"];

impl World {
    fn new() -> Self {
        let mut world = World { all: Vec::new(), holes: Vec::new(), class: "cloudtrail-changes" };
        world.add(
            "trail",
            json!({
                "name": "audit", "IsMultiRegionTrail": true, "Status": {"IsLogging": true},
                "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:trail:*",
                "EventSelectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]},
            }),
        );
        world.add(
            "filter",
            json!({
                "filterName": "f", "logGroupName": "trail", "filterPattern": "{ $.eventSource = cloudtrail.amazonaws.com }",
                "metricTransformations": [{"metricNamespace": "S", "metricName": "m", "metricValue": "1"}],
            }),
        );
        world.add(
            "alarm",
            json!({
                "name": "a", "Namespace": "S", "MetricName": "m", "Statistic": "Sum", "Period": 300, "Threshold": 1.0,
                "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "ActionsEnabled": true,
                "AlarmActions": [TOPIC],
            }),
        );
        world.add(
            "topic",
            json!({
                "Subscriptions": [{"SubscriptionArn": SUBSCRIPTION}],
                "SubscriptionAttributes": [{"SubscriptionArn": SUBSCRIPTION}],
                "Attributes": {"Policy": open_to(&["cloudwatch.amazonaws.com", "events.amazonaws.com"])},
            }),
        );
        world.add("region", json!({}));
        world.add("function", json!({"Policy": open_to(&["events.amazonaws.com"])}));
        world
    }

    fn add(&mut self, kind: &'static str, document: Value) {
        self.add_in("us-east-1", kind, document);
    }

    fn add_in(&mut self, region: &'static str, kind: &'static str, document: Value) {
        let arn = match kind {
            "topic" => TOPIC.to_owned(),
            "function" => FUNCTION.to_owned(),
            "queue" => QUEUE.to_owned(),
            "key" => "arn:aws:kms:us-east-1:111122223333:key/k".to_owned(),
            _ => format!("arn:{kind}:{region}:{}", document["name"]),
        };
        self.all.push((kind, arn, region, document, Vec::new()));
    }

    /// Sets members of the first of a kind; `null` takes one away.
    fn with(mut self, kind: &str, members: Value) -> Self {
        let item = self.all.iter_mut().find(|item| item.0 == kind).expect("one of the kind");
        let document = item.3.as_object_mut().expect("an object");
        for (name, value) in members.as_object().expect("members") {
            document.insert(name.clone(), value.clone());
            document.retain(|_, value| !value.is_null());
        }
        self
    }

    fn without(mut self, kind: &str) -> Self {
        self.all.retain(|item| item.0 != kind);
        self
    }

    fn unread(mut self, kind: &str, member: &'static str) -> Self {
        let item = self.all.iter_mut().find(|item| item.0 == kind).expect("one of the kind");
        item.3.as_object_mut().expect("an object").remove(member);
        item.4.push(member);
        self
    }

    fn and(mut self, kind: &'static str, document: Value) -> Self {
        self.add(kind, document);
        self
    }

    fn unlisted(mut self, kind: &'static str) -> Self {
        self.holes.push(kind);
        self
    }

    fn of(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    fn ask(&self) -> Result<Chain, Vec<Doubt>> {
        self.of_parts(|parts| chain(&class(self.class, parts.owner).expect("a class"), parts))
    }

    fn of_parts<T>(&self, ask: impl FnOnce(&Parts<'_>) -> T) -> T {
        let documents: Vec<Map<String, Value>> =
            self.all.iter().map(|item| item.3.as_object().expect("an object").clone()).collect();
        let items = |kind: &str| Items {
            all: self
                .all
                .iter()
                .zip(&documents)
                .filter(|(item, _)| item.0 == kind)
                .map(|((_, arn, region, _, unread), document)| Item {
                    name: document.get("name").and_then(Value::as_str).unwrap_or_default(),
                    arn,
                    region,
                    document,
                    unread: unread.iter().map(|m| (*m, 7)).collect(),
                })
                .collect(),
            holes: self.holes.iter().filter(|k| **k == kind).map(|_| 9).collect(),
        };
        let [trails, filters, alarms, composites, topics, rules, regions, functions, queues, keys] = KINDS.map(items);
        let owner = Owner { account: ACCOUNT, partition: "aws" };
        let parts =
            Parts { owner, trails, filters, alarms, composites, topics, rules, regions, functions, queues, keys };
        ask(&parts)
    }

    /// Whether findings are routed, in the words of [`Self::answer`].
    fn routed(&self, severity: f64) -> String {
        Self::in_words(self.of_parts(|parts| findings_routed("us-east-1", severity, parts)))
    }

    /// `whole`, `open`, or the sentences on what is missing.
    fn answer(&self) -> String {
        Self::in_words(self.ask())
    }

    fn in_words(asked: Result<Chain, Vec<Doubt>>) -> String {
        match asked {
            Ok(Chain { complete: true, .. }) => "whole".into(),
            Ok(chain) => chain.missing.join("; "),
            Err(doubts) => {
                assert!(!doubts.is_empty(), "a doubt has a reason");
                "open".into()
            }
        }
    }
}

#[test]
fn a_whole_chain_names_its_links() {
    let chain = World::new().ask().expect("known");
    assert_eq!(
        chain.by,
        ["metric filter 'f' on log group 'trail' covers it; trail 'audit', alarm 'a', topic 'alarms' in us-east-1"]
    );
}

#[test]
fn each_missing_link_has_its_sentence() {
    let w = World::new;
    for (world, expected) in [
        (w().without("trail"), "there is no trail"),
        (w().with("trail", json!({"Status": {"IsLogging": false}})), "trail 'audit' is stopped"),
        (w().with("trail", json!({"IsMultiRegionTrail": false})), "trail 'audit' records one region only"),
        (w().with("trail", json!({"CloudWatchLogsLogGroupArn": null})), "sends its events to no log group"),
        (
            w().with("trail", json!({"Status": {"IsLogging": true, "LatestCloudWatchLogsDeliveryError": "AccessDenied"}})),
            "cannot deliver to its log group",
        ),
        (
            w().with("trail", json!({"EventSelectors": {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}]}})),
            "does not record all of changes of trails",
        ),
        (w().without("filter"), "no metric filter on log group 'trail' covers it"),
        (w().with("filter", json!({"logGroupName": "other"})), "no metric filter on log group 'trail' covers it"),
        (
            w().with("filter", json!({"filterPattern": "{ $.eventName = CreateTrail }"})),
            "no metric filter on log group 'trail' covers it (UpdateTrail, DeleteTrail, StartLogging, StopLogging)",
        ),
        (w().with("filter", json!({"metricTransformations": []})), "metric filter 'f' on log group 'trail' covers it; it publishes no metric"),
        (w().without("alarm"), "metric filter 'f' on log group 'trail' covers it; no alarm watches its metric 'S/m'"),
        (w().with("alarm", json!({"MetricName": "other"})), "no alarm watches its metric 'S/m'"),
        (w().with("alarm", json!({"ActionsEnabled": false})), "alarm 'a' on its metric has its actions disabled"),
        (w().with("alarm", json!({"AlarmActions": []})), "alarm 'a' on its metric has no action for the alarm state"),
        (w().with("alarm", json!({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]})), "tells nobody"),
        (w().without("topic"), "topic 'alarms' does not exist"),
        (w().with("topic", json!({"Subscriptions": []})), "topic 'alarms' has no confirmed subscription"),
        (
            w().with("topic", json!({"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}], "Attributes": {"SubscriptionsConfirmed": "0"}})),
            "topic 'alarms' has no confirmed subscription",
        ),
    ] {
        let answer = world.answer();
        assert!(answer.contains(expected), "{expected:?} is not in {answer:?}");
        assert!(answer.contains("no EventBridge rule covers it"), "{answer:?}");
    }
}

#[test]
fn what_could_not_be_read_is_open_only_where_it_decides() {
    let w = World::new;
    for kind in KINDS {
        assert_eq!(w().unlisted(kind).answer(), "whole", "{kind}: a whole chain was found");
        if ["trail", "filter", "alarm", "topic"].contains(&kind) {
            assert_eq!(w().without(kind).unlisted(kind).answer(), "open", "{kind}");
        }
    }
    assert_eq!(w().without("filter").unlisted("rule").answer(), "open");
    assert_eq!(w().with("alarm", json!({"AlarmActions": []})).unlisted("composite").answer(), "open");
    for (kind, member) in [
        ("trail", "Status"),
        ("trail", "EventSelectors"),
        ("topic", "Attributes"),
        ("topic", "Subscriptions"),
        ("topic", "SubscriptionAttributes"),
    ] {
        assert_eq!(w().unread(kind, member).answer(), "open", "{member}");
    }
    // The count of confirmed subscriptions is another way to know.
    let attributes =
        json!({"Attributes": {"SubscriptionsConfirmed": "2", "Policy": open_to(&["cloudwatch.amazonaws.com"])}});
    let counted = w().unread("topic", "Subscriptions").with("topic", attributes);
    assert_eq!(counted.answer(), "whole");
    // A stopped trail is stopped whatever it selects.
    let stopped = w().unread("trail", "EventSelectors").with("trail", json!({"Status": {"IsLogging": false}}));
    assert!(stopped.answer().contains("is stopped"));
}

#[test]
fn what_lies_in_another_account_is_open() {
    let group = "arn:aws:logs:us-east-1:444455556666:log-group:trail:*";
    assert_eq!(World::new().with("trail", json!({"CloudWatchLogsLogGroupArn": group})).answer(), "open");
    let topic = json!({"AlarmActions": ["arn:aws:sns:us-east-1:444455556666:alarms"]});
    assert_eq!(World::new().with("alarm", topic).answer(), "open");
}

#[test]
fn what_is_not_understood_is_open() {
    let w = World::new;
    for world in [
        w().with("filter", json!({"filterPattern": "{ $.eventName = %Trail% }"})),
        w().with("filter", json!({"filterPattern": "{ $.eventName "})),
        w().with("filter", json!({"applyOnTransformedLogs": true})),
        w().with("filter", json!({"fieldSelectionCriteria": "@aws.region = \"us-east-1\""})),
        w().with(
            "filter",
            json!({"metricTransformations": [{"metricNamespace": "S", "metricName": "m", "metricValue": "$.size"}]}),
        ),
        w().with("alarm", json!({"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"})),
        w().with("alarm", json!({"EvaluationPeriods": 3})),
        w().with("alarm", json!({"AlarmActions": ["arn:aws:ssm-incidents::111122223333:response-plan/p"]})),
    ] {
        assert_eq!(world.answer(), "open");
    }
}

#[test]
fn an_alarm_must_fire_on_one_event() {
    let default = |value: f64| json!({"metricTransformations": [{"metricNamespace": "S", "metricName": "m", "metricValue": "1", "defaultValue": value}]});
    let w = World::new;
    for (world, expected) in [
        (w().with("alarm", json!({"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0})), "whole"),
        (w().with("alarm", json!({"ComparisonOperator": "GreaterThanThreshold"})), "does not fire on one event"),
        (w().with("alarm", json!({"Threshold": 5})), "does not fire on one event, its threshold is 5"),
        (w().with("alarm", json!({"Statistic": "Maximum"})), "whole"),
        (w().with("alarm", json!({"Statistic": "Average"})), "whole"),
        (w().with("alarm", json!({"Statistic": "SampleCount"})), "whole"),
        (w().with("alarm", json!({"Statistic": null, "ExtendedStatistic": "p99"})), "whole"),
        (w().with("alarm", json!({"Statistic": null, "ExtendedStatistic": "PR(1:2)"})), "open"),
        (w().with("filter", default(0.0)), "whole"),
        (w().with("filter", default(0.0)).with("alarm", json!({"Statistic": "Average"})), "open"),
        (w().with("filter", default(1.0)), "in alarm when nothing happens"),
        (w().with("alarm", json!({"TreatMissingData": "notBreaching"})), "whole"),
        (w().with("alarm", json!({"TreatMissingData": "breaching"})), "in alarm when nothing happens"),
        (w().with("alarm", json!({"EvaluationPeriods": 3, "DatapointsToAlarm": 1})), "whole"),
        (
            w().with("alarm", json!({"EvaluationPeriods": 2, "TreatMissingData": "notBreaching"})),
            "only after 2 periods",
        ),
        (w().with("alarm", json!({"EvaluationPeriods": 2})).with("filter", default(0.0)), "only after 2 periods"),
        (w().with("alarm", json!({"TreatMissingData": "ignore"})), "tells of the first event only"),
        (w().with("alarm", json!({"TreatMissingData": "ignore"})).with("filter", default(0.0)), "whole"),
        (
            w().with(
                "alarm",
                json!({"Statistic": null, "ExtendedStatistic": "p99", "EvaluateLowSampleCountPercentile": "ignore"}),
            ),
            "waits for more events than one",
        ),
        (w().with("filter", default(0.5)), "open"),
        (w().with("filter", default(-1.0)), "open"),
        (w().with("filter", default(0.0)).with("alarm", json!({"Statistic": "Maximum"})), "whole"),
        (
            w().with("filter", default(0.0)).with("alarm", json!({"Statistic": "SampleCount"})),
            "in alarm when nothing happens",
        ),
        (w().with("alarm", json!({"Unit": "Count"})), "waits for the unit Count"),
        (w().with("alarm", json!({"Unit": "None"})), "whole"),
        (
            w().with("alarm", json!({"Dimensions": [{"Name": "user", "Value": "x"}]})),
            "under dimensions that it has not",
        ),
    ] {
        let answer = world.answer();
        assert!(answer.contains(expected), "{expected:?} is not in {answer:?}");
    }
}

#[test]
fn a_threshold_is_a_choice_for_failed_sign_ins_and_refused_calls() {
    for class in ["console-authentication-failures", "unauthorized-api-calls"] {
        let pattern = json!({"filterPattern": "{ $.errorMessage = \"Failed authentication\" || $.errorCode = \"*\" }"});
        let world = World::new().of(class).with("filter", pattern);
        assert_eq!(world.clone().with("alarm", json!({"Threshold": 5, "EvaluationPeriods": 2})).answer(), "whole");
        // A maximum of ones never comes to five, however many there are.
        let never = world.with("alarm", json!({"Threshold": 5, "Statistic": "Maximum"})).answer();
        assert!(never.contains("does not fire"), "{never}");
    }
}

#[test]
fn dimensions_are_those_of_the_metric() {
    let under = json!({"metricTransformations": [
        {"metricNamespace": "S", "metricName": "m", "metricValue": "1", "dimensions": {"user": "$.userIdentity.arn"}}
    ]});
    assert!(World::new().with("filter", under.clone()).answer().contains("without the dimensions"));
    let alarm = json!({"Dimensions": [{"Name": "user", "Value": "x"}]});
    assert_eq!(World::new().with("filter", under).with("alarm", alarm).answer(), "open");
}

#[test]
fn metric_math_is_understood_where_it_is_the_metric_itself() {
    let stat = json!({"Id": "m1", "MetricStat": {"Metric": {"Namespace": "S", "MetricName": "m"}, "Period": 300, "Stat": "Sum"}});
    let hidden = |stat: &Value| {
        let mut stat = stat.clone();
        stat["ReturnData"] = json!(false);
        stat
    };
    let of = |metrics: Value| {
        World::new()
            .with("alarm", json!({"Metrics": metrics, "Namespace": null, "MetricName": null, "Statistic": null}))
    };
    assert_eq!(of(json!([stat])).answer(), "whole");
    assert_eq!(of(json!([hidden(&stat), {"Id": "e", "Expression": "FILL(m1, 0)"}])).answer(), "whole");
    assert_eq!(of(json!([hidden(&stat), {"Id": "e", "Expression": "FILL(m1, 9)"}])).answer(), "open");
    assert_eq!(of(json!([hidden(&stat), {"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m1)"}])).answer(), "open");
    let mut elsewhere = stat;
    elsewhere["AccountId"] = json!("444455556666");
    assert!(of(json!([elsewhere])).answer().contains("no alarm watches"));
}

#[test]
fn a_composite_alarm_can_act_in_place_of_its_part() {
    let silent = World::new().with("alarm", json!({"AlarmActions": [], "name": "a"}));
    let composite = |name: &str, rule: &str| json!({"name": name, "AlarmRule": rule, "ActionsEnabled": true, "AlarmActions": [TOPIC]});
    assert_eq!(silent.clone().and("composite", composite("c", "ALARM(\"a\") OR ALARM(b)")).answer(), "whole");
    assert!(silent.clone().and("composite", composite("c", "ALARM(a) AND ALARM(b)")).answer().contains("no action"));
    assert_eq!(silent.clone().and("composite", composite("c", "AT_LEAST(1, ALARM, (a, b))")).answer(), "open");
    // What is in alarm all the time tells of no event.
    for always in ["ALARM(a) OR TRUE", "ALARM(a) OR OK(a) OR INSUFFICIENT_DATA(a)"] {
        assert!(silent.clone().and("composite", composite("c", always)).answer().contains("no action"), "{always}");
    }
    assert_eq!(silent.clone().and("composite", composite("c", "NOT OK(a)")).answer(), "open");
    let mut inner = composite("c", "ALARM(a)");
    inner["AlarmActions"] = json!([]);
    let chained = silent.clone().and("composite", inner).and("composite", composite("d", "ALARM(c)"));
    assert_eq!(chained.answer(), "whole");
    let mut suppressed = composite("c", "ALARM(a)");
    suppressed["ActionsSuppressor"] = json!("maintenance");
    assert_eq!(silent.and("composite", suppressed).answer(), "open");
}

#[test]
fn several_filters_cover_together() {
    let other = json!({
        "filterName": "g", "logGroupName": "trail", "filterPattern": "{ $.eventName = \"St*\" }",
        "metricTransformations": [{"metricNamespace": "S", "metricName": "m", "metricValue": "1"}],
    });
    let world = World::new().with("filter", json!({"filterPattern": "{ $.eventName = \"*Trail\" }"}));
    assert!(world.answer().contains("StartLogging, StopLogging"));
    assert_eq!(world.and("filter", other).answer(), "whole");
}

#[test]
fn advanced_selectors_are_read_as_far_as_they_are_known() {
    let advanced = |fields: Value| json!({"EventSelectors": {"AdvancedEventSelectors": [{"FieldSelectors": fields}]}});
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let world = |fields: Value| World::new().with("trail", advanced(fields));
    assert_eq!(world(json!([management])).answer(), "whole");
    assert_eq!(world(json!([management, {"Field": "readOnly", "Equals": ["false"]}])).answer(), "whole");
    assert!(world(json!([management, {"Field": "readOnly", "Equals": ["true"]}])).answer().contains("does not record"));
    let kms = json!({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]});
    assert_eq!(world(json!([management, kms])).answer(), "whole");
    let keys = json!({"filterPattern": "{ $.eventSource = kms.amazonaws.com }"});
    let of_keys = world(json!([management, kms])).of("kms-key-disable-or-delete").with("filter", keys);
    assert!(of_keys.answer().contains("does not record"));
    let narrowed = json!({"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts::"]});
    assert!(world(json!([management, narrowed])).answer().contains("does not record"));
    assert!(world(json!([{"Field": "eventCategory", "Equals": ["Data"]}])).answer().contains("does not record"));
}

fn rule(state: &str, target: &str) -> Value {
    json!({
        "name": "r", "EventBusName": "default", "State": state, "Targets": [{"Id": "t", "Arn": target}],
        "EventPattern": r#"{"source": ["aws.cloudtrail"]}"#,
    })
}

#[test]
fn an_eventbridge_rule_is_another_way() {
    let lambda = FUNCTION;
    let bare = World::new().without("filter");
    assert_eq!(bare.clone().and("rule", rule("ENABLED", TOPIC)).answer(), "whole");
    assert_eq!(bare.clone().and("rule", rule("ENABLED", lambda)).answer(), "whole");
    for (world, expected) in [
        (
            bare.clone().and("rule", rule("DISABLED", lambda)),
            "EventBridge rule 'r' in us-east-1 covers it; it is disabled",
        ),
        (
            bare.clone().and("rule", rule("ENABLED", "arn:aws:logs:us-east-1:111122223333:log-group:g")),
            "log group 'g' only keeps it",
        ),
        (bare.clone().without("topic").and("rule", rule("ENABLED", TOPIC)), "topic 'alarms' does not exist"),
        (bare.clone().without("trail").and("rule", rule("ENABLED", lambda)), "gets the events of trails only"),
        (
            bare.clone().of("root-usage").and("rule", {
                let mut all = rule("ENABLED", lambda);
                all["EventPattern"] = json!(r#"{"detail": {"userIdentity": {"type": ["Root"]}}}"#);
                all
            }),
            "it does not get read-only events",
        ),
    ] {
        let answer = world.answer();
        assert!(answer.contains(expected), "{expected:?} is not in {answer:?}");
    }
    assert_eq!(bare.clone().and("rule", rule("ENABLED", "arn:aws:sns:us-east-1:444455556666:t")).answer(), "open");
    assert_eq!(bare.clone().and("rule", rule("SOMETIMES", lambda)).answer(), "open");
    assert_eq!(bare.clone().and("rule", rule("ENABLED", lambda)).unread("rule", "Targets").answer(), "open");
    let mut broken = rule("ENABLED", lambda);
    broken["EventPattern"] = json!("{");
    assert_eq!(bare.and("rule", broken).answer(), "open");
}

#[test]
fn the_target_of_an_eventbridge_rule_must_exist() {
    let bare = World::new().without("filter");
    let to = |target: &str| bare.clone().and("rule", rule("ENABLED", target));
    assert_eq!(to(FUNCTION).answer(), "whole");
    assert_eq!(to(&format!("{FUNCTION}:live")).answer(), "open", "the policy of an alias is another");
    let gone = to(FUNCTION).without("function");
    assert!(gone.answer().contains("function 'arn:aws:lambda:us-east-1:111122223333:function:page' does not exist"));
    assert_eq!(gone.unlisted("function").answer(), "open");
    let queue = to("arn:queue:us-east-1:null");
    assert_eq!(queue.answer(), "open", "no ARN of a queue");
    let queue = to("arn:aws:sqs:us-east-1:111122223333:events");
    assert!(queue.answer().contains("queue 'arn:aws:sqs:us-east-1:111122223333:events' does not exist"));
    for elsewhere in
        ["arn:aws:lambda:us-east-1:444455556666:function:page", "arn:aws:states:us-east-1:111122223333:stateMachine:m"]
    {
        assert_eq!(to(elsewhere).answer(), "open", "{elsewhere}");
    }
}

#[test]
fn a_topic_must_let_the_service_in() {
    let policy =
        |statements: Value| json!({"Attributes": {"Policy": {"Version": "2012-10-17", "Statement": statements}}});
    let allow = |principal: Value, condition: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "SNS:Publish", "Resource": TOPIC, "Condition": condition});
    let owner = json!({"StringEquals": {"AWS:SourceOwner": ACCOUNT}});
    let by_alarm = |statements: Value| World::new().with("topic", policy(statements)).answer();
    assert_eq!(by_alarm(json!([allow(json!({"AWS": "*"}), owner.clone())])), "whole", "as a topic is made");
    let refused = by_alarm(json!([allow(json!({"Service": "events.amazonaws.com"}), json!({}))]));
    assert!(
        refused.contains("alarm 'a' on its metric acts, but the policy of topic 'alarms' does not let CloudWatch in")
    );
    let doubtful = json!({"StringEquals": {"aws:SourceOrgID": "o-1"}});
    assert_eq!(by_alarm(json!([allow(json!({"Service": "cloudwatch.amazonaws.com"}), doubtful)])), "open");
    assert_eq!(World::new().with("topic", json!({"Attributes": {}})).answer(), "open");

    let by_rule = |statements: Value| {
        World::new().without("filter").and("rule", rule("ENABLED", TOPIC)).with("topic", policy(statements)).answer()
    };
    assert_eq!(by_rule(json!([allow(json!({"Service": "events.amazonaws.com"}), json!({}))])), "whole");
    let refused = by_rule(json!([allow(json!({"AWS": "*"}), owner)]));
    assert!(refused.contains("the policy of topic 'alarms' does not let EventBridge in"), "{refused}");
    let source = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    assert_eq!(by_rule(json!([allow(json!({"Service": "events.amazonaws.com"}), source)])), "open");
}

#[test]
fn functions_and_queues_must_let_eventbridge_in() {
    let bare = World::new().without("filter");
    let function = bare.clone().and("rule", rule("ENABLED", FUNCTION));
    let refused = "does not let EventBridge in";
    assert!(function.clone().with("function", json!({"Policy": null})).answer().contains(refused));
    assert_eq!(function.unread("function", "Policy").answer(), "open");
    let queue = |attributes: Value| {
        bare.clone().and("rule", rule("ENABLED", QUEUE)).and("queue", json!({"Attributes": attributes})).answer()
    };
    assert_eq!(queue(json!({"Policy": open_to(&["events.amazonaws.com"])})), "whole");
    assert!(queue(json!({})).contains(refused));
    let managed = queue(json!({"Policy": open_to(&["events.amazonaws.com"]), "KmsMasterKeyId": "alias/aws/sqs"}));
    assert!(managed.contains("a key that AWS manages, which EventBridge cannot use"), "{managed}");
    let mut by_role = rule("ENABLED", FUNCTION);
    by_role["Targets"][0]["RoleArn"] = json!("arn:aws:iam::111122223333:role/r");
    assert_eq!(bare.and("rule", by_role).answer(), "open");
}

#[test]
fn a_topic_must_be_encrypted_with_a_key_that_the_service_can_use() {
    let under = |named: &str| {
        let policy = open_to(&["cloudwatch.amazonaws.com"]);
        World::new().with("topic", json!({"Attributes": {"Policy": policy, "KmsMasterKeyId": named}}))
    };
    let key = |policy: Value| json!({"name": "1", "KeyState": "Enabled", "KeyManager": "CUSTOMER", "Aliases": [{"AliasName": "alias/sns"}], "Policy": policy});
    let open = || key(open_to(&["cloudwatch.amazonaws.com"]));
    assert!(
        under("alias/aws/sns").answer().contains("encrypted with a key that AWS manages, which CloudWatch cannot use")
    );
    for named in
        ["alias/sns", "k", "arn:aws:kms:us-east-1:111122223333:key/k", "arn:aws:kms:us-east-1:111122223333:alias/sns"]
    {
        assert_eq!(under(named).and("key", open()).answer(), "whole", "{named}");
    }
    assert!(under("k").answer().contains("the key of topic 'alarms' does not exist"));
    assert_eq!(under("k").unlisted("key").answer(), "open");
    assert_eq!(under("arn:aws:kms:us-east-1:444455556666:key/k").answer(), "open");
    let closed = key(open_to(&["sns.amazonaws.com"]));
    assert!(
        under("k")
            .and("key", closed)
            .answer()
            .contains("the policy of the key of topic 'alarms' does not let CloudWatch in")
    );
    assert!(
        under("k").and("key", open()).with("key", json!({"KeyState": "Disabled"})).answer().contains("is not enabled")
    );
    assert!(
        under("k")
            .and("key", open())
            .with("key", json!({"KeyManager": "AWS"}))
            .answer()
            .contains("a key that AWS manages")
    );
    assert_eq!(under("k").and("key", open()).unread("key", "Policy").answer(), "open");
    assert_eq!(under("alias/sns").and("key", open()).unread("key", "Aliases").answer(), "open");
}

#[test]
fn what_a_filter_policy_lets_through_is_not_known() {
    let filtered = json!({"SubscriptionArn": SUBSCRIPTION, "FilterPolicy": r#"{"severity": ["high"]}"#});
    let world = World::new().with("topic", json!({"SubscriptionAttributes": [filtered]}));
    assert_eq!(world.answer(), "open");
    let second = "arn:aws:sns:us-east-1:111122223333:alarms:2";
    let both = json!({
        "Subscriptions": [{"SubscriptionArn": SUBSCRIPTION}, {"SubscriptionArn": second}],
        "SubscriptionAttributes": [filtered, {"SubscriptionArn": second, "FilterPolicy": "{}"}],
    });
    assert_eq!(world.clone().with("topic", both).answer(), "whole");
    let count = |n: &str| {
        let attributes = json!({"SubscriptionsConfirmed": n, "Policy": open_to(&["cloudwatch.amazonaws.com"])});
        world.clone().with("topic", json!({"Attributes": attributes})).answer()
    };
    assert_eq!((count("1").as_str(), count("2").as_str()), ("open", "whole"), "the second is another account's");
}

#[test]
fn a_rule_sees_its_own_region_only() {
    let lambda = FUNCTION;
    let mut two = World::new().without("filter").and("rule", rule("ENABLED", lambda));
    two.add_in("eu-west-1", "region", json!({}));
    assert!(two.answer().contains("no EventBridge rule in eu-west-1 covers it"));
    // Changes of IAM are recorded in one region.
    let mut iam = rule("ENABLED", lambda);
    iam["EventPattern"] = json!(r#"{"source": ["aws.iam"]}"#);
    let mut global = World::new().of("iam-policy-changes").without("filter").and("rule", iam);
    global.add_in("eu-west-1", "region", json!({}));
    assert_eq!(global.answer(), "whole");
    // The other region hands its events on.
    let mut central = two.clone();
    central.add_in("eu-west-1", "rule", rule("ENABLED", "arn:aws:events:us-east-1:111122223333:event-bus/default"));
    assert_eq!(central.answer(), "whole");
    let mut nowhere = two.clone();
    nowhere.add_in("eu-west-1", "rule", rule("ENABLED", "arn:aws:events:us-east-1:111122223333:event-bus/other"));
    assert!(nowhere.answer().contains("no rule on event bus 'other' in us-east-1 covers it"));
    let mut away = two;
    away.add_in("eu-west-1", "rule", rule("ENABLED", "arn:aws:events:us-east-1:444455556666:event-bus/central"));
    assert_eq!(away.answer(), "open");
}

#[test]
fn findings_of_guardduty_reach_somebody_by_a_rule() {
    let rule = |pattern: Value| {
        let mut rule = rule("ENABLED", TOPIC);
        rule["EventPattern"] = json!(pattern.to_string());
        World::new().without("trail").and("rule", rule)
    };
    let severe = |alternatives: Value| {
        rule(
            json!({"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": {"severity": alternatives}}),
        )
    };
    for (world, expected) in [
        (rule(json!({"source": ["aws.guardduty"]})), "whole"),
        (severe(json!([{"numeric": [">=", 4]}])), "whole"),
        (severe(json!([{"numeric": [">=", 7]}])), "whole"),
        (
            severe(json!([{"numeric": [">=", 8]}])),
            "no EventBridge rule in us-east-1 covers findings of severity 7 and more",
        ),
        (severe(json!([{"numeric": [">=", 7, "<", 9]}])), "no EventBridge rule in us-east-1 covers"),
        (severe(json!([7, 7.1, 7.2, 8, 8.9])), "no EventBridge rule in us-east-1 covers"),
        (rule(json!({"source": ["aws.guardduty"], "detail": {"service": {"archived": [false]}}})), "whole"),
        (
            rule(json!({"source": ["aws.guardduty"], "detail": {"type": [{"prefix": "CryptoCurrency"}]}})),
            "no EventBridge rule",
        ),
        (rule(json!({"source": ["aws.inspector2"]})), "no EventBridge rule in us-east-1 covers"),
        (rule(json!({"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"]})), "open"),
        (World::new(), "no EventBridge rule in us-east-1 covers"),
    ] {
        let answer = world.routed(7.0);
        assert!(answer.contains(expected), "{expected:?} is not in {answer:?}");
    }
    let whole = rule(json!({"source": ["aws.guardduty"]}));
    assert!(whole.clone().with("rule", json!({"State": "DISABLED"})).routed(7.0).contains("it is disabled"));
    assert!(
        whole.clone().with("topic", json!({"Subscriptions": []})).routed(7.0).contains("no confirmed subscription")
    );
    assert_eq!(whole.clone().unread("rule", "Targets").routed(7.0), "open");
    assert_eq!(whole.unlisted("rule").routed(7.0), "whole");
    assert_eq!(World::new().unlisted("rule").routed(7.0), "open");
    // A rule in another region gets none of them.
    let mut away = World::new();
    let mut elsewhere = self::rule("ENABLED", TOPIC);
    elsewhere["EventPattern"] = json!(r#"{"source": ["aws.guardduty"]}"#);
    away.add_in("eu-west-1", "rule", elsewhere);
    assert!(away.routed(7.0).contains("no EventBridge rule in us-east-1 covers"));
}
