//! What an identity's policies allow it on everything: whole services, roles to pass and to assume, keys, secrets
//! and data, and whether that makes it an administrator in effect. Allow statements grant, Deny statements take
//! away what they certainly take away, a permissions boundary and SCPs narrow. It must never take a statement for
//! bound because a condition stands there: only conditions that limit the resources or the circumstances bind.

use super::document::{Condition, Document, Effect, Order, Selection, SetQualifier, Statement, Test, is_account};
use super::matching::Pattern;
use super::principal::Identity;
use super::service_control::ServiceControl;
use crate::semantics::address::{AddressSet, is_wider, parse_block};
use crate::semantics::{Answer, Input};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Policies that act together on an identity, and what narrows them.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    pub(super) policies: Vec<Named>,
    /// Sets of policies each of which must allow as well: the boundary, the service control policies of each level.
    pub(super) ceilings: Vec<Vec<Named>>,
    /// Why a part that narrows is not known.
    pub(super) unread_ceiling: Option<String>,
    /// Whether the identity cannot sign its requests with MFA.
    without_mfa: bool,
    /// The ARNs of what the identity's own permissions stand in: itself, its groups, managed policies of the account.
    pub(super) own: Vec<String>,
}

/// A policy, with its name where that is known.
#[derive(Clone, Debug)]
pub(super) struct Named {
    name: Option<String>,
    pub(super) document: Document,
}

impl Named {
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// An action that is allowed on all resources, with nothing that bounds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// The action that was asked for.
    pub action: String,
    /// The statement that allows it, with its policy's name where that is known.
    pub statement: String,
}

/// That an identity can do nearly everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Administrator {
    /// The statements that together allow it.
    pub statements: Vec<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// A statement that allows by leaving out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvertedAllow {
    /// The statement.
    pub statement: String,
    /// `NotAction`, `NotResource`, or both.
    pub elements: Vec<&'static str>,
}

/// An action that is allowed on some resource, whatever else bounds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conditioned {
    /// The action that was asked for.
    pub action: String,
    /// The statement that allows it, with its policy's name where that is known.
    pub statement: String,
    /// Whether it is allowed only with given values of the condition key that was asked about.
    pub demanded: bool,
}

/// Actions with each of which permissions are given to somebody: who is allowed one of them on everything gives
/// himself, or a role that he may take, all that he lacks.
const GIVING_PROBES: &[&str] = &[
    "iam:AttachUserPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachGroupPolicy",
    "iam:PutUserPolicy",
    "iam:PutRolePolicy",
    "iam:PutGroupPolicy",
    "iam:CreatePolicyVersion",
];
/// Actions that stand for the whole of AWS: who is allowed at least four fifths of them on everything, and to give
/// permissions, is an administrator in effect.
const OTHER_PROBES: &[&str] = &[
    "cloudformation:CreateStack",
    "cloudtrail:StopLogging",
    "cloudwatch:DeleteAlarms",
    "config:DeleteConfigurationRecorder",
    "dynamodb:DeleteTable",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "ecs:RunTask",
    "guardduty:DeleteDetector",
    "kms:Decrypt",
    "kms:ScheduleKeyDeletion",
    "lambda:UpdateFunctionCode",
    "logs:DeleteLogGroup",
    "rds:DeleteDBInstance",
    "route53:ChangeResourceRecordSets",
    "s3:DeleteBucket",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sqs:DeleteQueue",
    "ssm:SendCommand",
    "sts:AssumeRole",
    "elasticloadbalancing:DeleteLoadBalancer",
];

/// How many of some actions are allowed.
#[derive(Default)]
struct Count {
    /// The statement for each that is allowed for certain.
    certain: Vec<String>,
    /// How many are, or may be.
    possible: usize,
    /// Why one of them only may be.
    doubt: Option<String>,
}

/// What conditions of a statement do to what it allows.
#[derive(Clone, Debug, PartialEq)]
enum Limit {
    Loose,
    Bound,
    Unknown(String),
}

/// What a question about an action looks at beyond the action.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lens<'a> {
    /// For `iam:PassRole`: the services to which passing counts even where `iam:PassedToService` names one of them.
    pub(crate) passed_to: &'a [&'a str],
    /// Whether requests come without MFA, as those signed with an access key do.
    pub(crate) without_mfa: bool,
    /// Whether the action counts on some resources, too: it starts something that runs with a role which is passed,
    /// and what that is called does not matter.
    pub(crate) starts: bool,
    /// Where the action also counts on what the identity's own permissions stand in: what is known of that.
    pub(crate) own: Option<&'a [String]>,
}

impl Permissions {
    /// Reads the policies: a document, a text, an object that holds one under `PolicyDocument` or `Document` (with
    /// `PolicyName`, as IAM's lists have it), or a list of those. Unknown where one of them is not understood.
    pub fn read(policies: Input) -> Answer<Permissions> {
        read_set(policies, "the policies could not be read")
            .map(|policies| Permissions { policies, ..Permissions::default() })
    }

    /// Narrows by a permissions boundary; absent means there is none.
    pub fn with_boundary(mut self, boundary: Input) -> Permissions {
        if boundary != Input::Absent {
            match read_set(boundary, "the permissions boundary could not be read") {
                Answer::Known(set) => self.ceilings.push(set),
                Answer::Unknown(why) => self.unread_ceiling = Some(why),
            }
        }
        self
    }

    /// Narrows by the service control policies that bind `identity`: at each level one of them must allow.
    pub fn with_service_control(mut self, control: &Answer<ServiceControl>, identity: &Identity) -> Permissions {
        match control {
            Answer::Known(control) => self.ceilings.extend_from_slice(control.levels_for(identity)),
            Answer::Unknown(why) => self.unread_ceiling = Some(why.clone()),
        }
        self
    }

    /// What they are for one identity: conditions on who asks are decided, where what is known of it decides them.
    pub fn of(mut self, identity: &Identity) -> Permissions {
        for named in std::iter::once(&mut self.policies).chain(&mut self.ceilings).flatten() {
            let statements = &mut named.document.statements;
            *statements = statements.iter().filter_map(|s| identity.left_of(s)).collect();
        }
        let attached = self.policies.iter().filter_map(Named::name);
        let of_account = attached.filter(|n| n.starts_with("arn:") && !n.contains(":iam::aws:")).map(str::to_string);
        self.own = of_account.chain(identity.own_arns()).collect();
        self
    }

    /// What they allow whoever cannot sign with MFA: a user with access keys and no MFA device.
    pub fn without_mfa(self) -> Permissions {
        Permissions { without_mfa: true, ..self }
    }

