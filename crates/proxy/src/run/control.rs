//! What the thread in control does: listen, read again, tell.

use std::cell::RefCell;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use sidecar_kit::health::Health;
use sidecar_kit::memory;
use sidecar_kit::watch::Watch;
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::listener::{self, Listening, Socket};
use crate::snapshot::{Materials, Rules, Snapshot};
use crate::unsupported::unsupported;
use crate::worker::{Order, Shared};

use super::{Notice, Notify, Reload, RunError};

/// What has to hold for the role to be ready.
pub const CONDITIONS: [&str; 3] = ["certificates", "listeners", "serving"];

pub(super) struct Control {
    pub(super) shared: Arc<Shared>,
    pub(super) health: Rc<Health>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) orders: Vec<mpsc::UnboundedSender<Order>>,
    pub(super) materials: Rc<RefCell<Materials>>,
    pub(super) listening: Vec<Listening>,
    pub(super) reload: Option<Reload>,
    pub(super) notify: Notify,
}

impl Control {
    /// What the workers work by.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.snapshots.borrow().rules)
    }

    pub(super) fn info(&self, text: String) {
        (self.notify)(Notice::Info(text));
    }

    fn warn(&self, text: String) {
        (self.notify)(Notice::Warning(text));
    }

    /// Tells each worker. Those that are gone need not know.
    pub(super) fn order(&self, make: impl Fn() -> Order) {
        for orders in &self.orders {
            let _ = orders.send(make());
        }
    }

    /// All is there.
    pub(super) fn begin(&self, now: SystemTime) {
        for condition in CONDITIONS {
            self.health.holds(condition);
        }
        self.shared.metrics.in_use(now);
        let binds = self.listening.iter();
        let binds: Vec<String> = binds.map(|listening| listening.bind.to_string()).collect();
        let workers = self.shared.workers;
        self.info(format!(
            "serving on {} with {workers} {}",
            binds.join(", "),
            if workers == 1 { "worker" } else { "workers" }
        ));
    }

    /// All files: those of the configuration, and those it names.
    pub(super) fn paths(&self, files: &[PathBuf]) -> Vec<PathBuf> {
        let mut paths = files.to_vec();
        paths.extend(self.materials.borrow().paths());
        paths.sort();
        paths.dedup();
        paths
    }

    /// Listens on the addresses of a configuration that are not listened on yet, and no more on those that it does not have.
    /// All or nothing.
    pub(super) fn listen(&mut self, config: &Config) -> Result<(), RunError> {
        let fresh = self.open(config)?;
        self.take_over(config, fresh);
        Ok(())
    }

    fn open(&self, config: &Config) -> Result<Vec<(Listening, Vec<Socket>)>, RunError> {
        let known =
            |bind: &crate::config::Bind| self.listening.iter().any(|known| known.bind == *bind);
        let wanted = config.sockets.iter().map(|socket| &socket.bind);
        let opened = wanted
            .filter(|bind| !known(bind))
            .map(|bind| listener::open(bind, self.shared.workers));
        Ok(opened.collect::<Result<_, _>>()?)
    }

    fn take_over(&mut self, config: &Config, fresh: Vec<(Listening, Vec<Socket>)>) {
        for (listening, sockets) in fresh {
            for (orders, socket) in self.orders.iter().zip(sockets) {
                let _ = orders.send(Order::Listen(listening.bind.clone(), socket));
            }
            self.listening.push(listening);
        }
        let wanted = |listening: &Listening| {
            config
                .sockets
                .iter()
                .any(|socket| socket.bind == listening.bind)
        };
        for gone in self
            .listening
            .extract_if(.., |it| !wanted(it))
            .collect::<Vec<_>>()
        {
            for orders in &self.orders {
                let _ = orders.send(Order::Close(gone.bind.clone()));
            }
        }
    }

    /// Reads configuration, certificates, keys and authorities again, and takes over what is good and new.
    pub(super) fn read_again(&mut self, watch: &mut Watch, files: &[PathBuf]) {
        loop {
            let before = self.paths(files);
            self.reload_config();
            self.reload_materials();
            let after = self.paths(files);
            if after == before {
                return;
            }
            // What changes before it is watched is not reported: it is read once more.
            watch.watch(after);
        }
    }

    fn reload_config(&mut self) {
        let Some(reload) = &mut self.reload else {
            return;
        };
        let read = reload();
        let rules = self.rules();
        let taken = match read {
            Ok(config) if config == rules.config => {
                self.shared.metrics.reloaded(true);
                return;
            }
            Ok(config) => self.take(config).map_err(|error| {
                let mut text = error.to_string();
                let mut cause = error.source();
                while let Some(inner) = cause {
                    text.push_str(&format!(": {inner}"));
                    cause = inner.source();
                }
                vec![text]
            }),
            Err(faults) => Err(faults),
        };
        self.shared.metrics.reloaded(taken.is_ok());
        match taken {
            Ok(()) => self.info("the new configuration is in use".to_owned()),
            Err(faults) => self.warn(format!(
                "the new configuration is not taken over, the last good one stays in use:\n{}",
                faults.join("\n")
            )),
        }
    }

    fn take(&mut self, config: Config) -> Result<(), RunError> {
        let lacking = unsupported(&config);
        if !lacking.is_empty() {
            return Err(RunError::Unsupported(lacking));
        }
        let now = SystemTime::now();
        let materials = Materials::open(&config, &self.materials.borrow(), now)?;
        let fresh = self.open(&config)?;
        let before = self.rules();
        self.warn_of_what_needs_a_start(&before.config, &config);
        let rules = Rules::new(config);
        // The configuration comes first: whoever accepts from a new socket looks its address up.
        self.snapshots
            .send_replace(materials.snapshot(Arc::clone(&rules)));
        self.materials.replace(materials);
        self.take_over(&rules.config, fresh);
        self.shared.metrics.in_use(now);
        Ok(())
    }

    /// What is made once, at start.
    fn warn_of_what_needs_a_start(&self, before: &Config, after: &Config) {
        let fields = [
            (
                "limits.workers",
                before.limits.workers != after.limits.workers,
            ),
            ("limits.memory", before.limits.memory != after.limits.memory),
            (
                "telemetry.admin",
                before.telemetry.admin != after.telemetry.admin,
            ),
            (
                "telemetry.metrics",
                before.telemetry.metrics != after.telemetry.metrics,
            ),
            (
                "lifecycle.gracePeriod",
                before.lifecycle.grace_period != after.lifecycle.grace_period,
            ),
        ];
        for (field, _) in fields.iter().filter(|(_, changed)| *changed) {
            self.warn(format!(
                "`{field}` changed: that takes effect at the next start"
            ));
        }
    }

    fn reload_materials(&self) {
        let looked = self.materials.borrow().look(SystemTime::now());
        for refused in looked.refused {
            self.warn(format!("{refused}; the last good files stay in use"));
        }
        if looked.swapped {
            let snapshot = self.materials.borrow().snapshot(self.rules());
            self.snapshots.send_replace(snapshot);
            self.info("new certificates, keys or authorities are in use".to_owned());
        }
    }

    pub(super) fn look_at_memory(&self) {
        let Some(in_use) = memory::in_use() else {
            return;
        };
        let ceiling = &self.shared.ceiling;
        if ceiling.look(in_use) {
            let bytes = ceiling.bytes().unwrap_or_default();
            if ceiling.is_reached() {
                self.warn(format!(
                    "{in_use} bytes of memory are in use, the ceiling is {bytes}: requests get 503"
                ));
            } else {
                self.info(format!(
                    "{in_use} bytes of memory are in use, the ceiling is {bytes}: requests are served again"
                ));
            }
        }
    }
}
