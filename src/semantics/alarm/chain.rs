//! The chain from an event to a person, link by link, and which link is missing.

use super::classes::{Class, Owner, findings};
use super::delivery::{self, By};
use super::formula::{Cover, Formula, Record};
use super::{event, metric, pattern};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How many sentences an answer gives at most.
const SENTENCES: usize = 8;

/// One resource, as far as it was read.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The name that people know it by.
    pub name: &'a str,
    /// Its ARN.
    pub arn: &'a str,
    /// Its region.
    pub region: &'a str,
    /// What was read of it.
    pub document: &'a Map<String, Value>,
    /// The members that could not be read, and a number for why.
    pub unread: Vec<(&'a str, usize)>,
}

/// The resources of one type.
#[derive(Clone, Debug, Default)]
pub struct Items<'a> {
    /// Those that were read.
    pub all: Vec<Item<'a>>,
    /// Why there may be more, each as a number.
    pub holes: Vec<usize>,
}

/// What an account has to see events with.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// Whose it is.
    pub owner: Owner<'a>,
    /// `AWS::CloudTrail::Trail`.
    pub trails: Items<'a>,
    /// `AWS::Logs::MetricFilter`.
    pub filters: Items<'a>,
    /// `AWS::CloudWatch::Alarm`.
    pub alarms: Items<'a>,
    /// `AWS::CloudWatch::CompositeAlarm`.
    pub composites: Items<'a>,
    /// `AWS::SNS::Topic`.
    pub topics: Items<'a>,
    /// `AWS::Events::Rule`.
    pub rules: Items<'a>,
    /// `AWS::::Region`.
    pub regions: Items<'a>,
    /// `AWS::Lambda::Function`.
    pub functions: Items<'a>,
    /// `AWS::SQS::Queue`.
    pub queues: Items<'a>,
    /// `AWS::KMS::Key`.
    pub keys: Items<'a>,
}

/// Whether each event of a kind has a whole chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Whether it has.
    pub complete: bool,
    /// The chains that there are, each as a sentence without a full stop.
    pub by: Vec<String>,
    /// The links that are missing, each as a sentence without a full stop.
    pub missing: Vec<String>,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It could not be read; the number that was given for it.
    Unread(usize),
    /// It is not understood, or lies where this account cannot see; a sentence.
    Unclear(String),
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// There; how to call it in a sentence.
    Holds(String),
    /// Missing; sentences that say what.
    Broken(Vec<String>),
    /// Not known.
    Open(Vec<Doubt>),
}

impl Link {
    pub(super) fn broken(why: impl Into<String>) -> Self {
        Link::Broken(vec![why.into()])
    }

    pub(super) fn unclear(why: impl Into<String>) -> Self {
        Link::Open(vec![Doubt::Unclear(why.into())])
    }

    /// The first of several ways that holds; else open if one is, or if there may be more ways.
    pub(super) fn any(ways: impl IntoIterator<Item = Link>, holes: &[usize]) -> Self {
        let (mut broken, mut open) = (Vec::new(), holes.iter().map(|n| Doubt::Unread(*n)).collect::<Vec<_>>());
        for way in ways {
            match way {
                Link::Holds(_) => return way,
                Link::Broken(why) => broken.extend(why),
                Link::Open(doubts) => open.extend(doubts),
            }
        }
        if open.is_empty() { Link::Broken(broken) } else { Link::Open(open) }
    }

    /// All of several conditions.
    pub(super) fn all(conditions: impl IntoIterator<Item = Link>) -> Self {
        let (mut names, mut open) = (Vec::new(), Vec::new());
        for condition in conditions {
            match condition {
                Link::Holds(name) => names.push(name),
                Link::Broken(_) => return condition,
                Link::Open(doubts) => open.extend(doubts),
            }
        }
        names.retain(|n| !n.is_empty());
        if open.is_empty() { Link::Holds(names.join(", ")) } else { Link::Open(open) }
    }
}

/// A member as it was read.
pub(super) enum Read<'a> {
    Value(&'a Value),
    Absent,
    Unread(usize),
}

