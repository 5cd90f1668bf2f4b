use std::io::Read;
use std::net::TcpStream;

use super::*;

fn loopback() -> Bind {
    Bind::Tcp((Ipv4Addr::LOCALHOST, 0).into())
}

#[test]
fn each_worker_has_a_socket_of_the_same_address() {
    let (listening, sockets) = open(&loopback(), 3).expect("sockets");
    let local = listening.local.expect("an address");
    assert_eq!(sockets.len(), 3);
    for socket in &sockets {
        let Socket::Tcp(listener) = socket else {
            panic!("TCP");
        };
        assert_eq!(listener.local_addr().expect("an address"), local);
    }
    TcpStream::connect(local).expect("somebody listens");
}

#[test]
fn an_address_in_use_is_refused_whoever_uses_it() {
    for workers in [1, 2] {
        let (listening, _sockets) = open(&loopback(), workers).expect("sockets");
        let taken = Bind::Tcp(listening.local.expect("an address"));
        for more in [1, 2] {
            let error = open(&taken, more).expect_err("it is taken");
            assert!(error.to_string().contains("another container"), "{error}");
        }
    }
}

#[test]
fn any_address_takes_both_families() {
    let any: SocketAddr = "[::]:0".parse().expect("an address");
    let (listening, _sockets) = open(&Bind::Tcp(any), 2).expect("sockets");
    let port = listening.local.expect("an address").port();
    TcpStream::connect(("127.0.0.1", port)).expect("by IPv4");
    if TcpListener::bind("[::1]:0").is_ok() {
        TcpStream::connect(("::1", port)).expect("by IPv6");
    }
}

#[test]
fn a_unix_socket_is_taken_over_from_the_dead_and_removed_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.sock");
    drop(UnixListener::bind(&path).expect("a socket"));
    assert!(path.exists());
    let bind = Bind::Unix(path.clone());
    let (listening, sockets) = open(&bind, 2).expect("sockets");
    assert_eq!(sockets.len(), 2);
    let mut client = UnixStream::connect(&path).expect("somebody listens");
    open(&bind, 1).expect_err("it is in use");
    drop(sockets);
    let _ = client.read(&mut [0; 1]);
    drop(listening);
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("precious");
    fs::write(&path, "data").expect("a file");
    open(&Bind::Unix(path.clone()), 1).expect_err("it is a file");
    assert_eq!(fs::read_to_string(&path).expect("the file"), "data");
}
