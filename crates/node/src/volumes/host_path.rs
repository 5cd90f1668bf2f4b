//! `hostPath` volumes and their types (R19.8).

use std::fs;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use manifest::core::v1::{HostPathType, HostPathVolumeSource};

/// Makes or checks what the type asks for.
pub(super) fn check(source: &HostPathVolumeSource) -> Result<PathBuf, String> {
    let path = Path::new(&source.path);
    let failed = |error: std::io::Error| format!("hostPath {}: {error}", path.display());
    let wrong = |what: &str| {
        Err(format!(
            "hostPath type check failed: {} is not a {what}",
            path.display()
        ))
    };
    let is = |wanted: fn(&fs::Metadata) -> bool| fs::metadata(path).is_ok_and(|meta| wanted(&meta));
    match source.type_.unwrap_or_default() {
        // Unchecked; what is not there is made by the container runtime, as a directory.
        HostPathType::Unset if !path.exists() => make_dir(path).map_err(failed)?,
        HostPathType::Unset => {}
        HostPathType::DirectoryOrCreate => {
            if !path.exists() {
                make_dir(path).map_err(failed)?;
            }
            if !is(fs::Metadata::is_dir) {
                return wrong("directory");
            }
        }
        HostPathType::Directory if !is(fs::Metadata::is_dir) => return wrong("directory"),
        HostPathType::FileOrCreate => {
            if !path.exists() {
                fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o644)
                    .open(path)
                    .map_err(failed)?;
            }
            if !is(fs::Metadata::is_file) {
                return wrong("file");
            }
        }
        HostPathType::File if !is(fs::Metadata::is_file) => return wrong("file"),
        HostPathType::Socket if !is(|meta| meta.file_type().is_socket()) => {
            return wrong("socket");
        }
        HostPathType::CharDevice if !is(|meta| meta.file_type().is_char_device()) => {
            return wrong("character device");
        }
        HostPathType::BlockDevice if !is(|meta| meta.file_type().is_block_device()) => {
            return wrong("block device");
        }
        _ => {}
    }
    Ok(path.to_owned())
}

fn make_dir(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
}
