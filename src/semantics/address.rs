//! Sets of IP addresses, exact over the whole of IPv4 and IPv6, and what part of the internet they hold. Used
//! for the sources of firewall rules and for `aws:SourceIp`; it must never compare addresses as text.

use super::Answer;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::LazyLock;

/// A set of more IPv4 addresses than one /8 counts as the internet: the limit that Amazon S3 documents for
/// `aws:SourceIp` in "The meaning of public" ("values broader than /8 for IPv4 … excluding RFC1918").
pub const INTERNET_IPV4: u128 = 1 << 24;

/// A set of more IPv6 addresses than one /20 counts as the internet. IANA hands /12 blocks to the regional
/// registries; no operator's customers need more than a /20, and lists of a CDN's /29 to /32 blocks stay below.
pub const INTERNET_IPV6: u128 = 1 << 108;

/// IPv4 that is never a source on the internet (IANA IPv4 Special-Purpose Address Registry). Documentation
/// ranges are left in: they stand for public addresses wherever they appear in examples.
const NOT_PUBLIC_IPV4: [&str; 9] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
];

/// The IPv6 space that IANA has opened for global unicast; everything else is local, reserved or multicast.
const PUBLIC_IPV6: &str = "2000::/3";

/// The two address families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Family {
    /// IPv4.
    #[serde(rename = "ipv4")]
    V4,
    /// IPv6.
    #[serde(rename = "ipv6")]
    V6,
}

/// A set of addresses of one family: inclusive ranges, sorted, apart from each other by at least one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    fn insert(&mut self, low: u128, high: u128) {
        let at = self.0.partition_point(|r| r.1 < low && low - r.1 > 1);
        let mut merged = (low, high);
        let mut end = at;
        while let Some(&(l, h)) = self.0.get(end) {
            if l > merged.1 && l - merged.1 > 1 {
                break;
            }
            merged = (merged.0.min(l), merged.1.max(h));
            end += 1;
        }
        self.0.splice(at..end, [merged]);
    }

    fn intersection(&self, other: &Ranges) -> Ranges {
        let (mut i, mut j, mut out) = (0, 0, Vec::new());
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                out.push((low, high));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Ranges(out)
    }

    fn complement(&self, max: u128) -> Ranges {
        let (mut out, mut next) = (Vec::new(), Some(0));
        for &(low, high) in &self.0 {
            if let Some(from) = next
                && from < low
            {
                out.push((from, low - 1));
            }
            next = high.checked_add(1).filter(|n| *n <= max);
        }
        if let Some(from) = next {
            out.push((from, max));
        }
        Ranges(out)
    }

    /// How many addresses; the whole of IPv6 is one more than fits and saturates.
    fn count(&self) -> u128 {
        self.0.iter().fold(0u128, |sum, (low, high)| sum.saturating_add((high - low).saturating_add(1)))
    }
}

/// A set of IPv4 and IPv6 addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    v4: Ranges,
    v6: Ranges,
}

/// Reads a CIDR block or a single address; `None` where it is neither. Host bits are dropped, as AWS does.
pub fn parse_block(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(net.trunc());
    }
    text.parse::<IpAddr>().ok().map(IpNet::from)
}

fn bounds(net: &IpNet) -> (u128, u128) {
    match net {
        IpNet::V4(n) => (u128::from(u32::from(n.network())), u128::from(u32::from(n.broadcast()))),
        IpNet::V6(n) => (u128::from(n.network()), u128::from(n.broadcast())),
    }
}

impl AddressSet {
    /// The set of one block.
    pub fn of(net: &IpNet) -> Self {
        let mut set = AddressSet::default();
        set.insert(net);
        set
    }

    /// Adds a block.
    pub fn insert(&mut self, net: &IpNet) {
        let (low, high) = bounds(net);
        match net {
            IpNet::V4(_) => self.v4.insert(low, high),
            IpNet::V6(_) => self.v6.insert(low, high),
        }
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: &AddressSet) {
        other.v4.0.iter().for_each(|r| self.v4.insert(r.0, r.1));
        other.v6.0.iter().for_each(|r| self.v6.insert(r.0, r.1));
    }

