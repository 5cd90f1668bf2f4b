//! The cpu controller: shares or weight, and the quota.

use std::io;
use std::path::Path;

use super::write;

/// The period quotas are given for, in microseconds; Kubernetes' and the kernel's default.
const PERIOD: u64 = 100_000;

/// Sets what is given and leaves the rest.
pub(super) fn apply(
    dir: &Path,
    v2: bool,
    shares: Option<u64>,
    quota: Option<u64>,
) -> io::Result<()> {
    if let Some(shares) = shares {
        let shares = shares.clamp(2, 262_144);
        if v2 {
            write(dir, "cpu.weight", &weight(shares).to_string())?;
        } else {
            write(dir, "cpu.shares", &shares.to_string())?;
        }
    }
    if let Some(quota) = quota {
        let quota = quota.max(1000);
        if v2 {
            write(dir, "cpu.max", &format!("{quota} {PERIOD}"))?;
        } else {
            write(dir, "cpu.cfs_period_us", &PERIOD.to_string())?;
            write(dir, "cpu.cfs_quota_us", &quota.to_string())?;
        }
    }
    Ok(())
}

/// `cpu.weight` for `cpu.shares`, as runc since 1.3.2: a curve through 2 -> 1, 1024 -> 100, 262144 -> 10000 (R13.7).
pub(super) fn weight(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        262_144.. => 10_000,
        _ => {
            let l = (shares as f64).log2();
            let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
            10f64.powf(exponent).ceil() as u64
        }
    }
}
