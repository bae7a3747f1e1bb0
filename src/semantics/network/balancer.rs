//! What load balancers there are that the internet can call, and where they carry traffic on to: balancer, listener,
//! rules, target group, target, read once into routes. Whether a route is open is asked in [`super::through`]. It must
//! never leave out a route because a part of it was not read: such a route is kept with its doubt.

use super::listing::{Item, Listing};
use super::reach::{Groups, Parts, Passed, text};
use super::{TCP, UDP};
use crate::semantics::address::{AddressSet, Family, parse_block};
use crate::semantics::{Answer, Input};
use ipnet::IpNet;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// The load balancers of one account and region.
#[derive(Debug, Default)]
pub(super) struct Balancers<'a> {
    pub(super) all: Vec<Balancer<'a>>,
    pub(super) routes: Vec<Route<'a>>,
    /// Targets by the id of the instance, or by private address.
    targets: HashMap<&'a str, Vec<Target<'a>>>,
    /// The targets that are registered by an address, in the order of the addresses.
    by_address: BTreeMap<IpAddr, &'a str>,
    /// Routes of which it is not known where they end, and why.
    pub(super) open_ended: Vec<(usize, String)>,
    /// Why there may be routes of which nothing is known.
    pub(super) hidden: Option<String>,
    /// The private addresses of nodes, by the balancer's key and the subnet.
    pub(super) node_addresses: HashMap<(&'a str, &'a str), AddressSet>,
}

/// A load balancer.
#[derive(Debug)]
pub(super) struct Balancer<'a> {
    arn: &'a str,
    /// What kind it is, and its name.
    pub(super) label: String,
    pub(super) address: &'a str,
    pub(super) vpc: Option<&'a str>,
    pub(super) nodes: Vec<Node<'a>>,
    /// The families in which the internet's clients can call it, and what is not known of that.
    pub(super) families: Vec<(Family, Option<String>)>,
    pub(super) groups: Groups<'a>,
    cross_zone: Answer<bool>,
    /// Its name in the descriptions of its network interfaces.
    pub(super) key: &'a str,
    /// Whether its nodes keep their addresses.
    pub(super) fixed_addresses: bool,
}

/// A balancer in one subnet.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) subnet: &'a str,
    pub(super) zone: Option<&'a str>,
}

/// A way from clients to the targets of one group.
#[derive(Clone, Debug)]
pub(super) struct Route<'a> {
    /// One balancer, or a Network Load Balancer and the Application Load Balancer behind it.
    pub(super) hops: Vec<Hop>,
    /// TCP or UDP, by its number.
    pub(super) number: u8,
    /// Whether only HTTP gets through.
    pub(super) http: bool,
    pub(super) group_port: Option<u16>,
    vpc: Option<&'a str>,
}

/// One balancer on a route.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) balancer: usize,
    /// The port of the listener; not known where the listener was not read.
    pub(super) port: Option<u16>,
    /// The clients that the listener's rules send on, with the words for this step.
    pub(super) forwarded: Passed,
    /// Whether the next on the route sees the client's address.
    pub(super) keeps: Answer<bool>,
    pub(super) cross_zone: Answer<bool>,
    /// The family in which the balancer calls the targets.
    pub(super) family: Family,
    /// Whether rules test the client's address.
    pub(super) tests_source: bool,
}

/// A registered target.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) route: usize,
    pub(super) port: Option<u16>,
    /// The private address, where it is registered by that.
    pub(super) address: Option<&'a str>,
    /// Registered as an address outside the target group's VPC.
    pub(super) outside: bool,
    pub(super) doubt: Option<String>,
}

/// A target that an instance is, and by which of its interfaces.
pub(super) struct Hit<'t, 'a> {
    pub(super) target: &'t Target<'a>,
    pub(super) interface: &'t Value,
    pub(super) doubt: Option<String>,
}

impl<'a> Balancers<'a> {
    /// Reads the balancers of `parts`. The zones of classic balancers' nodes are those of their subnets.
    pub(super) fn read(parts: &Parts<'a, '_>, subnets: &HashMap<&'a str, Item<'a>>) -> Self {
        let found = Balancers { node_addresses: node_addresses(&parts.interfaces), ..Balancers::default() };
        let mut reader = Reader { parts, groups: HashMap::new(), listeners: HashMap::new(), found };
        reader.target_groups();
        reader.listeners_by_balancer();
        reader.balancers();
        reader.classic(subnets);
        reader.found
    }

