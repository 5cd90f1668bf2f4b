//! The IDs of containers in a Pod's status: `pillion://<name>-<instance>-<pid>`.

use lifecycle::Instance;

/// The ID of one run of a container.
pub(crate) fn of(name: &str, instance: Instance, pid: impl std::fmt::Display) -> String {
    format!("pillion://{name}-{instance}-{pid}")
}

/// Which run of its container an ID means.
pub(crate) fn instance(id: &str) -> Option<Instance> {
    let (before_pid, _) = id.strip_prefix("pillion://")?.rsplit_once('-')?;
    let (_, instance) = before_pid.rsplit_once('-')?;
    instance.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_which_run_it_is_of() {
        assert_eq!(of("my-app-3", 7, 4711), "pillion://my-app-3-7-4711");
        assert_eq!(instance("pillion://my-app-3-7-4711"), Some(7));
        assert_eq!(instance(&of("app", 0, 1)), Some(0));
        for other in ["", "containerd://0123-1-2", "pillion://app-1"] {
            assert_eq!(instance(other), None, "{other}");
        }
    }
}
