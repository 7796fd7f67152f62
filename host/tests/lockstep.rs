//! A card and revm, opcode by opcode: every opcode with the operands and the gas at which things go
//! wrong, and random programs, in all forks that the lane covers.
//!
//! With the feature `sim` the card is the Verilog; without it, a card in software, which tests the
//! comparison itself and all that lies between. `GATEWEI_SHOW` is how many differences are shown in full.
//! `gatewei lockstep` runs as many random programs as one likes.

#[path = "lockstep/accounts.rs"]
mod accounts;
#[path = "lockstep/calls.rs"]
mod calls;
#[path = "lockstep/contracts.rs"]
mod contracts;
#[path = "lockstep/creates.rs"]
mod creates;
#[path = "lockstep/data.rs"]
mod data;
#[path = "lockstep/delegation.rs"]
mod delegation;
#[path = "lockstep/destroy.rs"]
mod destroy;
#[path = "lockstep/directed.rs"]
mod directed;
#[path = "lockstep/pages.rs"]
mod pages;
#[path = "lockstep/precompiles.rs"]
mod precompiles;
mod soft;

use std::collections::BTreeMap;

use directed::Named;
use gatewei::card::CardRunner;
use gatewei::card::lockstep::{Divergence, Program, Traced, asm, random};
use gatewei::card::trace::Step;
use gatewei_driver::dma::DmaBuffer;
use gatewei_driver::transport::{Transport, TransportError, Wait, WaitOutcome};
use gatewei_driver::{Card, Options, State};
use revm::primitives::U256;
use revm::primitives::hardfork::SpecId;

/// The software card with its trace.
struct SoftCard(soft::fake::Fake, soft::Trace);

impl Transport for SoftCard {
    fn name(&self) -> String {
        "soft".into()
    }
    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        self.0.read32(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.0.write32(offset, value)
    }
    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.0.dma(bytes, align)
    }
    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.0.release(buffer)
    }
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.0.wait(budget)
    }
    fn reset(&mut self) -> Result<(), TransportError> {
        self.0.reset()
    }
}

impl Traced for SoftCard {
    fn start_trace(&mut self) {
        self.1.lock().expect("the trace").clear();
    }
    fn take_trace(&mut self, _: u32) -> Vec<Step> {
        std::mem::take(&mut *self.1.lock().expect("the trace"))
    }
}

fn soft_card() -> CardRunner<SoftCard> {
    let (fake, trace) = soft::card(1);
    let card = Card::open(SoftCard(fake, trace), Options::default()).expect("the card opens");
    CardRunner::new(card)
}

/// The card under test.
#[cfg(not(feature = "sim"))]
fn runner() -> CardRunner<impl Traced> {
    soft_card()
}

/// The card under test: the Verilog. A lane that hangs is found soon.
#[cfg(feature = "sim")]
fn runner() -> CardRunner<impl Traced> {
    let deadlines = gatewei_driver::Deadlines {
        stall_cycles: 1_000_000,
        ..Default::default()
    };
    let options = Options {
        deadlines,
        ..Options::default()
    };
    let opened = gatewei::card::sim::open(gatewei_sim::Options::default(), options);
    opened.unwrap_or_else(|error| panic!("no simulated card: {error}"))
}

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {value}")),
        Err(_) => default,
    }
}

/// Compares all programs; shows the first differences and how many there are. Returns those that trapped, and why.
fn all_agree(programs: impl IntoIterator<Item = Named>) -> Vec<(String, String)> {
    let (mut count, mut steps, mut cycles) = (0u32, 0u64, 0u64);
    let mut trapped = Vec::new();
    let mut failures = Vec::new();
    let mut card = runner();
    let show_each = setting("GATEWEI_EACH", 0) != 0;
    for (name, program) in programs {
        count += 1;
        if card.card().state() != State::Ready {
            card = runner();
        }
        match program.compare(&mut card) {
            Ok(report) => {
                if show_each {
                    println!("{name}: {:?} {}", report.trapped, report.outcome);
                }
                steps += report.steps.len() as u64;
                cycles += report.cost.cycles;
                trapped.extend(report.trapped.map(|reason| (name, reason.to_string())));
            }
            Err(divergence) => failures.push((name, program, divergence)),
        }
    }
    let traps = trapped.len();
    println!("{count} programs, {steps} opcodes, {cycles} cycles, {traps} trapped");
    let mut reasons = BTreeMap::<&str, u32>::new();
    for (_, reason) in &trapped {
        *reasons.entry(reason).or_default() += 1;
    }
    if !reasons.is_empty() {
        println!("trapped: {reasons:?}");
    }
    let shown = setting("GATEWEI_SHOW", 5) as usize;
    for (name, program, divergence) in failures.iter().take(shown) {
        println!(
            "--- {name}, {:?}, code {}\n{divergence}\n",
            program.spec, program.code
        );
    }
    let names: Vec<_> = failures.iter().map(|(name, ..)| name).collect();
    assert!(
        failures.is_empty(),
        "{} of {count} programs differ: {names:?}",
        failures.len()
    );
    trapped
}

