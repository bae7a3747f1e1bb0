//! How many evaluations (one rule on one resource) are made in a second, on 100,000 resources: with one thread,
//! which the design asks 200,000 of, and with all of them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use soc2scan::collect::Collectors;
use soc2scan::inventory::{Inventory, Snapshot};

use soc2scan::rules::{EvaluateOptions, Evaluation, RulePack, evaluate};
use std::collections::BTreeMap;
use std::hint::black_box;

#[path = "support/synthetic.rs"]
mod synthetic;

const RESOURCES: u64 = 100_000;
const OPTIONS: EvaluateOptions = EvaluateOptions { as_of: None, all_verdicts: false };

fn pack() -> RulePack {
    let schemas = Collectors::load_embedded().expect("embedded collectors").schemas();
    RulePack::load(None, &schemas, &BTreeMap::new()).expect("embedded rules")
}

/// How many verdicts an evaluation has come to.
fn verdicts(evaluation: &Evaluation<'_>) -> u64 {
    evaluation.counts.iter().flat_map(|of_rule| of_rule.values()).map(|counts| counts.total()).sum()
}

fn judge(criterion: &mut Criterion) {
    let snapshot: Snapshot = synthetic::snapshot(RESOURCES);
    let pack = pack();
    let inventory = Inventory::new(&snapshot, pack.keys());
    let evaluations = verdicts(&evaluate(&pack, &inventory, &OPTIONS));
    assert!(evaluations > RESOURCES / 10, "the rules hardly fit the synthetic resources: {evaluations} verdicts");

    let mut group = criterion.benchmark_group("evaluate 100,000 resources");
    group.sample_size(10).throughput(Throughput::Elements(evaluations));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    group.bench_function("one thread", |bencher| {
        bencher.iter(|| one.install(|| black_box(verdicts(&evaluate(&pack, &inventory, &OPTIONS)))));
    });
    group.bench_function("all threads", |bencher| {
        bencher.iter(|| black_box(verdicts(&evaluate(&pack, &inventory, &OPTIONS))));
    });
    group.bench_function("index", |bencher| {
        bencher.iter(|| black_box(Inventory::new(&snapshot, pack.keys()).rows("AWS::S3::Bucket").len()));
    });
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
