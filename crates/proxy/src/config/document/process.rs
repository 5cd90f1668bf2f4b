//! The process: its life, its bounds, what can be seen of it.

use std::collections::BTreeMap;

use manifest::schema::{enumeration, object};
use manifest::{Duration, Quantity};

use super::BackendRef;

object! {
    /// How the proxy starts and ends.
    pub struct Lifecycle {
        /// What SIGTERM leaves for requests in flight: a duration, or `fromPod`: the Pod's grace period as the environment variable PILLION_GRACE_PERIOD_SECONDS has it, else 30s; default fromPod.
        grace_period: Option<String> = "gracePeriod".zero_is_unset();
        /// How long connections are still accepted after SIGTERM, until everybody has learned that this Pod goes; part of the grace period; default 0s.
        propagation_delay: Option<Duration> = "propagationDelay";
        /// End when the app ends.
        exit_with_app: Option<serde_json::Value> = "exitWithApp".later("run the proxy as a native sidecar (an init container with `restartPolicy: Always`)");
    }
}

object! {
    /// What can be seen of the proxy.
    pub struct Telemetry {
        /// Address of `/config`, `/explain` and all of `metrics`; `None` for none; default 127.0.0.1:9901.
        admin: Option<String> = "admin".zero_is_unset();
        /// Address of `/metrics`, `/healthz`, `/readyz` and the probes; `None` for none; default [::]:9902.
        metrics: Option<String> = "metrics".zero_is_unset();
        /// Paths on the `metrics` address that ask a backend, for the kubelet's probes of an app behind TLS.
        probes: Vec<Probe> = "probes";
        /// A line for each request.
        access_log: Option<AccessLog> = "accessLog";
        /// Spans by OpenTelemetry.
        otlp: Option<Otlp> = "otlp";
        /// Whether responses made by the proxy name the reason in the header `Pillion-Reason`; default true.
        reason_header: Option<bool> = "reasonHeader";
    }
}

object! {
    /// A path that asks a backend.
    pub struct Probe {
        /// Path on the `metrics` address, as `/probe/app`.
        path: String = "path";
        /// The backend.
        backend_ref: BackendRef = "backendRef";
        /// Path to GET from it: 200 to 399 is success. Default: a TCP connection is success.
        request_path: Option<String> = "requestPath".zero_is_unset();
        /// How long it may take; default 1s.
        timeout: Option<Duration> = "timeout";
    }
}

object! {
    /// A line for each request, on standard output.
    pub struct AccessLog {
        /// json, template or none; default json.
        format: Option<AccessLogFormat> = "format";
        /// The line, where `%{name}` stands for a field of the JSON form, and `%{request.header.NAME}`, `%{response.header.NAME}` for headers.
        template: Option<String> = "template".zero_is_unset();
        /// Further fields of the JSON form: names and templates.
        fields: BTreeMap<String, String> = "fields";
        /// Statuses whose requests are logged, as 404 or 5xx; default: all.
        statuses: Vec<manifest::IntOrString> = "statuses";
    }
}

enumeration! {
    /// The form of the access log.
    pub enum AccessLogFormat {
        /// An object a line.
        #[default]
        Json = "json",
        /// By `template`.
        Template = "template",
        /// None.
        None = "none",
    }
}

object! {
    /// Spans by OpenTelemetry.
    pub struct Otlp {
        /// URL of a collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`; default: none, no spans.
        endpoint: Option<String> = "endpoint".zero_is_unset();
        /// Per cent of the traces begun here that are recorded; those begun elsewhere follow their own flag; default 100.
        sampling_percent: Option<i32> = "samplingPercent";
        /// Name of the service in spans; default pillion-proxy.
        service_name: Option<String> = "serviceName".zero_is_unset();
    }
}

object! {
    /// Bounds of what the process uses and takes in.
    pub struct Limits {
        /// Threads that carry traffic; default 0: as many as the CPU limit of the cgroup allows.
        workers: Option<i32> = "workers";
        /// Connections of clients at a time; further ones are closed; default 10000.
        connections: Option<i32> = "connections";
        /// Memory at which requests get 503; default 0: nine tenths of the cgroup's limit.
        memory: Option<Quantity> = "memory";
        /// Greatest head of a request, and of a response; default 64Ki.
        head: Option<Quantity> = "head";
        /// Most header fields of a request, and of a response; default 128.
        header_fields: Option<i32> = "headerFields";
        /// Greatest body of a request, for rules that say nothing else; default 0: unbounded.
        request_body: Option<Quantity> = "requestBody";
    }
}
