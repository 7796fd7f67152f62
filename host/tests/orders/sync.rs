//! What `src/engine/sync.rs` gives, for loom: parking_lot's interface, and so few and small parts that all orders can be
//! tried.

use std::{
    cell::Cell,
    hash::{BuildHasherDefault, DefaultHasher},
    ops::{Deref, DerefMut},
};

use loom::sync::{self, RwLockReadGuard, RwLockWriteGuard};

pub use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Places must be the same in every run.
pub type HashBuilder = BuildHasherDefault<DefaultHasher>;

pub const SPINS: usize = 1;
pub const SHARDS: usize = 2;
pub const FILTER_WORDS: usize = 2;

pub fn pause() {
    loom::thread::yield_now();
}

/// A defect: what sleepers do not hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    Nothing,
    /// That there is something to do for one of them.
    Work,
    /// What is for all of them: the end.
    End,
}

thread_local! {
    /// The defect of the model that runs on this thread, as all of its own threads do.
    pub static UNHEARD: Cell<Unheard> = const { Cell::new(Unheard::Nothing) };
}

#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// None while it is given back.
    guard: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            guard: self.0.lock().ok(),
        }
    }
}

impl<T> MutexGuard<'_, T> {
    pub fn unlocked(guard: &mut Self, then: impl FnOnce()) {
        guard.guard = None;
        then();
        guard.guard = guard.mutex.0.lock().ok();
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect("it is locked")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("it is locked")
    }
}

#[derive(Debug)]
pub struct Condvar(sync::Condvar);

impl Default for Condvar {
    fn default() -> Self {
        Self(sync::Condvar::new())
    }
}

impl Condvar {
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let given = guard.guard.take().expect("it is locked");
        guard.guard = self.0.wait(given).ok();
    }

    pub fn notify_one(&self) {
        if UNHEARD.get() != Unheard::Work {
            self.0.notify_one();
        }
    }

    pub fn notify_all(&self) {
        if UNHEARD.get() != Unheard::End {
            self.0.notify_all();
        }
    }
}

#[derive(Debug, Default)]
pub struct RwLock<T>(sync::RwLock<T>);

impl<T> RwLock<T> {
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().expect("no thread panics")
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().expect("no thread panics")
    }
}
