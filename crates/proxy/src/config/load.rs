//! From files to a configuration: which documents there are, and every message about them.

use std::collections::HashMap;

use manifest::schema::ObjectSchema;
use manifest::yaml::{Node, Value};
use manifest::{Diagnostic, Finding, Form, Origin, Path, Severity, Source};

use super::defaults;
use super::document::{API_VERSION, Proxy};
use super::httproute::{self, HttpRoute};
use super::model::Config;
use super::resolve::{self, Judgement, RoutePlace};

/// A configuration, and what is hardly meant in it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings, in the order of the sources.
    pub warnings: Vec<Diagnostic>,
}

/// A document that counts.
struct Part {
    origin: Origin,
    form: Form,
    judgement: Judgement,
}

/// Reads a configuration: one document `pillion/v1`, and any number of HTTPRoutes.
///
/// # Errors
/// Everything that is wrong with any of them, along with the warnings, in the order of the sources.
pub fn load(sources: &[Source]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut messages = Vec::new();
    let mut proxies: Vec<(Proxy, Part)> = Vec::new();
    let mut routes: Vec<(HttpRoute, Part)> = Vec::new();
    for source in sources {
        let (documents, errors) = manifest::documents(source);
        messages.extend(errors);
        for origin in documents {
            match identify(&origin.tree) {
                Ok(Kind::Proxy) => proxies.push(part(origin, Proxy::SCHEMA)),
                Ok(Kind::HttpRoute) => routes.push(part(origin, HttpRoute::SCHEMA)),
                Err(finding) => messages.push(origin.diagnostic(Severity::Error, &finding)),
            }
        }
    }
    let mut proxies = proxies.into_iter();
    let first = proxies.next();
    for (_, part) in proxies {
        let finding = Finding::plain(&Path::root(), "there is a second configuration");
        let finding =
            finding.hint("a proxy has one document of kind Proxy; HTTPRoutes may stand beside it");
        messages.push(part.origin.diagnostic(Severity::Error, &finding));
    }
    let config = match first {
        Some((proxy, part)) => Some(one(proxy, part, routes, &mut messages)),
        None if messages.is_empty() => {
            messages.push(missing(sources));
            None
        }
        None => None,
    };
    sort(&mut messages, sources);
    let failed = messages
        .iter()
        .any(|message| message.severity == Severity::Error);
    match config {
        Some(config) if !failed => Ok(Loaded {
            config,
            warnings: messages,
        }),
        _ => Err(messages),
    }
}

fn part<T: serde::de::DeserializeOwned + Default>(
    origin: Origin,
    schema: &'static ObjectSchema,
) -> (T, Part) {
    let (object, form) = origin.decode(schema);
    let judgement = Judgement::default();
    (
        object,
        Part {
            origin,
            form,
            judgement,
        },
    )
}

/// Completes and judges a configuration with the HTTPRoutes beside it.
fn one(
    mut proxy: Proxy,
    part: Part,
    http_routes: Vec<(HttpRoute, Part)>,
    messages: &mut Vec<Diagnostic>,
) -> Config {
    let mut parts = vec![part];
    let base = Path::root().child("routes");
    let own = (0..proxy.routes.len()).map(|index| RoutePlace {
        part: 0,
        path: base.index(index),
        name: base.index(index).child("name"),
    });
    let mut places: Vec<RoutePlace> = own.collect();
    for (route, mut part) in http_routes {
        let converted = httproute::convert(&mut part.judgement.errors, route, &proxy);
        places.push(RoutePlace {
            part: parts.len(),
            path: Path::root().child("spec"),
            name: Path::root().child("metadata").child("name"),
        });
        proxy.routes.push(converted);
        parts.push(part);
    }
    defaults::complete(&mut proxy);
    let mut judged: Vec<Judgement> = parts
        .iter_mut()
        .map(|part| std::mem::take(&mut part.judgement))
        .collect();
    let config = resolve::resolve(proxy, &places, &mut judged);
    for (part, judgement) in parts.into_iter().zip(judged) {
        let Judgement { errors, warnings } = judgement;
        messages.extend(part.origin.diagnostics(&part.form, errors, warnings));
    }
    config
}

