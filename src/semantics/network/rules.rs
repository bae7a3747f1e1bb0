//! The rules of a security group: which ports they open to which addresses. Reads `IpPermissions` and
//! `IpPermissionsEgress` of `DescribeSecurityGroups`, and the flat rules of `DescribeSecurityGroupRules`.

use super::{Protocol, TCP, UDP, asked};
use crate::semantics::address::{AddressSet, Family, is_wider, parse_block};
use crate::semantics::{Answer, Input};
use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;

/// Ports from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PortRange {
    /// The first port.
    pub from: u16,
    /// The last port.
    pub to: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: PortRange = PortRange { from: 0, to: u16::MAX };

    /// One port.
    pub fn one(port: u16) -> Self {
        PortRange { from: port, to: port }
    }

    /// Reads a list of ports: numbers, texts with a number, or texts with a range (`137-139`).
    pub fn read_list(value: &Value) -> Option<Vec<PortRange>> {
        match value {
            Value::Array(items) => items.iter().map(Self::read).collect(),
            one => Some(vec![Self::read(one)?]),
        }
    }

    fn read(value: &Value) -> Option<PortRange> {
        match value {
            Value::Number(number) => number.as_u64().and_then(|n| u16::try_from(n).ok()).map(Self::one),
            Value::String(text) => {
                let (from, to) = text.split_once('-').unwrap_or((text, text));
                let range = PortRange { from: from.trim().parse().ok()?, to: to.trim().parse().ok()? };
                (range.from <= range.to).then_some(range)
            }
            _ => None,
        }
    }

    fn meet(self, other: PortRange) -> Option<PortRange> {
        let range = PortRange { from: self.from.max(other.from), to: self.to.min(other.to) };
        (range.from <= range.to).then_some(range)
    }
}

/// The ports that are in none of the ranges.
fn other_ports(ranges: &[PortRange]) -> Vec<PortRange> {
    let mut sorted = ranges.to_vec();
    sorted.sort();
    let (mut next, mut out) = (0u32, Vec::new());
    for range in sorted {
        if next < u32::from(range.from) {
            out.push(PortRange { from: next as u16, to: range.from - 1 });
        }
        next = next.max(u32::from(range.to) + 1);
    }
    if next <= u32::from(u16::MAX) {
        out.push(PortRange { from: next as u16, to: u16::MAX });
    }
    out
}

/// Managed prefix lists, by id. Either an object from id to list, or a list of objects with `PrefixListId`; each
/// list an array of CIDR blocks or of `{"Cidr": …}`, or an object with `Entries` and, where known, `OwnerId` and
/// `PrefixListName`. Lists that AWS owns are exempt: they hold its own services' addresses.
#[derive(Clone, Copy, Debug)]
pub struct PrefixLists<'a>(pub Input<'a>);

enum Expanded {
    Blocks(Vec<IpNet>),
    OfAws,
    Unknown(String),
}

impl PrefixLists<'_> {
    /// The blocks of a list; why not, where they are not known or AWS's own.
    pub(crate) fn blocks(&self, id: &str) -> Result<Vec<IpNet>, String> {
        match self.expand(id) {
            Expanded::Blocks(blocks) => Ok(blocks),
            Expanded::OfAws => Err(format!("the prefix list {id} is AWS's own")),
            Expanded::Unknown(why) => Err(why),
        }
    }

    fn expand(&self, id: &str) -> Expanded {
        let missing = || Expanded::Unknown(format!("the entries of the prefix list {id} are not known"));
        let Input::Known(lists) = self.0 else { return missing() };
        let list = match lists {
            Value::Object(by_id) => by_id.get(id),
            Value::Array(lists) => lists.iter().find(|l| l.get("PrefixListId").and_then(Value::as_str) == Some(id)),
            _ => None,
        };
        let Some(list) = list else { return missing() };
        let text = |name: &str| list.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("OwnerId") == "AWS" || text("PrefixListName").starts_with("com.amazonaws.") {
            return Expanded::OfAws;
        }
        let Some(entries) = list.get("Entries").unwrap_or(list).as_array() else { return missing() };
        let blocks: Option<Vec<IpNet>> = entries
            .iter()
            .map(|entry| entry.as_str().or_else(|| entry.get("Cidr").and_then(Value::as_str)).and_then(parse_block))
            .collect();
        blocks.map_or_else(missing, Expanded::Blocks)
    }
}