    /// The targets that an instance is.
    pub(super) fn hits<'t>(&'t self, instance: &'t Map<String, Value>, interfaces: &'t [Value]) -> Vec<Hit<'t, 'a>> {
        let mut hits = Vec::new();
        let id = instance.get("InstanceId").and_then(Value::as_str).unwrap_or_default();
        for target in self.targets.get(id).into_iter().flatten() {
            // AWS sends to the primary interface of an instance that is registered by its id.
            hits.extend(primary(interfaces).map(|interface| Hit { target, interface, doubt: target.doubt.clone() }));
        }
        for interface in interfaces {
            for address in private_addresses(interface).into_iter().chain(self.delegated(interface)) {
                for target in self.targets.get(address).into_iter().flatten().filter(|t| t.address.is_some()) {
                    let vpc = self.routes.get(target.route).and_then(|r| r.vpc);
                    let elsewhere =
                        format!("whether the target {address} is this instance or one in another VPC is not known");
                    let doubt = match (vpc == text(interface, "VpcId"), target.outside) {
                        (true, _) => target.doubt.clone(),
                        (false, true) => Some(elsewhere),
                        (false, false) => continue,
                    };
                    hits.push(Hit { target, interface, doubt });
                }
            }
        }
        hits
    }

    /// The addresses of targets that lie in the prefixes delegated to an interface.
    fn delegated(&self, interface: &Value) -> Vec<&'a str> {
        let of = |list: &str, member: &str| -> Vec<IpNet> {
            let entries = interface.get(list).and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(|entry| text(entry, member).and_then(parse_block)).collect()
        };
        let mut prefixes = of("Ipv4Prefixes", "Ipv4Prefix");
        prefixes.extend(of("Ipv6Prefixes", "Ipv6Prefix"));
        let mut found = Vec::new();
        for prefix in prefixes {
            let within = self.by_address.range(prefix.network()..=prefix.broadcast());
            found.extend(within.map(|(_, text)| *text));
        }
        found
    }

    /// Whether an instance is a target of a balancer that the internet can call.
    pub(super) fn targets(&self, instance: &Map<String, Value>, interfaces: &[Value]) -> Answer<bool> {
        // What is asked for along the way is the business of the way: here it is only whether there is a balancer.
        let unsure = |hit: &Hit<'_, '_>| {
            let first = self.routes.get(hit.target.route).and_then(|r| r.hops.first());
            let families = first.and_then(|hop| self.all.get(hop.balancer)).map_or(&[][..], |b| &b.families);
            let by_family = families.iter().map(|(_, unsure)| unsure);
            match by_family.clone().any(Option::is_none) {
                true => hit.doubt.clone(),
                false => by_family.flatten().next().cloned(),
            }
        };
        let doubts: Vec<Option<String>> = self.hits(instance, interfaces).iter().map(unsure).collect();
        if doubts.iter().any(Option::is_none) {
            return Answer::Known(true);
        }
        let vpc = primary(interfaces).and_then(|i| text(i, "VpcId"));
        let mut open_ended = self.open_ended_in(vpc).map(|(_, why)| why.clone());
        let doubt = doubts.into_iter().flatten().next().or_else(|| open_ended.next()).or_else(|| self.hidden.clone());
        doubt.map_or(Answer::Known(false), Answer::Unknown)
    }

    /// Where a route without known end begins and goes to, in the VPC of an interface.
    pub(super) fn open_ended_in(&self, vpc: Option<&str>) -> impl Iterator<Item = (&Route<'a>, &String)> {
        let routes = self.open_ended.iter().filter_map(|(at, why)| Some((self.routes.get(*at)?, why)));
        routes.filter(move |(route, _)| route.vpc == vpc)
    }
}

/// The interface that an instance is reached by when it is registered by its id.
pub(super) fn primary(interfaces: &[Value]) -> Option<&Value> {
    let index = |i: &Value| i.get("Attachment").and_then(|a| a.get("DeviceIndex")).and_then(Value::as_i64);
    interfaces.iter().find(|i| index(i) == Some(0)).or_else(|| interfaces.first())
}

/// The private IPv4 and the IPv6 addresses of an interface.
pub(super) fn private_addresses(interface: &Value) -> Vec<&str> {
    let list = |member: &str| interface.get(member).and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<&str> = text(interface, "PrivateIpAddress").into_iter().collect();
    found.extend(list("PrivateIpAddresses").filter_map(|a| text(a, "PrivateIpAddress")));
    found.extend(list("Ipv6Addresses").filter_map(|a| text(a, "Ipv6Address")));
    found.dedup();
    found
}

