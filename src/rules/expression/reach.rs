//! The questions that are about the whole network of an account and region: which ways lead from the internet to an
//! instance. What they need is taken from the inventory here, once for each account and region, and not joined by each
//! rule; [`reads`] says what that is, so that it is collected. It must never take what was not read for not there.

use super::Ty;
use super::evaluate::Env;
use super::functions::{Function, list_of};
use super::questions::{Kind, answer, json, object};
use super::value::Val;
use crate::inventory::{Cause, Inventory, Reason, Resource};
use crate::semantics::network::rules::PrefixLists;
use crate::semantics::network::{Item, Listing, Network, Parts, PortRange};
use crate::semantics::{Answer, Input};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const GROUPS: &str = "AWS::EC2::SecurityGroup";
const TABLES: &str = "AWS::EC2::RouteTable";
const ACLS: &str = "AWS::EC2::NetworkAcl";
const SUBNETS: &str = "AWS::EC2::Subnet";
const INTERFACES: &str = "AWS::EC2::NetworkInterface";
const LISTS: &str = "AWS::EC2::PrefixList";
const REGION: &str = "AWS::::Region";
const BALANCERS: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const LISTENERS: &str = "AWS::ElasticLoadBalancingV2::Listener";
const TARGET_GROUPS: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";

/// What is read of the network: types, and their members beyond the listing.
const NETWORK: [(&str, &[&str]); 11] = [
    (GROUPS, &["IpPermissions", "IpPermissionsEgress"]),
    (TABLES, &["Routes", "Associations"]),
    (ACLS, &["Entries", "Associations"]),
    (SUBNETS, &["CidrBlock", "Ipv6CidrBlockAssociationSet", "AvailabilityZone"]),
    (INTERFACES, &["Description", "PrivateIpAddresses", "Ipv6Addresses"]),
    (LISTS, &["PrefixListName", "OwnerId", "Entries"]),
    (REGION, &["VpcBlockPublicAccessOptions", "VpcBlockPublicAccessExclusions"]),
    (BALANCERS, &["Attributes"]),
    (LISTENERS, &["Rules"]),
    (TARGET_GROUPS, &["Attributes", "TargetHealth"]),
    (CLASSIC, &["Attributes"]),
];

/// The members, by resource type, that a function reads without being given them.
pub(super) fn reads(function: &str) -> Vec<(String, String)> {
    if !matches!(function, "reachable" | "facesInternet") {
        return Vec::new();
    }
    let of_type = |(resource_type, members): &(&str, &[&str])| -> Vec<(String, String)> {
        let names = members.iter().copied().chain([""]);
        names.map(|member| ((*resource_type).to_owned(), member.to_owned())).collect()
    };
    NETWORK.iter().flat_map(of_type).collect()
}

/// The functions.
pub(super) fn all() -> Vec<Function> {
    let instance = || Ty::Resource("".into());
    let members: &[&str] = &["InstanceId", "State", "NetworkInterfaces", "Placement"];
    vec![
        Function {
            name: "reachable",
            parameters: vec![instance(), Ty::Str, list_of(Ty::Any), list_of(Ty::Any)],
            returns: list_of(object(PATH)),
            takes_unknown: true,
            reads: members,
            summary: "The ways from the internet to some ports of an instance, direct or through load balancers; the \
                      last list holds those of the ports at which a service speaks HTTP.",
            run: reachable,
        },
        Function {
            name: "facesInternet",
            parameters: vec![instance()],
            returns: Ty::Bool,
            takes_unknown: true,
            reads: members,
            summary: "Whether an instance has a public address, or is a target of a load balancer that the internet can call.",
            run: faces_internet,
        },
    ]
}

/// The members of a way to an instance ([`crate::semantics::network::Path`]).
const PATH: &[(&str, Kind)] = &[
    ("port", Kind::Number),
    ("protocol", Kind::Text),
    ("family", Kind::Text),
    ("address", Kind::Text),
    ("entrance", Kind::Number),
    ("steps", Kind::Texts),
];

fn reachable<'v>(env: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let Val::Resource(instance, _) = &a[0] else { return Val::fault("an instance was expected") };
    let Val::Str(protocol) = &a[1] else { return Val::fault("a protocol was expected") };
    let (Some(ports), Some(http)) = (PortRange::read_list(&json(&a[2])), PortRange::read_list(&json(&a[3]))) else {
        return Val::fault("not a list of ports");
    };
    let around = env.finder.surroundings(env);
    around.answer(instance, around.network.reachable(&instance.document, protocol, &ports, &http))
}

