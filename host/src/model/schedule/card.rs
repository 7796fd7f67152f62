//! Lanes, the fetcher of submissions and the link, as events in time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use super::{Code, Cost, Run, Setting};

/// A message in flight: an index that is given once.
pub(super) type Flight = usize;

/// What the host sees of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The lane asks, for the `nth` time from 0 on.
    Asks { flight: Flight, nth: u64 },
    /// The message has ended, or was cancelled.
    Ended { flight: Flight },
}

/// What happens on the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A message is at its lane.
    Taken(Flight),
    /// An answer is.
    Answered(Flight),
    /// A lane is told to give up.
    Cancelled(Flight),
    /// A lane asks.
    Asks(Flight),
    /// A lane has ended a message.
    Ends(Flight),
    /// The host can see that a lane asks.
    SeenAsking(Flight),
    /// The host can see that a message has ended.
    SeenEnded(Flight),
}

#[derive(Debug)]
struct State {
    lane: usize,
    cost: Cost,
    /// Cycles between requests, and what is left over for the last part.
    part: u64,
    last: u64,
    asked: u64,
    began: u64,
    /// Cycles that it had its lane; none before its end.
    took: Option<u64>,
    /// Its result is thrown away.
    wasted: bool,
}

#[derive(Debug, Default)]
struct Lane {
    running: Option<Flight>,
    queue: VecDeque<Flight>,
    /// Functions whose codes it has loaded.
    codes: HashSet<u32>,
    /// Messages that it holds, or that are on their way to it or to the host.
    held: u16,
}

/// A card.
#[derive(Debug)]
pub(super) struct Card {
    setting: Setting,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    /// Events so far: those of one cycle happen in the order in which they came to be.
    count: u64,
    lanes: Vec<Lane>,
    flights: Vec<State>,
    /// Submissions that no doorbell has told of.
    unrung: Vec<Event>,
    fetcher: u64,
    link: u64,
    pub run: Run,
}

impl Card {
    pub fn new(setting: Setting) -> Self {
        let mut lanes = Vec::new();
        lanes.resize_with(setting.lanes.get().into(), Lane::default);
        Self {
            setting,
            events: BinaryHeap::new(),
            count: 0,
            lanes,
            flights: Vec::new(),
            unrung: Vec::new(),
            fetcher: 0,
            link: 0,
            run: Run::default(),
        }
    }

    /// The lane with most credit, as the driver chooses: the last one of several.
    fn lane(&self) -> Option<usize> {
        let credit = |lane: &Lane| self.setting.credits.get().saturating_sub(lane.held);
        let lanes = self.lanes.iter().enumerate();
        let (best, lane) = lanes.max_by_key(|(_, lane)| credit(lane))?;
        (credit(lane) > 0).then_some(best)
    }

    pub fn has_room(&self) -> bool {
        self.lane().is_some()
    }

    /// Puts a message in flight; it leaves with the next doorbell. None where there is no room.
    pub fn send(&mut self, cost: Cost, again: bool, code: Option<Code>) -> Option<Flight> {
        let lane = self.lane()?;
        let Code {
            name,
            cycles: codes,
            first,
        } = code.unwrap_or_default();
        let known = if again || first { cost.pages } else { 0 };
        let load = match code {
            Some(_) if self.lanes[lane].codes.insert(name) => codes,
            _ => 0,
        };
        let cycles = cost.cycles.saturating_sub(known) + load;
        let parts = cost.requests + 1;
        let flight = self.flights.len();
        self.flights.push(State {
            lane,
            cost,
            part: cycles / parts,
            last: cycles / parts + cycles % parts,
            asked: 0,
            began: 0,
            took: None,
            wasted: false,
        });
        self.lanes[lane].held += 1;
        self.unrung.push(Event::Taken(flight));
        self.run.messages += 1;
        self.run.moved += cost.moved;
        Some(flight)
    }

    pub fn answer(&mut self, flight: Flight) {
        self.unrung.push(Event::Answered(flight));
    }

    pub fn cancel(&mut self, flight: Flight) {
        self.unrung.push(Event::Cancelled(flight));
    }

    /// The result of a message is thrown away.
    pub fn waste(&mut self, flight: Flight) {
        let state = &mut self.flights[flight];
        state.wasted = true;
        self.run.wasted += state.took.unwrap_or(0);
    }

    /// Rings the doorbell: submissions are fetched one after the other.
    pub fn ring(&mut self, now: u64) {
        for event in std::mem::take(&mut self.unrung) {
            self.fetcher = self.fetcher.max(now) + self.setting.fetch;
            self.at(self.fetcher, event);
        }
    }

    fn at(&mut self, time: u64, event: Event) {
        self.count += 1;
        self.events.push(Reverse((time, self.count, event)));
    }

    /// Lets time pass until the host can see something, and no later than `limit` if there is one. Returns when.
    pub fn next(&mut self, limit: Option<u64>) -> Option<(u64, Notice)> {
        loop {
            let Reverse((time, _, _)) = self.events.peek()?;
            if limit.is_some_and(|limit| *time > limit) {
                return None;
            }
            let Reverse((time, _, event)) = self.events.pop()?;
            match event {
                Event::Taken(flight) => {
                    let lane = self.flights[flight].lane;
                    self.lanes[lane].queue.push_back(flight);
                    self.start(lane, time);
                }
                Event::Answered(flight) => self.go_on(flight, time),
                Event::Asks(flight) => {
                    self.at(time + self.setting.ask, Event::SeenAsking(flight));
                }
                Event::Cancelled(flight) => self.at(time, Event::Ends(flight)),
                Event::Ends(flight) => {
                    let state = &mut self.flights[flight];
                    let (lane, took) = (state.lane, time - state.began);
                    state.took = Some(took);
                    self.run.busy += took;
                    self.run.wasted += if state.wasted { took } else { 0 };
                    self.lanes[lane].running = None;
                    self.at(time + self.setting.complete, Event::SeenEnded(flight));
                    self.start(lane, time + self.setting.gap);
                }
                Event::SeenAsking(flight) => {
                    let nth = self.flights[flight].asked;
                    self.flights[flight].asked += 1;
                    return Some((time, Notice::Asks { flight, nth }));
                }
                Event::SeenEnded(flight) => {
                    let lane = self.flights[flight].lane;
                    self.lanes[lane].held -= 1;
                    return Some((time, Notice::Ended { flight }));
                }
            }
        }
    }

    /// The lane takes the next message, if it is free.
    fn start(&mut self, lane: usize, now: u64) {
        let Lane { running, queue, .. } = &mut self.lanes[lane];
        if running.is_some() {
            return;
        }
        let Some(flight) = queue.pop_front() else {
            return;
        };
        *running = Some(flight);
        self.flights[flight].began = now;
        let (down, _) = self.flights[flight].cost.link;
        let loaded = self.transfer(now, down);
        self.go_on(flight, loaded);
    }

    /// The lane works until it asks or ends.
    fn go_on(&mut self, flight: Flight, now: u64) {
        let state = &self.flights[flight];
        if state.asked < state.cost.requests {
            self.at(now + state.part, Event::Asks(flight));
        } else {
            let (_, up) = state.cost.link;
            let written = self.transfer(now + state.last, up);
            self.at(written, Event::Ends(flight));
        }
    }

    /// Moves something over the link, behind all others. Returns when that is done.
    fn transfer(&mut self, now: u64, cycles: u64) -> u64 {
        if cycles == 0 {
            return now;
        }
        self.link = self.link.max(now) + cycles;
        self.run.link += cycles;
        self.link
    }
}
