//! A lane of the bench: loads its message, perhaps asks the host, writes a result, completes.

use gatewei_abi::BEAT;
use gatewei_abi::command::{kind, request};
use gatewei_abi::status::Trap;
use gatewei_sim::model::{Model, ModelError, PortId};
use gatewei_sim::random::Random;

use super::spread::Spread;
use super::{DONE_CODE, Question, answer_to, result_of};

/// Tag of an answer to nothing.
pub const STRAY_TAG: u64 = 0xdead;
/// Beats of a message.
const BEATS: u64 = 2;

/// The account that a question with this tag is about.
pub fn account_of(tag: u32) -> u16 {
    tag as u16 ^ 0x2a5
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Idle,
    AskBurst,
    Beats(u64),
    Work(u64),
    Question(u32),
    Await(u32),
    Store,
    Settle,
    Complete(u8, u8),
}

/// How often a lane asks about a message.
#[derive(Clone, Copy, Debug)]
pub enum Asks {
    Never,
    Once,
    Random,
}

#[derive(Clone, Copy, Debug, Default)]
struct Command {
    id: u32,
    address: u64,
    result: u64,
}

/// What a cycle of a lane tells the bench.
#[derive(Default)]
pub struct Events {
    /// A question is on its way to the host: its tag, who asks what.
    pub asked: Option<(u32, Question)>,
    /// An answer was taken.
    pub answered: bool,
    /// An answer came that nobody awaited any more.
    pub late: bool,
}

#[derive(Clone, Copy)]
struct Ports {
    cmd: [PortId; 6],
    cancel: [PortId; 2],
    reply: [PortId; 4],
    reply_taken: PortId,
    cpl: [PortId; 8],
    rd: [PortId; 4],
    rdat: [PortId; 4],
    wr: [PortId; 7],
    status: [PortId; 3],
}

pub struct Lane {
    /// Takes no command.
    pub stuck: bool,
    /// How often it asks.
    pub asks: Asks,
    /// Ids of the messages that began here.
    pub started: Vec<u32>,
    /// Messages ended.
    pub ended: u32,
    index: u32,
    messages: Spread,
    results: Spread,
    ports: Ports,
    phase: Phase,
    command: Command,
    cancelled: bool,
    asked: bool,
    sequence: u32,
    /// Ready for a command and for a beat in this cycle.
    ready: bool,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} in {:?}", self.command, self.phase)
    }
}

impl Lane {
    pub fn new(
        model: &Model,
        index: usize,
        messages: &Spread,
        results: &Spread,
    ) -> Result<Self, ModelError> {
        let input = |name: &str, width| model.input(&format!("{name}_{index}"), width);
        let output = |name: &str, width| model.output(&format!("{name}_{index}"), width);
        let ports = Ports {
            cmd: [
                output("cmd_valid", 1)?,
                input("cmd_ready", 1)?,
                output("cmd_id", 32)?,
                output("cmd_address", 64)?,
                output("cmd_result", 64)?,
                output("cmd_capacity", 32)?,
            ],
            cancel: [output("cancel_valid", 1)?, model.output("cancel_id", 32)?],
            reply: [
                output("reply_valid", 1)?,
                model.output("reply_failed", 1)?,
                model.output("reply_tag", 32)?,
                model.output("reply_value", 256)?,
            ],
            reply_taken: input("reply_taken", 1)?,
            cpl: [
                input("cpl_valid", 1)?,
                output("cpl_ready", 1)?,
                input("cpl_kind", 8)?,
                input("cpl_code", 8)?,
                input("cpl_tag", 32)?,
                input("cpl_key", 256)?,
                input("cpl_id", 32)?,
                input("cpl_account", 16)?,
            ],
            rd: [
                input("rd_valid", 1)?,
                output("rd_ready", 1)?,
                input("rd_addr", 64)?,
                input("rd_beats", 8)?,
            ],
            rdat: [
                output("rdat_valid", 1)?,
                input("rdat_ready", 1)?,
                model.output("rdat_data", 256)?,
                model.output("rdat_error", 1)?,
            ],
            wr: [
                input("wr_valid", 1)?,
                output("wr_ready", 1)?,
                input("wr_addr", 64)?,
                input("wr_data", 256)?,
                output("wr_idle", 1)?,
                output("wr_error", 1)?,
                input("wr_clear", 1)?,
            ],
            status: [
                input("busy", 1)?,
                input("waiting", 1)?,
                input("running_id", 32)?,
            ],
        };
        Ok(Self {
            stuck: false,
            asks: Asks::Random,
            started: Vec::new(),
            ended: 0,
            index: index as u32,
            messages: messages.clone(),
            results: results.clone(),
            ports,
            phase: Phase::Idle,
            command: Command::default(),
            cancelled: false,
            asked: false,
            sequence: 0,
            ready: false,
        })
    }

