//! A message's result: copied out of the card's buffer, every length checked before it is used.

use gatewei_abi::result::{HEADER_BYTES, Header, LogHead, SLOT_BEATS, SlotHead, kind, slot};
use gatewei_abi::status::Status;
use gatewei_abi::{BEAT, Word};
use zerocopy::FromBytes;

use crate::dma::DmaBuffer;

/// Most topics of a log (LOG4).
const TOPICS: u32 = 4;

/// A log of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Address of the account that it is of, as a word.
    pub address: Word,
    /// Topics, 0 to 4.
    pub topics: Vec<Word>,
    /// Data.
    pub data: Vec<u8>,
}

/// An entry of the lane's slot table at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// Bits of [`gatewei_abi::result::slot`], and above them the kind.
    pub flags: u32,
    /// The account that it belongs to, as the index of a record of [`kind::ACCOUNT`]; an account's own is
    /// meaningless.
    pub account: u32,
    /// Key.
    pub key: Word,
    /// Value at the end.
    pub value: Word,
}

impl SlotRecord {
    /// True where all bits of `flags` are set.
    pub const fn is(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// What it is: one of [`gatewei_abi::result::kind`].
    pub const fn kind(&self) -> u32 {
        self.flags >> slot::KIND
    }
}

/// What a message cost on the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles from taking the message to its end.
    pub cycles: u64,
    /// Of those, cycles in which the lane awaited the host.
    pub wait_cycles: u64,
    /// Of those, cycles in which it awaited a page of code or data that was not on the card.
    pub page_cycles: u64,
    /// Opcodes retired, the failing one included.
    pub retired: u32,
    /// Requests made.
    pub requests: u32,
}

/// How a message's first frame ended, and all effects of its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameResult {
    /// Status.
    pub status: Status,
    /// Gas left, raw at the frame's end.
    pub gas_left: u64,
    /// Refund counter, raw at the frame's end.
    pub refund: i64,
    /// EVM memory, in words.
    pub memory_words: u32,
    /// Logs in their order.
    pub logs: Vec<LogRecord>,
    /// Entries of the slot table: the message's in its order, then those first touched, in their order.
    pub slots: Vec<SlotRecord>,
    /// Output.
    pub output: Vec<u8>,
    /// What it cost.
    pub cost: Cost,
}

impl FrameResult {
    /// Bytes that the card wrote for it.
    pub(crate) fn bytes(&self) -> u64 {
        let beats = |bytes: usize| bytes.div_ceil(BEAT);
        // A log has a head and an address.
        let log = |log: &LogRecord| 2 + log.topics.len() + beats(log.data.len());
        let logs: usize = self.logs.iter().map(log).sum();
        let slots = self.slots.len() * SLOT_BEATS;
        (HEADER_BYTES + (logs + beats(self.output.len()) + slots) * BEAT) as u64
    }
}

/// What does not hold together in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// More gas left than the frame had.
    Gas,
    /// A negative refund: a first frame cannot owe one.
    Refund,
    /// The logs run beyond their end, or their end beyond the buffer.
    Logs,
    /// A log with more than four topics.
    Topics,
    /// The output lies beyond the buffer.
    Output,
    /// The slot records lie beyond the buffer.
    Slots,
    /// A slot record of no defined kind.
    Kind,
    /// A slot record that belongs to an account without a record.
    Account,
    /// Parts that overlap the header.
    Overlap,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gas => "more gas left than the frame had",
            Self::Refund => "negative refund",
            Self::Logs => "logs beyond their end",
            Self::Topics => "more than four topics",
            Self::Output => "output beyond the buffer",
            Self::Slots => "slots beyond the buffer",
            Self::Kind => "a slot of an undefined kind",
            Self::Account => "a slot of no account",
            Self::Overlap => "a part overlaps the header",
        })
    }
}

/// The counters of a result's header, also where the message trapped.
pub(crate) fn cost(header: &Header) -> Cost {
    Cost {
        cycles: header.cycles,
        wait_cycles: header.wait_cycles,
        page_cycles: header.page_cycles.into(),
        retired: header.retired,
        requests: header.requests,
    }
}

/// Copies the header out.
pub(crate) fn read_header(buffer: &DmaBuffer) -> Header {
    // A result buffer is never smaller than a header (`Options::result_bytes` is clamped).
    buffer.load(0).unwrap_or_default()
}

