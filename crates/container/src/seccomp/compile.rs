//! From table to BPF: check the architecture, then a binary search over ranges of equal verdict.

use rustix::thread::CapabilitySet;
use sys::seccomp::Instruction;

use super::profile::{self, ArgRule, Verdict};

// Classic BPF, <linux/bpf_common.h>.
const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
const IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const IF_ANY_BIT: u16 = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

// <linux/seccomp.h>
const KILL_PROCESS: u32 = 0x8000_0000;
const ERRNO: u32 = 0x0005_0000;
const ALLOW: u32 = 0x7fff_0000;

// Offsets in `struct seccomp_data`; arguments are 64 bits, and both architectures are little-endian.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const fn argument_low(index: u32) -> u32 {
    16 + 8 * index
}

#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

/// The default profile for a container with these capabilities.
pub(crate) fn compile(capabilities: CapabilitySet) -> Vec<Instruction> {
    let mut program = vec![
        statement(LOAD, ARCHITECTURE),
        branch(IF_EQUAL, NATIVE, 1, 0),
        statement(RETURN, KILL_PROCESS),
        statement(LOAD, NUMBER),
    ];
    program.extend(search(&ranges(capabilities)));
    program
}

/// Consecutive system call numbers, from `first` to the next range's, with one verdict.
struct Range {
    first: u32,
    verdict: Verdict,
}

/// All numbers, in order. What the profile does not name is not permitted; what is newer than the profile is not
/// implemented, so that programs fall back to what they used before. That covers the x32 numbers (bit 30) as well.
fn ranges(capabilities: CapabilitySet) -> Vec<Range> {
    let mut table = profile::table(capabilities);
    table.sort_by_key(|(number, _)| *number);
    let mut ranges: Vec<Range> = Vec::new();
    let mut push = |first: u32, verdict: Verdict| {
        if ranges.last().is_none_or(|last| last.verdict != verdict) {
            ranges.push(Range { first, verdict });
        }
    };
    let mut next = 0;
    for (number, verdict) in table {
        if number > next {
            push(next, Verdict::NotPermitted);
        }
        if number >= next {
            push(number, verdict);
            next = number + 1;
        }
    }
    if next <= profile::NEWEST {
        push(next, Verdict::NotPermitted);
    }
    push(profile::NEWEST + 1, Verdict::NotImplemented);
    ranges
}

fn search(ranges: &[Range]) -> Vec<Instruction> {
    match ranges {
        [] => vec![statement(RETURN, KILL_PROCESS)],
        [range] => leaf(range.verdict),
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let pivot = high.first().map_or(0, |range| range.first);
            let (low, high) = (search(low), search(high));
            let mut block = match u8::try_from(low.len()) {
                Ok(skip) => vec![branch(IF_AT_LEAST, pivot, skip, 0)],
                // A conditional jump reaches 255 instructions, an unconditional one all of them.
                Err(_) => vec![
                    branch(IF_AT_LEAST, pivot, 0, 1),
                    statement(JUMP, low.len() as u32),
                ],
            };
            block.extend(low);
            block.extend(high);
            block
        }
    }
}

fn leaf(verdict: Verdict) -> Vec<Instruction> {
    let permit = statement(RETURN, ALLOW);
    let refuse = statement(RETURN, ERRNO | libc::EPERM as u32);
    match verdict {
        Verdict::Allow => vec![permit],
        Verdict::NotPermitted => vec![refuse],
        Verdict::NotImplemented => vec![statement(RETURN, ERRNO | libc::ENOSYS as u32)],
        Verdict::If(rule) => {
            // The kernel takes these arguments as 32 bits, so the upper half means nothing.
            let mut block = vec![statement(LOAD, argument_low(0))];
            match rule {
                ArgRule::NoneOfBits(bits) => {
                    block.extend([branch(IF_ANY_BIT, bits, 0, 1), refuse, permit]);
                }
                ArgRule::Not(value) => {
                    block.extend([branch(IF_EQUAL, value, 0, 1), refuse, permit]);
                }
                ArgRule::OneOf(values) => {
                    for value in values {
                        block.extend([branch(IF_EQUAL, *value, 0, 1), permit]);
                    }
                    block.push(refuse);
                }
            }
            block
        }
    }
}

fn statement(code: u16, operand: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        operand,
    }
}

fn branch(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction {
        code,
        jump_true,
        jump_false,
        operand,
    }
}
