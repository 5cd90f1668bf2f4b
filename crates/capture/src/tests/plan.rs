use proptest::prelude::*;

use super::*;
use crate::{Mark, PlanError, Ports, Redirect};

#[test]
fn options_are_read_and_wrong_ones_named() {
    let redirect = |from, to| Ok(Redirect { from, to });
    for (text, expected) in [
        ("80=8080", redirect(Ports::One(80), 8080)),
        ("all=15006", redirect(Ports::All, 15006)),
        ("80", Err("write it as 80=8080")),
        ("80:8080", Err("write it as 80=8080")),
        ("0=8080", Err("neither a port nor `all`")),
        ("http=8080", Err("neither a port nor `all`")),
        ("80=0", Err("the part after `=` is no port")),
        ("80=65536", Err("the part after `=` is no port")),
        ("80=all", Err("the part after `=` is no port")),
    ] {
        let read = text.parse::<Redirect>().map_err(|error| error.to_string());
        match (read, expected) {
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (read, expected) => assert_eq!(read, expected.map_err(str::to_owned), "{text}"),
        }
    }
    let mark = |value, mask| Some(Mark { value, mask });
    for (text, expected) in [
        ("16", mark(16, u32::MAX)),
        ("0x10", mark(16, u32::MAX)),
        ("0x10/0xff", mark(16, 255)),
        ("0x100/0xff", None),
        ("0", None),
        ("0/0xff", None),
        ("x", None),
        ("1/", None),
        ("0x1/0x0", None),
    ] {
        assert_eq!(text.parse::<Mark>().ok(), expected, "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let none = (Inbound::default(), Outbound::default());
    let case = |inbound: &Inbound, outbound: &Outbound, part: &str| {
        let error = Capture::new(inbound, outbound).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    case(&none.0, &none.1, "nothing is captured");
    case(&inbound(&["80=80"]), &none.1, "redirects a port to itself");
    case(
        &inbound(&["80=1", "80=2"]),
        &none.1,
        "port 80 to 1 and to 2",
    );
    case(
        &inbound(&["all=1", "all=2"]),
        &none.1,
        "all ports to 1 and to 2",
    );
    let mut ports = inbound(&["80=8080"]);
    ports.exclude_ports = vec![22];
    case(&ports, &none.1, "--exclude-ports needs --inbound all=PORT");
    let mut unprotected = outbound(&["443=15001"]);
    unprotected.exclude_users.clear();
    case(&none.0, &unprotected, "give --exclude-uid");
    case(
        &inbound(&["80=8080"]),
        &outbound(&[]),
        "--exclude-uid needs --outbound",
    );
    let mut many = inbound(&["80=8080"]);
    many.exclude_sources = (0..128)
        .map(|n| format!("10.{n}.0.0/16").parse().unwrap())
        .collect();
    case(&many, &none.1, "129 rules are too many");
    assert_eq!(Capture::new(&none.0, &none.1), Err(PlanError::Nothing));
}

#[test]
fn the_rules_in_words() {
    let mut inbound = inbound(&["all=15006", "80=8080"]);
    inbound.exclude_ports = vec![22];
    inbound.exclude_sources = vec!["10.0.0.0/8".parse().unwrap()];
    let mut outbound = outbound(&["443=15001"]);
    outbound.exclude_marks = vec!["0x10/0xff".parse().unwrap()];
    outbound.exclude_destinations = vec!["fd00::/8".parse().unwrap()];
    assert_eq!(
        Capture::new(&inbound, &outbound).unwrap().to_string(),
        "\
connections that come to the Pod:
  from 10.0.0.0/8: left alone
  to TCP port 80: redirected to port 8080
  to TCP port 22: left alone
  to TCP port 8080: left alone
  to TCP port 15001: left alone
  to TCP port 15006: left alone
  to any other TCP port: redirected to port 15006
connections that containers of the Pod open:
  within the Pod: left alone
  of UID 1337: left alone
  with mark 0x10/0xff: left alone
  to fd00::/8: left alone
  to TCP port 443: redirected to port 15001
"
    );
}

proptest! {
    /// However often and in whatever order the same is said, it is the same, so that a second run changes nothing.
    #[test]
    fn order_and_repetition_do_not_matter(
        ports in prop::collection::btree_map(1_u16..2000, 2000_u16..3000, 1..8),
        excluded in prop::collection::vec(1_u16..2000, 0..6),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut one = inbound(&["all=15006"]);
        one.redirects.extend(ports.iter().map(|(from, to)| Redirect { from: Ports::One(*from), to: *to }));
        one.exclude_ports.clone_from(&excluded);
        let mut other = one.clone();
        let turn = turn.index(other.redirects.len());
        other.redirects.rotate_left(turn);
        other.redirects.push(one.redirects[0]);
        other.exclude_ports.extend(&excluded);
        other.exclude_ports.reverse();
        prop_assert_eq!(only_inbound(&one), only_inbound(&other));
        let capture = only_inbound(&one);
        for port in ports.keys() {
            prop_assert!(capture.inbound.captures(Some(*port)));
        }
        for port in &excluded {
            prop_assert_eq!(capture.inbound.captures(Some(*port)), ports.contains_key(port));
        }
        prop_assert!(!capture.outbound.captures(None));
    }
}
