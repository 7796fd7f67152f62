//! The lane's datapath: the blocks, and what connects them under the control word.
//!
//! It is long because a block's logic is one function to rust-hdl, and this one is the lane's wiring. What can be
//! said of a part alone is a block in a file of its own.

use gatewei_abi::layout::segment;
use gatewei_abi::message::code::flag as code_flag;
use gatewei_abi::opcode;
use gatewei_abi::status::Status;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

use super::check::Check;
use super::code::CodeStore;
use super::cost::Cost;
use super::data::DataStore;
use super::decode::{self, Ahead, Decoded};
use super::frame::{Back, Frame, Input, Machine};
use super::gas::GasMeter;
use super::microcode::word::*;
use super::microcode::{self};
use super::mover::Mover;
use super::reader::Reader;
use super::route::Route;
use super::sequencer::Sequencer;
use super::slot_entry::SlotEntry;
use super::slots::Slots;
use super::stack::Stack;
use super::stores::Stores;
use super::words::{FirstBytes, Reverse};
use crate::arith::{Alu, Arith, Expand, Shift};
use crate::prim::{LookupRom, Ram};

/// First beat of a result's header (`gatewei_abi::result::Header`).
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Header0 {
    gas_left: Bits<64>,
    refund: Bits<64>,
    cycles: Bits<64>,
    wait_cycles: Bits<64>,
}

/// Second beat of a result's header.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Header1 {
    retired: Bits<32>,
    memory_words: Bits<32>,
    logs: Bits<32>,
    logs_end: Bits<32>,
    slots: Bits<32>,
    slots_offset: Bits<32>,
    output_bytes: Bits<32>,
    output_offset: Bits<32>,
}

/// Third beat of a result's header.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Header2 {
    requests: Bits<32>,
    page_cycles: Bits<32>,
    reserved: Bits<192>,
}

