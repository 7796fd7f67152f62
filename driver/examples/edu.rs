//! QEMU's `edu` device, driven by the transport that drives the card: a check against a device that we did
//! not write. `make vm-test` runs it in a guest. Source: QEMU's `docs/specs/edu.rst`.
//!
//!     edu 0000:00:06.0

use std::error::Error;
use std::time::{Duration, Instant};

use gatewei_driver::transport::{Transport as _, Vfio, Wait, WaitOutcome};

/// Identity: the revision stands in the upper bytes.
const ID: u32 = 0x00;
const ID_MASK: u32 = 0xffff;
const ID_VALUE: u32 = 0x00ed;
/// Reads back inverted.
const LIVENESS: u32 = 0x04;
/// Which interrupts are raised; writing to `ACKNOWLEDGE` lowers them.
const STATUS: u32 = 0x24;
const RAISE: u32 = 0x60;
const ACKNOWLEDGE: u32 = 0x64;
/// A DMA transfer: from, to, bytes, command.
const SOURCE: u32 = 0x80;
const DESTINATION: u32 = 0x88;
const COUNT: u32 = 0x90;
const COMMAND: u32 = 0x98;
const START: u32 = 1;
const TO_MEMORY: u32 = 2;
const INTERRUPT: u32 = 4;
/// The interrupt that a transfer raises.
const TRANSFERRED: u32 = 0x100;
/// The device's own buffer, and how much of it is used.
const BUFFER: u32 = 0x4_0000;
const BYTES: usize = 4096;
/// The device takes 100 ms for a transfer.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: edu SSSS:BB:DD.F")?;
    // Its address registers are written in halves of which it takes the lower one alone.
    let mut edu = Vfio::open_within(address.parse()?, 0..=0xffff_ffff)?;
    let id = edu.read32(ID)?;
    ensure(id & ID_MASK == ID_VALUE, "identity")?;
    edu.write32(LIVENESS, 0x1234_5678)?;
    ensure(edu.read32(LIVENESS)? == !0x1234_5678, "liveness")?;

    edu.write32(RAISE, 0x55)?;
    interrupt(&mut edu, 0x55)?;

    let memory = edu.dma(2 * BYTES, 4096)?;
    let (from, to) = (memory.bus() as u32, memory.bus() as u32 + BYTES as u32);
    let pattern: Vec<u8> = (0..BYTES).map(|i| (i * 13 >> 3) as u8).collect();
    memory.copy_in(0, &pattern)?;
    transfer(&mut edu, from, BUFFER, START | INTERRUPT)?;
    transfer(&mut edu, BUFFER, to, START | TO_MEMORY | INTERRUPT)?;
    let mut back = vec![0; BYTES];
    memory.copy_out(BYTES, &mut back)?;
    ensure(back == pattern, "DMA there and back")?;
    edu.release(memory)?;
    println!("edu: id {id:#x}, registers, interrupts and {BYTES} bytes of DMA each way are right");
    Ok(())
}

fn ensure(holds: bool, what: &str) -> Result<(), Box<dyn Error>> {
    if holds {
        return Ok(());
    }
    Err(format!("edu: {what} is wrong").into())
}

/// Waits for an interrupt, looks which it is, and acknowledges it.
fn interrupt(edu: &mut Vfio, which: u32) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    while edu.wait(Wait::default())? != WaitOutcome::Interrupt {
        ensure(
            began.elapsed() < PATIENCE,
            "an interrupt, which does not come,",
        )?;
    }
    ensure(edu.read32(STATUS)? == which, "the interrupt's status")?;
    edu.write32(ACKNOWLEDGE, which)?;
    Ok(())
}

/// Transfers [`BYTES`] bytes.
fn transfer(edu: &mut Vfio, from: u32, to: u32, command: u32) -> Result<(), Box<dyn Error>> {
    for (register, value) in [
        (SOURCE, from),
        (DESTINATION, to),
        (COUNT, BYTES as u32),
        (COMMAND, command),
    ] {
        edu.write32(register, value)?;
    }
    interrupt(edu, TRANSFERRED)
}
