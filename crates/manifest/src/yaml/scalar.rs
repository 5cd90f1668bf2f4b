//! What a scalar means: YAML 1.1 as the Go library of kubectl resolves it.
//!
//! The rules follow from `tests/kubectl/answers.json`. Where YAML 1.1 has more (sexagesimal numbers, time stamps), that
//! library gives text, and so does this.

use super::node::{Value, number};

/// The meaning of a plain scalar, or a tagged one.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar {
    Value(Value),
    /// `.inf` or `.nan`, which JSON cannot hold.
    NotFinite(&'static str),
    /// A whole number beyond 2^63, which is no map key (kubectl refuses it as one).
    Unsigned(u64),
}

impl Scalar {
    fn text(text: &str) -> Self {
        Scalar::Value(Value::String(text.to_owned()))
    }

    /// As a value of the tree.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub(super) fn into_value(self) -> Result<Value, String> {
        match self {
            Scalar::Value(value) => Ok(value),
            Scalar::Unsigned(value) => Ok(Value::Float(value as f64)),
            Scalar::NotFinite(word) => Err(format!("{word} is not a number that JSON can hold")),
        }
    }

    /// As the key of a map: booleans and numbers become text.
    ///
    /// # Errors
    /// Why it cannot be one.
    pub(super) fn into_key(self) -> Result<String, String> {
        match self {
            Scalar::Value(Value::String(text)) => Ok(text),
            Scalar::Value(Value::Bool(value)) => Ok(value.to_string()),
            Scalar::Value(Value::Int(value)) => Ok(value.to_string()),
            Scalar::Value(Value::Float(value)) => Ok(short_float(value)),
            Scalar::NotFinite(word) => Ok(word.to_owned()),
            Scalar::Unsigned(value) => Err(format!("unsupported map key {value}")),
            Scalar::Value(_) => Err("null cannot be the key of a map".to_owned()),
        }
    }
}

/// The meaning of a scalar without quotes and tag.
pub(super) fn resolve(text: &str) -> Scalar {
    if let Some(value) = word(text) {
        return value;
    }
    match text.as_bytes()[0] {
        b'+' | b'-' | b'.' | b'0'..=b'9' => {
            resolve_number(text).unwrap_or_else(|| Scalar::text(text))
        }
        _ => Scalar::text(text),
    }
}

/// The meaning of a scalar with a tag.
///
/// # Errors
/// The text is nothing of that type.
pub(super) fn resolve_tagged(text: &str, tag: &str) -> Result<Scalar, String> {
    let Some(type_) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(Scalar::text(text));
    };
    let fits = |scalar: &Scalar| match scalar {
        Scalar::Value(Value::Null) => type_ == "null",
        Scalar::Value(Value::Bool(_)) => type_ == "bool",
        Scalar::Value(Value::Int(_)) | Scalar::Unsigned(_) => type_ == "int" || type_ == "float",
        Scalar::Value(Value::Float(_)) | Scalar::NotFinite(_) => type_ == "float",
        Scalar::Value(_) => false,
    };
    match type_ {
        "null" | "bool" | "int" | "float" => {
            let scalar = resolve(text);
            if fits(&scalar) {
                Ok(scalar)
            } else {
                Err(format!("this value is no !!{type_}"))
            }
        }
        "binary" => crate::bytes::decode(text)
            .map(|bytes| Scalar::text(&String::from_utf8_lossy(&bytes)))
            .map_err(|_| "!!binary value contains invalid base64 data".to_owned()),
        _ => Ok(Scalar::text(text)),
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Value(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Value(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Value(Value::Bool(false))
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::NotFinite(".nan"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::NotFinite(".inf"),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::NotFinite("-.inf"),
        _ => return None,
    })
}

fn resolve_number(text: &str) -> Option<Scalar> {
    // A dot first: only a float is looked for, and underscores are not removed.
    if text.starts_with('.') {
        return float(text);
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    integer(&plain).or_else(|| float(&plain))
}

/// A whole number as Go's `ParseInt` with base 0 reads it: 0x, 0o, 0b, and a leading 0 for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let (base, digits) = match prefix.as_str() {
        "0x" => (16, &digits[2..]),
        "0o" => (8, &digits[2..]),
        "0b" => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust's parser would take another sign.
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    let signed = if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    match signed {
        Some(value) => Some(Scalar::Value(Value::Int(value))),
        // The unsigned parser of Go takes no sign.
        None if text.starts_with(['+', '-']) => None,
        None => Some(Scalar::Unsigned(magnitude)),
    }
}

/// A decimal number with fraction or exponent; one that overflows stays text.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || !digits(exponent) {
            return None;
        }
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then(|| Scalar::Value(number(value)))
}

/// A float as a map key: Go's format `g` with the precision of 32 bits.
fn short_float(value: f64) -> String {
    let scientific = format!("{:e}", value as f32);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..21).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{}", value as f32)
}
