use tokio::io::AsyncWriteExt;

use super::super::testing::{LONG, pair, run, text};
use super::*;

/// What `openssl s_client` with `arguments` says first.
async fn of_openssl(arguments: &[&str]) -> Vec<u8> {
    let (listener, address) = super::super::testing::listen().await;
    let mut all = vec!["s_client", "-connect", &address];
    all.extend(arguments);
    let client = run("openssl", &all, b"");
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 5];
        tokio::io::AsyncReadExt::read_exact(&mut socket, &mut bytes)
            .await
            .unwrap();
        let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        bytes.resize(5 + length, 0);
        tokio::io::AsyncReadExt::read_exact(&mut socket, &mut bytes[5..])
            .await
            .unwrap();
        bytes
    };
    let (output, bytes) = tokio::join!(client, server);
    assert!(!output.status.success(), "{}", text(&output));
    bytes
}

/// The same message in records of at most `size` bytes.
fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    hello[5..]
        .chunks(size)
        .flat_map(|part| [&[22, 3, 1, 0, part.len() as u8], part].concat())
        .collect()
}

#[tokio::test]
async fn names_and_protocols_of_a_real_client_are_read() {
    let bytes = of_openssl(&["-servername", "App.Example.com", "-alpn", "h2,http/1.1"]).await;
    let hello = parse(&bytes).unwrap().unwrap();
    assert_eq!(hello.server_name.as_deref(), Some("app.example.com"));
    assert_eq!(hello.alpn, ["h2", "http/1.1"]);
    assert!(hello.tls13);

    let bytes = of_openssl(&["-noservername", "-tls1_2"]).await;
    assert_eq!(parse(&bytes).unwrap().unwrap(), Hello::default());
}

#[tokio::test]
async fn it_may_come_in_pieces_of_any_size() {
    let bytes = of_openssl(&["-servername", "app.example.com"]).await;
    let whole = parse(&bytes).unwrap().unwrap();
    for length in 0..bytes.len() {
        assert_eq!(parse(&bytes[..length]).unwrap(), None, "{length}");
    }
    for size in [1, 2, 3, 4, 5, 7, 64, 200] {
        let records = in_records(&bytes, size);
        assert_eq!(parse(&records).unwrap().as_ref(), Some(&whole), "{size}");
        assert_eq!(
            parse(&records[..records.len() - 1]).unwrap(),
            None,
            "{size}"
        );
    }
}

#[tokio::test]
async fn what_was_looked_at_is_still_to_be_read() {
    let bytes = of_openssl(&["-servername", "app.example.com"]).await;
    let (mut transport, mut client) = pair().await;
    let writer = async {
        for part in in_records(&bytes, 100).chunks(33) {
            client.write_all(part).await.unwrap();
            client.flush().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (hello, ()) = tokio::join!(peek(&mut transport, LONG), writer);
    assert_eq!(
        hello.unwrap().server_name.as_deref(),
        Some("app.example.com")
    );
    drop(client);
    let mut all = Vec::new();
    loop {
        let mut buffer = Buffer::new();
        match poll_fn(|cx| transport.poll_read(cx, &mut buffer, Size::Small))
            .await
            .unwrap()
        {
            0 => break,
            _ => all.extend_from_slice(buffer.bytes()),
        }
    }
    assert_eq!(all, in_records(&bytes, 100));
}

#[tokio::test]
async fn other_things_than_tls_are_recognised_at_once() {
    for (bytes, reason) in [
        (&b"GET / HTTP/1.1\r\n"[..], "plain_http"),
        (b"PRI * HTTP/2.0\r\n\r\n", "plain_http"),
        (b"SSH-2.0-OpenSSH\r\n", "protocol"),
        (b"\x16\x02\x00", "protocol"),
        (b"\x16\x03\x01\x00\x00", "protocol"),
        (b"\x16\x03\x01\xff\xff", "protocol"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "protocol"),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", "protocol"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "protocol"),
        (b"\x15\x03\x01\x00\x02", "protocol"),
    ] {
        assert_eq!(
            parse(bytes).unwrap_err().reason(),
            reason,
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_or_too_much_is_let_go() {
    let (mut transport, client) = pair().await;
    drop(client);
    assert_eq!(
        peek(&mut transport, LONG).await.unwrap_err().reason(),
        "closed"
    );

    let (mut transport, mut client) = pair().await;
    client.write_all(b"\x16\x03\x01").await.unwrap();
    let ended = peek(&mut transport, Duration::from_millis(10)).await;
    assert_eq!(ended.unwrap_err().reason(), "timeout");

    // Records of one byte: 32 KiB of them are not a ClientHello of 32 KiB, but enough.
    let (mut transport, mut client) = pair().await;
    let start = b"\x16\x03\x01\x00\x04\x01\x00\x7f\xff".to_vec();
    let flood = [start, b"\x16\x03\x01\x00\x01x".repeat(20_000)].concat();
    assert!(parse(&flood[..LIMIT - 1]).unwrap().is_none() && parse(&flood).is_err());
    let (ended, _) = tokio::join!(peek(&mut transport, LONG), client.write_all(&flood));
    assert_eq!(ended.unwrap_err().reason(), "protocol");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        let mut bytes = bytes;
        let _ = parse(&bytes);
        // The same as the body of a well-formed message.
        let length = bytes.len() as u16;
        let mut framed = vec![22, 3, 1];
        framed.extend((length + 4).to_be_bytes());
        framed.extend([1, 0]);
        framed.extend(length.to_be_bytes());
        framed.append(&mut bytes);
        let _ = parse(&framed);
    }
}
