//! Cgroups of Pods and containers on cgroup v1, hybrid and v2, without systemd.
//!
//! The tree is the kubelet's, beneath a base of our own so that we never meet one:
//! `<mount>/<base>/kubepods/{,burstable/,besteffort/}pod<uid>/<container instance>` (R13.10).
//!
//! A machine without a controller, or with a read-only cgroup file system, runs Pods all the same: what cannot be enforced
//! comes back as sentences in [`Degraded`]. Limits of devices are not here: in a container that is not privileged no mount
//! honours device nodes but the standard ones, on either version.

mod cpu;
mod detect;
mod kill;
mod memory;
mod pids;
mod usage;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use usage::Usage;

/// Which interface the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// All controllers on v1.
    V1,
    /// Controllers on v1, and an empty v2 hierarchy beside them.
    Hybrid,
    /// One hierarchy with all controllers.
    V2,
    /// None is mounted.
    None,
}

/// Quality of service of a Pod, which decides its place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QosClass {
    /// Directly beneath `kubepods`.
    Guaranteed,
    /// Beneath `burstable`.
    Burstable,
    /// Beneath `besteffort`.
    BestEffort,
}

/// A controller this crate sets limits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Controller {
    Memory,
    Cpu,
    Cpuacct,
    Pids,
}

impl Controller {
    const ALL: [Self; 4] = [Self::Memory, Self::Cpu, Self::Cpuacct, Self::Pids];

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Pids => "pids",
        }
    }
}

/// Limits of one cgroup; `None` leaves the kernel's default, no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; swap is not added to it.
    pub memory_bytes: Option<u64>,
    /// Relative share of cpu time as `cpu.shares`, 2 to 262144 (R13.7).
    pub cpu_shares: Option<u64>,
    /// Microseconds of cpu time in each period of 100 ms, at least 1000 (R13.8).
    pub cpu_quota_micros: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

/// What the machine cannot enforce, as sentences for the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Degraded(pub Vec<String>);

impl Degraded {
    fn note(&mut self, sentence: String) {
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }
}

/// The cgroup file systems of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroups {
    mode: Mode,
    hierarchies: Vec<Hierarchy>,
}

/// One mounted hierarchy and those of our controllers it has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    controllers: Vec<Controller>,
}

/// A cgroup: one directory on v2, one in each hierarchy on v1. Cheap to clone; owns nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupHandle {
    v2: bool,
    dirs: Vec<Dir>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Dir {
    path: PathBuf,
    controllers: Vec<Controller>,
}

impl Cgroups {
    /// Which interface there is.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Creates the Pod's cgroup (or finds it) beneath `base` and applies `limits`.
    #[must_use]
    pub fn create_pod(
        &self,
        base: &str,
        qos: QosClass,
        uid: &str,
        limits: &Limits,
    ) -> (CgroupHandle, Degraded) {
        let mut steps = vec![base.to_owned(), "kubepods".to_owned()];
        match qos {
            QosClass::Guaranteed => {}
            QosClass::Burstable => steps.push("burstable".to_owned()),
            QosClass::BestEffort => steps.push("besteffort".to_owned()),
        }
        steps.push(format!("pod{uid}"));
        let mut degraded = Degraded::default();
        let mut dirs = Vec::new();
        for hierarchy in &self.hierarchies {
            match self.descend(hierarchy, &steps) {
                Ok(dir) => dirs.push(dir),
                Err((path, error)) => degraded.note(format!(
                    "cgroup {}: {}; {} of this Pod will not be limited",
                    path.display(),
                    crate::error::os_text(&error),
                    names(&hierarchy.controllers),
                )),
            }
        }
        if self.hierarchies.is_empty() {
            degraded.note(
                "no cgroup file system is mounted; no resource of this Pod will be limited".into(),
            );
        }
        let handle = CgroupHandle {
            v2: self.mode == Mode::V2,
            dirs,
        };
        handle.apply(limits, &mut degraded);
        (handle, degraded)
    }

