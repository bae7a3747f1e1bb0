//! How long it takes to say which of 10,000 instances the internet reaches, in a region with 2,000 security groups and 50
//! load balancers. The design asks for less than a second on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use soc2scan::semantics::network::rules::PrefixLists;
use soc2scan::semantics::network::{Listing, Network, Parts, PortRange};
use soc2scan::semantics::{Answer, Input};
use std::hint::black_box;

const INSTANCES: usize = 10_000;
const GROUPS: usize = 2_000;
const BALANCERS: usize = 50;
const SUBNETS: usize = 60;

/// The lists of a region, by the names that [`parts`] knows.
fn region() -> Value {
    json!({
        "groups": (0..GROUPS).map(group).collect::<Value>(),
        "tables": [
            {"RouteTableId": "rtb-private", "VpcId": "vpc", "Associations": [{"Main": true}], "Routes": []},
            {"RouteTableId": "rtb-public", "VpcId": "vpc", "Associations": (0..SUBNETS / 2).map(|n| json!({"SubnetId": format!("subnet-{n}")})).collect::<Value>(),
             "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}]},
        ],
        "acls": (0..SUBNETS).map(acl).collect::<Value>(),
        "subnets": (0..SUBNETS).map(|n| json!({"SubnetId": format!("subnet-{n}"), "CidrBlock": format!("10.0.{n}.0/24"), "AvailabilityZone": "a"})).collect::<Value>(),
        "balancers": (0..BALANCERS).map(balancer).collect::<Value>(),
        "listeners": (0..BALANCERS).map(listener).collect::<Value>(),
        "target_groups": (0..BALANCERS).map(target_group).collect::<Value>(),
    })
}

/// One in ten opens a port to the internet, the others to the company or to the group before.
fn group(n: usize) -> Value {
    let source = if n.is_multiple_of(10) { "0.0.0.0/0".to_owned() } else { format!("10.{}.0.0/16", n % 200) };
    let rule =
        |port: usize| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]});
    let near = json!({"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8090, "UserIdGroupPairs": [{"GroupId": format!("sg-{}", n.saturating_sub(1))}]});
    let out = json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    json!({"GroupId": format!("sg-{n}"), "IpPermissions": [rule(22), rule(443), near], "IpPermissionsEgress": [out]})
}

fn acl(n: usize) -> Value {
    let entry = |number, egress, action, block: &str| json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1", "CidrBlock": block});
    json!({"NetworkAclId": format!("acl-{n}"), "Associations": [{"SubnetId": format!("subnet-{n}")}], "Entries": [
        entry(90, false, "deny", "192.0.2.0/24"), entry(100, false, "allow", "0.0.0.0/0"), entry(100, true, "allow", "0.0.0.0/0")]})
}

fn balancer(n: usize) -> Value {
    json!({"LoadBalancerArn": format!("lb-{n}"), "LoadBalancerName": format!("lb-{n}"), "DNSName": format!("lb-{n}.elb.amazonaws.com"),
        "Type": "network", "Scheme": "internet-facing", "VpcId": "vpc", "IpAddressType": "ipv4", "Attributes": [],
        "AvailabilityZones": [{"SubnetId": format!("subnet-{}", n % 30), "ZoneName": "a"}]})
}

fn listener(n: usize) -> Value {
    json!({"LoadBalancerArn": format!("lb-{n}"), "Protocol": "TCP", "Port": 22,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": format!("tg-{n}")}]})
}

fn target_group(n: usize) -> Value {
    let target = |m: usize| json!({"Target": {"Id": format!("i-{}", n * 100 + m), "Port": 22}, "TargetHealth": {"State": "healthy"}});
    json!({"TargetGroupArn": format!("tg-{n}"), "TargetGroupName": format!("tg-{n}"), "Protocol": "TCP", "Port": 22, "VpcId": "vpc",
        "TargetType": "instance", "LoadBalancerArns": [format!("lb-{n}")], "Attributes": [], "TargetHealth": (0..100).map(target).collect::<Value>()})
}

/// Half of them have a public address.
fn instance(n: usize) -> Map<String, Value> {
    let mut interface = json!({"NetworkInterfaceId": format!("eni-{n}"), "SubnetId": format!("subnet-{}", n % SUBNETS), "VpcId": "vpc",
        "PrivateIpAddress": format!("10.0.{}.{}", n % SUBNETS, n % 250), "Groups": [{"GroupId": format!("sg-{}", n % GROUPS)}, {"GroupId": format!("sg-{}", n * 7 % GROUPS)}]});
    if n.is_multiple_of(2) {
        interface["Association"] = json!({"PublicIp": format!("203.0.113.{}", n % 250)});
    }
    let document = json!({"InstanceId": format!("i-{n}"), "State": {"Name": "running"}, "Placement": {"AvailabilityZone": "a"}, "NetworkInterfaces": [interface]});
    if let Value::Object(members) = document { members } else { Map::new() }
}

fn parts(region: &Value) -> Parts<'_, '_> {
    let listing = |name: &str| Listing::of(region.get(name).map_or(Input::Absent, Input::of));
    Parts {
        groups: listing("groups"),
        route_tables: listing("tables"),
        acls: listing("acls"),
        subnets: listing("subnets"),
        interfaces: listing("interfaces"),
        balancers: listing("balancers"),
        listeners: listing("listeners"),
        target_groups: listing("target_groups"),
        classic: listing("classic"),
        block_public_access: Input::Absent,
        exclusions: Input::Absent,
        lists: PrefixLists(Input::Absent),
    }
}

/// How many instances are reached on SSH.
fn reached(region: &Value, instances: &[Map<String, Value>]) -> usize {
    let network = Network::new(&parts(region));
    let open = |instance: &&Map<String, Value>| {
        let ways = network.reachable(instance, "tcp", &[PortRange::one(22)], &[]);
        matches!(ways, Answer::Known(ways) if !ways.is_empty())
    };
    instances.iter().filter(open).count()
}

fn reachability(criterion: &mut Criterion) {
    let region = region();
    let instances: Vec<Map<String, Value>> = (0..INSTANCES).map(instance).collect();
    let found = reached(&region, &instances);
    assert!(found > INSTANCES / 100 && found < INSTANCES, "{found} instances are reached");
    let mut group = criterion.benchmark_group("reachability of 10,000 instances, 2,000 groups");
    group.sample_size(10).throughput(Throughput::Elements(INSTANCES as u64));
    group.bench_function("index and ask, one thread", |bencher| {
        bencher.iter(|| black_box(reached(&region, &instances)));
    });
    group.finish();
}

criterion_group!(benches, reachability);
criterion_main!(benches);
