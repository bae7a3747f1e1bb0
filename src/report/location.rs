//! The place of a cloud resource as a path, for formats that know only files.
//!
//! `aws/<account>/<region>/<service>/<type>/<id>`: relative, without a scheme, every character outside the unreserved
//! ones of RFC 3986 percent-encoded, no empty segment and no `.` or `..` even after decoding. Code-scanning
//! dashboards match alerts by this path, so it depends on the resource alone, and two resources never share one:
//! the parts of an ARN that the readable form leaves out are added, behind a `~`, whenever they are not the usual ones.

use crate::inventory::resource::GLOBAL;
use crate::rules::Subject;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// Everything but letters, digits, `-`, `.`, `_`.
const RESERVED_AND_TILDE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
/// The same, and `~` stays too: exactly the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &RESERVED_AND_TILDE.remove(b'~');
/// Longer paths end in a digest: dashboards cut or refuse what is much longer.
const LONGEST: usize = 600;

/// Services whose ARNs give a name without its type.
const NAME_ONLY: [&str; 3] = ["s3", "sns", "sqs"];
/// Services whose ARNs put a colon between type and name.
const COLON: [&str; 13] = [
    "autoscaling",
    "backup",
    "cloudwatch",
    "codepipeline",
    "dms",
    "elasticache",
    "lambda",
    "logs",
    "rds",
    "redshift",
    "secretsmanager",
    "states",
    "synthetics",
];
/// Services whose ARNs name no account.
const NO_ACCOUNT: [&str; 3] = ["apigateway", "route53", "s3"];

/// The path of what a verdict is about.
pub(super) fn path(subject: &Subject<'_>) -> String {
    let path = match subject {
        Subject::Resource(r) => arn_to_path(&r.arn, &r.account, &r.region, &r.resource_type),
        Subject::Population { resource_type, account, region } => {
            let segments = ["aws", account, region].map(segment).join("/");
            format!("{segments}/~all/{}", utf8_percent_encode(resource_type, RESERVED))
        }
    };
    shorten(path)
}

/// The path of the resource with that ARN, found in `account` and `region`, of any length.
fn arn_to_path(arn: &str, account: &str, region: &str, resource_type: &str) -> String {
    let Some(parts) = Arn::parse(arn) else {
        let place = ["aws", account, region].map(segment).join("/");
        return format!("{place}/~not-an-arn/{}", segment(arn));
    };
    let mut path: Vec<String> = [parts.partition, account, region, parts.service].map(segment).into();
    let usual_region = if region == GLOBAL || parts.service == "s3" { "" } else { region };
    let usual_account = if NO_ACCOUNT.contains(&parts.service) { "" } else { account };
    if (parts.region, parts.account) != (usual_region, usual_account) {
        let [r, a] = [parts.region, parts.account].map(|p| utf8_percent_encode(p, RESERVED_AND_TILDE).to_string());
        path.push(format!("~in~{r}~{a}"));
    }
    let name_only = NAME_ONLY.contains(&parts.service);
    match parts.resource.find([':', '/']) {
        None if name_only => {
            let kind = resource_type.rsplit("::").next().unwrap_or_default().to_lowercase();
            path.extend([segment(&kind), segment(parts.resource)]);
        }
        None => path.push(segment(parts.resource)),
        Some(at) => {
            let (kind, id) = (&parts.resource[..at], &parts.resource[at + 1..]);
            let colon = parts.resource[at..].starts_with(':');
            match colon {
                true if !COLON.contains(&parts.service) => path.push("~colon".into()),
                false if name_only || COLON.contains(&parts.service) => path.push("~slash".into()),
                _ => {}
            }
            path.push(segment(kind));
            path.extend(id.split('/').map(segment));
        }
    }
    path.join("/")
}

struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next();
        (next()? == "arn").then_some(())?;
        Some(Arn { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }
}

/// One segment, such that decoding gives the text back and nobody reads it as "here" or "one up". What is ours begins
/// with one `~`; a text that does so itself gets another.
fn segment(text: &str) -> String {
    match text {
        "" => "~".into(),
        "." | ".." => format!("~{text}"),
        _ if text.starts_with('~') => format!("~{}", utf8_percent_encode(text, RESERVED)),
        _ => utf8_percent_encode(text, RESERVED).to_string(),
    }
}

