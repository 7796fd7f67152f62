//! What may be changed while a card works: how much goes to it, and how much is computed again.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering::Relaxed},
    },
};

use crate::Verify;

/// Which first frames go to a card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Offload {
    /// Every one that the card takes.
    #[default]
    All,
    /// Those that end there sooner than they would on the CPU, by a model of both
    /// (the gas that the function used last, the measured time for a unit of gas, what is in flight and what is left).
    Auto,
    /// None: the card rests.
    None,
}

/// The switches of a [`CardExecutor`](super::CardExecutor), for any thread. A change of [`Offload`] counts from the next
/// transaction on, one of [`Verify`] from the next block on.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Switches>);

#[derive(Debug, Default)]
struct Switches {
    offload: AtomicU8,
    /// 0: none; else one in so many.
    verify: AtomicU32,
}

impl Control {
    /// Which first frames go to the card.
    pub fn offload(&self) -> Offload {
        let all = [Offload::All, Offload::Auto, Offload::None];
        let value = self.0.offload.load(Relaxed);
        all.into_iter()
            .find(|it| *it as u8 == value)
            .unwrap_or_default()
    }

    /// Changes which first frames go to the card.
    pub fn set_offload(&self, offload: Offload) {
        self.0.offload.store(offload as u8, Relaxed);
    }

    /// Which results are computed again.
    pub fn verify(&self) -> Verify {
        match NonZeroU32::new(self.0.verify.load(Relaxed)) {
            None => Verify::None,
            Some(NonZeroU32::MIN) => Verify::All,
            Some(every) => Verify::Sample(every),
        }
    }

    /// Changes which results are computed again.
    pub fn set_verify(&self, verify: Verify) {
        let every = match verify {
            Verify::None => 0,
            Verify::All => 1,
            Verify::Sample(every) => every.get(),
        };
        self.0.verify.store(every, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_set_for_all_holders() {
        let control = Control::default();
        let other = control.clone();
        assert_eq!((control.offload(), control.verify()), Default::default());
        for offload in [Offload::Auto, Offload::None, Offload::All] {
            control.set_offload(offload);
            assert_eq!(other.offload(), offload);
        }
        let eighth = NonZeroU32::new(8).map(Verify::Sample).expect("not zero");
        for verify in [Verify::All, eighth, Verify::None] {
            other.set_verify(verify);
            assert_eq!(control.verify(), verify);
        }
    }
}
