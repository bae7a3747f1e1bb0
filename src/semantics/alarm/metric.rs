//! From a metric filter to somebody who is told: the alarms on its metric, whether one event makes them fire, and
//! whether their actions, or those of composite alarms on them, reach a subscriber.

use super::chain::{Doubt, Item, Link, Parts};
use super::classes::Class;
use super::composite;
use super::delivery::{self, By};
use serde_json::Value;

/// Whether an alarm on a metric of the filter fires and reaches somebody.
pub(super) fn watched(filter: &Item<'_>, class: &Class, parts: &Parts<'_>) -> Link {
    let metrics: Vec<Metric<'_>> = filter.list("metricTransformations").iter().map(Metric::of).collect();
    if metrics.is_empty() {
        return Link::broken("it publishes no metric");
    }
    let ways = metrics.iter().map(|metric| {
        let here = parts.alarms.all.iter().filter(|a| a.region == filter.region);
        let ways: Vec<Link> = here.filter_map(|alarm| on_metric(alarm, metric, filter, class, parts)).collect();
        match (ways.is_empty(), Link::any(ways, &parts.alarms.holes)) {
            (true, Link::Broken(_)) => Link::broken(format!("no alarm watches its metric '{}'", metric.name())),
            (_, link) => link,
        }
    });
    Link::any(ways.collect::<Vec<_>>(), &[])
}

/// What a metric filter publishes for each event that it matches.
struct Metric<'a> {
    namespace: &'a str,
    name: &'a str,
    unit: &'a str,
    /// The value; none where it is taken from the event.
    value: Option<f64>,
    /// What it publishes when nothing matches.
    default: Option<f64>,
    dimensioned: bool,
}

impl<'a> Metric<'a> {
    fn of(transformation: &'a Value) -> Self {
        let text = |member: &str| transformation.get(member).and_then(Value::as_str).unwrap_or_default();
        let unit = text("unit");
        Metric {
            namespace: text("metricNamespace"),
            name: text("metricName"),
            unit: if unit.is_empty() { "None" } else { unit },
            value: text("metricValue").trim().parse().ok().filter(|v: &f64| v.is_finite()),
            default: transformation.get("defaultValue").and_then(Value::as_f64),
            dimensioned: transformation.get("dimensions").and_then(Value::as_object).is_some_and(|d| !d.is_empty()),
        }
    }

    fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    fn is(&self, metric: &Value) -> bool {
        let text = |member: &str| metric.get(member).and_then(Value::as_str);
        text("Namespace") == Some(self.namespace) && text("MetricName") == Some(self.name)
    }
}

/// How an alarm looks at a metric.
struct Watch<'a> {
    statistic: &'a str,
    unit: &'a str,
    dimensioned: bool,
    /// Whether its gaps are filled with zeros.
    filled: bool,
}

/// The alarm's part of the chain, where it is on the metric at all.
fn on_metric(
    alarm: &Item<'_>,
    metric: &Metric<'_>,
    filter: &Item<'_>,
    class: &Class,
    parts: &Parts<'_>,
) -> Option<Link> {
    let watch = match watch(alarm, metric, parts)? {
        Ok(watch) => watch,
        Err(why) => return Some(Link::unclear(format!("alarm '{}' {why}", alarm.name))),
    };
    let emits = !filter.list("emitSystemFieldDimensions").is_empty();
    let dimensions = match (metric.dimensioned || emits, watch.dimensioned) {
        (false, false) => Link::Holds(String::new()),
        (false, true) => {
            Link::broken(format!("alarm '{}' watches its metric under dimensions that it has not", alarm.name))
        }
        (true, false) => {
            Link::broken(format!("alarm '{}' watches its metric without the dimensions that it has", alarm.name))
        }
        (true, true) => {
            Link::unclear(format!("which events alarm '{}' gets by the dimensions of its metric", alarm.name))
        }
    };
    Some(Link::all([dimensions, fires(alarm, &watch, metric, class), notifies(alarm, parts)]))
}

