//! All that happened, in the order of time: events, and what became of the Pod and its containers.

use std::collections::HashMap;

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
    /// The container; none for the Pod as a whole.
    container: Option<String>,
    /// The container, or `pod`; with the Pod's name where there are several.
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

/// All of them, sorted. Where there are several Pods, containers have their Pod's name before theirs.
pub(super) fn all(timelines: &[PodTimeline]) -> Vec<Happening> {
    let clock = Clock::new(timelines);
    let mut all = Vec::new();
    for timeline in timelines {
        let mut own = of(timeline, clock);
        if timelines.len() > 1 {
            let pod = timeline.metadata.name.as_deref().unwrap_or_default();
            for happening in &mut own {
                happening.who = match &happening.container {
                    None => pod.to_owned(),
                    Some(container) => format!("{pod}/{container}"),
                };
            }
        }
        all.extend(own);
    }
    // Stable: what came at the same moment stays in the order of Pods and containers.
    all.sort_by_key(|happening| happening.at);
    folded(all)
}

/// What comes again and again is told twice at the begin and twice at the end; in between stands how much was left out.
fn folded(all: Vec<Happening>) -> Vec<Happening> {
    let key = |happening: &Happening| {
        let message = happening.message.split(", ran ").next().unwrap_or_default();
        // Numbers differ from time to time.
        let message = message
            .split(|c: char| c.is_ascii_digit())
            .filter(|part| !part.is_empty());
        let message = message.collect::<Vec<_>>().join("#");
        (happening.who.clone(), happening.what.clone(), message)
    };
    let mut counts = HashMap::new();
    for happening in &all {
        *counts.entry(key(happening)).or_insert(0_usize) += 1;
    }
    let mut seen = HashMap::new();
    let mut folded: Vec<Happening> = Vec::new();
    let mut left_out = 0_usize;
    let note = |folded: &mut Vec<Happening>, left_out: &mut usize, at: i64| {
        if *left_out > 0 {
            let message = format!("{left_out} more of these were left out here");
            folded.push(Happening {
                at,
                container: None,
                who: String::new(),
                what: "...".to_owned(),
                message,
                mood: Mood::Neutral,
            });
            *left_out = 0;
        }
    };
    for happening in all {
        let key = key(&happening);
        let count = counts.get(&key).copied().unwrap_or(0);
        let nth = seen.entry(key).or_insert(0_usize);
        *nth += 1;
        if count > FOLDED && *nth > KEPT && *nth <= count - KEPT {
            left_out += 1;
            continue;
        }
        note(&mut folded, &mut left_out, happening.at);
        folded.push(happening);
    }
    folded
}

/// What is left out is counted where it would stand; more than so many of a kind are folded.
const FOLDED: usize = 8;
/// How many of a kind are told at the begin, and as many at the end.
const KEPT: usize = 2;

/// Events of a run that begins.
const STARTING: [&str; 4] = ["Pulling", "Pulled", "Created", "Started"];

/// Those of one Pod.
fn of(timeline: &PodTimeline, clock: Clock) -> Vec<Happening> {
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
    all.extend(timeline.marks.iter().map(|mark| event(None, mark, clock)));
    for container in &timeline.containers {
        let name = &container.name;
        let marks = container.marks.iter().map(|mark| {
            let mut happening = event(Some(name), mark, clock);
            if mark.reason == "Started" {
                happening.at = before_ready(happening.at, container, clock);
            }
            happening
        });
        let mut own: Vec<Happening> = marks.collect();
        let mut changed = Vec::new();
        changes(container, clock, &mut changed);
        for change in changed {
            // An end at the very moment of the next start came before that.
            let next = own.iter().position(|other| {
                change.what == "ended" && other.at == change.at && STARTING.contains(&&*other.what)
            });
            own.insert(next.unwrap_or(own.len()), change);
        }
        all.extend(own);
        hooks(container, clock, &mut all);
    }
    all
}

/// When hooks began, and how long they took.
fn hooks(container: &ContainerTimeline, clock: Clock, all: &mut Vec<Happening>) {
    for span in &container.hooks {
        let (from, to) = clock.span(span);
        let message = match span.to {
            Some(_) => format!("took {}", axis::duration(to - from)),
            None => "runs".to_owned(),
        };
        all.push(Happening {
            at: from,
            container: Some(container.name.clone()),
            who: container.name.clone(),
            what: span.state.hook.clone(),
            message,
            mood: Mood::Neutral,
        });
    }
}

fn pod(at: i64, what: &str, message: String, mood: Mood) -> Happening {
    let (who, what) = ("pod".to_owned(), what.to_owned());
    Happening {
        at,
        container: None,
        who,
        what,
        message,
        mood,
    }
}

fn event(container: Option<&str>, mark: &Mark, clock: Clock) -> Happening {
    let again = match mark.last.filter(|_| mark.count > 1) {
        Some(last) => {
            let until = axis::duration(clock.at(last));
            format!(" (x{} until +{until})", mark.count)
        }
        None => String::new(),
    };
    Happening {
        at: clock.at(mark.time),
        container: container.map(str::to_owned),
        who: container.unwrap_or("pod").to_owned(),
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
                container: Some(who.clone()),
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
