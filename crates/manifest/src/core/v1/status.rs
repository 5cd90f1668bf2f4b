//! What was seen of a Pod: phase, conditions and the state of each container.

use super::enums::{ConditionStatus, PodPhase, QosClass, RecursiveReadOnlyMode};
use super::resources::{ResourceList, ResourceRequirements};
use crate::meta::v1::Time;
use crate::schema::object;

object! {
    /// What was last seen of a Pod.
    pub struct PodStatus {
        /// The `metadata.generation` this status was made from.
        observed_generation: Option<i64> = "observedGeneration".zero_is_unset();
        /// Pending, Running, Succeeded, Failed or Unknown (section 9 of the lifecycle rules).
        phase: Option<PodPhase> = "phase".zero_is_unset();
        /// Milestones as PodScheduled, Initialized and Ready (section 10).
        conditions: Vec<PodCondition> = "conditions";
        /// For people: why the Pod is as it is.
        message: Option<String> = "message".zero_is_unset();
        /// For programs: why the Pod is as it is, as `DeadlineExceeded`.
        reason: Option<String> = "reason".zero_is_unset();
        /// The node that is being cleared for the Pod.
        nominated_node_name: Option<String> = "nominatedNodeName".zero_is_unset();
        /// Address of the machine.
        host_ip: Option<String> = "hostIP".zero_is_unset();
        /// All addresses of the machine.
        host_ips: Vec<HostIp> = "hostIPs";
        /// Address of the Pod.
        pod_ip: Option<String> = "podIP".zero_is_unset();
        /// All addresses of the Pod, at most one a family.
        pod_ips: Vec<PodIp> = "podIPs";
        /// When the runner took the Pod on.
        start_time: Option<Time> = "startTime";
        /// State of inits and sidecars, in the order of the spec (R11.11).
        init_container_statuses: Vec<ContainerStatus> = "initContainerStatuses";
        /// State of the apps, sorted by name (R11.11).
        container_statuses: Vec<ContainerStatus> = "containerStatuses";
        /// Guaranteed, Burstable or BestEffort (R13.3).
        qos_class: Option<QosClass> = "qosClass".zero_is_unset();
        /// State of debugging containers.
        ephemeral_container_statuses: Vec<ContainerStatus> = "ephemeralContainerStatuses";
        /// Where a change of resources stands; replaced by conditions.
        resize: Option<String> = "resize".zero_is_unset();
        /// Which claims were made for the Pod.
        resource_claim_statuses: Vec<PodResourceClaimStatus> = "resourceClaimStatuses";
        /// The claim made for extended resources.
        extended_resource_claim_status: Option<PodExtendedResourceClaimStatus> = "extendedResourceClaimStatus";
        /// What the node set aside for the Pod.
        allocated_resources: ResourceList = "allocatedResources";
        /// What is in force for the Pod as a whole.
        resources: Option<ResourceRequirements> = "resources";
        /// Claims that draw on the node's own resources.
        node_allocatable_resource_claim_statuses: Vec<NodeAllocatableResourceClaimStatus> = "nodeAllocatableResourceClaimStatuses";
    }
}

object! {
    /// One milestone of a Pod.
    pub struct PodCondition {
        /// Which milestone, as `Ready`.
        type_: String = "type";
        /// The `metadata.generation` this was seen at.
        observed_generation: Option<i64> = "observedGeneration".zero_is_unset();
        /// True, False or Unknown.
        status: ConditionStatus = "status";
        /// When it was last looked at.
        last_probe_time: Option<Time> = "lastProbeTime";
        /// When the status last changed.
        last_transition_time: Option<Time> = "lastTransitionTime";
        /// For programs: why.
        reason: Option<String> = "reason".zero_is_unset();
        /// For people: why.
        message: Option<String> = "message".zero_is_unset();
    }
}

object! {
    /// An address of the machine.
    pub struct HostIp {
        /// The address.
        ip: String = "ip";
    }
}

object! {
    /// An address of the Pod.
    pub struct PodIp {
        /// The address.
        ip: String = "ip";
    }
}

object! {
    /// What was last seen of one container.
    pub struct ContainerStatus {
        /// The container.
        name: String = "name";
        /// What it does now.
        state: Option<ContainerState> = "state";
        /// How its run before this one ended.
        last_state: Option<ContainerState> = "lastState";
        /// Whether it counts as ready (R5.10).
        ready: bool = "ready";
        /// How many runs came before this one.
        restart_count: i32 = "restartCount";
        /// The image it runs.
        image: String = "image";
        /// Digest of that image.
        image_id: String = "imageID";
        /// Id of the run, as `pillion://...`.
        container_id: Option<String> = "containerID".zero_is_unset();
        /// Whether it counts as started (R5.9).
        started: Option<bool> = "started";
        /// Requests the node set aside for it.
        allocated_resources: ResourceList = "allocatedResources";
        /// Requests and limits in force.
        resources: Option<ResourceRequirements> = "resources";
        /// How its volumes are mounted.
        volume_mounts: Vec<VolumeMountStatus> = "volumeMounts";
        /// The user it was started as.
        user: Option<ContainerUser> = "user";
        /// Health of the devices it uses.
        allocated_resources_status: Vec<ResourceStatus> = "allocatedResourcesStatus";
        /// The signal that stops it.
        stop_signal: Option<String> = "stopSignal";
    }
}

