//! Messages on lanes, in cycles: the engine's own scheduler and the card worker's loop over a model of the card.
//!
//! What the host does is not modelled anew: [`Scheduler`] decides who runs next, who waits and what is run again, as in an
//! execution. A model of its memory says what each attempt would have read when: a result that rests on what has
//! changed is stale and runs again at once; one that rests on what was not there yet is rejected when its turn to be
//! committed comes. The card is lanes with a queue each, one fetcher of submissions, and one link.

mod card;
mod host;
mod memory;

#[cfg(test)]
mod tests;

use std::num::NonZeroU16;

use super::profile::Moved;

/// What a message takes on the card, without what it waits for the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles of its lane, the first time.
    pub cycles: u64,
    /// Of those, cycles that it does not take again when it runs again: pages that are there by then.
    pub pages: u64,
    /// Requests, each of which waits for the host.
    pub requests: u64,
    /// Cycles on the link, beyond what its lane's have in them: before it begins, and before it ends.
    pub link: (u64, u64),
    /// What it moves.
    pub moved: Moved,
}

/// The codes that a function runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// Which function.
    pub name: u32,
    /// Cycles in which a lane loads them, before the function's first message on it.
    pub cycles: u64,
    /// The message's own pages ([`Cost::pages`]) are these.
    pub first: bool,
}

/// What a transaction takes. Times in cycles of the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// On its lane. None: it never gets to the card.
    pub lane: Option<Cost>,
    /// The same, while no message of its function has come home: nothing is foreseen then.
    pub cold: Option<Cost>,
    /// The function that it calls; none where it is known from before.
    pub function: Option<u32>,
    /// Its codes; none where all lanes have them.
    pub code: Option<Code>,
    /// The lane gives it back: then it runs on the host's thread.
    pub given_back: bool,
    /// On the host's thread, where it runs there.
    pub host: u64,
}

/// A card, and the host thread that drives it. Times in cycles of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Lanes.
    pub lanes: NonZeroU16,
    /// Messages in flight for each lane.
    pub credits: NonZeroU16,
    /// From a doorbell, or the submission before, to a submission at its lane.
    pub fetch: u64,
    /// From a lane's question to the host's looking at it.
    pub ask: u64,
    /// From a message's end to the host's looking at it.
    pub complete: u64,
    /// Between two messages of a lane.
    pub gap: u64,
    /// The host's work for a message to be sent, an answer, or a result.
    pub host: u64,
}

/// What a schedule came to. Times in cycles of the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// From the first submission to the last result.
    pub makespan: u64,
    /// In which lanes had a message, summed over the lanes.
    pub busy: u64,
    /// Of those, for messages whose result was thrown away.
    pub wasted: u64,
    /// In which the link was busy beyond what messages have in their cycles.
    pub link: u64,
    /// In which the host's thread was busy.
    pub host: u64,
    /// Messages sent.
    pub messages: u64,
    /// Results that were stale when they came home.
    pub stale: u64,
    /// Results that were rejected when their turn came.
    pub rejected: u64,
    /// Attempts that read what was known to change.
    pub blocked: u64,
    /// What was moved.
    pub moved: Moved,
}

/// A schedule that does not end: a bug of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model stands still at cycle {at} with transaction {tx} to be committed; report this")]
pub struct Stuck {
    /// When.
    pub at: u64,
    /// The first transaction that was not committed.
    pub tx: usize,
}

pub use host::schedule;
