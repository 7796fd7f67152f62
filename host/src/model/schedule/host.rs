//! The card worker's loop ([`crate::card`]) over the modelled card.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::access::Told;
use super::super::graph::Graph;
use super::card::{Card, Flight, Notice};
use super::memory::Memory;
use super::{Cost, Load, Run, Setting, Stuck};
use crate::engine::scheduler::{Attempt, Cursor, Hint, Role, Scheduler, Task};

/// Stale results of one transaction, or rejected ones, before it runs on the host.
const PATIENCE: u32 = 8;

/// A transaction in flight.
#[derive(Clone, Debug)]
struct Job {
    attempt: Attempt,
    /// Marks of what it was told, need by need; none for what it has not asked yet.
    told: Vec<Option<u64>>,
    /// Cells that it read wrongly as it began.
    wrong: Vec<usize>,
    /// Times that it was stale.
    stale: u32,
    /// Requests that it makes.
    requests: u64,
}

struct Host<'a> {
    loads: &'a [Load],
    memory: Memory<'a>,
    scheduler: Scheduler,
    card: Card,
    cost: u64,
    now: u64,
    jobs: HashMap<Flight, Job>,
    /// Functions whose slots the predictor knows.
    learned: HashSet<u32>,
    runs: Vec<u32>,
    rejections: Vec<u32>,
    committed: usize,
}

/// Runs the messages of a block, in the order in which the engine would have it, on a card.
///
/// `loads` and `hints` are those of the graph's transactions, one by one.
///
/// # Errors
/// [`Stuck`], never.
pub fn schedule(
    graph: &Graph,
    loads: &[Load],
    hints: &[Hint],
    setting: Setting,
) -> Result<Run, Stuck> {
    let count = graph.transactions();
    let mut host = Host {
        loads,
        memory: Memory::new(graph),
        scheduler: Scheduler::new(hints),
        card: Card::new(setting),
        cost: setting.host,
        now: 0,
        jobs: HashMap::new(),
        learned: HashSet::new(),
        runs: vec![0; count],
        rejections: vec![0; count],
        committed: 0,
    };
    host.work()?;
    let mut run = host.card.run;
    run.makespan = host.now;
    let counters = host.scheduler.counters();
    run.rejected = counters.reexecutions;
    run.blocked = counters.blocked;
    Ok(run)
}

