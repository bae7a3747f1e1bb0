//! Who can take a role: the readings of a role's trust policy. Everybody, other accounts with and without an
//! external id, services with and without a pinned source, OIDC subjects that are pinned or left open, SAML
//! audiences. It must never print the value of an external id or of a subject claim.

use super::Context;
use super::condition::provider_claims;
use super::document::{Condition, Document, Effect, Order, Principal, SetQualifier, Statement, Test, Who};
use super::grants::refuses_without_mfa;
use super::matching::{Pattern, is_fixed};
use super::who::{Audience, Grant, grants};
use crate::semantics::Answer;
use serde::Serialize;
use serde_json::Value;

/// The actions by which a role is taken. `sts:TagSession` and `sts:SetSourceIdentity` alone take nothing.
const TAKE: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// What a trust policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trust {
    /// Grants to everybody with an AWS account.
    pub public: Vec<Grant>,
    /// Grants to other accounts, an entry for each principal.
    pub accounts: Vec<TrustedAccount>,
    /// Organizations whose every account is trusted.
    pub organizations: Vec<String>,
    /// Grants to AWS services.
    pub services: Vec<TrustedService>,
    /// Grants to OIDC providers.
    pub oidc: Vec<TrustedOidc>,
    /// Grants to SAML providers.
    pub saml: Vec<TrustedSaml>,
    /// Unique ids of principals that were deleted.
    pub deleted: Vec<String>,
}

/// Another account, or a principal of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedAccount {
    /// The account id.
    pub account: String,
    /// The principal as it is written.
    pub principal: String,
    /// Whether every principal of the account is trusted, as far as that account's own policies let it.
    pub whole_account: bool,
    /// Whether `sts:ExternalId` must have one of some fixed values.
    pub external_id: bool,
    /// Whether the caller must have signed in with MFA.
    pub mfa: bool,
    /// Whether a condition binds it to an organization, a network or a source.
    pub bound: bool,
    /// A condition of the statement that is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The statement.
    pub statement: String,
}

/// An AWS service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedService {
    /// The service principal.
    pub service: String,
    /// Whether it runs its own account's workloads only and so cannot be made to act for another customer.
    pub compute: bool,
    /// Whether `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths` pins for whom it acts.
    pub source_bound: bool,
    /// A condition of the statement that is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The statement.
    pub statement: String,
}

/// An OIDC provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedOidc {
    /// The provider's host and path, as it prefixes its condition keys.
    pub provider: String,
    /// Whether the `aud` claim must have one of some fixed values.
    pub audience_checked: bool,
    /// How far the subject is pinned.
    pub subject: Subject,
    /// A condition of the statement that is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Why, in a sentence.
    pub why: String,
    /// The statement.
    pub statement: String,
}

/// How far the subject claim of an OIDC provider is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// No condition on it: every user of the provider.
    Missing,
    /// The part that names the organization is left open: every organization at the provider.
    Open,
    /// The organization is named, the repository, project or workspace is not.
    OrganizationOnly,
    /// A wildcard stands in a form of subject that is not known.
    NotUnderstood,
    /// It is named down to the repository, project, workspace or service account; or the provider belongs to one
    /// tenant and the audience is its application.
    Pinned,
}

/// A SAML provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrustedSaml {
    /// The provider's ARN.
    pub provider: String,
    /// Whether `SAML:aud` or `SAML:iss` must have one of some fixed values.
    pub audience_checked: bool,
    /// A condition of the statement that is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The statement.
    pub statement: String,
}

/// Services that run code of the role's own account, and take a role only when a principal of that account passed
/// it to a resource there. AWS has no such list: these are the ones that this project takes for compute services.
const COMPUTE: [&str; 13] = [
    "batch",
    "build.apprunner",
    "ec2",
    "ecs",
    "ecs-tasks",
    "edgelambda",
    "eks",
    "eks-fargate-pods",
    "eks-nodegroup",
    "lambda",
    "pods.eks",
    "spotfleet",
    "tasks.apprunner",
];

