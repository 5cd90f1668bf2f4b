//! From paths on the command line to the text of manifests.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use manifest::Source;

/// A path that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("no manifest in {}: a folder must hold *.yaml, *.yml or *.json files", .0.display())]
    Empty(PathBuf),
    #[error("{} is larger than {} MiB, which no manifest is", path.display(), LARGEST >> 20)]
    TooLarge { path: PathBuf },
}

/// More than any manifest that an API server would take, many times over.
const LARGEST: u64 = 64 << 20;

/// Reads files, the manifests of folders (in the order of their names, as kubectl does) and stdin.
pub(crate) fn read(paths: &[String]) -> Result<Vec<Source>, SourceError> {
    let mut sources = Vec::new();
    for path in paths {
        if path == "-" {
            sources.push(read_from("<stdin>".into(), &mut io::stdin().lock())?);
            continue;
        }
        let path = Path::new(path);
        let failed = |source| SourceError::Read {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            let files = manifests_in(path).map_err(failed)?;
            if files.is_empty() {
                return Err(SourceError::Empty(path.to_owned()));
            }
            for file in files {
                sources.push(read_file(&file)?);
            }
        } else {
            sources.push(read_file(path)?);
        }
    }
    Ok(sources)
}

fn manifests_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let wanted = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| matches!(extension, "yaml" | "yml" | "json"));
        if wanted && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Source, SourceError> {
    let failed = |source| SourceError::Read {
        path: path.to_owned(),
        source,
    };
    read_from(path.to_owned(), &mut fs::File::open(path).map_err(failed)?)
}

fn read_from(path: PathBuf, from: &mut dyn Read) -> Result<Source, SourceError> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| SourceError::Read {
            path: path.clone(),
            source,
        })?;
    if bytes.len() as u64 > LARGEST {
        return Err(SourceError::TooLarge { path });
    }
    Ok(Source {
        name: path.display().to_string(),
        bytes,
    })
}
