//! Keccak engines shared by lanes: digests under contention, and fairness.

mod words;

use alloy_primitives::{B256, keccak256};
use gatewei_sim::model::{Model, ModelError, PortId};
use words::Words;

const LANES: usize = 3;

struct Ports {
    valid: PortId,
    ready: PortId,
    data: PortId,
    bytes: PortId,
    last: PortId,
    done: PortId,
    digest: PortId,
}

/// A lane that sends messages and counts what comes back.
struct Lane {
    ports: Ports,
    words: Words,
    /// Most cycles without a chunk before each one.
    gap: usize,
    message: Vec<u8>,
    sent: usize,
    wait: usize,
    /// All is sent; the digest is awaited.
    awaiting: bool,
    digests: u64,
    longest_wait: u64,
    waited: u64,
}

impl Lane {
    fn next_message(&mut self) {
        let length = self.words.pick(&[0, 20, 32, 64, 64, 64, 136, 200, 300]);
        self.message = (0..length).map(|_| self.words.bits() as u8).collect();
        self.sent = 0;
        self.wait = self.words.below(self.gap + 1);
        self.awaiting = false;
    }

    /// Shows a chunk or none.
    fn drive(&mut self, model: &mut Model) {
        let shows = !self.awaiting && self.wait == 0;
        model.set_u64(self.ports.valid, shows.into());
        let part = &self.message[self.sent..self.message.len().min(self.sent + 32)];
        let mut data = [0x5a; 32];
        data[..part.len()].copy_from_slice(part);
        data.reverse();
        model.set_word(self.ports.data, &data);
        model.set_u64(self.ports.bytes, part.len() as u64);
        let ends = self.sent + part.len() == self.message.len();
        model.set_u64(self.ports.last, ends.into());
    }

    /// Sees what the clock edge that follows will do.
    fn observe(&mut self, model: &Model) {
        if model.get_u64(self.ports.done) == 1 {
            assert!(self.awaiting, "a digest that nobody asked for");
            let mut bytes = model.get_word(self.ports.digest);
            bytes.reverse();
            assert_eq!(B256::from(bytes), keccak256(&self.message));
            self.digests += 1;
            self.next_message();
        } else if self.awaiting {
        } else if self.wait > 0 {
            self.wait -= 1;
        } else if model.get_u64(self.ports.ready) == 1 {
            self.sent += 32;
            self.waited = 0;
            self.wait = self.words.below(self.gap + 1);
            self.awaiting = self.sent >= self.message.len();
            self.sent = self.sent.min(self.message.len());
        } else {
            self.waited += 1;
            self.longest_wait = self.longest_wait.max(self.waited);
        }
    }
}

/// Lanes with these gaps after `cycles` cycles; a lane without a gap is never sent.
fn run(gaps: [Option<usize>; LANES], cycles: u64) -> Result<Vec<Lane>, ModelError> {
    let mut model = Model::new("keccak_pool")?;
    let mut lanes = Vec::new();
    for (l, gap) in gaps.into_iter().enumerate() {
        let name = |port: &str| format!("kec_{port}_{l}");
        let mut lane = Lane {
            ports: Ports {
                valid: model.input(&name("valid"), 1)?,
                ready: model.output(&name("ready"), 1)?,
                data: model.input(&name("data"), 256)?,
                bytes: model.input(&name("bytes"), 6)?,
                last: model.input(&name("last"), 1)?,
                done: model.output(&name("done"), 1)?,
                digest: model.output(&name("digest"), 256)?,
            },
            words: Words::new(20 + l as u64),
            gap: gap.unwrap_or(0),
            message: Vec::new(),
            sent: 0,
            wait: 0,
            awaiting: false,
            digests: 0,
            longest_wait: 0,
            waited: 0,
        };
        lane.next_message();
        if gap.is_none() {
            lane.wait = usize::MAX;
        }
        lanes.push(lane);
    }
    for _ in 0..cycles {
        for lane in &mut lanes {
            lane.drive(&mut model);
        }
        model.eval();
        for lane in &mut lanes {
            lane.observe(&model);
        }
        model.tick();
    }
    Ok(lanes)
}

#[test]
fn digests_under_contention() -> Result<(), ModelError> {
    let lanes = run([Some(0), Some(3), Some(40)], 200_000)?;
    for lane in &lanes {
        assert!(lane.digests > 500, "{} digests", lane.digests);
    }
    Ok(())
}

#[test]
fn lanes_that_never_pause_get_equal_shares() -> Result<(), ModelError> {
    let lanes = run([Some(0); LANES], 300_000)?;
    let digests: Vec<u64> = lanes.iter().map(|lane| lane.digests).collect();
    let (least, most) = (digests.iter().min(), digests.iter().max());
    assert!(least > Some(&1000), "{digests:?}");
    // The messages are random, so shares are equal but for that.
    assert!(
        most.zip(least).is_some_and(|(m, l)| m * 100 < l * 105),
        "{digests:?}"
    );
    // Two engines and three lanes: at worst one waits for the longest message of both others, of three blocks.
    for lane in &lanes {
        assert!(
            lane.longest_wait < 2 * 3 * 29,
            "waited {} cycles",
            lane.longest_wait
        );
    }
    Ok(())
}

#[test]
fn two_lanes_do_not_wait_for_engines() -> Result<(), ModelError> {
    let lanes = run([Some(0), None, Some(0)], 100_000)?;
    for lane in [&lanes[0], &lanes[2]] {
        // One cycle for the grant, or the permutation between two blocks and the part of a chunk before it.
        assert!(
            lane.longest_wait <= 25,
            "waited {} cycles",
            lane.longest_wait
        );
        assert!(lane.digests > 1000);
    }
    assert_eq!(lanes[1].digests, 0);
    Ok(())
}
