//! Results that do not hold together.

use super::fake::{Fake, Step, drain, number, open, options, plain_result, stop, submit};
use super::{faults, works};
use gatewei_abi::result::Header;
use gatewei_abi::status::Status;
use gatewei_driver::Fault;
use gatewei_driver::result::Malformed;
use zerocopy::IntoBytes;

#[test]
fn malformed_results_are_named() {
    type Change = fn(&mut Header);
    let changes: [(Change, Malformed); 11] = [
        (|h| h.gas_left = 1_001, Malformed::Gas),
        (|h| h.refund = -1, Malformed::Refund),
        (|h| h.logs_end = 0, Malformed::Overlap),
        (|h| h.logs_end = u32::MAX, Malformed::Logs),
        (|h| h.logs = 1, Malformed::Logs),
        (|h| h.logs_end += 32, Malformed::Logs),
        (
            |h| (h.output_offset, h.output_bytes) = (0, 1),
            Malformed::Overlap,
        ),
        (|h| h.output_bytes = u32::MAX, Malformed::Output),
        (
            |h| (h.output_offset, h.output_bytes) = (u32::MAX, 1),
            Malformed::Output,
        ),
        (|h| h.slots = u32::MAX, Malformed::Slots),
        (|h| (h.slots_offset, h.slots) = (32, 1), Malformed::Overlap),
    ];
    for (change, why) in changes {
        let fake = Fake::new(1, move |_, message| {
            let mut header = zerocopy::FromBytes::read_from_bytes(&plain_result(0)[..]).unwrap();
            if number(message) == 1 {
                change(&mut header);
            }
            vec![Step::Done(Status::Stop as u8, header.as_bytes().to_vec())]
        });
        let mut card = open(&fake, options());
        let ticket = submit(&mut card, 0, 1);
        assert_eq!(
            faults(&drain(&mut card, 5)),
            [(ticket, Fault::BadResult(why))]
        );
        assert_eq!(Fault::BadResult(why).name(), "malformed_result");
        works(&mut card, &fake);
    }
}

#[test]
fn a_result_that_was_never_written_is_malformed() {
    let fake = Fake::new(1, |_, message| match number(message) {
        0 => vec![stop(0)],
        _ => vec![Step::Done(Status::Stop as u8, vec![])],
    });
    let mut card = open(&fake, options());
    works(&mut card, &fake);
    let ticket = submit(&mut card, 0, 1);
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        [(ticket, Fault::BadResult(Malformed::Overlap))]
    );
}

#[test]
fn a_log_with_five_topics_is_malformed() {
    let fake = Fake::new(1, |_, _| {
        let mut bytes = plain_result(0);
        let head = gatewei_abi::result::LogHead {
            topics: 5,
            ..Default::default()
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.resize(bytes.len() + 6 * 32, 0);
        let end = bytes.len() as u32;
        let mut header: Header = zerocopy::FromBytes::read_from_bytes(&bytes[..128]).unwrap();
        (header.logs, header.logs_end) = (1, end);
        bytes[..128].copy_from_slice(header.as_bytes());
        vec![Step::Done(Status::Stop as u8, bytes)]
    });
    let mut card = open(&fake, options());
    let ticket = submit(&mut card, 0, 1);
    let events = drain(&mut card, 5);
    assert_eq!(
        faults(&events),
        [(ticket, Fault::BadResult(Malformed::Topics))]
    );
}

#[test]
fn a_slot_without_an_account_is_malformed() {
    use gatewei_abi::result::{SlotHead, kind, slot};
    // (kind, account) of a slot behind an account and a field.
    let cases = [
        (kind::STORAGE, 3, Malformed::Account),
        (kind::FIELD, 1, Malformed::Account),
        (kind::TRANSIENT, u32::MAX, Malformed::Account),
        (4, 0, Malformed::Kind),
    ];
    let fake = Fake::new(1, move |_, message| {
        let (last, account, _) = cases[number(message) as usize];
        let mut bytes = plain_result(0);
        for (kind, account) in [(kind::ACCOUNT, 77), (kind::FIELD, 0), (last, account)] {
            let head = SlotHead {
                flags: kind << slot::KIND,
                account,
                ..SlotHead::default()
            };
            bytes.extend_from_slice(head.as_bytes());
            bytes.resize(bytes.len() + 64, 0);
        }
        let mut header: Header = zerocopy::FromBytes::read_from_bytes(&bytes[..128]).unwrap();
        header.slots = 3;
        bytes[..128].copy_from_slice(header.as_bytes());
        vec![Step::Done(Status::Stop as u8, bytes)]
    });
    let mut card = open(&fake, options());
    for (n, (_, _, why)) in (0..).zip(cases) {
        let ticket = submit(&mut card, 0, n);
        let events = drain(&mut card, 5);
        assert_eq!(faults(&events), [(ticket, Fault::BadResult(why))]);
    }
}
