//! Containers: what they run, what they do, and what they have.

use manifest::core::v1::{
    Container, ContainerPort, ContainerState, ContainerStatus, EphemeralContainer, Pod,
    ResourceRequirements, SeccompProfile, SeccompProfileType,
};

use super::{Page, env, probe};

/// All containers of one sort.
pub(super) fn all(
    page: &mut Page<'_>,
    title: &str,
    pod: &Pod,
    containers: &[Container],
    statuses: &[ContainerStatus],
) {
    let none = if containers.is_empty() { " <none>" } else { "" };
    page.line(0, &format!("{title}:{none}"));
    for container in containers {
        let status = statuses.iter().find(|status| status.name == container.name);
        basics(page, container, status);
        words(page, "Command", &container.command);
        words(page, "Args", &container.args);
        if let Some(status) = status {
            states(page, status);
        }
        if let Some(own) = &container.resources {
            resources(page, 2, own);
        }
        for (title, own) in [
            ("Liveness", &container.liveness_probe),
            ("Readiness", &container.readiness_probe),
            ("Startup", &container.startup_probe),
        ] {
            if let Some(own) = own {
                page.line(2, &format!("{title}:\t{}", probe::line(own)));
            }
        }
        env::sources(page, container);
        env::variables(page, pod, container);
        mounts(page, container);
    }
}

/// A debugging container as any other.
pub(super) fn of_ephemeral(debugger: &EphemeralContainer) -> Container {
    let debugger = debugger.clone();
    Container {
        name: debugger.name,
        image: debugger.image,
        command: debugger.command,
        args: debugger.args,
        ports: debugger.ports,
        env_from: debugger.env_from,
        env: debugger.env,
        resources: debugger.resources,
        volume_mounts: debugger.volume_mounts,
        security_context: debugger.security_context,
        ..Container::default()
    }
}

fn basics(page: &mut Page<'_>, container: &Container, status: Option<&ContainerStatus>) {
    page.line(1, &format!("{}:", container.name));
    if let Some(status) = status {
        let id = status.container_id.as_deref().unwrap_or_default();
        page.line(2, &format!("Container ID:\t{id}"));
    }
    page.line(
        2,
        &format!("Image:\t{}", container.image.as_deref().unwrap_or_default()),
    );
    if let Some(status) = status {
        page.line(2, &format!("Image ID:\t{}", status.image_id));
    }
    ports(page, "Port", container, |port| port.container_port);
    ports(page, "Host Port", container, |port| {
        port.host_port.unwrap_or(0)
    });
    let security = container.security_context.as_ref();
    seccomp(
        page,
        2,
        security.and_then(|security| security.seccomp_profile.as_ref()),
    );
}

fn ports(page: &mut Page<'_>, title: &str, of: &Container, number: fn(&ContainerPort) -> i32) {
    let text = |port: &ContainerPort| {
        let protocol = port.protocol.unwrap_or_default();
        let name = port.name.as_deref().filter(|name| !name.is_empty());
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{}/{protocol}{name}", number(port))
    };
    match of.ports.iter().map(text).collect::<Vec<_>>().as_slice() {
        [] => page.line(2, &format!("{title}:\t<none>")),
        [port] => page.line(2, &format!("{title}:\t{port}")),
        ports => page.line(2, &format!("{title}s:\t{}", ports.join(", "))),
    }
}

/// The system call filter, when one is asked for.
pub(super) fn seccomp(page: &mut Page<'_>, level: usize, profile: Option<&SeccompProfile>) {
    let Some(profile) = profile else { return };
    page.line(level, &format!("SeccompProfile:\t{}", profile.type_));
    if profile.type_ == SeccompProfileType::Localhost {
        // Upstream indents it for containers only.
        let level = if level == 0 { 0 } else { level + 1 };
        let file = profile.localhost_profile.as_deref().unwrap_or_default();
        page.line(level, &format!("LocalhostProfile:\t{file}"));
    }
}

fn words(page: &mut Page<'_>, title: &str, words: &[String]) {
    if words.is_empty() {
        return;
    }
    page.line(2, &format!("{title}:"));
    for line in words.iter().flat_map(|word| word.split('\n')) {
        page.line(3, line);
    }
}

fn states(page: &mut Page<'_>, status: &ContainerStatus) {
    let now = status.state.clone().unwrap_or_default();
    state(page, "State", &now);
    let last = status.last_state.as_ref();
    if let Some(last) = last.filter(|last| last.terminated.is_some()) {
        state(page, "Last State", last);
    }
    page.line(
        2,
        if status.ready {
            "Ready:\tTrue"
        } else {
            "Ready:\tFalse"
        },
    );
    page.line(2, &format!("Restart Count:\t{}", status.restart_count));
}

fn state(page: &mut Page<'_>, title: &str, state: &ContainerState) {
    let optional = |page: &mut Page<'_>, title: &str, text: &Option<String>| {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            page.line(3, &format!("{title}:\t{text}"));
        }
    };
    if let Some(running) = &state.running {
        page.line(2, &format!("{title}:\tRunning"));
        let started = page.moment(running.started_at);
        page.line(3, &format!("Started:\t{started}"));
    } else if let Some(ended) = state
        .terminated
        .as_ref()
        .filter(|_| state.waiting.is_none())
    {
        page.line(2, &format!("{title}:\tTerminated"));
        optional(page, "Reason", &ended.reason);
        optional(page, "Message", &ended.message);
        page.line(3, &format!("Exit Code:\t{}", ended.exit_code));
        if let Some(signal) = ended.signal.filter(|signal| *signal > 0) {
            page.line(3, &format!("Signal:\t{signal}"));
        }
        let (started, finished) = (
            page.moment(ended.started_at),
            page.moment(ended.finished_at),
        );
        page.line(3, &format!("Started:\t{started}"));
        page.line(3, &format!("Finished:\t{finished}"));
    } else {
        page.line(2, &format!("{title}:\tWaiting"));
        if let Some(waiting) = &state.waiting {
            optional(page, "Reason", &waiting.reason);
        }
    }
}

/// Limits, then requests, by name.
pub(super) fn resources(page: &mut Page<'_>, level: usize, resources: &ResourceRequirements) {
    for (title, list) in [
        ("Limits", &resources.limits),
        ("Requests", &resources.requests),
    ] {
        if !list.is_empty() {
            page.line(level, &format!("{title}:"));
        }
        for (name, amount) in list {
            page.line(level + 1, &format!("{name}:\t{amount}"));
        }
    }
}

fn mounts(page: &mut Page<'_>, container: &Container) {
    let mut mounts = container.volume_mounts.iter().collect::<Vec<_>>();
    mounts.sort_by(|a, b| a.mount_path.cmp(&b.mount_path));
    page.line(
        2,
        if mounts.is_empty() {
            "Mounts:\t<none>"
        } else {
            "Mounts:"
        },
    );
    for mount in mounts {
        let access = if mount.read_only == Some(true) {
            "ro"
        } else {
            "rw"
        };
        let part = match mount.sub_path.as_deref() {
            None | Some("") => String::new(),
            Some(path) => format!(",path={path:?}"),
        };
        page.line(
            3,
            &format!("{} from {} ({access}{part})", mount.mount_path, mount.name),
        );
    }
    if !container.volume_devices.is_empty() {
        page.line(2, "Devices:");
    }
    for device in &container.volume_devices {
        page.line(3, &format!("{} from {}", device.device_path, device.name));
    }
}
