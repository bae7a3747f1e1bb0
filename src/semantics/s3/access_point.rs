//! Ways into a bucket through its access points. A request through one needs the access point's policy and the
//! bucket's policy, and is refused by the block settings of the account, of the bucket or of the access point ("Managing
//! public access to access points", Amazon S3 User Guide). It must never take a bucket policy that only hands over to
//! access points for the end of the matter.

use super::{
    Access, Answer, Context, Contribution, Document, Input, Route, Way, actions, contribution, document, flag_of,
};
use crate::semantics::policy::document::{Condition, SetQualifier, Statement, Test};
use crate::semantics::policy::who::grants;
use crate::semantics::policy::{Grant, Pattern};
use serde_json::Value;

/// The access points of the own account through which a bucket is reached.
#[derive(Clone, Copy, Debug)]
pub struct AccessPoints<'a> {
    /// Those that were read.
    pub read: &'a [AccessPoint<'a>],
    /// Whether there may be more that were not read.
    pub more: bool,
}

/// An access point, or a Multi-Region Access Point.
#[derive(Clone, Copy, Debug)]
pub struct AccessPoint<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its ARN.
    pub arn: &'a str,
    /// The account that owns it.
    pub account: &'a str,
    /// `NetworkOrigin`: `Internet` or `VPC`. A Multi-Region Access Point has none and faces the internet: absent.
    pub origin: Input<'a>,
    /// Its own `PublicAccessBlockConfiguration`.
    pub block: Input<'a>,
    /// Its policy: a document or text.
    pub policy: Input<'a>,
}

/// An access point as the answer needs it.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    arn: &'a str,
    account: &'a str,
    /// Whether it is bound to a VPC. Amazon S3 takes such an access point for closed, whatever its policy says.
    in_vpc: Answer<bool>,
    /// Its own `RestrictPublicBuckets`.
    restricted: Answer<bool>,
    pub(super) policy: Answer<Document>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(point: &AccessPoint<'a>) -> Self {
        Facts {
            name: point.name,
            arn: point.arn,
            account: point.account,
            in_vpc: in_vpc(point),
            restricted: own_flag(point, "RestrictPublicBuckets"),
            policy: document(point.policy, || format!("the policy of access point '{}' could not be read", point.name)),
        }
    }
}

fn in_vpc(point: &AccessPoint) -> Answer<bool> {
    match point.origin {
        Input::Absent => Answer::Known(false),
        Input::Known(Value::String(origin)) if origin == "VPC" => Answer::Known(true),
        Input::Known(Value::String(origin)) if origin == "Internet" => Answer::Known(false),
        Input::Known(_) => {
            Answer::Unknown(format!("the network origin of access point '{}' is not understood", point.name))
        }
        Input::Unknown => {
            Answer::Unknown(format!("the network origin of access point '{}' could not be read", point.name))
        }
    }
}

fn own_flag(point: &AccessPoint, flag: &str) -> Answer<bool> {
    flag_of(point.block, flag, &format!("access point '{}'", point.name))
}

/// What the settings of an access point do for requests that come through it.
pub(super) fn contributions(point: &AccessPoint) -> Vec<Contribution> {
    let of = |what: &str| format!("{what} of access point '{}'", point.name);
    vec![
        contribution(
            of("VPC origin"),
            in_vpc(point),
            "only requests from its VPC come through",
            "requests from the internet come through",
        ),
        contribution(
            of("RestrictPublicBuckets"),
            own_flag(point, "RestrictPublicBuckets"),
            "a public policy of it lets in only the own account and AWS services",
            "a public policy of it has effect where the bucket's policy agrees",
        ),
    ]
}

