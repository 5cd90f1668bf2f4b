//! The text of a Pod's `/etc/resolv.conf` (rule R17.5; upstream: `GetPodDNS` of the kubelet).
//!
//! One case is our own: the kubelet is told by its installer which resolv.conf to take, we take the machine's. There,
//! `nameserver 127.0.0.53` (systemd-resolved) and the like are common, and no Pod with a network of its own can reach them.

use std::net::IpAddr;

/// `spec.dnsPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsPolicy {
    /// The cluster's DNS server; Pods with `hostNetwork` get the node's settings.
    #[default]
    ClusterFirst,
    /// The cluster's DNS server, with `hostNetwork` too.
    ClusterFirstWithHostNet,
    /// The node's settings.
    Default,
    /// Nothing but `spec.dnsConfig`.
    None,
}

/// `spec.dnsConfig`.
#[derive(Debug, Clone, Default)]
pub struct PodDnsConfig {
    /// `nameservers`, appended.
    pub nameservers: Vec<String>,
    /// `searches`, appended.
    pub searches: Vec<String>,
    /// `options`: name and value; they replace those of the same name.
    pub options: Vec<(String, Option<String>)>,
}

/// The cluster's DNS, where there is one.
#[derive(Debug, Clone, Copy)]
pub struct ClusterDns<'a> {
    /// Addresses of its server.
    pub nameservers: &'a [IpAddr],
    /// `cluster.local` unless it is called otherwise.
    pub domain: &'a str,
}

/// What a Pod's resolv.conf is made of.
#[derive(Debug, Clone, Copy)]
pub struct DnsRequest<'a> {
    /// `spec.dnsPolicy`.
    pub policy: DnsPolicy,
    /// `spec.dnsConfig`.
    pub config: Option<&'a PodDnsConfig>,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// None as long as there is no such server; `ClusterFirst` then acts as `Default`.
    pub cluster: Option<ClusterDns<'a>>,
    /// The node's `/etc/resolv.conf`; empty where it has none.
    pub node: &'a str,
    /// `/run/systemd/resolve/resolv.conf`: what a local resolver of systemd asks itself. It is read in place of `node`
    /// if that names a server no Pod reaches.
    pub upstream: Option<&'a str>,
}

/// A Pod's DNS settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvConf {
    /// The content of `/etc/resolv.conf`.
    pub text: String,
    /// Messages of `DNSConfigForming` events (R17.5), and what else a user should know, a sentence each.
    pub notes: Vec<String>,
}

// Limits of the API (`validation.MaxDNSNameservers`, `MaxDNSSearchPaths`, `MaxDNSSearchListChars`) and of a name.
const NAMESERVERS: usize = 3;
const SEARCH_PATHS: usize = 32;
const SEARCH_LINE: usize = 2048;
const NAME: usize = 253;

#[derive(Debug, Default)]
struct Settings {
    nameservers: Vec<String>,
    searches: Vec<String>,
    /// Name and value, the value empty if there is none.
    options: Vec<(String, String)>,
}

/// Makes a Pod's resolv.conf.
pub fn resolv_conf(request: &DnsRequest<'_>) -> ResolvConf {
    let mut notes = Vec::new();
    let cluster = match request.policy {
        DnsPolicy::ClusterFirst if request.host_network => None,
        DnsPolicy::ClusterFirst | DnsPolicy::ClusterFirstWithHostNet => request
            .cluster
            .filter(|cluster| !cluster.nameservers.is_empty()),
        DnsPolicy::Default | DnsPolicy::None => None,
    };
    let mut settings = match cluster {
        _ if request.policy == DnsPolicy::None => Settings::default(),
        Some(cluster) => cluster_settings(cluster, request),
        None => node_settings(request, &mut notes),
    };
    if let Some(config) = request.config {
        settings.append(config);
    }
    settings.cut_nameservers(&mut notes);
    settings.cut_searches(&mut notes);
    ResolvConf {
        text: settings.text(),
        notes,
    }
}

/// The cluster's server alone; it asks the node's for other names. The node's search list stays behind the cluster's.
fn cluster_settings(cluster: ClusterDns<'_>, request: &DnsRequest<'_>) -> Settings {
    let mut searches = Vec::new();
    if !cluster.domain.is_empty() {
        let (namespace, domain) = (request.namespace, cluster.domain);
        searches.push(format!("{namespace}.svc.{domain}"));
        searches.push(format!("svc.{domain}"));
        searches.push(domain.to_owned());
    }
    searches.extend(Settings::parse(request.node).searches);
    Settings {
        nameservers: cluster.nameservers.iter().map(IpAddr::to_string).collect(),
        searches: without_duplicates(searches),
        options: vec![("ndots".to_owned(), "5".to_owned())],
    }
}

