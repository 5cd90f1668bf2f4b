//! What is made of files and made anew when they change: the certificates, keys and authorities of a listener or a backend.
//!
//! A [`Store`] belongs to the thread that watches files. [`Store::reload`] reads all files, and only a set that is whole and
//! valid replaces the one in use; otherwise the last good one stays, and the reason is kept for metrics and readiness. Other
//! threads get the current set as an `Arc` in their snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::certificate::Certificate;
use super::error::Error;
use super::files::Files;

#[cfg(test)]
mod tests;

/// What a [`Store`] holds.
pub trait Material: Sized {
    /// What it is made by.
    type Options;

    /// The files it is made of.
    fn paths(options: &Self::Options) -> Vec<PathBuf>;

    /// Makes it of `files`, checked as of `now`. `last` is what is in use and will be replaced.
    ///
    /// # Errors
    /// The files are no whole and valid set.
    fn build(
        options: &Self::Options,
        files: &Files,
        last: Option<&Self>,
        generation: u64,
        now: SystemTime,
    ) -> Result<Self, Error>;

    /// The certificates that it shows.
    fn certificates(&self) -> Vec<Arc<Certificate>>;
}

/// A set in use, and what happened to it.
#[derive(Debug)]
pub struct Store<M: Material> {
    options: M::Options,
    current: Arc<M>,
    digest: [u8; 32],
    generation: u64,
    loaded: SystemTime,
    /// Of the files that were refused last, so that one failure is not counted with each look.
    refused: Option<([u8; 32], String)>,
    failures: u64,
}

/// What a look at the files led to.
#[derive(Debug)]
pub enum Reload {
    /// The files are those in use.
    Unchanged,
    /// A new set is in use.
    Swapped,
    /// The files are no good; the last good set stays in use.
    Kept(Error),
}

/// A store at a moment, for metrics and readiness.
#[derive(Clone, Debug)]
pub struct Status {
    /// The certificates in use.
    pub certificates: Vec<Arc<Certificate>>,
    /// How often another set was taken over; the first is 1.
    pub generation: u64,
    /// How often new files were refused.
    pub failures: u64,
    /// Why the files that are there now were refused.
    pub refused: Option<String>,
    /// How long the set has been in use.
    pub age: Duration,
}

impl<M: Material> Store<M> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// They are no whole and valid set.
    pub fn open(options: M::Options, now: SystemTime) -> Result<Self, Error> {
        let files = Files::read(&M::paths(&options))?;
        let current = Arc::new(M::build(&options, &files, None, 1, now)?);
        Ok(Self {
            options,
            current,
            digest: files.digest(),
            generation: 1,
            loaded: now,
            refused: None,
            failures: 0,
        })
    }

    /// What is in use.
    #[must_use]
    pub fn current(&self) -> &Arc<M> {
        &self.current
    }

    /// The files to watch.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        M::paths(&self.options)
    }

    /// Reads all files again, and takes them over if they are whole, valid and others.
    pub fn reload(&mut self, now: SystemTime) -> Reload {
        let files = match Files::read(&self.paths()) {
            Ok(files) => files,
            Err(error) => return self.refuse([0; 32], error),
        };
        let digest = files.digest();
        if digest == self.digest {
            self.refused = None;
            return Reload::Unchanged;
        }
        // Files that were refused are tried again: a certificate may have become valid meanwhile.
        match M::build(
            &self.options,
            &files,
            Some(&self.current),
            self.generation + 1,
            now,
        ) {
            Ok(built) => {
                self.current = Arc::new(built);
                self.digest = digest;
                self.generation += 1;
                self.loaded = now;
                self.refused = None;
                Reload::Swapped
            }
            Err(error) => self.refuse(digest, error),
        }
    }

    fn refuse(&mut self, digest: [u8; 32], error: Error) -> Reload {
        let why = error.to_string();
        let refused = (digest, why);
        if self.refused.as_ref() != Some(&refused) {
            self.failures += 1;
            self.refused = Some(refused);
        }
        Reload::Kept(error)
    }

    /// What is to be said of it at `now`.
    #[must_use]
    pub fn status(&self, now: SystemTime) -> Status {
        Status {
            certificates: self.current.certificates(),
            generation: self.generation,
            failures: self.failures,
            refused: self.refused.as_ref().map(|(_, why)| why.clone()),
            age: now.duration_since(self.loaded).unwrap_or_default(),
        }
    }

    /// Whether `path` is one of its files.
    #[must_use]
    pub fn uses(&self, path: &Path) -> bool {
        M::paths(&self.options).iter().any(|own| own == path)
    }
}
