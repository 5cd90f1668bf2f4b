//! Starting a container: back-off, the start itself, postStart (R1.4, R3.2, R7.2, R7.3, R11).

use std::time::Duration;

use crate::backoff::LONGEST_PULL_DELAY;
use crate::container::{End, Failure, Role, Run, StartStage, Starting};
use crate::hook::HookStart;
use crate::machine::Machine;
use crate::protocol::{Action, Exit, HookKind, Instance, StartFailure};
use crate::{Time, events};

/// How long the reason of a failed start is shown before the back-off takes its place; a kubelet's next
/// look at the Pod takes up to 2 s (R3.11).
const SHOWN_FOR: Duration = Duration::from_secs(2);
/// Delay of a retry that has no ladder (missing ConfigMap, bad image name), as a kubelet's.
const RETRY_AFTER: Duration = Duration::from_secs(10);

impl Machine {
    /// Begins a start. Says whether it is under way; otherwise it failed at once.
    pub(crate) fn begin_start(&mut self, i: usize, ended: Option<Time>) -> bool {
        if self.held_back_by_ladder(i, ended) || self.held_back_by_failure(i) {
            return false;
        }
        let (now, sandbox) = (self.now, self.sandbox.attempts);
        let container = &mut self.containers[i];
        let instance = container.next_instance;
        let mut run = Run::new(instance, &container.spec);
        run.sandbox = sandbox;
        container.starting = Some(Starting {
            run,
            stage: StartStage::Asked,
            since: now,
        });
        let container = container.spec.name.clone();
        self.act(Action::Start {
            container,
            instance,
        });
        true
    }

    /// R3.2: back-off since the newest end; R3.10: what is shown meanwhile.
    fn held_back_by_ladder(&mut self, i: usize, ended: Option<Time>) -> bool {
        let (now, cap) = (self.now, self.options.max_restart_backoff);
        let Some(ended) = ended else { return false };
        let container = &mut self.containers[i];
        let Some((until, delay)) = container
            .ladder
            .until(ended)
            .zip(container.ladder.delay(ended))
        else {
            container.ladder.climb(ended, now, cap);
            return false;
        };
        if until <= now {
            container.ladder.climb(ended, now, cap);
            return false;
        }
        if let Some(shown_until) = still_shown(container.failure.as_ref(), now) {
            self.resync(shown_until.min(until));
            return true;
        }
        if container.newest_end() != Some(ended) {
            // Another run ended since this pass was planned; the next one tells from when back-off counts.
            self.resync(now);
            return true;
        }
        let name = container.spec.name.clone();
        let pod = self.pod_id();
        let failure = Failure {
            reason: "CrashLoopBackOff",
            message: format!(
                "back-off {} restarting failed container={name} pod={pod}",
                events::go_duration(delay)
            ),
            since: now,
            first: now,
            retry_at: Some(until),
        };
        self.resync(until);
        if self.fail(i, failure) {
            self.emit(events::restart_back_off(&name, &pod));
        }
        true
    }

    /// R11.6 and the retries that have no ladder.
    fn held_back_by_failure(&mut self, i: usize) -> bool {
        let now = self.now;
        let container = &self.containers[i];
        let image = container.image().to_owned();
        let name = container.spec.name.clone();
        if let Some(until) = self
            .pulls
            .get(&image)
            .and_then(|ladder| ladder.until_since_step())
            && until > now
        {
            if let Some(shown_until) = still_shown(container.failure.as_ref(), now) {
                self.resync(shown_until.min(until));
                return true;
            }
            let before = container
                .failure
                .as_ref()
                .filter(|f| f.reason == "ErrImagePull");
            let why = before
                .map(|f| format!(": ErrImagePull: {}", f.message))
                .unwrap_or_default();
            let failure = Failure {
                reason: "ImagePullBackOff",
                message: format!("Back-off pulling image \"{image}\"{why}"),
                since: now,
                first: now,
                retry_at: Some(until),
            };
            self.resync(until);
            if self.fail(i, failure) {
                self.emit(events::image_back_off(&name, &image));
                self.emit(events::start_held_back(&name, "ImagePullBackOff"));
            }
            return true;
        }
        let retry = container
            .failure
            .as_ref()
            .and_then(|failure| failure.retry_at);
        if let Some(at) = retry.filter(|&at| at > now) {
            self.resync(at);
            return true;
        }
        false
    }

    /// Notes why a container is not started; says whether that is news.
    fn fail(&mut self, i: usize, failure: Failure) -> bool {
        let known = self.containers[i].failure.as_ref();
        if known.is_some_and(|f| f.reason == failure.reason && f.retry_at == failure.retry_at) {
            return false;
        }
        self.containers[i].failure = Some(failure.after(known));
        true
    }

    /// The process runs.
    pub(crate) fn started(&mut self, i: usize, instance: Instance, ids: Ids) {
        let now = self.now;
        let container = &mut self.containers[i];
        let Some(starting) = &mut container.starting else {
            return;
        };
        if starting.stage != StartStage::Asked || starting.run.instance != instance {
            return;
        }
        starting.run.started_at = Some(now);
        starting.run.container_id = ids.container_id;
        starting.run.image_id = ids.image_id;
        starting.run.image = ids.image;
        starting.stage = StartStage::PostStart {
            since: now,
            until: None,
        };
        let name = container.spec.name.clone();
        let lifecycle = container.spec.lifecycle.as_ref();
        let hook = lifecycle.and_then(|lifecycle| lifecycle.post_start.clone());
        self.pulls.remove(self.containers[i].image());
        self.emit(events::started(&name));
        if self.kill_now {
            self.post_start_done(i, Err("the Pod is killed".to_owned()));
            return;
        }
        let Some(hook) = hook else {
            self.commit_start(i, None);
            return;
        };
        match self.begin_hook(i, HookKind::PostStart, &hook) {
            HookStart::Runs => {}
            HookStart::Sleeps(end) => {
                if let Some(starting) = &mut self.containers[i].starting {
                    starting.stage = StartStage::PostStart {
                        since: now,
                        until: Some(end),
                    };
                }
            }
            HookStart::Failed(error) => self.post_start_done(i, Err(error)),
        }
    }

