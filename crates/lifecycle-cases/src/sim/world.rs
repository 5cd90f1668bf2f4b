//! The world that carries out what the machine decides.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use lifecycle::sim::World;
use lifecycle::{
    Action, Exit, HookKind, Input, Instance, ProbeKind, StartFailure, StopSignal, Time,
};
use manifest::core::v1::{Container, Pod, TerminationMessagePolicy};

use super::config::{self, Objects, Refusal};
use super::job::{Handler, Job, Kind, Order};
use super::kernel::{Ended, Handle, Millis, Processes, SIGKILL, SIGTERM, TICK};
use super::volumes::Volumes;
use crate::shell::exec::{Image, Log};
use crate::shell::{Start, exists};

/// How long things take that are not the scripts' doing.
const SANDBOX_TAKES: Millis = 5 * TICK;
const START_TAKES: Millis = 3 * TICK;
/// Limits of termination messages (R15.2, R15.3).
const MESSAGE_BYTES: usize = 4096;
const LOG_LINES: usize = 80;
const LOG_BYTES: usize = 2048;

/// What is due at a time.
enum Due {
    Input(Input),
    Start(String, Instance),
    Signal(String, Instance, i32),
    Job(String, Instance, Kind, Option<std::time::Duration>),
    /// A job may be over by then.
    Look,
}

/// One run of a container.
struct Run {
    image: Rc<Image>,
    environment: BTreeMap<String, String>,
}

/// A Pod's processes, files and servers.
pub(crate) struct ShellWorld {
    pod: Arc<Pod>,
    pub(crate) objects: Objects,
    pub(crate) volumes: Volumes,
    processes: Processes,
    kernel: Handle,
    due: BTreeMap<(Millis, u64), Due>,
    count: u64,
    runs: BTreeMap<(String, Instance), Run>,
    begun: BTreeMap<String, Instance>,
    jobs: Vec<Job>,
    pod_ip: String,
}

impl ShellWorld {
    pub(crate) fn new(pod: Arc<Pod>, objects: Objects) -> Self {
        let processes = Processes::new();
        Self {
            pod,
            objects,
            volumes: Volumes::default(),
            kernel: Rc::clone(processes.kernel()),
            processes,
            due: BTreeMap::new(),
            count: 0,
            runs: BTreeMap::new(),
            begun: BTreeMap::new(),
            jobs: Vec::new(),
            pod_ip: "10.88.0.2".to_owned(),
        }
    }

    /// Replaces the Pod's spec.
    pub(crate) fn set_pod(&mut self, pod: Arc<Pod>) {
        self.pod = pod;
    }

    /// What is not simulated and was needed.
    pub(crate) fn lacks(&self) -> Option<String> {
        self.kernel.borrow().lacks().map(str::to_owned)
    }

    /// Notes that something is needed that is not simulated.
    pub(crate) fn note_lack(&self, what: &str) {
        self.kernel.borrow_mut().unsupported(what);
    }

    /// The standard output of the newest run of a container.
    pub(crate) fn log(&self, container: &str) -> Option<String> {
        let newest = self
            .runs
            .iter()
            .rev()
            .find(|((name, _), _)| name == container);
        newest.map(|(_, run)| {
            let log = run.image.log.borrow();
            String::from_utf8_lossy(&log.stdout).into_owned()
        })
    }

    fn later(&mut self, at: Millis, due: Due) {
        self.count += 1;
        self.due.insert((at, self.count), due);
    }

    fn spec(&self, name: &str) -> Option<Container> {
        let spec = &self.pod.spec;
        let mut all = spec.init_containers.iter().chain(&spec.containers);
        all.find(|container| container.name == name).cloned()
    }

    fn carry_out(&mut self, due: Due, now: Millis) -> Option<Input> {
        match due {
            Due::Input(input) => return Some(input),
            Due::Start(name, instance) => {
                let spec = self.spec(&name)?;
                return Some(match self.start(&spec, instance) {
                    Ok(()) => Input::Started {
                        container_id: format!("simulated://{name}-{instance}"),
                        image_id: "sha256:0".to_owned(),
                        image: spec.image.clone().unwrap_or_default(),
                        container: name,
                        instance,
                    },
                    Err(Refusal::Failure(failure, message)) => Input::StartFailed {
                        container: name,
                        instance,
                        failure,
                        message,
                    },
                    Err(Refusal::Lacks(what)) => {
                        self.note_lack(&what);
                        return None;
                    }
                });
            }
            Due::Signal(name, instance, signal) => {
                let first = self.kernel.borrow().first_of(&(name, instance));
                if let Some(pid) = first {
                    self.kernel.borrow_mut().signal(pid, signal);
                }
            }
            Due::Job(name, instance, kind, timeout) => {
                self.begin_job(&name, instance, kind, timeout, now);
            }
            Due::Look => {}
        }
        None
    }

