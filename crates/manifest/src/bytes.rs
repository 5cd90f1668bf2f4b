//! Bytes as values of Secrets and ConfigMaps: base64 in manifests, never shown by `Debug`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::schema::{Kind, field_types};

/// Bytes that are written in base64. `Debug` shows their number only, since they may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteString(pub Vec<u8>);

field_types! { ByteString => Kind::Bytes }

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ByteString({} bytes)", self.0.len())
    }
}

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(ByteString).map_err(D::Error::custom)
    }
}

/// Why a text is no base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("illegal base64 data at input byte {position}")]
pub struct InvalidBase64 {
    /// The first byte that does not fit.
    pub position: usize,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes standard base64 with padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = [
            chunk[0],
            *chunk.get(1).unwrap_or(&0),
            *chunk.get(2).unwrap_or(&0),
        ];
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let index = (bits >> (18 - 6 * digit)) & 0x3f;
                text.push(char::from(ALPHABET[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Reads standard base64 with padding; line breaks are skipped, as Go does.
///
/// # Errors
/// The position of the first byte that is no base64, or of the end when the text is cut short.
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut padding) = (0u32, 0u32, 0u32);
    for (position, byte) in text.bytes().enumerate() {
        let value = match byte {
            b'\r' | b'\n' => continue,
            b'=' if digits + padding >= 2 && digits + padding < 4 && digits >= 2 => {
                padding += 1;
                continue;
            }
            _ if padding > 0 => return Err(InvalidBase64 { position }),
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(InvalidBase64 { position }),
        };
        bits = (bits << 6) | u32::from(value);
        digits += 1;
        if digits == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, digits) = (0, 0);
        }
    }
    match (digits, padding) {
        (0, 0) => Ok(bytes),
        (2, 2) => {
            bytes.push((bits >> 4) as u8);
            Ok(bytes)
        }
        (3, 1) => {
            bytes.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]);
            Ok(bytes)
        }
        _ => Err(InvalidBase64 {
            position: text.len(),
        }),
    }
}
