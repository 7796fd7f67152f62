//! What lanes ask, and what they are told.

use gatewei_abi::command::request;
use gatewei_abi::result::field;
use gatewei_abi::{BEAT, Word, layout, word_of_address};
use gatewei_driver::transport::Transport;
use gatewei_driver::{Code, Ticket};
use revm::context::result::EVMError;
use revm::primitives::{Address, U256};

use super::create;
use super::flights::{Flight, Flights, Landing, at_once};
use super::message::{OwnCode, code_word, from_word, to_address, to_word};
use super::split::{CardDatabase, CodeId};

/// A lane's question: kind, account, key.
pub(super) type Question = (u8, u32, Word);
/// An answer, with the code that it is about.
type Answer = (Word, Option<OwnCode>);

impl<DB: CardDatabase, J> Flight<DB, J> {
    /// The answer to a lane's question; none to one that makes no sense. It is remembered as told.
    fn ask(&mut self, (kind, index, key): Question) -> Result<Option<Answer>, DB::Error> {
        let account = self.accounts.get(&index).copied();
        let number = from_word(&key);
        match (kind, account) {
            (request::ACCOUNT, account) => {
                let address = to_address(&key);
                if account.is_some_and(|known| known != address) {
                    return Ok(None);
                }
                let info = self.inflight.account(address)?;
                if self.code_id(address)? != CodeId::of(&info) {
                    return Ok(None);
                }
                let code = self.inflight.code_of(&info)?;
                let answer = code_word(&info, &code);
                if answer.is_some() {
                    self.accounts.insert(index, address);
                }
                Ok(answer)
            }
            (request::STORAGE, Some(address)) => {
                let value = match self.known.slots.get(&(address, number)) {
                    Some(told) => *told,
                    // What is created there begins with empty storage (EIP-7610).
                    None if self.known.is_empty(&address) => U256::ZERO,
                    None => self.inflight.storage(address, number)?,
                };
                self.known.slots.insert((address, number), value);
                self.asked.push((address, number));
                Ok(Some((to_word(value), None)))
            }
            (request::FIELD, Some(address)) => {
                let value = match key[0] {
                    _ if key[1..] != [0; BEAT - 1] => return Ok(None),
                    field::BALANCE => {
                        let balance = match self.known.balances.get(&address) {
                            Some(told) => *told,
                            None => self.inflight.account(address)?.balance,
                        };
                        self.known.balances.insert(address, balance);
                        balance
                    }
                    field::CODE_HASH => self.code_id(address)?.hash.into(),
                    field::NONCE => {
                        let nonce = match self.known.nonces.get(&address) {
                            Some(told) => *told,
                            None => self.inflight.account(address)?.nonce,
                        };
                        self.known.nonces.insert(address, nonce);
                        U256::from(nonce)
                    }
                    _ => return Ok(None),
                };
                Ok(Some((to_word(value), None)))
            }
            (request::CODE_HASH, _) => {
                let hash = self.deployed.hash(&key);
                Ok(hash.map(|hash| (to_word(hash.into()), None)))
            }
            (request::BLOCK_HASH, _) => {
                let Ok(number) = u64::try_from(number) else {
                    return Ok(None);
                };
                let hash = self.inflight.block_hash(number)?;
                Ok(Some((to_word(hash.into()), None)))
            }
            _ => Ok(None),
        }
    }

    /// What the lane was told of an account, or will have been. As with slots and balances, never two things, of
    /// which the end would be compared with the second alone.
    fn code_id(&mut self, address: Address) -> Result<CodeId, DB::Error> {
        if let Some(told) = self.known.codes.get(&address) {
            return Ok(*told);
        }
        let id = CodeId::of(&self.inflight.account(address)?);
        self.known.codes.insert(address, id);
        Ok(id)
    }
}

impl<T: Transport, DB: CardDatabase, J> Flights<'_, T, DB, J> {
    /// Answers a lane. Where the database cannot, the transaction is given up with the database's
    /// error: in a parallel block, the read of a value that is about to be written again.
    pub(super) fn answer(&mut self, ticket: Ticket, question: Question) -> Option<Landing<DB, J>> {
        let flight = self.flights.get_mut(&ticket)?;
        match question {
            (request::PRECOMPILE, _, key) => {
                self.precompile(ticket, &key);
                return None;
            }
            (request::CREATE | request::DEPLOY, index, key) => {
                self.create(ticket, question.0 == request::DEPLOY, index, &key);
                return None;
            }
            _ => {}
        }
        match flight.ask(question) {
            Ok(Some((word, Some(code)))) => {
                let code_image = || code.image();
                let code = Code {
                    key: code.key,
                    image: &code_image,
                };
                self.runner.card.reply_code(ticket, word, code);
                None
            }
            Ok(answer) => {
                let word = answer.map(|(word, _)| word);
                self.runner.card.reply(ticket, word);
                None
            }
            Err(error) => {
                self.runner.card.cancel(ticket);
                let flight = self.flights.remove(&ticket)?;
                let ended = flight.inflight.fail(EVMError::Database(error));
                Some(at_once(ended, flight.job))
            }
        }
    }

    /// Runs a precompiled contract for a lane.
    fn precompile(&mut self, ticket: Ticket, key: &Word) {
        let card = &mut self.runner.card;
        let call = card.precompile_call(ticket, key);
        let flight = self.flights.get(&ticket);
        let Some((call, flight)) = call.zip(flight) else {
            card.reply(ticket, None);
            return;
        };
        let end = flight
            .inflight
            .precompile(call.address, &call.input, call.gas);
        match end {
            Some(end) => {
                let success = end.as_ref().map(|(gas, output)| (*gas, &output[..]));
                card.reply_precompile(ticket, &call, success);
            }
            None => card.reply(ticket, None),
        }
    }

    /// Names a contract that a lane creates, or takes the code that it deploys.
    fn create(&mut self, ticket: Ticket, deploy: bool, index: u32, key: &Word) {
        let card = &mut self.runner.card;
        let Some(flight) = self.flights.get_mut(&ticket) else {
            card.reply(ticket, None);
            return;
        };
        if deploy {
            if let Some(output) = card.deployment(ticket, key) {
                let (word, own) = flight.deployed.add(output);
                let image = || own.image();
                let code = Code {
                    key: own.key,
                    image: &image,
                };
                card.reply_code(ticket, word, code);
                return;
            }
        } else if let Some(creation) = card.creation(ticket, key)
            && creation.init.len() <= layout::CODE_BYTES
            && let Some(creator) = flight.accounts.get(&index)
        {
            let (address, init) = create::contract(*creator, creation);
            let image = || init.image();
            let code = Code {
                key: init.key,
                image: &image,
            };
            let address = word_of_address(&address.into_array());
            card.reply_creation(ticket, address, code);
            return;
        }
        card.reply(ticket, None);
    }
}
