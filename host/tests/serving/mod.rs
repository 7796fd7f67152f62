//! What engines do for those who use them: slow states, queues, cancelled blocks.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use gatewei::{
    Block, Cancel, Engine, ExecutionError, Executor as _, Fault, Outcome, Sequential,
    engine::{Queue, Refused},
};

use crate::{common, parallel::assert_same};

fn load(number: u64) -> Option<Block> {
    let folder = common::data("mainnet")?;
    Some(Block::load(&folder.join(number.to_string())).expect("it loads"))
}

fn two_threads() -> Engine {
    Engine::builder()
        .threads(NonZeroUsize::new(2).expect("not zero"))
        .build()
}

#[test]
fn slow_states_give_the_same_with_and_without_lists() {
    for number in [12_244_000, 18_085_863, 24_628_607] {
        let Some(mut block) = load(number) else {
            return;
        };
        let sequential = Sequential.execute(&block);
        block.pre_state = Arc::new(block.pre_state.delayed(Duration::from_micros(5)));
        let engine = two_threads();
        assert_same(&sequential, &engine.execute(&block), "without a list");
        block.load_access_list().expect("it has a list");
        let sequential = Sequential.execute(&block);
        assert_same(&sequential, &engine.execute(&block), "with its list");
    }
}

fn is_cancelled(result: &Result<Outcome, ExecutionError>) -> bool {
    matches!(result, Err(error) if error.fault == Fault::Cancelled)
}

#[test]
fn a_cancelled_block_ends_and_says_so() {
    let Some(block) = load(19_426_586) else {
        return;
    };
    let cancel = Cancel::new();
    let engine = two_threads();
    let expected = Sequential.execute(&block);
    assert_same(&expected, &engine.execute_until(&block, &cancel), "not yet");
    cancel.cancel();
    assert!(is_cancelled(&engine.execute_until(&block, &cancel)));
    let alone = Engine::builder().threads(NonZeroUsize::MIN).build();
    assert!(is_cancelled(&alone.execute_until(&block, &cancel)));
    // Nothing of it stays with the engine.
    assert_same(&expected, &engine.execute(&block), "afterwards");
}

#[test]
fn a_full_queue_pushes_back_and_loses_nothing() {
    let Some(block) = load(19_426_586) else {
        return;
    };
    let expected = Sequential.execute(&block);
    let block = Arc::new(block);
    let queue = Queue::new(two_threads(), NonZeroUsize::new(2).expect("not zero"));
    let queue = queue.expect("there are threads");
    let (mut tickets, mut refused) = (Vec::new(), 0);
    for _ in 0..32 {
        match queue.try_submit(block.clone()) {
            Ok(ticket) => tickets.push(ticket),
            Err(Refused::Full) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0, "32 blocks fit into a queue of two");
    // This one waits for room.
    let last = queue.submit(block).expect("the queue works");
    last.cancel();
    for ticket in tickets {
        assert_same(&expected, &ticket.wait().expect("an answer"), "queued");
    }
    let last = last.wait().expect("an answer");
    assert!(is_cancelled(&last));
}
