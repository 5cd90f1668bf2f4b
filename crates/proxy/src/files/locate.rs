//! Which file answers a request: `tryFiles`, index files, and files in a coding beside them.

use std::path::PathBuf;

use super::encoding::{Accepted, extension};
use super::media::{self, Media};
use super::name::{Attempt, Name};
use super::open::{Fault, Opened, Patience, Root};
use crate::config::document::ContentCoding;

/// What the configuration says, in the form in which it is used.
#[derive(Debug)]
pub struct Settings {
    pub(super) root: PathBuf,
    pub(super) index: Vec<String>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) dot_files: bool,
    pub(super) precompressed: Vec<ContentCoding>,
    pub(super) dynamic: Vec<ContentCoding>,
    pub(super) min_size: u64,
    pub(super) cache_control: Option<String>,
    pub(super) mime_types: Vec<(String, String)>,
    pub(super) default_type: String,
}

/// What answers.
#[derive(Debug)]
pub enum Found {
    /// A file.
    File(Representation),
    /// It is a directory, which ends with a slash.
    Directory,
    /// This status.
    Status(u16),
}

/// A file in the form in which it is sent.
#[derive(Debug)]
pub struct Representation {
    /// What is read.
    pub opened: Opened,
    /// What the file is.
    pub media: Media,
    /// What it is sent in.
    pub coding: Coding,
    /// Whether another client could get it in another coding.
    pub varies: bool,
}

/// What a file is sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// The file that was opened is in this coding.
    Beside(ContentCoding),
    /// This coding is made on the fly.
    Made(ContentCoding),
}

/// Finds it. `whole`: not parts of it are asked for, so that a coding can be made.
///
/// # Errors
/// [`Fault::Unknown`]: not without the disk. [`Fault::Failed`].
pub fn locate(
    settings: &Settings,
    name: &Name,
    accepted: &Accepted,
    whole: bool,
    patience: Patience,
) -> Result<Found, Fault> {
    match find(settings, name, accepted, whole, patience) {
        Err(Fault::Denied) => Ok(Found::Status(403)),
        other => other,
    }
}

fn find(
    settings: &Settings,
    name: &Name,
    accepted: &Accepted,
    whole: bool,
    patience: Patience,
) -> Result<Found, Fault> {
    let Some(root) = Root::open(&settings.root, patience)? else {
        return Ok(Found::Status(404));
    };
    for attempt in &settings.attempts {
        match attempt {
            Attempt::Status(status) => return Ok(Found::Status(*status)),
            Attempt::File(pattern) => {
                let Some(file) = pattern.file(name, settings.dot_files) else {
                    continue;
                };
                if let Some(opened) = root.file(&file)? {
                    return represent(settings, &root, &file, opened, accepted, whole);
                }
            }
            Attempt::Directory(pattern) => {
                for index in &settings.index {
                    let Some(file) = pattern.index(name, index, settings.dot_files) else {
                        continue;
                    };
                    let Some(opened) = root.file(&file)? else {
                        continue;
                    };
                    if pattern.is_request() && !name.is_directory() {
                        return Ok(Found::Directory);
                    }
                    return represent(settings, &root, &file, opened, accepted, whole);
                }
            }
        }
    }
    Ok(Found::Status(404))
}

/// The form of a file that is most welcome: of equally welcome ones one that lies beside it, in the order of the
/// configuration, then one that is made.
fn represent(
    settings: &Settings,
    root: &Root,
    file: &[u8],
    opened: Opened,
    accepted: &Accepted,
    whole: bool,
) -> Result<Found, Fault> {
    let media = media::of(file, &settings.mime_types, &settings.default_type);
    let transformable = !settings
        .cache_control
        .as_ref()
        .is_some_and(|value| value.to_ascii_lowercase().contains("no-transform"));
    let makes = media.compresses && opened.size >= settings.min_size && transformable;
    let varies =
        !media.dense && !settings.precompressed.is_empty() || makes && !settings.dynamic.is_empty();
    let mut codings = Vec::new();
    if !media.dense {
        codings.extend(settings.precompressed.iter().copied().map(Coding::Beside));
    }
    if makes && whole {
        codings.extend(settings.dynamic.iter().copied().map(Coding::Made));
    }
    let weight = |coding: &Coding| match coding {
        Coding::Identity => 0,
        Coding::Beside(coding) | Coding::Made(coding) => accepted.weight(*coding),
    };
    codings.retain(|coding| weight(coding) > 0);
    codings.sort_by_key(|coding| std::cmp::Reverse(weight(coding)));
    let mut chosen = (opened, Coding::Identity);
    for coding in codings {
        if let Coding::Beside(of) = coding {
            let beside = [file, extension(of).as_bytes()].concat();
            match root.file(&beside) {
                // One that is older was made of another state of the file.
                Ok(Some(beside)) if beside.modified.0 >= chosen.0.modified.0 => {
                    chosen = (beside, coding);
                    break;
                }
                Ok(_) | Err(Fault::Denied) => continue,
                Err(fault) => return Err(fault),
            }
        }
        chosen.1 = coding;
        break;
    }
    Ok(Found::File(Representation {
        opened: chosen.0,
        media,
        coding: chosen.1,
        varies,
    }))
}
