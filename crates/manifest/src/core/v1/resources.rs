//! Requests and limits.

use std::collections::BTreeMap;

use crate::quantity::Quantity;
use crate::schema::object;

/// Amounts by resource name, as `cpu` or `memory`.
pub type ResourceList = BTreeMap<String, Quantity>;

object! {
    /// What a container asks for and may use.
    pub struct ResourceRequirements {
        /// The most it may use, by resource.
        limits: ResourceList = "limits";
        /// What is set aside for it, by resource.
        requests: ResourceList = "requests";
        /// Devices it uses, out of the Pod's `resourceClaims`.
        claims: Vec<ResourceClaim> = "claims".unhonoured("give the container these devices");
    }
}

object! {
    /// One claim that a container uses.
    pub struct ResourceClaim {
        /// Entry of the Pod's `resourceClaims`.
        name: String = "name";
        /// Which request of that claim; default all.
        request: Option<String> = "request".zero_is_unset();
    }
}

object! {
    /// What a volume asks for.
    pub struct VolumeResourceRequirements {
        /// The most, by resource.
        limits: ResourceList = "limits";
        /// The least, by resource.
        requests: ResourceList = "requests";
    }
}
