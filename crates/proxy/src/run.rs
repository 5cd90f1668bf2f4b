//! The whole role: from a configuration to workers that serve by it, and to their end.
//!
//! The thread that calls [`run`] keeps control: it binds sockets, reads certificates, takes signals, watches files, answers on the
//! plain ports. What it decides reaches the workers as a new [`Snapshot`] or an [`Order`]; it never waits for them, but at the end.

mod control;
mod error;
mod pages;

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sidecar_kit::drain::{self, Schedule, Signals, Wish};
use sidecar_kit::health::Health;
use sidecar_kit::memory::{self, Ceiling};
use sidecar_kit::watch::Watch;
use sidecar_kit::{admin, cpu, log};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::config::Config;
use crate::listener::open_plain;
use crate::metrics::Metrics;
use crate::snapshot::{Materials, Rules, Snapshot};
use crate::unsupported::unsupported;
use crate::worker::{self, Order, Shared};

pub use control::CONDITIONS;
use control::Control;
pub use error::RunError;
use pages::ProxyPages;

/// How often memory is looked at, where it has a ceiling.
const LOOK: Duration = Duration::from_millis(250);
/// How long the last lines of the access log may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Reads the configuration again; on failure, everything that is wrong with it.
pub type Reload = Box<dyn FnMut() -> Result<Config, Vec<String>>>;

/// What the role is to do, and with what.
pub struct Settings {
    /// The configuration to begin with.
    pub config: Config,
    /// How it is read again; None where it came from flags.
    pub reload: Option<Reload>,
    /// The files it came from: they are watched.
    pub files: Vec<PathBuf>,
    /// Where the access log goes.
    pub out: Box<dyn Write + Send>,
    /// The value of [`drain::GRACE_PERIOD_VARIABLE`].
    pub grace_period: Option<String>,
    /// Is told what happens to the role as a whole.
    pub notify: Notify,
}

/// Takes a sentence for whoever looks after the process.
pub type Notify = Box<dyn Fn(Notice)>;

/// What happened to the role as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// As it should be.
    Info(String),
    /// Not as it should be; it goes on.
    Warning(String),
}

/// How the role ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All connections had ended.
    Drained,
    /// The grace period was over; so many connections were cut off.
    CutOff(usize),
    /// A second signal came; so many connections were cut off.
    AtOnce(usize),
}

/// Serves until a signal ends it.
///
/// # Errors
/// What keeps it from starting. Later, whatever fails leaves what was there in use.
pub fn run(settings: Settings) -> Result<Ended, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(RunError::io("make a runtime"))?;
    LocalSet::new().block_on(&runtime, control(settings))
}

