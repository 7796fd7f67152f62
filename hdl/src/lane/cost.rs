//! Dynamic gas: what an opcode costs beyond its static gas (memory expansion apart).

use gatewei_abi::message::price;
use rust_hdl_core::prelude::*;

use super::microcode::word::{GasOp, Price};
use crate::arith::ByteLength;

/// The cost of this cycle's gas operation. Combinational.
#[derive(LogicBlock)]
pub struct Cost {
    /// Gas operation.
    pub op: Signal<In, GasOp>,
    /// Which price.
    pub price: Signal<In, Price>,
    /// The fork's schedule (`gatewei_abi::message::Schedule`).
    pub schedule: Signal<In, Bits<256>>,
    /// Length operand, bytes; below 2^64.
    pub length: Signal<In, Bits<64>>,
    /// Exponent of EXP.
    pub exponent: Signal<In, Bits<256>>,
    /// Topics of LOG.
    pub topics: Signal<In, Bits<5>>,
    /// Cost of the memory expansion.
    pub expansion: Signal<In, Bits<64>>,
    /// Gas that passes to a frame that is called.
    pub granted: Signal<In, Bits<64>>,
    /// The cost. Saturates.
    pub cost: Signal<Out, Bits<64>>,
    /// The chosen price.
    pub field: Signal<Out, Bits<64>>,
    padded: Signal<Local, Bits<65>>,
    words: Signal<Local, Bits<64>>,
    words3: Signal<Local, Bits<64>>,
    topics_gas: Signal<Local, Bits<64>>,
    bytes: Signal<Local, Bits<6>>,
    exp_byte: Signal<Local, Bits<38>>,
    exp_part0: Signal<Local, Bits<38>>,
    exp_part1: Signal<Local, Bits<38>>,
    exp_part2: Signal<Local, Bits<38>>,
    exp_part3: Signal<Local, Bits<38>>,
    exp_part4: Signal<Local, Bits<38>>,
    exp_part5: Signal<Local, Bits<38>>,
    exp_gas: Signal<Local, Bits<38>>,
    chosen: Signal<Local, Bits<32>>,
    account_cold: Constant<Bits<32>>,
    call_value: Constant<Bits<32>>,
    new_account: Constant<Bits<32>>,
    account_warm: Constant<Bits<32>>,
    create: Constant<Bits<32>>,
    destroy_cold: Constant<Bits<32>>,
    exponent_length: ByteLength,
    deposit_bytes: Signal<Local, Bits<32>>,
    deposit: Signal<Local, Bits<32>>,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            op: Default::default(),
            price: Default::default(),
            schedule: Default::default(),
            length: Default::default(),
            exponent: Default::default(),
            topics: Default::default(),
            expansion: Default::default(),
            granted: Default::default(),
            cost: Default::default(),
            field: Default::default(),
            padded: Default::default(),
            words: Default::default(),
            words3: Default::default(),
            topics_gas: Default::default(),
            bytes: Default::default(),
            exp_byte: Default::default(),
            exp_part0: Default::default(),
            exp_part1: Default::default(),
            exp_part2: Default::default(),
            exp_part3: Default::default(),
            exp_part4: Default::default(),
            exp_part5: Default::default(),
            exp_gas: Default::default(),
            chosen: Default::default(),
            account_cold: Constant::new(price::ACCOUNT_COLD.into()),
            call_value: Constant::new(price::CALL_VALUE.into()),
            new_account: Constant::new(price::NEW_ACCOUNT.into()),
            account_warm: Constant::new(price::ACCOUNT_WARM.into()),
            create: Constant::new(price::CREATE.into()),
            destroy_cold: Constant::new(price::DESTROY_COLD.into()),
            exponent_length: Default::default(),
            deposit_bytes: Default::default(),
            deposit: Default::default(),
        }
    }
}

