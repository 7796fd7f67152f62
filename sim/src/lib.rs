//! The card in Verilator behind the driver's transport seam.
