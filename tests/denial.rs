//! No green without proof: with each operation denied in turn, no verdict that depends on it stays a pass or becomes a
//! failure. It becomes unknown, names the IAM action, and the account is withheld from code scanning.

mod support;

use std::collections::BTreeSet;
use std::thread;
use support::emulator::Emulator;
use support::fake_aws::{FakeAws, Fault, On};
use support::scanner::{Run, Scanner};
use support::verdicts::{Key, Verdict, Verdicts, verdicts};

/// Operations without which there is no scan at all.
const INDISPENSABLE: [(&str, &str, &str); 1] = [("sts", "GetCallerIdentity", "who is asking is not known: exit 2")];

/// Operations whose denial turns no verdict of these accounts, each with its reason.
const WITHOUT_EFFECT: [(&str, &str, &str); 8] = [
    ("cloudfront", "ListOriginAccessControls", "no bucket behind a distribution of these accounts has one"),
    ("elb", "DescribeLoadBalancerPolicies", "asks for TLS policies, of classic load balancers with a secure listener"),
    (
        "elbv2",
        "DescribeTargetGroupAttributes",
        "the machine behind the public load balancer admits clients and nodes alike",
    ),
    ("guardduty", "ListMembers", "neither account is in an organization"),
    ("organizations", "ListPoliciesForTarget", "neither account is in an organization"),
    ("iam", "ListAccountAliases", "gives the account a name, and no verdict"),
    ("iam", "ListOrganizationsFeatures", "decides only where the root user has no credentials at all"),
    ("s3", "HeadBucket", "GetBucketLocation gives a bucket's region too"),
];

const REGIONS: &str = "us-east-1,eu-west-1";

/// What a scan came to.
struct Scanned {
    run: Run,
    verdicts: Verdicts,
    sarif_runs: usize,
}

fn scan(aws: &FakeAws) -> Scanned {
    let scanner = Scanner::at(&aws.url()).with("AWS_MAX_ATTEMPTS", "1");
    let run = scanner.run(&[
        "scan",
        "--regions",
        REGIONS,
        "--all-verdicts",
        "--fail-on",
        "never",
        "--max-rps",
        "10000",
        "-o",
        "r.json",
        "-o",
        "r.sarif",
    ]);
    let report = scanner.json("r.json");
    let runs = scanner.json("r.sarif")["runs"].as_array().map_or(0, Vec::len);
    Scanned { run, verdicts: verdicts(&report), sarif_runs: runs }
}

