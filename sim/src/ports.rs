//! The card's ports, looked up once.

use crate::axi::{Burst, Master, Slave, WriteBeat};
use crate::model::{Model, ModelError, PortId};
use crate::trace::Step;
use gatewei_driver::profile::Profile;

macro_rules! ports {
    ($(#[$m:meta])* $name:ident { $($(#[$f:meta])* $field:ident: $dir:ident $port:literal $width:literal;)* }) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name { $($(#[$f])* pub $field: PortId,)* }

        impl $name {
            /// Looks the ports up; `suffix` goes behind their names.
            pub fn find(model: &Model, suffix: &str) -> Result<Self, ModelError> {
                Ok(Self { $($field: model.$dir(&format!("{}{suffix}", $port), $width)?,)* })
            }
        }
    };
}

ports! {
    /// Clock, reset, interrupt.
    Control {
        clock: input "clock" 1;
        reset: input "reset" 1;
        msix_valid: output "msix_valid" 1;
        msix_vector: output "msix_vector" 16;
    }
}

ports! {
    /// AXI4-Lite slave.
    Lite {
        aw_addr: input "s_axil_awaddr" 12;
        aw_valid: input "s_axil_awvalid" 1;
        aw_ready: output "s_axil_awready" 1;
        w_data: input "s_axil_wdata" 32;
        w_strobe: input "s_axil_wstrb" 4;
        w_valid: input "s_axil_wvalid" 1;
        w_ready: output "s_axil_wready" 1;
        b_response: output "s_axil_bresp" 2;
        b_valid: output "s_axil_bvalid" 1;
        b_ready: input "s_axil_bready" 1;
        ar_addr: input "s_axil_araddr" 12;
        ar_valid: input "s_axil_arvalid" 1;
        ar_ready: output "s_axil_arready" 1;
        r_data: output "s_axil_rdata" 32;
        r_response: output "s_axil_rresp" 2;
        r_valid: output "s_axil_rvalid" 1;
        r_ready: input "s_axil_rready" 1;
    }
}

ports! {
    /// AXI4 master.
    Memory {
        ar_valid: output "m_axi_arvalid" 1;
        ar_ready: input "m_axi_arready" 1;
        ar_id: output "m_axi_arid" 4;
        ar_addr: output "m_axi_araddr" 64;
        ar_len: output "m_axi_arlen" 8;
        ar_size: output "m_axi_arsize" 3;
        ar_burst: output "m_axi_arburst" 2;
        r_valid: input "m_axi_rvalid" 1;
        r_ready: output "m_axi_rready" 1;
        r_id: input "m_axi_rid" 4;
        r_data: input "m_axi_rdata" 256;
        r_response: input "m_axi_rresp" 2;
        r_last: input "m_axi_rlast" 1;
        aw_valid: output "m_axi_awvalid" 1;
        aw_ready: input "m_axi_awready" 1;
        aw_id: output "m_axi_awid" 4;
        aw_addr: output "m_axi_awaddr" 64;
        aw_len: output "m_axi_awlen" 8;
        aw_size: output "m_axi_awsize" 3;
        aw_burst: output "m_axi_awburst" 2;
        w_valid: output "m_axi_wvalid" 1;
        w_ready: input "m_axi_wready" 1;
        w_data: output "m_axi_wdata" 256;
        w_strobe: output "m_axi_wstrb" 32;
        w_last: output "m_axi_wlast" 1;
        b_valid: input "m_axi_bvalid" 1;
        b_ready: output "m_axi_bready" 1;
        b_id: input "m_axi_bid" 4;
        b_response: input "m_axi_bresp" 2;
    }
}

ports! {
    /// A lane's retire trace.
    Trace {
        retire: output "trace_retire" 1;
        pc: output "trace_pc" 32;
        opcode: output "trace_op" 8;
        gas: output "trace_gas" 64;
        depth: output "trace_depth" 11;
        top: output "trace_top" 256;
        memory: output "trace_memory" 32;
        frame: output "trace_frame" 11;
        busy: output "trace_busy" 1;
        wait: output "trace_wait" 1;
        folds: output "trace_folds" 1;
        jump: output "trace_jump" 8;
        destination: output "trace_destination" 16;
        page: output "trace_page" 1;
        command: output "trace_id" 32;
    }
}

impl Memory {
    /// Drives what host memory drives.
    pub fn drive(&self, model: &mut Model, slave: &Slave) {
        model.set_u64(self.ar_ready, slave.ar_ready.into());
        model.set_u64(self.aw_ready, slave.aw_ready.into());
        model.set_u64(self.w_ready, slave.w_ready.into());
        model.set_u64(self.r_valid, slave.r_valid.into());
        if slave.r_valid {
            model.set_u64(self.r_id, slave.r_id.into());
            model.set_word(self.r_data, &slave.r_data);
            model.set_u64(self.r_response, slave.r_response as u64);
            model.set_u64(self.r_last, slave.r_last.into());
        }
        model.set_u64(self.b_valid, slave.b_valid.into());
        if slave.b_valid {
            model.set_u64(self.b_id, slave.b_id.into());
            model.set_u64(self.b_response, slave.b_response as u64);
        }
    }

    /// What the card drives. Payloads are read only where they are valid.
    pub fn sample(&self, model: &Model) -> Master {
        let bit = |port| model.get_u64(port) != 0;
        let mut master = Master {
            ar_valid: bit(self.ar_valid),
            r_ready: bit(self.r_ready),
            aw_valid: bit(self.aw_valid),
            w_valid: bit(self.w_valid),
            b_ready: bit(self.b_ready),
            ..Master::default()
        };
        if master.ar_valid {
            master.ar = Burst {
                id: model.get_u64(self.ar_id) as u8,
                address: model.get_u64(self.ar_addr),
                len: model.get_u64(self.ar_len) as u8,
                size: model.get_u64(self.ar_size) as u8,
                kind: model.get_u64(self.ar_burst) as u8,
            };
        }
        if master.aw_valid {
            master.aw = Burst {
                id: model.get_u64(self.aw_id) as u8,
                address: model.get_u64(self.aw_addr),
                len: model.get_u64(self.aw_len) as u8,
                size: model.get_u64(self.aw_size) as u8,
                kind: model.get_u64(self.aw_burst) as u8,
            };
        }
        if master.w_valid {
            master.w = WriteBeat {
                data: model.get_word(self.w_data),
                strobe: model.get_u64(self.w_strobe) as u32,
                last: bit(self.w_last),
            };
        }
        master
    }
}

impl Trace {
    /// Counts this cycle where it belongs; `now` is the opcode that the lane is at, or none while its
    /// message is being loaded. Returns whether the lane works: has a message and does not await the host.
    pub fn count(&self, model: &Model, profile: &mut Profile, now: &mut Option<u8>) -> bool {
        if model.get_u64(self.busy) == 0 {
            *now = None;
            return false;
        }
        let spent = if model.get_u64(self.retire) != 0 {
            let opcode = model.get_u64(self.opcode) as u8;
            profile.messages.count += u64::from(now.is_none());
            *now = Some(opcode);
            profile.opcodes[usize::from(opcode)].count += 1;
            if model.get_u64(self.folds) != 0 {
                // The cycle is the PUSH's; what the jump costs beyond it is the jump's.
                let jump = model.get_u64(self.jump) as u8;
                *now = Some(jump);
                profile.opcodes[usize::from(jump)].count += 1;
            }
            &mut profile.opcodes[usize::from(opcode)]
        } else {
            match *now {
                Some(opcode) => &mut profile.opcodes[usize::from(opcode)],
                None => &mut profile.messages,
            }
        };
        let waits = model.get_u64(self.wait);
        spent.cycles += 1;
        spent.wait_cycles += waits;
        spent.page_cycles += model.get_u64(self.page);
        waits == 0
    }

    /// The opcode that retires in this cycle, with the command it belongs to, and the jump folded into it.
    pub fn sample(&self, model: &Model) -> Option<(u32, Step, Option<Step>)> {
        if model.get_u64(self.retire) == 0 {
            return None;
        }
        let depth = model.get_u64(self.depth) as u16;
        let step = Step {
            pc: model.get_u64(self.pc) as u32,
            opcode: model.get_u64(self.opcode) as u8,
            gas: model.get_u64(self.gas),
            depth,
            top: match depth {
                0 => Default::default(),
                _ => model.get_word(self.top),
            },
            memory_words: model.get_u64(self.memory) as u32,
            frame: model.get_u64(self.frame) as u16,
        };
        let jump = (model.get_u64(self.folds) != 0).then(|| {
            let mut top = [0; 32];
            top[..2].copy_from_slice(&(model.get_u64(self.destination) as u16).to_le_bytes());
            step.behind_push(model.get_u64(self.jump) as u8, top)
        });
        Some((model.get_u64(self.command) as u32, step, jump))
    }
}
