//! `Range` (RFC 9110, 14): which bytes of a file are asked for. Pure.

use std::ops::Range;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranges {
    /// The whole, also where the field is not understood, or asks for more than that.
    Whole,
    /// Nothing that is there.
    Unsatisfiable,
    /// These, in the order asked for; none is empty.
    Parts(Vec<Range<u64>>),
}

/// How many parts a client gets at once. A response of many small ones costs more than the whole.
pub const MOST_PARTS: usize = 16;

enum Asked {
    From(u64, Option<u64>),
    Last(u64),
}

/// Reads the value of `Range` for a file of `size` bytes.
pub fn read(value: &[u8], size: u64) -> Ranges {
    let Some(set) = set_of_bytes(value) else {
        return Ranges::Whole;
    };
    let mut parts = Vec::new();
    let mut asked = 0;
    let mut total: u64 = 0;
    for element in set.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if element.is_empty() {
            continue;
        }
        asked += 1;
        let Some(range) = one(element) else {
            return Ranges::Whole;
        };
        let part = match range {
            Asked::From(first, last) => {
                first..last.map_or(size, |last| last.saturating_add(1).min(size))
            }
            Asked::Last(0) => continue,
            // The last bytes of nothing are the whole of it.
            Asked::Last(_) if size == 0 => return Ranges::Whole,
            Asked::Last(count) => size.saturating_sub(count)..size,
        };
        if part.start >= size {
            continue;
        }
        total = total.saturating_add(part.end - part.start);
        parts.push(part);
    }
    if asked == 0 || asked > MOST_PARTS || total > size {
        Ranges::Whole
    } else if parts.is_empty() {
        Ranges::Unsatisfiable
    } else {
        Ranges::Parts(parts)
    }
}

fn set_of_bytes(value: &[u8]) -> Option<&[u8]> {
    let (unit, set) = value.split_at(value.iter().position(|byte| *byte == b'=')?);
    unit.eq_ignore_ascii_case(b"bytes").then_some(&set[1..])
}

/// One range; None for what is none.
fn one(text: &[u8]) -> Option<Asked> {
    let dash = text.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (&text[..dash], &text[dash + 1..]);
    if first.is_empty() {
        return number(last).map(Asked::Last);
    }
    let first = number(first)?;
    if last.is_empty() {
        return Some(Asked::From(first, None));
    }
    let last = number(last)?;
    (first <= last).then_some(Asked::From(first, Some(last)))
}

/// A number; one that is greater than any file stands for the greatest.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    };
    Some(digits.iter().fold(0, add))
}

#[cfg(test)]
mod tests;
