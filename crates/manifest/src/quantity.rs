//! Amounts of resources as Kubernetes writes them: `500m`, `1.5Gi`, `2e3`.
//!
//! A quantity keeps its value exactly down to one billionth, rounded away from zero below that, and capped at 2^63 - 1
//! units, as in apimachinery's `resource.Quantity`. It also remembers in which of the three notations it was written,
//! since that decides how it is written again. Two quantities are equal when their values are.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::schema::{Kind, field_types};

/// An amount of a resource. See the module.
#[derive(Clone, Copy, Default)]
pub struct Quantity {
    nanos: i128,
    notation: Notation,
}

field_types! { Quantity => Kind::Quantity }

/// How an amount is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Notation {
    /// Powers of 1000: `m`, `k`, `M` ...
    #[default]
    DecimalSi,
    /// Powers of 1024: `Ki`, `Mi` ...
    BinarySi,
    /// `e3`, `E-3`.
    DecimalExponent,
}

/// Why a text is no quantity; worded as Kubernetes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not of the form number and suffix.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The number is none.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// The suffix is none.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

const NANOS: i128 = 1_000_000_000;
/// The greatest amount, 2^63 - 1 units.
const MAX: i128 = i64::MAX as i128 * NANOS;
/// Suffixes from 10^-9 on, in steps of 1000.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Suffixes in steps of 1024.
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// No amount at all.
    pub const ZERO: Quantity = Quantity {
        nanos: 0,
        notation: Notation::DecimalSi,
    };

    /// So many whole units, written in powers of 1000.
    #[must_use]
    pub const fn units(units: i64) -> Self {
        Quantity {
            nanos: units as i128 * NANOS,
            notation: Notation::DecimalSi,
        }
    }

    /// So many thousandths.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Quantity {
            nanos: millis as i128 * (NANOS / 1000),
            notation: Notation::DecimalSi,
        }
    }

    /// So many bytes, written in powers of 1024.
    #[must_use]
    pub const fn from_bytes(bytes: i64) -> Self {
        Quantity {
            nanos: bytes as i128 * NANOS,
            notation: Notation::BinarySi,
        }
    }

    /// Whole units, rounded up.
    #[must_use]
    pub fn value(self) -> i64 {
        saturate(div_ceil(self.nanos, NANOS))
    }

    /// Bytes, rounded up; 0 when negative.
    #[must_use]
    pub fn to_bytes(self) -> u64 {
        u64::try_from(self.value()).unwrap_or(0)
    }

    /// Thousandths, rounded up.
    #[must_use]
    pub fn millis(self) -> i64 {
        saturate(div_ceil(self.nanos, NANOS / 1000))
    }

    /// How many times the divisor fits in, rounded up (R19.7); a divisor of 0 counts as 1.
    #[must_use]
    pub fn divided_by(self, divisor: Quantity) -> i64 {
        let divisor = if divisor.is_zero() {
            Quantity::units(1)
        } else {
            divisor
        };
        saturate(div_ceil(self.nanos, divisor.nanos))
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it is a whole number of units.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let (negative, rest) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let digits_end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (integer, rest) = rest.split_at(digits_end);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                rest.split_at(end)
            }
            None => ("", rest),
        };
        check_suffix_form(suffix)?;
        if integer.is_empty() && fraction.is_empty() {
            return Err(QuantityError::Number);
        }
        let scale = Scale::parse(suffix)?;
        let nanos = scale.nanos(integer, fraction);
        Ok(Quantity {
            nanos: if negative { -nanos } else { nanos },
            notation: scale.notation,
        })
    }
}

/// A suffix must be letters out of a set, then perhaps a signed number.
fn check_suffix_form(suffix: &str) -> Result<(), QuantityError> {
    let rest = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(QuantityError::Format)
    }
}

/// What a suffix multiplies by: `1024^binary * 10^decimal`.
struct Scale {
    notation: Notation,
    binary: u32,
    decimal: i32,
}

