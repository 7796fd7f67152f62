//! Boards whose PCIe is LitePCIe's: Verilog around its generated core, constraints, and what generates and builds it.

use gatewei_abi::pci;

use super::super::Board;
use super::super::board::{Pcie, Xilinx};
use super::ports::{Block, instance, range, wires};
use super::{Files, Mmcm, pins};
use crate::emit::{Design, Port};

/// Release of LitePCIe that the table of ports and the offsets below are of.
const RELEASE: &str = "2024.12";
/// Where the core's own registers begin in the BAR; the card's are below. LitePCIe would have its own first, but the
/// driver looks for the card at offset 0.
const CSR: u32 = 0x1_0000;
/// Bytes of the BAR: both.
const BAR: u32 = 2 * CSR;
/// Where LitePCIe puts the MSI-X table and its pending bits behind [`CSR`], and the first vector that is the user's:
/// `litepcie/gen.py` numbers them so.
const MSIX_TABLE: u32 = 0x2000;
const MSIX_PENDING: u32 = 0x1808;
const MSIX_FIRST: u32 = 32;
/// Bytes of a vector's entry in the table.
const MSIX_ENTRY: u32 = 16;
/// Silence in ms after which the bridge gives a request up: more than hosts take for a completion's time-out.
const PATIENCE_MS: u32 = 100;

/// Cycles of that silence.
pub fn patience(khz: u32) -> u32 {
    khz.saturating_mul(PATIENCE_MS).min((1 << 24) - 1)
}

/// `litepcie_core`, as LitePCIe generates it from [`yaml`], without the pins of its PCIe lanes.
const PORTS: &str = "\
in 1 clk
out 32 mmap_axi_lite_araddr
out 3 mmap_axi_lite_arprot
in 1 mmap_axi_lite_arready
out 1 mmap_axi_lite_arvalid
out 32 mmap_axi_lite_awaddr
out 3 mmap_axi_lite_awprot
in 1 mmap_axi_lite_awready
out 1 mmap_axi_lite_awvalid
out 1 mmap_axi_lite_bready
in 2 mmap_axi_lite_bresp
in 1 mmap_axi_lite_bvalid
in 32 mmap_axi_lite_rdata
out 1 mmap_axi_lite_rready
in 2 mmap_axi_lite_rresp
in 1 mmap_axi_lite_rvalid
out 32 mmap_axi_lite_wdata
in 1 mmap_axi_lite_wready
out 4 mmap_axi_lite_wstrb
out 1 mmap_axi_lite_wvalid
in 32 mmap_slave_axi_araddr
in 2 mmap_slave_axi_arburst
in 4 mmap_slave_axi_arcache
in 1 mmap_slave_axi_arid
in 8 mmap_slave_axi_arlen
in 1 mmap_slave_axi_arlock
in 3 mmap_slave_axi_arprot
in 4 mmap_slave_axi_arqos
out 1 mmap_slave_axi_arready
in 4 mmap_slave_axi_arregion
in 3 mmap_slave_axi_arsize
in 1 mmap_slave_axi_aruser
in 1 mmap_slave_axi_arvalid
in 32 mmap_slave_axi_awaddr
in 2 mmap_slave_axi_awburst
in 4 mmap_slave_axi_awcache
in 1 mmap_slave_axi_awid
in 8 mmap_slave_axi_awlen
in 1 mmap_slave_axi_awlock
in 3 mmap_slave_axi_awprot
in 4 mmap_slave_axi_awqos
out 1 mmap_slave_axi_awready
in 4 mmap_slave_axi_awregion
in 3 mmap_slave_axi_awsize
in 1 mmap_slave_axi_awuser
in 1 mmap_slave_axi_awvalid
out 1 mmap_slave_axi_bid
in 1 mmap_slave_axi_bready
out 2 mmap_slave_axi_bresp
out 1 mmap_slave_axi_buser
out 1 mmap_slave_axi_bvalid
out 128 mmap_slave_axi_rdata
out 1 mmap_slave_axi_rid
out 1 mmap_slave_axi_rlast
in 1 mmap_slave_axi_rready
out 2 mmap_slave_axi_rresp
out 1 mmap_slave_axi_ruser
out 1 mmap_slave_axi_rvalid
in 128 mmap_slave_axi_wdata
in 1 mmap_slave_axi_wlast
out 1 mmap_slave_axi_wready
in 16 mmap_slave_axi_wstrb
in 1 mmap_slave_axi_wuser
in 1 mmap_slave_axi_wvalid
in 16 msi_irqs
in 1 pcie_clk_n
in 1 pcie_clk_p
in 1 pcie_rst_n
in 1 rst
";

