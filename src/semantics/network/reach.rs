//! Whether an instance can be reached from the internet: a public address, a route to an internet gateway, a network
//! ACL that lets the packet in and the answer out, no VPC Block Public Access, and a rule of a group of that
//! interface. The answer is a path that a person can follow. It must never call an instance unreachable because a
//! part of the path was not read. Load balancers in front of an instance are not looked at here.

use super::rules::{Admitted, PortRange, PrefixLists, RuleSet};
use super::{acl, asked};
use crate::semantics::address::{AddressSet, Family, parse_block, public_space};
use crate::semantics::{Answer, Input};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The network of one account and region, indexed once and asked for many instances.
#[derive(Debug)]
pub struct Network<'a> {
    groups: Option<HashMap<&'a str, Answer<RuleSet>>>,
    tables: Option<Routing<'a>>,
    acls: Option<HashMap<&'a str, &'a Value>>,
    block_public_access: Input<'a>,
    exclusions: Input<'a>,
    lists: PrefixLists<'a>,
}

#[derive(Debug, Default)]
struct Routing<'a> {
    by_subnet: HashMap<&'a str, &'a Value>,
    main_of_vpc: HashMap<&'a str, &'a Value>,
}

/// What a network is made of, each as boto3 lists it.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// `SecurityGroups` of `DescribeSecurityGroups`.
    pub groups: Input<'a>,
    /// `RouteTables` of `DescribeRouteTables`.
    pub route_tables: Input<'a>,
    /// `NetworkAcls` of `DescribeNetworkAcls`.
    pub acls: Input<'a>,
    /// `VpcBlockPublicAccessOptions` of `DescribeVpcBlockPublicAccessOptions`.
    pub block_public_access: Input<'a>,
    /// `VpcBlockPublicAccessExclusions` of `DescribeVpcBlockPublicAccessExclusions`.
    pub exclusions: Input<'a>,
    /// Managed prefix lists.
    pub lists: PrefixLists<'a>,
}

/// A way from the internet to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// The port that is reached.
    pub port: u16,
    /// `tcp`, `udp`, or the protocol's number.
    pub protocol: String,
    /// IPv4 or IPv6.
    pub family: Family,
    /// The public address of the interface.
    pub address: String,
    /// The steps from the internet to the instance, each in a few words.
    pub steps: Vec<String>,
}

/// What one step lets through: for certain, and at most.
struct Passed {
    least: AddressSet,
    most: AddressSet,
    doubt: Option<String>,
    step: String,
}

impl Passed {
    fn certain(set: AddressSet, step: String) -> Self {
        Passed { least: set.clone(), most: set, doubt: None, step }
    }

    fn unknown(why: String) -> Self {
        Passed { least: AddressSet::default(), most: public_space().clone(), doubt: Some(why), step: String::new() }
    }
}

/// A group's id with its rules, where the group is known.
type NamedRules<'i, 'n> = (&'i str, Option<&'n Answer<RuleSet>>);

/// An address of an interface that the internet can send to.
struct Address {
    family: Family,
    text: String,
}

impl<'a> Network<'a> {
    /// Indexes the parts of a network.
    pub fn new(parts: Parts<'a>) -> Self {
        Network {
            groups: rule_sets(parts.groups, &parts.lists),
            tables: routing(parts.route_tables),
            acls: acls_by_subnet(parts.acls),
            block_public_access: parts.block_public_access,
            exclusions: parts.exclusions,
            lists: parts.lists,
        }
    }