    /// The addresses in both.
    pub fn intersection(&self, other: &AddressSet) -> AddressSet {
        AddressSet { v4: self.v4.intersection(&other.v4), v6: self.v6.intersection(&other.v6) }
    }

    /// The addresses in this set and not in `other`.
    pub fn difference(&self, other: &AddressSet) -> AddressSet {
        AddressSet {
            v4: self.v4.intersection(&other.v4.complement(u128::from(u32::MAX))),
            v6: self.v6.intersection(&other.v6.complement(u128::MAX)),
        }
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.v4.0.is_empty() && self.v6.0.is_empty()
    }

    /// How many addresses of a family are in it (all of IPv6 saturates by one).
    pub fn count(&self, family: Family) -> u128 {
        match family {
            Family::V4 => self.v4.count(),
            Family::V6 => self.v6.count(),
        }
    }

    /// The part that is routed on the internet.
    pub fn public(&self) -> AddressSet {
        self.intersection(public_space())
    }

    /// The families in which the public part is so large that it stands for the internet: more than
    /// [`INTERNET_IPV4`] or [`INTERNET_IPV6`] addresses, however they are cut into blocks.
    pub fn internet(&self) -> Vec<Family> {
        let public = self.public();
        let mut families = Vec::new();
        if public.count(Family::V4) > INTERNET_IPV4 {
            families.push(Family::V4);
        }
        if public.count(Family::V6) > INTERNET_IPV6 {
            families.push(Family::V6);
        }
        families
    }
}

impl<'a> FromIterator<&'a IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = &'a IpNet>>(blocks: I) -> Self {
        let mut set = AddressSet::default();
        blocks.into_iter().for_each(|net| set.insert(net));
        set
    }
}

/// All addresses that can be a source on the internet.
pub fn public_space() -> &'static AddressSet {
    static PUBLIC: LazyLock<AddressSet> = LazyLock::new(|| {
        let local: Vec<IpNet> = NOT_PUBLIC_IPV4.iter().filter_map(|text| parse_block(text)).collect();
        let local: AddressSet = local.iter().collect();
        let mut set = AddressSet { v4: local.v4.complement(u128::from(u32::MAX)), v6: Ranges::default() };
        if let Some(net) = parse_block(PUBLIC_IPV6) {
            set.insert(&net);
        }
        set
    });
    &PUBLIC
}

/// Whether all addresses of `block` lie in one or several of `blocks`. Unknown where the block is none, or where one of
/// the others is none and the rest does not hold it.
pub fn within(block: &str, blocks: &[&str]) -> Answer<bool> {
    let Some(net) = parse_block(block) else {
        return Answer::Unknown(format!("'{block}' is no CIDR block"));
    };
    let parsed: Vec<IpNet> = blocks.iter().filter_map(|b| parse_block(b)).collect();
    let missing = AddressSet::of(&net).difference(&parsed.iter().collect());
    match blocks.iter().find(|b| parse_block(b).is_none()) {
        _ if missing.is_empty() => Answer::Known(true),
        Some(odd) => Answer::Unknown(format!("'{odd}' is no CIDR block")),
        None => Answer::Known(false),
    }
}

