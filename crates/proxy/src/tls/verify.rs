//! Who may be a peer: chains up to given authorities, and names that are compared afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use super::certificate::certificates;
use super::error::Error;
use super::files::Files;
use super::identity::{Identity, SanPattern};

/// Where Linux distributions keep the bundle of root certificates; the first that exists is taken.
const SYSTEM_ROOTS: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

/// The system's bundle of root certificates, or what `SSL_CERT_FILE` names.
///
/// # Errors
/// There is none.
pub(super) fn system_roots() -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os("SSL_CERT_FILE") {
        return Ok(path.into());
    }
    let found = SYSTEM_ROOTS
        .iter()
        .map(Path::new)
        .find(|path| path.exists());
    found
        .map(Path::to_owned)
        .ok_or_else(|| Error::NoSystemRoots {
            looked_for: SYSTEM_ROOTS.join(", "),
        })
}

/// The authorities in `paths`. `lenient`: certificates that cannot be used are left out, as long as there is one that can
/// (the system's bundles have odd ones).
///
/// # Errors
/// A file has no certificate, or one that is no authority's.
pub(super) fn roots(
    paths: &[PathBuf],
    files: &Files,
    lenient: bool,
) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for path in paths {
        let before = roots.len();
        for (index, certificate) in certificates(path, files.get(path))?.into_iter().enumerate() {
            match roots.add(certificate) {
                Err(why) if !lenient => {
                    return Err(Error::Certificate {
                        path: path.clone(),
                        number: index + 1,
                        why: why.to_string(),
                    });
                }
                _ => {}
            }
        }
        if roots.len() == before {
            return Err(Error::NoCertificate { path: path.clone() });
        }
    }
    Ok(roots)
}

/// Verifies clients: their chain first, then their names.
#[derive(Debug)]
pub(super) struct Clients {
    chains: Arc<dyn ClientCertVerifier>,
    names: Vec<SanPattern>,
}

impl Clients {
    /// # Errors
    /// The library refuses the authorities.
    pub(super) fn new(
        roots: RootCertStore,
        names: Vec<SanPattern>,
        required: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, Error> {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let builder = if required {
            builder
        } else {
            builder.allow_unauthenticated()
        };
        let chains = builder.build().map_err(|why| Error::Library {
            what: "verify client certificates",
            why: why.to_string(),
        })?;
        Ok(Arc::new(Self { chains, names }))
    }
}

/// Whether the names of `certificate` fit one of `names`, if there are any.
pub(super) fn check_names(
    names: &[SanPattern],
    certificate: &CertificateDer<'_>,
) -> Result<(), TlsError> {
    if names.is_empty() {
        return Ok(());
    }
    let identity = Identity::of(certificate).ok_or(CertificateError::BadEncoding)?;
    if names.iter().any(|pattern| pattern.matches(&identity)) {
        return Ok(());
    }
    Err(CertificateError::ApplicationVerificationFailure.into())
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        self.chains.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chains.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let verified = self
            .chains
            .verify_client_cert(end_entity, intermediates, now)?;
        check_names(&self.names, end_entity)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Verifies servers.
#[derive(Debug)]
pub(super) struct Servers {
    /// None: any certificate will do (`insecureSkipVerify`).
    pub(super) roots: Option<RootCertStore>,
    /// If there are any, one of them has to fit, and the host name is not compared (as in a BackendTLSPolicy).
    pub(super) names: Vec<SanPattern>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(roots) = &self.roots else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            roots,
            intermediates,
            now,
            algorithms,
        )?;
        if self.names.is_empty() {
            verify_server_name(&certificate, server_name)?;
        } else {
            check_names(&self.names, end_entity)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
