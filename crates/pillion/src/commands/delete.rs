//! `pillion delete`: ends Pods and waits until they are gone.

use std::process::ExitCode;

use client::{Client, DeleteOptions, PodName};
use node::detached;
use node::paths::Paths;
use printers::wait::Condition;
use tokio::time::Instant;

use super::kube::select::{self, NotSelected, Selected};
use super::kube::until::{self, Deadline};
use super::kube::waits;
use super::{Failure, bad_input, kube};
use crate::cli::{DeleteArgs, Global};
use crate::term::Term;

/// What `--now` means, and a grace period of 0 without `--force`; in seconds.
const HARDLY_ANY: i64 = 1;

pub(crate) fn run(args: &DeleteArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let grace = grace_period(args, term)?;
    let selected = match select::select(&args.selection, term) {
        Ok(selected) => selected,
        Err(NotSelected::BadInput) => return Ok(bad_input()),
        Err(NotSelected::Failed(failure)) => return Err(failure),
    };
    let delete = Delete {
        args,
        term,
        client: kube::client(global),
        paths: Paths::new(global.root.as_deref()),
        grace,
    };
    kube::block_on(delete.run(selected))
}

/// Seconds that Pods have to end; `None` is their own.
fn grace_period(args: &DeleteArgs, term: &Term) -> Result<Option<i64>, Failure> {
    let given = args.grace_period.filter(|grace| *grace >= 0);
    let grace = match given {
        _ if args.now => Some(HARDLY_ANY),
        // As kubectl: nobody loses data by a forgotten --force.
        Some(0) if !args.force => Some(HARDLY_ANY),
        None if args.force => Some(0),
        given => given,
    };
    if args.force && grace != Some(0) {
        return Err(Failure::text(
            "--force and --grace-period greater than 0 cannot be specified together".into(),
        ));
    }
    if args.force {
        term.remark(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
             The resource may continue to run on the cluster indefinitely.\n",
        );
    }
    Ok(grace)
}

/// What `delete` is to do.
struct Delete<'a> {
    args: &'a DeleteArgs,
    term: &'a Term,
    client: Client,
    paths: Paths,
    grace: Option<i64>,
}

impl Delete<'_> {
    async fn run(&self, selected: Selected) -> Result<ExitCode, Failure> {
        let listed = matches!(selected, Selected::Listed(_));
        let pods = selected.pods(&self.client).await?;
        let mut failed = kube::report(pods.failures, self.term);
        if pods.found.is_empty() {
            self.term.result("No resources found\n");
        }
        let mut going = Vec::new();
        let mut errors = Vec::new();
        for pod in pods.found {
            match self.ask(&pod).await {
                Ok(uid) => going.push((pod, uid)),
                Err(error) if error.is_not_found() && self.discard(&pod)? => {}
                // It went by itself between the list and the request.
                Err(error) if error.is_not_found() && (listed || self.args.ignore_not_found) => {}
                Err(error) => errors.push(error),
            }
        }
        failed |= kube::report(errors, self.term);
        if self.args.wait {
            failed |= self.until_gone(going).await;
        }
        Ok(kube::exit_code(failed))
    }

    /// Asks for the end of a Pod; returns its UID.
    async fn ask(&self, pod: &PodName) -> Result<String, client::Error> {
        let options = DeleteOptions {
            grace_period_seconds: self.grace,
            uid: None,
        };
        let answer = self.client.delete(pod, &options).await?;
        self.say(pod);
        Ok(answer["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// A Pod that nobody could be found to run any more; returns whether there was one.
    fn discard(&self, pod: &PodName) -> Result<bool, Failure> {
        let discarded = detached::discard(&self.paths, &pod.namespace, &pod.name)
            .map_err(|error| Failure::new(format!("delete pod/{}", pod.name), error))?;
        if discarded {
            self.say(pod);
        }
        Ok(discarded)
    }

    fn say(&self, pod: &PodName) {
        let PodName { namespace, name } = pod;
        let how = match self.grace {
            Some(0) => "force deleted",
            _ => "deleted",
        };
        self.term.result(&match self.args.output {
            Some(_) => format!("pod/{name}\n"),
            None => format!("pod \"{name}\" {how} from {namespace} namespace\n"),
        });
    }

    /// Returns whether something went wrong.
    async fn until_gone(&self, pods: Vec<(PodName, String)>) -> bool {
        let deadline = match self.args.timeout {
            none if none.is_zero() => Deadline::Never,
            timeout => Deadline::At(Instant::now() + timeout),
        };
        let mut errors = Vec::new();
        for (pod, uid) in &pods {
            let gone = until::met(
                &self.client,
                pod,
                &Condition::Delete,
                Some(uid),
                deadline,
                (&self.paths, self.term),
            );
            errors.extend(tokio::select! {
                gone = gone => gone.err(),
                () = waits::tell_while_it_ends(&self.client, pod, self.term) => None,
            });
        }
        kube::report(errors, self.term)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn grace(options: &str) -> Result<Option<i64>, String> {
        let line = format!("pillion delete pod web {options}");
        let cli = Cli::try_parse_from(line.split_whitespace()).expect("a command line");
        let Command::Delete(args) = cli.command else {
            panic!("another command");
        };
        grace_period(&args, &Term::new(true)).map_err(|error| error.to_string())
    }

    #[test]
    fn seconds_to_end_are_kubectls() {
        assert_eq!(grace(""), Ok(None));
        assert_eq!(grace("--grace-period=-1"), Ok(None));
        assert_eq!(grace("--grace-period 5"), Ok(Some(5)));
        assert_eq!(grace("--now"), Ok(Some(1)));
        assert_eq!(grace("--grace-period=0"), Ok(Some(1)));
        assert_eq!(grace("--force"), Ok(Some(0)));
        assert_eq!(grace("--force --grace-period=0"), Ok(Some(0)));
        assert!(grace("--force --grace-period=3").is_err());
        assert!(grace("--force --now").is_err());
    }
}
