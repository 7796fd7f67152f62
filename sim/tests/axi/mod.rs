//! Connects a block's `m_axi_*` ports to simulated host memory.

use gatewei_sim::axi::{Burst, Master, WriteBeat};
use gatewei_sim::host_memory::HostMemory;
use gatewei_sim::model::{Model, ModelError, PortId};

/// The ports of the AXI4 master.
#[derive(Clone, Copy)]
pub struct Axi {
    ar: [PortId; 6],
    ar_ready: PortId,
    r: [PortId; 5],
    r_ready: PortId,
    aw: [PortId; 6],
    aw_ready: PortId,
    w: [PortId; 4],
    w_ready: PortId,
    b: [PortId; 3],
    b_ready: PortId,
}

impl Axi {
    pub fn new(model: &Model) -> Result<Self, ModelError> {
        let input = |name: &str, width| model.input(&format!("m_axi_{name}"), width);
        let output = |name: &str, width| model.output(&format!("m_axi_{name}"), width);
        let address = |c: &str| {
            Ok([
                output(&format!("{c}valid"), 1)?,
                output(&format!("{c}id"), 4)?,
                output(&format!("{c}addr"), 64)?,
                output(&format!("{c}len"), 8)?,
                output(&format!("{c}size"), 3)?,
                output(&format!("{c}burst"), 2)?,
            ])
        };
        Ok(Self {
            ar: address("ar")?,
            ar_ready: input("arready", 1)?,
            r: [
                input("rvalid", 1)?,
                input("rid", 4)?,
                input("rdata", 256)?,
                input("rresp", 2)?,
                input("rlast", 1)?,
            ],
            r_ready: output("rready", 1)?,
            aw: address("aw")?,
            aw_ready: input("awready", 1)?,
            w: [
                output("wvalid", 1)?,
                output("wdata", 256)?,
                output("wstrb", 32)?,
                output("wlast", 1)?,
            ],
            w_ready: input("wready", 1)?,
            b: [input("bvalid", 1)?, input("bid", 4)?, input("bresp", 2)?],
            b_ready: output("bready", 1)?,
        })
    }

    /// Puts what the memory drives on the block's inputs.
    pub fn drive(&self, model: &mut Model, memory: &HostMemory) {
        let host = memory.outputs();
        model.set_u64(self.ar_ready, host.ar_ready.into());
        model.set_u64(self.r[0], host.r_valid.into());
        model.set_u64(self.r[1], host.r_id.into());
        model.set_word(self.r[2], &host.r_data);
        model.set_u64(self.r[3], host.r_response as u64);
        model.set_u64(self.r[4], host.r_last.into());
        model.set_u64(self.aw_ready, host.aw_ready.into());
        model.set_u64(self.w_ready, host.w_ready.into());
        model.set_u64(self.b[0], host.b_valid.into());
        model.set_u64(self.b[1], host.b_id.into());
        model.set_u64(self.b[2], host.b_response as u64);
    }

    /// The clock edge of the memory, with what the evaluated block drives.
    pub fn clock(&self, model: &Model, memory: &mut HostMemory) {
        let burst = |p: &[PortId; 6]| Burst {
            id: model.get_u64(p[1]) as u8,
            address: model.get_u64(p[2]),
            len: model.get_u64(p[3]) as u8,
            size: model.get_u64(p[4]) as u8,
            kind: model.get_u64(p[5]) as u8,
        };
        memory.clock(&Master {
            ar_valid: model.get_u64(self.ar[0]) == 1,
            ar: burst(&self.ar),
            r_ready: model.get_u64(self.r_ready) == 1,
            aw_valid: model.get_u64(self.aw[0]) == 1,
            aw: burst(&self.aw),
            w_valid: model.get_u64(self.w[0]) == 1,
            w: WriteBeat {
                data: model.get_word(self.w[1]),
                strobe: model.get_u64(self.w[2]) as u32,
                last: model.get_u64(self.w[3]) == 1,
            },
            b_ready: model.get_u64(self.b_ready) == 1,
        });
        assert_eq!(memory.violation(), None, "the card broke a rule of AXI4");
    }
}
