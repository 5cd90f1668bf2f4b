//! The text of a Pod's `/etc/hosts` (rules R17.3 and R17.4; upstream: `managedHostsFileContent` and
//! `nodeHostsFileContent` of the kubelet). One file per Pod, mode 0644, mounted into each container that mounts nothing
//! else there.

use std::fmt::Write;
use std::net::IpAddr;

/// An entry of `spec.hostAliases`.
#[derive(Debug, Clone, Copy)]
pub struct HostAlias<'a> {
    /// The address, as the manifest writes it.
    pub ip: &'a str,
    /// Its names.
    pub hostnames: &'a [String],
}

const LOCAL: &str = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
";

/// The file of a Pod with a network of its own (R17.3). `domain` is what `spec.subdomain` makes, see
/// [`hostname`](crate::hostname).
pub fn pod_hosts(
    addresses: &[IpAddr],
    hostname: &str,
    domain: Option<&str>,
    aliases: &[HostAlias<'_>],
) -> String {
    let mut text = String::from("# Kubernetes-managed hosts file.\n");
    text.push_str(LOCAL);
    for address in addresses {
        // Writing to a String does not fail.
        let _ = match domain {
            Some(domain) => writeln!(text, "{address}\t{hostname}.{domain}\t{hostname}"),
            None => writeln!(text, "{address}\t{hostname}"),
        };
    }
    push_aliases(&mut text, aliases);
    text
}

/// The file of a Pod with `hostNetwork` (R17.4), from the node's own.
pub fn host_network_hosts(node_hosts: &str, aliases: &[HostAlias<'_>]) -> String {
    let mut text = String::from("# Kubernetes-managed hosts file (host network).\n");
    text.push_str(node_hosts);
    push_aliases(&mut text, aliases);
    text
}

fn push_aliases(text: &mut String, aliases: &[HostAlias<'_>]) {
    if aliases.is_empty() {
        return;
    }
    text.push_str("\n# Entries added by HostAliases.\n");
    for alias in aliases {
        let _ = writeln!(text, "{}\t{}", alias.ip, alias.hostnames.join("\t"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_3_own_network() {
        let addresses = ["10.222.3.7".parse().unwrap(), "fd70::307".parse().unwrap()];
        assert_eq!(
            pod_hosts(&addresses, "web", None, &[]),
            "# Kubernetes-managed hosts file.\n\
             127.0.0.1\tlocalhost\n\
             ::1\tlocalhost ip6-localhost ip6-loopback\n\
             fe00::0\tip6-localnet\n\
             fe00::0\tip6-mcastprefix\n\
             fe00::1\tip6-allnodes\n\
             fe00::2\tip6-allrouters\n\
             10.222.3.7\tweb\n\
             fd70::307\tweb\n"
        );
    }

    #[test]
    fn r17_3_domain_and_aliases() {
        let names = ["foo.local".to_owned(), "bar.local".to_owned()];
        let aliases = [
            HostAlias {
                ip: "127.0.0.1",
                hostnames: &names,
            },
            HostAlias {
                ip: "10.1.2.3",
                hostnames: &names[1..],
            },
        ];
        let text = pod_hosts(
            &["10.222.3.7".parse().unwrap()],
            "web-0",
            Some("web.default.svc.cluster.local"),
            &aliases,
        );
        assert_eq!(
            text.lines().skip(7).collect::<Vec<_>>(),
            [
                "10.222.3.7\tweb-0.web.default.svc.cluster.local\tweb-0",
                "",
                "# Entries added by HostAliases.",
                "127.0.0.1\tfoo.local\tbar.local",
                "10.1.2.3\tbar.local",
            ]
        );
    }

    #[test]
    fn r17_4_host_network_keeps_the_nodes_file_as_it_stands() {
        let node = "127.0.0.1 localhost\n# odd\n10.0.0.5  box\n";
        assert_eq!(
            host_network_hosts(node, &[]),
            format!("# Kubernetes-managed hosts file (host network).\n{node}")
        );
        let names = ["db".to_owned()];
        assert_eq!(
            host_network_hosts(
                "",
                &[HostAlias {
                    ip: "10.1.2.3",
                    hostnames: &names
                }]
            ),
            "# Kubernetes-managed hosts file (host network).\n\n# Entries added by HostAliases.\n10.1.2.3\tdb\n"
        );
    }
}
