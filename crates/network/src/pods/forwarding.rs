//! The kernel's forwarding switches, with care for what else they do.

use std::io;
use std::path::PathBuf;

/// The settings below `/proc/sys/net`, those of the calling thread's network namespace.
#[derive(Debug, Clone)]
pub(super) struct Sysctl {
    root: PathBuf,
}

impl Default for Sysctl {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/proc/sys/net"),
        }
    }
}

impl Sysctl {
    fn read(&self, key: &str) -> Option<String> {
        let value = std::fs::read_to_string(self.root.join(key)).ok()?;
        Some(value.trim().to_owned())
    }

    pub(super) fn write(&self, key: &str, value: &str) -> io::Result<()> {
        // Never made: in a test's directory as in /proc, a setting that is not there is not supported.
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(self.root.join(key))?;
        io::Write::write_all(&mut file, value.as_bytes())
    }

    fn is_on(&self, key: &str) -> bool {
        self.read(key).is_some_and(|value| value != "0")
    }

    /// Whether Pods can have IPv6: the kernel has it, it is not disabled here, and links can be kept from listening to
    /// router advertisements, without which any Pod could make itself this machine's router.
    pub(super) fn ipv6_usable(&self, notes: &mut Vec<String>) -> bool {
        let disabled = |interfaces: &str| {
            let value = self.read(&format!("ipv6/conf/{interfaces}/disable_ipv6"));
            value.is_none_or(|value| value != "0")
        };
        if disabled("all") || disabled("default") {
            return false;
        }
        let key = "ipv6/conf/default/accept_ra";
        let rewritten = self
            .read(key)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
            .and_then(|value| self.write(key, &value));
        if let Err(error) = &rewritten {
            notes.push(format!(
                "Pods have no IPv6: net.{} cannot be set: {error}",
                dotted(key)
            ));
        }
        rewritten.is_ok()
    }

    /// Switches IPv4 forwarding on if it is off.
    pub(super) fn forward_ipv4(&self, notes: &mut Vec<String>) {
        self.switch_on(&["ipv4/ip_forward"], "IPv4", notes);
    }

    /// Switches IPv6 forwarding on if it is off.
    ///
    /// The global switch turns hosts into routers: their interfaces stop listening to router advertisements and lose the
    /// default routes learnt so, unless `accept_ra` is 2. So where the kernel has `force_forwarding` (6.17), which forwards
    /// and changes nothing else, that is used; elsewhere each interface that listens is told to go on first.
    pub(super) fn forward_ipv6(&self, notes: &mut Vec<String>) {
        if self.is_on("ipv6/conf/all/forwarding") {
            return;
        }
        if self.read("ipv6/conf/all/force_forwarding").is_some() {
            // `all` reaches the interfaces there are, `default` those to come.
            let keys = [
                "ipv6/conf/default/force_forwarding",
                "ipv6/conf/all/force_forwarding",
            ];
            self.switch_on(&keys, "IPv6", notes);
            return;
        }
        let interfaces = std::fs::read_dir(self.root.join("ipv6/conf"));
        for interface in interfaces.into_iter().flatten().flatten() {
            let name = interface.file_name();
            let key = format!("ipv6/conf/{}/accept_ra", name.to_string_lossy());
            if self.read(&key).as_deref() == Some("1")
                && let Err(error) = self.write(&key, "2")
            {
                notes.push(format!(
                    "Pods have no IPv6 beyond this machine: forwarding stays off, because net.{} cannot be set: {error}",
                    dotted(&key)
                ));
                return;
            }
        }
        self.switch_on(&["ipv6/conf/all/forwarding"], "IPv6", notes);
    }

    /// Sets what is off of these settings to 1, with one note about all.
    fn switch_on(&self, keys: &[&str], family: &str, notes: &mut Vec<String>) {
        let off = || keys.iter().filter(|key| !self.is_on(key));
        if off().next().is_none() {
            return;
        }
        let settings: Vec<String> = off().map(|key| format!("net.{}=1", dotted(key))).collect();
        let settings = settings.join(", ");
        notes.push(match off().try_for_each(|key| self.write(key, "1")) {
            Ok(()) => format!(
                "switched {family} forwarding on ({settings}): Pods reach each other and other machines through it; it stays on"
            ),
            Err(error) => format!(
                "Pods reach neither each other nor other machines over {family}: forwarding is off and cannot be switched on ({settings}): {error}"
            ),
        });
    }
}

/// The setting as `sysctl` writes it.
fn dotted(key: &str) -> String {
    key.replace('/', ".")
}

#[cfg(test)]
mod tests;
