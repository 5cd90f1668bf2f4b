//! Words that the API fixes, as enums.
//!
//! Only those on which behaviour hangs; words that are merely passed on stay strings and are checked by validation.

use crate::schema::enumeration;

enumeration! {
    /// When a container that exited is started again.
    pub enum RestartPolicy {
        /// After every exit.
        #[default]
        Always = "Always",
        /// After a failure.
        OnFailure = "OnFailure",
        /// Not at all.
        Never = "Never",
    }
}

enumeration! {
    /// When an image is pulled (R11.5).
    pub enum PullPolicy {
        /// Before every start.
        Always = "Always",
        /// When it is not there.
        #[default]
        IfNotPresent = "IfNotPresent",
        /// Not at all; it must be there.
        Never = "Never",
    }
}

enumeration! {
    /// Transport protocol of a port.
    pub enum Protocol {
        /// SCTP.
        Sctp = "SCTP",
        /// TCP.
        #[default]
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
    }
}

enumeration! {
    /// Where the termination message comes from (section 15 of the lifecycle rules).
    pub enum TerminationMessagePolicy {
        /// Only from the file.
        #[default]
        File = "File",
        /// From the end of the log when the container failed and the file is empty (R15.3).
        FallbackToLogsOnError = "FallbackToLogsOnError",
    }
}

enumeration! {
    /// What goes into `/etc/resolv.conf` (R17.5).
    pub enum DnsPolicy {
        /// The cluster's name server, also with `hostNetwork`.
        ClusterFirstWithHostNet = "ClusterFirstWithHostNet",
        /// The cluster's name server.
        #[default]
        ClusterFirst = "ClusterFirst",
        /// The machine's own file.
        Default = "Default",
        /// Only what `dnsConfig` says.
        None = "None",
    }
}

enumeration! {
    /// Scheme of an HTTP probe or hook.
    pub enum UriScheme {
        /// Plain.
        #[default]
        Http = "HTTP",
        /// TLS, without verification (R6.7).
        Https = "HTTPS",
    }
}

enumeration! {
    /// Where a Pod stands as a whole (section 9).
    pub enum PodPhase {
        /// Not all containers could be started yet.
        #[default]
        Pending = "Pending",
        /// At least one container runs or will run again.
        Running = "Running",
        /// All apps ended with 0.
        Succeeded = "Succeeded",
        /// All apps ended, at least one with another code.
        Failed = "Failed",
        /// Nothing is known about it.
        Unknown = "Unknown",
    }
}

enumeration! {
    /// Whether a condition holds.
    pub enum ConditionStatus {
        /// It holds.
        True = "True",
        /// It does not.
        False = "False",
        /// Nothing is known about it.
        #[default]
        Unknown = "Unknown",
    }
}

enumeration! {
    /// How well a Pod's resources are assured (R13.3).
    pub enum QosClass {
        /// Every container has limits equal to its requests.
        Guaranteed = "Guaranteed",
        /// In between.
        Burstable = "Burstable",
        /// No container has any.
        #[default]
        BestEffort = "BestEffort",
    }
}

enumeration! {
    /// What a matching restart rule does.
    pub enum ContainerRestartRuleAction {
        /// Start this container again (R20.3).
        #[default]
        Restart = "Restart",
        /// Start the whole Pod from its first init container again (R20.7).
        RestartAllContainers = "RestartAllContainers",
    }
}

enumeration! {
    /// How exit codes are compared (R20.2).
    pub enum ContainerRestartRuleOnExitCodesOperator {
        /// The code is in the list.
        #[default]
        In = "In",
        /// The code is not in the list.
        NotIn = "NotIn",
    }
}

enumeration! {
    /// What must be at a hostPath, or is made there (R19.8).
    pub enum HostPathType {
        /// No check.
        #[default]
        Unset = "",
        /// A block device must be there.
        BlockDevice = "BlockDevice",
        /// A character device must be there.
        CharDevice = "CharDevice",
        /// A folder must be there.
        Directory = "Directory",
        /// An empty folder, mode 0755, is made.
        DirectoryOrCreate = "DirectoryOrCreate",
        /// A file must be there.
        File = "File",
        /// An empty file, mode 0644, is made.
        FileOrCreate = "FileOrCreate",
        /// A Unix socket must be there.
        Socket = "Socket",
    }
}

enumeration! {
    /// Whether later mounts are seen on the other side.
    pub enum MountPropagationMode {
        /// In both directions; privileged containers only.
        Bidirectional = "Bidirectional",
        /// The container sees the machine's.
        HostToContainer = "HostToContainer",
        /// Neither sees the other's.
        #[default]
        None = "None",
    }
}

enumeration! {
    /// Whether mounts below a read-only mount are read-only.
    pub enum RecursiveReadOnlyMode {
        /// They are not.
        #[default]
        Disabled = "Disabled",
        /// They must be.
        Enabled = "Enabled",
        /// They are where the kernel can.
        IfPossible = "IfPossible",
    }
}

enumeration! {
    /// Which system call filter is used.
    pub enum SeccompProfileType {
        /// A profile file of the node.
        Localhost = "Localhost",
        /// The default filter.
        #[default]
        RuntimeDefault = "RuntimeDefault",
        /// None.
        Unconfined = "Unconfined",
    }
}

enumeration! {
    /// Whether parts of `/proc` are hidden.
    pub enum ProcMountType {
        /// They are.
        #[default]
        Default = "Default",
        /// They are not.
        Unmasked = "Unmasked",
    }
}

enumeration! {
    /// Whether the groups of the image's user are merged with those of the Pod.
    pub enum SupplementalGroupsPolicy {
        /// They are.
        #[default]
        Merge = "Merge",
        /// Only those of the Pod count.
        Strict = "Strict",
    }
}

enumeration! {
    /// When the ownership of a volume is changed to `fsGroup`.
    pub enum FsGroupChangePolicy {
        /// At every mount.
        #[default]
        Always = "Always",
        /// Only when the top folder has other rights.
        OnRootMismatch = "OnRootMismatch",
    }
}

/// Declares the value of `apiVersion` or `kind`: nothing to set, always written, not looked at when read (what a
/// document is was decided before it is decoded).
macro_rules! constant {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl $name {
                /// The text in manifests.
                pub const TEXT: &'static str = $word;
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str($word)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    serde::de::IgnoredAny::deserialize(deserializer).map(|_| $name)
                }
            }

            impl crate::schema::FieldType for $name {
                const KIND: crate::schema::Kind = crate::schema::Kind::String;
            }
        )*
    };
}

constant! {
    /// `apiVersion: v1`.
    ApiVersionV1 = "v1",
    /// `kind: Pod`.
    PodKind = "Pod",
    /// `kind: ConfigMap`.
    ConfigMapKind = "ConfigMap",
    /// `kind: Secret`.
    SecretKind = "Secret",
    /// `kind: Event`.
    EventKind = "Event",
}