impl Logic for Cost {
    #[hdl_gen]
    fn update(&mut self) {
        self.padded.next = bit_cast::<65, 64>(self.length.val()) + 31;
        self.words.next = bit_cast::<64, 60>(self.padded.val().get_bits::<60>(5));
        self.words3.next = self.words.val() + (self.words.val() << 1);
        // 375 a topic.
        self.topics_gas.next = 0.into();
        match self.topics.val().index() {
            1 => {
                self.topics_gas.next = 375.into();
            }
            2 => {
                self.topics_gas.next = 750.into();
            }
            3 => {
                self.topics_gas.next = 1125.into();
            }
            4 => {
                self.topics_gas.next = 1500.into();
            }
            _ => {}
        }
        self.exponent_length.x.next = self.exponent.val();
        self.bytes.next = self.exponent_length.bytes.val();
        // 200 a byte of a code, whose length is limited.
        self.deposit_bytes.next = self.length.val().get_bits::<32>(0);
        self.deposit.next = (self.deposit_bytes.val() << 7)
            + ((self.deposit_bytes.val() << 6) + (self.deposit_bytes.val() << 3));
        self.exp_byte.next = bit_cast::<38, 32>(self.schedule.val().get_bits::<32>(224));
        // The number of bytes (at most 32) times the price of one, which is below 2^32: six partial sums.
        self.exp_part0.next = 0.into();
        if self.bytes.val().get_bit(0) {
            self.exp_part0.next = self.exp_byte.val() << 0;
        }
        self.exp_part1.next = 0.into();
        if self.bytes.val().get_bit(1) {
            self.exp_part1.next = self.exp_byte.val() << 1;
        }
        self.exp_part2.next = 0.into();
        if self.bytes.val().get_bit(2) {
            self.exp_part2.next = self.exp_byte.val() << 2;
        }
        self.exp_part3.next = 0.into();
        if self.bytes.val().get_bit(3) {
            self.exp_part3.next = self.exp_byte.val() << 3;
        }
        self.exp_part4.next = 0.into();
        if self.bytes.val().get_bit(4) {
            self.exp_part4.next = self.exp_byte.val() << 4;
        }
        self.exp_part5.next = 0.into();
        if self.bytes.val().get_bit(5) {
            self.exp_part5.next = self.exp_byte.val() << 5;
        }
        self.exp_gas.next = ((self.exp_part0.val() + self.exp_part1.val())
            + (self.exp_part2.val() + self.exp_part3.val()))
            + (self.exp_part4.val() + self.exp_part5.val());
        self.chosen.next = 0.into();
        match self.price.val() {
            Price::SloadCold => {
                self.chosen.next = self.schedule.val().get_bits::<32>(0);
            }
            Price::SstoreBase => {
                self.chosen.next = self.schedule.val().get_bits::<32>(32);
            }
            Price::SstoreCold => {
                self.chosen.next = self.schedule.val().get_bits::<32>(64);
            }
            Price::SstoreSet => {
                self.chosen.next = self.schedule.val().get_bits::<32>(96);
            }
            Price::SstoreReset => {
                self.chosen.next = self.schedule.val().get_bits::<32>(128);
            }
            Price::Clear => {
                self.chosen.next = self.schedule.val().get_bits::<32>(160);
            }
            Price::AccountCold => {
                self.chosen.next = self.account_cold.val();
            }
            Price::CallValue => {
                self.chosen.next = self.call_value.val();
            }
            Price::NewAccount => {
                self.chosen.next = self.new_account.val();
            }
            Price::AccountWarm => {
                self.chosen.next = self.account_warm.val();
            }
            Price::Create => {
                self.chosen.next = self.create.val();
            }
            Price::DestroyCold => {
                self.chosen.next = self.destroy_cold.val();
            }
        }
        self.field.next = bit_cast::<64, 32>(self.chosen.val());
        self.cost.next = 0.into();
        match self.op.val() {
            GasOp::None => {}
            GasOp::Expand => {
                self.cost.next = self.expansion.val();
            }
            GasOp::CopyWords => {
                self.cost.next = self.words3.val();
            }
            GasOp::HashWords => {
                self.cost.next = self.words3.val() << 1;
            }
            GasOp::Log => {
                self.cost.next = (self.length.val() << 3) + self.topics_gas.val();
                if self.length.val().get_bits::<8>(56).any() {
                    self.cost.next = 0xffff_ffff_ffff_ffff_u64.into();
                }
            }
            GasOp::Exp => {
                self.cost.next = bit_cast::<64, 38>(self.exp_gas.val());
            }
            GasOp::Charge => {
                self.cost.next = self.field.val();
            }
            GasOp::InitWords => {
                self.cost.next = self.words.val() << 1;
            }
            GasOp::Deposit => {
                self.cost.next = bit_cast::<64, 32>(self.deposit.val());
            }
            GasOp::Forward => {
                self.cost.next = self.granted.val();
            }
            GasOp::Refund => {}
            GasOp::Unrefund => {}
        }
    }
}
