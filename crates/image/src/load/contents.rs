//! What lies in an image archive, by path and by digest.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;

use crate::compression::{BUFFER, Compression, Decoder, peek};
use crate::digest::{Algorithm, Digest};
use crate::layer::unpack_blob;
use crate::store::commit::StagedLayer;
use crate::store::{DOCUMENT_MAX, Error, Staging, Store};
use crate::unpack::{self, Bounded, Budget, clean, is_exceeded};
use archive::{Archive, Entry, Kind, looks_like_tar, shown};

/// Bytes of all documents of an archive together; they are held in memory.
const DOCUMENTS_MAX: u64 = 64 << 20;
/// How many links lead from one path to the next.
const LINKS_MAX: usize = 8;

/// All of an archive. Layers are unpacked in the staging directory.
pub(super) struct Contents {
    pub(super) staging: Staging,
    pub(super) layers: Vec<StagedLayer>,
    items: HashMap<Vec<u8>, Item>,
    by_digest: HashMap<Digest, Vec<u8>>,
}

enum Item {
    Document {
        bytes: Vec<u8>,
        digest: Digest,
    },
    Layer(usize),
    /// It looks like a layer and cannot be unpacked, which matters only if an image needs it.
    Broken(unpack::Error),
    /// Another path.
    Link(Vec<u8>),
}

impl Contents {
    /// Reads the archive to its end, and unpacks all layers in it.
    pub(super) fn read(store: &Store, archive: impl Read) -> Result<Contents, Error> {
        let read_error = |e| Error::Archive(archive::Error::Read(e).into());
        let (staging, mut budget) = store.stage()?;
        let (head, input) = peek(archive).map_err(read_error)?;
        let compression = Compression::of(&head);
        if let Compression::Other(program) = compression {
            return Err(Error::Archive(unpack::Error::Compression(program)));
        }
        if compression == Compression::None && !looks_like_tar(&head) {
            return Err(Error::NotAnImageArchive("it is no tar archive"));
        }
        let decoder = Decoder::new(input, compression).map_err(read_error)?;
        // Layers take from the budget what they unpack to; this bounds what is passed over.
        let bounded = Bounded::new(decoder, budget.bytes());
        let mut archive = Archive::new(BufReader::with_capacity(BUFFER, bounded));
        let mut contents = Contents {
            staging,
            layers: Vec::new(),
            items: HashMap::new(),
            by_digest: HashMap::new(),
        };
        let mut documents_left = DOCUMENTS_MAX;
        let outer = |budget: &Budget, e: archive::Error| {
            let e = unpack::Error::from(e);
            Error::Archive(if is_exceeded(&e) {
                budget.too_large()
            } else {
                e
            })
        };
        while let Some(entry) = archive.next().map_err(|e| outer(&budget, e))? {
            budget.entry().map_err(Error::Archive)?;
            contents.entry(&entry, &mut archive, &mut budget, &mut documents_left)?;
        }
        // A writer at the other end of a pipe expects that all is read.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(read_error)?;
        Ok(contents)
    }

    fn entry<R: Read>(
        &mut self,
        entry: &Entry,
        archive: &mut Archive<R>,
        budget: &mut Budget,
        documents_left: &mut u64,
    ) -> Result<(), Error> {
        let path = clean(&entry.path).map_err(Error::Archive)?;
        match entry.kind {
            Kind::Symlink => {
                let directory = path
                    .iter()
                    .rposition(|b| *b == b'/')
                    .map_or(&[][..], |i| &path[..i]);
                if let Some(target) = join(directory, &entry.link) {
                    self.items.insert(path, Item::Link(target));
                }
                return Ok(());
            }
            Kind::HardLink => {
                let target = clean(&entry.link).map_err(Error::Archive)?;
                self.items.insert(path, Item::Link(target));
                return Ok(());
            }
            Kind::File if entry.sparse.is_none() => {}
            _ => return Ok(()),
        }
        let claimed = claimed_digest(&path);
        let read_error = |e| Error::Archive(archive::Error::Read(e).into());
        let (head, data) = peek(archive).map_err(read_error)?;
        if looks_like_tar(&head) || Compression::of(&head) != Compression::None {
            return self.layer(path, claimed, data, budget);
        }
        let first = head.iter().find(|b| !b.is_ascii_whitespace());
        if !matches!(first, Some(b'{' | b'[')) || entry.size > DOCUMENT_MAX {
            return Ok(());
        }
        *documents_left = documents_left
            .checked_sub(entry.size)
            .ok_or(Error::NotAnImageArchive("its documents are too long"))?;
        let mut bytes = Vec::new();
        io::Read::take(data, entry.size)
            .read_to_end(&mut bytes)
            .map_err(read_error)?;
        let digest = match &claimed {
            Some(claimed) => claimed.of_same_kind(&bytes),
            None => Digest::of(&bytes),
        };
        verify(&path, claimed, &digest)?;
        self.by_digest.insert(digest.clone(), path.clone());
        self.items.insert(path, Item::Document { bytes, digest });
        Ok(())
    }

