//! The executing frame: what a call saves and its end brings back.
//!
//! A waiting frame's record in the data space has eight words: [`MACHINE`], [`INPUT`], [`BACK`], and the three
//! environment words that differ between frames, under their own indices.

// The derive of LogicStruct makes accessors without docs.
#![allow(missing_docs)]

use gatewei_abi::layout::{CALL_DEPTH, FRAME_BYTES, JOURNAL, JOURNAL_BYTES, SEGMENT_BITS, segment};
use gatewei_abi::message::header;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::microcode::word::Act;

/// Word of a frame's record: [`Machine`].
pub const MACHINE: usize = 0;
/// Word of a frame's record: [`Input`].
pub const INPUT: usize = 1;
/// Word of a frame's record: [`Back`].
pub const BACK: usize = 2;

const _: () = assert!(header::ADDRESS > BACK && header::CALLVALUE < FRAME_BYTES / 32);
const _: () =
    assert!(CALL_DEPTH == 1024 && FRAME_BYTES == 256 && JOURNAL == 1 << 18 && JOURNAL_BYTES == 64);

/// Machine state (Yellow Paper 9.4.1), but for stack and memory themselves.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Machine {
    gas: Bits<64>,
    refund: Bits<64>,
    pc: Bits<16>,
    account: Bits<16>,
    words: Bits<32>,
    base: Bits<32>,
    floor: Bits<16>,
    is_static: Bits<8>,
    creating: Bits<8>,
}

/// Code and calldata.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Input {
    code_address: Bits<64>,
    code_tag: Bits<64>,
    code_bytes: Bits<32>,
    calldata_bytes: Bits<32>,
    calldata_at: Bits<32>,
    reserved: Bits<32>,
}

/// What the inner frame's end needs: where its output goes, and where journal and logs stood.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Back {
    return_at: Bits<32>,
    return_bytes: Bits<32>,
    journal: Bits<32>,
    out: Bits<32>,
    logs: Bits<32>,
    reserved: Bits<96>,
}

/// The registers.
#[derive(LogicBlock)]
pub struct Frame {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// What this cycle's word does.
    pub act: Signal<In, Act>,
    /// Opcodes that call: the callee runs as itself, and is static.
    pub as_callee: Signal<In, Bit>,
    /// See `as_callee`.
    pub to_static: Signal<In, Bit>,
    /// The callee is init code.
    pub to_create: Signal<In, Bit>,
    /// Header word of the message: lengths and flags.
    pub control: Signal<In, Bits<256>>,
    /// Bus address of the first frame's code image.
    pub first_code: Signal<In, Bits<64>>,
    /// Its tag.
    pub first_tag: Signal<In, Bits<64>>,
    /// A record's word that comes back, or an account's code word.
    pub word: Signal<In, Bits<256>>,
    /// Index of the account that is called, or whose entry was read.
    pub found: Signal<In, Bits<11>>,
    /// Top of the stack.
    pub top: Signal<In, Bits<32>>,
    /// Second word of the stack.
    pub second: Signal<In, Bits<32>>,
    /// Memory as it grows, in words.
    pub new_words: Signal<In, Bits<32>>,
    /// Gas left.
    pub gas: Signal<In, Bits<64>>,
    /// Refund counter.
    pub refunds: Signal<In, Bits<64>>,
    /// Program counter behind the call.
    pub pc_behind: Signal<In, Bits<16>>,
    /// Words below the frame's stack.
    pub floor: Signal<In, Bits<11>>,
    /// Where logs are written next.
    pub out: Signal<In, Bits<32>>,
    /// Logs.
    pub logs: Signal<In, Bits<32>>,

