//! `pillion top`: what Pods use right now.

use std::process::ExitCode;

use client::{Listed, PodName, Resource};
use printers::top::{self, PodMetrics};

use super::{Failure, kube};
use crate::cli::{Global, Measured, TopCommand, TopPodArgs};
use crate::term::Term;

pub(crate) fn run(command: &TopCommand, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let TopCommand::Pod(args) = command;
    let listed = kube::block_on(measure(args, global))?;
    let none = listed.found.is_empty();
    let text = top::print(
        listed.found,
        top::Options {
            containers: args.containers,
            with_namespace: args.scope.all_namespaces,
            no_headers: args.no_headers,
            sort_by: args.sort_by.map(|by| match by {
                Measured::Cpu => top::Resource::Cpu,
                Measured::Memory => top::Resource::Memory,
            }),
            sum: args.sum,
        },
    );
    term.result(&text);
    let failed = kube::report(listed.failures, term);
    if none && !failed {
        kube::nothing_found(&args.scope, term);
    }
    Ok(kube::exit_code(failed))
}

async fn measure(args: &TopPodArgs, global: &Global) -> Result<Listed<Vec<PodMetrics>>, Failure> {
    let client = kube::client(global);
    if let Some(name) = &args.name {
        let pod = PodName::new(args.scope.namespace.name(), name);
        let metrics = client.get(Resource::PodMetrics, &pod).await?;
        return Ok(Listed {
            found: vec![metrics],
            failures: Vec::new(),
        });
    }
    let labels = args.selector.as_deref();
    let query = kube::query(Resource::PodMetrics, &args.scope, labels, None);
    Ok(client.list(&query).await?)
}
