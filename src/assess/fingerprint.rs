//! Fingerprints: what makes a finding the same finding from one scan to the next.
//!
//! A fingerprint is the SHA-256 over who is judged and by what, each part framed by its length. It must never
//! depend on a message, a severity, a time, or a version of the program or of a rule: any of those would make every
//! finding look new. The values in the tests are golden: changing them means a new [`SCHEME`].

use crate::rules::Subject;
use sha2::{Digest, Sha256};
use std::fmt;

/// The scheme by which parts are chosen and framed.
pub const SCHEME: &str = "soc2scan-fp-v1";

/// The identity of a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of what rule `rule_id` says of `subject`. A resource counts by its ARN, and by its id where
    /// that is not the ARN's own last segment; a population by its resource type.
    pub fn of(rule_id: &str, subject: &Subject<'_>) -> Self {
        let mut digest = Sha256::new();
        let mut frame = |part: &str| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        };
        frame(SCHEME);
        frame(rule_id);
        frame(subject.account());
        frame(subject.region());
        match subject {
            Subject::Resource(r) => {
                frame("resource");
                frame(&r.arn);
                match last_segment(&r.arn) == r.id {
                    true => frame("by-arn"),
                    false => {
                        frame("by-arn-and-id");
                        frame(&r.id);
                    }
                }
            }
            Subject::Population { resource_type, .. } => {
                frame("population");
                frame(resource_type);
            }
        }
        Fingerprint(digest.finalize().into())
    }

    /// The form that GitHub matches alerts by (`primaryLocationLineHash`): the first 32 hexadecimal digits, and the
    /// number of the occurrence, which is always 1 because a rule judges a resource once.
    pub fn line_hash(&self) -> String {
        format!("{}:1", hex::encode(&self.0[..16]))
    }
}

/// All 64 hexadecimal digits, lower case.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

fn last_segment(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Resource;
    use proptest::prelude::*;

    fn resource(account: &str, region: &str, arn: &str, id: &str) -> Resource {
        Resource {
            resource_type: "AWS::S3::Bucket".into(),
            id: id.into(),
            arn: arn.into(),
            account: account.into(),
            region: region.into(),
            name: "any".into(),
            tags: Default::default(),
            document: Default::default(),
            unknown: vec![],
        }
    }

    fn print(rule: &str, r: &Resource) -> String {
        Fingerprint::of(rule, &Subject::Resource(r)).to_string()
    }

    fn bucket() -> Resource {
        resource("111122223333", "us-east-1", "arn:aws:s3:::acme-logs", "acme-logs")
    }

    /// What the scheme says, computed by hand from its words.
    fn by_hand(parts: &[&str]) -> String {
        let mut bytes = Vec::new();
        for p in parts {
            bytes.extend((p.len() as u64).to_be_bytes());
            bytes.extend(p.as_bytes());
        }
        hex::encode(Sha256::digest(bytes))
    }

    #[test]
    fn golden_values_never_change() {
        assert_eq!(
            print("s3-bucket-versioning", &bucket()),
            "0f3db2f3ab4ccf7419bef445a875968c9b5df8edcb70eda5cc7084268765cd48"
        );
        let key = resource("111122223333", "global", "arn:aws:iam::111122223333:user/ops/ann", "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(
            print("iam-access-key-age", &key),
            "6af6797d75b8be7ff36845283ba723a5d42e992e105f130ecf9f097080dbca7e"
        );
        let population =
            Subject::Population { resource_type: "AWS::KMS::Key", account: "111122223333", region: "eu-west-1" };
        assert_eq!(
            Fingerprint::of("kms-key-rotation", &population).to_string(),
            "2394d0ec49629b0adfbecb040795432c3150ec4654c73c91017627e885c1686c"
        );
    }

    #[test]
    fn the_parts_are_the_scheme_the_rule_the_place_and_the_arn() {
        let parts = [SCHEME, "r", "111122223333", "us-east-1", "resource", "arn:aws:s3:::acme-logs", "by-arn"];
        assert_eq!(print("r", &bucket()), by_hand(&parts));
    }

    #[test]
    fn nothing_else_of_a_resource_counts() {
        let mut other = bucket();
        other.name = "another name".into();
        other.tags.insert("a".into(), "b".into());
        other.document.insert("Versioning".into(), serde_json::json!({"Status": "Enabled"}));
        assert_eq!(print("r", &other), print("r", &bucket()));
    }

    #[test]
    fn two_keys_under_one_arn_are_two_findings() {
        let arn = "arn:aws:iam::111122223333:user/ann";
        let one = resource("111122223333", "global", arn, "AKIA1");
        let two = resource("111122223333", "global", arn, "AKIA2");
        assert_ne!(print("r", &one), print("r", &two));
    }

    #[test]
    fn a_population_is_never_the_resource_of_the_same_name() {
        let r = resource("1", "us-east-1", "AWS::KMS::Key", "AWS::KMS::Key");
        let p = Subject::Population { resource_type: "AWS::KMS::Key", account: "1", region: "us-east-1" };
        assert_ne!(print("r", &r), Fingerprint::of("r", &p).to_string());
    }

    #[test]
    fn github_gets_the_first_32_digits() {
        let hash = Fingerprint::of("r", &Subject::Resource(&bucket())).line_hash();
        assert_eq!(hash, format!("{}:1", &print("r", &bucket())[..32]));
    }

    /// Short strings over few letters, so that different splits of the same text do occur.
    const PART: &str = "[ab:/]{0,4}";

    proptest! {
        #[test]
        fn different_subjects_or_rules_have_different_fingerprints(
            a in [PART, PART, PART, PART, PART], b in [PART, PART, PART, PART, PART],
        ) {
            let [ra, aa, ga, na, ia] = &a;
            let [rb, ab, gb, nb, ib] = &b;
            let same = print(ra, &resource(aa, ga, na, ia)) == print(rb, &resource(ab, gb, nb, ib));
            prop_assert_eq!(same, a == b);
        }
    }
}
