//! The task of one Pod.

mod answers;
mod change;
mod checks;
mod handover;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lifecycle::{
    Action, HookKind, Input, Instance, Machine, PodEvent, PodWaits, ProbeKind, StopSignal,
};
use manifest::core::v1::{Container, HostIp, Pod, RestartPolicy};
use rustix::process::Signal;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use self::change::{Deletion, Refresh};
use self::handover::{Ended, Wish};
pub(crate) use self::handover::{KeptWorker, Replace};
use super::history::History;
use super::sandbox::Sandbox;
use super::start::{StartRequest, StartedContainer};
use super::{Command, Owned, PodOutcome, events, exit, sandbox, start, with_causes};
use crate::logs;
use crate::node::Node;
use crate::output::Message;
use crate::paths::PodPaths;
use crate::publish::Reserved;
use crate::state::{self, Ownership};

/// What a task has to report.
pub(crate) enum Report {
    /// For the state machine.
    Input(Input),
    /// The namespaces, addresses and volumes are there.
    Sandbox(Box<Sandbox>),
    /// A container's process runs.
    Started(Box<StartedContainer>),
    /// Tell the people.
    Event(PodEvent),
    /// A refresh of the Pod's volumes is done.
    Refreshed,
    /// Something could not be cleared away.
    Leftover(String),
}

pub(crate) type Reports = mpsc::UnboundedSender<Report>;

type Run = (String, Instance);

/// Where a worker tells how its Pod is.
pub(crate) struct Told {
    pub(crate) status: watch::Sender<Arc<Pod>>,
    pub(crate) ended: watch::Sender<bool>,
    pub(crate) waits: watch::Sender<Arc<PodWaits>>,
}

pub(crate) struct Worker {
    node: Arc<Node>,
    pod: Arc<Pod>,
    paths: PodPaths,
    machine: Machine,
    sandbox: Option<Arc<Sandbox>>,
    containers: HashMap<Run, Arc<StartedContainer>>,
    ended: Ended,
    /// Probes and hooks under way; given up when their container has ended.
    tasks: BTreeMap<(Run, Task), AbortHandle>,
    ports: Vec<Reserved>,
    history: History,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: Reports,
    told: Told,
    events: u64,
    leftovers: Vec<String>,
    deletion: Option<Deletion>,
    refresh: Refresh,
    shut_down: bool,
    killed: bool,
    released: bool,
    /// To begin the program anew.
    wish: Option<Wish>,
    ownership: Ownership,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Probe(ProbeKind),
    Hook(HookKind),
}

impl Worker {
    pub(crate) fn new(node: Arc<Node>, pod: Arc<Pod>, owned: Owned, told: Told) -> Self {
        let paths = node
            .paths()
            .pod(pod.metadata.uid.as_deref().unwrap_or_default());
        let (options, now) = (node.machine_options(), node.clock().now());
        let spec = &pod.spec;
        let names = spec.init_containers.iter().chain(&spec.containers);
        let runs = names.filter_map(|c| Some((&c.name, logs::newest_run(&paths, &c.name)?)));
        let runs: Vec<_> = runs.collect();
        // It ran before, if only for a moment that nobody could write down.
        let machine = if pod.status.is_some() || !runs.is_empty() {
            let mut machine = Machine::restore(Arc::clone(&pod), options, now);
            for (container, instance) in runs {
                machine.note_run(container, instance);
            }
            machine
        } else {
            Machine::new(Arc::clone(&pod), options, now)
        };
        Self::with_machine(node, pod, owned, told, machine)
    }

