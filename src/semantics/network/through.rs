//! The ways to an instance through load balancers: whether the internet gets to a node of the balancer, whether the
//! node's packets get to the target, and who is their source there. A Network Load Balancer that keeps the client's
//! address makes the target's firewalls see the internet itself; every other balancer makes them see its nodes. It must
//! never take a node's address for known where it is not.

use super::balancer::{Balancer, Hit, Hop, Node, Route, primary, private_addresses};
use super::reach::{End, Groups, Left, Network, Passed, Path, arrival, left, text, walked};
use super::rules::PortRange;
use crate::semantics::Answer;
use crate::semantics::address::{AddressSet, Family, parse_block, public_space};
use serde_json::{Map, Value};

/// Whether something is let through that is not the internet's clients themselves.
enum Gate {
    Open,
    Shut,
    Doubt(String),
}

impl Gate {
    /// As a step for the clients behind it.
    fn step(self, words: String) -> Passed {
        match self {
            Gate::Open => Passed::all(words),
            Gate::Shut => Passed::none(),
            Gate::Doubt(why) => Passed::unknown(why),
        }
    }

    /// The wider of two.
    fn or(self, other: Gate) -> Gate {
        match (self, other) {
            (Gate::Open, _) | (_, Gate::Open) => Gate::Open,
            (Gate::Doubt(why), _) | (_, Gate::Doubt(why)) => Gate::Doubt(why),
            _ => Gate::Shut,
        }
    }
}

/// A set of addresses of which one or all may be in use.
struct Addresses {
    set: AddressSet,
    /// Whether all of them are in use; else any of them may be.
    exact: bool,
}

/// Where a leg of a way ends.
struct Arrival<'x> {
    end: End<'x>,
    zone: Option<&'x str>,
    addresses: Addresses,
}

/// Where a leg of a way begins.
struct Departure<'x, 'a> {
    hop: &'x Hop,
    balancer: &'x Balancer<'a>,
    node: &'x Node<'a>,
    /// The family of the client.
    client: Family,
}

impl<'a> Network<'a> {
    /// The ways through load balancers, one for each route, family and port.
    pub(super) fn through_balancers(
        &self,
        instance: &Map<String, Value>,
        interfaces: &[Value],
        numbers: &[u8],
        ports: &[PortRange],
        http: &[PortRange],
    ) -> Answer<Vec<Path>> {
        let (mut paths, mut doubt) = (Vec::new(), None);
        for hit in self.balancers.hits(instance, interfaces) {
            let Some(route) = self.balancers.routes.get(hit.target.route) else { continue };
            if !numbers.contains(&route.number) {
                continue;
            }
            let tried: Vec<u16> = match hit.target.port {
                Some(port) => vec![port].into_iter().filter(|p| within(*p, ports)).collect(),
                None => self.ports_to_try(&End::of_interface(hit.interface), ports).into_iter().collect(),
            };
            for port in tried.into_iter().filter(|port| !route.http || within(*port, http)) {
                self.along(instance, &hit, route, port, &mut paths, &mut doubt);
            }
        }
        if paths.is_empty() && doubt.is_none() {
            doubt = self.unseen(interfaces, numbers, ports, http);
        }
        match doubt {
            Some(why) if paths.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(paths),
        }
    }

    /// Why there may be a way that is not seen: targets or balancers that were not read, unless the instance's groups let
    /// nothing in on these ports anyway.
    fn unseen(&self, interfaces: &[Value], numbers: &[u8], ports: &[PortRange], http: &[PortRange]) -> Option<String> {
        let vpc = primary(interfaces).and_then(|i| text(i, "VpcId"));
        let open_ended = self.balancers.open_ended_in(vpc).find(|(route, _)| {
            let asked = if route.http { http } else { ports };
            numbers.contains(&route.number)
                && ports.iter().any(|p| asked.iter().any(|h| p.from <= h.to && h.from <= p.to))
        });
        let why = open_ended.map(|(_, why)| why).or(self.balancers.hidden.as_ref())?;
        let closed = interfaces.iter().all(|interface| self.is_closed(&End::of_interface(interface), numbers, ports));
        (!closed).then(|| why.clone())
    }

