//! The card in Verilator behind the driver's transport seam.
//!
//! The build script emits the hardware as Verilog and compiles it; [`model`] is the raw access to any of
//! these models.

pub mod model;
