use super::*;

struct Machine {
    directory: tempfile::TempDir,
    sysctl: Sysctl,
}

/// A machine with these settings.
fn machine(settings: &[(&str, &str)]) -> Machine {
    let directory = tempfile::tempdir().unwrap();
    for (key, value) in settings {
        let path = directory.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{value}\n")).unwrap();
    }
    let sysctl = Sysctl {
        root: directory.path().to_owned(),
    };
    Machine { directory, sysctl }
}

impl Machine {
    fn value(&self, key: &str) -> String {
        self.sysctl.read(key).unwrap()
    }
}

#[test]
fn forwarding_that_is_on_is_not_spoken_of() {
    let machine = machine(&[("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")]);
    let mut notes = Vec::new();
    machine.sysctl.forward_ipv4(&mut notes);
    machine.sysctl.forward_ipv6(&mut notes);
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn ipv4_forwarding_is_switched_on_and_said_so() {
    let machine = machine(&[("ipv4/ip_forward", "0")]);
    let mut notes = Vec::new();
    machine.sysctl.forward_ipv4(&mut notes);
    assert_eq!(machine.value("ipv4/ip_forward"), "1");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("net.ipv4.ip_forward=1"), "{notes:?}");
}

#[test]
fn a_switch_that_cannot_be_set_is_a_note() {
    let machine = machine(&[]);
    let mut notes = Vec::new();
    machine.sysctl.forward_ipv4(&mut notes);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("cannot be switched on"), "{notes:?}");
    drop(machine.directory);
}

#[test]
fn interfaces_that_learn_their_router_go_on_learning() {
    let machine = machine(&[
        ("ipv6/conf/all/forwarding", "0"),
        ("ipv6/conf/eth0/accept_ra", "1"),
        ("ipv6/conf/eth1/accept_ra", "0"),
        ("ipv6/conf/default/accept_ra", "1"),
    ]);
    let mut notes = Vec::new();
    machine.sysctl.forward_ipv6(&mut notes);
    assert_eq!(machine.value("ipv6/conf/eth0/accept_ra"), "2");
    assert_eq!(machine.value("ipv6/conf/eth1/accept_ra"), "0");
    assert_eq!(machine.value("ipv6/conf/default/accept_ra"), "2");
    assert_eq!(machine.value("ipv6/conf/all/forwarding"), "1");
    assert_eq!(notes.len(), 1);
}

#[test]
fn newer_kernels_forward_without_becoming_routers() {
    let machine = machine(&[
        ("ipv6/conf/all/forwarding", "0"),
        ("ipv6/conf/all/force_forwarding", "0"),
        ("ipv6/conf/default/force_forwarding", "0"),
        ("ipv6/conf/eth0/accept_ra", "1"),
    ]);
    let mut notes = Vec::new();
    machine.sysctl.forward_ipv6(&mut notes);
    assert_eq!(machine.value("ipv6/conf/all/force_forwarding"), "1");
    assert_eq!(machine.value("ipv6/conf/default/force_forwarding"), "1");
    assert_eq!(notes.len(), 1);
    assert_eq!(machine.value("ipv6/conf/all/forwarding"), "0");
    assert_eq!(machine.value("ipv6/conf/eth0/accept_ra"), "1");
}

#[test]
fn ipv6_is_used_where_it_is_not_disabled() {
    let on = ("ipv6/conf/default/accept_ra", "1");
    for (all, default, expected) in [("0", "0", true), ("1", "0", false), ("0", "1", false)] {
        let machine = machine(&[
            on,
            ("ipv6/conf/all/disable_ipv6", all),
            ("ipv6/conf/default/disable_ipv6", default),
        ]);
        let mut notes = Vec::new();
        assert_eq!(
            machine.sysctl.ipv6_usable(&mut notes),
            expected,
            "{all} {default}"
        );
        assert_eq!(notes, Vec::<String>::new());
    }
    let mut notes = Vec::new();
    assert!(
        !machine(&[]).sysctl.ipv6_usable(&mut notes),
        "no IPv6 in the kernel"
    );
    assert_eq!(notes, Vec::<String>::new());
    let locked = machine(&[
        ("ipv6/conf/all/disable_ipv6", "0"),
        ("ipv6/conf/default/disable_ipv6", "0"),
    ]);
    assert!(!locked.sysctl.ipv6_usable(&mut notes));
    assert_eq!(notes.len(), 1);
}
