//! Lifecycle, telemetry and limits.

use std::net::SocketAddr;

use manifest::{Findings, Path};

use super::{bytes, duration, is_field_value, is_token, number};
use crate::config::StatusSet;
use crate::config::defaults::{FROM_POD, NO_ADDRESS};
use crate::config::document::{self, AccessLogFormat};
use crate::config::model::*;

pub(super) struct Process {
    pub(super) lifecycle: Lifecycle,
    pub(super) telemetry: Telemetry,
    pub(super) limits: Limits,
    pub(super) request_body: Option<u64>,
}

pub(super) fn process(
    findings: &mut Findings,
    document: &document::Proxy,
    sockets: &[Socket],
) -> Process {
    let root = Path::root();
    let limits_path = &root.child("limits");
    let given = document.limits.clone().unwrap_or_default();
    let mut count =
        |field, value, least, most| number(findings, &limits_path.child(field), value, least, most);
    let workers = count("workers", given.workers, 0, 1024);
    let connections = count("connections", given.connections, 1, i32::MAX);
    let header_fields = count("headerFields", given.header_fields, 1, 10_000);
    let memory = bytes(findings, &limits_path.child("memory"), given.memory);
    let head = bytes(findings, &limits_path.child("head"), given.head);
    if let Some(written) = given.head
        && !(1024..=1 << 24).contains(&head)
    {
        let detail = "must be between 1Ki and 16Mi, inclusive";
        findings.invalid(&limits_path.child("head"), written, detail);
    }
    let body = bytes(
        findings,
        &limits_path.child("requestBody"),
        given.request_body,
    );
    Process {
        lifecycle: lifecycle(findings, &root.child("lifecycle"), document),
        telemetry: telemetry(findings, &root.child("telemetry"), document, sockets),
        limits: Limits {
            workers: (workers > 0).then_some(workers),
            connections,
            memory: (memory > 0).then_some(memory),
            head: usize::try_from(head).unwrap_or(usize::MAX),
            header_fields,
        },
        request_body: (body > 0).then_some(body),
    }
}

fn lifecycle(findings: &mut Findings, path: &Path, document: &document::Proxy) -> Lifecycle {
    let given = document.lifecycle.clone().unwrap_or_default();
    let text = given.grace_period.as_deref().unwrap_or(FROM_POD);
    let grace_period = match text.parse::<manifest::Duration>() {
        Ok(grace) => Some(grace.get()),
        Err(_) if text == FROM_POD => None,
        Err(fault) => {
            let detail = format!("must be `{FROM_POD}` or a duration: {fault}");
            findings.invalid(&path.child("gracePeriod"), text, detail);
            None
        }
    };
    let propagation_delay = duration(given.propagation_delay);
    if grace_period.is_some_and(|grace| propagation_delay > grace) {
        let detail = "must not be longer than `gracePeriod`";
        let shown = given.propagation_delay.unwrap_or_default().to_string();
        findings.invalid(&path.child("propagationDelay"), shown, detail);
    }
    Lifecycle {
        grace_period,
        propagation_delay,
    }
}

fn telemetry(
    findings: &mut Findings,
    path: &Path,
    document: &document::Proxy,
    sockets: &[Socket],
) -> Telemetry {
    let given = document.telemetry.clone().unwrap_or_default();
    let mut taken: Vec<SocketAddr> = sockets
        .iter()
        .filter_map(|socket| match socket.bind {
            Bind::Tcp(address) => Some(address),
            Bind::Unix(_) => None,
        })
        .collect();
    let mut address = |field, text: &Option<String>| {
        let text = text.as_deref().unwrap_or(NO_ADDRESS);
        let path = &path.child(field);
        if text == NO_ADDRESS {
            return None;
        }
        let address = match text.strip_prefix(':') {
            Some(port) => format!("[::]:{port}").parse(),
            None => text.parse::<SocketAddr>(),
        };
        let Ok(address) = address else {
            let detail = "must be an IP address and a port, as 127.0.0.1:9901 or :9902, or `None`";
            findings.invalid(path, text, detail);
            return None;
        };
        if taken.iter().any(|other| overlap(*other, address)) {
            findings.duplicate(path, text);
        }
        taken.push(address);
        Some(address)
    };
    let metrics = address("metrics", &given.metrics);
    let admin = address("admin", &given.admin);
    let probes = probes(findings, &path.child("probes"), &given.probes, document);
    if metrics.is_none() && !probes.is_empty() {
        let detail = "the probes are answered on `metrics`, which is `None`";
        findings.forbidden(&path.child("probes"), detail);
    }
    Telemetry {
        admin,
        metrics,
        probes,
        access_log: access_log(findings, &path.child("accessLog"), given.access_log),
        otlp: given
            .otlp
            .and_then(|given| otlp(findings, &path.child("otlp"), given)),
        reason_header: given.reason_header.unwrap_or(true),
    }
}

