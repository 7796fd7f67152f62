//! The card in rust-hdl, and the emitter that prints it as Verilog.
