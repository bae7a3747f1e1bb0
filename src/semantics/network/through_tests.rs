//! Truth tables of the ways through load balancers, each from a world in which everything is open.

use super::listing::Listing;
use super::reach::{Network, Parts, Path};
use super::rules::{PortRange, PrefixLists};
use crate::semantics::{Answer, Input};
use proptest::prelude::*;
use serde_json::{Value, json};

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/front/1";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/back/1";
const SECOND: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/inner/2";
const SECOND_GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/apps/2";

fn acl(id: &str, subnet: &str) -> Value {
    let entry = |egress| json!({"RuleNumber": 100, "Egress": egress, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"});
    json!({"NetworkAclId": id, "Associations": [{"SubnetId": subnet}], "Entries": [entry(false), entry(true)]})
}

fn admit(port: u16, source: &str) -> Value {
    let mut rule = json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port});
    match source.starts_with("sg-") {
        true => rule["UserIdGroupPairs"] = json!([{"GroupId": source}]),
        false => rule["IpRanges"] = json!([{"CidrIp": source}]),
    }
    rule
}

/// A private instance that serves port 22, behind a public Network Load Balancer without groups that keeps addresses.
fn network_world() -> Value {
    let anywhere = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
    json!({
        "instance": {
            "InstanceId": "i-1", "State": {"Name": "running"}, "Placement": {"AvailabilityZone": "eu-west-1a"},
            "NetworkInterfaces": [{
                "NetworkInterfaceId": "eni-1", "SubnetId": "subnet-i", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.2.10",
                "Groups": [{"GroupId": "sg-i"}],
            }],
        },
        "groups": [
            {"GroupId": "sg-i", "IpPermissions": [admit(22, "0.0.0.0/0")], "IpPermissionsEgress": anywhere},
            {"GroupId": "sg-b", "IpPermissions": [admit(2222, "0.0.0.0/0")], "IpPermissionsEgress": anywhere},
        ],
        "tables": [
            {"RouteTableId": "rtb-i", "VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": []},
            {"RouteTableId": "rtb-b", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-b"}], "Routes": [
                {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}]},
        ],
        "acls": [acl("acl-b", "subnet-b"), acl("acl-i", "subnet-i"), acl("acl-c", "subnet-c")],
        "subnets": [
            {"SubnetId": "subnet-b", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "eu-west-1a"},
            {"SubnetId": "subnet-i", "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "eu-west-1a"},
            {"SubnetId": "subnet-c", "CidrBlock": "10.0.3.0/24", "AvailabilityZone": "eu-west-1a"},
        ],
        "interfaces": [],
        "balancers": [{
            "LoadBalancerArn": BALANCER, "LoadBalancerName": "front", "DNSName": "front.elb.amazonaws.com", "Type": "network",
            "Scheme": "internet-facing", "VpcId": "vpc-1", "State": {"Code": "active"}, "IpAddressType": "ipv4",
            "AvailabilityZones": [{"SubnetId": "subnet-b", "ZoneName": "eu-west-1a"}], "Attributes": [],
        }],
        "listeners": [{
            "ListenerArn": "l-1", "LoadBalancerArn": BALANCER, "Protocol": "TCP", "Port": 2222,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}],
        }],
        "target_groups": [{
            "TargetGroupArn": GROUP, "TargetGroupName": "back", "Protocol": "TCP", "Port": 22, "VpcId": "vpc-1",
            "TargetType": "instance", "IpAddressType": "ipv4", "LoadBalancerArns": [BALANCER], "Attributes": [],
            "TargetHealth": [{"Target": {"Id": "i-1", "Port": 22}, "TargetHealth": {"State": "healthy"}}],
        }],
        "classic": [],
        "options": {"InternetGatewayBlockMode": "off"},
        "exclusions": [],
    })
}

