//! `dnsPolicy` and `dnsConfig` (upstream: `validatePodDNSConfig`).

use crate::core::v1::{DnsPolicy, PodSpec};
use crate::findings::Findings;
use crate::path::Path;

use super::names;

const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_CHARACTERS: usize = 2048;

pub(super) fn config(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    let none = spec.dns_policy == Some(DnsPolicy::None);
    let Some(config) = &spec.dns_config else {
        if none {
            findings.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        return;
    };
    let nameservers = &path.child("nameservers");
    if none && config.nameservers.is_empty() {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        return findings.required(nameservers, detail);
    }
    if config.nameservers.len() > MAX_NAMESERVERS {
        let detail = format!("must not have more than {MAX_NAMESERVERS} nameservers");
        findings.invalid(nameservers, config.nameservers.len(), detail);
    }
    for (index, server) in config.nameservers.iter().enumerate() {
        findings.invalid_all(&nameservers.index(index), server, names::ip(server));
    }
    let searches = &path.child("searches");
    if config.searches.len() > MAX_SEARCHES {
        let detail = format!("must not have more than {MAX_SEARCHES} search paths");
        findings.invalid(searches, config.searches.len(), detail);
    }
    if config.searches.join(" ").len() > MAX_SEARCH_CHARACTERS {
        let detail = format!(
            "must not have more than {MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        );
        findings.invalid(searches, config.searches.len(), detail);
    }
    for (index, search) in config.searches.iter().enumerate() {
        let name = search.strip_suffix('.').unwrap_or(search);
        // A lone dot is the root domain, allowed since 1.34 along with underscores.
        if search != "." {
            let faults = names::subdomain(&name.replace('_', "a"));
            findings.invalid_all(&searches.index(index), name, faults);
        }
    }
    for (index, option) in config.options.iter().enumerate() {
        if option.name.is_none() {
            findings.required(&path.child("options").index(index), "must not be empty");
        }
    }
}
