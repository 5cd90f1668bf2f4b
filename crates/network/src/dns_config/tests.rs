use super::*;

const NODE: &str = "\
# made by hand
domain ignored.example
search lan.example. . corp.example
nameserver 192.0.2.53
nameserver 2001:db8::53
options timeout:1 rotate
";
const RESOLVED: &str = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan.example\n";

fn cluster_dns() -> [IpAddr; 1] {
    ["10.96.0.10".parse().unwrap()]
}

fn request(policy: DnsPolicy) -> DnsRequest<'static> {
    DnsRequest {
        policy,
        config: None,
        host_network: false,
        namespace: "shop",
        cluster: None,
        node: NODE,
        upstream: None,
    }
}

#[track_caller]
fn assert_text(request: &DnsRequest<'_>, expected: &str) {
    let made = resolv_conf(request);
    assert_eq!(made.text, expected);
    assert_eq!(made.notes, Vec::<String>::new());
}

const NODES_OWN: &str = "\
search lan.example corp.example
nameserver 192.0.2.53
nameserver 2001:db8::53
options timeout:1 rotate
";

#[test]
fn r17_5_default_is_the_nodes() {
    assert_text(&request(DnsPolicy::Default), NODES_OWN);
}

#[test]
fn r17_5_cluster_first_asks_the_cluster_and_searches_it_first() {
    let servers = cluster_dns();
    let cluster = Some(ClusterDns {
        nameservers: &servers,
        domain: "cluster.local",
    });
    let clusters_own = "\
search shop.svc.cluster.local svc.cluster.local cluster.local lan.example corp.example
nameserver 10.96.0.10
options ndots:5
";
    let first = DnsRequest {
        cluster,
        ..request(DnsPolicy::ClusterFirst)
    };
    assert_text(&first, clusters_own);
    assert_text(
        &DnsRequest {
            host_network: true,
            ..first
        },
        NODES_OWN,
    );
    assert_text(
        &DnsRequest {
            policy: DnsPolicy::ClusterFirstWithHostNet,
            host_network: true,
            ..first
        },
        clusters_own,
    );
}

#[test]
fn r17_5_cluster_first_without_a_cluster_is_default() {
    assert_text(&request(DnsPolicy::ClusterFirst), NODES_OWN);
    assert_text(&request(DnsPolicy::ClusterFirstWithHostNet), NODES_OWN);
}

#[test]
fn r17_5_none_is_dns_config_alone() {
    let config = PodDnsConfig {
        nameservers: vec!["192.0.2.1".to_owned()],
        searches: vec!["ns1.example".to_owned(), "ns1.example".to_owned()],
        options: vec![
            ("ndots".to_owned(), Some("2".to_owned())),
            ("edns0".to_owned(), None),
        ],
    };
    assert_text(
        &DnsRequest {
            config: Some(&config),
            ..request(DnsPolicy::None)
        },
        "search ns1.example\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
    );
    assert_text(&request(DnsPolicy::None), "");
}

#[test]
fn r17_5_dns_config_is_appended_and_its_options_replace() {
    let config = PodDnsConfig {
        nameservers: vec!["192.0.2.53".to_owned(), "192.0.2.99".to_owned()],
        searches: vec!["corp.example".to_owned(), "more.example".to_owned()],
        options: vec![
            ("timeout".to_owned(), Some("3".to_owned())),
            ("ndots".to_owned(), Some("2".to_owned())),
        ],
    };
    assert_text(
        &DnsRequest {
            config: Some(&config),
            ..request(DnsPolicy::Default)
        },
        "\
search lan.example corp.example more.example
nameserver 192.0.2.53
nameserver 2001:db8::53
nameserver 192.0.2.99
options timeout:3 rotate ndots:2
",
    );
}

#[test]
fn r17_5_three_nameservers_at_most() {
    let config = PodDnsConfig {
        nameservers: vec!["192.0.2.98".to_owned(), "192.0.2.99".to_owned()],
        ..PodDnsConfig::default()
    };
    let made = resolv_conf(&DnsRequest {
        config: Some(&config),
        ..request(DnsPolicy::Default)
    });
    assert_eq!(made.text.matches("nameserver").count(), 3);
    assert_eq!(
        made.notes,
        [
            "Nameserver limits were exceeded, some nameservers have been omitted, \
             the applied nameserver line is: 192.0.2.53 2001:db8::53 192.0.2.98"
        ]
    );
}

#[test]
fn r17_5_search_list_is_cut_by_count_by_length_of_a_name_and_of_the_line() {
    let domains = |count: usize, length: usize| -> Vec<String> {
        (0..count)
            .map(|n| format!("{n:02}{}", "d".repeat(length - 2)))
            .collect()
    };
    for (searches, kept) in [
        (domains(32, 20), 32),
        (domains(33, 20), 32),
        (domains(2, 254), 0),
        (domains(9, 253), 8),
        // 2048 characters exactly, and one more.
        ([domains(8, 250), domains(1, 40)].concat(), 9),
        ([domains(8, 250), domains(1, 41)].concat(), 8),
    ] {
        let config = PodDnsConfig {
            searches: searches.clone(),
            ..PodDnsConfig::default()
        };
        let made = resolv_conf(&DnsRequest {
            config: Some(&config),
            ..request(DnsPolicy::None)
        });
        let line = made.text.strip_prefix("search ").unwrap_or_default();
        assert_eq!(line.split_whitespace().count(), kept, "{searches:?}");
        assert_eq!(
            made.notes.len(),
            usize::from(kept < searches.len()),
            "{:?}",
            made.notes
        );
    }
}

#[test]
fn a_local_resolver_is_replaced_by_the_servers_it_asks() {
    let stub = DnsRequest {
        node: RESOLVED,
        upstream: Some("nameserver 192.0.2.1\nnameserver fe80::1%eth0\nsearch other.example\n"),
        ..request(DnsPolicy::Default)
    };
    assert_text(
        &stub,
        "search lan.example\nnameserver 192.0.2.1\noptions edns0 trust-ad\n",
    );
    let text = resolv_conf(&DnsRequest {
        host_network: true,
        ..stub
    });
    assert!(text.text.contains("nameserver 127.0.0.53\n"), "{text:?}");
}

#[test]
fn no_reachable_server_is_a_note() {
    for (node, upstream) in [
        (RESOLVED, None),
        (RESOLVED, Some("nameserver 127.0.0.1\n")),
        ("nameserver ::1\n", None),
        ("nameserver fe80::1%wlan0\n", None),
        ("nameserver ::ffff:127.0.0.1\n", None),
    ] {
        let made = resolv_conf(&DnsRequest {
            node,
            upstream,
            ..request(DnsPolicy::ClusterFirst)
        });
        assert!(!made.text.contains("nameserver"), "{made:?}");
        assert_eq!(made.notes.len(), 1, "{made:?}");
        assert!(made.notes[0].contains("dnsConfig.nameservers"), "{made:?}");
    }
    let mixed = DnsRequest {
        node: "nameserver 127.0.0.1\nnameserver 192.0.2.53\n",
        ..request(DnsPolicy::Default)
    };
    assert_text(&mixed, "nameserver 192.0.2.53\n");
}
