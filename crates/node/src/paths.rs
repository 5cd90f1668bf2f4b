//! Where things are kept on disk.
//!
//! ```text
//! <lib>/images/                         the image store
//! <lib>/pods/<uid>/lock                 held (flock) by the process that owns the Pod
//! <lib>/pods/<uid>/pod.json             the Pod object, for people and for later commands
//! <lib>/pods/<uid>/etc-hosts, resolv.conf
//! <lib>/pods/<uid>/volumes/<plugin>/<volume>/
//! <lib>/pods/<uid>/containers/<name>/<instance>/{upper,work,termination-log}
//! <run>/                                sockets of running programs
//! ```

use std::path::{Path, PathBuf};

/// The two directories that hold all state; different roots never meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What outlives a reboot: images, writable layers, volumes. `/var/lib/pillion` by default.
    pub lib: PathBuf,
    /// What does not: sockets. `/run/pillion` by default.
    pub run: PathBuf,
    cgroup_base: String,
}

impl Paths {
    /// The standard places, or `root/lib` and `root/run`.
    pub fn new(root: Option<&Path>) -> Self {
        match root {
            None => Self {
                lib: "/var/lib/pillion".into(),
                run: "/run/pillion".into(),
                cgroup_base: "pillion".into(),
            },
            Some(root) => {
                // The same words mean different roots in different working directories.
                let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
                let hash = fnv1a(root.as_os_str().as_encoded_bytes());
                Self {
                    lib: root.join("lib"),
                    run: root.join("run"),
                    cgroup_base: format!("pillion-{hash:016x}"),
                }
            }
        }
    }

    /// The image store.
    pub fn images(&self) -> PathBuf {
        self.lib.join("images")
    }

    /// The directory that holds one directory a Pod.
    pub fn pods(&self) -> PathBuf {
        self.lib.join("pods")
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

    /// What one run of a container keeps.
    pub fn container(&self, name: &str, instance: u32) -> PathBuf {
        self.dir
            .join("containers")
            .join(name)
            .join(instance.to_string())
    }
}

/// FNV-1a, 64 bit: a stable short name for a root; it guards against nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
