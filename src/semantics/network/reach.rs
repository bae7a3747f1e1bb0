//! Whether an instance can be reached from the internet. The direct way: a public address, a route to an internet
//! gateway, a network ACL that lets the packet in and the answer out, no VPC Block Public Access, and a rule of a group
//! of that interface. The other ways, through load balancers, are in `through.rs`. The answer is a path that a
//! person can follow. It must never call an instance unreachable because a part of the path was not read.

use super::acl::Acl;
use super::balancer::Balancers;
use super::listing::{Item, Listing};
use super::rules::{Admitted, PortRange, PrefixLists, RuleSet};
use super::{TCP, UDP, asked};
use crate::semantics::address::{AddressSet, Family, parse_block, public_space};
use crate::semantics::{Answer, Input};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// The network of one account and region, indexed once and asked for many instances.
#[derive(Debug)]
pub struct Network<'a> {
    groups: HashMap<&'a str, Group>,
    routing: Option<Routing<'a>>,
    acls: Option<Acls<'a>>,
    block_public_access: Input<'a>,
    exclusions: Input<'a>,
    pub(super) subnets: HashMap<&'a str, Item<'a>>,
    pub(super) balancers: Balancers<'a>,
}

/// The rules of a security group.
#[derive(Debug)]
struct Group {
    ingress: Answer<RuleSet>,
    egress: Answer<RuleSet>,
}

#[derive(Debug, Default)]
struct Routing<'a> {
    tables: Vec<Table<'a>>,
    by_subnet: HashMap<&'a str, usize>,
    main_of_vpc: HashMap<&'a str, usize>,
}

#[derive(Debug)]
struct Table<'a> {
    id: &'a str,
    through: Routed,
}

/// The addresses that a route table sends to an internet gateway.
#[derive(Debug, Default)]
struct Routed {
    /// For certain.
    least: AddressSet,
    /// At most.
    most: AddressSet,
    /// Why that is not the same.
    doubt: Option<String>,
    gateway: String,
}

impl Routed {
    fn unknown(why: &str) -> Self {
        Routed { most: public_space().clone(), doubt: Some(why.to_string()), ..Routed::default() }
    }
}

#[derive(Debug, Default)]
struct Acls<'a> {
    all: Vec<NamedAcl<'a>>,
    by_subnet: HashMap<&'a str, usize>,
}

#[derive(Debug)]
pub(super) struct NamedAcl<'a> {
    pub(super) id: &'a str,
    pub(super) acl: Acl,
    /// What it lets out to ports that clients call from, for TCP and UDP.
    answers: [Answer<AddressSet>; 2],
}

impl NamedAcl<'_> {
    fn answers(&self, number: u8) -> Answer<AddressSet> {
        match number {
            TCP => self.answers[0].clone(),
            UDP => self.answers[1].clone(),
            other => self.acl.answers(true, other),
        }
    }
}

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a, 'l> {
    /// `DescribeSecurityGroups`.
    pub groups: Listing<'a>,
    /// `DescribeRouteTables`.
    pub route_tables: Listing<'a>,
    /// `DescribeNetworkAcls`.
    pub acls: Listing<'a>,
    /// `DescribeSubnets`.
    pub subnets: Listing<'a>,
    /// `DescribeNetworkInterfaces`: for the addresses of load balancers.
    pub interfaces: Listing<'a>,
    /// `DescribeLoadBalancers` of Elastic Load Balancing v2, with `Attributes`.
    pub balancers: Listing<'a>,
    /// `DescribeListeners`, with `Rules`.
    pub listeners: Listing<'a>,
    /// `DescribeTargetGroups`, with `Attributes` and `TargetHealth`.
    pub target_groups: Listing<'a>,
    /// `DescribeLoadBalancers` of Elastic Load Balancing (Classic), with `Attributes`.
    pub classic: Listing<'a>,
    /// `VpcBlockPublicAccessOptions` of `DescribeVpcBlockPublicAccessOptions`.
    pub block_public_access: Input<'a>,
    /// `VpcBlockPublicAccessExclusions` of `DescribeVpcBlockPublicAccessExclusions`.
    pub exclusions: Input<'a>,
    /// Managed prefix lists.
    pub lists: PrefixLists<'l>,
}

