//! The Pod's phase (section 9), after upstream's `getPhase`.

use manifest::core::v1::PodPhase;

use crate::container::{Container, Role};
use crate::machine::{Machine, Stage};
use crate::{events, restart};

#[cfg(test)]
mod upstream;

/// How the Pod ended; never changes again (R9.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) phase: PodPhase,
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: Option<&'static str>,
}

/// A phase, with the question that all ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phase(pub(crate) PodPhase);

impl Phase {
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self.0, PodPhase::Succeeded | PodPhase::Failed)
    }
}

/// A container as far as the phase looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// It waits for its first start.
    Waiting,
    /// It runs; a sidecar may not be started yet.
    Running { started: bool },
    /// It ended, or waits for a restart.
    Stopped { code: i32, restarts: bool },
}

impl Machine {
    /// The phase as it follows from the containers now, which may be terminal while some still run.
    pub(crate) fn phase(&self) -> Phase {
        Phase(phase(&self.views(), self.app_was_started, false))
    }

    /// How the Pod ends. What never came so far as to have an end failed (R8.16, R8.17).
    pub(crate) fn final_outcome(&self) -> Outcome {
        if self.deadline_exceeded {
            return Outcome {
                phase: PodPhase::Failed,
                reason: Some(events::DEADLINE_EXCEEDED),
                message: Some(events::DEADLINE_MESSAGE),
            };
        }
        let phase = match phase(&self.views(), self.app_was_started, true) {
            PodPhase::Succeeded => PodPhase::Succeeded,
            _ => PodPhase::Failed,
        };
        Outcome {
            phase,
            reason: None,
            message: None,
        }
    }

    fn views(&self) -> Vec<(Role, View)> {
        self.containers
            .iter()
            .map(|container| (container.role, self.view(container)))
            .collect()
    }

    fn view(&self, container: &Container) -> View {
        if container.is_running() {
            return View::Running {
                started: container.is_started(),
            };
        }
        let pod = &self.pod.spec;
        match (container.ended(), &container.previous) {
            (Some(end), _) => {
                let code = end.exit.code;
                let restarts = restart::restarts_after(&container.spec, pod, code);
                View::Stopped { code, restarts }
            }
            // Its record is gone (R20.8): it will run again. For an init that is a first start.
            (None, Some(run)) if container.role != Role::Init && self.stage == Stage::Active => {
                View::Stopped {
                    code: run.end.as_ref().map_or(0, |e| e.exit.code),
                    restarts: true,
                }
            }
            _ => View::Waiting,
        }
    }
}

