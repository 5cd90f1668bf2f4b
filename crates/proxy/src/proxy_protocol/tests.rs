use super::*;

const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\x01\xbb";

fn addresses(bytes: &[u8]) -> Result<String, Invalid> {
    parse(bytes).map(|header| match header {
        Header::Partial => "partial".to_owned(),
        Header::Complete(length, None) => format!("{length} local"),
        Header::Complete(length, Some((source, destination))) => {
            format!("{length} {source} {destination}")
        }
    })
}

#[test]
fn headers_are_read() {
    for (bytes, expected) in [
        (
            &b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET"[..],
            "35 1.2.3.4:80 5.6.7.8:443",
        ),
        (
            b"PROXY TCP6 ::1 fe80::2 1 65535\r\n",
            "32 [::1]:1 [fe80::2]:65535",
        ),
        (b"PROXY UNKNOWN\r\n", "15 local"),
        (b"PROXY UNKNOWN whatever it says\r\n", "32 local"),
        (b"", "partial"),
        (b"\r\n", "partial"),
        (b"PRO", "partial"),
        (b"PROXY TCP4 1.2.3.4", "partial"),
        (V2, "28 1.2.3.4:80 5.6.7.8:443"),
        (&V2[..20], "partial"),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", "16 local"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\0\0\x02ab", "18 local"),
    ] {
        assert_eq!(addresses(bytes).as_deref(), Ok(expected), "{bytes:?}");
    }
}

#[test]
fn what_is_no_header_is_refused() {
    let long = [&b"PROXY UNKNOWN "[..], &[b'a'; 200]].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 080 443\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 +80 443\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443 1\r\n",
        b"PROXY TCP4 ::1 ::1 80 443\r\n",
        b"PROXY TCP6 1.2.3.4 5.6.7.8 80 443\r\n",
        b"PROXY TCP4 1.2.3.4  5.6.7.8 80 443\r\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 80 443\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 443\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x22\x11\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04abcd",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x51\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        &long,
    ] {
        assert!(parse(bytes).is_err(), "{bytes:?}: {:?}", parse(bytes));
    }
}

#[test]
fn what_is_written_is_read() {
    for (source, destination) in [
        ("1.2.3.4:5", "6.7.8.9:10"),
        ("[::1]:5", "[2001:db8::1]:65535"),
        ("[::ffff:1.2.3.4]:5", "6.7.8.9:10"),
    ] {
        let (source, destination): (SocketAddr, SocketAddr) =
            (source.parse().unwrap(), destination.parse().unwrap());
        for version in [Version::V1, Version::V2] {
            let header = encode(version, Some(source), Some(destination));
            let Ok(Header::Complete(length, Some(told))) = parse(&header) else {
                unreachable!("{header:?}")
            };
            assert_eq!(length, header.len());
            assert_eq!(told.0.ip(), source.ip().to_canonical());
            assert_eq!((told.0.port(), told.1), (source.port(), destination));
        }
    }
    for version in [Version::V1, Version::V2] {
        let header = encode(version, None, None);
        assert_eq!(parse(&header), Ok(Header::Complete(header.len(), None)));
    }
}

#[test]
fn every_cut_is_partial() {
    for whole in [V2, b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n"] {
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), Ok(Header::Partial), "{length}");
        }
    }
}

#[test]
fn networks_contain_their_addresses() {
    for (network, inside, outside) in [
        (
            "10.0.0.0/8",
            vec!["10.255.0.1", "::ffff:10.0.0.1"],
            vec!["11.0.0.0", "::1"],
        ),
        ("10.1.2.3", vec!["10.1.2.3"], vec!["10.1.2.2"]),
        ("0.0.0.0/0", vec!["1.2.3.4"], vec!["::1"]),
        ("fd00::/8", vec!["fd12::1"], vec!["fe80::1", "10.0.0.1"]),
        ("::1/128", vec!["::1"], vec!["::2"]),
    ] {
        let network: Network = network.parse().unwrap();
        for address in inside {
            assert!(
                network.contains(address.parse().unwrap()),
                "{network:?} {address}"
            );
        }
        for address in outside {
            assert!(
                !network.contains(address.parse().unwrap()),
                "{network:?} {address}"
            );
        }
    }
    for text in [
        "",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "::/129",
        "a/8",
        "10.0.0/8",
    ] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}

mod connections {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::buffer::{Buffer, Size};
    use crate::transport::Transport;

    async fn accepted(sources: &[&str], bytes: &[u8]) -> Result<(Transport, Buffer), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        client.set_nodelay(true).unwrap();
        let mut transport = Transport::tcp(listener.accept().await.unwrap().0);
        let sources: Vec<Network> = sources.iter().map(|text| text.parse().unwrap()).collect();
        let write = async {
            for byte in bytes {
                client.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            client.shutdown().await.unwrap();
            // Whoever reads the end of this direction sees what was refused.
            let _ = client.read_to_end(&mut Vec::new()).await;
        };
        let read = async {
            accept(&mut transport, &sources, Duration::from_secs(60)).await?;
            let mut rest = Buffer::new();
            while poll_fn(|cx| transport.poll_read(cx, &mut rest, Size::Small))
                .await
                .unwrap()
                > 0
            {}
            Ok((transport, rest))
        };
        tokio::select! {
            result = read => result.map_err(|failure: crate::reason::Failure| failure.detail.into_owned()),
            () = write => Err("nobody read it".to_owned()),
        }
    }

    #[tokio::test]
    async fn the_client_is_who_the_header_says_and_the_rest_is_left() {
        let (transport, rest) = accepted(
            &["127.0.0.0/8"],
            b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET",
        )
        .await
        .unwrap();
        assert_eq!(transport.facts().peer, "1.2.3.4:80".parse().ok());
        assert_eq!(transport.facts().local, "5.6.7.8:443".parse().ok());
        assert_eq!(rest.bytes(), b"GET");
        let (transport, rest) = accepted(&[], b"PROXY UNKNOWN\r\nGET").await.unwrap();
        assert!(transport.facts().peer.unwrap().ip().is_loopback());
        assert_eq!(rest.bytes(), b"GET");
    }

    #[tokio::test]
    async fn without_a_header_or_trust_nothing_goes_on() {
        let header = b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET";
        let refused = accepted(&["10.0.0.0/8"], header).await.unwrap_err();
        assert_eq!(refused, "127.0.0.1 may not send it");
        let refused = accepted(&[], b"GET / HTTP/1.1\r\n").await.unwrap_err();
        assert!(refused.contains("no signature"), "{refused}");
        let refused = accepted(&[], b"PROXY TCP4 1.2").await.unwrap_err();
        assert!(refused.contains("ends before"), "{refused}");
    }
}
