//! Transactions in flight on a card, from one thread.
//!
//! [`Flights::start`] takes a transaction to its first frame and sends that to a lane; [`Flights::step`]
//! answers the lanes' requests and brings home what has ended. What the card cannot run, or
//! loses, runs on revm's interpreter at once, from the state in which they were left: nothing of the
//! card's attempt is in the journal.

use std::collections::HashMap;

use gatewei_abi::layout;
use gatewei_abi::status::Trap;
use gatewei_driver::result::{Cost, FrameResult};
use gatewei_driver::transport::{Transport, Wait};
use gatewei_driver::{Card, Code, Event, State, Ticket};
use revm::context::TxEnv;
use revm::primitives::{Address, U256};

use super::costs::Costs;
use super::create::Deployed;
use super::effects::effects;
use super::foresight::Foresight;
use super::message::{self, Prepared};
use super::predictor::{Call, Predicted, Predictor};
use super::reason::Reason;
use super::split::{AccountEffect, Begun, CardDatabase, CardEvm, Ended, InFlight, Known, begin};
use crate::{Block, Prediction};

/// Results of one transaction that may be stale before it runs on the CPU.
const STALE: u32 = 8;
/// Functions whose slots are remembered.
const FUNCTIONS: usize = 4_096;

/// A card with what is worth keeping from block to block.
#[derive(Debug)]
pub struct CardRunner<T: Transport> {
    pub(super) card: Card<T>,
    predictor: Predictor,
    pub(super) costs: Costs,
    events: Vec<Event>,
}

impl<T: Transport> CardRunner<T> {
    /// A runner for an open card.
    pub fn new(card: Card<T>) -> Self {
        let predictor = Predictor::new(FUNCTIONS);
        Self {
            card,
            predictor,
            costs: Costs::default(),
            events: Vec::new(),
        }
    }

    /// Forgets what was learned of transactions, as after a restart.
    pub fn forget(&mut self) {
        self.predictor = Predictor::new(FUNCTIONS);
        self.costs = Costs::default();
    }

    /// Puts what was learned of slots aside, or back, and returns what was in its place.
    pub(crate) fn learned(&mut self, other: Option<Predictor>) -> Predictor {
        let other = other.unwrap_or_else(|| Predictor::new(FUNCTIONS));
        std::mem::replace(&mut self.predictor, other)
    }

    /// The card.
    pub const fn card(&self) -> &Card<T> {
        &self.card
    }

    /// The card, for its transport's extras.
    pub const fn card_mut(&mut self) -> &mut Card<T> {
        &mut self.card
    }

    /// Runs one transaction to its end, with nothing else in flight.
    pub fn run_one<DB: CardDatabase>(
        &mut self,
        evm: CardEvm<DB>,
        tx: TxEnv,
    ) -> (Ended<DB>, Place, Cost) {
        let mut landings = Vec::new();
        let mut flights = Flights::new(self);
        let mut stale = 0;
        landings.extend(flights.start(evm, tx.clone(), ()));
        loop {
            match landings.pop() {
                Some(Landing::Ended {
                    ended,
                    place,
                    cost,
                    job: (),
                    ..
                }) => return (ended, place, cost),
                Some(Landing::Stale { evm, job: () }) => {
                    stale += 1;
                    landings.extend(flights.start_again(None, evm, tx.clone(), (), stale));
                }
                None => flights.step(&mut landings),
            }
        }
    }
}

/// Where a transaction's first frame ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It had none: a plain transfer, a precompile, an invalid transaction; or it was given up.
    Nowhere,
    /// On the card.
    Card,
    /// On the CPU, and why.
    Cpu(Reason),
}