    fn is_closed(&self, end: &End<'_>, numbers: &[u8], ports: &[PortRange]) -> bool {
        let Groups::Of(groups) = &end.groups else { return false };
        groups.iter().all(|id| {
            self.rules_of(id, false).is_ok_and(|rules| numbers.iter().all(|number| rules.is_closed(*number, ports)))
        })
    }

    /// The ways along one route to one target.
    fn along(
        &self,
        instance: &Map<String, Value>,
        hit: &Hit<'_, 'a>,
        route: &Route<'a>,
        port: u16,
        paths: &mut Vec<Path>,
        doubt: &mut Option<String>,
    ) {
        let Some(first) = route.hops.first() else { return };
        let Some(balancer) = self.balancers.all.get(first.balancer) else { return };
        for (family, unsure) in &balancer.families {
            let mut found = false;
            for steps in self.walks(instance, hit, route, port, *family, unsure.as_ref()) {
                match left(steps.iter(), *family) {
                    Left::Open if !found => {
                        found = true;
                        let mut words = walked(steps.iter());
                        let address = hit.target.address.or_else(|| text(hit.interface, "PrivateIpAddress"));
                        words.extend(arrival(instance, hit.interface, address.unwrap_or("no known address")));
                        paths.push(Path {
                            port,
                            protocol: super::Protocol::Number(route.number).name(),
                            family: *family,
                            address: balancer.address.to_string(),
                            entrance: first.port.unwrap_or(port),
                            steps: words,
                        });
                    }
                    Left::Open | Left::Shut => {}
                    Left::Doubt(why) => *doubt = doubt.take().or(Some(why)),
                }
            }
        }
    }

    /// The steps from the internet to the target, once for each choice of nodes.
    fn walks(
        &self,
        instance: &Map<String, Value>,
        hit: &Hit<'_, 'a>,
        route: &Route<'a>,
        port: u16,
        family: Family,
        unsure: Option<&String>,
    ) -> Vec<Vec<Passed>> {
        let mut known: Vec<Passed> =
            unsure.into_iter().chain(&hit.doubt).map(|why| Passed::unknown(why.clone())).collect();
        let target = self.target(instance, hit, route);
        let mut walks = Vec::new();
        let [first, rest @ ..] = route.hops.as_slice() else { return walks };
        let Some(balancer) = self.balancers.all.get(first.balancer) else { return walks };
        for node in &balancer.nodes {
            let mut steps = std::mem::take(&mut known);
            let doubts = steps.len();
            steps.extend(self.entry(balancer, node, first, route.number));
            let from = Departure { hop: first, balancer, node, client: family };
            match rest {
                [] => {
                    let mut walk = steps.clone();
                    walk.extend(self.leg(&from, &target, route.number, port));
                    walks.push(walk);
                }
                [second, ..] => {
                    let Some(next) = self.balancers.all.get(second.balancer) else { continue };
                    for node in &next.nodes {
                        let mut walk = steps.clone();
                        walk.extend(self.leg(
                            &from,
                            &self.arrival_at(next, node, first.family),
                            route.number,
                            second.port.unwrap_or(port),
                        ));
                        walk.push(forwarded(second, first));
                        let on = Departure { hop: second, balancer: next, node, client: family };
                        walk.extend(self.leg(&on, &target, route.number, port));
                        walks.push(walk);
                    }
                }
            }
            steps.truncate(doubts);
            known = steps;
        }
        walks
    }

    /// From the internet to a node of the balancer.
    fn entry(&self, balancer: &Balancer<'a>, node: &Node<'a>, hop: &Hop, number: u8) -> Vec<Passed> {
        let end = End { subnet: Some(node.subnet), vpc: balancer.vpc, groups: balancer.groups.clone() };
        let mut steps = vec![self.block(&end), self.route(&end), self.answered(&end, number)];
        match hop.port {
            Some(port) => steps.extend([self.acl(&end, number, port), self.group(&end, number, port)]),
            None => steps.push(Passed::unknown("the listeners of a load balancer could not be read".to_string())),
        }
        steps.push(hop.forwarded.clone());
        steps
    }

