//! The lane's stack, slot table and gas meter against plain Rust.

use std::collections::HashMap;

use gatewei_abi::layout::SLOTS;
use gatewei_abi::message::price;
use gatewei_hdl::lane::microcode::word::{Act, SlotCmd, StackOp};
use gatewei_sim::model::Model;
use gatewei_sim::random::Random;

/// Flags of an entry, and its space.
const FLAGS: u64 = 15;

/// 32 random bytes.
fn random_word(random: &mut Random) -> [u8; 32] {
    std::array::from_fn(|_| random.bits() as u8)
}

#[test]
fn stack_is_a_stack() {
    use StackOp::*;
    let mut model = Model::new("stack").unwrap();
    let port = |name| model.port(name).unwrap();
    let (op, result, ahead, distance) = (
        port("plan"),
        port("result"),
        port("ahead"),
        port("distance"),
    );
    let (top, second, third, depth) = (port("top"), port("second"), port("third"), port("depth"));
    let mut stack: Vec<[u8; 32]> = Vec::new();
    let mut random = Random::new(3);
    let mut deepest = 0;
    for step in 0..80_000u64 {
        // Phases that climb to the limit and fall to empty.
        let climbing = step / 4_000 % 2 == 0;
        let pick = random.bits() % 10;
        let choice = match pick {
            0..=4 if climbing => Push,
            0..=2 => Pop,
            3 => Pop2,
            4 => Binary,
            5 | 6 => Swap,
            7 => Unary,
            8 => Push,
            _ if step % 1_999 == 0 => Clear,
            _ => None,
        };
        let n = 1 + random.bits() as usize % 16;
        let possible = match choice {
            Push => stack.len() < 1024,
            Pop | Unary => !stack.is_empty(),
            Pop2 | Binary => stack.len() >= 2,
            Swap => stack.len() > n,
            None | Clear => true,
            Enter | Leave => unreachable!("the test of inner frames has them"),
        };
        let choice = if possible { choice } else { None };
        let word = random_word(&mut random);
        // The fetch cycle reads ahead; the opcode's cycle acts.
        model.set_u64(op, None as u64);
        let look = if choice == Swap { n } else { 2 };
        model.set_u64(ahead, look as u64);
        model.tick();
        model.eval();
        assert_eq!(model.get_u64(depth), stack.len() as u64, "step {step}");
        for (id, below) in [(top, 0), (second, 1), (third, look)] {
            // The second word is in its register, not in the RAM that is read ahead.
            if id == third && look == 1 {
                continue;
            }
            if let Some(want) = stack.len().checked_sub(below + 1) {
                assert_eq!(
                    model.get_word(id),
                    stack[want],
                    "step {step}, {below} below the top"
                );
            }
        }
        model.set_u64(op, choice as u64);
        model.set_u64(distance, n as u64);
        model.set_u64(ahead, 2);
        model.set_word(result, &word);
        model.tick();
        let len = stack.len();
        match choice {
            Push => stack.push(word),
            Pop => stack.truncate(len - 1),
            Pop2 => stack.truncate(len - 2),
            Binary => {
                stack.truncate(len - 2);
                stack.push(word);
            }
            Unary => stack[len - 1] = word,
            Swap => stack.swap(len - 1, len - 1 - n),
            Clear => stack.clear(),
            None | Enter | Leave => {}
        }
        // At once, too: what is wrong in every second cycle would look right above.
        model.eval();
        assert_eq!(model.get_u64(depth), stack.len() as u64, "step {step}");
        for (id, below) in [(top, 0), (second, 1)] {
            if let Some(want) = stack.len().checked_sub(below + 1) {
                assert_eq!(model.get_word(id), stack[want], "after step {step}");
            }
        }
        deepest = deepest.max(stack.len());
    }
    assert_eq!(deepest, 1024, "the test reaches the limit");
}