/// The interfaces of balancers say whose they are in their descriptions: `ELB app/web/50dc6c495c0c9188`.
fn node_addresses<'a>(interfaces: &Listing<'a>) -> HashMap<(&'a str, &'a str), AddressSet> {
    let mut found: HashMap<(&str, &str), AddressSet> = HashMap::new();
    for interface in &interfaces.items {
        let key = interface.text("Description").and_then(|d| d.strip_prefix("ELB "));
        let (Some(key), Some(subnet)) = (key, interface.text("SubnetId")) else { continue };
        let set = found.entry((key, subnet)).or_default();
        let v4 = interface.list("PrivateIpAddresses").filter_map(|a| text(a, "PrivateIpAddress"));
        let v6 = interface.list("Ipv6Addresses").filter_map(|a| text(a, "Ipv6Address"));
        interface
            .text("PrivateIpAddress")
            .into_iter()
            .chain(v4)
            .chain(v6)
            .filter_map(parse_block)
            .for_each(|net| set.insert(&net));
    }
    found
}

/// A target group.
struct Group<'a> {
    label: String,
    kind: &'a str,
    port: Option<u16>,
    vpc: Option<&'a str>,
    family: Family,
    keeps: Answer<bool>,
    cross_zone: Answer<Option<bool>>,
    /// The ARNs of the balancers that use it.
    used_by: Vec<&'a str>,
    targets: Option<Vec<Registered<'a>>>,
}

#[derive(Clone)]
struct Registered<'a> {
    id: &'a str,
    port: Option<u16>,
    outside: bool,
    doubt: Option<String>,
}

/// One action that sends on to a target group.
struct Forward<'a> {
    group: &'a str,
    passed: Passed,
    tests_source: bool,
}

struct Reader<'r, 'a, 'l> {
    parts: &'r Parts<'a, 'l>,
    groups: HashMap<&'a str, Group<'a>>,
    listeners: HashMap<&'a str, Vec<&'r Item<'a>>>,
    found: Balancers<'a>,
}

impl<'r, 'a> Reader<'r, 'a, '_> {
    fn target_groups(&mut self) {
        for item in &self.parts.target_groups.items {
            if let Some(arn) = item.text("TargetGroupArn") {
                self.groups.insert(arn, target_group(item));
            }
        }
    }

    fn listeners_by_balancer(&mut self) {
        for item in &self.parts.listeners.items {
            if let Some(balancer) = item.text("LoadBalancerArn") {
                self.listeners.entry(balancer).or_default().push(item);
            }
        }
    }

    fn balancers(&mut self) {
        let items = self.parts.balancers.items.iter();
        self.found.all = items.filter(|item| item.text("Type") != Some("gateway")).map(balancer).collect();
        for at in 0..self.found.all.len() {
            if !self.found.all[at].families.is_empty() {
                self.routes_from(at);
            }
        }
        if !self.parts.balancers.complete {
            self.unread_balancers();
        }
    }

    /// The routes that begin at a balancer.
    fn routes_from(&mut self, at: usize) {
        let arn = self.found.all[at].arn;
        for listener in self.listeners.get(arn).cloned().unwrap_or_default() {
            let heard = heard(listener);
            let (forwards, unread) = forwards(listener);
            for forward in forwards {
                self.forward(at, listener.document.get("Port").and_then(port), &heard, &forward);
            }
            if let Some(why) = unread {
                self.forward_to_all(at, &why);
            }
        }
        if !self.parts.listeners.complete {
            self.forward_to_all(at, "the listeners of load balancers could not all be read");
        }
    }

    /// Routes in doubt to every group that names the balancer as its own.
    fn forward_to_all(&mut self, at: usize, why: &str) {
        let arn = self.found.all[at].arn;
        let mut groups: Vec<&'a str> =
            self.groups.iter().filter(|(_, group)| group.used_by.contains(&arn)).map(|(arn, _)| *arn).collect();
        groups.sort_unstable();
        for group in groups {
            let forward = Forward { group, passed: Passed::unknown(why.to_string()), tests_source: false };
            for heard in [
                Heard { number: TCP, http: false, words: String::new() },
                Heard { number: UDP, http: false, words: String::new() },
            ] {
                self.forward(at, None, std::slice::from_ref(&heard), &forward);
            }
        }
    }

    /// Groups that name balancers that were not listed.
    fn unread_balancers(&mut self) {
        let why = "the load balancers could not all be read";
        let known: Vec<&str> = self.found.all.iter().map(|b| b.arn).collect();
        let hidden: Vec<&'a str> =
            self.groups.values().flat_map(|g| &g.used_by).copied().filter(|arn| !known.contains(arn)).collect();
        if !self.parts.target_groups.complete {
            self.found.hidden = Some(why.to_string());
        }
        for arn in std::collections::BTreeSet::from_iter(hidden) {
            let at = self.found.all.len();
            let families = [Family::V4, Family::V6].map(|family| (family, Some(why.to_string()))).to_vec();
            self.found.all.push(Balancer {
                arn,
                label: format!("load balancer {}", name_in(arn)),
                address: name_in(arn),
                vpc: None,
                nodes: somewhere(Vec::new()),
                families,
                groups: Groups::Unknown,
                cross_zone: Answer::Unknown(why.to_string()),
                key: "",
                fixed_addresses: false,
            });
            self.forward_to_all(at, why);
        }
    }

    fn forward(&mut self, at: usize, port: Option<u16>, heard: &[Heard], forward: &Forward<'a>) {
        let Some(group) = self.groups.get(forward.group) else {
            if !self.parts.target_groups.complete {
                self.found.hidden.get_or_insert_with(|| "the target groups could not all be read".to_string());
            }
            return;
        };
        let keeps = match self.found.all[at].fixed_addresses {
            true => group.keeps.clone(),
            // Only Network Load Balancers keep the client's address.
            false => Answer::Known(false),
        };
        let (label, own) = (self.found.all[at].label.clone(), self.found.all[at].cross_zone.clone());
        for heard in heard {
            let mut forwarded = forward.passed.clone();
            forwarded.step = format!("{label}, {}, target group {}", heard.words, group.label);
            let hop = Hop {
                balancer: at,
                port,
                forwarded,
                keeps: keeps.clone(),
                cross_zone: cross_zone(&own, &group.cross_zone),
                family: group.family,
                tests_source: forward.tests_source,
            };
            let route = Route {
                hops: vec![hop],
                number: heard.number,
                http: heard.http,
                group_port: group.port,
                vpc: group.vpc,
            };
            match group.kind {
                "lambda" => {}
                "alb" => {
                    let complete = self.parts.listeners.complete;
                    add_second(&mut self.found, &self.listeners, &self.groups, complete, &route, group);
                }
                _ => add(&mut self.found, route, group),
            }
        }
    }

    fn classic(&mut self, subnets: &HashMap<&'a str, Item<'a>>) {
        for item in &self.parts.classic.items {
            if item.text("Scheme") == Some("internal") {
                continue;
            }
            let at = self.found.all.len();
            self.found.all.push(classic(item, subnets));
            for description in item.list("ListenerDescriptions") {
                let Some(listener) = description.get("Listener") else { continue };
                let route = classic_route(at, &self.found.all[at], listener);
                let port = route.group_port;
                let number = self.found.routes.len();
                self.found.routes.push(route);
                for id in item.list("Instances").filter_map(|i| text(i, "InstanceId")) {
                    let target = Target { route: number, port, address: None, outside: false, doubt: None };
                    self.found.targets.entry(id).or_default().push(target);
                }
            }
        }
        if !self.parts.classic.complete {
            self.found.hidden.get_or_insert_with(|| "the classic load balancers could not all be read".to_string());
        }
    }
}

