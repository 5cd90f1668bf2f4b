//! What can be asked of running programs.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use manifest::meta::status::Status;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::http::{ByteStream, Call, RequestBody};
use crate::log::LogOptions;
use crate::merge::{self, Listed, Page};
use crate::query::{Form, Parameters, PodName, Query, Resource};
use crate::sockets::{Directory, link_name};
use crate::watch::{self, Watch};

/// Servers that are asked at the same time.
const AT_ONCE: usize = 256;
/// How often a server that broke off is looked at before it counts as one that is there.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// How often something is asked of a server that breaks off and is still there: its program has begun anew.
const TRIES: u32 = 4;
/// For answers that take a running program no time.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// To learn which process a socket is of; the kernel answers, unless too many wait there already.
const PROCESS_WITHIN: Duration = Duration::from_secs(1);

/// All running programs of one root.
#[derive(Clone, Debug)]
pub struct Client {
    run: PathBuf,
}

/// How a Pod is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds it has to end, instead of its own; 0 with force: it is gone at once.
    pub grace_period_seconds: Option<i64>,
    /// Only if it is still this one.
    pub uid: Option<String>,
}

/// The body of a DELETE request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteBody {
    api_version: &'static str,
    kind: &'static str,
    propagation_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_period_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preconditions: Option<Preconditions>,
}

#[derive(Serialize)]
struct Preconditions {
    uid: String,
}

impl Client {
    /// The programs whose sockets are in `run` (`/run/pillion`). Nothing is opened yet.
    pub fn new(run: impl Into<PathBuf>) -> Self {
        Self { run: run.into() }
    }

    /// The names of the sockets, dead ones too.
    ///
    /// # Errors
    /// The directory may not be read.
    pub fn servers(&self) -> Result<Vec<String>, Error> {
        self.sockets().sockets()
    }

    /// All objects that are asked for.
    ///
    /// # Errors
    /// The request is refused, or the directory of sockets may not be read. Servers that do not answer are told in the result.
    pub async fn list<T: DeserializeOwned>(&self, query: &Query) -> Result<Listed<Vec<T>>, Error> {
        let (pages, failures) = self.pages(query, Form::Objects).await?;
        objects(pages, failures)
    }

    /// All objects that are asked for, as rows of a `meta.k8s.io/v1` Table. Each row has the metadata of its object,
    /// or, with `whole`, all of it.
    ///
    /// # Errors
    /// As of [`Client::list`].
    pub async fn table<T: DeserializeOwned>(
        &self,
        query: &Query,
        whole: bool,
    ) -> Result<Listed<T>, Error> {
        let (pages, failures) = self.pages(query, Form::Table { objects: whole }).await?;
        table(pages, failures)
    }

    /// All objects that are asked for, and then each change.
    ///
    /// # Errors
    /// As of [`Client::list`].
    pub async fn watch<T: DeserializeOwned>(
        &self,
        query: &Query,
    ) -> Result<(Listed<Vec<T>>, Watch<T>), Error> {
        let (pages, failures, watch) = self.watched(query, Form::Objects).await?;
        Ok((objects(pages, failures)?, watch))
    }

    /// The same as Tables: first all rows, then a Table with the row of each change.
    ///
    /// # Errors
    /// As of [`Client::list`].
    pub async fn watch_table<T: DeserializeOwned>(
        &self,
        query: &Query,
        whole: bool,
    ) -> Result<(Listed<T>, Watch<T>), Error> {
        let form = Form::Table { objects: whole };
        let (pages, failures, watch) = self.watched(query, form).await?;
        Ok((table(pages, failures)?, watch))
    }

    /// One Pod, or what is kept under its name in another resource.
    ///
    /// # Errors
    /// There is no such Pod ([`Error::is_not_found`]), or its owner refuses.
    pub async fn get<T: DeserializeOwned>(
        &self,
        resource: Resource,
        pod: &PodName,
    ) -> Result<T, Error> {
        self.answer(pod, Call::get(pod.path(resource, ""))).await
    }

    /// One Pod, as a Table with its row.
    ///
    /// # Errors
    /// As of [`Client::get`].
    pub async fn get_table<T: DeserializeOwned>(
        &self,
        pod: &PodName,
        whole: bool,
    ) -> Result<T, Error> {
        let form = Form::Table { objects: whole };
        let mut parameters = Parameters::of(pod.path(Resource::Pods, ""));
        form.add_to(&mut parameters);
        let call = Call {
            accept: form.accept(),
            ..Call::get(parameters.uri())
        };
        self.answer(pod, call).await
    }

    /// Asks for the end of a Pod; returns it as it then is. It is gone when a watch says so.
    ///
    /// # Errors
    /// As of [`Client::get`], and a conflict where it is no longer the one of [`DeleteOptions::uid`].
    pub async fn delete(&self, pod: &PodName, options: &DeleteOptions) -> Result<Value, Error> {
        let body = DeleteBody {
            api_version: "v1",
            kind: "DeleteOptions",
            propagation_policy: "Background",
            grace_period_seconds: options.grace_period_seconds,
            preconditions: options.uid.clone().map(|uid| Preconditions { uid }),
        };
        let uri = pod.path(Resource::Pods, "");
        let body = serde_json::to_vec(&body).map_err(|source| Error::Answer {
            request: format!("DELETE {uri}"),
            source,
        })?;
        let call = Call {
            method: Method::DELETE,
            body: RequestBody::Json(body.into()),
            ..Call::get(uri)
        };
        self.answer(pod, call).await
    }

