//! Facts of upstream's tests of `computePodActions` (`pkg/kubelet/kuberuntime/kuberuntime_manager_test.go`, version of
//! 2026): which containers a pass starts and stops, by the states it finds.
//!
//! Left out: states that a runner which starts its processes itself does not have (`Created`, `Unknown`, a container
//! whose record is gone while later ones run) and ephemeral containers.

use std::sync::Arc;

use manifest::core::v1::{Container as Spec, Pod, Probe, RestartPolicy};

use super::*;
use crate::Options;
use crate::protocol::{Exit, ProbeOutcome};

/// The state of a container before the pass.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It never ran.
    No,
    /// It runs, and its probes have passed.
    Up,
    /// It runs, and its startup probe has not been answered.
    Unproven,
    /// It runs, and this probe failed.
    Failing(ProbeKind),
    /// It runs another image than the one in the spec.
    Changed,
    Ended(i32),
}

use ProbeKind::{Liveness, Startup};
use RestartPolicy::{Always, Never, OnFailure};
use State::{Changed, Ended, Failing, No, Unproven, Up};

/// What the pass is to do.
#[derive(Debug, PartialEq, Eq)]
enum Deed {
    Nothing,
    /// The Pod is stopped and nothing is started.
    StopPod,
    /// A new sandbox, and then these starts.
    NewSandbox(Vec<usize>),
    /// Stops of single containers, then starts; by position among all containers.
    Do(Vec<usize>, Vec<usize>),
}

fn starts(indices: &[usize]) -> Deed {
    Deed::Do(vec![], indices.to_vec())
}

fn machine(policy: RestartPolicy, entries: Role, sandbox: bool, states: [State; 6]) -> Machine {
    let probe = |has: bool| has.then(Probe::default);
    let spec = |i: usize, init: bool| Spec {
        name: format!("{}{i}", if init { "i" } else { "a" }),
        image: Some("image".to_owned()),
        restart_policy: (init && entries == Role::Sidecar).then_some(Always),
        startup_probe: probe(!init || i != 0 && entries == Role::Sidecar)
            .filter(|_| matches!(states[i], Unproven | Failing(Startup)) || init),
        liveness_probe: probe(!init || i != 0 && entries == Role::Sidecar),
        ..Spec::default()
    };
    let mut pod = Pod::default();
    pod.spec.restart_policy = Some(policy);
    pod.spec.init_containers = match entries {
        Role::App => Vec::new(),
        _ => (0..3).map(|i| spec(i, true)).collect(),
    };
    pod.spec.containers = (3..6).map(|i| spec(i, false)).collect();
    let skipped = 3 - pod.spec.init_containers.len();
    let mut machine = Machine::new(Arc::new(pod), Options::default(), Time(0));
    machine.sandbox.state = if sandbox {
        SandboxState::Ready
    } else {
        SandboxState::Stopped
    };
    machine.sandbox.attempts = 1;
    for (container, state) in machine.containers.iter_mut().zip(&states[skipped..]) {
        put(container, *state);
    }
    machine
}

fn put(container: &mut Container, state: State) {
    if matches!(state, No) {
        return;
    }
    let mut run = Run::new(0, &container.spec);
    (run.sandbox, run.started_at) = (1, Some(Time(0)));
    if let Ended(code) = state {
        run.end = Some(End {
            at: Some(Time(0)),
            exit: Exit {
                code,
                ..Exit::default()
            },
            reason: "Error".into(),
            message: None,
        });
    }
    if matches!(state, Changed) {
        run.spec_image = Some("other".to_owned());
    }
    let over = run.end.is_some();
    container.run = Some(run);
    container.next_instance = 1;
    for worker in container.workers.iter_mut().filter(|_| !over) {
        worker.attach(0);
        let fails = matches!(state, Failing(kind) if kind == worker.kind);
        let unproven = matches!(state, Unproven) && worker.kind == Startup;
        let times = if fails { 3 } else { u32::from(!unproven) };
        for _ in 0..times {
            worker.begin(Time(0));
            let outcome = if fails {
                ProbeOutcome::Failure
            } else {
                ProbeOutcome::Success
            };
            worker.answer(0, outcome, worker.kind != Startup, Time(0));
        }
    }
}

fn deed(machine: &Machine) -> Deed {
    let steps = machine.plan();
    let mut sandbox = false;
    let (mut stops, mut starts) = (Vec::new(), Vec::new());
    let skipped = 3 - machine.inits;
    for step in steps {
        match step {
            Step::StopSandbox => return Deed::StopPod,
            Step::CreateSandbox => sandbox = true,
            Step::Stop(some) => stops.extend(some.iter().map(|stop| stop.index + skipped)),
            Step::Start { index, .. } => starts.push(index + skipped),
            Step::StopAll { .. } | Step::RestartAll { .. } => {}
        }
    }
    match (sandbox, stops.is_empty() && starts.is_empty()) {
        (true, _) => Deed::NewSandbox(starts),
        (false, true) => Deed::Nothing,
        (false, false) => Deed::Do(stops, starts),
    }
}

