//! `pillion run`: Pods in the foreground, from manifests to an exit code.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use control::{Registry, Server};
use lifecycle::timeline::PodTimeline;
use manifest::core::v1::{Pod, PodPhase, RestartPolicy};
use manifest::{Loaded, Object};
use node::objects::Objects;
use node::output::Output as NodeOutput;
use node::paths::Paths;
use node::{
    Endpoint, Node, NodeError, Observer, Options, PodHandle, PodOutcome, PullPolicyOverride,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::svg_file::SvgFile;
use super::{Failure, bad_input, detach, load, recover, runtime, timeline};
use crate::cli::{Global, Output, Pull, RunArgs};
use crate::exit::{self, Exit};
use crate::printer::{Config, Printer};
use crate::term::{Term, causes};
use crate::{publish, summary, waiting};

pub(crate) fn run(args: RunArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let Some(loaded) = load(&args.manifests.paths(), term) else {
        term.remark("nothing was started\n");
        return Ok(bad_input());
    };
    let pods: Vec<Pod> = loaded
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Pod(pod) => Some(pod.object.clone()),
            _ => None,
        })
        .collect();
    let ports = match check_arguments(&args, &pods) {
        Ok(ports) => ports,
        Err(message) => {
            term.error_text(&message);
            term.remark("nothing was started\n");
            return Ok(bad_input());
        }
    };
    let picture = match SvgFile::open(args.timeline_svg.as_deref(), &args.manifests.paths()) {
        Ok(picture) => picture,
        Err(failure) => {
            term.error(&failure);
            term.remark("nothing was started\n");
            return Ok(bad_input());
        }
    };
    let paths = Paths::new(global.root.as_deref());
    let unable = |error: NodeError| Failure::new("cannot run Pods on this machine".into(), error);
    node::check_user().map_err(unable)?;
    recover(&paths, term)?;
    if args.detach {
        let code = runtime()?.block_on(detach::run(&args, &paths, &loaded, pods, &ports, term));
        return code.map(Into::into);
    }
    let code = runtime()?.block_on(async {
        let (output, messages) = NodeOutput::channel();
        let (closed, closed_receiver) = mpsc::unbounded_channel();
        let options = Options {
            root: global.root.clone(),
            end_with: args.exit_code_from.clone(),
            pull: args.pull.map(|pull| match pull {
                Pull::Always => PullPolicyOverride::Always,
                Pull::Missing => PullPolicyOverride::IfNotPresent,
                Pull::Never => PullPolicyOverride::Never,
            }),
            ..Options::default()
        };
        let id = format!("run-{}", std::process::id());
        let endpoint = Endpoint::open(&paths, &id).map_err(|error| unable(error.into()))?;
        let registry = Arc::new(Registry::new(endpoint));
        let remarks = output.clone();
        let node = Node::open(options, output, Arc::clone(&registry) as Arc<dyn Observer>)
            .await
            .map_err(unable)?;
        for note in node.notes() {
            term.warning(note);
        }
        for (pod, container) in open_inputs(&pods) {
            term.remark(&format!(
                "note: {pod}/{container} reads standard input (stdin: true): pillion attach -i {pod} -c {container}\n"
            ));
        }
        put_objects(node.objects(), &loaded);
        let config = Config {
            json: args.output == Output::Json,
            prefix: !args.no_log_prefix,
            sources: container_names(&pods),
            term: *term,
        };
        let signals = Signals::listen()?;
        let handles = node
            .start(pods, &ports)
            .await
            .map_err(|error| Failure::new("nothing was started".into(), error))?;
        let server = Server::start(&node, registry)
            .map_err(|error| Failure::new("answer other terminals".into(), error))?;
        for handle in &handles {
            if let Err(error) = server.add(handle) {
                term.warning(&format!("other commands cannot find a Pod: {}", causes(&error)));
            }
        }
        let printer = Printer::start(config, messages, closed)
            .map_err(|error| Failure::new("start the printer".into(), error))?;
        for handle in &handles {
            tokio::spawn(waiting::tell(handle.waits(), remarks.clone()));
        }
        drop(remarks);
        drop(node);
        let run = Run {
            args: &args,
            term,
            signals,
            closed: closed_receiver,
        };
        let (ended, outcomes) = run.until_all_have_ended(handles).await;
        server.finish().await;
        let pods: Vec<Arc<Pod>> = outcomes.iter().map(|o| Arc::clone(&o.pod)).collect();
        let tails = printer.finish();
        if args.output == Output::Json {
            for pod in &pods {
                term.result(&format!("{}\n", final_line(&**pod)));
            }
        } else {
            term.remark(&summary::failures(&pods, &tails));
        }
        for leftover in outcomes.iter().flat_map(|outcome| &outcome.leftovers) {
            term.warning(&format!("left behind: {leftover}"));
        }
        let timelines = outcomes.into_iter().map(|outcome| outcome.timeline);
        let timelines: Vec<PodTimeline> = timelines.collect();
        if args.timeline && args.output == Output::Json {
            for timeline in &timelines {
                term.result(&format!("{}\n", final_line(timeline)));
            }
        } else if args.timeline {
            let look = timeline::look_on_stderr(term);
            term.remark(&format!("\n{}", printers::timeline::text_of_all(&timelines, look)));
        }
        picture.write(|| printers::timeline::svg_of_all(&timelines))?;
        Ok::<_, Failure>(exit_code(&args, ended, &pods))
    })?;
    Ok(code.into())
}

