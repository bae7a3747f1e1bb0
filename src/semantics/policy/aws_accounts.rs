//! Accounts that AWS itself uses and documents for resource policies: a grant to them is not a grant to a stranger.

/// The accounts from which Elastic Load Balancing delivers access logs, by region (Elastic Load Balancing User Guide,
/// "Enable access logs for your Application Load Balancer", regions available before August 2022; for the isolated
/// partitions the facts of the AWS CDK's region-info). Newer regions use a service principal.
const LOAD_BALANCER_LOGS: [(&str, &str); 31] = [
    ("us-east-1", "127311923021"),
    ("us-east-2", "033677994240"),
    ("us-west-1", "027434742980"),
    ("us-west-2", "797873946194"),
    ("af-south-1", "098369216593"),
    ("ap-east-1", "754344448648"),
    ("ap-northeast-1", "582318560864"),
    ("ap-northeast-2", "600734575887"),
    ("ap-northeast-3", "383597477331"),
    ("ap-south-1", "718504428378"),
    ("ap-southeast-1", "114774131450"),
    ("ap-southeast-2", "783225319266"),
    ("ap-southeast-3", "589379963580"),
    ("ca-central-1", "985666609251"),
    ("cn-north-1", "638102146993"),
    ("cn-northwest-1", "037604701340"),
    ("eu-central-1", "054676820928"),
    ("eu-north-1", "897822967062"),
    ("eu-south-1", "635631232127"),
    ("eu-west-1", "156460612806"),
    ("eu-west-2", "652711504416"),
    ("eu-west-3", "009996457667"),
    ("me-south-1", "076674570225"),
    ("sa-east-1", "507241528517"),
    ("us-iso-east-1", "770363063475"),
    ("us-iso-west-1", "121062877647"),
    ("us-isob-east-1", "740734521339"),
    ("us-isof-east-1", "091100254016"),
    ("us-isof-south-1", "412137745753"),
    ("us-gov-east-1", "190560391635"),
    ("us-gov-west-1", "048591011584"),
];

/// The region whose load balancers deliver their logs from an account, where it is such an account.
pub fn load_balancer_logs_region(account: &str) -> Option<&'static str> {
    LOAD_BALANCER_LOGS.iter().find(|(_, id)| *id == account).map(|(region, _)| *region)
}

/// The canonical user that CloudFront's standard logs (legacy) are written by, `awslogsdelivery` (Amazon CloudFront
/// Developer Guide, "Configure standard logging (legacy)").
const LOG_DELIVERY: &str = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0";

/// Whether AWS documents an account or canonical user as one from which it delivers logs.
pub fn delivers_logs(id: &str) -> bool {
    id == LOG_DELIVERY || load_balancer_logs_region(id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::policy::document::is_account;

    #[test]
    fn the_table_holds_account_ids_each_once() {
        let mut ids: Vec<&str> = LOAD_BALANCER_LOGS.iter().map(|(_, id)| *id).collect();
        assert!(ids.iter().all(|id| is_account(id)));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), LOAD_BALANCER_LOGS.len());
        assert_eq!(load_balancer_logs_region("127311923021"), Some("us-east-1"));
        assert_eq!(load_balancer_logs_region("111122223333"), None);
    }
}
