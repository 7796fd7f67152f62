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
        let mark = word[code::MARK..].try_into().map(u32::from_le_bytes);
        let index = (mark.ok()? as usize).checked_sub(1)?;
        let own = self.codes.get(index)?;
        Some((&own.code, own.key.into()))
    }

    /// The hash of that code; while its init code runs, a contract has none. `None` for an account that was not created.
    pub fn hash(&self, word: &Word) -> Option<B256> {
        let created = flags(word) & flag::CREATED != 0;
        let code = self.get(word).map(|(_, hash)| hash);
        created.then(|| code.unwrap_or(KECCAK_EMPTY))
    }
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
