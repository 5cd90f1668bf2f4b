//! What is told of waits while they last: each once, when it has lasted for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lifecycle::{PodWaits, Time, Wait, WaitKind};
use node::output::{Message, Output};
use tokio::sync::watch;

/// What is over sooner is not worth a line of `run`.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells the waits of a Pod that last, until it is gone.
pub(crate) async fn tell(mut waits: watch::Receiver<Arc<PodWaits>>, output: Output) {
    let mut told = Told::new(PATIENCE);
    loop {
        let current = Arc::clone(&waits.borrow_and_update());
        let now = Time::from(Timestamp::now());
        let (new, due) = told.next(&current, now);
        for wait in new {
            let pod = current.metadata.name.clone().unwrap_or_default();
            let text = sentence(&current, wait, now);
            output.tell(Message::Wait(pod, wait.container.clone(), text));
        }
        tokio::select! {
            changed = waits.changed() => if changed.is_err() { return },
            () = until(due, now) => {}
        }
    }
}

/// Sleeps for as long as `due` lies after `now`, or for ever.
pub(crate) async fn until(due: Option<Time>, now: Time) {
    match due {
        Some(due) => tokio::time::sleep(due.since(now)).await,
        None => std::future::pending().await,
    }
}

/// What was told of the waits of one Pod.
#[derive(Debug)]
pub(crate) struct Told {
    patience: Duration,
    /// What was told, by who waits for what.
    told: HashMap<(Option<String>, WaitKind), Wait>,
}

impl Told {
    /// Nothing; waits are told that last so long.
    pub(crate) fn new(patience: Duration) -> Self {
        let told = HashMap::new();
        Self { patience, told }
    }

    /// What is to be told now, and when there may be more.
    pub(crate) fn next<'a>(
        &mut self,
        waits: &'a PodWaits,
        now: Time,
    ) -> (Vec<&'a Wait>, Option<Time>) {
        let mut due: Option<Time> = None;
        let there = |key: &(Option<String>, WaitKind)| {
            let mut waits = waits.waits.iter();
            waits.any(|wait| (&wait.container, wait.kind) == (&key.0, key.1))
        };
        // An attempt in between does not make it another wait.
        self.told.retain(|key, _| there(key) || is_attempt(key.1));
        let mut new = Vec::new();
        for wait in waits.waits.iter().filter(|wait| is_told(wait.kind)) {
            let key = (wait.container.clone(), wait.kind);
            if let Some(known) = self.told.get(&key) {
                let again = match wait.kind {
                    // Each pull that fails is told, with another delay after it.
                    WaitKind::ImageBackOff => known.until() != wait.until(),
                    WaitKind::StartRetry => known.text != wait.text,
                    _ => false,
                };
                if !again {
                    continue;
                }
            }
            let ripe = wait.since + self.patience;
            if ripe > now && !is_attempt(wait.kind) {
                due = Some(due.map_or(ripe, |due| due.min(ripe)));
                continue;
            }
            new.push(wait);
            self.told.insert(key, wait.clone());
        }
        (new, due)
    }
}

/// Whether it is told at all. Who is held up by another is told with that one; a deadline is no news; back-off of
/// restarts and a liveness probe that fails are told as they come.
const fn is_told(kind: WaitKind) -> bool {
    !kind.is_held_up()
        && !matches!(
            kind,
            WaitKind::Deadline
                | WaitKind::LivenessProbe
                | WaitKind::RestartBackOff
                | WaitKind::RestartAll
        )
}

/// Whether it is about a start that failed, which was told.
const fn is_attempt(kind: WaitKind) -> bool {
    matches!(kind, WaitKind::ImageBackOff | WaitKind::StartRetry)
}

/// A wait in the words of `run`, which has told already what failed.
fn sentence(waits: &PodWaits, wait: &Wait, now: Time) -> String {
    if is_attempt(wait.kind) {
        let next = wait
            .next
            .iter()
            .map(|next| printers::waits::coming(next, now));
        return next.collect::<Vec<_>>().join(", ");
    }
    let held = held_up(waits, wait);
    format!("waits for {}{held}", printers::waits::sentence(wait, now))
}

/// `; app and side wait for that`.
fn held_up(waits: &PodWaits, wait: &Wait) -> String {
    let Some(name) = wait.container.as_deref() else {
        return String::new();
    };
    let names_it = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        words.any(|word| word == name)
    };
    let others = waits.waits.iter();
    let held = others.filter(|other| other.kind.is_held_up() && names_it(&other.text));
    let names: Vec<&str> = held.filter_map(|held| held.container.as_deref()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} waits for that"),
        [first @ .., last] => format!("; {} and {last} wait for that", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waits(reason: &str, since: &str, next: &str) -> PodWaits {
        let wait = |container: &str, reason: &str, message: &str| {
            json!({
                "container": container, "reason": reason, "message": message, "since": since,
                "next": [{"time": next, "what": "next attempt"}],
            })
        };
        let waits = json!({
            "apiVersion": "pillion.dev/v1", "kind": "PodWaits", "metadata": {"name": "web"},
            "waits": [
                wait("prepare", reason, "its own exit"),
                wait("app", "Predecessor", "init container prepare to exit with code 0"),
                wait("side", "Predecessor", "init container prepare to exit with code 0"),
            ],
        });
        serde_json::from_value(waits).unwrap()
    }

    fn at(text: &str) -> Time {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn a_wait_that_lasts_is_told_once_with_those_it_holds_up() {
        let waits = waits("Exit", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z");
        let mut told = Told::new(PATIENCE);
        let early = at("2024-01-01T00:00:02Z");
        let ripe = at("2024-01-01T00:00:05Z");
        assert_eq!(told.next(&waits, early), (vec![], Some(ripe)));
        let (new, due) = told.next(&waits, ripe);
        assert_eq!((new.len(), due), (1, None));
        assert_eq!(
            sentence(&waits, new[0], ripe),
            "waits for its own exit (next attempt in 55s); app and side wait for that"
        );
        assert_eq!(told.next(&waits, ripe), (vec![], None));
        let mut over = waits.clone();
        over.waits.clear();
        told.next(&over, ripe);
        assert_eq!(told.next(&waits, ripe).0.len(), 1, "another of the kind");
    }

    #[test]
    fn each_pull_that_fails_is_told_and_a_start_that_fails_likewise_is_not() {
        let now = at("2024-01-01T00:00:00Z");
        for (reason, expected) in [("ImageBackOff", 2), ("StartRetry", 1)] {
            let mut told = Told::new(PATIENCE);
            let mut times = 0;
            for next in [
                "2024-01-01T00:00:10Z",
                "2024-01-01T00:00:10Z",
                "2024-01-01T00:00:30Z",
            ] {
                let waits = waits(reason, "2024-01-01T00:00:00Z", next);
                let (new, _) = told.next(&waits, now);
                times += new.len();
                // Meanwhile it is tried.
                told.next(&waits_of_a_start(), now);
            }
            assert_eq!(times, expected, "{reason}");
        }
    }

    fn waits_of_a_start() -> PodWaits {
        waits("Start", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z")
    }
}
