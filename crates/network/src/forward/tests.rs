use std::future::Future;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time;

use super::*;
use netlink::testing::Namespace;

/// Runs in a network namespace of its own, where every port is free.
fn alone<F: Future<Output = ()>>(body: impl FnOnce() -> F + Send) {
    within(Duration::from_secs(60), body);
}

fn within<F: Future<Output = ()>>(limit: Duration, body: impl FnOnce() -> F + Send) {
    Namespace::new().run(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async { time::timeout(limit, body()).await.unwrap() });
    });
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A server that answers what it got, once all of it is there.
async fn echo_at_end(address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let local = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.unwrap();
                stream.write_all(&all).await.unwrap();
            });
        }
    });
    local
}

async fn ask(address: SocketAddr, question: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(question.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[test]
fn tcp_keeps_half_closes() {
    alone(|| async {
        let target = echo_at_end("127.0.0.1:0").await;
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, target).unwrap();
        assert_eq!(ask(forwarder.local_address(), "hello").await, "hello");
    });
}

#[test]
fn everywhere_is_both_families_and_v6_alone_is_v6() {
    alone(|| async {
        let target = echo_at_end("[::1]:0").await;
        let _forwarder = Forwarder::bind(everywhere(80), Protocol::Tcp, target).unwrap();
        for address in ["127.0.0.1:80", "127.0.0.2:80", "[::1]:80"] {
            assert_eq!(ask(at(address), address).await, address);
        }
        let _narrow = Forwarder::bind(at("[::1]:81"), Protocol::Tcp, target).unwrap();
        assert_eq!(ask(at("[::1]:81"), "v6").await, "v6");
        assert!(TcpStream::connect(at("127.0.0.1:81")).await.is_err());
    });
}

#[test]
fn tcp_carries_much_both_ways_at_once() {
    const MUCH: usize = 64 << 20;
    alone(|| async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut chunk = vec![0; 100_000];
            loop {
                match stream.read(&mut chunk).unwrap() {
                    0 => return,
                    length => stream.write_all(&chunk[..length]).unwrap(),
                }
            }
        });
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, target).unwrap();
        let stream = TcpStream::connect(forwarder.local_address()).await.unwrap();
        let (mut answers, mut questions) = stream.into_split();
        let byte = |at: usize| (at / 7 % 251) as u8;
        let writer = tokio::spawn(async move {
            let mut sent = 0;
            while sent < MUCH {
                let chunk: Vec<u8> = (sent..MUCH.min(sent + 77_777)).map(byte).collect();
                questions.write_all(&chunk).await.unwrap();
                sent += chunk.len();
            }
        });
        let (mut received, mut chunk) = (0, vec![0; 100_000]);
        loop {
            let length = answers.read(&mut chunk).await.unwrap();
            if length == 0 {
                break;
            }
            assert!(
                chunk[..length]
                    .iter()
                    .enumerate()
                    .all(|(at, b)| *b == byte(received + at))
            );
            received += length;
        }
        assert_eq!(received, MUCH);
        writer.await.unwrap();
        server.join().unwrap();
    });
}

#[test]
fn a_slow_reader_slows_the_writer() {
    alone(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, target).unwrap();
        let mut client = TcpStream::connect(forwarder.local_address()).await.unwrap();
        let (_server, _) = listener.accept().await.unwrap();
        // What a server that reads nothing lets through is what the sockets' buffers hold.
        let chunk = vec![0; 1 << 20];
        let mut written = 0;
        while let Ok(length) = time::timeout(Duration::from_millis(500), client.write(&chunk)).await
        {
            written += length.unwrap();
            assert!(written < 256 << 20, "no back-pressure");
        }
    });
}

