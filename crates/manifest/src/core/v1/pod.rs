//! The Pod itself and the parts of its spec that belong to no container.

use std::collections::BTreeMap;

use super::container::{Container, EphemeralContainer};
use super::enums::{ApiVersionV1, PodKind};
use super::enums::{DnsPolicy, RestartPolicy};
use super::resources::{ResourceList, ResourceRequirements};
use super::scheduling::{Affinity, Toleration, TopologySpreadConstraint};
use super::security::PodSecurityContext;
use super::status::PodStatus;
use super::volume::Volume;
use crate::meta::v1::ObjectMeta;
use crate::schema::object;

object! {
    /// A group of containers that share network, volumes and fate; the unit that is run.
    pub struct Pod {
        /// Always `v1`.
        api_version: ApiVersionV1 = "apiVersion";
        /// Always `Pod`.
        kind: PodKind = "kind";
        /// Name, labels and the like.
        metadata: ObjectMeta = "metadata";
        /// What is to run.
        spec: PodSpec = "spec";
        /// What was last seen of it; written by the runner, ignored on input.
        status: Option<PodStatus> = "status";
    }
}

object! {
    /// What a Pod is to run, and how.
    pub struct PodSpec {
        /// Volumes that containers of the Pod can mount.
        volumes: Vec<Volume> = "volumes";
        /// Run in list order before the apps; those with `restartPolicy: Always` are sidecars and keep running
        /// (R1.1).
        init_containers: Vec<Container> = "initContainers";
        /// The app containers; at least one.
        containers: Vec<Container> = "containers".required();
        /// Debugging containers; never part of a manifest, they are added to a running Pod.
        ephemeral_containers: Vec<EphemeralContainer> = "ephemeralContainers";
        /// When an app that exited is started again: Always, OnFailure or Never.
        restart_policy: Option<RestartPolicy> = "restartPolicy".zero_is_unset();
        /// Seconds between the request to stop and SIGKILL; default 30.
        termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds";
        /// Seconds after which the Pod is failed, counted from its start (R16.1).
        active_deadline_seconds: Option<i64> = "activeDeadlineSeconds";
        /// What goes into the containers' `/etc/resolv.conf` (R17.5).
        dns_policy: Option<DnsPolicy> = "dnsPolicy".zero_is_unset();
        /// Labels that the node must carry.
        node_selector: BTreeMap<String, String> = "nodeSelector".unhonoured("keep the Pod off nodes without these labels");
        /// The account whose token containers get.
        service_account_name: Option<String> = "serviceAccountName".zero_is_unset().unhonoured("mount a token of this account and let the Pod call the API server as it");
        /// Old name of `serviceAccountName`.
        service_account: Option<String> = "serviceAccount".zero_is_unset().unhonoured("mount a token of this account and let the Pod call the API server as it");
        /// Whether containers get the account's token.
        automount_service_account_token: Option<bool> = "automountServiceAccountToken"
            .unhonoured("mount a token for the API server");
        /// The node this Pod was given.
        node_name: Option<String> = "nodeName".zero_is_unset().unhonoured("bind the Pod to this node without the scheduler");
        /// Use the machine's network instead of one of the Pod's own.
        host_network: Option<bool> = "hostNetwork".zero_is_unset();
        /// Use the machine's process namespace.
        host_pid: Option<bool> = "hostPID".zero_is_unset();
        /// Use the machine's IPC namespace.
        host_ipc: Option<bool> = "hostIPC".zero_is_unset();
        /// One process namespace for all containers of the Pod.
        share_process_namespace: Option<bool> = "shareProcessNamespace";
        /// Users, groups and kernel settings for all containers.
        security_context: Option<PodSecurityContext> = "securityContext";
        /// Secrets with registry passwords.
        image_pull_secrets: Vec<LocalObjectReference> = "imagePullSecrets".unhonoured("use these Secrets to log in to registries");
        /// The host name, when it is not to be the Pod's name (R17.1).
        hostname: Option<String> = "hostname".zero_is_unset();
        /// Makes the full host name `hostname.subdomain.namespace.svc.<cluster domain>` (R17.2).
        subdomain: Option<String> = "subdomain".zero_is_unset();
        /// Rules by which the scheduler picks a node.
        affinity: Option<Affinity> = "affinity".unhonoured("choose the node by the labels of nodes and of other Pods");
        /// Which scheduler places the Pod.
        scheduler_name: Option<String> = "schedulerName".zero_is_unset().unhonoured("leave the placement to this scheduler");
        /// Node taints that the Pod accepts.
        tolerations: Vec<Toleration> = "tolerations".unhonoured("allow the Pod on nodes with these taints");
        /// Extra lines for `/etc/hosts`.
        host_aliases: Vec<HostAlias> = "hostAliases";
        /// Name of the class that gives the priority.
        priority_class_name: Option<String> = "priorityClassName".zero_is_unset().unhonoured("decide which Pods go first when a node is full");
        /// How important the Pod is against others.
        priority: Option<i32> = "priority".unhonoured("decide which Pods go first when a node is full");
        /// Name servers, search domains and options for `/etc/resolv.conf`.
        dns_config: Option<PodDnsConfig> = "dnsConfig";
        /// Extra conditions that must be True before the Pod is Ready.
        readiness_gates: Vec<PodReadinessGate> = "readinessGates".unhonoured("keep the Pod unready until a controller sets these conditions");
        /// Which container runtime of the node to use.
        runtime_class_name: Option<String> = "runtimeClassName".unhonoured("run the Pod with another container runtime");
        /// Whether containers get environment variables for each Service.
        enable_service_links: Option<bool> = "enableServiceLinks";
        /// Whether the Pod may push less important ones out.
        preemption_policy: Option<String> = "preemptionPolicy".unhonoured("decide whether this Pod may evict others");
        /// Resources that the runtime itself needs for the Pod.
        overhead: ResourceList = "overhead";
        /// How Pods are to be spread over nodes and zones.
        topology_spread_constraints: Vec<TopologySpreadConstraint> = "topologySpreadConstraints".unhonoured("spread the Pods over nodes or zones");
        /// Use the full domain name as the kernel's host name (R17.2).
        set_hostname_as_fqdn: Option<bool> = "setHostnameAsFQDN";
        /// The operating system the Pod is written for.
        os: Option<PodOs> = "os";
        /// False gives the Pod a user namespace of its own.
        host_users: Option<bool> = "hostUsers".unhonoured("run the containers in a user namespace of their own when false");
        /// Names of things that must happen before the Pod is placed.
        scheduling_gates: Vec<PodSchedulingGate> = "schedulingGates".unhonoured("hold the Pod back until each gate is removed");
        /// Devices claimed through dynamic resource allocation.
        resource_claims: Vec<PodResourceClaim> = "resourceClaims".unhonoured("give the containers devices through dynamic resource allocation");
        /// Requests and limits of the Pod as a whole.
        resources: Option<ResourceRequirements> = "resources".unhonoured("limit all containers of the Pod together");
        /// A full domain name to set as the host name, over `hostname` and `subdomain` (R17.1).
        hostname_override: Option<String> = "hostnameOverride";
        /// The group of Pods with which this one is placed.
        scheduling_group: Option<PodSchedulingGroup> = "schedulingGroup".unhonoured("place the Pod together with its group");
    }
}

