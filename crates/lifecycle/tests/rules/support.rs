//! Short ways to write Pods and scripts.

use std::time::Duration;

use lifecycle::sim::{Run, Script, Scripted, Simulator};
use lifecycle::{Input, Options, Time};
use manifest::core::v1::{
    Container, ContainerState, ContainerStatus, ExecAction, Lifecycle, LifecycleHandler, Pod,
    PodSpec, Probe, RestartPolicy, SleepAction,
};

pub(crate) type Sim = Simulator<Scripted>;

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn at(seconds: i64) -> Time {
    Time::from_secs(seconds)
}

/// A Pod in the making, with the scripts of its containers.
pub(crate) struct Builder {
    pub(crate) spec: PodSpec,
    scripts: Vec<(String, Script)>,
}

pub(crate) fn pod(policy: RestartPolicy) -> Builder {
    let spec = PodSpec {
        restart_policy: Some(policy),
        termination_grace_period_seconds: Some(30),
        ..PodSpec::default()
    };
    Builder {
        spec,
        scripts: Vec::new(),
    }
}

impl Builder {
    pub(crate) fn grace(mut self, seconds: i64) -> Self {
        self.spec.termination_grace_period_seconds = Some(seconds);
        self
    }

    pub(crate) fn init(mut self, name: &str, script: Script) -> Self {
        self.spec.init_containers.push(container(name));
        self.scripts.push((name.to_owned(), script));
        self
    }

    pub(crate) fn sidecar(mut self, name: &str, script: Script) -> Self {
        let restart_policy = Some(RestartPolicy::Always);
        self.spec.init_containers.push(Container {
            restart_policy,
            ..container(name)
        });
        self.scripts.push((name.to_owned(), script));
        self
    }

    pub(crate) fn app(mut self, name: &str, script: Script) -> Self {
        self.spec.containers.push(container(name));
        self.scripts.push((name.to_owned(), script));
        self
    }

    /// Changes the container added last.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Container)) -> Self {
        let name = self
            .scripts
            .last()
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        let containers = self
            .spec
            .init_containers
            .iter_mut()
            .chain(&mut self.spec.containers);
        if let Some(container) = { containers }.find(|container| container.name == name) {
            change(container);
        }
        self
    }

    pub(crate) fn build(&self) -> Pod {
        let mut pod = Pod {
            spec: self.spec.clone(),
            ..Pod::default()
        };
        pod.metadata.name = Some("pod".to_owned());
        pod.metadata.namespace = Some("default".to_owned());
        pod.metadata.uid = Some("uid".to_owned());
        pod
    }

    pub(crate) fn sim(self) -> Sim {
        let pod = self.build();
        Simulator::new(pod, Options::default(), Scripted::new(self.scripts))
    }

    /// Runs until the Pod is at rest, at most an hour.
    pub(crate) fn run(self) -> Sim {
        let mut sim = self.sim();
        sim.run_to_rest(at(3600));
        sim
    }
}

fn container(name: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: Some(format!("{name}:1")),
        ..Container::default()
    }
}

/// Runs for ever, ends with 0 at once when asked to.
pub(crate) fn forever() -> Script {
    Script::default()
}

/// Ends by itself, each time.
pub(crate) fn exits(after: Duration, code: i32) -> Script {
    runs([Run::exits(after, code)])
}

pub(crate) fn runs<const N: usize>(runs: [Run; N]) -> Script {
    Script {
        runs: runs.to_vec(),
        ..Script::default()
    }
}

pub(crate) fn exec() -> LifecycleHandler {
    let exec = Some(ExecAction {
        command: vec!["true".to_owned()],
    });
    LifecycleHandler {
        exec,
        ..LifecycleHandler::default()
    }
}

pub(crate) fn sleep(seconds: i64) -> LifecycleHandler {
    LifecycleHandler {
        sleep: Some(SleepAction { seconds }),
        ..LifecycleHandler::default()
    }
}

pub(crate) fn post_start(handler: LifecycleHandler) -> impl FnOnce(&mut Container) {
    move |container| {
        container
            .lifecycle
            .get_or_insert_with(Lifecycle::default)
            .post_start = Some(handler);
    }
}

pub(crate) fn pre_stop(handler: LifecycleHandler) -> impl FnOnce(&mut Container) {
    move |container| {
        container
            .lifecycle
            .get_or_insert_with(Lifecycle::default)
            .pre_stop = Some(handler);
    }
}

/// A probe with this period and failure threshold.
pub(crate) fn probe(period: i32, failures: i32) -> Option<Probe> {
    Some(Probe {
        exec: Some(ExecAction {
            command: vec!["true".to_owned()],
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        ..Probe::default()
    })
}

pub(crate) fn delete(sim: &mut Sim, grace_seconds: Option<i64>) {
    sim.inject(Input::Delete { grace_seconds });
}

/// The status of a container.
pub(crate) fn status(sim: &Sim, name: &str) -> ContainerStatus {
    let status = sim.status();
    let mut all = status
        .init_container_statuses
        .into_iter()
        .chain(status.container_statuses);
    all.find(|status| status.name == name)
        .expect("a container of the Pod")
}

/// Code and reason of a terminated state.
pub(crate) fn terminated(state: Option<&ContainerState>) -> Option<(i32, String)> {
    let terminated = state?.terminated.as_ref()?;
    Some((
        terminated.exit_code,
        terminated.reason.clone().unwrap_or_default(),
    ))
}

/// Code of the newest end that the status shows.
pub(crate) fn exit_code(sim: &Sim, name: &str) -> Option<i32> {
    let status = status(sim, name);
    let newest = terminated(status.state.as_ref()).or(terminated(status.last_state.as_ref()));
    newest.map(|(code, _)| code)
}

/// The waiting reason.
pub(crate) fn waiting(sim: &Sim, name: &str) -> Option<String> {
    status(sim, name).state?.waiting?.reason
}

pub(crate) fn restarts(sim: &Sim, name: &str) -> i32 {
    status(sim, name).restart_count
}

pub(crate) fn phase(sim: &Sim) -> &'static str {
    sim.machine().shown_phase().as_str()
}

/// Status, reason and message of a condition.
pub(crate) fn condition(sim: &Sim, kind: &str) -> (String, String, String) {
    let condition = sim
        .status()
        .conditions
        .into_iter()
        .find(|c| c.type_ == kind);
    let condition = condition.expect("a condition of that type");
    let text = |text: Option<String>| text.unwrap_or_default();
    (
        condition.status.to_string(),
        text(condition.reason),
        text(condition.message),
    )
}

/// Messages of the events with this reason.
pub(crate) fn events(sim: &Sim, reason: &str) -> Vec<String> {
    let events = sim.events().filter(|(_, event)| event.reason == reason);
    events.map(|(_, event)| event.message.clone()).collect()
}

/// Seconds between two moments that must both have come.
pub(crate) fn gap(from: Option<Time>, to: Option<Time>) -> f64 {
    let (from, to) = (from.expect("the first came"), to.expect("the second came"));
    (to.0 - from.0) as f64 / 1000.0
}
