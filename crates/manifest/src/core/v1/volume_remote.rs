//! Volume sources that need a cluster, a cloud or a storage driver. They are read strictly and refused with a hint.

use std::collections::BTreeMap;

use super::pod::LocalObjectReference;
use super::resources::VolumeResourceRequirements;
use crate::meta::v1::{LabelSelector, ObjectMeta};
use crate::schema::object;

object! {
    /// A disk of Google Cloud.
    pub struct GcePersistentDiskVolumeSource {
        /// Its name.
        pd_name: String = "pdName";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Partition number.
        partition: Option<i32> = "partition".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A disk of AWS.
    pub struct AwsElasticBlockStoreVolumeSource {
        /// Its id.
        volume_id: String = "volumeID";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Partition number.
        partition: Option<i32> = "partition".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A git repository.
    pub struct GitRepoVolumeSource {
        /// Its URL.
        repository: String = "repository";
        /// Commit to check out.
        revision: Option<String> = "revision".zero_is_unset();
        /// Target folder.
        directory: Option<String> = "directory".zero_is_unset();
    }
}

object! {
    /// An NFS export.
    pub struct NfsVolumeSource {
        /// The server.
        server: String = "server";
        /// The exported path.
        path: String = "path";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// An iSCSI disk.
    pub struct IscsiVolumeSource {
        /// Address of the target.
        target_portal: String = "targetPortal";
        /// Name of the target.
        iqn: String = "iqn";
        /// Number of the unit.
        lun: i32 = "lun";
        /// Interface to use.
        iscsi_interface: Option<String> = "iscsiInterface".zero_is_unset();
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Further addresses.
        portals: Vec<String> = "portals";
        /// CHAP at discovery.
        chap_auth_discovery: Option<bool> = "chapAuthDiscovery".zero_is_unset();
        /// CHAP for the session.
        chap_auth_session: Option<bool> = "chapAuthSession".zero_is_unset();
        /// Secret with the CHAP password.
        secret_ref: Option<LocalObjectReference> = "secretRef";
        /// Name of the initiator.
        initiator_name: Option<String> = "initiatorName";
    }
}

object! {
    /// A GlusterFS volume.
    pub struct GlusterfsVolumeSource {
        /// Endpoints of the servers.
        endpoints: String = "endpoints";
        /// The volume.
        path: String = "path";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A claim for storage.
    pub struct PersistentVolumeClaimVolumeSource {
        /// The claim.
        claim_name: String = "claimName";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A Ceph block device.
    pub struct RbdVolumeSource {
        /// Addresses of the monitors.
        monitors: Vec<String> = "monitors".required();
        /// The image.
        image: String = "image";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// The pool.
        pool: Option<String> = "pool".zero_is_unset();
        /// The user.
        user: Option<String> = "user".zero_is_unset();
        /// Path of the keyring.
        keyring: Option<String> = "keyring".zero_is_unset();
        /// Secret with the key.
        secret_ref: Option<LocalObjectReference> = "secretRef";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A volume of a FlexVolume driver.
    pub struct FlexVolumeSource {
        /// The driver.
        driver: String = "driver";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Secret for the driver.
        secret_ref: Option<LocalObjectReference> = "secretRef";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Options for the driver.
        options: BTreeMap<String, String> = "options";
    }
}

object! {
    /// A disk of OpenStack.
    pub struct CinderVolumeSource {
        /// Its id.
        volume_id: String = "volumeID";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Secret with the credentials.
        secret_ref: Option<LocalObjectReference> = "secretRef";
    }
}

object! {
    /// A CephFS mount.
    pub struct CephFsVolumeSource {
        /// Addresses of the monitors.
        monitors: Vec<String> = "monitors".required();
        /// Path in the file system.
        path: Option<String> = "path".zero_is_unset();
        /// The user.
        user: Option<String> = "user".zero_is_unset();
        /// File with the key.
        secret_file: Option<String> = "secretFile".zero_is_unset();
        /// Secret with the key.
        secret_ref: Option<LocalObjectReference> = "secretRef";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A Flocker dataset.
    pub struct FlockerVolumeSource {
        /// Its name.
        dataset_name: Option<String> = "datasetName".zero_is_unset();
        /// Its id.
        dataset_uuid: Option<String> = "datasetUUID".zero_is_unset();
    }
}

object! {
    /// A Fibre Channel disk.
    pub struct FcVolumeSource {
        /// Names of the targets.
        target_wwns: Vec<String> = "targetWWNs";
        /// Number of the unit.
        lun: Option<i32> = "lun";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// World-wide ids.
        wwids: Vec<String> = "wwids";
    }
}

object! {
    /// A file share of Azure.
    pub struct AzureFileVolumeSource {
        /// Secret with the account.
        secret_name: String = "secretName";
        /// The share.
        share_name: String = "shareName";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A disk of vSphere.
    pub struct VsphereVirtualDiskVolumeSource {
        /// Its path.
        volume_path: String = "volumePath";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Name of the storage policy.
        storage_policy_name: Option<String> = "storagePolicyName".zero_is_unset();
        /// Id of the storage policy.
        storage_policy_id: Option<String> = "storagePolicyID".zero_is_unset();
    }
}

object! {
    /// A Quobyte volume.
    pub struct QuobyteVolumeSource {
        /// Addresses of the registries.
        registry: String = "registry";
        /// The volume.
        volume: String = "volume";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Owner.
        user: Option<String> = "user".zero_is_unset();
        /// Group.
        group: Option<String> = "group".zero_is_unset();
        /// Tenant.
        tenant: Option<String> = "tenant".zero_is_unset();
    }
}

object! {
    /// A disk of Azure.
    pub struct AzureDiskVolumeSource {
        /// Its name.
        disk_name: String = "diskName";
        /// Its URI.
        disk_uri: String = "diskURI";
        /// None, ReadOnly or ReadWrite.
        caching_mode: Option<String> = "cachingMode";
        /// File system.
        fs_type: Option<String> = "fsType";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly";
        /// Shared, Dedicated or Managed.
        kind: Option<String> = "kind";
    }
}

object! {
    /// A disk of Photon.
    pub struct PhotonPersistentDiskVolumeSource {
        /// Its id.
        pd_id: String = "pdID";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
    }
}

object! {
    /// A Portworx volume.
    pub struct PortworxVolumeSource {
        /// Its id.
        volume_id: String = "volumeID";
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A ScaleIO volume.
    pub struct ScaleIoVolumeSource {
        /// Address of the gateway.
        gateway: String = "gateway";
        /// The storage system.
        system: String = "system";
        /// Secret with the login.
        secret_ref: Option<LocalObjectReference> = "secretRef".required();
        /// Use TLS.
        ssl_enabled: Option<bool> = "sslEnabled".zero_is_unset();
        /// Protection domain.
        protection_domain: Option<String> = "protectionDomain".zero_is_unset();
        /// Storage pool.
        storage_pool: Option<String> = "storagePool".zero_is_unset();
        /// Thick or thin.
        storage_mode: Option<String> = "storageMode".zero_is_unset();
        /// The volume.
        volume_name: Option<String> = "volumeName".zero_is_unset();
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
    }
}

object! {
    /// A StorageOS volume.
    pub struct StorageOsVolumeSource {
        /// The volume.
        volume_name: Option<String> = "volumeName".zero_is_unset();
        /// Its namespace.
        volume_namespace: Option<String> = "volumeNamespace".zero_is_unset();
        /// File system.
        fs_type: Option<String> = "fsType".zero_is_unset();
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly".zero_is_unset();
        /// Secret with the login.
        secret_ref: Option<LocalObjectReference> = "secretRef";
    }
}

object! {
    /// An inline volume of a CSI driver.
    pub struct CsiVolumeSource {
        /// The driver.
        driver: String = "driver";
        /// Mount it read-only.
        read_only: Option<bool> = "readOnly";
        /// File system.
        fs_type: Option<String> = "fsType";
        /// Attributes for the driver.
        volume_attributes: BTreeMap<String, String> = "volumeAttributes";
        /// Secret for the driver.
        node_publish_secret_ref: Option<LocalObjectReference> = "nodePublishSecretRef";
    }
}

object! {
    /// A claim that lives as long as the Pod.
    pub struct EphemeralVolumeSource {
        /// The claim to make.
        volume_claim_template: Option<PersistentVolumeClaimTemplate> = "volumeClaimTemplate";
    }
}

object! {
    /// A claim to be made.
    pub struct PersistentVolumeClaimTemplate {
        /// Labels and annotations of the claim.
        metadata: Option<ObjectMeta> = "metadata";
        /// What is claimed.
        spec: PersistentVolumeClaimSpec = "spec";
    }
}

object! {
    /// What a claim asks for.
    pub struct PersistentVolumeClaimSpec {
        /// ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.
        access_modes: Vec<String> = "accessModes";
        /// Which volumes qualify.
        selector: Option<LabelSelector> = "selector";
        /// How much.
        resources: Option<VolumeResourceRequirements> = "resources";
        /// A certain volume.
        volume_name: Option<String> = "volumeName".zero_is_unset();
        /// The storage class.
        storage_class_name: Option<String> = "storageClassName";
        /// Filesystem or Block.
        volume_mode: Option<String> = "volumeMode";
        /// What to copy from.
        data_source: Option<TypedLocalObjectReference> = "dataSource";
        /// What to copy from, across namespaces.
        data_source_ref: Option<TypedObjectReference> = "dataSourceRef";
        /// The class of attributes.
        volume_attributes_class_name: Option<String> = "volumeAttributesClassName";
    }
}

object! {
    /// Points to an object of some kind.
    pub struct TypedLocalObjectReference {
        /// Its API group.
        api_group: Option<String> = "apiGroup".required();
        /// Its kind.
        kind: String = "kind";
        /// Its name.
        name: String = "name";
    }
}

object! {
    /// Points to an object of some kind in some namespace.
    pub struct TypedObjectReference {
        /// Its API group.
        api_group: Option<String> = "apiGroup".required();
        /// Its kind.
        kind: String = "kind";
        /// Its name.
        name: String = "name";
        /// Its namespace.
        namespace: Option<String> = "namespace";
    }
}