/// A transaction that has come home.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all land as the large one"
)]
pub enum Landing<DB: CardDatabase, J> {
    /// It ended, or was given up because the database failed (`ended.outcome`).
    Ended {
        /// What the caller gave.
        job: J,
        /// The end.
        ended: Ended<DB>,
        /// Where its frame ran.
        place: Place,
        /// What that cost on the card, also where the lane gave the frame back.
        cost: Cost,
        /// How well its slots were foreseen, where it ran on the card.
        prediction: Prediction,
        /// The slots that the lane asked for, where it ran on the card.
        asked: Vec<(Address, U256)>,
    },
    /// It rested on a value that has changed: start it again.
    Stale {
        /// What the caller gave.
        job: J,
        /// The EVM, as it was before the start.
        evm: CardEvm<DB>,
    },
}

/// A transaction whose frame is on the card.
pub(super) struct Flight<DB: CardDatabase, J> {
    pub(super) inflight: InFlight<DB>,
    pub(super) job: J,
    pub(super) call: Call,
    /// Accounts by their indices in the lane's slot table.
    pub(super) accounts: revm::primitives::HashMap<u32, Address>,
    /// Number of slots whose values were sent with the message, and those that were asked for.
    pub(super) sent: u64,
    pub(super) asked: Vec<(Address, U256)>,
    /// All that the lane was told.
    pub(super) known: Known,
    pub(super) deployed: Deployed,
    pub(super) attempt: Attempt,
}

/// What went before.
#[derive(Clone, Copy, Default)]
pub(super) struct Attempt {
    /// Its index in the block, where there is one.
    index: Option<usize>,
    /// The result did not fit at first: this is the second attempt, with room for any.
    roomy: bool,
    /// What the first one cost.
    spent: Cost,
}

impl Attempt {
    /// Cost of all attempts. What was retired in vain is no opcode of the transaction.
    fn cost(&self, last: Cost) -> Cost {
        Cost {
            cycles: self.spent.cycles + last.cycles,
            wait_cycles: self.spent.wait_cycles + last.wait_cycles,
            page_cycles: self.spent.page_cycles + last.page_cycles,
            requests: self.spent.requests + last.requests,
            ..last
        }
    }
}

/// Transactions in flight, over one kind of database.
pub struct Flights<'c, T: Transport, DB: CardDatabase, J> {
    pub(super) runner: &'c mut CardRunner<T>,
    foresight: Option<Foresight>,
    pub(super) flights: HashMap<Ticket, Flight<DB, J>>,
}

impl<'c, T: Transport, DB: CardDatabase, J> Flights<'c, T, DB, J> {
    /// Nothing in flight.
    pub fn new(runner: &'c mut CardRunner<T>) -> Self {
        Self {
            runner,
            foresight: None,
            flights: HashMap::new(),
        }
    }

    /// With what a block's access list tells, if it has one.
    pub(super) fn foreseeing(mut self, block: &Block) -> Self {
        self.foresight = Foresight::of(block);
        self
    }

    /// The card and what is kept with it.
    pub(crate) const fn runner(&mut self) -> &mut CardRunner<T> {
        self.runner
    }

    /// True where nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// True where [`Flights::start`] would find a lane with credit, or a dead card, which has room for
    /// everything: it all runs on the CPU.
    pub fn has_room(&self) -> bool {
        self.runner.card.state() != State::Ready || self.lane().is_some()
    }

    /// The commands in flight, in no particular order.
    pub fn commands(&self) -> impl Iterator<Item = u32> {
        self.flights.keys().map(|ticket| ticket.command())
    }

    /// The lane with most credit.
    fn lane(&self) -> Option<u16> {
        let card = &self.runner.card;
        let best = (0..card.caps().lanes).max_by_key(|&lane| card.credit(lane))?;
        (card.credit(best) > 0).then_some(best)
    }

    /// Takes a transaction to its first frame, and the frame to a lane. What ends at once comes back.
    pub fn start(&mut self, evm: CardEvm<DB>, tx: TxEnv, job: J) -> Option<Landing<DB, J>> {
        self.start_as(None, evm, tx, job)
    }