/// What a configuration made of flags is judged by: there are no places in a text.
pub(super) fn judge(mut proxy: Proxy) -> (Config, Judgement) {
    defaults::complete(&mut proxy);
    let base = Path::root().child("routes");
    let places: Vec<RoutePlace> = (0..proxy.routes.len())
        .map(|index| RoutePlace {
            part: 0,
            path: base.index(index),
            name: base.index(index).child("name"),
        })
        .collect();
    let mut judged = vec![Judgement::default()];
    let config = resolve::resolve(proxy, &places, &mut judged);
    (config, judged.pop().unwrap_or_default())
}

fn sort(messages: &mut [Diagnostic], sources: &[Source]) {
    let order: HashMap<&str, usize> = sources
        .iter()
        .enumerate()
        .rev()
        .map(|(position, source)| (source.name.as_str(), position))
        .collect();
    messages.sort_by_key(|message| {
        let file = order.get(message.file.as_str()).copied();
        (file, message.line, message.column, message.severity)
    });
}

enum Kind {
    Proxy,
    HttpRoute,
}

/// Kinds of the Gateway API that are not read, and what to do instead.
const OTHERS: [(&str, &str); 10] = [
    (
        "Gateway",
        "write its listeners under `listeners` of a document `apiVersion: pillion/v1`",
    ),
    (
        "GatewayClass",
        "it has no effect here: leave this document out",
    ),
    (
        "ReferenceGrant",
        "it has no effect here: leave this document out",
    ),
    (
        "GRPCRoute",
        "write an HTTPRoute: a method of gRPC is the path `/package.Service/Method`",
    ),
    (
        "TLSRoute",
        "write a route with `hostnames` for a listener of `protocol: TLS`",
    ),
    (
        "TCPRoute",
        "write a route for a listener of `protocol: TCP`",
    ),
    ("UDPRoute", "UDP is not proxied"),
    ("BackendTLSPolicy", "write it as `tls` of the backend"),
    (
        "Ingress",
        "write an HTTPRoute, or routes of a document `apiVersion: pillion/v1`",
    ),
    (
        "Service",
        "write its address under `backends` of a document `apiVersion: pillion/v1`",
    ),
];

const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

fn identify(tree: &Node) -> Result<Kind, Finding> {
    let root = Path::root();
    let refuse = |message: String, hint: &str| Err(Finding::plain(&root, message).hint(hint));
    if !matches!(tree.value, Value::Map(_)) {
        let hint = "a configuration begins with `apiVersion: pillion/v1`";
        return refuse("this is no configuration".to_owned(), hint);
    }
    let text = |name: &str| {
        let node = tree.get(name);
        node.and_then(Node::as_str).unwrap_or("")
    };
    let (version, kind) = (text("apiVersion"), text("kind"));
    match (version, kind) {
        (API_VERSION, "" | "Proxy") => return Ok(Kind::Proxy),
        (GATEWAY_API, "HTTPRoute") => return Ok(Kind::HttpRoute),
        ("", "") => {
            let hint = "add `apiVersion: pillion/v1` at the top";
            return refuse("apiVersion: Required value".to_owned(), hint);
        }
        _ => {}
    }
    let at = if kind.is_empty() || kind == "Proxy" || kind == "HTTPRoute" {
        root.child("apiVersion")
    } else {
        root.child("kind")
    };
    let message = format!("no matches for kind {kind:?} in version {version:?}");
    let hint = match kind {
        "" | "Proxy" => format!("write `apiVersion: {API_VERSION}`"),
        "HTTPRoute" => format!("write `apiVersion: {GATEWAY_API}`"),
        _ => match OTHERS.iter().find(|(known, _)| *known == kind) {
            Some((_, hint)) => (*hint).to_owned(),
            None => "kinds that are read: Proxy, HTTPRoute".to_owned(),
        },
    };
    Err(Finding::plain(&at, message).hint(hint))
}

/// The message about sources without a configuration.
fn missing(sources: &[Source]) -> Diagnostic {
    let name = sources.first().map_or("-", |source| source.name.as_str());
    let hint =
        format!("a document that begins with `apiVersion: {API_VERSION}` says where to listen");
    Diagnostic {
        severity: Severity::Error,
        file: name.to_owned(),
        line: 1,
        column: 1,
        message: "there is no configuration".to_owned(),
        hint: Some(hint),
        excerpts: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
