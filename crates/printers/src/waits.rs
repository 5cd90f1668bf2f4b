//! What a Pod waits for, in words: for how long, what ends it, and what comes when.
//!
//! Kubernetes has no such text; `describe`, `wait`, `delete`, `logs`, `exec` and `run` all tell it with these words.

use lifecycle::columns::human_duration;
use lifecycle::{Next, PodWaits, Time, Wait};

use crate::escape;
use crate::tabwriter::{Layout, TabWriter};

/// What is waited for and what comes then: `its preStop hook to end; SIGTERM follows (SIGKILL in 12s at the latest)`.
#[must_use]
pub fn sentence(wait: &Wait, now: Time) -> String {
    let text = escape::cell(&wait.text).replace('\t', " ");
    let next = wait.next.iter().map(|next| coming(next, now));
    match next.collect::<Vec<_>>().join(", ") {
        next if next.is_empty() => text,
        next => format!("{text} ({next})"),
    }
}

/// `web has waited 12s for its readiness probe to succeed (next run in 3s)`; a wait of the Pod as a whole begins with
/// `the Pod`.
#[must_use]
pub fn line(wait: &Wait, now: Time) -> String {
    let who = wait.container.as_deref().map(escape::cell);
    let who = who.unwrap_or_else(|| "the Pod".into());
    let waited = human_duration(now.since(wait.since));
    format!("{who} has waited {waited} for {}", sentence(wait, now))
}

/// The waits as a section of `describe`, like its events; empty without any.
#[must_use]
pub fn section(waits: &PodWaits, now: Time) -> String {
    if waits.waits.is_empty() {
        return String::new();
    }
    let mut text =
        "Waits:\n  Container\tFor\tReason\tMessage\n  ---------\t---\t------\t-------\n".to_owned();
    for wait in &waits.waits {
        let who = wait.container.as_deref().map(escape::cell);
        let waited = human_duration(now.since(wait.since));
        text.push_str(&format!(
            "  {}\t{waited}\t{:?}\t{}\n",
            who.as_deref().unwrap_or("<pod>"),
            wait.kind,
            sentence(wait, now)
        ));
    }
    TabWriter::new(Layout::DESCRIBE).align(&text)
}

/// `next run in 3s`, `SIGKILL in 12s at the latest`. Seconds are rounded up: what is told to come in 1 s has not come yet.
#[must_use]
pub fn coming(next: &Next, now: Time) -> String {
    let left = next.at.since(now).as_millis().div_ceil(1000);
    let left = u64::try_from(left).unwrap_or(u64::MAX);
    let when = match left {
        0 => "now".to_owned(),
        left => format!(
            "in {}",
            human_duration(std::time::Duration::from_secs(left))
        ),
    };
    let bound = match next.at_least {
        Some(true) => " at the earliest",
        Some(false) => " at the latest",
        None => "",
    };
    format!("{} {when}{bound}", next.what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waits() -> PodWaits {
        let at = |seconds: u32| format!("2024-01-01T00:00:{seconds:02}.500000Z");
        let waits = json!({
            "apiVersion": "pillion.dev/v1", "kind": "PodWaits", "metadata": {"name": "web"},
            "waits": [
                {"reason": "Sandbox", "since": at(18), "message": "its volumes:\u{1b}[31m a\tb"},
                {"container": "app", "reason": "PreStop", "since": at(10), "message": "its preStop hook to end", "next": [
                    {"time": at(22), "what": "next run"}, {"time": at(30), "what": "restart", "atLeast": true},
                    {"time": at(19), "what": "SIGKILL", "atLeast": false},
                ]},
            ],
        });
        serde_json::from_value(waits).unwrap()
    }

    #[test]
    fn seconds_that_are_left_are_rounded_up_and_bounds_are_named() {
        let (waits, now) = (waits(), Time(1_704_067_220_000));
        let lines = waits.waits.iter().map(|wait| line(wait, now));
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [
                "the Pod has waited 1s for its volumes:^[[31m a b",
                "app has waited 9s for its preStop hook to end (next run in 3s, restart in 11s at the earliest, SIGKILL now at the latest)",
            ]
        );
    }

    #[test]
    fn a_section_like_that_of_events() {
        let (mut waits, now) = (waits(), Time(1_704_067_220_000));
        waits.waits[1].next.clear();
        let expected = "\
Waits:
  Container  For  Reason   Message
  ---------  ---  ------   -------
  <pod>      1s   Sandbox  its volumes:^[[31m a b
  app        9s   PreStop  its preStop hook to end
";
        assert_eq!(section(&waits, now), expected);
        waits.waits.clear();
        assert_eq!(section(&waits, now), "");
    }
}
