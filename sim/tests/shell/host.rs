//! The host's side of the bench: rings, doorbells, answers, and what must be true of completions.

use gatewei_abi::command::{Completion, Submission, kind, op, request};
use gatewei_abi::regs::queue;
use gatewei_abi::status::Trap;

use super::lane::account_of;
use super::{Bench, DONE_CODE, Flight, PAIRS, PATIENCE, answer_to, result_of};
use crate::lite::Registers;

impl Bench {
    /// A message is about to be submitted.
    pub fn expect(&mut self, id: u32, lane: u16) {
        let flight = Flight {
            lane,
            cancelled: false,
            answer_failed: false,
        };
        assert!(
            self.flights.insert(id, flight).is_none(),
            "the id is in use"
        );
    }

    /// A message in flight is about to be cancelled.
    pub fn cancelled(&mut self, id: u32) {
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.cancelled = true;
        }
    }

    /// Some message in flight and its lane.
    pub fn any_running(&mut self) -> Option<(u32, u16)> {
        let at = self.random.below(self.flights.len() as u64) as usize;
        self.flights
            .iter()
            .nth(at)
            .map(|(id, flight)| (*id, flight.lane))
    }

    fn entries(&self) -> u16 {
        1 << self.ring.log_size
    }

    fn has_room(&mut self) -> bool {
        if self.ring.submitted.wrapping_sub(self.ring.fetched) == self.entries() {
            self.ring.fetched = self.read(self.ring.at(queue::SQ_HEAD)) as u16;
        }
        self.ring.submitted.wrapping_sub(self.ring.fetched) < self.entries()
    }

    /// Waits for room in the ring and submits; the doorbell may ring later.
    pub fn submit(&mut self, submission: Submission) {
        for _ in 0..PATIENCE {
            if self.has_room() {
                self.enter(submission);
                return;
            }
            self.ring();
            self.cycle();
        }
        let registers: Vec<u32> = (0..12).map(|i| self.read(self.ring.at(4 * i))).collect();
        panic!(
            "no room for {submission:?}: submitted {}, rung {}, consumed {}, lanes {:?}, registers {registers:x?}",
            self.ring.submitted, self.ring.rung, self.ring.consumed, self.lanes
        );
    }

    fn enter(&mut self, submission: Submission) {
        let at = usize::from(self.ring.submitted % self.entries()) * 64;
        self.ring
            .submissions
            .store(at, &submission)
            .expect("in bounds");
        self.ring.submitted = self.ring.submitted.wrapping_add(1);
        if self.random.percent(50) {
            self.ring();
        }
    }

    fn ring(&mut self) {
        if self.ring.rung != self.ring.submitted {
            self.ring.rung = self.ring.submitted;
            self.write(self.ring.at(queue::SQ_TAIL), self.ring.rung.into());
        }
    }

    /// A cycle of everything, the host included.
    pub fn cycle(&mut self) {
        self.tick();
        if self.cycles < self.next_poll {
            return;
        }
        self.next_poll = self.cycles + self.patience;
        for _ in 0..PAIRS {
            self.poll();
            self.turn();
        }
    }

    /// Looks after the queue pair in use.
    fn poll(&mut self) {
        self.ring();
        if self.deaf {
            return;
        }
        let before = self.ring.consumed;
        loop {
            let at = usize::from(self.ring.consumed % self.entries()) * 64;
            let completion: Completion = self.ring.completions.load(at).expect("in bounds");
            let round = self.ring.consumed >> self.ring.log_size & 1;
            if completion.phase != u32::from(round ^ 1) {
                break;
            }
            self.ring.consumed = self.ring.consumed.wrapping_add(1);
            self.take(completion);
        }
        if self.ring.consumed != before {
            self.write(self.ring.at(queue::CQ_HEAD), self.ring.consumed.into());
        }
        while !self.hold_answers && !self.ring.answers.is_empty() && self.has_room() {
            let answer = self.ring.answers.pop_front().expect("an answer");
            self.enter(answer);
            self.ring();
        }
    }

    fn take(&mut self, completion: Completion) {
        let id = completion.command;
        let what = format!("{completion:?}");
        let Some(flight) = self.flights.get_mut(&id) else {
            panic!("{what}: not in flight");
        };
        assert_eq!(completion.lane, flight.lane, "{what}");
        assert_eq!(completion.reserved, [0; 2], "{what}");
        let fetched = completion.sq_head as u16;
        assert_eq!(u32::from(fetched), completion.sq_head, "{what}");
        // The head is that of the composition: behind the doorbell, never back.
        assert!(
            self.ring.rung.wrapping_sub(fetched) < 0x8000,
            "{what}: head beyond the doorbell"
        );
        assert!(
            fetched.wrapping_sub(self.ring.told) < 0x8000,
            "{what}: the head went back"
        );
        self.ring.told = fetched;
        if completion.kind == kind::REQUEST {
            assert_eq!(completion.code, request::STORAGE, "{what}");
            let account = account_of(completion.tag);
            assert_eq!(completion.account, account.into(), "{what}");
            let (asker, key) = self.questions.remove(&completion.tag).expect("a question");
            assert_eq!((asker, key), (id, completion.key), "{what}");
            let failed = self.random.percent(self.failing_answers);
            flight.answer_failed |= failed;
            self.ring.answers.push_back(Submission {
                op: op::REPLY,
                failed: failed.into(),
                lane: completion.lane,
                command: id,
                tag: completion.tag,
                value: answer_to(completion.tag),
                ..Submission::default()
            });
            return;
        }
        let outcome = (completion.kind, completion.code);
        match outcome {
            (kind::DONE, DONE_CODE) => {
                let mut found = [0; 32];
                let result = self.results.of(id);
                result.copy_out(0, &mut found).expect("in bounds");
                assert_eq!(
                    found,
                    result_of(id),
                    "{what}: the result came after its completion"
                );
            }
            (kind::TRAP, code) if code == Trap::Cancelled as u8 => {
                assert!(flight.cancelled, "{what}")
            }
            (kind::TRAP, code) if code == Trap::Host as u8 => {
                assert!(flight.answer_failed, "{what}")
            }
            (kind::TRAP, code) if code == Trap::Queue as u8 => {}
            _ => panic!("{what}: no lane of the bench says that"),
        }
        assert_eq!(completion.key, [0; 32], "{what}");
        self.flights.remove(&id);
        self.order.push(id);
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// Runs until every message has ended, every submission is fetched and the bus is at rest.
    pub fn finish(&mut self) {
        self.patience = 1;
        for _ in 0..PATIENCE {
            self.cycle();
            if self.flights.is_empty() && self.ring.rests() && self.other.rests() {
                let heads =
                    [&self.ring, &self.other].map(|ring| (ring.at(queue::SQ_HEAD), ring.submitted));
                if heads
                    .into_iter()
                    .all(|(at, submitted)| self.read(at) as u16 == submitted)
                {
                    (0..300).for_each(|_| self.cycle());
                    assert_eq!(self.memory.outstanding(), (0, 0), "the bus is not at rest");
                    return;
                }
            }
        }
        panic!("never finished: {:?}, lanes {:?}", self.flights, self.lanes);
    }
}
