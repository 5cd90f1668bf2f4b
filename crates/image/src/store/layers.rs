//! The unpacked layers of the store, by chain ID.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::read_document;
use super::staging::TREE;
use super::{Error, Store};
use crate::digest::Digest;

const RECORD: &str = "layer.json";
/// How many digits of the chain ID name the directory. The next is tried where another layer has
/// the name: short prefixes can be made to collide, so the whole ID is compared always.
const NAME_LENGTHS: [usize; 3] = [12, 24, 64];

/// `layer.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LayerRecord {
    pub(super) chain_id: Digest,
    pub(super) diff_id: Digest,
    /// Bytes of all files.
    pub(super) size: u64,
    /// It hides all layers below it.
    #[serde(default)]
    pub(super) opaque: bool,
}

/// A layer that is whole and in place.
pub(super) struct StoredLayer {
    pub(super) path: PathBuf,
    pub(super) chain_id: Digest,
    pub(super) size: u64,
    pub(super) opaque: bool,
}

impl StoredLayer {
    /// The directory with the files.
    pub(super) fn tree(&self) -> PathBuf {
        self.path.join(TREE)
    }
}

impl LayerRecord {
    pub(super) fn write(&self, layer: &Path) -> Result<(), Error> {
        let path = layer.join(RECORD);
        let bytes =
            serde_json::to_vec(self).map_err(|e| Error::document(path.display().to_string(), e))?;
        super::files::replace(&path, &bytes).map_err(|e| Error::io("write", path, e))
    }
}

impl Store {
    /// The layer with a chain ID, if it is there.
    pub(super) fn find_layer(&self, chain_id: &Digest) -> Result<Option<StoredLayer>, Error> {
        for path in self.layer_paths(chain_id) {
            let layer = self.read_layer(&path)?;
            if let Some(layer) = layer.filter(|l| l.chain_id == *chain_id) {
                return Ok(Some(layer));
            }
        }
        Ok(None)
    }

    /// A path for a layer that is not there yet.
    pub(super) fn free_layer_path(&self, chain_id: &Digest) -> Option<PathBuf> {
        self.layer_paths(chain_id).find(|path| !path.exists())
    }

    /// The layer in a directory; `None` where there is none.
    pub(super) fn read_layer(&self, path: &Path) -> Result<Option<StoredLayer>, Error> {
        let file = path.join(RECORD);
        let bytes = match read_document(&file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("read", file, e)),
        };
        let record: LayerRecord = serde_json::from_slice(&bytes)
            .map_err(|e| Error::document(file.display().to_string(), e))?;
        Ok(Some(StoredLayer {
            path: path.to_owned(),
            chain_id: record.chain_id,
            size: record.size,
            opaque: record.opaque,
        }))
    }

    fn layer_paths(&self, chain_id: &Digest) -> impl Iterator<Item = PathBuf> {
        let hex = chain_id.hex();
        let names = NAME_LENGTHS
            .into_iter()
            .map(|length| hex.get(..length).unwrap_or(hex));
        names.map(|name| self.layers_path().join(name))
    }
}
