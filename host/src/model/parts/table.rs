//! The FPGAs that are known.

use super::{Known, Link, LinkKind, Part, Source};
use crate::model::Power;

/// LUT4 of a lane on an ECP5, as the README has it: `gatewei-hdl synth lane`.
const LANE_LUT4: u32 = 36_000;
/// LUT6 that a lane may have: `hdl/budgets.json`.
const LANE_LUT6: u32 = 26_000;
/// MHz of a card of one lane on an ECP5-85 of grade 6, as the README has it.
const ECP5_MHZ: f64 = 13.4;

/// All parts.
pub fn parts() -> Vec<Part> {
    vec![
        Part {
            name: "ecp5-85-6",
            title: "Lattice LFE5U-85F, speed grade 6",
            mhz: Known {
                value: ECP5_MHZ,
                source: Source::Estimated(
                    "nextpnr after placement, before routing, card of one lane".into(),
                ),
            },
            luts: ecp5_luts(),
            lane_luts: lane_lut4(),
            link: bus(400.0, "PCIe 2.0 x1"),
            power: ecp5_power(),
        },
        Part {
            name: "ecp5-85-8",
            title: "Lattice LFE5UM5G-85F, speed grade 8",
            mhz: Known::assumed(ECP5_MHZ, "as of grade 6: nobody has placed it"),
            luts: ecp5_luts(),
            lane_luts: lane_lut4(),
            link: bus(400.0, "PCIe 2.0 x1"),
            power: ecp5_power(),
        },
        Part {
            name: "xc7a200t",
            title: "AMD Artix-7 XC7A200T (Acorn CLE-215+)",
            mhz: Known::assumed(50.0, "nobody has placed it"),
            luts: Known {
                value: 134_600,
                source: Source::DataSheet("DS180"),
            },
            lane_luts: lane_lut6(),
            link: bus(1_600.0, "PCIe 2.0 x4"),
            power: power(3.0, 0.010, "no board has been measured"),
        },
        Part {
            name: "xcu55c",
            title: "AMD UltraScale+ XCU55C (Alveo U55C)",
            mhz: Known::assumed(100.0, "nobody has placed it"),
            luts: Known {
                value: 1_303_680,
                source: Source::DataSheet("DS978"),
            },
            lane_luts: lane_lut6(),
            link: bus(12_000.0, "PCIe 3.0 x16"),
            power: power(30.0, 0.005, "no board has been measured"),
        },
        Part {
            name: "vu47p",
            title: "AMD UltraScale+ VU47P (AWS F2)",
            mhz: Known::assumed(100.0, "nobody has placed it"),
            luts: Known {
                value: 1_303_680,
                source: Source::DataSheet("DS890"),
            },
            lane_luts: lane_lut6(),
            link: bus(12_000.0, "PCIe 4.0 x8"),
            power: power(30.0, 0.005, "no board has been measured"),
        },
    ]
}

fn ecp5_luts() -> Known<u32> {
    Known {
        value: 83_640,
        source: Source::DataSheet("FPGA-DS-02012"),
    }
}

fn lane_lut4() -> Known<u32> {
    Known {
        value: LANE_LUT4,
        source: Source::Estimated("yosys synth_ecp5, not placed".into()),
    }
}

fn lane_lut6() -> Known<u32> {
    Known::assumed(LANE_LUT6, "the budget, hdl/budgets.json")
}

fn ecp5_power() -> Known<Power> {
    power(1.0, 0.010, "no board has been measured")
}

fn power(idle: f64, lane_mhz: f64, why: &str) -> Known<Power> {
    Known::assumed(Power { idle, lane_mhz }, why)
}

/// A bus of so many million bytes a second, each way. 2 µs there and back is what the simulated card has at 100 MHz.
fn bus(mb_per_s: f64, what: &str) -> Link {
    Link {
        kind: LinkKind::Bus,
        bytes_per_s: Known::assumed(mb_per_s * 1e6, format!("{what}, about 80 % of its bits")),
        round_trip_us: Known::assumed(2.0, "a write and a read of host memory, 1 µs each"),
    }
}