/// A way from the internet to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// The port of the instance that is reached.
    pub port: u16,
    /// `tcp`, `udp`, or the protocol's number.
    pub protocol: String,
    /// IPv4 or IPv6.
    pub family: Family,
    /// What the internet calls: the public address of the interface, or the name of a load balancer.
    pub address: String,
    /// The port that the internet calls: that of the listener, where a load balancer stands in front.
    pub entrance: u16,
    /// The steps from the internet to the instance, each in a few words.
    pub steps: Vec<String>,
}

/// The clients that one step lets through: for certain, and at most.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) least: AddressSet,
    pub(super) most: AddressSet,
    pub(super) doubt: Option<String>,
    pub(super) step: String,
}

impl Passed {
    pub(super) fn certain(set: AddressSet, step: String) -> Self {
        Passed { least: set.clone(), most: set, doubt: None, step }
    }

    pub(super) fn unknown(why: String) -> Self {
        Passed { least: AddressSet::default(), most: public_space().clone(), doubt: Some(why), step: String::new() }
    }

    /// Everybody.
    pub(super) fn all(step: String) -> Self {
        Passed::certain(public_space().clone(), step)
    }

    /// Nobody.
    pub(super) fn none() -> Self {
        Passed::certain(AddressSet::default(), String::new())
    }
}

/// What the steps of a way let through together.
pub(super) enum Left {
    /// The internet, for certain.
    Open,
    /// Not the internet, for certain.
    Shut,
    /// It turns on what is not known.
    Doubt(String),
}

/// What is left of the internet's clients of a family after all steps.
pub(super) fn left<'p>(steps: impl Iterator<Item = &'p Passed> + Clone, family: Family) -> Left {
    let open = |pick: fn(&Passed) -> &AddressSet| {
        let set = steps.clone().fold(public_space().clone(), |set, step| set.intersection(pick(step)));
        set.internet().contains(&family)
    };
    if !open(|p| &p.most) {
        Left::Shut
    } else if open(|p| &p.least) {
        Left::Open
    } else {
        let why = steps.clone().find_map(|s| s.doubt.clone());
        Left::Doubt(why.unwrap_or_else(|| "what a step of the way lets through is not known".to_string()))
    }
}

/// The security groups of an interface or a balancer.
#[derive(Clone, Debug)]
pub(super) enum Groups<'x> {
    /// It has none, and nothing is filtered.
    Unfiltered,
    /// These.
    Of(Vec<&'x str>),
    /// They could not be read.
    Unknown,
}

/// Where packets arrive: an interface of an instance, or a node of a balancer.
#[derive(Clone, Debug)]
pub(super) struct End<'x> {
    pub(super) subnet: Option<&'x str>,
    pub(super) vpc: Option<&'x str>,
    pub(super) groups: Groups<'x>,
}

impl<'x> End<'x> {
    pub(super) fn of_interface(interface: &'x Value) -> Self {
        let list = interface.get("Groups").and_then(Value::as_array);
        let ids = list.map(|groups| groups.iter().map(|g| text(g, "GroupId").unwrap_or_default()).collect());
        End {
            subnet: text(interface, "SubnetId"),
            vpc: text(interface, "VpcId"),
            groups: ids.map_or(Groups::Unknown, Groups::Of),
        }
    }
}

/// An address of an interface that the internet can send to.
struct Address {
    family: Family,
    text: String,
}

impl<'a> Network<'a> {
    /// Indexes the parts of a network.
    pub fn new(parts: &Parts<'a, '_>) -> Self {
        let with_id = |item: &Item<'a>| Some((item.text("SubnetId")?, item.clone()));
        let subnets: HashMap<&'a str, Item<'a>> = parts.subnets.items.iter().filter_map(with_id).collect();
        Network {
            groups: rule_sets(&parts.groups, &parts.lists),
            routing: parts.route_tables.complete.then(|| routing(&parts.route_tables, &parts.lists)),
            acls: parts.acls.complete.then(|| acls(&parts.acls)),
            block_public_access: parts.block_public_access,
            exclusions: parts.exclusions,
            balancers: Balancers::read(parts, &subnets),
            subnets,
        }
    }

