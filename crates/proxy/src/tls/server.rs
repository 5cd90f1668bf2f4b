//! TLS towards clients: what a listener shows, whom it lets in, and the handshake.

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::{
    NoClientAuth, NoServerSessionStorage, ProducesTickets, UnbufferedServerConnection,
};
use rustls::{CertificateError, RootCertStore, ServerConfig};

use super::certificate::{Certificate, Credential, Pair, dates};
use super::error::{Error, HandshakeError};
use super::facts::Facts;
use super::files::Files;
use super::identity::{Identity, SanPattern};
use super::resolver::{Resolver, take_chosen};
use super::session::Session;
use super::store::Material;
use super::stream::Stream;
use super::verify::{self, Clients, check_names};
use super::{Versions, in_time, self_signed};
use crate::transport::Transport;

#[cfg(test)]
mod tests;

/// How a listener speaks TLS.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The certificates; the first is the default.
    pub certificates: Vec<Source>,
    /// Which clients are let in by their certificate; none: they are not asked for one.
    pub client: Option<ClientValidation>,
    /// The protocols offered by ALPN, best first, such as `h2` and `http/1.1`. A client that offers none of them is refused; one
    /// that offers no ALPN is not.
    pub alpn: Vec<String>,
    /// Whether clients can resume sessions.
    pub session_tickets: bool,
    /// The versions of TLS.
    pub versions: Versions,
    /// How long a handshake may take; none: as long as it likes.
    pub handshake_timeout: Option<Duration>,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Files.
    Files(Pair),
    /// Made here, for development, for these host names and addresses; for `localhost` and the loopback addresses if
    /// there are none.
    SelfSigned(Vec<String>),
}

/// Which clients are let in by their certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientValidation {
    /// A client without a certificate is refused; otherwise only one with a bad certificate is.
    pub required: bool,
    /// Files of authorities. They are read again as certificates are.
    pub authorities: Vec<PathBuf>,
    /// If there are any, one has to fit a name in the client's certificate.
    pub subject_alt_names: Vec<SanPattern>,
}

/// What a listener needs for handshakes. One is shared by all threads until the next takes its place.
pub struct Server {
    config: Arc<ServerConfig>,
    resolver: Arc<Resolver>,
    clients: Option<ClientsInUse>,
    tickets: Arc<dyn ProducesTickets>,
    handshake_timeout: Option<Duration>,
}

struct ClientsInUse {
    names: Vec<SanPattern>,
    roots: RootCertStore,
}

impl Material for Server {
    type Options = ServerOptions;

    fn paths(options: &ServerOptions) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for source in &options.certificates {
            if let Source::Files(pair) = source {
                paths.extend([pair.certificate.clone(), pair.key.clone()]);
            }
        }
        paths.extend(
            options
                .client
                .iter()
                .flat_map(|client| client.authorities.clone()),
        );
        paths
    }

    fn build(
        options: &ServerOptions,
        files: &Files,
        last: Option<&Self>,
        generation: u64,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let mut credentials = Vec::new();
        for source in &options.certificates {
            let mut credential = match source {
                Source::Files(pair) => Credential::of(pair, files, generation, now)?,
                Source::SelfSigned(names) => self_signed::credential(names, generation, now)?,
            };
            // A certificate that stays keeps its generation: its connections need not be drained.
            let stays = |old: &&Arc<Certificate>| old.fingerprint == credential.facts.fingerprint;
            if let Some(old) = last.and_then(|last| last.resolver.certificates().find(stays)) {
                credential.facts = old.clone();
            }
            credentials.push(credential);
        }
        if credentials.is_empty() {
            return Err(Error::Nothing);
        }
        let provider = Arc::new(default_provider());
        let clients = options
            .client
            .as_ref()
            .map(|client| ClientsInUse::of(client, files))
            .transpose()?;
        let resolver = Arc::new(Resolver::new(credentials));
        let config = config(options, clients.as_ref(), &provider)?;
        let mut config = config.with_cert_resolver(resolver.clone());
        // Tickets outlive a change of certificates. They do not outlive one of who is let in: a resumed client is not verified again.
        let kept = last
            .filter(|last| last.clients == clients)
            .map(|last| last.tickets.clone());
        let library = |why: rustls::Error| Error::Library {
            what: "make keys of session tickets",
            why: why.to_string(),
        };
        let tickets = kept.map_or_else(|| Ticketer::new().map_err(library), Ok)?;
        if options.session_tickets {
            config.ticketer = tickets.clone();
        } else {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = options
            .alpn
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        Ok(Self {
            config: Arc::new(config),
            resolver,
            clients,
            tickets,
            handshake_timeout: options.handshake_timeout,
        })
    }

    fn certificates(&self) -> Vec<Arc<Certificate>> {
        self.resolver.certificates().cloned().collect()
    }
}