/// The same with an Application Load Balancer that sends HTTP to port 9200; the instance admits its group only.
fn application_world() -> Value {
    let mut w = network_world();
    w["balancers"][0]["Type"] = json!("application");
    w["balancers"][0]["SecurityGroups"] = json!(["sg-b"]);
    w["listeners"][0]["Protocol"] = json!("HTTP");
    w["target_groups"][0]["Protocol"] = json!("HTTP");
    w["target_groups"][0]["Port"] = json!(9200);
    w["target_groups"][0]["TargetHealth"][0]["Target"]["Port"] = json!(9200);
    w["groups"][0]["IpPermissions"] = json!([admit(9200, "sg-b")]);
    w["listeners"][0]["Rules"] = json!([{"Priority": "default", "IsDefault": true, "Conditions": [],
        "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}]}]);
    w
}

/// The same with a Classic Load Balancer that speaks TCP.
fn classic_world() -> Value {
    let mut w = network_world();
    for member in ["balancers", "listeners", "target_groups"] {
        w[member] = json!([]);
    }
    w["classic"] = json!([{
        "LoadBalancerName": "old", "DNSName": "old.elb.amazonaws.com", "Scheme": "internet-facing", "VPCId": "vpc-1",
        "Subnets": ["subnet-b"], "SecurityGroups": ["sg-b"], "Instances": [{"InstanceId": "i-1"}],
        "ListenerDescriptions": [{"Listener": {"Protocol": "TCP", "LoadBalancerPort": 2222, "InstanceProtocol": "TCP", "InstancePort": 22}}],
        "Attributes": {"CrossZoneLoadBalancing": {"Enabled": true}},
    }]);
    w["groups"][0]["IpPermissions"] = json!([admit(22, "sg-b")]);
    w
}

/// A public Network Load Balancer before an internal Application Load Balancer before the instance.
fn chained_world() -> Value {
    let mut w = application_world();
    w["balancers"] = json!([network_world()["balancers"][0], w["balancers"][0]]);
    w["balancers"][1]["LoadBalancerArn"] = json!(SECOND);
    w["balancers"][1]["LoadBalancerName"] = json!("inner");
    w["balancers"][1]["Scheme"] = json!("internal");
    w["balancers"][1]["AvailabilityZones"] = json!([{"SubnetId": "subnet-c", "ZoneName": "eu-west-1a"}]);
    let mut outer = network_world()["listeners"][0].clone();
    outer["Port"] = json!(80);
    let mut inner = w["listeners"][0].clone();
    inner["LoadBalancerArn"] = json!(SECOND);
    inner["ListenerArn"] = json!("l-2");
    inner["Rules"][0]["Actions"][0]["TargetGroupArn"] = json!(SECOND_GROUP);
    w["listeners"] = json!([outer, inner]);
    let mut apps = w["target_groups"][0].clone();
    apps["TargetGroupArn"] = json!(SECOND_GROUP);
    apps["TargetGroupName"] = json!("apps");
    apps["LoadBalancerArns"] = json!([SECOND]);
    let mut inners = network_world()["target_groups"][0].clone();
    inners["TargetType"] = json!("alb");
    inners["Port"] = json!(2222);
    inners["TargetHealth"] = json!([{"Target": {"Id": SECOND, "Port": 2222}, "TargetHealth": {"State": "healthy"}}]);
    w["target_groups"] = json!([inners, apps]);
    w
}

fn input<'a>(world: &'a Value, member: &str) -> Input<'a> {
    match world.get(member) {
        Some(Value::String(text)) if text == "unread" => Input::Unknown,
        Some(value) => Input::of(value),
        None => Input::Absent,
    }
}

/// A member `unread: [names]` of a document stands for members that could not be read.
fn listing<'a>(world: &'a Value, member: &str) -> Listing<'a> {
    let mut listing = Listing::of(input(world, member));
    for item in &mut listing.items {
        let unread = item.document.get("unread").and_then(Value::as_array);
        item.unread = unread.into_iter().flatten().filter_map(Value::as_str).collect();
    }
    listing
}

fn parts(world: &Value) -> Parts<'_, '_> {
    Parts {
        groups: listing(world, "groups"),
        route_tables: listing(world, "tables"),
        acls: listing(world, "acls"),
        subnets: listing(world, "subnets"),
        interfaces: listing(world, "interfaces"),
        balancers: listing(world, "balancers"),
        listeners: listing(world, "listeners"),
        target_groups: listing(world, "target_groups"),
        classic: listing(world, "classic"),
        block_public_access: input(world, "options"),
        exclusions: input(world, "exclusions"),
        lists: PrefixLists(Input::Absent),
    }
}

fn ask(world: &Value, port: u16) -> Answer<Vec<Path>> {
    let network = Network::new(&parts(world));
    let instance = world["instance"].as_object().unwrap();
    network.reachable(instance, "tcp", &[PortRange::one(port)], &[PortRange::one(9200)])
}

const OPEN: Option<bool> = Some(true);
const SHUT: Option<bool> = Some(false);

/// Whether the port is reached after an edit; `None` for unknown.
fn after(mut world: Value, port: u16, edit: impl FnOnce(&mut Value)) -> Option<bool> {
    edit(&mut world);
    ask(&world, port).known().map(|paths| !paths.is_empty())
}

fn network(edit: impl FnOnce(&mut Value)) -> Option<bool> {
    after(network_world(), 22, edit)
}

fn application(edit: impl FnOnce(&mut Value)) -> Option<bool> {
    after(application_world(), 9200, edit)
}

fn classic(edit: impl FnOnce(&mut Value)) -> Option<bool> {
    after(classic_world(), 22, edit)
}

fn chained(edit: impl FnOnce(&mut Value)) -> Option<bool> {
    after(chained_world(), 9200, edit)
}

