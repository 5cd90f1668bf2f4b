use super::*;
use netlink::testing::Namespace;

fn ranges() -> Vec<AddressRange> {
    ["10.222.0.0/16", "fd70:696c:6c69::/64"]
        .map(|range| range.parse().unwrap())
        .to_vec()
}

fn names() -> Vec<String> {
    let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
    let tables = nft::tables(&mut netlink).unwrap();
    tables.into_iter().map(|table| table.name).collect()
}

#[test]
fn only_tables_of_dead_processes_are_stale() {
    let ours = table_name();
    assert_ne!(ours, table_name());
    assert!(!is_stale(&ours));
    let process = std::process::id();
    assert!(
        is_stale(&format!("pillion-{process}-1-0")),
        "number used again"
    );
    assert!(
        is_stale("pillion-4194305-77-0"),
        "beyond the largest process id"
    );
    for foreign in [
        "filter",
        "pillion",
        "pillion-",
        "pillion-capture",
        "pillion-1-2",
        "pillion-x-1-0",
    ] {
        assert!(!is_stale(foreign), "{foreign}");
    }
}

#[test]
fn an_owned_table_is_safe_from_others_and_goes_with_its_socket() {
    Namespace::new().run(|| {
        let masquerade = Masquerade::create(&ranges()).unwrap();
        assert_eq!(names(), [masquerade.table.name.as_str()]);
        let mut other = Netlink::open(NETLINK_NETFILTER).unwrap();
        let delete = nft::transaction(vec![masquerade.table.delete()]);
        let error = other.transaction(&delete).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::PERM), "{error}");
        drop(masquerade);
        assert_eq!(names(), Vec::<String>::new());
    });
}

#[test]
fn without_owners_tables_are_deleted_by_hand_and_those_of_the_dead_by_the_next() {
    Namespace::new().run(|| {
        let masquerade = Masquerade::create_with(0, &ranges()).unwrap();
        let table = |name: &str| Table {
            family: nft::FAMILY_INET,
            name: name.to_owned(),
            flags: 0,
        };
        let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
        for name in ["pillion-4194305-77-0", "pillion-capture", "filter"] {
            netlink
                .transaction(&nft::transaction(vec![table(name).create()]))
                .unwrap();
        }
        delete_stale(&mut netlink).unwrap();
        let ours = masquerade.table.name.clone();
        assert_eq!(names(), [ours.as_str(), "pillion-capture", "filter"]);
        drop(masquerade);
        assert_eq!(names(), ["pillion-capture", "filter"]);
    });
}

#[test]
fn a_transaction_is_all_or_nothing() {
    Namespace::new().run(|| {
        let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
        let table = Table {
            family: nft::FAMILY_INET,
            name: "half".to_owned(),
            flags: 0,
        };
        let rule = table.append_rule("missing", &[Expression::Masquerade]);
        let error = netlink
            .transaction(&nft::transaction(vec![table.create(), rule]))
            .unwrap_err();
        assert_eq!(error.errno(), Some(Errno::NOENT), "{error}");
        assert_eq!(names(), Vec::<String>::new());
        // Answers of the failed one that nobody read do not disturb the next.
        netlink
            .transaction(&nft::transaction(vec![table.create()]))
            .unwrap();
        assert_eq!(names(), ["half"]);
    });
}

#[test]
fn a_firewall_that_drops_forwarded_packets_is_named() {
    Namespace::new().run(|| {
        let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
        let docker = Table {
            family: nft::FAMILY_IPV4,
            name: "filter".to_owned(),
            flags: 0,
        };
        let chains = [
            ("FORWARD", nft::HOOK_FORWARD, true),
            ("INPUT", 1, true),
            ("QUIET", 2, false),
        ];
        let mut requests = vec![docker.create()];
        for (name, hook, drops) in chains {
            requests.push(docker.create_filter_chain(name, hook, drops));
        }
        netlink.transaction(&nft::transaction(requests)).unwrap();
        let mut notes = Vec::new();
        let masquerade = Masquerade::open(&ranges(), &mut notes);
        assert!(masquerade.is_some());
        assert_eq!(notes.len(), 1, "{notes:#?}");
        assert!(
            notes[0].contains("table ip filter, chain FORWARD"),
            "{notes:?}"
        );
    });
}
