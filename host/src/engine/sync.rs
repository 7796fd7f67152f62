//! What threads meet at in the scheduler and in multi-version memory. `tests/orders.rs` compiles their files over another
//! module of this name, under which every order of the threads is tried.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(super) use alloy_primitives::map::DefaultHashBuilder as HashBuilder;
pub(super) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

/// How often a worker looks for work again before it sleeps: with the pauses in between some 30 µs in all, about what
/// sleeping and being woken takes.
pub(super) const SPINS: usize = 16;
/// Number of independently locked parts of each map of the memory. More than the threads of a large machine.
pub(super) const SHARDS: usize = 128;
/// Words of each map's filter: 64 Ki bits, 8 KiB, so that it stays in the first-level cache.
pub(super) const FILTER_WORDS: usize = 1024;

/// Lets some time pass before the next look.
pub(super) fn pause() {
    (0..48).for_each(|_| std::hint::spin_loop());
}
