//! Boards whose PCIe is Amazon's shell or AMD's bridge: both speak AXI in a clock of their own.

use gatewei_abi::pci;

use super::super::Board;
use super::super::board::{Pcie, Xilinx};
use super::ports::{Block, declaration, instance, wires};
use super::{Files, Mmcm, pins, tables};
use crate::emit::{Design, Port};

/// The macro that carries a pulse from one clock to another.
fn pulse() -> Block {
    Block::new(
        "xpm_cdc_pulse",
        &["RST_USED", "DEST_SYNC_FF"],
        tables::PULSE,
    )
}

/// The macro that ends a reset with a clock.
fn reset() -> Block {
    Block::new(
        "xpm_cdc_async_rst",
        &["RST_ACTIVE_HIGH", "DEST_SYNC_FF"],
        tables::RESET,
    )
}

fn converters() -> [Block; 2] {
    [
        Block::new("registers_converter", &[], tables::LITE_CONVERTER),
        Block::new("memory_converter", &[], tables::WIDE_CONVERTER),
    ]
}

/// The pulse `from`, in `clock`, as `to`, in the other clock.
fn crossing(
    name: &str,
    [from, from_clock]: [&str; 2],
    [to, to_clock]: [&str; 2],
) -> Result<String, String> {
    let settings = [("RST_USED", "0".to_string())];
    pulse().instance(name, &settings, &[], |port| {
        let value = match port.name.as_str() {
            "src_clk" => from_clock,
            "src_pulse" => from,
            "dest_clk" => to_clock,
            "dest_pulse" => to,
            _ => return None,
        };
        Some(value.into())
    })
}

/// What all such tops have: clock and reset of the card, the card, and its interrupts in the shell's clock. `hold` is
/// an expression, high in reset; `lines` and `acks` are the shell's.
fn inside(
    board: &Board,
    chip: &Xilinx,
    card: &Design,
    lines: &Design,
    hold: &str,
    [pulses, levels, acks]: [&str; 3],
) -> Result<String, String> {
    let mmcm = Mmcm::of(chip.family, board.clock.khz, board.clock.card_khz)?;
    let own = ["clock", "hold", "led"];
    let buses = card
        .ports
        .iter()
        .filter(|port| !own.contains(&port.name.as_str()));
    let synchroniser = reset().instance(
        "card_reset",
        &[("RST_ACTIVE_HIGH", "1".into())],
        &[],
        |port| {
            let value = match port.name.as_str() {
                "src_arst" => "hold",
                "dest_clk" => "clock",
                "dest_arst" => "starting",
                _ => return None,
            };
            Some(value.into())
        },
    )?;
    let card = instance(card, "card", |port| port.name.clone());
    let irq = instance(lines, "irq", |port| {
        let value = match port.name.as_str() {
            "clock" => "shell_clock",
            "reset" => "hold",
            "request" => "asked",
            "vector" => "irq_vector",
            "pulses" => pulses,
            "levels" => levels,
            "acks" => acks,
            "done" => "sent",
            other => other,
        };
        value.into()
    });
    Ok(format!(
        "\
{mmcm}wire hold = ~locked | {hold};
wire starting, asked, sent;
wire [7:0] led;
{wires}{synchroniser}{card}{to}{from}{irq}",
        mmcm = mmcm.instance(board.clock.khz),
        wires = wires(buses, ""),
        // The vector stays until the shell has answered: only the pulses need care.
        to = crossing("ask", ["irq_request", "clock"], ["asked", "shell_clock"])?,
        from = crossing("answer", ["sent", "shell_clock"], ["irq_done", "clock"])?,
    ))
}

/// The name of a port of the card that meets `port` of a bus with another prefix.
fn meets(card: &Design, port: &Port, from: &str, to: &str) -> Option<String> {
    let name = format!("{to}{}", port.name.strip_prefix(from)?);
    let own = card.ports.iter().find(|own| own.name == name)?;
    (own.width == port.width && own.input != port.input).then_some(name)
}

/// Fails where a port of the card's buses met nothing.
fn all_met(card: &Design, text: &str) -> Result<(), String> {
    let buses = card.ports.iter().filter(|port| port.name.contains("_axi"));
    let mut lost = buses.filter(|port| !text.contains(&format!("({})", port.name)));
    match lost.next() {
        None => Ok(()),
        Some(port) => Err(format!("the shell has no counterpart of {}", port.name)),
    }
}