/// An opening: a rule that lets the internet, or a part of it, in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// The rule: its id where it has one, else `rule number N`, counted from 1.
    pub rule: String,
    /// The protocol as it is shown.
    pub protocol: String,
    /// The ports that it opens; absent for protocols without ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortRange>,
    /// The source: a CIDR block or a prefix list's id.
    pub source: String,
    /// The families in which the source holds public addresses.
    pub families: Vec<Family>,
    /// Whether only the sources of several rules together are the internet.
    pub together: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// A source of a rule that holds public addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The rule: its id where it has one, else `rule number N`, counted from 1.
    pub rule: String,
    /// The CIDR block.
    pub block: String,
    /// Its prefix length, in bits.
    pub length: u8,
    /// The prefix list that it stands in, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_list: Option<String>,
    /// The description of the rule for this source, empty where it has none.
    pub description: String,
}

/// One source of one rule.
#[derive(Debug)]
struct Admission {
    rule: String,
    protocol: Protocol,
    ports: PortRange,
    source: String,
    description: String,
    blocks: Vec<IpNet>,
    set: AddressSet,
}

impl Admission {
    fn is_for(&self, number: u8) -> bool {
        self.protocol.is_for(number)
    }
}

/// The rules of a security group.
#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    admissions: Vec<Admission>,
    /// Groups that are let in by reference, with the protocol and ports.
    references: Vec<(Protocol, PortRange, String)>,
    /// Sources that could not be resolved, with the protocol and ports that they are let in on.
    doubts: Vec<(Option<Protocol>, PortRange, String)>,
}

impl RuleSet {
    fn doubt_about(&self, numbers: &[u8], ports: &[PortRange]) -> Option<String> {
        self.doubts
            .iter()
            .find(|(protocol, range, _)| {
                protocol.is_none_or(|p| numbers.iter().any(|n| p.is_for(*n)))
                    && ports.iter().any(|p| p.meet(*range).is_some())
            })
            .map(|(_, _, why)| why.clone())
    }
}

/// The rules through which the internet reaches any of `ports` over `protocol` (`tcp`, `udp`, `icmp`, a number, or
/// `any` for TCP and UDP); empty where none does. No ports: any port.
///
/// A port is open to the internet when the sources that all rules admit to it hold, taken together, more public
/// addresses than [`crate::semantics::address::INTERNET_IPV4`] or
/// [`crate::semantics::address::INTERNET_IPV6`]. References to other groups are not the internet.
pub fn opens(permissions: Input, protocol: &str, ports: &[PortRange], lists: &PrefixLists) -> Answer<Vec<Opening>> {
    let Some(numbers) = asked(protocol) else {
        return Answer::Unknown(format!("the protocol '{protocol}' is not known"));
    };
    let ports = if ports.is_empty() { &[PortRange::ALL] } else { ports };
    read(permissions, lists).and_then(|rules| {
        let openings = openings(&rules, &numbers, ports);
        match rules.doubt_about(&numbers, ports) {
            Some(why) if openings.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(openings),
        }
    })
}

/// The rules through which the internet reaches TCP or UDP ports other than `allowed`.
pub fn opens_beyond(permissions: Input, allowed: &[PortRange], lists: &PrefixLists) -> Answer<Vec<Opening>> {
    let others = other_ports(allowed);
    if others.is_empty() {
        return Answer::Known(Vec::new());
    }
    opens(permissions, "any", &others, lists)
}

/// The rules through which the internet reaches every TCP or every UDP port, by protocol -1 or by port ranges that
/// add up; empty where some port stays closed. Port 0 is reserved and does not count.
pub fn every_port_open(permissions: Input, lists: &PrefixLists) -> Answer<Vec<Opening>> {
    read(permissions, lists).and_then(|rules| {
        let mut found: Vec<Opening> = Vec::new();
        for number in [TCP, UDP] {
            if every_port_is_open(&rules, number) {
                for opening in openings(&rules, &[number], &[PortRange::ALL]) {
                    if !found.contains(&opening) {
                        found.push(opening);
                    }
                }
            }
        }
        match rules.doubt_about(&[TCP, UDP], &[PortRange::ALL]) {
            Some(why) if found.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(found),
        }
    })
}

/// The sources that hold public addresses and are wider than a prefix length, the whole internet left out.
pub fn wide_sources(permissions: Input, ipv4: u8, ipv6: u8, lists: &PrefixLists) -> Answer<Vec<Source>> {
    sources(permissions, lists, |net| net.prefix_len() > 0 && is_wider(net, ipv4, ipv6))
}