impl<'a> Item<'a> {
    /// The member at a path of names joined by dots.
    pub(super) fn read(&self, path: &str) -> Read<'a> {
        let unread =
            |(at, _): &&(&str, usize)| path == *at || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('.'));
        if let Some((_, why)) = self.unread.iter().find(unread) {
            return Read::Unread(*why);
        }
        let mut names = path.split('.');
        let first = names.next().and_then(|name| self.document.get(name));
        match names.fold(first, |value, name| value.and_then(|v| v.get(name))) {
            None | Some(Value::Null) => Read::Absent,
            Some(value) => Read::Value(value),
        }
    }

    pub(super) fn text(&self, member: &str) -> &'a str {
        self.document.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn list(&self, member: &str) -> &'a [Value] {
        self.document.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn flag(&self, member: &str) -> bool {
        self.document.get(member).and_then(Value::as_bool).unwrap_or_default()
    }
}

/// The part of an ARN between two colons.
pub(super) fn arn_part(arn: &str, n: usize) -> &str {
    arn.split(':').nth(n).unwrap_or_default()
}

/// Whether every event of the class raises an alarm that reaches somebody; what is doubtful where that is not known.
pub fn chain(class: &Class, parts: &Parts<'_>) -> Result<Chain, Vec<Doubt>> {
    let logs = log_routes(class, parts);
    let events = EventRoutes::new(class, parts);
    let link = |record: &Record| Link::any([by_logs(class, parts, &logs, record), events.link(record)], &[]);
    summed(class, link)
}

/// Whether an EventBridge rule hands GuardDuty's findings in a region, from a severity up, to somebody. GuardDuty writes
/// to EventBridge itself, no trail is needed.
pub fn findings_routed(region: &str, severity: f64, parts: &Parts<'_>) -> Result<Chain, Vec<Doubt>> {
    let (class, imported) = findings(parts.owner, region, severity);
    let events = EventRoutes::new(&class, parts);
    let link = |record: &Record| match events.on_bus(record, region, "default", 0) {
        Link::Broken(why) => match events.on_bus(&imported, region, "default", 0) {
            Link::Broken(_) if why.is_empty() => {
                Link::broken(format!("no EventBridge rule in {region} covers findings of severity {severity} and more"))
            }
            Link::Broken(_) => Link::Broken(why),
            Link::Open(doubts) => Link::Open(doubts),
            Link::Holds(_) => Link::unclear(format!("whether Security Hub gets GuardDuty's findings in {region}")),
        },
        other => other,
    };
    summed(&class, link)
}

fn summed(class: &Class, link: impl Fn(&Record) -> Link) -> Result<Chain, Vec<Doubt>> {
    let (mut by, mut doubts) = (BTreeSet::new(), BTreeSet::new());
    let mut missing: Vec<(String, Vec<&str>)> = Vec::new();
    for record in &class.records {
        match link(record) {
            Link::Holds(how) => {
                by.insert(how);
            }
            Link::Open(why) => doubts.extend(why),
            Link::Broken(why) => {
                for why in why {
                    match missing.iter_mut().find(|(w, _)| *w == why) {
                        Some((_, labels)) => labels.push(&record.label),
                        None => missing.push((why, vec![&record.label])),
                    }
                }
            }
        }
    }
    let by: Vec<String> = by.into_iter().take(SENTENCES).collect();
    match (missing.is_empty(), doubts.is_empty()) {
        (true, true) => Ok(Chain { complete: true, by, missing: Vec::new() }),
        (true, false) => Err(doubts.into_iter().take(SENTENCES).collect()),
        (false, _) => {
            let all = class.records.len();
            let sentence = |(why, labels): (String, Vec<&str>)| match labels.len() == all {
                true => why,
                false => format!("{why} ({})", labels.join(", ")),
            };
            Ok(Chain { complete: false, by, missing: missing.into_iter().take(SENTENCES).map(sentence).collect() })
        }
    }
}

