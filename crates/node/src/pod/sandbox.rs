//! What the containers of a Pod share: namespaces, addresses, managed files, volumes.

mod handover;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use container::{PidMode, SandboxSpec};
use lifecycle::Input;
use manifest::core::v1::{DnsPolicy, Pod, PodSpec};
use network::Attachment;
use network::dns_config::{self, DnsRequest, PodDnsConfig};
use network::hostname::{HostnameError, HostnameRequest, PodHostname, pod_hostname};
use network::hosts::{HostAlias, host_network_hosts, pod_hosts};
use rustix::process::Signal;

use super::cgroup::{PodCgroup, due_after};
use super::wait;
use super::worker::{Report, Reports};
use crate::env::NodeFacts;
use crate::node::Node;
use crate::paths::PodPaths;
use crate::publish::Reserved;
use crate::state;
use crate::volumes::{self, Volumes};
pub(crate) use handover::KeptPodSandbox;

/// How long the link of a Pod that has ended may take to go with its namespace before it is deleted.
const LINK_LINGERS: Duration = Duration::from_secs(2);
/// How long the processes of a shared PID namespace may take to end after SIGKILL.
const LAST_EXITS: Duration = Duration::from_secs(2);

/// A Pod's sandbox, ready for containers.
pub(crate) struct Sandbox {
    inner: container::Sandbox,
    cgroup: PodCgroup,
    attachment: Mutex<Option<Attachment>>,
    volumes: Volumes,
    facts: NodeFacts,
    hostname: String,
}

/// A step that failed: event reason and message.
struct Failed {
    reason: &'static str,
    message: String,
}

impl Failed {
    fn sandbox(message: impl std::fmt::Display) -> Self {
        Self {
            reason: "FailedCreatePodSandBox",
            message: format!("Failed to create pod sandbox: {message}"),
        }
    }
}

impl Sandbox {
    pub(crate) fn inner(&self) -> &container::Sandbox {
        &self.inner
    }

    pub(crate) fn cgroup(&self) -> &PodCgroup {
        &self.cgroup
    }

    pub(crate) fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// The node's facts with the Pod's addresses.
    pub(crate) fn facts(&self) -> &NodeFacts {
        &self.facts
    }

    pub(crate) fn hostname(&self) -> &str {
        &self.hostname
    }
}

/// Makes the sandbox in a task of its own and reports it.
pub(crate) fn create(
    node: Arc<Node>,
    pod: Arc<Pod>,
    paths: PodPaths,
    ports: Vec<Reserved>,
    reports: Reports,
) {
    tokio::spawn(async move {
        let report = match made(&node, &pod, &paths, &ports, &reports).await {
            Ok(sandbox) => Report::Sandbox(Box::new(sandbox)),
            Err(Failed { reason, message }) => Report::Input(Input::SandboxFailed {
                reason: reason.into(),
                message,
            }),
        };
        let _ = reports.send(report);
    });
}

async fn made(
    node: &Node,
    pod: &Arc<Pod>,
    paths: &PodPaths,
    ports: &[Reserved],
    reports: &Reports,
) -> Result<Sandbox, Failed> {
    let spec = &pod.spec;
    let host_network = spec.host_network == Some(true);
    let name = hostname_of(node, pod).map_err(Failed::sandbox)?;
    let mut facts = node.facts().clone();
    let wanted = SandboxSpec {
        hostname: Some(name.kernel.clone()),
        host_network,
        host_ipc: spec.host_ipc == Some(true),
        pid: pid_mode(spec),
        sysctls: sysctls(spec),
        tmpfs: volumes::tmpfs(pod, &facts),
    };
    let starting = node
        .launcher()
        .create_sandbox(&wanted)
        .map_err(Failed::sandbox)?;
    let cgroup = PodCgroup::create(node, pod);
    if let Some(first) = due_after(pod, None) {
        cgroup.send_ahead(node, first);
    }
    let inner = wait::readable(starting)
        .await
        .finish()
        .map_err(Failed::sandbox)?;

    let mut attachment = None;
    let furnished = async {
        facts.pod_ips = if host_network {
            facts.host_ips.clone()
        } else {
            let attached = attached(node, pod, &inner).await?;
            let ips = attached.addresses().to_vec();
            attachment = Some(attached);
            ips
        };
        if let Some(ip) = facts.pod_ips.first() {
            ports.iter().for_each(|port| port.aim(*ip));
        }
        managed_files(node, pod, paths, &name, &facts.pod_ips).map_err(Failed::sandbox)?;
        let context = volumes::Context {
            pod,
            paths,
            objects: node.objects(),
            facts: &facts,
            stamp: stamp(node, 0),
        };
        volumes::set_up(&context, |name| inner.tmpfs(name)).map_err(|error| Failed {
            reason: "FailedMount",
            message: error.to_string(),
        })
    };
    match furnished.await {
        Ok(volumes) => Ok(Sandbox {
            inner,
            cgroup,
            attachment: Mutex::new(attachment),
            volumes,
            facts,
            hostname: name.kernel,
        }),
        Err(failed) => {
            // Dropped, its pause process would not be collected, and its link would be waited for.
            ports.iter().for_each(Reserved::hold);
            for leftover in taken_down(inner, attachment).await {
                let _ = reports.send(Report::Leftover(leftover));
            }
            Err(failed)
        }
    }
}

