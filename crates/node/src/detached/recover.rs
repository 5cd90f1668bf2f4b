//! What the next command does about owners that are gone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use container::cgroup::{CgroupHandle, Cgroups};

use super::{Record, Starting};
use crate::endpoint;
use crate::node::NodeError;
use crate::paths::Paths;
use crate::pod::with_causes;
use crate::state::{self, Orphan};

/// How often a cgroup is cleared before it is left as it is.
const ROUNDS: u32 = 50;
const BETWEEN_ROUNDS: Duration = Duration::from_millis(10);
/// How long a supervisor may take to answer for its Pod before others go on without it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Clears away after owners that are gone, and gives their detached Pods new supervisors. Returns what people should
/// know, in sentences.
///
/// # Errors
/// When the state cannot be read at all.
pub fn recover(paths: &Paths) -> Result<Vec<String>, NodeError> {
    let mut notes = Vec::new();
    if !paths.pods().exists() && !paths.run.exists() {
        return Ok(notes);
    }
    let mut orphans = state::orphans(paths)?;
    await_owners(paths, &mut orphans)?;
    let any = !orphans.is_empty();
    let cgroups = Cgroups::detect().map_err(|source| NodeError::Path {
        step: "find the cgroups in",
        path: "/proc/self/mountinfo".into(),
        source,
    })?;
    let mut starting = Vec::new();
    for orphan in orphans {
        let mut left = clear_processes(paths, &cgroups, &orphan.uid);
        if orphan.paths.detached().exists() {
            match taken_over(paths, orphan) {
                Ok(begun) => starting.push(begun),
                Err(note) => notes.push(note),
            }
        } else if let Err(error) = state::remove_pod(paths, &orphan.paths) {
            left.push(with_causes(&error));
        }
        let left = left.into_iter();
        notes.extend(left.map(|what| format!("left by an earlier run: {what}")));
    }
    // A Pod has its directory before its cgroup: one without the other is nobody's.
    for (uid, cgroup) in cgroups.pods(paths.cgroup_base()) {
        if !paths.pod(&uid).dir.exists() {
            notes.extend(
                clear_cgroup(&uid, &cgroup)
                    .into_iter()
                    .map(|what| format!("left by an earlier run: {what}")),
            );
        }
    }
    cgroups.prune(paths.cgroup_base());
    state::prune_names(paths)?;
    endpoint::clear_dead(paths, any);
    for (what, begun) in starting {
        notes.push(match begun.ready() {
            Ok(()) => what,
            Err(error) => format!(
                "{what}, which failed: {} (the next command tries again, `pillion delete` ends it)",
                with_causes(&error)
            ),
        });
    }
    Ok(notes)
}

/// Waits for owners that are on their way in, started by another command, or on their way out: one that was killed needs a
/// moment until its lock is free, in which nobody answers for its Pod.
fn await_owners(paths: &Paths, orphans: &mut Vec<Orphan>) -> Result<(), NodeError> {
    let until = Instant::now() + ANSWERS_WITHIN;
    for uid in state::detached(paths) {
        let pod = paths.pod(&uid);
        if orphans.iter().any(|orphan| orphan.uid == uid) {
            continue;
        }
        while !endpoint::answers(paths, &uid) && pod.detached().exists() && Instant::now() < until {
            if let Some(ownership) = state::take(&pod)? {
                orphans.push(Orphan {
                    uid,
                    paths: pod,
                    ownership,
                });
                break;
            }
            std::thread::sleep(BETWEEN_ROUNDS);
        }
    }
    Ok(())
}

/// A new supervisor for a detached Pod, and what to say about it.
fn taken_over(paths: &Paths, orphan: Orphan) -> Result<(String, Starting), String> {
    let dir = orphan.paths.dir.display().to_string();
    let record = Record::new(orphan.paths.clone());
    let pod = record.pod().and_then(|pod| record.request().map(|_| pod));
    let pod = pod.map_err(|error| {
        format!(
            "the record of a detached Pod is damaged: {} (hint: remove {dir} to be rid of it)",
            with_causes(&error)
        )
    })?;
    let (namespace, name) = (pod.metadata.namespace, pod.metadata.name);
    let (Some(namespace), Some(name), true) = (
        namespace,
        name,
        pod.metadata.uid.as_ref() == Some(&orphan.uid) && !pod.spec.containers.is_empty(),
    ) else {
        return Err(format!(
            "the record of a detached Pod is damaged: {dir}/pod.json is not of this Pod (hint: remove {dir} to be rid of it)"
        ));
    };
    let why = if record.is_of_another_boot() {
        "this machine was started anew"
    } else {
        "its supervisor was gone"
    };
    let what = format!("pod/{name}: {why}; it was given a new one");
    let pod = format!("{namespace}/{name}");
    Starting::begin(paths, &orphan.uid, &pod, orphan.ownership)
        .map(|begun| (what.clone(), begun))
        .map_err(|error| format!("{what}, which failed: {}", with_causes(&error)))
}

pub(crate) fn clear_processes(paths: &Paths, cgroups: &Cgroups, uid: &str) -> Vec<String> {
    let mut left = Vec::new();
    let mine: HashMap<_, _> = cgroups.pods(paths.cgroup_base()).into_iter().collect();
    if let Some(cgroup) = mine.get(uid) {
        left.extend(clear_cgroup(uid, cgroup));
    }
    cgroups.prune(paths.cgroup_base());
    left
}

/// Kills what is in a Pod's cgroup and removes it.
///
/// A dying owner lets go of its lock a moment before its helpers are killed, and one of them may still enter the cgroup
/// that has just been found empty: then it is done once more.
fn clear_cgroup(uid: &str, cgroup: &CgroupHandle) -> Vec<String> {
    let mut left = Vec::new();
    for _ in 0..ROUNDS {
        left.clear();
        if let Err(error) = cgroup.kill() {
            left.push(format!("processes of Pod {uid}: {error}"));
        }
        match cgroup.remove() {
            Ok(()) => break,
            Err(error) => left.push(error.to_string()),
        }
        std::thread::sleep(BETWEEN_ROUNDS);
    }
    left
}
