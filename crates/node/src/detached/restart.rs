//! A supervisor whose program begins anew, perhaps as a newer one, while its Pod's containers run on.
//!
//! The process stays the same, so containers stay its children; `execve` puts another program into it. What that needs to
//! know comes in a file in memory, and what must not close comes as descriptors:
//!
//! ```text
//!   SIGHUP -> Worker: a moment without a start, a hook ... -> Going --execve--> Coming -> Node::resume -> Worker
//!                                                               | failed: all goes on as before
//! ```

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use manifest::core::v1::{Event, Pod};
use network::KeptNetwork;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use super::program;
use crate::clock::KeptClock;
use crate::endpoint::Endpoint;
use crate::node::Node;
use crate::paths::Paths;
use crate::pod::KeptWorker;
use crate::state::Ownership;

/// Number of the descriptor of the file that tells the next program what there is.
const HANDOVER: &str = "PILLION_HANDOVER";
/// How often a supervisor's program has begun anew; for people who look at the environment of the process.
const RESTARTS: &str = "PILLION_RESTARTS";
/// What must not come before the next program listens for it: it would end it.
const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::TERM, Signal::INT];

/// What one program tells the next. Newer programs read it, so a field may be added with a default and none be removed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handover {
    restarts: u32,
    lock: i32,
    endpoint: i32,
    events: Vec<Event>,
    pub(crate) clock: KeptClock,
    /// What containers may open; this process has raised its own limit.
    pub(crate) descriptor_limit: Option<u64>,
    pub(crate) network: Option<KeptNetwork>,
    pub(crate) pod: Pod,
    pub(crate) worker: KeptWorker,
}

impl Handover {
    pub(crate) fn new(
        node: &Node,
        pod: Arc<Pod>,
        worker: KeptWorker,
        lock: i32,
        outgoing: &mut Outgoing,
    ) -> io::Result<Self> {
        let network = node.opened_network();
        let network = network.map(|network| network.hand_over(outgoing));
        Ok(Self {
            restarts: restarts().saturating_add(1),
            lock,
            endpoint: -1,
            events: Vec::new(),
            clock: node.clock().hand_over(),
            descriptor_limit: node.descriptor_limit(),
            network: network.transpose()?,
            pod: Arc::unwrap_or_clone(pod),
            worker,
        })
    }
}

/// All that goes on into the next program. Dropped, nothing does.
#[derive(Debug)]
pub struct Going {
    kept: Handover,
    outgoing: Outgoing,
}

impl Going {
    pub(crate) fn new(kept: Handover, outgoing: Outgoing) -> Self {
        Self { kept, outgoing }
    }

    /// Puts the program that is now where this one came from into this process, with the arguments of this one, the socket
    /// of its API and the Events that are kept. Returns only if that fails; this program can go on then.
    pub fn begin(mut self, endpoint: &Endpoint, events: Vec<Event>) -> io::Error {
        self.kept.events = events;
        let begun = self.try_begin(endpoint);
        let held: Vec<i32> = SIGNALS.iter().map(|signal| signal.as_raw()).collect();
        let error = match begun {
            Err(error) => error,
            Ok((program, arguments, environment)) => {
                // Otherwise one that comes a moment later would end the next program.
                match sys::signal::hold_back(&held, true) {
                    Err(error) => error,
                    Ok(()) => sys::exec::execve(&program, &arguments, &environment),
                }
            }
        };
        let _ = sys::signal::hold_back(&held, false);
        error
    }

    fn try_begin(
        &mut self,
        endpoint: &Endpoint,
    ) -> io::Result<(CString, Vec<CString>, Vec<CString>)> {
        self.kept.endpoint = endpoint.hand_over(&mut self.outgoing)?;
        let mut file = File::from(memfd_create("handover", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(&self.kept)?)?;
        let number = self.outgoing.add(&file)?;
        let program = program::current()?;
        let arguments = std::env::args_os().map(OsStringExt::into_vec);
        let arguments = arguments.map(CString::new).collect::<Result<_, _>>()?;
        let variable = |name: &str, value: String| CString::new(format!("{name}={value}"));
        let environment = vec![
            variable(HANDOVER, number.to_string())?,
            variable(RESTARTS, self.kept.restarts.to_string())?,
        ];
        let program = CString::new(program.into_os_string().into_vec())?;
        Ok((program, arguments, environment))
    }
}

/// How often this process' program has begun anew.
fn restarts() -> u32 {
    let text = std::env::var(RESTARTS).unwrap_or_default();
    text.parse().unwrap_or(0)
}

/// All that came from the program before.
#[derive(Debug)]
pub struct Coming {
    pub(crate) kept: Handover,
    pub(crate) incoming: Incoming,
}

impl Coming {
    /// To be called before anything is opened: what the program before has handed over, if this process had one.
    ///
    /// # Errors
    /// What was handed over cannot be read; with this process its Pod's containers end then.
    pub fn take() -> io::Result<Option<Self>> {
        program::remember()?;
        let Some(number) = std::env::var_os(HANDOVER) else {
            return Ok(None);
        };
        let number = number.to_str().and_then(|text| text.parse().ok());
        let mut incoming = Incoming::take()?;
        let mut file = File::from(incoming.claim(number.unwrap_or(-1))?);
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        let kept = serde_json::from_slice(&text)?;
        Ok(Some(Self { kept, incoming }))
    }

    /// The API's socket, and the Events that were kept.
    ///
    /// # Errors
    /// It did not come along.
    pub fn endpoint(&mut self, paths: &Paths, uid: &str) -> io::Result<(Endpoint, Vec<Event>)> {
        let socket = self.kept.endpoint;
        let endpoint = Endpoint::take_over(paths, uid, socket, &mut self.incoming)?;
        Ok((endpoint, std::mem::take(&mut self.kept.events)))
    }

    /// How often this process' program has begun anew.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.kept.restarts
    }

    pub(crate) fn ownership(&mut self) -> io::Result<Ownership> {
        let lock: OwnedFd = self.incoming.claim(self.kept.lock)?;
        Ok(lock.into())
    }
}

/// Signals come again that were held back while the program began anew.
///
/// # Errors
/// None in practice.
pub fn let_signals_come() -> io::Result<()> {
    let held: Vec<i32> = SIGNALS.iter().map(|signal| signal.as_raw()).collect();
    sys::signal::hold_back(&held, false)
}