type Unresolved = rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>;

fn config(
    options: &ServerOptions,
    clients: Option<&ClientsInUse>,
    provider: &Arc<CryptoProvider>,
) -> Result<Unresolved, Error> {
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_protocol_versions(options.versions.list());
    let builder = builder.map_err(|why| Error::Library {
        what: "choose versions of TLS",
        why: why.to_string(),
    })?;
    let (Some(clients), Some(validation)) = (clients, &options.client) else {
        return Ok(builder.with_client_cert_verifier(Arc::new(NoClientAuth)));
    };
    let verifier = Clients::new(
        clients.roots.clone(),
        clients.names.clone(),
        validation.required,
        provider,
    )?;
    Ok(builder.with_client_cert_verifier(verifier))
}

impl ClientsInUse {
    fn of(client: &ClientValidation, files: &Files) -> Result<Self, Error> {
        let roots = verify::roots(&client.authorities, files, false)?;
        Ok(Self {
            names: client.subject_alt_names.clone(),
            roots,
        })
    }
}

impl PartialEq for ClientsInUse {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names && self.roots.roots == other.roots.roots
    }
}

impl Server {
    /// Makes a TLS connection of a plain one whose client speaks next.
    ///
    /// # Errors
    /// The client is refused, breaks the protocol, or takes too long. It has been told by an alert, as far as it can
    /// be told; the connection is closed.
    pub async fn accept(&self, transport: Transport) -> Result<Transport, HandshakeError> {
        let handshake = Box::pin(self.handshake(transport));
        in_time(self.handshake_timeout, handshake).await
    }

    async fn handshake(&self, transport: Transport) -> Result<Transport, HandshakeError> {
        let Some((socket, ahead, plain)) = transport.into_plain() else {
            return Err(HandshakeError::Protocol {
                why: "TLS within TLS is not served".into(),
            });
        };
        let session = Session::Server(UnbufferedServerConnection::new(self.config.clone())?);
        let mut stream = Stream::new(socket, session, ahead.bytes());
        drop(ahead);
        let mut facts = Facts::default();
        let shaken = poll_fn(|cx| {
            // Another connection of this thread may be driven before this one is again.
            let shaken = stream.poll_handshake(cx);
            let chosen = take_chosen();
            if chosen.certificate.is_some() {
                facts.server_name = chosen.server_name;
                facts.certificate = chosen.certificate;
            }
            shaken
        });
        shaken.await?;
        let common = stream.session().common();
        let facts = Facts {
            server_name: facts.server_name,
            certificate: facts.certificate,
            peer: self.peer(common)?,
            ..Facts::of(common)
        };
        stream.set_facts(facts);
        Ok(Transport::encrypted(stream, plain))
    }

    /// Who the client is. A client that resumes a session was verified when the session began; what may have changed since
    /// is looked at again.
    fn peer(&self, common: &rustls::CommonState) -> Result<Option<Identity>, HandshakeError> {
        let Some(certificate) = common.peer_certificates().and_then(<[_]>::first) else {
            return Ok(None);
        };
        if common.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
            let now = rustls::pki_types::UnixTime::now().as_secs();
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            if dates(certificate).is_none_or(|(_, end)| now > end) {
                return Err(rustls::Error::from(CertificateError::Expired).into());
            }
            check_names(
                self.clients.as_ref().map_or(&[], |clients| &clients.names),
                certificate,
            )?;
        }
        Ok(Identity::of(certificate))
    }

    /// Whether a connection with these facts began with a certificate that is no longer shown: it should be drained.
    #[must_use]
    pub fn has_retired(&self, facts: &Facts) -> bool {
        let shown = |old: &Arc<Certificate>| {
            self.resolver
                .certificates()
                .any(|c| c.fingerprint == old.fingerprint)
        };
        facts
            .certificate
            .as_ref()
            .is_some_and(|certificate| !shown(certificate))
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Server")
            .field("certificates", &self.certificates())
            .finish_non_exhaustive()
    }
}
