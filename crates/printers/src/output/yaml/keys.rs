//! The order of keys: natural, so that `a9` comes before `a10`.

use serde_json::{Map, Value};

/// The entries of a map in that order.
pub(super) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = Vec::with_capacity(map.len());
    for entry in map {
        // The order has loops for keys made for it, on which the library's sort may panic.
        let place = sorted.partition_point(|(key, _)| is_less(key, entry.0));
        sorted.insert(place, entry);
    }
    sorted
}

/// Letters in the order of Unicode and behind everything else; numbers by their value.
fn is_less(left: &str, right: &str) -> bool {
    let left = left.chars().collect::<Vec<_>>();
    let right = right.chars().collect::<Vec<_>>();
    let Some(at) = left.iter().zip(&right).position(|(l, r)| l != r) else {
        return left.len() < right.len();
    };
    let (l, r) = (left[at], right[at]);
    match (l.is_alphabetic(), r.is_alphabetic()) {
        (true, true) => return l < r,
        (false, false) => {}
        (_, right_is_letter) => return right_is_letter,
    }
    // Zeros count only within a number that has begun with something else.
    let digits_before = left[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let inside = (l == '0' || r == '0') && digits_before.clone().any(|c| *c != '0');
    let (left_number, left_digits) = number(&left[at..], inside);
    let (right_number, right_digits) = number(&right[at..], inside);
    if left_number != right_number {
        return left_number < right_number;
    }
    if left_digits != right_digits {
        return left_digits < right_digits;
    }
    l < r
}

/// The number that text begins with, and how many digits it has.
fn number(text: &[char], inside: bool) -> (i64, usize) {
    let digits = text.iter().map_while(|c| c.to_digit(10));
    digits.fold((i64::from(inside), 0), |(number, count), digit| {
        let number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        (number, count + 1)
    })
}