    /// The ways from the internet to any of the ports of an instance (an element of `Instances` of
    /// `DescribeInstances`), direct or through load balancers, one for each port at which something changes; empty where
    /// there is none, also for an instance that does not run. Protocols as in [`super::opens`]. A load balancer that
    /// speaks HTTP to its targets is a way only to those of the ports that are among `http`.
    pub fn reachable(
        &self,
        instance: &Map<String, Value>,
        protocol: &str,
        ports: &[PortRange],
        http: &[PortRange],
    ) -> Answer<Vec<Path>> {
        let Some(numbers) = asked(protocol) else {
            return Answer::Unknown(format!("the protocol '{protocol}' is not known"));
        };
        match state(instance) {
            Some("running") => {}
            Some("pending" | "stopping" | "stopped" | "shutting-down" | "terminated") => {
                return Answer::Known(Vec::new());
            }
            _ => return Answer::Unknown("the state of the instance is not known".to_string()),
        }
        let Some(interfaces) = interfaces(instance) else {
            return Answer::Unknown("the network interfaces of the instance are not known".to_string());
        };
        let (mut paths, mut doubt) = (Vec::new(), None);
        for interface in interfaces {
            for address in addresses(interface) {
                for number in &numbers {
                    match self.direct(instance, interface, &address, *number, ports) {
                        Answer::Known(found) => paths.extend(found),
                        Answer::Unknown(why) => doubt = doubt.or(Some(why)),
                    }
                }
            }
        }
        match self.through_balancers(instance, interfaces, &numbers, ports, http) {
            Answer::Known(found) => paths.extend(found),
            Answer::Unknown(why) => doubt = doubt.or(Some(why)),
        }
        match doubt {
            Some(why) if paths.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(paths),
        }
    }

    /// Whether an instance has a public address, or is a target of a load balancer that the internet can call, so that
    /// asking for ways to it makes sense.
    pub fn faces_internet(&self, instance: &Map<String, Value>) -> Answer<bool> {
        let Some(interfaces) = interfaces(instance) else {
            return Answer::Unknown("the network interfaces of the instance are not known".to_string());
        };
        if interfaces.iter().any(|interface| !addresses(interface).is_empty()) {
            return Answer::Known(true);
        }
        self.balancers.targets(instance, interfaces)
    }

    fn direct(
        &self,
        instance: &Map<String, Value>,
        interface: &Value,
        address: &Address,
        number: u8,
        ports: &[PortRange],
    ) -> Answer<Vec<Path>> {
        let end = End::of_interface(interface);
        let fixed = [self.block(&end), self.route(&end), self.answered(&end, number)];
        let (mut paths, mut doubt) = (Vec::new(), None);
        for port in self.ports_to_try(&end, ports) {
            let at_port = [self.acl(&end, number, port), self.group(&end, number, port)];
            let steps = fixed.iter().chain(&at_port);
            match left(steps.clone(), address.family) {
                Left::Open => paths.push(path(instance, interface, address, number, port, steps)),
                Left::Shut => {}
                Left::Doubt(why) => doubt = doubt.or(Some(why)),
            }
        }
        match doubt {
            Some(why) if paths.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(paths),
        }
    }

    /// The first of the asked ports, and those at which a rule or an ACL entry begins or has ended.
    pub(super) fn ports_to_try(&self, end: &End<'_>, ports: &[PortRange]) -> BTreeSet<u16> {
        let mut changes: BTreeSet<u16> = ports.iter().map(|p| p.from).collect();
        if let Groups::Of(ids) = &end.groups {
            for group in ids.iter().filter_map(|id| self.groups.get(id)) {
                if let Answer::Known(rules) = &group.ingress {
                    changes.extend(rules.edges());
                }
            }
        }
        if let Some(found) = self.acl_of(end) {
            changes.extend(found.acl.edges());
        }
        changes.into_iter().filter(|c| ports.iter().any(|p| p.from <= *c && *c <= p.to)).collect()
    }

