//! Listeners, and the sockets they share.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use manifest::{Findings, Path};

use super::{file, files, limit, name, number};
use crate::config::HostPattern;
use crate::config::document::{
    self, AcceptProxyProtocol, ClientValidationMode, ListenerProtocol, TlsMode, TlsVersion,
};
use crate::config::model::*;
use crate::tls::SanPattern;

pub(super) fn listeners(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::Listener],
) -> (Vec<Listener>, Vec<Socket>) {
    if documents.is_empty() {
        findings.required(path, "a proxy listens somewhere");
    }
    let mut names = HashSet::new();
    let mut listeners: Vec<Listener> = Vec::new();
    let mut sockets = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = &path.index(index);
        name(findings, &path.child("name"), &document.name, &mut names);
        let mut listener = one(findings, path, document);
        listener.socket = socket(
            findings,
            path,
            document,
            &listener,
            &listeners,
            &mut sockets,
        );
        sockets[listener.socket].listeners.push(index);
        listeners.push(listener);
    }
    (listeners, sockets)
}

fn one(findings: &mut Findings, path: &Path, document: &document::Listener) -> Listener {
    let protocol = document.protocol.unwrap_or_default();
    let http = matches!(protocol, ListenerProtocol::Http | ListenerProtocol::Https);
    let hostname = document.hostname.as_ref().and_then(|text| {
        let path = &path.child("hostname");
        if protocol == ListenerProtocol::Tcp {
            findings.forbidden(path, "bytes of TCP name no host");
            return None;
        }
        host_pattern(findings, path, text)
    });
    if !http {
        for (field, given) in [
            ("forwarded", document.forwarded.is_some()),
            ("http2", document.http2.is_some()),
        ] {
            if given {
                findings.forbidden(&path.child(field), "only for HTTP and HTTPS");
            }
        }
    }
    let forwarded = document.forwarded.clone().unwrap_or_default();
    let forwarded_path = path.child("forwarded").child("trustedHops");
    let http2 = document.http2.as_ref();
    let streams = http2.and_then(|http2| http2.max_concurrent_streams);
    let streams_path = path.child("http2").child("maxConcurrentStreams");
    Listener {
        name: document.name.clone(),
        socket: 0,
        protocol,
        hostname,
        tls: tls(findings, path, document, protocol),
        forwarded: Forwarded {
            trusted_hops: number(findings, &forwarded_path, forwarded.trusted_hops, 0, 100),
            headers: forwarded.headers.unwrap_or_default(),
        },
        timeouts: timeouts(findings, &path.child("timeouts"), document, http),
        max_concurrent_streams: number(findings, &streams_path, streams, 1, 10_000) as u32,
    }
}

pub(super) fn host_pattern(
    findings: &mut Findings,
    path: &Path,
    text: &str,
) -> Option<HostPattern> {
    HostPattern::parse(text)
        .map_err(|faults| findings.invalid_all(path, text, faults))
        .ok()
}

fn timeouts(
    findings: &mut Findings,
    path: &Path,
    document: &document::Listener,
    http: bool,
) -> ListenerTimeouts {
    let given = document.timeouts.clone().unwrap_or_default();
    for (field, value) in [
        ("requestHead", given.request_head),
        ("progress", given.progress),
    ] {
        if !http && value.is_some() {
            findings.forbidden(&path.child(field), "only for HTTP and HTTPS");
        }
    }
    ListenerTimeouts {
        handshake: limit(given.handshake),
        request_head: limit(given.request_head),
        progress: limit(given.progress),
        idle: limit(given.idle),
        max_connection_age: limit(given.max_connection_age),
    }
}

