//! Who a certificate speaks of: its subject alternative names, and patterns of them.
//!
//! Only certificates that were verified come here; a name in a certificate that nobody vouches for means nothing.

use std::net::IpAddr;
use std::str::FromStr;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::Error;

#[cfg(test)]
mod tests;

/// The names of a verified certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The subject, such as `CN=app, O=Example`.
    pub subject: String,
    /// Host names (DNS).
    pub dns: Vec<String>,
    /// URIs, among them SPIFFE IDs.
    pub uris: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// Mail addresses.
    pub mails: Vec<String>,
}

impl Identity {
    /// The names in a certificate in DER; none if it cannot be understood.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Self::of_parsed(&certificate))
    }

    pub(super) fn of_parsed(certificate: &X509Certificate<'_>) -> Self {
        let mut identity = Self {
            subject: certificate.subject().to_string(),
            ..Self::default()
        };
        let Ok(Some(names)) = certificate.subject_alternative_name() else {
            return identity;
        };
        for name in &names.value.general_names {
            match name {
                GeneralName::DNSName(name) => identity.dns.push(name.to_ascii_lowercase()),
                GeneralName::URI(uri) => identity.uris.push((*uri).to_owned()),
                GeneralName::RFC822Name(mail) => identity.mails.push((*mail).to_owned()),
                GeneralName::IPAddress(bytes) => identity.addresses.extend(address(bytes)),
                _ => {}
            }
        }
        identity
    }

    /// The SPIFFE ID, if there is exactly one URI and it is one (a certificate with more is no SVID, X509-SVID section 2).
    #[must_use]
    pub fn spiffe_id(&self) -> Option<&str> {
        match &self.uris[..] {
            [uri] if uri.starts_with("spiffe://") => Some(uri),
            _ => None,
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// A pattern of subject alternative names, as in `subjectAltNames`.
///
/// - `spiffe://td/ns/*`, or any URI: a final `*` stands for all that follows, at least one character; another `*` for
///   one path segment. Scheme and trust domain are compared without case.
/// - `*.example.com`, or any host name: a first label `*` stands for exactly one label.
/// - an IP address, or a mail address (with `@`): as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SanPattern {
    /// Compared with the URIs.
    Uri(String),
    /// Compared with the host names.
    Dns(String),
    /// Compared with the addresses.
    Address(IpAddr),
    /// Compared with the mail addresses.
    Mail(String),
}

impl FromStr for SanPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why| {
            Err(Error::Pattern {
                pattern: text.to_owned(),
                why,
            })
        };
        if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return wrong("it is empty, or has white space in it");
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if scheme.is_empty()
                || scheme.contains('*')
                || authority.is_empty()
                || authority.contains('*')
            {
                return wrong(
                    "scheme and trust domain (`spiffe://DOMAIN/...`) have to be given without `*`",
                );
            }
            let inner = path.strip_suffix('*').unwrap_or(path);
            if inner
                .split('/')
                .any(|segment| segment.contains('*') && segment != "*")
            {
                return wrong(
                    "a `*` stands for a whole path segment, or for all that follows at the end",
                );
            }
            let domain = authority.to_ascii_lowercase();
            return Ok(Self::Uri(format!(
                "{}://{domain}{path}",
                scheme.to_ascii_lowercase()
            )));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if text.contains('@') {
            return if text.contains('*') {
                wrong("mail addresses have no `*`")
            } else {
                Ok(Self::Mail(text.to_owned()))
            };
        }
        let labels = text.strip_prefix("*.").unwrap_or(text);
        if labels.contains('*') || labels.split('.').any(str::is_empty) || labels.contains('/') {
            return wrong("in a host name, `*` is the whole first label, as in `*.example.com`");
        }
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl SanPattern {
    /// Whether one of the names fits.
    #[must_use]
    pub fn matches(&self, identity: &Identity) -> bool {
        match self {
            Self::Uri(pattern) => identity.uris.iter().any(|uri| uri_matches(pattern, uri)),
            Self::Dns(pattern) => identity.dns.iter().any(|name| dns_matches(pattern, name)),
            Self::Address(address) => identity.addresses.contains(address),
            Self::Mail(mail) => identity.mails.iter().any(|name| mail_matches(mail, name)),
        }
    }
}

/// Paths that could be read as other paths fit no pattern: a SPIFFE ID has no `.`, `..`, empty or encoded segments.
fn uri_matches(pattern: &str, uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if path.contains(['%', '?', '#'])
        || path
            .split('/')
            .skip(1)
            .any(|s| matches!(s, "" | "." | ".."))
    {
        return false;
    }
    let (begin, wanted) = match pattern.split_once("://") {
        Some((s, r)) => (
            (s, &r[..r.find('/').unwrap_or(r.len())]),
            &r[r.find('/').unwrap_or(r.len())..],
        ),
        None => return false,
    };
    if !begin.0.eq_ignore_ascii_case(scheme) || !begin.1.eq_ignore_ascii_case(authority) {
        return false;
    }
    let (wanted, open) = match wanted.strip_suffix('*') {
        Some(wanted) => (wanted, true),
        None => (wanted, false),
    };
    let mut have = path.split('/');
    let mut want = wanted.split('/').peekable();
    while let Some(segment) = want.next() {
        let Some(got) = have.next() else { return false };
        if open && want.peek().is_none() {
            return got
                .strip_prefix(segment)
                .is_some_and(|more| !more.is_empty());
        }
        if segment != "*" && segment != got {
            return false;
        }
    }
    have.next().is_none()
}

/// RFC 6125 section 6.4.3: a wildcard is one whole label.
pub(super) fn dns_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(suffix) => name
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(suffix)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// The part before `@` with case, the host after it without.
fn mail_matches(wanted: &str, name: &str) -> bool {
    match (wanted.rsplit_once('@'), name.rsplit_once('@')) {
        (Some((a, x)), Some((b, y))) => a == b && x.eq_ignore_ascii_case(y),
        _ => false,
    }
}
