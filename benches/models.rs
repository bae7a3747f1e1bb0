//! How long it takes to have all API models at hand; the design allows 20 ms.

use criterion::{Criterion, criterion_group, criterion_main};
use soc2scan::model::embedded;
use std::hint::black_box;

fn load_all(criterion: &mut Criterion) {
    criterion.bench_function("load all API models", |bencher| {
        bencher.iter(|| {
            for name in embedded::services() {
                black_box(embedded::read(name));
            }
        });
    });
}

criterion_group!(benches, load_all);
criterion_main!(benches);
