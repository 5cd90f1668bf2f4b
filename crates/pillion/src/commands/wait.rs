//! `pillion wait`: until Pods are what they should be.

use std::process::ExitCode;

use client::{Client, PodName, Query};
use node::paths::Paths;
use printers::wait::Condition;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::kube::select::{self, NotSelected, Selected};
use super::kube::until::{self, Deadline};
use super::{Failure, bad_input, kube};
use crate::cli::{Global, Timeout, WaitArgs};
use crate::term::Term;

pub(crate) fn run(args: &WaitArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let conditions = args
        .conditions
        .iter()
        .map(|condition| Condition::parse(condition))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::saying)?;
    let selected = match select::select(&args.selection, term) {
        Ok(selected) => selected,
        Err(NotSelected::BadInput) => return Ok(bad_input()),
        Err(NotSelected::Failed(failure)) => return Err(failure),
    };
    let client = kube::client(global);
    kube::block_on(async {
        let deadline = match args.timeout {
            Timeout::Never => Deadline::Never,
            Timeout::Within(time) if time.is_zero() => Deadline::Now,
            Timeout::Within(time) => Deadline::At(Instant::now() + time),
        };
        let wait = Wait {
            conditions,
            term,
            client,
            paths: Paths::new(global.root.as_deref()),
            deadline,
        };
        wait.run(selected).await
    })
}

/// What `wait` is to do.
struct Wait<'a> {
    conditions: Vec<Condition>,
    term: &'a Term,
    client: Client,
    paths: Paths,
    deadline: Deadline,
}

impl Wait<'_> {
    async fn run(&self, selected: Selected) -> Result<ExitCode, Failure> {
        if self.has(|condition| matches!(condition, Condition::Create)) {
            self.until_there(&selected).await?;
        }
        let pods = selected.pods(&self.client).await?;
        let mut failed = kube::report(pods.failures, self.term);
        let deleting = self.has(|condition| matches!(condition, Condition::Delete));
        if pods.found.is_empty() && !deleting {
            return Err(Failure::text("no matching resources found".into()));
        }
        let mut errors = Vec::new();
        for pod in &pods.found {
            errors.extend(self.one(pod, deleting).await.err());
        }
        failed |= kube::report(errors, self.term);
        Ok(kube::exit_code(failed))
    }

    fn has(&self, kind: impl Fn(&Condition) -> bool) -> bool {
        self.conditions.iter().any(kind)
    }

    /// All conditions of one Pod, one after the other.
    async fn one(&self, pod: &PodName, deleting: bool) -> Result<(), Failure> {
        if deleting {
            // A Pod that does not exist is nothing to wait for, and nothing to tell of.
            match self.client.get::<Value>(client::Resource::Pods, pod).await {
                Err(error) if error.is_not_found() => return Ok(()),
                other => other?,
            };
        }
        for condition in &self.conditions {
            until::met(
                &self.client,
                pod,
                condition,
                None,
                self.deadline,
                (&self.paths, self.term),
            )
            .await?;
            self.term
                .result(&format!("pod/{} condition met\n", pod.name));
        }
        Ok(())
    }

    /// Until all that were named are there, or one that is selected.
    async fn until_there(&self, selected: &Selected) -> Result<(), Failure> {
        let queries = match selected {
            Selected::Named(pods) => pods.iter().map(Query::pod).collect(),
            Selected::Listed(query) => vec![query.clone()],
        };
        for query in queries {
            let (listed, mut watch) = self.client.watch::<Value>(&query).await?;
            if !listed.found.is_empty() {
                continue;
            }
            let next = match self.deadline {
                Deadline::Now => None,
                Deadline::At(deadline) => timeout_at(deadline, watch.next()).await.ok(),
                Deadline::Never => Some(watch.next().await),
            };
            match next {
                Some(added) => added?,
                None => {
                    return Err(Failure::text("timed out waiting for the condition".into()));
                }
            };
        }
        Ok(())
    }
}
