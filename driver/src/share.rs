//! A card for several threads: a handle for each queue pair, over one transport.
//!
//! ```text
//!  thread ─▶ Card ─▶ Port 0 ─╮                ╭─ queue pair 0 ─▶ lanes 0, 2, …
//!                            ├─ Hub ─▶ transport
//!  thread ─▶ Card ─▶ Port 1 ─╯  (a lock)      ╰─ queue pair 1 ─▶ lanes 1, 3, …
//! ```
//!
//! The rings are each thread's own: completions are found, and commands prepared, without a lock. What goes through
//! the transport (doorbells, looks at registers, mappings) takes it for a moment. A reset takes it until it has ended,
//! and is counted: whoever comes later with an older count learns that its messages are lost.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::dma::DmaBuffer;
use crate::fault::OpenError;
use crate::profile::Profile;
use crate::transport::{Transport, TransportError, Vector, Wait, WaitOutcome};
use crate::{Card, Options, identify};

/// Longest time that a port waits for another's reset: longer than a reset takes that gives up.
const RESET: Duration = Duration::from_secs(60);
/// Longest sleep of one port under the lock, where interrupts are no events: doorbells of others wait so long.
const TURN: Duration = Duration::from_micros(100);

/// Which queue pair of how many, and so which lanes: every so-many-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The queue pair.
    pub(crate) pair: u16,
    /// Of so many.
    pub(crate) of: u16,
}

impl Part {
    /// The only owner of a card.
    pub(crate) const WHOLE: Self = Self { pair: 0, of: 1 };

    /// Lanes of this part of a card with `all` lanes.
    pub(crate) const fn lanes(self, all: u16) -> u16 {
        all.saturating_sub(self.pair).div_ceil(self.of)
    }

    /// The card's number of this part's lane `lane`.
    pub(crate) const fn lane(self, lane: u16) -> u16 {
        lane * self.of + self.pair
    }
}

/// Opens a card for up to `most` threads: as many handles as it has queue pairs and lanes for.
///
/// # Errors
/// As [`Card::open`].
pub fn share<T: Transport>(
    mut transport: T,
    options: Options,
    most: u16,
) -> Result<Vec<Card<Port<T>>>, OpenError> {
    let caps = identify(&mut transport)?;
    let of = caps.pairs.min(caps.lanes).min(most).max(1);
    let vectors = transport.vectors(of)?;
    let hub = Arc::new(Hub {
        state: Mutex::new(State {
            transport,
            resets: 0,
            resetting: None,
            ports: 0,
            gone: None,
        }),
        changed: Condvar::new(),
    });
    let mut vectors = vectors.into_iter().flatten();
    let ports: Vec<_> = (0..of)
        .map(|pair| Port::new(&hub, pair, vectors.next()))
        .collect();
    let cards = ports.into_iter().enumerate().map(|(pair, port)| {
        let pair = pair as u16;
        Card::open_part(port, options, Part { pair, of })
    });
    cards.collect()
}

/// What all ports share.
struct Hub<T> {
    state: Mutex<State<T>>,
    /// A reset has ended.
    changed: Condvar,
}

struct State<T> {
    transport: T,
    /// Resets so far.
    resets: u64,
    /// Who resets the card now.
    resetting: Option<u16>,
    /// Ports that there are.
    ports: usize,
    /// Why the card is of no use to anybody any more.
    gone: Option<String>,
}

impl<T> Hub<T> {
    /// The state, once nobody but `pair` resets the card.
    fn lock(&self, pair: u16) -> Result<MutexGuard<'_, State<T>>, TransportError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        while state.resetting.is_some_and(|other| other != pair) {
            if began.elapsed() > RESET {
                return Err(TransportError::Failed(format!(
                    "a reset by another queue pair has not ended within {RESET:?}"
                )));
            }
            let waited = self.changed.wait_timeout(state, RESET);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state)
    }
}

/// A queue pair's way to a shared card.
pub struct Port<T: Transport> {
    hub: Arc<Hub<T>>,
    pair: u16,
    /// Resets that this port has taken part in; none before its first.
    resets: Option<u64>,
    /// Its interrupt, where it has one of its own.
    vector: Option<Vector>,
    clocked: bool,
}

impl<T: Transport> std::fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> Port<T> {
    fn new(hub: &Arc<Hub<T>>, pair: u16, vector: Option<Vector>) -> Self {
        let mut state = hub.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ports += 1;
        Self {
            hub: hub.clone(),
            pair,
            resets: None,
            vector,
            clocked: state.transport.is_clocked(),
        }
    }

    /// Calls the transport, unless the card was reset since this port knew, or has gone.
    fn call<R>(
        &self,
        call: impl FnOnce(&mut T) -> Result<R, TransportError>,
    ) -> Result<R, TransportError> {
        let mut state = self.hub.lock(self.pair)?;
        if let Some(why) = &state.gone {
            return Err(TransportError::Gone(why.clone()));
        }
        if self.resets.is_some_and(|resets| resets != state.resets) {
            return Err(TransportError::Reset);
        }
        let result = call(&mut state.transport);
        if let Err(TransportError::Gone(why)) = &result {
            state.gone = Some(why.clone());
        }
        result
    }

    /// Looks at the transport, for its owner's extras.
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        let state = self.hub.state.lock();
        look(&mut state.unwrap_or_else(PoisonError::into_inner).transport)
    }
}

impl<T: Transport> Transport for Port<T> {
    fn name(&self) -> String {
        self.with(|transport| transport.name())
    }

    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        self.call(|transport| transport.read32(offset))
    }

    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.call(|transport| transport.write32(offset, value))
    }

    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.call(|transport| transport.dma(bytes, align))
    }

    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.call(|transport| transport.release(buffer))
    }

    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        let Some(vector) = &self.vector else {
            let time = budget.time.min(TURN);
            let outcome = self.call(|transport| transport.wait(Wait { time, ..budget }));
            // A lock that is taken again at once leaves others no turn.
            std::thread::yield_now();
            return outcome;
        };
        match vector.wait(budget.time)? {
            WaitOutcome::Interrupt => Ok(WaitOutcome::Interrupt),
            // Perhaps the card is gone, or wanted back.
            WaitOutcome::Elapsed => {
                let look = Wait {
                    cycles: 0,
                    time: Duration::ZERO,
                };
                self.call(|transport| transport.wait(look))?;
                Ok(WaitOutcome::Elapsed)
            }
        }
    }

    fn reset(&mut self) -> Result<(), TransportError> {
        self.call(|transport| transport.reset())
    }

    fn begin_reset(&mut self) -> bool {
        let Ok(mut state) = self.hub.lock(self.pair) else {
            return true;
        };
        let known = self.resets.replace(state.resets).unwrap_or_default();
        if known != state.resets {
            return false;
        }
        state.resetting = Some(self.pair);
        true
    }

    fn end_reset(&mut self) {
        let mut state = self
            .hub
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if state.resetting == Some(self.pair) {
            state.resetting = None;
            state.resets += 1;
            self.resets = Some(state.resets);
            self.hub.changed.notify_all();
        }
    }

    fn is_shared(&self) -> bool {
        let state = self.hub.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).ports > 1
    }

    fn is_clocked(&self) -> bool {
        self.clocked
    }

    fn take_profile(&mut self) -> Option<Profile> {
        self.with(|transport| transport.take_profile())
    }
}

impl<T: Transport> Drop for Port<T> {
    fn drop(&mut self) {
        self.end_reset();
        let mut state = self
            .hub
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.ports -= 1;
    }
}
