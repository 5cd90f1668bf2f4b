use super::*;

fn check(method: &str, target: &str, version: Version, fields: &[(&str, &str)]) -> Option<Reason> {
    let mut head = RequestHead::new(method.as_bytes(), target.as_bytes(), version).unwrap();
    for (name, value) in fields {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    check_request(&head).err().map(|failure| failure.reason)
}

#[test]
fn there_is_one_host_and_it_is_that_of_the_target() {
    use Version::{Http10, Http11};
    let bad = Some(Reason::BadHost);
    for (method, target, version, fields, expected) in [
        ("GET", "/", Http11, vec![("Host", "a")], None),
        ("GET", "/", Http11, vec![("Host", "[::1]:80")], None),
        ("GET", "/", Http11, vec![], bad),
        ("GET", "/", Http10, vec![], None),
        ("GET", "/", Http11, vec![("Host", "a"), ("host", "a")], bad),
        ("GET", "/", Http10, vec![("Host", "a"), ("Host", "b")], bad),
        ("GET", "/", Http11, vec![("Host", "")], bad),
        ("GET", "/", Http11, vec![("Host", "a b")], bad),
        ("GET", "/", Http11, vec![("Host", "a/b")], bad),
        ("GET", "/", Http11, vec![("Host", "u@a")], bad),
        ("GET", "/", Http11, vec![("Host", "a,b")], bad),
        ("GET", "/", Http11, vec![("Host", "a:80:80")], bad),
        ("OPTIONS", "*", Http11, vec![("Host", "")], None),
        ("GET", "http://a/", Http11, vec![("Host", "A")], None),
        ("GET", "http://a/", Http11, vec![("Host", "a:80")], None),
        ("GET", "https://a:443/", Http11, vec![("Host", "a")], None),
        ("GET", "http://a:443/", Http11, vec![("Host", "a")], bad),
        ("GET", "http://a/", Http11, vec![("Host", "b")], bad),
        ("GET", "http://a/", Http11, vec![], bad),
        ("CONNECT", "a:443", Http11, vec![("Host", "a:443")], None),
        ("CONNECT", "a:443", Http11, vec![("Host", "b:443")], bad),
    ] {
        assert_eq!(
            check(method, target, version, &fields),
            expected,
            "{target} {fields:?}"
        );
    }
}

#[test]
fn only_one_expectation_can_be_met() {
    let with = |value| {
        check(
            "PUT",
            "/",
            Version::Http11,
            &[("Host", "a"), ("Expect", value)],
        )
    };
    assert_eq!(with("100-Continue"), None);
    assert_eq!(with("200-ok"), Some(Reason::ExpectationFailed));
    assert_eq!(with("100-continue, more"), Some(Reason::ExpectationFailed));
}

#[test]
fn a_backend_cannot_change_protocols_unasked() {
    let mut request = RequestHead::new(b"GET", b"/", Version::Http11).unwrap();
    let reason = |status, request: &_| {
        let mut head = ResponseHead::new(status);
        head.headers_mut().append("Upgrade", b"WebSocket").unwrap();
        check_response(&head, request)
            .err()
            .map(|failure| failure.reason)
    };
    assert_eq!(reason(101, &request), Some(Reason::UnexpectedUpgrade));
    assert_eq!(reason(200, &request), None);
    assert_eq!(reason(99, &request), Some(Reason::MalformedResponse));
    assert_eq!(reason(600, &request), Some(Reason::MalformedResponse));
    request.set_protocol(Some(b"websocket")).unwrap();
    assert_eq!(reason(101, &request), None);
    request.set_protocol(Some(b"other")).unwrap();
    assert_eq!(reason(101, &request), Some(Reason::UnexpectedUpgrade));
}