    /// Which of the actions (or patterns such as `kms:*`) are allowed on all resources of their kind, with nothing
    /// that bounds them. Unknown where none is for certain and some might be.
    pub fn allowed_everywhere(&self, actions: &[&str]) -> Answer<Vec<Allowance>> {
        let mut found = Vec::new();
        let mut doubt = None;
        for action in actions {
            match self.allows(action, Lens::default()) {
                Answer::Known(Some(statement)) => {
                    found.push(Allowance { action: action.to_string(), statement });
                }
                Answer::Known(None) => {}
                Answer::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        match doubt {
            Some(why) if found.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(found),
        }
    }

    /// Whether they make an administrator in effect: by `*` on `*`, by `NotAction`, or by many statements.
    pub fn administrator(&self) -> Answer<Option<Administrator>> {
        let (giving, other) = (self.count(GIVING_PROBES), self.count(OTHER_PROBES));
        let enough = |giving: usize, other: usize| giving > 0 && other * 5 >= OTHER_PROBES.len() * 4;
        if enough(giving.certain.len(), other.certain.len()) {
            let statements: BTreeSet<String> = giving.certain.into_iter().chain(other.certain).collect();
            let statements: Vec<String> = statements.into_iter().collect();
            let why = format!("nearly every action is allowed on all resources by {}", statements.join(" and "));
            return Answer::Known(Some(Administrator { statements, why }));
        }
        match giving.doubt.or(other.doubt) {
            Some(why) if enough(giving.possible, other.possible) => Answer::Unknown(why),
            _ => Answer::Known(None),
        }
    }

    fn count(&self, probes: &[&str]) -> Count {
        let mut count = Count::default();
        for probe in probes {
            match self.allows(probe, Lens::default()) {
                Answer::Known(Some(statement)) => {
                    count.certain.push(statement);
                    count.possible += 1;
                }
                Answer::Known(None) => {}
                Answer::Unknown(why) => {
                    count.doubt.get_or_insert(why);
                    count.possible += 1;
                }
            }
        }
        count
    }

    /// The services of which every action is allowed on all resources by a wildcard (`s3:*`; `*` for all).
    pub fn service_wildcards(&self) -> Answer<Vec<Allowance>> {
        let mut services = BTreeSet::new();
        for (_, statement) in self.allows_of() {
            if statement.actions.inverted {
                continue;
            }
            for pattern in &statement.actions.patterns {
                let whole = match pattern.text().split_once(':') {
                    Some((service, _)) if !service.contains(['*', '?']) => {
                        format!("{}:*", service.to_ascii_lowercase())
                    }
                    _ => "*".to_string(),
                };
                if pattern.covers(&Pattern::action(&whole)) {
                    services.insert(whole);
                }
            }
        }
        let services: Vec<&str> = services.iter().map(String::as_str).collect();
        self.allowed_everywhere(&services)
    }

    /// The Allow statements with `NotAction`, or with `NotResource`, that are not confined to named resources.
    pub fn inverted_allows(&self) -> Vec<InvertedAllow> {
        self.allows_of()
            .filter_map(|(name, statement)| {
                let mut elements = Vec::new();
                let broad = |r: &Pattern| r.text().split(':').nth(5).unwrap_or(r.text()).starts_with('*');
                if statement.actions.inverted
                    && (statement.resources.inverted || statement.resources.patterns.iter().any(broad))
                {
                    elements.push("NotAction");
                }
                if statement.resources.inverted {
                    elements.push("NotResource");
                }
                (!elements.is_empty()).then_some(InvertedAllow { statement: name, elements })
            })
            .collect()
    }

    /// Which of the actions are allowed on any resource at all, and whether only where the request has given values
    /// of a condition key (`iam:PermissionsBoundary`). Unknown where a condition in the way is not understood.
    pub fn allowed_anywhere(&self, actions: &[&str], key: &str) -> Answer<Vec<Conditioned>> {
        let mut found = Vec::new();
        for action in actions {
            let sets = std::iter::once(&self.policies).chain(&self.ceilings);
            let mut of_sets = Vec::new();
            for set in sets {
                match anywhere(set, action, key) {
                    Answer::Known(of_set) => of_sets.push(of_set),
                    Answer::Unknown(why) => return Answer::Unknown(why),
                }
            }
            if of_sets.iter().any(Vec::is_empty) {
                continue;
            }
            if let Some(why) = &self.unread_ceiling {
                return Answer::Unknown(why.clone());
            }
            // Where the boundary or an SCP demands the key, the policies themselves need not.
            let demanded = of_sets[1..].iter().any(|ceiling| ceiling.iter().all(|c| c.demanded));
            found.extend(
                of_sets.swap_remove(0).into_iter().map(|c| Conditioned { demanded: c.demanded || demanded, ..c }),
            );
        }
        Answer::Known(found)
    }

    /// The statement that allows an action on all resources of its kind, where one does.
    pub(crate) fn allows(&self, action: &str, lens: Lens) -> Answer<Option<String>> {
        let lens = Lens { without_mfa: self.without_mfa, ..lens };
        let allowed = allowed_by(&self.policies, action, lens);
        let Answer::Known(Some(statement)) = allowed else { return allowed };
        for ceiling in &self.ceilings {
            match allowed_by(ceiling, action, lens) {
                Answer::Known(Some(_)) => {}
                other => return other,
            }
        }
        match &self.unread_ceiling {
            Some(why) => Answer::Unknown(why.clone()),
            None => Answer::Known(Some(statement)),
        }
    }

    fn allows_of(&self) -> impl Iterator<Item = (String, &Statement)> {
        self.policies.iter().flat_map(|named| {
            named.document.statements.iter().filter(|s| s.effect == Effect::Allow).map(|s| (label(named, s), s))
        })
    }
}

pub(super) fn read_set(input: Input, unread: &str) -> Answer<Vec<Named>> {
    match input {
        Input::Absent => Answer::Known(Vec::new()),
        Input::Unknown => Answer::Unknown(unread.to_string()),
        Input::Known(Value::Array(items)) => {
            let mut all = Vec::new();
            for item in items {
                match read_named(item) {
                    Answer::Known(named) => all.push(named),
                    Answer::Unknown(why) => return Answer::Unknown(why),
                }
            }
            Answer::Known(all)
        }
        Input::Known(one) => read_named(one).map(|named| vec![named]),
    }
}

fn read_named(value: &Value) -> Answer<Named> {
    let name = value.get("PolicyName").and_then(Value::as_str).map(str::to_string);
    let document = value.get("PolicyDocument").or_else(|| value.get("Document")).unwrap_or(value);
    Document::read(document).map(|document| Named { name, document })
}

pub(super) fn label(named: &Named, statement: &Statement) -> String {
    match &named.name {
        Some(name) => format!("statement {} of policy '{name}'", statement.name()),
        None => format!("statement {}", statement.name()),
    }
}

/// A statement that allows an action on everything, and why it only may.
struct Allowing<'a> {
    named: &'a Named,
    statement: &'a Statement,
    doubt: Option<String>,
}

/// The statement of a set of policies that allows an action on everything, less what their Deny statements take.
fn allowed_by(policies: &[Named], action: &str, lens: Lens) -> Answer<Option<String>> {
    let pattern = Pattern::action(action);
    let each = || policies.iter().flat_map(|named| named.document.statements.iter().map(move |s| (named, s)));
    // Most identities are asked about far more actions than they have.
    if !each().any(|(_, s)| s.effect == Effect::Allow && s.actions.covers(&pattern)) {
        return Answer::Known(None);
    }
    let kinds = kinds_of(action);
    let reaches = |resources: &Selection| match lens.starts {
        true => reaches_some(resources, &kinds),
        false => {
            (reaches_all(resources, &kinds) && reaches_also(resources, action)) || reaches_self(resources, action, lens)
        }
    };
    let mut left: Vec<Allowing> = Vec::new();
    for (named, statement) in each().filter(|(_, s)| s.effect == Effect::Allow) {
        if !statement.actions.covers(&pattern) || !reaches(&statement.resources) {
            continue;
        }
        match limit_of(&statement.conditions, lens) {
            Limit::Loose => left.push(Allowing { named, statement, doubt: None }),
            Limit::Bound => {}
            Limit::Unknown(why) => left.push(Allowing { named, statement, doubt: Some(why) }),
        }
    }
    for (_, deny) in each().filter(|(_, s)| s.effect == Effect::Deny && s.actions.covers(&pattern)) {
        let always = deny.conditions.iter().all(|c| lens.without_mfa && refuses_without_mfa(c));
        // A condition that is understood lets somebody or some case pass, so the Deny does not take all.
        let doubt = deny.conditions.iter().find_map(|c| c.doubt.clone());
        if !always && doubt.is_none() {
            continue;
        }
        let of_all = takes_all(&deny.resources, &kinds, action);
        left.retain_mut(|allowing| {
            let takes = match takes_those(&deny.resources, &allowing.statement.resources) {
                true => Takes::All,
                false => of_all.clone(),
            };
            match (takes, &doubt) {
                (Takes::Nothing, _) => {}
                (Takes::All, None) => return false,
                (Takes::Unknown(why), None) => allowing.doubt = allowing.doubt.take().or(Some(why)),
                (_, Some(why)) => allowing.doubt = allowing.doubt.take().or(Some(why.clone())),
            }
            true
        });
    }
    match left.iter().find(|allowing| allowing.doubt.is_none()) {
        Some(allowing) => Answer::Known(Some(label(allowing.named, allowing.statement))),
        None => left.into_iter().find_map(|allowing| allowing.doubt).map_or(Answer::Known(None), Answer::Unknown),
    }
}

/// The Allow statements of a set of policies that allow an action on something.
fn anywhere(policies: &[Named], action: &str, key: &str) -> Answer<Vec<Conditioned>> {
    let pattern = Pattern::action(action);
    let kinds = kinds_of(action);
    let each = || policies.iter().flat_map(|named| named.document.statements.iter().map(move |s| (named, s)));
    let relevant = || each().filter(|(_, s)| s.actions.covers(&pattern));
    let mut demanded_of_all = false;
    let of_all = |s: &Statement| takes_all(&s.resources, &kinds, action) == Takes::All;
    for (_, deny) in relevant().filter(|(_, s)| s.effect == Effect::Deny && of_all(s)) {
        if deny.conditions.is_empty() {
            return Answer::Known(Vec::new());
        }
        if let Some(why) = deny.conditions.iter().find_map(|c| c.doubt.clone()) {
            return Answer::Unknown(why);
        }
        demanded_of_all |= deny.conditions.iter().all(|c| refuses_without(c, key));
    }
    let mut found = Vec::new();
    for (named, statement) in relevant().filter(|(_, s)| s.effect == Effect::Allow) {
        if let Some(why) = statement.conditions.iter().find_map(|c| c.doubt.clone()) {
            return Answer::Unknown(why);
        }
        let demanded = demanded_of_all || statement.conditions.iter().any(|c| demands(c, key));
        found.push(Conditioned { action: action.to_string(), statement: label(named, statement), demanded });
    }
    Answer::Known(found)
}

/// Whether a condition of an Allow lets through only requests with given values of the key.
fn demands(condition: &Condition, key: &str) -> bool {
    let absent_passes = condition.operator.if_exists || condition.operator.set == Some(SetQualifier::ForAllValues);
    let negated = matches!(
        condition.operator.test,
        None | Some(
            Test::StringEquals { negated: true } | Test::StringLike { negated: true } | Test::Arn { negated: true }
        )
    );
    condition.key.eq_ignore_ascii_case(key)
        && !absent_passes
        && !negated
        && values_limit(condition)
        && !condition.values.iter().any(|v| is_mighty(v))
}

/// Whether a condition of a Deny refuses every request without one of the given values of the key: the `Not` forms
/// are also true where the request does not have the key at all.
fn refuses_without(condition: &Condition, key: &str) -> bool {
    let literal = |value: &String| !value.is_empty() && !value.starts_with(['*', '?']);
    let negated = matches!(
        condition.operator.test,
        Some(Test::StringEquals { negated: true } | Test::StringLike { negated: true } | Test::Arn { negated: true })
    );
    condition.key.eq_ignore_ascii_case(key)
        && negated
        && condition.operator.set.is_none()
        && condition.values.iter().all(literal)
        && !condition.values.iter().any(|v| is_mighty(v))
}

/// Whether a pattern of policies holds one with which everything can be had: as what is attached it gives that, as a
/// boundary it bounds nothing.
fn is_mighty(value: &str) -> bool {
    const MIGHTY: [&str; 2] = ["AdministratorAccess", "IAMFullAccess"];
    let pattern = Pattern::plain(value);
    let of_aws = |name: &str| Pattern::plain(&format!("arn:{}:iam::aws:policy/{name}", partition_of(&pattern)));
    MIGHTY.iter().any(|name| pattern.covers(&of_aws(name))) || is_all(&pattern, &[("iam", "policy/*")])
}

/// The partition that an ARN's pattern names, or the first.
fn partition_of(pattern: &Pattern) -> &str {
    pattern.text().split(':').nth(1).filter(|p| !p.contains(['*', '?', '$'])).unwrap_or("aws")
}

/// Whether a condition of a Deny is true of every request without MFA. `aws:MultiFactorAuthPresent` is not in a request
/// that is signed with an access key, and false in one of a session that was asked for with it, which nobody can be
/// refused; `aws:MultiFactorAuthAge` is in neither (IAM User Guide, "AWS global condition context keys"; AWS STS API
/// Reference, `GetSessionToken`).
pub(super) fn refuses_without_mfa(condition: &Condition) -> bool {
    let all = |value: &str| condition.values.iter().all(|v| v.eq_ignore_ascii_case(value));
    let named = |key: &str| condition.key.eq_ignore_ascii_case(key);
    match condition.operator.test {
        Some(Test::Bool) => named("aws:MultiFactorAuthPresent") && condition.operator.if_exists && all("false"),
        Some(Test::Null) => named("aws:MultiFactorAuthAge") && all("true"),
        Some(Test::Numeric(_)) => named("aws:MultiFactorAuthAge") && condition.operator.if_exists,
        _ => false,
    }
}

/// Whether a condition of an Allow is true of no request without MFA.
fn demands_mfa(condition: &Condition) -> bool {
    let all = |value: &str| condition.values.iter().all(|v| v.eq_ignore_ascii_case(value));
    let named = |key: &str| condition.key.eq_ignore_ascii_case(key);
    match condition.operator.test {
        _ if condition.operator.if_exists || condition.operator.set.is_some() => false,
        Some(Test::Bool) => named("aws:MultiFactorAuthPresent") && all("true"),
        Some(Test::Null) => named("aws:MultiFactorAuthAge") && all("false"),
        Some(Test::Numeric(order)) => order != Order::NotEquals && named("aws:MultiFactorAuthAge"),
        _ => false,
    }
}

/// A kind of resource: the service in its ARNs, and what comes behind the account.
type Kind<'a> = (&'a str, &'a str);

/// The kinds of resources of actions; from the "Resource types" of the Service Authorization Reference. A pattern
/// is "all resources" of an action when it covers all ARNs of one of the kinds.
const KINDS: &[(&str, &[Kind<'static>])] = &[
    ("iam:addusertogroup", &[("iam", "group/*")]),
    ("iam:*user*", &[("iam", "user/*")]),
    ("iam:*loginprofile", &[("iam", "user/*")]),
    ("iam:*accesskey*", &[("iam", "user/*")]),
    ("iam:*group*", &[("iam", "group/*")]),
    ("iam:*assumerolepolicy", &[("iam", "role/*")]),
    ("iam:*role*", &[("iam", "role/*")]),
    ("iam:*policy*", &[("iam", "policy/*")]),
    ("iam:*samlprovider*", &[("iam", "saml-provider/*")]),
    ("sts:assumerole*", &[("iam", "role/*")]),
    ("s3:*object*", &[("s3", "*"), ("s3", "*/*")]),
    ("s3:*", &[("s3", "*")]),
    ("dynamodb:*", &[("dynamodb", "table/*")]),
    ("kms:*", &[("kms", "key/*")]),
    // Six characters of their own stand at the end of the ARNs of secrets.
    ("secretsmanager:*", &[("secretsmanager", "secret:*-??????")]),
    ("ssm:*parameter*", &[("ssm", "parameter/*"), ("ssm", "*")]),
    // A command needs a document and an instance; that the instance is any is asked by ALSO.
    (
        "ssm:sendcommand",
        &[("ssm", "document/*"), ("ssm", "document/AWS-RunShellScript"), ("ssm", "document/AWS-RunPowerShellScript")],
    ),
    ("ssm:startsession", &[("ec2", "instance/*"), ("ssm", "*")]),
    ("cloudtrail:*", &[("cloudtrail", "trail/*")]),
    ("lambda:*", &[("lambda", "function:*")]),
    ("ec2:*launchtemplate*", &[("ec2", "launch-template/*")]),
    ("ec2:requestspotinstances", &[("ec2", "instance/*"), ("ec2", "spot-instances-request/*")]),
    ("ec2:*", &[("ec2", "instance/*")]),
    ("ec2-instance-connect:*", &[("ec2", "instance/*")]),
    ("ecs:executecommand", &[("ecs", "task/*")]),
    ("ecs:describetasks", &[("ecs", "task/*")]),
    ("ecs:*service", &[("ecs", "service/*")]),
    ("ecs:*", &[("ecs", "task-definition/*"), ("ecs", "*")]),
    ("apprunner:*service", &[("apprunner", "service/*/*")]),
    ("batch:submitjob", &[("batch", "job-definition/*:*"), ("batch", "job-definition/*")]),
    (
        "bedrock-agentcore:*codeinterpreter*",
        &[("bedrock-agentcore", "code-interpreter-custom/*"), ("bedrock-agentcore", "code-interpreter/*")],
    ),
    ("bedrock-agentcore:*browser*", &[("bedrock-agentcore", "browser-custom/*"), ("bedrock-agentcore", "browser/*")]),
    ("bedrock-agentcore:invokeagentruntime*", &[("bedrock-agentcore", "runtime/*")]),
    ("codedeploy:createdeployment", &[("codedeploy", "deploymentgroup:*")]),
    ("codedeploy:registerapplicationrevision", &[("codedeploy", "application:*")]),
    ("codedeploy:getdeploymentconfig", &[("codedeploy", "deploymentconfig:*")]),
    ("identitystore:*", &[("identitystore", "group/*")]),
    ("sso:*", &[("sso", "permissionSet/*/*")]),
    ("states:*", &[("states", "stateMachine:*")]),
    ("cloudformation:*stackset*", &[("cloudformation", "stackset/*")]),
    ("cloudformation:*stackinstances", &[("cloudformation", "stackset/*")]),
    ("cloudformation:*", &[("cloudformation", "stack/*")]),
    ("codebuild:*", &[("codebuild", "project/*")]),
    ("glue:*job*", &[("glue", "job/*"), ("glue", "*")]),
    ("glue:*", &[("glue", "devEndpoint/*"), ("glue", "*")]),
    ("sagemaker:*notebook*", &[("sagemaker", "notebook-instance/*")]),
    ("sagemaker:*trainingjob", &[("sagemaker", "training-job/*")]),
    ("sagemaker:*processingjob", &[("sagemaker", "processing-job/*")]),
    ("rds-data:*", &[("rds", "cluster:*")]),
];

/// Kinds of resources of which an action needs one more to be reached as a whole.
const ALSO: &[(&str, &[Kind<'static>])] =
    &[("ssm:sendcommand", &[("ec2", "instance/*"), ("ssm", "managed-instance/*")])];

/// Actions with which an identity that may take them on itself, its group or its own policy gets all that there is; and how
/// the ARNs of these resources are told.
const ON_SELF: &[(&str, &str)] = &[
    ("iam:AttachUserPolicy", ":user/"),
    ("iam:PutUserPolicy", ":user/"),
    ("iam:DeleteUserPermissionsBoundary", ":user/"),
    ("iam:PutUserPermissionsBoundary", ":user/"),
    ("iam:AttachRolePolicy", ":role/"),
    ("iam:PutRolePolicy", ":role/"),
    ("iam:DeleteRolePermissionsBoundary", ":role/"),
    ("iam:PutRolePermissionsBoundary", ":role/"),
    ("iam:AttachGroupPolicy", ":group/"),
    ("iam:PutGroupPolicy", ":group/"),
    ("iam:CreatePolicyVersion", ":policy/"),
    ("iam:SetDefaultPolicyVersion", ":policy/"),
];

/// Whether a statement lets an identity take such an action on itself.
fn reaches_self(resources: &Selection, action: &str, lens: Lens) -> bool {
    let Some(own) = lens.own else { return false };
    let Some((_, kind)) = ON_SELF.iter().find(|(name, _)| action.eq_ignore_ascii_case(name)) else { return false };
    let own: Vec<&String> = own.iter().filter(|arn| arn.contains(kind)).collect();
    let each_user = |p: &Pattern| {
        *kind == ":user/" && p.text().contains(kind) && p.text().to_ascii_lowercase().ends_with("${aws:username}")
    };
    // The path of a group is not known of its members.
    let named = |p: &Pattern, arn: &str| {
        p.covers(&Pattern::plain(arn))
            || (*kind == ":group/" && p.text().contains(kind) && p.text().rsplit('/').next() == arn.rsplit('/').next())
    };
    !resources.inverted && resources.patterns.iter().any(|p| each_user(p) || own.iter().any(|arn| named(p, arn)))
}

/// Whether a statement reaches all of the further kinds that an action needs.
fn reaches_also(resources: &Selection, action: &str) -> bool {
    ALSO.iter().filter(|(name, _)| action.eq_ignore_ascii_case(name)).all(|(_, kinds)| reaches_all(resources, kinds))
}

/// The kinds of an action; where they are not in the table, all that the service has.
fn kinds_of(action: &str) -> Vec<Kind<'_>> {
    static PATTERNS: LazyLock<Vec<(Pattern, &[Kind<'static>])>> =
        LazyLock::new(|| KINDS.iter().map(|(pattern, kinds)| (Pattern::action(pattern), *kinds)).collect());
    let asked = Pattern::action(action);
    match PATTERNS.iter().find(|(pattern, _)| pattern.covers(&asked)) {
        Some((_, kinds)) => kinds.to_vec(),
        None => vec![(action.split(':').next().unwrap_or_default(), "*")],
    }
}

/// Whether an Allow statement's resources are all of one of the kinds.
fn reaches_all(resources: &Selection, kinds: &[Kind]) -> bool {
    if resources.inverted {
        return !resources.patterns.iter().any(|p| is_all(p, kinds));
    }
    resources.patterns.iter().any(|p| is_all(p, kinds))
}

/// Whether an Allow statement's resources are some of one of the kinds.
fn reaches_some(resources: &Selection, kinds: &[Kind]) -> bool {
    let some = |pattern: &Pattern| {
        let text = with_own_values(pattern.text());
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        kinds.iter().any(|(service, tail)| match parts.as_slice() {
            [_, _, of, _, _, resource] => meet(of, service) && meet(resource, tail),
            _ => pattern.overlaps(&Pattern::plain(&format!("arn:*:{service}:*:*:{tail}"))),
        })
    };
    match resources.inverted {
        true => !resources.patterns.iter().any(is_everything),
        false => resources.patterns.iter().any(some),
    }
}

/// Whether two patterns have a text in common.
fn meet(one: &str, other: &str) -> bool {
    Pattern::with_variables(one).overlaps(&Pattern::plain(other))
}

/// What a Deny statement takes.
#[derive(Clone, Debug, PartialEq)]
enum Takes {
    /// All, or all but named resources.
    All,
    Unknown(String),
    Nothing,
}

/// Whether a Deny statement leaves no more than named resources of all that there are: in every region and account,
/// not in one.
fn takes_all(resources: &Selection, kinds: &[Kind], action: &str) -> Takes {
    if resources.inverted {
        return match resources.patterns.iter().any(|p| is_all(p, kinds)) {
            true => Takes::Nothing,
            false => Takes::All,
        };
    }
    // Actions of IAM reach the own account only; roles are taken in others, too.
    let iam = action.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("iam:"));
    let sts = action.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sts:"));
    let of = |account: Option<&str>| {
        resources.patterns.iter().any(|p| {
            let everywhere = |kind: &Kind| p.covers(&Pattern::plain(&everywhere(p, kind, account)));
            is_everything(p) || kinds.iter().all(everywhere)
        })
    };
    let named = resources.patterns.iter().find_map(|p| p.text().split(':').nth(4).filter(|a| is_account(a)));
    match named {
        _ if of(None) => Takes::All,
        Some(account) if of(Some(account)) && iam => Takes::All,
        Some(account) if of(Some(account)) && !sts => {
            Takes::Unknown(format!("whether account {account}, of which a Deny statement is, is the only one in reach"))
        }
        _ => Takes::Nothing,
    }
}

/// All ARNs of a kind in the partition of a pattern: of every region, and of one account or of every.
fn everywhere(pattern: &Pattern, (service, tail): &Kind, account: Option<&str>) -> String {
    let partition = partition_of(pattern);
    let (region, account) = match *service {
        "s3" | "sso" | "identitystore" => ("", ""),
        "iam" => ("", account.unwrap_or("*")),
        _ => ("*", account.unwrap_or("*")),
    };
    format!("arn:{partition}:{service}:{region}:{account}:{}", named(tail))
}

/// A resource has a name: what may stand at the end is at least one character.
fn named(tail: &str) -> String {
    tail.strip_suffix('*').map_or_else(|| tail.to_string(), |head| format!("{head}?*"))
}

/// Whether a Deny statement covers all that an Allow statement names.
fn takes_those(denied: &Selection, allowed: &Selection) -> bool {
    !allowed.inverted && !allowed.patterns.is_empty() && allowed.patterns.iter().all(|p| denied.covers(p))
}

fn is_everything(pattern: &Pattern) -> bool {
    pattern.is_everything() || pattern.covers(&Pattern::plain("arn:aws:*"))
}

/// Whether a pattern covers every resource of one of the kinds, if only of one partition, region or account, or of
/// those that are called alike.
fn is_all(pattern: &Pattern, kinds: &[Kind]) -> bool {
    if is_everything(pattern) {
        return true;
    }
    let text = with_own_values(pattern.text());
    let filled = (text != pattern.text()).then(|| Pattern::with_variables(&text));
    let pattern = filled.as_ref().unwrap_or(pattern);
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let own = |at: usize, otherwise: &str| -> String {
        match parts.get(at).copied() {
            None | Some("*") => otherwise.to_string(),
            Some(part) if part.contains('$') => otherwise.to_string(),
            // Something that the part matches.
            Some(part) => part.replace('*', "").replace('?', "0"),
        }
    };
    let (partition, region, account) = (own(1, "aws"), own(3, "us-east-1"), own(4, "000000000000"));
    let all = |(service, tail): &Kind| format!("arn:{partition}:{service}:{region}:{account}:{}", named(tail));
    kinds.iter().any(|kind| pattern.covers(&Pattern::plain(&all(kind))))
}

/// A pattern with the variables filled in that hold the own account, or whatever region is asked for.
fn with_own_values(text: &str) -> Cow<'_, str> {
    const OWN: [(&str, &str); 3] = [
        ("${aws:principalaccount}", "000000000000"),
        ("${aws:resourceaccount}", "000000000000"),
        ("${aws:requestedregion}", "us-east-1"),
    ];
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let own = OWN
            .iter()
            .find(|(variable, _)| rest.get(..variable.len()).is_some_and(|start| start.eq_ignore_ascii_case(variable)));
        let (value, length) = own.map_or(("${", 2), |(variable, value)| (*value, variable.len()));
        filled.push_str(value);
        rest = &rest[length..];
    }
    if filled.is_empty() && rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(filled + rest)
}

/// Keys that limit neither which resources are reached nor under which circumstances that matter: what remains
/// allowed is as good as all. (Global keys: IAM User Guide, "AWS global condition context keys"; the others:
/// Service Authorization Reference.)
const NOT_LIMITING: &[&str] = &[
    "aws:assumedroot",
    "aws:currenttime",
    "aws:epochtime",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:requesttag/",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:securetransport",
    "aws:sourceidentity",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsmcpservice",
    "aws:viaawsservice",
    "dynamodb:enclosingoperation",
    "dynamodb:fulltablescan",
    "dynamodb:returnconsumedcapacity",
    "dynamodb:returnvalues",
    "dynamodb:select",
    "ec2:associatepublicipaddress",
    "ec2:availabilityzone",
    "ec2:availabilityzoneid",
    "ec2:ebsoptimized",
    "ec2:encrypted",
    "ec2:imagetype",
    "ec2:instancemarkettype",
    "ec2:instancetype",
    "ec2:islaunchtemplateresource",
    "ec2:metadatahttpendpoint",
    "ec2:metadatahttpputresponsehoplimit",
    "ec2:metadatahttptokens",
    "ec2:owner",
    "ec2:public",
    "ec2:region",
    "ec2:rootdevicetype",
    "ec2:tenancy",
    "ec2:volumeiops",
    "ec2:volumesize",
    "ec2:volumethroughput",
    "ec2:volumetype",
    "glue:securitygroupids",
    "glue:subnetids",
    "glue:vpcids",
    "kms:calleraccount",
    "kms:encryptionalgorithm",
    "kms:keyorigin",
    "kms:keyspec",
    "kms:keyusage",
    "kms:multiregion",
    "kms:multiregionkeytype",
    "lambda:securitygroupids",
    "lambda:subnetids",
    "lambda:vpcids",
    "s3:authtype",
    "s3:resourceaccount",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:x-amz-content-sha256",
    "sagemaker:directinternetaccess",
    "sagemaker:instancetypes",
    "sagemaker:intercontainertrafficencryption",
    "sagemaker:maxruntimeinseconds",
    "sagemaker:minimuminstancemetadataserviceversion",
    "sagemaker:networkisolation",
    "sagemaker:outputkmskey",
    "sagemaker:rootaccess",
    "sagemaker:volumekmskey",
    "sagemaker:vpcsecuritygroupids",
    "sagemaker:vpcsubnets",
    "secretsmanager:secretprimaryregion",
    "secretsmanager:versionid",
    "secretsmanager:versionstage",
    "ssm:overwrite",
    "ssm:recursive",
    "ssm:sessiondocumentaccesscheck",
    "sts:durationseconds",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
];

/// Keys that say where something runs: they limit nothing of an action that starts it.
const PLACES: &[&str] = &["ec2:subnet", "ec2:subnetid", "ec2:vpc", "ecs:cluster"];

/// Global keys that say who asks: whether they hold for those who have the policy does not stand in it.
const OF_HOLDER: &[&str] = &["aws:principalarn", "aws:principaltag/"];

/// Global keys that do limit, where their values are not wildcards.
const LIMITING: &[&str] = &[
    "aws:calledvia",
    "aws:calledviaawsmcp",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:resourcetag/",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
];

fn limit_of(conditions: &[Condition], lens: Lens) -> Limit {
    let demanded: BTreeSet<String> = conditions
        .iter()
        .filter(|c| c.operator.test == Some(Test::Null) && c.values.iter().all(|v| v.eq_ignore_ascii_case("false")))
        .map(Condition::key_name)
        .collect();
    let mut doubt = None;
    for condition in conditions {
        match limit_by(condition, &demanded, lens) {
            Limit::Bound => return Limit::Bound,
            Limit::Unknown(why) => doubt = doubt.or(Some(why)),
            Limit::Loose => {}
        }
    }
    doubt.map_or(Limit::Loose, Limit::Unknown)
}

fn limit_by(condition: &Condition, demanded: &BTreeSet<String>, lens: Lens) -> Limit {
    if let Some(why) = &condition.doubt {
        return Limit::Unknown(why.clone());
    }
    if lens.without_mfa && demands_mfa(condition) {
        return Limit::Bound;
    }
    let key = condition.key_name();
    let listed = |list: &[&str]| list.iter().any(|k| key == *k || (k.ends_with('/') && key.starts_with(k)));
    if listed(NOT_LIMITING) || (lens.starts && listed(PLACES)) {
        return Limit::Loose;
    }
    match key.as_str() {
        "iam:passedtoservice" => return passed_to(condition, lens),
        "iam:policyarn" if condition.values.iter().any(|v| is_mighty(v)) => return Limit::Loose,
        "iam:associatedresourcearn" if !condition.values.iter().all(|v| super::matching::is_fixed(v)) => {
            return Limit::Loose;
        }
        _ => {}
    }
    if key.starts_with("aws:calledvia") && condition.values.iter().any(|v| v.starts_with("cloudformation.")) {
        return Limit::Unknown("what AWS CloudFormation does for those who may use it can be everything".to_string());
    }
    if key.starts_with("aws:") && !listed(LIMITING) && !listed(OF_HOLDER) {
        return Limit::Unknown(format!("what the condition key {} limits is not known", condition.key));
    }
    // To demand that a tag is there is to leave out all that do not have it.
    if key.contains("resourcetag/") && demanded.contains(&key) {
        return Limit::Bound;
    }
    let absent_passes = condition.operator.if_exists || condition.operator.set == Some(SetQualifier::ForAllValues);
    if absent_passes && !demanded.contains(&key) {
        return Limit::Loose;
    }
    match values_limit(condition) {
        true if listed(OF_HOLDER) => {
            Limit::Unknown(format!("whether {} holds for those who have the policy is not known", condition.label()))
        }
        true => Limit::Bound,
        false => Limit::Loose,
    }
}

/// Beginnings that all values of some key have.
const EVERY: [&str; 4] = ["alias/*", "arn:*", "vpc-*", "vpce-*"];

fn values_limit(condition: &Condition) -> bool {
    let literal =
        |value: &String| !value.is_empty() && !value.starts_with(['*', '?']) && !EVERY.contains(&value.as_str());
    match condition.operator.test {
        Some(
            Test::StringEquals { negated: false } | Test::StringLike { negated: false } | Test::Arn { negated: false },
        ) => condition.values.iter().all(literal),
        Some(Test::IpAddress { negated: false }) => narrow_addresses(&condition.values),
        Some(Test::Bool) => condition.values.iter().all(|v| v.eq_ignore_ascii_case("true")),
        _ => false,
    }
}

fn narrow_addresses(values: &[String]) -> bool {
    let blocks: Option<Vec<_>> = values.iter().map(|v| parse_block(v)).collect();
    blocks.is_some_and(|blocks| {
        blocks.iter().all(|net| !is_wider(net, 8, 32)) && blocks.iter().collect::<AddressSet>().internet().is_empty()
    })
}

/// `iam:PassedToService` bounds passing when it names a single service; for an escalation through a service, when it
/// admits none of those that count. The key is in every request to pass a role.
fn passed_to(condition: &Condition, lens: Lens) -> Limit {
    let positive = matches!(
        condition.operator.test,
        Some(Test::StringEquals { negated: false } | Test::StringLike { negated: false })
    );
    if !positive {
        return Limit::Loose;
    }
    let admits = |service: &&str| {
        let service = Pattern::action(service);
        condition.values.iter().any(|v| Pattern::action(v).overlaps(&service))
    };
    let bound = match lens.passed_to {
        [] => matches!(condition.values.as_slice(), [one] if super::matching::is_fixed(one)),
        services => !services.iter().any(admits),
    };
    if bound { Limit::Bound } else { Limit::Loose }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn allow(action: Value, resource: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    fn deny(action: Value, resource: Value) -> Value {
        json!({"Effect": "Deny", "Action": action, "Resource": resource})
    }

    fn with(mut statement: Value, condition: Value) -> Value {
        statement["Condition"] = condition;
        statement
    }

    fn permissions(statements: &[Value]) -> Permissions {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        Permissions::read(Input::Known(&policy)).known().unwrap()
    }

    fn admin(statements: &[Value]) -> Option<bool> {
        permissions(statements).administrator().known().map(|a| a.is_some())
    }

    fn everywhere(statements: &[Value], actions: &[&str]) -> Option<usize> {
        permissions(statements).allowed_everywhere(actions).known().map(|a| a.len())
    }

    #[test]
    fn an_administrator_is_recognised_in_every_disguise() {
        let star = || json!("*");
        for statement in [
            allow(star(), star()),
            allow(json!("*:*"), star()),
            allow(json!(["s3:GetObject", "**"]), json!(["arn:aws:s3:::b", "*"])),
            allow(star(), json!("arn:aws:*:*:*:*")),
            json!({"Effect": "Allow", "NotAction": ["aws-portal:*", "support:*"], "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::logs"}),
            with(allow(star(), star()), json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
            with(allow(star(), star()), json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),
            with(allow(star(), star()), json!({"StringNotEquals": {"aws:ResourceTag/protected": "yes"}})),
            with(allow(star(), star()), json!({"StringLike": {"aws:PrincipalTag/team": "*"}})),
            with(allow(star(), star()), json!({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})),
        ] {
            assert_eq!(admin(std::slice::from_ref(&statement)), Some(true), "{statement}");
        }
        let letters: Vec<String> = ('a'..='z').map(|c| format!("{c}*")).collect();
        assert_eq!(admin(&[allow(json!(letters), star())]), Some(true));
        let services: Vec<Value> = GIVING_PROBES
            .iter()
            .chain(OTHER_PROBES)
            .map(|p| allow(json!(format!("{}:*", p.split(':').next().unwrap())), star()))
            .collect();
        assert_eq!(admin(&services), Some(true));
    }

    #[test]
    fn less_than_everything_is_no_administrator() {
        let star = || json!("*");
        for statements in [
            vec![allow(json!("s3:*"), star())],
            vec![allow(star(), json!("arn:aws:s3:::b/*"))],
            vec![json!({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"})],
            vec![allow(star(), star()), deny(json!("iam:*"), star())],
            vec![allow(star(), star()), deny(star(), star())],
            vec![allow(star(), star()), json!({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"})],
            vec![allow(star(), star()), json!({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b/*"})],
            vec![with(allow(star(), star()), json!({"StringEquals": {"aws:ResourceTag/team": "a"}}))],
            vec![with(allow(star(), star()), json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}))],
            vec![allow(json!("iam:*"), star())],
        ] {
            assert_eq!(admin(&statements), Some(false), "{statements:?}");
        }
    }

    #[test]
    fn a_small_deny_leaves_an_administrator() {
        let all = allow(json!("*"), json!("*"));
        assert_eq!(admin(&[all.clone(), deny(json!("organizations:*"), json!("*"))]), Some(true));
        assert_eq!(admin(&[all.clone(), deny(json!("s3:DeleteBucket"), json!("arn:aws:s3:::logs"))]), Some(true));
        let users = json!(["iam:CreateUser", "iam:CreateAccessKey", "iam:*UserPolicy", "iam:PassRole"]);
        assert_eq!(admin(&[all.clone(), deny(users, json!("*"))]), Some(true));
        let unless_mfa =
            with(deny(json!("*"), json!("*")), json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}));
        assert_eq!(admin(&[all, unless_mfa]), Some(true));
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let all = allow(json!("*"), json!("*"));
        assert_eq!(admin(&[with(all.clone(), json!({"StringEquals": {"aws:NewKey": "x"}}))]), None);
        assert_eq!(admin(&[with(all.clone(), json!({"StringSounds": {"aws:UserAgent": "x"}}))]), None);
        assert_eq!(
            admin(&[all.clone(), with(deny(json!("*"), json!("*")), json!({"Odd": {"aws:UserAgent": "x"}}))]),
            None
        );
        assert_eq!(admin(&[all, with(allow(json!("s3:*"), json!("*")), json!({"Odd": {"a:b": "x"}}))]), Some(true));
        assert!(Permissions::read(Input::Known(&json!(["{"]))).doubt().is_some());
        assert!(Permissions::read(Input::Unknown).doubt().is_some());
    }

    #[test]
    fn a_boundary_narrows() {
        let all = || permissions(&[allow(json!("*"), json!("*"))]);
        let s3 = json!({"Statement": allow(json!("s3:*"), json!("*"))});
        let whole = json!({"Statement": allow(json!("*"), json!("*"))});
        let admin = |p: Permissions| p.administrator().known().map(|a| a.is_some());
        assert_eq!(admin(all().with_boundary(Input::Absent)), Some(true));
        assert_eq!(admin(all().with_boundary(Input::Known(&whole))), Some(true));
        assert_eq!(admin(all().with_boundary(Input::Known(&s3))), Some(false));
        assert_eq!(admin(all().with_boundary(Input::Unknown)), None);
        let none = permissions(&[allow(json!("s3:GetObject"), json!("arn:aws:s3:::b/*"))]);
        assert_eq!(admin(none.with_boundary(Input::Unknown)), Some(false));
    }

    #[test]
    fn without_mfa_only_what_does_not_demand_it_is_allowed() {
        let all = || allow(json!("*"), json!("*"));
        let admin =
            |statements: &[Value]| permissions(statements).without_mfa().administrator().known().map(|a| a.is_some());
        let mfa = |operator: &str, value: &str| json!({operator: {"aws:MultiFactorAuthPresent": value}});
        for statements in [
            vec![with(all(), mfa("Bool", "true"))],
            vec![with(all(), json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}))],
            vec![with(all(), json!({"Null": {"aws:MultiFactorAuthAge": "false"}}))],
            vec![all(), with(deny(json!("*"), json!("*")), mfa("BoolIfExists", "false"))],
            vec![
                all(),
                with(
                    json!({"Effect": "Deny", "NotAction": "sts:*", "Resource": "*"}),
                    json!({"Null": {"aws:MultiFactorAuthAge": "true"}}),
                ),
            ],
            vec![
                all(),
                with(
                    deny(json!("*"), json!("*")),
                    json!({"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}),
                ),
            ],
        ] {
            assert_eq!(admin(&statements), Some(false), "{statements:?}");
        }
        for statements in [
            vec![all()],
            vec![with(all(), mfa("BoolIfExists", "true"))],
            vec![with(all(), json!({"NumericNotEquals": {"aws:MultiFactorAuthAge": "0"}}))],
            vec![with(all(), mfa("Bool", "false"))],
            // A session that is asked for with an access key has the key, and it is false.
            vec![with(all(), mfa("Null", "false"))],
            vec![all(), with(deny(json!("*"), json!("*")), mfa("Null", "true"))],
            // Without MFA the key is not there, so that this refuses nothing.
            vec![all(), with(deny(json!("*"), json!("*")), mfa("Bool", "false"))],
            vec![with(all(), mfa("Bool", "true")), all()],
        ] {
            assert_eq!(admin(&statements), Some(true), "{statements:?}");
        }
    }

    #[test]
    fn a_condition_key_is_demanded_or_not() {
        let ask = |statements: &[Value]| -> Option<Vec<bool>> {
            let found = permissions(statements).allowed_anywhere(&["iam:CreateRole"], "iam:PermissionsBoundary");
            found.known().map(|all| all.into_iter().map(|c| c.demanded).collect())
        };
        let create = || allow(json!("iam:Create*"), json!("arn:aws:iam::111122223333:role/app/*"));
        let boundary =
            |operator: &str| json!({operator: {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}});
        assert_eq!(ask(&[create()]), Some(vec![false]));
        assert_eq!(ask(&[allow(json!("s3:*"), json!("*"))]), Some(vec![]));
        assert_eq!(ask(&[with(create(), boundary("StringEquals"))]), Some(vec![true]));
        assert_eq!(ask(&[with(create(), boundary("ArnLike"))]), Some(vec![true]));
        assert_eq!(ask(&[with(create(), boundary("StringEqualsIfExists"))]), Some(vec![false]));
        assert_eq!(ask(&[with(create(), boundary("StringNotEquals"))]), Some(vec![false]));
        assert_eq!(ask(&[with(create(), json!({"StringLike": {"iam:PermissionsBoundary": "*"}}))]), Some(vec![false]));
        // A boundary that is anything, or everything, is none.
        for any in ["arn:*", "arn:aws:iam::*:policy/*", "arn:aws:iam::aws:policy/AdministratorAccess"] {
            let by = |operator: &str| json!({operator: {"iam:PermissionsBoundary": any}});
            assert_eq!(ask(&[with(create(), by("ArnLike"))]), Some(vec![false]), "{any}");
            let refused = with(deny(json!("iam:Create*"), json!("*")), by("ArnNotLike"));
            assert_eq!(ask(&[create(), refused]), Some(vec![false]), "{any}");
        }
        assert_eq!(ask(&[with(create(), boundary("StringEquals")), create()]), Some(vec![true, false]));
        let refused = with(deny(json!("iam:Create*"), json!("*")), boundary("StringNotEquals"));
        assert_eq!(ask(&[create(), refused]), Some(vec![true]));
        assert_eq!(ask(&[create(), deny(json!("iam:*"), json!("*"))]), Some(vec![]));
        assert_eq!(ask(&[with(create(), boundary("Odd"))]), None);
        let narrowed = |statement: Value| {
            let ceiling = json!({"Statement": statement});
            let narrowed = permissions(&[create()]).with_boundary(Input::Known(&ceiling));
            narrowed.allowed_anywhere(&["iam:CreateRole"], "iam:PermissionsBoundary").known().unwrap()
        };
        assert!(narrowed(allow(json!("s3:*"), json!("*"))).is_empty());
        assert!(narrowed(with(allow(json!("*"), json!("*")), boundary("StringEquals")))[0].demanded);
        assert!(!narrowed(allow(json!("*"), json!("*")))[0].demanded);
    }

    #[test]
    fn a_deny_takes_what_it_covers_of_every_region_and_account() {
        let ask = |action: &str, allowed: &str, denied: Value| {
            everywhere(&[allow(json!(action), json!(allowed)), deny(json!(action), denied)], &[action])
        };
        let in_one_region = "arn:aws:kms:eu-west-1:111122223333:key/*";
        assert_eq!(ask("kms:Decrypt", "*", json!(in_one_region)), Some(1));
        assert_eq!(ask("kms:Decrypt", in_one_region, json!(in_one_region)), Some(0));
        assert_eq!(ask("kms:Decrypt", in_one_region, json!("arn:aws:kms:*:*:key/*")), Some(0));
        assert_eq!(ask("kms:Decrypt", "*", json!("arn:aws:kms:*:*:key/*")), Some(0));
        assert_eq!(ask("kms:Decrypt", "*", json!("arn:aws:kms:*:111122223333:key/*")), None);
        assert_eq!(ask("sts:AssumeRole", "*", json!("arn:aws:iam::999988887777:role/*")), Some(1));
        assert_eq!(ask("sts:AssumeRole", "*", json!("arn:aws:iam::*:role/*")), Some(0));
        // Actions of IAM reach the own account only, so that is the one which a policy names.
        assert_eq!(ask("iam:PassRole", "*", json!("arn:aws:iam::111122223333:role/*")), Some(0));
        assert_eq!(ask("lambda:UpdateFunctionCode", "*", json!("arn:aws:lambda:us-east-1:*:function:*")), Some(1));
    }

    #[test]
    fn all_resources_are_recognised_in_every_spelling() {
        for (action, resource) in [
            ("iam:PassRole", "arn:aws:iam::*:role/?*"),
            ("iam:PassRole", "arn:aws:iam::1111*:role/*"),
            ("iam:PassRole", "arn:aws:iam::????????????:role/*"),
            ("iam:PassRole", "arn:aws:iam::${aws:PrincipalAccount}:role/*"),
            ("iam:PassRole", "arn:aws*:iam::*:role/*"),
            ("kms:Decrypt", "arn:aws:kms:eu-*:111122223333:key/*"),
            ("kms:Decrypt", "arn:aws:kms:${aws:RequestedRegion}:${aws:ResourceAccount}:key/*"),
            ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:*-??????"),
            ("sso:AttachManagedPolicyToPermissionSet", "arn:aws:sso:::permissionSet/*/*"),
            ("states:UpdateStateMachine", "arn:aws:states:*:*:stateMachine:*"),
            ("ecs:ExecuteCommand", "arn:aws:ecs:*:*:task/*"),
            ("ec2:ModifyLaunchTemplate", "arn:aws:ec2:*:*:launch-template/*"),
            ("autoscaling:CreateLaunchConfiguration", "arn:aws-cn:*"),
            ("sns:Publish", "arn:aws:sns:*"),
        ] {
            assert_eq!(everywhere(&[allow(json!(action), json!(resource))], &[action]), Some(1), "{action} {resource}");
        }
        for (action, resource) in [
            ("iam:PassRole", "arn:aws:iam::*:role/?"),
            ("kms:Decrypt", "arn:aws:kms:eu-*:111122223333:key/mrk-*"),
            ("iam:PassRole", "arn:aws:iam::*:role/${aws:PrincipalAccount}-*"),
        ] {
            assert_eq!(everywhere(&[allow(json!(action), json!(resource))], &[action]), Some(0), "{action} {resource}");
        }
        let wildcards = |action: &str| permissions(&[allow(json!(action), json!("*"))]).service_wildcards().known();
        assert_eq!(wildcards("s3:?*").unwrap().len(), 1);
    }

    #[test]
    fn conditions_on_how_something_runs_limit_nothing() {
        let ask = |action: &str, condition: Value| {
            everywhere(&[with(allow(json!(action), json!("*")), condition)], &[action])
        };
        for (action, condition) in [
            ("ec2:RunInstances", json!({"StringEquals": {"ec2:InstanceType": ["t3.micro"]}})),
            ("ec2:RunInstances", json!({"StringEquals": {"ec2:Region": "eu-west-1"}})),
            ("ec2:RunInstances", json!({"StringEquals": {"ec2:MetadataHttpTokens": "required"}})),
            ("ec2:RunInstances", json!({"Bool": {"ec2:Encrypted": "true"}})),
            (
                "sagemaker:CreateNotebookInstance",
                json!({"ForAnyValue:StringLike": {"sagemaker:InstanceTypes": ["ml.t3.*"]}}),
            ),
            ("lambda:CreateFunction", json!({"ForAnyValue:StringEquals": {"lambda:SubnetIds": ["subnet-1"]}})),
            ("ssm:StartSession", json!({"Bool": {"ssm:SessionDocumentAccessCheck": "true"}})),
            ("dynamodb:Scan", json!({"StringEquals": {"dynamodb:Select": "ALL_ATTRIBUTES"}})),
            ("kms:Decrypt", json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/*"}})),
            ("s3:GetObject", json!({"StringLike": {"aws:SourceVpce": "vpce-*"}})),
            ("iam:AttachUserPolicy", json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}})),
            (
                "iam:AttachUserPolicy",
                json!({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
            ),
            ("iam:AttachUserPolicy", json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/*"}})),
            ("iam:PassRole", json!({"ArnLike": {"iam:AssociatedResourceArn": "arn:aws:ec2:*:*:instance/*"}})),
        ] {
            assert_eq!(ask(action, condition.clone()), Some(1), "{action} {condition}");
        }
        for (action, condition) in [
            (
                "ec2:RunInstances",
                json!({"ArnEquals": {"ec2:InstanceProfile": "arn:aws:iam::111122223333:instance-profile/app"}}),
            ),
            (
                "lambda:CreateFunction",
                json!({"StringEquals": {"lambda:CodeSigningConfigArn": "arn:aws:lambda:us-east-1:111122223333:code-signing-config:csc-1"}}),
            ),
            ("iam:AttachUserPolicy", json!({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}})),
            ("iam:AttachUserPolicy", json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/app/*"}})),
        ] {
            assert_eq!(ask(action, condition.clone()), Some(0), "{action} {condition}");
        }
        // Whoever may make stacks has CloudFormation do the rest.
        let via = |service: &str| json!({"ForAnyValue:StringEquals": {"aws:CalledVia": [service]}});
        assert_eq!(ask("iam:PassRole", via("cloudformation.amazonaws.com")), None);
        assert_eq!(ask("kms:Decrypt", via("dynamodb.amazonaws.com")), Some(0));
        // Whether those who have the policy have the tag, or that ARN, does not stand in it.
        assert_eq!(ask("iam:PassRole", json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}})), None);
        assert_eq!(ask("iam:PassRole", json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}})), None);
    }

    #[test]
    fn passing_roles_is_bounded_by_name_path_or_a_single_service() {
        let pass = |resource: &str, condition: Value| {
            everywhere(&[with(allow(json!("iam:PassRole"), json!(resource)), condition)], &["iam:PassRole"])
        };
        let none = || json!({});
        for resource in
            ["*", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:*"]
        {
            assert_eq!(pass(resource, none()), Some(1), "{resource}");
        }
        for resource in [
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:role/app-*",
            "arn:aws:iam::*:role/service/*",
            "arn:aws:iam::*:user/*",
        ] {
            assert_eq!(pass(resource, none()), Some(0), "{resource}");
        }
        let to = |services: Value| json!({"StringEquals": {"iam:PassedToService": services}});
        assert_eq!(pass("*", to(json!("lambda.amazonaws.com"))), Some(0));
        assert_eq!(
            pass("*", json!({"StringEqualsIfExists": {"iam:PassedToService": "lambda.amazonaws.com"}})),
            Some(0)
        );
        assert_eq!(pass("*", to(json!(["lambda.amazonaws.com", "ec2.amazonaws.com"]))), Some(1));
        assert_eq!(pass("*", json!({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}})), Some(1));
        assert_eq!(pass("*", json!({"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})), Some(1));
    }

    #[test]
    fn keys_secrets_and_data_are_bounded_by_tags_names_and_services() {
        let decrypt = |resource: &str, condition: Value| {
            everywhere(
                &[with(allow(json!("kms:Decrypt"), json!(resource)), condition)],
                &["kms:Decrypt", "kms:ReEncryptFrom"],
            )
        };
        assert_eq!(decrypt("*", json!({})), Some(1));
        assert_eq!(decrypt("arn:aws:kms:eu-west-1:111122223333:key/*", json!({})), Some(1));
        assert_eq!(decrypt("arn:aws:kms:eu-west-1:111122223333:key/1234", json!({})), Some(0));
        assert_eq!(decrypt("*", json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})), Some(0));
        assert_eq!(decrypt("*", json!({"StringEquals": {"kms:CallerAccount": "111122223333"}})), Some(1));
        assert_eq!(decrypt("*", json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}})), Some(0));
        let secret = |resource: &str, condition: Value| {
            everywhere(
                &[with(allow(json!("secretsmanager:*"), json!(resource)), condition)],
                &["secretsmanager:GetSecretValue"],
            )
        };
        assert_eq!(secret("arn:aws:secretsmanager:*:*:secret:*", json!({})), Some(1));
        assert_eq!(secret("arn:aws:secretsmanager:*:*:secret:app/*", json!({})), Some(0));
        assert_eq!(secret("*", json!({"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}})), Some(1));
        assert_eq!(secret("*", json!({"StringEquals": {"secretsmanager:ResourceTag/team": "a"}})), Some(0));
        assert_eq!(secret("*", json!({"Null": {"secretsmanager:ResourceTag/owner": "false"}})), Some(0));
        assert_eq!(secret("*", json!({"Null": {"secretsmanager:ResourceTag/owner": "true"}})), Some(1));
        assert_eq!(secret("*", json!({"StringEqualsIfExists": {"aws:ResourceTag/team": "a"}})), Some(1));
        for (resource, wide) in
            [("*", 1), ("arn:aws:s3:::*", 1), ("arn:aws:s3:::*/*", 1), ("arn:aws:s3:::b/*", 0), ("arn:aws:s3:::b*", 0)]
        {
            assert_eq!(
                everywhere(&[allow(json!("s3:Get*"), json!(resource))], &["s3:GetObject"]),
                Some(wide),
                "{resource}"
            );
        }
        assert_eq!(
            everywhere(&[allow(json!("dynamodb:*"), json!("arn:aws:dynamodb:*:*:table/*"))], &["dynamodb:Scan"]),
            Some(1)
        );
    }

    #[test]
    fn a_command_needs_a_document_and_an_instance() {
        let send = |resources: Value| everywhere(&[allow(json!("ssm:SendCommand"), resources)], &["ssm:SendCommand"]);
        let instances = "arn:aws:ec2:*:*:instance/*";
        assert_eq!(send(json!("*")), Some(1));
        assert_eq!(send(json!([instances, "arn:aws:ssm:*::document/AWS-RunShellScript"])), Some(1));
        assert_eq!(send(json!([instances, "arn:aws:ssm:*:*:document/AWSEC2-CreateVssSnapshot"])), Some(0));
        assert_eq!(send(json!("arn:aws:ssm:*:*:document/*")), Some(0));
    }

    #[test]
    fn a_deny_of_objects_leaves_no_reading_of_all_data() {
        let read = allow(json!("s3:GetObject"), json!("*"));
        let ask = |d: Value| everywhere(&[read.clone(), d], &["s3:GetObject"]);
        assert_eq!(ask(deny(json!("s3:GetObject"), json!("arn:aws:s3:::secret/*"))), Some(1));
        assert_eq!(ask(deny(json!("s3:Get*"), json!("arn:aws:s3:::*"))), Some(0));
        assert_eq!(ask(json!({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::mine/*"})), Some(0));
    }

    #[test]
    fn service_wildcards_are_named() {
        let names = |statements: &[Value]| -> Vec<String> {
            permissions(statements).service_wildcards().known().unwrap().into_iter().map(|a| a.action).collect()
        };
        assert_eq!(names(&[allow(json!(["S3:*", "ec2:Describe*", "kms:**"]), json!("*"))]), ["kms:*", "s3:*"]);
        assert_eq!(names(&[allow(json!("s3:*"), json!("arn:aws:s3:::b/*"))]), Vec::<String>::new());
        assert_eq!(names(&[allow(json!("*"), json!("*"))]), ["*"]);
        assert_eq!(names(&[allow(json!("s3:*"), json!("*")), deny(json!("s3:*"), json!("*"))]), Vec::<String>::new());
    }

    #[test]
    fn allows_that_leave_out_are_found() {
        let found = |statement: Value| -> Vec<&'static str> {
            permissions(&[statement]).inverted_allows().into_iter().flat_map(|i| i.elements).collect()
        };
        assert_eq!(found(json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})), ["NotAction"]);
        assert_eq!(
            found(json!({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b"})),
            ["NotResource"]
        );
        assert!(
            found(json!({"Effect": "Allow", "NotAction": "s3:Delete*", "Resource": "arn:aws:s3:::b/*"})).is_empty()
        );
        assert!(found(json!({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"})).is_empty());
    }

    #[test]
    fn iams_own_lists_are_read_with_their_names() {
        let list = json!([
            {"PolicyName": "a", "PolicyDocument": {"Statement": allow(json!("s3:*"), json!("*"))}},
            {"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": []}},
        ]);
        let found = Permissions::read(Input::Known(&list)).known().unwrap().allowed_everywhere(&["s3:GetObject"]);
        assert_eq!(found.known().unwrap()[0].statement, "statement number 1 of policy 'a'");
    }

    fn statement() -> impl Strategy<Value = Value> {
        let effect = prop_oneof![Just("Allow"), Just("Deny")];
        let action =
            prop_oneof![Just("*"), Just("iam:*"), Just("s3:Get*"), Just("iam:PassRole"), Just("ec2:RunInstances")];
        let resource = prop_oneof![Just("*"), Just("arn:aws:iam::*:role/*"), Just("arn:aws:s3:::b/*")];
        let condition = prop_oneof![
            Just(json!({})),
            Just(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
            Just(json!({"StringEquals": {"aws:ResourceTag/a": "b"}})),
            Just(json!({"Odd": {"aws:ResourceTag/a": "b"}})),
        ];
        (effect, any::<bool>(), action, any::<bool>(), resource, condition).prop_map(
            |(effect, not_action, action, not_resource, resource, condition)| {
                json!({
                    "Effect": effect,
                    (if not_action { "NotAction" } else { "Action" }): action,
                    (if not_resource { "NotResource" } else { "Resource" }): resource,
                    "Condition": condition,
                })
            },
        )
    }

    /// 2 for certainly allowed, 1 for unknown, 0 for not.
    fn degree<T>(answer: Answer<Option<T>>) -> u8 {
        match answer {
            Answer::Known(None) => 0,
            Answer::Known(Some(_)) => 2,
            Answer::Unknown(_) => 1,
        }
    }

    proptest! {
        #[test]
        fn adding_a_deny_never_allows_more(statements in prop::collection::vec(statement(), 1..4), mut deny in statement()) {
            deny["Effect"] = json!("Deny");
            let mut more = statements.clone();
            more.push(deny);
            let (before, after) = (permissions(&statements), permissions(&more));
            prop_assert!(degree(after.administrator()) <= degree(before.administrator()));
            for action in ["iam:PassRole", "s3:GetObject", "ec2:RunInstances"] {
                prop_assert!(degree(after.allows(action, Lens::default())) <= degree(before.allows(action, Lens::default())));
            }
        }
    }
}