fn tls(
    findings: &mut Findings,
    path: &Path,
    document: &document::Listener,
    protocol: ListenerProtocol,
) -> Option<ListenerTls> {
    let path = &path.child("tls");
    let encrypted = matches!(protocol, ListenerProtocol::Https | ListenerProtocol::Tls);
    let Some(tls) = &document.tls else {
        if encrypted {
            findings.required(path, &format!("protocol {protocol} needs it"));
        }
        return None;
    };
    if !encrypted {
        let meant = match protocol {
            ListenerProtocol::Http => "HTTPS",
            _ => "TLS",
        };
        let detail =
            format!("protocol {protocol} is in the clear; `protocol: {meant}` is encrypted");
        findings.forbidden(path, &detail);
        return None;
    }
    let mode = tls.mode.unwrap_or_default();
    if mode == TlsMode::Passthrough {
        return Some(passthrough(findings, path, tls, protocol));
    }
    let certificates: Vec<Certificate> = tls
        .certificates
        .iter()
        .enumerate()
        .map(|(index, own)| certificate(findings, &path.child("certificates").index(index), own))
        .collect();
    match (&tls.self_signed, tls.certificates.is_empty()) {
        (None, true) => {
            let detail = "a `cert` and a `key`, or `selfSigned: {}` for development";
            findings.required(&path.child("certificates"), detail);
        }
        (Some(_), false) => {
            let detail = "may not be given together with `certificates`";
            findings.forbidden(&path.child("selfSigned"), detail);
        }
        _ => {}
    }
    if let Some(own) = &tls.self_signed {
        for (index, text) in own.hostnames.iter().enumerate() {
            let path = path.child("selfSigned").child("hostnames").index(index);
            if text.parse::<IpAddr>().is_err() {
                host_pattern(findings, &path, text);
            }
        }
    }
    let alpn_protocols = tls.alpn_protocols.clone().unwrap_or_default();
    alpn(
        findings,
        &path.child("alpnProtocols"),
        &alpn_protocols,
        protocol,
    );
    Some(ListenerTls {
        mode,
        certificates,
        self_signed: tls.self_signed.as_ref().map(|own| own.hostnames.clone()),
        min_version: tls.min_version.unwrap_or_default(),
        alpn_protocols,
        session_tickets: tls.session_tickets.unwrap_or(true),
        client_validation: client_validation(findings, path, tls),
    })
}

fn passthrough(
    findings: &mut Findings,
    path: &Path,
    tls: &document::ListenerTls,
    protocol: ListenerProtocol,
) -> ListenerTls {
    if protocol == ListenerProtocol::Https {
        let detail = "HTTPS is decrypted here; bytes are passed through with `protocol: TLS`";
        findings.forbidden(&path.child("mode"), detail);
    }
    for (field, given) in [
        ("certificates", !tls.certificates.is_empty()),
        ("selfSigned", tls.self_signed.is_some()),
        ("minVersion", tls.min_version.is_some()),
        ("alpnProtocols", tls.alpn_protocols.is_some()),
        ("sessionTickets", tls.session_tickets.is_some()),
        ("clientValidation", tls.client_validation.is_some()),
    ] {
        if given {
            let detail = "with mode Passthrough the backend has the say";
            findings.forbidden(&path.child(field), detail);
        }
    }
    ListenerTls {
        mode: TlsMode::Passthrough,
        certificates: Vec::new(),
        self_signed: None,
        min_version: TlsVersion::V12,
        alpn_protocols: Vec::new(),
        session_tickets: false,
        client_validation: None,
    }
}

pub(super) fn certificate(
    findings: &mut Findings,
    path: &Path,
    document: &document::Certificate,
) -> Certificate {
    Certificate {
        cert: file(findings, &path.child("cert"), &document.cert),
        key: file(findings, &path.child("key"), &document.key),
    }
}

fn alpn(findings: &mut Findings, path: &Path, names: &[String], protocol: ListenerProtocol) {
    const KNOWN: [&str; 3] = ["h2", "http/1.1", "http/1.0"];
    let https = protocol == ListenerProtocol::Https;
    if https && names.is_empty() {
        findings.required(path, "HTTPS speaks h2 or http/1.1");
    }
    for (index, text) in names.iter().enumerate() {
        let path = &path.index(index);
        if names[..index].contains(text) {
            findings.duplicate(path, text);
        } else if https && !KNOWN.contains(&text.as_str()) {
            findings.not_supported(path, text, &KNOWN);
        } else if !(1..=255).contains(&text.len()) {
            findings.invalid(path, text, "must have 1 to 255 bytes");
        }
    }
}

fn client_validation(
    findings: &mut Findings,
    path: &Path,
    tls: &document::ListenerTls,
) -> Option<ClientValidation> {
    let validation = tls.client_validation.as_ref()?;
    let mode = validation.mode.unwrap_or_default();
    let path = &path.child("clientValidation");
    if mode == ClientValidationMode::None && validation.ca_certificates.is_empty() {
        return None;
    }
    let ca_certificates = files(
        findings,
        &path.child("caCertificates"),
        &validation.ca_certificates,
    );
    let subject_alt_names = subject_alt_names(
        findings,
        &path.child("subjectAltNames"),
        &validation.subject_alt_names,
    );
    (mode != ClientValidationMode::None).then_some(ClientValidation {
        required: mode == ClientValidationMode::Require,
        ca_certificates,
        subject_alt_names,
    })
}

pub(super) fn subject_alt_names(
    findings: &mut Findings,
    path: &Path,
    names: &[String],
) -> Vec<SanPattern> {
    let names = names.iter().enumerate();
    names
        .filter_map(|(index, text)| {
            text.parse()
                .map_err(|fault| findings.invalid(&path.index(index), text, fault))
                .ok()
        })
        .collect()
}

