//! Contracts that the frames on a card create.

use gatewei_abi::Word;
use gatewei_abi::message::code::flag;
use gatewei_abi::message::{code, code_word};
use gatewei_driver::Creation;
use revm::bytecode::Bytecode;
use revm::primitives::{Address, B256, Bytes, KECCAK_EMPTY, keccak256};

use super::message::{OwnCode, from_word};

/// The codes that the frames of one transaction deployed, also those of frames that reverted.
#[derive(Debug, Default)]
pub struct Deployed {
    codes: Vec<OwnCode>,
}

impl Deployed {
    /// Notes a code; its code word, but for the place of its image, and the code.
    pub fn add(&mut self, output: Vec<u8>) -> (Word, OwnCode) {
        let mut word = code_word(output.len(), flag::ALIVE | flag::CREATED);
        let own = own_code(output.into());
        self.codes.push(own.clone());
        word[code::MARK..].copy_from_slice(&(self.codes.len() as u32).to_le_bytes());
        (word, own)
    }

    /// The code of an account with this code word, and its hash; none for one that was not deployed.
    pub fn get(&self, word: &Word) -> Option<(&Bytecode, B256)> {
        let own = self.codes.get(mark(word).checked_sub(1)?)?;
        Some((&own.code, own.key.into()))
    }

    /// The hash of the code of an account that was created: of none, while its init code runs. `None` for another account,
    /// and for a code that was not deployed.
    pub fn hash(&self, word: &Word) -> Option<B256> {
        if flags(word) & flag::CREATED == 0 {
            return None;
        }
        match mark(word) {
            0 => Some(KECCAK_EMPTY),
            _ => self.get(word).map(|(_, hash)| hash),
        }
    }
}

/// Which of the deployed codes an account has, from 1; 0: none of them.
fn mark(word: &Word) -> usize {
    let bytes = std::array::from_fn(|i| word[code::MARK + i]);
    u32::from_le_bytes(bytes) as usize
}

/// Flags of an account's code word.
pub fn flags(word: &Word) -> u32 {
    let bytes = std::array::from_fn(|i| word[code::FLAGS + i]);
    u32::from_le_bytes(bytes)
}

/// Address of the contract that `creator` creates, and its init code.
pub fn contract(creator: Address, creation: Creation) -> (Address, OwnCode) {
    let init = own_code(creation.init.into());
    let address = match creation.salt {
        Some(salt) => creator.create2(from_word(&salt).to_be_bytes::<32>(), init.key),
        None => creator.create(creation.nonce),
    };
    (address, init)
}

fn own_code(code: Bytes) -> OwnCode {
    OwnCode {
        key: keccak256(&code).0,
        code: Bytecode::new_legacy(code),
    }
}