#[test]
fn a_denied_operation_never_lets_a_dependent_verdict_pass_or_fail() {
    let permissions = Scanner::bare().run(&["permissions"]).stdout;
    let mut useless = BTreeSet::new();
    let mut wrong = Vec::new();
    for account in ["vulnerable", "clean"] {
        let Some(emulator) = Emulator::start(account) else { return };
        let aws = FakeAws::before(&emulator);
        aws.set([]);
        let whole = scan(&aws);
        let used = aws.operations();
        assert!(used.len() > 60, "only {} operations are used", used.len());
        // The second account is for what turned nothing in the first.
        let tried = if account == "vulnerable" { used } else { used.intersection(&useless).cloned().collect() };
        for denied in deny_each(&emulator, account, tried.into_iter().collect(), &whole, &permissions) {
            match denied.without_effect {
                true => useless.insert(denied.operation),
                false => useless.remove(&denied.operation),
            };
            wrong.extend(denied.wrong);
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let reasoned: BTreeSet<_> = WITHOUT_EFFECT.iter().map(|(s, o, _)| ((*s).to_owned(), (*o).to_owned())).collect();
    assert_eq!(useless, reasoned, "operations whose denial turned no verdict, and those with a reason for it");
}

/// What came of denying one operation.
struct Denied {
    operation: (String, String),
    without_effect: bool,
    wrong: Vec<String>,
}

/// Scans once for each operation, with that one denied; on two threads, which is what the emulator keeps up with.
fn deny_each(
    emulator: &Emulator,
    account: &str,
    operations: Vec<(String, String)>,
    whole: &Scanned,
    permissions: &str,
) -> Vec<Denied> {
    let half = operations.len().div_ceil(2).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = operations
            .chunks(half)
            .map(|chunk| {
                scope.spawn(move || {
                    let aws = FakeAws::before(emulator);
                    let indispensable = |(service, operation): &(String, String)| {
                        INDISPENSABLE.iter().any(|(s, o, _)| s == service && o == operation)
                    };
                    let tried = chunk.iter().filter(|operation| !indispensable(operation));
                    tried.map(|operation| deny(&aws, account, operation, whole, permissions)).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|w| w.join().expect("a worker that ends")).collect()
    })
}

fn deny(aws: &FakeAws, account: &str, operation: &(String, String), whole: &Scanned, permissions: &str) -> Denied {
    let (service, name) = operation;
    aws.set([(On::operation(service, name), Fault::Denied)]);
    let denied = scan(aws);
    let turned = turned(&whole.verdicts, &denied.verdicts);
    let mut wrong = Vec::new();
    if !turned.is_empty() {
        let faults = faults(&turned, permissions).into_iter().chain(consequences(&denied));
        wrong.extend(faults.map(|f| format!("{account}: {service}:{name} denied: {f}")));
    }
    Denied { operation: operation.clone(), without_effect: turned.is_empty(), wrong }
}

/// A verdict as it was and as it is now; `None` where there is none.
type Turn<'v> = (&'v Key, Option<&'v Verdict>, Option<&'v Verdict>);

/// The verdicts that are not what they were.
fn turned<'v>(whole: &'v Verdicts, denied: &'v Verdicts) -> Vec<Turn<'v>> {
    let keys: BTreeSet<&Key> = whole.keys().chain(denied.keys()).collect();
    let turns = keys.into_iter().map(|key| (key, whole.get(key), denied.get(key)));
    turns.filter(|(_, was, is)| was.map(|v| &v.verdict) != is.map(|v| &v.verdict)).collect()
}

/// What must not have happened. `permissions` is the policy that the program asks for.
fn faults(turned: &[Turn<'_>], permissions: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // A resource that could not be listed has no verdict of its own: then its population has one, which is unknown.
    let populations = turned.iter().filter(|(key, _, is)| key.id.starts_with("all ") && is.is_some());
    let unlisted: BTreeSet<(&str, &str)> =
        populations.map(|(key, ..)| (key.rule.as_str(), key.region.as_str())).collect();
    for (key, was, is) in turned {
        let was = was.map_or("nothing", |v| v.verdict.as_str());
        let listed_from = |region| unlisted.contains(&(key.rule.as_str(), region));
        match is {
            None if listed_from(key.region.as_str()) || listed_from("global") => {}
            None => faults.push(format!("{key}: the {was} is gone")),
            Some(v) if v.verdict != "unknown" => {
                faults.push(format!("{key}: {was} became {} ({})", v.verdict, v.reason));
            }
            Some(v) if v.actions.is_empty() => {
                faults.push(format!("{key}: unknown names no action: {}", v.reason));
            }
            Some(v) => {
                let missing = v.actions.iter().filter(|action| !permissions.contains(&format!("\"{action}\"")));
                faults.extend(missing.map(|action| format!("{key}: `permissions` does not ask for {action}")));
            }
        }
    }
    faults
}

/// What must follow from a verdict that turned unknown.
fn consequences(denied: &Scanned) -> Vec<String> {
    let mut faults = Vec::new();
    if denied.run.code != 3 {
        faults.push(format!("exit code {}, not 3", denied.run.code));
    }
    if denied.sarif_runs != 0 {
        faults.push("the incomplete account is in the SARIF file for GitHub".to_owned());
    }
    faults
}
