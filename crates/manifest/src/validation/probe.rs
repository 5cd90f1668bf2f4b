//! Probes, hooks and what they do (R14.2 to R14.6, R8.18).

use crate::IntOrString;
use crate::core::v1::{
    Container, ExecAction, GrpcAction, HttpGetAction, Lifecycle, LifecycleHandler, PodSpec, Probe,
    SleepAction, TcpSocketAction,
};
use crate::defaults::GRACE_PERIOD_SECONDS;
use crate::findings::Findings;
use crate::path::Path;

use super::names;

/// Probes and hooks of an app or a sidecar.
pub(super) fn all(findings: &mut Findings, path: &Path, container: &Container, spec: &PodSpec) {
    if let Some(hooks) = &container.lifecycle {
        lifecycle(findings, &path.child("lifecycle"), hooks, spec);
    }
    if let Some(probe) = &container.liveness_probe {
        let path = &path.child("livenessProbe");
        self::probe(findings, path, probe);
        single_success(findings, path, probe);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = &path.child("readinessProbe");
        self::probe(findings, path, probe);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = &path.child("terminationGracePeriodSeconds");
            findings.invalid(path, seconds, "must not be set for readinessProbes");
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = &path.child("startupProbe");
        self::probe(findings, path, probe);
        single_success(findings, path, probe);
    }
}

/// An init that is no sidecar has neither (R14.1).
pub(super) fn none(findings: &mut Findings, path: &Path, container: &Container) {
    let fields = [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ];
    for (field, set) in fields {
        if set {
            let detail = "may not be set for init containers without restartPolicy=Always";
            findings.forbidden(&path.child(field), detail);
        }
    }
}

fn single_success(findings: &mut Findings, path: &Path, probe: &Probe) {
    if let Some(threshold) = probe.success_threshold.filter(|threshold| *threshold != 1) {
        findings.invalid(&path.child("successThreshold"), threshold, "must be 1");
    }
}

fn probe(findings: &mut Findings, path: &Path, probe: &Probe) {
    let handlers = Handlers {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    handlers.validate(findings, path, GRACE_PERIOD_SECONDS);
    let numbers = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ];
    for (field, number) in numbers {
        if let Some(number) = number.filter(|number| *number < 0) {
            findings.invalid(
                &path.child(field),
                number,
                "must be greater than or equal to 0",
            );
        }
    }
    if let Some(seconds) = probe
        .termination_grace_period_seconds
        .filter(|seconds| *seconds <= 0)
    {
        let path = &path.child("terminationGracePeriodSeconds");
        findings.invalid(path, seconds, "must be greater than 0");
    }
}

fn lifecycle(findings: &mut Findings, path: &Path, lifecycle: &Lifecycle, spec: &PodSpec) {
    let grace = spec
        .termination_grace_period_seconds
        .unwrap_or(GRACE_PERIOD_SECONDS);
    if let Some(handler) = &lifecycle.post_start {
        hook(handler).validate(findings, &path.child("postStart"), grace);
    }
    if let Some(handler) = &lifecycle.pre_stop {
        hook(handler).validate(findings, &path.child("preStop"), grace);
    }
    if let Some(signal) = &lifecycle.stop_signal {
        let path = &path.child("stopSignal");
        if spec.os.is_none() {
            findings.forbidden(
                path,
                "may not be set for containers with empty `spec.os.name`",
            );
        }
        if !is_signal(signal) {
            findings.invalid(
                path,
                signal,
                "must be the name of a signal, as SIGTERM or SIGRTMIN+3",
            );
        }
    }
}

/// Names of Linux signals, with those for real-time ones.
pub(crate) fn is_signal(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT",
        "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
        "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
        "RTMIN", "RTMAX",
    ];
    let Some(name) = name.strip_prefix("SIG") else {
        return false;
    };
    let offset = |rest: &str, most: u8| {
        rest.parse()
            .is_ok_and(|number: u8| (1..=most).contains(&number))
    };
    NAMES.contains(&name)
        || name
            .strip_prefix("RTMIN+")
            .is_some_and(|rest| offset(rest, 15))
        || name
            .strip_prefix("RTMAX-")
            .is_some_and(|rest| offset(rest, 14))
}

fn hook(handler: &LifecycleHandler) -> Handlers<'_> {
    Handlers {
        exec: handler.exec.as_ref(),
        http_get: handler.http_get.as_ref(),
        tcp_socket: handler.tcp_socket.as_ref(),
        grpc: None,
        sleep: handler.sleep.as_ref(),
    }
}

struct Handlers<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HttpGetAction>,
    tcp_socket: Option<&'a TcpSocketAction>,
    grpc: Option<&'a GrpcAction>,
    sleep: Option<&'a SleepAction>,
}

impl Handlers<'_> {
    /// Exactly one handler; the first given is looked into, further ones are refused (R14.4).
    fn validate(&self, findings: &mut Findings, path: &Path, grace: i64) {
        let given = [
            ("exec", self.exec.is_some()),
            ("httpGet", self.http_get.is_some()),
            ("tcpSocket", self.tcp_socket.is_some()),
            ("grpc", self.grpc.is_some()),
            ("sleep", self.sleep.is_some()),
        ];
        let mut given = given
            .into_iter()
            .filter(|(_, set)| *set)
            .map(|(name, _)| name);
        let Some(first) = given.next() else {
            return findings.required(path, "must specify a handler type");
        };
        let inner = &path.child(first);
        if let Some(exec) = self.exec {
            if exec.command.is_empty() {
                findings.required(&inner.child("command"), "");
            }
        } else if let Some(http) = self.http_get {
            http_get(findings, inner, http);
        } else if let Some(tcp) = self.tcp_socket {
            port(findings, &inner.child("port"), &tcp.port);
        } else if let Some(grpc) = self.grpc {
            port(findings, &inner.child("port"), &IntOrString::Int(grpc.port));
        } else if let Some(sleep) = self.sleep
            && !(0..=grace).contains(&sleep.seconds)
        {
            let detail = format!(
                "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            );
            findings.invalid(inner, sleep.seconds, detail);
        }
        for further in given {
            findings.forbidden(
                &path.child(further),
                "may not specify more than 1 handler type",
            );
        }
    }
}

fn http_get(findings: &mut Findings, path: &Path, http: &HttpGetAction) {
    port(findings, &path.child("port"), &http.port);
    for (index, header) in http.http_headers.iter().enumerate() {
        let mut faults = Findings::default();
        let headers = &path.child("httpHeaders");
        faults.invalid_all(headers, &header.name, names::header_name(&header.name));
        for mut finding in faults.0 {
            finding.path = headers.index(index).child("name");
            findings.push(finding);
        }
    }
}

fn port(findings: &mut Findings, path: &Path, port: &IntOrString) {
    match port {
        IntOrString::Int(number) => {
            for fault in names::port_number(*number) {
                findings.invalid(path, *number, fault);
            }
        }
        IntOrString::String(name) => findings.invalid_all(path, name, names::port_name(name)),
    }
}
