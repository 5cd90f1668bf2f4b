//! Probes and lifecycle hooks.

use super::enums::UriScheme;
use crate::int_or_string::IntOrString;
use crate::schema::object;

object! {
    /// A check on a running container; exactly one of the four handlers.
    pub struct Probe {
        /// Run a command in the container; exit code 0 is success.
        exec: Option<ExecAction> = "exec";
        /// Fetch a URL; status 200 to 399 is success.
        http_get: Option<HttpGetAction> = "httpGet";
        /// Open a TCP connection.
        tcp_socket: Option<TcpSocketAction> = "tcpSocket";
        /// Ask the gRPC health service.
        grpc: Option<GrpcAction> = "grpc";
        /// Seconds from the container's start to the first run.
        initial_delay_seconds: Option<i32> = "initialDelaySeconds".zero_is_unset();
        /// Seconds until a run counts as failed; default 1.
        timeout_seconds: Option<i32> = "timeoutSeconds".zero_is_unset();
        /// Seconds between two runs; default 10.
        period_seconds: Option<i32> = "periodSeconds".zero_is_unset();
        /// Successes in a row until the result flips; default 1.
        success_threshold: Option<i32> = "successThreshold".zero_is_unset();
        /// Failures in a row until the result flips; default 3.
        failure_threshold: Option<i32> = "failureThreshold".zero_is_unset();
        /// Grace for the kill that a failure causes; liveness and startup only (R14.3).
        termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds";
    }
}

object! {
    /// A command to run in the container, without a shell.
    pub struct ExecAction {
        /// The program and its arguments.
        command: Vec<String> = "command";
    }
}

object! {
    /// An HTTP request.
    pub struct HttpGetAction {
        /// Path and query; default `/`.
        path: Option<String> = "path".zero_is_unset();
        /// Number or name of the port.
        port: IntOrString = "port";
        /// Where to connect to; default the Pod's address.
        host: Option<String> = "host".zero_is_unset();
        /// HTTP or HTTPS.
        scheme: Option<UriScheme> = "scheme".zero_is_unset();
        /// Headers to send.
        http_headers: Vec<HttpHeader> = "httpHeaders";
    }
}

object! {
    /// One header.
    pub struct HttpHeader {
        /// Its name.
        name: String = "name";
        /// Its value.
        value: String = "value";
    }
}

object! {
    /// A TCP connection.
    pub struct TcpSocketAction {
        /// Number or name of the port.
        port: IntOrString = "port";
        /// Where to connect to; default the Pod's address.
        host: Option<String> = "host".zero_is_unset();
    }
}

object! {
    /// A call of the gRPC health service.
    pub struct GrpcAction {
        /// Number of the port.
        port: i32 = "port";
        /// Which service to ask about; default the empty name.
        service: Option<String> = "service";
    }
}

object! {
    /// Hooks of a container, and its stop signal.
    pub struct Lifecycle {
        /// Runs right after the start; nothing further starts until it ended (R7.2).
        post_start: Option<LifecycleHandler> = "postStart";
        /// Runs before the stop signal; its time counts against the grace (R8.3).
        pre_stop: Option<LifecycleHandler> = "preStop";
        /// Signal that stops the container, as `SIGUSR1` (R8.18).
        stop_signal: Option<String> = "stopSignal";
    }
}

object! {
    /// What a hook does; exactly one.
    pub struct LifecycleHandler {
        /// Run a command in the container.
        exec: Option<ExecAction> = "exec";
        /// Make an HTTP request.
        http_get: Option<HttpGetAction> = "httpGet";
        /// Accepted by Kubernetes, and fails when it runs (R7.1).
        tcp_socket: Option<TcpSocketAction> = "tcpSocket";
        /// Wait.
        sleep: Option<SleepAction> = "sleep";
    }
}

object! {
    /// A wait.
    pub struct SleepAction {
        /// How long.
        seconds: i64 = "seconds";
    }
}