impl Scale {
    fn parse(suffix: &str) -> Result<Scale, QuantityError> {
        if let Some(step) = DECIMAL.iter().position(|known| *known == suffix) {
            let decimal = (step as i32 - 3) * 3;
            return Ok(Scale {
                notation: Notation::DecimalSi,
                binary: 0,
                decimal,
            });
        }
        if let Some(step) = BINARY.iter().position(|known| *known == suffix) {
            return Ok(Scale {
                notation: Notation::BinarySi,
                binary: step as u32,
                decimal: 0,
            });
        }
        let exponent = suffix
            .strip_prefix(['e', 'E'])
            .ok_or(QuantityError::Suffix)?;
        let decimal = exponent.parse().map_err(|_| QuantityError::Suffix)?;
        Ok(Scale {
            notation: Notation::DecimalExponent,
            binary: 0,
            decimal,
        })
    }

    /// The scaled value, rounded up to a billionth and capped.
    fn nanos(&self, integer: &str, fraction: &str) -> i128 {
        // Digits beyond these cannot change the result by more than the rounding does; they only round it up.
        let limit = if self.binary == 0 { 28 } else { 19 };
        let (mut mantissa, mut used, mut dropped, mut inexact) = (0i128, 0u32, 0i64, false);
        for digit in integer
            .bytes()
            .chain(fraction.bytes())
            .map(|byte| i128::from(byte - b'0'))
        {
            if used < limit {
                mantissa = mantissa * 10 + digit;
                used += u32::from(mantissa != 0);
            } else {
                dropped += 1;
                inexact |= digit != 0;
            }
        }
        if mantissa == 0 {
            return 0;
        }
        mantissa *= 1i128 << (10 * self.binary);
        let exponent = 9 + i64::from(self.decimal) - fraction.len() as i64 + dropped;
        let power = u32::try_from(exponent.unsigned_abs())
            .ok()
            .and_then(|e| 10i128.checked_pow(e));
        let nanos = match power {
            Some(power) if exponent >= 0 => mantissa.checked_mul(power).unwrap_or(MAX),
            Some(power) => {
                let exact = mantissa % power == 0 && !inexact;
                inexact = false;
                mantissa / power + i128::from(!exact)
            }
            None if exponent >= 0 => MAX,
            None => 1,
        };
        nanos.saturating_add(i128::from(inexact)).min(MAX)
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: the greatest suffix that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.nanos.abs() < 1024 * NANOS;
        if self.notation == Notation::BinarySi && !small {
            let units = self.nanos.unsigned_abs().div_ceil(NANOS.unsigned_abs());
            let (amount, step) = reduce(units, 1024, BINARY.len() - 1);
            let sign = if self.nanos < 0 { "-" } else { "" };
            return f.pad(&format!("{sign}{amount}{}", BINARY[step]));
        }
        if self.nanos == 0 {
            return f.pad("0");
        }
        let sign = if self.nanos < 0 { "-" } else { "" };
        let (amount, step) = reduce(self.nanos.unsigned_abs(), 1000, DECIMAL.len() - 1);
        let exponent = (step as i32 - 3) * 3;
        if self.notation == Notation::DecimalExponent && exponent != 0 {
            return f.pad(&format!("{sign}{amount}e{exponent}"));
        }
        f.pad(&format!("{sign}{amount}{}", DECIMAL[step]))
    }
}

/// Divides as often as it goes without remainder.
fn reduce(mut amount: u128, by: u128, most: usize) -> (u128, usize) {
    let mut steps = 0;
    while steps < most && amount.is_multiple_of(by) {
        amount /= by;
        steps += 1;
    }
    (amount, steps)
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({self})")
    }
}

fn div_ceil(amount: i128, by: i128) -> i128 {
    amount.div_euclid(by) + i128::from(amount.rem_euclid(by) != 0)
}

fn saturate(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Quantity;

    /// The sum, capped, in the notation of the first that is not zero.
    fn add(self, other: Quantity) -> Quantity {
        let notation = if self.is_zero() {
            other.notation
        } else {
            self.notation
        };
        Quantity {
            nanos: (self.nanos + other.nanos).clamp(-MAX, MAX),
            notation,
        }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(amounts: I) -> Quantity {
        amounts.fold(Quantity::ZERO, Add::add)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// From text, or from a bare number as `cpu: 1`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity::units(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests;
