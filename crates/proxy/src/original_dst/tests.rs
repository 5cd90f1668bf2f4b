use std::net::{TcpListener, TcpStream};

use capture::{Capture, Inbound, Outbound};
use netlink::testing::Namespace;

use super::*;

/// Connects to `to` within the namespace, where `listener` gets it; returns what the server is told.
fn connect(namespace: &Namespace, listener: &TcpListener, to: &str) -> Option<SocketAddr> {
    let to: SocketAddr = to.parse().unwrap();
    let _client = namespace.run(|| TcpStream::connect(to).unwrap());
    let (connection, _) = listener.accept().unwrap();
    original_dst(&connection, connection.local_addr().unwrap()).unwrap()
}

#[test]
fn the_client_meant_us_where_nothing_is_redirected() {
    let namespace = Namespace::new();
    let listener = namespace.run(|| TcpListener::bind("[::]:8080").unwrap());
    for to in ["127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(connect(&namespace, &listener, to), None);
    }
}

#[test]
fn redirected_connections_tell_where_they_were_to_go() {
    let namespace = Namespace::new();
    let outbound = Outbound {
        redirects: vec!["80=8080".parse().unwrap()],
        exclude_users: vec![1337],
        loopback: true,
        ..Outbound::default()
    };
    let capture = Capture::new(&Inbound::default(), &outbound).unwrap();
    namespace.run(|| capture::install(&capture).unwrap());
    // For both families, and for each alone.
    for listen in ["[::]:8080", "127.0.0.1:8080"] {
        let listener = namespace.run(|| TcpListener::bind(listen).unwrap());
        for to in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80"] {
            if listen.starts_with('1') && to.starts_with('[') {
                continue;
            }
            let expected = Some(to.parse().unwrap());
            assert_eq!(
                connect(&namespace, &listener, to),
                expected,
                "{listen} {to}"
            );
        }
        // Straight to us, while others are redirected.
        assert_eq!(connect(&namespace, &listener, "127.0.0.1:8080"), None);
    }
}

#[test]
fn what_is_no_connection_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let local = listener.local_addr().unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(original_dst(&file, local).is_err());
}