/// Web identity providers that AWS knows by name, and whose users anybody can become: the claim that names the
/// application takes the place of the subject (IAM User Guide, "IAM and AWS STS condition context keys", keys for web
/// identity federation). For Google that is `aud`, which holds the authorized party where the token has one; `oaud`
/// names the application as well, but anybody can have Google make out a token for it.
const WEB_IDENTITY: [(&str, &str); 4] = [
    ("accounts.google.com", "aud"),
    ("cognito-identity.amazonaws.com", "aud"),
    ("graph.facebook.com", "app_id"),
    ("www.amazon.com", "app_id"),
];

/// Reads a trust policy. Unknown where it is not understood; also where a grant to everybody is not certain and no
/// other is.
pub fn trust(policy: &Value, context: &Context) -> Answer<Trust> {
    let context = Context { resource: Some("arn:aws:iam::role"), ..*context };
    Document::read(policy).and_then(|document| {
        grants(&document, &TAKE, &context).and_then(|all| {
            let refused = Refused::read(&document);
            let mut trust = Trust::default();
            let mut doubt = None;
            for grant in all {
                let statement =
                    document.statements.iter().find(|s| s.effect == Effect::Allow && s.name() == grant.statement);
                let Some(statement) = statement else { continue };
                match &grant.doubt {
                    Some(why) if grant.public => doubt = doubt.or(Some(why.clone())),
                    _ => trust.add(grant, statement, refused),
                }
            }
            match doubt {
                Some(why) if trust.public.is_empty() => Answer::Unknown(why),
                _ => Answer::Known(trust),
            }
        })
    })
}

impl Trust {
    fn add(&mut self, grant: Grant, statement: &Statement, refused: Refused) {
        let name = grant.statement.clone();
        match grant.audience {
            // A web identity provider without conditions is public too, and is judged with the others of its kind.
            _ if grant.principals.iter().any(|p| is_provider(p)) => {
                self.add_provider(&grant.principals[0], statement, name)
            }
            Audience::Federated => self.add_provider(&grant.principals[0], statement, name),
            Audience::Public | Audience::AnyAccount => self.public.push(grant),
            Audience::Accounts => self.add_accounts(&grant, statement, refused),
            Audience::Organization => self.organizations.extend(grant.organizations),
            Audience::Service => {
                let service = grant.principals.join(", ");
                self.services.push(TrustedService {
                    compute: is_compute(&service),
                    source_bound: grant.bound,
                    doubt: grant.doubt,
                    service,
                    statement: name,
                });
            }
            Audience::UniqueId => self.deleted.extend(grant.principals),
            Audience::Source if !grant.foreign_accounts.is_empty() => self.add_accounts(&grant, statement, refused),
            _ => {}
        }
    }

    fn add_accounts(&mut self, grant: &Grant, statement: &Statement, refused: Refused) {
        let external_id = refused.without_external_id || demands_fixed(statement, "sts:ExternalId");
        let mfa = refused.without_mfa || demands_mfa(statement);
        for account in &grant.foreign_accounts {
            let of_account = |p: &&String| p.contains(account.as_str());
            let named: Vec<String> = grant.principals.iter().filter(of_account).cloned().collect();
            let named = if named.is_empty() { grant.principals.clone() } else { named };
            for principal in named {
                self.accounts.push(TrustedAccount {
                    account: account.clone(),
                    whole_account: principal == *account || principal.ends_with(":root") || principal == "*",
                    principal,
                    external_id,
                    mfa,
                    bound: grant.bound,
                    doubt: doubt_of(statement),
                    statement: grant.statement.clone(),
                });
            }
        }
    }