/// The core for this slot.
pub fn core(slot: &Pcie) -> Block {
    let lanes = slot.lanes;
    let pins = [
        ("in", "rx_n"),
        ("in", "rx_p"),
        ("out", "tx_n"),
        ("out", "tx_p"),
    ];
    let pins: String = pins
        .map(|(way, name)| format!("{way} {lanes} pcie_{name}\n"))
        .concat();
    Block::new("litepcie_core", &[], &format!("{PORTS}{pins}"))
}

/// What LitePCIe's generator is told.
fn yaml(board: &Board, chip: &Xilinx, slot: &Pcie) -> String {
    format!(
        "\
# {title}: for LitePCIe {RELEASE}. Written by gatewei-hdl from board.toml.
phy: S7PCIEPHY
phy_device: {device}
phy_lanes: {lanes}
phy_data_width: 128
phy_bar0_size: {BAR:#x}
clk_freq: {hertz}
clk_external: True
ep_address_width: 32
mmap: True
mmap_base: 0x0
mmap_size: {CSR:#x}
mmap_slave: True
mmap_slave_axi_full: True
dma_channels: 0
msi_irqs: {vectors}
msi_x: True
msi_x_default_enable: True
",
        title = board.title,
        device = chip.name,
        lanes = slot.lanes,
        hertz = u64::from(board.clock.card_khz) * 1000,
        vectors = pci::MSIX_VECTORS,
    )
}

/// LitePCIe's generator, with its own registers where [`CSR`] says: its options do not.
fn generator() -> String {
    format!(
        "\
# Runs LitePCIe's generator: python3 generate.py litepcie.yml (pip install litepcie=={RELEASE} litex=={RELEASE}).
# Written by gatewei-hdl.
from litepcie import gen

gen.SoCMini.mem_map[\"csr\"] = {CSR:#x}  # the card's registers come first in the BAR
gen.main()
"
    )
}

/// The board's top module, over the emitted card and the core.
///
/// # Errors
/// Where the card has a port that the core has not.
pub fn top(board: &Board, chip: &Xilinx, slot: &Pcie, card: &Design) -> Result<String, String> {
    let mmcm = Mmcm::of(chip.family, board.clock.khz, board.clock.card_khz)?;
    let core = core(slot);
    // Ports of one name are of one wire.
    let own = ["clock", "hold", "led"];
    let (own, shared): (Vec<&Port>, Vec<&Port>) = card
        .ports
        .iter()
        .partition(|port| own.contains(&port.name.as_str()));
    if own.len() != 3 {
        return Err(format!("{} has no clock, hold and led", card.top));
    }
    for port in &shared {
        let there = core.ports.iter().find(|there| there.name == port.name);
        if there.is_none_or(|there| there.width != port.width || there.input == port.input) {
            return Err(format!("litepcie_core has no counterpart of {}", port.name));
        }
    }
    let known: Vec<String> = shared.iter().map(|port| port.name.clone()).collect();
    let pcie = core.instance("pcie", &[], &known, |port| {
        let name = port.name.as_str();
        let value = match name {
            "clk" => "clock",
            "rst" => "~locked",
            // Incrementing bursts of full beats; what the core does not look at.
            "mmap_slave_axi_arsize" | "mmap_slave_axi_awsize" => "3'd4",
            "mmap_slave_axi_arburst" | "mmap_slave_axi_awburst" => "2'd1",
            "mmap_slave_axi_wstrb" => "16'hffff",
            _ if name.starts_with("pcie_") || known.contains(&port.name) => name,
            _ => return None,
        };
        Some(value.into())
    })?;
    let card_instance = instance(card, "card", |port| {
        match port.name.as_str() {
            // The slot's reset is the card's, too.
            "hold" => "~locked | ~pcie_rst_n",
            name => name,
        }
        .into()
    });
    let lanes = range(slot.lanes.into());
    Ok(format!(
        "\
// {title}. Written by gatewei-hdl from board.toml.
module top(
    input wire clock_p,
    input wire clock_n,
    input wire pcie_rst_n,
    input wire pcie_clk_p,
    input wire pcie_clk_n,
    input wire {lanes}pcie_rx_p,
    input wire {lanes}pcie_rx_n,
    output wire {lanes}pcie_tx_p,
    output wire {lanes}pcie_tx_n{ports}
);
wire board_clock;
IBUFDS clock_input (.I(clock_p), .IB(clock_n), .O(board_clock));
{mmcm}{wires}{pcie}wire [7:0] led;
{card_instance}{levels}endmodule
",
        title = board.title,
        mmcm = mmcm.instance(board.clock.khz),
        wires = wires(shared, ""),
        ports = pins::ports(board),
        levels = pins::levels(board),
    ))
}

/// The constraints: pins, clocks, and the paths between them.
fn constraints(board: &Board, chip: &Xilinx, slot: &Pcie) -> String {
    let mut out = pins::head(board, chip);
    for (port, pin) in ["clock_p", "clock_n"].iter().zip(&board.clock.pins) {
        out += &pins::pin(port, pin, Some(&board.clock.standard));
    }
    out += &pins::clock("clock_p", board.clock.khz);
    out += &pins::slot(slot, ["pcie_rst_n", "pcie_clk_p", "pcie_clk_n"]);
    for (name, lanes) in [("rx", &slot.rx), ("tx", &slot.tx)] {
        for (i, pair) in lanes.iter().enumerate() {
            for (side, pin) in ["p", "n"].iter().zip(pair) {
                out += &pins::pin(&format!("pcie_{name}_{side}[{i}]"), pin, None);
            }
        }
    }
    out += &pins::panel(board);
    // The card's clock and PCIe's meet in LitePCIe's asynchronous queues alone, whose synchronisers it marks.
    out += "\
set_clock_groups -asynchronous -group [get_clocks -include_generated_clocks clock_p] -group [get_clocks -include_generated_clocks pcie_clk_p]
";
    out += "\
set_false_path -quiet -through [get_nets -hierarchical -filter {mr_ff == TRUE}]
set_false_path -quiet -to [get_pins -filter {REF_PIN_NAME == PRE} -of_objects [get_cells -hierarchical -filter {ars_ff1 == TRUE || ars_ff2 == TRUE}]]
set_max_delay 2 -quiet -from [get_pins -filter {REF_PIN_NAME == C} -of_objects [get_cells -hierarchical -filter {ars_ff1 == TRUE}]] -to [get_pins -filter {REF_PIN_NAME == D} -of_objects [get_cells -hierarchical -filter {ars_ff2 == TRUE}]]
";
    out
}

/// Vivado's script: from these files to a bitstream.
fn project(board: &Board, chip: &Xilinx, slot: &Pcie) -> String {
    let (name, part) = (&board.name, &chip.name);
    let table = CSR + MSIX_TABLE;
    let settings = [
        ("Bar0_Scale", "Kilobytes".to_string()),
        ("Bar0_Size", (BAR / 1024).to_string()),
        ("Buf_Opt_BMA", "True".into()),
        ("Component_Name", "pcie".into()),
        ("Vendor_ID", format!("{:04X}", pci::VENDOR)),
        ("Device_ID", format!("{:04X}", pci::DEVICE)),
        (
            "Subsystem_Vendor_ID",
            format!("{:04X}", pci::SUBSYSTEM_VENDOR),
        ),
        ("Subsystem_ID", format!("{:04X}", pci::SUBSYSTEM)),
        ("Class_Code_Base", format!("{:02X}", pci::CLASS >> 16)),
        ("Class_Code_Sub", format!("{:02X}", pci::CLASS >> 8 & 0xff)),
        ("Class_Code_Interface", format!("{:02X}", pci::CLASS & 0xff)),
        ("Interface_Width", "64_bit".into()),
        ("Link_Speed", "5.0_GT/s".into()),
        ("Trgt_Link_Speed", "4'h2".into()),
        ("Maximum_Link_Width", format!("X{}", slot.lanes)),
        ("Max_Payload_Size", "512_bytes".into()),
        ("PCIe_Blk_Locn", "X0Y0".into()),
        ("Ref_Clk_Freq", "100_MHz".into()),
        ("User_Clk_Freq", "125".into()),
        ("Trans_Buf_Pipeline", "None".into()),
        ("mode_selection", "Advanced".into()),
        ("Legacy_Interrupt", "None".into()),
        ("IntX_Generation", "False".into()),
        ("MSI_Enabled", "False".into()),
        ("MSIx_Enabled", "True".into()),
        ("MSIx_Table_Size", format!("{:X}", pci::MSIX_VECTORS)),
        // The core's own vectors come first in its table: the function's table begins behind them.
        (
            "MSIx_Table_Offset",
            format!("{:X}", table + MSIX_FIRST * MSIX_ENTRY),
        ),
        ("MSIx_PBA_Offset", format!("{:X}", CSR + MSIX_PENDING)),
    ];
    let settings: String = settings
        .iter()
        .map(|(key, value)| format!("    CONFIG.{key} {{{value}}} \\\n"))
        .collect();
    format!(
        "\
# {title}: vivado -mode batch -source project.tcl. Written by gatewei-hdl from board.toml.
set core litepcie/build/gateware/litepcie_core
foreach file [list $core.v litepcie/build/csr.csv] {{
    if {{![file exists $file]}} {{ error \"no $file: cd litepcie && python3 generate.py litepcie.yml\" }}
}}
# The interrupt table must lie where the function says that it does.
set csr [read [open litepcie/build/csr.csv]]
foreach line {{csr_base,pcie_msi_table,{table:#010x} csr_register,pcie_msi_pba,{pending:#010x}}} {{
    if {{[string first $line $csr] < 0}} {{ error \"csr.csv lacks $line: is this LitePCIe {RELEASE}?\" }}
}}
create_project -force -part {part} {name} project
read_verilog [list card.v top.v $core.v]
# Contents of the core's memories, by their names alone.
file copy -force {{*}}[glob litepcie/build/gateware/*.init] .
add_files [glob *.init]
read_xdc top.xdc
create_ip -vendor xilinx.com -name pcie_7x -module_name pcie_s7
set_property -dict [list \\
{settings}] [get_ips pcie_s7]
synth_ip [get_ips pcie_s7]
synth_design -top top -part {part}
write_checkpoint -force synthesised.dcp
opt_design
# The board's lanes are not where the hard block's default has them.
reset_property LOC [get_cells -hierarchical -filter {{NAME=~*pcie_s7/*gtp_common.gtpe2_common_i}}]
reset_property LOC [get_cells -hierarchical -filter {{NAME=~*pcie_s7/*genblk*.bram36_tdp_bl.bram36_tdp_bl}}]
{route}write_bitstream -force {name}.bit
write_cfgmem -force -format bin -interface spix4 -size 16 -loadbit \"up 0x0 {name}.bit\" -file {name}.bin
",
        title = board.title,
        pending = CSR + MSIX_PENDING,
        route = super::ROUTE,
    )
}

/// All files of such a board, with the vendor's blocks for the check.
///
/// # Errors
/// As [`top`].
pub fn files(board: &Board, chip: &Xilinx, slot: &Pcie, card: &Design) -> Result<Files, String> {
    Ok(Files {
        top: "top",
        sources: vec![("top.v".into(), top(board, chip, slot, card)?)],
        others: vec![
            ("top.xdc".into(), constraints(board, chip, slot)),
            ("project.tcl".into(), project(board, chip, slot)),
            ("litepcie/litepcie.yml".into(), yaml(board, chip, slot)),
            ("litepcie/generate.py".into(), generator()),
        ],
        boxes: core(slot).black_box(),
        how: "cd litepcie && python3 generate.py litepcie.yml && cd .. && vivado -mode batch -source project.tcl",
    })
}

/// The whole top for a simulation: the core's user side are the ports, its place in the top is taken by a stub, and
/// the clock generator passes its clock.
///
/// # Errors
/// As [`top`].
pub fn simulated(
    board: &Board,
    chip: &Xilinx,
    slot: &Pcie,
    card: &Design,
) -> Result<Design, String> {
    const NAME: &str = "lite_top";
    let core = core(slot);
    let user = core
        .ports
        .iter()
        .filter(|port| port.name.starts_with("mm") || port.name == "msi_irqs");
    // Seen from outside: what the core drives comes in.
    let user: Vec<Port> = user
        .map(|port| Port {
            input: !port.input,
            ..port.clone()
        })
        .collect();
    let bit = |name: &str| Port {
        name: name.into(),
        width: 1,
        input: true,
    };
    let mut ports = vec![bit("clock"), bit("slot_reset_n")];
    ports.extend(user.iter().cloned());
    let leds = board.pins.leds.len();
    ports.push(Port {
        name: "leds".into(),
        width: leds,
        input: false,
    });
    let heads: Vec<_> = ports.iter().map(super::ports::declaration).collect();
    let seen = user.iter().filter(|port| !port.input);
    let seen: String = seen
        .map(|port| format!("assign {0} = board.pcie.{0};\n", port.name))
        .collect();
    let stub = core.stub(|port| match port.name.starts_with("mm") {
        true => Some(format!("{NAME}.{}", port.name)),
        false => Some(format!("{}'d0", port.width)),
    });
    let lanes = slot.lanes;
    let low: String = (0..board.pins.low.len())
        .map(|i| format!(", .low{i}()"))
        .collect();
    let high: String = (0..board.pins.high.len())
        .map(|i| format!(", .high{i}()"))
        .collect();
    let mmcm = Mmcm::of(chip.family, board.clock.khz, board.clock.card_khz)?;
    let verilog = format!(
        "\
// Simulation of {title}: its top, with stubs for the vendor's blocks.
/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off PINCONNECTEMPTY */
module {NAME}(
    {heads}
);
top board (
    .clock_p(clock), .clock_n(~clock), .pcie_rst_n(slot_reset_n), .pcie_clk_p(1'b0), .pcie_clk_n(1'b1),
    .pcie_rx_p({lanes}'d0), .pcie_rx_n({lanes}'d0), .pcie_tx_p(), .pcie_tx_n(), .leds(leds){low}{high}
);
{seen}endmodule
{stub}module IBUFDS(input wire I, input wire IB, output wire O);
assign O = I;
endmodule
module BUFG(input wire I, output wire O);
assign O = I;
endmodule
{clock}{top}{card}",
        title = board.title,
        heads = heads.join(",\n    "),
        clock = mmcm.stub(),
        top = top(board, chip, slot, card)?,
        card = card.verilog,
    );
    Ok(Design {
        top: NAME.into(),
        verilog,
        ports,
        modules: card.modules.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registers_and_the_interrupt_table_share_the_bar() {
        assert!(CSR >= gatewei_abi::regs::SPACE && BAR.is_power_of_two());
        let table = MSIX_TABLE + MSIX_FIRST * MSIX_ENTRY;
        let last = table + MSIX_ENTRY * u32::from(pci::MSIX_VECTORS);
        assert!(last <= BAR - CSR && MSIX_PENDING < MSIX_TABLE);
        // A pending bits' word is of 32 vectors, and must begin with the user's.
        assert!(MSIX_FIRST.is_multiple_of(32) && MSIX_PENDING.is_multiple_of(8));
    }

    #[test]
    fn patience_is_a_tenth_of_a_second_as_far_as_the_counter_goes() {
        assert_eq!(patience(16_000), 1_600_000);
        assert_eq!(patience(250_000), (1 << 24) - 1);
    }
}