    fn start(&mut self, spec: &Container, instance: Instance) -> Result<(), Refusal> {
        config::image(spec)?;
        let pod = Arc::clone(&self.pod);
        let environment = config::environment(&pod, spec, &self.objects)?;
        let mounts = self
            .volumes
            .mounts(&pod, spec, &self.objects, &environment)?;
        let cell = (spec.name.clone(), instance);
        let image = Rc::new(Image {
            cell: Some(cell.clone()),
            mounts,
            log: Rc::new(std::cell::RefCell::new(Log::default())),
            pod_ip: self.pod_ip.clone(),
        });
        let path = message_path(spec);
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
        if !parent.is_empty() {
            // The file is there, whatever the image holds (R15.1).
            let _ = image.mounts.make_directory(parent, true);
        }
        let _ = image.mounts.append(path, &[]);
        let arguments = config::command(spec, &environment);
        let program = arguments.first().map(String::as_str).unwrap_or_default();
        if !exists(&image, program) {
            let message = format!(
                "failed to create containerd task: exec: {program:?}: executable file not found in $PATH"
            );
            return Err(Refusal::Failure(StartFailure::RunContainerError, message));
        }
        let start = Start {
            image: Rc::clone(&image),
            arguments,
            environment: environment.clone(),
            first: true,
            output: None,
            directory: spec.working_dir.clone().unwrap_or_else(|| "/".to_owned()),
        };
        start.spawn(&self.kernel);
        self.begun.insert(spec.name.clone(), instance);
        self.runs.insert(cell, Run { image, environment });
        Ok(())
    }

    fn begin_job(
        &mut self,
        name: &str,
        instance: Instance,
        kind: Kind,
        timeout: Option<std::time::Duration>,
        now: Millis,
    ) {
        let Some(spec) = self.spec(name) else { return };
        let alive = self.kernel.borrow().first_of(&(name.to_owned(), instance));
        let run = self.runs.get(&(name.to_owned(), instance));
        let (Some(run), Some(_)) = (run, alive) else {
            return;
        };
        let Some(handler) = handler(&spec, &kind) else {
            return;
        };
        let order = Order {
            image: &run.image,
            container: &spec,
            environment: run.environment.clone(),
            instance,
            kind,
            timeout,
        };
        let job = Job::begin(&self.kernel, order, &handler);
        if let Some(deadline) = job.deadline {
            self.later(deadline.max(now), Due::Look);
        }
        self.jobs.push(job);
    }

    /// Lets processes run, and notes what comes of it.
    fn run(&mut self, now: Millis) {
        self.processes.run(now);
        let ended = self.kernel.borrow_mut().take_ended();
        for ended in ended {
            let input = self.exited(ended);
            self.later(now + TICK, Due::Input(input));
        }
        let mut left = Vec::new();
        for job in std::mem::take(&mut self.jobs) {
            match job.result(&self.kernel) {
                Some(result) => {
                    let input = job.answer(result);
                    self.later(now + TICK, Due::Input(input));
                }
                None => left.push(job),
            }
        }
        self.jobs = left;
    }

    fn exited(&self, ended: Ended) -> Input {
        let (container, instance) = ended.cell;
        let spec = self.spec(&container).unwrap_or_default();
        let run = self.runs.get(&(container.clone(), instance));
        let message = run.and_then(|run| message(run, &spec, ended.code));
        Input::Exited {
            container,
            instance,
            exit: Exit {
                code: ended.code,
                signal: ended.signal,
                oom_killed: false,
            },
            message,
        }
    }
}

fn message_path(spec: &Container) -> &str {
    let given = spec.termination_message_path.as_deref();
    given
        .filter(|path| !path.is_empty())
        .unwrap_or("/dev/termination-log")
}

/// R15.1 to R15.4.
fn message(run: &Run, spec: &Container, code: i32) -> Option<String> {
    let file = run
        .image
        .mounts
        .read(message_path(spec))
        .unwrap_or_default();
    let text = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned());
    if !file.is_empty() {
        return text(&file[file.len().saturating_sub(MESSAGE_BYTES)..]);
    }
    let policy = spec.termination_message_policy;
    if code == 0 || policy != Some(TerminationMessagePolicy::FallbackToLogsOnError) {
        return None;
    }
    let log = run.image.log.borrow();
    let lines: Vec<&[u8]> = log.both.split_inclusive(|byte| *byte == b'\n').collect();
    let last = lines[lines.len().saturating_sub(LOG_LINES)..].concat();
    text(&last[last.len().saturating_sub(LOG_BYTES)..])
}