impl Host<'_> {
    fn work(&mut self) -> Result<(), Stuck> {
        loop {
            let mut waits = false;
            while self.card.has_room() && !waits {
                match self.scheduler.poll(Role::Helper) {
                    Task::Execute(attempt) => self.start(attempt, 0),
                    Task::Commit => self.commit(),
                    Task::Wait => waits = true,
                    Task::Done => return Ok(()),
                }
            }
            let landed = self.step()?;
            for flight in landed {
                self.land(flight);
            }
        }
    }

    /// Time of the host's thread.
    fn spend(&mut self, cycles: u64) {
        self.now += cycles;
        self.card.run.host += cycles;
    }

    fn load(&self, tx: usize) -> Load {
        self.loads.get(tx).copied().unwrap_or_default()
    }

    fn start(&mut self, attempt: Attempt, stale: u32) {
        let tx = attempt.tx;
        self.spend(self.cost);
        let wrong = match self.memory.begin(tx) {
            Ok(wrong) => wrong,
            Err(on) => {
                self.scheduler.blocked(attempt, on);
                return;
            }
        };
        let load = self.load(tx);
        let cold = load
            .function
            .is_some_and(|function| !self.learned.contains(&function));
        let cost = if cold { load.cold } else { load.lane };
        let flight = match cost {
            Some(cost) if stale < PATIENCE => {
                let again = self.runs[tx] > 0;
                self.card.send(cost, again, load.code)
            }
            _ => None,
        };
        let needs = self.memory.needs(tx);
        let (Some(flight), Some(Cost { requests, .. })) = (flight, cost) else {
            return self.on_host(attempt, wrong);
        };
        self.runs[tx] += 1;
        let told = needs.iter().map(|need| {
            let seen = self.memory.see(tx, *need);
            // What will be written again is not foreseen: the lane asks for it.
            let unforeseen = cold || seen.blocked.is_some();
            let asked = need.told == Told::Asked || need.told == Told::Sent && unforeseen;
            (!asked).then_some(seen.mark)
        });
        let job = Job {
            attempt,
            told: told.collect(),
            wrong,
            stale,
            requests,
        };
        self.jobs.insert(flight, job);
    }

    /// It runs on the host's thread, at once.
    fn on_host(&mut self, attempt: Attempt, mut wrong: Vec<usize>) {
        let tx = attempt.tx;
        for need in self.memory.needs(tx) {
            let seen = self.memory.see(tx, *need);
            if let Some(on) = seen.blocked {
                self.scheduler.blocked(attempt, on);
                return;
            }
            if !seen.right {
                wrong.push(need.cell);
            }
        }
        self.spend(self.load(tx).host);
        self.memory.publish(tx, wrong);
        self.scheduler.executed(attempt);
    }

    /// Tells the card what there is, and takes what has come; waits for it where there is nothing. Returns what has
    /// ended.
    fn step(&mut self) -> Result<VecDeque<Flight>, Stuck> {
        self.card.ring(self.now);
        let mut notices = VecDeque::new();
        while let Some((_, notice)) = self.card.next(Some(self.now)) {
            notices.push_back(notice);
        }
        if notices.is_empty() {
            let Some((time, notice)) = self.card.next(None) else {
                return Err(Stuck {
                    at: self.now,
                    tx: self.committed,
                });
            };
            self.now = self.now.max(time);
            notices.push_back(notice);
        }
        let mut landed = VecDeque::new();
        for notice in notices {
            match notice {
                Notice::Ended { flight } if self.jobs.contains_key(&flight) => {
                    landed.push_back(flight);
                }
                // It was cancelled, and told then.
                Notice::Ended { .. } => {}
                Notice::Asks { flight, nth } => self.answer(flight, nth),
            }
        }
        self.card.ring(self.now);
        Ok(landed)
    }

    /// Answers a lane: with what there is now, unless that will be written again.
    fn answer(&mut self, flight: Flight, nth: u64) {
        self.spend(self.cost);
        let Some(job) = self.jobs.get_mut(&flight) else {
            return;
        };
        let tx = job.attempt.tx;
        let unknown: Vec<usize> = (0..job.told.len())
            .filter(|at| job.told[*at].is_none())
            .collect();
        // Those that are still to be asked are spread over the requests that are still to come.
        let now = unknown
            .len()
            .div_ceil(job.requests.saturating_sub(nth).max(1) as usize);
        for at in unknown.into_iter().take(now) {
            let seen = self.memory.see(tx, self.memory.needs(tx)[at]);
            if let Some(on) = seen.blocked {
                let attempt = job.attempt;
                self.jobs.remove(&flight);
                self.card.cancel(flight);
                self.card.waste(flight);
                self.scheduler.blocked(attempt, on);
                return;
            }
            job.told[at] = Some(seen.mark);
        }
        self.card.answer(flight);
    }

    /// A result has come.
    fn land(&mut self, flight: Flight) {
        let Some(job) = self.jobs.remove(&flight) else {
            return;
        };
        self.spend(self.cost);
        let tx = job.attempt.tx;
        let (mut wrong, mut stale) = (job.wrong, false);
        let load = self.load(tx);
        if !load.given_back {
            self.learned.extend(load.function);
        }
        for (need, told) in self.memory.needs(tx).iter().zip(&job.told) {
            if need.told == Told::Begin {
                continue;
            }
            let seen = self.memory.see(tx, *need);
            if let Some(on) = seen.blocked {
                self.card.waste(flight);
                self.scheduler.blocked(job.attempt, on);
                return;
            }
            stale |= need.told != Told::Home && told.is_some_and(|told| told != seen.mark);
            if !seen.right {
                wrong.push(need.cell);
            }
        }
        if stale {
            self.card.run.stale += 1;
            self.card.waste(flight);
            return self.start(job.attempt, job.stale + 1);
        }
        if !wrong.is_empty() {
            self.card.waste(flight);
        }
        if load.given_back {
            self.spend(load.host);
        }
        self.memory.publish(tx, wrong);
        self.scheduler.executed(job.attempt);
    }

    fn commit(&mut self) {
        let mut cursor = self.scheduler.cursor(Role::Helper);
        loop {
            cursor = match cursor {
                Cursor::Empty => break,
                Cursor::Ready(tx) if self.memory.is_right(tx) => {
                    self.committed = tx + 1;
                    self.scheduler.committed(tx, Role::Helper)
                }
                Cursor::Ready(tx) => {
                    self.memory.reject(tx);
                    self.rejections[tx] += 1;
                    let role = if self.rejections[tx] < PATIENCE {
                        Role::Helper
                    } else {
                        Role::Leader
                    };
                    self.scheduler.rejected(tx, role)
                }
                Cursor::Take(tx) => {
                    self.spend(self.load(tx).host);
                    self.memory.publish(tx, Vec::new());
                    self.committed = tx + 1;
                    self.scheduler.committed(tx, Role::Helper)
                }
            };
        }
        self.scheduler.commit_ended();
    }
}