    fn key(&self) -> [u8; BEAT] {
        std::array::from_fn(|i| {
            (self.command.id as u8).wrapping_add(i as u8 * 7) ^ self.sequence as u8
        })
    }

    /// What the lane drives from its state.
    pub fn drive(&self, model: &mut Model) {
        let p = &self.ports;
        let completion = match self.phase {
            Phase::Question(tag) => Some((kind::REQUEST, request::STORAGE, tag, self.key())),
            Phase::Complete(kind, code) => Some((kind, code, self.command.id ^ 0xff, [0; BEAT])),
            _ => None,
        };
        model.set_u64(
            p.cmd[1],
            (self.phase == Phase::Idle && self.ready && !self.stuck).into(),
        );
        model.set_u64(p.cpl[0], completion.is_some().into());
        let (kind, code, tag, key) = completion.unwrap_or((0xee, 0xee, 0, [0xee; BEAT]));
        model.set_u64(p.cpl[2], kind.into());
        model.set_u64(p.cpl[3], code.into());
        model.set_u64(p.cpl[4], tag.into());
        model.set_word(p.cpl[5], &key);
        model.set_u64(p.cpl[6], self.command.id.into());
        model.set_u64(p.cpl[7], account_of(tag).into());
        model.set_u64(p.rd[0], (self.phase == Phase::AskBurst).into());
        model.set_u64(p.rd[2], self.command.address);
        model.set_u64(p.rd[3], BEATS);
        model.set_u64(p.rdat[1], self.ready.into());
        model.set_u64(p.wr[0], (self.phase == Phase::Store).into());
        model.set_u64(p.wr[2], self.command.result);
        model.set_word(p.wr[3], &result_of(self.command.id));
        model.set_u64(p.wr[6], 0);
        model.set_u64(p.status[0], (self.phase != Phase::Idle).into());
        model.set_u64(p.status[1], matches!(self.phase, Phase::Await(_)).into());
        model.set_u64(p.status[2], self.command.id.into());
        model.set_u64(p.reply_taken, 0);
    }

    fn takes(&self, model: &Model) -> bool {
        let p = &self.ports;
        let tag = model.get_u64(p.reply[2]) as u32;
        model.get_u64(p.reply[0]) == 1 && self.phase == Phase::Await(tag)
    }

    /// Whether the answer of this cycle is taken.
    pub fn drive_taken(&self, model: &mut Model) {
        let taken = self.takes(model);
        model.set_u64(self.ports.reply_taken, taken.into());
    }