/// A metric filter on the log group of a trail that records the events, and how far the chain behind it holds.
struct LogRoute<'a> {
    name: String,
    formula: Result<Formula, String>,
    behind: Link,
    region: &'a str,
}

/// What of the way through CloudWatch Logs is the same for every record.
struct Logs<'a> {
    /// The trails, up to their log group.
    trails: Link,
    routes: Vec<LogRoute<'a>>,
    groups: Vec<&'a str>,
}

fn log_routes<'a>(class: &Class, parts: &Parts<'a>) -> Logs<'a> {
    let (mut links, mut groups): (Vec<Link>, Vec<(&str, &str, Link)>) = (Vec::new(), Vec::new());
    for trail in &parts.trails.all {
        let link = sends(trail, class, parts.owner);
        let arn = trail.text("CloudWatchLogsLogGroupArn");
        let known = (arn_part(arn, 3), arn_part(arn, 6));
        if !matches!(link, Link::Broken(_)) && arn_part(arn, 4) == parts.owner.account {
            match groups.iter_mut().find(|(region, name, _)| (*region, *name) == known) {
                Some((_, _, other)) => *other = Link::any([other.clone(), link.clone()], &[]),
                None => groups.push((known.0, known.1, link.clone())),
            }
        }
        links.push(link);
    }
    let mut routes = Vec::new();
    for filter in &parts.filters.all {
        let group = filter.text("logGroupName");
        let Some((region, _, trail)) = groups.iter().find(|(r, g, _)| *r == filter.region && *g == group) else {
            continue;
        };
        let name = format!("metric filter '{}' on log group '{group}'", filter.text("filterName"));
        let formula = understood(filter).and_then(|()| pattern::parse(filter.text("filterPattern")));
        let behind = Link::all([trail.clone(), metric::watched(filter, class, parts)]);
        routes.push(LogRoute { name, formula, behind, region });
    }
    let none = if links.is_empty() { vec![Link::broken("there is no trail")] } else { Vec::new() };
    Logs {
        trails: Link::any(links.into_iter().chain(none), &parts.trails.holes),
        routes,
        groups: groups.into_iter().map(|(_, name, _)| name).collect(),
    }
}

/// What a filter has beside its pattern may narrow it.
fn understood(filter: &Item<'_>) -> Result<(), String> {
    let has = |member: &str| !filter.document.get(member).is_none_or(|v| v.is_null() || v == "" || v == false);
    match () {
        () if has("applyOnTransformedLogs") => Err("it reads transformed log events".into()),
        () if has("fieldSelectionCriteria") => Err("it has field selection criteria".into()),
        () => Ok(()),
    }
}

