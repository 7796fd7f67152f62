//! Every schedule of two workers of a session, step by step: one takes an attempt and executes it, hands it in, or commits.
//! `orders.rs` tries what threads do to each other within such a step.

use gatewei::{
    Block, ExecutionError, Executor as _, Outcome, Sequential,
    engine::{Attempt, Leader, Role, Session, Task, WorkerEvm, WorkerResult},
};
use revm::ExecuteEvm as _;

use crate::{
    parallel::assert_same,
    random::{self, FORKS},
    seeds,
};

/// More schedules than any block here has.
const MOST: u64 = 50_000;

/// Choices that were made so far, each with the number of those that there were.
#[derive(Default)]
struct Choices {
    made: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    /// The choice of this run among so many.
    fn pick(&mut self, of: usize) -> usize {
        if self.at == self.made.len() {
            self.made.push((0, of));
        }
        let (choice, count) = self.made[self.at];
        assert_eq!(count, of, "a schedule does not repeat");
        self.at += 1;
        choice
    }

    /// Goes on to the next run; false after the last.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.made.pop() {
            if choice + 1 < of {
                self.made.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

struct Worker<'s, 'b> {
    role: Role,
    evm: WorkerEvm<'s>,
    leader: Leader<'b>,
    held: Option<(Attempt, WorkerResult)>,
    /// Found nothing to do since anybody did something.
    sleeps: bool,
}

impl<'s, 'b> Worker<'s, 'b> {
    fn new(session: &'s Session<'b>, role: Role) -> Self {
        Self {
            role,
            evm: session.evm(),
            leader: session.leader(),
            held: None,
            sleeps: false,
        }
    }

    /// Makes a step. An execution that is not `honest` hides what it has read.
    fn step(&mut self, session: &'s Session<'b>, honest: bool) -> Task {
        if let Some((attempt, result)) = self.held.take() {
            if !honest {
                session.aim(&mut self.evm, attempt);
            }
            session.submit(&mut self.evm, result, None);
            return Task::Execute(attempt);
        }
        let task = match self.role {
            Role::Helper => session.poll(),
            Role::Leader => session.poll_leading(),
            Role::Runner => session.poll_running(),
        };
        match task {
            Task::Execute(attempt) => {
                session.aim(&mut self.evm, attempt);
                let tx = session.transaction(attempt).clone();
                self.held = Some((attempt, self.evm.transact(tx)));
            }
            Task::Commit if self.role == Role::Leader => session.lead(&mut self.leader),
            Task::Commit => session.commit(),
            Task::Wait | Task::Done => {}
        }
        task
    }
}

fn execute(
    block: &Block,
    roles: [Role; 2],
    choices: &mut Choices,
    honest: bool,
) -> Result<Outcome, ExecutionError> {
    let session = Session::new(block)?;
    let mut workers = roles.map(|role| Worker::new(&session, role));
    loop {
        let awake: Vec<usize> = (0..2).filter(|at| !workers[*at].sleeps).collect();
        assert!(!awake.is_empty(), "all sleep, and work is left");
        let at = awake[choices.pick(awake.len())];
        match workers[at].step(&session, honest) {
            Task::Wait => workers[at].sleeps = true,
            Task::Done => break,
            Task::Execute(_) | Task::Commit => workers.iter_mut().for_each(|it| it.sleeps = false),
        }
    }
    drop(workers);
    session.finish()
}

/// Compares all schedules of a block with sequential execution. Gives how many there are, and how many transactions they
/// executed again.
fn compare(block: &Block, roles: [Role; 2], honest: bool) -> (u64, u64) {
    let expected = Sequential.execute(block);
    let (mut choices, mut schedules, mut again) = (Choices::default(), 0, 0);
    loop {
        let got = execute(block, roles, &mut choices, honest);
        assert_same(&expected, &got, "a schedule");
        schedules += 1;
        again += got.map_or(0, |outcome| outcome.statistics.reexecutions);
        assert!(schedules < MOST, "too many schedules");
        if !choices.next() {
            return (schedules, again);
        }
    }
}

const ROLES: [[Role; 2]; 4] = [
    [Role::Helper, Role::Helper],
    [Role::Leader, Role::Leader],
    [Role::Leader, Role::Runner],
    [Role::Leader, Role::Helper],
];

#[test]
fn every_schedule_of_small_blocks_gives_the_sequential_result() {
    let (mut schedules, mut again) = (0, 0);
    for (seed, fork) in (0..seeds(1)).flat_map(|seed| FORKS.map(|fork| (seed, fork))) {
        let block = random::block(seed, fork, 3);
        for roles in ROLES {
            let (count, repeated) = compare(&block, roles, true);
            schedules += count;
            again += repeated;
        }
    }
    println!("{schedules} schedules, {again} executed again");
    assert!(again > 0, "no schedule made anything conflict");
}

#[test]
#[should_panic(expected = "a schedule")]
fn a_result_that_hides_what_it_read_is_found() {
    for fork in FORKS {
        let block = random::block(0, fork, 3);
        compare(&block, ROLES[0], false);
    }
}
