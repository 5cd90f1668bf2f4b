//! Facts of upstream's tests of `getPhase` (`pkg/kubelet/kubelet_pods_test.go`, version of 2026): a Pod's phase by the
//! states of its containers, for each of the restart policies.
//!
//! A container without status is one that waits. What ended and waits for its restart counts as ended.

use manifest::core::v1::RestartPolicy::{self, Always, Never, OnFailure};

use super::*;

/// States of upstream's tests.
#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    /// Running, `started` unset.
    Running,
    Started,
    /// Ended, or waiting after such an end.
    Ended(i32),
}

use PodPhase::{Failed, Pending, Succeeded};
use State::{Ended, Running, Started, Waiting};

const UP: PodPhase = PodPhase::Running;

/// One fact: states of the init entries and of the apps, whether nothing is started any more, and the phase.
type Fact = (&'static [State], [State; 2], bool, PodPhase);

#[track_caller]
fn check(policy: RestartPolicy, entry: Role, facts: &[Fact]) {
    for (i, (entries, apps, over, expected)) in facts.iter().enumerate() {
        let entries = entries.iter().map(|state| (entry, *state));
        let apps = apps.iter().map(|state| (Role::App, *state));
        let all: Vec<_> = entries.chain(apps).collect();
        let view = |(role, state): (Role, State)| match state {
            Waiting => View::Waiting,
            Running => View::Running {
                started: role == Role::App,
            },
            Started => View::Running { started: true },
            Ended(code) => {
                let restarts = match role {
                    Role::Sidecar => true,
                    Role::Init => code != 0 && policy != Never,
                    Role::App => policy == Always || (policy == OnFailure && code != 0),
                };
                View::Stopped { code, restarts }
            }
        };
        let ran = all
            .iter()
            .any(|(role, state)| *role == Role::App && !matches!(state, Waiting));
        let views: Vec<_> = all.iter().map(|member| (member.0, view(*member))).collect();
        assert_eq!(
            phase(&views, ran, *over),
            *expected,
            "{policy} #{i}: {all:?}"
        );
    }
}

/// `TestPodPhaseWithRestartAlways`
#[test]
fn always() {
    check(
        Always,
        Role::Init,
        &[
            (&[], [Waiting, Waiting], false, Pending),
            (&[], [Running, Running], false, UP),
            (&[], [Ended(0), Ended(0)], false, UP),
            (&[], [Ended(0), Ended(0)], true, Succeeded),
            (&[], [Ended(0), Ended(-1)], true, Failed),
            (&[], [Running, Ended(0)], false, UP),
            (&[], [Running, Waiting], false, Pending),
        ],
    );
}

/// `TestPodPhaseWithRestartAlwaysInitContainers`
#[test]
fn always_with_init() {
    check(
        Always,
        Role::Init,
        &[
            (&[Waiting], [Waiting, Waiting], false, Pending),
            (&[Running], [Waiting, Waiting], false, Pending),
            (&[Ended(-1)], [Waiting, Waiting], false, Pending),
            (&[Ended(0)], [Waiting, Waiting], false, Pending),
            (&[Ended(0)], [Running, Running], false, UP),
        ],
    );
}

/// `TestPodPhaseWithRestartAlwaysRestartableInitContainers`
#[test]
fn always_with_sidecar() {
    check(
        Always,
        Role::Sidecar,
        &[
            (&[Waiting], [Waiting, Waiting], false, Pending),
            (&[Running], [Waiting, Waiting], false, Pending),
            (&[Ended(0)], [Waiting, Waiting], false, Pending),
            (&[Ended(-1)], [Waiting, Waiting], false, Pending),
            (&[Started], [Running, Waiting], false, Pending),
            (&[Started], [Running, Running], false, UP),
            (&[Running], [Running, Running], false, UP),
            (&[Ended(0)], [Running, Running], false, UP),
            (&[Ended(-1)], [Ended(0), Ended(0)], true, Succeeded),
            (&[Ended(0)], [Ended(0), Ended(0)], true, Succeeded),
        ],
    );
}

/// `TestPodPhaseWithRestartNever`
#[test]
fn never() {
    check(
        Never,
        Role::Init,
        &[
            (&[], [Waiting, Waiting], false, Pending),
            (&[], [Running, Running], false, UP),
            (&[], [Ended(0), Ended(0)], false, Succeeded),
            (&[], [Ended(-1), Ended(-1)], false, Failed),
            (&[], [Running, Ended(0)], false, UP),
            (&[], [Running, Waiting], false, Pending),
        ],
    );
}

/// `TestPodPhaseWithRestartNeverInitContainers`
#[test]
fn never_with_init() {
    check(
        Never,
        Role::Init,
        &[
            (&[Waiting], [Waiting, Waiting], false, Pending),
            (&[Running], [Waiting, Waiting], false, Pending),
            (&[Ended(-1)], [Waiting, Waiting], false, Failed),
            (&[Ended(0)], [Waiting, Waiting], false, Pending),
            (&[Ended(0)], [Running, Running], false, UP),
        ],
    );
}

/// `TestPodPhaseWithRestartNeverRestartableInitContainers`
#[test]
fn never_with_sidecar() {
    check(
        Never,
        Role::Sidecar,
        &[
            (&[Waiting], [Waiting, Waiting], false, Pending),
            (&[Running], [Waiting, Waiting], false, Pending),
            (&[Ended(0)], [Waiting, Waiting], false, Pending),
            (&[Ended(-1)], [Waiting, Waiting], false, Pending),
            (&[Started], [Running, Waiting], false, Pending),
            (&[Started], [Ended(0), Ended(0)], false, UP),
            (&[Running], [Ended(0), Ended(0)], false, UP),
            (&[Ended(0)], [Ended(0), Ended(0)], false, Succeeded),
            (&[Ended(-1)], [Ended(0), Ended(0)], false, Succeeded),
        ],
    );
}

/// `TestPodPhaseWithRestartOnFailure`
#[test]
fn on_failure() {
    check(
        OnFailure,
        Role::Init,
        &[
            (&[], [Waiting, Waiting], false, Pending),
            (&[], [Running, Running], false, UP),
            (&[], [Ended(0), Ended(0)], false, Succeeded),
            (&[], [Ended(-1), Ended(-1)], false, UP),
            (&[], [Running, Ended(0)], false, UP),
            (&[], [Running, Waiting], false, Pending),
        ],
    );
}

/// `TestPodPhaseWithRestartAlwaysAndPodHasRun`: an init container that runs (again) makes the Pod Pending, a sidecar
/// that is not started does not.
#[test]
fn always_and_the_pod_has_run() {
    const INIT: (Role, View) = (Role::Init, View::Running { started: false });
    const DONE: (Role, View) = (
        Role::Init,
        View::Stopped {
            code: 0,
            restarts: false,
        },
    );
    const SIDECAR: (Role, View) = (Role::Sidecar, View::Running { started: false });
    const APP: (Role, View) = (Role::App, View::Running { started: true });
    const DOWN: (Role, View) = (
        Role::App,
        View::Stopped {
            code: 0,
            restarts: true,
        },
    );
    for (views, expected) in [
        ([INIT, SIDECAR, APP], Pending),
        ([INIT, SIDECAR, DOWN], Pending),
        ([DONE, SIDECAR, DOWN], UP),
        ([DONE, SIDECAR, APP], UP),
    ] {
        assert_eq!(phase(&views, true, false), expected, "{views:?}");
    }
}
