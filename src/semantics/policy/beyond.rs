//! What an identity's policies allow beyond looking around: writing, and reading data. Harmless is what stands in a
//! short table, and what the caller accepts; everything else counts, also what no table has heard of. It must never
//! take a pattern for harmless that could cover an action which is not.

use super::document::{Effect, Statement};
use super::grants::{Named, Permissions, label};
use super::matching::Pattern;
use crate::semantics::Answer;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What one statement allows beyond looking around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beyond {
    /// The statement, with its policy's name where that is known.
    pub statement: String,
    /// The actions, as the policies write them.
    pub actions: Vec<String>,
    /// The first few of them, and the statement, in a few words.
    pub why: String,
}

/// Actions that neither write nor read data. Their access level is `List`, or `Read` of configuration (Service
/// Authorization Reference, "Actions defined by …"). Services are named one by one: what `Describe` and `List` mean
/// in others is not taken for granted.
const HARMLESS: &[&str] = &[
    "acm:Describe*",
    "acm:List*",
    "autoscaling:Describe*",
    "cloudwatch:Describe*",
    "cloudwatch:List*",
    "dynamodb:Describe*",
    "dynamodb:List*",
    "ec2:Describe*",
    "ecr:Describe*",
    "ecr:List*",
    // A token to ask the registry with: what it gives is for other actions.
    "ecr:GetAuthorizationToken",
    "ecs:Describe*",
    "ecs:List*",
    "eks:DescribeCluster",
    "eks:ListClusters",
    "elasticfilesystem:Describe*",
    "elasticloadbalancing:Describe*",
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "kms:Describe*",
    "kms:List*",
    "logs:Describe*",
    "logs:List*",
    "route53:GetChange",
    "route53:List*",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucketLocation",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:List*",
    "secretsmanager:Describe*",
    "secretsmanager:List*",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:List*",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeParameters",
    "sts:GetCallerIdentity",
    "tag:GetResources",
    "tag:GetTagKeys",
    "tag:GetTagValues",
];

/// Actions under the patterns of [`HARMLESS`] whose answers hold user data, environments of containers, samples of
/// logs, keys of VPN tunnels, secrets of identity providers or signed addresses (the output shapes in AWS's API
/// models: members `UserData`, `environment`, `logSamples`, and those marked as sensitive).
const DATA: &[&str] = &[
    "autoscaling:DescribeLaunchConfigurations",
    "ec2:DescribeBundleTasks",
    "ec2:DescribeConversionTasks",
    "ec2:DescribeImportImageTasks",
    "ec2:DescribeImportSnapshotTasks",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeSpotFleetRequests",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeVerifiedAccessTrustProviders",
    "ec2:DescribeVpnConnections",
    "ecs:DescribeDaemonTaskDefinition",
    "ecs:DescribeExpressGatewayService",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "logs:ListAnomalies",
];

/// More parts than any real set of policies has: what is left of more is not worked out.
const MOST: usize = 20_000;

/// How many actions a sentence names.
const NAMED: usize = 5;

static TABLE: LazyLock<Vec<Pattern>> = LazyLock::new(|| HARMLESS.iter().map(|p| Pattern::action(p)).collect());
static EXCEPT: LazyLock<Vec<Pattern>> = LazyLock::new(|| DATA.iter().map(|p| Pattern::action(p)).collect());
static ALL: LazyLock<Pattern> = LazyLock::new(|| Pattern::plain("*"));

/// A part of what is allowed: the actions that all of `within` match and none of `less`, on what all of
/// `resources` match.
#[derive(Clone, Debug)]
struct Piece<'a> {
    statement: &'a Statement,
    policy: &'a Named,
    within: Vec<&'a Pattern>,
    less: Vec<&'a Pattern>,
    resources: Vec<&'a Pattern>,
}

/// Which way a doubt goes: what is allowed for certain, or all that may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Certain,
    Possible,
}