/// How the alarm looks at the metric; an error is the end of a sentence about an alarm that is not understood.
fn watch<'a>(alarm: &Item<'a>, metric: &Metric<'_>, parts: &Parts<'_>) -> Option<Result<Watch<'a>, &'static str>> {
    let has = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|d| !d.is_empty());
    let text = |value: &'a Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default();
    let queries = alarm.list("Metrics");
    if queries.is_empty() {
        let plain = alarm.document.get("Namespace").and_then(Value::as_str) == Some(metric.namespace)
            && alarm.document.get("MetricName").and_then(Value::as_str) == Some(metric.name);
        let statistic = match alarm.text("Statistic") {
            "" => alarm.text("ExtendedStatistic"),
            statistic => statistic,
        };
        let dimensioned = has(alarm.document.get("Dimensions"));
        return plain.then(|| Ok(Watch { statistic, unit: alarm.text("Unit"), dimensioned, filled: false }));
    }
    let stat = |query: &'a Value| query.get("MetricStat").filter(|s| s.get("Metric").is_some_and(|m| metric.is(m)));
    let own = queries.iter().find(|q| stat(q).is_some())?;
    if let Some(account) = own.get("AccountId").and_then(Value::as_str)
        && account != parts.owner.account
    {
        return None;
    }
    let returned: Vec<&Value> = queries.iter().filter(|q| q.get("ReturnData") != Some(&Value::Bool(false))).collect();
    let [returned] = returned.as_slice() else { return Some(Err("compares several series")) };
    let same = std::ptr::eq(*returned, own) || is_same(text(returned, "Expression"), text(own, "Id"));
    if !same {
        return Some(Err("watches it through metric math"));
    }
    let stat = stat(own)?;
    let dimensioned = has(stat.get("Metric").and_then(|m| m.get("Dimensions")));
    let filled = text(returned, "Expression").contains("FILL");
    Some(Ok(Watch { statistic: text(stat, "Stat"), unit: text(stat, "Unit"), dimensioned, filled }))
}

/// Whether an expression is the metric itself, or the metric with its gaps filled with a number.
fn is_same(expression: &str, id: &str) -> bool {
    let bare: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let filled =
        bare.strip_prefix("FILL(").and_then(|rest| rest.strip_prefix(id)).and_then(|rest| rest.strip_prefix(','));
    !id.is_empty()
        && (bare == id || filled.and_then(|r| r.strip_suffix(')')).is_some_and(|n| n.parse::<f64>() == Ok(0.0)))
}

/// Whether one event in a period puts the alarm into the state ALARM.
fn fires(alarm: &Item<'_>, watch: &Watch<'_>, metric: &Metric<'_>, class: &Class) -> Link {
    let name = alarm.name;
    let number = |member: &str| alarm.document.get(member).and_then(Value::as_f64);
    let (Some(threshold), Some(value)) = (number("Threshold"), metric.value) else {
        return Link::unclear(format!("on what value alarm '{name}' fires"));
    };
    let breaches = |value: f64| match alarm.text("ComparisonOperator") {
        "GreaterThanOrEqualToThreshold" => Some(value >= threshold),
        "GreaterThanThreshold" => Some(value > threshold),
        "LessThanThreshold" => Some(value < threshold),
        "LessThanOrEqualToThreshold" => Some(value <= threshold),
        _ => None,
    };
    if !watch.unit.is_empty() && watch.unit != metric.unit {
        return Link::broken(format!(
            "alarm '{name}' waits for the unit {}, and the metric has {}",
            watch.unit, metric.unit
        ));
    }
    let missing = alarm.text("TreatMissingData");
    let quiet = match (metric.default, watch.statistic, watch.filled) {
        // Each quiet minute is a sample.
        (Some(_), "SampleCount", _) => breaches(1.0) == Some(true),
        (Some(default), ..) => breaches(default) == Some(true),
        (None, _, true) => breaches(0.0) == Some(true),
        (None, _, false) => {
            missing == "breaching"
                || breaches(0.0) == Some(true) && alarm.text("ComparisonOperator").starts_with("Less")
        }
    };
    if quiet {
        return Link::broken(format!("alarm '{name}' on its metric is in alarm when nothing happens too"));
    }
    // What the filter publishes while nothing matches goes into the statistic of a period with an event.
    let diluted = metric.default.is_some();
    let seen = match watch.statistic {
        "SampleCount" if !diluted => 1.0,
        "Sum" if !diluted || metric.default == Some(0.0) => value,
        "Maximum" => metric.default.map_or(value, |default| value.max(default)),
        "Average" | "Minimum" if !diluted => value,
        statistic if !diluted && statistic.starts_with('p') => {
            if alarm.text("EvaluateLowSampleCountPercentile") == "ignore" {
                return Link::broken(format!("alarm '{name}' on its metric waits for more events than one"));
            }
            value
        }
        statistic => return Link::unclear(format!("the {statistic} that alarm '{name}' sees of one event")),
    };
    let Some(fires) = breaches(seen) else { return Link::unclear(format!("on what value alarm '{name}' fires")) };
    if fires && missing == "ignore" && !diluted && !watch.filled {
        return Link::broken(format!(
            "alarm '{name}' on its metric tells of the first event only, for it keeps its state while data is missing"
        ));
    }
    let adds_up = value > 0.0 && ["Sum", "SampleCount"].contains(&watch.statistic);
    let periods = number("DatapointsToAlarm").or(number("EvaluationPeriods")).unwrap_or(1.0);
    match (fires && periods <= 1.0, class.single) {
        (true, _) => Link::Holds(format!("alarm '{name}'")),
        (false, false) if adds_up && breaches(f64::MAX) == Some(true) => Link::Holds(format!("alarm '{name}'")),
        (false, _) if !fires => Link::broken(format!(
            "alarm '{name}' on its metric does not fire on one event, its threshold is {threshold}"
        )),
        // What fills the other periods decides.
        (false, _) if metric.default.is_none() && ["", "missing"].contains(&missing) => {
            Link::unclear(format!("whether alarm '{name}' fires on one event, for it asks for {periods} periods"))
        }
        (false, _) => {
            Link::broken(format!("alarm '{name}' on its metric fires only after {periods} periods with events"))
        }
    }
}

