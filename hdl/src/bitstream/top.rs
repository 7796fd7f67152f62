//! What an ECP5 board's pins need around the card: pads, the clock, levels.

use super::Board;
use super::board::{Active, Reset, Serial};

/// The board's top module: `top`, over `serial_card` and the PLL that ecppll writes.
pub fn verilog(board: &Board, button: &Reset) -> String {
    let leds = board.pins.leds.len();
    let turn = |active: Active| if active == Active::Low { "~" } else { "" };
    let high: String = (0..board.pins.high.len())
        .map(|i| format!(",\n    output wire high{i}"))
        .collect();
    let held: String = (0..board.pins.high.len())
        .map(|i| format!("assign high{i} = 1'b1;\n"))
        .collect();
    format!(
        "\
// {title}. Written by gatewei-hdl from board.toml.
module top(
    input wire oscillator,
    input wire button,
    input wire uart_rx,
    output wire uart_tx,
    output wire [{last}:0] leds{high}
);
wire clock, locked;
pll pll(.clkin(oscillator), .clkout0(clock), .locked(locked));
wire [7:0] led;
serial_card card(
    .clock(clock),
    .hold(~locked | {reset}button),
    .uart_rx(uart_rx),
    .uart_tx(uart_tx),
    .led(led)
);
assign leds = {lit}led[{last}:0];
{held}endmodule
",
        title = board.title,
        last = leds - 1,
        reset = turn(button.active),
        lit = turn(board.pins.leds_active),
    )
}

/// The constraint file: pins and the oscillator's rate.
pub fn constraints(board: &Board, button: &Reset, line: &Serial) -> String {
    let mut out = String::new();
    let mut pin = |port: &str, pin: &str, pull: &str| {
        out += &format!(
            "LOCATE COMP \"{port}\" SITE \"{pin}\";\nIOBUF PORT \"{port}\" IO_TYPE=LVCMOS33{pull};\n"
        );
    };
    for oscillator in &board.clock.pins {
        pin("oscillator", oscillator, "");
    }
    let pull = match button.active {
        Active::High => " PULLMODE=DOWN",
        Active::Low => " PULLMODE=UP",
    };
    pin("button", &button.pin, pull);
    // A line that nobody drives is idle.
    pin("uart_rx", &line.rx, " PULLMODE=UP");
    pin("uart_tx", &line.tx, "");
    for (i, led) in board.pins.leds.iter().enumerate() {
        pin(&format!("leds[{i}]"), led, "");
    }
    for (i, high) in board.pins.high.iter().enumerate() {
        pin(&format!("high{i}"), high, "");
    }
    let mhz = f64::from(board.clock.khz) / 1e3;
    out + &format!("FREQUENCY PORT \"oscillator\" {mhz} MHZ;\n")
}
