//! Which one change closes a way into a bucket. Each change is made on what was read and the question asked again; none
//! is proposed because it sounds right.

use super::access_point;
use super::{Access, Facts, Route};
use crate::semantics::Answer;
use crate::semantics::policy::document::{Document, Effect};

/// A single change of the configuration.
#[derive(Clone, Debug)]
enum Change<'a> {
    RestrictPublicBuckets,
    IgnorePublicAcls,
    BucketOwnerEnforced,
    /// Removes the statement at this place of the bucket policy.
    Statement(usize, String),
    /// Removes what the ACL grants to a group.
    Acl(&'static str),
    /// Removes the statement at this place of an access point's policy.
    PointStatement(&'a str, usize, String),
    /// Deletes an access point.
    Point(&'a str),
    /// All four settings of the bucket's Block Public Access.
    WholeBlock,
}

impl Change<'_> {
    fn words(&self) -> String {
        match self {
            Change::RestrictPublicBuckets => "turn on RestrictPublicBuckets for the bucket".to_string(),
            Change::IgnorePublicAcls => "turn on IgnorePublicAcls for the bucket".to_string(),
            Change::BucketOwnerEnforced => "set object ownership to BucketOwnerEnforced".to_string(),
            Change::Statement(_, name) => format!("remove statement {name} of the bucket policy"),
            Change::Acl(group) => format!("remove the ACL's grants to {group}"),
            Change::PointStatement(point, _, name) => format!("remove statement {name} of access point '{point}'"),
            Change::Point(point) => format!("delete access point '{point}'"),
            Change::WholeBlock => "turn on all of Block Public Access for the bucket".to_string(),
        }
    }

    fn applied<'f>(&self, facts: &Facts<'f>) -> Facts<'f> {
        let mut changed = facts.clone();
        match self {
            Change::RestrictPublicBuckets => changed.restricted = Answer::Known(true),
            Change::IgnorePublicAcls => changed.acls_ignored = Answer::Known(true),
            Change::BucketOwnerEnforced => changed.acls_off = Answer::Known(true),
            Change::Statement(at, _) => changed.policy = changed.policy.map(|policy| without(policy, *at)),
            Change::Acl(group) => {
                changed.acl = changed.acl.map(|grants| grants.into_iter().filter(|g| g.group != *group).collect());
            }
            Change::PointStatement(name, at, _) => {
                for point in changed.points.iter_mut().filter(|p| p.name == *name) {
                    point.policy = point.policy.clone().map(|policy| without(policy, *at));
                }
            }
            Change::Point(name) => changed.points.retain(|p| p.name != *name),
            Change::WholeBlock => {
                changed.restricted = Answer::Known(true);
                changed.acls_ignored = Answer::Known(true);
            }
        }
        changed
    }
}

fn without(mut policy: Document, at: usize) -> Document {
    policy.statements.retain(|s| s.index != at);
    policy
}

/// The routes, each with the changes of which any one closes it. Block Public Access as a whole is named only where
/// nothing smaller closes them all.
pub(super) fn with_what_closes(facts: &Facts, accesses: &[Access], mut routes: Vec<Route>) -> Vec<Route> {
    if routes.is_empty() {
        return routes;
    }
    for change in small_changes(facts) {
        note(&change, facts, accesses, &mut routes);
    }
    let closes_all = |words: &String| routes.iter().all(|r| r.closed_by.contains(words));
    if !routes[0].closed_by.iter().any(closes_all) {
        note(&Change::WholeBlock, facts, accesses, &mut routes);
    }
    routes
}

/// Writes a change down with every route that is closed by it, if the answer is known then.
fn note(change: &Change, facts: &Facts, accesses: &[Access], routes: &mut [Route]) {
    let Answer::Known(left) = change.applied(facts).routes(accesses) else { return };
    let same = |a: &Route, b: &Route| a.by == b.by && a.through == b.through && a.source == b.source;
    for route in routes.iter_mut().filter(|route| !left.iter().any(|l| same(l, route))) {
        route.closed_by.push(change.words());
    }
}

fn small_changes<'a>(facts: &Facts<'a>) -> Vec<Change<'a>> {
    let mut changes = vec![Change::RestrictPublicBuckets, Change::IgnorePublicAcls, Change::BucketOwnerEnforced];
    changes.extend(allows(&facts.policy).into_iter().map(|(at, name)| Change::Statement(at, name)));
    if let Answer::Known(grants) = &facts.acl {
        let mut groups: Vec<&'static str> = grants.iter().map(|g| g.group).collect();
        groups.sort_unstable();
        groups.dedup();
        changes.extend(groups.into_iter().map(Change::Acl));
    }
    changes.extend(facts.points.iter().flat_map(of_point));
    changes
}

fn of_point<'a>(point: &access_point::Facts<'a>) -> Vec<Change<'a>> {
    let statements = allows(&point.policy).into_iter();
    let statements = statements.map(|(at, name)| Change::PointStatement(point.name, at, name));
    statements.chain([Change::Point(point.name)]).collect()
}

/// The places and names of the Allow statements.
fn allows(policy: &Answer<Document>) -> Vec<(usize, String)> {
    let Answer::Known(policy) = policy else { return Vec::new() };
    policy.statements.iter().filter(|s| s.effect == Effect::Allow).map(|s| (s.index, s.name())).collect()
}
