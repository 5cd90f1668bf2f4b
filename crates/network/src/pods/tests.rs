use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::*;
use netlink::testing::{Namespace, exchange};

const UIDS: [&str; 3] = [
    "a0000001-0000-4000-8000-000000000001",
    "a0000002-0000-4000-8000-000000000002",
    "a0000003-0000-4000-8000-000000000003",
];

fn open(host: &Namespace) -> (Network, Vec<String>) {
    host.run(|| Network::open(Config::default()).unwrap())
}

fn attach(host: &Namespace, network: &Network, pod: &Namespace, uid: &str) -> Attachment {
    host.run(|| network.attach(pod.as_fd(), uid).unwrap())
}

fn leftovers(host: &Namespace) -> Leftovers {
    host.run(|| Network::leftovers().unwrap())
}

/// A config with small ranges.
fn ranges(ipv4: &[&str]) -> Config {
    Config {
        ipv4_ranges: ipv4.iter().map(|range| range.parse().unwrap()).collect(),
        ipv6_ranges: Vec::new(),
    }
}

/// Waits for what the kernel does in its own time.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn pods_and_the_machine_reach_each_other_over_both_families() {
    let (host, one, two) = (Namespace::new(), Namespace::new(), Namespace::new());
    let (network, notes) = open(&host);
    assert_eq!(notes.len(), 2, "forwarding of both families: {notes:#?}");
    let first = attach(&host, &network, &one, UIDS[0]);
    let second = attach(&host, &network, &two, UIDS[1]);
    assert_eq!(first.host_interface(), "pila0000001");
    assert_eq!(first.pod_interface(), "eth0");

    let nodes = network.node_addresses();
    assert_eq!(
        nodes,
        [
            "10.222.0.1".parse::<IpAddr>().unwrap(),
            "fd70:696c:6c69::1".parse().unwrap()
        ]
    );
    assert_eq!(first.addresses().len(), 2);
    for (at, node) in nodes.into_iter().enumerate() {
        let (from, to) = (first.addresses()[at], second.addresses()[at]);
        assert!(network.ranges()[at].contains(from), "{from}");
        assert_ne!(from, to);
        assert_eq!(exchange(&host, &two, to), node);
        assert_eq!(exchange(&one, &two, to), from);
        assert_eq!(exchange(&one, &host, node), from);
        assert_eq!(exchange(&one, &one, from), from);
    }
}

#[test]
fn traffic_beyond_the_machine_carries_its_address() {
    let (host, pod, internet) = (Namespace::new(), Namespace::new(), Namespace::new());
    host.configure(&[route::new_veth("uplink", "eth0", internet.as_fd())]);
    let (uplink, remote) = (host.index("uplink"), internet.index("eth0"));
    for (ours, theirs) in [
        ("203.0.113.2", "203.0.113.1"),
        ("2001:db8::2", "2001:db8::1"),
    ] {
        let (ours, theirs) = (ours.parse().unwrap(), theirs.parse().unwrap());
        host.configure(&[
            route::set_up(uplink),
            route::new_address(uplink, ours),
            route::new_host_route(uplink, theirs),
        ]);
        internet.configure(&[
            route::set_up(remote),
            route::new_address(remote, theirs),
            route::new_host_route(remote, ours),
        ]);
    }
    let (network, _) = open(&host);
    let _attachment = attach(&host, &network, &pod, UIDS[0]);
    for (ours, theirs) in [
        ("203.0.113.2", "203.0.113.1"),
        ("2001:db8::2", "2001:db8::1"),
    ] {
        let seen = exchange(&pod, &internet, theirs.parse().unwrap());
        assert_eq!(seen, ours.parse::<IpAddr>().unwrap());
    }
}

#[test]
fn two_runners_never_give_one_address_twice() {
    let host = Namespace::new();
    let range = ranges(&["192.0.2.0/29"]);
    let networks = [(); 2].map(|()| host.run(|| Network::open(range.clone()).unwrap().0));
    let pods: Vec<Namespace> = (0..6).map(|_| Namespace::new()).collect();
    let mut attachments: Vec<Attachment> = Vec::new();
    for (at, pod) in pods.iter().take(5).enumerate() {
        let attachment = attach(&host, &networks[at % 2], pod, &format!("{at:08x}"));
        for other in &attachments {
            assert_ne!(other.addresses(), attachment.addresses());
        }
        attachments.push(attachment);
    }
    let full = host.run(|| networks[0].attach(pods[5].as_fd(), "full").unwrap_err());
    assert!(matches!(full, Error::AddressesTaken(_)), "{full}");
    assert_eq!(leftovers(&host).links.len(), 5, "the sixth left nothing");

    let freed = attachments.remove(2);
    freed.close().unwrap();
    let last = attach(&host, &networks[1], &pods[5], "last");
    assert_eq!(last.addresses(), freed.addresses());
}