macro_rules! lane {
    ($(
        $(#[$m:meta])* $v:vis $name:ident: $ty:ty $(= $init:expr)?;
    )*) => {
        /// One EVM lane with one context.
        #[derive(LogicBlock)]
        pub struct Lane { $( $(#[$m])* $v $name: $ty, )* }

        impl Default for Lane {
            fn default() -> Self {
                Self::of(Stores::MOST)
            }
        }

        impl Lane {
            /// A lane with memories of these sizes.
            pub fn of(stores: Stores) -> Self {
                let build = Build { program: microcode::program(), stores };
                Self { $( $name: lane!(@init build $ty $(= $init)?), )* }
            }
        }
    };
    (@init $build:ident $ty:ty) => { <$ty>::default() };
    (@init $build:ident $ty:ty = $init:expr) => { $init(&$build) };
}

/// What parts of a lane are made from.
struct Build {
    program: microcode::Program,
    stores: Stores,
}

lane! {
    /// Clock.
    pub clock: Signal<In, Clock>;
    /// Reset.
    pub reset: Signal<In, Bit>;

    /// A command waits.
    pub cmd_valid: Signal<In, Bit>;
    /// It is taken.
    pub cmd_ready: Signal<Out, Bit>;
    /// Command id.
    pub cmd_id: Signal<In, Bits<32>>;
    /// Bus address of the message.
    pub cmd_address: Signal<In, Bits<64>>;
    /// Bus address of the result buffer.
    pub cmd_result: Signal<In, Bits<64>>;
    /// Bytes of the result buffer.
    pub cmd_capacity: Signal<In, Bits<32>>;
    /// Abandon the message with this id, if it runs (a pulse).
    pub cancel_valid: Signal<In, Bit>;
    /// Id of the message to abandon.
    pub cancel_id: Signal<In, Bits<32>>;

    /// The host answers.
    pub reply_valid: Signal<In, Bit>;
    /// It cannot.
    pub reply_failed: Signal<In, Bit>;
    /// Tag of the request answered.
    pub reply_tag: Signal<In, Bits<32>>;
    /// The answer.
    pub reply_value: Signal<In, Bits<256>>;
    /// The answer was awaited and is taken in this cycle.
    pub reply_taken: Signal<Out, Bit>;

    /// A completion is offered.
    pub cpl_valid: Signal<Out, Bit>;
    /// It is taken.
    pub cpl_ready: Signal<In, Bit>;
    /// Kind (`gatewei_abi::command::kind`).
    pub cpl_kind: Signal<Out, Bits<8>>;
    /// Code.
    pub cpl_code: Signal<Out, Bits<8>>;
    /// Tag.
    pub cpl_tag: Signal<Out, Bits<32>>;
    /// Key.
    pub cpl_key: Signal<Out, Bits<256>>;
    /// Account that a request is about.
    pub cpl_account: Signal<Out, Bits<16>>;
    /// Command id.
    pub cpl_id: Signal<Out, Bits<32>>;

    /// A read burst is asked for.
    pub rd_valid: Signal<Out, Bit>;
    /// The request is taken.
    pub rd_ready: Signal<In, Bit>;
    /// Bus address.
    pub rd_addr: Signal<Out, Bits<64>>;
    /// Beats, 1 to 128.
    pub rd_beats: Signal<Out, Bits<8>>;
    /// A beat stands.
    pub rdat_valid: Signal<In, Bit>;
    /// It is taken.
    pub rdat_ready: Signal<Out, Bit>;
    /// The beat.
    pub rdat_data: Signal<In, Bits<256>>;
    /// The read failed; the beat is meaningless.
    pub rdat_error: Signal<In, Bit>;

    /// A beat is written.
    pub wr_valid: Signal<Out, Bit>;
    /// It is taken.
    pub wr_ready: Signal<In, Bit>;
    /// Bus address.
    pub wr_addr: Signal<Out, Bits<64>>;
    /// The beat.
    pub wr_data: Signal<Out, Bits<256>>;
    /// No write is outstanding.
    pub wr_idle: Signal<In, Bit>;
    /// A write failed since `wr_clear`.
    pub wr_error: Signal<In, Bit>;
    /// Forgets failed writes.
    pub wr_clear: Signal<Out, Bit>;

    /// A chunk for Keccak.
    pub kec_valid: Signal<Out, Bit>;
    /// It is taken.
    pub kec_ready: Signal<In, Bit>;
    /// The chunk, first byte most significant.
    pub kec_data: Signal<Out, Bits<256>>;
    /// Bytes of the chunk.
    pub kec_bytes: Signal<Out, Bits<6>>;
    /// It is the message's last.
    pub kec_last: Signal<Out, Bit>;
    /// The digest stands (a pulse).
    pub kec_done: Signal<In, Bit>;
    /// The digest, as an EVM word.
    pub kec_digest: Signal<In, Bits<256>>;

    /// An opcode retires: its state before.
    pub retire: Signal<Out, Bit>;
    /// Program counter.
    pub retire_pc: Signal<Out, Bits<32>>;
    /// Opcode.
    pub retire_op: Signal<Out, Bits<8>>;
    /// Gas left.
    pub retire_gas: Signal<Out, Bits<64>>;
    /// Words on the stack.
    pub retire_depth: Signal<Out, Bits<11>>;
    /// Top of the stack; anything when it is empty.
    pub retire_top: Signal<Out, Bits<256>>;
    /// EVM memory in words.
    pub retire_memory: Signal<Out, Bits<32>>;
    /// Depth of its frame: 0 for the first.
    pub retire_frame: Signal<Out, Bits<11>>;
    /// It is a PUSH, and the jump behind it retires in the same cycle.
    pub retire_folds: Signal<Out, Bit>;
    /// That jump's opcode.
    pub retire_jump: Signal<Out, Bits<8>>;
    /// Where it goes.
    pub retire_destination: Signal<Out, Bits<16>>;

    /// A message runs.
    pub busy: Signal<Out, Bit>;
    /// Its id.
    pub running_id: Signal<Out, Bits<32>>;
    /// It awaits the host.
    pub waiting: Signal<Out, Bit>;
    /// It awaits a page of code or data.
    pub paging: Signal<Out, Bit>;
    /// It awaits a Keccak engine.
    pub stall_keccak: Signal<Out, Bit>;
    /// It awaits a DMA transfer.
    pub stall_dma: Signal<Out, Bit>;
    /// It awaits the arithmetic unit.
    pub stall_arith: Signal<Out, Bit>;

    seq: Sequencer = |build: &Build| Sequencer::new(&build.program);
    decoder: LookupRom<8, Decoded> = |build: &Build| LookupRom::new(decode::table(&build.program));
    code: CodeStore = |build: &Build| CodeStore::of(build.stores.code_bits);
    data: DataStore = |build: &Build| DataStore::of(build.stores.data_bits);
    env: Ram<6, 256>;
    stack: Stack;
    slots: Slots = |build: &Build| Slots::of(build.stores.slot_bits);
    slot_entry: SlotEntry;
    mover: Mover;
    reader: Reader;
    checks: Check;
    route: Route;
    frames: Frame;
    meter: GasMeter;
    cost: Cost;
    alu: Alu;
    shift: Shift;
    arith: Arith;
    expand: Expand;
    out_reverse: Reverse;
    operand_mask: FirstBytes;
    inside_mask: FirstBytes;

    // The message.
    running: DFF<Bit>;
    id: DFF<Bits<32>>;
    message: DFF<Bits<64>>;
    result: DFF<Bits<64>>;
    capacity: DFF<Bits<32>>;
    control: DFF<Bits<256>>;
    grant: DFF<Bits<256>>;
    opcodes: DFF<Bits<256>>;
    schedule: DFF<Bits<256>>;
    accounts_left: DFF<Bits<16>>;
    state_left: DFF<Bits<16>>;
    state_short: DFF<Bit>;
    cancelled: DFF<Bit>;
    dma_failed: DFF<Bit>;
    reply_bad: DFF<Bit>;
    status: DFF<Bits<8>>;
    trap_code: DFF<Bits<8>>;
    sequence: DFF<Bits<24>>;

    // The frame.
    pc: DFF<Bits<16>>;
    op: DFF<Bits<8>>;
    ir: DFF<Decoded>;
    jumped: DFF<Bit>;
    chained: DFF<Bit>;
    jump_wild: DFF<Bit>;
    returned: DFF<Bits<32>>;
    transfers: DFF<Bit>;
    t: DFF<Bits<256>>;
    u: DFF<Bits<256>>;
    digest: DFF<Bits<256>>;
    digest_there: DFF<Bit>;
    expand_there: DFF<Bit>;
    p: DFF<Bits<32>>;
    q: DFF<Bits<32>>;
    n: DFF<Bits<32>>;
    counter: DFF<Bits<12>>;
    moving: DFF<Move>;

    // The result.
    out: DFF<Bits<32>>;
    logs: DFF<Bits<32>>;
    logs_end: DFF<Bits<32>>;
    output_bytes: DFF<Bits<32>>;
    output_offset: DFF<Bits<32>>;
    slots_offset: DFF<Bits<32>>;
    cycles: DFF<Bits<64>>;
    wait_cycles: DFF<Bits<64>>;
    page_cycles: DFF<Bits<32>>;
    retired: DFF<Bits<32>>;
    requests: DFF<Bits<32>>;

    // The control word, field by field.
    word: Signal<Local, Word>;
    cond: Signal<Local, Cond>;
    kind: Signal<Local, Seq>;
    source: Signal<Local, Source>;
    latch: Signal<Local, Latch>;
    unit: Signal<Local, Unit>;
    gas_op: Signal<Local, GasOp>;
    slot_cmd: Signal<Local, SlotCmd>;
    mode: Signal<Local, SlotMode>;
    pointers: Signal<Local, Pointers>;
    move_start: Signal<Local, Move>;
    store: Signal<Local, Store>;
    space: Signal<Local, Space>;
    at_word: Signal<Local, Bits<25>>;
    frames_act: Signal<Local, Act>;
    post: Signal<Local, Post>;
    count: Signal<Local, Count>;
    act: Signal<Local, Act>;
    stack_op: Signal<Local, StackOp>;
    leaves_late: Signal<Local, Bit>;
    landing: Signal<Local, Bit>;
    misses: Signal<Local, Bit>;
    folds: Signal<Local, Bit>;
    folds_jump: Signal<Local, Bit>;
    folds_jumpi: Signal<Local, Bit>;
    target: Signal<Local, Bits<16>>;
    alu_mode: Signal<Local, AluMode>;
    operands: Signal<Local, AluMode>;
    ahead: Signal<Local, Ahead>;
    decoded: Signal<Local, Decoded>;
    instr: Signal<Local, Decoded>;
    fire: Signal<Local, Bit>;
    go: Signal<Local, Bit>;
    holds: Signal<Local, Bit>;
    held: DFF<Bit>;
    early: Signal<Local, Bit>;
    charge: DFF<Bits<64>>;
    second_any: DFF<Bit>;
    env_q: DFF<Bits<6>>;
    check: Signal<Local, Bit>;
    fetching: Signal<Local, Bit>;
    dispatching: Signal<Local, Bit>;
    chains: Signal<Local, Bit>;
    retry: Signal<Local, Bit>;
    fetch_base: Signal<Local, Bits<16>>;
    following: Signal<Local, Bits<16>>;
    window: Signal<Local, Bits<256>>;
    word_bytes: Constant<Bits<6>> = |_| Constant::new(32u64.into());
    halts: Signal<Local, Bit>;
    traps: Signal<Local, Bit>;

    // Operands and intermediate results.
    top: Signal<Local, Bits<256>>;
    second: Signal<Local, Bits<256>>;
    third: Signal<Local, Bits<256>>;
    depth: Signal<Local, Bits<11>>;
    chosen: Signal<Local, Source>;
    chosen_word: Signal<Local, Bits<256>>;
    bus: Signal<Local, Bits<256>>;
    // Of an operand: it is not zero, 2^32 or more, 2^64 or more.
    top_some: Signal<Local, Bit>;
    top_wide: Signal<Local, Bit>;
    top_far: Signal<Local, Bit>;
    second_some: Signal<Local, Bit>;
    second_wide: Signal<Local, Bit>;
    second_far: Signal<Local, Bit>;
    third_wide: Signal<Local, Bit>;
    third_far: Signal<Local, Bit>;
    length: Signal<Local, Bits<64>>;
    length_far: Signal<Local, Bit>;
    copies: Signal<Local, Bit>;
    opcode: Signal<Local, Bits<8>>;
    operand16: Signal<Local, Bits<16>>;
    next_pc: Signal<Local, Bits<16>>;
    operand_at: Signal<Local, Bits<16>>;
    jump_taken: Signal<Local, Bit>;
    wild: Signal<Local, Bit>;
    destination: Signal<Local, Bit>;
    immediate: Signal<Local, Bits<256>>;
    memory_bytes: Signal<Local, Bits<37>>;
    word_end: Signal<Local, Bits<24>>;
    all_words: Signal<Local, Bits<32>>;
    bounded: Signal<Local, Bit>;
    within: Signal<Local, Bit>;
    inside_at: Signal<Local, Bits<32>>;
    inside_left: Signal<Local, Bits<32>>;
    data_inside: Signal<Local, Bits<256>>;
    small_offset: Signal<Local, Bit>;
    word_inside: Signal<Local, Bit>;
    byte_inside: Signal<Local, Bit>;
    calldata_inside: Signal<Local, Bit>;
    calldata_ahead: Signal<Local, Bits<32>>;
    calldata_fits: Signal<Local, Bit>;
    segment: Signal<Local, Bit>;
    data_raddr: Signal<Local, Bits<25>>;
    data_waddr: Signal<Local, Bits<25>>;
    read_base: Signal<Local, Bits<25>>;
    write_base: Signal<Local, Bits<25>>;
    memory_base: Signal<Local, Bits<25>>;
    calldata_base: Signal<Local, Bits<25>>;
    reads_data: Signal<Local, Bit>;
    to_data: Signal<Local, Bit>;
    source_inside: Signal<Local, Bit>;
    code_behind: Signal<Local, Bit>;
    slot_beats: Signal<Local, Bits<32>>;
    leaving: Signal<Local, Bit>;
    calldata_segment: Constant<Bits<25>> = |_| at_segment(segment::CALLDATA);
    return_segment: Constant<Bits<25>> = |_| at_segment(segment::RETURN_DATA);
    code_bytes: Signal<Local, Bits<32>>;
    calldata_bytes: Signal<Local, Bits<32>>;
    calldata_rounded: Signal<Local, Bits<32>>;
    first_calldata: Signal<Local, Bits<32>>;
    accounts: Signal<Local, Bits<32>>;
    state_beats: Signal<Local, Bits<32>>;
    precompiles: Signal<Local, Bits<32>>;
    blobs: Signal<Local, Bits<32>>;
    message_beats: Signal<Local, Bits<32>>;
    flags: Signal<Local, Bits<32>>;
    takes_state: Signal<Local, Bit>;
    own_words: Signal<Local, Bits<32>>;
    is_call: Signal<Local, Bit>;
    is_call_code: Signal<Local, Bit>;
    is_delegate: Signal<Local, Bit>;
    is_static_call: Signal<Local, Bit>;
    is_create: Signal<Local, Bit>;
    is_salted: Signal<Local, Bit>;
    salted_now: Signal<Local, Bits<256>>;
    success: Signal<Local, Bit>;
    halted: Signal<Local, Bit>;
    precompiled: Signal<Local, Bit>;
    inner: Signal<Local, Bit>;
    return_end: Signal<Local, Bits<33>>;
    account_next: Signal<Local, Bits<16>>;
    answer_beats: Signal<Local, Bits<32>>;
    machine_word: Signal<Local, Machine>;
    input_word: Signal<Local, Input>;
    back_word: Signal<Local, Back>;
    chunk: Signal<Local, Bits<256>>;
    from_beats: Signal<Local, Bit>;
    to_memory: Signal<Local, Bit>;
    to_calldata: Signal<Local, Bit>;
    to_return: Signal<Local, Bit>;
    to_env: Signal<Local, Bit>;
    to_out: Signal<Local, Bit>;
    to_keccak: Signal<Local, Bit>;
    reads_memory: Signal<Local, Bit>;
    reads_calldata: Signal<Local, Bit>;
    reads_return: Signal<Local, Bit>;
    reads_code: Signal<Local, Bit>;
    move_bytes: Signal<Local, Bits<6>>;
    takes: Signal<Local, Bit>;
    env_at: Signal<Local, Bits<6>>;
    blob_at: Signal<Local, Bits<6>>;
    blob_inside: Signal<Local, Bit>;
    expand_done: Signal<Local, Bit>;
    expand_grows: Signal<Local, Bit>;
    growth: Signal<Local, Bits<32>>;
    slot_flags: Signal<Local, Bits<4>>;
    slot_space: Signal<Local, Bits<13>>;
    slot_hit: Signal<Local, Bit>;
    awaiting: Signal<Local, Bit>;
    tag: Signal<Local, Bits<32>>;
    next_sequence: Signal<Local, Bits<24>>;
    answered: Signal<Local, Bit>;
    emitting: Signal<Local, Bit>;
    room_end: Signal<Local, Bits<33>>;
    slot_record_bytes: Signal<Local, Bits<32>>;
    header0: Signal<Local, Header0>;
    header1: Signal<Local, Header1>;
    header2: Signal<Local, Header2>;
    gas_after: Signal<Local, Bits<64>>;
    static_gas: Signal<Local, Bits<64>>;
    charges: Signal<Local, Bit>;
    topics_need: Signal<Local, Bits<11>>;
    above: Signal<Local, Bits<5>>;

    // Codes that cross a wire.
    returned_status: Constant<Bits<8>> = |_| code(Status::Return as u8);
    reverted: Constant<Bits<8>> = |_| code(Status::Revert as u8);
    kind_done: Constant<Bits<8>> = |_| code(gatewei_abi::command::kind::DONE);
    kind_request: Constant<Bits<8>> = |_| code(gatewei_abi::command::kind::REQUEST);
    kind_trap: Constant<Bits<8>> = |_| code(gatewei_abi::command::kind::TRAP);
    ask_storage: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::STORAGE);
    ask_field: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::FIELD);
    ask_precompile: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::PRECOMPILE);
    ask_create: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::CREATE);
    ask_deploy: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::DEPLOY);
    ask_code_hash: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::CODE_HASH);
    ask_account: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::ACCOUNT);
    stopped: Constant<Bits<8>> = |_| code(Status::Stop as u8);
    ask_block_hash: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::BLOCK_HASH);
    ask_code: Constant<Bits<8>> = |_| code(gatewei_abi::command::request::CODE);
    op_sub: Constant<Bits<8>> = |_| code(opcode::byte("SUB"));
    op_lt: Constant<Bits<8>> = |_| code(opcode::byte("LT"));
    op_or: Constant<Bits<8>> = |_| code(opcode::byte("OR"));
    op_add: Constant<Bits<8>> = |_| code(opcode::byte("ADD"));
    op_jump: Constant<Bits<8>> = |_| code(opcode::byte("JUMP"));
    jump_gas: Constant<Bits<4>> = |_| Constant::new(u64::from(gas_of("JUMP")).into());
    jumpi_gas: Constant<Bits<4>> = |_| Constant::new(u64::from(gas_of("JUMPI")).into());
    op_jumpi: Constant<Bits<8>> = |_| code(opcode::byte("JUMPI"));
    at_jumpdest: Constant<Decoded> = |build: &Build| Constant::new(decode::table(&build.program)[usize::from(opcode::byte("JUMPDEST"))]);
    op_jumpdest: Constant<Bits<8>> = |_| code(opcode::byte("JUMPDEST"));
    op_call: Constant<Bits<8>> = |_| code(opcode::byte("CALL"));
    op_call_code: Constant<Bits<8>> = |_| code(opcode::byte("CALLCODE"));
    op_delegate: Constant<Bits<8>> = |_| code(opcode::byte("DELEGATECALL"));
    op_static: Constant<Bits<8>> = |_| code(opcode::byte("STATICCALL"));
    op_create: Constant<Bits<8>> = |_| code(opcode::byte("CREATE"));
    op_remainder: Constant<Bits<8>> = |_| code(opcode::byte("SMOD"));
    op_salted: Constant<Bits<8>> = |_| code(opcode::byte("CREATE2"));
    destroyed: Constant<Bits<8>> = |_| code(Status::SelfDestruct as u8);
    version: Constant<Bits<32>> = |_| number(gatewei_abi::ABI_VERSION as u64);
    header_words: Constant<Bits<32>> = |_| number(gatewei_abi::message::header::WORDS as u64);
    most_accounts: Constant<Bits<32>> = |_| number(gatewei_abi::layout::SLOTS as u64);
    most_state: Constant<Bits<32>> = |_| number(3 * gatewei_abi::layout::SLOTS as u64);
    deepest: Constant<Bits<11>> = |_| Constant::new((gatewei_abi::layout::CALL_DEPTH as u64).into());
    stack_most: Constant<Bits<11>> = |_| Constant::new((gatewei_abi::layout::STACK_WORDS as u64 - 2).into());
    most_init: Constant<Bits<64>> = |_| Constant::new((gatewei_abi::layout::INIT_CODE_BYTES as u64).into());
    most_deployed: Constant<Bits<64>> = |_| Constant::new((gatewei_abi::layout::DEPLOYED_BYTES as u64).into());
    p256: Constant<Bits<32>> = |_| number(0x100);
    newborn: Constant<Bits<256>> = |_| flag_at(192, code_flag::ALIVE | code_flag::CREATED);
    destroyed_bit: Constant<Bits<256>> = |_| flag_at(192, code_flag::DESTROYED);
    salted_bit: Constant<Bits<256>> = |_| flag_at(128, 1);
    ripemd: Constant<Bits<32>> = |_| number(3);
    address_mask: Constant<Bits<256>> = |_| Constant::new((Bits::<256>::from(1) << 160) - Bits::<256>::from(1));
    most_blobs: Constant<Bits<32>> = |_| number((gatewei_abi::layout::ENV_WORDS - gatewei_abi::message::header::WORDS) as u64);
    most_code: Constant<Bits<32>> = |_| number(gatewei_abi::layout::CODE_BYTES as u64);
    most_ahead: Constant<Bits<32>> = |_| number(gatewei_abi::layout::CALLDATA_AHEAD as u64);
    most_calldata: Constant<Bits<32>> = |_| number(gatewei_abi::layout::CALLDATA_BYTES as u64);
    most_words: Constant<Bits<32>> = |_| number(gatewei_abi::layout::MEMORY_BYTES as u64 / 32);
    result_start: Constant<Bits<32>> = |_| number(gatewei_abi::result::HEADER_BYTES as u64);
}

