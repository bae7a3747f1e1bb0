//! What the rules of security groups and network ACLs let in, and what can be reached from the internet. Sources
//! are sets of addresses, ports are sets of ports: rules that are harmless one by one are seen for what they open
//! together. It must never take a source that it cannot resolve for no source.

pub mod acl;
mod balancer;
pub mod listing;
pub mod reach;
pub mod rules;
mod through;
#[cfg(test)]
mod through_tests;

pub use listing::{Item, Listing};
pub use reach::{Network, Parts, Path};
pub use rules::{
    Opening, PortRange, PrefixLists, Source, every_port_open, opens, opens_beyond, public_sources, wide_sources,
};

use serde_json::Value;

/// Protocols by their IANA numbers.
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;

/// The protocols that a rule or an ACL entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// All (`-1`).
    Any,
    /// One, by its IANA number.
    Number(u8),
}

impl Protocol {
    /// Reads `-1`, a number, or one of the names that EC2 shows.
    pub(crate) fn read(value: Option<&Value>) -> Option<Protocol> {
        let text = match value? {
            Value::String(text) => text.trim().to_ascii_lowercase(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        match text.as_str() {
            "-1" | "all" => Some(Protocol::Any),
            "tcp" => Some(Protocol::Number(TCP)),
            "udp" => Some(Protocol::Number(UDP)),
            "icmp" => Some(Protocol::Number(1)),
            "icmpv6" => Some(Protocol::Number(58)),
            number => number.parse().ok().map(Protocol::Number),
        }
    }

    /// Whether it is for the protocol with this number.
    pub(crate) fn is_for(self, number: u8) -> bool {
        self == Protocol::Any || self == Protocol::Number(number)
    }

    /// Whether its rules have ports: TCP and UDP. ICMP's "ports" are types and codes.
    pub(crate) fn has_ports(self) -> bool {
        matches!(self, Protocol::Number(TCP | UDP))
    }

    /// As it is shown.
    pub(crate) fn name(self) -> String {
        match self {
            Protocol::Any => "all protocols".to_string(),
            Protocol::Number(TCP) => "tcp".to_string(),
            Protocol::Number(UDP) => "udp".to_string(),
            Protocol::Number(1) => "icmp".to_string(),
            Protocol::Number(58) => "icmpv6".to_string(),
            Protocol::Number(number) => format!("protocol {number}"),
        }
    }
}

/// The protocols that a question is about: a name, a number, or `any` for TCP and UDP.
pub(crate) fn asked(protocol: &str) -> Option<Vec<u8>> {
    if protocol.eq_ignore_ascii_case("any") {
        return Some(vec![TCP, UDP]);
    }
    match Protocol::read(Some(&Value::String(protocol.to_string())))? {
        Protocol::Any => Some(vec![TCP, UDP]),
        Protocol::Number(number) => Some(vec![number]),
    }
}
