//! Command slots: what a command id points to.
//!
//! An id is a slot number, the number of the queue pair, and the slot's generation. A slot's generation rises
//! each time it is freed, so a completion for an earlier occupant, late or repeated, finds nobody.

use gatewei_abi::command::PAIR_SHIFT;

/// Most slots of a queue pair.
pub(crate) const MOST: usize = 1 << PAIR_SHIFT;

/// A table of commands in flight.
#[derive(Debug)]
pub(crate) struct Slots<V> {
    /// The queue pair, where it stands in an id.
    pair: u32,
    slots: Vec<Slot<V>>,
    free: Vec<u16>,
}

#[derive(Debug)]
struct Slot<V> {
    generation: u16,
    value: Option<V>,
}

/// Why a command id points to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// There is no such slot.
    OutOfRange,
    /// The slot is free, or has another occupant by now.
    Stale,
}

/// Slot with queue pair, which is none of ours where the pair is another one, and generation.
const fn split(command: u32, pair: u32) -> (usize, u16) {
    (((command & 0xffff) ^ pair) as usize, (command >> 16) as u16)
}

impl<V> Slots<V> {
    /// `count` free slots of queue pair `pair`.
    pub(crate) fn new(count: u16, pair: u16) -> Self {
        Self {
            pair: u32::from(pair) << PAIR_SHIFT,
            slots: (0..count)
                .map(|_| Slot {
                    generation: 0,
                    value: None,
                })
                .collect(),
            free: (0..count).rev().collect(),
        }
    }

    /// Occupies a free slot; gives back the value where there is none.
    pub(crate) fn insert(&mut self, value: V) -> Result<u32, V> {
        let Some(index) = self.free.pop() else {
            return Err(value);
        };
        let slot = &mut self.slots[index as usize];
        slot.value = Some(value);
        Ok(u32::from(slot.generation) << 16 | self.pair | u32::from(index))
    }

    /// The slot that the next [`Slots::insert`] takes.
    pub(crate) fn next(&self) -> Option<usize> {
        self.free.last().map(|&index| index as usize)
    }

    /// The occupant of a command id.
    pub(crate) fn get_mut(&mut self, command: u32) -> Result<&mut V, Miss> {
        let (index, generation) = split(command, self.pair);
        let slot = self.slots.get_mut(index).ok_or(Miss::OutOfRange)?;
        match &mut slot.value {
            Some(value) if slot.generation == generation => Ok(value),
            _ => Err(Miss::Stale),
        }
    }

    /// Frees a slot.
    pub(crate) fn remove(&mut self, command: u32) -> Result<V, Miss> {
        let (index, generation) = split(command, self.pair);
        let slot = self.slots.get_mut(index).ok_or(Miss::OutOfRange)?;
        if slot.generation != generation {
            return Err(Miss::Stale);
        }
        let value = slot.value.take().ok_or(Miss::Stale)?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index as u16);
        Ok(value)
    }

    /// All command ids in flight.
    pub(crate) fn commands(&self) -> Vec<u32> {
        let used = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.value.is_some());
        used.map(|(i, slot)| u32::from(slot.generation) << 16 | self.pair | i as u32)
            .collect()
    }

    /// Commands in flight.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

/// Slot number of a command id.
pub(crate) const fn index(command: u32) -> usize {
    command as usize % MOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_good_for_one_occupancy() {
        let mut slots = Slots::new(2, 3);
        let a = slots.insert('a').unwrap();
        let b = slots.insert('b').unwrap();
        assert_eq!(slots.insert('c'), Err('c'));
        assert_eq!(slots.remove(a), Ok('a'));
        assert_eq!(slots.remove(a), Err(Miss::Stale), "twice");
        let c = slots.insert('c').unwrap();
        assert_eq!((index(a), slots.get_mut(a)), (index(c), Err(Miss::Stale)));
        assert_eq!(slots.get_mut(c), Ok(&mut 'c'));
        assert_eq!(slots.get_mut(a ^ 2), Err(Miss::OutOfRange));
        let other = a ^ 1 << PAIR_SHIFT;
        assert_eq!(
            slots.get_mut(other),
            Err(Miss::OutOfRange),
            "another pair's"
        );
        assert_eq!((a >> PAIR_SHIFT & 15, index(b)), (3, 1));
        assert_eq!((slots.commands(), slots.len()), (vec![c, b], 2));
    }

    #[test]
    fn generations_wrap() {
        let mut slots = Slots::new(1, 0);
        let first = slots.insert(0).unwrap();
        slots.remove(first).unwrap();
        for i in 1..0x1_0000 {
            let id = slots.insert(i).unwrap();
            assert_ne!(id, first);
            slots.remove(id).unwrap();
        }
        assert_eq!(slots.insert(0), Ok(first));
    }
}
