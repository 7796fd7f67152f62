//! The card in Verilator behind the driver's transport seam.
//!
//! The build script emits the hardware as Verilog and compiles it. [`card::SimCard`] is a card in this
//! process, with [`host_memory`] around it, and [`trace`] reads what it retires. [`vfio_user`] serves it to
//! other processes. [`serial`] is a board without PCIe. [`model`] is the raw access to any block, for its tests.

pub mod axi;
pub mod card;
pub mod host_memory;
pub mod model;
mod ports;
pub mod random;
pub mod serial;
pub mod trace;
pub mod vfio_user;

pub use card::{Options, Pause, SimCard, SimError};

// The trace writer's C++ calls these libraries: naming the crates links them.
#[cfg(feature = "wave")]
use {libz_sys as _, lz4_sys as _};
