//! The image `pillion`: the running program as an image of one file.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tar::Header;

use crate::digest::Algorithm;
use crate::documents::ContainerConfig;
use crate::image::Image;
use crate::import::image_of_layer;
use crate::layer::unpack_blob;
use crate::reference::Reference;
use crate::store::commit::StagedLayer;
use crate::store::{Error, Program, Record, Store};
use archive::BLOCK;

const NAME: &str = "pillion";

impl Store {
    /// The image `pillion`: `program` (the running one, `/proc/self/exe`) at `/pillion`, as its
    /// entry point. It is a copy: a container must not reach the program on this machine.
    ///
    /// Made anew when the program is another file than last time, told by device, inode, size and
    /// time without reading it. So with programs of several versions on one store, use the image
    /// given here rather than resolving its name.
    ///
    /// # Errors
    /// Where the program cannot be read or the store not be written.
    pub fn ensure_builtin(&self, program: &Path) -> Result<Image, Error> {
        let read_error = |e| Error::io("read the program", program, e);
        let file = File::open(program).map_err(read_error)?;
        let metadata = file.metadata().map_err(read_error)?;
        let identity = Program::of(&metadata);
        if let Some(image) = self.present_builtin(&identity)? {
            return Ok(image);
        }
        let (mut staging, mut budget) = self.stage()?;
        let (path, tree) = staging.layer()?;
        let archive = archive(file, &metadata).map_err(read_error)?;
        let layer = unpack_blob(archive, Algorithm::Sha256, tree.as_fd(), &mut budget).map_err(
            |source| Error::Layer {
                what: format!("the image `{NAME}`"),
                source,
            },
        )?;
        let config = ContainerConfig {
            entrypoint: vec![format!("/{NAME}")],
            ..ContainerConfig::default()
        };
        let image = image_of_layer(config, Vec::new(), &layer)?;
        let layers = vec![StagedLayer {
            layer,
            path,
            placed: false,
        }];
        let mut images = self.commit(staging, layers, &[image], Some(identity))?;
        images.pop().ok_or_else(|| Error::NotFound(NAME.to_owned()))
    }

    /// The image made earlier from the same program, if it is whole.
    fn present_builtin(&self, program: &Program) -> Result<Option<Image>, Error> {
        let locked = self.lock_shared()?;
        let Some(builtin) = self.index()?.builtin.filter(|b| b.program == *program) else {
            return Ok(None);
        };
        let name = Some(Reference::builtin());
        let record = Record {
            name,
            manifest: builtin.manifest,
            id: builtin.id,
        };
        // One that is not whole is made anew.
        Ok(self.open_image(&locked, &record).ok())
    }
}

/// A tar archive with the program in it.
fn archive(file: File, metadata: &std::fs::Metadata) -> io::Result<impl Read> {
    let mut header = Header::new_gnu();
    header.set_path(NAME)?;
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(metadata.size());
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header.set_cksum();
    let padding = metadata.size().next_multiple_of(BLOCK as u64) - metadata.size();
    let end = io::repeat(0).take(padding + 2 * BLOCK as u64);
    Ok(Cursor::new(header.as_bytes().to_vec())
        .chain(file.take(metadata.size()))
        .chain(end))
}
