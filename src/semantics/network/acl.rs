//! Network ACLs: entries are walked by rule number, and the first that matches a packet decides. The answer is the
//! exact set of addresses that are let through to a port.

use super::{Protocol, asked};
use crate::semantics::address::{AddressSet, parse_block};
use crate::semantics::{Answer, Input};
use serde_json::Value;

/// AWS allows 40 entries in each direction; a list much longer than that is none of its answers, and is not walked.
const MAX_ENTRIES: usize = 200;

/// One entry.
#[derive(Debug)]
struct Entry {
    number: i64,
    egress: bool,
    allow: bool,
    protocol: Protocol,
    ports: (u16, u16),
    addresses: AddressSet,
}

/// The entries of one network ACL, in the order in which they are walked.
#[derive(Debug)]
pub(crate) struct Acl(Answer<Vec<Entry>>);

impl Acl {
    /// Reads `Entries` of `DescribeNetworkAcls`.
    pub(crate) fn read(entries: Input) -> Acl {
        Acl(read(entries).map(|mut entries| {
            entries.sort_by_key(|e| e.number);
            entries
        }))
    }

    /// The addresses that are let through in one direction, to or from one port of a protocol. Unknown where an entry
    /// is not understood.
    pub(crate) fn lets_through(&self, egress: bool, protocol: u8, port: u16) -> Answer<AddressSet> {
        match &self.0 {
            Answer::Unknown(why) => Answer::Unknown(why.clone()),
            Answer::Known(entries) => Answer::Known(walk(entries, egress, protocol, port)),
        }
    }

    /// The addresses with which answers are exchanged: those from or to which some port that a client can call from is
    /// let through. AWS's VPC User Guide, "Ephemeral ports", has 1024-65535 for all clients.
    pub(crate) fn answers(&self, egress: bool, protocol: u8) -> Answer<AddressSet> {
        let entries = match &self.0 {
            Answer::Unknown(why) => return Answer::Unknown(why.clone()),
            Answer::Known(entries) => entries,
        };
        // What is let through changes only where a range begins or has ended.
        let mut ports: Vec<u16> = vec![1024];
        for entry in entries.iter().filter(|e| e.egress == egress) {
            ports.extend([entry.ports.0, entry.ports.1.saturating_add(1)].into_iter().filter(|p| *p >= 1024));
        }
        ports.sort_unstable();
        ports.dedup();
        let mut all = AddressSet::default();
        for port in ports {
            all.extend(&walk(entries, egress, protocol, port));
        }
        Answer::Known(all)
    }

    /// The first ports at which what the incoming entries let through can change.
    pub(crate) fn edges(&self) -> Vec<u16> {
        let Answer::Known(entries) = &self.0 else { return Vec::new() };
        let incoming = entries.iter().filter(|e| !e.egress);
        incoming.flat_map(|e| [Some(e.ports.0), e.ports.1.checked_add(1)]).flatten().collect()
    }
}

/// What the first entries that match let through. The entries are in their order.
fn walk(entries: &[Entry], egress: bool, protocol: u8, port: u16) -> AddressSet {
    let (mut allowed, mut decided) = (AddressSet::default(), AddressSet::default());
    let matching = entries
        .iter()
        .filter(|e| e.egress == egress && e.protocol.is_for(protocol) && e.ports.0 <= port && port <= e.ports.1);
    for entry in matching {
        if entry.allow {
            allowed.extend(&entry.addresses.difference(&decided));
        }
        decided.extend(&entry.addresses);
    }
    allowed
}

/// The ports, of those asked, that the ACL opens to the internet for incoming traffic, as pairs of protocol number
/// and port. Protocols as in [`super::opens`].
pub fn opens_ports(entries: Input, protocol: &str, ports: &[u16]) -> Answer<Vec<(u8, u16)>> {
    let Some(numbers) = asked(protocol) else {
        return Answer::Unknown(format!("the protocol '{protocol}' is not known"));
    };
    let acl = Acl::read(entries);
    let mut open = Vec::new();
    for number in numbers {
        for port in ports {
            match acl.lets_through(false, number, *port) {
                Answer::Known(set) if set.internet().is_empty() => {}
                Answer::Known(_) => open.push((number, *port)),
                Answer::Unknown(why) => return Answer::Unknown(why),
            }
        }
    }
    Answer::Known(open)
}

fn read(entries: Input) -> Answer<Vec<Entry>> {
    let list = match entries {
        Input::Known(Value::Array(list)) => list,
        Input::Absent => return Answer::Known(Vec::new()),
        Input::Unknown => return Answer::Unknown("the network ACL could not be read".to_string()),
        Input::Known(_) => return Answer::Unknown("the entries of the network ACL are not a list".to_string()),
    };
    if list.len() > MAX_ENTRIES {
        return Answer::Unknown("the network ACL has more entries than AWS allows".to_string());
    }
    let read: Option<Vec<Entry>> = list.iter().map(read_entry).collect();
    read.map_or_else(|| Answer::Unknown("an entry of the network ACL is not understood".to_string()), Answer::Known)
}

fn read_entry(entry: &Value) -> Option<Entry> {
    let protocol = Protocol::read(entry.get("Protocol"))?;
    let block = entry.get("CidrBlock").or_else(|| entry.get("Ipv6CidrBlock"))?.as_str()?;
    let ports = match entry.get("PortRange") {
        Some(range) if protocol.has_ports() => {
            Some((port(range, "From")?, port(range, "To")?)).filter(|(a, b)| a <= b)?
        }
        _ => (0, u16::MAX),
    };
    Some(Entry {
        number: entry.get("RuleNumber")?.as_i64()?,
        egress: entry.get("Egress")?.as_bool()?,
        allow: match entry.get("RuleAction")?.as_str()? {
            "allow" => true,
            "deny" => false,
            _ => return None,
        },
        protocol,
        ports,
        addresses: AddressSet::of(&parse_block(block)?),
    })
}