#[test]
fn nobody_at_the_target_closes_the_client() {
    alone(|| async {
        let forwarder =
            Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, at("127.0.0.1:9")).unwrap();
        let mut client = TcpStream::connect(forwarder.local_address()).await.unwrap();
        let error = client.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn an_answer_that_breaks_off_does_not_look_complete() {
    alone(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, target).unwrap();
        let mut client = TcpStream::connect(forwarder.local_address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"half of").await.unwrap();
        let mut half = [0; 7];
        client.read_exact(&mut half).await.unwrap();
        sockopt::set_socket_linger(&server, Some(Duration::ZERO)).unwrap();
        drop(server);
        let error = client.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    alone(|| async {
        let _tcp = std::net::TcpListener::bind("127.0.0.1:80").unwrap();
        let _udp = std::net::UdpSocket::bind("[::1]:80").unwrap();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let error = Forwarder::bind(everywhere(80), protocol, at("127.0.0.1:9")).unwrap_err();
            let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
            assert_eq!(
                error.to_string(),
                format!(
                    "listen on [::]:80 ({protocol}): the port is taken by {} (pid {})",
                    comm.trim_end(),
                    std::process::id()
                )
            );
        }
        let elsewhere = Forwarder::bind(at("192.0.2.1:80"), Protocol::Tcp, at("127.0.0.1:9"));
        assert_eq!(
            elsewhere.unwrap_err().to_string(),
            "listen on 192.0.2.1:80 (TCP): this machine has no address 192.0.2.1"
        );
    });
}

#[test]
fn closing_frees_the_port_and_ends_connections() {
    alone(|| async {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let forwarder = Forwarder::bind(everywhere(80), protocol, at("127.0.0.1:9")).unwrap();
            forwarder.close().await;
            let again = Forwarder::bind(everywhere(80), protocol, at("127.0.0.1:9")).unwrap();
            again.close().await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let forwarder = Forwarder::bind(everywhere(80), Protocol::Tcp, target).unwrap();
        let mut client = TcpStream::connect(at("127.0.0.1:80")).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        drop(forwarder);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_or_default(), 0);
        assert_eq!(server.read(&mut [0; 1]).await.unwrap_or_default(), 0);
        assert!(TcpStream::connect(at("127.0.0.1:80")).await.is_err());
    });
}

#[test]
fn a_new_target_gets_new_connections_and_resets_old_ones() {
    alone(|| async {
        let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let new = echo_at_end("127.0.0.2:0").await;
        let target = old.local_addr().unwrap();
        let forwarder = Forwarder::bind(everywhere(80), Protocol::Tcp, target).unwrap();
        let mut client = TcpStream::connect(at("127.0.0.1:80")).await.unwrap();
        let (_server, _) = old.accept().await.unwrap();
        forwarder.set_target(target);
        forwarder.set_target(new);
        assert_eq!(forwarder.target(), new);
        let error = client.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(ask(at("127.0.0.1:80"), "new").await, "new");
    });
}

/// A UDP server that answers with its name, the datagram, and the port it came from.
async fn udp_echo(address: &str, name: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind(address).await.unwrap();
    let local = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = vec![0; 65536];
        while let Ok((length, peer)) = socket.recv_from(&mut datagram).await {
            let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
            let answer = format!("{name} {} {text}", peer.port());
            socket.send_to(answer.as_bytes(), peer).await.unwrap();
        }
    });
    local
}

/// Asks once; returns the answer's words.
async fn ask_udp(client: &UdpSocket, to: SocketAddr, question: &str) -> Vec<String> {
    client.send_to(question.as_bytes(), to).await.unwrap();
    let mut answer = vec![0; 65536];
    let (length, from) = client.recv_from(&mut answer).await.unwrap();
    assert_eq!(from, to);
    let text = String::from_utf8_lossy(&answer[..length]);
    text.split(' ').map(str::to_owned).collect()
}

async fn udp_client(ip: &str) -> UdpSocket {
    UdpSocket::bind(SocketAddr::new(ip.parse::<IpAddr>().unwrap(), 0))
        .await
        .unwrap()
}

