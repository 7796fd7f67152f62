//! Configuration space of any function.

use gatewei_driver::discovery::{BarKind, Endpoint};
use gatewei_driver::transport::PciAddress;

use crate::input::Input;

/// Six logarithms of BAR sizes (0: none), then configuration space. What is accepted lies within its BARs.
pub fn config_space(data: &[u8]) {
    let mut input = Input::new(data);
    let sizes = std::array::from_fn(|_| match input.byte() {
        0 => 0,
        // Sizes that the kernel would never find, too.
        log2 @ 1..=63 => 1 << log2,
        other => u64::from(other),
    });
    let address = PciAddress {
        segment: 0,
        bus: 3,
        device: 0,
        function: 0,
    };
    if let Ok(endpoint) = Endpoint::decode(address, input.rest(), sizes) {
        assert!(endpoint.bars.len() <= 6);
        let list = endpoint.capabilities.unwrap_or_default();
        assert!(list.len() <= 48, "a list runs in circles");
        let vectors = u64::from(endpoint.msix_vectors.unwrap_or(0));
        let room = |bar: &gatewei_driver::discovery::Bar| {
            bar.kind != BarKind::Io && bar.size >= 16 * vectors
        };
        assert!(vectors == 0 || endpoint.bars.iter().any(room));
    }
}
