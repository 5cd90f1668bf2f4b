//! Where things are kept on disk.
//!
//! ```text
//! <lib>/images/                         the image store
//! <lib>/names/<namespace>_<name>         which Pod has the name: a symlink to its directory
//! <lib>/pods/<uid>/lock                 held (flock) by the process that owns the Pod
//! <lib>/pods/<uid>/pod.json             the Pod object, with the status last told where it is detached
//! <lib>/pods/<uid>/detached.json        says that the Pod goes on without a terminal, and how it was asked for
//! <lib>/pods/<uid>/timeline.json        what became of a detached Pod so far
//! <lib>/pods/<uid>/boot-id              in which boot of the machine a detached Pod was started
//! <lib>/pods/<uid>/objects.json         ConfigMaps and Secrets that a detached Pod refers to (mode 0600)
//! <lib>/pods/<uid>/supervisor.log       what its supervisor had to say beyond events
//! <lib>/pods/<uid>/etc-hosts, resolv.conf
//! <lib>/pods/<uid>/logs/<container>/<instance>.log, .log.<n>
//! <lib>/pods/<uid>/volumes/<plugin>/<volume>/
//! <lib>/pods/<uid>/containers/<name>/<instance>/{upper,work,termination-log}
//! <run>/<server>.sock                   the API of a process that runs Pods
//! <run>/pods/<namespace>_<name>.sock    the API of the process that runs this Pod: a symlink
//! ```

use std::path::{Path, PathBuf};

use manifest::file_name;

/// The two directories that hold all state; different roots never meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What outlives a reboot: images, writable layers, volumes. `/var/lib/pillion` by default.
    pub lib: PathBuf,
    /// What does not: sockets. `/run/pillion` by default.
    pub run: PathBuf,
    root: Option<PathBuf>,
    cgroup_base: String,
}

impl Paths {
    /// The standard places, or `root/lib` and `root/run`.
    pub fn new(root: Option<&Path>) -> Self {
        match root {
            None => Self {
                lib: "/var/lib/pillion".into(),
                run: "/run/pillion".into(),
                root: None,
                cgroup_base: "pillion".into(),
            },
            Some(root) => {
                // The same words mean different roots in different working directories.
                let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
                let hash = file_name::fnv1a(root.as_os_str().as_encoded_bytes());
                Self {
                    lib: root.join("lib"),
                    run: root.join("run"),
                    cgroup_base: format!("pillion-{hash:016x}"),
                    root: Some(root),
                }
            }
        }
    }

    /// The directory that holds both, unless they are in the standard places.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The image store.
    pub fn images(&self) -> PathBuf {
        self.lib.join("images")
    }

    /// The directory that holds one directory a Pod.
    pub fn pods(&self) -> PathBuf {
        self.lib.join("pods")
    }

    /// The directory of the Pods' names.
    pub fn names(&self) -> PathBuf {
        self.lib.join("names")
    }

    /// The symlink that says which Pod has a name.
    pub fn name(&self, namespace: &str, name: &str) -> PathBuf {
        self.names().join(file_name::of_pod(namespace, name))
    }

    /// The directory of the symlinks from Pods to sockets.
    pub fn pod_sockets(&self) -> PathBuf {
        self.run.join("pods")
    }

    /// The symlink to the socket of the process that runs a Pod.
    pub fn pod_socket(&self, namespace: &str, name: &str) -> PathBuf {
        let name = file_name::of_pod(namespace, name);
        self.pod_sockets().join(format!("{name}.sock"))
    }

    /// All that one Pod keeps on disk.
    pub fn pod(&self, uid: &str) -> PodPaths {
        PodPaths {
            dir: self.pods().join(uid),
        }
    }

    /// Name of the cgroup under which all cgroups of this root stand.
    pub fn cgroup_base(&self) -> &str {
        &self.cgroup_base
    }
}

/// The directory of one Pod.
#[derive(Clone, Debug)]
pub struct PodPaths {
    /// The directory itself.
    pub dir: PathBuf,
}

impl PodPaths {
    /// The file whose lock says that the Pod has a living owner.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The Pod object as it was accepted.
    pub fn object(&self) -> PathBuf {
        self.dir.join("pod.json")
    }

    /// How a detached Pod was asked for; a Pod that has none ends with its terminal.
    pub fn detached(&self) -> PathBuf {
        self.dir.join("detached.json")
    }

    /// What became of a detached Pod so far.
    pub fn timeline(&self) -> PathBuf {
        self.dir.join("timeline.json")
    }

    /// In which boot of the machine the Pod was started.
    pub fn boot_id(&self) -> PathBuf {
        self.dir.join("boot-id")
    }

    /// The ConfigMaps and Secrets of a detached Pod.
    pub fn objects(&self) -> PathBuf {
        self.dir.join("objects.json")
    }

    /// Where its supervisor writes what goes wrong.
    pub fn supervisor_log(&self) -> PathBuf {
        self.dir.join("supervisor.log")
    }

    /// The managed `/etc/hosts` (R17.3).
    pub fn hosts(&self) -> PathBuf {
        self.dir.join("etc-hosts")
    }

    /// The managed `/etc/resolv.conf` (R17.5).
    pub fn resolv_conf(&self) -> PathBuf {
        self.dir.join("resolv.conf")
    }

    /// The host directory of a volume, named as the kubelet names it.
    pub fn volume(&self, plugin: &str, name: &str) -> PathBuf {
        self.dir.join("volumes").join(plugin).join(name)
    }

    /// What containers keep.
    pub fn containers(&self) -> PathBuf {
        self.dir.join("containers")
    }

    /// What only a running Pod needs: volumes and writable layers.
    pub fn of_the_running(&self) -> [PathBuf; 2] {
        [self.dir.join("volumes"), self.containers()]
    }

    /// The logs of a container's runs.
    pub fn logs(&self, container: &str) -> PathBuf {
        self.dir.join("logs").join(container)
    }

    /// What one run of a container keeps.
    pub fn container(&self, name: &str, instance: u32) -> PathBuf {
        self.dir
            .join("containers")
            .join(name)
            .join(instance.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_roots_share_neither_directory_nor_cgroup() {
        let (a, b) = (
            Paths::new(Some(Path::new("/a"))),
            Paths::new(Some(Path::new("/b"))),
        );
        assert_ne!(a.lib, b.lib);
        assert_ne!(a.run, b.run);
        assert_ne!(a.cgroup_base(), b.cgroup_base());
        assert_eq!(Paths::new(None).cgroup_base(), "pillion");
        assert!(Paths::new(Some(Path::new("relative"))).lib.is_absolute());
    }
}
