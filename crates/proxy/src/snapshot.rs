//! What all threads work by at a moment: the configuration, its compiled routes, and what TLS needs. Never changed; replaced.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::config::{BackendTls, Config, ListenerProtocol, ListenerTls, TlsMode};
use crate::route::Table;
use crate::tls;
use crate::tls::client::{Client, ClientOptions};
use crate::tls::server::{Server, ServerOptions};
use crate::tls::store::{Material, Reload, Status, Store};

/// In place of "no limit" where a time has to be given: ten years.
pub const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What all threads work by.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration and its routes.
    pub rules: Arc<Rules>,
    /// By listener; None where TLS does not end.
    pub servers: Vec<Option<Arc<Server>>>,
    /// By backend; None where no TLS is spoken to it.
    pub clients: Vec<Option<Arc<Client>>>,
}

/// A configuration with its routes.
#[derive(Debug)]
pub struct Rules {
    /// The configuration.
    pub config: Config,
    /// Its routes, compiled.
    pub table: Table,
}

impl Rules {
    /// Compiles the routes of a configuration.
    #[must_use]
    pub fn new(config: Config) -> Arc<Self> {
        let table = Table::new(&config);
        Arc::new(Self { config, table })
    }
}

/// The files of a listener or a backend cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("TLS of {of} {name:?}")]
pub struct MaterialError {
    of: &'static str,
    name: String,
    source: Box<tls::Error>,
}

/// A store, and the settings that it was made by: another configuration with the same ones keeps it.
struct Kept<S, M: Material> {
    name: String,
    settings: S,
    store: Rc<RefCell<Store<M>>>,
}

type ListenerSettings = (ListenerTls, Option<Duration>);
type BackendSettings = (BackendTls, Option<Duration>);

/// Certificates, keys and authorities of a configuration; of the thread that watches them.
#[derive(Default)]
pub struct Materials {
    servers: Vec<Option<Kept<ListenerSettings, Server>>>,
    clients: Vec<Option<Kept<BackendSettings, Client>>>,
}

/// What a look at all files led to.
#[derive(Debug, Default)]
pub struct Looked {
    /// Something new is in use.
    pub swapped: bool,
    /// What could not be used, and whose it is.
    pub refused: Vec<String>,
}

/// A store of a listener or a backend at a moment.
pub struct Told {
    /// `listener` or `backend`.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// How it is.
    pub status: Status,
}

impl Materials {
    /// Reads what a configuration needs; what `last` has by the same settings is kept.
    ///
    /// # Errors
    /// Files cannot be used.
    pub fn open(config: &Config, last: &Materials, now: SystemTime) -> Result<Self, MaterialError> {
        let servers = config.listeners.iter().map(|listener| {
            let Some(tls) = listener
                .tls
                .as_ref()
                .filter(|tls| tls.mode == TlsMode::Terminate)
            else {
                return Ok(None);
            };
            let mut tls = tls.clone();
            if listener.protocol == ListenerProtocol::Https {
                // Offered is what is spoken: HTTP/2 is not yet.
                tls.alpn_protocols.retain(|name| name != "h2");
            }
            let settings = (tls, listener.timeouts.handshake);
            let options = || ServerOptions::of(&settings.0, settings.1);
            keep(
                "listener",
                &listener.name,
                &settings,
                &last.servers,
                options,
                now,
            )
            .map(Some)
        });
        let servers = servers.collect::<Result<_, _>>()?;
        let clients = config.backends.iter().map(|backend| {
            let Some(tls) = &backend.tls else {
                return Ok(None);
            };
            let settings = (tls.clone(), backend.pool.connect_timeout);
            let options = || ClientOptions::of(&settings.0, Vec::new(), settings.1);
            keep(
                "backend",
                &backend.name,
                &settings,
                &last.clients,
                options,
                now,
            )
            .map(Some)
        });
        let clients = clients.collect::<Result<_, _>>()?;
        Ok(Self { servers, clients })
    }

    /// What is in use, for all threads.
    #[must_use]
    pub fn snapshot(&self, rules: Arc<Rules>) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            rules,
            servers: current(&self.servers),
            clients: current(&self.clients),
        })
    }

    /// Reads all files again.
    pub fn look(&self, now: SystemTime) -> Looked {
        let mut looked = Looked::default();
        let servers = self.servers.iter().flatten();
        let clients = self.clients.iter().flatten();
        servers.for_each(|kept| kept.look("listener", &mut looked, now));
        clients.for_each(|kept| kept.look("backend", &mut looked, now));
        looked
    }

    /// All files.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let servers = self.servers.iter().flatten();
        let servers = servers.flat_map(|kept| kept.store.borrow().paths());
        let clients = self.clients.iter().flatten();
        servers
            .chain(clients.flat_map(|kept| kept.store.borrow().paths()))
            .collect()
    }

    /// How each store is.
    #[must_use]
    pub fn status(&self, now: SystemTime) -> Vec<Told> {
        let servers = self.servers.iter().flatten();
        let servers = servers.map(|kept| kept.told("listener", now));
        let clients = self.clients.iter().flatten();
        servers
            .chain(clients.map(|kept| kept.told("backend", now)))
            .collect()
    }
}

impl<S, M: Material> Kept<S, M> {
    fn look(&self, of: &str, looked: &mut Looked, now: SystemTime) {
        let mut store = self.store.borrow_mut();
        let before = store.status(now).failures;
        match store.reload(now) {
            Reload::Unchanged => {}
            Reload::Swapped => looked.swapped = true,
            // Each failure is told once, however often it is met.
            Reload::Kept(_) if store.status(now).failures == before => {}
            Reload::Kept(error) => {
                let error: &dyn std::error::Error = &error;
                let mut text = format!("TLS of {of} {:?}: {error}", self.name);
                let mut cause = error.source();
                while let Some(inner) = cause {
                    text.push_str(&format!(": {inner}"));
                    cause = inner.source();
                }
                looked.refused.push(text);
            }
        }
    }

    fn told(&self, of: &'static str, now: SystemTime) -> Told {
        Told {
            of,
            name: self.name.clone(),
            status: self.store.borrow().status(now),
        }
    }
}

fn current<S, M: Material>(kept: &[Option<Kept<S, M>>]) -> Vec<Option<Arc<M>>> {
    let current = |kept: &Kept<S, M>| Arc::clone(kept.store.borrow().current());
    kept.iter().map(|kept| kept.as_ref().map(current)).collect()
}

fn keep<S: Clone + PartialEq, M: Material>(
    of: &'static str,
    name: &str,
    settings: &S,
    last: &[Option<Kept<S, M>>],
    options: impl FnOnce() -> M::Options,
    now: SystemTime,
) -> Result<Kept<S, M>, MaterialError> {
    let same = |kept: &&Kept<S, M>| kept.name == name && kept.settings == *settings;
    let store = match last.iter().flatten().find(same) {
        Some(kept) => Rc::clone(&kept.store),
        None => {
            let opened = Store::open(options(), now);
            let store = opened.map_err(|source| MaterialError {
                of,
                name: name.to_owned(),
                source: Box::new(source),
            })?;
            Rc::new(RefCell::new(store))
        }
    };
    Ok(Kept {
        name: name.to_owned(),
        settings: settings.clone(),
        store,
    })
}
