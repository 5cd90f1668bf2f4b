//! What containers do: what was supposed, and for the rest what is most likely.

use std::time::Duration;

use manifest::core::v1::{PodSpec, RestartPolicy};
use serde::Serialize;

use super::distance;
use super::supposition::{Behaviour, Supposition};
use crate::container::{Role, probe_of};
use crate::plan::command::{OnSigterm, Program};
use crate::plan::stop::least_seconds;
use crate::plan::warning::{start, stop};
use crate::plan::{Entry, entries};
use crate::protocol::{Exit, ProbeKind, ProbeOutcome, StartFailure};
use crate::restart;
use crate::sim::{Hook, OnTerm, Probe, Run, Script, Scripted};

/// What a container is taken to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// The container.
    pub container: String,
    /// In words.
    pub text: String,
}

/// How long an init container works, a hook takes, and a job runs, where nobody says so.
const WORK: Duration = Duration::from_secs(1);
const JOB: Duration = Duration::from_secs(10);
/// Attempts to start a container whose image cannot be had.
const ATTEMPTS: usize = 100_000;

/// A world for the simulator, and what was assumed for it.
pub(super) fn world(spec: &PodSpec, suppositions: &[Supposition]) -> (Scripted, Vec<Assumption>) {
    let mut scripts = Vec::new();
    let mut assumptions = Vec::new();
    for entry in entries(spec) {
        let of = |supposition: &'_ Supposition| match supposition {
            Supposition::Container {
                container,
                behaviour,
            } if container == entry.name() => Some(behaviour.clone()),
            _ => None,
        };
        let behaviours: Vec<Behaviour> = suppositions.iter().filter_map(of).collect();
        let (script, text) = script(spec, &entry, &behaviours);
        let container = entry.name().to_owned();
        assumptions.extend((!text.is_empty()).then(|| Assumption {
            container: container.clone(),
            text: text.join(", "),
        }));
        scripts.push((container, script));
    }
    (Scripted::new(scripts), assumptions)
}

fn script(spec: &PodSpec, entry: &Entry<'_>, behaviours: &[Behaviour]) -> (Script, Vec<String>) {
    let mut script = Script::default();
    let mut assumed = Vec::new();
    let mut runs: Vec<Run> = behaviours.iter().filter_map(run).collect();
    if runs.is_empty() && !behaviours.contains(&Behaviour::NoImage) {
        let (run, text) = usual_run(spec, entry);
        runs.push(run);
        assumed.push(text);
    }
    let on_term = on_term(spec, entry, behaviours, &mut assumed);
    for run in &mut runs {
        run.on_term = on_term.clone();
    }
    script.runs = runs;
    if behaviours.contains(&Behaviour::NoImage) {
        let failure = (StartFailure::ErrImagePull, "not found".to_owned());
        script.start_fails = vec![Some(failure); ATTEMPTS];
    }
    if entry.role != Role::Init {
        probes(&mut script, entry, behaviours, &mut assumed);
        hooks(&mut script, entry, &mut assumed);
    }
    (script, assumed)
}

/// The run that a behaviour describes.
fn run(behaviour: &Behaviour) -> Option<Run> {
    let ends = |after: Duration, exit: Exit| Run {
        exits: Some((after, exit)),
        ..Run::default()
    };
    Some(match behaviour {
        Behaviour::Exit(code, at) => Run::exits(*at, *code),
        Behaviour::Oom(at) => ends(
            *at,
            Exit {
                code: 137,
                signal: Some(9),
                oom_killed: true,
            },
        ),
        Behaviour::Hang(at) => Run {
            hangs: Some(*at),
            ..Run::default()
        },
        Behaviour::Run => Run::default(),
        _ => return None,
    })
}

