//! `Accept-Encoding` (RFC 9110, 12.5.3).

use crate::config::document::ContentCoding;

/// How welcome each coding is to a client, in thousandths; 0: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    br: u16,
    zstd: u16,
    gzip: u16,
    /// No coding at all, where the client says how welcome that is.
    identity: Option<u16>,
}

impl Accepted {
    /// Reads the values of all fields. Without any only the file as it is will do: that is what such clients can read.
    pub fn read<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let [mut br, mut zstd, mut gzip, mut identity, mut any] = [None; 5];
        let elements = values.flat_map(|value| value.split(|byte| *byte == b','));
        for element in elements {
            let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(weight).unwrap_or(1000);
            let of = match name.as_slice() {
                b"br" => &mut br,
                b"zstd" => &mut zstd,
                b"gzip" | b"x-gzip" => &mut gzip,
                b"identity" => &mut identity,
                b"*" => &mut any,
                _ => continue,
            };
            // Said twice: the first counts.
            of.get_or_insert(weight);
        }
        let or_any = |weight: Option<u16>| weight.or(any).unwrap_or(0);
        Self {
            br: or_any(br),
            zstd: or_any(zstd),
            gzip: or_any(gzip),
            identity,
        }
    }

    /// How welcome a coding is; 0 where the file as it is would be more welcome.
    pub fn weight(&self, coding: ContentCoding) -> u16 {
        let weight = match coding {
            ContentCoding::Br => self.br,
            ContentCoding::Zstd => self.zstd,
            ContentCoding::Gzip => self.gzip,
        };
        if self.identity.is_some_and(|identity| identity > weight) {
            return 0;
        }
        weight
    }
}

/// A parameter `q`; what is none of RFC 9110's is 0, so that it is not taken for a wish.
fn weight(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', rest @ ..] = parameter else {
        return None;
    };
    let value = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    let thousandths = match value {
        [b'1'] => 1000,
        [b'1', b'.', zeros @ ..] if zeros.len() <= 3 && zeros.iter().all(|byte| *byte == b'0') => {
            1000
        }
        [b'0', b'.', digits @ ..] if digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) => {
            let padded = digits.iter().chain(b"000").take(3);
            padded.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
        }
        _ => 0,
    };
    Some(thousandths)
}

/// The end of the names of files in a coding.
pub const fn extension(coding: ContentCoding) -> &'static str {
    match coding {
        ContentCoding::Br => ".br",
        ContentCoding::Zstd => ".zst",
        ContentCoding::Gzip => ".gz",
    }
}