/// Registers a route with the targets of its group.
fn add<'a>(found: &mut Balancers<'a>, route: Route<'a>, group: &Group<'a>) {
    let at = found.routes.len();
    found.routes.push(route);
    let Some(targets) = &group.targets else {
        found.open_ended.push((at, format!("the targets of {} could not be read", group.label)));
        return;
    };
    if !matches!(group.kind, "instance" | "ip") {
        found
            .open_ended
            .push((at, format!("the type '{}' of target group {} is not understood", group.kind, group.label)));
        return;
    }
    for target in targets {
        let address = (group.kind != "instance").then_some(target.id);
        if let Some(parsed) = address.and_then(|a| a.parse::<IpAddr>().ok()) {
            found.by_address.insert(parsed, target.id);
        }
        let port = target.port.or(group.port);
        let registered = Target { route: at, port, address, outside: target.outside, doubt: target.doubt.clone() };
        found.targets.entry(target.id).or_default().push(registered);
    }
}

/// Carries a route on through the Application Load Balancers that are the targets of its group.
fn add_second<'a>(
    found: &mut Balancers<'a>,
    listeners: &HashMap<&'a str, Vec<&Item<'a>>>,
    groups: &HashMap<&'a str, Group<'a>>,
    complete: bool,
    route: &Route<'a>,
    group: &Group<'a>,
) {
    let Some(targets) = &group.targets else {
        found.hidden.get_or_insert_with(|| format!("the targets of {} could not be read", group.label));
        return;
    };
    for target in targets {
        let Some(at) = found.all.iter().position(|b| b.arn == target.id) else {
            let why = || format!("the load balancer {} behind {} could not be read", name_in(target.id), group.label);
            found.hidden.get_or_insert_with(why);
            continue;
        };
        let label = found.all[at].label.clone();
        let called = target.port.or(group.port);
        let mut onward: Vec<(Option<u16>, String, Forward<'a>)> = Vec::new();
        let mut unread = (!complete).then(|| "the listeners of load balancers could not all be read".to_string());
        for listener in listeners.get(target.id).into_iter().flatten() {
            let port = listener.document.get("Port").and_then(port);
            if port != called {
                continue;
            }
            let words = heard(listener).first().map(|h| h.words.clone()).unwrap_or_default();
            let (forwards, why) = forwards(listener);
            unread = unread.or(why);
            onward.extend(forwards.into_iter().map(|forward| (port, words.clone(), forward)));
        }
        if let Some(why) = unread.or_else(|| target.doubt.clone()) {
            let mut used: Vec<&'a str> =
                groups.iter().filter(|(_, g)| g.used_by.contains(&target.id)).map(|(arn, _)| *arn).collect();
            used.sort_unstable();
            let doubtful = |group| Forward { group, passed: Passed::unknown(why.clone()), tests_source: false };
            onward.extend(used.into_iter().map(|group| (called, String::new(), doubtful(group))));
        }
        for (port, words, forward) in onward {
            let Some(next) = groups.get(forward.group) else { continue };
            let mut forwarded = forward.passed;
            forwarded.step = format!("{label}, {words}, target group {}", next.label);
            let hop = Hop {
                balancer: at,
                port,
                forwarded,
                keeps: Answer::Known(false),
                cross_zone: cross_zone(&found.all[at].cross_zone, &next.cross_zone),
                family: next.family,
                tests_source: forward.tests_source,
            };
            let mut longer = route.clone();
            longer.hops.push(hop);
            longer.http = true;
            longer.group_port = next.port;
            longer.vpc = next.vpc;
            // An Application Load Balancer has no other behind it.
            if !matches!(next.kind, "lambda" | "alb") {
                add(found, longer, next);
            }
        }
    }
}

/// What a listener hears: the protocol, whether only HTTP gets through, and the words for it.
#[derive(Clone)]
struct Heard {
    number: u8,
    http: bool,
    words: String,
}

/// QUIC listeners read the QUIC header of every packet; what is carried over it is HTTP/3.
fn heard(listener: &Item<'_>) -> Vec<Heard> {
    let protocol = listener.text("Protocol").unwrap_or_default();
    let numbers: &[(u8, bool)] = match protocol {
        "HTTP" | "HTTPS" => &[(TCP, true)],
        "TCP" | "TLS" => &[(TCP, false)],
        "UDP" => &[(UDP, false)],
        "QUIC" => &[(UDP, true)],
        "TCP_QUIC" => &[(TCP, false), (UDP, true)],
        // TCP_UDP, and what is not known yet.
        _ => &[(TCP, false), (UDP, false)],
    };
    let port = listener.document.get("Port").and_then(port).unwrap_or_default();
    let words = format!("listener {protocol} port {port}");
    numbers.iter().map(|(number, http)| Heard { number: *number, http: *http, words: words.clone() }).collect()
}

/// Where a listener sends its clients on to, and why there may be more than is told. The rules are walked by priority: a
/// rule that takes every request of some addresses leaves none of them to the next.
fn forwards<'a>(listener: &Item<'a>) -> (Vec<Forward<'a>>, Option<String>) {
    let only_default = || vec![Rule { conditions: None, actions: listener.document.get("DefaultActions") }];
    let rules = match listener.member("Rules") {
        Input::Known(Value::Array(rules)) if !rules.is_empty() => in_order(rules),
        Input::Known(Value::Array(_)) | Input::Absent => only_default(),
        _ => return (Vec::new(), Some("the rules of a listener could not be read".to_string())),
    };
    let verified = listener.document.get("MutualAuthentication").and_then(|m| text(m, "Mode")) == Some("verify");
    let (mut found, mut decided): (Vec<Forward<'a>>, AddressSet) = (Vec::new(), AddressSet::default());
    let mut odd = None;
    for rule in rules {
        odd = odd.or_else(|| not_understood(rule.actions));
        let matched = matched(rule.conditions);
        let mut passed = matched.passed;
        passed.least = passed.least.difference(&decided);
        passed.most = passed.most.difference(&decided);
        if matched.whole {
            decided.extend(&passed.most);
        }
        let asked = if verified {
            Some("a listener asks for a client certificate, and whose are trusted is not known")
        } else {
            None
        };
        let (groups, asked) = sent_on(rule.actions, asked.map(str::to_string));
        if let Some(why) = asked {
            passed.least = AddressSet::default();
            passed.doubt.get_or_insert(why);
        }
        for group in groups {
            match found.iter_mut().find(|f| f.group == group) {
                None => found.push(Forward { group, passed: passed.clone(), tests_source: matched.tests_source }),
                Some(before) => {
                    before.passed.least.extend(&passed.least);
                    before.passed.most.extend(&passed.most);
                    before.passed.doubt = before.passed.doubt.take().or(passed.doubt.clone());
                    before.tests_source |= matched.tests_source;
                }
            }
        }
    }
    (found, odd)
}

/// Why the actions of a rule may send on to more than they are seen to: one of a kind that is not known.
fn not_understood(actions: Option<&Value>) -> Option<String> {
    const KINDS: [&str; 6] =
        ["forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito", "jwt-validation"];
    let kinds = actions.and_then(Value::as_array)?.iter().map(|action| text(action, "Type").unwrap_or_default());
    let mut odd = kinds.filter(|kind| !KINDS.contains(kind));
    odd.next().map(|kind| format!("the action '{kind}' of a listener's rule is not understood"))
}

struct Rule<'a> {
    conditions: Option<&'a Value>,
    actions: Option<&'a Value>,
}