    /// Tells the owner of a detached Pod what it is to be from now on.
    ///
    /// # Errors
    /// As of [`Client::get`].
    pub async fn change(&self, pod: &PodName, change: &impl Serialize) -> Result<(), Error> {
        let uri = pod.extension("/request");
        let body = serde_json::to_vec(change).map_err(|source| Error::Answer {
            request: format!("PUT {uri}"),
            source,
        })?;
        let call = Call {
            method: Method::PUT,
            body: RequestBody::Json(body.into()),
            ..Call::get(uri)
        };
        self.answer::<Value>(pod, call).await.map(drop)
    }

    /// A container's log.
    ///
    /// # Errors
    /// As of [`Client::get`]; a container that has no log yet.
    pub async fn log(&self, pod: &PodName, options: &LogOptions) -> Result<ByteStream, Error> {
        let call = Call {
            accept: "*/*",
            ..Call::get(options.uri(pod))
        };
        self.stream(pod, call).await
    }

    /// What happened to a Pod since it was created.
    ///
    /// # Errors
    /// As of [`Client::get`].
    pub async fn timeline<T: DeserializeOwned>(&self, pod: &PodName) -> Result<T, Error> {
        self.answer(pod, Call::get(pod.extension("/timeline")))
            .await
    }

    /// What a Pod waits for; with `after`, as soon as its `resourceVersion` is greater than that, which may take for ever.
    ///
    /// # Errors
    /// As of [`Client::get`].
    pub async fn waits<T: DeserializeOwned>(
        &self,
        pod: &PodName,
        after: Option<&str>,
    ) -> Result<T, Error> {
        let mut uri = Parameters::of(pod.extension("/waits"));
        uri.add_some("newerThan", after);
        let call = Call::get(uri.uri());
        match after {
            None => self.answer(pod, call).await,
            Some(_) => self.stream(pod, call).await?.json().await,
        }
    }

    /// A file or folder of a container, as a tar stream.
    ///
    /// # Errors
    /// As of [`Client::get`]; there is no such container or path.
    pub async fn get_archive(
        &self,
        pod: &PodName,
        container: Option<&str>,
        path: &str,
    ) -> Result<ByteStream, Error> {
        let call = Call {
            accept: "*/*",
            ..Call::get(archive_uri(pod, container, path))
        };
        self.stream(pod, call).await
    }

    /// Unpacks a tar stream into a folder of a container. An error in `content` breaks the request off. The message of what is
    /// returned says what was left out, a line each.
    ///
    /// # Errors
    /// As of [`Client::get`]; there is no such container or path, or it cannot be written.
    pub async fn put_archive(
        &self,
        pod: &PodName,
        container: Option<&str>,
        path: &str,
        content: mpsc::Receiver<io::Result<Bytes>>,
    ) -> Result<Status, Error> {
        let call = Call {
            method: Method::PUT,
            body: RequestBody::Stream(content),
            ..Call::get(archive_uri(pod, container, path))
        };
        self.stream(pod, call).await?.json().await
    }

    /// A connection to the owner of a Pod, for streams: the request is yet to be sent.
    ///
    /// # Errors
    /// As of [`Client::get`].
    pub async fn connect(&self, pod: &PodName) -> Result<UnixStream, Error> {
        let stream = self.links().connect(&link_name(pod)).await?;
        stream.ok_or_else(|| Error::not_found("pods", &pod.name))
    }

    async fn answer<T: DeserializeOwned>(&self, pod: &PodName, mut call: Call) -> Result<T, Error> {
        let server = self.owner(pod);
        let mut left = TRIES;
        loop {
            left -= 1;
            let again = call.again().filter(|_| left > 0);
            let answer = async { self.stream(pod, call).await?.json().await };
            match (server.in_time(answer).await, again) {
                // Its owner's program has begun anew meanwhile.
                (Err(Error::Http { .. }), Some(again)) => call = again,
                (other, _) => return other,
            }
        }
    }

    async fn stream(&self, pod: &PodName, call: Call) -> Result<ByteStream, Error> {
        let stream = self.connect(pod).await?;
        match call.send(stream).await {
            // It went while it was asked.
            Err(Error::Http { .. }) if self.owner(pod).goes().await => {
                Err(Error::not_found("pods", &pod.name))
            }
            other => other,
        }
    }

    fn owner(&self, pod: &PodName) -> Server {
        Server {
            directory: self.links(),
            name: link_name(pod),
        }
    }

    fn sockets(&self) -> Directory {
        Directory {
            path: self.run.clone(),
        }
    }

    fn links(&self) -> Directory {
        Directory {
            path: self.run.join("pods"),
        }
    }

