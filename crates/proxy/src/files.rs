//! Files of a directory as the answer of a rule (`staticFiles`).
//!
//! A request becomes an [`Ask`] with everything that counts, the file is looked for in the kernel's memory, and where that
//! does not do, on a thread that may wait; then the response is put together. Nothing of this is kept between requests:
//! what lies in the directory counts, from one request to the next.
//!
//! ```text
//! path -> name -> locate (tryFiles, index, a coded file beside it; open: openat2 below the root)
//!      -> validator (304, 412) -> range (206, 416) -> respond -> body (or compress)
//! ```

pub mod body;
pub mod compress;
pub mod encoding;
pub mod locate;
pub mod media;
pub mod name;
pub mod open;
pub mod range;
mod respond;
pub mod validator;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::{StaticFiles, TryFile};
use crate::exchange::decision::{Decision, EditResponse, Response};
use crate::message::RequestHead;
use crate::reason::{Failure, Reason};

use encoding::Accepted;
use locate::{Found, Settings};
use name::{Attempt, Name, Pattern};
use open::{Fault, Patience};
use validator::Conditions;

/// The files of one rule. Cheap to clone, the same for all threads.
#[derive(Clone, Debug)]
pub struct Files {
    settings: Arc<Settings>,
}

/// What counts of a request.
#[derive(Debug)]
struct Ask {
    name: Name,
    /// The path as the client knows it, and the query.
    public: String,
    query: Option<Vec<u8>>,
    head_only: bool,
    accepted: Accepted,
    conditions: Conditions,
    range: Option<Vec<u8>>,
}

impl Files {
    /// From the configuration. Opens nothing: the directory may come to be later.
    #[must_use]
    pub fn new(configured: &StaticFiles) -> Self {
        let attempt = |attempt: &TryFile| match attempt {
            TryFile::File(text) => Attempt::File(Pattern::new(text)),
            TryFile::Directory(text) => Attempt::Directory(Pattern::new(text)),
            TryFile::Status(status) => Attempt::Status(*status),
        };
        Self {
            settings: Arc::new(Settings {
                root: configured.root.clone(),
                index: configured.index.clone(),
                attempts: configured.try_files.iter().map(attempt).collect(),
                dot_files: configured.dot_files,
                precompressed: configured.precompressed.clone(),
                dynamic: configured.dynamic.clone(),
                min_size: configured.min_size,
                cache_control: configured.cache_control.clone(),
                mime_types: configured.mime_types.clone(),
                default_type: configured.default_type.clone(),
            }),
        }
    }

    /// What becomes of a request. `path` is where it leads behind the rule's filters, `public` how the client knows it (both
    /// escaped, without the query): they differ where a prefix was taken away, and a redirect leads to the latter. `edits`
    /// are those of the rule for heads of responses; of prefixes they need know nothing.
    #[must_use]
    pub fn decide(
        &self,
        head: &RequestHead,
        path: &[u8],
        public: &str,
        edits: Option<Rc<dyn EditResponse>>,
    ) -> Decision {
        let now = SystemTime::now();
        let edited = move |mut response: Response| {
            if let Some(edits) = &edits {
                edits.edit(&mut response.head);
            }
            response
        };
        if !matches!(head.method(), "GET" | "HEAD") {
            return Decision::Respond(edited(respond::plain(405, now)));
        }
        let Some(name) = Name::read(path, self.settings.dot_files) else {
            return Decision::Respond(edited(respond::plain(404, now)));
        };
        let ask = Ask::new(head, name, public);
        match self.locate(&ask, Patience::Cached) {
            Ok(found) => match respond::respond(&self.settings, &ask, found, now) {
                Ok(response) => Decision::Respond(edited(response)),
                Err(failure) => Decision::Refuse(failure),
            },
            Err(Fault::Unknown) => {
                let answer = self.later(ask);
                Decision::Later(Box::pin(async move { answer.await.map(edited) }))
            }
            Err(fault) => Decision::Refuse(failure(fault)),
        }
    }

    fn locate(&self, ask: &Ask, patience: Patience) -> Result<Found, Fault> {
        let whole = ask.range.is_none();
        locate::locate(&self.settings, &ask.name, &ask.accepted, whole, patience)
    }

    /// The answer to what the kernel does not have in memory.
    fn later(&self, ask: Ask) -> Pin<Box<dyn Future<Output = Result<Response, Failure>>>> {
        let files = self.clone();
        Box::pin(async move {
            let looking = files.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let found = looking.locate(&ask, Patience::Disk);
                (ask, found)
            });
            let (ask, found) = looked
                .await
                .map_err(|error| Failure::new(Reason::FileFailed, error.to_string()))?;
            let found = found.map_err(failure)?;
            respond::respond(&files.settings, &ask, found, SystemTime::now())
        })
    }
}

fn failure(fault: Fault) -> Failure {
    match fault {
        Fault::Failed(error) => Failure::new(
            Reason::FileFailed,
            format!("a file cannot be opened: {error}"),
        ),
        Fault::Unknown | Fault::Denied => {
            Failure::new(Reason::FileFailed, "a file cannot be opened")
        }
    }
}

impl Ask {
    fn new(head: &RequestHead, name: Name, public: &str) -> Self {
        let head_only = head.is_head();
        let mut ranges = head.headers().get_all("Range");
        // Ranges are for GET (RFC 9110, 14.2); several fields are no list.
        let range = ranges.next().filter(|_| !head_only).map(<[u8]>::to_owned);
        Self {
            name,
            public: public.to_owned(),
            query: head.query().map(<[u8]>::to_owned),
            head_only,
            accepted: Accepted::read(head.headers().get_all("Accept-Encoding")),
            conditions: Conditions::of(head),
            range: range.filter(|_| ranges.next().is_none()),
        }
    }

    /// `Location` of the directory with the slash at its end. Never of another host, as `//host/` would be.
    fn with_slash(&self) -> String {
        let path = self.public.trim_matches('/');
        let mut location = format!("/{path}/");
        if let Some(query) = &self.query {
            location.push('?');
            for byte in query {
                match byte {
                    b'!'..=b'~' => location.push(char::from(*byte)),
                    byte => location.push_str(&format!("%{byte:02X}")),
                }
            }
        }
        location
    }
}

#[cfg(test)]
mod tests;
