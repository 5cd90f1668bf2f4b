//! How a Pod stops: in which order, and who gets how much of the grace (section 8).

use manifest::core::v1::{LifecycleHandler, PodSpec};
use serde::Serialize;

use super::{Entry, command, entries, grace_seconds, list, span};
use crate::container::Role;

/// Least seconds between the stop signal and SIGKILL (R8.3).
const FLOOR: i64 = 2;

/// How a Pod stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stops {
    /// Seconds that all stops together get (R8.1).
    pub grace_seconds: i64,
    /// Seconds until the last container is down, whatever they do (R8.8).
    pub down_by_seconds: i64,
    /// In the order of their stop signals; those of one rank together.
    pub order: Vec<Stop>,
}

/// When a container is asked to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Its name.
    pub container: String,
    /// How it takes part.
    pub role: Role,
    /// Those with the same number are asked together.
    pub rank: usize,
    /// Those that must have stopped before (R8.6).
    pub after: Vec<String>,
    /// What its preStop hook does, which begins when the Pod's end begins (R7.12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_stop: Option<String>,
    /// Seconds from the beginning of the end until its stop signal, at most.
    pub signal_by_seconds: i64,
    /// Seconds until SIGKILL if it is still there, at most.
    pub kill_by_seconds: i64,
    /// In words.
    pub text: String,
}

/// Apps together, then sidecars one by one from the last to the first (R8.5, R8.6). Inits do not run any more.
pub(super) fn stops(spec: &PodSpec) -> Stops {
    let grace = grace_seconds(spec);
    let apps = entries(spec).filter(|entry| entry.role == Role::App);
    let mut order: Vec<Stop> = apps.map(|app| of_app(&app, grace)).collect();
    let apps: Vec<String> = order.iter().map(|stop| stop.container.clone()).collect();
    let sidecars: Vec<Entry<'_>> = entries(spec)
        .filter(|entry| entry.role == Role::Sidecar)
        .collect();
    let mut next = None;
    for (rank, sidecar) in sidecars.iter().rev().enumerate() {
        let after = apps
            .iter()
            .cloned()
            .chain(next.replace(sidecar.name().to_owned()))
            .collect();
        let before = order
            .iter()
            .map(|stop| stop.kill_by_seconds)
            .max()
            .unwrap_or(0);
        order.push(of_sidecar(sidecar, rank + 1, after, grace, before));
    }
    let down_by_seconds = order
        .iter()
        .map(|stop| stop.kill_by_seconds)
        .max()
        .unwrap_or(0);
    Stops {
        grace_seconds: grace,
        down_by_seconds,
        order,
    }
}

fn of_app(app: &Entry<'_>, grace: i64) -> Stop {
    let hook = Hook::of(app, grace);
    let signal = signal(app);
    let (signal_by, kill_by, text) = match &hook {
        None => {
            let kill_by = grace.max(FLOOR);
            (
                0,
                kill_by,
                format!("{signal} at once, SIGKILL at {}", at(kill_by)),
            )
        }
        Some(Hook {
            seconds: Some(seconds),
            ..
        }) => {
            let kill_by = seconds.saturating_add(grace.saturating_sub(*seconds).max(FLOOR));
            let text = format!(
                "{signal} after that, at {}, SIGKILL at {}",
                at(*seconds),
                at(kill_by)
            );
            (*seconds, kill_by, text)
        }
        Some(Hook { seconds: None, .. }) => {
            let kill_by = grace.saturating_add(FLOOR);
            let text = format!(
                "{signal} after that, by {}, SIGKILL at {}, but {FLOOR}s after {signal} at least",
                at(grace),
                at(grace)
            );
            (grace, kill_by, text)
        }
    };
    Stop {
        container: app.name().to_owned(),
        role: app.role,
        rank: 0,
        after: Vec::new(),
        pre_stop: hook.map(|hook| hook.text),
        signal_by_seconds: signal_by,
        kill_by_seconds: kill_by,
        text,
    }
}

/// `before` is when those before it are down at the latest.
fn of_sidecar(
    sidecar: &Entry<'_>,
    rank: usize,
    after: Vec<String>,
    grace: i64,
    before: i64,
) -> Stop {
    let hook = Hook::of(sidecar, grace);
    // A hook that ends within a second leaves the rest of that second to the wait for its turn (R8.3).
    let inexact = i64::from(hook.as_ref().is_some_and(|hook| hook.seconds.is_none()));
    let signal_by = grace.saturating_add(inexact).min(before.max(grace));
    let kill_by = signal_by.saturating_add(FLOOR);
    let signal = signal(sidecar);
    let text = format!(
        "{signal} when {} stopped, by {}; SIGKILL at {}, but {FLOOR}s after {signal} at least",
        match &after[..] {
            [one] => format!("{one} has"),
            all => format!("{} have", list(all)),
        },
        at(signal_by),
        at(grace),
    );
    Stop {
        container: sidecar.name().to_owned(),
        role: sidecar.role,
        rank,
        after,
        pre_stop: hook.map(|hook| hook.text),
        signal_by_seconds: signal_by,
        kill_by_seconds: kill_by,
        text,
    }
}

fn at(seconds: i64) -> String {
    span(seconds.unsigned_abs())
}

/// The stop signal as far as the spec names it (R8.18).
fn signal(entry: &Entry<'_>) -> String {
    let lifecycle = entry.container.lifecycle.as_ref();
    let named = lifecycle.and_then(|lifecycle| lifecycle.stop_signal.clone());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "SIGTERM".to_owned())
}

struct Hook {
    /// How long it takes where that is certain.
    seconds: Option<i64>,
    text: String,
}

impl Hook {
    fn of(entry: &Entry<'_>, grace: i64) -> Option<Self> {
        let hook = pre_stop(entry)?;
        if let Some(sleep) = &hook.sleep {
            let seconds = sleep.seconds.clamp(0, grace);
            let text = format!("preStop sleeps {}", at(seconds));
            return Some(Self {
                seconds: Some(seconds),
                text,
            });
        }
        let text = if let Some(exec) = &hook.exec {
            let command = exec.command.join(" ");
            let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("preStop runs {}", shortened(&command))
        } else if let Some(get) = &hook.http_get {
            format!(
                "preStop gets {} on port {}",
                get.path.as_deref().unwrap_or("/"),
                get.port
            )
        } else {
            // R7.1.
            let text = "preStop fails: tcpSocket hooks never work".to_owned();
            return Some(Self {
                seconds: Some(0),
                text,
            });
        };
        let text = format!("{text}, {} at most", at(grace));
        Some(Self {
            seconds: None,
            text,
        })
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn pre_stop<'a>(entry: &Entry<'a>) -> Option<&'a LifecycleHandler> {
    entry.container.lifecycle.as_ref()?.pre_stop.as_ref()
}

/// Seconds that a hook takes at least, as far as that can be read.
pub(crate) fn least_seconds(hook: &LifecycleHandler) -> u64 {
    match (&hook.sleep, &hook.exec) {
        (Some(sleep), _) => u64::try_from(sleep.seconds).unwrap_or(0),
        (_, Some(exec)) => command::seconds_slept(&exec.command).unwrap_or(0),
        _ => 0,
    }
}