#[test]
fn closing_leaves_nothing() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    let addresses = attachment.addresses().to_vec();
    let there = leftovers(&host);
    assert_eq!(there.links, ["pila0000001"]);
    assert_eq!(there.tables.len(), 1, "{there:?}");
    assert!(addresses.iter().all(|address| host.knows(*address)));

    attachment.close().unwrap();
    attachment.close().unwrap();
    assert_eq!(leftovers(&host).links, Vec::<String>::new());
    assert!(!addresses.iter().any(|address| host.knows(*address)));
    let again = attach(&host, &network, &pod, UIDS[0]);
    assert_eq!(again.addresses(), addresses, "free again");
    drop(again);
    drop((attachment, network));
    assert_eq!(leftovers(&host), Leftovers::default());
}

#[test]
fn a_pod_that_is_gone_has_taken_its_link_along() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    drop(pod);
    eventually("the link stays", || leftovers(&host).links.is_empty());
    attachment.close().unwrap();
}

#[test]
fn what_is_released_is_free_while_the_link_still_goes() {
    let (host, pod, next) = (Namespace::new(), Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    let addresses = attachment.addresses().to_vec();
    attachment.release().unwrap();
    attachment.release().unwrap();
    assert!(!addresses.iter().any(|address| host.knows(*address)));
    assert_eq!(leftovers(&host).links, ["pila0000001"], "it takes its time");
    // The same UID asks for the same addresses and the same name.
    let again = attach(&host, &network, &next, UIDS[0]);
    assert_eq!(again.addresses(), addresses);
    assert_ne!(again.host_interface(), attachment.host_interface());
    let node = network.node_addresses();
    let reachable = || {
        for (address, node) in addresses.iter().zip(&node) {
            assert_eq!(exchange(&host, &next, *address), *node);
            assert_eq!(exchange(&next, &host, *node), *address);
        }
    };
    reachable();
    drop(pod);
    let only = [again.host_interface().to_owned()];
    eventually("the link stays", || leftovers(&host).links == only);
    // Neither the end of the old link nor what comes after it takes anything from the new one.
    reachable();
    attachment.close().unwrap();
    drop(attachment);
    reachable();
}

#[test]
fn a_link_whose_namespace_is_held_goes_when_closed() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    attachment.release().unwrap();
    attachment.close().unwrap();
    assert_eq!(leftovers(&host).links, Vec::<String>::new());
    drop(attachment);
}

#[test]
fn releasing_takes_what_a_pod_without_ipv6_left_unused() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    pod.run(|| std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap());
    let (network, _) = open(&host);
    let routes = || {
        host.run(|| {
            let mut netlink = Netlink::open(NETLINK_ROUTE).unwrap();
            let all = [false, true].map(|ipv6| route::destinations(&mut netlink, ipv6).unwrap());
            let range = network.ranges()[1];
            let all = all.into_iter().flatten();
            all.filter(|to| {
                range.contains(to.range.network()) && to.range.network() != range.node()
            })
            .count()
        })
    };
    assert_eq!(routes(), 0);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    assert_eq!((attachment.addresses().len(), routes()), (1, 1));
    attachment.release().unwrap();
    assert_eq!(routes(), 0);
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn holds_a_network_until_killed() {
    if std::env::var_os("PILLION_TEST_HOLD_NETWORK").is_none() {
        return;
    }
    let (_network, _) = Network::open(Config::default()).unwrap();
    println!("\nholding");
    loop {
        thread::park();
    }
}

#[test]
fn a_killed_runner_leaves_no_table() {
    let host = Namespace::new();
    let mut runner = host.run(|| {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "pods::tests::holds_a_network_until_killed",
                "--nocapture",
            ])
            .env("PILLION_TEST_HOLD_NETWORK", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let mut lines = BufReader::new(runner.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "holding"));
    let tables = leftovers(&host).tables;
    assert_eq!(tables.len(), 1);
    assert!(
        tables[0].starts_with(&format!("pillion-{}-", runner.id())),
        "{tables:?}"
    );

    runner.kill().unwrap();
    runner.wait().unwrap();
    assert_eq!(leftovers(&host), Leftovers::default());
}