impl super::Facts<'_> {
    /// The ways in through access points of the own account.
    pub(super) fn by_access_points(&self, access: Access) -> Answer<Vec<Route>> {
        if self.restricted == Answer::Known(true) {
            return Answer::Known(Vec::new());
        }
        let mut all = Vec::new();
        let mut doubt = None;
        for point in &self.points {
            match self.through(point, access) {
                Answer::Known(routes) => all.extend(routes),
                Answer::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        if self.more_points {
            doubt = doubt.or(self.through_others(access));
        }
        match doubt {
            Some(why) if all.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(all),
        }
    }

    fn through(&self, point: &Facts, access: Access) -> Answer<Vec<Route>> {
        let closed = self.restricted.clone().or(point.restricted.clone()).or(point.in_vpc.clone());
        if closed == Answer::Known(true) {
            return Answer::Known(Vec::new());
        }
        let request =
            Request::Through { arn: Some(point.arn), account: point.account, in_vpc: point.in_vpc.clone().known() };
        let arn = self.arn();
        let of_bucket = side(&self.policy, &request, access, &Context { resource: Some(&arn), ..self.context });
        let of_point = side(&point.policy, &request, access, &Context { resource: Some(point.arn), ..self.context });
        let pairs = match (of_bucket, of_point) {
            (Answer::Known(grants), _) | (_, Answer::Known(grants)) if grants.is_empty() => Vec::new(),
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => return Answer::Unknown(why),
            (Answer::Known(of_bucket), Answer::Known(of_point)) => meeting(&of_bucket, &of_point, &arn, point.arn),
        };
        let (certain, doubtful): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(b, p)| b.doubt.is_none() && p.doubt.is_none());
        match (certain.is_empty(), closed) {
            (true, _) => match doubtful.into_iter().find_map(|(b, p)| b.doubt.or(p.doubt)) {
                Some(why) => Answer::Unknown(why),
                None => Answer::Known(Vec::new()),
            },
            (false, Answer::Unknown(why)) => Answer::Unknown(why),
            (false, Answer::Known(_)) => Answer::Known(certain.into_iter().map(|(b, p)| route(point, b, p)).collect()),
        }
    }

    /// Why access points that were not read leave a doubt, where the bucket's policy would admit what comes through.
    fn through_others(&self, access: Access) -> Option<String> {
        let request = Request::Through { arn: None, account: self.context.account, in_vpc: None };
        let arn = self.arn();
        match side(&self.policy, &request, access, &Context { resource: Some(&arn), ..self.context }) {
            Answer::Known(grants) if grants.is_empty() => None,
            Answer::Known(_) => Some("not all access points of the bucket could be read".to_string()),
            Answer::Unknown(why) => Some(why),
        }
    }
}

fn route(point: &Facts, of_bucket: Grant, of_point: Grant) -> Route {
    let why = format!(
        "through access point '{}': {}, and {} of the bucket policy admits it",
        point.name, of_point.why, of_bucket.statement
    );
    Route {
        through: Some(point.name.to_string()),
        ..Route::new(Way::AccessPoint, of_point.statement, of_point.actions, why)
    }
}

/// What a policy grants everybody whose request comes through an access point, certain or not.
fn side(policy: &Answer<Document>, request: &Request, access: Access, context: &Context) -> Answer<Vec<Grant>> {
    policy.clone().and_then(|document| {
        let document = request.read(&document);
        grants(&document, actions(access), context).map(|grants| grants.into_iter().filter(|g| g.public).collect())
    })
}

/// The pairs of grants that admit one and the same request.
fn meeting(of_bucket: &[Grant], of_point: &[Grant], bucket: &str, point: &str) -> Vec<(Grant, Grant)> {
    let mut pairs = Vec::new();
    for b in of_bucket {
        for p in of_point {
            if share_an_action(b, p) && share_an_object(b, p, bucket, point) {
                pairs.push((b.clone(), p.clone()));
            }
        }
    }
    pairs
}

fn share_an_action(a: &Grant, b: &Grant) -> bool {
    let left_out =
        |grant: &Grant, piece: &Pattern| grant.except_actions.iter().any(|e| Pattern::action(e).covers(piece));
    let pieces = |g: &Grant| g.actions.iter().map(|t| Pattern::action(t)).collect::<Vec<_>>();
    pieces(a).iter().any(|x| pieces(b).iter().any(|y| x.overlaps(y) && !left_out(a, y) && !left_out(b, x)))
}

/// Whether two grants can be for one object, or both for the listing. What is not understood of a resource is anything.
fn share_an_object(b: &Grant, p: &Grant, bucket: &str, point: &str) -> bool {
    let keys = |g: &Grant, own: &str, objects: &str| -> Vec<Pattern> {
        let key = |resource: &String| match resource.strip_prefix(own) {
            Some("") => Pattern::plain(""),
            Some(rest) => rest.strip_prefix(objects).map_or_else(|| Pattern::plain("*"), Pattern::plain),
            None => Pattern::plain("*"),
        };
        g.resources.iter().map(key).collect()
    };
    let (of_bucket, of_point) = (keys(b, bucket, ""), keys(p, point, "/object"));
    of_bucket.iter().any(|x| of_point.iter().any(|y| x.overlaps(y)))
}