    /// From a node of a balancer to what is behind it.
    fn leg(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> Vec<Passed> {
        let mut steps = vec![self.zones(from, to), self.let_out(from, to, number, port)];
        let same_family = from.client == from.hop.family;
        let keeps = match &from.hop.keeps {
            // Packets that change the family have the node's address.
            Answer::Known(keeps) => Ok(*keeps && same_family),
            Answer::Unknown(_) if !same_family => Ok(false),
            Answer::Unknown(why) => Err(why.clone()),
        };
        match keeps {
            Ok(true) => steps.extend(self.as_client(from, to, number, port)),
            Ok(false) => steps.extend(self.as_node(from, to, number, port)),
            Err(why) => {
                let client = together(&self.as_client(from, to, number, port));
                let node = together(&self.as_node(from, to, number, port));
                let mut most = client.most.clone();
                most.extend(&node.most);
                steps.push(Passed {
                    least: client.least.intersection(&node.least),
                    most,
                    doubt: Some(why),
                    step: client.step,
                });
            }
        }
        steps
    }

    /// Without cross-zone load balancing a node sends to targets of its own zone only.
    fn zones(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>) -> Passed {
        let same = match (from.node.zone, to.zone) {
            (Some(a), Some(b)) => Answer::Known(a == b),
            _ => Answer::Unknown("the zones of a load balancer and its target are not known".to_string()),
        };
        match from.hop.cross_zone.clone().or(same) {
            Answer::Known(true) => Passed::all(String::new()),
            Answer::Known(false) => Passed::none(),
            Answer::Unknown(why) => Passed::unknown(why),
        }
    }

    /// What the balancer's own groups, and the network ACL of its node, let out to the target.
    fn let_out(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> Passed {
        let by_group = match &from.balancer.groups {
            Groups::Unfiltered => Gate::Open,
            Groups::Unknown => Gate::Doubt(format!("the security groups of {} are not known", from.balancer.label)),
            Groups::Of(groups) => {
                groups.iter().fold(Gate::Shut, |gate, id| gate.or(self.group_lets_out(id, to, number, port)))
            }
        };
        match by_group {
            Gate::Open => self.between(from, to, number, port).step(String::new()),
            shut => shut.step(String::new()),
        }
    }

    fn group_lets_out(&self, id: &str, to: &Arrival<'_>, number: u8, port: u16) -> Gate {
        let rules = match self.rules_of(id, true) {
            Ok(rules) => rules,
            Err(why) => return Gate::Doubt(why),
        };
        let refers = match &to.end.groups {
            Groups::Of(targets) if rules.references(number, port).any(|group| targets.contains(&group)) => Gate::Open,
            Groups::Unknown if rules.references(number, port).next().is_some() => {
                Gate::Doubt("the security groups of a target are not known".to_string())
            }
            _ => Gate::Shut,
        };
        let admitted = rules.admitted(number, port);
        let by_address = covers(&admitted.set, &to.addresses);
        let unresolved = admitted.doubt.map_or(Gate::Shut, Gate::Doubt);
        refers.or(by_address).or(unresolved)
    }

    /// The network ACL of the node's subnet, where the target is in another: out to the target, and its answers in.
    fn between(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> Gate {
        if to.end.subnet == Some(from.node.subnet) {
            return Gate::Open;
        }
        let end = End { subnet: Some(from.node.subnet), vpc: from.balancer.vpc, groups: Groups::Unfiltered };
        let Some(found) = self.acl_of(&end) else {
            return Gate::Doubt("the network ACL of a load balancer's subnet could not be read".to_string());
        };
        let out = found.acl.lets_through(true, number, port);
        let back = found.acl.answers(false, number);
        both(out, back, &to.addresses)
    }

    /// What the target's network ACL and groups let in of the clients themselves, or of the balancer by its group.
    fn as_client(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> Vec<Passed> {
        let mut steps = Vec::new();
        if to.end.subnet != Some(from.node.subnet) {
            steps.extend([self.answered(&to.end, number), self.acl(&to.end, number, port)]);
        }
        steps.push(match self.refers(from, to, number, port) {
            (Gate::Open, words) => Passed::all(words),
            (Gate::Shut, _) => self.group(&to.end, number, port),
            (Gate::Doubt(why), _) => {
                let by_address = self.group(&to.end, number, port);
                Passed { most: public_space().clone(), doubt: Some(why), ..by_address }
            }
        });
        steps
    }

    /// What the target's network ACL and groups let in of the balancer's node.
    fn as_node(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> Vec<Passed> {
        let source = self.addresses_of(from.balancer, from.node, from.hop.family);
        let mut steps = Vec::new();
        if to.end.subnet != Some(from.node.subnet) {
            let gate = match self.acl_of(&to.end) {
                None => Gate::Doubt("the network ACL of the subnet could not be read".to_string()),
                Some(found) => {
                    both(found.acl.lets_through(false, number, port), found.acl.answers(true, number), &source)
                }
            };
            let id = self.acl_of(&to.end).map_or("", |acl| acl.id);
            steps.push(gate.step(format!("network ACL {id} lets port {port} in")));
        }
        let (by_reference, words) = self.refers(from, to, number, port);
        let admitted = self.group_admits(to, from.hop.family, number, port);
        let by_address = covers(&admitted.set, &source);
        let unresolved = admitted.doubt.map_or(Gate::Shut, Gate::Doubt);
        let words = if words.is_empty() { admitted.words } else { words };
        steps.push(by_reference.or(by_address).or(unresolved).step(words));
        steps
    }

    fn group_admits(&self, to: &Arrival<'_>, from_family: Family, number: u8, port: u16) -> Admits {
        let mut all = Admits { set: AddressSet::default(), doubt: None, words: String::new() };
        let groups = match &to.end.groups {
            Groups::Of(groups) => groups,
            Groups::Unfiltered => return Admits { set: whole(from_family), ..all },
            Groups::Unknown => {
                return Admits { doubt: Some("the security groups of an interface are not known".to_string()), ..all };
            }
        };
        for id in groups {
            match self.rules_of(id, false) {
                Ok(rules) => {
                    let admitted = rules.admitted(number, port);
                    if !admitted.set.is_empty() && all.words.is_empty() {
                        all.words = format!("security group {id} admits the load balancer's addresses to port {port}");
                    }
                    all.set.extend(&admitted.set);
                    all.doubt = all.doubt.or(admitted.doubt);
                }
                Err(why) => all.doubt = all.doubt.or(Some(why)),
            }
        }
        all
    }

    /// Whether a group of the target admits a group of the balancer. AWS: a reference to the group of a Network Load
    /// Balancer admits its traffic also where it keeps the client's address.
    fn refers(&self, from: &Departure<'_, 'a>, to: &Arrival<'_>, number: u8, port: u16) -> (Gate, String) {
        let mut gate = Gate::Shut;
        let Groups::Of(targets) = &to.end.groups else { return (gate, String::new()) };
        for id in targets {
            let Ok(rules) = self.rules_of(id, false) else { continue };
            for admitted in rules.references(number, port) {
                match &from.balancer.groups {
                    Groups::Of(groups) if groups.contains(&admitted) => {
                        return (Gate::Open, format!("security group {id} admits {admitted} to port {port}"));
                    }
                    Groups::Unknown => {
                        let why = format!("the security groups of {} are not known", from.balancer.label);
                        gate = gate.or(Gate::Doubt(why));
                    }
                    _ => {}
                }
            }
        }
        (gate, String::new())
    }

    /// The addresses that a node sends from: those of its interfaces, where they are known and stay; else any of its
    /// subnet; any at all where that is not known.
    fn addresses_of(&self, balancer: &Balancer<'a>, node: &Node<'a>, family: Family) -> Addresses {
        let held =
            self.balancers.node_addresses.get(&(balancer.key, node.subnet)).map(|set| set.intersection(&whole(family)));
        if let Some(set) = held.filter(|set| balancer.fixed_addresses && !set.is_empty()) {
            return Addresses { set, exact: true };
        }
        let subnet = self.subnets.get(node.subnet);
        let blocks: Vec<&str> = match (subnet, family) {
            (None, _) => Vec::new(),
            (Some(subnet), Family::V4) => subnet.text("CidrBlock").into_iter().collect(),
            (Some(subnet), Family::V6) => {
                subnet.list("Ipv6CidrBlockAssociationSet").filter_map(|a| text(a, "Ipv6CidrBlock")).collect()
            }
        };
        let nets: Option<Vec<_>> = blocks.into_iter().map(parse_block).collect();
        let set = nets.filter(|nets| !nets.is_empty()).map_or_else(|| whole(family), |nets| nets.iter().collect());
        Addresses { set, exact: false }
    }

    fn arrival_at<'x>(&self, balancer: &'x Balancer<'a>, node: &'x Node<'a>, family: Family) -> Arrival<'x> {
        Arrival {
            end: End { subnet: Some(node.subnet), vpc: balancer.vpc, groups: balancer.groups.clone() },
            zone: node.zone,
            addresses: self.addresses_of(balancer, node, family),
        }
    }

    /// The interface that a target is.
    fn target<'x>(&self, instance: &'x Map<String, Value>, hit: &'x Hit<'_, 'a>, route: &Route<'a>) -> Arrival<'x> {
        let family = route.hops.last().map_or(Family::V4, |hop| hop.family);
        let listed = private_addresses(hit.interface);
        let own: Vec<&str> = hit.target.address.map_or(listed, |address| vec![address]);
        let set: AddressSet = own.into_iter().filter_map(parse_block).collect::<Vec<_>>().iter().collect();
        let set = set.intersection(&whole(family));
        // What is registered as outside the VPC is registered with all zones.
        let placed = || instance.get("Placement").and_then(|p| text(p, "AvailabilityZone"));
        let zone = if hit.target.outside { None } else { placed() };
        Arrival {
            end: End::of_interface(hit.interface),
            zone,
            addresses: match set.is_empty() {
                true => Addresses { set: whole(family), exact: false },
                false => Addresses { set, exact: true },
            },
        }
    }
}

/// What the groups of a target admit.
struct Admits {
    set: AddressSet,
    doubt: Option<String>,
    words: String,
}

/// The step of the second balancer. Its rules see the client's address only where the first one keeps it.
fn forwarded(second: &Hop, first: &Hop) -> Passed {
    let passed = second.forwarded.clone();
    match second.tests_source && first.keeps != Answer::Known(true) {
        false => passed,
        true => Passed::unknown("a listener's rule tests the address of the load balancer in front of it".to_string()),
    }
}

/// All steps as one.
fn together(steps: &[Passed]) -> Passed {
    let set = |pick: fn(&Passed) -> &AddressSet| {
        steps.iter().fold(public_space().clone(), |set, step| set.intersection(pick(step)))
    };
    let words: Vec<&str> = steps.iter().map(|s| s.step.as_str()).filter(|s| !s.is_empty()).collect();
    Passed {
        least: set(|p| &p.least),
        most: set(|p| &p.most),
        doubt: steps.iter().find_map(|s| s.doubt.clone()),
        step: words.join("; "),
    }
}

/// Whether packets get through a network ACL in both directions, to or from some addresses.
fn both(there: Answer<AddressSet>, back: Answer<AddressSet>, addresses: &Addresses) -> Gate {
    match (there, back) {
        (Answer::Known(there), Answer::Known(back)) => covers(&there.intersection(&back), addresses),
        (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Gate::Doubt(why),
    }
}

/// Whether a set lets addresses through: one of those that are in use; all of those that may be.
fn covers(set: &AddressSet, addresses: &Addresses) -> Gate {
    let met = set.intersection(&addresses.set);
    if met.is_empty() {
        Gate::Shut
    } else if addresses.exact || met == addresses.set {
        Gate::Open
    } else {
        Gate::Doubt("the private addresses of a load balancer are not known".to_string())
    }
}

/// Every address of a family.
fn whole(family: Family) -> AddressSet {
    let block = match family {
        Family::V4 => "0.0.0.0/0",
        Family::V6 => "::/0",
    };
    parse_block(block).map_or_else(AddressSet::default, |net| AddressSet::of(&net))
}

fn within(port: u16, ports: &[PortRange]) -> bool {
    ports.iter().any(|p| p.from <= port && port <= p.to)
}