    /// The ways from the internet to any of the ports of an instance (an element of `Instances` of
    /// `DescribeInstances`), one for each port at which something changes; empty where there is none, also for an
    /// instance that does not run or has no public address. Protocols as in [`super::opens`].
    pub fn reachable(&self, instance: &Value, protocol: &str, ports: &[PortRange]) -> Answer<Vec<Path>> {
        let Some(numbers) = asked(protocol) else {
            return Answer::Unknown(format!("the protocol '{protocol}' is not known"));
        };
        match instance.get("State").and_then(|s| s.get("Name")).and_then(Value::as_str) {
            Some("running") => {}
            Some(_) => return Answer::Known(Vec::new()),
            None => return Answer::Unknown("the state of the instance is not known".to_string()),
        }
        let Some(interfaces) = instance.get("NetworkInterfaces").and_then(Value::as_array) else {
            return Answer::Unknown("the network interfaces of the instance are not known".to_string());
        };
        let (mut paths, mut doubt) = (Vec::new(), None);
        for interface in interfaces {
            for address in addresses(interface) {
                for number in &numbers {
                    match self.through(instance, interface, &address, *number, ports) {
                        Answer::Known(found) => paths.extend(found),
                        Answer::Unknown(why) => doubt = doubt.or(Some(why)),
                    }
                }
            }
        }
        match doubt {
            Some(why) if paths.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(paths),
        }
    }

    fn through(
        &self,
        instance: &Value,
        interface: &Value,
        address: &Address,
        number: u8,
        ports: &[PortRange],
    ) -> Answer<Vec<Path>> {
        let fixed = [self.block(interface), self.route(interface), self.answered(interface, number)];
        let (mut paths, mut doubt) = (Vec::new(), None);
        for port in self.ports_to_try(interface, ports) {
            let at_port = [self.acl(interface, number, port), self.group(interface, number, port)];
            let steps: Vec<&Passed> = fixed.iter().chain(&at_port).collect();
            let open = |pick: fn(&Passed) -> &AddressSet| {
                let left = steps.iter().fold(public_space().clone(), |set, step| set.intersection(pick(step)));
                left.internet().contains(&address.family)
            };
            if open(|p| &p.least) {
                paths.push(path(instance, interface, address, number, port, &steps));
            } else if open(|p| &p.most) {
                doubt = doubt.or_else(|| steps.iter().find_map(|s| s.doubt.clone()));
            }
        }
        match doubt {
            Some(why) if paths.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(paths),
        }
    }

    /// The first of the asked ports, and those at which a rule or an ACL entry begins or has ended.
    fn ports_to_try(&self, interface: &Value, ports: &[PortRange]) -> BTreeSet<u16> {
        let mut changes: BTreeSet<u16> = ports.iter().map(|p| p.from).collect();
        for (_, rules) in self.groups_of(interface).unwrap_or_default() {
            if let Some(Answer::Known(rules)) = rules {
                changes.extend(rules.edges());
            }
        }
        if let Some(entries) = self.acl_of(interface) {
            changes.extend(acl::edges(Input::Known(entries).member("Entries")));
        }
        changes.into_iter().filter(|c| ports.iter().any(|p| p.from <= *c && *c <= p.to)).collect()
    }