    /// Depth: frames that wait.
    pub level: Signal<Out, Bits<11>>,
    /// The executing account.
    pub account: Signal<Out, Bits<11>>,
    /// The account found last.
    pub peer: Signal<Out, Bits<11>>,
    /// Memory, in words.
    pub words: Signal<Out, Bits<32>>,
    /// Where it begins in its segment, in bytes.
    pub base: Signal<Out, Bits<32>>,
    /// State changes are forbidden.
    pub is_static: Signal<Out, Bit>,
    /// It executes init code of a CREATE or CREATE2.
    pub creating: Signal<Out, Bit>,
    /// The frame that ended last did.
    pub created: Signal<Out, Bit>,
    /// Bus address of the code image.
    pub code_address: Signal<Out, Bits<64>>,
    /// Its tag.
    pub code_tag: Signal<Out, Bits<64>>,
    /// Bytes of code.
    pub code_bytes: Signal<Out, Bits<32>>,
    /// Bytes of calldata.
    pub calldata_bytes: Signal<Out, Bits<32>>,
    /// Address of the calldata in the data space.
    pub calldata_at: Signal<Out, Bits<32>>,
    /// Where a call's calldata is in memory, and how much of it.
    pub arguments_at: Signal<Out, Bits<32>>,
    /// See `arguments_at`.
    pub arguments_bytes: Signal<Out, Bits<32>>,
    /// Where a call's return data is to go, and how much of it.
    pub return_at: Signal<Out, Bits<32>>,
    /// See `return_at`.
    pub return_bytes: Signal<Out, Bits<32>>,
    /// Where logs were written next, and how many there were, when the frame was called.
    pub old_out: Signal<Out, Bits<32>>,
    /// See `old_out`.
    pub old_logs: Signal<Out, Bits<32>>,
    /// Address of the frame's record in the data space.
    pub record: Signal<Out, Bits<25>>,
    /// Address of the next journal entry.
    pub journal: Signal<Out, Bits<25>>,
    /// The journal has been taken back to where it stood when the frame was called.
    pub at_mark: Signal<Out, Bit>,
    /// The journal is full.
    pub full: Signal<Out, Bit>,
    /// Words of the record.
    pub machine_word: Signal<Out, Machine>,
    /// See `machine_word`.
    pub input_word: Signal<Out, Input>,
    /// See `machine_word`.
    pub back_word: Signal<Out, Back>,
    /// Gas in a record's word that comes back.
    pub saved_gas: Signal<Out, Bits<64>>,
    /// Refund counter in it.
    pub saved_refund: Signal<Out, Bits<64>>,
    /// Program counter in it.
    pub saved_pc: Signal<Out, Bits<16>>,
    /// Words below its stack in it.
    pub saved_floor: Signal<Out, Bits<11>>,

    level_q: DFF<Bits<11>>,
    account_q: DFF<Bits<11>>,
    peer_q: DFF<Bits<11>>,
    words_q: DFF<Bits<32>>,
    base_q: DFF<Bits<32>>,
    static_q: DFF<Bit>,
    creating_q: DFF<Bit>,
    created_q: DFF<Bit>,
    code_address_q: DFF<Bits<64>>,
    code_tag_q: DFF<Bits<64>>,
    code_bytes_q: DFF<Bits<32>>,
    calldata_bytes_q: DFF<Bits<32>>,
    calldata_at_q: DFF<Bits<32>>,
    argument_at: DFF<Bits<32>>,
    argument_bytes: DFF<Bits<32>>,
    return_at_q: DFF<Bits<32>>,
    return_bytes_q: DFF<Bits<32>>,
    old_out_q: DFF<Bits<32>>,
    old_logs_q: DFF<Bits<32>>,
    journal_q: DFF<Bits<32>>,
    mark: DFF<Bits<32>>,
    floor_q: DFF<Bits<11>>,
    memory_end: Signal<Local, Bits<32>>,
    frames_at: Constant<Bits<25>>,
    journal_at: Constant<Bits<25>>,
    calldata_segment: Constant<Bits<32>>,
    last_entry: Constant<Bits<32>>,
}

impl Default for Frame {
    fn default() -> Self {
        let frames = (segment::FRAMES << SEGMENT_BITS) as u64;
        Self {
            clock: Default::default(),
            act: Default::default(),
            as_callee: Default::default(),
            to_static: Default::default(),
            to_create: Default::default(),
            control: Default::default(),
            first_code: Default::default(),
            first_tag: Default::default(),
            word: Default::default(),
            found: Default::default(),
            top: Default::default(),
            second: Default::default(),
            new_words: Default::default(),
            gas: Default::default(),
            refunds: Default::default(),
            pc_behind: Default::default(),
            floor: Default::default(),
            out: Default::default(),
            logs: Default::default(),
            level: Default::default(),
            account: Default::default(),
            peer: Default::default(),
            words: Default::default(),
            base: Default::default(),
            is_static: Default::default(),
            creating: Default::default(),
            created: Default::default(),
            code_address: Default::default(),
            code_tag: Default::default(),
            code_bytes: Default::default(),
            calldata_bytes: Default::default(),
            calldata_at: Default::default(),
            arguments_at: Default::default(),
            arguments_bytes: Default::default(),
            return_at: Default::default(),
            return_bytes: Default::default(),
            old_out: Default::default(),
            old_logs: Default::default(),
            record: Default::default(),
            journal: Default::default(),
            at_mark: Default::default(),
            full: Default::default(),
            machine_word: Default::default(),
            input_word: Default::default(),
            back_word: Default::default(),
            saved_gas: Default::default(),
            saved_refund: Default::default(),
            saved_pc: Default::default(),
            saved_floor: Default::default(),
            level_q: Default::default(),
            account_q: Default::default(),
            peer_q: Default::default(),
            words_q: Default::default(),
            base_q: Default::default(),
            static_q: Default::default(),
            creating_q: Default::default(),
            created_q: Default::default(),
            code_address_q: Default::default(),
            code_tag_q: Default::default(),
            code_bytes_q: Default::default(),
            calldata_bytes_q: Default::default(),
            calldata_at_q: Default::default(),
            argument_at: Default::default(),
            argument_bytes: Default::default(),
            return_at_q: Default::default(),
            return_bytes_q: Default::default(),
            old_out_q: Default::default(),
            old_logs_q: Default::default(),
            journal_q: Default::default(),
            mark: Default::default(),
            floor_q: Default::default(),
            memory_end: Default::default(),
            frames_at: Constant::new(frames.into()),
            journal_at: Constant::new((frames + JOURNAL as u64).into()),
            calldata_segment: Constant::new(((segment::CALLDATA << SEGMENT_BITS) as u64).into()),
            last_entry: Constant::new(
                (((1 << SEGMENT_BITS) - JOURNAL - JOURNAL_BYTES) as u64).into(),
            ),
        }
    }
}