impl Permissions {
    /// What is allowed on anything at all, under any condition, that is neither in the table of harmless actions nor
    /// among the `accepted` patterns. Unknown where that turns on what was not read or not understood.
    pub fn allowed_beyond(&self, accepted: &[&str]) -> Answer<Vec<Beyond>> {
        let accepted: Vec<Pattern> = accepted.iter().map(|p| Pattern::action(p)).collect();
        let (Some(certain), Some(possible)) =
            (self.left(&accepted, Bound::Certain), self.left(&accepted, Bound::Possible))
        else {
            return Answer::Unknown("the policies have too many parts to work out what they leave".to_string());
        };
        if !certain.is_empty() {
            return Answer::Known(told(&certain));
        }
        let Some(first) = possible.first() else { return Answer::Known(Vec::new()) };
        let doubt = self.unread_ceiling.clone().or_else(|| self.first_doubt());
        Answer::Unknown(doubt.unwrap_or_else(|| {
            let statement = label(first.policy, first.statement);
            format!("whether all policies together allow {} of {statement} is not known", first.shown())
        }))
    }

    /// The parts beyond the table that are left after Deny statements and ceilings; `None` where they are too many.
    fn left(&self, accepted: &[Pattern], bound: Bound) -> Option<Vec<Piece<'_>>> {
        if bound == Bound::Certain && self.unread_ceiling.is_some() {
            return Some(Vec::new());
        }
        let within_reach = |pieces: Vec<_>| (pieces.len() <= MOST).then_some(pieces);
        let counts = |piece: &Piece| !piece.is_harmless(accepted) && !piece.is_empty();
        let start = allows(&self.policies, bound).flat_map(|(policy, s)| parts(policy, s)).filter(counts);
        let mut pieces = within_reach(start.take(MOST + 1).collect())?;
        for ceiling in &self.ceilings {
            let narrowed = pieces.iter().flat_map(|piece| under(piece, ceiling, bound)).filter(counts);
            pieces = within_reach(narrowed.take(MOST + 1).collect())?;
        }
        for deny in self.denies(bound) {
            let narrowed = pieces.into_iter().flat_map(|piece| without(piece, deny)).filter(counts);
            pieces = within_reach(narrowed.take(MOST + 1).collect())?;
        }
        pieces.retain(|piece| bound == Bound::Possible || piece.is_certain());
        Some(pieces)
    }

    /// The Deny statements that take all that they name: those whose conditions are not understood may.
    fn denies(&self, bound: Bound) -> impl Iterator<Item = &Statement> {
        let takes = move |s: &&Statement| {
            s.effect == Effect::Deny && (s.conditions.is_empty() || (bound == Bound::Certain && doubt(s).is_some()))
        };
        std::iter::once(&self.policies)
            .chain(&self.ceilings)
            .flatten()
            .flat_map(|named| &named.document.statements)
            .filter(takes)
    }

    fn first_doubt(&self) -> Option<String> {
        let all = std::iter::once(&self.policies).chain(&self.ceilings).flatten();
        all.flat_map(|named| &named.document.statements).find_map(doubt).map(str::to_string)
    }
}

impl<'a> Piece<'a> {
    /// Whether it allows nothing: two of its patterns have nothing in common.
    fn is_empty(&self) -> bool {
        apart(&self.within) || apart(&self.resources)
    }

    /// Whether something is left for certain: of the actions, and of the resources, one pattern is the narrowest.
    fn is_certain(&self) -> bool {
        narrowest(&self.within).is_some() && narrowest(&self.resources).is_some()
    }

    fn is_harmless(&self, accepted: &[Pattern]) -> bool {
        self.within.iter().any(|actions| {
            let covered = |p: &Pattern| {
                self.less.iter().any(|less| less.covers(p)) || accepted.iter().any(|accepted| accepted.covers(p))
            };
            let reads_data = || EXCEPT.iter().any(|data| data.overlaps(actions) && !covered(data));
            covered(actions) || (TABLE.iter().any(|harmless| harmless.covers(actions)) && !reads_data())
        })
    }

    fn also_within(&self, actions: &'a Pattern) -> Self {
        let mut piece = self.clone();
        piece.within.push(actions);
        piece
    }

    /// Its actions as a policy writes them.
    fn shown(&self) -> String {
        let actions = narrowest(&self.within).unwrap_or(self.within[0]);
        if self.statement.actions.inverted && actions.is_everything() {
            return format!("all but {}", self.statement.actions.texts().join(", "));
        }
        match EXCEPT.iter().find(|data| data.overlaps(actions)) {
            Some(data) if TABLE.iter().any(|p| p.covers(actions)) && data.text() != actions.text() => {
                format!("{} (with {})", actions.text(), data.text())
            }
            _ => actions.text().to_string(),
        }
    }
}