    /// The groups of an interface with their rules; no rules for a group that is not known.
    fn groups_of<'i>(&self, interface: &'i Value) -> Option<Vec<NamedRules<'i, '_>>> {
        let list = interface.get("Groups")?.as_array()?;
        let ids = list.iter().map(|group| text(group, "GroupId").unwrap_or_default());
        Some(ids.map(|id| (id, self.groups.as_ref().and_then(|groups| groups.get(id)))).collect())
    }

    fn acl_of(&self, interface: &Value) -> Option<&'a Value> {
        self.acls.as_ref()?.get(text(interface, "SubnetId")?).copied()
    }

    fn group(&self, interface: &Value, number: u8, port: u16) -> Passed {
        let Some(groups) = self.groups_of(interface) else {
            return Passed::unknown("the security groups of an interface are not known".to_string());
        };
        let mut all = Admitted::default();
        for (id, rules) in groups {
            let found = match rules {
                Some(Answer::Known(rules)) => rules.admitted(number, port),
                Some(Answer::Unknown(why)) => Admitted { doubt: Some(why.clone()), ..Admitted::default() },
                None => {
                    let why = format!("the security group {id} of the instance could not be read");
                    Admitted { doubt: Some(why), ..Admitted::default() }
                }
            };
            all.set.extend(&found.set);
            all.rules.extend(found.rules.iter().map(|rule| format!("security group {id}, {rule}")));
            all.doubt = all.doubt.or(found.doubt);
        }
        let most = if all.doubt.is_some() { public_space().clone() } else { all.set.clone() };
        Passed { least: all.set, most, doubt: all.doubt, step: all.rules.join("; ") }
    }

    fn acl(&self, interface: &Value, number: u8, port: u16) -> Passed {
        let Some(found) = self.acl_of(interface) else {
            return Passed::unknown("the network ACL of the subnet could not be read".to_string());
        };
        match acl::lets_through(Input::Known(found).member("Entries"), false, number, port) {
            Answer::Known(set) => {
                let id = text(found, "NetworkAclId").unwrap_or_default();
                Passed::certain(set, format!("network ACL {id} lets port {port} in"))
            }
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    fn answered(&self, interface: &Value, number: u8) -> Passed {
        let Some(found) = self.acl_of(interface) else {
            return Passed::unknown("the network ACL of the subnet could not be read".to_string());
        };
        match acl::answers(Input::Known(found).member("Entries"), number) {
            Answer::Known(set) => Passed::certain(set, String::new()),
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    /// The addresses that the subnet's route table sends through an internet gateway.
    fn route(&self, interface: &Value) -> Passed {
        let subnet = text(interface, "SubnetId");
        let table = self.tables.as_ref().and_then(|tables| {
            subnet
                .and_then(|id| tables.by_subnet.get(id))
                .or_else(|| text(interface, "VpcId").and_then(|vpc| tables.main_of_vpc.get(vpc)))
        });
        let Some(table) = table else {
            return Passed::unknown("the route table of the subnet could not be read".to_string());
        };
        let id = text(table, "RouteTableId").unwrap_or_default();
        match routed(table, &self.lists) {
            Answer::Known((set, gateway)) => {
                let subnet = subnet.unwrap_or_default();
                Passed::certain(set, format!("internet gateway {gateway}, route table {id} of {subnet}"))
            }
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    /// VPC Block Public Access: all addresses where it does not apply, none where it does.
    fn block(&self, interface: &Value) -> Passed {
        let mode = match self.block_public_access {
            Input::Absent => "off",
            Input::Unknown => return Passed::unknown("VPC Block Public Access could not be read".to_string()),
            Input::Known(options) => text(options, "InternetGatewayBlockMode").unwrap_or("off"),
        };
        match mode {
            "off" => Passed::certain(public_space().clone(), String::new()),
            "block-ingress" | "block-bidirectional" => self.excluded(interface),
            other => Passed::unknown(format!("the mode '{other}' of VPC Block Public Access is not understood")),
        }
    }

    fn excluded(&self, interface: &Value) -> Passed {
        let list = match self.exclusions {
            Input::Absent => return Passed::certain(AddressSet::default(), String::new()),
            Input::Known(Value::Array(list)) => list,
            _ => return Passed::unknown("the exclusions of VPC Block Public Access could not be read".to_string()),
        };
        let ours = |exclusion: &&Value| {
            let resource = text(exclusion, "ResourceArn").unwrap_or_default();
            ["VpcId", "SubnetId"]
                .iter()
                .filter_map(|member| text(interface, member))
                .any(|id| resource.rsplit('/').next() == Some(id))
        };
        let applies = |exclusion: &Value| {
            text(exclusion, "InternetGatewayExclusionMode") == Some("allow-bidirectional")
                && text(exclusion, "State")
                    .is_none_or(|state| !state.starts_with("delete") && !state.ends_with("failed"))
        };
        match list.iter().filter(ours).any(applies) {
            true => Passed::certain(public_space().clone(), "an exclusion from VPC Block Public Access".to_string()),
            false => Passed::certain(AddressSet::default(), String::new()),
        }
    }
}

fn path(instance: &Value, interface: &Value, address: &Address, number: u8, port: u16, steps: &[&Passed]) -> Path {
    let name = |value: &Value, member: &str| text(value, member).unwrap_or_default().to_string();
    let mut all = vec!["internet".to_string()];
    all.extend(steps.iter().map(|s| s.step.clone()).filter(|s| !s.is_empty()));
    all.push(format!("interface {} with {}", name(interface, "NetworkInterfaceId"), address.text));
    all.push(format!("instance {}", name(instance, "InstanceId")));
    let protocol = super::Protocol::Number(number).name();
    Path { port, protocol, family: address.family, address: address.text.clone(), steps: all }
}

fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member).and_then(Value::as_str)
}

/// The public IPv4 addresses of an interface (all its private addresses may have one) and its global IPv6 ones.
fn addresses(interface: &Value) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let list = |member: &str| interface.get(member).and_then(Value::as_array).into_iter().flatten();
    let mut add = |family, text: Option<&str>| {
        if let Some(text) = text
            && !found.iter().any(|a| a.text == text)
        {
            found.push(Address { family, text: text.to_string() });
        }
    };
    for holder in std::iter::once(interface).chain(list("PrivateIpAddresses")) {
        add(Family::V4, holder.get("Association").and_then(|a| text(a, "PublicIp")));
    }
    for address in list("Ipv6Addresses") {
        let global = text(address, "Ipv6Address")
            .filter(|a| parse_block(a).is_some_and(|net| !AddressSet::of(&net).public().is_empty()));
        add(Family::V6, global);
    }
    found
}

fn rule_sets<'a>(groups: Input<'a>, lists: &PrefixLists) -> Option<HashMap<&'a str, Answer<RuleSet>>> {
    let groups = match groups {
        Input::Known(Value::Array(groups)) => groups,
        Input::Absent => return Some(HashMap::new()),
        _ => return None,
    };
    let read = |group: &'a Value| {
        let rules = RuleSet::read(Input::Known(group).member("IpPermissions"), lists);
        Some((text(group, "GroupId")?, rules))
    };
    Some(groups.iter().filter_map(read).collect())
}

