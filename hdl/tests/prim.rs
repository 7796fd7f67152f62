//! The Rust models of the primitives, in rust-hdl's own way of simulating: what `sim/tests/prims.rs` asks of
//! their Verilog.

use gatewei_hdl::prim::{LookupRom, Mul, Ram, Rom};
use rust_hdl_core::prelude::*;

/// Lets all changes run through.
fn settle(block: &mut impl Block) {
    block.update_all();
    while block.has_changed() {
        block.update_all();
    }
}

/// A clock edge on a block with a `clock`.
macro_rules! tick {
    ($block:ident) => {
        for level in [false, true] {
            $block.clock.next.clk = level;
            settle(&mut $block);
        }
    };
}

#[test]
fn ram_reads_what_was_written_before() {
    let mut ram = Ram::<4, 40>::default();
    let (old, new): (Bits<40>, Bits<40>) = (0x12_3456_789a_u64.into(), 0xff_0000_0001_u64.into());
    ram.waddr.next = 9u64.into();
    ram.raddr.next = 9u64.into();
    ram.we.next = true;
    ram.wdata.next = old;
    tick!(ram);
    assert_eq!(ram.rdata.val(), !Bits::default(), "garbage");
    ram.wdata.next = new;
    tick!(ram);
    assert_eq!(ram.rdata.val(), !old, "garbage again");
    ram.we.next = false;
    ram.wdata.next = old;
    tick!(ram);
    assert_eq!(ram.rdata.val(), new, "nothing is written without we");
}

fn squares() -> Vec<Bits<12>> {
    (0..10u64).map(|a| (a * a).into()).collect()
}

#[test]
fn rom_answers_one_clock_later() {
    let mut rom = Rom::<4, Bits<12>>::new(squares());
    for a in 0..16u64 {
        rom.addr.next = a.into();
        tick!(rom);
        let expected: Bits<12> = if a < 10 {
            (a * a).into()
        } else {
            Bits::default()
        };
        assert_eq!(rom.data.val(), expected);
        rom.addr.next = (a ^ 1).into();
        settle(&mut rom);
        assert_eq!(rom.data.val(), expected);
    }
}

#[test]
fn lookup_rom_answers_at_once() {
    let mut rom = LookupRom::<4, Bits<12>>::new(squares());
    for a in 0..16u64 {
        rom.addr.next = a.into();
        settle(&mut rom);
        let expected: Bits<12> = if a < 10 {
            (a * a).into()
        } else {
            Bits::default()
        };
        assert_eq!(rom.data.val(), expected);
    }
}

#[test]
fn products_wrap_at_their_width() {
    let mut exact = Mul::<8, 16>::default();
    let mut cut = Mul::<8, 6>::default();
    for (x, y) in [(255u64, 255u64), (0, 9), (16, 16), (171, 3)] {
        exact.a.next = x.into();
        exact.b.next = y.into();
        cut.a.next = x.into();
        cut.b.next = y.into();
        tick!(exact);
        tick!(cut);
        assert_eq!(exact.p.val(), Bits::<16>::from(x * y));
        assert_eq!(cut.p.val(), Bits::<6>::from(x * y % 64));
    }
}
