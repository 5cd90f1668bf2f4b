//! The gist of a simulation.

use std::time::Duration;

use manifest::core::v1::PodStatus;

use super::{distance, has_ended};
use crate::Time;
use crate::columns;
use crate::plan;
use crate::sim::{Scripted, Simulator};
use crate::waits::WaitKind;

/// The gist, a sentence each.
pub(super) fn summary(
    sim: &Simulator<Scripted>,
    readiness: &[(Time, bool)],
    begin: Time,
    end: Time,
) -> Vec<String> {
    let status = sim.status();
    let now = sim.now();
    let mut sentences = Vec::new();
    let pod = sim.machine().pod();
    for entry in plan::entries(&pod.spec) {
        sentences.extend(restarts(sim, &status, entry.name(), begin, end));
    }
    sentences.push(ready(readiness, begin, now));
    let columns = columns::columns(&pod.spec, &status, sim.machine().is_deleting(), now);
    let after = distance(now - begin);
    sentences.push(if sim.machine().is_finished() || has_ended(&status) {
        format!(
            "The Pod is {} after {after}, and stays so.",
            status.phase.unwrap_or_default()
        )
    } else {
        format!(
            "After {after} it shows {} {} and goes on.",
            columns.ready, columns.status
        )
    });
    sentences
}

fn restarts(
    sim: &Simulator<Scripted>,
    status: &PodStatus,
    name: &str,
    begin: Time,
    end: Time,
) -> Option<String> {
    let mut statuses = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    let restarts = statuses.find(|status| status.name == name)?.restart_count;
    let waits = sim.machine().waits(sim.now());
    let wait = waits
        .iter()
        .find(|wait| wait.container.as_deref() == Some(name));
    let next = wait
        .filter(|wait| wait.kind == WaitKind::RestartBackOff)
        .and_then(|wait| wait.until());
    if restarts == 0 && next.is_none() {
        return None;
    }
    let times = match restarts {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let mut text = format!(
        "{name} is restarted {times} in {}",
        distance(sim.now() - begin)
    );
    let run = u32::try_from(restarts).unwrap_or(0);
    let delay = |run: u32| Some(sim.started(name, run)? - sim.exited(name, run.checked_sub(1)?)?);
    match (next, delay(run)) {
        (Some(next), _) => {
            let since = sim
                .exited(name, run)
                .map(|ended| format!(", {} after its end", distance(next - ended)));
            let more = if next > end {
                "the next restart would come"
            } else {
                "the next restart comes"
            };
            text.push_str(&format!(
                "; {more} at {}{}",
                distance(next - begin),
                since.unwrap_or_default()
            ));
        }
        (None, Some(delay)) if delay >= Duration::from_secs(1) => {
            text.push_str(&format!(
                "; the last one came {} after its end",
                distance(delay)
            ));
        }
        _ => {}
    }
    Some(format!("{text}."))
}

fn ready(readiness: &[(Time, bool)], begin: Time, end: Time) -> String {
    let Some((first, _)) = readiness.iter().find(|(_, ready)| *ready) else {
        return "The Pod is never Ready.".to_owned();
    };
    let mut total = Duration::ZERO;
    for (position, (at, ready)) in readiness.iter().enumerate() {
        let until = readiness.get(position + 1).map_or(end, |(next, _)| *next);
        if *ready {
            total += until - *at;
        }
    }
    format!(
        "The Pod is Ready after {}, for {} of {}.",
        distance(*first - begin),
        distance(total),
        distance(end - begin)
    )
}
