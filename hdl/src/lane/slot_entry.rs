//! What a slot command works on: key, value and flags.

use gatewei_abi::result::{field, kind, slot as flag};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::microcode::word::{SlotKey, SlotMode};

/// Operands of the slot table.
#[derive(LogicBlock)]
pub struct SlotEntry {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The key from this cycle on.
    pub select: Signal<In, SlotKey>,
    /// It is the key from now on.
    pub keeps: Signal<In, Bit>,
    /// Value and flags in this cycle.
    pub mode: Signal<In, SlotMode>,
    /// The key is in the table.
    pub hit: Signal<In, Bit>,
    /// Flags of the current entry.
    pub flags: Signal<In, Bits<4>>,
    /// The executing account.
    pub account: Signal<In, Bits<11>>,
    /// The other account.
    pub peer: Signal<In, Bits<11>>,
    /// Top of the stack: an opcode's key.
    pub top: Signal<In, Bits<256>>,
    /// Second word: what SSTORE and TSTORE store.
    pub second: Signal<In, Bits<256>>,
    /// Register T: an address, a key that came with the message, or the head of a journal entry.
    pub t: Signal<In, Bits<256>>,
    /// Register U: what the host answered, or another value.
    pub u: Signal<In, Bits<256>>,
    /// The host's beat: the value that came with the message.
    pub beat: Signal<In, Bits<256>>,

    /// Key.
    pub key: Signal<Out, Bits<256>>,
    /// Its space: the account's index, the kind above.
    pub space: Signal<Out, Bits<13>>,
    /// It is an account's.
    pub is_account: Signal<Out, Bit>,
    /// It is a storage slot's.
    pub is_storage: Signal<Out, Bit>,
    /// Value.
    pub value: Signal<Out, Bits<256>>,
    /// The value is the original one.
    pub set_original: Signal<Out, Bit>,
    /// The value is the present one.
    pub set_present: Signal<Out, Bit>,
    /// The entry's new flags.
    pub new_flags: Signal<Out, Bits<4>>,
    /// The entry is warm.
    pub warm: Signal<Out, Bit>,
    /// Its value is known.
    pub known: Signal<Out, Bit>,
    /// It was written.
    pub written: Signal<Out, Bit>,
    /// It is known, warm and used: one more read leaves it as it is.
    pub hot: Signal<Out, Bit>,

    selected: DFF<SlotKey>,
    select_now: Signal<Local, SlotKey>,
    mode_now: Signal<Local, SlotMode>,
    own: Signal<Local, Bits<13>>,
    other: Signal<Local, Bits<13>>,
    storage: Constant<Bits<13>>,
    transient: Constant<Bits<13>>,
    accounts: Constant<Bits<13>>,
    fields: Constant<Bits<13>>,
    balance: Constant<Bits<256>>,
    code_hash: Constant<Bits<256>>,
    nonce: Constant<Bits<256>>,
    used_only: Constant<Bits<4>>,
    warm_only: Constant<Bits<4>>,
    known_only: Constant<Bits<4>>,
    written_only: Constant<Bits<4>>,
    used_warm: Constant<Bits<4>>,
    used_written: Constant<Bits<4>>,
    used_warm_written: Constant<Bits<4>>,
    known_used: Constant<Bits<4>>,
    known_warm: Constant<Bits<4>>,
    hot_mask: Constant<Bits<4>>,
}

impl Default for SlotEntry {
    fn default() -> Self {
        let flags = |flags: &[u32]| {
            let all = flags.iter().fold(0, |all, f| all | f);
            Constant::new(u64::from(all).into())
        };
        let space = |kind: u32| Constant::new((u64::from(kind) << 11).into());
        Self {
            clock: Default::default(),
            select: Default::default(),
            keeps: Default::default(),
            mode: Default::default(),
            hit: Default::default(),
            flags: Default::default(),
            account: Default::default(),
            peer: Default::default(),
            top: Default::default(),
            second: Default::default(),
            t: Default::default(),
            u: Default::default(),
            beat: Default::default(),
            key: Default::default(),
            space: Default::default(),
            is_account: Default::default(),
            is_storage: Default::default(),
            value: Default::default(),
            set_original: Default::default(),
            set_present: Default::default(),
            new_flags: Default::default(),
            warm: Default::default(),
            known: Default::default(),
            written: Default::default(),
            hot: Default::default(),
            selected: Default::default(),
            select_now: Default::default(),
            mode_now: Default::default(),
            own: Default::default(),
            other: Default::default(),
            storage: space(kind::STORAGE),
            transient: space(kind::TRANSIENT),
            accounts: space(kind::ACCOUNT),
            fields: space(kind::FIELD),
            balance: Constant::new(u64::from(field::BALANCE).into()),
            code_hash: Constant::new(u64::from(field::CODE_HASH).into()),
            nonce: Constant::new(u64::from(field::NONCE).into()),
            used_only: flags(&[flag::USED]),
            warm_only: flags(&[flag::WARM]),
            known_only: flags(&[flag::KNOWN]),
            written_only: flags(&[flag::WRITTEN]),
            used_warm: flags(&[flag::USED, flag::WARM]),
            used_written: flags(&[flag::USED, flag::WRITTEN]),
            used_warm_written: flags(&[flag::USED, flag::WARM, flag::WRITTEN]),
            known_used: flags(&[flag::KNOWN, flag::USED]),
            known_warm: flags(&[flag::KNOWN, flag::WARM]),
            hot_mask: flags(&[flag::KNOWN, flag::WARM, flag::USED]),
        }
    }
}

