//! The synthetic snapshot that the benchmarks measure with: that it is what they take it for.

use soc2scan::collect::Collectors;
use soc2scan::inventory::Snapshot;
use std::path::Path;

#[path = "../benches/support/synthetic.rs"]
mod synthetic;

#[test]
fn its_members_are_members_that_collectors_give() {
    let schemas = Collectors::load_embedded().expect("embedded collectors").schemas();
    for resource in synthetic::snapshot(2_000).resources {
        let schema = &schemas.types[&resource.resource_type];
        for member in resource.document.keys() {
            assert!(schema.members.contains_key(member), "{} has no member {member}", resource.resource_type);
        }
    }
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(synthetic::snapshot(1_000), synthetic::snapshot(1_000));
}

#[test]
fn it_survives_being_written_and_read() {
    let snapshot = synthetic::snapshot(1_000);
    let file = snapshot.write_to(Vec::new()).expect("memory takes it");
    assert_eq!(Snapshot::read_from(&file[..], Path::new("synthetic")).expect("it was written"), snapshot);
}
