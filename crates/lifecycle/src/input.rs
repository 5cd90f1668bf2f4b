//! How each input changes the machine. What follows from the change is decided afterwards.

use std::sync::Arc;

use manifest::core::v1::Pod;

use crate::backoff::BackOff;
use crate::container::{Container, End, StartStage, probe_of};
use crate::machine::{Deletion, Machine, Stage};
use crate::probe::{Answer, Settings};
use crate::protocol::{Action, Exit, Input, Instance, ProbeKind, ProbeOutcome};
use crate::sandbox::SandboxState;
use crate::start::Ids;
use crate::terminate::{Stop, StopStage};
use crate::{Time, events, message};

impl Machine {
    pub(crate) fn take_in(&mut self, input: Input) {
        match input {
            Input::Wake => {}
            Input::SandboxReady { ips } => {
                if self.sandbox.state == SandboxState::Creating {
                    self.sandbox_ready(ips);
                }
            }
            Input::SandboxFailed { reason, message } => {
                if self.sandbox.state == SandboxState::Creating {
                    self.sandbox_failed(&reason, message);
                }
            }
            Input::SandboxStopped => self.sandbox_stopped(),
            Input::Started {
                container,
                instance,
                container_id,
                image_id,
                image,
            } => {
                if let Some(i) = self.index(&container) {
                    self.started(
                        i,
                        instance,
                        Ids {
                            container_id,
                            image_id,
                            image,
                        },
                    );
                }
            }
            Input::StartFailed {
                container,
                instance,
                failure,
                message,
            } => {
                if let Some(i) = self.index(&container) {
                    self.start_failed(i, instance, failure, message);
                }
            }
            Input::Exited {
                container,
                instance,
                exit,
                message,
            } => {
                if let Some(i) = self.index(&container) {
                    self.exited(i, instance, exit, message);
                }
            }
            Input::ProbeDone {
                container,
                instance,
                probe,
                outcome,
                output,
            } => {
                if let Some(i) = self.index(&container) {
                    self.probe_done(i, instance, probe, outcome, &output);
                }
            }
            Input::HookDone {
                container,
                instance,
                hook,
                result,
            } => {
                if let Some(i) = self.index(&container) {
                    self.hook_done(i, instance, hook, result);
                }
            }
            Input::HookFellBack { container, server } => {
                self.emit(events::hook_fell_back(&container, &server));
            }
            Input::Delete { grace_seconds } => self.delete(grace_seconds),
            Input::KillNow => self.kill_all_now(),
            Input::ObjectsChanged => self.retry_now(),
            Input::SpecChanged { pod } => self.spec_changed(pod),
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.containers
            .iter()
            .position(|container| container.name() == name)
    }

    /// Asked for, or the sandbox died by itself.
    fn sandbox_stopped(&mut self) {
        if matches!(
            self.sandbox.state,
            SandboxState::Stopping | SandboxState::Ready
        ) {
            self.set_sandbox(SandboxState::Stopped);
            self.dirty = true;
        }
    }

    /// A process ended.
    fn exited(&mut self, i: usize, instance: Instance, exit: Exit, text: Option<String>) {
        let now = self.now;
        let Some(run) = self.containers[i]
            .run_mut(instance)
            .filter(|run| run.end.is_none())
        else {
            return;
        };
        let reason = match exit {
            // Also with code 0: on cgroup v1 another process of it may have been the victim (R13.9).
            Exit {
                oom_killed: true, ..
            } => "OOMKilled",
            Exit { code: 0, .. } => "Completed",
            _ => "Error",
        };
        run.end = Some(End {
            at: Some(now),
            exit,
            reason: reason.into(),
            message: text,
        });
        self.hook_loses_process(i, instance);
        if self.containers[i].starting.is_none() {
            for worker in &mut self.containers[i].workers {
                worker.detach();
            }
        }
        self.dirty = true;
    }

    fn probe_done(
        &mut self,
        i: usize,
        instance: Instance,
        kind: ProbeKind,
        outcome: ProbeOutcome,
        output: &str,
    ) {
        let now = self.now;
        let started = self.containers[i].is_started();
        let name = self.containers[i].spec.name.clone();
        let worker = self.containers[i]
            .workers
            .iter_mut()
            .find(|worker| worker.kind == kind);
        let Some(worker) = worker else { return };
        let timeout = worker.settings.timeout;
        let answer = worker.answer(instance, outcome, started, now);
        if answer == Answer::Ignored {
            return;
        }
        match outcome {
            ProbeOutcome::Success | ProbeOutcome::Warning => worker.last_failure = None,
            ProbeOutcome::Failure | ProbeOutcome::Error => {
                worker.last_failure = Some(output.to_owned());
            }
            ProbeOutcome::Ended => {}
        }
        match outcome {
            ProbeOutcome::Success | ProbeOutcome::Ended => {}
            ProbeOutcome::Warning => self.emit(events::probe_warning(&name, kind, output)),
            ProbeOutcome::Failure => self.emit(events::probe_failed(&name, kind, output)),
            ProbeOutcome::Error => self.emit(events::probe_errored(&name, kind, output)),
        }
        match answer {
            Answer::Again => {
                self.act(Action::RunProbe {
                    container: name,
                    instance,
                    probe: kind,
                    timeout,
                });
            }
            // Readiness only shows; the others decide about starts and stops.
            Answer::Published => self.dirty |= kind != ProbeKind::Readiness,
            Answer::Ignored | Answer::Unchanged => {}
        }
    }

    /// Sets the probes going that are due.
    pub(crate) fn run_due_probes(&mut self) {
        if self.stage == Stage::Finished {
            return;
        }
        let now = self.now;
        let mut runs = Vec::new();
        for container in &mut self.containers {
            let started = container.is_started();
            let Some(run) = container.run.as_ref().filter(|run| run.end.is_none()) else {
                continue;
            };
            let (instance, started_at) = (run.instance, run.started_at.unwrap_or(now));
            for worker in &mut container.workers {
                worker.arm(started, started_at, now);
                if worker.due(started).is_some_and(|due| due <= now) {
                    worker.begin(now);
                    runs.push(Action::RunProbe {
                        container: container.spec.name.clone(),
                        instance,
                        probe: worker.kind,
                        timeout: worker.settings.timeout,
                    });
                }
            }
        }
        for run in runs {
            self.act(run);
        }
    }

    /// R8.1: a later request can only shorten what is recorded, and a stop under way keeps its own. Upstream's pod worker
    /// cancels the context of the pass under way (pkg/kubelet/pod_workers.go, `UpdatePod`), but `SyncTerminatingPod`
    /// (pkg/kubelet/kubelet.go, kubernetes/kubernetes#113606) stops containers with a context of its own.
    fn delete(&mut self, grace_seconds: Option<i64>) {
        if self.stage == Stage::Finished {
            return;
        }
        let asked = grace_seconds
            .or(self.pod.spec.termination_grace_period_seconds)
            .unwrap_or(30);
        let asked = asked.max(1);
        match &mut self.deletion {
            Some(deletion) => {
                if asked < deletion.grace && self.stage != Stage::Active {
                    deletion.too_late = Some(asked);
                }
                deletion.grace = deletion.grace.min(asked);
            }
            None => {
                self.deletion = Some(Deletion {
                    grace: asked,
                    too_late: None,
                });
                // R5.16.
                for worker in self.containers.iter_mut().flat_map(|c| &mut c.workers) {
                    worker.stop(true);
                }
                self.cancel_start();
            }
        }
        self.dirty |= self.stage == Stage::Active;
    }

    /// A start that still pulls its image is not waited for.
    fn cancel_start(&mut self) {
        let asked = self.containers.iter().find_map(|container| {
            let starting = container.starting.as_ref()?;
            let asked = starting.stage == StartStage::Asked;
            asked.then(|| (container.spec.name.clone(), starting.run.instance))
        });
        if let Some((container, instance)) = asked {
            self.act(Action::CancelStart {
                container,
                instance,
            });
        }
    }

    /// Kubernetes has no such request; see [`Input::KillNow`].
    fn kill_all_now(&mut self) {
        if self.stage == Stage::Finished || self.kill_now {
            return;
        }
        self.delete(Some(1));
        self.kill_now = true;
        let now = self.now;
        for i in self.live_indices().collect::<Vec<_>>() {
            let stop = &mut self.containers[i].stop;
            if stop.as_ref().is_none_or(Stop::is_done) {
                *stop = Some(Stop::at_once(now));
            }
            self.kill(i);
            self.cancel_hook(i);
        }
        for i in 0..self.containers.len() {
            if let Some(stop) = &mut self.containers[i].stop
                && matches!(
                    stop.stage,
                    StopStage::PreStop { .. } | StopStage::Turn { .. }
                )
            {
                // It died by itself and only its hook was waited for.
                stop.stage = StopStage::Killed { since: now };
                self.cancel_hook(i);
            }
            self.post_start_done(i, Err("the Pod is killed".to_owned()));
        }
        self.dirty = true;
    }

    fn spec_changed(&mut self, pod: Arc<Pod>) {
        let specs = || pod.spec.init_containers.iter().chain(&pod.spec.containers);
        let same = specs()
            .map(|spec| &spec.name)
            .eq(self.containers.iter().map(|c| &c.spec.name));
        if !same || self.stage == Stage::Finished {
            return;
        }
        for (container, spec) in self.containers.iter_mut().zip(specs()) {
            if container.spec.image != spec.image {
                // R3.5: another spec, another ladder.
                container.ladder = BackOff::default();
                container.failure = None;
            }
            for worker in &mut container.workers {
                if let Some(probe) = probe_of(spec, worker.kind) {
                    worker.settings = Settings::of(probe);
                }
            }
            container.spec = spec.clone();
        }
        self.pod = pod;
        self.dirty = true;
    }

    /// The termination message as the status shows it (R15.2).
    pub(crate) fn shown_message(&self, text: Option<&str>) -> Option<String> {
        let share = message::share_of(self.containers.len());
        text.filter(|text| !text.is_empty())
            .map(|text| message::cut(text, share).to_owned())
    }
}

impl Container {
    /// End of a postStart sleep.
    pub(crate) fn post_start_sleeps_until(&self) -> Option<Time> {
        match self.starting.as_ref()?.stage {
            StartStage::PostStart { until, .. } => until,
            StartStage::Asked | StartStage::Killing(_) => None,
        }
    }

    /// When the next probe is due.
    pub(crate) fn next_probe(&self) -> Option<Time> {
        let started = self.is_started();
        self.workers
            .iter()
            .filter_map(|worker| worker.due(started))
            .min()
    }
}
