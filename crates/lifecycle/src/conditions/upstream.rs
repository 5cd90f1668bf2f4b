//! Facts of upstream's tests of conditions (`pkg/kubelet/status/generate_test.go`, Kubernetes 1.36.2).
//!
//! Left out: containers without any status, which there are none of here (R10.8), and readiness gates that somebody has set.

use std::sync::Arc;

use manifest::core::v1::{Container as Spec, Pod, PodReadinessGate, Probe, RestartPolicy};

use PodPhase::{Failed, Pending, Running, Succeeded};
use Role::{App, Init, Sidecar};
use State::{Done, NotReady, NotStarted, Ready, Waiting};

use super::*;
use crate::container::{End, Run};
use crate::protocol::Exit;
use crate::{Options, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It never ran.
    Waiting,
    /// It runs, and its startup probe has not been answered.
    NotStarted,
    /// It is started, and its readiness probe has failed.
    NotReady,
    Ready,
    /// It ended with 0.
    Done,
}

fn machine(phase: PodPhase, containers: &[(Role, &str, State)], gates: &[&str]) -> Machine {
    let spec = |&(role, name, state): &(Role, &str, State)| Spec {
        name: name.to_owned(),
        restart_policy: (role == Sidecar).then_some(RestartPolicy::Always),
        startup_probe: (state == NotStarted).then(Probe::default),
        readiness_probe: (state == NotReady).then(Probe::default),
        ..Spec::default()
    };
    let (apps, entries): (Vec<_>, Vec<_>) =
        containers.iter().partition(|container| container.0 == App);
    let mut pod = Pod::default();
    pod.spec.init_containers = entries.into_iter().map(spec).collect();
    pod.spec.containers = apps.into_iter().map(spec).collect();
    pod.spec.readiness_gates = gates
        .iter()
        .map(|gate| PodReadinessGate {
            condition_type: (*gate).to_owned(),
        })
        .collect();
    let mut machine = Machine::new(Arc::new(pod), Options::default(), Time(0));
    machine.shown_phase = phase;
    for (role, name, state) in containers {
        if *state == Waiting {
            continue;
        }
        machine.app_was_started |= *role == App;
        let found = machine.containers.iter_mut().find(|c| c.name() == *name);
        let container = found.expect("a container of the Pod");
        let mut run = Run::new(0, &container.spec);
        run.end = (*state == Done).then(|| End {
            at: Some(Time(0)),
            exit: Exit::default(),
            reason: "Completed".into(),
            message: None,
        });
        container.run = Some(run);
        container.workers.iter_mut().for_each(|w| w.attach(0));
    }
    machine
}

fn told(found: &Found) -> (bool, &str, &str) {
    let message = found.message.as_deref().unwrap_or_default();
    let holds = found.status == ConditionStatus::True;
    (holds, found.reason.unwrap_or_default(), message)
}

/// `TestGenerateContainersReadyCondition`
#[test]
fn containers_ready() {
    for (phase, containers, expected) in [
        (
            Running,
            vec![(App, "1234", Ready), (App, "5678", Ready)],
            (true, "", ""),
        ),
        (
            Running,
            vec![(App, "1234", Ready), (App, "5678", NotReady)],
            (
                false,
                "ContainersNotReady",
                "containers with unready status: [5678]",
            ),
        ),
        (
            Succeeded,
            vec![(App, "1234", Done)],
            (false, "PodCompleted", ""),
        ),
        (
            Running,
            vec![
                (Sidecar, "restartable-init-1", Ready),
                (Sidecar, "restartable-init-2", Ready),
                (App, "regular-1", Ready),
            ],
            (true, "", ""),
        ),
        (
            Running,
            vec![
                (Sidecar, "restartable-init-1", Ready),
                (Sidecar, "restartable-init-2", NotReady),
                (App, "regular-1", Ready),
            ],
            (
                false,
                "ContainersNotReady",
                "containers with unready status: [restartable-init-2]",
            ),
        ),
    ] {
        let found = machine(phase, &containers, &[]).containers_ready();
        assert_eq!(told(&found), expected, "{containers:?}");
    }
}

/// `TestGeneratePodReadyCondition`
#[test]
fn ready() {
    let not_ready = "containers with unready status: [1234]";
    let missing = "corresponding condition of pod readiness gate \"gate1\" does not exist.";
    let both = "corresponding condition of pod readiness gate \"gate1\" does not exist., \
        corresponding condition of pod readiness gate \"gate2\" does not exist.";
    for (phase, state, gates, expected) in [
        (Running, Ready, vec![], (true, "", "")),
        (
            Running,
            NotReady,
            vec![],
            (false, "ContainersNotReady", not_ready),
        ),
        (Succeeded, Done, vec![], (false, "PodCompleted", "")),
        (
            Running,
            Ready,
            vec!["gate1"],
            (false, "ReadinessGatesNotReady", missing),
        ),
        (
            Running,
            NotReady,
            vec!["gate1"],
            (false, "ContainersNotReady", not_ready),
        ),
        (
            Running,
            Ready,
            vec!["gate1", "gate2"],
            (false, "ReadinessGatesNotReady", both),
        ),
    ] {
        let machine = machine(phase, &[(App, "1234", state)], &gates);
        let found = machine.ready(&machine.containers_ready());
        assert_eq!(told(&found), expected, "{state:?} {gates:?}");
    }
}

/// `TestGeneratePodInitializedCondition`, which does not look at messages.
#[test]
fn initialized() {
    for (phase, containers, expected) in [
        (Running, vec![], (true, "")),
        (
            Running,
            vec![(Init, "1234", Done), (Init, "5678", Done)],
            (true, ""),
        ),
        (
            Running,
            vec![(Init, "1234", Done), (Init, "5678", Waiting)],
            (false, "ContainersNotInitialized"),
        ),
        (
            Running,
            vec![(Init, "1234", Done), (Init, "5678", Ready)],
            (false, "ContainersNotInitialized"),
        ),
        (
            Succeeded,
            vec![(Init, "1234", Done)],
            (true, "PodCompleted"),
        ),
        (
            Pending,
            vec![(Sidecar, "1234", NotStarted)],
            (false, "ContainersNotInitialized"),
        ),
        (Running, vec![(Sidecar, "1234", Ready)], (true, "")),
        (
            Running,
            vec![(Sidecar, "1234", NotStarted), (App, "regular", Ready)],
            (true, ""),
        ),
        (
            Running,
            vec![(Init, "1234", Waiting), (App, "regular", Done)],
            (true, ""),
        ),
    ] {
        let found = machine(phase, &containers, &[]).initialized();
        let (holds, reason, _) = told(&found);
        assert_eq!((holds, reason), expected, "{containers:?}");
    }
}

/// `TestGenerateAllContainersRestartingCondition`
#[test]
fn all_containers_restarting() {
    let started = (
        true,
        "RestartAllContainersStarted",
        "container exited with restart policy rule",
    );
    for (phase, restarting, expected) in [
        (Pending, false, (false, "", "")),
        (Failed, false, (false, "PodFailed", "")),
        (Succeeded, false, (false, "PodCompleted", "")),
        (Running, true, started),
    ] {
        let mut machine = machine(phase, &[(App, "trigger", Ready)], &[]);
        machine.restarting_all = restarting;
        assert_eq!(
            told(&machine.all_containers_restarting()),
            expected,
            "{phase}"
        );
    }
}
