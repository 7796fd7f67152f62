//! Sequential revm and the multicore engine on every kind of generated traffic; throughput is gas.

use std::{hint::black_box, num::NonZeroUsize, path::Path};

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use gatewei::{Engine, Executor, Sequential};
use gatewei_benches::block;
use gatewei_workloads::{KINDS, Params};

/// As in the command, for every executor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Transactions of a block: several times what a full block of mainnet has.
const TXS: usize = 1_000;

fn executors(criterion: &mut Criterion) {
    let params = Params {
        txs: TXS,
        ..Params::default()
    };
    for kind in KINDS {
        let block = block(kind.name, &params, Path::new(env!("CARGO_TARGET_TMPDIR")))
            .unwrap_or_else(|error| panic!("the block of {} cannot be made: {error}", kind.name));
        let mut group = criterion.benchmark_group(kind.name);
        group.sampling_mode(SamplingMode::Flat).sample_size(20);
        group.throughput(Throughput::Elements(block.header.gas_used));
        let mut measure = |executor: &mut dyn Executor| {
            let name = BenchmarkId::new(executor.name(), executor.threads());
            group.bench_with_input(name, &block, |bencher, block| {
                bencher.iter(|| black_box(executor.execute(block).expect("valid block")));
            });
        };
        measure(&mut Sequential);
        for threads in [1, 2, 4].into_iter().filter_map(NonZeroUsize::new) {
            measure(&mut Engine::builder().threads(threads).build());
        }
        group.finish();
    }
}

criterion_group!(benches, executors);
criterion_main!(benches);
