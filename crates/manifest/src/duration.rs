//! Durations as the Gateway API writes them (GEP-2257): `10s`, `1h30m`, `500ms`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::schema::{Kind, field_types};

/// A length of time in whole milliseconds, of one to four parts `<1 to 5 digits><h|m|s|ms>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(std::time::Duration);

field_types! { Duration => Kind::Duration }

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one to four numbers of up to five digits, each with a unit h, m, s or ms")]
pub struct DurationError;

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl Duration {
    /// No time at all; for timeouts it means that there is none.
    pub const ZERO: Duration = Duration(std::time::Duration::ZERO);

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Duration(std::time::Duration::from_millis(millis))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Duration(std::time::Duration::from_secs(seconds))
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn get(self) -> std::time::Duration {
        self.0
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut rest = text;
        let mut millis = 0u64;
        for _ in 0..4 {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=5).contains(&digits) {
                return Err(DurationError);
            }
            let number: u64 = rest[..digits].parse().map_err(|_| DurationError)?;
            let unit = rest[digits..]
                .find(|c: char| c.is_ascii_digit())
                .map_or(&rest[digits..], |end| &rest[digits..digits + end]);
            let (_, factor) = UNITS
                .iter()
                .find(|(known, _)| *known == unit)
                .ok_or(DurationError)?;
            // Four parts of five digits are far below what 64 bits hold.
            millis += number * factor;
            rest = &rest[digits + unit.len()..];
            if rest.is_empty() {
                return Ok(Duration::from_millis(millis));
            }
        }
        Err(DurationError)
    }
}

impl fmt::Display for Duration {
    /// The standard form: descending units, each once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (unit, factor) in UNITS {
            let count = rest / factor;
            rest %= factor;
            if count > 0 {
                text.push_str(&format!("{count}{unit}"));
            }
        }
        f.pad(&text)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of GEP-2257.
    #[test]
    fn reads_and_writes_as_the_gep_says() {
        for (text, canonical) in [
            ("0h", "0s"),
            ("0h0m0s", "0s"),
            ("1h", "1h"),
            ("30m", "30m"),
            ("10s", "10s"),
            ("500ms", "500ms"),
            ("2h30m", "2h30m"),
            ("150m", "2h30m"),
            ("7230s", "2h30s"),
            ("10s30m1h", "1h30m10s"),
            ("100ms200ms300ms", "600ms"),
            ("00060m", "1h"),
        ] {
            let read = text.parse::<Duration>().map(|read| read.to_string());
            assert_eq!(read.as_deref(), Ok(canonical), "{text}");
        }
        for text in [
            "",
            "0",
            "1",
            "1m1",
            "1d",
            "1h30m10s20ms50h",
            "999999h",
            "1.5h",
            "-15m",
            " 1s",
            "1s ",
            "1 s",
            "ms",
            "1S",
            "1µs",
        ] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError), "{text}");
        }
    }
}
