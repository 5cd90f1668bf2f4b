//! TLS towards backends: whom we believe, who we are, and the handshake.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use rustls::client::{ResolvesClientCert, UnbufferedClientConnection};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, Credential, Pair};
use super::error::{Error, HandshakeError};
use super::facts::Facts;
use super::files::Files;
use super::identity::{Identity, SanPattern};
use super::session::Session;
use super::store::Material;
use super::stream::Stream;
use super::verify::{self, Servers};
use super::{Versions, in_time};
use crate::transport::Transport;

#[cfg(test)]
mod tests;

/// How a backend is spoken to.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Whom we believe that a server is who it says.
    pub trust: Trust,
    /// The name that servers are asked for (SNI) and whose certificate they have to have, instead of the endpoint's host.
    pub hostname: Option<String>,
    /// If there are any, a server's certificate has to have a name that fits one of them, instead of the host name.
    pub subject_alt_names: Vec<SanPattern>,
    /// Our certificate, for servers that ask for one.
    pub certificate: Option<Pair>,
    /// The protocols offered by ALPN, best first.
    pub alpn: Vec<String>,
    /// The versions of TLS.
    pub versions: Versions,
    /// How long a handshake may take; none: as long as it likes.
    pub handshake_timeout: Option<Duration>,
}

/// Whom we believe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The authorities of the system.
    #[default]
    System,
    /// Those in these files. They are read again as certificates are.
    Authorities(Vec<PathBuf>),
    /// Anybody: `insecureSkipVerify`. Whoever sits on the path can read and change everything; whoever configures
    /// it has to be warned.
    Anybody,
}

/// What is needed for handshakes with a backend. One is shared by all threads until the next takes its place; it
/// remembers sessions to resume.
#[derive(Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    hostname: Option<ServerName<'static>>,
    certificate: Option<Arc<Certificate>>,
    /// What a server's certificate says is believed.
    believes: bool,
    handshake_timeout: Option<Duration>,
}

impl Material for Client {
    type Options = ClientOptions;

    fn paths(options: &ClientOptions) -> Vec<PathBuf> {
        let mut paths = match &options.trust {
            // Without a bundle, building says so.
            Trust::System => verify::system_roots().into_iter().collect(),
            Trust::Authorities(paths) => paths.clone(),
            Trust::Anybody => Vec::new(),
        };
        paths.extend(
            options
                .certificate
                .iter()
                .flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]),
        );
        paths
    }

    fn build(
        options: &ClientOptions,
        files: &Files,
        last: Option<&Self>,
        generation: u64,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let provider = Arc::new(default_provider());
        let roots = match &options.trust {
            Trust::System => Some(verify::roots(&[verify::system_roots()?], files, true)?),
            Trust::Authorities(paths) if paths.is_empty() => return Err(Error::Nothing),
            Trust::Authorities(paths) => Some(verify::roots(paths, files, false)?),
            Trust::Anybody => None,
        };
        let hostname = options.hostname.as_deref().map(server_name).transpose()?;
        let own = options
            .certificate
            .as_ref()
            .map(|pair| Credential::of(pair, files, generation, now))
            .transpose()?;
        let certificate =
            own.as_ref().map(
                |own| match last.and_then(|last| last.certificate.as_ref()) {
                    Some(old) if old.fingerprint == own.facts.fingerprint => old.clone(),
                    _ => own.facts.clone(),
                },
            );
        let believes = roots.is_some();
        let verifier = Servers {
            roots,
            names: options.subject_alt_names.clone(),
            provider: provider.clone(),
        };
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(options.versions.list());
        let builder = builder.map_err(|why| Error::Library {
            what: "choose versions of TLS",
            why: why.to_string(),
        })?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match own {
            Some(own) => builder.with_client_cert_resolver(Arc::new(Own(own.key))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = options
            .alpn
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        Ok(Self {
            config: Arc::new(config),
            hostname,
            certificate,
            believes,
            handshake_timeout: options.handshake_timeout,
        })
    }

    fn certificates(&self) -> Vec<Arc<Certificate>> {
        self.certificate.iter().cloned().collect()
    }
}

/// Our certificate: the same for whoever asks.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    ServerName::try_from(bare.to_owned()).map_err(|_| Error::Name {
        name: name.to_owned(),
    })
}

impl Client {
    /// Makes a TLS connection of a plain one to `host`, which is a host name or an address, without a port. Without one, and
    /// without a name in the options, no name is asked for and a server's certificate has to fit the options' names.
    ///
    /// # Errors
    /// The server is not who it should be, refuses us, breaks the protocol, or takes too long.
    pub async fn connect(
        &self,
        transport: Transport,
        host: Option<&str>,
    ) -> Result<Transport, HandshakeError> {
        let handshake = Box::pin(self.handshake(transport, host));
        in_time(self.handshake_timeout, handshake).await
    }

    async fn handshake(
        &self,
        transport: Transport,
        host: Option<&str>,
    ) -> Result<Transport, HandshakeError> {
        let Some((socket, ahead, plain)) = transport.into_plain() else {
            return Err(HandshakeError::Protocol {
                why: "TLS within TLS is not spoken".into(),
            });
        };
        let name = match &self.hostname {
            Some(name) => name.clone(),
            None => match host {
                Some(host) => server_name(host).map_err(|why| HandshakeError::PeerCertificate {
                    why: why.to_string(),
                })?,
                // An address is not sent as a name, and no certificate is for this one.
                None => ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            },
        };
        let sni = match &name {
            ServerName::DnsName(name) => Some(Box::from(name.as_ref())),
            _ => None,
        };
        let session = Session::Client(UnbufferedClientConnection::new(self.config.clone(), name)?);
        let mut stream = Stream::new(socket, session, ahead.bytes());
        drop(ahead);
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        let common = stream.session().common();
        let peer = common
            .peer_certificates()
            .and_then(<[_]>::first)
            .filter(|_| self.believes);
        let facts = Facts {
            server_name: sni,
            certificate: self.certificate.clone(),
            peer: peer.and_then(|certificate| Identity::of(certificate)),
            ..Facts::of(common)
        };
        stream.set_facts(facts);
        Ok(Transport::encrypted(stream, plain))
    }
}