    pub(super) fn acl_of(&self, end: &End<'_>) -> Option<&NamedAcl<'a>> {
        let acls = self.acls.as_ref()?;
        acls.by_subnet.get(end.subnet?).and_then(|at| acls.all.get(*at))
    }

    /// What a group lets in or out; why not, where it is not known.
    pub(super) fn rules_of(&self, id: &str, egress: bool) -> Result<&RuleSet, String> {
        match self.groups.get(id).map(|g| if egress { &g.egress } else { &g.ingress }) {
            Some(Answer::Known(rules)) => Ok(rules),
            Some(Answer::Unknown(why)) => Err(why.clone()),
            None => Err(format!("the security group {id} could not be read")),
        }
    }

    pub(super) fn group(&self, end: &End<'_>, number: u8, port: u16) -> Passed {
        let groups = match &end.groups {
            Groups::Unfiltered => return Passed::all(String::new()),
            Groups::Unknown => return Passed::unknown("the security groups of an interface are not known".to_string()),
            Groups::Of(groups) => groups,
        };
        let mut all = Admitted::default();
        for id in groups {
            let found = match self.rules_of(id, false) {
                Ok(rules) => rules.admitted(number, port),
                Err(why) => Admitted { doubt: Some(why), ..Admitted::default() },
            };
            all.set.extend(&found.set);
            all.rules.extend(found.rules.iter().map(|rule| format!("security group {id}, {rule}")));
            all.doubt = all.doubt.or(found.doubt);
        }
        let most = if all.doubt.is_some() { public_space().clone() } else { all.set.clone() };
        Passed { least: all.set, most, doubt: all.doubt, step: all.rules.join("; ") }
    }

    pub(super) fn acl(&self, end: &End<'_>, number: u8, port: u16) -> Passed {
        let Some(found) = self.acl_of(end) else {
            return Passed::unknown("the network ACL of the subnet could not be read".to_string());
        };
        match found.acl.lets_through(false, number, port) {
            Answer::Known(set) => Passed::certain(set, format!("network ACL {} lets port {port} in", found.id)),
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    pub(super) fn answered(&self, end: &End<'_>, number: u8) -> Passed {
        let Some(found) = self.acl_of(end) else {
            return Passed::unknown("the network ACL of the subnet could not be read".to_string());
        };
        match found.answers(number) {
            Answer::Known(set) => Passed::certain(set, String::new()),
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    /// The addresses that the subnet's route table sends through an internet gateway.
    pub(super) fn route(&self, end: &End<'_>) -> Passed {
        let table = self.routing.as_ref().and_then(|routing| {
            // A subnet that is not known could have any table.
            let subnet = end.subnet.filter(|id| !id.is_empty())?;
            let at = routing.by_subnet.get(subnet).or_else(|| end.vpc.and_then(|vpc| routing.main_of_vpc.get(vpc)));
            at.and_then(|at| routing.tables.get(*at))
        });
        let Some(table) = table else {
            return Passed::unknown("the route table of the subnet could not be read".to_string());
        };
        let Routed { least, most, doubt, gateway } = &table.through;
        let step =
            format!("internet gateway {gateway}, route table {} of {}", table.id, end.subnet.unwrap_or_default());
        Passed { least: least.clone(), most: most.clone(), doubt: doubt.clone(), step }
    }

    /// VPC Block Public Access: all addresses where it does not apply, none where it does.
    pub(super) fn block(&self, end: &End<'_>) -> Passed {
        let options = match self.block_public_access {
            Input::Absent => return Passed::all(String::new()),
            Input::Unknown => return Passed::unknown("VPC Block Public Access could not be read".to_string()),
            Input::Known(options) => options,
        };
        // It is for the VPCs and subnets that the account owns (Amazon EC2 API Reference, `VpcBlockPublicAccessOptions`).
        let owner = end.subnet.and_then(|id| self.subnets.get(id)).and_then(|subnet| subnet.text("OwnerId"));
        if let (Some(owner), Some(own)) = (owner, text(options, "AwsAccountId"))
            && owner != own
        {
            let why = format!("the subnet is account {owner}'s, and its VPC Block Public Access is not read");
            return Passed::unknown(why);
        }
        match text(options, "InternetGatewayBlockMode").unwrap_or("off") {
            "off" => Passed::all(String::new()),
            "block-ingress" | "block-bidirectional" if text(options, "State") == Some("update-in-progress") => {
                Passed::unknown("VPC Block Public Access is being changed".to_string())
            }
            "block-ingress" | "block-bidirectional" => self.excluded(end),
            other => Passed::unknown(format!("the mode '{other}' of VPC Block Public Access is not understood")),
        }
    }

    fn excluded(&self, end: &End<'_>) -> Passed {
        let list = match self.exclusions {
            Input::Absent => return Passed::none(),
            Input::Known(Value::Array(list)) => list,
            _ => return Passed::unknown("the exclusions of VPC Block Public Access could not be read".to_string()),
        };
        let ours = |exclusion: &&Value| {
            let resource = text(exclusion, "ResourceArn").unwrap_or_default();
            [end.vpc, end.subnet].into_iter().flatten().any(|id| resource.rsplit('/').next() == Some(id))
        };
        let applying = list.iter().filter(ours).map(applies);
        match applying.fold(Answer::Known(false), Answer::<bool>::or) {
            Answer::Known(true) => Passed::all("an exclusion from VPC Block Public Access".to_string()),
            Answer::Known(false) => Passed::none(),
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }
}

/// Whether an exclusion from VPC Block Public Access lets the internet in. While it is being changed, or after a change
/// that failed, it is not known which mode is in force.
fn applies(exclusion: &Value) -> Answer<bool> {
    let both_ways = text(exclusion, "InternetGatewayExclusionMode") == Some("allow-bidirectional");
    match text(exclusion, "State") {
        None | Some("create-complete" | "update-complete") => Answer::Known(both_ways),
        Some("delete-complete" | "create-failed") => Answer::Known(false),
        Some("create-in-progress" | "delete-in-progress" | "disable-in-progress" | "disable-complete")
            if !both_ways =>
        {
            Answer::Known(false)
        }
        Some(state) => Answer::Unknown(format!("an exclusion from VPC Block Public Access is in state '{state}'")),
    }
}

fn path<'p>(
    instance: &Map<String, Value>,
    interface: &Value,
    address: &Address,
    number: u8,
    port: u16,
    steps: impl Iterator<Item = &'p Passed>,
) -> Path {
    let mut all = walked(steps);
    all.extend(arrival(instance, interface, &address.text));
    let protocol = super::Protocol::Number(number).name();
    Path { port, protocol, family: address.family, address: address.text.clone(), entrance: port, steps: all }
}

/// The steps in words, from the internet on.
pub(super) fn walked<'p>(steps: impl Iterator<Item = &'p Passed>) -> Vec<String> {
    let mut all = vec!["internet".to_string()];
    all.extend(steps.map(|s| s.step.clone()).filter(|s| !s.is_empty()));
    all
}

/// The last two steps of every way.
pub(super) fn arrival(instance: &Map<String, Value>, interface: &Value, address: &str) -> [String; 2] {
    let id = instance.get("InstanceId").and_then(Value::as_str).unwrap_or_default();
    let interface = text(interface, "NetworkInterfaceId").unwrap_or_default();
    [format!("interface {interface} with {address}"), format!("instance {id}")]
}

fn state(instance: &Map<String, Value>) -> Option<&str> {
    instance.get("State")?.get("Name")?.as_str()
}

fn interfaces(instance: &Map<String, Value>) -> Option<&Vec<Value>> {
    instance.get("NetworkInterfaces")?.as_array()
}

pub(super) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member).and_then(Value::as_str)
}

/// The public IPv4 addresses of an interface (all its private addresses may have one), its global IPv6 ones, and the
/// IPv6 prefixes that are delegated to it: packets to any address of these arrive at it.
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
    let own = list("Ipv6Addresses").filter_map(|a| text(a, "Ipv6Address"));
    let delegated = list("Ipv6Prefixes").filter_map(|p| text(p, "Ipv6Prefix"));
    for block in own.chain(delegated) {
        let is_local = parse_block(block).is_some_and(|net| AddressSet::of(&net).public().is_empty());
        add(Family::V6, Some(block).filter(|_| !is_local));
    }
    found
}

fn rule_sets<'a>(groups: &Listing<'a>, lists: &PrefixLists) -> HashMap<&'a str, Group> {
    let read = |group: &Item<'a>| {
        let ingress = RuleSet::read(group.member("IpPermissions"), lists);
        let egress = RuleSet::read(group.member("IpPermissionsEgress"), lists);
        Some((group.text("GroupId")?, Group { ingress, egress }))
    };
    groups.items.iter().filter_map(read).collect()
}

