//! Parallel EVM block execution on CPU threads and FPGA lanes.