/// Whether two sockets would take each other's connections.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && (one.ip() == other.ip() || any)
}

fn probes(
    findings: &mut Findings,
    path: &Path,
    given: &[document::Probe],
    document: &document::Proxy,
) -> Vec<Probe> {
    const OWN: [&str; 4] = ["/metrics", "/healthz", "/readyz", "/livez"];
    let mut probes: Vec<Probe> = Vec::new();
    for (index, probe) in given.iter().enumerate() {
        let path = &path.index(index);
        let at = &path.child("path");
        if !probe.path.starts_with('/') || !is_target(&probe.path) {
            findings.invalid(at, &probe.path, "must be a path that begins with /");
        } else if OWN.contains(&probe.path.as_str())
            || probes.iter().any(|other| other.path == probe.path)
        {
            findings.duplicate(at, &probe.path);
        }
        if let Some(request) = &probe.request_path
            && (!request.starts_with('/') || !is_target(request))
        {
            let detail = "must be a path that begins with /";
            findings.invalid(&path.child("requestPath"), request, detail);
        }
        let backend = super::rule::backend(
            findings,
            &path.child("backendRef").child("name"),
            &probe.backend_ref.name,
            document
                .backends
                .iter()
                .map(|backend| backend.name.as_str()),
        );
        probes.push(Probe {
            path: probe.path.clone(),
            backend: backend.unwrap_or(0),
            request_path: probe.request_path.clone(),
            timeout: duration(probe.timeout),
        });
    }
    probes
}

fn is_target(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'#')
}

fn access_log(
    findings: &mut Findings,
    path: &Path,
    given: Option<document::AccessLog>,
) -> AccessLog {
    let given = given.unwrap_or_default();
    let format = given.format.unwrap_or_default();
    let template = given.template.unwrap_or_default();
    match (format, template.is_empty()) {
        (AccessLogFormat::Template, true) => {
            findings.required(&path.child("template"), "format template needs it");
        }
        (AccessLogFormat::Template, false) | (_, true) => {}
        (_, false) => {
            findings.forbidden(&path.child("template"), "only with `format: template`");
        }
    }
    if format != AccessLogFormat::Json && !given.fields.is_empty() {
        findings.forbidden(&path.child("fields"), "only with `format: json`");
    }
    AccessLog {
        format,
        template,
        fields: given.fields.into_iter().collect(),
        statuses: statuses(findings, &path.child("statuses"), &given.statuses, 100),
    }
}

pub(super) fn statuses(
    findings: &mut Findings,
    path: &Path,
    given: &[manifest::IntOrString],
    least: u16,
) -> Vec<StatusSet> {
    let given = given.iter().enumerate();
    given
        .filter_map(|(index, written)| {
            StatusSet::parse(written, least, 599)
                .map_err(|fault| findings.invalid(&path.index(index), written.to_string(), fault))
                .ok()
        })
        .collect()
}

fn otlp(findings: &mut Findings, path: &Path, given: document::Otlp) -> Option<Otlp> {
    let percent = number(
        findings,
        &path.child("samplingPercent"),
        given.sampling_percent,
        0,
        100,
    );
    let service_name = given.service_name.unwrap_or_default();
    if !is_field_value(&service_name) {
        let detail = "must be printable ASCII";
        findings.invalid(&path.child("serviceName"), &service_name, detail);
    }
    let endpoint = given.endpoint?;
    let rest = endpoint
        .strip_prefix("http://")
        .or_else(|| endpoint.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or(""));
    if host.is_none_or(str::is_empty) || !is_target(&endpoint) {
        let detail = "must be a URL with the scheme http or https and a host";
        findings.invalid(&path.child("endpoint"), &endpoint, detail);
    }
    Some(Otlp {
        endpoint,
        sampling_percent: percent.min(100) as u8,
        service_name,
    })
}

/// Whether a text names a protocol for `Upgrade`.
pub(super) fn is_protocol(text: &str) -> bool {
    text.split('/').count() <= 2 && text.split('/').all(is_token)
}