    fn add_provider(&mut self, provider: &str, statement: &Statement, name: String) {
        let doubt = doubt_of(statement);
        if provider.contains(":saml-provider/") {
            let audience_checked = ["aud", "iss"].iter().any(|claim| fixed_claim(statement, "saml", claim));
            self.saml.push(TrustedSaml { provider: provider.to_string(), audience_checked, doubt, statement: name });
            return;
        }
        let host = provider.split_once(":oidc-provider/").map_or(provider, |(_, host)| host).to_ascii_lowercase();
        let audience_checked = ["aud", "oaud", "app_id"].iter().any(|claim| fixed_claim(statement, &host, claim));
        let (subject, why) = subject(statement, &host);
        self.oidc.push(TrustedOidc { provider: host, audience_checked, subject, doubt, why, statement: name });
    }
}

/// What Deny statements for everybody refuse, whatever else a request brings.
#[derive(Clone, Copy)]
struct Refused {
    without_external_id: bool,
    without_mfa: bool,
}

impl Refused {
    fn read(document: &Document) -> Self {
        let assume = Pattern::action("sts:AssumeRole");
        let denies = |refuses: fn(&Condition) -> bool| {
            document.statements.iter().any(|s| {
                let everybody = matches!(&s.principal, Principal::Is(named) if named.contains(&Who::Everyone));
                let [condition] = s.conditions.as_slice() else { return false };
                s.effect == Effect::Deny && everybody && s.actions.covers(&assume) && refuses(condition)
            })
        };
        Refused { without_external_id: denies(refuses_without_external_id), without_mfa: denies(refuses_without_mfa) }
    }
}

/// The negated operators are also true where the request does not have the key.
fn refuses_without_external_id(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case("sts:ExternalId")
        && condition.doubt.is_none()
        && condition.operator.set.is_none()
        && matches!(
            condition.operator.test,
            Some(Test::StringEquals { negated: true } | Test::StringLike { negated: true })
        )
        && all_fixed(condition)
}

fn doubt_of(statement: &Statement) -> Option<String> {
    statement.conditions.iter().find_map(|c| c.doubt.clone())
}

fn is_provider(principal: &str) -> bool {
    principal.contains(":oidc-provider/")
        || principal.contains(":saml-provider/")
        || WEB_IDENTITY.iter().any(|(host, _)| principal.eq_ignore_ascii_case(host))
}

fn is_compute(service: &str) -> bool {
    let name = service.strip_suffix(".amazonaws.com").or_else(|| service.strip_suffix(".amazonaws.com.cn"));
    name.is_some_and(|name| COMPUTE.contains(&name))
}

/// Whether a condition of the statement lets through only fixed values of a key.
fn demands_fixed(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|c| c.key.eq_ignore_ascii_case(key) && is_positive(c) && all_fixed(c))
}

fn is_positive(condition: &Condition) -> bool {
    condition.doubt.is_none()
        && !condition.operator.if_exists
        && condition.operator.set != Some(SetQualifier::ForAllValues)
        && matches!(
            condition.operator.test,
            Some(Test::StringEquals { negated: false } | Test::StringLike { negated: false })
        )
}

/// In `StringEquals` a `*` is just a character.
fn all_fixed(condition: &Condition) -> bool {
    let exact = matches!(condition.operator.test, Some(Test::StringEquals { .. }));
    condition.values.iter().all(|v| !v.is_empty() && if exact { !v.contains("${") && v != "*" } else { is_fixed(v) })
}

fn demands_mfa(statement: &Statement) -> bool {
    statement.conditions.iter().any(|c| {
        !c.operator.if_exists
            && c.operator.set != Some(SetQualifier::ForAllValues)
            && match c.operator.test {
                Some(Test::Bool) => {
                    c.key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
                        && c.values.iter().all(|v| v.eq_ignore_ascii_case("true"))
                }
                // The key is only there for callers who used MFA; without it, `NotEquals` holds.
                Some(Test::Numeric(order)) if order != Order::NotEquals => {
                    c.key.eq_ignore_ascii_case("aws:MultiFactorAuthAge")
                }
                _ => false,
            }
    })
}

fn fixed_claim(statement: &Statement, prefix: &str, claim: &str) -> bool {
    provider_claims(&statement.conditions, prefix)
        .get(claim)
        .is_some_and(|conditions| conditions.iter().any(|c| c.doubt.is_none() && all_fixed(c)))
}

