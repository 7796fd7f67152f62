//! What the system lets a process lock, looked at before it refuses.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Bit of `CAP_IPC_LOCK` in a capability set.
const CAP_IPC_LOCK: u32 = 14;

/// Says what to do where `bytes` more bytes of locked memory, beside `locked` ones, go beyond the limit of
/// this process.
pub(crate) fn check_locked(locked: u64, bytes: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Memlock).current;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    judge(limit, may_lock(&status), locked, bytes)
}

fn judge(limit: Option<u64>, privileged: bool, locked: u64, bytes: u64) -> Result<(), String> {
    let needed = locked.saturating_add(bytes);
    match limit {
        Some(limit) if needed > limit && !privileged => Err(format!(
            "memory for DMA is locked, this process may lock {} KiB and needs {} KiB: raise RLIMIT_MEMLOCK \
             (`ulimit -l`, /etc/security/limits.conf, or LimitMEMLOCK= of a service)",
            limit >> 10,
            needed.div_ceil(1024)
        )),
        _ => Ok(()),
    }
}

/// Whether a process with this `/proc/self/status` has `CAP_IPC_LOCK`, for which the limit does not count.
fn may_lock(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set >> CAP_IPC_LOCK & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_told_before_it_bites() {
        let said = judge(Some(8 << 20), false, 6 << 20, 4 << 20).unwrap_err();
        assert!(
            said.contains("8192 KiB") && said.contains("10240 KiB"),
            "{said}"
        );
        assert!(said.contains("ulimit -l"), "{said}");
        assert!(judge(Some(8 << 20), false, 4 << 20, 4 << 20).is_ok());
        assert!(judge(Some(8 << 20), true, 6 << 20, 4 << 20).is_ok());
        assert!(judge(None, false, u64::MAX, 1).is_ok());
    }

    #[test]
    fn a_capability_lifts_it() {
        assert!(may_lock("Name:\tx\nCapEff:\t0000000000004000\n"));
        assert!(!may_lock("CapEff:\t000001ffffffbfff\n") && !may_lock(""));
    }
}