fn associations(item: &Value) -> impl Iterator<Item = &Value> {
    item.get("Associations").and_then(Value::as_array).into_iter().flatten()
}

fn routing(tables: Input<'_>) -> Option<Routing<'_>> {
    let Input::Known(Value::Array(tables)) = tables else { return None };
    let mut routing = Routing::default();
    for table in tables {
        for association in associations(table) {
            if let Some(subnet) = text(association, "SubnetId") {
                routing.by_subnet.insert(subnet, table);
            }
            if association.get("Main").and_then(Value::as_bool) == Some(true)
                && let Some(vpc) = text(table, "VpcId")
            {
                routing.main_of_vpc.insert(vpc, table);
            }
        }
    }
    Some(routing)
}

fn acls_by_subnet(acls: Input<'_>) -> Option<HashMap<&str, &Value>> {
    let Input::Known(Value::Array(acls)) = acls else { return None };
    let pairs = acls.iter().flat_map(|acl| associations(acl).filter_map(move |a| Some((text(a, "SubnetId")?, acl))));
    Some(pairs.collect())
}

/// The addresses for which the longest matching route is one to an internet gateway, and that gateway.
fn routed(table: &Value, lists: &PrefixLists) -> Answer<(AddressSet, String)> {
    let Some(routes) = table.get("Routes").and_then(Value::as_array) else {
        return Answer::Unknown("the routes of the subnet could not be read".to_string());
    };
    let mut targets = Vec::new();
    for route in routes {
        let gateway = text(route, "GatewayId").filter(|id| id.starts_with("igw-"));
        let alive = text(route, "State") != Some("blackhole");
        let gateway = gateway.filter(|_| alive);
        let block = text(route, "DestinationCidrBlock").or_else(|| text(route, "DestinationIpv6CidrBlock"));
        match (block, text(route, "DestinationPrefixListId")) {
            (Some(block), _) => match parse_block(block) {
                Some(net) => targets.push((net, gateway)),
                None => return Answer::Unknown("a route of the subnet is not understood".to_string()),
            },
            (None, Some(id)) => match lists.blocks(id) {
                Ok(blocks) => targets.extend(blocks.into_iter().map(|net| (net, gateway))),
                Err(why) if gateway.is_some() => return Answer::Unknown(why),
                // A list that goes elsewhere (S3, DynamoDB endpoints) takes nothing of the internet at large.
                Err(_) => {}
            },
            (None, None) => return Answer::Unknown("a route of the subnet is not understood".to_string()),
        }
    }
    targets.sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
    let (mut through, mut decided, mut name) = (AddressSet::default(), AddressSet::default(), String::new());
    for (net, gateway) in targets {
        let set = AddressSet::of(&net);
        if let Some(gateway) = gateway {
            through.extend(&set.difference(&decided));
            name = gateway.to_string();
        }
        decided.extend(&set);
    }
    Answer::Known((through, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A world in which everything is open, for tests to close one part of.
    fn world() -> Value {
        json!({
            "instance": {
                "InstanceId": "i-1", "State": {"Name": "running"},
                "NetworkInterfaces": [{
                    "NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "VpcId": "vpc-1",
                    "Association": {"PublicIp": "203.0.113.5"},
                    "Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}],
                }],
            },
            "groups": [
                {"GroupId": "sg-1", "IpPermissions": []},
                {"GroupId": "sg-2", "IpPermissions": [
                    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
            ],
            "tables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}]}],
            "acls": [{"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}], "Entries": [
                {"RuleNumber": 100, "Egress": false, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
                {"RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
            ]}],
            "options": {"InternetGatewayBlockMode": "off"},
            "exclusions": [],
        })
    }

    fn input<'a>(world: &'a Value, member: &str) -> Input<'a> {
        match world.get(member) {
            Some(Value::String(text)) if text == "unread" => Input::Unknown,
            Some(value) => Input::of(value),
            None => Input::Absent,
        }
    }

    fn ask(world: &Value, ports: &[PortRange]) -> Answer<Vec<Path>> {
        let network = Network::new(Parts {
            groups: input(world, "groups"),
            route_tables: input(world, "tables"),
            acls: input(world, "acls"),
            block_public_access: input(world, "options"),
            exclusions: input(world, "exclusions"),
            lists: PrefixLists(Input::Absent),
        });
        network.reachable(&world["instance"], "tcp", ports)
    }

    fn reached(edit: impl Fn(&mut Value)) -> Option<bool> {
        let mut world = world();
        edit(&mut world);
        ask(&world, &[PortRange::one(22)]).known().map(|paths| !paths.is_empty())
    }

    #[test]
    fn the_open_world_shows_its_path() {
        let paths = ask(&world(), &[PortRange { from: 20, to: 25 }]).known().unwrap();
        assert_eq!(paths.len(), 1);
        assert_eq!(paths[0].port, 22);
        assert_eq!(
            paths[0].steps,
            [
                "internet",
                "internet gateway igw-1, route table rtb-1 of subnet-1",
                "network ACL acl-1 lets port 22 in",
                "security group sg-2, rule number 1 from 0.0.0.0/0",
                "interface eni-1 with 203.0.113.5",
                "instance i-1",
            ]
        );
    }

    #[test]
    fn closing_any_part_closes_the_path() {
        let closed = Some(false);
        assert_eq!(reached(|_| {}), Some(true));
        assert_eq!(reached(|w| w["instance"]["State"]["Name"] = json!("stopped")), closed);
        assert_eq!(reached(|w| w["instance"]["NetworkInterfaces"][0]["Association"] = json!(null)), closed);
        assert_eq!(
            reached(|w| w["groups"][1]["IpPermissions"][0]["IpRanges"][0]["CidrIp"] = json!("10.0.0.0/8")),
            closed
        );
        assert_eq!(reached(|w| w["groups"][1]["IpPermissions"][0]["ToPort"] = json!(21)), None);
        assert_eq!(reached(|w| w["groups"][1]["IpPermissions"][0]["IpProtocol"] = json!("udp")), closed);
        assert_eq!(reached(|w| w["tables"][0]["Routes"][1]["GatewayId"] = json!("nat-1")), closed);
        assert_eq!(reached(|w| w["tables"][0]["Routes"][1]["State"] = json!("blackhole")), closed);
        assert_eq!(reached(|w| w["tables"][0]["Routes"][1]["DestinationCidrBlock"] = json!("198.51.100.0/24")), closed);
        assert_eq!(reached(|w| w["acls"][0]["Entries"][0]["RuleAction"] = json!("deny")), closed);
        assert_eq!(reached(|w| w["acls"][0]["Entries"][1]["RuleAction"] = json!("deny")), closed);
        for mode in ["block-ingress", "block-bidirectional"] {
            assert_eq!(reached(|w| w["options"]["InternetGatewayBlockMode"] = json!(mode)), closed);
        }
    }

    #[test]
    fn a_subnet_with_its_own_table_does_not_use_the_main_one() {
        let own = json!({"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}], "Routes": []});
        assert_eq!(reached(|w| w["tables"].as_array_mut().unwrap().push(own.clone())), Some(false));
    }

    #[test]
    fn more_specific_routes_take_their_part() {
        let halves = |w: &mut Value| {
            for half in ["0.0.0.0/1", "128.0.0.0/1"] {
                let route = json!({"DestinationCidrBlock": half, "TransitGatewayId": "tgw-1", "State": "active"});
                w["tables"][0]["Routes"].as_array_mut().unwrap().push(route);
            }
        };
        assert_eq!(reached(halves), Some(false));
    }

    #[test]
    fn an_exclusion_lifts_the_block() {
        let excluded = |mode: &'static str, resource: &'static str| {
            reached(move |w| {
                w["options"]["InternetGatewayBlockMode"] = json!("block-ingress");
                w["exclusions"] = json!([{"InternetGatewayExclusionMode": mode, "State": "create-complete",
                    "ResourceArn": format!("arn:aws:ec2:eu-west-1:111122223333:{resource}")}]);
            })
        };
        assert_eq!(excluded("allow-bidirectional", "vpc/vpc-1"), Some(true));
        assert_eq!(excluded("allow-bidirectional", "subnet/subnet-1"), Some(true));
        assert_eq!(excluded("allow-bidirectional", "vpc/vpc-2"), Some(false));
        assert_eq!(excluded("allow-egress", "vpc/vpc-1"), Some(false));
    }

    #[test]
    fn an_unread_part_is_unknown_unless_another_closes_the_path() {
        for part in ["groups", "tables", "acls", "options"] {
            assert_eq!(reached(|w| w[part] = json!("unread")), None, "{part}");
            let private = |w: &mut Value| {
                w[part] = json!("unread");
                w["instance"]["NetworkInterfaces"][0]["Association"] = json!(null);
            };
            assert_eq!(reached(private), Some(false), "{part}");
        }
        let closed_group = |w: &mut Value| {
            w["tables"] = json!("unread");
            w["groups"][1]["IpPermissions"] = json!([]);
        };
        assert_eq!(reached(closed_group), Some(false));
        assert_eq!(reached(|w| w["groups"] = json!([])), None);
        assert_eq!(reached(|w| w["exclusions"] = json!("unread")), Some(true));
    }

    #[test]
    fn ipv6_is_reached_over_its_own_route_and_rules() {
        let ipv6 = |w: &mut Value| {
            w["instance"]["NetworkInterfaces"][0]["Association"] = json!(null);
            w["instance"]["NetworkInterfaces"][0]["Ipv6Addresses"] = json!([{"Ipv6Address": "2001:db8::5"}]);
            w["groups"][1]["IpPermissions"][0]["Ipv6Ranges"] = json!([{"CidrIpv6": "::/0"}]);
            for egress in [false, true] {
                let entry = json!({"RuleNumber": 101, "Egress": egress, "RuleAction": "allow", "Protocol": "-1", "Ipv6CidrBlock": "::/0"});
                w["acls"][0]["Entries"].as_array_mut().unwrap().push(entry);
            }
        };
        assert_eq!(reached(ipv6), Some(false));
        let route = |gateway: Value| {
            move |w: &mut Value| {
                ipv6(w);
                let mut route = json!({"DestinationIpv6CidrBlock": "::/0", "State": "active"});
                route.as_object_mut().unwrap().extend(gateway.as_object().unwrap().clone());
                w["tables"][0]["Routes"].as_array_mut().unwrap().push(route);
            }
        };
        assert_eq!(reached(route(json!({"GatewayId": "igw-1"}))), Some(true));
        assert_eq!(reached(route(json!({"EgressOnlyInternetGatewayId": "eigw-1"}))), Some(false));
    }
}
