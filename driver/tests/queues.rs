//! The driver against a card that does what it should: rings, wraps, requests, credit.

mod fake;

use std::collections::{BTreeMap, BTreeSet};

use fake::{
    Fake, Step, code as a_code, drain, message, number, open, options, plain_result, stop, submit,
};
use gatewei_abi::command::{op, request};
use gatewei_abi::message::{Account, Message, code, code_word, header};
use gatewei_abi::result::{HEADER_BYTES, Header, LogHead, SlotHead, kind, slot};
use gatewei_abi::status::{Status, Trap};
use gatewei_abi::{layout, regs, word};
use gatewei_driver::transport::{Transport as _, Wait};
use gatewei_driver::{Card, Code, Event, Fault, Options, Port, State, SubmitError, share};
use zerocopy::IntoBytes;

#[test]
fn rings_of_every_depth_wrap_their_indices_and_phases() {
    for (ring_log2, messages) in [(1, 70_000u64), (2, 3_000), (5, 3_000), (12, 20_000)] {
        let fake = Fake::new(1, |_, message| vec![stop(number(message) % 1_000)]);
        let mut card = open(
            &fake,
            Options {
                ring_log2,
                ..options()
            },
        );
        let (mut next, mut done, mut events, mut tickets) = (0, 0, Vec::new(), Vec::new());
        while done < messages {
            while next < messages && card.credit(0) > 0 {
                tickets.push(submit(&mut card, 0, next));
                next += 1;
            }
            card.wait(Wait::default());
            card.poll(&mut events);
            for event in events.drain(..) {
                let Event::Done { ticket, result } = event else {
                    panic!("{event:?}")
                };
                assert_eq!(ticket, tickets[done as usize], "in order");
                assert_eq!((result.gas_left, result.cost.retired), (done % 1_000, 7));
                done += 1;
            }
        }
        let counters = card.counters();
        assert_eq!(
            (counters.submitted, counters.completions),
            (messages, messages)
        );
        assert_eq!(
            (counters.stale, counters.bad_heads, counters.resets),
            (0, 0, 0)
        );
    }
}

#[test]
fn a_lane_takes_what_it_has_credit_for() {
    let fake = Fake::new(2, |_, _| vec![stop(0)]);
    let mut card = open(&fake, options());
    assert_eq!(
        (card.caps().lanes, card.caps().credits),
        (2, layout::LANE_QUEUE as u16 + 1)
    );
    for n in 0..5 {
        assert_eq!(card.credit(1), 5 - n);
        submit(&mut card, 1, u64::from(n));
    }
    let refused = card.submit(1, message(9, 9), a_code(), &[]);
    assert!(
        matches!(refused, Err(SubmitError::NoCredit(1))),
        "{refused:?}"
    );
    let refused = card.submit(2, message(9, 9), a_code(), &[]);
    assert!(
        matches!(refused, Err(SubmitError::NoLane(2))),
        "{refused:?}"
    );
    assert_eq!((card.credit(0), card.credit(2)), (5, 0));
    assert_eq!(drain(&mut card, 20).len(), 5);
    assert_eq!(card.credit(1), 5);
}

