//! What is meant by fields that are absent. Completing twice changes nothing.

use manifest::{Duration, Quantity};

use super::document::*;

/// Sets what is not set.
trait Fill<T> {
    fn or_set(&mut self, value: T) -> &mut T;
}

impl<T> Fill<T> for Option<T> {
    fn or_set(&mut self, value: T) -> &mut T {
        self.get_or_insert(value)
    }
}

/// Address of the plain port with metrics, health and probes.
pub const METRICS_ADDRESS: &str = "[::]:9902";
/// Address for people on the machine.
pub const ADMIN_ADDRESS: &str = "127.0.0.1:9901";
/// What an address says to have none.
pub const NO_ADDRESS: &str = "None";
/// The grace period that is the Pod's.
pub const FROM_POD: &str = "fromPod";

/// Completes a configuration.
pub fn complete(proxy: &mut Proxy) {
    proxy.kind.or_set("Proxy".to_owned());
    proxy.listeners.iter_mut().for_each(listener);
    proxy.backends.iter_mut().for_each(backend);
    let all = default_listeners(&proxy.listeners);
    for (position, route) in proxy.routes.iter_mut().enumerate() {
        if route.listeners.is_empty() {
            route.listeners.clone_from(&all);
        }
        complete_route(route, position);
    }
    proxy.error_pages.iter_mut().for_each(error_page);
    let lifecycle = proxy.lifecycle.or_set(Lifecycle::default());
    lifecycle.grace_period.or_set(FROM_POD.to_owned());
    lifecycle.propagation_delay.or_set(Duration::ZERO);
    telemetry(proxy.telemetry.or_set(Telemetry::default()));
    limits(proxy.limits.or_set(Limits::default()));
}

fn listener(listener: &mut Listener) {
    if listener.unix_socket.is_none() {
        listener.address.or_set("::".to_owned());
    }
    let protocol = *listener.protocol.or_set(ListenerProtocol::default());
    listener.proxy_protocol.or_set(AcceptProxyProtocol::None);
    if let Some(settings) = &mut listener.tls {
        tls(settings, protocol);
    }
    let http = matches!(protocol, ListenerProtocol::Http | ListenerProtocol::Https);
    if http {
        let forwarded = listener.forwarded.or_set(Forwarded::default());
        forwarded.trusted_hops.or_set(0);
        forwarded.headers.or_set(ForwardedHeaders::default());
        let http2 = listener.http2.or_set(Http2::default());
        http2.max_concurrent_streams.or_set(100);
    }
    let timeouts = listener.timeouts.or_set(ListenerTimeouts::default());
    timeouts.handshake.or_set(Duration::from_secs(10));
    if http {
        timeouts.request_head.or_set(Duration::from_secs(15));
        timeouts.progress.or_set(Duration::from_secs(60));
    }
    let idle = if http { 75 } else { 3600 };
    timeouts.idle.or_set(Duration::from_secs(idle));
    timeouts.max_connection_age.or_set(Duration::ZERO);
}

fn tls(tls: &mut ListenerTls, protocol: ListenerProtocol) {
    if *tls.mode.or_set(TlsMode::Terminate) == TlsMode::Passthrough {
        return;
    }
    if let Some(own) = &mut tls.self_signed
        && own.hostnames.is_empty()
    {
        own.hostnames = ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec();
    }
    tls.min_version.or_set(TlsVersion::V12);
    let protocols: &[&str] = match protocol {
        ListenerProtocol::Https => &["h2", "http/1.1"],
        _ => &[],
    };
    let protocols = protocols.iter().map(|name| (*name).to_owned());
    tls.alpn_protocols.or_set(protocols.collect());
    tls.session_tickets.or_set(true);
    if let Some(validation) = &mut tls.client_validation {
        validation.mode.or_set(ClientValidationMode::Require);
    }
}

fn backend(backend: &mut Backend) {
    backend.app_protocol.or_set(AppProtocol::Auto);
    backend.proxy_protocol.or_set(SendProxyProtocol::None);
    if let Some(tls) = &mut backend.tls {
        let validation = tls.validation.or_set(BackendValidation::default());
        validation.insecure_skip_verify.or_set(false);
    }
    let pool = backend.connection_pool.or_set(ConnectionPool::default());
    pool.connect_timeout.or_set(Duration::from_secs(5));
    pool.idle_timeout.or_set(Duration::from_secs(60));
    pool.max_idle.or_set(32);
    pool.max_connections.or_set(0);
    pool.max_connection_age.or_set(Duration::ZERO);
    let hold = backend.hold.or_set(Hold::default());
    hold.timeout.or_set(Duration::from_secs(10));
    hold.max_requests.or_set(256);
}

