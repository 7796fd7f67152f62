//! Writes the seeds of `corpus/` anew, after a change of the binary interface or of the generated blocks.

mod blocks;

use std::mem::offset_of;
use std::path::Path;

use blocks::Files;
use gatewei_abi::command::{Completion, kind, request};
use gatewei_abi::result::{HEADER_BYTES, Header, LogHead, SlotHead, kind as entry, slot};
use gatewei_abi::word;
use gatewei_driver::vfio_user::wire::{self, command};
use zerocopy::IntoBytes;

/// A result with logs, output and slots, behind gas and status.
fn result() -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    for (topics, data) in [(0u32, 0usize), (4, 33)] {
        let head = LogHead {
            data_bytes: data as u32,
            topics,
            ..LogHead::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&word(0xadd));
        (0..topics).for_each(|topic| bytes.extend_from_slice(&word(topic.into())));
        bytes.resize(bytes.len() + data.next_multiple_of(32), 7);
    }
    let logs_end = bytes.len() as u32;
    bytes.extend_from_slice(&[9; 32]);
    let slots_offset = bytes.len() as u32;
    for (kind, key) in [(entry::ACCOUNT, 1), (entry::STORAGE, 2), (entry::FIELD, 0)] {
        let head = SlotHead {
            flags: slot::USED | kind << slot::KIND,
            ..SlotHead::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&word(key));
        bytes.extend_from_slice(&word(5));
    }
    let header = Header {
        gas_left: 900,
        logs: 2,
        logs_end,
        slots: 3,
        slots_offset,
        output_bytes: 20,
        output_offset: logs_end,
        ..Header::default()
    };
    bytes[..HEADER_BYTES].copy_from_slice(header.as_bytes());
    let mut out = 1_000u64.to_le_bytes().to_vec();
    out.push(1);
    out.extend_from_slice(&bytes);
    out
}

/// A card of one lane that completes and asks.
fn card(depth: u8, completions: &[(u32, u8, u8)]) -> Vec<u8> {
    let mut out = vec![depth, 1, 4];
    for (n, &(command, kind, code)) in (1..).zip(completions) {
        out.push(0);
        let completion = Completion {
            command,
            kind,
            code,
            sq_head: n,
            ..Completion::default()
        };
        out.extend_from_slice(completion.as_bytes());
        out.push(1);
    }
    out
}

/// A card whose lane writes a header without effects, and completes.
fn finished() -> Vec<u8> {
    // The buffers are two rings, then a message's and a result's, and so on.
    let at = offset_of!(Header, logs_end);
    let mut out = vec![2, 1, 4, 4, 3, (at / 4) as u8];
    let end = HEADER_BYTES as u32;
    [end, 0, end, 0]
        .iter()
        .for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
    out.push(1);
    out.extend_from_slice(&card(0, &[(0, kind::DONE, 1)])[3..]);
    out
}

/// The answers of a server to a client that connects and uses the card.
fn server() -> Vec<u8> {
    let (mut out, mut id) = (Vec::new(), 0);
    let mut reply = |command: u16, body: &[u8]| {
        id += 1;
        let header = wire::Header {
            id,
            command,
            size: (16 + body.len()) as u32,
            flags: wire::flag::REPLY,
            error: 0,
        };
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(body);
    };
    let version = wire::Version { major: 0, minor: 0 };
    let capabilities = wire::CAPABILITIES.as_bytes();
    reply(
        command::VERSION,
        &[version.as_bytes(), capabilities].concat(),
    );
    let info = wire::DeviceInfo {
        argsz: 16,
        flags: 3,
        regions: 9,
        irqs: 5,
    };
    reply(command::DEVICE_INFO, info.as_bytes());
    let bar = wire::RegionInfo {
        argsz: 32,
        flags: 3,
        size: 4096,
        ..wire::RegionInfo::default()
    };
    reply(command::REGION_INFO, bar.as_bytes());
    let access = |region, offset, count| wire::Access {
        offset,
        region,
        count,
    };
    reply(command::REGION_WRITE, access(7, 4, 2).as_bytes());
    (0..3).for_each(|_| reply(command::SET_IRQS, &[]));
    reply(
        command::REGION_READ,
        &[access(0, 0, 4).as_bytes(), b"iewg"].concat(),
    );
    reply(command::REGION_WRITE, access(0, 0x10, 4).as_bytes());
    reply(command::DMA_MAP, &[]);
    reply(command::DEVICE_RESET, &[]);
    reply(command::REGION_WRITE, access(7, 4, 2).as_bytes());
    out
}

/// A card's configuration space behind its BARs' sizes: two BARs, PCI Express, MSI-X.
fn config_space() -> Vec<u8> {
    let mut bytes = vec![0u8; 256];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &[0x34, 0x12, 0x78, 0x56, 6, 0, 0x10, 0]);
    put(0x10, &0xfe00_0000u32.to_le_bytes());
    put(0x18, &0xfe00_1000u32.to_le_bytes());
    put(0x34, &[0x40]);
    put(0x40, &[0x10, 0x80, 2, 0, 0, 0, 0, 0x10]);
    put(0x80, &[0x11, 0, 15, 0, 2, 0, 0, 0]);
    [vec![12, 0, 12, 0, 0, 0], bytes].concat()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const STATE: [&str; 3] = ["block.json", "prestate.json", "block_hashes.json"];
    let [block, prestate, hashes] = STATE;
    let transfers = Files::generate("transfers", 3)?;
    let token = Files::generate("erc20-hot", 3)?;
    let listed = [block, prestate, hashes, "bal.json"];
    let witnessed = [block, prestate, hashes, "witness.json"];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let ask = |n| (n, kind::REQUEST, request::STORAGE);
    let seeds = [
        ("results", "whole", result()),
        ("vfio_user", "card", server()),
        ("config_space", "card", config_space()),
        ("results", "empty", vec![0; 9 + HEADER_BYTES]),
        ("completions", "finished", finished()),
        (
            "completions",
            "traps",
            card(2, &[(0, kind::TRAP, 1), (1, kind::TRAP, 9)]),
        ),
        (
            "completions",
            "requests",
            card(0, &[ask(0), (0, kind::TRAP, 8), ask(1)]),
        ),
        (
            "completions",
            "precompile",
            card(3, &[(0, kind::REQUEST, request::PRECOMPILE)]),
        ),
        (
            "completions",
            "done",
            card(1, &[(0, kind::DONE, 1), (0x1_0000, kind::DONE, 1)]),
        ),
        ("blocks", "transfers", transfers.input(&STATE)),
        ("blocks", "token", token.input(&STATE)),
        (
            "blocks",
            "unsigned",
            Files::generate("transfers", 2)?.unsigned()?.input(&STATE),
        ),
        ("access_lists", "transfers", transfers.input(&listed)),
        ("access_lists", "token", token.input(&listed)),
        ("witnesses", "transfers", transfers.input(&witnessed)),
        (
            "witnesses",
            "token",
            Files::drained("erc20-hot", 3)?
                .with_places()?
                .input(&witnessed),
        ),
    ];
    for (target, name, bytes) in seeds {
        std::fs::create_dir_all(corpus.join(target))?;
        std::fs::write(corpus.join(target).join(name), bytes)?;
    }
    Ok(())
}
