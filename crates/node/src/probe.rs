//! Probes: from a Pod's words to one answer.
//!
//! When a probe runs, how often and what its answers lead to is for the state machine; here one run is
//! carried out. All but `exec` are issued from the node, as the kubelet does (R6.11).

pub(crate) mod exec;
mod grpc;
pub(crate) mod http;
mod tcp;
mod tls;

use std::net::IpAddr;
use std::time::Duration;

use lifecycle::ProbeOutcome;
use manifest::IntOrString;
use manifest::core::v1::{Container, HttpGetAction, Probe, UriScheme};

use self::http::HttpRequest;

/// The version that probes and hooks say they are (R6.6).
pub(crate) const KUBERNETES_VERSION: &str = "1.36";

/// What came of one run.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: ProbeOutcome,
    pub(crate) output: String,
}

impl Answer {
    pub(crate) fn new(outcome: ProbeOutcome, output: impl Into<String>) -> Self {
        Self {
            outcome,
            output: output.into(),
        }
    }

    fn error(output: impl Into<String>) -> Self {
        Self::new(ProbeOutcome::Error, output)
    }
}

/// Runs any probe but `exec`, once.
pub(crate) async fn run(
    probe: &Probe,
    container: &Container,
    pod_ip: Option<IpAddr>,
    timeout: Duration,
) -> Answer {
    let ip = pod_ip.map(|ip| ip.to_string()).unwrap_or_default();
    let host = |host: &Option<String>| {
        host.clone()
            .filter(|host| !host.is_empty())
            .unwrap_or(ip.clone())
    };
    if let Some(action) = &probe.http_get {
        return match http_request(action, container, &host(&action.host), "kube-probe") {
            Ok(request) => http::probe(&request, timeout).await,
            Err(message) => Answer::error(message),
        };
    }
    if let Some(action) = &probe.tcp_socket {
        return match port_number(&action.port, container) {
            Ok(port) => tcp::probe(&host(&action.host), port, timeout).await,
            Err(message) => Answer::error(message),
        };
    }
    if let Some(action) = &probe.grpc {
        let service = action.service.as_deref().unwrap_or_default();
        return match u16::try_from(action.port) {
            Ok(port) => grpc::probe(&ip, port, service, timeout).await,
            Err(_) => Answer::error(format!("invalid port number: {}", action.port)),
        };
    }
    Answer::error("missing probe handler")
}

/// The request that an `httpGet` action describes (R6.3).
pub(crate) fn http_request(
    action: &HttpGetAction,
    container: &Container,
    host: &str,
    agent: &'static str,
) -> Result<HttpRequest, String> {
    Ok(HttpRequest {
        https: action.scheme == Some(UriScheme::Https),
        host: host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
        port: port_number(&action.port, container)?,
        path: action.path.clone().unwrap_or_else(|| "/".into()),
        headers: action
            .http_headers
            .iter()
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect(),
        agent,
    })
}

/// A port by number, or by the name that the container gives it.
pub(crate) fn port_number(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(name) => container
            .ports
            .iter()
            .find(|port| port.name.as_deref() == Some(name))
            .map(|port| i64::from(port.container_port))
            .or_else(|| name.parse().ok())
            .ok_or_else(|| format!("couldn't find port: {name}"))?,
    };
    match u16::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("invalid port number: {number}")),
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// An error of connect(2) in the words that operators know from the kubelet.
fn connect_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        std::io::ErrorKind::HostUnreachable => "no route to host".into(),
        std::io::ErrorKind::NetworkUnreachable => "network is unreachable".into(),
        std::io::ErrorKind::TimedOut => "connection timed out".into(),
        _ => error.to_string(),
    }
}
