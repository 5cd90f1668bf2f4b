//! Changes, as they happen, of all servers: those that are there, and those that come.
//!
//! A server that goes takes its Pods with it: they are reported as deleted. A server whose watch merely ends (each may
//! end after its time) is listed anew, and what changed meanwhile is reported.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::arrivals::Arrivals;
use crate::client::Server;
use crate::error::Error;
use crate::merge::{self, Key, Page};
use crate::query::{Form, Query};
use manifest::meta::status::Status;

/// Pause before asking again a server that ended a watch without a word, or that keeps breaking off.
const PAUSE: Duration = Duration::from_millis(200);
/// Events that wait for whoever reads them.
const WAITING: usize = 64;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new, or new to the selectors.
    Added,
    /// It is another than before.
    Modified,
    /// It is gone, or no longer selected.
    Deleted,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent<T> {
    /// What happened.
    pub change: Change,
    /// The object, for a deleted one as it was last; in a watch of Tables, a Table with its row.
    pub object: T,
}

/// A merged watch. It never ends by itself; dropping it closes its connections.
#[derive(Debug)]
pub struct Watch<T> {
    events: mpsc::Receiver<Result<WatchEvent<Value>, Error>>,
    manager: JoinHandle<()>,
    object: std::marker::PhantomData<fn() -> T>,
}

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        self.manager.abort();
    }
}

impl<T: DeserializeOwned> Watch<T> {
    /// The next change.
    ///
    /// # Errors
    /// A server refused the watch, or the directory of sockets is gone. The watch of the others goes on.
    pub async fn next(&mut self) -> Result<WatchEvent<T>, Error> {
        let Some(event) = self.events.recv().await else {
            // Nobody is left, and nobody can come: that was reported.
            return std::future::pending().await;
        };
        let event = event?;
        Ok(WatchEvent {
            change: event.change,
            object: decode(event.object)?,
        })
    }
}

/// An object of a watch as its type.
pub(crate) fn decode<T: DeserializeOwned>(object: Value) -> Result<T, Error> {
    serde_json::from_value(object).map_err(|source| Error::Answer {
        request: "watch".into(),
        source,
    })
}

/// Starts a watch of servers whose lists were read.
pub(crate) fn start<T>(
    query: Query,
    form: Form,
    arrivals: Arrivals,
    listed: Vec<(Server, Page)>,
    server: impl Fn(String) -> Option<Server> + Send + 'static,
) -> Watch<T> {
    let (sender, events) = mpsc::channel(WAITING);
    let follow = Follow {
        query,
        form,
        events: sender,
    };
    Watch {
        events,
        manager: tokio::spawn(manage(follow, arrivals, listed, server)),
        object: std::marker::PhantomData,
    }
}

/// Keeps one task per server.
async fn manage(
    follow: Follow,
    mut arrivals: Arrivals,
    listed: Vec<(Server, Page)>,
    server: impl Fn(String) -> Option<Server>,
) {
    let mut tasks = Tasks {
        follow,
        set: JoinSet::new(),
        running: HashMap::new(),
    };
    for (server, page) in listed {
        tasks.start(server, Some(page));
    }
    let mut listening = true;
    loop {
        let name = tokio::select! {
            Some(ended) = tasks.set.join_next() => match ended {
                Ok((name, mut replaced)) => {
                    tasks.running.remove(&name);
                    if replaced.try_recv().is_err() {
                        continue;
                    }
                    name
                }
                Err(_) => continue,
            },
            arrived = arrivals.next(), if listening => match arrived {
                Ok(name) => name,
                Err(error) => {
                    // Nobody will come any more; those who are there go on.
                    listening = false;
                    let _ = tasks.follow.events.send(Err(error)).await;
                    continue;
                }
            },
            else => return,
        };
        if let Some(replace) = tasks.running.get(&name) {
            // Once is enough, however often.
            let _ = replace.try_send(());
        } else if let Some(server) = server(name) {
            tasks.start(server, None);
        }
    }
}

/// The tasks of a watch.
struct Tasks {
    follow: Follow,
    set: JoinSet<(String, mpsc::Receiver<()>)>,
    /// By the names of their sockets; each may be told that another stands under the name now.
    running: HashMap<String, mpsc::Sender<()>>,
}

impl Tasks {
    fn start(&mut self, server: Server, page: Option<Page>) {
        let (replace, replaced) = mpsc::channel(1);
        self.running.insert(server.name.clone(), replace);
        self.set
            .spawn(self.follow.clone().run(server, page, replaced));
    }
}

/// What the tasks of one watch share.
#[derive(Clone)]
struct Follow {
    query: Query,
    form: Form,
    events: mpsc::Sender<Result<WatchEvent<Value>, Error>>,
}

/// What one server was last known to have.
struct Known {
    objects: BTreeMap<Key, Value>,
    columns: Value,
}

/// One line of a watch.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    type_: String,
    object: Value,
}