fn port(range: &Value, name: &str) -> Option<u16> {
    range.get(name)?.as_u64().and_then(|port| u16::try_from(port).ok())
}

#[cfg(test)]
mod tests {
    use super::super::TCP;
    use super::*;
    use serde_json::json;

    fn entry(number: i64, action: &str, protocol: &str, ports: Option<(u16, u16)>, block: &str) -> Value {
        let mut entry = json!({"RuleNumber": number, "Egress": false, "RuleAction": action, "Protocol": protocol});
        entry[if block.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" }] = json!(block);
        if let Some((from, to)) = ports {
            entry["PortRange"] = json!({"From": from, "To": to});
        }
        entry
    }

    fn ssh_open(entries: &[Value]) -> bool {
        let entries = json!(entries);
        !opens_ports(Input::Known(&entries), "tcp", &[22]).known().unwrap().is_empty()
    }

    #[test]
    fn the_first_entry_that_matches_decides() {
        let last = entry(32767, "deny", "-1", None, "0.0.0.0/0");
        let all = entry(100, "allow", "-1", None, "0.0.0.0/0");
        let deny_ssh = |number| entry(number, "deny", "6", Some((22, 22)), "0.0.0.0/0");
        assert!(ssh_open(&[all.clone(), last.clone()]));
        assert!(!ssh_open(&[deny_ssh(90), all.clone(), last.clone()]));
        assert!(ssh_open(&[last.clone(), deny_ssh(110), all.clone()]));
        assert!(!ssh_open(std::slice::from_ref(&last)));
        assert!(ssh_open(&[deny_ssh(90), all, last, entry(101, "allow", "6", Some((0, 1024)), "::/0")]));
    }

    #[test]
    fn other_protocols_ports_and_directions_do_not_count() {
        assert!(!ssh_open(&[entry(1, "allow", "17", Some((22, 22)), "0.0.0.0/0")]));
        assert!(!ssh_open(&[entry(1, "allow", "6", Some((443, 443)), "0.0.0.0/0")]));
        let mut out = entry(1, "allow", "-1", None, "0.0.0.0/0");
        out["Egress"] = json!(true);
        assert!(!ssh_open(std::slice::from_ref(&out)));
        assert!(!ssh_open(&[entry(1, "allow", "6", Some((22, 22)), "203.0.113.0/24")]));
    }

    #[test]
    fn a_deny_of_half_the_internet_leaves_the_other_half() {
        let entries = json!([entry(1, "deny", "-1", None, "0.0.0.0/1"), entry(2, "allow", "-1", None, "0.0.0.0/0")]);
        let set = Acl::read(Input::Known(&entries)).lets_through(false, TCP, 22).known().unwrap();
        assert_eq!(set, AddressSet::of(&parse_block("128.0.0.0/1").unwrap()));
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let entries = json!([{"RuleNumber": 1}]);
        assert!(opens_ports(Input::Known(&entries), "tcp", &[22]).doubt().is_some());
        assert!(opens_ports(Input::Unknown, "tcp", &[22]).doubt().is_some());
    }

    #[test]
    fn values_that_aws_does_not_answer_are_unknown_and_never_closed() {
        let open = |member: &str, value: Value| {
            let mut odd = entry(100, "allow", "6", Some((22, 22)), "0.0.0.0/0");
            odd[member] = value;
            let entries = json!([odd]);
            opens_ports(Input::Known(&entries), "tcp", &[22]).known().map(|open| !open.is_empty())
        };
        for (member, value) in [
            ("PortRange", json!({"From": 23, "To": 22})),
            ("PortRange", json!({"From": -1, "To": -1})),
            ("PortRange", json!({"From": 0, "To": 65536})),
            ("PortRange", json!({"From": 22})),
            ("PortRange", json!("22")),
            ("Protocol", json!("tcpudp")),
            ("Protocol", json!(null)),
            ("CidrBlock", json!("nowhere")),
            ("CidrBlock", json!(null)),
            ("RuleNumber", json!("100")),
            ("RuleNumber", json!(1e3)),
            ("Egress", json!("false")),
            ("RuleAction", json!("permit")),
        ] {
            assert_eq!(open(member, value.clone()), None, "{member} {value}");
        }
        let many = json!(vec![entry(100, "allow", "6", Some((22, 22)), "0.0.0.0/0"); MAX_ENTRIES + 1]);
        assert!(opens_ports(Input::Known(&many), "tcp", &[22]).doubt().is_some());
        // Protocol -1 is for all ports, whatever the range says, and so is a range that is missing.
        assert_eq!(open("Protocol", json!("-1")), Some(true));
        assert_eq!(open("Protocol", json!("1")), Some(false));
        assert_eq!(open("CidrBlock", json!("198.51.100.7/0")), Some(true));
    }

    #[test]
    fn answers_need_some_client_port_let_out() {
        let out = |ports| {
            let mut e = entry(1, "allow", "6", Some(ports), "0.0.0.0/0");
            e["Egress"] = json!(true);
            let entries = json!([e]);
            !Acl::read(Input::Known(&entries)).answers(true, TCP).known().unwrap().internet().is_empty()
        };
        assert!(out((1024, 65535)));
        assert!(out((40000, 40100)));
        assert!(!out((22, 443)));
    }
}
