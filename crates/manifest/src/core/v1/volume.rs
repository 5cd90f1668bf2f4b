//! Volumes: all sources that Kubernetes knows, the local ones honoured.

use std::collections::BTreeMap;

use super::enums::{HostPathType, PullPolicy};
use super::env::{ObjectFieldSelector, ResourceFieldSelector};
use super::volume_remote::{
    AwsElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource,
    CephFsVolumeSource, CinderVolumeSource, CsiVolumeSource, EphemeralVolumeSource, FcVolumeSource,
    FlexVolumeSource, FlockerVolumeSource, GcePersistentDiskVolumeSource, GitRepoVolumeSource,
    GlusterfsVolumeSource, IscsiVolumeSource, NfsVolumeSource, PersistentVolumeClaimVolumeSource,
    PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, RbdVolumeSource,
    ScaleIoVolumeSource, StorageOsVolumeSource, VsphereVirtualDiskVolumeSource,
};
use crate::meta::v1::LabelSelector;
use crate::quantity::Quantity;
use crate::schema::object;

object! {
    /// A volume of a Pod; exactly one source besides the name.
    pub struct Volume {
        /// Name by which containers mount it.
        name: String = "name";
        /// A file or folder of the machine.
        host_path: Option<HostPathVolumeSource> = "hostPath";
        /// An empty folder that lives as long as the Pod.
        empty_dir: Option<EmptyDirVolumeSource> = "emptyDir";
        /// A disk of Google Cloud.
        gce_persistent_disk: Option<GcePersistentDiskVolumeSource> = "gcePersistentDisk".refused("it is a disk of a cloud");
        /// A disk of AWS.
        aws_elastic_block_store: Option<AwsElasticBlockStoreVolumeSource> = "awsElasticBlockStore".refused("it is a disk of a cloud");
        /// A git repository, checked out.
        git_repo: Option<GitRepoVolumeSource> = "gitRepo".refused("it was removed from Kubernetes; clone in an init container into an emptyDir");
        /// Keys of a Secret as files.
        secret: Option<SecretVolumeSource> = "secret";
        /// An NFS export.
        nfs: Option<NfsVolumeSource> = "nfs".refused("mount the export on this machine and use hostPath");
        /// An iSCSI disk.
        iscsi: Option<IscsiVolumeSource> = "iscsi".refused("mount the disk on this machine and use hostPath");
        /// A GlusterFS volume.
        glusterfs: Option<GlusterfsVolumeSource> = "glusterfs".refused("mount it on this machine and use hostPath");
        /// A claim for storage.
        persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource> = "persistentVolumeClaim".refused("there is no storage provisioner; use hostPath or emptyDir");
        /// A Ceph block device.
        rbd: Option<RbdVolumeSource> = "rbd".refused("mount it on this machine and use hostPath");
        /// A volume of a FlexVolume driver.
        flex_volume: Option<FlexVolumeSource> = "flexVolume".refused("there are no volume drivers");
        /// A disk of OpenStack.
        cinder: Option<CinderVolumeSource> = "cinder".refused("it is a disk of a cloud");
        /// A CephFS mount.
        cephfs: Option<CephFsVolumeSource> = "cephfs".refused("mount it on this machine and use hostPath");
        /// A Flocker dataset.
        flocker: Option<FlockerVolumeSource> = "flocker".refused("it was removed from Kubernetes");
        /// Fields of the Pod as files.
        downward_api: Option<DownwardApiVolumeSource> = "downwardAPI";
        /// A Fibre Channel disk.
        fc: Option<FcVolumeSource> = "fc".refused("mount the disk on this machine and use hostPath");
        /// A file share of Azure.
        azure_file: Option<AzureFileVolumeSource> = "azureFile".refused("it is storage of a cloud");
        /// Keys of a ConfigMap as files.
        config_map: Option<ConfigMapVolumeSource> = "configMap";
        /// A disk of vSphere.
        vsphere_volume: Option<VsphereVirtualDiskVolumeSource> = "vsphereVolume".refused("it is a disk of a cloud");
        /// A Quobyte volume.
        quobyte: Option<QuobyteVolumeSource> = "quobyte".refused("it was removed from Kubernetes");
        /// A disk of Azure.
        azure_disk: Option<AzureDiskVolumeSource> = "azureDisk".refused("it is a disk of a cloud");
        /// A disk of Photon.
        photon_persistent_disk: Option<PhotonPersistentDiskVolumeSource> = "photonPersistentDisk".refused("it was removed from Kubernetes");
        /// Several sources in one folder.
        projected: Option<ProjectedVolumeSource> = "projected";
        /// A Portworx volume.
        portworx_volume: Option<PortworxVolumeSource> = "portworxVolume".refused("it needs a storage cluster");
        /// A ScaleIO volume.
        scale_io: Option<ScaleIoVolumeSource> = "scaleIO".refused("it was removed from Kubernetes");
        /// A StorageOS volume.
        storageos: Option<StorageOsVolumeSource> = "storageos".refused("it was removed from Kubernetes");
        /// An inline volume of a CSI driver.
        csi: Option<CsiVolumeSource> = "csi".refused("there are no CSI drivers");
        /// A claim that lives as long as the Pod.
        ephemeral: Option<EphemeralVolumeSource> = "ephemeral".refused("there is no storage provisioner; use emptyDir");
        /// The contents of an image, read-only.
        image: Option<ImageVolumeSource> = "image".refused("image volumes are not there yet; copy the files in an init container into an emptyDir");
    }
}

object! {
    /// A file or folder of the machine.
    pub struct HostPathVolumeSource {
        /// The path.
        path: String = "path";
        /// What must be there or is made: DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice,
        /// BlockDevice; empty for no check (R19.8).
        type_: Option<HostPathType> = "type";
    }
}

