//! `pillion describe`: all about Pods, for people.

use std::process::ExitCode;

use client::{Client, Error, PodName, Query, Resource};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lifecycle::PodWaits;
use manifest::core::v1::{Event, Pod};
use printers::describe::{self, Context};

use super::kube::targets::{self, Kind, Target};
use super::{Failure, kube};
use crate::cli::{DescribeArgs, Global};
use crate::term::Term;

pub(crate) fn run(args: &DescribeArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let targets = targets::parse(&args.resources)?;
    if targets.iter().any(|target| target.kind() != Kind::Pods) {
        return Err(Failure::text(
            "only Pods can be described (hint: `pillion events` and `pillion get events -o yaml` tell of events)".into(),
        ));
    }
    let names: Vec<&str> = targets
        .iter()
        .filter_map(|target| match target {
            Target::One(_, name) => Some(name.as_str()),
            Target::All(_) => None,
        })
        .collect();
    if !names.is_empty() && args.selector.is_some() {
        return Err(Failure::text(
            "name cannot be provided when a selector is specified".into(),
        ));
    }
    if !names.is_empty() && args.scope.all_namespaces {
        return Err(Failure::text(
            "a resource cannot be retrieved by name across all namespaces".into(),
        ));
    }
    let describe = Describe {
        args,
        term,
        client: kube::client(global),
    };
    kube::block_on(describe.run(&names))
}

/// What `describe` is to do.
struct Describe<'a> {
    args: &'a DescribeArgs,
    term: &'a Term,
    client: Client,
}

impl Describe<'_> {
    async fn run(&self, names: &[&str]) -> Result<ExitCode, Failure> {
        let mut errors = Vec::new();
        let mut pods = Vec::new();
        for name in names {
            let pod = PodName::new(self.args.scope.namespace.name(), *name);
            match self.client.get::<Pod>(Resource::Pods, &pod).await {
                Ok(pod) => pods.push(pod),
                // `pod we`, but not `pod/we` nor several names.
                Err(error) if error.is_not_found() && self.args.resources.len() == 2 => {
                    return self.beginning_with(name, error).await;
                }
                Err(error) => errors.push(error),
            }
        }
        if names.is_empty() {
            let listed = self.list().await?;
            errors.extend(listed.failures);
            pods = listed.found;
        }
        let single = pods.len() == 1 && errors.is_empty();
        let events = self.args.show_events.unwrap_or(single);
        for (position, pod) in pods.iter().enumerate() {
            let text = self.one(pod, events).await?;
            let apart = if position == 0 { "" } else { "\n\n" };
            self.term.result(&format!("{apart}{text}"));
        }
        if pods.is_empty() && errors.is_empty() {
            kube::nothing_found(&self.args.scope, self.term);
        }
        Ok(kube::exit_code(kube::report(errors, self.term)))
    }

    /// All Pods whose names begin so.
    async fn beginning_with(&self, prefix: &str, not_found: Error) -> Result<ExitCode, Failure> {
        let listed = self.list().await?;
        let mut found = false;
        for pod in &listed.found {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            if name.starts_with(prefix) {
                found = true;
                let text = self.one(pod, self.args.show_events.unwrap_or(false));
                self.term.result(&format!("{}\n", text.await?));
            }
        }
        if !found {
            return Err(not_found.into());
        }
        Ok(kube::exit_code(kube::report(listed.failures, self.term)))
    }

    async fn list(&self) -> Result<client::Listed<Vec<Pod>>, Error> {
        let labels = self.args.selector.as_deref();
        let query = kube::query(Resource::Pods, &self.args.scope, labels, None);
        self.client.list(&query).await
    }

    async fn one(&self, pod: &Pod, with_events: bool) -> Result<String, Failure> {
        let metadata = &pod.metadata;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let name = PodName::new(text(&metadata.namespace), text(&metadata.name));
        let mut events = None;
        if with_events {
            let query = Query::new(Resource::Events)
                .namespace(&name.namespace)
                .fields(format!(
                    "involvedObject.name={},involvedObject.uid={}",
                    name.name,
                    text(&metadata.uid)
                ))
                .owned_by(&name);
            let mut found = self.client.list::<Event>(&query).await?.found;
            printers::events::sort(&mut found);
            events = Some(found);
        }
        let context = Context {
            now: Timestamp::now().into(),
            zone: TimeZone::system(),
        };
        let text = describe::pod(pod, events, &context);
        // Of a Pod that has just gone nothing more is to be told.
        let waits = self.client.waits::<PodWaits>(&name, None).await;
        let waits = waits.map(|waits| printers::waits::section(&waits, context.now));
        Ok(text + &waits.unwrap_or_default())
    }
}
