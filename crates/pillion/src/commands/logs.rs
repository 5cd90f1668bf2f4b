//! `pillion logs`: what containers wrote, and what they write.

mod follow;
mod lines;

use std::process::ExitCode;

use client::{ByteStream, Client, Error, LogOptions, PodName, Query, Resource};
use manifest::core::v1::Pod;

use self::lines::Lines;
use super::Failure;
use super::kube::{self, containers, waits};
use crate::cli::{Global, LogsArgs};
use crate::exit;
use crate::term::Term;

/// Lines of each container where a selector may select many.
const TAIL_OF_SELECTED: i64 = 10;

pub(crate) fn run(args: &LogsArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let logs = Logs {
        args,
        term: *term,
        client: kube::client(global),
    };
    kube::stream(logs.run())?;
    Ok(exit::SUCCESS.into())
}

/// What `logs` is to do.
struct Logs<'a> {
    args: &'a LogsArgs,
    term: Term,
    client: Client,
}

/// One log.
#[derive(Clone, Debug)]
struct Source {
    pod: PodName,
    options: LogOptions,
    /// What stands before its lines.
    prefix: String,
}

impl Logs<'_> {
    async fn run(&self) -> Result<(), Failure> {
        let named = self.named()?;
        let pods = self.pods().await?;
        let mut sources = Vec::new();
        for pod in &pods {
            self.add(pod, named, &mut sources)?;
        }
        if !self.args.follow || sources.len() < 2 {
            for source in sources {
                self.copy(&source).await?;
            }
            return Ok(());
        }
        if sources.len() > self.args.max_log_requests {
            return Err(Failure::text(format!(
                "you are attempting to follow {} log streams, but maximum allowed concurrency is {}, use --max-log-requests \
                 to increase the limit",
                sources.len(),
                self.args.max_log_requests
            )));
        }
        follow::all(self, sources).await
    }

    /// The container that was named.
    fn named(&self) -> Result<Option<&str>, Failure> {
        let inline = self.args.pod.get(1).map(String::as_str);
        let named = self.args.container.as_deref();
        let wrong = match (inline.or(named), inline.is_some() && named.is_some()) {
            (_, true) => "only one of -c or an inline [CONTAINER] arg is allowed".to_owned(),
            (Some(name), _) if self.args.all_containers => {
                format!("--all-containers=true should not be specified with container name {name}")
            }
            (name, _) => return Ok(name),
        };
        Err(Failure::text(wrong))
    }

    async fn pods(&self) -> Result<Vec<Pod>, Failure> {
        let namespace = self.args.namespace.name();
        if let Some(argument) = self.args.pod.first() {
            let name = kube::pod_name(argument, namespace)?;
            return match self.client.get(Resource::Pods, &name).await {
                Ok(pod) => Ok(vec![pod]),
                Err(error) if error.is_not_found() => Err(Failure::text(format!(
                    "error from server (NotFound): {error} in namespace {namespace:?}"
                ))),
                Err(error) => Err(error.into()),
            };
        }
        let selector = self.args.selector.as_deref().unwrap_or_default();
        let query = Query::new(Resource::Pods)
            .namespace(namespace)
            .labels(selector);
        let listed = self.client.list(&query).await?;
        kube::report(listed.failures, &self.term);
        if listed.found.is_empty() {
            self.term
                .remark(&format!("No resources found in {namespace} namespace.\n"));
        }
        Ok(listed.found)
    }

    /// The logs of a Pod that are wanted.
    fn add(&self, pod: &Pod, named: Option<&str>, to: &mut Vec<Source>) -> Result<(), Failure> {
        if self.args.all_containers {
            let spec = &pod.spec;
            let all = spec.init_containers.iter().chain(&spec.containers);
            to.extend(all.map(|container| self.source(pod, &container.name)));
            return Ok(());
        }
        let mut named = named;
        if named.is_none()
            && let Some(unknown) = containers::unknown_default(pod)
        {
            self.term.remark(&format!(
                "Default container name {unknown:?} not found in pod {}\n",
                pod.metadata.name.as_deref().unwrap_or_default()
            ));
            named = containers::names(pod).next();
        }
        let name = containers::choose(pod, named, self.args.all_pods, &self.term)?;
        to.push(self.source(pod, &name));
        Ok(())
    }

    fn source(&self, pod: &Pod, container: &str) -> Source {
        let args = self.args;
        let tail = args.tail.filter(|tail| *tail != -1);
        let few = (args.tail.is_none() && args.selector.is_some()).then_some(TAIL_OF_SELECTED);
        // In whole seconds, rather too many than none.
        let since = args
            .since
            .map(|since| since.as_secs() + u64::from(since.subsec_nanos() > 0));
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let prefix = match args.prefix || args.all_pods {
            true => format!("[pod/{name}/{container}] "),
            false => String::new(),
        };
        Source {
            pod: PodName::new(args.namespace.name(), name),
            options: LogOptions {
                container: Some(container.to_owned()),
                follow: args.follow,
                previous: args.previous,
                since_seconds: since.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
                since_time: args.since_time.map(|time| time.to_string()),
                timestamps: args.timestamps,
                tail_lines: tail.or(few),
                limit_bytes: args.limit_bytes,
            },
            prefix,
        }
    }

    /// One log, straight to standard output.
    async fn copy(&self, source: &Source) -> Result<(), Failure> {
        let copied = async {
            let mut log = self.open(source).await?;
            let mut lines = Lines::new(&source.prefix);
            while let Some(chunk) = log.chunk().await? {
                if source.prefix.is_empty() {
                    self.write(&chunk)?;
                } else {
                    self.write(&lines.push(&chunk))?;
                }
            }
            self.write(&lines.end())
        };
        self.tolerate(copied.await)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.term.write(bytes).map_err(Failure::output)
    }

    async fn open(&self, source: &Source) -> Result<ByteStream, Failure> {
        if self.args.follow {
            follow::open(
                &self.client,
                source,
                self.args.pod_running_timeout,
                &self.term,
            )
            .await
        } else {
            let opened = self.client.log(&source.pod, &source.options).await;
            match opened {
                Err(error) if is_waiting(&error) => {
                    let container = source.options.container.as_deref();
                    let waits = waits::of(&self.client, &source.pod, container).await;
                    Err(Failure::from(error).explained(waits))
                }
                opened => Ok(opened?),
            }
        }
    }

    /// With `--ignore-errors`, what goes wrong is told, and is no error.
    fn tolerate(&self, done: Result<(), Failure>) -> Result<(), Failure> {
        match done {
            Err(failure) if self.args.ignore_errors && !failure.is_silent() => {
                self.term.remark(&format!("error: {failure}\n"));
                Ok(())
            }
            other => other,
        }
    }
}

/// Whether a container is still to start.
fn is_waiting(error: &Error) -> bool {
    error.status().is_some_and(|status| status.code == 400)
}
