//! What a configuration may say although this version does not carry it out: refused at start, never ignored.

use crate::access_log::template::Template;
use crate::config::{
    Action, Backend, BackendProtocol, Config, Listener, ListenerProtocol, Route, Target, TlsMode,
};

/// Everything in a configuration that is not carried out, as sentences that name the field; empty: all of it is.
#[must_use]
pub fn unsupported(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    config
        .listeners
        .iter()
        .for_each(|it| listener(it, &mut found));
    config
        .backends
        .iter()
        .for_each(|it| backend(it, &mut found));
    config.routes.iter().for_each(|it| route(it, &mut found));
    if !config.error_pages.is_empty() {
        found.push("`errorPages`: pages in place of statuses are not served yet".to_owned());
    }
    let telemetry = &config.telemetry;
    if !telemetry.probes.is_empty() {
        found.push("`telemetry.probes`: backends are not probed yet".to_owned());
    }
    if telemetry.otlp.is_some() {
        found.push("`telemetry.otlp`: spans are not sent yet".to_owned());
    }
    let templates = telemetry.access_log.fields.iter().map(|(_, text)| text);
    for template in templates.chain([&telemetry.access_log.template]) {
        if let Err(why) = Template::parse(template) {
            found.push(format!("`telemetry.accessLog`: {why}"));
        }
    }
    let rules = config.routes.iter().flat_map(|route| &route.rules);
    let mut bodies = rules.map(|rule| rule.request_body);
    if let Some(first) = bodies.next()
        && bodies.any(|other| other != first)
    {
        found.push(
            "`requestBody`: rules cannot differ in it yet; set `limits.requestBody`".to_owned(),
        );
    }
    found
}

fn listener(listener: &Listener, found: &mut Vec<String>) {
    let Some(tls) = &listener.tls else {
        return;
    };
    let name = &listener.name;
    if tls.mode == TlsMode::Passthrough {
        return;
    }
    let offers = |protocol: &str| tls.alpn_protocols.iter().any(|it| it == protocol);
    if listener.protocol == ListenerProtocol::Https && offers("h2") && !offers("http/1.1") {
        found.push(format!(
            "listener {name:?}: `tls.alpnProtocols`: HTTP/2 is not served yet; add http/1.1"
        ));
    }
}

fn backend(it: &Backend, found: &mut Vec<String>) {
    let name = &it.name;
    if it.target == Target::OriginalDestination {
        found.push(format!(
            "backend {name:?}: `originalDestination`: not found out yet; name an endpoint"
        ));
    }
    if it.protocol == BackendProtocol::Http2 {
        found.push(format!(
            "backend {name:?}: `appProtocol`: HTTP/2 to backends is not spoken yet"
        ));
    }
    if it.pool.max_connection_age.is_some() {
        found.push(format!(
            "backend {name:?}: `connectionPool.maxConnectionAge`: not limited yet"
        ));
    }
}

fn route(route: &Route, found: &mut Vec<String>) {
    for rule in &route.rules {
        let mut lacks = |what: &str| {
            found.push(format!(
                "route {:?}, rule {:?}: {what}",
                route.name, rule.name
            ));
        };
        if matches!(rule.action, Action::Files(_)) {
            lacks("`staticFiles`: files are not served yet");
        }
        if rule.timeouts.backend_request.is_some() {
            lacks("`timeouts.backendRequest`: not limited yet; `timeouts.request` is");
        }
        if rule.upgrades.iter().any(|protocol| protocol != "websocket") {
            lacks("`upgrades`: only websocket is let through yet");
        }
        if !rule.error_pages.is_empty() {
            lacks("`errorPages`: pages in place of statuses are not served yet");
        }
    }
}
