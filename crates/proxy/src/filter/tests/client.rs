//! Who the client is: what came is believed as far as hops are trusted.

use super::*;

const NAMES: [&str; 7] = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Real-IP",
    "X-Forwarded-Prefix",
    "Forwarded",
];

/// The client's address and the fields that the backend gets, `Name: value` a line.
fn told(
    trusted_hops: usize,
    headers: ForwardedHeaders,
    received: &[(&str, &str)],
) -> (String, Vec<String>) {
    let mut head = head("/", &[("Host", "own.com:8443")]);
    for (name, value) in received {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    let settings = Forwarded {
        trusted_hops,
        headers,
    };
    let client = forwarded::learn(&head, settings, peer(true));
    forwarded::write(&client, "", &mut head);
    let lines = NAMES.iter().filter_map(|name| {
        let value = values(head.headers(), name);
        (!value.is_empty()).then(|| format!("{name}: {value}"))
    });
    let left = head
        .headers()
        .iter()
        .any(|field| field.name.contains(&b'_'));
    assert!(!left, "{head:?}");
    let address = client.address.map(|address| address.to_string());
    (address.unwrap_or_default(), lines.collect())
}

const HOSTILE: [(&str, &str); 8] = [
    ("X-Forwarded-For", "10.0.0.1, 10.0.0.2"),
    ("x-forwarded-proto", "http"),
    ("X-Forwarded-Host", "evil.com"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X_Forwarded_For", "10.0.0.3"),
    ("X-Real-IP", "10.0.0.4"),
    ("Forwarded", "for=10.0.0.5;host=evil.com"),
];

#[test]
fn nothing_is_believed_without_trusted_hops() {
    for received in [&[][..], &HOSTILE[..]] {
        let (address, lines) = told(0, ForwardedHeaders::XForwarded, received);
        assert_eq!(address, "192.0.2.1");
        let expected = [
            "X-Forwarded-For: 192.0.2.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: own.com:8443",
            "X-Forwarded-Port: 8443",
            "X-Real-IP: 192.0.2.1",
        ];
        assert_eq!(lines, expected);
    }
    let (_, lines) = told(0, ForwardedHeaders::Forwarded, &HOSTILE);
    assert_eq!(
        lines,
        ["Forwarded: for=192.0.2.1;host=\"own.com:8443\";proto=https"]
    );
}

#[test]
fn what_trusted_proxies_wrote_is_believed() {
    let received = [
        ("X-Forwarded-For", "6.6.6.6, 198.51.100.7"),
        ("X-Forwarded-For", "2001:db8::1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "www.example.com"),
    ];
    let (address, lines) = told(1, ForwardedHeaders::XForwarded, &received);
    assert_eq!(address, "2001:db8::1");
    let expected = [
        "X-Forwarded-For: 2001:db8::1, 192.0.2.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: www.example.com",
        "X-Forwarded-Port: 80",
        "X-Real-IP: 2001:db8::1",
    ];
    assert_eq!(lines, expected);
    let (address, lines) = told(2, ForwardedHeaders::Both, &received);
    assert_eq!(address, "198.51.100.7");
    assert_eq!(
        lines[0],
        "X-Forwarded-For: 198.51.100.7, 2001:db8::1, 192.0.2.1"
    );
    let expected = "Forwarded: for=198.51.100.7, for=\"[2001:db8::1]\", for=192.0.2.1;host=\"own.com:8443\";proto=http";
    assert_eq!(lines[5], expected);
    // More hops than entries: the farthest there is.
    assert_eq!(
        told(9, ForwardedHeaders::XForwarded, &received).0,
        "6.6.6.6"
    );
}

#[test]
fn forwarded_is_read_as_rfc_7239_says() {
    let received = [(
        "Forwarded",
        "for=6.6.6.6, for=\"[2001:db8::2]:4711\";proto=http;host=\"a,b\", For=\"_x;y\";Proto=HTTPS;host=www.example.com",
    )];
    let (address, lines) = told(2, ForwardedHeaders::Forwarded, &received);
    assert_eq!(address, "2001:db8::2");
    let expected = "Forwarded: for=\"[2001:db8::2]:4711\";proto=http;host=\"a,b\", For=\"_x;y\";Proto=HTTPS;host=www.example.com, \
for=192.0.2.1;host=\"own.com:8443\";proto=https";
    assert_eq!(lines, [expected]);
    let (address, lines) = told(1, ForwardedHeaders::XForwarded, &received);
    assert_eq!(address, "");
    assert_eq!(lines[0], "X-Forwarded-For: _x;y, 192.0.2.1");
    assert_eq!(lines[2], "X-Forwarded-Host: www.example.com");
}

#[test]
fn off_touches_nothing() {
    let received = [("X-Forwarded-For", "10.0.0.1")];
    let (address, lines) = told(1, ForwardedHeaders::None, &received);
    assert_eq!(address, "192.0.2.1");
    assert_eq!(lines, ["X-Forwarded-For: 10.0.0.1"]);
}

#[test]
fn a_unix_socket_has_no_address() {
    let mut head = head("/", &[("X-Forwarded-For", "10.0.0.1")]);
    let peer = Peer::new(None, false);
    let client = forwarded::learn(&head, FORWARDED, peer);
    forwarded::write(&client, "", &mut head);
    assert_eq!(values(head.headers(), "X-Forwarded-For"), "");
    assert_eq!(values(head.headers(), "X-Forwarded-Proto"), "http");
}