/// All sources that hold public addresses.
pub fn public_sources(permissions: Input, lists: &PrefixLists) -> Answer<Vec<Source>> {
    sources(permissions, lists, |net| !AddressSet::of(net).public().is_empty())
}

/// Why sources of the rules, or their protocols or ports, could not be resolved, one sentence for each; empty where all
/// were.
pub fn unresolved_sources(permissions: Input, lists: &PrefixLists) -> Answer<Vec<String>> {
    read(permissions, lists).map(|rules| rules.doubts.into_iter().map(|(_, _, why)| why).collect())
}

fn sources(permissions: Input, lists: &PrefixLists, wanted: impl Fn(&IpNet) -> bool) -> Answer<Vec<Source>> {
    read(permissions, lists).and_then(|rules| {
        let mut found = Vec::new();
        for admission in &rules.admissions {
            found.extend(admission.blocks.iter().filter(|net| wanted(net)).map(|net| Source {
                rule: admission.rule.clone(),
                block: net.to_string(),
                length: net.prefix_len(),
                prefix_list: admission.source.starts_with("pl-").then(|| admission.source.clone()),
                description: admission.description.clone(),
            }));
        }
        match rules.doubts.into_iter().next() {
            Some((_, _, why)) if found.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(found),
        }
    })
}

/// What the rules of a group admit to one port.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    /// The addresses.
    pub(crate) set: AddressSet,
    /// The rules that hold public addresses, with their sources.
    pub(crate) rules: Vec<String>,
    /// Why there could be more.
    pub(crate) doubt: Option<String>,
}

impl RuleSet {
    /// Reads the rules of a group, once for many questions.
    pub(crate) fn read(permissions: Input, lists: &PrefixLists) -> Answer<RuleSet> {
        read(permissions, lists)
    }

    /// What the rules admit to a port of a protocol.
    pub(crate) fn admitted(&self, number: u8, port: u16) -> Admitted {
        let at = self.admissions.iter().filter(|a| a.is_for(number) && a.ports.from <= port && port <= a.ports.to);
        let mut found = Admitted { doubt: self.doubt_about(&[number], &[PortRange::one(port)]), ..Admitted::default() };
        for admission in at {
            found.set.extend(&admission.set);
            if !admission.set.public().is_empty() {
                found.rules.push(format!("{} from {}", admission.rule, admission.source));
            }
        }
        found
    }

    /// The groups that the rules admit to a port of a protocol.
    pub(crate) fn references(&self, number: u8, port: u16) -> impl Iterator<Item = &str> {
        self.references
            .iter()
            .filter(move |(protocol, ports, _)| protocol.is_for(number) && ports.from <= port && port <= ports.to)
            .map(|(_, _, group)| group.as_str())
    }

    /// Whether nothing at all, be it in doubt, is admitted to any of the ports.
    pub(crate) fn is_closed(&self, number: u8, ports: &[PortRange]) -> bool {
        let met = |protocol: Protocol, range: PortRange| {
            protocol.is_for(number) && ports.iter().any(|p| p.meet(range).is_some())
        };
        self.doubt_about(&[number], ports).is_none()
            && !self.admissions.iter().any(|a| met(a.protocol, a.ports))
            && !self.references.iter().any(|(protocol, range, _)| met(*protocol, *range))
    }

    /// The ports at which what the rules admit, or may admit, can change.
    pub(crate) fn edges(&self) -> impl Iterator<Item = u16> {
        let admitted = self.admissions.iter().map(|a| a.ports);
        let referred = self.references.iter().map(|(_, ports, _)| *ports);
        let doubtful = self.doubts.iter().map(|(_, ports, _)| *ports);
        let all = admitted.chain(referred).chain(doubtful);
        all.flat_map(|ports| [Some(ports.from), ports.to.checked_add(1)]).flatten()
    }
}

fn openings(rules: &RuleSet, numbers: &[u8], ports: &[PortRange]) -> Vec<Opening> {
    let mut found: Vec<Opening> = Vec::new();
    for number in numbers {
        for asked in ports {
            let concerned: Vec<(&Admission, PortRange)> = rules
                .admissions
                .iter()
                .filter(|a| a.is_for(*number))
                .filter_map(|a| a.ports.meet(*asked).map(|range| (a, range)))
                .collect();
            let (wide, narrow): (Vec<_>, Vec<_>) =
                concerned.into_iter().partition(|(a, _)| !a.set.internet().is_empty());
            let more = together(&narrow);
            for (admission, shared) in
                wide.into_iter().map(|(a, _)| (a, false)).chain(more.into_iter().map(|a| (a, true)))
            {
                let opening = opening(admission, shared);
                if !found.contains(&opening) {
                    found.push(opening);
                }
            }
        }
    }
    found
}

