//! What a soft lane was told: its slot table and the answers to its requests.

use std::collections::HashMap;

use gatewei::card::message::{from_word, to_address, to_word};
use gatewei_abi::command::request;
use gatewei_abi::message::code::{self, flag};
use gatewei_abi::message::{account, code_image_bytes, code_of_image};
use gatewei_abi::result::{field, kind};
use gatewei_abi::{BEAT, Word};
use revm::Database;
use revm::bytecode::Bytecode;
use revm::database_interface::DBErrorMarker;
use revm::primitives::{Address, B256, U256};
use revm::state::AccountInfo;

use super::fake::Question;
use super::{Reader, u32_at, u64_at};

/// A missing value: the request for it.
#[derive(Debug)]
pub struct Miss(pub Question);

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "request {:?}", self.0)
    }
}
impl std::error::Error for Miss {}
impl DBErrorMarker for Miss {}

/// An entry of the slot table.
#[derive(Debug)]
pub struct Entry {
    pub kind: u32,
    pub account: usize,
    pub key: U256,
    /// Its value at the start, where it is known.
    pub value: Option<Word>,
    /// A field that was used.
    pub used: bool,
}

/// The slot table, the answers, and the memory that the card can read.
pub struct Table<'a> {
    pub entries: Vec<Entry>,
    places: HashMap<(u32, usize, U256), usize>,
    answers: HashMap<Question, Word>,
    read: &'a dyn Fn(u64, usize) -> Vec<u8>,
}

fn number(address: Address) -> U256 {
    address.into_word().into()
}

impl<'a> Table<'a> {
    pub fn new(answers: &[(Question, Word)], read: &'a dyn Fn(u64, usize) -> Vec<u8>) -> Self {
        let mut map = HashMap::new();
        for (question, answer) in answers {
            assert!(map.insert(*question, *answer).is_none(), "asked twice");
        }
        Self {
            entries: Vec::new(),
            places: HashMap::new(),
            answers: map,
            read,
        }
    }

    fn push(&mut self, kind: u32, account: usize, key: U256, value: Option<Word>) -> usize {
        let place = self.entries.len();
        let old = self.places.insert((kind, account, key), place);
        assert!(old.is_none(), "an entry stands twice");
        self.entries.push(Entry {
            kind,
            account,
            key,
            value,
            used: false,
        });
        place
    }

    /// Reads an account of the message. The keys that are warm, where the account is.
    pub fn account_of_message(&mut self, reader: &mut Reader<'_>) -> Option<(Address, Vec<U256>)> {
        let [head, code]: [Word; 2] = reader.beats(2).try_into().expect("two beats");
        let count = |at| u16::from_le_bytes([head[at], head[at + 1]]).into();
        let flags = u32::from(head[account::FLAGS]);
        let mut address = head;
        address[20..].fill(0);
        let key = from_word(&address);
        let known = flags & account::flag::KNOWN != 0;
        let index = self.entries.len();
        self.push(kind::ACCOUNT, index, key, known.then_some(code));
        if flags & account::flag::BALANCE != 0 {
            let balance = reader.beats(1)[0];
            let key = U256::from(field::BALANCE);
            self.push(kind::FIELD, index, key, Some(balance));
        }
        let mut warm_keys = Vec::new();
        let mut pairs = |table: &mut Self, count: usize| {
            let beats = reader.beats(2 * count);
            let pairs = beats.as_chunks::<2>().0.iter();
            let keys = pairs.map(|[key, value]| {
                let key = from_word(key);
                table.push(kind::STORAGE, index, key, Some(*value));
                key
            });
            keys.collect::<Vec<_>>()
        };
        warm_keys.extend(pairs(self, count(account::SLOTS_WARM)));
        pairs(self, count(account::SLOTS_COLD));
        for key in reader.beats(count(account::SLOTS_NAMED)) {
            let key = from_word(&key);
            self.push(kind::STORAGE, index, key, None);
            warm_keys.push(key);
        }
        let warm = flags & account::flag::WARM != 0;
        assert!(warm || warm_keys.is_empty(), "warm slots of a cold account");
        warm.then(|| (to_address(&address), warm_keys))
    }

    /// The value of an entry, known or answered; a new entry has `account` as its owner, or is its own.
    fn value(&mut self, kind: u32, owner: Option<usize>, key: U256) -> Result<(usize, Word), Miss> {
        let of = |place: usize| owner.unwrap_or(place);
        let asks = match kind {
            kind::ACCOUNT => request::ACCOUNT,
            kind::FIELD => request::FIELD,
            _ => request::STORAGE,
        };
        let place = self.place(kind, owner, key);
        if let Some(place) = place
            && let Some(value) = self.entries[place].value
        {
            return Ok((place, value));
        }
        let index = of(place.unwrap_or(self.entries.len()));
        let question = (asks, index as u32, to_word(key));
        let answer = *self.answers.get(&question).ok_or(Miss(question))?;
        let place = place.unwrap_or_else(|| self.push(kind, index, key, None));
        self.entries[place].value = Some(answer);
        Ok((place, answer))
    }

