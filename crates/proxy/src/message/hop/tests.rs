use super::*;

fn request(version: Version, fields: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead::new(b"GET", b"/", version).unwrap();
    for (name, value) in fields {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    head
}

fn names(headers: &Headers) -> String {
    let name = |field: Field<'_>| String::from_utf8_lossy(field.name).into_owned();
    headers.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_about_the_connection_stays_behind() {
    let mut head = request(
        Version::Http11,
        &[
            ("Host", "a"),
            ("Connection", "close, X-Mine"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("x-mine", "1"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
            ("TE", "trailers, gzip"),
            ("Accept", "*/*"),
        ],
    );
    strip_request(&mut head, false);
    assert_eq!(names(head.headers()), "Host Accept TE");
    assert_eq!(head.headers().known(Known::Te), Some(&b"trailers"[..]));
}

#[test]
fn a_client_cannot_take_away_what_others_rely_on() {
    let kept = [
        ("Host", "a"),
        ("Content-Length", "0"),
        ("Cookie", "c"),
        ("X-Forwarded-For", "d"),
    ];
    let mut head = request(Version::Http11, &kept);
    let all = b"Host, Content-Length, Cookie, X-Forwarded-For";
    head.headers_mut().append("Connection", all).unwrap();
    strip_request(&mut head, false);
    assert_eq!(
        names(head.headers()),
        "Host Content-Length Cookie X-Forwarded-For"
    );
}

#[test]
fn a_change_of_protocol_is_remembered_only_where_it_can_be_meant() {
    let asked = |version, connection, upgrade, body| {
        let fields = [
            ("Host", "a"),
            ("Connection", connection),
            ("Upgrade", upgrade),
        ];
        let mut head = request(version, &fields);
        strip_request(&mut head, body);
        assert_eq!(names(head.headers()), "Host");
        head.protocol()
            .map(|protocol| String::from_utf8_lossy(protocol).into_owned())
    };
    use Version::{Http10, Http11};
    assert_eq!(
        asked(Http11, "keep-alive, Upgrade", "websocket", false),
        Some("websocket".into())
    );
    assert_eq!(asked(Http10, "upgrade", "websocket", false), None);
    assert_eq!(asked(Http11, "keep-alive", "websocket", false), None);
    assert_eq!(asked(Http11, "upgrade", "websocket", true), None);
    assert_eq!(asked(Http11, "upgrade", "h2c", false), None);
    assert_eq!(asked(Http11, "upgrade", "h2c, websocket", false), None);
    assert_eq!(
        asked(Http11, "upgrade", "TLS/1.2", false),
        Some("TLS/1.2".into())
    );
}

#[test]
fn a_response_says_what_it_changes_to() {
    let mut head = ResponseHead::new(101);
    head.headers_mut().append("Upgrade", b"websocket").unwrap();
    head.headers_mut().append("Connection", b"Upgrade").unwrap();
    strip_response(&mut head);
    assert_eq!(head.protocol(), Some(&b"websocket"[..]));
    assert!(head.headers().is_empty());
    let mut head = ResponseHead::new(200);
    head.headers_mut().append("Upgrade", b"h2,h2c").unwrap();
    strip_response(&mut head);
    assert_eq!(head.protocol(), None);
    assert!(head.headers().is_empty());
}