/// The addresses that some admissions let in.
fn union<'a>(admissions: impl IntoIterator<Item = &'a Admission>) -> AddressSet {
    let mut set = AddressSet::default();
    admissions.into_iter().for_each(|a| set.extend(&a.set));
    set
}

/// Whether the internet reaches every port but 0. What is let in changes only where a range begins or has ended.
fn every_port_is_open(rules: &RuleSet, number: u8) -> bool {
    let concerned: Vec<&Admission> = rules.admissions.iter().filter(|a| a.is_for(number)).collect();
    let edges = concerned.iter().flat_map(|a| [Some(a.ports.from), a.ports.to.checked_add(1)]).flatten();
    std::iter::once(1).chain(edges.filter(|port| *port > 0)).all(|port| {
        let at = concerned.iter().copied().filter(|a| a.ports.from <= port && port <= a.ports.to);
        !union(at).internet().is_empty()
    })
}

/// The admissions that only together let the internet in to some port.
fn together<'a>(narrow: &[(&'a Admission, PortRange)]) -> Vec<&'a Admission> {
    if union(narrow.iter().map(|(a, _)| *a)).internet().is_empty() {
        return Vec::new();
    }
    // What is let in grows only where a range begins.
    let mut starts: Vec<u16> = narrow.iter().map(|(_, range)| range.from).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut found = vec![false; narrow.len()];
    for port in starts {
        let at: Vec<usize> =
            (0..narrow.len()).filter(|n| narrow[*n].1.from <= port && port <= narrow[*n].1.to).collect();
        // What is known to add up adds nothing that is new.
        if at.iter().any(|n| !found[*n]) && !union(at.iter().map(|n| narrow[*n].0)).internet().is_empty() {
            at.into_iter().for_each(|n| found[n] = true);
        }
    }
    let chosen =
        narrow.iter().zip(found).filter(|((admission, _), in_it)| *in_it && !admission.set.public().is_empty());
    chosen.map(|((admission, _), _)| *admission).collect()
}

fn opening(admission: &Admission, together: bool) -> Opening {
    let public = admission.set.public();
    let families = [Family::V4, Family::V6].into_iter().filter(|f| public.count(*f) > 0).collect();
    let ports = (admission.protocol == Protocol::Any || admission.protocol.has_ports()).then_some(admission.ports);
    let what = match ports {
        Some(PortRange { from: 0, to: u16::MAX }) => format!("{}, every port,", admission.protocol.name()),
        Some(PortRange { from, to }) if from == to => format!("{} port {from}", admission.protocol.name()),
        Some(PortRange { from, to }) => format!("{} ports {from}-{to}", admission.protocol.name()),
        None => admission.protocol.name(),
    };
    let how = if together { ", which with the sources of other rules adds up to the internet" } else { "" };
    Opening {
        rule: admission.rule.clone(),
        protocol: admission.protocol.name(),
        ports,
        source: admission.source.clone(),
        families,
        together,
        why: format!("{} opens {what} to {}{how}", admission.rule, admission.source),
    }
}

fn read(permissions: Input, lists: &PrefixLists) -> Answer<RuleSet> {
    let rules = match permissions {
        Input::Known(Value::Array(rules)) => rules,
        Input::Absent => return Answer::Known(RuleSet::default()),
        Input::Unknown => return Answer::Unknown("the rules of the security group could not be read".to_string()),
        Input::Known(_) => return Answer::Unknown("the rules of the security group are not a list".to_string()),
    };
    let mut set = RuleSet::default();
    for (at, rule) in rules.iter().enumerate() {
        if rule.get("IsEgress").and_then(Value::as_bool) != Some(true) {
            read_rule(at, rule, lists, &mut set);
        }
    }
    Answer::Known(set)
}