#[test]
fn udp_clients_are_kept_apart_and_keep_their_flow() {
    alone(|| async {
        let target = udp_echo("127.0.0.1:0", "server").await;
        let _forwarder = Forwarder::bind(everywhere(53), Protocol::Udp, target).unwrap();
        let (one, two) = (udp_client("127.0.0.1").await, udp_client("::1").await);
        let first = ask_udp(&one, at("127.0.0.1:53"), "a").await;
        let second = ask_udp(&two, at("[::1]:53"), "b").await;
        assert_eq!((first[2].as_str(), second[2].as_str()), ("a", "b"));
        assert_ne!(first[1], second[1]);
        assert_eq!(ask_udp(&one, at("127.0.0.1:53"), "c").await[1], first[1]);
        let large = "x".repeat(60_000);
        assert_eq!(ask_udp(&one, at("127.0.0.1:53"), &large).await[2], large);
    });
}

#[test]
fn udp_flows_end_when_idle() {
    // The limit counts the time that is leapt over.
    within(udp::IDLE * 5, || async {
        let target = udp_echo("127.0.0.1:0", "server").await;
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Udp, target).unwrap();
        let (listen, client) = (forwarder.local_address(), udp_client("127.0.0.1").await);
        let first = ask_udp(&client, listen, "a").await;
        time::pause();
        time::advance(udp::IDLE / 2).await;
        time::resume();
        assert_eq!(
            ask_udp(&client, listen, "b").await[1],
            first[1],
            "used again in time"
        );
        time::pause();
        time::advance(udp::IDLE * 2 / 3).await;
        time::resume();
        assert_eq!(
            ask_udp(&client, listen, "c").await[1],
            first[1],
            "not idle since"
        );
        time::pause();
        time::advance(udp::IDLE * 2).await;
        time::resume();
        // The flow's socket is closed by now; a new one has another port.
        assert_ne!(ask_udp(&client, listen, "d").await[1], first[1]);
    });
}

#[test]
fn udp_survives_a_server_that_comes_late_and_follows_the_target() {
    alone(|| async {
        let absent = at("127.0.0.1:5353");
        let forwarder = Forwarder::bind(at("127.0.0.1:53"), Protocol::Udp, absent).unwrap();
        let client = udp_client("127.0.0.1").await;
        for _ in 0..3 {
            client.send_to(b"lost", at("127.0.0.1:53")).await.unwrap();
            tokio::task::yield_now().await;
        }
        time::sleep(Duration::from_millis(50)).await;
        udp_echo("127.0.0.1:5353", "late").await;
        assert_eq!(ask_udp(&client, at("127.0.0.1:53"), "a").await[0], "late");
        let new = udp_echo("127.0.0.1:0", "new").await;
        forwarder.set_target(new);
        assert_eq!(ask_udp(&client, at("127.0.0.1:53"), "b").await[0], "new");
    });
}

#[test]
fn udp_flows_are_bounded() {
    alone(|| async {
        let target = udp_echo("127.0.0.1:0", "server").await;
        let _forwarder = Forwarder::bind(at("127.0.0.1:53"), Protocol::Udp, target).unwrap();
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = descriptors();
        for number in 0..udp::FLOWS + 200 {
            // An address for each, as one port serves only one client at a time.
            let ip = format!("127.1.{}.{}", number / 250, number % 250 + 1);
            let client = udp_client(&ip).await;
            assert_eq!(ask_udp(&client, at("127.0.0.1:53"), "x").await[2], "x");
        }
        // Other tests of the process come and go, hence the margin.
        let flows = descriptors().saturating_sub(before);
        assert!(flows < udp::FLOWS + 150, "{flows} descriptors more");
    });
}

#[test]
fn tcp_shutdown_of_the_server_reaches_the_client_while_it_still_sends() {
    alone(|| async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"greeting").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut rest = String::new();
            stream.read_to_string(&mut rest).unwrap();
            rest
        });
        let forwarder = Forwarder::bind(at("127.0.0.1:0"), Protocol::Tcp, target).unwrap();
        let mut client = TcpStream::connect(forwarder.local_address()).await.unwrap();
        let mut greeting = String::new();
        client.read_to_string(&mut greeting).await.unwrap();
        assert_eq!(greeting, "greeting");
        client.write_all(b"farewell").await.unwrap();
        drop(client);
        let rest = tokio::task::spawn_blocking(move || server.join().unwrap())
            .await
            .unwrap();
        assert_eq!(rest, "farewell");
    });
}