/// Copies a result out of `buffer`, which is no smaller than a header, once, then takes the copy apart.
///
/// # Errors
/// What does not hold together.
pub fn parse(buffer: &DmaBuffer, status: Status, gas_limit: u64) -> Result<FrameResult, Malformed> {
    let header = read_header(buffer);
    if header.gas_left > gas_limit {
        return Err(Malformed::Gas);
    }
    if header.refund < 0 {
        return Err(Malformed::Refund);
    }
    let part = |offset: u32, bytes: u64, why| {
        let end = u64::from(offset) + bytes;
        if end > buffer.len() as u64 {
            return Err(why);
        }
        if bytes > 0 && (offset as usize) < HEADER_BYTES {
            return Err(Malformed::Overlap);
        }
        let mut copy = vec![0; bytes as usize];
        buffer
            .copy_out(offset as usize, &mut copy)
            .map_err(|_| why)?;
        Ok(copy)
    };
    let log_bytes = u64::from(header.logs_end).checked_sub(HEADER_BYTES as u64);
    let logs = part(
        HEADER_BYTES as u32,
        log_bytes.ok_or(Malformed::Overlap)?,
        Malformed::Logs,
    )?;
    let output = part(
        header.output_offset,
        u64::from(header.output_bytes),
        Malformed::Output,
    )?;
    let slot_bytes = u64::from(header.slots) * (SLOT_BEATS * BEAT) as u64;
    let slots = part(header.slots_offset, slot_bytes, Malformed::Slots)?;
    Ok(FrameResult {
        status,
        gas_left: header.gas_left,
        refund: header.refund,
        memory_words: header.memory_words,
        logs: parse_logs(&logs, header.logs)?,
        slots: parse_slots(&slots)?,
        output,
        cost: cost(&header),
    })
}

fn parse_logs(mut rest: &[u8], count: u32) -> Result<Vec<LogRecord>, Malformed> {
    let mut logs = Vec::new();
    for _ in 0..count {
        let (head, tail) = LogHead::read_from_prefix(rest).map_err(|_| Malformed::Logs)?;
        if head.topics > TOPICS {
            return Err(Malformed::Topics);
        }
        let (address, tail) = Word::read_from_prefix(tail).map_err(|_| Malformed::Logs)?;
        let (topics, tail) = tail
            .split_at_checked(head.topics as usize * BEAT)
            .ok_or(Malformed::Logs)?;
        let data_bytes = head.data_bytes as usize;
        let (data, tail) = tail
            .split_at_checked(data_bytes.next_multiple_of(BEAT))
            .ok_or(Malformed::Logs)?;
        let topics = topics.as_chunks::<BEAT>().0.to_vec();
        logs.push(LogRecord {
            address,
            topics,
            data: data[..data_bytes].to_vec(),
        });
        rest = tail;
    }
    // Bytes behind the last record mean that count and end disagree.
    if rest.is_empty() {
        Ok(logs)
    } else {
        Err(Malformed::Logs)
    }
}

fn parse_slots(bytes: &[u8]) -> Result<Vec<SlotRecord>, Malformed> {
    let record = |chunk: &[u8]| {
        let (head, rest) = SlotHead::read_from_prefix(chunk).map_err(|_| Malformed::Slots)?;
        let (key, rest) = Word::read_from_prefix(rest).map_err(|_| Malformed::Slots)?;
        let (value, _) = Word::read_from_prefix(rest).map_err(|_| Malformed::Slots)?;
        Ok(SlotRecord {
            flags: head.flags,
            account: head.account,
            key,
            value,
        })
    };
    let records = bytes.chunks_exact(SLOT_BEATS * BEAT).map(record);
    let records = records.collect::<Result<Vec<SlotRecord>, _>>()?;
    for record in &records {
        let owner = records.get(record.account as usize);
        match record.kind() {
            kind::ACCOUNT => {}
            kind::STORAGE | kind::TRANSIENT | kind::FIELD => {
                if owner.is_none_or(|owner| owner.kind() != kind::ACCOUNT) {
                    return Err(Malformed::Account);
                }
            }
            _ => return Err(Malformed::Kind),
        }
    }
    Ok(records)
}