    fn place(&self, kind: u32, owner: Option<usize>, key: U256) -> Option<usize> {
        match owner {
            Some(owner) => self.places.get(&(kind, owner, key)).copied(),
            None => {
                let is = |entry: &Entry| entry.kind == kind && entry.key == key;
                self.entries.iter().position(is)
            }
        }
    }

    /// An account's index and code word.
    pub fn account(&mut self, address: Address) -> Result<(usize, Word), Miss> {
        self.value(kind::ACCOUNT, None, number(address))
    }

    /// A field of an account. It counts as used if the execution depends on it.
    pub fn field(&mut self, address: Address, key: u8, used: bool) -> Result<U256, Miss> {
        let (account, _) = self.account(address)?;
        let (place, value) = self.value(kind::FIELD, Some(account), U256::from(key))?;
        self.entries[place].used |= used;
        Ok(from_word(&value))
    }

    /// A slot of transient storage was used: its entry comes without a request.
    pub fn transient(&mut self, address: Address, key: U256) -> Result<(), Miss> {
        let (account, _) = self.account(address)?;
        if self.place(kind::TRANSIENT, Some(account), key).is_none() {
            self.push(kind::TRANSIENT, account, key, Some(Word::default()));
        }
        Ok(())
    }

    /// True where the account is known not to be empty, whatever its balance.
    pub fn is_alive(&mut self, address: Address) -> Result<bool, Miss> {
        let (_, word) = self.account(address)?;
        Ok(u32_at(&word, code::FLAGS) & flag::ALIVE != 0)
    }

    /// True where the account is known to delegate its code.
    pub fn is_delegated(&self, address: Address) -> bool {
        let place = self.place(kind::ACCOUNT, None, number(address));
        let word = place.and_then(|place| self.entries[place].value);
        word.is_some_and(|word| u32_at(&word, code::FLAGS) & flag::DELEGATED != 0)
    }

    /// The code behind a code word.
    fn code(&self, word: &Word) -> Bytecode {
        let bytes = u32_at(word, code::BYTES) as usize;
        if u32_at(word, code::FLAGS) & flag::DELEGATED != 0 {
            assert_eq!(bytes, 23);
            let mut address = *word;
            address[20..].fill(0);
            return Bytecode::new_eip7702(to_address(&address));
        }
        if bytes == 0 {
            return Bytecode::default();
        }
        assert_ne!(u64_at(word, code::TAG), 0);
        self.image(u64_at(word, code::IMAGE), bytes)
    }

    /// The code of an image.
    pub fn image(&self, image: u64, bytes: usize) -> Bytecode {
        let image = (self.read)(image, code_image_bytes(bytes));
        let (code, jumpdests) = code_of_image(&image, bytes);
        let bytecode = Bytecode::new_legacy(code.into());
        let jumps = bytecode.legacy_jump_table().expect("legacy code");
        for (at, marked) in jumpdests.into_iter().enumerate() {
            assert_eq!(marked, jumps.is_valid(at), "the image's jump destinations");
        }
        bytecode
    }
}

impl Database for Table<'_> {
    type Error = Miss;
    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Miss> {
        let (index, word) = self.account(address)?;
        let code = self.code(&word);
        // What will be answered is taken from the start: revm's journal keeps what it has loaded.
        let key = U256::from(field::BALANCE);
        let question = (request::FIELD, index as u32, to_word(key));
        let told = self.place(kind::FIELD, Some(index), key);
        let told = told.and_then(|place| self.entries[place].value);
        let balance = told.or_else(|| self.answers.get(&question).copied());
        Ok(Some(AccountInfo {
            balance: balance.map_or(U256::ZERO, |balance| from_word(&balance)),
            nonce: self.is_alive(address)?.into(),
            code_hash: code.hash_slow(),
            code: Some(code),
            ..AccountInfo::default()
        }))
    }
    fn code_by_hash(&mut self, _: B256) -> Result<Bytecode, Miss> {
        unreachable!("codes come with their accounts")
    }
    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Miss> {
        let (account, _) = self.account(address)?;
        let (_, value) = self.value(kind::STORAGE, Some(account), key)?;
        Ok(from_word(&value))
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, Miss> {
        let question = (request::BLOCK_HASH, 0, to_word(U256::from(number)));
        let hash = self.answers.get(&question).ok_or(Miss(question))?;
        Ok(from_word(hash).into())
    }
}

const _: () = assert!(BEAT == 32);