#[test]
fn a_range_in_use_gives_way_to_the_next() {
    let host = Namespace::new();
    host.configure(&[route::new_address(1, "10.222.200.1".parse().unwrap())]);
    let (network, notes) = open(&host);
    assert_eq!(network.ranges()[0].to_string(), "10.111.0.0/16");
    let note =
        "Pod addresses are taken from 10.111.0.0/16: 10.222.0.0/16 overlaps 10.222.200.1/32 (lo)";
    assert!(notes.iter().any(|found| found == note), "{notes:#?}");

    let pod = Namespace::new();
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    assert_eq!(
        exchange(&host, &pod, attachment.addresses()[0]),
        network.node_addresses()[0]
    );
    let (other, _) = open(&host);
    assert_eq!(
        other.ranges(),
        network.ranges(),
        "a Pod's address is no obstacle"
    );

    let taken = host.run(|| Network::open(ranges(&["10.222.0.0/16", "10.0.0.0/8"])).unwrap_err());
    assert!(matches!(taken, Error::RangesTaken(_)), "{taken}");
    assert!(
        taken
            .to_string()
            .contains("10.0.0.0/8 overlaps 10.222.200.1/32 (lo)"),
        "{taken}"
    );
    let wrong = host.run(|| Network::open(ranges(&["fd00::/64"])).unwrap_err());
    assert!(matches!(wrong, Error::Range(_)), "{wrong}");
}

#[test]
fn this_machines_own_namespace_is_refused() {
    let host = Namespace::new();
    let (network, _) = open(&host);
    let error = host.run(|| network.attach(host.as_fd(), UIDS[0]).unwrap_err());
    assert!(matches!(error, Error::HostNamespace { .. }), "{error}");
}

#[test]
fn a_pod_is_attached_once() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let _attachment = attach(&host, &network, &pod, UIDS[0]);
    let error = host.run(|| network.attach(pod.as_fd(), UIDS[1]).unwrap_err());
    assert!(error.to_string().ends_with("create its link"), "{error}");
    assert_eq!(leftovers(&host).links.len(), 1);
}

#[test]
fn a_clash_of_names_is_avoided() {
    let (host, one, two) = (Namespace::new(), Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let first = attach(&host, &network, &one, "deadbeef-1");
    let second = attach(&host, &network, &two, "deadbeef-2");
    assert_eq!(first.host_interface(), "pildeadbeef");
    assert_ne!(second.host_interface(), "pildeadbeef");
    assert_eq!(
        exchange(&one, &two, second.addresses()[0]),
        first.addresses()[0]
    );
}

#[test]
fn without_ipv6_pods_have_ipv4() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    host.run(|| std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap());
    let (network, notes) = open(&host);
    assert_eq!(notes.len(), 1, "IPv4 forwarding: {notes:#?}");
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    assert_eq!(attachment.addresses().len(), 1);
    assert_eq!(
        exchange(&host, &pod, attachment.addresses()[0]),
        network.node_addresses()[0]
    );
}

#[test]
fn a_pod_that_disables_ipv6_has_ipv4() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    pod.run(|| std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").unwrap());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    let [address] = attachment.addresses() else {
        panic!("{attachment:?}");
    };
    assert_eq!(exchange(&host, &pod, *address), network.node_addresses()[0]);
}

#[test]
fn without_permission_it_says_so() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    host.run(|| {
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::NET_ADMIN);
        set_capabilities(None, sets).unwrap();
        let (network, notes) = Network::open(Config::default()).unwrap();
        let note = "Pods have no outgoing traffic beyond this machine: no permission to change the packet filter";
        assert!(notes.iter().any(|found| found == note), "{notes:#?}");
        let error = network.attach(pod.as_fd(), UIDS[0]).unwrap_err();
        assert_eq!(error.hint(), Some("Pod networks need root (CAP_NET_ADMIN)"), "{error}");
    });
    assert_eq!(leftovers(&host), Leftovers::default());
}

#[test]
fn a_pod_cannot_make_itself_the_machines_router() {
    let (host, pod) = (Namespace::new(), Namespace::new());
    let (network, _) = open(&host);
    let attachment = attach(&host, &network, &pod, UIDS[0]);
    let interface = attachment.host_interface();
    for (key, value) in [("ipv6", "accept_ra"), ("ipv4", "rp_filter")].map(|(family, name)| {
        let path = format!("/proc/sys/net/{family}/conf/{interface}/{name}");
        let value = host.run(|| std::fs::read_to_string(&path).unwrap());
        (name, value.trim().to_owned())
    }) {
        assert_eq!(value, if key == "accept_ra" { "0" } else { "1" }, "{key}");
    }
}