#[test]
fn a_private_instance_behind_a_public_network_load_balancer_is_reached_and_the_way_is_shown() {
    let paths = ask(&network_world(), 22).known().unwrap();
    assert_eq!(paths.len(), 1);
    assert_eq!((paths[0].port, paths[0].entrance, paths[0].address.as_str()), (22, 2222, "front.elb.amazonaws.com"));
    assert_eq!(
        paths[0].steps,
        [
            "internet",
            "internet gateway igw-1, route table rtb-b of subnet-b",
            "network ACL acl-b lets port 2222 in",
            "network load balancer front, listener TCP port 2222, target group back",
            "network ACL acl-i lets port 22 in",
            "security group sg-i, rule number 1 from 0.0.0.0/0",
            "interface eni-1 with 10.0.2.10",
            "instance i-1",
        ]
    );
}

#[test]
fn closing_any_part_closes_the_way_through_a_network_load_balancer() {
    assert_eq!(network(|_| {}), OPEN);
    assert_eq!(after(network_world(), 23, |_| {}), SHUT);
    assert_eq!(network(|w| w["instance"]["State"]["Name"] = json!("stopped")), SHUT);
    assert_eq!(network(|w| w["balancers"][0]["Scheme"] = json!("internal")), SHUT);
    assert_eq!(network(|w| w["balancers"][0]["State"]["Code"] = json!("failed")), SHUT);
    assert_eq!(network(|w| w["tables"][1]["Routes"][0]["GatewayId"] = json!("nat-1")), SHUT);
    assert_eq!(network(|w| w["options"]["InternetGatewayBlockMode"] = json!("block-ingress")), SHUT);
    for acl in [0, 1] {
        for entry in [0, 1] {
            let deny = |w: &mut Value| w["acls"][acl]["Entries"][entry]["RuleAction"] = json!("deny");
            assert_eq!(network(deny), SHUT, "acl {acl} entry {entry}");
        }
    }
    assert_eq!(network(|w| w["listeners"] = json!([])), SHUT);
    assert_eq!(network(|w| w["listeners"][0]["Protocol"] = json!("UDP")), SHUT);
    assert_eq!(network(|w| w["listeners"][0]["DefaultActions"] = json!([])), SHUT);
    assert_eq!(network(|w| w["target_groups"][0]["TargetHealth"][0]["Target"]["Id"] = json!("i-2")), SHUT);
    assert_eq!(network(|w| w["target_groups"][0]["TargetHealth"][0]["Target"]["Port"] = json!(23)), SHUT);
    assert_eq!(network(|w| w["groups"][0]["IpPermissions"] = json!([])), SHUT);
    assert_eq!(network(|w| w["groups"][0]["IpPermissions"] = json!([admit(22, "198.51.100.0/24")])), SHUT);
    for protocol in ["TLS", "TCP_UDP", "TCP_QUIC"] {
        assert_eq!(network(|w| w["listeners"][0]["Protocol"] = json!(protocol)), OPEN, "{protocol}");
    }
}

#[test]
fn health_decides_nothing_but_leaving_and_unused_targets_get_nothing() {
    for (state, want) in [
        ("initial", OPEN),
        ("healthy", OPEN),
        ("unhealthy", OPEN),
        ("unhealthy.draining", OPEN),
        ("unavailable", OPEN),
        ("draining", SHUT),
        ("unused", SHUT),
        ("enchanted", None),
    ] {
        let set = |w: &mut Value| w["target_groups"][0]["TargetHealth"][0]["TargetHealth"]["State"] = json!(state);
        assert_eq!(network(set), want, "{state}");
    }
    assert_eq!(network(|w| w["target_groups"][0]["TargetHealth"][0]["TargetHealth"] = json!({})), None);
}

#[test]
fn who_is_the_source_at_the_target_follows_preservation() {
    // kept address, target type, target protocol, rule of the instance: reached?
    let attribute = |value: &str| json!([{"Key": "preserve_client_ip.enabled", "Value": value}]);
    let (world, node, subnet) = ("0.0.0.0/0", "10.0.1.7/32", "10.0.1.0/24");
    for (kind, protocol, set, rule, want) in [
        ("instance", "TCP", None, world, OPEN),
        ("instance", "TCP", None, subnet, SHUT),
        ("instance", "TCP", Some("false"), subnet, OPEN),
        ("instance", "TCP", Some("false"), world, OPEN),
        ("instance", "TCP", Some("false"), node, None),
        ("instance", "TCP", Some("false"), "10.0.3.0/24", SHUT),
        ("instance", "TLS", None, subnet, SHUT),
        ("ip", "TCP", None, subnet, OPEN),
        ("ip", "TLS", None, subnet, OPEN),
        ("ip", "TCP", Some("true"), subnet, SHUT),
        ("ip", "TCP", Some("true"), world, OPEN),
        ("ip", "TCP_UDP", Some("false"), subnet, SHUT),
    ] {
        let edit = |w: &mut Value| {
            w["target_groups"][0]["TargetType"] = json!(kind);
            w["target_groups"][0]["Protocol"] = json!(protocol);
            if kind == "ip" {
                w["target_groups"][0]["TargetHealth"][0]["Target"]["Id"] = json!("10.0.2.10");
            }
            if let Some(value) = set {
                w["target_groups"][0]["Attributes"] = attribute(value);
            }
            w["groups"][0]["IpPermissions"] = json!([admit(22, rule)]);
        };
        assert_eq!(network(edit), want, "{kind} {protocol} {set:?} {rule}");
    }
}

