//! Facts of upstream's tests of `computePodActions` (`pkg/kubelet/kuberuntime/kuberuntime_manager_test.go`, Kubernetes
//! 1.36.2): which containers a pass starts and stops, by the states it finds.
//!
//! Left out: states that a runner which starts its processes itself does not have (`Created`, `Unknown`, a sandbox without
//! an address), ephemeral containers and resizes in place. A policy that a row leaves open is `Always` here.

use std::sync::Arc;

use manifest::core::v1::{Container as Spec, Pod, Probe, RestartPolicy};

use super::*;
use crate::Options;
use crate::protocol::{Exit, ProbeOutcome};

mod apps;
mod beside;
mod entries;
mod restart_all;

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

/// Policies that the apps have of their own.
type Policies = [Option<RestartPolicy>; 3];

fn machine(
    policy: RestartPolicy,
    entries: Role,
    sandbox: bool,
    states: [State; 6],
    own: Policies,
) -> Machine {
    let probe = |has: bool| has.then(Probe::default);
    let spec = |i: usize, init: bool| Spec {
        name: format!("{}{i}", if init { "i" } else { "a" }),
        image: Some("image".to_owned()),
        restart_policy: match entries {
            Role::Sidecar if init => Some(Always),
            _ => i.checked_sub(3).and_then(|app| own[app]),
        },
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
    let facts = facts.into_iter();
    check_own(entries, facts.map(|fact| (fact, [None; 3])).collect());
}

fn check_own(entries: Role, facts: Vec<(Fact, Policies)>) {
    for ((name, policy, sandbox, states, expected), own) in facts {
        let machine = machine(policy, entries, sandbox, states, own);
        assert_eq!(
            deed(&machine),
            expected,
            "{name}: {states:?} under {policy} {own:?}"
        );
    }
}
