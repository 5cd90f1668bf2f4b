//! The form without a file: `--listen :8443 --cert F --key F --to localhost:80`.
//!
//! Flags make the same [`Proxy`] document that a file holds, and it is judged in the same way; `--effective` shows it.

use std::net::IpAddr;

use super::document::*;
use super::load::judge;
use super::model::Config;
use crate::backend::Endpoint;

/// Values of the flags, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--listen [http|https|tls|tcp://][ADDRESS]:PORT` or `unix:/path`. Without a scheme: HTTPS with a certificate, else HTTP;
    /// bytes when `--to` says tcp.
    pub listen: Vec<String>,
    /// `--cert FILE`, once for each `--key`.
    pub cert: Vec<String>,
    /// `--key FILE`.
    pub key: Vec<String>,
    /// `--self-signed`: a certificate made at start.
    pub self_signed: bool,
    /// `--client-ca FILE`: clients must show a certificate of these CAs.
    pub client_ca: Vec<String>,
    /// `--client-san NAME`: with one of these names.
    pub client_san: Vec<String>,
    /// `--proxy-protocol`: clients begin with the PROXY protocol.
    pub proxy_protocol: bool,
    /// `--trusted-hops N`: proxies in front that are believed.
    pub trusted_hops: Option<i32>,
    /// `--to [http|h2c|https|tls|tcp://]HOST:PORT` or `unix:/path`.
    pub to: Option<String>,
    /// `--to-ca FILE`: CAs of the backend.
    pub to_ca: Vec<String>,
    /// `--send-proxy-protocol v1|v2`.
    pub send_proxy_protocol: Option<SendProxyProtocol>,
    /// `--static DIR`: files of this directory; beside `--to` for what is not below `--strip-prefix`.
    pub static_dir: Option<String>,
    /// `--strip-prefix /PREFIX/`: what is below it goes to the backend, without it.
    pub strip_prefix: Option<String>,
    /// `--metrics ADDRESS:PORT` or None.
    pub metrics: Option<String>,
    /// `--admin ADDRESS:PORT` or None.
    pub admin: Option<String>,
}

/// What is wrong with flags; each message names the flag or the field it makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct FlagsError(pub Vec<String>);

