//! Documents of kind HTTPRoute (gateway.networking.k8s.io/v1) as routes.
//!
//! What our routes have is converted, with the Gateway API's defaults; what they do not have is refused with the reason,
//! never left out in silence. `parentRefs` choose listeners by `sectionName` and `port`, whatever their Gateway is
//! called. The name of a `backendRef` is that of a backend; its port belongs to the Service and is not compared.

use manifest::meta::v1::ObjectMeta;
use manifest::schema::{enumeration, object};
use manifest::{Duration, Finding, Findings, Path};

use super::document::{self, HeaderModifier, PathModifierType, Proxy, RequestRedirect, RouteMatch};

object! {
    /// A route of the Gateway API.
    pub struct HttpRoute {
        /// API version.
        api_version: String = "apiVersion";
        /// Kind.
        kind: String = "kind";
        /// Its name.
        metadata: ObjectMeta = "metadata";
        /// What it says.
        spec: HttpRouteSpec = "spec";
        /// What a controller said of it.
        status: Option<serde_json::Value> = "status";
    }
}

object! {
    /// What a route says.
    pub struct HttpRouteSpec {
        /// Listeners.
        parent_refs: Vec<ParentReference> = "parentRefs";
        /// Hosts.
        hostnames: Vec<String> = "hostnames";
        /// Rules.
        rules: Vec<HttpRouteRule> = "rules";
        /// Which Gateways it attaches to by default.
        use_default_gateways: Option<String> = "useDefaultGateways".zero_is_unset();
    }
}

object! {
    /// A listener.
    pub struct ParentReference {
        /// Group of the parent.
        group: Option<String> = "group";
        /// Its kind.
        kind: Option<String> = "kind".zero_is_unset();
        /// Its namespace.
        namespace: Option<String> = "namespace".zero_is_unset();
        /// Its name.
        name: String = "name";
        /// Name of the listener.
        section_name: Option<String> = "sectionName".zero_is_unset();
        /// Port of the listener.
        port: Option<i32> = "port".zero_is_unset();
    }
}

object! {
    /// A rule.
    pub struct HttpRouteRule {
        /// Its name.
        name: Option<String> = "name".zero_is_unset();
        /// Alternatives.
        matches: Vec<RouteMatch> = "matches";
        /// Edits.
        filters: Vec<HttpRouteFilter> = "filters";
        /// Backends.
        backend_refs: Vec<HttpBackendRef> = "backendRefs";
        /// How long requests may take.
        timeouts: Option<HttpRouteTimeouts> = "timeouts";
        /// Attempts.
        retry: Option<serde_json::Value> = "retry".later("requests that met a closing connection before any answer are repeated by themselves when that is safe");
        /// Clients that stay with an endpoint.
        session_persistence: Option<serde_json::Value> = "sessionPersistence".later("it comes with balancing over endpoints");
    }
}

object! {
    /// How long requests may take.
    pub struct HttpRouteTimeouts {
        /// In all.
        request: Option<Duration> = "request";
        /// Of one attempt.
        backend_request: Option<Duration> = "backendRequest";
    }
}

object! {
    /// An edit.
    pub struct HttpRouteFilter {
        /// Which.
        type_: Option<HttpRouteFilterType> = "type".required();
        /// Header fields of the request.
        request_header_modifier: Option<HeaderModifier> = "requestHeaderModifier";
        /// Header fields of the response.
        response_header_modifier: Option<HeaderModifier> = "responseHeaderModifier";
        /// A copy of the request.
        request_mirror: Option<serde_json::Value> = "requestMirror";
        /// A redirection.
        request_redirect: Option<RequestRedirect> = "requestRedirect";
        /// Host and path.
        url_rewrite: Option<HttpUrlRewrite> = "urlRewrite";
        /// Answers about other origins.
        cors: Option<serde_json::Value> = "cors";
        /// Whom to ask.
        external_auth: Option<serde_json::Value> = "externalAuth";
        /// What an implementation has.
        extension_ref: Option<serde_json::Value> = "extensionRef";
    }
}

