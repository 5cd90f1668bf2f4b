//! Where connections are accepted, and how TLS is spoken there.

use manifest::Duration;
use manifest::schema::{enumeration, object};

object! {
    /// A place where connections are accepted: an address and port, or a Unix socket.
    pub struct Listener {
        /// Name, unique among the listeners; routes and metrics use it.
        name: String = "name";
        /// IP address to listen on; default `::`, which is every address of both families.
        address: Option<String> = "address".zero_is_unset();
        /// Port. Listeners may share one if they have the same protocol and different hostnames.
        port: Option<i32> = "port";
        /// Path of a Unix socket, instead of `address` and `port`.
        unix_socket: Option<String> = "unixSocket".zero_is_unset();
        /// What is spoken: HTTP and HTTPS (1.0, 1.1 and 2, told apart by themselves), TLS (bytes in TLS) or TCP (bytes).
        protocol: Option<ListenerProtocol> = "protocol";
        /// Host name that requests must be for, exact or with `*` as first label; default: any.
        hostname: Option<String> = "hostname".zero_is_unset();
        /// TLS, for HTTPS and TLS.
        tls: Option<ListenerTls> = "tls";
        /// Whether connections begin with the PROXY protocol (version 1 or 2); default None.
        proxy_protocol: Option<AcceptProxyProtocol> = "proxyProtocol";
        /// What is believed and told of who the client is, for HTTP and HTTPS.
        forwarded: Option<Forwarded> = "forwarded";
        /// How long clients may take.
        timeouts: Option<ListenerTimeouts> = "timeouts";
        /// HTTP/2 on this listener.
        http2: Option<Http2> = "http2";
    }
}

impl Listener {
    /// Whether requests of HTTP come here, rather than bytes.
    #[must_use]
    pub fn speaks_http(&self) -> bool {
        let protocol = self.protocol.unwrap_or_default();
        matches!(protocol, ListenerProtocol::Http | ListenerProtocol::Https)
    }
}

enumeration! {
    /// What is spoken on a listener.
    pub enum ListenerProtocol {
        /// HTTP in the clear.
        #[default]
        Http = "HTTP",
        /// HTTP in TLS.
        Https = "HTTPS",
        /// Any bytes in TLS.
        Tls = "TLS",
        /// Any bytes.
        Tcp = "TCP",
    }
}

object! {
    /// TLS of a listener.
    pub struct ListenerTls {
        /// Terminate (decrypt here) or Passthrough (choose the backend by the name in the ClientHello, and pass the bytes on); default Terminate.
        mode: Option<TlsMode> = "mode";
        /// Certificates; the one whose names fit the client's SNI best is taken, else the first. Files are watched.
        certificates: Vec<Certificate> = "certificates";
        /// A certificate made at start, for development, instead of `certificates`.
        self_signed: Option<SelfSigned> = "selfSigned";
        /// Least version, in the words of the kubelet; default VersionTLS12.
        min_version: Option<TlsVersion> = "minVersion";
        /// Application protocols offered by ALPN, preferred first; default for HTTPS: h2, http/1.1.
        alpn_protocols: Option<Vec<String>> = "alpnProtocols";
        /// Whether sessions can be resumed by tickets; default true.
        session_tickets: Option<bool> = "sessionTickets";
        /// Which certificates clients must show.
        client_validation: Option<ClientValidation> = "clientValidation";
    }
}

enumeration! {
    /// Where TLS ends.
    pub enum TlsMode {
        /// Here.
        #[default]
        Terminate = "Terminate",
        /// At the backend.
        Passthrough = "Passthrough",
    }
}

enumeration! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// TLS 1.2.
        #[default]
        V12 = "VersionTLS12",
        /// TLS 1.3.
        V13 = "VersionTLS13",
    }
}

object! {
    /// A certificate chain with its key, as files in PEM.
    pub struct Certificate {
        /// File with the certificate and what leads to its CA.
        cert: String = "cert";
        /// File with its private key.
        key: String = "key";
    }
}

object! {
    /// A certificate for development.
    pub struct SelfSigned {
        /// Its names; default localhost, 127.0.0.1 and ::1.
        hostnames: Vec<String> = "hostnames";
    }
}

object! {
    /// Which certificates clients must show.
    pub struct ClientValidation {
        /// None, Optional (one that is shown must be good) or Require; default Require.
        mode: Option<ClientValidationMode> = "mode";
        /// Files with the CAs, in PEM. Watched.
        ca_certificates: Vec<String> = "caCertificates".required();
        /// Names, at least one of which the certificate must have: `dns.name`, `*.name` (one label), an address, a mail address, or a URI as `spiffe://domain/path/*`, where `*` stands for one element, and at the end for all that follows; default: any name.
        subject_alt_names: Vec<String> = "subjectAltNames";
    }
}

enumeration! {
    /// Whether clients must show a certificate.
    pub enum ClientValidationMode {
        /// None is asked for.
        None = "None",
        /// One that is shown must be good.
        Optional = "Optional",
        /// A good one is required.
        #[default]
        Require = "Require",
    }
}

enumeration! {
    /// The PROXY protocol on accepted connections.
    pub enum AcceptProxyProtocol {
        /// Not spoken; such bytes are an error of the protocol that is.
        #[default]
        None = "None",
        /// Each connection begins with it; others are closed.
        Require = "Require",
    }
}

object! {
    /// What is believed and told of who the client is.
    pub struct Forwarded {
        /// How many proxies in front are trusted to have added to `X-Forwarded-For` or `Forwarded`; default 0: what clients send is dropped.
        trusted_hops: Option<i32> = "trustedHops";
        /// Which headers requests get: XForwarded, Forwarded (RFC 7239), Both or None; default XForwarded. With None they are passed on as received.
        headers: Option<ForwardedHeaders> = "headers";
    }
}

enumeration! {
    /// Headers that tell the backend of the client.
    pub enum ForwardedHeaders {
        /// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`.
        #[default]
        XForwarded = "XForwarded",
        /// `Forwarded` (RFC 7239).
        Forwarded = "Forwarded",
        /// Both.
        Both = "Both",
        /// Neither is touched.
        None = "None",
    }
}

object! {
    /// How long clients may take. `0s` means no limit.
    pub struct ListenerTimeouts {
        /// For the TLS handshake and the PROXY protocol header; default 10s.
        handshake: Option<Duration> = "handshake";
        /// For the head of a request, from its first byte to its last; default 15s.
        request_head: Option<Duration> = "requestHead";
        /// Between two reads of a request body or two writes of a response that make progress; default 60s.
        progress: Option<Duration> = "progress";
        /// Between two requests of a connection; for TCP and TLS, without bytes in either direction; default 75s, for TCP and TLS 1h.
        idle: Option<Duration> = "idle";
        /// Age at which a connection is ended between requests; default no limit.
        max_connection_age: Option<Duration> = "maxConnectionAge";
    }
}

object! {
    /// HTTP/2 on a listener.
    pub struct Http2 {
        /// Requests at a time on a connection; default 100.
        max_concurrent_streams: Option<i32> = "maxConcurrentStreams";
    }
}