    /// The servers that a query is for.
    fn servers_of(&self, query: &Query) -> Result<Vec<Server>, Error> {
        if let Some(pod) = &query.pod {
            return Ok(vec![self.owner(pod)]);
        }
        let directory = self.sockets();
        let names = directory.sockets()?;
        Ok(names
            .into_iter()
            .map(|name| Server {
                directory: directory.clone(),
                name,
            })
            .collect())
    }

    async fn pages(
        &self,
        query: &Query,
        form: Form,
    ) -> Result<(Vec<(Server, Page)>, Vec<Error>), Error> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let query = Arc::new(query.clone());
        let mut tasks = JoinSet::new();
        for server in self.servers_of(&query)? {
            let (places, query) = (Arc::clone(&places), Arc::clone(&query));
            tasks.spawn(async move {
                // The semaphore is never closed, so there is always a place in the end.
                let _place = places.acquire().await;
                let page = server.list(&query, form).await;
                (server, page)
            });
        }
        let (mut pages, mut failures) = (Vec::new(), Vec::new());
        while let Some(done) = tasks.join_next().await {
            let Ok((server, page)) = done else { continue };
            match page {
                Ok(Some(page)) => pages.push((server, page)),
                Ok(None) => {}
                // What one server refuses, all refuse.
                Err(error @ Error::Status(_)) => return Err(error),
                Err(error) => failures.push(error),
            }
        }
        Ok((pages, failures))
    }

    async fn watched<T>(
        &self,
        query: &Query,
        form: Form,
    ) -> Result<(Vec<(Server, Page)>, Vec<Error>, Watch<T>), Error> {
        let directory = match query.pod {
            Some(_) => self.links(),
            None => self.sockets(),
        };
        // Before the list, so that no server comes unseen.
        let arrivals = Arrivals::of(directory.clone())?;
        let (pages, failures) = self.pages(query, form).await?;
        let wanted = query.pod.as_ref().map(link_name);
        let server = move |name: String| {
            wanted
                .as_ref()
                .is_none_or(|wanted| *wanted == name)
                .then(|| Server {
                    directory: directory.clone(),
                    name,
                })
        };
        let copy = pages.clone();
        let watch = watch::start(query.clone(), form, arrivals, copy, server);
        Ok((pages, failures, watch))
    }
}

fn objects<T: DeserializeOwned>(
    pages: Vec<(Server, Page)>,
    failures: Vec<Error>,
) -> Result<Listed<Vec<T>>, Error> {
    let pages = pages.into_iter().map(|(_, page)| page).collect();
    let found = merge::items(pages)
        .into_iter()
        .map(watch::decode)
        .collect::<Result<_, _>>()?;
    Ok(Listed { found, failures })
}

fn table<T: DeserializeOwned>(
    pages: Vec<(Server, Page)>,
    failures: Vec<Error>,
) -> Result<Listed<T>, Error> {
    let pages = pages.into_iter().map(|(_, page)| page).collect();
    let found = watch::decode(merge::table(pages))?;
    Ok(Listed { found, failures })
}

fn archive_uri(pod: &PodName, container: Option<&str>, path: &str) -> String {
    let mut parameters = Parameters::of(pod.extension("/archive"));
    parameters.add_some("container", container);
    parameters.add("path", path);
    parameters.uri()
}

/// One socket, by the name it has in its directory.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    directory: Directory,
    pub(crate) name: String,
}

impl Server {
    /// `None`: there is nobody.
    pub(crate) async fn connect(&self) -> Result<Option<UnixStream>, Error> {
        self.directory.connect(&self.name).await
    }

    /// Whether it is gone, or is on its way: a process that dies lets go of its connections before it does of its socket.
    async fn goes(&self) -> bool {
        for _ in 0..LOOKS {
            if matches!(self.connect().await, Ok(None)) {
                return true;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        false
    }

    /// The process that listens; the kernel knows it also where that process does nothing.
    async fn process(&self) -> Option<i32> {
        let connected = tokio::time::timeout(PROCESS_WITHIN, self.connect()).await;
        let stream = connected.ok()?.ok()??;
        stream.peer_cred().ok()?.pid()
    }

    /// What it has of what is asked for. `None`: there is nobody.
    pub(crate) async fn list(&self, query: &Query, form: Form) -> Result<Option<Page>, Error> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let answer = async {
                match self.call(query.list_uri(form), form.accept()).await? {
                    Some(stream) => stream.json().await.map(Some),
                    None => Ok(None),
                }
            };
            match self.in_time(answer).await {
                Err(Error::Http { .. }) if self.goes().await => return Ok(None),
                Err(Error::Http { .. }) if left > 0 => {}
                other => return other,
            }
        }
    }

    /// A GET request. `None`: there is nobody.
    pub(crate) async fn call(
        &self,
        uri: String,
        accept: &'static str,
    ) -> Result<Option<ByteStream>, Error> {
        let Some(stream) = self.connect().await? else {
            return Ok(None);
        };
        let call = Call {
            accept,
            ..Call::get(uri)
        };
        call.send(stream).await.map(Some)
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Silent {
                path: self.directory.path.join(&self.name),
                pid: self.process().await,
                within: ANSWER_WITHIN,
            }),
        }
    }
}