/// What can be judged before anything is touched.
fn check_arguments(args: &RunArgs, pods: &[Pod]) -> Result<Vec<node::Publish>, String> {
    if pods.is_empty() {
        return Err(format!("no Pod in {}", args.manifests.paths().join(", ")));
    }
    if let Some(wanted) = &args.exit_code_from {
        let names = container_names(pods);
        if !names.iter().any(|(_, container)| container == wanted) {
            let names: Vec<&str> = names
                .iter()
                .map(|(_, container)| container.as_str())
                .collect();
            return Err(format!(
                "--exit-code-from {wanted}: no such container (there are {})",
                names.join(", ")
            ));
        }
    }
    publish::all(&args.publish, pods)
}

/// The containers that want standard input.
fn open_inputs(pods: &[Pod]) -> Vec<(String, String)> {
    let wants = |pod: &Pod, name: &str| {
        let mut all = pod.spec.init_containers.iter().chain(&pod.spec.containers);
        all.any(|container| container.name == name && container.stdin == Some(true))
    };
    let mut names = container_names(pods);
    names.retain(|(pod, container)| {
        pods.iter()
            .any(|known| known.metadata.name.as_ref() == Some(pod) && wants(known, container))
    });
    names
}

fn container_names(pods: &[Pod]) -> Vec<(String, String)> {
    pods.iter()
        .flat_map(|pod| {
            let name = pod.metadata.name.clone().unwrap_or_default();
            let all = pod.spec.init_containers.iter().chain(&pod.spec.containers);
            all.map(move |container| (name.clone(), container.name.clone()))
        })
        .collect()
}

pub(super) fn put_objects(objects: &Objects, loaded: &Loaded) {
    for object in &loaded.objects {
        match object {
            Object::ConfigMap(object) => objects.put_config_map(object.object.clone()),
            Object::Secret(object) => objects.put_secret(object.object.clone()),
            Object::Pod(_) => {}
        }
    }
}