impl Flags {
    /// Makes a configuration, and warnings about it.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn config(&self) -> Result<(Config, Vec<String>), FlagsError> {
        let mut faults = Vec::new();
        let document = self.document(&mut faults);
        if !faults.is_empty() {
            return Err(FlagsError(faults));
        }
        let (config, judgement) = judge(document);
        let text = |finding: manifest::Finding| match finding.hint {
            Some(hint) => format!("{} (hint: {hint})", finding.message),
            None => finding.message,
        };
        let errors: Vec<String> = judgement.errors.into_iter().map(text).collect();
        if errors.is_empty() {
            Ok((config, judgement.warnings.into_iter().map(text).collect()))
        } else {
            Err(FlagsError(errors))
        }
    }

    fn document(&self, faults: &mut Vec<String>) -> Proxy {
        if self.listen.is_empty() {
            faults.push("--listen: say where, as :8443".to_owned());
        }
        let to = self.to.as_deref().map(|text| {
            let (scheme, rest) = split(text);
            (scheme.unwrap_or("http"), rest)
        });
        let bytes = to.is_some_and(|(scheme, _)| scheme == "tcp");
        let listeners = self.listen.iter().enumerate();
        let listeners: Vec<Listener> = listeners
            .map(|(index, text)| self.listener(faults, text, index, bytes))
            .collect();
        let backends = to.map(|(scheme, rest)| self.backend(faults, scheme, rest));
        let route = Route {
            rules: self.rules(faults, bytes),
            ..Route::default()
        };
        let telemetry = Telemetry {
            admin: self.admin.clone(),
            metrics: self.metrics.clone(),
            ..Telemetry::default()
        };
        Proxy {
            api_version: API_VERSION.to_owned(),
            listeners,
            backends: backends.into_iter().collect(),
            routes: vec![route],
            telemetry: Some(telemetry),
            ..Proxy::default()
        }
    }

    fn listener(
        &self,
        faults: &mut Vec<String>,
        text: &str,
        index: usize,
        bytes: bool,
    ) -> Listener {
        let encrypted = self.self_signed || !self.cert.is_empty();
        let (scheme, rest) = split(text);
        let protocol = match (scheme, bytes, encrypted) {
            (Some("http"), ..) | (None, false, false) => ListenerProtocol::Http,
            (Some("https"), ..) | (None, false, true) => ListenerProtocol::Https,
            (Some("tls"), ..) | (None, true, true) => ListenerProtocol::Tls,
            (Some("tcp"), ..) | (None, true, false) => ListenerProtocol::Tcp,
            (Some(other), ..) => {
                faults.push(format!(
                    "--listen {text}: the scheme {other:?} is none of http, https, tls and tcp"
                ));
                ListenerProtocol::Http
            }
        };
        let mut listener = Listener {
            name: format!("{}-{}", protocol.as_str().to_ascii_lowercase(), index + 1),
            protocol: Some(protocol),
            ..Listener::default()
        };
        if let Some(path) = rest.strip_prefix("unix:") {
            listener.unix_socket = Some(path.to_owned());
        } else if let Some((address, port)) = address_and_port(rest) {
            listener.address = address;
            listener.port = Some(port.into());
        } else {
            faults.push(format!(
                "--listen {text}: must be :PORT, an IP address and a port, or unix:/path"
            ));
        }
        if matches!(protocol, ListenerProtocol::Https | ListenerProtocol::Tls) {
            listener.tls = Some(self.tls(faults));
        } else if !self.client_ca.is_empty() && !encrypted {
            faults.push("--client-ca: needs --cert and --key, or --self-signed".to_owned());
        }
        if self.proxy_protocol {
            listener.proxy_protocol = Some(AcceptProxyProtocol::Require);
        }
        if self.trusted_hops.is_some() && listener.speaks_http() {
            listener.forwarded = Some(Forwarded {
                trusted_hops: self.trusted_hops,
                headers: None,
            });
        }
        listener
    }

    fn tls(&self, faults: &mut Vec<String>) -> ListenerTls {
        if self.cert.len() != self.key.len() {
            let message = "--cert and --key: each certificate has its key, in the same order";
            if !faults.iter().any(|fault| fault == message) {
                faults.push(message.to_owned());
            }
        }
        let pairs = self.cert.iter().zip(&self.key);
        let validation = ClientValidation {
            ca_certificates: self.client_ca.clone(),
            subject_alt_names: self.client_san.clone(),
            mode: None,
        };
        let validated = !self.client_ca.is_empty() || !self.client_san.is_empty();
        ListenerTls {
            certificates: pairs
                .map(|(cert, key)| Certificate {
                    cert: cert.clone(),
                    key: key.clone(),
                })
                .collect(),
            self_signed: self.self_signed.then(SelfSigned::default),
            client_validation: validated.then_some(validation),
            ..ListenerTls::default()
        }
    }

    fn backend(&self, faults: &mut Vec<String>, scheme: &str, rest: &str) -> Backend {
        let encrypted = matches!(scheme, "tls" | "https");
        let app_protocol = match scheme {
            "http" | "tcp" | "tls" | "https" => None,
            "h2c" => Some(AppProtocol::H2c),
            other => {
                faults.push(format!(
                    "--to: the scheme {other:?} is none of http, h2c, https, tls and tcp"
                ));
                None
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let endpoint = match (rest.parse::<Endpoint>(), scheme) {
            (Err(_), "https" | "tls") if !rest.contains(':') => format!("{rest}:443"),
            _ => rest.to_owned(),
        };
        if let Err(fault) = endpoint.parse::<Endpoint>() {
            faults.push(format!("--to {endpoint}: {fault}"));
        }
        if !encrypted && !self.to_ca.is_empty() {
            faults.push("--to-ca: needs --to tls://HOST:PORT".to_owned());
        }
        let validation = BackendValidation {
            ca_certificates: self.to_ca.clone(),
            well_known_ca_certificates: self
                .to_ca
                .is_empty()
                .then_some(WellKnownCaCertificates::System),
            ..BackendValidation::default()
        };
        Backend {
            name: "app".to_owned(),
            endpoints: vec![endpoint],
            app_protocol,
            tls: encrypted.then_some(BackendTls {
                validation: Some(validation),
                client_certificate: None,
            }),
            proxy_protocol: self.send_proxy_protocol,
            ..Backend::default()
        }
    }

    fn rules(&self, faults: &mut Vec<String>, bytes: bool) -> Vec<Rule> {
        if bytes && (self.static_dir.is_some() || self.strip_prefix.is_some()) {
            faults.push("--static and --strip-prefix: not for bytes (--to tcp://)".to_owned());
        }
        let app = Rule {
            backend_refs: vec![BackendRef {
                name: "app".to_owned(),
                weight: None,
            }],
            ..Rule::default()
        };
        let app = self.to.as_ref().map(|_| match &self.strip_prefix {
            Some(prefix) => stripped(app, prefix),
            None => app,
        });
        let files = self.static_dir.as_ref().map(|root| Rule {
            static_files: Some(StaticFiles {
                root: root.clone(),
                ..StaticFiles::default()
            }),
            ..Rule::default()
        });
        match (&app, &files) {
            (None, None) => faults.push("--to: say whereto, as localhost:80".to_owned()),
            (Some(_), Some(_)) if self.strip_prefix.is_none() => {
                let message =
                    "--to and --static: --strip-prefix says which requests go to the backend";
                faults.push(message.to_owned());
            }
            (None, Some(_)) if self.strip_prefix.is_some() => {
                faults.push("--strip-prefix: needs --to".to_owned());
            }
            _ => {}
        }
        app.into_iter().chain(files).collect()
    }
}

/// The rule for what is below a prefix, which the backend does not see.
fn stripped(rule: Rule, prefix: &str) -> Rule {
    let prefix = format!("{}/", prefix.trim_end_matches('/'));
    let rewrite = UrlRewrite {
        path: Some(PathModifier {
            type_: Some(PathModifierType::ReplacePrefixMatch),
            replace_prefix_match: Some("/".to_owned()),
            replace_full_path: None,
        }),
        ..UrlRewrite::default()
    };
    Rule {
        matches: vec![RouteMatch {
            path: Some(PathMatch {
                type_: Some(PathMatchType::PathPrefix),
                value: Some(prefix),
            }),
            ..RouteMatch::default()
        }],
        filters: vec![Filter {
            type_: Some(FilterType::UrlRewrite),
            url_rewrite: Some(rewrite),
            ..Filter::default()
        }],
        ..rule
    }
}

fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    }
}

/// `:PORT`, `ADDRESS:PORT`, `[ADDRESS]:PORT`.
fn address_and_port(text: &str) -> Option<(Option<String>, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| digits && *port != 0)?;
    if address.is_empty() || address == "*" {
        return Some((None, port));
    }
    let inner = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = match inner {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => IpAddr::V4(address.parse().ok()?),
    };
    Some((Some(address.to_string()), port))
}

#[cfg(test)]
mod tests;