/// What a probe or hook of the spec does.
fn handler<'a>(spec: &'a Container, kind: &Kind) -> Option<Handler<'a>> {
    match kind {
        Kind::Probe(probe) => {
            let probe = match probe {
                ProbeKind::Startup => spec.startup_probe.as_ref(),
                ProbeKind::Liveness => spec.liveness_probe.as_ref(),
                ProbeKind::Readiness => spec.readiness_probe.as_ref(),
            }?;
            let exec = probe.exec.as_ref().map(|exec| Handler::Exec(&exec.command));
            exec.or_else(|| probe.http_get.as_ref().map(Handler::Http))
                .or_else(|| probe.tcp_socket.as_ref().map(Handler::Tcp))
                .or_else(|| probe.grpc.as_ref().map(Handler::Grpc))
        }
        Kind::Hook(hook) => {
            let lifecycle = spec.lifecycle.as_ref()?;
            let handler = match hook {
                HookKind::PostStart => lifecycle.post_start.as_ref(),
                HookKind::PreStop => lifecycle.pre_stop.as_ref(),
            }?;
            let exec = handler
                .exec
                .as_ref()
                .map(|exec| Handler::Exec(&exec.command));
            exec.or_else(|| handler.http_get.as_ref().map(Handler::Http))
        }
    }
}

impl World for ShellWorld {
    fn perform(&mut self, action: &Action, now: Time) {
        let now = now.0;
        match action {
            Action::CreateSandbox => {
                let input = match Volumes::missing(&self.pod, &self.objects) {
                    Some(message) => Input::SandboxFailed {
                        reason: "FailedMount".to_owned(),
                        message,
                    },
                    None => Input::SandboxReady {
                        ips: self.pod_ip.parse().into_iter().collect(),
                    },
                };
                self.later(now + SANDBOX_TAKES, Due::Input(input));
            }
            Action::StopSandbox => {
                self.later(now + SANDBOX_TAKES, Due::Input(Input::SandboxStopped));
            }
            Action::Start {
                container,
                instance,
            } => self.later(now + START_TAKES, Due::Start(container.clone(), *instance)),
            Action::RunProbe {
                container,
                instance,
                probe,
                timeout,
            } => {
                let kind = Kind::Probe(*probe);
                self.later(
                    now + TICK,
                    Due::Job(container.clone(), *instance, kind, Some(*timeout)),
                );
            }
            Action::RunHook {
                container,
                instance,
                hook,
                timeout,
            } => {
                let kind = Kind::Hook(*hook);
                self.later(
                    now + TICK,
                    Due::Job(container.clone(), *instance, kind, *timeout),
                );
            }
            // R8.4: the command itself lives on.
            Action::CancelHook {
                container,
                instance,
                hook,
            } => {
                let kind = Kind::Hook(*hook);
                self.jobs.retain(|job| {
                    job.container != *container || job.instance != *instance || job.kind != kind
                });
            }
            Action::Stop {
                container,
                instance,
                signal,
            } => {
                let signal = match signal {
                    StopSignal::OfImage => Some(SIGTERM),
                    StopSignal::Named(name) => crate::shell::signal_number(name),
                };
                let signal = signal.unwrap_or(SIGTERM);
                self.later(
                    now + TICK,
                    Due::Signal(container.clone(), *instance, signal),
                );
            }
            Action::Kill {
                container,
                instance,
            } => self.later(
                now + TICK,
                Due::Signal(container.clone(), *instance, SIGKILL),
            ),
            // Nothing here takes time to pull, and records cost nothing.
            Action::CancelStart { .. } | Action::Remove { .. } | Action::Emit(_) => {}
        }
    }

    fn next_event(&self) -> Option<Time> {
        let due = self.due.first_key_value().map(|((at, _), _)| *at);
        due.into_iter().chain(self.processes.next()).min().map(Time)
    }

    fn take_input(&mut self, now: Time) -> Option<Input> {
        let now = now.0;
        loop {
            let next = self.due.first_key_value().map(|(key, _)| *key);
            let Some(key) = next.filter(|(at, _)| *at <= now) else {
                break;
            };
            // The processes come to every moment before what happens then.
            self.run(key.0);
            let due = self.due.remove(&key)?;
            let input = self.carry_out(due, key.0);
            if input.is_some() {
                return input;
            }
        }
        self.run(now);
        None
    }

    fn lose_all(&mut self) -> BTreeMap<String, Instance> {
        self.kernel.borrow_mut().lose_all();
        self.due.clear();
        self.jobs.clear();
        self.begun.clone()
    }

    fn lose_probes(&mut self) {
        let probe = |kind: &Kind| matches!(kind, Kind::Probe(_));
        self.jobs.retain(|job| !probe(&job.kind));
        self.due.retain(|_, due| match due {
            Due::Job(_, _, kind, _) => !probe(kind),
            Due::Input(input) => !matches!(input, Input::ProbeDone { .. }),
            _ => true,
        });
    }
}
