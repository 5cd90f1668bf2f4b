//! What a Pod waits for, told by the verbs that meet it waiting.

use std::time::Duration;

use client::{Client, PodName};
use jiff::Timestamp;
use lifecycle::{PodWaits, Time, WaitKind};
use printers::waits;

use crate::term::Term;
use crate::waiting::{Told, until};

/// A deletion that takes no longer is not worth a line.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a Pod waits for, or one container of it, a line each, with the Pod's name before it. Nothing where that cannot be
/// known: whoever asks has something else to tell.
pub(crate) async fn of(client: &Client, pod: &PodName, container: Option<&str>) -> Vec<String> {
    let Ok(mut waits) = client.waits::<PodWaits>(pod, None).await else {
        return Vec::new();
    };
    // Whoever waits for the Pod knows how long; that it must end some day explains nothing.
    waits.waits.retain(|wait| wait.kind != WaitKind::Deadline);
    if let Some(container) = container {
        let is_own = |of: &Option<String>| of.as_deref().is_none_or(|of| of == container);
        waits.waits.retain(|wait| is_own(&wait.container));
    }
    lines(&waits, pod)
}

/// Tells what the end of a Pod waits for, each wait once. Never returns.
pub(crate) async fn tell_while_it_ends(client: &Client, pod: &PodName, term: &Term) {
    let mut told = Told::new(PATIENCE);
    let mut waits: Option<PodWaits> = None;
    // What ends by itself soon is not asked about.
    tokio::time::sleep(PATIENCE).await;
    loop {
        let version = waits
            .as_ref()
            .and_then(|w| w.metadata.resource_version.clone());
        let changed = client.waits::<PodWaits>(pod, version.as_deref());
        tokio::pin!(changed);
        waits = loop {
            let now = Time::from(Timestamp::now());
            let mut due = None;
            if let Some(waits) = &waits {
                let (new, later) = told.next(waits, now);
                due = later;
                for wait in new {
                    let line = waits::line(wait, now);
                    term.remark(&format!("pod/{}: {line}\n", pod.name));
                }
            }
            tokio::select! {
                changed = &mut changed => match changed {
                    Ok(changed) => break Some(changed),
                    Err(_) => return std::future::pending().await,
                },
                () = until(due, now) => {}
            }
        };
        // Only what a stop waits for, and what holds it up.
        if let Some(waits) = &mut waits {
            waits.waits.retain(|wait| {
                use WaitKind::{PostStart, PreStop, Sandbox, Start, Termination};
                matches!(
                    wait.kind,
                    PreStop | Termination | PostStart | Start | Sandbox
                )
            });
        }
    }
}

fn lines(waits: &PodWaits, pod: &PodName) -> Vec<String> {
    let now = Timestamp::now().into();
    let lines = waits.waits.iter().map(|wait| waits::line(wait, now));
    lines
        .map(|line| format!("pod/{}: {line}", pod.name))
        .collect()
}
