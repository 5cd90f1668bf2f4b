//! What the machine knows about one container: its runs, its ladder, its probes, its stop.

use std::borrow::Cow;

use manifest::core::v1::{Container as Spec, Probe};
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::backoff::BackOff;
use crate::probe::Worker;
use crate::protocol::{Exit, HookKind, Instance, ProbeKind};
use crate::terminate::Stop;

/// How a container takes part in the Pod's life.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An entry of `initContainers` that must end with 0 before what follows starts.
    Init,
    /// An entry of `initContainers` with `restartPolicy: Always`: runs beside the apps.
    Sidecar,
    /// An entry of `containers`.
    #[serde(rename = "container")]
    App,
}

impl Role {
    /// The role of an entry of `initContainers`.
    #[must_use]
    pub fn of_init_entry(spec: &Spec) -> Role {
        if manifest::resources::is_sidecar(spec) {
            Role::Sidecar
        } else {
            Role::Init
        }
    }
}

/// One container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) spec: Spec,
    pub(crate) role: Role,
    /// The run whose start call is under way.
    pub(crate) starting: Option<Starting>,
    /// The newest run whose start call has ended.
    pub(crate) run: Option<Run>,
    /// The newest ended run before `run`: `lastState`.
    pub(crate) previous: Option<Run>,
    /// Number of the next run; above 0 without a run when all records were removed (R20.8).
    pub(crate) next_instance: Instance,
    pub(crate) ladder: BackOff,
    /// Why the newest attempt to start it failed, until one succeeds (the kubelet's reason cache).
    pub(crate) failure: Option<Failure>,
    /// Probe workers; they outlive runs (R5.19).
    pub(crate) workers: Vec<Worker>,
    pub(crate) stop: Option<Stop>,
}

/// A start call under way.
#[derive(Clone, Debug)]
pub(crate) struct Starting {
    pub(crate) run: Run,
    pub(crate) stage: StartStage,
    pub(crate) since: Time,
}

/// How far a start call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StartStage {
    /// The process is being started.
    Asked,
    /// It runs; postStart runs too, until this time when it is a sleep (R7.2).
    PostStart {
        /// When the hook began.
        since: Time,
        /// End of a sleep.
        until: Option<Time>,
    },
    /// postStart failed with this message: it is being killed (R7.3).
    Killing(String),
}

/// One run of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) instance: Instance,
    /// The image that the spec named when it was started, to notice a change (R4.8).
    pub(crate) spec_image: Option<String>,
    pub(crate) container_id: String,
    pub(crate) image_id: String,
    pub(crate) image: String,
    /// Which sandbox it runs in, counted from 1.
    pub(crate) sandbox: u32,
    /// When the process was started; none if it never was.
    pub(crate) started_at: Option<Time>,
    pub(crate) end: Option<End>,
    /// The hook for whose answer the machine waits.
    pub(crate) hook: Option<HookKind>,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) at: Option<Time>,
    pub(crate) exit: Exit,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) message: Option<String>,
}

/// Why a container could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) since: Time,
    /// When the first of the failures came that this one is the newest of, for explanations.
    pub(crate) first: Time,
    /// When the next attempt comes.
    pub(crate) retry_at: Option<Time>,
}

impl Container {
    pub(crate) fn new(spec: &Spec, role: Role) -> Self {
        let probed = role != Role::Init;
        let workers = ProbeKind::ALL
            .into_iter()
            .filter_map(|kind| Some(Worker::new(kind, probe_of(spec, kind).filter(|_| probed)?)))
            .collect();
        Self {
            spec: spec.clone(),
            role,
            starting: None,
            run: None,
            previous: None,
            next_instance: 0,
            ladder: BackOff::default(),
            failure: None,
            workers,
            stop: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// The process that runs now, its start call ended or not.
    pub(crate) fn live(&self) -> Option<&Run> {
        let starting = self
            .starting
            .as_ref()
            .filter(|s| s.stage != StartStage::Asked);
        starting
            .map(|s| &s.run)
            .or(self.run.as_ref())
            .filter(|run| run.end.is_none())
    }

    /// The same, to change it.
    pub(crate) fn live_mut(&mut self) -> Option<&mut Run> {
        let starting = self
            .starting
            .as_mut()
            .filter(|s| s.stage != StartStage::Asked);
        starting
            .map(|s| &mut s.run)
            .or(self.run.as_mut())
            .filter(|run| run.end.is_none())
    }

    /// The run with this number, if it is one whose end or hook can still be reported.
    pub(crate) fn run_mut(&mut self, instance: Instance) -> Option<&mut Run> {
        let starting = self
            .starting
            .as_mut()
            .filter(|s| s.stage != StartStage::Asked);
        let runs = starting
            .map(|s| &mut s.run)
            .into_iter()
            .chain(self.run.as_mut());
        runs.into_iter().find(|run| run.instance == instance)
    }

    /// Running as far as the rest of the Pod can see: its start call has ended.
    pub(crate) fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.end.is_none())
    }