    fn layer(
        &mut self,
        path: Vec<u8>,
        claimed: Option<Digest>,
        data: impl Read,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let (directory, tree) = self.staging.layer()?;
        let algorithm = claimed
            .as_ref()
            .map_or(Algorithm::Sha256, Digest::algorithm);
        match unpack_blob(data, algorithm, tree.as_fd(), budget) {
            Ok(layer) => {
                verify(&path, claimed, &layer.blob)?;
                self.by_digest.insert(layer.blob.clone(), path.clone());
                self.items.insert(path, Item::Layer(self.layers.len()));
                self.layers.push(StagedLayer {
                    layer,
                    path: directory,
                    placed: false,
                });
            }
            Err(source) if source.is_local() => {
                return Err(Error::Layer {
                    what: format!("layer {:?}", shown(&path)),
                    source,
                });
            }
            Err(error) => {
                self.staging.discard(&directory);
                if let Some(claimed) = claimed {
                    self.by_digest.insert(claimed, path.clone());
                }
                self.items.insert(path, Item::Broken(error));
            }
        }
        Ok(())
    }

    /// The document at a path of the archive.
    pub(super) fn document(&self, path: &str) -> Option<(&[u8], &Digest)> {
        match self.item(path.as_bytes())? {
            Item::Document { bytes, digest } => Some((bytes, digest)),
            _ => None,
        }
    }

    pub(super) fn document_by_digest(&self, digest: &Digest) -> Option<&[u8]> {
        match self.item(self.by_digest.get(digest)?)? {
            Item::Document { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// The number of the layer at a path.
    pub(super) fn layer_at(&mut self, path: &str) -> Result<usize, Error> {
        let found = clean(path.as_bytes()).ok();
        self.take_layer(found, || format!("layer {path:?}"))
    }

    pub(super) fn layer_by_digest(&mut self, digest: &Digest) -> Result<usize, Error> {
        let found = self.by_digest.get(digest).cloned();
        self.take_layer(found, || format!("layer {digest}"))
    }

    fn take_layer(
        &mut self,
        path: Option<Vec<u8>>,
        what: impl Fn() -> String,
    ) -> Result<usize, Error> {
        let missing = || Error::Missing(what());
        let path = path
            .and_then(|path| self.follow(&path))
            .ok_or_else(missing)?;
        match self.items.get(&path) {
            Some(Item::Layer(number)) => return Ok(*number),
            Some(Item::Broken(_)) => {}
            _ => return Err(missing()),
        }
        // The error is moved out, since it cannot be cloned: it ends the loading.
        match self.items.remove(&path) {
            Some(Item::Broken(source)) => Err(Error::Layer {
                what: what(),
                source,
            }),
            _ => Err(missing()),
        }
    }

    fn item(&self, path: &[u8]) -> Option<&Item> {
        self.items.get(&self.follow(&clean(path).ok()?)?)
    }

    /// The path at the end of links.
    fn follow(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut path = path.to_vec();
        for _ in 0..LINKS_MAX {
            match self.items.get(&path)? {
                Item::Link(target) => path.clone_from(target),
                _ => return Some(path),
            }
        }
        None
    }
}

/// The digest that a path in an OCI layout stands for: `blobs/sha256/<hex>`.
fn claimed_digest(path: &[u8]) -> Option<Digest> {
    let path = std::str::from_utf8(path).ok()?.strip_prefix("blobs/")?;
    path.replacen('/', ":", 1).parse().ok()
}

fn verify(path: &[u8], claimed: Option<Digest>, actual: &Digest) -> Result<(), Error> {
    match claimed {
        Some(expected) if expected != *actual => {
            let what = format!("{:?} in the archive", shown(path));
            Err(Error::DigestMismatch {
                what,
                expected,
                actual: actual.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Where a link leads, within the archive.
fn join(directory: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let start = if target.starts_with(b"/") {
        &[][..]
    } else {
        directory
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in start
        .split(|b| *b == b'/')
        .chain(target.split(|b| *b == b'/'))
    {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}
