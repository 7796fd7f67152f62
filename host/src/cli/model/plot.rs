//! A plot as SVG: Mgas/s and Mgas/J against lanes, with the CPU's lines.

use std::fmt::Write as _;

use super::measure::Cpu;
use super::report::Row;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 48.0;
/// Ticks of the upright axis.
const TICKS: usize = 5;

/// One panel: its name, the points, and the CPU's value.
struct Panel<'a> {
    name: &'a str,
    points: Vec<(f64, f64)>,
    cpu: f64,
}

/// The plot.
pub(super) fn svg(title: &str, rows: &[Row], cpu: &Cpu) -> String {
    let points = |of: fn(&Row) -> f64| rows.iter().map(move |row| (f64::from(row.lanes), of(row)));
    let panels = [
        Panel {
            name: "Mgas/s, modelled",
            points: points(|row| row.mgas_per_s).collect(),
            cpu: cpu.mgas_per_s(),
        },
        Panel {
            name: "Mgas/J, modelled",
            points: points(|row| row.mgas_per_joule).collect(),
            cpu: cpu.mgas_per_joule(),
        },
    ];
    let width = WIDTH * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
        escaped(title)
    );
    for (at, panel) in panels.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = panel.draw(&mut out, WIDTH * at as f64);
    }
    out + "</svg>\n"
}

impl Panel<'_> {
    fn draw(&self, out: &mut String, offset: f64) -> std::fmt::Result {
        let values = self.points.iter().map(|(_, y)| *y);
        let top = step(values.fold(self.cpu, f64::max) / TICKS as f64) * TICKS as f64;
        let most = self.points.iter().map(|(x, _)| *x).fold(1.0, f64::max);
        let x = |lanes: f64| offset + LEFT + (WIDTH - LEFT - RIGHT) * lanes / most;
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
        let (left, right, bottom) = (x(0.0), x(most), y(0.0));
        writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\">{}</text>",
            TOP - 14.0,
            self.name
        )?;
        for tick in 0..=TICKS {
            let value = top * tick as f64 / TICKS as f64;
            let at = y(value);
            writeln!(
                out,
                "<path d=\"M{left:.1} {at:.1}H{right:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                at + 4.0,
                short(value)
            )?;
        }
        for (lanes, _) in &self.points {
            writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{lanes}</text>",
                x(*lanes),
                bottom + 18.0
            )?;
        }
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">lanes</text>",
            (left + right) / 2.0,
            bottom + 36.0
        )?;
        let cpu = y(self.cpu);
        writeln!(
            out,
            "<path d=\"M{left:.1} {cpu:.1}H{right:.1}\" stroke=\"#c33\" stroke-dasharray=\"6 4\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#c33\">CPU, one core, measured: {}</text>",
            left + 6.0,
            cpu - 5.0,
            short(self.cpu)
        )?;
        let line: Vec<String> = (self.points.iter())
            .map(|(lanes, value)| format!("{:.1},{:.1}", x(*lanes), y(*value)))
            .collect();
        writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#247\" stroke-width=\"2\"/>",
            line.join(" ")
        )?;
        for (lanes, value) in &self.points {
            writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#247\"><title>{lanes} lanes: {}</title></circle>",
                x(*lanes),
                y(*value),
                short(*value)
            )?;
        }
        Ok(())
    }
}

/// 1, 2 or 5 times a power of ten, no less than this; 1 for nothing.
fn step(least: f64) -> f64 {
    if least.is_nan() || least <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps
        .into_iter()
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// Three digits.
fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 || value == 0.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(step(0.0), 1.0);
        assert_eq!(step(3.0), 5.0);
        assert_eq!(step(50.0), 50.0);
        assert_eq!(step(51.0), 100.0);
        assert!((step(0.0123) - 0.02).abs() < 1e-9);
        assert_eq!(short(0.0123), "0.012");
        assert_eq!(escaped("a<b&c"), "a&lt;b&amp;c");
    }
}
