//! What can go wrong with certificates, and with a handshake. No text of a key is ever part of an error.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a set of certificates, keys and authorities cannot be used.
#[derive(Debug, Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("read `{}`: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is larger than any certificate bundle.
    #[error("`{}` has more than {limit} bytes, which no certificate file has", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Most bytes that are read.
        limit: u64,
    },
    /// A file has PEM that cannot be decoded.
    #[error("`{}` is not valid PEM: {why}", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file has no certificate in it.
    #[error("`{}` has no certificate (a block `-----BEGIN CERTIFICATE-----`)", path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// A certificate cannot be understood.
    #[error("certificate {number} in `{}`: {why}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Which one of the file, from 1.
        number: usize,
        /// What is wrong.
        why: String,
    },
    /// A file has no private key in it.
    #[error("`{}` has no private key (PKCS#8, PKCS#1 or SEC1, not encrypted)", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// A private key needs a password.
    #[error("the key in `{}` is encrypted; hint: `openssl pkey -in ENCRYPTED -out PLAIN` writes one that is not", path.display())]
    EncryptedKey {
        /// Which file.
        path: PathBuf,
    },
    /// A private key of a kind that is not supported.
    #[error("the key in `{}` cannot be used: ECDSA (P-256, P-384, P-521), RSA (2048 bits and more) and Ed25519 can", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
    },
    /// Key and certificate are not a pair.
    #[error("the key in `{}` is not the key of the first certificate in `{}`{}", key.display(), certificate.display(), hint.map(|h| format!("; hint: {h}")).unwrap_or_default())]
    NotAPair {
        /// File of the certificates.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// What was probably done, if it can be told.
        hint: Option<&'static str>,
    },
    /// A chain is not in order.
    #[error("certificate {number} in `{}` ({subject}) was not issued by the next one ({next}); the order is: the server's own, then each one's issuer", path.display())]
    ChainOrder {
        /// Which file.
        path: PathBuf,
        /// Which one of the file, from 1.
        number: usize,
        /// Whose certificate it is.
        subject: String,
        /// Whose certificate comes after it.
        next: String,
    },
    /// A certificate has expired.
    #[error("certificate {number} in `{}` ({subject}) expired at {at}", path.display())]
    Expired {
        /// Which file.
        path: PathBuf,
        /// Which one of the file, from 1.
        number: usize,
        /// Whose certificate it is.
        subject: String,
        /// When (RFC 3339).
        at: String,
    },
    /// A certificate is not valid yet.
    #[error("certificate {number} in `{}` ({subject}) is valid only from {at}; hint: compare this machine's clock", path.display())]
    NotYetValid {
        /// Which file.
        path: PathBuf,
        /// Which one of the file, from 1.
        number: usize,
        /// Whose certificate it is.
        subject: String,
        /// From when (RFC 3339).
        at: String,
    },
    /// There are no system roots.
    #[error(
        "no root certificates on this system (looked for {looked_for}); hint: name files in `caCertificates`"
    )]
    NoSystemRoots {
        /// Which files.
        looked_for: String,
    },
    /// A list of certificates without any.
    #[error("no certificate is given")]
    Nothing,
    /// A pattern of subject alternative names makes no sense.
    #[error("`{pattern}` is not a pattern of subject alternative names: {why}")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A name that is neither a host name nor an address.
    #[error("`{name}` is neither a host name nor an IP address")]
    Name {
        /// As written.
        name: String,
    },
    /// The TLS library refuses.
    #[error("{what}: {why}")]
    Library {
        /// What was tried.
        what: &'static str,
        /// Its words.
        why: String,
    },
}

/// Why a handshake did not end in a connection.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("no TLS handshake within {ms} ms")]
    Timeout {
        /// How long it may take.
        ms: u128,
    },
    /// The peer speaks HTTP without TLS.
    #[error("the peer sent a plain HTTP request to a TLS port")]
    PlainHttp,
    /// The peer speaks something else, or breaks the protocol.
    #[error("the peer does not speak TLS as it should: {why}")]
    Protocol {
        /// What is wrong.
        why: String,
    },
    /// No version, suite or group that both ends have.
    #[error("no common ground with the peer: {why}")]
    Incompatible {
        /// What is not common.
        why: String,
    },
    /// The peer sent no certificate although it must.
    #[error("the peer sent no certificate")]
    NoPeerCertificate,
    /// The peer's certificate is refused.
    #[error("the peer's certificate is refused: {why}")]
    PeerCertificate {
        /// Why.
        why: String,
    },
    /// The peer refused, by an alert.
    #[error("the peer refused: alert {alert}")]
    Refused {
        /// Name of the alert (RFC 8446 section 6).
        alert: String,
    },
    /// The peer went away.
    #[error("the peer closed the connection during the TLS handshake")]
    Closed,
    /// The socket failed.
    #[error("during the TLS handshake: {0}")]
    Io(io::Error),
}

impl HandshakeError {
    /// The word for metrics and logs: one of a closed list.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "timeout",
            Self::PlainHttp => "plain_http",
            Self::Protocol { .. } => "protocol",
            Self::Incompatible { .. } => "incompatible",
            Self::NoPeerCertificate => "no_peer_certificate",
            Self::PeerCertificate { .. } => "peer_certificate",
            Self::Refused { .. } => "refused",
            Self::Closed => "closed",
            Self::Io(_) => "io",
        }
    }
}

impl From<rustls::Error> for HandshakeError {
    fn from(error: rustls::Error) -> Self {
        use rustls::Error as Tls;
        let why = error.to_string();
        match error {
            Tls::NoCertificatesPresented => Self::NoPeerCertificate,
            Tls::InvalidCertificate(_) | Tls::InvalidCertRevocationList(_) => {
                Self::PeerCertificate { why }
            }
            Tls::AlertReceived(alert) => Self::Refused {
                alert: format!("{alert:?}"),
            },
            Tls::PeerIncompatible(_) | Tls::NoApplicationProtocol => Self::Incompatible { why },
            _ => Self::Protocol { why },
        }
    }
}

impl From<HandshakeError> for io::Error {
    fn from(error: HandshakeError) -> Self {
        let kind = match &error {
            HandshakeError::Io(source) => source.kind(),
            HandshakeError::Timeout { .. } => io::ErrorKind::TimedOut,
            HandshakeError::Closed => io::ErrorKind::UnexpectedEof,
            HandshakeError::PeerCertificate { .. } | HandshakeError::NoPeerCertificate => {
                io::ErrorKind::PermissionDenied
            }
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