/// Cuts a path that is too long, between characters, and makes it unique again by the digest of the whole.
fn shorten(path: String) -> String {
    if path.len() <= LONGEST {
        return path;
    }
    // The path is ASCII. A cut inside an encoded character moves to before it.
    let mut kept = &path[..LONGEST];
    while percent_decode_str(kept).decode_utf8().is_err() || kept.rfind('%').is_some_and(|at| at + 3 > kept.len()) {
        kept = &kept[..kept.rfind('%').unwrap_or(0)];
    }
    // Longer than any path that was not cut, so that the two kinds never meet.
    format!("{}~cut~{}", kept.trim_end_matches('/'), hex::encode(&Sha256::digest(&path)[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(arn: &str, region: &str, resource_type: &str) -> String {
        shorten(arn_to_path(arn, "111122223333", region, resource_type))
    }

    #[test]
    fn usual_arns_read_well() {
        let cases = [
            (
                "arn:aws:s3:::acme-logs",
                "us-east-1",
                "AWS::S3::Bucket",
                "aws/111122223333/us-east-1/s3/bucket/acme-logs",
            ),
            ("arn:aws:iam::111122223333:root", GLOBAL, "AWS::::Account", "aws/111122223333/global/iam/root"),
            (
                "arn:aws:iam::111122223333:user/ops/ann",
                GLOBAL,
                "AWS::IAM::User",
                "aws/111122223333/global/iam/user/ops/ann",
            ),
            (
                "arn:aws:rds:us-east-1:111122223333:db:main",
                "us-east-1",
                "AWS::RDS::DBInstance",
                "aws/111122223333/us-east-1/rds/db/main",
            ),
            (
                "arn:aws:sns:us-east-1:111122223333:alerts",
                "us-east-1",
                "AWS::SNS::Topic",
                "aws/111122223333/us-east-1/sns/topic/alerts",
            ),
            (
                "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1",
                "us-east-1",
                "AWS::EC2::SecurityGroup",
                "aws/111122223333/us-east-1/ec2/security-group/sg-1",
            ),
            (
                "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x",
                "us-east-1",
                "AWS::Logs::LogGroup",
                "aws/111122223333/us-east-1/logs/log-group/~/aws/x",
            ),
            ("arn:aws-cn:s3:::acme", "cn-north-1", "AWS::S3::Bucket", "aws-cn/111122223333/cn-north-1/s3/bucket/acme"),
        ];
        for (arn, region, resource_type, expected) in cases {
            assert_eq!(of(arn, region, resource_type), expected);
        }
    }

    #[test]
    fn unusual_arns_keep_what_the_path_would_lose() {
        assert_eq!(
            of("arn:aws:iam::aws:policy/Admin", GLOBAL, "AWS::IAM::ManagedPolicy"),
            "aws/111122223333/global/iam/~in~~aws/policy/Admin"
        );
        assert_eq!(
            of("arn:aws:s3:::bucket/x", "us-east-1", "AWS::S3::Bucket"),
            "aws/111122223333/us-east-1/s3/~slash/bucket/x"
        );
        assert_eq!(
            of("arn:aws:rds:us-east-1:111122223333:db/main", "us-east-1", "T"),
            "aws/111122223333/us-east-1/rds/~slash/db/main"
        );
        assert_eq!(of("no/arn", "us-east-1", "T"), "aws/111122223333/us-east-1/~not-an-arn/no%2Farn");
    }

    #[test]
    fn hostile_names_cannot_climb_break_out_or_hide() {
        let base = "arn:aws:iam::111122223333:user/";
        let path = |name: &str| of(&format!("{base}{name}"), GLOBAL, "AWS::IAM::User");
        let root = "aws/111122223333/global/iam/user/";
        assert_eq!(path("../../etc/passwd"), format!("{root}~../~../etc/passwd"));
        assert_eq!(path("."), format!("{root}~."));
        assert_eq!(path("~.."), format!("{root}~~.."));
        assert_eq!(path("a//b"), format!("{root}a/~/b"));
        assert_eq!(path("a b:c%2F?#é"), format!("{root}a%20b%3Ac%252F%3F%23%C3%A9"));
    }

    #[test]
    fn very_long_names_are_cut_and_stay_apart() {
        for filler in ["x", "é", "日本", "/", "%", "/.", "🚀"] {
            let long =
                |end: &str| of(&format!("arn:aws:iam::111122223333:user/{}{end}", filler.repeat(4000)), GLOBAL, "T");
            assert!((LONGEST + 1..LONGEST + 64).contains(&long("a").len()));
            assert_ne!(long("a"), long("b"));
            assert!(is_plain_relative(&long("a")), "{}", long("a"));
        }
    }

    /// Relative, without a scheme, only unreserved characters and whole percent codes, and nothing that a reader
    /// could resolve, even after decoding.
    fn is_plain_relative(path: &str) -> bool {
        path.split('/').all(|s| {
            let decoded = percent_decode_str(s).decode_utf8();
            let whole = utf8_percent_encode(decoded.as_deref().unwrap_or("?"), RESERVED).to_string();
            !s.is_empty()
                && decoded.is_ok_and(|d| d != "." && d != ".." && !d.is_empty())
                && whole == s.replace("%7E", "~")
        })
    }

    fn arns() -> impl Strategy<Value = String> {
        let services = prop::sample::select(vec!["s3", "rds", "iam", "sns", "ec2", "", "~"]);
        let part = prop::sample::select(vec!["", "us-east-1", "111122223333", "~", "x"]);
        let odd = "[abé%~./: ]{0,6}";
        prop_oneof![
            (services, part.clone(), part, odd).prop_map(|(s, r, a, n)| format!("arn:aws:{s}:{r}:{a}:{n}")),
            odd.prop_map(|n| format!("arn:aws:s3:::{n}")),
            any::<String>(),
            "(bucket|db|~all|~not-an-arn)[:/]?[ab~/]{0,3}".prop_map(|n| format!("arn:aws:s3:::{n}")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_path_is_plain_and_relative(arn in arns(), account in ".{0,4}", region in ".{0,4}") {
            let path = shorten(arn_to_path(&arn, &account, &region, "AWS::S3::Bucket"));
            prop_assert!(is_plain_relative(&path), "{}", path);
        }

        #[test]
        fn two_arns_never_share_a_path(a in arns(), b in arns(), global in any::<bool>()) {
            let region = if global { GLOBAL } else { "us-east-1" };
            let path = |arn: &str| arn_to_path(arn, "111122223333", region, "AWS::S3::Bucket");
            prop_assert_eq!(path(&a) == path(&b), a == b);
        }
    }
}