#[test]
fn what_preservation_is_decides_only_where_both_ways_differ() {
    let unread = |rule: &'static str| {
        network(move |w| {
            w["target_groups"][0]["unread"] = json!(["Attributes"]);
            w["balancers"][0]["Attributes"] = json!([{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]);
            w["groups"][0]["IpPermissions"] = json!([admit(22, rule)]);
        })
    };
    assert_eq!(unread("0.0.0.0/0"), OPEN);
    assert_eq!(unread("10.0.1.0/24"), None);
    assert_eq!(unread("192.168.0.0/24"), SHUT);
}

#[test]
fn the_interfaces_of_a_network_load_balancer_say_its_addresses() {
    let with = |node: &'static str| {
        network(move |w| {
            w["target_groups"][0]["Attributes"] = json!([{"Key": "preserve_client_ip.enabled", "Value": "false"}]);
            w["interfaces"] =
                json!([{"Description": "ELB net/front/1", "SubnetId": "subnet-b", "PrivateIpAddress": node}]);
            w["groups"][0]["IpPermissions"] = json!([admit(22, "10.0.1.7/32")]);
        })
    };
    assert_eq!(with("10.0.1.7"), OPEN);
    assert_eq!(with("10.0.1.8"), SHUT);
}

#[test]
fn the_groups_of_a_network_load_balancer_filter_clients_and_can_be_referred_to() {
    let grouped = |inbound: Value, of_instance: Value| {
        network(move |w| {
            w["balancers"][0]["SecurityGroups"] = json!(["sg-b"]);
            w["groups"][1]["IpPermissions"] = inbound;
            w["groups"][0]["IpPermissions"] = of_instance;
        })
    };
    let (world, office) = (json!([admit(2222, "0.0.0.0/0")]), json!([admit(2222, "198.51.100.0/24")]));
    let (anybody, referred) = (json!([admit(22, "0.0.0.0/0")]), json!([admit(22, "sg-b")]));
    assert_eq!(grouped(world.clone(), anybody.clone()), OPEN);
    assert_eq!(grouped(world.clone(), referred.clone()), OPEN);
    assert_eq!(grouped(office.clone(), referred), SHUT);
    assert_eq!(grouped(office, anybody.clone()), SHUT);
    assert_eq!(grouped(json!([admit(22, "0.0.0.0/0")]), anybody.clone()), SHUT);
    let unread = |w: &mut Value| {
        w["balancers"][0]["SecurityGroups"] = json!(["sg-x"]);
    };
    assert_eq!(network(unread), None);
    let silent = |w: &mut Value| {
        w["balancers"][0]["SecurityGroups"] = json!(["sg-b"]);
        w["groups"][1]["IpPermissionsEgress"] = json!([admit(22, "10.9.0.0/16")]);
    };
    assert_eq!(network(silent), SHUT);
    let narrow = |w: &mut Value| {
        w["balancers"][0]["SecurityGroups"] = json!(["sg-b"]);
        w["groups"][1]["IpPermissionsEgress"] = json!([admit(22, "sg-i")]);
    };
    assert_eq!(network(narrow), OPEN);
}

#[test]
fn nodes_reach_other_zones_only_with_cross_zone_load_balancing() {
    let away = |w: &mut Value| w["instance"]["Placement"]["AvailabilityZone"] = json!("eu-west-1b");
    let flag = |value: &str| json!([{"Key": "load_balancing.cross_zone.enabled", "Value": value}]);
    assert_eq!(network(away), SHUT);
    assert_eq!(application(away), OPEN);
    let on = |w: &mut Value| {
        away(w);
        w["balancers"][0]["Attributes"] = flag("true");
    };
    assert_eq!(network(on), OPEN);
    let group = |value: &'static str| {
        move |w: &mut Value| {
            on(w);
            w["target_groups"][0]["Attributes"] = flag(value);
        }
    };
    assert_eq!(network(group("false")), SHUT);
    assert_eq!(network(group("use_load_balancer_configuration")), OPEN);
    assert_eq!(application(group("false")), SHUT);
    let unread = |w: &mut Value| {
        away(w);
        w["balancers"][0]["unread"] = json!(["Attributes"]);
    };
    assert_eq!(network(unread), None);
    assert_eq!(network(|w| w["balancers"][0]["unread"] = json!(["Attributes"])), OPEN);
}