/// The socket of a listener: one that is there already if the address is the same, and it may be shared.
fn socket(
    findings: &mut Findings,
    path: &Path,
    document: &document::Listener,
    listener: &Listener,
    others: &[Listener],
    sockets: &mut Vec<Socket>,
) -> usize {
    let kind = match listener.protocol {
        ListenerProtocol::Http => SocketKind::Http,
        ListenerProtocol::Https | ListenerProtocol::Tls => SocketKind::Tls,
        ListenerProtocol::Tcp => SocketKind::Tcp,
    };
    let proxy_protocol = document.proxy_protocol == Some(AcceptProxyProtocol::Require);
    let new = |bind| Socket {
        bind,
        kind,
        proxy_protocol,
        listeners: Vec::new(),
    };
    let Some(bind) = bind(findings, path, document) else {
        // Of no use, but every listener has one.
        sockets.push(new(Bind::Unix(format!("/{}", sockets.len()).into())));
        return sockets.len() - 1;
    };
    let at = match &bind {
        Bind::Tcp(_) => path.child("port"),
        Bind::Unix(_) => path.child("unixSocket"),
    };
    if let Some(position) = sockets.iter().position(|socket| socket.bind == bind) {
        let socket = &sockets[position];
        let with = &others[socket.listeners[0]];
        if socket.kind != kind {
            let detail = format!(
                "listener {:?} has it with protocol {}, which is told apart otherwise than {}",
                with.name, with.protocol, listener.protocol
            );
            findings.invalid(&at, bind.to_string(), detail);
        } else if kind == SocketKind::Tcp {
            findings.duplicate(&at, bind.to_string());
        } else if socket.proxy_protocol != proxy_protocol {
            let detail = format!(
                "must be the same as that of listener {:?}, on the same port",
                with.name
            );
            let word = document.proxy_protocol.unwrap_or_default().as_str();
            findings.invalid(&path.child("proxyProtocol"), word, detail);
        }
        let mut same = socket.listeners.iter().map(|index| &others[*index]);
        if kind != SocketKind::Tcp
            && socket.kind == kind
            && let Some(same) = same.find(|other| other.hostname == listener.hostname)
        {
            let host = listener
                .hostname
                .as_ref()
                .map_or(String::new(), ToString::to_string);
            let detail = format!("listener {:?} has the same port and hostname", same.name);
            findings.invalid(&path.child("hostname"), host, detail);
        }
        return position;
    }
    if let Some(other) = sockets.iter().find(|socket| ambiguous(&socket.bind, &bind)) {
        let detail = format!("{} takes both address families already", other.bind);
        findings.invalid(&at, bind.to_string(), detail);
    }
    sockets.push(new(bind));
    sockets.len() - 1
}

fn bind(findings: &mut Findings, path: &Path, document: &document::Listener) -> Option<Bind> {
    if let Some(socket) = &document.unix_socket {
        for (field, given) in [
            ("address", document.address.is_some()),
            ("port", document.port.is_some()),
        ] {
            if given {
                let detail = "may not be given together with `unixSocket`";
                findings.forbidden(&path.child(field), detail);
            }
        }
        // 107: what `sun_path` holds, with its NUL.
        if !socket.starts_with('/') || socket.len() > 107 || socket.contains('\0') {
            let detail = "must be an absolute path of at most 107 bytes";
            findings.invalid(&path.child("unixSocket"), socket, detail);
            return None;
        }
        return Some(Bind::Unix(socket.into()));
    }
    let text = document.address.as_deref().unwrap_or("::");
    let address = text.parse::<IpAddr>().map_err(|_| {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        findings.invalid(&path.child("address"), text, detail);
    });
    let port_path = path.child("port");
    let Some(port) = document.port else {
        findings.required(&port_path, "or `unixSocket`");
        return None;
    };
    let faults = manifest::names::port_number(port);
    for fault in &faults {
        findings.invalid(&port_path, port, fault);
    }
    let port = u16::try_from(port).ok().filter(|_| faults.is_empty())?;
    Some(Bind::Tcp(SocketAddr::new(address.ok()?, port)))
}

/// `0.0.0.0` beside `::` on one port: who gets a connection would be chance.
fn ambiguous(one: &Bind, other: &Bind) -> bool {
    let (Bind::Tcp(one), Bind::Tcp(other)) = (one, other) else {
        return false;
    };
    one.port() == other.port()
        && one.is_ipv4() != other.is_ipv4()
        && one.ip().is_unspecified()
        && other.ip().is_unspecified()
}