impl Logic for SlotEntry {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, selected);
        self.select_now.next = self.selected.q.val();
        if self.select.val() != SlotKey::Keep {
            self.select_now.next = self.select.val();
        }
        if self.keeps.val() {
            self.selected.d.next = self.select_now.val();
        }
        self.own.next = bit_cast::<13, 11>(self.account.val());
        self.other.next = bit_cast::<13, 11>(self.peer.val());
        self.key.next = self.top.val();
        self.space.next = self.own.val() | self.storage.val();
        self.is_account.next = false;
        self.is_storage.next = true;
        match self.select_now.val() {
            SlotKey::Keep => {}
            SlotKey::Storage => {}
            SlotKey::Transient => {
                self.space.next = self.own.val() | self.transient.val();
            }
            SlotKey::OwnBalance => {
                self.is_storage.next = false;
                self.key.next = self.balance.val();
                self.space.next = self.own.val() | self.fields.val();
            }
            SlotKey::PeerBalance => {
                self.is_storage.next = false;
                self.key.next = self.balance.val();
                self.space.next = self.other.val() | self.fields.val();
            }
            SlotKey::OwnNonce => {
                self.is_storage.next = false;
                self.key.next = self.nonce.val();
                self.space.next = self.own.val() | self.fields.val();
            }
            SlotKey::PeerNonce => {
                self.is_storage.next = false;
                self.key.next = self.nonce.val();
                self.space.next = self.other.val() | self.fields.val();
            }
            SlotKey::PeerHash => {
                self.is_storage.next = false;
                self.key.next = self.code_hash.val();
                self.space.next = self.other.val() | self.fields.val();
            }
            SlotKey::Account => {
                self.is_storage.next = false;
                self.is_account.next = true;
                self.key.next = self.t.val();
                self.space.next = self.accounts.val();
            }
            SlotKey::Message => {
                self.key.next = self.t.val();
                self.space.next = self.other.val() | self.storage.val();
            }
        }

        self.warm.next = (self.flags.val() & self.warm_only.val()).any();
        self.known.next = (self.flags.val() & self.known_only.val()).any();
        self.written.next = (self.flags.val() & self.written_only.val()).any();
        self.hot.next = (self.flags.val() & self.hot_mask.val()) == self.hot_mask.val();
        self.value.next = self.second.val();
        self.set_original.next = false;
        self.set_present.next = false;
        self.new_flags.next = self.flags.val();
        self.mode_now.next = self.mode.val();
        match self.mode_now.val() {
            SlotMode::Use => {
                self.new_flags.next = self.flags.val() | self.used_only.val();
            }
            SlotMode::Warm => {
                self.new_flags.next = self.flags.val() | self.used_warm.val();
            }
            SlotMode::Touch => {
                self.new_flags.next = self.flags.val() | self.used_written.val();
            }
            SlotMode::Store => {
                self.set_present.next = true;
                self.new_flags.next = self.flags.val() | self.used_warm_written.val();
            }
            SlotMode::StoreU => {
                self.value.next = self.u.val();
                self.set_present.next = true;
                self.new_flags.next = self.flags.val() | self.used_written.val();
            }
            SlotMode::Answer => {
                self.value.next = self.u.val();
                self.set_original.next = true;
                self.set_present.next = true;
                self.new_flags.next = self.known_used.val();
                // A warm slot that came without its value.
                if self.warm.val() & self.hit.val() {
                    self.new_flags.next = self.known_used.val() | self.warm_only.val();
                }
            }
            SlotMode::Zero => {
                self.value.next = 0.into();
                self.new_flags.next = self.known_used.val();
            }
            SlotMode::Restore => {
                self.value.next = self.u.val();
                self.set_present.next = true;
                self.new_flags.next = self.t.val().get_bits::<4>(0) | self.used_only.val();
            }
            SlotMode::MessageAccount => {
                self.value.next = self.beat.val();
                self.new_flags.next = self.u.val().get_bits::<4>(208) & self.known_warm.val();
            }
            SlotMode::MessageWarm => {
                self.value.next = self.beat.val();
                self.new_flags.next = self.known_warm.val();
            }
            SlotMode::MessageCold => {
                self.value.next = self.beat.val();
                self.new_flags.next = self.known_only.val();
            }
            SlotMode::MessageNamed => {
                self.new_flags.next = self.warm_only.val();
            }
        }
    }
}
