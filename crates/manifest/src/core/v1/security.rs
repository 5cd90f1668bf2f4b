//! Users, groups, capabilities and kernel settings.

use super::enums::{
    FsGroupChangePolicy, ProcMountType, SeccompProfileType, SupplementalGroupsPolicy,
};
use crate::schema::object;

object! {
    /// Rights of one container; its fields win over those of the Pod.
    pub struct SecurityContext {
        /// Capabilities to add to and drop from the default set.
        capabilities: Option<Capabilities> = "capabilities";
        /// All rights on the machine.
        privileged: Option<bool> = "privileged";
        /// SELinux label.
        se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions".unhonoured("give the processes this SELinux label");
        /// For Windows containers only.
        windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions".unhonoured("configure a Windows container");
        /// User id of the first process.
        run_as_user: Option<i64> = "runAsUser";
        /// Group id of the first process.
        run_as_group: Option<i64> = "runAsGroup";
        /// Refuse to start as user 0.
        run_as_non_root: Option<bool> = "runAsNonRoot";
        /// Mount the root file system read-only.
        read_only_root_filesystem: Option<bool> = "readOnlyRootFilesystem";
        /// False sets `no_new_privs`.
        allow_privilege_escalation: Option<bool> = "allowPrivilegeEscalation";
        /// Default hides parts of `/proc`, Unmasked does not.
        proc_mount: Option<ProcMountType> = "procMount";
        /// Filter for system calls.
        seccomp_profile: Option<SeccompProfile> = "seccompProfile";
        /// AppArmor profile.
        app_armor_profile: Option<AppArmorProfile> = "appArmorProfile".unhonoured("confine the processes with this AppArmor profile");
    }
}

object! {
    /// Rights of all containers of a Pod.
    pub struct PodSecurityContext {
        /// SELinux label.
        se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions".unhonoured("give the processes and volumes this SELinux label");
        /// For Windows Pods only.
        windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions".unhonoured("configure Windows containers");
        /// User id of the first processes.
        run_as_user: Option<i64> = "runAsUser";
        /// Group id of the first processes.
        run_as_group: Option<i64> = "runAsGroup";
        /// Refuse to start as user 0.
        run_as_non_root: Option<bool> = "runAsNonRoot";
        /// Further group ids.
        supplemental_groups: Vec<i64> = "supplementalGroups";
        /// Whether groups of the image's user are merged: Merge or Strict.
        supplemental_groups_policy: Option<SupplementalGroupsPolicy> = "supplementalGroupsPolicy";
        /// Group that owns the files of volumes.
        fs_group: Option<i64> = "fsGroup";
        /// Kernel settings of the Pod's namespaces.
        sysctls: Vec<Sysctl> = "sysctls";
        /// When ownership of volumes is changed: Always or OnRootMismatch.
        fs_group_change_policy: Option<FsGroupChangePolicy> = "fsGroupChangePolicy";
        /// Filter for system calls.
        seccomp_profile: Option<SeccompProfile> = "seccompProfile";
        /// AppArmor profile.
        app_armor_profile: Option<AppArmorProfile> = "appArmorProfile".unhonoured("confine the processes with this AppArmor profile");
        /// How volumes get their SELinux label.
        se_linux_change_policy: Option<String> = "seLinuxChangePolicy".unhonoured("label volumes for SELinux as this says");
    }
}

object! {
    /// Changes to the default set of capabilities.
    pub struct Capabilities {
        /// To add, as `NET_ADMIN`, or `ALL`.
        add: Vec<String> = "add";
        /// To drop, or `ALL`.
        drop: Vec<String> = "drop";
    }
}

object! {
    /// An SELinux label.
    pub struct SeLinuxOptions {
        /// User part.
        user: Option<String> = "user".zero_is_unset();
        /// Role part.
        role: Option<String> = "role".zero_is_unset();
        /// Type part.
        type_: Option<String> = "type".zero_is_unset();
        /// Level part.
        level: Option<String> = "level".zero_is_unset();
    }
}

object! {
    /// Settings for Windows containers.
    pub struct WindowsSecurityContextOptions {
        /// Name of the GMSA credential spec.
        gmsa_credential_spec_name: Option<String> = "gmsaCredentialSpecName";
        /// Contents of that spec.
        gmsa_credential_spec: Option<String> = "gmsaCredentialSpec";
        /// User of the first process.
        run_as_user_name: Option<String> = "runAsUserName";
        /// Run as a host process container.
        host_process: Option<bool> = "hostProcess";
    }
}

object! {
    /// A filter for system calls.
    pub struct SeccompProfile {
        /// RuntimeDefault, Unconfined or Localhost.
        type_: SeccompProfileType = "type";
        /// File of the profile, for Localhost.
        localhost_profile: Option<String> = "localhostProfile".unhonoured("filter system calls with a profile file of the node; the default filter is used here");
    }
}

object! {
    /// An AppArmor profile.
    pub struct AppArmorProfile {
        /// RuntimeDefault, Unconfined or Localhost.
        type_: String = "type";
        /// Name of the loaded profile, for Localhost.
        localhost_profile: Option<String> = "localhostProfile";
    }
}

object! {
    /// A kernel setting.
    pub struct Sysctl {
        /// Its name, as `net.ipv4.ip_unprivileged_port_start`.
        name: String = "name";
        /// Its value.
        value: String = "value";
    }
}
