//! `pillion run --detach`: Pods that go on in the background, created or changed as apply would.

use std::time::Duration;

use client::{Client, DeleteOptions, PodName, Query};
use control::Change;
use manifest::Loaded;
use manifest::core::v1::Pod;
use node::detached::{self, Difference, Holder, References, Starting};
use node::objects::Objects;
use node::paths::Paths;
use node::state::ClaimError;
use node::{Publish, PullPolicyOverride};

use super::run::put_objects;
use super::{Failure, recover};
use crate::cli::{Pull, RunArgs};
use crate::exit::{self, Exit};
use crate::term::{Term, causes};

/// Creates, changes or replaces each Pod, and says which.
pub(super) async fn run(
    args: &RunArgs,
    paths: &Paths,
    loaded: &Loaded,
    pods: Vec<Pod>,
    ports: &[Publish],
    term: &Term,
) -> Result<Exit, Failure> {
    let objects = Objects::default();
    put_objects(&objects, loaded);
    let mut wanted = Vec::new();
    for pod in pods {
        let references = References::of(&pod, &objects);
        let published = ports
            .iter()
            .filter(|port| Some(&port.pod) == pod.metadata.name.as_ref());
        let request = detached::Request {
            publish: published.cloned().collect(),
            pull: args.pull.map(|pull| match pull {
                Pull::Always => PullPolicyOverride::Always,
                Pull::Missing => PullPolicyOverride::IfNotPresent,
                Pull::Never => PullPolicyOverride::Never,
            }),
            manifest: pod,
        };
        wanted.push(decide(paths, request, references)?);
    }
    let client = Client::new(&paths.run);
    let mut done = Vec::new();
    for wanted in wanted {
        done.push(wanted.carried_out(paths, &client, term).await);
    }
    let mut exit = exit::SUCCESS;
    for result in done {
        // All have been started by now; here they say how that went.
        match result.and_then(Done::finished) {
            Ok(line) => term.result(&format!("{line}\n")),
            Err(error) => {
                term.error(&error);
                exit = exit::FAILURE;
            }
        }
    }
    Ok(exit)
}

/// How often a step is begun anew because another command was quicker.
const RACES: u32 = 50;
const BETWEEN_RACES: Duration = Duration::from_millis(50);

/// A Pod and what is to be done about it.
struct Wanted {
    name: PodName,
    request: detached::Request,
    references: References,
    step: Step,
}

enum Step {
    Create,
    Leave,
    Change,
    Replace,
}

/// Compares with what is there; nothing is touched yet.
fn decide(
    paths: &Paths,
    request: detached::Request,
    references: References,
) -> Result<Wanted, Failure> {
    let metadata = &request.manifest.metadata;
    let name = PodName::new(
        metadata.namespace.as_deref().unwrap_or("default"),
        metadata.name.as_deref().unwrap_or_default(),
    );
    let step = match detached::holder(paths, &name.namespace, &name.name) {
        Holder::Nobody => Step::Create,
        Holder::Foreground => {
            return Err(Failure::text(format!(
                "pods \"{}\" already exists: it runs in the foreground of another terminal (hint: end it there, or with \
                 `pillion delete pod {}`)",
                name.name, name.name
            )));
        }
        Holder::Detached(record) => {
            let known = record
                .request()
                .and_then(|request| Ok((request, record.references()?, record.pod()?)));
            match known {
                Ok((known, known_references, pod))
                    if pod.metadata.deletion_timestamp.is_none() && record.is_served(paths) =>
                {
                    match Difference::between((&known, &known_references), (&request, &references))
                    {
                        Difference::None => Step::Leave,
                        Difference::InPlace => Step::Change,
                        Difference::Replace => Step::Replace,
                    }
                }
                // It is on its way out, or its record is damaged and nobody can run it.
                _ => Step::Replace,
            }
        }
    };
    Ok(Wanted {
        name,
        request,
        references,
        step,
    })
}