object! {
    /// What a container does; exactly one of the three.
    pub struct ContainerState {
        /// It waits to be started.
        waiting: Option<ContainerStateWaiting> = "waiting";
        /// It runs.
        running: Option<ContainerStateRunning> = "running";
        /// It ended.
        terminated: Option<ContainerStateTerminated> = "terminated";
    }
}

object! {
    /// A container that waits to be started.
    pub struct ContainerStateWaiting {
        /// Why, as `ContainerCreating` or `CrashLoopBackOff` (R11.1).
        reason: Option<String> = "reason".zero_is_unset();
        /// Why, for people.
        message: Option<String> = "message".zero_is_unset();
    }
}

object! {
    /// A container that runs.
    pub struct ContainerStateRunning {
        /// Since when.
        started_at: Option<Time> = "startedAt";
    }
}

object! {
    /// A container that ended.
    pub struct ContainerStateTerminated {
        /// Its exit code; 128 + n when signal n ended it.
        exit_code: i32 = "exitCode";
        /// The signal that ended it.
        signal: Option<i32> = "signal".zero_is_unset();
        /// Why, as `Completed`, `Error` or `OOMKilled` (R11.2).
        reason: Option<String> = "reason".zero_is_unset();
        /// Its termination message (section 15).
        message: Option<String> = "message".zero_is_unset();
        /// When it was started.
        started_at: Option<Time> = "startedAt";
        /// When it ended.
        finished_at: Option<Time> = "finishedAt";
        /// Id of the run.
        container_id: Option<String> = "containerID".zero_is_unset();
    }
}

object! {
    /// How one volume is mounted.
    pub struct VolumeMountStatus {
        /// The volume.
        name: String = "name";
        /// Where.
        mount_path: String = "mountPath";
        /// Whether it is read-only there.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Whether mounts below it are read-only too.
        recursive_read_only: Option<RecursiveReadOnlyMode> = "recursiveReadOnly";
        /// What is mounted.
        volume_status: Option<VolumeStatus> = "volumeStatus";
    }
}

object! {
    /// What a volume holds.
    pub struct VolumeStatus {
        /// The image of an image volume.
        image: Option<ImageVolumeStatus> = "image";
    }
}

object! {
    /// The image of an image volume.
    pub struct ImageVolumeStatus {
        /// Digest of the image.
        image_ref: Option<String> = "imageRef".zero_is_unset();
    }
}

object! {
    /// The user a container was started as.
    pub struct ContainerUser {
        /// On Linux.
        linux: Option<LinuxContainerUser> = "linux";
    }
}

object! {
    /// User and groups of a container's first process.
    pub struct LinuxContainerUser {
        /// User id.
        uid: i64 = "uid";
        /// Group id.
        gid: i64 = "gid";
        /// Further group ids.
        supplemental_groups: Vec<i64> = "supplementalGroups";
    }
}

object! {
    /// Health of the devices of one resource.
    pub struct ResourceStatus {
        /// The resource.
        name: String = "name";
        /// One entry a device.
        resources: Vec<ResourceHealth> = "resources";
    }
}

object! {
    /// Health of one device.
    pub struct ResourceHealth {
        /// The device.
        resource_id: String = "resourceID";
        /// Healthy, Unhealthy or Unknown.
        health: Option<String> = "health".zero_is_unset();
        /// More about it, for people.
        message: Option<String> = "message";
    }
}

object! {
    /// The claim made for an entry of `resourceClaims`.
    pub struct PodResourceClaimStatus {
        /// The entry.
        name: String = "name";
        /// The claim.
        resource_claim_name: Option<String> = "resourceClaimName";
    }
}

object! {
    /// The claim made for the extended resources of a Pod.
    pub struct PodExtendedResourceClaimStatus {
        /// Which request serves which container.
        request_mappings: Vec<ContainerExtendedResourceRequest> = "requestMappings".required();
        /// The claim.
        resource_claim_name: String = "resourceClaimName";
    }
}

object! {
    /// One extended resource of one container.
    pub struct ContainerExtendedResourceRequest {
        /// The container.
        container_name: String = "containerName";
        /// The resource.
        resource_name: String = "resourceName";
        /// The request in the claim.
        request_name: String = "requestName";
    }
}

object! {
    /// A claim that draws on the node's own resources.
    pub struct NodeAllocatableResourceClaimStatus {
        /// The claim.
        resource_claim_name: String = "resourceClaimName";
        /// Containers that use it.
        containers: Vec<String> = "containers";
        /// How much of each resource.
        resources: ResourceList = "resources".required();
    }
}
