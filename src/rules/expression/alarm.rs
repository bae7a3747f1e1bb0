//! The question whether an event raises an alarm, as a function of conditions. The answer is in
//! [`crate::semantics::alarm`]; here it is only asked. A listing that may have more elements, or a member that was not
//! read, must reach the answer as such.

use super::Ty;
use super::evaluate::Env;
use super::functions::{Function, list_of};
use super::questions::{Kind, answer, context, object};
use super::value::Val;
use crate::inventory::{Cause, Reason, Resource};
use crate::semantics::Answer;
use crate::semantics::alarm::chain::{Chain, Doubt, Item, Items, Parts, chain, findings_routed};
use crate::semantics::alarm::classes::{NAMES, Owner, class};

/// The functions that ask about alarms.
pub(super) fn all() -> Vec<Function> {
    let resources = || list_of(Ty::Resource("".into()));
    let mut parameters = vec![Ty::Str];
    parameters.extend((0..10).map(|_| resources()));
    let mut for_findings = vec![Ty::Double];
    for_findings.extend((0..5).map(|_| resources()));
    vec![
        Function {
            name: "alarmChain",
            parameters,
            returns: object(CHAIN),
            takes_unknown: true,
            // Of whichever of the resources have them.
            reads: &[
                "Status",
                "EventSelectors",
                "Targets",
                "Subscriptions",
                "SubscriptionAttributes",
                "Attributes",
                "Policy",
                "Aliases",
            ],
            summary: "Whether every event of a kind (`root-usage`, …) raises an alarm that reaches somebody, by trails, \
                      metric filters, alarms, composite alarms, topics, EventBridge rules, regions, functions, queues and \
                      keys; what does, and which link is missing.",
            run: alarm_chain,
        },
        Function {
            name: "findingsRouted",
            parameters: for_findings,
            returns: object(CHAIN),
            takes_unknown: true,
            reads: &["Targets", "Subscriptions", "SubscriptionAttributes", "Attributes", "Policy", "Aliases"],
            summary: "Whether GuardDuty's findings in the judged resource's region, from a severity up, reach somebody by \
                      EventBridge rules, topics, functions, queues and keys; what does, and which link is missing.",
            run: routed,
        },
    ]
}

/// The members of [`crate::semantics::alarm::chain::Chain`].
const CHAIN: &[(&str, Kind)] = &[("complete", Kind::Flag), ("by", Kind::Texts), ("missing", Kind::Texts)];

fn alarm_chain<'v>(env: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let context = context(env);
    let owner = Owner { account: context.account, partition: context.partition };
    let Val::Str(name) = &a[0] else { return Val::fault("the name of a kind of events was expected") };
    let Some(class) = class(name, owner) else {
        return Val::fault(format!("no kind of events is called {name:?}; there are {}", NAMES.join(", ")));
    };
    let mut causes = Vec::new();
    let mut given = a[1..].iter().map(|argument| items(argument, &mut causes));
    let mut next = || given.next().unwrap_or_default();
    let parts = Parts {
        owner,
        trails: next(),
        filters: next(),
        alarms: next(),
        composites: next(),
        topics: next(),
        rules: next(),
        regions: next(),
        functions: next(),
        queues: next(),
        keys: next(),
    };
    shown(chain(&class, &parts), &causes)
}

fn routed<'v>(env: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let context = context(env);
    let Val::Double(severity) = &a[0] else { return Val::fault("a severity was expected") };
    let mut causes = Vec::new();
    let mut given = a[1..].iter().map(|argument| items(argument, &mut causes));
    let mut next = || given.next().unwrap_or_default();
    let none = Items::default;
    let parts = Parts {
        owner: Owner { account: context.account, partition: context.partition },
        rules: next(),
        topics: next(),
        functions: next(),
        queues: next(),
        keys: next(),
        trails: none(),
        filters: none(),
        alarms: none(),
        composites: none(),
        regions: none(),
    };
    shown(findings_routed(&env.resource.region, *severity, &parts), &causes)
}

fn shown<'v>(asked: Result<Chain, Vec<Doubt>>, causes: &[Cause]) -> Val<'v> {
    match asked {
        Ok(chain) => answer(&[], Answer::Known(chain)),
        Err(doubts) => {
            let mut because: Vec<Cause> = Vec::new();
            for doubt in doubts {
                let cause = match doubt {
                    Doubt::Unread(n) => match causes.get(n) {
                        Some(cause) => cause.clone(),
                        None => Cause::of(Reason::RuleFault, "a part that was not read, and nobody knows why"),
                    },
                    Doubt::Unclear(why) => Cause::of(Reason::NotUnderstood, why),
                };
                if !because.contains(&cause) {
                    because.push(cause);
                }
            }
            Val::Unknown(because.into())
        }
    }
}

/// The resources of an argument; why some were not read is added to `causes` and known by its place there.
fn items<'x>(argument: &'x Val<'_>, causes: &mut Vec<Cause>) -> Items<'x> {
    let mut number = |cause: &Cause| {
        causes.push(cause.clone());
        causes.len() - 1
    };
    match argument {
        Val::Resources { rows, holes, .. } => Items {
            all: rows.iter().map(|resource| item(resource, &mut number)).collect(),
            holes: holes.iter().map(&mut number).collect(),
        },
        Val::Unknown(unread) => Items { all: Vec::new(), holes: unread.iter().map(&mut number).collect() },
        other => {
            let why = Cause::of(Reason::RuleFault, format!("{} where resources were expected", other.kind()));
            Items { all: Vec::new(), holes: vec![number(&why)] }
        }
    }
}

fn item<'x>(resource: &'x Resource, number: &mut impl FnMut(&Cause) -> usize) -> Item<'x> {
    Item {
        name: &resource.name,
        arn: &resource.arn,
        region: &resource.region,
        document: &resource.document,
        unread: resource.unknown.iter().map(|u| (u.path.as_str(), number(&u.cause))).collect(),
    }
}
