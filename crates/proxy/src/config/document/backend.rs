//! Where requests go to.

use manifest::Duration;
use manifest::schema::{enumeration, object};

use super::Certificate;

object! {
    /// An app, or another server.
    pub struct Backend {
        /// Name, unique among the backends.
        name: String = "name";
        /// Where it listens: `host:port` or `unix:/path`. `localhost` tries 127.0.0.1, ::1 and the Pod's address. One, until there is balancing.
        endpoints: Vec<String> = "endpoints";
        /// The address that the client connected to before `pillion capture` redirected it, instead of `endpoints`.
        original_destination: Option<bool> = "originalDestination";
        /// What it speaks; default auto.
        app_protocol: Option<AppProtocol> = "appProtocol";
        /// TLS to the backend.
        tls: Option<BackendTls> = "tls";
        /// Version of the PROXY protocol that connections to it begin with: None, V1 or V2; default None.
        proxy_protocol: Option<SendProxyProtocol> = "proxyProtocol";
        /// Kept connections.
        connection_pool: Option<ConnectionPool> = "connectionPool";
        /// What happens to requests while the backend cannot be reached, as during its start.
        hold: Option<Hold> = "hold";
        /// Probes of the backend.
        health_check: Option<serde_json::Value> = "healthCheck".later("`telemetry.probes` answers the kubelet's probes of the app");
        /// Ejection of endpoints that fail.
        outlier_detection: Option<serde_json::Value> = "outlierDetection".later("it comes with balancing over endpoints");
        /// Refusal of requests while the backend fails.
        circuit_breaker: Option<serde_json::Value> = "circuitBreaker".later("`connectionPool.maxConnections` and `hold` bound what waits");
    }
}

enumeration! {
    /// What a backend speaks; the words are those of a Service's `appProtocol`.
    pub enum AppProtocol {
        /// In TLS what ALPN yields, in the clear HTTP/1.1.
        #[default]
        Auto = "auto",
        /// HTTP/1.1.
        Http = "http",
        /// HTTP/2, also in the clear.
        H2c = "kubernetes.io/h2c",
        /// gRPC, so HTTP/2.
        Grpc = "grpc",
        /// WebSocket, so HTTP/1.1.
        Ws = "kubernetes.io/ws",
    }
}

object! {
    /// TLS to a backend.
    pub struct BackendTls {
        /// How its certificate is checked.
        validation: Option<BackendValidation> = "validation";
        /// Certificate to show to it. Files are watched.
        client_certificate: Option<Certificate> = "clientCertificate";
    }
}

object! {
    /// How a backend's certificate is checked.
    pub struct BackendValidation {
        /// Files with the CAs, in PEM. Watched.
        ca_certificates: Vec<String> = "caCertificates";
        /// `System`: the CAs of the image (`/etc/ssl/certs`), instead of `caCertificates`.
        well_known_ca_certificates: Option<WellKnownCaCertificates> = "wellKnownCACertificates";
        /// Name that is asked for by SNI and must be in the certificate; default: the endpoint's host.
        hostname: Option<String> = "hostname".zero_is_unset();
        /// Names, at least one of which must be in the certificate instead of `hostname`.
        subject_alt_names: Vec<String> = "subjectAltNames";
        /// Takes any certificate, for development; default false.
        insecure_skip_verify: Option<bool> = "insecureSkipVerify";
    }
}

enumeration! {
    /// CAs that are known by themselves.
    pub enum WellKnownCaCertificates {
        /// Those of the image.
        #[default]
        System = "System",
    }
}

enumeration! {
    /// The PROXY protocol on connections to a backend.
    pub enum SendProxyProtocol {
        /// Not spoken.
        #[default]
        None = "None",
        /// The text form.
        V1 = "V1",
        /// The binary form.
        V2 = "V2",
    }
}

object! {
    /// Kept connections to a backend.
    pub struct ConnectionPool {
        /// For opening a connection, TLS included; default 5s.
        connect_timeout: Option<Duration> = "connectTimeout";
        /// How long a connection without a request is kept at most; what the app is seen to do shortens it; default 60s.
        idle_timeout: Option<Duration> = "idleTimeout";
        /// Connections without a request that each worker keeps; default 32.
        max_idle: Option<i32> = "maxIdle";
        /// Connections at a time, over all workers; default 0: no limit but `limits.connections`.
        max_connections: Option<i32> = "maxConnections";
        /// Age at which a connection takes no further request; default 0s: no limit.
        max_connection_age: Option<Duration> = "maxConnectionAge";
    }
}

object! {
    /// Requests that wait for a backend that cannot be reached.
    pub struct Hold {
        /// How long each waits at most; default 10s. `0s`: they fail at once.
        timeout: Option<Duration> = "timeout";
        /// How many wait at a time, over all workers; further ones get 503; default 256.
        max_requests: Option<i32> = "maxRequests";
    }
}
