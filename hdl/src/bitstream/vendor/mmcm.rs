//! Xilinx' clock generator: from a board's clock to the card's.

use super::super::board::XilinxFamily;

/// Settings of an `MMCME2_BASE` or `MMCME4_BASE`, whole numbers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmcm {
    /// Name of the cell.
    pub cell: &'static str,
    /// `DIVCLK_DIVIDE`.
    pub divide: u32,
    /// `CLKFBOUT_MULT_F`.
    pub multiply: u32,
    /// `CLKOUT0_DIVIDE_F`.
    pub output: u32,
}

impl Mmcm {
    /// Settings that make `to_khz` exactly of `from_khz`; of several those with the fastest inner oscillator, which
    /// has the least jitter.
    ///
    /// # Errors
    /// A sentence, where there are none.
    pub fn of(family: XilinxFamily, from_khz: u32, to_khz: u32) -> Result<Self, String> {
        // Lowest and highest rate of the oscillator and of the phase detector, kHz: DS181 (Artix-7, grade 1, the
        // slowest) and DS923 (Virtex UltraScale+, grade 2).
        let (cell, oscillator, detector) = match family {
            XilinxFamily::Xc7 => ("MMCME2_BASE", 600_000..=1_200_000, 10_000..=450_000),
            XilinxFamily::Xcup => ("MMCME4_BASE", 800_000..=1_600_000, 10_000..=500_000),
        };
        let from = u64::from(from_khz);
        let choices =
            (1..=106u32).flat_map(|divide| (2..=64u32).map(move |multiply| (divide, multiply)));
        let choices = choices.filter(|(divide, _)| detector.contains(&(from_khz / divide)));
        let settings = choices.filter_map(|(divide, multiply)| {
            let (above, below) = (from * u64::from(multiply), u64::from(divide));
            let output = above / (below * u64::from(to_khz).max(1));
            let exact = output * below * u64::from(to_khz) == above;
            let rate = above / below;
            let fits = (1..=128).contains(&output) && oscillator.contains(&rate);
            (exact && fits).then_some((rate, divide, multiply, output as u32))
        });
        // The smallest divider of those that are equally fast.
        let best = settings.max_by_key(|(rate, divide, ..)| (*rate, std::cmp::Reverse(*divide)));
        let (_, divide, multiply, output) = best.ok_or_else(|| {
            format!("clock: {cell} makes no {to_khz} kHz of {from_khz} kHz with whole numbers")
        })?;
        Ok(Self {
            cell,
            divide,
            multiply,
            output,
        })
    }

    /// The cell, with its feedback: `from` and `reset` come in, `to` and `locked` go out.
    pub fn instance(&self, from_khz: u32) -> String {
        let Self {
            cell,
            divide,
            multiply,
            output,
        } = self;
        let period = 1e6 / f64::from(from_khz);
        format!(
            "\
wire feedback, unbuffered, locked;
{cell} #(
    .CLKIN1_PERIOD({period:.3}),
    .DIVCLK_DIVIDE({divide}),
    .CLKFBOUT_MULT_F({multiply}.0),
    .CLKOUT0_DIVIDE_F({output}.0)
) clock_generator (
    .CLKIN1(board_clock),
    .CLKFBIN(feedback),
    .CLKFBOUT(feedback),
    .CLKOUT0(unbuffered),
    .LOCKED(locked),
    .PWRDWN(1'b0),
    .RST(1'b0)
);
wire clock;
BUFG clock_buffer (.I(unbuffered), .O(clock));
"
        )
    }
}

impl Mmcm {
    /// The cell for a simulation: it passes its clock.
    pub fn stub(&self) -> String {
        format!(
            "\
module {}(
    input wire CLKIN1, CLKFBIN, PWRDWN, RST,
    output wire CLKFBOUT, CLKOUT0, LOCKED
);
parameter CLKIN1_PERIOD = 0.0;
parameter CLKFBOUT_MULT_F = 0.0;
parameter CLKOUT0_DIVIDE_F = 0.0;
parameter DIVCLK_DIVIDE = 0;
assign CLKFBOUT = 1'b0;
assign CLKOUT0 = CLKIN1;
assign LOCKED = 1'b1;
endmodule
",
            self.cell
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_make_the_clock_exactly_within_the_oscillator_s_range() {
        for (family, from, to, range) in [
            (XilinxFamily::Xc7, 200_000, 16_000, 600_000..=1_200_000),
            (XilinxFamily::Xc7, 200_000, 62_500, 600_000..=1_200_000),
            (XilinxFamily::Xcup, 250_000, 25_000, 800_000..=1_600_000),
            (XilinxFamily::Xcup, 250_000, 100_000, 800_000..=1_600_000),
        ] {
            let mmcm = Mmcm::of(family, from, to).unwrap();
            let oscillator = from * mmcm.multiply / mmcm.divide;
            assert_eq!(oscillator / mmcm.output, to, "{mmcm:?}");
            assert_eq!(oscillator % mmcm.output, 0, "{mmcm:?}");
            assert!(range.contains(&oscillator), "{mmcm:?}");
        }
        for to in [0, 1_000, 16_001, 2_000_000] {
            assert!(Mmcm::of(XilinxFamily::Xc7, 200_000, to).is_err(), "{to}");
        }
    }
}