    /// The end of the newest run, when it has ended.
    pub(crate) fn ended(&self) -> Option<&End> {
        self.run.as_ref()?.end.as_ref()
    }

    /// When the newest run ended of those that have: what back-off is counted from. A run that is about
    /// to be stopped is not among them (R3.8), nor is what was forgotten.
    pub(crate) fn newest_end(&self) -> Option<Time> {
        let run = self.run.as_ref()?;
        let end = run
            .end
            .as_ref()
            .or(self.previous.as_ref().and_then(|run| run.end.as_ref()));
        end?.at
    }

    /// Running, and its startup probe, if any, succeeded (R5.9).
    pub(crate) fn is_started(&self) -> bool {
        self.is_running()
            && self
                .worker(ProbeKind::Startup)
                .is_none_or(|w| w.result == Some(true))
    }

    /// `ready` of the status: R5.10 for sidecars and apps, exit 0 for inits (R4.6).
    pub(crate) fn is_ready(&self) -> bool {
        match self.role {
            Role::Init => self.ended().is_some_and(|end| end.exit.code == 0),
            Role::Sidecar | Role::App => {
                let readiness = self.worker(ProbeKind::Readiness);
                self.is_started() && readiness.is_none_or(|w| w.result == Some(true))
            }
        }
    }

    /// Whether the init container did its work (R1.2).
    pub(crate) fn is_done(&self) -> bool {
        self.ended()
            .is_some_and(|end| end.exit.code == 0 && !end.exit.oom_killed)
    }

    /// Whether the image in the spec is another than the one it runs (R4.8).
    pub(crate) fn definition_changed(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| run.spec_image != self.spec.image)
    }

    pub(crate) fn worker(&self, kind: ProbeKind) -> Option<&Worker> {
        self.workers.iter().find(|worker| worker.kind == kind)
    }

    /// The published result of a probe.
    pub(crate) fn probe_failed(&self, kind: ProbeKind) -> bool {
        self.worker(kind)
            .is_some_and(|worker| worker.result == Some(false))
    }

    /// The image's name in the spec.
    pub(crate) fn image(&self) -> &str {
        self.spec.image.as_deref().unwrap_or_default()
    }

    /// The number that `restartCount` shows.
    pub(crate) fn restart_count(&self) -> Instance {
        self.run
            .as_ref()
            .map_or(self.next_instance, |run| run.instance)
    }
}

impl Failure {
    /// This failure as the next one after `before`: a container that never came to run has waited since the first.
    pub(crate) fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| self.is_of_start() && before.is_of_start()) {
            self.first = before.first;
        }
        self
    }

    /// Whether there was no run at all, rather than one that ended or is held back.
    fn is_of_start(&self) -> bool {
        !matches!(
            self.reason,
            "CrashLoopBackOff"
                | "RunContainerError"
                | "PostStartHookError"
                | crate::restart_all::REASON
        )
    }

    /// Whether the next attempt may come earlier than planned: not with the back-off of restarts.
    pub(crate) fn is_retried(&self) -> bool {
        self.reason != "CrashLoopBackOff"
    }
}

impl Run {
    pub(crate) fn new(instance: Instance, spec: &Spec) -> Self {
        Self {
            instance,
            spec_image: spec.image.clone(),
            container_id: String::new(),
            image_id: String::new(),
            image: spec.image.clone().unwrap_or_default(),
            sandbox: 0,
            started_at: None,
            end: None,
            hook: None,
        }
    }
}

/// A container's probe of one kind.
pub(crate) fn probe_of(spec: &Spec, kind: ProbeKind) -> Option<&Probe> {
    match kind {
        ProbeKind::Startup => spec.startup_probe.as_ref(),
        ProbeKind::Liveness => spec.liveness_probe.as_ref(),
        ProbeKind::Readiness => spec.readiness_probe.as_ref(),
    }
}