#[test]
fn directed_programs_agree() {
    all_agree(directed::all());
}

#[test]
fn programs_agree_with_every_amount_of_gas() {
    let probes = directed::gas_probes();
    all_agree(probes.iter().flat_map(directed::with_each_gas));
}

/// None of them may trap: calls are the lane's.
#[test]
fn programs_that_call_agree() {
    assert_eq!(all_agree(calls::all()), [], "programs that trapped");
}

/// The Verilog may trap at none of these. The software card leaves creations and delegations to the CPU.
fn all_agree_on_the_lane(programs: impl IntoIterator<Item = Named>) {
    let trapped = all_agree(programs);
    if cfg!(feature = "sim") {
        assert_eq!(trapped, [], "programs that trapped");
    }
}

/// None of them may trap: the lane goes on when the host has run the contract.
#[test]
fn programs_that_call_precompiles_agree() {
    let trapped = all_agree(precompiles::all());
    assert!(trapped.is_empty(), "programs that trapped: {trapped:?}");
}

#[test]
fn what_the_host_is_asked_for_from_inside_agrees() {
    all_agree_on_the_lane(accounts::requests());
}

#[test]
fn programs_that_create_agree() {
    all_agree_on_the_lane(creates::all());
}

#[test]
fn code_deposits_agree_with_every_amount_of_gas() {
    all_agree_on_the_lane(creates::deposits());
}

#[test]
fn programs_that_destroy_agree() {
    all_agree_on_the_lane(destroy::all());
}

#[test]
fn programs_that_call_delegating_accounts_agree() {
    all_agree_on_the_lane(delegation::all());
}

#[test]
fn what_a_lane_leaves_to_the_cpu_agrees_and_says_why() {
    let traps = [creates::traps(), delegation::traps()].concat();
    let (programs, reasons): (Vec<Named>, Vec<&str>) = traps.into_iter().unzip();
    let names = programs.iter().map(|(name, _)| name.clone());
    let wanted: Vec<_> = names.zip(reasons.into_iter().map(str::to_owned)).collect();
    let trapped = all_agree(programs);
    if cfg!(feature = "sim") {
        assert_eq!(trapped, wanted);
    }
}

#[test]
fn programs_that_create_agree_with_all_sorts_of_gas() {
    let probes = [
        creates::gas_probes(),
        destroy::gas_probes(),
        delegation::gas_probes(),
    ]
    .concat();
    all_agree_on_the_lane(probes.iter().flat_map(directed::with_each_gas));
    all_agree_on_the_lane(probes.iter().flat_map(calls::with_all_sorts_of_gas));
}

#[test]
fn programs_that_call_agree_with_all_sorts_of_gas() {
    let probes = calls::gas_probes();
    all_agree(probes.iter().flat_map(directed::with_each_gas));
    all_agree(probes.iter().flat_map(calls::with_all_sorts_of_gas));
}

/// None of them may trap: no size that gas can buy is too large for the lane.
#[test]
fn programs_beyond_the_chips_memory_agree() {
    assert_eq!(all_agree(pages::all()), [], "programs that trapped");
}

/// The first programs of `gatewei lockstep`.
#[test]
fn random_programs_agree() {
    all_agree((0..600).map(|n| (format!("program {n}"), random::program(n))));
}

/// What `gatewei lockstep` found and made small, one file each.
#[test]
fn programs_that_once_differed_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lockstep/regressions");
    let files = std::fs::read_dir(folder).expect("the folder of regressions");
    let mut programs: Vec<Named> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let text = std::fs::read(&path).expect("it is read");
            let program = serde_json::from_slice(&text);
            let program = program.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.display().to_string(), program)
        })
        .collect();
    programs.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!programs.is_empty());
    all_agree(programs);
}

