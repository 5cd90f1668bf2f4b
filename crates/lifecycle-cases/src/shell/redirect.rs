//! Opening what redirections name.

use super::ast::{Redirect, Target};
use super::exec::{Fd, Shell, Stop};
use super::files::opened;

impl Shell {
    /// Changes the file descriptors; says whether all could be opened.
    pub(super) async fn redirect(&mut self, redirects: &[Redirect]) -> Result<bool, Stop> {
        for redirect in redirects {
            let fd = match &redirect.to {
                Target::Here(body) => {
                    let text = match body.get() {
                        Some(word) => self.expand_text(word).await?,
                        None => String::new(),
                    };
                    Some(Fd::input(text.into_bytes()))
                }
                Target::Read(word) => {
                    let path = self.expand_text(word).await?;
                    let bytes = opened(self, &path);
                    if bytes.is_none() {
                        self.complain(&format!("sh: can't open {path}: no such file"));
                    }
                    bytes.map(Fd::input)
                }
                Target::Write(word) => {
                    let path = self.expand_text(word).await?;
                    self.open_output(&path, true)
                }
                Target::Append(word) => {
                    let path = self.expand_text(word).await?;
                    self.open_output(&path, false)
                }
                Target::Duplicate(word) => {
                    let source = self.expand_text(word).await?;
                    match source.as_str() {
                        "-" => Some(Fd::Null),
                        digits => {
                            let number = digits.parse::<usize>().ok();
                            number.and_then(|number| self.fds.get(number)).cloned()
                        }
                    }
                }
            };
            match fd {
                Some(fd) => self.fds[redirect.fd] = fd,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn open_output(&self, path: &str, truncate: bool) -> Option<Fd> {
        let full = self.path(path);
        match full.as_str() {
            "/dev/null" => return Some(Fd::Null),
            "/dev/stdout" | "/proc/self/fd/1" => return Some(self.fds[1].clone()),
            "/dev/stderr" | "/proc/self/fd/2" => return Some(self.fds[2].clone()),
            // R7.11: the first process writes to the container's log.
            "/proc/1/fd/1" => return Some(Fd::Log { error: false }),
            "/proc/1/fd/2" => return Some(Fd::Log { error: true }),
            _ => {}
        }
        if full.starts_with("/proc/") || full.starts_with("/sys/") {
            self.lacks(format!("writes {full}"));
            return Some(Fd::Null);
        }
        let mounts = &self.image.mounts;
        let made = if truncate {
            mounts.truncate(&full)
        } else {
            mounts.append(&full, &[])
        };
        match made {
            Ok(()) => Some(Fd::File(full)),
            Err(error) => {
                self.complain(&format!("sh: can't create {path}: {error}"));
                None
            }
        }
    }
}