fn subject(statement: &Statement, host: &str) -> (Subject, String) {
    if let Some((_, claim)) = WEB_IDENTITY.iter().find(|(name, _)| *name == host)
        && fixed_claim(statement, host, claim)
    {
        return (Subject::Pinned, format!("the claim {claim} of {host} names one application"));
    }
    let claims = provider_claims(&statement.conditions, host);
    let Some(conditions) = claims.get("sub") else {
        return (Subject::Missing, format!("no condition pins the claim sub of {host}"));
    };
    // Conditions are cumulative: the narrowest decides. The values of one are alternatives: the widest decides.
    let (found, condition) = conditions
        .iter()
        .map(|c| (c.values.iter().map(|v| pinned(c, host, v)).min().unwrap_or(Subject::Missing), c))
        .max_by_key(|(subject, _)| *subject)
        .unwrap_or((Subject::Missing, &conditions[0]));
    let why = match found {
        Subject::Pinned => format!("the claim sub of {host} is pinned by {}", condition.operator.text),
        Subject::OrganizationOnly => format!("the claim sub of {host} names the organization and no more"),
        Subject::Open | Subject::Missing => format!("the claim sub of {host} leaves the organization open"),
        Subject::NotUnderstood => format!("a wildcard in the claim sub of {host} is not understood"),
    };
    (found, why)
}

/// How far one value of a condition on `sub` pins it.
fn pinned(condition: &Condition, host: &str, value: &str) -> Subject {
    if condition.doubt.is_some() {
        return Subject::NotUnderstood;
    }
    if value.contains("${") {
        return Subject::Open;
    }
    let exact = matches!(condition.operator.test, Some(Test::StringEquals { .. }));
    if value.is_empty() || value == "*" {
        return Subject::Open;
    }
    if exact || is_fixed(value) {
        return Subject::Pinned;
    }
    let literal = value.split(['*', '?']).next().unwrap_or_default();
    match subject_format(host) {
        Format::Path { prefix } | Format::Segments { prefix, .. }
            if !literal.starts_with(prefix) && !prefix.starts_with(literal) =>
        {
            Subject::NotUnderstood
        }
        Format::Path { prefix } => by_path(literal.strip_prefix(prefix).unwrap_or_default()),
        Format::Segments { separator, organization, whole, .. } => {
            by_segments(literal.matches(separator).count(), organization, whole)
        }
        Format::Repository => {
            // The provider belongs to one workspace; the repository is named when its closing bracket is there.
            match literal.strip_prefix('{').is_some_and(|id| id.contains('}')) {
                true => Subject::Pinned,
                false if literal.chars().any(|c| c.is_ascii_alphanumeric()) => Subject::OrganizationOnly,
                false => Subject::Open,
            }
        }
        Format::Unknown => Subject::NotUnderstood,
    }
}

