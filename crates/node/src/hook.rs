//! Lifecycle hooks: `exec` and `httpGet` (R7.1). `sleep` is a timer and stays in the state machine.

use std::net::IpAddr;

use container::{Launcher, Process, Running};
use manifest::core::v1::{Container, LifecycleHandler};

use crate::probe::http::Reached;
use crate::probe::{exec, http, http_request};

/// Runs a hook to its end.
pub(crate) async fn run(
    launcher: &Launcher,
    target: &Running,
    process: &Process,
    handler: &LifecycleHandler,
    container: &Container,
    pod_ip: Option<IpAddr>,
) -> Result<Reached, String> {
    if let Some(action) = &handler.exec {
        // The command lives on when nobody waits for it any more, until its container dies (R8.4).
        let ended = exec::run(launcher, target, process, &action.command, false)
            .await
            .map_err(|error| error.to_string())?;
        return match ended.code {
            0 => Ok(Reached::AsAsked),
            code => Err(format!(
                "command '{}' exited with {code}: {}, message: {:?}",
                action.command.join(" "),
                ended.output.trim_end(),
                ended.output
            )),
        };
    }
    if let Some(action) = &handler.http_get {
        let ip = pod_ip.map(|ip| ip.to_string()).unwrap_or_default();
        let host = action
            .host
            .clone()
            .filter(|host| !host.is_empty())
            .unwrap_or(ip);
        return http::hook(&http_request(action, container, &host, "kube-lifecycle")?).await;
    }
    // Passes validation, always fails (R7.1).
    Err("invalid handler: cannot run handler with tcpSocket".into())
}