/// Whether a filter or several together see the record and have a whole chain behind them.
fn by_logs(class: &Class, parts: &Parts<'_>, logs: &Logs<'_>, record: &Record) -> Link {
    let (mut whole, mut names, mut broken, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for route in &logs.routes {
        let cover = match &route.formula {
            Ok(formula) => formula.covers(record),
            Err(why) => Cover::Unclear(why.clone()),
        };
        match (&route.behind, &route.formula) {
            (Link::Holds(how), Ok(formula)) => {
                if cover == Cover::Yes {
                    return Link::Holds(format!("{} covers it; {how} in {}", route.name, route.region));
                }
                whole.push(formula.clone());
                names.push(format!("{} ({how})", route.name));
            }
            (Link::Broken(why), _) if cover == Cover::Yes => {
                broken.extend(why.iter().map(|why| format!("{} covers it; {why}", route.name)));
            }
            (Link::Open(why), _) if cover != Cover::No => open.extend(why.iter().cloned()),
            _ => {}
        }
        if let (Cover::Unclear(why), false) = (cover, matches!(route.behind, Link::Broken(_))) {
            open.push(Doubt::Unclear(format!("what {} matches: {why}", route.name)));
        }
    }
    if whole.len() > 1 && Formula::Any(whole).covers(record) == Cover::Yes {
        return Link::Holds(format!("{} together cover it", names.join(" and ")));
    }
    if let Link::Open(why) = &logs.trails {
        open.extend(why.iter().cloned());
    }
    if !matches!(logs.trails, Link::Broken(_)) {
        open.extend(parts.filters.holes.iter().map(|n| Doubt::Unread(*n)));
    }
    match (open.is_empty(), &logs.trails) {
        (false, _) => Link::Open(open),
        (true, Link::Broken(why)) => {
            let sentence = format!("no trail of the account brings {} to CloudWatch Logs", class.what);
            Link::Broken(std::iter::once(sentence).chain(why.iter().cloned()).collect())
        }
        (true, _) if broken.is_empty() => {
            Link::broken(format!("no metric filter on log group '{}' covers it", logs.groups.join("', '")))
        }
        (true, _) => Link::Broken(broken),
    }
}

/// Whether a trail brings the events of the class into a log group of this account.
fn sends(trail: &Item<'_>, class: &Class, owner: Owner<'_>) -> Link {
    let name = trail.name;
    let group = match trail.read("CloudWatchLogsLogGroupArn") {
        Read::Unread(why) => Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(Value::String(arn)) if !arn.is_empty() => {
            let account = arn_part(arn, 4);
            match account == owner.account {
                true => Link::Holds(String::new()),
                false => Link::unclear(format!("the log group of trail '{name}' is in account {account}")),
            }
        }
        _ => Link::broken(format!("trail '{name}' sends its events to no log group")),
    };
    let delivered = match trail.read("Status.LatestCloudWatchLogsDeliveryError") {
        Read::Value(Value::String(error)) if !error.is_empty() => {
            Link::broken(format!("trail '{name}' cannot deliver to its log group"))
        }
        _ => Link::Holds(String::new()),
    };
    let everywhere = match trail.flag("IsMultiRegionTrail") {
        true => Link::Holds(String::new()),
        false => Link::broken(format!("trail '{name}' records one region only")),
    };
    Link::all([everywhere, records(trail, class), group, delivered, Link::Holds(format!("trail '{name}'"))])
}

/// Whether a trail is on and records the management events of the class.
fn records(trail: &Item<'_>, class: &Class) -> Link {
    let name = trail.name;
    let logging = match trail.read("Status.IsLogging") {
        Read::Unread(why) => Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(Value::Bool(true)) => Link::Holds(String::new()),
        _ => Link::broken(format!("trail '{name}' is stopped")),
    };
    let selected = match trail.read("EventSelectors") {
        Read::Unread(why) => Link::Open(vec![Doubt::Unread(why)]),
        Read::Value(selectors) if selects(selectors, class) => Link::Holds(String::new()),
        _ => Link::broken(format!("trail '{name}' does not record all of {}", class.what)),
    };
    Link::all([logging, selected])
}

/// Sources that a trail may leave out although events of any source are asked for: AWS offers just these two to be
/// left out, for their volume.
const LOUD: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

fn selects(selectors: &Value, class: &Class) -> bool {
    let list = |value: &Value, member: &str| value.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let kinds: &[&str] = if class.reads { &["ReadOnly", "WriteOnly"] } else { &["WriteOnly"] };
    let may_leave_out = |source: &Value| match class.source {
        Some(own) => source != own,
        None => LOUD.iter().any(|loud| source == loud),
    };
    let classic = |kind: &str| {
        list(selectors, "EventSelectors").iter().any(|s| {
            let which = s.get("ReadWriteType").and_then(Value::as_str).unwrap_or("All");
            s.get("IncludeManagementEvents") == Some(&Value::Bool(true))
                && (which == "All" || which == kind)
                && list(s, "ExcludeManagementEventSources").iter().all(may_leave_out)
        })
    };
    let advanced = |kind: &str| {
        let read_only = if kind == "ReadOnly" { "true" } else { "false" };
        list(selectors, "AdvancedEventSelectors").iter().any(|s| {
            let fields = list(s, "FieldSelectors");
            let only = |f: &Value, operator: &str| {
                let operators = ["Equals", "NotEquals", "StartsWith", "NotStartsWith", "EndsWith", "NotEndsWith"];
                operators.iter().all(|o| *o == operator || list(f, o).is_empty())
            };
            let field = |f: &Value| f.get("Field").and_then(Value::as_str).unwrap_or_default().to_owned();
            let management =
                |f: &Value| field(f) == "eventCategory" && list(f, "Equals").iter().any(|v| v == "Management");
            fields.iter().any(management)
                && fields.iter().all(|f| match field(f).as_str() {
                    "eventCategory" => management(f) && only(f, "Equals"),
                    "readOnly" => only(f, "Equals") && list(f, "Equals").iter().any(|v| v == read_only),
                    "eventSource" if only(f, "NotEquals") => list(f, "NotEquals").iter().all(may_leave_out),
                    "eventSource" if only(f, "Equals") => {
                        class.source.is_some_and(|own| list(f, "Equals").iter().any(|v| v == own))
                    }
                    _ => false,
                })
        })
    };
    kinds.iter().all(|kind| classic(kind)) || kinds.iter().all(|kind| advanced(kind))
}

/// A rule of EventBridge on the events.
struct EventRoute<'a> {
    item: &'a Item<'a>,
    bus: &'a str,
    formula: Result<Formula, String>,
}

