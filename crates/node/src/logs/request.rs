//! Which log is wanted, and whether there is one: the words of the API's `PodLogOptions`.

use std::io;

use jiff::Timestamp;
use lifecycle::Instance;
use manifest::core::v1::{Container, ContainerStatus, Pod};

use crate::output::Stream;
use crate::pod::container_id;

/// What is wanted of a container's log. The default: all of it, as it was written, up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Name of the container; may be left out where the Pod has only one.
    pub container: Option<String>,
    /// The run before the present one.
    pub previous: bool,
    /// Go on until the run has ended.
    pub follow: bool,
    /// Only so many lines from the end.
    pub tail_lines: Option<u64>,
    /// Nothing older.
    pub since: Option<Since>,
    /// Begin each line with the time at which it was read, RFC 3339 with nanoseconds.
    pub timestamps: bool,
    /// End after so many bytes, times included.
    pub limit_bytes: Option<u64>,
    /// Only what was written here.
    pub stream: Option<Stream>,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So many seconds before now.
    Seconds(u64),
    /// This time.
    Time(Timestamp),
}

/// Why there is no log, in the words of the kubelet and the API server.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No container was named, and there are several.
    #[error("a container name must be specified for pod {pod}, choose one of: [{containers}]{}", or_inits(.inits))]
    ContainerRequired {
        /// Name of the Pod.
        pod: String,
        /// Names of its containers.
        containers: String,
        /// Names of its init containers.
        inits: String,
    },
    /// The Pod has no such container.
    #[error("container {container} is not valid for pod {pod}")]
    NotValid {
        /// The name that was asked for.
        container: String,
        /// Name of the Pod.
        pod: String,
    },
    /// The Pod has no status of the container yet.
    #[error("container \"{container}\" in pod \"{pod}\" is not available")]
    NotAvailable {
        /// Name of the container.
        container: String,
        /// Name of the Pod.
        pod: String,
    },
    /// The container has not run before its present run.
    #[error("previous terminated container \"{container}\" in pod \"{pod}\" not found")]
    NoPrevious {
        /// Name of the container.
        container: String,
        /// Name of the Pod.
        pod: String,
    },
    /// The container has ended without ever having run.
    #[error("container \"{container}\" in pod \"{pod}\" is terminated")]
    Terminated {
        /// Name of the container.
        container: String,
        /// Name of the Pod.
        pod: String,
    },
    /// The container has not been started yet.
    #[error("container \"{container}\" in pod \"{pod}\" is waiting to start: {}", waiting(.reason))]
    Waiting {
        /// Name of the container.
        container: String,
        /// Name of the Pod.
        pod: String,
        /// The reason of its waiting state.
        reason: String,
    },
    /// The Pod has been removed meanwhile.
    #[error("the pod is gone")]
    PodGone,
    /// The log is there but cannot be read.
    #[error("read the log of container \"{container}\"")]
    Read {
        /// Name of the container.
        container: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

fn or_inits(inits: &str) -> String {
    match inits {
        "" => String::new(),
        inits => format!(" or one of the init containers: [{inits}]"),
    }
}

fn waiting(reason: &str) -> &str {
    match reason {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        reason => reason,
    }
}

/// The container and the run of it whose log is wanted, as upstream's `LogLocation` and
/// `validateContainerLogStatus` find them.
pub(crate) fn select(pod: &Pod, request: &LogRequest) -> Result<(String, Instance), LogError> {
    let container = container_name(pod, request.container.as_deref())?;
    let instance = instance(pod, &container, request.previous)?;
    Ok((container, instance))
}

fn container_name(pod: &Pod, wanted: Option<&str>) -> Result<String, LogError> {
    let spec = &pod.spec;
    let (apps, inits) = (&spec.containers, &spec.init_containers);
    let pod = pod.metadata.name.clone().unwrap_or_default();
    match (wanted, apps.as_slice()) {
        (Some(wanted), _) => {
            let known = apps.iter().chain(inits).any(|known| known.name == wanted);
            let container = wanted.to_owned();
            if known {
                Ok(container)
            } else {
                Err(LogError::NotValid { container, pod })
            }
        }
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => Err(LogError::ContainerRequired {
            pod,
            containers: names(apps),
            inits: names(inits),
        }),
    }
}

fn names(containers: &[Container]) -> String {
    let names: Vec<&str> = containers.iter().map(|one| one.name.as_str()).collect();
    names.join(" ")
}

fn instance(pod: &Pod, container: &str, previous: bool) -> Result<Instance, LogError> {
    let (pod, status) = (
        pod.metadata.name.clone().unwrap_or_default(),
        pod.status.as_ref(),
    );
    let container = container.to_owned();
    let status = status.and_then(|status| {
        let apps = status.container_statuses.iter();
        let mut all = apps.chain(&status.init_container_statuses);
        all.find(|status| status.name == container)
    });
    let Some(status) = status else {
        return Err(LogError::NotAvailable { container, pod });
    };
    let found = |id: &Option<String>| id.as_deref().and_then(container_id::instance);
    let last = status.last_state.as_ref();
    let last = last.and_then(|state| state.terminated.as_ref());
    let last_run = last.and_then(|last| found(&last.container_id));
    if previous {
        return last_run.ok_or(LogError::NoPrevious { container, pod });
    }
    let ended = status
        .state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let run = if is_running(status) {
        found(&status.container_id)
    } else if let Some(ended) = ended {
        found(&ended.container_id).or(last_run)
    } else {
        last_run
    };
    match run {
        Some(run) => Ok(run),
        None if ended.is_some() || last.is_some() => Err(LogError::Terminated { container, pod }),
        None => {
            let waiting = status
                .state
                .as_ref()
                .and_then(|state| state.waiting.as_ref());
            let reason = waiting.and_then(|waiting| waiting.reason.clone());
            let reason = reason.unwrap_or_default();
            Err(LogError::Waiting {
                container,
                pod,
                reason,
            })
        }
    }
}

fn is_running(status: &ContainerStatus) -> bool {
    let state = status.state.as_ref();
    state.is_some_and(|state| state.running.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Pod of containers `app` and `side` and an init container `init`, with a status as JSON.
    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": "web"},
            "spec": {
                "initContainers": [{"name": "init"}],
                "containers": [{"name": "app"}, {"name": "side"}],
            },
            "status": status,
        }))
        .expect("a Pod")
    }

    fn app(state: serde_json::Value, last: serde_json::Value) -> Pod {
        let id = "pillion://app-2-44";
        pod(serde_json::json!({"containerStatuses": [
            {"name": "app", "containerID": id, "state": state, "lastState": last},
        ]}))
    }

    fn selected(pod: &Pod, previous: bool) -> Result<Instance, String> {
        let request = LogRequest {
            container: Some("app".into()),
            previous,
            ..LogRequest::default()
        };
        select(pod, &request)
            .map(|(_, instance)| instance)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn which_run_is_the_present_and_the_previous_one() {
        let ended =
            |id: &str| serde_json::json!({"terminated": {"exitCode": 1, "containerID": id}});
        let running = serde_json::json!({"running": {}});
        let waiting = |reason: &str| serde_json::json!({"waiting": {"reason": reason}});
        let none = serde_json::json!({});

        let pod = app(running, ended("pillion://app-1-33"));
        assert_eq!(
            (selected(&pod, false), selected(&pod, true)),
            (Ok(2), Ok(1))
        );

        // Between two runs the last one is the present one and the previous one.
        let pod = app(waiting("CrashLoopBackOff"), ended("pillion://app-1-33"));
        assert_eq!(
            (selected(&pod, false), selected(&pod, true)),
            (Ok(1), Ok(1))
        );

        let pod = app(ended("pillion://app-2-44"), none.clone());
        assert_eq!(selected(&pod, false), Ok(2));
        assert_eq!(
            selected(&pod, true),
            Err("previous terminated container \"app\" in pod \"web\" not found".into())
        );

        // A start that failed counts as an end but has no log.
        let pod = app(ended(""), ended("pillion://app-1-33"));
        assert_eq!(selected(&pod, false), Ok(1));
        let pod = app(ended(""), none.clone());
        assert_eq!(
            selected(&pod, false),
            Err("container \"app\" in pod \"web\" is terminated".into())
        );

        for (reason, words) in [
            ("PodInitializing", "PodInitializing"),
            ("ContainerCreating", "ContainerCreating"),
            ("ErrImagePull", "image can't be pulled"),
            ("ImagePullBackOff", "trying and failing to pull image"),
        ] {
            let pod = app(waiting(reason), none.clone());
            let text = format!("container \"app\" in pod \"web\" is waiting to start: {words}");
            assert_eq!(selected(&pod, false), Err(text));
        }
        assert_eq!(
            selected(&self::pod(none), false),
            Err("container \"app\" in pod \"web\" is not available".into())
        );
    }

    #[test]
    fn which_container() {
        let mut pod = app(serde_json::json!({"running": {}}), serde_json::json!({}));
        let name = |pod: &Pod, name| container_name(pod, name).map_err(|error| error.to_string());
        assert_eq!(
            name(&pod, None),
            Err(
                "a container name must be specified for pod web, choose one of: [app side] \
                 or one of the init containers: [init]"
                    .into()
            )
        );
        assert_eq!(
            name(&pod, Some("none")),
            Err("container none is not valid for pod web".into())
        );
        assert_eq!(name(&pod, Some("init")), Ok("init".into()));
        pod.spec.containers.truncate(1);
        assert_eq!(name(&pod, None), Ok("app".into()));
    }
}
