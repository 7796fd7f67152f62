//! What was compared: opcodes, ends of frames, and by which runs. A file of it adds up over many sittings.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use gatewei_abi::opcode;
use revm::interpreter::InstructionResult;
use serde::{Deserialize, Serialize};

use super::ends;
use super::program::Report;

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// Programs.
    pub programs: u64,
    /// Programs that differ; nothing else of them is counted.
    pub differing: u64,
    /// Opcodes that were compared, by byte.
    opcodes: BTreeMap<u8, u64>,
    /// Bad ends, by the opcode that led there.
    ends: BTreeMap<(u8, &'static str), u64>,
    /// Programs that the card gave back, by reason. What it ran of them was compared.
    pub given_back: BTreeMap<String, u64>,
    /// Clock cycles of the messages.
    pub cycles: u64,
    /// Ends that the table of [`ends`] does not have.
    pub unexpected: Vec<String>,
}

impl Count {
    /// Adds a program.
    pub fn add(&mut self, report: &Report) {
        self.programs += 1;
        self.cycles += report.cost.cycles;
        for step in &report.steps {
            *self.opcodes.entry(step.opcode).or_default() += 1;
        }
        for (index, result) in &report.ends {
            let Some(step) = report.steps.get(*index) else {
                continue;
            };
            if !ends::counted(*result) {
                continue;
            }
            if !ends::exists(step.opcode, *result) {
                let name = opcode::name(step.opcode);
                self.unexpected.push(format!("{name} {result:?}"));
            }
            *self.ends.entry((step.opcode, name(*result))).or_default() += 1;
        }
        if let Some(reason) = &report.trapped {
            *self.given_back.entry(reason.to_string()).or_default() += 1;
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: Self) {
        self.programs += other.programs;
        self.differing += other.differing;
        self.cycles += other.cycles;
        add(&mut self.opcodes, other.opcodes);
        add(&mut self.ends, other.ends);
        add(&mut self.given_back, other.given_back);
        self.unexpected.extend(other.unexpected);
    }

    /// Opcodes that were compared.
    pub fn compared(&self) -> u64 {
        self.opcodes.values().sum()
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key).or_default() += count;
    }
}

/// Name of a result: revm's own.
fn name(result: InstructionResult) -> &'static str {
    let known = ends::RESULTS.iter().position(|known| *known == result);
    known.map_or("other", |index| NAMES[index])
}

/// Names of [`ends::RESULTS`].
const NAMES: [&str; ends::RESULTS.len()] = [
    "OutOfGas",
    "MemoryOOG",
    "InvalidOperandOOG",
    "ReentrancySentryOOG",
    "OpcodeNotFound",
    "InvalidFEOpcode",
    "NotActivated",
    "InvalidJump",
    "StackUnderflow",
    "StackOverflow",
    "StateChangeDuringStaticCall",
    "CallNotAllowedInsideStatic",
    "OutOfOffset",
    "CreateInitCodeSizeLimit",
    "CreateContractSizeLimit",
    "CreateContractStartingWithEF",
    "CreateCollision",
    "CallTooDeep",
    "OutOfFunds",
    "PrecompileOOG",
    "PrecompileError",
    "Revert",
    "SelfDestruct",
];

/// One run of random programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sitting {
    /// What the caller called the sources.
    pub commit: String,
    /// Fingerprint of the Verilog that ran.
    pub hardware: String,
    /// First program.
    pub first: u64,
    /// Programs, from the first on without a gap.
    pub programs: u64,
    /// Opcodes that were compared.
    pub opcodes: u64,
    /// Programs that differ.
    pub differing: u64,
    /// Programs that the card gave back, by reason.
    pub given_back: BTreeMap<String, u64>,
}

/// All runs together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The runs.
    pub sittings: Vec<Sitting>,
    /// Opcodes that were compared, by mnemonic.
    pub opcodes: BTreeMap<String, u64>,
    /// Exceptional halts, and calls and creations that were refused: by opcode and revm's name of the result.
    pub ends: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What is still missing of a goal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Opcodes of London to Osaka below the number asked for.
    pub opcodes: BTreeMap<String, u64>,
    /// Results below theirs.
    pub ends: BTreeMap<String, u64>,
    /// Cells of the table of [`ends`] that never occurred: opcode and result.
    pub cells: Vec<String>,
}

