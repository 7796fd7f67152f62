//! Frames on a serial line: [`gatewei_abi::serial`] for software, on either side.

use gatewei_abi::BEAT;
use gatewei_abi::serial::{
    self, BEATS, CHECK_BYTES, CHECK_RESIDUE, ESCAPE, ESCAPED, FLAG, check, kind,
};

/// Bytes of the longest frame, its check included.
const LONGEST: usize = serial::HEAD_BYTES + BEATS * BEAT + CHECK_BYTES;

/// Appends to `line` what a frame is on the line.
pub fn encode(frame: &[u8], line: &mut Vec<u8>) {
    let sum = !frame.iter().fold(u32::MAX, |sum, octet| check(sum, *octet));
    line.push(FLAG);
    for octet in frame.iter().copied().chain(sum.to_le_bytes()) {
        match octet {
            FLAG | ESCAPE => line.extend([ESCAPE, octet ^ ESCAPED]),
            _ => line.push(octet),
        }
    }
    line.push(FLAG);
}

/// Finds frames on a line. What is damaged is dropped and counted.
#[derive(Debug, Default)]
pub struct Decoder {
    frame: Vec<u8>,
    escaped: bool,
    /// It is too long: nothing of it counts.
    overrun: bool,
    dropped: u64,
}

impl Decoder {
    /// Takes a byte of the line; a frame, without its check, where it ends with this byte.
    pub fn push(&mut self, octet: u8) -> Option<Vec<u8>> {
        match octet {
            FLAG => {
                let mut frame = std::mem::take(&mut self.frame);
                let broken = std::mem::take(&mut self.escaped) | std::mem::take(&mut self.overrun);
                if frame.is_empty() && !broken {
                    return None;
                }
                let sum = frame.iter().fold(u32::MAX, |sum, octet| check(sum, *octet));
                if broken || sum != CHECK_RESIDUE || frame.len() < serial::HEAD_BYTES + CHECK_BYTES
                {
                    self.dropped += 1;
                    return None;
                }
                frame.truncate(frame.len() - CHECK_BYTES);
                return Some(frame);
            }
            ESCAPE => self.escaped = true,
            _ if self.frame.len() == LONGEST => self.overrun = true,
            _ => {
                let plain = if std::mem::take(&mut self.escaped) {
                    octet ^ ESCAPED
                } else {
                    octet
                };
                self.frame.push(plain);
            }
        }
        None
    }

    /// Frames that were damaged.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// A frame of the card's, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromCard<'a> {
    /// The answer to a question about a register.
    Value {
        /// The question's number.
        number: u8,
        /// The value; 0 for what is no read.
        value: u32,
    },
    /// Read host memory.
    Fetch {
        /// Number of the question.
        number: u8,
        /// Bus address.
        address: u64,
        /// Bytes.
        bytes: usize,
    },
    /// Write host memory.
    Store {
        /// Number of the question.
        number: u8,
        /// Bus address.
        address: u64,
        /// A bit for each byte that is to be written.
        strobes: u32,
        /// The bytes.
        beat: &'a [u8; BEAT],
    },
    /// An interrupt.
    Interrupt {
        /// MSI-X vector.
        vector: u16,
    },
}

impl<'a> FromCard<'a> {
    /// Takes a frame apart; none where no card sends such.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (&[kind, number], body) = frame.split_first_chunk::<{ serial::HEAD_BYTES }>()?;
        if serial::length(kind, 0)? != frame.len() {
            return None;
        }
        Some(match kind {
            kind::VALUE => Self::Value {
                number,
                value: u32::from_le_bytes(body.try_into().ok()?),
            },
            kind::FETCH => {
                let (address, beats) = body.split_first_chunk()?;
                let beats = usize::from(*beats.first()?);
                if beats == 0 || beats > BEATS {
                    return None;
                }
                Self::Fetch {
                    number,
                    address: u64::from_le_bytes(*address),
                    bytes: beats * BEAT,
                }
            }
            kind::STORE => {
                let (address, body) = body.split_first_chunk()?;
                let (strobes, beat) = body.split_first_chunk()?;
                Self::Store {
                    number,
                    address: u64::from_le_bytes(*address),
                    strobes: u32::from_le_bytes(*strobes),
                    beat: beat.first_chunk()?,
                }
            }
            kind::INTERRUPT => Self::Interrupt {
                vector: u16::from_le_bytes(body.try_into().ok()?),
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn decode(line: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let mut decoder = Decoder::default();
        let frames = line.iter().filter_map(|octet| decoder.push(*octet));
        (frames.collect(), decoder.dropped())
    }

    proptest! {
        #[test]
        fn frames_come_as_they_went(frames in vec(vec(any::<u8>(), 2..80), 0..5)) {
            let mut line = Vec::new();
            frames.iter().for_each(|frame| encode(frame, &mut line));
            prop_assert_eq!(decode(&line), (frames, 0));
        }

        #[test]
        fn damage_costs_the_frame_and_no_other(
            frame in vec(any::<u8>(), 2..80),
            at in any::<prop::sample::Index>(),
            flip in 1u8..=255,
        ) {
            let mut line = Vec::new();
            encode(&frame, &mut line);
            let at = at.index(line.len());
            line[at] ^= flip;
            encode(b"the next", &mut line);
            let (frames, _) = decode(&line);
            prop_assert_eq!(frames.last().map(Vec::as_slice), Some(&b"the next"[..]));
            // Two flags in a row or a flag lost between two frames cost nothing; else the frame is gone.
            prop_assert!(frames[..frames.len() - 1].iter().all(|found| *found == frame));
        }

        #[test]
        fn nothing_on_a_line_panics(line in vec(any::<u8>(), 0..300)) {
            let (frames, _) = decode(&line);
            frames.iter().for_each(|frame| { FromCard::parse(frame); });
        }

        #[test]
        fn no_frame_is_a_panic(frame in vec(any::<u8>(), 0..60), kind in 0x80u8..0x88) {
            let mut frame = frame;
            if let Some(first) = frame.first_mut() { *first = kind; }
            FromCard::parse(&frame);
        }
    }

    #[test]
    fn a_frame_that_does_not_end_is_dropped() {
        let mut decoder = Decoder::default();
        for _ in 0..LONGEST + 100 {
            assert_eq!(decoder.push(7), None);
        }
        assert!(decoder.frame.len() <= LONGEST);
        assert_eq!(decoder.push(FLAG), None);
        assert_eq!(decoder.dropped(), 1);
    }
}