    /// The same, for the transaction of the block with this index.
    pub(super) fn start_as(
        &mut self,
        index: Option<usize>,
        evm: CardEvm<DB>,
        tx: TxEnv,
        job: J,
    ) -> Option<Landing<DB, J>> {
        let attempt = Attempt {
            index,
            ..Attempt::default()
        };
        match begin(evm, tx) {
            Begun::Frame(inflight) => self.attempt(inflight, job, attempt),
            Begun::Ended(ended) => Some(at_once(ended, job)),
        }
    }

    /// Starts a transaction anew whose result was stale for the `stale`th time; `index` is its place in the block, if it
    /// has one. One that never ends well
    /// runs on the CPU: what the card is told of it is then not what a real read gives.
    pub fn start_again(
        &mut self,
        index: Option<usize>,
        evm: CardEvm<DB>,
        tx: TxEnv,
        job: J,
        stale: u32,
    ) -> Option<Landing<DB, J>> {
        if stale < STALE {
            return self.start_as(index, evm, tx, job);
        }
        Some(match begin(evm, tx) {
            Begun::Frame(inflight) => fall_back(inflight, job, Reason::Stale, Cost::default()),
            Begun::Ended(ended) => at_once(ended, job),
        })
    }

    /// Sends a frame to a lane, or runs it where the card cannot.
    pub fn launch(&mut self, inflight: InFlight<DB>, job: J) -> Option<Landing<DB, J>> {
        self.attempt(inflight, job, Attempt::default())
    }

    fn attempt(
        &mut self,
        mut inflight: InFlight<DB>,
        job: J,
        attempt: Attempt,
    ) -> Option<Landing<DB, J>> {
        let target = inflight.target();
        let call = Call::of(target, inflight.caller(), &inflight.calldata());
        let mut known = Known::default();
        let predictor = &self.runner.predictor;
        let predicted = match (&self.foresight, attempt.index) {
            (Some(foresight), Some(tx)) => {
                let guess = predictor.predict_all(&call, foresight.changes(tx));
                foresight.complete(tx, call.target(), guess)
            }
            _ => predictor.predict(&call),
        };
        let slots = self.runner.card.caps().slots;
        let launched = message::prepare(&mut inflight, &predicted, &mut known, slots)
            .map_err(Reason::Unfit)
            .and_then(|prepared| {
                let ticket = self.send(&prepared, attempt.roomy)?;
                Ok((ticket, prepared.indices()))
            });
        match launched {
            Ok((ticket, accounts)) => {
                let sent = known.slots.len() as u64;
                let flight = Flight {
                    inflight,
                    job,
                    call,
                    accounts,
                    sent,
                    asked: Vec::new(),
                    known,
                    deployed: Deployed::default(),
                    attempt,
                };
                self.flights.insert(ticket, flight);
                None
            }
            Err(reason) => Some(fall_back(inflight, job, reason, attempt.spent)),
        }
    }

    fn send(&mut self, prepared: &Prepared, roomy: bool) -> Result<Ticket, Reason> {
        let lane = self.lane().unwrap_or_default();
        let image = || prepared.image();
        let code = Code {
            key: prepared.code_key,
            image: &image,
        };
        let callees = prepared.codes().iter();
        let images: Vec<_> = callees
            .map(|code| code.as_ref().map(|code| (code.key, || code.image())))
            .collect();
        let codes: Vec<_> = images
            .iter()
            .map(|code| code.as_ref().map(|(key, image)| Code { key: *key, image }))
            .collect();
        let room = if roomy { layout::RESULT_MOST } else { 0 };
        let card = &mut self.runner.card;
        let sent = card.submit_roomy(lane, prepared.message(), code, &codes, room);
        sent.map_err(|error| Reason::of_submit(&error))
    }

    /// Brings home what has ended. Lets the card work where there is nothing to bring home.
    pub fn step(&mut self, landings: &mut Vec<Landing<DB, J>>) {
        let mut events = std::mem::take(&mut self.runner.events);
        self.runner.card.poll(&mut events);
        if events.is_empty() && !self.flights.is_empty() {
            self.runner.card.wait(Wait::default());
            self.runner.card.poll(&mut events);
        }
        for event in events.drain(..) {
            landings.extend(self.take(event));
        }
        self.runner.card.flush();
        self.runner.events = events;
    }