/// The rules by priority, the default rule last.
fn in_order(rules: &[Value]) -> Vec<Rule<'_>> {
    let priority = |rule: &Value| text(rule, "Priority").and_then(|p| p.parse::<u32>().ok()).unwrap_or(u32::MAX);
    let mut sorted: BTreeMap<(u32, usize), Rule<'_>> = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let is_default = rule.get("IsDefault").and_then(Value::as_bool) == Some(true);
        let place = if is_default { u32::MAX } else { priority(rule) };
        sorted.insert((place, at), Rule { conditions: rule.get("Conditions"), actions: rule.get("Actions") });
    }
    sorted.into_values().collect()
}

/// The clients that a rule is for.
struct Matched {
    passed: Passed,
    /// Whether it takes all requests of these clients.
    whole: bool,
    tests_source: bool,
}

/// What the conditions of a rule let through. Anybody can ask for a host, a path or a method; the values of headers and
/// queries may be known to some only.
fn matched(conditions: Option<&Value>) -> Matched {
    let mut all = Matched { passed: Passed::all(String::new()), whole: true, tests_source: false };
    for condition in conditions.and_then(Value::as_array).into_iter().flatten() {
        match text(condition, "Field").unwrap_or_default() {
            "source-ip" => {
                all.tests_source = true;
                let values = condition.get("SourceIpConfig").and_then(|c| c.get("Values")).and_then(Value::as_array);
                let blocks: Option<Vec<_>> =
                    values.and_then(|v| v.iter().map(|b| b.as_str().and_then(parse_block)).collect());
                match blocks {
                    Some(blocks) => {
                        let set: AddressSet = blocks.iter().collect();
                        all.passed.least = all.passed.least.intersection(&set);
                        all.passed.most = all.passed.most.intersection(&set);
                    }
                    None => all.doubt("the addresses that a listener's rule is for are not understood"),
                }
            }
            "host-header" | "path-pattern" if takes_all(condition) => {}
            "host-header" | "path-pattern" | "http-request-method" => all.whole = false,
            "http-header" | "query-string" => {
                all.doubt("a listener's rule asks for a header or query, and who knows its value is not known");
            }
            other => all.doubt(&format!("the condition '{other}' of a listener's rule is not understood")),
        }
    }
    all
}