async fn control(mut settings: Settings) -> Result<Ended, RunError> {
    // From here on a signal is a wish, also while things are being made ready.
    let mut signals = Signals::new().map_err(RunError::io("take signals"))?;
    let config = settings.config.clone();
    let lacking = unsupported(&config);
    if !lacking.is_empty() {
        return Err(RunError::Unsupported(lacking));
    }
    let variable = settings.grace_period.as_deref();
    let grace_period = drain::grace_period(config.lifecycle.grace_period, variable)?;
    let workers = config.limits.workers.unwrap_or_else(cpu::workers);
    let ceiling = Ceiling::new(config.limits.memory, memory::limit());
    let (log, writer) = log::start(std::mem::replace(&mut settings.out, Box::new(io::sink())))
        .map_err(RunError::io("start the thread of the access log"))?;
    let shared = Arc::new(Shared {
        workers,
        metrics: Arc::new(Metrics::new(workers, ceiling.bytes())),
        log,
        ceiling,
        connections: AtomicUsize::new(0),
    });
    let mut watch = Watch::new(settings.files.iter().cloned());
    let now = SystemTime::now();
    let materials = Materials::open(&config, &Materials::default(), now)?;
    let rules = Rules::new(config);
    let (snapshots, _) = watch::channel(materials.snapshot(Arc::clone(&rules)));
    let health = Rc::new(Health::new(&CONDITIONS));
    let materials = Rc::new(RefCell::new(materials));
    let telemetry = rules.config.telemetry.clone();
    for (address, full) in [(telemetry.metrics, false), (telemetry.admin, true)] {
        let pages = ProxyPages {
            health: Rc::clone(&health),
            shared: Arc::clone(&shared),
            materials: Rc::clone(&materials),
            snapshots: snapshots.subscribe(),
            full,
        };
        serve_pages(address, pages)?;
    }
    let (orders, mut ended) = start(&shared, &snapshots)?;
    let mut control = Control {
        shared: Arc::clone(&shared),
        health: Rc::clone(&health),
        snapshots,
        orders,
        materials,
        listening: Vec::new(),
        reload: settings.reload,
        notify: settings.notify,
    };
    control.listen(&rules.config)?;
    control.begin(now);
    watch.watch(control.paths(&settings.files));

    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut schedule: Option<Schedule> = None;
    let mut draining = false;
    let outcome = loop {
        tokio::select! {
            wish = signals.next() => match (wish, schedule) {
                (Wish::End, Some(_)) => break Ok(Ended::AtOnce(open(&shared))),
                (Wish::End, None) => {
                    let delay = control.rules().config.lifecycle.propagation_delay;
                    schedule = Some(Schedule::new(Instant::now(), grace_period, delay));
                    health.fails("serving", "it is going to end");
                    control.info(format!("ending: within {grace_period:?}; a second signal ends at once"));
                }
                (Wish::Reload, _) => control.read_again(&mut watch, &settings.files),
            },
            () = watch.changed() => control.read_again(&mut watch, &settings.files),
            _ = look.tick(), if shared.ceiling.bytes().is_some() => control.look_at_memory(),
            () = until(schedule.map(|schedule| schedule.drain_at)), if !draining => {
                draining = true;
                control.order(|| Order::Drain);
            }
            () = until(schedule.map(|schedule| schedule.end_at)) => {
                break Ok(match open(&shared) {
                    0 => Ended::Drained,
                    left => Ended::CutOff(left),
                });
            }
            end = ended.recv() => match end {
                None => break Ok(Ended::Drained),
                Some(error) => break Err(RunError::io("run a worker")(error)),
            },
        }
    };
    drop(control);
    writer.close(LAST_LINES);
    outcome
}

fn open(shared: &Shared) -> usize {
    shared.connections.load(Ordering::Relaxed)
}

/// Waits until then; without a moment, for ever.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn serve_pages(address: Option<SocketAddr>, pages: ProxyPages) -> Result<(), RunError> {
    let Some(address) = address else {
        return Ok(());
    };
    let listener = TcpListener::from_std(open_plain(address)?);
    let listener = listener.map_err(RunError::io("listen for metrics and health"))?;
    tokio::task::spawn_local(admin::serve(listener, Rc::new(pages)));
    Ok(())
}

type Started = (
    Vec<mpsc::UnboundedSender<Order>>,
    mpsc::UnboundedReceiver<io::Error>,
);

/// Starts the workers. The receiver ends when all of them have.
fn start(
    shared: &Arc<Shared>,
    snapshots: &watch::Sender<Arc<Snapshot>>,
) -> Result<Started, RunError> {
    let (failed, ended) = mpsc::unbounded_channel();
    let mut orders = Vec::new();
    for number in 0..shared.workers {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (shared, snapshots) = (Arc::clone(shared), snapshots.subscribe());
        let failed = failed.clone();
        let run = move || {
            if let Err(error) = worker::run(shared, snapshots, receiver) {
                let _ = failed.send(error);
            }
        };
        let thread = std::thread::Builder::new().name(format!("worker-{number}"));
        thread.spawn(run).map_err(RunError::io("start a worker"))?;
        orders.push(sender);
    }
    Ok((orders, ended))
}
