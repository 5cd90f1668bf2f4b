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