/// What is known of how a request comes to the bucket.
pub(super) enum Request<'a> {
    /// By the bucket's own name.
    Direct,
    /// Through an access point.
    Through {
        /// The access point; one that was not read where it is missing.
        arn: Option<&'a str>,
        /// The account that owns it.
        account: &'a str,
        /// Whether it is bound to a VPC, where that is known.
        in_vpc: Option<bool>,
    },
}

impl Request<'_> {
    /// The document as it stands for the request: conditions on the access point are decided and fall away; with one
    /// that does not hold its statement does.
    pub(super) fn read(&self, document: &Document) -> Document {
        Document { statements: document.statements.iter().filter_map(|s| self.statement(s)).collect() }
    }

    fn statement(&self, statement: &Statement) -> Option<Statement> {
        let mut conditions = Vec::with_capacity(statement.conditions.len());
        for condition in &statement.conditions {
            if !is_about_the_access_point(condition) {
                conditions.push(condition.clone());
                continue;
            }
            match self.holds(condition) {
                Some(true) => {}
                Some(false) => return None,
                None => {
                    let why = format!("whether {} holds for the access point is not known", condition.label());
                    conditions.push(Condition { doubt: Some(why), ..condition.clone() });
                }
            }
        }
        Some(Statement { conditions, ..statement.clone() })
    }

    /// Whether a condition on the access point holds. Its keys are in every request that comes through one, and in no
    /// other.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        if condition.doubt.is_some() {
            return None;
        }
        let direct = matches!(self, Request::Direct);
        if condition.operator.test == Some(Test::Null) {
            return match condition.values.as_slice() {
                [one] if one.eq_ignore_ascii_case("false") => Some(!direct),
                [one] if one.eq_ignore_ascii_case("true") => Some(direct),
                _ => None,
            };
        }
        match self {
            Request::Direct => holds_without_key(condition),
            Request::Through { .. } => self.compare(condition),
        }
    }

    fn compare(&self, condition: &Condition) -> Option<bool> {
        let Request::Through { arn, account, in_vpc } = self else { return None };
        let value = match condition.key.to_ascii_lowercase().as_str() {
            "s3:dataaccesspointaccount" => account,
            "s3:dataaccesspointarn" => (*arn)?,
            _ => match (*in_vpc)? {
                true => "VPC",
                false => "Internet",
            },
        };
        if condition.variables && condition.values.iter().any(|v| v.contains("${")) {
            return None;
        }
        let any_case = condition.operator.text.to_ascii_lowercase().contains("ignorecase");
        let same = |v: &String| v == value || (any_case && v.eq_ignore_ascii_case(value));
        let exactly = || condition.values.iter().any(same);
        let like = || condition.values.iter().any(|v| Pattern::plain(v).covers(&Pattern::plain(value)));
        match condition.operator.test? {
            Test::StringEquals { negated } => Some(exactly() != negated),
            Test::StringLike { negated } | Test::Arn { negated } => Some(like() != negated),
            _ => None,
        }
    }
}

/// Whether a comparison holds where the request does not have the key (IAM User Guide, "Condition operators"): the
/// negated ones, `…IfExists` and `ForAllValues:` do, `ForAnyValue:` does not.
fn holds_without_key(condition: &Condition) -> Option<bool> {
    let negated = match condition.operator.test? {
        Test::StringEquals { negated } | Test::StringLike { negated } | Test::Arn { negated } => negated,
        _ => return None,
    };
    match condition.operator.set {
        Some(SetQualifier::ForAllValues) => Some(true),
        Some(SetQualifier::ForAnyValue) => Some(false),
        None => Some(negated || condition.operator.if_exists),
    }
}

fn is_about_the_access_point(condition: &Condition) -> bool {
    const KEYS: [&str; 3] = ["s3:DataAccessPointAccount", "s3:DataAccessPointArn", "s3:AccessPointNetworkOrigin"];
    KEYS.iter().any(|key| condition.key.eq_ignore_ascii_case(key))
}
