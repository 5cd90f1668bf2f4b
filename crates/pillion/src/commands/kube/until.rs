//! Waiting until something can be said of a Pod.

use client::{Change, Client, PodName, Query, Resource};
use node::paths::Paths;
use printers::wait::Condition;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::waits;
use crate::commands::{Failure, recover};
use crate::term::Term;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// Look once.
    Now,
    /// Until then.
    At(Instant),
    /// Without end.
    Never,
}

/// Waits until a condition is met. Where that is [`Condition::Delete`], a Pod of the same name that has another `uid` is
/// not the one that is waited for.
pub(crate) async fn met(
    client: &Client,
    pod: &PodName,
    condition: &Condition,
    uid: Option<&str>,
    deadline: Deadline,
    (paths, term): (&Paths, &Term),
) -> Result<(), Failure> {
    let deleting = matches!(condition, Condition::Delete);
    let creating = matches!(condition, Condition::Create);
    let other = |object: &Value| uid.is_some_and(|uid| object["metadata"]["uid"] != *uid);
    let is_met = |object: &Value| {
        if deleting {
            return Ok(other(object));
        }
        condition.is_met(object).map_err(Failure::saying)
    };
    let (listed, mut watch) = client.watch::<Value>(&Query::pod(pod)).await?;
    if let Some(failure) = listed.failures.into_iter().next() {
        return Err(failure.into());
    }
    let is_asked = |object: &Value| !object["metadata"]["deletionTimestamp"].is_null();
    let mut asked = listed.found.first().is_some_and(is_asked);
    match listed.found.first() {
        None if deleting => return Ok(()),
        None if creating => {}
        None => return Err(client::Error::not_found("pods", &pod.name).into()),
        Some(object) if is_met(object)? => return Ok(()),
        Some(_) => {}
    }
    loop {
        let next = match deadline {
            Deadline::Now => {
                let failure = Failure::text(format!("condition not met for pods/{}", pod.name));
                return Err(failure.explained(why(client, pod, deleting && !asked).await));
            }
            Deadline::At(deadline) => timeout_at(deadline, watch.next()).await,
            Deadline::Never => Ok(watch.next().await),
        };
        let Ok(next) = next else {
            let failure = Failure::text(format!(
                "timed out waiting for the condition on pods/{}",
                pod.name
            ));
            return Err(failure.explained(why(client, pod, deleting && !asked).await));
        };
        match next {
            Ok(event) if event.change == Change::Deleted => {
                if deleting && !comes_back(client, pod, uid, (paths, term)).await? {
                    return Ok(());
                }
                // Another of its name may come.
            }
            Ok(event) => {
                asked = is_asked(&event.object);
                if is_met(&event.object)? {
                    return Ok(());
                }
            }
            Err(error) => term.remark(&format!(
                "error: An error occurred while waiting for the condition to be satisfied: {error}\n"
            )),
        }
    }
}

/// Why a Pod is not what it should be: what it waits for, or that it was not asked to go.
async fn why(client: &Client, pod: &PodName, unasked: bool) -> Vec<String> {
    match unasked {
        true => vec![format!(
            "pod/{}: nobody has asked for its deletion",
            pod.name
        )],
        false => waits::of(client, pod, None).await,
    }
}

/// Whether a Pod that nobody answers for any more is there all the same: its supervisor was killed, and it gets another.
async fn comes_back(
    client: &Client,
    pod: &PodName,
    uid: Option<&str>,
    (paths, term): (&Paths, &Term),
) -> Result<bool, Failure> {
    recover(paths, term)?;
    match client.get::<Value>(Resource::Pods, pod).await {
        Ok(object) => Ok(uid.is_none_or(|uid| object["metadata"]["uid"] == *uid)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