fn code(value: u8) -> Constant<Bits<8>> {
    Constant::new(u64::from(value).into())
}

/// Static gas of an opcode.
fn gas_of(name: &str) -> u16 {
    let op = opcode::TABLE.iter().find(|op| op.name == name);
    op.map_or_else(|| panic!("there is no opcode {name}"), |op| op.gas)
}

fn flag_at(bit: u64, flags: u32) -> Constant<Bits<256>> {
    Constant::new(Bits::<256>::from(u64::from(flags)) << bit)
}

fn at_segment(segment: usize) -> Constant<Bits<25>> {
    Constant::new(((segment << gatewei_abi::layout::SEGMENT_BITS) as u64).into())
}

fn number(value: u64) -> Constant<Bits<32>> {
    Constant::new(value.into())
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            running,
            id,
            message,
            result,
            capacity,
            control,
            grant,
            opcodes,
            schedule,
            accounts_left,
            state_left,
            state_short,
            cancelled,
            dma_failed,
            reply_bad,
            status,
            trap_code,
            sequence,
            pc,
            op,
            ir,
            jumped,
            chained,
            jump_wild,
            returned,
            transfers,
            t,
            u,
            digest,
            digest_there,
            expand_there,
            p,
            q,
            n,
            counter,
            moving,
            out,
            logs,
            logs_end,
            output_bytes,
            output_offset,
            slots_offset,
            cycles,
            wait_cycles,
            page_cycles,
            retired,
            requests,
            held,
            charge,
            second_any,
            env_q
        );
        clock!(
            self, clock, seq, code, data, env, stack, slots, slot_entry, frames, mover, reader,
            meter, shift, arith, expand
        );
        self.seq.reset.next = self.reset.val();
        self.slots.reset.next = self.reset.val();
        self.mover.reset.next = self.reset.val();
        self.reader.reset.next = self.reset.val();
        self.data.reset.next = self.reset.val();
        self.code.reset.next = self.reset.val();
        self.arith.reset.next = self.reset.val();

        // The control word.
        self.word.next = self.seq.word.val();
        self.kind.next = self.word.val().seq;
        self.cond.next = self.word.val().cond;
        self.source.next = self.word.val().source;
        self.latch.next = self.word.val().latch;
        self.unit.next = self.word.val().unit;
        self.gas_op.next = self.word.val().gas;
        self.slot_cmd.next = self.word.val().slot;
        self.pointers.next = self.word.val().pointers;
        self.move_start.next = self.word.val().mover;
        self.store.next = self.word.val().store;
        self.space.next = self.word.val().space;
        self.post.next = self.word.val().post;
        self.count.next = self.word.val().count;
        self.act.next = self.word.val().act;
        self.stack_op.next = self.word.val().stack;
        self.alu_mode.next = self.word.val().alu;
        // An opcode that was dispatched before all of its bytes were known to be here.
        self.retry.next =
            (self.word.val().check & self.chained.q.val()) & !self.code.readable.val();
        self.seq.retry.next = self.retry.val();
        self.early.next = self.seq.early.val();
        self.check.next = self.word.val().check & !(self.retry.val() | self.early.val());
        self.fire.next = self.seq.fire.val();
        self.fetching.next = self.kind.val() == Seq::Dispatch;

        // The message's fields.
        self.first_calldata.next = self.control.q.val().get_bits::<32>(32);
        self.accounts.next = self.control.q.val().get_bits::<32>(64);
        self.state_beats.next = self.control.q.val().get_bits::<32>(96);
        self.precompiles.next = self.control.q.val().get_bits::<32>(128);
        self.blobs.next = self.control.q.val().get_bits::<32>(160);
        self.flags.next = self.control.q.val().get_bits::<32>(192);
        self.calldata_rounded.next = (self.first_calldata.val() + 31) & 0xffff_ffe0_u64;
        self.slot_beats.next = self.blobs.val() + self.state_beats.val();
        self.calldata_fits.next = self.first_calldata.val() <= self.most_ahead.val();
        self.calldata_ahead.next = self.most_ahead.val();
        if self.calldata_fits.val() {
            self.calldata_ahead.next = self.calldata_rounded.val();
        }
        self.message_beats.next = self.slot_beats.val() + (self.calldata_ahead.val() >> 5);

        self.own_words.next = self.frames.words.val();
        self.code_bytes.next = self.frames.code_bytes.val();
        self.calldata_bytes.next = self.frames.calldata_bytes.val();

        // Which call it is.
        self.is_call.next = self.op.q.val() == self.op_call.val();
        self.is_call_code.next = self.op.q.val() == self.op_call_code.val();
        self.is_delegate.next = self.op.q.val() == self.op_delegate.val();
        self.is_static_call.next = self.op.q.val() == self.op_static.val();
        self.is_salted.next = self.op.q.val() == self.op_salted.val();
        self.is_create.next = (self.op.q.val() == self.op_create.val()) | self.is_salted.val();

        // Operands.
        self.top.next = self.stack.top.val();
        self.second.next = self.stack.second.val();
        self.third.next = self.stack.third.val();
        self.depth.next = self.stack.depth.val();
        self.instr.next = self.ir.q.val();
        self.copies.next =
            ((self.instr.val().pops == 3) | (self.instr.val().pops == 4)) & !self.is_create.val();
        self.top_far.next = self.top.val().get_bits::<192>(64).any();
        self.top_wide.next = self.top_far.val() | self.top.val().get_bits::<32>(32).any();
        self.top_some.next = self.top_wide.val() | self.top.val().get_bits::<32>(0).any();
        self.second_far.next = self.second.val().get_bits::<192>(64).any();
        self.second_wide.next = self.second_far.val() | self.second.val().get_bits::<32>(32).any();
        self.second_some.next = self.second_wide.val() | self.second.val().get_bits::<32>(0).any();
        self.third_far.next = self.third.val().get_bits::<192>(64).any();
        self.third_wide.next = self.third_far.val() | self.third.val().get_bits::<32>(32).any();
        self.length.next = self.second.val().get_bits::<64>(0);
        self.length_far.next = self.second_far.val();
        if self.copies.val() {
            self.length.next = self.third.val().get_bits::<64>(0);
            self.length_far.next = self.third_far.val();
        }

        // Fetch: the code memory's word begins with the opcode in a fetching cycle. In the cycles after it, it
        // ends with the operand and the opcode behind that, which is dispatched with this one's end if it can be.
        // A JUMPDEST that was jumped to retires in the fetching cycle, which dispatches the opcode behind it.
        self.destination.next = self.code.jumpdest.val();
        self.landing.next = ((self.fetching.val() & self.code.readable.val())
            & (self.jumped.q.val() & self.destination.val()))
            & ((!self.jump_wild.q.val() & self.meter.gas.val().any())
                & !(self.cancelled.q.val() | self.dma_failed.q.val()));
        self.opcode.next = self.code.rdata.val().get_bits::<8>(0);
        if self.fetching.val() {
            self.opcode.next = self.code.rdata.val().get_bits::<8>(248);
            if self.jumped.q.val() {
                self.opcode.next = self.code.rdata.val().get_bits::<8>(240);
            }
        }
        self.decoder.addr.next = self.opcode.val();
        self.decoded.next = self.decoder.data.val();
        // A JUMPDEST that is not passed in the fetching cycle has its own, in which it halts or traps.
        self.misses.next = (self.fetching.val() & self.jumped.q.val()) & !self.landing.val();
        self.seq.entry.next = self.decoded.val().entry;
        if self.misses.val() {
            self.seq.entry.next = self.at_jumpdest.val().entry;
        }
        self.operand16.next = bit_cast::<16, 6>(self.instr.val().operand);
        self.following.next = (self.pc.q.val() + 1) + self.operand16.val();
        // A PUSH1 or PUSH2 and the jump behind it go together where that is taken and there is gas for both: nothing
        // is pushed. Everything else, whatever may fail, goes one by one.
        self.target.next = bit_cast::<16, 8>(self.code.rdata.val().get_bits::<8>(8));
        if self.instr.val().operand.get_bit(1) {
            self.target.next = self.code.rdata.val().get_bits::<16>(8);
        }
        self.folds_jump.next = self.code.rdata.val().get_bits::<8>(0) == self.op_jump.val();
        self.folds_jumpi.next = (self.code.rdata.val().get_bits::<8>(0) == self.op_jumpi.val())
            & (self.depth.val().any() & self.top_some.val());
        self.folds.next = ((self.check.val() & self.code.readable.val())
            & ((self.instr.val().operand == 1) | (self.instr.val().operand == 2)))
            & ((self.folds_jump.val() | self.folds_jumpi.val())
                & self.meter.gas.val().get_bits::<59>(5).any());
        // The next opcode's third operand stands a cycle late where this one leaves the stack's second word to come.
        self.jump_taken.next = self.word.val().jump
            & ((self.op.q.val() != self.op_jumpi.val()) | self.second_any.q.val());
        self.second_any.d.next = self.second_some.val();
        self.leaves_late.next = (self.stack_op.val() == StackOp::Pop2)
            | (self.stack.late.val()
                & ((self.stack_op.val() == StackOp::Pop)
                    | (self.stack_op.val() == StackOp::Binary)));
        self.chains.next = (((self.word.val().chain & self.code.readable.val())
            & !self.instr.val().operand.get_bit(5))
            & !(self.cancelled.q.val() | self.dma_failed.q.val()))
            & !(self.jump_taken.val() | (self.leaves_late.val() & self.decoded.val().deep));
        if self.folds.val() {
            self.chains.next = false;
        }
        self.seq.chain.next = self.chains.val();
        self.dispatching.next = (self.fetching.val() & self.code.readable.val())
            | (self.chains.val() & self.fire.val());
        self.fetch_base.next = self.following.val();
        if self.fetching.val() {
            self.fetch_base.next = self.pc.q.val();
            if self.jumped.q.val() {
                self.fetch_base.next = self.pc.q.val() + 1;
            }
        }
        self.operand_at.next =
            (self.fetch_base.val() + bit_cast::<16, 6>(self.decoded.val().operand)) - 30;
        if self.decoded.val().operand.get_bit(5) {
            self.operand_at.next = self.fetch_base.val() + 1;
        }
        self.wild.next = (self.top_wide.val() | self.top.val().get_bits::<16>(16).any())
            | (bit_cast::<32, 16>(self.top.val().get_bits::<16>(0)) >= self.code_bytes.val());
        self.next_pc.next = self.following.val();
        if self.jump_taken.val() {
            self.next_pc.next = self.top.val().get_bits::<16>(0);
        }
        if self.folds.val() {
            self.next_pc.next = self.target.val();
        }
        if (self.act.val() == Act::Start) | (self.act.val() == Act::Begin) {
            self.next_pc.next = 0.into();
        }
        if self.act.val() == Act::Resume {
            self.next_pc.next = self.pc.q.val();
        }
        self.code.raddr.next = (self.pc.q.val() + self.operand16.val()) - 30;
        if self.fetching.val() | self.retry.val() {
            self.code.raddr.next = self.pc.q.val();
        }
        self.operand_mask.count.next = self.word_bytes.val() - self.instr.val().operand;
        self.window.next = self.code.rdata.val() >> 8;
        if self.instr.val().operand.get_bit(5) {
            self.window.next = self.code.rdata.val();
        }
        self.immediate.next = self.window.val() & !self.operand_mask.mask.val();
        if self.dispatching.val() {
            self.code.raddr.next = self.operand_at.val();
            self.jumped.d.next = false;
        }

        // The stack reads ahead while the opcode is fetched.
        self.ahead.next = self.decoded.val().ahead;
        self.above.next = self.decoded.val().n;
        self.stack.ahead.next = 2.into();
        if self.dispatching.val() {
            match self.ahead.val() {
                Ahead::Third => {}
                Ahead::Dup => {
                    self.stack.ahead.next = self.above.val() - 1;
                }
                Ahead::Swap => {
                    self.stack.ahead.next = self.above.val();
                }
            }
        }
        self.stack.distance.next = self.instr.val().n;

        // The checks.
        self.static_gas.next = bit_cast::<64, 16>(self.instr.val().gas);
        self.charges.next = (self.gas_op.val() == GasOp::Expand)
            | (self.gas_op.val() == GasOp::CopyWords)
            | (self.gas_op.val() == GasOp::HashWords)
            | (self.gas_op.val() == GasOp::Log)
            | (self.gas_op.val() == GasOp::Exp)
            | ((self.gas_op.val() == GasOp::Charge) | (self.gas_op.val() == GasOp::Forward))
            | ((self.gas_op.val() == GasOp::InitWords) | (self.gas_op.val() == GasOp::Deposit));
        self.checks.entry.next = self.check.val();
        self.checks.instr.next = self.instr.val();
        self.checks.enabled.next = self.opcodes.q.val().get_bit(self.op.q.val().index());
        self.checks.is_static.next = self.frames.is_static.val();
        self.checks.full.next = self.stack.all.val().get_bit(10);
        self.checks.depth.next = self.depth.val();
        self.checks.charges.next = self.charges.val() & self.fire.val();
        self.checks.sized.next = self.word.val().sized;
        self.checks.length_big.next = self.length_far.val();
        self.checks.expands.next = self.gas_op.val() == GasOp::Expand;
        // Told apart from the charge itself, which is chosen later in the cycle.
        self.checks.lacks.next = self.meter.gas.val() < self.static_gas.val();
        self.checks.lacks_charge.next = self.meter.gas.val() < self.charge.q.val();
        // A page on its way must arrive before the message may go.
        self.checks.fetch.next = self.fetching.val() & !self.code.busy.val();
        self.checks.cancelled.next = self.cancelled.q.val();
        self.checks.dma_failed.next = self.dma_failed.q.val();
        self.checks.astray.next = self.jumped.q.val()
            & (self.jump_wild.q.val() | (self.dispatching.val() & !self.destination.val()));
        self.halts.next = self.checks.halts.val();
        self.traps.next = self.checks.traps.val();
        self.seq.halt.next = self.halts.val();
        self.seq.trap.next = self.traps.val();
        self.go.next = self.fire.val() & !self.checks.stops.val();
        if self.halts.val() {
            self.status.d.next = self.checks.status.val();
        }
        if self.traps.val() {
            self.trap_code.d.next = self.checks.reason.val();
        }

        // The frame, and what a call makes of it.
        self.frames_act.next = Act::None;
        if self.go.val() {
            self.frames_act.next = self.act.val();
        }
        self.frames.act.next = self.frames_act.val();
        self.frames.as_callee.next =
            self.is_call.val() | (self.is_static_call.val() | self.is_create.val());
        self.frames.to_create.next = self.is_create.val();
        self.frames.to_static.next = self.is_static_call.val();
        self.frames.control.next = self.control.q.val();
        self.frames.first_code.next = self.grant.q.val().get_bits::<64>(64);
        self.frames.first_tag.next = self.grant.q.val().get_bits::<64>(128);
        self.frames.word.next = self.u.q.val();
        self.frames.found.next = self.slots.here.val();
        self.frames.top.next = self.top.val().get_bits::<32>(0);
        self.frames.second.next = self.second.val().get_bits::<32>(0);
        self.frames.new_words.next = self.expand.new_words.val();
        self.frames.gas.next = self.meter.gas.val();
        self.frames.refunds.next = self.meter.refunds.val();
        self.frames.pc_behind.next = self.pc.q.val() + 1;
        self.frames.floor.next = self.stack.floor.val();
        self.frames.out.next = self.out.q.val();
        self.frames.logs.next = self.logs.q.val();
        self.stack.outer.next = self.frames.saved_floor.val();
        self.inner.next = self.frames.level.val().any();
        self.answer_beats.next = (self.u.q.val().get_bits::<32>(64) + 31) >> 5;
        self.success.next = (self.status.q.val() == self.stopped.val())
            | ((self.status.q.val() == self.returned_status.val())
                | (self.status.q.val() == self.destroyed.val()));
        self.halted.next = self.status.q.val().get_bits::<4>(4).any();
        self.precompiled.next = !self.t.q.val().get_bits::<224>(32).any()
            & ((self.t.q.val().get_bits::<32>(0).any()
                & (self.t.q.val().get_bits::<32>(0) <= self.precompiles.val()))
                | (self.flags.val().get_bit(1)
                    & (self.t.q.val().get_bits::<32>(0) == self.p256.val())));
        self.return_end.next = bit_cast::<33, 32>(self.second.val().get_bits::<32>(0))
            + bit_cast::<33, 32>(self.third.val().get_bits::<32>(0));

        // Gas.
        self.cost.op.next = self.gas_op.val();
        self.cost.price.next = self.word.val().price;
        self.cost.schedule.next = self.schedule.q.val();
        self.cost.length.next = self.length.val();
        self.cost.exponent.next = self.second.val();
        self.cost.topics.next = self.instr.val().n;
        self.cost.expansion.next = self.expand.cost.val();
        self.cost.granted.next = self.meter.granted.val();
        self.meter.limit.next = self.grant.q.val().get_bits::<64>(0);
        self.meter.act.next = self.frames_act.val();
        self.meter.request.next = self.top.val();
        self.meter.saved_gas.next = self.frames.saved_gas.val();
        self.meter.saved_refund.next = self.frames.saved_refund.val();
        self.meter.success.next = self.success.val();
        self.meter.halted.next = self.halted.val();
        self.charge.d.next = self.cost.cost.val();
        self.meter.cost.next = self.charge.q.val();
        self.meter.charge.next = self.go.val() & self.charges.val();
        if self.check.val() {
            self.meter.cost.next = self.static_gas.val();
            self.meter.charge.next = self.checks.passed.val();
        }
        if self.landing.val() {
            self.meter.charge.next = false;
        }
        self.meter.one.next = self.landing.val();
        self.meter.also.next = 0.into();
        if self.folds.val() {
            self.meter.also.next = self.jump_gas.val();
            if self.folds_jumpi.val() {
                self.meter.also.next = self.jumpi_gas.val();
            }
        }
        self.meter.amount.next = self.cost.field.val();
        self.meter.refund.next = self.go.val() & (self.gas_op.val() == GasOp::Refund);
        self.meter.unrefund.next = self.go.val() & (self.gas_op.val() == GasOp::Unrefund);
        self.gas_after.next = self.meter.after.val();

        // Units. DUP1, DUP2 and what a call has made come to the bus through the ALU, as all operands do.
        self.chosen.next = self.source.val();
        self.operands.next = self.alu_mode.val();
        match self.source.val() {
            Source::Dup => {
                self.chosen.next = Source::Third;
                self.operands.next = AluMode::Second;
                if self.instr.val().n == 1 {
                    self.chosen.next = Source::Alu;
                    self.operands.next = AluMode::Top;
                }
                if self.instr.val().n == 2 {
                    self.chosen.next = Source::Alu;
                }
            }
            Source::Calldata => {
                self.chosen.next = Source::Memory;
            }
            Source::UDestroyed => {
                self.chosen.next = Source::U;
            }
            Source::Outcome => {
                self.operands.next = AluMode::T;
                self.chosen.next = Source::Success;
                if self.success.val() & self.frames.created.val() {
                    self.chosen.next = Source::Alu;
                }
            }
            _ => {}
        }
        self.alu.op.next = self.op_or.val();
        self.alu.a.next = self.top.val();
        self.alu.b.next = self.second.val();
        match self.operands.val() {
            AluMode::Opcode => {
                self.alu.op.next = self.op.q.val();
            }
            AluMode::Top => {
                self.alu.b.next = 0.into();
            }
            AluMode::Address => {
                self.alu.a.next = self.top.val() & self.address_mask.val();
                self.alu.b.next = 0.into();
            }
            AluMode::Second => {
                self.alu.a.next = 0.into();
            }
            AluMode::T => {
                self.alu.a.next = 0.into();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::Present => {
                self.alu.a.next = self.slots.present.val();
                self.alu.b.next = 0.into();
            }
            AluMode::TopSubT => {
                self.alu.op.next = self.op_sub.val();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::TopAddSecond => {
                self.alu.op.next = self.op_add.val();
            }
            AluMode::MinusT => {
                self.alu.op.next = self.op_sub.val();
                self.alu.a.next = 0.into();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::TopLtT => {
                self.alu.op.next = self.op_lt.val();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::TopLtSecond => {
                self.alu.op.next = self.op_lt.val();
            }
            AluMode::PresentSubT => {
                self.alu.op.next = self.op_sub.val();
                self.alu.a.next = self.slots.present.val();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::PresentAddT => {
                self.alu.op.next = self.op_add.val();
                self.alu.a.next = self.slots.present.val();
                self.alu.b.next = self.t.q.val();
            }
            AluMode::PresentLtT => {
                self.alu.op.next = self.op_lt.val();
                self.alu.a.next = self.slots.present.val();
                self.alu.b.next = self.t.q.val();
            }
        }
        self.shift.op.next = self.op.q.val();
        self.shift.a.next = self.top.val();
        self.shift.b.next = self.second.val();
        self.shift.start.next = self.go.val() & (self.unit.val() == Unit::Shift);
        self.arith.op.next = self.op.q.val();
        self.arith.a.next = self.top.val();
        self.arith.b.next = self.second.val();
        self.arith.carry.next =
            (self.alu_mode.val() == AluMode::TopLtT) & self.alu.y.val().get_bit(0);
        self.arith.start.next = self.go.val() & (self.unit.val() == Unit::Arith);
        self.expand.start.next = false;
        self.expand.offset.next = self.top.val().get_bits::<64>(0);
        self.expand.offset_far.next = self.top_far.val();
        self.expand.length.next = self.length.val();
        self.expand.length_far.next = self.length_far.val();
        self.expand.words.next = self.own_words.val();
        match self.unit.val() {
            Unit::None => {}
            Unit::Arith => {}
            Unit::Shift => {}
            Unit::ExpandWord => {
                self.expand.start.next = self.go.val();
                self.expand.length.next = 32.into();
                self.expand.length_far.next = false;
            }
            Unit::ExpandByte => {
                self.expand.start.next = self.go.val();
                self.expand.length.next = 1.into();
                self.expand.length_far.next = false;
            }
            Unit::ExpandRange => {
                self.expand.start.next = self.go.val();
            }
            Unit::ExpandCopy => {
                self.expand.start.next = self.go.val();
            }
            Unit::ExpandSource => {
                self.expand.start.next = self.go.val();
                self.expand.offset.next = self.second.val().get_bits::<64>(0);
                self.expand.offset_far.next = self.second_far.val();
            }
        }
        self.expand_done.next = self.expand.done.val() | self.expand_there.q.val();
        if self.expand.done.val() {
            self.expand_there.d.next = true;
        }
        if self.expand.start.val() {
            self.expand_there.d.next = false;
        }
        self.expand_grows.next = self.expand.new_words.val() > self.own_words.val();
        self.growth.next = self.expand.new_words.val() - self.own_words.val();

        // Memory.
        self.all_words.next = self.own_words.val() + (self.frames.base.val() >> 5);
        self.memory_bytes.next = bit_cast::<37, 32>(self.own_words.val()) << 5;
        self.small_offset.next = !(self.top_wide.val() | self.top.val().get_bits::<9>(23).any());
        self.word_end.next = bit_cast::<24, 23>(self.top.val().get_bits::<23>(0)) + 32;
        self.word_inside.next = self.small_offset.val()
            & (bit_cast::<37, 24>(self.word_end.val()) <= self.memory_bytes.val());
        self.byte_inside.next = self.small_offset.val()
            & (bit_cast::<37, 23>(self.top.val().get_bits::<23>(0)) < self.memory_bytes.val());
        self.calldata_inside.next =
            !self.top_wide.val() & (self.top.val().get_bits::<32>(0) < self.calldata_bytes.val());
        self.blob_at.next =
            self.top.val().get_bits::<6>(0) + self.header_words.val().get_bits::<6>(0);
        self.blob_inside.next =
            !self.top_wide.val() & (self.top.val().get_bits::<32>(0) < self.blobs.val());
        self.env_at.next = self.instr.val().env;
        if self.dispatching.val() {
            self.env_at.next = self.decoded.val().env;
        }
        if self.word.val().blob {
            self.env_at.next = self.blob_at.val();
        }
        if self.word.val().env_read {
            self.env_at.next = self.word.val().code.get_bits::<6>(0);
        }
        // What a late word uses was read before its first cycle.
        if self.early.val() {
            self.env_at.next = self.env_q.q.val();
        }
        self.env_q.d.next = self.env_at.val();
        self.env.raddr.next = self.env_at.val();

        // The slot table.
        self.slot_flags.next = self.slots.flags.val();
        self.slot_hit.next = self.slots.hit.val();
        self.slots.cmd.next = SlotCmd::None;
        if self.go.val() {
            self.slots.cmd.next = self.slot_cmd.val();
        }
        self.slot_space.next = self.slots.entry_space.val();
        self.mode.next = self.word.val().slot_mode;
        self.slot_entry.select.next = self.word.val().slot_key;
        self.slot_entry.keeps.next = self.go.val();
        self.slot_entry.mode.next = self.mode.val();
        self.slot_entry.hit.next = self.slots.hit.val();
        self.slot_entry.account.next = self.frames.account.val();
        self.slot_entry.peer.next = self.frames.peer.val();
        self.slot_entry.flags.next = self.slots.flags.val();
        self.slot_entry.top.next = self.top.val();
        self.slot_entry.second.next = self.second.val();
        self.slot_entry.t.next = self.t.q.val();
        self.slot_entry.u.next = self.u.q.val();
        self.slot_entry.beat.next = self.rdat_data.val();
        self.slots.key.next = self.slot_entry.key.val();
        self.slots.space.next = self.slot_entry.space.val();
        self.slots.value.next = self.slot_entry.value.val();
        self.slots.set_original.next = self.slot_entry.set_original.val();
        self.slots.set_present.next = self.slot_entry.set_present.val();
        self.slots.flags_in.next = self.slot_entry.new_flags.val();
        self.slots.at.next = self.counter.q.val();

        // The mover's ends.
        self.route.kind.next = self.moving.q.val();
        self.from_beats.next = self.route.from_beats.val();
        self.reads_memory.next = self.route.from_memory.val();
        self.reads_calldata.next = self.route.from_calldata.val();
        self.reads_return.next = self.route.from_return.val();
        self.reads_code.next = self.route.from_code.val();
        self.to_memory.next = self.route.to_memory.val();
        self.to_calldata.next = self.route.to_calldata.val();
        self.to_return.next = self.route.to_return.val();
        self.to_env.next = self.route.to_env.val();
        self.to_out.next = self.route.to_out.val();
        self.to_keccak.next = self.route.to_keccak.val();
        self.mover.start.next = self.go.val() & (self.move_start.val() != Move::None);
        if self.mover.start.val() {
            self.moving.d.next = self.move_start.val();
        }
        self.mover.back.next = self.move_start.val() == Move::MemoryMemoryBack;
        self.mover.empty.next = self.move_start.val() == Move::MemoryKeccak;
        self.mover.from.next = self.p.q.val();
        self.mover.to.next = self.q.q.val();
        self.mover.length.next = self.n.q.val();
        if self.move_start.val() == Move::ZeroMemory {
            self.mover.to.next = self.own_words.val() << 5;
            self.mover.length.next = self.growth.val() << 5;
        }
        // Behind the end of calldata and code there are zeros, which need not be read.
        self.reads_data.next =
            self.reads_memory.val() | (self.reads_calldata.val() | self.reads_return.val());
        self.to_data.next = self.to_memory.val() | (self.to_calldata.val() | self.to_return.val());
        self.code_behind.next = self.mover.at.val() >= self.code_bytes.val();
        self.source_inside.next =
            !self.reads_calldata.val() | (self.mover.at.val() < self.calldata_bytes.val());
        self.mover.streams.next = self.from_beats.val() & !self.to_data.val();
        self.mover.src_valid.next = (!self.from_beats.val() | self.rdat_valid.val())
            & (((!self.reads_data.val() | !self.source_inside.val()) | self.data.readable.val())
                & (!self.reads_code.val() | (self.code_behind.val() | self.code.readable.val())));
        self.mover.dst_ready.next = ((!self.to_out.val() | self.wr_ready.val())
            & (!self.to_keccak.val() | self.kec_ready.val()))
            & (!self.to_data.val() | self.data.writable.val());
        // What is read of the data space, as far as it counts: a chunk's bytes, and calldata up to its end, behind which
        // there is the memory of other frames.
        self.inside_at.next = self.top.val().get_bits::<32>(0);
        self.bounded.next = self.source.val() == Source::Calldata;
        self.within.next = self.calldata_inside.val();
        self.inside_mask.count.next = 32.into();
        if self.mover.busy.val() {
            self.inside_at.next = self.mover.at.val();
            self.bounded.next = self.reads_calldata.val();
            self.within.next = self.source_inside.val();
            self.inside_mask.count.next = self.mover.bytes.val();
        }
        self.inside_left.next = self.calldata_bytes.val() - self.inside_at.val();
        if self.bounded.val() {
            self.inside_mask.count.next = 32.into();
            if self.inside_left.val() < 32 {
                self.inside_mask.count.next = self.inside_left.val().get_bits::<6>(0);
            }
            if !self.within.val() {
                self.inside_mask.count.next = 0.into();
            }
        }
        // A page that leaves goes whole.
        if self.data.out_valid.val() {
            self.inside_mask.count.next = 32.into();
        }
        self.data_inside.next = self.data.rdata.val() & self.inside_mask.mask.val();
        self.chunk.next = 0.into();
        if self.reads_data.val() {
            self.chunk.next = self.data_inside.val();
        }
        if self.reads_code.val() & !self.code_behind.val() {
            self.chunk.next = self.code.rdata.val();
        }
        self.move_bytes.next = self.mover.bytes.val();
        if self.from_beats.val() {
            self.move_bytes.next = 32.into();
        }
        // The accounts of a message end where it says, whatever their heads say.
        self.takes_state.next =
            self.word.val().take & (self.state_left.q.val().any() | self.word.val().drain);
        if self.word.val().take & (self.go.val() & !self.word.val().drain) {
            if self.state_left.q.val().any() {
                self.state_left.d.next = self.state_left.q.val() - 1;
            } else {
                self.state_short.d.next = true;
            }
        }
        self.takes.next = ((self.from_beats.val() & self.mover.wanted.val())
            | self.takes_state.val())
            | (self.data.in_ready.val() | self.code.in_ready.val());
        self.rdat_ready.next = self.takes.val();
        self.reader.took.next = self.takes.val() & self.rdat_valid.val();
        if (self.takes.val() & self.rdat_valid.val()) & self.rdat_error.val() {
            self.dma_failed.d.next = true;
        }

        // The result's header.
        self.header0.next.gas_left = self.meter.gas.val();
        self.header0.next.refund = self.meter.refunds.val();
        self.header0.next.cycles = self.cycles.q.val();
        self.header0.next.wait_cycles = self.wait_cycles.q.val();
        self.header1.next.retired = self.retired.q.val();
        self.header1.next.memory_words = self.own_words.val();
        self.header1.next.logs = self.logs.q.val();
        self.header1.next.logs_end = self.logs_end.q.val();
        self.header1.next.slots = bit_cast::<32, 12>(self.slots.count.val());
        self.header1.next.slots_offset = self.slots_offset.q.val();
        self.header1.next.output_bytes = self.output_bytes.q.val();
        self.header1.next.output_offset = self.output_offset.q.val();
        self.header2.next.requests = self.requests.q.val();
        self.header2.next.page_cycles = self.page_cycles.q.val();
        self.header2.next.reserved = 0.into();

        self.salted_now.next = 0.into();
        if self.is_salted.val() {
            self.salted_now.next = self.salted_bit.val();
        }

        // The result bus.
        self.machine_word.next = self.frames.machine_word.val();
        self.input_word.next = self.frames.input_word.val();
        self.back_word.next = self.frames.back_word.val();
        self.chosen_word.next = 0.into();
        match self.chosen.val() {
            Source::Zero => {}
            Source::Alu => {
                self.chosen_word.next = self.alu.y.val();
            }
            Source::Shift => {
                self.chosen_word.next = self.shift.y.val();
            }
            Source::Arith => {
                self.chosen_word.next = self.arith.y.val();
            }
            Source::Immediate => {
                self.chosen_word.next = self.immediate.val();
            }
            Source::Third => {
                self.chosen_word.next = self.third.val();
            }
            Source::Env => {
                self.chosen_word.next = self.env.rdata.val();
            }
            Source::Memory => {
                self.chosen_word.next = self.data_inside.val();
            }
            Source::U => {
                self.chosen_word.next = self.u.q.val();
            }
            Source::Gas => {
                self.chosen_word.next = bit_cast::<256, 64>(self.gas_after.val());
            }
            Source::Pc => {
                self.chosen_word.next = bit_cast::<256, 16>(self.pc.q.val());
            }
            Source::MemorySize => {
                self.chosen_word.next = bit_cast::<256, 37>(self.memory_bytes.val());
            }
            Source::CodeSize => {
                self.chosen_word.next = bit_cast::<256, 32>(self.code_bytes.val());
            }
            Source::CalldataSize => {
                self.chosen_word.next = bit_cast::<256, 32>(self.calldata_bytes.val());
            }
            Source::Beat => {
                self.chosen_word.next = self.rdat_data.val();
            }
            Source::Reply => {
                self.chosen_word.next = self.reply_value.val();
            }
            Source::Digest => {
                self.chosen_word.next = self.digest.q.val();
            }
            Source::SlotKey => {
                self.chosen_word.next = self.slots.entry_key.val();
            }
            Source::SlotHead => {
                self.chosen_word.next = (bit_cast::<256, 4>(self.slot_flags.val())
                    | (bit_cast::<256, 2>(self.slot_space.val().get_bits::<2>(11)) << 4))
                    | (bit_cast::<256, 11>(self.slot_space.val().get_bits::<11>(0)) << 32);
            }
            Source::LogHead => {
                self.chosen_word.next = bit_cast::<256, 32>(self.n.q.val())
                    | (bit_cast::<256, 5>(self.instr.val().n) << 32);
            }
            Source::Header0 => {
                self.chosen_word.next = self.header0.val().into();
            }
            Source::Header1 => {
                self.chosen_word.next = self.header1.val().into();
            }
            Source::Header2 => {
                self.chosen_word.next = self.header2.val().into();
            }
            Source::CodeTag => {
                self.chosen_word.next = bit_cast::<256, 64>(self.frames.code_tag.val());
            }
            Source::UAddress => {
                self.chosen_word.next = self.u.q.val() & self.address_mask.val();
            }
            Source::SlotCodeBytes => {
                self.chosen_word.next =
                    bit_cast::<256, 32>(self.slots.present.val().get_bits::<32>(160));
            }
            Source::ReturnBytes => {
                self.chosen_word.next = bit_cast::<256, 32>(self.returned.q.val());
            }
            Source::Success => {
                if self.success.val() {
                    self.chosen_word.next = 1.into();
                }
            }
            Source::One => {
                self.chosen_word.next = 1.into();
            }
            Source::Newborn => {
                self.chosen_word.next = self.newborn.val();
            }
            Source::CreateCall => {
                self.chosen_word.next = (bit_cast::<256, 64>(self.t.q.val().get_bits::<64>(0))
                    | (bit_cast::<256, 32>(self.n.q.val()) << 64))
                    | ((bit_cast::<256, 32>(self.frames.old_out.val()) << 96)
                        | self.salted_now.val());
            }
            Source::FrameMachine => {
                self.chosen_word.next = self.machine_word.val().into();
            }
            Source::FrameInput => {
                self.chosen_word.next = self.input_word.val().into();
            }
            Source::FrameBack => {
                self.chosen_word.next = self.back_word.val().into();
            }
            Source::PrecompileCall => {
                self.chosen_word.next = (bit_cast::<256, 64>(self.meter.granted.val())
                    | (bit_cast::<256, 32>(self.frames.arguments_bytes.val()) << 64))
                    | ((bit_cast::<256, 32>(self.frames.old_out.val()) << 96)
                        | (bit_cast::<256, 32>(self.t.q.val().get_bits::<32>(0)) << 128));
            }
            Source::JournalHead => {
                self.chosen_word.next = bit_cast::<256, 4>(self.slot_flags.val())
                    | (bit_cast::<256, 11>(self.slots.here.val()) << 16);
            }
            _ => {}
        }
        self.bus.next = self.chosen_word.val();
        if self.source.val() == Source::UDestroyed {
            self.bus.next = self.chosen_word.val() | self.destroyed_bit.val();
        }

        // The data memory: EVM memory and calldata, as far as their pages are on the chip.
        self.segment.next = self.instr.val().calldata;
        if self.dispatching.val() {
            self.segment.next = self.decoded.val().calldata;
        }
        self.memory_base.next = bit_cast::<25, 32>(self.frames.base.val());
        self.calldata_base.next = bit_cast::<25, 32>(self.frames.calldata_at.val());
        self.read_base.next = self.memory_base.val();
        self.data_raddr.next = bit_cast::<25, 23>(self.top.val().get_bits::<23>(0));
        if self.reads_data.val() & self.mover.busy.val() {
            self.data_raddr.next = bit_cast::<25, 23>(self.mover.read_addr.val().get_bits::<23>(0));
            self.segment.next = self.reads_calldata.val();
            if self.reads_return.val() {
                self.read_base.next = self.return_segment.val();
            }
        }
        if self.segment.val() {
            self.read_base.next = self.calldata_base.val();
        }
        // A word of the frame's record, or of the journal.
        self.at_word.next = bit_cast::<25, 8>(self.word.val().code) << 5;
        match self.space.val() {
            Space::Operand => {}
            Space::Record => {
                self.data_raddr.next = self.at_word.val();
                self.read_base.next = self.frames.record.val();
            }
            Space::Journal => {
                self.data_raddr.next = self.at_word.val();
                self.read_base.next = self.frames.journal.val();
            }
        }
        self.data.raddr.next = self.read_base.val() + self.data_raddr.val();
        self.write_base.next = self.memory_base.val();
        self.data_waddr.next = bit_cast::<25, 23>(self.top.val().get_bits::<23>(0));
        self.data.we.next = self.to_data.val() & self.mover.valid.val();
        self.data.wdata.next = self.chunk.val();
        self.data.wcount.next = self.move_bytes.val();
        self.data.takes_beat.next = self.from_beats.val() & self.mover.busy.val();
        if self.to_data.val() & self.mover.busy.val() {
            self.data_waddr.next = bit_cast::<25, 23>(self.mover.to_addr.val().get_bits::<23>(0));
            if self.to_calldata.val() {
                self.write_base.next = self.calldata_segment.val();
            }
            if self.to_return.val() {
                self.write_base.next = self.return_segment.val();
            }
        }
        match self.store.val() {
            Store::None => {}
            Store::Operand => {
                self.data.we.next = self.go.val();
                self.data.wdata.next = self.bus.val();
                self.data.wcount.next = 32.into();
            }
            Store::Byte => {
                // The others are not written.
                self.data.we.next = self.go.val();
                self.data.wdata.next = bit_cast::<256, 248>(self.bus.val().get_bits::<248>(0))
                    | (bit_cast::<256, 8>(self.bus.val().get_bits::<8>(0)) << 248);
                self.data.wcount.next = 1.into();
            }
            Store::Word => {
                self.data.we.next = self.go.val();
                self.data.wdata.next = self.bus.val();
                self.data.wcount.next = 32.into();
                self.data_waddr.next = self.at_word.val();
                self.write_base.next = self.frames.record.val();
                if self.space.val() == Space::Journal {
                    self.write_base.next = self.frames.journal.val();
                }
            }
        }
        self.data.waddr.next = self.write_base.val() + self.data_waddr.val();
        // A word that only waits may call for a page; the first word of an opcode may yet halt.
        self.data.want_read.next = (self.mover.due.val() & self.reads_data.val())
            & (self.source_inside.val() & !self.data.readable.val());
        // One page at a time: the destination's when the chunk stands.
        self.data.want_write.next = self.mover.valid.val() & self.to_data.val();
        if !self.word.val().check {
            if (self.cond.val() == Cond::Readable)
                | ((self.cond.val() == Cond::CalldataRead) & self.calldata_inside.val())
            {
                self.data.want_read.next = true;
            }
            if self.cond.val() == Cond::Writable {
                self.data.want_write.next = true;
            }
        }
        self.data.clear.next = self.go.val() & (self.act.val() == Act::Accept);
        self.data.loading.next = self.to_calldata.val() & self.mover.busy.val();
        self.data.memory_words.next = self.all_words.val();
        self.data.calldata_beats.next = self.calldata_rounded.val() >> 5;
        self.data.spill.next = self.grant.q.val().get_bits::<64>(192);
        self.data.calldata.next = self.message.q.val()
            + (bit_cast::<64, 32>(self.slot_beats.val() + self.header_words.val()) << 5);
        self.data.out_ready.next = self.wr_ready.val();
        self.data.out_idle.next = self.wr_idle.val();
        self.data.in_valid.next = self.rdat_valid.val();
        self.data.beat.next = self.rdat_data.val();
        if self.reads_code.val() & self.mover.busy.val() {
            self.code.raddr.next = self.mover.read_addr.val().get_bits::<16>(0);
        }
        self.code.open.next = self.go.val() & (self.act.val() == Act::CodeOpen);
        self.code.tag.next = self.frames.code_tag.val();
        self.code.address.next = self.frames.code_address.val();
        self.code.want.next = ((self.fetching.val() & !self.code.readable.val())
            & !(self.jumped.q.val() & self.jump_wild.q.val()))
            & !(self.cancelled.q.val() | self.dma_failed.q.val());
        if (self.mover.due.val() & self.reads_code.val())
            & (!self.code_behind.val() & !self.code.readable.val())
        {
            self.code.want.next = true;
        }
        self.code.in_valid.next = self.rdat_valid.val();
        self.code.in_error.next = self.rdat_error.val();
        self.code.beat.next = self.rdat_data.val();
        self.env.we.next = self.to_env.val() & self.mover.valid.val();
        self.env.waddr.next = self.mover.to_addr.val().get_bits::<6>(5);
        self.env.wdata.next = self.bus.val();
        if self.word.val().env_write {
            self.env.we.next = self.go.val();
            self.env.waddr.next = self.word.val().code.get_bits::<6>(0);
        }
        // The first words of the header also steer the lane.
        if self.to_env.val() & self.mover.valid.val() {
            match self.mover.to_addr.val().get_bits::<6>(5).index() {
                0 => {
                    self.control.d.next = self.rdat_data.val();
                }
                1 => {
                    self.grant.d.next = self.rdat_data.val();
                }
                2 => {
                    self.opcodes.d.next = self.rdat_data.val();
                }
                3 => {
                    self.schedule.d.next = self.rdat_data.val();
                }
                _ => {}
            }
        }
        self.kec_valid.next = self.to_keccak.val() & self.mover.valid.val();
        self.kec_data.next = self.data_inside.val();
        self.kec_bytes.next = self.mover.bytes.val();
        self.kec_last.next = self.mover.last.val();
        if self.kec_done.val() {
            self.digest.d.next = self.kec_digest.val();
            self.digest_there.d.next = true;
        }
        if self.mover.start.val() {
            self.digest_there.d.next = false;
        }

        // The result buffer.
        self.emitting.next = self.word.val().emit;
        self.leaving.next = self.data.out_valid.val();
        self.out_reverse.a.next = self.data_inside.val();
        self.wr_valid.next = self.emitting.val() | (self.to_out.val() & self.mover.valid.val());
        self.wr_addr.next = self.result.q.val() + bit_cast::<64, 32>(self.out.q.val());
        self.wr_data.next = self.out_reverse.y.val();
        if self.emitting.val() & !self.leaving.val() {
            self.wr_data.next = self.bus.val();
        }
        if self.leaving.val() {
            self.wr_valid.next = true;
            self.wr_addr.next = self.data.out_addr.val();
        }
        if (self.wr_valid.val() & self.wr_ready.val()) & !self.leaving.val() {
            self.out.d.next = self.out.q.val() + 32;
        }
        self.room_end.next =
            (bit_cast::<33, 32>(self.out.q.val()) + bit_cast::<33, 32>(self.n.q.val())) + 256;
        self.slot_record_bytes.next = (bit_cast::<32, 12>(self.slots.count.val()) << 6)
            + (bit_cast::<32, 12>(self.slots.count.val()) << 5);
        self.stack.result.next = self.bus.val();
        self.stack.plan.next = StackOp::None;
        if self.fire.val() {
            self.stack.plan.next = self.word.val().stack;
            if self.folds.val() {
                self.stack.plan.next = StackOp::None;
                if self.folds_jumpi.val() {
                    self.stack.plan.next = StackOp::Pop;
                }
            }
        }
        self.stack.stop.next = self.checks.stops.val();
        if self.go.val() & (self.latch.val() == Latch::T) {
            self.t.d.next = self.bus.val();
        }
        if self.go.val() & (self.latch.val() == Latch::U) {
            self.u.d.next = self.bus.val();
        }

        // The host's answers.
        self.awaiting.next = (self.kind.val() == Seq::Wait) & (self.cond.val() == Cond::Reply);
        self.tag.next = bit_cast::<32, 24>(self.sequence.q.val());
        self.answered.next = (self.awaiting.val() & self.reply_valid.val())
            & (self.reply_tag.val() == self.tag.val());
        self.reply_taken.next = self.answered.val();
        if self.answered.val() {
            self.reply_bad.d.next = self.reply_failed.val();
        }

        // The completion port.
        self.cpl_valid.next = true;
        self.cpl_kind.next = self.kind_request.val();
        self.cpl_code.next = 0.into();
        self.next_sequence.next = self.sequence.q.val() + 1;
        self.cpl_tag.next = bit_cast::<32, 24>(self.next_sequence.val());
        self.cpl_key.next = self.bus.val();
        self.cpl_id.next = self.id.q.val();
        self.cpl_account.next = 0.into();
        // An account that is warm has its entry already.
        self.account_next.next = bit_cast::<16, 12>(self.slots.count.val());
        if self.slot_hit.val() {
            self.account_next.next = bit_cast::<16, 11>(self.slots.here.val());
        }
        match self.post.val() {
            Post::None => {
                self.cpl_valid.next = false;
            }
            Post::Slot => {
                self.cpl_key.next = self.slot_entry.key.val();
                self.cpl_account.next =
                    bit_cast::<16, 11>(self.slot_entry.space.val().get_bits::<11>(0));
                self.cpl_code.next = self.ask_field.val();
                if self.slot_entry.is_storage.val() {
                    self.cpl_code.next = self.ask_storage.val();
                }
                if self.slot_entry.is_account.val() {
                    self.cpl_code.next = self.ask_account.val();
                    self.cpl_account.next = self.account_next.val();
                }
            }
            Post::BlockHash => {
                self.cpl_code.next = self.ask_block_hash.val();
            }
            Post::Code => {
                self.cpl_code.next = self.ask_code.val();
            }
            Post::Precompile => {
                self.cpl_code.next = self.ask_precompile.val();
            }
            Post::Create => {
                self.cpl_code.next = self.ask_create.val();
                self.cpl_account.next = bit_cast::<16, 11>(self.frames.account.val());
            }
            Post::Deploy => {
                self.cpl_code.next = self.ask_deploy.val();
                self.cpl_account.next = bit_cast::<16, 11>(self.frames.account.val());
            }
            Post::CodeHash => {
                self.cpl_code.next = self.ask_code_hash.val();
            }
            Post::Done => {
                self.cpl_kind.next = self.kind_done.val();
                self.cpl_code.next = self.status.q.val();
                self.cpl_tag.next = 0.into();
            }
            Post::Trap => {
                self.cpl_kind.next = self.kind_trap.val();
                self.cpl_code.next = self.trap_code.q.val();
                self.cpl_tag.next =
                    bit_cast::<32, 8>(self.op.q.val()) | (bit_cast::<32, 16>(self.pc.q.val()) << 8);
            }
        }
        // The tag of a request is the sequence number that it makes current.
        if (self.cpl_valid.val() & self.cpl_ready.val())
            & (self.cpl_kind.val() == self.kind_request.val())
        {
            self.sequence.d.next = self.next_sequence.val();
            self.requests.d.next = self.requests.q.val() + 1;
        }

        // Pointers and the counter.
        if self.go.val() {
            match self.pointers.val() {
                Pointers::None => {}
                Pointers::Copy => {
                    // An offset beyond the source reads zeros; keep it from wrapping.
                    self.p.d.next = self.second.val().get_bits::<32>(0);
                    if self.second_wide.val() | self.second.val().get_bit(31) {
                        self.p.d.next = 0x8000_0000_u64.into();
                    }
                    self.q.d.next = self.top.val().get_bits::<32>(0);
                    self.n.d.next = self.third.val().get_bits::<32>(0);
                }
                Pointers::Range => {
                    self.p.d.next = self.top.val().get_bits::<32>(0);
                    self.n.d.next = self.second.val().get_bits::<32>(0);
                }
                Pointers::Output => {
                    self.p.d.next = self.top.val().get_bits::<32>(0);
                    self.q.d.next = 0.into();
                    self.n.d.next = self.second.val().get_bits::<32>(0);
                }
                Pointers::Returned => {
                    self.p.d.next = 0.into();
                    self.q.d.next = self.frames.return_at.val();
                    self.n.d.next = self.frames.return_bytes.val();
                    if self.returned.q.val() < self.frames.return_bytes.val() {
                        self.n.d.next = self.returned.q.val();
                    }
                }
                Pointers::Arguments => {
                    self.p.d.next = self.frames.arguments_at.val();
                    self.n.d.next = self.frames.arguments_bytes.val();
                }
                Pointers::Answer => {
                    self.q.d.next = 0.into();
                    self.n.d.next = self.answer_beats.val() << 5;
                }
                Pointers::Header => {
                    self.q.d.next = 0.into();
                    self.n.d.next = self.header_words.val() << 5;
                }
                Pointers::Blobs => {
                    self.q.d.next = self.header_words.val() << 5;
                    self.n.d.next = self.blobs.val() << 5;
                }
                Pointers::Calldata => {
                    self.q.d.next = 0.into();
                    self.n.d.next = self.calldata_ahead.val();
                }
                Pointers::CalldataPad => {
                    self.q.d.next = self.calldata_rounded.val();
                    self.n.d.next = 0.into();
                    if self.calldata_fits.val() {
                        self.n.d.next = 32.into();
                    }
                }
                Pointers::SlotRecords => {
                    self.n.d.next = self.slot_record_bytes.val();
                }
            }
            match self.count.val() {
                Count::None => {}
                Count::Zero => {
                    self.counter.d.next = 0.into();
                }
                Count::Up => {
                    self.counter.d.next = self.counter.q.val() + 1;
                }
                Count::Down => {
                    self.counter.d.next = self.counter.q.val() - 1;
                }
                Count::Warm => {
                    self.counter.d.next = self.u.q.val().get_bits::<12>(160);
                }
                Count::Cold => {
                    self.counter.d.next = self.u.q.val().get_bits::<12>(176);
                }
                Count::Named => {
                    self.counter.d.next = self.u.q.val().get_bits::<12>(192);
                }
                Count::Journal => {
                    self.counter.d.next = self.t.q.val().get_bits::<12>(16);
                }
                Count::Topics => {
                    self.counter.d.next = bit_cast::<12, 5>(self.instr.val().n);
                }
            }
        }

        // The end of an opcode: on to the next.
        self.chained.d.next = self.go.val() & self.chains.val();
        if self.dispatching.val() & (self.fetching.val() | self.go.val()) {
            self.op.d.next = self.opcode.val();
            self.ir.d.next = self.decoded.val();
            if self.misses.val() {
                self.op.d.next = self.op_jumpdest.val();
                self.ir.d.next = self.at_jumpdest.val();
            }
        }
        if self.landing.val() {
            self.pc.d.next = self.pc.q.val() + 1;
        }
        // What is read for an opcode that halts is of no use, and of no harm.
        if (self.fire.val() & (self.kind.val() == Seq::Finish)) & !self.chains.val() {
            self.code.raddr.next = self.next_pc.val();
        }
        if self.go.val() & (self.kind.val() == Seq::Finish) {
            self.pc.d.next = self.next_pc.val();
            self.jumped.d.next = self.jump_taken.val() | self.folds.val();
            self.jump_wild.d.next = self.wild.val();
            if self.folds.val() {
                self.jump_wild.d.next =
                    bit_cast::<32, 16>(self.target.val()) >= self.code_bytes.val();
            }
        }

        // Other actions.
        self.cmd_ready.next = false;
        self.wr_clear.next = false;
        self.reader.seek.next = false;
        self.reader.start.next = false;
        self.reader.address.next = self.message.q.val();
        self.reader.beats.next = self.header_words.val().get_bits::<16>(0);
        self.reader.rd_ready.next = self.rd_ready.val();
        self.rd_valid.next = self.reader.rd_valid.val();
        self.rd_addr.next = self.reader.rd_addr.val();
        self.rd_beats.next = self.reader.rd_beats.val();
        self.paging.next = self.data.busy.val() | self.code.busy.val();
        self.cycles.d.next = self.cycles.q.val() + 1;
        if self.awaiting.val() {
            self.wait_cycles.d.next = self.wait_cycles.q.val() + 1;
        }
        if self.paging.val() {
            self.page_cycles.d.next = self.page_cycles.q.val() + 1;
        }
        if self.cancel_valid.val() & (self.cancel_id.val() == self.id.q.val()) {
            self.cancelled.d.next = self.running.q.val();
        }
        if self.go.val() {
            match self.act.val() {
                Act::Accept => {
                    self.cmd_ready.next = true;
                    self.wr_clear.next = true;
                    self.running.d.next = true;
                    self.id.d.next = self.cmd_id.val();
                    self.message.d.next = self.cmd_address.val();
                    self.result.d.next = self.cmd_result.val();
                    self.capacity.d.next = self.cmd_capacity.val();
                    self.cancelled.d.next =
                        self.cancel_valid.val() & (self.cancel_id.val() == self.cmd_id.val());
                    self.dma_failed.d.next = false;
                    self.state_short.d.next = false;
                    self.returned.d.next = 0.into();
                    self.out.d.next = self.result_start.val();
                    self.logs.d.next = 0.into();
                    self.logs_end.d.next = self.result_start.val();
                    self.output_bytes.d.next = 0.into();
                    self.output_offset.d.next = 0.into();
                    self.slots_offset.d.next = 0.into();
                    self.cycles.d.next = 0.into();
                    self.wait_cycles.d.next = 0.into();
                    self.page_cycles.d.next = 0.into();
                    self.retired.d.next = 0.into();
                    self.requests.d.next = 0.into();
                    self.pc.d.next = 0.into();
                    self.op.d.next = 0.into();
                }
                Act::ReadHeader => {
                    self.reader.seek.next = true;
                    self.reader.start.next = true;
                }
                Act::ReadRest => {
                    self.reader.start.next = true;
                    self.reader.beats.next = self.message_beats.val().get_bits::<16>(0);
                }
                Act::FirstAccount => {
                    self.accounts_left.d.next = self.accounts.val().get_bits::<16>(0);
                    self.state_left.d.next = self.state_beats.val().get_bits::<16>(0);
                }
                Act::AccountDone => {
                    self.accounts_left.d.next = self.accounts_left.q.val() - 1;
                }
                Act::Value => {
                    self.transfers.d.next = self.top_some.val();
                }
                Act::NoValue => {
                    self.transfers.d.next = false;
                }
                Act::NoReturn => {
                    self.returned.d.next = 0.into();
                }
                Act::ReadAnswer => {
                    self.reader.seek.next = true;
                    self.reader.start.next = true;
                    self.reader.address.next =
                        self.result.q.val() + bit_cast::<64, 32>(self.u.q.val().get_bits::<32>(96));
                    self.reader.beats.next = self.answer_beats.val().get_bits::<16>(0);
                    self.returned.d.next = self.u.q.val().get_bits::<32>(64);
                }
                Act::Returned => {
                    self.returned.d.next = self.n.q.val();
                }
                Act::LogsBack => {
                    self.out.d.next = self.frames.old_out.val();
                    self.logs.d.next = self.frames.old_logs.val();
                    self.logs_end.d.next = self.frames.old_out.val();
                }
                Act::LoadMachine => {
                    self.pc.d.next = self.frames.saved_pc.val();
                }
                Act::LogDone => {
                    self.logs.d.next = self.logs.q.val() + 1;
                    self.logs_end.d.next = self.out.q.val();
                }
                Act::MarkOutput => {
                    self.output_offset.d.next = self.out.q.val();
                    if (self.status.q.val() == self.returned_status.val())
                        | (self.status.q.val() == self.reverted.val())
                    {
                        self.output_bytes.d.next = self.n.q.val();
                    }
                }
                Act::MarkSlots => {
                    self.slots_offset.d.next = self.out.q.val();
                }
                Act::Rewind => {
                    self.out.d.next = 0.into();
                }
                Act::Status => {
                    self.status.d.next = self.word.val().code;
                }
                Act::TrapReason => {
                    self.trap_code.d.next = self.word.val().code;
                }
                Act::Release => {
                    self.running.d.next = false;
                }
                _ => {}
            }
        }

        // A page that comes.
        if self.data.seek.val() | self.code.seek.val() {
            self.reader.seek.next = true;
            self.reader.start.next = true;
            self.reader.address.next = self.data.in_addr.val();
            self.reader.beats.next = self.data.in_beats.val();
            if self.code.seek.val() {
                self.reader.address.next = self.code.in_addr.val();
                self.reader.beats.next = self.code.in_beats.val();
            }
        }

        self.topics_need.next = bit_cast::<11, 5>(self.instr.val().n) + 2;
        // Conditions. A wide one is worked out in its word's first cycle, and stands in `held` in the next.
        self.holds.next = self.held.q.val();
        match self.cond.val() {
            Cond::True => {
                self.holds.next = true;
            }
            Cond::Command => {
                self.holds.next = self.cmd_valid.val();
            }
            Cond::Beat => {
                self.holds.next = self.rdat_valid.val() | !self.state_left.q.val().any();
            }
            Cond::MoverIdle => {
                self.holds.next = !self.mover.busy.val();
            }
            Cond::SlotReady => {
                self.holds.next = self.slots.ready.val();
            }
            Cond::SlotHit => {
                self.holds.next = self.slot_hit.val();
            }
            Cond::Inner => {
                self.holds.next = self.inner.val();
            }
            Cond::UAlive => {
                self.holds.next = self.u.q.val().get_bit(192);
            }
            Cond::UDelegated => {
                self.holds.next = self.u.q.val().get_bit(193);
            }
            Cond::UBalance => {
                self.holds.next = self.u.q.val().get_bit(212);
            }
            Cond::Transfers => {
                self.holds.next = self.transfers.q.val();
            }
            Cond::BeatOrDry => {
                self.holds.next = self.rdat_valid.val() | self.reader.dry.val();
            }
            Cond::UCreated => {
                self.holds.next = self.u.q.val().get_bit(194);
            }
            Cond::UDestroyed => {
                self.holds.next = self.u.q.val().get_bit(195);
            }
            Cond::Creating => {
                self.holds.next = self.frames.creating.val();
            }
            Cond::JournalFull => {
                self.holds.next = self.frames.full.val();
            }
            Cond::UOk => {
                self.holds.next = self.u.q.val().get_bit(128);
            }
            Cond::Dry => {
                self.holds.next = self.reader.dry.val();
            }
            Cond::Reply => {
                self.holds.next = self.answered.val() | self.cancelled.q.val();
            }
            Cond::ReplyFailed => {
                self.holds.next = self.reply_bad.q.val();
            }
            Cond::Cancelled => {
                self.holds.next = self.cancelled.q.val();
            }
            Cond::CompletionReady => {
                self.holds.next = self.cpl_ready.val();
            }
            Cond::WriteReady => {
                self.holds.next = self.wr_ready.val();
            }
            Cond::WriteIdle => {
                self.holds.next = self.wr_idle.val();
            }
            Cond::Digest => {
                self.holds.next = self.digest_there.q.val();
            }
            Cond::ArithDone => {
                self.holds.next = self.arith.done.val();
            }
            Cond::TopNegative => {
                self.holds.next = self.top.val().get_bit(255);
            }
            Cond::ShiftDone => {
                self.holds.next = self.shift.done.val();
            }
            Cond::WordRead => {
                self.holds.next = self.held.q.val() & self.data.readable.val();
            }
            Cond::WordWritable => {
                self.holds.next = self.held.q.val() & self.data.writable.val();
            }
            Cond::ByteWritable => {
                self.holds.next = self.held.q.val() & self.data.writable.val();
            }
            Cond::Writable => {
                self.holds.next = self.data.writable.val();
            }
            Cond::Readable => {
                self.holds.next = self.data.readable.val();
            }
            Cond::CalldataRead => {
                // Zeros need no page; but none may be leaving, which goes through the same mask.
                self.holds.next =
                    (!self.held.q.val() & !self.data.out_valid.val()) | self.data.readable.val();
            }
            Cond::CountZero => {
                self.holds.next = !self.counter.q.val().any();
            }
            Cond::Fetched => {
                self.holds.next = self.code.readable.val();
            }
            Cond::CodeOpen => {
                self.holds.next = self.code.opened.val();
            }
            _ => {}
        }
        self.held.d.next = false;
        match self.cond.val() {
            Cond::ExpandSlow => {
                self.held.d.next =
                    !self.expand_done.val() | (!self.expand.ok.val() | self.expand_grows.val());
            }
            Cond::ExpandDone => {
                self.held.d.next = self.expand_done.val();
            }
            Cond::ExpandInvalid => {
                self.held.d.next = !self.expand.ok.val();
            }
            Cond::ExpandOdd => {
                self.held.d.next = !self.expand.ok.val()
                    | ((self.expand.new_words.val() > self.most_words.val())
                        | ((self.expand.new_words.val() + (self.frames.base.val() >> 5))
                            > self.most_words.val()));
            }
            Cond::SlotHot => {
                self.held.d.next = self.slots.match_now.val() & self.slot_entry.hot.val();
            }
            Cond::SlotUsed => {
                self.held.d.next = self.slot_hit.val() & self.slot_entry.hot.val();
            }
            Cond::SlotWarm => {
                self.held.d.next = self.slot_hit.val() & self.slot_entry.warm.val();
            }
            Cond::SlotWritten => {
                self.held.d.next = self.slot_hit.val() & self.slot_entry.written.val();
            }
            Cond::AccountWarm => {
                self.held.d.next =
                    (self.slot_hit.val() & self.slot_entry.warm.val()) | self.precompiled.val();
            }
            Cond::Precompile => {
                self.held.d.next = self.precompiled.val();
            }
            Cond::Ripemd => {
                self.held.d.next = !self.t.q.val().get_bits::<224>(32).any()
                    & (self.t.q.val().get_bits::<32>(0) == self.ripemd.val());
            }
            Cond::InnerCold => {
                self.held.d.next = self.inner.val() & !self.slot_entry.warm.val();
            }
            Cond::UCodeless => {
                self.held.d.next = !self.u.q.val().get_bits::<32>(160).any();
            }
            Cond::OpCall => {
                self.held.d.next = self.is_call.val();
            }
            Cond::OpCallCode => {
                self.held.d.next = self.is_call_code.val();
            }
            Cond::OpDelegate => {
                self.held.d.next = self.is_delegate.val();
            }
            Cond::OpAsCallee => {
                self.held.d.next =
                    self.is_call.val() | (self.is_static_call.val() | self.is_create.val());
            }
            Cond::StaticValue => {
                self.held.d.next =
                    (self.is_call.val() & self.frames.is_static.val()) & self.top_some.val();
            }
            Cond::TooDeep => {
                self.held.d.next = self.frames.level.val() == self.deepest.val();
            }
            Cond::StackHigh => {
                self.held.d.next = self.stack.all.val() > self.stack_most.val();
            }
            Cond::Success => {
                self.held.d.next = self.success.val();
            }
            Cond::JournalMark => {
                self.held.d.next = self.frames.at_mark.val();
            }
            Cond::PeerIsSelf => {
                self.held.d.next = self.frames.peer.val() == self.frames.account.val();
            }
            Cond::AccountsDone => {
                self.held.d.next = !self.accounts_left.q.val().any() | self.state_short.q.val();
            }
            Cond::StateOdd => {
                self.held.d.next = self.state_left.q.val().any() | self.state_short.q.val();
            }
            Cond::UBeginsEf => {
                self.held.d.next = self.u.q.val().get_bits::<8>(248) == 0xef;
            }
            Cond::OpRemainder => {
                self.held.d.next = self.op.q.val() == self.op_remainder.val();
            }
            Cond::OpSalted => {
                self.held.d.next = self.is_salted.val();
            }
            Cond::InitCodeMetered => {
                self.held.d.next = self.flags.val().get_bit(2);
            }
            Cond::InitCodeBig => {
                self.held.d.next = self.flags.val().get_bit(2)
                    & (self.second_far.val()
                        | (self.second.val().get_bits::<64>(0) > self.most_init.val()));
            }
            Cond::CodeBig => {
                self.held.d.next = self.second_far.val()
                    | (self.second.val().get_bits::<64>(0) > self.most_deployed.val());
            }
            Cond::SecondZero => {
                self.held.d.next = !self.second_some.val();
            }
            Cond::NonceLast => {
                self.held.d.next = self.slots.present.val().get_bits::<64>(0).all();
            }
            Cond::Destroys => {
                self.held.d.next = self.u.q.val().get_bit(194) | !self.flags.val().get_bit(3);
            }
            Cond::InitCodeLong => {
                self.held.d.next = self.frames.arguments_bytes.val() > self.most_code.val();
            }
            Cond::SlotKnown => {
                self.held.d.next = self.slot_hit.val() & self.slot_entry.known.val();
            }
            Cond::SlotFull => {
                self.held.d.next = self.slots.full.val();
            }
            Cond::DmaError => {
                self.held.d.next = self.dma_failed.q.val() | self.wr_error.val();
            }
            Cond::AluTrue => {
                self.held.d.next = self.alu.y.val().any();
            }
            Cond::Recent => {
                // A top of 2^64 and more could come to the same difference from above.
                self.held.d.next = !self.top_far.val() & self.u.q.val().get_bits::<248>(8).all();
            }
            Cond::LengthBig => {
                self.held.d.next = self.length_far.val();
            }
            Cond::BeyondReturn => {
                self.held.d.next = (self.second_wide.val() | self.third_wide.val())
                    | (self.return_end.val() > bit_cast::<33, 32>(self.returned.q.val()));
            }
            Cond::WordRead => {
                self.held.d.next = self.word_inside.val();
            }
            Cond::WordWritable => {
                self.held.d.next = self.word_inside.val();
            }
            Cond::ByteWritable => {
                self.held.d.next = self.byte_inside.val();
            }
            Cond::CalldataRead => {
                self.held.d.next = self.calldata_inside.val();
            }
            Cond::TopicsShort => {
                self.held.d.next = self.depth.val() < self.topics_need.val();
            }
            Cond::NoRoom => {
                self.held.d.next = self.room_end.val() > bit_cast::<33, 32>(self.capacity.q.val());
            }
            Cond::NoRoomTwice => {
                self.held.d.next = (self.room_end.val() + bit_cast::<33, 32>(self.n.q.val()))
                    > bit_cast::<33, 32>(self.capacity.q.val());
            }
            Cond::CountEnd => {
                self.held.d.next = self.counter.q.val() == self.slots.count.val();
            }
            Cond::CodeMissing => {
                self.held.d.next = !self.frames.code_address.val().any();
            }
            Cond::CodeLong => {
                self.held.d.next = self.control.q.val().get_bits::<32>(0) > self.most_code.val();
            }
            Cond::CalldataLong => {
                self.held.d.next = self.first_calldata.val() > self.most_calldata.val();
            }
            Cond::BadMessage => {
                self.held.d.next = ((self.control.q.val().get_bits::<32>(224)
                    != self.version.val())
                    | ((self.accounts.val() > self.most_accounts.val())
                        | !self.accounts.val().any()))
                    | ((self.state_beats.val() > self.most_state.val())
                        | (self.blobs.val() > self.most_blobs.val()));
            }
            Cond::GasAtStipend => {
                self.held.d.next = self.meter.gas.val()
                    <= bit_cast::<64, 32>(self.schedule.q.val().get_bits::<32>(192));
            }
            Cond::NewIsPresent => {
                self.held.d.next = self.second.val() == self.slots.present.val();
            }
            Cond::PresentIsOriginal => {
                self.held.d.next = self.slots.present.val() == self.slots.original.val();
            }
            Cond::OriginalZero => {
                self.held.d.next = !self.slots.original.val().any();
            }
            Cond::PresentZero => {
                self.held.d.next = !self.slots.present.val().any();
            }
            Cond::NewZero => {
                self.held.d.next = !self.second_some.val();
            }
            Cond::NewIsOriginal => {
                self.held.d.next = self.second.val() == self.slots.original.val();
            }
            Cond::BlobInside => {
                self.held.d.next = self.blob_inside.val();
            }
            _ => {}
        }
        self.seq.cond.next = self.holds.val();

        // Trace and status.
        self.retire.next = self.check.val() | self.landing.val();
        self.retire_pc.next = bit_cast::<32, 16>(self.pc.q.val());
        self.retire_op.next = self.op.q.val();
        if self.landing.val() {
            self.retire_op.next = self.op_jumpdest.val();
        }
        self.retire_gas.next = self.meter.gas.val();
        self.retire_depth.next = self.depth.val();
        self.retire_top.next = self.top.val();
        self.retire_folds.next = self.folds.val() & self.go.val();
        self.retire_jump.next = self.opcode.val();
        self.retire_destination.next = self.target.val();
        self.retire_memory.next = self.own_words.val();
        self.retire_frame.next = self.frames.level.val();
        if self.retire.val() {
            self.retired.d.next = self.retired.q.val() + 1;
            if self.folds.val() & self.go.val() {
                self.retired.d.next = self.retired.q.val() + 2;
            }
        }
        self.busy.next = self.running.q.val();
        self.running_id.next = self.id.q.val();
        self.waiting.next = self.awaiting.val();
        self.stall_keccak.next = ((self.cond.val() == Cond::Digest) & !self.digest_there.q.val())
            | (self.kec_valid.val() & !self.kec_ready.val());
        self.stall_dma.next = ((self.takes.val() & !self.rdat_valid.val())
            | (self.wr_valid.val() & !self.wr_ready.val()))
            | (self.data.busy.val() | self.code.busy.val());
        self.stall_arith.next = (self.cond.val() == Cond::ArithDone) & !self.arith.done.val();

        if self.reset.val() {
            self.running.d.next = false;
            self.moving.d.next = Move::None;
            self.sequence.d.next = 0.into();
        }
    }
}
