//! The microassembler: steps with labels in, control words out.

use std::collections::BTreeMap;

use super::word::*;

/// A word under construction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    word: Word,
    target: Option<&'static str>,
    settles: bool,
}

/// A step that does nothing and goes on.
pub fn step() -> Step {
    Step::default()
}

/// The first step of an opcode.
pub fn entry() -> Step {
    let mut s = Step::default();
    s.word.check = true;
    s
}

/// The first step of an opcode with a length, which is checked too.
pub fn sized_entry() -> Step {
    let mut s = entry();
    s.word.sized = true;
    s
}

macro_rules! setters {
    ($($name:ident: $type:ty, $doc:literal;)*) => {
        $( #[doc = $doc] pub fn $name(mut self, value: $type) -> Self { self.word.$name = value; self } )*
    };
}

impl Step {
    setters! {
        latch: Latch, "Register that takes it.";
        stack: StackOp, "Stack operation.";
        unit: Unit, "Unit to start.";
        gas: GasOp, "Gas operation.";
        slot: SlotCmd, "Slot command.";
        slot_key: SlotKey, "Key of the slot table from now on.";
        slot_mode: SlotMode, "Value and flags of the slot command.";
        pointers: Pointers, "Pointer load.";
        mover: Move, "Move to start.";
        store: Store, "Memory write.";
        post: Post, "Completion.";
        count: Count, "Counter operation.";
        act: Act, "Other action.";
    }

    /// Result bus. An operand comes to it through the ALU.
    pub fn source(mut self, source: Source) -> Self {
        self.word.source = source;
        if let Some(mode) = source.through_alu() {
            self.word.source = Source::Alu;
            self = self.alu(mode);
        }
        self
    }

    /// ALU operands: one use of it a step.
    pub fn alu(mut self, mode: AluMode) -> Self {
        assert!(
            self.word.alu == AluMode::Opcode,
            "the ALU cannot do {:?} and {mode:?}",
            self.word.alu
        );
        self.word.alu = mode;
        self
    }

    /// Gas operation on a field of the schedule.
    pub fn price(mut self, gas: GasOp, price: Price) -> Self {
        self.word.gas = gas;
        self.word.price = price;
        self
    }

    /// Jumps to the top of the stack.
    pub fn jump(mut self) -> Self {
        self.word.jump = true;
        self
    }

    /// Stands for a cycle before it acts, whatever its condition.
    pub fn settle(mut self) -> Self {
        self.settles = true;
        self
    }

    /// Writes `source` as a beat of the result, once the port takes it.
    pub fn emit(mut self, source: Source) -> Self {
        self.word.emit = true;
        self.source(source).wait(Cond::WriteReady)
    }

    /// Takes a beat, once there is one.
    pub fn take(mut self) -> Self {
        self.word.take = true;
        self.wait(Cond::Beat)
    }

    /// Takes a beat and drops it, or finds that none will come.
    pub fn drain(mut self) -> Self {
        self.word.take = true;
        self.word.drain = true;
        self.wait(Cond::BeatOrDry)
    }

    /// The environment memory reads the blob hash of the top.
    pub fn blob(mut self) -> Self {
        self.word.blob = true;
        self
    }

    /// The environment memory reads word `index`, for the next step.
    pub fn env_read(mut self, index: usize) -> Self {
        self.word.env_read = true;
        self.index(index)
    }

    /// `source` is word `index` of the environment memory from now on.
    pub fn env_write(mut self, index: usize, source: Source) -> Self {
        self.word.env_write = true;
        self.source(source).index(index)
    }

    /// Writes `source` as word `index` of the frame's record or of the journal's next entry, once its page is here.
    pub fn save(mut self, space: Space, index: usize, source: Source) -> Self {
        self.word.store = Store::Word;
        self.word.space = space;
        // The word must stand until it is written.
        self.word.env_read = source == Source::Env;
        self.source(source).index(index).wait(Cond::Writable)
    }

    /// Presents the address of such a word: `load` follows.
    pub fn point(mut self, space: Space, index: usize) -> Self {
        self.word.space = space;
        self.index(index)
    }

    /// Puts such a word on the result bus, once it has been read.
    pub fn load(self, space: Space, index: usize) -> Self {
        let step = self.point(space, index).wait(Cond::Readable);
        step.source(Source::Memory)
    }

    fn index(mut self, index: usize) -> Self {
        self.word.code = (index as u64).into();
        self
    }

    /// An action with a status or trap code.
    pub fn code(mut self, act: Act, code: u8) -> Self {
        self.word.act = act;
        self.word.code = u64::from(code).into();
        self
    }

    /// A step has one way to go on.
    fn sequence(&mut self, seq: Seq) {
        assert!(
            self.word.seq == Seq::Next,
            "a step cannot be both {:?} and {seq:?}",
            self.word.seq
        );
        self.word.seq = seq;
    }

    /// Waits for the condition before it fires.
    pub fn wait(mut self, cond: Cond) -> Self {
        self.sequence(Seq::Wait);
        self.word.cond = cond;
        self
    }

    /// Goes to `target` after this step.
    pub fn goto(mut self, target: &'static str) -> Self {
        self.sequence(Seq::Jump);
        self.target = Some(target);
        self
    }

    /// Goes to `target` if the condition holds.
    pub fn branch(mut self, cond: Cond, target: &'static str) -> Self {
        self.sequence(Seq::Branch);
        self.word.cond = cond;
        self.target = Some(target);
        self
    }

    /// Goes to `target` unless the condition holds.
    pub fn branch_unless(self, cond: Cond, target: &'static str) -> Self {
        let mut s = self.branch(cond, target);
        s.word.unless = true;
        s
    }

    /// Calls `target` if the condition holds.
    pub fn call(mut self, cond: Cond, target: &'static str) -> Self {
        self.sequence(Seq::Call);
        self.word.cond = cond;
        self.target = Some(target);
        self
    }

    /// Calls `target` unless the condition holds.
    pub fn call_unless(self, cond: Cond, target: &'static str) -> Self {
        let mut s = self.call(cond, target);
        s.word.unless = true;
        s
    }

    /// Returns to the step after the call.
    pub fn ret(mut self) -> Self {
        self.sequence(Seq::Return);
        self
    }

    /// Ends the opcode.
    pub fn finish(mut self) -> Self {
        self.sequence(Seq::Finish);
        self.word.cond = Cond::True;
        self
    }

    /// Ends the opcode and dispatches the next one at once, if that is at hand.
    pub fn chain(mut self) -> Self {
        self.word.chain = true;
        self.finish()
    }

    /// Ends the opcode as `chain` does if the condition holds, else goes to `target` without firing.
    pub fn chain_if(mut self, cond: Cond, target: &'static str) -> Self {
        self.sequence(Seq::Finish);
        self.word.chain = true;
        self.word.cond = cond;
        self.target = Some(target);
        self
    }

    /// Goes to the routine of the fetched opcode.
    pub fn dispatch(mut self) -> Self {
        self.sequence(Seq::Dispatch);
        self.word.cond = Cond::Fetched;
        self
    }
}

/// A microprogram under construction.
#[derive(Default)]
pub struct Assembler {
    steps: Vec<Step>,
    labels: BTreeMap<&'static str, usize>,
}

impl Assembler {
    /// The next step has this name.
    pub fn label(&mut self, name: &'static str) -> &mut Self {
        let old = self.labels.insert(name, self.steps.len());
        assert!(old.is_none(), "microcode label {name} stands twice");
        self
    }

    /// Appends a step.
    pub fn then(&mut self, step: Step) -> &mut Self {
        self.steps.push(step);
        self
    }

    /// A routine: a label and its steps.
    pub fn routine<const N: usize>(&mut self, name: &'static str, steps: [Step; N]) -> &mut Self {
        self.label(name);
        self.steps.extend(steps);
        self
    }

    /// The finished program. Panics on a label that does not exist: the microcode is part of the card.
    pub fn finish(&self) -> Program {
        assert!(
            self.steps.len() <= 1024,
            "microcode of {} words does not fit",
            self.steps.len()
        );
        let words = self
            .steps
            .iter()
            .map(|s| {
                let mut word = s.word;
                word.late = s.settles || word.cond.is_wide() || word.gas.is_charge();
                if let Some(target) = s.target {
                    let Some(at) = self.labels.get(target) else {
                        panic!("microcode label {target} does not exist");
                    };
                    word.target = (*at as u64).into();
                }
                word
            })
            .collect();
        Program {
            words,
            labels: self.labels.clone(),
        }
    }
}

/// A finished microprogram.
pub struct Program {
    /// The ROM's contents.
    pub words: Vec<Word>,
    labels: BTreeMap<&'static str, usize>,
}

impl Program {
    /// Address of a label.
    pub fn address(&self, label: &str) -> usize {
        match self.labels.get(label) {
            Some(at) => *at,
            None => panic!("microcode label {label} does not exist"),
        }
    }

    /// Labels by address: a listing's left column.
    pub fn labels(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.labels.iter().map(|(name, at)| (*name, *at))
    }
}