    fn with_machine(
        node: Arc<Node>,
        pod: Arc<Pod>,
        owned: Owned,
        told: Told,
        machine: Machine,
    ) -> Self {
        let paths = node
            .paths()
            .pod(pod.metadata.uid.as_deref().unwrap_or_default());
        let now = node.clock().now();
        let (reporter, reports) = mpsc::unbounded_channel();
        Self {
            deletion: Deletion::recorded(&pod.metadata),
            refresh: Refresh::default(),
            history: History::begin(&pod, owned.record, now),
            node,
            pod,
            paths,
            machine,
            sandbox: None,
            containers: HashMap::new(),
            ended: HashMap::new(),
            tasks: BTreeMap::new(),
            ports: owned.ports,
            reports,
            reporter,
            told,
            events: 0,
            leftovers: Vec::new(),
            shut_down: false,
            killed: false,
            released: false,
            wish: None,
            ownership: owned.ownership,
        }
    }

    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) -> PodOutcome {
        self.node.observer().pod(&self.pod);
        self.step(Input::Wake);
        while !self.machine.is_finished() {
            let (wakeup, given_up) = (self.machine.next_wakeup(), self.wish_ends());
            tokio::select! {
                Some(report) = self.reports.recv() => self.report(report),
                Some(command) = commands.recv() => self.command(command),
                () = self.node.clock().sleep_until(wakeup) => self.step(Input::Wake),
                () = self.node.clock().sleep_until(given_up) => self.give_up_wish(),
            }
            self.begin_anew();
        }
        self.retire().await;
        self.told.ended.send_replace(true);
        // It is there to be looked at until somebody has had enough of it.
        while self.deletion.is_none() && !self.released && !self.shut_down {
            tokio::select! {
                Some(report) = self.reports.recv() => self.report(report),
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
            }
            self.begin_anew();
        }
        self.finish().await
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Delete(grace_seconds) => self.delete(grace_seconds),
            Command::Kill => {
                self.killed = true;
                self.note_deletion(Some(1));
                self.step(Input::KillNow);
            }
            Command::Release => self.released = true,
            Command::Shutdown => {
                self.shut_down = true;
                self.history.close();
                self.step(Input::Delete {
                    grace_seconds: None,
                });
            }
            Command::Restart(replace) => self.wish(replace),
            Command::Target(name, reply) => {
                let _ = reply.send(self.session_target(&name));
            }
            Command::Logs(request, reply) => {
                // Whoever asked may have given up.
                let _ = reply.send(self.logs(&request));
            }
            Command::Timeline(reply) => {
                let _ = reply.send(self.history.timeline(self.node.clock().now()));
            }
            Command::Waits(reply) => {
                let _ = reply.send(self.told.waits.subscribe());
            }
            Command::Network(reply) => {
                let _ = reply.send(self.network());
            }
            Command::Counted(reply) => {
                let _ = reply.send(self.counted());
            }
            Command::ObjectsChanged => self.objects_changed(),
            Command::Update(pod) => self.update(&pod),
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Input(input) => {
                if let Input::Exited {
                    container,
                    instance,
                    ..
                } = &input
                {
                    self.forget(&(container.clone(), *instance));
                    // Told first, so that what has ended is not started again.
                    if self.ends_with(container) {
                        self.delete(None);
                    }
                }
                self.step(input);
            }
            Report::Sandbox(sandbox) => {
                let ips = sandbox.facts().pod_ips.clone();
                self.sandbox = Some(Arc::from(sandbox));
                self.step(Input::SandboxReady { ips });
                self.refresh_what_changed();
            }
            Report::Started(started) => self.started(Arc::from(started)),
            Report::Event(event) => self.emit(&event),
            Report::Refreshed => self.refreshed(),
            Report::Leftover(what) => self.leftovers.push(what),
        }
    }

    fn ends_with(&self, container: &str) -> bool {
        let always = self.pod.spec.restart_policy.unwrap_or_default() == RestartPolicy::Always;
        always && self.deletion.is_none() && self.node.end_with() == Some(container)
    }

    fn started(&mut self, started: Arc<StartedContainer>) {
        let run = started.run();
        self.containers.insert(run.clone(), Arc::clone(&started));
        self.history.command(&run.0, &started.process().args);
        if self.killed {
            // It was on its way when the end was asked for.
            let _ = started.running().signal(Signal::KILL.as_raw());
        }
        let input = Input::Started {
            container: run.0,
            instance: run.1,
            container_id: started.container_id(),
            image_id: started.image_id(),
            image: started.image(),
        };
        self.step(input);
        tokio::spawn(exit::watch(started, self.reporter.clone()));
    }

    /// The instance has ended: nobody asks it anything any more.
    fn forget(&mut self, run: &Run) {
        let over: Vec<_> = self
            .tasks
            .keys()
            .filter(|(of, _)| of == run)
            .cloned()
            .collect();
        for key in over {
            if let Some(task) = self.tasks.remove(&key) {
                task.abort();
            }
        }
    }

    fn step(&mut self, input: Input) {
        let now = self.node.clock().now();
        let actions = self.machine.step(input, now);
        // A change of the object is taken by the machine, or not.
        self.pod = Arc::clone(self.machine.pod());
        // First what is, then what is done about it.
        self.publish();
        for action in actions {
            self.act(action);
        }
        let now = self.node.clock().now();
        self.history.observe_machine(&self.machine, now);
        self.tell_waits(now);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::CreateSandbox => sandbox::create(
                Arc::clone(&self.node),
                Arc::clone(&self.pod),
                self.paths.clone(),
                self.ports.clone(),
                self.reporter.clone(),
            ),
            Action::StopSandbox => {
                self.ports.iter().for_each(Reserved::hold);
                let sandbox = self.sandbox.take();
                sandbox::stop(sandbox, self.reporter.clone());
            }
            Action::Start {
                container,
                instance,
            } => self.start(container, instance),
            // Nothing is pulled yet, and a start that is past pulling goes on (R7.4).
            Action::CancelStart { .. } => {}
            Action::RunProbe {
                container,
                instance,
                probe,
                timeout,
            } => {
                self.probe((container, instance), probe, timeout);
            }
            Action::RunHook {
                container,
                instance,
                hook,
                timeout,
            } => {
                self.hook((container, instance), hook, timeout);
            }
            Action::CancelHook {
                container,
                instance,
                hook,
            } => {
                if let Some(task) = self
                    .tasks
                    .remove(&((container, instance), Task::Hook(hook)))
                {
                    task.abort();
                }
            }
            Action::Stop {
                container,
                instance,
                signal,
            } => {
                if let Some(started) = self.containers.get(&(container, instance)) {
                    let number = match &signal {
                        StopSignal::OfImage => started.stop_signal(),
                        StopSignal::Named(name) => start::signal_number(name),
                    };
                    // A process that is gone already will be reported as exited.
                    let _ = started.running().signal(number);
                }
            }
            Action::Kill {
                container,
                instance,
            } => {
                if let Some(started) = self.containers.get(&(container, instance)) {
                    started.kill();
                }
            }
            Action::Remove {
                container,
                instance,
            } => self.remove(&(container, instance)),
            Action::Emit(event) => self.emit(&event),
        }
    }

    fn start(&mut self, name: String, instance: Instance) {
        let (Some(container), Some(sandbox)) = (self.container(&name), self.sandbox.clone()) else {
            return;
        };
        let request = StartRequest {
            node: Arc::clone(&self.node),
            pod: Arc::clone(&self.pod),
            paths: self.paths.clone(),
            sandbox,
            container: container.clone(),
            instance,
        };
        tokio::spawn(start::start(request, self.reporter.clone()));
    }

    fn container(&self, name: &str) -> Option<&Container> {
        let spec = &self.pod.spec;
        spec.init_containers
            .iter()
            .chain(&spec.containers)
            .find(|container| container.name == name)
    }

    fn remove(&mut self, run: &Run) {
        self.node.output().remove(&self.paths, &run.0, run.1);
        if let Some(started) = self.containers.remove(run) {
            self.leftovers.extend(started.clear());
        }
        if let Some(cgroup) = self.ended.remove(run) {
            self.leftovers
                .extend(cgroup.remove().err().map(|error| error.to_string()));
        }
        if let Err(error) = state::remove_dir(&self.paths.container(&run.0, run.1)) {
            self.leftovers.push(error.to_string());
        }
    }

    fn emit(&mut self, event: &PodEvent) {
        self.events += 1;
        let now = self.node.clock().now();
        self.history.event(event, now);
        let node_name = &self.node.facts().node_name;
        let shown = self.node.clock().shown(now);
        let event = events::event(&self.pod, node_name, event, self.events, shown);
        self.node.observer().event(&event);
        self.node.output().tell(Message::Event(Box::new(event)));
    }

    /// Tells the status, if it has changed.
    fn publish(&mut self) {
        let now = self.node.clock().now();
        let mut status = self.machine.status(now);
        self.node.clock().show(&mut status);
        let host_ips = &self.node.facts().host_ips;
        status.host_ip = host_ips.first().map(ToString::to_string);
        status.host_ips = host_ips
            .iter()
            .map(|ip| HostIp { ip: ip.to_string() })
            .collect();
        let mut pod = (*self.pod).clone();
        pod.status = Some(status);
        if let Some(deletion) = &self.deletion {
            deletion.show(&mut pod.metadata);
        }
        if **self.told.status.borrow() == pod {
            return;
        }
        let pod = Arc::new(pod);
        self.node.output().tell(Message::Status(Arc::clone(&pod)));
        if !self.is_forced() {
            self.node.observer().pod(&pod);
        }
        if let Err(error) = self.history.observe(&pod, now) {
            self.node.output().note(with_causes(&error));
        }
        self.told.status.send_replace(pod);
    }

    /// Clears away all but the record and the logs.
    async fn retire(&mut self) {
        self.refresh.ended().await;
        self.ports.clear();
        for started in std::mem::take(&mut self.containers).into_values() {
            self.leftovers.extend(started.clear());
        }
        let uid = self.uid();
        let paths = self.paths.clone();
        let node = Arc::clone(&self.node);
        let cleared = tokio::task::spawn_blocking(move || {
            let mut left = node.clear_processes(&uid);
            for dir in paths.of_the_running() {
                left.extend(state::remove_dir(&dir).err().map(|e| with_causes(&e)));
            }
            left
        });
        self.leftovers.extend(cleared.await.unwrap_or_default());
    }

    /// Clears away the rest and reports.
    async fn finish(mut self) -> PodOutcome {
        while let Ok(report) = self.reports.try_recv() {
            if let Report::Leftover(what) = report {
                self.leftovers.push(what);
            }
        }
        // A log file that is being written would keep its directory from being removed.
        let _ = self.node.output().settled().await;
        let timeline = self.history.timeline(self.node.clock().now());
        let pod = Arc::clone(&self.told.status.borrow());
        let uid = self.uid();
        let paths = self.paths.clone();
        let node = Arc::clone(&self.node);
        let of = Arc::clone(&pod);
        if self.shut_down && self.deletion.is_none() {
            return PodOutcome {
                pod,
                timeline,
                leftovers: self.leftovers,
            };
        }
        self.history.give_up();
        let forced = self.is_forced();
        let cleared = tokio::task::spawn_blocking(move || {
            let metadata = &of.metadata;
            let namespace = metadata.namespace.as_deref().unwrap_or("default");
            let name = metadata.name.as_deref().unwrap_or_default();
            if !forced {
                state::release_name(node.paths(), &uid, namespace, name);
            }
            state::remove_pod(node.paths(), &paths)
                .err()
                .map(|error| with_causes(&error))
        });
        self.leftovers.extend(cleared.await.ok().flatten());
        if !forced {
            self.node.observer().gone(&pod);
        }
        PodOutcome {
            pod,
            timeline,
            leftovers: self.leftovers,
        }
    }

    fn uid(&self) -> String {
        self.pod.metadata.uid.clone().unwrap_or_default()
    }
}
