//! `pillion attach`: the streams of a container's own process.

use std::process::ExitCode;

use client::Resource;
use manifest::core::v1::Pod;

use super::Failure;
use super::kube;
use super::kube::containers;
use super::kube::session::{Ended, Session};
use crate::cli::{AttachArgs, Global};
use crate::term::Term;

pub(crate) fn run(args: &AttachArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    kube::block_on(attach(args, global, term))?.report(term)
}

async fn attach(args: &AttachArgs, global: &Global, term: &Term) -> Result<Ended, Failure> {
    let wanted = &args.session;
    let client = kube::client(global);
    let name = kube::pod_name(&args.pod, wanted.namespace.name())?;
    let pod: Pod = client.get(Resource::Pods, &name).await?;
    kube::refuse_ended(&pod, "attach a container")?;
    let container = containers::choose(&pod, wanted.container.as_deref(), wanted.quiet, term)
        .map_err(|error| Failure::text(format!("cannot attach to the container: {error}")))?;
    let mut all = containers::all(&pod);
    let has_terminal = all.any(|one| one.name == container && one.tty == Some(true));
    if wanted.tty && !has_terminal && !wanted.quiet {
        term.error_text(&format!(
            "Unable to use a TTY - container {container} did not allocate one"
        ));
    }
    // A container's terminal is nothing without ours.
    let session = Session::new(wanted.stdin, has_terminal, wanted.quiet, term).detachable();
    if !wanted.quiet {
        term.remark(
            "All commands and output from this session will be recorded in container logs, including credentials and \
             sensitive information passed through the command prompt.\n\
             If you don't see a command prompt, try pressing enter.\n",
        );
    }
    let streams = session.streams();
    let uri = name.stream_uri("attach", &[("container", &container)]);
    let uri = format!("{uri}&{}", streams.to_query());
    let connection = client.connect(&name).await?;
    let remote = streaming::client::command(connection, &uri, streams).await?;
    let ended = session.carry(remote).await?;
    if session.has_terminal() && !wanted.quiet && !matches!(ended, Ended::Signal(_)) {
        term.result(&format!(
            "Session ended, resume using 'pillion attach {} -c {container} -n {} -i -t' command\n",
            name.name, name.namespace
        ));
    }
    Ok(ended)
}
