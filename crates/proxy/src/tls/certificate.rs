//! A certificate with its chain and its key, checked together before anybody is shown them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::Error;
use super::files::Files;
use super::identity::Identity;

#[cfg(test)]
mod tests;

/// A file of certificates, the server's own (or the client's own) first, and the file of its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// PEM with the certificate and its chain.
    pub certificate: PathBuf,
    /// PEM with the private key. It may be the same file.
    pub key: PathBuf,
}

/// What is to be known of a certificate in use: for metrics, readiness, and to tell who has to be drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Where it is from: a path, or `self-signed`.
    pub source: String,
    /// Its subject, such as `CN=app`.
    pub subject: String,
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// Its serial number, in hexadecimal with colons.
    pub serial: String,
    /// When its time begins.
    pub not_before: SystemTime,
    /// When its time ends, or that of the first in its chain that ends earlier.
    pub not_after: SystemTime,
    /// SHA-256 of its DER: two of the same fingerprint are the same certificate.
    pub fingerprint: [u8; 32],
    /// The generation of the set in which it first appeared: it grows by one with each reload that took over new files.
    pub generation: u64,
}

/// A certificate, ready for use.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Arc<Certificate>,
}

impl Credential {
    /// Of files. Key and first certificate have to match, dates have to be right at `now`, and each certificate
    /// has to be issued by the one after it.
    ///
    /// # Errors
    /// One of these is not so, or the files are not what they should be.
    pub(super) fn of(
        pair: &Pair,
        files: &Files,
        generation: u64,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let chain = certificates(&pair.certificate, files.get(&pair.certificate))?;
        let key = private_key(&pair.key, files.get(&pair.key))?;
        Self::new(chain, key, pair, generation, now)
    }

    /// Of a chain and a key that are at hand; `pair` is where they are from.
    ///
    /// # Errors
    /// As [`Credential::of`].
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        pair: &Pair,
        generation: u64,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let facts = check_chain(&pair.certificate, &chain, generation, now)?;
        let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key);
        let signing = signing.map_err(|_| Error::Key {
            path: pair.key.clone(),
        })?;
        let leaf_of =
            |chain: &[CertificateDer<'static>]| CertifiedKey::new(chain.to_vec(), signing.clone());
        let certified = leaf_of(&chain);
        if certified.keys_match().is_err() {
            let other = chain
                .iter()
                .skip(1)
                .any(|c| leaf_of(std::slice::from_ref(c)).keys_match().is_ok());
            let hint = other
                .then_some("it is the key of a later one; the order is: the own certificate first");
            return Err(Error::NotAPair {
                certificate: pair.certificate.clone(),
                key: pair.key.clone(),
                hint,
            });
        }
        Ok(Self {
            key: Arc::new(certified),
            facts: Arc::new(facts),
        })
    }
}

/// The certificates in PEM.
///
/// # Errors
/// It has none, or is not valid.
pub(super) fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|why| Error::Pem {
        path: path.to_owned(),
        why: pem_error(&why),
    })?;
    if chain.is_empty() {
        return Err(Error::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

/// The first private key in PEM.
///
/// # Errors
/// It has none, it is encrypted, or it is not valid.
fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    use rustls::pki_types::pem::Error as PemError;
    let has = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
    PrivateKeyDer::from_pem_slice(pem).map_err(|why| match why {
        _ if has(b"ENCRYPTED") => Error::EncryptedKey {
            path: path.to_owned(),
        },
        PemError::NoItemsFound => Error::NoKey {
            path: path.to_owned(),
        },
        why => Error::Pem {
            path: path.to_owned(),
            why: pem_error(&why),
        },
    })
}

/// What is wrong with PEM, without any of its text: it may be a key.
fn pem_error(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error as PemError;
    match error {
        PemError::MissingSectionEnd { .. } => {
            "a block has no end (`-----END ...-----`); was the file cut off?".into()
        }
        PemError::IllegalSectionStart { .. } => {
            "a line `-----BEGIN ...-----` is not well formed".into()
        }
        PemError::Base64Decode(_) => "a block is not base64".into(),
        _ => "it cannot be read".into(),
    }
}

/// Checks dates and order of a chain, and says what is to be known of its first certificate.
fn check_chain(
    path: &Path,
    chain: &[CertificateDer<'_>],
    generation: u64,
    now: SystemTime,
) -> Result<Certificate, Error> {
    let mut parsed = Vec::new();
    for (index, der) in chain.iter().enumerate() {
        parsed.push(parse(path, index + 1, der)?);
    }
    let mut not_after = None;
    for (index, certificate) in parsed.iter().enumerate() {
        let (begin, end) = validity(certificate);
        let number = index + 1;
        let subject = || certificate.subject().to_string();
        if now > end {
            return Err(Error::Expired {
                path: path.to_owned(),
                number,
                subject: subject(),
                at: rfc3339(certificate.validity().not_after),
            });
        }
        if now < begin {
            return Err(Error::NotYetValid {
                path: path.to_owned(),
                number,
                subject: subject(),
                at: rfc3339(certificate.validity().not_before),
            });
        }
        not_after = Some(not_after.map_or(end, |earlier: SystemTime| earlier.min(end)));
        let Some(next) = parsed.get(index + 1) else {
            continue;
        };
        if certificate.issuer().as_raw() != next.subject().as_raw() {
            return Err(Error::ChainOrder {
                path: path.to_owned(),
                number,
                subject: subject(),
                next: next.subject().to_string(),
            });
        }
    }
    let (Some(first), Some(der), Some(not_after)) = (parsed.first(), chain.first(), not_after)
    else {
        return Err(Error::NoCertificate {
            path: path.to_owned(),
        });
    };
    let identity = Identity::of_parsed(first);
    let mut names = identity.dns;
    names.extend(identity.addresses.iter().map(ToString::to_string));
    names.extend(identity.uris);
    Ok(Certificate {
        source: path.display().to_string(),
        subject: identity.subject,
        names,
        serial: first.raw_serial_as_string(),
        not_before: validity(first).0,
        not_after,
        fingerprint: Sha256::digest(der).into(),
        generation,
    })
}

fn parse<'a>(path: &Path, number: usize, der: &'a [u8]) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(why) => Err(Error::Certificate {
            path: path.to_owned(),
            number,
            why: format!("not X.509: {why}"),
        }),
    }
}

/// From when until when a certificate in DER is valid; none if it cannot be understood.
pub(super) fn dates(der: &[u8]) -> Option<(SystemTime, SystemTime)> {
    X509Certificate::from_der(der)
        .ok()
        .map(|(_, certificate)| validity(&certificate))
}

fn validity(certificate: &X509Certificate<'_>) -> (SystemTime, SystemTime) {
    let at = |seconds: i64| match u64::try_from(seconds) {
        Ok(seconds) => SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        Err(_) => SystemTime::UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs()),
    };
    let validity = certificate.validity();
    (
        at(validity.not_before.timestamp()),
        at(validity.not_after.timestamp()),
    )
}

fn rfc3339(time: x509_parser::time::ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{}T{}Z",
        time.date(),
        time.time()
            .to_string()
            .split('.')
            .next()
            .unwrap_or_default()
    )
}
