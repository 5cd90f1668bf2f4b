//! One container of a Pod: what it runs, its ports, mounts and restart rules.

use super::enums::{
    ContainerRestartRuleAction, ContainerRestartRuleOnExitCodesOperator, MountPropagationMode,
    Protocol, PullPolicy, RecursiveReadOnlyMode, RestartPolicy, TerminationMessagePolicy,
};
use super::env::{EnvFromSource, EnvVar};
use super::probe::{Lifecycle, Probe};
use super::resources::ResourceRequirements;
use super::security::SecurityContext;
use crate::schema::object;

object! {
    /// One container.
    pub struct Container {
        /// Name in the Pod; a DNS label, unique over inits, sidecars and apps.
        name: String = "name";
        /// The image to run.
        image: Option<String> = "image".zero_is_unset();
        /// Replaces the image's entrypoint (R18.5).
        command: Vec<String> = "command";
        /// Replaces the image's arguments (R18.5).
        args: Vec<String> = "args";
        /// Directory to start in; default the image's.
        working_dir: Option<String> = "workingDir".zero_is_unset();
        /// Ports the container listens on; informative but for `hostPort` and for names that probes refer to.
        ports: Vec<ContainerPort> = "ports";
        /// Whole ConfigMaps and Secrets as environment variables.
        env_from: Vec<EnvFromSource> = "envFrom";
        /// Environment variables; they win over `envFrom`.
        env: Vec<EnvVar> = "env";
        /// Requests and limits.
        resources: Option<ResourceRequirements> = "resources";
        /// What a change of resources does to the running container.
        resize_policy: Vec<ContainerResizePolicy> = "resizePolicy".unhonoured("resize the running container as this says");
        /// Own restart policy; `Always` makes an entry of `initContainers` a sidecar (R14.8).
        restart_policy: Option<RestartPolicy> = "restartPolicy";
        /// Restart decisions by exit code (section 20).
        restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules";
        /// Volumes to mount, and where.
        volume_mounts: Vec<VolumeMount> = "volumeMounts";
        /// Block devices to pass in.
        volume_devices: Vec<VolumeDevice> = "volumeDevices".refused("volumeDevices need block volumes, which exist only on a cluster");
        /// Restarts the container when it fails.
        liveness_probe: Option<Probe> = "livenessProbe";
        /// Decides whether the container is ready.
        readiness_probe: Option<Probe> = "readinessProbe";
        /// Holds back the other probes, and for a sidecar the next container, until it succeeds.
        startup_probe: Option<Probe> = "startupProbe";
        /// Hooks after the start and before the stop.
        lifecycle: Option<Lifecycle> = "lifecycle";
        /// File from which the termination message is read; default `/dev/termination-log`.
        termination_message_path: Option<String> = "terminationMessagePath".zero_is_unset();
        /// Whether the end of the log is used when that file is empty.
        termination_message_policy: Option<TerminationMessagePolicy> = "terminationMessagePolicy".zero_is_unset();
        /// Always, IfNotPresent or Never (R11.5).
        image_pull_policy: Option<PullPolicy> = "imagePullPolicy".zero_is_unset();
        /// User, capabilities and other limits.
        security_context: Option<SecurityContext> = "securityContext";
        /// Keep standard input open.
        stdin: Option<bool> = "stdin".zero_is_unset();
        /// Close standard input after the first client left.
        stdin_once: Option<bool> = "stdinOnce".zero_is_unset();
        /// Give the container a terminal.
        tty: Option<bool> = "tty".zero_is_unset();
    }
}

