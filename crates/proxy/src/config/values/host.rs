//! Host names, exact or with a wildcard for their first labels.

use std::fmt;

/// A host name that requests are compared with; lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This very name.
    Exact(String),
    /// Any name that ends so, with at least one label before; begins with a dot: `.example.com`.
    Wildcard(String),
}

impl HostPattern {
    /// Reads a name or `*.name`, as the Gateway API's `Hostname`.
    ///
    /// # Errors
    /// Each fault of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let lower = text.to_ascii_lowercase();
        let (name, wildcard) = match lower.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (lower.as_str(), false),
        };
        let faults = manifest::names::subdomain(name);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(if wildcard {
            HostPattern::Wildcard(format!(".{name}"))
        } else {
            HostPattern::Exact(lower)
        })
    }

    /// Whether it takes this host (without a port). Case does not matter.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            HostPattern::Exact(name) => name.eq_ignore_ascii_case(host),
            HostPattern::Wildcard(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|at| *at > 0)
                .and_then(|at| host.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
        }
    }

    /// How specific it is: exact names before wildcards, longer before shorter.
    #[must_use]
    pub fn specificity(&self) -> (bool, usize) {
        match self {
            HostPattern::Exact(name) => (true, name.len()),
            HostPattern::Wildcard(suffix) => (false, suffix.len()),
        }
    }

    /// What both take: the more specific of the two, when it lies within the other.
    #[must_use]
    pub fn intersection(&self, other: &HostPattern) -> Option<HostPattern> {
        if self.within(other) {
            Some(self.clone())
        } else if other.within(self) {
            Some(other.clone())
        } else {
            None
        }
    }

    fn within(&self, other: &HostPattern) -> bool {
        match (self, other) {
            (HostPattern::Exact(name), other) => other.matches(name),
            (HostPattern::Wildcard(_), HostPattern::Exact(_)) => false,
            (HostPattern::Wildcard(suffix), HostPattern::Wildcard(wider)) => {
                suffix.ends_with(wider.as_str())
            }
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::Exact(name) => f.write_str(name),
            HostPattern::Wildcard(suffix) => write!(f, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).unwrap()
    }

    #[test]
    fn matches_as_the_gateway_api_says() {
        for (text, host, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com", true),
            ("example.com", "www.example.com", false),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "\u{e4}.example.com", true),
            ("*.example.com", "xample.com\u{e4}", false),
        ] {
            assert_eq!(pattern(text).matches(host), expected, "{text} {host}");
        }
    }

    #[test]
    fn intersects() {
        for (one, other, expected) in [
            ("a.com", "a.com", Some("a.com")),
            ("*.a.com", "b.a.com", Some("b.a.com")),
            ("*.a.com", "*.b.a.com", Some("*.b.a.com")),
            ("*.a.com", "a.com", None),
            ("*.a.com", "*.ba.com", None),
            ("a.com", "b.com", None),
        ] {
            let found = pattern(one).intersection(&pattern(other));
            assert_eq!(found, pattern(other).intersection(&pattern(one)));
            assert_eq!(found.map(|it| it.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn refuses_what_is_no_name() {
        for text in [
            "", "*", "*.", "a..b", "a.*.b", "*a.com", "a b", "a.com:80", "a/b",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