/// What made a run end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    ByItself,
    /// The container of `--exit-code-from` has ended.
    ByContainer,
    Interrupted,
    TimedOut,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new("listen for signals".into(), error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

struct Run<'a> {
    args: &'a RunArgs,
    term: &'a Term,
    signals: Signals,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Run<'_> {
    async fn until_all_have_ended(mut self, handles: Vec<PodHandle>) -> (Ended, Vec<PodOutcome>) {
        let deadline = self
            .args
            .timeout
            .map(|timeout| tokio::time::Instant::now() + timeout);
        let controls: Vec<_> = handles.iter().map(PodHandle::control).collect();
        let grace = handles.iter().map(grace_of).max().unwrap_or_default();
        let mut last_call = None;
        let (container_ended, mut container_ends) = mpsc::unbounded_channel();
        if let Some(container) = &self.args.exit_code_from {
            for handle in &handles {
                let (container, mut status) = (container.clone(), handle.status());
                let told = container_ended.clone();
                tokio::spawn(async move {
                    let over = status
                        .wait_for(|pod| has_ended_for_good(pod, &container))
                        .await;
                    if over.is_ok() {
                        let _ = told.send(());
                    }
                });
            }
        }
        let all = async {
            // One that has ended can be looked at for as long as another runs.
            for handle in &handles {
                handle.ended().await;
            }
            let mut outcomes = Vec::new();
            for handle in handles {
                outcomes.push(handle.wait().await);
            }
            outcomes
        };
        tokio::pin!(all);
        let mut ended = Ended::ByItself;
        let mut stops = 0;
        let outcomes = loop {
            tokio::select! {
                outcomes = &mut all => break outcomes,
                () = self.signals.next() => {
                    stops += 1;
                    if ended == Ended::ByItself { ended = Ended::Interrupted; }
                    if stops == 1 {
                        self.term.remark("gracefully stopping (Ctrl-C again to force)\n");
                        controls.iter().for_each(|control| control.delete(None));
                    } else {
                        controls.iter().for_each(node::PodControl::kill);
                    }
                }
                Some(()) = self.closed.recv(), if stops == 0 => {
                    stops += 1;
                    ended = Ended::Interrupted;
                    controls.iter().for_each(|control| control.delete(None));
                }
                Some(()) = container_ends.recv(), if stops == 0 => {
                    stops += 1;
                    ended = Ended::ByContainer;
                    controls.iter().for_each(|control| control.delete(None));
                }
                () = sleep_until(deadline), if stops == 0 => {
                    stops += 1;
                    ended = Ended::TimedOut;
                    self.term.remark("timed out, gracefully stopping (Ctrl-C to force)\n");
                    controls.iter().for_each(|control| control.delete(None));
                    last_call = Some(tokio::time::Instant::now() + grace + BEYOND_GRACE);
                }
                () = sleep_until(last_call), if last_call.is_some() => {
                    last_call = None;
                    self.term.remark("still not stopped, ending the Pods at once\n");
                    controls.iter().for_each(node::PodControl::kill);
                }
            }
        };
        (ended, outcomes)
    }
}

/// How long a Pod may take to end after its time limit, besides its grace period. What would take longer (a postStart
/// hook that never ends is not interrupted, R7.4) would make the limit none.
const BEYOND_GRACE: Duration = Duration::from_secs(5);

fn grace_of(handle: &PodHandle) -> Duration {
    let seconds = handle
        .status()
        .borrow()
        .spec
        .termination_grace_period_seconds;
    Duration::from_secs(u64::try_from(seconds.unwrap_or(30)).unwrap_or(0))
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Whether a container has ended and its Pod would not start it again, but for a policy of Always, whose
/// containers never end for good: there the first end counts.
fn has_ended_for_good(pod: &Pod, container: &str) -> bool {
    let Some(status) = &pod.status else {
        return false;
    };
    if matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed)) {
        return true;
    }
    let all = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    let Some(found) = all.into_iter().find(|status| status.name == container) else {
        return false;
    };
    let end = |state: &Option<manifest::core::v1::ContainerState>| {
        state
            .as_ref()
            .and_then(|state| state.terminated.as_ref())
            .map(|end| end.exit_code)
    };
    match pod.spec.restart_policy.unwrap_or_default() {
        RestartPolicy::Always => end(&found.state).or(end(&found.last_state)).is_some(),
        RestartPolicy::OnFailure => end(&found.state) == Some(0),
        RestartPolicy::Never => end(&found.state).is_some(),
    }
}

fn exit_code(args: &RunArgs, ended: Ended, pods: &[Arc<Pod>]) -> Exit {
    let own = || {
        args.exit_code_from
            .as_deref()
            .and_then(|name| summary::exit_code_from(pods, name))
    };
    match ended {
        Ended::Interrupted => exit::INTERRUPTED,
        Ended::TimedOut => exit::TIMED_OUT,
        Ended::ByContainer => own().unwrap_or(exit::FAILURE),
        Ended::ByItself => own().unwrap_or_else(|| summary::exit_code(pods)),
    }
}

fn final_line(object: &impl serde::Serialize) -> serde_json::Value {
    serde_json::json!({ "time": jiff::Timestamp::now().to_string(), "object": object })
}