fn routing<'a>(listing: &Listing<'a>, lists: &PrefixLists) -> Routing<'a> {
    let mut routing = Routing::default();
    for (at, table) in listing.items.iter().enumerate() {
        let id = table.text("RouteTableId").unwrap_or_default();
        routing.tables.push(Table { id, through: routed(table, lists) });
        for association in table.list("Associations") {
            if let Some(subnet) = text(association, "SubnetId") {
                routing.by_subnet.insert(subnet, at);
            }
            if association.get("Main").and_then(Value::as_bool) == Some(true)
                && let Some(vpc) = table.text("VpcId")
            {
                routing.main_of_vpc.insert(vpc, at);
            }
        }
    }
    routing
}

fn acls<'a>(listing: &Listing<'a>) -> Acls<'a> {
    let mut found = Acls::default();
    for (at, item) in listing.items.iter().enumerate() {
        let acl = Acl::read(item.member("Entries"));
        let answers = [acl.answers(true, TCP), acl.answers(true, UDP)];
        found.all.push(NamedAcl { id: item.text("NetworkAclId").unwrap_or_default(), acl, answers });
        let subnets = item.list("Associations").filter_map(|a| text(a, "SubnetId"));
        found.by_subnet.extend(subnets.map(|subnet| (subnet, at)));
    }
    found
}