type Fact = (&'static str, RestartPolicy, bool, [State; 6], Deed);

fn check(entries: Role, facts: Vec<Fact>) {
    for (name, policy, sandbox, states, expected) in facts {
        let machine = machine(policy, entries, sandbox, states);
        assert_eq!(
            deed(&machine),
            expected,
            "{name}: {states:?} under {policy}"
        );
    }
}

/// `TestComputePodActions`
#[test]
fn apps_only() {
    check(
        Role::App,
        vec![
            (
                "all run",
                Always,
                true,
                [No, No, No, Up, Up, Up],
                Deed::Nothing,
            ),
            (
                "new Pod",
                Always,
                false,
                [No, No, No, No, No, No],
                Deed::NewSandbox(vec![3, 4, 5]),
            ),
            (
                "one of them exited",
                Always,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                starts(&[3, 4]),
            ),
            (
                "only what failed",
                OnFailure,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                starts(&[4]),
            ),
            (
                "not restarted",
                Never,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                Deed::Nothing,
            ),
            (
                "sandbox died",
                Always,
                false,
                [No, No, No, Up, Up, Up],
                Deed::NewSandbox(vec![3, 4, 5]),
            ),
            (
                "sandbox died, what ended stays so",
                OnFailure,
                false,
                [No, No, No, Ended(0), Ended(1), Up],
                Deed::NewSandbox(vec![4, 5]),
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [No, No, No, Ended(0), Ended(1), Ended(0)],
                Deed::Nothing,
            ),
            (
                "all done",
                Never,
                true,
                [No, No, No, Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
            (
                "all failed",
                Never,
                true,
                [No, No, No, Ended(1), Ended(1), Ended(1)],
                Deed::StopPod,
            ),
            (
                "another image, even if it is never restarted",
                Never,
                true,
                [No, No, No, Up, Changed, Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "liveness failed",
                Always,
                true,
                [No, No, No, Up, Failing(Liveness), Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "startup failed",
                Always,
                true,
                [No, No, No, Up, Failing(Startup), Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "liveness failed, never again",
                Never,
                true,
                [No, No, No, Up, Failing(Liveness), Up],
                Deed::Do(vec![4], vec![]),
            ),
        ],
    );
}

/// `TestComputePodActionsWithInitContainers`
#[test]
fn with_init_containers() {
    check(
        Role::Init,
        vec![
            (
                "initialized",
                Always,
                true,
                [Ended(0), Ended(0), Ended(0), No, No, No],
                starts(&[3, 4, 5]),
            ),
            ("the first", Always, true, [No; 6], starts(&[0])),
            (
                "the next",
                Always,
                true,
                [Ended(0), No, No, No, No, No],
                starts(&[1]),
            ),
            (
                "one runs",
                Always,
                true,
                [Ended(0), Ended(0), Up, No, No, No],
                Deed::Nothing,
            ),
            (
                "one failed",
                Always,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "one failed",
                OnFailure,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "one failed",
                Never,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::StopPod,
            ),
            (
                "records of earlier ones are gone",
                Always,
                true,
                [No, No, Ended(0), No, No, No],
                starts(&[3, 4, 5]),
            ),
            (
                "apps run, whatever the records",
                Always,
                true,
                [No, No, No, Up, Up, Up],
                Deed::Nothing,
            ),
            (
                "an app is down",
                Always,
                true,
                [No, No, Ended(0), Up, Ended(1), Up],
                starts(&[4]),
            ),
            (
                "sandbox died",
                Always,
                false,
                [Ended(0), Ended(0), Ended(0), Up, Up, Up],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died",
                OnFailure,
                false,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::Nothing,
            ),
            (
                "all done",
                Never,
                true,
                [Ended(0), Ended(0), Ended(0), Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
        ],
    );
}

/// `TestComputePodActionsWithRestartableInitContainers`
#[test]
fn with_sidecars() {
    check(
        Role::Sidecar,
        vec![
            (
                "initialized",
                Always,
                true,
                [Up, Up, Up, No, No, No],
                starts(&[3, 4, 5]),
            ),
            ("the first", Always, true, [No; 6], starts(&[0])),
            (
                "the next",
                Always,
                true,
                [Up, No, No, No, No, No],
                starts(&[1]),
            ),
            (
                "liveness passed",
                Always,
                true,
                [Up, Up, No, No, No, No],
                starts(&[2]),
            ),
            (
                "not started yet",
                Always,
                true,
                [Up, Unproven, No, No, No, No],
                Deed::Nothing,
            ),
            (
                "liveness failed: what follows starts all the same",
                Always,
                true,
                [Up, Up, Failing(Liveness), No, No, No],
                Deed::Do(vec![2], vec![2, 3, 4, 5]),
            ),
            (
                "startup failed",
                Always,
                true,
                [Up, Up, Failing(Startup), No, No, No],
                Deed::Do(vec![2], vec![2]),
            ),
            (
                "another image",
                Always,
                true,
                [Up, Up, Changed, No, No, No],
                Deed::Do(vec![2], vec![2, 3, 4, 5]),
            ),
            (
                "two ended, the last too",
                Always,
                true,
                [Ended(0), Up, Ended(0), No, No, No],
                starts(&[0, 2]),
            ),
            (
                "the first ended",
                Always,
                true,
                [Ended(0), Up, Up, No, No, No],
                starts(&[0, 3, 4, 5]),
            ),
            (
                "the last failed",
                Never,
                true,
                [Up, Up, Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "the last failed beside apps",
                Never,
                true,
                [Up, Up, Ended(137), Up, Up, Up],
                starts(&[2]),
            ),
            (
                "all done",
                Never,
                true,
                [Up, Up, Up, Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
            (
                "records of earlier ones are gone",
                Always,
                true,
                [No, No, Up, No, No, No],
                starts(&[0, 1, 3, 4, 5]),
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::Nothing,
            ),
            (
                "sandbox died, nothing ever ran",
                Never,
                false,
                [No; 6],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died",
                OnFailure,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died",
                Always,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
        ],
    );
}