/// The custom logic of an F2: between Amazon's shell and the card.
fn custom_logic(
    board: &Board,
    chip: &Xilinx,
    card: &Design,
    lines: &Design,
) -> Result<String, String> {
    let shell = Block::new("shell", &[], tables::F2_SHELL);
    let [registers, memory] = converters();
    let has = |name: &str| shell.ports.iter().any(|port| port.name == name);
    // The shell's side of a converter: `ocl_cl_*` and `cl_ocl_*`, `cl_sh_pcim_*` and `sh_cl_pcim_*`.
    let far = |port: &Port, [out, back]: [&str; 2]| {
        let signal = port.name.get(6..).unwrap_or_default();
        let name = [format!("{out}{signal}"), format!("{back}{signal}")];
        name.into_iter()
            .find(|name| has(name))
            .map(|name| match signal {
                // Of the shell's 16 bits of id the card uses four.
                "bid" | "rid" => format!("{name}[3:0]"),
                "awid" | "arid" => format!("{name}[3:0]"),
                _ => name,
            })
    };
    let crossed = |block: &Block,
                   name: &str,
                   shell_side: &str,
                   card_side: &str,
                   buses: [&str; 2],
                   own: &str| {
        block.instance(name, &[], &[], |port| {
            let clocked = |side: &str, signal: &str| port.name == format!("{side}{signal}");
            if clocked(shell_side, "aclk") {
                return Some("clk_main_a0".into());
            }
            if clocked(shell_side, "aresetn") {
                return Some("rst_main_n".into());
            }
            if clocked(card_side, "aclk") {
                return Some("clock".into());
            }
            if clocked(card_side, "aresetn") {
                return Some("~starting".into());
            }
            match port.name.starts_with(shell_side) {
                true => far(port, buses),
                false => meets(card, port, card_side, own),
            }
        })
    };
    let registers = crossed(
        &registers,
        "registers",
        "s_axi_",
        "m_axi_",
        ["ocl_cl_", "cl_ocl_"],
        "s_axil_",
    )?;
    let memory = crossed(
        &memory,
        "memory",
        "m_axi_",
        "s_axi_",
        ["cl_sh_pcim_", "sh_cl_pcim_"],
        "m_axi_",
    )?;
    all_met(card, &format!("{registers}{memory}"))?;
    let inner = inside(
        board,
        chip,
        card,
        lines,
        "~rst_main_n | sh_cl_flr_assert",
        ["cl_sh_apppf_irq_req", "", "sh_cl_apppf_irq_ack"],
    )?;
    // What is driven by nothing above is 0.
    let driven = |port: &&Port| {
        let (name, text) = (&port.name, format!("{registers}{memory}{inner}"));
        text.contains(&format!("({name})")) || text.contains(&format!("({name}["))
    };
    let special = [
        ("cl_sh_flr_done", "sh_cl_flr_assert".to_string()),
        (
            "cl_sh_id0",
            format!("32'h{:04x}_{:04x}", pci::DEVICE, pci::VENDOR),
        ),
        (
            "cl_sh_id1",
            format!("32'h{:04x}_{:04x}", pci::SUBSYSTEM, pci::SUBSYSTEM_VENDOR),
        ),
        ("cl_sh_status_vled", "{8'd0, led}".into()),
    ];
    let outputs = shell.ports.iter().filter(|port| !port.input);
    let rest: String = outputs
        .filter(|port| !driven(port))
        .map(|port| {
            let value = special.iter().find(|(name, _)| *name == port.name);
            let zero = format!("{}'d0", port.width);
            let value = value.map_or(zero, |(_, value)| value.clone());
            format!("assign {} = {value};\n", port.name)
        })
        .collect();
    Ok(format!(
        "\
// {title}. Written by gatewei-hdl from board.toml.
module cl_gatewei(
`include \"cl_ports.vh\"
);
`include \"unused_ddr_template.inc\"
`include \"unused_dma_pcis_template.inc\"
wire board_clock = clk_main_a0;
wire shell_clock = clk_main_a0;
{inner}{registers}{memory}assign cl_sh_pcim_awid[15:4] = 12'd0;
assign cl_sh_pcim_arid[15:4] = 12'd0;
{rest}endmodule
",
        title = board.title,
    ))
}

/// The converters as IP: name, protocol, widths.
fn converter_ip() -> String {
    "\
create_ip -vendor xilinx.com -library ip -name axi_clock_converter -module_name registers_converter
set_property -dict [list CONFIG.PROTOCOL {AXI4LITE} CONFIG.ADDR_WIDTH {32} CONFIG.DATA_WIDTH {32} CONFIG.ACLK_ASYNC {1}] \
[get_ips registers_converter]
create_ip -vendor xilinx.com -library ip -name axi_clock_converter -module_name memory_converter
set_property -dict [list CONFIG.PROTOCOL {AXI4} CONFIG.ADDR_WIDTH {64} CONFIG.DATA_WIDTH {512} CONFIG.ID_WIDTH {4} \
CONFIG.ACLK_ASYNC {1}] [get_ips memory_converter]
generate_target all [get_ips]
synth_ip [get_ips]
"
    .into()
}

/// The interrupt's vector stays while it crosses.
const VECTOR_PATH: &str = "set_max_delay -datapath_only -from [get_cells -hierarchical -filter {NAME =~ \
                           *card/interrupts*current*}] 8.0\n";

/// All files of an F2 board.
///
/// # Errors
/// Where the card has a port that the shell has not.
pub fn f2(board: &Board, chip: &Xilinx, card: &Design, lines: &Design) -> Result<Files, String> {
    let synthesis = format!(
        "\
# {title}: in place of the synthesis script of a custom logic made with Amazon's kit. Written by gatewei-hdl.
set CL cl_gatewei
source ${{HDK_SHELL_DIR}}/build/scripts/synth_cl_header.tcl
set design $CL_DIR/design
read_verilog -sv [list $design/card.v $design/irq_lines.v $design/cl_gatewei.sv]
{ip}read_xdc $CL_DIR/build/constraints/cl_gatewei.xdc
update_compile_order -fileset sources_1
synth_design -mode out_of_context -top $CL -verilog_define XSDB_SLV_DIS -part $DEVICE_TYPE -keep_equivalent_registers
source ${{HDK_SHELL_DIR}}/build/scripts/synth_cl_footer.tcl
",
        title = board.title,
        ip = converter_ip(),
    );
    let ports: Vec<_> = Block::new("shell", &[], tables::F2_SHELL)
        .ports
        .iter()
        .map(declaration)
        .collect();
    let [registers, memory] = converters().map(|block| block.black_box());
    Ok(Files {
        top: "cl_gatewei",
        sources: vec![
            (
                "cl_gatewei.sv".into(),
                custom_logic(board, chip, card, lines)?,
            ),
            ("irq_lines.v".into(), lines.verilog.clone()),
        ],
        others: vec![
            (
                "cl_gatewei.xdc".into(),
                pins::head(board, chip) + VECTOR_PATH,
            ),
            ("synth_cl_gatewei.tcl".into(), synthesis),
            // For the check here alone: Amazon's kit has the whole.
            (
                "check/cl_ports.vh".into(),
                format!("    {}\n", ports.join(",\n    ")),
            ),
            ("check/unused_ddr_template.inc".into(), String::new()),
            ("check/unused_dma_pcis_template.inc".into(), String::new()),
        ],
        boxes: [registers, memory, pulse().black_box(), reset().black_box()].concat(),
        how: "copy design, constraints and synthesis script into a custom logic of Amazon's kit, and build there",
    })
}

/// The Alveo's top, over the card and the block design that the project makes.
fn alveo(board: &Board, chip: &Xilinx, card: &Design, lines: &Design) -> Result<String, String> {
    let bridge = Block::new("pcie_bridge", &[], tables::XDMA_BRIDGE);
    let pcie = bridge.instance("pcie", &[], &[], |port| {
        let value = match port.name.as_str() {
            "pcie_clk_clk_p" => "pcie_clk_p",
            "pcie_clk_clk_n" => "pcie_clk_n",
            "pcie_mgt_rxp" => "pcie_rx_p",
            "pcie_mgt_rxn" => "pcie_rx_n",
            "pcie_mgt_txp" => "pcie_tx_p",
            "pcie_mgt_txn" => "pcie_tx_n",
            "resetn" => "~starting",
            "pcie_rst_n" | "shell_clock" | "shell_resetn" | "clock" | "usr_irq_req"
            | "usr_irq_ack" => &port.name,
            _ => {
                let registers = meets(card, port, "registers_", "s_axil_");
                return registers.or_else(|| meets(card, port, "memory_", "m_axi_"));
            }
        };
        Some(value.into())
    })?;
    all_met(card, &pcie)?;
    let inner = inside(
        board,
        chip,
        card,
        lines,
        "~shell_resetn",
        ["", "usr_irq_req", "usr_irq_ack"],
    )?;
    Ok(format!(
        "\
// {title}. Written by gatewei-hdl from board.toml.
module top(
    input wire pcie_rst_n,
    input wire pcie_clk_p,
    input wire pcie_clk_n,
    input wire [15:0] pcie_rx_p,
    input wire [15:0] pcie_rx_n,
    output wire [15:0] pcie_tx_p,
    output wire [15:0] pcie_tx_n{ports}
);
wire shell_clock, shell_resetn;
wire board_clock = shell_clock;
wire [15:0] usr_irq_req, usr_irq_ack;
{inner}{pcie}{levels}endmodule
",
        title = board.title,
        ports = pins::ports(board),
        levels = pins::levels(board),
    ))
}

/// Vivado's script for the Alveo.
fn project(board: &Board, chip: &Xilinx, slot: &Pcie) -> String {
    let (name, part) = (&board.name, &chip.name);
    let settings = [
        // The bridge, not the DMA engine: the card's own queue engine masters host memory.
        ("functional_mode", "AXI_Bridge".to_string()),
        ("mode_selection", "Advanced".into()),
        ("pl_link_cap_max_link_width", format!("X{}", slot.lanes)),
        ("pl_link_cap_max_link_speed", "8.0_GT/s".into()),
        ("axi_addr_width", "64".into()),
        ("axi_data_width", "512_bit".into()),
        ("axisten_freq", (board.clock.khz / 1000).to_string()),
        ("en_axi_slave_if", "true".into()),
        ("c_s_axi_supports_narrow_burst", "false".into()),
        ("axibar_num", "1".into()),
        ("axibar2pciebar_0", format!("0x{:016x}", 0)),
        ("vendor_id", format!("{:04X}", pci::VENDOR)),
        ("pf0_device_id", format!("{:04X}", pci::DEVICE)),
        (
            "pf0_subsystem_vendor_id",
            format!("{:04X}", pci::SUBSYSTEM_VENDOR),
        ),
        ("pf0_subsystem_id", format!("{:04X}", pci::SUBSYSTEM)),
        ("pf0_class_code_base", format!("{:02X}", pci::CLASS >> 16)),
        (
            "pf0_class_code_sub",
            format!("{:02X}", pci::CLASS >> 8 & 0xff),
        ),
        (
            "pf0_class_code_interface",
            format!("{:02X}", pci::CLASS & 0xff),
        ),
        ("pf0_bar0_enabled", "true".into()),
        ("pf0_bar0_scale", "Kilobytes".into()),
        ("pf0_bar0_size", "64".into()),
        ("pciebar2axibar_0", format!("0x{:016x}", 0)),
        ("pf0_msi_enabled", "true".into()),
        (
            "pf0_msi_cap_multimsgcap",
            format!("{}_vectors", pci::MSIX_VECTORS),
        ),
        ("pf0_msix_enabled", "false".into()),
        ("xdma_num_usr_irq", pci::MSIX_VECTORS.to_string()),
    ];
    let settings: String = settings
        .iter()
        .map(|(key, value)| format!("    CONFIG.{key} {{{value}}} \\\n"))
        .collect();
    format!(
        "\
# {title}: vivado -mode batch -source project.tcl. Written by gatewei-hdl from board.toml.
create_project -force -part {part} {name} project
set_property XPM_LIBRARIES {{XPM_CDC}} [current_project]
read_verilog [list card.v irq_lines.v top.v]
read_xdc top.xdc

# XDMA in bridge mode, and SmartConnects to the card's clock and widths.
create_bd_design pcie_bridge
create_bd_cell -type ip -vlnv xilinx.com:ip:xdma xdma
set_property -dict [list \\
{settings}] [get_bd_cells xdma]
create_bd_cell -type ip -vlnv xilinx.com:ip:util_ds_buf reference
set_property CONFIG.C_BUF_TYPE {{IBUFDSGTE}} [get_bd_cells reference]
foreach way {{to_registers to_memory}} {{
    create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect $way
    set_property -dict [list CONFIG.NUM_SI {{1}} CONFIG.NUM_MI {{1}} CONFIG.NUM_CLKS {{2}}] [get_bd_cells $way]
}}
create_bd_intf_port -mode Slave -vlnv xilinx.com:interface:diff_clock_rtl:1.0 pcie_clk
set_property CONFIG.FREQ_HZ 100000000 [get_bd_intf_ports pcie_clk]
create_bd_intf_port -mode Master -vlnv xilinx.com:interface:pcie_7x_mgt_rtl:1.0 pcie_mgt
create_bd_port -dir I -type rst pcie_rst_n
create_bd_port -dir I -type clk -freq_hz {hertz} clock
create_bd_port -dir I -type rst resetn
create_bd_port -dir O -type clk shell_clock
create_bd_port -dir O -type rst shell_resetn
create_bd_port -dir I -from 15 -to 0 usr_irq_req
create_bd_port -dir O -from 15 -to 0 usr_irq_ack
create_bd_intf_port -mode Master -vlnv xilinx.com:interface:aximm_rtl:1.0 registers
set_property -dict [list CONFIG.PROTOCOL {{AXI4LITE}} CONFIG.ADDR_WIDTH {{32}} CONFIG.DATA_WIDTH {{32}}] [get_bd_intf_ports registers]
create_bd_intf_port -mode Slave -vlnv xilinx.com:interface:aximm_rtl:1.0 memory
set_property -dict [list CONFIG.PROTOCOL {{AXI4}} CONFIG.ADDR_WIDTH {{64}} CONFIG.DATA_WIDTH {{512}} CONFIG.ID_WIDTH {{4}}] \
[get_bd_intf_ports memory]
connect_bd_intf_net [get_bd_intf_ports pcie_clk] [get_bd_intf_pins reference/CLK_IN_D]
connect_bd_net [get_bd_pins reference/IBUF_OUT] [get_bd_pins xdma/sys_clk_gt]
connect_bd_net [get_bd_pins reference/IBUF_DS_ODIV2] [get_bd_pins xdma/sys_clk]
connect_bd_net [get_bd_ports pcie_rst_n] [get_bd_pins xdma/sys_rst_n]
connect_bd_intf_net [get_bd_intf_pins xdma/pcie_mgt] [get_bd_intf_ports pcie_mgt]
connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_ports shell_clock] [get_bd_pins to_registers/aclk] [get_bd_pins to_memory/aclk1]
connect_bd_net [get_bd_pins xdma/axi_aresetn] [get_bd_ports shell_resetn] [get_bd_pins to_registers/aresetn]
connect_bd_net [get_bd_ports clock] [get_bd_pins to_registers/aclk1] [get_bd_pins to_memory/aclk]
connect_bd_net [get_bd_ports resetn] [get_bd_pins to_memory/aresetn]
connect_bd_net [get_bd_ports usr_irq_req] [get_bd_pins xdma/usr_irq_req]
connect_bd_net [get_bd_pins xdma/usr_irq_ack] [get_bd_ports usr_irq_ack]
connect_bd_intf_net [get_bd_intf_pins xdma/M_AXI_B] [get_bd_intf_pins to_registers/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins to_registers/M00_AXI] [get_bd_intf_ports registers]
connect_bd_intf_net [get_bd_intf_ports memory] [get_bd_intf_pins to_memory/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins to_memory/M00_AXI] [get_bd_intf_pins xdma/S_AXI_B]
set_property CONFIG.ASSOCIATED_BUSIF {{registers:memory}} [get_bd_ports clock]
assign_bd_address
validate_bd_design
save_bd_design
generate_target all [get_files pcie_bridge.bd]
synth_design -top top -part {part}
write_checkpoint -force synthesised.dcp
opt_design
{route}write_bitstream -force {name}.bit
write_cfgmem -force -format mcs -interface spix4 -size 128 -loadbit \"up 0x01002000 {name}.bit\" -file {name}.mcs
",
        title = board.title,
        hertz = u64::from(board.clock.card_khz) * 1000,
        route = super::ROUTE,
    )
}

/// All files of an Alveo board.
///
/// # Errors
/// Where the card has a port that the bridge has not.
pub fn xdma(
    board: &Board,
    chip: &Xilinx,
    slot: &Pcie,
    card: &Design,
    lines: &Design,
) -> Result<Files, String> {
    let constraints = [
        pins::head(board, chip),
        pins::slot(slot, ["pcie_rst_n", "pcie_clk_p", "pcie_clk_n"]),
        pins::panel(board),
        VECTOR_PATH.into(),
    ];
    let bridge = Block::new("pcie_bridge", &[], tables::XDMA_BRIDGE);
    Ok(Files {
        top: "top",
        sources: vec![
            ("top.v".into(), alveo(board, chip, card, lines)?),
            ("irq_lines.v".into(), lines.verilog.clone()),
        ],
        others: vec![
            ("top.xdc".into(), constraints.concat()),
            ("project.tcl".into(), project(board, chip, slot)),
        ],
        boxes: [bridge.black_box(), pulse().black_box(), reset().black_box()].concat(),
        how: "vivado -mode batch -source project.tcl",
    })
}
