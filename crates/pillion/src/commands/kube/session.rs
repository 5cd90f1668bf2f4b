//! A session with a process of a container: its streams are ours, and its terminal is ours.

mod detach;
mod input;
mod terminal;

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;

use streaming::client::{Command, TerminalResizer};
use streaming::{Outcome, StreamReader, StreamWriter, Streams, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use self::detach::DetachKeys;
use self::terminal::RawTerminal;
use crate::commands::Failure;
use crate::exit::{self, Exit};
use crate::term::Term;

/// Bytes of an output that are carried at once.
const PIECE: usize = 32 << 10;

/// What is ours of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    /// Our standard input is the process'.
    stdin: bool,
    /// Our terminal is in raw mode, and the process' own.
    raw: bool,
    /// Keys leave it, and the process goes on.
    detachable: bool,
}

/// How a session ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The server said how.
    With(Outcome),
    /// Its keys were typed.
    Detached,
    /// We were told to end, by this signal.
    Signal(SignalKind),
}

impl Session {
    /// What is wanted (`--stdin`, `--tty`), as far as it can be had.
    pub(crate) fn new(stdin: bool, tty: bool, quiet: bool, term: &Term) -> Self {
        let raw = stdin && tty && self::stdin().is_terminal();
        if stdin && tty && !raw && !quiet {
            term.remark(
                "Unable to use a TTY - input is not a terminal or the right kind of file\n",
            );
        }
        Self {
            stdin,
            raw,
            detachable: false,
        }
    }

    /// Ctrl-P Ctrl-Q leaves it, as far as there is a terminal.
    pub(crate) fn detachable(mut self) -> Self {
        self.detachable = self.raw;
        self
    }

    /// There is a terminal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.raw
    }

    /// The streams to ask for.
    pub(crate) fn streams(&self) -> Streams {
        Streams {
            stdin: self.stdin,
            stdout: true,
            stderr: !self.raw,
            tty: self.raw,
        }
    }

    /// Carries bytes, sizes and signals until it ends. The terminal is as it was before when this returns.
    pub(crate) async fn carry(&self, remote: Command) -> Result<Ended, Failure> {
        let terminal =
            match self.raw {
                true => Some(RawTerminal::enter().map_err(|error| {
                    Failure::new("put the terminal into raw mode".into(), error)
                })?),
                false => None,
            };
        let detach = self.detachable.then(DetachKeys::default);
        let ended = async {
            tokio::try_join!(
                copy(remote.stdout, tokio::io::stdout()),
                copy(remote.stderr, tokio::io::stderr()),
            )?;
            Ok(Ended::With(remote.result.outcome().await?))
        };
        let ended = tokio::select! {
            ended = ended => ended,
            () = send(remote.stdin, detach) => Ok(Ended::Detached),
            failure = follow_size(remote.resizer, self.detachable) => Err(failure),
            signal = ending(self.raw) => signal.map(Ended::Signal),
        };
        drop(terminal);
        ended
    }
}

impl Ended {
    /// Tells it as kubectl does; returns the exit code.
    pub(crate) fn report(self, term: &Term) -> Result<ExitCode, Failure> {
        match self {
            Self::With(Outcome::Success) | Self::Detached => Ok(exit::SUCCESS.into()),
            Self::With(Outcome::ExitCode(code)) => {
                term.remark(&format!("command terminated with exit code {code}\n"));
                Ok(Exit::of_container(code).into())
            }
            Self::With(Outcome::Failure(status)) => Err(Failure::text(status.message)),
            Self::Signal(signal) => Ok(Exit::of_container(128 + signal.as_raw_value()).into()),
        }
    }
}

/// Writes what comes, as it comes.
async fn copy(from: Option<StreamReader>, mut to: impl AsyncWrite + Unpin) -> Result<(), Failure> {
    let Some(mut from) = from else { return Ok(()) };
    let mut piece = vec![0; PIECE];
    loop {
        let length = match from.read(&mut piece).await {
            // Whether that is all is known from the outcome.
            Ok(0) | Err(_) => return Ok(()),
            Ok(length) => length,
        };
        to.write_all(&piece[..length])
            .await
            .map_err(Failure::output)?;
        to.flush().await.map_err(Failure::output)?;
    }
}

/// Sends what is typed or piped in. Returns when the keys to leave were typed, and never otherwise.
async fn send(to: Option<StreamWriter>, mut detach: Option<DetachKeys>) {
    if let Some(mut to) = to {
        let mut input = input::read();
        while let Some(mut piece) = input.recv().await {
            if let Some(detach) = &mut detach {
                let Some(rest) = detach.pass(piece) else {
                    return;
                };
                piece = rest;
            }
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        // What is gone need not be told of the end.
        let _ = to.shutdown().await;
    }
    std::future::pending::<()>().await;
}

/// Tells the size of the terminal now and whenever it changes. Returns only where that cannot be known.
async fn follow_size(resizer: Option<TerminalResizer>, redraw: bool) -> Failure {
    let watched = async {
        let Some(resizer) = resizer else {
            return Ok(());
        };
        let mut changes = signal(SignalKind::window_change())
            .map_err(|error| Failure::new("watch the terminal's size".into(), error))?;
        if redraw && let Some(size) = terminal::size() {
            // What runs already draws its screen anew only when its size changes.
            let larger = TerminalSize {
                width: size.width.saturating_add(1),
                height: size.height.saturating_add(1),
            };
            // Who is gone needs no size.
            let _ = resizer.resize(larger).await;
        }
        loop {
            if let Some(size) = terminal::size()
                && resizer.resize(size).await.is_err()
            {
                return Ok(());
            }
            changes.recv().await;
        }
    };
    match watched.await {
        Ok(()) => std::future::pending().await,
        Err(failure) => failure,
    }
}

/// Waits for a signal that ends this program: with a raw terminal, which must not stay so. Otherwise the system does that.
async fn ending(raw: bool) -> Result<SignalKind, Failure> {
    if !raw {
        return std::future::pending().await;
    }
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new("listen to signals".into(), error));
    let kinds = [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::terminate(),
    ];
    let (mut hangup, mut interrupt) = (listen(kinds[0])?, listen(kinds[1])?);
    let (mut quit, mut terminate) = (listen(kinds[2])?, listen(kinds[3])?);
    Ok(tokio::select! {
        _ = hangup.recv() => kinds[0],
        _ = interrupt.recv() => kinds[1],
        _ = quit.recv() => kinds[2],
        _ = terminate.recv() => kinds[3],
    })
}
