//! Creations: init code and deployed code pass through the message's result buffer.

use gatewei_abi::command::create::{answer, call};
use gatewei_abi::{BEAT, Word};

use super::{Card, Ticket, field};
use crate::codes::Code;
use crate::transport::Transport;

/// A contract that a lane is about to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// Nonce of the creator before the creation.
    pub nonce: u64,
    /// Salt of a CREATE2, as a number; none for a CREATE.
    pub salt: Option<Word>,
    /// Init code.
    pub init: Vec<u8>,
}

impl<T: Transport> Card<T> {
    /// The creation that a request of kind [`gatewei_abi::command::request::CREATE`] is about. None where the key
    /// names what is not in the result buffer, or the message has left.
    pub fn creation(&mut self, ticket: Ticket, key: &Word) -> Option<Creation> {
        let offset = u32::from_le_bytes(field(key, call::OFFSET)) as usize;
        let bytes = u32::from_le_bytes(field(key, call::BYTES)) as usize;
        let salted = field(key, call::SALTED) != [0; 4];
        let mut passed = self.passed(ticket, offset, bytes.checked_add(BEAT)?)?;
        let init = passed.split_off(BEAT);
        let salt = passed.try_into().ok().filter(|_| salted);
        let nonce = u64::from_le_bytes(field(key, call::NONCE));
        Some(Creation { nonce, salt, init })
    }

    /// The code that a request of kind [`gatewei_abi::command::request::DEPLOY`] is about, as
    /// [`Card::creation`].
    pub fn deployment(&mut self, ticket: Ticket, key: &Word) -> Option<Vec<u8>> {
        let offset = u32::from_le_bytes(field(key, call::OFFSET)) as usize;
        let bytes = u32::from_le_bytes(field(key, call::BYTES)) as usize;
        self.passed(ticket, offset, bytes)
    }

    /// Tells the lane the address of the contract, 20 bytes as a number, and where its init code lies. The
    /// code stays there until the message has ended.
    pub fn reply_creation(&mut self, ticket: Ticket, address: Word, init: Code<'_>) {
        let answer = self.pin(ticket, init).map(|(image, _)| {
            let mut word = address;
            word[answer::IMAGE..answer::IMAGE + 8].copy_from_slice(&image.to_le_bytes());
            word
        });
        self.reply(ticket, answer);
    }
}
