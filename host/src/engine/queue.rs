//! A bounded queue of blocks in front of an engine.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use super::{Cancel, Engine};
use crate::{Block, ExecutionError, Outcome};

type Answer = Result<Outcome, ExecutionError>;

struct Job {
    block: Arc<Block>,
    cancel: Cancel,
    answer: SyncSender<Answer>,
}

/// Executes blocks one after the other, in the order in which they come. It holds no more than so many: who brings more
/// waits, or is sent away. Dropped, it ends what it holds first.
#[derive(Debug)]
pub struct Queue {
    jobs: Option<SyncSender<Job>>,
    worker: Option<JoinHandle<()>>,
}

/// A block in a queue. Dropped, its block is executed all the same, unless it is cancelled.
#[derive(Debug)]
pub struct Ticket {
    cancel: Cancel,
    answer: Receiver<Answer>,
}

/// Why a queue does not take a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It holds as many as it may.
    #[error("the queue is full: wait for one of its blocks, or use `Queue::submit`, which waits")]
    Full,
    /// Its thread has ended.
    #[error("the queue's thread has ended: make a new queue")]
    Ended,
}

impl Queue {
    /// A queue in front of an engine that holds `depth` blocks beside the one that is executed.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn new(engine: Engine, depth: NonZeroUsize) -> std::io::Result<Self> {
        let (jobs, incoming) = mpsc::sync_channel::<Job>(depth.get());
        let work = move || {
            for job in incoming {
                // Nobody may be waiting any more.
                let _ = job
                    .answer
                    .send(engine.execute_until(&job.block, &job.cancel));
            }
        };
        let worker = thread::Builder::new().name("gatewei-queue".to_owned());
        Ok(Self {
            jobs: Some(jobs),
            worker: Some(worker.spawn(work)?),
        })
    }

    /// Puts a block in; waits while the queue is full.
    ///
    /// # Errors
    /// [`Refused::Ended`].
    pub fn submit(&self, block: Arc<Block>) -> Result<Ticket, Refused> {
        let (job, ticket) = job(block);
        let jobs = self.jobs.as_ref().ok_or(Refused::Ended)?;
        jobs.send(job).map_err(|_| Refused::Ended)?;
        Ok(ticket)
    }

    /// Puts a block in, if there is room.
    ///
    /// # Errors
    /// Both of [`Refused`].
    pub fn try_submit(&self, block: Arc<Block>) -> Result<Ticket, Refused> {
        let (job, ticket) = job(block);
        let jobs = self.jobs.as_ref().ok_or(Refused::Ended)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Refused::Full,
            TrySendError::Disconnected(_) => Refused::Ended,
        })?;
        Ok(ticket)
    }
}

fn job(block: Arc<Block>) -> (Job, Ticket) {
    let (answer, answers) = mpsc::sync_channel(1);
    let cancel = Cancel::new();
    let job = Job {
        block,
        cancel: cancel.clone(),
        answer,
    };
    let ticket = Ticket {
        cancel,
        answer: answers,
    };
    (job, ticket)
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            // A panic has been reported on that thread, and its tickets say that they ended.
            let _ = worker.join();
        }
    }
}

impl Ticket {
    /// Gives the block up, in the queue or while it is executed.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits for the result; `None` if the queue's thread has ended without one.
    pub fn wait(self) -> Option<Result<Outcome, ExecutionError>> {
        self.answer.recv().ok()
    }
}
