use super::*;

fn blocks(ignore: bool, restrict: bool) -> Value {
    json!({"BlockPublicAcls": ignore, "IgnorePublicAcls": ignore, "BlockPublicPolicy": restrict, "RestrictPublicBuckets": restrict})
}

fn public_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "Open", "Effect": "Allow", "Principal": "*",
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}})
}

fn private_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}})
}

fn acl(uri: &str, permission: &str) -> Value {
    json!({"Owner": {"ID": "x"}, "Grants": [
        {"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}]})
}

fn bucket<'a>(
    account: Input<'a>,
    own: Input<'a>,
    ownership: Input<'a>,
    policy: Input<'a>,
    acl: Input<'a>,
) -> Bucket<'a> {
    let context = Context { account: "111122223333", partition: "aws", ..Context::default() };
    let access_points = AccessPoints { read: &[], more: false };
    Bucket { name: "b", account_block: account, bucket_block: own, ownership, policy, acl, access_points, context }
}

/// `Some(true)` for public, `None` for unknown.
fn public(b: &Bucket, access: Access) -> Option<bool> {
    public_routes(b, access).known().map(|routes| !routes.is_empty())
}

fn not(x: Option<bool>) -> Option<bool> {
    x.map(|v| !v)
}

fn and(parts: &[Option<bool>]) -> Option<bool> {
    match parts {
        _ if parts.contains(&Some(false)) => Some(false),
        _ if parts.contains(&None) => None,
        _ => Some(true),
    }
}

fn or(parts: &[Option<bool>]) -> Option<bool> {
    not(and(&parts.iter().map(|p| not(*p)).collect::<Vec<_>>()))
}

/// The four switches in all their states, and "could not be read".
fn all_switches() -> Vec<(Option<Value>, Option<[bool; 4]>)> {
    let known = (0..16u8).map(|n| {
        let on = [n & 1 != 0, n & 2 != 0, n & 4 != 0, n & 8 != 0];
        let block = json!({"BlockPublicAcls": on[0], "IgnorePublicAcls": on[1], "BlockPublicPolicy": on[2], "RestrictPublicBuckets": on[3]});
        (Some(block), Some(on))
    });
    known.chain([(None, None)]).collect()
}

fn input(value: &Option<Value>) -> Input<'_> {
    value.as_ref().map_or(Input::Unknown, Input::Known)
}

/// The policies that a bucket can have: the document, whether everybody is let in, and whether everybody who comes
/// through an access point of the account is.
fn bucket_policies() -> [(Option<Value>, Option<bool>, Option<bool>); 5] {
    [
        (Some(public_policy()), Some(true), Some(true)),
        (Some(delegating_policy()), Some(false), Some(true)),
        (Some(private_policy()), Some(false), Some(false)),
        (Some(Value::Null), Some(false), Some(false)),
        (None, None, None),
    ]
}

fn read(policy: &Option<Value>) -> Input<'_> {
    policy.as_ref().map_or(Input::Unknown, Input::of)
}

/// Hands everything over to the access points of the account, as "Delegating access control to access points" shows.
fn delegating_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "Delegate", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": "*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": "111122223333"}}}})
}

const POINT: &str = "arn:aws:s3:us-east-1:111122223333:accesspoint/p";

fn point_policy(principal: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "Door", "Effect": "Allow", "Principal": principal,
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], "Resource": [POINT, format!("{POINT}/object/*")]}})
}

fn point<'a>(origin: Input<'a>, block: Input<'a>, policy: Input<'a>) -> AccessPoint<'a> {
    AccessPoint { name: "p", arn: POINT, account: "111122223333", origin, block, policy }
}