object! {
    /// An empty folder that lives as long as the Pod.
    pub struct EmptyDirVolumeSource {
        /// Empty for disk, `Memory` for tmpfs.
        medium: Option<String> = "medium".zero_is_unset();
        /// The most it may hold.
        size_limit: Option<Quantity> = "sizeLimit";
    }
}

object! {
    /// Keys of a Secret as files.
    pub struct SecretVolumeSource {
        /// The Secret.
        secret_name: String = "secretName";
        /// Which keys, and their paths; default all.
        items: Vec<KeyToPath> = "items";
        /// File mode; default 0644.
        default_mode: Option<i32> = "defaultMode";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// Keys of a ConfigMap as files.
    pub struct ConfigMapVolumeSource {
        /// The ConfigMap.
        name: String = "name";
        /// Which keys, and their paths; default all.
        items: Vec<KeyToPath> = "items";
        /// File mode; default 0644.
        default_mode: Option<i32> = "defaultMode";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A key and the file it becomes.
    pub struct KeyToPath {
        /// The key.
        key: String = "key";
        /// The file, relative to the volume; without `..`.
        path: String = "path";
        /// File mode; default the volume's.
        mode: Option<i32> = "mode";
    }
}

object! {
    /// Fields of the Pod as files.
    pub struct DownwardApiVolumeSource {
        /// The files.
        items: Vec<DownwardApiVolumeFile> = "items";
        /// File mode; default 0644.
        default_mode: Option<i32> = "defaultMode";
    }
}

object! {
    /// One file with a field of the Pod.
    pub struct DownwardApiVolumeFile {
        /// The file, relative to the volume; without `..`.
        path: String = "path";
        /// A field of the Pod.
        field_ref: Option<ObjectFieldSelector> = "fieldRef";
        /// A request or limit of a container.
        resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef";
        /// File mode; default the volume's.
        mode: Option<i32> = "mode";
    }
}

object! {
    /// Several sources in one folder.
    pub struct ProjectedVolumeSource {
        /// The sources.
        sources: Vec<VolumeProjection> = "sources".required();
        /// File mode; default 0644.
        default_mode: Option<i32> = "defaultMode";
    }
}

object! {
    /// One source of a projected volume; exactly one.
    pub struct VolumeProjection {
        /// Keys of a Secret.
        secret: Option<SecretProjection> = "secret";
        /// Fields of the Pod.
        downward_api: Option<DownwardApiProjection> = "downwardAPI";
        /// Keys of a ConfigMap.
        config_map: Option<ConfigMapProjection> = "configMap";
        /// A token for the API server.
        service_account_token: Option<ServiceAccountTokenProjection> = "serviceAccountToken".unhonoured("put a token for the API server there; the file is left out here");
        /// Certificates of authorities.
        cluster_trust_bundle: Option<ClusterTrustBundleProjection> = "clusterTrustBundle".unhonoured("put certificates of authorities there; the file is left out here");
        /// A certificate issued to the Pod.
        pod_certificate: Option<PodCertificateProjection> = "podCertificate".unhonoured("put a certificate issued to the Pod there; the files are left out here");
    }
}

object! {
    /// Keys of a Secret.
    pub struct SecretProjection {
        /// The Secret.
        name: String = "name";
        /// Which keys, and their paths; default all.
        items: Vec<KeyToPath> = "items";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// Fields of the Pod.
    pub struct DownwardApiProjection {
        /// The files.
        items: Vec<DownwardApiVolumeFile> = "items";
    }
}

object! {
    /// Keys of a ConfigMap.
    pub struct ConfigMapProjection {
        /// The ConfigMap.
        name: String = "name";
        /// Which keys, and their paths; default all.
        items: Vec<KeyToPath> = "items";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A token for the API server.
    pub struct ServiceAccountTokenProjection {
        /// Whom the token is for.
        audience: Option<String> = "audience".zero_is_unset();
        /// How long it is valid; at least 600.
        expiration_seconds: Option<i64> = "expirationSeconds";
        /// The file, relative to the volume.
        path: String = "path";
    }
}

object! {
    /// Certificates of authorities.
    pub struct ClusterTrustBundleProjection {
        /// One ClusterTrustBundle.
        name: Option<String> = "name";
        /// All of this signer.
        signer_name: Option<String> = "signerName";
        /// Which of the signer's.
        label_selector: Option<LabelSelector> = "labelSelector";
        /// Go on without when none exists.
        optional: Option<bool> = "optional";
        /// The file, relative to the volume.
        path: String = "path";
    }
}

object! {
    /// A certificate issued to the Pod.
    pub struct PodCertificateProjection {
        /// Who issues it.
        signer_name: Option<String> = "signerName".zero_is_unset();
        /// Kind of key, as `ED25519`.
        key_type: Option<String> = "keyType".zero_is_unset();
        /// How long it is valid at most.
        max_expiration_seconds: Option<i32> = "maxExpirationSeconds";
        /// File for key and certificates together.
        credential_bundle_path: Option<String> = "credentialBundlePath".zero_is_unset();
        /// File for the key.
        key_path: Option<String> = "keyPath".zero_is_unset();
        /// File for the certificates.
        certificate_chain_path: Option<String> = "certificateChainPath".zero_is_unset();
        /// Passed on to the signer.
        user_annotations: BTreeMap<String, String> = "userAnnotations";
    }
}

object! {
    /// The contents of an image.
    pub struct ImageVolumeSource {
        /// The image.
        reference: Option<String> = "reference".zero_is_unset();
        /// Always, IfNotPresent or Never.
        pull_policy: Option<PullPolicy> = "pullPolicy".zero_is_unset();
    }
}