/// Gives the sandbox its place in the Pod network.
async fn attached(
    node: &Node,
    pod: &Pod,
    inner: &container::Sandbox,
) -> Result<Attachment, Failed> {
    let network = node.network().await.map_err(Failed::sandbox)?;
    let netns = inner
        .network_namespace()
        .ok_or_else(|| Failed::sandbox("it has no network namespace"))?
        .try_clone_to_owned()
        .map_err(Failed::sandbox)?;
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    blocking(move || network.attach(netns.as_fd(), &uid))
        .await
        .map_err(Failed::sandbox)
}

fn pid_mode(spec: &PodSpec) -> PidMode {
    if spec.host_pid == Some(true) {
        PidMode::Host
    } else if spec.share_process_namespace == Some(true) {
        PidMode::Shared
    } else {
        PidMode::PerContainer
    }
}

fn sysctls(spec: &PodSpec) -> Vec<(String, String)> {
    let context = spec.security_context.as_ref();
    let wanted = context
        .map(|context| context.sysctls.as_slice())
        .unwrap_or_default();
    wanted
        .iter()
        .map(|sysctl| (sysctl.name.clone(), sysctl.value.clone()))
        .collect()
}

/// R17.1, R17.2; on the host's network the Pod has the host's name (R17.4).
fn hostname_of(node: &Node, pod: &Pod) -> Result<PodHostname, HostnameError> {
    if pod.spec.host_network == Some(true) {
        let name = node.facts().node_name.clone();
        return Ok(PodHostname {
            hostname: name.clone(),
            domain: None,
            kernel: name,
        });
    }
    pod_hostname(&HostnameRequest {
        pod_name: pod.metadata.name.as_deref().unwrap_or_default(),
        namespace: namespace(pod),
        hostname: pod.spec.hostname.as_deref(),
        hostname_override: pod.spec.hostname_override.as_deref(),
        subdomain: pod.spec.subdomain.as_deref(),
        set_hostname_as_fqdn: pod.spec.set_hostname_as_fqdn == Some(true),
        cluster_domain: "cluster.local",
    })
}

fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("default")
}

