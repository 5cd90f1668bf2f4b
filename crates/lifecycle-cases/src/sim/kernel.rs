//! Processes on simulated time.
//!
//! A process is a future; what it waits for is a time, the end of a child or a signal. [`Kernel`] holds what processes
//! share, [`Processes`] lets them run. To kill a process is to drop its future.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A process ID. Each container counts for itself in truth; here numbers are never used twice.
pub(crate) type Pid = u32;

/// Milliseconds of simulated time. Everything takes a multiple of [`TICK`].
pub(crate) type Millis = i64;

/// What the clock that scripts read resolves, and what the kernel needs to pass something on.
pub(crate) const TICK: Millis = 10;

/// Signal numbers that scripts name.
pub(crate) const SIGKILL: i32 = 9;
pub(crate) const SIGTERM: i32 = 15;

/// Steps that a process may take at once before time is charged.
const STEPS_AT_ONCE: u32 = 2000;

/// A run of a container, by its name and number; processes of the node have none.
pub(crate) type Cell = Option<(String, u32)>;

/// What a process is.
pub(crate) type Task = Pin<Box<dyn Future<Output = i32>>>;

/// What a process does at a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Ignore,
    Catch,
}

#[derive(Debug, Default)]
struct Process {
    cell: Cell,
    parent: Option<Pid>,
    /// The first of its container, which signals that it does not handle cannot end.
    first: bool,
    dispositions: BTreeMap<i32, Disposition>,
    pending: VecDeque<i32>,
    /// Children that ended and were not waited for.
    ended: BTreeMap<Pid, i32>,
    children: BTreeSet<Pid>,
    steps: u32,
}

/// The first process of a container has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) cell: (String, u32),
    pub(crate) code: i32,
    pub(crate) signal: Option<i32>,
}

/// A server that listens on a port of the Pod.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    /// The process that listens.
    pub(crate) pid: Pid,
    pub(crate) serves: Serves,
}

#[derive(Clone, Debug)]
pub(crate) enum Serves {
    /// Files and CGI programs of this directory, as `httpd`; with the server's container.
    Http(Rc<crate::shell::exec::Image>, String),
    /// A connection and nothing more, as `nc -l`; once or for ever.
    Connection { once: bool },
}

/// What processes share.
#[derive(Default)]
pub(crate) struct Kernel {
    now: Millis,
    last_pid: Pid,
    processes: BTreeMap<Pid, Process>,
    timers: BinaryHeap<Reverse<(Millis, u64, Pid)>>,
    timer_count: u64,
    ready: VecDeque<Pid>,
    spawned: Vec<(Pid, Task)>,
    ended: Vec<Ended>,
    /// Ends of processes outside of containers and of `exec`s, for who started them.
    codes: BTreeMap<Pid, i32>,
    pub(crate) listeners: BTreeMap<u16, Listener>,
    unsupported: Option<String>,
}

/// A handle to the kernel.
pub(crate) type Handle = Rc<RefCell<Kernel>>;

impl Kernel {
    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    /// Notes that a script needs something that is not simulated. The simulation means nothing from here on.
    pub(crate) fn unsupported(&mut self, what: impl Into<String>) {
        self.unsupported.get_or_insert_with(|| what.into());
    }

