use netlink::nft::{self, Expression, Table};
use netlink::{NETLINK_NETFILTER, Netlink};
use rustix::process::Uid;

use super::*;
use crate::{Error, TABLE};

fn everything() -> Capture {
    let mut inbound = inbound(&["80=8080", "all=15006"]);
    inbound.exclude_ports = vec![22];
    inbound.exclude_sources = [
        "10.0.0.0/8",
        "fd00::/10",
        "192.0.2.7/32",
        "::1/128",
        "0.0.0.0/0",
    ]
    .map(|range| range.parse().unwrap())
    .to_vec();
    let mut outbound = outbound(&["443=15001", "all=15002"]);
    outbound.exclude_marks = vec!["7".parse().unwrap()];
    outbound.exclude_destinations = vec!["172.16.0.0/12".parse().unwrap()];
    Capture::new(&inbound, &outbound).unwrap()
}

#[test]
fn another_program_reads_the_rules_as_they_are_meant() {
    let net = Net::new();
    net.install(&everything());
    let expected = "\
table inet pillion-capture {
	chain inbound {
		type nat hook prerouting priority dstnat; policy accept;
		ip saddr 0.0.0.0/0 return
		ip saddr 10.0.0.0/8 return
		ip saddr 192.0.2.7 return
		ip6 saddr ::1 return
		ip6 saddr fd00::/10 return
		tcp dport 80 redirect to :8080
		tcp dport 22 return
		tcp dport 8080 return
		tcp dport 15001 return
		tcp dport 15002 return
		tcp dport 15006 return
		meta l4proto tcp redirect to :15006
	}

	chain outbound {
		type nat hook output priority -100; policy accept;
		oif \"lo\" return
		meta skuid 1337 return
		meta mark 0x00000007 return
		ip daddr 172.16.0.0/12 return
		tcp dport 443 redirect to :15001
		meta l4proto tcp redirect to :15002
	}
}
";
    let found = net.nft();
    // The shortest ways to write masks of all or no bits differ by version.
    let found = found
        .replace("ip saddr & 0.0.0.0 == 0.0.0.0", "ip saddr 0.0.0.0/0")
        .replace("& 0xffffffff == ", "");
    assert_eq!(found, expected);
}

#[test]
fn the_same_again_changes_nothing_and_anything_else_replaces_all() {
    let net = Net::new();
    let check = |capture: &Capture| net.pod.run(|| crate::check(capture).unwrap());
    let (one, other) = (only_inbound(&inbound(&["80=8080"])), everything());
    assert!(!check(&one));
    assert_eq!(net.install(&one), Installed::New);
    assert_eq!(net.install(&one), Installed::Unchanged);
    assert!(check(&one) && !check(&other));
    assert_eq!(net.install(&other), Installed::Replaced);
    assert_eq!(net.install(&other), Installed::Unchanged);
    assert!(check(&other) && !check(&one));
    // Somebody's additions and removals are set right.
    for tampering in [
        "add rule inet pillion-capture inbound tcp dport 9 return",
        "flush chain inet pillion-capture outbound",
        "add chain inet pillion-capture more { type nat hook output priority 0; }",
        "delete table inet pillion-capture",
    ] {
        net.run(&["nft", tampering]);
        assert!(!check(&other), "{tampering}");
        net.install(&other);
        assert!(check(&other), "{tampering}");
    }
    net.undo();
    assert!(!check(&other));
}

#[test]
fn tables_of_others_are_left_alone() {
    let net = Net::new();
    net.run(&[
        "nft",
        "add table ip pillion-capture; add table inet other; add chain inet other c",
    ]);
    let before = net.nft();
    net.install(&everything());
    net.undo();
    assert_eq!(net.nft(), before);
}

#[test]
fn without_the_right_to_do_it_the_manifest_that_gives_it_is_shown() {
    let net = Net::new();
    for attempt in [
        || crate::install(&everything()).map(drop),
        || crate::undo().map(drop),
        || crate::check(&everything()).map(drop),
    ] {
        let error: Error = net.pod.run(|| {
            let uid = Uid::from_raw(1000);
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            attempt().unwrap_err()
        });
        let hints = error.hints().join("\n");
        assert!(hints.contains("add: [NET_ADMIN]"), "{error:?}: {hints}");
    }
    assert_eq!(net.nft(), "");
}

#[test]
fn what_cannot_be_replaced_stays_as_it_was() {
    let net = Net::new();
    let mut owner = net.pod.run(|| Netlink::open(NETLINK_NETFILTER).unwrap());
    let table = Table {
        family: nft::FAMILY_INET,
        name: TABLE.to_owned(),
        flags: nft::TABLE_OWNED,
    };
    let requests = vec![
        table.create(),
        table.create_base_chain("c", "nat", nft::HOOK_OUTPUT, 0),
        table.append_rule("c", &[Expression::Return]),
    ];
    owner.transaction(&nft::transaction(requests)).unwrap();
    let before = net.nft();
    let error = net.pod.run(|| crate::install(&everything()).unwrap_err());
    assert!(matches!(error, Error::Change(_)), "{error:?}");
    assert_eq!(net.nft(), before);
}

#[test]
fn as_many_rules_as_are_allowed_are_taken_in_one_go() {
    let net = Net::new();
    let mut inbound = inbound(&["80=8080"]);
    inbound.exclude_sources = (0..127)
        .map(|n| format!("2001:db8:{n}::/48").parse().unwrap())
        .collect();
    let capture = only_inbound(&inbound);
    assert_eq!(net.install(&capture), Installed::New);
    assert_eq!(net.install(&capture), Installed::Unchanged);
}
