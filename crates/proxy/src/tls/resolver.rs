//! Which certificate a client is shown: by its server name (SNI), and by the signatures it can verify.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, Credential};

/// What was chosen for the handshake that is being driven on this thread.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) server_name: Option<Box<str>>,
    pub(super) certificate: Option<Arc<Certificate>>,
}

thread_local! {
    // The TLS library tells the resolver of a handshake, but not its connection. Driving a connection and choosing its certificate is
    // one call on one thread, so the choice is left here and fetched when that call returns.
    static CHOSEN: RefCell<Chosen> = const { RefCell::new(Chosen { server_name: None, certificate: None }) };
}

/// What was chosen since this was last asked.
pub(super) fn take_chosen() -> Chosen {
    CHOSEN.take()
}

/// The certificates of a listener. The first is the default.
#[derive(Debug)]
pub(super) struct Resolver {
    credentials: Vec<Credential>,
    exact: HashMap<String, Vec<usize>>,
    /// By what follows `*.`.
    wildcard: HashMap<String, Vec<usize>>,
}

impl Resolver {
    pub(super) fn new(credentials: Vec<Credential>) -> Self {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut wildcard: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, credential) in credentials.iter().enumerate() {
            for name in &credential.facts.names {
                match name.strip_prefix("*.") {
                    Some(suffix) => wildcard.entry(suffix.to_owned()).or_default().push(index),
                    None => exact.entry(name.clone()).or_default().push(index),
                }
            }
        }
        Self {
            credentials,
            exact,
            wildcard,
        }
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.credentials.iter().map(|credential| &credential.facts)
    }

    /// Those that fit, best first: all of the exact name, else of the wildcard, else the default.
    fn candidates(&self, server_name: Option<&str>) -> &[usize] {
        let Some(name) = server_name else { return &[] };
        let wildcard = || self.wildcard.get(name.split_once('.')?.1);
        self.exact
            .get(name)
            .or_else(wildcard)
            .map_or(&[], Vec::as_slice)
    }

    fn choose(
        &self,
        server_name: Option<&str>,
        fits: impl Fn(&Credential) -> bool,
    ) -> Option<&Credential> {
        let named = || {
            self.candidates(server_name)
                .iter()
                .filter_map(|index| self.credentials.get(*index))
        };
        // Where nothing fits, the first is tried all the same: the library then says what is not common.
        named()
            .find(|c| fits(c))
            .or_else(|| named().next())
            .or_else(|| {
                let all = || self.credentials.iter();
                all()
                    .find(|c| fits(c) && c.facts.names == self.credentials[0].facts.names)
                    .or_else(|| all().next())
            })
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let server_name = hello.server_name().map(str::to_ascii_lowercase);
        let schemes = hello.signature_schemes();
        let chosen = self.choose(server_name.as_deref(), |c| {
            c.key.key.choose_scheme(schemes).is_some()
        })?;
        CHOSEN.set(Chosen {
            server_name: server_name.map(Box::from),
            certificate: Some(chosen.facts.clone()),
        });
        Some(chosen.key.clone())
    }
}