impl Matched {
    fn doubt(&mut self, why: &str) {
        self.whole = false;
        self.passed.least = AddressSet::default();
        self.passed.doubt.get_or_insert_with(|| why.to_string());
    }
}

/// Whether one of the patterns of a condition is for every request.
fn takes_all(condition: &Value) -> bool {
    let values = |holder: Option<&Value>| -> Vec<String> {
        let list = holder.and_then(|h| h.get("Values")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
    };
    let every = |value: &String| value == "*" || value == "/*";
    [Some(condition), condition.get("HostHeaderConfig"), condition.get("PathPatternConfig")]
        .into_iter()
        .any(|holder| values(holder).iter().any(every))
}

/// The target groups that the actions of a rule send on to, and what is asked of clients before. Redirects and fixed
/// responses reach no target; a group of weight 0 gets nothing.
fn sent_on(actions: Option<&Value>, asked: Option<String>) -> (Vec<&str>, Option<String>) {
    let (mut groups, mut asked) = (Vec::new(), asked);
    for action in actions.and_then(Value::as_array).into_iter().flatten() {
        match text(action, "Type").unwrap_or_default() {
            "forward" => {
                let weighted =
                    action.get("ForwardConfig").and_then(|f| f.get("TargetGroups")).and_then(Value::as_array);
                match weighted.filter(|groups| !groups.is_empty()) {
                    None => groups.extend(text(action, "TargetGroupArn")),
                    Some(list) => {
                        let sent = list.iter().filter(|g| g.get("Weight").and_then(Value::as_i64) != Some(0));
                        groups.extend(sent.filter_map(|g| text(g, "TargetGroupArn")));
                    }
                }
            }
            "redirect" | "fixed-response" => {}
            kind @ ("authenticate-oidc" | "authenticate-cognito") => {
                let config =
                    if kind == "authenticate-oidc" { "AuthenticateOidcConfig" } else { "AuthenticateCognitoConfig" };
                let otherwise = action.get(config).and_then(|c| text(c, "OnUnauthenticatedRequest"));
                if otherwise != Some("allow") {
                    asked.get_or_insert_with(|| {
                        "a listener asks for a sign-in, and who can sign in is not known".to_string()
                    });
                }
            }
            "jwt-validation" => {
                asked
                    .get_or_insert_with(|| "a listener asks for a token, and who can get one is not known".to_string());
            }
            other => {
                asked.get_or_insert_with(|| format!("the action '{other}' of a listener's rule is not understood"));
            }
        }
    }
    (groups, asked)
}

fn balancer<'a>(item: &Item<'a>) -> Balancer<'a> {
    let arn = item.text("LoadBalancerArn").unwrap_or_default();
    let name = item.text("LoadBalancerName").unwrap_or(name_in(arn));
    let kind = item.text("Type").unwrap_or_default();
    let node = |zone| Some(Node { subnet: text(zone, "SubnetId")?, zone: text(zone, "ZoneName") });
    let ids: Vec<&'a str> = item.list("SecurityGroups").filter_map(Value::as_str).collect();
    let attributes = Attributes(item.member("Attributes"));
    let cross_zone = match kind {
        "application" => Answer::Known(true),
        _ => attributes.flag("load_balancing.cross_zone.enabled", false),
    };
    let groups = match (kind, ids.is_empty()) {
        (_, false) => Groups::Of(ids),
        // Only a Network Load Balancer can be without groups.
        ("network", true) => Groups::Unfiltered,
        _ => Groups::Unknown,
    };
    Balancer {
        arn,
        label: format!("{kind} load balancer {name}"),
        address: item.text("DNSName").unwrap_or(name),
        vpc: item.text("VpcId"),
        nodes: somewhere(item.list("AvailabilityZones").filter_map(node).collect()),
        families: families(item, &attributes),
        groups,
        cross_zone,
        key: arn.split_once("loadbalancer/").map_or("", |(_, key)| key),
        fixed_addresses: kind == "network",
    }
}