#[test]
fn the_whole_truth_table_of_blocks_ownership_policy_and_acl() {
    let switches = all_switches();
    let state = |v: &'static str| json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": v}]}});
    let (enforced, preferred) = (state("BucketOwnerEnforced"), state("BucketOwnerPreferred"));
    let (open_acl, closed_acl) = (acl(ALL_USERS, "FULL_CONTROL"), json!({"Grants": []}));
    let mut seen = 0;
    for (account, account_on) in &switches {
        for (own, own_on) in &switches {
            let flag = |n: usize| or(&[account_on.map(|on| on[n]), own_on.map(|on| on[n])]);
            for (ownership, is_enforced) in [
                (Input::Known(&enforced), Some(true)),
                (Input::Known(&preferred), Some(false)),
                (Input::Absent, Some(false)),
                (Input::Unknown, None),
            ] {
                for (policy, is_open, _) in &bucket_policies() {
                    for (list, acl_open) in [
                        (Input::Known(&open_acl), Some(true)),
                        (Input::Known(&closed_acl), Some(false)),
                        (Input::Unknown, None),
                    ] {
                        let b = bucket(input(account), input(own), ownership, read(policy), list);
                        let by_policy = and(&[*is_open, not(flag(3))]);
                        let by_acl = and(&[acl_open, not(flag(1)), not(is_enforced)]);
                        for access in [Access::Read, Access::List, Access::Write] {
                            assert_eq!(public(&b, access), or(&[by_policy, by_acl]), "{access:?} of {b:?}");
                            seen += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 17 * 17 * 4 * 5 * 3 * 3);
}

#[test]
fn the_whole_truth_table_with_an_access_point() {
    let switches = all_switches();
    let levels = [(None, None), (Some(blocks(true, false)), Some(false)), (Some(blocks(false, true)), Some(true))];
    let (internet, vpc) = (json!("Internet"), json!("VPC"));
    let open = Some(point_policy(json!("*")));
    let closed = Some(point_policy(json!({"AWS": "111122223333"})));
    let point_policies = [(open, Some(true)), (closed, Some(false)), (Some(Value::Null), Some(false)), (None, None)];
    let open_acl = acl(ALL_USERS, "FULL_CONTROL");
    let mut seen = 0;
    for (account, account_restricts) in &levels {
        for (own, own_restricts) in &levels {
            let restricts = or(&[*account_restricts, *own_restricts]);
            let ignores = or(&[account_restricts.map(|r| !r), own_restricts.map(|r| !r)]);
            for (policy, is_open, admits_points) in &bucket_policies() {
                for (acl, acl_open) in [(Input::Known(&open_acl), Some(true)), (Input::Unknown, None)] {
                    let direct = or(&[and(&[*is_open, not(restricts)]), and(&[acl_open, not(ignores)])]);
                    for (block, on) in &switches {
                        for (origin, in_vpc) in [
                            (Input::Known(&internet), Some(false)),
                            (Input::Absent, Some(false)),
                            (Input::Known(&vpc), Some(true)),
                            (Input::Unknown, None),
                        ] {
                            for (point_policy, point_open) in &point_policies {
                                let points = [point(origin, input(block), read(point_policy))];
                                let through =
                                    [*admits_points, *point_open, not(restricts), not(on.map(|on| on[3])), not(in_vpc)];
                                let others = and(&[*admits_points, None, not(restricts)]);
                                for more in [false, true] {
                                    let b = Bucket {
                                        access_points: AccessPoints { read: &points, more },
                                        ..bucket(input(account), input(own), Input::Absent, read(policy), acl)
                                    };
                                    let others = if more { others } else { Some(false) };
                                    let want = or(&[direct, and(&through), others]);
                                    assert_eq!(public(&b, Access::Read), want, "{b:?}");
                                    seen += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 3 * 3 * 5 * 2 * 17 * 4 * 4 * 2);
}

/// Whether a bucket with one access point is public to readers, and to writers.
fn by_point(bucket_policy: &Value, point_policy: &Value) -> [Option<bool>; 2] {
    let none = json!({"Grants": []});
    let points = [point(Input::Absent, Input::Absent, Input::Known(point_policy))];
    let b = Bucket {
        access_points: AccessPoints { read: &points, more: false },
        ..bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(bucket_policy), Input::Known(&none))
    };
    [public(&b, Access::Read), public(&b, Access::Write)]
}

fn delegating(condition: Value) -> Value {
    let mut policy = delegating_policy();
    policy["Statement"]["Condition"] = condition;
    policy
}

#[test]
fn a_bucket_policy_hands_over_to_the_access_points_that_its_conditions_mean() {
    let open = point_policy(json!("*"));
    let other = "arn:aws:s3:us-east-1:111122223333:accesspoint/q";
    for (condition, admitted) in [
        (json!({"StringEquals": {"s3:DataAccessPointAccount": "111122223333"}}), Some(true)),
        (json!({"StringEquals": {"S3:dataaccesspointaccount": ["444455556666", "111122223333"]}}), Some(true)),
        (json!({"StringEquals": {"s3:DataAccessPointAccount": "444455556666"}}), Some(false)),
        (json!({"StringNotEquals": {"s3:DataAccessPointAccount": "444455556666"}}), Some(true)),
        (json!({"ArnEquals": {"s3:DataAccessPointArn": POINT}}), Some(true)),
        (json!({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:111122223333:accesspoint/*"}}), Some(true)),
        (json!({"ArnLike": {"s3:DataAccessPointArn": other}}), Some(false)),
        (json!({"StringEquals": {"s3:AccessPointNetworkOrigin": "VPC"}}), Some(false)),
        (json!({"StringNotEquals": {"s3:AccessPointNetworkOrigin": "VPC"}}), Some(true)),
        (json!({"Null": {"s3:DataAccessPointArn": "false"}}), Some(true)),
        (json!({"StringEquals": {"s3:DataAccessPointAccount": "${aws:PrincipalAccount}"}}), None),
        (json!({"NumericEquals": {"s3:DataAccessPointAccount": "111122223333"}}), None),
        (
            json!({"StringEquals": {"s3:DataAccessPointAccount": "111122223333", "aws:PrincipalOrgID": "o-abcdefghij"}}),
            Some(false),
        ),
    ] {
        assert_eq!(by_point(&delegating(condition.clone()), &open)[0], admitted, "{condition}");
    }
}

#[test]
fn a_request_by_the_buckets_own_name_has_no_access_point() {
    let none = json!({"Grants": []});
    for (condition, open) in [
        (json!({"StringEquals": {"s3:AccessPointNetworkOrigin": "VPC"}}), Some(false)),
        (json!({"StringEqualsIfExists": {"s3:AccessPointNetworkOrigin": "VPC"}}), Some(true)),
        (json!({"StringNotEquals": {"s3:DataAccessPointAccount": "111122223333"}}), Some(true)),
        (json!({"ForAllValues:StringEquals": {"s3:DataAccessPointAccount": "111122223333"}}), Some(true)),
        (json!({"ForAnyValue:StringNotEquals": {"s3:DataAccessPointAccount": "111122223333"}}), Some(false)),
        (json!({"Null": {"s3:DataAccessPointArn": "true"}}), Some(true)),
        (json!({"Null": {"s3:DataAccessPointArn": "false"}}), Some(false)),
        (json!({"NumericEquals": {"s3:DataAccessPointAccount": "111122223333"}}), None),
    ] {
        let policy = delegating(condition.clone());
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&none));
        assert_eq!(public(&b, Access::Read), open, "{condition}");
    }
}

#[test]
fn a_deny_of_what_does_not_come_through_an_access_point_leaves_the_access_point() {
    let mut policy = public_policy();
    let only = |condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": condition});
    let ours = only(json!({"StringNotEquals": {"s3:DataAccessPointAccount": "111122223333"}}));
    policy["Statement"] = json!([policy["Statement"], ours]);
    assert_eq!(by_point(&policy, &point_policy(json!("*")))[0], Some(true));
    assert_eq!(by_point(&policy, &point_policy(json!({"AWS": "111122223333"})))[0], Some(false));
    let mut closed = point_policy(json!("*"));
    closed["Statement"] = json!([closed["Statement"], only(json!({}))]);
    closed["Statement"][1]["Resource"] = json!("*");
    assert_eq!(by_point(&policy, &closed)[0], Some(false));
}

#[test]
fn both_policies_must_admit_the_same_action_on_the_same_object() {
    let with = |policy: Value, action: Value, resource: Value| {
        let mut policy = policy;
        policy["Statement"]["Action"] = action;
        policy["Statement"]["Resource"] = resource;
        policy
    };
    let bucket_side = |key: &str| with(delegating_policy(), json!("s3:Get*"), json!(format!("arn:aws:s3:::b/{key}")));
    let point_side =
        |action: &str, key: &str| with(point_policy(json!("*")), json!(action), json!(format!("{POINT}/object/{key}")));
    assert_eq!(by_point(&bucket_side("*"), &point_side("s3:*", "*")), [Some(true), Some(false)]);
    assert_eq!(by_point(&bucket_side("*"), &point_side("s3:PutObject", "*")), [Some(false), Some(false)]);
    assert_eq!(by_point(&bucket_side("open/*"), &point_side("s3:GetObject", "closed/*"))[0], Some(false));
    assert_eq!(by_point(&bucket_side("open/*"), &point_side("s3:GetObject", "open/a*"))[0], Some(true));
    assert_eq!(
        by_point(&bucket_side("open/*"), &with(point_policy(json!("*")), json!("s3:GetObject"), json!("*")))[0],
        Some(true)
    );
    let mut inverted = point_side("s3:*", "*");
    let statement = inverted["Statement"].as_object_mut().unwrap();
    statement.remove("Action");
    statement.insert("NotAction".to_string(), json!("s3:Get*"));
    assert_eq!(by_point(&bucket_side("*"), &inverted), [Some(false), Some(false)]);
}

#[test]
fn access_points_that_were_not_read_matter_where_the_policy_hands_over_to_them() {
    let none = json!({"Grants": []});
    let with = |policy: Input| {
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, policy, Input::Known(&none));
        public(&Bucket { access_points: AccessPoints { read: &[], more: true }, ..b }, Access::Read)
    };
    let (private, foreign) =
        (private_policy(), delegating(json!({"StringEquals": {"s3:DataAccessPointAccount": "444455556666"}})));
    assert_eq!(with(Input::Known(&delegating_policy())), None);
    assert_eq!(with(Input::Known(&private)), Some(false));
    assert_eq!(with(Input::Known(&foreign)), Some(false));
    assert_eq!(with(Input::Absent), Some(false));
}

/// What closes each route, by the route's source.
fn closings(b: &Bucket, access: Access) -> Vec<(String, Vec<String>)> {
    public_routes(b, access).known().unwrap().into_iter().map(|r| (r.source, r.closed_by)).collect()
}

#[test]
fn what_closes_a_route_was_tried() {
    let (policy, grants) = (public_policy(), acl(ALL_USERS, "READ"));
    let none = json!({"Grants": []});
    let by_policy = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&none));
    let open = vec![
        "turn on RestrictPublicBuckets for the bucket".to_string(),
        "remove statement 'Open' of the bucket policy".to_string(),
    ];
    assert_eq!(closings(&by_policy, Access::Read), [("'Open'".to_string(), open)]);
    let by_acl = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Absent, Input::Known(&grants));
    let closed = &closings(&by_acl, Access::List)[0].1;
    assert_eq!(
        *closed,
        [
            "turn on IgnorePublicAcls for the bucket",
            "set object ownership to BucketOwnerEnforced",
            "remove the ACL's grants to AllUsers"
        ]
    );
    let both = Bucket { policy: Input::Known(&policy), ..by_acl };
    let closed = closings(&both, Access::List);
    assert!(closed.iter().all(|(_, by)| by.last().unwrap() == "turn on all of Block Public Access for the bucket"));
    assert_eq!(closed.iter().map(|(_, by)| by.len()).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_way_through_an_access_point_is_closed_on_either_side() {
    let (policy, door, none) = (delegating_policy(), point_policy(json!("*")), json!({"Grants": []}));
    let points = [point(Input::Absent, Input::Absent, Input::Known(&door))];
    let b = Bucket {
        access_points: AccessPoints { read: &points, more: false },
        ..bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&none))
    };
    let routes = public_routes(&b, Access::Read).known().unwrap();
    assert_eq!(routes[0].by, Way::AccessPoint);
    assert_eq!(routes[0].through.as_deref(), Some("p"));
    assert_eq!(
        routes[0].closed_by,
        [
            "turn on RestrictPublicBuckets for the bucket",
            "remove statement 'Delegate' of the bucket policy",
            "remove statement 'Door' of access point 'p'",
            "delete access point 'p'"
        ]
    );
    let settings = contributions(&b);
    assert!(settings.iter().any(|c| c.setting == "RestrictPublicBuckets of access point 'p'" && c.state == "off"));
}

#[test]
fn no_change_is_proposed_that_leaves_the_answer_open() {
    let policy = public_policy();
    let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Unknown);
    let closed = &closings(&b, Access::Read)[0].1;
    assert_eq!(*closed, ["turn on all of Block Public Access for the bucket"]);
}

#[test]
fn a_block_configuration_that_is_missing_is_off() {
    let policy = public_policy();
    let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&policy), Input::Absent);
    assert_eq!(public(&b, Access::Read), Some(true));
    assert_eq!(fully_blocked(&b), Answer::Known(false));
    let on = json!({"PublicAccessBlockConfiguration": blocks(true, true)});
    let b = bucket(Input::Known(&on), Input::Absent, Input::Absent, Input::Known(&policy), Input::Unknown);
    assert_eq!(public(&b, Access::Read), Some(false));
    assert_eq!(fully_blocked(&b), Answer::Known(true));
}

#[test]
fn settings_that_stop_new_grants_do_not_cure_old_ones() {
    let policy = public_policy();
    let grants = acl(AUTHENTICATED_USERS, "READ");
    let half = json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": false, "RestrictPublicBuckets": false});
    let b =
        bucket(Input::Known(&half), Input::Known(&half), Input::Absent, Input::Known(&policy), Input::Known(&grants));
    let routes = public_routes(&b, Access::List).known().unwrap();
    assert_eq!(routes.iter().map(|r| r.by).collect::<Vec<_>>(), [Way::Policy, Way::Acl]);
    assert_eq!(routes[1].source, "AuthenticatedUsers");
}

#[test]
fn acl_permissions_give_what_s3_says_they_give() {
    for (permission, read, list, write) in [
        ("READ", false, true, false),
        ("WRITE", false, false, true),
        ("READ_ACP", true, false, false),
        ("WRITE_ACP", false, false, true),
        ("FULL_CONTROL", true, true, true),
    ] {
        let grants = acl(ALL_USERS, permission);
        let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Absent, Input::Known(&grants));
        for (access, want) in [(Access::Read, read), (Access::List, list), (Access::Write, write)] {
            assert_eq!(public(&b, access), Some(want), "{permission} {access:?}");
        }
    }
    let log = acl("http://acs.amazonaws.com/groups/s3/LogDelivery", "WRITE");
    let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Absent, Input::Known(&log));
    assert_eq!(public(&b, Access::Write), Some(false));
}

#[test]
fn an_unread_part_counts_only_where_the_answer_turns_on_it() {
    let (open, closed) = (public_policy(), private_policy());
    let on = blocks(true, true);
    let all_unread = bucket(Input::Unknown, Input::Unknown, Input::Unknown, Input::Unknown, Input::Unknown);
    assert_eq!(public(&all_unread, Access::Read), None);
    let blocked = Bucket { account_block: Input::Known(&on), ..all_unread };
    assert_eq!(public(&blocked, Access::Read), Some(false));
    let enforced = json!("BucketOwnerEnforced");
    let harmless = Bucket { policy: Input::Known(&closed), ownership: Input::Known(&enforced), ..all_unread };
    assert_eq!(public(&harmless, Access::Read), Some(false));
    let open =
        Bucket { policy: Input::Known(&open), account_block: Input::Absent, bucket_block: Input::Absent, ..all_unread };
    assert_eq!(public(&open, Access::Read), Some(true));
}

#[test]
fn what_is_not_understood_is_unknown() {
    let odd = json!({"RestrictPublicBuckets": "yes"});
    let policy = public_policy();
    let b = bucket(Input::Known(&odd), Input::Absent, Input::Absent, Input::Known(&policy), Input::Unknown);
    assert_eq!(public(&b, Access::Read), None);
    let broken = json!("{");
    let b = bucket(Input::Absent, Input::Absent, Input::Absent, Input::Known(&broken), Input::Unknown);
    assert_eq!(public(&b, Access::Read), None);
    assert!(owner_enforced(Input::Known(&json!("Something"))).doubt().is_some());
}

#[test]
fn a_grant_of_an_acl_that_is_not_understood_is_no_proof() {
    let off = blocks(false, false);
    let ask = |grants: Value, ignored: bool| {
        let (acl, on) = (json!({"Grants": grants}), blocks(ignored, false));
        let block = Input::Known(if ignored { &on } else { &off });
        public(&bucket(block, Input::Absent, Input::Absent, Input::Absent, Input::Known(&acl)), Access::List)
    };
    let group =
        |uri: &str, permission: Value| json!({"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission});
    let everybody = |permission: Value| group(ALL_USERS, permission);
    assert_eq!(ask(json!([group(LOG_DELIVERY, json!("WRITE"))]), false), Some(false));
    assert_eq!(
        ask(json!([{"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "READ"}]), false),
        Some(false)
    );
    for odd in [
        group("http://acs.amazonaws.com/groups/global/Others", json!("READ")),
        group("https://acs.amazonaws.com/groups/global/AllUsers", json!("READ")),
        json!({"Grantee": {"Type": "Group"}, "Permission": "READ"}),
        json!({"Permission": "READ"}),
        json!("AllUsers"),
        everybody(json!("read")),
        everybody(json!(null)),
    ] {
        assert_eq!(ask(json!([odd]), false), None, "{odd}");
        assert_eq!(ask(json!([odd]), true), Some(false), "{odd}");
        assert_eq!(ask(json!([odd, everybody(json!("READ"))]), false), Some(true), "{odd}");
    }
}

#[test]
fn conditions_on_the_access_point_are_compared_without_case_where_they_say_so() {
    let handed = |operator: &str, value: &str| {
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b/*", "Condition": {operator: {"s3:AccessPointNetworkOrigin": value}}}});
        let (off, acl, door) = (blocks(false, false), json!({"Grants": []}), point_policy(json!("*")));
        let origin = json!("Internet");
        let points = [point(Input::Known(&origin), Input::Known(&off), Input::Known(&door))];
        let mut b = bucket(Input::Known(&off), Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&acl));
        b.access_points = AccessPoints { read: &points, more: false };
        public(&b, Access::Read)
    };
    assert_eq!(handed("StringEquals", "Internet"), Some(true));
    assert_eq!(handed("StringEquals", "internet"), Some(false));
    assert_eq!(handed("StringEqualsIgnoreCase", "internet"), Some(true));
    // By the bucket's own name the key is absent, so that a negated condition holds there.
    assert_eq!(handed("StringNotEquals", "Internet"), Some(true));
}

#[test]
fn a_deny_in_the_policy_closes_what_the_acl_opens() {
    let off = blocks(false, false);
    let ask = |access: Access, permission: &str, deny: Value| {
        let (acl, policy) = (acl(ALL_USERS, permission), json!({"Version": "2012-10-17", "Statement": deny}));
        public(
            &bucket(Input::Known(&off), Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&acl)),
            access,
        )
    };
    let deny = |action: &str, condition: Value| {
        json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            "Condition": condition})
    };
    let outside = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}});
    for (access, permission) in [
        (Access::List, "READ"),
        (Access::Read, "READ_ACP"),
        (Access::Write, "WRITE"),
        (Access::Write, "WRITE_ACP"),
        (Access::List, "FULL_CONTROL"),
        (Access::Read, "FULL_CONTROL"),
        (Access::Write, "FULL_CONTROL"),
    ] {
        assert_eq!(ask(access, permission, deny("s3:*", outside.clone())), Some(false), "{permission}");
        assert_eq!(
            ask(access, permission, deny("s3:*", json!({"Bool": {"aws:SecureTransport": "false"}}))),
            Some(true)
        );
        assert_eq!(ask(access, permission, deny("s3:DeleteBucket", json!({}))), Some(true), "{permission}");
    }
    // Versions can still be listed.
    assert_eq!(ask(Access::List, "READ", deny("s3:ListBucket", json!({}))), Some(true));
    assert_eq!(ask(Access::List, "READ", deny("s3:*", json!({"Odd": {"aws:PrincipalOrgID": "o-1"}}))), None);
}

#[test]
fn restricting_public_buckets_is_no_proof_against_many_blocks_that_are_each_narrow() {
    let ask = |blocks: &[&str], also_open: bool| {
        let mut statements = vec![json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b/*", "Condition": {"IpAddress": {"aws:SourceIp": blocks}}})];
        if also_open {
            let open =
                json!({"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"});
            statements.push(open);
        }
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let (acl, on) = (json!({"Grants": []}), self::blocks(true, true));
        let b = bucket(Input::Known(&on), Input::Absent, Input::Absent, Input::Known(&policy), Input::Known(&acl));
        [Access::Read, Access::List].map(|access| public(&b, access))
    };
    let (closed, doubt) = ([Some(false), Some(false)], [None, Some(false)]);
    assert_eq!(ask(&["52.0.0.0/8", "54.0.0.0/8"], false), doubt);
    assert_eq!(ask(&["52.0.0.0/8"], false), closed);
    assert_eq!(ask(&["52.0.0.0/7"], false), closed);
    // What Amazon S3 certainly calls public is restricted as a whole.
    assert_eq!(ask(&["52.0.0.0/8", "54.0.0.0/8"], true), closed);
}