/// All that speak HTTP; where none does, all.
fn default_listeners(listeners: &[Listener]) -> Vec<String> {
    let any = listeners.iter().any(Listener::speaks_http);
    let mut names: Vec<String> = Vec::new();
    for listener in listeners.iter().filter(|it| !any || it.speaks_http()) {
        // A name that two have is told of once, where it stands.
        if !names.contains(&listener.name) {
            names.push(listener.name.clone());
        }
    }
    names
}

fn complete_route(route: &mut Route, position: usize) {
    route.name.or_set(format!("route-{}", position + 1));
    for (position, completed) in route.rules.iter_mut().enumerate() {
        rule(completed, position);
    }
}

fn rule(rule: &mut Rule, position: usize) {
    rule.name.or_set(format!("rule-{}", position + 1));
    if rule.matches.is_empty() {
        rule.matches.push(RouteMatch::default());
    }
    for matches in &mut rule.matches {
        let path = matches.path.or_set(PathMatch::default());
        path.type_.or_set(PathMatchType::default());
        path.value.or_set("/".to_owned());
        for header in &mut matches.headers {
            header.type_.or_set(ValueMatchType::default());
        }
        for parameter in &mut matches.query_params {
            parameter.type_.or_set(ValueMatchType::default());
        }
    }
    let ends_with_slash = rule.matches.iter().any(|matches| {
        let value = matches.path.as_ref().and_then(|path| path.value.as_deref());
        value.is_some_and(|value| value.len() > 1 && value.ends_with('/'))
    });
    for filter in &mut rule.filters {
        if let Some(rewrite) = &mut filter.url_rewrite {
            let prefix = rewrite
                .path
                .as_ref()
                .is_some_and(|path| path.type_ == Some(PathModifierType::ReplacePrefixMatch));
            if prefix {
                rewrite.rewrite_location.or_set(true);
                rewrite.redirect_to_slash.or_set(ends_with_slash);
            }
        }
        if let Some(redirect) = &mut filter.request_redirect {
            redirect.status_code.or_set(302);
        }
    }
    if let Some(files) = &mut rule.static_files {
        static_files(files);
    }
    let timeouts = rule.timeouts.or_set(RuleTimeouts::default());
    timeouts.request.or_set(Duration::ZERO);
    timeouts.backend_request.or_set(Duration::ZERO);
    timeouts.response_head.or_set(Duration::from_secs(60));
    timeouts.idle.or_set(Duration::from_secs(3600));
    rule.upgrades.or_set(vec!["websocket".to_owned()]);
    rule.allow_connect.or_set(false);
    rule.error_pages.iter_mut().for_each(error_page);
}

fn static_files(files: &mut StaticFiles) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    files.index.or_set(texts(&["index.html"]));
    files.try_files.or_set(texts(&["$uri", "$uri/", "=404"]));
    files.dot_files.or_set(false);
    let compression = files.compression.or_set(Compression::default());
    compression.precompressed.or_set(vec![
        ContentCoding::Br,
        ContentCoding::Zstd,
        ContentCoding::Gzip,
    ]);
    compression
        .dynamic
        .or_set(vec![ContentCoding::Zstd, ContentCoding::Gzip]);
    compression.min_size.or_set(Quantity::from_bytes(1024));
    files
        .default_type
        .or_set("application/octet-stream".to_owned());
}

fn error_page(page: &mut ErrorPage) {
    page.intercept.or_set(false);
}

fn telemetry(telemetry: &mut Telemetry) {
    telemetry.admin.or_set(ADMIN_ADDRESS.to_owned());
    telemetry.metrics.or_set(METRICS_ADDRESS.to_owned());
    for probe in &mut telemetry.probes {
        probe.timeout.or_set(Duration::from_secs(1));
    }
    let log = telemetry.access_log.or_set(AccessLog::default());
    log.format.or_set(AccessLogFormat::default());
    if let Some(otlp) = &mut telemetry.otlp {
        otlp.sampling_percent.or_set(100);
        otlp.service_name.or_set("pillion-proxy".to_owned());
    }
    telemetry.reason_header.or_set(true);
}

fn limits(limits: &mut Limits) {
    limits.workers.or_set(0);
    limits.connections.or_set(10_000);
    limits.memory.or_set(Quantity::ZERO);
    limits.head.or_set(Quantity::from_bytes(64 << 10));
    limits.header_fields.or_set(128);
    limits.request_body.or_set(Quantity::ZERO);
}