    /// The clock edge.
    pub fn clock(&mut self, model: &Model, random: &mut Random, reset: bool) -> Events {
        let p = self.ports;
        let get = |port| model.get_u64(port);
        self.ready = random.percent(70);
        if reset {
            self.phase = Phase::Idle;
            self.cancelled = false;
            return Events::default();
        }
        let cancel = get(p.cancel[0]) == 1;
        assert!(
            !(cancel && get(p.cmd[0]) == 1),
            "a command in the cycle of a cancel"
        );
        if cancel && self.phase != Phase::Idle && get(p.cancel[1]) as u32 == self.command.id {
            self.cancelled = true;
        }
        let mut events = Events::default();
        if get(p.reply[0]) == 1 {
            events.answered = self.takes(model);
            events.late = !events.answered && get(p.reply[2]) != STRAY_TAG;
        }
        let cancelled = Phase::Complete(kind::TRAP, Trap::Cancelled as u8);
        match self.phase {
            Phase::Idle => {
                if get(p.cmd[0]) == 1 && get(p.cmd[1]) == 1 {
                    let id = get(p.cmd[2]) as u32;
                    assert_eq!(get(p.cmd[5]) as u32, id ^ 0x5555_5555, "capacity");
                    self.command = Command {
                        id,
                        address: get(p.cmd[3]),
                        result: get(p.cmd[4]),
                    };
                    let (message, result) = (self.messages.of(id), self.results.of(id));
                    assert_eq!(self.command.address, message.bus(), "message address");
                    assert_eq!(self.command.result, result.bus(), "result address");
                    self.started.push(id);
                    self.cancelled = false;
                    self.asked = false;
                    self.phase = Phase::AskBurst;
                }
            }
            Phase::AskBurst => {
                if get(p.rd[1]) == 1 {
                    self.phase = Phase::Beats(0);
                }
            }
            Phase::Beats(n) => {
                if get(p.rdat[0]) == 1 && get(p.rdat[1]) == 1 {
                    assert_eq!(get(p.rdat[3]), 0, "read error");
                    let mut expected = [0; BEAT];
                    let message = self.messages.of(self.command.id);
                    message
                        .copy_out(n as usize * BEAT, &mut expected)
                        .expect("in bounds");
                    assert_eq!(model.get_word(p.rdat[2]), expected, "message");
                    self.phase = Phase::Beats(n + 1);
                    if n + 1 == BEATS {
                        self.phase = Phase::Work(random.below(40));
                    }
                }
            }
            Phase::Work(_) if self.cancelled => self.phase = cancelled,
            Phase::Work(0) => {
                let ask = match self.asks {
                    Asks::Never => false,
                    Asks::Once => !self.asked,
                    Asks::Random => random.percent(40),
                };
                if ask {
                    self.asked = true;
                    self.sequence += 1;
                    let tag = self.index << 24 | self.sequence;
                    self.phase = Phase::Question(tag);
                    events.asked = Some((tag, (self.command.id, self.key())));
                } else {
                    self.phase = Phase::Store;
                }
            }
            Phase::Work(n) => self.phase = Phase::Work(n - 1),
            Phase::Question(tag) => {
                if get(p.cpl[1]) == 1 {
                    self.phase = Phase::Await(tag);
                }
            }
            Phase::Await(_) if self.takes(model) => {
                let tag = get(p.reply[2]) as u32;
                assert_eq!(model.get_word(p.reply[3]), answer_to(tag), "answer");
                self.phase = match get(p.reply[1]) == 1 {
                    true => Phase::Complete(kind::TRAP, Trap::Host as u8),
                    false => Phase::Work(random.below(20)),
                };
            }
            Phase::Await(_) if self.cancelled => self.phase = cancelled,
            Phase::Await(_) => {}
            Phase::Store => {
                if get(p.wr[1]) == 1 {
                    self.phase = Phase::Settle;
                }
            }
            Phase::Settle => {
                if get(p.wr[4]) == 1 {
                    assert_eq!(get(p.wr[5]), 0, "write error");
                    self.phase = Phase::Complete(kind::DONE, DONE_CODE);
                }
            }
            Phase::Complete(..) => {
                if get(p.cpl[1]) == 1 {
                    self.ended += 1;
                    self.phase = Phase::Idle;
                }
            }
        }
        events
    }
}
