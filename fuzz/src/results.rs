//! Result buffers.

use std::sync::Arc;

use gatewei_abi::status::Status;
use gatewei_driver::dma::{DmaBuffer, HeapMemory};
use gatewei_driver::result::parse;

use crate::input::Input;

/// Any result buffer: the gas limit in 8 bytes, the status in one, the buffer. What is accepted is within
/// the buffer and within the gas.
pub fn results(data: &[u8]) {
    let mut input = Input::new(data);
    let gas = input.u64();
    let statuses = Status::ALL;
    let status = statuses[usize::from(input.byte()) % statuses.len()];
    let bytes = input.rest();
    // A result buffer is never smaller than a header.
    let memory = Arc::new(HeapMemory::new(bytes.len().max(128)));
    let buffer = DmaBuffer::new(0x1000, memory);
    if buffer.copy_in(0, bytes).is_err() {
        return;
    }
    if let Ok(result) = parse(&buffer, status, gas) {
        assert!(result.gas_left <= gas && result.refund >= 0);
        let logs = result
            .logs
            .iter()
            .map(|log| log.data.len() + 32 * log.topics.len());
        assert!(logs.sum::<usize>() <= buffer.len());
        assert!(result.output.len() <= buffer.len());
        assert!(result.slots.len() * 96 <= buffer.len());
    }
}
