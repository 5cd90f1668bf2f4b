//! Descriptors that go on into the next program of this process.
//!
//! Whoever hands over keeps its own descriptors, which close when the next program begins; what goes on are copies without
//! close-on-exec. Should there be no next program they are closed, and nothing has changed.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::FdFlags;

/// Descriptors on their way. Dropped, they go nowhere.
#[derive(Debug, Default)]
pub struct Outgoing(Vec<OwnedFd>);

impl Outgoing {
    /// Sends a descriptor along; gives the number under which the next program finds it.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn add(&mut self, fd: impl AsFd) -> io::Result<i32> {
        let copy = rustix::io::dup(fd)?;
        let number = copy.as_raw_fd();
        self.0.push(copy);
        Ok(number)
    }
}

/// Descriptors that came from the program before. What is not claimed is closed with this.
#[derive(Debug, Default)]
pub struct Incoming(BTreeMap<i32, OwnedFd>);

impl Incoming {
    /// Takes all open descriptors from 3 on that do not close on exec, once; from then on they do.
    ///
    /// Meant for the first moments of a program, when the only such descriptors are those it inherited.
    ///
    /// # Errors
    /// Without `/proc`.
    pub fn take() -> io::Result<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        let mut taken = BTreeMap::new();
        if TAKEN.swap(true, Ordering::SeqCst) {
            return Ok(Self(taken));
        }
        let numbers: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|number| *number > 2)
            .collect();
        for number in numbers {
            // SAFETY: only looked at here; the list itself is closed by now, which the kernel says.
            let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
            match rustix::io::fcntl_getfd(fd) {
                Ok(flags) if !flags.contains(FdFlags::CLOEXEC) => {
                    rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC)?;
                }
                _ => continue,
            }
            // SAFETY: it is open, and nobody owns it: all that Rust opens closes on exec, the program before said that this
            // is for us, and nobody has taken it before.
            taken.insert(number, unsafe { OwnedFd::from_raw_fd(number) });
        }
        Ok(Self(taken))
    }

    /// The descriptor of this number.
    ///
    /// # Errors
    /// It did not come, or was claimed before.
    pub fn claim(&mut self, number: i32) -> io::Result<OwnedFd> {
        self.0.remove(&number).ok_or_else(|| {
            let text = format!("descriptor {number} was not handed over");
            io::Error::new(io::ErrorKind::NotFound, text)
        })
    }
}

/// What owns a descriptor, for types that can only be made of a number.
#[must_use]
pub fn owner_of<T: FromRawFd>(fd: OwnedFd) -> T {
    // SAFETY: the number comes from its only owner, which gives it up.
    unsafe { T::from_raw_fd(fd.into_raw_fd()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_does_not_close_on_exec_and_comes_once() {
        let file = std::fs::File::open("/dev/null").expect("open");
        let mut outgoing = Outgoing::default();
        let number = outgoing.add(&file).expect("dup");
        let flags = rustix::io::fcntl_getfd(&outgoing.0[0]).expect("flags");
        assert!(!flags.contains(FdFlags::CLOEXEC));
        let mut incoming = Incoming(BTreeMap::from([(number, outgoing.0.remove(0))]));
        incoming.claim(number).expect("it is there");
        incoming.claim(number).expect_err("it was");
    }
}
