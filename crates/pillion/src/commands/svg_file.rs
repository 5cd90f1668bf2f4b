//! Where `--timeline-svg` goes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::Failure;

/// A file for a picture. It is opened before anything starts, so that nobody learns after an hour that it cannot be written.
#[derive(Debug)]
pub(crate) struct SvgFile<'a>(Option<(&'a Path, File)>);

impl<'a> SvgFile<'a> {
    /// `manifests` are the paths of what was read: none of them is overwritten.
    pub(crate) fn open(path: Option<&'a Path>, manifests: &[String]) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let same = |manifest: &&String| match (fs::canonicalize(path), fs::canonicalize(manifest)) {
            (Ok(path), Ok(manifest)) => path == manifest,
            _ => false,
        };
        if manifests.iter().any(|manifest| same(&manifest)) {
            let error = io::Error::other("it is a manifest that was read; name another file");
            return Err(Self::failed(path, error));
        }
        // What it holds stays until there is something better. A pipe that nobody reads is an error, not a wait.
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false);
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = options.custom_flags(flags).open(path);
        let file = file.map_err(|error| Self::failed(path, error))?;
        let blocking = rustix::fs::fcntl_setfl(&file, OFlags::empty());
        blocking.map_err(|error| Self::failed(path, error.into()))?;
        Ok(Self(Some((path, file))))
    }

    /// Writes the picture, which is not drawn when nobody wants it.
    pub(crate) fn write(self, picture: impl FnOnce() -> String) -> Result<(), Failure> {
        let Some((path, mut file)) = self.0 else {
            return Ok(());
        };
        // A pipe or /dev/stdout has no length.
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let cut = if is_file { file.set_len(0) } else { Ok(()) };
        cut.and_then(|()| file.write_all(picture().as_bytes()))
            .map_err(|error| Self::failed(path, error))
    }

    fn failed(path: &Path, error: io::Error) -> Failure {
        let what = format!("write the timeline (--timeline-svg) to {}", path.display());
        Failure::new(what, error)
    }
}
