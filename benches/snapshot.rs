//! How fast a snapshot of 100,000 resources is written and read.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use soc2scan::inventory::Snapshot;
use std::hint::black_box;
use std::path::Path;

#[path = "support/synthetic.rs"]
mod synthetic;

const RESOURCES: u64 = 100_000;

fn write_and_read(criterion: &mut Criterion) {
    let snapshot = synthetic::snapshot(RESOURCES);
    let file = snapshot.write_to(Vec::new()).expect("memory takes it");
    let mut group = criterion.benchmark_group("snapshot of 100,000 resources");
    group.sample_size(10).throughput(Throughput::Elements(RESOURCES));
    group.bench_function("write", |bencher| {
        bencher.iter(|| black_box(snapshot.write_to(Vec::with_capacity(file.len())).expect("memory takes it")));
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| black_box(Snapshot::read_from(&file[..], Path::new("synthetic")).expect("it was written")));
    });
    group.finish();
}

criterion_group!(benches, write_and_read);
criterion_main!(benches);