    /// The cgroups of all Pods beneath `base`, with their Pod's uid: what an earlier run may have left.
    #[must_use]
    pub fn pods(&self, base: &str) -> Vec<(String, CgroupHandle)> {
        let mut pods: Vec<(String, CgroupHandle)> = Vec::new();
        for hierarchy in &self.hierarchies {
            for qos in ["", "burstable", "besteffort"] {
                let parent = hierarchy.mount.join(base).join("kubepods").join(qos);
                for path in subdirectories(&parent) {
                    let Some(uid) = path.file_name().and_then(|name| name.to_str()) else {
                        continue;
                    };
                    let Some(uid) = uid.strip_prefix("pod").map(str::to_owned) else {
                        continue;
                    };
                    let dir = Dir {
                        path,
                        controllers: hierarchy.controllers.clone(),
                    };
                    match pods.iter_mut().find(|(known, _)| *known == uid) {
                        Some((_, handle)) => handle.dirs.push(dir),
                        None => {
                            let v2 = self.mode == Mode::V2;
                            pods.push((
                                uid,
                                CgroupHandle {
                                    v2,
                                    dirs: vec![dir],
                                },
                            ));
                        }
                    }
                }
            }
        }
        pods
    }

    /// Removes the directories above Pods beneath `base` that have become empty. Another instance may use them at the same
    /// time, so one that is busy simply stays.
    pub fn prune(&self, base: &str) {
        for hierarchy in &self.hierarchies {
            let base = hierarchy.mount.join(base);
            for parent in ["kubepods/burstable", "kubepods/besteffort", "kubepods", ""] {
                // `join("")` would end in a slash, which rmdir takes as well.
                let _ = std::fs::remove_dir(base.join(parent));
            }
        }
    }

    /// Creates the directories from the mount down, and on v2 hands the controllers down with them.
    fn descend(
        &self,
        hierarchy: &Hierarchy,
        steps: &[String],
    ) -> Result<Dir, (PathBuf, io::Error)> {
        let mut path = hierarchy.mount.clone();
        let mut controllers = hierarchy.controllers.clone();
        for (depth, step) in steps.iter().enumerate() {
            if self.mode == Mode::V2 {
                controllers = hand_down(&path, &controllers);
            }
            path.push(step);
            make_directory(&path).map_err(|error| (path.clone(), error))?;
            if depth == 0 && controllers.contains(&Controller::Memory) && self.mode != Mode::V2 {
                memory::use_hierarchy(&path);
            }
            if step == "besteffort" && controllers.contains(&Controller::Cpu) {
                // All BestEffort Pods together get the least; the kubelet's value.
                let _ = cpu::apply(&path, self.mode == Mode::V2, Some(2), None);
            }
        }
        if self.mode == Mode::V2 {
            controllers = hand_down(&path, &controllers);
        }
        Ok(Dir { path, controllers })
    }
}

impl CgroupHandle {
    /// Creates a container's cgroup in this Pod's and applies `limits`.
    #[must_use]
    pub fn create_child(&self, name: &str, limits: &Limits) -> (Self, Degraded) {
        let mut degraded = Degraded::default();
        let mut dirs = Vec::new();
        for dir in &self.dirs {
            let path = dir.path.join(name);
            match make_directory(&path) {
                Ok(()) => dirs.push(Dir {
                    path,
                    controllers: dir.controllers.clone(),
                }),
                Err(error) => degraded.note(format!(
                    "cgroup {}: {}; {} of this container will not be limited",
                    path.display(),
                    crate::error::os_text(&error),
                    names(&dir.controllers),
                )),
            }
        }
        let child = Self { v2: self.v2, dirs };
        child.apply(limits, &mut degraded);
        if child.v2 {
            for dir in child.with(Controller::Memory) {
                memory::kill_as_a_group(dir);
            }
        }
        (child, degraded)
    }

    /// Changes the limits of this cgroup.
    #[must_use]
    pub fn set_limits(&self, limits: &Limits) -> Degraded {
        let mut degraded = Degraded::default();
        self.apply(limits, &mut degraded);
        degraded
    }