object! {
    /// Host and path that the backend sees.
    pub struct HttpUrlRewrite {
        /// The host.
        hostname: Option<String> = "hostname".zero_is_unset();
        /// The path.
        path: Option<document::PathModifier> = "path";
    }
}

enumeration! {
    /// Which edit.
    pub enum HttpRouteFilterType {
        /// Header fields of the request.
        #[default]
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Header fields of the response.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// A copy of the request.
        RequestMirror = "RequestMirror",
        /// A redirection.
        RequestRedirect = "RequestRedirect",
        /// Host and path.
        UrlRewrite = "URLRewrite",
        /// Answers about other origins.
        Cors = "CORS",
        /// Whom to ask.
        ExternalAuth = "ExternalAuth",
        /// What an implementation has.
        ExtensionRef = "ExtensionRef",
    }
}

object! {
    /// A backend.
    pub struct HttpBackendRef {
        /// Group.
        group: Option<String> = "group";
        /// Kind.
        kind: Option<String> = "kind".zero_is_unset();
        /// Name.
        name: String = "name";
        /// Namespace.
        namespace: Option<String> = "namespace".zero_is_unset();
        /// Port.
        port: Option<i32> = "port".zero_is_unset();
        /// Share of requests.
        weight: Option<i32> = "weight";
        /// Edits for this backend only.
        filters: Vec<serde_json::Value> = "filters";
    }
}

/// Makes a route of an HTTPRoute, for the listeners of a configuration.
pub(super) fn convert(findings: &mut Findings, route: HttpRoute, proxy: &Proxy) -> document::Route {
    let spec = &Path::root().child("spec");
    let name = route.metadata.name.clone().unwrap_or_default();
    if route.spec.use_default_gateways.is_some() {
        let detail =
            "there are no Gateways here: name listeners in `parentRefs`, or leave both out for all";
        findings.forbidden(&spec.child("useDefaultGateways"), detail);
    }
    let listeners = listeners(
        findings,
        &spec.child("parentRefs"),
        &route.spec.parent_refs,
        proxy,
    );
    let rules_path = spec.child("rules");
    let mut rules = route.spec.rules;
    if rules.is_empty() {
        // The API's default: everything, to no backend, which is refused below as any such rule.
        rules.push(HttpRouteRule::default());
    }
    let rules = rules.into_iter().enumerate();
    document::Route {
        name: Some(name).filter(|name| !name.is_empty()),
        listeners,
        hostnames: route.spec.hostnames,
        rules: rules
            .map(|(index, own)| rule(findings, &rules_path.index(index), own))
            .collect(),
    }
}

fn listeners(
    findings: &mut Findings,
    path: &Path,
    parents: &[ParentReference],
    proxy: &Proxy,
) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        let path = &path.index(index);
        if parent.kind.as_deref().is_some_and(|kind| kind != "Gateway") {
            let kind = parent.kind.as_deref().unwrap_or("");
            findings.not_supported(&path.child("kind"), kind, &["Gateway"]);
        }
        let section = parent.section_name.as_deref();
        if let Some(section) = section
            && !proxy.listeners.iter().any(|it| it.name == section)
        {
            let known = proxy.listeners.iter().map(|it| it.name.as_str());
            findings.not_among(&path.child("sectionName"), section, known);
            continue;
        }
        let before = chosen.len();
        let mut met = false;
        for listener in &proxy.listeners {
            let named = section.is_none_or(|section| section == listener.name);
            let ported = parent.port.is_none() || parent.port == listener.port;
            // Without a name those that speak HTTP are meant, as only they take an HTTPRoute.
            if named && ported && (section.is_some() || listener.speaks_http()) {
                met = true;
                if !chosen.contains(&listener.name) {
                    chosen.push(listener.name.clone());
                }
            }
        }
        if !met && chosen.len() == before {
            let detail = match parent.port {
                Some(_) => "no listener of HTTP or HTTPS has this port and `sectionName`",
                None => "there is no listener of HTTP or HTTPS",
            };
            let at = if parent.port.is_some() {
                path.child("port")
            } else {
                path.child("name")
            };
            findings.push(Finding::at(&at, format_args!("Not found: {detail}")));
        }
    }
    chosen
}

