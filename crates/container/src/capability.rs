//! Capability names, containerd's default set, and what a container ends up with.

use std::io;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
};

use crate::error::{StartError, Step};
use crate::spec::CapabilitySpec;

/// Every capability by name, in the kernel's order.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// containerd's default set.
const DEFAULT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// The set `spec` asks for: `ALL` first, single names after it, so that `add: [ALL], drop: [SYS_TIME]` and
/// `drop: [ALL], add: [CHOWN]` both mean what they say.
///
/// # Errors
/// [`Step::Capabilities`] for a name the kernel does not have.
pub(crate) fn resolve(
    spec: &CapabilitySpec,
    privileged: bool,
) -> Result<CapabilitySet, StartError> {
    let is_all = |name: &String| name.eq_ignore_ascii_case("ALL");
    if privileged {
        return Ok(all());
    }
    let mut set = DEFAULT;
    if spec.add.iter().any(is_all) {
        set = all();
    }
    if spec.drop.iter().any(is_all) {
        set = CapabilitySet::empty();
    }
    for name in spec.add.iter().filter(|name| !is_all(name)) {
        set |= by_name(name)?;
    }
    for name in spec.drop.iter().filter(|name| !is_all(name)) {
        set -= by_name(name)?;
    }
    Ok(set)
}

fn all() -> CapabilitySet {
    CapabilitySet::from_bits_retain((1 << NAMES.len()) - 1)
}

fn by_name(name: &str) -> Result<CapabilitySet, StartError> {
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
    NAMES
        .iter()
        .position(|known| *known == short)
        .map(|bit| CapabilitySet::from_bits_retain(1 << bit))
        .ok_or_else(|| {
            StartError::new(Step::Capabilities, format!("unknown capability \"{name}\""))
        })
}

/// Takes from the bounding set what is not in `keep`, and returns the part of `keep` this process has to give: without
/// all of root's powers on the machine, no container gets them.
pub(crate) fn bound(keep: CapabilitySet) -> io::Result<CapabilitySet> {
    let mut have = CapabilitySet::empty();
    for bit in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        match capability_is_in_bounding_set(one) {
            Ok(false) => {}
            Ok(true) if keep.contains(one) => have |= one,
            Ok(true) => remove_capability_from_bounding_set(one)?,
            // The first number the kernel does not know.
            Err(_) => break,
        }
    }
    Ok(have & capabilities(None)?.permitted)
}

/// Makes `set` the permitted and effective capabilities. Inheritable and ambient stay empty, so a program that is not run
/// by root has none, as in containerd.
pub(crate) fn apply(set: CapabilitySet) -> io::Result<()> {
    // Absent before Linux 4.3, and then empty.
    let _ = clear_ambient_capability_set();
    set_capabilities(
        None,
        CapabilitySets {
            effective: set,
            permitted: set,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(add: &[&str], drop: &[&str]) -> u64 {
        let own = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        resolve(
            &CapabilitySpec {
                add: own(add),
                drop: own(drop),
            },
            false,
        )
        .expect("known")
        .bits()
    }

    #[test]
    fn the_default_is_containerds() {
        assert_eq!(set(&[], &[]), 0xa804_25fb);
    }

    #[test]
    fn single_names_win_over_all() {
        assert_eq!(set(&["CHOWN"], &["ALL"]), 1);
        assert_eq!(set(&["cap_net_bind_service"], &["all"]), 1 << 10);
        assert_eq!(set(&["ALL"], &["SYS_TIME"]), 0x1ff_ffff_ffff & !(1 << 25));
        assert_eq!(
            set(&["NET_ADMIN"], &["NET_RAW"]),
            0xa804_25fb & !(1 << 13) | (1 << 12)
        );
    }

    #[test]
    fn names_are_the_kernels_numbers() {
        assert_eq!(NAMES.len(), 41);
        assert_eq!(
            by_name("CHECKPOINT_RESTORE").expect("known"),
            CapabilitySet::CHECKPOINT_RESTORE
        );
        assert_eq!(
            by_name("SYS_ADMIN").expect("known"),
            CapabilitySet::SYS_ADMIN
        );
        assert!(
            by_name("SYS_ADMINN")
                .expect_err("no such")
                .message
                .contains("SYS_ADMINN")
        );
    }
}