impl Wanted {
    /// Does it; where another command was quicker, looks again at what is to be done.
    async fn carried_out(
        self,
        paths: &Paths,
        client: &Client,
        term: &Term,
    ) -> Result<Done, Failure> {
        let (request, references) = (self.request.clone(), self.references.clone());
        let mut wanted = self;
        for _ in 0..RACES {
            match wanted.act(paths, client).await {
                Ok(done) => return Ok(done),
                Err(Lost::Race) => {}
                Err(Lost::Failed(failure)) => return Err(failure),
            }
            tokio::time::sleep(BETWEEN_RACES).await;
            recover(paths, term)?;
            wanted = decide(paths, request.clone(), references.clone())?;
        }
        Err(Failure::text(format!(
            "start pod/{}: other commands change it all the time",
            wanted.name.name
        )))
    }

    async fn act(self, paths: &Paths, client: &Client) -> Result<Done, Lost> {
        let name = &self.name.name;
        let failed = |what: &str, error: client::Error| {
            if error.is_not_found() {
                return Lost::Race;
            }
            Lost::Failed(Failure::new(format!("{what} pod/{name}"), error))
        };
        match self.step {
            Step::Leave => Ok(Done::said(name, "unchanged")),
            Step::Create => self.create(paths, "created"),
            Step::Change => {
                let change = Change {
                    request: self.request.clone(),
                    references: self.references.clone(),
                };
                client
                    .change(&self.name, &change)
                    .await
                    .map_err(|error| failed("change", error))?;
                Ok(Done::said(name, "configured"))
            }
            Step::Replace => {
                match remove(client, &self.name).await {
                    Ok(()) => {}
                    // Nobody runs it: then there is a record at most.
                    Err(error) if error.is_not_found() => {
                        let PodName { namespace, name } = &self.name;
                        detached::discard(paths, namespace, name)
                            .map_err(|error| Failure::new(format!("replace pod/{name}"), error))?;
                    }
                    Err(error) => return Err(failed("end", error)),
                }
                self.create(paths, "recreated")
            }
        }
    }

    fn create(&self, paths: &Paths, verb: &'static str) -> Result<Done, Lost> {
        let PodName { namespace, name } = &self.name;
        let failed = format!("start pod/{name}");
        let created = detached::create(paths, &self.request, &self.references);
        let (uid, ownership) = match created {
            Err(ClaimError::Taken { .. }) => return Err(Lost::Race),
            other => other.map_err(|error| Failure::new(failed.clone(), error))?,
        };
        let starting = Starting::begin(paths, &uid, &format!("{namespace}/{name}"), ownership)
            .map_err(|error| Failure::new(failed, error))?;
        Ok(Done {
            name: name.clone(),
            verb,
            starting: Some(starting),
        })
    }
}

/// Why something was not done.
enum Lost {
    /// Another command changed the Pod meanwhile.
    Race,
    /// It cannot be done.
    Failed(Failure),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Ends a Pod gracefully and waits until it is gone.
async fn remove(client: &Client, name: &PodName) -> Result<(), client::Error> {
    let query = Query::pod(name);
    let (_, mut watch) = client.watch::<Pod>(&query).await?;
    client.delete(name, &DeleteOptions::default()).await?;
    loop {
        match watch.next().await {
            Ok(event) if event.change == client::Change::Deleted => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What was done about a Pod.
struct Done {
    name: String,
    verb: &'static str,
    starting: Option<Starting>,
}

impl Done {
    fn said(name: &str, verb: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            verb,
            starting: None,
        }
    }

    /// Waits for the Pod's supervisor, and says what was done.
    fn finished(self) -> Result<String, Failure> {
        let Self {
            name,
            verb,
            starting,
        } = self;
        if let Some(starting) = starting {
            starting
                .ready()
                .map_err(|error| Failure::text(format!("start pod/{name}: {}", causes(&error))))?;
        }
        Ok(format!("pod/{name} {verb}"))
    }
}