fn read_rule(at: usize, rule: &Value, lists: &PrefixLists, set: &mut RuleSet) {
    let name = match rule.get("SecurityGroupRuleId").and_then(Value::as_str) {
        Some(id) => id.to_string(),
        None => format!("rule number {}", at + 1),
    };
    let Some(protocol) = Protocol::read(rule.get("IpProtocol")) else {
        set.doubts.push((None, PortRange::ALL, format!("the protocol of {name} is not understood")));
        return;
    };
    let Some(ports) = read_ports(rule, protocol) else {
        set.doubts.push((Some(protocol), PortRange::ALL, format!("the ports of {name} are not understood")));
        return;
    };
    set.references.extend(read_references(rule).map(|group| (protocol, ports, group.to_string())));
    if !has_known_form(rule) {
        set.doubts.push((Some(protocol), ports, format!("the sources of {name} are not understood")));
    }
    for (source, description) in read_sources(rule) {
        let blocks = if source.starts_with("pl-") {
            match lists.expand(&source) {
                Expanded::Blocks(blocks) => blocks,
                Expanded::OfAws => continue,
                Expanded::Unknown(why) => {
                    set.doubts.push((Some(protocol), ports, why));
                    continue;
                }
            }
        } else if let Some(net) = parse_block(&source) {
            vec![net]
        } else {
            set.doubts.push((Some(protocol), ports, format!("a source of {name} is not understood")));
            continue;
        };
        let addresses = blocks.iter().collect();
        let rule = name.clone();
        set.admissions.push(Admission { rule, protocol, ports, source, description, blocks, set: addresses });
    }
}

/// TCP and UDP rules have ports; where they are missing or -1 the rule is for every port.
fn read_ports(rule: &Value, protocol: Protocol) -> Option<PortRange> {
    if !protocol.has_ports() {
        return Some(PortRange::ALL);
    }
    let port = |name: &str, whole: u16| match rule.get(name) {
        None | Some(Value::Null) => Some(whole),
        Some(value) => match value.as_i64() {
            Some(-1) => Some(whole),
            Some(port) => u16::try_from(port).ok(),
            None => None,
        },
    };
    let range = PortRange { from: port("FromPort", 0)?, to: port("ToPort", u16::MAX)? };
    (range.from <= range.to).then_some(range)
}