fn usual_run(spec: &PodSpec, entry: &Entry<'_>) -> (Run, String) {
    let ends = |after: Duration| {
        let text = format!("ends with 0 after {}", distance(after));
        (Run::exits(after, 0), text)
    };
    let policy = restart::policy(entry.container, spec);
    let slept = Program::of(entry.container).seconds_slept();
    let slept = slept.map(|seconds| Duration::from_secs(seconds.min(86_400)));
    match entry.role {
        Role::Init => ends(slept.unwrap_or(WORK)),
        Role::App if policy != RestartPolicy::Always && !start::is_helper(entry) => {
            ends(slept.unwrap_or(JOB))
        }
        Role::App | Role::Sidecar => (Run::default(), "runs until it is stopped".to_owned()),
    }
}

fn on_term(
    spec: &PodSpec,
    entry: &Entry<'_>,
    behaviours: &[Behaviour],
    assumed: &mut Vec<String>,
) -> OnTerm {
    for behaviour in behaviours {
        match behaviour {
            Behaviour::IgnoreTerm => return OnTerm::Ignore,
            Behaviour::SlowStop(takes) => return OnTerm::Exit(*takes, 0),
            _ => {}
        }
    }
    match stop::on_sigterm(spec, entry) {
        OnSigterm::Ignored(_) if entry.role != Role::Init => {
            assumed.push("ignores SIGTERM (its command handles none)".to_owned());
            OnTerm::Ignore
        }
        OnSigterm::Late if entry.role != Role::Init => {
            assumed.push(
                "ignores SIGTERM (its trap waits for the program in the foreground)".to_owned(),
            );
            OnTerm::Ignore
        }
        OnSigterm::Trapped(seconds) if seconds > 0 => {
            assumed.push(format!("ends {seconds}s after SIGTERM (its trap sleeps)"));
            OnTerm::Exit(Duration::from_secs(seconds), 0)
        }
        _ => OnTerm::default(),
    }
}

fn probes(
    script: &mut Script,
    entry: &Entry<'_>,
    behaviours: &[Behaviour],
    assumed: &mut Vec<String>,
) {
    let up = behaviours.iter().find_map(|behaviour| match behaviour {
        Behaviour::SlowStart(after) => Some(*after),
        _ => None,
    });
    let mut told = up.is_some();
    let mut any = false;
    for kind in ProbeKind::ALL {
        any |= probe_of(entry.container, kind).is_some();
        let fails = behaviours.iter().find_map(|behaviour| match behaviour {
            Behaviour::ProbeFail(which, at) if which.is_none_or(|which| which == kind) => Some(*at),
            _ => None,
        });
        told |= fails.is_some();
        let mut answers = match up {
            Some(after) => vec![
                (Duration::ZERO, ProbeOutcome::Failure),
                (after, ProbeOutcome::Success),
            ],
            None => vec![(Duration::ZERO, ProbeOutcome::Success)],
        };
        if let Some(fails) = fails {
            answers.retain(|(at, _)| *at < fails);
            answers.push((fails, ProbeOutcome::Failure));
        }
        let probe = Probe {
            answers,
            takes: Duration::ZERO,
        };
        match kind {
            ProbeKind::Startup => script.startup = probe,
            ProbeKind::Liveness => script.liveness = probe,
            ProbeKind::Readiness => script.readiness = probe,
        }
    }
    if any && !told {
        assumed.push("its probes succeed".to_owned());
    }
}

fn hooks(script: &mut Script, entry: &Entry<'_>, assumed: &mut Vec<String>) {
    let Some(lifecycle) = &entry.container.lifecycle else {
        return;
    };
    let hooks = [
        ("postStart", &lifecycle.post_start, &mut script.post_start),
        ("preStop", &lifecycle.pre_stop, &mut script.pre_stop),
    ];
    for (name, handler, hook) in hooks {
        let Some(handler) = handler else { continue };
        // A sleep is the machine's own business.
        if handler.sleep.is_some() {
            continue;
        }
        let takes = match least_seconds(handler) {
            0 => WORK,
            seconds => Duration::from_secs(seconds.min(86_400)),
        };
        *hook = Hook::takes(takes);
        assumed.push(format!("its {name} hook takes {}", distance(takes)));
    }
}
