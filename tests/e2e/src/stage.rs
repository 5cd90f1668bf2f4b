//! What cases need before the first of them runs: the program, and a store with all images.
//!
//! The store is made once for a build of the program. A case gets a copy of it in a few milliseconds:
//! files of layers are hard links (nothing ever writes to them), all else is copied.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why no case can run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that does not start.
    #[error("start {program}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program that fails.
    #[error("{program} ended with {status}")]
    Ended {
        /// Which.
        program: String,
        /// How.
        status: std::process::ExitStatus,
    },
    /// A file.
    #[error("{step} {}", path.display())]
    File {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Where things are.
#[derive(Debug)]
pub struct Stage {
    /// A folder with the program, under its own name, for PATH.
    pub bin: PathBuf,
    /// The repository.
    pub repository: PathBuf,
    /// A state directory with all images.
    store: PathBuf,
    /// One folder a case.
    cases: PathBuf,
}

/// The folder of one case's run.
#[derive(Debug)]
pub struct Place {
    /// All of it.
    pub dir: PathBuf,
    /// `PILLION_ROOT`.
    pub root: PathBuf,
    /// For files that the command makes.
    pub work: PathBuf,
}

impl Stage {
    /// Builds the program and the images, as far as they are not there; works in the folder `base`.
    pub fn prepare(base: &Path) -> Result<Self, Error> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let repository = fs::canonicalize(&repository).map_err(file("find", &repository))?;
        let program = match std::env::var_os("PILLION") {
            Some(program) => PathBuf::from(program),
            None => built_program(&repository)?,
        };
        let program = fs::canonicalize(&program).map_err(file("find", &program))?;
        let bin = base.join("bin");
        link_program(&bin, &program)?;
        let store = make_store(base, &repository, &program)?;
        // What an interrupted run left is of no use any more.
        let cases = base.join("cases");
        remove(&cases)?;
        fs::create_dir_all(&cases).map_err(file("create", &cases))?;
        Ok(Self {
            bin,
            repository,
            store,
            cases,
        })
    }

    /// A fresh folder for a case.
    pub fn place(&self, name: &str) -> Result<Place, Error> {
        let dir = self.cases.join(name);
        remove(&dir)?;
        let place = Place {
            root: dir.join("root"),
            work: dir.join("work"),
            dir,
        };
        fs::create_dir_all(&place.work).map_err(file("create", &place.work))?;
        copy_store(&self.store, &place.root)?;
        Ok(place)
    }

    /// Removes the folder of a case. That of a failed one stays, to be looked at.
    pub fn clear(&self, name: &str) {
        let _ = fs::remove_dir_all(self.cases.join(name));
    }
}

fn built_program(repository: &Path) -> Result<PathBuf, Error> {
    let script = repository.join("scripts/pillion-path");
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .map_err(start(&script))?;
    if !output.status.success() {
        return Err(ended(&script, output.status));
    }
    Ok(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim(),
    ))
}

fn link_program(bin: &Path, program: &Path) -> Result<(), Error> {
    remove(bin)?;
    fs::create_dir_all(bin).map_err(file("create", bin))?;
    let link = bin.join("pillion");
    symlink(program, &link).map_err(file("create", &link))
}

/// The store for this build of the program; stores of other builds are removed, since the program that
/// made them may have made them differently.
fn make_store(base: &Path, repository: &Path, program: &Path) -> Result<PathBuf, Error> {
    let build = fs::metadata(program).map_err(file("look at", program))?;
    let name = format!(
        "store-{}-{}.{}",
        build.len(),
        build.mtime(),
        build.mtime_nsec()
    );
    fs::create_dir_all(base).map_err(file("create", base))?;
    for entry in fs::read_dir(base).map_err(file("read", base))? {
        let path = entry.map_err(file("read", base))?.path();
        let found = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if found.starts_with("store-") && found != name {
            remove(&path)?;
        }
    }
    let store = base.join(name);
    // Does nothing when all images are there.
    let script = repository.join("tests/images/build");
    let status = Command::new(&script)
        .env("PILLION", program)
        .env("PILLION_ROOT", &store)
        .stdout(Stdio::null())
        .status()
        .map_err(start(&script))?;
    if !status.success() {
        return Err(ended(&script, status));
    }
    Ok(store)
}

fn copy_store(store: &Path, root: &Path) -> Result<(), Error> {
    let images = root.join("lib/images");
    fs::create_dir_all(&images).map_err(file("create", &images))?;
    let from = store.join("lib/images");
    for entry in fs::read_dir(&from).map_err(file("read", &from))? {
        let path = entry.map_err(file("read", &from))?.path();
        let how = if path.ends_with("layers") {
            "-al"
        } else {
            "-a"
        };
        let status = Command::new("cp")
            .arg(how)
            .arg(&path)
            .arg(&images)
            .status()
            .map_err(start(Path::new("cp")))?;
        if !status.success() {
            return Err(ended(Path::new("cp"), status));
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}

fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File {
        step,
        path: path.to_owned(),
        source,
    }
}

fn start(program: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Start {
        program: program.display().to_string(),
        source,
    }
}

fn ended(program: &Path, status: std::process::ExitStatus) -> Error {
    Error::Ended {
        program: program.display().to_string(),
        status,
    }
}
