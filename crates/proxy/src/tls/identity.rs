//! Who a certificate speaks of: its subject alternative names.
//!
//! Only certificates that were verified come here; a name in a certificate that nobody vouches for means nothing.

use std::net::IpAddr;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::SanPattern;

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

    /// Whether one of the names fits.
    #[must_use]
    pub fn fits(&self, pattern: &SanPattern) -> bool {
        self.dns.iter().any(|name| pattern.matches_dns(name))
            || self
                .addresses
                .iter()
                .any(|address| pattern.matches_ip(*address))
            || self
                .uris
                .iter()
                .any(|uri| plain(uri) && pattern.matches_uri(uri))
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

/// A SPIFFE ID has no empty, relative or encoded parts (SPIFFE-ID section 2.2); what has could be taken for another path.
fn plain(uri: &str) -> bool {
    let path = uri.split_once("://").map_or("", |(_, rest)| rest);
    !path.contains(['%', '?', '#']) && !path.split('/').any(|part| matches!(part, "" | "." | ".."))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
