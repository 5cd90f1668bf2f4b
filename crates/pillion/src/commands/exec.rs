//! `pillion exec`: one more process in a container, whose streams and exit code are ours.

use std::process::ExitCode;

use client::Resource;
use manifest::core::v1::Pod;
use streaming::Outcome;

use super::Failure;
use super::kube::containers;
use super::kube::session::Session;
use super::kube::waits;
use super::{kube, kube::session};
use crate::cli::{ExecArgs, Global};
use crate::term::Term;

pub(crate) fn run(args: &ExecArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let [pod] = &args.pod[..] else {
        return Err(Failure::text(match args.pod.len() {
            0 => "pod, type/name or --filename must be specified".into(),
            _ => {
                "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"
                    .into()
            }
        }));
    };
    if args.command.is_empty() {
        let message = "you must specify at least one command for the container";
        return Err(Failure::text(message.into()));
    }
    kube::block_on(exec(pod, args, global, term))?.report(term)
}

async fn exec(
    pod: &str,
    args: &ExecArgs,
    global: &Global,
    term: &Term,
) -> Result<session::Ended, Failure> {
    let wanted = &args.session;
    let client = kube::client(global);
    let name = kube::pod_name(pod, wanted.namespace.name())?;
    let pod: Pod = client.get(Resource::Pods, &name).await?;
    kube::refuse_ended(&pod, "exec into a container")?;
    let container = containers::choose(&pod, wanted.container.as_deref(), wanted.quiet, term)?;
    let session = Session::new(wanted.stdin, wanted.tty, wanted.quiet, term);
    let streams = session.streams();
    let mut parameters = vec![("container", container.as_str())];
    parameters.extend(args.command.iter().map(|word| ("command", word.as_str())));
    let uri = name.stream_uri("exec", &parameters);
    let uri = format!("{uri}&{}", streams.to_query());
    let connection = client.connect(&name).await?;
    let remote = streaming::client::command(connection, &uri, streams).await?;
    match session.carry(remote).await? {
        // A container that does not run has a reason not to.
        session::Ended::With(Outcome::Failure(status)) => {
            let waits = waits::of(&client, &name, Some(&container)).await;
            Err(Failure::text(status.message).explained(waits))
        }
        ended => Ok(ended),
    }
}