    /// postStart has ended: the start call with it, or the container is killed (R7.3).
    pub(crate) fn post_start_done(&mut self, i: usize, result: Result<(), String>) {
        let Some(starting) = &mut self.containers[i].starting else {
            return;
        };
        if !matches!(starting.stage, StartStage::PostStart { .. }) {
            return;
        }
        let Err(error) = result else {
            self.commit_start(i, None);
            return;
        };
        starting.stage = StartStage::Killing(error);
        if !self.kill_now {
            self.emit(events::post_start_failed(
                &self.containers[i].spec.name.clone(),
            ));
        }
        if self.containers[i].live().is_some() && self.containers[i].stop.is_none() {
            let grace = self.single_grace(i, None);
            self.begin_stop(i, grace, false, Some("FailedPostStartHook"));
        }
    }

    /// Moves a start on that waits for time or for a stop; says whether it is over.
    pub(crate) fn advance_start(&mut self, i: usize) -> bool {
        let now = self.now;
        let Some(starting) = &self.containers[i].starting else {
            return true;
        };
        match &starting.stage {
            StartStage::Asked => false,
            StartStage::PostStart { until, .. } => {
                if until.is_none_or(|until| until > now) {
                    return false;
                }
                self.commit_start(i, None);
                true
            }
            StartStage::Killing(error) => {
                if starting.run.end.is_none() {
                    return false;
                }
                // A stop may still wait for the hook of a container that died under it.
                if self.containers[i]
                    .stop
                    .as_ref()
                    .is_some_and(|stop| !stop.is_done())
                {
                    return false;
                }
                let failure = Failure {
                    reason: "PostStartHookError",
                    message: error.clone(),
                    since: now,
                    first: now,
                    retry_at: None,
                };
                self.containers[i].stop = None;
                self.commit_start(i, Some(failure));
                true
            }
        }
    }

    /// The start call has ended: from now on the rest of the Pod sees this run.
    fn commit_start(&mut self, i: usize, failure: Option<Failure>) {
        let container = &mut self.containers[i];
        let Some(starting) = container.starting.take() else {
            return;
        };
        let run = starting.run;
        container.next_instance = run.instance.saturating_add(1);
        container.failure = failure;
        if run.end.is_none() {
            for worker in &mut container.workers {
                worker.attach(run.instance);
            }
        }
        let ended = container.run.replace(run);
        let older = ended.and_then(|ended| container.previous.replace(ended));
        self.app_was_started |= container.role == Role::App;
        self.remove_run(i, older);
        self.dirty = true;
    }

    /// The start failed before a process ran.
    pub(crate) fn start_failed(
        &mut self,
        i: usize,
        instance: Instance,
        failure: StartFailure,
        message: String,
    ) {
        let now = self.now;
        let Some(starting) = &mut self.containers[i].starting else {
            return;
        };
        if starting.stage != StartStage::Asked || starting.run.instance != instance {
            return;
        }
        let name = self.containers[i].spec.name.clone();
        let image = self.containers[i].image().to_owned();
        for event in events::start_failed(&name, &image, failure, &message) {
            self.emit(event);
        }
        let mut noted = Failure {
            reason: failure.reason(),
            message,
            since: now,
            first: now,
            retry_at: None,
        };
        match failure {
            StartFailure::RunContainerError => {
                self.record_start_error(i, noted);
                return;
            }
            StartFailure::Cancelled => {
                self.containers[i].starting = None;
                self.abandon_pass();
                return;
            }
            StartFailure::ErrImagePull => {
                let ladder = self.pulls.entry(image).or_default();
                ladder.climb(now, now, LONGEST_PULL_DELAY);
                noted.retry_at = ladder.until_since_step();
                self.resync(now + SHOWN_FOR);
            }
            _ => {
                noted.retry_at = Some(now + RETRY_AFTER);
                self.resync(now + RETRY_AFTER);
            }
        }
        self.containers[i].starting = None;
        let failure = noted.after(self.containers[i].failure.as_ref());
        self.containers[i].failure = Some(failure);
    }

    /// R11.8: the container exists, dead, with code 128.
    fn record_start_error(&mut self, i: usize, failure: Failure) {
        let now = self.now;
        if let Some(starting) = &mut self.containers[i].starting {
            starting.run.end = Some(End {
                at: Some(now),
                exit: Exit {
                    code: 128,
                    ..Exit::default()
                },
                reason: "StartError".into(),
                message: Some(failure.message.clone()),
            });
        }
        self.commit_start(i, Some(failure));
    }
}

/// What a start tells about the run.
pub(crate) struct Ids {
    pub(crate) container_id: String,
    pub(crate) image_id: String,
    pub(crate) image: String,
}

/// Until when the reason of a failed start is shown rather than the back-off that follows it.
fn still_shown(failure: Option<&Failure>, now: Time) -> Option<Time> {
    let failure = failure.filter(|failure| {
        matches!(
            failure.reason,
            "ErrImagePull" | "RunContainerError" | "PostStartHookError"
        )
    })?;
    Some(failure.since + SHOWN_FOR).filter(|&until| until > now)
}
