//! A further process in a running container.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use container::{Process, Running, Stdio};
use rustix::process::Signal;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Session, SessionError, SessionInput, SessionOutput, Target, TerminalSize};
use crate::pod::{PodControl, StartedContainer, input_pipe, output_pipe, wait};

/// What is to be run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecRequest {
    /// The container's name.
    pub container: String,
    /// Program and arguments; no shell is involved.
    pub command: Vec<String>,
    /// Whether standard input is wanted; without, the process reads nothing.
    pub stdin: bool,
    /// Whether standard output is wanted; without, it is lost. A terminal's output is always given, since a terminal that
    /// nobody reads stops its process.
    pub stdout: bool,
    /// Whether standard error is wanted; a terminal has none of its own.
    pub stderr: bool,
    /// Whether the process is to run on a terminal.
    pub tty: bool,
    /// The terminal's size when the process begins, where it is known.
    pub size: Option<TerminalSize>,
}

impl PodControl {
    /// Runs a command in a container, as the container's own user, with its environment, directory, capabilities and filter.
    ///
    /// # Errors
    /// [`SessionError::ContainerNotFound`] for a container that does not run, [`SessionError::Exec`] for a program that
    /// cannot be executed, [`SessionError::TooMany`], [`SessionError::System`].
    pub async fn exec(&self, request: ExecRequest) -> Result<Session, SessionError> {
        let Target { node, container } = self.target(&request.container).await?;
        let permit = node.session().ok_or(SessionError::TooMany)?;
        let process = Process {
            args: request.command.clone(),
            tty: request.tty,
            terminal_size: request.size.map(|size| (size.rows, size.columns)),
            ..container.process().clone()
        };
        let (stdio, mut ours) =
            pipes(&request).map_err(|error| SessionError::system("open a pipe", error))?;
        let starting = node
            .launcher()
            .exec(container.running(), &process, stdio)
            .map_err(SessionError::Exec)?;
        let mut running = wait::started(starting).await.map_err(|error| {
            if container.exit_code().borrow().is_some() {
                return SessionError::ContainerNotFound(request.container.clone());
            }
            SessionError::Exec(error)
        })?;
        let terminal = running.take_terminal();
        let exit_code = collect(running, container, Arc::clone(&permit));
        let open = || -> io::Result<Session> {
            if let Some(terminal) = &terminal {
                rustix::io::ioctl_fionbio(terminal, true)?;
                let stdin = request.stdin.then(|| terminal.try_clone()).transpose()?;
                ours = [stdin, Some(terminal.try_clone()?), None];
            }
            let [stdin, stdout, stderr] = ours;
            Ok(Session {
                stdin: stdin.map(SessionInput::new).transpose()?,
                stdout: stdout.map(SessionOutput::new).transpose()?,
                stderr: stderr.map(SessionOutput::new).transpose()?,
                terminal,
                exit_code,
                _permit: permit,
            })
        };
        open().map_err(|error| SessionError::system("open the streams", error))
    }
}

/// The process's ends of its streams, and ours of those that are wanted.
fn pipes(request: &ExecRequest) -> io::Result<(Stdio, [Option<OwnedFd>; 3])> {
    let piped = !request.tty;
    let (stdin, our_stdin) = match piped && request.stdin {
        true => {
            let (theirs, ours) = input_pipe()?;
            (Some(theirs), Some(ours))
        }
        false => (None, None),
    };
    let output = |wanted: bool| -> io::Result<(OwnedFd, Option<OwnedFd>)> {
        if piped && wanted {
            let (ours, theirs) = output_pipe()?;
            return Ok((theirs, Some(ours)));
        }
        let nothing = File::options().write(true).open("/dev/null")?;
        Ok((nothing.into(), None))
    };
    let (stdout, our_stdout) = output(request.stdout)?;
    let (stderr, our_stderr) = output(request.stderr)?;
    let stdio = Stdio {
        stdin,
        stdout,
        stderr,
    };
    Ok((stdio, [our_stdin, our_stdout, our_stderr]))
}

/// Collects the exit of a command, whoever still waits for it, and ends it with its container: by itself the kernel does so
/// only in a PID namespace of the container's own.
fn collect(
    running: Running,
    container: Arc<StartedContainer>,
    permit: Arc<OwnedSemaphorePermit>,
) -> watch::Receiver<Option<i32>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let mut exit_code = container.exit_code();
        drop(container);
        let container_ended = async move { exit_code.wait_for(Option::is_some).await.is_ok() };
        let ended = tokio::select! {
            status = wait::exited(&running) => Some(status),
            _ = container_ended => None,
        };
        let status = match ended {
            Some(status) => status,
            None => {
                let _ = running.signal(Signal::KILL.as_raw());
                wait::exited(&running).await
            }
        };
        drop((running, permit));
        // It was our child and is gone, but its code is not to be had.
        sender.send_replace(Some(status.map_or(137, |status| status.code)));
    });
    receiver
}
