//! Our terminal.

use std::io;
use std::sync::{Mutex, PoisonError, TryLockError};

use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use streaming::TerminalSize;

/// How the terminal was before it was put into raw mode. For all of the program, since a panic, which ends it without
/// further ado, must find it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal in raw mode, until this is dropped.
#[derive(Debug)]
pub(super) struct RawTerminal(());

impl RawTerminal {
    /// Puts the terminal that is standard input into raw mode: keys go to the other side as they are typed.
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
        let terminal = Self(());
        tcsetattr(stdin(), OptionalActions::Drain, &raw)?;
        Ok(terminal)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let mut before = match BEFORE.try_lock() {
        Ok(before) => before,
        Err(TryLockError::Poisoned(before)) => before.into_inner(),
        // Who holds it is about to restore.
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some(before) = before.take() {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &before);
    }
}

/// The size of the terminal that is standard output, else of the one that is standard input.
pub(super) fn size() -> Option<TerminalSize> {
    let size = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin()));
    size.ok().map(|size| TerminalSize {
        width: size.ws_col,
        height: size.ws_row,
    })
}