fn faces_internet<'v>(env: &Env<'v>, a: &[Val<'v>], _: Option<&regex::Regex>) -> Val<'v> {
    let Val::Resource(instance, _) = &a[0] else { return Val::fault("an instance was expected") };
    let around = env.finder.surroundings(env);
    around.answer(instance, around.network.faces_internet(&instance.document))
}

/// The network of one account and region, and what could not be read of it.
pub(crate) struct Surroundings<'a> {
    network: Network<'a>,
    unread: Vec<Cause>,
}

impl<'a> Surroundings<'a> {
    fn read(inventory: &Inventory<'a>, account: &str, region: &str) -> Self {
        let mut reader = Reader { inventory, account, region, unread: Vec::new() };
        let lists = reader.documents(LISTS);
        let place = reader.listing(REGION).items.into_iter().next();
        let member = |name: &str| place.as_ref().map_or(Input::Unknown, |place| place.member(name));
        let network = Network::new(&Parts {
            groups: reader.listing(GROUPS),
            route_tables: reader.listing(TABLES),
            acls: reader.listing(ACLS),
            subnets: reader.listing(SUBNETS),
            interfaces: reader.listing(INTERFACES),
            balancers: reader.listing(BALANCERS),
            listeners: reader.listing(LISTENERS),
            target_groups: reader.listing(TARGET_GROUPS),
            classic: reader.listing(CLASSIC),
            block_public_access: member("VpcBlockPublicAccessOptions"),
            exclusions: member("VpcBlockPublicAccessExclusions"),
            lists: PrefixLists(Input::Known(&lists)),
        });
        Surroundings { network, unread: reader.unread }
    }

    /// The answer as a value; where it is not known, what could not be read is why.
    fn answer<'v, T: serde::Serialize>(&self, instance: &Resource, given: Answer<T>) -> Val<'v> {
        match given {
            Answer::Unknown(why) => {
                let own = instance.unknown.iter().map(|u| u.cause.clone());
                let causes: Vec<Cause> = own.chain(self.unread.iter().cloned()).collect();
                match causes.is_empty() {
                    true => Val::unknown(Cause::of(Reason::NotUnderstood, why)),
                    false => Val::Unknown(causes.into()),
                }
            }
            known => answer(&[], known),
        }
    }
}

/// Takes the parts of a network from the inventory.
struct Reader<'r, 'a> {
    inventory: &'r Inventory<'a>,
    account: &'r str,
    region: &'r str,
    unread: Vec<Cause>,
}

impl<'a> Reader<'_, 'a> {
    fn listing(&mut self, resource_type: &str) -> Listing<'a> {
        let members = NETWORK.iter().find(|(name, _)| *name == resource_type).map_or(&[][..], |(_, members)| members);
        let rows = self.inventory.rows_in(resource_type, self.account, self.region);
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let resource = self.inventory.resource(*row);
            for unknown in &resource.unknown {
                if members.iter().any(|member| unknown.path.split(['.', '[']).next() == Some(member)) {
                    self.note(unknown.cause.clone());
                }
            }
            let unread = resource.unknown.iter().map(|u| u.path.as_str()).collect();
            items.push(Item { document: &resource.document, unread });
        }
        let holes = self.inventory.holes(resource_type, self.account, self.region);
        let complete = holes.is_empty();
        holes.into_iter().for_each(|cause| self.note(cause));
        Listing { items, complete }
    }

    fn documents(&mut self, resource_type: &str) -> Value {
        let listing = self.listing(resource_type);
        listing.items.iter().map(|item| Value::Object(item.document.clone())).collect()
    }

    fn note(&mut self, cause: Cause) {
        if !self.unread.contains(&cause) {
            self.unread.push(cause);
        }
    }
}

/// The networks that were asked for, each read once.
pub(crate) struct Networks<'a>(Mutex<BTreeMap<(String, String), Arc<Surroundings<'a>>>>);

impl<'a> Networks<'a> {
    /// None so far.
    pub(crate) fn new() -> Self {
        Networks(Mutex::default())
    }

    /// The network around a resource.
    pub(crate) fn around(&self, inventory: &Inventory<'a>, resource: &Resource) -> Arc<Surroundings<'a>> {
        // A thread that panicked while it held the lock has left the map as it was.
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (resource.account.clone(), resource.region.clone());
        let read = || Arc::new(Surroundings::read(inventory, &resource.account, &resource.region));
        known.entry(key).or_insert_with(read).clone()
    }
}
