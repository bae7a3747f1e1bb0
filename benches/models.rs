//! How long it takes to have all API models at hand; the design allows 20 ms.

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use soc2scan::model::embedded;
use std::hint::black_box;

fn load_all(criterion: &mut Criterion) {
    let names: Vec<&str> = embedded::services().collect();
    criterion.bench_function("load all API models, one after the other", |bencher| {
        bencher.iter(|| names.iter().for_each(|name| drop(black_box(embedded::read(name)))));
    });
    criterion.bench_function("load all API models at once", |bencher| {
        bencher.iter(|| names.clone().into_par_iter().for_each(|name| drop(black_box(embedded::read(name)))));
    });
}

criterion_group!(benches, load_all);
criterion_main!(benches);