    fn take(&mut self, event: Event) -> Option<Landing<DB, J>> {
        match event {
            Event::Request {
                ticket,
                kind,
                account,
                key,
            } => self.answer(ticket, (kind, account, key)),
            Event::Done { ticket, result } => {
                let flight = self.flights.remove(&ticket)?;
                Some(self.land(flight, *result))
            }
            Event::Trap {
                ticket,
                trap,
                opcode,
                cost,
                ..
            } => {
                let flight = self.flights.remove(&ticket)?;
                let spent = flight.attempt.cost(cost);
                // Buffers are not made for the few results that are longer.
                if trap == Trap::Result && !flight.attempt.roomy {
                    let attempt = Attempt {
                        roomy: true,
                        spent,
                        ..flight.attempt
                    };
                    return self.attempt(flight.inflight, flight.job, attempt);
                }
                let reason = Reason::of_trap(trap, opcode);
                Some(fall_back(flight.inflight, flight.job, reason, spent))
            }
            Event::Fault { ticket, fault } => {
                let flight = self.flights.remove(&ticket)?;
                let reason = Reason::Fault(fault);
                Some(fall_back(
                    flight.inflight,
                    flight.job,
                    reason,
                    flight.attempt.spent,
                ))
            }
            // Given up already, when its database failed.
            Event::Cancelled { .. } => None,
        }
    }

    fn land(&mut self, flight: Flight<DB, J>, result: FrameResult) -> Landing<DB, J> {
        let Flight {
            inflight,
            job,
            call,
            sent,
            asked,
            known,
            deployed,
            attempt,
            ..
        } = flight;
        let cost = attempt.cost(result.cost);
        let Ok(effects) = effects(result, &known, &deployed) else {
            return fall_back(inflight, job, Reason::UnknownRead, cost);
        };
        let used = |account: &AccountEffect| Predicted {
            address: account.address,
            balance: account.balance_used.is_some() || account.balance.is_some(),
            slots: account.slots.iter().map(|slot| slot.key).collect(),
        };
        let used: Vec<Predicted> = effects.accounts.iter().map(used).collect();
        let slots = used.iter().map(|account| account.slots.len() as u64).sum();
        let prediction = Prediction {
            sent,
            used: slots,
            hits: slots.saturating_sub(asked.len() as u64),
        };
        self.runner.predictor.learn(&call, &used);
        match inflight.finish(effects) {
            Ok(ended) => Landing::Ended {
                job,
                ended,
                place: Place::Card,
                cost,
                prediction,
                asked,
            },
            Err(stale) => Landing::Stale {
                job,
                evm: stale.evm,
            },
        }
    }
}

impl<T: Transport, DB: CardDatabase, J> Drop for Flights<'_, T, DB, J> {
    /// Gives up what is in flight, so that the card's slots are free for the next block.
    fn drop(&mut self) {
        for &ticket in self.flights.keys() {
            self.runner.card.cancel(ticket);
        }
        self.runner.card.flush();
    }
}

/// The landing of what had no frame to run, or was given up.
pub(super) fn at_once<DB: CardDatabase, J>(ended: Ended<DB>, job: J) -> Landing<DB, J> {
    Landing::Ended {
        job,
        ended,
        place: Place::Nowhere,
        cost: Cost::default(),
        prediction: Prediction::default(),
        asked: Vec::new(),
    }
}

fn fall_back<DB: CardDatabase, J>(
    inflight: InFlight<DB>,
    job: J,
    reason: Reason,
    cost: Cost,
) -> Landing<DB, J> {
    tracing::debug!(%reason, "a frame falls back to the CPU");
    Landing::Ended {
        job,
        ended: inflight.fallback(),
        place: Place::Cpu(reason),
        cost,
        prediction: Prediction::default(),
        asked: Vec::new(),
    }
}