object! {
    /// A debugging container.
    pub struct EphemeralContainer {
        /// Name in the Pod; a DNS label, unique over inits, sidecars and apps.
        name: String = "name";
        /// The image to run.
        image: Option<String> = "image".zero_is_unset();
        /// Replaces the image's entrypoint (R18.5).
        command: Vec<String> = "command";
        /// Replaces the image's arguments (R18.5).
        args: Vec<String> = "args";
        /// Directory to start in; default the image's.
        working_dir: Option<String> = "workingDir".zero_is_unset();
        /// Ports the container listens on; informative but for `hostPort` and for names that probes refer to.
        ports: Vec<ContainerPort> = "ports";
        /// Whole ConfigMaps and Secrets as environment variables.
        env_from: Vec<EnvFromSource> = "envFrom";
        /// Environment variables; they win over `envFrom`.
        env: Vec<EnvVar> = "env";
        /// Requests and limits.
        resources: Option<ResourceRequirements> = "resources";
        /// What a change of resources does to the running container.
        resize_policy: Vec<ContainerResizePolicy> = "resizePolicy".unhonoured("resize the running container as this says");
        /// Own restart policy; `Always` makes an entry of `initContainers` a sidecar (R14.8).
        restart_policy: Option<RestartPolicy> = "restartPolicy";
        /// Restart decisions by exit code (section 20).
        restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules";
        /// Volumes to mount, and where.
        volume_mounts: Vec<VolumeMount> = "volumeMounts";
        /// Block devices to pass in.
        volume_devices: Vec<VolumeDevice> = "volumeDevices".refused("volumeDevices need block volumes, which exist only on a cluster");
        /// Restarts the container when it fails.
        liveness_probe: Option<Probe> = "livenessProbe";
        /// Decides whether the container is ready.
        readiness_probe: Option<Probe> = "readinessProbe";
        /// Holds back the other probes, and for a sidecar the next container, until it succeeds.
        startup_probe: Option<Probe> = "startupProbe";
        /// Hooks after the start and before the stop.
        lifecycle: Option<Lifecycle> = "lifecycle";
        /// File from which the termination message is read; default `/dev/termination-log`.
        termination_message_path: Option<String> = "terminationMessagePath".zero_is_unset();
        /// Whether the end of the log is used when that file is empty.
        termination_message_policy: Option<TerminationMessagePolicy> = "terminationMessagePolicy".zero_is_unset();
        /// Always, IfNotPresent or Never (R11.5).
        image_pull_policy: Option<PullPolicy> = "imagePullPolicy".zero_is_unset();
        /// User, capabilities and other limits.
        security_context: Option<SecurityContext> = "securityContext";
        /// Keep standard input open.
        stdin: Option<bool> = "stdin".zero_is_unset();
        /// Close standard input after the first client left.
        stdin_once: Option<bool> = "stdinOnce".zero_is_unset();
        /// Give the container a terminal.
        tty: Option<bool> = "tty".zero_is_unset();
        /// Container whose process namespace it shares.
        target_container_name: Option<String> = "targetContainerName".zero_is_unset();
    }
}

object! {
    /// A port on which a container listens.
    pub struct ContainerPort {
        /// Name by which probes can refer to it; lower case, at most 15 characters.
        name: Option<String> = "name".zero_is_unset();
        /// Port of the machine that leads to it.
        host_port: Option<i32> = "hostPort".zero_is_unset();
        /// The port, 1 to 65535.
        container_port: i32 = "containerPort";
        /// TCP, UDP or SCTP.
        protocol: Option<Protocol> = "protocol".zero_is_unset();
        /// Address of the machine on which `hostPort` listens; default all.
        host_ip: Option<String> = "hostIP".zero_is_unset();
    }
}

object! {
    /// What a change of one resource does.
    pub struct ContainerResizePolicy {
        /// `cpu` or `memory`.
        resource_name: String = "resourceName";
        /// NotRequired or RestartContainer.
        restart_policy: String = "restartPolicy";
    }
}

object! {
    /// Decides by exit code what follows an exit.
    pub struct ContainerRestartRule {
        /// Restart or RestartAllContainers (R20.3, R20.7).
        action: Option<ContainerRestartRuleAction> = "action".zero_is_unset();
        /// The exit codes to which this applies.
        exit_codes: Option<ContainerRestartRuleOnExitCodes> = "exitCodes";
    }
}

object! {
    /// A set of exit codes.
    pub struct ContainerRestartRuleOnExitCodes {
        /// In or NotIn.
        operator: Option<ContainerRestartRuleOnExitCodesOperator> = "operator".zero_is_unset();
        /// The codes; at most 255 of them.
        values: Vec<i32> = "values";
    }
}

object! {
    /// Where a volume appears in a container.
    pub struct VolumeMount {
        /// The volume.
        name: String = "name";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Whether mounts below it are read-only too: Disabled, IfPossible or Enabled.
        recursive_read_only: Option<RecursiveReadOnlyMode> = "recursiveReadOnly";
        /// Path in the container; without `:`.
        mount_path: String = "mountPath";
        /// Mount only this file or folder of the volume.
        sub_path: Option<String> = "subPath".zero_is_unset();
        /// Whether later mounts are seen on the other side: None, HostToContainer or Bidirectional.
        mount_propagation: Option<MountPropagationMode> = "mountPropagation";
        /// As `subPath`, with `$(VAR)` replaced from the container's environment (R18.4).
        sub_path_expr: Option<String> = "subPathExpr".zero_is_unset();
    }
}

object! {
    /// Where a block device appears in a container.
    pub struct VolumeDevice {
        /// The volume.
        name: String = "name";
        /// Path in the container.
        device_path: String = "devicePath";
    }
}