/// The way through EventBridge.
struct EventRoutes<'a, 'p> {
    class: &'p Class,
    parts: &'p Parts<'a>,
    routes: Vec<EventRoute<'p>>,
}

impl<'a, 'p> EventRoutes<'a, 'p> {
    fn new(class: &'p Class, parts: &'p Parts<'a>) -> Self {
        let route = |item: &'p Item<'a>| {
            let text = item.text("EventPattern");
            let bus = item.text("EventBusName");
            (!text.is_empty()).then(|| EventRoute { item, bus, formula: event::parse(text) })
        };
        EventRoutes { class, parts, routes: parts.rules.all.iter().filter_map(route).collect() }
    }

    /// A rule sees the events of its own region only: the record must be seen in each region where it can arise.
    fn link(&self, record: &Record) -> Link {
        let home = match (self.parts.owner.partition, self.class.source) {
            ("aws", _) => Some("us-east-1"),
            ("aws-cn", Some("organizations.amazonaws.com")) => Some("cn-northwest-1"),
            ("aws-cn", _) => Some("cn-north-1"),
            ("aws-us-gov", _) => Some("us-gov-west-1"),
            _ => None,
        };
        let all: BTreeSet<&str> = self.parts.regions.all.iter().map(|r| r.region).collect();
        let regions: BTreeSet<&str> = match home.filter(|_| self.class.global) {
            Some(home) => BTreeSet::from([home]),
            None => all.clone(),
        };
        let links: Vec<(&str, Link)> = regions.iter().map(|region| (*region, self.in_region(record, region))).collect();
        let seen = links.iter().any(|(_, link)| !matches!(link, Link::Broken(why) if why.is_empty()));
        if !seen && self.parts.rules.holes.is_empty() {
            return Link::broken("no EventBridge rule covers it");
        }
        let incomplete = match regions.is_subset(&all) && self.parts.regions.holes.is_empty() && !regions.is_empty() {
            true => Link::Holds(String::new()),
            false => Link::Open(match self.parts.regions.holes.as_slice() {
                [] => vec![Doubt::Unclear("which regions the account uses was not read".into())],
                holes => holes.iter().map(|n| Doubt::Unread(*n)).collect(),
            }),
        };
        let each = links.into_iter().map(|(region, link)| match link {
            Link::Broken(why) if why.is_empty() => Link::broken(format!("no EventBridge rule in {region} covers it")),
            other => other,
        });
        Link::all(each.chain([incomplete]))
    }

    /// Broken without a sentence where no rule covers the record at all.
    fn in_region(&self, record: &Record, region: &str) -> Link {
        let recorded = self.parts.trails.all.iter().filter(|t| t.flag("IsMultiRegionTrail") || t.region == region);
        let recorded = Link::any(recorded.map(|trail| records(trail, self.class)), &self.parts.trails.holes);
        let rules = self.on_bus(record, region, "default", 0);
        match (rules, recorded) {
            (Link::Broken(why), _) => Link::Broken(why),
            (_, Link::Broken(_)) => Link::broken(format!(
                "an EventBridge rule in {region} covers it; no trail is on there, and EventBridge gets the events of trails only"
            )),
            (rules, recorded) => Link::all([rules, recorded]),
        }
    }