/// The lists of sources in a rule, with the member that each of their elements has.
const SOURCES: [(&str, &str); 3] =
    [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId")];

/// Whether the sources stand where they are looked for.
fn has_known_form(rule: &Value) -> bool {
    SOURCES.iter().all(|(list, member)| match rule.get(*list) {
        None | Some(Value::Null) => true,
        Some(Value::Array(entries)) => entries.iter().all(|entry| entry.get(*member).is_some()),
        Some(_) => false,
    })
}

/// The groups that a rule refers to, in the nested and in the flat form.
fn read_references(rule: &Value) -> impl Iterator<Item = &str> {
    let pairs = rule.get("UserIdGroupPairs").and_then(Value::as_array).into_iter().flatten();
    let flat = rule.get("ReferencedGroupInfo").into_iter();
    pairs.chain(flat).filter_map(|pair| pair.get("GroupId").and_then(Value::as_str))
}

/// The sources of a rule with their descriptions: CIDR blocks and prefix lists. References to groups are left out.
fn read_sources(rule: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |holder: &Value, member: &str| {
        if let Some(source) = holder.get(member) {
            let description = holder.get("Description").and_then(Value::as_str).unwrap_or_default();
            // What is not text is kept, and not understood later.
            let source = source.as_str().map_or_else(|| source.to_string(), str::to_string);
            found.push((source, description.to_string()));
        }
    };
    for member in ["CidrIpv4", "CidrIpv6", "PrefixListId"] {
        add(rule, member);
    }
    for (list, member) in SOURCES {
        for entry in rule.get(list).and_then(Value::as_array).into_iter().flatten() {
            add(entry, member);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn lists() -> Value {
        json!({
            "pl-wide": ["0.0.0.0/0"],
            "pl-office": [{"Cidr": "203.0.113.0/24"}],
            "pl-halves": {"OwnerId": "111122223333", "Entries": [{"Cidr": "0.0.0.0/1"}, {"Cidr": "128.0.0.0/1"}]},
            "pl-aws": {"OwnerId": "AWS", "PrefixListName": "com.amazonaws.global.cloudfront.origin-facing"},
            "pl-broken": [{"Cidr": "nowhere"}],
        })
    }

    fn rule(protocol: &str, ports: Option<(i64, i64)>, sources: &[&str]) -> Value {
        let mut rule = json!({"IpProtocol": protocol, "UserIdGroupPairs": [], "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []});
        if let Some((from, to)) = ports {
            rule["FromPort"] = json!(from);
            rule["ToPort"] = json!(to);
        }
        for source in sources {
            let (list, member) = match source {
                s if s.starts_with("pl-") => ("PrefixListIds", "PrefixListId"),
                s if s.contains(':') => ("Ipv6Ranges", "CidrIpv6"),
                _ => ("IpRanges", "CidrIp"),
            };
            rule[list].as_array_mut().unwrap().push(json!({member: source}));
        }
        rule
    }

    /// Whether tcp or udp `port` is open: `None` for unknown.
    fn open(rules: &[Value], protocol: &str, port: u16) -> Option<bool> {
        let (rules, lists) = (json!(rules), lists());
        opens(Input::Known(&rules), protocol, &[PortRange::one(port)], &PrefixLists(Input::Known(&lists)))
            .known()
            .map(|o| !o.is_empty())
    }

    #[test]
    fn the_table_of_protocols_ports_and_sources() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        for (protocol, ports, covers_22) in [
            ("tcp", Some((22, 22)), true),
            ("6", Some((22, 22)), true),
            ("tcp", Some((20, 25)), true),
            ("tcp", Some((0, 65535)), true),
            ("tcp", Some((-1, -1)), true),
            ("tcp", None, true),
            ("-1", None, true),
            ("all", None, true),
            ("-1", Some((80, 80)), true),
            ("tcp", Some((80, 443)), false),
            ("tcp", Some((23, 65535)), false),
            ("udp", Some((22, 22)), false),
            ("17", None, false),
            ("icmp", Some((8, -1)), false),
            ("icmp", Some((22, 22)), false),
            ("47", None, false),
            ("50", Some((22, 22)), false),
        ] {
            for (source, internet) in [
                ("0.0.0.0/0", yes),
                ("::/0", yes),
                ("0.0.0.0/1", yes),
                ("2000::/3", yes),
                ("52.0.0.0/7", yes),
                ("52.0.0.0/8", no),
                ("203.0.113.7/32", no),
                ("10.0.0.0/8", no),
                ("fc00::/7", no),
                ("2001:db8::/32", no),
                ("pl-wide", yes),
                ("pl-halves", yes),
                ("pl-office", no),
                ("pl-aws", no),
                ("pl-missing", unknown),
                ("pl-broken", unknown),
                ("nonsense", unknown),
            ] {
                let want = if covers_22 { internet } else { no };
                assert_eq!(open(&[rule(protocol, ports, &[source])], "tcp", 22), want, "{protocol} {ports:?} {source}");
            }
        }
    }

    #[test]
    fn sources_that_add_up_are_the_internet() {
        let eighths: Vec<String> = (1..9).map(|n| format!("{}.0.0.0/8", 2 * n + 11)).collect();
        let rules: Vec<Value> = eighths.iter().map(|s| rule("tcp", Some((20, 30)), &[s])).collect();
        assert_eq!(open(&rules, "tcp", 22), Some(true));
        assert_eq!(open(&rules[..1], "tcp", 22), Some(false));
        let apart: Vec<Value> =
            eighths.iter().enumerate().map(|(n, s)| rule("tcp", Some((n as i64, n as i64)), &[s])).collect();
        assert_eq!(open(&apart, "tcp", 3), Some(false));
        let mut mixed = rules;
        mixed.push(rule("tcp", Some((443, 443)), &["0.0.0.0/0"]));
        let mixed = json!(mixed);
        let beyond = opens_beyond(Input::Known(&mixed), &[PortRange::one(443)], &PrefixLists(Input::Absent));
        assert_eq!(beyond.known().unwrap().len(), 8);
        let all = json!(apart);
        assert_eq!(opens(Input::Known(&all), "tcp", &[], &PrefixLists(Input::Absent)), Answer::Known(vec![]));
    }

    #[test]
    fn references_to_groups_are_not_the_internet() {
        let mut reference = rule("-1", None, &[]);
        reference["UserIdGroupPairs"] = json!([{"GroupId": "sg-1", "UserId": "111122223333"}]);
        assert_eq!(open(&[reference], "tcp", 22), Some(false));
    }

    #[test]
    fn values_that_aws_does_not_answer_are_unknown_and_never_closed() {
        let open = |rule: Value| open(&[rule], "tcp", 22);
        let with = |member: &str, value: Value| {
            let mut rule = rule("tcp", Some((22, 22)), &["10.0.0.0/8"]);
            rule[member] = value;
            rule
        };
        for (member, value) in [
            ("FromPort", json!(-2)),
            ("FromPort", json!("22")),
            ("FromPort", json!(22.5)),
            ("FromPort", json!(23)),
            ("ToPort", json!(65536)),
            ("ToPort", json!(9_223_372_036_854_775_807_i64)),
            ("ToPort", json!(18_446_744_073_709_551_615_u64)),
            ("IpProtocol", json!("")),
            ("IpProtocol", json!("256")),
            ("IpProtocol", json!("-2")),
            ("IpProtocol", json!("tcp/udp")),
            ("IpProtocol", json!(null)),
            ("IpProtocol", json!(6.5)),
            ("IpRanges", json!("0.0.0.0/0")),
            ("IpRanges", json!({"CidrIp": "0.0.0.0/0"})),
            ("IpRanges", json!(["0.0.0.0/0"])),
            ("IpRanges", json!([{"CidrIpv4": "0.0.0.0/0"}])),
            ("IpRanges", json!([{"CidrIp": null}])),
            ("IpRanges", json!([{"CidrIp": 0}])),
            ("IpRanges", json!([{"CidrIp": "0.0.0.0/00000"}])),
            ("IpRanges", json!([{"CidrIp": "000.0.0.0/0"}])),
            ("Ipv6Ranges", json!([{"CidrIpv6": "::/0%eth0"}])),
            ("PrefixListIds", json!("pl-wide")),
            ("PrefixListIds", json!([{"PrefixListId": 1}])),
        ] {
            let found = open(with(member, value.clone()));
            assert_ne!(found, Some(false), "{member} {value}");
        }
        assert_eq!(open(json!("rule")), None);
        assert_eq!(open(json!(null)), None);
        for member in ["IpRanges", "Ipv6Ranges", "PrefixListIds"] {
            assert_eq!(open(with(member, json!(null))), Some(false), "{member}");
        }
    }

    #[test]
    fn blocks_are_read_by_their_addresses_however_they_are_written() {
        let open = |source: &str| open(&[rule("tcp", Some((22, 22)), &[source])], "tcp", 22);
        for source in ["203.0.113.7/0", "255.255.255.255/0", "::ffff:10.0.0.1/0", "2001:DB8::/0", "2002::/16", "::/1"] {
            assert_eq!(open(source), Some(true), "{source}");
        }
        // IPv4 in IPv6's clothes, the translators' prefix and site-local space are never a source on the internet.
        for source in ["::ffff:0.0.0.0/96", "64:ff9b::/96", "::/3", "fec0::/10", "ff00::/8", "100.64.0.0/10"] {
            assert_eq!(open(source), Some(false), "{source}");
        }
    }

    #[test]
    fn flat_rules_are_read_and_egress_is_left_out() {
        let ingress = json!({"SecurityGroupRuleId": "sgr-1", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"});
        let egress = json!({"SecurityGroupRuleId": "sgr-2", "IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"});
        assert_eq!(open(std::slice::from_ref(&egress), "tcp", 22), Some(false));
        let rules = json!([ingress, egress]);
        let found =
            opens(Input::Known(&rules), "tcp", &[PortRange::one(22)], &PrefixLists(Input::Absent)).known().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].why, "sgr-1 opens tcp port 22 to 0.0.0.0/0");
        assert_eq!(found[0].families, [Family::V4]);
    }

    #[test]
    fn a_doubt_counts_only_where_the_answer_turns_on_it() {
        let elsewhere = rule("tcp", Some((443, 443)), &["pl-missing"]);
        assert_eq!(open(std::slice::from_ref(&elsewhere), "tcp", 22), Some(false));
        let doubtful = rule("tcp", Some((22, 22)), &["pl-missing"]);
        assert_eq!(open(std::slice::from_ref(&doubtful), "tcp", 22), None);
        assert_eq!(open(&[doubtful, rule("tcp", Some((22, 22)), &["::/0"])], "tcp", 22), Some(true));
        assert_eq!(open(&[rule("carrier-pigeon", None, &["0.0.0.0/0"])], "tcp", 22), None);
        assert!(opens(Input::Unknown, "tcp", &[], &PrefixLists(Input::Absent)).doubt().is_some());
        assert_eq!(opens(Input::Absent, "tcp", &[], &PrefixLists(Input::Unknown)), Answer::Known(vec![]));
    }

    fn every(rules: &[Value]) -> Option<bool> {
        let rules = json!(rules);
        every_port_open(Input::Known(&rules), &PrefixLists(Input::Absent)).known().map(|o| !o.is_empty())
    }

    #[test]
    fn every_port_is_open_by_protocol_by_range_or_by_parts() {
        let any = ["0.0.0.0/0"];
        assert_eq!(every(&[rule("-1", None, &any)]), Some(true));
        assert_eq!(every(&[rule("tcp", Some((0, 65535)), &any)]), Some(true));
        assert_eq!(every(&[rule("udp", Some((1, 65535)), &any)]), Some(true));
        let halves = [rule("tcp", Some((0, 30000)), &any), rule("tcp", Some((30001, 65535)), &["::/0"])];
        assert_eq!(every(&halves), Some(true));
        assert_eq!(every(&halves[..1]), Some(false));
        assert_eq!(every(&[rule("tcp", Some((0, 65535)), &["10.0.0.0/8"])]), Some(false));
    }

    #[test]
    fn ports_beyond_the_allowed_ones_are_found() {
        let allowed = [PortRange::one(443), PortRange::one(80)];
        let beyond = |rules: &[Value]| {
            let rules = json!(rules);
            opens_beyond(Input::Known(&rules), &allowed, &PrefixLists(Input::Absent)).known().unwrap().len()
        };
        assert_eq!(beyond(&[rule("tcp", Some((443, 443)), &["0.0.0.0/0"]), rule("tcp", Some((80, 80)), &["::/0"])]), 0);
        assert_eq!(beyond(&[rule("tcp", Some((80, 443)), &["0.0.0.0/0"])]), 1);
        assert_eq!(beyond(&[rule("icmp", Some((-1, -1)), &["0.0.0.0/0"]), rule("47", None, &["0.0.0.0/0"])]), 0);
        assert_eq!(beyond(&[rule("-1", None, &["0.0.0.0/0"])]), 1);
    }

    #[test]
    fn wide_and_public_sources_are_listed() {
        let mut described = rule(
            "tcp",
            Some((443, 443)),
            &["203.0.113.0/24", "198.51.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "2600::/20", "pl-office"],
        );
        described["IpRanges"][0]["Description"] = json!("office");
        let (rules, lists) = (json!([described]), lists());
        let lists = PrefixLists(Input::Known(&lists));
        let wide = wide_sources(Input::Known(&rules), 24, 32, &lists).known().unwrap();
        assert_eq!(wide.iter().map(|s| s.block.as_str()).collect::<Vec<_>>(), ["198.51.0.0/16", "2600::/20"]);
        let public = public_sources(Input::Known(&rules), &lists).known().unwrap();
        assert_eq!(public.len(), 5);
        assert_eq!(public[0].description, "office");
        assert_eq!(public[4].prefix_list.as_deref(), Some("pl-office"));
        assert_eq!(public[4].length, 24);
    }

    #[test]
    fn sources_that_could_not_be_resolved_are_told() {
        let rules = json!([rule("tcp", Some((443, 443)), &["203.0.113.0/24", "pl-missing", "pl-aws"])]);
        let lists = lists();
        let found = unresolved_sources(Input::Known(&rules), &PrefixLists(Input::Known(&lists))).known().unwrap();
        assert_eq!(found, ["the entries of the prefix list pl-missing are not known"]);
    }

    #[test]
    fn lists_of_ports_are_read() {
        let read = |v: Value| PortRange::read_list(&v);
        assert_eq!(read(json!([22, "137-139", "445"])).unwrap().len(), 3);
        assert_eq!(read(json!(22)), Some(vec![PortRange::one(22)]));
        for bad in [json!("9-1"), json!([70000]), json!("x"), json!(-1), json!(null)] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn narrowing_a_source_or_a_port_range_never_widens(a in any::<u32>(), len in 0u8..=32, more in 0u8..12, from in 0u16..100, span in 0u16..100, port in 0u16..200) {
            let block = |len: u8| IpNet::new(std::net::IpAddr::V4(a.into()), len.min(32)).unwrap().trunc().to_string();
            let wide = rule("tcp", Some((from.into(), (from + span).into())), &[&block(len)]);
            let narrow = rule("tcp", Some((from.into(), (from + span / 2).into())), &[&block(len + more)]);
            if open(&[narrow], "tcp", port) == Some(true) {
                prop_assert_eq!(open(&[wide], "tcp", port), Some(true));
            }
        }

        #[test]
        fn other_ports_are_exactly_those_in_no_range(ranges in prop::collection::vec((any::<u16>(), any::<u16>()), 0..6), port in any::<u16>()) {
            let ranges: Vec<PortRange> = ranges.into_iter().map(|(a, b)| PortRange { from: a.min(b), to: a.max(b) }).collect();
            let inside = |list: &[PortRange]| list.iter().any(|r| r.from <= port && port <= r.to);
            prop_assert_ne!(inside(&ranges), inside(&other_ports(&ranges)));
        }
    }
}
