//! The reference page, generated from the tables (`hdl/abi/REFERENCE.md`; a test keeps it fresh).

use alloc::format;
use alloc::string::String;

use crate::opcode::TABLE;
use crate::regs::{self, Register};
use crate::status::{Status, Trap};

/// The page in Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# Reference of the card's interface\n\nGenerated from `hdl/abi`; `gatewei-hdl docs` writes it.\n",
    );
    out += "\n## Registers\n\n32-bit, over AXI4-Lite. Offsets are relative to the block.\n";
    block(
        &mut out,
        &format!("Card, at {:#05x}", regs::CARD),
        regs::card::TABLE,
    );
    block(
        &mut out,
        &format!(
            "Queue pair q, at {:#05x} + q · {:#04x}",
            regs::QUEUES,
            regs::QUEUE_STRIDE
        ),
        regs::queue::TABLE,
    );
    block(
        &mut out,
        &format!(
            "Lane l, at {:#05x} + l · {:#04x}",
            regs::LANES,
            regs::LANE_STRIDE
        ),
        regs::lane::TABLE,
    );
    out += "\n## Frame status\n\n| code | name | meaning |\n|---|---|---|\n";
    for s in Status::ALL {
        out += &format!("| {} | `{}` | {} |\n", *s as u8, s.name(), s.doc().trim());
    }
    out += "\n## Traps\n\n| code | name | meaning |\n|---|---|---|\n";
    for t in Trap::ALL {
        out += &format!("| {} | `{}` | {} |\n", *t as u8, t.name(), t.doc().trim());
    }
    out += "\n## Opcodes\n\nThe lane charges the static gas first. `Trap`: left to the CPU.\n\n";
    out += "| byte | name | needs | growth | static gas | since | class |\n|---|---|---|---|---|---|---|\n";
    for op in TABLE {
        out += &format!(
            "| {:#04x} | {} | {} | {} | {} | {:?} | {:?} |\n",
            op.byte, op.name, op.pops, op.growth, op.gas, op.since, op.class
        );
    }
    out
}

fn block(out: &mut String, title: &str, table: &[Register]) {
    *out +=
        &format!("\n### {title}\n\n| offset | register | access | meaning |\n|---|---|---|---|\n");
    for r in table {
        *out += &format!(
            "| {:#04x} | `{}` | {:?} | {} |\n",
            r.offset,
            r.name,
            r.access,
            r.doc.trim()
        );
    }
}
