//! From an alarm or an EventBridge rule to whom it tells: whether a topic, a function or a queue is there, lets the
//! service in by its policy and its key, and hands on what it gets. Must never take for reached what the service
//! cannot write to: AWS reports such failures to nobody.

use super::chain::{Doubt, Item, Items, Link, Parts, Read, arn_part};
use crate::semantics::Answer;
use crate::semantics::policy::service::{Sender, admits};
use serde_json::Value;

/// Who tells.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    /// An alarm or a composite alarm.
    Alarm(&'a Item<'a>),
    /// An EventBridge rule.
    Rule(&'a Item<'a>),
}

/// What a service writes to. AWS documents for each which condition keys its requests hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Onto {
    Topic,
    Function,
    Queue,
    Key,
}

impl<'a> By<'a> {
    fn name(self) -> &'static str {
        match self {
            By::Alarm(_) => "CloudWatch",
            By::Rule(_) => "EventBridge",
        }
    }

    /// Amazon SNS Developer Guide, "Key management" (keys, EventBridge: no conditions on the source); Amazon
    /// EventBridge User Guide, "Using resource-based policies" and "Troubleshooting" (topics: no conditions at all).
    fn sender(self, account: &'a str, onto: Onto) -> Sender<'a> {
        let (service, source, says_source) = match (self, onto) {
            (By::Alarm(alarm), _) => ("cloudwatch.amazonaws.com", alarm.arn, Some(true)),
            (By::Rule(rule), Onto::Topic) => ("events.amazonaws.com", rule.arn, None),
            (By::Rule(rule), Onto::Key) => ("events.amazonaws.com", rule.arn, Some(false)),
            (By::Rule(rule), Onto::Function | Onto::Queue) => ("events.amazonaws.com", rule.arn, Some(true)),
        };
        let says_owner = Some(matches!((self, onto), (By::Alarm(_), Onto::Topic)));
        Sender { service, account, source, says_source, says_owner }
    }
}

/// Whether a topic is there, takes what is told, and has a subscriber who confirmed.
pub(super) fn topic(arn: &str, by: By<'_>, parts: &Parts<'_>) -> Link {
    let name = arn_part(arn, 5);
    let topic = match own(&format!("topic '{name}'"), arn, &parts.topics, parts) {
        Ok(topic) => topic,
        Err(link) => return link,
    };
    let what = format!("topic '{name}'");
    let policy = topic.read("Attributes.Policy");
    let admitted = lets_in(&what, policy, &["sns:Publish"], arn, by, Onto::Topic, parts);
    Link::all([subscribed(topic, &what), admitted, encrypted(topic, &what, by, parts)])
}

/// Whether a function is there and may be invoked.
pub(super) fn function(arn: &str, by: By<'_>, parts: &Parts<'_>) -> Link {
    let bare = arn.split(':').take(7).collect::<Vec<_>>().join(":");
    let what = format!("function '{bare}'");
    let function = match own(&what, &bare, &parts.functions, parts) {
        Ok(function) => function,
        Err(link) => return link,
    };
    if bare != arn {
        return Link::unclear(format!("whether version or alias '{arn}' exists and lets {} in", by.name()));
    }
    let policy = function.read("Policy");
    let admitted = lets_in(&what, policy, &["lambda:InvokeFunction"], arn, by, Onto::Function, parts);
    Link::all([admitted, Link::Holds(format!("target '{arn}'"))])
}

/// Whether a queue is there and may be written to.
pub(super) fn queue(arn: &str, by: By<'_>, parts: &Parts<'_>) -> Link {
    let what = format!("queue '{arn}'");
    let queue = match own(&what, arn, &parts.queues, parts) {
        Ok(queue) => queue,
        Err(link) => return link,
    };
    let policy = queue.read("Attributes.Policy");
    let admitted = lets_in(&what, policy, &["sqs:SendMessage"], arn, by, Onto::Queue, parts);
    Link::all([admitted, encrypted(queue, &what, by, parts), Link::Holds(format!("target '{arn}'"))])
}

/// A resource of the account; else why it is none.
fn own<'p, 'a>(what: &str, arn: &str, all: &'p Items<'a>, parts: &Parts<'_>) -> Result<&'p Item<'a>, Link> {
    let account = arn_part(arn, 4);
    if account != parts.owner.account {
        return Err(Link::unclear(format!("{what} is in account {account}")));
    }
    let gone = || Link::any([Link::broken(format!("{what} does not exist"))], &all.holes);
    all.all.iter().find(|item| item.arn == arn).ok_or_else(gone)
}

fn lets_in(
    what: &str,
    policy: Read<'_>,
    actions: &[&str],
    arn: &str,
    by: By<'_>,
    onto: Onto,
    parts: &Parts<'_>,
) -> Link {
    let service = by.name();
    let answer = match (policy, onto) {
        (Read::Unread(why), _) => return Link::Open(vec![Doubt::Unread(why)]),
        // Amazon SNS and AWS KMS show a policy of every topic and key.
        (Read::Absent, Onto::Topic | Onto::Key) => Answer::Unknown("it was not shown".into()),
        (Read::Absent, Onto::Function | Onto::Queue) => Answer::Known(false),
        (Read::Value(policy), _) => admits(policy, actions, arn, &by.sender(parts.owner.account, onto)),
    };
    match answer {
        Answer::Known(true) => Link::Holds(String::new()),
        Answer::Known(false) => Link::broken(format!("the policy of {what} does not let {service} in")),
        Answer::Unknown(why) => Link::unclear(format!("whether the policy of {what} lets {service} in: {why}")),
    }
}

