//! The other side: this program re-executed as a helper with one thread, which becomes or makes a container.
//!
//! Order matters here and each file says why. Memory may be allocated at will, before and after the last `clone3`: there
//! never was a second thread that could have held the allocator's lock.

mod attach;
mod devices;
mod exec;
mod overlay;
mod process;
mod resolve;
mod sandbox;
mod sources;
mod start;
mod user;

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::set_parent_process_death_signal;
use rustix::process::{DumpableBehavior, Resource, Signal, set_dumpable_behavior};
use sys::clone::SingleThreaded;

use crate::error::{At, KILLED, StartError, Step};
use crate::wire::{Hello, Job, Reply, pair, receive, receive_job, send};

/// `argv[0]` of a helper.
pub(crate) const HELPER_NAME: &str = "pillion-init";

/// Does a helper's work if `argv0` says this process is one. `main` must call it before anything else, above all before it
/// starts a thread, and return the code.
///
/// Standard input must be the runner's socket; started by hand, it says so and exits with 1.
#[must_use]
pub fn helper_main(argv0: Option<&OsStr>) -> Option<ExitCode> {
    if argv0 != Some(OsStr::new(HELPER_NAME)) {
        return None;
    }
    Some(match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The runner sees its socket close and says that the helper failed.
        Err(_) => ExitCode::FAILURE,
    })
}

/// What a job came to: an answer and the descriptors that go with it.
struct Answer {
    reply: Reply,
    fds: Vec<OwnedFd>,
}

impl From<StartError> for Answer {
    fn from(error: StartError) -> Self {
        Self {
            reply: Reply::Failed(error),
            fds: Vec::new(),
        }
    }
}

fn run() -> io::Result<()> {
    // Containers share our PID namespace or see us enter theirs; /proc/<pid>/exe, fd and mem must be closed to them
    // (CVE-2019-5736). It lasts until the program of the container is executed.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let alone = SingleThreaded::check()?;
    // Whatever the runner forgot to mark close-on-exec ends here; from now on every descriptor is ours.
    sys::exec::close_from(3)?;
    let runner = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    rustix::stdio::dup2_stdin(&null)?;
    // Modes given to mkdir and mknod are meant as they are.
    rustix::process::umask(rustix::fs::Mode::empty());

    let Some((hello, _)) = receive::<Hello>(runner.as_fd())? else {
        return Ok(());
    };
    if let Some(descriptors) = hello.descriptors {
        let limit = rustix::process::Rlimit {
            current: Some(descriptors),
            ..rustix::process::getrlimit(Resource::Nofile)
        };
        rustix::process::setrlimit(Resource::Nofile, limit)?;
    }
    let entered = match &hello.cgroup {
        Some(cgroup) => cgroup.enter().at(Step::Cgroup, || "enter the cgroup"),
        None => Ok(()),
    };
    let Some((job, fds)) = receive_job(runner.as_fd())? else {
        return Ok(());
    };
    let context = Context {
        runner: runner.as_fd(),
        alone: &alone,
    };
    let answer = match (entered, job) {
        (Err(error), _) => error.into(),
        (Ok(()), Job::Sandbox(job)) => sandbox::create(&context, &job),
        (Ok(()), Job::Start(job)) => start::start(&context, *job, fds),
        (Ok(()), Job::Exec(job)) => exec::exec(&context, *job, fds),
    };
    let fds: Vec<BorrowedFd<'_>> = answer.fds.iter().map(AsFd::as_fd).collect();
    send(runner.as_fd(), &answer.reply, &fds)
}

/// What every job needs of the helper.
struct Context<'a> {
    runner: BorrowedFd<'a>,
    alone: &'a SingleThreaded,
}

impl Context<'_> {
    /// Whether the runner is still there: its end of the socket is open in no other process.
    fn runner_lives(&self) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(self.runner, PollFlags::empty())];
        let timeout = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut fds, Some(&timeout)).is_ok()
            && !fds
                .iter()
                .any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR))
    }

    /// Ties the life of the calling process to the runner's. `getppid` cannot tell whether that came too late, since a
    /// parent outside the PID namespace is 0, dead or alive; the socket can.
    fn die_with_runner(&self) -> Result<(), StartError> {
        set_parent_process_death_signal(Some(Signal::KILL))
            .at(Step::Launch, || "set the parent death signal")?;
        if self.runner_lives() {
            Ok(())
        } else {
            Err(StartError::new(Step::Launch, "the runner has gone"))
        }
    }

    /// Clones a child that becomes the program: `set_up` runs in it and returns only to say why it could not. Waits until
    /// the program has started.
    fn launch(
        &self,
        spec: &sys::clone::CloneSpec<'_>,
        notes: Vec<String>,
        set_up: impl FnOnce(&Self, BorrowedFd<'_>) -> StartError,
    ) -> Result<Answer, StartError> {
        let (ours, theirs) = pair().at(Step::Launch, || "create a socket for the container")?;
        match sys::clone::clone3(spec, self.alone).at(Step::Namespaces, || "clone the container")? {
            sys::clone::Cloned::Child => {
                let error = set_up(self, theirs.as_fd());
                let _ = send(theirs.as_fd(), &Reply::Failed(error), &[]);
                sys::exec::exit_now(1)
            }
            sys::clone::Cloned::Parent { pid, pidfd } => {
                drop(theirs);
                let mut fds = vec![pidfd];
                let mut ready = false;
                // The child's end closes when its program starts, or when it dies.
                while let Some((reply, more)) =
                    receive::<Reply>(ours.as_fd()).at(Step::Launch, || "listen to the container")?
                {
                    match reply {
                        Reply::Failed(error) => {
                            return Ok(Answer {
                                reply: Reply::Failed(error),
                                fds,
                            });
                        }
                        Reply::Ready => ready = true,
                        _ => fds.extend(more),
                    }
                }
                if !ready {
                    let error = StartError::new(Step::Launch, KILLED);
                    return Ok(Answer {
                        reply: Reply::Failed(error),
                        fds,
                    });
                }
                Ok(Answer {
                    reply: Reply::Started { pid, notes },
                    fds,
                })
            }
        }
    }
}
