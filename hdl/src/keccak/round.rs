//! One round of Keccak-f[1600] (FIPS 202, section 3.2), combinational, with a block absorbed in front of it.

// The derive makes accessors without docs.
#![allow(missing_docs)]

use rust_hdl_core::prelude::*;
use seq_macro::seq;

use crate::prim::LookupRom;

/// Round constants of ι.
pub(super) const IOTA: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Rotations of ρ, lane x + 5y.
pub(super) const RHO: [u64; 25] = [
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
];

seq!(N in 0..25 {
    /// The state: lane x + 5y.
    #[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
    pub struct Lanes { #( pub l~N: Bits<64>, )* }
});

/// One round.
#[derive(LogicBlock)]
pub struct KeccakRound {
    /// State before.
    pub a: Signal<In, Lanes>,
    /// XORed to the state before the round: a block in the first one, zero in the others. Not in front of θ but within it,
    /// where there are inputs of LUTs left: by itself for each lane, and in the parity of its column.
    pub block: Signal<In, Lanes>,
    /// Index of the round, 0 to 23.
    pub round: Signal<In, Bits<5>>,
    /// State after.
    pub y: Signal<Out, Lanes>,
    constants: LookupRom<5, Bits<64>>,
    lane: [Signal<Local, Bits<64>>; 25],
    word: [Signal<Local, Bits<64>>; 25],
    block_parity: [Signal<Local, Bits<64>>; 5],
    parity: [Signal<Local, Bits<64>>; 5],
    theta: [Signal<Local, Bits<64>>; 25],
    turned: [Signal<Local, Bits<64>>; 25],
    chi: [Signal<Local, Bits<64>>; 25],
    left: [Constant<Bits<7>>; 25],
    right: [Constant<Bits<7>>; 25],
}

fn array<T: Default, const N: usize>() -> [T; N] {
    array_init::array_init(|_| T::default())
}

impl Default for KeccakRound {
    fn default() -> Self {
        Self {
            a: Default::default(),
            round: Default::default(),
            y: Default::default(),
            constants: LookupRom::new(IOTA.iter().map(|c| (*c).into()).collect()),
            block: Default::default(),
            lane: array(),
            word: array(),
            block_parity: array(),
            parity: array(),
            theta: array(),
            turned: array(),
            chi: array(),
            left: array_init::array_init(|i| Constant::new(RHO[i].into())),
            right: array_init::array_init(|i| Constant::new((64 - RHO[i]).into())),
        }
    }
}

seq!(N in 0..25 {
impl Logic for KeccakRound {
    #[hdl_gen]
    fn update(&mut self) {
        self.constants.addr.next = self.round.val();
        #( self.lane[N].next = self.a.val().l~N; )*
        #( self.word[N].next = self.block.val().l~N; )*
        for x in 0..5 {
            self.block_parity[x].next = self.word[x].val()
                ^ self.word[x + 5].val()
                ^ self.word[x + 10].val()
                ^ self.word[x + 15].val()
                ^ self.word[x + 20].val();
            self.parity[x].next = self.block_parity[x].val()
                ^ self.lane[x].val()
                ^ self.lane[x + 5].val()
                ^ self.lane[x + 10].val()
                ^ self.lane[x + 15].val()
                ^ self.lane[x + 20].val();
        }
        for i in 0..25 {
            self.theta[i].next = self.lane[i].val()
                ^ self.word[i].val()
                ^ self.parity[(i + 4) % 5].val()
                ^ ((self.parity[(i + 1) % 5].val() << 1) | (self.parity[(i + 1) % 5].val() >> 63));
        }
        for y in 0..5 {
            for x in 0..5 {
                self.turned[y + 5 * ((2 * x + 3 * y) % 5)].next =
                    (self.theta[x + 5 * y].val() << self.left[x + 5 * y].val())
                    | (self.theta[x + 5 * y].val() >> self.right[x + 5 * y].val());
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                self.chi[x + 5 * y].next = self.turned[x + 5 * y].val()
                    ^ (!self.turned[(x + 1) % 5 + 5 * y].val()
                        & self.turned[(x + 2) % 5 + 5 * y].val());
            }
        }
        #( self.y.next.l~N = self.chi[N].val(); )*
        self.y.next.l0 = self.chi[0].val() ^ self.constants.data.val();
    }
}
});