/// Whether the service may use the key that encrypts a topic or queue, where there is one. The policies of keys that AWS
/// manages let no service of AWS in on its own, and cannot be changed.
fn encrypted(item: &Item<'_>, what: &str, by: By<'_>, parts: &Parts<'_>) -> Link {
    let named = match item.read("Attributes.KmsMasterKeyId") {
        Read::Unread(why) => return Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(Value::String(named)) if !named.is_empty() => named.as_str(),
        _ => return Link::Holds(String::new()),
    };
    let managed = || {
        let service = by.name();
        Link::broken(format!("{what} is encrypted with a key that AWS manages, which {service} cannot use"))
    };
    if named.starts_with("arn:") && arn_part(named, 4) != parts.owner.account {
        return Link::unclear(format!("the key of {what} is in account {}", arn_part(named, 4)));
    }
    let id = if named.starts_with("arn:") { arn_part(named, 5) } else { named };
    if id.starts_with("alias/aws/") {
        return managed();
    }
    let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut found, mut doubts) = (None, Vec::new());
    for key in parts.keys.all.iter().filter(|k| k.region == item.region) {
        let is_it = match id.starts_with("alias/") {
            false => key.arn.rsplit('/').next() == id.rsplit('/').next(),
            true => match key.read("Aliases") {
                Read::Value(Value::Array(aliases)) => aliases.iter().any(|a| text(a, "AliasName") == id),
                Read::Unread(why) => {
                    doubts.push(why);
                    false
                }
                _ => false,
            },
        };
        found = found.or(is_it.then_some(key));
    }
    let Some(key) = found else {
        doubts.extend(&parts.keys.holes);
        return Link::any([Link::broken(format!("the key of {what} does not exist"))], &doubts);
    };
    match (key.read("KeyManager"), key.read("KeyState")) {
        (Read::Unread(why), _) | (_, Read::Unread(why)) => return Link::Open(vec![Doubt::Unread(why)]),
        (Read::Value(manager), _) if manager == "AWS" => return managed(),
        (_, Read::Value(state)) if state != "Enabled" => {
            return Link::broken(format!("the key of {what} is not enabled"));
        }
        _ => {}
    }
    let needed = ["kms:GenerateDataKey", "kms:Decrypt"];
    lets_in(&format!("the key of {what}"), key.read("Policy"), &needed, key.arn, by, Onto::Key, parts)
}

/// Whether somebody who confirmed gets what a topic gets.
fn subscribed(topic: &Item<'_>, what: &str) -> Link {
    let listed = match topic.read("Subscriptions") {
        Read::Unread(why) => Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(Value::Array(all)) => {
            Link::any(all.iter().filter_map(confirmed).map(|arn| unfiltered(topic, arn, what)).collect::<Vec<_>>(), &[])
        }
        _ => Link::Broken(Vec::new()),
    };
    // The listing has the account's own subscriptions; the count has those of other accounts too.
    let counted = match (&listed, topic.read("Attributes.SubscriptionsConfirmed")) {
        (Link::Open(_), Read::Value(_)) if all_listed(topic) => Link::Broken(Vec::new()),
        (_, Read::Unread(why)) => Link::Open(vec![Doubt::Unread(why)]),
        (_, Read::Value(count)) if !["0", "", "\"0\"", "\"\""].contains(&count.to_string().as_str()) => {
            Link::Holds(what.to_owned())
        }
        _ => Link::Broken(Vec::new()),
    };
    match Link::any([listed, counted], &[]) {
        Link::Broken(_) => Link::broken(format!("{what} has no confirmed subscription")),
        other => other,
    }
}

/// Whether the count of confirmed subscriptions is that of those that are listed.
fn all_listed(topic: &Item<'_>) -> bool {
    let Read::Value(count) = topic.read("Attributes.SubscriptionsConfirmed") else { return false };
    let Read::Value(Value::Array(all)) = topic.read("Subscriptions") else { return false };
    let count = count.as_u64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
    count.is_some_and(|count| count <= all.iter().filter_map(confirmed).count() as u64)
}

fn confirmed(subscription: &Value) -> Option<&str> {
    subscription.get("SubscriptionArn").and_then(Value::as_str).filter(|arn| arn.starts_with("arn:"))
}

/// Whether a subscription gets all that its topic gets.
fn unfiltered(topic: &Item<'_>, arn: &str, what: &str) -> Link {
    let attributes = match topic.read("SubscriptionAttributes") {
        Read::Unread(why) => return Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(Value::Array(all)) => all.iter().find(|a| a.get("SubscriptionArn").is_some_and(|a| a == arn)),
        _ => None,
    };
    let Some(attributes) = attributes else {
        return Link::unclear(format!("whether a subscription of {what} has a filter policy"));
    };
    match attributes.get("FilterPolicy").and_then(Value::as_str).map(str::trim) {
        None | Some("" | "{}") => Link::Holds(what.to_owned()),
        Some(_) => Link::unclear(format!("what the filter policies of the subscriptions of {what} let through")),
    }
}