impl Ledger {
    /// Reads a file; an empty ledger where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read, or is none.
    pub fn load(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file. An old one stays whole until the new one is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = path.with_extension("new");
        fs::write(&aside, serde_json::to_string_pretty(self)? + "\n")?;
        fs::rename(aside, path)
    }

    /// Adds a run.
    pub fn add(&mut self, mut sitting: Sitting, count: &Count) {
        sitting.programs = count.programs;
        sitting.opcodes = count.compared();
        sitting.differing = count.differing;
        sitting.given_back.clone_from(&count.given_back);
        self.sittings.push(sitting);
        for (byte, n) in &count.opcodes {
            let name = opcode::name(*byte).to_owned();
            *self.opcodes.entry(name).or_default() += n;
        }
        for ((byte, result), n) in &count.ends {
            let row = self.ends.entry(opcode::name(*byte).to_owned());
            *row.or_default().entry((*result).to_owned()).or_default() += n;
        }
    }

    /// Opcodes that were compared.
    pub fn compared(&self) -> u64 {
        self.opcodes.values().sum()
    }

    /// The first program that no run has had.
    pub fn next(&self) -> u64 {
        let ends = self.sittings.iter().map(|run| run.first + run.programs);
        ends.max().unwrap_or_default()
    }

    /// What is below so many of each opcode, and of each result.
    pub fn missing(&self, opcodes: u64, ends: u64) -> Missing {
        let mut missing = Missing::default();
        let mut results = BTreeMap::<&str, u64>::new();
        let covered = opcode::TABLE
            .iter()
            .filter(|op| op.since <= opcode::Fork::Osaka);
        for op in covered {
            let n = self.opcodes.get(op.name).copied().unwrap_or_default();
            if n < opcodes {
                missing.opcodes.insert(op.name.into(), n);
            }
        }
        for (byte, result) in ends::all() {
            let (op, result) = (opcode::name(byte), name(result));
            let row = self.ends.get(op);
            let n = row
                .and_then(|row| row.get(result))
                .copied()
                .unwrap_or_default();
            *results.entry(result).or_default() += n;
            if n == 0 {
                missing.cells.push(format!("{op} {result}"));
            }
        }
        let few = results.into_iter().filter(|(_, n)| *n < ends);
        missing
            .ends
            .extend(few.map(|(result, n)| (result.to_owned(), n)));
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_revms() {
        for result in ends::RESULTS {
            assert_eq!(name(result), format!("{result:?}"));
        }
    }

    #[test]
    fn runs_add_up() {
        let mut count = Count {
            programs: 5,
            ..Count::default()
        };
        count.opcodes.insert(1, 7);
        count.ends.insert((1, "OutOfGas"), 2);
        let sitting = Sitting {
            first: 10,
            ..Sitting::default()
        };
        let mut ledger = Ledger::default();
        ledger.add(sitting.clone(), &count);
        ledger.add(
            Sitting {
                first: 15,
                ..sitting
            },
            &count,
        );
        assert_eq!((ledger.compared(), ledger.next()), (14, 20));
        assert_eq!(ledger.ends["ADD"]["OutOfGas"], 4);
        let missing = ledger.missing(14, 5);
        assert!(!missing.opcodes.contains_key("ADD") && missing.opcodes["SUB"] == 0);
        assert_eq!(missing.ends["OutOfGas"], 4);
        assert!(missing.cells.contains(&"ADD StackUnderflow".to_owned()));
        assert!(!missing.cells.contains(&"ADD OutOfGas".to_owned()));

        let folder = std::env::temp_dir().join(format!("gatewei-ledger-{}", std::process::id()));
        let file = folder.join("ledger.json");
        assert_eq!(
            Ledger::load(&file).expect("none is empty"),
            Ledger::default()
        );
        ledger.save(&file).expect("it is written");
        assert_eq!(Ledger::load(&file).expect("it is there"), ledger);
        fs::write(&file, "{").expect("it is written");
        assert!(Ledger::load(&file).is_err());
        fs::remove_dir_all(folder).expect("it is removed");
    }
}