/// Writes `/etc/hosts` and `/etc/resolv.conf` of the Pod (R17.3 to R17.5).
fn managed_files(
    node: &Node,
    pod: &Pod,
    paths: &PodPaths,
    name: &PodHostname,
    ips: &[IpAddr],
) -> Result<(), String> {
    let spec = &pod.spec;
    let aliases: Vec<HostAlias<'_>> = spec
        .host_aliases
        .iter()
        .map(|alias| HostAlias {
            ip: &alias.ip,
            hostnames: &alias.hostnames,
        })
        .collect();
    let text = if spec.host_network == Some(true) {
        let own = fs::read_to_string("/etc/hosts").unwrap_or_default();
        host_network_hosts(&own, &aliases)
    } else {
        pod_hosts(ips, &name.hostname, name.domain.as_deref(), &aliases)
    };
    written(&paths.hosts(), &text)?;

    let config = spec.dns_config.as_ref().map(|config| PodDnsConfig {
        nameservers: config.nameservers.clone(),
        searches: config.searches.clone(),
        options: config
            .options
            .iter()
            .map(|option| {
                (
                    option.name.clone().unwrap_or_default(),
                    option.value.clone(),
                )
            })
            .collect(),
    });
    let request = DnsRequest {
        policy: match spec.dns_policy.unwrap_or_default() {
            DnsPolicy::None => dns_config::DnsPolicy::None,
            DnsPolicy::Default => dns_config::DnsPolicy::Default,
            DnsPolicy::ClusterFirst => dns_config::DnsPolicy::ClusterFirst,
            DnsPolicy::ClusterFirstWithHostNet => dns_config::DnsPolicy::ClusterFirstWithHostNet,
        },
        config: config.as_ref(),
        host_network: spec.host_network == Some(true),
        namespace: namespace(pod),
        // There is no cluster DNS yet: ClusterFirst is what the node uses.
        cluster: None,
        node: "",
        upstream: None,
    };
    written(&paths.resolv_conf(), &node.resolv_conf(&request))
}

fn written(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| disk_error("write", path, &error))
}

/// A failed write with what to do where the disk is full.
pub(crate) fn disk_error(step: &str, path: &Path, error: &io::Error) -> String {
    let hint = state::full_hint(error);
    format!("{step} {}: {error}{hint}", path.display())
}

/// Name of a new directory of projected files, as the kubelet forms it; `count` tells those of one moment apart.
pub(crate) fn stamp(node: &Node, count: u32) -> String {
    let now = node.clock().now().to_timestamp();
    // The clock counts in ms.
    let nanos = now.subsec_nanosecond().unsigned_abs() + count % 1_000_000;
    format!("{}.{nanos:09}", now.strftime("%Y_%m_%d_%H_%M_%S"))
}

/// Takes a sandbox down in a task of its own and reports that.
pub(crate) fn stop(sandbox: Option<Arc<Sandbox>>, reports: Reports) {
    tokio::spawn(async move {
        if let Some(sandbox) = sandbox {
            // Tasks of containers that have ended may hold on to it for a moment longer.
            let attachment = sandbox
                .attachment
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let leftovers = match Arc::try_unwrap(sandbox) {
                Ok(sandbox) => taken_down(sandbox.inner, attachment).await,
                Err(_) => off_the_network(attachment).await,
            };
            for leftover in leftovers {
                let _ = reports.send(Report::Leftover(leftover));
            }
        }
        let _ = reports.send(Report::Input(Input::SandboxStopped));
    });
}

async fn taken_down(inner: container::Sandbox, attachment: Option<Attachment>) -> Vec<String> {
    let mut leftovers = off_the_network(attachment).await;
    if let Some(pause) = inner.pause() {
        // The end of a shared PID namespace's first process ends all others, and waits until all exits are collected.
        // Those of commands that still ran (exec, hooks) are collected by tasks, which `close` would not let run.
        let _ = pause.signal(Signal::KILL.as_raw());
        let _ = tokio::time::timeout(LAST_EXITS, wait::gone(pause)).await;
    }
    if let Err(error) = inner.close() {
        leftovers.push(format!("close the Pod's namespaces: {error}"));
    }
    leftovers
}

/// Frees the Pod's addresses. Its link goes with its namespace, for which nobody waits.
async fn off_the_network(attachment: Option<Attachment>) -> Vec<String> {
    let Some(attachment) = attachment else {
        return Vec::new();
    };
    let released = blocking(move || attachment.release().map(|()| attachment)).await;
    match released {
        Ok(attachment) => {
            tokio::spawn(async move {
                tokio::time::sleep(LINK_LINGERS).await;
                // By then it is gone, unless somebody holds the namespace: a forwarded connection that nobody reads.
                let _ = blocking(move || attachment.close()).await;
            });
            Vec::new()
        }
        // Dropped with the error, the attachment has been closed, which took the addresses along or was refused as well.
        Err(error) => vec![format!("take the Pod off the network: {error}")],
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, network::Error> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| with_causes(&error)),
        Err(error) => Err(error.to_string()),
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