#[test]
fn requests_go_out_and_answers_come_back() {
    let asks = [
        (request::STORAGE, 2, 5),
        (request::FIELD, 2, 0),
        (request::BLOCK_HASH, 0, 77),
        (request::ACCOUNT, 9, 0xc0de),
    ];
    let fake = Fake::new(1, move |_, _| {
        let mut steps: Vec<Step> = asks
            .map(|(kind, account, key)| Step::AskOf(kind, account, word(key)))
            .to_vec();
        steps.push(stop(3));
        steps
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 0);
    for (kind, account, key) in asks {
        let mut events = Vec::new();
        card.wait(Wait::default());
        card.poll(&mut events);
        assert!(
            matches!(&events[..], [Event::Request { ticket: t, kind: k, account: a, key: word_ }]
                if *t == ticket && (*k, *a) == (kind, account) && *word_ == word(key)),
            "{events:?}"
        );
        card.reply(ticket, Some(word(key + 1)));
        card.reply(ticket, Some(word(0)));
    }
    let events = drain(&mut card, 5);
    assert!(matches!(events[..], [Event::Done { .. }]), "{events:?}");
    let answers: Vec<_> = fake
        .inside()
        .answers
        .iter()
        .map(|a| (a.op, a.value))
        .collect();
    assert_eq!(answers, asks.map(|(_, _, key)| (op::REPLY, word(key + 1))));
    assert_eq!(card.counters().late, 4, "second answers are not sent");
    card.reply(ticket, None);
    card.cancel(ticket);
    assert_eq!(card.counters().late, 6, "nor those after the end");
}

#[test]
fn an_answer_that_the_host_lacks_makes_the_message_trap() {
    let fake = Fake::new(1, |_, _| {
        vec![Step::Ask(request::STORAGE, word(1)), stop(0)]
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 0);
    card.wait(Wait::default());
    card.poll(&mut Vec::new());
    card.reply(ticket, None);
    let events = drain(&mut card, 5);
    assert!(
        matches!(
            events[..],
            [Event::Trap {
                trap: Trap::Host,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn a_trap_names_opcode_and_place() {
    let tag = 0x1234 << 8 | 0xf1;
    let fake = Fake::new(1, move |_, _| vec![Step::Trap(Trap::Opcode as u8, tag)]);
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    let events = drain(&mut card, 5);
    let [
        Event::Trap {
            trap,
            opcode,
            pc,
            cost,
            ..
        },
    ] = events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((trap, opcode, pc), (Trap::Opcode, 0xf1, 0x1234));
    assert_eq!(
        cost,
        Default::default(),
        "the last result is not taken for this one's"
    );
}

#[test]
fn code_is_written_once_per_key_and_evicted_when_idle() {
    let fake = Fake::new(1, |_, _| vec![stop(0)]);
    let mut card = open(
        &fake,
        Options {
            code_cache_bytes: 256,
            ..options()
        },
    );
    let made = std::cell::Cell::new(0);
    for key in [1, 1, 2, 1, 3, 4, 5, 1, 2] {
        let image = || {
            made.set(made.get() + 1);
            vec![key as u8; 64]
        };
        card.submit(
            0,
            message(0, 10),
            Code {
                key: word(key),
                image: &image,
            },
            &[],
        )
        .unwrap();
        drain(&mut card, 5);
    }
    // 1, 2, 3, 4 fit; 5 evicts 2, the least recently used; 2 evicts 3.
    assert_eq!((made.get(), fake.inside().released), (6, 2));
}

#[test]
fn codes_of_accounts_are_placed_and_stay_until_the_end() {
    let u64_at =
        |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let place = move |word: &[u8]| (u64_at(word, code::IMAGE), u64_at(word, code::TAG));
    // What the card sees of the code words of a message's two accounts, and of the code behind.
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = seen.clone();
    let fake = Fake::with(1, move |exec| {
        let mut seen = sink.lock().unwrap();
        let bytes = (header::WORDS + 4) * 32;
        let message = (exec.read)(exec.submission.address, bytes);
        let state = &message[header::WORDS * 32..];
        let told = place(&state[32..64]);
        assert_eq!(place(&state[96..128]), (0, 0), "an account without code");
        let answer = exec.answers.last().map(|(_, word)| word);
        let asked = answer.map(|word| place(word));
        for (image, _) in asked.iter().chain([&told]).filter(|place| place.0 != 0) {
            seen.push((exec.read)(*image, 1)[0]);
        }
        match asked {
            None => vec![Step::AskOf(request::ACCOUNT, 2, word(0xb))],
            Some(_) => vec![stop(0)],
        }
    });
    let small = Options {
        code_cache_bytes: 64,
        ..options()
    };
    let mut card = open(&fake, small);
    let accounts = [(0xa, Some(code_word(5, 1))), (0xc, Some(code_word(0, 0)))];
    let accounts = accounts.map(|(address, code)| Account {
        address: word(address),
        code,
        ..Account::default()
    });
    let message = Message {
        accounts: &accounts,
        ..message(0, 1_000)
    };
    let named = |key: u64, image: &'static dyn Fn() -> Vec<u8>| Code {
        key: word(key),
        image,
    };
    let callee = named(2, &|| vec![2; 64]);
    let ticket = card.submit(0, message, named(1, &|| vec![1; 64]), &[Some(callee)]);
    let ticket = ticket.expect("the card takes the message");
    card.wait(Wait::default());
    card.poll(&mut Vec::new());
    card.reply_code(ticket, code_word(7, 1), named(3, &|| vec![3; 64]));
    let events = drain(&mut card, 5);
    assert!(matches!(events[..], [Event::Done { .. }]), "{events:?}");
    // Once before the answer and once with it. All three lie there, whatever the cache's limit.
    assert_eq!(*seen.lock().unwrap(), [2, 3, 2]);
    assert_eq!(fake.inside().released, 0);
    card.reply_code(ticket, code_word(7, 1), named(4, &|| vec![4; 64]));
    assert_eq!(card.counters().late, 1);
    // The next message finds no user of them.
    let tickets = card.submit(0, fake::message(0, 1_000), named(5, &|| vec![5; 64]), &[]);
    tickets.expect("the card takes the message");
    assert_eq!(fake.inside().released, 3);
}

#[test]
fn a_lane_that_asks_for_its_code_gets_the_address() {
    let fake = Fake::new(1, |_, message| {
        let at = 32 + gatewei_abi::message::gas::CODE_TAG;
        let tag = u64::from_le_bytes(message[at..at + 8].try_into().unwrap());
        vec![
            Step::Ask(request::CODE, word(tag)),
            Step::Ask(request::CODE, word(tag + 1)),
            stop(0),
        ]
    });
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    let events = drain(&mut card, 10);
    assert!(
        matches!(
            events[..],
            [Event::Trap {
                trap: Trap::Host,
                ..
            }]
        ),
        "{events:?}"
    );
    let inside = fake.inside();
    assert_eq!(
        (inside.answers[0].failed, inside.answers[1].failed),
        (0, 1),
        "another's tag"
    );
    assert_ne!(inside.answers[0].value, word(0));
}

#[test]
fn a_result_arrives_whole() {
    let fake = Fake::new(1, |_, _| {
        let mut bytes = vec![0; HEADER_BYTES];
        for (topics, data) in [(0u32, 0usize), (4, 33), (1, 64)] {
            let head = LogHead {
                data_bytes: data as u32,
                topics,
                ..LogHead::default()
            };
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(&word(0xadd));
            (0..topics).for_each(|t| bytes.extend_from_slice(&word(t.into())));
            bytes.resize(bytes.len() + data, topics as u8);
            bytes.resize(bytes.len().next_multiple_of(32), 0xee);
        }
        let logs_end = bytes.len() as u32;
        bytes.extend_from_slice(b"output");
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        let slots_offset = bytes.len() as u32;
        let kinds = [kind::STORAGE, kind::ACCOUNT, kind::FIELD];
        for (n, kind) in (0..).zip(kinds) {
            let head = SlotHead {
                flags: slot::USED | n as u32 & 2 | kind << slot::KIND,
                account: 1,
                ..SlotHead::default()
            };
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(&word(n));
            bytes.extend_from_slice(&word(n + 100));
        }
        let header = Header {
            gas_left: 11,
            refund: 12,
            cycles: 13,
            wait_cycles: 14,
            retired: 15,
            memory_words: 16,
            requests: 17,
            logs: 3,
            logs_end,
            slots: 3,
            slots_offset,
            output_bytes: 6,
            output_offset: logs_end,
            ..Header::default()
        };
        bytes[..HEADER_BYTES].copy_from_slice(header.as_bytes());
        vec![Step::Done(Status::Return as u8, bytes)]
    });
    let mut card = open(&fake, options());
    submit(&mut card, 0, 0);
    let events = drain(&mut card, 5);
    let [Event::Done { result, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (result.status, result.gas_left, result.refund),
        (Status::Return, 11, 12)
    );
    assert_eq!((result.cost.cycles, result.cost.wait_cycles), (13, 14));
    assert_eq!((result.cost.retired, result.cost.requests), (15, 17));
    assert_eq!(result.memory_words, 16);
    assert_eq!(result.output, b"output");
    let logs: Vec<_> = result
        .logs
        .iter()
        .map(|l| (l.topics.len(), l.data.clone()))
        .collect();
    assert_eq!(logs, [(0, vec![]), (4, vec![4; 33]), (1, vec![1; 64])]);
    assert_eq!(result.logs[1].topics[3], word(3));
    assert!(result.logs.iter().all(|log| log.address == word(0xadd)));
    let slots: Vec<_> = result
        .slots
        .iter()
        .map(|s| (s.flags & 15, s.kind(), s.key, s.value))
        .collect();
    assert_eq!(
        slots,
        [
            (1, kind::STORAGE, word(0), word(100)),
            (1, kind::ACCOUNT, word(1), word(101)),
            (3, kind::FIELD, word(2), word(102))
        ]
    );
}

#[test]
fn lost_interrupts_cost_time_alone() {
    let fake = Fake::new(1, |_, _| vec![Step::Work, stop(0)]);
    fake.inside().faults.deaf = true;
    let mut card = open(&fake, options());
    for n in 0..5 {
        submit(&mut card, 0, n);
    }
    let events = drain(&mut card, 50);
    assert!(
        events
            .iter()
            .all(|event| matches!(event, Event::Done { .. })),
        "{events:?}"
    );
    assert_eq!(events.len(), 5);
    assert_eq!(plain_result(0).len(), HEADER_BYTES);
}

/// Queue pairs of a card of four lanes, each with a thread of its own, and what each of its messages does.
fn shared(
    planner: impl FnMut(&gatewei_abi::command::Submission, &[u8]) -> Vec<Step> + Send + 'static,
) -> (Fake, Vec<Card<Port<Fake>>>) {
    let fake = Fake::new(4, planner);
    fake.inside().caps = u32::from_le_bytes([4, 1, 4, 2]);
    let cards = share(fake.clone(), options(), 9).expect("the card opens");
    (fake, cards)
}

/// Sends `count` messages over all lanes, each with its number as its gas, and takes what becomes of them; how many
/// were lost because the card was reset.
fn work(card: &mut Card<Port<Fake>>, count: u64) -> u64 {
    let (mut next, mut done, mut lost, mut events) = (0, 0, 0, Vec::new());
    let mut tickets = BTreeMap::new();
    while done + lost < count {
        for lane in 0..card.caps().lanes {
            if next < count && card.credit(lane) > 0 {
                match card.submit(lane, message(next, 1_000), a_code(), &[]) {
                    Ok(ticket) => drop(tickets.insert(ticket.command(), next)),
                    Err(SubmitError::Failed(Fault::Reset)) => lost += 1,
                    Err(error) => panic!("{error}"),
                }
                next += 1;
            }
        }
        card.wait(Wait::default());
        card.poll(&mut events);
        for event in events.drain(..) {
            match event {
                Event::Done { ticket, result } => {
                    let number = tickets.remove(&ticket.command()).expect("its own message");
                    assert_eq!(result.gas_left, number % 1_000);
                    done += 1;
                }
                Event::Fault { ticket, fault } => {
                    tickets.remove(&ticket.command()).expect("its own message");
                    assert!(
                        matches!(fault, Fault::Reset | Fault::BadCompletion),
                        "{fault}"
                    );
                    lost += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    lost
}

#[test]
fn queue_pairs_serve_a_thread_each() {
    let (fake, cards) = shared(|_, message| vec![stop(number(message) % 1_000)]);
    assert_eq!(cards.len(), 2);
    assert!(cards.iter().all(|card| card.caps().lanes == 2));
    std::thread::scope(|scope| {
        for mut card in cards {
            scope.spawn(move || assert_eq!(work(&mut card, 20_000), 0));
        }
    });
    let inside = fake.inside();
    let lanes = |pair: u32| {
        let of = inside.fetched.iter();
        let of = of.filter(|submission| submission.command >> 12 & 15 == pair);
        of.map(|submission| submission.lane)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!((lanes(0), lanes(1)), ([0, 2].into(), [1, 3].into()));
    assert_eq!(inside.fetched.len(), 40_000);
}

#[test]
fn a_pair_that_resets_the_card_costs_the_other_its_messages_and_no_more() {
    // Every 500th message of the first pair ends in a way that only a reset mends.
    let (_, cards) = shared(|submission, message| match number(message) {
        n if submission.command >> 12 & 15 == 0 && n % 500 == 499 => {
            vec![Step::Done(99, plain_result(0))]
        }
        n => vec![stop(n % 1_000)],
    });
    let counters = std::thread::scope(|scope| {
        let threads = cards.into_iter().map(|mut card| {
            scope.spawn(move || {
                let lost = work(&mut card, 20_000);
                assert_eq!(card.state(), State::Ready);
                (lost, card.counters())
            })
        });
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it ends"))
            .collect::<Vec<_>>()
    });
    let [(lost, first), (others, second)] = counters[..] else {
        panic!("{counters:?}")
    };
    assert_eq!(
        (first.resets, second.resets),
        (40, 0),
        "only one has cause to"
    );
    assert!(lost >= 40 && others < 20_000, "{lost} and {others} lost");
    assert_eq!(
        second.lost.to(Fault::Reset),
        second.lost.iter().map(|(_, n)| n).sum()
    );
}

#[test]
fn a_pair_that_leaves_does_not_take_the_card_along() {
    for in_flight in [false, true] {
        let (fake, mut cards) = shared(|_, message| match number(message) {
            77 => vec![Step::Hang],
            n => vec![stop(n)],
        });
        let control = || {
            let value = fake.clone().read32(regs::CARD + regs::card::CONTROL);
            value.expect("it answers")
        };
        let (mut second, mut first) = (cards.pop().expect("two"), cards.pop().expect("two"));
        assert_eq!((work(&mut first, 5), work(&mut second, 5)), (0, 0));
        if in_flight {
            // The card must let go of the message's memory, so the other has to start anew.
            let hangs = message(77, 1_000);
            first.submit(0, hangs, a_code(), &[]).expect("it is taken");
            first.wait(Wait::default());
        }
        drop(first);
        assert_eq!(control(), regs::CONTROL_ENABLE);
        assert_eq!(work(&mut second, 5) > 0, in_flight);
        assert_eq!((work(&mut second, 5), second.state()), (0, State::Ready));
        drop(second);
        assert_eq!(
            control(),
            regs::CONTROL_RESET,
            "the last one leaves it in reset"
        );
    }
}