impl Follow {
    /// Follows one server until it is gone; returns its name.
    async fn run(
        self,
        server: Server,
        page: Option<Page>,
        mut replaced: mpsc::Receiver<()>,
    ) -> (String, mpsc::Receiver<()>) {
        let mut known = Known {
            objects: BTreeMap::new(),
            columns: Value::Null,
        };
        let mut start = page.map(|page| known.take(page));
        let mut broke = false;
        loop {
            match self
                .once(&server, &mut known, start.take(), &mut replaced)
                .await
            {
                Ok(true) => broke = false,
                Ok(false) => break,
                // The connection broke: the next list says whether the server did, too.
                Err(Error::Http { .. }) => {
                    if broke {
                        tokio::time::sleep(PAUSE).await;
                    }
                    broke = true;
                }
                Err(error) => {
                    let _ = self.events.send(Err(error)).await;
                    break;
                }
            }
        }
        for object in std::mem::take(&mut known.objects).into_values() {
            self.send(Change::Deleted, object, &known.columns).await;
        }
        (server.name, replaced)
    }

    /// One list, unless `from` is the version of one, and one watch. Returns whether the server is still there.
    async fn once(
        &self,
        server: &Server,
        known: &mut Known,
        from: Option<String>,
        replaced: &mut mpsc::Receiver<()>,
    ) -> Result<bool, Error> {
        let from = match from {
            Some(from) => from,
            None => match server.list(&self.query, self.form).await? {
                Some(page) => self.compare(known, page).await,
                None => return Ok(false),
            },
        };
        let uri = self.query.watch_uri(self.form, &from);
        let Some(mut stream) = server.call(uri, self.form.accept()).await? else {
            return Ok(false);
        };
        let mut buffer = Vec::new();
        let mut silent = true;
        loop {
            let chunk = tokio::select! {
                chunk = stream.chunk() => chunk?,
                // The next list is that of the new owner.
                Some(()) = replaced.recv() => return Ok(true),
            };
            let Some(chunk) = chunk else { break };
            silent = false;
            buffer.extend_from_slice(&chunk);
            let mut start = 0;
            while let Some(length) = buffer[start..].iter().position(|byte| *byte == b'\n') {
                let line = &buffer[start..start + length];
                start += length + 1;
                if line.is_empty() {
                    continue;
                }
                let line =
                    serde_json::from_slice(line).map_err(|source| stream.not_understood(source))?;
                if !self.take(known, line).await? {
                    return Ok(true);
                }
            }
            buffer.drain(..start);
        }
        if silent {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(true)
    }

    /// Takes one line; returns whether the watch goes on.
    async fn take(&self, known: &mut Known, line: Line) -> Result<bool, Error> {
        let change = match line.type_.as_str() {
            "ADDED" => Change::Added,
            "MODIFIED" => Change::Modified,
            "DELETED" => Change::Deleted,
            "ERROR" => {
                let status: Status = decode(line.object)?;
                // Too old: what was missed is in the next list.
                return if status.code == 410 {
                    Ok(false)
                } else {
                    Err(Error::Status(Box::new(status)))
                };
            }
            _ => return Ok(true),
        };
        for item in self.items_of(line.object) {
            let key = Key::of(&item);
            if change == Change::Deleted {
                known.objects.remove(&key);
            } else {
                known.objects.insert(key, item.clone());
            }
            self.send(change, item, &known.columns).await;
        }
        Ok(true)
    }

    /// The object of an event, or the rows of its Table.
    fn items_of(&self, mut object: Value) -> Vec<Value> {
        match self.form {
            Form::Objects => vec![object],
            Form::Table { .. } => match object.get_mut("rows").map(Value::take) {
                Some(Value::Array(rows)) => rows,
                _ => Vec::new(),
            },
        }
    }

    /// Reports what a list has that was not known, and the other way round; returns the list's version.
    async fn compare(&self, known: &mut Known, page: Page) -> String {
        let before = std::mem::take(&mut known.objects);
        let version = known.take(page);
        for (key, old) in &before {
            let replaced = known.objects.get(key).map(merge::uid) != Some(merge::uid(old));
            if replaced {
                self.send(Change::Deleted, old.clone(), &known.columns)
                    .await;
            }
        }
        for (key, new) in &known.objects {
            let change = match before.get(key) {
                Some(old) if merge::uid(old) == merge::uid(new) => {
                    if merge::resource_version(old) == merge::resource_version(new) {
                        continue;
                    }
                    Change::Modified
                }
                _ => Change::Added,
            };
            self.send(change, new.clone(), &known.columns).await;
        }
        version
    }

    async fn send(&self, change: Change, item: Value, columns: &Value) {
        let object = match self.form {
            Form::Objects => item,
            Form::Table { .. } => merge::as_table(columns, vec![item]),
        };
        // Nobody reads any more: the manager is about to be ended.
        let _ = self.events.send(Ok(WatchEvent { change, object })).await;
    }
}

impl Known {
    /// Knows a list; returns its version.
    fn take(&mut self, page: Page) -> String {
        let version = page.resource_version().to_owned();
        if page.columns().is_array() {
            self.columns = page.columns().clone();
        }
        self.objects = page
            .items
            .into_iter()
            .map(|item| (Key::of(&item), item))
            .collect();
        version
    }
}
