//! Backends.

use std::collections::HashSet;

use manifest::{Finding, Findings, Path};

use super::listener::{certificate, subject_alt_names};
use super::{duration, files, host, limit, name, number};
use crate::backend::Endpoint;
use crate::config::document::{self, AppProtocol};
use crate::config::model::*;

pub(super) fn backends(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::Backend],
) -> Vec<Backend> {
    let mut names = HashSet::new();
    let documents = documents.iter().enumerate();
    documents
        .map(|(index, document)| {
            let path = &path.index(index);
            name(findings, &path.child("name"), &document.name, &mut names);
            one(findings, path, document)
        })
        .collect()
}

fn one(findings: &mut Findings, path: &Path, document: &document::Backend) -> Backend {
    let target = target(findings, path, document);
    let protocol = match document.app_protocol.unwrap_or_default() {
        AppProtocol::Auto if document.tls.is_some() => BackendProtocol::Negotiate,
        AppProtocol::Auto | AppProtocol::Http | AppProtocol::Ws => BackendProtocol::Http1,
        AppProtocol::H2c | AppProtocol::Grpc => BackendProtocol::Http2,
    };
    let tls = document
        .tls
        .as_ref()
        .map(|document| tls(findings, &path.child("tls"), document, &target));
    let pool = document.connection_pool.clone().unwrap_or_default();
    let pool_path = path.child("connectionPool");
    let most = number(
        findings,
        &pool_path.child("maxConnections"),
        pool.max_connections,
        0,
        i32::MAX,
    );
    let hold = document.hold.clone().unwrap_or_default();
    let hold_path = path.child("hold").child("maxRequests");
    Backend {
        name: document.name.clone(),
        target,
        protocol,
        tls,
        proxy_protocol: document.proxy_protocol.unwrap_or_default(),
        pool: ConnectionPool {
            connect_timeout: limit(pool.connect_timeout),
            idle_timeout: limit(pool.idle_timeout),
            max_idle: number(
                findings,
                &pool_path.child("maxIdle"),
                pool.max_idle,
                0,
                65_535,
            ),
            max_connections: (most > 0).then_some(most),
            max_connection_age: limit(pool.max_connection_age),
        },
        hold: Hold {
            timeout: duration(hold.timeout),
            max_requests: number(findings, &hold_path, hold.max_requests, 0, 1_000_000),
        },
    }
}

fn target(findings: &mut Findings, path: &Path, document: &document::Backend) -> Target {
    let original = document.original_destination == Some(true);
    let path = &path.child("endpoints");
    match (document.endpoints.as_slice(), original) {
        ([], true) => {}
        ([], false) => findings.required(path, "one, as `localhost:80`"),
        (_, true) => {
            let detail = "may not be given together with `originalDestination`";
            findings.forbidden(path, detail);
        }
        ([text], false) => match text.parse::<Endpoint>() {
            Ok(endpoint) => return Target::Endpoint(endpoint),
            Err(fault) => findings.invalid(&path.index(0), text, fault),
        },
        (several, false) => {
            let count = several.len();
            let message = format!("Too many: {count}: must have at most 1 items");
            let hint =
                "balancing over endpoints comes later; the name of a Service has them behind it";
            findings.push(Finding::at(path, message).hint(hint));
        }
    }
    Target::OriginalDestination
}

fn tls(
    findings: &mut Findings,
    path: &Path,
    document: &document::BackendTls,
    target: &Target,
) -> BackendTls {
    let validation = document.validation.clone().unwrap_or_default();
    let validation_path = &path.child("validation");
    let anything = validation.insecure_skip_verify == Some(true);
    let system = validation.well_known_ca_certificates.is_some();
    let ca_path = validation_path.child("caCertificates");
    let trust = match (anything, system, validation.ca_certificates.is_empty()) {
        (false, false, true) => {
            let detail = "or `wellKnownCACertificates: System`";
            findings.required(&ca_path, detail);
            Trust::System
        }
        (false, false, false) => {
            Trust::Files(files(findings, &ca_path, &validation.ca_certificates))
        }
        (false, true, true) => Trust::System,
        (true, false, true) => Trust::Anything,
        _ => {
            let detail = "may specify only one of `caCertificates`, `wellKnownCACertificates` and `insecureSkipVerify`";
            findings.forbidden(validation_path, detail);
            Trust::System
        }
    };
    if let Some(name) = &validation.hostname {
        host(findings, &validation_path.child("hostname"), name);
    }
    let own = match target {
        Target::Endpoint(endpoint) => endpoint.host(),
        Target::OriginalDestination => None,
    };
    let hostname = validation.hostname.clone().or(own);
    if hostname.is_none() && validation.subject_alt_names.is_empty() && !anything {
        let detail = "the endpoint has no host, so a name to look for must be given";
        findings.required(&validation_path.child("hostname"), detail);
    }
    let client = document.client_certificate.as_ref();
    BackendTls {
        trust,
        hostname,
        subject_alt_names: subject_alt_names(
            findings,
            &validation_path.child("subjectAltNames"),
            &validation.subject_alt_names,
        ),
        client_certificate: client
            .map(|own| certificate(findings, &path.child("clientCertificate"), own)),
    }
}