    fn on_bus(&self, record: &Record, region: &str, bus: &str, hops: usize) -> Link {
        let here = self.routes.iter().filter(|r| r.item.region == region && r.bus == bus);
        let ways = here.filter_map(|route| {
            let name = format!("EventBridge rule '{}' in {region}", route.item.name);
            let cover = match &route.formula {
                Ok(formula) => formula.covers(record),
                Err(why) => Cover::Unclear(why.clone()),
            };
            let behind = match cover {
                Cover::No => return None,
                _ => self.behind(route, record, &name, hops),
            };
            Some(match (cover, behind) {
                (Cover::Unclear(_), Link::Broken(_)) => return None,
                (Cover::Unclear(why), _) => Link::unclear(format!("what {name} matches: {why}")),
                (_, Link::Holds(how)) => Link::Holds(format!("{name} covers it and has {how}")),
                (_, Link::Broken(why)) => {
                    Link::Broken(why.into_iter().map(|why| format!("{name} covers it; {why}")).collect())
                }
                (_, open) => open,
            })
        });
        Link::any(ways.collect::<Vec<_>>(), &self.parts.rules.holes)
    }

    /// Whether the rule is on and has a target that is there.
    fn behind(&self, route: &EventRoute<'_>, record: &Record, name: &str, hops: usize) -> Link {
        let state = match route.item.text("State") {
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Link::Holds(String::new()),
            "ENABLED" if !self.class.reads => Link::Holds(String::new()),
            "ENABLED" => Link::broken("it does not get read-only events"),
            "DISABLED" => Link::broken("it is disabled"),
            other => Link::unclear(format!("the state '{other}' of {name}")),
        };
        let targets = match route.item.read("Targets") {
            Read::Unread(why) => Link::Open(vec![Doubt::Unread(why)]),
            Read::Value(Value::Array(targets)) if !targets.is_empty() => {
                Link::any(targets.iter().map(|t| self.target(t, route.item, record, hops)).collect::<Vec<_>>(), &[])
            }
            _ => Link::broken("it has no target"),
        };
        Link::all([state, targets])
    }

    fn target(&self, target: &Value, rule: &Item<'_>, record: &Record, hops: usize) -> Link {
        let text = |member: &str| target.get(member).and_then(Value::as_str).unwrap_or_default();
        let (arn, by) = (text("Arn"), By::Rule(rule));
        let resource = arn_part(arn, 5);
        match arn_part(arn, 2) {
            // With a role of its own the policy of the target is not asked.
            "sns" | "lambda" | "sqs" if !text("RoleArn").is_empty() => {
                Link::unclear(format!("whether role '{}' may write to target '{arn}'", text("RoleArn")))
            }
            "sns" => delivery::topic(arn, by, self.parts),
            "logs" => Link::broken(format!("log group '{}' only keeps it", arn_part(arn, 6))),
            "events" if resource.starts_with("event-bus/") => {
                let (region, account, bus) = (arn_part(arn, 3), arn_part(arn, 4), &resource["event-bus/".len()..]);
                match (account == self.parts.owner.account, hops) {
                    (false, _) => Link::unclear(format!("event bus '{bus}' is in account {account}")),
                    (true, 0) => match self.on_bus(record, region, bus, 1) {
                        Link::Broken(why) if why.is_empty() => {
                            Link::broken(format!("no rule on event bus '{bus}' in {region} covers it"))
                        }
                        other => other,
                    },
                    (true, _) => Link::unclear("events that pass more than two event buses"),
                }
            }
            "lambda" => delivery::function(arn, by, self.parts),
            "sqs" => delivery::queue(arn, by, self.parts),
            _ => Link::unclear(format!("whether target '{arn}' exists")),
        }
    }
}