object! {
    /// Names that `/etc/hosts` is to have for an address.
    pub struct HostAlias {
        /// The address.
        ip: String = "ip";
        /// Its names.
        hostnames: Vec<String> = "hostnames";
    }
}

object! {
    /// What `/etc/resolv.conf` is to have besides what `dnsPolicy` says.
    pub struct PodDnsConfig {
        /// Addresses of name servers; at most three are used.
        nameservers: Vec<String> = "nameservers";
        /// Domains in which short names are looked up.
        searches: Vec<String> = "searches";
        /// Resolver options; a name given here replaces the one of the policy.
        options: Vec<PodDnsConfigOption> = "options";
    }
}

object! {
    /// One resolver option.
    pub struct PodDnsConfigOption {
        /// The option, as `ndots`.
        name: Option<String> = "name".zero_is_unset();
        /// Its value, if it has one.
        value: Option<String> = "value";
    }
}

object! {
    /// One more condition for readiness.
    pub struct PodReadinessGate {
        /// Type of the Pod condition.
        condition_type: String = "conditionType";
    }
}

object! {
    /// The operating system a Pod is written for.
    pub struct PodOs {
        /// `linux` or `windows`.
        name: String = "name";
    }
}

object! {
    /// One thing to wait for before a Pod is placed.
    pub struct PodSchedulingGate {
        /// Its name.
        name: String = "name";
    }
}

object! {
    /// A named claim for devices.
    pub struct PodResourceClaim {
        /// The name by which containers refer to it.
        name: String = "name";
        /// An existing ResourceClaim.
        resource_claim_name: Option<String> = "resourceClaimName";
        /// A template from which a claim is made for this Pod.
        resource_claim_template_name: Option<String> = "resourceClaimTemplateName";
    }
}

object! {
    /// The group with which a Pod is placed.
    pub struct PodSchedulingGroup {
        /// Name of the PodGroup.
        pod_group_name: Option<String> = "podGroupName";
    }
}

object! {
    /// Points to an object in the Pod's namespace.
    pub struct LocalObjectReference {
        /// Its name.
        name: String = "name";
    }
}