/// Whether the alarm, or a composite alarm that goes with it, tells somebody.
pub(super) fn notifies(alarm: &Item<'_>, parts: &Parts<'_>) -> Link {
    let name = alarm.name;
    let acts = |item: &Item<'_>, what: &str| {
        let enabled = item.document.get("ActionsEnabled") == Some(&Value::Bool(true));
        let actions: Vec<&str> = item.list("AlarmActions").iter().filter_map(Value::as_str).collect();
        if actions.is_empty() {
            return Link::broken(format!("{what} has no action for the alarm state"));
        }
        if !enabled {
            return Link::broken(format!("{what} has its actions disabled"));
        }
        let ways = actions.iter().map(|action| match reach(action, item, parts) {
            Link::Broken(why) => Link::Broken(why.into_iter().map(|why| format!("{what} acts, but {why}")).collect()),
            other => other,
        });
        Link::any(ways.collect::<Vec<_>>(), &[])
    };
    let itself = acts(alarm, &format!("alarm '{name}' on its metric"));
    let (with, doubts) = composite::following(alarm, parts);
    let composites = with.iter().map(|composite| {
        let suppressor = composite.text("ActionsSuppressor");
        let link = acts(composite, &format!("composite alarm '{}' on alarm '{name}'", composite.name));
        match (link, suppressor.is_empty()) {
            (Link::Holds(_), false) => {
                Link::unclear(format!("when the actions of composite alarm '{}' are suppressed", composite.name))
            }
            (Link::Holds(how), true) => Link::Holds(format!("composite alarm '{}', {how}", composite.name)),
            (other, _) => other,
        }
    });
    let doubts = doubts.into_iter().map(Link::unclear);
    let ways: Vec<Link> = std::iter::once(itself).chain(composites).chain(doubts).collect();
    Link::any(ways, &parts.composites.holes)
}

/// Whether an action of an alarm reaches somebody.
fn reach(action: &str, alarm: &Item<'_>, parts: &Parts<'_>) -> Link {
    match action.split(':').nth(2).unwrap_or_default() {
        "sns" => delivery::topic(action, By::Alarm(alarm), parts),
        "automate" | "autoscaling" | "swf" => Link::broken(format!("'{action}' tells nobody")),
        _ => Link::Open(vec![Doubt::Unclear(format!("whom the action '{action}' tells"))]),
    }
}
