//! Names in certificates: DNS names, addresses, and URIs as SPIFFE has them.

use std::fmt;
use std::net::IpAddr;

use super::HostPattern;

/// A name that a certificate must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SanPattern {
    /// A DNS name, or `*.name`: any name below.
    Dns(HostPattern),
    /// An address.
    Ip(IpAddr),
    /// A URI, element by element: `*` takes one element, `**` at the end any that follow, at least one.
    Uri(Vec<String>),
}

impl SanPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let elements: Vec<String> = rest.split('/').map(str::to_owned).collect();
            let (last, before) = elements
                .split_last()
                .map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
            let stars = |element: &str| element.contains('*') && element != "*";
            return if scheme.is_empty() || elements[0].is_empty() || elements[0].contains('*') {
                Err(
                    "must begin with a scheme and a host or trust domain, as `spiffe://domain/`"
                        .into(),
                )
            } else if before.iter().any(|element| stars(element)) || stars(last) && last != "**" {
                Err("may have `*` only as a whole element, and `**` only as the last one".into())
            } else {
                let mut all = vec![scheme.to_ascii_lowercase()];
                all.extend(elements);
                Ok(SanPattern::Uri(all))
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(SanPattern::Ip(address));
        }
        HostPattern::parse(text)
            .map(SanPattern::Dns)
            .map_err(|faults| faults.join(", "))
    }

    /// Whether a DNS name of a certificate fits. A wildcard in the certificate fits only the same wildcard.
    #[must_use]
    pub fn matches_dns(&self, name: &str) -> bool {
        match self {
            SanPattern::Dns(pattern) if name.starts_with("*.") => {
                pattern.to_string().eq_ignore_ascii_case(name)
            }
            SanPattern::Dns(pattern) => pattern.matches(name),
            _ => false,
        }
    }

    /// Whether an address of a certificate fits.
    #[must_use]
    pub fn matches_ip(&self, address: IpAddr) -> bool {
        matches!(self, SanPattern::Ip(own) if *own == address)
    }

    /// Whether a URI of a certificate fits. The path is compared with case, as SPIFFE says.
    #[must_use]
    pub fn matches_uri(&self, uri: &str) -> bool {
        let (SanPattern::Uri(pattern), Some((scheme, rest))) = (self, uri.split_once("://")) else {
            return false;
        };
        if !pattern[0].eq_ignore_ascii_case(scheme) {
            return false;
        }
        let mut elements = rest.split('/');
        let domain = elements.next().unwrap_or("");
        if !pattern[1].eq_ignore_ascii_case(domain) {
            return false;
        }
        for expected in &pattern[2..] {
            match (expected.as_str(), elements.next()) {
                ("**", Some(first)) => return !first.is_empty(),
                ("*", Some(element)) if !element.is_empty() => {}
                (expected, Some(element)) if expected == element => {}
                _ => return false,
            }
        }
        elements.next().is_none()
    }
}

impl fmt::Display for SanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SanPattern::Dns(pattern) => pattern.fmt(f),
            SanPattern::Ip(address) => address.fmt(f),
            SanPattern::Uri(elements) => {
                write!(f, "{}://{}", elements[0], elements[1..].join("/"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        for (pattern, uri, expected) in [
            ("spiffe://td/ns/a", "spiffe://td/ns/a", true),
            ("spiffe://td/ns/a", "spiffe://TD/ns/a", true),
            ("spiffe://td/ns/a", "spiffe://td/ns/A", false),
            ("spiffe://td/ns/*", "spiffe://td/ns/a", true),
            ("spiffe://td/ns/*", "spiffe://td/ns/a/b", false),
            ("spiffe://td/ns/*", "spiffe://td/ns/", false),
            ("spiffe://td/ns/*", "spiffe://td/ns", false),
            ("spiffe://td/ns/**", "spiffe://td/ns/a/b", true),
            ("spiffe://td/ns/**", "spiffe://td/ns", false),
            ("spiffe://td/**", "spiffe://td.evil/x", false),
            ("spiffe://td", "spiffe://td", true),
            ("spiffe://td", "https://td", false),
            ("spiffe://td/*/sa/x", "spiffe://td/ns/sa/x", true),
            ("a.com", "spiffe://a.com", false),
        ] {
            let found = SanPattern::parse(pattern).unwrap().matches_uri(uri);
            assert_eq!(found, expected, "{pattern} {uri}");
        }
        for text in [
            "spiffe://",
            "://td",
            "spiffe://*/x",
            "spiffe://td/a*",
            "spiffe://td/**/x",
        ] {
            assert!(SanPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_addresses() {
        let name = SanPattern::parse("*.a.com").unwrap();
        assert!(name.matches_dns("b.a.com") && name.matches_dns("*.a.com"));
        assert!(!name.matches_dns("*.b.a.com") && !name.matches_dns("a.com"));
        let address = SanPattern::parse("::1").unwrap();
        assert!(address.matches_ip("::1".parse().unwrap()) && !address.matches_dns("::1"));
    }
}
