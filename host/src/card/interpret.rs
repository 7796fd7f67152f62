//! A transaction's frames on revm's own interpreter, counted: what the card gives back runs here.
//!
//! Mirrors revm's private `run_exec_loop` (`handler.rs`) and `EvmTr::frame_run`; to be compared with them at
//! each upgrade.

use revm::Database;
use revm::handler::{EthFrame, EvmTr, FrameResult, ItemOrResult};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::LoopControl;
use revm::interpreter::{InstructionResult, Interpreter};

use super::split::{CardEvm, EvmError, Work};

/// Sees what the interpreter does.
pub trait Watch {
    /// A frame at this depth is about to run an opcode.
    fn step(&mut self, depth: usize, interpreter: &Interpreter<EthInterpreter>) {
        let _ = (depth, interpreter);
    }

    /// The last opcode shown has ended its frame, or the call or creation that it asked for was answered without
    /// one.
    fn end(&mut self, result: InstructionResult) {
        let _ = result;
    }
}

/// Looks away.
impl Watch for () {}

/// `run_exec_loop` behind its first `frame_init`, counting.
pub(super) fn run<DB: Database>(
    evm: &mut CardEvm<DB>,
    watch: &mut impl Watch,
) -> Result<(FrameResult, Work), EvmError<DB>> {
    let mut ops = 0;
    loop {
        let result = match run_frame(evm, &mut ops, watch)? {
            ItemOrResult::Result(result) => result,
            ItemOrResult::Item(init) => match evm.frame_init(init)? {
                ItemOrResult::Item(_) => continue,
                ItemOrResult::Result(result) => result,
            },
        };
        watch.end(result.instruction_result());
        if let Some(result) = evm.frame_return_result(result)? {
            let gas = gas_of(&result);
            return Ok((result, Work { gas, ops }));
        }
    }
}

/// `EvmTr::frame_run` with a look at every opcode.
fn run_frame<DB: Database>(
    evm: &mut CardEvm<DB>,
    ops: &mut u64,
    watch: &mut impl Watch,
) -> Result<revm::handler::FrameInitOrResult<EthFrame>, EvmError<DB>> {
    let frame = evm.frame_stack.get();
    let (table, gas_table) = (
        evm.instruction.instruction_table(),
        evm.instruction.gas_table(),
    );
    let (depth, interpreter) = (frame.depth, &mut frame.interpreter);
    let end = loop {
        watch.step(depth, interpreter);
        *ops += 1;
        if let Err(end) = interpreter.step(table, gas_table, &mut evm.ctx) {
            break end;
        }
    };
    if interpreter.bytecode.action().is_none() {
        interpreter.halt(end);
    }
    let action = interpreter.take_next_action();
    let next = frame.process_next_action::<_, EvmError<DB>>(&mut evm.ctx, action)?;
    if next.is_result() {
        frame.set_finished(true);
    }
    Ok(next)
}

/// [`Work::gas`] of a first frame that has ended.
pub(super) fn gas_of(result: &FrameResult) -> u64 {
    match result.instruction_result().is_halt() {
        true => 0,
        false => result.gas().total_gas_spent(),
    }
}
