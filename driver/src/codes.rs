//! Code images in memory that the card can read, one buffer per distinct code.

use std::collections::HashMap;

use gatewei_abi::{Word, layout};

use crate::dma::DmaBuffer;
use crate::fault::SubmitError;
use crate::transport::{Transport, TransportError};

/// A code for a message: its identity, and how to make its image where the card has none yet.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// What names the code: equal keys must be equal code. Its Keccak hash, as a rule.
    pub key: Word,
    /// Makes the image ([`gatewei_abi::message::code_image`]).
    pub image: &'a dyn Fn() -> Vec<u8>,
}

/// Images by code key, least recently used first out.
#[derive(Debug)]
pub(crate) struct CodeCache {
    images: HashMap<Word, Image>,
    bytes: usize,
    limit: usize,
    tag: u64,
    clock: u64,
    uploaded: u64,
}

#[derive(Debug)]
struct Image {
    buffer: DmaBuffer,
    tag: u64,
    /// Messages in flight that point to it.
    users: u32,
    used: u64,
}

impl CodeCache {
    /// A cache of about `limit` bytes. What messages in flight use stays, whatever the limit.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            images: HashMap::new(),
            bytes: 0,
            limit,
            tag: 0,
            clock: 0,
            uploaded: 0,
        }
    }

    /// Bus address and tag of a code's image, which one more message in flight uses from now on.
    pub(crate) fn acquire(
        &mut self,
        transport: &mut impl Transport,
        code: Code<'_>,
    ) -> Result<(u64, u64), SubmitError> {
        self.clock += 1;
        if let Some(image) = self.images.get_mut(&code.key) {
            image.users += 1;
            image.used = self.clock;
            return Ok((image.buffer.bus(), image.tag));
        }
        let bytes = (code.image)();
        self.evict(transport, bytes.len())?;
        let buffer = transport.dma(bytes.len().max(layout::ALIGN), layout::ALIGN)?;
        buffer.copy_in(0, &bytes)?;
        self.uploaded += bytes.len() as u64;
        // Tags are never used twice: the card may keep a code by its tag long after it left here.
        self.tag += 1;
        self.bytes += buffer.len();
        let place = (buffer.bus(), self.tag);
        self.images.insert(
            code.key,
            Image {
                buffer,
                tag: self.tag,
                users: 1,
                used: self.clock,
            },
        );
        Ok(place)
    }

    /// Bytes of images made so far.
    pub(crate) const fn uploaded(&self) -> u64 {
        self.uploaded
    }

    /// One message less uses a code.
    pub(crate) fn release(&mut self, key: &Word) {
        if let Some(image) = self.images.get_mut(key) {
            image.users = image.users.saturating_sub(1);
        }
    }

    /// Bus address of the image with this tag: the answer to a lane that asks for code.
    pub(crate) fn address(&self, key: &Word, tag: u64) -> Option<u64> {
        self.images
            .get(key)
            .filter(|image| image.tag == tag)
            .map(|image| image.buffer.bus())
    }

    fn evict(&mut self, transport: &mut impl Transport, more: usize) -> Result<(), TransportError> {
        while self.bytes + more > self.limit {
            let idle = self.images.iter().filter(|(_, image)| image.users == 0);
            let Some(key) = idle
                .min_by_key(|(_, image)| image.used)
                .map(|(key, _)| *key)
            else {
                return Ok(());
            };
            if let Some(image) = self.images.remove(&key) {
                self.bytes -= image.buffer.len();
                transport.release(image.buffer)?;
            }
        }
        Ok(())
    }
}
