//! `pillion cp`: files and folders out of a container, and into one.

mod place;
mod stream;

use std::fs::File;
use std::io::BufWriter;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use archive::PackError;
use client::{Client, PodName, Resource};
use manifest::core::v1::Pod;

use self::place::Place;
use super::Failure;
use super::kube::{self, containers};
use crate::cli::{CpArgs, Global};
use crate::exit;
use crate::term::{Term, causes};

pub(crate) fn run(args: &CpArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let copy = Copy {
        args,
        term,
        client: kube::client(global),
    };
    kube::block_on(copy.run())?;
    Ok(exit::SUCCESS.into())
}

struct Copy<'a> {
    args: &'a CpArgs,
    term: &'a Term,
    client: Client,
}

impl Copy<'_> {
    async fn run(&self) -> Result<(), Failure> {
        let wrong = |text: &str| Err(Failure::text(text.into()));
        let namespace = self.args.namespace.name();
        let from = Place::parse(&self.args.from, namespace)?;
        let to = Place::parse(&self.args.to, namespace)?;
        if from.path().is_empty() || to.path().is_empty() {
            return wrong("filepath can not be empty");
        }
        match (from, to) {
            (Place::Pod(pod, from), Place::Here(to)) => self.fetch(&pod, &from, &to).await,
            (Place::Here(from), Place::Pod(pod, to)) => self.send(&from, &pod, &to).await,
            (Place::Pod(..), Place::Pod(..)) => {
                wrong("one of src or dest must be a local file specification")
            }
            (Place::Here(_), Place::Here(_)) => {
                wrong("one of src or dest must be a remote file specification")
            }
        }
    }

    async fn fetch(&self, pod: &PodName, from: &str, to: &str) -> Result<(), Failure> {
        let container = self.container(pod).await?;
        let archive = self.client.get_archive(pod, Some(&container), from).await?;
        let to = PathBuf::from(to);
        let unpack = move |archive: stream::Pieces| archive::unpack_onto(&to, archive);
        let (unpacked, not_sent) = stream::read(archive, unpack).await?;
        let skipped = unpacked.map_err(|error| Failure::text(causes(&error)))?;
        self.warn(not_sent.iter().chain(&skipped).map(String::as_str));
        Ok(())
    }

    async fn send(&self, from: &str, pod: &PodName, to: &str) -> Result<(), Failure> {
        if !Path::new(from).exists() {
            let message = format!("{from} doesn't exist in local filesystem");
            return Err(Failure::text(message));
        }
        let container = self.container(pod).await?;
        let (root, path) = local(from)?;
        let (content, packed) = stream::write(move |to| {
            let mut to = BufWriter::new(to);
            archive::pack(root.as_fd(), &path, &mut to)
        });
        let sent = self.client.put_archive(pod, Some(&container), to, content);
        let sent = sent.await;
        let skipped = match (packed.await, sent) {
            // Nobody took it, and said why.
            (Some(Err(PackError::Write(_))), Err(error)) => return Err(error.into()),
            (Some(Err(error)), _) => return Err(Failure::text(causes(&error))),
            (_, Err(error)) => return Err(error.into()),
            (packed, Ok(status)) => {
                self.warn(status.message.lines());
                packed.and_then(Result::ok).unwrap_or_default()
            }
        };
        self.warn(skipped.iter().map(String::as_str));
        Ok(())
    }

    /// The container that is meant.
    async fn container(&self, name: &PodName) -> Result<String, Failure> {
        let pod: Pod = self.client.get(Resource::Pods, name).await?;
        kube::refuse_ended(&pod, "exec into a container")?;
        containers::choose(&pod, self.args.container.as_deref(), false, self.term)
    }

    fn warn<'a>(&self, skipped: impl Iterator<Item = &'a str>) {
        for sentence in skipped {
            self.term.warning(&printers::escape::terminal(sentence));
        }
    }
}

/// A path of this machine as [`archive::pack`] takes it: what it is seen from, and how.
fn local(path: &str) -> Result<(File, PathBuf), Failure> {
    let open = |path: &Path| {
        File::open(path).map_err(|error| Failure::new(format!("open {}", path.display()), error))
    };
    // A folder that is not named by its name is what is in it.
    let last = path.rsplit('/').find(|part| !part.is_empty());
    if matches!(last, None | Some("." | "..")) {
        return Ok((open(Path::new(path))?, PathBuf::from("/")));
    }
    let whole = std::path::absolute(path)
        .map_err(|error| Failure::new("find the working directory".into(), error))?;
    Ok((open(Path::new("/"))?, whole))
}