/// Whether a block holds public addresses and is wider than a prefix length (`ipv4` or `ipv6`, by its family).
pub fn is_wider(net: &IpNet, ipv4: u8, ipv6: u8) -> bool {
    let limit = if matches!(net, IpNet::V4(_)) { ipv4 } else { ipv6 };
    net.prefix_len() < limit && !AddressSet::of(net).public().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(blocks: &[&str]) -> AddressSet {
        blocks.iter().map(|b| parse_block(b).unwrap()).collect::<Vec<_>>().iter().collect()
    }

    #[test]
    fn the_internet_is_recognised_however_it_is_cut() {
        assert_eq!(set(&["0.0.0.0/0"]).internet(), [Family::V4]);
        assert_eq!(set(&["::/0"]).internet(), [Family::V6]);
        assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/1"]).internet(), [Family::V4]);
        assert_eq!(set(&["0.0.0.0/1"]).internet(), [Family::V4]);
        assert_eq!(set(&["2000::/3"]).internet(), [Family::V6]);
        let scattered: Vec<String> = (1..60).map(|n| format!("{}.0.0.0/8", n * 2 + 1)).collect();
        let scattered: Vec<&str> = scattered.iter().map(String::as_str).collect();
        assert_eq!(set(&scattered).internet(), [Family::V4]);
    }

    #[test]
    fn private_space_and_narrow_blocks_are_not_the_internet() {
        assert!(set(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"]).internet().is_empty());
        assert!(set(&["52.0.0.0/8"]).internet().is_empty());
        assert!(set(&["203.0.113.7", "2001:db8::/32", "2a06:98c0::/29"]).internet().is_empty());
        assert!(set(&["224.0.0.0/3"]).internet().is_empty());
    }

    #[test]
    fn adjacent_ranges_become_one() {
        assert_eq!(set(&["10.0.0.0/9", "10.128.0.0/9"]), set(&["10.0.0.0/8"]));
        assert_eq!(set(&["::/1", "8000::/1"]), set(&["::/0"]));
        assert_eq!(set(&["10.0.0.7/8"]), set(&["10.0.0.0/8"]));
    }

    #[test]
    fn a_block_lies_within_others_by_its_addresses_not_by_its_text() {
        for (block, blocks, expected) in [
            ("10.1.0.0/16", &["10.0.0.0/8"] as &[&str], Some(true)),
            ("10.0.0.0/8", &["10.1.0.0/16"], Some(false)),
            ("10.0.0.0/8", &["10.128.0.0/9", "10.0.0.0/9"], Some(true)),
            ("0.0.0.0/0", &["0.0.0.0/1", "128.0.0.0/1"], Some(true)),
            ("203.0.113.7", &["203.0.113.7/32"], Some(true)),
            ("203.0.113.7/32", &["203.0.113.9/24"], Some(true)),
            ("::/0", &["0.0.0.0/0"], Some(false)),
            ("2001:DB8::1", &["2001:db8:0::/48"], Some(true)),
            ("10.0.0.0/8", &[], Some(false)),
            ("10.0.0.0/8", &["office", "0.0.0.0/0"], Some(true)),
            ("10.0.0.0/8", &["office"], None),
            ("office", &["0.0.0.0/0"], None),
        ] {
            assert_eq!(within(block, blocks).known(), expected, "{block} in {blocks:?}");
        }
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "any", "0.0.0.0/-1"] {
            assert_eq!(parse_block(text), None, "{text}");
        }
    }

    fn block() -> impl Strategy<Value = IpNet> {
        prop_oneof![
            (any::<u32>(), 0u8..=32).prop_map(|(a, p)| IpNet::new(IpAddr::V4(a.into()), p).unwrap().trunc()),
            (any::<u128>(), 0u8..=128).prop_map(|(a, p)| IpNet::new(IpAddr::V6(a.into()), p).unwrap().trunc()),
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_blocks_does_not_matter(mut blocks in prop::collection::vec(block(), 0..12)) {
            let one: AddressSet = blocks.iter().collect();
            blocks.reverse();
            let other: AddressSet = blocks.iter().collect();
            prop_assert_eq!(one, other);
        }

        #[test]
        fn a_set_is_what_it_shares_with_another_and_the_rest(a in prop::collection::vec(block(), 0..8), b in prop::collection::vec(block(), 0..8)) {
            let (a, b): (AddressSet, AddressSet) = (a.iter().collect(), b.iter().collect());
            let mut whole = a.intersection(&b);
            prop_assert!(whole.intersection(&a.difference(&b)).is_empty());
            whole.extend(&a.difference(&b));
            prop_assert_eq!(whole, a);
        }

        #[test]
        fn narrowing_a_block_never_adds_to_the_internet(blocks in prop::collection::vec(block(), 1..8), more in 1u8..16) {
            let wide: AddressSet = blocks.iter().collect();
            let narrowed: Vec<IpNet> = blocks
                .iter()
                .map(|n| IpNet::new(n.network(), n.prefix_len().saturating_add(more).min(n.max_prefix_len())).unwrap())
                .collect();
            let narrow: AddressSet = narrowed.iter().collect();
            for family in narrow.internet() {
                prop_assert!(wide.internet().contains(&family));
            }
        }
    }
}