fn rule(findings: &mut Findings, path: &Path, rule: HttpRouteRule) -> document::Rule {
    let filters_path = path.child("filters");
    let filters = rule.filters.into_iter().enumerate();
    let filters = filters
        .map(|(index, own)| filter(findings, &filters_path.index(index), own))
        .collect();
    let refs_path = path.child("backendRefs");
    for (index, reference) in rule.backend_refs.iter().enumerate() {
        backend_ref(findings, &refs_path.index(index), reference);
    }
    document::Rule {
        name: rule.name,
        matches: rule.matches,
        filters,
        backend_refs: rule
            .backend_refs
            .into_iter()
            .map(|reference| document::BackendRef {
                name: reference.name,
                weight: None,
            })
            .collect(),
        timeouts: rule.timeouts.map(|given| document::RuleTimeouts {
            request: given.request,
            backend_request: given.backend_request,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn backend_ref(findings: &mut Findings, path: &Path, reference: &HttpBackendRef) {
    if reference
        .kind
        .as_deref()
        .is_some_and(|kind| kind != "Service")
    {
        let kind = reference.kind.as_deref().unwrap_or("");
        findings.not_supported(&path.child("kind"), kind, &["Service"]);
    }
    if reference.weight == Some(0) {
        findings.invalid(
            &path.child("weight"),
            0,
            "a backend without a share answers nothing",
        );
    }
    if !reference.filters.is_empty() {
        let detail = "filters of one backend are not supported yet: give them to the rule";
        findings.forbidden(&path.child("filters"), detail);
    }
}

fn filter(findings: &mut Findings, path: &Path, filter: HttpRouteFilter) -> document::Filter {
    use HttpRouteFilterType as Theirs;
    use document::FilterType as Ours;
    let refuse = |findings: &mut Findings, kind: Theirs, hint: &str| {
        let message = format!("filter {kind} is not supported yet");
        findings.push(Finding::at(&path.child("type"), message).hint(hint));
    };
    let kind = filter.type_.map(|kind| match kind {
        Theirs::RequestHeaderModifier => Ours::RequestHeaderModifier,
        Theirs::ResponseHeaderModifier => Ours::ResponseHeaderModifier,
        Theirs::RequestRedirect => Ours::RequestRedirect,
        Theirs::UrlRewrite => Ours::UrlRewrite,
        other => {
            let hint = match other {
                Theirs::RequestMirror => "it comes with the outbound half",
                Theirs::Cors => "a ResponseHeaderModifier can set `Access-Control-Allow-Origin`; preflight requests go to the app",
                Theirs::ExternalAuth => "it comes with authentication",
                _ => "this implementation has no filters of its own",
            };
            refuse(findings, other, hint);
            Ours::RequestHeaderModifier
        }
    });
    let refused = filter.request_mirror.is_some()
        || filter.cors.is_some()
        || filter.external_auth.is_some()
        || filter.extension_ref.is_some();
    let request_header_modifier = match filter.request_header_modifier {
        // Keeps what is refused from being found empty as well.
        None if refused => Some(HeaderModifier::default()),
        given => given,
    };
    document::Filter {
        type_: kind,
        request_header_modifier,
        response_header_modifier: filter.response_header_modifier,
        request_redirect: filter.request_redirect,
        url_rewrite: filter.url_rewrite.map(|rewrite| {
            let prefix = rewrite
                .path
                .as_ref()
                .is_some_and(|path| path.type_ == Some(PathModifierType::ReplacePrefixMatch));
            document::UrlRewrite {
                hostname: rewrite.hostname,
                path: rewrite.path,
                rewrite_location: prefix.then_some(false),
                redirect_to_slash: prefix.then_some(false),
            }
        }),
    }
}
