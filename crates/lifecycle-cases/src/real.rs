//! Scenarios in real containers: the `pillion` program from outside, as people use it.
//!
//! Every Pod of a run shares one state directory, which must hold the image busybox. Statuses come from `get --watch`, so
//! the last one before the Pod vanishes is seen; everything else is asked when it is needed.

mod supervisor;

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lifecycle::columns::{Columns, columns};
use lifecycle::timeline::PodTimeline;
use lifecycle::{EventKind, PodEvent, Time};
use manifest::core::v1::{Pod, PodStatus};
use serde_json::Value;

use self::supervisor::Supervisor;
use crate::case::{Case, Events, Subject, seconds};
use crate::drive::{self, Harness, is_terminal};
use crate::outcome::Outcome;
use crate::pod;

/// How often files and statuses are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long the first status of a Pod may take.
const FIRST_STATUS: Duration = Duration::from_secs(10);

/// The program and its state.
#[derive(Clone, Debug)]
pub struct Real {
    /// The program.
    pub program: PathBuf,
    /// Its state directory (`PILLION_ROOT`); its own default when absent.
    pub root: Option<PathBuf>,
    /// A folder for the events directories and manifests of scenarios.
    pub scratch: PathBuf,
}

/// What was seen of a Pod.
#[derive(Debug, Default)]
struct Seen {
    newest: Option<Pod>,
    terminal: Option<Time>,
    /// Whether address or UID changed.
    moved: bool,
    identity: Option<(String, String)>,
}

/// A Pod that runs.
struct Running<'a> {
    real: &'a Real,
    name: String,
    folder: PathBuf,
    events: PathBuf,
    spec: Pod,
    manifest: Vec<Value>,
    seen: Arc<Mutex<Seen>>,
    marks: Events,
    watch: Option<Watch>,
    deletion: Option<JoinHandle<io::Result<Output>>>,
    gone: bool,
    deleting: bool,
}

/// A `get --watch` and who reads it.
struct Watch {
    child: Child,
    reader: Option<JoinHandle<()>>,
}