    /// Whether there is no directory at all, so that nothing can be joined, limited or counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dirs.is_empty()
    }

    /// How many processes the kernel has killed in this cgroup for want of memory. Read it when the container exits: on v1
    /// it counts this cgroup alone, on v2 those beneath as well.
    ///
    /// # Errors
    /// `NotFound` without a memory controller; the error of reading.
    pub fn oom_kills(&self) -> io::Result<u64> {
        let dir = self.with(Controller::Memory).next();
        let dir = dir.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        memory::oom_kills(dir, self.v2)
    }

    /// Whether memory is limited in this cgroup or the Pod's, in which it lies. What cannot be read counts as no limit.
    pub(crate) fn limits_memory(&self) -> bool {
        let mut dirs = self.with(Controller::Memory);
        dirs.any(|dir| {
            let mut levels = dir.ancestors().take(2);
            levels.any(|dir| memory::is_limited(dir, self.v2))
        })
    }

    /// Removes this cgroup and everything beneath, bottom up. What does not exist is no error.
    ///
    /// # Errors
    /// The first directory that could not be removed; `EBUSY` while processes are in it.
    pub fn remove(&self) -> io::Result<()> {
        let mut first = Ok(());
        for dir in &self.dirs {
            if let Err(error) = remove_tree(&dir.path)
                && first.is_ok()
            {
                let text = format!("remove cgroup {}: {error}", dir.path.display());
                first = Err(io::Error::new(error.kind(), text));
            }
        }
        first
    }

    /// Moves the calling process in (v1). On v2 processes are born in their cgroup instead.
    pub(crate) fn enter(&self) -> io::Result<()> {
        if self.v2 {
            return Ok(());
        }
        for dir in &self.dirs {
            write(&dir.path, "cgroup.procs", "0")?;
        }
        Ok(())
    }

    /// The directory to be born in (v2).
    pub(crate) fn birthplace(&self) -> Option<&Path> {
        if self.v2 {
            self.dirs.first().map(|dir| dir.path.as_path())
        } else {
            None
        }
    }

    /// What a container sees beneath `/sys/fs/cgroup` on v1: the hierarchy's name and its directory.
    pub(crate) fn v1_views(&self) -> impl Iterator<Item = (String, &Path)> {
        let dirs = if self.v2 { &[][..] } else { &self.dirs[..] };
        dirs.iter().map(|dir| {
            let names: Vec<&str> = dir.controllers.iter().map(|c| c.name()).collect();
            (names.join(","), dir.path.as_path())
        })
    }

    pub(crate) fn is_v2(&self) -> bool {
        self.v2
    }

    fn with(&self, controller: Controller) -> impl Iterator<Item = &Path> {
        self.dirs
            .iter()
            .filter(move |dir| dir.controllers.contains(&controller))
            .map(|dir| dir.path.as_path())
    }

    fn apply(&self, limits: &Limits, degraded: &mut Degraded) {
        let mut apply =
            |controller: Controller, wanted: bool, run: &dyn Fn(&Path) -> io::Result<()>| {
                if !wanted {
                    return;
                }
                let mut any = false;
                for dir in self.with(controller) {
                    any = true;
                    if let Err(error) = run(dir) {
                        degraded.note(format!(
                            "cgroup {}: {}; the {} limit is not enforced",
                            dir.display(),
                            crate::error::os_text(&error),
                            controller.name(),
                        ));
                    }
                }
                if !any {
                    degraded.note(format!(
                        "this machine has no {} cgroup controller; the {} limit is not enforced",
                        controller.name(),
                        controller.name(),
                    ));
                }
            };
        let cpu_wanted = limits.cpu_shares.is_some() || limits.cpu_quota_micros.is_some();
        apply(Controller::Memory, limits.memory_bytes.is_some(), &|dir| {
            memory::apply(dir, self.v2, limits.memory_bytes)
        });
        apply(Controller::Cpu, cpu_wanted, &|dir| {
            cpu::apply(dir, self.v2, limits.cpu_shares, limits.cpu_quota_micros)
        });
        apply(Controller::Pids, limits.pids.is_some(), &|dir| {
            pids::apply(dir, limits.pids)
        });
    }
}

/// Enables what can be enabled of `controllers` for the children of `path`, and says what that is.
fn hand_down(path: &Path, controllers: &[Controller]) -> Vec<Controller> {
    let enabled =
        || std::fs::read_to_string(path.join("cgroup.subtree_control")).unwrap_or_default();
    let has = |list: &str, controller: Controller| {
        list.split_whitespace()
            .any(|name| name == controller.name())
    };
    let before = enabled();
    for controller in controllers.iter().filter(|c| !has(&before, **c)) {
        // One at a time, so that one that cannot be enabled does not take the others with it.
        let _ = write(
            path,
            "cgroup.subtree_control",
            &format!("+{}", controller.name()),
        );
    }
    let after = enabled();
    controllers
        .iter()
        .copied()
        .filter(|c| has(&after, *c))
        .collect()
}

fn make_directory(path: &Path) -> io::Result<()> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Writes to a control file, which is never created: a missing one means a missing controller.
fn write(dir: &Path, file: &str, value: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(dir.join(file))?
        .write_all(value.as_bytes())
}

fn subdirectories(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn remove_tree(path: &Path) -> io::Result<()> {
    for child in subdirectories(path) {
        remove_tree(&child)?;
    }
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn names(controllers: &[Controller]) -> String {
    if controllers.is_empty() {
        return "nothing".to_owned();
    }
    controllers
        .iter()
        .map(|c| c.name())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
