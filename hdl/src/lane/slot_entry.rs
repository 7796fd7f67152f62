//! What a slot command works on: key, value and flags, by its mode.

use gatewei_abi::result::slot as flag;
use rust_hdl_core::prelude::*;

use super::microcode::word::SlotMode;

/// Operands of the slot table.
#[derive(LogicBlock)]
pub struct SlotEntry {
    /// The mode.
    pub mode: Signal<In, SlotMode>,
    /// Flags of the current entry.
    pub flags: Signal<In, Bits<5>>,
    /// Top of the stack: an opcode's key.
    pub top: Signal<In, Bits<256>>,
    /// Second word: what SSTORE and TSTORE store.
    pub second: Signal<In, Bits<256>>,
    /// Register T: the key that came with the message.
    pub t: Signal<In, Bits<256>>,
    /// Register U: what the host answered.
    pub u: Signal<In, Bits<256>>,
    /// The host's beat: the value that came with the message.
    pub beat: Signal<In, Bits<256>>,

    /// Key.
    pub key: Signal<Out, Bits<256>>,
    /// It is a transient slot's.
    pub transient: Signal<Out, Bit>,
    /// Value.
    pub value: Signal<Out, Bits<256>>,
    /// The value is the original one.
    pub set_original: Signal<Out, Bit>,
    /// The value is the present one.
    pub set_present: Signal<Out, Bit>,
    /// The entry's new flags.
    pub new_flags: Signal<Out, Bits<5>>,
    /// The entry is warm.
    pub warm: Signal<Out, Bit>,
    /// Its value is known.
    pub known: Signal<Out, Bit>,

    mode_now: Signal<Local, SlotMode>,
    used_warm: Constant<Bits<5>>,
    used_warm_written: Constant<Bits<5>>,
    transient_entry: Constant<Bits<5>>,
    answer_entry: Constant<Bits<5>>,
    known_warm: Constant<Bits<5>>,
    known_only: Constant<Bits<5>>,
    warm_only: Constant<Bits<5>>,
}

impl Default for SlotEntry {
    fn default() -> Self {
        let flags = |flags: &[u32]| {
            let all = flags.iter().fold(0, |all, f| all | f);
            Constant::new(u64::from(all).into())
        };
        Self {
            mode: Default::default(),
            flags: Default::default(),
            top: Default::default(),
            second: Default::default(),
            t: Default::default(),
            u: Default::default(),
            beat: Default::default(),
            key: Default::default(),
            transient: Default::default(),
            value: Default::default(),
            set_original: Default::default(),
            set_present: Default::default(),
            new_flags: Default::default(),
            warm: Default::default(),
            known: Default::default(),
            mode_now: Default::default(),
            used_warm: flags(&[flag::USED, flag::WARM]),
            used_warm_written: flags(&[flag::USED, flag::WARM, flag::WRITTEN]),
            transient_entry: flags(&[flag::TRANSIENT, flag::KNOWN, flag::USED, flag::WRITTEN]),
            answer_entry: flags(&[flag::KNOWN, flag::USED, flag::WARM]),
            known_warm: flags(&[flag::KNOWN, flag::WARM]),
            known_only: flags(&[flag::KNOWN]),
            warm_only: flags(&[flag::WARM]),
        }
    }
}

impl Logic for SlotEntry {
    #[hdl_gen]
    fn update(&mut self) {
        self.warm.next = (self.flags.val() & self.warm_only.val()).any();
        self.known.next = (self.flags.val() & self.known_only.val()).any();
        self.key.next = self.top.val();
        self.transient.next = false;
        self.value.next = self.second.val();
        self.set_original.next = false;
        self.set_present.next = false;
        self.new_flags.next = self.flags.val();
        self.mode_now.next = self.mode.val();
        match self.mode_now.val() {
            SlotMode::Touch => {
                self.new_flags.next = self.flags.val() | self.used_warm.val();
            }
            SlotMode::Transient => {
                self.transient.next = true;
                self.set_present.next = true;
                self.new_flags.next = self.transient_entry.val();
            }
            SlotMode::Store => {
                self.set_present.next = true;
                self.new_flags.next = self.flags.val() | self.used_warm_written.val();
            }
            SlotMode::Answer => {
                self.value.next = self.u.val();
                self.set_original.next = true;
                self.set_present.next = true;
                self.new_flags.next = self.answer_entry.val();
            }
            SlotMode::MessageWarm => {
                self.key.next = self.t.val();
                self.value.next = self.beat.val();
                self.new_flags.next = self.known_warm.val();
            }
            SlotMode::MessageCold => {
                self.key.next = self.t.val();
                self.value.next = self.beat.val();
                self.new_flags.next = self.known_only.val();
            }
            SlotMode::MessageNamed => {
                self.key.next = self.t.val();
                self.new_flags.next = self.warm_only.val();
            }
        }
    }
}
