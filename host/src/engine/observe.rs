//! Opcodes that tell the database which balances and nonces an execution depends on.
//!
//! revm loads an account as a whole, so the database cannot see whether a balance is looked at or
//! only increased. These few opcodes look: they report, then do what revm's own do.

use alloy_primitives::Address;
use revm::{
    Database,
    bytecode::opcode::{BALANCE, CALL, CALLCODE, CREATE, CREATE2, SELFBALANCE, SELFDESTRUCT},
    handler::{MainnetContext, instructions::EthInstructions},
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult,
        instructions::{contract, host},
        interpreter::EthInterpreter,
    },
};

use super::view::Observe;

type Context<'a, DB> = InstructionContext<'a, MainnetContext<DB>, EthInterpreter>;

/// Replaces the opcodes that depend on a balance or a nonce.
pub(crate) fn install<DB: Database + Observe>(
    instructions: &mut EthInstructions<EthInterpreter, MainnetContext<DB>>,
) {
    let table = instructions.instruction_table_mut();
    table[usize::from(BALANCE)] = Instruction::new(balance);
    table[usize::from(SELFBALANCE)] = Instruction::new(self_balance);
    table[usize::from(CALL)] = Instruction::new(call::<CALL, DB>);
    table[usize::from(CALLCODE)] = Instruction::new(call::<CALLCODE, DB>);
    table[usize::from(CREATE)] = Instruction::new(create::<false, DB>);
    table[usize::from(CREATE2)] = Instruction::new(create::<true, DB>);
    table[usize::from(SELFDESTRUCT)] = Instruction::new(self_destruct);
}

fn observe_self<DB: Database + Observe>(context: &mut Context<'_, DB>) {
    let address = context.interpreter.input.target_address;
    context
        .host
        .journaled_state
        .database
        .observe_balance(address);
}

fn balance<DB: Database + Observe>(context: Context<'_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let address = interpreter.stack.peek(0).ok();
    let result = host::balance(InstructionContext {
        interpreter,
        host: &mut *host,
    });
    // Reported afterwards: only then is the account loaded.
    if let Some(address) = address {
        let address = Address::from_word(address.into());
        host.journaled_state.database.observe_balance(address);
    }
    result
}

fn self_balance<DB: Database + Observe>(mut context: Context<'_, DB>) -> InstructionExecResult {
    observe_self(&mut context);
    host::selfbalance(context)
}

/// A call with value depends on its caller having that value.
fn call<const KIND: u8, DB: Database + Observe>(
    mut context: Context<'_, DB>,
) -> InstructionExecResult {
    if context
        .interpreter
        .stack
        .peek(2)
        .is_ok_and(|value| !value.is_zero())
    {
        observe_self(&mut context);
    }
    contract::call::<KIND, _, _>(context)
}

/// A creation depends on the creator's nonce (the address) and on that of the address created
/// (EIP-684), and on the creator's balance.
fn create<const IS_CREATE2: bool, DB: Database + Observe>(
    mut context: Context<'_, DB>,
) -> InstructionExecResult {
    observe_self(&mut context);
    context.host.journaled_state.database.observe_nonces();
    contract::create::<IS_CREATE2, _, _>(context)
}

/// The whole balance moves.
fn self_destruct<DB: Database + Observe>(mut context: Context<'_, DB>) -> InstructionExecResult {
    observe_self(&mut context);
    host::selfdestruct(context)
}
