//! Probes in one line.

use manifest::core::v1::{HttpGetAction, Probe};

/// What is asked, then how often and how patiently: `http-get http://:80/ delay=0s timeout=1s ...`.
pub(super) fn line(probe: &Probe) -> String {
    let number = |number: Option<i32>| number.unwrap_or(0);
    let how = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number(probe.initial_delay_seconds),
        number(probe.timeout_seconds),
        number(probe.period_seconds),
        number(probe.success_threshold),
        number(probe.failure_threshold),
    );
    let what = if let Some(exec) = &probe.exec {
        format!("exec [{}]", exec.command.join(" "))
    } else if let Some(get) = &probe.http_get {
        format!("http-get {}", url(get))
    } else if let Some(tcp) = &probe.tcp_socket {
        format!(
            "tcp-socket {}:{}",
            tcp.host.as_deref().unwrap_or_default(),
            tcp.port
        )
    } else if let Some(grpc) = &probe.grpc {
        format!(
            "grpc <pod>:{} {}",
            grpc.port,
            grpc.service.as_deref().unwrap_or_default()
        )
    } else {
        "unknown".to_owned()
    };
    format!("{what} {how}")
}

fn url(get: &HttpGetAction) -> String {
    let scheme = get
        .scheme
        .map(|scheme| scheme.as_str().to_lowercase() + ":");
    let host = get.host.as_deref().unwrap_or_default();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let path = get.path.as_deref().unwrap_or_default();
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    let scheme = scheme.unwrap_or_default();
    format!("{scheme}//{host}:{}{slash}{}", get.port, escape_path(path))
}

/// As Go's package `net/url` writes paths.
fn escape_path(path: &str) -> String {
    let mut escaped = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
