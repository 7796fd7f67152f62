//! What a card and a CPU draw.

use std::{fs, path::Path};

/// Where Linux tells what a processor package has drawn.
const RAPL: &str = "/sys/class/powercap/intel-rapl:0/energy_uj";

/// What a card draws, in watts: something always, and something for each lane and MHz of its clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Always: board, link, leakage.
    pub idle: f64,
    /// For each lane and MHz.
    pub lane_mhz: f64,
}

impl Power {
    /// The same whatever the lanes do.
    pub const fn fixed(watts: f64) -> Self {
        Self {
            idle: watts,
            lane_mhz: 0.0,
        }
    }

    /// Watts of a card of so many lanes at so many MHz.
    pub fn watts(&self, lanes: u16, mhz: f64) -> f64 {
        self.idle + self.lane_mhz * f64::from(lanes) * mhz
    }
}

/// Million gas for each joule; 0 where no energy was used.
pub(super) fn mgas_per_joule(gas: u64, watts: f64, seconds: f64) -> f64 {
    let joules = watts * seconds;
    if joules > 0.0 {
        gas as f64 / 1e6 / joules
    } else {
        0.0
    }
}

/// What the processor package has drawn since some time, in joules; none where Linux does not tell (RAPL, which only
/// root may read on most machines, and virtual machines lack). It wraps: ask twice and keep the difference if it grows.
pub fn rapl_joules() -> Option<f64> {
    read(Path::new(RAPL))
}

fn read(path: &Path) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    let microjoules: u64 = text.trim().parse().ok()?;
    Some(microjoules as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watts_grow_with_lanes_and_clock_and_joules_with_time() {
        let power = Power {
            idle: 1.0,
            lane_mhz: 0.01,
        };
        assert_eq!(power.watts(4, 50.0), 3.0);
        assert_eq!(Power::fixed(5.0).watts(8, 300.0), 5.0);
        assert_eq!(mgas_per_joule(6_000_000, 3.0, 0.5), 4.0);
        assert_eq!(mgas_per_joule(6_000_000, 3.0, 0.0), 0.0);
    }

    #[test]
    fn a_counter_is_microjoules_and_nonsense_is_none() {
        let path = std::env::temp_dir().join(format!("gatewei-rapl-{}", std::process::id()));
        fs::write(&path, "2500000\n").expect("it is written");
        assert_eq!(read(&path), Some(2.5));
        fs::write(&path, "many").expect("it is written");
        assert_eq!(read(&path), None);
        fs::remove_file(&path).expect("it is there");
        assert_eq!(read(&path), None);
    }
}
