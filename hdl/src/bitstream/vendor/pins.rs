//! Pins in Vivado's words.

use super::super::Board;
use super::super::board::{Active, Pcie, Xilinx};

/// The top's ports beside clock and link: LEDs, pins that are held.
pub fn ports(board: &Board) -> String {
    let mut out = String::new();
    if !board.pins.leds.is_empty() {
        out += &format!(",\n    output wire [{}:0] leds", board.pins.leds.len() - 1);
    }
    for (level, pins) in held(board) {
        out.extend((0..pins.len()).map(|i| format!(",\n    output wire {level}{i}")));
    }
    out
}

/// What drives them; `led` are the card's.
pub fn levels(board: &Board) -> String {
    let mut out = String::new();
    if !board.pins.leds.is_empty() {
        let turn = if board.pins.leds_active == Active::Low {
            "~"
        } else {
            ""
        };
        out += &format!(
            "assign leds = {turn}led[{}:0];\n",
            board.pins.leds.len() - 1
        );
    }
    for (level, pins) in held(board) {
        let value = u8::from(level == "high");
        out.extend((0..pins.len()).map(|i| format!("assign {level}{i} = 1'b{value};\n")));
    }
    out
}

fn held(board: &Board) -> [(&'static str, &Vec<String>); 2] {
    [("high", &board.pins.high), ("low", &board.pins.low)]
}

/// The head of a constraint file: what the bitstream's configuration needs.
pub fn head(board: &Board, chip: &Xilinx) -> String {
    let mut out = format!(
        "# {}. Written by gatewei-hdl from board.toml.\n",
        board.title
    );
    for (key, value) in &chip.configuration {
        out += &format!("set_property {key} {value} [current_design]\n");
    }
    out
}

/// A pin, and its standard where the port has one.
pub fn pin(port: &str, pin: &str, standard: Option<&str>) -> String {
    let standard = standard.map_or_else(String::new, |standard| format!(" IOSTANDARD {standard}"));
    format!("set_property -dict {{PACKAGE_PIN {pin}{standard}}} [get_ports {{{port}}}]\n")
}

/// A clock that comes in at a port.
pub fn clock(port: &str, khz: u32) -> String {
    let period = 1e6 / f64::from(khz);
    format!("create_clock -name {port} -period {period:.3} [get_ports {{{port}}}]\n")
}

/// The slot's reset and clock, at these ports.
pub fn slot(slot: &Pcie, [reset, positive, negative]: [&str; 3]) -> String {
    const REFERENCE_KHZ: u32 = 100_000;
    let mut out = pin(reset, &slot.reset, Some(&slot.standard));
    out += &format!("set_property PULLTYPE PULLUP [get_ports {{{reset}}}]\n");
    out += &format!("set_false_path -from [get_ports {{{reset}}}]\n");
    out += &pin(positive, &slot.clock[0], None);
    out += &pin(negative, &slot.clock[1], None);
    out + &clock(positive, REFERENCE_KHZ)
}

/// LEDs, and pins that are held: nobody times them.
pub fn panel(board: &Board) -> String {
    let standard = board.pins.standard.as_deref().unwrap_or("LVCMOS33");
    let leds = board.pins.leds.iter().enumerate();
    let mut all: Vec<_> = leds.map(|(i, at)| (format!("leds[{i}]"), at)).collect();
    for (level, pins) in held(board) {
        all.extend(
            pins.iter()
                .enumerate()
                .map(|(i, at)| (format!("{level}{i}"), at)),
        );
    }
    let lines = all.into_iter().map(|(port, at)| {
        pin(&port, at, Some(standard)) + &format!("set_false_path -to [get_ports {{{port}}}]\n")
    });
    lines.collect()
}
