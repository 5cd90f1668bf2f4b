//! Certificates for development, signed by themselves. One set of names has one certificate for the life of the process, so that a
//! reload of the configuration does not make browsers ask again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer};

use super::certificate::{Credential, Pair};
use super::error::Error;

/// How long a certificate lasts. Some clients refuse more than 825 days.
const LIFE: Duration = Duration::from_secs(825 * 86_400);
/// How far the clocks of clients may be behind.
const BEFORE: Duration = Duration::from_secs(3_600);

static MADE: LazyLock<Mutex<BTreeMap<Vec<String>, Credential>>> = LazyLock::new(Mutex::default);

/// The certificate for `names` (host names and addresses; `localhost` and the loopback addresses if there are none).
///
/// # Errors
/// A name is neither a host name nor an address.
pub(super) fn credential(
    names: &[String],
    generation: u64,
    now: SystemTime,
) -> Result<Credential, Error> {
    let names = match names {
        [] => ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec(),
        names => names.to_vec(),
    };
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(credential) = made.get(&names)
        && now < credential.facts.not_after
    {
        return Ok(credential.clone());
    }
    let credential = make(&names, generation, now)?;
    made.insert(names, credential.clone());
    Ok(credential)
}

fn make(names: &[String], generation: u64, now: SystemTime) -> Result<Credential, Error> {
    let library = |why: rcgen::Error| Error::Library {
        what: "make a self-signed certificate",
        why: why.to_string(),
    };
    let mut params = CertificateParams::default();
    for name in names {
        params.subject_alt_names.push(match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => {
                let wrong = || Error::Name { name: name.clone() };
                let host = name.strip_prefix("*.").unwrap_or(name);
                DnsName::try_from(host).map_err(|_| wrong())?;
                SanType::DnsName(name.as_str().try_into().map_err(|_| wrong())?)
            }
        });
    }
    let common_name = names.first().map_or("localhost", String::as_str);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = (now - BEFORE).into();
    params.not_after = (now + LIFE).into();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(library)?;
    let certificate = params.self_signed(&key).map_err(library)?;
    let der: CertificateDer<'static> = certificate.der().clone();
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let nowhere = PathBuf::from("self-signed");
    Credential::new(
        vec![der],
        secret,
        &Pair {
            certificate: nowhere.clone(),
            key: nowhere,
        },
        generation,
        now,
    )
}