fn apart(patterns: &[&Pattern]) -> bool {
    patterns.iter().enumerate().any(|(at, one)| patterns[..at].iter().any(|other| !one.overlaps(other)))
}

/// The pattern that all others cover.
fn narrowest<'a>(patterns: &[&'a Pattern]) -> Option<&'a Pattern> {
    patterns.iter().copied().find(|one| patterns.iter().all(|other| other.covers(one)))
}

/// Why a condition of a statement is not understood, where one is not.
fn doubt(statement: &Statement) -> Option<&str> {
    statement.conditions.iter().find_map(|c| c.doubt.as_deref())
}

/// The Allow statements of a set of policies.
fn allows(policies: &[Named], bound: Bound) -> impl Iterator<Item = (&Named, &Statement)> {
    let allows = move |s: &&Statement| s.effect == Effect::Allow && (bound == Bound::Possible || doubt(s).is_none());
    policies.iter().flat_map(move |named| named.document.statements.iter().filter(allows).map(move |s| (named, s)))
}

/// What a selection lists, or everything where it lists what it leaves out.
fn patterns(selection: &super::document::Selection) -> Vec<&Pattern> {
    match selection.inverted {
        true => vec![&*ALL],
        false => selection.patterns.iter().collect(),
    }
}

/// What a selection leaves out.
fn left_out(selection: &super::document::Selection) -> Vec<&Pattern> {
    if selection.inverted { selection.patterns.iter().collect() } else { Vec::new() }
}

/// What an Allow statement allows, one piece for each pattern of its actions and of its resources.
fn parts<'a>(policy: &'a Named, statement: &'a Statement) -> Vec<Piece<'a>> {
    if left_out(&statement.resources).iter().any(|p| p.is_everything()) {
        return Vec::new();
    }
    let resources = patterns(&statement.resources);
    let piece = |actions, resource| Piece {
        statement,
        policy,
        within: vec![actions],
        less: left_out(&statement.actions),
        resources: vec![resource],
    };
    let of_actions = |actions| resources.iter().map(move |resource| piece(actions, *resource));
    patterns(&statement.actions).into_iter().flat_map(of_actions).collect()
}

/// What a ceiling leaves of a piece.
fn under<'a>(piece: &Piece<'a>, ceiling: &'a [Named], bound: Bound) -> Vec<Piece<'a>> {
    let mut left = Vec::new();
    for part in allows(ceiling, bound).flat_map(|(policy, s)| parts(policy, s)) {
        let [actions, resource] = [part.within[0], part.resources[0]];
        let whole = part.less.is_empty()
            && piece.within.iter().any(|own| actions.covers(own))
            && piece.resources.iter().any(|own| resource.covers(own));
        if whole {
            return vec![piece.clone()];
        }
        let mut narrowed = piece.also_within(actions);
        narrowed.resources.push(resource);
        narrowed.less.extend(part.less);
        left.push(narrowed);
    }
    left
}

/// What a Deny statement leaves of a piece. One that does not take all of the piece's resources leaves it.
fn without<'a>(mut piece: Piece<'a>, deny: &'a Statement) -> Vec<Piece<'a>> {
    if !piece.resources.iter().any(|resource| deny.resources.covers(resource)) {
        return vec![piece];
    }
    if !deny.actions.inverted {
        piece.less.extend(&deny.actions.patterns);
        return vec![piece];
    }
    let spared = &deny.actions.patterns;
    match spared.iter().any(|spared| piece.within.iter().any(|own| spared.covers(own))) {
        true => vec![piece],
        false => spared.iter().map(|spared| piece.also_within(spared)).collect(),
    }
}