#[test]
fn every_end_of_a_frame_occurs_in_the_programs() {
    let mut missing: Vec<_> = gatewei_abi::status::Status::ALL.to_vec();
    for (_, program) in directed::all()
        .into_iter()
        .chain(calls::all())
        .chain(destroy::all())
        .chain(creates::all())
    {
        let (_, end) = program.on_revm().expect("it runs");
        missing.retain(|status| !ends_with(&end.outcome, *status));
        if missing.is_empty() {
            break;
        }
    }
    for probe in directed::gas_probes() {
        for (_, program) in directed::with_each_gas(&probe) {
            let (_, end) = program.on_revm().expect("it runs");
            missing.retain(|status| !ends_with(&end.outcome, *status));
        }
    }
    // revm reports a violation of a static frame in a first frame, as the lane does, but has no reason
    // of its own for it in a transaction's result.
    missing.retain(|status| *status != gatewei_abi::status::Status::StaticViolation);
    assert!(missing.is_empty(), "{missing:?}");
}

/// Whether a result's text is that of a status.
fn ends_with(outcome: &str, status: gatewei_abi::status::Status) -> bool {
    use gatewei_abi::status::Status::*;
    outcome.contains(match status {
        Stop => "reason: Stop",
        Return => "reason: Return",
        Revert => "Revert {",
        OutOfGas => "OutOfGas(Basic)",
        MemoryOutOfGas => "OutOfGas(Memory)",
        InvalidOperand => "OutOfGas(InvalidOperand)",
        ReentrancySentry => "OutOfGas(ReentrancySentry)",
        OpcodeNotFound => "OpcodeNotFound",
        InvalidOpcode => "InvalidFEOpcode",
        NotActivated => "NotActivated",
        InvalidJump => "InvalidJump",
        StackUnderflow => "StackUnderflow",
        StackOverflow => "StackOverflow",
        StaticViolation => "StaticViolation",
        OutOfOffset => "OutOfOffset",
        SelfDestruct => "reason: SelfDestruct",
        InitCodeSize => "CreateInitCodeSizeLimit",
        StaticCallValue => "CallNotAllowedInsideStatic",
    })
}

/// A card that is wrong at one place: the comparison must see it.
struct Liar {
    card: SoftCard,
    change: fn(&mut Step),
    at: usize,
}

impl Transport for Liar {
    fn name(&self) -> String {
        "liar".into()
    }
    fn read32(&mut self, offset: u32) -> Result<u32, TransportError> {
        self.card.read32(offset)
    }
    fn write32(&mut self, offset: u32, value: u32) -> Result<(), TransportError> {
        self.card.write32(offset, value)
    }
    fn dma(&mut self, bytes: usize, align: usize) -> Result<DmaBuffer, TransportError> {
        self.card.dma(bytes, align)
    }
    fn release(&mut self, buffer: DmaBuffer) -> Result<(), TransportError> {
        self.card.release(buffer)
    }
    fn wait(&mut self, budget: Wait) -> Result<WaitOutcome, TransportError> {
        self.card.wait(budget)
    }
    fn reset(&mut self) -> Result<(), TransportError> {
        self.card.reset()
    }
}

impl Traced for Liar {
    fn start_trace(&mut self) {
        self.card.start_trace();
    }
    fn take_trace(&mut self, command: u32) -> Vec<Step> {
        let mut steps = self.card.take_trace(command);
        (self.change)(&mut steps[self.at]);
        steps
    }
}

#[test]
fn a_wrong_step_is_found() {
    let changes: [fn(&mut Step); 6] = [
        |step| step.pc += 1,
        |step| step.opcode ^= 1,
        |step| step.gas -= 1,
        |step| step.depth += 1,
        |step| step.top += U256::from(1),
        |step| step.memory += 1,
    ];
    let code = asm::Asm::new()
        .push(1)
        .push(2)
        .ops("ADD")
        .push(0)
        .ops("MSTORE MSIZE STOP");
    let program = Program::new(SpecId::OSAKA, code);
    program
        .compare(&mut soft_card())
        .expect("without the lie they agree");
    for change in changes {
        for at in 0..7 {
            let (fake, trace) = soft::card(1);
            let card = Liar {
                card: SoftCard(fake, trace),
                change,
                at,
            };
            let card = Card::open(card, Options::default()).expect("the card opens");
            match program.compare(&mut CardRunner::new(card)) {
                Err(Divergence::Step(difference)) => assert_eq!(difference.index, at),
                other => panic!("{other:?}"),
            }
        }
    }
}
