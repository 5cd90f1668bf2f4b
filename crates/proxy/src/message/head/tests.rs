use super::*;

fn shown(method: &str, target: &str) -> String {
    match RequestHead::new(method.as_bytes(), target.as_bytes(), Version::Http11) {
        Err(failure) => failure.reason.to_string(),
        Ok(head) => {
            let text = |bytes: Option<&[u8]>| {
                bytes.map_or("-".into(), |bytes| {
                    String::from_utf8_lossy(bytes).into_owned()
                })
            };
            format!(
                "{:?} {} {} {} {}",
                head.form(),
                text(head.scheme()),
                text(head.authority()),
                text(Some(head.path())),
                text(head.query())
            )
        }
    }
}

#[test]
fn targets_are_divided() {
    for (method, target, expected) in [
        ("GET", "/", "Origin - - / -"),
        ("GET", "/a/b?c=d?e", "Origin - - /a/b c=d?e"),
        ("GET", "/a?", "Origin - - /a "),
        ("GET", "//evil/..", "Origin - - //evil/.. -"),
        ("GET", "http://a:81/b?c", "Absolute http a:81 /b c"),
        ("GET", "HTTP://a?c", "Absolute HTTP a / c"),
        ("OPTIONS", "http://a", "Absolute http a * -"),
        ("GET", "http://[::1]:80/", "Absolute http [::1]:80 / -"),
        ("OPTIONS", "*", "Asterisk - - * -"),
        ("CONNECT", "a:443", "Authority - a:443  -"),
        ("GET", "/ü", "Origin - - /ü -"),
        ("GET", "*", "malformed_request"),
        ("GET", "", "malformed_request"),
        ("GET", "a:443", "malformed_request"),
        ("GET", "a/b", "malformed_request"),
        ("GET", "/a#b", "malformed_request"),
        ("GET", "/a b", "malformed_request"),
        ("GET", "/a\0", "malformed_request"),
        ("GET", "http:///a", "malformed_request"),
        ("GET", "http://user@a/", "malformed_request"),
        ("GET", "http://a:b/", "malformed_request"),
        ("GET", "http://[::1/", "malformed_request"),
        ("CONNECT", "/", "malformed_request"),
        ("CONNECT", "a", "malformed_request"),
        ("G T", "/", "malformed_request"),
        ("", "/", "malformed_request"),
    ] {
        assert_eq!(shown(method, target), expected, "{method} {target:?}");
    }
}

#[test]
fn edits_leave_what_cannot_be_sent_as_it_was() {
    let mut head = RequestHead::new(b"GET", b"/a?b", Version::Http11).unwrap();
    for path in ["", "b", "/a b", "/a\r\nX: y", "/a?b", "/#"] {
        assert_eq!(
            head.set_path(path.as_bytes()),
            Err(InvalidField),
            "{path:?}"
        );
    }
    assert!(head.set_query(Some(b"a b")).is_err());
    assert!(head.set_authority(b"a\r\nb").is_err());
    assert!(head.set_protocol(Some(b"web socket")).is_err());
    assert_eq!((head.path(), head.query()), (&b"/a"[..], Some(&b"b"[..])));
    head.set_path(b"/c").unwrap();
    head.set_query(None).unwrap();
    head.set_authority(b"example.org:80").unwrap();
    head.set_protocol(Some(b"h2/x")).unwrap();
    assert_eq!((head.path(), head.query()), (&b"/c"[..], None));
    assert_eq!(head.authority(), Some(&b"example.org:80"[..]));
    assert_eq!(head.headers().get("host"), Some(&b"example.org:80"[..]));
}

#[test]
fn a_phrase_cannot_split_the_response() {
    let head = ResponseHead::received(200, b"OK\r\nX: y", Version::Http11);
    assert_eq!(head.phrase(), b"");
    assert_eq!(ResponseHead::new(404).phrase(), b"Not Found");
}
