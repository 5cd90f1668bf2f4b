//! Netlink attributes with the byte order of nfnetlink.

use netlink_packet_core::{NLA_F_NESTED, NlasIterator};

/// Attributes as they are written: length, kind, value, padding to four bytes.
#[derive(Default)]
pub(super) struct Attributes(pub(super) Vec<u8>);

impl Attributes {
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let start = self.open(kind);
        self.0.extend_from_slice(value);
        self.close(start);
        self
    }

    pub(super) fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    pub(super) fn string(&mut self, kind: u16, value: &str) -> &mut Self {
        let start = self.open(kind);
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
        self.close(start);
        self
    }

    pub(super) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.open(kind | NLA_F_NESTED);
        fill(self);
        self.close(start);
        self
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        if let Some(field) = self.0.get_mut(start..start + 2) {
            field.copy_from_slice(&length.to_ne_bytes());
        }
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// Attributes as they were read: kinds without flags, values without padding. What is cut off or misshapen, and what
/// comes after it, is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed(Vec<(u16, Vec<u8>)>);

impl Parsed {
    /// Reads attributes one after another.
    pub fn read(bytes: &[u8]) -> Self {
        Self(
            NlasIterator::new(bytes)
                .map_while(Result::ok)
                .map(|attribute| (attribute.kind(), attribute.value().to_vec()))
                .collect(),
        )
    }

    /// The value of the first attribute of a kind.
    pub fn value(&self, kind: u16) -> Option<&[u8]> {
        let (_, value) = self.0.iter().find(|(found, _)| *found == kind)?;
        Some(value)
    }

    /// A string, without the zero at its end.
    pub fn text(&self, kind: u16) -> Option<String> {
        let text = String::from_utf8_lossy(self.value(kind)?);
        Some(text.trim_end_matches('\0').to_owned())
    }

    /// A number of four bytes.
    pub fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(kind)?.try_into().ok()?))
    }

    /// The attributes within an attribute.
    pub fn nested(&self, kind: u16) -> Option<Self> {
        self.value(kind).map(Self::read)
    }

    /// The values of all attributes, as those of lists.
    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(_, value)| value.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_lengths_are_not() {
        let mut attributes = Attributes::default();
        attributes.string(1, "ab").nested(2, |inner| {
            inner.attribute(3, &[7]);
        });
        assert_eq!(
            attributes.0,
            [
                &7_u16.to_ne_bytes()[..],
                &1_u16.to_ne_bytes(),
                b"ab\0\0",
                &12_u16.to_ne_bytes(),
                &0x8002_u16.to_ne_bytes(),
                &5_u16.to_ne_bytes(),
                &3_u16.to_ne_bytes(),
                &[7, 0, 0, 0],
            ]
            .concat()
        );
        let parsed = Parsed::read(&attributes.0);
        assert_eq!(parsed.text(1).as_deref(), Some("ab"));
        assert_eq!(parsed.nested(2), Some(Parsed(vec![(3, vec![7])])));
    }
}