impl Watch {
    fn goes_on(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Seconds since the boot, as scripts read them.
fn uptime() -> Time {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    Time((seconds.unwrap_or_default() * 1000.0).round() as i64)
}

/// Whether the memory controller is one of v2's.
fn has_cgroup_v2() -> bool {
    let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers");
    controllers.is_ok_and(|names| names.split_whitespace().any(|name| name == "memory"))
}

/// The time of something that is seen now: the end of the clock's hundredth, since what led to it may bear the time of its
/// beginning.
fn observed() -> Time {
    uptime() + Duration::from_millis(10)
}

impl Real {
    /// Runs a scenario.
    pub(crate) fn run(&self, case: &Case) -> Outcome {
        let folder = self.scratch.join(&case.name);
        let events = folder.join("events");
        if let Some(outcome) = pod::judge_admission(case, &events.to_string_lossy()) {
            return outcome;
        }
        match self.try_run(case, &folder, &events) {
            Ok(()) => {
                let _ = fs::remove_dir_all(&folder);
                Outcome::Passed
            }
            Err(why) if case.needs_cgroup_v2() && !has_cgroup_v2() => Outcome::Failed(format!(
                "{why}; it needs cgroup v2, and the controllers of this machine are on v1"
            )),
            Err(why) => Outcome::Failed(why),
        }
    }

    fn try_run(&self, case: &Case, folder: &Path, events: &Path) -> Result<(), String> {
        let failed = |error: io::Error| format!("cannot prepare {}: {error}", folder.display());
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(events).map_err(failed)?;
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(events, open).map_err(failed)?;
        let spec = pod::accepted(case, &events.to_string_lossy())?;
        let mut manifest = case.objects.clone();
        manifest.push(case.pod.clone());
        let mut running = Running {
            real: self,
            name: spec.metadata.name.clone().unwrap_or_default(),
            folder: folder.to_owned(),
            events: events.to_owned(),
            spec,
            manifest,
            seen: Arc::default(),
            marks: Events::default(),
            watch: None,
            deletion: None,
            gone: false,
            deleting: false,
        };
        if case.runs_nothing() {
            return drive::steps(&mut running, case);
        }
        let result = running
            .begin()
            .and_then(|()| drive::steps(&mut running, case));
        running.clear();
        if running.seen(|seen| seen.newest.is_some()) {
            return result;
        }
        let said = fs::read_to_string(folder.join("watch.stderr")).unwrap_or_default();
        result.map_err(|why| format!("{why}; no status was seen: {}", said.trim()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(root) = &self.root {
            command.env("PILLION_ROOT", root);
        }
        command
            .env("NO_COLOR", "1")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Standard output of the program, or what it says when it fails.
    fn output(&self, arguments: &[&str]) -> Result<String, String> {
        let said = |output: &[u8]| String::from_utf8_lossy(output).trim().to_owned();
        let output = self.command(arguments).output();
        let output = output.map_err(|error| format!("{}: {error}", self.program.display()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let what = arguments.join(" ");
        Err(format!(
            "pillion {what}: {}: {}",
            output.status,
            said(&output.stderr)
        ))
    }
}

impl Running<'_> {
    fn begin(&mut self) -> Result<(), String> {
        self.mark("@create");
        self.submit()?;
        self.follow()?;
        // On a busy machine the containers may be quicker than who watches them. Without statuses the scenario fails.
        let end = uptime() + FIRST_STATUS;
        while self.seen(|seen| seen.newest.is_none()) && uptime() < end {
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Hands the manifests in, as often as they change.
    fn submit(&self) -> Result<(), String> {
        let file = self.folder.join("manifest.json");
        let events = self.events.to_string_lossy();
        let documents: Vec<String> = self
            .manifest
            .iter()
            .map(|object| pod::with_events(object, &events))
            .collect();
        let written = fs::write(&file, documents.join("\n"));
        written.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        self.real
            .output(&["run", "--detach", &file.to_string_lossy()])?;
        Ok(())
    }

    /// Begins to read statuses.
    fn follow(&mut self) -> Result<(), String> {
        let arguments = ["get", "pod", &self.name, "--watch", "--output", "json"];
        let mut command = self.real.command(&arguments);
        let errors = fs::File::create(self.folder.join("watch.stderr"));
        let errors = errors.map_or_else(|_| Stdio::null(), Stdio::from);
        let command = command.stdout(Stdio::piped()).stderr(errors);
        let mut child = command
            .spawn()
            .map_err(|error| format!("pillion get: {error}"))?;
        let Some(output) = child.stdout.take() else {
            return Err("pillion get has no output".to_owned());
        };
        let seen = Arc::clone(&self.seen);
        let reader = std::thread::spawn(move || {
            let objects = serde_json::Deserializer::from_reader(BufReader::new(output));
            for pod in objects.into_iter::<Pod>().map_while(Result::ok) {
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .note(pod);
            }
        });
        self.watch = Some(Watch {
            child,
            reader: Some(reader),
        });
        Ok(())
    }

    fn seen<T>(&self, what: impl FnOnce(&Seen) -> T) -> T {
        what(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what is noted once.
    fn observe(&mut self) {
        if self.marks.all("@terminal").is_empty()
            && let Some(at) = self.seen(|seen| seen.terminal)
        {
            self.marks.push("@terminal", seconds(at));
        }
    }

    /// Ends the Pod, whatever is left of it.
    fn clear(&mut self) {
        if let Some(deletion) = self.deletion.take().filter(|_| !self.gone) {
            let _ = deletion.join();
        }
        let end = [
            "delete",
            "pod",
            &self.name,
            "--force",
            "--grace-period=0",
            "--ignore-not-found",
        ];
        let _ = self.real.output(&end);
        self.watch = None;
    }
}

impl Seen {
    fn note(&mut self, pod: Pod) {
        let status = pod.status.clone().unwrap_or_default();
        if is_terminal(status.phase.unwrap_or_default()) {
            self.terminal.get_or_insert_with(observed);
        }
        if let Some(ip) = status.pod_ip.filter(|ip| !ip.is_empty()) {
            let now = (ip, pod.metadata.uid.clone().unwrap_or_default());
            self.moved |= *self.identity.get_or_insert_with(|| now.clone()) != now;
        }
        self.newest = Some(pod);
    }
}

impl Harness for Running<'_> {
    fn now(&self) -> Time {
        uptime()
    }

    fn stopped(&self) -> bool {
        false
    }

    fn advance(&mut self, end: Time) -> bool {
        let left = end - uptime();
        std::thread::sleep(left.min(LOOK));
        if self.deletion.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(deletion) = self.deletion.take()
            && let Ok(Ok(output)) = deletion.join()
            && output.status.success()
        {
            self.marks.push("@gone", seconds(observed()));
            self.gone = true;
        }
        // It ends when the Pod has no owner for a moment.
        let watching = self.watch.as_mut().is_some_and(Watch::goes_on);
        if !watching && !self.gone {
            self.watch = None;
            // Tried again at the next look; without statuses the scenario fails.
            let _ = self.follow();
        }
        self.observe();
        uptime() < end
    }

    fn mark(&mut self, name: &str) {
        let now = uptime();
        self.marks.push(name, seconds(now));
        // What follows is to have a later time, on a clock of hundredths.
        while uptime() == now {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn is_gone(&self) -> bool {
        self.gone
    }

    fn delete(&mut self, grace_s: Option<i64>) -> Result<(), String> {
        self.deleting = true;
        let grace = grace_s.map(|seconds| format!("--grace-period={seconds}"));
        let mut arguments = vec!["delete", "pod", self.name.as_str()];
        arguments.extend(grace.as_deref());
        if grace_s == Some(0) {
            arguments.push("--force");
        }
        let mut command = self.real.command(&arguments);
        self.deletion = Some(std::thread::spawn(move || command.output()));
        Ok(())
    }

    fn touch(&mut self, name: &str) -> Result<(), String> {
        let path = self.events.join(name);
        fs::write(&path, "").map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    fn apply(&mut self, object: &Value) -> Result<(), String> {
        let same = |known: &&mut Value| {
            known["kind"] == object["kind"]
                && known["metadata"]["name"] == object["metadata"]["name"]
        };
        match self.manifest.iter_mut().find(same) {
            Some(known) => known.clone_from(object),
            // Before the Pod, which comes last.
            None => self.manifest.insert(0, object.clone()),
        }
        self.submit()
    }

    fn restart_runner(&mut self, kill_sandbox: bool) -> Result<(), String> {
        let pod = self
            .real
            .output(&["get", "pod", &self.name, "--output", "json"])?;
        let pod: Value = serde_json::from_str(&pod).map_err(|error| error.to_string())?;
        let supervisor = Supervisor::of(pod["metadata"]["uid"].as_str().unwrap_or_default())?;
        if kill_sandbox {
            // The Pod's processes end with it; what comes next takes over what has no owner.
            supervisor.kill()?;
        } else {
            supervisor.restart()?;
        }
        self.real.output(&["get", "pods"])?;
        Ok(())
    }
}

impl Subject for Running<'_> {
    fn events(&self) -> Events {
        let log = fs::read(self.events.join("log")).unwrap_or_default();
        Events::parse(&String::from_utf8_lossy(&log)).with(&self.marks)
    }

    fn status(&self) -> PodStatus {
        self.seen(|seen| seen.newest.as_ref().and_then(|pod| pod.status.clone()))
            .unwrap_or_default()
    }

    fn pod(&self) -> &Pod {
        &self.spec
    }

    fn columns(&self) -> Columns {
        let now = Time(
            i64::try_from(
                std::time::UNIX_EPOCH
                    .elapsed()
                    .unwrap_or_default()
                    .as_millis(),
            )
            .unwrap_or(i64::MAX),
        );
        columns(&self.spec.spec, &self.status(), self.deleting, now)
    }

    fn pod_events(&self) -> Vec<PodEvent> {
        let selector = format!("involvedObject.name={}", self.name);
        let listed = self.real.output(&[
            "get",
            "events",
            "--output",
            "json",
            "--field-selector",
            &selector,
        ]);
        let list: Value = listed
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let event = |item: &Value| PodEvent {
            kind: if item["type"] == "Warning" {
                EventKind::Warning
            } else {
                EventKind::Normal
            },
            reason: text(&item["reason"]),
            message: text(&item["message"]),
            container: text(&item["involvedObject"]["fieldPath"])
                .split(['{', '}'])
                .nth(1)
                .map(str::to_owned),
        };
        items.iter().map(event).collect()
    }

    fn log(&self, container: &str) -> Option<String> {
        self.real
            .output(&["logs", &self.name, "-c", container])
            .ok()
    }

    fn file(&self, path: &str) -> Option<String> {
        let bytes = fs::read(self.events.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn arguments(&self, container: &str) -> Result<Vec<String>, String> {
        let timeline = self
            .real
            .output(&["timeline", &self.name, "--output", "json"])?;
        let timeline: PodTimeline =
            serde_json::from_str(&timeline).map_err(|error| error.to_string())?;
        let mut containers = timeline.containers.into_iter();
        containers
            .find(|known| known.name == container)
            .map(|known| known.command)
            .ok_or_else(|| format!("the timeline knows no container {container}"))
    }

    fn kept_ip(&self) -> bool {
        !self.seen(|seen| seen.moved)
    }

    fn node_memory(&self) -> Result<u64, String> {
        let text = fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
        let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024)
            .ok_or_else(|| "/proc/meminfo has no MemTotal".to_owned())
    }
}