/// The node's settings, as far as a Pod can use them.
fn node_settings(request: &DnsRequest<'_>, notes: &mut Vec<String>) -> Settings {
    let mut settings = Settings::parse(request.node);
    if request.host_network
        || settings
            .nameservers
            .iter()
            .all(|server| is_reachable(server))
    {
        return settings;
    }
    let unreachable: Vec<String> = settings
        .nameservers
        .extract_if(.., |server| !is_reachable(server))
        .collect();
    let upstream = request.upstream.map(Settings::parse).unwrap_or_default();
    let reachable = upstream
        .nameservers
        .into_iter()
        .filter(|server| is_reachable(server));
    settings.nameservers.extend(reachable);
    settings.nameservers = without_duplicates(settings.nameservers);
    if settings.nameservers.is_empty() {
        notes.push(format!(
            "no DNS server of this machine can be reached from a Pod: nameserver {} answers only on the machine itself; set dnsConfig.nameservers",
            unreachable.join(" ")
        ));
    }
    settings
}

/// Whether an address means the same in a Pod. Loopback and link-local addresses do not.
fn is_reachable(nameserver: &str) -> bool {
    let (address, zone) = match nameserver.split_once('%') {
        Some((address, _)) => (address, true),
        None => (nameserver, false),
    };
    match address.parse() {
        Ok(IpAddr::V4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Ok(IpAddr::V6(address)) => {
            !zone
                && !address.is_loopback()
                && !address.is_unspecified()
                && !address.is_unicast_link_local()
                && address.to_ipv4_mapped().is_none_or(|v4| !v4.is_loopback())
        }
        // Not for us to judge; the resolver passes over what it does not understand.
        Err(_) => true,
    }
}

impl Settings {
    /// Reads a resolv.conf as the kubelet's `parseResolvConf` does: nameservers add up, of search and options lines the last
    /// counts, and nothing else is looked at.
    fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        for line in text.lines() {
            let mut fields = line.split_whitespace();
            match fields.next() {
                Some("nameserver") => settings
                    .nameservers
                    .extend(fields.next().map(str::to_owned)),
                Some("search") => {
                    // With and without the trailing dot is the same domain, and must not count twice.
                    settings.searches = fields
                        .filter(|domain| *domain != ".")
                        .map(|domain| domain.strip_suffix('.').unwrap_or(domain).to_owned())
                        .collect();
                }
                Some("options") => {
                    settings.options.clear();
                    for option in fields {
                        let (name, value) = option.split_once(':').unwrap_or((option, ""));
                        settings.set_option(name, value);
                    }
                }
                _ => {}
            }
        }
        settings
    }

    fn append(&mut self, config: &PodDnsConfig) {
        self.nameservers.extend(config.nameservers.iter().cloned());
        self.nameservers = without_duplicates(std::mem::take(&mut self.nameservers));
        self.searches.extend(config.searches.iter().cloned());
        self.searches = without_duplicates(std::mem::take(&mut self.searches));
        for (name, value) in &config.options {
            self.set_option(name, value.as_deref().unwrap_or_default());
        }
    }

    /// The kubelet's order of options is that of a Go map, which is none; here it is that of their first mention.
    fn set_option(&mut self, name: &str, value: &str) {
        match self.options.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.options.push((name.to_owned(), value.to_owned())),
        }
    }

    fn cut_nameservers(&mut self, notes: &mut Vec<String>) {
        if self.nameservers.len() > NAMESERVERS {
            self.nameservers.truncate(NAMESERVERS);
            notes.push(format!(
                "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: {}",
                self.nameservers.join(" ")
            ));
        }
    }

    fn cut_searches(&mut self, notes: &mut Vec<String>) {
        let before = self.searches.len();
        self.searches.truncate(SEARCH_PATHS);
        self.searches.retain(|domain| domain.len() <= NAME);
        let mut line = 0;
        let fitting = self.searches.iter().take_while(|domain| {
            line += domain.len() + usize::from(line > 0);
            line <= SEARCH_LINE
        });
        let fitting = fitting.count();
        self.searches.truncate(fitting);
        if self.searches.len() < before {
            notes.push(format!(
                "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {}",
                self.searches.join(" ")
            ));
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        for nameserver in &self.nameservers {
            text.push_str(&format!("nameserver {nameserver}\n"));
        }
        if !self.options.is_empty() {
            let options: Vec<String> = self
                .options
                .iter()
                .map(|(name, value)| match value.as_str() {
                    "" => name.clone(),
                    value => format!("{name}:{value}"),
                })
                .collect();
            text.push_str(&format!("options {}\n", options.join(" ")));
        }
        text
    }
}

fn without_duplicates(texts: Vec<String>) -> Vec<String> {
    let mut unique = Vec::with_capacity(texts.len());
    for text in texts {
        if !unique.contains(&text) {
            unique.push(text);
        }
    }
    unique
}

#[cfg(test)]
mod tests;
