//! What holds for every Pod, whatever its processes, probes and hooks do and whenever it is deleted.
//!
//! `PROPTEST_CASES` says with how many Pods each property is tried. A failure prints the Pod, made as small as it
//! can be, and its timeline; `PROPTEST_RNG_SEED`, which it names, tries it again.

use lifecycle::{Exit, Input, ProbeKind, ProbeOutcome, Time};
use proptest::prelude::*;

use crate::story::{Story, a_story};
use hold::{hold, pods};
use play::{Fault, play, undisturbed};
use tell::tell;

mod hold;
mod laws;
mod monitor;
mod play;
mod statuses;
mod tell;
mod track;

/// Fails with what is told.
#[track_caller]
fn holds(found: Result<(), String>) {
    let told = found.err();
    assert!(told.is_none(), "{}", told.unwrap_or_default());
}

#[test]
fn every_pod_keeps_the_rules() {
    let law = |story: &Story| play(story, &[], None);
    holds(hold(a_story, 2 * pods(), law, |story| {
        tell(story, &[], None)
    }));
}

/// R1.11, R21.2: whenever its runner is killed, and however old the record is.
#[test]
fn every_pod_keeps_the_rules_when_its_runner_is_killed() {
    let crash = (0..100_000u64, 0..20_000u64, 0..4usize);
    let stories = || (a_story(), prop::collection::vec(crash.clone(), 1..4));
    let law = |(story, crashes): &(Story, Vec<_>)| play(story, crashes, None);
    holds(hold(stories, pods(), law, |(story, crashes)| {
        tell(story, crashes, None)
    }));
}

/// The machine needs no wake-up but those it asks for: any other changes nothing, whenever it comes.
#[test]
fn a_needless_wake_up_changes_nothing() {
    let sorted = |mut moments: Vec<u64>| {
        moments.sort_unstable();
        moments
    };
    let moments = || prop::collection::vec(0..90_000u64, 0..20).prop_map(sorted);
    let law = |(story, at): &(Story, Vec<u64>)| undisturbed(story, at);
    let stories = || (a_story(), moments());
    holds(hold(stories, pods(), law, |(story, _)| {
        tell(story, &[], None)
    }));
}

/// A law that does not hold is found, and the Pod that broke it is told, made as small as it can be.
#[test]
fn a_broken_law_is_found_and_told() {
    let fault = Some(Fault::LosesDeletions);
    let law = |story: &Story| play(story, &[], fault);
    let told = hold(a_story, 1000, law, |story| tell(story, &[], fault));
    let told = told.expect_err("nobody noticed that deletions are lost");
    for part in [
        "R8.2: not finished",
        "PROPTEST_RNG_SEED=",
        "kind: Pod",
        "\n  - image: a0:1\n    name: a0\n",
        "container a0",
        "Started { container: \"a0\"",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
    assert!(!told.contains("name: a1"), "not made smaller:\n{told}");
    assert!(
        !told.contains("initContainers"),
        "not made smaller:\n{told}"
    );
}

/// Inputs that make no sense are ignored, whatever they say.
#[test]
fn inputs_out_of_place_do_no_harm() {
    let noise = || prop::collection::vec((0..60_000u64, 0..7usize, 0..4u32, 0..8u8), 0..20);
    let law = |(story, noise): &(Story, Vec<(u64, usize, u32, u8)>)| {
        let mut noise = noise.clone();
        noise.sort_unstable();
        let mut sim = story.builder().sim();
        for (at, container, instance, kind) in noise {
            let mut steps = 0;
            while sim.advance(Time(at as i64)) && steps < 20_000 {
                steps += 1;
            }
            sim.inject(out_of_place(&format!("a{container}"), instance, kind));
            let _ = (sim.status(), sim.machine().waits(sim.now()));
        }
        Ok(())
    };
    let stories = || (a_story(), noise());
    holds(hold(stories, pods(), law, |(story, _)| {
        tell(story, &[], None)
    }));
}

fn out_of_place(container: &str, instance: u32, kind: u8) -> Input {
    let container = container.to_owned();
    match kind {
        0 => Input::SandboxReady { ips: Vec::new() },
        1 => Input::SandboxStopped,
        2 => Input::Started {
            container,
            instance,
            container_id: String::new(),
            image_id: String::new(),
            image: String::new(),
        },
        3 => Input::Exited {
            container,
            instance,
            exit: Exit::default(),
            message: None,
        },
        4 => Input::ProbeDone {
            container,
            instance,
            probe: ProbeKind::Liveness,
            outcome: ProbeOutcome::Failure,
            output: String::new(),
        },
        5 => Input::HookDone {
            container,
            instance,
            hook: lifecycle::HookKind::PreStop,
            result: Ok(()),
        },
        6 => Input::Delete {
            grace_seconds: Some(i64::MAX),
        },
        _ => Input::KillNow,
    }
}
