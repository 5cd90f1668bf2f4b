//! What is known of a TLS connection once the handshake is over.

use std::sync::Arc;

use rustls::{CipherSuite, CommonState, HandshakeKind, NamedGroup, ProtocolVersion};

use super::certificate::Certificate;
use super::identity::Identity;

/// What was agreed in a handshake, and with whom.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by its IANA name.
    pub cipher_suite: &'static str,
    /// The group of the key exchange, by its IANA name; none for a resumed session of TLS 1.2.
    pub group: Option<&'static str>,
    /// The protocol agreed by ALPN, such as `h2`.
    pub alpn: Option<Box<str>>,
    /// The server name of the handshake (SNI), in lower case.
    pub server_name: Option<Box<str>>,
    /// The session was resumed by a ticket: no certificate was sent or verified now.
    pub resumed: bool,
    /// Who the peer is, by its verified certificate.
    pub peer: Option<Identity>,
    /// The certificate that we showed.
    pub certificate: Option<Arc<Certificate>>,
}

impl Facts {
    pub(super) fn of(common: &CommonState) -> Self {
        let alpn = common
            .alpn_protocol()
            .and_then(|name| std::str::from_utf8(name).ok());
        Self {
            version: common.protocol_version().map_or("unknown", version),
            cipher_suite: common
                .negotiated_cipher_suite()
                .map_or("unknown", |suite| cipher_suite(suite.suite())),
            group: common
                .negotiated_key_exchange_group()
                .map(|chosen| group(chosen.name())),
            alpn: alpn.map(Box::from),
            server_name: None,
            resumed: common.handshake_kind() == Some(HandshakeKind::Resumed),
            peer: None,
            certificate: None,
        }
    }
}

fn version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "unknown",
    }
}

fn cipher_suite(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        _ => suite.as_str().unwrap_or("unknown"),
    }
}

fn group(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519MLKEM768 => "X25519MLKEM768",
        NamedGroup::X25519 => "x25519",
        NamedGroup::secp256r1 => "secp256r1",
        NamedGroup::secp384r1 => "secp384r1",
        NamedGroup::secp256r1MLKEM768 => "SecP256r1MLKEM768",
        _ => group.as_str().unwrap_or("unknown"),
    }
}