#[test]
fn the_way_through_an_application_load_balancer_carries_http_only() {
    assert_eq!(application(|_| {}), OPEN);
    let to_22 = |w: &mut Value| {
        w["target_groups"][0]["TargetHealth"][0]["Target"]["Port"] = json!(22);
        w["groups"][0]["IpPermissions"] = json!([admit(22, "sg-b")]);
    };
    assert_eq!(after(application_world(), 22, to_22), SHUT);
    let tcp = |w: &mut Value| {
        to_22(w);
        w["balancers"][0]["Type"] = json!("network");
        w["listeners"][0]["Protocol"] = json!("TCP");
        w["target_groups"][0]["Protocol"] = json!("TCP");
    };
    assert_eq!(after(application_world(), 22, tcp), OPEN);
    for (rule, want) in
        [("sg-b", OPEN), ("10.0.1.0/24", OPEN), ("10.0.0.0/16", OPEN), ("sg-x", SHUT), ("10.0.3.0/24", SHUT)]
    {
        assert_eq!(application(|w| w["groups"][0]["IpPermissions"] = json!([admit(9200, rule)])), want, "{rule}");
    }
    assert_eq!(application(|w| w["groups"][1]["IpPermissions"] = json!([])), SHUT);
    assert_eq!(application(|w| w["groups"][1]["IpPermissionsEgress"] = json!([])), SHUT);
    assert_eq!(application(|w| w["balancers"][0]["SecurityGroups"] = json!([])), None);
}