/// The nodes; one in a subnet that is not known where the answer names none, for a balancer is somewhere.
fn somewhere(nodes: Vec<Node<'_>>) -> Vec<Node<'_>> {
    if nodes.is_empty() { vec![Node { subnet: "", zone: None }] } else { nodes }
}

/// The families in which the internet's clients can call a balancer. An internal balancer with IPv6 addresses is shut to
/// internet gateways unless its attribute says otherwise.
fn families(item: &Item<'_>, attributes: &Attributes<'_>) -> Vec<(Family, Option<String>)> {
    let state = item.document.get("State").and_then(|s| text(s, "Code"));
    if state == Some("failed") {
        return Vec::new();
    }
    let internal = item.text("Scheme") == Some("internal");
    let kind = item.text("IpAddressType").unwrap_or("ipv4");
    let mut found = Vec::new();
    if !internal && kind != "dualstack-without-public-ipv4" {
        found.push((Family::V4, None));
    }
    if kind.starts_with("dualstack") {
        match attributes.flag("ipv6.deny_all_igw_traffic", internal) {
            Answer::Known(true) => {}
            Answer::Known(false) => found.push((Family::V6, None)),
            Answer::Unknown(why) => found.push((Family::V6, Some(why))),
        }
    }
    found
}

/// Attributes: pairs of `Key` and `Value`.
struct Attributes<'a>(Input<'a>);

impl Attributes<'_> {
    /// A flag; `default` where the answer does not have it.
    fn flag(&self, key: &str, default: bool) -> Answer<bool> {
        self.text(key).map(|found| found.map_or(default, |text| text == "true"))
    }

    fn text(&self, key: &str) -> Answer<Option<String>> {
        match self.0 {
            Input::Unknown => Answer::Unknown(format!("the attribute {key} could not be read")),
            Input::Known(Value::Array(list)) => {
                let found =
                    list.iter().find(|pair| text(pair, "Key") == Some(key)).and_then(|pair| text(pair, "Value"));
                Answer::Known(found.map(str::to_string))
            }
            _ => Answer::Known(None),
        }
    }
}

/// The target group's own setting goes before the balancer's.
fn cross_zone(balancer: &Answer<bool>, group: &Answer<Option<bool>>) -> Answer<bool> {
    match group {
        Answer::Known(Some(own)) => Answer::Known(*own),
        Answer::Known(None) => balancer.clone(),
        Answer::Unknown(why) => Answer::Unknown(why.clone()),
    }
}