impl Logic for Frame {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            level_q,
            account_q,
            peer_q,
            words_q,
            base_q,
            static_q,
            creating_q,
            created_q,
            code_address_q,
            code_tag_q,
            code_bytes_q,
            calldata_bytes_q,
            calldata_at_q,
            argument_at,
            argument_bytes,
            return_at_q,
            return_bytes_q,
            old_out_q,
            old_logs_q,
            journal_q,
            mark,
            floor_q
        );
        self.level.next = self.level_q.q.val();
        self.account.next = self.account_q.q.val();
        self.peer.next = self.peer_q.q.val();
        self.words.next = self.words_q.q.val();
        self.base.next = self.base_q.q.val();
        self.is_static.next = self.static_q.q.val();
        self.creating.next = self.creating_q.q.val();
        self.created.next = self.created_q.q.val();
        self.code_address.next = self.code_address_q.q.val();
        self.code_tag.next = self.code_tag_q.q.val();
        self.code_bytes.next = self.code_bytes_q.q.val();
        self.calldata_bytes.next = self.calldata_bytes_q.q.val();
        self.calldata_at.next = self.calldata_at_q.q.val();
        self.arguments_at.next = self.argument_at.q.val();
        self.arguments_bytes.next = self.argument_bytes.q.val();
        self.return_at.next = self.return_at_q.q.val();
        self.return_bytes.next = self.return_bytes_q.q.val();
        self.old_out.next = self.old_out_q.q.val();
        self.old_logs.next = self.old_logs_q.q.val();
        self.record.next = self.frames_at.val() + (bit_cast::<25, 11>(self.level_q.q.val()) << 8);
        self.journal.next = self.journal_at.val() + bit_cast::<25, 32>(self.journal_q.q.val());
        self.at_mark.next = self.journal_q.q.val() == self.mark.q.val();
        self.full.next = self.journal_q.q.val() > self.last_entry.val();
        self.memory_end.next = self.base_q.q.val() + (self.words_q.q.val() << 5);

        self.machine_word.next.gas = self.gas.val();
        self.machine_word.next.refund = self.refunds.val();
        self.machine_word.next.pc = self.pc_behind.val();
        self.machine_word.next.account = bit_cast::<16, 11>(self.account_q.q.val());
        self.machine_word.next.words = self.words_q.q.val();
        self.machine_word.next.base = self.base_q.q.val();
        self.machine_word.next.floor = bit_cast::<16, 11>(self.floor.val());
        self.machine_word.next.is_static = 0.into();
        if self.static_q.q.val() {
            self.machine_word.next.is_static = 1.into();
        }
        self.machine_word.next.creating = 0.into();
        if self.creating_q.q.val() {
            self.machine_word.next.creating = 1.into();
        }
        self.input_word.next.code_address = self.code_address_q.q.val();
        self.input_word.next.code_tag = self.code_tag_q.q.val();
        self.input_word.next.code_bytes = self.code_bytes_q.q.val();
        self.input_word.next.calldata_bytes = self.calldata_bytes_q.q.val();
        self.input_word.next.calldata_at = self.calldata_at_q.q.val();
        self.input_word.next.reserved = 0.into();
        self.back_word.next.return_at = self.return_at_q.q.val();
        self.back_word.next.return_bytes = self.return_bytes_q.q.val();
        self.back_word.next.journal = self.mark.q.val();
        self.back_word.next.out = self.old_out_q.q.val();
        self.back_word.next.logs = self.old_logs_q.q.val();
        self.back_word.next.reserved = 0.into();

        self.saved_gas.next = self.word.val().get_bits::<64>(0);
        self.saved_refund.next = self.word.val().get_bits::<64>(64);
        self.saved_pc.next = self.word.val().get_bits::<16>(128);
        self.saved_floor.next = self.floor_q.q.val();

        match self.act.val() {
            Act::Accept => {
                self.level_q.d.next = 0.into();
                self.account_q.d.next = 0.into();
                self.creating_q.d.next = false;
                self.words_q.d.next = 0.into();
                self.base_q.d.next = 0.into();
                self.journal_q.d.next = 0.into();
                self.mark.d.next = 0.into();
            }
            Act::FirstFrame => {
                self.static_q.d.next = self.control.val().get_bit(192);
                self.code_address_q.d.next = self.first_code.val();
                self.code_tag_q.d.next = self.first_tag.val();
                self.code_bytes_q.d.next = self.control.val().get_bits::<32>(0);
                self.calldata_bytes_q.d.next = self.control.val().get_bits::<32>(32);
                self.calldata_at_q.d.next = self.calldata_segment.val();
            }
            Act::CodeAddress => {
                self.code_address_q.d.next = self.word.val().get_bits::<64>(0);
            }
            Act::MemoryGrown => {
                self.words_q.d.next = self.new_words.val();
            }
            Act::Peer => {
                self.peer_q.d.next = self.found.val();
            }
            Act::Arguments => {
                self.argument_at.d.next = self.top.val();
                self.argument_bytes.d.next = self.second.val();
                self.return_bytes_q.d.next = 0.into();
            }
            Act::Returns => {
                self.return_at_q.d.next = self.top.val();
                self.return_bytes_q.d.next = self.second.val();
            }
            Act::Mark => {
                self.mark.d.next = self.journal_q.q.val();
                self.old_out_q.d.next = self.out.val();
                self.old_logs_q.d.next = self.logs.val();
            }
            Act::JournalNext => {
                self.journal_q.d.next = self.journal_q.q.val() + 64;
            }
            Act::JournalBack => {
                self.journal_q.d.next = self.journal_q.q.val() - 64;
            }
            Act::Enter => {
                self.level_q.d.next = self.level_q.q.val() + 1;
                if self.as_callee.val() {
                    self.account_q.d.next = self.peer_q.q.val();
                }
                self.creating_q.d.next = self.to_create.val();
                if self.to_static.val() {
                    self.static_q.d.next = true;
                }
                self.base_q.d.next = self.memory_end.val();
                self.words_q.d.next = 0.into();
                self.calldata_at_q.d.next = self.base_q.q.val() + self.argument_at.q.val();
                self.calldata_bytes_q.d.next = self.argument_bytes.q.val();
            }
            Act::LoadCode => {
                self.code_address_q.d.next = self.word.val().get_bits::<64>(0);
                self.code_tag_q.d.next = self.word.val().get_bits::<64>(64);
                self.code_bytes_q.d.next = self.word.val().get_bits::<32>(160);
            }
            Act::LoadInit => {
                self.code_address_q.d.next = self.word.val().get_bits::<64>(192);
                self.code_tag_q.d.next = 0.into();
                self.code_bytes_q.d.next = self.argument_bytes.q.val();
                self.argument_bytes.d.next = 0.into();
            }
            Act::Leave => {
                self.created_q.d.next = self.creating_q.q.val();
                self.level_q.d.next = self.level_q.q.val() - 1;
            }
            Act::LoadBack => {
                self.return_at_q.d.next = self.word.val().get_bits::<32>(0);
                self.return_bytes_q.d.next = self.word.val().get_bits::<32>(32);
                self.mark.d.next = self.word.val().get_bits::<32>(64);
                self.old_out_q.d.next = self.word.val().get_bits::<32>(96);
                self.old_logs_q.d.next = self.word.val().get_bits::<32>(128);
            }
            Act::LoadMachine => {
                self.account_q.d.next = self.word.val().get_bits::<11>(144);
                self.words_q.d.next = self.word.val().get_bits::<32>(160);
                self.base_q.d.next = self.word.val().get_bits::<32>(192);
                self.floor_q.d.next = self.word.val().get_bits::<11>(224);
                self.static_q.d.next = self.word.val().get_bit(240);
                self.creating_q.d.next = self.word.val().get_bit(248);
            }
            Act::LoadInput => {
                self.code_address_q.d.next = self.word.val().get_bits::<64>(0);
                self.code_tag_q.d.next = self.word.val().get_bits::<64>(64);
                self.code_bytes_q.d.next = self.word.val().get_bits::<32>(128);
                self.calldata_bytes_q.d.next = self.word.val().get_bits::<32>(160);
                self.calldata_at_q.d.next = self.word.val().get_bits::<32>(192);
            }
            _ => {}
        }
    }
}