/// Where a route leads.
#[derive(Clone, Copy)]
enum Target<'r> {
    InternetGateway(&'r str),
    /// An endpoint, an instance or an interface: what is behind it may send on to an internet gateway, with the
    /// address of the sender (Amazon VPC User Guide, "Middlebox scenarios"). So may a kind of target that is not known.
    Appliance(&'r str),
    Elsewhere,
}

/// The targets of routes that lead to no internet gateway of the VPC.
const ELSEWHERE: [&str; 8] = [
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "NatGatewayId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
];

impl<'r> Target<'r> {
    fn of(route: &'r Value) -> Self {
        if text(route, "State") == Some("blackhole") {
            return Target::Elsewhere;
        }
        if let Some(id) = text(route, "GatewayId").filter(|id| id.starts_with("igw-")) {
            return Target::InternetGateway(id);
        }
        let gateway =
            text(route, "GatewayId").filter(|id| !["local", "vgw-", "nat-"].iter().any(|k| id.starts_with(k)));
        let host = || text(route, "NetworkInterfaceId").or_else(|| text(route, "InstanceId"));
        let leads_elsewhere =
            route.get("GatewayId").is_some() || ELSEWHERE.iter().any(|member| route.get(*member).is_some());
        match gateway.or_else(host) {
            Some(id) => Target::Appliance(id),
            None if leads_elsewhere => Target::Elsewhere,
            None => Target::Appliance("a target that is not understood"),
        }
    }
}

/// The rank of a route among those with the same destination: static routes go before those of prefix lists, and
/// these before propagated ones (Amazon VPC User Guide, "Route priority").
fn rank(route: &Value, of_list: bool) -> u8 {
    match text(route, "Origin") {
        Some("EnableVgwRoutePropagation" | "Advertisement") => 2,
        _ => u8::from(of_list),
    }
}

/// The addresses for which the longest matching route is one to an internet gateway.
fn routed(table: &Item<'_>, lists: &PrefixLists) -> Routed {
    let Input::Known(Value::Array(routes)) = table.member("Routes") else {
        return Routed::unknown("the routes of the subnet could not be read");
    };
    let (mut targets, mut doubt) = (Vec::new(), None);
    for route in routes {
        let target = Target::of(route);
        let block = text(route, "DestinationCidrBlock").or_else(|| text(route, "DestinationIpv6CidrBlock"));
        match (block, text(route, "DestinationPrefixListId")) {
            (Some(block), _) => match parse_block(block) {
                Some(net) => targets.push((net, rank(route, false), target)),
                None => return Routed::unknown("a route of the subnet is not understood"),
            },
            (None, Some(id)) => match (lists.blocks(id), target) {
                (Ok(blocks), _) => targets.extend(blocks.into_iter().map(|net| (net, rank(route, true), target))),
                (Err(why), Target::InternetGateway(_)) => doubt = doubt.or(Some(why)),
                // A list that goes elsewhere (S3, DynamoDB endpoints) takes nothing of the internet at large.
                (Err(_), _) => {}
            },
            (None, None) => return Routed::unknown("a route of the subnet is not understood"),
        }
    }
    targets.sort_by_key(|(net, rank, _)| (std::cmp::Reverse(net.prefix_len()), *rank));
    let (mut found, mut decided) = (Routed::default(), AddressSet::default());
    for (net, _, target) in targets {
        let set = AddressSet::of(&net).difference(&decided);
        match target {
            Target::InternetGateway(gateway) => {
                found.least.extend(&set);
                found.most.extend(&set);
                found.gateway = gateway.to_string();
            }
            Target::Appliance(id) if !set.public().is_empty() => {
                found.most.extend(&set);
                let why = || {
                    format!("the subnet's way to the internet leads through {id}, and what that lets pass is not known")
                };
                found.doubt.get_or_insert_with(why);
            }
            Target::Appliance(_) | Target::Elsewhere => {}
        }
        decided.extend(&set);
    }
    if let Some(why) = doubt {
        found.most = public_space().clone();
        found.doubt = Some(why);
    }
    found
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

    fn parts(world: &Value) -> Parts<'_, '_> {
        let listing = |member| Listing::of(input(world, member));
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
            block_public_access: input(world, "options"),
            exclusions: input(world, "exclusions"),
            lists: PrefixLists(Input::Absent),
        }
    }

    fn ask(world: &Value, ports: &[PortRange]) -> Answer<Vec<Path>> {
        let network = Network::new(&parts(world));
        network.reachable(world["instance"].as_object().unwrap(), "tcp", ports, &[])
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
        for state in ["pending", "stopping", "stopped", "shutting-down", "terminated"] {
            assert_eq!(reached(|w| w["instance"]["State"]["Name"] = json!(state)), closed, "{state}");
        }
        assert_eq!(reached(|w| w["instance"]["State"]["Name"] = json!("new")), None);
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
    fn an_exclusion_that_is_being_changed_leaves_a_doubt() {
        let excluded = |mode: &'static str, state: &'static str| {
            reached(move |w| {
                w["options"]["InternetGatewayBlockMode"] = json!("block-bidirectional");
                w["exclusions"] = json!([{"InternetGatewayExclusionMode": mode, "State": state,
                    "ResourceArn": "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1"}]);
            })
        };
        for (state, both_ways, egress) in [
            ("create-complete", Some(true), Some(false)),
            ("update-complete", Some(true), Some(false)),
            ("create-failed", Some(false), Some(false)),
            ("delete-complete", Some(false), Some(false)),
            ("create-in-progress", None, Some(false)),
            ("delete-in-progress", None, Some(false)),
            ("disable-complete", None, Some(false)),
            ("update-in-progress", None, None),
            ("update-failed", None, None),
            ("another", None, None),
        ] {
            assert_eq!(excluded("allow-bidirectional", state), both_ways, "{state}");
            assert_eq!(excluded("allow-egress", state), egress, "{state}");
        }
    }

    #[test]
    fn the_block_of_the_account_is_not_for_subnets_of_others() {
        let shared = |mode: &'static str, owner: &'static str| {
            reached(move |w| {
                w["options"] = json!({"InternetGatewayBlockMode": mode, "AwsAccountId": "111122223333"});
                w["subnets"] = json!([{"SubnetId": "subnet-1", "OwnerId": owner}]);
            })
        };
        assert_eq!(shared("block-bidirectional", "111122223333"), Some(false));
        assert_eq!(shared("block-bidirectional", "444455556666"), None);
        assert_eq!(shared("off", "444455556666"), None);
        let changing = |w: &mut Value| {
            w["options"] = json!({"InternetGatewayBlockMode": "block-ingress", "State": "update-in-progress"});
        };
        assert_eq!(reached(changing), None);
    }

    #[test]
    fn static_routes_go_before_propagated_ones() {
        let propagated = |gateway: &'static str, origin: &'static str| {
            reached(move |w| {
                let own = json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway, "State": "active", "Origin": origin});
                w["tables"][0]["Routes"].as_array_mut().unwrap().insert(0, own);
            })
        };
        for origin in ["EnableVgwRoutePropagation", "Advertisement"] {
            assert_eq!(propagated("vgw-1", origin), Some(true), "{origin}");
        }
    }

    #[test]
    fn a_way_through_an_appliance_is_not_known() {
        let through = |target: Value| {
            move |w: &mut Value| {
                let mut route = json!({"DestinationCidrBlock": "0.0.0.0/0", "State": "active"});
                route.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
                w["tables"][0]["Routes"][1] = route;
            }
        };
        for appliance in [
            json!({"GatewayId": "vpce-1"}),
            json!({"NetworkInterfaceId": "eni-9"}),
            json!({"InstanceId": "i-9", "NetworkInterfaceId": "eni-9"}),
            json!({"GatewayId": "new-1"}),
            json!({"NewGatewayId": "new-1"}),
        ] {
            assert_eq!(reached(through(appliance.clone())), None, "{appliance}");
            let closed = |w: &mut Value| {
                through(appliance.clone())(w);
                w["groups"][1]["IpPermissions"] = json!([]);
            };
            assert_eq!(reached(closed), Some(false), "{appliance}");
        }
        for elsewhere in [
            json!({"NatGatewayId": "nat-1"}),
            json!({"TransitGatewayId": "tgw-1"}),
            json!({"VpcPeeringConnectionId": "pcx-1"}),
            json!({"CarrierGatewayId": "cagw-1"}),
            json!({"LocalGatewayId": "lgw-1"}),
            json!({"CoreNetworkArn": "arn:aws:networkmanager::111122223333:core-network/c"}),
            json!({"GatewayId": "vgw-1"}),
            json!({"GatewayId": "local"}),
            json!({"OdbNetworkArn": "arn:aws:odb:us-east-1:111122223333:odb-network/o"}),
            json!({"EgressOnlyInternetGatewayId": "eigw-1"}),
            json!({"GatewayId": "vpce-1", "State": "blackhole"}),
        ] {
            assert_eq!(reached(through(elsewhere.clone())), Some(false), "{elsewhere}");
        }
        let private = |w: &mut Value| {
            let route =
                json!({"DestinationCidrBlock": "172.16.0.0/12", "NetworkInterfaceId": "eni-9", "State": "active"});
            w["tables"][0]["Routes"].as_array_mut().unwrap().push(route);
        };
        assert_eq!(reached(private), Some(true));
    }

    #[test]
    fn a_doubt_about_a_port_within_a_range_is_not_passed_over() {
        let unresolved = |w: &mut Value| {
            w["groups"][1]["IpPermissions"] = json!([{"IpProtocol": "tcp", "FromPort": 27018, "ToPort": 27018,
                "PrefixListIds": [{"PrefixListId": "pl-unread"}]}]);
        };
        let mut world = world();
        unresolved(&mut world);
        assert!(ask(&world, &[PortRange { from: 27017, to: 27019 }]).doubt().is_some());
        assert_eq!(ask(&world, &[PortRange { from: 27019, to: 27020 }]), Answer::Known(vec![]));
    }

    #[test]
    fn a_prefix_that_is_delegated_to_an_interface_is_an_address_of_it() {
        let delegated = |prefix: &'static str| {
            let mut world = world();
            world["instance"]["NetworkInterfaces"][0]["Association"] = json!(null);
            world["instance"]["NetworkInterfaces"][0]["Ipv6Prefixes"] = json!([{"Ipv6Prefix": prefix}]);
            let network = Network::new(&parts(&world));
            network.faces_internet(world["instance"].as_object().unwrap())
        };
        assert_eq!(delegated("2001:db8:1:2:3::/80"), Answer::Known(true));
        assert_eq!(delegated("fd00:1:2:3:4::/80"), Answer::Known(false));
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
