//! What the configuration says of TLS, as this module takes it.

use std::time::Duration;

use super::Versions;
use super::certificate::Pair;
use super::client::{self, ClientOptions};
use super::server::{ClientValidation, ServerOptions, Source};
use crate::config;
use crate::config::{BackendTls, Certificate, ListenerTls, TlsVersion};

impl ServerOptions {
    /// Of a listener whose TLS ends here.
    #[must_use]
    pub fn of(tls: &ListenerTls, handshake_timeout: Option<Duration>) -> Self {
        let files = tls
            .certificates
            .iter()
            .map(|own| Source::Files(Pair::of(own)));
        let made = tls.self_signed.clone().map(Source::SelfSigned);
        let client = tls
            .client_validation
            .as_ref()
            .map(|validation| ClientValidation {
                required: validation.required,
                authorities: validation.ca_certificates.clone(),
                subject_alt_names: validation.subject_alt_names.clone(),
            });
        Self {
            certificates: files.chain(made).collect(),
            client,
            alpn: tls.alpn_protocols.clone(),
            session_tickets: tls.session_tickets,
            versions: Versions::of(tls.min_version),
            handshake_timeout,
        }
    }
}

impl ClientOptions {
    /// Of a backend that is spoken to in `alpn`, best first.
    #[must_use]
    pub fn of(tls: &BackendTls, alpn: Vec<String>, handshake_timeout: Option<Duration>) -> Self {
        Self {
            trust: match &tls.trust {
                config::Trust::Files(paths) => client::Trust::Authorities(paths.clone()),
                config::Trust::System => client::Trust::System,
                config::Trust::Anything => client::Trust::Anybody,
            },
            hostname: tls.hostname.clone(),
            subject_alt_names: tls.subject_alt_names.clone(),
            certificate: tls.client_certificate.as_ref().map(Pair::of),
            alpn,
            versions: Versions::From12,
            handshake_timeout,
        }
    }
}

impl Pair {
    fn of(certificate: &Certificate) -> Self {
        Self {
            certificate: certificate.cert.clone(),
            key: certificate.key.clone(),
        }
    }
}

impl Versions {
    fn of(least: TlsVersion) -> Self {
        match least {
            TlsVersion::V12 => Self::From12,
            TlsVersion::V13 => Self::Only13,
        }
    }
}