fn target_group<'a>(item: &Item<'a>) -> Group<'a> {
    let arn = item.text("TargetGroupArn").unwrap_or_default();
    let kind = item.text("TargetType").unwrap_or_default();
    let protocol = item.text("Protocol").unwrap_or_default();
    let attributes = Attributes(item.member("Attributes"));
    let keeps = match protocol {
        "TCP" | "TLS" => attributes.flag("preserve_client_ip.enabled", kind != "ip"),
        // It cannot be turned off.
        _ => Answer::Known(true),
    };
    let own = attributes.text("load_balancing.cross_zone.enabled");
    let targets = match item.member("TargetHealth") {
        Input::Known(Value::Array(list)) => Some(list.iter().filter_map(registered).collect()),
        Input::Absent => Some(Vec::new()),
        _ => None,
    };
    Group {
        label: item.text("TargetGroupName").unwrap_or(name_in(arn)).to_string(),
        kind,
        port: item.document.get("Port").and_then(port),
        vpc: item.text("VpcId"),
        family: if item.text("IpAddressType") == Some("ipv6") { Family::V6 } else { Family::V4 },
        keeps,
        cross_zone: own.map(|value| match value.as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        }),
        used_by: item.list("LoadBalancerArns").filter_map(Value::as_str).collect(),
        targets,
    }
}

/// A target, unless it is leaving or unused. Health decides nothing: where too few targets are healthy, balancers send
/// to the unhealthy too.
fn registered(description: &Value) -> Option<Registered<'_>> {
    let target = description.get("Target")?;
    let state = description.get("TargetHealth").and_then(|h| text(h, "State"));
    let doubt = match state {
        Some("initial" | "healthy" | "unhealthy" | "unhealthy.draining" | "unavailable") => None,
        Some("draining" | "unused") => return None,
        Some(other) => Some(format!("the state '{other}' of a target is not understood")),
        None => Some("the state of a target is not known".to_string()),
    };
    Some(Registered {
        id: text(target, "Id")?,
        port: target.get("Port").and_then(port),
        outside: text(target, "AvailabilityZone") == Some("all"),
        doubt,
    })
}

fn classic<'a>(item: &Item<'a>, subnets: &HashMap<&'a str, Item<'a>>) -> Balancer<'a> {
    let name = item.text("LoadBalancerName").unwrap_or_default();
    let ids: Vec<&'a str> = item.list("SecurityGroups").filter_map(Value::as_str).collect();
    let zone = |subnet| subnets.get(subnet).and_then(|s| s.text("AvailabilityZone"));
    let cross_zone = match item.member("Attributes") {
        Input::Unknown => Answer::Unknown("the attributes of a load balancer could not be read".to_string()),
        attributes => Answer::Known(matches!(
            attributes.member("CrossZoneLoadBalancing").member("Enabled"),
            Input::Known(Value::Bool(true))
        )),
    };
    Balancer {
        arn: "",
        label: format!("classic load balancer {name}"),
        address: item.text("DNSName").unwrap_or(name),
        vpc: item.text("VPCId"),
        nodes: somewhere(
            item.list("Subnets").filter_map(Value::as_str).map(|subnet| Node { subnet, zone: zone(subnet) }).collect(),
        ),
        // In a VPC, Classic Load Balancers have IPv4 only.
        families: vec![(Family::V4, None)],
        groups: if ids.is_empty() { Groups::Unknown } else { Groups::Of(ids) },
        cross_zone,
        key: name,
        fixed_addresses: false,
    }
}

fn classic_route<'a>(at: usize, balancer: &Balancer<'a>, listener: &Value) -> Route<'a> {
    let protocol = text(listener, "Protocol").unwrap_or_default();
    let called = listener.get("LoadBalancerPort").and_then(port);
    let words = format!("{}, listener {protocol} port {}", balancer.label, called.unwrap_or_default());
    let hop = Hop {
        balancer: at,
        port: called,
        forwarded: Passed::all(words),
        keeps: Answer::Known(false),
        cross_zone: balancer.cross_zone.clone(),
        family: Family::V4,
        tests_source: false,
    };
    let http = matches!(protocol.to_ascii_uppercase().as_str(), "HTTP" | "HTTPS");
    let group_port = listener.get("InstancePort").and_then(port);
    Route { hops: vec![hop], number: TCP, http, group_port, vpc: balancer.vpc }
}

/// The name in an ARN of a balancer or target group.
fn name_in(arn: &str) -> &str {
    let mut parts = arn.split('/').rev();
    let last = parts.next().unwrap_or_default();
    parts.next().unwrap_or(last)
}

fn port(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}