    /// What a script needed that is not simulated.
    pub(crate) fn lacks(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    /// Begins a process: the first one of a container, a child, or one of the node.
    pub(crate) fn spawn(
        &mut self,
        cell: Cell,
        parent: Option<Pid>,
        first: bool,
        make: impl FnOnce(Pid) -> Task,
    ) -> Pid {
        self.last_pid += 1;
        // Number 1 is what the first process of a container is for itself.
        let pid = self.last_pid + 1;
        let ignored = |(signal, disposition): (&i32, &Disposition)| {
            (*disposition == Disposition::Ignore).then_some((*signal, *disposition))
        };
        // What is ignored stays ignored, what is caught is not.
        let dispositions = parent.and_then(|parent| self.processes.get_mut(&parent));
        let dispositions = dispositions.map(|parent| {
            parent.children.insert(pid);
            parent.dispositions.iter().filter_map(ignored).collect()
        });
        let process = Process {
            cell,
            parent,
            first,
            dispositions: dispositions.unwrap_or_default(),
            ..Process::default()
        };
        self.processes.insert(pid, process);
        self.spawned.push((pid, make(pid)));
        pid
    }

    pub(crate) fn is_alive(&self, pid: Pid) -> bool {
        self.processes.contains_key(&pid)
    }

    /// Wakes a process at a time.
    fn timer(&mut self, pid: Pid, at: Millis) {
        self.timer_count += 1;
        self.timers.push(Reverse((at, self.timer_count, pid)));
    }

    fn wake(&mut self, pid: Pid) {
        if !self.ready.contains(&pid) {
            self.ready.push_back(pid);
        }
    }

    /// The code of a process that was spawned without a parent, once it ended.
    pub(crate) fn code(&self, pid: Pid) -> Option<i32> {
        self.codes.get(&pid).copied()
    }

    /// What a process does at a signal from now on; the default when absent.
    pub(crate) fn dispose(&mut self, pid: Pid, signal: i32, to: Option<Disposition>) {
        if let Some(process) = self.processes.get_mut(&pid) {
            match to {
                Some(to) => {
                    process.dispositions.insert(signal, to);
                }
                None => {
                    process.dispositions.remove(&signal);
                }
            }
        }
    }

    /// Takes the next signal that a process caught.
    pub(crate) fn take_signal(&mut self, pid: Pid) -> Option<i32> {
        self.processes.get_mut(&pid)?.pending.pop_front()
    }

    fn has_signal(&self, pid: Pid) -> Option<i32> {
        self.processes.get(&pid)?.pending.front().copied()
    }

    /// Sends a signal; says whether there is such a process.
    pub(crate) fn signal(&mut self, pid: Pid, signal: i32) -> bool {
        let Some(process) = self.processes.get_mut(&pid) else {
            return false;
        };
        if signal == 0 {
            return true;
        }
        match process.dispositions.get(&signal) {
            _ if signal == SIGKILL => self.end(pid, 128 + signal, Some(signal)),
            Some(Disposition::Ignore) => {}
            Some(Disposition::Catch) => {
                process.pending.push_back(signal);
                self.wake(pid);
            }
            // R8.15: the first process of a PID namespace is spared what it does not handle.
            None if process.first => {}
            // SIGCHLD, SIGCONT, SIGURG and SIGWINCH do nothing by default.
            None if [17, 18, 23, 28].contains(&signal) => {}
            None => self.end(pid, 128 + signal, Some(signal)),
        }
        true
    }

    /// The first process of a container's run.
    pub(crate) fn first_of(&self, cell: &(String, u32)) -> Option<Pid> {
        let mut all = self.processes.iter();
        all.find(|(_, p)| p.first && p.cell.as_ref() == Some(cell))
            .map(|(pid, _)| *pid)
    }

    /// A process has ended; with the first of a container all others of it.
    pub(crate) fn end(&mut self, pid: Pid, code: i32, signal: Option<i32>) {
        let Some(process) = self.processes.remove(&pid) else {
            return;
        };
        self.listeners.retain(|_, listener| listener.pid != pid);
        match process.parent {
            Some(parent) if self.processes.contains_key(&parent) => {
                if let Some(parent) = self.processes.get_mut(&parent) {
                    parent.children.remove(&pid);
                    parent.ended.insert(pid, code);
                }
                self.wake(parent);
            }
            _ => {
                self.codes.insert(pid, code);
            }
        }
        if process.first
            && let Some(cell) = process.cell
        {
            self.end_all_of(&cell);
            self.ended.push(Ended { cell, code, signal });
        }
    }

    /// Ends what is left in a container.
    fn end_all_of(&mut self, cell: &(String, u32)) {
        let of_cell = |(pid, process): (&Pid, &Process)| {
            (process.cell.as_ref() == Some(cell)).then_some(*pid)
        };
        let left: Vec<Pid> = self.processes.iter().filter_map(of_cell).collect();
        for pid in left {
            self.end(pid, 128 + SIGKILL, Some(SIGKILL));
        }
    }

    /// Every process ends and nobody is told.
    pub(crate) fn lose_all(&mut self) {
        self.processes.clear();
        self.listeners.clear();
        self.ended.clear();
        self.ready.clear();
        self.timers.clear();
    }

    /// The first processes of containers that ended since the last call.
    pub(crate) fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    fn next_timer(&self) -> Option<Millis> {
        self.timers.peek().map(|Reverse((at, _, _))| *at)
    }
}

/// What happened while a process waited for its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The child ended so, or there is no such child.
    Ended(i32),
    /// A signal came that is caught.
    Signalled(i32),
}