/// The pieces by statement.
fn told(pieces: &[Piece<'_>]) -> Vec<Beyond> {
    let mut statements: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for piece in pieces {
        let actions = statements.entry(label(piece.policy, piece.statement)).or_default();
        let shown = piece.shown();
        if !actions.contains(&shown) {
            actions.push(shown);
        }
    }
    let beyond = |(statement, actions): (String, Vec<String>)| {
        let mut named = actions.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if actions.len() > NAMED {
            named = format!("{named} and {} more", actions.len() - NAMED);
        }
        Beyond { why: format!("{named} by {statement}"), statement, actions }
    };
    statements.into_iter().map(beyond).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::Input;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const CORE: &[&str] = &["ssm:GetParameter", "ssm:UpdateInstanceInformation", "ssmmessages:OpenDataChannel"];

    fn permissions(statements: &[Value]) -> Permissions {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        Permissions::read(Input::Known(&policy)).known().unwrap()
    }

    fn beyond(permissions: &Permissions) -> Option<Vec<String>> {
        permissions.allowed_beyond(CORE).known().map(|all| all.into_iter().flat_map(|b| b.actions).collect())
    }

    fn of(statements: &[Value]) -> Option<Vec<String>> {
        beyond(&permissions(statements))
    }

    fn allow(action: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": "*"})
    }

    fn deny(action: Value) -> Value {
        json!({"Effect": "Deny", "Action": action, "Resource": "*"})
    }

    fn under(statements: &[Value], boundary: Value) -> Option<Vec<String>> {
        let boundary = json!({"Version": "2012-10-17", "Statement": boundary});
        beyond(&permissions(statements).with_boundary(Input::Known(&boundary)))
    }

    fn nothing() -> Option<Vec<String>> {
        Some(Vec::new())
    }

    #[test]
    fn looking_around_and_what_is_accepted_is_harmless() {
        assert_eq!(of(&[]), nothing());
        let looking =
            ["ec2:DescribeInstances", "ec2:describetags", "s3:ListBucket", "sts:GetCallerIdentity", "kms:List*"];
        assert_eq!(of(&[allow(json!(looking)), allow(json!(CORE))]), nothing());
    }

    #[test]
    fn writing_and_reading_data_counts_on_any_resource_and_under_any_condition() {
        let one = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/key",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}});
        assert_eq!(of(&[one]), Some(vec!["s3:GetObject".to_string()]));
        for action in ["dynamodb:GetItem", "ssm:GetParametersByPath", "kms:Decrypt", "logs:PutLogEvents", "new:Action"]
        {
            assert_eq!(of(&[allow(json!(action))]), Some(vec![action.to_string()]));
        }
    }

    #[test]
    fn a_pattern_that_could_cover_more_counts() {
        for action in ["*", "*:*", "ssm:Get*", "ec2:*", "s3:?etObject", "*:Describe*", "ssm:GetParameter*"] {
            assert_eq!(of(&[allow(json!(action))]).map(|found| found.len()), Some(1), "{action}");
        }
        let described = of(&[allow(json!("ec2:Describe*"))]).unwrap();
        assert!(described[0].starts_with("ec2:Describe* (with ec2:Describe"), "{described:?}");
        let but = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert_eq!(of(&[but]), Some(vec!["all but iam:*".to_string()]));
    }

    #[test]
    fn a_deny_takes_what_it_covers_and_no_more() {
        assert_eq!(of(&[allow(json!("s3:Get*")), deny(json!("s3:*"))]), nothing());
        assert_eq!(of(&[allow(json!("s3:*")), deny(json!("s3:GetObject"))]), Some(vec!["s3:*".to_string()]));
        assert_eq!(of(&[allow(json!("ec2:Describe*")), deny(json!(DATA))]), nothing());
        let spares = |actions: Value| json!({"Effect": "Deny", "NotAction": actions, "Resource": "*"});
        assert_eq!(of(&[allow(json!("*")), spares(json!(CORE))]), nothing());
        assert_eq!(
            of(&[allow(json!("*")), spares(json!(["s3:GetObject", "ec2:DescribeTags"]))]),
            Some(vec!["s3:GetObject".into()])
        );
        let elsewhere = json!({"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::other/*"});
        assert_eq!(of(&[allow(json!("s3:GetObject")), elsewhere]).map(|f| f.len()), Some(1));
        let here =
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]});
        let on = |b: &str| json!({"Effect": "Deny", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{b}/*")});
        assert_eq!(of(&[here.clone(), on("a")]).map(|f| f.len()), Some(1));
        assert_eq!(of(&[here, on("a"), on("b")]), nothing());
        let at_times = json!({"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        assert_eq!(of(&[allow(json!("s3:GetObject")), at_times]).map(|f| f.len()), Some(1));
    }

    #[test]
    fn a_boundary_must_allow_as_well() {
        let everything = [allow(json!("*"))];
        assert_eq!(under(&everything, json!([allow(json!(CORE))])), nothing());
        assert_eq!(
            under(&everything, json!([allow(json!(["ec2:DescribeTags", "s3:PutObject"]))])),
            Some(vec!["s3:PutObject".to_string()])
        );
        assert_eq!(under(&everything, json!([allow(json!("*")), deny(json!("*"))])), nothing());
        assert_eq!(
            under(&[allow(json!("s3:GetObject"))], json!([allow(json!("s3:*")), allow(json!("*"))])).map(|f| f.len()),
            Some(1)
        );
        let bucket =
            |b: &str| json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{b}/*")}]);
        let own = bucket("a")[0].clone();
        assert_eq!(under(std::slice::from_ref(&own), bucket("b")), nothing());
        assert_eq!(under(&[own], bucket("a")).map(|f| f.len()), Some(1));
        let but = json!([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]);
        assert_eq!(under(&[allow(json!("s3:Get*"))], but), nothing());
        let unread = permissions(&everything).with_boundary(Input::Unknown);
        assert_eq!(beyond(&unread), None);
        assert_eq!(beyond(&permissions(&[allow(json!(CORE))]).with_boundary(Input::Unknown)), nothing());
    }

    #[test]
    fn what_is_not_understood_is_unknown_only_where_it_decides() {
        let strange = json!({"StringFancy": {"aws:PrincipalTag/x": "y"}});
        let mut doubtful = allow(json!("s3:GetObject"));
        doubtful["Condition"] = strange.clone();
        assert_eq!(of(std::slice::from_ref(&doubtful)), None);
        assert_eq!(of(&[doubtful.clone(), allow(json!("kms:Decrypt"))]), Some(vec!["kms:Decrypt".into()]));
        assert_eq!(of(&[doubtful, deny(json!("s3:*"))]), nothing());
        let mut refusing = deny(json!("s3:*"));
        refusing["Condition"] = strange;
        assert_eq!(of(&[allow(json!("s3:GetObject")), refusing.clone()]), None);
        assert_eq!(of(&[allow(json!("*")), refusing.clone()]).map(|f| f.len()), Some(1));
        assert_eq!(of(&[allow(json!("ec2:DescribeTags")), refusing]), nothing());
        // Two patterns that cross: what both allow cannot be said without the list of all actions.
        assert_eq!(under(&[allow(json!("s3:*Object"))], json!([allow(json!("s3:Abort*"))])), None);
    }

    #[test]
    fn a_hostile_set_of_policies_is_unknown_and_does_not_hang() {
        let spared = |d: usize| -> Vec<String> { (0..60).map(|n| format!("*{d}x{n}y*")).collect() };
        let denies = (0..6).map(|d| json!({"Effect": "Deny", "NotAction": spared(d), "Resource": "*"}));
        let statements: Vec<Value> = std::iter::once(allow(json!("*"))).chain(denies).collect();
        assert_eq!(of(&statements), None);
    }

    #[test]
    fn the_first_actions_are_named_and_the_others_counted() {
        let many: Vec<String> = (0..8).map(|n| format!("s3:Put{n}")).collect();
        let told = permissions(&[allow(json!(many))]).allowed_beyond(&[]).known().unwrap();
        assert_eq!(told[0].why, "s3:Put0, s3:Put1, s3:Put2, s3:Put3, s3:Put4 and 3 more by statement number 1");
    }

    proptest! {
        /// Whatever is allowed and not denied by name is found, however the pattern is written.
        #[test]
        fn an_action_that_is_allowed_is_never_passed_over(cut in 0usize..12, tail in "[*?]{0,2}", denied in "[a-z]{1,6}") {
            let action = "s3:GetObject";
            let head: String = action.chars().take(cut).collect();
            let pattern = format!("{head}{tail}*");
            let found = of(&[allow(json!(pattern)), deny(json!(format!("sqs:{denied}")))]);
            prop_assert_eq!(found.map(|f| f.len()), Some(1), "{}", pattern);
        }
    }
}
