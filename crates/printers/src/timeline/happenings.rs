//! All that happened, in the order of time: events, and what became of the Pod and its containers.

use lifecycle::EventKind;
use lifecycle::timeline::{
    ContainerStage, ContainerState, ContainerTimeline, Mark, PodTimeline, Span,
};
use manifest::core::v1::{ConditionStatus, PodPhase};

use super::axis;
use super::chart::{Clock, Shade, container_shade};

/// What came within so many microseconds came at once: an event and the status that shows it are told one after the
/// other.
const AT_ONCE: i64 = 10_000;

/// One thing that happened.
pub(super) struct Happening {
    /// Microseconds from the start.
    pub(super) at: i64,
    /// The container, or `pod`.
    pub(super) who: String,
    /// Reason of an event; what became of it, in small letters, otherwise.
    pub(super) what: String,
    /// The rest.
    pub(super) message: String,
    pub(super) mood: Mood,
}

/// How it is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// An ordinary event.
    Normal,
    /// An event that warns.
    Warning,
    /// It is ready, or ended well.
    Good,
    /// It failed.
    Bad,
    /// Any other change.
    Neutral,
}

/// All of them, sorted.
pub(super) fn all(timeline: &PodTimeline) -> Vec<Happening> {
    let clock = Clock::new(timeline);
    let mut all = Vec::new();
    for phase in &timeline.phases {
        let mood = match phase.state.phase {
            PodPhase::Succeeded => Mood::Good,
            PodPhase::Failed => Mood::Bad,
            _ => Mood::Neutral,
        };
        let message = phase.state.reason.clone().unwrap_or_default();
        all.push(pod(
            clock.at(phase.from),
            phase.state.phase.as_str(),
            message,
            mood,
        ));
    }
    let mut was_ready = false;
    for ready in &timeline.ready {
        let at = clock.at(ready.from);
        match (was_ready, ready.state.status == ConditionStatus::True) {
            (false, true) => all.push(pod(at, "ready", String::new(), Mood::Good)),
            (true, false) => {
                let reason = ready.state.reason.clone().unwrap_or_default();
                all.push(pod(at, "not ready", reason, Mood::Neutral));
            }
            _ => {}
        }
        was_ready = ready.state.status == ConditionStatus::True;
    }
    all.extend(timeline.marks.iter().map(|mark| event("pod", mark, clock)));
    for container in &timeline.containers {
        let name = &container.name;
        all.extend(container.marks.iter().map(|mark| {
            let mut happening = event(name, mark, clock);
            if mark.reason == "Started" {
                happening.at = before_ready(happening.at, container, clock);
            }
            happening
        }));
        changes(container, clock, &mut all);
    }
    // Stable: what came at the same moment stays in the order of the Pod and its containers.
    all.sort_by_key(|happening| happening.at);
    all
}

fn pod(at: i64, what: &str, message: String, mood: Mood) -> Happening {
    let (who, what) = ("pod".to_owned(), what.to_owned());
    Happening {
        at,
        who,
        what,
        message,
        mood,
    }
}

fn event(who: &str, mark: &Mark, clock: Clock) -> Happening {
    let again = match mark.last.filter(|_| mark.count > 1) {
        Some(last) => {
            let until = axis::duration(clock.at(last));
            format!(" (x{} until +{until})", mark.count)
        }
        None => String::new(),
    };
    Happening {
        at: clock.at(mark.time),
        who: who.to_owned(),
        what: mark.reason.clone(),
        message: format!("{}{again}", mark.message.trim()),
        mood: match mark.kind {
            EventKind::Normal => Mood::Normal,
            EventKind::Warning => Mood::Warning,
        },
    }
}

/// When a container was started: before it was ready, even if that was told first.
fn before_ready(started: i64, container: &ContainerTimeline, clock: Clock) -> i64 {
    let ready = container.spans.iter();
    let ready = ready.filter(|span| span.state.state == ContainerStage::Ready);
    ready
        .map(|span| clock.at(span.from))
        .find(|ready| (0..=AT_ONCE).contains(&(started - ready)))
        .unwrap_or(started)
}

/// When a container became ready, was not any more, and ended; starts have events.
fn changes(container: &ContainerTimeline, clock: Clock, all: &mut Vec<Happening>) {
    let mut began = None;
    let mut was_ready = false;
    let mut known_to = 0;
    for span in &container.spans {
        let (at, to) = clock.span(span);
        // How long it ran is not known if nobody watched.
        if std::mem::replace(&mut known_to, to) < at {
            began = None;
        }
        let mut push = |what: &str, message, mood| {
            let (who, what) = (container.name.clone(), what.to_owned());
            all.push(Happening {
                at,
                who,
                what,
                message,
                mood,
            });
        };
        match span.state.state {
            ContainerStage::Ready => push("ready", String::new(), Mood::Good),
            ContainerStage::Started if was_ready => push("not ready", String::new(), Mood::Neutral),
            ContainerStage::Terminated => {
                let mood = match container_shade(container, span) {
                    Shade::Succeeded => Mood::Good,
                    Shade::Stopped => Mood::Neutral,
                    _ => Mood::Bad,
                };
                push("ended", ending(span, began.map(|began| at - began)), mood);
            }
            _ => {}
        }
        was_ready = span.state.state == ContainerStage::Ready;
        if span.state.state.is_up() {
            began.get_or_insert(at);
        } else {
            began = None;
        }
    }
}

/// `Error, exit code 1, ran 12.3s`.
fn ending(span: &Span<ContainerState>, ran: Option<i64>) -> String {
    let reason = span.state.reason.clone();
    let code = span.state.exit_code.map(|code| format!("exit code {code}"));
    let ran = ran.map(|ran| format!("ran {}", axis::duration(ran)));
    let parts = [reason, code, ran].into_iter().flatten();
    parts.collect::<Vec<_>>().join(", ")
}