/// Waits until a condition of the kernel holds. Checked whenever the process is woken.
async fn until<T>(kernel: &Handle, mut holds: impl FnMut(&mut Kernel) -> Option<T>) -> T {
    std::future::poll_fn(|_| match holds(&mut kernel.borrow_mut()) {
        Some(value) => Poll::Ready(value),
        None => Poll::Pending,
    })
    .await
}

/// Sleeps, signals or not.
pub(crate) async fn sleep(kernel: &Handle, pid: Pid, millis: Millis) {
    let end = kernel.borrow().now + millis;
    kernel.borrow_mut().timer(pid, end);
    until(kernel, |kernel| (kernel.now >= end).then_some(())).await;
}

/// Waits for one child or, without its number, for all; a caught signal ends the wait.
pub(crate) async fn wait(kernel: &Handle, pid: Pid, child: Option<Pid>) -> Waited {
    until(kernel, |kernel| {
        if let Some(signal) = kernel.has_signal(pid) {
            return Some(Waited::Signalled(signal));
        }
        let process = kernel.processes.get_mut(&pid)?;
        match child {
            Some(child) if process.children.contains(&child) => None,
            Some(child) => {
                let code = process.ended.get(&child);
                Some(Waited::Ended(code.copied().unwrap_or(127)))
            }
            None if process.children.is_empty() => Some(Waited::Ended(0)),
            None => None,
        }
    })
    .await
}

/// Waits until a process that is not a child has ended.
pub(crate) async fn join(kernel: &Handle, pid: Pid, other: Pid) -> i32 {
    loop {
        if let Some(code) = kernel.borrow().code(other) {
            return code;
        }
        sleep(kernel, pid, TICK).await;
    }
}

/// Waits until something holds, looking again every tick.
pub(crate) async fn look(kernel: &Handle, pid: Pid, mut holds: impl FnMut(&Kernel) -> bool) {
    while !holds(&kernel.borrow()) {
        sleep(kernel, pid, TICK).await;
    }
}

/// One step of a script. A loop that waits for nothing is charged time, so that time goes on.
pub(crate) async fn step(kernel: &Handle, pid: Pid) {
    let busy = {
        let mut kernel = kernel.borrow_mut();
        kernel.processes.get_mut(&pid).is_some_and(|process| {
            process.steps += 1;
            process.steps.is_multiple_of(STEPS_AT_ONCE)
        })
    };
    if busy {
        sleep(kernel, pid, TICK).await;
    }
}

/// The processes themselves.
pub(crate) struct Processes {
    kernel: Handle,
    tasks: BTreeMap<Pid, Task>,
}

impl Processes {
    pub(crate) fn new() -> Self {
        Self {
            kernel: Handle::default(),
            tasks: BTreeMap::new(),
        }
    }

    pub(crate) fn kernel(&self) -> &Handle {
        &self.kernel
    }

    /// When a process goes on next.
    pub(crate) fn next(&self) -> Option<Millis> {
        let kernel = self.kernel.borrow();
        if kernel.ready.is_empty() && kernel.spawned.is_empty() {
            kernel.next_timer()
        } else {
            Some(kernel.now)
        }
    }

    /// Sets the clock and lets every process run that can.
    pub(crate) fn run(&mut self, now: Millis) {
        self.kernel.borrow_mut().now = now;
        loop {
            let pid = {
                let mut kernel = self.kernel.borrow_mut();
                while kernel.next_timer().is_some_and(|at| at <= now) {
                    if let Some(Reverse((_, _, pid))) = kernel.timers.pop() {
                        kernel.wake(pid);
                    }
                }
                for (pid, task) in std::mem::take(&mut kernel.spawned) {
                    self.tasks.insert(pid, task);
                    kernel.wake(pid);
                }
                kernel.ready.pop_front()
            };
            let Some(pid) = pid else { break };
            self.poll(pid);
            let kernel = self.kernel.borrow();
            self.tasks.retain(|pid, _| kernel.is_alive(*pid));
        }
        let kernel = self.kernel.borrow();
        self.tasks.retain(|pid, _| kernel.is_alive(*pid));
    }

    fn poll(&mut self, pid: Pid) {
        let Some(task) = self.tasks.get_mut(&pid) else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(code) = task.as_mut().poll(&mut context) {
            self.kernel.borrow_mut().end(pid, code, None);
        }
    }
}