#[test]
fn stacks_of_inner_frames_leave_the_outer_ones_alone() {
    let mut model = Model::new("stack").unwrap();
    let port = |name| model.port(name).unwrap();
    let (op, result, ahead, outer) = (port("plan"), port("result"), port("ahead"), port("outer"));
    let (top, second, depth, all) = (port("top"), port("second"), port("depth"), port("all"));
    let floor = port("floor");
    model.set_u64(ahead, 2);
    let mut random = Random::new(33);
    // The frames' stacks, and the floors that a call saves.
    let mut stacks: Vec<Vec<[u8; 32]>> = vec![Vec::new()];
    let mut floors: Vec<u64> = Vec::new();
    let (mut deepest, mut calls) = (0, 0);
    let go = |model: &mut Model, choice: StackOp, word: &[u8; 32]| {
        model.set_u64(op, choice as u64);
        model.set_word(result, word);
        model.tick();
        model.set_u64(op, StackOp::None as u64);
        model.tick();
        model.eval();
    };
    for step in 0..40_000u64 {
        let word = random_word(&mut random);
        let own = stacks.last().unwrap().len();
        let together: usize = stacks.iter().map(Vec::len).sum();
        let pick = if step / 2_000 % 2 == 0 { 8 } else { 13 };
        match random.below(pick) {
            0..5 if together < 1_000 => {
                go(&mut model, StackOp::Push, &word);
                stacks.last_mut().unwrap().push(word);
            }
            5 | 6 if own > 0 => {
                go(&mut model, StackOp::Pop, &word);
                stacks.last_mut().unwrap().pop();
            }
            7 if together < 1_000 => {
                floors.push(model.get_u64(floor));
                go(&mut model, StackOp::Push, &word);
                go(&mut model, StackOp::Push, &word);
                go(&mut model, StackOp::Enter, &word);
                stacks.push(Vec::new());
                calls += 1;
            }
            8.. if stacks.len() > 1 => {
                model.set_u64(outer, floors.pop().unwrap());
                go(&mut model, StackOp::Leave, &word);
                go(&mut model, StackOp::Pop2, &word);
                stacks.pop();
            }
            _ => {}
        }
        let stack = stacks.last().unwrap();
        assert_eq!(model.get_u64(depth), stack.len() as u64, "step {step}");
        let together: usize = stacks.iter().map(Vec::len).sum();
        assert_eq!(model.get_u64(all), together as u64, "step {step}");
        for (id, below) in [(top, 1), (second, 2)] {
            if let Some(want) = stack.len().checked_sub(below) {
                assert_eq!(model.get_word(id), stack[want], "step {step}");
            }
        }
        deepest = deepest.max(stacks.len());
    }
    assert!(
        deepest > 20 && calls > 1_000,
        "{deepest} frames, {calls} calls"
    );
}

struct Slots {
    model: Model,
}

impl Slots {
    fn set(&mut self, name: &str, value: u64) {
        let id = self.model.port(name).unwrap();
        self.model.set_u64(id, value);
    }

    fn word(&mut self, name: &str, value: &[u8; 32]) {
        let id = self.model.port(name).unwrap();
        self.model.set_word(id, value);
    }

    fn get(&self, name: &str) -> u64 {
        self.model.get_u64(self.model.port(name).unwrap())
    }

    fn get_word(&self, name: &str) -> [u8; 32] {
        self.model.get_word(self.model.port(name).unwrap())
    }

    /// Gives a command.
    fn give(&mut self, cmd: SlotCmd) {
        self.set("cmd", cmd as u64);
        self.model.tick();
        self.set("cmd", SlotCmd::None as u64);
        self.model.eval();
    }

    /// Gives a command and waits; cycles.
    fn run(&mut self, cmd: SlotCmd) -> u64 {
        self.give(cmd);
        for cycle in 1..5_000 {
            self.model.eval();
            if self.get("ready") == 1 {
                return cycle;
            }
            self.model.tick();
        }
        panic!("the slot table never answers");
    }
}

/// An entry: key and space, then original, present and flags.
type Entry = (([u8; 32], u64), [u8; 32], [u8; 32], u64);

#[test]
fn slot_table_finds_what_was_added() {
    finds_what_was_added("slots", SLOTS);
}

#[test]
fn slot_table_of_a_small_card_finds_what_was_added() {
    finds_what_was_added("slots_small", 512);
}

/// Where the search for a key begins: its twelve-bit pieces, and the account's index, folded into one.
fn first_cell((key, space): &([u8; 32], u64)) -> usize {
    let words = key
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let fold = words.fold(0, |fold, word| fold ^ word);
    ((fold ^ fold >> 12 ^ fold >> 20 ^ (*space as u32 & 0x7ff)) & 0xfff) as usize
}

