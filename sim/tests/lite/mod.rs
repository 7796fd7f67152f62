//! An AXI4-Lite master for benches of blocks with `s_axil_*` ports.

use gatewei_abi::regs::{self, Register};
use gatewei_sim::model::{Model, ModelError, PortId};

/// Cycles after which a bus that does not answer is broken.
const PATIENCE: u32 = 100;

/// The ports of the register bus.
#[derive(Clone, Copy)]
pub struct Lite {
    awaddr: PortId,
    awvalid: PortId,
    awready: PortId,
    wdata: PortId,
    wstrb: PortId,
    wvalid: PortId,
    wready: PortId,
    bresp: PortId,
    bvalid: PortId,
    bready: PortId,
    araddr: PortId,
    arvalid: PortId,
    arready: PortId,
    rdata: PortId,
    rresp: PortId,
    rvalid: PortId,
    rready: PortId,
}

impl Lite {
    pub fn new(model: &Model) -> Result<Self, ModelError> {
        let input = |name: &str, width| model.input(&format!("s_axil_{name}"), width);
        let output = |name: &str, width| model.output(&format!("s_axil_{name}"), width);
        Ok(Self {
            awaddr: input("awaddr", 12)?,
            awvalid: input("awvalid", 1)?,
            awready: output("awready", 1)?,
            wdata: input("wdata", 32)?,
            wstrb: input("wstrb", 4)?,
            wvalid: input("wvalid", 1)?,
            wready: output("wready", 1)?,
            bresp: output("bresp", 2)?,
            bvalid: output("bvalid", 1)?,
            bready: input("bready", 1)?,
            araddr: input("araddr", 12)?,
            arvalid: input("arvalid", 1)?,
            arready: output("arready", 1)?,
            rdata: output("rdata", 32)?,
            rresp: output("rresp", 2)?,
            rvalid: output("rvalid", 1)?,
            rready: input("rready", 1)?,
        })
    }
}

/// Cycles by which the master delays its side of a write: address, data, response.
pub type Delays = [u32; 3];

/// A bench with a register bus. Calls run until the bus has answered.
pub trait Registers {
    /// The ports.
    fn lite(&self) -> Lite;
    /// The model.
    fn model(&mut self) -> &mut Model;
    /// One clock cycle of the whole bench. Before it the model's outputs belong to its inputs.
    fn tick(&mut self);

    /// Writes with byte strobes and delays.
    fn write_with(&mut self, address: u32, value: u32, strobe: u8, delays: Delays) {
        let p = self.lite();
        let (mut addressed, mut given) = (false, false);
        for cycle in 0..PATIENCE {
            let model = self.model();
            let (aw, w) = (
                !addressed && cycle >= delays[0],
                !given && cycle >= delays[1],
            );
            model.set_u64(p.awvalid, aw.into());
            model.set_u64(p.awaddr, if aw { address.into() } else { 0xfff });
            model.set_u64(p.wvalid, w.into());
            model.set_u64(p.wdata, if w { value.into() } else { 0xdead_beef });
            model.set_u64(p.wstrb, if w { strobe.into() } else { 0xf });
            model.set_u64(p.bready, (cycle >= delays[2]).into());
            model.eval();
            addressed |= aw && model.get_u64(p.awready) == 1;
            given |= w && model.get_u64(p.wready) == 1;
            let done = model.get_u64(p.bvalid) == 1 && cycle >= delays[2];
            assert!(
                model.get_u64(p.bvalid) == 0 || addressed && given,
                "a response before address and data"
            );
            assert_eq!(model.get_u64(p.bresp), 0, "BRESP");
            self.tick();
            if done {
                let model = self.model();
                model.set_u64(p.bready, 0);
                return;
            }
        }
        panic!("no response to a write of {address:#x}");
    }

    /// Writes a register.
    fn write(&mut self, address: u32, value: u32) {
        self.write_with(address, value, 0xf, [0; 3]);
    }

    /// Reads a register, taking the data after `delay` cycles.
    fn read_with(&mut self, address: u32, delay: u32) -> u32 {
        let p = self.lite();
        let mut addressed = false;
        for cycle in 0..PATIENCE {
            let model = self.model();
            model.set_u64(p.arvalid, (!addressed).into());
            model.set_u64(p.araddr, if addressed { 0xfff } else { address.into() });
            model.set_u64(p.rready, (cycle >= delay).into());
            model.eval();
            let valid = model.get_u64(p.rvalid) == 1;
            assert!(!valid || addressed, "data before the address");
            addressed |= model.get_u64(p.arready) == 1;
            let value = model.get_u64(p.rdata) as u32;
            assert_eq!(model.get_u64(p.rresp), 0, "RRESP");
            self.tick();
            if valid && cycle >= delay {
                let model = self.model();
                model.set_u64(p.rready, 0);
                return value;
            }
        }
        panic!("no data from {address:#x}");
    }

    /// Reads a register.
    fn read(&mut self, address: u32) -> u32 {
        self.read_with(address, 0)
    }
}

/// The bits of a writable register that exist.
pub fn writable(block: &str, register: &Register) -> u32 {
    match (block, register.name) {
        ("card", "CONTROL") => regs::CONTROL_ENABLE | regs::CONTROL_RESET,
        ("card", "SCRATCH") | ("queue", "SQ_BASE_HI" | "CQ_BASE_HI") => u32::MAX,
        ("queue", "SQ_BASE_LO" | "CQ_BASE_LO") => !63,
        ("queue", "SIZE") => 0xf,
        ("queue", "SQ_TAIL" | "CQ_HEAD") => 0xffff,
        ("queue", "IRQ") => regs::IRQ_ENABLE | 0xffff,
        ("queue", "COALESCE") => 0xff_ffff,
        (_, name) => panic!("the bench does not know the writable register {block}.{name}"),
    }
}
