//! The program is run by a small interpreter, so that every number can be asked without being called.

use rustix::thread::CapabilitySet;

use super::compile;

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

fn run(capabilities: CapabilitySet, arch: u32, number: u32, argument: u64) -> u32 {
    let program = compile(capabilities);
    let mut data = [0u8; 64];
    data[..4].copy_from_slice(&number.to_le_bytes());
    data[4..8].copy_from_slice(&arch.to_le_bytes());
    data[16..24].copy_from_slice(&argument.to_le_bytes());
    let (mut at, mut value) = (0usize, 0u32);
    loop {
        let i = program[at];
        let k = i.operand;
        let jump = |taken: bool| usize::from(if taken { i.jump_true } else { i.jump_false });
        at += 1;
        match i.code {
            0x20 => {
                let from = k as usize;
                value = u32::from_le_bytes(data[from..from + 4].try_into().expect("four bytes"));
            }
            0x05 => at += k as usize,
            0x15 => at += jump(value == k),
            0x35 => at += jump(value >= k),
            0x45 => at += jump(value & k != 0),
            0x06 => return k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn ask(number: i64, argument: u64) -> u32 {
    run(CapabilitySet::empty(), NATIVE, number as u32, argument)
}

#[test]
fn every_number_has_the_verdict_of_the_table() {
    for capabilities in [
        CapabilitySet::empty(),
        CapabilitySet::all(),
        CapabilitySet::SYS_ADMIN,
    ] {
        let table = super::profile::table(capabilities);
        for number in 0..1000 {
            let verdict = run(capabilities, NATIVE, number, 0);
            let listed = table
                .iter()
                .find(|(listed, _)| *listed == number)
                .map(|(_, v)| *v);
            let expected = match listed {
                _ if number > super::profile::NEWEST => ENOSYS,
                None | Some(super::profile::Verdict::NotPermitted) => EPERM,
                Some(super::profile::Verdict::NotImplemented) => ENOSYS,
                // Argument 0 obeys all three rules.
                Some(_) => ALLOW,
            };
            assert_eq!(verdict, expected, "system call {number}");
        }
    }
}

#[test]
fn arguments_decide() {
    assert_eq!(ask(libc::SYS_clone, libc::SIGCHLD as u64), ALLOW);
    assert_eq!(ask(libc::SYS_clone, libc::CLONE_NEWUSER as u64 | 17), EPERM);
    assert_eq!(ask(libc::SYS_clone, libc::CLONE_NEWNET as u64), EPERM);
    assert_eq!(ask(libc::SYS_socket, libc::AF_INET as u64), ALLOW);
    assert_eq!(ask(libc::SYS_socket, libc::AF_VSOCK as u64), EPERM);
    // The kernel looks at 32 bits, so hiding behind the upper ones must not help.
    assert_eq!(
        ask(libc::SYS_socket, libc::AF_VSOCK as u64 | 1 << 40),
        EPERM
    );
    assert_eq!(ask(libc::SYS_personality, 0xffff_ffff), ALLOW);
    assert_eq!(ask(libc::SYS_personality, 0x40000), EPERM);
}

#[test]
fn capabilities_open_their_calls() {
    let admin = |number: i64| run(CapabilitySet::SYS_ADMIN, NATIVE, number as u32, 0);
    assert_eq!(ask(libc::SYS_mount, 0), EPERM);
    assert_eq!(admin(libc::SYS_mount), ALLOW);
    assert_eq!(ask(libc::SYS_clone3, 0), ENOSYS);
    assert_eq!(admin(libc::SYS_clone3), ALLOW);
    assert_eq!(ask(libc::SYS_keyctl, 0), EPERM);
    assert_eq!(admin(libc::SYS_keyctl), EPERM);
    assert_eq!(ask(libc::SYS_io_uring_setup, 0), EPERM);
}

#[test]
fn other_abis_are_refused() {
    const I386: u32 = 0x4000_0003;
    assert_eq!(run(CapabilitySet::all(), I386, 1, 0), 0x8000_0000);
    // x32: the same architecture word, a bit in the number.
    assert_eq!(run(CapabilitySet::all(), NATIVE, 0x4000_0000, 0), ENOSYS);
}

#[test]
fn the_program_fits_the_kernel() {
    let length = compile(CapabilitySet::empty()).len();
    assert!(length < 400, "{length} instructions");
}