/// Of a table of `most` entries.
fn finds_what_was_added(block: &str, most: usize) {
    let mut slots = Slots {
        model: Model::new(block).unwrap(),
    };
    slots.set("reset", 1);
    slots.model.tick();
    slots.set("reset", 0);
    slots.run(SlotCmd::None);
    let mut random = Random::new(9);
    let mut fullest = 0;
    // More messages than the epoch counts, so that the sweep is met.
    for message in 0..270u64 {
        slots.run(SlotCmd::Clear);
        let mut entries: Vec<Entry> = Vec::new();
        let mut index: HashMap<([u8; 32], u64), usize> = HashMap::new();
        // The cells of the index, twice as many as entries.
        let mut cells = vec![None; 2 * most];
        let rounds = if message % 90 == 0 { 5_200 } else { 40 };
        for _ in 0..rounds {
            let bits = random.bits();
            // Small numbers and digests; a transient slot may share its key with a storage slot.
            let mut key = [0; 32];
            if bits & 1 == 0 {
                key[0] = (bits >> 8) as u8;
                key[1] = (bits >> 16) as u8 & 3;
            } else {
                key = random_word(&mut random);
                key[31] = (bits >> 8) as u8;
            }
            if bits & 6 == 6 && !entries.is_empty() {
                key = entries[(bits >> 32) as usize % entries.len()].0.0;
            }
            // A few accounts, all kinds.
            let space = bits >> 24 & 3 | (bits >> 26 & 3) << 11;
            let value = random_word(&mut random);
            let flags = bits >> 40 & FLAGS;
            // Half of the changes are followed by the next search at once.
            let hurried = bits >> 53 & 1 == 1;
            let change = |slots: &mut Slots, cmd| {
                slots.give(cmd);
                if !hurried {
                    slots.run(SlotCmd::None);
                }
            };
            slots.word("key", &key);
            slots.set("space", space);
            let known = index.get(&(key, space)).copied();
            // Cell after cell, until it is there or a cell is free; two cycles for each other entry on the way.
            let mut cell = first_cell(&(key, space));
            let mut others = 0;
            while cells[cell % cells.len()].is_some_and(|held| Some(held) != known) {
                cell += 1;
                others += 1;
            }
            slots.give(SlotCmd::Find);
            for cycle in 1..=2 + 2 * others + u64::from(known.is_some()) {
                let last = cycle == 2 + 2 * others + u64::from(known.is_some());
                assert_eq!(slots.get("ready"), u64::from(last), "{others} on the way");
                let finds = known.is_some() && cycle == 2 + 2 * others;
                assert_eq!(slots.get("match_now"), u64::from(finds));
                if let Some(at) = known.filter(|_| finds || last) {
                    check(&slots, &entries[at]);
                }
                if !last {
                    slots.model.tick();
                    slots.model.eval();
                }
            }
            assert_eq!(slots.get("hit"), u64::from(known.is_some()));
            slots.word("value", &value);
            slots.set("flags_in", flags);
            let at = match known {
                Some(at) => {
                    let (original, present) = (bits >> 50 & 1, bits >> 51 & 1);
                    slots.set("set_original", original);
                    slots.set("set_present", present);
                    change(&mut slots, SlotCmd::Put);
                    let entry = &mut entries[at];
                    if original == 1 {
                        entry.1 = value;
                    }
                    if present == 1 {
                        entry.2 = value;
                    }
                    entry.3 = flags;
                    at
                }
                None if entries.len() < most => {
                    change(&mut slots, SlotCmd::Add);
                    index.insert((key, space), entries.len());
                    let count = cells.len();
                    cells[cell % count] = Some(entries.len());
                    entries.push(((key, space), value, value, flags));
                    entries.len() - 1
                }
                None => {
                    // Nothing is added to a full table.
                    slots.run(SlotCmd::Add);
                    assert_eq!(slots.get("count"), most as u64);
                    continue;
                }
            };
            if !hurried {
                check(&slots, &entries[at]);
            }
            assert_eq!(slots.get("count"), entries.len() as u64);
            assert_eq!(slots.get("full"), u64::from(entries.len() == most));
        }
        fullest = fullest.max(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            slots.set("at", at as u64);
            slots.run(SlotCmd::Read);
            check(&slots, entry);
        }
    }
    assert_eq!(fullest, most, "the test fills the table");
}

