use netlink::nft::{self, BaseChain, Step};
use proptest::prelude::*;

use super::*;
use crate::Foreign;

fn found(net: &Net, capture: &Capture) -> Vec<String> {
    let found = net.pod.run(|| crate::foreign(capture).unwrap());
    let rules = found.iter().map(|foreign| match foreign {
        Foreign::Rule {
            table,
            chain,
            port,
            inbound,
        } => format!("{table} {chain} {port:?} {inbound}"),
        Foreign::Legacy => "legacy".to_owned(),
    });
    rules.collect()
}

fn capture() -> Capture {
    Capture::new(&inbound(&["80=8080"]), &outbound(&["443=15001"])).unwrap()
}

#[test]
fn rules_of_nft_and_of_iptables_are_seen_where_they_meet_ours() {
    let net = Net::new();
    net.install(&capture());
    assert_eq!(found(&net, &capture()), Vec::<String>::new());
    for rule in [
        // Of no concern.
        "PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 9000",
        "PREROUTING -p udp --dport 80 -j REDIRECT --to-ports 9000",
        "PREROUTING -p tcp --dport 80 -j ACCEPT",
        "OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 9000",
        "POSTROUTING -p tcp --dport 80 -j MASQUERADE",
    ] {
        let words: Vec<&str> = rule.split(' ').collect();
        net.run(&[&["iptables-nft", "-t", "nat", "-A"], words.as_slice()].concat());
    }
    assert_eq!(found(&net, &capture()), Vec::<String>::new());
    net.run(&[
        "iptables-nft",
        "-t",
        "nat",
        "-A",
        "PREROUTING",
        "-p",
        "tcp",
        "--dport",
        "80",
        "-j",
        "REDIRECT",
        "--to-ports",
        "9000",
    ]);
    net.run(&[
        "ip6tables-nft",
        "-t",
        "nat",
        "-A",
        "OUTPUT",
        "-p",
        "tcp",
        "--dport",
        "443",
        "-j",
        "DNAT",
        "--to",
        "[2001:db8::9]:443",
    ]);
    net.run(&["nft", "table inet mesh { chain out { meta l4proto tcp redirect to :15006; }; chain in { type nat hook prerouting priority 0; tcp dport { 22, 80 } jump out; }; }"]);
    let expected = [
        "inet mesh out None true",
        "ip nat PREROUTING Some(80) true",
        "ip6 nat OUTPUT Some(443) false",
    ];
    assert_eq!(found(&net, &capture()), expected);
    let text = net
        .pod
        .run(|| crate::foreign(&capture()).unwrap()[1].to_string());
    assert!(
        text.contains("incoming connections to TCP port 80 (table ip nat, chain PREROUTING)"),
        "{text}"
    );
}

#[test]
fn what_a_service_mesh_makes_is_seen() {
    let net = Net::new();
    for rule in [
        "-N ISTIO_INBOUND",
        "-N ISTIO_IN_REDIRECT",
        "-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006",
        "-A PREROUTING -p tcp -j ISTIO_INBOUND",
        "-A ISTIO_INBOUND -p tcp --dport 15008 -j RETURN",
        "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT",
        // A loop that no packet would take is no endless walk.
        "-N ROUND",
        "-A ROUND -p tcp --dport 9 -j ISTIO_INBOUND",
    ] {
        let words: Vec<&str> = rule.split(' ').collect();
        net.run(&[&["iptables-nft", "-t", "nat"], words.as_slice()].concat());
    }
    let mine = only_inbound(&inbound(&["80=8080"]));
    assert_eq!(found(&net, &mine), ["ip nat ISTIO_IN_REDIRECT None true"]);
    let out = only_outbound(&outbound(&["443=15001"]));
    assert_eq!(found(&net, &out), Vec::<String>::new());
}

/// Steps as the kernel tells them, and as it never would.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let known = prop::sample::select(vec![
        nft::Expression::Redirect,
        nft::Expression::Return,
        nft::Expression::Meta(nft::Meta::Transport),
        nft::Expression::Equal(vec![6]),
        nft::Expression::Equal(vec![0, 80]),
        nft::Expression::TransportHeader {
            offset: 2,
            length: 2,
        },
    ])
    .prop_map(Step::Known);
    let names = prop::sample::select(vec![
        "match",
        "target",
        "nat",
        "immediate",
        "redir",
        "other",
    ]);
    let other = (names, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(name, noise)| {
        let mut data = vec![8, 0, 1, 0];
        data.extend(b"tcp\0");
        data.extend(noise);
        Step::Other {
            name: name.to_owned(),
            data: nft::Parsed::read(&data),
        }
    });
    prop::collection::vec(prop_oneof![known, other], 0..6)
}

proptest! {
    #[test]
    fn any_rules_can_be_looked_through(all in prop::collection::vec((0..4_u8, steps()), 0..12)) {
        let rules: Vec<nft::Rule> = all
            .into_iter()
            .map(|(chain, steps)| nft::Rule {
                family: nft::FAMILY_IPV4,
                table: "nat".to_owned(),
                chain: format!("c{chain}"),
                steps,
            })
            .collect();
        let base = BaseChain {
            family: nft::FAMILY_IPV4,
            table: "nat".to_owned(),
            name: "c0".to_owned(),
            kind: "nat".to_owned(),
            hook: nft::HOOK_PREROUTING,
            priority: 0,
            drops: false,
        };
        let all = only_inbound(&inbound(&["all=15006"]));
        let found = crate::foreign::find(&all, std::slice::from_ref(&base), &rules);
        // One that plainly redirects is not missed.
        let plain = nft::Rule { chain: "c0".to_owned(), steps: vec![Step::Known(nft::Expression::Redirect)], ..template() };
        let more: Vec<nft::Rule> = rules.into_iter().chain([plain]).collect();
        let with = crate::foreign::find(&all, &[base], &more);
        prop_assert!(!with.is_empty() && with.len() >= found.len());
    }
}

fn template() -> nft::Rule {
    nft::Rule {
        family: nft::FAMILY_IPV4,
        table: "nat".to_owned(),
        chain: String::new(),
        steps: Vec::new(),
    }
}
