//! A Pod's sandbox on its way into the next program of its runner.

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use container::KeptSandbox;
use container::cgroup::CgroupHandle;
use network::KeptAttachment;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use super::Sandbox;
use crate::node::Node;
use crate::pod::cgroup::PodCgroup;
use crate::volumes::Volumes;

/// What is kept of a sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptPodSandbox {
    inner: KeptSandbox,
    cgroup: CgroupHandle,
    attachment: Option<KeptAttachment>,
    volumes: Volumes,
    pod_ips: Vec<IpAddr>,
    hostname: String,
}

impl Sandbox {
    /// Sends the sandbox on into the next program of this process. Helpers that wait for their containers are called back.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<KeptPodSandbox> {
        let attachment = self
            .attachment
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(KeptPodSandbox {
            inner: self.inner.hand_over(outgoing)?,
            cgroup: self.cgroup.without_helpers().clone(),
            attachment: attachment.as_ref().map(network::Attachment::hand_over),
            volumes: self.volumes.clone(),
            pod_ips: self.facts.pod_ips.clone(),
            hostname: self.hostname.clone(),
        })
    }

    /// Takes the sandbox over from the program before. The node has its network by then.
    pub(crate) fn take_over(
        kept: KeptPodSandbox,
        node: &Node,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        let attachment = match kept.attachment {
            None => None,
            Some(attachment) => {
                let network = node
                    .opened_network()
                    .ok_or_else(|| io::Error::other("the Pod network was not handed over"))?;
                Some(network.take_over_attachment(attachment))
            }
        };
        let mut facts = node.facts().clone();
        facts.pod_ips = kept.pod_ips;
        Ok(Self {
            inner: container::Sandbox::take_over(kept.inner, incoming)?,
            cgroup: PodCgroup::existing(kept.cgroup),
            attachment: Mutex::new(attachment),
            volumes: kept.volumes,
            facts,
            hostname: kept.hostname,
        })
    }
}