/// The form of a provider's subjects.
enum Format {
    /// A path of groups and a repository behind the prefix, with `/` between them and `:` at its end.
    Path { prefix: &'static str },
    /// Parts with a separator between them: what they begin with, how many literal parts name the organization, and
    /// how many the whole.
    Segments { prefix: &'static str, separator: char, organization: usize, whole: usize },
    /// The id of a repository in brackets; the provider itself is one workspace's.
    Repository,
    /// Not known.
    Unknown,
}

/// Sources: GitHub Docs, "OpenID Connect reference" (`repo:ORG/REPO:…`, issuers of enterprises too); GitLab Docs,
/// "Connect to cloud services" (`project_path:GROUP/PROJECT:…`); HashiCorp, "Workload identity tokens"
/// (`organization:ORG:project:…`); EKS User Guide (`system:serviceaccount:NAMESPACE:NAME`, one issuer per cluster);
/// Bitbucket, "Integrate Pipelines with resource servers using OIDC" (one issuer per workspace); Buildkite Docs, "OIDC in
/// Buildkite Pipelines" (`organization:ORG:pipeline:PIPELINE:ref:…`); CircleCI Docs, "Using OpenID Connect tokens in jobs"
/// (`org/ID/project/ID/user/ID`, one issuer per organization).
fn subject_format(host: &str) -> Format {
    let is = |name: &str| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let of_enterprise = || {
        let name = host.split('/').next().unwrap_or_default();
        name.starts_with("token.actions.") && name.ends_with(".ghe.com")
    };
    let segments = |prefix, separator, organization, whole| Format::Segments { prefix, separator, organization, whole };
    if is("token.actions.githubusercontent.com") || of_enterprise() {
        Format::Path { prefix: "repo:" }
    } else if is("gitlab.com") {
        Format::Path { prefix: "project_path:" }
    } else if is("app.terraform.io") || is("agent.buildkite.com") {
        segments("organization:", ':', 2, 4)
    } else if is("oidc.circleci.com") {
        segments("org/", '/', 2, 4)
    } else if host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.") {
        segments("system:serviceaccount:", ':', 0, 3)
    } else if is("api.bitbucket.org") {
        Format::Repository
    } else {
        Format::Unknown
    }
}

/// A repository counts as named only when its `:` follows: a further `/` is a subgroup, as GitLab has them.
fn by_path(path: &str) -> Subject {
    match path.split_once('/') {
        Some((_, rest)) if rest.contains(':') => Subject::Pinned,
        Some(_) => Subject::OrganizationOnly,
        None => Subject::Open,
    }
}

/// A part counts as named when it is literal and ended by a separator.
fn by_segments(named: usize, organization: usize, whole: usize) -> Subject {
    if named >= whole {
        Subject::Pinned
    } else if organization > 0 && named >= organization {
        Subject::OrganizationOnly
    } else {
        Subject::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(principal: Value, action: &str, condition: Value) -> Trust {
        answer(principal, action, condition).known().unwrap()
    }

    fn answer(principal: Value, action: &str, condition: Value) -> Answer<Trust> {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}});
        trust(&policy, &Context { account: "111122223333", partition: "aws", ..Context::default() })
    }

    #[test]
    fn everybody_is_public_also_with_an_external_id() {
        for condition in [
            json!({}),
            json!({"StringEquals": {"sts:ExternalId": "secret"}}),
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ] {
            assert_eq!(read(json!({"AWS": "*"}), "sts:AssumeRole", condition).public.len(), 1);
        }
        let pinned =
            read(json!("*"), "sts:AssumeRole", json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}));
        assert!(pinned.public.is_empty());
        assert_eq!(pinned.organizations, ["o-abc1234567"]);
        assert!(answer(json!("*"), "sts:AssumeRole", json!({"Odd": {"aws:PrincipalOrgID": "o-1"}})).doubt().is_some());
        assert!(read(json!("*"), "sts:TagSession", json!({})).public.is_empty());
    }

    #[test]
    fn vendors_are_told_with_and_without_external_id() {
        let vendor = |condition| {
            read(json!({"AWS": "arn:aws:iam::444455556666:root"}), "sts:AssumeRole", condition).accounts.remove(0)
        };
        let plain = vendor(json!({}));
        assert!(plain.whole_account && !plain.external_id && !plain.mfa);
        assert!(vendor(json!({"StringEquals": {"sts:ExternalId": ["a", "b"]}})).external_id);
        assert!(!vendor(json!({"StringLike": {"sts:ExternalId": "*"}})).external_id);
        assert!(!vendor(json!({"StringEqualsIfExists": {"sts:ExternalId": "a"}})).external_id);
        assert!(!vendor(json!({"StringNotEquals": {"sts:ExternalId": "a"}})).external_id);
        assert!(vendor(json!({"Bool": {"aws:MultiFactorAuthPresent": true}})).mfa);
        assert!(!vendor(json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": true}})).mfa);
        assert!(read(json!({"AWS": "111122223333"}), "sts:AssumeRole", json!({})).accounts.is_empty());
    }

    #[test]
    fn a_condition_that_is_met_without_mfa_demands_none() {
        for (condition, mfa) in [
            (json!({"ForAllValues:Bool": {"aws:MultiFactorAuthPresent": "true"}}), false),
            (json!({"NumericNotEquals": {"aws:MultiFactorAuthAge": "0"}}), false),
            (json!({"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}), false),
            (json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}), true),
        ] {
            let trust = read(json!({"AWS": "444455556666"}), "sts:AssumeRole", condition.clone());
            assert_eq!(trust.accounts[0].mfa, mfa, "{condition}");
        }
    }

    #[test]
    fn a_deny_of_all_who_do_not_bring_it_demands_it_too() {
        let vendor = json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"});
        let deny = |principal: Value, action: &str, condition: Value| json!({"Effect": "Deny", "Principal": principal, "Action": action, "Condition": condition});
        let demanded = |deny: Value| {
            let policy = json!({"Version": "2012-10-17", "Statement": [vendor, deny]});
            let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
            let found = trust(&policy, &context).known().unwrap().accounts.remove(0);
            (found.external_id, found.mfa)
        };
        let id = |operator: &str, value: &str| json!({operator: {"sts:ExternalId": value}});
        assert_eq!(demanded(deny(json!("*"), "sts:AssumeRole", id("StringNotEquals", "secret"))), (true, false));
        assert_eq!(demanded(deny(json!({"AWS": "*"}), "sts:*", id("StringNotLike", "secret"))), (true, false));
        let mfa = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
        assert_eq!(demanded(deny(json!("*"), "sts:AssumeRole", mfa)), (false, true));
        for (principal, action, condition) in [
            (json!("*"), "sts:TagSession", id("StringNotEquals", "secret")),
            (json!({"AWS": "777788889999"}), "sts:AssumeRole", id("StringNotEquals", "secret")),
            (json!("*"), "sts:AssumeRole", id("StringNotLike", "*")),
            (json!("*"), "sts:AssumeRole", id("StringEquals", "secret")),
            (json!("*"), "sts:AssumeRole", id("ForAnyValue:StringNotEquals", "secret")),
            (json!("*"), "sts:AssumeRole", json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}})),
            (
                json!("*"),
                "sts:AssumeRole",
                json!({"StringNotEquals": {"sts:ExternalId": "secret", "aws:PrincipalAccount": "444455556666"}}),
            ),
        ] {
            assert_eq!(demanded(deny(principal, action, condition.clone())), (false, false), "{action} {condition}");
        }
    }

    #[test]
    fn statements_with_one_sid_are_read_each_for_itself() {
        let host = "token.actions.githubusercontent.com";
        let statement = |sub: &str| {
            json!({"Sid": "GitHub", "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{host}")},
                "Condition": {"StringLike": {format!("{host}:sub"): sub}}})
        };
        let policy = json!({"Statement": [statement("repo:org/repo:*"), statement("repo:*")]});
        let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
        let subjects: Vec<Subject> = trust(&policy, &context).known().unwrap().oidc.iter().map(|o| o.subject).collect();
        assert_eq!(subjects, [Subject::Pinned, Subject::Open]);
    }

    #[test]
    fn a_provider_that_is_named_without_its_arn_is_judged_too() {
        let host = "token.actions.githubusercontent.com";
        let found = read(
            json!({"Federated": host}),
            "sts:AssumeRoleWithWebIdentity",
            json!({"StringLike": {format!("{host}:sub"): "repo:*"}}),
        );
        assert_eq!(found.oidc.len() + found.public.len(), 1);
    }

    #[test]
    fn the_value_of_an_external_id_is_not_shown() {
        let trust = read(
            json!({"AWS": "444455556666"}),
            "sts:AssumeRole",
            json!({"StringEquals": {"sts:ExternalId": "s3cr3t-value"}}),
        );
        assert!(!serde_json::to_string(&trust).unwrap().contains("s3cr3t"));
    }

    #[test]
    fn services_are_told_by_kind_and_source() {
        let service =
            |name: &str, condition| read(json!({"Service": name}), "sts:AssumeRole", condition).services.remove(0);
        assert!(service("ec2.amazonaws.com", json!({})).compute);
        assert!(service("ec2.amazonaws.com.cn", json!({})).compute);
        let config = service("config.amazonaws.com", json!({}));
        assert!(!config.compute && !config.source_bound);
        assert!(
            service("config.amazonaws.com", json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}))
                .source_bound
        );
        assert_eq!(
            read(json!({"Service": ["ec2.amazonaws.com", "config.amazonaws.com"]}), "sts:AssumeRole", json!({}))
                .services
                .len(),
            2
        );
    }

    fn oidc(host: &str, condition: Value) -> TrustedOidc {
        let arn = format!("arn:aws:iam::111122223333:oidc-provider/{host}");
        read(json!({"Federated": arn}), "sts:AssumeRoleWithWebIdentity", condition).oidc.remove(0)
    }

    #[test]
    fn github_subjects_are_pinned_or_not() {
        let host = "token.actions.githubusercontent.com";
        let (sub, aud) = (format!("{host}:sub"), format!("{host}:aud"));
        for (operator, value, expected) in [
            ("StringEquals", json!("repo:org/repo:ref:refs/heads/main"), Subject::Pinned),
            ("StringLike", json!("repo:org/repo:*"), Subject::Pinned),
            ("StringLike", json!(["repo:org/a:*", "repo:org/b:*"]), Subject::Pinned),
            ("ForAnyValue:StringLike", json!("repo:org/repo:*"), Subject::Pinned),
            ("StringLike", json!("repo:org/*"), Subject::OrganizationOnly),
            ("StringLike", json!("repo:org/repo*"), Subject::OrganizationOnly),
            ("StringLike", json!("repo:org*/repo:*"), Subject::Open),
            ("StringLike", json!("repo:*"), Subject::Open),
            ("StringLike", json!("*"), Subject::Open),
            ("StringLike", json!(["repo:org/a:*", "repo:*"]), Subject::Open),
            ("StringLike", json!("repository_owner:org:*"), Subject::NotUnderstood),
            ("StringLike", json!(["repo:org/a:*", "repository_owner:org:*"]), Subject::NotUnderstood),
            ("StringLike", json!("repo:${aws:username}/x:*"), Subject::Open),
            ("StringLikeIfExists", json!("repo:org/repo:*"), Subject::Missing),
            ("ForAllValues:StringLike", json!("repo:org/repo:*"), Subject::Missing),
            ("StringNotLike", json!("repo:org/repo:*"), Subject::Missing),
            ("StringSounds", json!("repo:org/repo:*"), Subject::NotUnderstood),
        ] {
            let found = oidc(host, json!({operator: {sub.as_str(): value.clone()}}));
            assert_eq!(found.subject, expected, "{operator} {value}: {}", found.why);
        }
        let both = oidc(
            host,
            json!({"StringEquals": {aud.as_str(): "sts.amazonaws.com"}, "StringLike": {sub.as_str(): "repo:org/repo:*"}}),
        );
        assert!(both.audience_checked && both.subject == Subject::Pinned);
        let neither = oidc(host, json!({"StringLike": {aud.as_str(): "*"}}));
        assert!(!neither.audience_checked && neither.subject == Subject::Missing);
    }

    #[test]
    fn other_providers_have_their_own_forms() {
        for (host, value, expected) in [
            ("gitlab.com", "project_path:group/project:ref_type:branch:ref:main", Subject::Pinned),
            ("gitlab.com", "project_path:group/project:*", Subject::Pinned),
            ("gitlab.com", "project_path:group/*", Subject::OrganizationOnly),
            ("gitlab.com", "project_path:group/subgroup/*", Subject::OrganizationOnly),
            ("gitlab.com", "project_path:group/subgroup/project:*", Subject::Pinned),
            ("gitlab.com", "project_path:*", Subject::Open),
            ("app.terraform.io", "organization:org:project:p:workspace:*", Subject::Pinned),
            ("app.terraform.io", "organization:org:*", Subject::OrganizationOnly),
            ("app.terraform.io", "organization:*", Subject::Open),
            ("oidc.eks.eu-west-1.amazonaws.com/id/ABC", "system:serviceaccount:ns:*", Subject::Pinned),
            ("oidc.eks.eu-west-1.amazonaws.com/id/ABC", "system:serviceaccount:*", Subject::Open),
            ("api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", "{uuid}:*", Subject::Pinned),
            ("api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", "*:*", Subject::Open),
            ("api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", "{a*", Subject::OrganizationOnly),
            ("oidc-eks.eu-west-1.api.aws/id/ABC", "system:serviceaccount:ns:*", Subject::Pinned),
            ("agent.buildkite.com", "organization:org:pipeline:deploy:ref:*", Subject::Pinned),
            ("agent.buildkite.com", "organization:org:*", Subject::OrganizationOnly),
            ("agent.buildkite.com", "organization:org*", Subject::Open),
            ("oidc.circleci.com/org/0a1b", "org/0a1b/project/2c3d/user/*", Subject::Pinned),
            ("oidc.circleci.com/org/0a1b", "org/0a1b/project/*", Subject::OrganizationOnly),
            ("oidc.circleci.com/org/0a1b", "org/*", Subject::Open),
            ("token.actions.githubusercontent.com/enterprise", "repo:org/repo:*", Subject::Pinned),
            ("token.actions.acme.ghe.com", "repo:org/repo:*", Subject::Pinned),
            ("token.actions.githubusercontent.com.example.net", "repo:org/repo:*", Subject::NotUnderstood),
            ("gitlab.com.example.net", "project_path:group/project:*", Subject::NotUnderstood),
            ("idp.example.com", "user:*", Subject::NotUnderstood),
            ("idp.example.com", "user:alice", Subject::Pinned),
        ] {
            let key = format!("{host}:sub");
            let found = oidc(host, json!({"StringLike": {key: value}}));
            assert_eq!(found.subject, expected, "{host} {value}");
        }
    }

    #[test]
    fn web_identity_providers_are_pinned_by_their_application() {
        let cognito = |condition| {
            read(json!({"Federated": "cognito-identity.amazonaws.com"}), "sts:AssumeRoleWithWebIdentity", condition)
        };
        let bound = cognito(json!({"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:pool"}}));
        assert_eq!(bound.oidc[0].subject, Subject::Pinned);
        assert!(bound.oidc[0].audience_checked);
        let google = |condition| {
            let principal = json!({"Federated": "accounts.google.com"});
            read(principal, "sts:AssumeRoleWithWebIdentity", condition).oidc.remove(0)
        };
        let client = "66677788899900pro0";
        assert_eq!(google(json!({"StringEquals": {"accounts.google.com:aud": client}})).subject, Subject::Pinned);
        let other = google(json!({"StringEquals": {"accounts.google.com:oaud": client}}));
        assert!(other.audience_checked && other.subject == Subject::Missing);
        let open = cognito(json!({}));
        assert_eq!(open.oidc[0].subject, Subject::Missing);
        assert!(open.public.is_empty());
    }

    #[test]
    fn saml_audiences_are_checked_or_not() {
        let saml = |condition| {
            read(json!({"Federated": "arn:aws:iam::111122223333:saml-provider/p"}), "sts:AssumeRoleWithSAML", condition)
                .saml
                .remove(0)
        };
        assert!(saml(json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})).audience_checked);
        assert!(!saml(json!({})).audience_checked);
        assert!(!saml(json!({"StringLike": {"SAML:aud": "*"}})).audience_checked);
        assert!(!saml(json!({"StringEquals": {"SAML:namequalifier": "x"}})).audience_checked);
    }

    #[test]
    fn deleted_principals_are_listed() {
        assert_eq!(read(json!({"AWS": "AROADBQP57FF2AEXAMPLE"}), "sts:AssumeRole", json!({})).deleted.len(), 1);
    }
}