fn check(slots: &Slots, entry: &Entry) {
    assert_eq!(slots.get_word("entry_key"), entry.0.0);
    assert_eq!(slots.get("entry_space"), entry.0.1);
    assert_eq!(slots.get_word("original"), entry.1);
    assert_eq!(slots.get_word("present"), entry.2);
    assert_eq!(slots.get("flags"), entry.3);
}

#[test]
fn gas_meter_charges_what_gas_covers() {
    let mut model = Model::new("gas_meter").unwrap();
    let port = |name| model.port(name).unwrap();
    let inputs = [
        "act",
        "limit",
        "charge",
        "cost",
        "refund",
        "unrefund",
        "amount",
        "saved_gas",
        "saved_refund",
        "success",
        "halted",
    ]
    .map(port);
    let request = port("request");
    let [gas, after, lacks, refunds, granted] =
        ["gas", "after", "lacks", "refunds", "granted"].map(port);
    let mut random = Random::new(21);
    let (mut left, mut back, mut grant) = (0u64, 0u64, 0u64);
    let (mut shortages, mut cuts) = (0, 0);
    let acts = [
        Act::Start,
        Act::Grant,
        Act::Forward,
        Act::Stipend,
        Act::Enter,
        Act::Refill,
        Act::Leave,
        Act::LoadMachine,
    ];
    for step in 0..50_000 {
        let bits = random.bits();
        let edge = [
            0,
            1,
            2_300,
            u64::MAX,
            left,
            left.wrapping_add(1),
            left.wrapping_sub(1),
        ];
        let cost = if bits & 1 == 0 {
            edge[(bits >> 8) as usize % 7]
        } else {
            bits >> 40
        };
        let limit = if bits & 2 == 0 {
            random.bits()
        } else {
            bits >> 30
        };
        let act = match bits >> 16 & 7 {
            0 => acts[random.below(8) as usize],
            _ => Act::None,
        };
        let charge = act == Act::None && bits >> 20 & 1 == 1;
        let (refund, unrefund) = (bits >> 21 & 3 == 1, bits >> 21 & 3 == 2);
        let (refund, unrefund) = match act {
            Act::None => (refund, unrefund),
            _ => (false, false),
        };
        let amount = bits >> 50;
        let (saved_gas, saved_refund) = (random.bits() >> 2, random.bits());
        let (success, halted) = (bits >> 24 & 1 == 1, bits >> 25 & 1 == 1);
        // What a call asks for is any word.
        let mut word = [0; 32];
        word[..8].copy_from_slice(&limit.to_le_bytes());
        word[8 + (bits >> 56) as usize % 24] = u8::from(bits >> 26 & 3 == 0);
        let values = [
            act as u64,
            limit,
            charge.into(),
            cost,
            refund.into(),
            unrefund.into(),
            amount,
            saved_gas,
            saved_refund,
            success.into(),
            halted.into(),
        ];
        for (id, value) in inputs.into_iter().zip(values) {
            model.set_u64(id, value);
        }
        model.set_word(request, &word);
        model.eval();
        assert_eq!(model.get_u64(gas), left, "step {step}");
        assert_eq!(model.get_u64(refunds), back, "step {step}");
        assert_eq!(model.get_u64(granted), grant, "step {step}");
        assert_eq!(model.get_u64(lacks), u64::from(left < cost), "step {step}");
        assert_eq!(model.get_u64(after), left.wrapping_sub(cost), "step {step}");
        model.tick();
        shortages += u64::from(charge && left < cost);
        if charge && left >= cost {
            left -= cost;
        }
        if refund {
            back = back.wrapping_add(amount);
        }
        if unrefund {
            back = back.wrapping_sub(amount);
        }
        match act {
            Act::Start => (left, back) = (limit, 0),
            Act::Grant if word[8..] == [0; 24] => grant = limit,
            Act::Grant => grant = u64::MAX,
            Act::Forward => {
                let most = left - left / 64;
                cuts += u64::from(grant > most);
                grant = grant.min(most);
            }
            Act::Stipend => grant = grant.wrapping_add(price::STIPEND),
            Act::Enter => left = grant,
            Act::Refill => left = left.wrapping_add(grant),
            Act::Leave => grant = if halted { 0 } else { left },
            Act::LoadMachine => {
                left = saved_gas.wrapping_add(grant);
                if !success {
                    back = saved_refund;
                }
            }
            _ => {}
        }
    }
    assert!(shortages > 1_000 && cuts > 100, "{shortages}, {cuts}");
}