#[test]
fn only_forwards_are_ways_and_rules_are_walked_by_priority() {
    let rule = |priority: &str, conditions: Value, action: Value| json!({"Priority": priority, "IsDefault": priority == "default", "Conditions": conditions, "Actions": [action]});
    let forward = || json!({"Type": "forward", "TargetGroupArn": GROUP});
    let redirect = || json!({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}});
    let fixed = || json!({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}});
    let path = |pattern: &str| json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}]);
    let from = |block: &str| json!([{"Field": "source-ip", "SourceIpConfig": {"Values": [block]}}]);
    let header = || json!([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin"}}]);
    let weighted = |weight: i64| json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": weight}]}});
    let last = |action: Value| rule("default", json!([]), action);
    for (name, rules, want) in [
        ("redirect", vec![last(redirect())], SHUT),
        ("fixed response", vec![last(fixed())], SHUT),
        ("weight 0", vec![last(weighted(0))], SHUT),
        ("weight 1", vec![last(weighted(1))], OPEN),
        ("a path beside a redirect", vec![rule("1", path("/api/*"), forward()), last(redirect())], OPEN),
        ("a redirect of one path before", vec![rule("1", path("/old"), redirect()), last(forward())], OPEN),
        ("a redirect of all paths before", vec![rule("1", path("/*"), redirect()), last(forward())], SHUT),
        (
            "the order is by number",
            vec![rule("10", path("/*"), redirect()), rule("9", path("/a"), forward()), last(fixed())],
            OPEN,
        ),
        ("known addresses", vec![rule("1", from("198.51.100.0/24"), forward()), last(fixed())], SHUT),
        ("all addresses", vec![rule("1", from("0.0.0.0/0"), forward()), last(fixed())], OPEN),
        ("all addresses refused before", vec![rule("1", from("0.0.0.0/0"), fixed()), last(forward())], SHUT),
        ("half refused before", vec![rule("1", from("0.0.0.0/1"), fixed()), last(forward())], OPEN),
        ("a header that may be a secret", vec![rule("1", header(), forward()), last(fixed())], None),
        ("a header that shields nothing", vec![rule("1", header(), fixed()), last(forward())], OPEN),
        ("a condition of tomorrow", vec![rule("1", json!([{"Field": "mood"}]), forward()), last(fixed())], None),
    ] {
        assert_eq!(application(|w| w["listeners"][0]["Rules"] = json!(rules)), want, "{name}");
    }
}

#[test]
fn a_sign_in_before_the_target_leaves_it_unknown_who_gets_in() {
    let before = |action: Value| {
        application(move |w| {
            let actions = &mut w["listeners"][0]["Rules"][0]["Actions"];
            *actions = json!([action, actions[0]]);
        })
    };
    assert_eq!(
        before(json!({"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "https://id.example.com"}})),
        None
    );
    assert_eq!(
        before(
            json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {"OnUnauthenticatedRequest": "deny"}})
        ),
        None
    );
    assert_eq!(
        before(
            json!({"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {"OnUnauthenticatedRequest": "allow"}})
        ),
        OPEN
    );
    assert_eq!(before(json!({"Type": "jwt-validation", "JwtValidationConfig": {}})), None);
    assert_eq!(application(|w| w["listeners"][0]["MutualAuthentication"] = json!({"Mode": "verify"})), None);
    assert_eq!(application(|w| w["listeners"][0]["MutualAuthentication"] = json!({"Mode": "passthrough"})), OPEN);
}

#[test]
fn classic_balancers_carry_what_their_listener_speaks() {
    assert_eq!(classic(|_| {}), OPEN);
    assert_eq!(classic(|w| w["classic"][0]["Scheme"] = json!("internal")), SHUT);
    assert_eq!(classic(|w| w["classic"][0]["Instances"] = json!([])), SHUT);
    let speaks = |protocol: &'static str| {
        classic(move |w| w["classic"][0]["ListenerDescriptions"][0]["Listener"]["Protocol"] = json!(protocol))
    };
    for (protocol, want) in [("TCP", OPEN), ("SSL", OPEN), ("HTTP", SHUT), ("HTTPS", SHUT)] {
        assert_eq!(speaks(protocol), want, "{protocol}");
    }
    let away = |cross: bool| {
        classic(move |w| {
            w["instance"]["Placement"]["AvailabilityZone"] = json!("eu-west-1b");
            w["classic"][0]["Attributes"]["CrossZoneLoadBalancing"]["Enabled"] = json!(cross);
        })
    };
    assert_eq!(away(true), OPEN);
    assert_eq!(away(false), SHUT);
    assert_eq!(classic(|w| w["groups"][0]["IpPermissions"] = json!([admit(22, "198.51.100.0/24")])), SHUT);
}

#[test]
fn an_application_load_balancer_behind_a_network_load_balancer_is_a_way() {
    assert_eq!(chained(|_| {}), OPEN);
    let paths = ask(&chained_world(), 9200).known().unwrap();
    assert_eq!(paths[0].entrance, 80);
    assert!(paths[0].steps.iter().any(|s| s.starts_with("application load balancer inner")), "{:?}", paths[0].steps);
    // The inner balancer sees the clients themselves.
    assert_eq!(chained(|w| w["groups"][1]["IpPermissions"] = json!([admit(2222, "10.0.1.0/24")])), SHUT);
    let not_kept = |w: &mut Value| {
        w["target_groups"][0]["Attributes"] = json!([{"Key": "preserve_client_ip.enabled", "Value": "false"}]);
        w["groups"][1]["IpPermissions"] = json!([admit(2222, "10.0.1.0/24")]);
    };
    assert_eq!(chained(not_kept), OPEN);
    assert_eq!(chained(|w| w["listeners"][1]["Port"] = json!(2223)), SHUT);
    assert_eq!(chained(|w| w["listeners"][1]["Rules"][0]["Actions"][0]["Type"] = json!("fixed-response")), SHUT);
    assert_eq!(chained(|w| w["listeners"][1]["unread"] = json!(["Rules"])), None);
    assert_eq!(chained(|w| w["balancers"].as_array_mut().unwrap().truncate(1)), None);
    // HTTP is all that gets through both.
    let to_22 = |w: &mut Value| {
        w["target_groups"][1]["TargetHealth"][0]["Target"]["Port"] = json!(22);
        w["groups"][0]["IpPermissions"] = json!([admit(22, "sg-b")]);
    };
    assert_eq!(after(chained_world(), 22, to_22), SHUT);
}

#[test]
fn what_was_not_read_is_unknown_where_the_answer_turns_on_it() {
    for part in ["groups", "tables", "acls", "options", "balancers", "listeners", "target_groups"] {
        assert_eq!(network(|w| w[part] = json!("unread")), None, "{part}");
        let stopped = |w: &mut Value| {
            w[part] = json!("unread");
            w["instance"]["State"]["Name"] = json!("stopped");
        };
        assert_eq!(network(stopped), SHUT, "{part}");
    }
    for part in ["balancers", "listeners", "target_groups", "classic"] {
        let closed = |w: &mut Value| {
            w[part] = json!("unread");
            w["groups"][0]["IpPermissions"] = json!([]);
        };
        assert_eq!(network(closed), SHUT, "{part}");
        let certain = |w: &mut Value| w["classic"] = json!("unread");
        assert_eq!(network(certain), OPEN);
        assert_eq!(classic(|w| w[part] = json!("unread")), if part == "classic" { None } else { OPEN }, "{part}");
    }
    assert_eq!(network(|w| w["target_groups"][0]["unread"] = json!(["TargetHealth"])), None);
    let internal = |w: &mut Value| {
        w["balancers"][0]["Scheme"] = json!("internal");
        w["target_groups"][0]["unread"] = json!(["TargetHealth"]);
    };
    assert_eq!(network(internal), SHUT);
    assert_eq!(application(|w| w["listeners"][0]["unread"] = json!(["Rules"])), None);
    assert_eq!(application(|w| w["subnets"] = json!("unread")), OPEN);
    let by_address = |w: &mut Value| {
        w["subnets"] = json!("unread");
        w["groups"][0]["IpPermissions"] = json!([admit(9200, "10.0.1.0/24")]);
    };
    assert_eq!(application(by_address), None);
}

#[test]
fn a_target_by_address_is_the_instance_of_that_vpc() {
    let by_address = |vpc: &'static str, zone: Option<&'static str>| {
        network(move |w| {
            let target = &mut w["target_groups"][0];
            target["TargetType"] = json!("ip");
            target["VpcId"] = json!(vpc);
            target["TargetHealth"][0]["Target"]["Id"] = json!("10.0.2.10");
            if let Some(zone) = zone {
                target["TargetHealth"][0]["Target"]["AvailabilityZone"] = json!(zone);
            }
        })
    };
    assert_eq!(by_address("vpc-1", Some("eu-west-1a")), OPEN);
    assert_eq!(by_address("vpc-1", None), OPEN);
    assert_eq!(by_address("vpc-2", Some("eu-west-1a")), SHUT);
    assert_eq!(by_address("vpc-2", Some("all")), None);
}

#[test]
fn a_target_outside_the_vpc_is_in_all_zones() {
    let outside = |w: &mut Value| {
        let target = &mut w["target_groups"][0];
        target["TargetType"] = json!("ip");
        target["VpcId"] = json!("vpc-2");
        target["TargetHealth"][0]["Target"] = json!({"Id": "10.0.2.10", "Port": 22, "AvailabilityZone": "all"});
        w["balancers"][0]["AvailabilityZones"][0]["ZoneName"] = json!("eu-west-1b");
    };
    assert_eq!(network(outside), None);
}

#[test]
fn a_target_in_a_prefix_of_the_interface_is_the_instance() {
    let delegated = |prefix: &'static str| {
        network(move |w| {
            w["instance"]["NetworkInterfaces"][0]["Ipv4Prefixes"] = json!([{"Ipv4Prefix": prefix}]);
            w["target_groups"][0]["TargetType"] = json!("ip");
            w["target_groups"][0]["TargetHealth"][0]["Target"]["Id"] = json!("10.0.2.71");
            w["target_groups"][0]["Attributes"] = json!([{"Key": "preserve_client_ip.enabled", "Value": "true"}]);
        })
    };
    assert_eq!(delegated("10.0.2.64/28"), OPEN);
    assert_eq!(delegated("10.0.2.80/28"), SHUT);
    assert_eq!(delegated("no prefix"), SHUT);
}

#[test]
fn actions_and_target_groups_of_a_new_kind_leave_a_doubt() {
    assert_eq!(network(|w| w["listeners"][0]["DefaultActions"][0]["Type"] = json!("new")), None);
    assert_eq!(application(|w| w["listeners"][0]["Rules"][0]["Actions"][0]["Type"] = json!("new")), None);
    assert_eq!(network(|w| w["target_groups"][0]["TargetType"] = json!("new")), None);
    assert_eq!(chained(|w| w["target_groups"][1]["TargetType"] = json!("new")), None);
    let closed = |w: &mut Value| {
        w["target_groups"][0]["TargetType"] = json!("new");
        w["groups"][0]["IpPermissions"] = json!([]);
    };
    assert_eq!(network(closed), SHUT);
}

#[test]
fn a_balancer_without_subnets_is_somewhere() {
    assert_eq!(network(|w| w["balancers"][0]["AvailabilityZones"] = json!([])), None);
    assert_eq!(network(|w| w["balancers"][0]["AvailabilityZones"] = json!([{"ZoneName": "eu-west-1a"}])), None);
    assert_eq!(classic(|w| w["classic"][0]["Subnets"] = json!([])), None);
    assert_eq!(classic(|w| w["classic"][0]["Scheme"] = json!(null)), OPEN);
}

#[test]
fn ipv6_comes_in_by_dual_stack_balancers() {
    let dual = |w: &mut Value| {
        w["balancers"][0]["IpAddressType"] = json!("dualstack");
        w["tables"][1]["Routes"] =
            json!([{"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "State": "active"}]);
        for egress in [false, true] {
            let entry = json!({"RuleNumber": 101, "Egress": egress, "RuleAction": "allow", "Protocol": "-1", "Ipv6CidrBlock": "::/0"});
            w["acls"][0]["Entries"].as_array_mut().unwrap().push(entry);
        }
        w["groups"][1]["IpPermissions"][0]["Ipv6Ranges"] = json!([{"CidrIpv6": "::/0"}]);
    };
    assert_eq!(application(dual), OPEN);
    // What changes the family comes from the node.
    assert_eq!(network(dual), OPEN);
    let clients_only = |w: &mut Value| {
        dual(w);
        w["groups"][0]["IpPermissions"] =
            json!([{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]);
    };
    assert_eq!(network(clients_only), SHUT);
    let internal = |deny: Option<&'static str>| {
        application(move |w| {
            dual(w);
            w["balancers"][0]["Scheme"] = json!("internal");
            if let Some(value) = deny {
                w["balancers"][0]["Attributes"] = json!([{"Key": "ipv6.deny_all_igw_traffic", "Value": value}]);
            }
        })
    };
    assert_eq!(internal(None), SHUT);
    assert_eq!(internal(Some("true")), SHUT);
    assert_eq!(internal(Some("false")), OPEN);
    let without_ipv4 = |w: &mut Value| w["balancers"][0]["IpAddressType"] = json!("dualstack-without-public-ipv4");
    assert_eq!(application(without_ipv4), SHUT);
}

#[test]
fn an_instance_faces_the_internet_by_an_address_or_as_a_target() {
    let faces = |world: Value| {
        let network = Network::new(&parts(&world));
        network.faces_internet(world["instance"].as_object().unwrap()).known()
    };
    let with = |edit: fn(&mut Value)| {
        let mut world = network_world();
        edit(&mut world);
        world
    };
    assert_eq!(faces(network_world()), OPEN);
    assert_eq!(faces(classic_world()), OPEN);
    assert_eq!(faces(chained_world()), OPEN);
    assert_eq!(faces(with(|w| w["balancers"][0]["Scheme"] = json!("internal"))), SHUT);
    assert_eq!(faces(with(|w| w["target_groups"][0]["TargetHealth"] = json!([]))), SHUT);
    assert_eq!(faces(with(|w| w["target_groups"] = json!("unread"))), None);
    assert_eq!(faces(with(|w| w["balancers"] = json!("unread"))), None);
    assert_eq!(faces(with(|w| w["classic"] = json!("unread"))), OPEN);
    assert_eq!(faces(with(|w| w["listeners"] = json!("unread"))), OPEN);
    assert_eq!(faces(with(|w| w["target_groups"][0]["unread"] = json!(["TargetHealth"]))), None);
    let public = |w: &mut Value| {
        w["target_groups"] = json!("unread");
        w["instance"]["NetworkInterfaces"][0]["Association"] = json!({"PublicIp": "203.0.113.5"});
    };
    assert_eq!(faces(with(public)), OPEN);
}

/// How open: shut, perhaps, open.
fn openness(world: &Value, port: u16) -> u8 {
    match ask(world, port) {
        Answer::Known(paths) => {
            if paths.is_empty() {
                0
            } else {
                2
            }
        }
        Answer::Unknown(_) => 1,
    }
}

fn worlds() -> impl Strategy<Value = (Value, u16)> {
    prop_oneof![
        Just((network_world(), 22)),
        Just((application_world(), 9200)),
        Just((classic_world(), 22)),
        Just((chained_world(), 9200)),
    ]
}

proptest! {
    #[test]
    fn narrowing_a_source_never_widens_exposure((world, port) in worlds(), group in 0usize..2, at in any::<u32>(), length in 0u8..=32, more in 0u8..16) {
        let block = |length: u8| {
            let net = ipnet::IpNet::new(std::net::IpAddr::V4(at.into()), length.min(32)).unwrap();
            net.trunc().to_string()
        };
        let with = |source: String| {
            let mut world = world.clone();
            for rule in world["groups"][group]["IpPermissions"].as_array_mut().unwrap() {
                rule["UserIdGroupPairs"] = json!([]);
                rule["IpRanges"] = json!([{"CidrIp": source}]);
            }
            openness(&world, port)
        };
        let (wide, narrow) = (with(block(length)), with(block(length + more)));
        // A narrower source can turn a certain way into a doubtful one, and a doubtful one into none.
        prop_assert!(narrow <= wide, "{narrow} after {wide}");
    }

    #[test]
    fn a_deny_entry_never_adds_a_way((world, port) in worlds(), acl in 0usize..3, egress in any::<bool>(), number in 1i64..200, from in any::<u16>(), to in any::<u16>(), at in any::<u32>(), length in 0u8..=32) {
        let net = ipnet::IpNet::new(std::net::IpAddr::V4(at.into()), length).unwrap().trunc().to_string();
        let before = openness(&world, port);
        let mut denied = world;
        let entry = json!({"RuleNumber": number, "Egress": egress, "RuleAction": "deny", "Protocol": "6", "CidrBlock": net,
            "PortRange": {"From": from.min(to), "To": from.max(to)}});
        denied["acls"][acl]["Entries"].as_array_mut().unwrap().push(entry);
        prop_assert!(openness(&denied, port) <= before);
    }

    #[test]
    fn foreign_documents_never_panic((mut world, port) in worlds(), part in 0usize..9, junk in "[a-z\\[\\]{}:\"0-9,]{0,40}") {
        let names = ["groups", "tables", "acls", "subnets", "interfaces", "balancers", "listeners", "target_groups", "classic"];
        let value = serde_json::from_str(&junk).unwrap_or(Value::String(junk));
        if let Some(Value::Object(first)) = world[names[part]].get_mut(0) {
            for (_, member) in first.iter_mut() {
                *member = value.clone();
            }
        }
        let _ = ask(&world, port);
    }
}