/// `app_was_started`: some app has ever run. `over`: nothing will be started any more.
fn phase(views: &[(Role, View)], app_was_started: bool, over: bool) -> PodPhase {
    let count = |role: Role, what: &dyn Fn(View) -> bool| {
        views
            .iter()
            .filter(|(r, view)| *r == role && what(*view))
            .count()
    };
    let failed = |view| matches!(view, View::Stopped { code, .. } if code != 0);
    let failed_for_good =
        |view| matches!(view, View::Stopped { code, restarts: false } if code != 0);
    let waiting = |view| view == View::Waiting;
    let running = |view| matches!(view, View::Running { .. });
    let stopped = |view| matches!(view, View::Stopped { .. });

    if count(Role::Init, &failed_for_good) > 0 {
        return PodPhase::Failed;
    }
    let unfinished = |view| waiting(view) || running(view) || failed(view);
    let pending_sidecar = |view| waiting(view) || view == (View::Running { started: false });
    if count(Role::Init, &unfinished) > 0
        || (count(Role::Sidecar, &pending_sidecar) > 0 && !app_was_started)
        || count(Role::App, &waiting) + count(Role::Sidecar, &waiting) > 0
    {
        return PodPhase::Pending;
    }
    // R9.6: a sidecar that runs counts, one that is down does not.
    if count(Role::App, &running) + count(Role::Sidecar, &running) > 0 {
        return PodPhase::Running;
    }
    let restarts = |view| matches!(view, View::Stopped { restarts: true, .. });
    if !over && count(Role::App, &restarts) > 0 {
        return PodPhase::Running;
    }
    match (count(Role::App, &stopped), count(Role::App, &failed)) {
        (0, _) => PodPhase::Pending,
        (_, 0) => PodPhase::Succeeded,
        _ => PodPhase::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: View = View::Waiting;
    const UP: View = View::Running { started: true };
    const STARTING: View = View::Running { started: false };

    const fn ended(code: i32) -> View {
        View::Stopped {
            code,
            restarts: false,
        }
    }

    const fn again(code: i32) -> View {
        View::Stopped {
            code,
            restarts: true,
        }
    }

    /// Facts of upstream's `TestPodPhaseWithRestartAlways`, `...Never`, `...OnFailure`,
    /// `...AlwaysInitContainers` and `...AlwaysRestartableInitContainers` (`kubelet_pods_test.go`).
    #[test]
    fn r9_phase_follows_from_container_states() {
        use PodPhase::{Failed, Pending, Running, Succeeded};
        use Role::{App, Init, Sidecar};
        type Case<'a> = (&'a str, &'a [(Role, View)], bool, PodPhase);
        let cases: &[Case<'_>] = &[
            (
                "all apps wait",
                &[(App, WAITING), (App, WAITING)],
                false,
                Pending,
            ),
            ("one app waits", &[(App, UP), (App, WAITING)], true, Pending),
            ("all run", &[(App, UP), (App, UP)], true, Running),
            (
                "r9_5 all down, restarting",
                &[(App, again(0)), (App, again(1))],
                true,
                Running,
            ),
            (
                "r9_2 one restarts",
                &[(App, ended(0)), (App, again(1))],
                true,
                Running,
            ),
            (
                "r9_7 one runs",
                &[(App, ended(1)), (App, UP)],
                true,
                Running,
            ),
            (
                "r9_3 all 0",
                &[(App, ended(0)), (App, ended(0))],
                true,
                Succeeded,
            ),
            (
                "r9_3 one failed",
                &[(App, ended(0)), (App, ended(1))],
                true,
                Failed,
            ),
            (
                "r9_1 init runs",
                &[(Init, UP), (App, WAITING)],
                false,
                Pending,
            ),
            (
                "r9_4 init failed",
                &[(Init, ended(1)), (App, WAITING)],
                false,
                Failed,
            ),
            (
                "r2_2 init retries",
                &[(Init, again(1)), (App, WAITING)],
                false,
                Pending,
            ),
            (
                "r9_1 sidecar starts",
                &[(Sidecar, STARTING), (App, WAITING)],
                false,
                Pending,
            ),
            (
                "r4_3 sidecar starts again",
                &[(Sidecar, STARTING), (App, UP)],
                true,
                Running,
            ),
            (
                "r4_3 sidecar is down",
                &[(Sidecar, again(1)), (App, UP)],
                true,
                Running,
            ),
            (
                "r9_6 sidecar runs",
                &[(Sidecar, UP), (App, ended(0))],
                true,
                Running,
            ),
            (
                "r4_5 sidecar failed",
                &[(Sidecar, again(137)), (App, ended(0))],
                true,
                Succeeded,
            ),
        ];
        for (name, views, started, expected) in cases {
            assert_eq!(
                phase(views, *started, false),
                *expected,
                "{name}: {views:?}"
            );
        }
    }

    #[test]
    fn r8_16_after_a_deletion_only_codes_of_apps_count() {
        let views = [(Role::Sidecar, again(1)), (Role::App, again(0))];
        assert_eq!(phase(&views, true, true), PodPhase::Succeeded);
        assert_eq!(
            phase(&[(Role::App, again(143))], true, true),
            PodPhase::Failed
        );
    }
}
